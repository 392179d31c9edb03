"""adaptive.mw_updates and adaptive.pmw: multiplicative weights on a histogram, float64 on the host."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.adaptive import _cells
from theory.adaptive import _histogram, _svt

BATCH = 1000  # queries drawn at a time
POINTS = 60  # points of a curve that are kept
CONCENTRATION = 0.3  # of the Dirichlet law of P
SPARSE = 0.05  # of the Dirichlet law of the adversary's histograms
SPARSE_HISTOGRAMS = 2


@dataclasses.dataclass(frozen=True)
class MwCell:
    """Universe size |X|, threshold T, step eta of multiplicative weights."""

    universe: int
    threshold: float
    step: float


@dataclasses.dataclass(frozen=True)
class PmwCell:
    """n points from a Dirichlet(0.3) law on |X| atoms, m random 0/1 queries; threshold T, step eta, noise rate."""

    universe: int
    n: int
    m: int
    threshold: float
    step: float
    noise: float


def validate_mw(cell, fn="adaptive.mw_updates"):
    """Raises: ValueError naming the field, what is allowed and what came."""
    ok = _cells.is_count(cell.universe) and 2 <= cell.universe <= 2**20
    _cells.require(ok, fn, f"universe must be an integer in 2..2^20, got {cell.universe}.")
    _cells.require(_cells.in_unit(cell.threshold), fn, f"threshold must lie in (0, 1), got {cell.threshold}.")
    _cells.require(math.isfinite(cell.step) and cell.step > 0, fn, f"step must be finite and > 0, got {cell.step}.")
    text = f"step too large: no KL decrease; step must lie in (0, 8 threshold), got {cell.step}."
    _cells.require(cell.step < 8 * cell.threshold, fn, text)


def validate_pmw(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.pmw"
    validate_mw(cell, fn)
    _cells.require(cell.universe <= 2**12, fn, f"universe must be at most 2^12, got {cell.universe}.")
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(cell.m <= 10**6, fn, f"m must be at most 10^6, got {cell.m}.")
    _cells.require(math.isfinite(cell.noise) and cell.noise >= 0, fn, f"noise must be finite and >= 0, got {cell.noise}.")


class Guess:
    """The public histogram x̂, uniform at first; weights are kept as logarithms."""

    def __init__(self, universe):
        self.log_weight = np.zeros(universe)
        self.shares = np.full(universe, 1 / universe)

    def update(self, query, step):
        self.log_weight += step * query
        self.log_weight -= self.log_weight.max()
        weight = np.exp(self.log_weight)
        self.shares = weight / weight.sum()

    def divergence(self, histogram):
        """KL(histogram || guess) in nats."""
        held = histogram > 0
        log_share = self.log_weight - math.log(np.exp(self.log_weight).sum())
        return float(histogram[held] @ (np.log(histogram[held]) - log_share[held]))


# ---------------------------------------------------------------------------------------- a slow adversary, without noise


def adversary_divergences(histogram, threshold, step):
    """KL(histogram || guess) before the first update and after each, against an adversary that makes updates last.

    Query: the atoms that the guess holds too low, weighted so that the error is barely above the threshold. It stops when
    no 0/1 query errs by more than the threshold. float64 [updates + 1].
    """
    guess = Guess(len(histogram))
    path = [guess.divergence(histogram)]
    while True:
        low = histogram > guess.shares
        error = histogram[low].sum() - guess.shares[low].sum()
        if error <= threshold:
            return np.array(path)
        guess.update(low * min(1.0, 1.0001 * threshold / error), step)
        path.append(guess.divergence(histogram))


def _histograms(cell, rng):
    point = np.zeros(cell.universe)
    point[0] = 1.0
    yield "point mass", point
    for i in range(SPARSE_HISTOGRAMS):
        yield f"Dirichlet(.05), {i + 1}", rng.dirichlet(np.full(cell.universe, SPARSE))


def evaluate_mw_updates(cell, rng):
    """Number of updates that the adversary forces, on a point mass and on sparse random histograms."""
    for label, histogram in _histograms(cell, rng):
        yield Case(label, float(len(adversary_divergences(histogram, cell.threshold, cell.step)) - 1))


def evaluate_mw_divergence(cell, rng):
    """KL along the adversary's updates on a point mass, thinned to POINTS points; for a figure."""
    _, point = next(iter(_histograms(cell, rng)))
    path = adversary_divergences(point, cell.threshold, cell.step)
    for i in np.unique(np.linspace(0, len(path) - 1, POINTS).round().astype(int)):
        yield Case(f"after {i} updates", float(path[i]), {"updates": int(i)})


# -------------------------------------------------------------------------------------- random queries, with noise or not


@dataclasses.dataclass(frozen=True)
class Answered:
    """What a mechanism did: answers [m], and of each update its noise z and the fall of KL(x_S || guess)."""

    answers: np.ndarray
    noise: np.ndarray
    drops: np.ndarray


