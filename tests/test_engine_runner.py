"""The runner: the same numbers at any batch size, device count and order; frozen draws; tracing; bad ranges."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims import _experiment, _generator, _runner

ROOT = Path(__file__).resolve().parents[1]
TRACES = []


@dataclasses.dataclass(frozen=True)
class Cell:
    n: int  # static: sets shapes
    scale: float  # traced


def simulate(key, cell):
    """Float arithmetic whose last bit is known to move with the shape of a batch: matrix product, log, sums."""
    TRACES.append(cell.n)
    key_data, key_weights = jax.random.split(key)
    data = jax.random.normal(key_data, (cell.n, 37))
    weights = jax.random.normal(key_weights, (37,)) * cell.scale
    scores = jax.nn.sigmoid(data @ weights)
    count = jnp.sum(scores > 0.5).astype(jnp.float32)
    return {
        "x": jnp.mean(jnp.log1p(scores)) / jnp.sqrt(jnp.float32(cell.n)),
        "mean": jnp.mean(data, axis=0),
        "share": count / (cell.scale * 100) - 0.5,  # divides by what every replicate shares: compiled to a product where it can be
    }


def experiment(chunk=64, block=16):
    return _experiment.Experiment(
        check="toy.law/main", cells={"smoke": (Cell(50, 0.5),)}, simulate=simulate, max_replicates={"smoke": 64}, chunk=chunk, block=block
    )


def drawn(first, count, num_devices=1, cell=Cell(50, 0.5), seed=7):
    e = experiment()
    return _runner.draw(e, _runner.prepared_for(e, cell), seed, e.stream(cell), first, count, num_devices)


@pytest.fixture(scope="module")
def whole():
    return drawn(0, 192)


@pytest.mark.parametrize("size", [16, 48, 64, 96])
def test_numbers_do_not_depend_on_the_batch_size(whole, size):
    parts = [drawn(first, size) for first in range(0, 192, size)]
    for name in whole:
        np.testing.assert_array_equal(np.concatenate([p[name] for p in parts]), whole[name])


def test_numbers_do_not_depend_on_two_devices_nor_on_an_uneven_share(whole):
    for count in (192, 48, 16):  # 12, 3 and 1 blocks over two devices
        for name, values in drawn(0, count, num_devices=2).items():
            np.testing.assert_array_equal(values, whole[name][:count])


@pytest.mark.slow  # a process of its own; two devices are tested in this one
def test_numbers_do_not_depend_on_four_devices(whole, tmp_path):
    script = (
        "import sys, numpy as np, jax; jax.config.update('jax_num_cpu_devices', 4)\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
        "import test_engine_runner as t\n"
        "part = {'part_' + k: v for k, v in t.drawn(64, 80, num_devices=3).items()}\n"
        f"np.savez({str(tmp_path / 'four.npz')!r}, **t.drawn(0, 192, num_devices=4), **part)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with np.load(tmp_path / "four.npz") as four:
        for name in whole:
            np.testing.assert_array_equal(four[name], whole[name])
            np.testing.assert_array_equal(four[f"part_{name}"], whole[name][64:144])


def test_a_papers_simulator_draws_the_same_on_one_device_and_on_two():
    e = _experiment.experiments()["adaptive.naive/lazy"]  # its last step divides a count by n
    prepared = _runner.prepared_for(e, e.ask)
    one, two = (_runner.draw(e, prepared, 7, e.stream(e.ask), 0, e.chunk, devices)["x"] for devices in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_replicates_differ_and_cells_differ(whole):
    assert len(np.unique(whole["x"])) == 192
    other = drawn(0, 64, cell=Cell(50, 0.25))
    assert not np.isin(other["mean"], whole["mean"]).any()


def test_a_real_field_is_traced_and_shares_the_program():
    drawn(0, 64, cell=Cell(50, 0.5))
    TRACES.clear()
    drawn(0, 64, cell=Cell(50, 0.125))
    drawn(64, 64, cell=Cell(50, 2.0))
    assert TRACES == []
    drawn(0, 64, cell=Cell(51, 0.5))
    assert TRACES != []


def test_frozen_draws():
    """If this fails after a JAX upgrade or an edit of the runner, the stream has changed: raise _runner.STREAM,
    record the new numbers here, and say so in the changelog; every stored replicate is then stale."""
    frozen = json.loads((ROOT / "tests" / "data" / "frozen_draws.json").read_text())
    e = experiment()
    assert frozen["stream"] == _runner.STREAM
    assert e.stream(Cell(50, 0.5)) == frozen["cell_stream"]
    keys = np.asarray(_runner.replicate_keys(7, e.stream(Cell(50, 0.5)), 5, (1, 2)))
    assert keys.tolist() == frozen["keys"]
    key = jax.random.wrap_key_data(jnp.asarray(keys[0, 0]), impl=_generator.NAME)
    made = {
        "bits": jax.random.bits(jax.random.clone(key), (4,)),
        "uniform": jax.random.uniform(jax.random.clone(key), (3,)),
        "normal": jax.random.normal(jax.random.clone(key), (3,)),
        "laplace": jax.random.laplace(jax.random.clone(key), (3,)),
    }
    assert np.asarray(made["bits"]).tolist() == frozen["bits"]
    for name in ("uniform", "normal", "laplace"):  # the transcendental step may differ in the last bits between processors
        np.testing.assert_allclose(np.asarray(made[name], dtype=float), frozen[name], rtol=1e-5)


def test_the_second_root_seed_is_another_one():
    assert _experiment.second_seed(_experiment.LEDGER_SEED) != _experiment.LEDGER_SEED
    assert 0 <= _experiment.second_seed(_experiment.LEDGER_SEED) <= _experiment.MAX_SEED


def test_cells_of_all_experiments_have_different_streams():
    streams = {}
    for e in _experiment.experiments().values():
        for cell in dict.fromkeys(c for cells in e.cells.values() for c in cells):
            streams.setdefault(e.stream(cell), set()).add((e.check, _experiment.cell_id(cell)))
    assert all(len(names) == 1 for names in streams.values())


def test_the_runner_halves_its_devices_when_memory_is_short(monkeypatch):
    e = experiment()
    tried = []
    real = _runner.draw

    def short_of_memory(experiment, prepared, seed, stream, first, count, num_devices):
        tried.append(num_devices)
        if num_devices > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return real(experiment, prepared, seed, stream, first, count, num_devices)

    sampler = _runner.Sampler(e, 2)
    expected = drawn(0, 64)["x"]
    monkeypatch.setattr(_runner, "draw", short_of_memory)
    prepared = _runner.prepared_for(e, Cell(50, 0.5))
    np.testing.assert_array_equal(sampler.chunk(prepared, 7, e.stream(Cell(50, 0.5)), 0)["x"], expected)
    assert tried == [2, 1]
    monkeypatch.setattr(_runner, "draw", lambda *a: (_ for _ in ()).throw(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED")))
    with pytest.raises(_runner.DeviceMemoryError, match="one block of 16 replicates does not fit"):
        sampler.chunk(prepared, 7, 1, 0)


def test_fewer_devices_are_used_when_the_forecast_exceeds_memory():
    heavy = dataclasses.replace(experiment(), bytes_per_replicate=1e15)
    assert _runner.Sampler(heavy, 2)._devices == 1
    assert _runner.Sampler(experiment(), 2)._devices == 2


def test_more_devices_are_used_only_where_a_chunk_outlasts_compiling_for_them():
    short, long = (dataclasses.replace(experiment(), seconds_per_replicate=s) for s in (1e-4, 1.0))
    assert _runner.Sampler(short)._devices == 1
    assert _runner.Sampler(long)._devices == 2


def record():
    """Writes the frozen draws; run by hand, on purpose: python -c 'import test_engine_runner as t; t.record()'."""
    e = experiment()
    stream = e.stream(Cell(50, 0.5))
    keys = np.asarray(_runner.replicate_keys(7, stream, 5, (1, 2)))
    key = jax.random.wrap_key_data(jnp.asarray(keys[0, 0]), impl=_generator.NAME)
    frozen = {
        "stream": _runner.STREAM,
        "cell_stream": stream,
        "keys": keys.tolist(),
        "bits": np.asarray(jax.random.bits(jax.random.clone(key), (4,))).tolist(),
    }
    for name in ("uniform", "normal", "laplace"):
        frozen[name] = np.asarray(getattr(jax.random, name)(jax.random.clone(key), (3,)), dtype=float).tolist()
    path = Path(os.environ.get("FROZEN_DRAWS", ROOT / "tests" / "data" / "frozen_draws.json"))
    path.write_text(json.dumps(frozen, indent=1) + "\n")
