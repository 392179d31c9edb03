"""S3, the planted subsequence: traces drawn token by token, and exact numbers on the host."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import Case, register
from theory.verification import _arguments, _balls, _planted
from theory.verification._planted import GOLD_LENGTH, VOCABULARY

__all__ = [
    "BonCell",
    "PlantedCell",
    "TracePrepared",
    "evaluate_bon",
    "evaluate_cap",
    "evaluate_curves",
    "evaluate_floor",
    "evaluate_silence",
    "evaluate_slope",
    "evaluate_variance",
    "prepare_mean",
    "prepare_variance",
    "reward_law",
    "simulate_trace",
    "validate_bon",
    "validate_planted",
]

MAX_HORIZON = 1 << 16


@dataclasses.dataclass(frozen=True)
class PlantedCell:
    """A base (theory's `base_of`), a horizon of H tokens, V tokens to choose from, a gold sequence of length k."""

    base: str
    H: int
    V: int = VOCABULARY
    k: int = GOLD_LENGTH


def validate_planted(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.horizon("verification", cell.H, cell.k, cell.V)
    _arguments.require(cell.H <= MAX_HORIZON, "verification", f"H must be at most {MAX_HORIZON}, got {cell.H}.")
    _planted.base_of(cell.base)


def reward_law(cell):
    """(values, probs) of R, float64 [H+1]."""
    return np.arange(cell.H + 1.0), _planted.mixture_pmf(*_planted.base_of(cell.base), cell.V, cell.k, cell.H)


# --- traces ------------------------------------------------------------------------------------------------


@register
@dataclasses.dataclass(frozen=True)
class TracePrepared:
    H: int
    V: int
    k: int
    gammas: np.ndarray  # float32 [num_styles]
    edges: np.ndarray  # float32 [num_styles], upper ends of the styles' shares of [0, 1)
    center: float  # mu, in float64 on the host
    squared: float  # 1: the statistic is (R - mu)^2, 0: R


_MOST_STYLES = 6  # styles are padded to as many, so that the presets share one program


def _prepare(cell, squared):
    gammas, weights = _planted.base_of(cell.base)
    pad = max(0, _MOST_STYLES - len(gammas))
    edges = np.append(np.cumsum(weights)[:-1], 1.0)
    mean, _ = _planted.mean_var(*reward_law(cell))
    return TracePrepared(
        H=cell.H,
        V=cell.V,
        k=cell.k,
        gammas=np.pad(np.float32(gammas), (0, pad), mode="edge"),
        edges=np.pad(np.float32(edges), (0, pad), constant_values=2.0),
        center=mean,
        squared=float(squared),
    )


def prepare_mean(cell):
    """PlantedCell -> TracePrepared, for the statistic R."""
    return _prepare(cell, squared=False)


def prepare_variance(cell):
    """PlantedCell -> TracePrepared, for the statistic (R - mu)^2."""
    return _prepare(cell, squared=True)


def simulate_trace(key, prepared):
    """R, or (R - mu)^2, of one trace written token by token: float32 []. `histogram`: bool [H+1], R one-hot.

    The gold tokens are 0..k-1; any k distinct tokens give the same law. Progress is read off the last tokens by comparison
    with every prefix of the gold sequence, and the trace is solved when the last k tokens are the gold ones: nothing of
    theory's chain is used.
    """
    V, k = prepared.V, prepared.k
    key_style, key_tokens = jax.random.split(key)
    style = jnp.sum(jax.random.uniform(key_style, (), jnp.float32) >= prepared.edges, dtype=jnp.int32)
    gamma = prepared.gammas[style]
    uniforms = jax.random.uniform(key_tokens, (prepared.H,), jnp.float32)
    gold = jnp.arange(k, dtype=jnp.int32)

    def write(carry, u):
        last, solved = carry  # int32 [k], the last k tokens, -1 before the first; bool
        progress = jnp.int32(0)
        for length in range(1, k):  # the longest prefix of the gold sequence that the trace ends in
            progress = jnp.where(jnp.all(last[k - length :] == gold[:length]), length, progress)
        wheel = u * (gamma + np.float32(V - 1))  # the gold next token takes [0, gamma), every other one an interval of length 1
        other = jnp.clip(jnp.floor(wheel - gamma), 0, max(V - 2, 0)).astype(jnp.int32)
        token = jnp.where(wheel < gamma, progress, other + (other >= progress).astype(jnp.int32))
        last = jnp.concatenate([last[1:], token[None]])
        solved = solved | jnp.all(last == gold)
        return (last, solved), solved

    start = (jnp.full((k,), -1, jnp.int32), jnp.bool_(False))
    _, solved = jax.lax.scan(write, start, uniforms)
    reward = jnp.sum(solved, dtype=jnp.int32)
    r = reward.astype(jnp.float32)
    x = (1 - prepared.squared) * r + prepared.squared * (r - prepared.center) ** 2
    return {"x": x, "histogram": jnp.arange(prepared.H + 1, dtype=jnp.int32) == reward}


# --- exact numbers -----------------------------------------------------------------------------------------


def evaluate_variance(cell, rng, style_step=True):
    """The sum of Q's variances by dynamic programming; a lying world leaves out the step that draws the style."""
    del rng  # nothing is drawn
    total = _planted.mixture_var_q_sum(*_planted.base_of(cell.base), cell.V, cell.k, cell.H, style_step)
    yield Case(f"{cell.base}, H={cell.H}", total)


def _spread(base, V, k, H):
    return _planted.spread(*_planted.base_of(base), V, k, H)


def evaluate_slope(cell, rng):
    """Least-squares slope of ln sigma in ln H over H, 2H, 4H."""
    del rng
    spreads = [_spread(cell.base, cell.V, cell.k, f * cell.H) for f in (1, 2, 4)]
    yield Case(f"{cell.base}, H={cell.H}, {2 * cell.H}, {4 * cell.H}", math.log(spreads[2] / spreads[0]) / math.log(4))


def _horizons(cell):
    """The cell's horizon and its halvings down to 16, at least k."""
    H = cell.H
    found = [H]
    while max(16, cell.k) <= H // 2:
        H //= 2
        found.append(H)
    return found[::-1]


def evaluate_cap(cell, rng):
    """sigma at the cell's horizon and its halvings."""
    del rng
    for H in _horizons(cell):
        yield Case(f"{cell.base}, H={H}", _spread(cell.base, cell.V, cell.k, H), {"H": H})


evaluate_floor = evaluate_cap  # the same numbers, held against the other bound


def evaluate_silence(cell, rng, short=False):
    """The largest kappa with c(kappa) > 0, at the cell's horizon and without one; a lying world has H = k only."""
    del rng
    law = reward_law(dataclasses.replace(cell, H=cell.k) if short else cell)
    yield Case(f"{cell.base}, H={cell.H}", _balls.largest_heard_kappa(*law))
    if not short:
        mean, sd = _planted.solving_time(*_planted.base_of(cell.base), cell.V, cell.k)
        yield Case(f"{cell.base}, no horizon", ((mean - cell.k) / sd) ** 2)


def evaluate_curves(cell, rng, kappas=(0.25, 0.5, 1.0)):
    """For figures: sigma/H, c(kappa) and c*(kappa) at the cell's horizon."""
    del rng
    law = reward_law(cell)
    yield Case("sigma/H", _spread(cell.base, cell.V, cell.k, cell.H) / cell.H)
    for kappa in kappas:
        yield Case("c", _balls.anticonc(*law, kappa), {"kappa": kappa})
        yield Case("c*", _balls.anticonc_star(*law, _balls.sup_chi2(*law, kappa)), {"kappa": kappa})


@dataclasses.dataclass(frozen=True)
class BonCell:
    """H tokens in all under a base, shared by 1, 2, 4, .. traces of at least k tokens, at most `most` of them."""

    base: str
    H: int
    most: int = 16
    V: int = VOCABULARY
    k: int = GOLD_LENGTH


def validate_bon(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_planted(cell)
    most = _arguments.integers("verification.emp_bon", at_least=2, most=cell.most)
    _arguments.require(bool(most <= 1024), "verification.emp_bon", f"most must be at most 1024, got {cell.most}.")
    ok = cell.H % 2 == 0 and cell.k <= cell.H // 2
    _arguments.require(ok, "verification.emp_bon", f"H must be even and at least 2k = {2 * cell.k}, got {cell.H}.")


def evaluate_bon(cell, rng, solved=False, verified=True, gift=False, first=2):
    """P(no trace is solved), or 1 - it if `solved`, for N = first, 2 first, .. <= most with N | H and H/N >= k.

    Lying worlds hand in a random trace (`verified=False`) or give every trace k - 1 tokens that are not counted (`gift`).
    """
    del rng
    failure = _planted.bon_failure if verified else _planted.bon_failure_unverified
    n = first
    while n <= cell.most and cell.H % n == 0 and cell.k <= cell.H // n:
        tokens = cell.H + (n * (cell.k - 1) if gift else 0)
        p = failure(*_planted.base_of(cell.base), cell.V, cell.k, tokens, n)
        yield Case(f"{cell.base}, H={cell.H}, N={n}", 1 - p if solved else p, {"num_traces": n})
        n *= 2
