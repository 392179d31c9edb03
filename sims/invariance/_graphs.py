"""Graphs on the host: B7, random acyclic graphs, the embedded core with filler nodes; draws of interventions with NumPy.

Nodes of drawn graphs are numbered in topological order. The core of `embed` and its filler come from separate keys, so that
graphs of different size share the core.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from theory.invariance import _arguments, _dimensions, _sem

__all__ = ["Model", "all_sites", "b7", "draw", "embed", "environments", "features_of", "model_ranks", "random_dag", "random_model"]


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """A structural model with its target and sites: B [p, p], omega [p]."""

    B: np.ndarray
    omega: np.ndarray
    target: int
    sites: tuple[int, ...]

    @property
    def p(self) -> int:
        return len(self.B)

    @functools.cached_property
    def slots(self) -> _sem.Slots:
        return _sem.slots(self.B, self.sites)


def b7(sites=_sem.B7_SITES, noise=1.0, seed=None):
    """The authors' graph with target 4; noise: the sd of every node. seed: generic weights ±U(.5, 1.5) instead of ones."""
    B = _sem.B7
    if seed is not None:
        rng = np.random.default_rng([7, seed])
        B = B * rng.uniform(0.5, 1.5, B.shape) * rng.choice([-1.0, 1.0], B.shape)
    return Model(B, np.full(7, noise**2), _sem.B7_TARGET, tuple(sites))


def random_dag(rng, p, q):
    """B [p, p]: node i >= 1 gets min(i, q) distinct uniform parents among 0..i-1, weights ±U(.5, 1.5)."""
    B = np.zeros((p, p))
    for i in range(1, p):
        parents = rng.choice(i, size=min(i, q), replace=False)
        B[i, parents] = rng.uniform(0.5, 1.5, len(parents)) * rng.choice([-1.0, 1.0], len(parents))
    return B


def random_model(rng, p, q, K, most=50):
    """A random graph with a target and K sites that have parents; the sites may feed each other."""
    for _ in range(most):
        B = random_dag(rng, p, q)
        target = int(rng.integers(p))
        eligible = [i for i in range(p) if i != target and B[i].any()]
        if len(eligible) >= K:
            return Model(B, np.ones(p), target, tuple(sorted(int(s) for s in rng.choice(eligible, K, replace=False))))
    raise ValueError(f"random_model: no {K} sites with parents found for p={p}, q={q}.")


def _signed(rng, low, high, size):
    return rng.uniform(low, high, size) * rng.choice([-1.0, 1.0], size)


def embed(p, K, q, seed=0):
    """The restricted family: K sites of in-degree q around the target t = q + 2, and filler nodes that only raise d.

    p must be at least the core's t + max(K - 1, 2) + 1 nodes. Raises: ValueError.
    """
    p, K, q = (_arguments.integer("embed", name, value) for name, value in (("p", p), ("K", K), ("q", q)))
    t = q + 2
    first, core = t - 1, t + max(K - 1, 2) + 1
    _arguments.require(p >= core, "embed", lambda: f"p must be at least the core's {core} nodes for K={K}, q={q}, got p={p}.")
    rng = np.random.default_rng([seed, K, q, 0])
    B = np.zeros((p, p))
    parents = rng.choice(first, q, replace=False)
    B[first, parents] = _signed(rng, 0.5, 1.0, q)
    B[t, 0] = B[t, first] = 0.8
    for i in range(t + 1, core):
        others = rng.choice([j for j in range(i) if j != t], q - 1, replace=False)
        is_site = i <= t + K - 1
        B[i, t] = 0.8 if is_site else rng.uniform(0.5, 1.0)
        B[i, others] = 0.6 if is_site else _signed(rng, 0.5, 1.0, q - 1)
    rng = np.random.default_rng([seed, K, q, 1])  # the filler's own key
    for i in range(core, p):
        B[i, rng.choice(i, q, replace=False)] = _signed(rng, 0.5, 1.0, q)
    return Model(B, np.ones(p), t, (first, *range(t + 1, t + K)))


def all_sites(model):
    """The same graph with every node but the target that has a parent as a site: the arm that shows power."""
    sites = tuple(i for i in range(model.p) if i != model.target and model.B[i].any())
    return dataclasses.replace(model, sites=sites)


def raw(rng, family, model, n):
    """The numbers of n interventions: [n, count]."""
    law, low, high, place = _sem.raw_law(family)
    count = {"edge": model.slots.num_edges, "node": model.slots.num_sites, "all": model.p}[place]
    if law == "normal":
        return rng.standard_normal((n, count))
    return rng.choice([-1.0, 1.0], (n, count)) if law == "sign" else rng.uniform(low, high, (n, count))


def draw(rng, family, model, n, v=1.0):
    """(B_e, omega_e, mu_e) of n interventions: [n, p, p], [n, p], [n, p]."""
    z, s = raw(rng, family, model, n), model.slots
    B, omega, mu = _sem.intervene(family, model.B, model.omega, s.edge, s.node, z, v, model.target)
    return np.broadcast_to(B, (n, model.p, model.p)), omega, mu


def environments(rng, family, model, n, v=1.0):
    """(Sigma [n, d, d], r [n, d], c [n]) of n interventions."""
    return _sem.split(_sem.moments(*draw(rng, family, model, n, v)), model.target)


def features_of(rng, family, model, n, v=1.0):
    """Feature vectors of n interventions: [n, m]."""
    Sigma, r, _ = environments(rng, family, model, n, v)
    return _dimensions.features(Sigma, r)


def model_ranks(family, model, seed=0, v=1.0):
    """(N_eff, R) from 3 N_lin + 40 draws: numerical ranks of (Sigma, r) and of r alone."""
    n = 3 * _dimensions.feature_dims(model.B, model.target, model.sites, family).n_lin + 40
    Sigma, r, _ = environments(np.random.default_rng([seed, 17]), family, model, n, v)
    return _dimensions.feature_rank(_dimensions.features(Sigma, r)), _dimensions.feature_rank(r)
