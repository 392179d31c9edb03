"""Training runs of verification.emp_planted over a grid of horizons: one compiled program against one for every horizon.

Both run the same simulator on the same keys. Ours has the horizon as a traced number, so the grid compiles once and nothing
is padded. The other has it as a constant, as a program with the horizon in its shapes would. Compilation is timed without a
cache, on one core. Prints one JSON object: seconds to compile and to run the grid.

    python bench/planted.py [runs] [horizon ...]
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable
from typing import Any

import _clock

THREADS = _clock.same_cores()

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import _generator  # noqa: E402
from sims.verification import _learned  # noqa: E402

BLOCK = 16  # runs at once


def prepared_of(horizon: int) -> Any:
    """The check's own cell at another horizon, floats in float32."""
    cell = _learned.PolicyCell("1+64", horizon)
    _learned.validate_policy(cell)
    return jax.tree.map(lambda v: np.asarray(v, np.float32 if np.asarray(v).dtype.kind == "f" else None), _learned.prepare_policy(cell))


def train(keys: jax.Array, prepared: Any) -> jax.Array:
    """Values of the trained policy at the last budget: float32 [runs]."""
    return jax.lax.map(lambda key: _learned.simulate_policy(key, prepared)["vb"][-1], keys, batch_size=BLOCK)


def timed(grid: list[Any], keys: jax.Array, program_of: Callable[[Any], Callable[..., Any]]) -> dict[str, Any]:
    """Seconds to compile and to run the whole grid; `program_of` compiles for a cell or hands back what it has."""
    seconds = {"compile": 0.0, "run": 0.0}
    means = []
    for prepared in grid:
        start = time.perf_counter()
        run = program_of(prepared)
        compiled = time.perf_counter()
        means.append(float(np.mean(jax.block_until_ready(run(keys, prepared)))))
        seconds["compile"] += compiled - start
        seconds["run"] += time.perf_counter() - compiled
    return {**{name: round(s, 2) for name, s in seconds.items()}, "total": round(sum(seconds.values()), 2), "values": means}


def main() -> None:
    jax.config.update("jax_enable_compilation_cache", False)  # compiling is what is compared
    numbers = [int(v) for v in sys.argv[1:]]
    runs, horizons = (numbers or [BLOCK])[0], numbers[1:] or [16, 32, 64, 128]
    keys = jax.random.split(jax.random.key(0, impl=_generator.FAST), runs)
    grid = [prepared_of(horizon) for horizon in horizons]
    traced: list[Callable[..., Any]] = []

    def once(prepared: Any) -> Callable[..., Any]:
        if not traced:
            traced.append(jax.jit(train).lower(keys, prepared).compile())
        return traced[0]

    def each(prepared: Any) -> Callable[..., Any]:
        horizon = int(prepared.H)

        def train_fixed(keys: jax.Array, prepared: Any) -> jax.Array:
            return train(keys, dataclasses.replace(prepared, H=np.int32(horizon)))

        return jax.jit(train_fixed).lower(keys, prepared).compile()

    ours, others = timed(grid, keys, once), timed(grid, keys, each)
    what = f"verification: planted policies at {len(horizons)} horizons, compiled once"
    row = {"what": what, "ours_ms": 1e3 * ours["total"], "peer": "ours, one program a horizon", "peer_ms": 1e3 * others["total"]}
    _clock.print_report(THREADS, [row], horizons=horizons, runs=runs, one_program_s=ours, one_each_s=others)


if __name__ == "__main__":
    main()
