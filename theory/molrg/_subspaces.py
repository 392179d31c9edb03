r"""Subspace errors, what they mean for distributions, and the deterministic bounds of Theorems 2 and 4.

Throughout: U* [n, d] the truth, X = U* A + E [n, N] the samples, P = U U^T, err(U, V) = ||UU^T - VV^T||_F.
"""

from __future__ import annotations

import math

import numpy as np

from theory.molrg import _arguments

__all__ = [
    "error_cap",
    "flow_distance",
    "principal_angles",
    "rank_part",
    "subspace_error",
    "thm2i_det_bound",
    "thm2i_rank_bound",
    "thm2ii_bayes",
    "thm2ii_bound",
    "thm2ii_sharp",
    "tie_ratio",
    "w2_of_angles",
    "w2_of_bases",
]


def subspace_error(U, V):
    """err = ||UU^T - VV^T||_F of two subspaces of equal dimension, as sqrt(2) ||(I - VV^T) U||_F.

    The form sqrt(2d - 2 ||U^T V||^2) would bottom out at 1e-7. Args: [n, d] each, orthonormal. Raises: ValueError.
    """
    U, V = _arguments.basis("subspace_error", U), _arguments.basis("subspace_error", V)
    _arguments.require(U.shape == V.shape, "subspace_error", f"bases must have equal shapes, got {U.shape} and {V.shape}.")
    return math.sqrt(2) * float(np.linalg.norm(U - V @ (V.T @ U)))


def error_cap(n, d):
    """The largest possible err: sqrt(2 min(d, n - d)). A bound no smaller says nothing."""
    n, d = _arguments.dimensions("error_cap", n, d)
    return math.sqrt(2 * min(d, n - d))


def principal_angles(U, V):
    """Principal angles [d] in radians, ascending, from sines and cosines so that small ones keep their digits."""
    U, V = _arguments.basis("principal_angles", U), _arguments.basis("principal_angles", V)
    cosines = np.linalg.svd(V.T @ U, compute_uv=False)
    sines = np.linalg.svd(U - V @ (V.T @ U), compute_uv=False)[::-1]
    return np.sort(np.arctan2(np.sort(sines), np.clip(np.sort(cosines)[::-1], 0, 1)))


def w2_of_angles(theta):
    """[err^2, W2^2(N(0, P), N(0, Q))] from the principal angles of P and Q: 2 sum sin^2 and 2 sum (1 - cos).

    Hence err^2/2 <= W2^2 <= err^2: the subspace error is a distance of distributions. (Derived here: 1 - cos t <=
    sin^2 t <= 2 (1 - cos t) on [0, pi/2].) Args: theta [d], radians in [0, pi/2].
    """
    theta = _arguments.finite("w2_of_angles", "theta", theta, 1)
    return np.array([2 * np.sum(np.sin(theta) ** 2), 4 * np.sum(np.sin(theta / 2) ** 2)])


def w2_of_bases(U, V):
    """W2^2(N(0, UU^T), N(0, VV^T)) by the Gaussian formula tr P + tr Q - 2 ||P^{1/2} Q^{1/2}||_*; P and Q are their own roots."""
    U, V = _arguments.basis("w2_of_bases", U), _arguments.basis("w2_of_bases", V)
    P, Q = U @ U.T, V @ V.T
    return float(np.trace(P) + np.trace(Q) - 2 * np.linalg.svd(P @ Q, compute_uv=False).sum())


def flow_distance(err, sigma_T):
    """Root mean square distance of what two denoisers make of the same noise: err sigma_T / sqrt(1 + sigma_T^2).

    K = 1, probability flow from x_T ~ N(0, sigma_T^2 I): x_0 = P x_T / sqrt(1 + sigma_T^2) exactly. Derived here.
    """
    return err * sigma_T / math.sqrt(1 + sigma_T**2)


# --- upper bounds, N >= d ----------------------------------------------------------------------------------------


