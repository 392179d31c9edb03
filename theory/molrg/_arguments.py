"""Checks of Python arguments at the public edge of theory/molrg and of the cells of sims/molrg.

Every helper takes the caller's name first and raises ValueError naming it, what is allowed and what came.
"""

from __future__ import annotations

import numpy as np

__all__ = ["basis", "dimensions", "finite", "integers", "noise_level", "one_of", "positive", "require", "signal_noise", "weights"]


def require(ok, fn, text):
    """Raises: ValueError "fn: text" unless ok."""
    if not ok:
        raise ValueError(f"{fn}: {text}")


def integers(fn, **named):
    """Python ints >= 1 in the order given; a single one is not wrapped in a tuple."""
    for name, given in named.items():
        whole = isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool) and given == np.floor(given)
        require(whole and 1 <= given < 2**53, fn, f"n, d, K and N must be positive integers, got {name}={given}.")
    found = tuple(int(v) for v in named.values())
    return found if len(found) > 1 else found[0]


def dimensions(fn, n, *dims):
    """(n, d_1, .., d_K) as ints, no d above n."""
    n = integers(fn, n=n)
    dims = tuple(integers(fn, d=d) for d in dims)
    require(max(dims) <= n, fn, f"subspace dimension exceeds ambient dimension, got d={max(dims)}, n={n}.")
    return (n, *dims)


def positive(fn, name, value):
    """A finite float > 0."""
    value = float(value)
    require(0 < value < np.inf, fn, f"{name} must be finite and > 0, got {value}.")  # nan compares false
    return value


def noise_level(fn, sigma_e):
    """A finite float >= 0."""
    sigma_e = float(sigma_e)
    require(0 <= sigma_e < np.inf, fn, f"noise level must be >= 0, got {sigma_e}.")
    return sigma_e


def signal_noise(fn, s, g):
    """(s, g) of x_t = s x_0 + g eps, both finite and > 0."""
    s, g = float(s), float(g)
    require(0 < s < np.inf and 0 < g < np.inf, fn, f"posterior mean needs s > 0 and g > 0, got s={s}, g={g}.")
    return s, g


def weights(fn, value, num):
    """float64 [num]: positive, summing to 1 to 1e-8."""
    array = np.asarray(value, dtype=np.float64)
    ok = array.shape == (num,) and bool(np.all(array > 0)) and abs(float(array.sum()) - 1) <= 1e-8
    require(ok, fn, f"weights must be positive and sum to 1, {num} of them, got {np.array2string(array)}.")
    return array


def finite(fn, name, value, ndim):
    """float64 copy of a finite array with `ndim` axes."""
    array = np.array(value, dtype=np.float64)
    require(array.ndim == ndim and bool(np.all(np.isfinite(array))), fn, f"{name} must be a finite array with {ndim} axes.")
    return array


def basis(fn, U):
    """float64 [n, d] with orthonormal columns, to 1e-6."""
    array = finite(fn, "a basis", U, 2)
    n, d = array.shape
    require(d <= n, fn, f"subspace dimension exceeds ambient dimension, got d={d}, n={n}.")
    off = float(np.abs(array.T @ array - np.eye(array.shape[1])).max())
    require(off <= 1e-6, fn, f"basis columns must be orthonormal, got U^T U off by {off:.2g}.")
    return array


def one_of(fn, name, value, allowed):
    """`value` if it is one of the names allowed."""
    require(value in allowed, fn, f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
    return value
