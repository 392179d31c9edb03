"""adaptive, multiplicative weights, the Median mechanism and the reusable holdout: brute force, closed forms, verdicts."""

import dataclasses
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

from sims import _decide, _experiment, _verdicts
from sims.adaptive import _histogram as weights
from sims.adaptive import _histogram_experiments
from sims.adaptive import _median as median_sims
from sims.adaptive import _reusable as reusable
from theory import _claims
from theory.adaptive import _claims_histogram, _histogram, _median
from theory.adaptive import _reusable as expected

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
Z = stats.norm.isf(FALSE_FAIL / 2)
VECTORS = json.loads((Path(__file__).parent / "data" / "adaptive_histogram.vectors.json").read_text())
EXPERIMENTS = {e.check: e for e in _histogram_experiments.EXPERIMENTS}
CLAIMS = {c.id: c for c in _claims_histogram.CLAIMS}


# ------------------------------------------------------------------------------------------------------ reference values


def _point_mass(size):
    return np.eye(1, size)[0]


def _repeated(m, alpha, ES, repaired):
    _, taken = median_sims.median_mechanism([ES], np.zeros(m, dtype=bool), alpha, repaired=bool(repaired))
    return [_median.median_dataset_size(m, alpha), taken.sum()]


FUNCTION_OF = {
    ("F14", ""): lambda m, log2X, tau, beta: _median.thm34_sample_size(m, tau, beta, log2X),
    ("F16", ""): lambda lnX, T, eta: _histogram.mw_updates_bound(round(math.exp(lnX)), T, eta),
    ("adaptive.mw_updates", ""): lambda X, T, eta: len(weights.adversary_divergences(_point_mass(X), T, eta)) - 1,
    ("adaptive.lem37", ""): _repeated,
    ("adaptive.fig2", "closed"): expected.fig2_holdout_accuracy,
    ("adaptive.fig2", "[E|W|"): lambda d: [expected.fig2_num_selected(d), expected.fig2_num_released(d)],
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id']}-{v['what'][:24]}-{v['rtol']:g}")
def test_formula_equals_its_reference_value(vector):
    fn = next(f for (name, start), f in FUNCTION_OF.items() if name == vector["id"] and vector["what"].startswith(start))
    np.testing.assert_allclose(fn(**vector["args"]), vector["value"], rtol=vector["rtol"])


def test_hand_worked_values():
    # eta = .4, T = .1: .4 * .1 - .16/8 = .02; with noise .05: .4 * .05 - .02 = 0
    assert _histogram.mw_kl_drop_bound(0.1, 0.4) == pytest.approx(0.02, rel=1e-12)
    assert _histogram.mw_kl_drop_bound(0.1, 0.4, -0.05) == pytest.approx(0.0, abs=1e-15)
    # the best step is 4T: ln|X| / (2 T^2)
    assert _histogram.mw_updates_bound(1024, 0.1, 0.4) == pytest.approx(math.log(1024) / 0.02, rel=1e-12)
    # log2 16 / .25 = 16 elements; log|X| = 2 for four atoms: 32 updates
    assert _median.median_dataset_size(16, 0.5) == 16
    assert _median.lem37_update_bound(16, 0.5, 4) == pytest.approx(32, rel=1e-12)
    assert math.ceil(_median.thm34_sample_size(256, 0.45, 0.05)) == 59_009
    assert _median.median_alpha(0.45) == pytest.approx(0.15)
    # 6 sqrt(20/10000) = .2683; Phi = .6058, less the allowance .591
    assert expected.fig3_fresh_accuracy(10_000, 20) - 0.015 == pytest.approx(0.591, abs=5e-4)
    assert expected.fig3_fresh_accuracy(2000, 20) - 0.015 == pytest.approx(0.711, abs=5e-4)
    assert expected.fig2_reported_margin(10_000) == pytest.approx(0.05)
    assert expected.fig2_num_selected(10_000) == pytest.approx(503.4, abs=0.05)


# -------------------------------------------------------------------------------------------------- multiplicative weights


@pytest.mark.claim("adaptive.pmw")
def test_every_update_lowers_the_divergence_by_the_promised_amount():
    rng = np.random.default_rng(5)
    for _ in range(300):
        size, step, noise = int(rng.integers(2, 30)), rng.uniform(0.01, 2), rng.laplace() * 0.1
        histogram, query = rng.dirichlet(np.full(size, 0.3)), rng.uniform(size=size)
        guess = weights.Guess(size)
        for _ in range(3):
            guess.update(rng.uniform(size=size), rng.normal())
        before, error = guess.divergence(histogram), query @ (histogram - guess.shares)
        threshold = min(0.999, abs(error + noise) * 0.999) or 1e-9
        guess.update(query, step * math.copysign(1.0, error + noise))
        assert before - guess.divergence(histogram) >= _histogram.mw_kl_drop_bound(threshold, step, noise) - 1e-9


def test_guess_keeps_a_distribution_and_its_divergence():
    rng = np.random.default_rng(6)
    guess, histogram = weights.Guess(7), np.array([0.5, 0.5, 0, 0, 0, 0, 0])
    assert guess.divergence(histogram) == pytest.approx(math.log(7) - math.log(2), rel=1e-12)
    for _ in range(50):
        guess.update(rng.uniform(size=7), 100 * rng.normal())
    assert guess.shares.sum() == pytest.approx(1.0)
    held = np.log(0.5) - np.array([-745.2 if s == 0 else math.log(s) for s in guess.shares[:2]])
    assert guess.divergence(histogram) == pytest.approx(0.5 * held.sum(), rel=0.05)


@pytest.mark.claim("adaptive.mw_updates")
@pytest.mark.parametrize(("step", "updates"), [(0.4, 172), (0.1, 684), (0.05, 1367)])
def test_adversary_forces_as_many_updates_as_measured_before(step, updates):
    path = weights.adversary_divergences(_point_mass(1024), 0.1, step)
    assert len(path) - 1 == updates <= _histogram.mw_updates_bound(1024, 0.1, step)
    assert path[0] == pytest.approx(math.log(1024), rel=1e-12)
    assert np.all(-np.diff(path) >= _histogram.mw_kl_drop_bound(0.1, step) - 1e-9)
    # half the bound says something only where the step is small: at 4T it is met
    assert (updates > _histogram.mw_updates_bound(1024, 0.1, step) / 2) == (step < 0.4)


def _run(noise, m=1000, seed=3, **options):
    cell = weights.PmwCell(64, 500, m, 0.08, 0.16, noise)
    rng = np.random.default_rng(seed)
    truth, sample, queries = weights._world(cell, rng)
    return cell, truth, sample, queries, weights.pmw_simple(sample, queries, cell, rng, **options)


@pytest.mark.claim("adaptive.pmw")
def test_answers_of_simple_multiplicative_weights_equal_a_query_by_query_loop():
    cell, _, sample, queries, run = _run(0.02, m=1300)  # more than one batch of queries
    rng = np.random.default_rng(3)
    weights._world(cell, rng)
    z, guess, answers = cell.noise * rng.laplace(size=cell.m), np.full(64, 1 / 64), []
    for query, noise in zip(queries.astype(float), z, strict=True):
        error = query @ (sample - guess) + noise
        answers.append(query @ guess + (error if abs(error) > cell.threshold else 0.0))
        if abs(error) > cell.threshold:
            guess = guess * np.exp(cell.step * np.sign(error) * query)
            guess /= guess.sum()
    np.testing.assert_allclose(run.answers, answers, rtol=0, atol=1e-9)
    assert len(run.drops) > 3


@pytest.mark.claim("adaptive.pmw")
def test_without_noise_answers_are_within_the_threshold_of_the_sample():
    cell, _, sample, queries, run = _run(0.0)
    assert np.abs(run.answers - queries @ sample).max() <= cell.threshold
    *_, wrong = _run(0.0, flipped=True)
    assert wrong.drops.min() < -0.1  # the other sign raises the divergence
    assert len(wrong.drops) > _histogram.mw_updates_bound(64, 0.08, 0.16) > len(run.drops)


@pytest.mark.claim("adaptive.pmw")
def test_private_variant_stops_at_its_budget():
    cell, _, sample, queries, _ = _run(0.0)
    cell = dataclasses.replace(cell, noise=0.02)
    run = weights.pmw_thresholdout(sample, queries, cell, np.random.default_rng(1), budget=4)
    assert len(run.drops) == 4
    last = np.flatnonzero(np.isfinite(run.answers)).max()
    assert np.isnan(run.answers[last + 1 :]).all()
    assert np.isfinite(run.answers[: last + 1]).all()
    quiet = dataclasses.replace(cell, noise=1e-9)  # almost no noise: the sample's answers, as without privacy
    run = weights.pmw_thresholdout(sample, queries, quiet, np.random.default_rng(1), budget=10**6)
    assert np.abs(run.answers - queries @ sample).max() <= cell.threshold + 1e-6


# ---------------------------------------------------------------------------------------------------- the Median mechanism


def _brute_median(sample, queries, alpha, repaired):
    """The mechanism over every data set of t elements of {0, ..., 2^b - 1}, one weight each. Queries are value tables."""
    size = _median.median_dataset_size(len(queries), alpha)
    sets = np.array(list(itertools.product(range(len(queries[0])), repeat=size)))
    alive, answers, taken = np.ones(len(sets), dtype=bool), [], []
    for query in queries:
        values, seen = query[sets].mean(1), query[sample].mean()
        mine = np.sort(values[alive])
        public = mine[(len(mine) + 1) // 2 - 1]  # lower median
        taken.append(abs(public - seen) > 2 * alpha)
        if taken[-1]:
            public = alpha * (np.rint(seen / alpha) if repaired else np.floor(seen / alpha))
            alive &= np.abs(public - values) <= (1.5 if repaired else 2) * alpha + 1e-12
        answers.append(public)
    return np.array(answers), np.array(taken)


@pytest.mark.claim("adaptive.lem37")
@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("ones", range(0, 41, 4))
def test_counting_the_ones_equals_all_data_sets_one_by_one(ones, repaired):
    flips = np.array([0, 1, 1, 0], dtype=bool)
    for alpha in (0.45, 0.39):  # 10 and 14 elements: ceil(2 / .2025), ceil(2 / .1521)
        sample = np.arange(40) < ones
        queries = [np.array([1.0, 0.0]) if flip else np.array([0.0, 1.0]) for flip in flips]
        answers, taken = median_sims.median_mechanism([ones / 40], flips, alpha, repaired=repaired)
        brute, brute_taken = _brute_median(sample.astype(int), queries, alpha, repaired)
        np.testing.assert_allclose(answers[0], brute, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(taken[0], brute_taken)


@pytest.mark.claim("adaptive.lem37")
def test_repaired_rounding_keeps_the_bound_at_every_sample_mean():
    means, flips = np.arange(0, 201) / 200, np.arange(300) % 3 == 1
    for alpha in (0.15, 0.2, 0.27):
        answers, taken = median_sims.median_mechanism(means, flips, alpha)
        assert taken.sum(1).max() <= _median.lem37_update_bound(300, alpha)
        assert np.abs(answers - np.where(flips, 1 - means[:, None], means[:, None])).max() <= 2 * alpha + 1e-9


@pytest.mark.claim("adaptive.lem37")
def test_printed_rounding_gets_stuck_between_two_grid_points():
    # alpha = .15. Taken once, .81 and .899 become .75, so candidates from .45 on stay and the median stays near .5, more than
    # .3 below; .97 becomes .9, the median .6. For .901 that median is near enough.
    means = np.array([0.79, 0.81, 0.899, 0.901, 0.97])
    _, taken = median_sims.median_mechanism(means, np.zeros(600, dtype=bool), 0.15, repaired=False)
    assert taken.sum(1).tolist() == [0, 600, 600, 1, 600]
    assert _median.lem37_update_bound(600, 0.15) < 600


@pytest.mark.claim("adaptive.lem37")
def test_errors_of_the_two_roundings_are_as_measured_before():
    errors = [next(median_sims.evaluate_lem37(median_sims.Lem37Cell(4096, 0.15, 0.81), None, "error", r)).statistic for r in (False, True)]
    assert errors == pytest.approx([0.060, 0.276], abs=5e-4)


@pytest.mark.claim("adaptive.thm34")
def test_failure_probability_equals_its_own_sampling():
    # 4 points, far below the theorem's size: means 0, 1/4 and 1 fail, .4^4 + 4 .6 .4^3 + .6^4 = .3088
    cell = median_sims.Thm34Cell(4, 16, 0.6, 0.3, 0.05)
    (case,) = median_sims.evaluate_thm34(cell, None)
    flips = np.arange(cell.m) % 2 == 1
    means = (np.random.default_rng(8).random((4000, cell.n)) < cell.p).mean(1)
    answers, _ = median_sims.median_mechanism(means, flips, cell.tau / 3)
    fails = int((np.abs(answers - np.where(flips, 1 - cell.p, cell.p)).max(1) >= cell.tau).sum())
    assert case.statistic == pytest.approx(0.3088, rel=1e-9)
    assert stats.binomtest(fails, 4000, case.statistic).pvalue > FALSE_FAIL


@pytest.mark.claim("adaptive.thm34")
def test_failure_at_the_certified_size_is_as_measured_before():
    cell = EXPERIMENTS["adaptive.thm34/failure"].ask
    labels = [next(median_sims.evaluate_thm34(cell, None, tested)).label for tested in (True, False)]
    assert labels == ["largest error 0.293", "largest error 0.470"]


# ---------------------------------------------------------------------------------------------------- the reusable holdout


QUICK = {"xla_backend_optimization_level": 1}  # compiles in two thirds of the time


@functools.cache
def _batched(simulate):
    def draw(keys, prepared):
        return jax.lax.map(lambda key: simulate(key, prepared), keys, batch_size=16)

    return jax.jit(draw, compiler_options=QUICK)


def _keys(seed, *shape):
    """Made by NumPy: no compilation."""
    return jax.random.wrap_key_data(np.random.default_rng(seed).integers(0, 2**32, (*shape, 2), np.uint32))


def _draw(simulate, prepared, num_replicates, seed):
    """Host arrays of `num_replicates`, floats in simulator precision."""
    prepared = jax.tree.map(lambda v: np.float32(v) if np.asarray(v).dtype.kind == "f" else v, prepared)
    return jax.tree.map(np.asarray, _batched(simulate)(_keys(seed, num_replicates), prepared))


SMALL = reusable.HoldoutCell(200, 200, 10)
WORLDS = {
    "standard": reusable.PictureCell(SMALL.n, SMALL.d, "standard", False),
    "thresholdout": reusable.PictureCell(SMALL.n, SMALL.d, "thresholdout", False),
    "signal": reusable.PictureCell(SMALL.n, SMALL.d, "thresholdout", True),
    "sums": reusable.PictureCell(SMALL.n, SMALL.d, "standard", False),
}
FEW, SOME, ALL = (reusable.GRID.index(k) for k in (10, 70, 500))


@functools.cache
def _small(sampler, world):
    prepare, simulate = (
        (reusable.prepare_full, reusable.simulate_full) if sampler == "full" else (reusable.prepare_holdout, reusable.simulate_lazy)
    )
    prepared = prepare(WORLDS[world], judged={"holdout": 1.0}, sums=world == "sums")
    return _draw(simulate, prepared, 480, seed=len(world) if sampler == "full" else 77)


def _p_values(first, second):
    """Two-sample Kolmogorov-Smirnov on integer counts, where it is conservative: one p-value a measure."""
    found = {}
    for name in ("train", "holdout", "fresh", "reported"):
        for place in (FEW, SOME, ALL):
            # a reported value with noise is no count: its own rounding does no harm
            a, b = (np.rint(d[name][:, place].astype(float) * SMALL.n) for d in (first, second))
            found[name, place] = stats.ks_2samp(a, b).pvalue
    for name in ("num_kept", "num_released"):
        found[name] = stats.ks_2samp(first[name], second[name]).pvalue
    return found


@pytest.mark.claim("adaptive.fig2")
@pytest.mark.claim("adaptive.fig3")
@pytest.mark.parametrize("world", [pytest.param("standard", marks=pytest.mark.slow), "thresholdout", "signal"])
def test_full_and_lazy_samplers_have_the_same_law(world):
    p = _p_values(_small("full", world), _small("lazy", world))
    assert min(p.values()) > FALSE_FAIL / len(p), p


@pytest.mark.claim("adaptive.fig2")
@pytest.mark.claim("adaptive.fig3")
@pytest.mark.parametrize("world", ["standard", "thresholdout", "signal"])
def test_a_judged_k_has_the_law_of_its_place_on_the_curve(world):
    cell = WORLDS[world]
    prepared = reusable.prepare_holdout(reusable.HoldoutCell(cell.n, cell.d, 70), judged={}, arm=cell.arm, signal=cell.signal)
    one, curve = _draw(reusable.simulate_lazy, prepared, 480, seed=78), _small("lazy", world)
    assert (one["k"] == 70).all()
    p = {
        name: stats.ks_2samp(*(np.rint(a.astype(float) * cell.n) for a in (one[name][:, 0], curve[name][:, SOME]))).pvalue
        for name in reusable.MEASURES
    }
    assert min(p.values()) > FALSE_FAIL / len(p), p


@pytest.mark.claim("adaptive.fig2")
def test_the_same_comparison_tells_weights_as_sums_apart():
    p = _p_values(_small("full", "standard"), _small("lazy", "sums"))
    assert p["holdout", FEW] < FALSE_FAIL / len(p)
    assert p["num_kept"] < FALSE_FAIL / len(p)


@pytest.mark.claim("adaptive.fig2")
@pytest.mark.parametrize("sampler", ["full", "lazy"])
def test_number_of_attributes_kept_is_binomial(sampler):
    kept = _small(sampler, "standard")["num_kept"]
    p = float(expected.fig2_num_selected(1))
    law, edges = stats.binom(SMALL.d, p), np.arange(4, 17)  # at least 5 runs expected in every class, tails pooled
    seen = np.bincount(np.searchsorted(edges, kept, side="left"), minlength=len(edges) + 1)
    wanted = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]])) * len(kept)
    assert wanted.min() > 5
    assert stats.chisquare(seen, wanted).pvalue > FALSE_FAIL
    assert abs(kept.mean() - law.mean()) < Z * law.std() / math.sqrt(len(kept))


