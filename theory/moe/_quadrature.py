r"""Quadrature over x (Monte Carlo in three dimensions and more) and y, distances between two mixtures, and the Fisher information.

Gauss-Legendre in x, trapezoid in y (spectrally accurate here). E_X h^2 and KL converge spectrally; E_X h and E_X V have
kinks where p = q and converge like 1/nx^2.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from theory.moe import _activations, _arguments, _model

__all__ = [
    "QA", "QL", "QL_SMALL", "Distances", "Quadrature", "distances", "eigenvalues", "fisher", "legendre", "monte_carlo_quadrature",
    "quadrature", "quadrature_for", "rank", "scores", "tensor_quadrature",
]  # fmt: skip

SINGULAR = 1e-13  # eigenvalues below this share of the largest are zero


@dataclasses.dataclass(frozen=True)
class Quadrature:
    """x: [m, d], weights of the uniform law [m] (sum 1); y: [ny], weights [ny]."""

    x: np.ndarray
    x_weights: np.ndarray
    y: np.ndarray
    y_weights: np.ndarray


@dataclasses.dataclass(frozen=True)
class Distances:
    """h: E_X h, root: sqrt(E_X h^2), h2: E_X h^2, v: E_X total variation, kl: E_X KL(G || H)."""

    h: float
    root: float
    h2: float
    v: float
    kl: float


@functools.cache
def legendre(nodes):
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    return np.polynomial.legendre.leggauss(nodes)


def _y_rule(ylo, yhi, ny):
    y = np.linspace(ylo, yhi, ny)
    w = np.full(ny, y[1] - y[0])
    w[[0, -1]] *= 0.5
    return y, w


def quadrature(lo, hi, nx, ylo, yhi, ny):
    """d = 1: nx Gauss-Legendre nodes on [lo, hi], ny trapezoid nodes on [ylo, yhi]."""
    lo, hi = _arguments.span("quadrature", lo, hi)
    _arguments.span("quadrature", ylo, yhi)
    t, w = legendre(nx)
    return Quadrature((lo + 0.5 * (hi - lo) * (t + 1))[:, None], 0.5 * w, *_y_rule(ylo, yhi, ny))


def tensor_quadrature(lo, hi, d, nx, ylo, yhi, ny):
    """The same in d dimensions, nx^d nodes."""
    one = quadrature(lo, hi, nx, ylo, yhi, 3)
    x = np.stack([g.ravel() for g in np.meshgrid(*[one.x[:, 0]] * d, indexing="ij")], axis=1)
    w = functools.reduce(np.multiply.outer, [one.x_weights] * d).ravel()
    return Quadrature(x, w, *_y_rule(ylo, yhi, ny))


def monte_carlo_quadrature(lo, hi, d, draws, ylo, yhi, ny, seed=0):
    """The same with `draws` random points of U(lo, hi)^d of equal weight in place of nodes: the same ones for the same seed.

    Raises: ValueError for d < 1 or draws < 1, or a range that is empty.
    """
    fn = "monte_carlo_quadrature"
    lo, hi = _arguments.span(fn, lo, hi)
    _arguments.span(fn, ylo, yhi)
    d, draws = _arguments.integer(fn, "d", d, 1), _arguments.integer(fn, "draws", draws, 1)
    x = np.random.default_rng(seed).uniform(lo, hi, (draws, d))
    return Quadrature(x, np.full(draws, 1 / draws), *_y_rule(ylo, yhi, ny))


QL = quadrature(-1, 1, 32, -12, 12, 1201)  # for TL; steps of .02 leave the trapezoid rule exact to rounding
QL_SMALL = quadrature(-1, 1, 24, -10, 10, 1001)  # for TL, where many distances are wanted
QA = quadrature(-3, 3, 48, -16, 16, 1201)  # for TA


def quadrature_for(G, lo, hi, nx=48, ny=1501, margin=9.0):
    """d = 1 and 2 (12 nodes a side): a rule whose y range holds every expert to `margin` standard deviations."""
    lo, hi = _arguments.span("quadrature_for", lo, hi)
    reach = np.abs(G.a).sum(axis=1) * max(abs(lo), abs(hi)) + margin * np.sqrt(G.nu)
    ylo, yhi = float((G.b - reach).min()), float((G.b + reach).max())
    step = 0.25 * np.sqrt(G.nu.min())  # the trapezoid rule is exact to rounding at a quarter of a standard deviation
    ny = max(ny, int((yhi - ylo) / step) | 1)
    if G.d == 1:
        return quadrature(lo, hi, nx, ylo, yhi, ny)
    _arguments.require(G.d == 2, "quadrature_for", f"d must be 1 or 2, got d={G.d}; give your own Quadrature.")
    return tensor_quadrature(lo, hi, 2, 12, ylo, yhi, ny)


def _log_densities(G, quad, act, gate):
    y = np.broadcast_to(quad.y, (len(quad.x), len(quad.y)))
    return _model.log_cond(G, quad.x, y, act, gate)


def distances(G, H, quad, act="linear", gate="inside", act_h=None, gate_h=None):
    """Distances between the laws of G and H at the quadrature's X; `act_h`, `gate_h`: H's own, by default G's.

    h^2 is the half integral of (sqrt p - sqrt q)^2, never 1 - int sqrt(pq), which has a floor of 1e-16. KL sums
    p log(p/q) - p + q, every term of which is >= 0.
    Raises: ValueError for an unknown activation or gate.
    """
    lp = _log_densities(G, quad, act, gate)
    lq = _log_densities(H, quad, act if act_h is None else act_h, gate if gate_h is None else gate_h)
    p, q = np.exp(lp), np.exp(lq)
    wx, wy = quad.x_weights, quad.y_weights
    h2_of_x = 0.5 * (np.exp(0.5 * lp) - np.exp(0.5 * lq)) ** 2 @ wy
    v_of_x = 0.5 * np.abs(p - q) @ wy
    delta = lp - lq
    with np.errstate(over="ignore", invalid="ignore"):
        near = q * (delta * np.exp(delta) - np.expm1(delta))
    kl_of_x = np.where(np.abs(delta) < 0.1, near, p * delta - p + q) @ wy
    h2 = float(wx @ h2_of_x)
    return Distances(float(wx @ np.sqrt(h2_of_x)), float(np.sqrt(h2)), h2, float(wx @ v_of_x), float(wx @ kl_of_x))


def scores(G, x, y, act="linear", gate="inside"):
    """(s [p, m, ...], log density [m, ...]) at x [m, d], y [m, ...]: gradient of log p in the anchored natural parameters, in the
    order of `free_parameters`."""
    k, d = G.k, G.d
    extra = (1,) * (np.ndim(y) - 1)

    def wide(v):  # one number a covariate, beside y
        return v.reshape(*v.shape, *extra)

    joint = _model.log_joint(G, x, y, act, gate)
    top = joint.max(axis=0)
    log_p = top + np.log(np.exp(joint - top).sum(axis=0))
    R = np.exp(joint - log_p)
    z = _model.gate_logits(G, x, act, gate)
    e = R - wide(np.exp(_model.log_softmax(z)))
    h = G.beta1 @ x.T
    slope = wide(_activations.derivative(act, h) / G.tau)
    nu = G.nu.reshape(-1, 1, *extra)
    rho = y[None] - wide(G.a @ x.T + G.b[:, None])
    pull = R * rho / nu
    inside = _arguments.gate("scores", gate) == "inside"
    dz_dtau = z / G.tau if inside else _activations.activation(act, h) / G.tau**2
    rows = [e[i] * slope[i] * wide(x[:, u]) for i in range(k - (act == "linear")) for u in range(d)]
    rows += [e[i] / (G.tau if inside else 1.0) for i in range(k - 1)]
    rows += [-(e * wide(dz_dtau)).sum(axis=0)]
    rows += [pull[i] * wide(x[:, u]) for i in range(k) for u in range(d)]
    rows += [pull[i] for i in range(k)]
    rows += [0.5 * R[i] * (rho[i] ** 2 / G.nu[i] - 1) / G.nu[i] for i in range(k)]
    return np.stack(rows), log_p


def fisher(G, quad, act="linear", gate="inside"):
    """E[s s^T] in the anchored natural parameters: float64 [p, p]. G must be anchored.

    Raises: ValueError if the last bias (linear gate: or slope) is not 0, or the y range misses more than 1e-8 of the mass.
    """
    ok = G.beta0[-1] == 0 and (act != "linear" or not G.beta1[-1].any())
    _arguments.require(ok, "fisher", "G must be anchored: beta0_k = 0, and beta1_k = 0 for the linear gate (use `anchored`).")
    s, log_p = scores(G, quad.x, np.broadcast_to(quad.y, (len(quad.x), len(quad.y))), act, gate)
    weight = quad.x_weights[:, None] * quad.y_weights * np.exp(log_p)
    _arguments.require(abs(weight.sum() - 1) < 1e-8, "fisher", f"the quadrature holds mass {weight.sum()} instead of 1: widen its y range.")
    flat = s.reshape(len(s), -1)
    return (flat * weight.ravel()) @ flat.T


def eigenvalues(info):
    """Ascending eigenvalues of a Fisher information, [p]."""
    return np.linalg.eigvalsh(info)


def rank(info):
    """Number of eigenvalues above 1e-13 of the largest."""
    lam = eigenvalues(info)
    return int((lam > SINGULAR * lam[-1]).sum())
