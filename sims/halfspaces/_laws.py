"""Small simulators: one replicate is a block of points, of which one average is kept."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri

from sims._experiment import register
from sims.halfspaces import _kernels, _marginals, _testers
from theory.halfspaces import _angles, _arguments
from theory.halfspaces import _testers as reference

__all__ = [
    "AngleCell",
    "BandCell",
    "GradientCell",
    "QuarticCell",
    "SmoothCell",
    "SpikeCell",
    "WedgeCell",
    "WorstCell",
    "prepare_angle",
    "prepare_band",
    "prepare_gradient",
    "prepare_quartic",
    "prepare_smooth",
    "prepare_spike",
    "prepare_wedge",
    "prepare_worst",
    "simulate_angle",
    "simulate_band",
    "simulate_gradient",
    "simulate_quartic",
    "simulate_smooth",
    "simulate_spike",
    "simulate_wedge",
    "simulate_wedge_of_points",
    "simulate_worst",
    "validate_angle",
    "validate_band",
    "validate_gradient",
    "validate_quartic",
    "validate_smooth",
    "validate_spike",
    "validate_wedge",
    "validate_worst",
]

_FN = "halfspaces"
BLOCK_POINTS = 1000  # points of a replicate
MAX_D = 1024


# --- fact1 ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class AngleCell:
    """Two unit vectors at angle theta in dimension d."""

    theta: float
    d: int


def validate_angle(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.angle(_FN, cell.theta)
    _arguments.count(_FN, "d", _arguments.dimension(_FN, cell.d), 2, MAX_D)


@register
@dataclasses.dataclass(frozen=True)
class AnglePrepared:
    width: int  # coordinates drawn: at least 20, so that small dimensions share a program
    scales: np.ndarray  # float [width]
    other: np.ndarray  # float [width], the second vector; the first is e_1


def prepare_angle(cell, marginal="gauss"):
    """AngleCell -> AnglePrepared: e_1 against cos(theta) e_1 + sin(theta) e_d. marginal: "gauss", or "aniso" in a lying world."""
    width = max(20, cell.d)
    scales = {"gauss": np.ones(cell.d), "aniso": np.linspace(0.3, 2.0, cell.d)}[marginal]
    other = np.zeros(width)
    other[0], other[cell.d - 1] = math.cos(cell.theta), math.sin(cell.theta)
    return AnglePrepared(width, np.pad(scales, (0, width - cell.d)), other)


def simulate_angle(key, prepared):
    """Share of BLOCK_POINTS points on which the two halfspaces differ."""
    x = _marginals.normals(key, (prepared.width, BLOCK_POINTS)) * prepared.scales[:, None]
    return jnp.mean(((x[0] >= 0) != (prepared.other @ x >= 0)).astype(jnp.float32))


# --- gradlaw --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class GradientCell:
    """A gradient at angle theta from w*, width sigma, constant flip rate eta, d coordinates."""

    kernel: str
    theta: float
    sigma: float
    eta: float = 0.2
    d: int = 6


def validate_gradient(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.kernel(_FN, cell.kernel)
    _arguments.require(0 < cell.theta < math.pi, _FN, f"theta must lie in (0, pi), got {cell.theta}.")
    _arguments.sigma(_FN, cell.sigma)
    _arguments.massart(_FN, cell.eta)
    _arguments.require(_arguments.dimension(_FN, cell.d) >= 3, _FN, f"d must be at least 3 here, got {cell.d}.")
    _arguments.count(_FN, "d", cell.d, 3, MAX_D)


@register
@dataclasses.dataclass(frozen=True)
class GradientPrepared:
    d: int
    star: np.ndarray  # float [d]; w is e_1
    kernel: np.ndarray  # int32 []
    sigma: float
    eta: float
    direction: np.ndarray  # float [d], along which -grad is measured


def prepare_gradient(cell, across=False, tilt=0.0):
    """GradientCell -> GradientPrepared. across: measure a direction orthogonal to w and w*; tilt: w* leans towards it, a lying world."""
    star = np.zeros(cell.d)
    star[:3] = math.cos(cell.theta), math.sin(cell.theta) * math.cos(tilt), math.sin(cell.theta) * math.sin(tilt)
    return GradientPrepared(
        cell.d, star, np.int32(_arguments.KERNELS.index(cell.kernel)), cell.sigma, cell.eta, np.eye(cell.d)[2 if across else 1]
    )


def empirical_loss(w, x, y, sigma, kernel):
    """L_sigma(w) of points x [d, n]; kernel by number."""
    t = -y * (w @ x) / jnp.linalg.norm(w)
    return jnp.mean(_kernels.surrogate_by_number(t, sigma, kernel))


def simulate_gradient(key, prepared):
    """One component of -grad L by automatic differentiation on BLOCK_POINTS points, in float64 on float32 draws."""
    key_x, key_y = jax.random.split(key)
    x = _marginals.normals(key_x, (prepared.d, BLOCK_POINTS)).astype(prepared.star.dtype)
    flips = _marginals.uniforms(key_y, (BLOCK_POINTS,)) < prepared.eta.astype(jnp.float32)
    y = jnp.where((prepared.star @ x >= 0) != flips, 1.0, -1.0).astype(x.dtype)
    w = jnp.zeros((prepared.d,), x.dtype).at[0].set(1)
    return -jnp.dot(jax.grad(empirical_loss)(w, x, y, prepared.sigma, prepared.kernel), prepared.direction)


# --- lem4.3x --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class WorstCell:
    """The worst Massart(eta) adversary at `share` times the stationary angle theta_s(sigma, eta)."""

    kernel: str
    sigma: float
    eta: float
    share: float


WORST_POINTS = 4096  # points of a replicate


def validate_worst(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.kernel(_FN, cell.kernel)
    _arguments.sigma(_FN, cell.sigma)
    _arguments.require(_arguments.massart(_FN, cell.eta) > 0, _FN, "eta must be > 0, got 0.")
    _arguments.positive(_FN, "share", cell.share)
    theta = cell.share * _angles.stationary_angle(cell.sigma, cell.eta, cell.kernel)
    _arguments.require(theta < math.pi, _FN, f"share times theta_s must be below pi, got {theta:.4g}.")


@register
@dataclasses.dataclass(frozen=True)
class WorstPrepared:
    cos: float
    sin: float
    sigma: float
    eta: float
    kernel: np.ndarray  # int32 []


def prepare_worst(cell):
    """WorstCell -> WorstPrepared."""
    theta = cell.share * _angles.stationary_angle(cell.sigma, cell.eta, cell.kernel)
    return WorstPrepared(math.cos(theta), math.sin(theta), cell.sigma, cell.eta, np.int32(_arguments.KERNELS.index(cell.kernel)))


def simulate_worst(key, prepared):
    """Mean of k(s)/density phi(sigma s) (1 - 2 eta(x)) h x_1, t = sigma s drawn by importance: uniform on the band, or logistic."""
    key_t, key_x = jax.random.split(key)
    u = jax.random.uniform(key_t, (WORST_POINTS,), jnp.float32, minval=1e-7)
    s = jnp.where(prepared.kernel == _arguments.KERNELS.index("logistic"), jnp.log(u) - jnp.log1p(-u), u - np.float32(0.5))
    ratio = jnp.where(prepared.kernel == _arguments.KERNELS.index("logistic"), np.float32(1), _kernels.kernel_by_number(s, prepared.kernel))
    t, x1 = prepared.sigma * s, _marginals.normals(key_x, (WORST_POINTS,))
    h = jnp.where(x1 * prepared.sin + t * prepared.cos >= 0, np.float32(1), np.float32(-1))
    keep = 1 - 2 * jnp.where(h * x1 > 0, prepared.eta, 0)
    density = np.float32(1 / math.sqrt(2 * math.pi)) * jnp.exp(-t * t / 2)
    return jnp.mean(ratio * density * keep * h * x1)


# --- T2 -------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BandCell:
    """n Gaussian points, width sigma, tolerance tau."""

    n: int
    sigma: float
    tau: float = 0.25


def validate_band(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.count(_FN, "n", cell.n, 1, 10**6)
    _arguments.sigma(_FN, cell.sigma)
    _arguments.tolerance(_FN, cell.tau)


@register
@dataclasses.dataclass(frozen=True)
class BandPrepared:
    most: int  # points drawn: at least 1600, so that smaller cells share a program
    n: np.ndarray  # int32 []
    radii: np.ndarray  # float [2]
    low: np.ndarray  # int32 [2], fewest points that pass
    high: np.ndarray  # int32 [2], most points that pass


def prepare_band(cell, outer=0.5):
    """BandCell -> BandPrepared; counts are compared with integers. outer: the larger radius over sigma, 1/2; a lying world has 1."""
    mass = np.array([reference.band_mass(cell.sigma / 6), reference.band_mass(cell.sigma / 2)]) * cell.n
    counts = np.arange(cell.n + 1)[:, None]
    passing = np.abs(counts / mass - 1) <= cell.tau
    any_passes = passing.any(0)
    low = np.where(any_passes, passing.argmax(0), 1)
    high = np.where(any_passes, cell.n - passing[::-1].argmax(0), 0)
    radii = np.array([cell.sigma / 6, outer * cell.sigma])
    return BandPrepared(max(1600, cell.n), np.int32(cell.n), radii, low.astype(np.int32), high.astype(np.int32))


def simulate_band(key, prepared):
    """1 if both band counts pass."""
    t = jnp.abs(_marginals.normals(key, (prepared.most,)))
    real = jnp.arange(prepared.most, dtype=jnp.int32) < prepared.n
    counts = jnp.sum((t[None] <= prepared.radii[:, None]) & real[None], 1, dtype=jnp.int32)
    return jnp.all((counts >= prepared.low) & (counts <= prepared.high)).astype(jnp.float32)


# --- T3 -------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class QuarticCell:
    """Q4 of n Gaussian points in p dimensions."""

    n: int
    p: int


def validate_quartic(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.count(_FN, "n", cell.n, 2, 10**7)
    _arguments.count(_FN, "p", cell.p, 1, 128)


@register
@dataclasses.dataclass(frozen=True)
class QuarticPrepared:
    n: int
    p: int


def prepare_quartic(cell):
    """QuarticCell -> QuarticPrepared."""
    return QuarticPrepared(cell.n, cell.p)


def simulate_quartic(key, prepared):
    """Q4 of one sample."""
    z = _marginals.normals(key, (prepared.p, prepared.n))
    # Behind a barrier: the compiler would work out the places of a million constant weights, in ten seconds.
    weights = jax.lax.optimization_barrier(jnp.full((prepared.n,), np.float32(1 / prepared.n)))
    return _testers.quartic_relaxation(z, weights, np.float32(1))[2]


# --- T4 -------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class WedgeCell:
    """W(w, theta) of n Gaussian points in d dimensions."""

    theta: float
    d: int
    n: int


def validate_wedge(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.angle(_FN, cell.theta)
    _arguments.count(_FN, "d", _arguments.dimension(_FN, cell.d), 2, MAX_D)
    _arguments.count(_FN, "n", cell.n, 12 * (cell.d - 1), 10**8)


@register
@dataclasses.dataclass(frozen=True)
class WedgePrepared:
    d: int
    n: int
    theta: float


def prepare_wedge(cell):
    """WedgeCell -> WedgePrepared."""
    return WedgePrepared(cell.d, cell.n, cell.theta)


def simulate_wedge(key, prepared):
    """W over theta/pi, the true disagreement of a vector at theta.

    The points come in the order of t = <w, x>: the order statistics of n normal draws, by partial sums of exponentials, beside
    independent other coordinates. Sorting would take most of the time; simulate_wedge_of_points does it.
    """
    key_t, key_z = jax.random.split(key)
    parts = -jnp.log1p(-_marginals.uniforms(key_t, (prepared.n + 1,)))
    below, above = jnp.cumsum(parts)[:-1], jax.lax.cumsum(parts, reverse=True)[1:]  # each exact in its own tail
    total = below + above
    t = jnp.where(below < above, ndtri(below / total), -ndtri(above / total))
    t = jax.lax.cummax(t)  # rounding of sums may swap neighbours
    z = _marginals.normals(key_z, (prepared.d - 1, prepared.n))
    return _testers.wedge_of_sorted(t, z, prepared.theta) / prepared.theta * np.float32(math.pi)


def simulate_wedge_of_points(key, prepared):
    """The same of points drawn one by one."""
    x = _marginals.normals(key, (prepared.d, prepared.n))
    return _testers.wedge(x[0], x[1:], prepared.theta) / prepared.theta * np.float32(math.pi)


# --- T1bound --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SpikeCell:
    """The spike marginal at tan(theta) = tangent and moment k; n points in d dimensions."""

    tangent: float
    k: int
    n: int = 100_000
    d: int = 3


def validate_spike(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.positive(_FN, "tangent", cell.tangent)
    _arguments.even_degree(_FN, cell.k)
    _arguments.count(_FN, "n", cell.n, 1, 10**8)
    _arguments.count(_FN, "d", _arguments.dimension(_FN, cell.d), 2, MAX_D)


@register
@dataclasses.dataclass(frozen=True)
class SpikePrepared:
    n: int
    d: int
    theta: float
    spike: np.ndarray  # float [3]


def prepare_spike(cell, exponent=None):
    """SpikeCell -> SpikePrepared. exponent: of tan(theta) in s, k/(k+1); a lying world takes another, and alpha = s/4."""
    theta = math.atan(cell.tangent)
    spike = reference.spike(theta, cell.k)
    s, rho, alpha = spike.s, spike.rho, spike.alpha
    if exponent is not None:
        s = 0.3 * cell.tangent**exponent
        rho, alpha = 1.02 * s / cell.tangent, s / 4
    return SpikePrepared(cell.n, cell.d, theta, np.array([s, rho, alpha]))


def simulate_spike(key, prepared):
    """(D - theta/pi)/(1 - theta/pi), D the share on which w and a vector at theta differ: alpha in expectation."""
    d = prepared.d
    key_points, key_extra = jax.random.split(key)
    w, u = (jnp.zeros((d,), jnp.float32).at[i].set(1) for i in (0, 1))
    world = _marginals.World(w, u, w, prepared.spike)
    g = _marginals.normals(key_points, (d, prepared.n))
    x = _marginals.points(g, key_extra, jnp.int32(_marginals.MARGINALS.index("spike")), world)
    v = jnp.cos(prepared.theta) * w + jnp.sin(prepared.theta) * u
    share = jnp.mean(((w @ x >= 0) != (v @ x >= 0)).astype(jnp.float32))
    clean = prepared.theta / np.float32(math.pi)
    return (share - clean) / (1 - clean)


# --- dktz.lem11 -----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SmoothCell:
    """Logistic surrogate of width sigma in dimension d, constant flip rate eta."""

    d: int
    sigma: float
    eta: float = 0.3


def validate_smooth(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.count(_FN, "d", _arguments.dimension(_FN, cell.d), 2, MAX_D)
    _arguments.sigma(_FN, cell.sigma)
    _arguments.massart(_FN, cell.eta)


SMOOTH = ("gradient", "population", "smoothness")


@register
@dataclasses.dataclass(frozen=True)
class SmoothPrepared:
    width: int  # coordinates drawn, at least 20; those beyond d are 0
    real: np.ndarray  # float [width]
    sigma: float
    eta: float
    statistic: np.ndarray  # int32 []


def prepare_smooth(cell, statistic):
    """SmoothCell -> SmoothPrepared."""
    width = max(20, cell.d)
    return SmoothPrepared(width, (np.arange(width) < cell.d).astype(float), cell.sigma, cell.eta, np.int32(SMOOTH.index(statistic)))


def simulate_smooth(key, prepared):
    """On BLOCK_POINTS points at 1 rad from w*: mean of ||grad l||^2, ||grad L||^2, or the norm of the Hessian of L on the unit sphere.

    The block's own gradient and Hessian, whose norms exceed the population's in expectation.
    """
    key_x, key_y = jax.random.split(key)
    x = _marginals.normals(key_x, (prepared.width, BLOCK_POINTS)) * prepared.real[:, None]
    flips = _marginals.uniforms(key_y, (BLOCK_POINTS,)) < prepared.eta
    clean = np.float32(math.cos(1.0)) * x[0] + np.float32(math.sin(1.0)) * x[1] >= 0
    y = jnp.where(clean != flips, np.float32(1), np.float32(-1))
    w = jnp.zeros((prepared.width,), jnp.float32).at[0].set(1)

    def loss(w, x, y):
        return jnp.mean(_kernels.surrogate(-y * (w @ x) / jnp.linalg.norm(w), prepared.sigma, "logistic"))

    each = jax.vmap(lambda point, label: jax.grad(loss)(w, point[:, None], label[None]), (1, 0))(x, y)
    hessian = jax.hessian(loss)(w, x, y)
    numbers = [jnp.mean(jnp.sum(each**2, 1)), jnp.sum(jnp.mean(each, 0) ** 2), jnp.max(jnp.abs(jnp.linalg.eigvalsh(hessian)))]
    return jnp.stack(numbers)[prepared.statistic]
