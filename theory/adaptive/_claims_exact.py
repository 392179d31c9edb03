"""Claims about private algorithms that exact computation settles: transfer, composition, max-information, descriptions."""

from __future__ import annotations

import math

from theory._claims import Assumption, Claim, Provenance
from theory.adaptive import _claims_information, _composition, _holdout, _svt, _transfer
from theory.adaptive._exact_checks import A1, A2, exact, lying_world, wrong_bound
from theory.adaptive._privacy import thm6_premise, thm6_sharp_bound

__all__ = ["CLAIMS"]

# ----------------------------------------------------------------------------------------- transfer of events and tails


def _thm6_sharp_at(n, beta, share=1.0, eps=None, root=8):
    """The sharp bound at a cell (eps a `share` of Theorem 6's premise) or a case with its own eps; 8 is the true root."""
    eps = share * float(thm6_premise(n, beta)) if eps is None else eps
    return float(thm6_sharp_bound(n, beta, eps * math.sqrt(8 / root)))


def _root_10(n, beta, share=1.0, eps=None):
    return _thm6_sharp_at(n, beta, share, eps, root=10)


def _root_12(n, beta, share=1.0, eps=None):
    return _thm6_sharp_at(n, beta, share, eps, root=12)


_THM6_SHARP = Claim(
    id="adaptive.thm6_sharp",
    source="derived here; sharpens Theorem 6 of the companion",
    statement="Let A be eps-differentially private, for any eps, and let every output y name an event R(y) with "
    "P[S in R(y)] <= beta for an i.i.d. sample S of n points. Then P[S in R(A(S))] <= exp(-(sqrt(ln(1/beta)) - eps "
    "sqrt(n/8))^2) while eps sqrt(n/8) <= sqrt(ln(1/beta)); on the edge of Theorem 6's premise this is beta^{9/16}.",
    checks=(
        exact(
            "transfer",
            Provenance.DERIVED,
            "P[S in R(A(S))] <= exp(-(sqrt(ln(1/beta)) - eps sqrt(n/8))^2)",
            _thm6_sharp_at,
            (
                wrong_bound(
                    "n-over-10",
                    "n/10 is claimed in place of n/8",
                    _root_10,
                    lambda n, beta, p, share: (n, beta, p, share) == (400, 1e-4, 0.5, 1.0),
                ),
                wrong_bound(
                    "n-over-12",
                    "n/12 is claimed in place of n/8",
                    _root_12,
                    lambda n, beta, p, share: (n, beta, p, share) == (400, 0.01, 0.5, 1.0),
                ),
            ),
        ),
    ),
)


def _cor7_at(n, tau, share):
    return float(_transfer.cor7_bound(n, tau, share * tau))


def _cor7_exponent(n, tau, share):
    return 3 * math.exp(-1.25 * tau**2 * n) if share <= 1 else math.nan


_COR7 = Claim(
    id="adaptive.cor7",
    source="companion, Corollary 7 (of Theorem 6)",
    statement="The sample mean of a query that an eps-differentially private algorithm selects on n i.i.d. points, "
    "eps <= tau, exceeds its true mean by tau or more with probability at most 3 e^{-tau^2 n} (one-sided; twice that "
    "for either side).",
    checks=(
        exact(
            "tail",
            Provenance.COMPANION,
            "P[gap >= tau] <= 3 e^{-tau^2 n} if eps <= tau",
            _cor7_at,
            (
                wrong_bound(
                    "exponent-1.25",
                    "3 e^{-1.25 tau^2 n} is claimed",
                    _cor7_exponent,
                    lambda n, tau, share: (n, tau, share) == (4000, 0.1, 1.0),
                ),
                lying_world("eps-x2", "RR-selection uses twice the eps that it declares"),
            ),
            assumptions=(A1, A2, Assumption("A3", "eps <= tau, i.e. share <= 1", lambda share: share <= 1)),
        ),
    ),
)


