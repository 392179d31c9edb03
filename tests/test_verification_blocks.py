"""verification, paired styles and needles: formulas against references and enumeration, samplers against brute force, claims."""

import dataclasses
import functools
import itertools
import json
import math
import re
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims import _decide, _experiment
from sims.verification import _experiments_blocks as blocks
from sims.verification import _needle as needle_sims
from sims.verification import _paired as sims
from theory import _claims
from theory.verification import _balls, _claims_blocks
from theory.verification import _needle as needle
from theory.verification import _paired as theory

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "verification.vectors.json").read_text())
EXPERIMENTS = {e.check: e for e in blocks.EXPERIMENTS}
CLAIMS = {c.id: c for c in _claims_blocks.CLAIMS}


QUICK = {"xla_backend_optimization_level": 1}  # compiles in two thirds of the time
ONCE = {"xla_backend_optimization_level": 0}  # compiles in half the time, for what hardly runs


@functools.cache
def _batched(simulate):
    def blocks_of(keys, prepared):
        return jax.lax.map(lambda block: jax.vmap(simulate, (0, None))(block, prepared), keys)

    return jax.jit(blocks_of, compiler_options=ONCE if simulate is needle_sims.simulate_random_top else QUICK)


def _draw(simulate, prepared, num_replicates, seed):
    """float64 [num_replicates] (or a dict of them); the runner's dtypes.

    The program is compiled once, whatever the number of replicates from 512 on; keys made by NumPy need no compilation.
    """
    _experiment.register(type(prepared))
    prepared = jax.tree.map(lambda v: np.float32(v) if np.asarray(v).dtype.kind == "f" else v, prepared)
    at_once = 32 if num_replicates >= 512 else 4  # blocks of 16
    words = np.random.default_rng(seed).integers(0, 2**32, (num_replicates // (16 * at_once), at_once, 16, 2), np.uint32)
    drawn = [_batched(simulate)(jax.random.wrap_key_data(w), prepared) for w in words]
    return jax.tree.map(lambda *a: np.concatenate([np.asarray(b, np.float64).reshape(-1, *b.shape[2:]) for b in a]), *drawn)


def _same_law(first, second):
    """p-value that two samples of a discrete law with few values agree; rare values are pooled."""
    values = np.unique(np.concatenate([first, second]))
    table = np.array([[np.sum(np.isclose(s, v)) for v in values] for s in (first, second)])
    rare = table.sum(0) < 20
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(1)]) if rare.any() else table
    table = table[:, table.sum(0) > 0]
    return stats.chi2_contingency(table).pvalue if table.shape[1] > 1 else 1.0


def _mean_is(sample, exact):
    """Whether an exact mean lies within the two-sided normal range of a large sample at FALSE_FAIL."""
    return abs(sample.mean() - exact) <= stats.norm.isf(FALSE_FAIL / 2) * sample.std() / math.sqrt(sample.size) + 1e-7


# ------------------------------------------------------------------------------------------------------ reference values


def _needle_ratio(K, q, n, d, H):
    return needle.needle_vb(H, d, q * K / n, K, n) / needle.vb_upper_mean(H, 1 / K, d * math.log(K), n)


def _regime_ratio(n, d, H, K):
    return needle.needle_vb(H, d, K / n, K, n) / needle.needle_vf(H, d, K / n, K, n)


def _each(fn, name):
    return lambda **a: [fn(**{**a, name: v}) for v in a[name]]


FUNCTION_OF = {
    ("prop_vf_ub", "sigma_e"): theory.vf_upper,
    ("thm_vf_lb", "P_err"): theory.p_err,
    ("thm_vf_lb", "lower bound"): theory.vf_lower,
    ("thm_vf_lb", "max over z"): theory.vf_lower_constant,
    ("thm_vf_lb_prob", "P_e"): _each(theory.p_err_one_block, "n"),
    ("prop_vf_const", "tab_mad"): theory.tab_mad,
    ("neg_vf_expectation", "`finite`"): _each(lambda n, d, delta: delta - theory.paired_vf_value(n, d, delta, "finite"), "n"),
    ("neg_vf_expectation", "`argmax`"): lambda n, d, delta: delta - theory.paired_vf_value(n, d, delta, "argmax"),
    ("neg_vf_expectation", "`tab`"): _each(theory.tab_aligned_gap, "n"),
    ("thm_vb_ub", "[(H/c)"): lambda delta, **a: [needle.vb_upper(delta=delta, **a), needle.vb_upper_mean(**a)],
    ("thm_vb_ub_chi2", "H sqrt"): needle.vb_upper_chi2,
    ("S2", "E[min"): lambda n, p, K: float(needle.needle_distinct(n, p, K) @ np.minimum(np.arange(K + 1) + 1, K)),
    ("S2", "mean gaps"): lambda **a: [needle.needle_vb(**a), needle.needle_vf(**a)],
    ("thm_vb_ub", "q_bad"): lambda cells: [needle.needle_missed(*c) for c in cells],
    ("thm_vb_tight", "mean gap"): _needle_ratio,
    ("reg_vf_wins", "VB mean gap"): _each(_regime_ratio, "K"),
    ("reg_anti_fail", "n_half"): _each(needle.needle_half, "K"),
}


