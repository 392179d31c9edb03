"""Handwritten digits (S9): residuals of low-rank fits against the number of samples, and subspace clustering of classes.

scikit-learn carries the data (1,797 images of 8 x 8) and is an optional extra: without it these experiments are skipped with a message.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np

from sims._experiment import Case
from sims.molrg import _host
from sims.molrg._exact_denoiser import numbers
from theory.molrg import _arguments

__all__ = ["ClassesCell", "DigitCell", "evaluate_classes", "evaluate_residual", "load_digits", "mutual_information", "validate_digit"]

SIZES, SPLITS = (4, 8, 9, 12, 16, 32, 64, 128), 20


def load_digits():
    """(images [1797, 64] in [0, 1], labels [1797]); None without scikit-learn, after one line on stderr."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        print("molrg.digits: skipped, scikit-learn is not installed (the extra `digits`)", file=sys.stderr)
        return None
    data = load_digits()
    return data.data / 16.0, data.target


@dataclasses.dataclass(frozen=True)
class DigitCell:
    """Images of one digit, PCA of rank d."""

    digit: int
    d: int = 8


@dataclasses.dataclass(frozen=True)
class ClassesCell:
    """K-subspaces of dimension d on the images of some digits, joined by +; best energy of the spectral start and 5 Haar ones."""

    digits: str
    d: int


def validate_digit(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _arguments.require(0 <= cell.digit <= 9, "molrg.digits", f"digit must be 0 to 9, got {cell.digit}.")
    _arguments.dimensions("molrg.digits", 64, cell.d)


def evaluate_residual(cell, rng):
    """Relative residual ||(I - P) Y||^2/||Y||^2 on held-out images, PCA of N images of the class: mean over 20 splits. And the rank at
    99 % of the class' energy."""
    data = load_digits()
    if data is None:
        return
    images, labels = data
    mine = images[labels == cell.digit].T
    for N in SIZES:
        found = []
        for _ in range(SPLITS):
            order = rng.permutation(mine.shape[1])
            train, held = mine[:, order[:N]], mine[:, order[N:]]
            U = np.linalg.svd(train, full_matrices=False)[0][:, : min(cell.d, N)]
            found.append(np.linalg.norm(held - U @ (U.T @ held)) ** 2 / np.linalg.norm(held) ** 2)
        yield Case(f"N = {N}", float(np.mean(found)), {"N": N})
    energy = np.cumsum(np.linalg.svd(mine, compute_uv=False) ** 2)
    yield Case("rank", float(np.sum(energy <= 0.99 * energy[-1]) + 1))


def mutual_information(a, b):
    """Normalised mutual information of two labelings, over the mean of their entropies."""
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    pa, pb = joint.sum(1), joint.sum(0)
    seen = joint > 0
    shared = float(np.sum(joint[seen] * np.log(joint[seen] / np.outer(pa, pb)[seen])))
    mean = -0.5 * float(pa @ np.log(pa) + pb @ np.log(pb))
    return shared / mean if mean > 0 else 1.0


def evaluate_classes(cell, rng):
    """NMI of K-subspaces (spectral and 5 Haar starts, best energy) and of k-means (10 starts, least cost) with the classes."""
    data = load_digits()
    if data is None:
        return
    images, labels = data
    digits = numbers("molrg.digits", "digits", cell.digits, int)
    chosen = np.isin(labels, digits)
    X, truth, K = images[chosen].T, labels[chosen], len(digits)
    found = _host.solve_sc(X, K, cell.d, rng, restarts=5)
    yield Case("K-subspaces", mutual_information(np.array(found.partitions[0]), truth))
    yield Case("k-means", mutual_information(_kmeans(X.T, K, rng), truth))


def _kmeans(points, K, rng, restarts=10, steps=50):
    best, chosen = np.inf, None
    for _ in range(restarts):
        centres = points[rng.choice(len(points), K, replace=False)]
        for _ in range(steps):
            nearest = np.sum(centres**2, 1) - 2 * points @ centres.T
            labels = nearest.argmin(1)
            centres = np.stack([points[labels == k].mean(0) if np.any(labels == k) else centres[k] for k in range(K)])
        cost = np.sum((points - centres[labels]) ** 2)
        if cost < best:
            best, chosen = cost, labels
    return chosen
