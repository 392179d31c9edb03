"""L8 and the scenario head: two linear programs (SciPy's HiGHS)."""

from __future__ import annotations

import dataclasses

import numpy as np

from theory.invariance import _arguments

__all__ = ["Kappa", "kappa", "minimax_head"]


@dataclasses.dataclass(frozen=True)
class Kappa:
    """value: min ||a||_1 with z_e = sum_i a_i z_i, inf if there is none. functional: lambda [m] with |lambda^T z_i| <= 1 and
    lambda^T z_e = value, or None."""

    value: float
    functional: np.ndarray | None


def kappa(train, unseen, tolerance=1e-9):
    """L8: if (Sigma_e, r_e) = sum_i a_i (Sigma_{e_i}, r_{e_i}) then G_e <= ||a||_1 max_i G_{e_i} for EVERY (V, beta) at once.

    The least ||a||_1, one linear program in 2n variables. Features are reduced by a singular value decomposition first; a
    residual above `tolerance` (relative) means that e lies outside the span, kappa = inf. With as many environments as
    dimensions the program is numerically infeasible and the solution unique: least squares.
    Args: train: [n, m] features of the training environments, one row each (any scale); unseen: [m].
    Returns: Kappa. Raises: ValueError; RuntimeError if the solver fails.
    """
    from scipy import optimize

    Z, z = np.asarray(train, dtype=np.float64), np.asarray(unseen, dtype=np.float64)
    ok = Z.ndim == 2 and len(Z) >= 1 and z.shape == Z.shape[1:]
    _arguments.require(ok, "kappa", lambda: f"train and unseen must be [n, m] with n >= 1 and [m], got {Z.shape} and {z.shape}.")
    scale = np.linalg.norm(Z, axis=1)
    _left, values, basis = np.linalg.svd(Z / scale[:, None], full_matrices=False)
    keep = values > 1e-9 * values[0]
    basis = basis[keep]
    coordinates = Z @ basis.T  # [n, rank]
    inside = basis @ z
    if np.linalg.norm(z - basis.T @ inside) > tolerance * np.linalg.norm(z):
        return Kappa(np.inf, None)
    n, rank = coordinates.shape
    if n == rank:
        a = np.linalg.solve(coordinates.T, inside)
        return Kappa(float(np.abs(a).sum()), basis.T @ np.linalg.solve(coordinates, np.sign(a)))
    unit = np.abs(coordinates).max(axis=0)  # equations of like size
    solved = optimize.linprog(
        np.ones(2 * n),
        A_eq=np.hstack([coordinates.T, -coordinates.T]) / unit[:, None],
        b_eq=inside / unit,
        bounds=(0, None),
        method="highs",
    )
    if solved.status != 0:
        raise RuntimeError(f"kappa: the linear program was not solved: {solved.message}")
    return Kappa(float(solved.fun), basis.T @ (solved.eqlin.marginals / unit))


def minimax_head(Sigma, r):
    """scenario: the head w on k coordinates with the least worst max-norm gap tau over the training environments.

    min over (w, tau) of tau subject to ||Sigma_e w - r_e||_inf <= tau for all e: k + 1 variables, 2 k n constraints.
    Args: Sigma [n, k, k], r [n, k]; n >= k + 1. Returns: (w [k], tau). Raises: ValueError; RuntimeError if the solver fails.
    """
    from scipy import optimize

    S, c = _arguments.environments("minimax_head", Sigma, r)
    n, k = c.shape
    _arguments.require(n >= k + 1, "minimax_head", lambda: f"n must be at least k + 1 = {k + 1}, got n={n}.")
    rows, values = S.reshape(n * k, k), c.reshape(-1)
    one = np.ones((n * k, 1))
    solved = optimize.linprog(
        np.append(np.zeros(k), 1.0),
        A_ub=np.block([[rows, -one], [-rows, -one]]),
        b_ub=np.concatenate([values, -values]),
        bounds=[(None, None)] * k + [(0, None)],
        method="highs",
    )
    if solved.status != 0:
        raise RuntimeError(f"minimax_head: the linear program was not solved: {solved.message}")
    return solved.x[:k], float(solved.x[k])
