"""adaptive.naive: the attack on sample means, bit by bit and from its normal limit."""

from __future__ import annotations

import dataclasses
import functools
import math
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.adaptive import _cells
from sims.adaptive._cells import COINS
from theory import adaptive as theory

INT32_MAX = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class NaiveCell:
    """n points, m coordinate queries, then the aggregate of `analyst`; s is the noise sd on each answer."""

    n: int
    m: int
    analyst: str
    s: float = 0.0


@register
@dataclasses.dataclass(frozen=True)
class FullPrepared:
    """Integer weights are w = round(scale * (2c - n + noise)), c a column's count."""

    rows: int  # padded n, static
    n: np.ndarray  # int32 []
    m: np.ndarray  # int32 []
    blocks: np.ndarray  # int32 [], column blocks
    signs: np.ndarray  # bool []
    scale: float
    noise: float  # sd of the noise in the unit of 2c - n: 2 n s


WORDS = 8  # words per row in a column block (256 columns): small enough for the first-level cache
TILE = 256  # rows drawn and scored at a time: padding is made up of whole tiles, which cost nothing


def _padded_rows(n, least=1024):
    """n padded to a multiple of 1024: one program serves every n <= 1024."""
    return max(least, -(-n // 1024) * 1024)


def validate_naive(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.naive"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    allowed = ", ".join(theory.ANALYSTS)
    _cells.require(cell.analyst in theory.ANALYSTS, fn, f"analyst must be one of {allowed}, got {cell.analyst!r}.")
    _cells.require(math.isfinite(cell.s) and cell.s >= 0, fn, f"s must be finite and >= 0, got {cell.s}.")


def _weight_span(n, s, scale):
    """The largest |w| of the linear analyst: a float32 normal draw stays below 8 in absolute value."""
    return math.ceil(scale * (n + 8 * 2 * n * s)) + 1


def validate_full(cell):
    """Keeps every row's score inside int32, whatever the draw, and rows within memory. Raises: ValueError."""
    validate_naive(cell)
    _cells.require(cell.n <= 2**20, "adaptive.naive", f"the bit-level sampler allows n <= 2^20, got n={cell.n}.")
    fits = cell.m * _weight_span(cell.n, cell.s, 1) <= INT32_MAX
    limit = f"m * n * (1 + 16 s) must stay below 2^31 in the bit-level sampler, got n={cell.n}, m={cell.m}, s={cell.s}"
    _cells.require(fits, "adaptive.naive", f"{limit}; the lazy sampler goes further.")


def prepare_full(cell, least_rows=1024):
    """NaiveCell -> FullPrepared. Without noise the weights are exact; with it they are rounded to 1/scale of a count.

    The rounding adds variance 1/(12 scale^2) to a weight of variance n + (2 n s)^2: a millionth of it where int32 has room, invisible.
    Each doubling of scale costs a bit plane in `simulate_full`.
    """
    scale, variance = 1, cell.n + (2 * cell.n * cell.s) ** 2
    while cell.s > 0 and 12 * scale**2 * variance < 1e6 and cell.m * _weight_span(cell.n, cell.s, 2 * scale) <= INT32_MAX:
        scale *= 2
    return FullPrepared(
        rows=_padded_rows(cell.n, least_rows),
        n=np.int32(cell.n),
        m=np.int32(cell.m),
        blocks=np.int32(-(-cell.m // (COINS * WORDS))),
        signs=np.bool_(cell.analyst == "sign"),
        scale=float(scale),
        noise=2 * cell.n * cell.s,
    )


def _weights(counts, noise, prepared):
    """Integer weights of both analysts from column counts, int32 [...]."""
    real = (2 * counts - prepared.n).astype(jnp.float32) + noise  # exact without noise while n < 2^23
    linear = jnp.round(prepared.scale * real).astype(jnp.int32)
    return jnp.where(prepared.signs, jnp.sign(real).astype(jnp.int32), linear)


def simulate_full(key, prepared):
    """Gap of the aggregate on one sample of n x m fair coins, 32 to a word. float32 [], in [-1/2, 1/2].

    Twice a row's score is the integer 2 sum_j u_j x_ij + 2 low sum_j x_ij - sum_j w_j, with u_j = w_j - low >= 0, low the
    block's least weight. The first sum goes over the bit planes of u, as many as its largest value has: sum_b 2^b
    popcount(x_i & plane_b). All of it is int32 arithmetic modulo 2^32; intermediate wrap-around is harmless because the
    final score fits (`validate_full`). Columns are drawn in blocks, so memory is rows * WORDS words whatever m is.
    Padded rows and columns hold no coins; of the rows only TILE x tiles are visited, tiles = ceil(n / TILE), one after the other
    on a CPU, whose cache holds a tile. An accelerator takes all rows at once: the same words and the same integers.
    """
    row = jnp.arange(prepared.rows, dtype=jnp.int32).reshape(-1, TILE)
    tiles = (prepared.n + (TILE - 1)) // TILE
    bit = jnp.arange(COINS, dtype=jnp.uint32)
    column = jnp.arange(WORDS * COINS, dtype=jnp.int32).reshape(WORDS, COINS)

    def add_block(block, scores):
        key_data, key_noise = jax.random.split(jax.random.fold_in(key, block))
        real_column = block * (WORDS * COINS) + column < prepared.m  # [WORDS, COINS]
        keep = _pack(real_column, bit)  # [WORDS]

        def drawn_tile(tile):
            drawn = jax.random.bits(jax.random.fold_in(key_data, tile), (WORDS, TILE), jnp.uint32)  # rows last: the vector lanes
            return jnp.where((row[tile] < prepared.n)[None, :], drawn & keep[:, None], jnp.uint32(0))

        def draw_tile(tile, words):
            return jax.lax.dynamic_update_index_in_dim(words, drawn_tile(tile), tile, 0)

        def draw_by_tiles():
            words = jax.lax.fori_loop(0, tiles, draw_tile, jnp.zeros((len(row), WORDS, TILE), jnp.uint32))
            # Counted in a loop of its own: in the other the generator would be fused into both uses of a tile, and run twice.
            return words, jax.lax.fori_loop(
                0, tiles, lambda tile, counts: counts + _column_counts(words[tile]), jnp.zeros((WORDS, COINS), jnp.int32)
            )

        def draw_at_once():
            words = jax.vmap(drawn_tile)(jnp.arange(len(row), dtype=jnp.int32))
            return words, jax.vmap(_column_counts)(words).sum(0, dtype=jnp.int32)

        words, counts = jax.lax.platform_dependent(cpu=draw_by_tiles, default=draw_at_once)
        noise = prepared.noise * jax.random.normal(key_noise, (WORDS, COINS), jnp.float32)
        w = jnp.where(real_column, _weights(counts, noise, prepared), 0)
        low = w.min()
        u = (w - low).astype(jnp.uint32)
        planes = 32 - jax.lax.clz(u.max()).astype(jnp.int32)

        def plane_of(b):
            return _pack((u >> b.astype(jnp.uint32)) & 1, bit)  # [WORDS]

        plane = jax.lax.map(plane_of, jnp.arange(32, dtype=jnp.int32))  # [32, WORDS]

        def score_of(mine):  # words of a tile [WORDS, TILE] -> [TILE]
            def add_plane(b, total):
                hits = jax.lax.population_count(mine & plane[b][:, None]).astype(jnp.int32).sum(0, dtype=jnp.int32)
                return total + (hits << b.astype(jnp.int32))

            weighted = jax.lax.fori_loop(0, planes, add_plane, jnp.zeros(TILE, jnp.int32))
            ones = jax.lax.population_count(mine).astype(jnp.int32).sum(0, dtype=jnp.int32)
            return 2 * weighted + 2 * low * ones - w.sum(dtype=jnp.int32)

        def score_tile(tile, scores):
            return scores.at[tile].add(score_of(jax.lax.dynamic_index_in_dim(words, tile, keepdims=False)))

        return jax.lax.platform_dependent(
            cpu=lambda: jax.lax.fori_loop(0, tiles, score_tile, scores),
            default=lambda: scores + jax.vmap(score_of)(words),  # of padded tiles too: their rows are left out below
        )

    scores = jax.lax.fori_loop(0, prepared.blocks, add_block, jnp.zeros(row.shape, jnp.int32))
    halves = jnp.where(row < prepared.n, jnp.sign(scores), 0).sum(dtype=jnp.int32)  # +1 won, 0 tied, -1 lost
    return halves.astype(jnp.float32) / (2 * prepared.n).astype(jnp.float32)


def _pack(flags, bit):
    """[..., 32] of 0/1 -> uint32 [...]."""
    return (flags.astype(jnp.uint32) << bit[(None,) * (flags.ndim - 1)]).sum(-1, dtype=jnp.uint32)


def _column_counts(words):
    """Ones in each column: uint32 [WORDS, rows] -> int32 [WORDS, 32]; rows a multiple of 128.

    Sums are carried inside the words: eight rows fit into 4-bit fields, sixteen of those into 8-bit fields. That takes
    an eighth of the operations of reading bit after bit.
    """
    num_words, rows = words.shape

    def fields(x, shifts, mask):  # [WORDS, ...] -> [WORDS, len(shifts), ...]
        shifts = jnp.array(shifts, jnp.uint32).reshape(1, -1, *(1,) * (x.ndim - 1))
        return (x[:, None] >> shifts) & jnp.uint32(mask)

    nibbles = fields(words.reshape(num_words, 8, rows // 8), (0, 1, 2, 3), 0x11111111).sum(2, dtype=jnp.uint32)
    octets = fields(nibbles.reshape(num_words, 4, 16, rows // 128), (0, 4), 0x0F0F0F0F).sum(3, dtype=jnp.uint32)
    single = fields(octets, (0, 8, 16, 24), 0xFF)  # [WORDS, 4, 2, 4, rows / 128]; bit 8a + 4b + c is [:, a, b, c]
    return single.sum(-1, dtype=jnp.uint32).astype(jnp.int32).reshape(num_words, COINS)


@register
@dataclasses.dataclass(frozen=True)
class LazyPrepared:
    """All in units in which a column mean's error is standard normal (1 / (2 sqrt(n)) of an answer)."""

    rows: int  # padded n, static
    n: np.ndarray  # int32 []
    m: np.ndarray  # int32 []
    blocks: np.ndarray  # int32 []
    signs: np.ndarray  # bool []
    noise: float  # 2 sqrt(n) s


LAZY_COLUMNS = 1024  # column errors drawn at a time


def validate_lazy(cell):
    """The lazy sampler's sizes: n <= 2^20, m <= 2^30. Raises: ValueError."""
    validate_naive(cell)
    text = f"the lazy sampler allows n <= 2^20 and m <= 2^30, got n={cell.n}, m={cell.m}."
    _cells.require(cell.n <= 2**20 and cell.m <= 2**30, "adaptive.naive", text)


def prepare_lazy(cell):
    """NaiveCell -> LazyPrepared."""
    return LazyPrepared(
        rows=_padded_rows(cell.n),
        n=np.int32(cell.n),
        m=np.int32(cell.m),
        blocks=np.int32(-(-cell.m // LAZY_COLUMNS)),
        signs=np.bool_(cell.analyst == "sign"),
        noise=2 * math.sqrt(cell.n) * cell.s,
    )


def simulate_lazy(key, prepared):
    """Gap of the aggregate from the normal limit of the column means and of the scores. float32 [], in [-1/2, 1/2].

    e_j ~ N(0, 1/(4n)) is the error of column j, w_j its weight, and given these the score of point i is
    sum_j w_j e_j + |w|/2 (g_i - mean g), g_i standard normal. m + n normals (2m + n with noise) in place of n m coins.
    An approximation: the mean gap is .0019 low at (n, m) = (200, 20), .0007 at (200, 200), .0002 at (1000, 1000) for
    `linear`; for `sign` at even n it misses the ties and is low by up to .0067 at n = 200, .003 at n = 1000.
    """
    key_columns, key_rows = jax.random.split(key)
    column = jnp.arange(LAZY_COLUMNS, dtype=jnp.int32)

    def add_block(block, sums):
        key_error, key_noise = jax.random.split(jax.random.fold_in(key_columns, block))
        error = jax.random.normal(key_error, (LAZY_COLUMNS,), jnp.float32)
        answer = error + prepared.noise * jax.random.normal(key_noise, (LAZY_COLUMNS,), jnp.float32)
        w = jnp.where(prepared.signs, jnp.sign(answer), answer)
        w = jnp.where(block * LAZY_COLUMNS + column < prepared.m, w, 0.0)
        return sums[0] + w @ error, sums[1] + w @ w

    zero = jnp.zeros((), jnp.float32)
    inner, square = jax.lax.fori_loop(0, prepared.blocks, add_block, (zero, zero))
    n = prepared.n.astype(jnp.float32)
    row = jnp.arange(prepared.rows, dtype=jnp.int32) < prepared.n
    g = jnp.where(row, jax.random.normal(key_rows, (prepared.rows,), jnp.float32), 0.0)
    won = row & (g - g.sum() / n > -inner / jnp.sqrt(n * square))
    return won.sum(dtype=jnp.int32).astype(jnp.float32) / n - 0.5


@dataclasses.dataclass(frozen=True)
class SlopeCell:
    """One sample size of the grid on which the critical number of queries is measured; s as in `NaiveCell`."""

    n: int
    s: float = 0.0


SLOPE_RUNS = 12  # attacks averaged in one replicate
TARGET_GAP = 0.1
Z_TARGET = NormalDist().inv_cdf(0.5 + TARGET_GAP)


def slope_queries(cell):
    """The number of queries at which `simulate_slope` measures: the closed form's, rounded."""
    return max(1, round(float(theory.m_crit(cell.n, cell.s, TARGET_GAP))))


def validate_slope(cell):
    """As `validate_full`, at the closed form's number of queries."""
    validate_naive(NaiveCell(cell.n, 1, "linear", cell.s))
    validate_full(NaiveCell(cell.n, slope_queries(cell), "linear", cell.s))


def prepare_slope(cell):
    """SlopeCell -> FullPrepared; rows are padded alike for every n <= 2048, so that the grid shares one program."""
    return prepare_full(NaiveCell(cell.n, slope_queries(cell), "linear", cell.s), least_rows=2048)


def simulate_slope(key, prepared):
    """Critical number of queries, m (Phi^{-1}(1/2 + .1) / Phi^{-1}(1/2 + mean gap))^2, from the mean of 12 attacks.

    float32 [], positive. The attacks are made at m near the closed form, where the inversion is nearly linear. A mean
    gap <= 0 (over 6 standard deviations away on the declared grids) has no critical number: nan, a failed replicate.
    """
    gaps = jax.lax.map(functools.partial(simulate_full, prepared=prepared), jax.random.split(key, SLOPE_RUNS))
    ratio = Z_TARGET / jax.scipy.special.ndtri(0.5 + gaps.mean())
    return jnp.where(ratio > 0, prepared.m.astype(jnp.float32) * ratio**2, jnp.nan)
