"""verification, learned policies: values against enumeration, gradients against the policy-gradient theorem, runs and lying worlds."""

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

from sims.verification import _experiments_learned, _learned
from sims.verification._learned import BATCH, PolicyCell
from theory.verification import _claims_learned, _planted
from theory.verification import _learned as theory

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right
VECTORS = json.loads((Path(__file__).parent / "data" / "verification.vectors.json").read_text())
EXPERIMENTS = {e.check.removeprefix("verification.emp_planted/"): e for e in _experiments_learned.EXPERIMENTS}
DEAD, HET, HOM = "1+64", "4+64", "64"
SMALL = PolicyCell(DEAD, 16)
NUM_RUNS = 32

pytestmark = pytest.mark.claim("verification.emp_planted")


def _prepared(cell, **world):
    """What simulators receive: floats in float32."""
    prepared = _learned.prepare_policy(cell, **world)
    return jax.tree.map(lambda v: np.asarray(v, np.float32 if np.asarray(v).dtype.kind == "f" else None), prepared)


def _world(cell):
    return (*_planted.base_of(cell.base), cell.V, cell.k, cell.H)


QUICK = {"xla_backend_optimization_level": 1}  # compiles in half the time
_values = jax.jit(_learned.policy_values, compiler_options=QUICK)
_rollout = jax.jit(_learned.rollout, compiler_options=QUICK)


def _keys(seed, count):
    """Made by NumPy: no compilation."""
    return jax.random.wrap_key_data(np.random.default_rng(seed).integers(0, 2**32, (count, 2), np.uint32))


@functools.cache
def _train():
    def train(keys, prepared):
        return jax.lax.map(lambda key: _learned.simulate_policy(key, prepared), keys, batch_size=16)

    return jax.jit(train, compiler_options=QUICK)


def _runs(cell, seed=0, num_runs=NUM_RUNS, **world):
    drawn = _train()(_keys(seed, num_runs), _prepared(cell, **world))
    return {name: np.asarray(a, np.float64) for name, a in drawn.items()}


# ------------------------------------------------------------------------------------------------------ closed forms


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["id"] == "verification.emp_planted"], ids=lambda v: f"{v['args']['base']}-{v['args']['H']}"
)
def test_values_of_base_and_expert_equal_their_reference_values(vector):
    a = vector["args"]
    world = (a["gammas"], a["weights"], 16, 3, a["H"])
    np.testing.assert_allclose([theory.base_value(*world), theory.expert_value(*world, 0.25)], vector["value"], rtol=vector["rtol"])


def test_expert_lies_on_the_chi_square_sphere_and_is_worth_a_standard_deviation_per_root_kappa():
    # means 2 and 6, equal weights: mu = 4, sd = 2; kappa = 1/4 tilts by 1 -+ 1/2: weights 1/4, 3/4, value 5 = mu + sd/2
    np.testing.assert_allclose(theory.expert_weights([2, 6], [0.5, 0.5], 0.25), [0.25, 0.75], rtol=1e-12)
    means, weights, kappa = np.array([1.0, 4.0, 9.0]), np.array([0.5, 0.3, 0.2]), 0.3
    tilted = theory.expert_weights(means, weights, kappa)
    mu = weights @ means
    assert tilted.sum() == pytest.approx(1, rel=1e-12)
    assert ((tilted - weights) ** 2 / weights).sum() == pytest.approx(kappa, rel=1e-12)
    assert tilted @ means == pytest.approx(mu + math.sqrt(kappa * (weights @ (means - mu) ** 2)), rel=1e-12)


def test_expert_of_a_base_with_equal_styles_is_the_base():
    np.testing.assert_array_equal(theory.expert_weights([3, 3], [0.5, 0.5], 0.25), [0.5, 0.5])
    world = _world(PolicyCell(HOM, 16))
    assert theory.expert_value(*world, 0.25) == theory.base_value(*world)


