"""Claims of this paper: learned."""

from __future__ import annotations

__all__ = ["CLAIMS"]

CLAIMS = ()
