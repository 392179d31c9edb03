"""The algorithms in NumPy, float64: PCA with an explicit tie-break (A1), K-subspaces (A2), spectral start (A3), global solver and
enumeration (A4), and the bases and samples they are fed (S1-S3).

They serve the EXACT checks, and as the second implementation of what _clusters.py compiles.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from theory.molrg import _arguments, _denoiser
from theory.molrg import _clusters as theory

__all__ = [
    "COMPLETIONS",
    "MODES",
    "NOISES",
    "Optima",
    "bases",
    "brute_sc",
    "canonical",
    "haar",
    "kss",
    "match_error",
    "pca",
    "sample",
    "solve_sc",
    "spectral_labels",
    "subset_energies",
    "tie_noise",
]

COMPLETIONS = ("generic", "worst", "best")
MODES = ("orthogonal", "independent", "angle")
NOISES = ("none", "gaussian", "tie")
RANK_TOLERANCE = 1e-10  # relative to the largest singular value
SAME_ENERGY = 1e-9  # relative; runs of the solver that end closer than this found one optimum
EQUAL_ENERGY = 1e-12  # of enumerated partitions, whose energies are exact to 1e-15; in R^3 other ones come within 1e-9 in 7 draws of 10,000
MAX_ITERATIONS = 100


def haar(rng, n, d):
    """S1: a Haar basis [n, d]: QR of a Gaussian matrix with the signs of R's diagonal put right."""
    n, d = _arguments.dimensions("haar", n, d)
    q, r = np.linalg.qr(rng.normal(size=(n, d)))
    return q * np.sign(np.diag(r))


def bases(rng, n, dims, mode="orthogonal", angle=90.0):
    """S2: bases [n, d_k]. "orthogonal": blocks of one Haar frame; "independent"; "angle": K = 2, all principal angles equal (degrees)."""
    fn = "bases"
    n, *dims = _arguments.dimensions(fn, n, *dims)
    _arguments.one_of(fn, "mode", mode, MODES)
    if mode == "independent":
        return [haar(rng, n, d) for d in dims]
    need = sum(dims)
    _arguments.require(need <= n, fn, f"orthogonal subspaces need sum(d_k) <= n, got {need} > {n}.")
    frame = np.split(haar(rng, n, need), np.cumsum(dims)[:-1], axis=1)
    if mode == "orthogonal":
        return frame
    _arguments.require(0 < angle <= 90, fn, f"angle must be in (0, 90], got {angle}.")
    _arguments.require(len(dims) == 2 and dims[0] == dims[1], fn, "angle mode needs two subspaces of equal dimension.")
    t = math.radians(angle)
    return [frame[0], math.cos(t) * frame[0] + math.sin(t) * frame[1]]


def sample(rng, Us, counts, sigma_e=0.0, noise="gaussian"):
    """S3 with fixed counts N_k: (X [n, N], labels [N], A list of [d_k, N_k], E [n, N]), samples in the order of the clusters.

    noise "tie" (K = 1, N > d, n > d): the instance at which the deterministic bound is attained (theory's tie_ratio).
    """
    fn = "sample"
    _arguments.one_of(fn, "noise", noise, NOISES)
    counts = [_arguments.integers(fn, N=N) for N in counts]
    sigma_e = _arguments.noise_level(fn, sigma_e)
    labels = np.repeat(np.arange(len(Us)), counts)
    A = [rng.normal(size=(U.shape[1], N)) for U, N in zip(Us, counts, strict=True)]
    clean = np.concatenate([U @ a for U, a in zip(Us, A, strict=True)], axis=1)
    if noise == "tie":
        _arguments.require(len(Us) == 1, fn, "noise tie needs K = 1.")
        E = tie_noise(rng, Us[0], A[0])
    else:
        E = (sigma_e if noise == "gaussian" else 0.0) * rng.normal(size=clean.shape)
    return clean + E, labels, A, E


def tie_noise(rng, U, A, delta=1e-6):
    """E = -s_d/2 U a_d w_d^T + (1/2 + delta) s_d v z^T, v outside U, z in null(A): [n, N]."""
    (n, d), N = U.shape, A.shape[1]
    _arguments.require(d < N and n > d, "tie_noise", f"noise tie needs N > d and n > d, got N={N}, d={d}, n={n}.")
    left, s, right = np.linalg.svd(A)
    v = rng.normal(size=n)
    v -= U @ (U.T @ v)
    z = right[d:].T @ rng.normal(size=N - d)
    outside = np.outer(v / np.linalg.norm(v), z / np.linalg.norm(z))
    return s[-1] * (-0.5 * np.outer(U @ left[:, d - 1], right[d - 1]) + (0.5 + delta) * outside)


def pca(X, d, completion="generic", rng=None, truth=None):
    """A1: a basis [n, d] that maximises ||U^T X||^2. Below rank d, d - r columns of col(X)^perp are appended: "generic" is Haar
    there (needs rng); "worst" and "best" are oracles that look at the truth [n, d] and take the least and the most of it."""
    fn = "pca"
    X = _arguments.finite(fn, "X", X, 2)
    n, d = _arguments.dimensions(fn, X.shape[0], d)
    _arguments.one_of(fn, "completion", completion, COMPLETIONS)
    full, s, _ = np.linalg.svd(X, full_matrices=True) if X.size else (np.eye(n), np.zeros(0), None)
    rank = min(d, int(np.sum(s > RANK_TOLERANCE * s[0]))) if s.size and s[0] > 0 else 0
    if rank == d:
        return full[:, :d]
    rest = full[:, rank:]  # an orthonormal basis of the complement; which one LAPACK chose does not matter below
    if completion == "generic":
        added = rest @ haar(rng, n - rank, d - rank)
    else:
        _, vectors = np.linalg.eigh(rest.T @ truth @ truth.T @ rest)
        chosen = vectors[:, : d - rank] if completion == "worst" else vectors[:, n - d :]
        added = rest @ chosen
    return np.concatenate([full[:, :rank], added], axis=1)


