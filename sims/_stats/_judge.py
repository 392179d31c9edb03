"""One decision: relation, bound and stored replicates in, verdict with its evidence out.

The verdict is that of the first deciding look. Capital is looked at after every replicate, found by a scan, so that
verdict and interval do not depend on batches, devices or interruptions; t-mixtures and slopes are looked at on a fixed
schedule. A replicate that failed counts as the worst end of the range for each side.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sims._stats import _capital, _intervals
from theory._claims import Relation, Verdict

__all__ = [
    "ALPHA",
    "ALPHA_USER",
    "MAX_DECISIONS",
    "Evidence",
    "OutOfRange",
    "first_decision",
    "judge",
    "judge_exact",
    "judge_none",
    "judge_rate",
    "residuals",
    "verdict",
]

ALPHA = 1e-6  # per decision, both sides together
ALPHA_USER = 1e-3  # a user's own cell, outside the family
MAX_DECISIONS = 1000  # per preset, so that a full run errs with probability at most 1e-3
_MAX_FAILED = 0.01  # share of failed replicates, or of ties, above which nothing is decided
_NEVER = math.inf


class OutOfRange(ValueError):
    """A finite value outside the declared range: the range is wrong, and with it every proof that used it."""

    def __init__(self, replicate: int, value: float, support: tuple[float, float]) -> None:
        super().__init__(f"judge: replicate {replicate} is {value}, outside the declared range {support}.")
        self.replicate, self.value = replicate, value


@dataclasses.dataclass(frozen=True)
class Evidence:
    """One decision. `num_replicates` is the first deciding look, or all that were judged; the interval is the one there.

    final: more replicates of the same seed cannot change it: decided, blocked by failures, or at the most allowed.
    asymptotic: the side that decided rests on a t-mixture.
    """

    verdict: Verdict
    num_replicates: int
    estimate: float
    low: float
    high: float
    slack: float
    num_failed: int
    ties: int
    method: str
    asymptotic: bool
    level: float
    reason: str
    final: bool


def verdict(relation: Relation, low: float, high: float, bound: Any, margin: float = 0.0) -> Verdict:
    """What an interval says of a bound; RATE: `bound` is the window (lo, hi)."""
    lo, hi = bound if relation is Relation.RATE else (bound - margin, bound + margin)
    if relation in (Relation.UPPER, Relation.TAIL):
        supported, refuted = high <= bound, low > bound
    elif relation in (Relation.LOWER, Relation.ORDER):
        supported, refuted = low >= bound, high < bound
    else:
        supported, refuted = lo <= low and high <= hi, low > hi or high < lo
    return Verdict.SUPPORTED if supported else Verdict.REFUTED if refuted else Verdict.UNDECIDED


# --- sides -------------------------------------------------------------------------------------------------------


class _Sides:
    """When each one-sided statement about the mean becomes true: arrays over looks r = 1..n, [n] bool."""

    def __init__(self, x: np.ndarray, support: tuple[float, float], method: str, alpha: float, most: int) -> None:
        self.n, self.q, self.alpha, self.most = x.size, math.log(2 / alpha), alpha, most
        a, b = support
        missing = ~np.isfinite(x)
        self.ends = (a, b)
        self.capital = (method == "capital" and math.isfinite(a), method == "capital" and math.isfinite(b))
        self.x = x
        self.x_low = np.where(missing, a, x)  # the worst completion for the lower limit, and for the upper
        self.x_high = np.where(missing, b, x)
        self._t: tuple[np.ndarray, np.ndarray] | None = None

    def _t_limits(self) -> tuple[np.ndarray, np.ndarray]:
        if self._t is None:
            low, high = np.full(self.n, -math.inf), np.full(self.n, math.inf)
            for r in _intervals.looks(self.most):
                if r <= self.n:  # not monotone in the data, so no completion is the worst: infinite with one failure
                    low[r - 1], high[r - 1] = _intervals.t_interval(self.x[:r], self.alpha)
            self._t = (low, high)
        return self._t

    def above(self, m: float, strict: bool) -> np.ndarray:
        """The mean is shown to be at least m, or (strict) above it."""
        a = self.ends[0]
        if not self.capital[0]:
            return self._t_limits()[0] > m if strict else self._t_limits()[0] >= m
        if m < a or (m == a and not strict):
            return np.ones(self.n, dtype=bool)
        return _capital.log_capital_path(self.x_low - a, m - a) >= self.q

    def below(self, m: float, strict: bool) -> np.ndarray:
        b = self.ends[1]
        if not self.capital[1]:
            return self._t_limits()[1] < m if strict else self._t_limits()[1] <= m
        if m > b or (m == b and not strict):
            return np.ones(self.n, dtype=bool)
        return _capital.log_capital_path(b - self.x_high, b - m) >= self.q

    def limits(self, r: int) -> tuple[float, float]:
        (a, b), (t_low, t_high) = self.ends, (self.ends if not r else _intervals.t_interval(self.x[:r], self.alpha))
        low = a + _capital.price_limit(self.x_low[:r] - a, self.q) if self.capital[0] else t_low
        high = b - _capital.price_limit(b - self.x_high[:r], self.q) if self.capital[1] else t_high
        return low, high


def _paths(relation: Relation, bound: float, margin: float, above: Callable, below: Callable) -> tuple[np.ndarray, np.ndarray, str]:
    """Looks at which a relation is supported and at which it is refuted, and which limit supports."""
    if relation in (Relation.UPPER, Relation.TAIL):
        return below(bound, False), above(bound, True), "high"
    if relation in (Relation.LOWER, Relation.ORDER):
        return above(bound, False), below(bound, True), "low"
    supported = above(bound - margin, False) & below(bound + margin, False)
    return supported, above(bound + margin, True) | below(bound - margin, True), "both"


def _quantile_paths(
    x: np.ndarray, relation: Relation, bound: float, margin: float, p: float, alpha: float
) -> tuple[np.ndarray, np.ndarray, str]:
    """A quantile against m is the mean of an indicator against p: q <= m iff P(x <= m) >= p."""
    q = math.log(2 / alpha)
    low_end, high_end = np.where(np.isnan(x), -math.inf, x), np.where(np.isnan(x), math.inf, x)

    def below(m: float, strict: bool) -> np.ndarray:  # tickets y = 1[x <= m] at price p; the failed are +inf
        hits = high_end < m if strict else high_end <= m
        return _capital.log_capital_path(hits.astype(float), p) >= q

    def above(m: float, strict: bool) -> np.ndarray:
        hits = low_end > m if strict else low_end >= m
        return _capital.log_capital_path(hits.astype(float), 1 - p) >= q

    return _paths(relation, bound, margin, above, below)


def _clipped(x: np.ndarray, support: tuple[float, float]) -> np.ndarray:
    """x with rounding beyond the ends of its range taken off. Raises: OutOfRange."""
    a, b = support
    ends = [abs(e) for e in (a, b, b - a) if math.isfinite(e)]
    room = 1e-6 * (max(ends, default=0.0) or 1.0)
    wrong = np.isfinite(x) & ((x < a - room) | (x > b + room))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise OutOfRange(first, float(x[first]), support)
    return np.where(np.isfinite(x), np.clip(x, a, b), math.nan)


def _checked(
    fn: str, relation: Relation, bound: float, margin: float, support: tuple[float, float], alpha: float, most: int, p: float
) -> None:
    _intervals.check_alpha(fn, alpha)
    _intervals.check_support(fn, support)
    if math.isnan(bound) or math.isnan(margin):
        raise ValueError(f"{fn}: bound and margin must be numbers, got bound {bound}, margin {margin}.")
    if relation is Relation.EQUAL and not margin > 0:
        raise ValueError(f"{fn}: margin must be > 0 for EQUAL, got {margin}.")
    if relation in (Relation.EXACT, Relation.RATE, Relation.PHASE):
        raise ValueError(f"{fn}: relation must be UPPER, LOWER, TAIL, EQUAL or ORDER, got {relation.value}.")
    if most < 1:
        raise ValueError(f"{fn}: max_replicates must be >= 1, got {most}.")
    if not 0 < p < 1:
        raise ValueError(f"{fn}: p must lie in (0, 1), got {p}.")


def _by_arithmetic(relation: Relation, bound: float, margin: float, support: tuple[float, float]) -> bool:
    """Whether the bound lies beyond the range on the refuting side: false whatever is drawn."""
    a, b = support
    if relation in (Relation.UPPER, Relation.TAIL):
        return bound < a
    if relation in (Relation.LOWER, Relation.ORDER):
        return bound > b
    return bound + margin < a or bound - margin > b


def first_decision(
    x: np.ndarray, relation: Relation, bound: float, support: tuple[float, float], alpha: float, margin: float = 0.0
) -> tuple[Verdict, int]:
    """The verdict of the first deciding look by capital, and that look; (UNDECIDED, len(x)) if there is none."""
    e = judge(
        x, relation=relation, bound=bound, support=support, method="capital", margin=margin, alpha=alpha, max_replicates=max(1, len(x))
    )
    return e.verdict, e.num_replicates


def judge(
    x: np.ndarray,
    *,
    relation: Relation,
    bound: float,
    support: tuple[float, float],
    method: str,
    max_replicates: int,
    margin: float = 0.0,
    alpha: float = ALPHA,
    quantile: float = 0.5,
    ties: np.ndarray | None = None,
) -> Evidence:
    """Judges one number per replicate, x [n] in replicate order; nan or inf: that replicate failed.

    Args: method "capital" (a side without an end of the range falls back on the t-mixture), "t" or "quantile".
      ties: bool [n], replicates whose statistic was decided by rounding.
    Raises: ValueError for bad arguments; OutOfRange for a finite value outside `support`.
    """
    _checked("judge", relation, bound, margin, support, alpha, max_replicates, quantile)
    if method not in ("capital", "t", "quantile"):
        raise ValueError(f'judge: method must be "capital", "t" or "quantile", got {method!r}.')
    x = _intervals.check_data("judge", x)[:max_replicates]
    if method != "quantile" and _by_arithmetic(relation, bound, margin, support):
        return _evidence_of(
            x[:0], ties, Verdict.REFUTED, support, relation, bound, margin, "exact", False, alpha, "the bound lies outside the range", True
        )
    if method == "quantile":
        x = np.where(np.isinf(x), math.nan, x)
        supported, refuted, side = _quantile_paths(x, relation, bound, margin, quantile, alpha)
    else:
        x = _clipped(x, support)
        sides = _Sides(x, support, method, alpha, max_replicates)
        supported, refuted, side = _paths(relation, bound, margin, sides.above, sides.below)
    missing = np.isnan(x)
    allowed = np.cumsum(missing) <= _MAX_FAILED * np.arange(1, x.size + 1)
    tied = np.zeros(x.size, dtype=bool) if ties is None else np.asarray(ties, dtype=bool)[: x.size]
    deciding = np.flatnonzero((supported | refuted) & allowed)
    blocked_at = _blocked_at(missing, max_replicates)
    r = int(deciding[0]) + 1 if deciding.size else blocked_at or x.size
    num_failed, num_ties = int(missing[:r].sum()), int(tied[:r].sum())
    word, reason = Verdict.UNDECIDED, ""
    if deciding.size:
        both = supported[r - 1] and refuted[r - 1]
        word = Verdict.UNDECIDED if both else Verdict.SUPPORTED if supported[r - 1] else Verdict.REFUTED
        reason = "supported and refuted at once: the declared range is broken" if both else ""
        if num_ties > _MAX_FAILED * r:
            word, reason = Verdict.UNDECIDED, f"decided by rounding: {num_ties} of {r} replicates are ties; use float64"
    elif blocked_at:
        reason = _failures(missing[:r], "replicates")
    elif x.size >= max_replicates:
        reason = f"not decided within {max_replicates} replicates"
    if method == "quantile":
        low, high = _intervals.quantile_interval(x[:r], quantile, alpha)
        asymptotic = False
    else:
        low, high = sides.limits(r)
        asymptotic = word is not Verdict.UNDECIDED and _rests_on_t(sides.capital, side, word, relation, low, high, bound, margin)
    return _finish(
        x[:r], word, low, high, relation, bound, margin, num_failed, num_ties, method, asymptotic, alpha, reason,
        bool(deciding.size) or blocked_at is not None or x.size >= max_replicates, quantile,
    )  # fmt: skip


def _blocked_at(missing: np.ndarray, most: int) -> int | None:
    """The replicate after which failures exceed 1 % of all that may be drawn; nothing can be decided from there on."""
    over = np.flatnonzero(np.cumsum(missing) > _MAX_FAILED * most)
    return int(over[0]) + 1 if over.size else None


def _failures(missing: np.ndarray, noun: str) -> str:
    named = np.flatnonzero(missing)
    return f"{named.size} of {missing.size} {noun} failed: {', '.join(map(str, named[:8]))}{', …' if named.size > 8 else ''}"


def _rests_on_t(
    capital: tuple[bool, bool], side: str, word: Verdict, relation: Relation, low: float, high: float, bound: float, margin: float
) -> bool:
    """Whether a limit that took part in the decision is a t-mixture's."""
    by_low, by_high = not capital[0], not capital[1]
    if word is Verdict.SUPPORTED:
        return {"low": by_low, "high": by_high, "both": by_low or by_high}[side]
    if side == "both":
        return by_low if low > bound + margin else by_high
    return by_low if side == "high" else by_high


