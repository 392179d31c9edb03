r"""What a vanishing gradient says of the angle, exactly, for Gaussian points: random and Massart noise, and the excess it leaves.

Setting: x ~ N(0, I), ||w|| = 1, theta = angle(w, w*), u the unit part of w* orthogonal to w. t = <w, x> and x_1 = <u, x> are
independent standard normals, h = h_{w*}(x) = sign(x_1 sin theta + t cos theta), and -grad L_sigma(w) along u is
E[l'(t) (1 - 2 eta(x)) h x_1].

Proof sketches.
- gradlaw. E[x_1 h | t] = 2 phi(t cot theta), and phi(t) phi(t cot theta) = phi(0) phi(t/sin theta).
- lem4.3x. Given t, with a = |t| cot theta: E[x_1 h; h x_1 > 0] = phi(0) + phi(a), E[x_1 h; h x_1 < 0] = -(phi(0) - phi(a)). Pointwise
  the least contribution has eta(x) = eta where h x_1 > 0 and 0 elsewhere, which gives 2(1 - eta) phi(a) - 2 eta phi(0).
- c_k. tan theta = c sigma, t = s sigma, sigma -> 0: int k(s) [(1 - eta) e^{-s^2/(2c^2)} - eta] ds = 0. As eta -> 1/2, c -> infinity
  and 1 - m_2/(2 c^2) = 1 - 2(1 - 2 eta) + .., hence c sqrt(1 - 2 eta) -> sqrt(m_2)/2, m_2 = int s^2 k.
- largest excess. Where h_w != h one has h x_1 > 0. Every such point that gets eta(x) = 0 in place of eta raises the excess by
  2 eta times its mass and the gradient by 2 eta l'|x_1| times its mass; points with l' = 0 are free. With the gradient kept at
  0 this is a knapsack: take points in the order of l'|x_1|.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import optimize
from scipy.special import ndtr

from theory.halfspaces import _arguments, _kernels
from theory.halfspaces._kernels import PHI0, kernel, normal_pdf

__all__ = [
    "averaging_angle",
    "averaging_excess",
    "excess_ceiling",
    "excess_floor",
    "fact1_disagreement",
    "grad_component_sd",
    "grad_norm",
    "grad_norm_max",
    "grad_norm_ramp",
    "massart_component",
    "massart_half_excess",
    "massart_half_rates",
    "rcn_excess",
    "sigma_for_excess",
    "stationary_angle",
    "stationary_limit",
    "stationary_limit_constant",
    "worst_excess",
]


def fact1_disagreement(theta):
    """Fact 1: P[h_v != h_w] = angle(v, w)/pi for rotation-invariant x: float64. theta: in [0, pi]. Raises: ValueError."""
    theta = np.asarray(theta, dtype=np.float64)
    _arguments.require(bool(np.all((theta >= 0) & (theta <= math.pi))), "fact1_disagreement", f"theta must lie in [0, pi], got {theta}.")
    return theta / math.pi


def _checked(fn, theta, sigma, eta, name):
    _arguments.require(0 < theta < math.pi, fn, f"theta must lie in (0, pi), got {theta}.")
    return float(theta), _arguments.sigma(fn, sigma), _arguments.massart(fn, eta), _arguments.kernel(fn, name)


def _slope(t, sigma, name):
    """l_sigma'(t)."""
    return kernel(t / sigma, name) / sigma


def grad_norm(theta, sigma, eta, kernel="smooth"):
    """gradlaw: ||grad L_sigma(w)|| = ((1-2 eta)/pi) int l'(t) exp(-t^2/(2 sin^2 theta)) dt, constant flip rate eta: float.

    -grad L points along u. Limit (1-2 eta)/pi for sigma -> 0 at every angle. Args: theta in (0, pi). Raises: ValueError.
    """
    theta, sigma, eta, name = _checked("grad_norm", theta, sigma, eta, kernel)
    width = math.sin(theta)
    total = 2 * _kernels.integrate(
        lambda t: _slope(t, sigma, name) * np.exp(-0.5 * (t / width) ** 2), _kernels.positive_axis(name, sigma, width)
    )
    return (1 - 2 * eta) / math.pi * total


def grad_norm_ramp(theta, sigma, eta):
    """gradlaw for the ramp in closed form: (1-2 eta) sqrt(2/pi) (sin theta/sigma) erf(sigma/(2 sqrt2 sin theta)). Raises: ValueError."""
    theta, sigma, eta, _ = _checked("grad_norm_ramp", theta, sigma, eta, "ramp")
    r = math.sin(theta) / sigma
    return (1 - 2 * eta) * math.sqrt(2 / math.pi) * r * math.erf(1 / (2 * math.sqrt(2) * r))


