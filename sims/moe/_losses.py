"""Voronoi losses in JAX (theory/moe/_losses.py in NumPy), for one fit; orders of the cells of up to three atoms only:
d2 is nan where a cell holds more."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from sims.moe import _density

__all__ = ["Losses", "moved_to_temperature", "voronoi"]


class Losses(NamedTuple):
    """float64 [] each; beta1, a, b, nu: weighted sums of the distances. degenerate: 1 if the last true cell is empty."""

    d1: jax.Array
    d2: jax.Array
    mass: jax.Array
    beta1: jax.Array
    a: jax.Array
    b: jax.Array
    nu: jax.Array
    degenerate: jax.Array


def moved_to_temperature(P, tau, degree, inside):
    """P moved along its ray to the temperature tau; degree 0: no ray, P itself."""
    ratio = jnp.where(degree > 0, tau / P.tau, 1.0)
    c = ratio ** (1 / jnp.maximum(degree, 1.0))
    return P._replace(beta1=P.beta1 * c, beta0=P.beta0 * (inside * ratio + 1 - inside), tau=P.tau * ratio)


def voronoi(P, T, gate, linear):
    """Losses of the fit P (K atoms) against T (K* atoms). linear: float, 1 for the linear gate, whose slopes are re-anchored."""
    places = [jnp.concatenate([M.a, M.b[:, None], M.nu[:, None]], axis=1) for M in (P, T)]
    gap = jnp.sum((places[0][:, None] - places[1][None]) ** 2, axis=-1)
    own = jax.nn.one_hot(jnp.argmin(gap, axis=1), T.b.shape[0], dtype=P.b.dtype)  # [K, K*]
    sizes = jnp.sum(own, axis=0)
    w = jnp.exp(P.beta0 * _density.bias_scale(P, gate))
    last = w * own[:, -1]
    total = jnp.sum(last)
    found = total > 0
    safe = jnp.where(found, total, 1.0)
    shift = linear * jnp.sum(last[:, None] * P.beta1, axis=0) / safe
    w = w / safe
    true_w = jnp.exp(T.beta0 * _density.bias_scale(T, gate))
    mass = jnp.sum(jnp.abs(w @ own - true_w))

    def norm(v):
        return jnp.sqrt(jnp.sum(v * v, axis=1))

    d_beta1 = norm(P.beta1 - jnp.where(found, shift, 0.0)[None] - own @ T.beta1)
    d_a, d_b, d_nu = norm(P.a - own @ T.a), jnp.abs(P.b - own @ T.b), jnp.abs(P.nu - own @ T.nu)
    d_tau = jnp.abs(P.tau - T.tau)
    size = own @ sizes
    two = jnp.where(size > 1, 2.0, 1.0)
    order = jnp.where(size > 2, 6.0, jnp.where(size > 1, 4.0, 1.0))
    over = jnp.where(size > 1, order / 2, 1.0)
    d1 = mass + jnp.sum(w * (d_beta1 + d_tau + d_a + d_b + d_nu))
    d2 = mass + jnp.sum(w * (d_beta1**two + d_tau**two + d_a**two + d_b**order + d_nu**over))
    if P.b.shape[0] > 3:
        d2 = jnp.where(jnp.max(sizes) > 3, jnp.nan, d2)
    parts = (jnp.sum(w * v) for v in (d_beta1, d_a, d_b, d_nu))
    return Losses(d1, d2, mass, *parts, 1.0 - found.astype(w.dtype))
