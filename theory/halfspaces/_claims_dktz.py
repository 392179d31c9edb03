"""Claims on the optimisation result with explicit constants that the paper builds on (DKTZ20a)."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.halfspaces import _angles, _dktz

__all__ = ["CLAIMS"]

_SECONDARY = Provenance.SECONDARY
_BOUNDED = Assumption(
    "UR",
    "every two-dimensional projection has density at most U, and at least 1/U on the disc of radius R; U = 2 pi e^{R^2/2}",
    lambda: True,
)
_MASSART = Assumption("M", "labels flip with probability eta(x) <= eta < 1/2", lambda eta=0.0: eta == -1 or 0 <= eta < 0.5)  # -1: a grid
_ISOTROPIC = Assumption("I", "isotropic points, logistic surrogate", lambda: True)


def _lemma(kernel, constant, factor, worlds=()):
    """The check of Lemma 7 or 8: R^2 (1-2 eta)/(constant U)."""
    return Check(
        name="gradient",
        relation=Relation.EXACT,
        provenance=_SECONDARY,
        formula=f"min over adversaries of <-grad L, u> >= R^2 (1-2 eta)/({constant} U)",
        bound=lambda eta, R: _dktz.lem7_lem8_bound(eta, R, kernel),
        method="exact",
        residual="lower",
        assumptions=(_BOUNDED, _MASSART),
        falsifiers=(
            Falsifier(
                f"times-{factor}",
                f"{factor} times the bound is claimed",
                "bound",
                bound=lambda eta, R: factor * _dktz.lem7_lem8_bound(eta, R, kernel),
            ),
            *worlds,
        ),
        units="gradient component",
    )


_LEM7 = Claim(
    id="halfspaces.dktz.lem7",
    source="Lemma 7 of Diakonikolas, Kontonis, Tzamos, Zarifis 2020 (arXiv 2002.05632)",
    statement="On a (U, R)-bounded marginal with Massart noise the gradient of the ramp surrogate is at least R^2 (1-2 eta)/(8U) at every "
    "angle in (theta, pi - theta), once sigma <= (R/2U) sqrt(1-2 eta) sin theta.",
    checks=(_lemma("ramp", 8, 25, (Falsifier("squash", "a band of points without spread: no lower density bound", "world"),)),),
)

_LEM8 = Claim(
    id="halfspaces.dktz.lem8",
    source="Lemma 8 of Diakonikolas, Kontonis, Tzamos, Zarifis 2020 (arXiv 2002.05632)",
    statement="On a (U, R)-bounded marginal with Massart noise the gradient of the logistic surrogate is at least R^2 (1-2 eta)/(32U) at "
    "every angle in (theta, pi - theta), once sigma <= (R/8U) sqrt(1-2 eta) sin theta.",
    checks=(_lemma("logistic", 32, 100),),
)

_CLAIM5 = Claim(
    id="halfspaces.dktz.claim5",
    source="Claim 5 of Diakonikolas, Kontonis, Tzamos, Zarifis 2020, lower side",
    statement="On a (U, R)-bounded marginal two halfspaces at angle theta differ with probability at least (R^2/U) theta.",
    checks=(
        Check(
            name="lower",
            relation=Relation.EXACT,
            provenance=_SECONDARY,
            formula="theta/pi >= (R^2/U) theta for Gaussian points; the ratio is 2 e^{R^2/2}/R^2 >= e",
            bound=_dktz.claim5_lower,
            method="exact",
            residual="lower",
            assumptions=(_BOUNDED,),
            falsifiers=(
                Falsifier("times-3", "3 times the bound is claimed", "bound", bound=lambda theta, R: 3 * _dktz.claim5_lower(theta, R)),
            ),
            units="probability",
        ),
    ),
)

_THM9 = Claim(
    id="halfspaces.dktz.thm9",
    source="Theorem 9 of Diakonikolas, Kontonis, Tzamos, Zarifis 2020: rate; the constant is hidden",
    statement="Under Massart noise and a (U, R, t)-bounded marginal (U/R)^12 t(eps/2)^8/(1-2 eta)^10 O(d/eps^4) points suffice for "
    "error eps to the target with probability 9/10. Measured on Gaussian points: those that the learner needs for angle eps grow like "
    "eps^-1.",
    checks=(
        Check(
            name="slope",
            relation=Relation.RATE,
            provenance=_SECONDARY,
            formula="slope of ln n_needed in ln(1/eps) <= 4",
            bound=lambda inverse_eps: inverse_eps**4,
            margin=(-math.inf, 4.0),
            method="rows",
            constants="hidden",
            grid="inverse_eps",
            assumptions=(_MASSART,),
            falsifiers=(Falsifier("half", "n_needed grows like the square root of 1/eps", "bound", margin=(-math.inf, 0.5)),),
            units="points needed",
        ),
    ),
)


def _smooth_check(name, formula, bound, factor, units):
    """bound takes (d, sigma)."""
    return Check(
        name=name,
        relation=Relation.UPPER,
        provenance=_SECONDARY,
        formula=formula,
        bound=bound,
        method="t",
        assumptions=(_ISOTROPIC,),
        falsifiers=(
            Falsifier(f"over-{factor}", f"the bound over {factor:,} is claimed", "bound", bound=lambda d, sigma: bound(d, sigma) / factor),
        ),
        units=units,
    )


_LEM11 = Claim(
    id="halfspaces.dktz.lem11",
    source="Lemma 11 of Diakonikolas, Kontonis, Tzamos, Zarifis 2020",
    statement="For the logistic surrogate and isotropic points E||grad l||^2 <= 4d/sigma^2, ||grad L||^2 <= 4/sigma^2, and "
    "grad L is (6/sigma + 12/sigma^2)-Lipschitz outside "
    "the unit ball. Each is loose by a factor of hundreds or more.",
    checks=(
        _smooth_check("gradient", "E||grad l||^2 <= 4d/sigma^2", _dktz.lem11_gradient, 1000, "squared gradient norm"),
        _smooth_check(
            "population", "||grad L||^2 <= 4/sigma^2", lambda d, sigma: _dktz.lem11_population(sigma), 100_000, "squared gradient norm"
        ),
        _smooth_check(
            "smoothness",
            "||hessian L|| <= 6/sigma + 12/sigma^2 at ||w|| = 1",
            lambda d, sigma: _dktz.lem11_smoothness(sigma),
            10_000,
            "curvature",
        ),
    ),
)

_LEM10 = Claim(
    id="halfspaces.dktz.lem10",
    source="Lemma 10 of Diakonikolas, Kontonis, Tzamos, Zarifis 2020; constant derived here, twice the one read",
    statement="One-example descent of the surrogate with the step sqrt(2R/(LBT)) has on average (1/T) sum ||grad L(w_i)||^2 <= "
    "sqrt(2 L B R/T), R = 1, L and B of Lemma 11. "
    "At the widths that matter this says nothing below 5e7 steps (1.3e7 with the constant as read): no iterate has a larger gradient.",
    checks=(
        Check(
            name="descent",
            relation=Relation.UPPER,
            provenance=Provenance.DERIVED,
            formula="E (1/T) sum ||grad L(w_i)||^2 <= sqrt(2 L B/T); trivial: the largest ||grad L||^2 at any angle",
            bound=_dktz.lem10_derived,
            trivial=lambda sigma, eta: _angles.grad_norm_max(sigma, eta, "logistic") ** 2,
            assumptions=(_ISOTROPIC,),
            falsifiers=(
                Falsifier(
                    "over-1000",
                    "the bound over 1,000 is claimed",
                    "bound",
                    bound=lambda T, d, sigma: _dktz.lem10_derived(T, d, sigma) / 1000,
                    where=lambda sigma: sigma >= 1,  # where the bound says something
                ),
            ),
            units="squared gradient norm",
        ),
    ),
)

CLAIMS = (_LEM7, _LEM8, _CLAIM5, _THM9, _LEM11, _LEM10)