def _function_of(vector):
    name = vector["id"].removeprefix("verification.")
    return next((f for (claim, start), f in FUNCTION_OF.items() if claim == name and vector["what"].startswith(start)), None)


MINE = [v for v in VECTORS if _function_of(v) is not None]


@pytest.mark.parametrize("vector", MINE, ids=lambda v: f"{v['id'].split('.')[1]}-{v['what'][:24]}")
def test_formula_equals_its_reference_value(vector):
    np.testing.assert_allclose(_function_of(vector)(**vector["args"]), vector["value"], rtol=max(vector["rtol"], 1e-14))


def test_every_formula_has_a_reference_value():
    assert {id(_function_of(v)) for v in MINE} == {id(f) for f in FUNCTION_OF.values()}


def _enumerated(n, d, delta, learner):
    """(mean aligned gap, mean sup gap) over sigma by all (prompt, style) sequences, b = +1; ties over both outcomes."""
    aligned = sup = 0.0
    for prompts in itertools.product(range(d), repeat=n):
        for styles in itertools.product((1, -1), repeat=n):
            weight = math.prod((1 + s * delta) / 2 for s in styles) / d**n
            for j in range(d):
                lead = sum(s for x, s in zip(prompts, styles, strict=True) if x == j)
                m = prompts.count(j)
                sign = [np.sign(lead)] if lead else [1, -1]
                s_hat = {
                    "tab": [lead / max(m, 1)],
                    "finite": [delta * s for s in sign],
                    "bayes": [delta * math.tanh(lead * math.atanh(delta))],
                    "argmax": sign,
                    "base": [0.0],
                }[learner]
                aligned += weight * float(np.mean([delta - s for s in s_hat])) / d
                sup += weight * float(np.mean([abs(delta - s) for s in s_hat])) / d
    return aligned, sup


@pytest.mark.claim("verification.thm_vf_lb")
@pytest.mark.claim("verification.neg_vf_expectation")
@pytest.mark.parametrize("learner", theory.LEARNERS)
@pytest.mark.parametrize(("n", "d", "delta"), [(3, 2, 0.4), (4, 2, 0.7), (5, 1, 0.3)])
def test_exact_means_equal_enumeration(n, d, delta, learner):
    aligned, sup = _enumerated(n, d, delta, learner)
    assert delta - theory.paired_vf_value(n, d, delta, learner) == pytest.approx(aligned, abs=1e-12)
    assert theory.paired_sup_gap(n, d, delta, learner) == pytest.approx(sup, abs=1e-12)


def test_hand_worked_values():
    # one trace, d = 1, delta = 1/2: wrong with probability 1/4; E|1/2 - s| = 3/4 * 1/2 + 1/4 * 3/2 = 3/4
    assert theory.p_err(1, 1, 0.5) == pytest.approx(1 / 4, rel=1e-12)
    assert theory.tab_mad(1, 1, 0.5) == pytest.approx(3 / 4, rel=1e-12)
    # n = 2, d = 2: P[m = 0, 1, 2] = 1/4, 1/2, 1/4; P_e = 1/2, 1/4, 1/16 + (6/16)/2 = 1/4: 1/8 + 1/8 + 1/16 = 5/16
    assert theory.p_err(2, 2, 0.5) == pytest.approx(5 / 16, rel=1e-12)
    assert theory.tab_mad(7, 1, 1.0) == 0  # an expert without noise
    # two draws of two styles at p = 1: D = 1 with probability 1/2, else 2
    np.testing.assert_allclose(needle.needle_distinct(2, 1.0, 2), [0, 0.5, 0.5], atol=1e-15)
    # K = 2: one style seen tells both, so VB only guesses where nothing was seen, like VF
    assert needle.needle_vb(8, 2, 0.25, 2, 3) == pytest.approx(8 * 2 * 0.25 * 0.75**3 / 2, rel=1e-12)
    assert needle.needle_vf(8, 2, 0.25, 2, 3) == pytest.approx(8 * 2 * 0.25 * 0.75**3 / 2, rel=1e-12)
    assert [needle.needle_half(4, K, "vf") for K in (2, 8, 128)] == [3, 3, 3]  # (3/4)^3 = .42 <= 1/2
    curve = needle.needle_vb_curve(8, 2, 0.25, 3, 5)
    assert curve[0] == pytest.approx(8 * 2 * 0.25 * 2 / 3)
    assert curve[5] == pytest.approx(needle.needle_vb(8, 2, 0.25, 3, 5))
    assert needle.needle_worst(64, 32, 1 / 32, 32, 3840) == pytest.approx(0.7817, abs=5e-5)


@pytest.mark.claim("verification.thm_sep")
def test_gap_of_the_worst_agreeing_verifier_equals_a_search_of_all_verifiers():
    n, d, total = 4, 3, 0.0
    for prompts in itertools.product(range(d), repeat=n):
        agreeing = [b for b in itertools.product((1, -1), repeat=d) if all(b[j] == 1 for j in prompts)]  # the true bits are 1
        total += max(sum(1 - s for s in b) / d for b in agreeing) / d**n  # the best policy for b plays its styles
    assert theory.paired_worst_gap(n, d) == pytest.approx(total, rel=1e-12)
    assert 16 * theory.paired_worst_gap(128, 8) < 1e-6 * needle.vb_upper_mean(32, 0.5, 8 * math.log(2), 128)


