"""PCA on one noisy subspace: errors against Theorem 2, rates, phase maps.

Coordinates are chosen so that U* is the first d axes of R^n. That is safe because the completion below rank d is explicit and Haar
(spec pitfall: LAPACK's own completion of an axis-aligned U* returns U*, and fakes recovery). Samples and dimensions are
padded with zeros, so that a grid of (d, N) is one program.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from theory.molrg import _arguments, _subspaces, _tails

__all__ = [
    "BayesCell",
    "MapCell",
    "NoisyCell",
    "PhaseCell",
    "SpikeCell",
    "after",
    "orthonormal_fill",
    "prepare_bayes",
    "prepare_map",
    "prepare_noisy",
    "prepare_phase",
    "prepare_spike",
    "prepare_whole",
    "simulate_bayes",
    "simulate_map",
    "simulate_noisy",
    "simulate_phase",
    "simulate_spike",
    "simulate_whole",
    "validate_bayes",
    "validate_noisy",
    "validate_phase",
    "validate_spike",
]

PAD_D, PAD_N, PAD_ROWS = 8, 16, 45
MOST = {"n": 4096, "d": 64, "N": 1024}  # of a user's cell


def _normal(key, shape, like):
    return jax.random.normal(key, shape, jnp.float32).astype(like)


def _within(fn, **named):
    for name, number in named.items():
        _arguments.require(number <= MOST[name], fn, f"{name} must be at most {MOST[name]}, got {number}.")


def after(earlier, array):
    """`array`, once `earlier` is known. LAPACK calls of one program must not run at the same time: on two threads large batches of them
    have been seen to wait for each other for ever (jaxlib 0.10). The product is not folded, as nan and inf would not give 0."""
    return array + 0.0 * jnp.sum(earlier).astype(array.dtype)


# --- Theorem 2 (i) --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class NoisyCell:
    """N samples of one subspace of dimension d in R^n with noise of sd sigma_e in every coordinate."""

    n: int
    d: int
    N: int
    sigma_e: float


@register
@dataclasses.dataclass(frozen=True)
class NoisyPrepared:
    n: int
    pad_N: int
    rows: np.ndarray  # float [n], 1 for the first d
    columns: np.ndarray  # float [pad_N], 1 for the first N
    leading: np.ndarray  # float [pad_N], 1 for the last d: eigenvalues ascend
    sigma_e: float
    allowed: float  # c1/(sqrt(N) - sqrt(d - 1))


def validate_noisy(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm2i"
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    _tails.rv_gap(cell.N, d)
    _arguments.noise_level(fn, cell.sigma_e)
    _within(fn, n=n, d=d, N=cell.N)
    _arguments.positive(fn, "sigma_e", cell.sigma_e)


def prepare_noisy(cell, c1=_tails.C1):
    pad_N = max(PAD_N, cell.N)
    index = np.arange(pad_N)
    return NoisyPrepared(
        n=cell.n, pad_N=pad_N, rows=(np.arange(cell.n) < cell.d).astype(float), columns=(index < cell.N).astype(float),
        leading=(index >= pad_N - cell.d).astype(float), sigma_e=cell.sigma_e, allowed=c1 / _tails.rv_gap(cell.N, cell.d),
    )  # fmt: skip


def _leading(X, leading):
    """Leading left singular vectors of X [n, N] as columns, the others zero: from the Gram matrix, largest last."""
    values, vectors = jnp.linalg.eigh(X.T @ X)
    scale = jnp.where(leading > 0, jax.lax.rsqrt(jnp.maximum(values, 1e-30)), 0.0)
    return (X @ vectors) * scale[None]


def _outside(U, rows):
    """||(I - P*) U||^2 where P* keeps the first d axes."""
    return jnp.sum(((1 - rows)[:, None] * U) ** 2)


def simulate_noisy(key, p):
    """1[err > c1 ||E||_F/(sqrt(N) - sqrt(d - 1))], float64; stored beside it: err over that bound."""
    key_A, key_E = jax.random.split(key)
    A = _normal(key_A, (p.n, p.pad_N), p.rows.dtype) * p.rows[:, None] * p.columns[None]
    E = p.sigma_e * _normal(key_E, (p.n, p.pad_N), p.rows.dtype) * p.columns[None]
    err = jnp.sqrt(2 * _outside(_leading(A + E, p.leading), p.rows))
    bound = p.allowed * jnp.sqrt(jnp.sum(E**2))
    return {"x": (err > bound * (1 + 1e-9)).astype(jnp.float32), "ratio": err / bound}


# --- Theorem 2 (i) at fixed noise: rates ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SpikeCell:
    """N samples of one subspace of dimension d in R^n with noise of sd sigma in every coordinate."""

    n: int
    d: int
    N: int
    sigma: float


@register
@dataclasses.dataclass(frozen=True)
class SpikePrepared:
    n: int
    d: int
    small: int  # min(n, N), or n for a grid of N above and below n
    dof: np.ndarray  # float [small]
    columns: np.ndarray  # float [small], 1 for the first N
    scale: np.ndarray  # float [n], sd of each coordinate of a sample
    power: float  # of err
    divisor: float


MAX_SIDE = 1024


def validate_spike(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm2i.rate"
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    _tails.rv_gap(cell.N, d)
    _arguments.positive(fn, "sigma", cell.sigma)
    _arguments.require(min(n, cell.N) <= MAX_SIDE, fn, f"the smaller of n and N must be at most {MAX_SIDE}, got {min(n, cell.N)}.")
    _arguments.require(n <= MOST["n"], fn, f"n must be at most {MOST['n']}, got {n}.")
    _arguments.require(MOST["n"] >= cell.N, fn, f"N must be at most {MOST['n']}, got {cell.N}.")


def prepare_spike(cell, power=1.0, divisor=1.0, ambient=None):
    """err^power/divisor. A lying world lives in R^ambient."""
    n = cell.n if ambient is None else ambient
    small = n if n <= 64 else min(n, cell.N)  # below 64 all N share one program
    index = np.arange(small)
    inside = np.sqrt(1 + cell.sigma**2)
    return SpikePrepared(
        n=n, d=cell.d, small=small, dof=np.maximum(cell.N - index, 1).astype(float), columns=(index < cell.N).astype(float),
        scale=np.where(np.arange(n) < cell.d, inside, cell.sigma), power=power, divisor=divisor,
    )  # fmt: skip


def simulate_spike(key, p):
    """err^power/divisor of PCA. X = scale * L Q with the lower trapezoidal factor L [n, min(n, N)] of a Gaussian matrix."""
    like = p.scale.dtype
    key_diagonal, key_below = jax.random.split(key)
    L = jnp.tril(_normal(key_below, (p.n, p.small), like), -1)
    diagonal = jnp.sqrt(2 * jax.random.gamma(key_diagonal, p.dof.astype(jnp.float32) / 2)).astype(like)
    L = L + jnp.eye(p.n, p.small, dtype=like) * diagonal[None]
    M = p.scale[:, None] * L * p.columns[None]
    values, vectors = jnp.linalg.eigh(M.T @ M)
    outside = jnp.sum((M[p.d :] @ vectors[:, -p.d :]) ** 2, axis=0)
    err2 = 2 * jnp.sum(outside / values[-p.d :])
    return err2 ** (p.power / 2) / p.divisor


@register
@dataclasses.dataclass(frozen=True)
class WholePrepared:
    n: int
    d: int
    pad_N: int
    columns: np.ndarray  # float [pad_N]
    sigma: float


def prepare_whole(cell, pad_N=1024):
    columns = (np.arange(max(pad_N, cell.N)) < cell.N).astype(float)
    return WholePrepared(cell.n, cell.d, len(columns), columns, cell.sigma)


def simulate_whole(key, p):
    """err of PCA from all entries of A and E (the second simulator of `simulate_spike`), and what the bounds say of that very E:
    2||E||_F/smin, 2 sqrt(2) ||E_(d)||_F/smin, and ||E||_F itself."""
    like = p.columns.dtype
    key_A, key_E = jax.random.split(key)
    A = _normal(key_A, (p.d, p.pad_N), like) * p.columns[None]
    E = p.sigma * _normal(key_E, (p.n, p.pad_N), like) * p.columns[None]
    X = E.at[: p.d].add(A)
    values, vectors = jnp.linalg.eigh(X @ X.T)
    err = jnp.sqrt(2 * jnp.sum(vectors[p.d :, -p.d :] ** 2))
    smin = jnp.sqrt(jnp.linalg.eigvalsh(after(values, A @ A.T))[0])
    noise = jnp.maximum(jnp.linalg.eigvalsh(after(smin, E @ E.T)), 0.0)
    size = jnp.sqrt(jnp.sum(noise))
    rank = jnp.sqrt(jnp.sum(noise[-p.d :]))
    return {"x": err, "det": 2 * size / smin, "rank": 2 * np.sqrt(2) * rank / smin, "size": size}


# --- below N = d ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BayesCell:
    """N < d noiseless samples of one Haar subspace of dimension d in R^n."""

    n: int
    d: int
    N: int


@register
@dataclasses.dataclass(frozen=True)
class BayesPrepared:
    pad: int
    rows: int  # n - N padded, of which `inside` and `outside` U* are in use
    filled: np.ndarray  # float [pad], 1 for the first d - N
    used: np.ndarray  # float [rows], 1 for the first n - N
    inside: np.ndarray  # float [rows], 1 for the first d - N
    missing: float  # d - N


def validate_bayes(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm2ii.bayes"
    _subspaces.thm2ii_bayes(cell.n, cell.d, cell.N)
    missing = cell.d - cell.N
    _arguments.require(missing <= MOST["d"], fn, f"d - N must be at most {MOST['d']}, got {missing}.")
    _within("molrg.thm2ii.bayes", n=cell.n)


def prepare_bayes(cell):
    missing, free = cell.d - cell.N, cell.n - cell.N
    pad, rows = max(PAD_D, missing), max(PAD_ROWS, free)
    index = np.arange(rows)
    return BayesPrepared(
        pad, rows, (np.arange(pad) < missing).astype(float), (index < free).astype(float), (index < missing).astype(float), float(missing)
    )


def simulate_bayes(key, p):
    """err^2 of the generic completion. col(X) lies in U*; the d - N directions added are Haar in R^{n-N}, of which d - N axes are U*."""
    G = _normal(key, (p.rows, p.pad), p.used.dtype) * p.used[:, None] * p.filled[None]
    T = G * p.inside[:, None]
    caught = jnp.trace(jnp.linalg.solve(G.T @ G + jnp.diag(1 - p.filled), T.T @ T))
    return 2 * (p.missing - caught)


# --- phase maps -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class PhaseCell:
    """Does PCA of N samples find the subspace of dimension d in R^n, err <= 0.5? Generic completion below rank d."""

    n: int
    d: int
    N: int
    sigma_e: float


@dataclasses.dataclass(frozen=True)
class MapCell:
    """The map over d = 2..8 and N = 2..15, one trial of every place a replicate."""

    n: int
    sigma_e: float


MAP_D, MAP_N = tuple(range(2, 9)), tuple(range(2, 16))
SUCCESS = 0.5  # err; recalled


@register
@dataclasses.dataclass(frozen=True)
class PhasePrepared:
    n: int
    pad_d: int
    pad_N: int
    rows: np.ndarray  # float [n], 1 for the first d
    columns: np.ndarray  # float [pad_N]
    leading: np.ndarray  # float [pad_N], 1 for the last min(d, N)
    filled: np.ndarray  # float [pad_d], 1 for the first d - N: directions to be added
    sigma_e: float


@register
@dataclasses.dataclass(frozen=True)
class MapPrepared:
    n: int
    sigma_e: float


def validate_phase(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.fig4"
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    _arguments.noise_level(fn, cell.sigma_e)
    _within(fn, n=n, d=d, N=_arguments.integers(fn, N=cell.N))


def _phase_masks(n, d, N, pad_d, pad_N):
    columns = np.arange(pad_N)
    masks = np.arange(n) < d, columns < N, columns >= pad_N - min(d, N), np.arange(pad_d) < d - N
    return [mask.astype(float) for mask in masks]


def prepare_phase(cell):
    pad_d, pad_N = max(PAD_D, cell.d), max(PAD_N, cell.N)
    return PhasePrepared(cell.n, pad_d, pad_N, *_phase_masks(cell.n, cell.d, cell.N, pad_d, pad_N), cell.sigma_e)


def prepare_map(cell):
    return MapPrepared(cell.n, cell.sigma_e)


def orthonormal_fill(found, G, filled):
    """Orthonormal columns in the complement of `found`'s, from Gaussian ones G [n, d]: Haar there. `filled` [d]: 0 leaves a column zero."""
    G = G * filled[None]
    for _ in range(2):  # twice is enough for orthogonality to rounding
        G = G - found @ (found.T @ G)
    factor = jnp.linalg.cholesky(G.T @ G + jnp.diag(1 - filled))
    return jax.scipy.linalg.solve_triangular(factor, G.T, lower=True).T


