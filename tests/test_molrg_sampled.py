"""molrg, compiled simulators: each against a second computation of the same draws, an exact law, or the algorithm on the host."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims import _generator, _runner
from sims.molrg import (
    EXPERIMENTS,
    _host,
    _pca,
    _tails,
)
from theory.molrg import _rates, _subspaces
from theory.molrg import _tails as tails

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
NAMED = {e.check.removeprefix("molrg."): e for e in EXPERIMENTS}


def _draw(name, cell=None, count=None, seed=3, **world):
    """Replicates of an experiment through the engine: arrays in float64."""
    e = NAMED[name]
    if world:
        e = dataclasses.replace(e, prepare=functools.partial(e.prepare, **world))
    cell = cell if cell is not None else e.cells["default"][0]
    e.validate and e.validate(cell)
    count = count or e.chunk
    drawn = _runner.draw(e, _runner.prepared_for(e, cell), seed, 1, 0, count)
    return {k: np.asarray(v, np.float64) for k, v in drawn.items()}


def _rare(x, p):
    """p-value of as many events under probability p, against more."""
    return stats.binomtest(int(x.sum()), len(x), p, alternative="greater").pvalue


def _between(x, p):
    return stats.binomtest(int(x.sum()), len(x), p).pvalue


# ------------------------------------------------------------------------------------------------------ smallest singular values


@pytest.mark.claim("molrg.rv")
def test_smallest_singular_value_of_a_row_has_a_chi_law():
    cell = _tails.SminCell(2, 1)
    x = _draw("rv/tail", cell)["x"]  # one chunk, a program that every test on this event shares
    exact = stats.chi2.cdf(2 / tails.RV_CONSTANT**2, 2)  # .097
    assert _between(x, exact) > FALSE_FAIL
    assert _between(x, 2 * exact) < FALSE_FAIL


@pytest.mark.claim("molrg.thm2i")
def test_tie_event_is_that_of_the_instance_itself():
    # On the host: err = sqrt(2) and ||E||_F as predicted, so that the event is smin below the threshold that `prepare_tie` sets.
    rng, cell = np.random.default_rng(4), _tails.TieCell(12, 3, 5)
    threshold = _tails.prepare_tie(cell, c1=3.0).threshold
    seen = []
    for _ in range(60):
        U, A = _host.haar(rng, 12, 3), rng.normal(size=(3, 5))
        E = _host.tie_noise(rng, U, A)
        err, smin = _subspaces.subspace_error(_host.pca(U @ A + E, 3), U), np.linalg.svd(A, compute_uv=False)[-1]
        assert err == pytest.approx(math.sqrt(2), rel=1e-5)
        assert (err > tails.thm2i_bound(np.linalg.norm(E), 5, 3, 3.0)) == (smin < threshold)
        seen.append(smin < threshold)
    assert 0 < np.mean(seen) < 1
    assert _rare(_draw("thm2i/tie", _tails.TieCell(48, 4, 5), 512)["x"], 0.25) > FALSE_FAIL
    assert _rare(_draw("thm2i/tie", _tails.TieCell(48, 4, 5), 512, c1=2.0)["x"], 0.25) < FALSE_FAIL


# ------------------------------------------------------------------------------------------------------ PCA


@pytest.mark.claim("molrg.thm2i")
def test_noisy_pca_equals_the_host_on_the_same_draws():
    cell = _pca.NoisyCell(48, 4, 8, 0.01)
    ratio = _draw("thm2i/gaussian", cell)["ratio"][0]
    key = jax.random.wrap_key_data(_runner.replicate_keys(3, 1, 0, (1, 1))[0, 0], impl=_generator.NAME)
    A, E = (np.asarray(jax.random.normal(k, (48, 16), jnp.float32), float) for k in jax.random.split(key))
    A, E, truth = A[:4, :8], 0.01 * E[:, :8], np.eye(48)[:, :4]
    err = _subspaces.subspace_error(_host.pca(truth @ A + E, 4), truth)
    assert ratio == pytest.approx(err / tails.thm2i_bound(np.linalg.norm(E), 8, 4), rel=1e-8)


@pytest.mark.claim("molrg.thm2i")
def test_gaussian_noise_violates_half_a_constant_and_not_the_derived_one():
    cell = _pca.NoisyCell(48, 4, 8, 0.01)
    assert _draw("thm2i/gaussian", cell)["x"].sum() == 0
    assert _rare(_draw("thm2i/gaussian", cell, c1=0.5)["x"], 1 / 32) < FALSE_FAIL


@pytest.mark.claim("molrg.thm2i.rate")
def test_errors_from_the_triangular_factor_have_the_law_of_all_entries():
    cell = _pca.SpikeCell(48, 4, 32, 0.1)
    reduced = _draw("thm2i.rate/slope", cell, 192)["x"]
    whole = _draw_whole(cell)
    assert stats.ks_2samp(reduced, whole["x"]).pvalue > FALSE_FAIL
    assert stats.ks_2samp(reduced, 1.15 * whole["x"]).pvalue < FALSE_FAIL
    assert np.all(whole["x"] <= whole["det"])  # the deterministic bounds hold for every draw
    assert np.all(whole["x"] <= whole["rank"])
    mean = _rates.inverse_wishart_error(48, 4, 32, 0.1)
    z = (np.mean(reduced**2) - mean) / (np.std(reduced**2) / math.sqrt(192))
    assert abs(z) < stats.norm.isf(FALSE_FAIL / 2)
    assert abs((np.mean(reduced**2) - 2 * mean) / (np.std(reduced**2) / math.sqrt(192))) > stats.norm.isf(FALSE_FAIL / 2)


def _draw_whole(cell):
    e = dataclasses.replace(NAMED["thm2i.rate/~looseness"], prepare=functools.partial(_pca.prepare_whole, pad_N=64))
    return {k: np.asarray(v, float) for k, v in _runner.draw(e, _runner.prepared_for(e, cell), 4, 1, 0, 192).items()}


@pytest.mark.claim("molrg.thm2ii.bayes")
def test_generic_completion_has_the_law_of_pca_with_one():
    rng, cell = np.random.default_rng(6), _pca.BayesCell(12, 8, 2)
    truth, host = np.eye(12)[:, :8], []
    for _ in range(600):
        X, *_ = _host.sample(rng, [truth], [2], noise="none")
        host.append(_subspaces.subspace_error(_host.pca(X, 8, rng=rng), truth) ** 2)
    drawn = _draw("thm2ii.bayes/attained", cell, 1024)["x"]
    assert stats.ks_2samp(drawn, host).pvalue > FALSE_FAIL
    assert stats.ks_2samp(drawn, 1.15 * np.array(host)).pvalue < FALSE_FAIL
    # the phase map's own completion, in all n dimensions
    err = _draw("fig4/pca", _pca.PhaseCell(48, 8, 3, 0.0), 160)["err"]
    reduced = _draw("thm2ii.bayes/attained", _pca.BayesCell(48, 8, 3), 1024)["x"]
    assert stats.ks_2samp(err**2, reduced).pvalue > FALSE_FAIL
    assert stats.ks_2samp(err**2, 1.1 * reduced).pvalue < FALSE_FAIL


@pytest.mark.claim("molrg.fig4")
def test_noiseless_recovery_is_sharp_and_noise_spoils_the_square_case():
    below, at = (_draw("fig4/pca", _pca.PhaseCell(48, 8, N, 0.0), 160) for N in (7, 8))
    assert below["x"].sum() == 0
    assert np.all(at["err"] < 1e-6)
    noisy = _draw("fig4/pca", _pca.PhaseCell(48, 8, 8, 0.01), 160)["x"]  # 1/smin has a heavy tail
    assert 0.1 < noisy.mean() < 0.9


@pytest.mark.claim("molrg.fig4")
def test_phase_map_equals_pca_on_the_host_on_the_same_draws(monkeypatch):
    monkeypatch.setattr(_pca, "MAP_D", (3,))
    monkeypatch.setattr(_pca, "MAP_N", (2, 4))  # below d and above
    n, sigma = 9, 0.3
    with jax.enable_x64(True):
        prepared = _runner.prepared_for(NAMED["fig4/~map"], _pca.MapCell(n, sigma))
        success = np.asarray(jax.jit(jax.vmap(_pca.simulate_map, (0, None)))(jax.random.split(jax.random.key(5), 40), prepared)["success"])
        keys = jax.random.split(jax.random.key(5), 40)
        shapes = ((n, 4), (n, 4), (n, 3))
        again = jax.jit(
            jax.vmap(lambda k: [jax.random.normal(s, m, jnp.float32) for s, m in zip(jax.random.split(k, 3), shapes, strict=True)])
        )
        A, E, fill = (np.asarray(a, float) for a in again(keys))
    expected = np.zeros((40, 1, 2))
    for t, a, b in np.ndindex(*expected.shape):
        d, N = _pca.MAP_D[a], _pca.MAP_N[b]
        X = sigma * E[t, :, :N] + A[t, :, :N] * (np.arange(n) < d)[:, None]
        span = X if d <= N else np.concatenate([X, fill[t, :, : d - N]], axis=1)
        expected[t, a, b] = _subspaces.subspace_error(_host.pca(span, d), np.eye(n)[:, :d]) <= 0.5
    np.testing.assert_array_equal(success, expected)
    assert 0 < expected.mean() < 1
