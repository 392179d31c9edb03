"""Thresholdout: Lemma 24 and Theorem 25."""

from __future__ import annotations

import numpy as np

from theory.adaptive import _arguments


def lem24_n0(budget, sigma, tau, beta):
    """Lemma 24, first sample size: max{2B/(sigma tau), ln(6/beta)/tau^2} (not rounded).

    Args: budget: B >= 1. sigma: noise rate > 0. tau, beta: in (0, 1). They broadcast.
    Returns: float64. Raises: ValueError.
    """
    b, sigma = _arguments.integers("lem24_n0", B=budget), _arguments.positive_noise("lem24_n0", sigma)
    tau, beta = _arguments.open_unit("lem24_n0", "tau", tau), _arguments.open_unit("lem24_n0", "beta", beta)
    return np.maximum(2 * b / (sigma * tau), np.log(6 / beta) / tau**2)


def lem24_n1(budget, sigma, tau, beta):
    """Lemma 24, second sample size, as printed: 80 sqrt(B ln(1/(tau beta))) / (tau sigma). As `lem24_n0`."""
    b, sigma = _arguments.integers("lem24_n1", B=budget), _arguments.positive_noise("lem24_n1", sigma)
    tau, beta = _arguments.open_unit("lem24_n1", "tau", tau), _arguments.open_unit("lem24_n1", "beta", beta)
    return 80 * np.sqrt(b * np.log(1 / (tau * beta))) / (tau * sigma)


def thm25_sigma(m, tau, beta):
    """Theorem 25: Thresholdout's noise rate sigma = tau / (96 ln(4m/beta)), in the unit of the answers.

    Args: m: number of queries, >= 1. tau, beta: in (0, 1). They broadcast. Returns: float64. Raises: ValueError.
    """
    m = _arguments.integers("thm25_sigma", m=m)
    tau, beta = _arguments.open_unit("thm25_sigma", "tau", tau), _arguments.open_unit("thm25_sigma", "beta", beta)
    return tau / (96 * np.log(4 * m / beta))


def thm25_threshold(tau):
    """Theorem 25: Thresholdout's threshold T = 3 tau / 4."""
    return 3 * _arguments.open_unit("thm25_threshold", "tau", tau) / 4


def thm25_sample_size(m, budget, tau, beta):
    """Theorem 25: holdout size for m queries of which `budget` may overfit.

    ceil min{n0, n1}(B, sigma, tau/8, beta/(2m)), with sigma = `thm25_sigma(m, tau, beta)`.

    Args: m >= 1, 1 <= budget <= m, tau and beta in (0, 1); they broadcast.
    Returns: int, or int64 array: points. Raises: ValueError.
    """
    m, b = _arguments.budget("thm25_sample_size", budget, m)
    sigma = thm25_sigma(m, tau, beta)
    inner = (b, sigma, np.asarray(tau) / 8, np.asarray(beta) / (2 * m))
    return _arguments.ceil(np.minimum(lem24_n0(*inner), lem24_n1(*inner)))
