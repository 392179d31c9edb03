"""adaptive.rounds: a guard and one chunk for each of two rounds, under an attack that asks the aggregate in between."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.adaptive import _cells
from sims.adaptive._noise import COLUMNS, gap_given_drift
from theory.adaptive import _rounds

ROUNDS = 2


@dataclasses.dataclass(frozen=True)
class RoundsCell:
    """h coordinate queries in each of two rounds, the aggregate of the first round's answers in between; tau, beta."""

    h: int
    tau: float
    beta: float


@register
@dataclasses.dataclass(frozen=True)
class RoundsPrepared:
    guard: float  # points of the guard
    chunk: float  # points of a chunk
    h: np.ndarray  # int32 []
    blocks: np.ndarray  # int32 []
    tau: float
    limit: float  # a chunk is given up where it differs from the guard by more than this


def validate_rounds(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.rounds"
    _cells.require(_cells.is_count(cell.h) and cell.h <= 2**28, fn, f"h must be an integer in 1..2^28, got {cell.h}.")
    _cells.require(_cells.in_unit(cell.tau), fn, f"tau must lie in (0, 1), got {cell.tau}.")
    _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")


def _prepared(cell, guard, chunk, limit):
    return RoundsPrepared(
        guard=float(max(2, guard)),
        chunk=float(max(2, chunk)),
        h=np.int32(cell.h),
        blocks=np.int32(-(-cell.h // COLUMNS)),
        tau=float(cell.tau),
        limit=float(limit),
    )


def prepare_rounds(cell, share=1):
    """RoundsCell -> RoundsPrepared at F15's sizes for 2h + 1 queries; guard and chunks cut to a `share`-th."""
    size = _rounds.n_rounds(2 * cell.h + 1, ROUNDS, cell.tau, cell.beta)
    return _prepared(cell, size.guard // share, size.chunk // share, cell.tau / 2)


def prepare_without_guard(cell):
    """RoundsCell -> RoundsPrepared: every answer is a mean over all of F15's points, and nothing is compared."""
    total = _rounds.n_rounds(2 * cell.h + 1, ROUNDS, cell.tau, cell.beta).total
    return _prepared(cell, total, total, math.inf)


@dataclasses.dataclass(frozen=True)
class RoundsErrorsCell:
    """n points, a third of them the guard, answer m queries and the aggregate: its first half, the aggregate, the rest."""

    n: int
    m: int
    tau: float


def validate_rounds_errors(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.rounds"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(cell.n >= 30 and cell.m >= 2, fn, f"n >= 30 and m >= 2 are allowed, got n={cell.n}, m={cell.m}.")
    _cells.require(_cells.in_unit(cell.tau), fn, f"tau must lie in (0, 1), got {cell.tau}.")


def prepare_rounds_errors(cell):
    """RoundsErrorsCell -> RoundsPrepared."""
    return _prepared(RoundsCell(cell.m // 2, cell.tau, 0.5), cell.n // 3, cell.n // 3, cell.tau / 2)


def simulate_rounds(key, prepared):
    """1 if an answer errs by tau or more, or a comparison fails with no chunk left, else 0. float32 [].

    Means of fair-coin queries and the aggregate's mean on each part come from their normal limits; parts are independent.
    `spent`: whether the second chunk came into use; `largest` error; `first`, `second`, `guarding`: the aggregate's mean
    minus its truth on the chunks and the guard. `tie`: the largest error lies within float32 rounding of tau.
    """
    key_one, key_aggregate, key_two = jax.random.split(key, 3)
    column = jnp.arange(COLUMNS, dtype=jnp.int32)
    sizes = jnp.stack([jnp.asarray(v, jnp.float32) for v in (prepared.chunk, prepared.chunk, prepared.guard)])
    sd = 0.5 / jnp.sqrt(sizes)

    def answer(error, switched_before):
        """[columns] of answers' errors given [columns, 3] of means' errors, in order of asking."""
        departs = jnp.abs(error[:, 0] - error[:, 2]) > prepared.limit
        seen = jnp.cumsum(departs.astype(jnp.int32))
        second = switched_before | (seen > 0)
        compared = switched_before | (seen - departs.astype(jnp.int32) > 0)  # the second chunk was already in use
        exhausted = jnp.any(compared & (jnp.abs(error[:, 1] - error[:, 2]) > prepared.limit))
        return jnp.where(second, error[:, 1], error[:, 0]), second[-1], exhausted

    def ask_round(key, switched, exhausted, largest):
        def add_block(block, state):
            inner, square, switched, exhausted, largest = state
            unit = jax.random.normal(jax.random.fold_in(key, block), (COLUMNS, 3), jnp.float32)
            asked = block * COLUMNS + column < prepared.h
            error = jnp.where(asked[:, None], unit * sd[None, :], 0.0)
            answers, switched, out = answer(error, switched)
            largest = jnp.maximum(largest, jnp.abs(answers).max())
            return inner + answers @ error, square + answers @ answers, switched, exhausted | out, largest

        start = (jnp.zeros(3, jnp.float32), jnp.zeros((), jnp.float32), switched, exhausted, largest)
        return jax.lax.fori_loop(0, prepared.blocks, add_block, start)

    no = jnp.bool_(False)
    inner, square, switched, exhausted, largest = ask_round(key_one, no, no, jnp.float32(0))
    drift = 2 * inner / jnp.sqrt(jnp.maximum(square, 1e-30))  # mean score over its sd within a part, |w|/2
    gaps = jax.vmap(gap_given_drift)(jax.random.split(key_aggregate, 3), drift, sizes)
    answers, switched, out = answer(gaps[None, :], switched)
    largest = jnp.maximum(largest, jnp.abs(answers[0]))
    _, _, switched, exhausted, largest = ask_round(key_two, switched, exhausted | out, largest)
    return {
        "x": ((largest >= prepared.tau) | exhausted).astype(jnp.float32),
        "tie": jnp.abs(largest - prepared.tau) <= 1e-5 * prepared.tau,
        "largest": largest,
        "spent": switched.astype(jnp.float32),
        "first": gaps[0],
        "second": gaps[1],
        "guarding": gaps[2],
    }
