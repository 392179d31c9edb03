r"""The mixture of experts: its parameters, its conditional density, the maps that leave the density as it is.

Atom i has gate slope beta1_i, gate bias beta0_i, expert slope a_i, expert bias b_i and expert VARIANCE nu_i; tau is shared.
    p(y | x) = sum_i softmax_i(z(x)) N(y; a_i . x + b_i, nu_i),
    z_i = (sigma(beta1_i . x) + beta0_i)/tau  (gate "inside"),   z_i = sigma(beta1_i . x)/tau + beta0_i  (gate "outside").
The two gates are the same family of laws: beta0 inside is beta0/tau outside.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from theory.moe import _activations, _arguments

__all__ = [
    "TA",
    "TL",
    "TL2",
    "TL4",
    "TRUTHS",
    "Mixture",
    "anchored",
    "antipodal_truth",
    "doubled",
    "free_parameters",
    "gate_logits",
    "gauge_scale",
    "gauge_tangent",
    "log_cond",
    "log_joint",
    "log_softmax",
    "mixture",
    "num_parameters",
    "reflected",
    "scaled",
    "split",
    "to_gate",
    "truth_warnings",
    "weights",
]


@dataclasses.dataclass(frozen=True)
class Mixture:
    """beta1, a: float64 [k, d]; beta0, b, nu: float64 [k]; tau: float. Made by `mixture`, which checks them."""

    beta1: np.ndarray
    beta0: np.ndarray
    tau: float
    a: np.ndarray
    b: np.ndarray
    nu: np.ndarray

    @property
    def k(self):
        return len(self.beta0)

    @property
    def d(self):
        return self.beta1.shape[1]


def mixture(beta1, beta0, tau, a, b, nu):
    """A checked Mixture. beta1 and a may be [k] for d = 1.

    Raises: ValueError for lengths that differ, numbers that are not finite, tau <= 0, a variance <= 0.
    """
    fn = "mixture"
    given = {"beta1": beta1, "beta0": beta0, "a": a, "b": b, "nu": nu}
    arrays = {name: _arguments.finite(fn, name, value) for name, value in given.items()}
    for name in ("beta1", "a"):
        if arrays[name].ndim == 1:
            arrays[name] = arrays[name][:, None]
    shapes = {name: array.shape for name, array in arrays.items()}
    k = arrays["beta0"].shape[0] if arrays["beta0"].ndim == 1 else 0
    ok = k >= 1 and all(arrays[n].shape == (k,) for n in ("b", "nu")) and arrays["beta1"].shape == arrays["a"].shape
    ok = ok and arrays["a"].ndim == 2 and arrays["a"].shape[0] == k and arrays["a"].shape[1] >= 1
    _arguments.require(ok, fn, f"beta1, beta0, a, b and nu must have one entry (or row) an atom, got shapes {shapes}.")
    _arguments.require(bool((arrays["nu"] > 0).all()), fn, f"variance must be positive, got nu={arrays['nu'].tolist()}.")
    tau = _arguments.positive(fn, "tau", tau, "temperature must be positive")
    return Mixture(tau=tau, **arrays)


TL = mixture((3, 0), (-0.5, 0), 1.5, (2, -1), (1, -1), (0.3, 0.5))  # linear gate, X ~ U(-1, 1), gate "inside"
# Ours, not the paper's: TL with more covariates, X ~ U(-1, 1)^d. TL's own entries stand first; the gate's and the two experts'
# slopes point three ways, so that no change of coordinates makes it one-dimensional.
TL2 = mixture(((3, -2), (0, 0)), (-0.5, 0), 1.5, ((2, 0.5), (-1, 0.5)), (1, -1), (0.3, 0.5))
TL4 = mixture(
    ((3, -2, 1, 0.5), (0, 0, 0, 0)), (-0.5, 0), 1.5, ((2, 0.5, -0.5, 0.25), (-1, 0.5, 0.5, -0.25)), (1, -1), (0.3, 0.5)
)  # fmt: skip
TA = mixture((0.36, 1.82), (0.22, 0), 0.15, (0.7, -0.7), (2, -2), (0.3, 0.5))  # gelu gate, X ~ U(-3, 3), gate "inside"


TRUTHS = {"TL": (TL, "linear"), "TL2": (TL2, "linear"), "TL4": (TL4, "linear"), "TA": (TA, "gelu")}  # and their activations


def antipodal_truth(beta1=(1.2, -1.2)):
    """The base truth of moe.antipodal and moe.reflect, X ~ U(-3, 3), gate "inside"."""
    return mixture(beta1, (0.22, 0), 0.25, (0.7, -0.7), (2, -2), (0.3, 0.5))


# --- density -------------------------------------------------------------------------------------------------


def gate_logits(G, x, act="linear", gate="inside"):
    """z, float64 [k, m], at covariates x [m, d]."""
    score = _activations.activation(act, G.beta1 @ np.asarray(x, dtype=np.float64).T)
    if _arguments.gate("gate_logits", gate) == "inside":
        return (score + G.beta0[:, None]) / G.tau
    return score / G.tau + G.beta0[:, None]


def log_softmax(z):
    """log of the softmax over atoms, [k, m]."""
    top = z.max(axis=0)
    return z - (top + np.log(np.exp(z - top).sum(axis=0)))


def log_joint(G, x, y, act="linear", gate="inside"):
    """log of gate times expert, float64 [k, m, ...], at x [m, d] and y [m, ...]."""
    x = np.asarray(x, dtype=np.float64)
    extra = (1,) * (np.ndim(y) - 1)
    log_gate = log_softmax(gate_logits(G, x, act, gate))
    mean = G.a @ x.T + G.b[:, None]
    nu = G.nu.reshape(-1, 1, *extra)
    rest = (np.asarray(y)[None] - mean.reshape(*mean.shape, *extra)) ** 2 / nu
    return log_gate.reshape(*log_gate.shape, *extra) - 0.5 * (rest + np.log(2 * np.pi * nu))


def log_cond(G, x, y, act="linear", gate="inside"):
    """log p(y | x), float64 like y, at x [m, d] (or [m] for d = 1) and y [m, ...]; logsumexp over atoms throughout.

    Raises: ValueError for an unknown activation or gate, for data that are not finite or do not fit.
    """
    x, y = _arguments.finite("log_cond", "x", x), _arguments.finite("log_cond", "y", y)
    x = x[:, None] if x.ndim == 1 else x
    ok = x.ndim == 2 and x.shape[1] == G.d and y.ndim >= 1 and y.shape[0] == x.shape[0]
    _arguments.require(ok, "log_cond", f"x must be [m, {G.d}] and y [m, ...], got shapes {x.shape} and {y.shape}.")
    joint = log_joint(G, x, y, act, gate)
    top = joint.max(axis=0)
    return top + np.log(np.exp(joint - top).sum(axis=0))


def weights(G, gate="inside"):
    """w_i = exp(intercept of z_i), float64 [k]."""
    return np.exp(G.beta0 / G.tau if _arguments.gate("weights", gate) == "inside" else G.beta0)


def num_parameters(act, k, d):
    """Free anchored parameters: (k-1)d + (k-1) + 1 + kd + 2k for the linear gate, d more for an activation."""
    return (k - 1 + (act != "linear")) * d + (k - 1) + 1 + k * d + 2 * k


def free_parameters(act, k, d=1):
    """Names of the anchored natural parameters in the order of `fisher`: beta1_1, .., beta0_1, .., tau, a_1, ...

    With d > 1 entry u of atom i is beta1_i_u.
    """

    def slopes(name, atoms):
        return [f"{name}_{i + 1}" if d == 1 else f"{name}_{i + 1}_{u + 1}" for i in range(atoms) for u in range(d)]

    return [
        *slopes("beta1", k - (act == "linear")), *(f"beta0_{i + 1}" for i in range(k - 1)), "tau",
        *slopes("a", k), *(f"b_{i + 1}" for i in range(k)), *(f"nu_{i + 1}" for i in range(k)),
    ]  # fmt: skip


# --- maps ------------------------------------------------------------------------------------------------------


def to_gate(G, gate):
    """The same law, G given with the bias inside, written with the bias where `gate` says."""
    return dataclasses.replace(G, beta0=G.beta0 / G.tau) if _arguments.gate("to_gate", gate) == "outside" else G


def anchored(G, act="linear", gate="inside"):
    """The same law with beta0_k = 0, and beta1_k = 0 for the linear gate: the softmax ignores a common affine shift."""
    _arguments.gate("anchored", gate)
    shift = G.beta1[-1] if act == "linear" else np.zeros(G.d)
    return dataclasses.replace(G, beta1=G.beta1 - shift, beta0=G.beta0 - G.beta0[-1])


def scaled(G, c, p, gate):
    """(c beta1, c^p beta0, c^p tau) inside, (c beta1, beta0, c^p tau) outside, whatever the activation."""
    bias = G.beta0 * c**p if _arguments.gate("scaled", gate) == "inside" else G.beta0
    return dataclasses.replace(G, beta1=c * G.beta1, beta0=bias, tau=c**p * G.tau)


def gauge_scale(G, c, act="linear", gate="inside"):
    """The point c of the ray through G: same law exactly, if sigma is homogeneous of degree p (explicit version, derived).

    Raises: ValueError if c <= 0 or sigma is not homogeneous.
    """
    c = _arguments.positive("gauge_scale", "c", c, "c must be finite and > 0")
    return scaled(G, c, _degree("gauge_scale", act), gate)


def _degree(fn, act):
    p = _activations.degree(act)
    _arguments.require(p is not None, fn, f"no scale gauge for activation {act}: it is not homogeneous.")
    return p


def gauge_tangent(G, act="linear", gate="inside", p=None):
    """Normalised tangent of the ray in anchored natural parameters, float64 [num_parameters]: (beta1, p beta0, p tau) inside,
    (beta1, 0, p tau) outside. p: the degree, by default sigma's own."""
    p = _degree("gauge_tangent", act) if p is None else p
    slopes = G.beta1[: G.k - (act == "linear")].ravel()
    bias = p * G.beta0[:-1] if _arguments.gate("gauge_tangent", gate) == "inside" else np.zeros(G.k - 1)
    tangent = np.concatenate([slopes, bias, [p * G.tau], np.zeros(G.k * G.d + 2 * G.k)])
    return tangent / np.linalg.norm(tangent)


