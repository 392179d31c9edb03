"""The store among kills, rivals and full disks: no finished chunk is lost, and every refusal is one sentence.

These need real processes: this file, run as a script, is that process. It forks from an interpreter with NumPy
alone, since a fork of one that runs JAX is not safe.
"""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_engine_store import (
    CELL,
    CHUNK,
    NEW,
    OLD,
    assert_holds,
    chunk_file,
    draw,
    files_of,
    fill,
    folder_of,
    open_store,
)

from sims import _store

ROOT = Path(__file__).resolve().parents[1]


# ---- in another process: python tests/test_engine_store_processes.py JOB OUT


def child(work, *pipes):
    """Forks; the child runs `work(*pipes)` and ends; returns its pid."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work(*pipes)
            status = 0
        finally:
            os._exit(status)
    return pid


class Notices:
    """Where a child's sentences go: up a pipe, one line each."""

    def __init__(self, fd):
        self.fd = fd

    def append(self, sentence):
        os.write(self.fd, f"!{sentence}\n".encode())


def job_kills(out, num_kills=32, upto=CHUNK * 320):
    """Kills writers of one cell at random moments; tells which chunks they had reported as finished."""
    rng = random.Random(1)
    lines, kills = [], 0

    def write(read_end, write_end):
        os.close(read_end)
        store = open_store(out, Notices(write_end))
        store.load()
        for first in store.missing(upto):
            store.append(first, draw(first))
            os.write(write_end, f"{first}\n".encode())

    while kills < num_kills:
        read_end, write_end = os.pipe()
        pid = child(write, read_end, write_end)
        os.close(write_end)
        with open(read_end) as pipe:
            lines += [pipe.readline() for _ in range(rng.randrange(4))]
            time.sleep(rng.uniform(0, 0.005))
            os.kill(pid, signal.SIGKILL)
            lines += pipe.readlines()
        kills += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        assert "" not in lines, "a writer came to its end"
    return {
        "kills": kills,
        "finished": [int(line) for line in lines if line[0] != "!"],
        "said": [line[1:-1] for line in lines if line[0] == "!"],
    }


def job_pairs(out):
    """Two writers at once, in each of the folders below `out` in turn."""
    return {folder.name: pair(folder) for folder in sorted(out.iterdir())}


def pair(out, upto=CHUNK * 6):
    go_read, go_write = os.pipe()
    read_end, write_end = os.pipe()

    def write():
        os.close(go_write)
        os.read(go_read, 1)
        store = open_store(out, Notices(write_end), NEW)
        store.load()
        for first in range(0, upto, CHUNK):
            if not store.has(first):
                store.append(first, draw(first))
        store.load()

    pids = [child(write) for _ in range(2)]
    os.close(write_end)
    os.close(go_write)  # both wake up
    with open(read_end) as pipe:
        said = [line[1:-1] for line in pipe]
    os.close(go_read)
    return {"status": [os.waitpid(pid, 0)[1] for pid in pids], "said": said}


