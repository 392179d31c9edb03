"""EXACT checks: the facts L1 to L9, the span of the training environments, indirect observation; host, float64."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.invariance import _graphs
from theory.invariance import _arguments, _certificates, _dimensions, _sem, _separation

__all__ = [
    "CapacityCell",
    "FamilyCell",
    "FunctionalCell",
    "IndirectCell",
    "KappaCell",
    "MinorCell",
    "PerturbationCell",
    "RankCell",
    "SeparationCell",
    "SpanCell",
    "evaluate_capacity",
    "evaluate_dilation",
    "evaluate_functionals",
    "evaluate_indirect",
    "evaluate_kappa_curve",
    "evaluate_minors",
    "evaluate_moments",
    "evaluate_perturbation",
    "evaluate_rank",
    "evaluate_separation",
    "evaluate_span",
]

FILLER = 4  # nodes added to show that the rank does not see them


def _random_pair(rng, d, k, spread=0.0):
    """(V, beta): a uniform k-dimensional subspace and a Gaussian beta in it, its norm multiplied by 10^±spread."""
    V = np.linalg.qr(rng.standard_normal((d, k)))[0]
    return V, V @ rng.standard_normal(k) * 10 ** rng.uniform(-spread, spread)


# --- L1 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class FamilyCell:
    """A family of interventions on a random graph of p nodes, in-degree at most q, K sites."""

    family: str
    p: int = 7
    q: int = 2
    K: int = 2


def validate_family(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.family("invariance", cell.family)
    _arguments.integer("invariance", "p", cell.p, 3, 64)
    _arguments.integer("invariance", "q", cell.q, 1, 8)
    _arguments.integer("invariance", "K", cell.K, 1, cell.p - 2)


def node_by_node(B, omega, mu):
    """E X X^T from the structural equations, one node after the other: nodes in topological order, nothing inverted."""
    p = len(B)
    M, mean = np.zeros((p, p)), np.zeros(p)
    for i in range(p):
        mean[i] = B[i] @ mean + mu[i]
        M[i, :i] = M[:i, i] = M[:i, :i] @ B[i, :i] + mu[i] * mean[:i]
        M[i, i] = B[i, :i] @ M[:i, i] + mu[i] * (B[i] @ mean) + omega[i] + mu[i] ** 2
    return M


def evaluate_moments(cell, rng, keep_noise=False):
    """Largest relative difference between L1 and the moments node by node. keep_noise: sites keep their noise in L1 alone."""
    for i in range(12):
        model = _graphs.random_model(rng, cell.p, cell.q, cell.K)
        B, omega, mu = (a[0] for a in _graphs.draw(rng, cell.family, model, 1))
        truth = node_by_node(B, omega, mu)
        if keep_noise:
            omega = np.where(model.slots.node > 0, model.omega, omega)
        yield Case(f"graph {i}", float(np.abs(_sem.moments(B, omega, mu) - truth).max() / np.abs(truth).max()))


# --- L2 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class RankCell:
    """Random graphs of p nodes: K up to 3 sites, in-degrees up to 3, whatever the target."""

    family: str
    p: int
    num_graphs: int = 10


def validate_rank(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    allowed = [f for f in _arguments.FAMILIES if f != "rademacher"]
    _arguments.require(cell.family in allowed, "invariance", f"family must be one of {', '.join(allowed)}, got {cell.family!r}.")
    _arguments.integer("invariance", "p", cell.p, 3, 64)
    _arguments.integer("invariance", "num_graphs", cell.num_graphs, 1, 256)


def _with_filler(rng, model, count):
    """The same model with `count` more nodes of random parents, never sites."""
    p = model.p
    B = np.zeros((p + count, p + count))
    B[:p, :p] = model.B
    for i in range(p, p + count):
        B[i, rng.choice(i, 2, replace=False)] = rng.uniform(0.5, 1.5, 2) * rng.choice([-1.0, 1.0], 2)
    return dataclasses.replace(model, B=B, omega=np.ones(p + count))


def evaluate_rank(cell, rng, what="at-most"):
    """Numerical rank of (Sigma_e, r_e) over 3 N_lin + 40 interventions; one case a graph.

    what = "at-most": any target and sites. "attained": some covariate is no site; every second graph has filler nodes. "blind":
    the target is the only node that is no site.
    """
    for i in range(cell.num_graphs):
        if what == "blind":
            model = _graphs.Model(_graphs.random_dag(rng, cell.p, 3), np.ones(cell.p), 0, tuple(range(1, cell.p)))
        else:
            model = _graphs.random_model(rng, cell.p, int(rng.integers(1, 4)), int(rng.integers(1, min(3, cell.p - 2) + 1)))
        name = ""
        if what == "attained" and i % 2:
            model, name = _with_filler(rng, model, FILLER), f", {FILLER} filler nodes"
        dims = _dimensions.feature_dims(model.B, model.target, model.sites, cell.family)
        rank = _dimensions.feature_rank(_graphs.features_of(rng, cell.family, model, 3 * dims.n_lin + 40))
        fields = {"n_lin": dims.n_lin, "without_products": dims.without_products, "nodes": model.p}
        yield Case(f"graph {i}{name}, {len(model.sites)} sites", float(rank), fields)


# --- L3 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class MinorCell:
    """Random graphs of p nodes, a random V of dimension k, one site row on a line."""

    p: int = 9
    k: int = 3
    num_graphs: int = 30


def validate_minor(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "p", cell.p, 4, 24)
    _arguments.integer("invariance", "k", cell.k, 1, cell.p - 1)
    _arguments.integer("invariance", "num_graphs", cell.num_graphs, 1, 256)


def evaluate_minors(cell, rng, order=3):
    """Largest difference of this order of det(V^T Sigma V) and of every Cramer numerator along B_s + h delta, h = 0..7,
    relative to the largest of all these minors: 0 from order 3 on if the degree is 2."""
    for i in range(cell.num_graphs):
        model = _graphs.random_model(rng, cell.p, 3, 1)
        s, V = model.sites[0], np.linalg.qr(rng.standard_normal((cell.p - 1, cell.k)))[0]
        delta = np.where(model.B[s] != 0, rng.standard_normal(cell.p), 0.0)
        B = np.repeat(model.B[None], 8, axis=0)
        B[:, s] += np.arange(8.0)[:, None] * delta
        Sigma, r, _ = _sem.split(_sem.moments(B, np.ones((8, cell.p)), np.zeros((8, cell.p))), model.target)
        inner, right = V.T @ Sigma @ V, r @ V
        values = [np.linalg.det(inner)]
        for column in range(cell.k):
            numerator = inner.copy()
            numerator[:, :, column] = right
            values.append(np.linalg.det(numerator))
        values = np.array(values)  # [k + 1, 8]
        yield Case(f"graph {i}", float(np.abs(np.diff(values, order, axis=1)).max() / np.abs(values).max()))


# --- L4 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class CapacityCell:
    """A family on the embedded core with K sites of in-degree q (6 or 7 nodes)."""

    family: str
    K: int
    q: int


def validate_capacity(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    allowed = [f for f in _arguments.FAMILIES if f != "rademacher"]
    _arguments.require(cell.family in allowed, "invariance", f"family must be one of {', '.join(allowed)}, got {cell.family!r}.")
    _arguments.integer("invariance", "K", cell.K, 1, 2)
    _arguments.integer("invariance", "q", cell.q, 1, 2)


def core_model(K, q, p=0, seed=0):
    """`embed` with p nodes, at least the core's own."""
    return _graphs.embed(max(p, q + 2 + max(K - 1, 2) + 1), K, q, seed)


