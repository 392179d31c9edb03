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
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sims import _ahead, _experiment, _generator, _programs, _store

__all__ = [
    "STREAM",
    "DeviceMemoryError",
    "Sampler",
    "code_of",
    "compile_for",
    "device_kind",
    "devices_for",
    "draw",
    "for_device",
    "forecast_bytes",
    "peak_bytes",
    "prepared_for",
    "replicate_keys",
]

STREAM = 2  # raised by hand when an edit of this file changes any drawn number; tests/test_engine_runner.py guards it
COMPILE_SECONDS = 0.5  # of a program for one more device, most often from the compilation cache
WIDE_BLOCK = (2.0, 1e9)  # on an accelerator: seconds that a block would take on one core, and bytes
WIDE_CHUNK = (8.0, 0.25)  # likewise: seconds that a chunk would take on one core, and its share of the most replicates
WIDE_EXPLORED = 200.0  # seconds that a chunk of an exploratory experiment would take on one core: what a lost run may lose


class DeviceMemoryError(RuntimeError):
    """One block of replicates does not fit into the device's memory."""


def devices_for(experiment: _experiment.Experiment) -> Sequence[jax.Device]:
    """The devices of this process that it is drawn on: JAX's default ones, or the host's CPU ones if it is declared for them."""
    if experiment.host:
        with contextlib.suppress(RuntimeError):  # JAX_PLATFORMS leaves no CPU
            return jax.local_devices(backend="cpu")
    return jax.local_devices()


def device_kind(experiment: _experiment.Experiment | None = None) -> str:
    """What the numbers are made on, of an experiment or by default: "cpu", "gpu NVIDIA H100 80GB HBM3", ..."""
    device = jax.devices()[0] if experiment is None else devices_for(experiment)[0]
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


