"""How many replicates a decision is going to need: medians, 99.9 % figures, and the probability that it stays open.

Upper bounds in the sense of a normal approximation to the log capital: only the best stake counts, earlier crossings
are ignored.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from sims._stats import _capital, _intervals
from sims._stats._judge import ALPHA
from theory._claims import Relation

__all__ = ["Plan", "plan", "plan_price", "plan_t"]

_NODES = 2000  # equal-probability nodes of the law that is planned with
_P999 = 1e-3


@dataclasses.dataclass(frozen=True)
class Plan:
    """Replicates until decided, in the median and with probability 0.999; P(still UNDECIDED at max_replicates)."""

    median: float
    p999: float
    p_undecided: float


def _law(mean: float, sd: float, skew: float, support: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Values and probabilities with this mean and sd: a point, two points, Beta, Gamma or normal."""
    a, b = support
    if sd <= 0:
        return np.array([mean]), np.array([1.0])
    finite = math.isfinite(a) and math.isfinite(b)
    if finite and sd**2 >= (1 - 1e-9) * (mean - a) * (b - mean):
        share = (mean - a) / (b - a)
        return np.array([a, b]), np.array([1 - share, share])
    from scipy import stats

    u = (np.arange(_NODES) + 0.5) / _NODES
    if finite:
        m, v = (mean - a) / (b - a), (sd / (b - a)) ** 2
        size = m * (1 - m) / v - 1
        values = a + (b - a) * stats.beta.ppf(u, m * size, (1 - m) * size)
    elif math.isfinite(a) and mean > a:
        shape = ((mean - a) / sd) ** 2
        values = a + stats.gamma.ppf(u, shape, scale=(mean - a) / shape)
    elif math.isfinite(b) and mean < b:
        shape = ((b - mean) / sd) ** 2
        values = b - stats.gamma.ppf(u, shape, scale=(b - mean) / shape)
    else:
        values = stats.norm.ppf(u, mean, sd)
    return values, np.full(_NODES, 1 / _NODES)


def plan_price(payoff: np.ndarray, weights: np.ndarray, price: float, alpha: float, most: float) -> Plan:
    """Plan of one price: tickets pay `payoff` with probabilities `weights`, at a price below their mean."""
    from scipy.stats import norm

    if price <= 0:
        first = 1 / max(1e-300, float(weights[payoff > 0].sum()))
        return Plan(first, first * math.log(1 / _P999), 0.0 if first < most else 1.0)
    with np.errstate(divide="ignore"):
        gains = np.log((1 - _capital.STAKES) + _capital.STAKES * payoff[:, None] / price)
    with np.errstate(invalid="ignore"):
        g = (weights[:, None] * gains).sum(axis=0)
        v = (weights[:, None] * (gains - g) ** 2).sum(axis=0)
    need = math.log(2 / alpha) - np.log(_capital.WEIGHTS)
    usable = np.isfinite(g) & (g > 0)
    if not usable.any():
        return Plan(math.inf, math.inf, 1.0)
    g, v, need = g[usable], np.maximum(v[usable], 0.0), need[usable]
    z = norm.isf(_P999)
    likely = ((z * np.sqrt(v) + np.sqrt(z**2 * v + 4 * g * need)) / (2 * g)) ** 2
    short = need - most * g
    with np.errstate(divide="ignore", invalid="ignore"):
        open_ = np.where(v > 0, norm.cdf(short / np.sqrt(most * v)), (short > 0).astype(float))
    return Plan(float(math.ceil((need / g).min() - 1e-9)), float(math.ceil(likely.min() - 1e-9)), float(open_.min()))


def plan_t(gap: float, sd: float, skew: float, alpha: float, most: float) -> Plan:
    """Plan of a t-mixture whose mean is `gap` inside the edge that has to be cleared."""
    from scipy.stats import norm

    if gap <= 0:
        return Plan(math.inf, math.inf, 1.0)
    guard = max(_intervals.MIN_T, math.ceil(400 * skew**2))

    def least(z: float) -> float:
        def short(n: int) -> bool:
            return _intervals.t_half_width(n, sd, alpha) + z * sd / math.sqrt(n) > gap

        if not short(guard):
            return float(guard)
        high = guard
        while short(high):
            high *= 2
            if high > 1e12:
                return math.inf
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if short(middle) else (low, middle)
        return float(high)

    if most < guard:
        p_open = 1.0
    else:
        p_open = float(norm.cdf(-(gap - _intervals.t_half_width(int(most), sd, alpha)) * math.sqrt(most) / sd)) if sd > 0 else 0.0
        # The guard looks at the sample's skewness, whose sd is sqrt(6/n) where the law has none.
        passes, spread = math.sqrt(most / 400), math.sqrt(6 / most)
        p_open = min(1.0, p_open + float(norm.sf((passes - abs(skew)) / spread) + norm.sf((passes + abs(skew)) / spread)))
    return Plan(least(0.0), least(float(norm.isf(_P999))), p_open)