def test_visits_to_a_row_follow_from_the_law_of_the_solving_time():
    gammas, weights, V, k, H = (2.0, 9.0), (0.4, 0.6), 5, 2, 7
    steps = [np.sum(1 - _planted.solve_cdf(g, V, k, H)[:-1]) for g in gammas]  # E min(T, H) = sum over h < H of P(T > h)
    np.testing.assert_allclose(theory.row_visits(gammas, weights, V, k, H, 30), 30 / V * np.multiply(weights, steps), rtol=1e-12)


def test_predicted_value_of_the_clone_rises_to_the_experts():
    for base in (DEAD, HET, HOM):
        world = _world(PolicyCell(base, 16))
        expert = theory.expert_value(*world, 0.25)
        gaps = [expert - theory.cloned_value(*world, 0.25, BATCH * 4**j) for j in range(6)]
        assert all(a > b > 0 for a, b in itertools.pairwise(gaps))
        assert gaps[-2] / gaps[-1] == pytest.approx(4, rel=0.01)  # of order 1/n


# ------------------------------------------------------------------------------- exact values against enumeration


@pytest.mark.parametrize(("H", "value"), [(16, 6.618), (64, 36.878)])
def test_value_of_the_base_weights_equals_the_mixture_law(H, value):
    cell = PolicyCell(HET, H)
    prepared = _prepared(cell)
    both = np.stack([prepared.base_styles, prepared.expert_styles]), np.stack([prepared.base_tokens] * 2)
    exact = [theory.base_value(*_world(cell)), theory.expert_value(*_world(cell), cell.kappa)]
    assert exact[0] == pytest.approx(value, abs=5e-4)
    np.testing.assert_allclose(_values(*both, prepared), exact, rtol=1e-5)


def _progress(trace, gold):
    return next(q for q in range(len(gold), -1, -1) if trace[len(trace) - q :] == gold[:q])


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _enumerated_value(styles, tokens, prepared):
    """J by writing out every trace of every style on every prompt."""
    V, k, H = prepared.V, prepared.k, int(prepared.H)
    share, probs, total = _softmax(np.float64(styles)), _softmax(np.float64(tokens)), 0.0
    for prompt in np.asarray(prepared.prompts):
        gold = tuple(prepared.gold_of[prompt])
        for style, trace in itertools.product(range(len(share)), itertools.product(range(V), repeat=H)):
            p, reward = share[style], 0
            for h, token in enumerate(trace):
                q = k if reward else _progress(trace[:h], gold)
                p *= 1 / V if reward else probs[style, prompt[q], token]  # after the solution any token will do
                reward += bool(reward) or _progress(trace[: h + 1], gold) == k
            total += p * reward
    return total / len(prepared.prompts)


def _random_policy(V, seed=0):
    rng = np.random.default_rng(seed)
    return np.float32(rng.normal(size=2)), np.float32(rng.normal(size=(2, V, V)))


def _tiny(V=3, k=2, H=5):
    """A cell small enough to enumerate, valued on all its prompts."""
    prompts = np.int32(list(itertools.permutations(range(V), k)))
    return dataclasses.replace(_prepared(PolicyCell("1+4", H, BATCH, V=V, k=k)), prompts=prompts)


@pytest.mark.parametrize(("V", "k", "H"), [(3, 2, 5), (2, 1, 4), (3, 3, 5)])
def test_value_of_any_policy_equals_enumeration_of_all_traces(V, k, H):
    prepared, (styles, tokens) = _tiny(V, k, H), _random_policy(V)
    value = _values(styles[None], tokens[None], prepared)
    np.testing.assert_allclose(value, [_enumerated_value(styles, tokens, prepared)], rtol=1e-5)


# -------------------------------------------------------------------------------- traces, counts, the clone, gradients


