"""Maximum likelihood by damped scoring with the Gram matrix of the scores (Berndt-Hall-Hall-Hausman with Levenberg's damping).

One pass over the data an iteration: the trial point's log-likelihood, score and Gram matrix come together, so that an
accepted step has paid for the next one already. After SWITCH iterations the Gram matrix is kept and corrected by rank-two
(BFGS) updates: where the model is over-specified the Gram matrix is not the curvature, and scoring alone creeps.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from sims.moe import _density

__all__ = ["MAX_ITERATIONS", "TOLERANCE", "Fit", "fit"]

MAX_ITERATIONS = 800  # passes over the data; at 200 one over-specified fit in fifty is cut short
TOLERANCE = 1e-9  # of the mean log-likelihood: gain of the last step, and gain that the model expects of it
SWITCH = 10
LONGEST, FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 2.0, 1e-3, 1e-12, 100.0
RESTART_DAMPING = 1.0


class Fit(NamedTuple):
    theta: jax.Array  # [p]
    log_likelihood: jax.Array  # mean over the sample
    evaluations: jax.Array  # int32, passes over the data
    converged: jax.Array  # bool


class _State(NamedTuple):
    trial: jax.Array
    theta: jax.Array
    ll: jax.Array
    g: jax.Array
    H: jax.Array
    mu: jax.Array
    age: jax.Array  # evaluations since H was begun
    evaluations: jax.Array
    done: jax.Array
    converged: jax.Array


def _corrected(H, step, fall):
    """Rank-two update of H so that H step = fall, the fall of the score along the step; H itself where that is not positive."""
    Hs = H @ step
    curvature, old = jnp.sum(fall * step), jnp.sum(step * Hs)
    ok = curvature > 1e-10 * jnp.sqrt(jnp.sum(fall * fall) * jnp.sum(step * step))
    new = H + jnp.outer(fall, fall) / jnp.where(ok, curvature, 1.0) - jnp.outer(Hs, Hs) / jnp.maximum(old, 1e-300)
    return jnp.where(ok, new, H)


def _solved(A, g):
    """A^-1 g for a positive definite A, elimination written out: a call into LAPACK a small system costs more."""
    p = g.shape[0]

    def eliminate(i, state):
        A, g = state
        row, pivot = A[i] / A[i, i], g[i] / A[i, i]
        column = jnp.where(jnp.arange(p) == i, 0.0, A[:, i])
        return (A - column[:, None] * row[None]).at[i].set(row), (g - column * pivot).at[i].set(pivot)

    return jax.lax.fori_loop(0, p, eliminate, (A, g))[1]


def fit(theta, K, gate, x, y, n, num_chunks, tolerance=TOLERANCE):
    """The local maximum that is reached from `theta` [p] within the box: a Fit."""
    d = x.shape[1]
    p = theta.shape[0]
    eye = jnp.eye(p, dtype=x.dtype)

    least, most = _density.box(K, d)

    def go_on(s):
        return ~s.done

    def evaluate(s):
        """Looks at the trial point, keeps it if it is better, and makes the next one."""
        ll, g, H = _density.sums(s.trial, K, gate, x, y, n, num_chunks)
        step = s.trial - s.theta
        gain, expected = ll - s.ll, 0.5 * jnp.sum(s.g * step)
        better = gain > 0
        first = s.age == 0
        H = jnp.where(s.age <= SWITCH, H, _corrected(s.H, step, s.g - g))
        theta, ll, g, H = (jnp.where(better, new, old) for new, old in ((s.trial, s.theta), (ll, s.ll), (g, s.g), (H, s.H)))
        mu = jnp.where(better, jnp.maximum(s.mu * 0.3, LEAST_DAMPING), s.mu * 10)
        mu = jnp.where(first, FIRST_DAMPING, mu)
        small = ~first & (expected < tolerance) & (jnp.abs(gain) < tolerance)
        stuck = ~better & (mu > RESTART_DAMPING) & (s.age > SWITCH)  # rounding has spoilt H: begin again from its Gram matrix
        done = small | (mu > MOST_DAMPING) | (s.evaluations >= MAX_ITERATIONS)
        held = ((theta <= least) & (g < 0)) | ((theta >= most) & (g > 0))  # on the edge of the box, and pushed outwards
        moves = jnp.where(held, 0.0, jnp.ones(p, x.dtype))
        step = _solved(H * moves[:, None] * moves[None, :] + mu * eye, g * moves)
        length = jnp.sqrt(jnp.sum(step * step))
        trial = jnp.clip(theta + step * jnp.minimum(1.0, LONGEST / jnp.maximum(length, 1e-300)), least, most)
        trial, ll, mu = jnp.where(stuck, theta, trial), jnp.where(stuck, -jnp.inf, ll), jnp.where(stuck, FIRST_DAMPING, mu)
        return _State(trial, theta, ll, g, H, mu, jnp.where(stuck, 0, s.age + 1), s.evaluations + 1, done, small)

    start = jnp.clip(theta, least, most)
    zero, none = jnp.zeros((), x.dtype), jnp.array(False)
    first = _State(start, start, zero - jnp.inf, jnp.zeros(p, x.dtype), eye, zero, *[jnp.zeros((), jnp.int32)] * 2, none, none)
    end = jax.lax.while_loop(go_on, evaluate, first)
    return Fit(end.theta, end.ll, end.evaluations, end.converged)
