"""S4 (theory/verification/_learned.py): cloning expert traces against policy gradients on rewards, on common draws.

One replicate is one training run of both methods. In every batch they see the same prompts and the same uniforms; a method
turns them into traces with the policy it samples from: the expert's, always, or the one being trained. Every value is exact,
by dynamic programming on 64 prompts that are the same in all runs.

Only the vocabulary, the gold length and the number of recorded budgets set shapes. Horizon, budget, strengths, step size and
the kind of reward are traced, and loops run to traced ends: a grid of horizons is one compiled program without padding.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sims._experiment import register
from theory.verification import _arguments, _learned, _planted

__all__ = [
    "BATCH",
    "CLONE_VALUE",
    "LEAD",
    "NOT_ABOVE",
    "NOT_BELOW",
    "REWARDS",
    "PolicyCell",
    "PolicyPrepared",
    "policy_values",
    "prepare_policy",
    "reinforce_loss",
    "rollout",
    "simulate_policy",
    "tally",
    "validate_policy",
]

BATCH = 128  # traces, and reward annotations, in an update
LEAST_POINTS = 5  # budgets recorded: 128, 256, .., 2048; smaller cells are padded to this and share the program
NUM_STYLES = 2  # a base of one style is padded with one of weight 0
NUM_PROMPTS = 64  # on which policies are valued
TOKENS_AT_ONCE = 8  # written before a batch is asked whether all of its traces are solved
MAX_HORIZON, MAX_BUDGET, MAX_VOCABULARY, MAX_GOLD = 1 << 16, 1 << 24, 1024, 16
REWARDS = ("true", "zero", "shuffled")
NEVER = -1e9  # logit of a padded style; an infinite one would turn 0 times its logarithm into nan
NOT_ABOVE, NOT_BELOW, CLONE_VALUE, LEAD = range(4)  # statistics: VB <= VF, VB >= VF, J of VF, J of VB less J of VF


@dataclasses.dataclass(frozen=True)
class PolicyCell:
    """A base (theory's `base_of`, such as 1+64), a horizon of H tokens, n expert traces and as many reward annotations.

    kappa: chi-square distance of the expert. V tokens, k gold ones. lr: Adam's step size.
    """

    base: str
    H: int
    n: int = 2048
    kappa: float = 0.25
    V: int = 16
    k: int = 3
    lr: float = 0.3


def validate_policy(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "verification.emp_planted"
    H, k, V = _arguments.horizon(fn, cell.H, cell.k, cell.V)
    for name, number, most in (("H", H, MAX_HORIZON), ("k", k, MAX_GOLD), ("V", V, MAX_VOCABULARY)):
        _arguments.require(number <= most, fn, f"{name} must be at most {most}, got {number}.")
    _arguments.require(V >= 2, fn, f"V must be at least 2, got {V}.")
    updates = cell.n // BATCH
    ok = cell.n == updates * BATCH and updates >= 1 and updates & (updates - 1) == 0 and cell.n <= MAX_BUDGET
    _arguments.require(ok, fn, f"n must be {BATCH} times a power of two, at most {MAX_BUDGET}, got {cell.n}.")
    _arguments.positive(fn, "lr", cell.lr)
    gammas, weights = _planted.base_of(cell.base)
    _arguments.require(len(gammas) <= NUM_STYLES, fn, f"base must have at most {NUM_STYLES} styles, got {cell.base!r}.")
    _learned.expert_weights(_learned.style_means(gammas, V, k, H), weights, cell.kappa)


@register
@dataclasses.dataclass(frozen=True)
class PolicyPrepared:
    V: int
    k: int
    H: np.ndarray  # int32 []
    ends: np.ndarray  # int32 [points], updates done at each recorded budget
    gold_of: np.ndarray  # int32 [V], the hidden permutation f
    base_tokens: np.ndarray  # float32 [styles, V, V], logits by style, prompt token, next token
    base_styles: np.ndarray  # float32 [styles], logits
    expert_styles: np.ndarray  # float32 [styles], logits
    prompts: np.ndarray  # int32 [NUM_PROMPTS, k], on which policies are valued
    shuffled: float  # 1: rewards are permuted within the batch
    reward_scale: float  # 0: every reward is zeroed
    lr: float
    statistic: np.ndarray  # int32 [], NOT_ABOVE .. LEAD


def _fixed_world(V, k):
    """The permutation [V] and the prompts [NUM_PROMPTS, k] of all runs: learners treat all tokens alike, so any do."""
    rng = np.random.default_rng([V, k])
    permutation = rng.permutation(V)
    return np.int32(permutation), np.int32([rng.permutation(V)[:k] for _ in range(NUM_PROMPTS)])


def _style_logits(weights):
    padded = np.pad(weights, (0, NUM_STYLES - len(weights)))
    return np.float32(np.log(padded, out=np.full(NUM_STYLES, NEVER), where=padded > 0))


def prepare_policy(cell, statistic=LEAD, reward="true", expert="tilted"):
    """PolicyCell -> PolicyPrepared. Lying worlds: reward "zero" or "shuffled" (permuted within the batch), expert "base"."""
    gammas, weights = _planted.base_of(cell.base)
    gold_of, prompts = _fixed_world(cell.V, cell.k)
    tokens = np.zeros((NUM_STYLES, cell.V, cell.V), np.float32)
    tokens[: len(gammas), np.arange(cell.V), gold_of] = np.log(gammas)[:, None]
    kappa = {"tilted": cell.kappa, "base": 0.0}[expert]
    tilted = _learned.expert_weights(_learned.style_means(gammas, cell.V, cell.k, cell.H), weights, kappa)
    updates = cell.n // BATCH
    points = max(LEAST_POINTS, updates.bit_length())
    return PolicyPrepared(
        V=cell.V,
        k=cell.k,
        H=np.int32(cell.H),
        ends=np.minimum(2 ** np.arange(points), updates).astype(np.int32),
        gold_of=gold_of,
        base_tokens=tokens,
        base_styles=_style_logits(np.asarray(weights)),
        expert_styles=_style_logits(tilted),
        prompts=prompts,
        shuffled=float(reward == "shuffled"),
        reward_scale=float(reward != "zero"),
        lr=cell.lr,
        statistic=np.int32(statistic),
    )


def _prompts_of(uniforms, V):
    """Uniform k distinct tokens from uniforms [k, BATCH]: int32 [k, BATCH]. Digit i of a Lehmer code is a rank among the tokens
    not used before, so no sorting is needed."""
    k = uniforms.shape[0]
    left = (V - jnp.arange(k, dtype=jnp.int32))[:, None]
    prompt = jnp.minimum((uniforms * left.astype(jnp.float32)).astype(jnp.int32), left - 1)
    position = jnp.arange(k, dtype=jnp.int32)[:, None]
    for i in range(k - 2, -1, -1):  # from the last digit back: later tokens skip the one chosen here
        later = (position > i) & (prompt >= prompt[i : i + 1])
        prompt = prompt + later.astype(jnp.int32)
    return prompt


def rollout(key, uniforms, styles, tokens, prepared):
    """One batch of traces from each policy, on common prompts and uniforms. The batch is the last axis: sums run over others.

    Args: key, of the tokens; uniforms: float32 [k+1, BATCH], of prompts and styles; styles: float32 [policies, styles],
    tokens: float32 [policies, styles, V, V], logits.
    Returns: prompt int32 [k, BATCH]; style int32 [policies, BATCH]; reward R int32 [policies, BATCH]; counts float32
    [policies, k, V, BATCH]: how often a trace, not yet solved and at progress q, wrote each token.
    """
    V, k, H = prepared.V, prepared.k, prepared.H
    prompt = _prompts_of(uniforms[:k], V)
    gold = prepared.gold_of[prompt]
    edges = jnp.cumsum(jax.nn.softmax(styles), -1)[:, :-1, None]
    style = jnp.sum(uniforms[None, k:] >= edges, 1, dtype=jnp.int32)
    wheel_of = jnp.cumsum(jax.nn.softmax(tokens), -1)
    wheels = jax.vmap(lambda wheel, z: jnp.moveaxis(wheel[z[None], prompt], -1, 1))(wheel_of, style)  # [policies, k, V, BATCH]
    policy, trace = jnp.arange(len(styles), dtype=jnp.int32)[:, None], jnp.arange(BATCH, dtype=jnp.int32)[None]
    gold_of = jnp.broadcast_to(gold[None], (len(styles), k, BATCH))

    def write(h, u, state):
        """One token of every trace, looked up and counted at the trace's own place: masks over all places take three times as long."""
        progress, reward, counts = state
        open_ = (h < H) & (progress < k)
        at = jnp.minimum(progress, k - 1)
        wheel = jnp.take_along_axis(wheels, at[:, None, None], 1)[:, 0]  # [policies, V, BATCH]
        token = jnp.minimum(jnp.sum(u[None, None] >= wheel, 1, dtype=jnp.int32), V - 1)
        wanted = jnp.take_along_axis(gold_of, at[:, None], 1)[:, 0]
        onward = jnp.where(token == wanted, progress + 1, (token == gold[:1]).astype(jnp.int32))
        reward = jnp.where(open_ & (onward == k), H - h, reward)
        counts = counts.at[policy, at, token, trace].add(open_.astype(jnp.float32), unique_indices=True)
        return jnp.where(open_, onward, progress), reward, counts

    def open_ends(state):
        h, (progress, _, _) = state
        return (h < H) & jnp.any(progress < k)

    def write_some(state):
        h, traces = state
        places = h + jnp.arange(TOKENS_AT_ONCE, dtype=jnp.int32)
        # Drawn before the loop over them: inside it the generator would be fused into every comparison with a wheel.
        u = jax.vmap(lambda h: jax.random.uniform(jax.random.fold_in(key, h), (BATCH,), jnp.float32))(places)
        return h + TOKENS_AT_ONCE, jax.lax.fori_loop(0, TOKENS_AT_ONCE, lambda j, traces: write(h + j, u[j], traces), traces)

    zero = jnp.zeros(style.shape, jnp.int32)
    start = (zero, zero, jnp.zeros(wheels.shape, jnp.float32))
    _, (_, reward, counts) = jax.lax.while_loop(open_ends, write_some, (jnp.int32(0), start))
    return prompt, style, reward, counts


def _annotate(uniforms, reward, prepared):
    """The rewards that the learner is given: float32 [BATCH]. uniforms: float32 [BATCH].

    Shuffling takes a uniform permutation. A fixed shift would not do: the batch mean contains a trace's own reward, so with
    another's reward in its place the expected gradient is -1/(BATCH-1) of the true one; the permutation's fixed points cancel it.
    """
    donor = jnp.argsort(uniforms)
    given = jnp.where(prepared.shuffled > 0, reward[donor], reward)
    return prepared.reward_scale * given.astype(jnp.float32)


def tally(weights, prompt, style, counts, V):
    """Weighted counts of styles, float32 [styles], and of tokens by style and prompt token, float32 [styles, V, V].

    weights: float32 [BATCH], of the traces. As a matrix product: a scatter of floats has no fixed order on a GPU.
    """
    row = style[None] * V + prompt  # [k, BATCH]
    rows = (row[:, None] == jnp.arange(NUM_STYLES * V, dtype=jnp.int32)[None, :, None]).astype(jnp.float32)
    tokens = jnp.einsum("qrb,qvb->qrv", rows, weights[None, None] * counts, precision=jax.lax.Precision.HIGHEST).sum(0)
    chosen = (style[None] == jnp.arange(NUM_STYLES, dtype=jnp.int32)[:, None]).astype(jnp.float32)
    return jnp.sum(weights[None] * chosen, 1), tokens.reshape(NUM_STYLES, V, V)


def reinforce_loss(policy, tallied):
    """-(1/BATCH) sum_i A_i (ln pi(z_i) + sum over steps before the trace is solved of ln pi(a_h)), from counts weighted by A_i."""
    styles, tokens = policy
    style_counts, token_counts = tallied
    return -(jnp.sum(style_counts * jax.nn.log_softmax(styles)) + jnp.sum(token_counts * jax.nn.log_softmax(tokens))) / BATCH


def policy_values(styles, tokens, prepared):
    """J of each policy, exact by dynamic programming, mean over the fixed prompts: float32 [policies].

    Args: as `rollout`. State: mass by policy, prompt, style and progress q < k.
    """
    k = prepared.k
    prompts, probs = prepared.prompts, jax.nn.softmax(tokens)
    gold = prepared.gold_of[prompts]

    def of_token(letters):
        found = probs[:, :, prompts, letters]  # [policies, styles, NUM_PROMPTS, k]
        return jnp.moveaxis(found, 1, 2)

    place = np.arange(k)
    onward = of_token(gold)
    restart = of_token(jnp.broadcast_to(gold[:, :1], gold.shape)) * jnp.asarray(place >= 1, jnp.float32)[None, None, None]
    lost = 1 - onward - restart
    at_zero, at_one = (jnp.asarray(place == q, jnp.float32)[None, None, None] for q in (0, 1))

    def step(_, state):
        mass, solved, total = state
        up = mass * onward
        shifted = jnp.concatenate([jnp.zeros_like(up[..., :1]), up[..., :-1]], -1)
        back_to_zero, back_to_one = (jnp.sum(mass * p, -1, keepdims=True) for p in (lost, restart))
        solved = solved + up[..., -1]
        return shifted + at_zero * back_to_zero + at_one * back_to_one, solved, total + solved

    start = jnp.zeros_like(onward) + at_zero
    none = jnp.zeros_like(onward[..., 0])
    *_, total = jax.lax.fori_loop(0, prepared.H, step, (start, none, none))
    return jnp.sum(jax.nn.softmax(styles) * jnp.mean(total, 1), -1)


def simulate_policy(key, prepared):
    """One training run of both methods. x: the prepared statistic at the last budget; `tie`: values differ by rounding only.

    `vf`, `vb`: float32 [points], J of the cloned and of the trained policy at n = 128, 256, .. (repeated beyond the cell's n).
    """
    V = prepared.V
    adam = optax.adam(prepared.lr)
    trained = (prepared.base_styles, prepared.base_tokens)
    seen = jax.tree.map(jnp.zeros_like, trained)
    horizon = prepared.H.astype(jnp.float32)

    def batch_of(i):
        key_batch, key_tokens = jax.random.split(jax.random.fold_in(key, i))
        return jax.random.uniform(key_batch, (prepared.k + 2, BATCH), jnp.float32), key_tokens

    def update(i, state):
        # A batch is drawn a step ahead: where it is used at once, the generator would be fused into, and run again for, every use.
        (uniforms, key_tokens), seen, trained, adam_state = state
        styles = jnp.stack([prepared.expert_styles, trained[0]])
        tokens = jnp.stack([prepared.base_tokens, trained[1]])
        prompt, style, reward, counts = rollout(key_tokens, uniforms[1:], styles, tokens, prepared)
        annotated = _annotate(uniforms[0], reward[1], prepared)
        advantage = (annotated - jnp.mean(annotated)) / horizon
        weights = jnp.stack([jnp.ones_like(advantage), advantage])
        tallied = jax.vmap(tally, (0, None, 0, 0, None))(weights, prompt, style, counts, V)
        seen, weighted = (jax.tree.map(lambda s, t: s + t[0], seen, tallied), jax.tree.map(lambda t: t[1], tallied))
        gradient = jax.grad(reinforce_loss)(trained, weighted)
        with jax.numpy_dtype_promotion("standard"):  # optax raises floats to an integer power
            step, adam_state = adam.update(gradient, adam_state)
        return batch_of(i + 1), seen, optax.apply_updates(trained, step), adam_state

    def stretch(state, bounds):
        """Trains up to the next recorded budget, then values both policies."""
        state = jax.lax.fori_loop(bounds[0], bounds[1], update, state)
        _, (style_counts, token_counts), (styles, tokens), _ = state
        cloned = (jnp.log(style_counts + jnp.float32(1e-9)), jnp.log(token_counts + jnp.float32(1 / V)))
        return state, policy_values(jnp.stack([cloned[0], styles]), jnp.stack([cloned[1], tokens]), prepared)

    bounds = jnp.stack([jnp.concatenate([jnp.zeros_like(prepared.ends[:1]), prepared.ends[:-1]]), prepared.ends], -1)
    _, values = jax.lax.scan(stretch, (batch_of(jnp.int32(0)), seen, trained, adam.init(trained)), bounds)
    vf, vb = values[-1]
    statistics = jnp.stack([(vb <= vf).astype(jnp.float32), (vb >= vf).astype(jnp.float32), vf, vb - vf])
    close = (prepared.statistic <= NOT_BELOW) & (jnp.abs(vb - vf) <= 1e-4)
    return {"x": statistics[prepared.statistic], "tie": close, "vf": values[:, 0], "vb": values[:, 1]}
