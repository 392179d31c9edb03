"""Intervals beside the capital's: the t-mixture, order statistics, slopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from sims._stats import _capital

__all__ = [
    "interval",
    "looks",
    "own_slope",
    "quantile_interval",
    "skewness",
    "slope_box",
    "slope_rows",
    "slope_weights",
    "t_half_width",
    "t_interval",
]

_G = 10.0  # prior precision of the effect size; within 7 % of the best choice at every n from 64 to 1e5
MIN_T = 64  # a t-mixture opens no earlier
_SKEW = 400.0  # ... and not before n >= 400 * skewness^2: at 5 sd skewness multiplies the error by exp(skewness * 125 / (6 sqrt n))
WHOLE = (-math.inf, math.inf)


def check_alpha(fn: str, alpha: float) -> None:
    if not 0 < alpha < 0.5:
        raise ValueError(f"{fn}: alpha must lie in (0, 0.5), got {alpha}.")


def check_support(fn: str, support: tuple[float, float]) -> None:
    low, high = support
    if not low < high:
        raise ValueError(f"{fn}: support (a, b) needs a < b, got {support}.")


def check_data(fn: str, x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    if x.ndim != 1:
        raise ValueError(f"{fn}: x must be one-dimensional, one number per replicate, got shape {x.shape}.")
    return x


def looks(most: int) -> list[int]:
    """The numbers of replicates at which methods that cost O(r) a look are asked: ceil(64 * 2^(k/4)) and `most`."""
    found, k = [], 0
    while (r := math.ceil(MIN_T * 2 ** (k / 4))) < most:
        found.append(r)
        k += 1
    return [*found, most]


# --- the t-mixture -------------------------------------------------------------------------------------------


def t_half_width(n: int, sd: float, alpha: float) -> float:
    """Half width of the t-mixture after n values with standard deviation `sd` (n - 1 in the denominator).

    Mixing the effect size over N(0, 1/10) gives a likelihood ratio that is a martingale for normal data of unknown
    variance; solved for 1/alpha. Infinite while n is too small to decide anything at this alpha.
    """
    check_alpha("t_half_width", alpha)
    if n < 2:
        return math.inf
    log_rho = math.log(_G / (_G + n))
    log_q = -(2 * math.log(alpha) + log_rho) / n
    room = -math.expm1(log_q + log_rho)  # 1 - Q rho
    if room <= 0:
        return math.inf
    return sd * math.sqrt((n - 1) / n * math.expm1(log_q) / room)


def skewness(x: np.ndarray) -> float:
    """Sample skewness, sum d^3/n over (sum d^2/n)^1.5; inf for a constant sample."""
    d = x - x.mean()
    spread = float(np.mean(d * d))
    return float(np.mean(d**3)) / spread**1.5 if spread > 0 else math.inf


def t_interval(x: np.ndarray, alpha: float) -> tuple[float, float]:
    """Mean plus or minus the t-mixture's half width, or the whole line until the guards hold. Asymptotic.

    Guards: n >= 64, sd > 1e-12 max(1, |mean|), n >= 400 skewness^2, no value missing.
    """
    x = check_data("t_interval", x)
    check_alpha("t_interval", alpha)
    if x.size < MIN_T or not np.isfinite(x).all():
        return WHOLE
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    if sd <= 1e-12 * max(1.0, abs(mean)) or x.size < _SKEW * skewness(x) ** 2:
        return WHOLE
    half = t_half_width(x.size, sd, alpha)
    return (mean - half, mean + half)


# --- means and quantiles ---------------------------------------------------------------------------------------


def interval(x: np.ndarray, support: tuple[float, float], alpha: float, failed: np.ndarray | None = None) -> tuple[float, float]:
    """Interval for the mean of i.i.d. x with values in `support`: capital where the range has an end, else t-mixture.

    failed: bool [n]; such replicates count as the end of the range that is worst for each limit.
    """
    x = check_data("interval", x)
    check_alpha("interval", alpha)
    check_support("interval", support)
    a, b = support
    missing = ~np.isfinite(x) if failed is None else np.asarray(failed, dtype=bool)
    if not x.size:
        return support
    known = x[~missing]
    if known.size and not a <= known.min() <= known.max() <= b:
        raise ValueError(f"interval: x has values outside the support {support}: they go from {known.min()} to {known.max()}.")
    q = math.log(2 / alpha)
    t_low, t_high = WHOLE if math.isfinite(a) and math.isfinite(b) else t_interval(np.where(missing, math.nan, x), alpha)
    low = a + _capital.price_limit(np.where(missing, a, x) - a, q) if math.isfinite(a) else t_low
    high = b - _capital.price_limit(b - np.where(missing, b, x), q) if math.isfinite(b) else t_high
    return (low, high)


def quantile_interval(x: np.ndarray, p: float, alpha: float) -> tuple[float, float]:
    """Interval between two order statistics for the p-quantile of any law; finite-sample, valid at every look.

    An entry nan failed: it counts as -inf for the low end and as +inf for the high end.
    """
    x = check_data("quantile_interval", x)
    check_alpha("quantile_interval", alpha)
    if not 0 < p < 1:
        raise ValueError(f"quantile_interval: p must lie in (0, 1), got {p}.")
    n, q = x.size, math.log(2 / alpha)
    low_sorted = np.sort(np.where(np.isnan(x), -math.inf, x))
    high_sorted = np.sort(np.where(np.isnan(x), math.inf, x))

    def refuted_at_least(k: int) -> bool:  # k of n at or below: evidence that F < p
        return _capital.log_capital([1.0, 0.0], np.array([n - k, k]), 1 - p) >= q

    def refuted_at_most(k: int) -> bool:  # k of n below: evidence that F(-) > p
        return _capital.log_capital([1.0, 0.0], np.array([k, n - k]), p) >= q

    k_low = _first(lambda k: not refuted_at_least(k), n)  # ranks 0 .. k_low - 1 are refuted
    k_high = _first(refuted_at_most, n) - 1  # the largest rank that is not
    low = -math.inf if k_low == 0 else float(low_sorted[k_low - 1])
    high = math.inf if k_high >= n else float(high_sorted[k_high])
    return (low, high)


def _first(true_from_here: object, n: int) -> int:
    """The least k in 0..n with a monotone property, n + 1 if none."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        if true_from_here(middle):
            high = middle
        else:
            low = middle + 1
    return low


