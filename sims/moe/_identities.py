"""Deterministic checks on the law itself: rays, doubled atoms, reflections, Fisher null spaces, splitting sequences."""

from __future__ import annotations

import dataclasses

import numpy as np

from sims._experiment import Case
from sims.moe import _reference
from theory.moe import _activations, _constants, _losses, _model, _quadrature
from theory.moe._model import TA, TL
from theory.moe._quadrature import QA, QL

__all__ = [
    "SIX", "evaluate_antipodal", "evaluate_antipodal_ray", "evaluate_band", "evaluate_conserved", "evaluate_cosh", "evaluate_cosh_loss",
    "evaluate_def1", "evaluate_fold", "evaluate_inverse", "evaluate_limits", "evaluate_no_ray", "evaluate_null", "evaluate_null_vector",
    "evaluate_orders", "evaluate_paths", "evaluate_profiles", "evaluate_rank", "evaluate_ray", "evaluate_reflection",
    "evaluate_resolution", "evaluate_second", "evaluate_spectra", "evaluate_survivors", "evaluate_tangent", "evaluate_third",
    "evaluate_thm2",
]  # fmt: skip

HOMOGENEOUS = ("linear", "relu", "leaky_relu")
SIX = (*_activations.ODD, *_activations.SHIFTED_ODD)
BASE_SLOPES = (1.2, -0.7)
WIDE = _quadrature.quadrature(-3, 3, 64, -16, 16, 801)  # for the base truth of moe.antipodal
EPS = (0.2, 0.15, 0.1, 0.07)
OTHER = {"inside": "outside", "outside": "inside"}


def _slope(x, y):
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


# --- moe.gauge -------------------------------------------------------------------------------------------------


def evaluate_ray(cell, rng, world=""):
    """E_X h and E_X V between TL's numbers and their copy on the ray; world "other-gate": on the other placement's ray."""
    G = _model.to_gate(TL, cell.gate)
    cases = []
    for act, p in _activations.DEGREES.items():
        for c in (0.25, 0.5, 2.0, 10.0):
            d = _quadrature.distances(G, _model.scaled(G, c, p, OTHER[cell.gate] if world else cell.gate), QL, act, cell.gate)
            cases += [Case(f"h, {act}, c={c:g}", d.h), Case(f"V, {act}, c={c:g}", d.v)]
    return cases


def evaluate_no_ray(cell, rng, world=""):
    """E_X h along the degree-1 ray of activations without one; world: of relu, which has one."""
    G = _model.to_gate(TL, cell.gate)
    acts = (world,) if world else ("sigmoid", "gelu")
    return [
        Case(f"{act}, c={c:g}", _quadrature.distances(G, _model.scaled(G, c, 1, cell.gate), QL, act, cell.gate).h)
        for act in acts
        for c in (0.5, 2.0)
    ]


def _informed(cell, world):
    """(label, Fisher information, tangent) of truths whose gate has a ray; world "gelu": of TA, which has none."""
    if world == "gelu":
        G = _model.to_gate(TA, cell.gate)
        yield "gelu", _quadrature.fisher(G, QA, "gelu", cell.gate), _model.gauge_tangent(G, "gelu", cell.gate, p=1)
        return
    for act in HOMOGENEOUS:
        G = _model.to_gate(TL if act == "linear" else _model.antipodal_truth(BASE_SLOPES), cell.gate)
        info = _quadrature.fisher(G, QL, act, cell.gate)
        yield act, info, _model.gauge_tangent(G, act, OTHER[cell.gate] if world == "other-gate" else cell.gate)


def evaluate_null(cell, rng, world=""):
    """Smallest Fisher eigenvalue over the largest."""
    return [Case(label, float(lam[0] / lam[-1])) for label, info, _ in _informed(cell, world) for lam in (_quadrature.eigenvalues(info),)]


def evaluate_tangent(cell, rng, world=""):
    """|<null vector, tangent of the ray>|."""
    return [Case(label, float(abs(np.linalg.eigh(info)[1][:, 0] @ t))) for label, info, t in _informed(cell, world)]


def evaluate_second(cell, rng, world=""):
    """Second Fisher eigenvalue over the largest where there is a ray, and the first of TA; world: TA's numbers under relu."""
    if world:
        G = _model.to_gate(TA, cell.gate)
        lam = _quadrature.eigenvalues(_quadrature.fisher(G, QA, world, cell.gate))
        return [Case(world, float(lam[0] / lam[-1]))]
    found = [(label, _quadrature.eigenvalues(info)) for label, info, _ in _informed(cell, "")]
    cases = [Case(label, float(lam[1] / lam[-1])) for label, lam in found]
    ((label, info, _),) = _informed(cell, "gelu")
    lam = _quadrature.eigenvalues(info)
    return [*cases, Case(label, float(lam[0] / lam[-1]))]


