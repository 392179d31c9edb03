"""The command line end to end: lists, shows, runs, answers, refusals, exit statuses, the ledger; documented fields are those printed.

Commands run in this process wherever no property of a process is at stake; tests/test_engine_cli_processes.py has the
rest. One smoke run of a paper serves every test that reads results. Sampled verdicts err with probability 1e-6 each.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sims import _decide, _experiment, _ledger, _runner, _verdicts
from sims.__main__ import main
from theory import _claims

ROOT = Path(__file__).resolve().parents[1]
PAPER = "adaptive"
CORE = ("adaptive.naive", "adaptive.split", "adaptive.thm6", "adaptive.bias_pure", "adaptive.thm25")  # every part of the engine


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def rows(self):
        return json.loads(self.out)

    @property
    def last(self):
        return self.err.strip().splitlines()[-1]


def call(*words):
    """One command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(w) for w in words])
        except SystemExit as stop:  # argparse
            status = stop.code
    return Answer(status, out.getvalue(), err.getvalue())


def elsewhere(*words):
    """One command in a process of its own, which says what it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "sims", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")}
    return done, imported


def documented(heading):
    """The fields in the first column of the table below a line of docs/commands.md that starts with `heading`."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    (start,) = [m.end() for m in re.finditer(rf"^{re.escape(heading)}", text, re.MULTILINE)]
    table = re.search(r"(?:^\|.*\n)+", text[start:], re.MULTILINE)[0]
    return [field for line in table.splitlines()[2:] for field in re.findall(r"`([^`]+)`", line.split("|")[1])]


