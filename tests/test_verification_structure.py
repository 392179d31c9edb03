"""verification: the planted task against enumeration, balls against certificates, structural claims and falsifiers."""

import functools
import itertools
import json
import math
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy import optimize, stats

from sims import _experiment
from sims.verification import _experiments_structure, _laws, _needle
from sims.verification import _planted as sims
from theory import _claims
from theory.verification import _arguments, _balls, _claims_structure, _planted

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "verification.vectors.json").read_text())
EXPERIMENTS = {e.check: e for e in _experiments_structure.EXPERIMENTS}
CLAIMS = {c.id: c for c in _claims_structure.CLAIMS}
V, K = _planted.VOCABULARY, _planted.GOLD_LENGTH


def _law(base, H, V=V, k=K):
    return np.arange(H + 1.0), _planted.mixture_pmf(*_planted.base_of(base), V, k, H)


# ------------------------------------------------------------------------------------------------------ reference values


def _about_the_law(gammas, weights, V, k, H, base):
    values, probs = np.arange(H + 1), _planted.mixture_pmf(gammas, weights, V, k, H)
    mean, variance = _planted.mean_var(values, probs)
    return [probs[0], mean, math.sqrt(variance)]


def _over_kappa(fn):
    return lambda values, probs, kappa: [fn(values, probs, x) for x in kappa]


def _at_base(fn):
    return lambda gammas, weights, V, k, H, base, **more: fn(np.arange(H + 1), _planted.mixture_pmf(gammas, weights, V, k, H), **more)


def _top_c_at_015(values, probs):
    return _balls.top_c_value(values, probs, _balls.anticonc(values, probs, 0.15))


FUNCTION_OF = {  # (id, start of "what", an argument that tells variants apart)
    ("S3", "pmf of R", ""): _planted.planted_pmf,
    ("S3", "P(R=0)", ""): _about_the_law,
    ("lem1", "sum over steps", ""): lambda base, **a: _planted.mixture_var_q_sum(**a),
    ("lem1", "falsifier", ""): lambda base, **a: _planted.mixture_var_q_sum(*_planted.BASES[base], **a, style_step=False),
    ("lem2", "supremum", "base"): _at_base(_balls.sup_chi2),
    ("lem2", "chi-square-ball", ""): _over_kappa(_balls.sup_chi2),
    ("lem2", "KL-ball", ""): _over_kappa(_balls.sup_kl),
    ("lem3", "c(kappa)", "base"): _at_base(_balls.anticonc),
    ("lem3", "c(kappa)", ""): _over_kappa(_balls.anticonc),
    ("lem3", "top-c value at", ""): _at_base(_top_c_at_015),
    ("lem3", "top-c (CVaR)", ""): lambda values, probs, c: [_balls.top_c_value(values, probs, x) for x in c],
    ("lem4", "largest mass of a half", ""): lambda m: [_balls.interval_mass(np.ones(m), closed) for closed in (False, True)],
    ("lem4", "largest mass of [x", ""): _balls.interval_mass,
    ("emp_bon", "P(solve)", ""): lambda base, H, N, V, k: [_planted.bon_success(*_planted.BASES[base], V, k, H, n) for n in N],
    ("emp_hetero", "sigma", ""): lambda base, H, V, k: [_planted.spread(*_planted.BASES[base], V, k, h) for h in H],
}


def _function_of(vector):
    for (name, start, argument), fn in FUNCTION_OF.items():
        if vector["id"] == f"verification.{name}" and vector["what"].startswith(start) and (not argument or argument in vector["args"]):
            return fn
    return None


@pytest.mark.parametrize("vector", [v for v in VECTORS if _function_of(v)], ids=lambda v: f"{v['id']}-{v['what'][:24]}")
def test_formula_equals_its_reference_value(vector):
    np.testing.assert_allclose(_function_of(vector)(**vector["args"]), vector["value"], rtol=vector["rtol"], atol=1e-15)