def _finish(
    x: np.ndarray, word: Verdict, low: float, high: float, relation: Relation, bound: float, margin: float, num_failed: int,
    num_ties: int, method: str, asymptotic: bool, alpha: float, reason: str, final: bool, quantile: float = 0.5,
) -> Evidence:  # fmt: skip
    seen = x[np.isfinite(x)]
    estimate = math.nan
    if seen.size:
        estimate = float(np.quantile(seen, quantile) if method == "quantile" else seen.mean())
    sd = float(seen.std(ddof=1)) if seen.size > 1 else math.nan
    slack = slack_of(relation, low, high, bound, margin, sd)
    return Evidence(word, x.size, estimate, low, high, slack, num_failed, num_ties, method, asymptotic, alpha, reason, final)


def _evidence_of(
    x: np.ndarray, ties: Any, word: Verdict, support: tuple[float, float], relation: Relation, bound: float, margin: float, method: str,
    asymptotic: bool, alpha: float, reason: str, final: bool,
) -> Evidence:  # fmt: skip
    low, high = support
    return _finish(x, word, low, high, relation, bound, margin, 0, 0, method, asymptotic, alpha, reason, final)


def slack_of(relation: Relation, low: float, high: float, bound: float, margin: float, sd: float = math.nan) -> float:
    """Room between interval and bound: above 1 is room to spare. Where no ratio makes sense, the difference."""
    if relation in (Relation.UPPER, Relation.TAIL):
        return bound / high if bound > 0 and high > 0 else bound - high
    if relation is Relation.LOWER:
        return low / bound if bound > 0 and low > 0 else low - bound
    if relation is Relation.ORDER:
        return low / sd if sd > 0 else low
    far = max(abs(low - bound), abs(high - bound))
    return margin / far if far > 0 else math.inf


