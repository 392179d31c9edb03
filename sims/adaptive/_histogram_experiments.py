"""Cells, presets and budgets of multiplicative weights, the median mechanism and the reusable holdout."""

from __future__ import annotations

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = ()