# --- subspace clustering -------------------------------------------------------------------------------------------


def _fit(X, labels, K, d, rng):
    return [pca(X[:, labels == k], d, rng=rng) for k in range(K)]


def _labels(X, Us):
    return _denoiser.energies(X.T, Us).argmax(-1)  # ties to the lowest k


def kss(X, K, d, rng, labels=None, start=None):
    """A2: K-subspaces from labels or bases until labels repeat, at most 100 times: (labels, bases, SC energy, all energies)."""
    _arguments.finite("kss", "X", X, 2)
    if start is not None:
        labels = _labels(X, start)
    energies = []
    for _ in range(MAX_ITERATIONS):
        Us = _fit(X, labels, K, d, rng)
        found = _labels(X, Us)
        energies.append(_denoiser.sc_energy(X, Us))
        if np.array_equal(found, labels):
            break
        labels = found
    assert all(b >= a * (1 - 1e-9) for a, b in itertools.pairwise(energies)), "the SC energy fell"
    return labels, Us, energies[-1], energies


def spectral_labels(X, K, rng, restarts=10, steps=50):
    """A3: labels [N] from the squared |cosine| graph: top-K eigenvectors of the normalised affinity, rows normalised, k-means."""
    norms = np.linalg.norm(X, axis=0)
    W = ((X / norms).T @ (X / norms)) ** 2
    np.fill_diagonal(W, 0.0)
    degree = 1 / np.sqrt(W.sum(0))
    _, vectors = np.linalg.eigh(degree[:, None] * W * degree)
    rows = vectors[:, -K:]
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    best, chosen = np.inf, None
    for _ in range(restarts):
        centres = rows[rng.choice(len(rows), K, replace=False)]
        for _ in range(steps):
            labels = np.sum((rows[:, None] - centres) ** 2, -1).argmin(-1)
            centres = np.stack([rows[labels == k].mean(0) if np.any(labels == k) else centres[k] for k in range(K)])
        cost = np.sum((rows - centres[labels]) ** 2)
        if cost < best:
            best, chosen = cost, labels
    return chosen


def canonical(labels):
    """Labels renamed by first appearance: the same for the same partition."""
    names = {}
    return tuple(names.setdefault(v, len(names)) for v in np.asarray(labels).tolist())


@dataclasses.dataclass(frozen=True)
class Optima:
    """energy: the best found; partitions: the distinct ones that reach it to 1e-9, canonical labels; bases of the first."""

    energy: float
    partitions: tuple[tuple[int, ...], ...]
    bases: list[np.ndarray]

    @property
    def num(self):
        return len(self.partitions)


def solve_sc(X, K, d, rng, restarts=20):
    """A4: best of the spectral start and `restarts` Haar starts, each followed by K-subspaces; reports the distinct optima it met."""
    runs = [kss(X, K, d, rng, labels=spectral_labels(X, K, rng))]
    runs += [kss(X, K, d, rng, start=[haar(rng, X.shape[0], d) for _ in range(K)]) for _ in range(restarts)]
    best = max(runs, key=lambda run: run[2])
    same = {canonical(run[0]) for run in runs if run[2] >= best[2] * (1 - SAME_ENERGY)}
    return Optima(best[2], tuple(sorted(same)), best[1])


def subset_energies(X, d):
    """Largest PCA energy of rank d of every subset of the columns: float64 [2^N], bit j for column j."""
    N = X.shape[1]
    _arguments.require(N <= 10, "brute_sc", f"enumeration limited to N <= 10, got N={N}.")
    inside = (np.arange(2**N)[:, None] >> np.arange(N)) & 1
    gram = inside[:, :, None] * (X.T @ X) * inside[:, None, :]
    return np.linalg.eigvalsh(gram)[:, -d:].sum(-1)


def _partitions(N, K):
    """Partitions of N points into at most K groups, as canonical labels."""

    def grow(labels, used):
        if len(labels) == N:
            yield labels
            return
        for k in range(min(used + 1, K)):
            yield from grow((*labels, k), max(used, k + 1))

    return grow((0,), 1)


def brute_sc(X, K, d):
    """All partitions, N <= 10: the best SC energy and every partition that reaches it to a relative 1e-12."""
    X = _arguments.finite("brute_sc", "X", X, 2)
    energies = subset_energies(X, d)
    partitions = np.array(list(_partitions(X.shape[1], K)))
    bits = 1 << np.arange(X.shape[1])
    totals = sum(energies[(partitions == k) @ bits] for k in range(K))
    best = totals.max()
    same = partitions[totals >= best * (1 - EQUAL_ENERGY)]
    fitted = [pca(X[:, same[0] == k], d, rng=np.random.default_rng(0)) for k in range(K)]
    return Optima(float(best), tuple(tuple(int(v) for v in p) for p in same), fitted)


def match_error(found, truth):
    """Least over permutations of the largest err of learned bases against true ones."""
    return theory.best_match(theory.errors_between(found, truth))[0]
