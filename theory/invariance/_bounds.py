r"""Explicit bounds, all derived here under the paper's setting: none is printed in the paper in this form.

thm.pac. The sets {e : G_e <= eps} have VC dimension <= v (L4); the double-sample bound P(some consistent h has error > rho)
<= 2 Pi(2n) 2^{-rho n/2} (needs n rho >= 8) with Sauer's (2en/v)^v gives blumer_rho. The space of L4 contains the constants, so
one v covers all eps at once.
L5. ||g^_e - g_e|| <= ||M^_e - M_e|| sqrt(1 + ||beta||^2), as E[x (beta^T x - y)] is the x-rows of M (beta, -1).
L6. Davidson and Szarek at t = sqrt(2 ln(2n/delta)), both tails, union over n environments.
scenario. n convex constraints in k + 1 variables: E F <= (k + 1)/(n + 1), P(F > rho) <= P(Bin(n, rho) <= k).
"""

from __future__ import annotations

import math

import numpy as np

from theory.invariance import _arguments

__all__ = [
    "blumer_n",
    "blumer_rho",
    "cov_radius",
    "cov_radius_mean",
    "fixed_law",
    "published",
    "sample_slack",
    "samples_needed",
    "scenario_mean",
    "scenario_n",
    "scenario_rho",
    "scenario_tail",
]


def _log2_growth(n, v):
    """log2 of Sauer's bound on the growth function at 2n points."""
    return v * math.log2(2 * math.e * n / v) if 2 * n > v else 2.0 * n


def blumer_rho(n, v, delta):
    """thm.pac: with probability >= 1 - delta every (Phi, w) that passes on n interventions fails on at most this share of new ones.

    rho = (2/n) (log2 Pi(2n) + log2(2/delta)); a value >= 1 is vacuous. Constants explicit.
    Args: n: interventions, >= 1. v: VC dimension, > 0, may be fractional. delta: in (0, 1). Scalars.
    Returns: float. Raises: ValueError.
    """
    n = _arguments.integer("blumer_rho", "n", n)
    v, delta = float(_arguments.positive("blumer_rho", "v", v)), float(_arguments.open_unit("blumer_rho", "delta", delta))
    return 2 / n * (_log2_growth(n, v) + math.log2(2 / delta))


def _least(holds):
    """The least n >= 1 from which `holds` is true, by doubling and bisection."""
    low, high = 0, 1
    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def blumer_n(rho, v, delta):
    """The least n with blumer_rho(n, v, delta) <= rho; the bound falls in n where it is below 4. Args as `blumer_rho`, rho in (0, 1)."""
    rho = float(_arguments.open_unit("blumer_n", "rho", rho))
    return _least(lambda n: blumer_rho(n, v, delta) <= rho)


def fixed_law(n):
    """law.fixed: mean and variance of the failure rate of ONE fixed representation with eps = max_i G_i, Beta(1, n).

    Args: n: training interventions, >= 1. Returns: (1/(n + 1), n/((n + 1)^2 (n + 2))). Raises: ValueError.
    """
    n = _arguments.integer("fixed_law", "n", n)
    return 1 / (n + 1), n / ((n + 1) ** 2 * (n + 2))


# --- scenario ----------------------------------------------------------------------------------------------------------


def _scenario(fn, n, k):
    n, k = _arguments.integer(fn, "n", n), _arguments.integer(fn, "k", k)
    _arguments.require(n >= k + 1, fn, lambda: f"n must be at least k + 1 = {k + 1}, got n={n}.")
    return n, k


def scenario_mean(n, k):
    """E F <= (k + 1)/(n + 1) for the minimax head on k fixed coordinates, learned on n interventions. n >= k + 1."""
    n, k = _scenario("scenario_mean", n, k)
    return (k + 1) / (n + 1)


def scenario_tail(n, k, rho):
    """P(F > rho) <= sum_{i <= k} C(n, i) rho^i (1 - rho)^{n - i}. Args: n >= k + 1, k >= 1, rho in (0, 1). Raises: ValueError."""
    from scipy import stats

    n, k = _scenario("scenario_tail", n, k)
    return float(stats.binom.cdf(k, n, _arguments.open_unit("scenario_tail", "rho", rho)))


def scenario_rho(n, k, delta):
    """The least rho whose scenario tail is delta: the 1 - delta quantile of Beta(k + 1, n - k). Args as `scenario_tail`."""
    from scipy import stats

    n, k = _scenario("scenario_rho", n, k)
    return float(stats.beta.isf(_arguments.open_unit("scenario_rho", "delta", delta), k + 1, n - k))


def scenario_n(rho, k, delta, num_subsets=1):
    """The least n with scenario_rho(n, k, delta/num_subsets) <= rho: a union over subsets that were looked at."""
    rho, delta = float(_arguments.open_unit("scenario_n", "rho", rho)), float(_arguments.open_unit("scenario_n", "delta", delta))
    k = _arguments.integer("scenario_n", "k", k)
    num = _arguments.integer("scenario_n", "num_subsets", num_subsets)
    return _least(lambda n: n > k and scenario_rho(n, k, delta / num) <= rho)


