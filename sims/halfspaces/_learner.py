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
    "one_example_paths",
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


def gradient(w, z, sigma, kernel, n=None):
    """-grad L_sigma(w) on the points z = y x [d, n]: [d]. n: how many of the columns are points, if the others are 0."""
    v = z @ kernel_weight((w / sigma) @ z, kernel)
    return (v - jnp.dot(w, v) * w) / (sigma * (np.asarray(z.shape[1], z.dtype) if n is None else n))


def descend(z, start, sigma, steps, kernel, n=None):
    """Full-batch descent with steps sigma (1 - .9 i/T): iterates at CHECKPOINTS equally spaced times, and how many of them differ.

    steps: T, int32 [] under trace, a multiple of CHECKPOINTS. n: as in `gradient`.
    Descent ends once a step moves no coordinate by more than rounding does: steps only get shorter, so all later iterates are that one.
    Returns: [CHECKPOINTS, d]; int32 [], of which the first are not repeated.
    """
    each = steps // CHECKPOINTS
    shrink = np.asarray(0.9, z.dtype) / steps.astype(z.dtype)
    rounding = np.asarray(2 * np.finfo(z.dtype).eps, z.dtype)

    def step(state):
        i, w, _ = state
        beta = sigma * (1 - shrink * i.astype(z.dtype))
        new = _normalised(w + beta * gradient(w, z, sigma, kernel, n), w)
        return i + 1, new, jnp.max(jnp.abs(new - w)) > rounding

    def stretch(state, j):
        state = jax.lax.while_loop(lambda s: (s[0] < (j + 1) * each) & s[2], step, state)
        return state, state[1]

    (done, _, _), path = jax.lax.scan(stretch, (jnp.int32(0), start, jnp.bool_(True)), jnp.arange(CHECKPOINTS, dtype=jnp.int32))
    return path, (done + each - 1) // each


def one_example_paths(z, starts, sigma, beta, kernel):
    """The one-example variant from R starts [d, R] at once: the next point of z [d, n] a step, constant step beta: [CHECKPOINTS, d, R].

    n: a multiple of CHECKPOINTS. Starts are columns, so that a step is d vectors of length R, and no step sums squares: with ||w|| = 1 and
    t = <w, z>, ||w + m (z - t w)||^2 = 1 + m^2 (||z||^2 - t^2). What rounding adds to the norm is taken off at every checkpoint.
    """
    points = z.T.reshape(CHECKPOINTS, -1, z.shape[0])

    def step(w, drawn):
        point, squared = drawn
        t = point @ w
        m = kernel_weight(t / sigma, kernel) * (beta / sigma)
        shrink = jax.lax.rsqrt(1 + m * m * (squared - t * t))
        return w * ((1 - m * t) * shrink)[None] + point[:, None] * (m * shrink)[None], None

    def stretch(w, some):
        w = jax.lax.scan(step, w, some)[0]
        w = w / jnp.sqrt(jnp.sum(w * w, 0, keepdims=True))
        return w, w

    return jax.lax.scan(stretch, starts, (points, jnp.sum(points * points, 2)))[1]


def errors(candidates, x, y, num=None):
    """Shares of wrong labels of each candidate and of its negation, [2, m]; sign(0) = +1 for both. candidates [m, d].

    num: int32 [], only the first are counted; the others get inf.
    """
    m, n, up = len(candidates), np.asarray(x.shape[1], x.dtype), y > 0

    def count(i, found):
        t = jax.lax.dynamic_index_in_dim(candidates, i, keepdims=False) @ x
        wrong = jnp.stack([jnp.sum((t >= 0) != up, dtype=jnp.int32), jnp.sum((t <= 0) != up, dtype=jnp.int32)]).astype(x.dtype) / n
        return found.at[:, i].set(wrong)

    return jax.lax.fori_loop(0, m if num is None else num, count, jnp.full((2, m), jnp.inf, x.dtype))


def learn(z, start, x2, y2, sigmas, steps, kernel):
    """Descent on z = y x for every sigma [S], steps int32 [S]; the best iterate, or negation of one, on the held-out x2 [d, n], y2 [n].

    Returns: w [d], its held-out error, the sigma that produced it, every checkpoint [S, CHECKPOINTS, d].
    """

    def at_width(args):
        sigma, num_steps = args
        path, num = descend(z, start, sigma, num_steps, kernel)
        return path, errors(path, x2, y2, num)

    paths, wrong = jax.lax.map(at_width, (sigmas, steps))
    wrong = jnp.swapaxes(wrong, 0, 1).ravel()  # candidates first, then their negations; of equal ones the first is taken
    best, num_candidates = jnp.argmin(wrong), sigmas.shape[0] * CHECKPOINTS
    sign = jnp.where(best < num_candidates, np.asarray(1, z.dtype), np.asarray(-1, z.dtype))
    best_path, best_time = jnp.divmod(best % num_candidates, CHECKPOINTS)
    return sign * paths[best_path, best_time], jnp.min(wrong), sigmas[best_path], paths
