"""Simulators for Is Temperature Sample Efficient for Softmax Gaussian Mixture of Experts? (theory/moe).

One replicate is one simulated study: data, start, maximum-likelihood fit, losses, in float64.
"""

from __future__ import annotations

from sims.moe import _experiments_exact, _experiments_sampled
from sims.moe._bite import bite_command

__all__ = ["COMMANDS", "EXPERIMENTS"]

EXPERIMENTS = (*_experiments_exact.EXPERIMENTS, *_experiments_sampled.EXPERIMENTS)

COMMANDS = {"bite": bite_command}
