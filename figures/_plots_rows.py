"""Dot plots: a row a cell or a case, and ratios to the bound where there are more cases than rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.patches import Rectangle

from figures import _plots_marks as marks
from figures import _plots_text, _series
from figures._series import Picture, Point, Row, Scale, numeric

__all__ = ["draw_ratio", "draw_rows", "explain_bound", "margin_seen", "wrong_style"]

_NAMES = 3.0  # most inches for the names of rows


def draw_rows(fig: Any, picture: Picture, legend: marks.Legend) -> float:
    """Draws; returns the height of the picture in inches."""
    rows, series = _series.rows_of(picture), _series.series_of(picture)
    bars = picture.check["relation"] != "EXACT"
    scale = _series.heights_of(picture)
    lanes = max((len({j for j, _, _ in row.wrong}) for row in rows), default=0)
    tall = 0.2 + 0.09 * (len(series) - 1) + (0.1 if lanes < 2 else 0.13) * min(lanes, 3)
    height = tall * len(rows) + 0.15
    ax = fig.subplots()
    names = [marks.wrapped(row.name, _NAMES, 7.5) for row in rows]
    height += 0.1 * sum(max(0, name.count("\n") + 1 - round(tall / 0.13)) for name in names)
    values = [v for p in picture.points for v in (p["estimate"], p["bound"]) if numeric(v)]
    marks.apply(ax, "x", scale, 4.0, marks.whole_numbers(values))
    ax.set_ylim(len(rows) - 0.42, -0.58)
    edges, lone = ax.get_xlim(), _series.lone_of(picture)
    shared = _shared_bound(picture, rows)
    if shared is not None:
        _draw_shared(ax, picture, shared, edges)
    for y, row in enumerate(rows):
        if y:
            ax.axhline(y - 0.5, color="0.9", lw=0.6, zorder=0.5)
        for s in range(len(series)):
            base, reach = _lane(s, len(series)), 0.46 / len(series)
            own = [p for at, p in row.points if at == s]
            if shared is None:
                _draw_bounds(ax, picture, own or _declared(picture, row, s), y + base, reach, scale, edges)
            _draw_own(ax, picture, own, y + base - (0.4 * reach if lanes else 0), s, scale, bars)
            for j, (f, _) in enumerate(picture.wrong):
                false = [p for k, at, p in row.wrong if k == j and at == s]
                lane = y + base + reach * (0.1 + 0.85 * (j + 0.5) / len(picture.wrong))
                _draw_wrong(ax, f, j, false, lane, scale, bars)
                for p in false:
                    if p in lone:
                        ax.plot(
                            [scale.place(p["estimate"])], [lane], marker="s", ms=3.5, ls="none", zorder=4.5, clip_on=False, **marks.grey()
                        )
        if picture.relative and row.name != "" and row.points:
            _write_unit(ax, y, row)
    ax.set_yticks(range(len(rows)), names, fontsize=7.5)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    if all(not name for name in names):
        ax.set_yticks([])
    _explain(picture, legend, series, margin_seen(picture, edges, scale), shared is not None)
    return height + 0.3


def _lane(s: int, count: int) -> float:
    return (s - (count - 1) / 2) * 0.92 / count


def _declared(picture: Picture, row: Row, s: int) -> list[Point]:
    """Points that carry the declared bound of a row in which nothing of the check itself stands: those of a falsifier's world."""
    return [p for j, at, p in row.wrong if at == s and picture.wrong[j][0]["kind"] == "world"][:1]


def _shared_bound(picture: Picture, rows: Sequence[Row]) -> float | None:
    points = [p for row in rows for _, p in row.points if p["state"] == "judged"]
    points += [p for row in rows for j, _, p in row.wrong if picture.wrong[j][0]["kind"] == "world"]
    bounds = {(p["bound"], p["margin"] if picture.side == "equal" else None) for p in points}
    silent = any(p["state"] != "judged" for p in picture.points)
    return bounds.pop()[0] if len(bounds) == 1 and len(rows) > 1 and not silent else None


def _draw_shared(ax: Any, picture: Picture, bound: float, edges: tuple[float, float]) -> None:
    ax.axvline(bound, color="k", ls="--", lw=1.2, zorder=4)
    margin = next(p["margin"] for p in picture.points if p["state"] == "judged")
    if picture.side == "equal":
        if numeric(margin):
            ax.axvspan(bound - margin, bound + margin, **marks.MARGIN, zorder=0.3)
    else:
        ax.axvspan(*((bound, edges[1]) if picture.side == "upper" else (edges[0], bound)), **marks.FORBIDDEN)


