"""Cells of the claims that exact computation settles."""

from __future__ import annotations

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = ()