@pytest.mark.claim("verification.prop_vf_ub")
def test_upper_bounds_of_the_paired_cells():
    cells = [(256, 8, 64, None), (1024, 16, 64, None), (4096, 16, 128, None), (1024, 16, 64, 0.5)]
    found = []
    for n, d, H, delta in cells:
        delta = math.sqrt(d / n) if delta is None else delta
        found.append(theory.vf_upper(H / 2 * math.sqrt(1 - delta**2), H, d * math.log(2), 0.05, n))
    assert found == pytest.approx([28.5, 16.4, 14.7, 14.78], abs=0.06)
    assert theory.vf_upper_vacuous_below(16 * math.log(2), 0.05) == pytest.approx(131, abs=0.5)
    n = theory.vf_upper_vacuous_below(5.0, 0.2)
    H, u = 10, math.sqrt((5 + math.log(5)) / n)
    assert H / 2 * math.sqrt(12) * u + 4 * H * u**2 == pytest.approx(H, rel=1e-12)


@pytest.mark.claim("verification.thm_vf_lb")
def test_lower_bound_ratios_of_the_learners():
    for n, d, delta, argmax in ((256, 8, 0.133, 15.4), (1024, 16, 0.094, 22.3)):
        ratio = {learner: theory.paired_sup_gap(n, d, delta, learner) / theory.vf_lower(1, n, d, delta) for learner in theory.LEARNERS}
        assert ratio["finite"] == pytest.approx(1, rel=1e-12)
        assert [ratio[k] for k in ("bayes", "tab", "base", "argmax")] == pytest.approx([1.37, 2.35, 2.21, argmax], abs=0.06)
    assert theory.best_delta(1024, 16) == pytest.approx(0.094, abs=1e-4)
    assert theory.vf_lower(1, 64, 4, 0.3, kappa=0.3**2) == theory.vf_lower(1, 64, 4, 0.3)  # on the edge of the ball is inside


@pytest.mark.claim("verification.noisy")
def test_noisy_values_and_break_even_rates():
    values = [theory.noisy_vb_value(128, 8, eta) for eta in (0.0, 0.1, 0.2, 0.3, 0.4)]
    assert values == pytest.approx([1, 0.9997, 0.988, 0.896, 0.576], abs=5e-4)
    for learner in ("tab", "finite", "bayes", "argmax"):
        eta = theory.break_even_flip(128, 8, 0.5, learner)
        assert theory.noisy_vb_value(128, 8, eta) == pytest.approx(theory.paired_vf_value(128, 8, 0.5, learner), abs=1e-9)
    assert theory.break_even_flip(128, 8, 0.5, "argmax") == 0.25
    assert theory.break_even_flip(128, 8, 0.5, "base") == 0.5
    limit = 0.5 - 0.5 * stats.norm.ppf(0.75) * math.sqrt(8 / 2**14)  # 1/2 - z sqrt(d/n)/2, z = Phi^-1((1 + delta)/2)
    assert theory.break_even_flip(2**14, 8, 0.5, "tab") == pytest.approx(limit, abs=2e-4)
    # n -> 2n at delta near 1 and few traces: all labels right is still not better than cloning all seen blocks perfectly
    assert theory.break_even_flip(3, 4, 1.0, "tab") == 0.0


def test_forward_recursion_where_inclusion_exclusion_cancels():
    law = needle.needle_distinct(60, 0.25, 128)
    assert law.min() >= 0
    assert law.sum() == pytest.approx(1, rel=1e-12)
    assert law @ np.arange(129) == pytest.approx(128 * (1 - (1 - 0.25 / 128) ** 60), rel=1e-12)


# --------------------------------------------------------------------------------------------------------------- samplers


def _counts(key, prepared):
    m, agree = sims._agreements(key, prepared.expert, prepared)
    return {"m": m, "agree": agree}


@pytest.mark.parametrize(("n", "d", "delta"), [(40, 4, 0.37), (1100, 16, 0.0), (33, 1, 0.9), (24, 2, 1.0), (40, 5, 0.3)])
def test_block_counts_have_the_multinomial_law(n, d, delta):
    drawn = _draw(_counts, sims.prepare_gap(sims.GapCell(n, d, delta, "tab")), 4096, seed=1)
    m, agree = drawn["m"], drawn["agree"]
    assert (m.sum(1) == n).all()
    assert not m[:, d:].any()
    assert (agree <= m).all()
    rng = np.random.default_rng(2)
    plain_m = rng.multinomial(n, np.full(d, 1 / d), 4096)
    plain = rng.binomial(plain_m, (1 + delta) / 2)
    assert _same_law(m[:, d - 1], plain_m[:, d - 1]) > FALSE_FAIL
    assert _same_law(agree[:, 0], plain[:, 0]) > FALSE_FAIL
    assert _same_law(agree.sum(1), plain.sum(1)) > FALSE_FAIL
    if d > 1:
        assert _same_law(agree[:, 0] - agree[:, 1], plain[:, 0] - plain[:, 1]) > FALSE_FAIL


