"""Answers with noise: privacy of the noise, its transfer to the distribution, and sample sizes that follow.

Index: statement -> function.
  Gaussian differential privacy        -> gdp_delta, gdp_mu, gaussian_mu
  bias under mu-GDP (derived)          -> bias_gdp_bound
  transfer of Jung et al.              -> jung_transfer
  n, Laplace + composition + Cor. 7    -> n_laplace_pure (constants as printed), n_laplace_sharp (derived transfer)
  n, Laplace + Theorem 4 + Theorem 8   -> n_laplace_advanced
  n, Gaussian + exact GDP + Jung       -> gaussian_allocation (one allocation), n_gaussian_jung (the best one)
  rates of the conference version      -> rate_laplace, rate_rounds, rate_pmw (recalled, no constants: slopes only)

Sample sizes count ALL queries, the last one included.

Proof sketch, bias under mu-GDP. Draw x' from P, apart from the sample. The value phi(x_i) of the selected query is a test
of "the sample holds x_i" against "the sample holds x' in its place": under the second phi(x_i) has mean P[phi], its
level, and under the first its mean is the power. A mu-GDP algorithm allows power at most Phi(Phi^{-1}(level) + mu), so
E[gap] <= max over levels of Phi(Phi^{-1}(level) + mu) - level, which is 2 Phi(mu/2) - 1 at level Phi(-mu/2).
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from theory.adaptive import _arguments

__all__ = [
    "GaussianAllocation",
    "bias_gdp_bound",
    "gaussian_allocation",
    "gaussian_mu",
    "gdp_delta",
    "gdp_mu",
    "jung_transfer",
    "laplace_scale",
    "n_gaussian_jung",
    "n_laplace_advanced",
    "n_laplace_pure",
    "n_laplace_sharp",
    "rate_laplace",
    "rate_pmw",
    "rate_rounds",
]


def _positive(fn, name, value):
    array = np.asarray(value, dtype=np.float64)
    if not np.all((array > 0) & (array < np.inf)):
        raise ValueError(f"{fn}: {name} must be finite and > 0, got {_arguments.shown(value)}.")
    return array


def _accuracy(fn, m, tau, beta):
    """(m, tau, beta) as Python numbers, checked."""
    m = int(_arguments.integers(fn, m=m))
    return m, float(_arguments.open_unit(fn, "tau", tau)), float(_arguments.open_unit(fn, "beta", beta))


def _log_gdp_delta(mu, eps):
    """ln delta(eps); the general form loses all digits at eps = 0 and small mu, where delta = erf(mu/sqrt(8))."""
    from scipy.special import erf, log_ndtr

    top = log_ndtr(mu / 2 - eps / mu)
    with np.errstate(divide="ignore"):  # delta = 0 to rounding: ln delta = -inf
        general = top + np.log(-np.expm1(eps + log_ndtr(-mu / 2 - eps / mu) - top))
    return np.where(eps == 0, np.log(erf(mu / math.sqrt(8))), general)


def gdp_delta(mu, eps):
    """delta(eps) of a mu-GDP algorithm: Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu), by logarithms.

    Args: mu > 0, eps >= 0; they broadcast. Returns: float64 in [0, 1), increasing in mu. Raises: ValueError.
    """
    mu, eps = _positive("gdp_delta", "mu", mu), _arguments.nonnegative("gdp_delta", "eps", eps)
    return np.exp(_log_gdp_delta(mu, eps))


def gdp_mu(eps, delta):
    """The largest mu at which mu-GDP implies (eps, delta)-DP: the inverse of `gdp_delta` in mu.

    Args: scalars, eps >= 0, delta in (0, 1). Returns: float, relative error below 1e-10. Raises: ValueError.
    """
    from scipy.optimize import brentq

    eps = float(_arguments.nonnegative("gdp_mu", "eps", eps))
    target = math.log(float(_arguments.open_unit("gdp_mu", "delta", delta)))

    def excess(log_mu):
        return max(float(_log_gdp_delta(math.exp(log_mu), eps)), -1e300) - target

    low, high = math.log(eps / 50) if eps > 0 else target - 5, math.log(2 * math.sqrt(2 * eps) + 40)
    while excess(low) > 0:
        low -= 5
    return math.exp(brentq(excess, low, high, xtol=1e-13, rtol=1e-13))


def gaussian_mu(n, m, s):
    """mu of m adaptively chosen means of n points, each with its own normal noise of sd s: sqrt(m) / (n s).

    Args: n, m >= 1, s > 0; they broadcast. Returns: float64. Raises: ValueError.
    """
    n, m = _arguments.integers("gaussian_mu", n=n, m=m)
    return np.sqrt(m) / (n * _positive("gaussian_mu", "s", s))


def bias_gdp_bound(mu):
    """Largest bias of a mu-GDP choice of a query: E[gap] <= 2 Phi(mu/2) - 1 (derived; i.i.d. sample).

    Args: mu >= 0. Returns: float64, in [0, 1]. Raises: ValueError.
    """
    from scipy.special import erf

    return erf(_arguments.nonnegative("bias_gdp_bound", "mu", mu) / math.sqrt(8))


def jung_transfer(alpha, beta_s, eps, delta, c, d):
    """Transfer of Jung et al. 2020: accuracy for the distribution from accuracy for the sample and privacy.

    A mechanism that is (alpha, beta_s)-accurate for the sample and (eps, delta)-DP is, for any c, d > 0,
    (alpha + e^eps - 1 + c + 2d, beta_s/c + delta/d)-accurate for the distribution.

    Args: alpha, beta_s, eps, delta >= 0; c, d > 0; they broadcast.
    Returns: (error, probability), float64 each; either may exceed 1: then it says nothing. Raises: ValueError.
    """
    fn = "jung_transfer"
    alpha, beta_s = _arguments.nonnegative(fn, "alpha", alpha), _arguments.nonnegative(fn, "beta_s", beta_s)
    eps, delta = _arguments.nonnegative(fn, "eps", eps), _arguments.nonnegative(fn, "delta", delta)
    if not np.all(delta <= 1):
        raise ValueError(f"{fn}: delta must lie in [0, 1], got {_arguments.shown(delta)}.")
    c, d = _positive(fn, "c", c), _positive(fn, "d", d)
    return alpha + np.expm1(eps) + c + 2 * d, beta_s / c + delta / d


def laplace_scale(m, tau, beta):
    """Noise of `n_laplace_pure`: b = tau / (2 ln(2m/beta)), so that all m draws stay below tau/2 with prob. 1 - beta/2.

    Args: m >= 1, tau, beta in (0, 1); they broadcast. Returns: float64, the scale of Lap(b). Raises: ValueError.
    """
    fn = "laplace_scale"
    m, tau = _arguments.integers(fn, m=m), _arguments.open_unit(fn, "tau", tau)
    return tau / (2 * np.log(2 * m / _arguments.open_unit(fn, "beta", beta)))


def n_laplace_pure(m, tau, beta):
    """Sample size for m adaptive queries, Laplace noise, composition of pure privacy and Corollary 7 as printed.

    max(4 m ln(2m/beta), 4 ln(12m/beta)) / tau^2 with noise `laplace_scale`: eight times splitting.

    Args: m: ALL queries, >= 1. tau, beta: in (0, 1). They broadcast. Returns: int or int64 array. Raises: ValueError.
    """
    fn = "n_laplace_pure"
    m = _arguments.integers(fn, m=m)
    tau, beta = _arguments.open_unit(fn, "tau", tau), _arguments.open_unit(fn, "beta", beta)
    return _arguments.ceil(np.maximum(4 * m * np.log(2 * m / beta), 4 * np.log(12 * m / beta)) / tau**2)


def n_laplace_sharp(m, tau, beta):
    """As `n_laplace_pure` with the sharp transfer (derived) and the best split tau = tau_s + tau_g.

    b = tau_s/ln(2m/beta); the smallest n with sqrt(ln(4m/beta)/(2n)) + m/(4nb) <= tau_g, a quadratic in 1/sqrt(n),
    minimised over tau_s. Never below m ln(2m/beta)/tau^2, twice splitting. Scalars. Returns: int. Raises: ValueError.
    """
    from scipy.optimize import minimize_scalar

    m, tau, beta = _accuracy("n_laplace_sharp", m, tau, beta)
    root = math.sqrt(math.log(4 * m / beta) / 2)

    def size(share):
        slope = m * math.log(2 * m / beta) / (4 * share * tau)  # m / (4b)
        tau_g = (1 - share) * tau
        return ((root + math.sqrt(root**2 + 4 * slope * tau_g)) / (2 * tau_g)) ** 2  # 1 / x^2 of the positive root x

    best = minimize_scalar(size, bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-9})
    return _arguments.ceil(best.fun)


def _composed_eps(each, m, delta):
    """Theorem 4: privacy of m adaptive runs of eps-DP steps at slack delta."""
    return np.sqrt(2 * m * np.log(1 / delta)) * each + m * each * np.expm1(each)


def n_laplace_advanced(m, tau, beta):
    """Sample size for m adaptive queries, Laplace noise, Theorem 4 (composition) and Theorem 8 (transfer), as printed.

    A share fr of tau goes to the transfer: eps = fr tau/13, b = (1-fr) tau/ln(2m/beta), delta = (beta/(2m)) eps /
    (2 ln(2/eps)), eps0 solves Theorem 4 = eps at delta' = delta; n = max(1/(eps0 b), 2 ln(8/delta)/eps^2), the least
    over fr in (.05, .95). Grows like sqrt(m). Scalars. Returns: int. Raises: ValueError.
    """
    from scipy.optimize import minimize_scalar

    m, tau, beta = _accuracy("n_laplace_advanced", m, tau, beta)

    def size(share):
        eps = share * tau / 13
        b = (1 - share) * tau / math.log(2 * m / beta)
        delta = beta / (2 * m) * eps / (2 * np.log(2 / eps))
        low, high = np.zeros_like(share), eps / np.sqrt(2 * m * np.log(1 / delta))  # the first term alone
        for _ in range(60):
            middle = (low + high) / 2
            over = _composed_eps(middle, m, delta) > eps
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        return np.maximum(1 / (low * b), 2 * np.log(8 / delta) / eps**2)

    shares = np.linspace(0.05, 0.95, 91)
    i = int(np.argmin(size(shares)))
    around = (shares[max(0, i - 1)], shares[min(len(shares) - 1, i + 1)])
    best = minimize_scalar(lambda share: float(size(np.asarray(share))), bounds=around, method="bounded", options={"xatol": 1e-9})
    return _arguments.ceil(min(best.fun, float(size(shares)[i])))


@dataclasses.dataclass(frozen=True)
class GaussianAllocation:
    """One way of spending tau and beta in `jung_transfer`, and what it costs.

    n: points (not rounded). s: sd of the noise on each answer. alpha + (e^eps - 1) + c + 2d = tau (unless a term was
    left out on purpose); beta_s/c + delta/d = beta.
    """

    n: float
    s: float
    alpha: float
    eps: float
    c: float
    d: float
    beta_s: float
    delta: float


def gaussian_allocation(m, beta, alpha, eps, c, d, u=0.5):
    """Sample size of m adaptive queries with normal noise at one allocation: exact GDP accounting, then `jung_transfer`.

    beta_s = beta u c, delta = beta (1-u) d, z = Phi^{-1}((1 + (1-beta_s)^{1/m})/2), s = alpha/z, and n = sqrt(m) z /
    (mu(eps, delta) alpha). What it certifies is tau = alpha + e^eps - 1 + c + 2d.

    Args: m: ALL queries, >= 1. beta, u in (0, 1). alpha, eps, c, d > 0. Scalars.
    Returns: GaussianAllocation. Raises: ValueError.
    """
    from scipy.special import ndtri

    fn = "gaussian_allocation"
    m = int(_arguments.integers(fn, m=m))
    beta, u = float(_arguments.open_unit(fn, "beta", beta)), float(_arguments.open_unit(fn, "u", u))
    alpha, eps, c, d = (float(_positive(fn, k, v)) for k, v in (("alpha", alpha), ("eps", eps), ("c", c), ("d", d)))
    beta_s, delta = beta * u * c, beta * (1 - u) * d
    z = -float(ndtri(-math.expm1(math.log1p(-beta_s) / m) / 2))
    n = math.sqrt(m) * z / (gdp_mu(eps, delta) * alpha)
    return GaussianAllocation(n, alpha / z, alpha, eps, c, d, beta_s, delta)


@functools.lru_cache(maxsize=256)
def n_gaussian_jung(m, tau, beta):
    """The best `gaussian_allocation` for error tau: shares of tau by softmax, u by a logistic, Nelder-Mead (derived).

    Args: m: ALL queries, >= 1. tau, beta: in (0, 1). Scalars; about .3 s for a new argument.
    Returns: GaussianAllocation whose n is the smallest found (within about 1e-6, relative; round it up). Raises: ValueError.
    """
    from scipy.optimize import minimize

    m, tau, beta = _accuracy("n_gaussian_jung", m, tau, beta)

    def at(theta):
        shares = np.exp(np.append(theta[:3], 0.0) - max(*theta[:3], 0.0))
        alpha, growth, c, twice_d = np.maximum(shares / shares.sum(), 1e-12) * tau
        u = min(max(1 / (1 + math.exp(-theta[3])), 1e-9), 1 - 1e-9)
        return gaussian_allocation(m, beta, alpha, math.log1p(growth), c, twice_d / 2, u)

    start = np.array([3.0, 3.0, 1.0, 0.0])
    options = {"xatol": 1e-5, "fatol": 1e-9, "maxiter": 2000}
    best = minimize(lambda theta: math.log(at(theta).n), start, method="Nelder-Mead", options=options)
    return at(best.x)


def rate_laplace(m, tau):
    """Conference version, informal (recalled): n = O(min{m^{1/2} (log m)^{3/2} / tau^{5/2}, m log m / tau^2}).

    No constant: a slope for figures, never a bound. Args: m >= 1, tau in (0, 1). Returns: float64. Raises: ValueError.
    """
    m, tau = _arguments.integers("rate_laplace", m=m), _arguments.open_unit("rate_laplace", "tau", tau)
    return np.minimum(np.sqrt(m) * np.log(m) ** 1.5 / tau**2.5, m * np.log(m) / tau**2)


def rate_rounds(r, tau):
    """Conference version, informal (recalled): r rounds of adaptivity cost what r queries cost. As `rate_laplace`."""
    return rate_laplace(r, tau)


def rate_pmw(m, log_universe, tau):
    """Conference version, informal (recalled): min{(log m)^{3/2} (log|X|)^{1/2} / tau^{7/2}, log m log|X| / tau^4}.

    Args: m >= 1, log_universe = ln|X| > 0, tau in (0, 1). No constant. Returns: float64. Raises: ValueError.
    """
    m, tau = _arguments.integers("rate_pmw", m=m), _arguments.open_unit("rate_pmw", "tau", tau)
    size = _positive("rate_pmw", "log_universe", log_universe)
    return np.minimum(np.log(m) ** 1.5 * np.sqrt(size) / tau**3.5, np.log(m) * size / tau**4)
