"""From privacy to validity: Corollary 7 and its sharp form, Theorem 8, the theorem of the STOC version as recalled.

Proof sketch of the sharp Corollary 7 (derived). A query fixed before the sample is drawn has P[gap >= tau] <= beta =
e^{-2 n tau^2} (Hoeffding). Put this beta into the sharp Theorem 6, `thm6_sharp_bound`: sqrt(ln(1/beta)) - eps sqrt(n/8)
= sqrt(2n) (tau - eps/4), hence exp(-2n (tau - eps/4)^2). The bias tanh(eps/4) of RR-selection shows that tau = eps/4 is
where a bound must stop, to first order. At eps = tau the exponent is 9/8 tau^2 n; RR-selection attains it as n grows.
"""

from __future__ import annotations

import numpy as np

from theory.adaptive import _arguments

__all__ = [
    "block_publishing_tail",
    "cor7_bound",
    "cor7_sharp_bound",
    "stoc10_delta",
    "stoc10_eps",
    "stoc10_sample_size",
    "thm8_bound",
    "thm8_sample_size",
]


def cor7_bound(n, tau, eps):
    """Corollary 7 as printed: P[gap >= tau] <= 3 e^{-tau^2 n} for an eps-DP choice of a query, eps <= tau (A1, A2).

    One-sided; twice that for |gap|. Constants explicit.

    Args:
      n: sample size, >= 1. tau: error, in (0, 1). eps: privacy, >= 0. They broadcast.
    Returns: float64, a probability (may exceed 1: then vacuous); nan where eps exceeds tau by more than a relative 1e-12.
    Raises: ValueError for arguments outside these ranges.
    """
    n, tau = _arguments.integers("cor7_bound", n=n), _arguments.open_unit("cor7_bound", "tau", tau)
    eps = _arguments.nonnegative("cor7_bound", "eps", eps)
    return np.where(eps <= tau * (1 + 1e-12), 3 * np.exp(-(tau**2) * n), np.nan)[()]


def cor7_sharp_bound(n, tau, eps):
    """Corollary 7 sharpened (derived): P[gap >= tau] <= exp(-2n (tau - eps/4)^2) while eps <= 4 tau, else 1 (A1, A2).

    One-sided; no premise on eps. Arguments, errors as `cor7_bound`. Returns: float64, broadcast.
    """
    n, tau = _arguments.integers("cor7_sharp_bound", n=n), _arguments.open_unit("cor7_sharp_bound", "tau", tau)
    left = tau - _arguments.nonnegative("cor7_sharp_bound", "eps", eps) / 4
    return np.exp(-2 * n * np.maximum(left, 0.0) ** 2)


def thm8_sample_size(eps, delta):
    """Theorem 8's premise: the smallest sample, ceil(2 ln(8/delta) / eps^2). Arguments as `thm8_bound`; delta > 0."""
    eps, delta = _arguments.open_unit("thm8_sample_size", "eps", eps), _arguments.open_unit("thm8_sample_size", "delta", delta)
    return _arguments.ceil(2 * np.log(8 / delta) / eps**2)


def thm8_bound(eps, delta, n=None):
    """Theorem 8: P[|gap| >= 13 eps] <= (2 delta/eps) ln(2/eps) for an (eps, delta)-DP choice of a query (A1, A3).

    Due to Nissim and Stemmer; constants explicit.

    Args:
      eps, delta: privacy, in (0, 1). n: sample size; None: one as large as the theorem asks. They broadcast.
    Returns: float64, a probability (may exceed 1: then vacuous); nan where n < `thm8_sample_size(eps, delta)`.
    Raises: ValueError for arguments outside these ranges.
    """
    eps, delta = _arguments.open_unit("thm8_bound", "eps", eps), _arguments.open_unit("thm8_bound", "delta", delta)
    bound = 2 * delta / eps * np.log(2 / eps)
    if n is None:
        return bound
    n = _arguments.integers("thm8_bound", n=n)
    return np.where(n >= thm8_sample_size(eps, delta), bound, np.nan)[()]


def block_publishing_tail(gap, delta):
    """P[gap of the best published query >= `gap`] for the block-publishing analyst, exact.

    The sample is cut into K = floor(1/gap) equal blocks; each is published with probability delta, independently. The
    indicator of a published block (P without atoms) has sample mean 1/K and truth 0. One element lies in one block, so
    this is (0, delta)-DP. P = 1 - (1 - delta)^K.

    Args: gap: in (0, 1]; delta: in [0, 1]; they broadcast. Returns: float64, a probability. Raises: ValueError.
    """
    gap, delta = np.asarray(gap, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    if not np.all((gap > 0) & (gap <= 1)):
        raise ValueError(f"block_publishing_tail: gap must lie in (0, 1], got {_arguments.shown(gap)}.")
    if not np.all((delta >= 0) & (delta <= 1)):
        raise ValueError(f"block_publishing_tail: delta must lie in [0, 1], got {_arguments.shown(delta)}.")
    blocks = np.floor(1 / gap * (1 + 1e-12))  # 1/gap meant to be whole is not pushed down by rounding
    with np.errstate(divide="ignore"):
        return -np.expm1(blocks * np.log1p(-delta))


def stoc10_eps(tau):
    """Privacy that the STOC version's theorem asks for, eps = tau/4, as restated in the companion's proof of Lemma 24."""
    return _arguments.open_unit("stoc10_eps", "tau", tau) / 4


def stoc10_delta(tau, beta):
    """Its delta = (beta/8)^{4/tau}; 0 where that leaves float64. Args: tau, beta in (0, 1). Raises: ValueError."""
    tau, beta = _arguments.open_unit("stoc10_delta", "tau", tau), _arguments.open_unit("stoc10_delta", "beta", beta)
    return np.exp(4 / tau * np.log(beta / 8))


def stoc10_sample_size(tau, beta):
    """Its sample size ceil(48 ln(4/beta) / tau^2), as recalled (not checked against the paper).

    Args: tau: error, in (0, 1). beta: failure probability, in (0, 1). Returns: int, or int64 array. Raises: ValueError.
    """
    fn = "stoc10_sample_size"
    tau, beta = _arguments.open_unit(fn, "tau", tau), _arguments.open_unit(fn, "beta", beta)
    return _arguments.ceil(48 * np.log(4 / beta) / tau**2)
