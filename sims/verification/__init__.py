"""Simulators for Scaling Test-Time Compute Without Verification or RL is Suboptimal (theory/verification)."""

from __future__ import annotations

from sims.verification import _experiments_blocks, _experiments_learned, _experiments_structure

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = (*_experiments_structure.EXPERIMENTS, *_experiments_blocks.EXPERIMENTS, *_experiments_learned.EXPERIMENTS)