@pytest.mark.claim("adaptive.fig2")
def test_row_scores_average_exactly_what_the_weights_say():
    # one group of weight 0: on train and holdout the scores of all rows average 0, so that fewer rows than by chance are off
    n, runs = 5000, 400  # three blocks of rows, the last in part
    rows = _batched(lambda key, num_rows: reusable._row_accuracy(key, jnp.zeros((1, 3)), jnp.ones(1), 1, num_rows))
    share = np.asarray(rows(_keys(4, runs), np.int32(n)), float)[:, :, 0]
    free = 0.25 / n  # variance of the share of positive scores; centring takes away phi(0)^2 / n
    for seen, variance in zip(share.T, (free - 1 / (2 * math.pi * n), free - 1 / (2 * math.pi * n), free), strict=True):
        assert abs(seen.mean() - 0.5) < Z * math.sqrt(variance / runs)
        low, high = stats.chi2.ppf([FALSE_FAIL / 2, 1 - FALSE_FAIL / 2], runs - 1) / (runs - 1)
        assert low < seen.var(ddof=1) / variance < high


@pytest.mark.claim("adaptive.fig2")
@pytest.mark.claim("adaptive.fig4")
@pytest.mark.parametrize("arm", reusable.ARMS)
def test_expected_accuracies_are_those_of_the_published_size(arm):
    n = d = 10_000
    cell = reusable.PictureCell(n, d, arm, False)
    seen = _draw(reusable.simulate_lazy, reusable.prepare_holdout(cell, judged={}), 96, seed=5)
    for place, k in enumerate(seen["k"][0][:-1].astype(int)):  # below E|W|: no run keeps fewer
        if arm == "standard":
            wanted = expected.fig2_train_accuracy(n, d, k), expected.fig2_holdout_accuracy(n, k), 0.5
        else:
            wanted = (*expected.thresholdout_accuracy(n, d, k), 0.5)
        for name, closed_form in zip(("train", "holdout", "fresh"), wanted, strict=True):
            values = seen[name][:, place].astype(float)
            # first order in 1/n: the closed forms leave out terms of that size
            assert abs(values.mean() - closed_form) < Z * values.std(ddof=1) / math.sqrt(len(values)) + 1 / n, (name, k)
    kept, released = (expected.fig2_num_selected(d), d) if arm == "standard" else (3024.0, expected.fig2_num_released(d))
    assert abs(seen["num_kept"].mean() - kept) < Z * math.sqrt(kept / len(values)) + 0.5
    assert abs(seen["num_released"].mean() - released) < Z * math.sqrt(released / len(values))