def judge_none(x: np.ndarray, *, support: tuple[float, float], method: str, alpha: float, quantile: float = 0.5) -> Evidence:
    """Estimate and interval of all replicates, where there is no bound to hold them against: UNTESTED."""
    x = _intervals.check_data("judge_none", x)
    _intervals.check_alpha("judge_none", alpha)
    _intervals.check_support("judge_none", support)
    x = np.where(np.isinf(x), math.nan, x) if method == "quantile" else _clipped(x, support)
    failed = int(np.isnan(x).sum())
    if method == "quantile":
        low, high = _intervals.quantile_interval(x, quantile, alpha)
    else:
        low, high = _Sides(x, support, method, alpha, max(1, x.size)).limits(x.size)
    return _finish(
        x, Verdict.UNTESTED, low, high, Relation.UPPER, math.nan, 0.0, failed, 0, method, method == "t", alpha, "", False, quantile
    )


# --- slopes ------------------------------------------------------------------------------------------------------


def judge_rate(
    x: np.ndarray,
    grid: Sequence[float],
    *,
    window: tuple[float, float],
    rate_of: str,
    method: str,
    max_replicates: int,
    support: tuple[float, float] = _intervals.WHOLE,
    alpha: float = ALPHA,
) -> Evidence:
    """Judges the log-log slope of x [n, J] over `grid` [J] against a window; row r is replicate r of every cell.

    method "rows" (rate_of "mean_log" or "log_mean"; asymptotic) or "box" (simultaneous intervals of every cell at
    alpha/J; finite-sample; rate_of "log_mean" or "log_median").
    Raises: ValueError for bad arguments.
    """
    lo, hi = window
    if not lo < hi:
        raise ValueError(f"judge_rate: window (lo, hi) needs lo < hi, got {window}.")
    _checked("judge_rate", Relation.UPPER, 0.0, 0.0, support, alpha, max_replicates, 0.5)
    if (method, rate_of) not in {("rows", "mean_log"), ("rows", "log_mean"), ("box", "log_mean"), ("box", "log_median")}:
        raise ValueError(f"judge_rate: method {method!r} cannot judge rate_of {rate_of!r}.")
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != len(grid):
        raise ValueError(f"judge_rate: x must be [replicates, {len(grid)}], got shape {x.shape}.")
    _intervals.slope_weights(grid)
    x = x[:max_replicates]
    bad = ~np.isfinite(x) | (x <= 0 if rate_of == "mean_log" else False)
    failed = bad.any(axis=1)
    word, r, low, high = Verdict.UNDECIDED, len(x), -math.inf, math.inf
    for look in _intervals.looks(max_replicates):
        if look > len(x) or word is not Verdict.UNDECIDED:
            break
        if failed[:look].sum() <= _MAX_FAILED * look:
            low, high = _slope_interval(x[:look], bad[:look], grid, rate_of, method, support, alpha)
            word = verdict(Relation.RATE, low, high, window)
            r = look if word is not Verdict.UNDECIDED else len(x)
    blocked_at = _blocked_at(failed, max_replicates) if word is Verdict.UNDECIDED else None
    r = blocked_at or r
    if word is Verdict.UNDECIDED and len(x):
        low, high = _slope_interval(x[:r], bad[:r], grid, rate_of, method, support, alpha)
    num_failed = int(failed[:r].sum())
    reason = ""
    if blocked_at:
        reason = _failures(failed[:r], "rows")
    elif word is Verdict.UNDECIDED and len(x) >= max_replicates:
        reason = f"not decided within {max_replicates} rows"
    estimate = _slope_estimate(x[:r][~failed[:r]], grid, rate_of)
    final = word is not Verdict.UNDECIDED or blocked_at is not None or len(x) >= max_replicates
    asymptotic = method == "rows" and word is not Verdict.UNDECIDED
    return Evidence(word, r, estimate, low, high, _slope_slack(low, high, lo, hi), num_failed, 0, method, asymptotic, alpha, reason, final)


