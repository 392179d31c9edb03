"""The aggregate attack of adaptive.naive, one replicate: our bit-level sampler against NumPy, on one core.

Both draw a fresh sample of n x m fair coins, count the columns, weigh them by `answer - 1/2`, and score every row
(linear analyst). Ours packs 32 coins into a word. NumPy holds them as int8, in two versions: as one writes it first
(integers(0, 2), an integer matrix product), and tuned (eight coins from every random byte, a float32 BLAS product).
Ours has a lazy version too, m + n normal draws in place of n m coins: the same law but for a bias below .0002 here.
Prints one JSON object: medians of five timings in milliseconds, and the mean gap of those runs.

    python bench/attack.py [n] [m]
"""

from __future__ import annotations

import statistics
import sys

import _clock

THREADS = _clock.same_cores()

import jax  # noqa: E402
import numpy as np  # noqa: E402

from sims import _generator, adaptive  # noqa: E402
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


def main() -> None:
    n, m = (int(v) for v in (*sys.argv[1:3], 1000, 3000)[:2]) if len(sys.argv) != 2 else (int(sys.argv[1]), 3000)
    cell = adaptive.NaiveCell(n, m, "linear")
    adaptive.validate_full(cell)
    prepared = jax.device_put(adaptive.prepare_full(cell))
    attack, lazy_attack = jax.jit(adaptive.simulate_full), jax.jit(adaptive.simulate_lazy)
    lazy_prepared = jax.device_put(adaptive.prepare_lazy(cell))
    keys = [jax.random.key(i, impl=_generator.FAST) for i in range(6)]
    rng = np.random.default_rng(0)
    ours = _clock.timed(lambda i: float(attack(keys[i], prepared)))
    lazy = _clock.timed(lambda i: float(lazy_attack(keys[i], lazy_prepared)))
    plain = _clock.timed(lambda i: numpy_attack(plain_bits(rng, n, m), np.int32))
    tuned = _clock.timed(lambda i: numpy_attack(unpacked_bits(rng, n, m), np.float32))
    what = f"adaptive: the attack on sample means, n={n}, m={m}"
    gaps = {name: statistics.fmean(t.answers) for name, t in {"ours": ours, "lazy": lazy, "numpy": plain}.items()}
    _clock.print_report(
        THREADS,
        [
            _clock.compared(what, ours, "NumPy, int8 matrix product", plain.ms),
            _clock.compared(what, ours, "NumPy, float32 matrix product", tuned.ms),
            _clock.compared(f"{what}, by its sufficient statistic", lazy, "ours, bit by bit", ours.ms),
        ],
        mean_gap={**gaps, "exact": theory.naive_gap_exact(n, m)},
    )


if __name__ == "__main__":
    main()
