"""The command line in one process: what it prints, refuses, writes and leaves alone; its output agrees with its documentation."""

import json
import re
from pathlib import Path

import pytest

from sims import __main__, _commands, _ledger, _report
from theory import _claims

ROOT = Path(__file__).resolve().parents[1]
EXACT = ("adaptive.thm6", "adaptive.bias_pure")  # the cheapest: nothing is drawn


@pytest.fixture(autouse=True)
def no_global_settings(monkeypatch):
    """The command line sets JAX's compilation cache and device count; these tests share a process with others."""
    monkeypatch.setattr(_commands, "_configure_jax", lambda compile_cache: None)


@pytest.fixture
def run(capsys):
    def command(*words):
        status = __main__.main(list(map(str, words)))
        out, err = capsys.readouterr()
        return status, out, err

    return command


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished smoke run of one sampled and two exact claims, shared."""
    out = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_commands, "_configure_jax", lambda compile_cache: None)
        assert __main__.main(["run", "adaptive.split", *EXACT, "--out", str(out)]) == 0
    return out


def documented(heading):
    """Field names in the table of docs/commands.md that follows a line starting with `heading`."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    table = text.split(heading, 1)[1].split("\n\n")[1]
    return {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])}


# --- list and show


def test_list_names_every_claim_with_its_place(run):
    status, out, _ = run("list")
    assert status == 0
    for claim in _claims.claims().values():
        assert claim.id in out
        assert claim.statement in out
    assert re.search(r"theory/adaptive/\S+\.py:\d+", out)


def test_list_as_json_has_exactly_the_documented_fields(run):
    status, out, _ = run("list", "adaptive", "--json")
    rows = json.loads(out)
    assert status == 0
    assert all(set(row) == documented("`list`, one object a claim:") for row in rows)
    assert [row["id"] for row in rows] == [c for c in _claims.claims() if c.startswith("adaptive.")]
    naive = next(row for row in rows if row["id"] == "adaptive.naive")
    path, line = naive["location"].split(":")
    assert "Claim(" in "".join((ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1 : int(line)])
    assert naive["relation"] == ["EQUAL", "EQUAL", "RATE"]
    assert "adaptive.naive/slope!noisy-answers" in naive["experiments"]


def test_show_says_what_is_promised_assumed_measured_and_would_be_caught(run):
    status, out, _ = run("show", "adaptive.thm25")
    assert status == 0
    for part in (
        "companion, Theorem 25",
        "formula",
        "constants   explicit",
        "assumes     A3",
        "falsifier   n-over-3000",
        "caught",
        "SUPPORTED",
    ):
        assert part in out


def test_show_of_a_run_of_ones_own_reads_that_run(run, done, tmp_path):
    status, out, _ = run("show", "adaptive.split", "--preset", "smoke", "--out", done)
    assert status == 0
    assert "preset smoke" in out
    with pytest.raises(SystemExit):
        run("show", "adaptive.split", "--preset", "huge")
    status, _, err = run("show", "adaptive.split", "--preset", "smoke", "--out", tmp_path)
    assert status == 2
    assert "python -m sims run adaptive.split --preset smoke" in err


# --- run


def test_run_as_json_has_exactly_the_documented_fields(run, done):
    status, out, _ = run("run", "adaptive.split", *EXACT, "--out", done, "--json")
    rows = json.loads(out)
    assert status == 0
    assert all(set(row) == documented("`run` and `show`, one object a decision") for row in rows)
    own = [row for row in rows if row["falsifier"] is None]
    assert {row["verdict"] for row in own} <= {"SUPPORTED", "VACUOUS"}
    assert {row["verdict"] for row in rows if row["falsifier"]} == {"REFUTED"}


def test_a_second_run_draws_nothing_and_says_the_same(run, done):
    before = {p: p.stat().st_mtime_ns for p in done.rglob("*.npz")}
    _, first, _ = run("run", "adaptive.split", "--out", done)
    _, second, _ = run("run", "adaptive.split", "--out", done)
    assert before
    assert first == second
    assert before == {p: p.stat().st_mtime_ns for p in done.rglob("*.npz")}


