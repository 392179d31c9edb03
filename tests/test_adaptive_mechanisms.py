"""adaptive, mechanisms under attack: formulas against reference values, samplers against brute force, falsifiers."""

import functools
import itertools
import json
import math
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy import stats

from sims import _decide, _experiment
from sims.adaptive import _attack, _leaderboard, _mechanism_experiments, _noise, _rounds, _tracer
from theory import _claims
from theory.adaptive import _attack as attack
from theory.adaptive import _certified as certified
from theory.adaptive import _claims_mechanisms
from theory.adaptive import _ladder as ladder
from theory.adaptive import _noise as noise
from theory.adaptive import _rounds as rounds

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "adaptive_mechanisms.vectors.json").read_text())
EXPERIMENTS = {e.check: e for e in _mechanism_experiments.EXPERIMENTS}
CLAIMS = {c.id: c for c in _claims_mechanisms.CLAIMS}


QUICK = {"xla_backend_optimization_level": 1}  # compiles in two thirds of the time


@functools.cache
def _batched(simulate):
    return jax.jit(lambda keys, prepared: jax.lax.map(lambda key: simulate(key, prepared), keys), compiler_options=QUICK)


def _keys(seed, *shape):
    """Made by NumPy: no compilation."""
    return jax.random.wrap_key_data(np.random.default_rng(seed).integers(0, 2**32, (*shape, 2), np.uint32))