def _cor7_sharp_at(n, tau, share, quarter=4):
    return float(_transfer.cor7_sharp_bound(n, tau, share * tau * 4 / quarter))


def _shift_fifth(n, tau, share):
    return _cor7_sharp_at(n, tau, share, quarter=5)


def _shift_eighth(n, tau, share):
    return _cor7_sharp_at(n, tau, share, quarter=8)


_COR7_SHARP = Claim(
    id="adaptive.cor7_sharp",
    source="derived here; sharpens Corollary 7 of the companion",
    statement="The sample mean of a query that an eps-differentially private algorithm selects on n i.i.d. points "
    "exceeds its true mean by tau or more with probability at most exp(-2n (tau - eps/4)^2), for every eps <= 4 tau "
    "(one-sided; twice that for either side).",
    checks=(
        exact(
            "tail",
            Provenance.DERIVED,
            "P[gap >= tau] <= exp(-2n (tau - eps/4)^2) for eps <= 4 tau",
            _cor7_sharp_at,
            (
                wrong_bound(
                    "shift-eps-over-5",
                    "tau - eps/5 is claimed in place of tau - eps/4",
                    _shift_fifth,
                    lambda n, tau, share: n in (1000, 4000) and tau == 0.1 and share == 2,
                ),
                wrong_bound(
                    "shift-eps-over-8",
                    "tau - eps/8 is claimed in place of tau - eps/4",
                    _shift_eighth,
                    lambda n, share: n >= 1000 and share >= 2,
                ),
            ),
        ),
    ),
)

# --------------------------------------------------------------------------------------------------- approximate privacy


def _thm4_root(m, eps, delta_slack, factor):
    return math.sqrt(factor * m * math.log(1 / delta_slack)) * eps + m * eps * math.expm1(eps)


_THM4 = Claim(
    id="adaptive.thm4",
    source="companion, Theorem 4 (advanced composition)",
    statement="m adaptively chosen (eps, delta)-differentially private answers are together (eps', m delta + "
    "delta')-differentially private with eps' = sqrt(2 m ln(1/delta')) eps + m eps (e^eps - 1).",
    checks=(
        exact(
            "composition",
            Provenance.COMPANION,
            "smallest eps' at which m-fold randomised response is (eps', m delta + delta')-DP <= sqrt(2m ln(1/delta')) eps + "
            "m eps (e^eps - 1)",
            lambda m, eps, delta_slack: float(_composition.thm4_eps(m, eps, delta_slack)),
            (
                wrong_bound(
                    "root-half",
                    "1/2 is claimed in place of 2 under the root",
                    lambda m, eps, delta_slack: _thm4_root(m, eps, delta_slack, 0.5),
                    lambda m, eps, delta_slack: (m, eps, delta_slack) == (100, 0.1, 1e-5),
                ),
                wrong_bound(
                    "root-one",
                    "1 is claimed in place of 2 under the root",
                    lambda m, eps, delta_slack: _thm4_root(m, eps, delta_slack, 1.0),
                    lambda m, eps, delta_slack: (m, eps, delta_slack) == (1000, 0.01, 1e-10),
                ),
            ),
            residual="upper",
            trivial=lambda m, eps: m * eps,  # basic composition, with nothing added to m delta
            assumptions=(Assumption("A2", "every answer is (eps, delta)-DP", lambda: True),),
            units="eps of all answers together (nats)",
        ),
    ),
)


def _thm8_at(eps, delta, share):
    n = max(1, math.ceil(share * int(_transfer.thm8_sample_size(eps, delta))))
    return float(_transfer.thm8_bound(eps, delta, n))


