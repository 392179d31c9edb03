"""Activations of the gate's linear score: sigma, its first two derivatives, and the degree of the homogeneous ones.

gelu is the exact form z Phi(z): its tanh approximation keeps sigma(z) - sigma(-z) = z but changes every constant.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from theory.moe import _arguments

__all__ = ["ACTIVATIONS", "DEGREES", "ODD", "SHIFTED_ODD", "activation", "degree", "derivative", "second_derivative"]

_LEAK = 0.1


def _phi(z):
    return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _mish_parts(z):
    s, t = special.expit(z), np.tanh(np.logaddexp(0, z))
    return s, t, 1 - t * t


def _mish_second(z):
    s, t, c = _mish_parts(z)
    return 2 * s * c + z * c * (s * (1 - s) - 2 * t * s * s)


def _sech2(z):
    return 1 - np.tanh(z) ** 2


def _bump(z):
    """sigmoid'."""
    return special.expit(z) * special.expit(-z)


def _tilt(z):
    """sigmoid''."""
    return _bump(z) * (special.expit(-z) - special.expit(z))


ACTIVATIONS = {  # name -> (sigma, sigma', sigma'')
    "linear": (lambda z: z, np.ones_like, np.zeros_like),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float), np.zeros_like),
    "leaky_relu": (lambda z: np.where(z > 0, z, _LEAK * z), lambda z: np.where(z > 0, 1.0, _LEAK), np.zeros_like),
    "square": (lambda z: z * z, lambda z: 2 * z, lambda z: np.full_like(z, 2.0)),
    "cube": (lambda z: z**3, lambda z: 3 * z * z, lambda z: 6 * z),
    "sigmoid": (special.expit, _bump, _tilt),
    "tanh": (np.tanh, _sech2, lambda z: -2 * np.tanh(z) * _sech2(z)),
    "gelu": (lambda z: z * special.ndtr(z), lambda z: special.ndtr(z) + z * _phi(z), lambda z: (2 - z * z) * _phi(z)),
    "silu": (lambda z: z * special.expit(z), lambda z: special.expit(z) + z * _bump(z), lambda z: 2 * _bump(z) + z * _tilt(z)),
    "softplus": (lambda z: np.logaddexp(0, z), special.expit, _bump),
    "sin": (np.sin, np.cos, lambda z: -np.sin(z)),
    "mish": (
        lambda z: z * np.tanh(np.logaddexp(0, z)),
        lambda z: _mish_parts(z)[1] + z * _mish_parts(z)[0] * _mish_parts(z)[2],
        _mish_second,
    ),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.exp(np.minimum(z, 0)),
        lambda z: np.where(z > 0, 0.0, np.exp(np.minimum(z, 0))),
    ),
}

DEGREES = {"linear": 1, "relu": 1, "leaky_relu": 1, "square": 2, "cube": 3}  # sigma(c z) = c^p sigma(z), c > 0
ODD = ("sigmoid", "tanh", "sin")  # sigma less a constant is odd
SHIFTED_ODD = ("gelu", "silu", "softplus")  # sigma(z) - sigma(-z) = z


def _of(fn, act):
    return ACTIVATIONS[_arguments.choice(fn, "activation", act, ACTIVATIONS)]


def activation(act, z):
    """sigma(z) of the activation called `act`, elementwise."""
    return _of("activation", act)[0](np.asarray(z, dtype=np.float64))


def derivative(act, z):
    """sigma'(z), elementwise."""
    return _of("derivative", act)[1](np.asarray(z, dtype=np.float64))


def second_derivative(act, z):
    """sigma''(z), elementwise; 0 at the kinks of relu, leaky_relu and elu."""
    return _of("second_derivative", act)[2](np.asarray(z, dtype=np.float64))


def degree(act):
    """p if sigma(c z) = c^p sigma(z) for every c > 0, else None."""
    _of("degree", act)
    return DEGREES.get(act)
