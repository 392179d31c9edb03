r"""The surrogate loss: three kernels k, l_sigma'(t) = k(t/sigma)/sigma, and exact constants of each.

`smooth` is an explicit choice of the paper's loss (which exists as recalled: 1/2 + t/sigma for |t| <= sigma/6, constant
beyond sigma/2, twice differentiable). With u = 3(|s| - 1/6) in [0, 1] between, k = 1 - 3u^2 + 2u^3 + 15 u^2 (1-u)^2: a
smoothstep plus a bump, because the mass of k has to be 1 and the plateau of height 1 covers a third of it, so the
transition needs mean slope 1 and must overshoot. `ramp` and `logistic` are those of DKTZ20a.

Proof of the mass: int_0^1 (1 - 3u^2 + 2u^3) du = 1/2 and int_0^1 15 u^2 (1-u)^2 du = 15 B(3,3) = 1/2, so each side has
1/6 + (1/3)(1/2 + 1/2) = 1/2.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from theory.halfspaces import _arguments
from theory.halfspaces._arguments import KERNELS

__all__ = [
    "KERNELS",
    "PHI0",
    "curvature_sup",
    "integrate",
    "kernel",
    "kernel_mass",
    "kernel_moment",
    "kernel_slope",
    "kernel_sup",
    "loss",
    "normal_pdf",
    "plain_smoothstep",
    "positive_axis",
]

PHI0 = 1 / math.sqrt(2 * math.pi)
LOGISTIC_END = 45.0  # k is below 1e-19 from here on
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


def normal_pdf(t):
    """phi(t)."""
    return PHI0 * np.exp(-0.5 * np.square(t))


def _u(s):
    return np.clip(3 * (np.abs(s) - 1 / 6), 0.0, 1.0)


def kernel(s, name="smooth"):
    """k(s), float64, shape of s; k is even and has mass 1. name: "smooth", "ramp" or "logistic". Raises: ValueError."""
    _arguments.kernel("kernel", name)
    s = np.asarray(s, dtype=np.float64)
    if name == "smooth":
        u = _u(s)
        return 1 - 3 * u**2 + 2 * u**3 + 15 * (u * (1 - u)) ** 2
    if name == "ramp":
        return (np.abs(s) <= 0.5).astype(np.float64)
    e = np.exp(-np.abs(s))
    return e / (1 + e) ** 2


def plain_smoothstep(s):
    """The smooth kernel without its overshoot: mass 2/3, the falsifier of halfspaces.loss."""
    u = _u(s)
    return 1 - 3 * u**2 + 2 * u**3


def kernel_slope(s, name="smooth"):
    """k'(s) for the kernels that have one ("smooth", "logistic"): float64. Raises: ValueError."""
    _arguments.one_of("kernel_slope", "kernel", name, ("smooth", "logistic"))
    s = np.asarray(s, dtype=np.float64)
    if name == "smooth":
        u = _u(s)
        return 3 * np.sign(s) * (-6 * u * (1 - u) + 30 * u * (1 - u) * (1 - 2 * u))
    e = np.exp(-np.abs(s))
    return -np.sign(s) * e * (1 - e) / (1 + e) ** 3


def loss(t, sigma, name="smooth"):
    """l_sigma(t), float64: rises from 0 to 1 with derivative k(t/sigma)/sigma; l(t) + l(-t) = 1. Raises: ValueError."""
    _arguments.kernel("loss", name)
    r = np.asarray(t, dtype=np.float64) / _arguments.sigma("loss", sigma)
    if name == "logistic":
        return 0.5 * (1 + np.tanh(r / 2))
    if name == "ramp":
        return 0.5 + np.clip(r, -0.5, 0.5)
    u = _u(r)
    return 0.5 + np.sign(r) * (np.minimum(np.abs(r), 1 / 6) + (u + 4 * u**3 - 7 * u**4 + 3 * u**5) / 3)


def integrate(f, edges):
    """Integral of a vectorised f over the ordered edges, 48 Gauss-Legendre nodes a piece: float64.

    edges: [pieces + 1]; pieces of no length are dropped.
    """
    edges = np.unique(np.asarray(edges, dtype=np.float64))
    half = 0.5 * np.diff(edges)[:, None]
    t = edges[:-1, None] + half * (1 + _NODES)
    return float((half * _WEIGHTS * f(t)).sum())


def positive_axis(name, sigma, *scales):
    """Edges on t >= 0 that resolve the kernel k(t/sigma), a standard normal, and peaks of width `scales` at 0."""
    top = 0.5 if name != "logistic" else LOGISTIC_END
    own = (1 / 6, 0.5) if name == "smooth" else (0.5,) if name == "ramp" else (0.5, 1, 2, 4, 7, 11, 16, 24, 34, LOGISTIC_END)
    end = min(top * sigma, 39.0)
    marks = [0.0, *(sigma * s for s in own), 1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 24.0]
    for scale in scales:
        marks += [scale * m for m in (0.5, 1, 2, 3, 4.5, 6.5, 9, 13, 20, 39)]
    return np.array([m for m in marks if m < end] + [end])


@functools.cache
def kernel_mass(name="smooth"):
    """Integral of k: 1 for every kernel. By quadrature. Raises: ValueError."""
    return kernel_moment(0, name)


@functools.cache
def kernel_moment(power, name="smooth"):
    """Integral of k(s) |s|^power over the line, by quadrature: float. smooth: .227778 and .0667549 at powers 1 and 2."""
    _arguments.kernel("kernel_moment", name)
    return 2 * integrate(lambda s: kernel(s, name) * s**power, positive_axis(name, 1.0))


def kernel_sup(name="smooth"):
    """sup k = c: l' <= c/sigma. smooth 1.512 at u = .4 (k' = 18 u (1-u)(4 - 10u)), ramp 1, logistic 1/4. Raises: ValueError."""
    _arguments.kernel("kernel_sup", name)
    return {"smooth": 1.512, "ramp": 1.0, "logistic": 0.25}[name]


def curvature_sup():
    """sup |k'| = c' of the smooth kernel: |l''| <= c'/sigma^2. 11.8207.

    |k'| = |72 u - 252 u^2 + 180 u^3| in u; its derivative 72 - 504 u + 540 u^2 has the roots (504 -+ sqrt(98496))/1080.
    """
    u = (504 + np.array([-1.0, 1.0]) * math.sqrt(504**2 - 4 * 540 * 72)) / 1080
    return float(np.abs(72 * u - 252 * u**2 + 180 * u**3).max())
