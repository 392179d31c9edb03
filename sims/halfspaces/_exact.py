"""Exact checks on the host: closed forms against quadrature, deterministic inequalities on data sets made to break them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from theory.halfspaces import _adversarial, _angles, _arguments, _dktz, _kernels, _testers
from theory.halfspaces._arguments import KERNELS

__all__ = [
    "AdversaryCell",
    "AngleGridCell",
    "DataCell",
    "KernelCell",
    "LemmaCell",
    "MassartCell",
    "RateCell",
    "evaluate_adversarial_reach",
    "evaluate_adversaries",
    "evaluate_alongside",
    "evaluate_averaging",
    "evaluate_ceiling",
    "evaluate_claim5",
    "evaluate_closed_form",
    "evaluate_constants",
    "evaluate_curvature",
    "evaluate_derivative",
    "evaluate_finite_opt",
    "evaluate_lemma",
    "evaluate_limit",
    "evaluate_moment_bound",
    "evaluate_relaxation",
    "evaluate_small_sigma",
    "evaluate_stationary",
    "evaluate_wall",
    "evaluate_wedge",
    "evaluate_worst_excess",
    "validate_adversary",
    "validate_angle_grid",
    "validate_data",
    "validate_kernel",
    "validate_lemma",
    "validate_massart",
    "validate_rate",
]

_FN = "halfspaces"
_ROOT2 = math.sqrt(2)


# --- the surrogate ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class KernelCell:
    """A kernel by name, or "all"."""

    kernel: str = "all"


def validate_kernel(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.one_of(_FN, "kernel", cell.kernel, (*KERNELS, "all"))


def _kernels_of(cell):
    return KERNELS if cell.kernel == "all" else (cell.kernel,)


def evaluate_constants(cell, rng, k=_kernels.kernel):
    """Mass, first two moments and supremum of k by quadrature and a fine grid; symmetry of k and of l. A lying world has another k."""
    s = rng.uniform(0, 2, 200)
    for name in _kernels_of(cell):

        def own(s, name=name):
            return k(s) if k is _kernels.plain_smoothstep else k(s, name)

        edges = _kernels.positive_axis(name, 1.0)
        for power, quantity in enumerate(("mass", "first", "second")):
            yield Case(
                f"{name} {quantity}",
                2 * _kernels.integrate(lambda s, p=power: own(s) * s**p, edges),
                {"kernel": name, "quantity": quantity},
            )
        top = float(own(np.linspace(0, 0.5, 30001)).max())
        yield Case(f"{name} supremum", top, {"kernel": name, "quantity": "sup"})
        yield Case(f"{name} k(s) - k(-s)", float(np.abs(own(s) - own(-s)).max()), {"kernel": name, "quantity": "zero"})
        odd = np.abs(_kernels.loss(s, 0.7, name) + _kernels.loss(-s, 0.7, name) - 1).max()
        yield Case(f"{name} l(t) + l(-t) - 1", float(odd), {"kernel": name, "quantity": "zero"})


def evaluate_derivative(cell, rng, width=1.0):
    """Largest |l_sigma'(t) - k(t/sigma)/sigma| sigma at 1,000 points, l' by automatic differentiation; a lying world doubles "
    "the width."""
    import jax

    from sims.halfspaces._kernels import surrogate_by_number

    with jax.enable_x64(True):
        slope_of = jax.jit(jax.vmap(jax.grad(surrogate_by_number), (0, None, None)))
        for name in _kernels_of(cell):
            for sigma in (0.1, 1.3):
                t = rng.uniform(-1.2, 1.2, 1000) * sigma
                slope = np.asarray(slope_of(t, sigma, np.int32(KERNELS.index(name))))
                gap = np.abs(slope * sigma - _kernels.kernel(t / (width * sigma), name) / width)
                yield Case(f"{name}, sigma={sigma}", float(gap.max()), {"kernel": name})


