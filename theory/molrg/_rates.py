"""Fixed noise in every coordinate: the true error of PCA, and how the ambient dimension comes back. All derived or standard."""

from __future__ import annotations

import math

from theory.molrg import _arguments

__all__ = ["inverse_wishart_error", "samples_needed", "spiked_sine"]


def inverse_wishart_error(n, d, N, sigma):
    """E err^2 to leading order in sigma, N > d + 1: 2 sigma^2 (n - d) d/(N - d - 1), from E tr (AA^T)^{-1}. Derived here."""
    n, d = _arguments.dimensions("inverse_wishart_error", n, d)
    N = _arguments.integers("inverse_wishart_error", N=N)
    _arguments.require(d + 1 < N, "inverse_wishart_error", f"needs N > d + 1, got N={N}, d={d}.")
    return 2 * _arguments.noise_level("inverse_wishart_error", sigma) ** 2 * (n - d) * d / (N - d - 1)


def spiked_sine(n, d, N, sigma):
    """err^2/(2d) for large n and N: gamma (sigma^4 + sigma^2)/(1 + gamma sigma^2), gamma = (n - d)/N; 1 once gamma sigma^4 >= 1.

    Standard (spiked covariance), with (n - d)/N for n/N, which is 4 % high at n = 50.
    """
    n, d = _arguments.dimensions("spiked_sine", n, d)
    N = _arguments.integers("spiked_sine", N=N)
    s2, gamma = _arguments.noise_level("spiked_sine", sigma) ** 2, (n - d) / N
    return 1.0 if gamma * s2**2 >= 1 else gamma * (s2**2 + s2) / (1 + gamma * s2)


def samples_needed(n, d, sigma, eps):
    """N at which E err^2 = eps^2: about 2 d (n - d) sigma^2 (1 + sigma^2)/eps^2, linear in the ambient dimension. Derived here."""
    n, d = _arguments.dimensions("samples_needed", n, d)
    s2, eps = _arguments.noise_level("samples_needed", sigma) ** 2, _arguments.positive("samples_needed", "eps", eps)
    return math.ceil(2 * d * (n - d) * s2 * (1 + s2) / eps**2)