@functools.cache
def _batch():
    """One batch of two policies, and the uniforms that it was made of."""
    prepared = _prepared(PolicyCell(DEAD, 12, V=5, k=3))
    policies = [_random_policy(5, seed) for seed in (1, 2)]
    styles, tokens = (np.stack([p[i] for p in policies]) for i in (0, 1))
    (key,) = _keys(3, 1)
    uniforms = np.random.default_rng(4).random((4, BATCH), np.float32)
    drawn = _rollout(key, uniforms, styles, tokens, prepared)

    @jax.jit
    def letter(key, h):
        return jax.random.uniform(jax.random.fold_in(key, h), (BATCH,), jnp.float32)

    # the same draws on purpose: the second path is fed the uniforms of the first
    letters = [letter(jax.random.clone(key), np.int32(h)) for h in range(12)]
    return prepared, policies, uniforms, np.asarray(letters), [np.asarray(a) for a in drawn]


def test_traces_equal_those_written_one_by_one_from_the_same_uniforms():
    prepared, policies, uniforms, letters, (prompt, style, reward, counts) = _batch()
    assert all(len(set(x)) == 3 for x in prompt.T)
    for p, (styles, tokens) in enumerate(policies):
        edges, wheels = np.cumsum(_softmax(styles)), np.cumsum(_softmax(tokens), -1)
        for i in range(BATCH):
            z = int(uniforms[3, i] >= edges[0])
            gold, trace, seen, solved = tuple(prepared.gold_of[prompt[:, i]]), (), np.zeros((3, 5)), 0
            for u in letters[:, i]:
                q = 3 if solved else _progress(trace, gold)
                if q < 3:
                    token = min(4, int(np.sum(u >= wheels[z, prompt[q, i]])))
                    seen[q, token] += 1
                    trace = (*trace, token)
                solved += bool(solved) or _progress(trace, gold) == 3
            assert (z, solved) == (style[p, i], reward[p, i])
            np.testing.assert_array_equal(seen, counts[p, :, :, i])


def test_counts_and_the_clone_equal_explicit_counting():
    prepared, _, _, _, (prompt, style, _, counts) = _batch()
    weights = np.random.default_rng(5).normal(size=BATCH).astype(np.float32)
    expected, chosen = np.zeros((2, 5, 5)), np.zeros(2)
    for i in range(BATCH):
        chosen[style[0, i]] += weights[i]
        for q in range(3):
            expected[style[0, i], prompt[q, i]] += weights[i] * counts[0, q, :, i]
    styles, tokens = jax.jit(_learned.tally, static_argnums=4)(weights, prompt, style[0], counts[0], prepared.V)
    np.testing.assert_allclose(styles, chosen, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tokens, expected, rtol=1e-5, atol=1e-4)


def test_prompts_are_uniform_over_ordered_tuples_of_distinct_tokens():
    uniforms = np.random.default_rng(6).random((3, 64_000), np.float32)
    prompts = np.asarray(jax.jit(_learned._prompts_of, static_argnums=1)(uniforms, 4))
    seen = np.bincount(np.ravel_multi_index(prompts, (4, 4, 4)), minlength=64)
    possible = [np.ravel_multi_index(p, (4, 4, 4)) for p in itertools.permutations(range(4), 3)]
    assert seen[possible].sum() == 64_000
    assert stats.chisquare(seen[possible]).pvalue > FALSE_FAIL


@jax.jit(compiler_options=QUICK)
def _draw_gradients(keys, policy, prepared):
    def gradient(key):
        key_batch, key_tokens = jax.random.split(key)
        uniforms = jax.random.uniform(key_batch, (4, BATCH), jnp.float32)
        styles, tokens = (a[None] for a in policy)
        prompt, style, reward, counts = _learned.rollout(key_tokens, uniforms[1:], styles, tokens, prepared)
        given = _learned._annotate(uniforms[0], reward[0], prepared)
        weights = (given - jnp.mean(given)) / prepared.H.astype(jnp.float32)
        found = jax.grad(_learned.reinforce_loss)(policy, _learned.tally(weights, prompt, style[0], counts[0], 3))
        return jnp.concatenate([found[0], found[1].ravel()])

    return jax.lax.map(gradient, keys, batch_size=500)


