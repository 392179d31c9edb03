"""Claims of this paper on the testers, what they accept, what they reject, and what each of them is needed for."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.halfspaces import _angles, _certificate, _testers

__all__ = ["ACCEPTED_DELTA", "CLAIMS", "accepted_excess"]

_DERIVED, _RECALLED, _PAPER = Provenance.DERIVED, Provenance.RECALLED, Provenance.PAPER
ACCEPTED_DELTA = 0.10  # of rejecting the target
_GAUSS = Assumption("G", "standard Gaussian points", lambda marginal="gauss": marginal == "gauss")
_ANY = Assumption("D", "any marginal, Massart labels", lambda: True)
_DATA = Assumption("S", "a statement about the data set, whatever its law", lambda: True)


def accepted_excess(sigma, eta):
    """The excess that an accepted run may leave: theta_s(sigma, eta)/pi, below which no Massart adversary holds a stationary point."""
    return _angles.excess_ceiling(sigma, eta)


_T2 = Claim(
    id="halfspaces.T2",
    source="band-mass test, as recalled; its exact law derived here",
    statement="The band test accepts iff the share of points with |<w,x>| <= r is within 1 -+ tau of the target's for r = "
    "sigma/6 and sigma/2. On Gaussian points it "
    "accepts with the probability of two nested binomial counts; on marginals with other mass near the boundary it fires.",
    checks=(
        Check(
            name="acceptance",
            relation=Relation.EQUAL,
            provenance=_DERIVED,
            formula="P[accept] = P[both nested binomial counts within tau]",
            bound=_testers.t2_acceptance,
            margin=0.05,
            assumptions=(_GAUSS,),
            falsifiers=(Falsifier("radius-sigma", "the outer band has radius sigma in place of sigma/2", "world"),),
            units="probability",
        ),
        Check(
            name="fires",
            relation=Relation.TAIL,
            provenance=_DERIVED,
            formula="P[the band test accepts] <= .10 on nearbdry, gap, gmm and t3",
            bound=lambda: ACCEPTED_DELTA,
            assumptions=(
                Assumption(
                    "B", "a marginal with other mass near the boundary", lambda marginal: marginal in ("nearbdry", "gap", "gmm", "t3")
                ),
            ),
            falsifiers=(Falsifier("gauss", "points are Gaussian: accepted", "world"),),
            units="runs accepted",
        ),
    ),
)

_T3 = Claim(
    id="halfspaces.T3",
    source="conditional moments in the band, as recalled; relaxation derived here",
    statement="Q4 = lambda_max(E vv^T) + 2 lambda_max(E zz^T) - P, v = svec(zz^T - I), is at least sup_u E<u,z>^4 for every "
    "data set and every weight, and 3 for "
    "Gaussian points in any dimension, so that one eigenvalue tests fourth moments in all directions at once.",
    checks=(
        Check(
            name="relaxation",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="max_u E<u,z>^4 / Q4 <= 1, by random directions and ascents",
            bound=lambda: 1.0,
            method="exact",
            residual="upper",
            assumptions=(_DATA,),
            falsifiers=(Falsifier("no-root-2", "off-diagonal entries of svec are not multiplied by sqrt 2", "world"),),
            units="quartic over Q4",
        ),
        Check(
            name="gaussian",
            relation=Relation.EQUAL,
            provenance=_DERIVED,
            formula="E Q4 = 3 within .15 at n = 1e5, p = 4: above 3 by sampling only",
            bound=lambda: 3.0,
            margin=0.15,
            method="t",
            assumptions=(_GAUSS,),
            falsifiers=(Falsifier("unshifted", "p + 2, the relaxation of zz^T without the shift by I", "bound", bound=lambda p: p + 2.0),),
            units="Q4",
        ),
    ),
)

_T1BOUND = Claim(
    id="halfspaces.T1bound",
    source="what global moments and band mass alone give, rate as recalled; derived here",
    statement="For every data set the disagreement with any vector within theta is at most min_r P[B(r)] + M_k (tan "
    "theta/r)^k, of order theta^{k/(k+1)}; the exponent is sharp: the marginal spike(theta, k) has that disagreement, k-th moments "
    "of at most the Gaussian's, and in no band more than 1.32 times its mass.",
    checks=(
        Check(
            name="bound",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="disagreement / (min_r P_S[B(r)] + M_k (tan theta/r)^k) <= 1",
            bound=lambda: 1.0,
            method="exact",
            residual="upper",
            assumptions=(_DATA,),
            falsifiers=(Falsifier("claims-theta", "theta/pi is claimed", "world"),),
            units="disagreement over bound",
        ),
        *(
            Check(
                name=f"slope-{k}",
                relation=Relation.RATE,
                provenance=_DERIVED,
                formula=f"slope of ln (D - theta/pi)/(1 - theta/pi) in ln tan(theta) = {k}/{k + 1} on spike(theta, {k})",
                bound=lambda tangent, k: tangent ** (k / (k + 1)),
                margin=0.08,
                method="rows",
                rate_of="log_mean",
                grid="tangent",
                assumptions=(Assumption("P", "the spike marginal", lambda: True),),
                falsifiers=(
                    Falsifier("slope-1", "the disagreement is of order theta", "bound", margin=(0.92, 1.08)),
                    *((Falsifier("one-over-k-less", "the exponent is (k-1)/k = 1/2", "bound", margin=(0.42, 0.58)),) if k == 2 else ()),
                    Falsifier("linear-spikes", "the spikes shrink like tan(theta)", "world"),
                ),
                units="excess disagreement",
            )
            for k in (2, 4)
        ),
    ),
)

_T4 = Claim(
    id="halfspaces.T4",
    source="local disagreement tester of Klivans, Stavropoulos, Vasilyan 2024 and Diakonikolas, Kane, Liu, Zarifis 2024; "
    "deterministic form derived here",
    statement="Slabs of |<w,x>| with the largest eigenvalue of their second moments give W(w, theta) such that every v within "
    "theta of w differs from it on at most a share "
    "W of the data, for every data set. On Gaussian data W is at most 8 theta/pi, near pi^2 phi(0) = 3.94 times theta/pi.",
    checks=(
        Check(
            name="sound",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="sup over v within theta of the disagreement / W <= 1 (exact at d = 2, random v at d = 3, 4)",
            bound=lambda: 1.0,
            method="exact",
            residual="upper",
            assumptions=(_DATA,),
            falsifiers=(Falsifier("no-spectra", "1 is taken for the slabs' largest eigenvalues", "world"),),
            units="disagreement over W",
        ),
        Check(
            name="gaussian",
            relation=Relation.UPPER,
            provenance=_DERIVED,
            formula="E W/(theta/pi) <= 8, the acceptance threshold for adversarial labels",
            bound=lambda: 8.0,
            trivial=lambda theta: math.pi / theta,
            method="t",
            assumptions=(_GAUSS,),
            falsifiers=(Falsifier("two", "the exact two-sided tail's factor 2 is claimed", "bound", bound=lambda: 2.0),),
            units="W over theta/pi",
        ),
        Check(
            name="ceiling",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="limit of W/(theta/pi) with even moments up to a degree: 5.01, 4.05, 3.96, 3.94, 3.94 at 2, 4, 6, 8, 12",
            bound=_testers.wedge_ceiling,
            method="exact",
            tolerance=1e-6,
            assumptions=(_GAUSS,),
            falsifiers=(
                Falsifier("cantelli-for-all", "3.937 is claimed at every degree", "bound", bound=lambda: _testers.CANTELLI_CEILING),
            ),
            units="W over theta/pi",
        ),
    ),
)


def _rejects(name, formula, source_cells, falsifiers, provenance=_PAPER, text=None):
    return Check(
        name=name,
        relation=Relation.TAIL,
        provenance=provenance,
        formula=formula,
        bound=lambda: ACCEPTED_DELTA,
        assumptions=(Assumption("T", text or "the target marginal, N(0, I)", lambda marginal: marginal in source_cells),),
        falsifiers=falsifiers,
        units="runs rejected",
    )


_COMPLETE = Claim(
    id="halfspaces.complete",
    source="abstract (completeness); tolerances are ours",
    statement="Points from the target are accepted with probability at least 1 - delta whatever the labels: the tests see no "
    "label once w is fixed. Nothing is promised for other marginals; with Gaussian thresholds the quartic law is accepted too.",
    checks=(
        _rejects(
            "target",
            "P[reject] <= .10 at twice the points that 95 % acceptance takes (tau = .25, sigma = .3)",
            ("gauss",),
            (
                Falsifier("half-the-tolerance", "the tests run with tau/2", "world"),
                Falsifier("other-marginals", "points come from t3, aniso, cube, gap, nearbdry, gmm or squash at its fake point", "world"),
            ),
        ),
        _rejects(
            "smooth",
            "P[reject] <= .10 for the quartic law, strongly log-concave, against Gaussian thresholds",
            ("quartic",),
            (Falsifier("t3", "points come from t3", "world"),),
            provenance=_DERIVED,
            text="the quartic marginal",
        ),
    ),
)

_HARMFUL = Assumption(
    "H", "a marginal on which the learner or a stationary point is bad", lambda marginal: marginal in ("nearbdry", "squash")
)

_ABLATION = Claim(
    id="halfspaces.ablation",
    source="derived here",
    statement="Band mass and the smallest conditional eigenvalue are needed: without the first nearbdry is accepted, where the "
    "learner's excess is .11; without the second squash is "
    "accepted at a fake stationary point .78 rad from w*, where descent stays. With all tests both are rejected. For the "
    "largest eigenvalue and Q4 no harmful "
    "marginal is known.",
    checks=(
        Check(
            name="all-tests",
            relation=Relation.TAIL,
            provenance=_DERIVED,
            formula="P[accept] <= 1/4 with all tests",
            bound=lambda: 0.25,
            assumptions=(_HARMFUL,),
            falsifiers=(Falsifier("gauss", "points are Gaussian: accepted", "world"),),
            units="runs accepted",
        ),
        Check(
            name="without-mass",
            relation=Relation.LOWER,
            provenance=_DERIVED,
            formula="P[accept without the mass test] >= 3/4 on nearbdry",
            bound=lambda: 0.75,
            trivial=lambda: 0.0,
            assumptions=(_HARMFUL,),
            falsifiers=(Falsifier("without-largest", "the largest eigenvalue is left out in place of the mass", "world"),),
            units="runs accepted",
        ),
        Check(
            name="without-smallest",
            relation=Relation.LOWER,
            provenance=_DERIVED,
            formula="P[accept without the smallest eigenvalue] >= 3/4 on squash at w0",
            bound=lambda: 0.75,
            trivial=lambda: 0.0,
            assumptions=(_HARMFUL,),
            falsifiers=(Falsifier("without-largest", "the largest eigenvalue is left out in place of the smallest", "world"),),
            units="runs accepted",
        ),
        Check(
            name="harm-mass",
            relation=Relation.LOWER,
            provenance=_DERIVED,
            formula="E excess of the learner on nearbdry >= .05",
            bound=lambda: 0.05,
            trivial=lambda: 0.0,
            method="t",
            assumptions=(_HARMFUL,),
            falsifiers=(Falsifier("gauss", "points are Gaussian", "world"),),
            units="excess error",
        ),
        Check(
            name="harm-smallest",
            relation=Relation.TAIL,
            provenance=_DERIVED,
            formula="P[descent from w0 leaves the fake stationary point by more than .08 rad] <= 1/4 on squash",
            bound=lambda: 0.25,
            assumptions=(_HARMFUL,),
            falsifiers=(Falsifier("mean-start", "descent starts at the mean of y x", "world"),),
            units="runs that leave",
        ),
    ),
)


def _sound_check(name, formula, bound, falsifiers, assumptions, provenance):
    return Check(
        name=name,
        relation=Relation.TAIL,
        provenance=provenance,
        formula=formula,
        bound=bound,
        assumptions=assumptions,
        falsifiers=falsifiers,
        units="accepted runs with a large excess",
    )


_SOUND = Claim(
    id="halfspaces.sound",
    source="soundness of the abstract, on marginals that can be drawn",
    statement="Whatever the marginal, an accepted run has small excess: accepted and excess above theta_s/pi happens with "
    "probability at most delta. Rejected runs may be "
    "good or bad.",
    checks=(
        _sound_check(
            "marginals",
            "P[accept and excess > theta_s(sigma, eta)/pi] <= delta, massart_half",
            lambda delta: delta,
            (Falsifier("always-accept", "every run is accepted, on nearbdry", "world"),),
            (_ANY,),
            _DERIVED,
        ),
    ),
)

_CERT = Claim(
    id="halfspaces.cert",
    source="derived here",
    statement="Weighted moments and the gradient on held-out points certify an angle, a disagreement W, a lower bound on opt "
    "and an upper bound on the excess, for any "
    "marginal: all of it true with probability 1 - 3 delta (Massart) or 1 - 2 delta (adversarial). It is loose by a factor of about "
    "100. With adversarial labels the angle is one to the empirical minimiser and is not checked, and the planted error, which is at "
    "least opt, stands for opt: a false certificate within their difference is missed.",
    checks=(
        Check(
            name="coverage",
            relation=Relation.TAIL,
            provenance=_DERIVED,
            formula="P[excess > W + roots, or opt < certified, or angle > theta_c (Massart)] <= 3 delta = .15, adversarial 2 delta = .10",
            bound=lambda noise: 0.15 if noise in ("rcn", "massart_half") else 0.1,
            assumptions=(_ANY,),
            falsifiers=(Falsifier("a-two-hundredth", "a two-hundredth of W is certified, without the sampling terms", "world"),),
            units="runs with a false certificate",
        ),
        Check(
            name="population",
            relation=Relation.EXACT,
            provenance=_DERIVED,
            formula="exact stationary angle <= theta_c at gamma = dev = 0",
            bound=lambda sigma, eta, kernel: _certificate.population_certified_angle(sigma, eta, kernel),
            method="exact",
            residual="upper",
            assumptions=(_GAUSS,),
            falsifiers=(
                Falsifier(
                    "no-flip-factor",
                    "the denominator lacks the factor 1 - 2 eta",
                    "bound",
                    bound=lambda sigma, eta, kernel: _certificate.population_certified_angle(sigma, eta, kernel, flip_factor=False),
                ),
            ),
            units="angle (rad)",
        ),
    ),
)


CLAIMS = (_T2, _T3, _T1BOUND, _T4, _COMPLETE, _ABLATION, _SOUND, _CERT)
