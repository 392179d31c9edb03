"""Checks of Python arguments at the public edge of theory/halfspaces and of the cells of sims/halfspaces.

Every helper takes the caller's name first and raises ValueError naming it, the argument, the allowed range and what came.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "angle",
    "confidence",
    "count",
    "dimension",
    "even_degree",
    "flip_rate",
    "kernel",
    "labels",
    "massart",
    "one_of",
    "orthogonal",
    "points",
    "positive",
    "require",
    "sigma",
    "tolerance",
    "unit",
]

KERNELS = ("smooth", "ramp", "logistic")


def require(ok, fn, text):
    """Raises: ValueError "fn: text" unless ok."""
    if not ok:
        raise ValueError(f"{fn}: {text}")


def _number(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def dimension(fn, d):
    """The dimension as an int >= 2."""
    require(_number(d) and d == math.floor(d) and d >= 2, fn, f"d must be >=2 (angle is undefined), got {d}.")
    return int(d)


def count(fn, name, value, at_least=1, at_most=None):
    """An integer in [at_least, at_most]."""
    ok = _number(value) and math.isfinite(value) and value == math.floor(value) and value >= at_least
    ok = ok and (at_most is None or value <= at_most)
    limit = "" if at_most is None else f" and at most {at_most}"
    require(ok, fn, f"{name} must be an integer >= {at_least}{limit}, got {value}.")
    return int(value)


def massart(fn, eta):
    """A Massart rate in [0, 1/2)."""
    require(_number(eta) and 0 <= eta < 0.5, fn, f"Massart rate must be in [0, 0.5), got {eta}.")
    return float(eta)


def flip_rate(fn, rate):
    """A share of labels that an adversary flips, in [0, 1/2)."""
    require(_number(rate) and 0 <= rate < 0.5, fn, f"adversarial rate must be in [0,0.5), got {rate}.")
    return float(rate)


def sigma(fn, value):
    """A surrogate width."""
    require(_number(value) and 0 < value < math.inf, fn, f"sigma must be positive, got {value}.")
    return float(value)


def positive(fn, name, value):
    """A finite number > 0."""
    require(_number(value) and 0 < value < math.inf, fn, f"{name} must be finite and > 0, got {value}.")
    return float(value)


def angle(fn, theta):
    """An angle in (0, pi/2)."""
    require(_number(theta) and 0 < theta < math.pi / 2, fn, f"theta must be in (0, pi/2), got {theta}.")
    return float(theta)


def tolerance(fn, tau):
    """A tester's tolerance in (0, 1/2)."""
    require(_number(tau) and 0 < tau < 0.5, fn, f"tau must be in (0, 1/2), got {tau}.")
    return float(tau)


def confidence(fn, delta):
    """A failure probability in (0, 1)."""
    require(_number(delta) and 0 < delta < 1, fn, f"delta must be in (0, 1), got {delta}.")
    return float(delta)


def even_degree(fn, k):
    """An even degree >= 2."""
    require(_number(k) and k >= 2 and k % 2 == 0, fn, f"even degree required, got {k}.")
    return int(k)


def one_of(fn, name, value, known):
    """A name out of a list."""
    require(value in known, fn, f"{name} must be one of {', '.join(known)}, got {value!r}.")
    return value


def kernel(fn, value):
    """The name of a surrogate kernel."""
    return one_of(fn, "kernel", value, KERNELS)


def points(fn, x):
    """float64 [n, d], finite, d >= 2."""
    x = np.asarray(x, dtype=np.float64)
    require(x.ndim == 2, fn, f"x must be a matrix [n, d], got shape {x.shape}.")
    dimension(fn, x.shape[1])
    bad = np.argwhere(~np.isfinite(x))
    require(len(bad) == 0, fn, f"x must be finite, got {x[tuple(bad[0])] if len(bad) else ''} in row {bad[0][0] if len(bad) else ''}.")
    return x


def labels(fn, y, n):
    """float64 [n] of -1 and +1."""
    y = np.asarray(y, dtype=np.float64)
    require(y.shape == (n,), fn, f"y must have {n} labels, one a row, got shape {y.shape}.")
    wrong = np.flatnonzero(~((y == 1) | (y == -1)))
    require(
        len(wrong) == 0, fn, f"labels must be -1 or +1, got {y[wrong[0]] if len(wrong) else ''} in row {wrong[0] if len(wrong) else ''}."
    )
    return y


def unit(fn, name, v, d):
    """float64 [d] of norm 1."""
    v = np.asarray(v, dtype=np.float64)
    require(
        v.shape == (d,) and bool(np.isfinite(v).all()) and abs(np.linalg.norm(v) - 1) < 1e-6, fn, f"{name} must be a unit vector of {d}."
    )
    return v


def orthogonal(fn, u, w):
    """Raises: ValueError unless <u, w*> = 0 to 1e-6."""
    inner = float(np.dot(u, w))
    require(abs(inner) <= 1e-6, fn, f"u must be orthogonal to w*, got <u,w*>={inner:.3g}.")
