"""Checks of Python arguments at the public edge of theory/verification and of the cells of sims/verification.

Every helper takes the caller's name first and raises ValueError naming it, the argument, the allowed range and what came.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "block_mass",
    "closed_unit",
    "finite",
    "gammas",
    "horizon",
    "in_ball",
    "integers",
    "nonnegative",
    "open_unit",
    "pmf",
    "positive",
    "require",
    "share",
    "shown",
    "sigma",
    "weights",
]


def shown(value):
    """The value as a message shows it."""
    return np.array2string(np.asarray(value)) if np.ndim(value) else str(value)


def require(ok, fn, text):
    """Raises: ValueError "fn: text" unless ok. A callable `text` is called only then: printing arrays is slow."""
    if not ok:
        raise ValueError(f"{fn}: {text() if callable(text) else text}")


def integers(fn, *, at_least=1, **named):
    """float64 copies of integers >= at_least, in the order given; a single one is not wrapped in a tuple."""
    noun = "a positive integer" if at_least == 1 else f"an integer >= {at_least}"
    arrays = {}
    for name, value in named.items():
        array = np.asarray(value, dtype=np.float64)
        ok = bool(np.all(np.isfinite(array) & (array >= at_least) & (array == np.floor(array))))
        if not ok:
            raise ValueError(f"{fn}: {name} must be {noun}, got {shown(value)}.")
        arrays[name] = array
    return tuple(arrays.values()) if len(arrays) > 1 else next(iter(arrays.values()))


def _interval(fn, name, value, inside, text):
    array = np.asarray(value, dtype=np.float64)
    require(bool(np.all(inside(array))), fn, lambda: f"{name} must {text}, got {shown(value)}.")  # nan compares false
    return array


def finite(fn, name, value):
    """float64 copy of finite numbers."""
    return _interval(fn, name, value, np.isfinite, "be finite")


def open_unit(fn, name, value):
    """float64 copy of numbers in (0, 1), such as a confidence."""
    return _interval(fn, name, value, lambda a: (a > 0) & (a < 1), "lie in (0, 1)")


def closed_unit(fn, name, value):
    """float64 copy of numbers in [0, 1], such as the expert's lean."""
    return _interval(fn, name, value, lambda a: (a >= 0) & (a <= 1), "lie in [0, 1]")


def share(fn, name, value):
    """float64 copy of numbers in (0, 1], such as the mass c of an event that is conditioned on."""
    return _interval(fn, name, value, lambda a: (a > 0) & (a <= 1), "lie in (0, 1]")


def nonnegative(fn, name, value):
    """float64 copy of finite numbers >= 0, such as the radius kappa of a ball."""
    return _interval(fn, name, value, lambda a: (a >= 0) & (a < np.inf), "be finite and >= 0")


def positive(fn, name, value):
    """float64 copy of finite numbers > 0."""
    return _interval(fn, name, value, lambda a: (a > 0) & (a < np.inf), "be finite and > 0")


def in_ball(fn, delta, kappa):
    """Raises: ValueError unless an expert of bias delta lies in the chi-square ball of radius kappa; None stands for no ball."""
    if kappa is not None:
        radius = nonnegative(fn, "kappa", kappa)
        distance = np.asarray(delta, dtype=np.float64) ** 2
        inside = bool(np.all(distance <= radius * (1 + 1e-9)))  # delta = sqrt(kappa) is inside
        require(
            inside,
            fn,
            lambda: f"expert leaves the chi-square ball: delta^2 must be at most kappa={shown(kappa)}, got delta={shown(delta)}.",
        )


def sigma(fn, value, H):
    """float64 copy of a reward spread; R = H/2 ± sigma stays within 0..H."""
    top = integers(fn, H=H) / 2
    return _interval(fn, "sigma", value, lambda a: (a > 0) & (a <= top), f"lie in (0, H/2] = (0, {shown(top)}]")


def block_mass(fn, d, p):
    """(d, p) as float64: d rare blocks of mass p > 0 each, d p <= 1."""
    blocks, mass = integers(fn, d=d), positive(fn, "p", p)
    require(bool(np.all(blocks * mass <= 1 + 1e-12)), fn, lambda: f"block mass d*p exceeds 1, got d={shown(d)}, p={shown(p)}.")
    return blocks, mass


def horizon(fn, H, k, V):
    """(H, k, V) as Python ints: k distinct gold tokens out of V, to be written within H tokens."""
    numbers = [integers(fn, **{name: value}) for name, value in (("H", H), ("k", k), ("V", V))]
    require(
        all(a.ndim == 0 for a in numbers), fn, lambda: f"H, k and V must be single integers, got H={shown(H)}, k={shown(k)}, V={shown(V)}."
    )
    H, k, V = (int(a) for a in numbers)
    require(k <= H, fn, lambda: f"gold length k exceeds horizon H: reward is identically 0, got k={k}, H={H}.")
    require(k <= V, fn, lambda: f"gold tokens must be distinct, got k={k} of them out of V={V} tokens.")
    return H, k, V


def gammas(fn, value):
    """float64 [num_styles]: weights of the gold next token, any other token having weight 1."""
    array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    ok = array.ndim == 1 and array.size > 0 and bool(np.all((array > 0) & (array < np.inf)))
    require(ok, fn, lambda: f"gamma must be > 0, got {shown(value)}.")
    return array


def weights(fn, value, num_styles):
    """float64 [num_styles]: a probability vector, to 1e-9."""
    array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    ok = array.shape == (num_styles,) and bool(np.all(array >= 0)) and abs(float(array.sum()) - 1) <= 1e-9
    require(ok, fn, lambda: f"weights must be a probability vector of {num_styles}, got {shown(value)}.")
    return array


def pmf(fn, values, probs):
    """(values, probs) as float64 [num_atoms], atoms of mass zero dropped: they are not in the support."""
    v, p = np.asarray(values, dtype=np.float64), np.asarray(probs, dtype=np.float64)
    require(
        v.ndim == 1 and v.shape == p.shape, fn, lambda: f"values and probs must be one-dimensional and alike, got {v.shape} and {p.shape}."
    )
    require(bool(np.all(np.isfinite(v))), fn, lambda: f"values must be finite, got {shown(values)}.")
    ok = bool(np.all(p >= 0)) and abs(float(p.sum()) - 1) <= 1e-9
    require(ok, fn, lambda: f"probs must be a probability vector, got {shown(probs)}.")
    return v[p > 0], p[p > 0]
