r"""The optimisation result of DKTZ20a with its explicit constants, for Massart noise on (U, R)-bounded marginals.

(U, R)-bounded: every two-dimensional projection has density at most U everywhere and at least 1/U on the disc of radius R.
For N(0, I) the smallest valid U is 2 pi exp(R^2/2).

lem10, derived: for an L-smooth f with stochastic gradients of second moment at most B the step beta gives
E f(w_{i+1}) <= E f(w_i) - beta E||grad f||^2 + L B beta^2/2 (projection to the sphere does not increase a scale-free f), so the
mean of ||grad f||^2 is at most R/(beta T) + L B beta/2, least at beta = sqrt(2R/(LBT)), where it is sqrt(2 L B R/T).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from theory.halfspaces import _angles, _arguments
from theory.halfspaces._kernels import normal_pdf

__all__ = [
    "claim5_lower",
    "gaussian_density_bound",
    "lem7_holds_up_to",
    "lem7_lem8_bound",
    "lem7_lem8_sigma",
    "lem10_as_read",
    "lem10_derived",
    "lem10_step",
    "lem10_vacuous_below",
    "lem11_gradient",
    "lem11_population",
    "lem11_smoothness",
    "squash_component",
]

_LEMMA = {"ramp": 8, "logistic": 32}  # the constant of Lemma 7 (ramp) and of Lemma 8 (logistic)


def gaussian_density_bound(R):
    """U(R) = 2 pi exp(R^2/2), the smallest U with which N(0, I) is (U, R)-bounded. Raises: ValueError."""
    return 2 * math.pi * math.exp(0.5 * _arguments.positive("gaussian_density_bound", "R", R) ** 2)


def lem7_lem8_sigma(theta, eta, R, kernel="ramp"):
    """Lemma 7 (ramp), Lemma 8 (logistic): the largest sigma, (R/2U) sqrt(1-2 eta) sin theta or (R/8U) ..: float. Raises: ValueError."""
    fn = "lem7_lem8_sigma"
    name = _arguments.one_of(fn, "kernel", kernel, tuple(_LEMMA))
    eta, theta = _arguments.massart(fn, eta), _arguments.angle(fn, theta)
    return R / (_LEMMA[name] / 4 * gaussian_density_bound(R)) * math.sqrt(1 - 2 * eta) * math.sin(theta)


def lem7_lem8_bound(eta, R, kernel="ramp"):
    """Lemma 7 (ramp), Lemma 8 (logistic): ||grad L_sigma|| >= R^2 (1-2 eta)/(8U) or R^2 (1-2 eta)/(32U), x ~ N(0, I): float."""
    fn = "lem7_lem8_bound"
    name = _arguments.one_of(fn, "kernel", kernel, tuple(_LEMMA))
    return R**2 * (1 - 2 * _arguments.massart(fn, eta)) / (_LEMMA[name] * gaussian_density_bound(R))


@functools.cache
def _hermite():
    x, w = np.polynomial.hermite_e.hermegauss(200)
    return x, w / w.sum()


def squash_component(sigma, eta, width=0.25, shrink=0.01):
    """Population component of -grad L_sigma(w0) towards w*, ramp, on the squash marginal at angle pi/4, constant flip rate: float.

    The u-coordinate is shrunk where |<w0, x>| < width; w* = (w0 + u)/sqrt2, so h = sign(t + x_u). Given t and a coordinate of
    scale r, E[x_u sign(t + x_u)] = 2 r phi(t/r). Raises: ValueError.
    """
    from theory.halfspaces import _kernels

    sigma, eta = _arguments.sigma("squash_component", sigma), _arguments.massart("squash_component", eta)
    half = 0.5 * sigma

    def integrand(t):
        r = np.where(t < width, shrink, 1.0)
        return normal_pdf(t) * 2 * r * normal_pdf(t / r) / sigma

    edges = np.unique([0.0, *(e for e in np.concatenate([shrink * np.array([0.5, 1, 2, 4, 8, 16]), [width]]) if e < half), half])
    return (1 - 2 * eta) * 2 * _kernels.integrate(integrand, edges)


def claim5_lower(theta, R):
    """Claim 5, lower side: P[h_u != h_v] >= (R^2/U) theta on a (U, R)-bounded marginal, U of N(0, I): float. Raises: ValueError."""
    return R**2 / gaussian_density_bound(R) * float(theta)


def lem11_gradient(d, sigma):
    """Lemma 11, logistic: E||grad l||^2 <= 4d/sigma^2 = B. Raises: ValueError."""
    return 4 * _arguments.dimension("lem11_gradient", d) / _arguments.sigma("lem11_gradient", sigma) ** 2


def lem11_population(sigma):
    """Lemma 11, logistic: ||grad L||^2 <= 4/sigma^2. Raises: ValueError."""
    return 4 / _arguments.sigma("lem11_population", sigma) ** 2


def lem11_smoothness(sigma):
    """Lemma 11, logistic: grad L is (6/sigma + 12/sigma^2)-Lipschitz outside the unit ball. Raises: ValueError."""
    sigma = _arguments.sigma("lem11_smoothness", sigma)
    return 6 / sigma + 12 / sigma**2


def lem10_as_read(T, d, sigma):
    """Lemma 10 as read: mean of ||grad f||^2 over T steps is at most sqrt(L B R/(2T)), R = 1, L and B of Lemma 11. Raises: ValueError."""
    return 0.5 * lem10_derived(T, d, sigma)


def lem10_derived(T, d, sigma):
    """Lemma 10 with the constant derived here, twice the one read: sqrt(2 L B R/T). Raises: ValueError."""
    T = _arguments.count("lem10_derived", "T", T)
    return math.sqrt(2 * lem11_smoothness(sigma) * lem11_gradient(d, sigma) / T)


def lem10_step(T, d, sigma):
    """The step sqrt(2R/(LBT)) of Lemma 10. Raises: ValueError."""
    T = _arguments.count("lem10_step", "T", T)
    return math.sqrt(2 / (lem11_smoothness(sigma) * lem11_gradient(d, sigma) * T))


def lem10_vacuous_below(d, sigma, eta):
    """Steps below which Lemma 10 (derived constant) says nothing: where its bound is ((1-2 eta)/pi)^2 or more: float.

    No iterate has a larger squared gradient norm. d=5, sigma=.3, eta=.2: 5.1e7, and 1.3e7 with the constant as read.
    """
    cap = ((1 - 2 * _arguments.massart("lem10_vacuous_below", eta)) / math.pi) ** 2
    return 2 * lem11_smoothness(sigma) * lem11_gradient(d, sigma) / cap**2


def lem7_holds_up_to(theta, eta, R, kernel):
    """The largest sigma at which the exact worst gradient still meets the lemma's bound: float; inf never happens."""
    from scipy import optimize

    bound = lem7_lem8_bound(eta, R, kernel)
    return float(
        math.exp(
            optimize.brentq(lambda v: _angles.massart_component(theta, math.exp(v), eta, kernel) - bound, math.log(1e-4), math.log(1e3))
        )
    )
