"""Thresholdout's privacy, Lemma 23, to the last digit; and what the proof of Lemma 24 needs.

The transcript with one release is: t - 1 comparisons answered "below", then one answered "above", then the release. With
T = 0, values lo (t - 1 times) and up, threshold noise g ~ Lap(t_b) and query noise Lap(q_b), G its cdf, its probability
is the integral of f_{t_b}(g) G(g - lo)^{t-1} (1 - G(g - up)) dg, times the density of the release. Neighbouring samples
move every value by at most 1/n.

Proof sketch of the limit. Shift g by 1/n in the integral: f pays 1/(t_b n), the factors "below" with lo shifted the
same way pay nothing, and the last factor moves by at most 2/n, hence 2/(q_b n). As t grows the integral lives on large
g, where f and 1 - G are exponentials and both are paid in full: the loss tends to (1/t_b + 2/q_b)/n. With Thresholdout's
t_b = 2 sigma, q_b = 4 sigma this is 1/(sigma n); the release, Lap(sigma), pays another 1/(sigma n). Lemma 23 is tight.
"""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from theory.adaptive import _arguments
from theory.adaptive._holdout import lem24_n0
from theory.adaptive._transfer import cor7_bound

__all__ = [
    "lem23_eps",
    "lem23_eps_approximate",
    "lem24_coefficient",
    "lem24_coefficient_needed",
    "lem24_coefficient_repaired",
    "lem24_delta",
    "lem24_n0_needed",
    "svt_limit_loss",
    "svt_log_probability",
    "svt_privacy_loss",
]

SVT_GRID = np.linspace(-14, 14, 11)  # values lo and up, in units of sigma


def lem23_eps(budget, n, sigma):
    """Lemma 23: Thresholdout with budget B and noise rate sigma on n points is (2B/(sigma n), 0)-DP.

    Args: budget: B >= 1. n: sample size, >= 1. sigma: noise rate, > 0. They broadcast. Returns: float64. Raises: ValueError.
    """
    b, n = _arguments.integers("lem23_eps", B=budget), _arguments.integers("lem23_eps", n=n)
    return 2 * b / (_arguments.positive_noise("lem23_eps", sigma) * n)


def lem23_eps_approximate(budget, n, sigma, delta):
    """Lemma 23, second part: (sqrt(32 B ln(2/delta))/(sigma n), delta)-DP. As `lem23_eps`; delta in (0, 1)."""
    fn = "lem23_eps_approximate"
    b, n = _arguments.integers(fn, B=budget), _arguments.integers(fn, n=n)
    delta = _arguments.open_unit(fn, "delta", delta)
    return np.sqrt(32 * b * np.log(2 / delta)) / (_arguments.positive_noise(fn, sigma) * n)


def _log_cdf(x, scale):
    """ln of the cdf of Lap(scale); its upper tail is the same at -x."""
    z = x / scale
    return np.where(z < 0, np.minimum(z, 0) - math.log(2), np.log1p(-0.5 * np.exp(-np.maximum(z, 0))))


@functools.cache
def _gauss():
    return np.polynomial.legendre.leggauss(24)


def _nodes(kinks, scales):
    """Gauss-Legendre nodes and weights on panels between the kinks, no wider than the smaller noise, up to 40 of the larger beyond.

    Cutting the tails shorter than about 30 noise scales beyond the largest |value| gives spurious losses.
    """
    reach = 40 * max(scales)
    inner = np.unique(kinks)
    edges = np.concatenate([inner[:1] - reach, inner, inner[-1:] + reach])
    widest = min(scales)
    parts = [np.linspace(a, b, 1 + max(1, math.ceil((b - a) / widest)))[:-1] for a, b in itertools.pairwise(edges)]
    edges = np.append(np.concatenate(parts), edges[-1])
    x, w = _gauss()
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half + half * x).ravel(), (half * w).ravel()


