"""Claims end to end on toy laws with known answers: verdict rules, falsifiers, second seed, resumption, order, user cells."""

import dataclasses
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims import _decide, _experiment, _ledger, _store, _verdicts
from sims._decide import Options
from sims._experiment import Case, Experiment
from theory import _claims
from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation

# Every sampled decision below is judged at level 1e-6 a side and errs with probability at most that; what is planned
# to be decided stays undecided with probability below 1e-4 at the given budgets.


@dataclasses.dataclass(frozen=True)
class Cell:
    p: float  # traced: every cell shares one program
    claimed: float = 0.25
    kind: float = 0.0  # share of replicates that fail (nan)


def simulate(key, cell):
    key_event, key_failure = jax.random.split(key)
    x = jax.random.bernoulli(key_event, cell.p).astype(jnp.float32)
    return {"x": jnp.where(jax.random.bernoulli(key_failure, cell.kind), jnp.nan, x)}


def unit_interval():
    return (0.0, 1.0)


def claimed(claimed):
    return claimed


EVERYTHING = Falsifier("nothing", "the event is claimed to be fourfold rarer than its bound", "bound", bound=lambda p: p / 4)


def tail(name="main", **changes):
    fields = {"bound": claimed, "falsifiers": (EVERYTHING,), **changes}
    return Check(name, Relation.TAIL, Provenance.STANDARD, "P(event) <= claimed", **fields)


def experiment(name, *cells, **changes):
    fields = {
        "simulate": simulate,
        "support": unit_interval,
        "max_replicates": {"smoke": 1024, "default": 2048},
        "ask": Cell(0.1),
        **changes,
    }
    return Experiment(f"toy.claim/{name}", {"smoke": cells, "default": cells}, **fields)


@pytest.fixture
def world(monkeypatch, tmp_path):
    """Installs toy claims and experiments in place of the papers'; returns a function that judges a claim."""

    def judge(checks, experiments, **options):
        claim = Claim("toy.claim", "a test", "a toy", tuple(checks))
        monkeypatch.setattr(_claims, "claims", lambda: {claim.id: claim})
        monkeypatch.setattr(_experiment, "experiments", lambda: {e.check: e for e in experiments})
        return _verdicts.judge_claim(claim, Options(**{"out": tmp_path / "results", **options}))

    monkeypatch.setattr("sims._runner.code_of", lambda paper: [Path(__file__)])
    return judge


def words(summary):
    return [r["verdict"] for c in summary["checks"] for r in c["rows"]]


def test_a_true_bound_is_supported_and_its_falsifier_caught(world):
    summary = world([tail()], [experiment("main", Cell(0.1), Cell(0.05))])
    assert summary["verdict"] == "SUPPORTED", summary["reason"]
    assert words(summary) == ["SUPPORTED"] * 2
    (falsifier,) = summary["checks"][0]["falsifiers"]
    assert falsifier["verdict"] == "REFUTED"
    row = summary["checks"][0]["rows"][0]
    assert row["low"] <= row["estimate"] <= row["high"] <= row["bound"] == 0.25
    assert row["slack"] == pytest.approx(0.25 / row["high"])
    assert row["level"] == 1e-6
    assert row["attempts"] == 1
    assert not row["asymptotic"]


def test_a_false_bound_is_refuted_twice_with_two_root_seeds(world):
    summary = world([tail()], [experiment("main", Cell(0.5), Cell(0.05))])
    assert summary["verdict"] == "REFUTED"
    rows = [r for r in summary["checks"][0]["rows"] if r["cell"]["p"] == 0.5]
    assert [r["verdict"] for r in rows] == ["REFUTED", "REFUTED"]
    assert [r["seed"] for r in rows] == [_experiment.LEDGER_SEED, _experiment.second_seed(_experiment.LEDGER_SEED)]
    assert rows[0]["estimate"] != rows[1]["estimate"] or rows[0]["num_replicates"] != rows[1]["num_replicates"]


