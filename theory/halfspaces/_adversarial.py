r"""Adversarial labels: which share of flipped labels can make the gradient vanish at an angle, and what error that allows.

Notation of _angles: t = <w, x>, x_1 = <u, x>, h = h_{w*}(x). An adversary who flips the label of a good point (h x_1 > 0) takes
2 l'(t)|x_1| off the component of -grad L along u, so with a mass opt of flips the least component flips the good points
with the largest l'(t)|x_1|, a threshold rule.

Limit opt -> 0 at sigma/opt fixed: with z = sigma cot(theta), s = t/sigma, the component vanishes iff
int k phi(z s) ds = int k [phi(q/k) + phi(max(q/k, z|s|))] ds, which fixes q; the mass used is p phi(0) sigma,
p = int [Phi^-(q/k) + Phi^-(max(q/k, z|s|))] ds. p decreases in z: at opt/sigma < p(z) phi(0) no angle in [sigma/z, pi - sigma/z]
is stationary, hence err <= opt + theta/pi and C = 1 + theta/(pi opt). Flips inside the wedge (|x_1| > z|s| on the wrong side)
agree with h_w, so this adversary itself reaches only C - 2 p_w/p, p_w = int Phi^-(max(q/k, z|s|)) ds.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from scipy import optimize
from scipy.special import ndtr

from theory.halfspaces import _arguments, _kernels
from theory.halfspaces._kernels import PHI0, normal_pdf

__all__ = [
    "AdversarialLimit",
    "adversarial_best",
    "adversarial_component",
    "adversarial_limit",
    "adversarial_wall",
    "adversarial_wall_ramp",
]


@dataclasses.dataclass(frozen=True)
class AdversarialLimit:
    """Limit of small opt. z = sigma cot(theta); p = opt/(sigma phi(0)); theta_over_opt; C bounds err/opt; reached by the adversary."""

    z: float
    p: float
    theta_over_opt: float
    C: float
    reached: float

    @property
    def sigma_over_opt(self):
        return 1 / (self.p * PHI0)


@functools.cache
def _nodes(name):
    """Half-line nodes s, weights and k(s) > 0: [pieces * 48] each; k is not smooth where a cut meets its edge, so pieces are many."""
    top = 0.5 if name != "logistic" else _kernels.LOGISTIC_END
    inner = np.linspace(0, top, 200) if name != "logistic" else np.concatenate([np.linspace(0, 8, 200), np.linspace(8, top, 60)[1:]])
    edges = np.unique(np.concatenate([inner, [1 / 6]]))
    x, w = np.polynomial.legendre.leggauss(12)
    half = 0.5 * np.diff(edges)[:, None]
    s = (edges[:-1, None] + half * (1 + x)).ravel()
    return s, (half * w).ravel(), np.maximum(_kernels.kernel(s, name), 1e-300)


@functools.lru_cache(maxsize=4096)
def _at(z, name):
    s, w, k = _nodes(name)
    target = float(w @ (k * normal_pdf(z * s)))

    def taken(log_q):
        r = math.exp(log_q) / k
        return float(w @ (k * (normal_pdf(r) + normal_pdf(np.maximum(r, z * s))))) - target

    q = math.exp(optimize.brentq(taken, -30.0, math.log(40.0), xtol=1e-13))
    wedge = ndtr(-np.maximum(q / k, z * s))
    p = 2 * float(w @ (ndtr(-q / k) + wedge))
    p_wedge = 2 * float(w @ wedge)
    constant = 1 / (z * p * PHI0)
    return AdversarialLimit(z, p, constant, 1 + constant / math.pi, 1 + constant / math.pi - 2 * p_wedge / p)


def adversarial_wall(kernel="smooth"):
    """sigma/opt below which labels exist that make the gradient vanish at every angle: 1/(p(0) phi(0)). Raises: ValueError."""
    _arguments.kernel("adversarial_wall", kernel)
    return _at(1e-9, kernel).sigma_over_opt


def adversarial_wall_ramp():
    """The ramp's wall in closed form: 1/(2 phi(0) Phi^-(sqrt(2 ln 2))) = 10.4866."""
    return 1 / (2 * PHI0 * float(ndtr(-math.sqrt(2 * math.log(2)))))


@functools.lru_cache(maxsize=4096)
def adversarial_limit(sigma_over_opt, kernel="smooth"):
    """thm5.1x at a given sigma/opt: AdversarialLimit. C = inf at or below the wall. Raises: ValueError."""
    ratio, name = _arguments.positive("adversarial_limit", "sigma_over_opt", sigma_over_opt), _arguments.kernel("adversarial_limit", kernel)
    if ratio <= adversarial_wall(name):
        return AdversarialLimit(0.0, 1 / (ratio * PHI0), math.inf, math.inf, math.inf)
    log_z = optimize.brentq(lambda v: _at(math.exp(v), name).sigma_over_opt - ratio, math.log(1e-9), math.log(1e3), xtol=1e-12)
    return _at(math.exp(log_z), name)


@functools.cache
def adversarial_best(kernel="smooth"):
    """The sigma/opt with the least C: AdversarialLimit. 2.797 smooth, 2.651 ramp, 2.520 logistic. Raises: ValueError."""
    wall = adversarial_wall(kernel)
    found = optimize.minimize_scalar(
        lambda v: adversarial_limit(math.exp(v), kernel).C, bounds=(math.log(1.1 * wall), math.log(20 * wall)), method="bounded"
    )
    return adversarial_limit(math.exp(float(found.x)), kernel)


def adversarial_component(theta, sigma, opt, kernel="smooth"):
    """The least component of -grad L towards w* over adversaries who flip a mass opt of labels, Gaussian x, finite opt: float.

    Args: theta in (0, pi/2), opt in [0, 1/2). Raises: ValueError.
    """
    fn = "adversarial_component"
    theta, sigma, opt, name = (
        _arguments.angle(fn, theta), _arguments.sigma(fn, sigma), _arguments.flip_rate(fn, opt), _arguments.kernel(fn, kernel),
    )  # fmt: skip
    s, w, k = _nodes(name)
    density, z = 2 * w * sigma * normal_pdf(sigma * s), sigma / math.tan(theta)
    slope = k / sigma
    clean = float(density @ (slope * 2 * normal_pdf(z * s)))
    if opt == 0:
        return clean

    def mass(log_q):
        r = math.exp(log_q) / slope
        return float(density @ (ndtr(-r) + ndtr(-np.maximum(r, z * s)))) - opt

    low, high = -40.0, math.log(60.0 / sigma)
    exhausted = mass(low) <= 0  # the kernel's band holds no more good points
    r = np.zeros_like(s) if exhausted else math.exp(optimize.brentq(mass, low, high, xtol=1e-13)) / slope
    flipped = float(density @ (slope * (normal_pdf(r) + normal_pdf(np.maximum(r, z * s)))))
    return clean - 2 * flipped
