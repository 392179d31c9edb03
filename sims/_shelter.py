"""A process around a process of a distributed run: JAX aborts the processes whose coordinator, process 0, has gone, with a trace.

The outer process imports nothing of JAX. It keeps what the inner one says on stderr until that ends, and in place of a trace tells the
loss in a sentence. If the outer one is killed, the inner one ends too, so that a lost process is lost.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

__all__ = ["sheltered"]

_RANKS = ("JAX_PROCESS_ID", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")
LOST = 3  # exit status of a run that lost a process


def sheltered(run: Callable[[], int]) -> int:
    """run() in a process of its own, if this is a process other than 0 of a distributed run; else here. The exit status."""
    rank = next((os.environ[name] for name in _RANKS if name in os.environ), "0")
    if rank == "0" or not hasattr(os, "fork"):
        return run()
    said, saying = os.pipe()
    watched, held = os.pipe()  # `held` is closed when the outer process ends, however it ends
    child = os.fork()
    if child == 0:
        os.close(said)
        os.close(held)
        os.dup2(saying, 2)
        os.close(saying)
        threading.Thread(target=_end_with, args=(watched,), daemon=True).start()
        return run()
    os.close(saying)
    os.close(watched)
    heard, status = _heard_until_end(said, child)
    if status == -signal.SIGABRT:
        print("sims: process 0 of this run has gone; finished chunks are kept, run the same command again to resume", file=sys.stderr)
        return LOST
    if status == LOST:  # without what JAX's libraries say of broken connections
        heard = b"".join(line for line in heard.splitlines(keepends=True) if line.startswith(b"sims: "))
    sys.stderr.buffer.write(heard)
    sys.stderr.flush()
    return status if status >= 0 else 128 - status


def _heard_until_end(said: int, child: int) -> tuple[bytes, int]:
    heard = b""
    while True:
        try:
            with os.fdopen(os.dup(said), "rb") as pipe:
                heard += pipe.read()
            return heard, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except KeyboardInterrupt:  # the inner process has it too, and ends
            continue


def _end_with(watched: int) -> None:
    os.read(watched, 1)
    os._exit(LOST)