def _pca_error(key, p):
    """err of PCA at one place: leading directions of the samples, and Haar ones in their complement if N < d."""
    like = p.rows.dtype
    key_A, key_E, key_fill = jax.random.split(key, 3)
    A = _normal(key_A, (p.n, p.pad_N), like) * p.rows[:, None]
    X = (A + p.sigma_e * _normal(key_E, (p.n, p.pad_N), like)) * p.columns[None]
    found = _leading(X, p.leading)
    added = orthonormal_fill(found, _normal(key_fill, (p.n, p.pad_d), like), p.filled)
    return jnp.sqrt(2 * (_outside(found, p.rows) + _outside(added, p.rows)))


def simulate_phase(key, p):
    """1[err <= 0.5]."""
    err = _pca_error(key, p)
    return {"x": (err <= SUCCESS).astype(jnp.float32), "err": err}


def simulate_map(key, p):
    """Share of the map that succeeds; success at every place is stored beside it, [d, N].

    All places of a trial look at the same draws: the first N samples, the first d axes. Sizes are those of each place, nothing is padded:
    one batch of eigenproblems for every N > d, and for N <= d the span of the samples with d - N Gaussian directions.
    """
    key_A, key_E, key_fill = jax.random.split(key, 3)
    like, D, N_most = p.sigma_e.dtype, np.array(MAP_D), MAP_N[-1]
    rows = jnp.asarray(np.arange(p.n)[None] < D[:, None], like)  # [places of d, n]
    A = _normal(key_A, (p.n, N_most), like)[None] * rows[:, :, None]
    X = A + p.sigma_e * _normal(key_E, (p.n, N_most), like)[None]
    fill = jnp.broadcast_to(_normal(key_fill, (p.n, D[-1]), like), (len(D), p.n, D[-1]))
    C = jnp.concatenate([X, fill], axis=2)
    outside = C * (1 - rows)[:, :, None]
    gram, bottom = jnp.swapaxes(C, 1, 2) @ C, jnp.swapaxes(outside, 1, 2) @ outside
    err2, last = [[None] * len(MAP_N) for _ in MAP_D], gram[0, 0, 0]
    for b, N in enumerate(MAP_N):
        above = [a for a, d in enumerate(MAP_D) if d < N]
        if above:
            picked = np.array(above)
            values, vectors = jnp.linalg.eigh(after(last, gram[picked, :N, :N]))
            last = values
            lengths = jnp.sum(vectors * (bottom[picked, :N, :N] @ vectors), axis=1)
            leading = np.arange(N)[None] >= N - D[picked][:, None]
            found = jnp.sum(jnp.where(leading, lengths / jnp.maximum(values, 1e-30), 0.0), axis=1)
            for a, value in zip(above, found, strict=True):
                err2[a][b] = 2 * value
    for a, d in enumerate(MAP_D):
        below = [b for b, N in enumerate(MAP_N) if d >= N]
        index = np.array([[*range(MAP_N[b]), *range(N_most, N_most + d - MAP_N[b])] for b in below])  # [places, d]
        pick = (np.full(index.shape[0], a)[:, None, None], index[:, :, None], index[:, None])
        last = caught = jnp.trace(jnp.linalg.solve(after(last, gram[pick]), bottom[pick]), axis1=1, axis2=2)
        for b, value in zip(below, caught, strict=True):
            err2[a][b] = 2 * value
    err2 = jnp.stack([jnp.stack(line) for line in err2])
    success = (err2 <= SUCCESS**2).astype(jnp.float32)
    return {"x": jnp.mean(success), "success": success}
