"""What the scripts share: the same cores for all that is compared, the clock, and the frame of a report."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Timing", "compared", "print_report", "same_cores", "timed"]


def same_cores(threads: int = 1) -> int:
    """Gives this process that many cores and every thread pool as many threads; to be called before NumPy or JAX is imported."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
    for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[pool] = str(threads)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    return threads


class Timing(NamedTuple):
    """ms: median of the calls after the first; first_ms: the first one, with tracing and compiling, or loading what was compiled."""

    first_ms: float
    ms: float
    answers: list[Any]


def timed(run: Callable[[int], Any], calls: int = 5) -> Timing:
    """Times run(0), then run(1), .., run(calls), each of which must block until done; `answers` are those of the later ones."""
    times, answers = [], []
    for i in range(calls + 1):
        start = time.perf_counter()
        answers.append(run(i))
        times.append(1e3 * (time.perf_counter() - start))
    return Timing(times[0], statistics.median(times[1:]), answers[1:])


def compared(what: str, ours: Timing, peer: str, peer_ms: float | None) -> dict[str, Any]:
    """One line of the table of speed."""
    return {"what": what, "ours_ms": ours.ms, "ours_first_ms": ours.first_ms, "peer": peer, "peer_ms": peer_ms}


def print_report(threads: int, comparisons: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Prints the one JSON object that `python -m bench` reads."""
    import jax
    import numpy as np

    versions = {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__}
    print(
        json.dumps({"comparisons": comparisons, **more, "threads": threads, "versions": versions, "machine": platform.machine()}, indent=2)
    )
