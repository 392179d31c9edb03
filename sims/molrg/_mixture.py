"""The mixture itself: its samples (S3), the closed-form denoiser (S4) and the sampler (S6), compiled.

Bases are fixed for all replicates of a cell: drawn on the host from a seed made of the cell's integers.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.molrg import _host
from sims.molrg._exact_denoiser import W2Cell, numbers, pair, validate_w2
from theory.molrg import _arguments, _sampler, _subspaces

__all__ = [
    "FlowCell",
    "FrequencyCell",
    "GapCell",
    "JacobianCell",
    "MixtureCell",
    "denoise",
    "empirical_denoiser",
    "heun",
    "jacobian",
    "prepare_flow",
    "prepare_frequency",
    "prepare_gap",
    "prepare_jacobian",
    "prepare_mixture",
    "simulate_flow",
    "simulate_frequency",
    "simulate_gap",
    "simulate_jacobian",
    "simulate_mixture",
    "validate_flow",
    "validate_frequency",
    "validate_gap",
    "validate_jacobian",
    "validate_mixture",
]

MAX_SIDE, MAX_DRAWN = 1024, 1 << 20


# --- S4, S6, S7 ------------------------------------------------------------------------------------------------------


def denoise(x, s, g, frame, blocks, log_pis, log_factors):
    """Closed-form posterior mean at one point x [n], weights in the log domain.

    Args: frame [n, D], all bases side by side; blocks [K, D], 1 where a column belongs to a component; log_pis [K]; log_factors [K]:
      d_k/2 where the determinant factor is taken in, 0 where it is left out.
    Returns: (mean [n], weights [K]).
    """
    inside = x @ frame
    phi = s**2 / (2 * g**2 * (s**2 + g**2))
    factor = jnp.log(g**2) - jnp.log(s**2 + g**2)
    w = jax.nn.softmax(log_pis + log_factors * factor + phi * (blocks @ inside**2))
    return s / (s**2 + g**2) * (frame @ (inside * (w @ blocks))), w


def jacobian(y, s, g, blocks, log_pis, log_factors):
    """Jacobian of the posterior mean in the coordinates y [D] of orthogonal subspaces: [D, D]; zero outside them."""
    phi = s**2 / (2 * g**2 * (s**2 + g**2))
    factor = jnp.log(g**2) - jnp.log(s**2 + g**2)
    w = jax.nn.softmax(log_pis + log_factors * factor + phi * (blocks @ y**2))
    parts = blocks * y[None]  # P_k y
    mean = w @ parts
    spread = (parts * w[:, None]).T @ parts - mean[:, None] * mean[None]
    return s / (s**2 + g**2) * (jnp.diag(w @ blocks) + 2 * phi * spread)


def empirical_denoiser(x, s, g, X):
    """S7, the memorising optimum: softmax of -||x - s x_i||^2/(2 g^2) over the samples X [n, N]."""
    w = jax.nn.softmax(-jnp.sum((x[:, None] - s * X) ** 2, axis=0) / (2 * g**2))
    return X @ w


def heun(denoiser, x, levels, corrected):
    """S6: from x at levels[0] down to levels[-1] = 0; corrected 0 is the Euler variant. The last step is Euler's."""

    def step(x, pair):
        a, b = pair
        slope = (x - denoiser(x, a)) / a
        moved = x + (b - a) * slope
        inner = jnp.where(b > 0, b, a)  # at 0 the second slope is not used; it has to be finite
        second = (moved - denoiser(moved, inner)) / inner
        share = jnp.where(b > 0, 0.5 * corrected, 0.0)
        return x + (b - a) * ((1 - share) * slope + share * second), None

    return jax.lax.scan(step, x, (levels[:-1], levels[1:]))[0]


# --- def1 -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class MixtureCell:
    """N i.i.d. samples of a mixture of low-rank Gaussians in R^n; dims and weights joined by +, mode as in S2."""

    n: int = 12
    dims: str = "2+4+3"
    weights: str = "0.2+0.5+0.3"
    mode: str = "independent"
    N: int = 100_000


