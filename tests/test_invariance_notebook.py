"""invariance: the authors' experiment against a loop over samples, baselines, and the certify command."""

import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory.invariance as inv
from sims import _decide, _runner, _verdicts, invariance
from sims.__main__ import main
from sims.invariance import _baselines, _certify, _experiments_theorems, _graphs, _notebook
from theory import _claims
from theory.invariance import _sem

EXPERIMENTS = {e.check: e for e in _experiments_theorems.EXPERIMENTS}
CELL = _notebook.NotebookCell


def drawn(name, cell, count=16, seed=2):
    e = EXPERIMENTS[f"invariance.{name}"]
    return _runner.draw(e, _runner.prepared_for(e, cell), seed, 3, 0, count)


# ---- the regressions


@pytest.mark.claim("invariance.fig.main")
def test_regressions_are_least_squares_of_least_norm_on_samples():
    """One hard and one soft environment of 400 samples: every subset by numpy.linalg.lstsq on the samples themselves."""
    rng = np.random.default_rng(0)
    model = _graphs.b7(noise=0.02)
    with jax.enable_x64(True):
        solve = jax.jit(lambda M, mu, hard, centred: _notebook.regressions(M, mu, hard, centred, jnp.asarray(_notebook.MASKS)))
    for family, hard, centred in (("hard_const", 1.0, 0.0), ("hard_const", 1.0, 1.0), ("soft_mult", 0.0, 0.0)):
        B, omega, mu = (a[0] for a in _graphs.draw(rng, family, model, 1))
        X = (mu + rng.standard_normal((400, 7)) * np.sqrt(omega)) @ np.linalg.inv(np.eye(7) - B).T
        Z = X - centred * X.mean(0)
        Z[:, [2, 3, 5]] *= 1 - centred * hard  # a centred constant is zero, up to rounding
        with jax.enable_x64(True):
            found = np.asarray(solve(*(jnp.asarray(a, jnp.float64) for a in ((Z.T @ Z / 400)[None], mu[None], hard, centred))))
        for i, subset in enumerate(_notebook.SUBSETS):
            expected = np.zeros(7)
            expected[list(subset)] = np.linalg.lstsq(Z[:, list(subset)], Z[:, 4], rcond=1e-9)[0]
            np.testing.assert_allclose(found[:, i, 0], expected[[0, 1, 2, 3, 5, 6]], rtol=1e-5, atol=1e-6)


def sample_loop(rng, N, m, family, tests, test_family, radius=0.02):
    """One cell in the notebook's own style: raw samples, least squares in a loop, tests afresh for every accepted subset."""
    model = _graphs.b7(noise=0.02)

    def data(kind):
        B, omega, mu = (a[0] for a in _graphs.draw(rng, kind, model, 1))
        return (mu + rng.standard_normal((N, 7)) * np.sqrt(omega)) @ np.linalg.inv(np.eye(7) - B).T

    train = [data(family) for _ in range(m)]
    accepted, scores = [], []
    for subset in _notebook.SUBSETS:
        chosen = list(subset)
        betas = np.array([np.linalg.lstsq(X[:, chosen], X[:, 4], rcond=None)[0] for X in train])
        mean = betas.mean(0)
        if np.linalg.norm(betas[:, None] - betas[None], axis=2).mean() < radius * np.linalg.norm(mean):
            accepted.append(subset)
            new = [data(test_family) for _ in range(tests)]
            off = [np.linalg.norm(np.linalg.lstsq(X[:, chosen], X[:, 4], rcond=None)[0] - mean) for X in new]
            scores.append(np.mean(np.array(off) < radius * np.linalg.norm(mean)))
    return accepted, scores


@pytest.mark.claim("invariance.fig.main")
@pytest.mark.slow  # a plain loop over 10,000 samples
def test_a_loop_over_samples_accepts_the_same_subsets_with_like_scores():
    """Hard training at m = 3, where acceptance is all but certain: the same sets, and a mean score within four of its sd."""
    accepted, scores = sample_loop(np.random.default_rng(1), 10_000, 3, "hard_const", 3, "hard_const")
    found = drawn("fig.main/score", CELL(10_000, "hard", "hard"))
    often = {s for s, share in zip(_notebook.SUBSETS, found["chosen"].mean((0, 1)), strict=True) if share > 0.5}
    assert often == {(3,), (0, 3), (1, 3), (0, 1, 3)}
    assert set(accepted) == often
    place = _notebook.M_GRID.index(3)
    assert abs(100 * np.mean(scores) - found["score"][:, place].mean()) < 4 * (100 * 0.15 / np.sqrt(3) + found["score"][:, place].std())