@pytest.mark.claim("adaptive.fig4")
def test_residual_is_about_one_point_and_not_zero():
    _, holdout = expected.thresholdout_accuracy(10_000, 10_000, 500)
    assert 0.013 < holdout - 0.5 < 0.0145
    train, _ = expected.thresholdout_accuracy(10_000, 10_000, 500)
    assert train == pytest.approx(0.694, abs=5e-4)


def test_weights_as_sums_lose_the_cut():
    # holdout weights of the right sign but of any size: E|v| = sqrt(2/pi)
    seen = _small("lazy", "sums")
    values = seen["holdout"][:, FEW].astype(float)
    closed_form = stats.norm.cdf(math.sqrt(10 / SMALL.n * 2 / math.pi))
    assert abs(values.mean() - closed_form) < Z * values.std() / math.sqrt(len(values)) + 1 / SMALL.n
    assert seen["num_kept"].mean() > SMALL.d / 3


def test_a_cell_without_enough_attributes_uses_all_of_them():
    seen = _small("lazy", "standard")
    few = seen["num_kept"] < 10
    assert few.any()
    assert np.array_equal(seen["holdout"][few, FEW], seen["holdout"][few, ALL])  # k = 10 and k = 500 are the same classifier


def test_standard_arm_reports_the_holdout_itself():
    seen = _small("lazy", "standard")
    assert np.array_equal(seen["reported"], seen["holdout"])
    assert (seen["num_released"] == SMALL.d).all()


