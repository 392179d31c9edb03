"""EXACT checks on PCA and subspace clustering: deterministic bounds, worst optima, the number of optima."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.molrg import _host
from sims.molrg._exact_denoiser import numbers
from theory.molrg import _arguments, _subspaces, _tails

__all__ = [
    "NOISE_KINDS",
    "ConstantCell",
    "CountCell",
    "DeficientCell",
    "NoiseCell",
    "RankCell",
    "WorstCell",
    "evaluate_count",
    "evaluate_deficient",
    "evaluate_q_up",
    "evaluate_rank",
    "evaluate_ratio",
    "evaluate_worst",
    "validate_constant",
    "validate_count",
    "validate_deficient",
    "validate_noise",
    "validate_rank",
    "validate_worst",
]

NOISE_KINDS = ("random", "low-rank", "tie", "block-tie", "rotation")
NUM_DRAWS = 40


@dataclasses.dataclass(frozen=True)
class NoiseCell:
    """PCA of X = U*A + E, N >= d. kind: "random" E (sd log-uniform from 1e-3 to 10), "low-rank" E, "tie", "block-tie" (a tie in each of
    the d directions, N >= 2d), "rotation" (X is a rotated copy of U*A, N = d)."""

    n: int
    d: int
    N: int
    kind: str


def validate_noise(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm2i.det"
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    _tails.rv_gap(cell.N, d)  # N >= d
    _arguments.one_of(fn, "kind", cell.kind, NOISE_KINDS)
    _arguments.require(n <= 256 and cell.N <= 1024, fn, f"n must be at most 256 and N at most 1024, got n={n}, N={cell.N}.")
    if cell.kind == "tie":
        _arguments.require(d < cell.N and n > d, fn, f"noise tie needs N > d and n > d, got N={cell.N}, d={d}, n={n}.")
    if cell.kind == "block-tie":
        _arguments.require(2 * d <= cell.N and n >= 2 * d, fn, f"kind block-tie needs N >= 2d and n >= 2d, got N={cell.N}, d={d}, n={n}.")
    if cell.kind == "rotation":
        _arguments.require(d == cell.N and n >= 2 * d, fn, f"kind rotation needs N = d and n >= 2d, got N={cell.N}, d={d}, n={n}.")


def _instance(cell, rng, kind):
    """(U* [n, d], A [d, N], E [n, N])."""
    n, d, N = cell.n, cell.d, cell.N
    U, A = _host.haar(rng, n, d), rng.normal(size=(d, N))
    if kind == "tie":
        return U, A, _host.tie_noise(rng, U, A)
    if kind == "block-tie":
        frame, inner = _host.haar(rng, n, 2 * d), _host.haar(rng, N, 2 * d)
        A = inner[:, :d].T
        return frame[:, :d], A, -0.5 * frame[:, :d] @ A + (0.5 + 1e-6) * frame[:, d:] @ inner[:, d:].T
    if kind == "rotation":
        frame, t = _host.haar(rng, n, 2 * d), 0.3
        A, _ = np.linalg.qr(A)
        return frame[:, :d], A, (math.cos(t) * (math.cos(t) * frame[:, :d] + math.sin(t) * frame[:, d:]) - frame[:, :d]) @ A
    E = 10.0 ** rng.uniform(-3, 1) * rng.normal(size=(n, N))
    if kind == "low-rank":
        u, s, v = np.linalg.svd(E, full_matrices=False)
        E = (u[:, :2] * s[:2]) @ v[:2]
    return U, A, E


def evaluate_ratio(cell, rng, rank=False, kind=None):
    """err smin(A)/||E||_F, or over ||E_(d)||_F, of PCA with a generic tie-break: the largest of every ten draws.

    A lying world has another kind of noise.
    """
    for i in range(NUM_DRAWS // 10):
        ratios = []
        for _ in range(10):
            U, A, E = _instance(cell, rng, kind or cell.kind)
            err = _subspaces.subspace_error(_host.pca(U @ A + E, cell.d, rng=rng), U)
            size = _subspaces.rank_part(E, cell.d) if rank else float(np.linalg.norm(E))
            ratios.append(err * float(np.linalg.svd(A, compute_uv=False)[-1]) / size)
        yield Case(f"draws {10 * i} to {10 * i + 9}", max(ratios))


@dataclasses.dataclass(frozen=True)
class WorstCell:
    """PCA with N < d samples and the worst completion. kind: "gaussian" noise of sd sigma_e, "adversarial" (E = -U*A + sigma_e G: nothing
    of the signal is left), "sweep": 300 random (n <= 29, d, N, sigma_e) in place of the cell's."""

    n: int = 20
    d: int = 6
    N: int = 2
    sigma_e: float = 0.1
    kind: str = "gaussian"


