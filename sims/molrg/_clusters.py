"""Subspace clustering, compiled: K-subspaces (A2), the spectral start (A3), the best of several starts (A4), and phase maps of them.

Samples are padded with zero columns and dimensions with zero basis vectors, so that a grid of (d, N_k) at one K is one program. A fit
takes the leading eigenvectors of the cluster's masked Gram matrix; below rank d Haar directions are added, the same ones in every
iteration of a run. Coordinates are chosen so that the true subspaces lie along axes (see _pca.py).
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.molrg._pca import after, orthonormal_fill
from theory.molrg import _arguments, _tails

__all__ = [
    "ClusterCell",
    "StartsCell",
    "kss",
    "match",
    "prepare_cluster",
    "prepare_starts",
    "simulate_cluster",
    "simulate_starts",
    "spectral_labels",
    "validate_cluster",
    "validate_starts",
]

MAX_ITERATIONS = 100
KMEANS_RESTARTS, LLOYD_STEPS = 10, 50
# of eigenvalues of a Gram matrix, relative to the largest: it squares singular values, so a tolerance of 1e-10 on those is out of reach
RANK_TOLERANCE = {"float32": 1e-6, "float64": 1e-13}


def fit(X, member, G, directions):
    """A1 of every cluster: bases [K, n, d]. member [K, N]: 1 for its samples; G [K, n, d]: Gaussian; directions [d]: 1 for those in use."""
    d = G.shape[-1]
    tolerance = RANK_TOLERANCE[str(X.dtype)]
    masked = X[None] * member[:, None]
    values, vectors = jnp.linalg.eigh(jnp.swapaxes(masked, 1, 2) @ masked)
    values, vectors = values[:, ::-1][:, :d], vectors[:, :, ::-1][:, :, :d]
    held = directions[None] * (values > jnp.maximum(tolerance * values[:, :1], 0.0)).astype(X.dtype)
    found = (masked @ vectors) * jnp.where(held > 0, jax.lax.rsqrt(jnp.where(held > 0, values, 1.0)), 0.0)[:, None]
    added = jax.vmap(orthonormal_fill)(found, G, directions[None] - held)
    return found + added  # a column belongs to one of them


def energies(X, bases):
    """||U_k^T x_i||^2: [K, N]."""
    return jnp.sum((jnp.swapaxes(bases, 1, 2) @ X[None]) ** 2, axis=1)


def _members(labels, columns, K):
    return (labels[None] == jnp.arange(K, dtype=jnp.int32)[:, None]).astype(columns.dtype) * columns[None]


def kss(X, labels, columns, G, directions):
    """A2 from labels [N]: (labels, bases [K, n, d], SC energy, iterations). Stops when labels repeat, after 100 iterations at most."""
    K = G.shape[0]

    def iterate(state):
        labels, _, _, _, i = state
        bases = fit(X, _members(labels, columns, K), G, directions)
        found = energies(X, bases)
        return jnp.argmax(found, axis=0).astype(jnp.int32), labels, bases, jnp.sum(jnp.max(found, axis=0)), i + 1

    def moving(state):
        new, old, _, _, i = state
        return jnp.any((new != old) & (columns > 0)) & (i < MAX_ITERATIONS)

    start = (labels, labels - 1, jnp.zeros_like(G), jnp.zeros((), X.dtype), jnp.int32(0))
    _, labels, bases, energy, i = jax.lax.while_loop(moving, iterate, start)
    return labels, bases, energy, i


def spectral_labels(key, X, columns, K):
    """A3: labels [N], int32, from the squared |cosine| graph of the samples in use."""
    N = X.shape[1]
    norms = jnp.sqrt(jnp.sum(X**2, axis=0))
    unit = X / jnp.where(norms > 0, norms, 1.0)[None]
    W = (unit.T @ unit) ** 2 * (1 - jnp.eye(N, dtype=X.dtype))
    degree = jnp.sum(W, axis=0)
    scale = jnp.where(degree > 0, jax.lax.rsqrt(jnp.where(degree > 0, degree, 1.0)), 0.0)
    _, vectors = jnp.linalg.eigh(scale[:, None] * W * scale[None])
    rows = vectors[:, -K:]
    rows = rows / jnp.maximum(jnp.sqrt(jnp.sum(rows**2, axis=1, keepdims=True)), 1e-12)

    def distances(centres):  # [N, K]
        return jnp.sum((rows[:, None] - centres[None]) ** 2, axis=-1)

    def restart(key):
        # K distinct samples: the largest of uniforms, padding excluded
        order = jax.lax.top_k(jax.random.uniform(key, (N,), jnp.float32) + columns.astype(jnp.float32), K)[1]

        def lloyd(_, centres):
            member = _members(jnp.argmin(distances(centres), axis=1).astype(jnp.int32), columns, K)
            count = jnp.sum(member, axis=1, keepdims=True)
            return jnp.where(count > 0, member @ rows / jnp.maximum(count, 1.0), centres)

        centres = jax.lax.fori_loop(0, LLOYD_STEPS, lloyd, rows[order])
        nearest = distances(centres)
        return jnp.argmin(nearest, axis=1).astype(jnp.int32), jnp.sum(jnp.min(nearest, axis=1) * columns)

    labels, costs = jax.vmap(restart)(jax.random.split(key, KMEANS_RESTARTS))
    return labels[jnp.argmin(costs)]


def match(bases, truth):
    """Errors of the best permutation: (err [K] by true component, its largest). Bases [K, n, d]; permutations are few: K <= 6."""
    K = len(bases)
    residual = bases[:, None] - truth[None] @ (jnp.swapaxes(truth, 1, 2)[None] @ bases[:, None])  # [K learned, K true, n, d]
    err = jnp.sqrt(2 * jnp.sum(residual**2, axis=(2, 3)))
    orders = np.array(list(itertools.permutations(range(K))), dtype=np.int32)  # [permutations, K]: learned index of each true one
    each = err[orders, np.arange(K)[None]]
    worst = jnp.max(each, axis=1)
    best = jnp.argmin(worst)
    return each[best], worst[best]


# --- thm4i ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class ClusterCell:
    """K orthogonal subspaces of dimension d in R^n, N_k samples each, noise of sd sigma_e; spectral start and K-subspaces."""

    n: int
    K: int
    d: int
    N_k: int
    sigma_e: float


@register
@dataclasses.dataclass(frozen=True)
class ClusterPrepared:
    n: int
    K: int
    d: int
    pad: int  # samples of a cluster
    truth: np.ndarray  # float [K, n, d]
    directions: np.ndarray  # float [d]
    columns: np.ndarray  # float [K pad]
    owner: np.ndarray  # int32 [K pad]
    sigma_e: float
    allowed: float  # c1/(sqrt(N_k) - sqrt(d - 1))
    restarts: int


MAX_K, MAX_N, MAX_SAMPLES = 6, 1024, 1024


def validate_cluster(cell, fn="molrg.thm4i"):
    """Raises: ValueError naming the field, what is allowed and what came."""
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    K, N_k = _arguments.integers(fn, K=cell.K, N=cell.N_k)
    _arguments.require(K * d <= n, fn, f"orthogonal subspaces need sum(d_k) <= n, got {K * d} > {n}.")
    _tails.rv_gap(N_k, d)
    _arguments.noise_level(fn, cell.sigma_e)
    _arguments.require(K <= MAX_K, fn, f"K must be at most {MAX_K}, as permutations are enumerated, got {K}.")
    _arguments.require(n <= MAX_N and K * N_k <= MAX_SAMPLES, fn, f"n and K N_k must be at most {MAX_N}, got n={n}, K N_k={K * N_k}.")


def _axes(n, K, d, pad_d, angle=90.0):
    """True bases [K, n, pad_d] along the axes; an angle below 90 degrees tilts the second (K = 2) towards the first."""
    truth, t = np.zeros((K, n, pad_d)), math.radians(angle)
    for k, j in itertools.product(range(K), range(d)):
        truth[k, k * d + j, j] = 1.0 if k != 1 else math.sin(t)
        if k == 1:
            truth[1, j, j] = math.cos(t)
    return truth


def _padded(n, K, d, N_k, sigma_e, pad_d, pad_N, allowed=0.0, angle=90.0, restarts=0):
    position = np.tile(np.arange(pad_N), K)
    return ClusterPrepared(
        n, K, pad_d, pad_N, _axes(n, K, d, pad_d, angle), (np.arange(pad_d) < d).astype(float), (position < N_k).astype(float),
        np.repeat(np.arange(K), pad_N).astype(np.int32), sigma_e, allowed, restarts,
    )  # fmt: skip


def prepare_cluster(cell, c1=_tails.C1):
    allowed = c1 / _tails.rv_gap(cell.N_k, cell.d)
    return _padded(cell.n, cell.K, cell.d, cell.N_k, cell.sigma_e, max(4, cell.d), max(20, cell.N_k), allowed)


def _samples(key, p):
    """(X, E) [n, K pad], zero beyond N_k in every cluster."""
    like = p.truth.dtype
    key_a, key_e = jax.random.split(key)
    N = p.K * p.pad
    a = jax.random.normal(key_a, (p.d, N), jnp.float32).astype(like)
    clean = jnp.sum(jnp.stack([p.truth[k] @ (a * (p.owner == k)[None].astype(like)) for k in range(p.K)]), axis=0)
    E = p.sigma_e * jax.random.normal(key_e, (p.n, N), jnp.float32).astype(like) * p.columns[None]
    return clean * p.columns[None] + E, E


def simulate_cluster(key, p):
    """1[for the best permutation some err_k > c1 sqrt(sum of ||e_i||^2 in cluster k)/(sqrt(N_k) - sqrt(d - 1))]; the largest err,
    the largest ratio of err_k to that bound and whether err <= 0.5 are stored."""
    key_data, key_start, key_fill = jax.random.split(key, 3)
    X, E = _samples(key_data, p)
    G = jax.random.normal(key_fill, (p.K, p.n, p.d), jnp.float32).astype(X.dtype)
    _, bases, _, iterations = kss(X, spectral_labels(key_start, X, p.columns, p.K), p.columns, G, p.directions)
    each, worst = match(bases, p.truth)
    size = jnp.sqrt(_members(p.owner, p.columns, p.K) @ jnp.sum(E**2, axis=0))
    ratio = jnp.max(each / (p.allowed * size))
    return {
        "x": (ratio > 1 + 1e-9).astype(jnp.float32), "err": worst, "ratio": ratio, "success": (worst <= 0.5).astype(jnp.float32),
        "iterations": iterations,
    }  # fmt: skip


# --- phase maps of subspace clustering ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class StartsCell:
    """One place of a phase map: success (err <= 0.5) of K-subspaces from the spectral start, the best of `restarts` random ones, the truth.

    K orthogonal subspaces of dimension d in R^n, N_k samples each, below d too; K = 2: all principal angles `angle` degrees.
    """

    n: int
    K: int
    d: int
    N_k: int
    sigma_e: float
    angle: float = 90.0
    restarts: int = 10


MAP_PAD_D, MAP_PAD_N = 8, 16
SUCCESS = 0.5  # err; recalled


def validate_starts(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.fig4"
    validate_cluster(ClusterCell(cell.n, cell.K, cell.d, max(cell.d, cell.N_k), cell.sigma_e), fn)
    _arguments.integers(fn, N=cell.N_k)
    _arguments.require(0 < cell.angle <= 90, fn, f"angle must be in (0, 90], got {cell.angle}.")
    _arguments.require(cell.angle == 90 or cell.K == 2, fn, f"angle mode needs two subspaces of equal dimension, got K={cell.K}.")
    _arguments.require(1 <= cell.restarts <= 1000, fn, f"restarts must be 1 to 1000, got {cell.restarts}.")


def prepare_starts(cell):
    pads = max(MAP_PAD_D, cell.d), max(MAP_PAD_N, cell.N_k)
    return _padded(cell.n, cell.K, cell.d, cell.N_k, cell.sigma_e, *pads, angle=cell.angle, restarts=cell.restarts)


def simulate_starts(key, p):
    """1[the spectral start succeeds]; success of spectral, random and true start [3], and whether each ends at no less energy than the
    true start did [3], are stored."""
    key_data, key_spectral, key_fill, key_random = jax.random.split(key, 4)
    X, _ = _samples(key_data, p)
    G = jax.random.normal(key_random, (p.restarts, p.K, p.n, p.d), jnp.float32).astype(X.dtype)
    spectral = spectral_labels(key_spectral, X, p.columns, p.K)
    nothing = after(spectral, jnp.zeros((p.n, 1), X.dtype))
    haar = jax.vmap(jax.vmap(orthonormal_fill, (None, 0, None)), (None, 0, None))(nothing, G, p.directions)
    nearest = jnp.argmax(jax.vmap(energies, (None, 0))(X, haar), axis=1).astype(jnp.int32)
    starts = jnp.concatenate([spectral[None], p.owner[None], nearest])
    fill = jax.random.normal(key_fill, (len(starts), p.K, p.n, p.d), jnp.float32).astype(X.dtype)
    # one start after the other: side by side all would iterate as long as the slowest
    _, bases, energy, _ = jax.lax.map(lambda start: kss(X, start[0], p.columns, start[1], p.directions), (starts, fill))
    best = 2 + jnp.argmax(energy[2:])
    chosen = jnp.stack([jnp.zeros_like(best), best, jnp.ones_like(best)])
    success = (jax.vmap(match, (0, None))(bases[chosen], p.truth)[1] <= SUCCESS).astype(jnp.float32)
    reached = (energy[chosen] >= energy[1] * (1 - 1e-5)).astype(jnp.float32)
    return {"x": success[0], "success": success, "reached": reached}
