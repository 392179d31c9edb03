r"""The needle world, where a verifier's data are hard to come by and cloning is easy: bounds and exact means.

World. d rare prompt blocks with probability p each, every other prompt is solved by any trace (R = H). On a rare block
the base policy picks one of K styles uniformly; one hidden style has R = H, the others R = 0. So the anti-concentration is
c = 1/K, the base's heterogeneity is H sqrt(c (1 - c)) on rare blocks and 0 elsewhere, and the expert plays the good style
(kappa >= K - 1). Policy class and verifier class have K^d members each. No method's gap exceeds H d p.

Learners. VF: plays the style that the expert showed in the block, else a uniform one. VB (Bayes optimal for a uniform good
style): the good style if it was seen, or if K - 1 bad ones were; else uniform over the styles not seen. VB-1: the worst verifier
that agrees with all labels, and the top-c policy for it; it misses a block when the good style and at least one other are unseen.

Proof sketches (all derived here).
  vb_upper. All verifiers that agree with n labels err with base probability <= L/n at once; a policy with density ratio
  <= 1/c sees that at most 1/c times as often; over- and underestimates live on disjoint events, so the factor is 1, not 2.
  The mean form integrates the tail.
  vb_upper_chi2. E_pi g <= sqrt(1 + kappa) sqrt(E_b g^2) for over- and underestimates apart, and sqrt P1 + sqrt P2 <=
  sqrt(2 (P1 + P2)).
  needle_vb. Given D distinct styles seen, the good one is among them with probability D/K, else guessed with 1/(K - D): the
  block is solved with probability min(D + 1, K)/K. Bayes optimal, hence a lower bound for every method on the same labels.
"""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np

from theory.verification import _arguments

__all__ = [
    "best_of_n",
    "needle_distinct",
    "needle_half",
    "needle_informative",
    "needle_missed",
    "needle_vb",
    "needle_vb_curve",
    "needle_vf",
    "needle_worst",
    "vb_upper",
    "vb_upper_chi2",
    "vb_upper_mean",
]


def _world(fn, H, d, p, K, n):
    """Raises: ValueError unless H, d, n are positive integers, K is one of at least 2, and d p <= 1."""
    _arguments.integers(fn, H=H, d=d, n=n)
    _arguments.integers(fn, at_least=2, K=K)
    _arguments.block_mass(fn, d, p)


def _concentrated(fn, c):
    """Whether c > 0; warns of c = 0 and raises outside [0, 1]."""
    _arguments.require(0 <= c <= 1, fn, f"c must lie in (0, 1], got {c}.")
    if c == 0:
        warnings.warn(f"{fn}: anti-concentration fails (c=0): bound is vacuous", RuntimeWarning, stacklevel=3)
    return c > 0


# --- bounds ------------------------------------------------------------------------------------------------------------


def vb_upper(H, c, logR, delta, n):
    """thm_vb_ub (derived): gap of VB-1 for the worst verifier that agrees with n labelled base rollouts.

    With probability >= 1 - delta, J(best top-c policy) - J(learner) <= (H/c) L/n, L = logR + ln(1/delta).

    Args:
      H: horizon, the largest reward. c: anti-concentration, in (0, 1]; 0 gives inf and a warning. logR: ln of the number of
      verifiers, the true one among them. delta: failure probability. n: labelled rollouts.
    Returns: float, in the unit of the reward. Raises: ValueError for arguments outside these ranges.
    """
    fn = "vb_upper"
    _arguments.integers(fn, H=H, n=n)
    _arguments.open_unit(fn, "delta", delta)
    _arguments.nonnegative(fn, "logR", logR)
    return H / c * (logR + math.log(1 / delta)) / n if _concentrated(fn, c) else math.inf


def vb_upper_mean(H, c, logR, n):
    """thm_vb_ub, mean form (derived): E[gap of VB-1] <= (H/c) (logR + 1)/n. Arguments and errors as `vb_upper`."""
    fn = "vb_upper_mean"
    _arguments.integers(fn, H=H, n=n)
    _arguments.nonnegative(fn, "logR", logR)
    return H / c * (logR + 1) / n if _concentrated(fn, c) else math.inf


def vb_upper_chi2(H, kappa, logR, delta, n):
    """thm_vb_ub_chi2 (derived): gap of VB-2 to the best policy of the chi-square ball of radius kappa, H sqrt(2 (1+kappa) L/n).

    With probability >= 1 - delta for the worst agreeing verifier; no anti-concentration needed.
    Args: kappa: >= 0, the rest as `vb_upper`. Returns: float. Raises: ValueError.
    """
    fn = "vb_upper_chi2"
    _arguments.integers(fn, H=H, n=n)
    _arguments.open_unit(fn, "delta", delta)
    _arguments.nonnegative(fn, "logR", logR)
    _arguments.nonnegative(fn, "kappa", kappa)
    return H * math.sqrt(2 * (1 + kappa) * (logR + math.log(1 / delta)) / n)


# --- exact means ---------------------------------------------------------------------------------------------------------


