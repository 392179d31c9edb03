"""EXACT checks on the denoiser: Lemma 1 against a dense Gaussian mixture, the losses of Theorems 1 and 3, the sampler's order."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from sims._experiment import Case
from sims.molrg import _host
from theory.molrg import _arguments, _denoiser, _sampler, _subspaces

__all__ = [
    "FreeCell",
    "LossCell",
    "PosteriorCell",
    "StepsCell",
    "W2Cell",
    "evaluate_affine",
    "evaluate_free",
    "evaluate_general",
    "evaluate_hardmax",
    "evaluate_heun",
    "evaluate_order",
    "evaluate_posterior",
    "evaluate_score",
    "evaluate_slope",
    "evaluate_w2",
    "numbers",
    "validate_free",
    "validate_loss",
    "validate_posterior",
    "validate_steps",
    "validate_w2",
]

NUM_BASES, NUM_POINTS = 5, 40
T = np.linspace(0.01, 0.99, 50)
LEVELS = (1 - 0.9 * T, T)  # s and g; the schedule on which Theorem 1's slope is known to 12 digits
SIGMAS = np.geomspace(0.05, 3, 30)  # of Theorem 3; s = 1
DEFAULT_STEPS = (18, 36, 72, 144)


def numbers(fn, name, text, kind):
    """ "2+4+3" -> (2, 4, 3). Raises: ValueError if a part is no number."""
    try:
        return tuple(kind(part) for part in text.split("+"))
    except ValueError:
        raise ValueError(f"{fn}: {name} must be numbers joined by +, such as 2+4+3, got {text!r}.") from None


@dataclasses.dataclass(frozen=True)
class PosteriorCell:
    """A mixture of independent subspaces in R^n, dimensions and weights joined by +, at x_t = s x_0 + g eps."""

    s: float
    g: float
    n: int = 12
    dims: str = "3+3+3"
    weights: str = "0.2+0.5+0.3"


def validate_posterior(cell, equal=False):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.lem1"
    dims = numbers(fn, "dims", cell.dims, int)
    _arguments.dimensions(fn, cell.n, *dims)
    _arguments.weights(fn, numbers(fn, "weights", cell.weights, float), len(dims))
    _arguments.signal_noise(fn, cell.s, cell.g)
    _arguments.require(not equal or len(set(dims)) == 1, fn, f"Lemma 1 as quoted needs equal dimensions, got {cell.dims}.")


def _mixture(cell, rng, general=False):
    """Bases, weights, means, variances and points x_t of one draw."""
    dims = numbers("molrg.lem1", "dims", cell.dims, int)
    pis = np.array(numbers("molrg.lem1", "weights", cell.weights, float))
    Us = _host.bases(rng, cell.n, dims, "independent")
    mus = [rng.normal(size=cell.n) if general else np.zeros(cell.n) for _ in dims]
    lams = [rng.uniform(0.3, 2.0, d) if general else np.ones(d) for d in dims]
    labels = rng.choice(len(dims), NUM_POINTS, p=pis)
    x0 = np.stack([mus[k] + Us[k] @ (np.sqrt(lams[k]) * rng.normal(size=dims[k])) for k in labels])
    return Us, pis, mus, lams, cell.s * x0 + cell.g * rng.normal(size=x0.shape)


def _dense(x, Us, pis, mus, lams, s, g):
    """(posterior mean, score) [m, n] of the mixture from its n x n covariances, with no use of their structure."""
    logs, means, scores = [], [], []
    for U, pi, mu, lam in zip(Us, pis, mus, lams, strict=True):
        prior = (U * lam) @ U.T
        inverse = np.linalg.inv(s**2 * prior + g**2 * np.eye(len(prior)))
        centred = x - s * mu
        solved = centred @ inverse
        logs.append(math.log(pi) + 0.5 * np.linalg.slogdet(inverse)[1] - 0.5 * np.sum(centred * solved, -1))
        means.append(mu + s * solved @ prior)
        scores.append(-solved)
    w = np.exp(np.array(logs) - np.max(logs, 0))
    w /= w.sum(0)
    return np.einsum("km,kmn->mn", w, means), np.einsum("km,kmn->mn", w, scores)


def _off(ours, dense):
    """Largest difference, relative where the numbers are above 1."""
    return float(np.max(np.abs(ours - dense) / np.maximum(1, np.abs(dense))))


def _phi_doubled(x, Us, pis, s, g):
    return _denoiser._softmax(np.log(pis) + s**2 / (g**2 * (s**2 + g**2)) * _denoiser.energies(x, Us))


_WEIGHTS = {"quoted": _denoiser.lem1_weights, "determinant": _denoiser.lem1_det_weights, "phi-doubled": _phi_doubled}


def evaluate_posterior(cell, rng, weights="quoted", shrinkage="g^2"):
    """Worst difference between Lemma 1 and the dense mixture. Lying worlds take other weights, or g for g^2 in the shrinkage."""
    for i in range(NUM_BASES):
        Us, pis, mus, lams, x = _mixture(cell, rng)
        ours = _denoiser.lem1_posterior_mean(x, Us, pis, cell.s, cell.g, weights=_WEIGHTS[weights])
        if shrinkage == "g":
            ours = ours * (cell.s**2 + cell.g**2) / (cell.s**2 + cell.g)
        yield Case(f"bases {i}", _off(ours, _dense(x, Us, pis, mus, lams, cell.s, cell.g)[0]))


def evaluate_score(cell, rng, root=False):
    """Worst difference between (s E[x_0|x_t] - x_t)/g^2 and the gradient of the dense log density. A lying world divides by g."""
    for i in range(NUM_BASES):
        Us, pis, mus, lams, x = _mixture(cell, rng)
        ours = _denoiser.score(x, Us, pis, cell.s, cell.g) * (cell.g if root else 1.0)
        yield Case(f"bases {i}", _off(ours, _dense(x, Us, pis, mus, lams, cell.s, cell.g)[1]))


def evaluate_general(cell, rng, ignore=""):
    """Worst difference for components N(mu_k, U_k Lambda_k U_k^T). Lying worlds ignore the "means" or the "variances"."""
    for i in range(NUM_BASES):
        Us, pis, mus, lams, x = _mixture(cell, rng, general=True)
        told = [0 * m for m in mus] if ignore == "means" else mus
        spread = [np.ones_like(v) for v in lams] if ignore == "variances" else lams
        ours, _ = _denoiser.gen_posterior(x, Us, pis, cell.s, cell.g, told, spread)
        yield Case(f"bases {i}", _off(ours, _dense(x, Us, pis, mus, lams, cell.s, cell.g)[0]))


# --- losses ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class LossCell:
    """N samples in R^n and random bases, dimensions joined by +; Theorem 1 has one of them."""

    n: int = 20
    dims: str = "4"
    N: int = 15


BATCHES, BATCH = 20, 10  # 200 bases


def validate_loss(cell, single=False):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "molrg.thm1" if single else "molrg.thm3"
    dims = numbers(fn, "dims", cell.dims, int)
    _arguments.integers(fn, N=cell.N)
    _arguments.dimensions(fn, cell.n, *dims)
    _arguments.require(cell.n <= 256 and cell.N <= 4096, fn, f"n must be at most 256 and N at most 4096, got n={cell.n}, N={cell.N}.")
    _arguments.require(not single or len(dims) == 1, fn, f"dims must be one dimension, got {cell.dims}.")


def _basis(rng, n, d, kind):
    """An orthonormal basis, "scaled" by 1.2, or a "gaussian" matrix, whose V V^T is no projector."""
    return rng.normal(size=(n, d)) / math.sqrt(n) if kind == "gaussian" else _host.haar(rng, n, d) * (1.2 if kind == "scaled" else 1.0)


def _losses(cell, rng, kind):
    """(mean loss over the levels, PCA energy, ||X||^2, mean of N d q(1 - q)) of a random basis on new samples."""
    (d,) = numbers("molrg.thm1", "dims", cell.dims, int)
    X = rng.normal(size=(cell.n, cell.N))
    while True:
        V = _basis(rng, cell.n, d, kind)
        loss = np.mean(_denoiser.pca_loss(X, V, *LEVELS))
        yield X, float(loss), float(np.linalg.norm(V.T @ X) ** 2), d


def evaluate_affine(cell, rng, kind="orthonormal"):
    """Worst relative difference, in batches of bases, between the mean loss and its affine form in the PCA energy."""
    drawn = _losses(cell, rng, kind)
    for i in range(BATCHES):
        worst = 0.0
        for _ in range(BATCH):
            X, loss, energy, d = next(drawn)
            closed = np.mean(_denoiser.pca_loss_closed_form(X, energy, d, *LEVELS))
            worst = max(worst, abs(loss - closed) / max(1.0, abs(closed)))
        yield Case(f"bases {BATCH * i} to {BATCH * (i + 1) - 1}", worst)


def evaluate_slope(cell, rng, kind="orthonormal"):
    """Least-squares slope of the mean loss against the PCA energy over 200 bases, on one sample."""
    drawn = [next(d) for d in [_losses(cell, rng, kind)] for _ in range(BATCHES * BATCH)]
    yield Case("least squares", float(np.polyfit([e for _, _, e, _ in drawn], [loss for _, loss, _, _ in drawn], 1)[0]))


def evaluate_hardmax(cell, rng, penalised=True, dims=None):
    """Worst relative difference between the hard-max loss, summed over noise levels, and its form in the SC energy: 300 random tuples.

    A lying world has other `dims` than declared."""
    dims = numbers("molrg.thm3", "dims", cell.dims, int) if dims is None else dims
    kappa = _denoiser.penalty(SIGMAS) if penalised else 0.0
    q = 1 / (1 + SIGMAS**2)
    slope, spent_scale = np.sum(2 * q - q**2), np.sum(q * (1 - q))
    for i in range(30):
        worst = 0.0
        for _ in range(10):
            X, Us = rng.normal(size=(cell.n, cell.N)), [_host.haar(rng, cell.n, d) for d in dims]
            loss = np.sum(_denoiser.hardmax_loss(X, Us, 1.0, SIGMAS))
            spent = np.array(dims)[_denoiser.energies(X.T, Us).argmax(-1)].sum()
            constant = len(SIGMAS) * np.linalg.norm(X) ** 2
            # without the penalty the constant is that of equal dimensions, the mean one
            constant += 0.0 if penalised else spent_scale * cell.N * np.mean(dims)
            closed = constant - slope * (_denoiser.sc_energy(X, Us) - kappa * spent)
            worst = max(worst, abs(loss - closed) / max(1.0, abs(closed)))
        yield Case(f"tuples {10 * i} to {10 * i + 9}", float(worst))


@dataclasses.dataclass(frozen=True)
class FreeCell:
    """A random covariance in R^n, noise levels and weights at random, and M = V V^T of rank at most d."""

    n: int = 5
    d: int = 2


def validate_free(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    n, _ = _arguments.dimensions("molrg.thm1.free", cell.n, cell.d)
    _arguments.require(n <= 12, "molrg.thm1.free", f"n must be at most 12, as the loss is minimised numerically, got n={n}.")


def evaluate_free(cell, rng):
    """Least loss over V that L-BFGS finds from 10 starts; the formula's, and that of the hard projection, come with the case."""
    from scipy.optimize import minimize

    for i in range(2):
        root = rng.normal(size=(cell.n, cell.n))
        C = root @ root.T / cell.n
        sigmas, weights = rng.uniform(0.1, 2.0, 3), rng.uniform(0.5, 2.0, 3)
        lam, vectors = np.linalg.eigh(C)
        lam, top = lam[::-1], vectors[:, ::-1][:, : cell.d]

        def loss(v, C=C, sigmas=sigmas, weights=weights):
            V = v.reshape(cell.n, cell.d)
            A, B = _denoiser._level_sums(sigmas, weights)
            M = V @ V.T
            CM = C @ M
            gradient = 2 * (-2 * A * C + B * (CM + CM.T) + 2 * (A - B) * M) @ V
            return _denoiser.free_loss(sigmas, weights, C, V), gradient.ravel()

        options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500}
        found = min(minimize(loss, rng.normal(size=cell.n * cell.d), jac=True, method="L-BFGS-B", options=options).fun for _ in range(10))
        formula = np.trace(C) + _denoiser.free_gain(sigmas, weights, lam[: cell.d])
        yield Case(f"covariance {i}", float(found), {"least": float(formula), "hard": _denoiser.free_loss(sigmas, weights, C, top)})


