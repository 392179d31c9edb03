"""adaptive.thm6 and adaptive.bias_pure: exact numbers on the host, no sampling."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.adaptive import _cells
from theory import adaptive as theory


@dataclasses.dataclass(frozen=True)
class Thm6Cell:
    """Events of probability at most beta on n points; eps is `share` of the largest that Theorem 6 allows.

    p: density of the ones in the data (counting mechanisms) and of the selection (RR).
    """

    n: int
    beta: float
    p: float = 0.5
    share: float = 1.0


def validate_thm6(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm6"
    _cells.require(_cells.is_count(cell.n) and cell.n <= 5000, fn, f"n must be an integer in 1..5000, got {cell.n}.")
    _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")
    _cells.require(_cells.in_unit(cell.p), fn, f"p must lie in (0, 1), got {cell.p}.")
    _cells.require(math.isfinite(cell.share) and cell.share > 0, fn, f"share must be finite and > 0, got {cell.share}.")


def evaluate_thm6(cell, rng):
    """Largest P[S in R(A(S))] that each algorithm reaches: RR-selection, geometric count, threshold bit; LP at n <= 4.

    Exact float64. RR-selection and the LP overrule beta by the probability that their events attain, and eps by the
    same share of the premise there; the counting mechanisms fill beta exactly.
    """
    from scipy import stats

    del rng  # nothing is drawn
    yield from _rr_case(cell, 1.0)
    eps = cell.share * float(theory.thm6_premise(cell.n, cell.beta))
    p_count = stats.binom.pmf(np.arange(cell.n + 1), cell.n, cell.p)
    for name, mechanism in (
        ("geometric", theory.geometric_mechanism),
        ("threshold bit", theory.threshold_bit_mechanism),
    ):
        yield Case(name, theory.neyman_pearson_sup(mechanism(cell.n, eps), p_count, cell.beta), {"eps": eps})
    size = math.floor(cell.beta * 2**cell.n + 1e-9) if cell.n <= 4 and cell.p == 0.5 else 0
    if 1 <= size <= (2 if cell.n == 4 else 2**cell.n - 1):
        beta = size / 2**cell.n
        eps = cell.share * float(theory.thm6_premise(cell.n, beta))
        yield Case("linear program", theory.lp_sup(cell.n, eps, size), {"beta": beta, "eps": eps})


def evaluate_thm6_rr(cell, rng, factor):
    """A lying world: RR-selection runs at `factor` times the eps that the case declares."""
    del rng
    yield from _rr_case(cell, factor)


def _rr_case(cell, factor):
    """RR-selection's event "at least k selected"; no case where even k = n is likelier than beta."""
    from scipy import stats

    k, attained = theory.rr_event(cell.n, cell.beta, cell.p)
    if attained > 0:
        eps = cell.share * float(theory.thm6_premise(cell.n, attained))
        q = theory.rr_inclusion(cell.p, factor * eps)
        yield Case(f"RR-selection, k={k}", float(stats.binom.sf(k - 1, cell.n, q)), {"beta": attained, "eps": eps})


@dataclasses.dataclass(frozen=True)
class BiasCell:
    """The privacy eps of RR-selection."""

    eps: float


def validate_bias(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    text = f"eps must lie in (0, 700], got {cell.eps}."
    _cells.require(math.isfinite(cell.eps) and 0 < cell.eps <= 700, "adaptive.bias_pure", text)


def evaluate_bias(cell, rng, attained=False):
    """RR-selection's bias q - p: at 199 densities and the worst one, or (`attained`) at the worst one only. float64."""
    del rng
    worst = 1 / (1 + math.exp(cell.eps / 2))
    for p in (worst,) if attained else (worst, *np.arange(1, 200) / 200):
        # q - p = p (1 - p)(1 - e^{-eps}) / (p + (1 - p) e^{-eps}), free of cancellation at small eps
        gain = -math.expm1(-cell.eps) * p * (1 - p) / (p + (1 - p) * math.exp(-cell.eps))
        yield Case(f"p={p:.6g}", float(gain))
