"""Simulators for An Efficient Tester-Learner for Halfspaces (theory/halfspaces)."""

from __future__ import annotations

from sims.halfspaces import _experiments_laws, _experiments_trials

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = (*_experiments_laws.EXPERIMENTS, *_experiments_trials.EXPERIMENTS)