# --- samples -----------------------------------------------------------------------------------------------------------


def _u(fn, p, n, N, delta):
    p, n, N = (_arguments.integer(fn, name, value) for name, value in (("p", p), ("n", n), ("N", N)))
    _arguments.require(p < N, fn, lambda: f"N must exceed p={p}, got N={N}.")
    delta = float(_arguments.open_unit(fn, "delta", delta))
    return (math.sqrt(p) + math.sqrt(2 * math.log(2 * n / delta))) / math.sqrt(N)


def cov_radius(p, n, N, delta):
    """L6: 2u + u^2. With probability >= 1 - delta all n environments have ||M^_e - M_e|| <= ||M_e|| (2u + u^2), zero-mean noise.

    u = (sqrt p + sqrt(2 ln(2n/delta)))/sqrt N. Args: p: nodes with noise. n: environments. N: samples of each, > p. delta in (0, 1).
    """
    u = _u("cov_radius", p, n, N, delta)
    return 2 * u + u * u


def cov_radius_mean(p, n, N, delta, norm_cov, norm_mean):
    """L6 for noise with a mean: ||C|| (2u + u^2) + 2 ||m|| ||C||^{1/2} u, with probability >= 1 - 3 delta/2.

    Args: as `cov_radius`, p the nodes with noise (p - K for hard constants); norm_cov = ||C||, norm_mean = ||m||, broadcast.
    """
    u = _u("cov_radius_mean", p, n, N, delta)
    C, m = np.asarray(norm_cov, dtype=np.float64), np.asarray(norm_mean, dtype=np.float64)
    return C * (2 * u + u * u) + 2 * m * np.sqrt(C) * u


def sample_slack(p, n, N, delta, norm, b):
    """thm.samples: gamma = sqrt(1 + b^2) M (2u + u^2), the slack that N samples cost every (V, beta) with ||beta|| <= b.

    Args: as `cov_radius`; norm: M = max_i ||M_{e_i}||, > 0; b >= 0.
    """
    b = float(_arguments.nonnegative("sample_slack", "b", b))
    return math.sqrt(1 + b * b) * float(_arguments.positive("sample_slack", "norm", norm)) * cov_radius(p, n, N, delta)


def samples_needed(p, n, delta, norm, b, slack):
    """The least N with sample_slack(...) <= slack: this part does grow with the ambient dimension. slack > 0."""
    slack = float(_arguments.positive("samples_needed", "slack", slack))
    p = _arguments.integer("samples_needed", "p", p)
    return _least(lambda N: p < N and sample_slack(p, n, N, delta, norm, b) <= slack)


# --- the authors' experiment -------------------------------------------------------------------------------------------

# (N, train, test) -> (mean number of accepted subsets, mean score of 100) as read off the authors' notebook [code]; with
# the spread of such a mean over the seven m (sd7), which is the sampling error of the published number.
_PUBLISHED = {
    (10000, "hard", "hard"): ((4.0, 0.13), (95.2, 1.1)),
    (10000, "hard", "rademacher"): ((4.0, 0.13), (44.4, 1.4)),
    (10000, "soft", "soft"): ((5.4, 0.72), (79.7, 2.0)),
    (10000, "soft", "rademacher"): ((7.1, 0.72), (65.4, 3.5)),
    (45000, "hard", "hard"): ((4.0, 0.09), (99.6, 0.8)),
    (45000, "hard", "rademacher"): ((4.0, 0.09), (49.9, 1.4)),
    (45000, "soft", "soft"): ((12.0, 0.05), (98.1, 0.24)),
    (45000, "soft", "rademacher"): ((12.0, 0.05), (74.5, 0.40)),
}
_MARGINS = {  # about 4.5 sd7: (accepted, score)
    (10000, "hard", "hard"): (0.6, 5.0),
    (10000, "hard", "rademacher"): (0.6, 8.0),
    (10000, "soft", "soft"): (3.3, 9.0),
    (10000, "soft", "rademacher"): (3.3, 16.0),
    (45000, "hard", "hard"): (0.6, 5.0),
    (45000, "hard", "rademacher"): (0.6, 8.0),
    (45000, "soft", "soft"): (0.3, 1.5),
    (45000, "soft", "rademacher"): (0.3, 2.5),
}


def published(N, train, test, what):
    """fig.main: (number in the authors' notebook, its sd7, margin) for what = "accepted" or "score"; nan where none is printed."""
    place = ("accepted", "score").index(what)
    if (N, train, test) not in _PUBLISHED:
        return math.nan, math.nan, math.nan
    return (*_PUBLISHED[N, train, test][place], _MARGINS[N, train, test][place])