@pytest.mark.claim("invariance.fig.main")
def test_published_numbers_are_near_and_lying_worlds_far():
    soft = drawn("fig.main/score", CELL(45_000, "soft", "soft"))
    assert abs(soft["x"].mean() - 98.1) < 1
    assert abs(soft["count"].mean() - 12) < 0.2
    assert soft["none"].sum() == 0
    np.testing.assert_allclose(soft["chosen"].sum(2), soft["count"])
    assert np.all(np.diff(soft["box"], axis=2) >= 0)
    assert np.all((soft["box"][:, :, 0] <= soft["score"]) & (soft["score"] <= soft["box"][:, :, -1]))
    accepted = drawn("fig.main/accepted", CELL(45_000, "soft", "soft"))
    np.testing.assert_allclose(accepted["x"], accepted["count"].mean(1))
    assert drawn("fig.main/accepted!centred", CELL(10_000, "hard", "hard"))["x"].min() == 8  # cut at twice the published 4
    flipped = CELL(10_000, "hard", "rademacher")
    assert abs(drawn("fig.main/score", flipped)["x"].mean() - 45) < 4
    assert drawn("fig.main/score!signed-target", flipped)["x"].max() < 30


@pytest.mark.claim("invariance.scope")
def test_what_was_right_on_every_hard_intervention_fails_outside_the_family():
    cell = CELL(45_000, "hard", "rademacher")
    assert drawn("scope/rademacher", cell)["x"].max() == 0
    assert np.median(drawn("scope/rademacher!hard-test", cell)["x"]) > 0.95
    assert abs(drawn("scope/blanket", CELL(45_000, "soft", "rademacher"))["x"].mean() - 0.25) < 0.03


