"""molrg, closed forms: reference values, limits, identities and bad input, on the host."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from sims.molrg import _host
from theory.molrg import _arguments, _clusters, _denoiser, _rates, _sampler, _subspaces, _tails

VECTORS = json.loads((Path(__file__).parent / "data" / "molrg.vectors.json").read_text())
LEVELS = [(1 - 0.9 * t, t) for t in np.linspace(0.01, 0.99, 50)]


# ------------------------------------------------------------------------------------------------------ reference values


def _us(U):
    return [np.array(u) for u in U]


def _completed(X, d, completion):
    n = len(X)
    truth = np.eye(n)[:, :d]
    found = _host.pca(np.array(X), d, ("worst", "best")[completion], truth=truth)
    return _subspaces.subspace_error(found, truth)


def _det(A, E, d):
    A, E = np.array(A), np.array(E)
    truth = np.eye(len(E))[:, :d]
    smin = np.linalg.svd(A, compute_uv=False)[-1]
    found = _host.pca(truth @ A + E, d)
    return [_subspaces.subspace_error(found, truth), _subspaces.thm2i_det_bound(np.linalg.norm(E), smin)]


def _kss(X, K, d, labels):
    return _host.kss(np.array(X), K, d, np.random.default_rng(0), labels=np.array(labels))


_SIGMAS = np.geomspace(0.05, 3, 30)
_posterior = _denoiser.lem1_posterior_mean
_EVALUATE = {
    ("lem1", "posterior mean"): lambda U, pi, s, g, x_t: _posterior(x_t, _us(U), pi, s, g, weights=_denoiser.lem1_weights)[0],
    ("lem1.det", "posterior mean"): lambda U, pi, s, g, x_t: _posterior(x_t, _us(U), pi, s, g)[0],
    ("lem1.det", "posterior weights"): lambda U, pi, s, g, x_t: _denoiser.lem1_det_weights(x_t, _us(U), pi, s, g)[0],
    ("lem1.det", "FALSIFIER"): lambda U, pi, s, g, x_t: _posterior(x_t, _us(U), pi, s, g, weights=_denoiser.lem1_weights)[0],
    ("fig3", "Jacobian"): lambda U, pi, s, g, x_t: _denoiser.jacobian(x_t, _us(U), pi, s, g),
    ("lem1.det", "score"): lambda U, pi, s, g, x_t: _denoiser.score(x_t, _us(U), pi, s, g)[0],
    ("lem1.gen", "general posterior mean"): lambda U, mu, lam, pi, s, g, x_t: _denoiser.gen_posterior(x_t, _us(U), pi, s, g, mu, lam)[0][0],
    ("lem1.gen", "weights"): lambda U, mu, lam, pi, s, g, x_t: _denoiser.gen_posterior(x_t, _us(U), pi, s, g, mu, lam)[1][0],
    ("fig3", "numerical rank"): lambda s: [_denoiser.numerical_rank(s), _denoiser.numerical_rank(s, rooted=False)],
    ("thm1", "sum over samples"): lambda X, U, s, g: _denoiser.pca_loss(np.array(X), np.array(U), s, g),
    ("thm1", "slope"): lambda: _denoiser.pca_slope(LEVELS),
    ("thm1", "FALSIFIER"): lambda: _denoiser.pca_slope(LEVELS, 1.2),
    ("thm1.free", "optimal shrinkage"): lambda sigma, weights, lam, d: _denoiser.free_shrinkage(sigma, weights, lam[:d]),
    ("thm1.free", "minimum"): lambda sigma, weights, lam, d: sum(lam) + _denoiser.free_gain(sigma, weights, lam[:d]),
    ("rv", "explicit tail bound"): lambda N, d, t: _tails.rv_tail(N, d, t),
    ("rv", "q_up"): lambda N, d: _tails.rv_q_up(N, d),
    ("rv", "supremum"): lambda: _tails.rv_supremum(),
    ("thm2i.det", "[PCA error"): _det,
    ("thm2i.det", "rank-d"): lambda A, E, d: _subspaces.thm2i_rank_bound(
        _subspaces.rank_part(E, d), np.linalg.svd(A, compute_uv=False)[-1]
    ),
    ("thm2i.tight", "err"): lambda delta: _subspaces.tie_ratio(delta),
    ("thm2i", "c1"): lambda N, d, c1, E_fro: _tails.thm2i_bound(E_fro, N, d, c1),
    ("thm2i.rate", "inverse-Wishart"): _rates.inverse_wishart_error,
    ("thm2i.rate", "spiked"): _rates.spiked_sine,
    ("thm2ii.sharp", "sqrt"): _subspaces.thm2ii_sharp,
    ("thm2ii.bayes", "least mean"): _subspaces.thm2ii_bayes,
    ("thm2ii", "err of"): _completed,
    ("thm3", "SC energy"): lambda X, U: _denoiser.sc_energy(np.array(X), _us(U)),
    ("thm3", "hard-max loss"): lambda X, U, s, g: _denoiser.hardmax_loss_closed_form(np.array(X), _us(U), s, g, penalised=False),
    ("thm3.unequal", "hard-max loss"): lambda X, U, s, g: _denoiser.hardmax_loss_closed_form(np.array(X), _us(U), s, g),
    ("thm3.unequal", "kappa"): lambda sigma=None: _denoiser.penalty(_SIGMAS if sigma is None else [sigma]),
    ("thm3.gap", "P("): _denoiser.thm3_gap,
    ("thm4.unique", "number"): _clusters.num_optimal_partitions,
    ("thm4.unique", "global SC energy"): lambda X, K, d: _host.brute_sc(X, K, d).energy,
    ("thm4i", "stated guarantee"): lambda K, d, counts: 1 - _tails.thm4i_failure(d, counts),
    ("w2", "[err^2"): lambda theta: _subspaces.w2_of_angles(theta),
    ("w2", "probability-flow"): _subspaces.flow_distance,
    ("sampler", "sigma schedule"): lambda steps: _sampler.sigma_schedule(steps),
    ("sampler", "Heun"): lambda steps: _sampler.in_subspace_error(steps),
    ("sampler", "FALSIFIER"): lambda steps: _sampler.in_subspace_error(steps, heun=False),
    ("fig4", "K-subspaces (A2) from the given starting labels: final labels"): lambda **a: _kss(**a)[0],
    ("fig4", "K-subspaces (A2) from the given starting labels: final SC energy"): lambda **a: _kss(**a)[2],
}


def _evaluate(vector):
    (found,) = [f for (claim, what), f in _EVALUATE.items() if vector["id"] == f"molrg.{claim}" and vector["what"].startswith(what)]
    return found(**vector["args"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id'].removeprefix('molrg.')}-{v['what'][:24]}")
def test_closed_forms_equal_their_reference_values(vector):
    np.testing.assert_allclose(_evaluate(vector), vector["value"], rtol=max(vector["rtol"], 1e-15), atol=1e-13)


# ------------------------------------------------------------------------------------------------------ subspaces


def _bases(seed, n, *dims):
    return _host.bases(np.random.default_rng(seed), n, dims, "independent")


def test_error_keeps_its_digits_where_the_trace_form_loses_them():
    n, d, t = 10, 3, 1e-9
    frame = _host.haar(np.random.default_rng(0), n, d + 1)
    U, V = frame[:, :d], np.column_stack([frame[:, 0] * math.cos(t) + frame[:, 3] * math.sin(t), frame[:, 1:3]])
    assert _subspaces.subspace_error(U, V) == pytest.approx(math.sqrt(2) * t, rel=1e-5)
    assert abs(2 * d - 2 * np.linalg.norm(U.T @ V) ** 2) ** 0.5 != pytest.approx(math.sqrt(2) * t, rel=0.5)
    assert _subspaces.subspace_error(U, V) == pytest.approx(np.linalg.norm(U @ U.T - V @ V.T), abs=1e-15)


def test_error_cap_is_reached_by_disjoint_axes_and_no_more():
    for n, d in ((6, 2), (6, 3), (5, 4)):
        U, V = np.eye(n)[:, :d], np.eye(n)[:, n - d :]
        assert _subspaces.subspace_error(U, V) == pytest.approx(_subspaces.error_cap(n, d), rel=1e-12)


@pytest.mark.claim("molrg.w2")
def test_distances_from_angles_equal_those_from_bases():
    for seed in range(5):
        U, V = _bases(seed, 9, 4, 4)
        err2, w2 = _subspaces.w2_of_angles(_subspaces.principal_angles(U, V))
        assert err2 == pytest.approx(_subspaces.subspace_error(U, V) ** 2, rel=1e-12)
        assert w2 == pytest.approx(_subspaces.w2_of_bases(U, V), rel=1e-10)
        assert err2 / 2 <= w2 <= err2
    # a right angle: both ends of [err^2/2, err^2] are 2 and 1 times, 2 sin^2 = 2, 2 (1 - cos) = 2
    np.testing.assert_allclose(_subspaces.w2_of_angles([math.pi / 2]), [2, 2], rtol=1e-15)
    np.testing.assert_allclose(_subspaces.w2_of_angles([1e-4])[1] / _subspaces.w2_of_angles([1e-4])[0], 0.5, rtol=1e-8)


@pytest.mark.claim("molrg.w2")
def test_flow_distance_tends_to_the_error_at_high_noise():
    assert _subspaces.flow_distance(0.7, 1e6) == pytest.approx(0.7, rel=1e-12)
    assert _subspaces.flow_distance(1.0, 1.0) == pytest.approx(math.sqrt(0.5), rel=1e-15)


@pytest.mark.claim("molrg.thm2ii.bayes")
def test_bayes_bound_has_its_limits():
    # N = 0 would be 2 d (n - d)/n; one missing dimension out of two free ones: 2 * 1 * 1/2 = 1
    assert _subspaces.thm2ii_bayes(4, 3, 2) == pytest.approx(2 * 1 * 1 / 2)
    assert _subspaces.thm2ii_bayes(5, 5, 2) == 0  # the whole space is known
    assert all(_subspaces.thm2ii_bayes(n, 8, 3) <= 2 * 5 for n in range(9, 60))


@pytest.mark.claim("molrg.thm2ii")
def test_printed_lower_bound_is_the_sharp_one_less_a_noise_term():
    assert _subspaces.thm2ii_bound(20, 6, 2, 0.0, 6.27) == _subspaces.thm2ii_sharp(20, 6, 2)
    # 6.27 * .5/(sqrt 6 - 1) = 2.16283
    assert _subspaces.thm2ii_bound(20, 6, 2, 0.5, 6.27) == pytest.approx(math.sqrt(8) - 3.135 / (math.sqrt(6) - 1), rel=1e-12)


# ------------------------------------------------------------------------------------------------------ tails


@pytest.mark.claim("molrg.rv")
def test_tail_bound_is_exact_in_one_dimension_and_at_a_square_of_two():
    from scipy import stats

    for N, t in ((1, 0.2), (4, 1.0), (30, 3.0)):
        assert _tails.rv_tail(N, 1, t) == pytest.approx(stats.chi2.cdf(t**2, N), rel=1e-10)
    # Edelman: for a square matrix P(smin <= t) <= t sqrt(d); the derived bound is sharper than 1 and of that size
    assert 0 < _tails.rv_tail(2, 2, 0.1) <= 0.1 * math.sqrt(2)


@pytest.mark.claim("molrg.rv")
def test_tail_bound_does_not_underflow_far_out():
    value = _tails.rv_log_tail(10_000, 8, 5.0)
    assert math.isfinite(value)
    assert value < -20_000
    assert _tails.rv_q_up(1001, 1) < _tails.rv_supremum() < _tails.RV_CONSTANT
    assert 2 * _tails.rv_supremum() < _tails.C1


@pytest.mark.claim("molrg.thm2i")
def test_the_theorem_says_nothing_at_a_tenth_of_noise_in_48_dimensions():
    assert _tails.thm2i_says_nothing(48, 4, 8, 0.1)
    assert _tails.thm2i_says_nothing(48, 4, 100_000, 0.1)  # at any N: the bound tends to c1 sigma sqrt(n)
    assert not _tails.thm2i_says_nothing(48, 4, 8, 0.01)
    assert _tails.thm2i_failure(7, 4) == 1 / 16


@pytest.mark.claim("molrg.thm4i")
def test_guarantee_is_empty_for_few_samples():
    assert _tails.thm4i_failure(2, [4, 4]) > 1  # 2 K^2/N = 1 at N = 8
    assert _tails.thm4i_failure(4, [5, 5]) == pytest.approx(0.8 + 2 * 0.25)
    assert _tails.thm4i_failure(4, [20, 20]) == pytest.approx(0.2 + 2 * 2**-17)


@pytest.mark.claim("molrg.thm2i.rate")
def test_rates_fall_with_samples_and_rise_with_the_ambient_dimension():
    assert _rates.inverse_wishart_error(48, 4, 1024, 0.1) == pytest.approx(2 * 0.01 * 44 * 4 / 1019, rel=1e-14)
    small = [_rates.spiked_sine(n, 2, 200, 0.05) * 4 / _rates.inverse_wishart_error(n, 2, 200, 0.05) for n in (50, 400)]
    np.testing.assert_allclose(small, 1, atol=0.03)  # both laws at small noise and many samples
    N = _rates.samples_needed(48, 4, 0.1, 0.1)
    assert _rates.inverse_wishart_error(48, 4, N + 5, 0.1) <= 0.01
    assert _rates.samples_needed(92, 4, 0.1, 0.1) == pytest.approx(2 * N, abs=2)  # n - d doubles


# ------------------------------------------------------------------------------------------------------ denoiser


def _points(seed, n, dims, s, g, m=6):
    rng = np.random.default_rng(seed)
    Us = _host.bases(rng, n, dims, "independent")
    pis = np.full(len(dims), 1 / len(dims))
    x = np.stack([s * Us[i % len(dims)] @ rng.normal(size=dims[i % len(dims)]) + g * rng.normal(size=n) for i in range(m)])
    return Us, pis, x


@pytest.mark.claim("molrg.lem1.det")
def test_quoted_weights_are_right_for_equal_dimensions_only():
    for dims, same in (((3, 3), True), ((2, 5), False)):
        Us, pis, x = _points(1, 10, dims, 1.0, 0.7)
        quoted, repaired = (f(x, Us, pis, 1.0, 0.7) for f in (_denoiser.lem1_weights, _denoiser.lem1_det_weights))
        assert np.allclose(quoted, repaired, rtol=1e-12) == same
        np.testing.assert_allclose(repaired.sum(-1), 1, rtol=1e-12)


@pytest.mark.claim("molrg.lem1")
def test_weights_stay_finite_at_the_last_noise_level_of_the_sampler():
    Us, pis, x = _points(2, 10, (3, 3), 1.0, 0.002)
    w = _denoiser.lem1_weights(x, Us, pis, 1.0, 0.002)  # phi = 1.2e5
    assert np.all(np.isfinite(w))
    np.testing.assert_allclose(w.max(-1), 1, rtol=1e-12)


@pytest.mark.claim("molrg.lem1.gen")
def test_general_posterior_is_the_special_one_at_unit_variances_and_zero_means():
    Us, pis, x = _points(3, 8, (2, 3), 0.8, 0.4)
    general, w = _denoiser.gen_posterior(x, Us, pis, 0.8, 0.4, [np.zeros(8)] * 2, [np.ones(2), np.ones(3)])
    np.testing.assert_allclose(general, _denoiser.lem1_posterior_mean(x, Us, pis, 0.8, 0.4), rtol=1e-10)
    np.testing.assert_allclose(w, _denoiser.lem1_det_weights(x, Us, pis, 0.8, 0.4), rtol=1e-9, atol=1e-12)


@pytest.mark.claim("molrg.fig3")
def test_jacobian_equals_finite_differences():
    Us, pis, x = _points(4, 8, (2, 3), 1.0, 0.5)
    J, h = _denoiser.jacobian(x[0], Us, pis, 1.0, 0.5), 1e-5
    steps = np.concatenate([x[0] + h * np.eye(8), x[0] - h * np.eye(8)])
    moved = _denoiser.lem1_posterior_mean(steps, Us, pis, 1.0, 0.5)
    np.testing.assert_allclose(((moved[:8] - moved[8:]) / (2 * h)).T, J, atol=1e-8)
    np.testing.assert_allclose(J, J.T, atol=1e-14)


@pytest.mark.claim("molrg.thm1")
def test_loss_equals_its_definition_by_sampling_noise():
    rng = np.random.default_rng(5)
    U, X, s, g = _host.haar(rng, 6, 2), rng.normal(size=(6, 3)), 0.8, 0.6
    noise = rng.normal(size=(40_000, 6, 3))
    denoised = s / (s**2 + g**2) * (U @ U.T @ (s * X + g * noise))
    each = np.sum((denoised - X) ** 2, axis=(1, 2))
    z = (each.mean() - _denoiser.pca_loss(X, U, s, g)) / (each.std() / 200)
    assert abs(z) < 5  # false alarm 6e-7
    assert abs((each.mean() - 1.02 * _denoiser.pca_loss(X, U, s, g)) / (each.std() / 200)) > 5


@pytest.mark.claim("molrg.thm1.free")
def test_free_shrinkage_is_one_at_unit_variance_and_never_beaten_nearby():
    sigmas, weights = [0.3, 1.0], [1.0, 2.0]
    assert _denoiser.free_shrinkage(sigmas, weights, [1.0]) == pytest.approx(1.0)
    C = np.diag([4.0, 0.3, 0.1])
    m = _denoiser.free_shrinkage(sigmas, weights, [4.0, 0.3])
    V = np.diag(np.sqrt([*m, 0.0]))[:, :2]
    best = _denoiser.free_loss(sigmas, weights, C, V)
    assert best == pytest.approx(4.4 + _denoiser.free_gain(sigmas, weights, [4.0, 0.3]), rel=1e-12)
    rng = np.random.default_rng(6)
    assert all(_denoiser.free_loss(sigmas, weights, C, V + 0.05 * rng.normal(size=(3, 2))) > best for _ in range(50))


@pytest.mark.claim("molrg.thm3")
@pytest.mark.claim("molrg.thm3.unequal")
def test_hardmax_loss_needs_its_penalty_for_unequal_dimensions():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(9, 12))
    for dims, repaired in (((3, 3), False), ((2, 5), True)):
        Us = _host.bases(rng, 9, dims, "independent")
        loss = _denoiser.hardmax_loss(X, Us, 1.0, 0.7)
        assert loss == pytest.approx(_denoiser.hardmax_loss_closed_form(X, Us, 1.0, 0.7, penalised=repaired), rel=1e-12)
    with pytest.raises(ValueError, match="Theorem 3 assumes equal dimensions; use penalised=True"):
        _denoiser.hardmax_loss_closed_form(X, Us, 1.0, 0.7, penalised=False)
    assert _denoiser.penalty([1.0]) == pytest.approx(0.25 / 0.75)  # q = 1/2


@pytest.mark.claim("molrg.thm3.gap")
def test_gap_has_its_limits():
    assert _denoiser.thm3_gap(4, 1e-6) < 1e-10
    assert _denoiser.thm3_gap(4, 1e6) == pytest.approx(0.5, abs=1e-9)
    # d = 2: F_{2,2} has cdf x/(1 + x), so sigma^2/(1 + 2 sigma^2)
    assert _denoiser.thm3_gap(2, 0.5) == pytest.approx(0.25 / 1.5, rel=1e-12)


# ------------------------------------------------------------------------------------------------------ clusters, sampler


@pytest.mark.claim("molrg.thm4.unique")
def test_number_of_optima_follows_from_choosing_who_is_grouped_with_whom():
    assert _clusters.num_optimal_partitions(2, [2, 2]) == 3  # {ab|cd}, {ac|bd}, {ad|bc}
    assert _clusters.num_optimal_partitions(1, [1, 1, 1]) == 1
    assert _clusters.num_optimal_partitions(3, [3, 4, 5]) == 1
    assert _clusters.num_optimal_partitions(4, [4, 4]) == math.comb(8, 4) // 2


def test_matching_finds_the_permutation_by_enumeration_and_by_the_hungarian_method():
    rng = np.random.default_rng(8)
    for K in (3, 7):
        errors, order = 1 + rng.uniform(size=(K, K)), rng.permutation(K)
        errors[order, np.arange(K)] = rng.uniform(size=K)
        worst, found = _clusters.best_match(errors)
        np.testing.assert_array_equal(found, order)
        assert worst == errors[order, np.arange(K)].max()


@pytest.mark.claim("molrg.sampler")
def test_sampler_bias_inflates_variances_at_18_steps_and_not_at_72():
    assert (1 + _sampler.in_subspace_error(18)) ** 2 == pytest.approx(1.0916, abs=1e-4)
    assert abs((1 + _sampler.in_subspace_error(72)) ** 2 - 1) < 0.01
    orders = {heun: np.log2(_sampler.in_subspace_error(144, heun) / _sampler.in_subspace_error(288, heun)) for heun in (True, False)}
    assert orders[True] == pytest.approx(2, abs=0.1)
    assert orders[False] == pytest.approx(1, abs=0.05)


# ------------------------------------------------------------------------------------------------------ bad input

_I = np.eye(4)
_RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _subspaces.error_cap(0, 1), "n, d, K and N must be positive integers, got n=0"),
        (lambda: _subspaces.error_cap(3, 1.5), "n, d, K and N must be positive integers, got d=1.5"),
        (lambda: _tails.rv_gap("8", 4), "n, d, K and N must be positive integers, got N=8"),
        (lambda: _tails.rv_gap(math.nan, 4), "n, d, K and N must be positive integers"),
        (lambda: _subspaces.error_cap(3, 4), "subspace dimension exceeds ambient dimension"),
        (lambda: _host.haar(_RNG, 2, 3), "subspace dimension exceeds ambient dimension"),
        (lambda: _host.bases(_RNG, 4, [3, 3], "orthogonal"), "orthogonal subspaces need sum(d_k) <= n, got 6 > 4"),
        (lambda: _host.bases(_RNG, 4, [2, 2], "angle", 0.0), "angle must be in (0, 90], got 0.0"),
        (lambda: _host.bases(_RNG, 4, [2, 2], "angle", 91.0), "angle must be in (0, 90]"),
        (lambda: _host.bases(_RNG, 4, [2, 2], "tilted"), "mode must be one of orthogonal, independent, angle, got 'tilted'"),
        (lambda: _arguments.weights("f", [0.5, 0.6], 2), "weights must be positive and sum to 1"),
        (lambda: _arguments.weights("f", [0.0, 1.0], 2), "weights must be positive and sum to 1"),
        (lambda: _arguments.noise_level("f", -0.1), "noise level must be >= 0, got -0.1"),
        (lambda: _host.sample(_RNG, [_I[:, :2]], [3], -1.0), "noise level must be >= 0"),
        (lambda: _host.sample(_RNG, [_I[:, :2]], [3], 1.0, "loud"), "noise must be one of none, gaussian, tie, got 'loud'"),
        (lambda: _host.sample(_RNG, [_I[:, :2]], [2], 1.0, "tie"), "noise tie needs N > d and n > d"),
        (lambda: _denoiser.lem1_posterior_mean(_I[0], [_I[:, :2]], [1.0], 0.0, 1.0), "posterior mean needs s > 0 and g > 0, got s=0.0"),
        (lambda: _denoiser.lem1_posterior_mean(_I[0], [_I[:, :2]], [1.0], 1.0, -1.0), "posterior mean needs s > 0 and g > 0"),
        (lambda: _denoiser.lem1_posterior_mean(_I[0], [2 * _I[:, :2]], [1.0], 1.0, 1.0), "basis columns must be orthonormal"),
        (lambda: _denoiser.lem1_posterior_mean(np.nan * _I[0], [_I[:, :2]], [1.0], 1.0, 1.0), "x must be a finite array"),
        (lambda: _tails.thm2i_bound(1.0, 3, 4), "upper bound needs N >= d, got N=3, d=4"),
        (lambda: _subspaces.thm2ii_bound(9, 4, 4, 1.0, 1.0), "lower bound needs N < d, got N=4, d=4"),
        (lambda: _subspaces.thm2ii_bayes(9, 4, 4), "bayes needs N < d <= n"),
        (lambda: _subspaces.thm2ii_bayes(3, 4, 2), "bayes needs N < d <= n"),
        (lambda: _clusters.num_optimal_partitions(3, [2, 4]), "upper bound needs N >= d"),
        (lambda: _host.brute_sc(np.ones((3, 11)), 2, 1), "enumeration limited to N <= 10, got N=11"),
        (lambda: _host.pca(np.full((3, 2), np.inf), 1), "X must be a finite array"),
        (lambda: _host.pca(np.ones((3, 2)), 2, "lucky"), "completion must be one of generic, worst, best, got 'lucky'"),
        (lambda: _sampler.sigma_schedule(1), "steps must be >= 2, got 1"),
        (lambda: _sampler.sigma_schedule(18, rho=0), "rho must be > 0"),
        (lambda: _sampler.sigma_schedule(18, smin=2.0, smax=1.0), "needs 0 < smin < smax"),
        (lambda: _sampler.sigma_schedule(18, smin=0.0), "needs 0 < smin < smax"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
