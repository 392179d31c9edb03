"""How near the heaviest kernels come to what this machine's device can do: a GPU or TPU if JAX sees one, else the CPU.

First the device's own rates are measured: copying, float32 and float64 matrix products, random words, small eigenvalue problems and
solves. Then one block of the heaviest sampled experiment of each paper, in the program that a run uses; its work is counted by the
least that any program would have to do, so the share says how much of the time is not that work.
Last, 32 descents of the learner of halfspaces together against one after the other.
Prints one JSON object: rates, and by kernel the seconds of a block (median of five), replicates a second and the share.

    python bench/device.py > bench/device.json     # on a machine with an accelerator
    python bench/device.py --quick                 # small cells, to try it on a CPU
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _clock
import jax
import jax.numpy as jnp
import numpy as np

from sims import _experiment, _generator, _programs, _runner
from sims.adaptive import _attack
from sims.halfspaces import _learner

GIGA, TERA = 1e9, 1e12


def seconds(run: Callable[[], Any], calls: int = 5) -> float:
    """Median of some calls after one that compiles."""
    return _clock.timed(lambda _: jax.block_until_ready(run()), calls).ms / 1e3


def rates(quick: bool) -> dict[str, float]:
    """Bytes copied (read and written), float operations of matrix products and random 32-bit words, each a second."""
    size, side = (2**22, 512) if quick else (2**29, 8192)
    x = jax.random.normal(jax.random.key(0), (size,), jnp.float32)
    square = x[: side * side].reshape(side, side)
    copy = jax.jit(lambda v: v + 1)
    product = jax.jit(lambda a: jnp.matmul(a, a, precision="highest"))
    words = jax.jit(lambda k: jax.random.bits(k, (size,), jnp.uint32).max())
    found = {
        "copied_bytes": 2 * x.nbytes / seconds(lambda: copy(x)),
        "float32_product": 2 * side**3 / seconds(lambda: product(square)),
        "random_words": size / seconds(lambda: words(jax.random.key(1, impl=_generator.NAME))),
    }
    with jax.enable_x64(True):
        double = jnp.asarray(np.random.default_rng(0).normal(size=(side // 2, side // 2)))
        found["float64_product"] = 2 * (side // 2) ** 3 / seconds(lambda: product(double))
    return found


def small(run: Callable[[Any], Any], count: int, side: int) -> float:
    """Problems a second of a batched float64 routine on positive definite matrices [count, side, side]."""
    with jax.enable_x64(True):
        a = np.random.default_rng(0).normal(size=(count, side, side))
        a, compiled = jnp.asarray(a @ a.swapaxes(1, 2) + np.eye(side)), jax.jit(run)
        return count / seconds(lambda: compiled(a))


def block_of(check: str, cell: Any) -> tuple[float, int, Any, Any]:
    """(seconds of a block, its replicates, what was drawn, what was prepared) of an experiment's cell on this device."""
    e = _runner.for_device(_experiment.experiments()[check])
    device = _runner.devices_for(e)[0]
    with jax.enable_x64(e.x64):
        keys, prepared = jax.device_put((_runner.replicate_keys(1, 2, 0, (1, e.block)), _runner.prepared_for(e, cell)), device)

        def draw():
            return _programs.call(e.simulate, keys, 0, 1, prepared, device)

        return seconds(draw), e.block, jax.device_get(draw()), prepared


def last_cell(check: str, quick: bool) -> Any:
    cells = _experiment.experiments()[check].cells
    return cells["default"][0] if quick else cells["gpu"][-1]


