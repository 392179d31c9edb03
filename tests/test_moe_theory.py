"""moe, theory: reference values, hand-worked numbers, maps that keep the law, pitfalls, bad input."""

import dataclasses
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate

from sims.moe import _bite
from theory import moe as theory
from theory.moe import _activations, _advice, _arguments, _constants, _losses, _model, _quadrature

VECTORS = json.loads((Path(__file__).parent / "data" / "moe.vectors.json").read_text())
GATES = ("inside", "outside")


def _mixture(args):
    return theory.mixture(*(args[name] for name in ("beta1", "beta0", "tau", "a", "b", "nu")))


def _answer(vector):
    """The number that a reference value stands for, by its id and words."""
    key, what, a = vector["id"].removeprefix("moe."), vector["what"], vector["args"]
    act, gate = a.get("act", "linear"), a.get("gate", "inside")
    G = _mixture(a) if isinstance(a.get("beta1"), list) and isinstance(a["beta1"][0], list) else None
    quad = theory.quadrature(a["lo"], a["hi"], 64, -16, 16, 2001) if "lo" in a else None
    if key == "log_cond":
        return theory.log_cond(G, a["x"], a["y"], act, gate)
    if key == "act":
        return [theory.activation(name, z) for name in ["gelu", "silu", "softplus", "mish", "elu", "leaky_relu"] for z in a["z"]]
    if key == "voronoi":
        found = theory.voronoi_losses(_mixture(a["fit"]), _mixture(a["truth"]), act, gate, a.get("quotient", False))
        return [found.d1, found.d2, found.mass, found.dtau][: len(vector["value"])]
    if key == "thm2":
        return theory.voronoi_losses(theory.gauge_scale(G, 1 + 1 / a["m"], act, gate), G, act, gate, r=a["r"]).d1
    if "quotient D2" in what:
        return theory.voronoi_losses(theory.doubled(G, a["v"], gate), G, act, gate, quotient=True).d2
    if key == "gauge" and "gauge_scale" in what:
        H = theory.gauge_scale(G, a["c"], act, gate)
        return [H.beta1[0, 0], H.beta0[0], H.tau]
    if "sqrt of diag" in what:
        return theory.predicted_sd(theory.fisher(G, quad, act, gate))
    if "eigenvalue" in what:
        lam = theory.eigenvalues(theory.fisher(G, quad, act, gate))
        return lam[1:] if "nonzero" in what else lam[0] if "smallest" in what else lam[1] if "second" in what else lam
    if key in ("gauge", "antipodal"):
        ray = {"inside": "outside", "outside": "inside"}[gate] if "wrong ray" in what else gate
        d = theory.distances(G, _model.scaled(G, a["c"], 1, ray), quad, act, gate)
        return d.h2 if "alone" in what else d.h if key == "antipodal" else [d.h, d.h2, d.v] if len(vector["value"]) == 3 else [d.h, d.v]
    if key == "cosh":
        return theory.distances(theory.doubled(G, a["v"], gate, [0]), G, quad, act, gate).h
    if key == "rbar" and "m" in a:
        return [theory.rbar(m) for m in a["m"]]
    if key == "rbar":
        name = "three" if "three" in what else "mixed" if "db1" in what else "two"
        d = theory.distances(theory.sequence_of(G, name, a["eps"]), G, quad, act)
        return [d.h, d.v] if isinstance(vector["value"], list) else d.kl
    if key == "pde":
        h = np.dot(a["beta1"], a["x"])
        return (h * theory.derivative(act, h) - theory.activation(act, h)) / a["tau"] ** 2
    return {
        "bite": lambda: theory.n_bite(G, quad, act),
        "reflect": lambda: theory.distances(G, theory.reflected(G), quad, act, gate).h,
        "thm2c": lambda: theory.two_point_bound(a["delta"], a["r"]),
        "over.lb": lambda: theory.resolution_eps(G, a["n"], theory.quadrature(a["lo"], a["hi"], 24, -12, 12, 1001)),
        "def1": lambda: theory.independence_sv(act, a["beta1"], a["order"], a["lo"], a["hi"]),
        "thm3": lambda: math.sqrt(theory.eigenvalues(theory.fisher(G, quad, act, gate))[0] / 8),
        "thm1c": lambda: [theory.hellinger_constant(*case) for case in a["cases"]],
    }[key]()


