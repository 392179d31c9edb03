"""Few rounds of adaptivity: a guard set, and one chunk of points for every round (derived analogue).

The mechanism. A guard of n_g points and r chunks of n_c points each. A query is answered by its mean on the chunk in use;
if that differs from the guard's mean by more than tau/2 and a chunk is left, the next chunk comes into use and answers,
without being compared. Guard means are never shown.

Proof sketch. Given the chunks and the analyst's coins, the guard enters the transcript only through m comparison bits,
fewer than r of which are ones. A union over these sum_{j<r} C(m, j) transcripts, and over the m queries of each, keeps
the guard within tau/4 on every query with probability 1 - beta/2. A chunk first used in round t is independent of all
queries of round t, so a union over chunks and queries keeps it within tau/4 on them. Then no comparison fails in
round 1 and at most one in every later round, so r chunks suffice; an answer that passes is within tau/2 of a guard mean
that is within tau/4 of the truth, and one that is given without comparison is itself within tau/4.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from theory.adaptive import _arguments

__all__ = ["RoundsSize", "n_rounds"]


@dataclasses.dataclass(frozen=True)
class RoundsSize:
    """Points of the guard, of each chunk, and in all."""

    guard: int
    chunk: int
    total: int


def n_rounds(m, r, tau, beta):
    """Sample size of the guarded chunks for m queries in r rounds (derived; i.i.d. sample).

    guard = ceil(8 (ln sum_{j<r} C(m,j) + ln(4m/beta)) / tau^2), chunk = ceil(8 ln(4mr/beta) / tau^2), total = guard + r chunk.

    Args: m: ALL queries, >= 1. r: rounds, 1 <= r <= m. tau, beta: in (0, 1). Scalars.
    Returns: RoundsSize. Raises: ValueError.
    """
    from scipy.special import gammaln, logsumexp

    fn = "n_rounds"
    m, r = (int(v) for v in _arguments.integers(fn, m=m, r=r))
    if r > m:
        raise ValueError(f"{fn}: rounds must satisfy 1 <= r <= m={m}, got {r}.")
    tau, beta = float(_arguments.open_unit(fn, "tau", tau)), float(_arguments.open_unit(fn, "beta", beta))
    j = np.arange(r)
    transcripts = float(logsumexp(gammaln(m + 1) - gammaln(j + 1) - gammaln(m - j + 1)))
    guard = _arguments.ceil(8 * (transcripts + math.log(4 * m / beta)) / tau**2)
    chunk = _arguments.ceil(8 * math.log(4 * m * r / beta) / tau**2)
    return RoundsSize(guard, chunk, guard + r * chunk)
