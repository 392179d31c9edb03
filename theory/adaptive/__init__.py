r"""Preserving Statistical Validity in Adaptive Data Analysis: what the paper promises, as numbers.

Citation: C. Dwork, V. Feldman, M. Hardt, T. Pitassi, O. Reingold, A. Roth, STOC 2015, arXiv 1411.2664. Theorem
numbers (thm6, thm25, ...) are those of the same authors' companion, Generalization in Adaptive Data Analysis and
Holdout Reuse, NeurIPS 2015, arXiv 1506.02629 (version of September 2015), which restates the paper's theorems.

Setting. A sample S = (x_1, ..., x_n) is drawn i.i.d. from P. A statistical query is q: X -> [0, 1]; its truth is P[q],
its sample mean E_S[q]. An analyst asks queries one at a time, each may depend on the answers before it. "Error" is
|answer - P[q]|, "gap" is E_S[q] - P[q]. Neighbouring samples differ in one element.

Assumptions.
  A1 S is an i.i.d. sample from P.
  A2 the algorithm is eps-differentially private (pure), with eps within the theorem's premise.
  A3 the sample is as large as the theorem asks.
  A4 attack world: P is uniform on {0,1}^m; queries 1..m are the coordinates, query m+1 is the aggregate 1[score > 0],
     score_i = sum_j w_j (x_ij - 1/2), a score of 0 counts 1/2. The `linear` analyst takes w_j = a_j - 1/2, the `sign`
     analyst w_j = sign(a_j - 1/2), sign(0) = 0. An answer is a_j = E_S[q_j] + s * (standard normal).

Index: statement -> function.
  naive answers, gap of the aggregate       -> naive_gap_limit (large n), naive_gap_exact, naive_gap_sd, m_crit
  fresh chunks                              -> n_nonadaptive, n_split, split_threshold, split_failure_exact
  Theorem 6, pure-DP transfer of events     -> thm6_premise, thm6_bound (printed), thm6_sharp_bound (derived)
    algorithms that try to break it         -> rr_inclusion, rr_tail, rr_event, geometric_mechanism,
                                               threshold_bit_mechanism, neyman_pearson_sup, lp_sup
  bias of a pure-DP selection               -> bias_pure_bound
  Lemma 24, Theorem 25, Thresholdout        -> lem24_n0, lem24_n1, thm25_sigma, thm25_threshold, thm25_sample_size

Sample-size formulas count ALL queries, the aggregate included.

Proof sketches of the derived items.
  Exact gap. In signs z_ij = 2 x_ij - 1 the score of point i is proportional to sum_j (1 + z_ij R_j + 2 s n z_ij g_j),
  R_j the sum of the other n-1 signs, g_j the noise. z_ij R_j ~ R_j and z_ij g_j ~ g_j, independent over j. For `sign`,
  z_ij sign(a_j) are i.i.d. over j with the law of sign(1 + R + 2 s n g). The truth is 1/2 by symmetry.
  Sharp transfer. Fix the output y, g(S) = ln Pr[y|S]/Pr[y]. M_i = E[e^g | x_1..x_i] is a martingale, and as a function
  of x_{i+1} the ratio M_{i+1}/M_i has mean 1 and max/min <= e^eps. With K(r) the log-moment of the ratio, K(0) = K(1) =
  0 and K'' <= eps^2/4, so E e^{r g} <= exp(n r (r-1) eps^2/8). Hoelder: Pr[S in R | y] <= exp(n (r-1) eps^2/8)
  beta^{1-1/r}; take r = sqrt(8 ln(1/beta)) / (eps sqrt(n)), and average over y.
  Bias. Given y and all points but x_i, the posterior of x_i is P tilted by a function with max <= e^eps min, so
  E[phi(x_i)|.] <= p e^eps / (1 - p + p e^eps); the largest excess over p is tanh(eps/4), attained by RR-selection.
"""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Paper, Provenance, Relation
from theory.adaptive._arguments import ANALYSTS
from theory.adaptive._attack import (
    m_crit,
    n_nonadaptive,
    n_split,
    naive_gap_exact,
    naive_gap_limit,
    naive_gap_sd,
    naive_margin,
    split_failure_exact,
    split_threshold,
)
from theory.adaptive._holdout import (
    lem24_n0,
    lem24_n1,
    thm25_sample_size,
    thm25_sigma,
    thm25_threshold,
)
from theory.adaptive._privacy import (
    bias_pure_bound,
    geometric_mechanism,
    lp_sup,
    neyman_pearson_sup,
    rr_event,
    rr_inclusion,
    rr_tail,
    thm6_bound,
    thm6_premise,
    thm6_sharp_bound,
    threshold_bit_mechanism,
)

