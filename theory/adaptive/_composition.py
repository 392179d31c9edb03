"""Privacy of many answers together: Theorem 4, and the exact privacy of the worst mechanism for it."""

from __future__ import annotations

import math

import numpy as np

from theory.adaptive import _arguments

__all__ = ["rr_composition_delta", "rr_composition_eps", "thm4_eps"]


def thm4_eps(m, eps, delta_slack):
    """Theorem 4, advanced composition: m adaptive (eps, delta)-DP answers are (eps', m delta + delta_slack)-DP.

    eps' = sqrt(2 m ln(1/delta_slack)) eps + m eps (e^eps - 1); constants explicit. Basic composition gives m eps with
    delta_slack = 0, and is the better of the two for few answers.

    Args:
      m: number of answers, >= 1. eps: privacy of each, >= 0. delta_slack: in (0, 1). They broadcast.
    Returns: float64, eps'.
    Raises: ValueError for arguments outside these ranges.
    """
    m, eps = _arguments.integers("thm4_eps", m=m), _arguments.nonnegative("thm4_eps", "eps", eps)
    slack = _arguments.open_unit("thm4_eps", "delta_slack", delta_slack)
    return np.sqrt(2 * m * np.log(1 / slack)) * eps + m * eps * np.expm1(eps)


def rr_composition_delta(m, eps, eps_target, delta=0.0):
    """Smallest d for which m-fold binary randomised response is (eps_target, d)-DP, exact.

    Each answer gives the bit away with probability delta, else tells it truly with probability q = e^eps/(1 + e^eps):
    exactly (eps, delta)-DP, and the worst mechanism with that property. Its m-fold privacy loss is eps (2k - m), k ~
    Bin(m, q), so d = 1 - (1-delta)^m (1 - r), r = sum_k [Bin(m,q)(k) - e^{eps_target} Bin(m,1-q)(k)]_+. The sum is of
    positive terms, Bin(m,q)(k) (1 - e^{eps_target - eps (2k-m)}): no cancellation.

    Args: scalars; m >= 1, eps >= 0, eps_target >= 0, delta in [0, 1). Returns: float, a probability. Raises: ValueError.
    """
    from scipy import stats

    fn = "rr_composition_delta"
    m = int(_arguments.integers(fn, m=m))
    eps, target = float(_arguments.nonnegative(fn, "eps", eps)), float(_arguments.nonnegative(fn, "eps_target", eps_target))
    if not 0 <= delta < 1:
        raise ValueError(f"{fn}: delta must lie in [0, 1), got {delta}.")
    k = np.arange(m + 1.0)
    loss = eps * (2 * k - m)
    above = loss > target
    spent = float(np.dot(stats.binom.pmf(k[above], m, 1 / (1 + math.exp(-eps))), -np.expm1(target - loss[above])))
    kept = m * math.log1p(-delta)  # ln P[no answer gives the bit away]
    return -math.expm1(kept) + math.exp(kept) * spent


def rr_composition_eps(m, eps, total_delta, delta=0.0):
    """Smallest eps' for which m-fold binary randomised response is (eps', total_delta)-DP, exact; inf if there is none.

    The inverse of `rr_composition_delta` in eps_target, by bisection to the last bit. A claim "(eps', total_delta)-DP"
    holds for this mechanism exactly when eps' is at least this. Args: as there; total_delta in (0, 1). Returns: float.
    """
    total = float(_arguments.open_unit("rr_composition_eps", "total_delta", total_delta))
    low, high = 0.0, m * eps  # never is more lost than m eps
    if rr_composition_delta(m, eps, low, delta) <= total:
        return 0.0
    if rr_composition_delta(m, eps, high, delta) > total:
        return math.inf
    while low < (middle := (low + high) / 2) < high:
        if rr_composition_delta(m, eps, middle, delta) <= total:
            high = middle
        else:
            low = middle
    return high
