"""Confidence limits for means with a known end of the range: fixed-stake capital, valid at every look.

A ticket costs m - a and pays x - a >= 0. If the mean is at most m, betting a fixed share c of one's capital on every
ticket makes a nonnegative supermartingale; so does a weighted mean over shares. By Ville's inequality it ever reaches
2/alpha with probability at most alpha/2. The price m at which it has just reached 2/alpha is the lower limit; the
mirror image, which needs only the upper end of the range, gives the upper limit.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["NUM_STAKES", "STAKES", "WEIGHTS", "distinct", "log_capital", "log_capital_path", "price_limit"]

NUM_STAKES = 32
STAKES = 2.0 ** (-np.arange(NUM_STAKES) / 2)  # [32], from 1 down to 2.2e-5
WEIGHTS = 1 / np.arange(1, NUM_STAKES + 1)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
_LOG_WEIGHTS = np.log(WEIGHTS)
_ROWS = 16_384  # rows of gains held at a time


def _gains(payoff: np.ndarray, price: float) -> np.ndarray:
    """ln of a stake's growth on every ticket: [len(payoff), 32]; -inf where stake 1 meets a payoff of zero."""
    ratio = payoff[:, None] / price
    with np.errstate(divide="ignore"):
        return np.log((1 - STAKES) + STAKES * ratio)


def _mixture(log_capital_by_stake: np.ndarray) -> np.ndarray:
    """ln of the weighted mean over the last axis, the stakes."""
    logs = log_capital_by_stake + _LOG_WEIGHTS
    top = logs.max(axis=-1)
    return top + np.log(np.exp(logs - top[..., None]).sum(axis=-1))


def _check_price(fn: str, price: float) -> None:
    if not price >= 0:
        raise ValueError(f"{fn}: price must be >= 0, got {price}.")


def log_capital_path(payoff: np.ndarray, price: float) -> np.ndarray:
    """ln of the capital after every ticket, [n] float64, from n payoffs >= 0 at one price >= 0.

    A free ticket (price 0) that pays makes the capital +inf from there on; one that pays nothing changes nothing.
    """
    _check_price("log_capital_path", price)
    payoff = np.asarray(payoff, dtype=float)
    if price == 0:
        return np.where(np.maximum.accumulate(payoff > 0), np.inf, 0.0) if payoff.size else np.empty(0)
    path = np.empty(payoff.size)
    carried = np.zeros(NUM_STAKES)
    for start in range(0, payoff.size, _ROWS):
        sums = np.cumsum(_gains(payoff[start : start + _ROWS], price), axis=0) + carried
        carried = sums[-1]
        path[start : start + _ROWS] = _mixture(sums)
    return path


def log_capital(values: np.ndarray, counts: np.ndarray, price: float) -> float:
    """ln of the capital after `counts` tickets of each payoff in `values` (>= 0), in any order, at one price >= 0."""
    _check_price("log_capital", price)
    values, counts = np.asarray(values, dtype=float), np.asarray(counts)
    values, counts = values[counts > 0], counts[counts > 0]  # 0 * (-inf) is nan
    if price == 0:
        return math.inf if (values > 0).any() else 0.0
    if not values.size:
        return 0.0
    total = np.zeros(NUM_STAKES)
    for start in range(0, values.size, _ROWS):
        total += (counts[start : start + _ROWS, None] * _gains(values[start : start + _ROWS], price)).sum(axis=0)
    return float(_mixture(total))


def distinct(payoff: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Payoffs with how often each occurs: capital does not depend on their order."""
    return np.unique(payoff, return_counts=True)


def price_limit(payoff: np.ndarray, q: float) -> float:
    """The largest price at which tickets with these payoffs (>= 0) have made the capital reach exp(q), q = ln(2/alpha).

    0 if there is none. The capital falls as the price rises and is at most 1 at the mean payoff, so the limit lies below it.
    """
    from scipy.optimize import brentq

    payoff = np.asarray(payoff, dtype=float)
    if not (payoff > 0).any():
        return 0.0
    values, counts = distinct(payoff)

    def excess(log_price: float) -> float:
        return log_capital(values, counts, math.exp(log_price)) - q

    high = math.log(payoff.mean())
    low = high - 8
    while excess(low) < 0:
        high, low = low, low - 8
        if low < -700:
            return 0.0
    return math.exp(brentq(excess, low, high, xtol=1e-13, rtol=8.9e-16))
