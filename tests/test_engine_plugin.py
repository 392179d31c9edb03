"""Papers from a folder of one's own: the example of the guide, and what is refused."""

import os
import re
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


# ---- a paper of one's own with a mistake in it


@pytest.fixture
def mistaken(tmp_path):
    """Writes the README's paper with a word replaced in one of its files, None: without the file; returns the folder."""

    def write(file, old, new):
        for path, code in re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL):
            if path == f"{file}/hoeffding.py":
                assert old in code
                code = None if new is None else code.replace(old, new)
            (tmp_path / path).parent.mkdir(exist_ok=True)
            if code is not None:
                (tmp_path / path).write_text(code, encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "sims",
            "coins!dependence",
            "coins!twins",
            "no Experiment('hoeffding.mean/coins!dependence'), which theory/hoeffding.py asks",
        ),
        ("sims", "", None, "sims/hoeffding.py is missing: it holds the EXPERIMENTS that the claims of theory/hoeffding.py ask"),
        ("sims", "cell):", "cell)", "sims/hoeffding.py:17: SyntaxError: expected ':'"),
        ("sims", "(mean - 0.5)", "(maen - 0.5)", "/coins at n=20, t=0.3: NameError: name 'maen' is not defined (sims/hoeffding.py:20)"),
        pytest.param(
            "theory",
            "bound(n, t)",
            "bound(n, eps)",
            "deviation_bound (hoeffding.py:10): the cell has no field eps; it has n, t",
            marks=pytest.mark.slow,
        ),
        pytest.param("theory", "PAPER =", "PAPERS =", "theory/hoeffding.py defines no PAPER", marks=pytest.mark.slow),
        pytest.param("theory", 'id="', 'identity="', "theory/hoeffding.py:21: TypeError: ", marks=pytest.mark.slow),
    ],
    ids=["falsifier", "no simulators", "syntax", "name", "bound", "no paper", "argument"],
)
def test_a_mistake_is_one_sentence_that_names_file_and_experiment(mistaken, tmp_path, file, old, new, said):
    done = python("sims", "--plugin", mistaken(file, old, new), "run", "hoeffding", "--out", tmp_path / "results")
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]


def test_without_a_declared_mean_a_dry_run_prints_plans_at_guessed_ones(mistaken):
    done = python("sims", "--plugin", mistaken("sims", "", ""), "run", "hoeffding", "--dry-run")
    assert done.returncode == 0
    for guess in ("B/2", "2B"):
        assert re.search(rf"^    if the mean is {guess} +\d+ +\d+ +4000 ", done.stdout, re.MULTILINE)
    assert "?: no mean is declared (`expected=` of the Experiment)" in done.stdout
    assert "1 decision at level" in done.stdout
    columns = [m.end() for m in re.finditer(r"(?m)^(?:experiment and|hoeffding\.mean/|    if the).*? (?:at most|4000)(?= )", done.stdout)]
    starts = [m.start() for m in re.finditer(r"(?m)^(?:experiment and|hoeffding\.mean/|    if the)", done.stdout)]
    assert len({end - start for start, end in zip(starts, columns, strict=True)}) == 1  # the columns are columns