def test_run_prints_a_line_a_claim_and_with_v_a_line_a_cell(run, done):
    _, short, _ = run("run", "adaptive.split", "--out", done)
    _, long, _ = run("run", "adaptive.split", "--out", done, "-v")
    assert short.startswith("adaptive.split         SUPPORTED")
    assert "1 claims: 1 SUPPORTED" in short
    assert "failure!half-chunk" in long
    assert "failure!half-chunk" not in short


def test_a_users_cell_is_answered_and_kept_out_of_the_ledger(run, tmp_path):
    status, out, _ = run("run", "adaptive.naive", "--cell", "n=500,m=1000", "--out", tmp_path)
    assert status == 0
    for word in ("estimate", "interval", "bound", "slack", "verdict", "level 1e-3, outside the family"):
        assert word in out
    assert not list(tmp_path.rglob("summaries"))
    _, out, _ = run("run", "adaptive.thm25", "--cell", "n=5000", "--out", tmp_path)
    assert "outside the assumptions: A3" in out


def test_dry_run_plans_and_draws_nothing(run, tmp_path):
    status, out, _ = run("run", "adaptive.naive", "--dry-run", "--preset", "default", "--out", tmp_path)
    assert status == 0
    for part in (
        "median",
        "99.9 %",
        "at most",
        "P(undec.)",
        "time",
        "memory",
        "adaptive.naive/full!other-analyst",
        "decisions at level 1e-06",
    ):
        assert part in out
    assert list(tmp_path.iterdir()) == []
    _, out, _ = run("run", "adaptive.split", "--dry-run", "--cell", "m=20,n=3000", "--out", tmp_path)
    assert [f"if the mean is {guess}" in out for guess in ("B/2", "B/4", "0", "1.5B", "2B", "4B")] == [True] * 6


def test_a_contradiction_of_the_ledger_is_exit_status_1(run, done, monkeypatch):
    monkeypatch.setattr(_ledger, "summaries", lambda paper: {"adaptive.split": {"verdict": "REFUTED"}})
    status, _, err = run("run", "adaptive.split", "--out", done)
    assert status == 1
    assert "adaptive.split is SUPPORTED here and REFUTED in the ledger" in err


# --- refusals: one sentence, exit status 2, nothing written, nothing compiled


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("run", "adaptive.thm26"), "did you mean adaptive.thm6, adaptive.thm25"),
        (("run", "adaptiv"), "did you mean adaptive"),
        (("show", "adaptive.nave"), "did you mean adaptive.naive"),
        (("list", "adaptiv"), "did you mean adaptive?"),
        (("rnu", "adaptive"), "did you mean run?"),
        (("adaptive", "certifed"), "no command 'certifed'"),
        (("run", "adaptive", "--cell", "n=5"), "--cell asks one claim"),
        (("run", "adaptive.naive", "--cell", "n=0"), "n and m must be positive integers, got n=0"),
        (("run", "adaptive.naive", "--cell", "n=abc"), "n must be an integer, got 'abc'"),
        (("run", "adaptive.naive", "--cell", "n=2.5"), "n must be an integer, got '2.5'"),
        (("run", "adaptive.naive", "--cell", "q=5"), "fields are n, m, analyst, s (as name=number), got 'q=5'"),
        (("run", "adaptive.naive", "--cell", "n=5,n=6"), "n is given twice"),
        (("run", "adaptive.naive", "--cell", "analyst=lineer"), "analyst must be one of linear, sign, got 'lineer'"),
        (("run", "adaptive.naive", "--cell", "s=-1"), "s must be finite and >= 0, got -1.0"),
        (("run", "adaptive.naive", "--cell", "s=nan"), "s must be a finite number, got 'nan'"),
        (("run", "adaptive.split", "--cell", "beta=1.5"), "beta must lie in (0, 1), got 1.5"),
        (("show", "adaptive.naive", "--seed", "3"), "name its --preset too"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_status_2(run, tmp_path, words, sentence):
    words = (*words, "--out", tmp_path / "new") if words[0] == "run" else words
    status, out, err = run(*words)
    assert status == 2
    last = err.strip().splitlines()[-1]
    assert sentence in last
    assert last.startswith("sims: ")
    assert "Traceback" not in out + err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words", [("run", "--seed", "-1"), ("run", "--seed", "2147483648"), ("run", "--max-replicates", "0"), ("run", "--preset", "tiny")]
)
def test_bad_flags_are_named_with_what_is_allowed(capsys, words):
    with pytest.raises(SystemExit) as stop:
        __main__.main(list(words))
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert words[1] in err
    assert "must be" in err or "choose from" in err


