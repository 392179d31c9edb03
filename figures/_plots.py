"""The figure that every check gets: estimate with its bars, bound, margin, vacuous cells, falsifiers, and what it all means.

A script reads stored summaries and draws; it never simulates. The picture is one of five, chosen by the data (figures/_series): small
multiples along an input, rows of a dot plot, ratios to the bound, a rate, a phase transition. Title: the check's verdict and formula;
below the picture its legend, and below that the claim, whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from figures import _plots_lines, _plots_rows, _plots_text, _series
from figures import _plots_marks as marks
from figures._plots_marks import FALSIFIER

__all__ = ["FALSIFIER", "STYLE", "draw_check", "save"]

STYLE = str(Path(__file__).with_name("theory.mplstyle"))
_DRAWN = {
    "lines": _plots_lines.draw_lines,
    "rate": _plots_lines.draw_rate,
    "phase": _plots_lines.draw_phase,
    "rows": _plots_rows.draw_rows,
    "ratio": _plots_rows.draw_ratio,
}
_TITLE, _FORMULA, _LABEL, _LEGEND, _CAPTION = 9.5, 8.5, 8.5, 7.5, 7.0  # font sizes
_LINE = 1.25 / 72  # inches of a line of text for each point of its size


def save(fig: Any, path: Path) -> None:
    """Writes a PNG without a date, so that a rerun gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, metadata={"Software": None})
    plt.close(fig)


def draw_check(claim_id: str, statement: str, check: Mapping[str, Any]) -> Any:
    """The default figure of one check of a summary; None if it holds nothing to draw."""
    picture = _series.picture_of(check)
    if picture is None:
        return None
    fig, legend = plt.figure(layout="none"), marks.Legend()
    with plt.rc_context({"hatch.linewidth": marks.HATCH, "xtick.labelsize": 8, "ytick.labelsize": 8}):
        height = _DRAWN[picture.kind](fig, picture, legend)
    _assemble(fig, claim_id, statement, picture, legend, height)
    return fig


def _labels(fig: Any, picture: _series.Picture) -> tuple[str, str]:
    """(label below with, in a line of its own, what all cells share; label at the side, wrapped to the height of the picture)."""
    values, fixed = _plots_text.height_text(picture), _series.constants_of(picture)
    axes = [ax for ax in fig.axes if ax.get_visible()]
    if picture.kind == "rows":
        floor = any(t.get_text() == "0" for t in axes[0].get_xticklabels()) and axes[0].get_xscale() == "log"
        across, along = values + (": log axis, exactly 0 at its left end" if floor else ""), ""
    else:
        across, along = axes[0].get_xlabel() or _series.axis_word(str(picture.axis), picture.paper), values
        axes[0].set_xlabel("")
    below = [marks.wrapped(across, marks.WIDTH - 1, _LABEL), *([marks.wrapped(f"all: {fixed}", marks.WIDTH - 1, _LABEL)] if fixed else [])]
    return "\n".join(below), marks.wrapped(along, 4.0 if len(axes) > 3 else 2.5, _LABEL) if along else ""


def _assemble(fig: Any, claim_id: str, statement: str, picture: _series.Picture, legend: marks.Legend, height: float) -> None:
    """Title above, legend and claim below, and a figure as high as they need."""
    wide = marks.WIDTH - 0.2
    standing = _plots_text.provenance_text(picture.check)
    head = marks.wrapped("; ".join(filter(None, (_plots_text.title_of(claim_id, picture.check), standing))), wide, _TITLE)
    formula = marks.wrapped(_series.pretty(picture.check["formula"]), wide, _FORMULA)
    claim = marks.wrapped(f"Claim: {_series.pretty(statement)}", wide, _CAPTION)
    across, along = _labels(fig, picture)
    box = legend.place(fig, _LEGEND)
    key = box.get_window_extent(fig.canvas.get_renderer()).height / fig.dpi
    heads, formulas, claims, labels = (
        (text.count("\n") + 1) * size * _LINE for text, size in ((head, _TITLE), (formula, _FORMULA), (claim, _CAPTION), (across, _LABEL))
    )
    side = (along.count("\n") + 1) * _LABEL * _LINE + 0.05 if along else 0.0
    above, beneath = heads + formulas + 0.16, claims + key + labels + 0.34
    total = above + height + beneath
    fig.set_size_inches(marks.WIDTH, total)
    _fit(fig, side + 0.09, beneath, marks.WIDTH - 0.09, beneath + height)
    style = {"parse_math": False, "linespacing": 1.2}
    fig.text(0.012, 1 - 0.06 / total, head, fontsize=_TITLE, va="top", **style)
    fig.text(0.012, 1 - (0.09 + heads) / total, formula, fontsize=_FORMULA, color="0.2", va="top", **style)
    fig.text(0.5, (beneath - 0.02) / total, across, fontsize=_LABEL, ha="center", va="top", **style)
    if along:
        fig.text(
            0.012, (beneath + 0.53 * height) / total, along, fontsize=_LABEL, rotation=90, ha="left", va="center", ma="center", **style
        )
    box.set_bbox_to_anchor((0.012, (claims + key + 0.2) / total))
    fig.text(0.012, (claims + 0.07) / total, claim, fontsize=_CAPTION, color="0.3", va="top", **style)


def _fit(fig: Any, left: float, bottom: float, right: float, top: float) -> None:
    """Puts the axes with their ticks, titles and marginal texts into a box of the figure, in inches."""
    renderer, axes = fig.canvas.get_renderer(), [ax for ax in fig.axes if ax.get_visible()]
    wide, high = fig.get_size_inches()
    rows, columns = axes[0].get_subplotspec().get_gridspec().get_geometry()
    fig.subplots_adjust(left / wide, bottom / high, right / wide, top / high)
    tight, bare = [ax.get_tightbbox(renderer) for ax in axes], [ax.get_window_extent(renderer) for ax in axes]
    over = [max(sign * (getattr(b, k) - getattr(t, k)) for t, b in zip(tight, bare, strict=True)) / fig.dpi
            for k, sign in (("x0", 1), ("y0", 1), ("x1", -1), ("y1", -1))]  # fmt: skip
    left, bottom, right, top = left + over[0], bottom + over[1], right - over[2], top - over[3]
    inner = [(b.y0 - t.y0) / fig.dpi for ax, t, b in zip(axes, tight, bare, strict=True) if not ax.get_subplotspec().is_last_row()]
    gap = max(inner, default=0.0) + over[3] + 0.1
    each = ((right - left - 0.16 * (columns - 1)) / columns, (top - bottom - gap * (rows - 1)) / rows)
    fig.subplots_adjust(left / wide, bottom / high, right / wide, top / high, 0.16 / each[0], gap / each[1])
