"""The paired-style world (theory/verification/_paired.py): learners on block counts and, as a second path, on traces.

All statistics are in units of sigma unless a cell scales them. In a block only the number of traces m and the number that
agree with the hidden bit b matter, and every learner is odd in b, so the gaps have the same law for every b: the counts
path works with agreements and never draws b. The trace path draws b, prompts and styles one by one and forms the gaps as
they are defined.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from theory.verification import _arguments, _paired

__all__ = [
    "CURVE_GRID",
    "ContestCell",
    "CurveCell",
    "GapCell",
    "OneBlockCell",
    "PairedPrepared",
    "SeparationCell",
    "UpperCell",
    "prepare_contest",
    "prepare_curve",
    "prepare_gap",
    "prepare_one_block",
    "prepare_separation",
    "prepare_upper",
    "simulate_contest",
    "simulate_curve",
    "simulate_paired",
    "simulate_paired_traces",
    "validate_contest",
    "validate_gap",
    "validate_one_block",
    "validate_separation",
    "validate_upper",
]

WORDS = 32  # words in a tile, 1024 traces, one bit each
PLANES = 12  # bits of a trace's uniform that are drawn one by one
TRACES = 256  # traces in a tile of the trace path
LEAST_BLOCKS = 16  # d is padded to this, so that small cells share one program
MAX_TRACES, MAX_BLOCKS = 2**26, 1024
ALIGNED, SUP, ABOVE, LOST = range(4)  # the two gaps; sup gap > threshold; aligned gap >= delta
VB_VALUE, VB_LEAD = range(2)  # of a contest: the verifier-based value, and by how much it beats the verifier-free one
READING = 0.3  # `simulate_curve` also asks whether the aligned gap reaches READING / sqrt(n), in units of sigma
CURVE_GRID = np.linspace(0, 1.6, 65)  # thresholds of `simulate_curve`, in units of sqrt(d/n)


@dataclasses.dataclass(frozen=True)
class GapCell:
    """n expert traces over d blocks, expert's bias delta, one learner."""

    n: int
    d: int
    delta: float
    learner: str


@dataclasses.dataclass(frozen=True)
class UpperCell:
    """As `GapCell` for `finite`, with horizon H, sigma = H/2, and the bound's failure probability conf."""

    n: int
    d: int
    H: int
    delta: float
    conf: float


@dataclasses.dataclass(frozen=True)
class OneBlockCell:
    """n expert traces of a single prompt, delta = 1/sqrt(n)."""

    n: int
    learner: str


@dataclasses.dataclass(frozen=True)
class CurveCell:
    """One n of a curve that shows all learners at once."""

    n: int
    d: int
    delta: float


@dataclasses.dataclass(frozen=True)
class SeparationCell:
    """One horizon of a rate: n traces, reward spread sigma, expert's bias delta, d blocks."""

    H: int
    n: int
    sigma: float
    delta: float
    d: int = 8


@dataclasses.dataclass(frozen=True)
class ContestCell:
    """n base rollouts with labels flipped with probability `flip`, against `learner` on n expert traces of bias delta."""

    n: int
    d: int
    delta: float
    flip: float
    learner: str = "tab"


@register
@dataclasses.dataclass(frozen=True)
class PairedPrepared:
    """Odds are uint32 [3]: the upper PLANES of a probability's 32 bits, the rest, and the last 32-bit word below it."""

    blocks: int  # padded d, static
    sliced: bool  # static: d is a power of two
    n: np.ndarray  # int32 []
    d: np.ndarray  # int32 []
    expert: np.ndarray  # odds of (1 + delta)/2
    verifier: np.ndarray  # odds of a right label
    learner: np.ndarray  # int32 [], index in LEARNERS
    statistic: np.ndarray  # int32 []
    delta: float
    log_odds: float  # artanh(delta), finite
    threshold: float
    scale: float


def _odds(p):
    """Odds of a probability in [0, 1], exact to 2^-33."""
    units = round(p * 2**32)
    rest = 32 - PLANES
    return np.array([units >> rest, units & ((1 << rest) - 1), max(units, 1) - 1], dtype=np.uint32)


def _prepared(n, d, delta, learner="tab", statistic=SUP, threshold=0.0, scale=1.0, flip=0.0):
    blocks = max(LEAST_BLOCKS, 1 << (d - 1).bit_length())
    return PairedPrepared(
        blocks=blocks,
        sliced=d & (d - 1) == 0,
        n=np.int32(n),
        d=np.int32(d),
        expert=_odds((1 + delta) / 2),
        verifier=_odds(1 - flip),
        learner=np.int32(_paired.LEARNERS.index(learner)),
        statistic=np.int32(statistic),
        delta=delta,
        log_odds=math.atanh(delta) if delta < 1 - 1e-9 else 50.0,  # tanh(50) is 1, and 0 votes stay 0
        threshold=threshold,
        scale=scale,
    )