@pytest.mark.claim("moe.def1")
@pytest.mark.claim("moe.gauge")
@pytest.mark.claim("moe.thm1c")
@pytest.mark.parametrize("i", range(len(VECTORS)), ids=lambda i: f"{VECTORS[i]['id']}-{i}")
def test_reference_values(i):
    np.testing.assert_allclose(_answer(VECTORS[i]), VECTORS[i]["value"], rtol=VECTORS[i]["rtol"], atol=1e-15)


# ---------------------------------------------------------------------------------------------------- hand-worked


def test_density_of_two_atoms_by_hand():
    # x = 1: z = ((2 + ln 3)/1, 0): g = (3e^2, 1)/(3e^2 + 1); y = 0: N(0; 1, 1) = e^{-1/2}/sqrt(2 pi), N(0; 0, 4) = 1/(2 sqrt(2 pi))
    G = theory.mixture((2, 0), (math.log(3), 0), 1, (1, 0), (0, 0), (1, 4))
    g = 3 * math.e**2 / (3 * math.e**2 + 1)
    by_hand = (g * math.exp(-0.5) + (1 - g) / 2) / math.sqrt(2 * math.pi)
    assert theory.log_cond(G, [1.0], [0.0])[0] == pytest.approx(math.log(by_hand), rel=1e-14)


@pytest.mark.parametrize("act", theory.ACTIVATIONS)
def test_derivatives_of_activations_equal_difference_quotients(act):
    z, h = np.linspace(-3, 3, 13) + 0.013, 1e-5
    for f, g in ((theory.activation, theory.derivative), (theory.derivative, theory.second_derivative)):
        np.testing.assert_allclose(g(act, z), (f(act, z + h) - f(act, z - h)) / (2 * h), atol=2e-9)


@pytest.mark.claim("moe.def1")
def test_gate_functions_are_dependent_for_homogeneous_activations_only():
    # sigma(z) = z: sigma(b x) = b x and x sigma'(b x) = x are one function; relu, leaky and powers likewise by Euler's identity
    slopes = [[1.2], [-0.7]]
    for act in ("linear", "relu", "leaky_relu", "square", "cube"):
        assert theory.independence_sv(act, slopes, 1, -3.0, 3.0) < 1e-13
    for act in ("sigmoid", "tanh", "gelu", "silu", "softplus", "sin"):
        assert theory.independence_sv(act, slopes, 1, -3.0, 3.0) > 1e-5
        assert 1e-9 < theory.independence_sv(act, slopes, 2, -3.0, 3.0) < 1e-4  # second order: hardly
    assert theory.independence_sv("tanh", [[1.2], [-1.2]], 1, -3.0, 3.0) < 1e-13  # an antipodal pair is dependent for an odd one


@pytest.mark.claim("moe.antipodal")
@pytest.mark.claim("moe.reflect")
def test_symmetries_of_activations():
    z = np.linspace(-4, 4, 17)
    for act in _activations.SHIFTED_ODD:
        np.testing.assert_allclose(theory.activation(act, z) - theory.activation(act, -z), z, atol=1e-14)
    for act in _activations.ODD:
        np.testing.assert_allclose(theory.activation(act, z) + theory.activation(act, -z), 2 * theory.activation(act, 0.0), atol=1e-15)
    tanh_form = 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))
    assert 1e-4 < np.abs(theory.activation("gelu", z) - tanh_form).max() < 1e-3  # the exact form is used, not the approximation


