"""The conditional density, its scores and its draws in JAX; every real parameter, the activation and the gate are traced.

Data are kept in chunks, the samples on the last axis: x [size, d, chunk], y [size, chunk]. A fixed buffer and a traced number
of used chunks make one compiled program serve every n up to the buffer.

The unconstrained parameter vector, float64 [2Kd + 3K + 1], is (beta1, beta0, log tau, a, b, log nu), NOT anchored: damping
takes care of the directions that leave the law unchanged.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register

__all__ = [
    "Gate",
    "Params",
    "bias_scale",
    "box",
    "draw_data",
    "log_density",
    "mean_log_density",
    "normal_of",
    "pack",
    "project",
    "score_terms",
    "softmax",
    "sums",
    "unpack",
]

ACTS = ("linear", "relu", "gelu")
LANES = 64  # divides the samples of a chunk
BOX, TAU_BOX, NU_BOX = 20.0, (0.05, 20.0), (0.01, 20.0)  # the compact parameter set: |.|, tau, nu

_SIGMA = {
    "linear": lambda z: z,
    "relu": lambda z: jnp.maximum(z, 0.0),
    "leaky_relu": lambda z: jnp.where(z > 0, z, 0.1 * z),
    "square": lambda z: z * z,
    "cube": lambda z: z * z * z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "gelu": lambda z: z * _normal_cdf(z),
    "silu": lambda z: z * jax.nn.sigmoid(z),
    "softplus": jax.nn.softplus,
    "sin": jnp.sin,
    "mish": lambda z: z * jnp.tanh(jax.nn.softplus(z)),
    "elu": lambda z: jnp.where(z > 0, z, jnp.expm1(jnp.minimum(z, 0.0))),
}


def _normal_cdf(z):
    return 0.5 * jax.lax.erfc(z * -np.sqrt(0.5))  # relatively accurate in the lower tail, and erf in float64 takes four times as long


class Params(NamedTuple):
    beta1: jax.Array  # [K, d]
    beta0: jax.Array  # [K]
    tau: jax.Array  # []
    a: jax.Array  # [K, d]
    b: jax.Array  # [K]
    nu: jax.Array  # [K]


def unpack(theta, K, d):
    """Vector [2Kd + 3K + 1] -> Params."""
    cut = np.cumsum([K * d, K, 1, K * d, K])
    beta1, beta0, log_tau, a, b, log_nu = jnp.split(theta, cut)
    return Params(beta1.reshape(K, d), beta0, jnp.exp(log_tau[0]), a.reshape(K, d), b, jnp.exp(log_nu))


def pack(P):
    """Params -> vector."""
    return jnp.concatenate([P.beta1.ravel(), P.beta0, jnp.log(P.tau)[None], P.a.ravel(), P.b, jnp.log(P.nu)])


@functools.cache
def box(K, d):
    """(least, most) of the unconstrained vector."""
    most = np.concatenate([np.full(K * d + K, BOX), [np.log(TAU_BOX[1])], np.full(K * d + K, BOX), np.full(K, np.log(NU_BOX[1]))])
    least = np.concatenate([np.full(K * d + K, -BOX), [np.log(TAU_BOX[0])], np.full(K * d + K, -BOX), np.full(K, np.log(NU_BOX[0]))])
    return least, most


def project(theta, K, d):
    """The nearest vector in the box."""
    return jnp.clip(theta, *box(K, d))


@register
@dataclasses.dataclass(frozen=True)
class Gate:
    """Which family of laws. acts: names that may be asked for, every one of them compiled; act int32 [], an index into acts;
    inside float [], 1 with the bias over the temperature, else 0."""

    acts: tuple[str, ...]
    act: jax.Array
    inside: jax.Array

    def sigma(self, z):
        """sigma(z), elementwise. A real branch as long as `act` is not mapped."""
        return jax.lax.switch(self.act, [_SIGMA[name] for name in self.acts], z)

    def sigma_and_slope(self, z):
        """(sigma(z), sigma'(z)), elementwise."""

        def with_slope(sigma):
            return lambda z: jax.jvp(sigma, (z,), (jnp.ones_like(z),))

        return jax.lax.switch(self.act, [with_slope(_SIGMA[name]) for name in self.acts], z)


def bias_scale(P, gate):
    """d logit/d beta0: 1/tau with the bias inside the temperature, else 1."""
    return gate.inside / P.tau + (1 - gate.inside)


def softmax(z):
    """(softmax of z [K, m] over atoms, its log-sum-exp [m]): one exponential an entry."""
    top = jnp.max(z, axis=0)
    lifted = jnp.exp(z - top[None])
    total = jnp.sum(lifted, axis=0)
    return lifted / total[None], top + jnp.log(total)


def _scores_of(P, x):
    return jnp.sum(P.beta1[:, :, None] * x[None], axis=1)


def _means(P, x):
    return jnp.sum(P.a[:, :, None] * x[None], axis=1) + P.b[:, None]


def _joint(P, z, log_sum, rho):
    """log of gate times expert, [K, m]."""
    return z - log_sum[None] - 0.5 * (rho * rho / P.nu[:, None] + jnp.log(2 * np.pi * P.nu)[:, None])


def log_density(P, gate, x, y):
    """log p(y | x), [m], at x [d, m], y [m]."""
    z = gate.sigma(_scores_of(P, x)) / P.tau + P.beta0[:, None] * bias_scale(P, gate)
    return softmax(_joint(P, z, softmax(z)[1], y[None] - _means(P, x)))[1]


def _total(terms):
    return functools.reduce(jnp.add, terms)


def _exponentials(z):
    """(exp(z_i - top) of each row, their sum, top), rows [m] in a list."""
    top = functools.reduce(jnp.maximum, z)
    lifted = [jnp.exp(v - top) for v in z]
    return lifted, _total(lifted), top


def _terms(P, gate, x, y, used):
    """(lift [m], ratio [m], rows of scores, [m] each) at x [d, m], y [m]: log p = lift + log(ratio), ratio in [1/K, K].

    Row by row, as arithmetic on [m] vectors that the compiler fuses: a reduction over a short axis of atoms costs it more than
    the exponentials do. used [m], 1 or 0: a sample that is not used has lift and scores 0, ratio 1.
    """
    K, d = P.beta1.shape
    atoms, axes = range(K), range(d)
    s, s1 = gate.sigma_and_slope(jnp.stack([_total([P.beta1[i, u] * x[u] for u in axes]) for i in atoms]))
    scale, cool = bias_scale(P, gate), 1 / P.tau
    z = [s[i] * cool + P.beta0[i] * scale for i in atoms]
    E, E_total, E_top = _exponentials(z)
    rho = [y - _total([P.a[i, u] * x[u] for u in axes]) - P.b[i] for i in atoms]
    precision, height = 1 / P.nu, -0.5 * jnp.log(2 * np.pi * P.nu)
    pull = [rho[i] * precision[i] for i in atoms]
    square = [rho[i] * pull[i] for i in atoms]
    F, F_total, F_top = _exponentials([z[i] + (height[i] - 0.5 * square[i]) for i in atoms])
    by_E, by_F = used / E_total, used / F_total
    R = [F[i] * by_F for i in atoms]
    e = [R[i] - E[i] * by_E for i in atoms]
    pulled = [R[i] * pull[i] for i in atoms]
    of_tau = _total([e[i] * (s[i] + gate.inside * P.beta0[i]) for i in atoms]) * -cool
    rows = [
        *(e[i] * s1[i] * (x[u] * cool) for i in atoms for u in axes),
        *(e[i] * scale for i in atoms),
        of_tau,
        *(pulled[i] * x[u] for i in atoms for u in axes),
        *pulled,
        *(0.5 * (R[i] * square[i] - R[i]) for i in atoms),
    ]
    return (F_top - E_top) * used, F_total * by_E + (1 - used), rows


def score_terms(P, gate, x, y):
    """(log density [m], scores of the unconstrained vector [2Kd + 3K + 1, m])."""
    lift, ratio, rows = _terms(P, gate, x, y, jnp.ones_like(y))
    return lift + jnp.log(ratio), jnp.stack(rows)


def _mask(c, chunk, n):
    return (c * chunk + jnp.arange(chunk, dtype=jnp.int32) < n).astype(jnp.float64)


def _folded(v):
    """v [m] as [m/LANES, LANES]: reduced over the first axis it needs no sum across a vector register."""
    return v.reshape(-1, LANES)


def _log_sum(ratio):
    """Sum of the logarithms of `ratio` [m], in [1/K, K]: of products of m/LANES of them, as a logarithm costs four exponentials."""
    return jnp.sum(jnp.log(jnp.prod(_folded(ratio), axis=0)))


def sums(theta, K, gate, x, y, n, num_chunks, gram="float64"):
    """Means over the n samples: (log-likelihood [], score [p]), and unless `gram` is None the Gram matrix of scores [p, p].

    gram: precision of the products of the Gram matrix.
    """
    d = x.shape[1]
    P = unpack(theta, K, d)
    p = theta.shape[0]

    def add(c, state):
        lift, ratio, rows = _terms(P, gate, x[c], y[c], _mask(c, y.shape[1], n))
        found = [jnp.sum(lift) + _log_sum(ratio), jnp.sum(jnp.stack([jnp.sum(_folded(v), axis=0) for v in rows]), axis=1)]
        if gram is not None:
            S = jnp.stack([v.astype(gram) for v in rows])
            found.append((S @ S.T).astype(x.dtype))
        return tuple(v + w for v, w in zip(state, found, strict=True))

    zero = (jnp.zeros((), x.dtype), jnp.zeros(p, x.dtype), jnp.zeros((p, p), x.dtype))[: 2 if gram is None else 3]
    return tuple(v / n.astype(x.dtype) for v in jax.lax.fori_loop(0, num_chunks, add, zero))


def draw_data(key, P, gate, half, shape, n, num_chunks, sd_power=0.5):
    """(x [size, d, chunk], y [size, chunk], mean log-density of the n samples under P itself), X ~ U(-half, half)^d.

    shape: (size, chunk). Draws in float32, arithmetic in float64; atoms by inverse distribution function, one uniform array a
    chunk for everything. sd_power: noise has scale nu^sd_power; 1/2 is the model, anything else a lying world.
    """
    K, d = P.beta1.shape
    size, chunk = shape

    def fill(c, state):
        xs, ys, total = state
        u = jax.random.uniform(jax.random.fold_in(key, c), (d + 2, chunk), jnp.float32)
        noise = normal_of(u[d]).astype(xs.dtype)
        u = u.astype(xs.dtype)
        x = half * (2 * u[:d] - 1)
        z = gate.sigma(_scores_of(P, x)) / P.tau + P.beta0[:, None] * bias_scale(P, gate)
        g, log_sum = softmax(z)
        atom = jnp.sum(u[d + 1][None] >= jnp.cumsum(g, axis=0)[:-1], axis=0, dtype=jnp.int32)
        own = (atom[None] == jnp.arange(K, dtype=jnp.int32)[:, None]).astype(xs.dtype)
        means = _means(P, x)
        y = jnp.sum(own * means, axis=0) + jnp.sum(own * (P.nu**sd_power)[:, None], axis=0) * noise
        used = _mask(c, chunk, n)
        log_p = softmax(_joint(P, z, log_sum, y[None] - means))[1]
        return xs.at[c].set(x), ys.at[c].set(y * used), total + jnp.sum(log_p * used)

    empty = (jnp.zeros((size, d, chunk), jnp.float64), jnp.zeros((size, chunk), jnp.float64), jnp.zeros((), jnp.float64))
    x, y, total = jax.lax.fori_loop(0, num_chunks, fill, empty)
    return x, y, total / n.astype(jnp.float64)


def normal_of(u):
    """Standard normal numbers from uniform float32 ones, which are multiples of 2^-23: the midpoint of each step is taken."""
    return jax.lax.erf_inv(2 * u + (2.0**-23 - 1)) * jnp.float32(np.sqrt(2))


def mean_log_density(P, gate, x, y, n, num_chunks):
    """Mean of log p(y | x) over the n samples under another mixture than their own."""

    def add(c, total):
        return total + jnp.sum(log_density(P, gate, x[c], y[c]) * _mask(c, y.shape[1], n))

    return jax.lax.fori_loop(0, num_chunks, add, jnp.zeros((), x.dtype)) / n.astype(x.dtype)