def _draw_bounds(
    ax: Any, picture: Picture, points: Sequence[Point], y: float, reach: float, scale: Scale, edges: tuple[float, float]
) -> None:
    """The bound of a row as a tick, with the forbidden side or the margin beside it."""
    for bound, margin, state in dict.fromkeys((p["bound"], p["margin"], p["state"]) for p in points):
        if not numeric(bound) or (state == "vacuous" and scale.outside(bound)):
            continue
        at, color = scale.place(bound), "k" if state == "judged" else "0.55"
        ax.plot(
            [at, at], [y - reach, y + reach], color=color, lw=1.6, ls="-" if state == "judged" else ":", zorder=4, solid_capstyle="butt"
        )
        if picture.side == "equal" and numeric(margin):
            low, high = (max(v, edges[0]) for v in (bound - margin, bound + margin))
            ax.add_patch(Rectangle((low, y - reach), high - low, 2 * reach, **marks.MARGIN))
        elif picture.side != "equal" and state == "judged":
            low, high = (at, edges[1]) if picture.side == "upper" else (edges[0], at)
            ax.add_patch(Rectangle((low, y - reach), high - low, 2 * reach, **marks.FORBIDDEN))


def _draw_own(ax: Any, picture: Picture, points: Sequence[Point], y: float, s: int, scale: Scale, bars: bool) -> None:
    for p in points:
        if bars and numeric(p["low"]) and numeric(p["high"]):
            ax.plot([scale.place(p["low"]), scale.place(p["high"])], [y, y], color=marks.colour(s), lw=1.1, marker="|", ms=4.5, zorder=2.5)
    shown = [p for p in points if numeric(p["estimate"])]
    counted = _counted(shown, scale, "estimate")
    for (at, state), count in counted.items():
        style = {"color": marks.colour(s), "ms": 5} if state == "judged" else {**marks.grey(), "ms": 6.5}
        ax.plot([at], [y], marker=marks.MARKERS[s], ls="none", zorder=5, clip_on=False, **style)
        if count > 1 and _alone(at, counted, scale):
            ax.annotate(f"×{count}", (at, y), (5, -2), textcoords="offset points", fontsize=6, color="0.3", zorder=6)
    for p in shown:
        marks.at_edge(ax, "x", scale, y, p["estimate"], marks.colour(s))
    for p in points:
        if p["state"] == "vacuous" and not numeric(p["estimate"]):
            ax.plot([scale.place(p["bound"])], [y], marker="o", ms=5, ls="none", zorder=5, clip_on=False, **marks.grey())
            marks.at_edge(ax, "x", scale, y, p["bound"], "0.45")


def _counted(points: Sequence[Point], scale: Scale, key: str) -> dict[tuple[float, str], int]:
    """How many points stand at one place, to a 120th of the axis."""
    found: dict[tuple[Any, str], tuple[float, int]] = {}
    for p in points:
        spot = (round(120 * along(scale, p[key])), p["state"])
        first, count = found.get(spot, (scale.place(p[key]), 0))
        found[spot] = (first, count + 1)
    return {(first, state): count for (_, state), (first, count) in found.items()}


def _alone(at: float, counted: dict[tuple[float, str], int], scale: Scale) -> bool:
    """Whether a number has room at the right of a mark."""
    return sum(0 <= along(scale, other) - along(scale, at) < 0.035 for other, _ in counted) == 1  # itself


def along(scale: Scale, v: float) -> float:
    """Where a value stands, as a part of the axis."""
    if scale.kind == "log":
        low = scale.floor or scale.low
        return math.log(scale.place(v) / low) / (math.log(scale.high / low) or 1.0)
    return (v - scale.low) / ((scale.high - scale.low) or 1.0)


def wrong_style(f: Any, j: int) -> dict[str, Any]:
    """How a falsifier's marks look: a wrong bound hollow, what a wrong world gives as a cross."""
    if f["kind"] == "bound":
        return {"marker": marks.WRONG_BOUNDS[j % 6], "ms": 5.5, "mew": 1.3, "markerfacecolor": "w", "color": marks.FALSIFIER, "ls": "none"}
    return {"marker": marks.WORLDS[j % 6], "ms": 7, "mew": 1.6, "color": marks.FALSIFIER, "ls": "none"}


def _draw_wrong(ax: Any, f: Any, j: int, points: Sequence[Point], y: float, scale: Scale, bars: bool) -> None:
    key = "bound" if f["kind"] == "bound" else "estimate"
    known = [p for p in points if numeric(p[key])]
    for p in known:
        if bars and key == "estimate" and numeric(p["low"]) and numeric(p["high"]):
            ends = [scale.place(p["low"]), scale.place(p["high"])]
            ax.plot(ends, [y, y], color=marks.FALSIFIER, lw=1.0, marker="|", ms=4, zorder=2.5)
    counted = _counted(known, scale, key)
    for (at, _), count in counted.items():
        ax.plot([at], [y], zorder=5, clip_on=False, **wrong_style(f, j))
        if count > 1 and _alone(at, counted, scale):
            ax.annotate(f"×{count}", (at, y), (5, -2), textcoords="offset points", fontsize=6, color=marks.FALSIFIER, zorder=6)
    for p in known:
        marks.at_edge(ax, "x", scale, y, p[key])