def test_every_kind_of_reference_value_is_used():
    used = {(v["id"], v["what"][:12]) for v in VECTORS if _function_of(v)}
    mine = {(v["id"], v["what"][:12]) for v in VECTORS if re.fullmatch(r"verification\.(S3|lem\d|emp_bon|emp_hetero)", v["id"])}
    assert used == mine


def test_hand_worked_values():
    # k=1, V=2, gamma=1: a fair coin a token; H=2: P(T=1)=1/2 -> R=2, P(T=2)=1/4 -> R=1, else 0
    np.testing.assert_allclose(_planted.planted_pmf(1, 2, 1, 2), [0.25, 0.25, 0.5], rtol=1e-15)
    # ... mean 5/4, E R^2 = 9/4, variance 11/16; T is geometric: mean 2, variance 2
    assert _planted.var_q_sum(1, 2, 1, 2) == pytest.approx(11 / 16, rel=1e-14)
    assert _planted.solving_time([1.0], [1.0], 2, 1) == pytest.approx((2, math.sqrt(2)), rel=1e-14)
    # a coin with P(1)=1/4, kappa=1: sigma = sqrt(3)/4, sqrt(kappa) <= sigma/mu = sqrt(3): mu + sigma = .683
    assert _balls.sup_chi2([0, 1], [0.75, 0.25], 1) == pytest.approx((1 + math.sqrt(3)) / 4, rel=1e-14)
    assert _balls.largest_heard_kappa([0, 1], [0.75, 0.25]) == pytest.approx(3)  # (1-p)/p
    # two of four tokens each on g = 1/2: best of 2 at H=4 fails with (1 - g^2)^2 = 9/16 where each has 2 tokens (k=2)
    assert _planted.bon_failure([2.0], [1.0], 3, 2, 4, 2) == pytest.approx(9 / 16, rel=1e-14)
    assert _balls.erdos_bound(4) == 6 / 16


# ------------------------------------------------------------------------------------------- the planted task, by brute force


@functools.cache
def _every_trace(V, k, H):
    """All V^H traces [V^H, H], the progress before each token [V^H, H] and the reward [V^H]; straight from the words."""
    traces = np.array(list(itertools.product(range(V), repeat=H)))
    progress, reward = np.zeros(traces.shape, int), np.zeros(len(traces), int)
    gold = tuple(range(k))
    for i, trace in enumerate(traces.tolist()):
        first = next((h for h in range(k, H + 1) if tuple(trace[h - k : h]) == gold), None)
        reward[i] = 0 if first is None else H - first + 1
        for h in range(H):
            progress[i, h] = max(q for q in range(min(h, k - 1) + 1) if tuple(trace[h - q : h]) == gold[:q])
    return traces, progress, reward


def _trace_probabilities(gamma, V, k, H):
    traces, progress, _ = _every_trace(V, k, H)
    return np.where(traces == progress, gamma, 1.0).prod(1) / (gamma + V - 1) ** H


@pytest.mark.parametrize(("V_", "k", "H"), [(3, 2, 6), (4, 3, 6), (2, 2, 8), (3, 1, 4), (3, 3, 7)])
@pytest.mark.parametrize("gamma", [0.3, 1, 5])
def test_pmf_equals_enumeration_of_every_trace(V_, k, H, gamma):
    _, _, reward = _every_trace(V_, k, H)
    counted = np.bincount(reward, weights=_trace_probabilities(gamma, V_, k, H), minlength=H + 1)
    np.testing.assert_allclose(_planted.planted_pmf(gamma, V_, k, H), counted, rtol=1e-12, atol=1e-12)


