r"""Max-information: Theorems 13, 17, 19, 20 and Corollary 22, and the exact value for finite laws. All in nats.

I^beta(S; Y) is the smallest k with Pr[(S,Y) in O] <= e^k Pr[S x Y in O] + beta for every event O, S x Y the pair with
independent parts. With J the joint and Q the product law: sum (J - e^k Q)_+ <= beta.

Proof sketches of the derived items.
  Exact value. By the Neyman-Pearson lemma the worst event is {J > t Q} for some t, so e^k = max over such events R of
  (J(R) - beta)/Q(R): sort by J/Q, cumulate, take the largest. No root is sought.
  Theorem 19's supremum. Given y and all points but one, the posterior of that point is P tilted by a function with
  max <= e^eps min, so J/Q <= max_p (e^eps / (1 - p + p e^eps))^n = e^{eps n}, approached by RR-selection as p -> 0.
  Sharp Theorem 20. With g = ln J/Q, the argument of the sharp Theorem 6 gives E_J e^{(r-1) g} = E_Q e^{r g} <=
  exp(n r (r-1) eps^2/8). Markov: J(g > k) <= exp((r-1) (n r eps^2/8 - k)) = beta at the best r, where k =
  n eps^2/8 + eps sqrt(n ln(1/beta)/2); and sum (J - e^k Q)_+ <= J(g > k).
  Corollary 22's constant. Put beta = 2 e^{-x}, x = tau^2 n, eps = tau into Theorem 20 (k = x/2 + x/sqrt 2), and this
  into Theorem 13 with P[S in R(y)] <= e^{-2x}: `cor22_expression`. Divided by e^{-3x/4} it is
  e^{(1/sqrt 2 - 3/4) x} + 2 e^{-x/4}: decreasing, so it crosses 1 once, at `cor22_constant()` = 7.80. The constant is an
  artefact of this route: the sharp Corollary 7 gives e^{-9x/8} <= e^{-3x/4} for every x.
"""

from __future__ import annotations

import math

import numpy as np

from theory.adaptive import _arguments
from theory.adaptive._privacy import rr_inclusion

__all__ = [
    "cor22_bound",
    "cor22_constant",
    "cor22_expression",
    "max_information",
    "rare_outputs",
    "rr_count_laws",
    "rr_max_information",
    "rr_worst_event",
    "thm13_bound",
    "thm17_bound",
    "thm19_bound",
    "thm20_bound",
    "thm20_sharp_bound",
]


def max_information(log_joint, log_product, beta):
    """Exact beta-approximate max-information of a finite law, in nats: ln max_R (J(R) - beta)/Q(R).

    Works with logarithms throughout: e^k Q overflows where k exceeds 700.

    Args:
      log_joint, log_product: float64 [outcomes], ln J and ln Q; -inf for probability 0. beta: in [0, 1).
    Returns: float; inf if J puts more than beta where Q puts nothing. At least ln(1 - beta).
    Raises: ValueError if shapes differ or beta is outside [0, 1).
    """
    log_j, log_q = np.asarray(log_joint, dtype=np.float64), np.asarray(log_product, dtype=np.float64)
    if log_j.ndim != 1 or log_j.shape != log_q.shape:
        raise ValueError(f"max_information: laws must be one-dimensional and alike, got shapes {log_j.shape} and {log_q.shape}.")
    if not 0 <= beta < 1:
        raise ValueError(f"max_information: beta must lie in [0, 1), got {beta}.")
    seen = log_j > -np.inf
    order = np.argsort(-(log_j[seen] - log_q[seen]), kind="stable")
    joint = np.logaddexp.accumulate(log_j[seen][order])
    product = np.logaddexp.accumulate(log_q[seen][order])
    log_beta = math.log(beta) if beta > 0 else -math.inf
    reach = joint > log_beta
    return float(np.max(joint[reach] + np.log1p(-np.exp(log_beta - joint[reach])) - product[reach]))


def rr_count_laws(n, eps, p=0.5):
    """ln J and ln Q of RR-selection: the law of the count of selected points if Y is made from S, and if not.

    Bin(n, q) and Bin(n, p), q = `rr_inclusion(p, eps)`. The density ratio depends on (S, Y) through the count alone, so
    the max-information of these two laws is that of (S, Y).

    Args: scalars; n >= 1, eps >= 0, p in (0, 1). Returns: float64 [n+1], [n+1]. Raises: ValueError.
    """
    from scipy import stats

    n, q = int(_arguments.integers("rr_count_laws", n=n)), float(rr_inclusion(p, eps))
    count = np.arange(n + 1)
    return stats.binom.logpmf(count, n, q), stats.binom.logpmf(count, n, p)


def rr_max_information(n, eps, beta, p=0.5):
    """Exact I^beta of RR-selection, in nats. Arguments and errors as `rr_count_laws` and `max_information`."""
    if beta == 0:  # the largest ratio, at count n: in closed form, as p^n leaves float64
        q = float(rr_inclusion(p, eps))
        return int(_arguments.integers("rr_max_information", n=n)) * math.log(q / p)
    return max_information(*rr_count_laws(n, eps, p), beta)


def rr_worst_event(n, eps, beta, p=0.5):
    """The event {J > e^k Q} at k = I^beta of RR-selection: at least j points selected, and its probability under Q.

    Arguments and errors as `rr_max_information`. Returns: (int j, float P[Bin(n, p) >= j]).
    """
    from scipy import stats

    log_j, log_q = rr_count_laws(n, eps, p)
    j = int(np.argmax(log_j - log_q > rr_max_information(n, eps, beta, p)))  # the ratio grows with the count
    return j, float(stats.binom.sf(j - 1, n, p))


