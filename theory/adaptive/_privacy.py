"""Pure differential privacy: transfer of events (Theorem 6), bias, and the algorithms that come closest to both."""

from __future__ import annotations

import itertools
import math

import numpy as np

from theory.adaptive import _arguments


def thm6_premise(n, beta):
    """Theorem 6's premise: the largest eps it allows, sqrt(ln(1/beta) / (2n)). Arguments as `thm6_bound`."""
    n, beta = _arguments.integers("thm6_premise", n=n), _arguments.open_unit("thm6_premise", "beta", beta)
    return np.sqrt(np.log(1 / beta) / (2 * n))


def thm6_bound(n, beta, eps):
    """Theorem 6 as printed: P[S in R(A(S))] <= 3 sqrt(beta) (A1, A2; constants explicit).

    For an eps-DP algorithm A whose output y names an event R(y) with P[S in R(y)] <= beta for every fixed y.

    Args:
      n: sample size, >= 1. beta: largest probability of a fixed event, in (0, 1). eps: privacy, >= 0. They broadcast.
    Returns: float64, a probability (may exceed 1: then vacuous); nan where eps exceeds `thm6_premise(n, beta)` by more
      than a relative 1e-12.
    Raises: ValueError for arguments outside these ranges.
    """
    eps = _arguments.nonnegative("thm6_bound", "eps", eps)
    allowed = thm6_premise(n, beta) * (1 + 1e-12)
    return np.where(eps <= allowed, 3 * np.sqrt(np.asarray(beta, dtype=np.float64)), np.nan)[()]


def thm6_sharp_bound(n, beta, eps):
    """Theorem 6 sharpened (derived, a neighbour of the printed one): no premise on eps (A1, A2).

    P[S in R(A(S))] <= exp(-(sqrt(ln(1/beta)) - eps sqrt(n/8))^2) while eps sqrt(n/8) <= sqrt(ln(1/beta)), else 1. On
    the edge of Theorem 6's premise this is beta^{9/16}. Arguments, errors as `thm6_bound`. Returns: float64, broadcast.
    """
    n, beta = _arguments.integers("thm6_sharp_bound", n=n), _arguments.open_unit("thm6_sharp_bound", "beta", beta)
    left = np.sqrt(np.log(1 / beta)) - _arguments.nonnegative("thm6_sharp_bound", "eps", eps) * np.sqrt(n / 8)
    return np.exp(-(np.maximum(left, 0.0) ** 2))


def rr_inclusion(p, eps):
    """RR-selection: the probability q = p e^eps / (1 - p + p e^eps) that a sample point is included.

    A has no input-dependent output but a set phi: X -> {0, 1}, phi(x) ~ Bern(q) independently on the sample, Bern(p)
    off it (P without atoms). The density ratio on neighbours is e^{eps (phi(x) - phi(x'))}: A is exactly eps-DP; and
    P[phi] = p, n E_S[phi] ~ Bin(n, q). Args: p in (0, 1), eps >= 0, broadcast. Returns: float64. Raises: ValueError.
    """
    p, eps = _arguments.open_unit("rr_inclusion", "p", p), _arguments.nonnegative("rr_inclusion", "eps", eps)
    return p / (p + (1 - p) * np.exp(-eps))  # written with e^{-eps}, which cannot overflow


def rr_tail(n, eps, tau, p=0.5):
    """P[gap >= tau] of RR-selection, P[Bin(n, q) >= ceil(n (p + tau) - 1e-9)], exact.

    Args: n >= 1, eps >= 0, tau in (0, 1), p in (0, 1); they broadcast. Returns: float64. Raises: ValueError.
    """
    from scipy import stats

    n, tau = _arguments.integers("rr_tail", n=n), _arguments.open_unit("rr_tail", "tau", tau)
    return stats.binom.sf(np.ceil(n * (p + tau) - 1e-9) - 1, n, rr_inclusion(p, eps))


def rr_event(n, beta, p=0.5):
    """The event "at least k sample points are selected": (k, its probability at a fixed output).

    k is the smallest count with P[Bin(n, p) >= k] <= beta; the probability attained is at most beta, and 0 (k = n + 1)
    when even p^n exceeds beta. Args: scalars, n >= 1, beta and p in (0, 1). Returns: (int, float). Raises: ValueError.
    """
    from scipy import stats

    n = int(_arguments.integers("rr_event", n=n))
    beta, p = float(_arguments.open_unit("rr_event", "beta", beta)), float(_arguments.open_unit("rr_event", "p", p))
    tails = stats.binom.sf(np.arange(-1, n), n, p)  # P[count >= k], k = 0..n
    k = int(np.count_nonzero(tails > beta * (1 + 1e-12)))
    return k, float(tails[k]) if k <= n else 0.0


