r"""Voronoi losses between a fit and the truth: D1_r, D2 and their quotient versions (forms as recalled and derived).

Delta's are against the true atom of the fitted atom's cell; a cell holds the fitted atoms whose expert (a, b, nu) is nearest.
    mass = sum_j |sum_{i in A_j} w_i - w*_j|,   D1_r = mass + sum_j sum_i w_i (|dbeta1|^r + |dtau|^r + |da|^r + |db|^r + |dnu|^r),
    D2 = mass + first powers in singleton cells, (2, 2, 2, rbar, rbar/2) in cells of several atoms.
The quotient loss moves the fit along its ray to the true temperature first.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from theory.moe import _arguments, _model

__all__ = ["CELLS", "RBAR", "Losses", "rbar", "voronoi_losses"]

RBAR = {1: 1, 2: 4, 3: 6}  # two- and three-atom location-scale orders; 1 stands for a singleton
CELLS = ("experts", "all")


def rbar(m):
    """Order rbar(m) of the location-scale system of m atoms: rbar(2) = 4, rbar(3) = 6.

    Raises: ValueError for other m: no value is known in closed form.
    """
    _arguments.require(m in (2, 3), "rbar", f"r̄ known only for 2 and 3 atoms, got m={m}.")
    return RBAR[m]


@dataclasses.dataclass(frozen=True)
class Losses:
    """d1: D1_r, d2: D2, mass, dtau: |tau - tau*|; parts: weighted sums sum_i w_i |d.| of beta1, a, b, nu.

    sizes: atoms in each true cell. degenerate: the last true cell is empty, so the fit kept its own anchor.
    """

    d1: float
    d2: float
    mass: float
    dtau: float
    beta1: float
    a: float
    b: float
    nu: float
    sizes: tuple[int, ...]
    degenerate: bool


def _nearest(G, truth, cells):
    def places(M):
        columns = [M.a, M.b[:, None], M.nu[:, None]]
        return np.concatenate([M.beta1, *columns] if cells == "all" else columns, axis=1)

    gap = places(G)[:, None] - places(truth)[None]
    return np.argmin((gap**2).sum(axis=-1), axis=1)


def _reanchored(G, last, act, gate):
    """(G with the last true cell, given as a mask over atoms, for anchor; whether that cell is empty)."""
    w = _model.weights(G, gate) * last
    if not last.any():
        return G, True
    shift = w @ G.beta1 / w.sum() if act == "linear" else np.zeros(G.d)
    moved = np.log(w.sum()) * (G.tau if gate == "inside" else 1.0)
    return dataclasses.replace(G, beta1=G.beta1 - shift, beta0=G.beta0 - moved), False


def voronoi_losses(G, truth, act="linear", gate="inside", quotient=False, r=1, cells="experts", orders=None):
    """Losses of the fit G against the truth. orders: exponents by cell size in place of RBAR, for falsifiers.

    d2 is nan if a cell holds more than 3 atoms.
    Raises: ValueError for k < k_star, k_star < 2, r < 1, an unknown gate, a quotient loss of a gate that is not homogeneous.
    """
    fn = "voronoi_losses"
    _arguments.fits(fn, G.k, truth.k)
    _arguments.gate(fn, gate)
    _arguments.choice(fn, "cells", cells, CELLS)
    r, orders = _arguments.order(fn, r), RBAR if orders is None else orders
    if quotient:
        p = _model._degree(fn, act)
        G = _model.scaled(G, (truth.tau / G.tau) ** (1 / p), p, gate)
    cell = _nearest(G, truth, cells)
    G, degenerate = _reanchored(G, cell == truth.k - 1, act, gate)
    w = _model.weights(G, gate)
    d_beta1 = np.linalg.norm(G.beta1 - truth.beta1[cell], axis=1)
    d_a = np.linalg.norm(G.a - truth.a[cell], axis=1)
    d_b, d_nu = np.abs(G.b - truth.b[cell]), np.abs(G.nu - truth.nu[cell])
    d_tau = abs(G.tau - truth.tau)
    sizes = np.bincount(cell, minlength=truth.k)
    mass = float(np.abs(np.bincount(cell, weights=w, minlength=truth.k) - _model.weights(truth, gate)).sum())
    d1 = mass + float(w @ (d_beta1**r + d_tau**r + d_a**r + d_b**r + d_nu**r))
    size = sizes[cell]
    d2 = np.nan
    if size.max() <= 3:
        order = np.array([orders[s] for s in size], dtype=float)
        two, over = np.where(size > 1, 2.0, 1.0), np.where(size > 1, order / 2, 1.0)
        order = np.where(size > 1, order, 1.0)
        d2 = mass + float(w @ (d_beta1**two + d_tau**two + d_a**two + d_b**order + d_nu**over))
    return Losses(
        d1, d2, mass, d_tau, float(w @ d_beta1), float(w @ d_a), float(w @ d_b), float(w @ d_nu), tuple(int(s) for s in sizes), degenerate
    )
