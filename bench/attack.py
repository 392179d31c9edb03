"""The aggregate attack of adaptive.naive, one replicate: our bit-level sampler against NumPy, on one core.

Both draw a fresh sample of n x m fair coins, count the columns, weigh them by `answer - 1/2`, and score every row
(linear analyst). Ours packs 32 coins into a word. NumPy holds them as int8, in two versions: as one writes it first
(integers(0, 2), an integer matrix product), and tuned (eight coins from every random byte, a float32 BLAS product).
Ours has a lazy version too, m + n normal draws in place of n m coins: the same law but for a bias below .0002 here.
Prints one JSON object: the median of five timings of each after a warm-up, in milliseconds, and NumPy's time over ours.

    python bench/attack.py [n] [m]
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

if hasattr(os, "sched_setaffinity"):  # the same single core for both, before any thread pool starts
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import adaptive  # noqa: E402
from theory import adaptive as theory  # noqa: E402


def plain_bits(rng: np.random.Generator, n: int, m: int) -> np.ndarray:
    """One byte a coin, as one writes it first: int8 [n, m]."""
    return rng.integers(0, 2, (n, m), dtype=np.int8)


def unpacked_bits(rng: np.random.Generator, n: int, m: int) -> np.ndarray:
    """Eight coins from every random byte: int8 [n, m]."""
    packed = np.frombuffer(rng.bytes(n * -(-m // 8)), np.uint8).reshape(n, -1)
    return np.unpackbits(packed, axis=1, count=m).view(np.int8)


def numpy_attack(bits: np.ndarray, dtype: type) -> float:
    """Gap of the linear analyst's aggregate on int8 coins [n, m]; scores by a matrix product in `dtype`.

    dtype int32: NumPy's own integer loop. float32: BLAS, exact here as all partial sums stay below 2^24.
    """
    n = len(bits)
    weights = 2 * bits.sum(axis=0, dtype=np.int32) - n
    twice_score = 2 * (bits.astype(dtype, copy=False) @ weights.astype(dtype)) - weights.sum(dtype=dtype)
    return float(np.sign(twice_score).sum() / (2 * n))


def median_ms(run: Callable[[int], float]) -> tuple[float, float]:
    """(median of five timings in milliseconds, mean gap of those runs); run(i) must block until done."""
    run(0)
    times, gaps = [], []
    for i in range(1, 6):
        start = time.perf_counter()
        gaps.append(run(i))
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), statistics.fmean(gaps)


def main() -> None:
    n, m = (int(v) for v in (*sys.argv[1:3], 1000, 3000)[:2]) if len(sys.argv) != 2 else (int(sys.argv[1]), 3000)
    cell = adaptive.NaiveCell(n, m, "linear")
    adaptive.validate_full(cell)
    prepared = jax.device_put(adaptive.prepare_full(cell))
    attack, lazy_attack = jax.jit(adaptive.simulate_full), jax.jit(adaptive.simulate_lazy)
    lazy_prepared = jax.device_put(adaptive.prepare_lazy(cell))
    keys = [jax.random.key(i) for i in range(6)]
    rng = np.random.default_rng(0)
    ours, our_gap = median_ms(lambda i: float(attack(keys[i], prepared)))
    lazy, lazy_gap = median_ms(lambda i: float(lazy_attack(keys[i], lazy_prepared)))
    numpys, numpy_gap = median_ms(lambda i: numpy_attack(plain_bits(rng, n, m), np.int32))
    tuned, _ = median_ms(lambda i: numpy_attack(unpacked_bits(rng, n, m), np.float32))
    report = {
        "comparisons": [
            {"what": f"adaptive attack, n={n}, m={m}", "ours_ms": ours, "peer": "NumPy, int8 matrix product", "peer_ms": numpys},
            {"what": f"adaptive attack, n={n}, m={m}", "ours_ms": ours, "peer": "NumPy, float32 matrix product", "peer_ms": tuned},
            {"what": "adaptive attack by its sufficient statistic", "ours_ms": lazy, "peer": "ours, bit by bit", "peer_ms": ours},
        ],
        "n": n,
        "m": m,
        "ours_ms": round(ours, 3),
        "numpy_ms": round(numpys, 3),
        "numpy_tuned_ms": round(tuned, 3),
        "lazy_ms": round(lazy, 3),
        "ratio_lazy_to_full": round(ours / lazy, 2),
        "ratio": round(numpys / ours, 2),
        "ratio_tuned": round(tuned / ours, 2),
        "mean_gap": {"ours": our_gap, "lazy": lazy_gap, "numpy": numpy_gap, "exact": theory.naive_gap_exact(n, m)},
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "versions": {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__},
        "machine": platform.machine(),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
