"""Figures of verifier-based against verifier-free scaling."""

from __future__ import annotations

from figures import _verification_blocks, _verification_learned, _verification_regimes, _verification_structure

__all__ = ["FIGURES"]

FIGURES = {
    **_verification_blocks.FIGURES,
    **_verification_regimes.FIGURES,
    **_verification_structure.FIGURES,
    **_verification_learned.FIGURES,
}