def test_a_refuted_that_the_second_seed_does_not_repeat_is_undecided(world, monkeypatch):
    real = _decide.Decision.rows

    def only_the_first_seed_refutes(self, seed, role=None):
        rows = real(self, seed, role)
        if seed != _experiment.LEDGER_SEED:
            return rows
        return [(f, dataclasses.replace(r, verdict="REFUTED") if f is None else r) for f, r in rows]

    monkeypatch.setattr(_decide.Decision, "rows", only_the_first_seed_refutes)
    summary = world([tail()], [experiment("main", Cell(0.1))])
    assert summary["verdict"] == "UNDECIDED"
    assert "seeds disagree" in summary["reason"]
    assert words(summary) == ["REFUTED", "SUPPORTED"]


def test_a_falsifier_that_is_not_rejected_withholds_the_word(world):
    toothless = Falsifier("toothless", "nothing is broken", "bound", bound=lambda claimed: claimed)
    summary = world([tail(falsifiers=(EVERYTHING, toothless))], [experiment("main", Cell(0.1))])
    assert summary["verdict"] == "UNDECIDED"
    assert "no power: falsifier toothless not rejected" in summary["reason"]


def test_a_falsifier_without_a_cell_has_no_power(world):
    nowhere = dataclasses.replace(EVERYTHING, where=lambda p: p > 0.9)
    summary = world([tail(falsifiers=(nowhere,))], [experiment("main", Cell(0.1))])
    assert summary["verdict"] == "UNDECIDED"
    assert "has no cell" in summary["reason"]


def test_a_lying_world_is_held_against_the_declared_bound(world):
    def liar(cell):
        return dataclasses.replace(cell, p=cell.p * 5)

    check = tail(falsifiers=(Falsifier("liar", "events are five times as frequent", "world"),))
    cells = (Cell(0.1),)
    summary = world([check], [experiment("main", *cells), experiment("main!liar", *cells, prepare=liar)])
    assert summary["verdict"] == "SUPPORTED", summary["reason"]
    (row,) = summary["checks"][0]["falsifiers"][0]["rows"]
    assert row["verdict"] == "REFUTED"
    assert row["bound"] == 0.25
    assert row["cell"]["p"] == 0.1  # what the cell declares, not what the world does


def test_a_bound_no_better_than_trivial_is_vacuous_and_draws_nothing(world, tmp_path):
    summary = world([tail()], [experiment("main", Cell(0.1, claimed=1.0))])
    assert summary["verdict"] == "VACUOUS"
    assert not (tmp_path / "results").exists()
    mixed = world([tail()], [experiment("main", Cell(0.1, claimed=1.0), Cell(0.1))])
    assert mixed["verdict"] == "SUPPORTED"
    assert words(mixed) == ["VACUOUS", "SUPPORTED"]


def test_a_cell_outside_the_assumptions_is_answered_but_not_counted(world):
    small = Assumption("A1", "p <= 1/5", lambda p: p <= 0.2)
    summary = world([tail(assumptions=(small,))], [experiment("main", Cell(0.1), Cell(0.6))])
    assert summary["verdict"] == "SUPPORTED"
    outside = summary["checks"][0]["rows"][1]
    assert (outside["inside"], outside["verdict"]) == (False, "REFUTED")
    assert "outside the assumptions: A1 (p <= 1/5)" in outside["reason"]


def test_an_undefined_bound_is_untested_with_its_estimate(world):
    check = tail(bound=lambda claimed: math.nan, falsifiers=(dataclasses.replace(EVERYTHING, where=lambda p: False),))
    summary = world([check], [experiment("main", Cell(0.1))])
    assert summary["verdict"] == "UNTESTED"
    assert 0 < summary["checks"][0]["rows"][0]["estimate"] < 0.25


def test_an_untested_check_gives_its_reason(world):
    check = Check("main", Relation.TAIL, Provenance.PAPER, "for all n", untested="an asymptotic statement without a constant")
    summary = world([check], [])
    assert (summary["verdict"], summary["reason"]) == ("UNTESTED", "an asymptotic statement without a constant")