@pytest.mark.claim("verification.lem1")
def test_q_variances_equal_enumeration_of_every_prefix():
    V_, k, H, gammas, weights = 3, 2, 6, (0.7, 9.0), (0.3, 0.7)
    traces, _, reward = _every_trace(V_, k, H)
    code = traces @ V_ ** np.arange(H - 1, -1, -1)  # the trace as a number: its first h tokens are code // V^(H-h)
    total, means = 0.0, []
    for gamma, weight in zip(gammas, weights, strict=True):
        p = _trace_probabilities(gamma, V_, k, H)
        previous = np.array([p @ reward])  # E[R | first h tokens], from h = 0 on
        means.append(previous[0])
        for h in range(1, H + 1):
            prefix = code // V_ ** (H - h)
            mass = np.bincount(prefix, weights=p)
            now = np.bincount(prefix, weights=p * reward) / mass
            total += weight * (mass @ (now - np.repeat(previous, V_)) ** 2)  # the reward so far is common, so this is Var Q
            previous = now
    between = np.average((means - np.average(means, weights=weights)) ** 2, weights=weights)
    assert _planted.mixture_var_q_sum(gammas, weights, V_, k, H) == pytest.approx(total + between, rel=1e-12)
    assert _planted.mixture_var_q_sum(gammas, weights, V_, k, H, style_step=False) == pytest.approx(total, rel=1e-12)


@jax.jit(compiler_options={"xla_backend_optimization_level": 0})  # compiles in a third of the time
def _traces(keys, prepared):
    return jax.lax.map(lambda key: sims.simulate_trace(key, prepared), keys, batch_size=256)


def _frequencies(cell, num_replicates, seed):
    keys = jax.random.wrap_key_data(np.random.default_rng(seed).integers(0, 2**32, (num_replicates, 2), np.uint32))  # no compilation
    drawn = _traces(keys, sims.prepare_mean(cell))
    assert np.array_equal(np.asarray(drawn["x"]), np.argmax(drawn["histogram"], axis=1))
    return np.asarray(drawn["histogram"]).sum(0)


def _same_law(counts, pmf):
    """p-value of a chi-square test; rare values pooled, impossible ones never seen."""
    expected = pmf * counts.sum()
    rare = expected < 10
    if counts[pmf == 0].any():
        return 0.0
    pooled = [np.append(a[~rare], a[rare].sum()) for a in (counts, expected)]
    keep = pooled[1] > 0
    return stats.chisquare(pooled[0][keep], pooled[1][keep]).pvalue


@pytest.mark.claim("verification.lem1")
@pytest.mark.parametrize("cell", [sims.PlantedCell("4+64", 12, V=6, k=3), sims.PlantedCell("two", 64), sims.PlantedCell("3", 9, V=2, k=2)])
def test_sampled_traces_have_the_law_of_the_dynamic_program_and_no_other(cell):
    counts = _frequencies(cell, 8192, seed=7)
    assert _same_law(counts, sims.reward_law(cell)[1]) > FALSE_FAIL
    gammas, _ = _planted.base_of(cell.base)
    other = _planted.planted_pmf(1.5 * np.mean(gammas), cell.V, cell.k, cell.H)
    assert _same_law(counts, other) < FALSE_FAIL


def test_a_reward_sequence_is_bi_level_or_named():
    _, _, reward = _every_trace(3, 2, 6)
    steps = np.arange(1, 7)[None, :] > 6 - reward[:, None]  # 1 from the first correct step on
    np.testing.assert_array_equal(_planted.bilevel_reward(steps), reward)
    assert _planted.bilevel_reward([0, 0, 1, 1, 1]) == 3
    for bad in ([0, 1, 0], [0, 0.5, 1], [0, math.nan], [[0, 1], [1, 0]], [2, 2]):
        with pytest.raises(ValueError, match="reward is not bi-level"):
            _planted.bilevel_reward(bad)
    with pytest.raises(ValueError, match="H must be a positive integer"):
        _planted.bilevel_reward([])


@pytest.mark.claim("verification.lem1")
def test_style_step_carries_a_third_of_the_variance_or_more():
    for base, H in itertools.product(("two", "log6"), (16, 64, 256)):
        total, within = (_planted.mixture_var_q_sum(*_planted.BASES[base], V, K, H, style) for style in (True, False))
        assert 1 - within / total > 0.32
    whole, within = (_planted.mixture_var_q_sum(*_planted.BASES["single"], V, K, 64, style) for style in (True, False))
    assert whole == within


