"""What tables and answers print: slack, direction, what is not asked; on rows made by hand or read from the ledger."""

import json
import math
import re

import pytest

from sims import _commands, _ledger, _progress, _report
from sims.__main__ import VERDICTS, main
from theory import _claims
from theory._claims import Check, Claim, Falsifier, Provenance, Relation


def row(**changes):
    fields = {
        "claim": "toy.claim", "experiment": "toy.claim/main", "cell": {"n": 3}, "estimate": 0.1, "low": 0.05, "high": 0.2, "bound": 0.4,
        "trivial": None, "slack": 2.0, "verdict": "SUPPORTED", "num_replicates": 100, "method": "capital", "margin": None, "points": [],
        "looseness": 4.0, "asymptotic": False, "reason": "", "inside": True, "level": 1e-6, "planned": {}, "seed": 0, "attempts": 1,
    }  # fmt: skip
    return {**fields, **changes}


def exact(estimate, bound, residual, slack, **changes):
    return row(estimate=estimate, bound=bound, low=residual, high=residual, slack=slack, method="exact", num_replicates=1, **changes)


@pytest.fixture
def toy(monkeypatch):
    """Makes toy.claim/main a check of this relation and residual."""

    def install(relation, residual="identity"):
        method = {Relation.EXACT: "exact", Relation.RATE: "rows"}.get(relation, "capital")
        check = Check(
            "main", relation, Provenance.STANDARD, "a formula", bound=lambda n: 1.0, margin=0.1, method=method, grid="n", residual=residual,
            falsifiers=(Falsifier("wrong", "a wrong bound", "bound", bound=lambda n: 0.0),),
        )  # fmt: skip
        claim = Claim("toy.claim", "a test", "a toy", (check,))
        monkeypatch.setattr(_claims, "claims", lambda: {claim.id: claim})
        return claim

    return install


@pytest.mark.parametrize(
    ("relation", "seen", "shown"),
    [
        (Relation.UPPER, row(), "2"),
        (Relation.UPPER, row(bound=0.0, high=-0.04, slack=0.04), "–"),  # a difference, which the judge gives where there is no ratio
        (Relation.LOWER, row(bound=0.04, low=0.05, slack=1.25), "1.25"),
        (Relation.LOWER, row(bound=-0.1, low=0.05, slack=0.15), "–"),
        (Relation.EQUAL, row(margin=0.3, slack=1.7), "1.7"),
        (Relation.RATE, row(slack=1.2), "1.2"),
        (Relation.UPPER, row(verdict="VACUOUS", slack=math.nan), "–"),
        (Relation.TAIL, row(verdict="REFUTED", slack=0.25), "0.25"),
    ],
)
def test_slack_is_a_ratio_or_a_dash(toy, relation, seen, shown):
    toy(relation)
    assert _report.slack(seen) == shown


@pytest.mark.parametrize(
    ("residual", "seen", "sign", "shown"),
    [
        ("identity", exact(1.0, 1.0, 2e-16, 4.5e6), "1 = 1", "exact"),
        ("identity", exact(1.0, 1.001, 1e-3, 1.5), "1 = 1.001 ± 1.001e-09", "1.5"),
        ("identity", exact(1.0, 1.512, 0.34, 2.9e-9, verdict="REFUTED"), "1 = 1.512 ± 1.512e-09", "< 1e-6"),
        ("upper", exact(0.9, 0.9, 2e-16, 4.2e6), "0.9 <= 0.9", "1"),
        ("upper", exact(1.0, 533.0, -0.998, 533.0), "1 <= 533", "533"),
        ("upper", exact(2.0, 1.0, 1.0, 3.1e-9, verdict="REFUTED"), "2 <= 1", "0.5"),
        ("upper", exact(-0.1, 0.0, -math.inf, math.inf), "-0.1 <= 0", "–"),
        ("upper", exact(0.0, 0.3, -1.0, math.inf), "0 <= 0.3", "–"),
        ("lower", exact(0.3183, 0.01464, -20.74, math.inf), "0.3183 >= 0.01464", "21.74"),
        ("log_upper", exact(1e-300, 1e-3, -683.9, 1e297), "1e-300 <= 0.001", "> 1e6"),
        ("log_lower", exact(0.5, 0.4, math.log(0.8), 1.25), "0.5 >= 0.4", "1.25"),
    ],
)
def test_an_exact_row_has_its_direction_and_a_plain_ratio(toy, residual, seen, sign, shown):
    toy(Relation.EXACT, residual)
    assert _report.against(seen, "EXACT") == sign
    assert _report.slack(seen) == shown


