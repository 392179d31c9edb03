"""The plot that every check gets: estimate with its band, bound, vacuous zone, falsifiers.

A script reads stored summaries and draws; it never simulates. Estimates are markers and a line with a band whose
meaning is in the legend, bounds are black and dashed, falsifiers vermilion and dotted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

__all__ = ["FALSIFIER", "STYLE", "draw_check", "save"]

STYLE = str(Path(__file__).with_name("theory.mplstyle"))
FALSIFIER = "#D55E00"  # vermilion
_MARKERS = "osD^vP"


def save(fig: Any, path: Path) -> None:
    """Writes a PNG without a date, so that a rerun gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, metadata={"Software": None})
    plt.close(fig)


def _numeric(v: Any) -> bool:
    return isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)


def _axis_of(points: Sequence[Mapping[str, Any]]) -> str | None:
    """The field for the x axis: the numeric one with the most distinct values."""
    numeric = [k for k in points[0]["cell"] if all(_numeric(p["cell"].get(k)) for p in points)]
    counts = {k: len({p["cell"][k] for p in points}) for k in numeric}
    varying = [k for k in numeric if counts[k] > 1]
    return max(varying, key=lambda k: counts[k]) if varying else None


def _groups(points: Sequence[Mapping[str, Any]], axis: str) -> dict[str, list[Mapping[str, Any]]]:
    """Points in lines of equal other fields, sorted along the axis; a line's name says what is constant on it."""
    varying = [k for k in points[0]["cell"] if k != axis and len({repr(p["cell"].get(k)) for p in points}) > 1]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for p in points:
        name = ", ".join(f"{p['cell'].get(k)}" if isinstance(p["cell"].get(k), str) else f"{k}={_short(p['cell'].get(k))}" for k in varying)
        groups.setdefault(name, []).append(p)
    return {name: sorted(group, key=lambda p: p["cell"][axis]) for name, group in sorted(groups.items())}


def _short(v: Any) -> str:
    return f"{v:.4g}" if isinstance(v, float) else f"{v:,}" if isinstance(v, int) else str(v)