def svt_log_probability(lo, up, t, threshold_noise, query_noise):
    """ln P[t - 1 answers "below" at value lo, then one "above" at value up], threshold 0, for all pairs; exact.

    Quadrature on panels between all kinks, relative error below 1e-10. Without threshold noise, or without query noise, it
    is a closed form; -inf where the transcript is impossible.

    Args:
      lo, up: float64 [L], [U]. t: number of comparisons, >= 1. threshold_noise, query_noise: Laplace scales, >= 0, not
        both 0, and at most a factor of 100 apart if both are positive.
    Returns: float64 [L, U].
    Raises: ValueError for arguments outside these ranges.
    """
    fn = "svt_log_probability"
    lo, up, below = np.asarray(lo, np.float64), np.asarray(up, np.float64), int(_arguments.integers(fn, t=t)) - 1
    t_b = float(_arguments.nonnegative(fn, "threshold_noise", threshold_noise))
    q_b = float(_arguments.nonnegative(fn, "query_noise", query_noise))
    if t_b == 0 and q_b == 0:
        raise ValueError(f"{fn}: threshold_noise and query_noise must not both be 0.")
    if t_b == 0:
        return below * _log_cdf(-lo, q_b)[:, None] + _log_cdf(up, q_b)[None, :]
    if q_b == 0:  # lo < g <= up
        start = np.exp(_log_cdf(lo, t_b)) if below else np.zeros(len(lo))
        cdf = np.exp(_log_cdf(up, t_b))[None, :] - start[:, None]
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(cdf, 0.0))
    if not 0.01 <= t_b / q_b <= 100:  # the panels would be too many
        raise ValueError(f"{fn}: positive noises must be within a factor of 100, got {threshold_noise=}, {query_noise=}.")
    g, weight = _nodes(np.concatenate([lo, up, [0.0]]), (t_b, q_b))
    log_left = below * _log_cdf(g - lo[:, None], q_b) - np.abs(g) / t_b + np.log(weight / (2 * t_b))  # [L, g]
    log_right = _log_cdf(up[:, None] - g, q_b)  # [U, g]
    peak_left, peak_right = log_left.max(1, keepdims=True), log_right.max(1, keepdims=True)
    product = np.exp(log_left - peak_left) @ np.exp(log_right - peak_right).T
    return np.log(product) + peak_left + peak_right.T


def svt_privacy_loss(n, sigma, t, threshold=2.0, query=4.0, release=None):
    """Largest |ln ratio| of a transcript's probability on neighbouring samples, one release, exact on a grid of values.

    Maximum over lo and up on 11 points each of [-14 sigma, 14 sigma] and shifts of either by -1/n, 0, 1/n. Noises are
    Laplace: threshold, query, release times sigma; Thresholdout has 2, 4, 1. A release adds |shift of up|/(its scale);
    None: comparisons only. inf if a transcript is possible on one sample and not on its neighbour.

    Args: n: sample size, >= 1. sigma: > 0. t: comparisons, >= 1. threshold, query: >= 0. release: > 0 or None.
    Returns: float. Raises: ValueError for arguments outside these ranges.
    """
    fn = "svt_privacy_loss"
    n, sigma = int(_arguments.integers(fn, n=n)), float(_arguments.positive_noise(fn, sigma))
    if release is not None and not (math.isfinite(release) and release > 0):
        raise ValueError(f"{fn}: release must be None or finite and > 0, got {release}.")
    values = SVT_GRID * sigma
    shifted = (values[:, None] + np.array([-1, 0, 1]) / n).ravel()  # [11 * 3]
    log_p = svt_log_probability(shifted, shifted, t, threshold * sigma, query * sigma).reshape(11, 3, 11, 3)
    base = log_p[:, 1, :, 1]
    worst = 0.0
    for i in range(3):
        for j in range(3):
            near = log_p[:, i, :, j]
            both_impossible = (base == -np.inf) & (near == -np.inf)
            with np.errstate(invalid="ignore"):
                loss = np.where(both_impossible, 0.0, np.abs(base - near)).max()
            worst = max(worst, loss + (0.0 if release is None else abs(j - 1) / (n * release * sigma)))
    return float(worst)


