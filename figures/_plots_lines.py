"""Curves: small multiples along an input field, rates with the fan of their window, phase transitions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures import _plots_marks as marks
from figures import _plots_rows, _plots_text, _series
from figures._series import Picture, Point, Scale, numeric

__all__ = ["draw_lines", "draw_phase", "draw_rate"]

_FALSE_DASHES = (":", (0, (4, 1, 1, 1)), (0, (6, 2)))  # of wrong windows and thresholds


def _columns(count: int) -> int:
    return count if count <= 3 else 2 if count == 4 else 3


def _panels(fig: Any, names: Sequence[str], alike: bool = True) -> tuple[list[Any], float]:
    """(axes of small multiples, height in inches). alike: the panels have the same places."""
    columns = _columns(len(names))
    rows = -(-len(names) // columns)
    grid = fig.subplots(rows, columns, sharex=alike, sharey=True, squeeze=False)
    for ax in grid.flat[len(names) :]:
        ax.set_visible(False)
        grid[-2][-1].tick_params(labelbottom=True)
    for ax, name in zip(grid.flat, names, strict=False):
        if name:
            ax.set_title(marks.wrapped(name, marks.WIDTH / columns - 0.7, 8), fontsize=8)
    return list(grid.flat[: len(names)]), 2.9 if len(names) == 1 else 2.5 if rows == 1 else 2.0 * rows


def set_places(ax: Any, values: Sequence[float], inches: float) -> None:
    """The axis of places: log where they grow by factors, ticks at the places themselves if they are few."""
    known = sorted({float(v) for v in values})
    log = known[0] > 0 and known[-1] >= 4 * known[0] and _by_factors(known)
    if log:
        ax.set_xscale("log")
        room = (known[-1] / known[0]) ** 0.06
        ax.set_xlim(known[0] / room, known[-1] * room)
    else:
        room = 0.07 * (known[-1] - known[0]) or 1.0
        ax.set_xlim(known[0] - room, known[-1] + room)

    def place(v: float) -> float:
        return math.log(v / known[0]) / math.log(known[-1] / known[0]) if log else (v - known[0]) / (known[-1] - known[0])

    wide = max(len(_series.number(v)) for v in known) * 0.075 + 0.06
    if len(known) <= 9 and all((place(b) - place(a)) * 0.88 * inches >= wide for a, b in itertools.pairwise(known)):
        ticks = known
    elif log:
        few = len(known) <= 9
        ticks = _thinned(known, place, 0.88 * inches / wide) if few else _series.log_ticks(known[0], known[-1], max(2, int(inches / 0.7)))
    else:
        ticks = []
    if ticks:
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _series.number(round(v, 12))))
    else:
        marks.set_ticks(ax.xaxis, *ax.get_xlim(), max(2, int(inches / 0.6)), marks.whole_numbers(known))
    ax.xaxis.set_minor_locator(NullLocator())


def _thinned(known: Sequence[float], place: Any, most: float) -> list[float]:
    """Places whose labels do not touch, from the last one down."""
    kept = [known[-1]]
    for v in reversed(known[:-1]):
        if place(kept[-1]) - place(v) >= 1 / most:
            kept.append(v)
    return kept[::-1]


def _by_factors(known: Sequence[float]) -> bool:
    """Whether places are spread more evenly by their logs than by themselves."""
    steps = [b - a for a, b in itertools.pairwise(known)]
    factors = [math.log(b / a) for a, b in itertools.pairwise(known)]
    return max(factors) / min(factors) <= max(steps) / min(steps)


def draw_lines(fig: Any, picture: Picture, legend: marks.Legend) -> float:
    """A panel a group, each with its own bound and falsifiers. Returns the height in inches."""
    panels = _series.panels_of(picture)
    silent = [panel for panel in panels if all(p["state"] == "vacuous" for line in panel.lines.values() for p in line)]
    if len(panels) > _series.MOST_PANELS:
        panels = [panel for panel in panels if panel not in silent]
    places = [_places(picture, panel) for panel in panels]
    alike = _overlap(places)
    axes, height = _panels(fig, [panel.name for panel in panels], alike)
    columns, bars = _columns(len(panels)), picture.check["relation"] != "EXACT"
    inches = (marks.WIDTH - 1.0) / columns - 0.15
    scale = _series.heights_of(picture)
    values = [v for p in picture.points for v in (p["estimate"], p["bound"]) if numeric(v)]
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    for ax, panel, at in zip(axes, panels, places, strict=True):
        marks.apply(ax, "y", scale, height / max(1, -(-len(panels) // columns)), marks.whole_numbers(values))
        set_places(ax, [v for each in places for v in each] if alike else at, inches)
        one_bound = _one_bound(picture, panel)
        for k, (name, line) in enumerate(panel.lines.items()):
            _draw_line(ax, picture, line, names.index(name), len(panel.lines), scale, bars, one_bound and k == 0, one_bound)
        for j, name, found in panel.wrong:
            about = marks.colour(names.index(name)) if len(panel.lines) > 1 and name in names else None
            _draw_wrong(ax, picture, j, found, scale, bars, about)
    seen = {name for panel in panels for name, line in panel.lines.items() if any(numeric(p["estimate"]) for p in line)}
    for i, name in enumerate(names):
        if name not in seen:
            continue
        text = _plots_text.estimate_text(picture) if i == 0 else ""
        joined = any(len(panel.lines.get(name, ())) >= 3 for panel in panels)
        style = {
            "marker": marks.MARKERS[i],
            "ms": _size(i, len(names)),
            "color": marks.colour(i),
            "ls": "-" if joined else "none",
            "lw": 1.1,
        }
        legend.add("; ".join(filter(None, (name, text))), **style)
    coloured = picture.side != "equal" and any(len(panel.lines) > 1 and not _one_bound(picture, panel) for panel in panels)
    _plots_rows.explain_bound(picture, legend, _plots_rows.margin_seen(picture, axes[0].get_ylim(), scale), True, coloured)
    if bars:
        legend.add(_plots_text.bars_text(picture), marker="|", ms=9, mew=1.1, color=marks.colour(0))
    for j, (f, found) in enumerate(picture.wrong):
        here = [line for panel in panels for k, _, line in panel.wrong if k == j]
        if here:
            joined = f["kind"] == "bound" and any(len(line) >= 2 for line in here)
            tied = "; filled with the colour of the line that it is about" if len(seen) > 1 else ""
            style = _style(f, j, "0.7" if tied else None)
            legend.add(_plots_text.falsifier_text(picture, f, found) + tied, **{**style, "ls": ":" if joined else "none"})
    for f in picture.unseen:
        legend.add(_plots_text.unseen_text(f), color=marks.FALSIFIER)
    if text := _plots_text.vacuous_text(picture):
        hidden = [panel.name for panel in silent if panel not in panels]
        some = f" ({'; '.join(hidden)}: no panel)" if hidden else ""
        legend.add(text + some, marker="o", ms=5, **marks.grey())
    return height


def _places(picture: Picture, panel: _series.Panel) -> list[float]:
    points = [*(p for line in panel.lines.values() for p in line), *(p for _, _, found in panel.wrong for p in found)]
    return [float(p["cell"][picture.axis]) for p in points]


def _one_bound(picture: Picture, panel: _series.Panel) -> bool:
    """Whether all lines of a panel have the same bound."""
    return len({tuple((p["cell"][picture.axis], p["bound"]) for p in line) for line in panel.lines.values()}) == 1


def _overlap(places: Sequence[Sequence[float]]) -> bool:
    """Whether panels can share their axis of places: each of them takes up a third of it at least."""
    everything = [v for each in places for v in each]
    if len(places) == 1 or min(everything) <= 0:
        return True
    span = math.log(max(everything) / min(everything))
    return all(3 * math.log(max(each) / min(each)) >= span for each in places)


def _size(i: int, count: int) -> float:
    """Marks of lines that may lie on one another: the earlier the larger."""
    return 4.5 if count == 1 else 4.0 + 1.2 * (count - 1 - i)


def _draw_line(
    ax: Any, picture: Picture, line: Sequence[Point], i: int, count: int, scale: Scale, bars: bool, first: bool, alike: bool
) -> None:
    judged = [p for p in line if p["state"] == "judged" and numeric(p["bound"])]
    x = np.array([p["cell"][picture.axis] for p in judged], dtype=float)
    bound = np.array([scale.place(p["bound"]) for p in judged])
    low, high = ax.get_ylim()
    if alike and not first:
        pass  # the bound of this panel is drawn
    elif picture.side == "equal" and judged:
        margin = np.array([p["margin"] if numeric(p["margin"]) else 0.0 for p in judged])
        ends = [np.maximum([p["bound"] for p in judged] + sign * margin, low) for sign in (-1, 1)]
        ax.fill_between(x, *ends, **marks.MARGIN)
    elif (judged and count == 1) or first:
        style = {**marks.FORBIDDEN, "linewidth": 0}
        style.pop("lw")
        ax.fill_between(x, bound, high if picture.side == "upper" else low, **style)
    if judged and (first or not alike):
        ax.plot(
            x,
            bound,
            color="k" if alike or picture.side == "equal" else marks.colour(i),
            ls="--",
            lw=1.3 if alike else 1.0,
            marker="_" if len(x) < 3 else None,
            ms=14,
            zorder=4,
        )
    for p in line:
        if p["state"] == "vacuous" and not numeric(p["estimate"]):
            ax.plot(p["cell"][picture.axis], scale.place(p["bound"]), marker="o", ms=5, ls="none", zorder=5, clip_on=False, **marks.grey())
    shown = [p for p in line if numeric(p["estimate"])]
    if not shown:
        return
    at = np.array([p["cell"][picture.axis] for p in shown], dtype=float)
    y = np.array([scale.place(p["estimate"]) for p in shown])
    if bars:
        ends = [np.array([scale.place(p[k]) if numeric(p[k]) else scale.place(p["estimate"]) for p in shown]) for k in ("low", "high")]
        ax.errorbar(at, y, [y - ends[0], ends[1] - y], fmt="none", ecolor=marks.colour(i), capsize=2.5, elinewidth=1.0, zorder=2.5)
    for silent, color in ((True, "0.7"), (False, marks.colour(i))):  # grey where nothing is judged, or between that and the next place
        hidden = [bool(scale.outside(p["estimate"])) or (p["state"] != "judged" and not silent) for p in shown]
        ax.plot(at, [math.nan if h else v for h, v in zip(hidden, y, strict=True)], color=color, lw=1.0 if len(at) >= 3 else 0, zorder=3)
    for state, style in (("judged", {"color": marks.colour(i)}), ("vacuous", marks.grey()), ("outside", marks.grey())):
        here = [k for k, p in enumerate(shown) if p["state"] == state]
        if here:
            ax.plot(at[here], y[here], marker=marks.MARKERS[i], ms=_size(i, count), ls="none", zorder=5 + 0.1 * i, clip_on=False, **style)
    for p in shown:
        marks.at_edge(ax, "y", scale, p["cell"][picture.axis], p["estimate"], marks.colour(i) if p["state"] == "judged" else "0.45")


def _style(f: Any, j: int, about: str | None) -> dict[str, Any]:
    """A falsifier's mark; filled with the colour of its line where a panel has several."""
    style = _plots_rows.wrong_style(f, j)
    if about is None:
        return style
    return {**style, "marker": style["marker"] if f["kind"] == "bound" else "XP*H"[j % 4], "ms": 6.5, "mew": 1.1, "markerfacecolor": about}