def test_replicates_that_fail_count_as_the_worst_case(world):
    summary = world([tail()], [experiment("main", Cell(0.1, kind=0.1))])
    assert summary["verdict"] == "UNDECIDED"
    assert "failed" in summary["reason"]
    assert summary["checks"][0]["rows"][0]["num_failed"] > 0


def test_smoke_says_what_default_costs(world):
    cells = {"smoke": (), "default": (Cell(0.1),)}
    e = dataclasses.replace(experiment("main", Cell(0.1)), cells=cells)
    summary = world([tail()], [e])
    assert summary["verdict"] == "UNDECIDED"
    assert summary["reason"] == "no cell at this preset; default looks at up to 2,048 replicates a cell"  # no mean is declared: no promise
    likely = dataclasses.replace(e, expected=lambda p: (p, math.sqrt(p * (1 - p))))
    assert "default decides it in about" in world([tail()], [likely])["reason"]
    too_near = dataclasses.replace(e, expected=lambda p: (0.24, 0.43))
    assert "default looks at up to 2,048 replicates" in world([tail()], [too_near])["reason"]


def test_a_cell_left_open_says_how_many_replicates_the_measured_mean_would_take(world):
    (row,) = world([tail()], [experiment("main", Cell(0.22))])["checks"][0]["rows"]
    assert row["verdict"] == "UNDECIDED"
    (told,) = re.findall(r"not decided within 1024 replicates; at the measured mean it takes about ([\d,]+) replicates", row["reason"])
    assert int(told.replace(",", "")) > 1024


def test_a_forecast_counts_what_is_planned_and_nothing_where_the_bound_says_nothing(world, tmp_path):
    options = Options(out=tmp_path)
    declared = experiment("main", Cell(0.05), Cell(0.05, 1.0), expected=lambda p: (p, math.sqrt(p * (1 - p))))
    world([tail()], [declared])
    near, vacuous = (_decide.Decision(tail(), declared, [c], options) for c in declared.cells["smoke"])
    assert _decide.likely_replicates(near, options) == _decide.plan_of(tail(), declared, near.cells, None, options)["median"]
    assert _decide.likely_replicates(vacuous, options) == 0
    guessed = _decide.Decision(tail(), dataclasses.replace(declared, expected=None), near.cells, options)
    assert 0 < _decide.likely_replicates(guessed, options) < 1024


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"simulate": lambda key, cell: jnp.stack([cell.p, cell.p])}, r"simulate must return one number a replicate, got .* \(2,\)"),
        ({"simulate": lambda key, cell: 3.0 + 0 * cell.p}, r"replicate 0 is 3\.0, outside the declared range \(0\.0, 1\.0\)"),
        ({"simulate": lambda key, cell: cell.q}, "AttributeError: 'Cell' object has no attribute 'q'"),
        ({"prepare": lambda cell: cell.p / 0}, "ZeroDivisionError"),
    ],
)
def test_a_simulator_that_fails_is_named_with_its_cell(world, changes, said):
    with pytest.raises(_claims.PaperError, match=rf"^toy.claim/main at p=0.1, claimed=0.25, kind=0.0: .*{said}"):
        world([tail()], [experiment("main", Cell(0.1), **changes)])


def test_equal_order_phase_and_exact(world):
    def near(p):
        return Falsifier("far", "another value", "bound", bound=lambda: p)

    equal = Check("equal", Relation.EQUAL, Provenance.STANDARD, "E x = claimed", claimed, margin=0.1, falsifiers=(near(0.9),))
    phase = Check(
        "phase", Relation.PHASE, Provenance.STANDARD, "success beyond claimed", claimed, margin=0.1, grid="p",
        falsifiers=(near(0.7),),
    )  # fmt: skip
    exact = Check(
        "exact", Relation.EXACT, Provenance.STANDARD, "s <= claimed", claimed, method="exact", residual="upper", falsifiers=(near(0.01),)
    )

    def evaluate(cell, rng):
        return [Case("at the bound", 0.25), Case("below", 0.1), Case("another cell", 0.5, {"claimed": 0.6})]

    grid = (Cell(0.0), Cell(0.2), Cell(1.0))
    summary = world(
        [equal, phase, exact],
        [
            experiment("equal", Cell(0.25)),
            experiment("phase", *grid),
            Experiment("toy.claim/exact", {"smoke": (Cell(0.1),)}, evaluate=evaluate),
        ],
    )
    by_name = {c["name"]: c for c in summary["checks"]}
    assert by_name["equal"]["verdict"] == "SUPPORTED", by_name["equal"]["reason"]
    assert [r["verdict"] for r in by_name["phase"]["rows"]] == ["SUPPORTED", "UNTESTED", "SUPPORTED"]
    assert by_name["exact"]["verdict"] == "SUPPORTED"
    assert len(by_name["exact"]["rows"][0]["points"]) == 3