# ---------------------------------------------------------------------------------------------------- tables and verdicts


@pytest.mark.parametrize("name", ["adaptive.pmw", "adaptive.mw_updates", "adaptive.lem37", "adaptive.thm34"])
def test_exact_checks_are_supported_and_their_falsifiers_refuted(name, tmp_path):
    summary = _verdicts.judge_claim(CLAIMS[name], _decide.Options(out=tmp_path, preset="smoke"))
    for check in summary["checks"]:
        if check["name"] == "rate":
            assert check["verdict"] == "UNTESTED"
            continue
        assert check["verdict"] == "SUPPORTED", (check["name"], check["reason"])
        assert [f["verdict"] for f in check["falsifiers"]] == ["REFUTED"] * len(check["falsifiers"])


def test_claims_and_experiments_match():
    wanted = {name for claim in CLAIMS.values() for name in claim.experiments()}
    assert wanted == {e.check for e in EXPERIMENTS.values() if not e.exploratory}
    assert {e.claim_id for e in EXPERIMENTS.values()} <= set(CLAIMS)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda e: e.check)
def test_every_cell_is_valid_inside_the_assumptions_and_planned_within_its_budget(experiment):
    check = None if experiment.exploratory else CLAIMS[experiment.claim_id].check(experiment.check_name)
    for preset, cells in experiment.cells.items():
        for cell in cells:
            experiment.validate(cell)
            if check is None:
                continue
            fields = _experiment.cell_fields(cell)
            assert all(_claims.call(a.holds, fields) for a in check.assumptions)
            assert not math.isnan(_claims.call(check.bound, fields))
            options = _decide.Options(out=Path("unused"), preset=preset)
            wrong = [f for f in check.falsifiers if f.kind == "bound"] if experiment.falsifier is None else []
            for falsifier in [None, *wrong] if experiment.simulate is not None else ():
                plan = _decide.plan_of(check, experiment, (cell,), falsifier, options)
                assert plan["max_replicates"] >= 1.2 * plan["p999"], (experiment.check, cell)
    if experiment.ask is not None:
        experiment.validate(experiment.ask)


