"""Checks of Python arguments at the public edge of theory/moe and of the cells of sims/moe.

Every helper takes the caller's name first and raises ValueError naming it, the argument, the allowed range and what came.
"""

from __future__ import annotations

import numpy as np

__all__ = ["GATES", "choice", "finite", "fits", "gate", "integer", "order", "positive", "require", "sample_size", "span"]

GATES = ("inside", "outside")
LARGEST = 1e8  # numbers beyond this are a mistyped cell, not a mixture


def require(ok, fn, text):
    """Raises: ValueError "fn: text" unless ok."""
    if not ok:
        raise ValueError(f"{fn}: {text}")


def choice(fn, name, value, known):
    """The value, one of `known`."""
    require(value in known, fn, f"{name} must be one of {', '.join(known)}, got {value!r}.")
    return value


def gate(fn, value):
    """The place of the gate bias."""
    return choice(fn, "gate", value, GATES)


def finite(fn, name, value):
    """float64 copy of finite numbers."""
    array = np.asarray(value, dtype=np.float64)
    require(bool(np.isfinite(array).all()), fn, f"{name} must be finite, got {value}.")
    return array


def positive(fn, name, value, text=None):
    """A finite number > 0 as a Python float."""
    number = float(value)
    require(0 < number < np.inf, fn, f"{text or f'{name} must be finite and > 0'}, got {name}={value}.")
    return number


def integer(fn, name, value, at_least, at_most=None):
    """An integer in a range, as a Python int."""
    top = "" if at_most is None else f" and <= {at_most:,}"
    ok = value == int(value) and value >= at_least and (at_most is None or value <= at_most)
    require(ok, fn, f"{name} must be an integer >= {at_least}{top}, got {value}.")
    return int(value)


def span(fn, lo, hi):
    """(lo, hi) as floats, lo < hi: the range of every covariate."""
    lo, hi = float(lo), float(hi)
    require(np.isfinite(lo) and np.isfinite(hi) and lo < hi, fn, f"the range of X needs lo < hi, got lo={lo:g}, hi={hi:g}.")
    return lo, hi


def order(fn, r):
    """The exponent r >= 1 of the loss D1_r."""
    number = float(r)
    require(1 <= number < np.inf, fn, f"r must be finite and >= 1 in D1_r, got {r}.")
    return number


def fits(fn, k, k_star):
    """k fitted atoms may stand for k_star >= 2 true ones only if k >= k_star."""
    require(k_star >= 2, fn, f"k_star must be at least 2 (with one expert gate and temperature have no effect), got k_star={k_star}.")
    require(k >= k_star, fn, f"under-specified fit: k must be at least k_star={k_star}, got k={k}.")


def sample_size(fn, n, num_parameters):
    """n as an int, at least twice the number of parameters."""
    n = integer(fn, "n", n, 1, int(LARGEST))
    require(
        n >= 2 * num_parameters, fn,
        f"n too small for p={num_parameters} parameters: n must be at least 2 p = {2 * num_parameters}, got n={n}.",
    )  # fmt: skip
    return n
