"""halfspaces, bounds and closed forms: reference values, hand-worked numbers, brute force, limits, bad input. No JAX."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from theory import halfspaces
from theory.halfspaces import _adversarial, _angles, _certificate, _dktz, _kernels, _testers

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "halfspaces.vectors.json").read_text())


# ------------------------------------------------------------------------------------------------------ reference values


def _limit(kernel, sigma_over_opt):
    v = _adversarial.adversarial_limit(sigma_over_opt, kernel)
    return [v.z, v.p, v.theta_over_opt, v.C, v.reached]


def _lemma(R, eta, theta, kernel):
    sigma = _dktz.lem7_lem8_sigma(theta, eta, R, kernel)
    return [sigma, _dktz.lem7_lem8_bound(eta, R, kernel), _angles.massart_component(theta, sigma, eta, kernel)]


def _slabs(x, theta, slabs):
    x = np.array(x)
    return _testers.wedge_bound(x[:, 0], x[:, 1:], slabs, theta)


def _spike(theta, k):
    s = _testers.spike(theta, k)
    return [s.s, s.rho, s.alpha, s.disagreement]


FUNCTION_OF = {
    "P[h_v": _angles.fact1_disagreement,
    "smooth kernel": _kernels.kernel,
    "smooth loss": _kernels.loss,
    "integral of k(s)|s|": lambda: _kernels.kernel_moment(1),
    "integral of k(s) s^2": lambda: _kernels.kernel_moment(2),
    "||grad": _angles.grad_norm,
    "worst-case component": _angles.massart_component,
    "stationary angle": _angles.stationary_angle,
    "limit c_k": _angles.stationary_limit,
    "[largest allowed sigma": _lemma,
    "ratio (theta/pi)": lambda R: 1 / math.pi / _dktz.claim5_lower(1.0, R),
    "[sqrt(LBR": lambda T, d, sigma: [_dktz.lem10_as_read(T, d, sigma), _dktz.lem10_derived(T, d, sigma)],
    "exact P[accept]": _testers.t2_acceptance,
    "Q4 of the listed points": lambda z, w=None: _testers.q4(np.array(z, dtype=float), w),
    "W for given slabs": _slabs,
    "small-theta Gaussian ceiling": _testers.wedge_ceiling,
    "ceiling with Cantelli": lambda: _testers.CANTELLI_CEILING,
    "floor": lambda eta, sigma: [_angles.excess_floor(sigma, eta), _angles.excess_ceiling(sigma, eta)],
    "exact excess of w": _angles.massart_half_excess,
    "wall": _adversarial.adversarial_wall_ramp,
    "small-opt limit": _limit,
    "worst adversarial gradient": _adversarial.adversarial_component,
    "theta_c, Massart": _certificate.certified_angle_massart,
    "dev": _certificate.label_deviation,
    "theta_c, adversarial": _certificate.certified_angle_adversarial,
    "population theta_c": _certificate.population_certified_angle,
    "population logistic": lambda eta: [_angles.averaging_angle(eta), _angles.averaging_excess(eta)],
    "spike": _spike,
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id'].removeprefix('halfspaces.')}-{v['what'][:20]}")
def test_formula_equals_its_reference_value(vector):
    function = next(fn for start, fn in FUNCTION_OF.items() if vector["what"].startswith(start))
    np.testing.assert_allclose(function(**vector["args"]), vector["value"], rtol=vector["rtol"])


def test_hand_worked_values():
    # two points (1, 0) and (0, 1), p = 2: v = svec(zz^T - I) = (0, -1, 0) and (-1, 0, 0); E vv^T = diag(1/2, 1/2, 0), E zz^T = I/2
    assert _testers.q4(np.eye(2)) == pytest.approx(0.5 + 2 * 0.5 - 1, abs=1e-15)  # max E<u,z>^4 is 1/2 at an axis: attained
    # p = 1: E(z^2-1)^2 + 2 E z^2 - 1 = E z^4
    assert _testers.q4(np.array([[2.0], [1.0]])) == pytest.approx((16 + 1) / 2, rel=1e-15)
    # one slab, t = .1, z = -.5: reach .1/tan(theta) = 1 at tan = .1; ||E z|| = .5, variance 0: Cantelli gives 0
    assert _testers.wedge_bound(np.array([0.1]), np.array([[-0.5]]), [[0]], math.atan(0.1)) == 0
    # Chebyshev alone: .25/1
    assert _testers.wedge_bound(np.array([0.1]), np.array([[-0.5]]), [[0]], math.atan(0.1), chebyshev_only=True) == pytest.approx(0.25)
    # averaging at eta = 1/2 - 0: rate (1-eta) towards w*, eta across: atan(1/3) at eta = 1/4, excess .5 atan(1/3)/pi
    assert _angles.averaging_excess(0.25) == pytest.approx(0.5 * math.atan(1 / 3) / math.pi, rel=1e-15)
    # 6 monomials of degree <= 2 in 2 variables, 1 included
    assert _testers.num_monomials(3, 2) == 6
    assert halfspaces.certified_opt(0.3, 0.1, 200, math.exp(-4)) == pytest.approx(0.3 - 0.1 - 0.1)


# ------------------------------------------------------------------------------------------------------------- the surrogate


@pytest.mark.claim("halfspaces.loss")
def test_smooth_ramp_overshoots_because_its_mass_is_one():
    s = np.linspace(-0.6, 0.6, 120_001)
    k = _kernels.kernel(s)
    assert integrate.simpson(k, x=s) == pytest.approx(1, abs=1e-10)
    assert k.max() == pytest.approx(1.512, abs=1e-8)
    assert k[np.abs(s) <= 1 / 6].min() == 1
    assert np.abs(k[np.abs(s) >= 0.5]).max() < 1e-12
    assert integrate.simpson(_kernels.plain_smoothstep(s), x=s) == pytest.approx(2 / 3, abs=1e-9)  # the falsifier


@pytest.mark.parametrize("name", ["smooth", "logistic"])
def test_slope_of_the_kernel_and_of_the_loss_are_derivatives(name):
    s, h = np.random.default_rng(1).uniform(-0.7, 0.7, 300), 1e-6
    np.testing.assert_allclose(
        (_kernels.kernel(s + h, name) - _kernels.kernel(s - h, name)) / (2 * h), _kernels.kernel_slope(s, name), atol=1e-4
    )
    np.testing.assert_allclose(
        (_kernels.loss(s + h, 1.0, name) - _kernels.loss(s - h, 1.0, name)) / (2 * h), _kernels.kernel(s, name), atol=1e-8
    )
    assert np.abs(_kernels.kernel_slope(np.linspace(-0.5, 0.5, 100_001))).max() == pytest.approx(_kernels.curvature_sup(), rel=1e-6)


def test_logistic_kernel_does_not_overflow():
    assert _kernels.kernel(np.array([-1e4, 1e4]), "logistic").tolist() == [0.0, 0.0]


# ------------------------------------------------------------------------------------------------------ gradients and angles


@pytest.mark.claim("halfspaces.gradlaw")
@pytest.mark.parametrize("kernel", halfspaces.KERNELS)
def test_gradient_of_drawn_points_is_the_exact_norm_and_not_that_of_half_the_noise(kernel):
    theta, sigma, eta, n = 0.4, 0.3, 0.2, 400_000
    rng = np.random.default_rng(2)
    t, x1 = rng.normal(size=n), rng.normal(size=n)
    y = np.where(rng.random(n) < eta, -1, 1) * np.where(x1 * math.sin(theta) + t * math.cos(theta) >= 0, 1, -1)
    each = _kernels.kernel(t / sigma, kernel) / sigma * y * x1
    error = each.std() / math.sqrt(n)
    assert error == pytest.approx(_angles.grad_component_sd(theta, sigma, eta, kernel) / math.sqrt(n), rel=0.02)
    limit = stats.norm.isf(FALSE_FAIL / 2) * error
    assert abs(each.mean() - _angles.grad_norm(theta, sigma, eta, kernel)) < limit
    assert abs(each.mean() - _angles.grad_norm(theta, sigma, eta / 2, kernel)) > limit


def test_ramp_in_closed_form_where_the_angle_is_far_smaller_than_the_width():
    for theta in (1e-4, 1e-2, 0.3, 3.0):
        assert _angles.grad_norm(theta, 1.0, 0.1, "ramp") == pytest.approx(_angles.grad_norm_ramp(theta, 1.0, 0.1), rel=1e-9)
    assert _angles.grad_norm(1.0, 1e-6, 0.1) == pytest.approx(0.8 / math.pi, rel=1e-9)
    assert _angles.grad_norm(0.7, 0.4, 0.0) == pytest.approx(_angles.massart_component(0.7, 0.4, 0.0), rel=1e-12)  # no noise, no adversary


@pytest.mark.claim("halfspaces.lem4.3x")
def test_the_worst_adversary_of_drawn_points_has_the_predicted_component():
    sigma, eta, n = 0.3, 0.3, 1_000_000
    theta = 1.3 * _angles.stationary_angle(sigma, eta)
    rng = np.random.default_rng(3)
    t, x1 = rng.normal(size=n), rng.normal(size=n)
    h = np.where(x1 * math.sin(theta) + t * math.cos(theta) >= 0, 1, -1)
    y = np.where((rng.random(n) < eta) & (h * x1 > 0), -h, h)
    each = _kernels.kernel(t / sigma) / sigma * y * x1
    limit = stats.norm.isf(FALSE_FAIL / 2) * each.std() / math.sqrt(n)
    assert abs(each.mean() - _angles.massart_component(theta, sigma, eta)) < limit
    assert abs(each.mean() - _angles.massart_component(theta, sigma, eta / 2)) > limit
    assert each.mean() > 0  # beyond theta_s the gradient turns w towards w*


def test_stationary_angle_is_a_root_between_signs_and_symmetric():
    for kernel in halfspaces.KERNELS:
        root = _angles.stationary_angle(0.2, 0.35, kernel)
        assert _angles.massart_component(0.9 * root, 0.2, 0.35, kernel) < 0 < _angles.massart_component(1.1 * root, 0.2, 0.35, kernel)
        assert _angles.massart_component(math.pi - 0.5, 0.2, 0.35, kernel) == pytest.approx(
            _angles.massart_component(0.5, 0.2, 0.35, kernel), rel=1e-12
        )
    assert _angles.stationary_angle(0.3, 0.0) == 0
    assert _angles.sigma_for_excess(0.01, 0.3) * _angles.stationary_limit(0.3) / math.pi == pytest.approx(0.01)


TABLE = {  # c_k(eta) at eta = .05, .1, .2, .3, .4, .45
    "smooth": [0.0210, 0.0443, 0.0985, 0.1613, 0.2645, 0.3930],
    "ramp": [0.0210, 0.0443, 0.0997, 0.1716, 0.2909, 0.4362],
    "logistic": [0.0841, 0.1787, 0.4155, 0.7753, 1.5094, 2.4687],
}


@pytest.mark.parametrize("kernel", TABLE)
def test_limit_of_the_stationary_angle_equals_its_table(kernel):
    found = [_angles.stationary_limit(eta, kernel) for eta in (0.05, 0.1, 0.2, 0.3, 0.4, 0.45)]
    np.testing.assert_allclose(found, TABLE[kernel], atol=5.1e-5)


@pytest.mark.claim("halfspaces.thm4.1x")
@pytest.mark.parametrize(("kernel", "eta", "ratio"), [("smooth", 0.4, 2.88), ("ramp", 0.3, 1.75), ("logistic", 0.4, 2.41)])
def test_massart_half_is_not_the_worst_noise_for_the_excess(kernel, eta, ratio):
    worst = _angles.worst_excess(0.1, eta, kernel)
    assert worst / _angles.excess_floor(0.1, eta, kernel) == pytest.approx(ratio, abs=0.006)
    assert worst < _angles.excess_ceiling(0.1, eta, kernel)


def test_excess_under_massart_half_by_counting():
    rng, eta = np.random.default_rng(4), 0.35
    x = rng.normal(size=(400_000, 3))
    w = np.array([math.cos(0.6), math.sin(0.6) * math.cos(2.0), math.sin(0.6) * math.sin(2.0)])
    rates = _angles.massart_half_rates(x, [1, 0, 0], [0, 1, 0], eta)
    each = np.where((x @ w >= 0) != (x[:, 0] >= 0), 1 - 2 * rates, 0)
    error = stats.norm.isf(FALSE_FAIL / 2) * each.std() / math.sqrt(len(x))
    assert abs(each.mean() - _angles.massart_half_excess(0.6, w[1], eta)) < error
    assert abs(each.mean() - _angles.rcn_excess(0.6, eta)) > error  # the falsifier: as if the rate were constant
    assert _angles.massart_half_excess(0.3, -math.sin(0.3), 0.2) == pytest.approx(_angles.rcn_excess(0.3, 0.2))


def test_flips_of_massart_half_by_hand():
    points = [[1.0, 2.0], [1.0, -2.0], [-1.0, 2.0], [-1.0, -2.0], [0.0, 1.0]]  # h <u, x>: +, -, -, +, + (sign(0) = +1)
    assert _angles.massart_half_rates(points, [1, 0], [0, 1], 0.3).tolist() == [0.3, 0.0, 0.0, 0.3, 0.3]
    with pytest.raises(ValueError, match=r"u must be orthogonal to w\*, got <u,w\*>=0\.8"):
        _angles.massart_half_rates(points, [1, 0], [0.8, 0.6], 0.3)
    with pytest.raises(ValueError, match=r"Massart rate must be in \[0, 0\.5\), got 0\.5"):
        _angles.massart_half_rates(points, [1, 0], [0, 1], 0.5)


# ---------------------------------------------------------------------------------------------------------- DKTZ20a


@pytest.mark.claim("halfspaces.dktz.lem7")
@pytest.mark.claim("halfspaces.dktz.lem8")
def test_lemmas_hold_at_widths_far_beyond_their_condition():
    R = math.sqrt(2)
    for kernel, eta, widest in (("ramp", 0.1, 11.31), ("ramp", 0.3, 1.843), ("logistic", 0.3, 0.536)):
        assert _dktz.lem7_holds_up_to(0.3, eta, R, kernel) == pytest.approx(widest, rel=1e-3)
    assert _dktz.squash_component(0.0227, 0.2) == pytest.approx(0.00157, abs=2e-5)  # ... but not on a band without spread
    assert _dktz.squash_component(0.0227, 0.2) < _dktz.lem7_lem8_bound(0.2, R, "ramp")


@pytest.mark.claim("halfspaces.dktz.claim5")
def test_claim5_is_loose_by_e_at_best():
    ratios = [1 / math.pi / _dktz.claim5_lower(1.0, R) for R in (1.2, math.sqrt(2), 1.7)]
    assert min(ratios) == ratios[1] == pytest.approx(math.e)


@pytest.mark.claim("halfspaces.dktz.lem10")
def test_optimisation_bound_is_empty_below_tens_of_millions_of_steps():
    assert _dktz.lem10_vacuous_below(5, 0.3, 0.2) == pytest.approx(5.1e7, rel=0.01)
    assert _dktz.lem10_vacuous_below(5, 0.3, 0.2) / 4 == pytest.approx(1.28e7, rel=0.01)  # with the constant as read
    T = round(_dktz.lem10_vacuous_below(5, 0.3, 0.2))
    assert _dktz.lem10_derived(T, 5, 0.3) == pytest.approx((0.6 / math.pi) ** 2, rel=1e-6)


# ------------------------------------------------------------------------------------------------------- adversarial labels


@pytest.mark.claim("halfspaces.thm5.1x")
def test_adversarial_constants_of_the_three_kernels():
    best = {k: _adversarial.adversarial_best(k) for k in halfspaces.KERNELS}
    np.testing.assert_allclose([best[k].C for k in ("ramp", "smooth", "logistic")], [2.651, 2.797, 2.520], atol=6e-4)
    np.testing.assert_allclose([best[k].reached for k in ("ramp", "smooth", "logistic")], [1.711, 1.839, 1.520], atol=6e-4)
    np.testing.assert_allclose(
        [_adversarial.adversarial_wall(k) for k in ("ramp", "smooth", "logistic")], [10.487, 12.173, 1.837], atol=6e-4
    )
    assert best["logistic"].C < best["ramp"].C < best["smooth"].C  # ... and for Massart noise, at equal sigma, the reverse
    assert all(_angles.stationary_limit(0.3, a) > _angles.stationary_limit(0.3, b) for a, b in (("logistic", "ramp"), ("ramp", "smooth")))
    assert math.isinf(_adversarial.adversarial_limit(8.0, "smooth").C)


def test_flipping_the_best_labels_of_drawn_points_leaves_the_predicted_component():
    theta, sigma, opt, n = 0.5, 0.25, 0.01, 1_000_000
    rng = np.random.default_rng(5)
    t, x1 = rng.normal(size=n), rng.normal(size=n)
    h = np.where(x1 * math.sin(theta) + t * math.cos(theta) >= 0, 1, -1)
    gain = _kernels.kernel(t / sigma) / sigma * h * x1
    flipped = np.argsort(-gain)[: int(opt * n)]
    left = (gain.sum() - 2 * gain[flipped].sum()) / n
    assert left == pytest.approx(_adversarial.adversarial_component(theta, sigma, opt), abs=6 * gain.std() / math.sqrt(n))


# ------------------------------------------------------------------------------------------------------------- testers


@pytest.mark.claim("halfspaces.T3")
def test_relaxation_needs_the_root_of_two():
    # points on the diagonals: E<u,z>^4 is largest at a diagonal, where only the off-diagonal entry of zz^T sees it
    z = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 2.0]])
    u = np.array([1.0, 1.0]) / math.sqrt(2)
    quartic = np.mean((z @ u) ** 4)
    assert quartic <= _testers.q4(z) * (1 + 1e-12)
    assert quartic > _testers.q4(z, root2=1.0)


def test_relaxation_of_weighted_points_is_that_of_repeated_ones():
    rng = np.random.default_rng(6)
    z, w = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    assert _testers.q4(z, w) * 40 == pytest.approx(_testers.q4(np.repeat(z, w, axis=0)) * w.sum(), rel=1e-12)


@pytest.mark.claim("halfspaces.T4")
def test_no_vector_within_theta_differs_on_more_than_w_and_greedy_slabs_are_as_described():
    rng = np.random.default_rng(7)
    x = rng.standard_t(3, size=(400, 2))
    for theta in (0.05, 0.4, 1.3):
        W = _testers.wedge_of(x, np.array([1.0, 0.0]), theta).W
        turned = np.linspace(-theta, theta, 401)
        share = [np.mean((x @ [math.cos(a), math.sin(a)] >= 0) != (x[:, 0] >= 0)) for a in turned]
        assert max(share) <= W
        assert max(share) == pytest.approx(max(share[0], share[-1]))  # a point changes side once as v turns
        slabs = _testers.greedy_slabs(x[:, 0], theta, 2)
        assert sorted(np.concatenate(slabs)) == list(range(400))
        assert min(len(s) for s in slabs) >= 6
        assert all(len({bool(v >= 0) for v in x[s, 0]}) == 1 for s in slabs)


@pytest.mark.claim("halfspaces.T1bound")
def test_spike_has_the_gaussians_moments_and_another_disagreement():
    for k, moment in ((2, 1.0), (4, 3.0)):
        s = _testers.spike(0.05, k)
        largest = max(s.alpha * (s.s * a - s.rho * b) ** k + (1 - s.alpha) * moment for a, b in ((0, 1), (0.6, 0.8), (1, 0)))
        assert largest <= moment * 1.31
        assert _testers.spike(1e-4, k).disagreement > 2 * 1e-4 / math.pi
        assert s.rho > s.s / math.tan(0.05)
    x = np.random.default_rng(8).normal(size=(2000, 2))
    bound = _testers.moment_bound(x[:, 0], 0.1, 2, np.linalg.eigvalsh(x.T @ x / 2000)[-1])
    assert 0.1 / math.pi < bound < 1


@pytest.mark.claim("halfspaces.T2")
def test_band_test_accepts_with_the_nested_binomials_probability():
    assert [round(_testers.t2_acceptance(n, 0.3), 4) for n in (100, 200, 400, 1600)] == [0.2892, 0.4665, 0.6705, 0.9590]
    rng = np.random.default_rng(9)
    accepted = sum(_testers.t2_accepts(rng.normal(size=(400, 2)), np.array([1.0, 0.0]), 0.3) for _ in range(400))
    assert stats.binomtest(accepted, 400, _testers.t2_acceptance(400, 0.3)).pvalue > FALSE_FAIL
    assert _testers.t2_acceptance(3, 0.3) == 0.0  # no count of the inner band is near enough to its mean


def test_testers_accept_gaussian_points_and_reject_what_they_should():
    rng = np.random.default_rng(10)
    w = np.array([0.6, 0.8, 0.0])
    x = rng.normal(size=(40_000, 3))
    good = [_testers.t1_accepts(x), _testers.t1_accepts(x, 4), _testers.t2_accepts(x, w, 0.3), _testers.t3_spectral_accepts(x, w, 0.3)]
    assert all(good)
    assert _testers.t3_monomial_accepts(x, w, 0.3)
    assert _testers.t3_monomial_accepts(x, w, 0.3, k=4)
    signs = np.sign(x)
    assert not _testers.t3_spectral_accepts(signs, np.eye(3)[0], 0.3)  # an empty band rejects
    assert not _testers.t3_monomial_accepts(signs, np.eye(3)[0], 0.3)
    assert not _testers.t1_accepts(2 * x)
    squashed = x - 0.99 * np.where(np.abs(x @ w) < 0.25, x @ np.eye(3)[2], 0)[:, None] * np.eye(3)[2]
    assert _testers.t2_accepts(squashed, w, 0.3)
    assert not _testers.t3_spectral_accepts(squashed, w, 0.3)
    assert not _testers.t3_monomial_accepts(squashed, w, 0.3)


# ----------------------------------------------------------------------------------------------------------- certificate


@pytest.mark.claim("halfspaces.cert")
def test_certificate_covers_the_truth_and_says_nothing_on_few_points():
    theta = _angles.stationary_angle(0.3, 0.1)
    rng, w = np.random.default_rng(11), np.array([math.cos(theta), -math.sin(theta), 0.0])  # where descent stops
    x = rng.normal(size=(200_000, 3))
    h = np.where(x[:, 0] >= 0, 1.0, -1.0)
    y = np.where((rng.random(len(x)) < 0.1) & (h * x[:, 1] > 0), -h, h)
    c = _certificate.certificate(x, y, w, 0.3, eta=0.1)
    assert theta < c.angle < 0.45
    assert not c.vacuous
    assert c.opt_lower <= 0.05 <= c.excess
    assert _certificate.certificate(x[:2000], y[:2000], w, 0.3, eta=0.1).vacuous
    assert _certificate.certificate(x, y, w, 0.3, eta=0.1, m=20).W > c.W  # the price of comparing candidates
    turned = _certificate.weighted_moments(x, y, -w, 0.3)
    assert turned.err < 0.5  # w is taken with the sign that errs less
    adversarial = _certificate.certificate(x, h, np.array([1.0, 0, 0]), 0.3)  # no noise: close to its population value
    assert adversarial.angle == pytest.approx(_certificate.population_certified_angle(0.3, 0.0), rel=0.06)


def test_certificate_is_loose_by_the_factor_of_hoelder():
    assert _certificate.population_certified_angle(0.3, 0.4) == pytest.approx(0.617, abs=5e-4)
    assert _certificate.population_certified_angle(0.3, 0.45) == pytest.approx(0.915, abs=5e-4)
    assert _certificate.population_certified_angle(0.3, 0.45) / _angles.stationary_angle(0.3, 0.45) == pytest.approx(7.8, abs=0.05)


# ------------------------------------------------------------------------------------------------------------- bad input

X = np.random.default_rng(0).normal(size=(50, 3))
BAD = [
    (lambda: _testers.t2_accepts(X[:, :1], np.ones(1), 0.3), "d must be >=2 (angle is undefined), got 1"),
    (lambda: _angles.stationary_angle(0.3, 0.5), "Massart rate must be in [0, 0.5), got 0.5"),
    (lambda: _angles.stationary_angle(0.3, -0.1), "Massart rate must be in [0, 0.5), got -0.1"),
    (lambda: _angles.stationary_angle(0.3, math.nan), "Massart rate must be in [0, 0.5), got nan"),
    (lambda: _adversarial.adversarial_component(0.5, 0.3, 0.5), "adversarial rate must be in [0,0.5), got 0.5"),
    (lambda: _kernels.loss(0.1, 0.0), "sigma must be positive, got 0.0"),
    (lambda: _kernels.loss(0.1, math.inf), "sigma must be positive, got inf"),
    (lambda: _testers.greedy_slabs(X[:, 0], math.pi / 2, 3), "theta must be in (0, pi/2), got 1.57"),
    (lambda: _testers.t2_accepts(X, np.eye(3)[0], 0.3, tau=0.5), "tau must be in (0, 1/2), got 0.5"),
    (lambda: _certificate.certificate(X, np.ones(50), np.eye(3)[0], 0.3, delta=1.0), "delta must be in (0, 1), got 1.0"),
    (lambda: _certificate.certificate(X, np.arange(50), np.eye(3)[0], 0.3), "labels must be -1 or +1, got 0.0 in row 0"),
    (lambda: _certificate.certificate(X, np.ones(49), np.eye(3)[0], 0.3), "y must have 50 labels"),
    (lambda: _certificate.certificate(X, np.ones(50), np.ones(3), 0.3), "w must be a unit vector of 3"),
    (lambda: _testers.t1_accepts(np.where(X[7, 1] == X, math.nan, X)), "x must be finite, got nan in row 7"),
    (lambda: _testers.t1_accepts(X, 3), "even degree required, got 3"),
    (lambda: _testers.t1_accepts(X, 6), "k must be 2 or 4, got 6"),
    (lambda: _testers.monomial_deviation(np.ones((5, 25)), 6), "has 736281 monomials"),
    (lambda: _kernels.kernel(0.1, "gauss"), "kernel must be one of smooth, ramp, logistic, got 'gauss'"),
    (lambda: _dktz.lem7_lem8_bound(0.1, 1.0, "smooth"), "kernel must be one of ramp, logistic, got 'smooth'"),
    (lambda: _angles.grad_norm(0.0, 0.3, 0.1), "theta must lie in (0, pi), got 0"),
    (lambda: _dktz.gaussian_density_bound(0.0), "R must be finite and > 0, got 0"),
    (lambda: _testers.t2_acceptance(1.5, 0.3), "n must be an integer >= 1, got 1.5"),
    (lambda: _angles.stationary_limit(0.0), "eta must be > 0, got 0"),
    (lambda: _angles.fact1_disagreement(4.0), "theta must lie in [0, pi], got 4"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[m[:40] for _, m in BAD])
def test_bad_arguments_are_named_with_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_untested_claims_give_their_reasons():
    """halfspaces.thm5.1 and the notes: what no simulation can refute."""
    untested = {c.id for c in halfspaces.CLAIMS if all(k.untested for k in c.checks)}
    assert untested == {f"halfspaces.{n}" for n in ("thm5.1", "note_time", "note_every_law", "note_fooling")}
    assert all(len(k.untested) > 40 for c in halfspaces.CLAIMS for k in c.checks if k.untested)
