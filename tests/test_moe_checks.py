"""moe, checks: every deterministic check holds and its lying worlds are rejected; tests at the resolution limit; random truths."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims import _decide, _experiment, _stats
from sims.moe import _density, _experiments_exact, _experiments_sampled, _limits, _mle, _pde, _races
from sims.moe._limits import BiteCell, LimitCell
from sims.moe._pde import GateCell
from theory import _claims
from theory import moe as theory
from theory.moe import _quadrature

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
EXACT = {e.check: e for e in _experiments_exact.EXPERIMENTS if "~" not in e.check}
CHECKS = [name for name in EXACT if "!" not in name]


def _judged(name, cell, falsifier=None):
    """Residual and tolerance of an EXACT experiment at a cell against the declared (or a wrong) bound."""
    experiment = EXACT[name]
    check = _claims.claims()[experiment.claim_id].check(experiment.check_name)
    bound = falsifier.bound if falsifier is not None and falsifier.kind == "bound" else check.bound
    cases = list(experiment.evaluate(cell, np.random.default_rng([7, experiment.stream(cell)])))
    fields = [{**_experiment.cell_fields(cell), **case.fields} for case in cases]
    bounds = np.array([_claims.call(bound, f) for f in fields], dtype=float)
    statistics = np.array([c.statistic for c in cases])
    e, _ = _stats.judge_exact(statistics, bounds, residual=check.residual, tolerance=check.tolerance)
    return e.verdict


def _params():
    for name in CHECKS:
        marks = [pytest.mark.claim(EXACT[name].claim_id)]
        yield pytest.param(name, "outside" if len(name) % 2 else "inside", marks=marks, id=name)


@pytest.mark.parametrize(("name", "gate"), list(_params()))
def test_a_deterministic_check_holds_and_its_falsifiers_are_rejected(name, gate):
    cell = GateCell(gate)
    claim = _claims.claims()[EXACT[name].claim_id]
    assert _judged(name, cell) is _claims.Verdict.SUPPORTED
    for falsifier in claim.check(EXACT[name].check_name).falsifiers:
        asked = f"{name}!{falsifier.name}" if falsifier.kind == "world" else name
        assert _judged(asked, cell, falsifier) is _claims.Verdict.REFUTED, falsifier.name


@pytest.mark.claim("moe.pde")
def test_residual_of_the_temperature_equation_by_hand():
    # beta1 = (1, 0, 0), x = (1, 0, 0): h = 1; sigmoid: h sigma' - sigma = s(1-s) - s = -s^2 = -.5344, over tau^2 = 4
    theta = np.tile([1.0, 0, 0, 0.3, 2.0, 0.1, 0.2, 0.3, 0.4, 0.5], (200, 1))  # 200: the compiled program's own shape
    first, _, _, known = _pde.residuals(theta, np.tile([1.0, 0, 0], (200, 1)), np.full(200, 0.7), "sigmoid", "inside")
    by_hand = -((1 / (1 + math.exp(-1))) ** 2) / 4
    assert known[0] == pytest.approx(by_hand, rel=1e-12)
    assert first[0] == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.claim("moe.artefact")
def test_a_frozen_temperature_is_exactly_where_it_started():
    z_free = _races.evaluate_frozen(GateCell("inside"), np.random.default_rng(3))
    assert {round(c.fields["alpha"], 3): round(c.statistic, 2) for c in z_free} == {0.0: 0.0, 0.083: -0.08, 0.25: -0.25}


# ------------------------------------------------------------------------------------------------- resolution limit


@functools.cache
def _program(simulate):
    return jax.jit(lambda keys, prepared: jax.lax.map(lambda key: simulate(key, prepared), keys))


def _draw(simulate, prepared, count, seed=0):
    _experiment.register(type(prepared))
    with jax.enable_x64(True):
        drawn = _program(simulate)(jax.random.split(jax.random.key(seed), count), jax.tree.map(np.asarray, prepared))
        return {name: np.asarray(a) for name, a in drawn.items()}


@pytest.mark.claim("moe.over.lb")
def test_level_and_power_at_the_limit_are_those_of_a_normal_shift_of_one_deviation():
    # n KL = 1/2: the log-likelihood ratio is about N(-1/2, 1) and N(1/2, 1); level .05, power Phi(1 - 1.645) = .26
    drawn = _draw(_limits.simulate_limit, _limits.prepare_limit(LimitCell(1000)), 512)
    for name, p in (("level", 0.05), ("power", stats.norm.cdf(1 - _limits.LEVEL_POINT))):
        k = int(drawn[name].sum())
        assert stats.binom.sf(k - 1, 512, p + 0.03) > FALSE_FAIL  # .03: what the ratio's skewness may add at n = 1,000
        assert stats.binom.cdf(k, 512, max(p - 0.03, 0)) > FALSE_FAIL
    far = _draw(_limits.simulate_limit, _limits.prepare_limit(LimitCell(1000), farther=1.5), 512)
    assert far["power"].mean() > 0.9


@pytest.mark.claim("moe.bite")
def test_compiled_fisher_information_and_n_bite_equal_theory_s():
    quad = theory.quadrature(-3, 3, 32, -14, 14, 221)
    shape = (32, 221)
    x, y = np.broadcast_to(quad.x, shape).ravel(), np.broadcast_to(quad.y, shape).ravel()
    weight = (quad.x_weights[:, None] * quad.y_weights).ravel()
    G = theory.TA
    with jax.enable_x64(True):
        P = _density.Params(*(jnp.asarray(v, jnp.float64) for v in (G.beta1, G.beta0, G.tau, G.a, G.b, G.nu)))
        law = _density.Gate(("gelu",), jnp.int32(0), jnp.float64(1.0))
        info = jax.jit(_limits.fisher_of)(P, law, jnp.asarray(x), jnp.asarray(y), jnp.asarray(weight))
    np.testing.assert_allclose(info, theory.fisher(G, quad, "gelu"), rtol=1e-9, atol=1e-12)


@pytest.mark.claim("moe.bite")
def test_random_truths_bite_in_the_order_tanh_sigmoid_and_their_histograms_are_shares():
    drawn = _draw(_limits.simulate_bite, _limits.prepare_bite(BiteCell(1.0)), 32)
    np.testing.assert_array_equal(drawn["histogram"].sum(axis=2), 1)
    centres = 0.5 * (_limits.BINS[1:] + _limits.BINS[:-1])
    logs = drawn["histogram"] @ centres
    order = {name: logs[:, i].mean() for i, name in enumerate(_limits.BITE_ACTS)}
    assert order["gelu"] < order["tanh"] < order["sigmoid"]


# ---------------------------------------------------------------------------------------------------------- plans


@pytest.mark.claim("moe.thm3")
@pytest.mark.claim("moe.thm4")
@pytest.mark.claim("moe.rbar")
def test_decisions_stay_within_the_paper_s_share_and_programs_are_few():
    sampled = [e for e in _experiments_sampled.EXPERIMENTS if "~" not in e.check and "!" not in e.check]
    for preset in _experiment.PRESETS:
        rates = sum(1 for e in sampled if e.cells.get(preset) and _is_rate(e))
        singles = sum(len(e.cells.get(preset, ())) for e in sampled if not _is_rate(e))
        assert rates + singles + sum(len(EXACT[n].cells[preset]) for n in CHECKS) <= 130
    shapes = set()
    for e in _experiments_sampled.EXPERIMENTS:
        for cell in e.cells.get("default", ()):
            if e.simulate is _mle.simulate_fits:
                p = e.prepare(cell)
                shapes.add((p.K, p.size, p.chunk, p.max_fits, e.chunk, e.block))
    assert len(shapes) == 3  # two atoms, two atoms with large samples, three atoms


def _is_rate(experiment):
    return _claims.claims()[experiment.claim_id].check(experiment.check_name).relation is _claims.Relation.RATE


@pytest.mark.claim("moe.quot")
def test_planned_slopes_come_from_the_predicted_constants():
    options = _decide.Options(out=None, preset="default")
    for e in _experiments_sampled.EXPERIMENTS:
        if e.check.startswith("moe.quot/") and not {"!", "~"} & set(e.check) and _is_rate(e):
            check = _claims.claims()["moe.quot"].check(e.check_name)
            plan = _decide.plan_of(check, e, e.cells["default"], None, options)
            assert plan["max_replicates"] >= 1.2 * plan["p999"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: _limits.validate_limit(LimitCell(100)), "n must be an integer >= 500 and <= 10,000,000, got 100"),
        (lambda: _limits.validate_bite(BiteCell(0.0)), r"half must lie in \(0, 20\], got 0.0"),
        (lambda: _pde.validate_gate(GateCell("middle")), "gate must be one of inside, outside, got 'middle'"),
    ],
)
def test_cells_out_of_range_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_quadrature_of_the_limits_is_as_good_as_the_large_one():
    limits = [theory.resolution_eps(theory.TL, 1e5, quad) for quad in (_quadrature.QL, _quadrature.QL_SMALL)]
    assert limits[0] == pytest.approx(limits[1], rel=1e-6)