def evaluate_capacity(cell, rng, gap="gradient", count=400):
    """Numerical rank of [G_h(e_j)^2 - eps_h^2] over `count` random h = (V, beta, eps), k random, and as many environments."""
    model = core_model(cell.K, cell.q)
    dims, d = _dimensions.feature_dims(model.B, model.target, model.sites, cell.family), model.p - 1
    Sigma, r, _ = _graphs.environments(rng, cell.family, model, count)
    # V^T Sigma V is singular as soon as V has more dimensions than this: K constants are one regressor
    most = d - cell.K + 1 if cell.family == "hard_const" and gap == "predictor" else d
    rows = np.empty((count, count))
    for h in range(count):
        V, beta = _random_pair(rng, d, int(rng.integers(1, most + 1)))
        eps = rng.uniform(0.0, 2.0)
        g = _sem.gap_vector(Sigma, r, V, beta)
        if gap == "predictor":
            inner = V.T @ Sigma @ V
            det = np.linalg.det(inner)
            g = np.linalg.solve(inner, g[..., None])[..., 0] * det[:, None]
            rows[h] = (g**2).sum(-1) - (eps * det) ** 2
        else:
            rows[h] = (g**2).sum(-1) - eps**2
    rank = _dimensions.feature_rank(rows, 1e-11)
    yield Case(f"{cell.family}, {gap}", float(rank), {"n_lin": dims.n_lin, "capacity": _dimensions.capacity(dims, gap)})


