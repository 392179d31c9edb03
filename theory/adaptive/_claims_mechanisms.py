"""Claims about answering mechanisms under attack: noise, rounds, tracing, leaderboards."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.adaptive._attack import m_crit
from theory.adaptive._ladder import ladder_bound
from theory.adaptive._noise import bias_gdp_bound, gaussian_mu

__all__ = ["CLAIMS"]

_A1 = Assumption("A1", "the sample is i.i.d.", lambda: True)
_A4 = Assumption("A4", "uniform bits; coordinate queries, then the analyst's aggregate of their answers", lambda: True)
_CERTIFIED_SIZE = Assumption("A3", "the sample has exactly the size that the formula asks for m + 1 queries", lambda: True)


def _gdp_bias(n, m, s):
    return float(bias_gdp_bound(gaussian_mu(n, m, s))) if s > 0 else math.nan


_BIAS_GDP = Claim(
    id="adaptive.bias_gdp",
    source="derived here",
    statement="If m adaptively chosen means of n points are answered with normal noise of sd s, the answers are mu-Gaussian "
    "differentially private with mu = sqrt(m)/(n s), and the sample mean of a query that is then chosen exceeds its true "
    "mean by at most 2 Phi(mu/2) - 1 in expectation. The linear analyst reaches half of that.",
    checks=(
        Check(
            name="gap",
            relation=Relation.UPPER,
            provenance=Provenance.DERIVED,
            formula="E[gap] <= 2 Phi(mu/2) - 1, mu = sqrt(m)/(n s)",
            bound=_gdp_bias,
            trivial=lambda: 0.5,  # the aggregate's truth is 1/2
            assumptions=(
                _A1,
                _A4,
                Assumption("A5", "noise on every answer, s > 0", lambda s: s > 0),
                Assumption("A6", "column means and scores are near normal: n >= 200, m >= 20", lambda n, m: n >= 200 and m >= 20),
            ),
            falsifiers=(
                Falsifier(
                    name="a-third",
                    breaks="a third of the bound is claimed, where the noise dominates (4 n s^2 >= 4)",
                    kind="bound",
                    bound=lambda n, m, s: _gdp_bias(n, m, s) / 3,
                    where=lambda n, s: 4 * n * s**2 >= 4,
                ),
            ),
            units="E_S - P of the aggregate query",
        ),
    ),
)


def _failure_check(name, provenance, formula, falsifiers):
    return Check(
        name=name,
        relation=Relation.TAIL,
        provenance=provenance,
        formula=formula,
        bound=lambda beta: beta,
        assumptions=(_A1, _A4, _CERTIFIED_SIZE),
        falsifiers=falsifiers,
        units="runs with an error >= tau",
    )


_JUNG = Claim(
    id="adaptive.jung",
    source="Jung, Ligett, Neel, Roth, Sharifi-Malvajerdi, Shenfeld 2020 (arXiv 1909.03577), as restated by later papers",
    statement="A mechanism that is (alpha, beta_s)-accurate for the sample and (eps, delta)-differentially private is, for any "
    "c, d > 0, (alpha + e^eps - 1 + c + 2d, beta_s/c + delta/d)-accurate for the distribution. With normal noise, exact "
    "Gaussian accounting and the best allocation of tau and beta this gives a sample size for m + 1 adaptive queries.",
    checks=(
        _failure_check(
            "failure",
            Provenance.SECONDARY,
            "P[some |answer - truth| >= tau] <= beta at the n of the best allocation of tau = alpha + e^eps - 1 + c + 2d",
            (
                Falsifier(
                    name="eps-2-for-free",
                    breaks="e^eps - 1 is left out of the error, eps = 2",
                    kind="world",
                    where=lambda m: m == 1000,
                ),
                Falsifier(
                    name="eps-4-for-free",
                    breaks="e^eps - 1 is left out of the error, eps = 4",
                    kind="world",
                    where=lambda m: m == 1000,
                ),
            ),
        ),
    ),
)


def _slope_check(noise, text):
    return Check(
        name=f"slope-{noise}",
        relation=Relation.RATE,
        provenance=Provenance.RECALLED,
        formula=f"m(gap = .1) = Phi^{{-1}}(.6)^2 (n - 1 + 4 n^2 s^2), {text} of sd s = .1: slope near 2 in ln n",
        bound=lambda n, s: float(m_crit(n, s)),
        margin=(1.5, 2.4),
        method="rows",
        rate_of="mean_log",
        grid="n",
        assumptions=(
            _A1,
            _A4,
            Assumption("A5", "the noise dominates the sampling error, 4 n s^2 >= 10", lambda n, s: 4 * n * s**2 >= 10),
        ),
        falsifiers=(Falsifier(name="exact-answers", breaks="the answers carry no noise", kind="world"),),
        units="queries",
    )


_LAPLACE = Claim(
    id="adaptive.laplace",
    source="abstract and introduction (rate, as recalled); explicit sample sizes derived here from the companion's theorems",
    statement="Answers with noise stay valid for a number of adaptive queries that grows like n^2 at a fixed accuracy, that is, "
    "m queries need n of order sqrt(m). Explicitly: Laplace noise with composition of pure privacy and Corollary 7, and "
    "normal noise with exact Gaussian accounting and the transfer of Jung et al., keep all m + 1 errors below tau with "
    "probability at least 1 - beta at the n that they ask for.",
    checks=(
        _failure_check(
            "pure",
            Provenance.DERIVED,
            "P[some |answer - truth| >= tau] <= beta at n = max(4M ln(2M/beta), 4 ln(12M/beta))/tau^2, M = m + 1, "
            "Laplace noise b = tau/(2 ln(2M/beta))",
            (Falsifier(name="n-over-400", breaks="the sample has a 400th of the points, with the noise of the full size", kind="world"),),
        ),
        _failure_check(
            "gaussian",
            Provenance.DERIVED,
            "P[some |answer - truth| >= tau] <= beta at the n of exact Gaussian accounting and the transfer of Jung et al.",
            (Falsifier(name="n-over-100", breaks="the sample has a 100th of the points, with the noise of the full size", kind="world"),),
        ),
        _slope_check("gaussian", "normal noise"),
        _slope_check("laplace", "Laplace noise"),
    ),
)


def _traced_check(name, formula, bound, trivial, units):
    return Check(
        name=name,
        relation=Relation.LOWER,
        provenance=Provenance.DERIVED,
        formula=formula,
        bound=lambda: bound,
        trivial=lambda: trivial,
        assumptions=(
            Assumption("A1", "n uniform draws from a universe of 4n points", lambda: True),
            Assumption("A7", "m >= .8 n^2 queries", lambda n, m: m >= 0.8 * n**2),
        ),
        falsifiers=(
            Falsifier(
                name="knows-the-distribution",
                breaks="the answers come from the true densities, with noise of sd .05, and not from the sample",
                kind="world",
            ),
            Falsifier(name="few-queries", breaks="only .05 n^2 queries are asked, rounded to halves", kind="world"),
        ),
        units=units,
    )


_LOWER = Claim(
    id="adaptive.lower_n2",
    source="hardness results of Hardt and Ullman 2014 and Steinke and Ullman 2015, cited in the companion; this instance derived here",
    statement="No mechanism that answers from the sample with a constant accuracy survives many more than n^2 adaptive queries. "
    "Instance: .8 n^2 queries with random densities on a universe of 4n points let a tracer accuse at least three quarters "
    "of the sample (and 5 % of the others), and the query 'is accused' is then off by at least one half on the sample.",
    checks=(
        _traced_check("recall", "E[accused share of the sample] >= .75", 0.75, 0.05, "share of the sample's points accused"),
        _traced_check("gap", "E[gap of the query 'is accused'] >= .5", 0.5, 0.0, "E_S - P of the last query"),
    ),
)

_ROUNDS = Claim(
    id="adaptive.rounds",
    source="abstract and introduction (rate, as recalled); explicit version derived here",
    statement="An analyst with r rounds of adaptivity costs like r queries, not like m. Explicitly: a guard set of "
    "8 (ln sum_{j<r} C(m,j) + ln(4m/beta))/tau^2 points and r chunks of 8 ln(4mr/beta)/tau^2 points, a chunk being given up "
    "where it departs from the guard by more than tau/2, answer m queries within tau with probability at least 1 - beta and "
    "never run out of chunks.",
    checks=(
        Check(
            name="failure",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P[some |answer - truth| >= tau, or no chunk left] <= beta at the n of m = 2h + 1 queries in r = 2 rounds",
            bound=lambda beta: beta,
            assumptions=(_A1, Assumption("A3", "guard and chunks have exactly the sizes that the formula asks for", lambda: True)),
            falsifiers=(
                Falsifier(
                    name="one-sample",
                    breaks="all points answer by their mean, with no guard and no second chunk",
                    kind="world",
                    where=lambda h: h >= 10_000,
                ),
                Falsifier(name="a-tenth", breaks="guard and chunks have a tenth of the points", kind="world"),
            ),
            units="runs that break the guarantee",
        ),
    ),
)


def _board_check(name, text):
    return Check(
        name=name,
        relation=Relation.TAIL,
        provenance=Provenance.RECALLED,
        formula=f"P[|last report - 1/2| > min_eta eta + sqrt(((1/eta + 2) ln(4k/eta) + 1 + ln(1/beta))/(2n))] <= beta, {text}",
        bound=lambda beta: beta,
        assumptions=(
            _A1,
            Assumption(
                "A8", "the bound says something: it is below 1/2, the largest error", lambda n, k, beta: ladder_bound(n, k, beta) < 0.5
            ),
        ),
        falsifiers=(
            Falsifier(
                name="plain-board",
                breaks="the leaderboard reports every loss with five decimals",
                kind="world",
                where=lambda k: k >= 10_000,
            ),
        ),
        units="runs with an error above the bound",
    )


_LADDER = Claim(
    id="adaptive.ladder",
    source="Blum and Hardt 2015 (arXiv 1502.04585), as recalled",
    statement="A leaderboard that reports a loss only where it improves the best one by a step keeps every report close to the "
    "truth under adaptive submissions: an analyst who votes over the accepted ones of k random submissions gains nothing, "
    "while a board with many decimals is boosted far below the true loss.",
    checks=(
        _board_check("fixed", "Ladder with the fixed step (ln(kn)/n)^{1/3}"),
        _board_check("free", "parameter-free Ladder"),
    ),
)

CLAIMS = (_BIAS_GDP, _JUNG, _LAPLACE, _LOWER, _ROUNDS, _LADDER)
