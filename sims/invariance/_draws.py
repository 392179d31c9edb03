"""Interventions and sample moments drawn with JAX: what the simulators share.

A simulator's prepared cell derives from `Interventions`: the model's arrays are traced, the family and the counts static, so
that graphs of one size share a program. Sample moments are drawn exactly, without samples (Bartlett).
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from theory.invariance import _sem

__all__ = [
    "Interventions",
    "environment",
    "fields_of",
    "normal",
    "num_sample_numbers",
    "operator_norm",
    "raw",
    "root_chi_square",
    "sample_factors",
    "sample_moment",
    "signed",
]


@dataclasses.dataclass(frozen=True)
class Interventions:
    family: str
    target: int
    count: int  # numbers of one draw
    B: np.ndarray  # [p, p]
    omega: np.ndarray  # [p]
    edge: np.ndarray  # int32 [p, p]
    node: np.ndarray  # int32 [p]
    v: float


def fields_of(model, family, v=1.0):
    """The fields of Interventions for a Model of sims/invariance/_graphs."""
    place = _sem.raw_law(family)[3]
    count = {"edge": model.slots.num_edges, "node": model.slots.num_sites, "all": model.p}[place]
    return {
        "family": family, "target": model.target, "count": count, "B": np.asarray(model.B), "omega": np.asarray(model.omega),
        "edge": model.slots.edge, "node": model.slots.node, "v": v,
    }  # fmt: skip


def signed(key, shape, dtype):
    """Uniform numbers in (-1, 1), drawn in float32: ONE call a simulator, as every call costs a second of compilation.

    `raw` and `normal` turn slices of it into the numbers that are wanted.
    """
    low = np.nextafter(np.float32(-1), np.float32(0))
    return jax.random.uniform(key, shape, jnp.float32, low, 1.0).astype(dtype)


def normal(s):
    """N(0, 1) from `signed` numbers."""
    return np.sqrt(2).astype(s.dtype) * jax.lax.erf_inv(s)


def raw(s, family):
    """The numbers of interventions of a family from `signed` ones."""
    law, low, high, _ = _sem.raw_law(family)
    if law == "normal":
        return normal(s)
    return jnp.sign(s) if law == "sign" else (low + high) / 2 + (high - low) / 2 * s


def environment(z, m):
    """(B_e, omega_e, mu_e) of one draw z [count]."""
    return _sem.intervene(m.family, m.B, m.omega, m.edge, m.node, z, m.v, m.target, jnp)


ROUNDS = 4  # proposals for a chi-square; all are rejected with probability below 1e-11 at LEAST_DEGREES or more
LEAST_DEGREES = 50


def root_chi_square(s, degrees):
    """sqrt(chi^2) for an array of degrees of freedom, each >= LEAST_DEGREES, from `signed` numbers [..., 2 ROUNDS].

    Marsaglia and Tsang's proposals, a fixed number of them: a loop until acceptance compiles ten times as long.
    """
    x = normal(s[..., :ROUNDS])
    d = (degrees / 2 - 1 / 3)[..., None]
    v = jnp.maximum(1 + x / jnp.sqrt(9 * d), 1e-3) ** 3
    accepted = jnp.log((1 - s[..., ROUNDS:]) / 2) < x * x / 2 + d * (1 - v + jnp.log(v))
    first = jnp.take_along_axis(v, jnp.argmax(accepted, axis=-1)[..., None], axis=-1)[..., 0]
    return jnp.sqrt(2 * d[..., 0] * first)


def num_sample_numbers(p):
    """How many `signed` numbers `sample_moment` takes."""
    return p + p * p + 2 * ROUNDS * p


def sample_moment(s, T, omega, mu, N):
    """X^T X/N of N samples, exactly: T (m m^T + W/N) T^T, the mean m of the samples and their scatter W being independent.

    W = D^{1/2} L L^T D^{1/2} with Bartlett's L: N(0, 1) below the diagonal, sqrt(chi^2_{N-1-i}) on it. A node without noise has
    a zero row, and the other rows have the law of the smaller Wishart matrix. N is traced; s: `signed` numbers.
    """
    root, mean = sample_factors(s, omega, N)
    root, mean = T @ root, T @ (mu + mean)
    return root @ root.T + mean[:, None] * mean[None, :]


def sample_factors(s, omega, N):
    """(C, m): the noise of N samples has the second moment C C^T + m m^T about its own mean of 0."""
    p = len(omega)
    sd = jnp.sqrt(omega)
    mean = sd * normal(s[:p]) / jnp.sqrt(N)
    rows, columns = np.tril_indices(p, -1)
    below = normal(s[p + p * rows + columns])  # of p x p numbers only these are turned into normal ones
    lower = jnp.zeros((p, p), s.dtype).at[rows, columns].set(below)
    diagonal = root_chi_square(s[p + p * p :].reshape(p, 2 * ROUNDS), N - 1 - jnp.arange(p, dtype=sd.dtype))
    return sd[:, None] * (lower + jnp.diag(diagonal)) / jnp.sqrt(N), mean


def operator_norm(A):
    """||A|| of a symmetric matrix: the largest |eigenvalue|."""
    return jnp.abs(jnp.linalg.eigvalsh(A)).max(-1)