def evaluate_conserved(cell, rng, world=""):
    """E (score along the ray)^2."""
    if world:
        return [Case("gelu", _constants.conserved(_model.to_gate(TA, cell.gate), QA, "gelu", cell.gate))]
    return [Case("linear", _constants.conserved(_model.to_gate(TL, cell.gate), QL, "linear", cell.gate))]


# --- moe.cosh, moe.thm2, moe.def1 ------------------------------------------------------------------------------


def evaluate_cosh(cell, rng, world=""):
    """E_X h of doubled atoms; world "first-atom": only that one; "gelu": all of TA's."""
    G, quad, act = (TA, QA, "gelu") if world == "gelu" else (TL, QL, "linear")
    G = _model.to_gate(G, cell.gate)
    atoms = [0] if world == "first-atom" else None
    return [
        Case(f"v={v:g}", _quadrature.distances(_model.doubled(G, v, cell.gate, atoms), G, quad, act, cell.gate).h) for v in (0.3, 1.0, 3.0)
    ]


def evaluate_cosh_loss(cell, rng):
    """Quotient D2 of the doubled truth."""
    G = _model.to_gate(TL, cell.gate)
    return [
        Case(f"v={v:g}", _losses.voronoi_losses(_model.doubled(G, v, cell.gate), G, "linear", cell.gate, quotient=True).d2, {"v": v})
        for v in (0.3, 1.0, 3.0)
    ]


def evaluate_thm2(cell, rng, world=""):
    """V/D1_r along the ray, at 1 + 1/m; world "gelu": TA under the same scaling."""
    G, quad, act = (TA, QA, "gelu") if world == "gelu" else (TL, QL, "linear")
    G = _model.to_gate(G, cell.gate)
    cases = []
    for m in (10, 100):
        H = _model.scaled(G, 1 + 1 / m, 1, cell.gate)
        v = _quadrature.distances(H, G, quad, act, cell.gate).v
        cases += [Case(f"m={m}, r={r}", v / _losses.voronoi_losses(H, G, act, cell.gate, r=r).d1) for r in (1, 2, 4)]
    return cases


def evaluate_def1(cell, rng, acts, order):
    """Smallest singular value of the gate functions, X ~ U(-3, 3)."""
    return [Case(act, _constants.independence_sv(act, BASE_SLOPES, order, -3, 3)) for act in acts]


# --- moe.antipodal, moe.reflect --------------------------------------------------------------------------------


def _base(slopes, gate):
    return _model.to_gate(_model.antipodal_truth(slopes), gate)


def _spectrum(act, slopes, gate):
    return np.linalg.eigh(_quadrature.fisher(_base(slopes, gate), WIDE, act, gate))


def evaluate_antipodal(cell, rng, acts=SIX, slopes=(1.2, -1.2)):
    """Smallest Fisher eigenvalue over the largest."""
    return [Case(act, float(lam[0] / lam[-1])) for act in acts for lam in (_spectrum(act, slopes, cell.gate)[0],)]


def evaluate_survivors(cell, rng, world=""):
    """The same where it stays positive: mish and elu at antipodal slopes, the six elsewhere. World: the six at antipodal slopes."""
    if world:
        return evaluate_antipodal(cell, rng)
    return [
        *evaluate_antipodal(cell, rng, ("mish", "elu")),
        *(Case(f"{c.label}, slopes {BASE_SLOPES}", c.statistic) for c in evaluate_antipodal(cell, rng, SIX, BASE_SLOPES)),
    ]


def evaluate_null_vector(cell, rng, world=""):
    """|<null vector, predicted>| at antipodal slopes: (1, 1)/sqrt 2 in the slopes for odd sigma, the ray's tangent for the others."""
    G = _base((1.2, -1.2), cell.gate)
    shared = np.zeros(10)
    shared[:2] = np.sqrt(0.5)
    ray = _model.gauge_tangent(G, "gelu", cell.gate, p=1)
    cases = []
    for act in SIX:
        predicted = shared if (act in _activations.ODD) != (world == "swapped") else ray
        cases.append(Case(act, float(abs(_spectrum(act, (1.2, -1.2), cell.gate)[1][:, 0] @ predicted))))
    return cases


def evaluate_antipodal_ray(cell, rng, acts=_activations.SHIFTED_ODD):
    """E_X h along the degree-1 ray of TA's numbers with slopes +-1.2."""
    G = _model.to_gate(_model.mixture((1.2, -1.2), TA.beta0, TA.tau, TA.a, TA.b, TA.nu), cell.gate)
    return [
        Case(f"{act}, c={c:g}", _quadrature.distances(G, _model.scaled(G, c, 1, cell.gate), QA, act, cell.gate).h)
        for act in acts
        for c in (0.5, 2.0)
    ]


