"""Claims of this paper: structure."""

from __future__ import annotations

__all__ = ["CLAIMS"]

CLAIMS = ()