def evaluate_curvature(cell, rng, k=_kernels.kernel):
    """sup |l''| sigma^2 of the smooth loss by finite differences of l', sigma = .4."""
    del cell, rng
    t = np.linspace(-0.21, 0.21, 400_001)
    slope = k(t / 0.4) / 0.4
    yield Case("finite differences", float(np.abs(np.diff(slope)).max() / (t[1] - t[0])) * 0.4**2)


# --- gradients ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class AngleGridCell:
    """Angles and widths of a kernel, constant flip rate eta."""

    kernel: str = "all"
    eta: float = 0.2


def validate_angle_grid(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_kernel(cell)
    _arguments.massart(_FN, cell.eta)


def evaluate_closed_form(cell, rng):
    """The ramp's closed form, and the limit (1-2 eta)/pi of every kernel at sigma = 1e-5."""
    del rng
    for theta in (0.1, 0.5, 1.2, 1.57, 2.6):
        for sigma in (0.1, 0.3, 1.0):
            case = {"theta": theta, "sigma": sigma, "kernel": "ramp"}
            yield Case(f"ramp, theta={theta}, sigma={sigma}", _angles.grad_norm_ramp(theta, sigma, cell.eta), case)
    for name in _kernels_of(cell):
        yield Case(f"{name}, small sigma", (1 - 2 * cell.eta) / math.pi, {"theta": 0.5, "sigma": 1e-5, "kernel": name})


def evaluate_alongside(cell, rng, normalised=True):
    """|<w, grad L(w)>| by automatic differentiation on 4,000 points: 0, as L does not depend on ||w||. A lying world leaves out the
    division by ||w||, which shows at small angles."""
    import jax
    import jax.numpy as jnp

    from sims.halfspaces._kernels import surrogate_by_number

    x, noise = rng.normal(size=(4, 4000)), rng.random(4000)
    w = np.eye(4)[0]

    def loss(w, y, sigma, number):
        norm = jnp.linalg.norm(w) if normalised else 1.0
        return jnp.mean(surrogate_by_number(-y * (w @ x) / norm, sigma, number))

    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(loss))
        for theta in (0.1, 0.5, 1.2, 1.57):
            y = np.where((math.cos(theta) * x[0] + math.sin(theta) * x[1] >= 0) != (noise < cell.eta), 1.0, -1.0)
            for name in _kernels_of(cell):
                for sigma in (0.1, 0.3):
                    found = np.asarray(gradient(w, y, sigma, np.int32(KERNELS.index(name))))
                    yield Case(f"{name}, theta={theta}, sigma={sigma}", abs(float(found @ w)), {"kernel": name})


@dataclasses.dataclass(frozen=True)
class MassartCell:
    """A kernel, or "all", with width sigma and Massart rate eta."""

    kernel: str
    sigma: float
    eta: float


