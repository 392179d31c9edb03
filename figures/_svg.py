"""Small line charts as SVG text for the report page: they follow the page's colours, scale with it and need no library.

The same statements as figures/_plots, in one small picture: estimates with their intervals, the bound dashed and in the colour of its
line, a margin or a vacuous place shaded, falsifiers as crosses. The legend is HTML beside the picture, so that no text can overlap.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from figures import _plots_text, _series
from figures._series import Picture, Point, numeric

__all__ = ["Chart", "chart_of", "mark"]

WIDTH, HEIGHT = 400, 250  # of the view box, about one unit a pixel on a phone
LEFT, RIGHT, TOP, BOTTOM = 74, 12, 14, 44
_MARKS = (  # one shape a line, besides its colour
    lambda x, y: f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>',
    lambda x, y: f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>',
    lambda x, y: f'<path d="M{x:.1f} {y - 4:.1f}l4 4-4 4-4-4z"/>',
    lambda x, y: f'<path d="M{x:.1f} {y - 4:.1f}l4 7h-8z"/>',
    lambda x, y: f'<path d="M{x:.1f} {y + 4:.1f}l4-7h-8z"/>',
    lambda x, y: f'<path d="M{x - 4:.1f} {y:.1f}h8M{x:.1f} {y - 4:.1f}v8" class="stroke"/>',
)


def mark(line: int, x: float, y: float) -> str:
    """The mark of the given line, at a place."""
    return _MARKS[line % len(_MARKS)](x, y)


@dataclasses.dataclass(frozen=True)
class Chart:
    """svg: the picture, with `label` as its accessible name. legend: (css class of the sample, text) of what is in it."""

    svg: str
    legend: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class _Axis:
    """Data to view-box coordinates along one axis."""

    scale: _series.Scale
    start: float
    stop: float

    def __call__(self, v: float) -> float:
        low, high = self._along(self.scale.low if self.scale.floor is None else self.scale.floor), self._along(self.scale.high)
        part = (self._along(self.scale.place(v)) - low) / (high - low) if high > low else 0.5
        return self.start + (self.stop - self.start) * (_AIR + (1 - 2 * _AIR) * part)

    def _along(self, v: float) -> float:
        if self.scale.kind == "log":
            return math.log10(max(v, 1e-300))
        if self.scale.kind == "symlog":
            return math.copysign(math.log10(1 + 9 * abs(v) / self.scale.linthresh), v)
        return v

    def ticks(self) -> list[float]:
        low, high = self.scale.low, self.scale.high
        if self.scale.kind == "log":
            zero = [] if self.scale.floor is None else [0.0]
            return [*zero, *(v for v in _series.log_ticks(low, max(high, 1.001 * low), 6) if not zero or self(v) - self(0.0))]
        if self.scale.kind == "symlog":
            decades = [self.scale.linthresh * 10.0**k for k in range(30) if self.scale.linthresh * 10.0**k <= max(abs(low), high)]
            return [*(-v for v in reversed(decades) if -v >= low), 0.0, *(v for v in decades if v <= high)]
        if high <= low:
            return [low]
        step = 10 ** math.floor(math.log10((high - low) / 4))
        step = next(step * m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 5)
        return [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


_AIR = 0.06  # of an axis, at either end


def _places(values: Sequence[float], start: float, stop: float, log: bool) -> _Axis:
    low, high = min(values), max(values)
    return _Axis(_series.Scale("log" if log and low > 0 and high > low else "linear", low, high), start, stop)


def _number(v: float) -> str:
    if v == 0:
        return "0"
    if abs(v) >= 1e5 or abs(v) < 1e-3:
        mantissa, exponent = f"{v:.1e}".split("e")
        mantissa = mantissa.removesuffix(".0")
        power = str(int(exponent)).replace("-", "−")
        head = "" if mantissa == "1" else f"{mantissa.replace('-', '−')}·"
        return f'{head}10<tspan baseline-shift="super" font-size="8">{power}</tspan>'
    return (f"{v:,.0f}" if v == int(v) else f"{v:.4g}").replace("-", "−")


def chart_of(check: Mapping[str, Any], label: str) -> Chart | None:
    """The picture of one check of a summary; None if it holds nothing to draw."""
    picture = _series.picture_of(check)
    if picture is None:
        return None
    if picture.kind == "rate":
        return _rate(picture, label)
    if picture.kind == "phase":
        return _phase(picture, label)
    if picture.kind == "lines":
        lines = [(panel, name, line) for panel in _series.panels_of(picture) for name, line in panel.lines.items()]
        if len(lines) <= len(_MARKS):
            return _along_axis(picture, lines, label)
    return _side_by_side(picture, label)


def _frame(x: _Axis, y: _Axis, x_label: str, y_label: str, body: Sequence[str], label: str, whole: bool = False) -> str:
    """The picture with its axes; `whole`: only whole numbers on the x axis."""
    x_ticks = [v for v in x.ticks() if not whole or v == round(v)]
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>',
    ]
    for v in x_ticks:
        parts.append(f'<path class="grid" d="M{x(v):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
    last = math.inf
    for v in y.ticks():
        parts.append(f'<path class="grid" d="M{LEFT} {y(v):.1f}H{WIDTH - RIGHT}"/>')
        if last - y(v) > 14:  # a label is about that high
            parts.append(f'<text x="{LEFT - 5}" y="{y(v) + 3.5:.1f}" text-anchor="end">{_number(v)}</text>')
            last = y(v)
    last = -math.inf
    for v in x_ticks:  # no two labels closer than a label is wide
        if x(v) - last > 34:
            parts.append(f'<text x="{min(x(v), WIDTH - 22):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_number(v)}</text>')
            last = x(v)
    parts += body
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text class="name" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 7}" text-anchor="middle">{escape(_cut(x_label, 56))}</text>'
    )
    parts.append(
        f'<text class="name" transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">{escape(_cut(y_label, 34))}</text></svg>'
    )
    return "".join(parts)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _cross(sx: float, sy: float) -> str:
    return f'<path class="lie" d="M{sx - 4:.1f} {sy - 4:.1f}l8 8m0-8l-8 8"/>'


def _heights(picture: Picture) -> _Axis:
    return _Axis(_series.heights_of(picture), HEIGHT - BOTTOM, TOP)


def _drawn(picture: Picture, spots: Sequence[tuple[float, Point]], y: _Axis, i: int, joined: bool, own: bool) -> list[str]:
    """Margins, bounds, intervals and marks of points at places of the picture; own: the bound has the colour of the line."""
    judged = [(sx, p) for sx, p in spots if p["state"] == "judged" and numeric(p["bound"])]
    high = HEIGHT - BOTTOM - TOP
    judged_at = {sx for sx, _ in judged}
    silent = sorted({sx for sx, p in spots if p["state"] != "judged" and (sx not in judged_at and not joined)})
    body = [f'<rect class="vacuous" x="{sx - 7:.1f}" y="{TOP}" width="14" height="{high}"/>' for sx in silent]
    body += [
        f'<path class="margin" d="M{sx:.1f} {y(p["bound"] - p["margin"]):.1f}V{y(p["bound"] + p["margin"]):.1f}"/>'
        for sx, p in judged
        if picture.side == "equal" and numeric(p["margin"]) and y(p["bound"] - p["margin"]) - y(p["bound"] + p["margin"]) > 0.3
    ]
    if picture.kind == "ratio":
        judged = [(float(LEFT), judged[0][1]), (float(WIDTH - RIGHT), judged[0][1])] if judged else []
    joined = joined or picture.kind == "ratio"
    kind = f'class="bound c{i}" style="stroke:currentColor"' if own else 'class="bound"'
    if joined and len(judged) > 1:
        body.append(f'<path {kind} d="{_path([(sx, y(p["bound"])) for sx, p in judged])}"/>')
    else:
        body += [f'<path {kind} d="M{sx - 9:.1f} {y(p["bound"]):.1f}h18"/>' for sx, p in judged]
    shown = [(sx, p) for sx, p in spots if numeric(p["estimate"])]
    body += [
        f'<path class="bar c{i}" d="M{sx:.1f} {y(p["low"]):.1f}V{y(p["high"]):.1f}"/>'
        for sx, p in shown
        if picture.check["relation"] != "EXACT" and numeric(p["low"]) and numeric(p["high"])
    ]
    inside = [(sx, y(p["estimate"])) for sx, p in shown if not y.scale.outside(p["estimate"])]
    if joined and len(inside) > 2 and picture.kind == "lines":
        body.append(f'<path class="line c{i}" d="{_path(inside)}"/>')
    for state, style in (("judged", f'class="mark c{i}"'), ("", 'class="mark" style="color:var(--soft);opacity:.6"')):
        here = [mark(i, sx, y(p["estimate"])) for sx, p in shown if (p["state"] == "judged") == bool(state)]
        body += [f"<g {style}>{''.join(here)}</g>"] if here else []
    return body


def _legend(picture: Picture, names: Sequence[str], y: _Axis, coloured: bool) -> list[tuple[str, str]]:
    """What is in a picture of estimates and bounds; names of its lines."""
    legend = []
    for i, name in enumerate(names):
        text = _plots_text.estimate_text(picture) if i == 0 else ""
        legend.append((f"c{i}", "; ".join(filter(None, (name, text)))))
    margins = [p["margin"] for p in picture.judged if picture.side == "equal" and numeric(p["margin"])]
    seen = any(y(p["bound"] - p["margin"]) - y(p["bound"] + p["margin"]) > 0.3 for p in picture.judged if numeric(p["margin"]) and margins)
    if picture.judged:
        words = _plots_text.predicted_text(picture, seen).removesuffix("; the hatched side is forbidden")
        legend.append(("bound", words.replace("formula above", "formula") + ("; in the colour of its line" if coloured else "")))
    if seen:
        legend.append(("margin", _plots_text.margin_text(picture)))
    if text := _plots_text.vacuous_text(picture):
        legend.append(("vacuous", f"grey: {text}"))
    return legend


def _lies(picture: Picture, y: _Axis | None) -> list[tuple[str, str]]:
    """What the falsifiers are, and which of their values stand at the edge."""
    legend = []
    for f, found in picture.wrong:
        far = [v for p in found if numeric(v := _series.wrong_value(f, p)) and y is not None and y.scale.outside(v)]
        edge = f"; beyond the axis, at its edge: {_series.number(min(far))}" if far else ""
        edge += f" to {_series.number(max(far))}" if far and max(far) > min(far) else ""
        legend.append(("lie", _plots_text.falsifier_text(picture, f, found) + edge))
    legend += [("lie", _plots_text.unseen_text(f)) for f in picture.unseen]
    return legend + ([("note", text)] if (text := _plots_text.bars_text(picture)) else [])


def _along_axis(picture: Picture, lines: Sequence[tuple[Any, str, Sequence[Point]]], label: str) -> Chart:
    """Estimates along one input, a line for every choice of the others."""
    everything = [*picture.points, *(p for _, found in picture.wrong for p in found)]
    places = sorted({float(p["cell"][picture.axis]) for p in everything})
    x = _places(places, LEFT, WIDTH - RIGHT, places[0] > 0 and places[-1] >= 8 * places[0])
    y, body = _heights(picture), []
    bounds = {tuple((p["cell"][picture.axis], p["bound"]) for p in line) for _, _, line in lines}
    for i, (_, _, line) in enumerate(lines):
        body += _drawn(picture, [(x(p["cell"][picture.axis]), p) for p in line], y, i, True, len(bounds) > 1)
    for f, found in picture.wrong:
        body += [_cross(x(p["cell"][picture.axis]), y(v)) for p in found if numeric(v := _series.wrong_value(f, p))]
    names = [", ".join(filter(None, (panel.name, name))) for panel, name, _ in lines]
    legend = [*_legend(picture, names, y, len(bounds) > 1), *_lies(picture, y)]
    whole = all(v == round(v) for v in places)
    return Chart(
        _frame(x, y, _series.axis_word(str(picture.axis), picture.paper), _plots_text.height_text(picture), body, label, whole),
        tuple(legend),
    )


def _side_by_side(picture: Picture, label: str) -> Chart:
    """Cells or cases beside one another by number; ratios over their bounds where there are more than rows could hold."""
    y, body = _heights(picture), []
    if picture.kind == "ratio":
        units = [p["unit"] for _, found in [(None, picture.points), *picture.wrong] for p in found]
        x, spots = _places(units, LEFT, WIDTH - RIGHT, True), [(p["unit"], p) for p in picture.points]
        wrong = [(f, [(p["unit"], p) for p in found]) for f, found in picture.wrong]
        name, whole = f"bound ({_series.pretty(picture.check['units']) or 'statistic'})", False
    else:
        rows = list(enumerate(_series.rows_of(picture), 1))
        x, spots = _places([1.0, float(len(rows))], LEFT, WIDTH - RIGHT, False), [(k, p) for k, row in rows for _, p in row.points]
        wrong = [(f, [(k, p) for k, row in rows for at, _, p in row.wrong if at == j]) for j, (f, _) in enumerate(picture.wrong)]
        own = sum(bool(row.points) for _, row in rows)
        some = f"; beyond {own}: falsifiers only" if own < len(rows) else ""
        name, whole = ("case" if picture.check["relation"] == "EXACT" else "cell") + f" number{some}", True
    body += _drawn(picture, [(x(at), p) for at, p in spots], y, 0, False, False)
    for f, found in wrong:
        body += [_cross(x(at), y(v)) for at, p in found if numeric(v := _series.wrong_value(f, p))]
    legend = [*_legend(picture, [""], y, False), *_lies(picture, y)]
    return Chart(_frame(x, y, name, _plots_text.height_text(picture), body, label, whole), tuple(legend))


def _rate(picture: Picture, label: str) -> Chart:
    """Data on log axes with the edges of the declared window of slopes, through the data's centre."""
    check, row = picture.check, picture.check["rows"][0]
    points = sorted(picture.points, key=lambda p: p["cell"][picture.axis])
    everything = [*points, *(p for _, found in picture.wrong for p in found)]
    x = _places([p["cell"][picture.axis] for p in everything], LEFT, WIDTH - RIGHT, True)
    logs = [(math.log(p["cell"][picture.axis]), math.log(p["estimate"])) for p in points]
    centre = [sum(v) / len(logs) for v in zip(*logs, strict=True)]

    def edge(slope: float) -> list[tuple[float, float]]:
        return [(math.exp(u), math.exp(centre[1] + slope * (u - centre[0]))) for u in (logs[0][0], logs[-1][0])]

    windows = [("bound", row["margin"])]
    windows += [("lie edge", f["rows"][0]["margin"]) for f in check["falsifiers"] if f["kind"] == "bound" and f["rows"]]
    edges = [(kind, edge(slope)) for kind, window in windows for slope in window if numeric(slope)]
    ends = [float(p[k]) for p in everything for k in ("estimate", "low", "high") if numeric(p[k]) and p[k] > 0]
    ends += [v for _, line in edges for _, v in line]
    middle = math.sqrt(min(ends) * max(ends))
    y = _Axis(_series.Scale("log", min(*ends, middle / 1.6), max(*ends, middle * 1.6)), HEIGHT - BOTTOM, TOP)
    body = [f'<path class="{kind}" d="{_path([(x(u), y(v)) for u, v in line])}"/>' for kind, line in edges]
    body += [f'<path class="bar c0" d="M{x(p["cell"][picture.axis]):.1f} {y(p["low"]):.1f}V{y(p["high"]):.1f}"/>' for p in points]
    body.append(f'<g class="mark c0">{"".join(mark(0, x(p["cell"][picture.axis]), y(p["estimate"])) for p in points)}</g>')
    for _, found in picture.wrong:
        body += [_cross(x(p["cell"][picture.axis]), y(p["estimate"])) for p in found]
    legend = [("c0", f"estimate; {_plots_text.slope_text(check)}")]
    legend.append(
        ("bound", f"window declared for the slope: {_plots_text.window_text(row)}, through the data's centre: the height is fitted")
    )
    for f in check["falsifiers"]:
        found = next((found for g, found in picture.wrong if g is f), ())
        shown = f"lines: window {_plots_text.window_text(f['rows'][0])}; " if f["kind"] == "bound" and f["rows"] else "crosses: "
        legend.append(("lie", shown + _plots_text.falsifier_text(picture, f, found)))
    legend.append(("note", _plots_text.bars_text(picture)))
    return Chart(
        _frame(x, y, _series.axis_word(str(picture.axis), picture.paper), _plots_text.measured_text(check), body, label), tuple(legend)
    )