@pytest.mark.claim("verification.thm_vf_lb")
@pytest.mark.parametrize(("learner", "statistic"), [("argmax", sims.ALIGNED), ("finite", sims.SUP), ("tab", sims.LOST)])
def test_counts_and_traces_have_the_same_law(learner, statistic):
    prepared = sims.prepare_gap(sims.GapCell(20, 4, 0.3, learner), statistic)
    by_counts = _draw(sims.simulate_paired, prepared, 8192, seed=3)["x"]
    by_traces = _draw(sims.simulate_paired_traces, prepared, 8192, seed=4)["x"]
    assert _same_law(np.round(by_counts, 5), np.round(by_traces, 5)) > FALSE_FAIL
    if statistic == sims.LOST:  # the same assertion notices a larger bias
        other = _draw(sims.simulate_paired_traces, sims.prepare_gap(sims.GapCell(20, 4, 0.45, learner), statistic), 8192, seed=5)["x"]
        assert _same_law(by_counts, other) < FALSE_FAIL


@pytest.mark.claim("verification.prop_vf_const")
@pytest.mark.parametrize("learner", theory.LEARNERS)
def test_sampled_gaps_have_the_exact_means(learner):
    for cell in (sims.GapCell(30, 4, 0.5, learner), sims.GapCell(7, 8, 1.0, learner)):
        sup = _draw(sims.simulate_paired, sims.prepare_gap(cell), 8192, seed=6)["x"]
        aligned = _draw(sims.simulate_paired, sims.prepare_gap(cell, sims.ALIGNED), 8192, seed=7)["x"]
        assert _mean_is(sup, theory.paired_sup_gap(cell.n, cell.d, cell.delta, learner))
        assert _mean_is(aligned, cell.delta - theory.paired_vf_value(cell.n, cell.d, cell.delta, learner))


@pytest.mark.claim("verification.thm_vf_lb_prob")
def test_ties_are_lost_or_tossed_as_the_learner_says():
    n, count = 16, 8192
    for learner in ("tab", "finite", "argmax", "base"):
        x = _draw(sims.simulate_paired, sims.prepare_one_block(sims.OneBlockCell(n, learner)), count, seed=8)["x"]
        p = blocks._expect_one_block(n, learner)[0]
        assert stats.binomtest(int(x.sum()), count, p).pvalue > FALSE_FAIL
    assert blocks._expect_one_block(n, "tab")[0] > theory.p_err_one_block(n) + 0.05  # a tie is lost for cloning: no toss


@pytest.mark.claim("verification.noisy")
def test_noisy_majority_equals_a_plain_loop():
    cell = sims.ContestCell(24, 4, 0.5, 0.3)
    ours = _draw(sims.simulate_contest, sims.prepare_contest(cell, sims.VB_VALUE), 8192, seed=9)
    rng = np.random.default_rng(10)
    bits, prompt, style = rng.choice([-1, 1], (4096, 4)), rng.integers(0, 4, (4096, 24)), rng.choice([-1, 1], (4096, 24))
    label = np.take_along_axis(bits, prompt, 1) * style > 0  # the reward is high
    label ^= rng.random((4096, 24)) < cell.flip
    votes = ((prompt[:, None] == np.arange(4)[:, None]) * np.where(label, style, -style)[:, None]).sum(2)  # each label votes for a style
    plain = (bits * np.sign(votes)).mean(1)
    assert _same_law(ours, plain) > FALSE_FAIL
    assert _mean_is(ours, theory.noisy_vb_value(24, 4, 0.3))


@pytest.mark.claim("verification.thm_sep")
def test_lead_of_the_verifier_has_its_exact_mean():
    cell = sims.SeparationCell(32, 128, 16.0, 0.5)
    lead = _draw(sims.simulate_contest, sims.prepare_separation(cell, contest=True), 4096, seed=11)
    assert _mean_is(lead, 16 * 0.5 * theory.paired_vb_value(128, 8))


def _plain_needle(n, d, p, K, H, runs, rng):
    """Gaps of the Bayes learner, cloning, and VB-1's worst verifier, trace by trace: float64 [runs, 3]."""
    gaps = np.zeros((runs, 3))
    for r in range(runs):
        good = rng.integers(0, K, d)
        block = np.floor(rng.random(n) / p).astype(int)
        style = rng.integers(0, K, n)
        expert = np.floor(rng.random(n) / p).astype(int)
        for j in range(d):
            seen = set(style[block == j])
            left = K - len(seen)
            known = good[j] in seen
            gaps[r, 0] += 0 if known else 1 - 1 / left
            gaps[r, 1] += 0 if (expert == j).any() else 1 - 1 / K
            gaps[r, 2] += not known and left > 1
    return H * p * gaps