def validate_massart(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_kernel(cell)
    _arguments.sigma(_FN, cell.sigma)
    _arguments.require(_arguments.massart(_FN, cell.eta) > 0, _FN, "eta must be > 0, got 0.")


@dataclasses.dataclass(frozen=True)
class RateCell:
    """A Massart rate."""

    eta: float = 0.3


def validate_rate(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(_arguments.massart(_FN, cell.eta) > 0, _FN, "eta must be > 0, got 0.")


def evaluate_adversaries(cell, rng, adversaries=40):
    """Least component of -grad towards w* over random Massart adversaries and the worst one, on a product grid of (t, x_1).

    An adversary is a rate at each of 40 x 40 cells; all of them see the same quadrature, 200 x 400 nodes.
    """
    for name in _kernels_of(cell):
        top = 0.5 * cell.sigma if name != "logistic" else min(20 * cell.sigma, 8.0)
        t, t_weights = _panels(np.linspace(0, top, 21), 10)
        density = 2 * t_weights * _kernels.kernel(t / cell.sigma, name) / cell.sigma * _kernels.normal_pdf(t)
        for share in (0.5, 1.0, 3.0):
            theta = share * _angles.stationary_angle(cell.sigma, cell.eta, name)
            cuts = t / math.tan(theta)  # x_1 < -cut has h = -1
            parts = []
            for i, cut in enumerate(cuts):  # pieces end where h or the sign of x_1 changes
                edges = np.unique(np.clip(np.concatenate([np.linspace(-9, 9, 37), [-cut, 0.0]]), -9, 9))
                x, weights = _panels(edges, 6)
                h = np.where(x < -cut, -1.0, 1.0)
                parts.append((i, x, weights * _kernels.normal_pdf(x) * h * x, h * x > 0))
            case = {"theta": theta, "kernel": name}
            worst = sum(density[i] * float(v @ (1 - 2 * cell.eta * good)) for i, _, v, good in parts)
            yield Case(f"{name}, {share:g} theta_s, the worst", worst, case)
            least = math.inf
            for _ in range(adversaries):
                rate, bias = cell.eta * rng.random((40, 40)) ** rng.choice([0.2, 1.0, 5.0]), rng.random()
                value = 0.0
                for i, x, v, good in parts:
                    own = rate[int(39 * t[i] / top), np.clip(((x + 4) * 5).astype(int), 0, 39)]
                    value += density[i] * float(v @ (1 - 2 * np.where(good, bias * cell.eta + (1 - bias) * own, own)))
                least = min(least, value)
            yield Case(f"{name}, {share:g} theta_s, least of {adversaries} at random", least, case)


def _panels(edges, nodes):
    """Gauss-Legendre nodes and weights of every panel between edges."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    half = 0.5 * np.diff(edges)[:, None]
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def evaluate_limit(cell, rng, power=0.5):
    """c_k(eta) (1 - 2 eta)^power; a lying world has power 1, as if the factor were 1 - 2 eta."""
    del rng
    for name in _kernels_of(cell):
        yield Case(name, _angles.stationary_limit(cell.eta, name) * (1 - 2 * cell.eta) ** power, {"kernel": name})


def evaluate_small_sigma(cell, rng):
    """tan(theta_s)/sigma at the cell's small sigma, over c_k(eta)."""
    del rng
    for name in _kernels_of(cell):
        for eta in sorted({cell.eta, 0.05, 0.1, 0.2, 0.3, 0.4, 0.45}):
            yield Case(
                f"{name}, eta={eta}", math.tan(_angles.stationary_angle(cell.sigma, eta, name)) / cell.sigma, {"kernel": name, "eta": eta}
            )


def evaluate_worst_excess(cell, rng):
    """Largest excess of a Massart adversary at a stationary point, by a knapsack over rates."""
    del rng
    for name in _kernels_of(cell):
        yield Case(name, _angles.worst_excess(cell.sigma, cell.eta, name), {"kernel": name})


def evaluate_stationary(cell, rng):
    """Exact stationary angles, which a certificate with gamma = dev = 0 must cover."""
    del rng
    for eta in sorted({cell.eta, 0.1, 0.3, 0.4, 0.45, 0.48, 0.49}):
        yield Case(f"eta={eta}", _angles.stationary_angle(cell.sigma, eta, cell.kernel), {"eta": eta})


def evaluate_averaging(cell, rng, flips="half"):
    """Angle of the population minimiser of the logistic loss under massart_half, by Newton on a polar quadrature; a lying world flips
    labels at a constant rate."""
    del rng
    for eta in sorted({cell.eta, 0.12, 0.28, 0.4}):
        yield Case(f"eta={eta}", _logistic_angle(eta, flips), {"eta": eta})


def _logistic_angle(eta, flips):
    """argmin over w in R^2 of E ln(1 + e^{-y<w,x>}), w* = e_1, u = e_2; labels are constant on quadrants."""
    r, r_weights = _panels(np.linspace(0, 12, 25), 12)
    phi, phi_weights = _panels(np.linspace(0, 2 * math.pi, 17), 12)  # quadrant borders are edges
    x = np.stack([np.outer(r, np.cos(phi)).ravel(), np.outer(r, np.sin(phi)).ravel()])
    weights = np.outer(r_weights * r * np.exp(-(r**2) / 2) / (2 * math.pi), phi_weights).ravel()
    clean = np.where(x[0] >= 0, 1.0, -1.0)
    wrong = np.where(clean * x[1] > 0, eta, 0.0) if flips == "half" else eta
    mean_label = clean * (1 - 2 * wrong)
    target = x @ (weights * mean_label) / 2
    w = np.array([1.0, 0.1])
    for _ in range(12):  # Newton, from nearby
        half_tanh = 0.5 * np.tanh(w @ x / 2)
        gradient = x @ (weights * half_tanh) - target
        hessian = (x * (weights * (0.25 - half_tanh**2))) @ x.T
        w = w - np.linalg.solve(hessian, gradient)
    return math.atan2(abs(w[1]), w[0])


# --- DKTZ20a ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class LemmaCell:
    """R of the density bound, 0 for a grid; angle and Massart rate, 0 and -1 for a grid."""

    R: float = 0.0
    theta: float = 0.0
    eta: float = -1.0


def validate_lemma(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    if cell.R:
        _arguments.positive(_FN, "R", cell.R)
    if cell.theta:
        _arguments.angle(_FN, cell.theta)
    if cell.eta != -1:
        _arguments.massart(_FN, cell.eta)


def _lemma_grid(cell):
    for R in (cell.R,) if cell.R else (0.5, 1.0, math.sqrt(2), 2.0):
        for theta in (cell.theta,) if cell.theta else (0.1, 0.3, 1.0, 1.5):
            for eta in (cell.eta,) if cell.eta != -1 else (0.0, 0.2, 0.45):
                yield R, theta, eta


def evaluate_lemma(cell, rng, kernel="ramp", marginal="gauss"):
    """The least gradient component over Massart adversaries at the lemma's largest sigma; a lying world has the squash "
    "marginal at pi/4."""
    del rng
    for R, theta, eta in _lemma_grid(cell):
        if marginal == "squash":
            theta = math.pi / 4
            sigma = _dktz.lem7_lem8_sigma(theta, eta, R, kernel)
            value = _dktz.squash_component(sigma, eta)
        else:
            sigma = _dktz.lem7_lem8_sigma(theta, eta, R, kernel)
            value = _angles.massart_component(theta, sigma, eta, kernel)
        yield Case(f"R={R:.4g}, theta={theta:.4g}, eta={eta:g}", value, {"R": R, "theta": theta, "eta": eta})


def evaluate_claim5(cell, rng):
    """theta/pi at the grid's R and angles."""
    del rng
    for R, theta, eta in _lemma_grid(dataclasses.replace(cell, eta=0.0)):
        del eta
        yield Case(f"R={R:.4g}, theta={theta:.4g}", theta / math.pi, {"R": R, "theta": theta})


# --- adversarial labels -------------------------------------------------------------------------------------------------


BELOW_THE_WALL = {"smooth": 8.0, "ramp": 8.0, "logistic": 1.5}
BEST_RATIOS = {"smooth": 25.0, "ramp": 22.06, "logistic": 5.6}


@dataclasses.dataclass(frozen=True)
class AdversaryCell:
    """A kernel, sigma over opt (0: each check's own, for all kernels or the one named), and opt."""

    kernel: str = "all"
    sigma_over_opt: float = 0.0
    opt: float = 0.01


def validate_adversary(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    validate_kernel(cell)
    if cell.sigma_over_opt:
        _arguments.positive(_FN, "sigma_over_opt", cell.sigma_over_opt)
    _arguments.require(_arguments.flip_rate(_FN, cell.opt) > 0, _FN, "opt must be > 0, got 0.")


def _ratios(cell, default):
    for name in _kernels_of(cell):
        ratio = cell.sigma_over_opt or default[name]
        yield name, ratio, {"kernel": name, "sigma_over_opt": ratio}


def evaluate_wall(cell, rng, widths=1.0):
    """The least gradient component over adversaries at three angles; in a lying world sigma is `widths` times what is declared."""
    del rng
    for name, ratio, case in _ratios(cell, BELOW_THE_WALL):
        for theta in (0.3, 0.8, 1.4):
            value = _adversarial.adversarial_component(theta, widths * ratio * cell.opt, cell.opt, name)
            yield Case(f"{name}, sigma/opt={ratio:g}, theta={theta}", value, {**case, "theta": theta})


def evaluate_finite_opt(cell, rng):
    """The largest angle over opt at which an adversary of mass opt makes the gradient vanish, found at finite opt."""
    from scipy import optimize

    del rng
    for name, ratio, case in _ratios(cell, BEST_RATIOS):
        for opt in (cell.opt, cell.opt / 2, cell.opt / 5):
            guess = _adversarial.adversarial_limit(ratio, name).theta_over_opt * opt
            if not math.isfinite(guess):  # below the wall: outside the claim
                yield Case(f"{name}, sigma/opt={ratio:g}, opt={opt:g}", math.nan, {**case, "opt": opt})
                continue
            found = optimize.brentq(
                lambda theta, opt=opt, name=name, ratio=ratio: _adversarial.adversarial_component(theta, ratio * opt, opt, name),
                guess / 2,
                min(2 * guess, 1.5),
            )
            yield Case(f"{name}, sigma/opt={ratio:g}, opt={opt:g}", found / opt, {**case, "opt": opt})


def evaluate_adversarial_reach(cell, rng):
    """err/opt that the adversary of least mass reaches, in the limit of small opt."""
    del rng
    for name, ratio, case in _ratios(cell, BEST_RATIOS):
        yield Case(f"{name}, sigma/opt={ratio:g}", _adversarial.adversarial_limit(ratio, name).reached, case)


# --- inequalities on data sets ------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class DataCell:
    """How many data sets of n points are made."""

    sets: int
    n: int = 300


def validate_data(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.count(_FN, "sets", cell.sets, 1, 10**4)
    _arguments.count(_FN, "n", cell.n, 20, 10**6)


def _largest_quartic(z, weights, rng, directions=4000, ascents=12):
    """max over u of (1/n) sum weights <u,z>^4, from below: random directions, then ascents u <- sum w <u,z>^3 z of the best."""
    u = rng.normal(size=(directions, z.shape[1]))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    squares = (z @ u.T) ** 2
    values = weights @ (squares * squares)
    best = u[np.argsort(values)[-ascents:]]
    for _ in range(60):
        inner = z @ best.T
        best = (weights[:, None] * inner * inner * inner).T @ z
        best /= np.maximum(np.linalg.norm(best, axis=1, keepdims=True), 1e-300)
    inner = (z @ best.T) ** 2
    return max(float(values.max()), float((weights @ (inner * inner)).max())) / len(z)


def evaluate_relaxation(cell, rng, root2=_ROOT2):
    """max_u E<u,z>^4 over Q4: Gaussian, t_5 and sign data, p = 1, 2, 3, weighted and not. A lying world forgets sqrt 2 in svec."""
    for i in range(cell.sets):
        law, p = ("gauss", "t5", "signs")[i % 3], 1 + (i // 3) % 3
        z = {
            "gauss": rng.normal(size=(cell.n, p)),
            "t5": rng.standard_t(5, size=(cell.n, p)),
            "signs": rng.choice([-1.0, 1.0], size=(cell.n, p)),
        }[law]
        weights = np.ones(cell.n) if i % 2 else rng.random(cell.n) * 3
        yield Case(f"{law}, p={p}, set {i}", _largest_quartic(z, weights, rng) / _testers.q4(z, weights, root2=root2))


def _wedge_data(i, d, n, theta, rng):
    """Data sets for T4: Gaussian, laplace, signs with noise, t_3, discrete, and points made to disagree, by number: [n, d], name."""
    name = ("gauss", "laplace", "gmm", "t3", "grid", "spike", "tight")[i % 7]
    x = rng.normal(size=(n, d))
    if name == "laplace":
        x = rng.laplace(size=(n, d)) / math.sqrt(2)
    elif name == "gmm":
        x = 0.6 * x + 1.5 * np.sign(rng.normal(size=(n, 1))) * np.eye(d)[1]
    elif name == "t3":
        x = rng.standard_t(3, size=(n, 1)) * x / 2
    elif name == "grid":
        x = np.round(2 * x) / 2
    elif name == "spike":
        s, rho = 4.5 * math.tan(theta), 5.0
        atoms = np.zeros((n // 5, d))
        atoms[:, 0], atoms[:, 1] = s, -rho
        x = np.concatenate([x[: n - n // 5], atoms * rng.choice([-1.0, 1.0], size=(n // 5, 1))])
    elif name == "tight":
        x[:] = 0
        x[:, 0] = 0.1
        x[:, 1] = -0.1 / math.tan(theta) * (1 + 1e-9)
    return x, name


def _largest_disagreement(x, theta, rng, directions=400):
    """sup over v within theta of e_1 of the share on which they differ. d = 2: exact, a point changes side once as v turns."""
    d = x.shape[1]
    u = np.array([[1.0], [-1.0]]) if d == 2 else rng.normal(size=(directions, d - 1))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    here = x[:, 0] >= 0
    turned = math.cos(theta) * x[:, :1] + math.sin(theta) * (x[:, 1:] @ u.T)
    return float(((turned >= 0) != here[:, None]).mean(axis=0).max())


def evaluate_wedge(cell, rng, spectral=True):
    """Largest disagreement within theta over W, d = 2, 3, 4; a lying world takes 1 for the slabs' largest eigenvalues."""
    w = {d: np.eye(d)[0] for d in (2, 3, 4)}
    for i in range(cell.sets):
        theta, d = (0.03, 0.2, 0.7, 1.2)[(i // 7) % 4], (2, 2, 3, 4)[(i // 3) % 4]
        x, name = _wedge_data(i, d, cell.n, theta, rng)
        W = _testers.wedge_of(x, w[d], theta, spectral=spectral).W
        yield Case(f"{name}, d={d}, theta={theta}, set {i}", _largest_disagreement(x, theta, rng) / max(W, 1e-300))


def evaluate_moment_bound(cell, rng, claimed="moment"):
    """Disagreement with the vector at theta over min_r P_S[B(r)] + M_k (tan theta/r)^k, spike and Gaussian data, k = 2, 4. A lying
    world claims theta/pi in its place."""
    for i in range(cell.sets):
        k, theta = (2, 4)[i % 2], (0.2, 0.1, 0.05, 0.0125)[(i // 2) % 4]
        spike = _testers.spike(theta, k)
        x = rng.normal(size=(cell.n, 3))
        name = "gauss" if claimed == "moment" and i % 5 == 4 else "spike"
        if name == "spike":
            many = max(1, round(spike.alpha * cell.n))
            atoms = np.array([spike.s, -spike.rho, 0.0]) * rng.choice([-1.0, 1.0], size=(many, 1))
            x[:many] = atoms
        moment = float(np.linalg.eigvalsh(x.T @ x / cell.n)[-1]) if k == 2 else _testers.q4(x)
        bound = _testers.moment_bound(x[:, 0], theta, k, moment) if claimed == "moment" else theta / math.pi
        yield Case(f"{name}, k={k}, theta={theta}, set {i}", _largest_disagreement(x, theta, rng, 100) / bound)


def evaluate_ceiling(cell, rng):
    """Small-angle ceilings of W/(theta/pi) by direct quadrature of the clipped Markov tail, at degrees 2 to 12."""
    del cell, rng
    for degree in (2, 4, 6, 8, 12):
        r, weights = _panels(np.concatenate([np.linspace(0, 40, 4001), np.geomspace(40, 1e7, 400)[1:]]), 6)
        tail, moment = np.ones_like(r), 1.0
        for j in range(1, degree // 2 + 1):
            moment *= 2 * j - 1
            tail = np.minimum(tail, moment / np.maximum(r, 1e-9) ** (2 * j))
        yield Case(f"degree {degree}", 2 * _kernels.PHI0 * math.pi * float(weights @ tail), {"degree": degree})