def _slope_slack(low: float, high: float, lo: float, hi: float) -> float:
    """Half window over the farthest end; one-sided: room to the finite edge in units of the interval's half width, plus 1."""
    if not math.isfinite(high - low):
        return 0.0
    if math.isinf(lo) or math.isinf(hi):
        edge = hi - high if math.isinf(lo) else low - lo
        return 1 + edge / max(0.5 * (high - low), 1e-300)
    centre, half = 0.5 * (lo + hi), 0.5 * (hi - lo)
    far = max(abs(low - centre), abs(high - centre))
    return half / far if far > 0 else math.inf


def _slope_estimate(x: np.ndarray, grid: Sequence[float], rate_of: str) -> float:
    if not len(x):
        return math.nan
    if rate_of == "log_median":
        centre = np.median(x, axis=0)
        return float(_intervals.slope_weights(grid) @ np.log(centre)) if (centre > 0).all() else math.nan
    if rate_of == "log_mean" and not (x.mean(axis=0) > 0).all():
        return math.nan
    return _intervals.slope_rows(x, grid, rate_of)[0]


def _slope_interval(
    x: np.ndarray, bad: np.ndarray, grid: Sequence[float], rate_of: str, method: str, support: tuple[float, float], alpha: float
) -> tuple[float, float]:
    a, b = support
    if method == "box":
        each = alpha / len(grid)
        cells = [
            _intervals.quantile_interval(np.where(bad[:, j], math.nan, x[:, j]), 0.5, each)
            if rate_of == "log_median"
            else _intervals.interval(_clipped(np.where(bad[:, j], math.nan, x[:, j]), support), support, each)
            for j in range(len(grid))
        ]
        low, high = (np.array([c[i] for c in cells]) for i in (0, 1))
        with np.errstate(divide="ignore"):
            return _intervals.slope_box(np.log(np.maximum(low, 0)), np.log(np.maximum(high, 0)), grid)
    if bad.any():
        if not (a > 0 and math.isfinite(b)):
            return _intervals.WHOLE
        c = _intervals.slope_weights(grid)
        flat = np.where(bad, np.where(c > 0, a, b), x)  # completions that push the slope down, and up
        steep = np.where(bad, np.where(c > 0, b, a), x)
        return _rows_interval(flat, grid, rate_of, alpha)[0], _rows_interval(steep, grid, rate_of, alpha)[1]
    return _rows_interval(x, grid, rate_of, alpha)


