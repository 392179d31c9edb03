"""What figures of verification share: stored rows by name, axes of counts, labels at the ends of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

__all__ = ["check", "counts", "end_label", "entry", "explored", "slope"]


def check(summary: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    """A check of a summary; without rows if there is none of that name."""
    found = (c for c in (summary or {"checks": ()})["checks"] if c["name"] == name)
    return next(found, {"rows": (), "falsifiers": ()})


def explored(summary: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    """The points of an experiment that is drawn and not judged; none if it was not run."""
    return next((e["points"] for e in (summary or {}).get("explored", ()) if e["name"] == name), [])


def counts(axis: Any, ticks: Sequence[int]) -> None:
    """A log axis of whole numbers, labelled at `ticks` only."""
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    axis.set_ticks(ticks)
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def end_label(ax: Any, x: float, y: float, text: str, color: Any, up: float = 0.0) -> None:
    """The name of a line, at its right end; `up` points higher where two ends are close."""
    ax.annotate(text, (x, y), (6, up), textcoords="offset points", va="center", fontsize=8, color=color, annotation_clip=False)


def entry(label: str, **style: Any) -> Line2D:
    """A legend entry; without a style a note among the entries."""
    return Line2D([], [], label=label, **(style or {"ls": "none"}))


def slope(row: Mapping[str, Any]) -> str:
    """A judged exponent with half the width of its interval."""
    text = f"slope {row['estimate']:.2f} ± {(row['high'] - row['low']) / 2:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")