_THM8 = Claim(
    id="adaptive.thm8",
    source="companion, Theorem 8 (due to Nissim and Stemmer)",
    statement="If an (eps, delta)-differentially private algorithm selects a query on n >= 2 ln(8/delta)/eps^2 i.i.d. "
    "points, its sample mean is 13 eps or more away from its true mean with probability at most (2 delta/eps) ln(2/eps).",
    checks=(
        exact(
            "blocks",
            Provenance.COMPANION,
            "P[|gap| >= 13 eps] <= (2 delta/eps) ln(2/eps) if n >= 2 ln(8/delta)/eps^2",
            _thm8_at,
            (
                wrong_bound(
                    "no-1-over-eps",
                    "2 delta ln(2/eps) is claimed",
                    lambda eps, delta: 2 * delta * math.log(2 / eps),
                    lambda eps: eps <= 0.005,
                ),
            ),
            assumptions=(
                A1,
                Assumption("A2", "the algorithm is (eps, delta)-DP for what it declares", lambda: True),
                Assumption("A3", "n >= 2 ln(8/delta)/eps^2, i.e. share >= 1", lambda share: share >= 1),
            ),
        ),
    ),
)

_STOC_A3 = Assumption("A3", "tau and beta in (0, 1)", lambda tau, beta: 0 < tau < 1 and 0 < beta < 1)

_STOC10 = Claim(
    id="adaptive.stoc10",
    source="theorem of the STOC version: privacy as restated in the companion's proof of Lemma 24, sample size as recalled",
    statement="Privacy eps = tau/4, delta = (beta/8)^{4/tau} on n >= 48 ln(4/beta)/tau^2 i.i.d. points is enough for the "
    "sample mean of the selected query to be within tau of its true mean with probability at least 1 - beta.",
    checks=(
        exact(
            "blocks",
            Provenance.SECONDARY,
            "P[gap >= tau] <= beta for the block-publishing analyst at delta = (beta/8)^{4/tau}, whatever n",
            lambda beta: beta,
            (lying_world("delta-is-beta", "every block is published with probability beta"),),
            residual="upper",  # tails down to 1e-312: only their being below beta counts
            assumptions=(A1, _STOC_A3),
        ),
        exact(
            "selection",
            Provenance.RECALLED,
            "P[gap >= tau] <= beta for RR-selection at eps = tau/4, n = ceil(48 ln(4/beta)/tau^2)",
            lambda beta: beta,
            (lying_world("eps-6-tau", "RR-selection uses eps = 6 tau"),),
            residual="upper",  # tails down to 1e-312: only their being below beta counts
            assumptions=(A1, _STOC_A3),
        ),
    ),
)

# ----------------------------------------------------------------------------------------------------------- Thresholdout

_SVT_UNITS = "privacy loss |ln ratio| (nats)"
_SVT_A2 = Assumption("A9", "one release (B = 1), every value moves by at most 1/n between neighbouring samples", lambda: True)
_QUERY_SIGMA = lying_world("query-noise-sigma", "comparisons are made with noise Lap(sigma) instead of Lap(4 sigma)")

_LEM23 = Claim(
    id="adaptive.lem23",
    source="companion, Lemma 23",
    statement="Thresholdout with budget B and noise rate sigma on a holdout of n points is (2B/(sigma n), 0)-differentially "
    "private, however many queries are asked.",
    checks=(
        exact(
            "transcript",
            Provenance.COMPANION,
            "largest |ln ratio| of a transcript of t - 1 comparisons below, one above and its release <= 2/(sigma n)",
            lambda n, sigma: float(_svt.lem23_eps(1, n, sigma)),
            (lying_world("release-half", "answers are released with noise Lap(sigma/2) instead of Lap(sigma)"), _QUERY_SIGMA),
            residual="upper",
            assumptions=(_SVT_A2,),
            units=_SVT_UNITS,
        ),
        exact(
            "comparisons",
            Provenance.DERIVED,
            "the same without the release <= (1/2 + 2/4)/(sigma n)",
            lambda n, sigma: _svt.svt_limit_loss(n, sigma),
            (
                _QUERY_SIGMA,
                lying_world("threshold-noise-half-sigma", "the threshold has noise Lap(sigma/2) instead of Lap(2 sigma)"),
                lying_world("no-threshold-noise", "the threshold has no noise"),
                lying_world("no-query-noise", "comparisons have no noise of their own"),
            ),
            residual="upper",
            assumptions=(_SVT_A2,),
            units=_SVT_UNITS,
        ),
    ),
)