def for_device(experiment: _experiment.Experiment, platform: str | None = None) -> _experiment.Experiment:
    """The experiment with the block and chunk that it has on this kind of device; they are declared for a CPU, whose cache is small.

    An accelerator is filled by thousands of threads and waits for every launch, so there a block is as wide as WIDE_BLOCK
    allows and a chunk as long as WIDE_CHUNK does. A rule of the declared numbers alone: never of the memory that happens to be
    free, nor of the number of devices. The keys, and so the draws, are those of the declared sizes. Idempotent.

    platform: "cpu", "gpu", "tpu"; None: that of its devices.
    """
    if experiment.simulate is None or (platform or devices_for(experiment)[0].platform) == "cpu":
        return experiment
    chunk, most = experiment.chunk, max(experiment.max_replicates.values(), default=0)
    widest = WIDE_BLOCK[1] / experiment.bytes_per_replicate
    if experiment.exploratory:  # all replicates are drawn, whatever they show
        chunk *= max(1, min(-(-most // chunk), int(WIDE_EXPLORED / (chunk * experiment.seconds_per_replicate))))
    else:
        widest = min(widest, WIDE_BLOCK[0] / experiment.seconds_per_replicate)
        while 2 * chunk <= WIDE_CHUNK[1] * most and 2 * chunk * experiment.seconds_per_replicate <= WIDE_CHUNK[0]:
            chunk *= 2
    block = next((chunk // parts for parts in range(1, chunk) if chunk % parts == 0 and chunk // parts <= widest), 1)
    return dataclasses.replace(experiment, chunk=chunk, block=max(block, experiment.block))


@functools.partial(jax.jit, static_argnums=3)
def _key_data(seed, stream, first, shape):
    key = jax.random.fold_in(jax.random.key(seed, impl=_generator.FAST), stream)
    index = first + jnp.arange(shape[0] * shape[1], dtype=jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, index)
    return jax.random.key_data(keys).reshape(*shape, -1)


def replicate_keys(seed: int, stream: int, first: int, shape: tuple[int, int]) -> jax.Array:
    """Raw keys of replicates first, first+1, ...: uint32 [shape[0], shape[1], 2].

    Replicate r of a cell has the key fold_in(fold_in(key(seed), stream), r), `stream` being the cell's own number.
    Made afresh for every chunk, outside shard_map: a key depends on nothing but (seed, stream, r).
    """
    return _key_data(np.uint32(seed), np.uint32(stream), np.uint32(first), shape)


def prepared_for(experiment: _experiment.Experiment, cell: Any) -> Any:
    """What `simulate` receives: the cell, or what `prepare` makes of it; floats in the simulator's precision."""
    return _prepared(experiment.prepare, cell, np.float64 if experiment.x64 else np.float32)


@functools.lru_cache(maxsize=256)  # asked for twice: to compile ahead, and to draw
def _prepared(prepare: Callable[[Any], Any] | None, cell: Any, real: type) -> Any:
    prepared = cell if prepare is None else prepare(cell)
    _experiment.register(type(prepared))

    def leaf(v: Any) -> np.ndarray:
        v = np.asarray(v)
        return v.astype(real) if v.dtype.kind == "f" else v

    return jax.tree.map(leaf, prepared)


def forecast_bytes(experiment: _experiment.Experiment, num_devices: int = 1) -> float:
    """Working memory of a run: one block at a time on every device."""
    return experiment.bytes_per_replicate * experiment.block * num_devices


def _memory_budget(device: jax.Device) -> float:
    """Bytes that one run may take: of the device, or half of what the host has free."""
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return 0.8 * stats["bytes_limit"]
    free = _ahead.free_bytes()
    return 0.5 * free if math.isfinite(free) else 2e9


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
        devices = devices_for(self.experiment)
        available = len(devices)
        long = self.experiment.chunk * self.experiment.seconds_per_replicate > COMPILE_SECONDS
        wanted = (available if long else 1) if self.num_devices is None else min(self.num_devices, available)
        fits = int(_memory_budget(devices[0]) // max(1.0, forecast_bytes(self.experiment)))
        self._devices = max(1, min(wanted, fits, self.experiment.chunk // self.experiment.block))

    @property
    def devices(self) -> Sequence[jax.Device]:
        """Those that a chunk is drawn on."""
        return devices_for(self.experiment)[: self._devices]

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
                        f"{device_kind(self.experiment)}; finished chunks are kept. Ask for a smaller cell."
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
    parts = []
    with _precision(experiment):
        keys = replicate_keys(seed, stream, first, (blocks, experiment.block))
        for start, device in zip(range(begin, max(end, begin + 1), share), devices_for(experiment), strict=False):
            stop = min(start + share, end)
            mine, cell = jax.device_put((keys, prepared), device)
            parts.append((slice(start, stop), _programs.call(experiment.simulate, mine, start, stop, cell, device)))  # returns at once
        host = [{name: np.asarray(a)[rows] for name, a in jax.device_get(drawn).items()} for rows, drawn in parts]
    joined = {name: np.concatenate([part[name] for part in host]) for name in host[0]}
    return {name: a.reshape(-1, *a.shape[2:]) for name, a in joined.items()}


def compile_for(experiment: _experiment.Experiment, cell: Any, num_devices: int | None = None) -> None:
    """Compiles what drawing a chunk of this cell is going to run, unless that is done or under way. Arguments as of `Sampler`."""
    experiment = for_device(experiment)
    shape = (experiment.chunk // experiment.block, experiment.block)
    with _precision(experiment):
        keys, prepared = replicate_keys(0, 0, 0, shape), prepared_for(experiment, cell)
        for device in Sampler(experiment, num_devices).devices:
            _programs.compile_now(experiment.simulate, *jax.device_put((keys, prepared), device), device)


def _precision(experiment: _experiment.Experiment) -> contextlib.AbstractContextManager[Any]:
    return jax.enable_x64(True) if experiment.x64 else contextlib.nullcontext()


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
        "generator": _generator.WRITTEN_OUT if device_kind(experiment) == "cpu" else _generator.NAME,
        "x64": experiment.x64,
        "device": device_kind(experiment),
        "block": for_device(experiment).block,
        "stream": STREAM,
    }


@functools.cache
def _code_digest(paper: str) -> str:
    return _store.code_fingerprint(code_of(paper))