def prepare_gap(cell, statistic=SUP, traces=1.0):
    """GapCell -> PairedPrepared; the learner is given `traces` times n traces while delta stays."""
    return _prepared(max(1, round(cell.n * traces)), cell.d, cell.delta, cell.learner, statistic)


def prepare_upper(cell, share=1.0):
    """UpperCell -> PairedPrepared: does `finite` exceed `share` times the bound?"""
    sigma = cell.H / 2
    bound = _paired.vf_upper(sigma * math.sqrt(1 - cell.delta**2), cell.H, cell.d * math.log(2), cell.conf, cell.n)
    return _prepared(cell.n, cell.d, cell.delta, "finite", ABOVE, share * bound / sigma)


def prepare_one_block(cell):
    """OneBlockCell -> PairedPrepared."""
    return _prepared(cell.n, 1, 1 / math.sqrt(cell.n), cell.learner, LOST)


def prepare_curve(cell):
    """CurveCell -> PairedPrepared; `scale` carries the unit of CURVE_GRID, `threshold` that of READING."""
    return _prepared(cell.n, cell.d, cell.delta, threshold=READING / math.sqrt(cell.n), scale=math.sqrt(cell.d / cell.n))


def prepare_separation(cell, traces=None, sigma=None, contest=False):
    """SeparationCell -> PairedPrepared of `tab`'s sup gap, or of the verifier's lead. A liar may change n -> traces(n) and sigma."""
    n = cell.n if traces is None else traces(cell.n)
    statistic = VB_LEAD if contest else SUP
    return _prepared(n, cell.d, cell.delta, "tab", statistic, scale=cell.sigma if sigma is None else sigma(cell.sigma))


def prepare_contest(cell, statistic=VB_LEAD, flip=None):
    """ContestCell -> PairedPrepared; a liar's labels are flipped with probability flip(cell)."""
    rate = cell.flip if flip is None else flip(cell)
    return _prepared(cell.n, cell.d, cell.delta, cell.learner, statistic, flip=rate)


def _validate(fn, n, d, delta, learner="tab"):
    _arguments.integers(fn, n=n, d=d)
    _arguments.require(n <= MAX_TRACES, fn, f"n must be at most 2^26, got {n}.")
    _arguments.require(d <= MAX_BLOCKS, fn, f"d must be at most {MAX_BLOCKS}, got {d}.")
    _arguments.closed_unit(fn, "delta", delta)
    _arguments.require(learner in _paired.LEARNERS, fn, f"learner must be one of {', '.join(_paired.LEARNERS)}, got {learner!r}.")


def validate_gap(cell):
    """GapCell or CurveCell. Raises: ValueError naming the field, what is allowed and what came."""
    _validate("verification.paired", cell.n, cell.d, cell.delta, getattr(cell, "learner", "tab"))


