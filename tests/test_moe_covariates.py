"""moe, several covariates and up to five atoms: scores, draws, the density loss, maxima and losses against other computations."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from sims import _experiment
from sims.moe import _density, _experiments_sampled, _fit, _losses, _mle, _reference
from sims.moe._mle import FitCell
from theory import _claims
from theory import moe as theory

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
ACTS = ("linear", "gelu")


@pytest.fixture(autouse=True)
def double():
    """Fits and densities are float64 throughout."""
    with jax.enable_x64(True):
        yield


def _params(G):
    return _density.Params(*(jnp.asarray(v, jnp.float64) for v in (G.beta1, G.beta0, G.tau, G.a, G.b, G.nu)))


def _gate(act, gate="inside"):
    return _density.Gate(ACTS, jnp.int32(ACTS.index(act)), jnp.float64(gate == "inside"))


def _random(k, d, seed):
    rng = np.random.default_rng(seed)
    return theory.mixture(
        rng.normal(size=(k, d)), 0.5 * rng.normal(size=k), 0.7, rng.normal(size=(k, d)), 2 * rng.normal(size=k), rng.uniform(0.3, 1, k)
    )


# ---------------------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize(("k", "d"), [(5, 2), (5, 4)])
def test_scores_equal_finite_differences_of_theory_s_density(k, d):
    G, rng = _random(k, d, 10 * k + d), np.random.default_rng(1)
    x, y = rng.uniform(-1, 1, (6, d)), 2 * rng.normal(size=6)
    theta, step = np.asarray(_density.pack(_params(G))), 1e-5
    assert theta.shape == (2 * k * d + 3 * k + 1,)
    score = jax.jit(_density.score_terms)
    for act, gate in (("linear", "outside"), ("gelu", "inside")):

        def density(theta, act=act, gate=gate):
            return theory.log_cond(theory.mixture(*(np.asarray(v) for v in _density.unpack(theta, k, d))), x, y, act, gate)

        log_p, S = score(_params(G), _gate(act, gate), jnp.asarray(x.T), jnp.asarray(y))
        np.testing.assert_allclose(log_p, density(theta), rtol=1e-12)
        units = step * np.eye(len(theta))
        np.testing.assert_allclose(S, [(density(theta + u) - density(theta - u)) / (2 * step) for u in units], rtol=1e-6, atol=1e-8)


# ----------------------------------------------------------------------------------------------------- draws


def _moments(G, x):
    """E(y | x) and Var(y | x) of a linear gate, [n] each."""
    g = np.exp(theory.gate_logits(G, x))
    g /= g.sum(axis=0)
    means = G.a @ x.T + G.b[:, None]
    centre = (g * means).sum(axis=0)
    return centre, (g * (means**2 + G.nu[:, None])).sum(axis=0) - centre**2


@pytest.mark.parametrize("truth", ["TL2", "TL4"])
def test_draws_have_the_conditional_moments_of_the_mixture(truth):
    """z-scores of y's first two conditional moments against 1 and every covariate, 1e-6 each; other covariates are rejected."""
    G, n = theory.TRUTHS[truth][0], 20_000
    draw = jax.jit(_density.draw_data, static_argnums=(3, 4))
    x, y, own = draw(jax.random.key(8), _params(G), _gate("linear"), 1.0, (20, 1024), jnp.int32(n), jnp.int32(20))
    x, y = np.moveaxis(np.asarray(x), 1, 2).reshape(-1, G.d)[:n], np.asarray(y).reshape(-1)[:n]
    assert own == pytest.approx(theory.log_cond(G, x, y).mean(), rel=1e-12)
    functions = np.column_stack([np.ones(n), x])

    def worst(G):
        mean, variance = _moments(G, x)
        terms = np.concatenate([functions * (y - mean)[:, None], functions * ((y - mean) ** 2 - variance)[:, None]], axis=1)
        return np.abs(math.sqrt(n) * terms.mean(axis=0) / terms.std(axis=0)).max()

    limit = stats.norm.isf(FALSE_FAIL / 2)
    assert worst(G) < limit
    swapped = theory.mixture(G.beta1[:, ::-1], G.beta0, G.tau, G.a, G.b, G.nu)
    assert worst(swapped) > limit
    for products, known in ((x, 0.0), (x**2, 1 / 3), (x[:, :1] * x[:, 1:], 0.0)):
        z = math.sqrt(n) * (products.mean(axis=0) - known) / products.std(axis=0)
        assert (np.abs(z) < limit).all()


# ---------------------------------------------------------------------------------------------- the density loss


def _moved(G):
    rng = np.random.default_rng(2)
    slopes = G.beta1 + 0.3 * rng.normal(size=G.beta1.shape)
    return theory.mixture(slopes, G.beta0 + np.array([0.1, 0]), 1.4, G.a + 0.2 * rng.normal(size=G.a.shape), G.b + 0.1, G.nu * 1.2)


