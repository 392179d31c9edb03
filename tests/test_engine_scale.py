"""Several processes and job arrays: the same draws and verdicts as one process, one writer, and a lost process ends in a sentence."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sims import _ahead, _store
from sims.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
CLAIM = "adaptive.split"  # cheap, sampled, with a lying world and statistics that are 0 or 1
NAIVE = "adaptive.naive"  # statistics that are no 0 or 1
PATIENCE = 150


@pytest.fixture(autouse=True)
def compiled(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "compiled"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def start(size, *words):
    """The processes of one distributed run, process 0 first."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    processes = []
    for rank in range(size):
        own = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": str(size), "JAX_PROCESS_ID": str(rank), "JAX_NUM_CPU_DEVICES": "1"}
        command = [sys.executable, "-m", "sims", "run", *map(str, words), "--distributed"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, **pipes))
    return processes


def finish(processes):
    """(stdout, stderr, exit status) of each."""
    try:
        return [(*p.communicate(timeout=PATIENCE), p.returncode) for p in processes]
    finally:
        for p in processes:
            p.kill()


def rows(text):
    return [{k: v for k, v in row.items() if k not in ("seconds", "attempts")} for row in json.loads(text)]


def chunks(out):
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*.npz")}


def alone(capsys, out, *words):
    assert main(["run", *words, "--json", "--out", str(out)]) == 0
    return rows(capsys.readouterr().out)


def compare(size, claim, tmp_path, capsys):
    done = finish(start(size, claim, "--json", "--out", tmp_path / "together"))
    assert [status for *_, status in done] == [0] * size, done[0][1]
    assert rows(done[0][0]) == alone(capsys, tmp_path / "alone", claim)
    assert [out for out, *_ in done[1:]] == [""] * (size - 1)
    assert chunks(tmp_path / "together") == chunks(tmp_path / "alone")


def test_two_processes_draw_what_one_draws(tmp_path, capsys):
    compare(2, CLAIM, tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 4])