def test_slack_above_one_is_room_to_spare_in_every_row_of_the_ledger():
    for slug in _claims.papers():
        for summary in _ledger.summaries(slug).values():
            for check in summary["checks"]:
                for seen in check["rows"]:
                    ratio = _report.room(seen)
                    if seen["verdict"] == "SUPPORTED" and not math.isnan(ratio):
                        assert ratio > 1 - 1e-6, (summary["claim"], check["name"], ratio)  # a tie to the tolerance of an EXACT check
                    if seen["verdict"] == "REFUTED" and not math.isnan(ratio):
                        assert ratio < 1, (summary["claim"], check["name"], ratio)


def test_the_cases_of_an_exact_check_are_counted_instead_of_a_cell_that_they_override(toy, monkeypatch):
    monkeypatch.setattr(_report, "_claim_lines", lambda slug: {})
    claim = toy(Relation.EXACT, "upper")
    points = [{"label": f"n={n}", "n": n, "estimate": 0.1, "bound": 0.4} for n in range(5)]
    seen = exact(0.1, 0.4, -0.75, 4.0, points=points, reason="worst case: n=2") | {"num_replicates": 5, "cell": {"n": -1, "eps": 0.5}}
    summary = {
        "claim": claim.id, "verdict": "SUPPORTED", "reason": "", "device": "cpu", "jax": "0", "commit": "", "preset": "smoke", "seed": 0,
        "checks": [{"name": "main", "relation": "EXACT", "verdict": "SUPPORTED", "reason": "", "rows": [seen], "falsifiers": []}],
    }  # fmt: skip
    text = _report.show_text(claim, summary)
    assert "eps=0.5, 5 cases: 0.1 <= 0.4 SUPPORTED; slack 4" in text
    assert "n=-1" not in text
    assert "worst case: n=2" in text


def test_a_vacuous_cell_says_what_holds_anyway_and_prints_no_empty_numbers(toy):
    toy(Relation.TAIL)
    nothing = dict.fromkeys(("estimate", "low", "high", "slack"), math.nan)
    reason = "nothing is promised here: the bound is 1.165, and at most 1 holds without the theorem"
    seen = row(**nothing, bound=1.165, verdict="VACUOUS", num_replicates=0, looseness=None, reason=reason)
    check = {"name": "main", "relation": "TAIL", "provenance": "standard", "formula": "a formula", "rows": [seen]}
    text = _report.cell_text({"claim": "toy.claim", "checks": [check]})
    assert reason in text
    assert "nan" not in text


def summary_of(*checks):
    """A claim at smoke from (verdict, whether a cell is asked) of its checks."""
    made = []
    for i, (verdict, asked) in enumerate(checks):
        falsifier = {"name": "wrong", "verdict": "REFUTED" if asked else "UNDECIDED", "rows": [row()] if asked else []}
        rows = [row(verdict=verdict)] if asked else []
        made.append({"name": f"c{i}", "relation": "TAIL", "verdict": verdict, "reason": "", "rows": rows, "falsifiers": [falsifier]})
    words = {verdict for verdict, _ in checks}
    verdict = words.pop() if len(words) == 1 else "UNDECIDED"
    return {"claim": "toy.claim", "preset": "smoke", "verdict": verdict, "reason": "", "checks": made}


def test_what_a_preset_does_not_ask_is_not_called_undecided(toy):
    toy(Relation.TAIL)
    asked, open_ = ("SUPPORTED", True), ("UNDECIDED", False)
    summaries = [summary_of(asked), summary_of(open_), summary_of(asked, open_), summary_of(("UNDECIDED", True), open_)]
    assert [_report.claim_word(s) for s in summaries] == ["SUPPORTED", "not asked", "in part", "UNDECIDED"]
    text = _report.run_table(summaries)
    assert "4 claims: 1 SUPPORTED, 1 UNDECIDED, 1 not asked at smoke, 1 asked in part at smoke, SUPPORTED so far." in text
    (line,) = [line for line in _report.run_table([summary_of(open_)]).splitlines() if line.startswith("toy.claim/c0")]
    assert line.split() == ["toy.claim/c0", "not", "asked", "–", "–", "–", "–", "–"]
    assert "1 claim: 1 not asked at smoke." in _report.run_table([summary_of(open_)])


