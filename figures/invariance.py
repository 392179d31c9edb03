"""Figures of invariant representations."""

from __future__ import annotations

from figures import _invariance_notebook, _invariance_thresholds

__all__ = ["FIGURES"]

FIGURES = {**_invariance_notebook.FIGURES, **_invariance_thresholds.FIGURES}