@pytest.mark.claim("verification.thm_vb_ub")
@pytest.mark.claim("verification.reg_vf_wins")
def test_needle_gaps_equal_a_plain_loop_and_the_closed_forms():
    cell = needle_sims.NeedleCell(60, 4, 0.05, 5, 20)
    ours = _draw(needle_sims.simulate_needle, needle_sims.prepare_needle(cell, needle_sims.WORST), 8192, seed=12)
    plain = _plain_needle(60, 4, 0.05, 5, 20, 2048, np.random.default_rng(13))
    exact = [f(20, 4, 0.05, 5, 60) for f in (needle.needle_vb, needle.needle_vf, needle.needle_worst)]
    for i in range(3):
        assert _same_law(np.round(ours["gaps"][:, i], 4), np.round(plain[:, i], 4)) > FALSE_FAIL
        assert _mean_is(ours["gaps"][:, i], exact[i])
    np.testing.assert_array_equal(ours["x"], ours["gaps"][:, 2])
    cloning = _draw(needle_sims.simulate_cloning, needle_sims.prepare_needle(cell), 1024, seed=14)
    assert _mean_is(cloning, exact[1])


@pytest.mark.claim("verification.thm_vb_ub")
def test_the_bound_without_c_is_exceeded_and_the_bound_is_not():
    main, liar = EXPERIMENTS["verification.thm_vb_ub/tail"], EXPERIMENTS["verification.thm_vb_ub/tail!without-c"]
    (cell,) = liar.cells["default"]
    drawn = _draw(main.simulate, main.prepare(cell), 512, seed=15)
    assert not drawn["x"].any()
    assert not drawn["tie"].any()
    assert main.prepare(cell).threshold == pytest.approx(60.7, abs=0.05)
    assert liar.prepare(cell).threshold == pytest.approx(1.90, abs=0.005)
    hits = int(_draw(liar.simulate, liar.prepare(cell), 512, seed=16)["x"].sum())
    assert stats.binomtest(hits, 512, 0.325).pvalue > FALSE_FAIL  # 1 - (1 - .0122)^32
    assert stats.binomtest(hits, 512, 0.05, alternative="greater").pvalue < FALSE_FAIL


@pytest.mark.claim("verification.reg_anti_fail")
def test_one_geometric_draw_solves_every_budget_with_the_right_probability():
    solved = _draw(needle_sims.simulate_best_of_n, needle_sims.prepare_best_of_n(needle_sims.BestOfNCell(22, 32)), 8192, seed=17)["solved"]
    assert (np.diff(solved, axis=1) >= 0).all()
    for n in (1, 2, 22, 100):
        assert stats.binomtest(int(solved[:, n - 1].sum()), 8192, float(needle.best_of_n(1 / 32, n))).pvalue > FALSE_FAIL


# ------------------------------------------------------------------------------------------------------ verifier classes


def test_top_policy_keeps_exactly_the_highest_rewards_ties_by_index_and_splits_the_last():
    rng = np.random.default_rng(18)
    policy = jax.jit(needle_sims.top_policy, static_argnums=(1, 2), compiler_options=ONCE)
    for H, share in ((3, 1.0), (3, 12.0), (40, 6.3), (0, 5.0), (3, 0.4)):
        keep = math.ceil(share)
        for _ in range(8):
            reward = rng.integers(0, H + 1, 12).astype(np.int32)
            expected = np.zeros(12)
            expected[np.argsort(-reward, kind="stable")[:keep]] = np.append(np.ones(keep - 1), share - keep + 1) / share
            found = policy(jnp.asarray(reward), H, keep, np.float32(share))
            np.testing.assert_allclose(found, expected, rtol=1e-5)
            assert np.asarray(found, np.float64) @ reward == pytest.approx(
                _balls.top_c_value(reward.astype(float), np.full(12, 1 / 12), share / 12), rel=1e-5
            )


def test_a_share_that_is_no_whole_number_of_traces_keeps_a_part_of_the_last():
    for size, keep in ((0.25, 16), (0.3, 20), (1 / 3, 22), (0.01, 1), (1.0, 64)):
        prepared = needle_sims.prepare_random_class(dataclasses.replace(_RANDOM_CELL, size=size))
        assert prepared.keep == keep
        assert prepared.share == pytest.approx(64 * size)


def test_chi2_ball_policy_attains_the_exact_supremum_inside_the_ball():
    rng = np.random.default_rng(19)
    policy = jax.jit(needle_sims.chi2_ball_policy, static_argnums=1, compiler_options=ONCE)
    for kappa in (0.05, 0.25, 1.0, 2.0, 9.0, 30.0):
        for trial in range(8):
            reward = rng.integers(0, 7, 24).astype(np.int32) if trial else np.full(24, 3, np.int32)
            q = np.asarray(policy(jnp.asarray(reward), 9, np.float32(kappa)), np.float64)
            assert 24 * ((q - 1 / 24) ** 2).sum() <= kappa + 1e-4
            best = _balls.sup_chi2(reward.astype(float), np.full(24, 1 / 24), kappa)
            assert q @ reward == pytest.approx(best, abs=1e-4)


