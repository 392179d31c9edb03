"""Two workloads of `verification` against NumPy, on one core.

paired: behaviour cloning and the other learners on n = 1024 expert traces over d = 16 blocks, 1,000 replicates. Ours draws
block counts from 32 traces to a word; NumPy loops over replicates and draws every trace, as one writes it first. NumPy's own
counts (a multinomial and binomials) are timed beside it.
best_of_n: the share of runs solved at every budget n = 1 .. 1024, success probability 1/32, 1,000 runs. Ours takes all
budgets of a run from one geometric draw; NumPy draws a uniform for every trace and takes cumulative sums.
Prints one JSON object: the median of five timings of each after a warm-up, in milliseconds, and NumPy's time over ours.

    python bench/verification.py
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

if hasattr(os, "sched_setaffinity"):  # the same single core for both, before any thread pool starts
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import _experiment  # noqa: E402
from sims.verification import _needle, _paired  # noqa: E402
from theory.verification import _needle as needle_theory  # noqa: E402
from theory.verification import _paired as paired_theory  # noqa: E402

N, D, DELTA, RUNS = 1024, 16, 0.094, 1000
BLOCK = 20  # replicates side by side
BUDGETS, STYLES = 1024, 32


def numpy_traces(rng: np.random.Generator) -> float:
    """Mean sup gap of cloning, every trace drawn, one replicate after the other."""
    total = 0.0
    for _ in range(RUNS):
        bits = 2 * rng.integers(0, 2, D) - 1
        prompt = rng.integers(0, D, N)
        style = np.where(rng.random(N) < (1 + DELTA * bits[prompt]) / 2, 1, -1)
        m, lead = np.bincount(prompt, minlength=D), np.bincount(prompt, weights=style, minlength=D)
        total += np.abs(DELTA * bits - lead / np.maximum(m, 1)).mean()
    return total / RUNS


def numpy_counts(rng: np.random.Generator) -> float:
    """The same from block counts, all replicates at once."""
    m = rng.multinomial(N, np.full(D, 1 / D), size=RUNS)
    agree = rng.binomial(m, (1 + DELTA) / 2)
    return float(np.abs(DELTA - (2 * agree - m) / np.maximum(m, 1)).mean())


def numpy_best_of_n(rng: np.random.Generator) -> np.ndarray:
    """Share of runs solved at every budget: float64 [BUDGETS]."""
    return (np.cumsum(rng.random((RUNS, BUDGETS)) < 1 / STYLES, axis=1) > 0).mean(axis=0)


def compiled(simulate: Callable, prepared: object, summary: Callable) -> Callable[[jax.Array], jax.Array]:
    """One program: keys of all runs from one key, the summary of each block of `BLOCK`, and the mean over blocks."""
    _experiment.register(type(prepared))
    fixed = jax.tree.map(lambda v: np.float32(v) if np.asarray(v).dtype.kind == "f" else v, prepared)

    def run(key, fixed):
        keys = jax.random.split(key, (RUNS // BLOCK, BLOCK))
        return jax.lax.map(lambda block: summary(jax.vmap(simulate, (0, None))(block, fixed)), keys).mean(0)

    program = jax.jit(run)
    return lambda key: program(key, fixed)


def median_ms(run: Callable[[int], object]) -> tuple[float, object]:
    """(median of five timings in milliseconds, the last answer); run(i) must block until done."""
    run(0)
    times, answer = [], None
    for i in range(1, 6):
        start = time.perf_counter()
        answer = run(i)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), answer


def main() -> None:
    rng = np.random.default_rng(0)
    cell = _paired.GapCell(N, D, DELTA, "tab")
    ours = compiled(_paired.simulate_paired, _paired.prepare_gap(cell), lambda drawn: drawn["x"].mean())
    ours_ms, gap = median_ms(lambda i: float(ours(jax.random.key(i))))
    traces_ms, numpy_gap = median_ms(lambda i: numpy_traces(rng))
    counts_ms, _ = median_ms(lambda i: numpy_counts(rng))
    prepared = _needle.BestOfNPrepared(most=BUDGETS, n=np.int32(1), rate=_needle.prepare_best_of_n(_needle.BestOfNCell(1, STYLES)).rate)
    budgets = compiled(_needle.simulate_best_of_n, prepared, lambda drawn: drawn["solved"].mean(0))
    best_ms, solved = median_ms(lambda i: np.asarray(budgets(jax.random.key(i))))
    numpy_best_ms, numpy_solved = median_ms(lambda i: numpy_best_of_n(rng))
    at = STYLES - 1  # budget K
    report = {
        "comparisons": [
            {"what": f"cloning, n={N}, d={D}, {RUNS} runs", "ours_ms": ours_ms, "peer": "NumPy, every trace drawn", "peer_ms": traces_ms},
            {"what": f"cloning, n={N}, d={D}, {RUNS} runs", "ours_ms": ours_ms, "peer": "NumPy, counts", "peer_ms": counts_ms},
            {
                "what": f"best of n at {BUDGETS} budgets, {RUNS} runs",
                "ours_ms": best_ms,
                "peer": "NumPy, uniforms",
                "peer_ms": numpy_best_ms,
            },
        ],
        "paired": {
            "n": N,
            "d": D,
            "replicates": RUNS,
            "ours_ms": round(ours_ms, 3),
            "numpy_traces_ms": round(traces_ms, 3),
            "numpy_counts_ms": round(counts_ms, 3),
            "ratio": round(traces_ms / ours_ms, 2),
            "mean_sup_gap": {"ours": gap, "numpy": numpy_gap, "exact": paired_theory.tab_mad(N, D, DELTA)},
        },
        "best_of_n": {
            "budgets": BUDGETS,
            "runs": RUNS,
            "ours_ms": round(best_ms, 3),
            "numpy_ms": round(numpy_best_ms, 3),
            "ratio": round(numpy_best_ms / best_ms, 2),
            "solved_at_K": {
                "ours": float(solved[at]),
                "numpy": float(numpy_solved[at]),
                "exact": float(needle_theory.best_of_n(1 / STYLES, STYLES)),
            },
        },
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "versions": {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__},
        "machine": platform.machine(),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
