"""The plot that every check gets: estimate with its band, bound, vacuous zone, falsifiers.

A script reads stored summaries and draws; it never simulates. Estimates are markers and a line with a band whose
meaning is in the legend, bounds are black and dashed, falsifiers vermilion and dotted.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from figures import _series

__all__ = ["FALSIFIER", "STYLE", "draw_check", "save"]

STYLE = str(Path(__file__).with_name("theory.mplstyle"))
FALSIFIER = "#D55E00"  # vermilion
_MARKERS = "osD^vP"
_FALSE_MARKERS = "x+12"


def save(fig: Any, path: Path) -> None:
    """Writes a PNG without a date, so that a rerun gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, metadata={"Software": None})
    plt.close(fig)


def draw_check(claim_id: str, statement: str, check: Mapping[str, Any]) -> Any:
    """The default figure of one check of a summary; None if it holds nothing to draw."""
    points = _series.points_of(check, check["rows"])
    if not points:
        return None
    axis = _series.axis_of(points)
    groups = _series.groups_of(points, axis) if axis is not None else {}
    fig, ax = plt.subplots()
    tolerance = _series.tolerance_of(check)
    if tolerance is not None:
        _draw_residuals(ax, points, check, tolerance)
    elif _series.is_crowded(groups, axis):
        _draw_against_bound(ax, points, check)
    elif axis is None:
        _draw_cells(ax, points, check)
    else:
        _draw_lines(ax, groups, check, axis)
    ax.set_title(f"{claim_id}/{check['name']}: {check['verdict']}\n{_wrapped(statement, 84, 4)}", fontsize=9)
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    names = [_wrapped(text, 100, 3) for text in unique]
    fig.legend(unique.values(), names, loc="outside lower left")
    fig.set_size_inches(6.8, 4.4 + 0.16 * sum(1 + name.count("\n") for name in names))
    return fig


def _wrapped(text: str, width: int, most: int) -> str:
    return "\n".join(textwrap.wrap(text, width, max_lines=most, placeholder=" …"))


