"""halfspaces, verdicts: EXACT checks and their falsifiers, sampled ones on small cells; the tester-learner on a table of one's own."""

import json
import math
import re

import numpy as np
import pytest

from sims import _decide, _verdicts
from sims.halfspaces import _experiments_laws, _experiments_trials, _learn, learn_and_test, learn_command, whitened
from theory import _claims, halfspaces
from theory._claims import Relation

EXACT = [(claim, check) for claim in halfspaces.CLAIMS for check in claim.checks if check.relation is Relation.EXACT]


@pytest.mark.claim("halfspaces.loss")
@pytest.mark.claim("halfspaces.gradlaw")
@pytest.mark.claim("halfspaces.lem4.3x")
@pytest.mark.claim("halfspaces.dktz.lem7")
@pytest.mark.claim("halfspaces.dktz.lem8")
@pytest.mark.claim("halfspaces.dktz.claim5")
@pytest.mark.claim("halfspaces.T3")
@pytest.mark.claim("halfspaces.T1bound")
@pytest.mark.claim("halfspaces.T4")
@pytest.mark.claim("halfspaces.thm4.1x")
@pytest.mark.claim("halfspaces.thm5.1x")
@pytest.mark.claim("halfspaces.cert")
@pytest.mark.claim("halfspaces.gap")
@pytest.mark.parametrize(("claim", "check"), EXACT, ids=lambda c: getattr(c, "id", getattr(c, "name", "")).removeprefix("halfspaces."))
def test_exact_check_is_supported_and_each_of_its_falsifiers_refuted(claim, check, tmp_path):
    options = _decide.Options(out=tmp_path, preset="smoke")
    own, worlds = _verdicts.decisions_of(claim, check, "smoke", options)
    words = {f.name: set() for f in check.falsifiers}
    assert own
    for decision in own:
        for falsifier, row in decision.rows(options.seed):
            if falsifier is None:
                assert row.verdict == "SUPPORTED", row.reason
            else:
                words[falsifier.name].add(row.verdict)
    for name, decisions in worlds.items():
        for decision in decisions:
            words[name] |= {row.verdict for _, row in decision.rows(options.seed)}
    assert words == {f.name: {"REFUTED"} for f in check.falsifiers}


def _judged(claim_id, preset, tmp_path, checks=None):
    claim = _claims.claims()[claim_id]
    options = _decide.Options(out=tmp_path, preset=preset, num_devices=1)
    for check in claim.checks:
        if check.untested is None and (checks is None or check.name in checks):
            own, worlds = _verdicts.decisions_of(claim, check, preset, options)
            for decision in [*own, *(d for ds in worlds.values() for d in ds)]:
                yield check, decision


@pytest.mark.claim("halfspaces.fact1")
@pytest.mark.claim("halfspaces.T2")
@pytest.mark.parametrize(("claim_id", "cells"), [("halfspaces.fact1", 1), ("halfspaces.T2", 1)])
def test_sampled_check_is_supported_and_its_falsifiers_refuted(claim_id, cells, tmp_path):
    claim = _claims.claims()[claim_id]
    options = _decide.Options(out=tmp_path, preset="smoke", num_devices=1)
    for check in claim.checks:
        own, worlds = _verdicts.decisions_of(claim, check, "smoke", options)
        if check.name == "fires":  # an end-to-end trial: default decides it
            assert not own
            continue
        for falsifier, row in own[-cells].rows(options.seed):
            assert row.verdict == ("SUPPORTED" if falsifier is None else "REFUTED"), row.reason
        for decisions in worlds.values():
            assert {row.verdict for _, row in decisions[-1].rows(options.seed)} == {"REFUTED"}


@pytest.mark.claim("halfspaces.dktz.lem10")
def test_optimisation_bound_is_said_to_be_vacuous_where_it_is(tmp_path):
    decisions = [d for _, d in _judged("halfspaces.dktz.lem10", "default", tmp_path)]
    for decision in decisions[:-1]:
        (_, row), *_ = decision.rows(1)
        assert row.verdict == "VACUOUS"
        assert row.bound > row.trivial
    assert not decisions[-1].targets(None)[0].vacuous