def _rows_interval(x: np.ndarray, grid: Sequence[float], rate_of: str, alpha: float) -> tuple[float, float]:
    estimate, rows = _intervals.slope_rows(x, grid, rate_of)
    low, high = _intervals.t_interval(rows, alpha)
    return estimate + (low - rows.mean()), estimate + (high - rows.mean())


# --- exact -------------------------------------------------------------------------------------------------------


def judge_exact(statistics: np.ndarray, bounds: np.ndarray, *, residual: str, tolerance: float) -> tuple[Evidence, int]:
    """Judges host-float64 cases, [n] statistics against [n] bounds; returns the evidence and the worst case's index.

    residual "identity": |lhs - rhs| / max(1, |rhs|); "upper", "lower": (lhs - rhs)/|rhs|, positive when violated;
    "log_upper", "log_lower": ln lhs - ln rhs. A nan bound: outside the assumptions, not counted. +inf is a violation;
    a nan statistic leaves the check UNDECIDED even if another case is violated.
    """
    lhs, rhs = np.asarray(statistics, dtype=float), np.asarray(bounds, dtype=float)
    if lhs.ndim != 1 or lhs.shape != rhs.shape:
        raise ValueError(f"judge_exact: statistics and bounds must be one-dimensional and alike, got shapes {lhs.shape} and {rhs.shape}.")
    if not tolerance >= 0:
        raise ValueError(f"judge_exact: tolerance must be >= 0, got {tolerance}.")
    counted = np.flatnonzero(~np.isnan(rhs))
    values = residuals(lhs, rhs, residual)[counted]

    def evidence(word: Verdict, worst: float, reason: str) -> Evidence:
        slack = tolerance / worst if worst > 0 else math.inf
        if residual != "identity" and math.isfinite(worst) and worst < 0:
            slack = math.exp(min(-worst, 700.0)) if residual.startswith("log") else 1 / (1 + worst) if worst > -1 else math.inf
        return Evidence(word, len(counted), worst, worst, worst, slack, 0, 0, "exact", False, 0.0, reason, True)

    if not counted.size:
        return evidence(Verdict.UNDECIDED, math.nan, "no case inside the assumptions"), -1
    lost = np.flatnonzero(np.isnan(values))
    violated = int((values > tolerance).sum())
    if lost.size:
        also = f"; {violated} other cases are violated" if violated else ""
        return evidence(Verdict.UNDECIDED, math.nan, f"{lost.size} of {counted.size} cases are nan{also}"), int(counted[lost[0]])
    worst = int(np.argmax(values))
    reason = f"{violated} of {counted.size} cases violated" if violated else ""
    return evidence(Verdict.REFUTED if violated else Verdict.SUPPORTED, float(values[worst]), reason), int(counted[worst])


