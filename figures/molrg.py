"""Figures of recovery by diffusion models: the paper's diagrams, and where its guarantees are empty."""

from __future__ import annotations

from figures import _molrg_curves, _molrg_maps

__all__ = ["FIGURES"]

FIGURES = {**_molrg_maps.FIGURES, **_molrg_curves.FIGURES}
