"""Sampled moments: L1 against brute force, L6 and thm.samples from exact draws of sample moments."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.invariance import _draws, _graphs
from theory.invariance import _arguments, _bounds, _sem

__all__ = [
    "BruteCell",
    "BrutePrepared",
    "RadiusCell",
    "RadiusPrepared",
    "prepare_brute",
    "prepare_radius",
    "prepare_ratio",
    "simulate_brute",
    "simulate_radius",
    "validate_brute",
    "validate_radius",
]

BATCH = 2048  # samples of one replicate of L1
DIRECTIONS = 256  # over which its ratio is averaged: a single one would be skewed in a lying world


@dataclasses.dataclass(frozen=True)
class BruteCell:
    """One intervention of a family on B7 with generic weights (graph: their seed)."""

    family: str
    graph: int = 0


def validate_brute(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.family("invariance", cell.family)
    _arguments.integer("invariance", "graph", cell.graph, 0)


@register
@dataclasses.dataclass(frozen=True)
class BrutePrepared:
    B: np.ndarray  # [p, p], strictly lower triangular
    sd: np.ndarray  # [p]
    mu: np.ndarray  # [p]
    M: np.ndarray  # [p, p]


def prepare_brute(cell, keep_noise=False):
    """BruteCell -> BrutePrepared. keep_noise: the world's sites keep their noise, M is that of the declared intervention."""
    model = _graphs.b7(seed=cell.graph)
    rng = np.random.default_rng([cell.graph, *cell.family.encode()])
    B, omega, mu = (a[0] for a in _graphs.draw(rng, cell.family, model, 1))
    M = _sem.moments(B, omega, mu)
    if keep_noise:
        omega = np.where(model.slots.node > 0, model.omega, omega)
    return BrutePrepared(B=B, sd=np.sqrt(omega), mu=mu, M=M)


def simulate_brute(key, prepared):
    """Mean of a^T M^ a/a^T M a over random directions a, M^ from BATCH samples made node by node: 1 in the mean where M is right."""
    p = len(prepared.sd)
    z = jax.random.normal(key, (p, DIRECTIONS + BATCH), jnp.float32)
    a, eta = z[:, :DIRECTIONS].T, prepared.mu[:, None] + prepared.sd[:, None] * z[:, DIRECTIONS:]
    X = eta[:1]
    for i in range(1, p):
        X = jnp.concatenate([X, (prepared.B[i, :i] @ X + eta[i])[None]])
    seen = jnp.mean((a @ X) ** 2, axis=1)
    return jnp.mean(seen / jnp.sum((a @ prepared.M) * a, axis=1))


# --- L6 and thm.samples ------------------------------------------------------------------------------------------------

ENVIRONMENTS = 10


@dataclasses.dataclass(frozen=True)
class RadiusCell:
    """N samples in each of ten environments on B7, unit noise; delta: the allowed probability of a violation."""

    N: int
    delta: float = 0.2


def validate_radius(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(cell.N > 7, "invariance", f"N must exceed p=7, got N={cell.N}.")
    _arguments.integer("invariance", "N", cell.N, 64, 10**9)
    _arguments.open_unit("invariance", "delta", cell.delta)


@register
@dataclasses.dataclass(frozen=True)
class RadiusPrepared(_draws.Interventions):
    n: int
    N: float
    u: float  # L6's u, from the nodes with noise
    share: float  # of the radius that is claimed
    ratio: float  # 1: the statistic is the largest ||M^ - M||/||M||, 0: whether the radius is exceeded


def prepare_radius(cell, family="soft_add", share=1.0, ratio=0.0):
    """RadiusCell -> RadiusPrepared. share: a lying world claims this share of the radius."""
    model = _graphs.b7()
    noisy = model.p - (len(model.sites) if family == "hard_const" else 0)
    radius = _bounds.cov_radius(noisy, ENVIRONMENTS, cell.N, cell.delta)
    u = np.sqrt(1 + radius) - 1  # of 2u + u^2
    return RadiusPrepared(**_draws.fields_of(model, family), n=ENVIRONMENTS, N=float(cell.N), u=float(u), share=share, ratio=ratio)


def prepare_ratio(cell):
    """RadiusCell -> RadiusPrepared, for the relative error itself."""
    return prepare_radius(cell, ratio=1.0)


def simulate_radius(key, prepared):
    """Whether some environment's sample moment is farther from its moment than L6 allows, or the largest relative error."""
    count = prepared.count

    def one(s):
        B, omega, mu = _draws.environment(_draws.raw(s[:count], prepared.family), prepared)
        T = _sem.total_effects(B, jnp)
        covariance, mean = T @ (omega[:, None] * T.T), T @ mu
        M = covariance + mean[:, None] * mean[None, :]
        error = _draws.operator_norm(_draws.sample_moment(s[count:], T, omega, mu, prepared.N) - M)
        size = _draws.operator_norm(covariance)
        u = prepared.u
        radius = size * (2 * u + u * u) + 2 * jnp.sqrt(size) * jnp.linalg.norm(mean) * u
        return error / (prepared.share * radius), error / _draws.operator_norm(M)

    numbers = count + _draws.num_sample_numbers(len(prepared.omega))
    used, relative = jax.vmap(one)(_draws.signed(key, (prepared.n, numbers), prepared.B.dtype))
    worst = used.max()
    x = prepared.ratio * relative.max() + (1 - prepared.ratio) * (worst > 1).astype(worst.dtype)
    return {"x": x, "used": worst}