def _write_unit(ax: Any, y: float, row: Row) -> None:
    """The bounds that a row of ratios is relative to."""
    units = sorted({p["unit"] for _, p in row.points})
    low, high = (_series.number(float(f"{v:.3g}")) for v in (units[0], units[-1]))
    text = low if low == high else f"{low} to {high}"
    ax.text(1.012, y, text, transform=ax.get_yaxis_transform(), fontsize=6.5, va="center", color="0.3")
    if y == 0:
        ax.text(1.012, -0.62, "bound", transform=ax.get_yaxis_transform(), fontsize=6.5, va="bottom", color="0.3")


def margin_seen(picture: Picture, edges: tuple[float, float], scale: Scale) -> bool:
    """Whether a margin is wide enough on the axis to be told from its prediction."""
    if scale.kind == "log":
        return any(numeric(p["margin"]) and numeric(p["bound"]) and p["margin"] > 0.01 * abs(p["bound"]) for p in picture.judged)
    return any(numeric(p["margin"]) and p["margin"] > 0.002 * (edges[1] - edges[0]) for p in picture.judged)


def _explain(picture: Picture, legend: marks.Legend, series: Sequence[str], margin_seen: bool, dashed: bool) -> None:
    for s, name in enumerate(series):
        if any(p["state"] == "judged" for p in picture.points):
            text = _plots_text.estimate_text(picture) if s == 0 else ""
            legend.add("; ".join(filter(None, (name, text))), marker=marks.MARKERS[s], color=marks.colour(s), ms=5)
    explain_bound(picture, legend, margin_seen, dashed)
    if picture.check["relation"] != "EXACT":
        legend.add(_plots_text.bars_text(picture), ls="-", lw=1.1, marker="|", ms=5, color=marks.colour(0))
    for j, (f, found) in enumerate(picture.wrong):
        legend.add(_plots_text.falsifier_text(picture, f, found), **wrong_style(f, j))
    for f in picture.unseen:
        legend.add(_plots_text.unseen_text(f), color=marks.FALSIFIER)
    if _series.lone_of(picture):
        legend.add("value of a case that is shown for a falsifier only", marker="s", ms=3.5, **marks.grey())
    if text := _plots_text.vacuous_text(picture):
        legend.add(text, marker="o", ms=5, **marks.grey())


def explain_bound(picture: Picture, legend: marks.Legend, margin_seen: bool, dashed: bool, coloured: bool = False) -> None:
    if not picture.judged:
        return
    style = {"ls": "--", "lw": 1.2} if dashed else {"marker": "|", "ms": 9, "mew": 1.6}
    legend.add(_plots_text.predicted_text(picture, margin_seen) + ("; in the colour of its line" if coloured else ""), **style)
    if picture.side == "equal" and margin_seen:
        legend.patch(_plots_text.margin_text(picture), **marks.MARGIN)


def draw_ratio(fig: Any, picture: Picture, legend: marks.Legend) -> float:
    """Estimate over bound against the bound, for more cases than rows can hold."""
    ax = fig.subplots()
    scale = _series.heights_of(picture)
    marks.apply(ax, "y", scale, 3.0)
    units = [p["unit"] for p in picture.points]
    across = _series.scale_of(units, [], [p["unit"] for _, found in picture.wrong for p in found])
    marks.apply(ax, "x", across, 6.0)
    low, high = ax.get_ylim()
    if picture.side != "equal":
        ax.axhspan(*((1.0, high) if picture.side == "upper" else (low, 1.0)), **marks.FORBIDDEN)
    ax.axhline(1.0, color="k", ls="--", lw=1.2, zorder=4)
    spots: dict[tuple[int, int, str], list[Point]] = {}
    for p in picture.points:
        spots.setdefault((round(40 * along(across, p["unit"])), round(40 * along(scale, p["estimate"])), p["state"]), []).append(p)
    for (_, _, state), here in spots.items():
        style = {"color": marks.colour(0)} if state == "judged" else marks.grey()
        size = 3.2 + 1.3 * math.sqrt(len(here) - 1)
        ax.plot(across.place(here[0]["unit"]), scale.place(here[0]["estimate"]), "o", ms=min(size, 9), alpha=0.75, **style)
    for j, (f, found) in enumerate(picture.wrong):
        for p in found:
            v = _series.wrong_value(f, p)
            ax.plot(across.place(p["unit"]), scale.place(v), zorder=5, clip_on=False, **wrong_style(f, j))
            marks.at_edge(ax, "y", scale, across.place(p["unit"]), v)
    ax.set_xlabel(f"bound ({_series.pretty(picture.check['units']) or 'statistic'})")
    several = "; a larger mark is several cases at one place" if any(len(here) > 1 for here in spots.values()) else ""
    legend.add(_plots_text.estimate_text(picture) + several, marker="o", ms=4, color=marks.colour(0))
    legend.add("value = bound; the hatched side is forbidden" if picture.side != "equal" else "value = prediction", ls="--", lw=1.2)
    for j, (f, found) in enumerate(picture.wrong):
        legend.add(_plots_text.falsifier_text(picture, f, found), **wrong_style(f, j))
    if text := _plots_text.vacuous_text(picture):
        legend.add(text, marker="o", ms=5, **marks.grey())
    return 3.3