def _draw_wrong(ax: Any, picture: Picture, j: int, found: Sequence[Point], scale: Scale, bars: bool, about: str | None) -> None:
    f = picture.wrong[j][0]
    known = [p for p in found if numeric(_series.wrong_value(f, p))]
    x = np.array([p["cell"][picture.axis] for p in known], dtype=float)
    y = np.array([scale.place(_series.wrong_value(f, p)) for p in known])
    if bars and f["kind"] == "world":
        ends = [np.array([scale.place(p[k]) if numeric(p[k]) else at for p, at in zip(known, y, strict=True)]) for k in ("low", "high")]
        ax.errorbar(
            x, y, [np.maximum(y - ends[0], 0), np.maximum(ends[1] - y, 0)], fmt="none", ecolor=marks.FALSIFIER, capsize=2, elinewidth=0.9
        )
    style = _style(f, j, about)
    if f["kind"] == "bound" and len(x) >= 2:
        ax.plot(x, y, color=marks.FALSIFIER, ls=":", lw=1.3, zorder=4)
    ax.plot(x, y, zorder=5, clip_on=False, **style)
    for p in known:
        marks.at_edge(ax, "y", scale, p["cell"][picture.axis], _series.wrong_value(f, p))


# --- rates ---------------------------------------------------------------------------------------------------------


