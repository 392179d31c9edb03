"""The random generator of every simulator: JAX's own threefry2x32, bit for bit, in a form that a CPU draws several times as fast.

On a CPU JAX emits the twenty rounds of a block as a loop, each step of which passes over the whole array. Written out they are one
pass, are fused with what is made of the words, and take half as long to compile. Keys and draws are those of jax.random with
impl="threefry2x32"; accelerators, for which JAX has a kernel or writes the rounds out itself, use that. What is fused is also run
again for every use: an array of draws that is looked up or compared many times over should cross the boundary of a loop first
(sims/verification/_learned.py draws a step ahead).
"""

from __future__ import annotations

import math

import jax
import jax.extend.random
import jax.numpy as jnp
import numpy as np

__all__ = ["FAST", "NAME", "WRITTEN_OUT", "rounds"]

NAME = "threefry2x32"  # the only generator of JAX whose vmapped draws do not depend on the batch size
WRITTEN_OUT = "threefry2x32_written_out"
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def rounds(key_data, first, second):
    """Both words of the blocks of Threefry-2x32, 20 rounds, at counters (first, second): two uint32 arrays of their shape."""
    k0, k1 = key_data[0], key_data[1]
    schedule = (k0, k1, k0 ^ k1 ^ np.uint32(0x1BD11BDA))
    a, b = first + k0, second + k1
    for i in range(5):
        for turn in _ROTATIONS[i % 2]:
            a = a + b
            b = ((b << np.uint32(turn)) | (b >> np.uint32(32 - turn))) ^ a
        a, b = a + schedule[(i + 1) % 3], b + schedule[(i + 2) % 3] + np.uint32(i + 1)
    return a, b


def _counters(shape):
    """A 64-bit counter for every place, as two uint32 arrays of the shape."""
    if math.prod(shape) >= 2**32:
        raise ValueError(f"at most 2^32 - 1 numbers are drawn at a time, got an array of {shape}.")
    low = jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape)
    return jnp.zeros_like(low), low


def _seed(seed):
    return jax.random.key_data(jax.random.key(seed, impl=NAME))


def _fold_in(key_data, data):
    high, low = _seed(data)
    return jnp.stack(rounds(key_data, high, low))


def _split(key_data, shape):
    return jnp.stack(rounds(key_data, *_counters(tuple(shape))), axis=-1)


def _random_bits(key_data, bit_width, shape):
    a, b = rounds(key_data, *_counters(tuple(shape)))
    if bit_width == 64:
        return (a.astype(jnp.uint64) << np.uint64(32)) | b.astype(jnp.uint64)
    return (a ^ b).astype(f"uint{bit_width}")


FAST = jax.extend.random.define_prng_impl(  # what jax.random.key and jax.random.wrap_key_data take as `impl`
    key_shape=(2,), seed=_seed, split=_split, random_bits=_random_bits, fold_in=_fold_in, name=WRITTEN_OUT, tag="fryw"
)