@pytest.mark.claim("halfspaces.ablation")
@pytest.mark.claim("halfspaces.complete")
@pytest.mark.claim("halfspaces.sound")
@pytest.mark.claim("halfspaces.thm4.1")
@pytest.mark.claim("halfspaces.dktz.thm9")
@pytest.mark.claim("halfspaces.dktz.lem11")
def test_sampled_checks_are_planned_with_power_for_themselves_and_their_falsifiers(tmp_path):
    planned = 0
    for claim in halfspaces.CLAIMS:
        for check, decision in _judged(claim.id, "default", tmp_path):
            for falsifier in (None, *decision.bound_falsifiers):
                plan = _decide.plan_of(check, decision.experiment, decision.cells, falsifier, decision.options)
                if "p999" in plan:
                    planned += 1
                    assert plan["max_replicates"] >= 1.2 * plan["p999"], (decision.experiment.check, falsifier)
    assert planned > 80


def test_claims_and_experiments_match_and_decisions_are_few():
    offered = [e.check for e in (*_experiments_laws.EXPERIMENTS, *_experiments_trials.EXPERIMENTS) if not e.exploratory]
    assert sorted(name for claim in halfspaces.CLAIMS for name in claim.experiments()) == sorted(offered)
    sampled = {
        e.check: e.cells
        for claim in halfspaces.CLAIMS
        for c in claim.checks
        if c.untested is None and c.relation not in (Relation.EXACT, Relation.RATE)
        for e in (*_experiments_laws.EXPERIMENTS, *_experiments_trials.EXPERIMENTS)
        if e.check == f"{claim.id}/{c.name}"
    }
    assert sum(len(cells["default"]) for cells in sampled.values()) <= 250
    for check, cells in sampled.items():
        assert set(cells["default"]) <= set(cells["gpu"]), check


def test_no_cell_of_a_grid_is_left_out():
    """Every marginal under both Massart noises, every kernel at every pair and angle, every noise at every rate."""
    default = {e.check: e.cells.get("default", ()) for e in (*_experiments_laws.EXPERIMENTS, *_experiments_trials.EXPERIMENTS)}
    marginals = ("gauss", "quartic", "uniform", "laplace", "t3", "aniso", "cube", "grid", "gap", "nearbdry", "gmm", "squash")

    def seen(check, *fields):
        return {tuple(getattr(c, f) for f in fields) for c in default[f"halfspaces.{check}"]}

    assert seen("fact1/angle", "theta", "d") == {(t, d) for t in (0.05, 0.5, 1.5) for d in (2, 20)}
    gradients = {(k, t, s) for k in ("smooth", "ramp", "logistic") for t in (0.1, 0.5, 1.2, 1.57) for s in (0.1, 0.3)}
    assert seen("gradlaw/along", "kernel", "theta", "sigma") == seen("gradlaw/across", "kernel", "theta", "sigma") == gradients
    pairs = ((0.1, 0.2), (0.1, 0.4), (0.3, 0.3), (0.6, 0.4))
    worst = {(k, *pair, share) for k in ("smooth", "ramp", "logistic") for pair in pairs for share in (0.7, 1.0, 1.3)}
    assert seen("lem4.3x/component", "kernel", "sigma", "eta", "share") == worst
    assert seen("dktz.lem11/gradient", "d", "sigma") == {(d, s) for d in (5, 20) for s in (0.1, 0.5)}
    assert seen("dktz.thm9/~dimension", "d") == {(3,), (6,), (12,), (24,)}
    assert seen("T4/gaussian", "d", "theta") == {(d, t) for d in (5, 10, 20) for t in (0.02, 0.05, 0.1, 0.2, 0.4)}
    assert seen("thm4.1/massart", "marginal", "noise") == {(m, n) for m in marginals for n in ("rcn", "massart_half")}
    assert seen("sound/marginals", "marginal", "d") == {(m, d) for m in marginals[1:] for d in (5, 10)}
    assert seen("cert/coverage", "marginal", "noise") == {*((m, "massart_half") for m in marginals), ("gauss", "tailu")}
    noises = ("rcn", "massart_half", "boundary", "tail", "tailu", "killer", "planted2")
    assert seen("thm5.1x/noises", "noise", "eta") == {(n, rate) for n in noises for rate in (0.002, 0.005, 0.01, 0.02)}
    assert seen("complete/target", "d") == {(5,), (10,), (20,)}


