"""Checks of Python arguments at the public edge of theory/invariance and of the cells of sims/invariance.

Every helper takes the caller's name first and raises ValueError naming it, the argument, the allowed range and what came.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "FAMILIES",
    "SOFT",
    "environments",
    "family",
    "graph",
    "integer",
    "intervention",
    "nonnegative",
    "open_unit",
    "orthonormal",
    "positive",
    "require",
    "sites",
    "subset_count",
    "target",
    "variances",
]

SOFT = ("soft_mult", "soft_add")  # the rows of the sites change, the edges stay
FAMILIES = (*SOFT, "hard_const", "hard_noise", "noise", "rademacher")


def require(ok, fn, text):
    """Raises: ValueError "fn: text" unless ok. A callable `text` is called only then."""
    if not ok:
        raise ValueError(f"{fn}: {text() if callable(text) else text}")


def integer(fn, name, value, at_least=1, at_most=None):
    """int(value) for a whole number in [at_least, at_most]."""
    number = np.asarray(value, dtype=np.float64)
    ok = number.ndim == 0 and np.isfinite(number) and number == np.floor(number) and number >= at_least
    ok = bool(ok and (at_most is None or number <= at_most))
    allowed = f"an integer >= {at_least}" if at_most is None else f"an integer in {at_least}..{at_most}"
    require(ok, fn, lambda: f"{name} must be {allowed}, got {value}.")
    return int(number)


def _interval(fn, name, value, inside, allowed):
    array = np.asarray(value, dtype=np.float64)
    require(bool(np.all(inside(array))), fn, lambda: f"{name} must {allowed}, got {value}.")  # nan compares false
    return array


def open_unit(fn, name, value):
    """float64 copy of numbers in (0, 1), such as delta and rho."""
    return _interval(fn, name, value, lambda a: (a > 0) & (a < 1), "lie in (0, 1)")


def nonnegative(fn, name, value):
    """float64 copy of finite numbers >= 0, such as a gap eps or a penalty weight."""
    return _interval(fn, name, value, lambda a: (a >= 0) & (a < np.inf), "be finite and >= 0")


def positive(fn, name, value):
    """float64 copy of finite numbers > 0, such as a capacity v."""
    return _interval(fn, name, value, lambda a: (a > 0) & (a < np.inf), "be finite and > 0")


def graph(fn, B, name="B"):
    """B as float64 [..., p, p], B[i, j] the weight of edge j -> i; any numbering of an acyclic graph. name: what it was typed as."""
    array = np.asarray(B, dtype=np.float64)
    square = array.ndim >= 2 and array.shape[-1] == array.shape[-2] and array.shape[-1] > 0
    require(square, fn, lambda: f"{name} must be a square matrix, got shape {array.shape}.")
    require(bool(np.isfinite(array).all()), fn, lambda: f"{name} must be finite.")
    reach = np.asarray(array != 0, dtype=np.float64)
    for _ in range(array.shape[-1].bit_length()):  # walks of length at least p exist only on a cycle
        reach = np.minimum(reach @ reach, 1.0)
    require(not reach.any(), fn, lambda: f"{name} must be acyclic, got a directed cycle.")
    return array


def target(fn, value, p):
    """The target as an int in 0..p-1."""
    return integer(fn, "target", value, 0, p - 1)


def sites(fn, value, p, target, B=None, name=None):
    """Sites as a sorted tuple of distinct ints in 0..p-1 without the target; with parents for the soft family `name`."""
    found = tuple(integer(fn, "sites", s, 0, p - 1) for s in np.atleast_1d(np.asarray(value, dtype=object)))
    require(len(found) > 0, fn, "sites must not be empty.")
    require(len(set(found)) == len(found), fn, lambda: f"sites must differ, got {list(found)}.")
    require(target not in found, fn, lambda: f"target must not be an intervention site, got target={target}, sites={list(found)}.")
    if name in SOFT:
        roots = [s for s in found if not np.any(B[s])]
        require(not roots, fn, lambda: f"soft intervention on a root changes nothing: site {roots[0]} has no parents.")
    return tuple(sorted(found))


def variances(fn, omega, p, free=(), name="omega"):
    """Noise variances as float64 [p] (None: all 1), > 0 but for the nodes in `free`, where 0 is allowed. name: what they were typed as."""
    array = np.ones(p) if omega is None else np.asarray(omega, dtype=np.float64)
    require(array.shape[-1:] == (p,), fn, lambda: f"{name} must have {p} entries, got shape {array.shape}.")
    fixed = np.ones(p, dtype=bool)
    fixed[list(free)] = False
    ok = np.isfinite(array).all() and (array[..., fixed] > 0).all() and (array >= 0).all()
    require(bool(ok), fn, lambda: f"{name} must be > 0 (0 is allowed at hard sites only), got {array.tolist()}.")
    return array


def family(fn, name):
    """The name of a family of interventions."""
    require(name in FAMILIES, fn, lambda: f"family must be one of {', '.join(FAMILIES)}, got {name!r}.")
    return name


def intervention(fn, B, target_, sites_, name):
    """(B, target, sites), each checked, for the family `name`."""
    family(fn, name)
    B = graph(fn, B)
    require(B.ndim == 2, fn, lambda: f"B must be one matrix, got shape {B.shape}.")
    t = target(fn, target_, B.shape[-1])
    return B, t, sites(fn, sites_, B.shape[-1], t, B, name)


def environments(fn, Sigma, r):
    """(Sigma, r) as float64 [n, d, d] and [n, d], n >= 1."""
    S, c = np.asarray(Sigma, dtype=np.float64), np.asarray(r, dtype=np.float64)
    ok = S.ndim == 3 and S.shape[1] == S.shape[2] and c.shape == S.shape[:2] and len(S) >= 1
    require(ok, fn, lambda: f"Sigma and r must be [n, d, d] and [n, d] with n >= 1, got {S.shape} and {c.shape}.")
    return S, c


def orthonormal(fn, V):
    """V as float64 [d, k] with orthonormal columns."""
    array = np.asarray(V, dtype=np.float64)
    require(array.ndim == 2 and array.shape[1] >= 1, fn, lambda: f"V must be [d, k] with k >= 1, got shape {array.shape}.")
    d, k = array.shape
    require(k <= d, fn, lambda: f"k must be at most d={d}, got k={k}.")
    ok = np.allclose(array.T @ array, np.eye(k), atol=1e-8)
    require(bool(ok), fn, "V must have orthonormal columns; `canonical` makes them of a representation and a head.")
    return array


def subset_count(fn, d, most=12):
    """d, if all 2^d subsets may be enumerated."""
    require(d <= most, fn, lambda: f"d must be at most {most}, there are 2^d subsets, got d={d}.")
    return d
