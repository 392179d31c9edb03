"""Two workloads of `moe` against SciPy and numba, on one core.

fits: 16 data sets of n = 1,000 points of TL, two atoms fitted from the same near-truth starts to the same maximum (mean
log-likelihood within 1e-8). Ours fits them in one compiled program; SciPy's L-BFGS-B with the analytic gradient takes one data
set after the other.
em: 20 data sets of n = 2,000, 100 iterations of expectation-maximisation for two atoms; ours in one program, against the same
iteration as a compiled loop over points in numba (an optional dependency: without it that part is left out).
Prints one JSON object: the median of five timings of each after a warm-up, in milliseconds, and the other's time over ours.

    python bench/moe.py
"""

from __future__ import annotations

import math
from collections.abc import Callable

import _clock

THREADS = _clock.same_cores()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from scipy import optimize  # noqa: E402

from sims.moe import _density, _em, _fit, _reference  # noqa: E402
from theory import moe as theory  # noqa: E402

FITS, POINTS = 16, 1000
EMS, EM_POINTS, ITERATIONS = 20, 2000, 100
CHUNK = 1024
K, P = 2, 11


def _vector(G: theory.Mixture) -> np.ndarray:
    return np.concatenate([G.beta1.ravel(), G.beta0, [math.log(G.tau)], G.a.ravel(), G.b, np.log(G.nu)])


