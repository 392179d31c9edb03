r"""Sharp constants of the exact-specified model, the resolution limit of two experts, n_bite, and the two-point bounds.

Every number here is an explicit version derived for this package, not a theorem of the paper.

Sharp constants. After the ray is quotiented out the exact-specified model is regular, so 2n KL -> chi^2_q, q = rank(I), and
E_X h^2 = KL/4 (1 + o(1)): n E h^2 -> q/8. A loss whose first-order part is a sum of absolute linear functionals of the
parameters has sqrt(n) E D -> sqrt(2/pi) times the sum of their standard deviations under N(0, I^+).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from scipy import optimize, special

from theory.moe import _activations, _arguments, _losses, _model, _quadrature

__all__ = [
    "CHECKED_ERROR",
    "Predicted",
    "conserved",
    "d1_constant",
    "hellinger_constant",
    "independence_sv",
    "kl_constant",
    "n_bite",
    "order_sequence",
    "predicted_constants",
    "predicted_sd",
    "resolution_eps",
    "root_constant",
    "sequence_of",
    "two_point_bound",
    "two_point_power",
]

CHECKED_ERROR = 0.1  # n_bite's relative error


# --- independence of the gate functions (moe.def1) -------------------------------------------------------------


def independence_sv(act, betas, order, lo, hi, nodes=200):
    """Smallest singular value of the gate functions {1, sigma(b x), x sigma'(b x)} (order 2: and {x^2 sigma'', x^2 sigma'^2,
    x sigma sigma', sigma^2}) over all slopes b, columns normalised in L^2(X), X ~ U(lo, hi), d = 1.

    0 to rounding iff they are linearly dependent. Form derived here; the condition is the paper's, qualitatively.
    Raises: ValueError for an unknown activation, another order, an empty range.
    """
    fn = "independence_sv"
    _arguments.require(order in (1, 2), fn, f"order must be 1 or 2, got {order}.")
    lo, hi = _arguments.span(fn, lo, hi)
    t, w = _quadrature.legendre(nodes)
    x = lo + 0.5 * (hi - lo) * (t + 1)
    columns = [np.ones_like(x)]
    for b in _arguments.finite(fn, "betas", betas).ravel():
        s, s1 = _activations.activation(act, b * x), _activations.derivative(act, b * x)
        columns += [s, x * s1]
        if order == 2:
            columns += [x * x * _activations.second_derivative(act, b * x), x * x * s1 * s1, x * s * s1, s * s]
    M = np.stack(columns, axis=1) * np.sqrt(0.5 * w)[:, None]
    norms = np.linalg.norm(M, axis=0)
    return float(np.linalg.svd(M / np.where(norms > 0, norms, 1.0), compute_uv=False)[-1])


# --- sharp constants --------------------------------------------------------------------------------------------


def hellinger_constant(act, k, d):
    """lim n E h^2 = rank(I)/8: all anchored parameters, less the ray where sigma is homogeneous."""
    _arguments.fits("hellinger_constant", k, 2)
    return (_model.num_parameters(act, k, d) - (_activations.degree(act) is not None)) / 8


def root_constant(q):
    """lim sqrt(n) E sqrt(E_X h^2) = E sqrt(chi^2_q/8) = Gamma((q+1)/2)/(2 Gamma(q/2))."""
    return 0.5 * math.exp(special.gammaln((q + 1) / 2) - special.gammaln(q / 2))


@dataclasses.dataclass(frozen=True)
class Predicted:
    """names: of the anchored parameters. sd: sqrt(n) sd of the maximum-likelihood estimate of each, inf where unidentified.

    rank, parameters: of the Fisher information, and how many parameters there are. h2: lim n E h^2. d1, d1_sd: lim sqrt(n)
    mean and sd of D1 (the quotient D1 for a homogeneous gate), nan for d > 1. eigenvalues: ascending.
    """

    names: tuple[str, ...]
    sd: np.ndarray
    eigenvalues: np.ndarray
    rank: int
    parameters: int
    h2: float
    d1: float
    d1_sd: float


def predicted_sd(info):
    """sqrt(diag(I^-1)), [p]; all inf if I is singular to rounding (its null vector involves the parameters asked for)."""
    lam, U = np.linalg.eigh(info)
    if lam[0] < _quadrature.SINGULAR * lam[-1]:
        free = lam > _quadrature.SINGULAR * lam[-1]
        lost = (np.abs(U[:, ~free]) > 1e-6).any(axis=1)
        with np.errstate(divide="ignore"):
            known = np.sqrt((U[:, free] ** 2 / lam[free]).sum(axis=1))
        return np.where(lost, np.inf, known)
    return np.sqrt((U**2 / lam).sum(axis=1))


def _functionals(G, act, gate):
    """Linear functionals of the anchored parameters whose weighted absolute values make D1 (quotient D1 if homogeneous):
    rows [.., p] already multiplied by their weights, and which part of the loss each belongs to. d = 1."""
    k, p = G.k, _model.num_parameters(act, G.k, 1)
    names = {name: i for i, name in enumerate(_model.free_parameters(act, k))}
    degree = _activations.degree(act)
    w, unit = _model.weights(G, gate), np.eye(p)
    tau = unit[names["tau"]] / G.tau  # relative error of the temperature

    def bias(i):  # d ln w_i
        if i == k - 1:
            return np.zeros(p)
        row = unit[names[f"beta0_{i + 1}"]]
        return row / G.tau - G.beta0[i] * tau / G.tau if gate == "inside" else row

    rows, parts = [], []
    for i in range(k):
        rows.append(w[i] * bias(i))
        parts.append("mass")
        slope = unit[names[f"beta1_{i + 1}"]] if f"beta1_{i + 1}" in names else np.zeros(p)
        if degree is not None:
            slope = slope - G.beta1[i, 0] * tau / degree
        else:
            rows.append(w[i] * G.tau * tau)
            parts.append("tau")
        for part, row in (("beta1", slope), *((q, unit[names[f"{q}_{i + 1}"]]) for q in ("a", "b", "nu"))):
            rows.append(w[i] * row)
            parts.append(part)
    return np.stack(rows), parts


def _sum_of_absolutes(covariance):
    """Mean and sd of sum |Z_i|, Z ~ N(0, covariance)."""
    s = np.sqrt(np.maximum(np.diag(covariance), 0))
    mean = math.sqrt(2 / math.pi) * s.sum()
    rho = np.clip(covariance / np.maximum(np.multiply.outer(s, s), 1e-300), -1, 1)
    second = (2 / math.pi) * np.multiply.outer(s, s) * (np.sqrt(1 - rho**2) + rho * np.arcsin(rho))
    return float(mean), float(math.sqrt(max(second.sum() - mean**2, 0.0)))


def d1_constant(G, quad, act="linear", gate="inside", parts=("mass", "tau", "beta1", "a", "b", "nu")):
    """(mean, sd) of lim sqrt(n) D1 of an exact-specified fit, or of the named parts of it; quotient D1 if sigma is homogeneous.

    Raises: ValueError for d > 1: the norms of vectors have no such closed form.
    """
    _arguments.require(G.d == 1, "d1_constant", f"d must be 1, got d={G.d}.")
    lam, U = np.linalg.eigh(_quadrature.fisher(G, quad, act, gate))
    free = lam > _quadrature.SINGULAR * lam[-1]
    rows, of = _functionals(G, act, gate)
    picked = np.array([part in parts for part in of])
    half = rows[picked] @ (U[:, free] / np.sqrt(lam[free]))
    return _sum_of_absolutes(half @ half.T)


def predicted_constants(G, quad, act="linear", gate="inside"):
    """Everything that the Fisher information predicts of the maximum-likelihood fit, as a Predicted. G must be anchored."""
    info = _quadrature.fisher(G, quad, act, gate)
    lam = _quadrature.eigenvalues(info)
    q = _quadrature.rank(info)
    mean, sd = d1_constant(G, quad, act, gate) if G.d == 1 else (math.nan, math.nan)
    return Predicted(tuple(_model.free_parameters(act, G.k, G.d)), predicted_sd(info), lam, q, len(lam), q / 8, mean, sd)


def n_bite(G, quad, act, gate="inside", error=CHECKED_ERROR):
    """Sample size at which every gate slope and the temperature have relative standard error `error`: max (sd/|theta|)^2/error^2.

    inf if the Fisher information is singular (smallest eigenvalue < 1e-13 of the largest) or a slope is 0.
    """
    error = _arguments.positive("n_bite", "error", error)
    info = _quadrature.fisher(G, quad, act, gate)
    lam = _quadrature.eigenvalues(info)
    if lam[0] < _quadrature.SINGULAR * lam[-1]:
        return math.inf
    sd, names = predicted_sd(info), _model.free_parameters(act, G.k, G.d)
    theta = np.append(G.beta1[: G.k - (act == "linear")].ravel(), G.tau)
    asked = [i for i, name in enumerate(names) if name.startswith("beta1") or name == "tau"]
    with np.errstate(divide="ignore"):
        return float(((sd[asked] / np.abs(theta)) ** 2).max() / error**2)


def conserved(G, quad, act, gate="inside", p=1):
    """E (s . t)^2, t the tangent of the degree-p ray (not normalised): 0 iff gradient flow conserves |beta1|^2 + p |tau|^2 (inside:
    + p |beta0|^2), by Euler's identity. Derived here."""
    tangent = _model.gauge_tangent(G, act, gate, p=p)
    return float(tangent @ _quadrature.fisher(G, quad, act, gate) @ tangent)


# --- lower bounds -----------------------------------------------------------------------------------------------


def two_point_bound(dtau, r):
    """moe.thm2c: max over two truths on one ray of E min(1, |tau_hat - tau|^r) >= min(1, 2^(1-r) dtau^r)/2, for every n.

    Proof. The laws are equal, so the two expectations are over the same tau_hat; with u, v its distances from the two truths,
    u + v >= dtau: if u or v is >= 1 then min(1, u^r) + min(1, v^r) >= 1, else u^r + v^r >= 2^(1-r) (u + v)^r. A maximum
    is at least half a sum.
    """
    dtau, r = _arguments.finite("two_point_bound", "dtau", dtau), _arguments.order("two_point_bound", r)
    _arguments.require(bool((dtau >= 0).all()), "two_point_bound", f"dtau must be >= 0, got {dtau}.")
    return np.minimum(1.0, 2 ** (1 - r) * dtau**r) / 2


SEQUENCES = {  # moe.rbar: increments at the first atom, as functions of eps and tau
    "two": lambda e, tau: ((0.5, 0.5), {"d_b": np.array([e, -e]), "d_nu": -e * e}),
    "three": lambda e, tau: ((1 / 6, 2 / 3, 1 / 6), {"d_b": np.array([e, 0, -e]) * math.sqrt(3), "d_nu": -e * e}),
    "bias": lambda e, tau: ((0.5, 0.5), {"d_b": np.array([e, -e])}),
    "slope": lambda e, tau: ((0.5, 0.5), {"d_a": np.array([e, -e])}),
    "gate": lambda e, tau: ((0.5, 0.5), {"d_beta1": np.array([e, -e])}),
    "mixed": lambda e, tau: (
        (0.5, 0.5),
        {"d_beta1": np.array([e, -e]) * e, "d_b": np.array([e, -e]), "d_a": -(e**3) / tau, "d_nu": -e * e},
    ),
    "unit-error": lambda e, tau: ((0.5, 0.5), {"d_b": np.array([e, -e]), "d_nu": -e}),
}


def sequence_of(G, name, eps, gate="inside"):
    """G_eps: the first atom of G split as SEQUENCES[name] says."""
    _arguments.choice("sequence_of", "sequence", name, SEQUENCES)
    omega, moves = SEQUENCES[name](_arguments.positive("sequence_of", "eps", eps), G.tau)
    return _model.split(G, 0, omega, gate=gate, **moves)


def order_sequence(name, act):
    """Order of h and V along the sequence, from the weighted Taylor expansion (explicit versions derived here)."""
    if name == "mixed":
        return 4 if act == "linear" else 3  # the gate-expert identity, which carries the odd term, needs the linear gate
    return {"two": _losses.rbar(2), "three": _losses.rbar(3), "bias": 2, "slope": 2, "gate": 2}[name]


def kl_constant(G, quad, act, eps, name="two"):
    """KL(G_eps || G)/eps^(2 order): tends to a constant as eps -> 0."""
    kl = _quadrature.distances(sequence_of(G, name, eps), G, quad, act).kl
    return kl / eps ** (2 * order_sequence(name, act))


def resolution_eps(G, n, quad, act="linear", name="two"):
    """eps_n with n KL(G_eps || G) = 1/2: two experts 2 eps_n apart are not told from one by any test with error below 1/4 a side.

    Raises: ValueError for n < 1, or n so small that the split leaves no variance.
    """
    n = _arguments.positive("resolution_eps", "n", n)
    top = 0.99 * math.sqrt(float(G.nu[0]))

    def excess(log_eps):
        return math.log(2 * n * _quadrature.distances(sequence_of(G, name, math.exp(log_eps)), G, quad, act).kl)

    low, high = math.log(0.02 * top), math.log(top)
    _arguments.require(excess(high) > 0, "resolution_eps", f"n={n:g} is too small: no split of variance {G.nu[0]:g} is seen at it.")
    while excess(low) > 0:
        low -= 1
    return float(math.exp(optimize.brentq(excess, low, high, xtol=1e-12)))


def two_point_power(nkl):
    """Any test of G* against G_eps on n points: power - level <= TV_n <= sqrt(n KL/2) (Pinsker)."""
    nkl = _arguments.finite("two_point_power", "nkl", nkl)
    return np.minimum(1.0, np.sqrt(nkl / 2))
