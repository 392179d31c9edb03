"""Figures of the tester-learner for halfspaces."""

from __future__ import annotations

from figures import _halfspaces_angles, _halfspaces_testers

__all__ = ["FIGURES"]

FIGURES = {**_halfspaces_angles.FIGURES, **_halfspaces_testers.FIGURES}
