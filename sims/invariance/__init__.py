"""Simulators for PAC Generalization via Invariant Representations (theory/invariance).

`certify` is the command of the same name as a function, on a user's own graph.
"""

from __future__ import annotations

from sims.invariance import _experiments_facts, _experiments_theorems
from sims.invariance._certify import Certificate, Environment, certify, certify_command, read_graph

__all__ = ["COMMANDS", "EXPERIMENTS", "Certificate", "Environment", "certify", "read_graph"]

EXPERIMENTS = (*_experiments_facts.EXPERIMENTS, *_experiments_theorems.EXPERIMENTS)

COMMANDS = {"certify": certify_command}
