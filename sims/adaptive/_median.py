"""adaptive.lem37 and adaptive.thm34: the Median mechanism on X = {0, 1}, exactly, on the host.

A candidate data set of t bits counts only through its number of ones c, so that all 2^t candidates are t + 1 numbers with
weights C(t, c), kept as logarithms. The mechanism draws nothing: given the sample's mean its answers are certain, and a
failure probability is a sum over the binomial law of the sample's count.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.adaptive import _cells
from theory.adaptive import _median

SLACK = 1e-12  # of the tolerance for candidates, against rounding
SPREAD = 9.0  # sds of the sample's count that are summed; what lies beyond is added to the failures


@dataclasses.dataclass(frozen=True)
class Lem37Cell:
    """m times the same query phi(x) = x on a sample of mean `share`, accuracy alpha."""

    m: int
    alpha: float
    share: float


@dataclasses.dataclass(frozen=True)
class Thm34Cell:
    """n bits with P[x = 1] = p; m queries phi(x) = x and phi(x) = 1 - x in turn; error tau, failure beta."""

    n: int
    m: int
    p: float
    tau: float
    beta: float


def _validate(fn, m, alpha):
    _cells.require(_cells.is_count(m) and 2 <= m <= 10**6, fn, f"m must be an integer in 2..10^6, got {m}.")
    _cells.require(_cells.in_unit(alpha), fn, f"alpha must lie in (0, 1), got {alpha}.")
    t = _median.median_dataset_size(m, alpha)
    _cells.require(t <= 10**4, fn, f"candidates of at most 10^4 elements are allowed, alpha={alpha} and m={m} need {t}.")


def validate_lem37(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _validate("adaptive.lem37", cell.m, cell.alpha)
    ok = math.isfinite(cell.share) and 0 <= cell.share <= 1
    _cells.require(ok, "adaptive.lem37", f"query values must lie in [0, 1], got a sample mean share={cell.share}.")


def validate_thm34(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm34"
    _cells.require(_cells.is_count(cell.n, cell.m), fn, f"n and m must be positive integers, got n={cell.n}, m={cell.m}.")
    _cells.require(cell.n <= 10**8, fn, f"n must be at most 10^8, got {cell.n}.")
    for name in ("p", "tau", "beta"):
        _cells.require(_cells.in_unit(getattr(cell, name)), fn, f"{name} must lie in (0, 1), got {getattr(cell, name)}.")
    _validate(fn, cell.m, cell.tau / 3)


def median_mechanism(means, flips, alpha, *, repaired=True, tested=True):
    """Answers of the Median mechanism to len(flips) queries on samples of these means.

    Args:
      means: [samples], the sample mean of phi(x) = x.
      flips: [m] bool: the query is 1 - x instead of x.
      alpha: accuracy. repaired: rounding to the nearest multiple of alpha, tolerance 1.5 alpha; else down, 2 alpha.
      tested: False: the public answer is always given (a lying mechanism).
    Returns: answers float64 [samples, m]; taken bool [samples, m], True where the answer is taken from the sample.
    """
    from scipy import special

    means, flips = np.asarray(means, dtype=np.float64), np.asarray(flips, dtype=bool)
    size = _median.median_dataset_size(len(flips), alpha)
    count = np.arange(size + 1)
    log_weight = special.gammaln(size + 1) - special.gammaln(count + 1) - special.gammaln(size - count + 1)
    alive = np.ones((len(means), size + 1), dtype=bool)
    public = _medians(alive, log_weight)
    answers, taken = np.empty((2, len(means), len(flips)))
    for i, flip in enumerate(flips):
        value, seen = (1 - count / size, 1 - means) if flip else (count / size, means)
        answer = public[:, int(flip)]
        update = tested & (np.abs(answer - seen) > 2 * alpha)
        if update.any():
            ratio = seen[update] / alpha
            rounded = alpha * (np.rint(ratio) if repaired else np.floor(ratio))
            tolerance = (1.5 if repaired else 2.0) * alpha + SLACK
            alive[update] &= np.abs(rounded[:, None] - value[None, :]) <= tolerance
            answer = np.array(answer)
            answer[update] = rounded
            public[update] = _medians(alive[update], log_weight)
        answers[:, i], taken[:, i] = answer, update
    return answers, taken.astype(bool)


def _medians(alive, log_weight):
    """Lower weighted medians of c/t and of 1 - c/t over the candidates alive: [samples, 2]. nan if none is left."""
    size = len(log_weight) - 1
    logs = np.where(alive, log_weight, -np.inf)
    with np.errstate(invalid="ignore"):  # no candidate left: nan, a failure
        weight = np.exp(logs - logs.max(1, keepdims=True))
    medians = []
    for ordered in (weight, weight[:, ::-1]):
        mass = np.cumsum(ordered, axis=1)
        medians.append(np.argmax(mass >= 0.5 * mass[:, -1:] * (1 - 1e-12), axis=1) / size)
    return np.where(alive.any(1)[:, None], np.stack(medians, axis=1), np.nan)


def evaluate_lem37(cell, rng, measure="taken", repaired=True):
    """How many of m equal queries are answered from the sample (`taken`), or the largest |answer - mean| (`error`)."""
    del rng  # nothing is drawn
    answers, taken = median_mechanism([cell.share], np.zeros(cell.m, dtype=bool), cell.alpha, repaired=repaired)
    label = f"mean {cell.share:g}"
    yield Case(label, float(taken.sum() if measure == "taken" else np.abs(answers - cell.share).max()))


def evaluate_thm34(cell, rng, tested=True):
    """P[some |answer - P[phi]| >= tau], exact: the mechanism's failures summed over the binomial law of the sample's ones."""
    from scipy import stats

    del rng
    sd = math.sqrt(cell.n * cell.p * (1 - cell.p))
    low, high = max(0, math.floor(cell.n * cell.p - SPREAD * sd)), min(cell.n, math.ceil(cell.n * cell.p + SPREAD * sd))
    ones = np.arange(low, high + 1)
    flips = np.arange(cell.m) % 2 == 1
    answers, _ = median_mechanism(ones / cell.n, flips, cell.tau / 3, tested=tested)
    error = np.abs(answers - np.where(flips, 1 - cell.p, cell.p)).max(1)  # nan: no candidate left
    law = stats.binom(cell.n, cell.p)
    beyond = law.cdf(low - 1) + law.sf(high)
    yield Case(f"largest error {error.max():.3f}", float(law.pmf(ones)[~(error < cell.tau)].sum() + beyond))
