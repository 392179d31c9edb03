"""Every test runs with strict dtype and rank promotion, key-reuse checks and two simulated CPU devices."""

import os

os.environ["JAX_NUM_CPU_DEVICES"] = "2"  # before JAX starts; the command line leaves it as it is
# Compilation is most of what tests wait for, and this level compiles a quarter faster. It changes no drawn number: the frozen draws
# of tests/data hold at both levels, and `python bench/startup.py` compares all bytes of a smoke run.
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=1".strip()

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
