"""The plot that every check gets: estimate with its band, bound, vacuous zone, falsifiers.

A script reads stored summaries and draws; it never simulates. Estimates are markers and a line with a band whose
meaning is in the legend, bounds are black and dashed, falsifiers vermilion and dotted.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter

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
    if _series.is_crowded(groups, axis):
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
    for i, (name, group) in enumerate(groups.items()):
        x, y, bound = np.array([p["cell"][axis] for p in group], dtype=float), _values(group, "estimate"), _values(group, "bound")
        label = f"estimate{', ' + name if name else ''}" + (f"; {bars}" if bars and i == 0 else "")
        error = [y - _values(group, "low"), _values(group, "high") - y] if bars else None
        ax.errorbar(x, y, error, fmt="-", marker=_MARKERS[i % len(_MARKERS)], capsize=3, elinewidth=1.0, label=label)
        if check["relation"] == "PHASE":  # the bound is a place on the x axis
            for at in sorted(set(bound[np.isfinite(bound)])):
                ax.axvline(at, color="k", ls="--", lw=1.1, label=f"threshold: {check['formula']}")
        else:
            edge = "_" if len(group) == 1 else None  # a bound at a single place is a dash
            ax.plot(x, bound, "k--", marker=edge, ms=16, lw=1.1, label=f"{_sign(check)}: {check['formula']}")
        if check["relation"] == "EQUAL" and _series.numeric(group[0]["margin"]):
            margin = _values(group, "margin")
            ax.fill_between(x, bound - margin, bound + margin, color="k", alpha=0.08, lw=0, label="declared margin around the prediction")
    _draw_falsifiers(ax, check, axis)
    vacuous = [p["cell"][axis] for p in points if p.get("verdict") == "VACUOUS"]
    if vacuous:
        ax.axvspan(min(vacuous), max(vacuous), color="0.5", alpha=0.15, lw=0, label="vacuous: no better than the trivial value")
    ax.set_ylabel(check["units"] or "statistic")
    ax.set_xlabel(axis)
    _log_if_wide(ax.xaxis, [p["cell"][axis] for p in points], 8)
    heights = ("estimate",) if check["relation"] == "PHASE" else ("estimate", "bound")
    _log_if_wide(ax.yaxis, [p[k] for p in points for k in heights], 0 if check["relation"] == "RATE" else 50)
    if check["relation"] == "RATE":
        row = check["rows"][0]
        window = f"window [{row['margin'][0]:.2f}, {row['margin'][1]:.2f}]"
        ax.set_xlabel(f"{axis}\nslope {row['estimate']:.3f} in [{row['low']:.3f}, {row['high']:.3f}], {window}")


def _log_if_wide(axis: Any, values: Sequence[Any], ratio: float) -> None:
    """Log scale for positive values that span more than `ratio`; the values themselves are ticks if they are few."""
    known = sorted({float(v) for v in values if _series.numeric(v)})
    if not known or known[0] <= 0 or known[-1] < ratio * known[0]:
        return
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    if len(known) <= 6 and all(b > 1.3 * a for a, b in itertools.pairwise(known)):
        axis.set_ticks(known, [_series.short(int(v) if v == int(v) else v) for v in known])
    axis.set_minor_formatter(NullFormatter())


def _draw_falsifiers(ax: Any, check: Mapping[str, Any], axis: str) -> None:
    for j, f in enumerate(check["falsifiers"]):
        points = [p for p in _series.points_of(check, f["rows"]) if _series.numeric(p["cell"].get(axis))]
        if not points or (check["relation"] == "RATE" and f["kind"] == "bound"):
            continue  # a wrong window is no curve; it stands in the table
        points = sorted(points, key=lambda p: p["cell"][axis])
        x, wrong = [p["cell"][axis] for p in points], _values(points, "bound" if f["kind"] == "bound" else "estimate")
        if check["relation"] == "PHASE" and f["kind"] == "bound":
            for at in sorted(set(wrong)):
                ax.axvline(at, color=FALSIFIER, ls=":", label=_falsifier_label(f))
            continue
        line = ":" if check["relation"] == "RATE" else "none"
        ax.plot(x, wrong, linestyle=line, marker=_FALSE_MARKERS[j % 4], ms=7, color=FALSIFIER, label=_falsifier_label(f))


def _falsifier_label(f: Mapping[str, Any]) -> str:
    what = "wrong bound" if f["kind"] == "bound" else "estimate in a lying world"
    return f"falsifier {f['name']}, {what}, {f['verdict']}: {f['breaks']}"


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
    varying = [k for k in points[0]["cell"] if len({repr(p["cell"].get(k)) for p in points}) > 1] or list(points[0]["cell"])
    where = {repr([p["cell"].get(k) for k in varying]): i for i, p in enumerate(points)}

    def place(p: Mapping[str, Any], otherwise: int) -> int:
        """Over the cell that it lies about."""
        return where.get(repr([p["cell"].get(k) for k in varying]), otherwise)

    for j, f in enumerate(check["falsifiers"]):
        fake = _series.points_of(check, f["rows"])
        if fake:
            wrong = _values(fake, "bound" if f["kind"] == "bound" else "estimate")
            ax.plot(
                [place(p, i) + 0.1 for i, p in enumerate(fake)],
                wrong,
                linestyle="none",
                marker=_FALSE_MARKERS[j % 4],
                color=FALSIFIER,
                label=_falsifier_label(f),
            )
    many = len(points) > 5  # names below one another would overlap: turn them
    names = [(", " if many else "\n").join(f"{k}={_series.short(p['cell'].get(k))}" for k in varying) for p in points]
    ax.set_xticks(x, names, fontsize=7, rotation=90 if many else 0)
    fixed = ", ".join(f"{k}={_series.short(v)}" for k, v in points[0]["cell"].items() if k not in varying)
    ax.set_xlabel(_wrapped(fixed, 100, 2), fontsize=8)
    ax.set_xlim(-0.6, len(points) - 0.4)
    ax.set_ylabel(check["units"] or "statistic")


def _bars_label(check: Mapping[str, Any]) -> str:
    if check["relation"] == "EXACT":
        return ""
    counts = [r["num_replicates"] for r in check["rows"]]
    if check["relation"] == "RATE":
        return f"bars: ± 2 standard errors, pointwise, {min(counts)} rows"
    many = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{min(counts):,}"
    return f"bars: confidence sequence, level {check['rows'][0]['level']:.0e} a cell, {many} replicates"


def _sign(check: Mapping[str, Any]) -> str:
    return "predicted" if check["relation"] in ("EQUAL", "RATE") else "bound"
