"""Adversaries: representations that pass training exactly or within eps and fail on as many new interventions as they can.

All are one-dimensional, V = span u and beta = s u, so the gap is |s u^T Sigma_e u - u^T r_e|. Environments are seen through
coordinates phi(e) in which (Sigma_e, r_e) is linear: for few sites the monomials of degree <= 2 in each site row (L3), so
that a step costs nothing in the number of covariates but one quadratic form; for all sites the entries themselves.
What they find is a LOWER bound on the worst representation.
"""

from __future__ import annotations

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.invariance import _draws, _graphs
from theory.invariance import _arguments, _bounds, _dimensions, _sem

__all__ = [
    "DimensionCell",
    "EpsPrepared",
    "NullCell",
    "NullPrepared",
    "PacCell",
    "PairPrepared",
    "PhaseCell",
    "PhasePrepared",
    "UncountedPrepared",
    "prepare_eps",
    "prepare_null",
    "prepare_pair",
    "prepare_phase",
    "prepare_uncounted",
    "simulate_eps",
    "simulate_null",
    "simulate_pair",
    "simulate_phase",
    "simulate_uncounted",
    "validate_dimension",
    "validate_null",
    "validate_pac",
    "validate_phase",
]

FAMILY = "soft_add"


# --- coordinates -------------------------------------------------------------------------------------------------------


def monomials(model):
    """(exponents int32 [m, num_edges], S [m, d, d], b [m, d]): Sigma_e = sum_j phi_j S_j, r_e = sum_j phi_j b_j, phi_j the
    product of z_i^exponents[j, i]; soft_add with v = 1. Degree at most 2 in each site row."""
    rows = [np.flatnonzero(model.B[s]).size for s in model.sites]
    per_site = [[e for e in itertools.product(range(3), repeat=q) if sum(e) <= 2] for q in rows]
    exponents = np.array([sum(parts, ()) for parts in itertools.product(*per_site)], dtype=np.int32)
    rng = np.random.default_rng(len(exponents))
    z = rng.uniform(-1, 1, (2 * len(exponents) + 10, exponents.shape[1]))
    B, omega, mu = _sem.intervene(FAMILY, model.B, model.omega, model.slots.edge, model.slots.node, z, 1.0, model.target)
    Sigma, r, _ = _sem.split(_sem.moments(B, omega, mu), model.target)
    phi = np.prod(z[:, None, :] ** exponents, axis=2)
    solved = np.linalg.lstsq(phi, np.concatenate([Sigma.reshape(len(z), -1), r], axis=1), rcond=None)[0]
    d = model.p - 1
    return exponents, solved[:, : d * d].reshape(-1, d, d), solved[:, d * d :]


def phi_of(z, exponents):
    """Monomials of draws z [n, num_edges]: [n, m]."""
    powers = jnp.stack([jnp.ones_like(z), z, z * z], axis=-1)  # [n, edges, 3]
    chosen = [powers[:, i, :][:, exponents[:, i]] for i in range(z.shape[1])]
    phi = chosen[0]
    for more in chosen[1:]:
        phi = phi * more
    return phi


def _forms(u, S, b):
    """(alpha, beta) [starts, m] with u^T Sigma_e u = phi_e . alpha and u^T r_e = phi_e . beta."""
    return jnp.einsum("mij,ki,kj->km", S, u, u), u @ b.T


def _packed(d):
    """Rows and columns of a symmetric matrix's upper triangle, and how often each entry stands in the matrix."""
    rows, columns = np.triu_indices(d)
    return rows, columns, np.where(rows == columns, 1.0, 2.0)


def _dense_forms(u):
    """The same for phi_e = (packed Sigma_e, r_e) itself: [starts, d (d + 1)/2], [starts, d]. Products with unit vectors pick the
    factors: a gather's gradient would be a slow scatter."""
    rows, columns, _ = _packed(u.shape[1])
    unit = np.eye(u.shape[1])
    return (u @ jnp.asarray(unit[:, rows], u.dtype)) * (u @ jnp.asarray(unit[:, columns], u.dtype)), u


