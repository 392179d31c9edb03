"""The runner: keys, blocks, devices, stopping. It turns an experiment's cells into stored replicates.

Bit for bit the same numbers at any batch size, cell order and device count, and after any interruption:
replicate r of a cell has its own key; replicates run in vmapped blocks of a fixed length; a block is the body of
a loop whose trip count is traced, so the compiler sees the same body however many blocks a device is given.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sims import _experiment, _store

__all__ = [
    "STREAM",
    "DeviceMemoryError",
    "Sampler",
    "code_of",
    "device_kind",
    "draw",
    "forecast_bytes",
    "peak_bytes",
    "prepared_for",
    "replicate_keys",
]

STREAM = 2  # raised by hand when an edit of this file changes any drawn number; tests/test_engine_runner.py guards it
GENERATOR = "threefry2x32"  # the only generator whose vmapped draws do not depend on the batch size
COMPILE_SECONDS = 0.5  # of a program for one more device, most often from the compilation cache


class DeviceMemoryError(RuntimeError):
    """One block of replicates does not fit into the device's memory."""


def device_kind() -> str:
    """What the numbers were made on: "cpu", "gpu NVIDIA H100 80GB HBM3", ..."""
    device = jax.devices()[0]
    return device.platform if device.platform == "cpu" else f"{device.platform} {device.device_kind}"


def peak_bytes() -> int | None:
    """Most memory that this process has held so far: on its first device, or, on a CPU, on the host; None where nobody says."""
    device = jax.local_devices()[0]
    if device.platform != "cpu":
        return (device.memory_stats() or {}).get("peak_bytes_in_use")
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@functools.partial(jax.jit, static_argnums=3)
def _key_data(seed, stream, first, shape):
    key = jax.random.fold_in(jax.random.key(seed, impl=GENERATOR), stream)
    index = first + jnp.arange(shape[0] * shape[1], dtype=jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, index)
    return jax.random.key_data(keys).reshape(*shape, -1)


def replicate_keys(seed: int, stream: int, first: int, shape: tuple[int, int]) -> jax.Array:
    """Raw keys of replicates first, first+1, ...: uint32 [shape[0], shape[1], 2].

    Replicate r of a cell has the key fold_in(fold_in(key(seed), stream), r), `stream` being the cell's own number.
    Made afresh for every chunk, outside shard_map: a key depends on nothing but (seed, stream, r).
    """
    return _key_data(np.uint32(seed), np.uint32(stream), np.uint32(first), shape)


@functools.cache
def _program(simulate: Callable[..., Any]) -> Callable[..., Any]:
    """One compiled program per simulator and shapes: key data [blocks, block, 2] -> dict of [blocks, block, ...].

    Only blocks start .. stop-1 are drawn, the others stay zero. Every device runs this very program on all keys, with
    its own start and stop: a program partitioned over devices is compiled to other arithmetic (a division becomes a
    multiplication, say), which changes last bits with the number of devices.
    """

    def block_of(key_data, prepared):
        keys = jax.random.wrap_key_data(key_data, impl=GENERATOR)
        drawn = jax.vmap(simulate, (0, None))(keys, prepared)
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

    return jax.jit(blocks)


def prepared_for(experiment: _experiment.Experiment, cell: Any) -> Any:
    """What `simulate` receives: the cell, or what `prepare` makes of it; floats in the simulator's precision."""
    prepared = cell if experiment.prepare is None else experiment.prepare(cell)
    _experiment.register(type(prepared))
    real = np.float64 if experiment.x64 else np.float32

    def leaf(v: Any) -> np.ndarray:
        v = np.asarray(v)
        return v.astype(real) if v.dtype.kind == "f" else v

    return jax.tree.map(leaf, prepared)


def forecast_bytes(experiment: _experiment.Experiment, num_devices: int = 1) -> float:
    """Working memory of a run: one block at a time on every device."""
    return experiment.bytes_per_replicate * experiment.block * num_devices


def _memory_budget() -> float:
    """Bytes that one run may take: of the device, or half of what the host has free."""
    stats = jax.local_devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    if stats and "bytes_limit" in stats:
        return 0.8 * stats["bytes_limit"]
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return 0.5 * os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 2e9


