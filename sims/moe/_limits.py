"""The likelihood-ratio test at the resolution limit, and n_bite of random truths; no fitting."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.moe import _density, _mle
from theory.moe import _arguments, _constants, _model, _quadrature

__all__ = [
    "BITE_ACTS",
    "BiteCell",
    "BitePrepared",
    "LimitCell",
    "LimitPrepared",
    "prepare_bite",
    "prepare_limit",
    "simulate_bite",
    "simulate_limit",
    "validate_bite",
    "validate_limit",
]

BITE_ACTS = ("gelu", "tanh", "softplus", "sigmoid", "sin")
BINS = np.linspace(2, 18, 41)  # of log10 n_bite, for the figure
LEVEL_POINT = 1.6448536269514722  # normal quantile of .95


@dataclasses.dataclass(frozen=True)
class LimitCell:
    """n points of TL, or of its two-atom split at eps_n."""

    n: int


@register
@dataclasses.dataclass(frozen=True)
class LimitPrepared:
    size: int
    chunk: int
    n: np.ndarray  # int32 []
    num_chunks: np.ndarray  # int32 []
    statistic: np.ndarray  # int32 []: 0 power - level, 1 mean of the two error indicators at threshold 0
    threshold: float
    one: np.ndarray  # unconstrained vector of TL
    two: np.ndarray  # of the split


def _vector(G):
    return np.concatenate([G.beta1.ravel(), G.beta0, [np.log(G.tau)], G.a.ravel(), G.b, np.log(G.nu)])


def validate_limit(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("moe.LimitCell", "n", cell.n, 500, 10_000_000)


def prepare_limit(cell, statistic=0, farther=1.0):
    """LimitCell -> LimitPrepared. farther: multiplies eps_n in a lying world; the threshold stays the declared one's."""
    eps = _constants.resolution_eps(_model.TL, cell.n, _quadrature.QL_SMALL)
    size, chunk, used = _mle.buffer(cell.n)
    return LimitPrepared(
        size=size, chunk=chunk, n=np.int32(cell.n), num_chunks=np.int32(used), statistic=np.int32(statistic),
        threshold=LEVEL_POINT - 0.5, one=_vector(_model.TL), two=_vector(_constants.sequence_of(_model.TL, "two", farther * eps)),
    )  # fmt: skip


def simulate_limit(key, prepared):
    """One data set from each law. x: the prepared statistic; `level`, `power` of the test at the declared threshold."""
    gate = _density.Gate(("linear",), jnp.int32(0), jnp.float64(1.0))
    one, two = _density.unpack(prepared.one, 2, 1), _density.unpack(prepared.two, 3, 1)

    def log_ratio(key, P):
        x, y, own = _density.draw_data(key, P, gate, 1.0, (prepared.size, prepared.chunk), prepared.n, prepared.num_chunks)
        other = two if P is one else one
        rest = _density.mean_log_density(other, gate, x, y, prepared.n, prepared.num_chunks)
        return (own - rest if P is two else rest - own) * prepared.n.astype(jnp.float64)

    key_one, key_two = jax.random.split(key)
    ratios = jnp.stack([log_ratio(key_one, one), log_ratio(key_two, two)])
    rejected = (ratios > prepared.threshold).astype(jnp.float64)
    wrong = (ratios > 0).astype(jnp.float64)
    statistics = jnp.stack([rejected[1] - rejected[0], 0.5 * (wrong[0] + 1 - wrong[1])])
    return {"x": statistics[prepared.statistic], "level": rejected[0], "power": rejected[1]}


# --- n_bite of random truths --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BiteCell:
    """Random truths with X ~ U(-half, half)."""

    half: float


@register
@dataclasses.dataclass(frozen=True)
class BitePrepared:
    half: float
    x: np.ndarray  # [nx ny]
    y: np.ndarray  # [nx ny]
    weight: np.ndarray  # [nx ny]
    first: np.ndarray  # int32 []: x = 1[n_bite(first) < n_bite(second)], indices into BITE_ACTS
    second: np.ndarray  # int32 []
    count: np.ndarray  # int32 []: activations to be evaluated, the first ones of `order`
    order: np.ndarray  # int32 [5]


