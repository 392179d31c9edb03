"""Subspace clustering: how many optima there are, and what their subspaces must differ by (Theorem 4)."""

from __future__ import annotations

import itertools
import math

import numpy as np

from theory.molrg import _arguments, _subspaces

__all__ = ["best_match", "errors_between", "num_optimal_partitions"]


def num_optimal_partitions(d, counts):
    r"""Partitions of noiseless samples that maximise the SC energy, all N_k >= d, generic subspaces, n > d. Derived here.

    (m d)!/((d!)^m m!) with m = #{k: N_k = d}: unique iff m <= 1 or d = 1. Proof. The energy is maximal iff every group
    has rank <= d; a group of more than d points must be pure. With p such groups, of the |L| clusters with N_k > d, the other K - p
    groups hold at most (K - p) d points but must hold (K - |L|) d at least: p = |L| = K - m, and the m d samples of
    clusters of exact size are left, to be split into d-sets at will. Noise changes nothing: any d points span a d-space.

    Raises: ValueError if some N_k < d.
    """
    fn = "num_optimal_partitions"
    d = _arguments.integers(fn, d=d)
    counts = [_arguments.integers(fn, N=N) for N in counts]
    _arguments.require(min(counts) >= d, fn, f"upper bound needs N >= d, got N_k={min(counts)}, d={d}.")
    m = counts.count(d)
    return math.factorial(m * d) // (math.factorial(d) ** m * math.factorial(m))


def best_match(errors):
    """Least over permutations of the largest err: errors [K, K], err of learned i against true j. Hungarian above K = 6.

    Returns: (that error, permutation [K]: learned index of each true one).
    """
    errors = _arguments.finite("best_match", "errors", errors, 2)
    K = len(errors)
    if K <= 6:
        found = min(itertools.permutations(range(K)), key=lambda p: max(errors[i, j] for j, i in enumerate(p)))
        return float(max(errors[i, j] for j, i in enumerate(found))), np.array(found)
    from scipy.optimize import linear_sum_assignment

    for level in np.unique(errors):  # the smallest level at which a perfect matching exists
        rows, columns = linear_sum_assignment((errors > level).T)
        if not np.any(errors[columns, rows] > level):
            return float(level), columns
    raise AssertionError("at the largest level every matching is allowed")


def errors_between(found, truth):
    """err of every pair of bases: float64 [K, K], learned by true."""
    return np.array([[_subspaces.subspace_error(U, V) for V in truth] for U in found])
