r"""Linear structural equation models: second moments under interventions, and three functionals of invariance.

X = B X + eta, B[i, j] the weight of edge j -> i, so X = T eta with T = (I - B)^{-1}. Moments are UNCENTRED and no intercept
is fitted anywhere: centring each environment makes hard constants invisible (surprise 6 of the ledger).
Functions with an argument `xp` also run on JAX arrays, `xp=jax.numpy`; those check nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from theory.invariance import _arguments

__all__ = [
    "B7",
    "B7_SITES",
    "B7_TARGET",
    "Slots",
    "canonical",
    "covariates",
    "excess_risk",
    "gap",
    "gap_vector",
    "indirect",
    "intervene",
    "irm_penalty",
    "moments",
    "predictor_gap",
    "raw_law",
    "regression",
    "second_moment",
    "slots",
    "split",
    "total_effects",
]


def _b7():
    B = np.zeros((7, 7))
    for parent, child in ((0, 1), (0, 2), (1, 3), (2, 3), (1, 4), (3, 4), (2, 5), (3, 5), (4, 6), (5, 6)):
        B[child, parent] = 1.0
    return B


B7 = _b7()  # the graph of the authors' notebook, unit weights
B7.flags.writeable = False
B7_TARGET = 4
B7_SITES = (2, 3, 5)


def total_effects(B, xp=np):
    """T = (I - B)^{-1} = sum_k B^k, [..., p, p], by doubling: (I + B)(I + B^2)(I + B^4) ..., finite as B is nilpotent."""
    p = B.shape[-1]
    T, power = xp.eye(p, dtype=B.dtype) + B, B
    for _ in range(1, max(1, (p - 1).bit_length())):
        power = power @ power
        T = T + T @ power
    return T


def moments(B, omega, mu, xp=np):
    """M = T (diag omega + mu mu^T) T^T, uncentred: [..., p, p]. B [..., p, p], omega and mu [..., p]."""
    T = total_effects(B, xp)
    mean = T @ mu[..., None]
    return T @ (omega[..., None] * xp.swapaxes(T, -1, -2)) + mean @ xp.swapaxes(mean, -1, -2)


def second_moment(B, omega, mu=None):
    """L1: E[X X^T] of the model, uncentred.

    Args: B: [..., p, p], acyclic in any numbering. omega: noise variances [..., p], >= 0. mu: noise means [..., p], default 0.
    Returns: float64 [..., p, p]. Raises: ValueError.
    """
    B = _arguments.graph("second_moment", B)
    p = B.shape[-1]
    omega = _arguments.variances("second_moment", omega, p, free=range(p))
    mu = np.zeros(p) if mu is None else np.asarray(mu, dtype=np.float64)
    _arguments.require(mu.shape[-1:] == (p,), "second_moment", lambda: f"mu must have {p} entries, got shape {mu.shape}.")
    return moments(B, omega, mu)


def covariates(p, target):
    """Indices of the d = p - 1 covariates: all nodes but the target."""
    return np.delete(np.arange(p), target)


def split(M, target):
    """(Sigma [..., d, d], r [..., d], c [...]) of a second moment M [..., p, p]: covariates, their products with y, E y^2."""
    keep = covariates(M.shape[-1], target)
    return M[..., keep[:, None], keep[None, :]], M[..., keep, target], M[..., target, target]


# --- interventions -----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Slots:
    """Where the numbers of one draw go. edge: int [p, p], 0 or 1 + number of the edge into a site; node: int [p], likewise
    of the site. The draw of a row family has num_edges numbers, of a node family num_sites, of `rademacher` p."""

    edge: np.ndarray
    node: np.ndarray
    num_edges: int
    num_sites: int


def slots(B, sites):
    """The Slots of a graph and its sites: edges in row order, sites in the order given."""
    edge, node = np.zeros(B.shape, dtype=np.int32), np.zeros(len(B), dtype=np.int32)
    count = 0
    for i, s in enumerate(sites):
        node[s] = i + 1
        for j in np.flatnonzero(B[s]):
            count += 1
            edge[s, j] = count
    return Slots(edge, node, count, len(sites))


def raw_law(family):
    """("normal" | "uniform" | "sign", low, high, "edge" | "node" | "all"): the law of the numbers that a family draws."""
    return {
        "soft_mult": ("normal", 0.0, 1.0, "edge"),
        "soft_add": ("uniform", -1.0, 1.0, "edge"),
        "hard_const": ("normal", 0.0, 1.0, "node"),
        "hard_noise": ("uniform", 0.5, 2.0, "node"),
        "noise": ("uniform", 0.25, 4.0, "node"),
        "rademacher": ("sign", -1.0, 1.0, "all"),
    }[family]


def intervene(family, B, omega, edge, node, z, v, target, xp=np):
    """(B_e, omega_e, mu_e) of one draw z [..., count] of a family, count as `Slots` says; v: the family's scale.

    soft_mult multiplies every entry of a site row by v z; soft_add adds v z to every edge into a site; hard_const sets X_s
    = v z_s for the whole environment; hard_noise makes X_s noise of variance v^2 z_s; noise multiplies omega_s by z_s;
    rademacher flips every COLUMN of B by its sign and then makes the target's row positive (all nodes; the authors' test).
    """
    zero = xp.zeros((*z.shape[:-1], 1), dtype=z.dtype)
    padded = xp.concatenate([zero, z], axis=-1)
    is_site = node > 0
    still = xp.zeros((*z.shape[:-1], len(node)), dtype=z.dtype)  # means of 0, with the draw's leading axes
    if family == "rademacher":
        flipped = B * z[..., None, :]
        rows = xp.arange(len(node))[:, None] == target
        return xp.where(rows, xp.abs(flipped), flipped), omega + still, still
    if family in _arguments.SOFT:
        by_edge = xp.take(padded, edge, axis=-1)
        changed = B * v * by_edge if family == "soft_mult" else B + v * by_edge
        return xp.where(edge > 0, changed, B), omega + still, still
    by_node = xp.take(padded, node, axis=-1)
    rows = B + xp.zeros((*z.shape[:-1], 1, 1), dtype=z.dtype)
    cut = xp.where(is_site[:, None], xp.zeros_like(rows), rows)
    if family == "hard_const":
        return cut, xp.where(is_site, still, omega + still), v * by_node
    if family == "hard_noise":
        return cut, xp.where(is_site, v * v * by_node, omega + still), still
    return rows, xp.where(is_site, omega * by_node, omega + still), still


# --- invariance --------------------------------------------------------------------------------------------------------


def canonical(Phi, w):
    """(V, beta): an orthonormal basis [d, k] of the row space of Phi [k, d] and beta = Phi^T w. The scale of Phi matters for
    eps, so everything is stated in this form. Raises: ValueError if Phi is rank-deficient."""
    Phi = np.atleast_2d(np.asarray(Phi, dtype=np.float64))
    k, d = Phi.shape
    _arguments.require(k <= d, "canonical", lambda: f"k must be at most d={d}, got k={k}.")
    _arguments.require(bool(np.linalg.matrix_rank(Phi) == k), "canonical", lambda: f"Phi must have full row rank {k}.")
    return np.linalg.qr(Phi.T)[0], Phi.T @ np.asarray(w, dtype=np.float64)


def _checked(fn, Sigma, r, V, beta):
    Sigma, r = np.asarray(Sigma, dtype=np.float64), np.asarray(r, dtype=np.float64)
    V, beta = _arguments.orthonormal(fn, V), np.asarray(beta, dtype=np.float64)
    d = V.shape[0]
    ok = Sigma.shape[-2:] == (d, d) and r.shape[-1:] == (d,) and beta.shape == (d,)
    _arguments.require(ok, fn, lambda: f"Sigma, r and beta must fit V of d={d}, got {Sigma.shape}, {r.shape}, {beta.shape}.")
    inside = np.allclose(V @ (V.T @ beta), beta, atol=1e-8 * max(1.0, float(np.abs(beta).max())))
    _arguments.require(bool(inside), fn, "beta must lie in the span of V.")
    return Sigma, r, V, beta


def gap_vector(Sigma, r, V, beta):
    """g_e = V^T (Sigma_e beta - r_e): [..., k]; not checked."""
    return (Sigma @ beta - r) @ V


def gap(Sigma, r, V, beta):
    """Gradient gap G_e = ||V^T (Sigma_e beta - r_e)||, the default functional: [...].

    Args: Sigma [..., d, d], r [..., d], V [d, k] orthonormal, beta [d] in span V. Raises: ValueError.
    """
    return np.linalg.norm(gap_vector(*_checked("gap", Sigma, r, V, beta)), axis=-1)


def regression(Sigma, r, V):
    """beta*_e(V) = V (V^T Sigma_e V)^{-1} V^T r_e, the best head on V in every environment: [..., d]; not checked."""
    return np.linalg.solve(V.T @ Sigma @ V, (r @ V)[..., None])[..., 0] @ V.T


def predictor_gap(Sigma, r, V, beta):
    """Predictor gap D_e = ||beta - beta*_e(V)||: [...]. Undefined (LinAlgError) where V^T Sigma_e V is singular. Args as `gap`."""
    Sigma, r, V, beta = _checked("predictor_gap", Sigma, r, V, beta)
    return np.linalg.norm(beta - regression(Sigma, r, V), axis=-1)


def excess_risk(Sigma, r, V, beta):
    """Excess risk R_e = E_e (y - beta^T x)^2 - min over heads on V, from the risks themselves: [...]. Args as `gap`."""
    Sigma, r, V, beta = _checked("excess_risk", Sigma, r, V, beta)
    best = regression(Sigma, r, V)

    def risk(b):
        return np.einsum("...i,...ij,...j->...", b, Sigma, b) - 2 * np.einsum("...i,...i->...", b, r)

    return risk(np.broadcast_to(beta, best.shape)) - risk(best)


def irm_penalty(Sigma, r, beta):
    """IRMv1's published penalty, (d/dw risk(w beta) at w = 1)^2 = 4 (beta^T Sigma beta - beta^T r)^2 = 4 ||beta||^2 G^2 with V =
    span beta: [...]."""
    Sigma, r, beta = (np.asarray(a, dtype=np.float64) for a in (Sigma, r, beta))
    return 4 * (np.einsum("i,...ij,j->...", beta, Sigma, beta) - r @ beta) ** 2


def indirect(Sigma, r, A):
    """(A Sigma A^T, A r): the moments of x~ = A x [d~, d], the target observed directly. Raises: ValueError."""
    A = np.atleast_2d(np.asarray(A, dtype=np.float64))
    d = np.asarray(r).shape[-1]
    _arguments.require(A.shape[-1] == d, "indirect", lambda: f"A must have d={d} columns, got {A.shape[-1]}.")
    return A @ Sigma @ A.T, r @ A.T