@functools.cache
def _gradients(shuffled):
    """Gradients of the loss on 8000 batches, flattened: float64 [8000, parameters]; the policy; the tiny world."""
    prepared = dataclasses.replace(_tiny(H=4), shuffled=np.float32(shuffled))
    policy = _random_policy(3, seed=7)
    return np.asarray(_draw_gradients(_keys(8, 8_000), policy, prepared), np.float64), policy, prepared


def _largest_z(gradients, expected):
    return np.max(np.abs(gradients.mean(0) - expected) / (gradients.std(0) / math.sqrt(len(gradients))))


def _limit(num):
    return stats.norm.isf(FALSE_FAIL / (2 * num))


def test_expected_gradient_is_that_of_the_policy_gradient_theorem():
    gradients, policy, prepared = _gradients(shuffled=False)

    def value(policy, prepared):
        return _learned.policy_values(policy[0][None], policy[1][None], prepared)[0]

    exact = jax.jit(jax.jacfwd(value), compiler_options=QUICK)(policy, prepared)
    # the batch mean contains a trace's own reward: a factor 1 - 1/BATCH; rewards are divided by H
    expected = -(1 - 1 / BATCH) / 4 * np.concatenate([np.asarray(exact[0]), np.asarray(exact[1]).ravel()])
    assert _largest_z(gradients, expected) < _limit(expected.size)
    assert _largest_z(gradients, 1.1 * expected) > _limit(expected.size)  # ten per cent more would be seen


def test_shuffled_rewards_leave_no_expected_gradient():
    gradients, _, _ = _gradients(shuffled=True)
    assert _largest_z(gradients, 0.0) < _limit(gradients.shape[1])
    assert gradients.std() > 0  # what is left is noise, which Adam normalises to full steps


# ---------------------------------------------------------------------------------------------------- training runs


def test_rewards_beat_cloning_at_the_last_budget_and_not_at_the_first():
    runs = _runs(SMALL)
    assert np.all(runs["vb"][:, 2:] > runs["vf"][:, 2:])  # n >= 512
    assert np.sum(runs["vb"][:, 0] < runs["vf"][:, 0]) > NUM_RUNS / 2
    # chance of a first-update win: .088 of 2048 runs; more than half of 32 has probability below 1e-9
    expert = theory.expert_value(*_world(SMALL), SMALL.kappa)
    error = runs["vf"][:, -1].std() / math.sqrt(NUM_RUNS)
    assert abs(runs["vf"][:, -1].mean() - expert) < 6 * error + 0.03  # smoothing: .015
    assert runs["x"] == pytest.approx(runs["vb"][:, -1] - runs["vf"][:, -1], abs=1e-5)


def test_zero_reward_leaves_the_policy_unchanged_exactly():
    runs, prepared = _runs(SMALL, reward="zero"), _prepared(SMALL)
    start = _values(np.stack([prepared.base_styles] * 2), np.stack([prepared.base_tokens] * 2), prepared)
    assert len(np.unique(runs["vb"])) == 1
    np.testing.assert_allclose(runs["vb"][0, 0], start[0], rtol=1e-6)
    np.testing.assert_allclose(runs["vb"][0, 0], theory.base_value(*_world(SMALL)), rtol=1e-6)


def test_shuffled_reward_drifts_and_rarely_beats_the_clone():
    runs = _runs(SMALL, reward="shuffled")
    assert runs["vb"][:, -1].std() > 1  # .008 with true rewards
    violations = int(np.sum(runs["vb"][:, -1] <= runs["vf"][:, -1]))
    assert stats.binomtest(violations, NUM_RUNS, 0.25, alternative="greater").pvalue < FALSE_FAIL


def test_cloning_the_base_is_worth_the_base():
    runs = _runs(SMALL, expert="base")
    assert abs(runs["vf"][:, -1].mean() - theory.base_value(*_world(SMALL))) < 0.3
    assert np.all(runs["vb"][:, 0] > runs["vf"][:, 0])


