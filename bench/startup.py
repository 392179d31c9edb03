"""Start-up and compile times: the commands that should feel instant, and the smoke run cold and warm.

Cold: no compilation cache, no stored replicates. Warm: compiled programs are cached, replicates are not. Stored: both.
`level1` repeats cold with XLA's backend optimization level 1 and says whether the replicates are the same bytes. Every
command is a process of its own; medians of three (cold: of one). Prints one JSON object.

    python bench/startup.py [PAPER|CLAIM …]
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds(*words: str, **environment: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True)
    return time.perf_counter() - start


def median(count: int, *words: str, **environment: str) -> float:
    return round(statistics.median(seconds(*words, **environment) for _ in range(count)), 3)


def digests(out: Path) -> set[str]:
    """Of the replicates' own bytes, chunk by chunk."""
    return {f"{p.relative_to(out).parent.parent}:{hashlib.sha256(p.read_bytes()).hexdigest()}" for p in out.rglob("*.npz")}


def main() -> None:
    names = sys.argv[1:]
    report: dict[str, object] = {
        "help_s": median(3, "-m", "sims", "--help"),
        "list_s": median(3, "-m", "sims", "list"),
        "import_jax_s": median(3, "-c", "import jax"),
    }
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)

        def smoke(out: str, cache: str, **environment: str) -> float:
            run = ("-m", "sims", "run", *names, "--out", str(tmp / out))
            return round(seconds(*run, JAX_COMPILATION_CACHE_DIR=str(tmp / cache), **KEEP_ALL, **environment), 2)

        report["smoke_cold_s"] = smoke("cold", "cache")
        report["smoke_warm_s"] = smoke("warm", "cache")
        report["smoke_stored_s"] = smoke("warm", "cache")
        report["programs"] = len(list((tmp / "cache").glob("*-cache")))
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=1".strip()
        report["level1_cold_s"] = smoke("level1", "cache1", XLA_FLAGS=flags)
        report["level1_same_bytes"] = digests(tmp / "cold") == digests(tmp / "level1")
    report["cpus"] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    report["machine"], report["python"] = platform.machine(), platform.python_version()
    print(json.dumps(report, indent=2))


KEEP_ALL = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}

if __name__ == "__main__":
    main()