@pytest.mark.claim("verification.thm_vb_ub")
@pytest.mark.claim("verification.thm_vb_ub_chi2")
def test_random_classes_stay_below_the_bounds_and_above_the_wrong_ones():
    settings = [("thm_vb_ub/random_class", "a-tenth", 7.88, 128), ("thm_vb_ub_chi2/tail", "a-sixtieth", 8.88, 64)]
    for name, liar, bound, count in settings:
        experiment = EXPERIMENTS[f"verification.{name}"]
        cell = experiment.cells["default"][0]
        prepared, wrong = experiment.prepare(cell), EXPERIMENTS[f"verification.{name}!{liar}"].prepare(cell)
        assert prepared.threshold == pytest.approx(bound, abs=0.005)
        drawn = _draw(experiment.simulate, prepared, count, seed=20)
        assert (drawn["gap"] >= -1e-5).all()
        assert not drawn["x"].any()
        hits = int((drawn["gap"] > wrong.threshold).sum())
        assert stats.binomtest(hits, count, 0.05, alternative="greater").pvalue < FALSE_FAIL


def test_the_true_verifier_always_agrees_and_a_wrong_one_differs_on_at_most_four_traces():
    prepared = needle_sims.prepare_random_class(needle_sims.RandomClassCell(30, 64, 32, 32, 0.25))
    _experiment.register(type(prepared))
    truth, rewards, agrees = jax.jit(needle_sims._random_class, compiler_options=ONCE)(jax.random.key(21), prepared)
    assert bool(agrees[0])
    np.testing.assert_array_equal(rewards[0], truth)
    differing = np.asarray((rewards != truth[None]).sum(1))
    assert differing.max() <= 4
    assert differing[1:].mean() > 1.5


# ---------------------------------------------------------------------------------------------------- tables and errors


def test_claims_and_experiments_match():
    wanted = sorted(name for claim in _claims_blocks.CLAIMS for name in claim.experiments())
    assert wanted == sorted(name for name, e in EXPERIMENTS.items() if not e.exploratory)
    assert {e.claim_id for e in EXPERIMENTS.values()} == set(CLAIMS)


JUDGED = [e for e in blocks.EXPERIMENTS if not e.exploratory]


@pytest.mark.parametrize("experiment", blocks.EXPERIMENTS, ids=lambda e: e.check)
def test_every_cell_is_valid_and_can_be_prepared(experiment):
    for cells in experiment.cells.values():
        for cell in cells:
            experiment.validate(cell)
            if experiment.prepare is not None:
                experiment.prepare(cell)
    if experiment.ask is not None:
        experiment.validate(experiment.ask)


@pytest.mark.parametrize("experiment", JUDGED, ids=lambda e: e.check)
def test_every_falsifier_names_a_cell_and_no_bound_is_undefined(experiment):
    check = CLAIMS[experiment.claim_id].check(experiment.check_name)
    for preset, cells in experiment.cells.items():
        fields = [_experiment.cell_fields(c) for c in cells]
        assert not any(math.isnan(_claims.call(check.bound, f)) for f in fields)
        for falsifier in check.falsifiers if experiment.falsifier is None else ():
            if falsifier.kind == "bound" and falsifier.where is not None:
                assert any(_claims.call(falsifier.where, f) for f in fields), (preset, falsifier.name)


@pytest.mark.parametrize("experiment", [e for e in JUDGED if e.simulate is not None], ids=lambda e: e.check)
def test_every_decision_of_the_default_preset_is_planned_with_room(experiment):
    check = CLAIMS[experiment.claim_id].check(experiment.check_name)
    options = _decide.Options(out=Path(), preset="default")
    cells = experiment.cells["default"]
    for group in [cells] if check.relation is _claims.Relation.RATE else [[c] for c in cells]:
        fields = _experiment.cell_fields(group[0])
        wrong = [f for f in check.falsifiers if f.kind == "bound" and (f.where is None or _claims.call(f.where, fields))]
        for falsifier in [None, *(wrong if experiment.falsifier is None else [])]:
            plan = _decide.plan_of(check, experiment, group, falsifier, options)
            assert "p999" not in plan or 1.2 * plan["p999"] <= plan["max_replicates"], (fields, falsifier)


@pytest.mark.claim("verification.prop_vf_ub")
def test_cells_whose_bound_exceeds_the_largest_gap_of_the_class_are_vacuous():
    check = CLAIMS["verification.prop_vf_ub"].check("tail")
    trivial = [
        _claims.call(check.trivial, _experiment.cell_fields(c)) for c in EXPERIMENTS["verification.prop_vf_ub/tail"].cells["default"]
    ]
    assert trivial == [0.0, 0.0, 0.0, 1.0, 1.0]
    # random classes: bounds of 31.9 and 18.5, above the largest gaps, 24 and 18 of 32
    for name, few in (("thm_vb_ub/random_class", 37), ("thm_vb_ub_chi2/tail", 110)):
        experiment = EXPERIMENTS[f"verification.{name}"]
        says, fields = CLAIMS[experiment.claim_id].check(experiment.check_name).trivial, vars(experiment.cells["default"][0])
        assert [_claims.call(says, {**fields, "n": n}) for n in (fields["n"], few)] == [1.0, 0.0]
    needle_check = CLAIMS["verification.thm_vb_ub"].check("tail")
    withdrawn = [(200, 8, 0.02, 4, 64), (400, 16, 0.02, 8, 64), (100, 4, 0.04, 4, 256)]
    for cell in withdrawn:  # they could not fail
        assert _claims.call(needle_check.trivial, _experiment.cell_fields(needle_sims.NeedleCell(*cell))) == 0.0
        assert not needle.needle_informative(cell[0], cell[1], cell[2], cell[3])
    for cell in EXPERIMENTS["verification.thm_vb_ub/tail"].cells["default"]:
        assert _claims.call(needle_check.trivial, _experiment.cell_fields(cell)) == 1.0
        assert needle.needle_informative(cell.n, cell.d, cell.p, cell.K)


