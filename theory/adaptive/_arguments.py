"""Checks of Python arguments at the public edge of theory/adaptive."""

from __future__ import annotations

import numpy as np

ANALYSTS = ("linear", "sign")


def shown(value):
    return np.array2string(np.asarray(value)) if np.ndim(value) else str(value)


def integers(fn, **named):
    """float64 copies of positive integers; the message names all of them, as they are read together."""
    arrays = {}
    for name, value in named.items():
        array = np.asarray(value, dtype=np.float64)
        if not (np.all(np.isfinite(array)) and np.all(array >= 1) and np.all(array == np.floor(array))):
            names = " and ".join(filter(None, [", ".join(list(named)[:-1]), list(named)[-1]]))
            noun = "be positive integers" if len(named) > 1 else "be a positive integer"
            raise ValueError(f"{fn}: {names} must {noun}, got {name}={shown(value)}.")
        arrays[name] = array
    return tuple(arrays.values()) if len(arrays) > 1 else next(iter(arrays.values()))


def open_unit(fn, name, value):
    array = np.asarray(value, dtype=np.float64)
    if not np.all((array > 0) & (array < 1)):  # nan compares false
        raise ValueError(f"{fn}: {name} must lie in (0, 1), got {shown(value)}.")
    return array


def nonnegative(fn, name, value):
    array = np.asarray(value, dtype=np.float64)
    if not np.all((array >= 0) & (array < np.inf)):
        raise ValueError(f"{fn}: {name} must be finite and >= 0, got {shown(value)}.")
    return array


def positive_noise(fn, sigma):
    array = np.asarray(sigma, dtype=np.float64)
    if not np.all((array > 0) & (array < np.inf)):
        raise ValueError(f"{fn}: noise rate must be positive, got sigma={shown(sigma)}.")
    return array


def budget(fn, budget, m):
    queries, b = integers(fn, m=m, B=budget)
    if not np.all(b <= queries):
        raise ValueError(f"{fn}: budget must satisfy 1 <= B <= m={shown(m)}, got {shown(budget)}.")
    return queries, b


def analyst(fn, analyst):
    if analyst not in ANALYSTS:
        raise ValueError(f"{fn}: analyst must be one of {', '.join(ANALYSTS)}, got {analyst!r}.")


def ceil(x):
    """Ceiling as an integer; 1e-9 off first, so that a value meant to be whole is not pushed up by rounding.

    Beyond int64 a scalar is still a Python integer, and an array stays float64.
    """
    up = np.ceil(np.asarray(x) - 1e-9)
    if up.ndim == 0:
        return int(up)
    return up.astype(np.int64) if np.all(up < 2.0**63) else up
