"""Expectation-maximisation for the mixture, for fidelity with published studies: linear gate, d = 1, one data set.

E: responsibilities. M, experts: weighted least squares (ridge 1e-10) and weighted variance (floor 1e-3). M, gate: one damped scoring
step on the weighted multinomial log-loss in (beta1, beta0, log tau), halved until that loss does not rise. So the likelihood
never falls: the expected complete-data likelihood does not, part by part.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from sims.moe import _density

__all__ = ["EmTrace", "em"]

RIDGE, FLOOR, DAMPING, HALVINGS = 1e-10, 1e-3, 1e-6, 6


class EmTrace(NamedTuple):
    """P after the last iteration; log_likelihood [iterations + 1]: mean over the points, before each iteration and at the end."""

    P: _density.Params
    log_likelihood: jax.Array


def _logits(P, x):
    return (P.beta1 * x[None] + P.beta0[:, None]) / P.tau


def _gate_step(P, R, x):
    """A damped scoring step of the gate towards the responsibilities R [K, n], as long as the log-loss does not rise."""
    K, n = R.shape
    z = _logits(P, x)
    g, _ = _density.softmax(z)
    e = (R - g) / P.tau
    tilt = z - jnp.sum(g * z, axis=0)[None]  # log tau moves the logits by -z; centred, as the gate sees only differences
    gradient = jnp.concatenate([e @ x, jnp.sum(e, axis=1), -jnp.sum((R - g) * z)[None]])
    # Scoring matrix: the gate's covariance of the logit derivatives, summed over points.
    moments = jnp.stack([jnp.ones_like(x), x, x * x])
    own = (g / P.tau**2) @ moments.T
    cross = jnp.stack([(g * m[None]) @ g.T for m in moments]) / P.tau**2
    blocks = [jnp.diag(own[:, m]) - cross[m] for m in range(3)]
    with_tau = -(g * tilt) @ moments[:2].T / P.tau
    row = jnp.concatenate([with_tau[:, 1], with_tau[:, 0]])
    of_tau = jnp.sum(g * tilt * tilt)
    H = jnp.block([[blocks[2], blocks[1], row[:K, None]], [blocks[1], blocks[0], row[K:, None]], [row[None], of_tau[None, None]]])
    step = jax.scipy.linalg.solve(H + DAMPING * n * jnp.eye(2 * K + 1, dtype=x.dtype), gradient, assume_a="pos")

    def moved(c):
        beta1, beta0, log_tau = step[:K, None], step[K : 2 * K], step[2 * K]
        return P._replace(beta1=P.beta1 + c * beta1, beta0=P.beta0 + c * beta0, tau=P.tau * jnp.exp(c * log_tau))

    def loss(Q):
        z = _logits(Q, x)
        return jnp.sum(_density.softmax(z)[1] - jnp.sum(R * z, axis=0))

    now = loss(P)

    def halve(state):
        c, _, tries = state
        return 0.5 * c, loss(moved(0.5 * c)), tries + 1

    one = jnp.ones((), x.dtype)
    c, found, _ = jax.lax.while_loop(lambda s: (s[1] > now) & (s[2] < HALVINGS), halve, (one, loss(moved(one)), jnp.zeros((), jnp.int32)))
    return moved(jnp.where(found <= now, c, 0.0))


def _experts(P, R, x, y):
    """Weighted least squares and weighted variances."""
    w0, w1, w2, v0, v1 = (R @ v for v in (jnp.ones_like(x), x, x * x, y, x * y))
    det = (w0 + RIDGE) * (w2 + RIDGE) - w1 * w1
    a, b = ((w0 + RIDGE) * v1 - w1 * v0) / det, ((w2 + RIDGE) * v0 - w1 * v1) / det
    rho = y[None] - a[:, None] * x[None] - b[:, None]
    nu = jnp.maximum(jnp.sum(R * rho * rho, axis=1) / jnp.maximum(w0, 1e-300), FLOOR)
    return P._replace(a=a[:, None], b=b, nu=nu)


def em(P, x, y, iterations):
    """`iterations` steps from P on x, y [n], bias inside the temperature: an EmTrace."""

    def responsibilities(P):
        z = _logits(P, x)
        rho = y[None] - P.a * x[None] - P.b[:, None]
        joint = z - _density.softmax(z)[1][None] - 0.5 * (rho * rho / P.nu[:, None] + jnp.log(2 * jnp.pi * P.nu)[:, None])
        R, log_p = _density.softmax(joint)
        return R, jnp.mean(log_p)

    def step(P, _):
        R, ll = responsibilities(P)
        return _experts(_gate_step(P, R, x), R, x, y), ll

    P, path = jax.lax.scan(step, P, length=iterations)
    return EmTrace(P, jnp.concatenate([path, responsibilities(P)[1][None]]))
