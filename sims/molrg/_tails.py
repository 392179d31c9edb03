"""The smallest singular value of a Gaussian matrix (S3's A), and what Theorem 2 (i) makes of it.

A is padded with zeros and AA^T with a diagonal that is never the smallest, so that a grid of (d, N) is one program.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from theory.molrg import _arguments, _subspaces, _tails

__all__ = [
    "SminCell",
    "SminPrepared",
    "TieCell",
    "prepare_smin",
    "prepare_tie",
    "simulate_smin",
    "validate_smin",
    "validate_tie",
]

PAD_D, PAD_N, LARGE = 8, 16, 1e6
MAX_DIMENSION, MAX_SAMPLES = 64, 1 << 12
TIE_DELTA = 1e-6


@dataclasses.dataclass(frozen=True)
class SminCell:
    """A Gaussian d x N matrix."""

    N: int
    d: int


@dataclasses.dataclass(frozen=True)
class TieCell:
    """N samples of one subspace of dimension d in R^n with the tie noise, at which the deterministic bound is attained."""

    n: int
    d: int
    N: int


@register
@dataclasses.dataclass(frozen=True)
class SminPrepared:
    pad_d: int
    pad_N: int
    rows: np.ndarray  # float [pad_d], 1 for the first d
    columns: np.ndarray  # float [pad_N], 1 for the first N
    threshold: float


def _validate(fn, N, d):
    N, d = _arguments.integers(fn, N=N, d=d)
    _tails.rv_gap(N, d)
    _arguments.require(d <= MAX_DIMENSION, fn, f"d must be at most {MAX_DIMENSION}, got {d}.")
    _arguments.require(N <= MAX_SAMPLES, fn, f"N must be at most {MAX_SAMPLES}, got {N}.")


def validate_smin(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _validate("molrg.rv", cell.N, cell.d)


def validate_tie(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm2i"
    _arguments.dimensions(fn, cell.n, cell.d)
    _validate(fn, cell.N, cell.d)
    _arguments.require(cell.d < cell.N and cell.n > cell.d, fn, f"noise tie needs N > d and n > d, got N={cell.N}, d={cell.d}, n={cell.n}.")


def _prepare(N, d, threshold):
    pad_d, pad_N = max(PAD_D, d), max(PAD_N, N)
    return SminPrepared(pad_d, pad_N, (np.arange(pad_d) < d).astype(float), (np.arange(pad_N) < N).astype(float), threshold)


def prepare_smin(cell, constant=_tails.RV_CONSTANT):
    """The event smin <= (sqrt(N) - sqrt(d - 1))/constant."""
    return _prepare(cell.N, cell.d, _tails.rv_gap(cell.N, cell.d) / constant)


def prepare_tie(cell, c1=_tails.C1):
    """The event err > c1 ||E||_F/(sqrt(N) - sqrt(d - 1)): err = sqrt(2) and ||E||_F = smin sqrt(2)/tie_ratio, so smin below a threshold."""
    size_over_smin = math.sqrt(2) / _subspaces.tie_ratio(TIE_DELTA)
    return _prepare(cell.N, cell.d, math.sqrt(2) * _tails.rv_gap(cell.N, cell.d) / (c1 * size_over_smin))


def simulate_smin(key, p):
    """1[smin(A) <= threshold], from the smallest eigenvalue of AA^T in float64."""
    A = jax.random.normal(key, (p.pad_d, p.pad_N), jnp.float32).astype(p.rows.dtype) * p.rows[:, None] * p.columns[None]
    smallest = jnp.linalg.eigvalsh(A @ A.T + jnp.diag(LARGE * (1 - p.rows)))[0]
    return (smallest <= p.threshold**2).astype(jnp.float32)
