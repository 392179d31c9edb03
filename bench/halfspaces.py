"""The tester-learner's speed and error beside scikit-learn's linear classifiers, same threads, one run; restarts together.

learners: d = 10, 20,000 points to learn from and 20,000 to choose on (the rivals get all 40,000), massart_half of rate .3, w* = e_1. Ours
tries three widths of the surrogate, 200 steps each, and picks the best iterate. Each rival's own default settings. Excess error is exact.
together: 32 descents from random starts on the same points, in one program, against one after another: of one point a step, as the
theorem has the learner, and of all points a step.
real: breast cancer and the digits 3 and 8, whitened: which tests fire, the error, what is certified.
Prints one JSON object: medians of five timings after a warm-up, in milliseconds. Needs scikit-learn: pip install -e '.[bench]'.

    python bench/halfspaces.py [--threads 1]
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import time
from collections.abc import Callable

import _clock

_PARSER = argparse.ArgumentParser(description="Halfspace learners beside scikit-learn's.")
_PARSER.add_argument("--threads", type=int, default=1)
THREADS = _clock.same_cores(_PARSER.parse_args().threads if __name__ == "__main__" else 1)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from sims.halfspaces import _learner, learn_and_test, whitened  # noqa: E402
from theory.halfspaces import massart_half_excess  # noqa: E402

D, HALF, ETA, WIDTHS, RESTARTS = 10, 20_000, 0.3, (0.1, 0.3, 0.9), 32


def world(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian points [n, D] and labels under massart_half, w* = e_1, u = e_2."""
    x = rng.normal(size=(n, D))
    h = np.where(x[:, 0] >= 0, 1.0, -1.0)
    return x, np.where((rng.random(n) < ETA) & (h * x[:, 1] > 0), -h, h)


def excess(w: np.ndarray) -> float:
    """Exact excess error of a direction."""
    w = w / np.linalg.norm(w)
    return float(massart_half_excess(np.arctan2(np.linalg.norm(w[1:]), w[0]), w[1], ETA))


def ours(x: np.ndarray, y: np.ndarray, widths: tuple[float, ...]) -> Callable[[], np.ndarray]:
    """The learner as a caller meets it: arrays of NumPy in, a direction out."""
    learn = jax.jit(functools.partial(_learner.learn, kernel="smooth"))
    steps = jnp.asarray([_learner.num_steps(s, ETA) for s in widths], jnp.int32)

    def run() -> np.ndarray:
        z = jnp.asarray((x[:HALF] * y[:HALF, None]).T, jnp.float32)
        chosen = jnp.asarray(x[HALF:].T, jnp.float32), jnp.asarray(y[HALF:], jnp.float32)
        return np.asarray(learn(z, _learner.averaging_start(z), *chosen, jnp.asarray(widths, jnp.float32), steps)[0], dtype=float)

    return run