def _exact_rows(experiment):
    check = CLAIMS[experiment.claim_id].check(experiment.check_name)
    for cell in experiment.cells["default"]:
        decision = _decide.Decision(
            check, experiment, [cell], _decide.Options(out=Path(), preset="default"),
            [f for f in check.falsifiers if f.kind == "bound"] if experiment.falsifier is None else [],
        )  # fmt: skip
        yield from decision.rows(0)


@pytest.mark.claim("verification.thm_vb_tight")
@pytest.mark.claim("verification.reg_anti_fail")
@pytest.mark.parametrize("experiment", [e for e in JUDGED if e.evaluate is not None], ids=lambda e: e.check)
def test_exact_checks_hold_and_their_falsifiers_do_not(experiment):
    for falsifier, row in _exact_rows(experiment):
        lies = falsifier is not None or experiment.falsifier is not None
        assert row.verdict == ("REFUTED" if lies else "SUPPORTED")


@pytest.mark.claim("verification.thm_sep")
def test_exact_slopes_of_the_separation():
    found = {}
    for name, experiment in EXPERIMENTS.items():
        if name.startswith("verification.thm_sep/") and experiment.simulate is not None and experiment.falsifier is None:
            check = CLAIMS["verification.thm_sep"].check(experiment.check_name)
            cells = experiment.cells["default"]
            law = [_claims.call(check.bound, _experiment.cell_fields(c)) for c in cells]
            found[experiment.check_name] = np.polyfit(np.log([c.H for c in cells]), np.log(law), 1)[0]
            assert check.margin[0] < found[experiment.check_name] < check.margin[1]
            assert found[experiment.check_name] == pytest.approx(experiment.expected()[0], abs=1e-3)
    assert [found[f"vf_{s}_grown"] for s in ("linear", "root", "constant")] == pytest.approx([0.493, -0.007, -0.507], abs=5e-4)
    assert [found[f"lead_{s}_fixed"] for s in ("linear", "root", "constant")] == pytest.approx([1, 0.5, 0], abs=1e-6)
    assert found["lead_near_optimal"] == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("preset", ["smoke", "default"])
def test_the_cells_of_a_preset_share_one_program_per_simulator(preset):
    shapes = {}
    for experiment in blocks.EXPERIMENTS:
        for cell in experiment.cells.get(preset, ()) if experiment.simulate is not None else ():
            prepared = experiment.prepare(cell)
            _experiment.register(type(prepared))
            leaves, structure = jax.tree.flatten(prepared)
            shapes.setdefault(experiment.simulate, set()).add((structure, tuple(np.shape(x) for x in leaves), experiment.block))
    assert {f.__name__: len(s) for f, s in shapes.items()} == dict.fromkeys((f.__name__ for f in shapes), 1)


def test_no_anti_concentration_gives_an_infinite_bound_and_a_warning():
    for call in (lambda: needle.vb_upper(64, 0.0, 5.0, 0.05, 100), lambda: needle.vb_upper_mean(64, 0, 5.0, 100)):
        with pytest.warns(RuntimeWarning, match=re.escape("anti-concentration fails (c=0): bound is vacuous")):
            assert call() == math.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert needle.vb_upper_chi2(64, 1.0, 5.0, 0.05, 100) < math.inf


