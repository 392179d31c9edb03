"""Denoisers that are trained (A5): the parametrised low-rank ones by gradient descent on their own loss, exact or soft-max."""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sims._experiment import register
from sims.molrg import _clusters
from sims.molrg._mixture import denoise
from theory.molrg import _arguments, _tails

__all__ = [
    "TrainCell",
    "TrainPrepared",
    "prepare_train",
    "simulate_softmax",
    "simulate_train",
    "softmax_loss",
    "train_exact",
    "validate_train",
]

RATE, STEPS = 0.05, 1500
SOFT_RATE, SOFT_DRAWS = 0.02, 8
CLOSE = 1e-3  # projector distance, of a trained denoiser to the optimum it should reach
SUCCESS = 0.5
DISTANCE, FAILED = 0, 1  # statistics


@dataclasses.dataclass(frozen=True)
class TrainCell:
    """K orthogonal subspaces of dimension d in R^n, N_k samples each, noise of sd sigma_e; `steps` of full-batch Adam."""

    n: int
    K: int
    d: int
    N_k: int
    sigma_e: float
    steps: int = STEPS


@register
@dataclasses.dataclass(frozen=True)
class TrainPrepared:
    n: int
    K: int
    d: int
    pad: int
    truth: np.ndarray  # float [K, n, d]
    columns: np.ndarray  # float [K pad]
    owner: np.ndarray  # int32 [K pad]
    sigma_e: float
    steps: np.ndarray  # int32 []
    statistic: np.ndarray  # int32 [], DISTANCE or FAILED
    against_truth: float  # 1: the distance is taken to the true subspaces (a lying world)