def test_kullback_leibler_and_hellinger_of_shifted_normals_have_their_closed_forms():
    # one law at every x: two equal atoms make a single normal; means 1 apart, variance 1: KL = 1/2, h^2 = 1 - e^{-1/8}
    G, H = (theory.mixture((1, 0), (0, 0), 1, (0, 0), (m, m), (1, 1)) for m in (0.0, 1.0))
    d = theory.distances(G, H, theory.quadrature(-1, 1, 8, -12, 13, 2001))
    assert d.kl == pytest.approx(0.5, rel=1e-10)
    assert d.h2 == pytest.approx(1 - math.exp(-1 / 8), rel=1e-10)
    assert d.v == pytest.approx(math.erf(1 / (2 * math.sqrt(2))), rel=1e-4)  # kink at the crossing: O(step^2)


@pytest.mark.claim("moe.thm1c")
@pytest.mark.parametrize("q", [8, 10])
def test_root_constant_is_the_mean_of_a_chi(q):
    moment, _ = integrate.quad(lambda r: r**q * math.exp(-r * r / 2) / (2 ** (q / 2 - 1) * math.gamma(q / 2)), 0, 40)
    assert theory.root_constant(q) == pytest.approx(moment / math.sqrt(8), rel=1e-9)


@pytest.mark.claim("moe.thm3c")
@pytest.mark.claim("moe.quot")
def test_constants_of_the_loss_equal_a_gaussian_sample_and_do_not_depend_on_the_gate():
    for G, quad, act, known in ((theory.TL, _quadrature.QL, "linear", 14.90), (theory.TA, _quadrature.QA, "gelu", 68.2)):
        values = [theory.d1_constant(theory.to_gate(G, gate), quad, act, gate) for gate in GATES]
        np.testing.assert_allclose(values[0], values[1], rtol=1e-9)
        assert values[0][0] == pytest.approx(known, rel=1e-3)
    info = theory.fisher(theory.TA, _quadrature.QA, "gelu")
    rows, _ = _constants._functionals(theory.TA, "gelu", "inside")
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(10), np.linalg.inv(info), 200_000) @ rows.T
    sums = np.abs(draws).sum(axis=1)
    mean, sd = theory.d1_constant(theory.TA, _quadrature.QA, "gelu")
    assert abs(sums.mean() - mean) < 6 * sd / math.sqrt(len(sums))  # a normal deviate beyond 6: 2e-9
    assert sums.std() == pytest.approx(sd, rel=0.02)


@pytest.mark.claim("moe.def1")
def test_independence_of_one_slope_by_hand():
    # sin, slope 1, X ~ U(-pi, pi): 1 is orthogonal to the odd sin x and x cos x; their means of squares are 1/2 and pi^2/6 + 1/4,
    # the mean of their product is -1/4; two unit columns at correlation rho have smallest singular value sqrt(1 - |rho|)
    rho = 0.25 / math.sqrt(0.5 * (math.pi**2 / 6 + 0.25))
    assert theory.independence_sv("sin", [1.0], 1, -math.pi, math.pi) == pytest.approx(math.sqrt(1 - rho), rel=1e-12)
    for act in theory.DEGREES:  # x sigma' is p times sigma
        assert theory.independence_sv(act, [1.0], 1, -1, 2) < 1e-15


@pytest.mark.claim("moe.over.lb")
@pytest.mark.claim("moe.rbar")
def test_kullback_leibler_along_the_sequences_has_the_spec_s_constants():
    for G, quad, act, name, eps, known in (
        (theory.TL, _quadrature.QL, "linear", "two", 0.3, 4.378),
        (theory.TL, _quadrature.QL, "linear", "two", 0.1, 3.114),
        (theory.TA, _quadrature.QA, "gelu", "two", 0.1, 2.610),
        (theory.TL, _quadrature.QL, "linear", "three", 0.1, 9.5),
    ):
        assert theory.kl_constant(G, quad, act, eps, name) == pytest.approx(known, rel=5e-3)


@pytest.mark.claim("moe.over.lb")
def test_resolution_limit_at_a_thousand_and_a_million_points():
    quad = theory.quadrature(-1, 1, 24, -12, 12, 1001)
    limits = [theory.resolution_eps(theory.TL, n, quad) for n in (1e3, 1e6)]
    np.testing.assert_allclose(limits, (0.3187, 0.1410), rtol=5e-4)
    assert 2 * limits[1] / math.sqrt(0.3) == pytest.approx(0.51, abs=0.01)  # in standard deviations of the expert