@pytest.mark.parametrize("preset", ["smoke", "default"])
def test_the_cells_of_a_preset_share_one_program_per_simulator(preset):
    shapes = {}
    for experiment in EXPERIMENTS.values():
        for cell in experiment.cells.get(preset, ()) if experiment.simulate is not None else ():
            leaves, structure = jax.tree.flatten(experiment.prepare(cell))
            shape = (structure, tuple((np.shape(x), np.asarray(x).dtype) for x in leaves), experiment.block, experiment.chunk)
            shapes.setdefault(experiment.simulate, set()).add(shape)
    assert {f.__name__: len(s) for f, s in shapes.items()} == dict.fromkeys((f.__name__ for f in shapes), 1)


def test_broken_premises_are_said():
    few = CLAIMS["adaptive.thm34"].check("failure")
    assert not all(_claims.call(a.holds, {"n": 59_008, "m": 256, "tau": 0.45, "beta": 0.05}) for a in few.assumptions)
    noisy = CLAIMS["adaptive.pmw"].check("updates")
    assert not all(_claims.call(a.holds, {"noise": 0.01}) for a in noisy.assumptions)
    many = CLAIMS["adaptive.fig2"].check("holdout")
    assert not all(_claims.call(a.holds, {"d": 2000, "k": 150}) for a in many.assumptions)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _histogram.mw_updates_bound(64, 0.1, 0.8), "mw_updates_bound: step too large: no KL decrease; step must lie in (0, 8"),
        (lambda: _histogram.mw_updates_bound(64, 0.1, 0.0), "mw_updates_bound: step must lie in (0, 8 threshold) = (0, 0.8), got 0.0."),
        (lambda: _histogram.mw_updates_bound(0, 0.1, 0.1), "mw_updates_bound: universe must be a positive integer, got universe=0."),
        (lambda: _histogram.mw_updates_bound(2**25, 0.1, 0.1), "mw_updates_bound: universe must be at most 2^24, got 33554432."),
        (lambda: _histogram.mw_updates_bound(64, 1.0, 0.1), "mw_updates_bound: threshold must lie in (0, 1), got 1.0."),
        (lambda: _histogram.mw_kl_drop_bound(0.1, 0.1, math.nan), "mw_kl_drop_bound: noise must be finite, got nan."),
        (lambda: _median.median_dataset_size(10, 1.0), "median_dataset_size: alpha must lie in (0, 1), got 1.0."),
        (lambda: _median.lem37_update_bound(2.5, 0.1), "lem37_update_bound: m must be a positive integer, got m=2.5."),
        (lambda: _median.thm34_sample_size(10, 0.0, 0.1), "thm34_sample_size: tau must lie in (0, 1), got 0.0."),
        (lambda: _median.thm34_sample_size(10, 0.1, 0.1, -1), "log2_universe must be finite and >= 0, got -1."),
        (lambda: expected.fig2_holdout_accuracy(0, 5), "fig2_holdout_accuracy: n and k must be positive integers, got n=0."),
        (lambda: expected.fig3_fresh_accuracy(100, 21), "fig3_fresh_accuracy: k must be at most 20, got 21."),
        (lambda: weights.validate_mw(weights.MwCell(1, 0.1, 0.1)), "adaptive.mw_updates: universe must be an integer in 2..2^20, got 1."),
        (lambda: weights.validate_mw(weights.MwCell(64, 0.1, 0.8)), "adaptive.mw_updates: step too large: no KL decrease"),
        (
            lambda: weights.validate_pmw(weights.PmwCell(2**13, 9, 9, 0.1, 0.1, 0.0)),
            "adaptive.pmw: universe must be at most 2^12, got 8192.",
        ),
        (lambda: weights.validate_pmw(weights.PmwCell(64, 0, 9, 0.1, 0.1, 0.0)), "n and m must be positive integers, got n=0, m=9."),
        (lambda: weights.validate_pmw(weights.PmwCell(64, 9, 9, 0.1, 0.1, -1.0)), "noise must be finite and >= 0, got -1.0."),
        (lambda: median_sims.validate_lem37(median_sims.Lem37Cell(1, 0.2, 0.5)), "adaptive.lem37: m must be an integer in 2..10^6, got 1."),
        (lambda: median_sims.validate_lem37(median_sims.Lem37Cell(9, 0.2, 1.5)), "query values must lie in [0, 1], got a sample mean"),
        (lambda: median_sims.validate_lem37(median_sims.Lem37Cell(9, 0.01, 0.5)), "candidates of at most 10^4 elements are allowed"),
        (
            lambda: median_sims.validate_thm34(median_sims.Thm34Cell(0, 9, 0.5, 0.4, 0.1)),
            "n and m must be positive integers, got n=0, m=9.",
        ),
        (
            lambda: median_sims.validate_thm34(median_sims.Thm34Cell(9, 9, 0.5, 1.4, 0.1)),
            "adaptive.thm34: tau must lie in (0, 1), got 1.4.",
        ),
        (lambda: reusable.validate_holdout(reusable.HoldoutCell(0, 9, 1)), "n and d must be positive integers, got n=0, d=9."),
        (lambda: reusable.validate_holdout(reusable.HoldoutCell(9, 9, 10)), "k must be an integer in 1..min(d, 500)=9, got 10."),
        (lambda: reusable.validate_holdout(reusable.SignalCell(99, 99, 1, "ladder")), "arm must be one of standard, thresholdout"),
        (lambda: reusable.validate_holdout(reusable.SignalCell(99, 19, 1, "standard")), "d must be at least 20 with signal, got 19."),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
