"""The authors' experiment (fig.main, scope) from sufficient statistics: every environment is one exact sample moment.

One replicate is one repetition of all seven m: fresh training environments for each m, 100 test environments for each m. The
notebook draws its tests afresh for each accepted subset; here the accepted subsets of a cell share them, which leaves every
mean as it is and saves a factor of ten in random numbers.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.invariance import _draws, _graphs
from theory.invariance import _arguments, _bounds, _sem, _separation

__all__ = [
    "NotebookCell",
    "NotebookPrepared",
    "prepare_accepted",
    "prepare_blanket",
    "prepare_erm",
    "prepare_scope",
    "prepare_score",
    "simulate_notebook",
    "validate_notebook",
]

M_GRID = (3, 5, 8, 11, 14, 17, 20)  # training environments
TESTS = 100
RADIUS = 0.02
NOISE = 0.02  # sd of every node
BOX = (0.0, 0.25, 0.5, 0.75, 1.0)  # quantiles over accepted subsets, for the box plots
KINDS = ("hard", "soft", "rademacher")
_FAMILY = {"hard": "hard_const", "soft": "soft_mult", "rademacher": "rademacher"}

SUBSETS = tuple(_separation.subsets(7, _sem.B7_TARGET))
_COVARIATES = [int(i) for i in _sem.covariates(7, _sem.B7_TARGET)]
MASKS = np.array([[float(node in subset) for node in _COVARIATES] for subset in SUBSETS])  # [63, 6]
_SITES = np.array([float(node in _sem.B7_SITES) for node in _COVARIATES])
_OWNER = np.repeat(np.arange(len(M_GRID)), M_GRID)  # [78]: the m to which a training environment belongs
_AVERAGE = (_OWNER[:, None] == np.arange(len(M_GRID))) / np.array(M_GRID)  # [78, 7]
_PAIRS = np.argwhere(np.triu(_OWNER[:, None] == _OWNER, 1))  # [513, 2]: pairs of environments of one m
_SPREAD = 2 * (_OWNER[_PAIRS[:, 0], None] == np.arange(len(M_GRID))) / np.array(M_GRID) ** 2  # [513, 7]: mean over ordered pairs
SUBSETS_AT_ONCE = 4  # in the loop over the subsets whose tests count
SCORE, ACCEPTED, ERM, ONE, BLANKET = range(5)  # which statistic is x
BLANKETS = tuple(i for i, s in enumerate(SUBSETS) if {1, 3, 5, 6} <= set(s))
_ALWAYS = np.zeros((5, len(SUBSETS)), bool)  # subsets whose tests count though they are not accepted, by statistic
_ALWAYS[ONE, SUBSETS.index((3,))] = _ALWAYS[BLANKET, list(BLANKETS)] = True


@dataclasses.dataclass(frozen=True)
class NotebookCell:
    """N samples in each environment; train: hard or soft; test: hard, soft or rademacher."""

    N: int
    train: str
    test: str


def validate_notebook(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(cell.N > 7, "invariance", f"N must exceed p=7, got N={cell.N}.")
    _arguments.integer("invariance", "N", cell.N, 64, 10**9)
    _arguments.require(cell.train in KINDS[:2], "invariance", f"train must be hard or soft, got {cell.train!r}.")
    _arguments.require(cell.test in KINDS, "invariance", f"test must be one of {', '.join(KINDS)}, got {cell.test!r}.")


@register
@dataclasses.dataclass(frozen=True)
class NotebookPrepared:
    N: float
    omega: np.ndarray  # [7]
    train: np.ndarray  # int32 [], place in KINDS
    test: np.ndarray
    which: np.ndarray  # int32 []
    cap: float  # of the number of accepted subsets, so that it has a range
    positive: float  # 1: the target's row is made positive under rademacher
    centred: float  # 1: moments about each environment's own mean


def _prepare(cell, which, noise=NOISE, positive=1.0, centred=0.0, test=None):
    place = [np.asarray(KINDS.index(k), np.int32) for k in (cell.train, test or cell.test)]
    return NotebookPrepared(
        N=float(cell.N), omega=np.full(7, noise**2), train=place[0], test=place[1], which=np.asarray(which, np.int32),
        cap=accepted_cap(cell.N, cell.train, cell.test), positive=positive, centred=centred,
    )  # fmt: skip


def accepted_cap(N, train, test):
    """Twice the published number of accepted subsets, so that the number has a range: nothing is cut in a truthful world.
    63 where none is published."""
    printed = _bounds.published(N, train, test, "accepted")[0]
    return 63.0 if np.isnan(printed) else 2 * printed


def prepare_score(cell, **world):
    """NotebookCell -> NotebookPrepared: the mean score of accepted subsets, of 100. world: noise, positive, centred of a lying one."""
    return _prepare(cell, SCORE, **world)


def prepare_accepted(cell, **world):
    """NotebookCell -> NotebookPrepared: the mean number of accepted subsets, of 63, cut at `accepted_cap`; no test is drawn."""
    return _prepare(cell, ACCEPTED, **world)


def prepare_erm(cell, soft=False):
    """NotebookCell -> NotebookPrepared: the share of tests that pooled least squares on all covariates passes. soft: a lying
    world intervenes softly in training and tests."""
    return _prepare(dataclasses.replace(cell, train="soft", test="soft") if soft else cell, ERM)


def prepare_scope(cell, **world):
    """NotebookCell -> NotebookPrepared: the share of tests that the subset {3} passes, accepted or not."""
    return _prepare(cell, ONE, **world)


def prepare_blanket(cell, **world):
    """NotebookCell -> NotebookPrepared: the share of tests that the four Markov-blanket sets pass, accepted or not."""
    return _prepare(cell, BLANKET, **world)


# --- one environment ---------------------------------------------------------------------------------------------------

_MODEL = _graphs.b7()
_COUNTS = {"hard": _MODEL.slots.num_sites, "soft": _MODEL.slots.num_edges, "rademacher": _MODEL.p}
_MOST = max(_COUNTS.values())


def _moment(s, kind, prepared):
    """(sample moment [7, 7], constants of the sites [7]) of one environment of a traced kind."""
    B0, slots = jnp.asarray(_MODEL.B, s.dtype), _MODEL.slots
    drawn = []
    for name in KINDS:
        z = _draws.raw(s[: _COUNTS[name]], _FAMILY[name])
        drawn.append(
            _sem.intervene(_FAMILY[name], B0, prepared.omega, slots.edge, slots.node, z, jnp.ones((), s.dtype), _MODEL.target, jnp)
        )
        if name == "rademacher":  # a lying world keeps the signs of the target's row
            target = jnp.arange(7, dtype=jnp.int32)[:, None] == _MODEL.target
            kept = jnp.where(target & (prepared.positive < 0.5), B0 * z[None, :], drawn[-1][0])
            drawn[-1] = (kept, *drawn[-1][1:])
    B, omega, mu = (jnp.where(kind == 0, a, jnp.where(kind == 1, b, c)) for a, b, c in zip(*drawn, strict=True))
    root, mean = _draws.sample_factors(s[_MOST:], omega, prepared.N)
    T = _sem.total_effects(B, jnp)
    root, mean = T @ root, T @ (mu + mean)
    return root @ root.T + (1 - prepared.centred) * mean[:, None] * mean[None, :], mu


def solve_spd(A, b):
    """x with A x = b for k x k lists of equal arrays, A symmetric positive definite: L D L^T, unrolled, elementwise."""
    k = len(b)
    L, D = [[None] * k for _ in range(k)], [None] * k
    y = list(b)
    for j in range(k):
        D[j] = A[j][j] - sum((L[j][i] ** 2 * D[i] for i in range(j)), 0.0)
        for i in range(j + 1, k):
            L[i][j] = (A[i][j] - sum((L[i][h] * L[j][h] * D[h] for h in range(j)), 0.0)) / D[j]
        for i in range(j):
            y[j] = y[j] - L[j][i] * y[i]
    x = [y[j] / D[j] for j in range(k)]
    for j in reversed(range(k)):
        for i in range(j + 1, k):
            x[j] = x[j] - L[i][j] * x[i]
    return x


def regressions(M, mu, hard, centred, masks):
    """Min-norm least squares on every subset in every environment: [6, num_subsets, num_environments].

    Constants make the moment of the chosen sites singular: x_s = c_s for all samples. The solution of least norm there lies
    along c, so the projector onto what is orthogonal to c is added to the sites' block; nothing else changes. A centred
    constant is zero, and so is its coefficient.
    """
    c = mu[:, _COVARIATES] * _SITES[None]  # [E, 6]
    chosen = [masks[:, i, None] for i in range(6)]  # [S, 1]
    norm = sum(chosen[i] * c[None, :, i] ** 2 for i in range(6))
    safe = jnp.where(norm > 0, norm, 1.0)
    A = [[None] * 6 for _ in range(6)]
    for i in range(6):
        for j in range(i + 1):
            entry = chosen[i] * chosen[j] * M[None, :, _COVARIATES[i], _COVARIATES[j]]
            if _SITES[i] and _SITES[j]:
                along = (1 - centred) * chosen[i] * chosen[j] * c[None, :, i] * c[None, :, j]
                entry = entry + hard * (((chosen[i] if i == j else 0.0) * safe) - along)
            if i == j:
                entry = entry + (1 - chosen[i])
            A[i][j] = A[j][i] = entry
    found = solve_spd(A, [chosen[i] * M[None, :, _COVARIATES[i], _MODEL.target] for i in range(6)])
    return jax.lax.optimization_barrier(jnp.stack(found))  # else the solution is fused, and computed again, into every use


def _norm(betas):
    """Length over the six coefficients, the first axis; written out, so that it is one pass."""
    return jnp.sqrt(sum(betas[i] ** 2 for i in range(6)))


def _near(betas, mean, limit):
    """Whether coefficients [6, ...] are within the limit [...] of the mean [6, ...]: 0. or 1."""
    return (_norm(betas - mean) < limit).astype(limit.dtype)


def _scores(M, mu, asked, mean, limit, prepared):
    """How many of its TESTS each asked subset passes, by m: [7, 63]; of other subsets nothing is promised.

    asked: bool [7, 63]; mean [6, 63, 7], limit [63, 7] of the training regressions. Few subsets are accepted, so those of all m
    are solved for SUBSETS_AT_ONCE at a time until the longest list is done: a quarter of the work or less.
    """
    num_m, num_subsets = asked.shape
    order = jnp.argsort(~asked, axis=1, stable=True)
    masks, m = jnp.asarray(MASKS, limit.dtype), jnp.arange(num_m, dtype=order.dtype)[:, None]
    M, mu = M.reshape(num_m, TESTS, 7, 7), mu.reshape(num_m, TESTS, 7)
    hard = (prepared.test == 0).astype(limit.dtype)
    solve = jax.vmap(lambda M, mu, masks: regressions(M, mu, hard, prepared.centred, masks), out_axes=1)

    def step(state):
        done, scores = state
        rank = done + jnp.arange(SUBSETS_AT_ONCE, dtype=jnp.int32)
        ids = order[:, jnp.minimum(rank, num_subsets - 1)]  # [7, at once]
        near = _near(solve(M, mu, masks[ids]), mean[:, ids, m, None], limit[ids, m, None])
        place = jnp.where((rank < num_subsets)[None], ids, num_subsets)  # nowhere, once the list is done: each place is set once
        return done + SUBSETS_AT_ONCE, scores.at[m, place].set(near.sum(2), mode="drop", unique_indices=True)

    most = asked.sum(1, dtype=jnp.int32).max()
    start = jnp.int32(0), jnp.zeros(asked.shape, limit.dtype)
    return jax.lax.while_loop(lambda state: state[0] < most, step, start)[1]


def simulate_notebook(key, prepared):
    """One repetition of all m. x as `which` says; beside it, by m: the number of accepted subsets, their mean score and its
    quartiles (0 where `none` is accepted; such cells are left out of x), ERM's score, which subsets are `chosen`; and the
    share of TRAINING environments that passes the scoring rule."""
    dtype = prepared.omega.dtype
    num_train, num_test = sum(M_GRID), len(M_GRID) * TESTS
    numbers = _MOST + _draws.num_sample_numbers(7)
    s = _draws.signed(key, (num_train + num_test, numbers), dtype)
    masks = jnp.asarray(MASKS, dtype)

    def moments(s, kind):
        return jax.vmap(lambda one: _moment(one, kind, prepared))(s)

    def solve(M, mu, kind, masks):
        return regressions(M, mu, (kind == 0).astype(dtype), prepared.centred, masks)

    M, mu = moments(s[:num_train], prepared.train)
    train = solve(M, mu, prepared.train, masks)
    average = jnp.asarray(_AVERAGE, dtype)
    pooled_moments = jnp.einsum("em,eij->mij", average, M)
    pooled = solve(pooled_moments, jnp.zeros((len(M_GRID), 7), dtype), jnp.int32(1), masks[-1:])  # [6, 1, 7]
    mean = train @ average  # [6, 63, 7]
    limit = RADIUS * _norm(mean)
    apart = _norm(train[:, :, _PAIRS[:, 0]] - train[:, :, _PAIRS[:, 1]])  # [63, 513]
    accepted = (apart @ jnp.asarray(_SPREAD, dtype) < limit).T  # [7, 63]
    passes = (_near(train, mean[:, :, _OWNER], limit[:, _OWNER]) @ average).T  # [7, 63]
    tests = jax.lax.cond(
        prepared.which == ACCEPTED,
        lambda s: (jnp.zeros((num_test, 7, 7), dtype), jnp.zeros((num_test, 7), dtype)),
        lambda s: moments(s, prepared.test),
        s[num_train:],
    )  # the number of accepted subsets needs no test
    full = solve(*tests, prepared.test, masks[-1:]).reshape(6, len(M_GRID), TESTS)
    erm = jnp.where(prepared.which == ACCEPTED, 0.0, _near(full, pooled[:, 0, :, None], RADIUS * _norm(pooled[:, 0, :, None])).mean(1))
    asked = (accepted | jnp.asarray(_ALWAYS)[prepared.which][None]) & (prepared.which != ACCEPTED)
    scores = _scores(*tests, asked, mean, limit, prepared)
    weight = accepted.astype(dtype)
    count = weight.sum(1)
    some = count > 0
    by_m = jnp.where(some, (scores * weight).sum(1) / jnp.maximum(count, 1), 0.0)
    score = by_m.sum() / jnp.maximum(some.sum(), 1).astype(dtype)
    train_pass = jnp.where(some, (passes * weight).sum(1) / jnp.maximum(count, 1), 0.0).sum() / jnp.maximum(some.sum(), 1).astype(dtype)
    shares = scores.mean(0) / TESTS
    statistics = [
        score,
        jnp.minimum(count.mean(), prepared.cap),
        erm.mean(),
        shares[SUBSETS.index((3,))],
        shares[np.array(BLANKETS)].mean(),
    ]
    x = jnp.stack(statistics)[prepared.which]
    ordered = jnp.sort(jnp.where(accepted, scores, jnp.inf), axis=1)
    place = jnp.asarray(BOX, dtype)[None] * jnp.maximum(count - 1, 0)[:, None]  # [7, 5]
    low, high = (jnp.take_along_axis(ordered, f(place).astype(jnp.int32), axis=1) for f in (jnp.floor, jnp.ceil))
    box = jnp.where(some[:, None], low + jnp.where(high > low, (place - jnp.floor(place)) * (high - low), 0.0), 0.0)
    return {
        "x": x, "score": by_m, "count": count, "box": box, "erm": erm, "train_pass": train_pass, "chosen": accepted,
        "none": (~some).astype(dtype),
    }  # fmt: skip