def files_of(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def is_one_sentence(line):
    """A refusal as a person sees it: one line that ends where it says what came or what to do."""
    return line.startswith(("sims: ", "python -m sims ")) and "\n" not in line and "Traceback" not in line


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory):
    """With a folder for compiled programs in the environment the command line leaves JAX's settings as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "compiled"))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """One smoke run of five claims: its folder, its text with every cell, and its rows."""
    out = tmp_path_factory.mktemp("smoke")
    text = call("run", *CORE, "-v", "--out", out)
    return out, text, call("run", *CORE, "--json", "--out", out)


@pytest.fixture
def no_draws(monkeypatch):
    """Any draw, hence any compilation of a simulator, fails the test."""

    def fails(*args, **kwargs):
        raise AssertionError("something was drawn")

    monkeypatch.setattr(_runner, "draw", fails)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of what the ledger reads and writes, put in the place of this checkout."""
    root = tmp_path / "checkout"
    (root / "figures").mkdir(parents=True)
    shutil.copytree(ROOT / "figures" / "data", root / "figures" / "data")
    for name in ("README.md", "paper_checks.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    monkeypatch.setattr(_ledger, "_ROOT", root)
    _ledger.summaries.cache_clear()
    yield root
    _ledger.summaries.cache_clear()


def data_of(root):
    return root / "figures" / "data" / f"{PAPER}.json"


# ---- what is imported


@pytest.mark.parametrize("words", [("--help",), ("run", "--help")])
def test_help_imports_nothing_heavy(words):
    done, imported = elsewhere(*words)
    assert done.returncode == 0
    assert not imported & {"jax", "jaxlib", "scipy", "matplotlib", "numpy"}
    assert "usage: python -m sims" in done.stdout


@pytest.mark.parametrize("words", [("list",), ("show", "adaptive.thm25"), ("ledger", "--check")])
def test_looking_things_up_imports_no_jax(words):
    done, imported = elsewhere(*words)
    assert done.returncode in (0, 1), done.stderr  # 1: the tables differ, which is not the matter here
    assert done.stdout
    assert not imported & {"jax", "jaxlib", "matplotlib"}


def test_help_explains_the_exit_statuses():
    text = call("--help").out
    for status in ("0 ", "1 ", "2 ", "3 ", "130 "):
        assert re.search(rf"^  {status}", text, re.MULTILINE)


# ---- list and show


def test_list_names_every_claim_with_its_place_and_last_verdict():
    text = call("list").out
    for claim in _claims.claims().values():
        assert claim.id in text
        assert claim.statement in text
    one = call("list", PAPER)
    assert one.status == 0
    assert {line.split()[0] for line in one.out.splitlines() if line.startswith(f"  {PAPER}.")} == {
        c for c, claim in _claims.claims().items() if claim.paper == PAPER
    }


def test_the_fields_of_list_are_those_documented():
    rows = call("list", "--json").rows
    assert [r["id"] for r in rows] == list(_claims.claims())
    for row in rows:
        assert sorted(row) == sorted(documented("`list`, one object a claim"))
        claim = _claims.claims()[row["id"]]
        assert row["relation"] == [c.relation.value for c in claim.checks]
        assert row["experiments"] == list(claim.experiments())
        ledger = _ledger.summaries(claim.paper).get(claim.id)
        assert row["verdict"] == (ledger["verdict"] if ledger else None)


def test_places_are_lines_that_hold_what_they_promise():
    for row in call("list", "--json").rows:
        path, line = row["location"].rsplit(":", 1)
        assert "Claim(" in (ROOT / path).read_text().splitlines()[int(line) - 1]
        for place in row["tests"]:
            path, line = place.rsplit(":", 1)
            assert row["id"] in (ROOT / path).read_text().splitlines()[int(line) - 1]


def test_every_claim_has_a_test_that_is_marked_with_it():
    assert [row["id"] for row in call("list", "--json").rows if not row["tests"]] == []


@pytest.mark.parametrize("name", ["adaptive.thm25", "adaptive.naive"])
def test_show_has_statement_assumptions_formula_constants_and_falsifiers(name):
    claim = _claims.claims()[name]
    text = call("show", name).out
    assert claim.statement in text
    assert claim.source in text
    for check in claim.checks:
        assert check.formula in text
        assert check.provenance.phrase in text
        for assumption in check.assumptions:
            assert f"{assumption.label}: {assumption.text}" in text
        for falsifier in check.falsifiers:
            assert f"{falsifier.name}: {falsifier.breaks}" in text
    assert text.count("constants   explicit") == len(claim.checks)
    if name in _ledger.summaries(claim.paper):
        assert "evidence" in text
        assert f"again: python -m sims run {name} --preset default" in text


def test_show_gives_a_run_of_ones_own_and_says_how_to_make_it(smoke, tmp_path):
    out, _, rows = smoke
    mine = call("show", "adaptive.thm25", "--preset", "smoke", "--out", out)
    assert mine.status == 0
    assert "run: preset smoke, seed 1411" in mine.out
    shown = call("show", "adaptive.thm25", "--preset", "smoke", "--out", out, "--json").rows
    assert [timeless(r) for r in shown] == [timeless(r) for r in rows.rows if r["claim"] == "adaptive.thm25"]
    missing = call("show", "adaptive.thm25", "--preset", "smoke", "--out", tmp_path)
    assert missing.status == 2
    assert "python -m sims run adaptive.thm25 --preset smoke" in missing.last


# ---- run


def timeless(row):
    """A row without the wall time, which may differ between runs that agree."""
    return {k: v for k, v in row.items() if k != "seconds"}


def test_a_smoke_run_supports_every_claim_and_says_so_in_lines_and_a_table(smoke):
    _, text, rows = smoke
    assert (text.status, rows.status) == (0, 0)
    claims = [_claims.claims()[c] for c in CORE]
    for claim in claims:
        assert re.search(rf"^{re.escape(claim.id)} +SUPPORTED ", text.out, re.MULTILINE)
        for check in claim.checks:
            assert re.search(rf"^{re.escape(claim.id)}/{check.name} +SUPPORTED", text.out, re.MULTILINE)
    assert f"{len(claims)} claims: {len(claims)} SUPPORTED" in text.out
    assert text.err.startswith("sims: preset smoke; seed 1411; device ")  # progress is on stderr
    assert "Traceback" not in text.err


def test_verbose_gives_a_line_for_every_cell_and_falsifier(smoke):
    _, text, rows = smoke
    cells = [line for line in text.out.splitlines() if line.startswith("    ")]
    assert len(cells) == len(rows.rows)
    for line, row in zip(cells, rows.rows, strict=True):
        assert line.split()[1] == row["verdict"]
        # The cases of an EXACT check set fields of their own: those of the cell say nothing, the number of cases does.
        assert all(f"{k}=" in line for k in row["cell"]) or (row["method"] == "exact" and f"{row['num_replicates']} cases" in line)


def test_the_fields_of_run_are_those_documented(smoke):
    _, _, rows = smoke
    fields = sorted(documented("`run` and `show`, one object a decision"))
    assert {tuple(sorted(row)) for row in rows.rows} == {tuple(fields)}
    for row in rows.rows:
        claim = _claims.claims()[row["claim"]]
        names = {f.name: f.kind for c in claim.checks for f in c.falsifiers}
        assert row["experiment"] in claim.experiments()
        assert row["falsifier"] is None or row["falsifier"] in names
        assert ("!" in row["experiment"]) == (names.get(row["falsifier"]) == "world")
        assert row["method"] in ("capital", "t", "quantile", "rows", "box", "exact")
        assert row["verdict"] == ("REFUTED" if row["falsifier"] else "SUPPORTED") or row["verdict"] == "VACUOUS" or not row["inside"]
        if row["method"] != "exact" and row["num_replicates"]:
            assert row["level"] == 1e-6
            assert row["attempts"] == 1
            assert set(row["planned"]) == {"median", "p999", "max_replicates", "p_undecided"}
            assert row["low"] <= row["estimate"] <= row["high"]


def test_exact_claims_give_rows_as_documented_and_no_replicates(tmp_path):
    answer = call("run", "adaptive.thm6", "adaptive.bias_pure", "--json", "--out", tmp_path)
    assert answer.status == 0
    fields = sorted(documented("`run` and `show`, one object a decision"))
    assert {tuple(sorted(row)) for row in answer.rows} == {tuple(fields)}
    assert {row["claim"] for row in answer.rows} == {"adaptive.thm6", "adaptive.bias_pure"}
    assert {row["method"] for row in answer.rows} == {"exact"}
    assert sorted(files_of(tmp_path)) == [f"summaries/smoke/seed=1411/adaptive.{c}.json" for c in ("bias_pure", "thm6")]


def test_json_is_strict(smoke, no_draws):
    def refuse(text):
        raise AssertionError(text)

    json.loads(smoke[2].out, parse_constant=refuse)  # no NaN, no Infinity


def test_a_second_run_draws_nothing_and_says_the_same(smoke, no_draws):
    out, text, rows = smoke
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in out.rglob("*") if p.suffix == ".npz" or p.name == "cell.json"}
    assert before
    again = call("run", *CORE, "-v", "--out", out)
    assert again.out == text.out
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in before} == before
    assert set(before) == {p for p in out.rglob("*") if p.suffix == ".npz" or p.name == "cell.json"}
    assert [timeless(r) for r in call("run", *CORE, "--json", "--out", out).rows] == [timeless(r) for r in rows.rows]


