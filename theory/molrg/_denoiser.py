r"""Lemma 1: the closed-form denoiser of a mixture of low-rank Gaussians, its score and Jacobian; Theorems 1 and 3: its loss.

x_t = s x_0 + g eps. Rows of x [m, n] are points; Us is a sequence of K bases [n, d_k]. Everything in the log domain:
phi = s^2/(2 g^2 (s^2 + g^2)) is 1.2e5 at g = .002.
"""

from __future__ import annotations

import math

import numpy as np

from theory.molrg import _arguments

__all__ = [
    "energies",
    "free_gain",
    "free_loss",
    "free_shrinkage",
    "gen_posterior",
    "hardmax_loss",
    "hardmax_loss_closed_form",
    "jacobian",
    "lem1_det_weights",
    "lem1_posterior_mean",
    "lem1_weights",
    "numerical_rank",
    "pca_loss",
    "pca_loss_closed_form",
    "pca_slope",
    "penalty",
    "sc_energy",
    "score",
    "shrinkage",
    "thm3_gap",
]


def _world(fn, x, Us, pis):
    Us = [_arguments.basis(fn, U) for U in Us]
    return np.atleast_2d(_arguments.finite(fn, "x", np.atleast_2d(x), 2)), Us, _arguments.weights(fn, pis, len(Us))


def energies(x, Us):
    """||U_k^T x||^2: float64 [m, K]."""
    return np.stack([np.sum((x @ U) ** 2, axis=-1) for U in Us], axis=-1)


