"""adaptive.lem23 and lem24: Thresholdout's exact privacy loss, and what the proof of Lemma 24 needs. Host, no sampling."""

from __future__ import annotations

import dataclasses
import math

from sims._experiment import Case
from sims.adaptive import _cells
from theory.adaptive import _svt


@dataclasses.dataclass(frozen=True)
class SvtCell:
    """A holdout of n points, noise rate sigma, t comparisons, the last of them above."""

    n: int
    sigma: float
    t: int


def validate_svt(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.lem23"
    _cells.require(_cells.is_count(cell.n, cell.t), fn, f"n and t must be positive integers, got n={cell.n}, t={cell.t}.")
    ok = math.isfinite(cell.sigma) and cell.sigma > 0
    _cells.require(ok, fn, f"noise rate must be positive, got sigma={cell.sigma}.")
    # the quadrature resolves 1/n; a shift far below the noise would be lost in rounding
    _cells.require(1e-3 <= cell.n * cell.sigma <= 1e4, fn, f"n * sigma must lie in [0.001, 10000], got {cell.n * cell.sigma}.")


def evaluate_svt(cell, rng, **noises):
    """Largest privacy loss of a transcript; `noises`: threshold, query, release in units of sigma (see svt_privacy_loss)."""
    del rng  # nothing is drawn
    loss = _svt.svt_privacy_loss(cell.n, cell.sigma, cell.t, **noises)
    yield Case("with the release" if "release" in noises else "comparisons", loss)


@dataclasses.dataclass(frozen=True)
class Lem24Cell:
    """Thresholdout with budget B and noise rate sigma, error tau, failure probability beta."""

    B: int
    sigma: float
    tau: float
    beta: float


def validate_lem24(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.lem24"
    _cells.require(_cells.is_count(cell.B), fn, f"B must be a positive integer, got {cell.B}.")
    ok = math.isfinite(cell.sigma) and cell.sigma > 0
    _cells.require(ok, fn, f"noise rate must be positive, got sigma={cell.sigma}.")
    validate_coefficient(cell)


def evaluate_lem24_n0(cell, rng):
    """The smallest holdout at which Lemma 23 and Corollary 7 give the guarantee, by search."""
    del rng
    yield Case("Lemma 23 and Corollary 7", float(_svt.lem24_n0_needed(cell.B, cell.sigma, cell.tau, cell.beta)))


@dataclasses.dataclass(frozen=True)
class CoefficientCell:
    """Error tau, failure probability beta."""

    tau: float
    beta: float


def validate_coefficient(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    for name in ("tau", "beta"):
        value = getattr(cell, name)
        _cells.require(_cells.in_unit(value), "adaptive.lem24", f"{name} must lie in (0, 1), got {value}.")


def evaluate_lem24_n1(cell, rng):
    """The factor of sqrt(B)/sigma that Lemma 23 inside Theorem 8 needs."""
    del rng
    label = "the proof's need against the constant claimed; no counterexample to the lemma"
    yield Case(label, float(_svt.lem24_coefficient_needed(cell.tau, cell.beta)))