def rivals(x: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """scikit-learn's linear classifiers without an intercept, each with its own defaults, and the mean of y x."""
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.svm import LinearSVC

    perceptron = {"loss": "perceptron", "learning_rate": "constant", "eta0": 1.0, "penalty": None, "average": True}
    models = {
        "LogisticRegression": LogisticRegression(fit_intercept=False),
        "LinearSVC": LinearSVC(fit_intercept=False),
        "averaged perceptron": SGDClassifier(**perceptron, fit_intercept=False, random_state=0),
    }
    found = {name: (lambda m=model: m.fit(x, y).coef_[0]) for name, model in models.items()}
    return {**found, "averaging": lambda: (x * y[:, None]).mean(axis=0)}


def together(rng: np.random.Generator) -> list[dict[str, object]]:
    """32 descents in one program against 32 calls, by sample size: lines of the table."""
    rows = []
    batch = jax.jit(jax.vmap(lambda z, w, s, t: _learner.descend(z, w, s, t, "smooth")[0], (None, 0, None, None)))
    single = jax.jit(lambda z, w, s, t: _learner.descend(z, w, s, t, "smooth")[0])
    paths = jax.jit(lambda z, w: _learner.one_example_paths(z, w, jnp.float32(0.3), jnp.float32(0.001), "smooth"))
    for n in (100, 1000, 20_000):
        x, y = world(rng, n)
        z = jnp.asarray((x * y[:, None]).T, jnp.float32)
        starts = rng.normal(size=(RESTARTS, D))
        starts = jnp.asarray(starts / np.linalg.norm(starts, axis=1, keepdims=True), jnp.float32)
        args = jnp.float32(0.3), jnp.int32(200)
        one_by_one = _clock.timed(lambda i, z=z, starts=starts, args=args: [single(z, w, *args).block_until_ready() for w in starts])
        at_once = _clock.timed(lambda i, z=z, starts=starts, args=args: batch(z, starts, *args).block_until_ready())
        what = f"halfspaces: {RESTARTS} descents together, n={n:,}"
        rows.append(_clock.compared(what, at_once, "ours, one by one", one_by_one.ms))
        alone = _clock.timed(lambda i, z=z, starts=starts: [paths(z, w[:, None]).block_until_ready() for w in starts])
        abreast = _clock.timed(lambda i, z=z, starts=starts: paths(z, starts.T).block_until_ready())
        what = f"halfspaces: {RESTARTS} descents of one point a step together, n={n:,}"
        rows.append(_clock.compared(what, abreast, "ours, one by one", alone.ms))
    return rows


def real_data() -> list[dict[str, object]]:
    """breast cancer and two digits, whitened: the whole outcome but the direction."""
    from sklearn.datasets import load_breast_cancer, load_digits

    cancer, digits = load_breast_cancer(), load_digits()
    pair = np.isin(digits.target, (3, 8))
    tables = {
        "breast cancer": (cancer.data, np.where(cancer.target == 1, 1.0, -1.0)),
        "digits 3 and 8": (digits.data[pair], np.where(digits.target[pair] == 8, 1.0, -1.0)),
    }
    rows = []
    for name, (x, y) in tables.items():
        white = whitened(x)
        start = time.perf_counter()
        o = learn_and_test(white, y)
        seconds = time.perf_counter() - start
        said = {
            "sigma": o.sigma,
            "error": round(o.error, 4),
            "accepted": o.accepted,
            "fired": list(o.fired),
            "W": o.W,
            "opt_lower": o.opt_lower,
        }
        rows.append({"data": name, "points": len(x), "dimensions": white.shape[1], **said, "seconds": round(seconds, 2)})
    return rows


def main() -> None:
    if importlib.util.find_spec("sklearn") is None:
        print(json.dumps({"skipped": "scikit-learn, which is not installed (pip install -e '.[bench]')"}))
        return
    rng = np.random.default_rng(0)
    x, y = world(rng, 2 * HALF)
    runs = {"ours, three widths": ours(x, y, WIDTHS), "ours, sigma = .1": ours(x, y, (0.1,)), **rivals(x, y)}
    timings = {name: _clock.timed(lambda i, run=run: run()) for name, run in runs.items()}
    table = {name: {"ms": round(t.ms, 2), "excess": round(excess(t.answers[-1]), 5)} for name, t in timings.items()}
    best = table["ours, three widths"]
    peers = [name for name in table if not name.startswith("ours") and name != "averaging"]
    what = f"halfspaces: three widths, excess error {best['excess']:.4f}"
    comparisons = [
        _clock.compared(
            what, timings["ours, three widths"], f"scikit-learn {name}, excess error {table[name]['excess']:.4f}", timings[name].ms
        )
        for name in peers
    ]
    _clock.print_report(
        THREADS,
        [*comparisons, *together(rng)],
        learners=table,
        rivals_within_twice_our_excess=[name for name in peers if table[name]["excess"] <= 2 * best["excess"]],
        real=real_data(),
    )


if __name__ == "__main__":
    main()
