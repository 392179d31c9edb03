"""Maximum likelihood by damped scoring with the Gram matrix of the scores (Berndt-Hall-Hall-Hausman with Levenberg's damping).

One pass over the data an iteration: the trial point's log-likelihood, score and Gram matrix come together, so that an
accepted step has paid for the next one already. After the first few passes the Gram matrix is kept and corrected by rank-two
(BFGS) updates, and a pass no longer makes one, which is half of its time. Where the model is over-specified the Gram matrix is
not the curvature, and scoring alone creeps; where it is not, the updates learn the rest in three or four passes.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from sims.moe import _density

__all__ = ["MAX_ITERATIONS", "TOLERANCE", "Fit", "fit"]

MAX_ITERATIONS = 800  # passes over the data; at 200 one over-specified fit in fifty is cut short
TOLERANCE = 1e-9  # of the mean log-likelihood: gain of the last step, and gain that the model expects of it
MOST_STEPS = 10  # with a Gram matrix each
LONGEST, FIRST_DAMPING, MOST_DAMPING = 2.0, 1e-3, 100.0
RESTART_DAMPING = 1.0


class _Plan(NamedTuple):
    least_steps: int  # accepted steps with a Gram matrix of their own: at least so many
    gain: float  # and as long as one gains more than this
    gram: str  # the precision of the Gram matrix's products
    least_damping: float


# Exact-specified: float32 products are metric enough, as the damping stays far above their rounding in the directions that leave
# the law unchanged. Over-specified: curvatures differ by more decades than that, and early updates lead astray.
_EXACT, _OVER = _Plan(3, 1e-3, "float32", 1e-5), _Plan(MOST_STEPS, 0.0, "float64", 1e-12)


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
    age: jax.Array  # accepted steps since the fit, or its last new beginning
    scoring: jax.Array  # bool, a pass makes a Gram matrix
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
    """A^-1 g for a positive definite A by elimination, one rank-one update a column."""
    p = g.shape[0]
    units = jnp.eye(p, dtype=A.dtype)

    def eliminate(i, M):
        return M - (M[:, i] - units[i])[:, None] * (M[i] / M[i, i])[None]

    return jax.lax.fori_loop(0, p, eliminate, jnp.concatenate([A, g[:, None]], axis=1))[:, p]


def fit(theta, K, gate, x, y, n, num_chunks, tolerance=TOLERANCE, over=False):
    """The local maximum that is reached from `theta` [p] within the box: a Fit. over: more atoms are fitted than the truth has."""
    d = x.shape[1]
    p = theta.shape[0]
    eye = jnp.eye(p, dtype=x.dtype)
    plan = _OVER if over else _EXACT
    least, most = _density.box(K, d)

    def next_trial(s):
        held = ((s.theta <= least) & (s.g < 0)) | ((s.theta >= most) & (s.g > 0))  # on the edge of the box, and pushed outwards
        moves = jnp.where(held, 0.0, jnp.ones(p, x.dtype))
        step = _solved(s.H * moves[:, None] * moves[None, :] + s.mu * eye, s.g * moves)
        length = jnp.sqrt(jnp.sum(step * step))
        return s._replace(trial=jnp.clip(s.theta + step * jnp.minimum(1.0, LONGEST / jnp.maximum(length, 1e-300)), least, most))

    def judged(s, ll, g, H):
        """(the state after a look at the trial point, which is kept if it is better; the gain)."""
        gain, expected = ll - s.ll, 0.5 * jnp.sum(s.g * (s.trial - s.theta))
        better = gain > 0
        theta, ll, g, H = (jnp.where(better, new, old) for new, old in ((s.trial, s.theta), (ll, s.ll), (g, s.g), (H, s.H)))
        mu = jnp.where(better, jnp.maximum(s.mu * 0.3, plan.least_damping), s.mu * 10)
        small = (s.age > 0) & (expected < tolerance) & (jnp.abs(gain) < tolerance)
        done = small | (mu > MOST_DAMPING) | (s.evaluations >= MAX_ITERATIONS)
        age = s.age + better.astype(jnp.int32)
        return _State(s.trial, theta, ll, g, H, mu, age, s.scoring, s.evaluations + 1, done, small), gain

    def scoring(s):
        found, gain = judged(s, *_density.sums(s.trial, K, gate, x, y, n, num_chunks, plan.gram))
        enough = (gain > 0) & (found.age > plan.least_steps) & ((gain < plan.gain) | (found.age > MOST_STEPS))
        return next_trial(found._replace(mu=jnp.where(s.age == 0, FIRST_DAMPING, found.mu), scoring=~enough))

    def correcting(s):
        ll, g = _density.sums(s.trial, K, gate, x, y, n, num_chunks, None)
        found, gain = judged(s, ll, g, _corrected(s.H, s.trial - s.theta, s.g - g))
        stuck = ~found.done & ~(gain > 0) & (found.mu > RESTART_DAMPING)  # rounding has spoilt H: begin again from its Gram matrix
        again = found._replace(trial=found.theta, ll=-jnp.inf, mu=FIRST_DAMPING, age=0, scoring=True)
        return jax.tree.map(lambda a, b: jnp.where(stuck, a, b), again, next_trial(found))

    def attempt(s):
        s = jax.lax.while_loop(lambda s: ~s.done & s.scoring, scoring, s)
        return jax.lax.while_loop(lambda s: ~s.done & ~s.scoring, correcting, s)

    start = jnp.clip(theta, least, most)
    zero, none, no = jnp.zeros((), x.dtype), jnp.zeros((), jnp.int32), jnp.array(False)
    first = _State(start, start, zero - jnp.inf, jnp.zeros(p, x.dtype), eye, zero, none, ~no, none, no, no)
    end = jax.lax.while_loop(lambda s: ~s.done, attempt, first)
    return Fit(end.theta, end.ll, end.evaluations, end.converged)
