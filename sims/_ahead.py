"""More hands for a run: other processes draw its cells from the end while this one judges from the beginning.

They share one folder of results, as any two runs may: a helper's chunks are those that this process would draw, and are read where it
gets to them. A helper judges nothing, says nothing, and ends with the process that started it, however that one ends.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

__all__ = ["FEW", "MOST", "devices_each", "end_with_parent", "free_bytes", "hands", "helpers"]

FEW = 4  # so many claims are done before a helper has started
MOST = 8
BYTES_EACH = 2e9  # the default preset of a paper takes .6 to 1.4 GB a process


def hands(asked: int | None, num_claims: int, preset: str) -> int:
    """How many processes work: what was asked for; by itself one a core on many claims of the smoke or default preset, else one.

    Compiling, tracing and most draws use one core a process. The gpu preset's draws fill the cores from within, by devices and
    threads. The number of threads stays as it is in every process: the last bits of a sum can depend on it.
    """
    if asked or preset == "gpu" or num_claims <= FEW:
        return asked or 1
    return int(max(1, min(os.cpu_count() or 1, MOST, free_bytes() // BYTES_EACH)))


def free_bytes() -> float:
    """Of the host's memory; inf where nobody says."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # macOS does not say
        return float(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    return math.inf


def devices_each(num_hands: int) -> int:
    """CPU devices of each process, so that all of them together have one a core."""
    return max(1, (os.cpu_count() or 1) // num_hands)


@contextlib.contextmanager
def helpers(words: Sequence[str], count: int) -> Iterator[None]:
    """Runs `count` helpers of the command line `words` inside the block."""
    command = [sys.executable, "-m", "sims", *words]
    started = []
    try:
        for i in range(1, count + 1):
            started.append(
                subprocess.Popen(
                    [*command, "--ahead", f"{i}/{count}"],
                    stdin=subprocess.PIPE,  # its end of file says that this process is gone
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # an interrupt is ours to handle
                )
            )
        yield
    finally:
        for process in started:
            process.kill()  # costs at most a running chunk
            process.wait()
            process.stdin.close()


def end_with_parent() -> None:
    """In a helper: leaves at once when the process that holds the other end of its standard input is gone."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
