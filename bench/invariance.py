"""Three workloads of `invariance` on one core.

cell: one cell of the authors' grid (soft training and tests, m = 20, N = 45,000, 100 tests for each accepted subset). NumPy
draws every sample and calls least squares on it, a loop as in the published notebook; ours draws one exact sample moment for
each environment and eliminates once for each subset. Ours lets the accepted subsets share their 100 tests, which leaves every
mean as it is; the comparison charges it for tests of their own. Both print the number of accepted subsets and their mean score.
sweep: all 63 subset regressions in 20 environments. NumPy calls lstsq on 2,000 samples each time; ours forms one covariance an
environment and solves all subsets from it.
adversary: draws a second of the eps-adversary (d = 6, n = 200, 8 starts, 300 steps); no peer was found.
Prints one JSON object: medians in milliseconds after a warm-up (the loop: once), NumPy's time over ours, and what is compared.
The loop's tests are `--tests` for each accepted subset, and their time is counted as that of 100.

    python bench/invariance.py [--tests 20]
"""

from __future__ import annotations

import argparse
import dataclasses
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
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from sims import _runner  # noqa: E402
from sims.invariance import _adversary, _experiments_theorems, _graphs, _notebook  # noqa: E402

M, N, RADIUS = 20, 45_000, 0.02
MODEL = _graphs.b7(noise=_notebook.NOISE)
EXPERIMENTS = {e.check.removeprefix("invariance."): e for e in _experiments_theorems.EXPERIMENTS}


def samples(rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` samples of one soft environment, node by node: [count, 7]."""
    B, omega, _ = (a[0] for a in _graphs.draw(rng, "soft_mult", MODEL, 1))
    X = rng.standard_normal((count, 7)) * np.sqrt(omega)
    for i in range(1, 7):
        X[:, i] += X[:, :i] @ B[i, :i]
    return X


def least_squares(X: np.ndarray, chosen: list[int]) -> np.ndarray:
    return np.linalg.lstsq(X[:, chosen], X[:, 4], rcond=None)[0]


def loop_cell(rng: np.random.Generator, tests: int) -> tuple[float, float, int, float]:
    """(seconds of training, seconds of 100 tests, accepted subsets, mean score) of the published style."""
    start = time.perf_counter()
    train = [samples(rng, N) for _ in range(M)]
    accepted = []
    for subset in _notebook.SUBSETS:
        betas = np.array([least_squares(X, list(subset)) for X in train])
        pairs = np.linalg.norm(betas[:, None] - betas[None], axis=2)
        if pairs.mean() < RADIUS * np.linalg.norm(betas.mean(0)):
            accepted.append((list(subset), betas.mean(0)))
    middle = time.perf_counter()
    scores = []
    for chosen, mean in accepted:
        off = [np.linalg.norm(least_squares(samples(rng, N), chosen) - mean) for _ in range(tests)]
        scores.append(np.mean(np.array(off) < RADIUS * np.linalg.norm(mean)))
    return middle - start, (time.perf_counter() - middle) * 100 / tests, len(accepted), 100 * float(np.mean(scores))


def median_ms(run, times: int = 5) -> float:
    """Median of the timings of run(i), which must block until done, after a warm-up."""
    run(0)
    taken = []
    for i in range(1, times + 1):
        start = time.perf_counter()
        run(i)
        taken.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken)


def ours_cell() -> tuple[float, float, float]:
    """(milliseconds a cell, accepted, score): a repetition makes all seven m with 78 training and 700 test environments, of which
    m = 20 has 20 and 100; its own share of environments is 120 of 778."""
    e, cell = EXPERIMENTS["fig.main/score"], _notebook.NotebookCell(N, "soft", "soft")
    prepared, found = _runner.prepared_for(e, cell), []
    ms = median_ms(lambda i: found.append(_runner.draw(e, prepared, i, 1, 0, 16)))
    place = _notebook.M_GRID.index(M)
    share = (M + _notebook.TESTS) / (sum(_notebook.M_GRID) + len(_notebook.M_GRID) * _notebook.TESTS)
    count, score = (np.mean([f[name][:, place].mean() for f in found]) for name in ("count", "score"))
    return ms / 16 * share, float(count), float(score)


def sweep() -> tuple[float, float]:
    """(milliseconds by lstsq on samples, by one covariance an environment)."""
    rng = np.random.default_rng(0)
    data = [samples(rng, 2000) for _ in range(M)]

    def by_samples(_):
        return [[least_squares(X, list(s)) for X in data] for s in _notebook.SUBSETS]

    with jax.enable_x64(True):
        masks, zero = jnp.asarray(_notebook.MASKS), jnp.zeros((M, 7))
        solve = jax.jit(lambda M: _notebook.regressions(M, zero, 0.0, 0.0, masks))

        def by_covariance(_):
            return np.asarray(solve(jnp.asarray(np.stack([X.T @ X / len(X) for X in data]))))

        found = by_covariance(0)
        expected = by_samples(0)
        for i, subset in enumerate(_notebook.SUBSETS):
            place = [(0, 1, 2, 3, 5, 6).index(node) for node in subset]
            np.testing.assert_allclose(found[place, i].T, expected[i], rtol=1e-6, atol=1e-8)
        return median_ms(by_samples), median_ms(by_covariance)


def adversary() -> float:
    """Milliseconds a draw."""
    e = EXPERIMENTS["thm.pac/tail"]
    prepared = _runner.prepared_for(e, _adversary.PacCell(200))
    return median_ms(lambda i: _runner.draw(dataclasses.replace(e), prepared, i, 1, 0, 16)) / 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=20, help="tests for each accepted subset in the loop (default: 20)")
    tests = parser.parse_args().tests
    ours, count, score = ours_cell()
    train, test, loop_count, loop_score = loop_cell(np.random.default_rng(1), tests)
    by_samples, by_covariance = sweep()
    draw = adversary()
    afresh = ours * (M + _notebook.TESTS * count) / (M + _notebook.TESTS)
    loop = 1e3 * (train + test)
    report = {
        "comparisons": [
            {
                "what": f"one cell of the authors' grid, m={M}, N={N:,}", "ours_ms": afresh, "peer": "NumPy, samples in a loop",
                "peer_ms": loop,
            },
            {
                "what": f"all 63 regressions, {M} environments of 2,000", "ours_ms": by_covariance, "peer": "NumPy, lstsq on samples",
                "peer_ms": by_samples,
            },
            {"what": "one draw of the adversary, d=6, n=200", "ours_ms": draw, "peer": "none found", "peer_ms": None},
        ],
        "threads": 1,
        "cell": {
            "m": M, "N": N, "ours_shared_tests_ms": round(ours, 2), "ours_own_tests_ms": round(afresh, 2), "loop_train_s": round(train, 2),
            "loop_tests_s": round(test, 2), "ratio_shared_tests": round(loop / ours), "ratio_own_tests": round(loop / afresh),
            "accepted": {"ours": round(count, 2), "loop": loop_count},
            "score": {"ours": round(score, 1), "loop": round(loop_score, 1)},
        },
        "sweep": {"ours_ms": round(by_covariance, 3), "lstsq_ms": round(by_samples, 2), "ratio": round(by_samples / by_covariance, 1)},
        "adversary": {"ms_a_draw": round(draw, 2), "draws_a_second": round(1e3 / draw, 1)},
        "versions": {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__},
        "machine": platform.machine(),
    }  # fmt: skip
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