def rare_outputs(num_outputs, beta):
    """ln J and ln Q of a deterministic Y = f(S) with r = |Y| - 1 rare values of probability 2 beta/r each.

    Outcomes are the pairs (value of f(S), Y) on the diagonal and one for everything off it, where J is 0. The exact
    max-information is ln(r/(4 beta)): Theorem 17 is met within ln 4 + ln(|Y|/r).

    Args: num_outputs: |Y| >= 4. beta: in (0, 1/4). Returns: float64 [|Y|+1], [|Y|+1]. Raises: ValueError.
    """
    size, beta = int(_arguments.integers("rare_outputs", num_outputs=num_outputs)), float(beta)
    if size < 4:
        raise ValueError(f"rare_outputs: num_outputs must be >= 4, got {num_outputs}.")
    if not 0 < beta < 0.25:
        raise ValueError(f"rare_outputs: beta must lie in (0, 1/4), got {beta}.")
    p_output = np.append(np.full(size - 1, 2 * beta / (size - 1)), 1 - 2 * beta)
    off = 1 - np.sum(p_output**2)
    return np.append(np.log(p_output), -np.inf), np.append(2 * np.log(p_output), math.log(off))


def thm13_bound(max_info, p_event, beta):
    """Theorem 13: P[S in R(Y)] <= e^k max_y P[S in R(y)] + beta for k = I^beta(S; Y) (A1).

    Args: max_info: k, nats. p_event: max_y P[S in R(y)], in [0, 1]. beta: in [0, 1). Returns: float64. Raises: ValueError.
    """
    p_event, beta = np.asarray(p_event, dtype=np.float64), np.asarray(beta, dtype=np.float64)
    if not np.all((p_event >= 0) & (p_event <= 1)):
        raise ValueError(f"thm13_bound: p_event must lie in [0, 1], got {_arguments.shown(p_event)}.")
    if not np.all((beta >= 0) & (beta < 1)):
        raise ValueError(f"thm13_bound: beta must lie in [0, 1), got {_arguments.shown(beta)}.")
    with np.errstate(divide="ignore"):
        return np.exp(np.asarray(max_info) + np.log(p_event)) + beta


def thm17_bound(num_outputs, beta):
    """Theorem 17: I^beta(S; A(S)) <= ln(|Y|/beta) for any A with |Y| outputs, in nats (A1).

    Args: num_outputs: |Y| >= 1. beta: in (0, 1). They broadcast. Returns: float64. Raises: ValueError.
    """
    size = _arguments.integers("thm17_bound", num_outputs=num_outputs)
    return np.log(size / _arguments.open_unit("thm17_bound", "beta", beta))


def thm19_bound(n, eps):
    """Theorem 19: I^0(S; A(S)) <= eps n for an eps-DP A, in nats, whatever the law of S.

    Args: n >= 1, eps >= 0, broadcast. Returns: float64. Raises: ValueError.
    """
    return _arguments.integers("thm19_bound", n=n) * _arguments.nonnegative("thm19_bound", "eps", eps)


def thm20_bound(n, eps, beta):
    """Theorem 20: I^beta(S; A(S)) <= eps^2 n/2 + eps sqrt(n ln(2/beta)/2) for an eps-DP A, in nats (A1, A2).

    Args: n >= 1, eps >= 0, beta in (0, 1), broadcast. Returns: float64. Raises: ValueError.
    """
    n, eps = _arguments.integers("thm20_bound", n=n), _arguments.nonnegative("thm20_bound", "eps", eps)
    return eps**2 * n / 2 + eps * np.sqrt(n * np.log(2 / _arguments.open_unit("thm20_bound", "beta", beta)) / 2)


def thm20_sharp_bound(n, eps, beta):
    """Theorem 20 sharpened (derived): I^beta <= eps^2 n/8 + eps sqrt(n ln(1/beta)/2). As `thm20_bound`."""
    n, eps = _arguments.integers("thm20_sharp_bound", n=n), _arguments.nonnegative("thm20_sharp_bound", "eps", eps)
    return eps**2 * n / 8 + eps * np.sqrt(n * np.log(1 / _arguments.open_unit("thm20_sharp_bound", "beta", beta)) / 2)


def cor22_bound(n, tau):
    """Corollary 22: P[gap >= tau] <= e^{-3 tau^2 n/4} for eps <= tau, once tau^2 n is above a constant (A1, A2).

    The constant is not printed; `cor22_constant` is what the companion's own route needs. One-sided.

    Args: n >= 1, tau in (0, 1), broadcast. Returns: float64, a probability. Raises: ValueError.
    """
    n, tau = _arguments.integers("cor22_bound", n=n), _arguments.open_unit("cor22_bound", "tau", tau)
    return np.exp(-0.75 * tau**2 * n)


def cor22_expression(x):
    """What Theorem 20 inside Theorem 13 gives for P[gap >= tau] at x = tau^2 n (derived; eps = tau).

    e^{(1/2 + 1/sqrt 2 - 2) x} + 2 e^{-x}. Args: x >= 0. Returns: float64. Raises: ValueError.
    """
    x = _arguments.nonnegative("cor22_expression", "x", x)
    return np.exp((math.sqrt(0.5) - 1.5) * x) + 2 * np.exp(-x)


def cor22_constant():
    """The smallest x0 with cor22_expression(x) <= e^{-3x/4} for every x >= x0 (derived): 7.80192. float."""
    from scipy.optimize import brentq

    return float(brentq(lambda x: math.log(cor22_expression(x)) + 0.75 * x, 1.0, 20.0, xtol=1e-13))
