"""molrg, compiled: samples of the mixture, its denoiser, score and Jacobian, and the sampler, against closed forms and exact laws."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims import _runner
from sims.molrg import (
    EXPERIMENTS,
    _host,
    _mixture,
)
from theory.molrg import _denoiser, _sampler

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


def _between(x, p):
    return stats.binomtest(int(x.sum()), len(x), p).pvalue


# ------------------------------------------------------------------------------------------------------ mixture, denoiser, sampler


@pytest.mark.claim("molrg.def1")
def test_samples_have_the_declared_covariance_and_labels_and_lying_worlds_do_not():
    small = _mixture.MixtureCell(N=4000)
    e = dataclasses.replace(NAMED["def1/covariance"], chunk=4)
    honest = _runner.draw(e, _mixture.prepare_mixture(small), 3, 1, 0, 4)
    assert np.max(honest["entry"]) < 0.12  # 78 entries of sd at most .027, five sd at 4 x 78 draws
    assert np.max(honest["frequency"]) < 0.05
    for world, name, least in (({"coefficients": "uniform"}, "entry", 0.2), ({"labels": "uniform"}, "frequency", 0.12)):
        drawn = _runner.draw(e, _mixture.prepare_mixture(small, **world), 3, 1, 0, 4)
        assert np.min(drawn[name]) > least


def _mixture_arrays(Us, pis):
    owner = np.repeat(np.arange(len(Us)), [U.shape[1] for U in Us])
    blocks = (owner[None] == np.arange(len(Us))[:, None]).astype(float)
    return np.concatenate(Us, axis=1), blocks, np.log(pis), 0.5 * blocks.sum(1)


@pytest.mark.claim("molrg.lem1")
@pytest.mark.claim("molrg.lem1.det")
def test_compiled_denoiser_equals_the_closed_form_and_its_score_the_gradient_of_the_log_density():
    rng = np.random.default_rng(7)
    Us, pis = _host.bases(rng, 9, [2, 4], "independent"), np.array([0.3, 0.7])
    arrays, points = _mixture_arrays(Us, pis), rng.normal(size=(4, 9))
    compiled = jax.jit(jax.vmap(lambda x, sigma: _mixture.denoise(x, 1.0, sigma, *arrays)[0], (0, None)))
    with jax.enable_x64(True):
        for sigma in (0.002, 0.5):
            ours = compiled(points, sigma)
            np.testing.assert_allclose(ours, _denoiser.lem1_posterior_mean(points, Us, pis, 1.0, sigma), rtol=1e-10, atol=1e-12)

        def log_density(x):
            logs = [
                jnp.log(pi) - 0.5 * (x @ jnp.linalg.solve(C, x) + jnp.linalg.slogdet(C)[1])
                for pi, U in zip(pis, Us, strict=True)
                for C in [jnp.asarray(U @ U.T + 0.25 * np.eye(9))]
            ]
            return jax.nn.logsumexp(jnp.stack(logs))

        gradient = jax.jit(jax.vmap(jax.grad(log_density)))(points)
    np.testing.assert_allclose(gradient, _denoiser.score(points, Us, pis, 1.0, 0.5), rtol=1e-9, atol=1e-10)


@pytest.mark.claim("molrg.fig3")
def test_compiled_jacobian_equals_the_closed_form_on_orthogonal_subspaces():
    Us = [np.eye(6)[:, :2], np.eye(6)[:, 2:4], np.eye(6)[:, 4:]]
    _, blocks, log_pis, _ = _mixture_arrays(Us, np.full(3, 1 / 3))
    y = np.random.default_rng(8).normal(size=6)
    with jax.enable_x64(True):
        ours = jax.jit(_mixture.jacobian)(y, 1.0, 0.6, blocks, log_pis, np.zeros(3))
    np.testing.assert_allclose(ours, _denoiser.jacobian(y, Us, np.full(3, 1 / 3), 1.0, 0.6), atol=1e-12)


@pytest.mark.claim("molrg.fig3")
def test_rank_runs_from_one_subspace_to_all_and_lying_worlds_from_neither():
    for sigma, rank in ((0.05, 4), (10.0, 12)):
        np.testing.assert_array_equal(_draw("fig3/low-noise", _mixture.JacobianCell(3, 4, sigma))["rank"], rank)
    assert np.all(_draw("fig3/low-noise", world="one-gaussian")["rank"] == 12)
    assert np.all(_draw("fig3/low-noise", _mixture.JacobianCell(3, 4, 10.0), world="hard-max")["rank"] == 4)
    rooted, plain = (_draw("fig3/low-noise", _mixture.JacobianCell(3, 4, 1.0), rooted=r)["rank"].mean() for r in (True, False))
    assert 4 < rooted < plain < 12


@pytest.mark.claim("molrg.thm3.gap")
def test_disagreement_of_the_weights_is_that_of_the_posterior_itself():
    d, sigma = 2, 0.8
    x = _draw("thm3.gap/law", _mixture.GapCell(d, sigma), 8192)["x"]
    assert _between(x, _denoiser.thm3_gap(d, sigma)) > FALSE_FAIL
    assert _between(x, 1.2 * _denoiser.thm3_gap(d, sigma)) < FALSE_FAIL
    rng = np.random.default_rng(9)
    Us = _host.bases(rng, 7, [d, d], "orthogonal")
    points = rng.normal(size=(4000, d)) @ Us[0].T + sigma * rng.normal(size=(4000, 7))
    w = _denoiser.lem1_weights(points, Us, [0.5, 0.5], 1.0, sigma)
    assert _between(w[:, 1] > w[:, 0], _denoiser.thm3_gap(d, sigma)) > FALSE_FAIL


@pytest.mark.claim("molrg.sampler")
def test_compiled_sampler_multiplies_by_the_predicted_factor():
    levels = jnp.asarray(_sampler.sigma_schedule(18), jnp.float32)
    start = jnp.asarray([80.0, -40.0, 16.0], jnp.float32)
    keep = jnp.asarray([1.0, 1.0, 0.0], jnp.float32)
    for corrected in (1.0, 0.0):
        out = jax.jit(lambda start, c: _mixture.heun(lambda x, s: keep * x / (1 + s**2), start, levels, c))(start, corrected)
        gain = 1 + _sampler.in_subspace_error(18, heun=corrected == 1.0)
        np.testing.assert_allclose(out[:2], start[:2] / math.sqrt(6401) * gain, rtol=2e-5)
        assert abs(out[2]) < 1e-9  # off the subspace nothing is left but rounding


@pytest.mark.claim("molrg.sampler")
def test_generated_frequencies_are_the_weights_with_the_factor_and_not_without():
    for world, close in (({}, True), ({"determinant": False}, False)):
        drawn = _draw("sampler/frequencies", _mixture.FrequencyCell(0), 1024, **world)
        assert (abs(drawn["x"].mean() - 0.5) < 0.085) == close  # 5.4 sd
        assert drawn["off"].max() < 0.02  # between two components at the last noise level, once in a thousand
    assert drawn["x"].mean() < 0.25


@pytest.mark.claim("molrg.w2")
def test_flow_distance_is_the_subspace_error():
    e = NAMED["w2/flow"]
    x = _draw("w2/flow", count=2048)["x"]
    z = (x.mean() - 0.8) / (x.std() / math.sqrt(2048))
    assert abs(z) < stats.norm.isf(FALSE_FAIL / 2)
    assert (1 - x.mean()) / (x.std() / math.sqrt(2048)) > stats.norm.isf(FALSE_FAIL / 2)  # the falsifier: distance err
    with pytest.raises(ValueError, match="sigma_T must be above"):
        e.validate(_mixture.FlowCell(sigma_T=0.001))


def test_empirical_denoiser_returns_the_nearest_sample_at_low_noise_and_the_mean_at_high():
    X = jnp.asarray(np.random.default_rng(10).normal(size=(5, 7)), jnp.float32)
    near, denoiser = X[:, 3] + 0.01, jax.jit(_mixture.empirical_denoiser)
    np.testing.assert_allclose(denoiser(near, 1.0, 0.02, X), X[:, 3], rtol=1e-5)
    np.testing.assert_allclose(denoiser(near, 1.0, 1e3, X), X.mean(1), atol=1e-4)