__all__ = [
    "ANALYSTS",
    "CLAIMS",
    "PAPER",
    "bias_pure_bound",
    "geometric_mechanism",
    "lem24_n0",
    "lem24_n1",
    "lp_sup",
    "m_crit",
    "n_nonadaptive",
    "n_split",
    "naive_gap_exact",
    "naive_gap_limit",
    "naive_gap_sd",
    "naive_margin",
    "neyman_pearson_sup",
    "rr_event",
    "rr_inclusion",
    "rr_tail",
    "split_failure_exact",
    "split_threshold",
    "thm6_bound",
    "thm6_premise",
    "thm6_sharp_bound",
    "thm25_sample_size",
    "thm25_sigma",
    "thm25_threshold",
    "threshold_bit_mechanism",
]

PAPER = Paper(
    slug="adaptive",
    title="Preserving Statistical Validity in Adaptive Data Analysis",
    citation="Dwork, Feldman, Hardt, Pitassi, Reingold, Roth. STOC 2015, arXiv 1411.2664.",
    note="Theorem numbers are those of the same authors' companion paper (NeurIPS 2015, arXiv 1506.02629), which "
    "restates theorems of 1411.2664. Every sample size counts all queries, the analyst's last one included.",
)


def _other_analyst(n, m, analyst, s=0.0):
    return naive_gap_exact(n, m, "sign" if analyst == "linear" else "linear", s)


def _as_many_queries_as_points(n, m):
    return m == n


_A1 = Assumption("A1", "the sample is i.i.d.", lambda: True)
_A2 = Assumption("A2", "the algorithm is eps-DP for the eps declared", lambda: True)
_A4 = Assumption("A4", "uniform bits; coordinate queries, then the analyst's aggregate of their answers", lambda: True)
_LAZY = Assumption(
    "A5",
    "column means and scores are near normal: n >= 200 and m >= 20, n >= 1000 for the sign analyst",
    lambda n, m, analyst: m >= 20 and n >= (200 if analyst == "linear" else 1000),
)


def _exact_gap_check(name, sampler, assumptions):
    return Check(
        name=name,
        relation=Relation.EQUAL,
        provenance=Provenance.DERIVED,
        formula=f"E[gap] = exact binomial expression, near Phi(sqrt(m/n)) - 1/2 (linear), Phi(sqrt(2m/(pi n))) - 1/2 (sign); {sampler}",
        bound=lambda n, m, analyst, s=0.0: naive_gap_exact(n, m, analyst, s),
        margin=naive_margin,
        method="t",
        assumptions=assumptions,
        falsifiers=(
            Falsifier(
                name="other-analyst",
                breaks="the sign analyst's gap is claimed for the linear one, and the other way round",
                kind="bound",
                bound=_other_analyst,
                where=_as_many_queries_as_points,
            ),
        ),
        units="E_S - P of the aggregate query",
    )


_NAIVE = Claim(
    id="adaptive.naive",
    source="abstract and introduction; exact law derived here",
    statement="If m queries on an i.i.d. sample of n points are answered by their sample means, an analyst who "
    "combines the answers into one more query finds a query whose sample mean is far from the truth as soon as m is a "
    "constant fraction of n. For uniform bits the expected gap of that query is an exact binomial expression, and the "
    "number of queries that brings it to .1 grows linearly in n.",
    checks=(
        _exact_gap_check("full", "sampled bit by bit", (_A1, _A4)),
        _exact_gap_check("lazy", "sampled from its normal limit", (_A1, _A4, _LAZY)),
        Check(
            name="slope",
            relation=Relation.RATE,
            provenance=Provenance.PAPER,
            formula="m(gap = .1) = Phi^{-1}(.6)^2 (n - 1): slope 1 in ln n",
            bound=lambda n: float(m_crit(n)),
            margin=(0.9, 1.1),
            method="rows",
            rate_of="mean_log",
            grid="n",
            assumptions=(_A1, _A4),
            falsifiers=(
                Falsifier(
                    name="quadratic-window",
                    breaks="slope 1.96, the value for noisy answers, is claimed for exact ones",
                    kind="bound",
                    margin=(1.86, 2.06),
                ),
                Falsifier(
                    name="noisy-answers",
                    breaks="every answer carries normal noise of sd .1, so the number of queries grows like n^2",
                    kind="world",
                ),
            ),
            units="queries",
        ),
    ),
)

_SPLIT = Claim(
    id="adaptive.split",
    source="standard baseline (Hoeffding and a union bound)",
    statement="If each of m+1 adaptively chosen queries is answered on its own fresh chunk of "
    "ceil(ln(2(m+1)/beta) / (2 tau^2)) points, then with probability at least 1 - beta every answer is within tau of "
    "the truth.",
    checks=(
        Check(
            name="failure",
            relation=Relation.TAIL,
            provenance=Provenance.STANDARD,
            formula="P[some |answer - truth| >= tau] <= beta at n = (m+1) ceil(ln(2(m+1)/beta)/(2 tau^2))",
            bound=lambda beta: beta,
            assumptions=(
                _A1,
                Assumption(
                    "A3",
                    "n >= n_split(m+1, tau, beta)",
                    lambda n, m, tau, beta: n >= n_split(m + 1, tau, beta),
                ),
            ),
            falsifiers=(Falsifier(name="half-chunk", breaks="every query gets half its chunk", kind="world"),),
            units="runs with an error >= tau",
        ),
    ),
)