def test_all_cells_and_worlds_share_one_program():
    for cell, world in (
        (SMALL, {}),
        (PolicyCell(HOM, 64, BATCH), {"reward": "shuffled"}),
        (PolicyCell(HET, 8, lr=0.1), {"expert": "base"}),
    ):
        _runs(cell, **world)
    assert _train()._cache_size() == 1


def test_a_budget_of_one_update_is_repeated_along_the_curve():
    runs, longer = _runs(PolicyCell(DEAD, 16, BATCH)), _runs(SMALL)
    np.testing.assert_array_equal(runs["vf"], np.repeat(runs["vf"][:, :1], 5, 1))
    np.testing.assert_array_equal(runs["vb"][:, 0], longer["vb"][:, 0])


def test_a_padded_style_is_never_written():
    prepared = _prepared(PolicyCell(HOM, 12, V=5, k=3))
    uniforms = np.full((4, BATCH), np.nextafter(np.float32(1), np.float32(0)))
    (key,) = _keys(9, 1)
    _, style, _, _ = _rollout(key, uniforms, np.stack([prepared.base_styles] * 2), np.stack([prepared.base_tokens] * 2), prepared)
    assert int(style.max()) == 0
    assert np.all(np.isfinite(_runs(PolicyCell(HOM, 16))["vb"]))


def test_the_homogeneous_lead_is_the_room_above_the_expert():
    runs = _runs(PolicyCell(HOM, 32))
    room = 32 - 2 - theory.expert_value(*_world(PolicyCell(HOM, 32)), 0.25)
    assert room == pytest.approx(1.596, abs=1e-3)
    assert runs["x"].mean() == pytest.approx(room, rel=0.1)


# --------------------------------------------------------------------------------------------- bad input, the claim


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kappa": 1.5}, "kappa too large for a linear tilt: it must be at most 1, got 1.5"),
        ({"kappa": -0.1}, "kappa must be finite and >= 0"),
        ({"kappa": math.nan}, "kappa must be finite and >= 0"),
        ({"H": 0}, "H must be a positive integer"),
        ({"H": 2}, "gold length k exceeds horizon H: reward is identically 0"),
        ({"V": 2}, "gold tokens must be distinct"),
        ({"k": 17, "V": 32, "H": 32}, "k must be at most 16"),
        ({"V": 1, "k": 1}, "V must be at least 2"),
        ({"n": 100}, "n must be 128 times a power of two"),
        ({"n": 384}, "n must be 128 times a power of two"),
        ({"n": 0}, "n must be 128 times a power of two"),
        ({"lr": 0.0}, "lr must be finite and > 0"),
        ({"base": "0+64"}, "gamma must be > 0"),
        ({"base": "1+2+3"}, "base must have at most 2 styles"),
        ({"base": "good"}, "base must be one of"),
    ],
)
def test_bad_cells_are_named(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        _learned.validate_policy(dataclasses.replace(SMALL, **changes))


def test_every_declared_cell_is_valid_and_lies_within_the_assumptions():
    checks = {c.name: c for c in _claims_learned.CLAIMS[0].checks}
    for name, experiment in EXPERIMENTS.items():
        for cell in itertools.chain(*experiment.cells.values()):
            _learned.validate_policy(cell)
            fields = dataclasses.asdict(cell)
            for assumption in checks[name.split("!")[0]].assumptions if not name.startswith("~") else ():
                wanted = assumption.holds.__code__.co_varnames[: assumption.holds.__code__.co_argcount]
                assert assumption.holds(**{f: fields[f] for f in wanted}), (name, assumption.label)


def test_the_clone_of_an_expert_like_the_base_is_outside_the_claim():
    check = next(c for c in _claims_learned.CLAIMS[0].checks if c.name == "clone")
    assert math.isnan(check.bound(base=HOM, H=16, V=16, k=3, kappa=0.25))
    assert check.bound(base=DEAD, H=16, V=16, k=3, kappa=0.25) == pytest.approx(9.3148, abs=1e-4)
