"""What the papers' own figures share: rows of a falsifier, plain numbers on log axes, names at the ends of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

__all__ = ["Summaries", "end_label", "lied", "plain_log"]

Summaries = Mapping[str, Mapping[str, Any]]


def lied(check: Mapping[str, Any] | None, name: str) -> Sequence[Mapping[str, Any]]:
    """The rows of one falsifier of a check; none if it was not run."""
    return next((f["rows"] for f in (check or {"falsifiers": ()})["falsifiers"] if f["name"] == name), ())


def plain_log(axis: Any, ticks: Sequence[float]) -> None:
    """A log axis with plain numbers at `ticks` and nothing between."""
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    axis.set_ticks(ticks)
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def end_label(ax: Any, x: float, y: float, text: str, color: Any, up: float = 0.0, along: float = 6.0, **style: Any) -> None:
    """The name of a line beside its end: `along` points to the right of it, or to the left if negative, and `up` points higher."""
    style = {"va": "center", "ha": "left" if along > 0 else "right", "fontsize": 8, "color": color, "annotation_clip": False, **style}
    ax.annotate(text, (x, y), (along, up), textcoords="offset points", **style)
