"""The learner: projected gradient descent on the surrogate, full batch or one example a step, and the choice among iterates.

Points are columns. The kernel is even, so that with z = y x both <w, z> and the weights k(<w, z>/sigma) are those of the
gradient: -grad L(w) = E[l'(<w,z>) (z - <w,z> w)].
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from sims.halfspaces._kernels import kernel_weight

__all__ = [
    "CHECKPOINTS",
    "averaging_start",
    "descend",
    "errors",
    "gradient",
    "learn",
    "num_steps",
    "one_example_path",
    "select",
]

CHECKPOINTS = 20  # iterates that become candidates, beside their negations
LEAST_STEPS = 200


def num_steps(sigma, eta=None):
    """Full-batch steps: max(200, ceil(15/(sigma (1-2 eta)))), a multiple of CHECKPOINTS; unknown noise: 1 - 2 eta = .5."""
    steps = max(LEAST_STEPS, math.ceil(15 / (sigma * (0.5 if eta is None else 1 - 2 * eta))))
    return CHECKPOINTS * math.ceil(steps / CHECKPOINTS)


def _normalised(v, otherwise):
    """v/||v||, or `otherwise` where v vanishes: a set without points in the band has gradient 0."""
    norm = jnp.linalg.norm(v)
    return jnp.where(norm > 0, v / jnp.maximum(norm, np.asarray(1e-30, v.dtype)), otherwise)


def averaging_start(z):
    """The normalised mean of y x: [d]; e_1 if it vanishes."""
    first = jnp.zeros((z.shape[0],), z.dtype).at[0].set(1)
    return _normalised(jnp.mean(z, 1), first)


def gradient(w, z, sigma, kernel):
    """-grad L_sigma(w) on the points z = y x [d, n]: [d]."""
    t = w @ z
    slope = kernel_weight(t / sigma, kernel)
    return (z @ slope - jnp.dot(t, slope) * w) / (sigma * np.asarray(z.shape[1], z.dtype))


def descend(z, start, sigma, steps, kernel):
    """Full-batch descent with steps sigma (1 - .9 i/T): iterates at CHECKPOINTS equally spaced times, [CHECKPOINTS, d].

    steps: T, int32 [] under trace, a multiple of CHECKPOINTS.
    """
    each = steps // CHECKPOINTS
    shrink = np.asarray(0.9, z.dtype) / steps.astype(z.dtype)

    def step(i, w):
        beta = sigma * (1 - shrink * i.astype(z.dtype))
        return _normalised(w + beta * gradient(w, z, sigma, kernel), w)

    def stretch(w, j):
        w = jax.lax.fori_loop(j * each, (j + 1) * each, step, w)
        return w, w

    return jax.lax.scan(stretch, start, jnp.arange(CHECKPOINTS, dtype=jnp.int32))[1]


def one_example_path(z, start, sigma, beta, kernel):
    """The one-example variant: one fresh point of z [d, n] a step, constant step beta: [CHECKPOINTS, d]. n: a multiple of CHECKPOINTS."""
    rows = z.T.reshape(CHECKPOINTS, -1, z.shape[0])

    def step(w, point):
        t = jnp.dot(w, point)
        move = kernel_weight(t / sigma, kernel) / sigma * (point - t * w)
        return _normalised(w + beta * move, w), None

    def stretch(w, some):
        w = jax.lax.scan(step, w, some)[0]
        return w, w

    return jax.lax.scan(stretch, start, rows)[1]


def errors(candidates, x, y):
    """Shares of wrong labels of each candidate and of its negation, [2, m]; sign(0) = +1 for both. candidates [m, d]."""

    def of(w):
        t, up = w @ x, y > 0
        n = np.asarray(x.shape[1], x.dtype)
        return jnp.stack([jnp.sum((t >= 0) != up, dtype=jnp.int32), jnp.sum((t <= 0) != up, dtype=jnp.int32)]).astype(x.dtype) / n

    return jax.lax.map(of, candidates).T


def select(candidates, x, y):
    """The candidate or negation with the fewest errors on x [d, n], y [n]: (w [d], its error, its index among [2 m])."""
    wrong = errors(candidates, x, y).ravel()
    best = jnp.argmin(wrong)
    return jnp.concatenate([candidates, -candidates])[best], wrong[best], best


def learn(z, start, x2, y2, sigmas, steps, kernel):
    """Descent on z = y x for every sigma [S], steps int32 [S]; the best iterate on the held-out (x2, y2).

    Returns: w [d], its held-out error, the sigma that produced it, every checkpoint [S, CHECKPOINTS, d].
    """
    paths = jax.lax.map(lambda args: descend(z, start, args[0], args[1], kernel), (sigmas, steps))
    w, wrong, best = select(paths.reshape(-1, z.shape[0]), x2, y2)
    return w, wrong, sigmas[(best % (sigmas.shape[0] * CHECKPOINTS)) // CHECKPOINTS], paths
