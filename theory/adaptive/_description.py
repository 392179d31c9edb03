"""Few possible outputs: Theorem 9 (description length) and Theorem 27 (validating sparsely), with exact counts.

Proof sketches of the derived items.
  Exact count of Theorem 27. The mechanism stops after B ones, so before query i the answers are a string of i-1 bits
  with at most B-1 ones: sum_{j <= min(i-1, B-1)} C(i-1, j) strings. Query i is a function of the string, and a union
  bound over the strings is attained by an adversary who cuts the sample space along them.
  Union on the all-zero path. A first "1" comes after nothing but zeros. The queries asked after nothing but zeros do not
  depend on the sample, so P[some 1 among the first i] <= sum_j beta_j over them: no count of strings at all.
"""

from __future__ import annotations

import math

import numpy as np

from theory.adaptive import _arguments

__all__ = [
    "sparse_validate_sup",
    "thm9_bound",
    "thm27_bound",
    "thm27_count",
    "thm27_count_exact",
    "thm27_union_bound",
    "union_sup",
]


def thm9_bound(num_outputs, beta):
    """Theorem 9: P[S in R(A(S))] <= |Y| beta if P[S in R(y)] <= beta for each of A's |Y| outputs (A1).

    Args: num_outputs: |Y| >= 1. beta: in [0, 1]. They broadcast. Returns: float64 (may exceed 1). Raises: ValueError.
    """
    return _arguments.integers("thm9_bound", num_outputs=num_outputs) * _probability("thm9_bound", "beta", beta)


def thm27_count(i, budget):
    """Theorem 27's ell_i as printed: sum_{j <= min(i-1, B)} C(i, j). Args: integers i, B >= 1. Returns: int."""
    i, b = (int(v) for v in _arguments.integers("thm27_count", i=i, B=budget))
    return sum(math.comb(i, j) for j in range(min(i - 1, b) + 1))


def thm27_count_exact(i, budget):
    """Answer strings possible before query i (derived): sum_{j <= min(i-1, B-1)} C(i-1, j). As `thm27_count`."""
    i, b = (int(v) for v in _arguments.integers("thm27_count_exact", i=i, B=budget))
    return sum(math.comb(i - 1, j) for j in range(min(i - 1, b - 1) + 1))


def thm27_bound(i, budget, beta):
    """Theorem 27: P[psi_i(S) = 1] <= ell_i beta_i if each query that may come i-th is 1 with probability <= beta_i (A1).

    Args: i: query number, >= 1. budget: B >= 1. beta: in [0, 1]. Returns: float (may exceed 1). Raises: ValueError.
    """
    return thm27_count(i, budget) * float(_probability("thm27_bound", "beta", beta))


def thm27_union_bound(betas):
    """P[some 1 among the first i queries] <= sum_j beta_j over the queries of the all-zero path (derived; A1).

    Args: betas: [i], each in [0, 1]. Returns: float (may exceed 1). Raises: ValueError.
    """
    return float(np.sum(_probability("thm27_union_bound", "beta", betas)))


def sparse_validate_sup(atoms, i, budget, hits):
    """Largest P[psi_i(S) = 1] that an adversary reaches, S uniform on `atoms` atoms, exact by dynamic programming.

    Queries 1..i-1 are any functions of S; query i may be any indicator of at most `hits` atoms. The state is (atoms
    that agree with the answers so far, queries left before the i-th, ones left before the mechanism stops); a query
    splits the atoms into those answered 1 and those answered 0. O(i B atoms^2).

    Args: integers; 1 <= atoms <= 2000, i >= 1, budget >= 1, 0 <= hits <= atoms. Returns: float, a probability.
    Raises: ValueError for arguments outside these ranges.
    """
    n, i, b = (int(v) for v in _arguments.integers("sparse_validate_sup", atoms=atoms, i=i, B=budget))
    if n > 2000 or not (isinstance(hits, int) and 0 <= hits <= n):
        raise ValueError(f"sparse_validate_sup: atoms <= 2000 and 0 <= hits <= atoms are allowed, got {atoms=}, {hits=}.")
    left = np.arange(n + 1)
    stopped = np.zeros(n + 1, dtype=np.int64)
    best = [stopped, *(np.minimum(left, hits) for _ in range(b))]  # [ones left][atoms]: atoms that query i hits
    for _ in range(i - 1):
        best = [stopped, *(_best_split(best[ones - 1], best[ones]) for ones in range(1, b + 1))]
    return float(best[b][n]) / n


def _best_split(one, zero):
    """max over c of one[c] + zero[a - c], for every number a of atoms. int64 [atoms+1]."""
    return np.array([np.max(one[: a + 1] + zero[a::-1]) for a in range(len(one))])


def union_sup(atoms, hits):
    """Largest P[some 1 among the first i queries] on the all-zero path, query j an indicator of at most hits[j] atoms.

    Dynamic programming over the atoms still answered with zeros only. Args: atoms: >= 1. hits: integers [i], each in
    0..atoms. Returns: float, a probability. Raises: ValueError.
    """
    n = int(_arguments.integers("union_sup", atoms=atoms))
    if not all(isinstance(h, int) and 0 <= h <= n for h in hits):
        raise ValueError(f"union_sup: hits must be integers in 0..{n}, got {hits}.")
    best = np.zeros(n + 1, dtype=np.int64)
    for h in reversed(hits):
        best = np.array([max(c + best[a - c] for c in range(min(a, h) + 1)) for a in range(n + 1)])
    return float(best[n]) / n


def _probability(fn, name, value):
    array = np.asarray(value, dtype=np.float64)
    if not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"{fn}: {name} must lie in [0, 1], got {_arguments.shown(array)}.")
    return array
