"""Labels: seven noises on a halfspace w*, each a number under trace. sign(0) = +1 everywhere."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from sims.halfspaces._kernels import kernel_weight
from sims.halfspaces._marginals import uniforms

__all__ = ["NOISES", "flip_rates", "labels", "labels_by_chance", "noise_id", "predict"]

NOISES = ("rcn", "massart_half", "boundary", "tail", "tailu", "killer", "planted2")
RANDOM = ("rcn", "massart_half")  # each label flips by chance, the others flip a fixed number of labels


def noise_id(name):
    """The number of a noise. Raises: ValueError."""
    from theory.halfspaces import _arguments

    return NOISES.index(_arguments.one_of("halfspaces", "noise", name, NOISES))


def predict(w, x):
    """h_w: float32 [n] of -1, +1; w [d], x [d, n]."""
    return jnp.where(w @ x >= 0, np.float32(1), np.float32(-1))


def flip_rates(noise, eta, x, star, u):
    """eta(x) of the random noises: float32 [n]. massart_half: eta where h_{w*}(x) <u,x> > 0, else 0."""
    right = predict(star, x) * (u @ x) > 0
    return jnp.where((noise == NOISES.index("massart_half")) & ~right, np.float32(0), eta.astype(jnp.float32))


def labels_by_chance(key, noise, rate, x, star, u):
    """y of the random noises: float32 [n] of -1, +1."""
    clean = predict(star, x)
    flips = uniforms(key, (x.shape[1],)) < flip_rates(noise, rate, x, star, u)
    return jnp.where(flips, -clean, clean)


def _scores(noise, x, star, u, aim, other, sigma, kernel):
    """What the adversaries rank by, lowest first; inf: never flipped. float32 [n]."""
    t, h = star @ x, predict(star, x)

    def killer():
        toward = star - jnp.dot(star, aim) * aim
        toward = toward / jnp.maximum(jnp.linalg.norm(toward), 1e-12)
        gain = kernel_weight((aim @ x) / sigma, kernel) * jnp.maximum(h * (toward @ x), 0)
        return jnp.where(gain > 0, -gain, jnp.inf)

    branches = {
        "boundary": lambda: jnp.abs(t),
        "tail": lambda: -jnp.abs(t),
        "tailu": lambda: -h * (u @ x),
        "killer": killer,
        "planted2": lambda: jnp.where(predict(other, x) != h, jnp.abs(t), jnp.inf),
    }
    return jax.lax.switch(noise - len(RANDOM), [branches[name] for name in NOISES[len(RANDOM) :]])


def labels(key, noise, rate, x, star, u, aim, other, sigma, kernel, parts, most=1.0):
    """y: float32 [n] of -1, +1, for columns that come in consecutive parts, each with its own adversary.

    noise: int32 []; rate: eta of the random noises, else the share of clean labels flipped, floor(rate size) in each part.
    aim: w0 of killer, which kills the gradient of the surrogate (sigma, kernel) there; other: the second halfspace of planted2.
    parts: sizes that add up to n, static. most: static bound on the share an adversary flips; a small one saves sorting the rest.
    """
    clean = predict(star, x)

    def lowest(score):
        """Whether a score is among the floor(rate size) lowest of its part, and finite."""
        size = score.shape[0]
        count = jnp.floor(rate * np.float32(size) + np.float32(1e-3)).astype(jnp.int32)
        ranked = min(size, math.ceil(most * size))
        _, order = jax.lax.top_k(-score, ranked)  # on a CPU faster than a sort
        first = jnp.zeros((size,), bool).at[order].set(jnp.arange(ranked, dtype=jnp.int32) < count, unique_indices=True)
        return first & jnp.isfinite(score)

    def by_rank():
        score = _scores(noise, x, star, u, aim, other, sigma, kernel)
        flips = [lowest(part) for part in jnp.split(score, np.cumsum(parts)[:-1]) if part.shape[0]]
        return jnp.where(jnp.concatenate(flips), -clean, clean)

    return jax.lax.cond(noise < len(RANDOM), lambda: labels_by_chance(key, noise, rate, x, star, u), by_rank)
