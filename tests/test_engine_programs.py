"""Programs compiled ahead of a run, and what an experiment becomes on an accelerator."""

import dataclasses
import functools
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine_runner import TRACES, Cell, drawn, experiment

from sims import _experiment, _generator, _programs, _runner, _shards
from sims._decide import Options
from theory import _claims


def test_the_generator_draws_what_jax_draws_bit_for_bit():
    def draws(key):
        left, right, last = jax.random.split(key, 3)
        folded = jax.random.fold_in(left, 7)
        many = [jax.random.bits(jax.random.clone(folded), (3, 5), dtype) for dtype in (jnp.uint8, jnp.uint16, jnp.uint32)]
        square = jax.random.split(folded, (2, 3))
        numbers = jax.random.normal(right, (7,)), jax.random.permutation(last, 10), jax.random.uniform(square[1, 2], (), jnp.float32)
        return *many, *numbers, jax.random.key_data(jax.random.fold_in(left, jnp.uint32(2**31)))

    data = jax.random.key_data(jax.random.split(jax.random.key(5, impl=_generator.NAME), 4))
    known, ours = (
        jax.jit(jax.vmap(lambda data, impl=impl: draws(jax.random.wrap_key_data(data, impl=impl))))(data)
        for impl in (_generator.NAME, _generator.FAST)
    )
    jax.tree.map(np.testing.assert_array_equal, known, ours)
    with jax.enable_x64(True):
        wide = [jax.random.bits(jax.random.key(6, impl=impl), (4,), jnp.uint64) for impl in (_generator.NAME, _generator.FAST)]
        np.testing.assert_array_equal(*wide)
    seeds = [jax.random.key_data(jax.random.key(2**31 - 1, impl=impl)) for impl in (_generator.NAME, _generator.FAST)]
    np.testing.assert_array_equal(*seeds)
    with pytest.raises(ValueError, match=r"at most 2\^32 - 1 numbers are drawn at a time, got an array of \(65536, 65536\)"):
        jax.jit(lambda key: jax.random.bits(key, (2**16, 2**16))).lower(jax.random.key(1, impl=_generator.FAST))


def test_a_simulator_may_draw_what_takes_only_the_librarys_own_keys():
    e = dataclasses.replace(experiment(), simulate=lambda key, cell: jax.random.poisson(key, 4.0).astype(jnp.float32))
    cell = Cell(5, 0.5)
    got = _runner.draw(e, _runner.prepared_for(e, cell), 7, 1, 0, e.chunk)["x"]
    keys = jax.random.wrap_key_data(_runner.replicate_keys(7, 1, 0, (1, e.chunk))[0], impl=_generator.NAME)
    np.testing.assert_array_equal(got, jax.vmap(lambda key: jax.random.poisson(key, 4.0))(keys))


def test_a_program_compiled_ahead_draws_the_same_and_is_not_made_again():
    cell = Cell(57, 0.5)
    expected = drawn(0, 64, cell=dataclasses.replace(cell, n=57))
    other = dataclasses.replace(experiment(), simulate=lambda key, prepared: experiment().simulate(key, prepared))
    _runner.compile_for(other, cell)
    TRACES.clear()
    prepared = _runner.prepared_for(other, cell)
    got = _runner.draw(other, prepared, 7, other.stream(cell), 0, other.chunk)
    assert TRACES == []
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values[: other.chunk])


def test_what_cannot_be_compiled_ahead_is_an_error_where_it_is_drawn():
    def broken(key, prepared):
        raise RuntimeError("this simulator is broken")

    e, cell = dataclasses.replace(experiment(), simulate=broken), Cell(5, 0.5)
    with _programs.Ahead([lambda: _runner.compile_for(e, cell)]):
        pass
    with pytest.raises(RuntimeError, match="this simulator is broken"):
        _runner.draw(e, _runner.prepared_for(e, cell), 7, 1, 0, e.chunk)


def test_jobs_are_taken_in_order_and_dropped_at_the_end():
    taken, begun, gate = [], threading.Event(), threading.Event()

    def job(i):
        taken.append(i)
        begun.set()
        gate.wait(10)

    with _programs.Ahead(functools.partial(job, i) for i in range(100)) as ahead:
        assert begun.wait(10)
        threading.Timer(0.2, gate.set).start()  # only after leaving has begun
    assert sorted(taken) == list(range(len(taken)))
    assert len(taken) <= len(ahead._threads)


def test_only_cells_of_which_nothing_is_stored_are_compiled_ahead(tmp_path):
    claims, options = [_claims.claims()["adaptive.split"]], Options(out=tmp_path)
    before = list(_shards.programs(claims, options))
    assert before
    _shards.draw_shard(claims, options, 1, 1)
    assert list(_shards.programs(claims, options)) == []


def test_products_of_matrices_are_float32_products_everywhere():
    def simulate(key, prepared):
        return (jnp.ones((3, 3)) @ jnp.ones((3, 3)))[0, 0]

    keys = _runner.replicate_keys(1, 2, 0, (1, 2))
    text = _programs._program(simulate, "cpu").lower(keys, np.int32(0), np.int32(1), np.float32(0)).as_text()
    assert "dot_general" in text
    assert text.count("precision = [HIGHEST, HIGHEST]") == text.count("dot_general")


def test_every_experiment_has_a_size_for_an_accelerator():
    for e in _experiment.experiments().values():
        assert _runner.for_device(e, "cpu") is e
        wide = _runner.for_device(e, "gpu")
        assert _runner.for_device(wide, "gpu") == wide
        if e.simulate is not None:
            most = max(e.max_replicates.values())
            assert wide.chunk % e.chunk == 0
            assert wide.chunk == e.chunk or wide.chunk <= (most + e.chunk if e.exploratory else _runner.WIDE_CHUNK[1] * most)
            seconds, size = _runner.WIDE_BLOCK
            within = e.exploratory or wide.block * e.seconds_per_replicate <= seconds
            assert wide.block == e.block or (within and wide.block * e.bytes_per_replicate <= size)


def test_a_wide_block_draws_the_same_replicates():
    narrow = drawn(0, 192)
    wide = dataclasses.replace(experiment(), block=96, chunk=192)
    prepared = _runner.prepared_for(wide, Cell(50, 0.5))
    got = _runner.draw(wide, prepared, 7, wide.stream(Cell(50, 0.5)), 0, 192)
    for name, values in narrow.items():
        np.testing.assert_allclose(got[name], values, rtol=1e-6)  # another batch may round otherwise


def test_an_experiment_of_the_host_stays_there():
    e = dataclasses.replace(experiment(), host=True)
    assert {d.platform for d in _runner.devices_for(e)} == {"cpu"}
    assert _runner.device_kind(e) == "cpu"
    assert _runner.for_device(e) is e


def test_what_is_evaluated_has_its_default_cells_at_gpu_too():
    def evaluate(cell, rng):
        return ()

    cells = (Cell(1, 0.5), Cell(2, 0.5))
    e = _experiment.Experiment(check="a.b/c", cells={"smoke": cells[:1], "default": cells}, evaluate=evaluate)
    assert e.cells["gpu"] == cells
    e = _experiment.Experiment(check="a.b/c", cells={"default": cells, "gpu": cells[1:]}, evaluate=evaluate)
    assert e.cells["gpu"] == cells[1:]
