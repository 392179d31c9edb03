"""Compiled programs: one per simulator and shapes, and the threads that compile those that a run is going to need.

A large run waits for the compiler before every new kind of cell, while the device stands still. `Ahead` compiles what comes later
while the present cell is drawn. The programs are those that would have been compiled at their turn, and so are the numbers.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sims import _generator

__all__ = ["Ahead", "call", "compile_now"]

MOST_THREADS = 2  # tracing is Python, which runs one thread at a time: more of them starve the run itself
SWITCH_SECONDS = 5e-4  # how long the run waits for such a thread to let Python go; 5e-3 by default, at every return from a device


@functools.cache
def _program(simulate: Callable[..., Any], platform: str) -> Callable[..., Any]:
    """One compiled program per simulator and shapes: key data [blocks, block, 2] -> dict of [blocks, block, ...].

    Only blocks start .. stop-1 are drawn, the others stay zero. Every device runs this very program on all keys, with
    its own start and stop: a program partitioned over devices is compiled to other arithmetic (a division becomes a
    multiplication, say), which changes last bits with the number of devices.

    Products of float32 matrices are float32 products everywhere: by default a GPU rounds their factors to 10 bits and a TPU to 7,
    which no statistic here is written for. On a GPU sums are made in a fixed order, so that the same chunk has the same bits, and the
    generator is JAX's own kernel.
    """

    def drawn_with(generator, key_data, prepared):
        with jax.default_matmul_precision("highest"):
            return jax.vmap(simulate, (0, None))(jax.random.wrap_key_data(key_data, impl=generator), prepared)

    def block_of(key_data, prepared):
        try:
            drawn = drawn_with(_generator.FAST if platform == "cpu" else _generator.NAME, key_data, prepared)
        except NotImplementedError:  # jax.random.poisson takes no keys but JAX's own, which draw the same bits
            drawn = drawn_with(_generator.NAME, key_data, prepared)
        return drawn if isinstance(drawn, dict) else {"x": drawn}

    traced = jax.jit(block_of, inline=True)  # traced once for both uses below, and then as if written out there

    def blocks(key_data, start, stop, prepared):
        shapes = jax.eval_shape(traced, key_data[0], prepared)
        out = jax.tree.map(lambda s: jnp.zeros((key_data.shape[0], *s.shape), s.dtype), shapes)

        def body(i, out):
            drawn = traced(jax.lax.dynamic_index_in_dim(key_data, i, keepdims=False), prepared)
            return jax.tree.map(lambda o, d: jax.lax.dynamic_update_index_in_dim(o, d, i, 0), out, drawn)

        # The trip count is traced: a loop that runs once would be unrolled and fused otherwise, and round otherwise.
        return jax.lax.fori_loop(start, stop, body, out)

    return jax.jit(blocks, compiler_options={"xla_gpu_deterministic_ops": True} if platform == "gpu" else None)


_lock = threading.Lock()
_ready: dict[Any, Future] = {}  # of every program asked for: the function that runs it, or the promise of one


def _claimed(simulate: Callable[..., Any], key_data: Any, prepared: Any, device: Any) -> tuple[Future, bool]:
    """The promise of a program, and whether the one who asks has to keep it."""
    leaves, structure = jax.tree.flatten(prepared)
    shapes = tuple((np.shape(v), str(v.dtype)) for v in (key_data, *leaves))
    key = (simulate, device, structure, shapes, str(jnp.result_type(float)))
    with _lock:
        mine = key not in _ready
        return _ready.setdefault(key, Future()), mine


def call(simulate: Callable[..., Any], key_data: jax.Array, start: int, stop: int, prepared: Any, device: Any) -> Mapping[str, jax.Array]:
    """Draws blocks start .. stop-1 on the device that holds key data and prepared; returns at once.

    Runs what `compile_now` has made, waits for what it is making, and compiles the rest.
    """
    promise, mine = _claimed(simulate, key_data, prepared, device)
    if mine:
        promise.set_result(_program(simulate, device.platform))
    return promise.result()(key_data, np.int32(start), np.int32(stop), prepared)


def compile_now(simulate: Callable[..., Any], key_data: jax.Array, prepared: Any, device: Any) -> None:
    """Makes the program of a later `call`, unless somebody has or does; under the settings that the call will be made under."""
    promise, mine = _claimed(simulate, key_data, prepared, device)
    if mine:
        program = _program(simulate, device.platform)
        try:
            program = program.lower(key_data, np.int32(0), np.int32(0), prepared).compile()
        finally:
            promise.set_result(program)  # whoever draws what could not be compiled meets the error, at its turn


class Ahead:
    """Runs jobs, which compile, in threads of its own while the block runs; leaving it waits for those under way and drops the others.

    jobs: in the order in which the run comes to them; taken one at a time. What a job raises is left to the run, which raises it too.
    """

    def __init__(self, jobs: Iterable[Callable[[], None]]) -> None:
        self._jobs, self._taking, self._stop = iter(jobs), threading.Lock(), threading.Event()
        # Half of the cores, since the run itself uses them too.
        count = max(1, min((os.cpu_count() or 1) // 2, MOST_THREADS))
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]

    def __enter__(self) -> Ahead:
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        sys.setswitchinterval(self._switch)

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._taking:
                job = next(self._jobs, None)
            if job is None:
                return
            with contextlib.suppress(Exception):
                job()
