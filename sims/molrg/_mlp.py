"""A denoiser that knows nothing of subspaces: an EDM-preconditioned MLP (S8, A5 iii), and what it generates (A6).

Orthogonal subspaces along axes, no noise in the samples. Samples and dimensions are padded, so that cells of one n, K and width are one
program. One replicate is one training run.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.molrg._mixture import denoise, heun
from sims.molrg._training import _adam
from theory.molrg import _arguments, _sampler

__all__ = [
    "MlpCell",
    "MlpPrepared",
    "generalization_score",
    "mlp_denoiser",
    "off_union",
    "prepare_mlp",
    "simulate_mlp",
    "validate_mlp",
]

BATCH, RATE = 128, 2e-3
FREQUENCIES = (0.25, 0.5, 1.0, 2.0)
HIDDEN = 3
TEST_SIGMA = 0.1
GENERATED, SAMPLER_STEPS = 256, 36
NOVEL_QUANTILE = 0.05
PAD_D, PAD_N = 4, 2048


@dataclasses.dataclass(frozen=True)
class MlpCell:
    """K orthogonal subspaces of dimension d in R^n, N_k samples each; an MLP of `width`, trained for `steps`."""

    n: int
    K: int
    d: int
    N_k: int
    width: int = 64
    steps: int = 2000


@register
@dataclasses.dataclass(frozen=True)
class MlpPrepared:
    n: int
    K: int
    width: int
    pad_d: int
    pad_N: int
    N_k: np.ndarray  # int32 []
    directions: np.ndarray  # float [K, pad_d], 1 for the first d
    sd: float
    steps: np.ndarray  # int32 []
    log_factor: float  # d/2
    levels: np.ndarray  # float [SAMPLER_STEPS + 1]


def validate_mlp(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.fig5a"
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    K, N_k = _arguments.integers(fn, K=cell.K, N=cell.N_k)
    _arguments.require(K * max(PAD_D, d) <= n <= 256, fn, f"n must be K max(4, d) to 256, got n={n}, K={K}, d={d}.")
    _arguments.require(K * N_k <= 1 << 16, fn, f"K N_k must be at most 65536, got {K * N_k}.")
    _arguments.require(
        1 <= cell.width <= 4096 and 1 <= cell.steps <= 1_000_000, fn, f"width to 4096, steps to 10^6, got {cell.width}, {cell.steps}."
    )


def prepare_mlp(cell):
    pad_d = max(PAD_D, cell.d)
    return MlpPrepared(
        cell.n, cell.K, cell.width, pad_d, max(PAD_N, cell.K * cell.N_k), np.int32(cell.N_k),
        np.tile((np.arange(pad_d) < cell.d).astype(float), (cell.K, 1)), math.sqrt(cell.d / cell.n), np.int32(cell.steps), cell.d / 2,
        _sampler.sigma_schedule(SAMPLER_STEPS),
    )  # fmt: skip


def _true_samples(key, p, num, labels):
    """Samples [num, n] of the mixture on axes: component k has the coordinates k pad_d .. k pad_d + d - 1."""
    a = jax.random.normal(key, (num, p.pad_d), jnp.float32)
    member = jax.nn.one_hot(labels, p.K, dtype=jnp.float32)
    coordinates = (member[:, :, None] * p.directions[None] * a[:, None]).reshape(num, p.K * p.pad_d)
    return jnp.pad(coordinates, ((0, 0), (0, p.n - p.K * p.pad_d)))


def _initial(key, p):
    sizes = [p.n + 2 * len(FREQUENCIES), *[p.width] * HIDDEN, p.n]
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (i, o), jnp.float32) / math.sqrt(i), jnp.zeros(o, jnp.float32))
        for k, i, o in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def mlp_denoiser(params, x, sigma, sd):
    """S8: D(x, sigma) = c_skip x + c_out net(c_in x, features of ln sigma). x [m, n], sigma [m]."""
    total = sigma**2 + sd**2
    angles = jnp.log(sigma)[:, None] * jnp.array(FREQUENCIES, jnp.float32)[None]
    h = jnp.concatenate([x / jnp.sqrt(total)[:, None], jnp.sin(angles), jnp.cos(angles)], axis=1)
    for i, (W, b) in enumerate(params):
        h = h @ W + b[None]
        if i < HIDDEN:
            h = jax.nn.silu(h)
    return (sd**2 / total)[:, None] * x + (sigma * sd / jnp.sqrt(total))[:, None] * h


def _train(key, p, samples):
    key_params, key_steps = jax.random.split(key)
    count = p.K * p.N_k

    def loss(params, i):
        key_pick, key_sigma, key_noise = jax.random.split(jax.random.fold_in(key_steps, i), 3)
        x = samples[jax.random.randint(key_pick, (BATCH,), 0, count)]
        sigma = jnp.exp(-1.2 + 1.2 * jax.random.normal(key_sigma, (BATCH,), jnp.float32))
        noisy = x + sigma[:, None] * jax.random.normal(key_noise, x.shape, jnp.float32)
        weight = (sigma**2 + p.sd**2) / (sigma * p.sd) ** 2
        return jnp.mean(weight * jnp.sum((mlp_denoiser(params, noisy, sigma, p.sd) - x) ** 2, axis=1))

    return _adam(loss, _initial(key_params, p), p.steps, RATE)


def _nearest(points, samples, used):
    """Distance from each point to the nearest training sample. used [N]: 1 for those in use."""
    squares = jnp.sum(points**2, axis=1)[:, None] + jnp.sum(samples**2, axis=1)[None] - 2 * points @ samples.T
    return jnp.sqrt(jnp.maximum(jnp.min(jnp.where(used[None] > 0, squares, jnp.inf), axis=1), 0.0))


def generalization_score(generated, fresh, samples, used):
    """A6: share of generated points farther from the training set than the 5 % quantile of fresh true samples. Perfect .95, memoriser 0."""
    threshold = jnp.quantile(_nearest(fresh, samples, used), NOVEL_QUANTILE)
    return jnp.mean((_nearest(generated, samples, used) > threshold).astype(jnp.float32))


def off_union(points, blocks):
    """A6, validity: relative residual off the union of subspaces, sqrt(1 - max_k ||U_k^T y||^2/||y||^2). Subspaces along axes [K, D]."""
    inside = jnp.max(points[:, : blocks.shape[1]] ** 2 @ blocks.T, axis=1)
    return jnp.sqrt(jnp.maximum(1 - inside / jnp.sum(points**2, axis=1), 0.0))


def _blocks(p):
    """float [K, K pad_d]: 1 where a coordinate is one of the component's."""
    return (jnp.eye(p.K, dtype=jnp.float32)[:, :, None] * p.directions[None]).reshape(p.K, p.K * p.pad_d)


