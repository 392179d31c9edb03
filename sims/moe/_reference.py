"""A fit of one data set in NumPy, by damped scoring in the anchored natural parameters; weighted points, so that the population
itself can be fitted. Slow and plain: profiles and the frozen temperature use it, tests compare the compiled fit with it."""

from __future__ import annotations

import dataclasses

import numpy as np

from theory.moe import _model, _quadrature

__all__ = ["draw", "fit_points", "moved", "population", "vector"]


def vector(G, act):
    """Anchored natural parameters in the order of `free_parameters`, [p]."""
    return np.concatenate([G.beta1[: G.k - (act == "linear")].ravel(), G.beta0[:-1], [G.tau], G.a.ravel(), G.b, G.nu])


def moved(G, act, theta):
    """The mixture whose anchored parameters are theta; G gives the sizes and the anchor."""
    k, d = G.k, G.d
    free = k - (act == "linear")
    cut = np.cumsum([free * d, k - 1, 1, k * d, k])
    slopes, biases, tau, a, b, nu = np.split(theta, cut)
    beta1, beta0 = G.beta1.copy(), G.beta0.copy()
    beta1[:free], beta0[:-1] = slopes.reshape(free, d), biases
    return dataclasses.replace(G, beta1=beta1, beta0=beta0, tau=float(tau[0]), a=a.reshape(k, d), b=b, nu=nu)


def fit_points(G, x, y, weight, act="linear", gate="inside", frozen=(), tolerance=1e-13, most=500):
    """(fit, weighted mean log-likelihood) from the start G; parameters named in `frozen` stay. x [m, d], y and weight [m], sum 1."""
    names = _model.free_parameters(act, G.k, G.d)
    moves = np.array([name not in frozen for name in names])
    theta, damping = vector(G, act), 1e-3

    def at(theta):
        s, log_p = _quadrature.scores(moved(G, act, theta), x, y, act, gate)
        s = s[moves]
        return float(weight @ log_p), s @ weight, (s * weight) @ s.T

    ll, g, H = at(theta)
    for _ in range(most):
        step = np.linalg.solve(H + damping * np.eye(len(g)), g)
        trial = theta.copy()
        trial[moves] += step
        shape = moved(G, act, trial)
        if shape.tau > 0.01 and (shape.nu > 0.005).all():
            new = at(trial)
            if new[0] > ll:
                gain, expected = new[0] - ll, 0.5 * float(g @ step)
                theta, (ll, g, H), damping = trial, new, max(0.3 * damping, 1e-12)
                if gain < tolerance and expected < tolerance:
                    break
                continue
        damping *= 10
        if damping > 1e3:
            break
    return moved(G, act, theta), ll


def draw(G, n, half, rng, act="linear", gate="inside"):
    """x [n, d], y [n] of the mixture with X ~ U(-half, half)^d."""
    x = rng.uniform(-half, half, (n, G.d))
    share = np.exp(_model.log_softmax(_model.gate_logits(G, x, act, gate)))
    atom = (rng.random(n) >= np.cumsum(share, axis=0)[:-1]).sum(axis=0)
    return x, (G.a[atom] * x).sum(axis=1) + G.b[atom] + np.sqrt(G.nu[atom]) * rng.standard_normal(n)


def population(G, quad, act="linear", gate="inside"):
    """The quadrature of the law of G as weighted points: x [m, d], y [m], weight [m]."""
    x = np.repeat(quad.x, len(quad.y), axis=0)
    y = np.tile(quad.y, len(quad.x))
    weight = (quad.x_weights[:, None] * quad.y_weights).ravel() * np.exp(_model.log_cond(G, x, y, act, gate))
    keep = weight > 1e-14
    return x[keep], y[keep], weight[keep] / weight[keep].sum()
