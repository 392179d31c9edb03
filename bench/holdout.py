"""The reusable-holdout experiment, a block of repetitions as a run draws them: our sampler against NumPy's published procedure.

NumPy draws all three sets, n x d normals each, selects attributes by the training and holdout weights (standard reuse) and
reports three accuracies at every k. Ours draws the weights and, for the rows, only the sums between two values of k: the
same law. Both on one core; prints one JSON object: medians of five timings in milliseconds, and the mean holdout accuracy.

    python bench/holdout.py [n = d]
"""

from __future__ import annotations

import statistics
import sys

import _clock

THREADS = _clock.same_cores()

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import _generator  # noqa: E402
from sims.adaptive import _reusable  # noqa: E402

KS = _reusable.GRID
BLOCK = 16  # repetitions that a run draws side by side


def published(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Train, holdout and fresh accuracy at every k, float64 [3, len(KS)]; labels and attributes carry no signal."""
    sets = [(rng.standard_normal((n, d)), rng.choice((-1.0, 1.0), n)) for _ in range(3)]
    train, holdout = (x.T @ y / n for x, y in sets[:2])
    cut = 1 / np.sqrt(n)
    kept = np.flatnonzero((np.abs(train) > cut) & (np.abs(holdout) > cut) & (np.sign(train) == np.sign(holdout)))
    ranked = kept[np.argsort(-np.abs(train[kept]))]
    accuracy = np.full((3, len(KS)), 0.5)
    for j, k in enumerate(KS):
        chosen = ranked[:k]
        for i, (x, y) in enumerate(sets if k else ()):
            accuracy[i, j] = np.mean(np.sign(x[:, chosen] @ np.sign(train[chosen])) == y)
    return accuracy


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    cell = _reusable.PictureCell(size, size, "standard", False)
    prepared = jax.device_put(_reusable.prepare_holdout(cell, judged={"holdout": 1.0}))
    repetitions = jax.jit(jax.vmap(_reusable.simulate_lazy, (0, None)))
    keys = [jax.random.split(jax.random.key(i, impl=_generator.FAST), BLOCK) for i in range(6)]
    rng = np.random.default_rng(0)
    ours = _clock.timed(lambda i: float(repetitions(keys[i], prepared)["holdout"][:, -1].mean()))
    numpys = _clock.timed(lambda i: statistics.fmean(float(published(rng, size, size)[1, -1]) for _ in range(BLOCK)))
    what = f"adaptive: the reusable holdout, a block of {BLOCK} repetitions at n = d = {size:,}"
    _clock.print_report(
        THREADS,
        [_clock.compared(what, ours, "NumPy, the published procedure", numpys.ms)],
        holdout_accuracy_at_500={"ours": statistics.fmean(ours.answers), "numpy": statistics.fmean(numpys.answers)},
    )


if __name__ == "__main__":
    main()