def _values(points: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    return np.array([p[key] if _series.numeric(p[key]) else math.nan for p in points], dtype=float)


def _draw_lines(ax: Any, groups: Mapping[str, Sequence[Mapping[str, Any]]], check: Mapping[str, Any], axis: str) -> None:
    """Estimates along one numeric field, a line for every choice of the others."""
    bars, points = _bars_label(check), [p for group in groups.values() for p in group]
    index, abreast = _series.is_index(axis, points), _series.coincide(groups, axis)
    for i, (name, group) in enumerate(groups.items()):
        x, y, bound = np.array([p["cell"][axis] for p in group], dtype=float), _values(group, "estimate"), _values(group, "bound")
        label = f"estimate{', ' + name if name else ''}" + (f"; {bars}" if bars and i == 0 else "")
        error = [y - _values(group, "low"), _values(group, "high") - y] if bars else None
        style = {"ls": "none" if index else "-", "marker": _MARKERS[i % len(_MARKERS)], "capsize": 3, "elinewidth": 1.0}
        if abreast:  # lines that lie on one another stand side by side, by some points of the page
            shift = 5 * (i - (len(groups) - 1) / 2) / 72
            style["transform"] = ax.transData + ScaledTranslation(shift, 0, ax.figure.dpi_scale_trans)
            ends = [*y, *(_values(group, "low") if bars else y), *(_values(group, "high") if bars else y)]
            ax.update_datalim([(u, v) for u, v in zip([*x, *x, *x], ends, strict=True) if math.isfinite(v)])  # no more by itself
        ax.errorbar(x, y, error, label=label, **style)
        if check["relation"] == "PHASE":
            _draw_thresholds(ax, sorted(set(bound[np.isfinite(bound)])), name, f"threshold: {check['formula']}")
            continue
        dash = index or len(group) == 1  # a bound at a single place is a dash
        style = {"ls": "none" if dash else "--", "marker": "_" if dash else None, "ms": 16, "mew": 1.3, "lw": 1.1, "color": "k"}
        ax.plot(x, bound, label=f"{_sign(check)}: {check['formula']}", **style)
        if check["relation"] == "EQUAL" and _series.numeric(group[0]["margin"]):
            margin, about = _values(group, "margin"), "declared margin around the prediction"
            if dash:
                ax.vlines(x, bound - margin, bound + margin, color="k", alpha=0.08, lw=14, label=about)
            else:
                ax.fill_between(x, bound - margin, bound + margin, color="k", alpha=0.08, lw=0, label=about)
    beyond = _set_height(ax, points, check, [v for f in _curves_of(check, axis) for v in f[2]])
    _draw_falsifiers(ax, check, axis, beyond)
    vacuous = [p["cell"][axis] for p in points if p.get("verdict") == "VACUOUS"]
    if vacuous:
        ax.axvspan(min(vacuous), max(vacuous), color="0.5", alpha=0.15, lw=0, label="vacuous: no better than the trivial value")
    ax.set_ylabel(check["units"] or "statistic")
    ax.set_xlabel(f"number {axis} of the component" if index else _series.word(axis))
    if index:
        ax.set_xticks(sorted({p["cell"][axis] for p in points}))
        ax.margins(x=0.2)
    else:
        _log_if_wide(ax, [p["cell"][axis] for p in points], 8)
    if check["relation"] == "RATE":
        row = check["rows"][0]
        window = f"window [{row['margin'][0]:.2f}, {row['margin'][1]:.2f}]"
        ax.set_xlabel(f"{_series.word(axis)}\nslope {row['estimate']:.3f} in [{row['low']:.3f}, {row['high']:.3f}], {window}")


def _log_if_wide(ax: Any, values: Sequence[Any], ratio: float) -> None:
    """Log x axis for positive values that span more than `ratio`; the values themselves are ticks if they are few."""
    known = sorted({float(v) for v in values if _series.numeric(v)})
    if not known or known[0] <= 0 or known[-1] < ratio * known[0]:
        return
    ax.set_xscale("log")
    room = max(1.3, (known[-1] / known[0]) ** 0.07)  # a label is about that wide
    if len(known) <= 6 and all(b > room * a for a, b in itertools.pairwise(known)):
        ax.xaxis.set_ticks(known, [_series.short(int(v) if v == int(v) else v) for v in known])
    ax.xaxis.set_minor_formatter(NullFormatter())


def _set_height(ax: Any, points: Sequence[Mapping[str, Any]], check: Mapping[str, Any], wrong: Sequence[float]) -> _series.Reach:
    """The y axis, so that nothing that is in the legend is missing in the picture."""
    if check["relation"] == "PHASE":
        ax.set_ylim(-0.05, 1.05)
        return _series.Reach("linear", 0.0, 1.0)
    own = [float(p[k]) for p in points for k in ("estimate", "bound") if _series.numeric(p[k])]
    ends = [float(p[k]) for p in points for k in ("low", "high") if _bars_label(check) and _series.numeric(p[k])]
    if check["relation"] == "EQUAL":
        known = [p for p in points if _series.numeric(p["bound"]) and _series.numeric(p.get("margin"))]
        ends += [p["bound"] + sign * p["margin"] for p in known for sign in (-1, 1)]
    reach = _series.reach_of(own, ends, [v for v in wrong if math.isfinite(v)], 0 if check["relation"] == "RATE" else 50)
    if reach.scale == "log":
        ax.set_yscale("log")
        decades = math.log10(reach.high / reach.low)
        if decades < 1.5:  # one decade at most has a tick: name some between
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades > 0.4 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8)))
            ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.4g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    elif reach.scale == "symlog":
        least = 10.0 ** math.floor(math.log10(min(own)))  # linear up to there
        ax.set_yscale("symlog", linthresh=least)
        decades = [least * 10.0**k for k in range(1, 30) if least * 10.0**k <= 10 * max(abs(reach.low), abs(reach.high))]
        ax.set_yticks([*(-v for v in decades if -v > 10 * reach.low), 0, *(v for v in decades if v < 10 * reach.high)])
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.axhline(0, color="0.6", lw=0.8)
    elif reach.beyond:
        room = 0.15 * (reach.high - reach.low)
        ax.set_ylim(reach.low - room, reach.high + room)
    return reach


def _curves_of(check: Mapping[str, Any], axis: str) -> Iterator[tuple[Mapping[str, Any], list[float], np.ndarray, list[Any]]]:
    """Of every falsifier that is a curve or points over the axis: itself, places, what it gave there, and its points."""
    for f in check["falsifiers"]:
        points = [p for p in _series.points_of(check, f["rows"]) if _series.numeric(p["cell"].get(axis))]
        if not points or (check["relation"] == "RATE" and f["kind"] == "bound"):
            continue  # a wrong window is no curve; it stands in the table
        points = sorted(points, key=lambda p: p["cell"][axis])
        yield f, [p["cell"][axis] for p in points], _values(points, "bound" if f["kind"] == "bound" else "estimate"), points


