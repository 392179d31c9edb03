"""Descent whose length is the question: one-example steps on fresh points (lem10), and how many points an angle takes (thm9)."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.halfspaces import _kernels, _learner, _marginals, _noise
from theory.halfspaces import _angles, _arguments, _dktz

__all__ = [
    "NeededCell",
    "StepsCell",
    "prepare_needed",
    "prepare_steps",
    "simulate_needed",
    "simulate_steps",
    "sizes",
    "validate_needed",
    "validate_steps",
]

_FN = "halfspaces"
_STRIDE = 500  # steps whose draws are made together
_TABLE = 513
MAX_STEPS = 10**9


@dataclasses.dataclass(frozen=True)
class StepsCell:
    """T one-example steps of the logistic surrogate of width sigma in dimension d, constant flip rate eta."""

    T: int
    d: int
    sigma: float
    eta: float


def validate_steps(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.count(_FN, "T", cell.T, _STRIDE, MAX_STEPS)
    _arguments.require(cell.T % _STRIDE == 0, _FN, f"T must be a multiple of {_STRIDE}, got {cell.T}.")
    _arguments.count(_FN, "d", _arguments.dimension(_FN, cell.d), 2, 1024)
    _arguments.sigma(_FN, cell.sigma)
    _arguments.massart(_FN, cell.eta)


@register
@dataclasses.dataclass(frozen=True)
class StepsPrepared:
    d: int
    strides: np.ndarray  # int32 []
    sigma: float
    eta: float
    beta: float
    squared: np.ndarray  # float [_TABLE], ||grad L||^2 at the angles i pi/(_TABLE - 1)


def prepare_steps(cell):
    """StepsCell -> StepsPrepared; the exact gradient norms are tabulated on the host."""
    angles = np.linspace(0, math.pi, _TABLE)[1:-1]
    squared = [0.0, *(_angles.grad_norm(float(a), cell.sigma, cell.eta, "logistic") ** 2 for a in angles), 0.0]
    return StepsPrepared(
        cell.d, np.int32(cell.T // _STRIDE), cell.sigma, cell.eta, _dktz.lem10_step(cell.T, cell.d, cell.sigma), np.array(squared)
    )


def simulate_steps(key, prepared):
    """Mean of ||grad L(w_i)||^2 over T steps from angle pi/2, w* = e_1; `last`: the last angle."""
    d, beta, sigma = prepared.d, prepared.beta, prepared.sigma

    def step(carry, draw):
        w, total = carry
        x, flip = draw
        cos, rest = w[0], jnp.sqrt(jnp.sum(w[1:] ** 2))
        place = jnp.arctan2(rest, cos) * np.float32((_TABLE - 1) / math.pi)
        below = jnp.clip(place.astype(jnp.int32), 0, _TABLE - 2)
        part = place - below.astype(jnp.float32)
        total = total + prepared.squared[below] * (1 - part) + prepared.squared[below + 1] * part
        y = jnp.where((x[0] >= 0) != flip, np.float32(1), np.float32(-1))
        t = jnp.dot(w, x)
        w = w + beta * y * _kernels.kernel_weight(t / sigma, "logistic") / sigma * (x - t * w)
        return (w / jnp.sqrt(jnp.sum(w * w)), total), None

    def stretch(i, carry):
        w, mean = carry
        key_x, key_y = jax.random.split(jax.random.fold_in(key, i))
        x = jax.random.normal(key_x, (_STRIDE, d), jnp.float32)
        flips = jax.random.uniform(key_y, (_STRIDE,), jnp.float32) < prepared.eta
        (w, total), _ = jax.lax.scan(step, (w, np.float32(0)), (x, flips))
        return w, mean + total / np.float32(_STRIDE)  # summed stride by stride: no float32 sum is long

    start = (jnp.zeros((d,), jnp.float32).at[1].set(1), np.float32(0))
    w, total = jax.lax.fori_loop(0, prepared.strides, stretch, start)
    return {"x": total / prepared.strides.astype(jnp.float32), "last": jnp.arctan2(jnp.sqrt(jnp.sum(w[1:] ** 2)), w[0])}


# --- thm9 -----------------------------------------------------------------------------------------------------------


RUNS = 12  # learners whose median angle decides
FIRST, GROWTH = 50, 1.3  # sample sizes tried: 50 * 1.3^i
_PADDINGS = (512, 2048)  # of the smaller sizes
_WIDTHS = (6, 24)  # coordinates drawn, so that dimensions share a program


@dataclasses.dataclass(frozen=True)
class NeededCell:
    """How many points the learner needs for angle <= 1/inverse_eps, massart_half(eta), d dimensions; at most `most` points are tried."""

    inverse_eps: float
    d: int = 5
    eta: float = 0.2
    most: int = 8192


def validate_needed(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.angle(_FN, 1 / _arguments.positive(_FN, "inverse_eps", cell.inverse_eps))
    _arguments.count(_FN, "d", _arguments.dimension(_FN, cell.d), 2, 1024)
    _arguments.massart(_FN, cell.eta)
    _arguments.count(_FN, "most", cell.most, _PADDINGS[-1], 10**6)


@register
@dataclasses.dataclass(frozen=True)
class NeededPrepared:
    width: int
    most: int
    real: np.ndarray  # float [width], 1 for the first d coordinates; the others are 0
    eps: float
    sigma: float
    eta: float
    steps: np.ndarray  # int32 []


def sizes(most):
    """The sample sizes tried, up to `most`: int32 [tries]."""
    tries = int(math.log(most / FIRST) / math.log(GROWTH)) + 1
    return np.floor(FIRST * GROWTH ** np.arange(tries)).astype(np.int32)


def prepare_needed(cell):
    """NeededCell -> NeededPrepared: sigma = 5 eps, T = max(60, 6/(sigma (1-2 eta)))."""
    eps = 1 / cell.inverse_eps
    steps = max(60, math.ceil(6 / (5 * eps * (1 - 2 * cell.eta))))
    steps = _learner.CHECKPOINTS * math.ceil(steps / _learner.CHECKPOINTS)
    width = next((w for w in _WIDTHS if w >= cell.d), cell.d)
    real = (np.arange(width) < cell.d).astype(float)
    return NeededPrepared(width, cell.most, real, eps, 5 * eps, cell.eta, np.int32(steps))


def _angle_after(key, n, padding, prepared):
    """The learner's angle after descent on n points; the others of `padding` are set to 0, which moves nothing."""
    key_x, key_y = jax.random.split(key)
    width = prepared.width
    star, u = (jnp.zeros((width,), jnp.float32).at[i].set(1) for i in (0, 1))
    x = _marginals.normals(key_x, (width, padding)) * prepared.real[:, None]
    flips = _marginals.uniforms(key_y, (padding,)) < _noise.flip_rates(
        jnp.int32(_noise.NOISES.index("massart_half")), prepared.eta, x, star, u
    )
    y = jnp.where(flips, -_noise.predict(star, x), _noise.predict(star, x))
    z = jnp.where(jnp.arange(padding, dtype=jnp.int32)[None] < n, x * y[None], 0)
    path, _ = _learner.descend(z, _learner.averaging_start(z), prepared.sigma, prepared.steps, "smooth", n.astype(jnp.float32))
    w = path[-1]
    return jnp.arctan2(jnp.linalg.norm(w[1:]), w[0])


def simulate_needed(key, prepared):
    """The first sample size tried at which the median angle of RUNS learners is at most eps; nan if none is."""
    tried, state = sizes(prepared.most), (jnp.int32(0), jnp.bool_(False))
    # One loop a padding: a choice among paddings inside one loop would, for a batch of replicates, compute all of them.
    for padding in (*_PADDINGS, prepared.most):
        last = int(np.sum(tried <= padding))

        def going(state, last=last):
            i, found = state
            return (i < last) & ~found

        def attempt(state, padding=padding):
            i, _ = state
            keys, n = jax.random.split(jax.random.fold_in(key, i), RUNS), jnp.asarray(tried)[i]
            angles = jax.lax.map(lambda k: _angle_after(k, n, padding, prepared), keys)
            return i + 1, jnp.median(angles) <= prepared.eps

        state = jax.lax.while_loop(going, attempt, state)
    i, found = state
    return jnp.where(found, jnp.asarray(tried)[i - 1].astype(jnp.float32), jnp.nan)