def _n0_at(B, sigma, tau, beta):
    return math.ceil(float(_holdout.lem24_n0(B, sigma, tau, beta)) - 1e-9)


_IMPLIED = "13 sqrt(32 ln(2/delta))/tau, delta = tau beta/(26 ln(26/tau))"

_LEM24 = Claim(
    id="adaptive.lem24",
    source="companion, Lemma 24 and its proof",
    statement="Checked is not Lemma 24 but whether its printed constants follow from its proof (a REFUTED is no counterexample "
    "to the lemma): n0 = max{2B/(sigma tau), ln(6/beta)/tau^2} from Lemma 23 and Corollary 7, n1 = 80 sqrt(B ln(1/(tau "
    "beta)))/(tau sigma) from Lemma 23 and Theorem 8.",
    checks=(
        exact(
            "n0-from-proof",
            Provenance.COMPANION,
            "smallest n with 2B/(sigma n) <= tau and 6 e^{-tau^2 n} <= beta <= max{2B/(sigma tau), ln(6/beta)/tau^2}, rounded up",
            _n0_at,
            (
                wrong_bound(
                    "half-privacy",
                    "B/(sigma tau) is claimed in place of 2B/(sigma tau)",
                    lambda B, sigma, tau, beta: math.ceil(max(B / (sigma * tau), math.log(6 / beta) / tau**2) - 1e-9),
                    lambda B, sigma, tau, beta: 2 * B / (sigma * tau) > 1.01 * math.log(6 / beta) / tau**2,
                ),
                wrong_bound(
                    "one-sided",
                    "ln(3/beta) is claimed in place of ln(6/beta)",
                    lambda B, sigma, tau, beta: math.ceil(max(2 * B / (sigma * tau), math.log(3 / beta) / tau**2) - 1e-9),
                    lambda B, sigma, tau, beta: 2 * B / (sigma * tau) < 0.5 * math.log(6 / beta) / tau**2,
                ),
            ),
            residual="upper",
            units="holdout points",
        ),
        exact(
            "n1-from-proof",
            Provenance.COMPANION,
            f"factor of sqrt(B)/sigma that Lemma 23 in Theorem 8 needs, {_IMPLIED}, <= 80 sqrt(ln(1/(tau beta)))/tau as printed",
            lambda tau, beta: float(_svt.lem24_coefficient(tau, beta)),
            (
                wrong_bound(
                    "16-for-32",
                    "13 sqrt(16 ln(2/delta))/tau is claimed to be enough",
                    lambda tau, beta: float(_svt.lem24_coefficient_needed(tau, beta)) / math.sqrt(2),
                ),
            ),
            residual="upper",
            units="factor of sqrt(B)/sigma in the sample size",
        ),
        exact(
            "n1-repaired",
            Provenance.DERIVED,
            f"the same factor, {_IMPLIED}, <= 110 sqrt(ln(1/(tau beta)))/tau for tau, beta <= 1/10",
            lambda tau, beta: float(_svt.lem24_coefficient_repaired(tau, beta)),
            (
                wrong_bound(
                    "100-for-110",
                    "100 is claimed in place of 110",
                    lambda tau, beta: float(_svt.lem24_coefficient_repaired(tau, beta)) / 1.1,
                    lambda tau, beta: tau == beta == 0.1,
                ),
            ),
            residual="upper",
            assumptions=(Assumption("A10", "tau <= 1/10 and beta <= 1/10", lambda tau, beta: tau <= 0.1 and beta <= 0.1),),
            units="factor of sqrt(B)/sigma in the sample size",
        ),
    ),
)

CLAIMS = (
    _THM6_SHARP,
    _COR7,
    _COR7_SHARP,
    _THM4,
    _THM8,
    _STOC10,
    *_claims_information.CLAIMS,
    _LEM23,
    _LEM24,
)