def test_files_lie_where_the_documentation_says(smoke):
    out, _, rows = smoke
    sampled = {r["experiment"] for r in rows.rows if r["method"] != "exact" and r["verdict"] != "VACUOUS"}
    for name in sampled:
        experiment = _experiment.experiments()[name]
        for cell in experiment.cells["smoke"]:
            folder = out / experiment.claim_id / experiment.folder / _experiment.cell_id(cell)
            grid = experiment.claim_id == "adaptive.naive" and experiment.check_name == "slope"  # one decision, one file of attempts
            assert grid or (folder / "attempts.jsonl").exists()
            assert (folder / "seed=1411" / "cell.json").exists()
            for chunk in (folder / "seed=1411").glob("*.npz"):
                first, digest = chunk.stem.split("-")
                assert int(first) % experiment.chunk == 0
                assert hashlib.sha256(chunk.read_bytes()).hexdigest().startswith(digest)
    summaries = {p.name for p in (out / "summaries" / "smoke" / "seed=1411").iterdir()}
    assert summaries == {f"{c}.json" for c in CORE}


def test_a_seed_of_ones_own_is_kept_apart(tmp_path):
    rows = call("run", "adaptive.bias_pure", "--json", "--seed", 7, "--out", tmp_path).rows
    assert {r["seed"] for r in rows} == {7}
    assert list(files_of(tmp_path)) == ["summaries/smoke/seed=7/adaptive.bias_pure.json"]