_NEEDLE_CELL = needle_sims.NeedleCell(100, 4, 0.04, 4, 256)
_RANDOM_CELL = needle_sims.RandomClassCell(150, 64, 512, 32, 0.25)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.p_err(0, 4, 0.5), "p_err: n must be a positive integer, got 0."),
        (lambda: theory.p_err(4, 2.5, 0.5), "p_err: d must be a positive integer, got 2.5."),
        (lambda: theory.p_err(4, 2, math.nan), "p_err: delta must lie in [0, 1], got nan."),
        (lambda: theory.tab_mad(4, 2, 1.5), "tab_mad: delta must lie in [0, 1], got 1.5."),
        (
            lambda: theory.vf_lower(1, 64, 4, 0.5, kappa=0.2),
            "vf_lower: expert leaves the chi-square ball: delta^2 must be at most kappa=0.2",
        ),
        (
            lambda: theory.p_err_one_block(4, kappa=0.2),
            "expert leaves the chi-square ball: delta^2 must be at most kappa=0.2, got delta=0.5.",
        ),
        (lambda: theory.vf_lower(1, 64, 4, 0.5, kappa=-1), "vf_lower: kappa must be finite and >= 0, got -1."),
        (
            lambda: needle_sims.validate_random_class(dataclasses.replace(_RANDOM_CELL, size=1.5), top=True),
            "size must lie in (0, 1], got 1.5.",
        ),
        (lambda: theory.vf_lower(-1, 4, 2, 0.5), "vf_lower: sigma must be finite and >= 0, got -1."),
        (lambda: theory.vf_upper(1, 1, 1, 0.0, 5), "vf_upper: delta must lie in (0, 1), got 0.0."),
        (lambda: theory.vf_upper(1, math.inf, 1, 0.1, 5), "vf_upper: B must be finite and >= 0, got inf."),
        (lambda: theory.paired_sup_gap(4, 2, 0.5, "mean"), "learner must be one of tab, finite, bayes, argmax, base, got 'mean'."),
        (lambda: theory.noisy_vb_value(4, 2, 0.6), "noisy_vb_value: flip must lie in [0, 1/2], got 0.6."),
        (lambda: theory.p_err_one_block(0), "p_err_one_block: n must be a positive integer, got 0."),
        (lambda: needle.vb_upper(0, 0.5, 1, 0.1, 5), "vb_upper: H must be a positive integer, got 0."),
        (lambda: needle.vb_upper(4, 1.5, 1, 0.1, 5), "vb_upper: c must lie in (0, 1], got 1.5."),
        (lambda: needle.vb_upper_chi2(4, -1, 1, 0.1, 5), "vb_upper_chi2: kappa must be finite and >= 0, got -1."),
        (lambda: needle.needle_vb(4, 3, 0.4, 2, 5), "needle_vb: block mass d*p exceeds 1, got d=3, p=0.4."),
        (lambda: needle.needle_vb(4, 2, 0.4, 1, 5), "needle_vb: K must be an integer >= 2, got 1."),
        (lambda: needle.needle_vf(4, 2, 0.4, 2, 0), "needle_vf: n must be a positive integer, got 0."),
        (lambda: needle.needle_half(4, 8, "vx"), "needle_half: learner must be vb or vf, got 'vx'."),
        (lambda: needle.best_of_n(0.0, 5), "best_of_n: c must lie in (0, 1], got 0.0."),
        (lambda: sims.validate_gap(sims.GapCell(0, 4, 0.5, "tab")), "verification.paired: n must be a positive integer, got 0."),
        (lambda: sims.validate_gap(sims.GapCell(8, 4, 1.5, "tab")), "delta must lie in [0, 1], got 1.5."),
        (lambda: sims.validate_gap(sims.GapCell(8, 4, 0.5, "mle")), "learner must be one of tab, finite, bayes, argmax, base, got 'mle'."),
        (lambda: sims.validate_gap(sims.GapCell(8, 2048, 0.5, "tab")), "d must be at most 1024, got 2048."),
        (lambda: sims.validate_gap(sims.GapCell(2**27, 8, 0.5, "tab")), "n must be at most 2^26, got 134217728."),
        (lambda: sims.validate_upper(sims.UpperCell(8, 4, 0, 0.5, 0.05)), "verification.prop_vf_ub: H must be a positive integer, got 0."),
        (lambda: sims.validate_upper(sims.UpperCell(8, 4, 8, 0.5, 1.0)), "conf must lie in (0, 1), got 1.0."),
        (lambda: sims.validate_one_block(sims.OneBlockCell(0, "tab")), "thm_vf_lb_prob: n must be a positive integer, got 0."),
        (lambda: sims.validate_separation(sims.SeparationCell(8, 32, 5.0, 0.5)), "sigma must lie in (0, H/2]"),
        (lambda: sims.validate_contest(sims.ContestCell(8, 4, 0.5, 0.7)), "verification.noisy: flip must lie in [0, 1/2], got 0.7."),
        (lambda: needle_sims.validate_needle(dataclasses.replace(_NEEDLE_CELL, p=0.3)), "block mass d*p exceeds 1, got d=4, p=0.3."),
        (lambda: needle_sims.validate_needle(dataclasses.replace(_NEEDLE_CELL, K=1)), "K must be an integer >= 2, got 1."),
        (lambda: needle_sims.validate_needle(dataclasses.replace(_NEEDLE_CELL, conf=0.0)), "conf must lie in (0, 1), got 0.0."),
        (lambda: needle_sims.validate_needle(dataclasses.replace(_NEEDLE_CELL, K=2**20)), "d*K must be at most 2^20"),
        (lambda: needle_sims.validate_random_class(dataclasses.replace(_RANDOM_CELL, size=0.0)), "size must be finite and > 0, got 0.0."),
        (lambda: needle_sims.validate_random_class(dataclasses.replace(_RANDOM_CELL, traces=1)), "traces must be an integer >= 2, got 1."),
        (lambda: needle_sims.validate_best_of_n(needle_sims.BestOfNCell(0, 4)), "verification.best_of_n: n must be a positive integer"),
        (lambda: needle_sims.validate_anti(needle_sims.AntiCell(4, 8, 12)), "d K 4^steps must be at most 2^14"),
        (lambda: needle_sims.validate_slope(needle_sims.SlopeCell(128, 8, 64, 4, 1)), "doublings must be an integer >= 2, got 1."),
        (lambda: needle_sims.validate_tight(needle_sims.TightCell(128, 8, 64, 4, 0.0)), "q must be finite and > 0, got 0.0."),
        (lambda: needle_sims.validate_ratio(needle_sims.RatioCell(8, 8, 64, 4)), "block mass d*p exceeds 1, got d=8, p=0.5."),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
