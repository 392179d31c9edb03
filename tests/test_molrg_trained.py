"""molrg, compiled: K-subspaces against the host, trained denoisers against the optimum they should reach, cells that are refused."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims import _experiment, _runner
from sims.molrg import (
    EXPERIMENTS,
    _clusters,
    _experiments_clusters,
    _experiments_mixture,
    _experiments_recovery,
    _host,
    _mlp,
    _pca,
    _tails,
    _training,
)
from theory.molrg import _denoiser, _subspaces
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


# ------------------------------------------------------------------------------------------------------ clusters


@functools.cache
def _problem():
    """Noiseless samples of two tilted subspaces, padded, and the host's view of them."""
    p = _clusters.prepare_starts(_clusters.StartsCell(12, 2, 3, 7, 0.0, 60.0))
    with jax.enable_x64(True):
        X, _ = jax.jit(_clusters._samples)(jax.random.key(11), p)
    used = p.columns > 0
    return p, np.asarray(X), used, [p.truth[k][:, :3] for k in (0, 1)]


@pytest.mark.claim("molrg.fig4")
@pytest.mark.claim("molrg.thm4i")
def test_compiled_k_subspaces_equals_the_host_from_the_same_labels():
    p, X, used, _ = _problem()
    labels = np.random.default_rng(12).integers(0, 2, X.shape[1]).astype(np.int32)
    with jax.enable_x64(True):
        G = jax.random.normal(jax.random.key(13), (2, 12, 8), jnp.float32).astype(jnp.float64)
        found, bases, energy, _ = jax.jit(_clusters.kss)(X, labels, p.columns, G, p.directions)
    host, Us, host_energy, _ = _host.kss(X[:, used], 2, 3, np.random.default_rng(14), labels=labels[used])
    np.testing.assert_array_equal(np.asarray(found)[used], host)
    assert float(energy) == pytest.approx(host_energy, rel=1e-9)
    for k in (0, 1):
        basis = np.asarray(bases)[k][:, :3]
        np.testing.assert_allclose(np.asarray(bases)[k][:, 3:], 0, atol=1e-12)
        assert _subspaces.subspace_error(basis, Us[k]) < 1e-6


def test_a_cluster_below_its_dimension_is_completed_to_an_orthonormal_basis():
    p, X, _, _ = _problem()
    member = np.zeros((2, X.shape[1]))
    member[0, :2] = 1.0  # two samples, and an empty cluster
    with jax.enable_x64(True):
        G = jax.random.normal(jax.random.key(15), (2, 12, 8), jnp.float32).astype(jnp.float64)
        bases = np.asarray(jax.jit(_clusters.fit)(X, member, G, p.directions))
    for k in (0, 1):
        np.testing.assert_allclose(bases[k][:, :3].T @ bases[k][:, :3], np.eye(3), atol=1e-9)
    inside = bases[0] @ (bases[0].T @ X[:, :2])
    np.testing.assert_allclose(inside, X[:, :2], atol=1e-9)


def test_matching_undoes_a_renaming_of_the_clusters():
    _, _, _, truth = _problem()
    with jax.enable_x64(True):
        each, worst = jax.jit(_clusters.match)(np.stack(truth[::-1]), np.stack(truth))
    np.testing.assert_allclose(each, 0, atol=1e-12)
    assert float(worst) < 1e-12


@pytest.mark.slow  # the largest program; the default preset runs it
@pytest.mark.claim("molrg.thm4i")
def test_clusters_are_found_within_the_bound_and_outside_a_third():
    cell = _clusters.ClusterCell(48, 2, 2, 10, 0.01)
    drawn = _draw("thm4i/spectral", cell, 32)
    assert drawn["x"].sum() == 0
    assert drawn["success"].all()
    # the event at c1 = .3 from the same ratios, so that no second program is compiled
    assert np.mean(drawn["ratio"] * tails.C1 / 0.3 > 1) > tails.thm4i_failure(2, [10, 10]) + 0.3


# ------------------------------------------------------------------------------------------------------ training


@pytest.mark.claim("molrg.thm1")
@pytest.mark.claim("molrg.fig4")
def test_trained_denoiser_reaches_pca_and_a_short_training_does_not():
    cell = _training.TrainCell(48, 1, 4, 16, 0.01)
    drawn, short = _draw("thm1/trained", cell, 16), _draw("thm1/trained", cell, 16, steps=300)
    assert np.median(drawn["distance"]) < 1e-4
    assert stats.binomtest(int(drawn["x"].sum()), 16, 0.25, alternative="greater").pvalue > FALSE_FAIL
    assert np.median(short["distance"]) > np.median(drawn["distance"])
    assert np.all(drawn["err"] > _training.CLOSE)  # PCA is not the truth: the lying world that measures against that is far off


@pytest.mark.claim("molrg.thm3")
def test_energy_of_a_span_needs_no_orthonormal_basis():
    rng = np.random.default_rng(16)
    V, X = rng.normal(size=(2, 7, 3)), rng.normal(size=(7, 5))
    with jax.enable_x64(True):
        ours = jax.jit(_training._captured)(V, X)
    Qs = [np.linalg.qr(v)[0] for v in V]
    np.testing.assert_allclose(ours, _denoiser.energies(X.T, Qs).T, rtol=1e-10)


