"""Two workloads of `molrg` against NumPy and scikit-learn, on one core.

pca_map: the phase map of PCA, d = 2..8 by N = 2..15 in R^48 with noise .01, 20 trials a place: 1,960 subspaces. NumPy loops over
`numpy.linalg.svd`, scikit-learn over `TruncatedSVD` (randomized; left out where it is not installed). Ours is the map of the ledger.
k_subspaces: K = 2, d = 8, N_k = 16 in R^48, no noise, 20 data sets, each from the spectral start and 10 Haar starts. NumPy is the own
implementation on the host (sims/molrg/_host.py), as one writes it first; ours also runs the start at the truth.
Prints one JSON object: medians of five timings in milliseconds, drawing the samples included, and what was recovered.

    python bench/molrg.py
"""

from __future__ import annotations

from collections.abc import Callable

import _clock

THREADS = _clock.same_cores()

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import _experiment, _generator  # noqa: E402
from sims.molrg import _clusters, _host, _pca  # noqa: E402

n, SIGMA, TRIALS = 48, 0.01, 20
K, d, N_k, DATA_SETS, RESTARTS = 2, 8, 16, 20, 10


def numpy_map(rng: np.random.Generator) -> np.ndarray:
    """Success [d, N] by one SVD after the other."""
    return np.array([[np.mean([_svd_error(rng, k, N) <= 0.5 for _ in range(TRIALS)]) for N in _pca.MAP_N] for k in _pca.MAP_D])


def _samples(rng: np.random.Generator, k: int, N: int) -> np.ndarray:
    X = SIGMA * rng.normal(size=(n, N))
    X[:k] += rng.normal(size=(k, N))
    return X


def _svd_error(rng: np.random.Generator, k: int, N: int) -> float:
    U = np.linalg.svd(_samples(rng, k, N), full_matrices=False)[0][:, :k]
    missing = k - U.shape[1]  # below N = d the success is ruled out
    return float(np.sqrt(2 * np.sum(U[k:] ** 2) + 2 * missing))


def sklearn_map(rng: np.random.Generator) -> np.ndarray | None:
    """The same with TruncatedSVD; None without scikit-learn."""
    try:
        from sklearn.decomposition import TruncatedSVD
    except ImportError:
        return None

    def error(k: int, N: int) -> float:
        U = TruncatedSVD(min(k, N), random_state=0).fit(_samples(rng, k, N).T).components_.T
        return float(np.sqrt(2 * np.sum(U[k:] ** 2) + 2 * (k - U.shape[1])))

    return np.array([[np.mean([error(k, N) <= 0.5 for _ in range(TRIALS)]) for N in _pca.MAP_N] for k in _pca.MAP_D])


def numpy_kss(rng: np.random.Generator) -> list[float]:
    """Shares of data sets recovered from the spectral start, and from the best of the random ones."""
    spectral, random = [], []
    for _ in range(DATA_SETS):
        Us = _host.bases(rng, n, [d] * K)
        X, *_ = _host.sample(rng, Us, [N_k] * K, noise="none")
        found = _host.kss(X, K, d, rng, labels=_host.spectral_labels(X, K, rng))
        spectral.append(_host.match_error(found[1], Us) <= 0.5)
        runs = [_host.kss(X, K, d, rng, start=[_host.haar(rng, n, d) for _ in range(K)]) for _ in range(RESTARTS)]
        random.append(_host.match_error(max(runs, key=lambda run: run[2])[1], Us) <= 0.5)
    return [float(np.mean(spectral)), float(np.mean(random))]


def compiled(
    simulate: Callable, prepared: object, count: int, pick: Callable, side_by_side: bool = True
) -> Callable[[jax.Array], jax.Array]:
    """One program: `count` replicates, side by side or one after the other, and the mean of what `pick` takes of them."""
    _experiment.register(type(prepared))
    fixed = jax.tree.map(lambda v: np.float32(v) if np.asarray(v).dtype.kind == "f" else v, prepared)

    def run(key, fixed):
        keys = jax.random.split(key, count)
        drawn = jax.vmap(simulate, (0, None))(keys, fixed) if side_by_side else jax.lax.map(lambda k: simulate(k, fixed), keys)
        return pick(drawn).mean(0)

    program = jax.jit(run)
    return lambda key: program(key, fixed)


def main() -> None:
    rng = np.random.default_rng(0)
    our_map = compiled(_pca.simulate_map, _pca.prepare_map(_pca.MapCell(n, SIGMA)), TRIALS, lambda drawn: drawn["success"])
    ours = _clock.timed(lambda i: np.asarray(our_map(jax.random.key(i, impl=_generator.FAST))))
    loop, other = _clock.timed(lambda i: numpy_map(rng)), _clock.timed(lambda i: sklearn_map(rng))
    cell = _clusters.StartsCell(n, K, d, N_k, 0.0, restarts=RESTARTS)
    our_kss = compiled(
        _clusters.simulate_starts, _clusters.prepare_starts(cell), DATA_SETS, lambda drawn: drawn["success"][:, :2], side_by_side=False
    )
    kss = _clock.timed(lambda i: np.asarray(our_kss(jax.random.key(i, impl=_generator.FAST))).tolist())
    numpys = _clock.timed(lambda i: numpy_kss(rng))
    what = f"molrg: PCA phase map, {len(_pca.MAP_D) * len(_pca.MAP_N) * TRIALS:,} subspaces in R^{n}"
    comparisons = [_clock.compared(what, ours, "NumPy SVD loop", loop.ms)]
    if other.answers[-1] is not None:
        comparisons.append(_clock.compared(what, ours, "scikit-learn TruncatedSVD", other.ms))
    what = f"molrg: K-subspaces, K={K}, d={d}, {DATA_SETS * (RESTARTS + 1)} runs"
    comparisons.append(_clock.compared(what, kss, "NumPy, one run after the other", numpys.ms))
    _clock.print_report(
        THREADS,
        comparisons,
        **({} if other.answers[-1] is not None else {"skipped": "scikit-learn is not installed"}),
        largest_difference_of_success=float(np.abs(ours.answers[-1] - loop.answers[-1]).max()),
        success_spectral_random={"ours": kss.answers[-1], "numpy": numpys.answers[-1]},
    )


if __name__ == "__main__":
    main()