class Log:
    """A stream that is no terminal."""

    def __init__(self):
        self.text = ""

    def isatty(self):
        return False

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_the_time_that_remains_is_not_blown_up_while_the_first_program_compiles(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    log = Log()
    progress = _progress.Progress(log)
    progress.start({"a": 50.0, "b": 50.0})
    now[0] = 12.0  # compiling
    progress.tick(0.1)
    # 12.1 s for .1 s of work alone would promise over 3 hours; the forecast weighs like 10 s of work done in 10 s.
    assert "about 4 min left" in log.text, log.text


# ---- by the command line


@pytest.fixture
def printed(capsys):
    """What a command prints on stdout; it must end as promised."""

    def run(*words, status=0):
        try:
            ended = main([str(w) for w in words])
        except SystemExit as stop:  # argparse
            ended = stop.code
        assert ended == status
        return capsys.readouterr().out

    return run


def test_one_check_can_be_shown_and_asked(printed, tmp_path):
    assert re.findall(r"^check (\w+):", printed("show", "adaptive.naive/lazy"), re.MULTILINE) == ["lazy"]
    rows = json.loads(printed("show", "adaptive.naive/lazy", "--json"))
    assert {row["experiment"].split("!")[0] for row in rows} == {"adaptive.naive/lazy"}
    rows = json.loads(printed("run", "adaptive.naive/full", "--cell", "n=100,m=100", "--json", "--out", tmp_path))
    assert [row["experiment"] for row in rows] == ["adaptive.naive/full"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "adaptive"), "adaptive is a paper: python -m sims list adaptive"),
        (("list", "adaptive.naive"), "adaptive.naive is no paper: python -m sims show adaptive.naive"),
        (("show", "adaptive.naive/ful"), "adaptive.naive has no check 'ful'; it has full, lazy, slope"),
        (("run", "adaptive.naive/full"), "a run judges whole claims: leave out the part after the slash"),
        (("show", "dkw.sup"), "no claim is called 'dkw.sup'; --plugin DIR, if it is in a folder of yours?"),
        (("run", "dkw.sup"), "no paper or claim is called 'dkw.sup'; --plugin DIR, if it is in a folder of yours?"),
    ],
)
def test_a_name_of_another_kind_is_answered_with_what_to_type(words, said, capsys):
    assert main(list(words)) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err


def test_a_list_can_be_had_of_one_verdict(printed):
    rows = json.loads(printed("list", "--verdict", "refuted", "--json"))
    everything = json.loads(printed("list", "--json"))
    assert [r["id"] for r in rows] == [r["id"] for r in everything if r["verdict"] == "REFUTED"] != []
    printed("list", "--verdict", "wrong", status=2)
    assert {*VERDICTS} == {*(v.value for v in _claims.Verdict), "NOT RUN"}


def test_a_paper_plugged_in_is_shown_as_it_was_last_run(printed, tmp_path, monkeypatch):
    """A paper of the house stands in for one of a plugin's."""
    monkeypatch.setattr(_commands, "plug_in", lambda folders: None)  # the folder would stay known to all tests of this process
    monkeypatch.setattr(_claims, "is_plugin", lambda slug: slug == "adaptive")
    monkeypatch.setattr(_ledger, "summaries", lambda paper: {})
    shown = ("show", "adaptive.bias_pure", "--out", tmp_path, "--plugin", "examples")
    assert printed(*shown).splitlines()[-1] == "run it: python -m sims run adaptive.bias_pure --plugin examples"
    printed("run", "adaptive.bias_pure", "--out", tmp_path)
    text = printed(*shown)
    assert text.startswith("adaptive.bias_pure   SUPPORTED")
    assert text.splitlines()[-1].endswith("--preset smoke --seed 1411 --plugin examples")
