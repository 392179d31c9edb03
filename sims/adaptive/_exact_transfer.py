"""adaptive.cor7, cor22, thm4, thm8, stoc10: the algorithms that come closest to each bound, exact numbers on the host."""

from __future__ import annotations

import dataclasses
import math

from sims._experiment import Case
from sims.adaptive import _cells
from theory.adaptive import _composition, _privacy, _transfer


def _require_n(fn, n, most):
    _cells.require(_cells.is_count(n) and n <= most, fn, f"n must be an integer in 1..{most}, got {n}.")


def _require_unit(fn, **named):
    for name, value in named.items():
        _cells.require(_cells.in_unit(value), fn, f"{name} must lie in (0, 1), got {value}.")


def _require_positive(fn, **named):
    for name, value in named.items():
        _cells.require(math.isfinite(value) and value > 0, fn, f"{name} must be finite and > 0, got {value}.")


@dataclasses.dataclass(frozen=True)
class TailCell:
    """n points, error tau; RR-selection of density p declares eps = share * tau."""

    n: int
    tau: float
    share: float = 1.0
    p: float = 0.5


def validate_tail(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.cor7"
    _require_n(fn, cell.n, 10**7)
    _require_unit(fn, tau=cell.tau, p=cell.p)
    _require_positive(fn, share=cell.share)


def evaluate_tail(cell, rng, factor=1.0):
    """P[gap >= tau] of RR-selection at eps = share * tau; in a lying world at `factor` times that. Exact float64."""
    del rng  # nothing is drawn
    tail = _privacy.rr_tail(cell.n, factor * cell.share * cell.tau, cell.tau, cell.p)
    yield Case("RR-selection", float(tail))


@dataclasses.dataclass(frozen=True)
class Thm4Cell:
    """m answers, each (eps, delta)-DP; delta_slack is what the composition may add to m delta."""

    m: int
    eps: float
    delta_slack: float
    delta: float = 0.0


def validate_thm4(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm4"
    _cells.require(_cells.is_count(cell.m) and cell.m <= 10**6, fn, f"m must be an integer in 1..1000000, got {cell.m}.")
    _require_positive(fn, eps=cell.eps)
    _require_unit(fn, delta_slack=cell.delta_slack)
    _cells.require(0 <= cell.delta <= 1, fn, f"delta must lie in [0, 1], got {cell.delta}.")
    total = cell.m * cell.delta + cell.delta_slack
    _cells.require(total < 1, fn, f"m delta + delta_slack must stay below 1, got {total}.")


def evaluate_thm4(cell, rng):
    """The smallest eps' at which m-fold randomised response is (eps', m delta + delta_slack)-DP. Exact float64.

    Theorem 4 says that its delta at the theorem's eps' is at most m delta + delta_slack; as delta falls with eps', that
    is the same as this eps' being at most the theorem's.
    """
    del rng
    total = cell.m * cell.delta + cell.delta_slack
    yield Case("randomised response", _composition.rr_composition_eps(cell.m, cell.eps, total, cell.delta))


@dataclasses.dataclass(frozen=True)
class Thm8Cell:
    """Declared privacy (eps, delta); the sample is `share` times the smallest that Theorem 8 allows."""

    eps: float
    delta: float
    share: float = 1.0


def validate_thm8(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _require_unit("adaptive.thm8", eps=cell.eps, delta=cell.delta)
    _require_positive("adaptive.thm8", share=cell.share)


def evaluate_thm8(cell, rng):
    """P[gap >= 13 eps] of the block-publishing analyst; needs eps <= 1/13, as no gap exceeds 1. Exact float64.

    A sample that is no multiple of the number of blocks is rounded up to one, which Theorem 8 allows.
    """
    del rng
    gap = 13 * cell.eps
    yield Case("block publishing", float(_transfer.block_publishing_tail(gap, cell.delta)) if gap <= 1 else 0.0)


@dataclasses.dataclass(frozen=True)
class Stoc10Cell:
    """Error tau, failure probability beta; sample size and privacy follow."""

    tau: float
    beta: float


def validate_stoc10(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _require_unit("adaptive.stoc10", tau=cell.tau, beta=cell.beta)


def evaluate_stoc10_blocks(cell, rng, delta_is_beta=False):
    """P[gap >= tau] of the block-publishing analyst at the theorem's delta, or (a lying world) at beta. Exact float64."""
    del rng
    delta = cell.beta if delta_is_beta else _transfer.stoc10_delta(cell.tau, cell.beta)
    yield Case("block publishing", float(_transfer.block_publishing_tail(cell.tau, delta)))


def evaluate_stoc10_selection(cell, rng, factor=1.0):
    """P[gap >= tau] of RR-selection at `factor` times the theorem's eps; 1 is the truth, 24 is eps = 6 tau. Exact float64."""
    del rng
    n = _transfer.stoc10_sample_size(cell.tau, cell.beta)
    eps = factor * _transfer.stoc10_eps(cell.tau)
    yield Case(f"RR-selection, n={n}", float(_privacy.rr_tail(n, eps, cell.tau)))