def _phase(picture: Picture, label: str) -> Chart:
    """Success along the field whose predicted threshold, a place and no height, parts rare from common."""
    lines = [(panel.name, line) for panel in _series.panels_of(picture) for line in panel.lines.values()]
    false = [(f, sorted({p["bound"] for p in found})) for f, found in picture.wrong if f["kind"] == "bound"]
    places = [float(p["cell"][picture.axis]) for p in picture.points]
    x = _places([*places, *(p["bound"] for p in picture.points), *(v for _, bounds in false for v in bounds)], LEFT, WIDTH - RIGHT, False)
    y, body, legend = _Axis(_series.Scale("linear", 0.0, 1.0), HEIGHT - BOTTOM, TOP), [], []
    for i, (name, line) in enumerate(lines):
        own = f'class="bound c{i}" style="stroke:currentColor"' if len(lines) > 1 else 'class="bound"'
        body += [f'<path {own} d="M{x(v):.1f} {TOP}V{HEIGHT - BOTTOM}"/>' for v in sorted({p["bound"] for p in line})]
        spots = [(x(float(p["cell"][picture.axis])), p) for p in line]
        body += [f'<path class="bar c{i}" d="M{sx:.1f} {y(p["low"]):.1f}V{y(p["high"]):.1f}"/>' for sx, p in spots]
        body.append(f'<g class="mark c{i}">{"".join(mark(i, sx, y(p["estimate"])) for sx, p in spots)}</g>')
        legend.append((f"c{i}", ", ".join(filter(None, (name, "the share over replicates" if i == 0 else "")))))
    legend.append(("bound", "predicted threshold, a place on the axis" + ("; in the colour of its line" if len(lines) > 1 else "")))
    height = (HEIGHT - BOTTOM - TOP) / max(len(false), 1)
    for j, (f, bounds) in enumerate(false):  # each in its own part of the height: places may coincide
        body += [f'<path class="lie" d="M{x(v) + 1.5:.1f} {TOP + j * height:.1f}v{height:.1f}"/>' for v in bounds]
        part = f" (part {j + 1} of the height from the top)" if len(false) > 1 else ""
        legend.append(("lie", _plots_text.falsifier_text(picture, f, []) + part))
    legend.append(("note", _plots_text.bars_text(picture)))
    name = _series.axis_word(str(picture.axis), picture.paper)
    return Chart(
        _frame(x, y, name, _plots_text.measured_text(picture.check), body, label, all(v == round(v) for v in places)), tuple(legend)
    )
