"""Points: thirteen marginals, as columns. A marginal is a number under trace, so all of them share one compiled program."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr, ndtr

from sims import _generator

__all__ = ["MARGINALS", "World", "directions", "marginal_id", "normals", "points", "quartic_table", "uniforms"]

MARGINALS = (
    "gauss", "quartic", "uniform", "laplace", "t3", "aniso", "cube", "grid", "gap", "nearbdry", "gmm", "squash", "spike",
)  # fmt: skip
_TABLE = 40001  # points of the quartic law's inverse distribution function
_SQUASH_BAND, _SHRINK = 0.25, 0.01


def marginal_id(name):
    """The number of a marginal. Raises: ValueError."""
    from theory.halfspaces import _arguments

    return MARGINALS.index(_arguments.one_of("halfspaces", "marginal", name, MARGINALS))


@functools.cache
def quartic_table():
    """(x, F(x)) of the density proportional to exp(-.15 x^2 - b x^4) on 40,001 points of [-6, 6], b such that its variance is 1."""
    from scipy import optimize

    x = np.linspace(-6.0, 6.0, _TABLE)

    def density(b):
        p = np.exp(-0.15 * x**2 - b * x**4)
        return p / p.sum()

    b = optimize.brentq(lambda b: density(b) @ x**2 - 1, 1e-3, 1.0, xtol=1e-14)
    cdf = np.cumsum(density(b))
    return x.astype(np.float32), (cdf - 0.5 * density(b)).astype(np.float32)


@functools.cache
def _quartic_of_normal():
    """The increasing map that takes a standard normal to the quartic law, at 40,001 equidistant points of [-6, 6]: one look-up a draw."""
    from scipy import special

    x, cdf = (a.astype(np.float64) for a in quartic_table())
    return np.interp(special.ndtr(np.linspace(-6.0, 6.0, _TABLE)), cdf, x).astype(np.float32)


def _share(words):
    """jax.random.uniform's map from words to [0, 1), float32: 23 bits."""
    one = np.float32(1)
    return jax.lax.bitcast_convert_type((words >> 9) | one.view(np.uint32), jnp.float32) - one


def _by_rows(shape, draw):
    """draw(index uint32 [n]), float32 [n], for the places of an array in row-major order, one row of the last axis after the other.

    A row is written whole, in one pass over the generator's rounds and what is made of the words, and a compiler cannot repeat them for
    every use of the draws. With jax.random.normal it does: `T4` and `complete` take two to three times as long.
    """
    rows, n = math.prod(shape[:-1]), shape[-1]
    within = jnp.arange(n, dtype=jnp.uint32)

    def fill(i, out):
        return jax.lax.dynamic_update_slice(out, draw(within + np.uint32(n) * i.astype(jnp.uint32))[None], (i, 0))

    return jax.lax.fori_loop(0, rows, fill, jnp.zeros((rows, n), jnp.float32)).reshape(shape)


