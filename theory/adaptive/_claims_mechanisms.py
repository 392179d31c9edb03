"""Claims about answering mechanisms under attack: noise, rounds, tracing, leaderboards."""

from __future__ import annotations

__all__ = ["CLAIMS"]

CLAIMS = ()