def _brute_force(G, H, x, y):
    """h^2 at every covariate, [m], written out for the linear gate with the bias inside."""

    def density(G):
        score = (x @ G.beta1.T + G.beta0) / G.tau
        share = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        means = x @ G.a.T + G.b
        return sum(
            share[:, i, None] * np.exp(-((y - means[:, i, None]) ** 2) / (2 * G.nu[i])) / math.sqrt(2 * math.pi * G.nu[i])
            for i in range(G.k)
        )

    return 0.5 * np.trapezoid((np.sqrt(density(G)) - np.sqrt(density(H))) ** 2, y, axis=1)


def _cube(d, nodes):
    """Gauss-Legendre nodes [nodes^d, d] and weights of the uniform law on the cube."""
    t, w = np.polynomial.legendre.leggauss(nodes)
    x = np.array(np.meshgrid(*[t] * d)).reshape(d, -1).T
    return x, np.array(np.meshgrid(*[w / 2] * d)).reshape(d, -1).prod(axis=0)


def _found(truth, H):
    prepared = _mle.prepare_fits(FitCell(truth, 1000))
    _experiment.register(type(prepared))
    return float(jax.jit(_mle._hellinger)(_params(H), _gate("linear"), jax.tree.map(np.asarray, prepared))[1])


@pytest.mark.claim("moe.thm1")
def test_density_loss_over_two_covariates_is_the_integral_at_its_nodes_and_near_a_finer_one():
    H, y = _moved(theory.TL2), np.linspace(-11, 11, 901)
    found = _found("TL2", H)
    for nodes, rel in ((12, 1e-9), (30, 1e-4)):
        x, w = _cube(2, nodes)
        assert found == pytest.approx(math.sqrt(w @ _brute_force(theory.TL2, H, x, y)), rel=rel)


@pytest.mark.claim("moe.thm1")
def test_density_loss_over_four_covariates_is_within_the_error_of_its_draws():
    H, y = _moved(theory.TL4), np.linspace(-11, 11, 301)
    found = _found("TL4", H) ** 2
    quad = theory.monte_carlo_quadrature(-1, 1, 4, _mle.X_DRAWS, -11, 11, 601)
    assert found == pytest.approx(theory.distances(H, theory.TL4, quad).h2, rel=1e-9)
    x, w = _cube(4, 8)
    at = _brute_force(theory.TL4, H, x, y)
    mean = w @ at
    error = math.sqrt((w @ at**2 - mean**2) / _mle.X_DRAWS)
    assert error < 0.05 * mean
    assert abs(found - mean) < stats.norm.isf(FALSE_FAIL / 2) * error


def test_random_nodes_are_common_to_equal_seeds_and_uniform():
    first, second, other = (theory.monte_carlo_quadrature(0, 2, 3, 4000, -1, 1, 5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.x, second.x)
    assert (first.x != other.x).any()
    assert first.x_weights.sum() == pytest.approx(1, rel=1e-12)
    for u in range(3):
        assert stats.kstest(first.x[:, u], "uniform", args=(0, 2)).pvalue > FALSE_FAIL


@pytest.mark.claim("moe.thm1c")
def test_sharp_constants_count_the_rank_of_the_fisher_information():
    check = _claims.claims()["moe.thm1c"].check("root")
    for truth, quad, q in (
        ("TL2", theory.quadrature_for(theory.TL2, -1, 1), 11),
        ("TL4", theory.monte_carlo_quadrature(-1, 1, 4, 512, -10, 10, 301), 17),
    ):
        assert theory.rank(theory.fisher(theory.TRUTHS[truth][0], quad)) == q
        assert _claims.call(check.bound, {"k": 2, "truth": truth}) == theory.root_constant(q)


# ------------------------------------------------------------------------------------------------------- fits


def test_a_fit_over_two_covariates_reaches_the_maximum_of_another_optimiser():
    G, n = theory.TL2, 1000
    x, y = _reference.draw(G, n, 1.0, np.random.default_rng(6))
    xs, ys = np.pad(x.T, ((0, 0), (0, 24)))[None], np.pad(y, (0, 24))[None]

    def run(theta, x, y):
        return _fit.fit(theta, 2, _gate("linear"), x, y, jnp.int32(n), jnp.int32(1), 1e-12)

    found = jax.jit(run)(_density.pack(_params(G)), jnp.asarray(xs), jnp.asarray(ys))

    def loss(theta):
        s, log_p = theory.scores(_reference.moved(G, "linear", theta), x, y)
        return -float(log_p.mean()), -s.mean(axis=1)

    start = _reference.vector(G, "linear")
    positive = np.isin(np.arange(len(start)), (3, 10, 11))  # temperature and variances
    bounds = [(0.01, 20) if p else (-20, 20) for p in positive]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000}
    other = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    assert bool(found.converged)
    assert float(found.log_likelihood) == pytest.approx(-other.fun, abs=1e-9)