def residuals(statistics: np.ndarray, bounds: np.ndarray, kind: str) -> np.ndarray:
    """The residual of every case as `judge_exact` forms it, [n]; nan where a statistic or a bound is nan."""
    return np.array([_residual(float(lhs), float(rhs), kind) for lhs, rhs in zip(statistics, bounds, strict=True)], dtype=float)


def _residual(lhs: float, rhs: float, kind: str) -> float:
    if math.isnan(lhs) or math.isnan(rhs):
        return math.nan
    if kind == "identity":
        if math.isinf(lhs) or math.isinf(rhs):
            return 0.0 if lhs == rhs else math.inf
        return abs(lhs - rhs) / max(1.0, abs(rhs))
    sign = -1.0 if kind.endswith("lower") else 1.0
    if kind.startswith("log_"):
        if lhs < 0 or rhs < 0:
            return math.nan
        if lhs == rhs:
            return 0.0
        logs = [math.log(v) if v > 0 else -math.inf for v in (lhs, rhs)]
        return sign * (logs[0] - logs[1])
    if kind not in ("upper", "lower"):
        raise ValueError(f'judge_exact: residual must be "identity", "upper", "lower", "log_upper" or "log_lower", got {kind!r}.')
    if lhs == rhs:
        return 0.0
    difference = sign * (lhs - rhs)
    if math.isinf(rhs) or math.isinf(lhs):
        return math.copysign(math.inf, difference)
    return difference / abs(rhs) if rhs != 0 else math.copysign(math.inf, difference)