def split(G, j, omega, d_beta1=0.0, d_a=0.0, d_b=0.0, d_nu=0.0, gate="inside"):
    """Atom j replaced by len(omega) atoms of weights omega_i w_j, moved by the increments; new atoms first.

    Args: omega: [m], positive, sums to 1. Increments: [m] or a number (d = 1), or [m, d].
    Raises: ValueError if omega is not such a vector, or a variance becomes <= 0.
    """
    omega = _arguments.finite("split", "omega", omega)
    ok = omega.ndim == 1 and bool((omega > 0).all()) and abs(omega.sum() - 1) < 1e-12
    _arguments.require(ok, "split", f"omega must be positive and sum to 1, got {omega.tolist()}.")
    m = len(omega)

    def vectors(v):
        v = np.asarray(v, dtype=np.float64)
        return np.broadcast_to(v[:, None] if v.ndim == 1 else v, (m, G.d))

    def numbers(v):
        return np.broadcast_to(np.asarray(v, dtype=np.float64), (m,))

    shift = np.log(omega) * (G.tau if _arguments.gate("split", gate) == "inside" else 1.0)
    rest = np.arange(G.k) != j
    new = {
        "beta1": G.beta1[j] + vectors(d_beta1), "beta0": G.beta0[j] + shift, "a": G.a[j] + vectors(d_a),
        "b": G.b[j] + numbers(d_b), "nu": G.nu[j] + numbers(d_nu),
    }  # fmt: skip
    return mixture(tau=G.tau, **{name: np.concatenate([v, getattr(G, name)[rest]]) for name, v in new.items()})


