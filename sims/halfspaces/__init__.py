"""Simulators for An Efficient Tester-Learner for Halfspaces (theory/halfspaces), and the tester-learner for data of one's own."""

from __future__ import annotations

from sims.halfspaces import _experiments_laws, _experiments_trials
from sims.halfspaces._learn import Outcome, Test, learn_and_test, learn_command, read_table, whitened

__all__ = ["COMMANDS", "EXPERIMENTS", "Outcome", "Test", "learn_and_test", "learn_command", "read_table", "whitened"]

EXPERIMENTS = (*_experiments_laws.EXPERIMENTS, *_experiments_trials.EXPERIMENTS)

COMMANDS = {"learn": learn_command}