# --------------------------------------------------------------------------------------------------------------- balls


def _random_laws(count, seed=3):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        num_atoms = int(rng.integers(2, 12))
        yield rng.uniform(size=num_atoms), rng.dirichlet(np.full(num_atoms, 0.5))


def _laws_to_try(count):
    yield from _random_laws(count)
    for base, H in itertools.product(_planted.BASES, (8, 64)):
        yield _law(base, H)


@pytest.mark.claim("verification.lem2")
@pytest.mark.parametrize("kappa", [0.05, 0.5, 2.0])
def test_chi_square_supremum_meets_its_dual_certificate(kappa):
    # E_q R <= t + sqrt(1 + kappa) sqrt(E (R - t)_+^2) for every t (Cauchy-Schwarz); the least such bound is the supremum
    for values, probs in _laws_to_try(30):
        sup, top = _balls.sup_chi2(values, probs, kappa), values[probs > 0].max()

        def dual(t, v=values, p=probs):
            return t + math.sqrt((1 + kappa) * (p @ np.maximum(v - t, 0) ** 2))

        low = top - (top - values.min()) * (2 + 2 / math.sqrt(kappa))
        found = optimize.minimize_scalar(dual, bounds=(low, top), method="bounded", options={"xatol": 1e-12})
        assert sup <= found.fun + 1e-9 * abs(top)
        assert min(found.fun, top) == pytest.approx(sup, rel=1e-6)


@pytest.mark.claim("verification.lem2_kl")
@pytest.mark.parametrize("kappa", [1e-4, 0.05, 0.5, 2.0])
def test_kl_supremum_meets_its_dual_certificate(kappa):
    # E_q R <= (kappa + ln E e^{tR})/t for every t > 0 (Donsker and Varadhan)
    for values, probs in _laws_to_try(30):
        values, probs = values[probs > 0], probs[probs > 0]
        sup, top, scale = _balls.sup_kl(values, probs, kappa), values.max(), np.ptp(values)

        def dual(log_t, v=values, p=probs, top=top, scale=scale):
            t = math.exp(log_t) / scale
            return top + (kappa + math.log(p @ np.exp(t * (v - top)))) / t

        found = optimize.minimize_scalar(dual, bounds=(-12, 25), method="bounded", options={"xatol": 1e-10})
        assert sup <= found.fun + 1e-9 * abs(top)
        assert min(found.fun, top) == pytest.approx(sup, rel=1e-6)


@pytest.mark.claim("verification.lem2_kl")
def test_a_small_kl_ball_is_root_two_larger_than_the_chi_square_ball():
    values, probs = _law("two", 64)
    mean, variance = _planted.mean_var(values, probs)
    gains = [(_balls.sup_kl(values, probs, x) - mean) / math.sqrt(variance * x) for x in (1e-3, 1e-5)]
    assert gains == pytest.approx([math.sqrt(2)] * 2, rel=0.02)
    assert abs(gains[1] - math.sqrt(2)) < abs(gains[0] - math.sqrt(2))


@pytest.mark.claim("verification.lem3")
@pytest.mark.claim("verification.lem3_kl")
@pytest.mark.parametrize("c", [0.03, 0.4, 1.0])
def test_top_c_value_is_the_best_of_bounded_density_ratio(c):
    for values, probs in _random_laws(20):
        ratio = {"A_eq": probs[None, :], "b_eq": [1.0], "bounds": (0, 1 / c)}
        best = -optimize.linprog(-values * probs, **ratio).fun
        assert _balls.top_c_value(values, probs, c) == pytest.approx(best, rel=1e-7)