def _steps(p, K):
    """Endless forward recursion of the law of D, the number of distinct styles seen in one block: arrays [K + 1].

    a_D <- a_D (1 - p (K - D)/K) + a_{D-1} p (K - D + 1)/K. Inclusion-exclusion cancels catastrophically instead.
    """
    D = np.arange(K + 1)
    law = np.zeros(K + 1)
    law[0] = 1.0
    leave = p * (K - D) / K
    while True:
        yield law
        moved = law * leave
        law = law - moved
        law[1:] += moved[:-1]


@functools.cache
def _distinct(n, p, K):
    steps = _steps(p, K)
    for _ in range(n):
        next(steps)
    law = next(steps)
    law.setflags(write=False)
    return law


def needle_distinct(n, p, K):
    """Law of the number of distinct styles seen in one block after n base rollouts: float64 [K + 1], read-only.

    Args: n: rollouts, >= 1. p: block probability, in (0, 1]. K: styles, >= 2. Raises: ValueError.
    """
    fn = "needle_distinct"
    _arguments.integers(fn, n=n)
    _arguments.integers(fn, at_least=2, K=K)
    _arguments.block_mass(fn, 1, p)
    return _distinct(n, p, K)


def needle_vb(H, d, p, K, n):
    """Mean gap of the Bayes learner on n labelled rollouts: H d p (1 - E[min(D + 1, K)]/K).

    Args: H: horizon. d: rare blocks of probability p each, d p <= 1. K: styles. n: rollouts, >= 1.
    Returns: float, in the unit of the reward. Raises: ValueError for arguments outside these ranges.
    """
    _world("needle_vb", H, d, p, K, n)
    law = _distinct(n, p, K)
    return H * d * p * float(law @ (1 - np.minimum(np.arange(K + 1) + 1, K) / K))


def needle_vb_curve(H, d, p, K, n_max):
    """`needle_vb` at n = 0, 1, ..., n_max from one recursion: float64 [n_max + 1]. Arguments and errors as there."""
    _world("needle_vb_curve", H, d, p, K, n_max)
    missed = 1 - np.minimum(np.arange(K + 1) + 1, K) / K
    return H * d * p * np.array([float(law @ missed) for law, _ in zip(_steps(p, K), range(n_max + 1), strict=False)])


def needle_vf(H, d, p, K, n):
    """Mean gap of cloning n expert traces: H d p (1 - 1/K) (1 - p)^n. Arguments and errors as `needle_vb`."""
    _world("needle_vf", H, d, p, K, n)
    return H * d * p * (1 - 1 / K) * (1 - p) ** n


def needle_missed(n, p, K):
    """P[VB-1's worst verifier misses a block]: the good style unseen and fewer than K - 1 styles seen. As `needle_distinct`."""
    D = np.arange(K - 1)
    return float(needle_distinct(n, p, K)[: K - 1] @ ((K - D) / K))


def needle_informative(n, d, p, K):
    """Whether `vb_upper` at confidence .05 lies below the base policy's own gap H d p (1 - 1/K): n p (1 - 1/K) > K (ln K + 3/d).

    ln(1/.05) is 3.0. Where False, the bound is true and useless. Arguments and errors as `needle_vb`.
    """
    _world("needle_informative", 1, d, p, K, n)
    return n * p * (1 - 1 / K) > K * (math.log(K) + 3 / d)


def needle_worst(H, d, p, K, n):
    """Mean gap of VB-1 with the worst agreeing verifier: H d p `needle_missed`. Arguments and errors as `needle_vb`."""
    _world("needle_worst", H, d, p, K, n)
    return H * d * p * needle_missed(n, p, K)


def needle_half(d, K, learner="vb"):
    """reg_anti_fail (derived): the first n at which the mean gap is at most half its value at n = 0, blocks of p = 1/d.

    About d K ln 2 = d ln 2 / c labelled rollouts for the Bayes learner, d ln 2 expert traces whatever K for cloning.
    Args: d: blocks. K: styles. learner: "vb" or "vf". Returns: int. Raises: ValueError.
    """
    fn = "needle_half"
    _arguments.integers(fn, d=d)
    _arguments.integers(fn, at_least=2, K=K)
    _arguments.require(learner in ("vb", "vf"), fn, f"learner must be vb or vf, got {learner!r}.")
    if learner == "vf":
        return 1 if d == 1 else math.ceil(math.log(0.5) / math.log1p(-1 / d) - 1e-12)
    missed = 1 - np.minimum(np.arange(K + 1) + 1, K) / K
    half = 0.5 * missed[0]
    return next(n for n, law in enumerate(_steps(1 / d, K)) if float(law @ missed) <= half * (1 + 1e-12))


def best_of_n(c, n):
    """P[one of n independent traces is good] = 1 - (1 - c)^n, c the probability that one is.

    Args: c: in (0, 1]. n: traces, int or int array, >= 1. Returns: float64, the shape of n. Raises: ValueError.
    """
    _arguments.share("best_of_n", "c", c)
    return 1 - (1 - c) ** _arguments.integers("best_of_n", n=n)
