"""Methods to compare with, on population moments: pooled least squares, IRMv1, subset selection, ICP, causal parents.

All answer with a predictor beta in a subspace V; reported are its failure rate on unseen interventions at eps and its worst
risk there. Population moments, so what fails here fails with any number of samples.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sims._experiment import Case
from sims.invariance import _graphs
from theory.invariance import _arguments, _sem, _separation

__all__ = ["METHODS", "BaselineCell", "causal_parents", "erm", "evaluate_baselines", "icp", "irm", "subset_selection", "validate_baseline"]

SITES = (2, 3, 6)  # the target's child is intervened on: pooled least squares is wrong for the right reason
EPS = 0.1
UNSEEN = 300


def _on(Sigma, r, chosen):
    """beta [d], least squares on some coordinates of one pair of moments, of least norm."""
    beta, index = np.zeros(len(r)), np.asarray(chosen, dtype=int)
    if len(index):
        beta[index] = np.linalg.lstsq(Sigma[np.ix_(index, index)], r[index], rcond=1e-10)[0]
    return beta


def _coordinates(d, chosen):
    return np.eye(d)[:, list(chosen)]


def _line(beta):
    norm = np.linalg.norm(beta)
    return (beta / norm)[:, None] if norm > 0 else np.zeros((len(beta), 0))


def erm(Sigma, r):
    """Least squares on the pooled environments, all covariates: (V = span beta, beta)."""
    beta = _on(Sigma.mean(0), r.mean(0), range(r.shape[1]))
    return _line(beta), beta


def irm(Sigma, r, penalty=1e5, starts=3, rng=None):
    """IRMv1: mean risk + penalty * mean (beta^T Sigma beta - beta^T r)^2 (the published penalty is 4 times this): (V = span beta, beta).

    As a sum of squares, by Levenberg and Marquardt with its Jacobian, divided by 1 + penalty: at large penalties the problem is
    stiff, and descent crawls. From least squares and from random starts, the best end.
    Raises: ValueError if penalty < 0.
    """
    from scipy import optimize

    penalty = float(_arguments.nonnegative("irm", "penalty", penalty))
    rng = np.random.default_rng(0) if rng is None else rng
    root = np.linalg.cholesky(
        Sigma.mean(0) + 1e-12 * np.trace(Sigma.mean(0)) * np.eye(r.shape[1])
    ).T  # mean risk = |root beta - left|^2 + const
    left = np.linalg.solve(root.T, r.mean(0))
    scale, weight = 1 / np.sqrt(1 + penalty), np.sqrt(penalty / len(r))

    def residual(beta):
        return scale * np.concatenate([root @ beta - left, weight * ((Sigma @ beta) @ beta - r @ beta)])

    def jacobian(beta):
        return scale * np.concatenate([root, weight * (2 * Sigma @ beta - r)])

    first = erm(Sigma, r)[1]
    begin = [first, *(rng.standard_normal((starts, len(first))) * max(1.0, float(np.abs(first).max())))]
    ends = [optimize.least_squares(residual, b, jacobian, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14) for b in begin]
    beta = min(ends, key=lambda end: end.cost).x
    return _line(beta), beta


def subset_selection(Sigma, r, c, eps=EPS):
    """Of the subsets whose pooled least squares has all training gaps at most eps/2, the one of least pooled risk; the empty
    set, beta = 0, is always among them. (V, beta). d <= 12."""
    d = r.shape[1]
    best, answer = c.mean(), (np.zeros((d, 0)), np.zeros(d))
    for chosen in _separation.subsets(d + 1, d):
        beta = _on(Sigma.mean(0), r.mean(0), chosen)
        gaps = np.linalg.norm((Sigma @ beta - r)[:, list(chosen)], axis=1)
        risk = (c - 2 * r @ beta + (Sigma @ beta) @ beta).mean()
        if gaps.max() <= eps / 2 and risk < best - 1e-12:
            best, answer = risk, (_coordinates(d, chosen), beta)
    return answer


def icp(Sigma, r, c, tolerance=1e-6):
    """Invariant causal prediction in the population: the intersection of all subsets whose coefficients and residual variance are
    the same in every environment, and pooled least squares on it. (V, beta). d <= 12."""
    d = r.shape[1]
    accepted = [set()] if np.ptp(c) < tolerance else []
    for chosen in _separation.subsets(d + 1, d):
        betas = np.array([_on(S, b, chosen) for S, b in zip(Sigma, r, strict=True)])
        residual = c - np.einsum("ei,ei->e", betas, r)
        if np.ptp(betas, axis=0).max() < tolerance * max(1.0, np.abs(betas).max()) and np.ptp(residual) < tolerance * max(1.0, c.max()):
            accepted.append(set(chosen))
    chosen = sorted(set.intersection(*accepted)) if accepted else []
    return _coordinates(d, chosen), _on(Sigma.mean(0), r.mean(0), chosen)


def causal_parents(Sigma, r, parents):
    """Pooled least squares on the target's parents, given as covariates. (V, beta)."""
    return _coordinates(r.shape[1], parents), _on(Sigma.mean(0), r.mean(0), parents)


METHODS = ("ERM", "IRMv1", "subset", "ICP", "parents")


@dataclasses.dataclass(frozen=True)
class BaselineCell:
    """m training interventions soft_add on B7 with sites {2, 3, 6}; graph 0: unit weights, others: seed of generic ones."""

    m: int
    graph: int = 0
    num_draws: int = 5


def validate_baseline(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.integer("invariance", "m", cell.m, 1, 200)
    _arguments.integer("invariance", "graph", cell.graph, 0)
    _arguments.integer("invariance", "num_draws", cell.num_draws, 1, 100)


def evaluate_baselines(cell, rng):
    """Medians over draws: failure rate at eps = .1 and worst risk on 300 unseen interventions, one pair of cases a method."""
    model = _graphs.b7(SITES, seed=cell.graph or None)
    keep = _sem.covariates(7, model.target).tolist()
    parents = [keep.index(j) for j in np.flatnonzero(model.B[model.target])]
    found = {name: [] for name in METHODS}
    for _ in range(cell.num_draws):
        Sigma, r, c = _graphs.environments(rng, "soft_add", model, cell.m)
        unseen = _graphs.environments(rng, "soft_add", model, UNSEEN)
        answers = (
            erm(Sigma, r),
            irm(Sigma, r, rng=rng),
            subset_selection(Sigma, r, c),
            icp(Sigma, r, c),
            causal_parents(Sigma, r, parents),
        )
        for name, (V, beta) in zip(METHODS, answers, strict=True):
            gaps = np.linalg.norm(_sem.gap_vector(unseen[0], unseen[1], V, beta), axis=1)
            risks = unseen[2] - 2 * unseen[1] @ beta + (unseen[0] @ beta) @ beta
            found[name].append((np.mean(gaps > EPS), risks.max()))
    R = _graphs.model_ranks("soft_add", model)[1]
    for name, pairs in found.items():
        failure, risk = np.median(pairs, axis=0)
        yield Case(f"{name} failure", float(failure), {"R": R})
        yield Case(f"{name} risk", float(risk), {"R": R})
