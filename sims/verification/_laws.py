"""lem2, lem3, their KL versions and lem4: reward laws and sign sums, exactly on the host."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.verification._planted import PlantedCell, reward_law
from theory.verification import _arguments, _balls, _planted

__all__ = [
    "FAMILIES",
    "LawCell",
    "SignCell",
    "evaluate_attained",
    "evaluate_capped",
    "evaluate_contains",
    "evaluate_gain",
    "evaluate_mass",
    "evaluate_repaired",
    "evaluate_top_c",
    "validate_law",
    "validate_signs",
]

FAMILIES = ("planted", "random", "two-point")
HORIZONS = (8, 16, 32, 64, 128)
NUM_RANDOM = 200


@dataclasses.dataclass(frozen=True)
class LawCell:
    """Laws of R and a ball of radius kappa around the base.

    source: "planted" (the four bases of S3 at five horizons), a single base of theory's `base_of`, "random" (200 laws
    on 2 to 11 atoms, uniform on [0, 1], masses Dirichlet(.5)) or "two-point" (rewards 0 and 1, extremal ones among them).
    """

    source: str
    kappa: float


@dataclasses.dataclass(frozen=True)
class _Law:
    label: str
    values: np.ndarray
    probs: np.ndarray
    H: float  # length of an interval that holds every reward
    mean: float
    sigma: float
    headroom: float  # largest reward of positive mass less the mean

    def gain(self, reached):
        return reached - self.mean


def _law(label, values, probs, H):
    mean, variance = _planted.mean_var(values, probs)
    return _Law(label, values, probs, H, mean, math.sqrt(variance), float(values[probs > 0].max()) - mean)


def validate_law(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.positive("verification", "kappa", cell.kappa)
    if cell.source not in FAMILIES:
        _planted.base_of(cell.source)


def _laws(cell, rng):
    if cell.source == "random":
        for i in range(NUM_RANDOM):
            num_atoms = int(rng.integers(2, 12))
            yield _law(f"random {i}", rng.uniform(size=num_atoms), rng.dirichlet(np.full(num_atoms, 0.5)), 1.0)
    elif cell.source == "two-point":
        # P(best) = 1/(1 + kappa) attains Cantelli's bound and lem2; 1 - sqrt(kappa/2) puts Hoeffding's threshold on the best atom
        extremal = [1 / (1 + cell.kappa)] + ([1 - math.sqrt(cell.kappa / 2)] if cell.kappa < 2 else [])
        for p in (*extremal, 0.1, 0.3, 0.5, 0.7, 0.9):
            yield _law(f"P(R=1)={p:.4g}", np.array([0.0, 1.0]), np.array([1 - p, p]), 1.0)
    else:
        for base in _planted.BASES if cell.source == "planted" else (cell.source,):
            for H in HORIZONS:
                yield _law(f"{base}, H={H}", *reward_law(PlantedCell(base, H)), float(H))


def _sup(law, kappa, ball):
    sup = _balls.sup_kl if ball == "kl" else _balls.sup_chi2
    return sup(law.values, law.probs, kappa)


def evaluate_gain(cell, rng, ball="chi2"):
    """Largest gain over a ball, in [0, headroom]."""
    for law in _laws(cell, rng):
        fields = {"sigma": law.sigma, "headroom": law.headroom, "H": law.H}
        yield Case(law.label, law.gain(_sup(law, cell.kappa, ball)), fields)


def evaluate_attained(cell, rng):
    """The largest gain over the chi-square ball, in units of sigma."""
    for law in _laws(cell, rng):
        gain = law.gain(_sup(law, cell.kappa, "chi2"))
        yield Case(law.label, gain / law.sigma, {"attained": _balls.lem2_attained(law.values, law.probs, cell.kappa)})


def evaluate_contains(cell, rng):
    """Largest gain over the KL ball beside that over the chi-square balls of radius e^kappa - 1 and e^(2 kappa) - 1."""
    for law in _laws(cell, rng):
        inner, doubled = (law.gain(_sup(law, math.expm1(f * cell.kappa), "chi2")) for f in (1, 2))
        yield Case(law.label, law.gain(_sup(law, cell.kappa, "kl")), {"inner": inner, "inner_doubled": doubled})


def _margin(law, kappa, ball):
    """The gain that no policy of the ball exceeds, by lem2 or by Pinsker's inequality."""
    return float(_balls.kl_gain_pinsker(law.H, kappa) if ball == "kl" else _balls.lem2_gain(law.sigma, kappa))


def _mass_above(law, margin):
    return _balls.tail_mass(law.values, law.probs, law.mean + margin)


def evaluate_top_c(cell, rng, ball="chi2", share=1.0, factor=1.0):
    """Gain of the top c fraction, c = P(R >= mu + margin); lying worlds take a `share` of the margin or `factor` times c."""
    for law in _laws(cell, rng):
        margin = _margin(law, cell.kappa, ball)
        declared, kept = _mass_above(law, margin), min(1.0, factor * _mass_above(law, share * margin))
        gain = law.gain(_balls.top_c_value(law.values, law.probs, kept)) if kept > 0 else math.nan  # nothing to keep
        yield Case(law.label, gain, {"sigma": law.sigma, "H": law.H, "c": declared})


def evaluate_capped(cell, rng, ball="chi2"):
    """c(kappa) = P(R >= mu + sigma sqrt(kappa)), or c_KL(kappa) = P(R >= mu + H sqrt(kappa/2))."""
    for law in _laws(cell, rng):
        yield Case(law.label, _mass_above(law, _margin(law, cell.kappa, ball)))


def evaluate_repaired(cell, rng, ball="chi2", threshold=None, factor=1.0):
    """Gain of the top c* fraction, c* = P(R >= supremum over the ball).

    Lying worlds take the supremum over the ball `threshold` instead, or `factor` times c*.
    """
    for law in _laws(cell, rng):
        kept = _balls.anticonc_star(law.values, law.probs, _sup(law, cell.kappa, threshold or ball))
        gain = law.gain(_balls.top_c_value(law.values, law.probs, min(1.0, factor * kept)))
        yield Case(law.label, gain, {"reached": law.gain(_sup(law, cell.kappa, ball))})


@dataclasses.dataclass(frozen=True)
class SignCell:
    """Sums of m signed numbers in [1, 3]: all equal to 1, and 50 random vectors."""

    m: int


NUM_VECTORS = 50


def validate_signs(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integers("verification.lem4", m=cell.m)
    _arguments.require(cell.m <= 18, "verification.lem4", f"m must be at most 18, as all 2^m sums are formed, got {cell.m}.")


def evaluate_mass(cell, rng, closed=False):
    """Largest mass of an interval of length 2 from all 2^m sums; a lying world closes the interval."""
    yield Case("a = 1", _balls.interval_mass(np.ones(cell.m), closed))
    for i in range(NUM_VECTORS):
        yield Case(f"random {i}", _balls.interval_mass(rng.uniform(1, 3, cell.m), closed))
