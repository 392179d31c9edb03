"""Claims of this paper on the surrogate loss and its gradient for Gaussian points, and on convex surrogates."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.halfspaces import _angles, _kernels

__all__ = ["CLAIMS"]

_DERIVED = Provenance.DERIVED
GAUSS = Assumption("G", "standard Gaussian points", lambda marginal="gauss": marginal == "gauss")
_RCN = Assumption("RCN", "every label flips with the same probability eta < 1/2", lambda eta=0.0: 0 <= eta < 0.5)
_MASSART = Assumption(
    "M", "labels flip with probability eta(x) <= eta < 1/2, eta(.) chosen by the adversary", lambda eta=0.0: 0 <= eta < 0.5
)


_FACT1 = Claim(
    id="halfspaces.fact1",
    source="Fact 20 of Klivans, Stavropoulos, Vasilyan 2024",
    statement="For standard Gaussian points two halfspaces differ with probability angle/pi, in every dimension.",
    checks=(
        Check(
            name="angle",
            relation=Relation.EQUAL,
            provenance=Provenance.SECONDARY,
            formula="P[h_v != h_w] = theta/pi",
            bound=lambda theta: float(_angles.fact1_disagreement(theta)),
            margin=lambda theta: 0.1 * theta / math.pi,
            method="t",
            assumptions=(GAUSS,),
            falsifiers=(
                Falsifier("half", "theta/(2 pi) is claimed", "bound", bound=lambda theta: theta / (2 * math.pi)),
                Falsifier("aniso", "coordinates have standard deviations from .3 to 2", "world"),
            ),
            units="probability",
        ),
    ),
)


def _declared(quantity, kernel):
    """The constants of each kernel, as numbers."""
    first = {"smooth": 41 / 180, "ramp": 0.25, "logistic": 2 * math.log(2)}
    second = {"smooth": 0.06675485008818341, "ramp": 1 / 12, "logistic": math.pi**2 / 3}
    return {"mass": 1.0, "zero": 0.0, "first": first[kernel], "second": second[kernel], "sup": _kernels.kernel_sup(kernel)}[quantity]


_LOSS = Claim(
    id="halfspaces.loss",
    source="smooth surrogate of the paper, as recalled; constants derived here",
    statement="There is a twice differentiable loss that equals 1/2 + t/sigma for |t| <= sigma/6, is constant beyond sigma/2, "
    "and has l' <= c/sigma "
    "and |l''| <= c'/sigma^2. Explicitly k = 1 - 3u^2 + 2u^3 + 15 u^2 (1-u)^2, u = 3(|s| - 1/6), with c = 1.512 and c' = 11.82: "
    "its slope must overshoot 1/sigma.",
    checks=(
        Check(
            name="constants",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="mass 1, even, l(t) + l(-t) = 1, int k|s| = 41/180, int k s^2 = .0667549, sup k = 1.512 (smooth); 1/4, "
            "1/12, 1 (ramp); 2 ln 2, pi^2/3, 1/4 (logistic)",
            bound=_declared,
            method="exact",
            falsifiers=(Falsifier("plain-smoothstep", "the transition is a smoothstep without overshoot: mass 2/3", "world"),),
            units="kernel constant",
        ),
        Check(
            name="derivative",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="sup |l_sigma'(t) - k(t/sigma)/sigma| sigma = 0, l' by automatic differentiation",
            bound=lambda: 0.0,
            method="exact",
            tolerance=1e-12,
            falsifiers=(Falsifier("twice-the-width", "the slope of a loss of width 2 sigma is claimed", "world"),),
            units="slope times sigma",
        ),
        Check(
            name="curvature",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="sup |l''| sigma^2 = c' = 11.8207 by finite differences",
            bound=_kernels.curvature_sup,
            method="exact",
            tolerance=9e-4,  # 11.81 to 11.8208, on a grid of steps of 1e-6
            assumptions=(Assumption("K", "the smooth kernel", lambda kernel: kernel in ("smooth", "all")),),
            falsifiers=(Falsifier("plain-smoothstep", "the transition is a smoothstep without overshoot", "world"),),
            units="curvature times sigma^2",
        ),
    ),
)


def _law(theta, sigma, eta, kernel):
    return _angles.grad_norm(theta, sigma, eta, kernel)


_AT_HALF_THE_NOISE = Falsifier(
    "half-the-noise",
    "the law at eta/2 is claimed",
    "bound",
    bound=lambda theta, sigma, eta, kernel: _law(theta, sigma, eta / 2, kernel),
)

_GRADLAW = Claim(
    id="halfspaces.gradlaw",
    source="derived here",
    statement="Gaussian points, constant flip rate eta: the surrogate's gradient at angle theta points along the unit part of "
    "w* orthogonal to w and has "
    "norm ((1-2 eta)/pi) int l'(t) exp(-t^2/(2 sin^2 theta)) dt, (1-2 eta)/pi in the limit of small sigma at every angle.",
    checks=(
        Check(
            name="along",
            relation=Relation.EQUAL,
            provenance=_DERIVED,
            formula="<-grad L, u> = ((1-2 eta)/pi) int l'(t) exp(-t^2/(2 sin^2 theta)) dt",
            bound=_law,
            margin=lambda theta, sigma, eta, kernel: 0.2 * _law(theta, sigma, eta, kernel),
            method="t",
            assumptions=(GAUSS, _RCN),
            falsifiers=(_AT_HALF_THE_NOISE,),
            units="gradient component",
        ),
        Check(
            name="across",
            relation=Relation.EQUAL,
            provenance=_DERIVED,
            formula="<-grad L, e> = 0 for e orthogonal to w and w*",
            bound=lambda: 0.0,
            margin=lambda theta, sigma, eta, kernel: 0.2 * _law(theta, sigma, eta, kernel),
            method="t",
            assumptions=(GAUSS, _RCN),
            falsifiers=(Falsifier("tilted", "w* leans out of the plane by half a radian", "world"),),
            units="gradient component",
        ),
        Check(
            name="alongside",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="<grad L, w> = 0 on any sample: L does not depend on ||w||",
            bound=lambda: 0.0,
            method="exact",
            tolerance=1e-12,
            falsifiers=(Falsifier("unprojected", "the loss is not divided by ||w||", "world"),),
            units="gradient component",
        ),
        Check(
            name="closed-form",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="ramp: (1-2 eta) sqrt(2/pi) (sin theta/sigma) erf(sigma/(2 sqrt2 sin theta)); sigma -> 0: (1-2 eta)/pi",
            bound=_law,
            method="exact",
            falsifiers=(_AT_HALF_THE_NOISE,),
            units="gradient norm",
        ),
    ),
)


def _theta(kernel, sigma, eta, share):
    return share * _angles.stationary_angle(sigma, eta, kernel)


def _worst(kernel, sigma, eta, share):
    return _angles.massart_component(_theta(kernel, sigma, eta, share), sigma, eta, kernel)


def _worst_if(factor_eta=1.0, factor_sigma=1.0):
    """g at the declared angle with a wrong rate or width in it."""

    def bound(kernel, sigma, eta, share):
        return _angles.massart_component(_theta(kernel, sigma, eta, share), factor_sigma * sigma, factor_eta * eta, kernel)

    return bound


_LEM43 = Claim(
    id="halfspaces.lem4.3x",
    source="Lemma 4.3, as recalled; exact version derived here",
    statement="Gaussian points, Massart noise: for every adversary the component of -grad L towards w* is at least g(theta) = "
    "int l' phi [2(1-eta) phi(t cot theta) "
    "- 2 eta phi(0)] dt, and one adversary attains it. So stationary angles lie within theta_s(sigma, eta) of w* or -w*, where "
    "tan(theta_s) = c_k(eta) sigma "
    "(1 + O(sigma^2)) and c_k(eta) sqrt(1-2 eta) tends to half the root of int s^2 k: the factor sqrt(1-2 eta) is the exact exponent.",
    checks=(
        Check(
            name="component",
            relation=Relation.EQUAL,
            provenance=_DERIVED,
            formula="<-grad L, u> = g(theta) under the worst adversary, at .7, 1 and 1.3 theta_s",
            bound=_worst,
            margin=0.002,
            method="t",
            assumptions=(GAUSS, _MASSART),
            falsifiers=(
                Falsifier("half-the-noise", "g at eta/2 is claimed", "bound", bound=_worst_if(factor_eta=0.5)),
                Falsifier(
                    "twice-the-width", "g at 2 sigma is claimed", "bound", bound=_worst_if(factor_sigma=2.0), where=lambda share: share >= 1
                ),
            ),
            units="gradient component",
        ),
        Check(
            name="every-adversary",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="<-grad L, u> >= g(theta) for random rates eta(t, x_1), and equality for the worst",
            bound=lambda theta, sigma, eta, kernel: _angles.massart_component(theta, sigma, eta, kernel) - 1e-6,  # quadrature of both
            method="exact",
            residual="lower",
            assumptions=(GAUSS, _MASSART),
            falsifiers=(
                Falsifier(
                    "half-the-noise",
                    "g at eta/2 is claimed",
                    "bound",
                    bound=lambda theta, sigma, eta, kernel: _angles.massart_component(theta, sigma, eta / 2, kernel),
                ),
            ),
            units="gradient component",
        ),
        Check(
            name="small-sigma",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="tan(theta_s)/sigma = c_k(eta) at sigma = .002, to 1e-3",
            bound=_angles.stationary_limit,
            method="exact",
            tolerance=1e-3,
            assumptions=(GAUSS, _MASSART, Assumption("L", "sigma <= .005", lambda sigma: sigma <= 0.005)),
            falsifiers=(
                Falsifier(
                    "half-the-noise", "c_k(eta/2) is claimed", "bound", bound=lambda eta, kernel: _angles.stationary_limit(eta / 2, kernel)
                ),
            ),
            units="tan(theta_s)/sigma",
        ),
        Check(
            name="exponent",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="c_k(eta) sqrt(1-2 eta) = sqrt(int s^2 k)/2 at eta = .49995, to 1e-3",
            bound=_angles.stationary_limit_constant,
            method="exact",
            tolerance=1e-3,
            assumptions=(GAUSS, _MASSART, Assumption("L", ".4999 <= eta < 1/2", lambda eta: eta >= 0.4999)),
            falsifiers=(Falsifier("power-one", "the factor is 1 - 2 eta without the root", "world"),),
            units="c_k(eta) sqrt(1-2 eta)",
        ),
    ),
)

_GAP = Claim(
    id="halfspaces.gap",
    source="derived here",
    statement="Convex surrogates fail by a constant under Massart noise: the mean of y x, and for Gaussian points exactly also "
    "the population minimiser of the "
    "logistic loss, end at angle atan(eta/(1-eta)) from w* under massart_half. At d = 10 and 4e4 points the learner's excess is "
    "less than a fifth of logistic regression's.",
    checks=(
        Check(
            name="population",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="angle(argmin E log(1 + e^{-y<w,x>}), w*) = atan(eta/(1-eta))",
            bound=_angles.averaging_angle,
            method="exact",
            assumptions=(GAUSS, _MASSART),
            falsifiers=(
                Falsifier("angle-eta", "the angle is eta", "bound", bound=lambda eta: eta),
                Falsifier("constant-rate", "labels flip at a constant rate: logistic regression is consistent there", "world"),
            ),
            units="angle (rad)",
        ),
        Check(
            name="fifth",
            relation=Relation.UPPER,
            provenance=_DERIVED,
            formula="E[5 excess(learner) - excess(logistic regression)] <= 0, widths .1, .3, .9",
            bound=lambda: 0.0,
            method="t",
            assumptions=(GAUSS, _MASSART),
            falsifiers=(Falsifier("averaging", "the learner is replaced by the mean of y x", "world"),),
            units="excess error",
        ),
        Check(
            name="fifth-each",
            relation=Relation.TAIL,
            provenance=_DERIVED,
            formula="P[5 excess(learner) > excess(logistic regression)] <= 1/4 at eta = .4, where the excess is too skew for a mean",
            bound=lambda: 0.25,
            assumptions=(GAUSS, _MASSART),
            falsifiers=(Falsifier("averaging", "the learner is replaced by the mean of y x", "world"),),
            units="trials above a fifth",
        ),
    ),
)

CLAIMS = (_FACT1, _LOSS, _GRADLAW, _LEM43, _GAP)