def validate_worst(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm2ii"
    _subspaces.thm2ii_sharp(cell.n, cell.d, cell.N)
    _arguments.require(cell.n <= 256, fn, f"n must be at most 256, got n={cell.n}.")
    _arguments.noise_level(fn, cell.sigma_e)
    _arguments.one_of(fn, "kind", cell.kind, ("gaussian", "adversarial", "sweep"))


def _worst_instance(cell, rng):
    """(n, d, N, err of the worst completion, ||E||_F) of one draw."""
    n, d, N, sigma = cell.n, cell.d, cell.N, cell.sigma_e
    if cell.kind == "sweep":
        n = int(rng.integers(3, 30))
        d = int(rng.integers(2, n))
        N, sigma = int(rng.integers(1, d)), 10.0 ** rng.uniform(-3, 1)
    U = _host.haar(rng, n, d)
    signal, noise = U @ rng.normal(size=(d, N)), sigma * rng.normal(size=(n, N))
    E = noise - signal if cell.kind == "adversarial" else noise
    found = _host.pca(signal + E, d, "worst", truth=U)
    return n, d, N, _subspaces.subspace_error(found, U), float(np.linalg.norm(E))


def evaluate_worst(cell, rng):
    """err of the worst PCA optimum; of every ten draws the one with the least room to sqrt(2 min(d - N, n - d))."""
    for i in range(30 if cell.kind == "sweep" else 4):
        drawn = [_worst_instance(cell, rng) for _ in range(10)]
        n, d, N, err, size = min(drawn, key=lambda t: t[3] / _subspaces.thm2ii_sharp(*t[:3]))
        yield Case(f"draws {10 * i} to {10 * i + 9}", err, {"n": n, "d": d, "N": N, "E_fro": size})


@dataclasses.dataclass(frozen=True)
class ConstantCell:
    """q_up(N, d) for N - d from 0 to 10^6, on a grid; d above 10^4 is not evaluated."""

    d: int


def validate_constant(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    d = _arguments.integers("molrg.rv", d=cell.d)
    _arguments.require(d <= 10_000, "molrg.rv", f"d must be at most 10000, got {d}.")


def evaluate_q_up(cell, rng):
    """(sqrt(N) - sqrt(d - 1))/t where the bound on P(smin <= t) is 2^{-(N-d+1)}."""
    for excess in (0, 1, 2, 4, 8, 16, 64, 256, 700, 1000, 10_000, 100_000, 1_000_000):
        yield Case(f"N = d + {excess}", _tails.rv_q_up(cell.d + excess, cell.d), {"N": cell.d + excess})


@dataclasses.dataclass(frozen=True)
class CountCell:
    """K clusters of `counts` samples (joined by +) on independent subspaces of dimension d in R^n; at most 10 samples in all."""

    d: int
    counts: str
    n: int = 12
    sigma_e: float = 0.0


def validate_count(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm4.unique"
    counts = [_arguments.integers(fn, N=N) for N in numbers(fn, "counts", cell.counts, int)]
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    _arguments.require(n <= 256, fn, f"n must be at most 256, got n={n}.")
    _arguments.require(n > d and min(counts) >= d, fn, f"needs n > d and every N_k >= d, got n={n}, d={d}, counts {cell.counts}.")
    _arguments.require(sum(counts) <= 10, "brute_sc", f"enumeration limited to N <= 10, got N={sum(counts)}.")
    _arguments.noise_level(fn, cell.sigma_e)


def evaluate_count(cell, rng):
    """Partitions that reach the best SC energy, by enumeration, on three draws."""
    counts = numbers("molrg.thm4.unique", "counts", cell.counts, int)
    for i in range(3):
        Us = _host.bases(rng, cell.n, [cell.d] * len(counts), "independent")
        X, *_ = _host.sample(rng, Us, counts, cell.sigma_e)
        yield Case(f"draw {i}", float(_host.brute_sc(X, len(counts), cell.d).num))


@dataclasses.dataclass(frozen=True)
class DeficientCell:
    """Clusters on orthogonal subspaces of dimension d, no noise, exactly one with N_k < d samples: the first of `counts`."""

    n: int
    d: int
    counts: str


def validate_deficient(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm4ii"
    counts = [_arguments.integers(fn, N=N) for N in numbers(fn, "counts", cell.counts, int)]
    n, d = _arguments.dimensions(fn, cell.n, cell.d)
    _arguments.require(n <= 256, fn, f"n must be at most 256, got n={n}.")
    _arguments.require(len(counts) * d <= n, fn, f"orthogonal subspaces need sum(d_k) <= n, got {len(counts) * d} > {n}.")
    _arguments.require(counts[0] < d, fn, f"lower bound needs N < d, got N={counts[0]}, d={d}.")
    _arguments.require(all(d <= N for N in counts[1:]), fn, f"only the first cluster may have N_k < d={d}, got {cell.counts}.")


def evaluate_deficient(cell, rng, completion="worst"):
    """Least over permutations of the largest err: the true partition, with the chosen completion of the deficient cluster.

    Without noise the true partition has no residual, so this is an optimum of subspace clustering.
    """
    counts = numbers("molrg.thm4ii", "counts", cell.counts, int)
    for i in range(5):
        Us = _host.bases(rng, cell.n, [cell.d] * len(counts), "orthogonal")
        X, labels, *_ = _host.sample(rng, Us, counts, noise="none")
        found = [_host.pca(X[:, labels == k], cell.d, completion, rng, U) for k, U in enumerate(Us)]
        yield Case(f"draw {i}", _host.match_error(found, Us), {"deficient": counts[0]})


@dataclasses.dataclass(frozen=True)
class RankCell:
    """Samples of one component of dimension d in R^n, N >= d of them."""

    n: int = 12
    d: int = 4
    N: int = 40


def validate_rank(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.dimensions("molrg.def1", cell.n, cell.d)
    _tails.rv_gap(cell.N, cell.d)
    _arguments.require(cell.n <= 256 and cell.N <= 4096, "molrg.def1", f"n at most 256, N at most 4096, got n={cell.n}, N={cell.N}.")


def evaluate_rank(cell, rng, sigma_e=0.0):
    """Numerical rank (tolerance 1e-10) of samples of one component. A lying world adds noise."""
    for i in range(5):
        X, *_ = _host.sample(rng, [_host.haar(rng, cell.n, cell.d)], [cell.N], sigma_e)
        s = np.linalg.svd(X, compute_uv=False)
        yield Case(f"draw {i}", float(np.sum(s > _host.RANK_TOLERANCE * s[0])))
