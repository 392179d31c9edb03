"""Answers by sample means, the attack on them, and the remedy of fresh chunks."""

from __future__ import annotations

import math

import numpy as np

from theory.adaptive import _arguments


def naive_gap_limit(n, m, analyst="linear", s=0.0):
    """Gap of the aggregate query in the large-n limit (derived; A1, A4; constants explicit).

    E gap -> Phi(t / sqrt(1 + 4 n s^2)) - 1/2 with t = sqrt(m/n) (linear) or sqrt(2m/(pi n)) (sign). Too low by up to
    .0067 for `sign` on noiseless answers at even n: never test against it to better than .01.

    Args:
      n: sample size, int or int array, >= 1. m: number of coordinate queries before the aggregate, >= 1.
      analyst: "linear" or "sign". s: standard deviation of the noise on each answer, >= 0.
    Returns: float64, broadcast shape, a probability difference in [0, 1/2].
    Raises: ValueError for arguments outside these ranges.
    """
    from scipy.special import ndtr

    fn = "naive_gap_limit"
    n, m = _arguments.integers(fn, n=n, m=m)
    s = _arguments.nonnegative(fn, "s", s)
    _arguments.analyst(fn, analyst)
    slope = 1.0 if analyst == "linear" else 2 / np.pi
    return ndtr(np.sqrt(slope * m / n / (1 + 4 * n * s**2))) - 0.5


