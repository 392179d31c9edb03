"""How many points each guarantee asks for, side by side with splitting, and from how many queries on it asks for fewer."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np

from theory.adaptive import _arguments
from theory.adaptive._attack import n_split, split_failure_exact
from theory.adaptive._holdout import thm25_sample_size
from theory.adaptive._noise import n_gaussian_jung, n_laplace_advanced, n_laplace_pure, n_laplace_sharp
from theory.adaptive._rounds import n_rounds

__all__ = ["CERTIFIED", "Certified", "certified_crossover", "certified_size", "certified_table", "split_largest_error", "split_needed"]

MOST_QUERIES = 10**9  # crossovers are looked for up to here


@dataclasses.dataclass(frozen=True)
class Certified:
    """One guarantee at (m, tau, beta). n: points. ratio: n over splitting's. crossover: from this m on n is below
    splitting's; None if that does not happen up to 10^9 queries."""

    name: str
    promise: str
    n: int
    ratio: float
    crossover: int | None


# name -> (what is promised and from what, n(m, tau, beta, rounds, budget)); m counts ALL queries.
CERTIFIED: dict[str, tuple[str, Callable[..., int]]] = {
    "split": (
        "m adaptive queries: a fresh chunk for each (Hoeffding, union bound)",
        lambda m, tau, beta, rounds, budget: n_split(m, tau, beta),
    ),
    "laplace-pure": (
        "m adaptive queries: Laplace noise, pure composition, Corollary 7 as printed",
        lambda m, tau, beta, rounds, budget: n_laplace_pure(m, tau, beta),
    ),
    "laplace-sharp": (
        "m adaptive queries: Laplace noise, pure composition, sharp transfer derived here",
        lambda m, tau, beta, rounds, budget: n_laplace_sharp(m, tau, beta),
    ),
    "laplace-advanced": (
        "m adaptive queries: Laplace noise, Theorem 4 composition, Theorem 8 transfer",
        lambda m, tau, beta, rounds, budget: n_laplace_advanced(m, tau, beta),
    ),
    "gaussian-jung": (
        "m adaptive queries: normal noise, exact Gaussian privacy, transfer of Jung et al.",
        lambda m, tau, beta, rounds, budget: _arguments.ceil(n_gaussian_jung(m, tau, beta).n),
    ),
    "rounds": (
        "m queries in few adaptive rounds: guarded chunks derived here",
        lambda m, tau, beta, rounds, budget: n_rounds(m, min(rounds, m), tau, beta).total,
    ),
    "thm25": (
        "m adaptive queries, until `budget` of them overfit the training set: Thresholdout, Theorem 25",
        lambda m, tau, beta, rounds, budget: thm25_sample_size(m, min(budget, m), tau, beta),
    ),
}


def _checked(fn, m, tau, beta, rounds, budget):
    m, rounds, budget = (int(v) for v in _arguments.integers(fn, m=m, rounds=rounds, budget=budget))
    return m, float(_arguments.open_unit(fn, "tau", tau)), float(_arguments.open_unit(fn, "beta", beta)), rounds, budget


def _known(fn, name):
    if name not in CERTIFIED:
        raise ValueError(f"{fn}: name must be one of {', '.join(CERTIFIED)}, got {name!r}.")


def certified_size(name, m, tau, beta, rounds=2, budget=1):
    """Points that the guarantee `name` (a key of CERTIFIED) asks for.

    Args: m: ALL queries, >= 1. tau, beta: in (0, 1). rounds: of "rounds"; budget: queries allowed to overfit, of "thm25";
      both >= 1, cut to m. Scalars. Returns: int. Raises: ValueError.
    """
    _known("certified_size", name)
    return CERTIFIED[name][1](*_checked("certified_size", m, tau, beta, rounds, budget))


@functools.lru_cache(maxsize=256)
def certified_crossover(name, tau, beta, rounds=2, budget=1):
    """The number of queries from which on the guarantee `name` asks for fewer points than splitting.

    Their ratio falls with m (splitting is m ln m, the others grow more slowly or in proportion), so one bisection finds it.
    Args as `certified_size`. Returns: int, or None if splitting is never beaten up to 10^9 queries. Raises: ValueError.
    """
    _known("certified_crossover", name)
    args = _checked("certified_crossover", 1, tau, beta, rounds, budget)[1:]

    def beats(m):
        return CERTIFIED[name][1](m, *args) < n_split(m, args[0], args[1])

    if name == "split" or not beats(MOST_QUERIES):
        return None
    low, high = 0, 1
    while not beats(high):
        low, high = high, min(4 * high, MOST_QUERIES)
    while high - low > 1:
        middle = (low + high) // 2 if high < 2 * low + 8 else math.isqrt(max(low, 1) * high)
        low, high = (low, middle) if beats(middle) else (middle, high)
    return high


def certified_table(m, tau, beta, rounds=2, budget=1):
    """Every guarantee's sample size for m queries, error tau, failure probability beta, beside splitting's.

    Args: as `certified_size`. Returns: tuple of Certified, splitting first; about 3 s for new (tau, beta), as crossovers
    are searched. Raises: ValueError.
    """
    args = _checked("certified_table", m, tau, beta, rounds, budget)
    split = n_split(*args[:3])
    rows = []
    for name, (promise, size) in CERTIFIED.items():
        n = size(*args)
        rows.append(Certified(name, promise, n, n / split, certified_crossover(name, *args[1:])))
    return tuple(rows)


def split_needed(m, tau, beta):
    """Points that splitting needs in truth on fair-coin queries: m times the smallest chunk that keeps the exact failure
    probability at most beta for itself and every larger chunk.

    Args: m: ALL queries, >= 1. tau, beta: in (0, 1). Scalars. Returns: int, points. Raises: ValueError.
    """
    m, tau, beta, *_ = _checked("split_needed", m, tau, beta, 1, 1)
    most = n_split(m, tau, beta) // m  # Hoeffding: it survives from here on
    chunk = np.arange(1, most + 1)
    failing = np.flatnonzero(split_failure_exact(chunk, m, tau) > beta)
    return m * (int(chunk[failing[-1]]) + 1 if len(failing) else 1)


def split_largest_error(h, num_queries):
    """Expected largest error over `num_queries` fair-coin queries, each answered by the mean of its own h points, exact.

    E max |c/h - 1/2| = sum_{t >= 1} P[some |2c - h| >= t] / (2h), c ~ Bin(h, 1/2).
    Args: h, num_queries: scalars, >= 1. Returns: float, in (0, 1/2]. Raises: ValueError.
    """
    from scipy import stats

    h, num_queries = (int(v) for v in _arguments.integers("split_largest_error", h=h, num_queries=num_queries))
    t = np.arange(1, h + 1)
    some = np.minimum(2 * stats.binom.sf(np.ceil((h + t) / 2) - 1, h, 0.5), 1.0)
    with np.errstate(divide="ignore"):
        return float(-np.expm1(num_queries * np.log1p(-some)).sum() / (2 * h))