@pytest.mark.claim("moe.thm2c")
def test_two_point_bound_by_hand():
    assert [float(theory.two_point_bound(1, r)) for r in (1, 2, 4)] == [1 / 2, 1 / 4, 1 / 16]
    weight = theory.weights(theory.gauge_scale(theory.TL, 2 / 3)).sum()
    assert weight == pytest.approx(1 + math.exp(-1 / 3), rel=1e-14)


# ----------------------------------------------------------------------------------------------- maps that keep the law


@pytest.mark.claim("moe.gauge")
def test_the_two_placements_are_the_same_laws_and_every_map_commutes_with_them():
    x, y = np.linspace(-1, 1, 5), np.linspace(-2, 2, 5)
    G = theory.TL
    for H in (G, theory.gauge_scale(G, 1.7), theory.doubled(G, 0.4), theory.sequence_of(G, "mixed", 0.2)):
        same = theory.log_cond(theory.to_gate(H, "outside"), x, y, "linear", "outside")
        np.testing.assert_allclose(theory.log_cond(H, x, y), same, rtol=1e-13)
    inside, outside = G, theory.to_gate(G, "outside")
    np.testing.assert_allclose(theory.weights(inside), theory.weights(outside, "outside"), rtol=1e-14)
    # comparing the inside bias without dividing by tau mixes gauge and signal: the weight stays, the number does not
    moved = theory.gauge_scale(inside, 2.0)
    np.testing.assert_allclose(theory.weights(moved), theory.weights(inside), rtol=1e-14)
    assert moved.beta0[0] == 2 * inside.beta0[0]
    assert theory.gauge_scale(outside, 2.0, "linear", "outside").beta0[0] == outside.beta0[0]


@pytest.mark.claim("moe.gauge")
@pytest.mark.parametrize(("c", "known"), [(0.5, 3.782e-2), (2, 1.898e-2)])
def test_one_form_s_ray_on_the_other_is_a_real_error(c, known):
    moved = _model.scaled(theory.TL, c, 1, "outside")
    assert theory.distances(moved, theory.TL, _quadrature.QL).h == pytest.approx(known, rel=1e-3)


@pytest.mark.claim("moe.gauge")
def test_fisher_information_equals_second_differences_of_the_divergence():
    G, quad, act = theory.TA, theory.quadrature(-3, 3, 48, -14, 14, 601), "gelu"
    info, rng = theory.fisher(G, quad, act), np.random.default_rng(1)
    from sims.moe import _reference

    for _ in range(3):
        v = rng.standard_normal(10) * 1e-3
        ahead, behind = (_reference.moved(G, act, _reference.vector(G, act) + s * v) for s in (1, -1))
        both = theory.distances(G, ahead, quad, act).kl + theory.distances(G, behind, quad, act).kl
        assert both == pytest.approx(v @ info @ v, rel=2e-3)


@pytest.mark.claim("moe.cosh")
def test_doubling_keeps_the_order_of_atoms_and_the_law():
    G = theory.mixture((2, -1, 0), (0.3, -0.2, 0), 0.8, (1, 0, -1), (1, 0, -2), (0.3, 0.4, 0.5))
    H = theory.doubled(G, 0.7)
    x, y = np.linspace(-1, 1, 7), np.linspace(-2, 2, 7)
    np.testing.assert_allclose(theory.log_cond(H, x, y), theory.log_cond(G, x, y), rtol=1e-13)
    assert sorted(H.b.tolist()) == [-2, -2, 0, 0, 1, 1]
    one = theory.doubled(G, 0.7, atoms=[1])
    assert sorted(one.b.tolist()) == [-2, 0, 0, 1]
    assert theory.voronoi_losses(H, G, quotient=True).sizes == (2, 2, 2)


# ------------------------------------------------------------------------------------------------------ losses


