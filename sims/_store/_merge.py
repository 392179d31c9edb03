"""One store made of several: the shards of a job array."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sims._store import _cells, _files, _records

__all__ = ["merge"]


def merge(sources: Sequence[Path], out: Path, say: Callable[[str], None]) -> tuple[int, int]:
    """Copies finished chunks and attempts of the `sources` into `out`; returns how many cells it saw and chunks it copied.

    Sources are read, never written. A chunk counts if it passes every test of the store; a damaged one is named and left behind.
    What is in `out` already stays. Summaries are not copied: a run on `out` judges everything anew and draws nothing that is there.

    Raises: StoreError if a source cannot be read, `out` cannot be written, or the same cell was drawn by other code or versions in
      two of the folders; nothing is mixed.
    """
    cells = chunks = 0
    for source in sources:
        if not source.is_dir():
            raise _files.StoreError(f"Could not merge {source}: there is no such folder.")
        if source.resolve() == out.resolve():
            raise _files.StoreError(f"Could not merge {source} into itself.")
        for cell in sorted(p for p in source.glob("*/*/*") if p.is_dir() and p.relative_to(source).parts[0] != "summaries"):
            target = out / cell.relative_to(source)
            for folder in sorted(cell.glob("seed=*")):
                if (folder / "cell.json").is_file() and ".stale-" not in folder.name:
                    cells += 1
                    chunks += _cells.copy_cell(folder, target / folder.name, say)
            if os.path.lexists(cell / "attempts.jsonl"):
                _records.copy_attempts(cell / "attempts.jsonl", target / "attempts.jsonl", say)
    return cells, chunks