@pytest.mark.claim("invariance.fig.main")
def test_failure_of_pooled_least_squares_is_an_artefact_of_singular_moments():
    assert drawn("fig.main/erm", CELL(45_000, "hard", "hard"))["x"].mean() < 0.01
    assert drawn("fig.main/erm!soft", CELL(45_000, "hard", "hard"))["x"].mean() > 0.9
    # in the population it is exactly invariant under soft interventions: the target's only child is no site
    Sigma, r, _ = _graphs.environments(np.random.default_rng(0), "soft_mult", _graphs.b7(), 12)
    V, beta = _baselines.erm(Sigma, r)
    assert inv.gap(Sigma, r, V, beta).max() < 1e-9
    assert np.abs(_sem.regression(Sigma, r, np.eye(6)) - beta).max() < 1e-9


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (CELL(7, "hard", "hard"), "N must exceed p=7, got N=7."),
        (CELL(1000, "noise", "hard"), "train must be hard or soft, got 'noise'."),
        (CELL(1000, "hard", "noise"), "test must be one of hard, soft, rademacher, got 'noise'."),
    ],
)
def test_notebook_cells_are_checked(cell, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        _notebook.validate_notebook(cell)


@pytest.mark.claim("invariance.fig.main")
def test_a_size_that_was_not_published_is_planned_as_outside_the_claim():
    options = _decide.Options(out=Path("nowhere"))
    asked = _verdicts.asked_decisions(_claims.claims()["invariance.fig.main"], "N=20000", options)
    assert [d.check.name for d in asked] == ["score", "accepted", "erm"]
    for d in asked[:2]:
        assert _decide.plan_of(d.check, d.experiment, d.cells, None, options).keys() == {"max_replicates"}
        assert not d.targets(None)[0].inside


# ---- baselines


@pytest.mark.claim("invariance.fig.main")
def test_baselines_on_a_graph_where_pooled_least_squares_is_wrong():
    rng = np.random.default_rng(3)
    model = _graphs.b7(_baselines.SITES)
    Sigma, r, c = _graphs.environments(rng, "soft_add", model, 8)
    new = _graphs.environments(rng, "soft_add", model, 100)

    def worst(V, beta):
        return np.linalg.norm(_sem.gap_vector(*new[:2], V, beta), axis=1).max()

    assert worst(*_baselines.erm(Sigma, r)) > 1
    assert worst(*_baselines.irm(Sigma, r, rng=rng)) < 0.1  # m = 8 > R = 5
    assert worst(*_baselines.subset_selection(Sigma, r, c)) < 1e-9
    _, beta = _baselines.causal_parents(Sigma, r, [1, 3])
    np.testing.assert_allclose(beta, [0, 1, 0, 1, 0, 0], atol=1e-9)
    _, beta = _baselines.icp(Sigma, r, c)
    np.testing.assert_allclose(beta, [0, 1, 0, 1, 0, 0], atol=1e-9)
    with pytest.raises(ValueError, match=r"penalty must be finite and >= 0, got -1\."):
        _baselines.irm(Sigma, r, penalty=-1)


# ---- certify


def graph(**more):
    edges = [[int(j), int(i), float(inv.B7[i, j])] for i, j in zip(*np.nonzero(inv.B7), strict=True)]
    return json.dumps({"edges": edges, **more})


@pytest.mark.claim("invariance.thm.pac")
def test_certify_answers_on_the_authors_graph():
    c = invariance.certify(inv.B7, 4, [5, 2, 3], family="soft_mult", k=1)
    assert (c.n_lin, c.n_eff, c.rank_target, c.vc, c.vc_from, c.vc_n) == (12, 12, 6, 78, 956, 15882)
    assert c.scenario_n == inv.scenario_n(0.1, 1, 0.05)
    assert {s for s, _ in c.invariant} == set(inv.separated_subsets(inv.B7, 4, (2, 3, 5)))
    assert all(separated for _, separated in c.invariant)
    hard = invariance.certify(inv.B7, 4, [2, 3, 5], family="hard_const")
    assert (hard.n_lin, hard.vc_n) == (7, 4569)


@pytest.mark.claim("invariance.L8")
def test_certify_covers_what_training_spans_and_nothing_else():
    unseen = [{"name": "covered", "edges": [[0, 2, 0.3]]}, {"name": "child", "edges": [[4, 6, 2.0]]}, {"name": "do", "constant": {"2": 3}}]
    B, omega, training, new = invariance.read_graph(graph(unseen=unseen, training=24))
    c = invariance.certify(B, 4, [2, 3, 5], omega=omega, training=training, unseen=new)
    kappas = dict(c.kappas)
    assert c.num_training == 24
    assert np.isfinite(kappas["covered"])
    assert np.isinf(kappas["child"])
    assert np.isfinite(kappas["do"])  # a constant at a site stays in the span of L2
    again = invariance.certify(B, 4, [2, 3, 5], training=new[:1], unseen=new[:1])
    assert dict(again.kappas)["covered"] == pytest.approx(1)


def test_certify_prints_and_reads_json(tmp_path, capsys):
    path = tmp_path / "graph.json"
    path.write_text(graph(unseen=[{"name": "child", "edges": [[4, 6, 2.0]]}]))
    words = ["--graph", str(path), "--sites", "2,3,5", "--target", "4"]
    assert _certify.certify_command(words) == 0
    text = capsys.readouterr().out
    assert "N_lin = 12" in text
    assert "15,882 interventions" in text
    assert "inf: outside their span" in text
    assert _certify.certify_command([*words, "--json", "--family", "noise"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_lin"], found["kappas"]) == (4, [["child", "inf"]])
    assert len(found["invariant"]) == 18


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the graph must be JSON"),
        ("[]", 'the graph must be an object with "edges".'),
        (graph(extra=1), "the graph knows nodes, edges, noise, training and unseen, got extra."),
        ('{"edges": [[0, 1]]}', "edges must be [parent, child, weight], got [0, 1]."),
        ('{"edges": [[0, 1, "a"]]}', "edges must be a finite number, got 'a'."),
        ('{"edges": ["ab"]}', "edges must be [parent, child, weight], got 'ab'."),
        ('{"edges": [[0, 1, 1], [1, 0, 1]]}', "edges must be acyclic"),
        ('{"edges": [[0, 1, 1]], "nodes": 1}', "nodes must be an integer in 2..200, got 1."),
        (graph(noise=-1), "noise must be > 0"),
        (graph(noise=[1, 2]), "noise must have 7 entries"),
        (graph(unseen=[{"edge": []}]), "unseen 0 knows name, edges, noise and constant, got edge."),
        (graph(unseen=[{"noise": {"9": 1}}]), "noise of unseen 0 must be an integer in 0..6, got 9."),
        (graph(unseen=[{"noise": {"3": 0}}]), "noise of unseen 0 must be > 0, got 0.0."),
        (graph(unseen=[3]), "unseen 0 must be an object, got 3."),
        (graph(training=[]), "training must name at least one intervention."),
        (graph(training=0), "training must be an integer >= 1, got 0."),
    ],
)
def test_bad_graphs_are_refused_in_one_sentence(text, message):

    def ask():
        B, omega, training, unseen = invariance.read_graph(text)
        return invariance.certify(B, 4, [2, 3, 5], omega=omega, training=training, unseen=unseen)

    with pytest.raises(ValueError, match=re.escape(message)):
        ask()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"family": "rademacher"}, "family must be one of soft_mult, soft_add, hard_const, hard_noise, noise, got 'rademacher'."),
        ({"k": 7}, "k must be an integer in 1..6, got 7."),
        ({"rho": 0}, "rho must lie in (0, 1), got 0."),
        ({"v": 0}, "v must be finite and > 0, got 0."),
        ({"omega": np.zeros(7)}, "omega must be > 0 (0 is allowed at hard sites only)"),
    ],
)
def test_certify_checks_its_arguments(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        invariance.certify(inv.B7, 4, [2, 3, 5], **given)


def test_command_line_refuses_in_one_sentence(tmp_path, capsys):
    assert main(["invariance", "certify", "--graph", str(tmp_path / "none.json"), "--sites", "2,x", "--target", "4"]) == 2
    assert capsys.readouterr().err.startswith("sims: certify: the graph cannot be read")
    path = tmp_path / "graph.json"
    path.write_text(graph())
    assert main(["invariance", "certify", "--graph", str(path), "--sites", "2,x", "--target", "4"]) == 2
    assert capsys.readouterr().err == "sims: certify: sites must be node numbers with commas between, got '2,x'.\n"