@pytest.mark.claim("moe.thm4")
def test_losses_of_a_two_atom_cell_by_hand():
    # atom 0 of TL split in b by +-.2, nu - .04, half the weight each: W0 = e^{-1/3}; D2 = W0 (.2^4 + .04^2), D1 = W0 (.2 + .04)
    H = theory.sequence_of(theory.TL, "two", 0.2)
    found, w0 = theory.voronoi_losses(H, theory.TL), math.exp(-1 / 3)
    assert found.sizes == (2, 1)
    assert found.d1 == pytest.approx(w0 * 0.24, rel=1e-12)
    assert found.d2 == pytest.approx(w0 * (0.2**4 + 0.04**2), rel=1e-12)


def test_anchoring_is_to_the_last_true_cell_and_ignores_common_shifts():
    G = theory.TL
    shifted = dataclasses.replace(G, beta1=G.beta1 + 5.0, beta0=G.beta0 - 2.0)
    assert theory.voronoi_losses(shifted, G).d1 == pytest.approx(0, abs=1e-12)
    # with one fitted atom in the anchor cell of a linear fit its slope error is exactly 0 by construction
    off = dataclasses.replace(G, beta1=G.beta1 + np.array([[0.0], [0.3]]))
    assert theory.voronoi_losses(off, G).beta1 == pytest.approx(theory.weights(G)[0] * 0.3, rel=1e-12)
    # an activation's slopes are genuine: a shift of them is an error
    assert theory.voronoi_losses(dataclasses.replace(theory.TA, beta1=theory.TA.beta1 + 0.1), theory.TA, "gelu").beta1 > 0.1


def test_labels_do_not_matter_and_an_empty_true_cell_is_reported():
    H = dataclasses.replace(theory.TA, **{f: getattr(theory.TA, f)[::-1] for f in ("beta1", "beta0", "a", "b", "nu")})
    assert theory.voronoi_losses(H, theory.TA, "gelu").d1 == pytest.approx(0, abs=1e-12)
    both_first = theory.mixture((3, 3), (-0.5, 0), 1.5, (2, 2), (1, 1.1), (0.3, 0.3))
    found = theory.voronoi_losses(both_first, theory.TL)
    assert found.sizes == (2, 0)
    assert found.degenerate


def test_cells_by_experts_survive_slopes_that_noise_has_moved():
    swapped = dataclasses.replace(theory.TL, beta1=theory.TL.beta1[::-1] * 4)
    assert theory.voronoi_losses(swapped, theory.TL).sizes == (1, 1)
    assert theory.voronoi_losses(swapped, theory.TL, cells="all").sizes != (1, 1)


@pytest.mark.claim("moe.thm2")
def test_quotient_undoes_the_ray_exactly():
    for act, p in _activations.DEGREES.items():
        for gate in GATES:
            G = theory.to_gate(theory.TL, gate)
            moved = _model.scaled(G, 1.3, p, gate)
            assert theory.voronoi_losses(moved, G, act, gate).d1 > 0.1
            assert theory.voronoi_losses(moved, G, act, gate, quotient=True).d1 == pytest.approx(0, abs=1e-12)


# ------------------------------------------------------------------------------------------------- advice, the command


