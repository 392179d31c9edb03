"""One repetition of the reusable-holdout experiment: our sampler against a NumPy transcription of the published procedure.

NumPy draws all three sets, n x d normals each, selects attributes by the training and holdout weights (standard reuse) and
reports three accuracies at every k. Ours draws the weights and, for the rows, only the sums between two values of k: the
same law. Both on one core; prints one JSON object: medians of five after a warm-up, in milliseconds, and NumPy's over ours.

    python bench/holdout.py [n = d]
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

if hasattr(os, "sched_setaffinity"):  # the same single core for both, before any thread pool starts
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims.adaptive import _reusable  # noqa: E402

KS = _reusable.GRID


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


def median_ms(run, repeats: int = 5) -> tuple[float, float]:
    """(median milliseconds, mean of what the runs return); run(i) must block until done."""
    run(0)
    times, values = [], []
    for i in range(1, repeats + 1):
        start = time.perf_counter()
        values.append(run(i))
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), statistics.fmean(values)


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    cell = _reusable.HoldoutCell(size, size, 500)
    prepared = jax.device_put(_reusable.prepare_holdout(cell, judged={"holdout": 1.0}, arm="standard"))
    repetition = jax.jit(_reusable.simulate_lazy)
    keys = [jax.random.key(i) for i in range(6)]
    rng = np.random.default_rng(0)
    ours, our_holdout = median_ms(lambda i: float(repetition(keys[i], prepared)["holdout"][-1]))
    numpys, numpy_holdout = median_ms(lambda i: float(published(rng, size, size)[1, -1]))
    print(
        json.dumps(
            {
                "comparisons": [
                    {
                        "what": f"reusable holdout, one repetition at n = d = {size}",
                        "ours_ms": ours,
                        "peer": "NumPy, the published procedure",
                        "peer_ms": numpys,
                    }
                ],
                "n": size,
                "d": size,
                "ours_ms": round(ours, 3),
                "numpy_ms": round(numpys, 1),
                "ratio": round(numpys / ours, 1),
                "holdout_accuracy_at_500": {"ours": our_holdout, "numpy": numpy_holdout},
                "threads": 1,
                "versions": {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__},
                "machine": platform.machine(),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