def simulate_mlp(key, p):
    """Mean squared error of the trained denoiser on fresh samples over that of the posterior mean, at sigma = .1; the generalization
    score and the mean off-union residual of what it generates are stored."""
    key_data, key_train, key_fresh, key_noise, key_generate = jax.random.split(key, 5)
    index = jnp.arange(p.pad_N, dtype=jnp.int32)
    samples = _true_samples(key_data, p, p.pad_N, index % p.K)  # the first K N_k of them are used: N_k of each component
    used = (index < p.K * p.N_k).astype(jnp.float32)
    params = _train(key_train, p, samples)

    labels = jnp.arange(4 * GENERATED, dtype=jnp.int32) % p.K
    fresh = _true_samples(key_fresh, p, 4 * GENERATED, labels)
    sigma = jnp.full(4 * GENERATED, TEST_SIGMA, jnp.float32)
    noisy = fresh + TEST_SIGMA * jax.random.normal(key_noise, fresh.shape, jnp.float32)
    learned = mlp_denoiser(params, noisy, sigma, p.sd)
    blocks, frame = _blocks(p), jnp.eye(p.n, p.K * p.pad_d, dtype=jnp.float32)
    log_pis, log_factors = jnp.zeros(p.K, jnp.float32), jnp.full(p.K, p.log_factor)
    optimal = jax.vmap(lambda x: denoise(x, 1.0, jnp.float32(TEST_SIGMA), frame, blocks, log_pis, log_factors)[0])(noisy)
    ratio = jnp.sum((learned - fresh) ** 2) / jnp.sum((optimal - fresh) ** 2)

    start = p.levels[0] * jax.random.normal(key_generate, (GENERATED, p.n), jnp.float32)
    generated = heun(lambda x, s: mlp_denoiser(params, x, jnp.full(GENERATED, s), p.sd), start, p.levels, 1.0)
    score = generalization_score(generated, fresh, samples, used)
    return {"x": ratio, "score": score, "off": jnp.mean(off_union(generated, blocks))}