def draw_rate(fig: Any, picture: Picture, legend: marks.Legend) -> float:
    """Data on log-log axes with the fan of slopes that the check declares, through the data's centre: the height is not predicted."""
    ax, check = fig.subplots(), picture.check
    row, points = check["rows"][0], sorted(picture.points, key=lambda p: p["cell"][picture.axis])
    x, y = (np.array([p[k] if k == "estimate" else p["cell"][picture.axis] for p in points], dtype=float) for k in ("axis", "estimate"))
    ends = [np.array([p[k] for p in points], dtype=float) for k in ("low", "high")]
    ax.set_yscale("log")
    ax.errorbar(x, y, [y - ends[0], ends[1] - y], fmt="o", color=marks.colour(0), capsize=3, elinewidth=1.0, ms=4.5, zorder=5)
    fine = np.geomspace(x[0] / 1.05, x[-1] * 1.05, 50)

    def through(slope: float) -> np.ndarray:
        """A slope through the data's centre; an infinite one is as steep as can be drawn."""
        steep = math.copysign(200.0, slope) if math.isinf(slope) else slope
        return np.exp(np.mean(np.log(y)) + steep * (np.log(fine) - np.mean(np.log(x))))

    fans: list[tuple[Sequence[float], dict[str, Any]]] = [(row["margin"], {**marks.MARGIN, "zorder": 1})]
    ax.plot(fine, through(row["estimate"]), color=marks.colour(0), lw=1.1, zorder=3)
    for slope in filter(numeric, row["margin"]):
        ax.plot(fine, through(slope), color="k", ls="--", lw=1.0, zorder=4)
    legend.add("estimate, the centre over replicates (as the check fits it)", marker="o", ms=4.5, color=marks.colour(0))
    legend.add(_plots_text.bars_text(picture), marker="|", ms=9, color=marks.colour(0))
    legend.add(_plots_text.slope_text(check), ls="-", lw=1.1, color=marks.colour(0))
    legend.add(
        f"window declared for the slope: {_plots_text.window_text(row)}, through the data's centre: the height is fitted, not predicted",
        ls="--",
        lw=1.0,
    )
    wrongs = 0
    for f in check["falsifiers"]:
        if f["kind"] == "bound" and f["rows"]:
            ls, wrongs = _FALSE_DASHES[wrongs % 3], wrongs + 1
            false = f["rows"][0]["margin"]
            for slope in filter(numeric, false):
                ax.plot(fine, through(slope), color=marks.FALSIFIER, ls=ls, lw=1.1, zorder=2)
            fans.append((false, {"color": marks.FALSIFIER, "alpha": 0.09, "lw": 0, "zorder": 1}))
            window = "" if "window" in f["breaks"] else f": window {_plots_text.window_text(f['rows'][0])}"
            legend.add(_plots_text.falsifier_text(picture, f, []) + window, ls=ls, lw=1.1, color=marks.FALSIFIER)
    reach = [*x]
    for j, (f, found) in enumerate(picture.wrong):
        found = sorted(found, key=lambda p: p["cell"][picture.axis])
        at, seen = (np.array([p["cell"][picture.axis] if k else p["estimate"] for p in found], dtype=float) for k in (1, 0))
        ends = [np.array([p[k] for p in found], dtype=float) for k in ("low", "high")]
        style = {**_plots_rows.wrong_style(f, j), "ls": ":"}
        ax.errorbar(at, seen, [seen - ends[0], ends[1] - seen], ecolor=marks.FALSIFIER, capsize=2, elinewidth=0.9, **style)
        own = f["rows"][0]
        slope = f": slope {_series.number(round(own['estimate'], 2))}" if numeric(own["estimate"]) else ""
        legend.add(f"{_plots_text.falsifier_text(picture, f, found)}{slope} ({own['num_replicates']:,} replicates)", **style)
        reach += [*at]
    set_places(ax, reach, 6.0)
    bottom, top = ax.get_ylim()
    if top < 2.5 * bottom:  # or noise looks like a trend
        middle = math.sqrt(top * bottom)
        bottom, top = middle / 1.6, middle * 1.6
    for (low, high), style in fans:
        ax.fill_between(fine, through(low), through(high), **style)
    ax.set_ylim(bottom, top)
    ax.yaxis.set_major_locator(FixedLocator(_series.log_ticks(bottom, top, 7)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _series.number(float(f"{v:.6g}"))))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(_series.axis_word(str(picture.axis), picture.paper))
    return 3.3


