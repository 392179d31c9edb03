"""Every test runs with strict dtype and rank promotion, key-reuse checks and two simulated CPU devices."""

import os

os.environ["JAX_NUM_CPU_DEVICES"] = "2"  # before JAX starts; the command line leaves it as it is

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