def _points(check: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is drawn: cells of a sampled check, evaluated cases of an EXACT one, grid points of a RATE."""
    points = []
    for row in rows:
        if check["relation"] in ("EXACT", "RATE"):
            for case in row["points"]:
                cell = {**row["cell"], **{k: v for k, v in case.items() if k not in ("label", "estimate", "bound", "low", "high")}}
                points.append({"cell": cell, **{k: case.get(k) for k in ("estimate", "bound", "low", "high")}})
        else:
            points.append({k: row[k] for k in ("cell", "estimate", "low", "high", "bound", "margin", "trivial", "verdict")})
    return [p for p in points if _numeric(p["estimate"])]


def draw_check(claim_id: str, statement: str, check: Mapping[str, Any]) -> Any:
    """The default figure of one check of a summary; None if it holds nothing to draw."""
    points = _points(check, check["rows"])
    if not points:
        return None
    axis = _axis_of(points)
    fig, ax = plt.subplots()
    if axis is None:
        _draw_cells(ax, points, check)
    else:
        _draw_lines(ax, points, check, axis)
    title = f"{claim_id}/{check['name']}: {check['verdict']}"
    ax.set_title(f"{title}\n{_wrapped(statement, 88)}", fontsize=9)
    ax.set_ylabel(check["units"] or "statistic")
    if check["relation"] == "RATE":
        row = check["rows"][0]
        window = f"window [{row['margin'][0]:.2f}, {row['margin'][1]:.2f}]"
        ax.set_xlabel(f"{axis}\nslope {row['estimate']:.3f} in [{row['low']:.3f}, {row['high']:.3f}], {window}")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    ax.legend(unique.values(), unique.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5))
    fig.set_size_inches(7.6, 4.2)
    return fig


def _wrapped(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width)[:3])


def _draw_lines(ax: Any, points: Sequence[Mapping[str, Any]], check: Mapping[str, Any], axis: str) -> None:
    groups = _groups(points, axis)
    band = _band_label(check)
    for i, (name, group) in enumerate(groups.items()):
        x = np.array([p["cell"][axis] for p in group], dtype=float)
        y, bound = (np.array([p[k] if _numeric(p[k]) else math.nan for p in group], dtype=float) for k in ("estimate", "bound"))
        (line,) = ax.plot(x, y, "-", marker=_MARKERS[i % len(_MARKERS)], label=f"estimate{', ' + name if name else ''}")
        if band:
            low, high = (np.array([p[k] if _numeric(p[k]) else math.nan for p in group], dtype=float) for k in ("low", "high"))
            ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, lw=0, label=band)
        ax.plot(x, bound, "k--", lw=1.1, label=f"{_sign(check)} {check['formula']}"[:60])
        if check["relation"] == "EQUAL" and _numeric(group[0]["margin"]):
            margin = np.array([p["margin"] for p in group], dtype=float)
            ax.fill_between(x, bound - margin, bound + margin, color="k", alpha=0.07, lw=0, label="declared margin")
    _draw_falsifiers(ax, check, axis)
    _shade_vacuous(ax, points, axis)
    ax.set_xlabel(axis)
    spread = [p["cell"][axis] for p in points]
    if min(spread) > 0 and max(spread) / min(spread) >= 8:
        ax.set_xscale("log")
    drawn = [abs(v) for p in points for v in (p["estimate"], p["bound"]) if _numeric(v) and v > 0]
    all_positive = all(not _numeric(p[k]) or p[k] > 0 for p in points for k in ("estimate", "bound"))
    if check["relation"] == "RATE" or (drawn and all_positive and max(drawn) / min(drawn) > 50):
        ax.set_yscale("log")


def _draw_falsifiers(ax: Any, check: Mapping[str, Any], axis: str) -> None:
    for j, f in enumerate(check["falsifiers"]):
        points = [p for p in _points(check, f["rows"]) if _numeric(p["cell"].get(axis))]
        if not points:
            continue
        x = [p["cell"][axis] for p in points]
        wrong = [p["bound"] if f["kind"] == "bound" else p["estimate"] for p in points]
        what = "wrong bound" if f["kind"] == "bound" else "estimate in a lying world"
        style = ("x", "+", "1", "2")[j % 4]
        if check["relation"] == "RATE" and f["kind"] == "bound":
            continue  # a wrong window is no curve; it stands in the table
        ax.plot(x, wrong, ":", marker=style, ms=7, color=FALSIFIER, label=f"falsifier {f['name']}: {what}, {f['verdict']}")


def _draw_cells(ax: Any, points: Sequence[Mapping[str, Any]], check: Mapping[str, Any]) -> None:
    """Cells without a numeric axis: one place each."""
    x = np.arange(len(points), dtype=float)
    y = np.array([p["estimate"] for p in points], dtype=float)
    ax.plot(x, y, "o", label="estimate")
    if _band_label(check):
        low, high = (np.array([p[k] if _numeric(p[k]) else math.nan for p in points]) for k in ("low", "high"))
        ax.vlines(x, low, high, color="#0072B2", alpha=0.4, lw=5, label=_band_label(check))
    bounds = [p["bound"] if _numeric(p["bound"]) else math.nan for p in points]
    ax.hlines(bounds, x - 0.3, x + 0.3, color="k", ls="--", label=f"{_sign(check)} {check['formula']}"[:60])
    for f in check["falsifiers"]:
        fake = _points(check, f["rows"])
        if fake:
            wrong = [p["bound"] if f["kind"] == "bound" else p["estimate"] for p in fake]
            ax.plot(np.arange(len(fake)) + 0.1, wrong, "x", color=FALSIFIER, label=f"falsifier {f['name']}: {f['verdict']}")
    names = ["\n".join(f"{k}={_short(v)}" for k, v in p["cell"].items()) for p in points]
    ax.set_xticks(x, names, fontsize=7)
    ax.set_xlim(-0.6, len(points) - 0.4)


def _shade_vacuous(ax: Any, points: Sequence[Mapping[str, Any]], axis: str) -> None:
    vacuous = [p["cell"][axis] for p in points if p.get("verdict") == "VACUOUS"]
    if vacuous:
        ax.axvspan(min(vacuous), max(vacuous), color="0.5", alpha=0.15, lw=0, label="vacuous: no better than trivial")


def _band_label(check: Mapping[str, Any]) -> str:
    if check["relation"] == "EXACT":
        return ""
    counts = [r["num_replicates"] for r in check["rows"]]
    level = check["rows"][0]["level"]
    if check["relation"] == "RATE":
        return f"± 2 standard errors, pointwise, {min(counts)} rows"
    return f"confidence sequence, level {level:.0e} a cell, {min(counts):,} to {max(counts):,} replicates"


def _sign(check: Mapping[str, Any]) -> str:
    return {"UPPER": "bound ≥", "TAIL": "bound", "LOWER": "bound", "EQUAL": "predicted", "EXACT": "bound", "RATE": "predicted"}.get(
        check["relation"], "bound"
    )
