"""moe, fits: compiled scores against theory, maxima against other optimisers, losses in both languages, laws of the draws."""

import dataclasses
import functools
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from sims import _experiment, _runner
from sims.moe import _density, _em, _fit, _losses, _mle, _reference
from sims.moe._mle import FitCell, RaceCell, RayCell
from theory import moe as theory
from theory.moe import _model

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "moe.vectors.json").read_text())
ACTS = tuple(theory.ACTIVATIONS)
GATES = ("inside", "outside")


@pytest.fixture(autouse=True)
def double():
    """Fits and densities are float64 throughout."""
    with jax.enable_x64(True):
        yield


def _params(G):
    return _density.Params(*(jnp.asarray(v, jnp.float64) for v in (G.beta1, G.beta0, G.tau, G.a, G.b, G.nu)))


def _mixture(P):
    return theory.mixture(*(np.asarray(v) for v in P))


def _gate(act, gate="inside", acts=ACTS):
    return _density.Gate(acts, jnp.int32(acts.index(act)), jnp.float64(gate == "inside"))


@functools.cache
def _compiled():
    """The compiled one-replicate study: every cell of two atoms shares it."""
    return jax.jit(lambda keys, prepared: jax.lax.map(lambda key: _mle.simulate_fits(key, prepared), keys))


def _draw(prepared, count=8, seed=0):
    _experiment.register(type(prepared))
    drawn = _compiled()(jax.random.split(jax.random.key(seed), count), jax.tree.map(np.asarray, prepared))
    return {name: np.asarray(a) for name, a in drawn.items()}


# --------------------------------------------------------------------------------------------------- densities, scores


@functools.cache
def _scored():
    """Densities and scores of two atoms at three points: one program for every activation and gate."""
    return jax.jit(_density.score_terms)


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["id"] == "moe.log_cond"], ids=lambda v: f"{v['args']['act']}-{v['args']['gate']}"
)
def test_compiled_density_equals_the_reference_values(vector):
    a = vector["args"]
    P = _params(theory.mixture(*(a[k] for k in ("beta1", "beta0", "tau", "a", "b", "nu"))))
    found, _ = _scored()(P, _gate(a["act"], a["gate"]), jnp.asarray(a["x"])[None], jnp.asarray(a["y"]))
    np.testing.assert_allclose(found, vector["value"], rtol=1e-10)


def test_density_never_exponentiates_before_the_sum_of_logs():
    # a point 1,000 standard deviations away, and a gate logit of 8,000: finite, with the logarithm by hand
    P = _params(theory.mixture((400, 0), (0, 0), 0.05, (0, 0), (0, 1), (1, 1)))
    found, S = _scored()(P, _gate("linear"), jnp.array([[1.0, 1.0, -1.0]]), jnp.array([1000.0, 0.0, 1000.0]))
    assert np.isfinite(S).all()
    assert found[0] == pytest.approx(-0.5 * 1000**2 - 0.5 * math.log(2 * math.pi), rel=1e-12)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("act", ["linear", "gelu", "tanh", "cube"])