def _draw_falsifiers(ax: Any, check: Mapping[str, Any], axis: str, reach: _series.Reach) -> None:
    curves = list(_curves_of(check, axis))
    bounds = [f["name"] for f, *_ in curves if f["kind"] == "bound"]
    for j, (f, x, wrong, _) in enumerate(curves):
        if check["relation"] == "PHASE" and f["kind"] == "bound":  # each in its own part of the height: places may coincide
            part = bounds.index(f["name"]) / len(bounds), (bounds.index(f["name"]) + 1) / len(bounds)
            for at in sorted(set(wrong)):
                ax.axvline(at, *part, color=FALSIFIER, ls=(0, (1, 1)), lw=5, alpha=0.6, zorder=1, label=_falsifier_label(f))
                ax.text(at, sum(part) / 2, f" {f['name']}", fontsize=7, color=FALSIFIER, transform=ax.get_xaxis_transform())
            continue
        style = {"ls": ":" if check["relation"] == "RATE" else "none", "marker": _FALSE_MARKERS[j % 4], "ms": 7, "color": FALSIFIER}
        label = _falsifier_label(f)
        if reach.beyond:
            low, high = ax.get_ylim()
            far = wrong[(wrong < low) | (wrong > high)]
            if far.size:
                label += _series.beyond(far)
            wrong = np.clip(wrong, low, high)
        ax.plot(x, wrong, clip_on=not reach.beyond, zorder=5, label=label, **style)


def _draw_thresholds(ax: Any, places: Sequence[float], name: str, label: str) -> None:
    """Predicted thresholds, which are places on the x axis, each with the name of its line."""
    for at in places:
        ax.axvline(at, color="k", ls="--", lw=1.1, label=label)
        if name:
            ax.text(at, 0.98, f"{name} ", ha="right", va="top", fontsize=7, transform=ax.get_xaxis_transform())


def _falsifier_label(f: Mapping[str, Any]) -> str:
    what = "wrong bound" if f["kind"] == "bound" else "estimate in a lying world"
    return f"falsifier {f['name']}, {what}, {f['verdict']}: {f['breaks']}"


def _draw_residuals(ax: Any, points: Sequence[Mapping[str, Any]], check: Mapping[str, Any], tolerance: float) -> None:
    """An identity whose right side is 0: residuals of either sign on a log axis, against the tolerance."""
    curves = [(f, _series.points_of(check, f["rows"])) for f in check["falsifiers"]]
    sizes = [abs(p["estimate"]) for _, group in [("", points), *curves] for p in group if p["estimate"] != 0]
    floor = min([1e-17, *(v / 3 for v in sizes)])  # a residual of exactly 0 stands at the lower edge
    cells = list(dict.fromkeys(repr(p["cell"]) for p in points))
    x = [cells.index(repr(p["cell"])) if 1 < len(cells) < len(points) else i for i, p in enumerate(points)]
    y = [abs(p["estimate"]) or floor for p in points]
    some = "; exactly 0: at the lower edge" if any(p["estimate"] == 0 for p in points) else ""
    ax.plot(x, y, "o", alpha=0.7, label=f"|left − right side|, {len(points)} cases{some}")
    ax.axhline(tolerance, color="k", ls="--", lw=1.1, label=f"tolerance {tolerance:.1g} of: {check['formula']}")
    for j, (f, fake) in enumerate(curves):
        if fake:
            at = [x[i] + 0.12 for i in _series.places_of(points, fake)]
            style = {"ls": "none", "marker": _FALSE_MARKERS[j % 4], "ms": 7, "color": FALSIFIER}
            ax.plot(at, [abs(p["estimate"]) or floor for p in fake], label=_falsifier_label(f), **style)
    if 1 < len(cells) < len(points):
        one = [points[x.index(i)] for i in range(len(cells))]
        _name_places(ax, [{**p, "label": None} for p in one])
    else:
        _name_places(ax, points)
    ax.set_yscale("log")
    ax.set_ylim(bottom=floor / 3)
    ax.set_ylabel(f"residual ({check['units'] or 'absolute'})")


_MOST_NAMES = 24  # more names than this cannot be read under an axis


