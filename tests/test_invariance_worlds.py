"""invariance: sampled moments; equal laws, falsifiers, limits."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import theory.invariance as inv
from sims import _experiment, _runner
from sims.invariance import _adversary, _draws, _fixed, _graphs, _sampling
from sims.invariance import _experiments_facts as facts
from sims.invariance import _experiments_theorems as theorems
from theory.invariance import _sem

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
EXPERIMENTS = {e.check.removeprefix("invariance."): e for e in (*facts.EXPERIMENTS, *theorems.EXPERIMENTS)}


def drawn(name, cell, count, seed=3, **prepare):
    """`count` replicates of an experiment at a cell: dict of host arrays. prepare: a lying world's own words."""
    e = EXPERIMENTS[name]
    if prepare:
        e = dataclasses.replace(e, prepare=lambda c: EXPERIMENTS[name].prepare(c, **prepare))
    return _runner.draw(e, _runner.prepared_for(e, cell), seed, 11, 0, count)


def mean_is(x, expected, sd):
    """Whether a mean of i.i.d. numbers of known sd agrees with the expected one, at FALSE_FAIL by a normal approximation."""
    return abs(np.mean(x) - expected) < stats.norm.isf(FALSE_FAIL / 2) * sd / np.sqrt(len(x))


# ---- draws


@pytest.mark.claim("invariance.L1")
def test_families_are_the_same_in_numpy_and_jax():
    model = _graphs.b7(seed=1)
    families = [_draws.Interventions(**_draws.fields_of(model, family, 0.7)) for family in inv.FAMILIES]
    signed = [np.linspace(-0.9, 0.8, m.count, dtype=np.float32) for m in families]
    with jax.enable_x64(True):
        numbers = jax.jit(lambda signed: [_draws.raw(s, m.family) for s, m in zip(signed, families, strict=True)])(signed)
        drawn = [np.asarray(z, dtype=np.float64) for z in numbers]
        theirs = jax.jit(lambda drawn: [_draws.environment(z, m) for z, m in zip(drawn, families, strict=True)])(drawn)
    for m, s, z, environment in zip(families, signed, drawn, theirs, strict=True):
        law, low, high, _ = _sem.raw_law(m.family)
        expected = stats.norm.ppf((s.astype(float) + 1) / 2) if law == "normal" else np.sign(s) if law == "sign" else None
        np.testing.assert_allclose(z, (low + high) / 2 + (high - low) / 2 * s if expected is None else expected, rtol=1e-4, atol=1e-6)
        ours = _sem.intervene(m.family, model.B, model.omega, model.slots.edge, model.slots.node, z, 0.7, 4)
        for a, b in zip(ours, environment, strict=True):
            np.testing.assert_allclose(np.broadcast_to(a, np.shape(b)), b, rtol=1e-12)


@pytest.mark.claim("invariance.L6")
def test_exact_sample_moments_have_the_law_of_samples():
    """Quadratic forms of X^T X/N from samples and from Bartlett's factors, two sample Kolmogorov-Smirnov tests; a shifted N fails."""
    p, N, count = 3, 64, 3000
    B = np.array([[0.0, 0, 0], [0, 0, 0], [0.5, -1.0, 0]])
    omega, mu = np.array([1.0, 0.0, 2.0]), np.array([0.0, 0.7, 0.0])
    T = np.linalg.inv(np.eye(p) - B)
    rng = np.random.default_rng(0)
    X = (mu + rng.standard_normal((count, N, p)) * np.sqrt(omega)) @ T.T
    brute = np.einsum("rni,rnj->rij", X, X) / N

    def ours(N, seed):
        s = _draws.signed(jax.random.key(seed), (count, _draws.num_sample_numbers(p)), jnp.float32)
        parts = [jnp.asarray(a, jnp.float32) for a in (T, omega, mu)]
        return np.asarray(jax.jit(jax.vmap(lambda one: _draws.sample_moment(one, *parts, jnp.float32(N))))(s))

    good, bad = ours(N, 1), ours(2 * N, 2)
    for i, j in ((0, 0), (0, 2), (1, 2), (2, 2)):
        assert stats.ks_2samp(good[:, i, j], brute[:, i, j]).pvalue > FALSE_FAIL / 4
        assert stats.ks_2samp(bad[:, i, j], brute[:, i, j]).pvalue < FALSE_FAIL
    np.testing.assert_allclose(good[:, 1, 1], 0.49, rtol=1e-5)  # a constant has no noise