def test_of_many_exact_cases_the_summary_keeps_those_that_broke_or_came_closest(world):
    check = Check(
        "exact", Relation.EXACT, Provenance.STANDARD, "x <= claimed", lambda claimed: claimed, method="exact", residual="upper",
        falsifiers=(Falsifier("half", "claimed/2", "bound", bound=lambda claimed: claimed / 2),),
    )  # fmt: skip
    statistics = np.random.default_rng(0).permutation(np.linspace(0.01, 0.9, 60))

    def evaluate(cell, rng):
        outside = {"claimed": math.nan}  # not counted, however large
        return [*(Case(f"case {i}", x) for i, x in enumerate(statistics)), Case("not counted", 5.0, outside)]

    summary = world([check], [Experiment("toy.claim/exact", {"smoke": (Cell(0.0, claimed=1.0),)}, evaluate=evaluate)])
    assert summary["verdict"] == "SUPPORTED"
    (row,), (wrong,) = summary["checks"][0]["rows"], summary["checks"][0]["falsifiers"][0]["rows"]
    nearest = sorted(np.argsort(statistics)[-2:])
    for r, claimed in ((row, 1.0), (wrong, 0.5)):
        assert r["num_replicates"] == 60  # all were judged
        assert [p["label"] for p in r["points"]] == [f"case {i}" for i in nearest]
        assert {p["bound"] for p in r["points"]} == {claimed}
    assert f"{np.sum(statistics > 0.5)} of 60 cases violated" in wrong["reason"]
    assert f"worst case: case {np.argmax(statistics)}" in row["reason"]


def test_the_kept_cases_hold_a_lost_one_before_all_others():
    statistics, bounds = np.linspace(0, 1, 30), np.full(30, 2.0)
    statistics[3] = math.nan
    assert _decide._kept(statistics, bounds, "upper") == [3, 29]
    assert _decide._kept(statistics[:12], bounds[:12], "upper") == list(range(12))


def test_promotion_shortens_numbers_most_of_all_those_that_only_figures_read():
    summary = {
        "estimate": 0.12345678912, "seed": 1411,
        "rows": [{"low": -math.inf, "bound": 4.7035892096149e-16, "points": ({"n": 123456789, "bound": 0.123456789, "label": "a"},)}],
        "explored": [{"arrays": {"curve": {"mean": [1234.56789, math.nan, 1e-9]}}}],
    }  # fmt: skip
    short = _ledger._shortened(summary)
    (row,) = short["rows"]
    assert (short["estimate"], short["seed"], row["low"], row["bound"]) == (0.123456789, 1411, -math.inf, 4.70358921e-16)
    assert row["points"] == [{"n": 123456789, "bound": 0.123457, "label": "a"}]
    assert short["explored"][0]["arrays"]["curve"]["mean"][::2] == [1234.57, 1e-9]
    assert math.isnan(short["explored"][0]["arrays"]["curve"]["mean"][1])