@pytest.mark.claim("halfspaces.thm5.1")
@pytest.mark.claim("halfspaces.note_time")
@pytest.mark.claim("halfspaces.note_every_law")
@pytest.mark.claim("halfspaces.note_fooling")
def test_what_no_simulation_can_refute_is_untested_with_its_reason(tmp_path):
    for name in ("thm5.1", "note_time", "note_every_law", "note_fooling"):
        summary = _verdicts.judge_claim(_claims.claims()[f"halfspaces.{name}"], _decide.Options(out=tmp_path))
        assert summary["verdict"] == "UNTESTED"
        assert len(summary["reason"]) > 40


def test_recalled_and_derived_statements_are_never_the_papers_own():
    own = {c.id for c in halfspaces.CLAIMS for k in c.checks if k.provenance.value == "paper"}
    assert own == {f"halfspaces.{n}" for n in ("thm4.1", "thm5.1", "complete", "note_time")}


def test_figures_wait_for_what_they_draw():
    from figures.halfspaces import FIGURES

    assert len(FIGURES) == 8
    assert [draw({}) for draw in FIGURES.values()] == [None] * 8


# --------------------------------------------------------------------------------------------------- data of one's own


@pytest.fixture(scope="module")
def table():
    """4,000 Gaussian points with labels of which a tenth are wrong."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 3))
    y = np.where(x @ [0.6, 0.8, 0.0] >= 0, 1, -1) * np.where(rng.random(4000) < 0.1, -1, 1)
    return x, y


@pytest.fixture
def file(table, tmp_path):
    path = tmp_path / "x.csv"
    np.savetxt(path, np.column_stack(table), delimiter=",", fmt="%.6g", header="a,b,c,label", comments="")
    return path


def test_outcome_names_halfspace_tests_and_certificate(table):
    x, y = table
    outcome = learn_and_test(x, y, sigma=0.4, eta=0.15)
    assert outcome.accepted
    assert outcome.fired == ()
    assert outcome.w @ [0.6, 0.8, 0.0] > 0.98
    assert outcome.error == pytest.approx(0.1, abs=0.03)
    assert (outcome.n1, outcome.n2) == (2000, 2000)
    assert outcome.W is None  # far too few points
    assert outcome.opt_lower is None
    bimodal = learn_and_test(x + 3 * np.sign(x), y, sigma=0.4)
    assert not bimodal.accepted
    assert any(name.startswith("T2") for name in bimodal.fired)
    assert bimodal.noise == "adversarial labels"
    assert bimodal.tests[-1].name.startswith("T4")


def test_a_rejection_says_whether_a_gaussian_sample_of_that_size_passes():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(1000, 5))
    y = np.where(x[:, 0] >= 0, 1.0, -1.0)
    few = learn_and_test(x, y, sigma=0.2)
    assert not few.accepted  # 13 points in the smaller band
    assert few.rejects_gaussian == 1
    wide = learn_and_test(x, y, sigma=3.2)
    assert wide.accepted
    assert wide.rejects_gaussian is None
    assert wide.enough < 1500 < 15_000 < few.enough
    lattice = learn_and_test(np.sign(x) * 0.5, y, sigma=1.6, eta=0.1)
    assert not lattice.accepted
    assert lattice.rejects_gaussian < 0.5


def test_an_empty_band_fires_and_is_no_nan_that_passes(table):
    x, y = table
    outcome = learn_and_test(np.where(x >= 0, 3.0, -3.0), y, sigma=0.4, eta=0.1)
    empty = [t for t in outcome.tests if math.isnan(t.value)]
    assert empty
    assert not any(t.accepts for t in empty)


def test_labels_decide_only_the_halfspace_and_not_whether_points_pass(table):
    x, _ = table
    values = []
    for rate in (0.0, 0.05):
        y = np.where(x[:, 0] >= 0, 1.0, -1.0)
        y[: int(rate * 50)] *= -1
        outcome = learn_and_test(x, y, sigma=0.4, eta=0.1)
        values.append({t.name: t.accepts for t in outcome.tests})
    assert values[0] == values[1]


def test_whitening_makes_isotropic_and_drops_what_is_constant(table):
    x, _ = table
    skewed = np.column_stack([x @ np.array([[2.0, 1, 0], [0, 1, 0], [0, 3, 0.1]]) + 5, np.ones(len(x))])
    white = whitened(skewed)
    assert white.shape == (4000, 3)
    np.testing.assert_allclose(white.T @ white / 4000, np.eye(3), atol=1e-9)


def test_command_prints_which_tests_pass_and_what_is_certified(file, capsys):
    assert learn_command(["--csv", str(file), "--sigma", "0.4", "--whiten"]) == 0
    text = capsys.readouterr().out
    assert "4,000 points in 3 dimensions, 3 after whitening; adversarial labels" in text
    assert "ACCEPTED" in text
    assert re.search(r"error on held-out points: 0\.\d{4}", text)
    assert "certified lower bound on the error of every halfspace: vacuous" in text
    assert learn_command(["--csv", str(file), "--sigma", "0.4", "--eta", "0.2", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert {"w", "sigma", "error", "accepted", "fired", "tests", "angle", "W", "opt_lower", "excess"} <= set(fields)


BAD_FILES = [
    ("", "the file holds no row of numbers"),
    ("a,b,label\n", "the file holds no row of numbers"),
    ("1,2,1\n3,x,-1\n", "line 2, column 2: 'x' is not a number"),
    ("1,2,1\n\n3,4\n", "line 3 has 2 columns, the first row has 3"),
    ("a,b,label\n1,2,1\n3,4,2\n", "line 3, column 3: the label must be -1 or +1, got '2'"),
    ("1,2,1\n3,nan,1\n", "line 2, column 2: the number must be finite, got nan"),
    ("1,inf,1\n", "line 1, column 2: the number must be finite, got inf"),
    ("1,1\n2,-1\n", "line 1 has 2 columns; two or more coordinates and a label are needed"),
    ("1,2,1\n1,2,-1\n", "x must have at least 4 rows, got 2"),
    ("1,2,1\n" * 40, "too few points in the band"),
]


@pytest.mark.parametrize(("content", "message"), BAD_FILES, ids=[m[:30] for _, m in BAD_FILES])
def test_bad_files_are_refused_in_one_sentence_with_line_and_column(content, message, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=re.escape(message)):
        learn_command(["--csv", str(path), "--sigma", "0.05"])


def test_a_missing_or_binary_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        _learn.read_table(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="cannot be read"):
        _learn.read_table(tmp_path / "binary.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eta": 0.5}, "Massart rate must be in [0, 0.5), got 0.5"),
        ({"sigma": 0.0}, "sigma must be positive, got 0.0"),
        ({"tau": 0.7}, "tau must be in (0, 1/2), got 0.7"),
        ({"delta": 2.0}, "delta must be in (0, 1), got 2.0"),
        ({"sigma": 0.001}, "too few points in the band (have 0, need 2(d-1) = 4)"),
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"kernel": "step"}, "kernel must be one of smooth, ramp, logistic, got 'step'"),
    ],
)
def test_bad_parameters_are_named_before_anything_is_learned(options, message, table):
    with pytest.raises(ValueError, match=re.escape(message)):
        learn_and_test(*table, **options)