def naive_gap_exact(n, m, analyst="linear", s=0.0):
    """Expected gap of the aggregate query, exact for every n and m (derived; A1, A4).

    With H ~ Bin(m(n-1), 1/2), linear, s = 0: P[2H > m(n-2)] + P[2H = m(n-2)]/2 - 1/2; s > 0:
    E Phi((m + 2H - m(n-1)) / (2 s n sqrt(m))) - 1/2. Sign: each column agrees with the point with probability p1,
    abstains with p0; the gap is P[more agree than disagree] + P[tie]/2 - 1/2.

    Args: as `naive_gap_limit`, scalars only.
    Returns: float, in [0, 1/2]; relative error below 1e-9.
    Raises: ValueError for arguments outside these ranges.
    """
    from scipy import stats
    from scipy.special import ndtr

    fn = "naive_gap_exact"
    n, m = (int(v) for v in _arguments.integers(fn, n=n, m=m))
    s = float(_arguments.nonnegative(fn, "s", s))
    _arguments.analyst(fn, analyst)
    if analyst == "linear":
        trials, middle = m * (n - 1), m * (n - 2)  # the event is 2H > middle
        if s == 0:
            tie = stats.binom.pmf(middle // 2, trials, 0.5) if middle % 2 == 0 else 0.0
            return float(stats.binom.sf(math.floor(middle / 2), trials, 0.5) + tie / 2 - 0.5)
        scale = 2 * s * n * math.sqrt(m)
        h, weight = _binomial_lattice(trials, 0.5, smooth_over=scale / 2)
        return float(np.dot(weight, ndtr((m + 2 * h - trials) / scale)) - 0.5)
    if s == 0:
        p_zero = float(stats.binom.pmf((n - 2) // 2, n - 1, 0.5)) if n % 2 == 0 else 0.0
        p_agree = float(stats.binom.sf(math.floor((n - 2) / 2), n - 1, 0.5))
    else:
        h, weight = _binomial_lattice(n - 1, 0.5, smooth_over=s * n)
        p_zero, p_agree = 0.0, float(np.dot(weight, ndtr((2 + 2 * h - n) / (2 * s * n))))
    z, weight = _binomial_lattice(m, 1 - p_zero)
    agree = min(1.0, p_agree / (1 - p_zero))  # rounding must not push it above 1
    won = stats.binom.sf(np.floor(z / 2), z, agree)  # P[K > z/2]
    tied = np.where(z % 2 == 0, stats.binom.pmf(z / 2, z, agree), 0.0)
    return float(np.dot(weight, won + tied / 2) - 0.5)


def _binomial_lattice(trials, p, smooth_over=0.0):
    """Points and weights for E f(Bin(trials, p)): within 12 standard deviations, thinned where f is smooth.

    Thinning by a stride far below both the standard deviation and the scale `smooth_over` on which f varies costs
    nothing visible: the error of an equally spaced sum of a Gaussian-like term falls like exp(-2 (pi sd / stride)^2).
    """
    from scipy import stats

    mean, sd = trials * p, math.sqrt(trials * p * (1 - p))
    stride = max(1, math.floor(min(sd / 64, smooth_over / 16)))
    points = np.arange(max(0, math.floor(mean - 12 * sd) - 1), min(trials, math.ceil(mean + 12 * sd) + 1) + 1, stride)
    weight = stats.binom.pmf(points, trials, p)
    return points, weight / weight.sum()


def naive_gap_sd(n, m, analyst="linear", s=0.0):
    """Standard deviation of one run's gap, large-n form (derived; A1, A4): for planning, never for a verdict.

    Given the column errors, the n indicators are those of centred normals above -c; so n Var = p(1-p) - phi(c)^2 +
    phi(c)^2 n Var(c), p = Phi(c), with n Var(c) = 1/2 (linear) or 1 - 2/pi (sign) at s = 0; with noise the last term is
    at most phi(c)^2, which is used. Up to 8 % high for `sign` at even n = 250, where columns of weight 0 abstain.
    Arguments and errors as `naive_gap_limit`. Returns: float64, broadcast shape.
    """
    from scipy.special import ndtri

    p = 0.5 + naive_gap_limit(n, m, analyst, s)
    density = np.exp(-(ndtri(p) ** 2) / 2) / math.sqrt(2 * math.pi)
    spread = np.where(np.asarray(s) > 0, 1.0, 0.5 if analyst == "linear" else 1 - 2 / math.pi)
    return np.sqrt((p * (1 - p) - density**2 * (1 - spread)) / np.asarray(n, dtype=np.float64))


def naive_margin(n, m, analyst="linear", s=0.0):
    """Half width of the band in which a measured mean gap counts as equal to `naive_gap_exact`.

    min(.02, half the distance between the two analysts' exact gaps): the other analyst's formula must stay outside. .005 at most from
    n = 2,000 on, where a run's gap has sd .011 or less. Never below .002, which matters only far from m = n, where the two formulas
    cannot be told apart.
    """
    distance = abs(naive_gap_exact(n, m, "linear", s) - naive_gap_exact(n, m, "sign", s))
    return max(min(0.02 if n < 2000 else 0.005, distance / 2), 0.002)


def m_crit(n, s=0.0, gap=0.1):
    """Number of queries at which the linear analyst's aggregate has the given gap (derived; A1, A4).

    m = Phi^{-1}(1/2 + gap)^2 (n - 1 + 4 n^2 s^2), from the short form Phi(sqrt(m/(n-1+4n^2s^2))) - 1/2 of the exact gap
    (error < 1e-3 in the gap). Linear in n on noiseless answers, quadratic once 4 n s^2 >> 1.

    Args: n: sample size(s), >= 1. s: noise on each answer, >= 0. gap: in (0, 1/2).
    Returns: float64, broadcast shape, a number of queries (not rounded).
    Raises: ValueError for arguments outside these ranges.
    """
    from scipy.special import ndtri

    n, s = _arguments.integers("m_crit", n=n), _arguments.nonnegative("m_crit", "s", s)
    if not np.all((np.asarray(gap) > 0) & (np.asarray(gap) < 0.5)):
        raise ValueError(f"m_crit: gap must lie in (0, 1/2), got {_arguments.shown(gap)}.")
    return ndtri(0.5 + np.asarray(gap)) ** 2 * (n - 1 + 4 * n**2 * s**2)


def n_nonadaptive(m, tau, beta):
    """Sample size for m queries fixed beforehand (Hoeffding and a union bound; A1): ceil(ln(2m/beta) / (2 tau^2)).

    Args: m: number of ALL queries, >= 1. tau: error, in (0, 1). beta: failure probability, in (0, 1).
    Returns: int, or int64 array of the broadcast shape: points.
    Raises: ValueError for arguments outside these ranges.
    """
    m = _arguments.integers("n_nonadaptive", m=m)
    tau, beta = _arguments.open_unit("n_nonadaptive", "tau", tau), _arguments.open_unit("n_nonadaptive", "beta", beta)
    return _arguments.ceil(np.log(2 * m / beta) / (2 * tau**2))


def n_split(m, tau, beta):
    """Sample size of splitting: m chunks of `n_nonadaptive(m, tau, beta)` points, one per query. As `n_nonadaptive`."""
    chunk = n_nonadaptive(m, tau, beta)
    return m * chunk if np.ndim(chunk) == 0 else np.asarray(m, dtype=np.int64) * chunk


def split_threshold(h, tau):
    """The integer t with: |c/h - 1/2| >= tau for a count c of h coins exactly when |2c - h| >= t.

    t = ceil(2 h tau - 1e-9). Compared in floating point, c/h - 1/2 against tau goes either way on ties (probability
    .0352 or .0569 at h = 100, tau = .1), so every simulator counts failures by this integer.

    Args: h: points per chunk, >= 1. tau: in (0, 1). Returns: int or int64 array. Raises: ValueError.
    """
    return _arguments.ceil(2 * _arguments.integers("split_threshold", h=h) * _arguments.open_unit("split_threshold", "tau", tau))


def split_failure_exact(h, num_queries, tau):
    """Probability that some query errs by >= tau when each of `num_queries` fair-coin queries has its own h points.

    1 - (1 - P[|2c - h| >= t])^num_queries, c ~ Bin(h, 1/2), t = `split_threshold(h, tau)`.

    Args: h: points per chunk, >= 1. num_queries: ALL queries, >= 1. tau: in (0, 1). Arrays broadcast.
    Returns: float64, broadcast shape. Raises: ValueError for arguments outside these ranges.
    """
    from scipy import stats

    h, num_queries = _arguments.integers("split_failure_exact", h=h, num_queries=num_queries)
    t = np.maximum(split_threshold(h, tau), 1)  # below 1 the two tails would overlap
    p = np.minimum(2 * stats.binom.sf(np.ceil((h + t) / 2) - 1, h, 0.5), 1.0)
    with np.errstate(divide="ignore"):
        return -np.expm1(num_queries * np.log1p(-p))