# --- phase transitions ------------------------------------------------------------------------------------------------


def draw_phase(fig: Any, picture: Picture, legend: marks.Legend) -> float:
    """Success along the field whose predicted threshold, a place and no height, parts rare from common; a panel a group."""
    panels, known = _series.panels_of(picture), _series.declared(picture.check)
    axes, height = _panels(fig, [panel.name for panel in panels])
    rare, common = known.phase if known is not None else (0.25, 0.75)
    places = [v for p in picture.points for v in (p["cell"][picture.axis], p["bound"])]
    places += [p["bound"] for f, found in picture.wrong if f["kind"] == "bound" for p in found]
    for ax, panel in zip(axes, panels, strict=True):
        ax.set_ylim(-0.05, 1.05)
        low, high = min(places) - 0.08 * (max(places) - min(places)), max(places) + 0.08 * (max(places) - min(places))
        ax.set_xlim(low, high)
        marks.set_ticks(ax.xaxis, low, high, 7, marks.whole_numbers([p["cell"][picture.axis] for p in picture.points]))
        (line,) = panel.lines.values()
        for bound, margin in sorted({(p["bound"], p["margin"]) for p in line}):
            ax.axvline(bound, color="k", ls="--", lw=1.3)
            ax.axvspan(bound - margin, bound + margin, color="0.5", alpha=0.13, lw=0)
            ax.plot([low, bound - margin], [rare, rare], color="k", lw=1.0, ls="-.")
            ax.plot([bound + margin, high], [common, common], color="k", lw=1.0, ls="-.")
        x, y = (np.array([p["cell"][picture.axis] if k else p["estimate"] for p in line], dtype=float) for k in (1, 0))
        ends = [np.array([p[k] for p in line], dtype=float) for k in ("low", "high")]
        ax.errorbar(
            x, y, [y - ends[0], ends[1] - y], fmt="o", color=marks.colour(0), capsize=3, elinewidth=1.0, ms=5, zorder=5, clip_on=False
        )
        for j, _, found in panel.wrong:
            f = picture.wrong[j][0]
            if f["kind"] == "bound":
                for at in sorted({p["bound"] for p in found}):
                    ax.axvline(at, color=marks.FALSIFIER, ls=_FALSE_DASHES[j % 3], lw=2.0, zorder=3)
            else:
                ax.plot([p["cell"][picture.axis] for p in found], [p["estimate"] for p in found], zorder=5, **_plots_rows.wrong_style(f, j))
    legend.add("estimate, the share over replicates", marker="o", ms=5, color=marks.colour(0))
    legend.add("predicted threshold, a place on the axis", ls="--", lw=1.3)
    legend.patch("not judged: too near the threshold", color="0.5", alpha=0.13, lw=0)
    legend.add(f"levels judged: at most {rare:g} before the threshold, at least {common:g} after it", ls="-.", lw=1.0)
    legend.add(_plots_text.bars_text(picture), marker="|", ms=9, color=marks.colour(0))
    for j, (f, found) in enumerate(picture.wrong):
        style = {"ls": _FALSE_DASHES[j % 3], "lw": 2.0, "color": marks.FALSIFIER} if f["kind"] == "bound" else _plots_rows.wrong_style(f, j)
        legend.add(_plots_text.falsifier_text(picture, f, found), **style)
    return height