def grad_norm_max(sigma, eta, kernel="smooth"):
    """The largest gradient norm over all angles, at theta = pi/2, below (1-2 eta)/pi: what every iterate meets."""
    return grad_norm(math.pi / 2, sigma, eta, kernel)


@functools.lru_cache(maxsize=4096)
def grad_component_sd(theta, sigma, eta, kernel="smooth"):
    """Standard deviation of one point's l'(t) y x_1, for planning: float. E = int l'^2 phi, as E[x_1^2 | t] = 1."""
    theta, sigma, eta, name = _checked("grad_component_sd", theta, sigma, eta, kernel)
    second = 2 * _kernels.integrate(lambda t: _slope(t, sigma, name) ** 2 * normal_pdf(t), _kernels.positive_axis(name, sigma))
    return math.sqrt(second - grad_norm(theta, sigma, eta, name) ** 2)


@functools.lru_cache(maxsize=65536)
def massart_component(theta, sigma, eta, kernel="smooth"):
    """lem4.3x: g(theta) = int l'(t) phi(t) [2(1-eta) phi(t cot theta) - 2 eta phi(0)] dt: float.

    The component of -grad L towards w* is at least this for every Massart(eta) adversary, with equality for
    eta(x) = eta 1{h_{w*}(x) <u,x> > 0}. g increases on (0, pi/2) and g(pi - theta) = g(theta). Raises: ValueError.
    """
    theta, sigma, eta, name = _checked("massart_component", theta, sigma, eta, kernel)
    cot = abs(math.cos(theta)) / math.sin(theta)
    edges = _kernels.positive_axis(name, sigma, 1 / cot if cot > 0 else 39.0)
    return 2 * _kernels.integrate(
        lambda t: _slope(t, sigma, name) * normal_pdf(t) * (2 * (1 - eta) * normal_pdf(t * cot) - 2 * eta * PHI0), edges
    )


@functools.lru_cache(maxsize=4096)
def stationary_angle(sigma, eta, kernel="smooth"):
    """theta_s(sigma, eta), the root of g in (0, pi/2): stationary angles lie in [0, theta_s] and [pi - theta_s, pi]: float.

    0 at eta = 0. Raises: ValueError.
    """
    sigma, eta, name = _arguments.sigma("stationary_angle", sigma), _arguments.massart("stationary_angle", eta), kernel
    _arguments.kernel("stationary_angle", name)
    if eta == 0:
        return 0.0
    return float(optimize.brentq(massart_component, 1e-12, math.pi / 2, args=(sigma, eta, name), xtol=1e-15, rtol=1e-14))


@functools.lru_cache(maxsize=1024)
def stationary_limit(eta, kernel="smooth"):
    """c_k(eta) = lim tan(theta_s)/sigma for sigma -> 0: the root c of int k(s) exp(-s^2/(2c^2)) ds = eta/(1-eta): float.

    Args: eta in (0, 1/2). Raises: ValueError.
    """
    eta, name = _arguments.massart("stationary_limit", eta), _arguments.kernel("stationary_limit", kernel)
    _arguments.require(eta > 0, "stationary_limit", "eta must be > 0, got 0.")

    def excess(log_c):
        c = math.exp(log_c)
        mass = 2 * _kernels.integrate(
            lambda s: _kernels.kernel(s, name) * np.exp(-0.5 * (s / c) ** 2), _kernels.positive_axis(name, 1.0, c)
        )
        return mass - eta / (1 - eta)

    return math.exp(optimize.brentq(excess, math.log(1e-4), math.log(1e6), xtol=1e-14, rtol=1e-14))


def stationary_limit_constant(kernel="smooth"):
    """lim c_k(eta) sqrt(1 - 2 eta) for eta -> 1/2: half the root of int s^2 k: .12918, .14434, .90690. Raises: ValueError."""
    return 0.5 * math.sqrt(_kernels.kernel_moment(2, kernel))


def sigma_for_excess(eps, eta, kernel="smooth"):
    """sigma = eps pi/c_k(eta): no Massart(eta) adversary holds a stationary point of excess above eps (Gaussian, small sigma)."""
    return math.pi * _arguments.positive("sigma_for_excess", "eps", eps) / stationary_limit(eta, kernel)


def rcn_excess(theta, eta):
    """Excess error at angle theta under constant flip rate eta, Gaussian x: (1-2 eta) theta/pi. Raises: ValueError."""
    return (1 - 2 * _arguments.massart("rcn_excess", eta)) * float(fact1_disagreement(theta))