def evaluate_fold(cell, rng, slopes=(1.2, -1.2)):
    """Slope of ln sqrt(E h^2) in ln eps along (1, 1)/sqrt 2 in the gate slopes."""
    G, eps = _base(slopes, cell.gate), (0.1, 0.07, 0.05, 0.03)
    cases = []
    for act in _activations.ODD:
        moved = [_model.mixture(G.beta1 + e * np.sqrt(0.5), G.beta0, G.tau, G.a, G.b, G.nu) for e in eps]
        cases.append(Case(act, _slope(eps, [_quadrature.distances(H, G, WIDE, act, cell.gate).root for H in moved])))
    return cases


def evaluate_third(cell, rng, world=""):
    """Smallest Fisher eigenvalue over the largest with a third atom of slope .5; world "two": without it."""
    G = _base((1.2, -1.2), cell.gate)
    if not world:
        inside = _model.mixture((1.2, -1.2, 0.5), (0.22, -0.3, 0), 0.25, (0.7, -0.7, 0.1), (2, -2, 0), (0.3, 0.5, 0.4))
        G = _model.to_gate(inside, cell.gate)
    found = [(act, _quadrature.eigenvalues(_quadrature.fisher(G, WIDE, act, cell.gate))) for act in SIX]
    return [Case(act, float(lam[0] / lam[-1])) for act, lam in found]


def evaluate_reflection(cell, rng, acts=_activations.ODD):
    """E_X h between the base truth with slopes (1.2, -.7) and its reflection."""
    G = _base(BASE_SLOPES, cell.gate)
    return [Case(act, _quadrature.distances(G, _model.reflected(G), WIDE, act, cell.gate).h) for act in acts]


# --- moe.thm1c, moe.thm3, moe.thm4, moe.rbar, moe.over.lb ------------------------------------------------------


def evaluate_rank(cell, rng):
    """rank(I)/8 of reference and random truths, by eigenvalues above 1e-11 of the largest."""
    cases = []
    for act, k, d in (("linear", 2, 1), ("gelu", 2, 1), ("linear", 3, 2), ("gelu", 3, 1), ("relu", 3, 1)):
        if (k, d) == (2, 1):
            G, quad = (TL, QL) if act == "linear" else (TA, QA)
        else:
            slopes = np.column_stack([np.linspace(1.5, -1.1, k)] + [np.linspace(-0.8, 1.3, k) ** 2] * (d - 1))
            experts = np.column_stack([np.linspace(1, -1, k)] + [np.linspace(0.4, -0.6, k)] * (d - 1))
            G = _model.mixture(slopes, np.linspace(0.3, 0, k) ** 2, 0.7, experts, np.linspace(-3, 3, k), np.linspace(0.3, 0.5, k))
            G = _model.anchored(G, act)
            quad = _quadrature.quadrature_for(G, -1, 1, nx=32, ny=801)
        lam = _quadrature.eigenvalues(_quadrature.fisher(_model.to_gate(G, cell.gate), quad, act, cell.gate))
        cases.append(Case(f"{act}, k={k}, d={d}", float((lam > 1e-11 * lam[-1]).sum()) / 8, {"act": act, "k": k, "d": d}))
    return cases


def _along(G, act, step):
    return _reference.moved(G, act, _reference.vector(G, act) + step)


def evaluate_inverse(cell, rng, world=""):
    """sqrt(E h^2)/(eps sqrt(lambda/8)) at eps = .003 along the softest direction (TL: the second softest); world: TL's softest."""
    cases = []
    for name, G, quad, act, index in (("TA", TA, QA, "gelu", 0), ("TL", TL, QL, "linear", 1)):
        if world and name == "TA":
            continue
        G = _model.to_gate(G, cell.gate)
        lam, U = np.linalg.eigh(_quadrature.fisher(G, quad, act, cell.gate))
        direction = U[:, 0 if world else index]
        root = _quadrature.distances(_along(G, act, 0.003 * direction), G, quad, act, cell.gate).root
        cases.append(Case(name, float(root / (0.003 * np.sqrt(lam[index] / 8)))))
    return cases


def _sequence_path(act, gate, name, eps=EPS):
    G, quad = (TL, QL) if act == "linear" else (TA, QA)
    G = _model.to_gate(G, gate)
    return [_quadrature.distances(_constants.sequence_of(G, name, e, gate), G, quad, act, gate) for e in eps]


