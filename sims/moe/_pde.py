"""The partial differential equations of u = exp(logit) N(y; a.x + b, nu), by automatic differentiation in float64."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import Case
from sims.moe import _density
from theory.moe import _activations, _arguments

__all__ = ["GateCell", "evaluate_pde", "residuals", "validate_gate"]

D = 3  # dimension of x
ACTS = tuple(_activations.ACTIVATIONS)
BROKEN = ("sigmoid", "tanh", "gelu", "silu", "softplus")


@dataclasses.dataclass(frozen=True)
class GateCell:
    """Where the gate bias stands: inside the temperature, or outside."""

    gate: str


def validate_gate(cell):
    """Raises: ValueError for an unknown gate."""
    _arguments.gate("moe.GateCell", cell.gate)


def _u(theta, x, y, act, inside, deviation):
    """theta: beta1 [3], beta0, tau, a [3], b, nu."""
    beta1, beta0, tau, a, b, nu = theta[:3], theta[3], theta[4], theta[5:8], theta[8], theta[9]
    gate = _density.Gate(ACTS, act, inside)
    z = gate.sigma(jnp.sum(beta1 * x)) / tau + beta0 * (inside / tau + 1 - inside)
    variance = deviation * nu * nu + (1 - deviation) * nu
    return jnp.exp(z - 0.5 * (y - jnp.sum(a * x) - b) ** 2 / variance) / jnp.sqrt(2 * np.pi * variance)


@functools.cache
def _derivatives():
    """u, its gradient [10] and the derivative [10] of du/db, at points: one program for every activation, gate and world."""

    def at(theta, x, y, act, inside, deviation):
        def of_b(t):
            return jax.grad(_u)(t, x, y, act, inside, deviation)

        value, gradient = jax.value_and_grad(_u)(theta, x, y, act, inside, deviation)
        _, second = jax.jvp(of_b, (theta,), (jnp.zeros_like(theta).at[8].set(1.0),))
        return value, gradient, second

    return jax.jit(jax.vmap(at, (0, 0, 0, None, None, None)))


def points(rng, count):
    """theta [count, 10], x [count, 3], y [count] as the spec draws them."""
    normal = rng.standard_normal((count, 8))
    tau, nu, x = rng.uniform(0.5, 2, count), rng.uniform(0.3, 2, count), rng.uniform(-1, 1, (count, D))
    theta = np.column_stack([normal[:, :3], normal[:, 3], tau, normal[:, 4:7], normal[:, 7], nu])
    return theta, x, rng.standard_normal(count)


def residuals(theta, x, y, act, gate, world=""):
    """Residuals over u at every point: (i) temperature [m], (ii) heat [m], (iii) gate-expert [m], and what (i) should be [m]."""
    inside, deviation = float(gate == "inside"), float(world == "deviation")
    with jax.enable_x64(True):
        numbers = _derivatives()(theta, x, y, np.int32(ACTS.index(act)), inside, deviation)
        u, g, second = (np.asarray(v) for v in numbers)
    beta1, beta0, tau = theta[:, :3], theta[:, 3], theta[:, 4]
    p = _activations.degree(act) or 1
    biased = inside if world != "other-gate" else 1 - inside
    pulled = (beta1 * g[:, :3]).sum(axis=1) / p + biased * beta0 * g[:, 3]
    first = g[:, 4] + (-1 if world == "sign" else 1) * pulled / tau
    heat = second[:, 8] - (1 if world == "half-heat" else 2) * g[:, 9]
    mixed = np.abs(second[:, :3] - g[:, 5:8] / (1 if world == "no-temperature" else tau[:, None])).max(axis=1)
    h = (beta1 * x).sum(axis=1)
    known = (h * _activations.derivative(act, h) / p - _activations.activation(act, h)) / tau**2
    return first / u, heat / u, mixed / u, known


HOLDS = {"temperature": tuple(_activations.DEGREES), "heat": ACTS, "gate-expert": ("linear",), "any": ACTS}


def evaluate_pde(cell, rng, which, world="", count=200):
    """The largest residual over u of one identity, a case an activation."""
    at = points(rng, count)
    cases = []
    for act in HOLDS[which]:
        first, heat, mixed, known = residuals(*at, act, cell.gate, world)
        residual = {"temperature": first, "heat": heat, "gate-expert": mixed, "any": first - known}[which]
        cases.append(Case(act, float(np.abs(residual).max())))
    return cases


def evaluate_broken(cell, rng, world="", count=200):
    """The largest residuals over u of (i) and (iii) where they should fail; world "linear": under the linear gate."""
    at = points(rng, count)
    cases = []
    for act in ("linear",) if world == "linear" else (*BROKEN, "relu"):
        first, _, mixed, _ = residuals(*at, act, cell.gate)
        if act != "relu":
            cases.append(Case(f"{act}, temperature", float(np.abs(first).max())))
        cases.append(Case(f"{act}, gate-expert", float(np.abs(mixed).max())))
    return cases
