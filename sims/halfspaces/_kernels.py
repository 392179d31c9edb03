"""The surrogate under trace: k, the loss for automatic differentiation, and a choice of kernel by number."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from theory.halfspaces._arguments import KERNELS

__all__ = ["KERNELS", "kernel_by_number", "kernel_weight", "surrogate", "surrogate_by_number"]


def kernel_weight(s, kernel):
    """k(s), in the precision of s. kernel: a name. exp(-|s|) and never cosh, which overflows."""
    if kernel == "smooth":
        # The transition in p = u - 1/2, a quartic with dyadic coefficients: 8 operations, and exactly 1 and 0 at its ends.
        p = jnp.clip(3 * jnp.abs(s) - 1, -0.5, 0.5)
        return (((15 * p + 2) * p - 7.5) * p - 1.5) * p + 1.4375
    if kernel == "ramp":
        return (jnp.abs(s) <= 0.5).astype(s.dtype)
    e = jnp.exp(-jnp.abs(s))
    return e / ((1 + e) * (1 + e))


def surrogate(t, sigma, kernel):
    """l_sigma(t), differentiable."""
    r = t / sigma
    if kernel == "logistic":
        return jax.nn.sigmoid(r)
    if kernel == "ramp":
        return 0.5 + jnp.clip(r, -0.5, 0.5)
    u = jnp.clip(3 * jnp.abs(r) - 0.5, 0, 1)
    polynomial = u * (1 + u * u * (4 + u * (-7 + 3 * u)))
    return 0.5 + jnp.sign(r) * (jnp.minimum(jnp.abs(r), np.asarray(1 / 6, r.dtype)) + polynomial / 3)


def kernel_by_number(s, number):
    """k(s) of KERNELS[number], number int32 [] under trace."""
    return jax.lax.switch(number, [lambda s, k=k: kernel_weight(s, k) for k in KERNELS], s)


def surrogate_by_number(t, sigma, number):
    """l_sigma(t) of KERNELS[number]."""
    return jax.lax.switch(number, [lambda t, k=k: surrogate(t, sigma, k) for k in KERNELS], t)