@functools.cache
def _compiled():
    return jax.jit(lambda keys, prepared: jax.lax.map(lambda key: _mle.simulate_fits(key, prepared), keys))


@pytest.mark.slow  # hundreds of fits; only the gpu preset draws them
@pytest.mark.claim("moe.thm1c")
def test_likelihood_ratio_and_density_loss_of_fits_over_two_covariates_have_their_limiting_laws():
    prepared = _mle.prepare_fits(FitCell("TL2", 10_000), root_n=True)
    _experiment.register(type(prepared))
    drawn = _compiled()(jax.random.split(jax.random.key(0), 128), jax.tree.map(np.asarray, prepared))
    x, ratio = np.asarray(drawn["x"]), np.asarray(drawn["ratio"])
    assert (np.asarray(drawn["converged"])[:, 0] == 1).all()
    assert stats.kstest(ratio, "chi2", args=(11,)).pvalue > FALSE_FAIL
    assert stats.chi2.sf(ratio.sum(), 128 * 8) < FALSE_FAIL  # TL's degrees of freedom
    left = 0.02  # at n = 10,000
    assert abs(x.mean() - theory.root_constant(11)) < stats.norm.isf(FALSE_FAIL / 2) * x.std() / math.sqrt(128) + left
    assert x.min() > 0


# ------------------------------------------------------------------------------------------------------ losses


@pytest.mark.claim("moe.thm4")
@pytest.mark.parametrize(("truth", "k"), [("TL", 4), ("TL2", 5)])
def test_losses_of_many_atoms_equal_theory_s_and_cells_of_more_than_three_are_flagged(truth, k):
    T, run, flagged = theory.TRUTHS[truth][0], jax.jit(_losses.voronoi), []
    rng = np.random.default_rng(k)
    for copies in ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)):
        source = np.array([0, 1, *copies])[:k]
        noise = 0.1 * rng.normal(size=(2, k, T.d))
        near = theory.mixture(
            T.beta1[source] + noise[0], T.beta0[source], 1.2, T.a[source] + noise[1], T.b[source], T.nu[source] * np.exp(noise[0, :, 0])
        )
        known, found = theory.voronoi_losses(near, T), run(_params(near), _params(T), _gate("linear"), 1.0)
        assert known.sizes == tuple(np.bincount(source))
        flagged.append(max(known.sizes) > 3)
        assert np.isnan(found.d2) == flagged[-1]
        np.testing.assert_allclose(found[:3], (known.d1, known.d2, known.mass), rtol=1e-10)
    assert any(flagged) == (k == 5)


# ---------------------------------------------------------------------------------------------------- cells


def test_several_covariates_and_many_atoms_are_asked_on_the_gpu_preset_only():
    found = set()
    for e in _experiments_sampled.EXPERIMENTS:
        if e.simulate is _mle.simulate_fits:
            for preset, cells in e.cells.items():
                for cell in cells:
                    e.validate(cell)
                    if isinstance(cell, FitCell):
                        size = (theory.TRUTHS[cell.truth][0].d, cell.k)
                        assert preset == "gpu" or (size[0] == 1 and size[1] <= 3)
                        found.add(size)
    assert found == {(1, 2), (1, 3), (1, 4), (1, 5), (2, 2), (4, 2)}


def test_constants_without_a_closed_form_leave_a_cell_outside_the_assumptions():
    claims = _claims.claims()
    for claim, check, fields in (
        ("moe.quot", "constant", {"truth": "TL2"}),
        ("moe.thm3c", "constant", {"truth": "TL4"}),
        ("moe.bite", "error", {"truth": "TL2", "n": 1000}),
    ):
        assert math.isnan(_claims.call(claims[claim].check(check).bound, fields))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: _mle.validate_fits(FitCell("TL3", 1000)), "truth must be one of TL, TL2, TL4, TA, got 'TL3'"),
        (lambda: _mle.validate_fits(FitCell("TL2", 23)), "n too small for p=12 parameters: n must be at least 2 p = 24, got n=23"),
        (lambda: _mle.validate_fits(FitCell("TL4", 101, k=5)), "n too small for p=51 parameters: n must be at least 2 p = 102, got n=101"),
        (lambda: _mle.validate_fits(FitCell("TL4", 1000, k=6)), "k must be an integer >= 2 and <= 5, got 6"),
        (lambda: theory.monte_carlo_quadrature(1, 1, 3, 10, -1, 1, 5), "the range of X needs lo < hi, got lo=1, hi=1"),
        (lambda: theory.monte_carlo_quadrature(-1, 1, 0, 10, -1, 1, 5), "d must be an integer >= 1, got 0"),
        (lambda: theory.monte_carlo_quadrature(-1, 1, 3, 0, -1, 1, 5), "draws must be an integer >= 1, got 0"),
    ],
)
def test_what_is_out_of_range_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
