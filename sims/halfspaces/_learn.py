"""The tester-learner on data of one's own: learner, tests, certificate. `python -m sims halfspaces learn --csv FILE`."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sims.halfspaces import _learner
from theory.halfspaces import _arguments, _certificate, _testers

__all__ = ["Outcome", "Test", "learn_and_test", "learn_command", "read_table", "whitened"]

WIDTHS = tuple(0.1 * 2**i for i in range(8))  # tried where no sigma is given: the first three that put enough points into the band
WEDGE_FACTOR = 8.0
_SMALL = 1e-10  # of the largest variance: directions below it are constant
# Points in the smaller band, for each second moment across it, with which the tests accept 95 % of Gaussian samples: 24, 20 and 10 at
# d = 5, 10, 20 (tau = .25). With fewer, so many samples of N(0, I) are drawn to see how often honest points are rejected.
_POINTS_A_MOMENT, _DRAWS = 24, 20


@dataclasses.dataclass(frozen=True)
class Test:
    """One test: what was measured, the range that passes, whether it did."""

    name: str
    value: float
    low: float
    high: float
    accepts: bool


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the tester-learner says of a data set.

    w: the halfspace, unit norm, in the coordinates given; sigma: the width that found it; error: its share of wrong labels among n2
    held-out points; angle, W: certified angle (rad) and certified disagreement with the best halfspace, None where vacuous;
    opt_lower: certified lower bound on the error of every halfspace, None where it is 0; excess: certified upper bound on err(w) - opt,
    None where it is 1/2 or more, which w or -w always meets.
    rejects_gaussian: share of 20 samples of N(0, I), as many points as were tested, that these tests reject; None where nothing fires or
    the bands hold points enough for such a sample to pass. enough: rows with which it passes, half of them held out, at this sigma.
    """

    w: np.ndarray
    sigma: float
    n1: int
    n2: int
    error: float
    accepted: bool
    fired: tuple[str, ...]
    tests: tuple[Test, ...]
    noise: str
    angle: float | None
    W: float | None
    opt_lower: float | None
    excess: float | None
    delta: float
    rejects_gaussian: float | None
    enough: int


@functools.cache
def _descent(kernel):
    def learn(*arrays):
        with jax.default_matmul_precision("highest"):  # as the runner has it: float32 products, also on a GPU
            return _learner.learn(*arrays, kernel=kernel)

    return jax.jit(learn)


def _widths(fn, n2, d, sigma):
    least = 2 * (d - 1)

    def inside(width):
        return n2 * _testers.band_mass(width / 6)

    tried = WIDTHS if sigma is None else (_arguments.sigma(fn, sigma),)
    enough = [s for s in tried if inside(s) >= least]
    _arguments.require(bool(enough), fn, f"too few points in the band (have {inside(tried[-1]):.0f}, need 2(d-1) = {least}).")
    return enough[:3]


def _tests(x, w, sigma, tau, adversarial):
    """The tests on held-out points, no label among them."""
    coordinates = x @ _testers.complement(w).T
    t = np.abs(coordinates[:, 0])
    found = [("T1 lambda_max", float(np.linalg.eigvalsh(x.T @ x / len(x))[-1]), 0.0, 2.0)]
    for name, r in (("sigma/6", sigma / 6), ("sigma/2", sigma / 2)):
        found.append((f"T2 mass of |<w,x>| <= {name}", float(np.mean(t <= r)) / _testers.band_mass(r), 1 - tau, 1 + tau))
    for name, r in (("sigma/6", sigma / 6), ("sigma/2", sigma / 2)):
        m = _testers.spectral_moments(x, w, r)
        found += [
            (f"T3 lambda_min in |<w,x>| <= {name}", m.low, 1 - 2 * tau, math.inf),
            (f"T3 lambda_max in |<w,x>| <= {name}", m.high, 0.0, 1 + 2 * tau),
            (f"T3 Q4 in |<w,x>| <= {name}", m.q4, 0.0, 3 * (1 + 4 * tau)),
        ]
    if adversarial:
        theta = math.atan(sigma)
        found.append(("T4 W(w, atan sigma)", _testers.wedge_of(x, w, theta).W, 0.0, WEDGE_FACTOR * theta / math.pi))
    return tuple(Test(name, value, low, high, bool(low <= value <= high)) for name, value, low, high in found)  # nan: an empty band rejects


def _enough(d, sigma):
    """Held-out points that put _POINTS_A_MOMENT d(d-1)/2 of them into the smaller band."""
    return math.ceil(_POINTS_A_MOMENT * d * (d - 1) / 2 / _testers.band_mass(sigma / 6))


def _rejects_gaussian(n, d, sigma, tau, adversarial, rng):
    """Share of samples of N(0, I), [n, d], that the tests reject at a halfspace fixed beforehand."""
    w = np.eye(d)[0]
    samples = (rng.normal(size=(n, d)) for _ in range(_DRAWS))
    return float(np.mean([not all(t.accepts for t in _tests(x, w, sigma, tau, adversarial)) for x in samples]))


