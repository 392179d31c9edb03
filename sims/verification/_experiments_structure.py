"""Cells, presets and budgets: structure."""

from __future__ import annotations

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = ()
