"""Claims about private algorithms that exact computation settles: transfer, composition, max-information, descriptions."""

from __future__ import annotations

__all__ = ["CLAIMS"]

CLAIMS = ()