def learn_and_test(x, y, *, sigma=None, eta=None, tau=0.25, delta=0.05, seed=0, kernel="smooth"):
    """Learns a halfspace through the origin on half of the data, then tests the points and certifies on the other half.

    Args: x [n, d]; y [n] of -1, +1; sigma: width, None: three that suit the size; eta: Massart rate believed, None: adversarial
      labels, with T4 among the tests; tau, delta: tolerance and failure probability; seed: of the split.
    Returns: Outcome. Raises: ValueError naming the argument, what is allowed and what came; before anything compiles.
    """
    fn = "learn_and_test"
    x = _arguments.points(fn, x)
    y = _arguments.labels(fn, y, len(x))
    tau, delta = _arguments.tolerance(fn, tau), _arguments.confidence(fn, delta)
    eta = None if eta is None else _arguments.massart(fn, eta)
    _arguments.kernel(fn, kernel)
    _arguments.require(len(x) >= 4, fn, f"x must have at least 4 rows, got {len(x)}.")
    rng = np.random.default_rng(_arguments.count(fn, "seed", seed, 0))
    order = rng.permutation(len(x))
    n1 = len(x) // 2
    first, second = order[:n1], order[n1:]
    x2, y2 = x[second], y[second]
    widths = _widths(fn, len(x2), x.shape[1], sigma)
    z = jnp.asarray((x[first] * y[first, None]).T, jnp.float32)
    steps = jnp.asarray([_learner.num_steps(s, eta) for s in widths], jnp.int32)
    learned, _, chosen, _ = _descent(kernel)(
        z,
        _learner.averaging_start(z),
        jnp.asarray(x2.T, jnp.float32),
        jnp.asarray(y2, jnp.float32),
        jnp.asarray(widths, jnp.float32),
        steps,
    )
    w = np.asarray(learned, dtype=np.float64)
    w = w / np.linalg.norm(w)
    width = min(widths, key=lambda s: abs(s - float(chosen)))
    tests = _tests(x2, w, width, tau, adversarial=eta is None)
    m = len(widths) * _learner.CHECKPOINTS
    certificate = _certificate.certificate(x2, y2, w, width, eta=eta, m=m, delta=delta, kernel=kernel)
    accepted, enough = all(t.accepts for t in tests), _enough(x.shape[1], width)
    unsure = not accepted and len(x2) < enough
    return Outcome(
        w=w,
        sigma=width,
        n1=n1,
        n2=len(x2),
        error=float(np.mean(np.where(x2 @ w >= 0, 1.0, -1.0) != y2)),
        accepted=accepted,
        fired=tuple(t.name for t in tests if not t.accepts),
        tests=tests,
        noise="adversarial labels" if eta is None else f"Massart noise of rate at most {eta:g}",
        angle=None if certificate.vacuous else certificate.angle,
        W=None if certificate.vacuous else certificate.W,
        opt_lower=certificate.opt_lower if certificate.opt_lower > 0 else None,
        excess=certificate.excess if certificate.excess < 0.5 else None,
        delta=delta,
        rejects_gaussian=_rejects_gaussian(*x2.shape, width, tau, eta is None, rng) if unsure else None,
        enough=2 * enough,
    )


def whitened(x):
    """x less its mean, times the inverse root of its covariance; directions without variance are dropped. Sees no label.

    Returns: [n, rank]. Raises: ValueError if fewer than two directions are left.
    """
    x = _arguments.points("whitened", x)
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False, bias=True))
    kept = values > _SMALL * values[-1]
    _arguments.require(int(kept.sum()) >= 2, "whitened", f"x must vary in at least 2 directions, got {int(kept.sum())}.")
    return (x - x.mean(axis=0)) @ (vectors[:, kept] / np.sqrt(values[kept]))


def read_table(path):
    """(x [n, d], y [n]) of a CSV file whose last column is -1 or +1; a first line that holds no number is a header.

    Raises: ValueError naming the file, the line and the column.
    """
    rows, width, first = [], None, None
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            for line, cells in enumerate(csv.reader(file), start=1):
                if not any(c.strip() for c in cells):
                    continue
                if width is None and first is None and not any(_is_number(c) for c in cells):
                    first = line
                    continue
                if width is None:
                    width = len(cells)
                    _arguments.require(
                        width >= 3, path, f"line {line} has {width} columns; two or more coordinates and a label are needed."
                    )
                _arguments.require(len(cells) == width, path, f"line {line} has {len(cells)} columns, the first row has {width}.")
                rows.append([_number(path, line, column, c) for column, c in enumerate(cells, start=1)])
                label = rows[-1][-1]
                _arguments.require(
                    label in (-1.0, 1.0), path, f"line {line}, column {width}: the label must be -1 or +1, got {cells[-1].strip()!r}."
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    _arguments.require(bool(rows), path, "the file holds no row of numbers.")
    table = np.array(rows)
    return table[:, :-1], table[:, -1]


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path, line, column, text):
    where = f"line {line}, column {column}"
    _arguments.require(_is_number(text), path, f"{where}: {text.strip()!r} is not a number.")
    value = float(text)
    _arguments.require(math.isfinite(value), path, f"{where}: the number must be finite, got {text.strip()}.")
    return value


