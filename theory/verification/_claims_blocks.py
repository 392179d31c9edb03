"""Claims of this paper: blocks."""

from __future__ import annotations

__all__ = ["CLAIMS"]

CLAIMS = ()