# --- distances of distributions, the sampler ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class W2Cell:
    """PCA of N noisy samples against the truth, dimension d in R^n."""

    n: int = 30
    d: int = 6
    N: int = 8
    sigma_e: float = 0.2


def validate_w2(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integers("molrg.w2", N=cell.N)
    _arguments.dimensions("molrg.w2", cell.n, cell.d)
    small = cell.n <= 256 and cell.N <= 4096
    _arguments.require(small, "molrg.w2", f"n must be at most 256 and N at most 4096, got n={cell.n}, N={cell.N}.")
    _arguments.noise_level("molrg.w2", cell.sigma_e)


def pair(cell, rng):
    """(truth, what PCA makes of noisy samples): bases [n, d]."""
    truth = _host.haar(rng, cell.n, cell.d)
    X, *_ = _host.sample(rng, [truth], [cell.N], cell.sigma_e)
    return truth, _host.pca(X, cell.d, rng=rng)


def evaluate_w2(cell, rng, pick=max):
    """W2^2 of the two laws over err^2, by the Gaussian formula, 100 pairs: the most (or the least, `pick`) of every ten."""
    for i in range(10):
        ratios = []
        for _ in range(10):
            truth, found = pair(cell, rng)
            ratios.append(_subspaces.w2_of_bases(found, truth) / _subspaces.subspace_error(found, truth) ** 2)
        yield Case(f"pairs {10 * i} to {10 * i + 9}", float(pick(ratios)))


@dataclasses.dataclass(frozen=True)
class StepsCell:
    """The EDM sampler with `steps` steps, and the order from `steps`, twice, four and eight times as many."""

    steps: int = 18
    n: int = 12
    d: int = 4


def validate_steps(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(2 <= cell.steps <= 1024, "molrg.sampler", f"steps must be 2 to 1024, got {cell.steps}.")
    _arguments.dimensions("molrg.sampler", cell.n, cell.d)


def heun_numpy(denoise, x, steps, heun=True, **schedule):
    """S6 on the host: x [m, n] from the largest noise level to 0."""
    levels = _sampler.sigma_schedule(steps, **schedule)
    for a, b in itertools.pairwise(levels):
        slope = (x - denoise(x, a)) / a
        moved = x + (b - a) * slope
        if heun and b > 0:
            slope = 0.5 * (slope + (moved - denoise(moved, b)) / b)
            moved = x + (b - a) * slope
        x = moved
    return x


def evaluate_heun(cell, rng, heun=True):
    """In-subspace output of the sampler over the exact map, minus 1, for 20 points run step by step."""
    U = _host.haar(rng, cell.n, cell.d)
    start = 80 * rng.normal(size=(20, cell.n))
    for factor in (1, 2, 4, 8):
        out = heun_numpy(lambda x, a: x @ U @ U.T / (1 + a**2), start, factor * cell.steps, heun)
        exact = start @ U / math.sqrt(1 + 80.0**2)
        ratio = float(np.median((out @ U) / exact)) - 1
        yield Case(f"{factor * cell.steps} steps", ratio, {"run_steps": factor * cell.steps})


def evaluate_order(cell, rng, heun=True):
    """Order: minus the slope of ln |relative error| in ln steps."""
    steps = [factor * cell.steps for factor in (1, 2, 4, 8)]
    errors = [abs(_sampler.in_subspace_error(m, heun)) for m in steps]
    yield Case("order", -float(np.polyfit(np.log(steps), np.log(errors), 1)[0]))