@pytest.mark.claim("verification.lem3")
def test_anti_concentration_counts_atoms_on_the_threshold_and_drops_at_large_kappa():
    for kappa in (0.3, 1.0, 3.7):
        p = 1 / (1 + kappa)  # the best atom sits on mu + sigma sqrt(kappa)
        assert _balls.anticonc([0, 1], [1 - p, p], kappa) == pytest.approx(p)
        assert _balls.anticonc([0, 1], [1 - p, p], kappa * (1 + 1e-6)) == 0
    assert _balls.anticonc(*_law("dead", 512), 1.0) > 0.46
    assert _balls.anticonc(*_law("dead", 1024), 1.0) == 0  # no float noise: max R is below mu + sigma by 3e-5 sigma
    assert _balls.anticonc([2.0, 5.0], [1.0, 0.0], 0.5) == 1  # sigma = 0; the atom of mass zero is not in the support


@pytest.mark.claim("verification.lem3")
def test_theory_is_silent_on_half_of_the_planted_bases_at_kappa_one_and_on_all_at_two():
    laws = [_law(base, H) for base in _planted.BASES for H in (8, 16, 32, 64, 128)]
    silent = {kappa: np.mean([_balls.anticonc(*law, kappa) == 0 for law in laws]) for kappa in (0.05, 1.0, 2.0, 4.0)}
    assert silent == {0.05: 0, 1.0: 0.5, 2.0: 1, 4.0: 1}
    for values, probs in laws:
        heard = _balls.largest_heard_kappa(values, probs)
        assert _balls.anticonc(values, probs, heard * (1 - 1e-6)) > 0 == _balls.anticonc(values, probs, heard * (1 + 1e-6))
        # the repaired mass is never zero, and never below a third here
        assert all(_balls.anticonc_star(values, probs, _balls.sup_chi2(values, probs, x)) > 0.32 for x in (0.5, 1.0, 4.0))


@pytest.mark.claim("verification.lem3")
def test_no_base_that_always_solves_is_heard_beyond_kappa_two():
    rng = np.random.default_rng(11)
    heard = []
    for _ in range(500):
        k = int(rng.integers(1, 6))
        tokens, num_styles = int(rng.integers(max(2, k), k + 6)), int(rng.integers(1, 4))
        gammas, weights = np.exp(rng.uniform(-3, 6, num_styles)), rng.dirichlet(np.ones(num_styles))
        mean, sd = _planted.solving_time(gammas, weights, tokens, k)
        heard.append(((mean - k) / sd) ** 2)
    assert max(heard) < 2
    mean, sd = _planted.solving_time([1e-4], [1.0], 2, 2)
    assert ((mean - 2) / sd) ** 2 == pytest.approx(2, abs=1e-3)  # two geometric waits: the constant is sharp
    for base in ("single", "two", "log6"):  # the limit is the limit
        mean, sd = _planted.solving_time(*_planted.BASES[base], V, K)
        assert _balls.largest_heard_kappa(*_law(base, 4096)) == pytest.approx(((mean - K) / sd) ** 2, rel=1e-4)


@pytest.mark.claim("verification.lem4")
def test_interval_mass_equals_a_direct_search():
    rng = np.random.default_rng(5)
    for m in (1, 2, 5, 8):
        a = rng.uniform(1, 3, m)
        sums = np.array(list(itertools.product((-1, 1), repeat=m))) @ a
        direct = max(np.mean((sums >= x - 1e-12) & (sums < x + 2 - 1e-9)) for x in sums)
        assert _balls.interval_mass(a) == pytest.approx(direct, rel=1e-12)


# -------------------------------------------------------------------------------------------- heterogeneity and best of N


@pytest.mark.claim("verification.emp_hetero")
def test_spread_levels_off_at_the_sd_of_the_solving_time():
    found = [_planted.spread(*_planted.BASES["two"], V, K, H) for H in (16, 32, 64, 128, 256, 512, 2048)]
    assert [round(x, 1) for x in found] == [5.5, 12.1, 22.5, 34.1, 40.4, 41.2, 41.2]
    assert _planted.spread_cap(*_planted.BASES["two"], V, K) == pytest.approx(found[-1], rel=1e-9)
    for base, H in itertools.product(_planted.BASES, (16, 100, 512)):
        law = _planted.BASES[base]
        assert _planted.spread_floor(*law, V, K, H) <= _planted.spread(*law, V, K, H) <= _planted.spread_cap(*law, V, K) * (1 + 1e-12)
    assert _planted.spread(*_planted.BASES["dead"], V, K, 512) / 512 > 0.49


