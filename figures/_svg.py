"""Small line charts as SVG text for the report page: they follow the page's colours, scale with it and need no library.

The same picture as figures/_plots: estimates with their intervals, the bound dashed, a margin or a vacuous zone shaded, wrong
promises and lying worlds as crosses. The legend is HTML beside the picture, so that no text can overlap in it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from figures import _series

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
class _Scale:
    """Data to view-box coordinates along one axis."""

    low: float
    high: float
    log: bool
    start: float
    stop: float

    def __call__(self, v: float) -> float:
        a, b, v = (math.log10(u) for u in (self.low, self.high, max(v, 1e-300))) if self.log else (self.low, self.high, v)
        return self.start + (self.stop - self.start) * ((v - a) / (b - a) if b > a else 0.5)

    def clipped(self, v: float) -> float:
        return self(min(max(v, self.low), self.high))

    def ticks(self) -> list[float]:
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            step = max(1, round((last - first) / 5))
            found = [
                10.0**e for e in range(first, last + 1, step) if self.low <= 10.0**e * (1 + 1e-9) and 10.0**e <= self.high * (1 + 1e-9)
            ]
            if len(found) >= 2:
                return found
            found = [m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5) if self.low <= m * 10.0**e <= self.high]
            return found if len(found) >= 2 else [self.low, self.high]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4)) if self.high > self.low else 1.0
        step = next(step * m for m in (1, 2, 5, 10) if (self.high - self.low) / (step * m) <= 5)
        return [i * step for i in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]


def _scale(values: Sequence[float], start: float, stop: float, ratio: float) -> _Scale:
    """Log where positive values span more than `ratio` (never for ratio = inf), else linear with some air."""
    low, high = min(values), max(values)
    if low > 0 and high > max(ratio, 1.05) * low:
        low = max(low, 1e-290)  # so that the air below it is still a number
        pad = 10 ** (0.06 * (math.log10(high) - math.log10(low)))
        return _Scale(low / pad, high * pad, True, start, stop)
    pad = 0.07 * (high - low) or 0.1 * abs(high) or 1.0
    return _Scale(low - pad, high + pad, False, start, stop)


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
    points = _series.points_of(check, check["rows"])
    if not points:
        return None
    axis = _series.axis_of(points)
    groups = _series.groups_of(points, axis) if axis is not None else {}
    tolerance = _series.tolerance_of(check)
    if tolerance is not None:
        return _residuals(check, points, tolerance, label)
    if _series.is_crowded(groups, axis):
        return _against_bound(check, points, label)
    if check["relation"] == "PHASE" and axis is not None:
        return _phase(check, groups, axis, label)
    if axis is None:
        return _lines(check, {"": points}, None, label)
    return _lines(check, groups, axis, label)


def _frame(x: _Scale, y: _Scale, x_label: str, y_label: str, body: Sequence[str], label: str, whole: bool = False) -> str:
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


def _finite(points: Sequence[Mapping[str, Any]], *names: str) -> list[float]:
    return [float(p[k]) for p in points for k in names if _series.numeric(p.get(k))]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _lines(check: Mapping[str, Any], groups: Mapping[str, Sequence[Mapping[str, Any]]], axis: str | None, label: str) -> Chart:
    """Estimates along one numeric field, a line for every choice of the others; without a field, cell beside cell."""
    own = [p for group in groups.values() for p in group]
    number = {id(p): float(i) for i, p in enumerate(own, 1)}
    apart = axis is None or _series.is_index(axis, own)  # nothing lies between the places, so no line joins them

    def place(p: Mapping[str, Any]) -> float:
        return number[id(p)] if axis is None else float(p["cell"][axis])

    lies = [(f, _false_points(check, f, axis, own)) for f in check["falsifiers"]]
    rate = check["relation"] == "RATE"  # log-log, as its slope is
    x_values = [*map(place, own), *(u for _, spots in lies for u, _ in spots)]
    x = _scale(x_values, LEFT, WIDTH - RIGHT, math.inf if apart else 0.999 if rate else 8)
    reach = _series.reach_of(
        _finite(own, "estimate", "bound"), _bar_ends(check, own), [v for _, spots in lies for _, v in spots], 0.999 if rate else 50
    )
    y = _scale([reach.low, reach.high], HEIGHT - BOTTOM, TOP, 1 if reach.scale == "log" else math.inf)
    body, legend = [], []
    vacuous = [place(p) for p in own if p.get("verdict") == "VACUOUS"]
    if vacuous:
        left, right = max(LEFT, x(min(vacuous)) - 6), min(WIDTH - RIGHT, x(max(vacuous)) + 6)
        body.append(f'<rect class="vacuous" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HEIGHT - BOTTOM - TOP}"/>')
        legend.append(("vacuous", "vacuous: no better than the trivial value"))
    abreast = axis is not None and _series.coincide(groups, axis)
    for i, (name, group) in enumerate(groups.items()):
        shift = 5 * (i - (len(groups) - 1) / 2) if abreast else 0.0  # lines that lie on one another stand side by side
        body += _line(check, [(x(place(p)) + shift, p) for p in group], y, i, apart)
        legend.append((f"c{i}", f"estimate{', ' + name if name else ''}"))
    legend.append(("bound", f"{'predicted' if check['relation'] in ('EQUAL', 'RATE') else 'bound'}: {check['formula']}"))
    if check["relation"] == "EQUAL":
        legend.append(("margin", "declared margin around the prediction"))
    for f, spots in lies:
        if spots:
            body += [_cross(x(u), y.clipped(v)) for u, v in spots]
            far = [v for _, v in spots if not y.low <= v <= y.high]
            edge = _series.beyond(far) if far else ""
            legend.append(("lie", f"{'wrong bound' if f['kind'] == 'bound' else 'lying world'} {f['name']}: {f['breaks']}{edge}"))
    if check["relation"] != "EXACT":
        legend.append(("note", _bars(check)))
    numbered = "case number" if check["relation"] == "EXACT" else "cell, numbered as in the table"
    x_label = numbered if axis is None else f"number {axis} of the component" if apart else _series.word(axis)
    return Chart(_frame(x, y, x_label, check["units"] or "statistic", body, label, apart), tuple(legend))


def _line(check: Mapping[str, Any], spots: Sequence[tuple[float, Mapping[str, Any]]], y: _Scale, i: int, apart: bool) -> list[str]:
    """One line of estimates with its margins, bounds and intervals, at places of the picture."""
    body = [
        f'<path class="margin" d="M{sx:.1f} {y.clipped(p["bound"] - p["margin"]):.1f}V{y.clipped(p["bound"] + p["margin"]):.1f}"/>'
        for sx, p in spots
        if check["relation"] == "EQUAL" and _series.numeric(p.get("margin")) and _series.numeric(p["bound"])
    ]
    bounds = [(sx, y(p["bound"])) for sx, p in spots if _series.numeric(p["bound"])]
    if len(bounds) > 1 and not apart:
        body.append(f'<path class="bound" d="{_path(bounds)}"/>')
    else:
        body += [f'<path class="bound" d="M{sx - 9:.1f} {sy:.1f}h18"/>' for sx, sy in bounds]
    body += [
        f'<path class="bar c{i}" d="M{sx:.1f} {y.clipped(p["low"]):.1f}V{y.clipped(p["high"]):.1f}"/>'
        for sx, p in spots
        if check["relation"] != "EXACT" and _series.numeric(p["low"]) and _series.numeric(p["high"])
    ]
    if len(spots) > 1 and not apart:
        body.append(f'<path class="line c{i}" d="{_path([(sx, y(p["estimate"])) for sx, p in spots])}"/>')
    body.append(f'<g class="mark c{i}">{"".join(mark(i, sx, y(p["estimate"])) for sx, p in spots)}</g>')
    return body


def _bar_ends(check: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> list[float]:
    """Ends of the intervals and of the margins that are drawn."""
    ends = [] if check["relation"] == "EXACT" else _finite(points, "low", "high")
    if check["relation"] == "EQUAL":
        known = [p for p in points if _series.numeric(p.get("margin")) and _series.numeric(p["bound"])]
        ends += [p["bound"] + sign * p["margin"] for p in known for sign in (-1, 1)]
    return ends


def _residuals(check: Mapping[str, Any], points: Sequence[Mapping[str, Any]], tolerance: float, label: str) -> Chart:
    """An identity whose right side is 0: residuals of either sign on a log axis, against the tolerance."""
    lies = [(f, _series.points_of(check, f["rows"])) for f in check["falsifiers"]]
    sizes = [abs(p["estimate"]) for group in (points, *(fake for _, fake in lies)) for p in group]
    floor = min([1e-17, *(v for v in sizes if v > 0)])
    x = _scale([1.0, float(len(points))], LEFT, WIDTH - RIGHT, math.inf)
    y = _scale([floor, tolerance, *(v for v in sizes if v > 0)], HEIGHT - BOTTOM, TOP, 1)
    body = [f'<path class="bound" d="M{LEFT} {y(tolerance):.1f}H{WIDTH - RIGHT}"/>']
    body.append(f'<g class="mark c0">{"".join(mark(0, x(i), y.clipped(abs(p["estimate"]))) for i, p in enumerate(points, 1))}</g>')
    some = "; exactly 0: at the lower edge" if any(p["estimate"] == 0 for p in points) else ""
    legend = [("c0", f"|left − right side|{some}"), ("bound", f"tolerance {tolerance:.1g} of: {check['formula']}")]
    for f, fake in lies:
        if fake:
            at = _series.places_of(points, fake)
            body += [_cross(x(i + 1), y.clipped(abs(p["estimate"]))) for i, p in zip(at, fake, strict=True)]
            legend.append(("lie", f"{'wrong bound' if f['kind'] == 'bound' else 'lying world'} {f['name']}: {f['breaks']}"))
    return Chart(_frame(x, y, "case number", f"residual ({check['units'] or 'absolute'})", body, label, True), tuple(legend))


def _phase(check: Mapping[str, Any], groups: Mapping[str, Sequence[Mapping[str, Any]]], axis: str, label: str) -> Chart:
    """Success along the field whose predicted threshold, a place and no height, parts rare from common."""
    own = [p for group in groups.values() for p in group]
    lies = [(f, _finite(_series.points_of(check, f["rows"]), "bound")) for f in check["falsifiers"] if f["kind"] == "bound"]
    places = [float(p["cell"][axis]) for p in own]
    x = _scale([*places, *_finite(own, "bound"), *(v for _, bounds in lies for v in bounds)], LEFT, WIDTH - RIGHT, 8)
    y = _Scale(-0.05, 1.05, False, HEIGHT - BOTTOM, TOP)
    body = [f'<path class="bound" d="M{x(v):.1f} {TOP}V{HEIGHT - BOTTOM}"/>' for v in sorted(set(_finite(own, "bound")))]
    legend = []
    for i, (name, group) in enumerate(groups.items()):
        spots = [(x(float(p["cell"][axis])), p) for p in group]
        body += [f'<path class="bar c{i}" d="M{sx:.1f} {y.clipped(p["low"]):.1f}V{y.clipped(p["high"]):.1f}"/>' for sx, p in spots]
        body.append(f'<path class="line c{i}" d="{_path([(sx, y(p["estimate"])) for sx, p in spots])}"/>')
        body.append(f'<g class="mark c{i}">{"".join(mark(i, sx, y(p["estimate"])) for sx, p in spots)}</g>')
        legend.append((f"c{i}", f"estimate{', ' + name if name else ''}"))
    legend.append(("bound", f"predicted threshold: {check['formula']}"))
    height = (HEIGHT - BOTTOM - TOP) / max(len(lies), 1)
    for j, (f, bounds) in enumerate(lies):  # each in its own part of the height: places may coincide
        body += [f'<path class="lie" d="M{x(v) + 1.5:.1f} {TOP + j * height:.1f}v{height:.1f}"/>' for v in sorted(set(bounds))]
        if bounds:
            part = f", part {j + 1} of the height from the top" if len(lies) > 1 else ""
            legend.append(("lie", f"wrong threshold {f['name']}{part}: {f['breaks']}"))
    legend.append(("note", _bars(check)))
    return Chart(_frame(x, y, _series.word(axis), check["units"] or "share of successes", body, label), tuple(legend))


def _cross(sx: float, sy: float) -> str:
    return f'<path class="lie" d="M{sx - 4:.1f} {sy - 4:.1f}l8 8m0-8l-8 8"/>'


def _false_points(
    check: Mapping[str, Any], falsifier: Mapping[str, Any], axis: str | None, own: Sequence[Mapping[str, Any]]
) -> list[tuple[float, float]]:
    if check["relation"] == "RATE" and falsifier["kind"] == "bound":
        return []  # a wrong window is no curve
    points = _series.points_of(check, falsifier["rows"])
    wrong = "bound" if falsifier["kind"] == "bound" else "estimate"
    if axis is None:
        found = [(i + 1.0, p[wrong]) for i, p in zip(_series.places_of(own, points), points, strict=True)]
    else:
        found = [(float(p["cell"][axis]), p[wrong]) for p in points if _series.numeric(p["cell"].get(axis))]
    return [(u, float(v)) for u, v in found if _series.numeric(v)]


def _bars(check: Mapping[str, Any]) -> str:
    if check["relation"] == "RATE":
        return f"bars: two standard errors either way, pointwise, {_series.replicates(check)} rows"
    return f"bars: confidence sequence at level {check['rows'][0]['level']:.0e} a cell, {_series.replicates(check)} replicates"


def _axis(reach: _series.Reach, own: Sequence[float], start: float, stop: float) -> _Scale:
    """An axis of estimate over bound; wrong values that are not positive stand at the lower edge of a log one."""
    low = min(own) if reach.scale == "symlog" else reach.low
    return _scale([low, reach.high], start, stop, math.inf if reach.scale == "linear" else 1)


def _against_bound(check: Mapping[str, Any], points: Sequence[Mapping[str, Any]], label: str) -> Chart | None:
    """Many cells or cases: estimate over bound, with the diagonal where they are equal."""
    known = [p for p in points if _series.numeric(p["bound"])]
    if not known:
        return None
    both = _finite(known, "estimate", "bound")
    fake = [p for f in check["falsifiers"] for p in _series.points_of(check, f["rows"]) if _series.numeric(p["bound"])]
    x = _axis(_series.reach_of(both, [], _finite(fake, "bound"), 50), both, LEFT, WIDTH - RIGHT)
    y = _axis(_series.reach_of(both, _bar_ends(check, known), _finite(fake, "estimate"), 50), both, HEIGHT - BOTTOM, TOP)
    body = [f'<path class="bound" d="{_path([(x(v), y(v)) for v in (min(both), max(both))])}"/>']
    bars = [p for p in known if check["relation"] != "EXACT" and _series.numeric(p["low"]) and _series.numeric(p["high"])]
    body += [f'<path class="bar c0" d="M{x(p["bound"]):.1f} {y.clipped(p["low"]):.1f}V{y.clipped(p["high"]):.1f}"/>' for p in bars]
    body.append(f'<g class="mark c0">{"".join(mark(0, x(p["bound"]), y(p["estimate"])) for p in known)}</g>')
    legend = [("c0", f"estimate, {len(known)} cells or cases"), ("bound", f"estimate = bound: {check['formula']}")]
    for f in check["falsifiers"]:
        spots = [p for p in _series.points_of(check, f["rows"]) if _series.numeric(p["bound"])]
        if spots:
            body += [_cross(x.clipped(p["bound"]), y.clipped(p["estimate"])) for p in spots]
            legend.append(("lie", f"{'wrong bound' if f['kind'] == 'bound' else 'lying world'} {f['name']}: {f['breaks']}"))
    if bars:
        legend.append(("note", _bars(check)))
    units = check["units"] or "statistic"
    return Chart(_frame(x, y, f"bound ({units})", f"estimate ({units})", body, label), tuple(legend))