def validate_upper(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.prop_vf_ub"
    _validate(fn, cell.n, cell.d, cell.delta)
    _arguments.integers(fn, H=cell.H)
    _arguments.open_unit(fn, "conf", cell.conf)


def validate_one_block(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _validate("verification.thm_vf_lb_prob", cell.n, 1, 0.0, cell.learner)


def validate_separation(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.thm_sep"
    _validate(fn, cell.n, cell.d, cell.delta)
    _arguments.sigma(fn, cell.sigma, cell.H)


def validate_contest(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.noisy"
    _validate(fn, cell.n, cell.d, cell.delta, cell.learner)
    _arguments.require(0 <= cell.flip <= 0.5, fn, f"flip must lie in [0, 1/2], got {cell.flip}.")


# --- draws -------------------------------------------------------------------------------------------------------------


def _agreements(key, odds, prepared):
    """(m, agree): traces in each block, and those of them that agree with its bit: int32 [blocks] each."""
    counts = _sliced_counts if prepared.sliced else _tiled_counts
    return counts(key, odds, prepared)


def _sliced_counts(key, odds, prepared):
    """32 traces to a word: the bits of a trace's block and of its uniform U are planes of words; counts are popcounts.

    A trace agrees if U < p. Twelve bits of U are compared plane by plane with those of p, rounded up with the probability
    that the rest of p asks for, once a word: the mean is exact to 2^-32, and two traces of one word have a covariance below
    2^-26. Random words are what this costs, so none are spent on further bits.
    """
    levels = prepared.blocks.bit_length() - 1
    word, block = jnp.arange(WORDS, dtype=jnp.int32), jnp.arange(prepared.blocks, dtype=jnp.uint32)[:, None]
    used = 31 - jax.lax.clz(prepared.d).astype(jnp.int32)  # planes of the block index: log2 d
    zero = jnp.uint32(0)

    def add_tile(tile, counts):
        draws = jax.random.bits(jax.random.fold_in(key, tile), (PLANES + 1 + levels, WORDS), jnp.uint32)
        left = jnp.clip(prepared.n - (tile * WORDS + word) * 32, 0, 32)
        # two shifts, as a shift by 32 is undefined
        keep = ~((jnp.uint32(0xFFFFFFFF) << (left // 2).astype(jnp.uint32)) << (left - left // 2).astype(jnp.uint32))
        p = odds[0] + ((draws[PLANES] >> PLANES) < odds[1]).astype(jnp.uint32)  # [WORDS], 0 .. 2^PLANES

        def compare(bit, below):  # from the least significant plane up: U < p in the bits seen so far
            u, q = draws[bit], zero - ((p >> bit.astype(jnp.uint32)) & 1)
            return (~u & q) | (~(u ^ q) & below)

        below = jax.lax.fori_loop(0, PLANES, compare, jnp.zeros(WORDS, jnp.uint32)) | (zero - (p >> PLANES))
        inside = jnp.broadcast_to(keep[None], (prepared.blocks, WORDS))
        for level in range(levels):  # keep the traces whose index has the block's own bit
            plane = jnp.where(level < used, draws[PLANES + 1 + level], zero)
            inside &= ~(plane[None] ^ (zero - ((block >> level) & 1)))
        return counts + jnp.stack([_ones(inside), _ones(inside & below[None])])

    tiles = (prepared.n + (32 * WORDS - 1)) // (32 * WORDS)
    counts = jax.lax.fori_loop(0, tiles, add_tile, jnp.zeros((2, prepared.blocks), jnp.int32))
    return counts[0], counts[1]


def _ones(words):
    """Bits set along the last axis."""
    return jax.lax.population_count(words).astype(jnp.int32).sum(-1, dtype=jnp.int32)


def _tiles(key, prepared, counts_of):
    """Sum of counts_of(key, real) over tiles of traces; real: bool [TRACES]. int32 [2, blocks]."""
    trace = jnp.arange(TRACES, dtype=jnp.int32)

    def add_tile(tile, counts):
        return counts + counts_of(jax.random.fold_in(key, tile), tile * TRACES + trace < prepared.n)

    start = jnp.zeros((2, prepared.blocks), jnp.int32)
    return jax.lax.fori_loop(0, (prepared.n + (TRACES - 1)) // TRACES, add_tile, start)


def _in_block(block, real, prepared):
    """bool [blocks, TRACES]."""
    return (jnp.arange(prepared.blocks, dtype=jnp.int32)[:, None] == block[None, :]) & real[None, :]


def _tiled_counts(key, odds, prepared):
    """As `_sliced_counts` for any d, one trace at a time."""

    def counts_of(key_tile, real):
        key_block, key_style = jax.random.split(key_tile)
        mine = _in_block(jax.random.randint(key_block, (TRACES,), 0, prepared.d, jnp.int32), real, prepared)
        agrees = jax.random.bits(key_style, (TRACES,), jnp.uint32) <= odds[2]
        return jnp.stack([mine.sum(1, dtype=jnp.int32), (mine & agrees[None]).sum(1, dtype=jnp.int32)])

    counts = _tiles(key, prepared, counts_of)
    return counts[0], counts[1]


# --- learners ----------------------------------------------------------------------------------------------------------


def _mean_styles(lead, m, coin, prepared):
    """Mean styles of all LEARNERS from the lead of one style over the other: float32 [5, blocks]."""
    votes = lead.astype(jnp.float32)
    winner = jnp.where(lead == 0, coin, jnp.sign(votes))
    tab = votes / jnp.maximum(m, 1).astype(jnp.float32)
    return jnp.stack([tab, prepared.delta * winner, prepared.delta * jnp.tanh(votes * prepared.log_odds), winner, jnp.zeros_like(tab)])


def _coins(key, prepared):
    """Random signs that break ties: float32 [blocks]."""
    return jnp.where(jax.random.bernoulli(key, 0.5, (prepared.blocks,)), jnp.float32(1), jnp.float32(-1))


def _over_blocks(values, prepared):
    """Mean over the real blocks along the last axis; the padded ones are dropped."""
    real = jnp.arange(prepared.blocks, dtype=jnp.int32) < prepared.d
    real = real.reshape((1,) * (values.ndim - 1) + real.shape)
    return jnp.where(real, values, jnp.float32(0)).sum(-1) / prepared.d.astype(jnp.float32)


def _learn(key, prepared):
    """Mean styles of all LEARNERS times the hidden bits, on fresh expert traces: float32 [5, blocks]."""
    key_data, key_tie = jax.random.split(key)
    m, agree = _agreements(key_data, prepared.expert, prepared)
    return _mean_styles(2 * agree - m, m, _coins(key_tie, prepared), prepared)


def _statistic(aligned, sup, prepared):
    """The statistic asked for, from both gaps of all learners, float32 [5] each."""
    aligned, sup = aligned[prepared.learner], sup[prepared.learner]
    above = (sup > prepared.threshold).astype(jnp.float32)
    lost = (aligned >= prepared.delta).astype(jnp.float32)
    x = jnp.stack([prepared.scale * aligned, prepared.scale * sup, above, lost])[prepared.statistic]
    return {"x": x, "tie": (prepared.statistic == ABOVE) & (jnp.abs(sup - prepared.threshold) <= 1e-6)}


def _gaps(styles, bits, prepared):
    """(aligned, sup) of all learners: float32 [5] each."""
    truth = prepared.delta * bits[None]
    return _over_blocks(bits[None] * (truth - styles), prepared), _over_blocks(jnp.abs(truth - styles), prepared)


def simulate_paired(key, prepared):
    """The cell's statistic of one learner on n expert traces, by counts. float32 []; `tie`: a gap at its threshold.

    The aligned gap is delta minus the mean of b s_hat, and `LOST` asks whether that mean is <= 0, exactly so at d = 1.
    """
    ones = jnp.ones(prepared.blocks, jnp.float32)
    return _statistic(*_gaps(_learn(key, prepared), ones, prepared), prepared)


def simulate_paired_traces(key, prepared):
    """The same law as `simulate_paired`, trace by trace: hidden bits, prompts and styles are all drawn."""
    key_bits, key_data, key_tie = jax.random.split(key, 3)
    bits = _coins(key_bits, prepared)

    def counts_of(key_tile, real):
        key_prompt, key_style = jax.random.split(key_tile)
        prompt = jax.random.randint(key_prompt, (TRACES,), 0, prepared.d, jnp.int32)
        p_plus = (1 + prepared.delta * bits[prompt]) / 2
        plus = jax.random.uniform(key_style, (TRACES,), jnp.float32) < p_plus
        mine = _in_block(prompt, real, prepared)
        return jnp.stack([mine.sum(1, dtype=jnp.int32), (mine & plus[None]).sum(1, dtype=jnp.int32)])

    counts = _tiles(key_data, prepared, counts_of)
    styles = _mean_styles(2 * counts[1] - counts[0], counts[0], _coins(key_tie, prepared), prepared)
    return _statistic(*_gaps(styles, bits, prepared), prepared)


def simulate_curve(key, prepared):
    """Gaps of all LEARNERS at one n. x: tab's sup gap; arrays `aligned`, `sup` [5]; `lost` [5]: does the aligned gap reach
    READING/sqrt(n)?; `above` [65]: is finite's sup gap above CURVE_GRID sqrt(d/n)?"""
    aligned, sup = _gaps(_learn(key, prepared), jnp.ones(prepared.blocks, jnp.float32), prepared)
    grid = prepared.scale * jnp.asarray(CURVE_GRID, jnp.float32)
    lost = (aligned >= prepared.threshold).astype(jnp.float32)
    return {"x": sup[0], "aligned": aligned, "sup": sup, "lost": lost, "above": (sup[1] > grid).astype(jnp.float32)}


def simulate_contest(key, prepared):
    """Value of following the majority of n noisy labels (0 on a tie: the base policy), or its lead over the learner.

    float32 [], in units of sigma times `scale`, above H/2. Both sides have n traces of their own.
    """
    key_verifier, key_expert = jax.random.split(key)
    m, right = _agreements(key_verifier, prepared.verifier, prepared)
    value_vb = _over_blocks(jnp.sign((2 * right - m).astype(jnp.float32)), prepared)
    value_vf = _over_blocks(_learn(key_expert, prepared), prepared)[prepared.learner]
    return prepared.scale * jnp.stack([value_vb, value_vb - value_vf])[prepared.statistic]