def doubled(G, v, gate="inside", atoms=None):
    """Atoms (default: all) at beta1_j + v and beta1_j - v with half the weight each, in place (explicit version, derived)."""
    out = G
    for j in sorted(range(G.k) if atoms is None else atoms):
        out = split(out, out.k - G.k + j, (0.5, 0.5), d_beta1=np.array([v, -v]), gate=gate)
    return out


def reflected(G):
    """(beta1_1, beta1_2) -> (-beta1_2, -beta1_1) of two atoms."""
    _arguments.require(G.k == 2, "reflected", f"the reflection exchanges the slopes of k=2 atoms, got k={G.k}.")
    return dataclasses.replace(G, beta1=-G.beta1[::-1])


def truth_warnings(G, act="linear", k=None):
    """What makes a truth unidentifiable or fragile, as sentences; k: atoms to be fitted, default G's own number."""
    k = G.k if k is None else k
    found = []
    experts = np.column_stack([G.a, G.b, G.nu])
    if len(np.unique(experts, axis=0)) < G.k:
        found.append("duplicate experts (a, b, nu) in the truth: their gate slopes are not identified separately")
    antipodal = G.k == 2 and np.allclose(G.beta1[0], -G.beta1[1]) and act in (*_activations.ODD, *_activations.SHIFTED_ODD)
    if antipodal and act in _activations.SHIFTED_ODD:
        found.append(f"antipodal gate slopes under {act}: the gate is exactly linear and the whole temperature ray is unidentifiable")
    elif antipodal:
        found.append(f"antipodal gate slopes under {act}: the Fisher information is singular (a fold; rate n^(-1/4) there)")
    elif G.k == 2 and act in _activations.ODD:
        found.append(f"{act} is odd up to a constant: the likelihood has two exact global maxima, reflected gate slopes")
    if act == "linear" and k >= 2 * G.k:
        found.append(f"linear gate with k={k} >= 2 k_star={2 * G.k}: doubling every atom leaves the law unchanged (moe.cosh)")
    return found
