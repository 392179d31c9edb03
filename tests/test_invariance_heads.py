"""invariance: representations fixed in advance, and heads learned on them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

import theory.invariance as inv
from sims import _runner
from sims.invariance import _experiments_theorems as theorems
from sims.invariance import _fixed, _graphs

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
EXPERIMENTS = {e.check.removeprefix("invariance."): e for e in theorems.EXPERIMENTS}


def drawn(name, cell, count, seed=3, **prepare):
    """`count` replicates of an experiment at a cell: dict of host arrays. prepare: a lying world's own words."""
    e = EXPERIMENTS[name]
    if prepare:
        e = dataclasses.replace(e, prepare=lambda c: EXPERIMENTS[name].prepare(c, **prepare))
    return _runner.draw(e, _runner.prepared_for(e, cell), seed, 11, 0, count)


# ---- fixed representations and heads


@pytest.mark.claim("invariance.law.fixed")
def test_two_sweeps_over_the_edges_give_the_column_of_the_moment():
    model = _graphs.b7(seed=2)
    pattern, weights = _fixed.pattern_of(model)
    M = inv.second_moment(model.B, np.ones(7))
    gamma = np.arange(7.0) - 2
    (column,) = _fixed.columns(pattern, list(weights), [list(gamma)])
    np.testing.assert_allclose(column, M @ gamma, rtol=1e-12)


@pytest.mark.claim("invariance.law.fixed")
def test_a_new_gap_is_the_largest_of_n_plus_one_as_often_as_any_other():
    for n in (1, 5):
        p = 1 / (n + 1)
        x = drawn("law.fixed/mean", _fixed.FixedCell(n), 8192)["x"]
        assert stats.binomtest(int(x.sum()), len(x), p).pvalue > FALSE_FAIL
        wrong = drawn("law.fixed/mean", _fixed.FixedCell(n), 8192, rank=2)["x"]
        assert stats.binomtest(int(wrong.sum()), len(wrong), p).pvalue < FALSE_FAIL


@pytest.mark.claim("invariance.scenario")
def test_exchange_solves_the_linear_program():
    rng = np.random.default_rng(8)
    A, b = rng.standard_normal((12, 2, 2, 2)), rng.standard_normal((12, 2, 2))
    with jax.enable_x64(True):
        solve = jax.jit(jax.vmap(lambda A, b: _fixed.minimax(A, b, jnp.int32(4))))
        w, tau, done = solve(jnp.asarray(A.reshape(12, 4, 2)), jnp.asarray(b.reshape(12, 4)))
    assert np.all(done)
    for i in range(6):
        linear = optimize.linprog(
            [0, 0, 1],
            A_ub=np.block([[A[i].reshape(4, 2), -np.ones((4, 1))], [-A[i].reshape(4, 2), -np.ones((4, 1))]]),
            b_ub=np.concatenate([b[i].ravel(), -b[i].ravel()]),
            bounds=[(None, None)] * 3,
        )
        np.testing.assert_allclose([*w[i], tau[i]], linear.x, rtol=1e-7, atol=1e-9)


@pytest.mark.claim("invariance.scenario")
def test_learned_head_fails_as_often_as_its_support_says():
    for cell in (_fixed.HeadCell("3+5", 10), _fixed.HeadCell("3+5", 20)):
        mean, sd = theorems._expected_head(cell.subset, cell.n)
        x = drawn("scenario/mean", cell, 512)["x"]
        assert np.isfinite(x).all()
        assert abs(x.mean() - mean) < 0.1 * mean + 5 * sd / np.sqrt(512)
        assert abs(x.mean() - mean / 1.5) > 5 * sd / np.sqrt(512)
