"""Every comparison with a peer in one go: `python -m bench [NAME …]` runs the scripts of this folder, one after the other.

Each script is a process of its own, on its own threads, and prints one JSON object with a list "comparisons": what is compared, our
time, the peer's name and time (their ratio is above 1 where we are faster), and what our first call took. A script whose peer is not
installed says so under "skipped". One that compiles is run twice, each time in a fresh process: with nothing compiled, then with the
programs of the first run; the table has the first call of both, and the later calls of the second.
Writes bench/results.json and the table of speed in README.md, and prints the table. Nothing is asserted about time anywhere.

    python -m bench                     # all of them, some minutes, on an idle machine
    python -m bench molrg verification  # some of them; the others keep their last results
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
README = HERE.parent / "README.md"
KEEP_ALL = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
BEGIN, END = "<!-- begin generated: speed -->\n", "<!-- end generated: speed -->"


def scripts() -> list[str]:
    """All scripts but device.py, which compares a GPU with itself and is run alone."""
    return sorted(p.stem for p in HERE.glob("*.py") if not p.stem.startswith("_") and p.stem != "device")


def run(name: str) -> dict[str, Any]:
    """What a script printed at its last run; `ours_fresh_ms` is the first call of its first one. "failed" if it printed no JSON."""
    with tempfile.TemporaryDirectory() as cache:
        fresh = _once(name, cache)
        if not any("ours_first_ms" in c for c in fresh.get("comparisons", ())):
            return fresh
        cached = _once(name, cache)
    for before, after in zip(fresh["comparisons"], cached.get("comparisons", ()), strict=False):
        after["ours_fresh_ms"] = before.get("ours_first_ms")
    return cached


def _once(name: str, cache: str) -> dict[str, Any]:
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": cache, **KEEP_ALL}
    command = [sys.executable, str(HERE / f"{name}.py")]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, env=environment)
    try:
        return json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip() or "nothing was printed").splitlines()[-1]
        return {"failed": last, "comparisons": []}


def _time(ms: float | None) -> str:
    if ms is None:
        return "–"
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"


def table(results: Mapping[str, Any]) -> str:
    """The generated part of README.md."""
    lines = ["| What | Ours | First call | Compiled before | Peer | Peer's time | Ratio | Threads |", "|---|---|---|---|---|---|---|---|"]
    for name in sorted(results["scripts"]):
        report = results["scripts"][name]
        for c in report.get("comparisons", ()):
            ratio = f"{c['peer_ms'] / c['ours_ms']:.3g}" if c["peer_ms"] else "–"
            cells = [c["what"], _time(c["ours_ms"]), _time(c.get("ours_fresh_ms")), _time(c.get("ours_first_ms")), c["peer"]]
            lines.append(f"| {' | '.join([*cells, _time(c['peer_ms']), ratio, str(report.get('threads', '?'))])} |")
        for text in (report.get("skipped"), report.get("failed")):
            if text:
                lines.append(f"| {name} | – | – | – | {text} | – | – | – |")
    start = results["scripts"].get("startup")
    lines += [
        "",
        "Ours and the peer's: medians, in one process on the same threads. First call: in a fresh process, with nothing compiled; "
        f"compiled before: with the programs of an earlier process. {results['machine']}. `python -m bench` makes this table.",
    ]
    if start and "smoke_cold_s" in start:
        lines.append(
            f"The smoke run of all papers takes {start['smoke_cold_s']:.0f} s with nothing compiled, {start['smoke_warm_s']:.0f} s with "
            f"compiled programs, {start['smoke_stored_s']:.0f} s with stored replicates; `--help` {start['help_s']:.2f} s, `list` "
            f"{start['list_s']:.2f} s."
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(scripts())}; default: all")
    names = parser.parse_args().names or scripts()
    unknown = sorted(set(names) - set(scripts()))
    if unknown:
        parser.error(f"nothing is called {', '.join(unknown)}; there are {', '.join(scripts())}")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"scripts": {}}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    results["machine"] = f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"
    for name in names:
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        results["scripts"][name] = run(name)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    made = table(results)
    text = README.read_text(encoding="utf-8")
    if BEGIN in text and END in text:
        head, rest = text.split(BEGIN, 1)
        README.write_text(head + BEGIN + made + END + rest.split(END, 1)[1], encoding="utf-8")
    print(made)
    return 1 if any("failed" in results["scripts"][name] for name in names) else 0


if __name__ == "__main__":
    sys.exit(main())