def test_compiled_scores_equal_theory_s_after_the_change_of_variables(act, gate):
    G = theory.mixture((0.8, 1.3), (-0.3, 0), 0.7, (0.9, -0.5), (1.6, -1.6), (0.5, 0.35))
    x, y = np.array([-1.5, 0.2, 1.1]), np.array([2.0, -0.5, -3.0])
    log_p, S = _scored()(_params(G), _gate(act, gate), jnp.asarray(x)[None], jnp.asarray(y))
    known, log_known = theory.scores(G, x[:, None], y, act, gate)
    np.testing.assert_allclose(log_p, log_known, rtol=1e-12)
    free = [0, *([1] if act != "linear" else []), 2, 4, 5, 6, 7, 8, 9, 10]
    units = np.array([1, 1, 1, 1, G.tau, 1, 1, 1, 1, *G.nu])[free]
    np.testing.assert_allclose(np.asarray(S)[free] / units[:, None], known, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("gate", GATES)
def test_scores_equal_automatic_derivatives_in_two_dimensions(gate):
    rng = np.random.default_rng(3)
    G = theory.mixture(rng.normal(size=(3, 2)), (0.3, -0.2, 0), 0.6, rng.normal(size=(3, 2)), (2, 0, -2), (0.3, 0.5, 0.4))
    x, y = jnp.asarray(rng.uniform(-1, 1, (2, 5))), jnp.asarray(rng.normal(size=5))
    theta, law = _density.pack(_params(G)), _gate("gelu", gate, ("gelu",))

    def density(theta):
        return _density.log_density(_density.unpack(theta, 3, 2), law, x, y)

    _, S = jax.jit(_density.score_terms)(_density.unpack(theta, 3, 2), law, x, y)
    np.testing.assert_allclose(S, jax.jit(jax.jacfwd(density))(theta).T, rtol=1e-9, atol=1e-12)


def test_packing_is_undone():
    P = _params(theory.TA)
    for a, b in zip(_density.unpack(_density.pack(P), 2, 1), P, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


# --------------------------------------------------------------------------------------------------------- the draws


def test_drawn_data_have_the_law_of_the_mixture():
    """P(Y <= t | X in thirds) against the density's integral, and the lying scale against the same: chi-square, 1e-6."""
    prepared = _mle.prepare_fits(FitCell("TL", 10_000))
    law, quad = _gate("linear", acts=("linear",)), theory.quadrature(-1, 1, 48, -9, 9, 3601)

    draw = jax.jit(_density.draw_data, static_argnums=(3, 4))

    def p_value(power):
        drawn = draw(jax.random.key(5), _params(theory.TL), law, 1.0, (10, 1024), jnp.int32(10_000), jnp.int32(10), power)
        x, y = (np.asarray(v).reshape(-1)[:10_000] for v in drawn[:2])
        edges = np.array([-1.5, -0.5, 0.5, 1.5])
        density = np.exp(theory.log_cond(theory.TL, quad.x, np.broadcast_to(quad.y, (48, 3601))))
        third = np.minimum((1.5 * (quad.x[:, 0] + 1)).astype(int), 2)
        cells = np.searchsorted(edges, quad.y)
        known = np.zeros((3, 5))
        for t in range(3):
            for c in range(5):
                known[t, c] = quad.x_weights[third == t] @ (density[third == t][:, cells == c] @ quad.y_weights[cells == c])
        seen = np.zeros((3, 5))
        np.add.at(seen, (np.minimum((1.5 * (x + 1)).astype(int), 2), np.searchsorted(edges, y)), 1)
        return stats.chisquare(seen.ravel(), 10_000 * known.ravel() / known.sum()).pvalue

    assert prepared.sd_power == 0.5
    assert p_value(0.5) > FALSE_FAIL
    assert p_value(1.0) < FALSE_FAIL


def test_drawn_data_carry_their_own_log_density_and_padding_is_silent():
    law = _gate("gelu", acts=("gelu",))
    P = _params(theory.TA)
    draw = jax.jit(_density.draw_data, static_argnums=(3, 4))
    x, y, own = draw(jax.random.key(1), P, law, 3.0, (3, 64), jnp.int32(150), jnp.int32(3))
    flat_x, flat_y = np.asarray(x).reshape(-1)[:150], np.asarray(y).reshape(-1)[:150]
    assert own == pytest.approx(theory.log_cond(theory.TA, flat_x, flat_y, "gelu").mean(), rel=1e-12)
    assert not np.asarray(y).reshape(-1)[150:].any()
    rest = jax.jit(_density.mean_log_density)(P, law, x, y, jnp.int32(150), jnp.int32(3))
    assert rest == pytest.approx(float(own), rel=1e-12)
    ll, g, H = jax.jit(_density.sums, static_argnums=1)(_density.pack(P), 2, law, x, y, jnp.int32(150), jnp.int32(3))
    S, _ = theory.scores(theory.TA, flat_x[:, None], flat_y, "gelu")
    free, units = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10], np.array([1, 1, 1, 0.15, 1, 1, 1, 1, 0.3, 0.5])[:, None]
    assert ll == pytest.approx(float(own), rel=1e-12)
    np.testing.assert_allclose(np.asarray(g)[free], (units * S).mean(axis=1), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(np.asarray(H)[np.ix_(free, free)], (units * S) @ (units * S).T / 150, rtol=1e-9, atol=1e-12)


# --------------------------------------------------------------------------------------------------------- the maxima


def _data(truth, n, seed):
    G, act, half, _ = _mle.MODELS[truth]
    x, y = _reference.draw(G, n, half, np.random.default_rng(seed), act)
    chunks = -(-n // 1024)
    pad = chunks * 1024 - n
    shaped = (np.pad(x[:, 0], (0, pad)).reshape(chunks, 1, 1024), np.pad(y, (0, pad)).reshape(chunks, 1024))
    return G, act, x, y, tuple(jnp.asarray(v) for v in shaped)


@functools.cache
def _fitted():
    def run(theta, act, x, y, n, chunks):
        gate = _density.Gate(_mle.FIT_ACTS, act, jnp.float64(1.0))
        return _fit.fit(theta, 2, gate, x, y, n, chunks, 1e-12)

    return jax.jit(run)


@pytest.mark.parametrize("truth", ["TL", "TA"])
def test_the_maximum_equals_that_of_two_other_optimisers(truth):
    G, act, x, y, (xs, ys) = _data(truth, 1000, 7)
    found = _fitted()(_density.pack(_params(G)), jnp.int32(_mle.FIT_ACTS.index(act)), xs, ys, jnp.int32(1000), jnp.int32(1))
    _, plain = _reference.fit_points(G, x, y, np.full(1000, 1e-3), act)

    def loss(theta):
        s, log_p = theory.scores(_reference.moved(G, act, theta), x, y, act)
        return -float(log_p.mean()), -s.mean(axis=1)

    other = optimize.minimize(loss, _reference.vector(G, act), jac=True, method="BFGS", options={"gtol": 1e-7})
    assert bool(found.converged)
    assert float(found.log_likelihood) == pytest.approx(plain, abs=1e-10)
    assert float(found.log_likelihood) == pytest.approx(-other.fun, abs=1e-8)


@pytest.mark.parametrize("truth", ["TL", "TA"])
def test_both_plans_of_a_fit_reach_one_maximum_from_starts_about_the_truth(truth):
    """Few coarse Gram matrices against many exact ones: 16 data sets of 300 points, starts with noise .1, within 1e-8."""
    data = [_data(truth, 300, seed) for seed in range(16)]
    G, act = data[0][:2]
    xs, ys = (jnp.stack([d[4][i] for d in data]) for i in (0, 1))
    starts = np.asarray(_density.pack(_params(G)))[None] + 0.1 * np.random.default_rng(1).standard_normal((16, 11))
    gate = _gate(act, acts=(act,))

    def run(over):
        def one(v):
            return _fit.fit(v[0], 2, gate, *v[1:], jnp.int32(300), jnp.int32(1), over=over)

        return jax.jit(lambda *v: jax.lax.map(one, v))(starts, xs, ys)

    exact, over = run(False), run(True)
    assert bool(exact.converged.all())
    assert bool(over.converged.all())
    np.testing.assert_allclose(exact.log_likelihood, over.log_likelihood, atol=1e-8)


def test_logarithms_of_products_are_the_sum_of_logarithms():
    ratio = np.random.default_rng(0).uniform(1 / 3, 3, 8192)
    assert float(_density._log_sum(jnp.asarray(ratio))) == pytest.approx(np.log(ratio).sum(), rel=1e-12, abs=1e-12)
    worst = jnp.full(8192, 0.2)  # five atoms, none of whose shares the density gains on
    assert float(_density._log_sum(worst)) == pytest.approx(8192 * math.log(0.2), rel=1e-12)


@pytest.mark.parametrize("gram", [None, "float32", "float64"])
def test_sums_agree_whatever_becomes_of_the_gram_matrix(gram):
    G, act, x, y, (xs, ys) = _data("TA", 1000, 3)
    found = jax.jit(_density.sums, static_argnums=(1, 7))(
        _density.pack(_params(G)), 2, _gate(act), xs, ys, jnp.int32(1000), jnp.int32(1), gram
    )
    log_p, S = _scored()(_params(G), _gate(act), jnp.asarray(x[:, 0])[None], jnp.asarray(y))
    assert len(found) == (2 if gram is None else 3)
    np.testing.assert_allclose(found[0], np.mean(log_p), rtol=1e-12)
    np.testing.assert_allclose(found[1], np.mean(S, axis=1), rtol=1e-9, atol=1e-13)
    if gram is not None:
        known = np.asarray(S) @ np.asarray(S).T / 1000
        np.testing.assert_allclose(found[2], known, atol=(1e-6 if gram == "float32" else 1e-12) * np.abs(known).max())


def test_a_fit_on_the_edge_of_the_box_stays_inside_and_converges():
    # two points carry the first expert exactly: its variance runs to the floor
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, 200), rng.normal(size=200)
    y[:40] = 3.0 + x[:40]
    start = theory.mixture((0, 0), (-1, 0), 1, (1, 0), (3, 0), (0.02, 1))
    pad = (jnp.asarray(np.pad(x, (0, 824))[None, None]), jnp.asarray(np.pad(y, (0, 824))[None]))
    found = _fitted()(_density.pack(_params(start)), jnp.int32(0), *pad, jnp.int32(200), jnp.int32(1))
    least, most = _density.box(2, 1)
    assert bool(found.converged)
    assert found.theta[9] == pytest.approx(math.log(0.01), abs=1e-12)
    assert ((np.asarray(found.theta) >= least - 1e-12) & (np.asarray(found.theta) <= most + 1e-12)).all()


@pytest.mark.slow  # the program of all fits with three atoms, for one draw
def test_a_fit_that_has_ended_does_not_begin_again():
    """Its last look, at rounding's level and no better than the one before, once set the likelihood back to -inf."""
    e = _experiment.experiments()["moe.thm1/ratio"]
    prepared, stream = _runner.prepared_for(e, FitCell("TL", 3000, k=3)), e.stream(FitCell("TL", 3000, k=3))
    drawn = _runner.draw(e, prepared, 1411, stream, 241, 1)  # where it happened
    assert drawn["converged"][0, 0] == 1
    assert np.isfinite(drawn["log_likelihood"][0, 0])


def test_a_corrected_matrix_meets_the_secant_equation_and_refuses_negative_curvature():
    H, step = jnp.diag(jnp.array([1.0, 2.0, 3.0])), jnp.array([0.1, -0.2, 0.3])
    fall = jnp.array([0.3, -0.1, 0.2])
    np.testing.assert_allclose(_fit._corrected(H, step, fall) @ step, fall, rtol=1e-12)
    np.testing.assert_array_equal(_fit._corrected(H, step, -fall), H)


def test_elimination_solves():
    rng = np.random.default_rng(2)
    B = rng.normal(size=(7, 7))
    A, g = B @ B.T + np.eye(7), rng.normal(size=7)
    np.testing.assert_allclose(_fit._solved(jnp.asarray(A), jnp.asarray(g)), np.linalg.solve(A, g), rtol=1e-10)


@functools.cache
def _em_trace():
    return jax.jit(_em.em, static_argnums=3)


@pytest.mark.parametrize("start", ["truth", "far"])
def test_expectation_maximisation_never_lowers_the_likelihood_and_reaches_the_same_maximum(start):
    G, _, x, y, _ = _data("TL", 1000, 0)
    P = _params(G)
    if start == "far":
        P = P._replace(beta1=jnp.full((2, 1), 0.3), a=P.a * 0.5, nu=P.nu * 4)
    trace = _em_trace()(P, jnp.asarray(x[:, 0]), jnp.asarray(y), 100)
    path = np.asarray(trace.log_likelihood)
    assert np.diff(path).min() >= -1e-12
    _, best = _reference.fit_points(G, x, y, np.full(1000, 1e-3))
    assert path[-1] == pytest.approx(best, abs=1e-10)


# --------------------------------------------------------------------------------------------------------- losses


@pytest.mark.claim("moe.quot")
def test_compiled_losses_equal_theory_s_for_random_fits_of_three_atoms():
    rng = np.random.default_rng(4)
    run = jax.jit(_losses.voronoi)
    for i in range(40):
        act, gate, truth = ("linear", "gelu")[i % 2], GATES[i // 2 % 2], theory.TL if i % 2 == 0 else theory.TA
        T = theory.to_gate(truth, gate)
        source, noise = np.array([0, 1, rng.integers(0, 2)]), 0.3 * rng.normal(size=(5, 3))
        near = theory.mixture(
            T.beta1[source, 0] + noise[0], T.beta0[source] + noise[1], 1.2 * T.tau, T.a[source, 0] + noise[2], T.b[source] + noise[3],
            T.nu[source] * np.exp(noise[4]),
        )  # fmt: skip
        law = _gate(act, gate, ("linear", "gelu"))
        known = theory.voronoi_losses(near, T, act, gate)
        found = run(_params(near), _params(T), law, float(act == "linear"))
        values = (known.d1, known.d2, known.mass, known.beta1, known.a, known.b, known.nu, float(known.degenerate))
        np.testing.assert_allclose(found, values, rtol=1e-10, atol=1e-12)
        if act == "linear":
            moved = _losses.moved_to_temperature(_params(near), T.tau, 1.0, float(gate == "inside"))
            quotient = theory.voronoi_losses(near, T, act, gate, quotient=True)
            np.testing.assert_allclose(run(moved, _params(T), law, 1.0)[:3], (quotient.d1, quotient.d2, quotient.mass), rtol=1e-10)


# --------------------------------------------------------------------------------------------------------- studies


@pytest.mark.claim("moe.gauge")
@pytest.mark.claim("moe.thm1")
def test_two_starts_on_one_ray_reach_one_likelihood_and_two_temperatures():
    drawn = _draw(_mle.prepare_fits(FitCell("TL", 1000), statistic="same-ray", second=2.0))
    assert (drawn["converged"][:, :2] == 1).all()
    assert not drawn["x"].any()
    np.testing.assert_allclose(drawn["log_likelihood"][:, 0], drawn["log_likelihood"][:, 1], atol=1e-8)
    assert (np.abs(drawn["tau"][:, 1] - drawn["tau"][:, 0]) > 0.15).all()
    assert (drawn["ratio"] > 0).all()


@pytest.mark.claim("moe.gauge")
@pytest.mark.claim("moe.artefact")
def test_a_gelu_fit_forgets_where_it_started():
    drawn = _draw(_mle.prepare_fits(FitCell("TA", 10_000), statistic="same-point", second=2.0))
    assert not drawn["x"].any()
    np.testing.assert_allclose(drawn["tau"][:, 0], drawn["tau"][:, 1], rtol=1e-3)
    np.testing.assert_allclose(drawn["tau"][:, 0], 0.15, atol=6 * 1.06 / 100)  # 6 predicted standard errors


@pytest.mark.claim("moe.thm2c")
def test_an_estimator_that_starts_near_its_own_truth_reads_the_answer_from_its_start():
    cell = RaceCell("near-first", 1000, 2)
    honest, leak = (_draw(_mle.prepare_race(cell, leak=leak))["x"] for leak in (False, True))
    assert honest.mean() > 0.25 > 5 * leak.mean()


@pytest.mark.claim("moe.thm2c")
def test_worlds_of_the_race_lie_on_one_ray_and_have_one_law():
    first, second = _mle.race_worlds(1.0)
    assert (first.tau, second.tau) == (pytest.approx(1), pytest.approx(2))
    assert theory.distances(first, second, theory.quadrature(-1, 1, 16, -9, 9, 401)).h < 1e-14
    first, second = _mle.race_worlds(0.075, "gelu")
    assert (first.tau, second.tau) == (0.15, pytest.approx(0.075))


@pytest.mark.claim("moe.artefact")
def test_starts_on_the_ray_share_their_noise_and_their_data_over_sizes():
    cell = RayCell("TL", 10_000, 0.25)
    prepared = _mle.prepare_ray(cell)
    assert cell.sizes == (1000, 3162, 10_000)
    np.testing.assert_allclose(prepared.ray[:3], 0.3 * np.array(cell.sizes) ** -0.25)
    logs = np.log(cell.sizes)
    np.testing.assert_allclose([prepared.lever.sum(), prepared.lever[:3] @ logs], [0, 1], atol=1e-12)
    tau = _draw(prepared)["tau"]
    assert (np.sign(tau[:, 1] - 1.5) == np.sign(tau[:, 2] - 1.5)).mean() >= 0.5


@pytest.mark.claim("moe.thm1c")
def test_statistics_are_scaled_and_failures_are_nan():
    base = _mle.prepare_fits(FitCell("TL", 300), statistic="root")
    scaled = _mle.prepare_fits(FitCell("TL", 300), statistic="root", root_n=True)
    a, b = _draw(base)["x"], _draw(scaled)["x"]
    np.testing.assert_allclose(b, math.sqrt(300) * a, rtol=1e-12)
    strict = dataclasses.replace(base, tolerance=-1.0)  # never met: runs to the end of its allowance or out of damping
    assert np.isnan(_draw(strict)["x"]).all()


def test_hellinger_distance_of_the_grid_is_that_of_theory():
    fields = _mle._grid("TL")
    G = _model.scaled(theory.TL, 1.2, 1, "outside")
    prepared = dataclasses.replace(_mle.prepare_fits(FitCell("TL", 300)), **fields)
    known = theory.distances(G, theory.TL, theory.quadrature(-1, 1, 32, -12, 12, 2001))
    _experiment.register(type(prepared))
    found = jax.jit(_mle._hellinger)(_params(G), _gate("linear", acts=("linear",)), jax.tree.map(np.asarray, prepared))
    assert found[0] == pytest.approx(known.h, rel=2e-5)  # h is the root of a square: a kink in x where the two densities are equal
    assert found[1] == pytest.approx(known.root, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: _mle.validate_fits(FitCell("TX", 1000)), "truth must be one of TL, TL2, TL4, TA, got 'TX'"),
        (lambda: _mle.validate_fits(FitCell("TL", 1000, k=1)), "under-specified fit: k must be at least k_star=2, got k=1"),
        (lambda: _mle.validate_fits(FitCell("TL", 1000, k=6)), "k must be an integer >= 2 and <= 5, got 6"),
        (lambda: _mle.validate_fits(FitCell("TL", 17)), "n too small for p=9 parameters: n must be at least 2 p = 18, got n=17"),
        (lambda: _mle.validate_fits(FitCell("TL", 1000, s=-1.0)), r"s must lie in \[0, 10\], got -1.0"),
        (lambda: _mle.validate_race(RaceCell("oracle", 1000, 2)), "estimator must be one of random-start, near-first, got 'oracle'"),
        (lambda: _mle.validate_race(RaceCell("near-first", 1000, 0)), "r must be finite and >= 1 in D1_r, got 0"),
        (lambda: _mle.validate_race(RaceCell("near-first", 1000, 1, -1.0)), r"dtau must lie in \(0, 10\], got -1.0"),
        (lambda: _mle.validate_ray(RayCell("TL", 10_000, -0.1)), r"alpha must lie in \[0, 2\], got -0.1"),
        (lambda: _mle.validate_ray(RayCell("TL", 10_000, 0.0, s=0.0)), r"s must lie in \(0, 2\], got 0.0"),
    ],
)
def test_cells_out_of_range_are_refused_before_anything_compiles(call, words):
    with pytest.raises(ValueError, match=words):
        call()
