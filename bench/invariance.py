"""Three workloads of `invariance` on one core.

cell: one cell of the authors' grid (soft training and tests, m = 20, N = 45,000, 100 tests for each accepted subset). NumPy
draws every sample and calls least squares on it, a loop as in the published notebook; ours draws one exact sample moment for
each environment and eliminates once for each subset. Ours lets the accepted subsets share their 100 tests, which leaves every
mean as it is; the comparison charges it for tests of their own. Both print the number of accepted subsets and their mean score.
sweep: all 63 subset regressions in 20 environments. NumPy calls lstsq on 2,000 samples each time; ours forms one covariance an
environment and solves all subsets from it.
adversary: draws a second of the eps-adversary (d = 6, n = 200, 8 starts, 300 steps); no peer was found.
Prints one JSON object: medians in milliseconds (the loop: once), and what is compared.
The loop's tests are `--tests` for each accepted subset, and their time is counted as that of 100.

    python bench/invariance.py [--tests 20]
"""

from __future__ import annotations

import argparse
import time

import _clock

THREADS = _clock.same_cores()

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


def share_of(timing: _clock.Timing, part: float) -> _clock.Timing:
    """The same calls, charged with a part of their time; the first one is charged in full, as it compiles."""
    return _clock.Timing(timing.first_ms, timing.ms * part, timing.answers)


def ours_cell() -> tuple[_clock.Timing, float, float]:
    """(time of a cell, accepted, score): a repetition makes all seven m with 78 training and 700 test environments, of which
    m = 20 has 20 and 100; its own share of environments is 120 of 778."""
    e, cell = EXPERIMENTS["fig.main/score"], _notebook.NotebookCell(N, "soft", "soft")
    prepared = _runner.prepared_for(e, cell)
    draws = _clock.timed(lambda i: _runner.draw(e, prepared, i, 1, 0, 16))
    place = _notebook.M_GRID.index(M)
    share = (M + _notebook.TESTS) / (sum(_notebook.M_GRID) + len(_notebook.M_GRID) * _notebook.TESTS)
    count, score = (np.mean([f[name][:, place].mean() for f in draws.answers]) for name in ("count", "score"))
    return share_of(draws, share / 16), float(count), float(score)


def sweep() -> tuple[_clock.Timing, _clock.Timing]:
    """(by lstsq on samples, by one covariance an environment)."""
    rng = np.random.default_rng(0)
    data = [samples(rng, 2000) for _ in range(M)]

    def by_samples(_):
        return [[least_squares(X, list(s)) for X in data] for s in _notebook.SUBSETS]

    with jax.enable_x64(True):
        masks, zero = jnp.asarray(_notebook.MASKS), jnp.zeros((M, 7))
        solve = jax.jit(lambda M: _notebook.regressions(M, zero, 0.0, 0.0, masks))

        def by_covariance(_):
            return np.asarray(solve(jnp.asarray(np.stack([X.T @ X / len(X) for X in data]))))

        covariance = _clock.timed(by_covariance)
        found = covariance.answers[-1]
        expected = by_samples(0)
        for i, subset in enumerate(_notebook.SUBSETS):
            place = [(0, 1, 2, 3, 5, 6).index(node) for node in subset]
            np.testing.assert_allclose(found[place, i].T, expected[i], rtol=1e-6, atol=1e-8)
        return _clock.timed(by_samples), covariance


def adversary() -> _clock.Timing:
    """Of a draw."""
    e = EXPERIMENTS["thm.pac/tail"]
    prepared = _runner.prepared_for(e, _adversary.PacCell(200))
    return share_of(_clock.timed(lambda i: _runner.draw(e, prepared, i, 1, 0, 16)), 1 / 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=20, help="tests for each accepted subset in the loop (default: 20)")
    tests = parser.parse_args().tests
    ours, count, score = ours_cell()
    train, test, loop_count, loop_score = loop_cell(np.random.default_rng(1), tests)
    by_samples, by_covariance = sweep()
    draw = adversary()
    own_tests = (M + _notebook.TESTS * count) / (M + _notebook.TESTS)
    loop = 1e3 * (train + test)
    _clock.print_report(
        THREADS,
        [
            _clock.compared(
                f"invariance: a cell of the authors' grid, m={M}, N={N:,}", share_of(ours, own_tests), "NumPy, samples in a loop", loop
            ),
            _clock.compared(
                f"invariance: all 63 regressions, {M} environments of 2,000", by_covariance, "NumPy, lstsq on samples", by_samples.ms
            ),
            _clock.compared("invariance: one draw of the adversary, d=6, n=200", draw, "none found", None),
        ],
        cell={
            "shared_tests_ms": round(ours.ms, 2),
            "loop_train_s": round(train, 2),
            "loop_tests_s": round(test, 2),
            "accepted": {"ours": round(count, 2), "loop": loop_count},
            "score": {"ours": round(score, 1), "loop": round(loop_score, 1)},
        },
        draws_a_second=round(1e3 / draw.ms, 1),
    )


if __name__ == "__main__":
    main()