def geometric_mechanism(n, eps):
    """The clamped two-sided geometric mechanism on the count c of ones among n points: eps-DP.

    a = e^{-eps}: Pr[y|c] = (1-a)/(1+a) a^{|c-y|} for 0 < y < n, a^c/(1+a) at y = 0, a^{n-c}/(1+a) at y = n.

    Args: n >= 1, eps > 0. Returns: float64 [n+1 (y), n+1 (c)], every column sums to 1. Raises: ValueError.
    """
    n, eps = (
        int(_arguments.integers("geometric_mechanism", n=n)),
        float(_arguments.nonnegative("geometric_mechanism", "eps", eps)),
    )
    count = np.arange(n + 1.0)
    table = np.tanh(eps / 2) * np.exp(-eps * np.abs(count[:, None] - count))  # (1-a)/(1+a) = tanh(eps/2)
    table[0] = np.exp(-eps * count) / (1 + math.exp(-eps))
    table[n] = np.exp(-eps * (n - count)) / (1 + math.exp(-eps))
    return table


def threshold_bit_mechanism(n, eps):
    """One bit about the count c: Pr[1|c] = 1/(1 + e^{-eps (c - n/2)}); eps-DP. As `geometric_mechanism`, [2, n+1]."""
    from scipy.special import expit

    n, eps = (
        int(_arguments.integers("threshold_bit_mechanism", n=n)),
        float(_arguments.nonnegative("threshold_bit_mechanism", "eps", eps)),
    )
    z = eps * (np.arange(n + 1.0) - n / 2)
    return np.stack([expit(-z), expit(z)])


def neyman_pearson_sup(mechanism, p_count, beta):
    """sup P[S in R(A(S))] over all choices of events with P[S in R(y)] <= beta, for one mechanism on the count.

    For each output y the best R(y) fills probability beta with the counts of largest Pr[y|count] (the last one
    fractionally: a randomised event, which the theorems cover).

    Args: mechanism: float64 [outputs, counts], Pr[y|count]. p_count: float64 [counts], the law of the count.
      beta: in (0, 1). Returns: float, a probability.
    """
    beta = float(_arguments.open_unit("neyman_pearson_sup", "beta", beta))
    order = np.argsort(-mechanism, axis=1, kind="stable")  # [y, rank]
    mass = np.asarray(p_count)[order]
    before = np.cumsum(mass, axis=1) - mass
    filled = np.clip(beta - before, 0.0, mass)
    return float(np.sum(filled * np.take_along_axis(mechanism, order, axis=1)))


def lp_sup(n, eps, set_size):
    """Largest P[S in R(A(S))] over ALL eps-DP algorithms, S uniform on {0,1}^n, events = sets of `set_size` samples.

    Variables A[S, R] = Pr[A(S) names R] >= 0, sum_R A[S, R] = 1, A[S, R] <= e^eps A[S', R] for neighbours; a fixed
    event has probability beta = set_size / 2^n. A linear program (HiGHS), under a second at n = 4, set_size = 2.

    Args: n: 1..4. eps >= 0. set_size: 1..2^n - 1, at most 2 for n = 4. Returns: float, accurate to about 1e-9.
    Raises: ValueError for arguments outside these ranges; RuntimeError if the solver fails.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, identity, kron

    n, set_size = (int(v) for v in _arguments.integers("lp_sup", n=n, set_size=set_size))
    eps = float(_arguments.nonnegative("lp_sup", "eps", eps))
    if n > 4 or set_size >= 2**n or (n == 4 and set_size > 2):
        raise ValueError(f"lp_sup: n <= 4 and set_size < 2^n (<= 2 at n = 4) are allowed, got {n=}, {set_size=}.")
    num = 2**n
    events = list(itertools.combinations(range(num), set_size))
    hit = np.zeros((num, len(events)))  # hit[S, R] = 1 if S in R
    for j, event in enumerate(events):
        hit[list(event), j] = 1
    pairs = [(a, a ^ (1 << bit)) for a in range(num) for bit in range(n)]
    ratio = csr_array(  # row (S, S'): A[S] - e^eps A[S']
        (np.tile([1.0, -math.exp(eps)], len(pairs)), (np.repeat(np.arange(len(pairs)), 2), np.ravel(pairs))),
        shape=(len(pairs), num),
    )
    each = identity(len(events))
    solution = linprog(
        -hit.ravel() / num,
        A_ub=kron(ratio, each, format="csr"),
        b_ub=np.zeros(len(pairs) * len(events)),
        A_eq=kron(identity(num), np.ones((1, len(events))), format="csr"),
        b_eq=np.ones(num),
        bounds=(0, 1),
        method="highs",
    )
    if solution.status != 0:
        raise RuntimeError(f"lp_sup: the solver stopped without an optimum: {solution.message}")
    return float(-solution.fun)


def bias_pure_bound(eps):
    """Largest bias of an eps-DP choice of a query: E[gap] <= tanh(eps/4) (derived; A1, A2), attained by RR-selection.

    The maximum of q - p over p is at p = 1/(1 + e^{eps/2}). Args: eps >= 0. Returns: float64. Raises: ValueError.
    """
    return np.tanh(_arguments.nonnegative("bias_pure_bound", "eps", eps) / 4)
