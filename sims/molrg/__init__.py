"""Simulators for Diffusion Models Learn Low-Dimensional Distributions via Subspace Clustering (theory/molrg)."""

from __future__ import annotations

from sims.molrg import _experiments_clusters, _experiments_exact, _experiments_mixture, _experiments_recovery

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = (
    *_experiments_exact.EXPERIMENTS,
    *_experiments_mixture.EXPERIMENTS,
    *_experiments_recovery.EXPERIMENTS,
    *_experiments_clusters.EXPERIMENTS,
)
