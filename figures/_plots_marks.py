"""What the default figures share: colours and marks, text that is measured before it is wrapped, axes of values, the legend."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from figures import _series

__all__ = [
    "FALSIFIER", "FORBIDDEN", "HATCH", "MARGIN", "MARKERS", "WIDTH", "WORLDS", "WRONG_BOUNDS", "Legend", "apply", "at_edge", "colour",
    "grey", "wrapped",
]  # fmt: skip

FALSIFIER = "#D55E00"  # vermilion
WIDTH = 7.4  # of a figure, inches
MARKERS = "osD^vP"
WORLDS = ("x", "+", "*", "X", "P", "H")
WRONG_BOUNDS = ("d", "s", "v", "^", "<", ">")  # hollow: a wrong number in the bound's place
MARGIN = {"color": "k", "alpha": 0.13, "lw": 0}
FORBIDDEN = {"facecolor": "0.965", "edgecolor": "0.8", "hatch": "////", "lw": 0, "zorder": 0}
HATCH = 0.4  # width of a hatch's lines


def colour(i: int) -> str:
    return f"C{i % 5}"  # the sixth of a cycle may be black, which is for bounds


def grey() -> dict[str, Any]:
    """Marks of what was not judged: hollow, so that they are seen around others."""
    return {"color": "0.55", "markerfacecolor": "none", "markeredgecolor": "0.55"}


@functools.lru_cache(maxsize=20_000)
def _points_wide(text: str, size: float) -> float:
    return float(text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)[0])


def wrapped(text: str, inches: float, size: float) -> str:
    """Text in lines of at most so many inches at a font size; nothing is cut."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and _points_wide(longer, size) > 68 * inches:  # hinted letters are wider
            lines.append(line)
            line = word
        else:
            line = longer
    return "\n".join([*lines, line])


class Legend:
    """What is in a picture, in the order in which it was named; one entry a text."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    def add(self, text: str, **style: Any) -> None:
        """A line or a mark, by the style that it is drawn with."""
        self.entries.setdefault(text, Line2D([], [], **{"color": "k", "ls": "none", **style}))

    def patch(self, text: str, **style: Any) -> None:
        self.entries.setdefault(text, Patch(**style))

    def place(self, fig: Any, size: float) -> Any:
        names = [wrapped(text, WIDTH - 0.75, size) for text in self.entries]
        return fig.legend(
            list(self.entries.values()), names, loc="upper left", bbox_to_anchor=(0.012, 0.5), borderaxespad=0, fontsize=size,
            handlelength=2.2, labelspacing=0.35, borderpad=0, numpoints=1,
        )  # fmt: skip


def apply(ax: Any, which: str, scale: _series.Scale, inches: float, whole: bool = False) -> None:
    """Limits, scale and ticks of one axis of values, "x" or "y". whole: all values are whole numbers."""
    axis, limits = (ax.xaxis, ax.set_xlim) if which == "x" else (ax.yaxis, ax.set_ylim)
    most = max(3, int(inches / (0.75 if which == "x" else 0.38)))
    if scale.kind == "log":
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        low = scale.low if scale.floor is None else scale.floor
        room = max((scale.high / low) ** 0.05, 1.03)
        limits(low / room, scale.high * room)
        ticks = _series.log_ticks(scale.low if scale.floor is not None else low / room, scale.high * room, most)
        if scale.floor is not None:
            ticks = [scale.floor, *(v for v in ticks if v > 1.5 * scale.floor)]
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FuncFormatter(lambda v, _: "0" if scale.floor is not None and v == scale.floor else _series.number(v)))
        axis.set_minor_locator(NullLocator())
    elif scale.kind == "symlog":
        (ax.set_xscale if which == "x" else ax.set_yscale)("symlog", linthresh=scale.linthresh)
        low, high = scale.low * (1.6 if scale.low < 0 else 0.6), scale.high * 1.6
        limits(low, high)
        decades = [scale.linthresh * 10.0**k for k in range(30) if scale.linthresh * 10.0**k <= max(abs(low), high)]
        ticks = [*(-v for v in decades if -v >= low), 0.0, *(v for v in decades if v <= high)]
        axis.set_major_locator(FixedLocator(ticks[:: max(1, -(-len(ticks) // most))] if len(ticks) > most else ticks))
        axis.set_major_formatter(FuncFormatter(lambda v, _: _series.number(v)))
        axis.set_minor_formatter(NullFormatter())
    else:
        room = 0.06 * (scale.high - scale.low) or 0.1 * abs(scale.high) or 1.0
        limits(scale.low - room, scale.high + room)
        set_ticks(axis, scale.low - room, scale.high + room, most, whole)


def set_ticks(axis: Any, low: float, high: float, most: int, whole: bool) -> None:
    """Round numbers between two ends of a linear axis, with the digits that tell them apart."""
    ticks = [v for v in MaxNLocator(most, integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) if low <= v <= high]
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    digits = next(d for d in range(16) if abs(round(step, d) - step) < 1e-6 * step)
    tiny = max(map(abs, ticks), default=1.0) < 1e-3
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda v, _: _series.number(v) if tiny else f"{v + 0.0:,.{digits}f}".replace("-", "−")))


def at_edge(ax: Any, which: str, scale: _series.Scale, across: float, v: float, color: str = FALSIFIER) -> None:
    """The value of a mark that stands at the edge of the axis since it lies beyond, with an arrow that way."""
    side, text = scale.outside(v), _series.number(v)
    if not side:
        return
    if which == "x":
        shown, align, shift = (f"{text} →", "right", (-7, 0)) if side > 0 else (f"← {text}", "left", (7, 0))
        place, style = (scale.place(v), across), {"ha": align, "va": "center"}
    else:
        low, high = ax.transData.inverted().transform(ax.transAxes.transform([(0.12, 0), (0.88, 0)]))[:, 0]
        align = "left" if across < low else "right" if across > high else "center"
        shown, shift = (f"↑ {text}", (0, -6)) if side > 0 else (f"↓ {text}", (0, 6))
        place, style = (across, scale.place(v)), {"ha": align, "va": "top" if side > 0 else "bottom"}
    box = {"facecolor": "w", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}
    ax.annotate(shown, place, shift, textcoords="offset points", fontsize=6.5, color=color, zorder=6, bbox=box, **style)


def whole_numbers(values: Sequence[float]) -> bool:
    return all(float(v).is_integer() for v in values) and max(map(abs, values), default=0) < 1e7
