"""Random projections: how often is a length, or one of all distances, off by more than eps?"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from sims._experiment import Case, Experiment
from theory import jl

__all__ = ["EXPERIMENTS", "NormCell", "PairsCell", "length_is_off", "length_is_off_by_matrix"]


@dataclasses.dataclass(frozen=True)
class NormCell:
    k: int  # rows; static: sets shapes
    eps: float  # traced


@dataclasses.dataclass(frozen=True)
class PairsCell:
    n: int
    eps: float
    beta: float


@dataclasses.dataclass(frozen=True)
class PairsPrepared:
    n: int
    rows: int
    eps: float


def validate(cell):
    for name in ("k", "n"):
        if getattr(cell, name, 2) < 2:
            raise ValueError(f"jl: {name} must be an integer >= 2, got {getattr(cell, name)}.")
    if not 0 < cell.eps < 1:
        raise ValueError(f"jl: eps must be inside (0, 1), got {cell.eps}.")


def length_is_off(key, cell):
    """One replicate, 0 or 1. |Gx|^2/|x|^2 is chi^2_k / k for every x: k numbers serve for a matrix of k d."""
    square = jnp.mean(jax.random.normal(key, (cell.k,)) ** 2)
    return jnp.abs(square - 1) >= cell.eps


def length_is_off_by_matrix(key, cell, dim=24):
    """The same with a matrix and a vector drawn: the brute force that tests compare with."""
    key_matrix, key_vector = jax.random.split(key)
    matrix = jax.random.normal(key_matrix, (cell.k, dim)) / jnp.sqrt(jnp.float32(cell.k))
    vector = jax.random.normal(key_vector, (dim,))
    return jnp.abs(jnp.sum((matrix @ vector) ** 2) / jnp.sum(vector**2) - 1) >= cell.eps


def length_is_off_with_repeated_rows(key, cell):
    """The lying world: an eighth of the rows, each counted eight times."""
    return length_is_off(key, dataclasses.replace(cell, k=cell.k // 8))


def some_distance_is_off(key, prepared):
    """One replicate, 0 or 1: the images of n orthonormal points, all of whose squared distances are 2."""
    images = jax.random.normal(key, (prepared.rows, prepared.n)) / jnp.sqrt(jnp.float32(prepared.rows))
    gram = images.T @ images
    squares = jnp.diag(gram)
    ratio = (squares[:, None] + squares[None, :] - 2 * gram) / 2
    off = (jnp.abs(ratio - 1) >= prepared.eps) & ~jnp.eye(prepared.n, dtype=bool)
    return jnp.any(off)


def prepare(cell):
    return PairsPrepared(cell.n, jl.pairs_rows(cell.n, cell.eps, cell.beta), cell.eps)


def prepare_a_quarter(cell):
    return PairsPrepared(cell.n, jl.pairs_rows(cell.n, cell.eps, cell.beta) // 4, cell.eps)


def evaluate(cell, rng):
    for eps in (cell.eps, *rng.uniform(0.02, 0.98, 20)):
        yield Case(f"eps={eps:.3f}", float(jl.norm_exact(cell.k, eps)), {"eps": float(eps)})


def unit_interval():
    return (0.0, 1.0)


def expected(k, eps):
    p = float(jl.norm_exact(k, eps))
    return p, (p * (1 - p)) ** 0.5


NORM = {
    "smoke": (NormCell(24, 0.8), NormCell(64, 0.5)),
    "default": (NormCell(24, 0.8), NormCell(32, 0.7), NormCell(64, 0.5), NormCell(128, 0.3)),
}
REPEATED = {preset: tuple(c for c in cells if c.k >= 64) for preset, cells in NORM.items()}  # with fewer rows the lie is small
LAW = {"smoke": (NormCell(24, 0.8),), "default": (NormCell(24, 0.8), NormCell(64, 0.5), NormCell(512, 0.2))}
PAIRS = {"smoke": (PairsCell(20, 0.6, 1.0),), "default": (PairsCell(20, 0.6, 1.0), PairsCell(40, 0.6, 0.5))}
NORM_BUDGET = {"smoke": 8192, "default": 16384}
PAIRS_BUDGET = {"smoke": 1024, "default": 1024}
ALL = {"validate": validate, "support": unit_interval, "max_replicates": PAIRS_BUDGET, "chunk": 128, "seconds_per_replicate": 1e-4}
ONE = {"validate": validate, "support": unit_interval, "max_replicates": NORM_BUDGET, "chunk": 2048, "seconds_per_replicate": 1e-5}

EXPERIMENTS = (
    Experiment("jl.norm/law", LAW, evaluate=evaluate, ask=NormCell(64, 0.5), validate=validate),
    Experiment("jl.norm/drawn", NORM, length_is_off, ask=NormCell(64, 0.5), expected=expected, **ONE),
    Experiment("jl.norm/drawn!repeated-rows", REPEATED, length_is_off_with_repeated_rows, **ONE),
    Experiment("jl.pairs/all", PAIRS, some_distance_is_off, ask=PairsCell(20, 0.6, 1.0), prepare=prepare, **ALL),
    Experiment("jl.pairs/all!quarter", PAIRS, some_distance_is_off, prepare=prepare_a_quarter, **ALL),
)