def test_an_unwritable_store_is_exit_status_3_and_one_sentence(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    status, _, err = run("run", "adaptive.split", "--out", tmp_path / "file")
    assert status == 3
    assert "Traceback" not in err
    assert str(tmp_path / "file") in err


# --- ledger


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of the documents and summaries, so that a test may damage them."""
    for name in ("README.md", "paper_checks.md", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    data = tmp_path / "figures" / "data"
    data.mkdir(parents=True)
    for path in (ROOT / "figures" / "data").glob("*.json"):
        (data / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(_ledger, "_ROOT", tmp_path)
    _ledger.summaries.cache_clear()
    yield tmp_path
    _ledger.summaries.cache_clear()


def test_the_committed_tables_agree_with_the_committed_summaries(run, checkout):
    assert run("ledger", "--check")[:2] == (0, "the tables agree with the summaries\n")


def test_a_table_edited_by_hand_is_found(run, checkout):
    path = checkout / "paper_checks.md"
    path.write_text(path.read_text(encoding="utf-8").replace("SUPPORTED", "REFUTED", 1), encoding="utf-8")
    status, _, err = run("ledger", "--check")
    assert status == 1
    assert "paper_checks.md: the table of adaptive is not what the summaries give" in err
    assert run("ledger", "--out", checkout / "nothing")[0] == 0  # rewrites it from the summaries
    assert run("ledger", "--check")[0] == 0


def test_a_claim_without_a_summary_and_one_of_another_seed_are_found(run, checkout):
    path = checkout / "figures" / "data" / "adaptive.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["claims"]["adaptive.split"]
    data["claims"]["adaptive.thm6"]["seed"] = 5
    path.write_text(json.dumps(data), encoding="utf-8")
    status, _, err = run("ledger", "--check")
    assert status == 1
    assert "adaptive.split has no summary" in err
    assert "adaptive.thm6: its summary is of preset default, seed 5" in err


def test_only_a_plain_default_run_of_the_ledgers_seed_is_promoted(run, checkout, tmp_path):
    out = tmp_path / "own"
    before = (checkout / "figures" / "data" / "adaptive.json").read_bytes()
    run("run", *EXACT, "--out", out)  # smoke
    run("run", *EXACT, "--out", out, "--preset", "default", "--seed", "7")
    status, text, _ = run("ledger", "--out", out)
    assert status == 0
    assert "no default-preset summaries" in text
    assert (checkout / "figures" / "data" / "adaptive.json").read_bytes() == before
    run("run", *EXACT, "--out", out, "--preset", "default", "--max-replicates", "9")
    status, _, err = run("ledger", "--out", out)
    assert status == 2
    assert "was run with --max-replicates 9: run it again without" in err


def test_an_installed_package_refuses_to_write_its_ledger(run, checkout):
    (checkout / "pyproject.toml").unlink()
    status, _, err = run("ledger")
    assert status == 2
    assert "installed package" in err


def test_numbers_are_shown_with_four_digits_and_counts_in_full():
    assert [_report.number(v) for v in (None, 0.123456, 12345, 1e-9, float("inf"), [1, 2.5], True)] == [
        "–", "0.1235", "12,345", "1e-09", "inf", "[1, 2.5]", "True",
    ]  # fmt: skip