def thm2i_det_bound(E_fro, smin):
    r"""err <= 2 ||E||_F / smin(A), for every E, every N >= d and every tie-break of PCA. Derived here; sharp (`tie_ratio`).

    Proof. M = U*A, X = M + E, X2 = (I - P)X for the PCA projector P, F = (I - P)E. For T = P + (I - P)/2, TM has rank <= d,
    so Eckart-Young gives ||X2||^2 <= ||X - TM||^2 = ||PE||^2 + ||X2 + F||^2/4. By the parallelogram law ||(I - P)M||^2 =
    ||X2 - F||^2 = 2||X2||^2 + 2||F||^2 - ||X2 + F||^2 <= 2||E||^2, and ||(I - P)U*||_F smin(A) <= ||(I - P)M||_F.
    At N = d, X2 = 0 and the constant is sqrt(2).
    """
    return 2 * E_fro / smin


def rank_part(E, d):
    """||E_(d)||_F of the best rank-d approximation of E."""
    return float(np.linalg.norm(np.linalg.svd(np.asarray(E, dtype=np.float64), compute_uv=False)[:d]))


def thm2i_rank_bound(E_rank_d, smin):
    """err <= 2 sqrt(2) ||E_(d)||_F / smin(A). Derived here: restrict (I - P)M of `thm2i_det_bound` to its row space, of
    dimension <= d, and use sigma_{d+i}(X) <= sigma_i(E); 2 sqrt(2) is sharp too."""
    return 2 * math.sqrt(2) * E_rank_d / smin


def tie_ratio(delta):
    """err smin(A)/||E||_F of the tie instance, which tends to 2 as delta -> 0.

    A = sum_i s_i a_i w_i^T, E = -s_d/2 U* a_d w_d^T + (1/2 + delta) s_d v z^T with v outside U*, z in null(A): PCA
    takes v for the last direction, err = sqrt(2), ||E||_F = s_d sqrt(1/4 + (1/2 + delta)^2). Derived here.
    """
    return math.sqrt(2) / math.hypot(0.5, 0.5 + delta)


# --- lower bounds, N < d -----------------------------------------------------------------------------------------


def _fewer(fn, n, d, N):
    n, d = _arguments.dimensions(fn, n, d)
    N = _arguments.integers(fn, N=N)
    _arguments.require(d > N, fn, f"lower bound needs N < d, got N={N}, d={d}.")
    return n, d, N


def thm2ii_sharp(n, d, N):
    r"""Some PCA optimum has err >= sqrt(2 min(d - N, n - d)), for every noise E and N < d. Derived here; exact if E = 0.

    Proof. Every basis that contains col(X) is optimal. With principal angles t_i of col(X) to U*, the compression of P* to
    col(X)^perp has eigenvalues 1 (d - N times), sin^2 t_i, and zeros; the worst completion takes the d - N smallest, so
    tr(P P*) <= N if d - N <= n - d, else = 2d - n. With rank X = r < N, replace N by r: a larger bound.
    """
    n, d, N = _fewer("thm2ii_sharp", n, d, N)
    return math.sqrt(2 * min(d - N, n - d))


def thm2ii_bound(n, d, N, E_fro, c1):
    """Theorem 2 (ii): some optimum has err >= sqrt(2 min(d - N, n - d)) - c1' ||E||_F/(sqrt(d) - sqrt(N - 1)), N < d.

    The paper leaves c1' > 0 open, and its probability; both follow from `thm2ii_sharp` for any c1' >= 0, surely.
    """
    n, d, N = _fewer("thm2ii_bound", n, d, N)
    return thm2ii_sharp(n, d, N) - c1 * E_fro / (math.sqrt(d) - math.sqrt(N - 1))


def thm2ii_bayes(n, d, N):
    """Least mean of err^2 over all estimators from noiseless X, U* Haar, N < d <= n: 2 (d - N)(n - d)/(n - N).

    Derived here. Given X the rest of P* is uniform in X^perp: E[P*|X] = P_X + (d - N)/(n - N) (I - P_X); maximise
    tr(P E[P*|X]) over projectors of rank d. The generic completion attains it; independent noise cannot help.
    """
    fn = "thm2ii_bayes"
    n, d, N = (_arguments.integers(fn, **{name: v}) for name, v in (("n", n), ("d", d), ("N", N)))
    _arguments.require(N < d <= n, fn, f"bayes needs N < d <= n, got N={N}, d={d}, n={n}.")
    return 2 * (d - N) * (n - d) / (n - N)