def _world(cell, rng):
    """(truth [X], sample's histogram [X], queries [m, X] as bool)."""
    truth = rng.dirichlet(np.full(cell.universe, CONCENTRATION))
    sample = rng.multinomial(cell.n, truth) / cell.n
    return truth, sample, rng.integers(0, 2, (cell.m, cell.universe), dtype=np.uint8).view(bool)


def pmw_simple(sample, queries, cell, rng, flipped=False):
    """Multiplicative weights with one Laplace(noise) draw a query, for comparison, release and sign. Not private.

    flipped: updates go the wrong way (a lying mechanism). Returns: Answered.
    """
    z = cell.noise * rng.laplace(size=len(queries))
    guess, answers, noise, drops = Guess(len(sample)), np.empty(len(queries)), [], []
    start = 0
    while start < len(queries):
        part = queries[start : start + BATCH].astype(np.float64)
        public, error = part @ guess.shares, part @ (sample - guess.shares)
        noisy = error + z[start : start + BATCH]
        over = np.abs(noisy) > cell.threshold
        stop = int(np.argmax(over)) if over.any() else len(part)
        answers[start : start + stop] = public[:stop]
        start += stop
        if stop == len(part):
            continue
        answers[start] = public[stop] + noisy[stop]
        before = guess.divergence(sample)
        guess.update(part[stop], cell.step * math.copysign(1.0, noisy[stop]) * (-1 if flipped else 1))
        noise.append(z[start])
        drops.append(before - guess.divergence(sample))
        start += 1
    return Answered(answers, np.array(noise), np.array(drops))


def pmw_thresholdout(sample, queries, cell, rng, budget):
    """Private multiplicative weights: Thresholdout with the guess in the place of the training set, noise rate cell.noise.

    An update follows every release, with its sign. Returns: Answered; answers are nan once the budget is spent.
    """
    sigma = cell.noise
    compare = 4 * sigma * rng.laplace(size=len(queries))
    guess, answers, noise, drops = Guess(len(sample)), np.full(len(queries), np.nan), [], []
    threshold = cell.threshold + 2 * sigma * rng.laplace()
    start = 0
    while start < len(queries) and budget >= 1:
        part = queries[start : start + BATCH].astype(np.float64)
        public, error = part @ guess.shares, part @ (sample - guess.shares)
        over = np.abs(error) > threshold + compare[start : start + BATCH]
        stop = int(np.argmax(over)) if over.any() else len(part)
        answers[start : start + stop] = public[:stop]
        start += stop
        if stop == len(part):
            continue
        release = sigma * rng.laplace()
        answers[start] = public[stop] + error[stop] + release
        before = guess.divergence(sample)
        guess.update(part[stop], cell.step * math.copysign(1.0, error[stop] + release))
        noise.append(release)
        drops.append(before - guess.divergence(sample))
        threshold = cell.threshold + 2 * sigma * rng.laplace()
        budget -= 1
        start += 1
    return Answered(answers, np.array(noise), np.array(drops))


def evaluate_pmw(cell, rng, measure, flipped=False):
    """One run of `pmw_simple`, as cases.

    measure: "drops": the fall of KL at every update, with its noise; "updates": their number; "error": the largest
    |answer - E_S q|.
    """
    _, sample, queries = _world(cell, rng)
    run = pmw_simple(sample, queries, cell, rng, flipped)
    if measure == "drops":
        for i, (z, drop) in enumerate(zip(run.noise, run.drops, strict=True)):
            yield Case(f"update {i + 1}, noise {z:.4f}", float(drop), {"z": float(z)})
    elif measure == "updates":
        yield Case("updates", float(len(run.drops)))
    else:
        yield Case("largest |answer - sample mean|", float(np.abs(run.answers - queries @ sample).max()))


def evaluate_pmw_error(cell, rng, runs=3):
    """Largest |answer - P[q]| over m random queries, for a figure: `runs` worlds, without noise, private, and sample means.

    Cases carry the number of updates and the privacy eps = 2 updates / (sigma n) that the private run realised.
    """
    budget = math.ceil(_histogram.mw_updates_bound(cell.universe, cell.threshold, cell.step))
    for i in range(runs):
        truth, sample, queries = _world(cell, rng)
        true = queries @ truth
        quiet = dataclasses.replace(cell, noise=0.0)
        answered = {"multiplicative weights, no noise": pmw_simple(sample, queries, quiet, rng)}
        if cell.noise > 0:
            answered["private multiplicative weights"] = pmw_thresholdout(sample, queries, cell, rng, budget)
        for name, run in answered.items():
            updates = len(run.drops)
            eps = float(_svt.lem23_eps(updates, cell.n, cell.noise)) if name.startswith("private") and updates else math.inf
            fields = {"mechanism": name, "updates": updates, "realised_eps": eps, "answered": int(np.isfinite(run.answers).sum())}
            yield Case(f"{name}, world {i + 1}", float(np.nanmax(np.abs(run.answers - true))), fields)
        fields = {"mechanism": "sample means", "updates": 0, "realised_eps": math.inf, "answered": cell.m}
        yield Case(f"sample means, world {i + 1}", float(np.abs(queries @ sample - true).max()), fields)
