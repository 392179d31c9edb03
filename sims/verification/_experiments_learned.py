"""Cells, presets and budgets: learned."""

from __future__ import annotations

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = ()