# ---- a cell of one's own


def test_a_cell_is_answered_with_estimate_interval_bound_slack_and_verdict(tmp_path):
    answer = call("run", "adaptive.naive", "--cell", "n=500,m=1000", "--preset", "default", "--out", tmp_path)
    assert answer.status == 0
    assert "level 1e-3 (such an answer is wrong at most once in a thousand times), no part of the ledger" in answer.out
    for word in ("estimate", "interval", "bound", "slack", "verdict"):
        assert len(re.findall(rf"^    {word} ", answer.out, re.MULTILINE)) == 2  # bit by bit, and from the normal limit
    assert answer.out.count("n=500, m=1000, analyst=linear") == 2
    assert answer.out.count("SUPPORTED") == 2
    # Nothing lies where the ledger would look for it.
    assert not (tmp_path / "summaries").exists()


def test_a_cell_can_be_asked_in_json_with_its_own_level(tmp_path):
    (row,) = call("run", "adaptive.split", "--cell", "n=500,m=9,tau=0.2,beta=0.2", "--json", "--out", tmp_path).rows
    assert sorted(row) == sorted(documented("`run` and `show`, one object a decision"))
    assert row["cell"] == {"n": 500, "m": 9, "tau": 0.2, "beta": 0.2}
    assert row["level"] == 1e-3
    assert row["falsifier"] is None


def test_a_cell_outside_the_assumptions_is_answered_and_says_so(tmp_path):
    answer = call("run", "adaptive.split", "--cell", "n=1000", "--out", tmp_path)
    assert answer.status == 0  # a refuted cell outside the assumptions contradicts nothing
    assert "REFUTED" in answer.out
    assert "outside the assumptions: A3 (n >= n_split(m+1, tau, beta))" in answer.out
    (row,) = call("run", "adaptive.split", "--cell", "n=1000", "--json", "--out", tmp_path).rows
    assert row["inside"] is False


@pytest.mark.parametrize(("claim", "cell"), [("adaptive.split", "tau=1e-10"), ("adaptive.thm25", "tau=1e-9")])
def test_an_accuracy_that_no_sample_could_reach_is_outside_the_assumptions(tmp_path, claim, cell):
    # More than 2^63 points would be needed: the theorem says nothing at the sample size given, and is not refuted.
    answer = call("run", claim, "--cell", cell, "--out", tmp_path)
    assert answer.status == 2 or "outside the assumptions: A3" in answer.out


def test_a_cell_that_one_sampler_refuses_is_asked_of_the_other_and_says_so(tmp_path, no_draws):
    answer = call("run", "adaptive.naive", "--cell", "m=1e9", "--dry-run", "--out", tmp_path)
    assert answer.status == 0
    assert "adaptive.naive/lazy n=1000, m=1000000000" in answer.out
    assert "adaptive.naive/full" not in answer.out
    assert "full is not asked: adaptive.naive: m * n * (1 + 16 s) must stay below 2^31" in answer.err


def test_the_plan_of_a_cell_is_printed_and_nothing_drawn(tmp_path, no_draws):
    answer = call("run", "adaptive.thm25", "--cell", "n=583", "--dry-run", "--out", tmp_path)
    assert answer.status == 0
    for guess in ("B/2", "B/4", "0", "1.5B", "2B", "4B"):
        assert f"if the mean is {guess} " in answer.out
    assert "level 1e-03, no part of the ledger" in answer.out
    assert "B is the bound" in answer.out
    assert not files_of(tmp_path)


