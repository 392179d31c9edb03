"""Leaderboards: the Ladder's error bound (recalled) and what boosting random submissions does to a plain board."""

from __future__ import annotations

import math

import numpy as np

from theory.adaptive import _arguments

__all__ = ["board_loss", "ladder_bound", "ladder_step"]


def ladder_bound(n, k, beta):
    """Error of the Ladder's reports at failure probability beta (Blum and Hardt 2015, as recalled).

    From P[error > e + eta] <= exp(-2 e^2 n + (1/eta + 2) ln(4k/eta) + 1): the least over eta in [1e-3, 1] of
    eta + sqrt(((1/eta + 2) ln(4k/eta) + 1 + ln(1/beta)) / (2n)).

    Args: n: points behind the board, >= 1. k: submissions, >= 1. beta in (0, 1). Scalars. Returns: float. Raises: ValueError.
    """
    from scipy.optimize import minimize_scalar

    fn = "ladder_bound"
    n, k = (float(v) for v in _arguments.integers(fn, n=n, k=k))
    beta = float(_arguments.open_unit(fn, "beta", beta))

    def error(log_eta):
        eta = np.exp(log_eta)
        return eta + np.sqrt(((1 / eta + 2) * np.log(4 * k / eta) + 1 + math.log(1 / beta)) / (2 * n))

    grid = np.linspace(math.log(1e-3), 0.0, 400)
    i = int(np.argmin(error(grid)))
    around = (grid[max(0, i - 1)], grid[min(len(grid) - 1, i + 1)])
    best = minimize_scalar(error, bounds=around, method="bounded", options={"xatol": 1e-10})
    return float(min(best.fun, error(grid[i])))


def ladder_step(n, k):
    """The step of the fixed-step Ladder: (ln(k n) / n)^{1/3}. As `ladder_bound`; float64, broadcast."""
    n, k = _arguments.integers("ladder_step", n=n, k=k)
    return np.cbrt(np.log(k * n) / n)


def board_loss(n, k):
    """Loss that a board with many decimals reports for the majority of its better half of k random label vectors.

    1 - Phi(sqrt(k / (pi n))), large-n form: the sign analyst's gap at k/2 queries (derived). The truth is 1/2.

    Args: n, k >= 1; they broadcast. Returns: float64. Raises: ValueError.
    """
    from scipy.special import ndtr

    n, k = _arguments.integers("board_loss", n=n, k=k)
    return ndtr(-np.sqrt(k / (np.pi * n)))
