"""Two workloads of `verification` against NumPy, on one core.

paired: behaviour cloning and the other learners on n = 1024 expert traces over d = 16 blocks, 1,000 replicates. Ours draws
block counts from 32 traces to a word; NumPy loops over replicates and draws every trace, as one writes it first. NumPy's own
counts (a multinomial and binomials) are timed beside it.
best_of_n: the share of runs solved at every budget n = 1 .. 1024, success probability 1/32, 1,000 runs. Ours takes all
budgets of a run from one geometric draw; NumPy draws a uniform for every trace and takes cumulative sums.
Prints one JSON object: medians of five timings in milliseconds, and what was found beside what is exact.

    python bench/verification.py
"""

from __future__ import annotations

from collections.abc import Callable

import _clock

THREADS = _clock.same_cores()

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import _experiment, _generator  # noqa: E402
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


def main() -> None:
    rng = np.random.default_rng(0)
    cell = _paired.GapCell(N, D, DELTA, "tab")
    ours = compiled(_paired.simulate_paired, _paired.prepare_gap(cell), lambda drawn: drawn["x"].mean())
    cloning = _clock.timed(lambda i: float(ours(jax.random.key(i, impl=_generator.FAST))))
    traces, counts = _clock.timed(lambda i: numpy_traces(rng)), _clock.timed(lambda i: numpy_counts(rng))
    prepared = _needle.BestOfNPrepared(most=BUDGETS, n=np.int32(1), rate=_needle.prepare_best_of_n(_needle.BestOfNCell(1, STYLES)).rate)
    budgets = compiled(_needle.simulate_best_of_n, prepared, lambda drawn: drawn["solved"].mean(0))
    best = _clock.timed(lambda i: np.asarray(budgets(jax.random.key(i, impl=_generator.FAST))))
    numpys = _clock.timed(lambda i: numpy_best_of_n(rng))
    at = STYLES - 1  # budget K
    what = f"verification: cloning, n={N}, d={D}, {RUNS} runs"
    _clock.print_report(
        THREADS,
        [
            _clock.compared(what, cloning, "NumPy, every trace drawn", traces.ms),
            _clock.compared(what, cloning, "NumPy, counts", counts.ms),
            _clock.compared(f"verification: best of n at {BUDGETS} budgets, {RUNS} runs", best, "NumPy, uniforms", numpys.ms),
        ],
        mean_sup_gap={"ours": cloning.answers[-1], "numpy": traces.answers[-1], "exact": paired_theory.tab_mad(N, D, DELTA)},
        solved_at_K={
            "ours": float(best.answers[-1][at]),
            "numpy": float(numpys.answers[-1][at]),
            "exact": float(needle_theory.best_of_n(1 / STYLES, STYLES)),
        },
    )


if __name__ == "__main__":
    main()
