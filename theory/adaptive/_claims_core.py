"""The first five claims: the attack on sample means, splitting, Theorem 6, the bias of a private choice, Thresholdout."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.adaptive._attack import m_crit, n_split, naive_gap_exact, naive_margin
from theory.adaptive._holdout import thm25_sample_size
from theory.adaptive._privacy import bias_pure_bound, thm6_bound, thm6_premise

__all__ = ["CLAIMS"]


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
            formula="the number of queries that brings the gap to .1 grows linearly in n: slope 1 in ln n",
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
