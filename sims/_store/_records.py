"""Attempts, which are only ever appended to, and summaries, which a rerun replaces."""

from __future__ import annotations

import datetime
import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sims._store import _documents, _files

__all__ = [
    "close_attempt",
    "copy_attempts",
    "count_attempts",
    "iter_summaries",
    "open_attempt",
    "read_attempts",
    "read_summary",
    "write_summary",
]

Say = Callable[[str], None]


def _say_on_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def read_attempts(
    out: Path,
    claim: str,
    experiment: str,
    cell_id: str,
    say: Say = _say_on_stderr,
) -> list[dict[str, Any]]:
    """All lines of a decision's attempts, oldest first. A damaged line is skipped with a notice. Raises: StoreError."""
    path = _attempts_path(out, claim, experiment, cell_id)
    with _files.explained("read", path):
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
    records = []
    for number, line in enumerate(lines, 1):
        if line:
            try:
                record = _documents.unseal(line + b"\n", None)
                records.append({**record, "seed": int(record["seed"]), "fingerprint": str(record["fingerprint"])})
            except Exception as error:
                reason = _files.blame(error)
                say(f"{path}: line {number} is damaged ({reason}) and skipped; the count of attempts may be too low.")
    return records


def open_attempt(out: Path, claim: str, experiment: str, cell_id: str, entry: Mapping[str, Any]) -> None:
    """Records, before the first replicate, that a decision is about to be tried.

    entry: holds at least "seed", "preset" and "fingerprint" (the attempt's: code, bound, margin, window, range,
      max_replicates). An attempt with the same three is recorded once, however often it is resumed.
    Raises: KeyError if one of the three is missing; TypeError as `to_json`; StoreError.
    """
    _append((out, claim, experiment, cell_id), entry, {**entry, "event": "open"}, same=("event",))


def close_attempt(
    out: Path,
    claim: str,
    experiment: str,
    cell_id: str,
    entry: Mapping[str, Any],
    *,
    verdict: Any,
    r_star: int | None,
    low: float,
    high: float,
) -> None:
    """Records how the attempt opened with `entry` ended; an ending that is already there is not repeated.

    Raises: as `open_attempt`.
    """
    ending = {"event": "close", "verdict": verdict, "r_star": r_star, "low": low, "high": high}
    _append((out, claim, experiment, cell_id), entry, ending, same=tuple(ending))


def count_attempts(
    out: Path,
    claim: str,
    experiment: str,
    cell_id: str,
    fingerprint: str,
    say: Say = _say_on_stderr,
) -> int:
    """How many distinct root seeds were tried under an attempt's fingerprint, interrupted attempts included.

    Raises: StoreError.
    """
    records = read_attempts(out, claim, experiment, cell_id, say)
    return len({record["seed"] for record in records if record["fingerprint"] == fingerprint})


def _attempts_path(out: Path, claim: str, experiment: str, cell_id: str) -> Path:
    return Path(out, *map(_files.folder_name, (claim, experiment, cell_id)), "attempts.jsonl")


def copy_attempts(source: Path, target: Path, say: Say) -> None:
    """Appends those lines of another store's attempts that are not there yet; a damaged one is named and left. Raises: StoreError."""
    with _files.explained("read", source):
        lines = source.read_bytes().splitlines(keepends=True)
    with _files.explained("read", target):
        known = set(target.read_bytes().splitlines(keepends=True)) if target.exists() else set()
    for number, line in enumerate(lines, 1):
        if line in known:
            continue
        try:
            _documents.unseal(line, None)
        except Exception as error:
            say(f"{source}: line {number} is damaged ({_files.blame(error)}) and not merged.")
            continue
        _append_line(target, line)


def _append(
    where: tuple[Path, str, str, str],
    entry: Mapping[str, Any],
    record: Mapping[str, Any],
    same: tuple[str, ...],
) -> None:
    who = {key: entry[key] for key in ("seed", "preset", "fingerprint")}
    _, claim, experiment, cell_id = where
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record = {"time": now, **record, "claim": claim, "experiment": experiment, "cell": cell_id, **who}
    identity = [record[key] for key in (*who, *same)]
    for old in read_attempts(*where, say=lambda sentence: None):  # count_attempts gives notice of damage
        if _documents.digest([old.get(key) for key in (*who, *same)]) == _documents.digest(identity):  # nan is nan here
            return
    _append_line(_attempts_path(*where), _documents.seal(record, None))


def _append_line(path: Path, line: bytes) -> None:
    """One sealed line, whole and on disk when this returns. Raises: StoreError."""
    _files.make_folder(path.parent)
    with _files.explained("append to", path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":  # a torn line must not swallow this one
                line = b"\n" + line
            if os.write(fd, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(fd)
        finally:
            os.close(fd)
        if not size:
            _files.sync_folder(path.parent)


def write_summary(out: Path, preset: str, seed: int, claim: str, summary: Mapping[str, Any]) -> None:
    """Stores a claim's summary in one step, replacing an older one. Raises: StoreError; TypeError as `to_json`."""
    data = _documents.seal({"claim": claim, "preset": preset, "seed": seed, "summary": summary})
    folder = _summaries(out, preset, seed)
    _files.make_folder(folder)
    _files.sweep(folder)
    _files.write_atomic(folder / f"{_files.folder_name(claim)}.json", data)


def read_summary(path: Path) -> dict[str, Any]:
    """The summary stored at `path`. Raises: StoreError if it is not there or a bit of it has changed."""
    return _read_summary(Path(path))["summary"]


def iter_summaries(
    out: Path,
    preset: str,
    seed: int,
    say: Say = _say_on_stderr,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(claim, summary) of every stored summary, by claim; a damaged or misplaced one is skipped with a notice.

    Raises: StoreError if the folder cannot be read; one that is not there holds none.
    """
    folder = _summaries(out, preset, seed)
    with _files.explained("list", folder):
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            return
    for path in (folder / name for name in sorted(names) if name.endswith(".json")):
        try:
            content = _read_summary(path)
        except _files.StoreError as error:
            say(str(error))
            continue
        if (content["preset"], content["seed"]) == (preset, seed):
            yield content["claim"], content["summary"]
        else:
            say(f"{path} is the summary of {content['preset']}, seed {content['seed']}, and is skipped here.")


def _summaries(out: Path, preset: str, seed: int) -> Path:
    return Path(out, "summaries", _files.folder_name(preset), f"seed={seed}")


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        content = _documents.unseal(_files.read_bytes(path, _files.MAX_JSON_BYTES))
        if set(content) != {"claim", "preset", "seed", "summary"}:
            raise ValueError("it is no summary")
    except Exception as error:
        trouble = f"Could not read the summary {path}: {_files.blame(error)}"
        raise _files.StoreError(trouble, "finished chunks are intact and a rerun writes it again") from error
    return content