def test_rate(world):
    @dataclasses.dataclass(frozen=True)
    class Size:
        n: float
        power: float = -0.5

    def noisy_power(key, cell):
        return (1 + 0.2 * jax.random.uniform(key)) * cell.n**cell.power

    def wrong(cell):
        return dataclasses.replace(cell, power=-1.0)

    check = Check(
        "rate", Relation.RATE, Provenance.STANDARD, "x ~ n^-1/2", lambda n: 3 * n**-0.5, margin=0.1, method="rows", grid="n",
        falsifiers=(Falsifier("window", "slope -1", "bound", margin=(-1.1, -0.9)), Falsifier("data", "data of slope -1", "world")),
    )  # fmt: skip
    cells = tuple(Size(n) for n in (100.0, 200.0, 400.0, 800.0))
    kwargs = {"simulate": noisy_power, "max_replicates": {"smoke": 128}}
    summary = world(
        [check],
        [
            Experiment("toy.claim/rate", {"smoke": cells}, **kwargs),
            Experiment("toy.claim/rate!data", {"smoke": cells}, prepare=wrong, **kwargs),
        ],
    )
    assert summary["verdict"] == "SUPPORTED", summary["reason"]
    (row,) = summary["checks"][0]["rows"]
    assert row["cell"]["n"] == [100.0, 200.0, 400.0, 800.0]
    assert row["margin"] == pytest.approx((-0.6, -0.4))
    assert row["estimate"] == pytest.approx(-0.5, abs=0.02)
    assert len(row["points"]) == 4


def strip(summary):
    """A summary without what may differ between runs that must agree: wall time."""
    return _store.digest({**summary, "checks": [{**c, "rows": [{**r, "seconds": 0} for r in c["rows"]], "falsifiers": [
        {**f, "rows": [{**r, "seconds": 0} for r in f["rows"]]} for f in c["falsifiers"]]} for c in summary["checks"]]})  # fmt: skip


def test_verdicts_do_not_depend_on_interruption_order_chunks_or_devices(world, tmp_path, monkeypatch):
    cells = (Cell(0.1), Cell(0.05), Cell(0.5))
    whole = world([tail()], [experiment("main", *cells)])

    class Stop(Exception):
        pass

    def stop_after(count):
        left = [count]

        def tick(seconds):
            left[0] -= 1
            if left[0] == 0:
                raise Stop

        return tick

    for count in (1, 1, 2, 2, 1):  # interrupted again and again in one folder
        with pytest.raises(Stop):
            world([tail()], [experiment("main", *cells)], out=tmp_path / "broken", tick=stop_after(count))
    resumed = world([tail()], [experiment("main", *cells)], out=tmp_path / "broken")
    assert strip(resumed) == strip(whole)
    assert strip(world([tail()], [experiment("main", *cells)], out=tmp_path / "broken")) == strip(whole)  # and once more, all stored

    reverse = world([tail()], [experiment("main", *reversed(cells))], out=tmp_path / "reverse")
    ours, theirs = (
        {(r["cell"]["p"], r["seed"]): _store.digest({**r, "seconds": 0}) for r in t["checks"][0]["rows"]} for t in (whole, reverse)
    )
    assert len(ours) == 4  # three cells, one of them twice
    assert ours == theirs

    one_device = world([tail()], [experiment("main", *cells)], out=tmp_path / "one", num_devices=1)
    assert strip(one_device) == strip(whole)

    longer = world([tail()], [experiment("main", *cells, chunk=512)], out=tmp_path / "longer")
    ours, theirs = ([(r["num_replicates"], r["estimate"], r["low"], r["high"]) for r in s["checks"][0]["rows"]] for s in (whole, longer))
    assert ours == theirs


def test_attempts_count_root_seeds_and_a_moved_margin_starts_anew(world):
    e = experiment("main", Cell(0.25), max_replicates={"smoke": 128, "default": 128})

    def equal(margin):
        return Check("main", Relation.EQUAL, Provenance.STANDARD, "E x = claimed", claimed, margin=margin, falsifiers=(
            Falsifier("far", "another value", "bound", bound=lambda: 0.95),))  # fmt: skip

    counts = [world([equal(0.1)], [e], seed=seed)["checks"][0]["rows"][0]["attempts"] for seed in (1, 2, 2, 3)]
    assert counts == [1, 2, 2, 3]
    assert world([equal(0.11)], [e], seed=3)["checks"][0]["rows"][0]["attempts"] == 1