def _draw(simulate, prepared, num_replicates, seed, batch=8):
    """float64 [num_replicates] (or a dict of them). Drawn in equal batches, so that every test shares one program."""
    parts = [_batched(simulate)(_keys([seed, i], batch), prepared) for i in range(-(-num_replicates // batch))]
    return jax.tree.map(lambda *a: np.concatenate([np.asarray(x, np.float64) for x in a])[:num_replicates], *parts)


def _same_mean(x, y, slack=0.0):
    """Two-sided p-value that two samples' means lie within `slack` of each other (normal, unequal variances)."""
    se = math.hypot(x.std(ddof=1) / math.sqrt(len(x)), y.std(ddof=1) / math.sqrt(len(y)))
    distance = max(0.0, abs(x.mean() - y.mean()) - slack)
    return 2 * stats.norm.sf(distance / se) if se > 0 else float(distance == 0)


def _near(x, mean, slack=0.0):
    """Two-sided p-value that E x lies within `slack` of `mean`."""
    distance = max(0.0, abs(x.mean() - mean) - slack)
    return 2 * stats.t.sf(distance / (x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1)


def _same_spread(x, y, slack=1.0):
    """Two-sided p-value of the F ratio of two nearly normal samples, `slack` allowed on the ratio of variances."""
    ratio = x.var(ddof=1) / y.var(ddof=1)
    ratio = ratio / slack if ratio > 1 else ratio * slack
    law = stats.f(len(x) - 1, len(y) - 1)
    return min(1.0, 2 * min(law.sf(ratio), law.cdf(ratio))) if abs(math.log(ratio)) > 1e-12 else 1.0


# ------------------------------------------------------------------------------------------------------ reference values


def _fixed_allocation(m, tau, beta, shares, u):
    alpha, growth, c, twice_d = (tau * share for share in shares)
    return noise.gaussian_allocation(m, beta, alpha, math.log1p(growth), c, twice_d / 2, u).n


def _rounds_sizes(**arguments):
    size = rounds.n_rounds(**arguments)
    return [size.guard, size.chunk, size.total]


FUNCTION_OF = {
    ("F5", "bias bound of a mu-GDP"): noise.bias_gdp_bound,
    ("adaptive.bias_gdp", "delta(eps)"): noise.gdp_delta,
    ("adaptive.bias_gdp", "largest mu"): noise.gdp_mu,
    ("F8", ""): noise.jung_transfer,
    ("F9", ""): noise.n_laplace_pure,
    ("F9'", ""): noise.n_laplace_sharp,
    ("F10", ""): noise.n_laplace_advanced,
    ("F11", "n at a fixed"): _fixed_allocation,
    ("F11", "smallest"): lambda **a: noise.n_gaussian_jung(**a).n,
    ("F15", ""): _rounds_sizes,
    ("F17", ""): ladder.ladder_bound,
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id']}-{v['what'][:24]}")
def test_formula_equals_its_reference_value(vector):
    fn = next(f for (name, start), f in FUNCTION_OF.items() if name == vector["id"] and vector["what"].startswith(start))
    np.testing.assert_allclose(fn(**vector["args"]), vector["value"], rtol=vector["rtol"])


@pytest.mark.claim("adaptive.laplace")
@pytest.mark.parametrize(
    ("m", "sizes"),
    [(10, (3.4e3, 2.7e4, 1.0e4, 8.6e5, 1.6e4)), (100, (4.2e4, 3.4e5, 9.7e4, 2.5e6, 5.4e4)), (1000, (5.3e5, 4.2e6, 1.1e6, 1.1e7, 1.8e5))],
)
def test_certified_sizes_are_those_of_the_printed_table(m, sizes):
    names = ("split", "laplace-pure", "laplace-sharp", "laplace-advanced", "gaussian-jung")
    for name, expected in zip(names, sizes, strict=True):
        assert certified.certified_size(name, m + 1, 0.1, 0.05) == pytest.approx(expected, rel=0.05)  # two digits are printed
    assert noise.n_laplace_pure(101, 0.1, 0.05) == 335_482
    assert certified.certified_size("thm25", 50, 0.2, 0.1, budget=2) == 583_750


@pytest.mark.claim("adaptive.rounds")
@pytest.mark.claim("adaptive.ladder")
def test_stated_values_of_rounds_and_leaderboards():
    assert _rounds_sizes(m=201, r=2, tau=0.2, beta=0.05) == [2999, 2076, 7151]
    assert _rounds_sizes(m=20_001, r=2, tau=0.2, beta=0.05)[2] == 10_830
    # r = 1: one transcript, ln 1 = 0, so guard and chunk are both ceil(8 ln(4m/beta)/tau^2)
    assert rounds.n_rounds(7, 1, 0.5, 0.1).guard == math.ceil(32 * math.log(280)) == rounds.n_rounds(7, 1, 0.5, 0.1).chunk
    assert ladder.ladder_bound(4000, 10_000, 0.05) == pytest.approx(0.2355, abs=5e-5)
    assert ladder.ladder_bound(4000, 3000, 0.05) == pytest.approx(0.2281, abs=5e-5)
    assert ladder.board_loss(4000, np.array([1000, 3000, 10_000])) == pytest.approx([0.389, 0.313, 0.186], abs=6e-4)
    # 3 steps of (ln(kn)/n)^{1/3} are what the fixed Ladder reports for a loss near 1/2
    assert 3 * ladder.ladder_step(4000, np.array([1000, 3000, 10_000])) == pytest.approx([0.468, 0.479, 0.491], abs=5e-4)


# ---------------------------------------------------------------------------------------------------- Gaussian privacy


@pytest.mark.claim("adaptive.bias_gdp")
@pytest.mark.parametrize(("mu", "eps"), [(0.3, 0.5), (1.2, 2.0), (2.5, 0.0)])
def test_gdp_delta_is_the_best_test_of_two_normals(mu, eps):
    # sup over events of P - e^eps Q for P = N(mu, 1), Q = N(0, 1): a half line where dP/dQ > e^eps
    x = np.linspace(-12, 12, 480_001)
    gain = np.maximum(stats.norm.pdf(x, mu) - math.exp(eps) * stats.norm.pdf(x), 0)
    assert noise.gdp_delta(mu, eps) == pytest.approx(gain.sum() * (x[1] - x[0]), rel=1e-6)


@pytest.mark.claim("adaptive.bias_gdp")
def test_gdp_mu_inverts_gdp_delta_down_to_tiny_deltas():
    for eps, delta in itertools.product((0.0, 1e-3, 0.04, 1.0, 4.0), (1e-30, 1e-12, 1e-4, 0.3)):
        assert math.log(noise.gdp_delta(noise.gdp_mu(eps, delta), eps)) == pytest.approx(math.log(delta), rel=1e-8)
    assert np.all(np.diff(noise.gdp_delta(np.geomspace(0.05, 10, 200), 0.5)) > 0)


@pytest.mark.claim("adaptive.bias_gdp")
def test_bias_bound_is_the_largest_power_minus_level_and_twice_the_attack():
    level = np.linspace(1e-6, 1 - 1e-6, 200_001)
    for mu in (0.1, 1.0, 3.0):
        power = stats.norm.cdf(stats.norm.ppf(level) + mu)
        assert noise.bias_gdp_bound(mu) == pytest.approx((power - level).max(), rel=1e-8)
    # the short form of the exact gap never exceeds half the bound, and comes close where the noise dominates
    for n, m, s, ratio in [(1000, 1000, 0.02, 2.46), (1000, 1000, 0.05, 2.09), (1000, 3000, 0.1, 2.02)]:
        short = stats.norm.cdf(math.sqrt(m / (n - 1 + 4 * n**2 * s**2))) - 0.5
        bound = noise.bias_gdp_bound(noise.gaussian_mu(n, m, s))
        assert bound / short == pytest.approx(ratio, abs=0.01)
        assert bound / attack.naive_gap_exact(n, m, "linear", s) >= 2
    assert math.isnan(_claims.call(CLAIMS["adaptive.bias_gdp"].check("gap").bound, {"n": 1000, "m": 1000, "s": 0.0}))


# --------------------------------------------------------------------------------------------------------- sample sizes


@pytest.mark.claim("adaptive.jung")
def test_allocation_spends_exactly_tau_and_beta():
    best = noise.n_gaussian_jung(101, 0.1, 0.05)
    error, failure = noise.jung_transfer(best.alpha, best.beta_s, best.eps, best.delta, best.c, best.d)
    assert (error, failure) == (pytest.approx(0.1, rel=1e-9), pytest.approx(0.05, rel=1e-9))
    # the noise keeps all m sample errors below alpha with probability 1 - beta_s, and mu at n gives delta at eps
    assert (1 - 2 * stats.norm.sf(best.alpha / best.s)) ** 101 == pytest.approx(1 - best.beta_s, rel=1e-9)
    assert noise.gdp_delta(math.sqrt(101) / (best.n * best.s), best.eps) == pytest.approx(best.delta, rel=1e-6)
    rng = np.random.default_rng(0)  # no random allocation does better
    for _ in range(200):
        alpha, growth, c, twice_d = 0.1 * rng.dirichlet([5, 5, 1, 1])
        other = noise.gaussian_allocation(101, 0.05, alpha, math.log1p(growth), c, twice_d / 2, rng.uniform(0.05, 0.95))
        assert other.n > best.n


@pytest.mark.claim("adaptive.jung")
def test_sizes_that_leave_out_the_privacy_term():
    sizes = [noise.gaussian_allocation(1001, 0.05, 0.05, eps, 0.035, 0.0075).n for eps in (1, 2, 4)]
    assert sizes == pytest.approx([9.4e3, 5.2e3, 2.9e3], rel=0.01)
    cell = _noise.CertifiedCell(1000, 0.1, 0.05)
    assert _noise.prepare_without_privacy_term(cell, 2.0).n == math.ceil(sizes[1])


@pytest.mark.claim("adaptive.laplace")
def test_pure_privacy_never_beats_splitting_and_the_others_do_from_their_crossover_on():
    for tau, beta, m in itertools.product((0.1, 0.3), (0.05, 0.2), (1, 7, 1000, 10**6)):
        floor = m * math.log(2 * m / beta) / tau**2
        assert noise.n_laplace_pure(m, tau, beta) >= 4 * floor
        assert noise.n_laplace_sharp(m, tau, beta) >= floor
    for name in ("gaussian-jung", "rounds", "thm25"):
        at = certified.certified_crossover(name, 0.1, 0.05)
        for m, below in [(at - 1, False), (at, True), (10 * at, True)]:
            assert (certified.certified_size(name, m, 0.1, 0.05) < attack.n_split(m, 0.1, 0.05)) == below
    table = {row.name: row for row in certified.certified_table(1001, 0.1, 0.05)}
    crossovers = {name: row.crossover for name, row in table.items()}
    assert crossovers == {
        "split": None,
        "laplace-pure": None,
        "laplace-sharp": None,
        "laplace-advanced": pytest.approx(539_347, rel=0.005),
        "gaussian-jung": 155,
        "rounds": 64,
        "thm25": 3252,
    }
    assert table["split"].ratio == 1
    assert table["gaussian-jung"].ratio == pytest.approx(table["gaussian-jung"].n / 530_530)


@pytest.mark.claim("adaptive.laplace")
def test_needed_points_of_splitting_and_its_largest_error_are_exact():
    chunk = certified.split_needed(11, 0.1, 0.05) // 11
    assert attack.split_failure_exact(chunk - 1, 11, 0.1) > 0.05
    assert np.all(attack.split_failure_exact(np.arange(chunk, attack.n_nonadaptive(11, 0.1, 0.05) + 1), 11, 0.1) <= 0.05)
    # two queries of three coins each: |c/3 - 1/2| is 1/2 with probability 1/4, else 1/6: 7/16 * 1/2 + 9/16 * 1/6 = 5/16
    assert certified.split_largest_error(3, 2) == pytest.approx(5 / 16, rel=1e-12)
    assert certified.split_largest_error(1, 5) == pytest.approx(1 / 2, rel=1e-12)
    counts = np.array(list(itertools.product(range(5), repeat=3)))
    weight = stats.binom.pmf(counts, 4, 0.5).prod(1)
    assert certified.split_largest_error(4, 3) == pytest.approx(weight @ np.abs(counts / 4 - 0.5).max(1), rel=1e-12)


def test_recalled_rates_have_their_exponents():
    assert noise.rate_laplace(10**8, 0.1) / noise.rate_laplace(10**6, 0.1) == pytest.approx(10 * (4 / 3) ** 1.5, rel=1e-9)
    assert noise.rate_rounds(9, 0.2) == noise.rate_laplace(9, 0.2)
    assert noise.rate_pmw(1000, 4.0, 0.1) == pytest.approx(min(math.log(1000) ** 1.5 * 2 / 0.1**3.5, math.log(1000) * 4 / 1e-4))


# -------------------------------------------------------------------------------- noise and rounding: samplers and laws


@pytest.mark.claim("adaptive.laplace")
@pytest.mark.parametrize(("n", "m", "s"), [(1000, 1000, 0.0), (1000, 1000, 0.05), (300, 200, 0.02)])
def test_gap_from_the_counts_normal_limit_has_the_law_of_the_point_sampler(n, m, s):
    ours = _draw(_noise.simulate_errors, _noise.prepare_mechanism(n, m, 0.5, noise=s), 4096, seed=1)["gap"]
    points = _draw(_attack.simulate_lazy, _attack.prepare_lazy(_attack.NaiveCell(n, m, "linear", s)), 4096, seed=2)
    assert _same_mean(ours, points, slack=3e-4) > FALSE_FAIL
    assert _same_spread(ours, points, slack=1.02) > FALSE_FAIL
    # ... and the exact mean, within the stated bias; the other analyst's is far off
    exact = attack.naive_gap_exact(n, m, "linear", s)
    assert _near(ours, exact, slack=1.5e-3) > FALSE_FAIL
    assert _near(ours, attack.naive_gap_exact(n, m, "sign", s)) < FALSE_FAIL


@pytest.mark.claim("adaptive.laplace")
def test_laplace_noise_has_its_law_and_its_standard_deviation():
    prepared = _noise.prepare_mechanism(100, 1, 0.5, noise=0.3, laplace=True)
    draws = _draw(lambda key, p: _noise._noise_draw(key, p, (64,)), prepared, 256, seed=3).ravel()
    assert stats.kstest(draws, stats.laplace(scale=0.3 / math.sqrt(2)).cdf).pvalue > FALSE_FAIL
    assert stats.kstest(draws, stats.norm(scale=0.3).cdf).pvalue < FALSE_FAIL


def test_dithered_queries_break_rounding_like_signs_and_undithered_ones_do_not():
    # floor(.25/r) + 1/2 grids: r = .1 -> .25, r = .25 -> .375, r = .2 -> .3; .24 -> .36
    assert [_noise.boundary_of(r) for r in (0.1, 0.25, 0.2, 0.24)] == pytest.approx([0.25, 0.375, 0.3, 0.36])
    for r in (0.05, 0.1, 0.2, 0.25):
        assert 0 <= _noise.boundary_of(r) - 0.25 <= 0.5
    dithered = _draw(_noise.simulate_errors, _noise.prepare_errors(_noise.ErrorsCell(1001, 500, "round", 0.1)), 2048, seed=4)
    law = attack.naive_gap_limit(1001, 500, "sign")
    assert _near(dithered["gap"], law, slack=1e-3) > FALSE_FAIL
    assert dithered["largest"].min() >= 0.05 - 1e-6  # half a grid width on every query
    coarse = _draw(_noise.simulate_errors, _noise.prepare_errors(_noise.ErrorsCell(1000, 500, "round", 0.5)), 256, seed=5)
    assert coarse["largest"].max() == 0  # every mean is rounded to 1/2 ...
    assert abs(coarse["gap"].mean()) < 5 / math.sqrt(256 * 1000)  # ... and says nothing: 10 sd of the mean gap


@pytest.mark.claim("adaptive.jung")
@pytest.mark.claim("adaptive.laplace")
@pytest.mark.parametrize("name", [n for n, e in EXPERIMENTS.items() if e.simulate is _noise.simulate_errors and "~" not in n])
def test_certified_sizes_survive_and_their_falsifiers_fail_as_declared(name):
    experiment = EXPERIMENTS[name]
    for cell in experiment.cells["default"]:
        failures = int(_draw(experiment.simulate, experiment.prepare(cell), 1024, seed=6)["x"].sum())
        declared = _claims.call(experiment.expected, _experiment.cell_fields(cell))[0]
        side = "greater" if experiment.falsifier else "less"
        assert stats.binomtest(failures, 1024, cell.beta, alternative=side).pvalue < FALSE_FAIL
        assert failures / 1024 == pytest.approx(declared, abs=0.08)  # over 5 sd of a share of 1,024 runs


@pytest.mark.claim("adaptive.laplace")
@pytest.mark.parametrize("kind", ["gaussian", "laplace"])
def test_critical_number_of_queries_is_quadratic_with_noise_and_linear_without(kind):
    grid = np.log([250, 1000])
    logs = {}
    for lie in (False, True):
        cells = [_noise.CriticalCell(n, 0.1, kind) for n in (250, 1000)]
        means = [np.log(_draw(_noise.simulate_critical, _noise.prepare_critical(c, lie), 64, seed=7 + lie)) for c in cells]
        logs[lie] = (means[1] - means[0]) / (grid[1] - grid[0])
    low, high = CLAIMS["adaptive.laplace"].check(f"slope-{kind}").margin
    assert stats.ttest_1samp(logs[False], low, alternative="greater").pvalue < FALSE_FAIL
    assert stats.ttest_1samp(logs[False], high, alternative="less").pvalue < FALSE_FAIL
    assert stats.ttest_1samp(logs[True], low, alternative="less").pvalue < FALSE_FAIL


@pytest.mark.claim("adaptive.laplace")
def test_needed_size_agrees_with_attacks_bit_by_bit():
    cell = _noise.NeededCell(10, "empirical", 0.1, 0.05)
    runs = _noise._Runs(cell, np.random.default_rng(8))
    gaps = _draw(_attack.simulate_full, _attack.prepare_full(_attack.NaiveCell(320, 10, "linear")), 2000, seed=9)
    ours = round(runs.failing(320, 0.0) * _noise.NEEDED_RUNS)
    plain = int((np.abs(gaps) >= 0.1 - 1e-6).sum())
    # 1 / 320 is the lattice of gaps: allow half a step, about 15 % of so small a tail
    table = [[ours, _noise.NEEDED_RUNS - ours], [plain, 2000 - plain]]
    assert stats.fisher_exact(table).pvalue > FALSE_FAIL
    (case,) = _noise.evaluate_needed(cell, np.random.default_rng(10))
    assert case.fields["failing"] <= 0.05
    assert runs.failing(case.statistic * 1.3, 0.0) < 0.05 < runs.failing(case.statistic / 1.3, 0.0)


@pytest.mark.claim("adaptive.laplace")
@pytest.mark.parametrize(
    ("m", "mechanism", "needed"),
    [(100, "empirical", 2.4e3), (100, "laplace", 1.7e3), (100, "gaussian", 1.4e3), (100, "split", 3.2e4), (10, "split", 2.1e3)],
)
def test_needed_sizes_lie_within_two_grid_steps_of_the_stated_ones(m, mechanism, needed):
    (case,) = _noise.evaluate_needed(_noise.NeededCell(m, mechanism, 0.1, 0.05), np.random.default_rng(11))
    assert abs(math.log(case.statistic / needed)) < 2.5 * math.log(1.06)


# --------------------------------------------------------------------------------------------------------------- rounds


def _plain_rounds(rng, guard, chunk, h, tau, limit):
    """One run of the guarded chunks on bits: (fails, the second chunk came into use)."""
    parts = [rng.integers(0, 2, (size, 2 * h)) for size in (chunk, chunk, guard)]
    means = [part.mean(0) - 0.5 for part in parts]
    state = {"second": False, "out": False}
    errors = []

    def ask(first, second, guarding):
        used = second if state["second"] else first
        if abs(used - guarding) > limit:
            state["out"] |= state["second"]
            state["second"] = True
            used = second
        errors.append(used)
        return used

    answers = np.array([ask(*(m[j] for m in means)) for j in range(h)])
    scores = [(part[:, :h] - 0.5) @ answers for part in parts]
    ask(*(np.mean(np.where(s == 0, 0.5, s > 0)) - 0.5 for s in scores))
    for j in range(h, 2 * h):
        ask(*(m[j] for m in means))
    return max(map(abs, errors)) >= tau - 1e-9 or state["out"], state["second"]


@pytest.mark.claim("adaptive.rounds")
@pytest.mark.parametrize(("guard", "chunk", "h", "tau"), [(301, 211, 30, 0.23), (801, 401, 50, 0.21)])
def test_rounds_sampler_equals_a_plain_loop_on_bits(guard, chunk, h, tau):
    prepared = _rounds._prepared(_rounds.RoundsCell(h, tau, 0.05), guard, chunk, tau / 2)
    ours = _draw(_rounds.simulate_rounds, prepared, 2048, seed=12)
    rng = np.random.default_rng(13)
    plain = np.array([_plain_rounds(rng, guard, chunk, h, tau, tau / 2) for _ in range(500)])
    for mine, theirs in ((ours["x"], plain[:, 0]), (ours["spent"], plain[:, 1])):
        a, b = int(mine.sum()), int(theirs.sum())
        assert 0.02 < b / 500 < 0.98  # the comparison has something to compare
        assert stats.fisher_exact([[a, 2048 - a], [b, 500 - b]]).pvalue > FALSE_FAIL


@pytest.mark.claim("adaptive.rounds")
def test_guarded_chunks_survive_and_their_falsifiers_do_not():
    main = EXPERIMENTS["adaptive.rounds/failure"]
    small, large = main.cells["default"]
    drawn = _draw(main.simulate, main.prepare(small), 512, seed=14)
    assert stats.binomtest(int(drawn["x"].sum()), 512, 0.05, alternative="less").pvalue < FALSE_FAIL
    tenth = EXPERIMENTS["adaptive.rounds/failure!a-tenth"]
    assert _draw(tenth.simulate, tenth.prepare(small), 64, seed=15)["x"].mean() > 0.9
    # 10,000 queries a round: chunk 1 overfits to .966, the guard and chunk 2 stay at 1/2
    drawn = _draw(main.simulate, main.prepare(large), 6, seed=16)
    assert drawn["x"].max() == 0
    assert drawn["spent"].min() == 1
    assert drawn["first"].mean() == pytest.approx(0.466, abs=0.008)  # over 5 sd of the mean of 6 runs
    assert abs(drawn["guarding"].mean()) < 0.016  # over 5 sd
    one = EXPERIMENTS["adaptive.rounds/failure!one-sample"]
    drawn = _draw(one.simulate, one.prepare(large), 6, seed=17)
    assert drawn["x"].min() == 1
    assert drawn["first"].mean() == pytest.approx(0.332, abs=0.008)
    assert one.prepare(small).limit == math.inf
    assert _draw(one.simulate, one.prepare(small), 64, seed=18)["x"].max() == 0  # at h = 100 one sample does not fail (.047)


# -------------------------------------------------------------------------------------------------------------- tracing


def _plain_tracer(rng, n, m, mechanism, level):
    """(recall, gap) of one run with a codeword for every user of the universe."""
    p = rng.uniform(0.05, 0.95, m)
    words = (rng.random((4 * n, m)) < p).astype(float)
    drawn = rng.integers(0, 4 * n, n)
    answer = words[drawn].mean(0)
    if mechanism == "gaussian":
        answer = answer + level * rng.standard_normal(m)
    if mechanism == "round":
        answer = np.round(answer / level) * level
    score = (words - p) @ (answer - p)
    inside = np.zeros(4 * n, bool)
    inside[drawn] = True
    outside = np.sort(score[~inside])
    accused = score > outside[math.floor(0.95 * len(outside))]
    return accused[inside].mean(), accused[drawn].mean() - accused.mean()


@pytest.mark.claim("adaptive.lower_n2")
@pytest.mark.parametrize(("mechanism", "level"), [("empirical", 0.0), ("gaussian", 0.1), ("round", 0.5)])
def test_tracer_that_draws_only_the_sample_has_the_law_of_one_that_draws_the_universe(mechanism, level):
    n, m = 30, 120 if mechanism == "empirical" else 500
    ours = _draw(_tracer.simulate_tracer, _tracer.prepare_tracer(_tracer.TracerCell(n, m, mechanism, level)), 1024, seed=19)
    rng = np.random.default_rng(20)
    plain = np.array([_plain_tracer(rng, n, m, mechanism, level) for _ in range(400)])
    for name, theirs in zip(("recall", "gap"), plain.T, strict=True):
        assert _same_mean(ours[name], theirs) > FALSE_FAIL
        assert _same_spread(ours[name], theirs, slack=1.1) > FALSE_FAIL
        assert 0.05 < theirs.mean() < 0.95


@pytest.mark.claim("adaptive.lower_n2")
def test_tracer_counts_repeated_draws_once_and_weighs_them():
    prepared = _tracer.prepare_tracer(_tracer.TracerCell(100, 10, "empirical"))
    copies = _draw(_tracer._users, prepared, 512, seed=21)
    assert np.all(copies.sum(1) == 100)
    distinct = (copies > 0).sum(1)
    expected = 400 * (1 - (1 - 1 / 400) ** 100)
    assert abs(distinct.mean() - expected) < 6 * distinct.std() / math.sqrt(512)


@pytest.mark.claim("adaptive.lower_n2")
@pytest.mark.parametrize("name", ["recall", "gap"])
def test_tracer_finds_the_sample_and_its_falsifiers_do_not(name):
    check = CLAIMS["adaptive.lower_n2"].check(name)
    bound = check.bound()
    names = [f"adaptive.lower_n2/{name}"] + [f"adaptive.lower_n2/{name}!{f.name}" for f in check.falsifiers]
    for experiment in map(EXPERIMENTS.get, names):
        cell = experiment.cells["smoke"][-1]
        drawn = _draw(experiment.simulate, experiment.prepare(cell), 64, seed=22)
        np.testing.assert_array_equal(drawn["x"], drawn[name])
        side = "less" if experiment.falsifier else "greater"
        assert stats.ttest_1samp(drawn["x"], bound, alternative=side).pvalue < FALSE_FAIL
        mean, sd = _claims.call(experiment.expected, _experiment.cell_fields(cell))
        assert abs(drawn["x"].mean() - mean) < 6 * sd / math.sqrt(64) + 0.005


# ---------------------------------------------------------------------------------------------------- tables and errors


def test_claims_and_experiments_match():
    wanted = sorted(name for claim in _claims_mechanisms.CLAIMS for name in claim.experiments())
    assert wanted == sorted(name for name, e in EXPERIMENTS.items() if not e.exploratory)


@pytest.mark.parametrize("experiment", _mechanism_experiments.EXPERIMENTS, ids=lambda e: e.check)
def test_every_cell_is_valid_inside_the_assumptions_and_planned_within_its_budget(experiment):
    check = None if experiment.exploratory else CLAIMS[experiment.claim_id].check(experiment.check_name)
    for preset, cells in experiment.cells.items():
        for cell in cells:
            experiment.validate(cell)
            if experiment.prepare is not None and preset == "default":
                experiment.prepare(cell)
            if check is None:
                continue
            fields = _experiment.cell_fields(cell)
            assert all(_claims.call(a.holds, fields) for a in check.assumptions)
            assert not math.isnan(_claims.call(check.bound, fields))
    if check is None:
        return
    assert experiment.ask is None or experiment.validate(experiment.ask) is None
    options = _decide.Options(out=Path("unused"), preset="default")
    cells = experiment.cells["default"]
    for decision in [cells] if check.relation is _claims.Relation.RATE else [(c,) for c in cells]:
        wrong = [f for f in check.falsifiers if f.kind == "bound"] if experiment.falsifier is None else []
        for falsifier in [None, *wrong]:
            if falsifier and falsifier.where and not _claims.call(falsifier.where, _experiment.cell_fields(decision[0])):
                continue
            plan = _decide.plan_of(check, experiment, decision, falsifier, options)
            if "p999" in plan:
                assert plan["max_replicates"] >= 1.2 * plan["p999"], (experiment.check, decision, falsifier)


@pytest.mark.parametrize("preset", ["smoke", "default"])
def test_the_cells_of_a_preset_share_one_program_per_simulator(preset):
    shapes = {}
    for experiment in _mechanism_experiments.EXPERIMENTS:
        for cell in experiment.cells.get(preset, ()) if experiment.simulate is not None else ():
            leaves, structure = jax.tree.flatten(experiment.prepare(cell))
            shape = (structure, tuple((np.shape(x), np.asarray(x).dtype) for x in leaves), experiment.block, experiment.chunk)
            shapes.setdefault(experiment.simulate, set()).add(shape)
    assert {f.__name__: len(s) for f, s in shapes.items()} == dict.fromkeys((f.__name__ for f in shapes), 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: noise.gdp_delta(0.0, 1.0), "gdp_delta: mu must be finite and > 0, got 0.0."),
        (lambda: noise.gdp_mu(1.0, 1.0), "gdp_mu: delta must lie in (0, 1), got 1.0."),
        (lambda: noise.gaussian_mu(9, 1, 0.0), "gaussian_mu: s must be finite and > 0, got 0.0."),
        (lambda: noise.bias_gdp_bound(math.nan), "bias_gdp_bound: mu must be finite and >= 0, got nan."),
        (lambda: noise.jung_transfer(0.1, 0.1, 0.1, 1.5, 0.1, 0.1), "jung_transfer: delta must lie in [0, 1], got 1.5."),
        (lambda: noise.jung_transfer(0.1, 0.1, 0.1, 0.1, 0.0, 0.1), "jung_transfer: c must be finite and > 0, got 0.0."),
        (lambda: noise.n_laplace_pure(2.5, 0.1, 0.05), "n_laplace_pure: m must be a positive integer, got m=2.5."),
        (lambda: noise.n_laplace_sharp(5, 1.0, 0.05), "n_laplace_sharp: tau must lie in (0, 1), got 1.0."),
        (lambda: noise.n_laplace_advanced(5, 0.1, 0.0), "n_laplace_advanced: beta must lie in (0, 1), got 0.0."),
        (lambda: noise.n_gaussian_jung(0, 0.1, 0.05), "n_gaussian_jung: m must be a positive integer, got m=0."),
        (lambda: noise.gaussian_allocation(5, 0.05, 0.0, 1.0, 0.1, 0.1), "gaussian_allocation: alpha must be finite and > 0, got 0.0."),
        (lambda: noise.laplace_scale(5, math.nan, 0.1), "laplace_scale: tau must lie in (0, 1), got nan."),
        (lambda: rounds.n_rounds(5, 6, 0.1, 0.05), "n_rounds: rounds must satisfy 1 <= r <= m=5, got 6."),
        (lambda: ladder.ladder_bound(0, 6, 0.1), "ladder_bound: n and k must be positive integers, got n=0."),
        (lambda: certified.certified_size("median", 5, 0.1, 0.1), "certified_size: name must be one of split, laplace-pure"),
        (lambda: certified.certified_table(5, 0.1, 0.1, rounds=0), "certified_table: m, rounds and budget must be positive integers"),
        (lambda: certified.split_needed(0, 0.1, 0.1), "split_needed: m, rounds and budget must be positive integers, got m=0."),
        (lambda: certified.split_largest_error(0, 1), "split_largest_error: h and num_queries must be positive integers, got h=0."),
        (lambda: _noise.validate_jung(_noise.CertifiedCell(0, 0.1, 0.1)), "adaptive.jung: m must be an integer in 1..2^24, got 0."),
        (lambda: _noise.validate_laplace(_noise.CertifiedCell(5, 1.1, 0.1)), "adaptive.laplace: tau must lie in (0, 1), got 1.1."),
        (lambda: _noise.validate_critical(_noise.CriticalCell(5, 0.1)), "n must be an integer in 10..2^20, got 5."),
        (lambda: _noise.validate_critical(_noise.CriticalCell(50, 0.1, "t")), "noise must be one of gaussian, laplace, got 't'."),
        (lambda: _noise.validate_errors(_noise.ErrorsCell(50, 1, "split")), "mechanism must be one of empirical, gaussian, laplace"),
        (lambda: _noise.validate_errors(_noise.ErrorsCell(50, 1, "round", 0.0)), "level must lie in [1e-06, 1], got 0.0."),
        (lambda: _noise.validate_needed(_noise.NeededCell(10, "round", 0.1, 0.1)), "mechanism must be one of split, empirical"),
        (lambda: _rounds.validate_rounds(_rounds.RoundsCell(0, 0.1, 0.1)), "adaptive.rounds: h must be an integer in 1..2^28, got 0."),
        (lambda: _rounds.validate_rounds_errors(_rounds.RoundsErrorsCell(9, 5, 0.1)), "n >= 30 and m >= 2 are allowed, got n=9, m=5."),
        (lambda: _tracer.validate_tracer(_tracer.TracerCell(50, 0, "round", 0.1)), "n and m must be positive integers, got n=50, m=0."),
        (lambda: _tracer.validate_tracer(_tracer.TracerCell(50, 9, "gaussian", 0.0)), "level must lie in [1e-06, 1], got 0.0."),
        (lambda: _leaderboard.validate_ladder(_leaderboard.LadderCell(0, 9, 0.1)), "n and k must be positive integers, got n=0, k=9."),
        (lambda: _leaderboard.validate_ladder(_leaderboard.LadderCell(9, 1, 0.1)), "2 <= k <= 2^24 are allowed, got n=9, k=1."),
        (lambda: _leaderboard.validate_ladder(_leaderboard.BoostCell(9, 9, "kaggle")), "board must be one of board, fixed, free"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
