"""The EDM sampler (Heun, and its Euler variant) on the closed-form denoiser of K = 1, in closed form."""

from __future__ import annotations

import itertools
import math

import numpy as np

from theory.molrg import _arguments

__all__ = ["in_subspace_error", "sigma_schedule"]


def sigma_schedule(steps=18, smin=0.002, smax=80.0, rho=7.0):
    """Noise levels [steps + 1]: (smax^{1/rho} + i/(steps-1) (smin^{1/rho} - smax^{1/rho}))^rho, then 0.

    Raises: ValueError unless steps >= 2, 0 < smin < smax and rho > 0.
    """
    fn = "sigma_schedule"
    steps = _arguments.integers(fn, steps=steps)
    _arguments.require(steps >= 2, fn, f"steps must be >= 2, got {steps}.")
    _arguments.require(rho > 0, fn, f"rho must be > 0, got {rho}.")
    _arguments.require(0 < smin < smax < np.inf, fn, f"needs 0 < smin < smax, got smin={smin}, smax={smax}.")
    first, last = smax ** (1 / rho), smin ** (1 / rho)
    return np.append((first + np.arange(steps) / (steps - 1) * (last - first)) ** rho, 0.0)


def in_subspace_error(steps, heun=True, smin=0.002, smax=80.0, rho=7.0):
    """K = 1: output inside the subspace over the exact map x_T/sqrt(1 + sigma_T^2), minus 1. Derived here.

    The slope there is x sigma/(1 + sigma^2), so every step multiplies x by a number; the last one, to 0, is Euler's.
    """
    levels = sigma_schedule(steps, smin, smax, rho)
    log_gain = 0.5 * math.log1p(levels[0] ** 2)
    for a, b in itertools.pairwise(levels):
        euler = 1 + (b - a) * a / (1 + a**2)
        step = 1 + 0.5 * (b - a) * (a / (1 + a**2) + euler * b / (1 + b**2)) if heun and b > 0 else euler
        log_gain += math.log(step)
    return math.expm1(log_gain)
