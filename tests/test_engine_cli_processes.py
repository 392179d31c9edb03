"""The command line as a process: interrupted, killed, run beside another, on other device counts, its reader or disk gone.

What comes of it is compared, bit for bit, with runs that nobody disturbed. Nothing is asserted about time but that a
command ends within two minutes.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = ("adaptive.split", "adaptive.thm25")  # cheap and sampled; the second compiles after the first has drawn
NAIVE = ("adaptive.naive", "--cell", "n=250,m=250,analyst=sign")  # statistics that are no 0 or 1
PATIENCE = 120

# `python -m sims`, in a process that hears Ctrl-C even if these tests run in the background, where shells turn it off.
MODULE = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module('sims', run_name='__main__')"


def start(*words, **environment):
    """`python -m sims` with its output in pipes."""
    command = [sys.executable, "-c", MODULE, *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, **pipes)


def finish(process):
    """(exit status, stdout, stderr) of a process that ends by itself."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, out, err


def rows(text):
    """Rows of `--json` without what may differ between runs that agree: wall time."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in json.loads(text)]


def chunks(out):
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*.npz")}


def finish_rows(process):
    status, out, err = finish(process)
    assert status == 0, err
    assert "Traceback" not in err
    return rows(out)


def shell(script, *words):
    """`python -m sims` as "$@" of a shell script."""
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "sims", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory):
    """Processes share their compiled programs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "compiled"))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A run that nobody disturbs: its folder and its rows."""
    out = tmp_path_factory.mktemp("calm")
    return out, finish_rows(start("run", *CLAIMS, "--json", "--out", out))


def test_a_run_ended_by_ctrl_c_or_kill_resumes_and_is_bit_equal_to_an_undisturbed_one(calm, tmp_path):
    reference, expected = calm
    whole, drawn = chunks(reference), {}
    # Without stored programs the second claim still has to compile when the first chunk of the first lies there.
    waiting = {how: start("run", *CLAIMS, "--out", tmp_path / how.name, "--no-compile-cache") for how in (signal.SIGINT, signal.SIGKILL)}
    running, deadline = dict(waiting), time.monotonic() + PATIENCE
    while waiting and time.monotonic() < deadline:
        for how, process in list(waiting.items()):
            if next((tmp_path / how.name).rglob("*.npz"), None) or process.poll() is not None:
                process.send_signal(how)
                del waiting[how]
        time.sleep(0.002)
    for how, process in running.items():
        status, _, err = finish(process)
        assert "Traceback" not in err
        if how is signal.SIGINT:
            assert status == 130
            assert err.strip().splitlines()[-1] == "sims: interrupted; finished chunks are kept, run the same command again to resume"
        else:
            assert status == -signal.SIGKILL
        drawn[how] = chunks(tmp_path / how.name)
        assert 0 < len(drawn[how]) < len(whole)

    again = {how: start("run", *CLAIMS, "--json", "--out", tmp_path / how.name) for how in running}
    for how, process in again.items():
        assert finish_rows(process) == expected
        assert chunks(tmp_path / how.name) == whole
        assert drawn[how].items() <= whole.items()  # what was finished was kept


@pytest.mark.slow  # two processes; two writers of a folder are tested without
def test_two_runs_share_a_folder_and_agree(calm, tmp_path):
    reference, expected = calm
    both = [start("run", *CLAIMS, "--json", "--out", tmp_path) for _ in range(2)]
    for process in both:
        assert finish_rows(process) == expected
    assert chunks(tmp_path) == chunks(reference)


@pytest.mark.slow  # a process for each number
def test_the_numbers_do_not_depend_on_the_number_of_devices(tmp_path):
    counts = (1, 2, 8)
    runs = [start("run", *NAIVE, "--json", "--out", tmp_path / str(k), JAX_NUM_CPU_DEVICES=str(k)) for k in counts]
    one, *more = [finish_rows(process) for process in runs]
    assert len(one) == 2
    for rows_of_more in more:
        assert rows_of_more == one
    assert len({tuple(sorted(chunks(tmp_path / str(k)))) for k in counts}) == 1  # a chunk's name has its digest


def test_a_reader_who_has_seen_enough_gets_no_traceback(tmp_path):
    process = start("run", "adaptive.bias_pure", "adaptive.thm6", "--out", tmp_path)
    assert process.stdout.readline().startswith("adaptive.bias_pure")
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(PATIENCE) == 0
    process.stderr.close()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_head_gets_one_line_and_no_traceback():
    done = shell('"$@" | head -1', "list", "--json")
    assert (done.stdout, done.stderr) == ("[\n", "")


@pytest.mark.parametrize("closed", ["<&- 2>&-", ">&-"], ids=["stdin and stderr", "stdout"])
def test_a_closed_stream_does_not_stop_a_run(tmp_path, closed):
    done = shell(f'"$@" {closed}', "run", "adaptive.bias_pure", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "summaries" / "smoke" / "seed=1411" / "adaptive.bias_pure.json").exists()
    assert closed == ">&-" or "1 claim: 1 SUPPORTED" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_below_stdout_is_exit_status_3_and_one_sentence():
    done = shell('"$@" > /dev/full', "list")
    assert "Traceback" not in done.stderr
    assert done.returncode == 3
    assert "No space left on device" in done.stderr.strip().splitlines()[-1]


def test_the_installed_command_and_the_module_are_the_same():
    named = "import sys; sys.argv = ['boundcheck', 'list', '--json']; from sims.__main__ import main; sys.exit(main())"
    (script,) = [line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("boundcheck = ")]
    assert script == 'boundcheck = "sims.__main__:main"'
    done = subprocess.run([sys.executable, "-c", named], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, shell('"$@"', "list", "--json").stdout)