# --- L5 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class PerturbationCell:
    """Sample moments from N samples on B7, soft_add."""

    N: int
    num_draws: int = 40


def validate_perturbation(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(cell.N > 7, "invariance", f"N must exceed p=7, got N={cell.N}.")
    _arguments.integer("invariance", "N", cell.N, 8, 100_000)
    _arguments.integer("invariance", "num_draws", cell.num_draws, 1, 256)


def evaluate_perturbation(cell, rng, pairs=30):
    """||g^ - g|| over ||M^ - M|| sqrt(1 + ||beta||^2): random (V, beta), and the extremal pair V = R^d, beta = -v_x/v_y with v
    the top eigenvector of M^ - M, where the ratio is ||v_x||. One case a draw, its largest ratio."""
    model = _graphs.b7()
    for i in range(cell.num_draws):
        B, omega, mu = (a[0] for a in _graphs.draw(rng, "soft_add", model, 1))
        T = _sem.total_effects(B)
        X = (rng.standard_normal((cell.N, model.p)) * np.sqrt(omega)) @ T.T
        change = X.T @ X / cell.N - _sem.moments(B, omega, mu)
        values, vectors = np.linalg.eigh(change)
        norm = np.abs(values).max()
        top = vectors[:, np.abs(values).argmax()]
        Sigma, r, _ = _sem.split(change, model.target)
        d = model.p - 1
        chosen = [_random_pair(rng, d, int(rng.integers(1, d + 1)), spread=2.0) for _ in range(pairs)]
        chosen.append((np.eye(d), -top[_sem.covariates(model.p, model.target)] / top[model.target]))
        ratios = [np.linalg.norm(_sem.gap_vector(Sigma, r, V, b)) / (norm * math.sqrt(1 + b @ b)) for V, b in chosen]
        yield Case(f"draw {i}", float(max(ratios)), {"typical": float(np.median(ratios))})


# --- L7 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class FunctionalCell:
    """Random (V, beta) of dimension k on B7 with generic weights, 100 interventions soft_add for each."""

    k: int
    num_pairs: int = 5


def validate_functional(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "k", cell.k, 1, 6)
    _arguments.integer("invariance", "num_pairs", cell.num_pairs, 1, 256)


def evaluate_functionals(cell, rng, what="identity", swapped=False):
    """what = "identity": |R_e - g^T (V^T Sigma_e V)^{-1} g|, with R_e a difference of risks relative to those risks, and with R_e =
    (beta - beta*)^T Sigma_e (beta - beta*) relative to itself. "sandwich": the largest of R lmin/G^2, G^2/(R lmax), D lmin/G and
    G/(D lmax), at most 1, and equal to it for k = 1: so R is the quadratic form, which loses no digits where it is small.
    swapped: a lying world takes the identity for the inverse, and lmin for lmax. One case a pair."""
    model = _graphs.b7(seed=0)
    for i in range(cell.num_pairs):
        V, beta = _random_pair(rng, model.p - 1, cell.k)
        Sigma, r, c = _graphs.environments(rng, "soft_add", model, 100)
        inner = V.T @ Sigma @ V
        off = beta - _sem.regression(Sigma, r, V)
        R = np.einsum("ei,eij,ej->e", off, Sigma, off)
        if what == "identity":
            g = _sem.gap_vector(Sigma, r, V, beta)
            metric = np.broadcast_to(np.eye(cell.k), inner.shape) if swapped else inner
            through = (g * np.linalg.solve(metric, g[..., None])[..., 0]).sum(-1)
            defined = np.abs(through - _sem.excess_risk(Sigma, r, V, beta)) / (c + (Sigma @ beta) @ beta)
            worst = np.maximum(defined, np.abs(through - R) / R)
        else:
            G, D = _sem.gap(Sigma, r, V, beta), _sem.predictor_gap(Sigma, r, V, beta)
            values = np.linalg.eigvalsh(inner)
            low, high = (values[:, -1], values[:, 0]) if swapped else (values[:, 0], values[:, -1])
            worst = np.max([R * low / G**2, G**2 / (R * high), D * low / G, G / (D * high)], axis=0)
        yield Case(f"pair {i}, worst of 100 environments", float(worst.max()))


# --- L8 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class KappaCell:
    """n training interventions soft_add on B7, num_unseen others."""

    n: int
    num_unseen: int = 40


def validate_kappa(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "n", cell.n, 1, 2000)
    _arguments.integer("invariance", "num_unseen", cell.num_unseen, 1, 256)


def _kappas(cell, rng):
    model = _graphs.b7()
    train = _graphs.environments(rng, "soft_add", model, cell.n)[:2]
    unseen = _graphs.environments(rng, "soft_add", model, cell.num_unseen)[:2]
    rows, new = _dimensions.features(*train), _dimensions.features(*unseen)
    return train, unseen, rows, new, [_certificates.kappa(rows, z) for z in new]


def evaluate_dilation(cell, rng, pairs=50):
    """The largest G_e/(kappa(e) max_i G_{e_i}) over random (V, beta), and the same ratio of the program's own dual functional,
    which reaches 1. One case an unseen environment."""
    train, unseen, rows, new, found = _kappas(cell, rng)
    d = train[1].shape[1]
    worst = np.zeros(cell.num_unseen)
    kappas = np.array([k.value for k in found])
    for _ in range(pairs):
        V, beta = _random_pair(rng, d, int(rng.integers(1, d + 1)))
        seen = np.linalg.norm(_sem.gap_vector(*train, V, beta), axis=1).max()
        worst = np.maximum(worst, np.linalg.norm(_sem.gap_vector(*unseen, V, beta), axis=1) / (kappas * seen))
    for i, k in enumerate(found):
        if k.functional is not None:
            worst[i] = max(worst[i], abs(k.functional @ new[i]) / (k.value * np.abs(rows @ k.functional).max()))
        yield Case(f"unseen {i}, kappa {k.value:.3g}", float(worst[i]))


def evaluate_kappa_curve(cell, rng):
    """Order statistics of kappa(e) over the unseen environments: median, 90 % and the share that is finite."""
    kappas = np.sort([k.value for k in _kappas(cell, rng)[-1]])
    for name, level in (("median", 0.5), ("q90", 0.9)):
        yield Case(name, float(kappas[math.ceil(level * len(kappas)) - 1]))
    yield Case("share above 1", float(np.mean(kappas > 1)))


# --- L9 ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SeparationCell:
    """B7 and num_graphs random graphs of 7 nodes with three sites."""

    family: str
    num_graphs: int = 60


def validate_separation(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    allowed = ("soft_mult", "soft_add", "noise", "hard_noise")
    text = f"family must be one of {', '.join(allowed)}, got {cell.family!r} (hard constants make moments singular)."
    _arguments.require(cell.family in allowed, "invariance", text)
    _arguments.integer("invariance", "num_graphs", cell.num_graphs, 1, 255)


def spread(Sigma, r, chosen):
    """max_e |beta_e - mean beta| on a subset of the covariates, relative to max(1, max |beta|)."""
    index = np.asarray(chosen)
    beta = np.linalg.solve(Sigma[:, index[:, None], index], r[:, index, None])[..., 0]
    return float(np.abs(beta - beta.mean(0)).max() / max(1.0, np.abs(beta).max()))


def evaluate_separation(cell, rng, mutilated=False, num_environments=20):
    """The largest spread of the population regression over environments, among subsets that d-separate the target from the
    interventions; one case a graph."""
    for i in range(cell.num_graphs + 1):
        model = _graphs.random_model(rng, 7, 3, 3) if i else _graphs.b7()
        Sigma, r, _ = _graphs.environments(rng, cell.family, model, num_environments)
        place = {node: j for j, node in enumerate(_sem.covariates(7, model.target))}
        found = _separation.separated_subsets(model.B, model.target, model.sites, mutilated)
        worst = max((spread(Sigma, r, [place[a] for a in subset]) for subset in found), default=0.0)
        yield Case(f"graph {i}" if i else "B7", worst, {"num_subsets": len(found)})


# --- thm.exact ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SpanCell:
    """The restricted family with d covariates, K sites of in-degree q, soft_add."""

    d: int
    K: int
    q: int
    num_draws: int = 40


def validate_span(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "d", cell.d, 3, 128)
    _arguments.integer("invariance", "num_draws", cell.num_draws, 1, 256)
    _graphs.embed(cell.d + 1, cell.K, cell.q)


def evaluate_span(cell, rng, fewer=0, num_unseen=60):
    """Largest residual of unseen feature vectors, of unit norm, on the span of N_eff (minus `fewer`) training ones. A draw a case."""
    model = _graphs.embed(cell.d + 1, cell.K, cell.q)
    n = _graphs.model_ranks("soft_add", model)[0] - fewer
    for i in range(cell.num_draws):
        rows = _graphs.features_of(rng, "soft_add", model, n + num_unseen)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        basis = np.linalg.qr(rows[:n].T)[0]
        rest = rows[n:] - (rows[n:] @ basis) @ basis.T
        yield Case(f"draw {i}", float(np.linalg.norm(rest, axis=1).max()), {"n": n})


# --- thm.indirect ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class IndirectCell:
    """x~ = A x with a Gaussian A of `rows` rows; B7 with generic weights, soft_add."""

    rows: int
    num_draws: int = 10


def validate_indirect(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "rows", cell.rows, 1, 64)
    _arguments.integer("invariance", "num_draws", cell.num_draws, 1, 256)


def evaluate_indirect(cell, rng, what="identity", forget=False):
    """what = "identity": relative difference of the gap vectors of (Phi~, w) on x~ and of (Phi~ A, w) on x. "rank", "target":
    N_eff and R of x~. forget: a lying world has r in place of A r."""
    model = _graphs.b7(seed=0)
    n_eff, R = _graphs.model_ranks("soft_add", model)
    d = model.p - 1
    for i in range(cell.num_draws):
        A = rng.standard_normal((cell.rows, d))
        Sigma, r, _ = _graphs.environments(rng, "soft_add", model, 3 * n_eff + 40)
        seen, right = _sem.indirect(Sigma, r, A)
        if what == "identity":
            k = int(rng.integers(1, min(cell.rows, d) + 1))
            Phi, w = rng.standard_normal((k, cell.rows)), rng.standard_normal(k)
            right = r if forget else right
            through = (seen @ (Phi.T @ w) - right) @ Phi.T
            direct = (Sigma @ (A.T @ Phi.T @ w) - r) @ (Phi @ A).T
            value = float((np.linalg.norm(through - direct, axis=1) / np.linalg.norm(direct, axis=1)).max())
        else:
            value = float(_dimensions.feature_rank(_dimensions.features(seen, right) if what == "rank" else right))
        yield Case(f"draw {i}", value, {"n_eff": n_eff, "R": R})