@dataclasses.dataclass
class Sampler:
    """Draws chunks of one experiment; remembers how many devices its blocks fit on.

    team: the processes that draw every chunk together; None: this one alone.
    num_devices: at most this many; None: all local ones where a chunk takes longer than compiling once more, else one.
    The numbers drawn do not depend on it.
    """

    experiment: _experiment.Experiment
    num_devices: int | None = None
    team: Any = None

    def __post_init__(self) -> None:
        available = len(jax.local_devices())
        long = self.experiment.chunk * self.experiment.seconds_per_replicate > COMPILE_SECONDS
        wanted = (available if long else 1) if self.num_devices is None else min(self.num_devices, available)
        fits = int(_memory_budget() // max(1.0, forecast_bytes(self.experiment)))
        self._devices = max(1, min(wanted, fits, self.experiment.chunk // self.experiment.block))

    def chunk(self, prepared: Any, seed: int, stream: int, first: int) -> dict[str, np.ndarray]:
        """Replicates first .. first+chunk-1 as host arrays [chunk, ...].

        Runs on half as many devices after an out-of-memory, with the same numbers.
        Raises: DeviceMemoryError if a single block does not fit.
        """
        if self.team is not None:
            return self.team.draw(self.experiment, prepared, seed, stream, first)
        while True:
            try:
                return draw(self.experiment, prepared, seed, stream, first, self.experiment.chunk, self._devices)
            except jax.errors.JaxRuntimeError as error:
                if "RESOURCE_EXHAUSTED" not in str(error):
                    raise
                if self._devices == 1:
                    raise DeviceMemoryError(
                        f"{self.experiment.check}: one block of {self.experiment.block} replicates does not fit into the memory of "
                        f"{device_kind()}; finished chunks are kept. Ask for a smaller cell."
                    ) from None
                self._devices //= 2


def draw(
    experiment: _experiment.Experiment,
    prepared: Any,
    seed: int,
    stream: int,
    first: int,
    count: int,
    num_devices: int = 1,
    only: slice | None = None,
) -> dict[str, np.ndarray]:
    """`count` replicates from `first` on, a multiple of the experiment's block each; host arrays [count, ...].

    only: these blocks of them, and their replicates alone; there may be none.
    """
    blocks = count // experiment.block
    begin, end = (0, blocks) if only is None else (only.start, only.stop)
    share = max(1, -(-(end - begin) // num_devices))
    program, parts = _program(experiment.simulate), []
    with jax.enable_x64(True) if experiment.x64 else contextlib.nullcontext():
        keys = replicate_keys(seed, stream, first, (blocks, experiment.block))
        for start, device in zip(range(begin, max(end, begin + 1), share), jax.local_devices(), strict=False):
            stop = min(start + share, end)
            mine, cell = jax.device_put((keys, prepared), device)
            parts.append((slice(start, stop), program(mine, np.int32(start), np.int32(stop), cell)))  # returns at once
        host = [{name: np.asarray(a)[rows] for name, a in jax.device_get(drawn).items()} for rows, drawn in parts]
    joined = {name: np.concatenate([part[name] for part in host]) for name in host[0]}
    return {name: a.reshape(-1, *a.shape[2:]) for name, a in joined.items()}


def code_of(paper: str) -> list[Path]:
    """The files that fix a paper's numbers: its theory and its simulators, module or package."""
    files: list[Path] = []
    for package in ("theory", "sims"):
        spec = importlib.util.find_spec(f"{package}.{paper}")
        origin = Path(spec.origin)
        files += sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    return files


def fingerprint(experiment: _experiment.Experiment) -> Mapping[str, Any]:
    """What the numbers depend on; chunks made under another fingerprint are stale."""
    return {
        "code": _code_digest(experiment.claim_id.split(".", 1)[0]),
        "jax": jax.__version__,
        "generator": GENERATOR,
        "x64": experiment.x64,
        "device": device_kind(),
        "block": experiment.block,
        "stream": STREAM,
    }


@functools.cache
def _code_digest(paper: str) -> str:
    return _store.code_fingerprint(code_of(paper))