# --- eps-adversary -----------------------------------------------------------------------------------------------------

GRID = 9  # feasible scales tried
CLOSE = 1 - 1e-3  # feasible means within this share of eps, so that float32 cannot overrule it


def eps_adversary(forms, train, mask, right, search, fresh, start, eps, steps):
    """F of the worst representation found that passes training within eps: dict of failure, share of feasible starts, failure on
    the search sample, and the representation (u [d], s).

    forms: u [starts, d] -> (alpha, beta) [starts, m], [starts, m']. train, search, fresh: the pair of phi [n, m] and phi' [n, m']
    that they multiply; mask [n]; right: training r's [n, d].
    start: normal numbers [starts, d + 1]. Half of the starts are the weakest directions of the training r's with s = 0.
    Adam on -mean sigmoid((|h|/eps - 1)/.3) + 3 (mean xi^2 + max xi), xi the excess of the training gaps over eps; then exact
    repair: the feasible scales are an interval, GRID of them are tried on `search`, and the best is reported on `fresh`.
    """
    starts, d = start.shape[0], start.shape[1] - 1
    weak = min(starts // 2, d)
    right = right * mask[:, None]
    directions = jnp.linalg.eigh(right.T @ right)[1][:, :weak].T
    u0 = jnp.concatenate([directions, start[weak:, :d]])
    s0 = jnp.concatenate([jnp.zeros((weak,), start.dtype), start[weak:, d]])

    def gaps(u, s, phi):
        alpha, beta = forms(u)
        return s[:, None] * (alpha @ phi[0].T) - beta @ phi[1].T

    def unit(u):
        return u / jnp.sqrt(jnp.sum(u * u, axis=1, keepdims=True))

    def loss(parameters):
        u, s = unit(parameters[0]), parameters[1]
        excess = jnp.maximum(jnp.abs(gaps(u, s, train)) / eps - 1, 0) * mask[None]
        found = jax.nn.sigmoid((jnp.abs(gaps(u, s, search)) / eps - 1) / 0.3).mean(1)
        return jnp.sum(-found + 3 * (jnp.sum(excess**2, axis=1) / mask.sum() + excess.max(1)))

    def step(t, state):
        parameters, first, second = state
        gradient = jax.grad(loss)(parameters)
        share = (t + 1).astype(start.dtype)
        rate = 0.03 * 0.5 * (1 + jnp.cos(np.pi * (share - 1) / steps))
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g * g, second, gradient)
        moved = jax.tree.map(
            lambda x, m, v: x - rate * (m / (1 - 0.9**share)) / (jnp.sqrt(v / (1 - 0.99**share)) + 1e-8), parameters, first, second
        )
        return moved, first, second

    zero = jax.tree.map(jnp.zeros_like, (u0, s0))
    (u, _), _, _ = jax.lax.fori_loop(0, steps, step, ((u0, s0), zero, zero))
    u = unit(u)
    alpha, beta = forms(u)
    a, b = alpha @ train[0].T, beta @ train[1].T
    off = jnp.asarray(np.inf, a.dtype)
    low = jnp.where(mask[None] > 0, (b - CLOSE * eps) / a, -off).max(1)
    high = jnp.where(mask[None] > 0, (b + CLOSE * eps) / a, off).min(1)
    feasible = low <= high
    scales = low[:, None] + (high - low)[:, None] * jnp.linspace(0, 1, GRID, dtype=a.dtype)[None]

    def failure(phi):  # [starts, GRID]
        h = scales[:, :, None] * (alpha @ phi[0].T)[:, None] - (beta @ phi[1].T)[:, None]
        return jnp.mean((jnp.abs(h) > eps).astype(a.dtype), axis=2)

    seen = jnp.where(feasible[:, None], failure(search), -1.0)
    best = jnp.argmax(seen)
    reported = jnp.where(feasible.any(), failure(fresh).ravel()[best], 0.0)
    return {
        "failure": reported, "feasible": jnp.mean(feasible.astype(a.dtype)), "search": jnp.maximum(seen.max(), 0.0),
        "u": u[best // GRID], "s": scales.ravel()[best],
    }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class PacCell:
    """n training interventions on the restricted family embed(p, K, q), soft_add; delta: allowed probability of a violation."""

    n: int
    p: int = 7
    K: int = 1
    q: int = 1
    delta: float = 0.2
    eps: float = 0.1


def validate_pac(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _graphs.embed(cell.p, cell.K, cell.q)
    _arguments.integer("invariance", "n", cell.n, 1, 20_000)
    _arguments.integer("invariance", "p", cell.p, 4, 600)
    _arguments.integer("invariance", "K", cell.K, 1, 3)
    _arguments.integer("invariance", "q", cell.q, 1, 4)
    _arguments.open_unit("invariance", "delta", cell.delta)
    _arguments.positive("invariance", "eps", cell.eps)


@register
@dataclasses.dataclass(frozen=True)
class EpsPrepared:
    most: int  # n is padded to this
    search: int
    fresh: int
    starts: int
    steps: int
    n: np.ndarray  # int32 []
    exponents: np.ndarray  # int32 [m, edges]
    S: np.ndarray  # [m, d, d]
    b: np.ndarray  # [m, d]
    eps: float
    threshold: float
    reach: float  # 1; in a lying world new interventions are so many times as large as those of training


def capacity_of(p, K, q):
    """v of the embedded family for one-dimensional representations."""
    model = _graphs.embed(p, K, q)
    return _dimensions.vc_bound(_dimensions.feature_dims(model.B, model.target, model.sites, FAMILY), p - 1, 1)


def prepare_eps(cell, share=1.0, reach=1.0, starts=8, steps=300, search=1000, fresh=1000, most=200):
    """PacCell -> EpsPrepared. Lying worlds: `share` of the bound is claimed; new interventions are `reach` times as large."""
    exponents, S, b = monomials(_graphs.embed(cell.p, cell.K, cell.q))
    bound = _bounds.blumer_rho(cell.n, capacity_of(cell.p, cell.K, cell.q), cell.delta)
    return EpsPrepared(
        most=max(most, cell.n), search=search, fresh=fresh, starts=starts, steps=steps, n=np.asarray(cell.n, np.int32),
        exponents=exponents, S=S, b=b, eps=cell.eps, threshold=share * bound, reach=reach,
    )  # fmt: skip


def _numbers(key, prepared, count, d, edges):
    """(z [count, edges], normal [starts, d + 1]) from one call of the generator."""
    size = count * edges
    s = _draws.signed(key, (size + prepared.starts * (d + 1),), prepared.S.dtype)
    return s[:size].reshape(count, edges), _draws.normal(s[size:]).reshape(prepared.starts, d + 1)


def simulate_eps(key, prepared):
    """Whether the adversary fails on more than the threshold; `failure` is its share of new environments."""
    most, search = prepared.most, prepared.search
    z, start = _numbers(key, prepared, most + search + prepared.fresh, prepared.b.shape[1], prepared.exponents.shape[1])
    trained_on = jnp.arange(most + search + prepared.fresh, dtype=jnp.int32) < most
    phi = phi_of(jnp.where(trained_on[:, None], z, prepared.reach * z), prepared.exponents)
    mask = (jnp.arange(most, dtype=jnp.int32) < prepared.n).astype(phi.dtype)
    found = eps_adversary(
        lambda u: _forms(u, prepared.S, prepared.b), (phi[:most],) * 2, mask, phi[:most] @ prepared.b, (phi[most : most + search],) * 2,
        (phi[most + search :],) * 2, start, prepared.eps, prepared.steps,
    )  # fmt: skip
    kept = {name: found[name] for name in ("failure", "feasible", "search")}
    return {"x": (found["failure"] > prepared.threshold).astype(phi.dtype), **kept}


@register
@dataclasses.dataclass(frozen=True)
class UncountedPrepared:
    n: int
    search: int
    fresh: int
    exponents: np.ndarray
    b: np.ndarray
    eps: float
    threshold: float


def prepare_uncounted(cell):
    """PacCell -> UncountedPrepared: a lying world claims ln(1/delta)/n, right for ONE representation fixed in advance."""
    exponents, _, b = monomials(_graphs.embed(cell.p, cell.K, cell.q))
    return UncountedPrepared(
        n=cell.n, search=200, fresh=400, exponents=exponents, b=b, eps=cell.eps, threshold=float(np.log(1 / cell.delta) / cell.n)
    )


def simulate_uncounted(key, prepared):
    """Whether the null representation, exactly invariant on training, fails on more than the threshold."""
    failure = simulate_null(key, prepared)
    return (failure > prepared.threshold).astype(failure.dtype)


# --- dimension ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class DimensionCell:
    """Nested graphs embed(d + 1, 1, 2) and embed(small + 1, 1, 2), n training interventions."""

    d: int
    n: int
    small: int = 6
    eps: float = 0.1


def validate_dimension(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "d", cell.d, 6, 600)
    _arguments.integer("invariance", "small", cell.small, 6, cell.d)
    _arguments.integer("invariance", "n", cell.n, 1, 20_000)
    _arguments.positive("invariance", "eps", cell.eps)


@register
@dataclasses.dataclass(frozen=True)
class PairPrepared:
    """Two nested graphs; with `dense`, every node that has a parent is a site, and S and b are unused."""

    most: int
    search: int
    fresh: int
    starts: int
    steps: int
    target: int
    dense: bool
    n: np.ndarray
    exponents: np.ndarray
    S: np.ndarray
    b: np.ndarray
    S_small: np.ndarray
    b_small: np.ndarray
    B: np.ndarray  # [p, p]
    B_small: np.ndarray
    eps: float


def prepare_pair(cell, everywhere=False, starts=12, steps=300, search=300, fresh=500, most=20):
    """DimensionCell -> PairPrepared. everywhere: a lying world intervenes on every node that has a parent."""
    large, small = (_graphs.embed(d + 1, 1, 2) for d in (cell.d, cell.small))
    exponents, S, b = monomials(large)
    _, S_small, b_small = monomials(small)
    return PairPrepared(
        most=max(most, cell.n), search=search, fresh=fresh, starts=starts, steps=steps, target=large.target, dense=everywhere,
        n=np.asarray(cell.n, np.int32), exponents=exponents, S=S, b=b, S_small=S_small, b_small=b_small, B=large.B, B_small=small.B,
        eps=cell.eps,
    )  # fmt: skip


def _one_dimension(z, start, prepared, S, b, B):
    """The adversary's failure on one of the graphs; z [count, p p] where all nodes are sites, else [count, edges]."""
    most, search = prepared.most, prepared.search
    mask = (jnp.arange(most, dtype=jnp.int32) < prepared.n).astype(z.dtype)
    if not prepared.dense:
        phi = (phi_of(z, prepared.exponents),) * 2
        right = phi[0][:most] @ b

        def forms(u):
            return _forms(u, S, b)
    else:
        p = B.shape[0]
        keep = _sem.covariates(p, prepared.target)
        change = z.reshape(-1, p, p)

        def moment(delta):
            root = _sem.total_effects(jnp.where(B != 0, B + delta, 0.0), jnp)
            return root @ root.T

        M = jax.vmap(moment)(change)
        rows, columns, times = _packed(len(keep))
        phi = M[:, keep[rows], keep[columns]] * jnp.asarray(times, M.dtype)[None], M[:, keep, prepared.target]
        right = phi[1][:most]
        forms = _dense_forms
    parts = (slice(most), slice(most, most + search), slice(most + search, None))
    train, looked, fresh = (tuple(a[part] for a in phi) for part in parts)
    return eps_adversary(forms, train, mask, right, looked, fresh, start, prepared.eps, prepared.steps)["failure"]


def simulate_pair(key, prepared):
    """Failure with many covariates minus failure with few, both of the adversary, on nested graphs."""
    count = prepared.most + prepared.search + prepared.fresh
    found = []
    for key_one, S, b, B in zip(
        jax.random.split(key), (prepared.S, prepared.S_small), (prepared.b, prepared.b_small), (prepared.B, prepared.B_small), strict=True
    ):
        width = B.size if prepared.dense else prepared.exponents.shape[1]
        z, start = _numbers(key_one, prepared, count, b.shape[1], width)
        if prepared.dense:  # the target's row stays, and so does what is no edge
            rows = jnp.arange(B.shape[0], dtype=jnp.int32) == prepared.target
            z = (z.reshape(count, *B.shape) * jnp.where(rows, 0.0, 1.0)[None, :, None]).reshape(count, -1)
        found.append(_one_dimension(z, start, prepared, S, b, B))
    return {"x": found[0] - found[1], "large": found[0], "few": found[1]}


# --- null adversary ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class NullCell:
    """embed(d + 1, K, q) with R - 1 training interventions; eps: the gap above which a new environment counts as failed."""

    d: int
    K: int = 2
    q: int = 2
    eps: float = 1e-3


def validate_null(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "d", cell.d, 3, 512)
    _arguments.integer("invariance", "K", cell.K, 1, 3)
    _arguments.integer("invariance", "q", cell.q, 1, 4)
    _arguments.positive("invariance", "eps", cell.eps)
    _graphs.embed(cell.d + 1, cell.K, cell.q)


@register
@dataclasses.dataclass(frozen=True)
class NullPrepared:
    n: int
    search: int
    fresh: int
    exponents: np.ndarray
    b: np.ndarray  # [m, padded d]; a padded covariate is independent of the target
    eps: float


PADDED_COVARIATES = 36


def prepare_null(cell, more=0):
    """NullCell -> NullPrepared. more: training interventions beyond R - 1."""
    model = _graphs.embed(cell.d + 1, cell.K, cell.q)
    exponents, _, b = monomials(model)
    b = np.pad(b, ((0, 0), (0, max(0, PADDED_COVARIATES - cell.d))))
    n = _graphs.model_ranks(FAMILY, model)[1] - 1 + more
    return NullPrepared(n=n, search=200, fresh=400, exponents=exponents, b=b, eps=cell.eps)


def null_direction(train, search, eps):
    """A unit u orthogonal to the training r's [n, d] that is far from orthogonal to the `search` ones; 0 if there is none."""
    _, values, basis = jnp.linalg.svd(train, full_matrices=False)
    basis = basis * (values > 1e-9 * values[0]).astype(train.dtype)[:, None]

    def free(rows):
        return rows - (rows @ basis.T) @ basis

    _, _, directions = jnp.linalg.svd(free(search), full_matrices=False)
    directions = free(directions)
    norms = jnp.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions / jnp.where(norms > 0.5, norms, jnp.inf)
    failures = jnp.mean((jnp.abs(search @ directions.T) > eps).astype(train.dtype), axis=0)
    return directions[jnp.argmax(failures)]


def simulate_null(key, prepared):
    """Share of new environments on which beta = 0 on span u, u orthogonal to every training r, has a gap above eps."""
    n, search = prepared.n, prepared.search
    z = _draws.signed(key, (n + search + prepared.fresh, prepared.exponents.shape[1]), prepared.b.dtype)
    r = phi_of(z, prepared.exponents) @ prepared.b
    u = null_direction(r[:n], r[n : n + search], prepared.eps)
    return jnp.mean((jnp.abs(r[n + search :] @ u) > prepared.eps).astype(r.dtype))


# --- exact adversary ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class PhaseCell:
    """n training interventions on embed(d + 1, K, q); eps: the gap above which a new environment counts as failed."""

    n: int
    d: int = 12
    K: int = 2
    q: int = 2
    eps: float = 1e-3


def validate_phase(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_null(cell)
    _arguments.integer("invariance", "n", cell.n, 1, 200)


@register
@dataclasses.dataclass(frozen=True)
class PhasePrepared:
    most: int
    search: int
    fresh: int
    starts: int
    steps: int
    n: np.ndarray
    exponents: np.ndarray
    S: np.ndarray
    b: np.ndarray
    eps: float


def prepare_phase(cell, most=12, starts=6, steps=60):
    """PhaseCell -> PhasePrepared."""
    exponents, S, b = monomials(_graphs.embed(cell.d + 1, cell.K, cell.q))
    return PhasePrepared(
        most=max(most, cell.n), search=200, fresh=200, starts=starts, steps=steps, n=np.asarray(cell.n, np.int32),
        exponents=exponents, S=S, b=b, eps=cell.eps,
    )  # fmt: skip


def exact_adversary(S, b, train, mask, start, steps):
    """Solutions of s u^T Sigma_i u = u^T r_i for all training i, ||u|| = 1, by Levenberg and Marquardt from `start` [starts, d + 1]:
    (u [starts, d], s [starts], largest residual [starts]); float64."""

    Sigma, r = jnp.tensordot(train, S, 1), train @ b  # [n, d, d], [n, d]

    def system(x):
        """(residual f [n + 1], its Jacobian [n + 1, d + 1])."""
        u, s = x[:-1], x[-1]
        along = Sigma @ u  # [n, d]
        quadratic = along @ u
        f = jnp.append(mask * (s * quadratic - r @ u), u @ u - 1)
        J = jnp.concatenate([mask[:, None] * (2 * s * along - r), (mask * quadratic)[:, None]], axis=1)
        return f, jnp.concatenate([J, jnp.append(2 * u, 0.0)[None]])

    def solve(x):
        eye = jnp.eye(len(x), dtype=x.dtype)

        def step(_, state):
            x, f, J, damping = state
            new = x - jax.scipy.linalg.solve(J.T @ J + damping * eye, J.T @ f, assume_a="pos")
            tried = system(new)
            better = jnp.sum(tried[0] ** 2) < jnp.sum(f**2)
            x, f, J = jax.tree.map(lambda a, b: jnp.where(better, a, b), (new, *tried), (x, f, J))
            return x, f, J, jnp.where(better, 0.3 * damping, jnp.minimum(4 * damping, 1e8))

        x, f, _, _ = jax.lax.fori_loop(0, steps, step, (x, *system(x), jnp.asarray(1.0, x.dtype)))
        return x, jnp.abs(f).max()

    x0 = start.at[:, :-1].set(start[:, :-1] / jnp.linalg.norm(start[:, :-1], axis=1, keepdims=True))
    x, worst = jax.vmap(solve)(x0)
    return x[:, :-1], x[:, -1], worst


def simulate_phase(key, prepared):
    """1 if no representation was found that is exactly invariant on training and fails on half of the new environments.

    `null` and `exact`: failure of the best null and of the best exact adversary, 0 where there is none.
    """
    most, search = prepared.most, prepared.search
    z, start = _numbers(key, prepared, most + search + prepared.fresh, prepared.b.shape[1], prepared.exponents.shape[1])
    phi = phi_of(z, prepared.exponents)
    mask = (jnp.arange(most, dtype=jnp.int32) < prepared.n).astype(phi.dtype)
    train, looked, new = phi[:most], phi[most : most + search], phi[most + search :]
    direction = null_direction((train @ prepared.b) * mask[:, None], looked @ prepared.b, prepared.eps)
    null = jnp.mean((jnp.abs((new @ prepared.b) @ direction) > prepared.eps).astype(phi.dtype))
    u, s, worst = exact_adversary(prepared.S, prepared.b, train, mask, start, prepared.steps)
    alpha, beta = _forms(u, prepared.S, prepared.b)
    genuine = (worst < 1e-10) & (jnp.abs(s) >= 0.05)

    def failures(phi):
        gaps = jnp.abs(s[:, None] * (alpha @ phi.T) - beta @ phi.T)
        return jnp.where(genuine, jnp.mean((gaps > prepared.eps).astype(phi.dtype), axis=1), 0.0)

    exact = failures(new)[jnp.argmax(failures(looked))]
    generalises = (null < 0.5) & (exact < 0.5)
    return {"x": generalises.astype(phi.dtype), "null": null, "exact": exact, "found": genuine.any().astype(phi.dtype)}