@register
@dataclasses.dataclass(frozen=True)
class MixturePrepared:
    N: int
    K: int
    d: int  # the largest dimension
    frames: np.ndarray  # float [K, d, n], U_k^T padded with zero rows
    edges: np.ndarray  # float [K - 1], cumulative weights that labels are drawn with
    pis: np.ndarray  # float [K], the declared weights
    covariance: np.ndarray  # float [n, n], declared
    allowed: float
    uniform: float  # 1: coefficients are uniform on (-1, 1)
    of_labels: float  # 1: the statistic is about label frequencies


ENTRY_MARGIN = 0.02  # of a covariance entry and of a label frequency


def _world(fn, n, dims, weights):
    dims = numbers(fn, "dims", dims, int)
    _arguments.dimensions(fn, n, *dims)
    return dims, _arguments.weights(fn, numbers(fn, "weights", weights, float), len(dims))


def validate_mixture(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.def1"
    dims, _ = _world(fn, cell.n, cell.dims, cell.weights)
    _arguments.integers(fn, N=cell.N)
    _arguments.require(
        cell.n <= 64 and cell.N <= MAX_DRAWN, fn, f"n must be at most 64 and N at most {MAX_DRAWN}, got {cell.n} and {cell.N}."
    )
    _bases(fn, cell.n, dims, cell.mode)


def _bases(fn, n, dims, mode):
    _arguments.one_of(fn, "mode", mode, ("orthogonal", "independent"))
    return _host.bases(np.random.default_rng([n, *dims]), n, dims, mode)


def prepare_mixture(cell, statistic="covariance", coefficients="gaussian", labels="weighted"):
    """Lying worlds: coefficients "uniform" on (-1, 1); labels "uniform" instead of weighted."""
    dims, pis = _world("molrg.def1", cell.n, cell.dims, cell.weights)
    Us, d = _bases("molrg.def1", cell.n, dims, cell.mode), max(dims)
    frames = np.stack([np.pad(U.T, ((0, d - U.shape[1]), (0, 0))) for U in Us])
    drawn = pis if labels == "weighted" else np.full(len(dims), 1 / len(dims))
    return MixturePrepared(
        N=cell.N, K=len(dims), d=d, frames=frames, edges=np.cumsum(drawn)[:-1], pis=pis,
        covariance=sum(pi * U @ U.T for pi, U in zip(pis, Us, strict=True)), allowed=ENTRY_MARGIN,
        uniform=float(coefficients == "uniform"), of_labels=float(statistic == "labels"),
    )  # fmt: skip


def simulate_mixture(key, p):
    """1[largest entrywise deviation of the sample covariance > margin], or of the label frequencies; both deviations are stored."""
    key_label, key_a = jax.random.split(key)
    label = jnp.sum(jax.random.uniform(key_label, (p.N, 1), jnp.float32) >= p.edges[None], axis=1, dtype=jnp.int32)
    a = jax.random.normal(key_a, (p.d, p.N), jnp.float32)
    # the same draws made uniform: 2 Phi(a) - 1
    a = jnp.where(p.uniform > 0, jax.lax.erf(a / math.sqrt(2)), a)
    member = (label[None] == jnp.arange(p.K, dtype=jnp.int32)[:, None]).astype(jnp.float32)  # [K, N]
    x = jnp.einsum("kdn,dN,kN->nN", p.frames, a, member, precision=jax.lax.Precision.HIGHEST)
    covariance = jnp.matmul(x, x.T, precision=jax.lax.Precision.HIGHEST) / p.N
    entry = jnp.max(jnp.abs(covariance - p.covariance))
    frequency = jnp.max(jnp.abs(jnp.mean(member, axis=1) - p.pis))
    off = jnp.where(p.of_labels > 0, frequency, entry)
    return {"x": (off > p.allowed).astype(jnp.float32), "entry": entry, "frequency": frequency}


# --- thm3.gap -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class GapCell:
    """Two orthogonal subspaces of dimension d, equal weights, noise sigma (s = 1)."""

    d: int
    sigma: float


@register
@dataclasses.dataclass(frozen=True)
class GapPrepared:
    pad: int
    inside: np.ndarray  # float [pad]
    sigma: float


def validate_gap(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    d = _arguments.integers("molrg.thm3.gap", d=cell.d)
    _arguments.require(d <= MAX_SIDE, "molrg.thm3.gap", f"d must be at most {MAX_SIDE}, got {d}.")
    _arguments.positive("molrg.thm3.gap", "sigma", cell.sigma)


def prepare_gap(cell):
    pad = max(8, cell.d)
    return GapPrepared(pad, (np.arange(pad) < cell.d).astype(float), cell.sigma)


def simulate_gap(key, p):
    """1[w_2 > w_1] for x_0 in S_1: only the 2d coordinates inside the subspaces matter to the weights."""
    key_x, key_noise = jax.random.split(key)
    x0 = jax.random.normal(key_x, (p.pad,), jnp.float32)
    noise = jax.random.normal(key_noise, (2, p.pad), jnp.float32)
    first = jnp.sum(p.inside * (x0 + p.sigma * noise[0]) ** 2)
    second = jnp.sum(p.inside * (p.sigma * noise[1]) ** 2)
    return (second > first).astype(jnp.float32)


# --- fig3 -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class JacobianCell:
    """K orthogonal subspaces of dimension d, equal weights; the denoiser's Jacobian at x_t, noise sigma (s = 1)."""

    K: int
    d: int
    sigma: float


@register
@dataclasses.dataclass(frozen=True)
class JacobianPrepared:
    K: int
    D: int
    blocks: np.ndarray  # float [K, D]
    sigma: float
    expected: np.ndarray  # int32 [], the rank predicted
    world: np.ndarray  # int32 [], WORLDS
    rooted: float


WORLDS = ("mixture", "one-gaussian", "hard-max")


def validate_jacobian(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.fig3"
    K, d = _arguments.integers(fn, K=cell.K, d=cell.d)
    _arguments.require(K * d <= 256, fn, f"K d must be at most 256, got {K * d}.")
    _arguments.positive(fn, "sigma", cell.sigma)


def prepare_jacobian(cell, expected_rank="d", world="mixture", rooted=True):
    """Lying worlds: the denoiser of one Gaussian with the mixture's covariance; that of the nearest subspace alone."""
    D = cell.K * cell.d
    blocks = (np.arange(D)[None] // cell.d == np.arange(cell.K)[:, None]).astype(float)
    rank = cell.d if expected_rank == "d" else D
    return JacobianPrepared(cell.K, D, blocks, cell.sigma, np.int32(rank), np.int32(WORLDS.index(world)), float(rooted))


def simulate_jacobian(key, p):
    """1[numerical rank of the Jacobian differs from the predicted one]; the rank itself is stored."""
    key_x, key_noise = jax.random.split(key)
    x0 = jax.random.normal(key_x, (p.D,), jnp.float32).astype(p.blocks.dtype) * p.blocks[0]
    y = x0 + p.sigma * jax.random.normal(key_noise, (p.D,), jnp.float32).astype(p.blocks.dtype)
    nothing = jnp.zeros(p.K, y.dtype)
    J = jacobian(y, 1.0, p.sigma, p.blocks, nothing, nothing)
    share = 1 / p.K
    alone = jnp.eye(p.D, dtype=y.dtype) * (share / (share + p.sigma**2))
    nearest = jnp.diag(p.blocks[jnp.argmax(p.blocks @ y**2)]) / (1 + p.sigma**2)
    J = jnp.where(p.world == 1, alone, jnp.where(p.world == 2, nearest, J))
    squares = jnp.linalg.eigvalsh(J)[::-1] ** 2  # J is positive semi-definite: eigenvalues are singular values
    energy = jnp.cumsum(squares) / jnp.sum(squares)
    rank = 1 + jnp.sum(energy <= jnp.where(p.rooted > 0, 0.99**2, 0.99), dtype=jnp.int32)
    return {"x": (rank != p.expected).astype(jnp.float32), "rank": rank}


# --- sampler, flow ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class FrequencyCell:
    """Share of generated points nearest to component k (from 0); Heun steps on the closed-form denoiser, orthogonal subspaces in R^n."""

    k: int
    steps: int = 72
    n: int = 16
    dims: str = "2+4+6"
    weights: str = "0.5+0.3+0.2"


@register
@dataclasses.dataclass(frozen=True)
class FrequencyPrepared:
    n: int
    K: int
    levels: np.ndarray  # float [steps + 1]
    frame: np.ndarray  # float [n, D]
    blocks: np.ndarray  # float [K, D]
    log_pis: np.ndarray  # float [K]
    log_factors: np.ndarray  # float [K]
    k: np.ndarray  # int32 []


def validate_frequency(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.sampler"
    dims, _ = _world(fn, cell.n, cell.dims, cell.weights)
    _arguments.require(sum(dims) <= cell.n, fn, f"orthogonal subspaces need sum(d_k) <= n, got {sum(dims)} > {cell.n}.")
    _arguments.require(0 <= cell.k < len(dims), fn, f"k must be 0 to {len(dims) - 1}, got {cell.k}.")
    _arguments.require(
        2 <= cell.steps <= 1024 and cell.n <= MAX_SIDE, fn, f"steps 2 to 1024, n at most {MAX_SIDE}, got {cell.steps}, {cell.n}."
    )


def prepare_frequency(cell, determinant=True):
    """A lying world leaves the determinant factor out of the weights."""
    dims, pis = _world("molrg.sampler", cell.n, cell.dims, cell.weights)
    D, owner = sum(dims), np.repeat(np.arange(len(dims)), dims)
    return FrequencyPrepared(
        n=cell.n, K=len(dims), levels=_sampler.sigma_schedule(cell.steps), frame=np.eye(cell.n, D),
        blocks=(owner[None] == np.arange(len(dims))[:, None]).astype(float), log_pis=np.log(pis),
        log_factors=0.5 * np.array(dims, dtype=float) * determinant, k=np.int32(cell.k),
    )  # fmt: skip


def simulate_frequency(key, p):
    """1[the generated point lies nearest to component k]; its relative residual off the union of subspaces is stored."""

    def denoiser(x, sigma):
        return denoise(x, 1.0, sigma, p.frame, p.blocks, p.log_pis, p.log_factors)[0]

    start = p.levels[0] * jax.random.normal(key, (p.n,), jnp.float32)
    out = heun(denoiser, start, p.levels, 1.0)
    energy = p.blocks @ (out @ p.frame) ** 2
    off = jnp.sqrt(jnp.maximum(1 - jnp.max(energy) / jnp.sum(out**2), 0.0))
    return {"x": (jnp.argmax(energy).astype(jnp.int32) == p.k).astype(jnp.float32), "off": off}


@dataclasses.dataclass(frozen=True)
class FlowCell:
    """Probability flow from noise sigma_T under the true and the learned denoiser, K = 1: PCA of N samples, noise sigma_e."""

    n: int = 30
    d: int = 6
    N: int = 12
    sigma_e: float = 0.2
    sigma_T: float = 2.0
    steps: int = 72


@register
@dataclasses.dataclass(frozen=True)
class FlowPrepared:
    n: int
    err: float  # of the pair
    levels: np.ndarray  # float [steps + 1]
    frames: np.ndarray  # float [2, n, d]


def _pair(cell):
    return pair(W2Cell(cell.n, cell.d, cell.N, cell.sigma_e), np.random.default_rng([cell.n, cell.d, cell.N]))


def validate_flow(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.w2"
    validate_w2(W2Cell(cell.n, cell.d, cell.N, cell.sigma_e))
    _arguments.require(cell.d <= cell.N, fn, f"upper bound needs N >= d, got N={cell.N}, d={cell.d}.")
    _arguments.require(0.002 < cell.sigma_T < math.inf, fn, f"sigma_T must be above .002, the last noise level, got {cell.sigma_T}.")
    _arguments.require(2 <= cell.steps <= 1024, fn, f"steps must be 2 to 1024, got {cell.steps}.")


def prepare_flow(cell):
    frames = _pair(cell)
    return FlowPrepared(
        cell.n, _subspaces.subspace_error(*frames), _sampler.sigma_schedule(cell.steps, smax=cell.sigma_T), np.stack(frames)
    )


def simulate_flow(key, p):
    """Squared distance of what the two denoisers make of the same noise, over err^2."""
    start = p.levels[0] * jax.random.normal(key, (p.n,), jnp.float32)
    out = [heun(lambda x, sigma, U=U: U @ (U.T @ x) / (1 + sigma**2), start, p.levels, 1.0) for U in (p.frames[0], p.frames[1])]
    return jnp.sum((out[0] - out[1]) ** 2) / p.err**2
