"""Papers from a folder of one's own: the example of the guide, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sims
from theory import _claims

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120


def python(*words):
    done = subprocess.run([sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(autouse=True)
def compiled(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "compiled"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


@pytest.mark.slow  # a pytest inside a pytest
def test_the_examples_own_tests_pass():
    done = python("pytest", "-q", "-n", "0", "examples/tests")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_an_example_is_listed_shown_asked_and_drawn_and_the_ledger_does_not_know_it(tmp_path):
    listed = python("sims", "list", "jl", "--plugin", "examples")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "theory/jl.py:" in listed.stdout
    assert "tests/test_jl.py:" in listed.stdout
    run = python("sims", "--plugin", "examples", "run", "jl.norm", "--out", tmp_path)
    assert run.returncode == 0, run.stderr
    assert "1 SUPPORTED" in run.stdout
    assert "jl.norm   SUPPORTED" in python("sims", "show", "jl.norm", "--preset", "smoke", "--out", tmp_path, "--plugin", "examples").stdout
    drawn = python("figures", "jl", "--plugin", "examples", "--run", tmp_path, "--out", tmp_path / "png")
    assert (tmp_path / "png" / "jl.distortion.png").stat().st_size > 10_000, drawn.stderr
    assert python("sims", "ledger", "--check", "--plugin", "examples").stdout == python("sims", "ledger", "--check").stdout
    unknown = python("sims", "run", "jl.norm")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("sims: no paper or claim is called 'jl.norm'")


def test_a_folder_that_holds_no_papers_or_a_taken_name_is_refused(tmp_path):
    before = _claims.roots()
    with pytest.raises(ValueError, match="must hold the folders theory/ and sims/, got none called theory or sims"):
        sims.use_plugin(tmp_path)
    for package in ("theory", "sims"):
        os.makedirs(tmp_path / package)
        (tmp_path / package / "adaptive.py").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="holds theory/adaptive, a name that is taken"):
        sims.use_plugin(tmp_path)
    assert _claims.roots() == before
    refused = python("sims", "--plugin", tmp_path, "list")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("sims: plugin: ")
    assert refused.stderr.count("\n") == 1