def massart_half_rates(x, w_star, u, eta):
    """Flip probability of every point under massart_half(eta, u): eta where h_{w*}(x) <u, x> > 0, else 0. sign(0) = +1.

    Args: x [n, d]; w_star, u [d], unit vectors, u orthogonal to w*. Returns: float64 [n]. Raises: ValueError.
    """
    fn = "massart_half_rates"
    x, eta = _arguments.points(fn, x), _arguments.massart(fn, eta)
    w_star, u = (_arguments.unit(fn, name, v, x.shape[1]) for name, v in (("w_star", w_star), ("u", u)))
    _arguments.orthogonal(fn, u, w_star)
    return np.where(np.where(x @ w_star >= 0, 1, -1) * (x @ u) > 0, eta, 0.0)


def massart_half_excess(theta, b, eta):
    """Excess error under massart_half(eta, u), Gaussian x: [(1-eta) theta + eta asin <w,u>]/pi (orthant probabilities): float64.

    Args: theta = angle(w, w*), b = <w, u> with u orthogonal to w*; arrays broadcast. (1-2 eta) theta/pi at b = -sin theta.
    """
    eta = _arguments.massart("massart_half_excess", eta)
    return ((1 - eta) * np.asarray(theta) + eta * np.arcsin(np.clip(b, -1.0, 1.0))) / math.pi


def excess_floor(sigma, eta, kernel="smooth"):
    """thm4.1x: (1-2 eta) theta_s(sigma, eta)/pi, where the learner's excess stops under massart_half. Raises: ValueError."""
    return (1 - 2 * eta) * stationary_angle(sigma, eta, kernel) / math.pi


def excess_ceiling(sigma, eta, kernel="smooth"):
    """thm4.1x: theta_s/pi; no Massart(eta) adversary forces more excess at a stationary point. Raises: ValueError."""
    return stationary_angle(sigma, eta, kernel) / math.pi


def averaging_angle(eta):
    """gap: angle of the mean of y x, and of the population logistic regression, under massart_half: atan(eta/(1-eta))."""
    eta = _arguments.massart("averaging_angle", eta)
    return math.atan(eta / (1 - eta))


def averaging_excess(eta):
    """gap: excess error (1-2 eta)/pi atan(eta/(1-eta)) of averaging and of logistic regression under massart_half."""
    return rcn_excess(averaging_angle(eta), eta)


def _knapsack(theta, sigma, eta, name):
    """Largest excess of a Massart(eta) adversary that keeps the gradient at angle theta at or below 0; nan if g(theta) > 0."""
    room = -massart_component(theta, sigma, eta, name)
    if room < 0:
        return math.nan
    cot = math.cos(theta) / math.sin(theta)
    edges = _kernels.positive_axis(name, sigma, 1 / cot)
    t = np.unique(np.concatenate([edges, np.linspace(0, edges[-1], 400)]))  # the cut is not smooth
    beyond = 0.0  # wedge where the slope is 0, beyond the kernel's support
    if name != "logistic":
        end = 0.5 * sigma
        beyond = 2 * _kernels.integrate(lambda t: normal_pdf(t) * ndtr(-t * cot), np.unique([end, *np.linspace(end, end + 12 / cot, 40)]))

    def cut(t, q):
        slope = _slope(t, sigma, name)
        return np.maximum(t * cot, q / np.maximum(slope, 1e-300))

    def cost(log_q):
        q = math.exp(log_q)
        return (
            4
            * eta
            * _kernels.integrate(lambda t: normal_pdf(t) * _slope(t, sigma, name) * (normal_pdf(t * cot) - normal_pdf(cut(t, q))), t)
        )

    low, high = math.log(1e-12), math.log(60.0 / sigma)
    if cost(high) <= room:
        log_q = high
    elif cost(low) >= room:
        log_q = low
    else:
        log_q = optimize.brentq(lambda v: cost(v) - room, low, high, xtol=1e-9)
    q = math.exp(log_q)
    gained = 2 * _kernels.integrate(lambda t: normal_pdf(t) * (ndtr(-t * cot) - ndtr(-cut(t, q))), t)
    return (1 - 2 * eta) * theta / math.pi + 2 * eta * (gained + beyond)


def worst_excess(sigma, eta, kernel="smooth"):
    """thm4.1x: the largest excess over all Massart(eta) adversaries at a stationary point, Gaussian x: float.

    The best angle in (0, theta_s] is searched on a grid of 40 and refined. Raises: ValueError.
    """
    top = stationary_angle(sigma, eta, kernel)
    _arguments.require(top > 0, "worst_excess", "eta must be > 0, got 0.")
    top *= 1 - 1e-12
    grid = np.linspace(top / 40, top, 40)
    values = [_knapsack(a, sigma, eta, kernel) for a in grid]
    i = int(np.nanargmax(values))
    low, high = grid[max(i - 1, 0)], grid[min(i + 1, 39)]
    best = optimize.minimize_scalar(lambda a: -_knapsack(a, sigma, eta, kernel), bounds=(low, high), method="bounded")
    return max(float(np.nanmax(values)), -float(best.fun))