@pytest.mark.claim("verification.emp_hetero")
def test_anti_concentration_of_the_bases_at_a_quarter():
    c = {(base, H): _balls.anticonc(*_law(base, H), 0.25) for base in ("two", "log6", "dead") for H in (16, 256, 512, 2048)}
    assert c["two", 16] == pytest.approx(0.457, abs=5e-4)
    assert c["two", 2048] == pytest.approx(0.487, abs=5e-4)
    assert c["log6", 256] > 0 == c["log6", 512] == c["log6", 2048]
    assert c["dead", 2048] == pytest.approx(0.5, abs=0.002)


@pytest.mark.claim("verification.emp_hetero")
def test_solving_time_is_that_of_the_law_without_a_horizon():
    pmf = _planted.planted_pmf(60, V, K, 1024)[:0:-1]  # P(T = h), h = 1..1024
    h = np.arange(1, 1025)
    mean = pmf @ h
    assert _planted.solving_time([60.0], [1.0], V, K) == pytest.approx((mean, math.sqrt(pmf @ (h - mean) ** 2)), rel=1e-9)


@pytest.mark.claim("verification.emp_bon")
def test_parallel_traces_help_the_heterogeneous_and_hurt_the_homogeneous():
    success = {b: [_planted.bon_success(*_planted.BASES[b], V, K, 32, n) for n in (1, 2, 4)] for b in _planted.BASES}
    assert success["single"] == pytest.approx([0.991, 0.986, 0.961], abs=1e-3)
    assert success["dead"] == pytest.approx([0.50, 0.75, 0.93], abs=1e-3)
    assert all(np.all(np.diff(success[b]) > 0) for b in ("two", "log6", "dead"))
    for base in _planted.BASES:  # without a verifier more traces never help
        random_pick = [_planted.bon_failure_unverified(*_planted.BASES[base], V, K, 32, n) for n in (1, 2, 4)]
        assert np.all(np.diff(random_pick) > 0)


# ------------------------------------------------------------------------------------------------------- claims, cells, errors


def _violated(check, cell, evaluate, bound=None, seed=0):
    """Whether some counted case breaks an EXACT check at a cell, and how many were counted."""
    from sims import _stats

    fields = _experiment.cell_fields(cell)
    cases = list(evaluate(cell, np.random.default_rng(seed)))
    bounds = []
    for case in cases:
        own = {**fields, **case.fields}
        value = float(_claims.call(bound or check.bound, own)) if all(_claims.call(a.holds, own) for a in check.assumptions) else math.nan
        trivial = None if check.trivial is None else float(_claims.call(check.trivial, own))
        vacuous = trivial is not None and (value <= trivial if check.residual.endswith("lower") else value >= trivial)
        bounds.append(math.nan if vacuous else value)
    evidence, _ = _stats.judge_exact(
        np.array([c.statistic for c in cases]), np.array(bounds), residual=check.residual, tolerance=check.tolerance
    )
    return evidence.verdict is _claims.Verdict.REFUTED, int(np.isfinite(bounds).sum())


@pytest.mark.parametrize("experiment", [e for e in EXPERIMENTS.values() if e.evaluate and not e.exploratory], ids=lambda e: e.check)
def test_exact_checks_hold_and_their_falsifiers_do_not(experiment):
    check = CLAIMS[experiment.claim_id].check(experiment.check_name)
    counted = 0
    for cell in experiment.cells["smoke"]:
        violated, cases = _violated(check, cell, experiment.evaluate)
        assert violated == (experiment.falsifier is not None), cell
        counted += cases
        for falsifier in check.falsifiers if experiment.falsifier is None else ():
            named = falsifier.where is None or _claims.call(falsifier.where, _experiment.cell_fields(cell))
            if falsifier.kind == "bound" and named:
                assert _violated(check, cell, experiment.evaluate, falsifier.bound)[0], (falsifier.name, cell)
    assert counted > 0