def validate_bite(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(0 < cell.half <= 20, "moe.BiteCell", f"half must lie in (0, 20], got {cell.half}.")


@functools.cache
def _nodes(half):
    quad = _quadrature.quadrature(-half, half, 32, -14, 14, 221)
    shape = (len(quad.x), len(quad.y))
    weight = quad.x_weights[:, None] * quad.y_weights
    return tuple(np.broadcast_to(v, shape).ravel().copy() for v in (quad.x, quad.y[None], weight))


def prepare_bite(cell, first=None, second=None):
    """BiteCell -> BitePrepared; without `first` and `second` every activation is evaluated, x compares the first two."""
    asked = BITE_ACTS if first is None else (first, second)
    order = [BITE_ACTS.index(a) for a in asked]
    x, y, weight = _nodes(cell.half)
    return BitePrepared(
        half=cell.half, x=x, y=y, weight=weight, first=np.int32(order[0]), second=np.int32(order[1]), count=np.int32(len(order)),
        order=np.asarray(order + [0] * (len(BITE_ACTS) - len(order)), np.int32),
    )  # fmt: skip


def fisher_of(P, gate, x, y, weight):
    """Fisher information in the anchored natural parameters of two atoms, d = 1: [10, 10], order of theory's free_parameters."""
    log_p, S = _density.score_terms(P, gate, x[None], y)
    keep = np.array([0, 1, 2, 4, 5, 6, 7, 8, 9, 10])  # without the bias of the last atom
    one = jnp.ones(5, jnp.float64)
    units = jnp.concatenate([one[:3], P.tau[None], one[:4], P.nu])
    S = S[keep] / units[:, None]
    return (S * (weight * jnp.exp(log_p))[None]) @ S.T


def simulate_bite(key, prepared):
    """One random truth. x: whether the first activation bites before the second; `histogram`: [activations, bins] of log10 n_bite."""
    key_normal, key_tau = jax.random.split(key)
    z = jax.random.normal(key_normal, (3,), jnp.float32).astype(jnp.float64)
    tau = jnp.exp2(-jax.random.randint(key_tau, (), 0, 3, jnp.int32).astype(jnp.float64))
    two = jnp.array([1.0, -1.0], jnp.float64)
    P = _density.Params(
        2 * z[:2, None], jnp.stack([0.5 * z[2], jnp.zeros((), jnp.float64)]), tau, (2 / prepared.half) * two[:, None], 2 * two,
        jnp.array([0.3, 0.5], jnp.float64),
    )  # fmt: skip

    def bite(i, out):
        act = prepared.order[i]
        info = fisher_of(P, _density.Gate(BITE_ACTS, act, jnp.float64(1.0)), prepared.x, prepared.y, prepared.weight)
        lam, U = jnp.linalg.eigh(info)
        variance = jnp.sum(U * U / lam[None], axis=1)
        theta = jnp.concatenate([P.beta1[:, 0], P.tau[None]])
        asked = jnp.stack([variance[0], variance[1], variance[3]])
        n = jnp.max(asked / (theta * theta)) / _constants.CHECKED_ERROR**2
        return out.at[act].set(jnp.where(lam[0] < 1e-13 * lam[-1], jnp.inf, n))

    bites = jax.lax.fori_loop(0, prepared.count, bite, jnp.full(len(BITE_ACTS), jnp.nan, jnp.float64))
    logs = jnp.minimum(jnp.log10(bites), BINS[-1] - 1e-6)
    step = BINS[1] - BINS[0]
    bins = jnp.clip(jnp.floor((logs - BINS[0]) / step), 0, len(BINS) - 2)
    histogram = (bins[:, None] == jnp.arange(len(BINS) - 1, dtype=jnp.float64)[None]).astype(jnp.float64)
    return {"x": (bites[prepared.first] < bites[prepared.second]).astype(jnp.float64), "histogram": histogram}
