"""Exact parts of the estimator race and of the frozen temperature: NumPy on the host."""

from __future__ import annotations

import numpy as np

from sims._experiment import Case
from sims.moe import _mle, _reference
from theory.moe import _constants, _losses, _model, _quadrature

__all__ = ["evaluate_frozen", "evaluate_midpoint", "evaluate_pointwise", "evaluate_reference", "evaluate_same_maximum"]


def evaluate_midpoint(cell, rng):
    """The larger risk of the middle of the segment between two truths on TL's ray: of the temperature, and of D1_r."""
    cases = []
    for first, last in ((1.0, 2.0), (1.0, 1.5)):
        dtau = last - first
        truths = [_model.to_gate(_model.gauge_scale(_model.TL, t / _model.TL.tau), cell.gate) for t in (first, last)]
        middle = _model.to_gate(_model.gauge_scale(_model.TL, 0.5 * (first + last) / _model.TL.tau), cell.gate)
        weight = float(_model.weights(truths[0], cell.gate).sum())
        for r in (1, 2, 4):
            risk = max(min(1.0, abs(middle.tau - t.tau) ** r) for t in truths)
            cases.append(Case(f"tau, dtau={dtau:g}, r={r}", risk, {"dtau": dtau, "r": float(r), "weight": 1.0}))
            same_slopes = [_model.mixture(t.beta1, middle.beta0, middle.tau, t.a, t.b, t.nu) for t in truths]
            losses = [_losses.voronoi_losses(G, t, "linear", cell.gate, r=r) for G, t in zip(same_slopes, truths, strict=True)]
            tau_parts = [weight * loss.dtau**r for loss in losses]
            cases.append(Case(f"D1_r's tau part, dtau={dtau:g}, r={r}", max(tau_parts), {"dtau": dtau, "r": float(r), "weight": weight}))
    return cases


def evaluate_pointwise(cell, rng, world="", count=20_000):
    """Least ratio of (|W' - W| + W' u^r + |W' - W| + W' v^r)/2 to W min(1, 2^(1-r) (u + v)^r)/2 over random W' (fitted), W, u, v, r."""
    fitted, weight = rng.exponential(1.5, count), 1 + rng.exponential(1.0, count)
    u, v = rng.exponential(1.0, (2, count))
    cases = []
    for r in (1.0, 2.0, 4.0):
        loss = np.abs(fitted - weight) + 0.5 * fitted * (u**r + v**r)
        bound = weight * (0.5 * 2 ** (1 - r) * (u + v) ** r if world else _constants.two_point_bound(u + v, r))
        cases.append(Case(f"r={r:g}", float((loss / bound).min())))
    return cases


FROZEN_N, ALPHAS, SCALE = (400, 1200, 3600), (0.0, 1 / 12, 0.25), 0.3


def evaluate_frozen(cell, rng, world=""):
    """Slope of |tau_hat - tau| in ln n from starts on the ray with common draws; the temperature frozen.

    World "free": gelu, where a free temperature finds the truth.
    """
    G, act, half, _ = _mle.MODELS["TA" if world else "TL"]
    G = _model.to_gate(G, cell.gate)
    z = np.sign(rng.standard_normal()) * rng.uniform(0.05, 0.25)  # so small that |exp(s n^-alpha z) - 1| is s n^-alpha |z| to 1 %
    cases = []
    for alpha in ALPHAS:
        errors = []
        for n in FROZEN_N:
            x, y = _reference.draw(G, n, half, rng, act, cell.gate)
            start = _model.scaled(G, float(np.exp(SCALE * n**-alpha * z)), 1, cell.gate)
            frozen = () if world else ("tau",)
            found, _ = _reference.fit_points(start, x, y, np.full(n, 1 / n), act, cell.gate, frozen=frozen, tolerance=1e-9, most=60)
            errors.append(abs(found.tau - G.tau))
        slope = float(np.polyfit(np.log(FROZEN_N), np.log(np.maximum(errors, 1e-300)), 1)[0])
        cases.append(Case(f"alpha={alpha:.3g}", slope, {"alpha": float(alpha)}))
    return cases


def evaluate_same_maximum(cell, rng, world=""):
    """Difference of the mean log-likelihoods of the free fit and of one whose temperature is frozen at twice the truth's."""
    G, act, half, _ = _mle.MODELS["TA" if world else "TL"]
    G = _model.to_gate(G, cell.gate)
    cases = []
    for n in (1000, 3000):
        x, y = _reference.draw(G, n, half, rng, act, cell.gate)
        weight = np.full(n, 1 / n)
        _, free = _reference.fit_points(G, x, y, weight, act, cell.gate)
        _, frozen = _reference.fit_points(_model.scaled(G, 2.0, 1, cell.gate), x, y, weight, act, cell.gate, frozen=("tau",))
        cases.append(Case(f"n={n}", free - frozen))
    return cases


def evaluate_reference(cell, rng):
    """n_bite of TA."""
    return [Case("TA", _constants.n_bite(_model.to_gate(_model.TA, cell.gate), _quadrature.QA, "gelu", cell.gate))]