def job_limit(out):
    """Writes under a limit of the file size; tells what each refusal said."""
    said, refusals = [], []
    store = open_store(out, said)
    path = Path(out, *CELL, "attempts.jsonl")
    entry = {"seed": 1, "preset": "smoke", "fingerprint": OLD}
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, resource.RLIM_INFINITY))
    for refused in (
        lambda: store.append(3 * CHUNK, draw(3 * CHUNK)),
        lambda: _store.write_summary(out, "smoke", 0, CELL[0], {"estimate": [0.5] * 1000}),
        lambda: _store.open_attempt(out, *CELL, entry),
        lambda: open_store(out, said, seed=1, about={"long": "x" * 1000}),
    ):
        try:
            refused()
        except _store.StoreError as error:
            refusals.append(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return {"refusals": refusals, "said": said}


def job_unwritable(out):
    """Reads a cell, and tries to write to it, without the right to."""
    os.chmod(out, 0o755)
    os.chdir(out)  # the way there may be closed to the user who comes next
    open_store(Path(), []).load()  # while Python may still read what it imports on the way
    folder_of(Path()).chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(65534)
    said = []
    store = open_store(Path(), said)
    replicates = len(store.load()["x"])
    try:
        store.append(CHUNK, draw(CHUNK))
    except _store.StoreError as error:
        told = {"replicates": replicates, "said": said, "write": str(error)}
    try:
        open_store(Path(), said, seed=1)
    except _store.StoreError as error:
        return {**told, "lock": str(error)}


def job_imports(out):
    return sorted({"jax", "scipy", "matplotlib"} & set(sys.modules))


def elsewhere(job, out):
    """Runs one of the jobs above in a process of its own; returns what it returned."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OPENBLAS_NUM_THREADS="1")
    command = [sys.executable, __file__, job, str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- kills, rivals, full disks


def test_a_killed_writer_loses_no_finished_chunk_and_resumes_bit_equal(tmp_path):
    told = elsewhere("kills", tmp_path / "killed")
    assert told["kills"] >= 30
    assert told["said"] == []
    assert len(told["finished"]) == len(set(told["finished"])) >= 20  # nothing finished was drawn again

    said = []
    upto = max(told["finished"]) + 2 * CHUNK
    store = open_store(tmp_path / "killed", said)
    assert not set(told["finished"]) & set(store.missing(upto))
    assert not list(folder_of(tmp_path / "killed").glob(".*.tmp"))  # what the dead left was swept
    fill(store, upto)
    assert_holds(store, upto)
    assert said == []

    fill(open_store(tmp_path / "calm", said), upto)
    assert files_of(folder_of(tmp_path / "killed")) == files_of(folder_of(tmp_path / "calm"))


def test_two_writers_share_a_folder(tmp_path):
    bad = {}
    for i in range(8):
        # Half of the folders start stale, half with two bad chunks.
        out = tmp_path / f"{i}"
        fill(open_store(out, [], OLD if i % 2 else NEW), 4 * CHUNK)
        bad[out.name] = [] if i % 2 else [chunk_file(folder_of(out), first) for first in (0, 2 * CHUNK)]
        for path in bad[out.name]:
            path.write_bytes(path.read_bytes()[:-1])
    for name, told in elsewhere("pairs", tmp_path).items():
        assert told["status"] == [0, 0]
        if bad[name]:  # each is named once
            assert sorted(line.split(":")[0] for line in told["said"]) == sorted(map(str, bad[name]))
        else:  # one writer set the folder aside, the other found that done
            assert len(told["said"]) == 1
            assert "stale" in told["said"][0]
        said = []
        assert_holds(open_store(tmp_path / name, said, NEW), 6 * CHUNK)
        assert said == []


def test_a_file_size_limit_is_one_clear_sentence_and_old_results_stay(tmp_path, capsys):
    fill(open_store(tmp_path, []), 3 * CHUNK)
    _store.write_summary(tmp_path, "smoke", 0, CELL[0], {"estimate": 0.25})
    _store.open_attempt(tmp_path, *CELL, {"seed": 0, "preset": "smoke", "fingerprint": OLD})
    before = files_of(folder_of(tmp_path))

    told = elsewhere("limit", tmp_path)
    assert told["said"] == []
    assert len(told["refusals"]) == 4
    for sentence, name in zip(told["refusals"], ["48-", CELL[0] + ".json", "attempts.jsonl", "cell.json"], strict=True):
        assert sentence.startswith("Could not ")
        assert "\n" not in sentence
        assert name in sentence
        assert "finished chunks are intact and a rerun resumes" in sentence
    assert "File too large" in told["refusals"][0]

    assert files_of(folder_of(tmp_path)) == before  # nor a temporary file
    assert_holds(open_store(tmp_path, []), 3 * CHUNK)
    assert [s for _, s in _store.iter_summaries(tmp_path, "smoke", 0)] == [{"estimate": 0.25}]
    # The torn line is skipped, and does not swallow the next one.
    _store.open_attempt(tmp_path, *CELL, {"seed": 2, "preset": "smoke", "fingerprint": OLD})
    assert _store.count_attempts(tmp_path, *CELL, OLD) == 2
    assert "line 2 is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "number"),
    [("write", errno.ENOSPC), ("fsync", errno.EDQUOT), ("replace", errno.EROFS), ("open", errno.EACCES)],
)
def test_a_full_or_unwritable_disk_is_one_clear_sentence(tmp_path, monkeypatch, call, number):
    said = []
    store = open_store(tmp_path, said)
    fill(store, 2 * CHUNK)
    before = files_of(folder_of(tmp_path))
    real = getattr(os, call)

    def fails(*args, **kwargs):
        if call == "open" and not str(args[0]).endswith(".tmp"):
            return real(*args, **kwargs)
        if call == "write" and len(args[1]) > 100:
            return real(args[0], args[1][:100])  # a disk fills in the middle of a file
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        with pytest.raises(_store.StoreError, match=os.strerror(number)) as caught:
            store.append(2 * CHUNK, draw(2 * CHUNK))
    assert "32-" in str(caught.value)
    assert "finished chunks are intact and a rerun resumes" in str(caught.value)
    assert files_of(folder_of(tmp_path)) == before
    fill(store, 3 * CHUNK)
    assert_holds(store, 3 * CHUNK)
    assert said == []


def test_a_file_in_the_place_of_a_folder_is_a_store_error(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(_store.StoreError, match="Not a directory"):
        open_store(tmp_path / "out", [])
    with pytest.raises(_store.StoreError, match="Not a directory"):
        _store.write_json_atomic(tmp_path / "out" / "a.json", {})


def test_an_unwritable_folder_can_be_read_and_is_a_store_error_to_write(tmp_path):
    fill(open_store(tmp_path, []), CHUNK)
    told = elsewhere("unwritable", tmp_path)
    assert told["replicates"] == CHUNK
    assert told["said"] == []
    for action in ("write", "lock"):
        assert told[action].startswith(f"Could not {action} ")
        assert "Permission denied; finished chunks" in told[action]


def test_the_store_needs_neither_jax_nor_scipy(tmp_path):
    assert elsewhere("imports", tmp_path) == []


if __name__ == "__main__":
    print(json.dumps(globals()[f"job_{sys.argv[1]}"](Path(sys.argv[2]))))
