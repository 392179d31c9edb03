"""adaptive: formulas against reference values and enumeration, samplers against exact laws, claims and falsifiers."""

import functools
import itertools
import json
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims import _experiment
from sims import adaptive as sims
from sims.adaptive import _attack, _core
from sims.adaptive import _burn as sims_burn
from theory import _claims
from theory import adaptive as theory
from theory.adaptive import _claims_core

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "adaptive.vectors.json").read_text())
EXPERIMENTS = {e.check: e for e in _core.EXPERIMENTS}
CLAIMS = {c.id: c for c in theory.CLAIMS}


QUICK = {"xla_backend_optimization_level": 1}  # compiles in two thirds of the time


@functools.cache
def _batched(simulate):
    return jax.jit(lambda keys, prepared: jax.lax.map(lambda key: simulate(key, prepared), keys), compiler_options=QUICK)


def _keys(seed, *shape):
    """Made by NumPy: no compilation."""
    return jax.random.wrap_key_data(np.random.default_rng(seed).integers(0, 2**32, (*shape, 2), np.uint32))


def _draw(simulate, prepared, num_replicates, seed):
    """float64 [num_replicates] (or a dict of them). Drawn in equal batches of 256, so that one program serves many tests."""
    batch = min(256, num_replicates)
    parts = [_batched(simulate)(_keys([seed, i], batch), prepared) for i in range(-(-num_replicates // batch))]
    return jax.tree.map(lambda *a: np.concatenate([np.asarray(x, np.float64) for x in a])[:num_replicates], *parts)


# ------------------------------------------------------------------------------------------------------ reference values


def _geometric_sup(n, eps, p, beta):
    return theory.neyman_pearson_sup(theory.geometric_mechanism(n, eps), stats.binom.pmf(np.arange(n + 1), n, p), beta)


FUNCTION_OF = {
    ("F1", "gap of the linear"): functools.partial(theory.naive_gap_limit, analyst="linear"),
    ("F1", "gap of the sign"): functools.partial(theory.naive_gap_limit, analyst="sign"),
    ("F1e", "exact gap of the linear"): functools.partial(theory.naive_gap_exact, analyst="linear"),
    ("F1e", "exact gap of the sign"): functools.partial(theory.naive_gap_exact, analyst="sign"),
    ("F2", "n_split"): theory.n_split,
    ("F2", "n_nonadaptive"): theory.n_nonadaptive,
    ("adaptive.split", "exact failure"): lambda h, M, tau: theory.split_failure_exact(h, M, tau),
    ("F3", "printed"): theory.thm6_bound,
    ("F3'", "sharp"): theory.thm6_sharp_bound,
    ("S5", "P[gap"): theory.rr_tail,
    ("adaptive.thm6", "sup over events"): _geometric_sup,
    ("adaptive.thm6_sharp", "optimum"): lambda n, eps, s: theory.lp_sup(n, eps, s),
    ("F5", "largest bias"): theory.bias_pure_bound,
    ("F12", "thm25 sigma"): theory.thm25_sigma,
    ("F12", "[n0, n1]"): lambda B, **a: [theory.lem24_n0(B, **a), theory.lem24_n1(B, **a)],
    ("F12", "thm25 certified"): lambda B, **a: theory.thm25_sample_size(budget=B, **a),
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id']}-{v['what'][:24]}")
def test_formula_equals_its_reference_value(vector):
    fn = next(f for (name, start), f in FUNCTION_OF.items() if name == vector["id"] and vector["what"].startswith(start))
    np.testing.assert_allclose(fn(**vector["args"]), vector["value"], rtol=vector["rtol"])


def test_hand_worked_values():
    # linear, n=2, m=2: H ~ Bin(2, 1/2), middle = 0: P[2H > 0] + P[H = 0]/2 - 1/2 = 3/4 + 1/8 - 1/2 = 3/8
    assert theory.naive_gap_exact(2, 2) == pytest.approx(3 / 8, rel=1e-12)
    # sign, n=3, m=2: v = 1 + 2h - 2, h ~ Bin(2, 1/2): P[v > 0] = 3/4; K ~ Bin(2, 3/4): P[K=2] + P[K=1]/2 - 1/2
    # = 9/16 + 3/16 - 1/2 = 1/4
    assert theory.naive_gap_exact(3, 2, "sign") == pytest.approx(1 / 4, rel=1e-12)
    assert theory.naive_gap_exact(1, 1) == pytest.approx(0.5)  # one point: the aggregate repeats it
    # ln(2 * 101 / .05) / (2 * .01) = 8.3040 / .02 = 415.2 -> 416 points a query, 101 queries
    assert theory.n_nonadaptive(101, 0.1, 0.05) == 416
    assert theory.n_split(101, 0.1, 0.05) == 101 * 416
    # two coins, tau .5: |2c - 2| >= 2 for c in {0, 2}: probability 1/2; three queries: 1 - 1/8
    assert theory.split_failure_exact(2, 3, 0.5) == pytest.approx(7 / 8, rel=1e-12)
    # q - p at eps = ln 9, p = 1/(1+3): q = 9/(9+3) = 3/4, q - p = 1/2 = tanh(ln 9 / 4) = (3 - 1)/(3 + 1)
    assert theory.rr_inclusion(1 / 4, math.log(9)) == pytest.approx(3 / 4, rel=1e-12)
    assert theory.bias_pure_bound(math.log(9)) == pytest.approx(1 / 2, rel=1e-12)
    # thm25 at tau=.2, beta=.1, m=50, B=2: sigma = .2/(96 ln 2000) = 2.7409e-4, n0 = 4/(sigma .025) = 583,750
    assert theory.thm25_sample_size(50, 2, 0.2, 0.1) == 583_750
    assert theory.thm25_threshold(0.2) == pytest.approx(0.15)


def test_integer_rules_decide_ties_by_exact_arithmetic():
    # h=100, tau=.1: c=60 is a tie and counts: P[|2c-100| >= 20] = 2 P[c >= 60] = .0569 (.0352 if it did not)
    assert theory.split_failure_exact(100, 1, 0.1) == pytest.approx(2 * stats.binom.sf(59, 100, 0.5), rel=1e-12)
    assert theory.split_failure_exact(100, 1, 0.1) == pytest.approx(0.0569, abs=5e-5)
    # 100 * (.5 + .05) = 55.00000000000001 in floating point, 55 on paper
    assert theory.rr_tail(100, 0.0, 0.05) == pytest.approx(stats.binom.sf(54, 100, 0.5), rel=1e-12)


def test_gap_limits_agree_with_the_exact_law():
    for n, m, s in [(400, 40, 0.0), (401, 401, 0.0), (1000, 500, 0.05), (900, 2700, 0.5)]:
        short = stats.norm.cdf(math.sqrt(m / (n - 1 + 4 * n**2 * s**2))) - 0.5
        assert theory.naive_gap_exact(n, m, "linear", s) == pytest.approx(short, abs=1e-3)
        assert theory.naive_gap_exact(n, m, "linear", s) == pytest.approx(theory.naive_gap_limit(n, m, "linear", s), abs=1e-3)
        assert theory.naive_gap_exact(n, m, "sign", s) == pytest.approx(theory.naive_gap_limit(n, m, "sign", s), abs=0.0067)
    # thinning the binomial sum changes nothing: a dense sum at the same arguments
    h = np.arange(0, 2000 * 99 + 1)
    dense = stats.binom.pmf(h, 2000 * 99, 0.5) @ stats.norm.cdf((2000 + 2 * h - 2000 * 99) / (2 * 0.3 * 100 * 2000**0.5)) - 0.5
    assert theory.naive_gap_exact(100, 2000, "linear", 0.3) == pytest.approx(dense, rel=1e-10)


def test_critical_number_of_queries_has_the_stated_slopes():
    grid = np.array([250, 500, 1000, 2000])
    centred = np.log(grid) - np.log(grid).mean()
    slope = [centred @ np.log(theory.m_crit(grid, s)) / (centred @ centred) for s in (0.0, 0.1)]
    assert slope == pytest.approx([1.002, 1.961], abs=5e-4)


# ----------------------------------------------------------------------------- the attack: brute force, then the samplers


def _brute_gap(bits, analyst, noise=0.0, scale=1):
    """Gap of the aggregate on 0/1 data [..., n, m] in plain NumPy; weights in units of (half a count) / scale."""
    n = bits.shape[-2]
    real = 2 * bits.sum(-2, dtype=np.int64) - n + noise
    w = np.sign(real).astype(np.int64) if analyst == "sign" else np.rint(scale * real).astype(np.int64)
    score = np.einsum("...nm,...m->...n", 2 * bits.astype(np.int64) - 1, w)
    return (np.sign(score).sum(-1)) / (2 * n)


@functools.cache
def _all_gaps(n, m, analyst):
    """The gap on each of the 2^(nm) equally likely samples."""
    every = np.array(list(itertools.product((0, 1), repeat=n * m))).reshape(-1, n, m)
    return _brute_gap(every, analyst)


@pytest.mark.parametrize(("n", "m"), [(1, 3), (2, 2), (3, 2), (2, 5), (4, 2), (3, 4), (5, 2), (4, 3)])
@pytest.mark.parametrize("analyst", theory.ANALYSTS)
def test_exact_gap_equals_enumeration(n, m, analyst):
    assert theory.naive_gap_exact(n, m, analyst) == pytest.approx(_all_gaps(n, m, analyst).mean(), rel=1e-12)


def test_enumeration_gives_the_four_stated_values():
    cells = [(2, 2, "linear"), (3, 2, "linear"), (3, 2, "sign"), (4, 2, "sign")]
    assert [_all_gaps(*c).mean() for c in cells] == [0.375, 0.3125, 0.25, 0.2578125]


def _words_to_bits(words, m):
    """The sampler's words, uint32 [blocks, WORDS, rows], as 0/1 [rows, m]."""
    bits = (words[..., None] >> np.arange(32, dtype=np.uint32)) & 1  # [blocks, words, rows, 32]
    return bits.transpose(2, 0, 1, 3).reshape(words.shape[2], -1)[:, :m].astype(np.int64)


@pytest.mark.parametrize(
    ("n", "m", "analyst", "s"),
    [
        (37, 300, "linear", 0.0),
        (300, 300, "linear", 0.0),  # two tiles of rows, the second in part
        (36, 300, "sign", 0.0),  # even: columns of weight 0, and an even number of columns: ties
        (1000, 31, "linear", 0.0),
        (5, 513, "sign", 0.2),
        (64, 61_650, "linear", 1.0),  # intermediate sums leave int32, the scores do not
    ],
)
def test_full_sampler_equals_numpy_on_the_same_bits(n, m, analyst, s):
    cell = sims.NaiveCell(n, m, analyst, s)
    sims.validate_full(cell)
    prepared = sims.prepare_full(cell)
    key = jax.random.key(5)

    words, noise = [], []
    for block in range(int(prepared.blocks)):
        key_data, key_noise = jax.random.split(jax.random.fold_in(jax.random.clone(key), block))
        tiles = [
            np.asarray(jax.random.bits(jax.random.fold_in(key_data, tile), (_attack.WORDS, _attack.TILE), jnp.uint32))
            for tile in range(-(-n // _attack.TILE))
        ]
        words.append(np.concatenate(tiles, axis=1)[:, :n])
        noise.append(np.asarray(jax.random.normal(key_noise, (_attack.WORDS, 32), jnp.float32)))
    words, noise = np.stack(words), np.stack(noise)
    noise = np.float32(prepared.noise) * noise.reshape(-1)[:m]
    bits = _words_to_bits(words, m)
    counts = (2 * bits.sum(0) - n).astype(np.float32)
    expected = _brute_gap(bits, analyst, (counts + noise).astype(np.float64) - counts, prepared.scale)
    measured = float(_batched(sims.simulate_full)(key[None], prepared)[0])
    assert measured == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("n", "m", "analyst", "s"), [(300, 300, "linear", 0.0), (600, 513, "sign", 0.2)])
def test_full_sampler_of_an_accelerator_has_the_same_integers(n, m, analyst, s, monkeypatch):
    prepared, keys = sims.prepare_full(sims.NaiveCell(n, m, analyst, s)), jax.random.split(jax.random.key(6), 4)
    by_tiles = _batched(sims.simulate_full)(keys, prepared)
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda cpu, default: default())
    at_once = jax.jit(jax.vmap(lambda key: sims.simulate_full(key, prepared)))(keys)
    np.testing.assert_array_equal(*(np.rint(2 * n * np.asarray(gap, np.float64)) for gap in (by_tiles, at_once)))


def _same_law(samples, n, law):
    """p-value of a chi-square test that samples of 2n * gap follow the equally likely values `law`; rare cells pooled."""
    values = np.arange(-n, n + 1)
    p = np.array([np.mean(np.rint(2 * n * law) == v) for v in values])
    seen = np.array([np.sum(np.rint(2 * n * samples) == v) for v in values])
    rare = p * len(samples) < 10
    p = np.append(p[~rare], p[rare].sum())
    seen = np.append(seen[~rare], seen[rare].sum())
    if seen[p == 0].any():
        return 0.0
    return stats.chisquare(seen[p > 0], p[p > 0] * len(samples)).pvalue


@pytest.mark.parametrize(("n", "m", "analyst"), [(3, 2, "linear"), (3, 4, "linear"), (4, 2, "sign"), (4, 3, "sign")])
def test_full_sampler_has_the_enumerated_law(n, m, analyst):
    gaps = _draw(sims.simulate_full, sims.prepare_full(sims.NaiveCell(n, m, analyst)), 4096, seed=n * 10 + m)
    assert _same_law(gaps, n, _all_gaps(n, m, analyst)) > FALSE_FAIL
    other = "sign" if analyst == "linear" else "linear"
    if (n, m) != (3, 2):  # the same test tells the analysts apart
        assert _same_law(gaps, n, _all_gaps(n, m, other)) < FALSE_FAIL


def _t_pvalue(x, mean, slack=0.0):
    """Two-sided p-value that E x lies within `slack` of `mean`."""
    distance = max(0.0, abs(x.mean() - mean) - slack)
    return 2 * stats.t.sf(distance / (x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1)


@pytest.mark.claim("adaptive.naive")
@pytest.mark.parametrize(("n", "m"), [(250, 250), (1000, 1000), (1000, 100)])
@pytest.mark.parametrize("analyst", theory.ANALYSTS)
def test_full_sampler_has_the_exact_mean_and_not_the_other_analysts(n, m, analyst):
    gaps = _draw(sims.simulate_full, sims.prepare_full(sims.NaiveCell(n, m, analyst)), 256, seed=1)
    assert _t_pvalue(gaps, theory.naive_gap_exact(n, m, analyst)) > FALSE_FAIL
    other = "sign" if analyst == "linear" else "linear"
    assert _t_pvalue(gaps, theory.naive_gap_exact(n, m, other)) < FALSE_FAIL
    # sd over 256 runs is within 25 % of the formula: 5.6 standard errors, 8 % of them used up at even n
    assert gaps.std(ddof=1) == pytest.approx(theory.naive_gap_sd(n, m, analyst), rel=0.3)


@pytest.mark.claim("adaptive.naive")
@pytest.mark.parametrize("analyst", theory.ANALYSTS)
@pytest.mark.parametrize("s", [0.0, 0.03])
def test_full_and_lazy_samplers_agree_within_the_stated_bias(analyst, s):
    cell = sims.NaiveCell(1000, 1000, analyst, s)
    full = _draw(sims.simulate_full, sims.prepare_full(cell), 512, seed=2)
    lazy = _draw(sims.simulate_lazy, sims.prepare_lazy(cell), 4096, seed=3)
    bias = 0.0005 if analyst == "linear" else 0.0035
    assert _t_pvalue(lazy, theory.naive_gap_limit(1000, 1000, analyst, s), slack=0.0005) > FALSE_FAIL
    se = math.hypot(full.std() / math.sqrt(512), lazy.std() / math.sqrt(4096))
    assert 2 * stats.norm.sf(max(0.0, abs(full.mean() - lazy.mean()) - bias) / se) > FALSE_FAIL
    # ... and the variances, by the F ratio of nearly normal samples; 1.3 allows for the ties of the sign analyst
    ratio = (full.std(ddof=1) / lazy.std(ddof=1)) ** 2
    assert 2 * min(stats.f.sf(ratio / 1.3, 511, 4095), stats.f.cdf(ratio * 1.3, 511, 4095)) > FALSE_FAIL
    wrong = theory.naive_gap_exact(1000, 1000, "sign" if analyst == "linear" else "linear", s)
    assert _t_pvalue(full, wrong) < FALSE_FAIL
    assert _t_pvalue(lazy, wrong, slack=bias) < FALSE_FAIL


@pytest.mark.claim("adaptive.naive")
def test_noisy_answers_have_their_exact_mean():
    cell = sims.NaiveCell(250, 176, "linear", 0.1)
    gaps = _draw(sims.simulate_full, sims.prepare_full(cell), 512, seed=4)
    assert _t_pvalue(gaps, theory.naive_gap_exact(250, 176, "linear", 0.1)) > FALSE_FAIL
    assert _t_pvalue(gaps, theory.naive_gap_exact(250, 176)) < FALSE_FAIL  # noise forgotten


@pytest.mark.claim("adaptive.naive")
def test_a_users_large_cell_runs_in_both_samplers():
    cell = _experiment.parse_cell(EXPERIMENTS["adaptive.naive/full"].ask, "n=5000,m=10000")
    for name in ("full", "lazy"):
        experiment = EXPERIMENTS[f"adaptive.naive/{name}"]
        experiment.validate(cell)
        gap = _draw(experiment.simulate, experiment.prepare(cell), 2, seed=6)
        mean, sd = experiment.expected(**_experiment.cell_fields(cell))
        assert np.abs(gap - mean).max() < 8 * sd  # 2 * Phi(-8) is far below FALSE_FAIL


def _slopes(cells, num_rows, seed):
    grid = np.log([c.n for c in cells])
    c = (grid - grid.mean()) / np.sum((grid - grid.mean()) ** 2)
    prepared = [sims.prepare_slope(cell) for cell in cells]
    x = np.stack([_draw(sims.simulate_slope, p, num_rows, seed + i) for i, p in enumerate(prepared)])
    return c @ np.log(x)


@pytest.mark.claim("adaptive.naive")
def test_critical_number_of_queries_is_linear_in_n_on_exact_answers_and_not_on_noisy_ones():
    check = CLAIMS["adaptive.naive"].check("slope")
    (low, high), (wrong_low, _) = check.margin, check.falsifiers[0].margin
    exact = _slopes(EXPERIMENTS["adaptive.naive/slope"].cells["default"], 40, seed=10)
    noisy = _slopes(EXPERIMENTS["adaptive.naive/slope!noisy-answers"].cells["default"][:3], 40, seed=20)

    def below(x, edge):  # p-value against E x >= edge
        return stats.ttest_1samp(x, edge, alternative="less").pvalue

    assert below(-exact, -low) < FALSE_FAIL
    assert below(exact, high) < FALSE_FAIL  # inside the window
    assert below(exact, wrong_low) < FALSE_FAIL  # below the quadratic window
    assert below(-noisy, -high) < FALSE_FAIL  # a noisy world is above it


# -------------------------------------------------------------------------------------------------- split and thm25


@pytest.mark.claim("adaptive.split")
@pytest.mark.parametrize("index", [0, 1])
def test_fresh_chunks_fail_as_often_as_the_exact_law_says(index):
    main, half = EXPERIMENTS["adaptive.split/failure"], EXPERIMENTS["adaptive.split/failure!half-chunk"]
    cell = main.cells["default"][index]
    for experiment in (main, half):
        failures = int(_draw(experiment.simulate, experiment.prepare(cell), 2048, seed=30).sum())
        p = experiment.expected(**{k: v for k, v in _experiment.cell_fields(cell).items() if k != "beta"})[0]
        assert stats.binomtest(failures, 2048, p).pvalue > FALSE_FAIL
        violates = stats.binomtest(failures, 2048, cell.beta, alternative="greater").pvalue < FALSE_FAIL
        holds = stats.binomtest(failures, 2048, cell.beta, alternative="less").pvalue < FALSE_FAIL
        assert (holds, violates) == ((True, False) if experiment is main else (False, True))


@pytest.mark.parametrize(("h", "num_queries", "tau"), [(1, 1, 0.3), (31, 2, 0.11), (32, 129, 0.33), (100, 3, 0.1), (513, 2, 0.03)])
def test_split_sampler_counts_odd_chunks_and_tiles_exactly(h, num_queries, tau):
    prepared = sims.SplitPrepared(np.int32(num_queries), np.int32(h), np.int32(theory.split_threshold(h, tau)))
    failures = int(_draw(sims.simulate_split, prepared, 2048, seed=31).sum())
    assert stats.binomtest(failures, 2048, float(theory.split_failure_exact(h, num_queries, tau))).pvalue > FALSE_FAIL


def _numpy_thresholdout_fails(cell, n, num_runs, rng):
    """Failures of Theorem 25's guarantee, straight from the algorithm, all runs side by side: bool [num_runs]."""
    sigma, threshold = float(theory.thm25_sigma(cell.m, cell.tau, cell.beta)), float(theory.thm25_threshold(cell.tau))
    budget, overfit, failed = np.full(num_runs, cell.B), 0, np.zeros(num_runs, bool)
    noisy = threshold + rng.laplace(0, 2 * sigma, num_runs)
    for _ in range(cell.m):
        holdout = rng.binomial(n, 0.5, num_runs) / n
        over = (budget >= 1) & (np.abs(holdout - (0.5 + cell.off)) > noisy + rng.laplace(0, 4 * sigma, num_runs))
        answer = np.where(over, holdout + rng.laplace(0, sigma, num_runs), 0.5 + cell.off)
        answer = np.where(budget >= 1, answer, np.nan)
        noisy = np.where(over, threshold + rng.laplace(0, 2 * sigma, num_runs), noisy)
        budget = budget - over
        overfit += cell.off > cell.tau / 2
        if overfit < cell.B:
            failed |= ~(np.abs(answer - 0.5) < cell.tau)
    return failed


@pytest.mark.claim("adaptive.thm25")
def test_thresholdout_keeps_theorem_25_and_breaks_it_on_a_3000th_of_the_points():
    main, liar = EXPERIMENTS["adaptive.thm25/failure"], EXPERIMENTS["adaptive.thm25/failure!n-over-3000"]
    for cell in main.cells["default"]:
        drawn = _draw(main.simulate, main.prepare(cell), 512, seed=40)
        assert not drawn["tie"].any()
        assert stats.binomtest(int(drawn["x"].sum()), 512, cell.beta, alternative="less").pvalue < FALSE_FAIL
    (cell,) = liar.cells["default"]
    failures = int(_draw(liar.simulate, liar.prepare(cell), 512, seed=41)["x"].sum())
    assert stats.binomtest(failures, 512, cell.beta, alternative="greater").pvalue < FALSE_FAIL


@pytest.mark.claim("adaptive.thm25")
@pytest.mark.parametrize(("off", "share"), [(0.0999, 2000), (0.4, 4000)])
def test_thresholdout_equals_a_plain_loop(off, share):
    cell = sims.Thm25Cell(583_750, 50, 2, 0.2, 0.1, off)
    ours = int(_draw(sims.simulate_thm25, sims.prepare_thm25(cell, share), 4096, seed=42)["x"].sum())
    plain = int(_numpy_thresholdout_fails(cell, cell.n // share, 4096, np.random.default_rng(43)).sum())
    assert stats.fisher_exact([[ours, 4096 - ours], [plain, 4096 - plain]]).pvalue > FALSE_FAIL


# ------------------------------------------------------------------------------------------ pure differential privacy


def _residuals(check, experiment, cell, bound=None):
    """Residuals of an EXACT check, and the cases, at one cell."""
    cases = list(experiment.evaluate(cell, np.random.default_rng(0)))
    out = []
    for case in cases:
        b = _claims.call(bound or check.bound, {**_experiment.cell_fields(cell), **case.fields})
        out.append(
            {
                "log_upper": math.log(case.statistic) - math.log(b),
                "upper": (case.statistic - b) / abs(b),
                "identity": abs(case.statistic - b) / max(1, abs(b)),
            }[check.residual]
        )
    return np.array(out), cases


def _exact_experiments():
    return [e for e in _core.EXPERIMENTS if e.evaluate is not None]


@pytest.mark.claim("adaptive.thm6")
@pytest.mark.claim("adaptive.bias_pure")
@pytest.mark.parametrize("experiment", _exact_experiments(), ids=lambda e: e.check)
def test_exact_checks_hold_and_their_falsifiers_do_not(experiment):
    check = CLAIMS[experiment.claim_id].check(experiment.check_name)
    for cell in experiment.cells["default"]:
        residuals, _ = _residuals(check, experiment, cell)
        assert len(residuals)
        assert (residuals.max() > check.tolerance) == (experiment.falsifier is not None)
        for falsifier in check.falsifiers if experiment.falsifier is None else ():
            named = falsifier.where is None or _claims.call(falsifier.where, _experiment.cell_fields(cell))
            if falsifier.kind == "bound" and named:
                assert _residuals(check, experiment, cell, falsifier.bound)[0].max() > check.tolerance


@pytest.mark.claim("adaptive.thm6")
def test_thm6_figures_at_the_edge_of_the_premise():
    k, attained = theory.rr_event(400, 1e-4)
    assert (k, attained) == (238, pytest.approx(stats.binom.sf(237, 400, 0.5), rel=1e-12))
    eps = float(theory.thm6_premise(400, attained))
    tails = [stats.binom.sf(k - 1, 400, theory.rr_inclusion(0.5, f * eps)) for f in (1, 2, 4)]
    assert tails == pytest.approx([0.003664, 0.0541, 0.701], rel=2e-3)
    assert theory.thm6_bound(400, attained, eps) == pytest.approx(0.0276, rel=2e-3)
    assert tails[0] <= theory.thm6_sharp_bound(400, attained, eps) == pytest.approx(attained ** (9 / 16), rel=1e-9)
    assert math.isnan(theory.thm6_bound(400, attained, 1.01 * eps))  # outside the premise: never a number
    assert theory.rr_event(3, 0.1) == (4, 0.0)  # even all three selected (1/8) is likelier than .1
    assert theory.rr_event(3, 0.125) == (3, 0.125)


@pytest.mark.claim("adaptive.thm6")
@pytest.mark.parametrize(("n", "eps"), [(1, 0.7), (2, 0.5), (3, 0.1), (3, 0.5), (4, 0.5)])
def test_no_algorithm_beats_rr_selection_on_single_samples(n, eps):
    # set_size 1: the optimum names the sample itself, each coordinate kept with probability e^eps/(1 + e^eps)
    assert theory.lp_sup(n, eps, 1) == pytest.approx((1 / (1 + math.exp(-eps))) ** n, rel=1e-7)
    assert theory.lp_sup(n, 0.0, 1) == pytest.approx(2.0**-n, rel=1e-7)  # no dependence on S
    if eps <= theory.thm6_premise(n, 2.0**-n):
        assert theory.lp_sup(n, eps, 1) <= theory.thm6_sharp_bound(n, 2.0**-n, eps)


@pytest.mark.claim("adaptive.thm6")
@pytest.mark.parametrize("mechanism", [theory.geometric_mechanism, theory.threshold_bit_mechanism])
def test_mechanisms_are_private_to_the_last_bit(mechanism):
    table = mechanism(30, 0.4)
    np.testing.assert_allclose(table.sum(0), 1, rtol=1e-12)
    loss = np.abs(np.diff(np.log(table), axis=1)).max()
    assert loss <= 0.4 * (1 + 1e-12)  # neighbouring samples change the count by one
    assert loss > 0.3


def test_neyman_pearson_sup_equals_brute_force_on_whole_events():
    # beta chosen as the mass of whole counts: then the best of all 2^5 events per output is the fractional optimum
    p_count = np.full(5, 0.2)
    mechanism = theory.geometric_mechanism(4, 0.8)
    events = np.array(list(itertools.product((0, 1), repeat=5)))
    allowed = events[events @ p_count <= 0.4 + 1e-12]
    best = sum((allowed @ (p_count * row)).max() for row in mechanism)
    assert theory.neyman_pearson_sup(mechanism, p_count, 0.4) == pytest.approx(best, rel=1e-12)


@pytest.mark.claim("adaptive.bias_pure")
def test_bias_figure():
    (case,) = EXPERIMENTS["adaptive.bias_pure/attained"].evaluate(sims.BiasCell(1.0), None)
    assert case.statistic == pytest.approx(0.244919, abs=5e-7)


@pytest.mark.claim("adaptive.thm25")
def test_burning_thresholdouts_budget_gives_the_gap_of_answers_with_its_noise():
    # sigma = .02: the released answers carry noise of sd sigma sqrt(2); the exact law is that of normal noise of this sd,
    # which Laplace noise follows within .003 at m = 2000. Half width 5 sd / sqrt(512), false alarm 6e-7.
    experiment = EXPERIMENTS["adaptive.thm25/~burn"]
    drawn = _draw(sims_burn.simulate_burn, sims_burn.prepare_burn(experiment.cells["default"][-1]), 512, seed=31)
    gap, released = drawn["x"], drawn["released"]
    expected = theory.naive_gap_exact(1000, 2000, "linear", 0.02 * math.sqrt(2))
    assert expected == pytest.approx(0.2545, abs=5e-4)
    assert abs(gap.mean() - expected) < 5 * gap.std() / math.sqrt(512) + 0.003
    # nearly every query is released while the budget lasts; a single run's count has a heavy lower tail, the mean is sharp
    assert released.mean() - 5 * released.std() / math.sqrt(512) > 1985


# ---------------------------------------------------------------------------------------------------- tables and errors


def test_claims_and_experiments_match():
    wanted = sorted(name for claim in _claims_core.CLAIMS for name in claim.experiments())
    assert wanted == sorted(name for name, e in EXPERIMENTS.items() if not e.exploratory)


@pytest.mark.parametrize("experiment", [e for e in _core.EXPERIMENTS if not e.exploratory], ids=lambda e: e.check)
def test_every_cell_is_valid_inside_the_assumptions_and_every_falsifier_names_one(experiment):
    check = CLAIMS[experiment.claim_id].check(experiment.check_name)
    for preset, cells in experiment.cells.items():
        for cell in cells:
            experiment.validate(cell)
            fields = _experiment.cell_fields(cell)
            assert all(_claims.call(a.holds, fields) for a in check.assumptions)
            assert not math.isnan(_claims.call(check.bound, fields))
        for falsifier in check.falsifiers if experiment.falsifier is None else ():
            if falsifier.kind == "bound" and falsifier.where is not None:
                assert any(_claims.call(falsifier.where, _experiment.cell_fields(c)) for c in cells), (preset, falsifier.name)
    if experiment.ask is not None:
        experiment.validate(experiment.ask)


@pytest.mark.parametrize("preset", ["smoke", "default"])
def test_the_cells_of_a_preset_share_one_program_per_simulator(preset):
    shapes = {}
    for experiment in _core.EXPERIMENTS:
        for cell in experiment.cells.get(preset, ()) if experiment.simulate is not None else ():
            leaves, structure = jax.tree.flatten(experiment.prepare(cell))
            shape = (structure, tuple((np.shape(x), np.asarray(x).dtype) for x in leaves), experiment.block, experiment.chunk)
            shapes.setdefault(experiment.simulate, set()).add(shape)
    assert {f.__name__: len(s) for f, s in shapes.items()} == dict.fromkeys((f.__name__ for f in shapes), 1)


def test_margins_keep_the_other_analyst_outside():
    for n, m in [(250, 25), (250, 250), (1000, 3000)]:
        distance = theory.naive_gap_exact(n, m, "linear") - theory.naive_gap_exact(n, m, "sign")
        assert theory.naive_margin(n, m) == pytest.approx(min(0.02, distance / 2))
    assert theory.naive_margin(5, 1) == 0.002  # one query: the analysts are the same
    assert (theory.naive_margin(1999, 1999), theory.naive_margin(2000, 2000)) == (0.02, 0.005)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.naive_gap_exact(0, 5), "naive_gap_exact: n and m must be positive integers, got n=0."),
        (lambda: theory.naive_gap_exact(10, 2.5), "naive_gap_exact: n and m must be positive integers, got m=2.5."),
        (lambda: theory.naive_gap_limit(math.nan, 5), "n and m must be positive integers, got n=nan."),
        (lambda: theory.naive_gap_limit(10, 5, "median"), "analyst must be one of linear, sign, got 'median'."),
        (lambda: theory.naive_gap_exact(10, 5, s=-0.1), "naive_gap_exact: s must be finite and >= 0, got -0.1."),
        (lambda: theory.m_crit(100, gap=0.5), "m_crit: gap must lie in (0, 1/2), got 0.5."),
        (lambda: theory.n_split(10, 1.2, 0.05), "n_nonadaptive: tau must lie in (0, 1), got 1.2."),
        (lambda: theory.n_split(10, 0.1, 0.0), "n_nonadaptive: beta must lie in (0, 1), got 0.0."),
        (lambda: theory.n_split([10, 0], 0.1, 0.1), "n_nonadaptive: m must be a positive integer, got m=[10  0]."),
        (lambda: theory.split_failure_exact(10, 3, math.inf), "tau must lie in (0, 1), got inf."),
        (lambda: theory.thm6_bound(10, 1.0, 0.1), "thm6_premise: beta must lie in (0, 1), got 1.0."),
        (lambda: theory.thm6_bound(10, 0.1, -1), "thm6_bound: eps must be finite and >= 0, got -1."),
        (lambda: theory.rr_tail(10, 0.1, 0.0), "rr_tail: tau must lie in (0, 1), got 0.0."),
        (lambda: theory.rr_inclusion(1.0, 0.1), "rr_inclusion: p must lie in (0, 1), got 1.0."),
        (lambda: theory.lp_sup(4, 0.1, 3), "lp_sup: n <= 4 and set_size < 2^n (<= 2 at n = 4) are allowed, got n=4, set_size=3."),
        (lambda: theory.bias_pure_bound(math.nan), "bias_pure_bound: eps must be finite and >= 0, got nan."),
        (lambda: theory.lem24_n0(2, 0.0, 0.1, 0.1), "lem24_n0: noise rate must be positive, got sigma=0.0."),
        (lambda: theory.lem24_n1(2, -1.0, 0.1, 0.1), "lem24_n1: noise rate must be positive, got sigma=-1.0."),
        (lambda: theory.thm25_sample_size(5, 6, 0.2, 0.1), "thm25_sample_size: budget must satisfy 1 <= B <= m=5, got 6."),
        (lambda: theory.thm25_sigma(5, 2.0, 0.1), "thm25_sigma: tau must lie in (0, 1), got 2.0."),
        (
            lambda: sims.validate_naive(sims.NaiveCell(0, 5, "sign")),
            "adaptive.naive: n and m must be positive integers, got n=0, m=5.",
        ),
        (lambda: sims.validate_naive(sims.NaiveCell(5, 5, "mean")), "analyst must be one of linear, sign, got 'mean'."),
        (lambda: sims.validate_naive(sims.NaiveCell(5, 5, "sign", math.nan)), "s must be finite and >= 0, got nan."),
        (lambda: sims.validate_full(sims.NaiveCell(10**5, 10**5, "sign")), "must stay below 2^31 in the bit-level sampler"),
        (lambda: sims.validate_lazy(sims.NaiveCell(2**25, 5, "sign")), "the lazy sampler allows n <= 2^20 and m <= 2^30"),
        (lambda: sims.validate_full(sims.NaiveCell(2**25, 5, "sign")), "the bit-level sampler allows n <= 2^20, got n=33554432."),
        (lambda: sims.validate_slope(sims.SlopeCell(0)), "n and m must be positive integers, got n=0"),
        (
            lambda: sims.validate_split(sims.SplitCell(100, 100, 0.1, 0.05)),
            "adaptive.split: sample splitting needs at least one point per query, got n=100 for m+1=101 queries.",
        ),
        (lambda: sims.validate_split(sims.SplitCell(0, 100, 0.1, 0.05)), "n and m must be positive integers, got n=0, m=100."),
        (lambda: sims.validate_split(sims.SplitCell(10**4, 100, 1.2, 0.05)), "tau must lie in (0, 1), got 1.2."),
        (lambda: sims.validate_split(sims.SplitCell(10**4, 100, 0.1, 1.0)), "beta must lie in (0, 1), got 1.0."),
        (lambda: sims.validate_thm6(sims.Thm6Cell(0, 0.1)), "adaptive.thm6: n must be an integer in 1..5000, got 0."),
        (lambda: sims.validate_thm6(sims.Thm6Cell(10, 0.0)), "beta must lie in (0, 1), got 0.0."),
        (lambda: sims.validate_thm6(sims.Thm6Cell(10, 0.1, 1.0)), "p must lie in (0, 1), got 1.0."),
        (lambda: sims.validate_thm6(sims.Thm6Cell(10, 0.1, 0.5, -1.0)), "share must be finite and > 0, got -1.0."),
        (lambda: sims.validate_bias(sims.BiasCell(-1.0)), "adaptive.bias_pure: eps must lie in (0, 700], got -1.0."),
        (lambda: sims.validate_thm25(sims.Thm25Cell(0, 5, 1, 0.2, 0.1, 0.0)), "n and m must be positive integers, got n=0, m=5."),
        (
            lambda: sims.validate_thm25(sims.Thm25Cell(9, 5, 6, 0.2, 0.1, 0.0)),
            "adaptive.thm25: budget must satisfy 1 <= B <= m=5, got 6.",
        ),
        (lambda: sims.validate_thm25(sims.Thm25Cell(9, 5, 1, 0.0, 0.1, 0.0)), "tau must lie in (0, 1), got 0.0."),
        (lambda: sims.validate_thm25(sims.Thm25Cell(9, 5, 1, 0.2, 0.1, 0.6)), "off must lie in [0, 1/2], got 0.6."),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_thm6_outside_its_premise_is_nan_everywhere():
    cell = sims.Thm6Cell(100, 0.01, share=1.5)
    check = CLAIMS["adaptive.thm6"].check("transfer")
    assert math.isnan(_claims.call(check.bound, _experiment.cell_fields(cell)))
    assert not all(_claims.call(a.holds, _experiment.cell_fields(cell)) for a in check.assumptions)
