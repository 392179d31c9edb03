"""What figures of adaptive share: rows of a falsifier, intervals as bars, plain numbers on log axes and in words, labels of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

__all__ = ["Summaries", "bars_of", "end_label", "lied", "listed", "plain_log"]

Summaries = Mapping[str, Mapping[str, Any]]


def lied(check: Mapping[str, Any] | None, name: str) -> Sequence[Mapping[str, Any]]:
    """The rows of one falsifier of a check; none if it was not run."""
    return next((f["rows"] for f in (check or {"falsifiers": ()})["falsifiers"] if f["name"] == name), ())


def bars_of(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """From each estimate down to the lower and up to the upper end of its stored interval, float64 [2, rows]."""
    return np.array([[r["estimate"] - r["low"], r["high"] - r["estimate"]] for r in rows], dtype=float).T


def plain_log(axis: Any, ticks: Sequence[float]) -> None:
    """A log axis with plain numbers at `ticks` and nothing between."""
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    axis.set_ticks(ticks)
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def end_label(ax: Any, x: float, y: float, text: str, color: Any, up: float = 0.0, **style: Any) -> None:
    """The name of a line at its right end; `up` points higher where two ends are close."""
    style = {"va": "center", "fontsize": 8, "color": color, "annotation_clip": False, **style}
    ax.annotate(text, (x, y), (6, up), textcoords="offset points", **style)


def listed(numbers: Iterable[int]) -> str:
    """Different numbers in words: "50, 500 and 5,000"; "none" of none."""
    words = [f"{n:,}" for n in sorted(set(numbers))] or ["none"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