# ---- refusals


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lst",), "no command or paper 'lst'; did you mean list?"),
        (("adaptve", "search"), "'adaptve'; did you mean adaptive?"),
        (("adaptive", "no-such-command"), "no command 'no-such-command'"),
        (("list", "adaptve"), "no paper is called 'adaptve'; did you mean adaptive?"),
        (("show", "adaptive.thm26"), "no claim is called 'adaptive.thm26'; did you mean adaptive.thm"),
        (("run", "adaptive.nave"), "no paper or claim is called 'adaptive.nave'; did you mean adaptive.naive"),
        (("run", "adaptve"), "no paper or claim is called 'adaptve'; did you mean adaptive"),
        (("run", "adaptive.thm6", "quux"), "no paper or claim is called 'quux'"),
    ],
)
def test_a_mistyped_name_gets_near_matches(words, said, no_draws):
    answer = call(*words)
    assert answer.status == 2
    assert answer.out == ""
    assert said in answer.last
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("claim", "options", "said"),
    [
        ("adaptive.naive", ("--cell", "n=0"), ("n", "positive integers", "n=0")),
        ("adaptive.naive", ("--cell", "n=-5"), ("n", "positive integers", "n=-5")),
        ("adaptive.naive", ("--cell", "n=abc"), ("n", "an integer", "'abc'")),
        ("adaptive.naive", ("--cell", "n=1.5"), ("n", "an integer", "'1.5'")),
        ("adaptive.naive", ("--cell", "n=1e400"), ("n", "an integer", "'1e400'")),
        ("adaptive.naive", ("--cell", "n=nan"), ("n", "an integer", "'nan'")),
        ("adaptive.naive", ("--cell", ""), ("--cell", "at least one field", "nothing")),
        ("adaptive.naive", ("--cell", "n=3000000"), ("n", "2^20", "n=3000000")),
        ("adaptive.naive", ("--cell", "n=2e6"), ("n", "2^20", "n=2000000")),
        ("adaptive.naive", ("--cell", "analyst=quadratic"), ("analyst", "linear, sign", "'quadratic'")),
        ("adaptive.naive", ("--cell", "s=-1"), ("s", ">= 0", "-1.0")),
        ("adaptive.naive", ("--cell", "s=inf"), ("s", "a finite number", "'inf'")),
        ("adaptive.naive", ("--cell", "queries=10"), ("no field 'queries'", "fields are n, m, s (numbers) and analyst (linear, sign)")),
        ("adaptive.naive", ("--cell", "n"), ("n needs a value", "'n'")),
        ("adaptive.naive", ("--cell", "n=1000,n=2000"), ("n is given twice",)),
        ("adaptive.split", ("--cell", "tau=2"), ("tau", "(0, 1)", "2.0")),
        ("adaptive.split", ("--cell", "beta=0"), ("beta", "(0, 1)", "0.0")),
        ("adaptive.split", ("--cell", "n=50"), ("n=50", "m+1=101")),
        ("adaptive.thm25", ("--cell", "B=51"), ("B", "m=50", "51")),
        ("adaptive.thm6", ("--cell", "n=5001"), ("n", "1..5000", "5001")),
        ("adaptive.thm6", ("--cell", "share=0"), ("share", "> 0", "0.0")),
        ("adaptive.bias_pure", ("--cell", "eps=-1"), ("eps", "-1.0")),
        ("adaptive.split", ("--seed", "-1"), ("--seed", "0 to 2147483647", "'-1'")),
        ("adaptive.split", ("--seed", "2147483648"), ("--seed", "0 to 2147483647", "'2147483648'")),
        ("adaptive.split", ("--seed", "1.5"), ("--seed", "integer", "'1.5'")),
        ("adaptive.split", ("--max-replicates", "0"), ("--max-replicates", "positive integer", "'0'")),
        ("adaptive.split", ("--max-replicates", "many"), ("--max-replicates", "positive integer", "'many'")),
        ("adaptive.split", ("--preset", "huge"), ("--preset", "smoke", "default", "gpu", "'huge'")),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry"])
def test_a_bad_parameter_is_refused_in_one_sentence_before_anything_is_drawn(tmp_path, no_draws, claim, options, said, dry):
    answer = call("run", claim, *options, *dry, "--out", tmp_path / "out")
    assert answer.status == 2
    assert answer.out == ""
    assert is_one_sentence(answer.last)
    for part in said:
        assert part in answer.last
    assert "sims: preset" not in answer.err  # nothing is said of a run that does not begin
    assert not (tmp_path / "out").exists()


def test_a_cell_is_asked_of_one_claim(no_draws, tmp_path):
    for names in (("adaptive.split", "adaptive.thm25"), (PAPER,), ()):
        answer = call("run", *names, "--cell", "n=500", "--out", tmp_path)
        assert answer.status == 2
        assert "--cell asks one claim" in answer.last
    assert not files_of(tmp_path)


@pytest.mark.parametrize("claim", ["adaptive.split", "adaptive.bias_pure"])  # sampled, and exact
@pytest.mark.parametrize("below", ["", "folder"])
def test_a_folder_that_cannot_be_written_is_exit_status_3_and_one_sentence(tmp_path, claim, below):
    (tmp_path / "file").write_text("")
    answer = call("run", claim, "--out", tmp_path / "file" / below)
    assert answer.status == 3
    assert is_one_sentence(answer.last)
    assert "Not a directory" in answer.last
    assert str(tmp_path / "file") in answer.last


def test_a_folder_that_cannot_be_read_is_exit_status_3_for_show_and_ledger_too(tmp_path, checkout):
    (tmp_path / "file").write_text("")
    for words in (("show", "adaptive.thm25", "--preset", "smoke"), ("ledger",)):
        answer = call(*words, "--out", tmp_path / "file")
        assert answer.status == 3
        assert is_one_sentence(answer.last)
        assert "resumes" not in answer.err  # nothing is stored there


# ---- dry run


def test_a_dry_run_prints_every_plan_and_draws_nothing(tmp_path, no_draws):
    answer = call("run", *CORE, "--preset", "default", "--dry-run", "--out", tmp_path / "out")
    assert answer.status == 0
    assert not (tmp_path / "out").exists()
    head, *lines = answer.out.splitlines()
    for column in ("median", "99.9 %", "at most", "P(undec.)", "time", "memory"):
        assert column in head
    options = _decide.Options(out=tmp_path, preset="default")
    planned = sampled = judged = 0
    for claim in (_claims.claims()[c] for c in CORE):
        for check in claim.checks:
            own, worlds = _verdicts.decisions_of(claim, check, "default", options)
            judged += len(own)
            for decision in [*own, *(d for ds in worlds.values() for d in ds)]:
                for falsifier in (None, *decision.bound_falsifiers):
                    name = f"{decision.experiment.check}{'!' + falsifier.name if falsifier else ''} "
                    cell = ", ".join(f"{k}={v}" for k, v in decision.cell_of_row().items())
                    (line,) = [text for text in lines if text.startswith(f"{name}{cell} ")]
                    planned += 1
                    if decision.experiment.simulate is not None:
                        sampled += 1
                        plan = _decide.plan_of(check, decision.experiment, decision.cells, falsifier, options)
                        shown = line.removeprefix(f"{name}{cell}").split()
                        assert shown[:3] == [f"{plan[k]:.0f}" for k in ("median", "p999", "max_replicates")]
                        assert float(shown[3]) == pytest.approx(plan["p_undecided"], rel=0.06)
                        assert shown[5] == "s"
                        assert shown[-1] == "MB"
    assert sampled > 20
    assert len([line for line in lines if line.startswith(f"{PAPER}.") and "exploratory" not in line]) == planned
    assert f"{judged} decisions at level 1e-06 each" in lines[-2]


# ---- the ledger


@pytest.mark.parametrize(("ledger", "status"), [("REFUTED", 1), ("SUPPORTED", 0), ("UNDECIDED", 0), (None, 0)])
def test_only_a_verdict_that_contradicts_the_ledger_is_exit_status_1(tmp_path, monkeypatch, ledger, status):
    known = {} if ledger is None else {"adaptive.bias_pure": {"verdict": ledger}}
    monkeypatch.setattr(_ledger, "summaries", lambda paper: known)
    answer = call("run", "adaptive.bias_pure", "--out", tmp_path)
    assert answer.status == status
    assert ("is SUPPORTED here and REFUTED in the ledger" in answer.err) == (status == 1)


def test_an_undecided_run_contradicts_nothing(tmp_path):
    answer = call("run", "adaptive.split", "--max-replicates", 64, "--out", tmp_path)
    assert re.search(r"^adaptive.split +UNDECIDED ", answer.out, re.MULTILINE)
    assert "default decides it in about" in answer.out
    assert answer.status == 0


def test_no_run_writes_into_the_ledger(tmp_path, checkout):
    before = files_of(checkout)
    assert call("run", "adaptive.bias_pure", "--preset", "default", "--out", tmp_path / "out").status == 0
    assert files_of(checkout) == before


def test_the_ledger_agrees_until_a_table_or_a_summary_is_touched(checkout):
    call("ledger", "--out", checkout / "results")
    fine = call("ledger", "--check")
    assert (fine.status, fine.out) == (0, "the tables agree with the summaries\n"), fine.err

    table = checkout / "paper_checks.md"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("| **SUPPORTED**", "| **REFUTED**", 1), encoding="utf-8")
    differs = call("ledger", "--check")
    assert differs.status == 1
    assert f"paper_checks.md: the table of {PAPER} is not what the summaries give" in differs.err
    assert "REFUTED" in table.read_text(encoding="utf-8")  # a check changes nothing
    assert call("ledger", "--out", checkout / "results").status == 0
    assert table.read_text(encoding="utf-8") == text
    assert call("ledger", "--check").status == 0

    readme = checkout / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("| SUPPORTED |", "| PROVEN |", 1), encoding="utf-8")
    assert "README.md: the table of verdicts" in call("ledger", "--check").err