def evaluate_band(cell, rng, orders=None):
    """max/min of V/D2 along the two-atom sequence, quotient D2 for the linear gate."""
    cases = []
    for act, G, quad in (("linear", TL, QL), ("gelu", TA, QA)):
        G = _model.to_gate(G, cell.gate)
        ratios = []
        for e in EPS:
            H = _constants.sequence_of(G, "two", e, cell.gate)
            v = _quadrature.distances(H, G, quad, act, cell.gate).v
            ratios.append(v / _losses.voronoi_losses(H, G, act, cell.gate, quotient=act == "linear", orders=orders).d2)
        cases.append(Case(act, max(ratios) / min(ratios)))
    return cases


def evaluate_orders(cell, rng, names, swap=None):
    """Slopes of ln V and ln E_X h in ln eps along splitting sequences; swap: draws another sequence under a name."""
    cases = []
    for act in ("linear", "gelu"):
        for name in names:
            path = _sequence_path(act, cell.gate, (swap or {}).get(name, name))
            fields = {"sequence": name, "act": act}
            cases.append(Case(f"h, {name}, {act}", _slope(EPS, [d.h for d in path]), fields))
            cases.append(Case(f"V, {name}, {act}", _slope(EPS, [d.v for d in path]), fields))
    return cases


RESOLUTION_N = (1e4, 3e4, 1e5, 3e5, 1e6)


def evaluate_resolution(cell, rng):
    """Slope of ln eps_n in ln n, 1e4 to 1e6, TL and the two-atom sequence."""
    eps = [_constants.resolution_eps(TL, n, _quadrature.QL_SMALL) for n in RESOLUTION_N]
    return [Case("TL, two atoms", _slope(RESOLUTION_N, eps))]


def evaluate_limits(cell, rng):
    """eps_n at sample sizes, for both sequences."""
    cases = []
    for name in ("two", "three"):
        for n in (1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 1e7):
            cases.append(Case(name, _constants.resolution_eps(TL, n, _quadrature.QL_SMALL, name=name), {"n": n, "sequence": name}))
    return cases


# --- for figures -----------------------------------------------------------------------------------------------


def evaluate_paths(cell, rng):
    """V at eps along every sequence, for the figure of moe.rbar."""
    eps = (0.3, 0.2, 0.15, 0.1, 0.07, 0.05)
    cases = []
    for act in ("linear", "gelu"):
        for name in ("two", "three", "bias", "slope", "gate", "mixed"):
            path = _sequence_path(act, "inside", name, eps)
            cases += [Case(name, d.v, {"sequence": name, "act": act, "eps": e}) for e, d in zip(eps, path, strict=True)]
    return cases


@dataclasses.dataclass(frozen=True)
class SpectrumCell:
    """Base truth of moe.antipodal, X ~ U(-half, half); slopes (1.2, -1.2) if antipodal, else (1.2, -0.7)."""

    half: float
    antipodal: bool


def evaluate_spectra(cell, rng):
    """Fisher eigenvalues per activation."""
    G = _model.antipodal_truth((1.2, -1.2) if cell.antipodal else BASE_SLOPES)
    quad = _quadrature.quadrature(-cell.half, cell.half, 48, -16, 16, 501)
    cases = []
    for act in ("linear", "relu", "leaky_relu", *SIX, "mish", "elu"):
        lam = _quadrature.eigenvalues(_quadrature.fisher(_model.anchored(G, act), quad, act))
        cases += [Case(act, float(max(v, 1e-20)), {"act": act}) for v in lam]
    return cases


def evaluate_profiles(cell, rng):
    """KL from the truth to the best fit at a temperature c times its own: the profile of the expected likelihood, in log c."""
    small = {"TL": _quadrature.quadrature(-1, 1, 16, -9, 9, 181), "TA": _quadrature.quadrature(-3, 3, 32, -14, 14, 181)}
    antipodal = _model.mixture((1.2, -1.2), TA.beta0, TA.tau, TA.a, TA.b, TA.nu)
    cases = []
    for name, G, quad, act in (
        ("linear, TL", TL, small["TL"], "linear"), ("gelu, TA", TA, small["TA"], "gelu"),
        ("gelu, antipodal", antipodal, small["TA"], "gelu"),
    ):  # fmt: skip
        x, y, weight = _reference.population(G, quad, act)
        top = float(weight @ _model.log_cond(G, x, y, act))
        for log_c in np.linspace(-0.6, 0.6, 9):
            start = _model.scaled(G, float(np.exp(log_c)), 1, "inside")
            _, ll = _reference.fit_points(start, x, y, weight, act, frozen=("tau",), tolerance=1e-11, most=200)
            cases.append(Case(name, max(top - ll, 0.0), {"log_c": float(log_c)}))
    return cases
