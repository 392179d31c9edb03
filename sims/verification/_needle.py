"""The needle world and random verifier classes (theory/verification/_needle.py): what verifier-based learners lose.

In the needle world only which (block, style) cells were seen matters: labels are determined by them. Gaps are in units
of the reward, given the data: a learner that guesses is charged the mean over its guesses.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import Case, register
from theory.verification import _arguments, _needle

__all__ = [
    "AntiCell",
    "BestOfNCell",
    "BestOfNPrepared",
    "NeedleCell",
    "NeedlePrepared",
    "RandomClassCell",
    "RandomClassPrepared",
    "RatioCell",
    "SlopeCell",
    "TightCell",
    "chi2_ball_policy",
    "evaluate_anti",
    "evaluate_ratio",
    "evaluate_slope_H",
    "evaluate_slope_n",
    "evaluate_tight",
    "prepare_best_of_n",
    "prepare_needle",
    "prepare_random_class",
    "simulate_best_of_n",
    "simulate_cloning",
    "simulate_missed",
    "simulate_needle",
    "simulate_random_chi2",
    "simulate_random_top",
    "top_policy",
    "validate_anti",
    "validate_best_of_n",
    "validate_needle",
    "validate_random_class",
    "validate_ratio",
    "validate_slope",
    "validate_tight",
]

TRACES = 128  # traces in a tile
RUNS = 32  # runs of cloning that are averaged in a replicate: it seldom errs
LEAST_CELLS = (32, 32)  # blocks and styles are padded to this, so that small cells share one program
VB, VF, WORST, ABOVE = range(4)  # gaps of the Bayes learner, of cloning, of VB-1's worst verifier; is the last above a threshold?


@dataclasses.dataclass(frozen=True)
class NeedleCell:
    """n traces; d rare blocks of probability p each; K styles; horizon H; conf: failure probability of the bound."""

    n: int
    d: int
    p: float
    K: int
    H: int
    conf: float = 0.05


@register
@dataclasses.dataclass(frozen=True)
class NeedlePrepared:
    blocks: int  # padded d, static
    styles: int  # padded K, static
    n: np.ndarray  # int32 []
    d: np.ndarray  # int32 []
    K: np.ndarray  # int32 []
    width: np.ndarray  # uint32 [], width of one (block, style) cell among the 2^32 words
    block_width: np.ndarray  # uint32 [], the same of a block
    statistic: np.ndarray  # int32 []
    weight: float  # H p, the reward at stake in a block
    threshold: float


def validate_needle(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.needle"
    _arguments.integers(fn, n=cell.n, d=cell.d, H=cell.H)
    _arguments.integers(fn, at_least=2, K=cell.K)
    _arguments.block_mass(fn, cell.d, cell.p)
    _arguments.open_unit(fn, "conf", cell.conf)
    _arguments.require(cell.n < 2**31, fn, f"n must stay below 2^31, got {cell.n}.")
    _arguments.require(cell.d * cell.K <= 2**20, fn, f"d*K must be at most 2^20, got d={cell.d}, K={cell.K}.")


def prepare_needle(cell, statistic=ABOVE, share=1.0):
    """NeedleCell -> NeedlePrepared; ABOVE asks whether the worst gap exceeds `share(K)` or `share` times the bound."""
    bound = _needle.vb_upper(cell.H, 1 / cell.K, cell.d * math.log(cell.K), cell.conf, cell.n)
    blocks, styles = (max(least, 1 << (size - 1).bit_length()) for least, size in zip(LEAST_CELLS, (cell.d, cell.K), strict=True))
    return NeedlePrepared(
        blocks=blocks,
        styles=styles,
        n=np.int32(cell.n),
        d=np.int32(cell.d),
        K=np.int32(cell.K),
        width=np.uint32(min(2**32 - 1, math.floor(2**32 * cell.p / cell.K))),
        block_width=np.uint32(min(2**32 - 1, math.floor(2**32 * cell.p))),
        statistic=np.int32(statistic),
        weight=cell.H * cell.p,
        threshold=bound * (share(cell.K) if callable(share) else share),
    )


def _seen(key, prepared):
    """Which styles n base rollouts have shown in which block: bool [blocks, styles]; padded cells stay False."""
    # A tile at a time keeps to a CPU's cache; elsewhere a step should be worth its launch.
    return jax.lax.platform_dependent(
        key, prepared, cpu=functools.partial(_seen_by, at_once=1), default=functools.partial(_seen_by, at_once=64)
    )


def _seen_by(key, prepared, at_once):
    """`_seen`, so many tiles of TRACES rollouts at once: the same whatever their number, as every tile has its own key."""
    trace = jnp.arange(TRACES, dtype=jnp.int32)[None]
    last = prepared.blocks * prepared.styles  # where all traces go that show nothing

    def add_tiles(step, seen):
        tiles = step * at_once + jnp.arange(at_once, dtype=jnp.int32)
        word = jax.vmap(lambda tile: jax.random.bits(jax.random.fold_in(key, tile), (TRACES,), jnp.uint32))(tiles) // prepared.width
        shown = (word < (prepared.d * prepared.K).astype(jnp.uint32)) & (tiles[:, None] * TRACES + trace < prepared.n)
        word = word.astype(jnp.int32)
        place = jnp.where(shown, (word // prepared.K) * prepared.styles + word % prepared.K, last)
        return seen.at[place].max(True)  # set would have no fixed order on a GPU, and be made one update at a time

    steps = (prepared.n + (at_once * TRACES - 1)) // (at_once * TRACES)
    seen = jax.lax.fori_loop(0, steps, add_tiles, jnp.zeros(last + 1, bool))
    return seen[:last].reshape(prepared.blocks, prepared.styles)


def simulate_needle(key, prepared):
    """The gap asked for, float32 []; arrays `gaps` [3]: Bayes learner, cloning, VB-1 with the worst agreeing verifier.

    The good style of a block is drawn, the expert's traces are drawn apart from the base's. `tie`: a gap at its threshold.
    """
    key_base, key_expert, key_good = jax.random.split(key, 3)
    seen, expert = _seen(key_base, prepared), _seen(key_expert, prepared).any(1)  # the expert's styles are all the good one
    good = jax.random.randint(key_good, (prepared.blocks,), 0, prepared.K, jnp.int32)
    known = jnp.take_along_axis(seen, good[:, None], 1)[:, 0]
    unseen = prepared.K - seen.sum(1, dtype=jnp.int32)
    real = jnp.arange(prepared.blocks, dtype=jnp.int32) < prepared.d
    guess = 1 - 1 / jnp.maximum(unseen, 1).astype(jnp.float32)
    lost = jnp.stack(
        [
            jnp.where(known, jnp.float32(0), guess),
            jnp.where(expert, jnp.float32(0), 1 - 1 / prepared.K.astype(jnp.float32)),
            (~known & (unseen > 1)).astype(jnp.float32),
        ]
    )
    gaps = prepared.weight * jnp.where(real[None], lost, jnp.float32(0)).sum(1)
    above = (gaps[WORST] > prepared.threshold).astype(jnp.float32)
    tie = (prepared.statistic == ABOVE) & (jnp.abs(gaps[WORST] - prepared.threshold) <= 1e-5 * prepared.threshold)
    return {"x": jnp.append(gaps, above)[prepared.statistic], "tie": tie, "gaps": gaps}


def simulate_missed(key, prepared):
    """VB-1's worst gap, float32 []; array `missed` [blocks + 1]: in how many blocks it errs, one-hot."""
    gap = simulate_needle(key, prepared)["gaps"][WORST]
    count = jnp.round(gap / prepared.weight).astype(jnp.int32)
    return {"x": gap, "missed": (jnp.arange(prepared.blocks + 1, dtype=jnp.int32) == count).astype(jnp.float32)}


