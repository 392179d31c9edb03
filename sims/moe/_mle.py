"""Simulated maximum-likelihood studies: draw data, start, fit, measure; one replicate may hold several fits.

All cells of one number of fitted atoms and of covariates share a compiled program: the sample size, the activation, the place of
the bias, the starts, and which number of the fit is the statistic are traced.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.moe import _density, _fit, _losses
from theory.moe import _activations, _arguments, _model, _quadrature

__all__ = [
    "ESTIMATORS", "MODELS", "STATISTICS", "FitCell", "FitPrepared", "RaceCell", "RayCell", "buffer", "prepare_fits", "prepare_race",
    "prepare_ray", "race_worlds", "simulate_fits", "validate_fits", "validate_race", "validate_ray",
]  # fmt: skip

MODELS = {  # truth, activation, range of X, range of y inside loops
    "TL": (*_model.TRUTHS["TL"], 1.0, 9.0),
    "TL2": (*_model.TRUTHS["TL2"], 1.0, 9.0),
    "TL4": (*_model.TRUTHS["TL4"], 1.0, 10.0),
    "TA": (*_model.TRUTHS["TA"], 3.0, 14.0),
    "TR": (_model.TA, "relu", 3.0, 14.0),  # TA's numbers under relu, for a lying world
}
CHUNK, HUGE_CHUNK = 1024, 8192  # samples a chunk: what a pass makes of the smaller one stays in the nearest caches
BUFFERS = (10, 104)  # chunks in the buffer, for n up to 10,240 and 106,496; beyond, as many huge ones as are needed
X_NODES, Y_NODES = {1: 24, 2: 12}, 501  # of the Hellinger distance, by covariates: a side
X_DRAWS = 512  # in place of nodes for three covariates and more; leaves the mean of n h^2 within 1 % of the whole cube's at TL4
MAX_FITTED = 5
LEAST_FITS = 11  # fits a replicate has room for, one and ten random starts; more are another program
FIT_ACTS = ("linear", "relu", "gelu")
STATISTICS = (
    "hellinger", "root", "ratio", "nonpositive", "mass", "beta1", "a", "b", "nu", "quotient", "raw", "error", "quotient2", "raw2",
    "same-ray", "same-point", "race", "beaten", "relative", "slope",
)  # fmt: skip
_MEASURED = (  # of every fit; parts of the loss are the quotient loss's, error is the raw temperature's
    "hellinger", "root", "ratio", "mass", "beta1", "a", "b", "nu", "quotient", "raw", "error", "quotient2", "raw2", "log_likelihood", "tau",
    "evaluations", "converged", "degenerate", "relative",
)  # fmt: skip
ESTIMATORS = ("random-start", "near-first")


@dataclasses.dataclass(frozen=True)
class FitCell:
    """n samples of a reference truth (TL or TA; TL2, TL4: of 2 or 4 covariates), k atoms fitted from the truth moved by normal
    noise of scale s."""

    truth: str
    n: int
    k: int = 2
    s: float = 0.1


@dataclasses.dataclass(frozen=True)
class RayCell:
    """Fits of n/10, n/sqrt(10) and n samples from starts on the ray through the truth, log-sd s n^-alpha of the temperature."""

    truth: str
    n: int
    alpha: float
    s: float = 0.3

    @property
    def sizes(self):
        return tuple(round(self.n / 10 ** (0.5 * i)) for i in (2, 1, 0))


@dataclasses.dataclass(frozen=True)
class RaceCell:
    """One estimator of the temperature against two truths on one ray, temperatures 1 and 1 + dtau, n samples, loss min(1, |.|^r)."""

    estimator: str
    n: int
    r: int
    dtau: float = 1.0


@register
@dataclasses.dataclass(frozen=True)
class FitPrepared:
    K: int  # fitted atoms
    size: int  # chunks in the buffer
    chunk: int  # samples a chunk
    max_fits: int
    n: np.ndarray  # int32 [max_fits], samples of each fit
    num_chunks: np.ndarray  # int32 [max_fits]
    num_fits: np.ndarray  # int32 []
    act: np.ndarray  # int32 []
    statistic: np.ndarray  # int32 [], index into STATISTICS
    world: np.ndarray  # int32 [max_fits], whose law the data of a fit have
    draw: np.ndarray  # int32 [max_fits], which data set: equal numbers share their draws
    centre: np.ndarray  # int32 [max_fits], the start's centre
    start: np.ndarray  # int32 [max_fits], which start noise: equal numbers share it
    judge: np.ndarray  # int32 [max_fits], the truth that the fit is held against
    random: np.ndarray  # [max_fits], 1: a random start in place of one near its centre
    beta1: np.ndarray  # [2, K*, d], two worlds
    beta0: np.ndarray  # [2, K*]
    taus: np.ndarray  # [2]
    a: np.ndarray  # [2, K*, d]
    b: np.ndarray  # [2, K*]
    nu: np.ndarray  # [2, K*]
    inside: float
    linear: float
    degree: float  # 0: sigma is not homogeneous
    half: float  # X ~ U(-half, half)^d
    sd_power: float
    noise: float  # of the start
    ray: np.ndarray  # [max_fits], log-sd of the start's place on its ray
    lever: np.ndarray  # [max_fits], weights of ln |tau_hat - tau| in the slope over the fits' sizes
    scale: float  # multiplies the statistic
    r: float
    tolerance: float
    grid_x: np.ndarray  # [d, nx ny]
    grid_y: np.ndarray  # [nx ny]
    grid_weight: np.ndarray  # [nx ny]
    grid_root: np.ndarray  # [nx ny], square root of world 0's density
    grid_share: np.ndarray  # [nx], square root of an x's weight


def _world(prepared, i):
    return _density.Params(*(v[i] for v in (prepared.beta1, prepared.beta0, prepared.taus, prepared.a, prepared.b, prepared.nu)))


def _near_start(z, u, P, ray, prepared):
    """The centre's atoms, then copies of random ones that share their weight; every entry moved by normal noise z [p + 1].

    The noise of beta0 is scaled so that weights move by the same factor wherever the bias stands; tau and nu are multiplied.
    u: uniform [K], chooses the copies.
    """
    K, d = prepared.K, P.a.shape[1]
    K_star = P.b.shape[0]
    copies = jnp.minimum((u[K_star:] * K_star).astype(jnp.int32), K_star - 1)
    source = jnp.concatenate([jnp.arange(K_star, dtype=jnp.int32), copies])
    shared = jnp.sum(source[:, None] == source[None], axis=1).astype(P.b.dtype)
    unit = prepared.inside * P.tau + 1 - prepared.inside  # beta0 for a factor e in the weight
    s = prepared.noise
    z_beta1, z_beta0, z_tau, z_a, z_b, z_nu, z_ray = jnp.split(z, np.cumsum([K * d, K, 1, K * d, K, K]))
    start = _density.Params(
        P.beta1[source] + s * z_beta1.reshape(K, d),
        P.beta0[source] - unit * jnp.log(shared) + s * unit * z_beta0,
        P.tau * jnp.exp(s * z_tau[0]),
        P.a[source] + s * z_a.reshape(K, d),
        P.b[source] + s * z_b,
        P.nu[source] * jnp.exp(s * z_nu),
    )
    c = jnp.exp(ray * z_ray[0])
    return _losses.moved_to_temperature(start, start.tau * c, jnp.maximum(prepared.degree, 1.0), prepared.inside)


def _random_start(z, u, y, count, K):
    """Slopes N(0, 1), biases .3 N(0, 1), temperature 1, experts' slopes N(0, 1), their biases random y's, variances Var(y)/2."""
    n = count.astype(y.dtype)
    flat = y.reshape(-1)  # unused entries are zero
    variance = jnp.sum(flat * flat) / n - (jnp.sum(flat) / n) ** 2
    at = jnp.minimum((u * n).astype(jnp.int32), count - 1)
    d = (z.shape[0] - 3 * K - 2) // (2 * K)
    z_beta1, z_beta0, _, z_a, _ = jnp.split(z, np.cumsum([K * d, K, 1, K * d]))
    one = jnp.ones((), y.dtype)
    return _density.Params(z_beta1.reshape(K, d), 0.3 * z_beta0, one, z_a.reshape(K, d), flat[at], jnp.full(K, 0.5) * variance)


def _hellinger(P, gate, prepared):
    """(E_X h, sqrt(E_X h^2)) between P and world 0."""
    root = jnp.exp(0.5 * _density.log_density(P, gate, prepared.grid_x, prepared.grid_y))
    squares = jnp.sum((0.5 * prepared.grid_weight * (root - prepared.grid_root) ** 2).reshape(-1, Y_NODES), axis=1)  # weighted, by x
    return jnp.sum(prepared.grid_share * jnp.sqrt(squares)), jnp.sqrt(jnp.sum(squares))


def simulate_fits(key, prepared):
    """One replicate. x: the prepared statistic, nan if a fit did not converge; evaluations, converged, tau and likelihood of every fit."""
    key_data, key_start = jax.random.split(key)
    K, d = prepared.K, prepared.a.shape[-1]
    gate = _density.Gate(FIT_ACTS, prepared.act, prepared.inside)
    p = 2 * K * d + 3 * K + 1
    shape = (prepared.size, prepared.chunk)
    need_h = (prepared.statistic == STATISTICS.index("root")) | (prepared.statistic == STATISTICS.index("hellinger"))

    def one(f, out):
        world, n, num_chunks = _world(prepared, prepared.world[f]), prepared.n[f], prepared.num_chunks[f]
        draw = jax.random.fold_in(key_data, prepared.draw[f])
        x, y, at_world = _density.draw_data(draw, world, gate, prepared.half, shape, n, num_chunks, prepared.sd_power)
        u = jax.random.uniform(jax.random.fold_in(key_start, prepared.start[f]), (p + 1 + K,), jnp.float32)
        z, u = _density.normal_of(u[: p + 1]).astype(jnp.float64), u[p + 1 :].astype(jnp.float64)
        near = _density.pack(_near_start(z, u, _world(prepared, prepared.centre[f]), prepared.ray[f], prepared))
        random = _density.pack(_random_start(z, u, y, n, K))
        start = jnp.where(prepared.random[f] > 0, random, near)
        found = _fit.fit(start, K, gate, x, y, n, num_chunks, prepared.tolerance, over=prepared.b.shape[-1] < K)
        P = _density.unpack(found.theta, K, d)
        T = _world(prepared, prepared.judge[f])
        moved = _losses.moved_to_temperature(P, T.tau, prepared.degree, prepared.inside)
        both = jax.tree.map(lambda *v: jnp.stack(v), P, moved)
        losses = jax.vmap(lambda P: _losses.voronoi(P, T, gate, prepared.linear))(both)
        raw, quotient = (jax.tree.map(lambda v, i=i: v[i], losses) for i in (0, 1))
        nothing = jnp.zeros((), jnp.float64)
        hellinger, root = jax.lax.cond(need_h, lambda: _hellinger(P, gate, prepared), lambda: (nothing, nothing))
        ratio = 2 * n.astype(jnp.float64) * (found.log_likelihood - at_world)
        measured = {
            "hellinger": hellinger, "root": root, "ratio": ratio, "mass": quotient.mass, "beta1": quotient.beta1, "a": quotient.a,
            "b": quotient.b, "nu": quotient.nu, "quotient": quotient.d1, "raw": raw.d1, "error": jnp.abs(P.tau - T.tau),
            "quotient2": quotient.d2, "raw2": raw.d2, "log_likelihood": found.log_likelihood, "tau": P.tau,
            "evaluations": found.evaluations.astype(jnp.float64), "converged": found.converged.astype(jnp.float64),
            "degenerate": raw.degenerate, "relative": jnp.abs(P.beta1[0, 0] / T.beta1[0, 0] - 1),
        }  # fmt: skip
        return {name: out[name].at[f].set(v) for name, v in measured.items()}

    fits = jax.lax.fori_loop(0, prepared.num_fits, one, {name: jnp.zeros(prepared.max_fits, jnp.float64) for name in _MEASURED})
    used = jnp.arange(prepared.max_fits, dtype=jnp.int32) < prepared.num_fits
    x = prepared.scale * _statistics(fits, used, prepared)[prepared.statistic]
    failed = jnp.any(used & (fits["converged"] < 0.5))
    kept = {name: fits[name] for name in ("evaluations", "converged", "tau", "log_likelihood")}
    return {"x": jnp.where(failed, jnp.nan, x), **kept, "degenerate": fits["degenerate"][0], "ratio": fits["ratio"][0]}


def _statistics(fits, used, prepared):
    """Every number of STATISTICS, in its order, from what was measured of the fits in use."""
    ll, tau = fits["log_likelihood"], fits["tau"]
    same_likelihood = jnp.abs(ll[0] - ll[1]) <= 1e-8
    near_tau = jnp.abs(tau[0] - tau[1]) <= 0.1 * prepared.taus[prepared.judge[0]]
    same_quotient = jnp.abs(fits["quotient"][0] - fits["quotient"][1]) <= 1e-4
    loss = jnp.where(used, jnp.minimum(1.0, fits["error"] ** prepared.r), 0.0)
    others = jnp.where(used & (jnp.arange(prepared.max_fits, dtype=jnp.int32) > 0), ll, -jnp.inf)
    log_error = jnp.where(used, jnp.log(jnp.maximum(fits["error"], 1e-300)), 0.0)
    derived = {
        "nonpositive": (fits["ratio"][0] <= 0).astype(jnp.float64),
        "same-ray": 1 - (same_likelihood & same_quotient & ~near_tau).astype(jnp.float64),
        "same-point": 1 - (same_likelihood & near_tau).astype(jnp.float64),
        "race": jnp.sum(loss) / prepared.num_fits.astype(jnp.float64),
        "beaten": (jnp.max(others) - ll[0] > 1e-6).astype(jnp.float64),
        "slope": jnp.sum(prepared.lever * log_error),
    }
    return jnp.stack([derived[name] if name in derived else fits[name][0] for name in STATISTICS])


# --- preparation ------------------------------------------------------------------------------------------------


def buffer(n):
    """(chunks in the buffer, samples a chunk, used chunks)."""
    used = -(-n // CHUNK)
    for size in BUFFERS:
        if used <= size:
            return size, CHUNK, used
    huge = -(-n // HUGE_CHUNK)
    return huge, HUGE_CHUNK, huge


@functools.cache
def _grid(name):
    G, act, half, reach = MODELS[name]
    if G.d in X_NODES:
        quad = _quadrature.tensor_quadrature(-half, half, G.d, X_NODES[G.d], -reach, reach, Y_NODES)
    else:
        quad = _quadrature.monte_carlo_quadrature(-half, half, G.d, X_DRAWS, -reach, reach, Y_NODES)
    y = np.broadcast_to(quad.y, (len(quad.x), len(quad.y)))
    root = np.exp(0.5 * _model.log_cond(G, quad.x, y, act))
    weight = quad.x_weights[:, None] * quad.y_weights
    x = np.repeat(quad.x.T, len(quad.y), axis=1)
    fields = {"grid_x": x, "grid_y": y.ravel().copy(), "grid_weight": weight.ravel(), "grid_root": root.ravel()}
    return fields | {"grid_share": np.sqrt(quad.x_weights)}


def _stacked(worlds):
    names = {"beta1": "beta1", "beta0": "beta0", "taus": "tau", "a": "a", "b": "b", "nu": "nu"}
    return {field: np.stack([np.asarray(getattr(G, name), float) for G in worlds]) for field, name in names.items()}


def _per_fit(max_fits, values, dtype=np.int32):
    return np.asarray([*values, *[0] * (max_fits - len(values))], dtype)


def _prepared(name, sizes, k, *, worlds, statistic, world, draw, centre, judge, random, start=None, ray=0.0, **rest):
    """sizes: n, or one for every fit. Lists have an entry a fit; `start` None: every fit has its own start noise."""
    _, act, half, _ = MODELS[name]
    num_fits = len(world)
    max_fits = max(LEAST_FITS, num_fits)
    sizes = np.broadcast_to(sizes, num_fits)
    size, chunk, _ = buffer(int(sizes.max()))
    lever = np.log(sizes) - np.log(sizes).mean()
    fields = {
        "inside": 1.0, "linear": float(act == "linear"), "degree": float(_activations.degree(act) or 0), "half": half, "sd_power": 0.5,
        "noise": 0.0, "scale": 1.0, "r": 1.0, "tolerance": _fit.TOLERANCE,
    } | rest  # fmt: skip
    return FitPrepared(
        K=k, size=size, chunk=chunk, max_fits=max_fits, n=_per_fit(max_fits, sizes), num_chunks=_per_fit(max_fits, -(-sizes // chunk)),
        num_fits=np.int32(num_fits), start=_per_fit(max_fits, range(num_fits) if start is None else start),
        ray=_per_fit(max_fits, np.broadcast_to(ray, num_fits), np.float64),
        lever=_per_fit(max_fits, lever / max(float((lever**2).sum()), 1e-300), np.float64),
        act=np.int32(FIT_ACTS.index(act)), statistic=np.int32(STATISTICS.index(statistic)), world=_per_fit(max_fits, world),
        draw=_per_fit(max_fits, draw), centre=_per_fit(max_fits, centre), judge=_per_fit(max_fits, judge),
        random=_per_fit(max_fits, random, np.float64), **_stacked(worlds), **fields, **_grid(name),
    )  # fmt: skip


SHARP = 1e-12  # tolerance where two fits of one data set are compared


def prepare_fits(
    cell, statistic="root", root_n=False, sd_power=0.5, second=None, truth=None, random_starts=0, copy=1.0, tolerance=_fit.TOLERANCE
):
    """FitCell -> FitPrepared.

    root_n: the statistic is multiplied by sqrt(n). second: c of the ray point from which a second fit of the same data starts.
    copy: c of the ray point from which the first fit starts. truth: another of MODELS in a lying world. random_starts: further
    fits of the same data from random starts. tolerance: infinite in a lying world whose optimiser stops after its first step.
    """
    name = truth or cell.truth
    G = MODELS[name][0]
    worlds = (G, _model.scaled(G, copy if second is None else second, 1, "inside"))
    fits = 1 + (second is not None) + random_starts
    centre = [0, 1] if second is not None else [int(copy != 1.0)] + [0] * random_starts
    return _prepared(
        name, cell.n, cell.k, worlds=worlds, statistic=statistic, world=[0] * fits, draw=[0] * fits, centre=centre, judge=[0] * fits,
        random=[0.0] * (fits - random_starts) + [1.0] * random_starts, sd_power=sd_power, noise=0.0 if second is not None else cell.s,
        scale=math.sqrt(cell.n) if root_n else 1.0, tolerance=SHARP if second is not None else tolerance,
    )  # fmt: skip


def prepare_ray(cell, statistic="slope", truth=None):
    """RayCell -> FitPrepared: nested data of three sizes, one start noise, starts at exp(s n^-alpha N(0, 1)) times the truth's
    temperature on its ray."""
    name = truth or cell.truth
    G = MODELS[name][0]
    sizes = np.array(cell.sizes)
    return _prepared(
        name, sizes, 2, worlds=(G, G), statistic=statistic, world=[0] * 3, draw=[0] * 3, centre=[0] * 3, judge=[0] * 3, random=[0.0] * 3,
        start=[0] * 3, ray=cell.s * sizes**-cell.alpha,
    )  # fmt: skip


def validate_ray(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "moe.RayCell"
    _arguments.choice(fn, "truth", cell.truth, ("TL", "TA"))
    _arguments.sample_size(fn, cell.n, 10)
    _arguments.require(cell.n <= 10_000_000, fn, f"n must be at most 10,000,000, got {cell.n}.")
    _arguments.require(0 < cell.s <= 2, fn, f"s must lie in (0, 2], got {cell.s}.")
    _arguments.require(0 <= cell.alpha <= 2, fn, f"alpha must lie in [0, 2], got {cell.alpha}.")


def race_worlds(dtau, activation="linear"):
    """Two truths on TL's ray, temperatures 1 and 1 + dtau; gelu: TA and its copy at a temperature lower by dtau."""
    if activation == "gelu":
        return _model.TA, _model.scaled(_model.TA, 1 - dtau / _model.TA.tau, 1, "inside")
    return tuple(_model.gauge_scale(_model.TL, t / _model.TL.tau, "linear", "inside") for t in (1.0, 1.0 + dtau))


