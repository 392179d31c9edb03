"""Cells, presets and budgets of the claims about mechanisms under attack."""

from __future__ import annotations

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = ()
