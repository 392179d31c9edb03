"""Answers with noise or rounding under attack, from the normal limit of column means, scores and counts.

Lazier than sims/adaptive/_attack: the aggregate's sample mean is a count of n nearly independent indicators, drawn from
its normal limit, so that a run costs m numbers whatever n is. `tests/test_adaptive_mechanisms.py` holds it against the
sampler with one number a point.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import Case, register
from sims.adaptive import _cells
from sims.adaptive._attack import SLOPE_RUNS, TARGET_GAP, Z_TARGET
from theory import adaptive as theory
from theory.adaptive import _certified, _noise

MECHANISMS = ("empirical", "gaussian", "laplace", "round")
COLUMNS = 1024  # column errors drawn at a time


@register
@dataclasses.dataclass(frozen=True)
class MechanismPrepared:
    """An attack on n points through m answers and one more for the aggregate."""

    n: float
    m: np.ndarray  # int32 []
    blocks: np.ndarray  # int32 []
    noise: float  # sd of the noise on each answer
    laplace: np.ndarray  # bool []: Laplace noise of that sd, else normal
    grid: float  # answers are rounded to multiples of this; 0: not at all
    dithers: np.ndarray  # bool []: the analyst asks x/2 + off, whose truth is a rounding boundary
    boundary: float  # that truth
    tau: float


def boundary_of(grid):
    """Truth of the dithered queries: the rounding boundary (floor(.25/r) + 1/2) r, one r higher if below .25."""
    at = (math.floor(0.25 / grid) + 0.5) * grid
    return at + grid if at < 0.25 else at


def prepare_mechanism(n, m, tau, *, noise=0.0, laplace=False, grid=0.0, dithers=False):
    """User numbers -> MechanismPrepared."""
    return MechanismPrepared(
        n=float(n),
        m=np.int32(m),
        blocks=np.int32(-(-m // COLUMNS)),
        noise=float(noise),
        laplace=np.bool_(laplace),
        grid=float(grid),
        dithers=np.bool_(dithers),
        boundary=boundary_of(grid) if dithers else 0.5,
        tau=float(tau),
    )


def _noise_draw(key, prepared, shape):
    """Noise of sd `prepared.noise`: a Laplace variable is a normal one times the root of an exponential one."""
    key_normal, key_scale = jax.random.split(key)
    scale = jnp.sqrt(jax.random.exponential(key_scale, shape, jnp.float32))
    return prepared.noise * jax.random.normal(key_normal, shape, jnp.float32) * jnp.where(prepared.laplace, scale, jnp.float32(1))


def _error(truth, deviation, prepared):
    """Answer minus truth; rounded answers are computed as answers."""
    grid = jnp.where(prepared.grid > 0, prepared.grid, jnp.float32(1))
    rounded = jnp.round((truth + deviation) / grid) * grid - truth
    return jnp.where(prepared.grid > 0, rounded, deviation)


def gap_given_drift(key, drift, n):
    """Gap of the aggregate of n points, given c = (mean score) / (its sd within the sample): normal limit. float32 [].

    Point i is won if g_i - mean(g) > -c, g standard normal. The share won has mean p = Phi(c sqrt(n/(n-1))) and variance
    (p(1-p) - phi(c)^2)/n up to O(1/n^2), phi^2 being what centring takes away.
    """
    p = jax.scipy.special.ndtr(drift * jnp.sqrt(n / (n - 1)))
    density = jnp.exp(-(drift**2) / 2) / math.sqrt(2 * math.pi)
    sd = jnp.sqrt(jnp.maximum(p * (1 - p) - density**2, 0) / n)
    return jnp.clip(p + sd * jax.random.normal(key, (), jnp.float32), 0, 1) - 0.5


def _attack(key, prepared):
    """(gap of the aggregate, largest |answer - truth| of the m queries): float32 [], [].

    Columns come in blocks. Weights are the errors of the answers (`linear`), or, against rounding, their signs.
    """
    key_columns, key_gap = jax.random.split(key)
    column = jnp.arange(COLUMNS, dtype=jnp.int32)
    root = 2 * jnp.sqrt(prepared.n)

    def add_block(block, state):
        inner, square, largest = state
        key_mean, key_noise = jax.random.split(jax.random.fold_in(key_columns, block))
        unit = jax.random.normal(key_mean, (COLUMNS,), jnp.float32)
        deviation = unit / root * jnp.where(prepared.dithers, jnp.float32(0.5), jnp.float32(1))
        error = _error(prepared.boundary, deviation + _noise_draw(key_noise, prepared, (COLUMNS,)), prepared)
        asked = block * COLUMNS + column < prepared.m
        error = jnp.where(asked, error, 0.0)
        w = jnp.where(prepared.dithers, jnp.sign(error), error * root)
        return inner + w @ unit, square + w @ w, jnp.maximum(largest, jnp.abs(error).max())

    zero = jnp.zeros((), jnp.float32)
    inner, square, largest = jax.lax.fori_loop(0, prepared.blocks, add_block, (zero, zero, zero))
    drift = inner / jnp.sqrt(prepared.n * jnp.maximum(square, 1e-30))  # all weights 0: no drift
    return gap_given_drift(key_gap, drift, prepared.n), largest


def simulate_errors(key, prepared):
    """1 if some answer, the aggregate's included, errs by tau or more, else 0; `tie`; `largest` error, `gap`. float32 [].

    `tie`: the largest error lies within float32 rounding of tau.
    """
    key_attack, key_noise = jax.random.split(key)
    gap, largest = _attack(key_attack, prepared)
    last = jnp.abs(_error(jnp.float32(0.5), gap + _noise_draw(key_noise, prepared, ()), prepared))
    largest = jnp.maximum(largest, last)
    return {
        "x": (largest >= prepared.tau).astype(jnp.float32),
        "tie": jnp.abs(largest - prepared.tau) <= 1e-5 * prepared.tau,
        "largest": largest,
        "gap": gap,
    }


def simulate_critical(key, prepared):
    """Critical number of queries, m (Phi^{-1}(.6) / Phi^{-1}(1/2 + mean gap))^2, from the mean of 12 attacks. float32 [].

    As `simulate_slope` of sims/adaptive/_attack, from the normal limit. A mean gap <= 0 gives nan, a failed replicate.
    """
    gaps = jax.vmap(lambda k: _attack(k, prepared)[0])(jax.random.split(key, SLOPE_RUNS))
    ratio = Z_TARGET / jax.scipy.special.ndtri(0.5 + gaps.mean())
    return jnp.where(ratio > 0, prepared.m.astype(jnp.float32) * ratio**2, jnp.nan)


# ------------------------------------------------------------------------------------------------- cells and their rules


@dataclasses.dataclass(frozen=True)
class CertifiedCell:
    """m adaptive queries and the aggregate, error tau, failure beta, at the sample size that a theorem asks for."""

    m: int
    tau: float
    beta: float


def validate_certified(cell, fn):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _cells.require(_cells.is_count(cell.m) and cell.m <= 2**24, fn, f"m must be an integer in 1..2^24, got {cell.m}.")
    _cells.require(_cells.in_unit(cell.tau), fn, f"tau must lie in (0, 1), got {cell.tau}.")
    _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")


def validate_jung(cell):
    """As `validate_certified`."""
    validate_certified(cell, "adaptive.jung")


def validate_laplace(cell):
    """As `validate_certified`."""
    validate_certified(cell, "adaptive.laplace")


def prepare_laplace(cell, share=1):
    """CertifiedCell -> MechanismPrepared: Laplace noise of F9 on a `share`-th of F9's points (rounded down)."""
    n = _noise.n_laplace_pure(cell.m + 1, cell.tau, cell.beta) // share
    scale = float(_noise.laplace_scale(cell.m + 1, cell.tau, cell.beta))
    return prepare_mechanism(max(2, n), cell.m, cell.tau, noise=math.sqrt(2) * scale, laplace=True)