def test_a_missing_summary_fails_the_check_and_a_default_run_brings_it_back(checkout, tmp_path):
    ledger = json.loads(data_of(checkout).read_text(encoding="utf-8"))
    del ledger["claims"]["adaptive.bias_pure"]
    data_of(checkout).write_text(json.dumps(ledger), encoding="utf-8")
    _ledger.summaries.cache_clear()
    missing = call("ledger", "--check")
    assert missing.status == 1
    assert "adaptive.bias_pure has no summary; run `python -m sims run adaptive.bias_pure --preset default`" in missing.err

    # Only a default run with the ledger's seed is promoted.
    out = tmp_path / "out"
    for options in ((), ("--preset", "default", "--seed", 7)):
        call("run", "adaptive.bias_pure", *options, "--out", out)
        assert "no default-preset summaries of seed 1411" in call("ledger", "--out", out).out
    assert "adaptive.bias_pure" not in _ledger.summaries(PAPER)
    call("run", "adaptive.bias_pure", "--preset", "default", "--out", out)
    assert f"promoted 1 claim of {PAPER}" in call("ledger", "--out", out).out
    assert _ledger.summaries(PAPER)["adaptive.bias_pure"]["verdict"] == "SUPPORTED"
    assert call("ledger", "--check").status == 0
    order = [c for c in _claims.claims() if c in _ledger.summaries(PAPER)]
    assert list(json.loads(data_of(checkout).read_text(encoding="utf-8"))["claims"]) == order