@pytest.mark.claim("moe.bite")
def test_advice_of_the_reference_truths(capsys, tmp_path):
    with pytest.warns(UserWarning, match="n_bite = 19,911 exceeds n = 1,000"):
        advice = theory.advise(theory.TA, -3, 3, "gelu", n=1000)
    assert advice.n_bite == pytest.approx(1.9911e4, rel=1e-3)
    assert advice.predicted.rank == advice.predicted.parameters == 10
    assert any("n_bite" in w for w in advice.warnings)
    assert theory.advise(theory.TA, -3, 3, "gelu", error=0.05).n_bite == pytest.approx(4 * advice.n_bite, rel=1e-9)
    outside = theory.advise(theory.to_gate(theory.TA, "outside"), -3, 3, "gelu", "outside")
    assert outside.n_bite == pytest.approx(advice.n_bite, rel=1e-6)
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"beta1": [3, 0], "beta0": [-0.5, 0], "tau": 1.5, "a": [2, -1], "b": [1, -1], "nu": [0.3, 0.5]}))
    assert _bite.bite_command(["--truth", str(truth), "--activation", "linear", "--range", "-1", "1"]) == 0
    said = capsys.readouterr().out
    assert "ray: yes" in said
    assert "Fisher rank: 8 of 9" in said
    assert "no n is enough" in said
    assert _bite.bite_command(["--truth", str(truth), "--activation", "linear", "--range", "-1", "1", "--k", "4"]) == 0
    assert "warning: linear gate with k=4" in capsys.readouterr().out
    assert _bite.bite_command(["--activation", "gelu", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["rank"] == 10
    assert record["n_bite"] == pytest.approx(1.9911e4, rel=1e-3)


@pytest.mark.claim("moe.bite")
def test_n_bite_of_random_truths_is_infinite_exactly_where_the_information_is_singular():
    assert theory.n_bite(theory.antipodal_truth(), theory.quadrature(-3, 3, 48, -16, 16, 801), "gelu") == math.inf
    assert theory.n_bite(theory.TL, _quadrature.QL, "linear") == math.inf


@pytest.mark.claim("moe.antipodal")
@pytest.mark.claim("moe.cosh")
def test_truths_that_are_fragile_are_warned_about():
    base = theory.antipodal_truth
    for G, act, k, *all_words in (
        (base(), "gelu", 2, "whole temperature ray"),
        (base(), "tanh", 2, "Fisher information is singular"),
        (base((1.2, -0.7)), "sigmoid", 2, "two exact global maxima"),
        (theory.TL, "linear", 4, "doubling every atom", "one of 4 is over-specified"),
        (theory.mixture((1, 0), (0, 0), 1, (1, 1), (0, 0), (1, 1)), "gelu", 2, "duplicate experts"),
    ):
        with pytest.warns(UserWarning, match="|".join(all_words)) as caught:
            advice = theory.advise(G, -1, 1, act, k=k)
        assert [str(w.message) for w in caught] == list(advice.warnings)
        assert all(any(words in w for w in advice.warnings) for words in all_words)
    assert theory.advise(theory.TA, -3, 3, "gelu").warnings == ()  # and warnings are errors here


# ------------------------------------------------------------------------------------------------------ bad input

TL, QL = theory.TL, _quadrature.QL


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: theory.mixture((1, 0), (0, 0), 0, (1, 0), (0, 0), (1, 1)), "temperature must be positive, got tau=0"),
        (lambda: theory.mixture((1, 0), (0, 0), 1, (1, 0), (0, 0), (1, 0)), "variance must be positive, got nu="),
        (lambda: theory.mixture((1, 0), (0, 0, 0), 1, (1, 0), (0, 0), (1, 1)), "one entry (or row) an atom"),
        (lambda: theory.mixture((1, math.nan), (0, 0), 1, (1, 0), (0, 0), (1, 1)), "beta1 must be finite"),
        (lambda: theory.log_cond(TL, [0.0, math.inf], [0.0, 0.0]), "x must be finite"),
        (lambda: theory.log_cond(TL, [0.0], [0.0, 1.0]), "x must be [m, 1] and y [m, ...]"),
        (lambda: theory.log_cond(TL, [0.0], [0.0], act="swish"), "activation must be one of linear, relu"),
        (lambda: theory.log_cond(TL, [0.0], [0.0], gate="middle"), "gate must be one of inside, outside, got 'middle'"),
        (lambda: theory.gauge_scale(TL, 0.0), "c must be finite and > 0, got c=0.0"),
        (lambda: theory.gauge_scale(TL, 2.0, "gelu"), "no scale gauge for activation gelu"),
        (lambda: theory.voronoi_losses(TL, TL, "gelu", quotient=True), "no scale gauge for activation gelu"),
        (lambda: theory.voronoi_losses(TL, theory.doubled(TL, 1.0)), "under-specified fit: k must be at least k_star=4, got k=2"),
        (lambda: theory.voronoi_losses(TL, TL, r=0.5), "r must be finite and >= 1 in D1_r, got 0.5"),
        (lambda: theory.voronoi_losses(TL, theory.mixture((1,), (0,), 1, (1,), (0,), (1,))), "k_star must be at least 2"),
        (lambda: theory.voronoi_losses(TL, TL, cells="some"), "cells must be one of experts, all"),
        (lambda: theory.rbar(4), "known only for 2 and 3 atoms, got m=4"),
        (lambda: theory.quadrature(1, -1, 8, -5, 5, 11), "the range of X needs lo < hi, got lo=1, hi=-1"),
        (lambda: theory.fisher(theory.mixture((1, 1), (0, 0), 1, (1, 0), (0, 0), (1, 1)), QL), "G must be anchored"),
        (lambda: theory.fisher(TL, theory.quadrature(-1, 1, 8, -1, 1, 101)), "widen its y range"),
        (lambda: theory.split(TL, 0, (0.5, 0.6)), "omega must be positive and sum to 1"),
        (lambda: theory.split(TL, 0, (0.5, 0.5), d_nu=-1.0), "variance must be positive"),
        (lambda: theory.independence_sv("gelu", (1.0,), 3, -1, 1), "order must be 1 or 2, got 3"),
        (lambda: theory.d1_constant(theory.mixture(np.eye(2), (0, 0), 1, np.eye(2), (0, 0), (1, 1)), QL, "gelu"), "d must be 1, got d=2"),
        (lambda: theory.two_point_bound(1.0, 0.9), "r must be finite and >= 1"),
        (lambda: theory.resolution_eps(TL, 0, QL), "n must be finite and > 0"),
        (lambda: theory.sequence_of(TL, "four", 0.1), "sequence must be one of two, three"),
        (lambda: theory.advise(TL, 3, -3), "the range of X needs lo < hi"),
        (lambda: theory.advise(TL, -1, 1, k=1), "under-specified fit: k must be at least k_star=2, got k=1"),
        (lambda: theory.advise(TL, -1, 1, error=0.0), "error must be finite and > 0"),
        (lambda: theory.advise(TL, -1, 1, n=10), "n too small for p=10 parameters: n must be at least 2 p = 20, got n=10"),
        (lambda: theory.read_mixture("nowhere.json"), "nowhere.json cannot be read as JSON: No such file"),
        (lambda: theory.reflected(theory.doubled(TL, 1.0)), "exchanges the slopes of k=2 atoms, got k=4"),
        (lambda: _arguments.integer("f", "n", 2.5, 1), "n must be an integer >= 1, got 2.5"),
    ],
)
def test_bad_input_is_named_with_its_range(call, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        call()


def test_a_cell_of_more_than_three_atoms_has_no_loss_d2():
    four = theory.split(theory.TL, 0, (0.25,) * 4, d_b=np.array([0.1, 0.2, -0.1, -0.2]))
    assert math.isnan(theory.voronoi_losses(four, theory.TL).d2)
    assert math.isfinite(theory.voronoi_losses(four, theory.TL).d1)


_OTHERS = '"beta0": [0, 0], "tau": 1, "a": [1, 0], "b": [0, 0], "nu": [1, 1]'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "one object with beta1, beta0, tau, a, b, nu, got list"),
        ('{"beta1": [1, 0]}', "beta0, tau, a, b, nu missing"),
        ("not json", "cannot be read as JSON: Expecting value"),
        (f'{{"beta1": "x", {_OTHERS}}}', "beta1 must hold numbers only, got 'x'"),
        (f'{{"beta1": [1, 0], "slope": 2, {_OTHERS}}}', "'slope' is none of them"),
        (f'{{"beta1": [1, 0, 2], {_OTHERS}}}', "beta"),
    ],
)
def test_a_truth_file_that_is_no_mixture_is_refused_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}.*{words}"):
        _advice.read_mixture(path)


def test_orders_of_cells_can_be_replaced_for_falsifiers_only_by_name():
    H = theory.sequence_of(theory.TL, "two", 0.1)
    flat = theory.voronoi_losses(H, theory.TL, orders={1: 1, 2: 2, 3: 2}).d2
    assert flat > 10 * theory.voronoi_losses(H, theory.TL).d2
    assert _losses.RBAR == {1: 1, 2: 4, 3: 6}