# --- slopes ----------------------------------------------------------------------------------------------------


def slope_weights(grid: Sequence[float]) -> np.ndarray:
    """Weights c_j of the unweighted least-squares slope on ln(grid): slope = sum c_j y_j.

    Raises: ValueError unless the grid has at least three distinct positive values.
    """
    grid = np.asarray(grid, dtype=float)
    if grid.ndim != 1 or not (grid > 0).all() or len(np.unique(grid)) < 3:
        raise ValueError(f"slope_weights: grid needs at least 3 distinct positive values, got {grid.tolist()}.")
    centred = np.log(grid) - np.log(grid).mean()
    return centred / (centred**2).sum()


def own_slope(bound_values: Sequence[float], grid: Sequence[float]) -> float:
    """The same slope of ln(bound) on ln(grid): where the declared window of a RATE has its centre."""
    values = np.asarray(bound_values, dtype=float)
    if not (values > 0).all():
        raise ValueError(f"own_slope: bound_values must be positive, got {values.tolist()}.")
    return float(slope_weights(grid) @ np.log(values))


def slope_rows(x: np.ndarray, grid: Sequence[float], kind: Literal["mean_log", "log_mean"]) -> tuple[float, np.ndarray]:
    """The slope estimate and one number a row whose mean's interval, recentred, is the slope's. x [r, J].

    mean_log: y_j = E ln X_j, exact. log_mean: y_j = ln E X_j, delta method. Rows are kept whole, so numbers shared
    between cells do no harm. Raises: ValueError for a non-positive mean in log_mean.
    """
    c = slope_weights(grid)
    if kind == "mean_log":
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = np.log(x) @ c
        return float(rows.mean()), rows
    means = x.mean(axis=0)
    if not (means > 0).all():
        raise ValueError(f"slope_rows: log of a non-positive mean, got means {means.tolist()}.")
    return float(c @ np.log(means)), (x / means) @ c


def slope_box(log_low: np.ndarray, log_high: np.ndarray, grid: Sequence[float]) -> tuple[float, float]:
    """The extreme slopes of any y inside the box [log_low, log_high], [J] each."""
    c = slope_weights(grid)
    low, high = np.asarray(log_low, dtype=float), np.asarray(log_high, dtype=float)
    used = c != 0  # the middle of a symmetric grid has no say, however wide its interval
    c, low, high = c[used], low[used], high[used]
    return float((c * np.where(c > 0, low, high)).sum()), float((c * np.where(c > 0, high, low)).sum())
