r"""L2 to L4: how many numbers an environment has, and the VC dimension of "this representation passes".

L2. With the site rows of B zeroed (B°, T° = (I - B°)^{-1}), W = T° eta with eta_S = 0 and H = T°[:, S], every intervention on S
gives X = W + H X_S with the law of W fixed. So M_e = E[W W^T] + sum_s (h_s c_s^T + c_s h_s^T) + sum_{s,s'} E_e[X_s X_s'] h_s h_s'^T
with c_s = E_e[W X_s] in the span of E[W W_l], l in P_s: all M_e lie in a space of dimension N_lin, free of d.
L3. Each directed path visits a site once, so entries of M_e have degree <= 2 in each site row; a row change delta adds
T e_s (delta^T T) to T, of rank one and linear in delta (delta^T T e_s = 0 in an acyclic graph), so by Cauchy and Binet every minor
of V^T Sigma_e V has degree <= 2 per row too. G^2 and D^2 det^2 are of degree <= 4 per row: N2 monomials.
L4. {1[f <= 0]} over a D-dimensional space of functions f has VC dimension <= D; G_e^2 - eps^2 is a quadratic form in the
N_lin numbers, one of them constant.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from theory.invariance import _arguments

__all__ = ["Dims", "ambient_vc", "capacity", "feature_dims", "feature_rank", "features", "site_reach", "vc_bound"]


@dataclasses.dataclass(frozen=True)
class Dims:
    """n_lin: L2's bound on the dimension of the moments. n1, n2: monomials of M_e and of G^2 - eps^2. n2_predictor: of
    (D^2 - eps^2) det^2. without_products: 1 + sum |P_s|, the count that forgets the products of sites (wrong)."""

    n_lin: int
    n1: int
    n2: int
    n2_predictor: int
    without_products: int


def site_reach(B, sites):
    """{s: P_s}, P_s the non-site parents of all sites that are s or an ancestor of s."""
    p = len(B)
    reach = np.eye(p, dtype=bool)
    for _ in range(p.bit_length()):
        reach = reach | (reach.astype(float) @ (reach | (B != 0)).astype(float) > 0)
    others = set(sites)
    above = {s: [a for a in sites if reach[s, a]] for s in sites}
    return {s: {int(j) for a in above[s] for j in np.flatnonzero(B[a]) if int(j) not in others} for s in sites}


def feature_dims(B, target, sites, family):
    """L2, L3: the dimensions of a family of interventions on `sites`.

    Args: B [p, p] acyclic; target, sites: nodes; family: a name of FAMILIES but "rademacher", which has no sites.
    Returns: Dims. Raises: ValueError.
    """
    B, target, sites = _arguments.intervention("feature_dims", B, target, sites, family)
    _arguments.require(family != "rademacher", "feature_dims", "rademacher flips every edge, so no set of sites bounds its dimension.")
    K = len(sites)
    if family in _arguments.SOFT:
        reach = sum(len(parents) for parents in site_reach(B, sites).values())
        degrees = [int(np.count_nonzero(B[s])) for s in sites]
        n1 = math.prod(math.comb(q + 2, 2) for q in degrees)
        n2 = math.prod(math.comb(q + 4, 4) for q in degrees)
        return Dims(1 + reach + K * (K + 1) // 2, n1, n2, n2, 1 + reach)
    if family == "hard_const":
        n_lin = 1 + K * (K + 1) // 2
        n2 = n_lin + math.comb(K + 3, 4)
        return Dims(n_lin, n_lin, n2, n2, 1)
    return Dims(K + 1, K + 1, math.comb(K + 2, 2), 3**K, 1)


_PER_PARAMETER = 2 * math.log2(72)  # polynomials of degree 6, one sign test (Anthony and Bartlett, thm 8.3)


def ambient_vc(d, k):
    """2 (k d + k) log2(72), from the k d + k entries of (Phi, w): the VC dimension at one eps, fixed before the data are seen."""
    d = _arguments.integer("ambient_vc", "d", d)
    k = _arguments.integer("ambient_vc", "k", k, 1, d)
    return (k * d + k) * _PER_PARAMETER


def vc_bound(dims, d, k, gap="gradient"):
    """L4: v = min{N2, N_lin (N_lin + 1)/2, ambient}, the VC dimension of the sets {e : G_e <= eps} over all (V, beta) and eps.

    Ambient: `ambient_vc` with eps as one parameter more; the monomial counts hold for all eps as they stand.

    Args: dims: from `feature_dims`. d: covariates; k: dimension of the representation. gap: "gradient", or "predictor" for D,
      where only the monomial count applies.
    Returns: float; v may be fractional. Raises: ValueError.
    """
    ambient = ambient_vc(d, k) + _PER_PARAMETER
    allowed = ("gradient", "predictor")
    _arguments.require(gap in allowed, "vc_bound", lambda: f"gap must be one of {', '.join(allowed)}, got {gap!r}.")
    return capacity(dims, gap) if gap == "predictor" else min(capacity(dims), ambient)


def features(Sigma, r):
    """Each environment's feature vector, upper triangle of Sigma_e then r_e: [n, d (d + 1)/2 + d]."""
    rows, columns = np.triu_indices(np.shape(Sigma)[-1])
    return np.concatenate([np.asarray(Sigma)[..., rows, columns], np.asarray(r)], axis=-1)


def capacity(dims, gap="gradient"):
    """L4: the dimension of the space that all G_e^2 - eps^2 lie in, min{N2, N_lin (N_lin + 1)/2}; of (D_e^2 - eps^2) det^2: N2."""
    return float(dims.n2_predictor) if gap == "predictor" else min(float(dims.n2), dims.n_lin * (dims.n_lin + 1) / 2)


def feature_rank(rows, tolerance=1e-9):
    """Numerical rank of rows [n, m], each scaled to unit norm first; zero rows count nothing."""
    rows = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.any():
        return 0
    values = np.linalg.svd(rows / np.where(norms > 0, norms, 1.0), compute_uv=False)
    return int((values > tolerance * values[0]).sum())