def test_a_run_with_fewer_replicates_is_not_promoted(checkout, tmp_path):
    call("run", "adaptive.bias_pure", "--preset", "default", "--max-replicates", 5, "--out", tmp_path / "out")
    before = files_of(checkout)
    answer = call("ledger", "--out", tmp_path / "out")
    assert answer.status == 2
    assert "adaptive.bias_pure was run with --max-replicates 5" in answer.last
    assert files_of(checkout) == before


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_what_is_no_checkout_has_no_ledger_to_write(checkout, options):
    for name in ("README.md", "paper_checks.md", "pyproject.toml"):
        (checkout / name).unlink()
    before = files_of(checkout)
    answer = call("ledger", *options, "--out", checkout / "results")
    assert answer.status == 2
    assert is_one_sentence(answer.last)
    assert "checkout" in answer.last
    assert files_of(checkout) == before
    assert call("list").status == 0  # an installed package still knows its verdicts
    assert "SUPPORTED" in call("list").out


def test_a_document_without_a_place_for_a_paper_says_which_lines_to_add(checkout):
    (checkout / "paper_checks.md").write_text("# Paper checks\n", encoding="utf-8")
    answer = call("ledger", "--check")
    assert answer.status == 2
    assert f"<!-- begin generated: {PAPER} -->" in answer.last


def test_a_named_folder_for_compiled_programs_leaves_the_settings_of_jax_alone(tmp_path):
    import jax

    before = dict(jax.config.values)
    assert call("run", "adaptive.bias_pure", "--out", tmp_path).status == 0
    assert dict(jax.config.values) == before