def prepare_race(cell, activation="linear", leak=False):
    """RaceCell -> FitPrepared: one data set from each truth, one fit of each.

    Lying worlds: gelu, whose two laws differ; leak: a fit starts near the truth that drew its data.
    """
    centre = [0, 1] if leak else [0, 0]
    random = [float(cell.estimator == "random-start")] * 2
    return _prepared(
        "TL" if activation == "linear" else "TA", cell.n, 2, worlds=race_worlds(cell.dtau, activation), statistic="race", world=[0, 1],
        draw=[0, 1], centre=centre, judge=[0, 1], random=random, noise=0.1 if activation == "linear" else 0.0, r=float(cell.r),
    )  # fmt: skip


def validate_fits(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "moe.FitCell"
    _arguments.choice(fn, "truth", cell.truth, tuple(_model.TRUTHS))
    G, act, *_ = MODELS[cell.truth]
    _arguments.fits(fn, cell.k, G.k)
    _arguments.integer(fn, "k", cell.k, 2, MAX_FITTED)
    _arguments.sample_size(fn, cell.n, _model.num_parameters(act, cell.k, G.d))
    _arguments.require(0 <= cell.s <= 10, fn, f"s must lie in [0, 10], got {cell.s}.")


def validate_race(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "moe.RaceCell"
    _arguments.choice(fn, "estimator", cell.estimator, ESTIMATORS)
    _arguments.sample_size(fn, cell.n, _model.num_parameters("linear", 2, 1))
    _arguments.order(fn, cell.r)
    _arguments.require(0 < cell.dtau <= 10, fn, f"dtau must lie in (0, 10], got {cell.dtau}.")