def _json_of(outcome: Outcome) -> Mapping[str, Any]:
    fields = dataclasses.asdict(outcome)
    fields["w"] = outcome.w.tolist()
    for test in fields["tests"]:
        test |= {k: str(test[k]) for k in ("value", "low", "high") if not math.isfinite(test[k])}
    return fields


def learn_command(argv: list[str]) -> int:
    """Prints what the tester-learner says of a file; returns the exit status. Raises: ValueError for a bad file or parameter."""
    parser = argparse.ArgumentParser(
        prog="python -m sims halfspaces learn",
        description="Learns a halfspace through the origin on half of a table, tests the points of the other half against N(0, "
        "I), and certifies "
        "how far from the best the halfspace may be. The last column holds labels, -1 or +1.",
    )
    parser.add_argument(
        "--csv", required=True, metavar="FILE", help="comma-separated numbers, one point a line, label last; a header is skipped"
    )
    parser.add_argument("--whiten", action="store_true", help="take off the mean and whiten first, without looking at labels")
    parser.add_argument("--eta", type=float, metavar="RATE", help="labels flip with probability at most RATE; default: any labels")
    parser.add_argument("--sigma", type=float, help="width of the surrogate; default: three that suit the size")
    parser.add_argument("--tau", type=float, default=0.25, help="tolerance of the tests (default: .25)")
    parser.add_argument("--delta", type=float, default=0.05, help="failure probability of each certified statement (default: .05)")
    parser.add_argument("--seed", type=int, default=0, help="of the split into halves (default: 0)")
    parser.add_argument("--json", action="store_true", help="a JSON object")
    a = parser.parse_args(argv)
    x, y = read_table(a.csv)
    outcome = learn_and_test(whitened(x) if a.whiten else x, y, sigma=a.sigma, eta=a.eta, tau=a.tau, delta=a.delta, seed=a.seed)
    if a.json:
        print(json.dumps(_json_of(outcome), indent=1))
        return 0
    kept = len(outcome.w)
    print(f"{len(x):,} points in {x.shape[1]} dimensions" + (f", {kept} after whitening" if a.whiten else "") + f"; {outcome.noise}")
    print(f"learned on {outcome.n1:,}, tested and certified on {outcome.n2:,}; surrogate width sigma = {outcome.sigma:g}\n")
    for t in outcome.tests:
        high = "" if math.isinf(t.high) else f", at most {t.high:.4g}"
        low = f" at least {t.low:.4g}" if t.low > 0 else ""
        print(f"  {'passes' if t.accepts else 'FIRES ':<7} {t.name:<34} {t.value:>9.4g}  allowed:{(low + high).lstrip(',')}")
    verdict = "ACCEPTED" if outcome.accepted else f"REJECTED, {len(outcome.fired)} of {len(outcome.tests)} tests fire"
    print(f"\nthe points as a sample of N(0, I): {verdict}")
    if outcome.rejects_gaussian is not None:
        says = "so this says nothing of the points" if outcome.rejects_gaussian >= 0.5 else "so this says something of the points"
        print(f"  {round(outcome.rejects_gaussian * _DRAWS)} of {_DRAWS} true samples of N(0, I) of this size are rejected too, {says};")
        print(f"  at this sigma about {outcome.enough:,} rows are enough for such a sample to pass; a wider --sigma needs fewer")
    print(f"error on held-out points: {outcome.error:.4f}")
    print(f"certified angle to the best halfspace: {'vacuous' if outcome.angle is None else f'{outcome.angle:.4f} rad'}")
    print(f"certified disagreement with it: {'vacuous' if outcome.W is None else f'{outcome.W:.4f}'}")
    print(f"certified excess error: {'vacuous' if outcome.excess is None else f'{outcome.excess:.4f}'}")
    print(
        f"certified lower bound on the error of every halfspace: {'vacuous' if outcome.opt_lower is None else f'{outcome.opt_lower:.4f}'}"
    )
    if outcome.angle is None:
        print(
            "vacuous: too few points, too wide a surrogate or too much noise; of N(0, I) in 5 dimensions about 200,000 rows with --eta .1"
        )
        print("and --sigma .3 are enough for a statement")
    if not outcome.accepted:
        print("rejected points may still be learned well; the certified statements hold whether or not the tests pass")
    return 0
