"""One trial, end to end: draw points and labels, learn on one half, test and certify on the other, measure the error left.

What a trial does is fixed by a few static switches; marginal, noise, rates, widths, tolerances, starts and the number that is
judged are traced, so that a grid of marginals and noises is one compiled program.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import register
from sims.halfspaces import _learner, _marginals, _noise, _testers
from theory.halfspaces import _arguments, _kernels
from theory.halfspaces import _testers as reference

__all__ = [
    "AT",
    "METHODS",
    "STARTS",
    "STATISTICS",
    "SoundCell",
    "TrialCell",
    "TrialPrepared",
    "logistic_direction",
    "prepare_trial",
    "simulate_trial",
    "validate_trial",
]

STATISTICS = (
    "reject", "accept", "accept_and_bad", "accept_without_mass", "accept_without_low", "accept_without_high", "excess", "error_ratio",
    "reaches", "bad", "left_base", "five_times_less_baseline", "above_a_fifth", "violated", "passes_mass",
)  # fmt: skip
STARTS = ("mean", "random", "aim")  # where descent starts
AT = ("learned", "star", "base")  # what is tested: the learner's halfspace, w*, or the squash marginal's w0
METHODS = ("learner", "averaging")
MAX_D, MAX_N = 1024, 10**8
_FAR = np.float32(0.08)  # rad from the fake stationary point
_SPIKE_ANGLE = 0.1
_SECOND = 0.5  # angle of planted2's halfspace from w*
_FEW = 1 / 32
_REACH = np.float32(1.4)  # error over opt that the killer is to reach


@dataclasses.dataclass(frozen=True)
class TrialCell:
    """marginal and noise by name; eta: Massart rate, or the share of labels that an adversary flips; width sigma.

    d: dimension; n1 points to learn from, n2 to choose, test and certify on.
    """

    marginal: str
    noise: str
    eta: float
    sigma: float
    d: int = 5
    n1: int = 20000
    n2: int = 20000


@dataclasses.dataclass(frozen=True)
class SoundCell(TrialCell):
    """A trial whose accepted runs may have a large excess with probability delta."""

    delta: float = 0.25


def validate_trial(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "halfspaces"
    _marginals.marginal_id(cell.marginal)
    _noise.noise_id(cell.noise)
    if cell.noise in _noise.RANDOM:
        _arguments.massart(fn, cell.eta)
    else:
        _arguments.flip_rate(fn, cell.eta)
    _arguments.sigma(fn, cell.sigma)
    _arguments.dimension(fn, cell.d)
    _arguments.count(fn, "d", cell.d, 2, MAX_D)
    _arguments.count(fn, "n1", cell.n1, 1, MAX_N)
    _arguments.count(fn, "n2", cell.n2, 1, MAX_N)
    if isinstance(cell, SoundCell):
        _arguments.confidence(fn, cell.delta)
    expected = cell.n2 * reference.band_mass(cell.sigma / 6)
    least = 2 * (cell.d - 1)
    _arguments.require(expected >= least, fn, f"too few points in the band (have {expected:.0f}, need 2(d-1) = {least}).")


@register
@dataclasses.dataclass(frozen=True)
class TrialPrepared:
    d: int
    n1: int
    n2: int
    n_test: int  # fresh points for the excess; 0: the exact formula (Gaussian points, random noise)
    kernel: str
    learns: bool
    tests: bool
    certifies: bool
    baseline: bool
    gauss: bool  # Gaussian points whose labels flip by chance, and nothing else: a smaller program
    few: bool  # adversaries flip at most _FEW of the labels
    marginal: np.ndarray  # int32 []
    noise: np.ndarray  # int32 []
    start: np.ndarray  # int32 []
    at: np.ndarray  # int32 []
    method: np.ndarray  # int32 []
    statistic: np.ndarray  # int32 []
    steps: np.ndarray  # int32 [S]
    sigmas: np.ndarray  # float [S], widths that descent uses
    spike: np.ndarray  # float [3]
    sigma: float  # width of the tests and of the killer
    eta: float
    tau: float
    bad_above: float  # an accepted excess above this is a violation
    aim_angle: float  # from w*, of the point at which the killer makes the gradient vanish
    delta: float
    random: float  # 1: labels flip by chance, and the certificate is the Massart one; 0: adversarial
    shows_W: float  # 1: W is wanted whether or not the verdict of a certificate depends on it; else 0
    W_share: float  # 1; a lying certificate claims less
    root_share: float  # 1; a lying certificate drops the sampling terms


def prepare_trial(
    cell, statistic, *, learns=True, tests=True, certifies=False, shows_W=False, baseline=False, start="mean", at="learned",
    method="learner", tau=0.25, bad_above=math.inf, sigmas=None, n_test=None, kernel="smooth", killer_angle=0.0, marginal=None,
    W_share=1.0, root_share=1.0,
):  # fmt: skip
    """TrialCell -> TrialPrepared. sigmas: widths of descent (default: the cell's); marginal: the one drawn, in a lying world."""
    marginal = cell.marginal if marginal is None else marginal
    random = cell.noise in _noise.RANDOM
    exact = marginal == "gauss" and random
    sigmas = (cell.sigma,) if sigmas is None else sigmas
    eta, spike = cell.eta if random else None, reference.spike(_SPIKE_ANGLE, 2)
    n_test = (0 if exact else cell.n1) if n_test is None else n_test
    return TrialPrepared(
        d=cell.d, n1=cell.n1, n2=cell.n2, n_test=n_test, kernel=kernel, learns=learns, tests=tests, certifies=certifies,
        baseline=baseline, gauss=exact and n_test == 0, few=random or cell.eta <= _FEW, marginal=np.int32(_marginals.marginal_id(marginal)),
        noise=np.int32(_noise.noise_id(cell.noise)), start=np.int32(STARTS.index(start)), at=np.int32(AT.index(at)),
        method=np.int32(METHODS.index(method)), statistic=np.int32(STATISTICS.index(statistic)),
        steps=np.int32([_learner.num_steps(s, eta) for s in sigmas]), sigmas=np.array(sigmas, dtype=float),
        spike=np.array([spike.s, spike.rho, spike.alpha]), sigma=cell.sigma, eta=cell.eta,
        tau=tau, bad_above=min(bad_above, 2.0), aim_angle=killer_angle, delta=0.05, random=float(random),
        shows_W=float(shows_W), W_share=W_share, root_share=root_share,
    )  # fmt: skip


def _angle(v, w):
    """Angle of unit vectors, without the cancellation of arccos near 0."""
    return 2 * jnp.arctan2(jnp.linalg.norm(v - w), jnp.linalg.norm(v + w))


def logistic_direction(x, y, steps=12):
    """The unit minimiser of the empirical logistic loss by Newton steps, until one moves w by 1e-5 of its norm: [d]. x [d, n], y [n].

    Newton's error is squared by a step: what is left then is below rounding.
    """
    d, n = x.shape

    def step(state):
        i, w, _ = state
        p = jax.nn.sigmoid(-y * (w @ x))
        g = x @ (y * p) / np.float32(n)
        h = (x * (p * (1 - p))[None]) @ x.T / np.float32(n) + np.float32(1e-6) * jnp.eye(d, dtype=x.dtype)
        move = jnp.linalg.solve(h, g)
        return i + 1, w + move, jnp.linalg.norm(move) > np.float32(1e-5) * jnp.linalg.norm(w + move)

    start = (jnp.int32(0), jnp.zeros((d,), x.dtype), jnp.bool_(True))
    _, w, _ = jax.lax.while_loop(lambda s: (s[0] < steps) & s[2], step, start)
    return w / jnp.maximum(jnp.linalg.norm(w), np.float32(1e-30))


def _excess(w, star, u, prepared, test):
    """Exact for Gaussian points and random noise; else E[(1 - 2 eta(x)) 1{h_w != h_w*}] over test points."""
    if prepared.n_test == 0:
        angle, half_turn = _angle(w, star), np.float32(math.pi)
        rcn = (1 - 2 * prepared.eta) * angle
        worst = (1 - prepared.eta) * angle + prepared.eta * jnp.arcsin(jnp.clip(jnp.dot(w, u), -1, 1))
        return jnp.where(prepared.noise == _noise.NOISES.index("rcn"), rcn, worst) / half_turn
    x, _ = test
    differs = _noise.predict(w, x) != _noise.predict(star, x)
    rates = _noise.flip_rates(prepared.noise, prepared.eta, x, star, u)
    return jnp.mean(jnp.where(differs, 1 - 2 * rates, 0))


def _certificate(w, t, z, y, star, excess, opt, prepared, m):
    """(theta_c, W, opt_lower, the excess certified, whether any of it is false) on held-out (t, z) with labels y.

    Unless `shows_W`, W is only worked out as far as it takes to see that what is certified is true: 0, or the innermost slabs' part of it.
    """
    n2, delta = np.float32(prepared.n2), prepared.delta
    found = _testers.weighted(t, z, y, prepared.sigma, prepared.kernel)
    err = jnp.mean(((t >= 0) != (y > 0)).astype(t.dtype))
    err = jnp.minimum(err, 1 - err)
    dev = jnp.sqrt(found.V / n2) * (1 + jnp.sqrt(2 * jnp.log(m / delta)))
    flipped = 2 * jnp.maximum(found.Q4, 0) ** 0.25 * (np.float32(_kernels.kernel_sup(prepared.kernel)) * err / prepared.sigma) ** 0.75
    massart = prepared.random > 0
    angle = _testers.certified_angle(
        found,
        jnp.where(massart, 1 - 2 * prepared.eta, 1),
        jnp.where(massart, dev, flipped),
        jnp.where(massart, 2 * (1 - prepared.eta), 2),
    )
    root, root_m = jnp.sqrt(jnp.log(1 / delta) / (2 * n2)), jnp.sqrt(jnp.log(m / delta) / (2 * n2))

    def certified(W):
        claimed = prepared.W_share * W + prepared.root_share * (root + root_m)
        lower = jnp.maximum(0, err - prepared.W_share * W - prepared.root_share * root)
        return claimed, lower, (excess > claimed) | (lower > opt + 1e-6)

    def unless_certified(work, W):
        """work(t, z, angle), a larger W, where the verdict may depend on it or it is asked for.

        A loop of at most one round: a condition would be computed on both sides in a batch of replicates. Its points are tied to its
        state, or a compiler moves what no round changes out of the loop, and works it out even where no round is run.
        """

        def once(state):
            points = jax.lax.optimization_barrier((t, z, *state))
            return work(points[0], points[1], angle), jnp.bool_(False)

        return jax.lax.while_loop(lambda s: s[1], once, (W, (prepared.shows_W > 0) | certified(W)[2]))[0]

    # What is certified only grows with W, so a part of W may do; the whole takes longer than all the rest.
    W = unless_certified(_testers.wedge, unless_certified(_testers.innermost, jnp.float32(0)))
    claimed, lower, false = certified(W)
    true_angle = _angle(w, star)
    true_angle = jnp.minimum(true_angle, np.float32(math.pi) - true_angle)
    wrong_angle = massart & (angle < np.float32(1.57)) & (true_angle > angle)
    return angle, W, lower, claimed, (false | wrong_angle).astype(t.dtype)


def simulate_trial(key, prepared):
    """One trial; x: the prepared statistic. Further arrays are those that the static switches ask for, for figures."""
    p, d = prepared, prepared.d
    key_points, key_extra, key_labels = jax.random.split(key, 3)
    parts = (p.n1 if p.learns else 0, p.n2, p.n_test)
    # Points, directions and a start are drawn in one go: each sampler costs a third of a second to compile.
    g = _marginals.normals(key_points, (d, 3 + sum(parts)))
    drawn, g = g[:, :3], g[:, 3:]
    squash = p.marginal == _marginals.MARGINALS.index("squash")
    star, u, base = _marginals.directions(drawn[:, 1:], p.marginal, squash)
    world = _marginals.World(star, u, base, p.spike)
    across = jnp.where(squash, (u - base) / np.float32(math.sqrt(2)), u)  # orthogonal to w* in every world
    aim = jnp.cos(p.aim_angle) * star + jnp.sin(p.aim_angle) * across
    other = np.float32(math.cos(_SECOND)) * star + np.float32(math.sin(_SECOND)) * across

    if p.gauss:
        x = g
        y = _noise.labels_by_chance(key_labels, p.noise, p.eta, x, star, across)
    else:
        x = _marginals.points(g, key_extra, p.marginal, world)
        most = _FEW if p.few else 1.0
        y = _noise.labels(key_labels, p.noise, p.eta, x, star, across, aim, other, p.sigma, p.kernel, parts, most)
    (x1, x2, x3), (y1, y2, y3) = (jnp.split(a, np.cumsum(parts)[:-1], -1) for a in (x, y))
    test = (x3, y3)
    w, out = star, {}
    if p.learns:
        z1 = x1 * y1[None]
        mean = _learner.averaging_start(z1)
        starts = jnp.stack([mean, drawn[:, 0] / jnp.linalg.norm(drawn[:, 0]), jnp.where(squash, base, aim)])
        w, _, _, paths = _learner.learn(z1, starts[p.start], x2, y2, p.sigmas, p.steps, p.kernel)
        w = jnp.where(p.method == METHODS.index("averaging"), mean, w)
        out["last_angle"] = _angle(paths[0, -1], star)
    w = jnp.stack([w, star, base])[p.at]
    excess = _excess(w, star, across, p, test)
    angle = _angle(w, star)
    found = dict.fromkeys(STATISTICS, jnp.float32(jnp.nan))
    left = jnp.minimum(_angle(w, base), _angle(-w, base)) > _FAR
    found |= {"excess": excess, "bad": (excess > p.bad_above).astype(jnp.float32), "left_base": left.astype(jnp.float32)}
    if p.n_test:
        planted = jnp.where(p.noise == _noise.NOISES.index("massart_half"), 0.5 * p.eta, p.eta)  # error of w*
        found["error_ratio"] = jnp.mean((_noise.predict(w, x3) != y3).astype(jnp.float32)) / jnp.maximum(planted, 1e-9)
        found["reaches"] = (found["error_ratio"] >= _REACH).astype(jnp.float32)
    t, z = _testers.split(x2, w)
    if p.tests:
        bands = _testers.bands(t, z, p.sigma)
        passed = _testers.verdicts(bands, p.tau)
        t1 = _testers.t1_top(x2) <= 2
        accept = jnp.all(passed) & t1
        found |= {
            "accept": accept.astype(jnp.float32),
            "reject": 1 - accept.astype(jnp.float32),
            "accept_and_bad": accept.astype(jnp.float32) * found["bad"],
            "passes_mass": passed[0].astype(jnp.float32),
            "accept_without_mass": (jnp.all(passed[1:]) & t1).astype(jnp.float32),
            "accept_without_low": (passed[0] & jnp.all(passed[2:]) & t1).astype(jnp.float32),
            "accept_without_high": (jnp.all(passed[:2]) & passed[3] & t1).astype(jnp.float32),
        }
        out |= {"fired": 1 - jnp.append(passed, t1).astype(jnp.float32), "accept": found["accept"]}
    if p.certifies:
        if p.n_test:
            rates = jnp.mean(_noise.flip_rates(p.noise, p.eta, test[0], star, across))
            opt = jnp.where(p.random > 0, rates, p.eta)
        else:
            opt = jnp.where(p.noise == _noise.NOISES.index("rcn"), p.eta, p.eta / 2)
        surplus = excess if p.n_test == 0 else jnp.where(p.random > 0, excess, (found["error_ratio"] - 1) * p.eta)
        m = np.float32(p.sigmas.shape[0] * _learner.CHECKPOINTS)
        angle_c, W, lower, claimed, violated = _certificate(w, t, z, y2, star, surplus, opt, p, m)
        found["violated"] = violated
        out |= {"angle_c": angle_c, "surplus": surplus, "W": W, "opt_lower": lower, "claimed": claimed}
    if p.baseline:
        both = p.n1 + p.n2  # learned from and chosen on
        baseline = _excess(logistic_direction(x[:, :both], y[:both]), star, across, p, test)
        found["five_times_less_baseline"] = 5 * excess - baseline
        found["above_a_fifth"] = (5 * excess > baseline).astype(jnp.float32)
        out["baseline"] = baseline
    x = jnp.stack([jnp.asarray(found[name], jnp.float32) for name in STATISTICS])[p.statistic]
    return {"x": x, "excess": excess, "angle": angle, **out}
