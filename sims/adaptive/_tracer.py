"""adaptive.lower_n2: tracing the sample from answers to many queries with known means."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.adaptive import _cells

MECHANISMS = ("empirical", "gaussian", "round")
COLUMNS = 256  # queries drawn at a time
UNIT = 2**16  # densities are multiples of 1/UNIT, so that 16 random bits decide a codeword's bit exactly


@dataclasses.dataclass(frozen=True)
class TracerCell:
    """n points drawn from a universe of 4n, m queries, one mechanism; level: noise sd or width of the grid."""

    n: int
    m: int
    mechanism: str
    level: float = 0.0


@register
@dataclasses.dataclass(frozen=True)
class TracerPrepared:
    rows: int  # padded n, static
    n: np.ndarray  # int32 []
    m: np.ndarray  # int32 []
    blocks: np.ndarray  # int32 []
    noise: float
    grid: float  # 0: no rounding
    informed: np.ndarray  # bool []: answers come from the distribution instead of the sample
    judges_gap: np.ndarray  # bool []: x is the last query's gap, else the recall


def validate_tracer(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.lower_n2"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(cell.n <= 4096 and cell.m <= 2**24, fn, f"n <= 4096 and m <= 2^24 are allowed, got n={cell.n}, m={cell.m}.")
    allowed = ", ".join(MECHANISMS)
    _cells.require(cell.mechanism in MECHANISMS, fn, f"mechanism must be one of {allowed}, got {cell.mechanism!r}.")
    low = 0 if cell.mechanism == "empirical" else 1e-6
    _cells.require(math.isfinite(cell.level) and low <= cell.level <= 1, fn, f"level must lie in [{low:g}, 1], got {cell.level}.")


def prepare_tracer(cell, judges_gap=False, informed=False, share=1):
    """TracerCell -> TracerPrepared. `informed`: the mechanism answers p_j + N(0, .05^2); only a `share`-th of the queries."""
    m = max(1, cell.m // share)
    return TracerPrepared(
        rows=-(-cell.n // 128) * 128,
        n=np.int32(cell.n),
        m=np.int32(m),
        blocks=np.int32(-(-m // COLUMNS)),
        noise=0.05 if informed else cell.level if cell.mechanism == "gaussian" else 0.0,
        grid=cell.level if cell.mechanism == "round" and not informed else 0.0,
        informed=np.bool_(informed),
        judges_gap=np.bool_(judges_gap),
    )


def _users(key, prepared):
    """How often each row's user was drawn, int32 [rows]; repeated draws are counted on the first one's row, others get 0."""
    drawn = jax.random.randint(key, (prepared.rows,), 0, 4 * prepared.n, jnp.int32)
    real = jnp.arange(prepared.rows, dtype=jnp.int32) < prepared.n
    same = (drawn[:, None] == drawn[None, :]) & real[None, :]
    first = jnp.argmax(same, axis=1)
    return ((first[None, :] == jnp.arange(prepared.rows)[:, None]) & real[None, :]).sum(1, dtype=jnp.int32)


def simulate_tracer(key, prepared):
    """Recall of the accusations in the sample, or the gap of the query "is accused". float32 []; `recall`, `gap` beside.

    Codewords are drawn only for users in the sample, who alone move the answers. Given the answers, an outsider's score
    sum_j (a_j - p_j)(C_xj - p_j) is a sum of m independent terms, drawn from its normal limit; the threshold is the order
    statistic floor(.95 K) of the K outsiders' scores.
    """
    key_sample, key_queries, key_outside = jax.random.split(key, 3)
    copies = _users(key_sample, prepared)
    n = prepared.n.astype(jnp.float32)
    weight = copies.astype(jnp.float32) / n
    column = jnp.arange(COLUMNS, dtype=jnp.int32)
    grid = jnp.where(prepared.grid > 0, prepared.grid, jnp.float32(1))

    def ask_block(block, state):
        score, variance = state
        key_density, key_bits, key_noise = jax.random.split(jax.random.fold_in(key_queries, block), 3)
        density = jax.random.randint(key_density, (COLUMNS,), round(0.05 * UNIT), round(0.95 * UNIT) + 1, jnp.int32)
        words = jax.random.bits(key_bits, (prepared.rows // 2, COLUMNS), jnp.uint32)
        bits = jnp.concatenate([words >> 16, words & np.uint32(UNIT - 1)])  # 16 for each place
        codeword = (bits < density.astype(jnp.uint32)[None, :]).astype(jnp.float32)
        p = density.astype(jnp.float32) / UNIT
        answer = jnp.where(prepared.informed, p, weight @ codeword)
        answer = answer + prepared.noise * jax.random.normal(key_noise, (COLUMNS,), jnp.float32)
        answer = jnp.where(prepared.grid > 0, jnp.round(answer / grid) * grid, answer)
        told = jnp.where(block * COLUMNS + column < prepared.m, answer - p, 0.0)
        return score + (codeword - p[None, :]) @ told, variance + (told**2) @ (p * (1 - p))

    start = (jnp.zeros(prepared.rows, jnp.float32), jnp.zeros((), jnp.float32))
    score, variance = jax.lax.fori_loop(0, prepared.blocks, ask_block, start)

    members = (copies > 0).sum(dtype=jnp.int32)
    outsiders = 4 * prepared.n - members
    outside = jnp.sqrt(variance) * jax.random.normal(key_outside, (4 * prepared.rows,), jnp.float32)
    outside = jnp.where(jnp.arange(4 * prepared.rows, dtype=jnp.int32) < outsiders, outside, jnp.inf)
    rank = 95 * outsiders // 100
    accused = (score > jnp.sort(outside)[rank]) & (copies > 0)
    caught = accused.sum(dtype=jnp.int32)
    recall = caught.astype(jnp.float32) / members.astype(jnp.float32)
    in_sample = jnp.where(accused, copies, 0).sum(dtype=jnp.int32).astype(jnp.float32) / n
    in_population = (caught + outsiders - 1 - rank).astype(jnp.float32) / (4 * n)
    gap = in_sample - in_population
    return {"x": jnp.where(prepared.judges_gap, gap, recall), "recall": recall, "gap": gap}
