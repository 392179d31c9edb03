"""The command line as a process: start-up, interruption and resumption, devices, pipes, two runs at once.

Rows are compared without their wall times; all else must be equal, bit for bit.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
CLAIM = "adaptive.split"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """One compilation cache for all processes of this file, one device unless a test says otherwise."""
    return {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "JAX_NUM_CPU_DEVICES": "1",
    }


def sims(environment, *words, **options):
    return subprocess.run(
        [sys.executable, "-m", "sims", *map(str, words)], cwd=ROOT, env=environment, capture_output=True, text=True, **options
    )


def rows(text):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in json.loads(text)]


def replicates(out):
    """Stored replicates by experiment and cell, joined in order."""
    found = {}
    for path in sorted(out.rglob("*.npz"), key=lambda p: (p.parent, int(p.name.split("-")[0]))):
        with np.load(path) as chunk:
            found.setdefault(str(path.parent.relative_to(out)), []).append(chunk["x"])
    return {name: np.concatenate(parts) for name, parts in found.items()}


@pytest.fixture(scope="module")
def uninterrupted(environment, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    done = sims(environment, "run", CLAIM, "--out", out, "--json", check=True)
    return rows(done.stdout), replicates(out)


def assert_same_as(uninterrupted, text, out):
    assert rows(text) == uninterrupted[0]
    whole, mine = uninterrupted[1], replicates(out)
    assert mine.keys() == whole.keys()
    for name, x in whole.items():
        common = min(len(x), len(mine[name]))
        assert common > 0
        assert np.array_equal(x[:common], mine[name][:common])


def stopped_midway(environment, out, how):
    """Starts a run, sends a signal once its first chunk is on disk; returns the ended process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sims", "run", CLAIM, "--out", str(out)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(out.rglob("*.npz")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(how)
    out_text, err_text = process.communicate(timeout=60)
    return process.returncode, out_text, err_text


def test_ctrl_c_is_exit_status_130_and_the_next_run_resumes_to_the_same_numbers(environment, uninterrupted, tmp_path):
    status, _, err = stopped_midway(environment, tmp_path, signal.SIGINT)
    assert status == 130
    assert "interrupted; finished chunks are kept, run the same command again to resume" in err
    assert "Traceback" not in err
    again = sims(environment, "run", CLAIM, "--out", tmp_path, "--json", check=True)
    assert_same_as(uninterrupted, again.stdout, tmp_path)


def test_after_sigkill_the_next_run_resumes_to_the_same_numbers(environment, uninterrupted, tmp_path):
    status, _, _ = stopped_midway(environment, tmp_path, signal.SIGKILL)
    assert status == -signal.SIGKILL
    again = sims(environment, "run", CLAIM, "--out", tmp_path, "--json", check=True)
    assert_same_as(uninterrupted, again.stdout, tmp_path)


@pytest.mark.parametrize("devices", [2, 4])
def test_rows_do_not_depend_on_the_number_of_devices(environment, uninterrupted, tmp_path, devices):
    done = sims({**environment, "JAX_NUM_CPU_DEVICES": str(devices)}, "run", CLAIM, "--out", tmp_path, "--json", check=True)
    assert_same_as(uninterrupted, done.stdout, tmp_path)


def test_two_runs_on_one_folder_give_the_same_rows(environment, uninterrupted, tmp_path):
    words = [sys.executable, "-m", "sims", "run", CLAIM, "--out", str(tmp_path), "--json"]
    both = [subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        text, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert_same_as(uninterrupted, text, tmp_path)


def test_a_reader_that_leaves_early_is_no_error():
    done = subprocess.run(f"{sys.executable} -m sims list | head -n 1", shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], ("jax", "numpy", "scipy", "matplotlib", "theory")),
        (["list"], ("jax", "matplotlib", "scipy.stats")),
        (["show", "adaptive.thm25"], ("jax", "matplotlib")),
        (["ledger", "--check"], ("jax", "matplotlib")),
    ],
)
def test_commands_that_draw_nothing_import_nothing_heavy(words, absent):
    script = (
        "import sys\nfrom sims import __main__\n"
        f"try:\n    __main__.main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {absent!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_importing_the_library_imports_nothing_heavy():
    script = "import sims, sys; print([m for m in ('jax', 'numpy', 'scipy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
