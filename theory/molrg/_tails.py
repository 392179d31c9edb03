r"""Smallest singular values of Gaussian matrices in finite samples, and the probabilities of Theorems 2 (i) and 4 (i).

The paper's constants c1, c2 are not given; the explicit ones here, 2 * 3.1338 and infinity, are derived.
"""

from __future__ import annotations

import math

import numpy as np

from theory.molrg import _arguments
from theory.molrg._subspaces import error_cap

__all__ = [
    "C1",
    "RV_CONSTANT",
    "rv_gap",
    "rv_log_tail",
    "rv_q_up",
    "rv_supremum",
    "rv_tail",
    "thm2i_bound",
    "thm2i_failure",
    "thm2i_says_nothing",
    "thm4i_failure",
]

RV_CONSTANT = 3.134  # >= sup of rv_q_up = 3.13376 (rv_supremum)
C1 = 6.27  # >= 2 * 3.13376: the deterministic constant 2 times the one above


def rv_gap(N, d):
    """sqrt(N) - sqrt(d - 1), the scale of the smallest singular value of a Gaussian d x N matrix. Raises: ValueError if N < d."""
    N, d = _arguments.integers("rv_gap", N=N, d=d)
    _arguments.require(d <= N, "rv_gap", f"upper bound needs N >= d, got N={N}, d={d}.")
    return math.sqrt(N) - math.sqrt(d - 1)


def _log_lower_gamma(a, x):
    """ln P(a, x) of the regularised incomplete gamma function for x < a + 1, by its series in logs: no underflow."""
    term = total = 1.0
    k = a
    while term > 1e-17 * total:
        k += 1
        term *= x / k
        total += term
    return a * math.log(x) - x - math.lgamma(a + 1) + math.log(total)


def _log_chi2_cdf(dof, t):
    """ln P(chi^2_dof <= t^2)."""
    a, x = dof / 2, t**2 / 2
    if x < a + 1:
        return _log_lower_gamma(a, x)
    from scipy.special import gammainc

    return math.log(gammainc(a, x))


def rv_log_tail(N, d, t):
    r"""ln of the bound on P(smin(A) <= t), A [d, N] with N(0, 1) entries, N >= d; equality for d = 1. Derived here.

    P <= sqrt(pi) Gamma((N+1)/2) / (Gamma(d/2) Gamma((N-d+2)/2)) P(chi^2_{N-d+1} <= t^2).
    Proof. In the joint density of the eigenvalues of AA^T replace the factors (l_i - l_min) by l_i and drop l_i >= l_min:
    what is left is the normaliser of a Wishart of dimension d - 1 with N + 1 degrees of freedom.
    """
    N, d = _arguments.integers("rv_log_tail", N=N, d=d)
    _arguments.require(d <= N, "rv_log_tail", f"upper bound needs N >= d, got N={N}, d={d}.")
    t = _arguments.positive("rv_log_tail", "t", t)
    front = 0.5 * math.log(math.pi) + math.lgamma((N + 1) / 2) - math.lgamma(d / 2) - math.lgamma((N - d + 2) / 2)
    return front + _log_chi2_cdf(N - d + 1, t)


def rv_tail(N, d, t):
    """exp of `rv_log_tail`, at most 1."""
    return math.exp(min(0.0, rv_log_tail(N, d, t)))


def rv_q_up(N, d):
    """(sqrt(N) - sqrt(d - 1))/t with t where the bound on P(smin <= t) equals 2^{-(N-d+1)}; at most `rv_supremum`."""
    from scipy.optimize import brentq

    gap, target = rv_gap(N, d), -(N - d + 1) * math.log(2)
    log_t = brentq(lambda u: rv_log_tail(N, d, math.exp(u)) - target, math.log(gap) - 8, math.log(gap) + 4, xtol=1e-13)
    return gap / math.exp(log_t)


def rv_supremum():
    """sup of `rv_q_up` over N >= d: 1/u = 3.13376.., u < 1 the root of u^2 - 1 - ln u^2 = 2 ln 2 (Chernoff; d = 1, N -> infinity)."""
    from scipy.optimize import brentq

    return 1 / brentq(lambda u: u**2 - 1 - 2 * math.log(u) - 2 * math.log(2), 1e-3, 1 - 1e-9, xtol=1e-15)


def thm2i_bound(E_fro, N, d, c1=C1):
    """Theorem 2 (i): err <= c1 ||E||_F/(sqrt(N) - sqrt(d - 1)), N >= d. The paper leaves c1 open; `C1` is derived here."""
    return c1 * E_fro / rv_gap(N, d)


def thm2i_failure(N, d):
    """Probability with which the bound of Theorem 2 (i) may fail at c1 = 6.27, c2 = infinity: 2^{-(N-d+1)}. Derived here."""
    rv_gap(N, d)  # N >= d
    return 2.0 ** -(N - d + 1)


def thm2i_says_nothing(n, d, N, sigma_e, c1=C1):
    """Whether the bound at the typical ||E||_F = sigma_e sqrt(nN) is no smaller than the largest err there is."""
    return thm2i_bound(sigma_e * math.sqrt(n * N), N, d, c1) >= error_cap(n, d)


def thm4i_failure(d, counts):
    """Theorem 4 (i): stated failure probability 2K^2/N + sum_k 2^{-(N_k-d+1)}, c2 = infinity. At 1 or above it promises nothing.

    Args: counts, N_k of each cluster, all >= d.
    """
    counts = [_arguments.integers("thm4i_failure", N=N) for N in counts]
    return 2 * len(counts) ** 2 / sum(counts) + float(np.sum([thm2i_failure(N, d) for N in counts]))