def _name_places(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """Names under places 0, 1, 2, …: what differs between the points; what does not, once."""
    names, varying = _series.names_of(points)
    many = len(names) > 5 or max(len(name) for name in names) * len(names) > 90  # names would overlap: turn them
    if len(names) > _MOST_NAMES:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        shown = [_wrapped(name, 48, 1) if many else name.replace(", ", "\n") for name in names]
        ax.set_xticks(range(len(names)), shown, fontsize=7, rotation=90 if many else 0)
    inputs = points[0].get("inputs", list(points[0]["cell"]))
    fixed = ", ".join(f"{_series.word(k)}={_series.short(points[0]['cell'][k])}" for k in inputs if k not in varying)
    ax.set_xlabel(_wrapped(("case number; " if len(names) > _MOST_NAMES else "") + fixed, 100, 2), fontsize=8)
    ax.set_xlim(-0.6, len(names) - 0.4)


def _draw_against_bound(ax: Any, points: Sequence[Mapping[str, Any]], check: Mapping[str, Any]) -> None:
    """Many cells or cases: estimate over bound, with the diagonal where they are equal."""
    known = [p for p in points if _series.numeric(p["bound"])]
    bound, y = _values(known, "bound"), _values(known, "estimate")
    bars = _bars_label(check)
    error = [y - _values(known, "low"), _values(known, "high") - y] if bars else None
    cases = sum(row["num_replicates"] for row in check["rows"]) if check["relation"] == "EXACT" else 0
    many = f"the {len(known)} cases of {cases:,} closest to their bounds" if cases > len(known) else f"{len(known)} cells or cases"
    ax.errorbar(bound, y, error, fmt="o", ms=3.5, alpha=0.6, label=f"estimate, {many}" + (f"; {bars}" if bars else ""))
    ends = np.array([np.nanmin([bound.min(), y.min()]), np.nanmax([bound.max(), y.max()])])
    logs = ends[0] > 0 and ends[1] > 50 * ends[0]
    for j, f in enumerate(check["falsifiers"]):
        fake = [p for p in _series.points_of(check, f["rows"]) if _series.numeric(p["bound"])]
        if fake:
            style = {"marker": _FALSE_MARKERS[j % 4], "ms": 6, "color": FALSIFIER, "alpha": 0.8}
            wrong = _values(fake, "estimate")
            if logs:  # what is zero up to rounding stands at the lower edge
                wrong = np.maximum(wrong, ends[0] / 10)
            ax.plot(_values(fake, "bound"), wrong, linestyle="none", **style, label=_falsifier_label(f))
    ax.plot(ends, ends, "k--", lw=1.1, label=f"estimate = bound: {check['formula']}")
    ax.set_xlabel(f"bound ({check['units'] or 'statistic'})")
    ax.set_ylabel(f"estimate ({check['units'] or 'statistic'})")
    if logs:
        ax.set_xscale("log")
        ax.set_yscale("log")


def _draw_cells(ax: Any, points: Sequence[Mapping[str, Any]], check: Mapping[str, Any]) -> None:
    """Cells without a numeric axis: one place each."""
    x, y, bars = np.arange(len(points), dtype=float), _values(points, "estimate"), _bars_label(check)
    error = [y - _values(points, "low"), _values(points, "high") - y] if bars else None
    ax.errorbar(x, y, error, fmt="o", capsize=3, label="estimate" + (f"; {bars}" if bars else ""))
    ax.hlines(_values(points, "bound"), x - 0.3, x + 0.3, color="k", ls="--", label=f"{_sign(check)}: {check['formula']}")
    for j, f in enumerate(check["falsifiers"]):
        fake = _series.points_of(check, f["rows"])
        if fake:
            wrong = _values(fake, "bound" if f["kind"] == "bound" else "estimate")
            ax.plot(
                [i + 0.1 + 0.08 * j for i in _series.places_of(points, fake)],  # beside one another, as they may coincide
                wrong,
                linestyle="none",
                marker=_FALSE_MARKERS[j % 4],
                color=FALSIFIER,
                label=_falsifier_label(f),
            )
    _name_places(ax, points)
    ax.set_ylabel(check["units"] or "statistic")


def _bars_label(check: Mapping[str, Any]) -> str:
    if check["relation"] == "EXACT":
        return ""
    if check["relation"] == "RATE":
        return f"bars: ± 2 standard errors, pointwise, {_series.replicates(check)} rows"
    return f"bars: confidence sequence, level {check['rows'][0]['level']:.0e} a cell, {_series.replicates(check)} replicates"


def _sign(check: Mapping[str, Any]) -> str:
    return "predicted" if check["relation"] in ("EQUAL", "RATE") else "bound"