def data(count: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """x, y float64 [count, n] of TL."""
    rng = np.random.default_rng(0)
    drawn = [_reference.draw(theory.TL, n, 1, rng) for _ in range(count)]
    return np.stack([x[:, 0] for x, _ in drawn]), np.stack([y for _, y in drawn])


def starts(count: int) -> np.ndarray:
    """[count, 11]: TL's vector moved by normal noise of scale .1."""
    return _vector(theory.TL) + 0.1 * np.random.default_rng(1).standard_normal((count, P))


# --- fits -------------------------------------------------------------------------------------------------------


def our_fits(x: np.ndarray, y: np.ndarray, theta: np.ndarray) -> Callable[[], np.ndarray]:
    pad = ((0, 0), (0, CHUNK - POINTS))
    xs, ys = np.pad(x, pad).reshape(FITS, 1, 1, CHUNK), np.pad(y, pad).reshape(FITS, 1, CHUNK)
    gate = _density.Gate(("linear",), jnp.int32(0), jnp.float64(1.0))

    def one(theta, x, y):
        return _fit.fit(theta, K, gate, x, y, jnp.int32(POINTS), jnp.int32(1)).log_likelihood

    program = jax.jit(lambda *a: jax.lax.map(lambda b: one(*b), a))
    return lambda: np.asarray(program(theta, xs, ys)).ravel()


def loss_and_gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the mean log-likelihood and its gradient in the unconstrained vector, in NumPy."""
    beta1, beta0, tau, a, b, nu = theta[:2, None], theta[2:4, None], math.exp(theta[4]), theta[5:7, None], theta[7:9, None], theta[9:, None]
    nu = np.exp(nu)
    z = (beta1 * x + beta0) / tau
    top = z.max(axis=0)
    e = np.exp(z - top)
    total = e.sum(axis=0)
    g = e / total
    rho = y - a * x - b
    joint = z - (top + np.log(total)) - 0.5 * (rho * rho / nu + np.log(2 * np.pi * nu))
    peak = joint.max(axis=0)
    E = np.exp(joint - peak)
    whole = E.sum(axis=0)
    R = E / whole
    d = (R - g) / tau
    pull = R * rho / nu
    gradient = np.concatenate([
        d @ x, d.sum(axis=1), [-(d * z).sum() * tau], pull @ x, pull.sum(axis=1), 0.5 * (R * (rho * rho / nu - 1)).sum(axis=1),
    ])  # fmt: skip
    return -float((peak + np.log(whole)).mean()), -gradient / len(x)


def scipy_fits(x: np.ndarray, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
    least, most = _density.box(K, 1)
    bounds = list(zip(least, most, strict=True))
    options = {"ftol": 1e-11, "gtol": 1e-6, "maxiter": 2000, "maxfun": 4000}  # looser ones miss the 1e-8
    return np.array([
        -optimize.minimize(loss_and_gradient, t, (u, v), jac=True, method="L-BFGS-B", bounds=bounds, options=options).fun
        for t, u, v in zip(theta, x, y, strict=True)
    ])  # fmt: skip


# --- expectation-maximisation --------------------------------------------------------------------------------------


def our_ems(x: np.ndarray, y: np.ndarray) -> Callable[[], np.ndarray]:
    G = theory.TL
    start = _density.Params(*(jnp.asarray(v, jnp.float64) for v in (G.beta1, G.beta0, G.tau, G.a, G.b, G.nu)))
    program = jax.jit(lambda x, y: jax.lax.map(lambda b: _em.em(start, *b, ITERATIONS).log_likelihood[-1], (x, y)))
    return lambda: np.asarray(program(x, y))


def numba_ems(x: np.ndarray, y: np.ndarray) -> Callable[[], np.ndarray] | None:
    """The same iteration (damped scoring step of the gate, halved until its loss does not rise) as loops over points."""
    try:
        import numba
    except ImportError:
        return None

    @numba.njit(cache=False)
    def gate_loss(theta, R, x):
        total = 0.0
        tau = math.exp(theta[4])
        for i in range(len(x)):
            z0, z1 = (theta[0] * x[i] + theta[2]) / tau, (theta[1] * x[i] + theta[3]) / tau
            top = max(z0, z1)
            total += top + math.log(math.exp(z0 - top) + math.exp(z1 - top)) - R[i] * z0 - (1 - R[i]) * z1
        return total

    @numba.njit(cache=False)
    def run(theta, a, b, nu, x, y, iterations):
        n, ll = len(x), 0.0
        R = np.empty(n)
        for it in range(iterations + 1):
            tau, ll = math.exp(theta[4]), 0.0
            gradient, H = np.zeros(5), np.zeros((5, 5))
            w = np.zeros((2, 6))
            D = np.empty(5)
            for i in range(n):
                z0, z1 = (theta[0] * x[i] + theta[2]) / tau, (theta[1] * x[i] + theta[3]) / tau
                top = max(z0, z1)
                e0, e1 = math.exp(z0 - top), math.exp(z1 - top)
                g = e0 / (e0 + e1)
                r0, r1 = y[i] - a[0] * x[i] - b[0], y[i] - a[1] * x[i] - b[1]
                l0 = math.log(g) - 0.5 * (r0 * r0 / nu[0] + math.log(2 * math.pi * nu[0]))
                l1 = math.log(e1 / (e0 + e1)) - 0.5 * (r1 * r1 / nu[1] + math.log(2 * math.pi * nu[1]))
                peak = max(l0, l1)
                f0, f1 = math.exp(l0 - peak), math.exp(l1 - peak)
                ll += peak + math.log(f0 + f1)
                R[i] = f0 / (f0 + f1)
                # two atoms: the scoring matrix is g(1-g) times the outer product of the difference of logit derivatives
                D[0], D[1], D[2], D[3], D[4] = x[i] / tau, -x[i] / tau, 1 / tau, -1 / tau, -(z0 - z1)
                for p in range(5):
                    gradient[p] += (R[i] - g) * D[p]
                    for q in range(5):
                        H[p, q] += g * (1 - g) * D[p] * D[q]
                for k, r in enumerate((R[i], 1 - R[i])):
                    w[k, 0] += r
                    w[k, 1] += r * x[i]
                    w[k, 2] += r * x[i] * x[i]
                    w[k, 3] += r * y[i]
                    w[k, 4] += r * x[i] * y[i]
                    w[k, 5] += r * y[i] * y[i]
            if it == iterations:
                break
            for p in range(5):
                H[p, p] += 1e-6 * n
            step = np.linalg.solve(H, gradient)
            now, c = gate_loss(theta, R, x), 1.0
            for _ in range(6):
                if gate_loss(theta + c * step, R, x) <= now:
                    break
                c *= 0.5
            theta = theta + c * step
            for k in range(2):
                w0, w2 = w[k, 0] + 1e-10, w[k, 2] + 1e-10
                det = w0 * w2 - w[k, 1] * w[k, 1]
                a[k], b[k] = (w0 * w[k, 4] - w[k, 1] * w[k, 3]) / det, (w2 * w[k, 3] - w[k, 1] * w[k, 4]) / det
                rest = w[k, 5] - 2 * a[k] * w[k, 4] - 2 * b[k] * w[k, 3]
                rest += a[k] ** 2 * w[k, 2] + 2 * a[k] * b[k] * w[k, 1] + b[k] ** 2 * w[k, 0]
                nu[k] = max(rest / w[k, 0], 1e-3)
        return ll / n

    G = theory.TL
    first = _vector(G)[:5]

    def all_of_them():
        return np.array([run(first.copy(), G.a[:, 0].copy(), G.b.copy(), G.nu.copy(), u, v, ITERATIONS) for u, v in zip(x, y, strict=True)])

    return all_of_them


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    x, y = data(FITS, POINTS)
    theta = starts(FITS)
    fit, em = our_fits(x, y, theta), our_ems(*data(EMS, EM_POINTS))
    ours, other = _clock.timed(lambda i: fit()), _clock.timed(lambda i: scipy_fits(x, y, theta))
    ours_em = _clock.timed(lambda i: em())
    comparisons = [_clock.compared(f"moe: {FITS} maximum-likelihood fits at n={POINTS:,}", ours, "SciPy L-BFGS-B", other.ms)]
    more = {"largest_difference_of_maxima": float(np.abs(ours.answers[-1] - other.answers[-1]).max())}
    loops = numba_ems(*data(EMS, EM_POINTS))
    if loops is None:
        more["skipped"] = "numba, which is not installed (pip install -e '.[bench]')"
    else:
        numba = _clock.timed(lambda i: loops())
        what = f"moe: {ITERATIONS} iterations of EM on {EMS} samples of {EM_POINTS:,}"
        comparisons.append(_clock.compared(what, ours_em, "numba loop", numba.ms))
        more["largest_difference_of_likelihoods"] = float(np.abs(ours_em.answers[-1] - numba.answers[-1]).max())
    _clock.print_report(THREADS, comparisons, **more)


if __name__ == "__main__":
    main()