def test_more_processes_draw_what_one_draws(tmp_path, capsys, size):
    compare(size, NAIVE, tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_process_ends_the_run_in_a_sentence_and_it_resumes(tmp_path, capsys, lost):
    out = tmp_path / "together"
    words = (NAIVE, "--preset", "default", "--json", "--out", out)
    processes = start(2, *words)
    deadline = time.monotonic() + PATIENCE
    while not chunks(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    processes[lost].kill()
    _, said, status = finish(processes)[1 - lost]
    assert status == 3
    assert "Traceback" not in said
    assert re.match("sims: (another process|process 0) of this run has gone", said.splitlines()[-1])
    assert lost == 1 or said.count("\n") == 1
    kept = chunks(out)
    assert kept
    done = finish(start(2, *words))
    assert done[0][-1] == 0
    assert rows(done[0][0]) == alone(capsys, tmp_path / "alone", NAIVE, "--preset", "default")
    assert kept.items() <= chunks(out).items()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"JAX_PROCESS_ID": "0"}, "the environment must set all of"),
        (
            {"JAX_COORDINATOR_ADDRESS": "127.0.0.1:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "2"},
            "JAX_PROCESS_ID must be an integer from 0 to JAX_NUM_PROCESSES - 1, got '2' of '2'",
        ),
    ],
)
def test_processes_that_are_not_named_whole_are_refused(monkeypatch, capsys, tmp_path, given, said):
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert main(["run", CLAIM, "--distributed", "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


# ---- several processes of one machine


@pytest.mark.slow  # two runs in three processes
def test_helpers_draw_ahead_and_the_run_is_the_same(tmp_path, capsys):
    claims = ("adaptive.split", "adaptive.thm25", "adaptive.laplace")
    together = alone(capsys, tmp_path / "jobs", *claims, "--jobs", "2")
    assert together == alone(capsys, tmp_path / "alone", *claims, "--jobs", "1")
    judged = chunks(tmp_path / "alone")
    assert judged.items() <= chunks(tmp_path / "jobs").items()


def test_a_helper_draws_and_ends_with_the_process_that_started_it(tmp_path):
    words = ["run", "adaptive", "--preset", "default", "--out", str(tmp_path), "--jobs", "2", "--ahead", "1/1"]
    command = [sys.executable, "-m", "sims", *words]
    helper = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.rglob("*.npz")):
            assert time.monotonic() < deadline
            assert helper.poll() is None
            time.sleep(0.1)
        helper.stdin.close()
        assert helper.wait(30) == 0
    finally:
        helper.kill()
        helper.wait()
    assert not (tmp_path / "summaries").exists()
    assert not list(tmp_path.rglob("adaptive.naive*"))  # from the last claim back


@pytest.mark.parametrize(
    ("asked", "claims", "preset", "expected"),
    [
        (None, 149, "smoke", 3),
        (None, 4, "smoke", 1),
        (None, 26, "default", 3),
        (None, 149, "gpu", 1),
        (2, 1, "gpu", 2),
        (1, 149, "smoke", 1),
    ],
)
def test_a_run_of_many_claims_has_a_process_a_core(monkeypatch, asked, claims, preset, expected):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(_ahead, "free_bytes", lambda: 8e9)
    assert _ahead.hands(asked, claims, preset) == expected
    assert _ahead.devices_each(expected) == 3 // expected
    monkeypatch.setattr(_ahead, "free_bytes", lambda: 3e9)  # of memory for one of them
    assert _ahead.hands(asked, claims, preset) == (asked or 1)


# ---- job arrays


def test_shares_drawn_apart_and_merged_are_a_single_run(tmp_path, capsys):
    shares = [tmp_path / f"share{i}" for i in (1, 2, 3)]
    drawn = []
    for i, out in enumerate(shares, 1):
        assert main(["run", CLAIM, "adaptive.thm25", "--shard", f"{i}/3", "--out", str(out)]) == 0
        drawn.append(capsys.readouterr().out)
    assert all(said.startswith("drew ") for said in drawn)
    assert not any((out / "summaries").exists() for out in shares)
    before = {out: chunks(out) for out in shares}
    assert main(["merge", *map(str, shares), "--out", str(tmp_path / "all")]) == 0
    assert "new chunks" in capsys.readouterr().out
    assert {out: chunks(out) for out in shares} == before
    merged = chunks(tmp_path / "all")
    assert merged
    together = alone(capsys, tmp_path / "all", CLAIM, "adaptive.thm25")
    assert chunks(tmp_path / "all") == merged  # judging drew nothing
    assert together == alone(capsys, tmp_path / "alone", CLAIM, "adaptive.thm25")
    assert chunks(tmp_path / "alone") == merged
    assert main(["merge", *map(str, shares), "--out", str(tmp_path / "all")]) == 0  # again changes nothing
    assert "0 new chunks" in capsys.readouterr().out
    assert chunks(tmp_path / "all") == merged


def a_store(out, fingerprint="f", first=0, value=1.0):
    import numpy as np

    store = _store.CellStore(out, "p.c", "x", "n=1", 7, fingerprint=fingerprint, about={"code": fingerprint}, chunk=2, say=print)
    store.append(first, {"x": np.array([value, value])})
    _store.open_attempt(out, "p.c", "x", "n=1", {"fingerprint": fingerprint, "seed": 7, "preset": "smoke"})
    return out


def test_a_merge_leaves_damaged_chunks_behind_and_says_so(tmp_path):
    a, b = a_store(tmp_path / "a"), a_store(tmp_path / "b", first=2)
    (chunk,) = b.rglob("*.npz")
    chunk.write_bytes(chunk.read_bytes()[:-1])
    said = []
    assert _store.merge([a, b], tmp_path / "out", said.append) == (2, 1)
    assert len(said) == 1
    assert "bad chunk" in said[0]
    assert chunk.exists()
    assert _store.count_attempts(tmp_path / "out", "p.c", "x", "n=1", "f") == 1


def test_a_merge_mixes_nothing_made_by_other_code_and_refuses_what_is_no_folder(tmp_path):
    a, b = a_store(tmp_path / "a"), a_store(tmp_path / "b", fingerprint="g", first=2)
    with pytest.raises(_store.StoreError, match=r"made differently .*code f -> g.*nothing is mixed"):
        _store.merge([a, b], tmp_path / "out", print)
    assert len(chunks(tmp_path / "out")) == 1
    with pytest.raises(_store.StoreError, match="there is no such folder"):
        _store.merge([tmp_path / "none"], tmp_path / "out", print)
    with pytest.raises(_store.StoreError, match="into itself"):
        _store.merge([a], a, print)
    shutil.rmtree(a)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "1/x"])
def test_a_share_is_one_of_so_many(capsys, shard):
    with pytest.raises(SystemExit) as stop:
        main(["run", CLAIM, "--shard", shard])
    assert stop.value.code == 2
    assert "must be I/N with 1 <= I <= N" in capsys.readouterr().err


def test_a_share_prints_no_rows(capsys):
    assert main(["run", CLAIM, "--shard", "1/2", "--json"]) == 2
    assert "leave out --cell, --dry-run and --json" in capsys.readouterr().err