def simulate_cloning(key, prepared):
    """Mean gap of cloning over RUNS runs of n expert traces, float32 []: as `gaps[1]` of `simulate_needle`, faster."""
    trace, run = jnp.arange(TRACES, dtype=jnp.int32), jnp.arange(RUNS, dtype=jnp.int32)[:, None]

    def add_tile(tile, seen):
        word = jax.random.bits(jax.random.fold_in(key, tile), (RUNS, TRACES), jnp.uint32) // prepared.block_width
        shown = (word < prepared.d.astype(jnp.uint32)) & (tile * TRACES + trace < prepared.n)[None]
        return seen.at[run, jnp.where(shown, word.astype(jnp.int32), prepared.blocks)].max(True)

    tiles = (prepared.n + (TRACES - 1)) // TRACES
    seen = jax.lax.fori_loop(0, tiles, add_tile, jnp.zeros((RUNS, prepared.blocks + 1), bool))[:, :-1]
    unseen = ~seen & (jnp.arange(prepared.blocks, dtype=jnp.int32) < prepared.d)[None]
    return prepared.weight * (1 - 1 / prepared.K.astype(jnp.float32)) * unseen.sum(dtype=jnp.int32).astype(jnp.float32) / RUNS


# --- best of n: all budgets from one draw ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BestOfNCell:
    """A base policy that is right with probability 1/K, an exact verifier, and n independent traces."""

    n: int
    K: int


