"""The analyst `burn`: makes Thresholdout spend its whole budget, then overfits the answers it was given."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.adaptive import _cells

__all__ = ["BurnCell", "BurnPrepared", "prepare_burn", "simulate_burn", "validate_burn"]


@dataclasses.dataclass(frozen=True)
class BurnCell:
    """A holdout of n points behind Thresholdout with threshold T, noise rate sigma and budget B; m queries are asked."""

    n: int
    m: int
    B: int
    sigma: float
    T: float


@register
@dataclasses.dataclass(frozen=True)
class BurnPrepared:
    n: int  # static: points of the last query
    m: int  # static: length of the scan
    budget: np.ndarray  # int32 []
    sigma: float
    threshold: float
    sd: float  # of a holdout mean


def validate_burn(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm25"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    ok = isinstance(cell.B, int) and 1 <= cell.B <= cell.m
    _cells.require(ok, fn, f"budget must satisfy 1 <= B <= m={cell.m}, got {cell.B}.")
    _cells.require(math.isfinite(cell.sigma) and cell.sigma > 0, fn, f"noise rate must be positive, got sigma={cell.sigma}.")
    _cells.require(_cells.in_unit(cell.T), fn, f"T must lie in (0, 1), got {cell.T}.")


def prepare_burn(cell):
    """BurnCell -> BurnPrepared."""
    return BurnPrepared(cell.n, cell.m, np.int32(cell.B), cell.sigma, cell.T, 1 / (2 * math.sqrt(cell.n)))


def simulate_burn(key, prepared):
    """Gap of the aggregate of the released answers; `released`: how many there were. float32 [] each.

    Every query's training mean is its holdout mean + 3T, so Thresholdout releases the holdout mean with Lap(sigma) until
    the budget is spent. Weights are the released answers' distances from 1/2. Holdout means and scores are drawn from
    their normal limits, as in `simulate_lazy`.
    """
    m, sigma = prepared.m, prepared.sigma
    keys = jax.random.split(key, 5)
    error = prepared.sd * jax.random.normal(keys[0], (m,), jnp.float32)
    compare = 4 * sigma * jax.random.laplace(keys[1], (m,), jnp.float32)
    release = sigma * jax.random.laplace(keys[2], (m,), jnp.float32)
    threshold = prepared.threshold + 2 * sigma * jax.random.laplace(keys[3], (m + 1,), jnp.float32)

    def ask(state, draws):
        budget, noisy_threshold = state
        eta, next_threshold = draws
        over = (budget >= 1) & (3 * prepared.threshold > noisy_threshold + eta)
        state = (budget - over.astype(jnp.int32), jnp.where(over, next_threshold, noisy_threshold))
        return state, over

    start = (jnp.asarray(prepared.budget, jnp.int32), threshold[0])
    _, released = jax.lax.scan(ask, start, (compare, threshold[1:]))
    w = jnp.where(released, error + release, 0.0)
    g = jax.random.normal(keys[4], (prepared.n,), jnp.float32)
    won = g - g.mean() > -2 * (w @ error) / jnp.sqrt(w @ w)
    return {"x": won.mean(dtype=jnp.float32) - 0.5, "released": released.sum(dtype=jnp.float32)}