def _softmax(log_weights):
    weights = np.exp(log_weights - log_weights.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def lem1_weights(x, Us, pis, s, g):
    """Lemma 1's weights as quoted: w_k proportional to pi_k exp(phi ||U_k^T x_t||^2). Right only if all d_k are equal."""
    x, Us, pis = _world("lem1_weights", x, Us, pis)
    s, g = _arguments.signal_noise("lem1_weights", s, g)
    return _softmax(np.log(pis) + s**2 / (2 * g**2 * (s**2 + g**2)) * energies(x, Us))


def lem1_det_weights(x, Us, pis, s, g):
    """Weights for any d_k: those of `lem1_weights` times (g^2/(s^2 + g^2))^{d_k/2}, the ratio of det(s^2 P_k + g^2 I). Derived here."""
    x, Us, pis = _world("lem1_det_weights", x, Us, pis)
    s, g = _arguments.signal_noise("lem1_det_weights", s, g)
    dims = np.array([U.shape[1] for U in Us])
    log_factor = 0.5 * dims * (2 * math.log(g) - math.log(s**2 + g**2))
    return _softmax(np.log(pis) + log_factor + s**2 / (2 * g**2 * (s**2 + g**2)) * energies(x, Us))


def lem1_posterior_mean(x, Us, pis, s, g, weights=lem1_det_weights):
    """E[x_0|x_t] = s/(s^2 + g^2) sum_k w_k(x_t) U_k U_k^T x_t: float64 [m, n]."""
    w = weights(x, Us, pis, s, g)
    x = np.atleast_2d(np.asarray(x, dtype=np.float64))
    return s / (s**2 + g**2) * sum(w[:, k : k + 1] * ((x @ U) @ U.T) for k, U in enumerate(Us))


def score(x, Us, pis, s, g):
    """grad ln p_t(x_t) = (s E[x_0|x_t] - x_t)/g^2: float64 [m, n]."""
    return (s * lem1_posterior_mean(x, Us, pis, s, g) - np.atleast_2d(x)) / g**2


def jacobian(x, Us, pis, s, g):
    """Jacobian of the posterior mean at one point x [n], rows outputs: float64 [n, n]. Derived here.

    s/(s^2+g^2) [sum w_k P_k + 2 phi (sum w_k P_k x x^T P_k - m m^T)], m = sum w_k P_k x.
    """
    (w,) = lem1_det_weights(x, Us, pis, s, g)
    x = np.asarray(x, dtype=np.float64)
    phi = s**2 / (2 * g**2 * (s**2 + g**2))
    projected = [U @ (U.T @ x) for U in Us]
    m = sum(wk * p for wk, p in zip(w, projected, strict=True))
    spread = sum(wk * np.outer(p, p) for wk, p in zip(w, projected, strict=True)) - np.outer(m, m)
    return s / (s**2 + g**2) * (sum(wk * (U @ U.T) for wk, U in zip(w, Us, strict=True)) + 2 * phi * spread)


def gen_posterior(x, Us, pis, s, g, mus, Lambdas):
    """(E[x_0|x_t] [m, n], weights [m, K]) for components N(mu_k, U_k diag(Lambda_k) U_k^T).

    Component mean mu_k + U_k D_k U_k^T (x_t - s mu_k)/s, D_k = diag(s^2 l/(g^2 + s^2 l)); weights from N(s mu_k, s^2 U_k Lambda_k
    U_k^T + g^2 I). Args: mus K of [n]; Lambdas K of [d_k], >= 0.
    """
    fn = "gen_posterior"
    x, Us, pis = _world(fn, x, Us, pis)
    s, g = _arguments.signal_noise(fn, s, g)
    means, logs = [], []
    for U, pi, mu, lam in zip(Us, pis, mus, Lambdas, strict=True):
        mu, lam = _arguments.finite(fn, "mu", mu, 1), _arguments.finite(fn, "Lambda", lam, 1)
        _arguments.require(bool(np.all(lam >= 0)), fn, "Lambda must be >= 0.")
        centred = x - s * mu
        inside = centred @ U
        kept = s**2 * lam / (g**2 + s**2 * lam)
        means.append(mu + (inside * kept) @ U.T / s)
        # ||c||^2/g^2 less the part inside that has variance g^2 + s^2 l, in a form that does not cancel
        outside = np.sum((centred - inside @ U.T) ** 2, axis=-1) / g**2
        quadratic = outside + np.sum(inside**2 / (g**2 + s**2 * lam), axis=-1)
        log_det = np.sum(np.log1p(s**2 * lam / g**2))
        logs.append(math.log(pi) - 0.5 * (quadratic + log_det))
    w = _softmax(np.stack(logs, axis=-1))
    return np.einsum("mk,kmn->mn", w, np.stack(means)), w


def numerical_rank(singular_values, eta=0.99, rooted=True):
    """Smallest r with sqrt(sum_{i<=r} s_i^2) > eta sqrt(sum s_i^2); un-rooted: sum_{i<=r} s_i^2 > eta sum s_i^2. Args: [..., n]."""
    squares = np.sort(np.asarray(singular_values, dtype=np.float64) ** 2, axis=-1)[..., ::-1]
    share = np.cumsum(squares, axis=-1) / squares.sum(-1, keepdims=True)
    return np.sum(share <= (eta**2 if rooted else eta), axis=-1) + 1


# --- losses ------------------------------------------------------------------------------------------------------


def shrinkage(s, g):
    """q = s^2/(s^2 + g^2), in (0, 1)."""
    return s**2 / (s**2 + g**2)


def _residuals(scale, PX, X):
    """||scale P X - X||^2 for every scale [levels]."""
    return np.sum((scale[:, None, None] * PX - X) ** 2, axis=(1, 2))


def pca_loss(X, V, s, g):
    """sum_i E ||x_theta - x_i||^2 of x_theta = s/(s^2+g^2) V V^T x_t, for any V [n, d]. X [n, N]; s, g: one noise level, or [levels]."""
    s, g = np.broadcast_arrays(np.atleast_1d(s), np.atleast_1d(g))
    c, M = s / (s**2 + g**2), V @ V.T
    return np.squeeze(_residuals(s * c, M @ X, X) + X.shape[1] * (c * g) ** 2 * np.sum(M**2))


def pca_loss_closed_form(X, energy, d, s, g):
    """Theorem 1, orthonormal U: ||X||^2 - (2q - q^2) ||U^T X||^2 + N d s^2 g^2/(s^2 + g^2)^2, affine in the PCA energy."""
    q = shrinkage(s, g)
    return np.linalg.norm(X) ** 2 - (2 * q - q**2) * energy + X.shape[1] * d * q * (1 - q)


def pca_slope(levels, scale=1.0):
    """Slope of the mean loss over noise levels (s, g) against the energy of the basis scale * U: -mean(2q - scale^2 q^2)."""
    q = np.array([shrinkage(s, g) for s, g in levels])
    return -float(np.mean(2 * q - scale**2 * q**2))


def _level_sums(sigmas, weights):
    """A = sum lambda q, B = sum lambda q^2 at s = 1."""
    q = 1 / (1 + np.asarray(sigmas, dtype=np.float64) ** 2)
    return float(np.dot(weights, q)), float(np.dot(weights, q**2))


def free_shrinkage(sigmas, weights, lam):
    """Theorem 1 without orthonormality: the best M = V V^T of rank <= d has the top-d eigenvectors of XX^T/N with eigenvalues
    A l/(B l + A - B). Derived here: von Neumann's inequality aligns M with C, each direction is then minimised alone, and its
    gain A^2 l^2/(B l + A - B) grows with l. Args: lam [d], leading eigenvalues."""
    A, B = _level_sums(sigmas, weights)
    lam = np.asarray(lam, dtype=np.float64)
    return A * lam / (B * lam + A - B)


def free_gain(sigmas, weights, lam):
    """Least value of tr C - 2A tr MC + B tr MCM + (A - B) tr M^2 less tr C: -sum A^2 l^2/(B l + A - B) over lam [d]."""
    A, B = _level_sums(sigmas, weights)
    lam = np.asarray(lam, dtype=np.float64)
    return -float(np.sum(A**2 * lam**2 / (B * lam + A - B)))


def free_loss(sigmas, weights, C, V):
    """tr C - 2A tr MC + B tr MCM + (A - B) tr M^2 with M = V V^T: the loss over N, less a constant."""
    A, B = _level_sums(sigmas, weights)
    M = V @ V.T
    MC = M @ C
    return float(np.trace(C) - 2 * A * np.trace(MC) + B * np.sum(MC * M) + (A - B) * np.sum(M * M))


def sc_energy(X, Us):
    """sum_i max_k ||U_k^T x_i||^2 of X [n, N]: what subspace clustering maximises."""
    return float(energies(X.T, Us).max(-1).sum())


def hardmax_loss(X, Us, s, g):
    """sum_i E ||x_theta - x_i||^2, x_theta = s/(s^2+g^2) P_k x_t with k the argmax of ||U_k^T x_i||; s, g: one noise level, or [levels]."""
    s, g = np.broadcast_arrays(np.atleast_1d(s), np.atleast_1d(g))
    labels, c = energies(X.T, Us).argmax(-1), s / (s**2 + g**2)
    total = np.zeros(s.shape)
    for k, U in enumerate(Us):
        mine = X[:, labels == k]
        total += _residuals(s * c, U @ (U.T @ mine), mine) + mine.shape[1] * (c * g) ** 2 * U.shape[1]
    return np.squeeze(total)


def hardmax_loss_closed_form(X, Us, s, g, penalised=True):
    """Theorem 3: ||X||^2 - (2q - q^2) SC energy + q (1 - q) sum_i d_{k(i)}, affine in the SC energy iff all d_k are equal.

    Args: penalised: False asks for the theorem as stated and needs equal dimensions.
    Raises: ValueError for unequal dimensions without the penalty.
    """
    dims = np.array([U.shape[1] for U in Us])
    equal = len(set(dims.tolist())) == 1
    _arguments.require(penalised or equal, "hardmax_loss_closed_form", "Theorem 3 assumes equal dimensions; use penalised=True")
    q = shrinkage(s, g)
    spent = dims[energies(X.T, Us).argmax(-1)].sum()
    return float(np.linalg.norm(X) ** 2 - (2 * q - q**2) * sc_energy(X, Us) + q * (1 - q) * spent)


def penalty(sigmas, weights=None):
    """kappa = int lambda q (1 - q)/int lambda (2q - q^2): what a dimension costs, in SC energy per sample. Derived here."""
    sigmas = np.asarray(sigmas, dtype=np.float64)
    A, B = _level_sums(sigmas, np.ones(sigmas.shape) if weights is None else weights)
    return (A - B) / (2 * A - B)


def thm3_gap(d, sigma):
    """P(w_2 > w_1) for x_0 in S_1, two orthogonal subspaces of dimension d, equal weights, s = 1: P(F_{d,d} <= sigma^2/(1+sigma^2)).

    Derived here: the energies are (1 + sigma^2) chi^2_d and sigma^2 chi'^2_d.
    """
    from scipy.stats import f

    return float(f.cdf(sigma**2 / (1 + sigma**2), d, d))