def svt_limit_loss(n, sigma, threshold=2.0, query=4.0):
    """Limit of `svt_privacy_loss` without a release as t grows: (1/threshold + 2/query)/(sigma n) (derived).

    Args: as there; threshold, query > 0 (0 gives inf: without threshold noise the loss grows like t). Returns: float.
    """
    n, sigma = int(_arguments.integers("svt_limit_loss", n=n)), float(_arguments.positive_noise("svt_limit_loss", sigma))
    if threshold == 0 or query == 0:
        return math.inf
    return (1 / threshold + 2 / query) / (sigma * n)


def lem24_delta(tau, beta):
    """The delta at which Theorem 8 with 13 eps = tau allows failure beta: tau beta/(26 ln(26/tau)) (derived).

    Solves (2 delta/eps) ln(2/eps) = beta at eps = tau/13. Args: tau, beta in (0, 1). Returns: float64. Raises: ValueError.
    """
    tau, beta = _arguments.open_unit("lem24_delta", "tau", tau), _arguments.open_unit("lem24_delta", "beta", beta)
    return tau * beta / (26 * np.log(26 / tau))


def lem24_coefficient(tau, beta):
    """Factor of sqrt(B)/sigma in Lemma 24's second sample size, as printed: 80 sqrt(ln(1/(tau beta)))/tau."""
    tau, beta = _arguments.open_unit("lem24_coefficient", "tau", tau), _arguments.open_unit("lem24_coefficient", "beta", beta)
    return 80 * np.sqrt(np.log(1 / (tau * beta))) / tau


def lem24_coefficient_needed(tau, beta):
    """The factor that Lemma 23 (second part) inside Theorem 8 needs: 13 sqrt(32 ln(2/delta))/tau, delta = `lem24_delta`.

    From sqrt(32 B ln(2/delta))/(sigma n) <= eps = tau/13; Theorem 8's own premise on n comes on top. Derived. The printed
    factor is smaller until tau beta is about 1e-14: there the printed size does not follow by this route. That is no
    counterexample to the lemma. Arguments, errors as `lem24_delta`. Returns: float64.
    """
    return 13 * np.sqrt(32 * np.log(2 / lem24_delta(tau, beta))) / np.asarray(tau, dtype=np.float64)


def lem24_coefficient_repaired(tau, beta):
    """A factor that is enough for tau, beta <= 1/10: 110 sqrt(ln(1/(tau beta)))/tau (derived); nan outside.

    Over sqrt(ln(1/(tau beta)))/tau the needed factor is 13 sqrt(32 (1 + ln(52 ln(26/tau))/ln(1/(tau beta)))). It falls with
    beta falling, and at beta = 1/10 with tau falling, so it is largest at tau = beta = 1/10: 109.8. Arguments, errors
    as `lem24_delta`. Returns: float64.
    """
    enough = 110 / 80 * lem24_coefficient(tau, beta)
    return np.where((np.asarray(tau) <= 0.1) & (np.asarray(beta) <= 0.1), enough, np.nan)[()]


def lem24_n0_needed(budget, sigma, tau, beta):
    """The smallest n at which Lemma 23 (first part) and Corollary 7 give P[|gap| >= tau] <= beta (derived).

    Found by search: `lem23_eps(B, n, sigma) <= tau`, and twice `cor7_bound` at that eps at most beta (relative 1e-12).
    Args: scalars, as `lem24_n0`. Returns: int. Raises: ValueError.
    """

    def enough(n):
        return 2 * cor7_bound(n, tau, lem23_eps(budget, n, sigma)) <= beta * (1 + 1e-12)  # nan compares false

    low, high = 0, 2 * _arguments.ceil(lem24_n0(budget, sigma, tau, beta))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