def prepare_gaussian(cell, share=1):
    """CertifiedCell -> MechanismPrepared: normal noise of F11's best allocation on a `share`-th of its points."""
    best = _noise.n_gaussian_jung(cell.m + 1, cell.tau, cell.beta)
    return prepare_mechanism(max(2, math.ceil(best.n) // share), cell.m, cell.tau, noise=best.s)


DROPPED = (0.5, 0.35, 0.15)  # shares of tau that go to alpha, c and 2d where e^eps - 1 is left out of the sum


def prepare_without_privacy_term(cell, eps):
    """CertifiedCell -> MechanismPrepared: tau spent on alpha, c and 2d alone, as if e^eps - 1 cost nothing."""
    alpha, c, twice_d = (share * cell.tau for share in DROPPED)
    wrong = _noise.gaussian_allocation(cell.m + 1, cell.beta, alpha, eps, c, twice_d / 2)
    return prepare_mechanism(max(2, math.ceil(wrong.n)), cell.m, cell.tau, noise=wrong.s)


@dataclasses.dataclass(frozen=True)
class CriticalCell:
    """One sample size of the grid on which the critical number of queries is measured; noise sd s of the kind named."""

    n: int
    s: float
    noise: str = "gaussian"


def validate_critical(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.laplace"
    _cells.require(_cells.is_count(cell.n) and 10 <= cell.n <= 2**20, fn, f"n must be an integer in 10..2^20, got {cell.n}.")
    _cells.require(math.isfinite(cell.s) and 0 <= cell.s <= 1, fn, f"s must lie in [0, 1], got {cell.s}.")
    _cells.require(cell.noise in ("gaussian", "laplace"), fn, f"noise must be one of gaussian, laplace, got {cell.noise!r}.")


def prepare_critical(cell, exact_answers=False):
    """CriticalCell -> MechanismPrepared at the closed form's number of queries; `exact_answers`: the noise is left out."""
    s = 0.0 if exact_answers else cell.s
    m = max(1, round(float(theory.m_crit(cell.n, s, TARGET_GAP))))
    return prepare_mechanism(cell.n, m, 0.5, noise=s, laplace=cell.noise == "laplace")


@dataclasses.dataclass(frozen=True)
class ErrorsCell:
    """n points, m coordinate queries and the aggregate through one mechanism.

    level: sd of the noise (gaussian, laplace), width of the grid (round; at most .25 it is attacked by dithered queries),
    0 for empirical answers. tau: what counts as a failure.
    """

    n: int
    m: int
    mechanism: str
    level: float = 0.0
    tau: float = 0.2


def validate_errors(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.laplace"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(cell.n >= 10 and cell.m <= 2**30, fn, f"n >= 10 and m <= 2^30 are allowed, got n={cell.n}, m={cell.m}.")
    allowed = ", ".join(MECHANISMS)
    _cells.require(cell.mechanism in MECHANISMS, fn, f"mechanism must be one of {allowed}, got {cell.mechanism!r}.")
    low = 0 if cell.mechanism == "empirical" else 1e-6
    _cells.require(math.isfinite(cell.level) and low <= cell.level <= 1, fn, f"level must lie in [{low:g}, 1], got {cell.level}.")
    _cells.require(_cells.in_unit(cell.tau), fn, f"tau must lie in (0, 1), got {cell.tau}.")


def prepare_errors(cell):
    """ErrorsCell -> MechanismPrepared."""
    rounds = cell.mechanism == "round"
    return prepare_mechanism(
        cell.n,
        cell.m,
        cell.tau,
        noise=cell.level if cell.mechanism in ("gaussian", "laplace") else 0.0,
        laplace=cell.mechanism == "laplace",
        grid=cell.level if rounds else 0.0,
        dithers=rounds and cell.level <= 0.25,
    )


# --------------------------------------------------------------------------- how many points a mechanism needs in truth

NEEDED_RUNS = 1000
NEEDED_RATIO = 1.06  # sample sizes tried are a geometric grid
NOISE_SHARES = np.geomspace(0.02, 0.5, 14)  # noise levels tried, in units of tau


@dataclasses.dataclass(frozen=True)
class NeededCell:
    """m adaptive queries and the linear analyst's aggregate, error tau, failure beta."""

    m: int
    mechanism: str
    tau: float
    beta: float


def validate_needed(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_laplace(CertifiedCell(cell.m, cell.tau, cell.beta))
    allowed = ("split", "empirical", "gaussian", "laplace")
    text = f"mechanism must be one of {', '.join(allowed)}, got {cell.mechanism!r}."
    _cells.require(cell.mechanism in allowed, "adaptive.laplace", text)
    _cells.require(cell.m <= 10**4, "adaptive.laplace", f"m must be at most 10^4 here, got {cell.m}.")


class _Runs:
    """1000 attacks whose draws serve every sample size and noise level; the normal limit of `_attack`, on the host."""

    def __init__(self, cell, rng):
        shape = (NEEDED_RUNS, cell.m)
        self.tau = cell.tau
        self.unit = rng.standard_normal(shape, dtype=np.float32)
        self.noise = rng.standard_normal((NEEDED_RUNS, cell.m + 1), dtype=np.float32)
        if cell.mechanism == "laplace":
            self.noise *= np.sqrt(rng.standard_exponential(self.noise.shape, dtype=np.float32))
        self.count = rng.standard_normal(NEEDED_RUNS)
        noise = self.noise[:, :-1]
        self.squares = [np.einsum("ij,ij->i", a, b).astype(float) for a, b in ((self.unit, self.unit), (self.unit, noise), (noise, noise))]

    def failing(self, n, s):
        """Share of runs with an error of tau or more."""
        from scipy.special import ndtr

        sigma, (ee, ez, zz) = 1 / (2 * math.sqrt(n)), self.squares
        inner, square = sigma * ee + s * ez, sigma**2 * ee + 2 * sigma * s * ez + s**2 * zz
        drift = inner / np.sqrt(n * square)
        p = ndtr(drift * math.sqrt(n / (n - 1)))
        sd = np.sqrt(np.maximum(p * (1 - p) - np.exp(-(drift**2)) / (2 * math.pi), 0) / n)
        last = np.clip(p + sd * self.count, 0, 1) - 0.5 + s * self.noise[:, -1]
        failed = np.abs(last) >= self.tau
        left = ~failed
        errors = np.float32(sigma) * self.unit[left] + np.float32(s) * self.noise[left, :-1]
        return (failed.sum() + (np.abs(errors).max(axis=1) >= self.tau).sum()) / NEEDED_RUNS

    def best(self, n, levels):
        """(least share of failing runs, its noise level)."""
        return min((self.failing(n, s), s) for s in levels)


def evaluate_needed(cell, rng):
    """The smallest n on a 6 % grid at which at most beta of 1000 runs fail, at the best of 14 noise levels. float64.

    Found by bisection, as failures thin out with n; the normal limit is one or two grid steps low below n = 500, where
    the lattice of counts shows. Splitting's is exact, and no grid is used.
    """
    if cell.mechanism == "split":
        yield Case("needed n", float(_certified.split_needed(cell.m + 1, cell.tau, cell.beta)), {"level": 0.0, "failing": cell.beta})
        return
    runs = _Runs(cell, rng)
    levels = (0.0,) if cell.mechanism == "empirical" else tuple(float(cell.tau * share) for share in NOISE_SHARES)
    low = round(math.log(10) / math.log(NEEDED_RATIO))
    high = low + 1

    def size(step):
        return round(NEEDED_RATIO**step)

    while runs.best(size(high), levels)[0] > cell.beta:
        low, high = high, high + 24
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if runs.best(size(middle), levels)[0] <= cell.beta else (middle, high)
    failing, level = runs.best(size(high), levels)
    yield Case("needed n", float(size(high)), {"level": level, "failing": float(failing)})