@pytest.mark.claim("verification.lem3")
def test_silent_cells_are_outside_the_claim_and_not_violations():
    experiment, check = EXPERIMENTS["verification.lem3/top-c"], CLAIMS["verification.lem3"].check("top-c")
    assert _violated(check, _laws.LawCell("planted", 2.0), experiment.evaluate) == (False, 0)
    repaired = EXPERIMENTS["verification.lem3/repaired"], CLAIMS["verification.lem3"].check("repaired")
    assert _violated(repaired[1], _laws.LawCell("planted", 2.0), repaired[0].evaluate) == (False, 20)


@pytest.mark.claim("verification.lem1")
def test_declared_moments_of_the_sampled_checks_are_those_of_the_draws():
    cell = sims.PlantedCell("two", 64)
    values = np.repeat(np.arange(65), _frequencies(cell, 8192, seed=9)).astype(float)
    for name, x in (("sampled-mean", values), ("sampled-variance", (values - _planted.mean_var(*_law("two", 64))[0]) ** 2)):
        experiment = EXPERIMENTS[f"verification.lem1/{name}"]
        mean, sd, _ = experiment.expected(base="two", H=64)
        low, high = experiment.support(base="two", H=64)
        assert 2 * stats.norm.sf(abs(x.mean() - mean) / (sd / math.sqrt(8192))) > FALSE_FAIL
        assert x.std() == pytest.approx(sd, rel=0.1)  # over 5 standard errors at these kurtoses
        assert low <= x.min() <= x.max() <= high


def test_claims_and_experiments_match():
    wanted = sorted(name for claim in CLAIMS.values() for name in claim.experiments())
    assert wanted == sorted(name for name, e in EXPERIMENTS.items() if not e.exploratory)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda e: e.check)
def test_every_cell_is_valid_and_every_falsifier_names_one(experiment):
    for preset, cells in experiment.cells.items():
        assert cells, preset
        for cell in cells:
            experiment.validate(cell)
        if experiment.exploratory or experiment.falsifier is not None:
            continue
        for falsifier in CLAIMS[experiment.claim_id].check(experiment.check_name).falsifiers:
            if falsifier.kind == "bound" and falsifier.where is not None:
                assert any(_claims.call(falsifier.where, _experiment.cell_fields(c)) for c in cells), (preset, falsifier.name)
    if experiment.ask is not None:
        experiment.validate(experiment.ask)


def test_nothing_here_is_presented_as_the_papers_own():
    for claim in CLAIMS.values():
        for check in claim.checks:
            wanted = {"verification.lem4": "STANDARD"}.get(claim.id, "DERIVED" if check.untested is None else "RECALLED")
            assert check.provenance is _claims.Provenance[wanted]