def validate_train(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm1" if cell.K == 1 else "molrg.thm3"
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    K, N_k = _arguments.integers(fn, K=cell.K, N=cell.N_k)
    _arguments.require(K * d <= n <= 1024, fn, f"orthogonal subspaces need sum(d_k) <= n <= 1024, got {K * d}, n={n}.")
    _arguments.require(K <= _clusters.MAX_K and K * N_k <= 1024, fn, f"K must be at most {_clusters.MAX_K} and K N_k at most 1024.")
    _arguments.noise_level(fn, cell.sigma_e)
    _tails.rv_gap(N_k, d)
    _arguments.require(1 <= cell.steps <= 1_000_000, fn, f"steps must be 1 to 1000000, got {cell.steps}.")


def prepare_train(cell, statistic=DISTANCE, steps=None, against_truth=False, pad=16):
    """Lying worlds: fewer `steps`; the distance is taken to the truth and not to PCA."""
    pad = max(pad, cell.N_k)
    position = np.tile(np.arange(pad), cell.K)
    return TrainPrepared(
        cell.n, cell.K, cell.d, pad, _clusters._axes(cell.n, cell.K, cell.d, cell.d), (position < cell.N_k).astype(float),
        np.repeat(np.arange(cell.K), pad).astype(np.int32), cell.sigma_e, np.int32(cell.steps if steps is None else steps),
        np.int32(statistic), float(against_truth),
    )  # fmt: skip


def _captured(V, X):
    """||P x_i||^2 of the projector P on the span of each V [K, n, d]: [K, N]. Equal to that of Q = qr(V), without the QR."""
    inside = jnp.swapaxes(V, 1, 2) @ X[None]  # [K, d, N]
    gram = jnp.swapaxes(V, 1, 2) @ V
    half = jax.scipy.linalg.solve_triangular(jnp.linalg.cholesky(gram), inside, lower=True)
    return jnp.sum(half**2, axis=1)


def _adam(loss, params, steps, rate):
    """`steps` (traced) of Adam with cosine decay to 0."""
    optimiser = optax.scale_by_adam()
    gradient = jax.grad(loss)

    def step(i, state):
        params, moments = state
        done = i.astype(jnp.float32) / steps.astype(jnp.float32)
        slope = gradient(params, i)
        with jax.numpy_dtype_promotion("standard"):  # optax raises floats to an integer power
            update, moments = optimiser.update(slope, moments)
        size = 0.5 * rate * (1 + jnp.cos(math.pi * done))
        return jax.tree.map(lambda v, u: v - size * u, params, update), moments

    return jax.lax.fori_loop(jnp.int32(0), steps, step, (params, optimiser.init(params)))[0]


def train_exact(V, X, steps):
    """A5 (i): maximise sum_i max_k ||P_k x_i||^2/||X||^2, the hard-max denoising loss up to constants (Theorems 1 and 3). V [K, n, d]."""
    total = jnp.sum(X**2)

    def loss(V, _):
        return -jnp.sum(jnp.max(_captured(V, X), axis=0)) / total

    return _adam(loss, V, steps, RATE)


def _orthonormal(V):
    return jnp.linalg.qr(V)[0]


def _distance(U, V):
    """||UU^T - VV^T||_F of each pair of bases [K, n, d]: [K]."""
    residual = U - V @ (jnp.swapaxes(V, 1, 2) @ U)
    return jnp.sqrt(2 * jnp.sum(residual**2, axis=(1, 2)))


def _world(key, p):
    key_data, key_V = jax.random.split(key)
    world = _clusters.ClusterPrepared(p.n, p.K, p.d, p.pad, p.truth, None, p.columns, p.owner, p.sigma_e, None, 0)
    X, _ = _clusters._samples(key_data, world)
    return X, jax.random.normal(key_V, (p.K, p.n, p.d), jnp.float32)


def simulate_train(key, p):
    """1[projector distance of the trained bases to PCA of the samples that they claim > 1e-3], or 1[err > 0.5]; both numbers are stored.

    K = 1: to PCA of all samples. K > 1: to PCA of each basis' own cluster, so that it is a fixed point of K-subspaces.
    """
    X, V = _world(key, p)
    found = jax.vmap(_orthonormal)(train_exact(V, X, p.steps))
    labels = jnp.argmax(_clusters.energies(X, found), axis=0).astype(jnp.int32)
    member = _clusters._members(labels, p.columns, p.K)
    masked = X[None] * member[:, None]
    values, vectors = jnp.linalg.eigh(jnp.swapaxes(masked, 1, 2) @ masked)
    values, vectors = values[:, -p.d :], vectors[:, :, -p.d :]
    pca = (masked @ vectors) * jax.lax.rsqrt(jnp.maximum(values, 1e-30))[:, None]
    # a Gram matrix squares the condition number; one QR restores orthonormality
    pca = jax.vmap(_orthonormal)(pca)
    distance = jnp.max(_distance(found, jnp.where(p.against_truth > 0, p.truth, pca)))
    err = _clusters.match(found, p.truth)[1]
    far, failed = (distance > CLOSE).astype(jnp.float32), (err > SUCCESS).astype(jnp.float32)
    return {"x": jnp.where(p.statistic == FAILED, failed, far), "distance": distance, "err": err}


# --- soft-max ---------------------------------------------------------------------------------------------------------


def softmax_loss(V, X, key, columns):
    """A5 (ii): one stochastic estimate of the denoising loss of Lemma 1's denoiser with bases qr(V) and uniform weights.

    ln sigma ~ N(-1.2, 1.2^2), weight (1 + sigma^2)/sigma^2, 8 noise draws per sample. V [K, n, d].
    """
    K, n, d = V.shape
    bases = jax.vmap(_orthonormal)(V)
    frame = jnp.moveaxis(bases, 0, 1).reshape(n, K * d)
    blocks = jnp.repeat(jnp.eye(K, dtype=V.dtype), d, axis=1, total_repeat_length=K * d)
    nothing = jnp.zeros(K, V.dtype)
    key_sigma, key_noise = jax.random.split(key)
    N = X.shape[1]
    sigma = jnp.exp(-1.2 + 1.2 * jax.random.normal(key_sigma, (SOFT_DRAWS, N), jnp.float32))
    noise = jax.random.normal(key_noise, (SOFT_DRAWS, N, n), jnp.float32)
    clean = jnp.broadcast_to(X.T[None], (SOFT_DRAWS, N, n))

    def one(x, noise, sigma):
        mean, _ = denoise(x + sigma * noise, 1.0, sigma, frame, blocks, nothing, nothing)
        return (1 + sigma**2) / sigma**2 * jnp.sum((mean - x) ** 2)

    losses = jax.vmap(jax.vmap(one))(clean, noise, sigma)
    return jnp.sum(losses * columns[None]) / (SOFT_DRAWS * jnp.sum(columns))


def simulate_softmax(key, p):
    """Largest err of the soft-max denoiser after stochastic training; the energy share ||.||^2/||X||^2 it captures is stored."""
    key_world, key_steps = jax.random.split(key)
    X, V = _world(key_world, p)
    loss = functools.partial(softmax_loss, X=X, columns=p.columns)
    trained = _adam(lambda V, i: loss(V, key=jax.random.fold_in(key_steps, i)), V, p.steps, SOFT_RATE)
    found = jax.vmap(_orthonormal)(trained)
    share = jnp.sum(jnp.max(_clusters.energies(X, found), axis=0)) / jnp.sum(X**2)
    return {"x": _clusters.match(found, p.truth)[1], "share": share}