@register
@dataclasses.dataclass(frozen=True)
class BestOfNPrepared:
    most: int  # budgets 1 .. most, static
    n: np.ndarray  # int32 []
    rate: float  # -ln(1 - c)


BUDGETS = 128  # budgets are padded to this


def validate_best_of_n(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.best_of_n"
    _arguments.integers(fn, n=cell.n)
    _arguments.integers(fn, at_least=2, K=cell.K)
    _arguments.require(cell.n <= 2**20, fn, f"n must be at most 2^20, got {cell.n}.")


def prepare_best_of_n(cell, rarer=1.0):
    """BestOfNCell -> BestOfNPrepared; a liar's traces are right `rarer` times less often."""
    return BestOfNPrepared(most=max(BUDGETS, cell.n), n=np.int32(cell.n), rate=-math.log1p(-1 / (rarer * cell.K)))


def simulate_best_of_n(key, prepared):
    """1 if one of n traces is right; array `solved` [most]: the same for every budget 1 .. most, from one geometric draw.

    The first right trace is number 1 + floor(E / -ln(1 - c)), E standard exponential.
    """
    first = 1 + jnp.floor(jax.random.exponential(key, (), jnp.float32) / prepared.rate)
    solved = (first <= jnp.arange(1, prepared.most + 1, dtype=jnp.int32).astype(jnp.float32)).astype(jnp.float32)
    return {"x": solved[prepared.n - 1], "solved": solved}


# --- random verifier classes -------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class RandomClassCell:
    """One prompt, equally likely traces, rewards in 0..H, `verifiers` candidates; the learner's size: share c, or radius kappa."""

    n: int
    traces: int
    verifiers: int
    H: int
    size: float
    conf: float = 0.05


@register
@dataclasses.dataclass(frozen=True)
class RandomClassPrepared:
    traces: int  # static
    verifiers: int  # static
    H: int  # static
    keep: int  # static: traces of the top-c policy, a last one that has only a part of the others' weight included
    n: np.ndarray  # int32 []
    share: float  # c * traces, of which `keep` is the ceiling
    kappa: float
    threshold: float


FULL = 1e-9  # a c * traces that exceeds an integer by less is that integer
REDRAWN = 4  # a wrong verifier differs from the true one on at most this many traces


def validate_random_class(cell, top=False):
    """top: size is a share c. Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.random_class"
    _arguments.integers(fn, n=cell.n, H=cell.H)
    _arguments.integers(fn, at_least=2, traces=cell.traces, verifiers=cell.verifiers)
    (_arguments.share if top else _arguments.positive)(fn, "size", cell.size)
    _arguments.open_unit(fn, "conf", cell.conf)
    _arguments.require(cell.n < 2**31, fn, f"n must stay below 2^31, got {cell.n}.")
    work = cell.traces * cell.verifiers
    _arguments.require(work <= 2**24, fn, f"traces*verifiers must be at most 2^24, got {work}.")


def prepare_random_class(cell, top=True, share=1.0):
    """RandomClassCell -> RandomClassPrepared; top: size is the share c; else it is the radius kappa."""
    log_class = math.log(cell.verifiers)
    share_kept = cell.size * cell.traces if top else 1.0
    if top:
        bound = _needle.vb_upper(cell.H, cell.size, log_class, cell.conf, cell.n)
    else:
        bound = _needle.vb_upper_chi2(cell.H, cell.size, log_class, cell.conf, cell.n)
    return RandomClassPrepared(
        traces=cell.traces,
        verifiers=cell.verifiers,
        H=cell.H,
        keep=max(1, math.ceil(share_kept - FULL)),
        n=np.int32(cell.n),
        share=share_kept,
        kappa=0.0 if top else cell.size,
        threshold=share * bound,
    )


def _uniform_below(end, words):
    """Integers 0..end - 1 from random words, uniform up to end/2^32: int32. Half as many words as jax.random.randint takes."""
    return (words % jnp.uint32(end)).astype(jnp.int32)


def _random_class(key, prepared):
    """(truth [traces], rewards [verifiers, traces], agrees [verifiers]): the candidates, the true one first, and who agrees."""
    key_truth, key_wrong, key_data = jax.random.split(key, 3)
    count = prepared.verifiers - 1
    truth = _uniform_below(prepared.H + 1, jax.random.bits(key_truth, (prepared.traces,), jnp.uint32))
    draws = jax.random.bits(key_wrong, (count, 2 * REDRAWN + 1), jnp.uint32)
    place = _uniform_below(prepared.traces, draws[:, :REDRAWN])
    value = _uniform_below(prepared.H + 1, draws[:, REDRAWN:-1])
    many = 1 + _uniform_below(REDRAWN, draws[:, -1:])
    place = jnp.where(jnp.arange(REDRAWN, dtype=jnp.int32)[None] < many, place, prepared.traces)  # beyond the end: dropped
    wrong = jnp.broadcast_to(truth[None], (count, prepared.traces))
    wrong = wrong.at[jnp.arange(count, dtype=jnp.int32)[:, None], place].set(value, mode="drop")
    rewards = jnp.concatenate([truth[None], wrong])

    def add_tile(tile, seen):
        drawn = _uniform_below(prepared.traces, jax.random.bits(jax.random.fold_in(key_data, tile), (TRACES,), jnp.uint32))
        real = tile * TRACES + jnp.arange(TRACES, dtype=jnp.int32) < prepared.n
        return seen.at[jnp.where(real, drawn, prepared.traces)].max(True)

    tiles = (prepared.n + (TRACES - 1)) // TRACES
    seen = jax.lax.fori_loop(0, tiles, add_tile, jnp.zeros(prepared.traces + 1, bool))[:-1]
    return truth, rewards, ((rewards == truth[None]) | ~seen[None]).all(1)


def top_policy(reward, H, keep, share):
    """The best policy of density ratio <= 1/c under equally likely traces: the top c fraction, ties by index: float32 [traces].

    reward: int32 [traces] in 0..H; share: c * traces; keep: its ceiling. The last trace kept has the weight that is left over,
    or the density ratio would exceed 1/c. Bisection for the `keep`-th largest of the distinct numbers
    reward * traces + (traces - 1 - index); a sort is slower.
    """
    size = reward.shape[0]
    rank = reward * size + jnp.arange(size - 1, -1, -1, dtype=jnp.int32)

    def halve(bit, least):  # the largest number that at least `keep` ranks reach, from its highest bit down
        higher = least | (jnp.int32(1) << (steps - 1 - bit))
        return jnp.where((rank >= higher).sum(dtype=jnp.int32) >= keep, higher, least)

    steps = ((H + 1) * size).bit_length()
    least = jax.lax.fori_loop(0, steps, halve, jnp.int32(0))
    weight = (rank > least).astype(jnp.float32) + (rank == least).astype(jnp.float32) * (share - jnp.float32(keep - 1))
    return weight / share


def simulate_random_top(key, prepared):
    """1 if VB-1's worst agreeing verifier has a gap above the threshold. float32 []; array `gap` []: that gap."""
    truth, rewards, agrees = _random_class(key, prepared)
    policies = jax.vmap(lambda reward: top_policy(reward, prepared.H, prepared.keep, prepared.share))(rewards)
    return _worst(policies, truth, agrees, prepared)


def _worst(policies, truth, agrees, prepared):
    """The largest true gap among the policies [verifiers, traces] of agreeing verifiers to the first, which is optimal."""
    values = (policies * truth.astype(jnp.float32)[None]).sum(1)
    gap = values[0] - jnp.where(agrees, values, values[0]).min()
    return {"x": (gap > prepared.threshold).astype(jnp.float32), "gap": gap, "tie": jnp.abs(gap - prepared.threshold) <= 1e-5}


def chi2_ball_policy(reward, H, kappa):
    """The policy that maximises the mean reward in the chi-square ball of radius kappa round the uniform one: float32 [traces].

    VB-2's closed form. With P_j, m_j, s_j the mass, conditional mean and sd of the top j distinct values u_1 > u_2 > ..., the
    first j with a = (1 + kappa) P_j - 1 > 0 and t = m_j - s_j/sqrt(a) >= u_{j+1} gives a policy proportional to (reward - t)_+;
    kappa >= 1/P_1 - 1 gives the uniform policy on the top value. reward: int32 [traces] in 0..H.
    """
    level = jnp.arange(H, -1, -1, dtype=jnp.int32)
    count = (reward[:, None] == level[None]).sum(0, dtype=jnp.int32).astype(jnp.float32)
    value = level.astype(jnp.float32)
    below = value[0] - value  # moments are taken from the top, where they are small
    mass = jnp.cumsum(count) / reward.shape[0]
    total = jnp.maximum(jnp.cumsum(count), 1)
    mean = jnp.cumsum(count * below) / total
    sd = jnp.sqrt(jnp.maximum(jnp.cumsum(count * below**2) / total - mean**2, 0))
    a = (1 + kappa) * mass - 1
    threshold = mean + sd / jnp.sqrt(jnp.where(a > 0, a, 1))  # in units below the top
    following = jnp.append(jax.lax.cummin(jnp.where(count > 0, below, jnp.inf), reverse=True)[1:], jnp.inf)  # the next value met
    fits = (a > 0) & (count > 0) & (threshold <= following + 1e-5)
    first = jnp.argmax(fits)
    t = jnp.where(sd[first] > 0, value[0] - threshold[first], value[0] - mean[first] - 0.5)  # the top value alone: all of it alike
    q = jnp.maximum(reward.astype(jnp.float32) - t, 0)
    return q / q.sum()


def simulate_random_chi2(key, prepared):
    """1 if VB-2's worst agreeing verifier has a gap above the threshold. float32 []; array `gap` []: that gap."""
    truth, rewards, agrees = _random_class(key, prepared)
    policies = jax.vmap(lambda reward: chi2_ball_policy(reward, prepared.H, prepared.kappa))(rewards)
    return _worst(policies, truth, agrees, prepared)


# --- exact numbers -----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class TightCell:
    """d blocks of probability q K/n each."""

    n: int
    d: int
    H: int
    K: int
    q: float


def validate_tight(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.positive("verification.thm_vb_tight", "q", cell.q)
    validate_needle(NeedleCell(cell.n, cell.d, cell.q * cell.K / cell.n, cell.K, cell.H))


def evaluate_tight(cell, rng):
    """Mean gap of the Bayes learner."""
    del rng  # nothing is drawn
    p = cell.q * cell.K / cell.n
    yield Case(f"K={cell.K}, q={cell.q}", _needle.needle_vb(cell.H, cell.d, p, cell.K, cell.n))


@dataclasses.dataclass(frozen=True)
class SlopeCell:
    """A rate at p = K/n: the grid starts at `n` and at `H` and doubles `doublings` times."""

    n: int
    d: int
    H: int
    K: int
    doublings: int


def validate_slope(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integers("verification.thm_vb_tight", at_least=2, doublings=cell.doublings)
    _arguments.require(cell.doublings <= 12, "verification.thm_vb_tight", f"doublings must be at most 12, got {cell.doublings}.")
    validate_needle(NeedleCell(cell.n, cell.d, cell.K / cell.n, cell.K, cell.H))


def _slope(grid, values):
    return float(np.polyfit(np.log(grid), np.log(values), 1)[0])


def evaluate_slope_n(cell, rng):
    """Log-log slope of the Bayes learner's mean gap in n at p = K/n."""
    del rng
    grid = [cell.n << i for i in range(cell.doublings + 1)]
    yield Case("slope in n", _slope(grid, [_needle.needle_vb(cell.H, cell.d, cell.K / n, cell.K, n) for n in grid]))


def evaluate_slope_H(cell, rng):
    """Log-log slope of the Bayes learner's mean gap in H."""
    del rng
    grid = [cell.H << i for i in range(cell.doublings + 1)]
    yield Case("slope in H", _slope(grid, [_needle.needle_vb(H, cell.d, cell.K / cell.n, cell.K, cell.n) for H in grid]))


@dataclasses.dataclass(frozen=True)
class RatioCell:
    """Blocks of probability K/n each, in the regime without heterogeneity."""

    n: int
    d: int
    H: int
    K: int


def validate_ratio(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_needle(NeedleCell(cell.n, cell.d, cell.K / cell.n, cell.K, cell.H))


def evaluate_ratio(cell, rng, swapped=False):
    """Mean gap of the verifier-based Bayes learner over that of cloning, or (a liar) the other way round."""
    del rng
    p = cell.K / cell.n
    ratio = _needle.needle_vb(cell.H, cell.d, p, cell.K, cell.n) / _needle.needle_vf(cell.H, cell.d, p, cell.K, cell.n)
    yield Case(f"K={cell.K}", 1 / ratio if swapped else ratio)


@dataclasses.dataclass(frozen=True)
class AntiCell:
    """Blocks of probability 1/d; the grid of styles starts at K and grows fourfold `steps` times."""

    d: int
    K: int
    steps: int


def validate_anti(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.reg_anti_fail"
    _arguments.integers(fn, d=cell.d, steps=cell.steps)
    _arguments.integers(fn, at_least=2, K=cell.K)
    largest = cell.d * cell.K * 4**cell.steps
    _arguments.require(largest <= 2**14, fn, f"d K 4^steps must be at most 2^14, got {largest}.")


def evaluate_anti(cell, rng, learner="vb"):
    """Log-log slope in K of the number of samples that halves the mean gap."""
    del rng
    grid = [cell.K * 4**i for i in range(cell.steps + 1)]
    halves = [_needle.needle_half(cell.d, K, learner) for K in grid]
    yield Case(f"n_half = {', '.join(map(str, halves))} at K = {', '.join(map(str, grid))}", _slope(grid, halves))
