"""law.fixed and the scenario head, on B7 under soft_add: few numbers of each environment, from two sweeps over the edges."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.invariance import _draws, _graphs
from theory.invariance import _arguments, _sem

__all__ = [
    "FixedCell",
    "FixedPrepared",
    "HeadCell",
    "HeadPrepared",
    "columns",
    "minimax",
    "prepare_fixed",
    "prepare_head",
    "simulate_fixed",
    "simulate_head",
    "validate_fixed",
    "validate_head",
]


@dataclasses.dataclass(frozen=True)
class Pattern:
    """Edges (child, parent) of a graph in topological order, static; which of them an intervention changes."""

    p: int
    edges: tuple[tuple[int, int], ...]
    changed: tuple[int, ...]


def pattern_of(model):
    """(Pattern, weights [num_edges]) of a Model; changed edges come in the order of `slots`."""
    children, parents = np.nonzero(model.B)
    edges = tuple(zip(children.tolist(), parents.tolist(), strict=True))
    changed = sorted((int(model.slots.edge[e]), i) for i, e in enumerate(edges) if model.slots.edge[e])
    return Pattern(model.p, edges, tuple(i for _, i in changed)), model.B[children, parents]


def columns(pattern, weights, vectors):
    """M gamma for each column gamma of `vectors`, unit noise: weights [num_edges][...], vectors a list of p-lists of arrays.

    Backwards a = T^T gamma, forwards T a; two sweeps over the edges, vectorised over environments.
    """
    moments = []
    for gamma in vectors:
        a = list(gamma)
        for w, (child, parent) in sorted(zip(weights, pattern.edges, strict=True), key=lambda e: -e[1][0]):
            a[parent] = a[parent] + w * a[child]
        for w, (child, parent) in sorted(zip(weights, pattern.edges, strict=True), key=lambda e: e[1][0]):
            a[child] = a[child] + w * a[parent]
        moments.append(a)
    return moments


def _soft_add(key, prepared, count):
    """Weights of `count` environments: a list over edges of [count] arrays."""
    changed = prepared.pattern.changed
    z = _draws.raw(_draws.signed(key, (len(changed), count), prepared.weights.dtype), "soft_add")
    still = jnp.zeros((count,), z.dtype)
    weights = [w + still for w in prepared.weights]
    for i, e in enumerate(changed):
        weights[e] = weights[e] + z[i]
    return weights


# --- law.fixed ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class FixedCell:
    """n training interventions; (V, beta) is one random pair with k dimensions, drawn once for the experiment."""

    n: int
    k: int = 2


def validate_fixed(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "n", cell.n, 1, 10_000)
    _arguments.integer("invariance", "k", cell.k, 1, 6)


PADDED = 30  # the largest n of the presets


@register
@dataclasses.dataclass(frozen=True)
class FixedPrepared:
    most: int  # n is padded to this
    pattern: Pattern
    n: np.ndarray  # int32 []
    rank: np.ndarray  # int32 []; 1: the new gap is above the largest training gap, 2: above the second largest
    weights: np.ndarray  # [num_edges]
    V: np.ndarray  # [p, k], zero in the target's row
    gamma: np.ndarray  # [p]: beta, and -1 at the target


def prepare_fixed(cell, rank=1):
    """FixedCell -> FixedPrepared."""
    model = _graphs.b7()
    pattern, weights = pattern_of(model)
    rng = np.random.default_rng([2205, 15196, cell.k])
    V = np.linalg.qr(rng.standard_normal((6, cell.k)))[0]
    beta = V @ rng.standard_normal(cell.k)
    keep = _sem.covariates(7, model.target)
    rows, gamma = np.zeros((7, cell.k)), np.full(7, -1.0)
    rows[keep], gamma[keep] = V, beta
    n, rank = np.array([cell.n, rank], np.int32)
    return FixedPrepared(most=max(PADDED, cell.n), pattern=pattern, n=n, rank=rank, weights=weights, V=rows, gamma=gamma)


def simulate_fixed(key, prepared):
    """Whether the gap of one more environment exceeds the largest of n."""
    weights = _soft_add(key, prepared, prepared.most + 1)
    (column,) = columns(prepared.pattern, weights, [list(prepared.gamma)])
    gaps = jnp.zeros((prepared.most + 1,), prepared.weights.dtype)
    for j in range(prepared.V.shape[1]):
        gaps = gaps + sum(prepared.V[i, j] * column[i] for i in range(prepared.pattern.p)) ** 2
    new, train = gaps[0], gaps[1:]
    above = (train >= new) & (jnp.arange(prepared.most, dtype=jnp.int32) < prepared.n)
    return (jnp.sum(above, dtype=jnp.int32) < prepared.rank).astype(gaps.dtype)


# --- scenario ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class HeadCell:
    """n training interventions and the covariates of the representation, as "3+5" (nodes of B7)."""

    subset: str
    n: int


def nodes_of(subset):
    """ "3+5" -> (3, 5). Raises: ValueError."""
    known = [str(i) for i in range(7) if i != _sem.B7_TARGET]
    names = subset.split("+")
    ok = all(s in known for s in names) and len(set(names)) == len(names)
    _arguments.require(ok, "invariance", f"subset must name distinct covariates of {'+'.join(known)}, got {subset!r}.")
    return tuple(sorted(int(s) for s in names))


def validate_head(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    k = len(nodes_of(cell.subset))
    _arguments.require(k <= 3, "invariance", f"subset must have at most 3 covariates, got {cell.subset!r}.")
    _arguments.require(cell.n >= k + 1, "invariance", f"n must be at least k + 1 = {k + 1}, got n={cell.n}.")
    _arguments.integer("invariance", "n", cell.n, 1, 1000)


@register
@dataclasses.dataclass(frozen=True)
class HeadPrepared:
    most: int  # n is padded to this
    fresh: int
    target: int
    chosen: tuple[int, ...]
    pattern: Pattern
    n: np.ndarray  # int32 []
    weights: np.ndarray


FRESH = 300  # new environments that estimate a failure rate
PADDED_HEAD = 20


def prepare_head(cell):
    """HeadCell -> HeadPrepared."""
    model = _graphs.b7()
    pattern, weights = pattern_of(model)
    most, n = max(PADDED_HEAD, cell.n), np.int32(cell.n)
    return HeadPrepared(
        most=most, fresh=FRESH, target=model.target, chosen=nodes_of(cell.subset), pattern=pattern, n=np.asarray(n), weights=weights
    )


def minimax(A, b, count, most=200):
    """argmin_w max_i |a_i w - b_i| over the first `count` rows of A [m, k], b [m], the others being zero: (w [k], tau, converged).

    By exchange of k + 1 active rows.

    The residuals of the active rows are equal in size with the signs of lambda, the combination of rows that is zero; the
    row that is worst off enters, and the one leaves that keeps all weights of the new combination nonnegative.
    """
    k = A.shape[1]

    def reference(active):
        rows, right = A[active], b[active]
        minors = [jnp.linalg.det(jnp.concatenate([rows[:i], rows[i + 1 :]])) for i in range(k + 1)]
        lam = jnp.stack([d if i % 2 == 0 else -d for i, d in enumerate(minors)])
        lam = lam * jnp.where(lam @ right > 0, -1.0, 1.0)
        tau = -(lam @ right) / jnp.abs(lam).sum()
        w = jnp.linalg.solve(rows.T @ rows, rows.T @ (right + jnp.sign(lam) * tau))
        return lam, tau, w

    def step(state):
        active, _, count = state
        lam, tau, w = reference(active)
        residual = A @ w - b
        worst = jnp.argmax(jnp.abs(residual))
        done = jnp.abs(residual[worst]) <= tau * (1 + 1e-9) + 1e-14
        oriented = jnp.sign(lam)[:, None] * A[active]
        entering = jnp.sign(residual[worst]) * A[worst]
        nu = oriented @ jnp.linalg.solve(oriented.T @ oriented, entering)
        leaving = jnp.argmax(nu / jnp.abs(lam))
        return jnp.where(done, active, active.at[leaving].set(worst.astype(jnp.int32))), done, count + 1

    start = jnp.arange(k + 1, dtype=jnp.int32) * (count // (k + 1))
    active, done, _ = jax.lax.while_loop(lambda s: ~s[1] & (s[2] < most), step, (start, jnp.bool_(False), jnp.int32(0)))
    _, tau, w = reference(active)
    return w, tau, done


def simulate_head(key, prepared):
    """Share of fresh environments whose max-norm gap exceeds that of the minimax head learned on n others; nan if the
    exchange did not end."""
    most, chosen = prepared.most, prepared.chosen
    weights = _soft_add(key, prepared, most + prepared.fresh)
    zero, one = jnp.zeros((), prepared.weights.dtype), jnp.ones((), prepared.weights.dtype)
    units = [[one if i == node else zero for i in range(prepared.pattern.p)] for node in (*chosen, prepared.target)]
    moments = columns(prepared.pattern, weights, units)
    still = jnp.zeros((most + prepared.fresh,), prepared.weights.dtype)
    Sigma = jnp.stack([jnp.stack([moments[j][i] + still for j in range(len(chosen))], -1) for i in chosen], -2)  # [envs, k, k]
    r = jnp.stack([moments[-1][i] + still for i in chosen], -1)
    here = (jnp.arange(most, dtype=jnp.int32) < prepared.n).astype(r.dtype)
    A, b = Sigma[:most] * here[:, None, None], r[:most] * here[:, None]
    w, tau, done = minimax(A.reshape(-1, len(chosen)), b.reshape(-1), prepared.n * len(chosen))
    gaps = jnp.abs(Sigma[most:] @ w - r[most:]).max(-1)
    failure = jnp.mean((gaps > tau * (1 + 1e-9)).astype(tau.dtype))
    return jnp.where(done, failure, jnp.nan)