def kernels(rate: dict[str, float], quick: bool) -> list[dict[str, Any]]:
    """One line for each paper."""
    found = []

    def line(paper, check, cell, took, block, work, unit, most):
        share = work / took / most
        found.append({"paper": paper, "kernel": check, "cell": cell, "block": block, "block_s": took, "replicates_per_s": block / took,
                      "work": unit, "per_s": work / took, "share": share})  # fmt: skip

    def experiment(check, work_of, unit, most):
        cell = last_cell(check, quick)
        took, block, drawn, prepared = block_of(check, cell)
        line(check.split(".")[0], check, _experiment.cell_id(cell), took, block, work_of(block, cell, drawn, prepared), unit, most)

    def words_of_attack(block, cell, drawn, prepared):
        return block * prepared.rows * _attack.WORDS * int(prepared.blocks)

    experiment("adaptive.naive/full", words_of_attack, "random words, drawn once", rate["random_words"])
    experiment("verification.thm_vb_ub/tail", lambda b, c, *_: 2 * b * c.n, "random words, one a trace", rate["random_words"])

    def bytes_of_fits(block, cell, drawn, prepared):
        return 16 * cell.n * (block + float(np.nansum(drawn["evaluations"])))

    experiment("moe.thm1/linear", bytes_of_fits, "bytes of x and y, once a pass", rate["copied_bytes"])

    side = last_cell("molrg.rv/tail", quick).d
    eigen = small(lambda a: jnp.linalg.eigvalsh(a)[:, 0], 256 if quick else 8192, max(8, side))
    experiment("molrg.rv/tail", lambda b, *_: b, f"eigenvalue problems of side {max(8, side)}, alone", eigen)

    cell = last_cell("invariance.thm.exact/phase", quick)
    with jax.enable_x64(True):
        prepared = _runner.prepared_for(_experiment.experiments()["invariance.thm.exact/phase"], cell)
    unknowns, batch = prepared.b.shape[1] + 1, 32 * prepared.starts
    solve = small(jax.vmap(lambda a: jax.scipy.linalg.solve(a, a[0], assume_a="pos")), batch, unknowns)

    def solves(block, *_):
        return block * prepared.starts * prepared.steps

    experiment("invariance.thm.exact/phase", solves, f"solves of side {unknowns}, alone in a batch of {batch}", solve)

    n, d, trials, steps = (2000, 5, 4, 200) if quick else (100_000, 10, 32, 200)
    z = jax.random.normal(jax.random.key(3), (trials, d, n), jnp.float32)

    def passes(z):
        def one(z):
            def step(_, w):
                w = w + 0.1 * _learner.gradient(w, z, jnp.float32(0.3), "smooth")
                return w / jnp.linalg.norm(w)

            return jax.lax.fori_loop(0, steps, step, jnp.ones(d, jnp.float32) / math.sqrt(d))

        return jax.vmap(one)(z)

    run = jax.jit(passes)
    with jax.default_matmul_precision("highest"):
        took = seconds(lambda: run(z))
    line("halfspaces", "descent of the learner", f"n={n},d={d},steps={steps}", took, trials, steps * z.nbytes, "bytes of the points, "
         "once a step", rate["copied_bytes"])  # fmt: skip
    return found


def together(quick: bool) -> list[dict[str, float]]:
    """32 descents of the learner from random starts on the same points (d = 10, 200 steps), in one program and one after the other."""
    rng, rows = np.random.default_rng(5), []
    batch = jax.jit(jax.vmap(lambda z, w, s, t: _learner.descend(z, w, s, t, "smooth")[0], (None, 0, None, None)))
    single = jax.jit(lambda z, w, s, t: _learner.descend(z, w, s, t, "smooth")[0])
    starts = rng.normal(size=(32, 10))
    starts = jnp.asarray(starts / np.linalg.norm(starts, axis=1, keepdims=True), jnp.float32)
    how = jnp.float32(0.3), jnp.int32(200)
    for n in (100, 1000) if quick else (100, 1000, 20_000, 1_000_000):
        x = rng.normal(size=(n, 10))
        y = np.where(rng.random(n) < 0.3, -1, 1) * np.where(x[:, 0] >= 0, 1, -1)
        z = jnp.asarray((x * y[:, None]).T, jnp.float32)
        with jax.default_matmul_precision("highest"):
            at_once = seconds(lambda z=z: batch(z, starts, *how), 3)
            one_by_one = seconds(lambda z=z: [single(z, w, *how) for w in starts], 3)
        rows.append({"n": n, "together_s": at_once, "one_by_one_s": one_by_one, "ratio": one_by_one / at_once})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="The heaviest kernels against what this device can do.")
    parser.add_argument("--quick", action="store_true", help="small cells, to try it on a CPU")
    quick = parser.parse_args().quick
    rate = rates(quick)
    report = {"device": _runner.device_kind(), "jax": jax.__version__, "rates": rate}
    report |= {"kernels": kernels(rate, quick), "descents_together": together(quick)}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