@pytest.mark.claim("invariance.L6")
def test_chi_square_is_one():
    degrees = jnp.asarray([50.0, 63.0, 12799.0], jnp.float32)
    s = _draws.signed(jax.random.key(5), (20_000, 3, 2 * _draws.ROUNDS), jnp.float32)
    roots = np.asarray(jax.jit(jax.vmap(lambda one: _draws.root_chi_square(one, degrees)))(s), dtype=float)
    for i, k in enumerate((50, 63, 12799)):
        assert stats.kstest(roots[:, i], stats.chi(k).cdf).pvalue > FALSE_FAIL
        assert stats.kstest(roots[:, i], stats.chi(k * 1.02).cdf).pvalue < FALSE_FAIL


@pytest.mark.claim("invariance.L1")
def test_samples_made_node_by_node_have_the_closed_forms_moments():
    cell = _sampling.BruteCell("hard_const")
    assert mean_is(drawn("L1/sampled", cell, 32)["x"], 1.0, 0.03)
    assert drawn("L1/sampled", cell, 32, keep_noise=True)["x"].mean() > 1.3


@pytest.mark.claim("invariance.thm.samples")
def test_relative_error_falls_like_one_over_root_N():
    errors = [drawn("thm.samples/rate", _sampling.RadiusCell(N), 64)["x"].mean() for N in (400, 6400)]
    assert 0.2 < errors[1] / errors[0] < 0.32  # 1/4; sd of a mean of 64 is 3.5 %
    used = drawn("L6/zero-mean", _sampling.RadiusCell(400), 64)
    assert used["x"].max() == 0
    assert 0.1 < used["used"].max() < 1


def test_cells_are_checked_before_anything_is_drawn():
    bad = {
        "L1/sampled": (_sampling.BruteCell("soft"), "family must be one of"),
        "L6/zero-mean": (_sampling.RadiusCell(7), "N must exceed p=7, got N=7"),
        "thm.samples/rate": (_sampling.RadiusCell(100, 1.0), "delta must lie in"),
        "law.fixed/mean": (_fixed.FixedCell(0), "n must be an integer"),
        "scenario/mean": (_fixed.HeadCell("3+5", 2), "n must be at least k \\+ 1 = 3, got n=2"),
        "thm.lower/null": (_adversary.NullCell(5), "p must be at least the core's 7 nodes"),
        "thm.exact/phase": (_adversary.PhaseCell(7, eps=0.0), "eps must be finite and > 0"),
        "thm.pac/tail": (_adversary.PacCell(200, p=3), "p must be at least the core's"),
        "thm.dimfree/growth": (_adversary.DimensionCell(4, 20), "d must be an integer in 6..600, got 4"),
    }
    for name, (cell, message) in bad.items():
        with pytest.raises(ValueError, match=message):
            EXPERIMENTS[name].validate(cell)
    with pytest.raises(ValueError, match="subset must name distinct covariates"):
        _fixed.nodes_of("3+4")


def test_nested_graphs_share_their_core():
    for K, q in itertools.product((1, 2), (1, 2)):
        small, large = _graphs.embed(9, K, q), _graphs.embed(30, K, q)
        np.testing.assert_array_equal(small.B[:7, :7], large.B[:7, :7])
        assert (small.target, small.sites) == (large.target, large.sites)


def test_experiments_cover_their_presets():
    for e in EXPERIMENTS.values():
        assert set(e.cells) <= set(_experiment.PRESETS)
        assert e.exploratory or e.cells.get("default")