def normals(key, shape):
    """Standard normal draws, float32.

    They keep both words of every threefry block where jax.random.normal folds them into one; each word gives one draw, as there: the
    first words are the first half of the array, the second words the second half.
    """
    half = np.uint32(-(-math.prod(shape) // 2))
    one, lowest = np.float32(1), np.nextafter(np.float32(-1), np.float32(0))

    def draw(index):
        second = index >= half
        block = jnp.where(second, index - half, index)
        a, b = _generator.rounds(jax.random.key_data(key), block, block + half)
        share = jnp.maximum(lowest, _share(jnp.where(second, b, a)) * (one - lowest) + lowest)
        return np.float32(math.sqrt(2)) * jax.lax.erf_inv(share)

    return _by_rows(shape, draw)


def uniforms(key, shape):
    """The draws of jax.random.uniform on [0, 1), float32, row by row."""

    def draw(index):
        a, b = _generator.rounds(jax.random.key_data(key), jnp.zeros_like(index), index)
        return _share(a ^ b)

    return _by_rows(shape, draw)


def _normalise(v):
    return v / jnp.linalg.norm(v)


def directions(g, marginal, squash):
    """(w*, u, w0): unit vectors [d] from two columns of normal draws g [d, 2], w* uniform on the sphere, u orthogonal to it.

    squash (traced): w0 is uniform and w* = (w0 + u)/sqrt2, the fake stationary point's world; otherwise w0 = w*.
    gmm: u is the unit part of (1, .., 1) orthogonal to w*.
    """
    w, v = _normalise(g[:, 0]), g[:, 1]
    ones = jnp.ones_like(w)
    v = jnp.where(marginal == MARGINALS.index("gmm"), ones + 1e-3 * v, v)
    v = v - jnp.dot(v, w) * w
    u = _normalise(v - jnp.dot(v, w) * w)  # twice, so that u is orthogonal to rounding
    star = jnp.where(squash, (w + u) / np.float32(math.sqrt(2)), w)
    return star, u, w


class World:
    """The vectors that marginals refer to."""

    def __init__(self, star, u, base, spike):
        self.star, self.u, self.base, self.spike = star, u, base, spike  # spike: float32 [3], s, rho, alpha


def _move(g, along, direction):
    """Adds `along` [n] times `direction` [d] to the columns of g."""
    return g + direction[:, None] * along[None]


def points(g, key, marginal, world):
    """Points as columns, float32 [d, n], made of normal draws g [d, n] and what else key gives. marginal: int32 []; world: World."""
    d, n = g.shape

    def quartic(g, key):
        del key
        table, scale = jnp.asarray(_quartic_of_normal()), np.float32((_TABLE - 1) / 12)
        place = jnp.clip((g + 6) * scale, 0, np.float32(_TABLE - 1.01))
        below = place.astype(jnp.int32)
        part = place - below.astype(jnp.float32)
        return table[below] * (1 - part) + table[below + 1] * part

    def laplace(g, key):
        del key
        return -jnp.sign(g) * np.float32(1 / math.sqrt(2)) * (log_ndtr(-jnp.abs(g)) + np.float32(math.log(2)))

    def t3(g, key):
        a, b, c = normals(key, (3, n))  # written out: a sum over rows is slow on a CPU
        return g / jnp.sqrt(a * a + b * b + c * c)[None]

    def gap(g, key):
        del key
        t = world.star @ g
        return _move(g, np.float32(0.3) * jnp.where(t >= 0, 1.0, -1.0).astype(jnp.float32), world.star)

    def nearbdry(g, key):
        t = world.star @ g
        half = uniforms(key, (n,)) < 0.5
        return _move(g, jnp.where(half, np.float32(0.01 - 1), np.float32(0)) * t, world.star)

    def gmm(g, key):
        sign = jnp.where(uniforms(key, (n,)) < 0.5, np.float32(1.5), np.float32(-1.5))
        return _move(np.float32(0.6) * g, sign, world.u)

    def squash(g, key):
        del key
        inside = jnp.abs(world.base @ g) < _SQUASH_BAND
        return _move(g, jnp.where(inside, np.float32(_SHRINK - 1), np.float32(0)) * (world.u @ g), world.u)

    def spike(g, key):
        key_where, key_sign = jax.random.split(key)
        s, rho, alpha = world.spike[0], world.spike[1], world.spike[2]
        where = uniforms(key_where, (n,)) < alpha
        sign = jnp.where(uniforms(key_sign, (n,)) < 0.5, np.float32(1), np.float32(-1))
        atom = (s * world.star - rho * world.u)[:, None] * sign[None]
        return jnp.where(where[None], atom, g)

    scales = jnp.asarray(np.linspace(0.3, 2.0, d), jnp.float32)[:, None]
    root3 = np.float32(math.sqrt(3))
    branches = {
        "gauss": lambda g, key: g,
        "quartic": quartic,
        "uniform": lambda g, key: root3 * (2 * ndtr(g) - 1),
        "laplace": laplace,
        "t3": t3,
        "aniso": lambda g, key: g * scales,
        "cube": lambda g, key: jnp.where(g >= 0, np.float32(1), np.float32(-1)),
        "grid": lambda g, key: jnp.round(g),
        "gap": gap,
        "nearbdry": nearbdry,
        "gmm": gmm,
        "squash": squash,
        "spike": spike,
    }
    return jax.lax.switch(marginal, [branches[name] for name in MARGINALS], g, key)
