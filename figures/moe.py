"""Figures of mixtures of experts with a temperature."""

from __future__ import annotations

from figures import _moe_law, _moe_rates

__all__ = ["FIGURES"]

FIGURES = {**_moe_rates.FIGURES, **_moe_law.FIGURES}