def test_sampled_cells_share_one_program():
    shapes = set()
    for name in ("sampled-mean", "sampled-variance"):
        experiment = EXPERIMENTS[f"verification.lem1/{name}"]
        for cell in experiment.cells["default"]:
            leaves, structure = jax.tree.flatten(experiment.prepare(cell))
            shapes.add((structure, tuple((np.shape(x), np.asarray(x).dtype) for x in leaves)))
    assert len(shapes) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _planted.solve_cdf(5, 3, 2, 0), "solve_cdf: H must be a positive integer, got 0."),
        (lambda: _planted.solve_cdf(5, 3, 2, 2.5), "solve_cdf: H must be a positive integer, got 2.5."),
        (lambda: _planted.planted_pmf(5, 9, 7, 6), "gold length k exceeds horizon H: reward is identically 0, got k=7, H=6."),
        (lambda: _planted.planted_pmf(5, 3, 4, 6), "planted_pmf: gold tokens must be distinct, got k=4 of them out of V=3 tokens."),
        (lambda: _planted.planted_pmf(0.0, 3, 2, 6), "planted_pmf: gamma must be > 0, got 0.0."),
        (lambda: _planted.planted_pmf(math.nan, 3, 2, 6), "planted_pmf: gamma must be > 0, got nan."),
        (lambda: _planted.mixture_pmf([1, 2], [0.5, 0.6], 3, 2, 6), "mixture_pmf: weights must be a probability vector of 2"),
        (lambda: _planted.mixture_pmf([1, 2], [1.5, -0.5], 3, 2, 6), "weights must be a probability vector of 2, got [ 1.5 -0.5]."),
        (lambda: _planted.base_of("three"), "base_of: base must be one of single, two, log6, dead or strengths joined by"),
        (lambda: _planted.base_of("4+-1"), "base_of: gamma must be > 0"),
        (lambda: _planted.bon_success([4.0], [1.0], 15, 5, 32, 3), "bon_failure: num_traces must divide H=32, got 3."),
        (lambda: _planted.bon_success([4.0], [1.0], 15, 5, 32, 8), "gold length k exceeds horizon H"),
        (lambda: _balls.sup_chi2([0, 1], [0.5, 0.5], -0.1), "sup_chi2: kappa must be finite and >= 0, got -0.1."),
        (lambda: _balls.sup_kl([0, 1], [0.5, 0.6], 0.1), "sup_kl: probs must be a probability vector, got [0.5 0.6]"),
        (lambda: _balls.sup_kl([0, math.nan], [0.5, 0.5], 0.1), "sup_kl: values must be finite"),
        (lambda: _balls.anticonc([0, 1, 2], [0.5, 0.5], 0.1), "values and probs must be one-dimensional and alike, got (3,) and (2,)."),
        (lambda: _balls.top_c_value([0, 1], [0.5, 0.5], 0.0), "top_c_value: c must lie in (0, 1], got 0.0."),
        (lambda: _balls.erdos_bound(0), "erdos_bound: m must be a positive integer, got 0."),
        (lambda: _arguments.sigma("paired", 40.0, 64), "paired: sigma must lie in (0, H/2] = (0, 32.0], got 40.0."),
        (lambda: _arguments.block_mass("needle", 4, 0.5), "needle: block mass d*p exceeds 1, got d=4, p=0.5."),
        (lambda: _arguments.open_unit("vf_upper", "delta", 1.0), "vf_upper: delta must lie in (0, 1), got 1.0."),
        (
            lambda: sims.validate_planted(sims.PlantedCell("two", 4)),
            "gold length k exceeds horizon H: reward is identically 0, got k=5, H=4.",
        ),
        (lambda: sims.validate_planted(sims.PlantedCell("two", 1 << 20)), "H must be at most 65536, got 1048576."),
        (lambda: sims.validate_bon(sims.BonCell("two", 33)), "H must be even and at least 2k = 10, got 33."),
        (lambda: _laws.validate_law(_laws.LawCell("planted", 0.0)), "verification: kappa must be finite and > 0, got 0.0."),
        (lambda: _laws.validate_law(_laws.LawCell("plan", 1.0)), "base_of: base must be one of single"),
        (lambda: _laws.validate_signs(_laws.SignCell(30)), "m must be at most 18, as all 2^m sums are formed, got 30."),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.claim("verification.note_minimax")
@pytest.mark.claim("verification.note_llm")
def test_what_no_simulation_can_refute_says_why():
    notes = [c for c in _claims_structure.CLAIMS if ".note_" in c.id]
    assert len(notes) == 2
    assert all(check.untested for claim in notes for check in claim.checks)


@pytest.mark.claim("verification.thm_vb_ub")
def test_rollouts_taken_by_many_tiles_are_those_taken_tile_by_tile():
    """As accelerators take them; n is no multiple of either."""
    prepared = _needle.prepare_needle(_needle.NeedleCell(40_000, 64, 1 / 512, 8, 64))
    seen = [jax.jit(functools.partial(_needle._seen_by, at_once=k))(jax.random.key(3), prepared) for k in (1, 64)]
    assert 0 < int(seen[0].sum()) < seen[0].size
    np.testing.assert_array_equal(*seen)