def test_another_fingerprint_makes_chunks_stale(world, tmp_path, monkeypatch):
    said = []
    world([tail()], [experiment("main", Cell(0.1))], say=said.append)
    assert said == []
    monkeypatch.setattr("sims._runner.STREAM", 99)
    world([tail()], [experiment("main", Cell(0.1))], say=said.append)
    assert any("stale" in s and "stream" in s for s in said)


def asked(claim, cell_text, options):
    return _verdicts.answer(claim, _verdicts.asked_decisions(claim, cell_text, options))


def test_a_users_cell_has_its_own_level_and_no_falsifiers(world, tmp_path):
    claim = Claim("toy.claim", "a test", "a toy", (tail(),))
    world([tail()], [experiment("main", Cell(0.1))])
    summary = asked(claim, "p=0.02,claimed=0.3", Options(out=tmp_path / "own", alpha=1e-3))
    (row,) = summary["checks"][0]["rows"]
    assert row["cell"] == {"p": 0.02, "claimed": 0.3, "kind": 0.0}
    assert (row["verdict"], row["level"]) == ("SUPPORTED", 1e-3)
    for text, message in (
        ("q=1", r"no field 'q'; fields are p, claimed, kind \(numbers\)"),
        ("p=abc", "p must be a finite number, got 'abc'"),
        ("p", "got 'p'"),
        ("p=1,p=1", "twice"),
    ):
        with pytest.raises(ValueError, match=message):
            asked(claim, text, Options(out=tmp_path / "own", alpha=1e-3))


def test_overall_words():
    v = _claims.Verdict
    assert _verdicts.overall([("a", v.SUPPORTED, ""), ("b", v.REFUTED, "n=1")]) == (v.REFUTED, "b: n=1")
    assert _verdicts.overall([("a", v.SUPPORTED, ""), ("b", v.VACUOUS, "")]) == (v.UNDECIDED, "b: VACUOUS")
    assert _verdicts.overall([("a", v.VACUOUS, "why")]) == (v.VACUOUS, "why")


def test_planning_is_printed_for_a_decision_and_its_falsifier(world, tmp_path):
    e = experiment("main", Cell(0.1), expected=lambda p: (p, math.sqrt(p * (1 - p))))
    summary = world([tail()], [e])
    row = summary["checks"][0]["rows"][0]
    assert 40 < row["planned"]["median"] < row["planned"]["p999"] < 1024
    assert row["planned"]["p_undecided"] < 1e-4
    assert np.isfinite(summary["checks"][0]["falsifiers"][0]["rows"][0]["planned"]["median"])


def simulate_with_curve(key, cell):
    x = jax.random.bernoulli(key, cell.p, (3,)).astype(jnp.float32)
    return {"x": x[0], "curve": x}


def test_exploratory_experiments_are_drawn_to_the_end_and_summarised_without_a_verdict(world):
    curious = experiment("~curve", Cell(0.3), simulate=simulate_with_curve, max_replicates={"smoke": 512, "default": 512})
    told = experiment(
        "~cases", Cell(0.3), simulate=None, evaluate=lambda cell, rng: [Case("half", cell.p / 2, {"p": 0.5})], max_replicates={}
    )
    summary = world([tail()], [experiment("main", Cell(0.1)), curious, told])
    assert summary["verdict"] == "SUPPORTED"
    curve, cases = summary["explored"]
    (point,) = curve["points"]
    assert curve["name"] == "~curve"
    assert point["cell"]["p"] == 0.3
    assert point["num_replicates"] == 512
    assert point["num_failed"] == 0
    assert point["estimate"] == point["arrays"]["curve"]["mean"][0] == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 512))  # 6e-7 two-sided
    assert len(point["arrays"]["curve"]["sd"]) == 3
    assert cases["points"][0]["cases"] == [{"label": "half", "p": 0.5, "estimate": 0.15}]


def test_arrays_beside_the_statistic_of_a_judged_cell_are_summarised_for_figures(world):
    summary = world([tail()], [experiment("main", Cell(0.1), simulate=simulate_with_curve)])
    (row,) = summary["checks"][0]["rows"]
    assert row["arrays"]["curve"]["mean"][0] == pytest.approx(row["estimate"])