def _thm6_at(n, beta, share=1.0, eps=None):
    """The printed bound at a cell, whose eps is `share` of the largest allowed, or at a case with its own eps."""
    return float(thm6_bound(n, beta, share * thm6_premise(n, beta) if eps is None else eps))


def _thm6_wrong_power(n, beta, share=1.0, eps=None):
    return _thm6_at(n, beta, share, eps) * beta**0.1 / 3  # beta^0.6, without the 3


_THM6 = Claim(
    id="adaptive.thm6",
    source="theorem of 1411.2664, as restated in the companion, Theorem 6",
    statement="Let A be eps-differentially private with eps <= sqrt(ln(1/beta) / (2n)), and let every output y name an "
    "event R(y) with P[S in R(y)] <= beta for an i.i.d. sample S of n points. Then the event that A names after "
    "seeing S happens with probability P[S in R(A(S))] <= 3 sqrt(beta).",
    checks=(
        Check(
            name="transfer",
            relation=Relation.EXACT,
            provenance=Provenance.COMPANION,
            formula="P[S in R(A(S))] <= 3 sqrt(beta) if eps <= sqrt(ln(1/beta)/(2n))",
            bound=_thm6_at,
            trivial=lambda: 1.0,
            method="exact",
            residual="log_upper",
            assumptions=(
                _A1,
                _A2,
                Assumption("A3", "eps <= sqrt(ln(1/beta)/(2n)), i.e. share <= 1", lambda share: share <= 1),
            ),
            falsifiers=(
                Falsifier(
                    name="power-0.6",
                    breaks="beta^0.6 without the 3 is claimed",
                    kind="bound",
                    bound=_thm6_wrong_power,
                    where=lambda n, beta, p, share: (n, beta, p, share) == (400, 1e-4, 0.5, 1.0),
                ),
                Falsifier(name="eps-x2", breaks="RR-selection uses twice the eps that it declares", kind="world"),
                Falsifier(name="eps-x4", breaks="RR-selection uses four times the eps that it declares", kind="world"),
            ),
            units="probability",
        ),
    ),
)


def _bias_check(name, formula, residual, tolerance):
    return Check(
        name=name,
        relation=Relation.EXACT,
        provenance=Provenance.DERIVED,
        formula=formula,
        bound=lambda eps: float(bias_pure_bound(eps)),
        trivial=lambda: 1.0,
        method="exact",
        residual=residual,
        tolerance=tolerance,
        assumptions=(_A1, _A2),
        falsifiers=(
            Falsifier(
                name="eps-over-5",
                breaks="tanh(eps/5) is claimed",
                kind="bound",
                bound=lambda eps: math.tanh(eps / 5),
            ),
        ),
        units="E_S - P of the selected query",
    )


_BIAS = Claim(
    id="adaptive.bias_pure",
    source="derived here",
    statement="The sample mean of a query that an eps-differentially private algorithm selects exceeds its true mean "
    "by at most tanh(eps/4) in expectation, whatever the sample size; RR-selection at density p = 1/(1 + e^{eps/2}) "
    "attains this.",
    checks=(
        _bias_check("upper", "q - p <= tanh(eps/4) for RR-selection at every density p", "upper", 1e-9),
        _bias_check("attained", "q - p = tanh(eps/4) at p = 1/(1 + e^{eps/2})", "identity", 1e-12),
    ),
)

_THM25 = Claim(
    id="adaptive.thm25",
    source="companion, Theorem 25",
    statement="Thresholdout with T = 3 tau/4, sigma = tau/(96 ln(4m/beta)) and budget B on a holdout set of "
    "n >= min{n0, n1} points (the two sample sizes of Lemma 24 at tau/8 and beta/(2m)) answers m adaptive queries so "
    "that with probability at least 1 - beta the following holds for every i: if fewer than B of queries 1..i have a "
    "training mean farther than tau/2 from the truth, then query i is answered, and its answer is within tau of the "
    "truth.",
    checks=(
        Check(
            name="failure",
            relation=Relation.TAIL,
            provenance=Provenance.COMPANION,
            formula="P[some i with Z_i < B has no answer, or an error >= tau] <= beta, Z_i = number of j <= i with "
            "|training mean - truth| > tau/2, at n >= min{n0, n1}(B, sigma, tau/8, beta/(2m))",
            bound=lambda beta: beta,
            assumptions=(
                _A1,
                Assumption(
                    "A3",
                    "n >= thm25_sample_size(m, B, tau, beta)",
                    lambda n, m, B, tau, beta: n >= thm25_sample_size(m, B, tau, beta),
                ),
            ),
            falsifiers=(
                Falsifier(
                    name="n-over-3000",
                    breaks="the holdout has a 3000th of the points, and training means err by just under tau/2",
                    kind="world",
                ),
            ),
            units="runs that break the guarantee",
        ),
    ),
)

CLAIMS = (_NAIVE, _SPLIT, _THM6, _BIAS, _THM25)
