"""Several processes draw, one judges: `run --distributed` on top of jax.distributed.

Process 0 runs the command as ever; it alone reads and writes the store and prints. The others wait for orders: which cell, which
replicates. Every process then draws its share of the blocks of that chunk on its own devices, and the shares are gathered. The
replicates are those of a single process, bit for bit: a replicate's key and a block's program depend on neither.

An order is four numbers, (what, stream, seed, first replicate): a cell's number in the random stream names it, and every process
knows the cells of the same command line.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from sims import _runner
from sims._experiment import Experiment

__all__ = ["LostProcessError", "Team", "join"]

_STOP, _DRAW = 0, 1
_PATIENCE = 60  # seconds for processes to find each other
_HEARTBEAT = 20  # seconds after which a silent process counts as lost
_FAREWELL = 0.5  # seconds


class LostProcessError(RuntimeError):
    """Another process of the run has gone; one sentence."""


def join() -> Team:
    """Joins the processes of this run, found by JAX on SLURM, Open MPI, Kubernetes and TPU pods, or named in the environment.

    The environment names them with JAX_COORDINATOR_ADDRESS (host:port), JAX_NUM_PROCESSES and JAX_PROCESS_ID.
    Must come before anything else uses JAX's devices.

    Raises: ValueError if they are neither found nor named; LostProcessError if they do not find each other.
    """
    names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
    given = {name: os.environ[name] for name in names if name in os.environ}
    if given and len(given) < len(names):
        raise ValueError(f"--distributed: the environment must set all of {', '.join(names)}, or none; it sets {', '.join(given)}.")
    numbers: tuple[int | None, int | None] = (None, None)
    if given:
        if not all(given[name].isdigit() for name in names[1:]) or not 0 <= int(given[names[2]]) < int(given[names[1]]):
            raise ValueError(
                f"--distributed: {names[2]} must be an integer from 0 to {names[1]} - 1, got {given[names[2]]!r} of {given[names[1]]!r}."
            )
        numbers = (int(given[names[1]]), int(given[names[2]]))
    # A lost process is an error that can be told in a sentence, instead of an abort of all.
    jax.config.update("jax_enable_recoverability", True)
    try:
        with _stdout_to_stderr():  # what the libraries below say of their connections is no result
            jax.distributed.initialize(
                given.get(names[0]), *numbers, initialization_timeout=_PATIENCE, heartbeat_timeout_seconds=_HEARTBEAT
            )
            multihost_utils.sync_global_devices("joined")
    except (ValueError, TypeError) as error:
        raise ValueError(f"--distributed: no processes were found ({error}); set {', '.join(names)}, or start under SLURM.") from None
    except RuntimeError as error:
        raise LostProcessError(f"the processes did not find each other: {str(error).splitlines()[0]}") from None
    return Team(jax.process_index(), jax.process_count())


class Team:
    """The processes of one run, seen from one of them.

    rank: this process's number; 0 leads. size: how many there are.
    """

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def draw(self, experiment: Experiment, prepared: Any, seed: int, stream: int, first: int) -> dict[str, np.ndarray]:
        """Process 0: one chunk, drawn by all processes. Host arrays [chunk, ...]. Raises: LostProcessError."""
        self._order(_DRAW, stream, seed, first)
        return self._shared(experiment, prepared, seed, stream, first)

    def release(self) -> None:
        """Process 0: sends the others home. Raises: LostProcessError."""
        self._order(_STOP, 0, 0, 0)
        time.sleep(_FAREWELL)  # JAX aborts a process that outlives its coordinator, which is this one

    def serve(self, cells: Mapping[int, tuple[Experiment, Any]]) -> None:
        """The other processes: carry out orders until released. cells: by number in the random stream. Raises: LostProcessError."""
        prepared: dict[int, Any] = {}
        while True:
            what, stream, seed, first = self._order(_STOP, 0, 0, 0)
            if what == _STOP:
                return
            experiment, cell = cells[stream]
            if stream not in prepared:
                prepared = {stream: _runner.prepared_for(experiment, cell)}
            self._shared(experiment, prepared[stream], seed, stream, first)

    def _order(self, *order: int) -> Sequence[int]:
        with _together():
            sent = multihost_utils.broadcast_one_to_all(np.array(order, dtype=np.uint32), is_source=self.leads)
            return [int(v) for v in sent]

    def _shared(self, experiment: Experiment, prepared: Any, seed: int, stream: int, first: int) -> dict[str, np.ndarray]:
        experiment = _runner.for_device(experiment)
        blocks = experiment.chunk // experiment.block
        share = -(-blocks // self.size)
        start = min(self.rank * share, blocks)
        num_devices, only = len(_runner.devices_for(experiment)), slice(start, min(start + share, blocks))
        mine = _runner.draw(experiment, prepared, seed, stream, first, experiment.chunk, num_devices, only)
        gathered = {}
        for name, a in sorted(mine.items()):
            # Bytes travel, not numbers: nothing is rounded, whatever the dtype.
            row = int(a[:1].nbytes) if len(a) else int(np.prod(a.shape[1:], dtype=int)) * a.dtype.itemsize
            sent = np.zeros((share * experiment.block, row), np.uint8)
            sent[: len(a)] = np.ascontiguousarray(a).view(np.uint8).reshape(len(a), row)
            with _together():
                received = np.asarray(multihost_utils.process_allgather(sent)).reshape(-1, row)[: experiment.chunk]
            gathered[name] = np.ascontiguousarray(received).view(a.dtype).reshape(experiment.chunk, *a.shape[1:])
        return gathered


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """Around what all processes do at once: an error there means that one of them is gone."""
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:  # which of the two depends on the collective
        raise LostProcessError(f"another process of this run has gone ({str(error).splitlines()[0][:120]})") from None


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Also for what is written below Python."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
