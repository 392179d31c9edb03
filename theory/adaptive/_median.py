r"""The Median mechanism: Lemma 37 and Theorem 34 of the companion, and what its rounding needs.

Setting. Candidates are all data sets of t = ceil(log2 m / alpha^2) elements of X. For every query the mechanism takes the
weighted median of the surviving candidates' means; where it lies within 2 alpha of the sample mean it is the answer
(the answer is public), else the sample mean, rounded to a grid of width alpha, is the answer (the answer is taken from
the sample), and only candidates whose mean lies within a tolerance of it survive. log is base 2, ln natural.

Printed (version of September 2015): the sample mean is rounded down, the tolerance is 2 alpha. Repaired (derived here):
it is rounded to the nearest multiple of alpha, the tolerance is 1.5 alpha.

Proof sketch of the repair. The rounding error is at most alpha/2. t draws from the sample form a data set whose mean is
within alpha of the sample's for each of m queries, with positive probability; its means are within 1.5 alpha of every
rounded answer, so it survives. The median is more than 2 alpha from the sample mean when an answer is taken from the sample,
hence more than 2 alpha - alpha/2 = 1.5 alpha from the answer: it goes, and with it everything on its far side, at least
half the surviving weight. So at most log2(|X|^t) = t log|X| answers are taken from the sample. Rounded down, an answer
may lie alpha below the sample mean, and a median between 2 alpha and 3 alpha below the mean is within 2 alpha of the
answer: it survives, nothing is halved, and the same query can be taken from the sample for ever. Theorem 34's sample size
covers the repair: one more grid value is absorbed by C(m, u) <= m^u / u!.
"""

from __future__ import annotations

import numpy as np

from theory.adaptive import _arguments

__all__ = ["lem37_update_bound", "median_alpha", "median_dataset_size", "thm34_sample_size"]


def median_alpha(tau):
    """The Median mechanism's accuracy on the sample for error tau on the distribution: alpha = tau / 3."""
    return _arguments.open_unit("median_alpha", "tau", tau) / 3


def median_dataset_size(m, alpha):
    """Elements of a candidate data set: t = ceil(log2 m / alpha^2).

    Args: m: queries, >= 2. alpha: in (0, 1). They broadcast. Returns: int, or int64 array. Raises: ValueError.
    """
    return _arguments.ceil(_log2_queries("median_dataset_size", m) / _arguments.open_unit("median_dataset_size", "alpha", alpha) ** 2)


def lem37_update_bound(m, alpha, universe=2):
    """Lemma 37: at most log|X| log m / alpha^2 of m answers are taken from the sample. Constants explicit.

    Holds for the repaired rounding (derived here), not for the printed one.

    Args: m: queries, >= 2. alpha: in (0, 1). universe: |X| >= 2. They broadcast.
    Returns: float64, not rounded. Raises: ValueError.
    """
    fn = "lem37_update_bound"
    size = _arguments.integers(fn, universe=universe)
    return np.log2(size) * _log2_queries(fn, m) / _arguments.open_unit(fn, "alpha", alpha) ** 2


def thm34_sample_size(m, tau, beta, log2_universe=1):
    """Theorem 34: points for m adaptive queries answered within tau, but for a probability beta, by the Median mechanism.

    81 log|X| log m ln(3m/tau) / (2 tau^4) + 9 ln(2m/beta) / (2 tau^2). Constants explicit.

    Args: m: queries, >= 2. tau, beta: in (0, 1). log2_universe: log2 |X| > 0. They broadcast.
    Returns: float64, not rounded. Raises: ValueError.
    """
    fn = "thm34_sample_size"
    log_m, m = _log2_queries(fn, m), np.asarray(m, dtype=np.float64)
    tau, beta = _arguments.open_unit(fn, "tau", tau), _arguments.open_unit(fn, "beta", beta)
    bits = _arguments.nonnegative(fn, "log2_universe", log2_universe)
    return 81 * bits * log_m * np.log(3 * m / tau) / (2 * tau**4) + 9 * np.log(2 * m / beta) / (2 * tau**2)


def _log2_queries(fn, m):
    return np.log2(_arguments.integers(fn, m=m))