def _later(*plans: Plan) -> Plan:
    return Plan(max(p.median for p in plans), max(p.p999 for p in plans), min(1.0, sum(p.p_undecided for p in plans)))


def plan(
    *,
    relation: Relation,
    mean: float,
    sd: float,
    bound: float,
    support: tuple[float, float],
    method: str,
    max_replicates: int,
    skew: float = 0.0,
    margin: Any = 0.0,
    alpha: float = ALPHA,
    quantile: float = 0.5,
) -> Plan:
    """Plan of one decision whose statistic has this mean, sd and skewness (RATE: the row's slope; margin the window).

    Quantile: mean and sd are the statistic's own, taken as normal. All-infinite where the mean sits on an edge.
    """
    _intervals.check_alpha("plan", alpha)
    _intervals.check_support("plan", support)
    if max_replicates < 1:
        raise ValueError(f"plan: max_replicates must be >= 1, got {max_replicates}.")
    if not 0 < quantile < 1:
        raise ValueError(f"plan: quantile must lie in (0, 1), got {quantile}.")
    if relation is Relation.RATE:
        lo, hi = margin
        if not lo < hi:
            raise ValueError(f"plan: window (lo, hi) needs lo < hi, got {margin}.")
        relation, bound, margin, method = Relation.EQUAL, 0.5 * (lo + hi), 0.5 * (hi - lo), "t"
        if math.isinf(lo):
            relation, bound = Relation.UPPER, hi
        elif math.isinf(hi):
            relation, bound = Relation.LOWER, lo
    if math.isnan(bound) or math.isnan(margin):
        raise ValueError(f"plan: bound and margin must be numbers, got bound {bound}, margin {margin}.")
    if relation is Relation.EQUAL and not margin > 0:
        raise ValueError(f"plan: margin must be > 0 for EQUAL, got {margin}.")
    edges = _edges(relation, mean, bound, margin)
    if method == "quantile":
        return _later(*(_quantile_side(side, edge, mean, sd, quantile, alpha, max_replicates) for side, edge in edges))
    return _later(*(_side(side, edge, mean, sd, skew, support, method, alpha, max_replicates) for side, edge in edges))


def _edges(relation: Relation, mean: float, bound: float, margin: float) -> list[tuple[str, float]]:
    """Which one-sided statements have to become true for the likely verdict: ("above" | "below", edge)."""
    if relation is Relation.EQUAL:
        if abs(mean - bound) <= margin:
            return [("above", bound - margin), ("below", bound + margin)]
        return [("above", bound + margin)] if mean > bound else [("below", bound - margin)]
    return [("below", bound)] if mean < bound else [("above", bound)]


def _side(
    side: str, edge: float, mean: float, sd: float, skew: float, support: tuple[float, float], method: str, alpha: float, most: int
) -> Plan:
    a, b = support
    end = a if side == "above" else b
    if method == "capital" and math.isfinite(end):
        if (side == "above" and edge < a) or (side == "below" and edge > b):
            return Plan(0.0, 0.0, 0.0)
        values, weights = _law(mean, sd, skew, support)
        payoff, price = (values - a, edge - a) if side == "above" else (b - values, b - edge)
        return plan_price(np.maximum(payoff, 0.0), weights, price, alpha, most)
    return plan_t(mean - edge if side == "above" else edge - mean, sd, skew, alpha, most)


def _quantile_side(side: str, edge: float, mean: float, sd: float, p: float, alpha: float, most: int) -> Plan:
    from scipy.stats import norm

    below = float(norm.cdf((edge - mean) / sd)) if sd > 0 else float(mean <= edge)
    share, price = (below, p) if side == "below" else (1 - below, 1 - p)
    return plan_price(np.array([0.0, 1.0]), np.array([1 - share, share]), price, alpha, most)
