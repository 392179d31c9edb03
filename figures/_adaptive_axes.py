"""What figures of adaptive share: intervals as bars, numbers in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["bars_of", "listed"]


def bars_of(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """From each estimate down to the lower and up to the upper end of its stored interval, float64 [2, rows]."""
    return np.array([[r["estimate"] - r["low"], r["high"] - r["estimate"]] for r in rows], dtype=float).T


def listed(numbers: Iterable[int]) -> str:
    """Different numbers in words: "50, 500 and 5,000"; "none" of none."""
    words = [f"{n:,}" for n in sorted(set(numbers))] or ["none"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