@pytest.mark.claim("molrg.thm3")
def test_soft_max_loss_is_least_at_the_truth_on_the_same_draws():
    rng = np.random.default_rng(17)
    Us = _host.bases(rng, 6, [2, 2], "orthogonal")
    X, *_ = _host.sample(rng, Us, [4, 4], noise="none")
    samples, columns = jnp.asarray(X, jnp.float32), jnp.ones(8, jnp.float32)
    others = [_host.bases(rng, 6, [2, 2], "independent") for _ in range(7)]
    V = jnp.asarray(np.stack([np.stack(B) for B in (Us, *others)]), jnp.float32)
    loss = jax.jit(jax.vmap(lambda V, key: _training.softmax_loss(V, samples, key, columns), (0, None)))
    for seed in range(5):
        found = np.asarray(loss(V, jax.random.key(seed)))
        assert np.all(found[1:] > found[0])


@pytest.mark.claim("molrg.fig5a")
def test_scores_of_a_perfect_model_and_of_a_memoriser():
    rng = np.random.default_rng(19)
    train, fresh, new = (jnp.asarray(rng.normal(size=(m, 3)), jnp.float32) for m in (64, 2000, 2000))
    used, score = jnp.ones(64, jnp.float32), jax.jit(_mlp.generalization_score)
    assert float(score(new, fresh, train, used)) == pytest.approx(0.95, abs=0.03)
    assert float(score(jnp.tile(train, (32, 1))[:2000], fresh, train, used)) == 0.0
    blocks = jnp.asarray([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], jnp.float32)
    np.testing.assert_allclose(_mlp.off_union(jnp.asarray([[3.0, 4.0, 0.0], [0.0, 3.0, 4.0]], jnp.float32), blocks), [0, 0.6], atol=1e-6)


@pytest.mark.claim("molrg.fig5a")
def test_untrained_network_passes_its_skip_connection_through():
    params = [(jnp.zeros((a, b), jnp.float32), jnp.zeros(b, jnp.float32)) for a, b in ((11, 4), (4, 4), (4, 4), (4, 3))]
    x = jnp.ones((2, 3), jnp.float32)
    out = jax.jit(_mlp.mlp_denoiser)(params, x, jnp.asarray([0.5, 2.0], jnp.float32), 0.5)
    np.testing.assert_allclose(out, np.array([[0.5], [0.25 / 4.25]]) * np.ones((2, 3)), rtol=1e-6)


# ------------------------------------------------------------------------------------------------------ cells


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("rv/tail", {"N": 3}, "upper bound needs N >= d"),
        ("rv/tail", {"d": 0}, "n, d, K and N must be positive integers"),
        ("thm2i/gaussian", {"sigma_e": -0.1}, "noise level must be >= 0"),
        ("thm2i/gaussian", {"d": 49, "N": 60}, "subspace dimension exceeds ambient dimension"),
        ("thm2i/tie", {"N": 4}, "noise tie needs N > d"),
        ("thm2i.rate/ambient", {"sigma": 0.0}, "sigma must be finite and > 0"),
        ("thm2ii.bayes/attained", {"N": 8}, "bayes needs N < d <= n"),
        ("thm3.gap/law", {"sigma": -1.0}, "sigma must be finite and > 0"),
        ("thm4i/spectral", {"K": 30}, "orthogonal subspaces need sum(d_k) <= n"),
        ("thm4i/spectral", {"N_k": 1}, "upper bound needs N >= d"),
        ("fig3/low-noise", {"K": 1000}, "K d must be at most 256"),
        ("fig4/pca", {"sigma_e": math.nan}, "noise level must be >= 0"),
        ("sampler/frequencies", {"k": 3}, "k must be 0 to 2, got 3"),
        ("sampler/frequencies", {"weights": "0.5+0.3+0.3"}, "weights must be positive and sum to 1"),
        ("sampler/frequencies", {"dims": "2+4+60"}, "subspace dimension exceeds"),
        ("thm1/trained", {"N_k": 3}, "upper bound needs N >= d"),
        ("thm1/trained", {"steps": 0}, "steps must be 1 to 1000000"),
        ("def1/covariance", {"mode": "angle"}, "mode must be one of orthogonal, independent"),
        ("def1/covariance", {"dims": "2+13"}, "subspace dimension exceeds"),
    ],
)
def test_bad_cells_are_named_before_anything_compiles(name, changes, message):
    e = NAMED[name]
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        e.validate(dataclasses.replace(e.ask, **changes))


def test_chunks_of_programs_with_linear_algebra_stay_on_one_device():
    modules = (_experiments_recovery, _experiments_clusters, _experiments_mixture)
    sampled = [e for m in modules for e in m.EXPERIMENTS if e.simulate is not None]
    for e in sampled:
        if e.simulate.__module__ in (_pca.__name__, _tails.__name__, _clusters.__name__, _training.__name__):
            long = e.chunk * e.seconds_per_replicate > _runner.COMPILE_SECONDS
            assert not long or not e.cells.get("default"), e.check
    assert len({_experiment.cell_id(c) for c in NAMED["rv/tail"].cells["default"]}) == 20
