"""What figures of verification share: a check by its name, entries of legends, slopes in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.lines import Line2D

__all__ = ["check", "entry", "slope"]


def check(summary: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    """A check of a summary; without rows if there is none of that name."""
    found = (c for c in (summary or {"checks": ()})["checks"] if c["name"] == name)
    return next(found, {"rows": (), "falsifiers": ()})


def entry(label: str, **style: Any) -> Line2D:
    """A legend entry; without a style a note among the entries."""
    return Line2D([], [], label=label, **(style or {"ls": "none"}))


def slope(row: Mapping[str, Any]) -> str:
    """A judged exponent with half the width of its interval."""
    text = f"slope {row['estimate']:.2f} ± {(row['high'] - row['low']) / 2:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")
