"""adaptive.split and adaptive.thm25: does every answer stay within tau of the truth?"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.adaptive import _cells
from sims.adaptive._cells import COINS
from theory import adaptive as theory


@dataclasses.dataclass(frozen=True)
class SplitCell:
    """n points in m + 1 equal chunks, one per query; a run fails if some query errs by at least tau; bound beta."""

    n: int
    m: int
    tau: float
    beta: float


@register
@dataclasses.dataclass(frozen=True)
class SplitPrepared:
    queries: np.ndarray  # int32 [], m + 1
    chunk: np.ndarray  # int32 [], points per query
    threshold: np.ndarray  # int32 []: a count c errs if |2c - chunk| >= threshold


SPLIT_TILE = (128, 16)  # queries and words drawn at a time


def validate_split(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.split"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(_cells.in_unit(cell.tau), fn, f"tau must lie in (0, 1), got {cell.tau}.")
    _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")
    text = f"sample splitting needs at least one point per query, got n={cell.n} for m+1={cell.m + 1} queries."
    _cells.require(cell.n >= cell.m + 1, fn, text)
    _cells.require(cell.n < 2**31, fn, f"n must stay below 2^31, got {cell.n}.")


def prepare_split(cell, share=1):
    """SplitCell -> SplitPrepared; every chunk is cut to a `share`-th of its points (rounded down, at least 1)."""
    chunk = max(1, cell.n // (cell.m + 1) // share)
    return SplitPrepared(queries=np.int32(cell.m + 1), chunk=np.int32(chunk), threshold=np.int32(theory.split_threshold(chunk, cell.tau)))


def simulate_split(key, prepared):
    """1 if some query's chunk of fair coins errs by tau or more, else 0. float32 [].

    Exact binomial counts, 32 coins to a word; queries and words are drawn in tiles, so memory does not depend on the
    cell. Failure is decided on integers (`theory.adaptive.split_threshold`).
    """
    queries, words = SPLIT_TILE
    query = jnp.arange(queries, dtype=jnp.int32)
    word = jnp.arange(words, dtype=jnp.int32)
    tiles = (prepared.queries + (queries - 1)) // queries
    word_blocks = (prepared.chunk + (COINS * words - 1)) // (COINS * words)

    def add_tile(tile, failed):
        key_tile = jax.random.fold_in(key, tile)

        def add_words(block, counts):
            coins = jax.random.bits(jax.random.fold_in(key_tile, block), SPLIT_TILE, jnp.uint32)
            left = jnp.clip(prepared.chunk - (block * words + word) * COINS, 0, COINS)  # coins of this word in use
            # two shifts, as a shift by 32 is undefined
            keep = ~((jnp.uint32(0xFFFFFFFF) << (left // 2).astype(jnp.uint32)) << (left - left // 2).astype(jnp.uint32))
            heads = jax.lax.population_count(coins & keep[None, :]).astype(jnp.int32)
            return counts + heads.sum(1, dtype=jnp.int32)

        counts = jax.lax.fori_loop(0, word_blocks, add_words, jnp.zeros(queries, jnp.int32))
        errs = jnp.abs(2 * counts - prepared.chunk) >= prepared.threshold
        return failed | jnp.any(errs & (tile * queries + query < prepared.queries))

    return jax.lax.fori_loop(0, tiles, add_tile, jnp.bool_(False)).astype(jnp.float32)


@dataclasses.dataclass(frozen=True)
class Thm25Cell:
    """Holdout of n points, m queries, budget B, error tau, failure beta; every training mean is `off` off the truth."""

    n: int
    m: int
    B: int
    tau: float
    beta: float
    off: float


@register
@dataclasses.dataclass(frozen=True)
class Thm25Prepared:
    m: int  # static: length of the scan
    budget: np.ndarray  # int32 []
    counts: np.ndarray  # int32 [], 1 if off > tau/2: the query counts against the guarantee
    sd: float  # of a holdout mean
    off: float
    tau: float
    threshold: float
    sigma: float


def validate_thm25(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm25"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(cell.m <= 10**6, fn, f"m must be at most 10^6, got {cell.m}.")
    ok = isinstance(cell.B, int) and 1 <= cell.B <= cell.m
    _cells.require(ok, fn, f"budget must satisfy 1 <= B <= m={cell.m}, got {cell.B}.")
    _cells.require(_cells.in_unit(cell.tau), fn, f"tau must lie in (0, 1), got {cell.tau}.")
    _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")
    _cells.require(0 <= cell.off <= 0.5, fn, f"off must lie in [0, 1/2], got {cell.off}.")


def prepare_thm25(cell, share=1):
    """Thm25Cell -> Thm25Prepared; the holdout is cut to a `share`-th of its points (rounded down, at least 1)."""
    return Thm25Prepared(
        m=cell.m,
        budget=np.int32(cell.B),
        counts=np.int32(cell.off > cell.tau / 2),
        sd=1 / (2 * math.sqrt(max(1, cell.n // share))),
        off=cell.off,
        tau=cell.tau,
        threshold=float(theory.thm25_threshold(cell.tau)),
        sigma=float(theory.thm25_sigma(cell.m, cell.tau, cell.beta)),
    )


def simulate_thm25(key, prepared):
    """1 if Thresholdout breaks Theorem 25's guarantee on m fair-coin queries, else 0; with `tie`. float32 [], bool [].

    Answers are kept as deviations from the truth 1/2, where float32 is fine. The holdout mean of each query is its
    normal limit N(1/2, 1/(4n)), independent over queries. A run breaks the guarantee if for some i fewer than B of
    queries 1..i have a training mean off by more than tau/2, and query i got no answer or one off by tau or more.
    `tie`: some judged answer lies within float32 rounding of tau.
    """
    m, sigma = prepared.m, prepared.sigma
    key_mean, key_compare, key_release, key_threshold = jax.random.split(key, 4)
    holdout = prepared.sd * jax.random.normal(key_mean, (m,), jnp.float32)
    compare = 4 * sigma * jax.random.laplace(key_compare, (m,), jnp.float32)
    release = sigma * jax.random.laplace(key_release, (m,), jnp.float32)
    threshold = prepared.threshold + 2 * sigma * jax.random.laplace(key_threshold, (m + 1,), jnp.float32)

    def ask(state, draws):
        budget, noisy_threshold, overfit, broken, tie = state
        mean, eta, xi, next_threshold = draws
        answered = budget >= 1
        over = answered & (jnp.abs(mean - prepared.off) > noisy_threshold + eta)
        error = jnp.abs(jnp.where(over, mean + xi, prepared.off))
        overfit = overfit + prepared.counts
        judged = overfit < prepared.budget
        broken = broken | (judged & (~answered | (error >= prepared.tau)))
        tie = tie | (judged & answered & (jnp.abs(error - prepared.tau) <= 1e-5 * prepared.tau))
        budget = budget - over.astype(jnp.int32)
        noisy_threshold = jnp.where(over, next_threshold, noisy_threshold)
        return (budget, noisy_threshold, overfit, broken, tie), None

    start = (jnp.asarray(prepared.budget, jnp.int32), threshold[0], jnp.int32(0), jnp.bool_(False), jnp.bool_(False))
    (_, _, _, broken, tie), _ = jax.lax.scan(ask, start, (holdout, compare, release, threshold[1:]))
    return {"x": broken.astype(jnp.float32), "tie": tie}
