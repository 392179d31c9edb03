"""What a summary's rows look like as points and lines: which field is the x axis, what belongs on one line. Draws nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["MOST_LINES", "axis_of", "check_of", "explored_of", "groups_of", "is_crowded", "numeric", "points_of", "short"]

MOST_LINES = 6  # more lines than this are no longer told apart


def numeric(v: Any) -> bool:
    return isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)


def axis_of(points: Sequence[Mapping[str, Any]]) -> str | None:
    """The field for the x axis: the numeric one with the most distinct values."""
    fields = [k for k in points[0]["cell"] if all(numeric(p["cell"].get(k)) for p in points)]
    counts = {k: len({p["cell"][k] for p in points}) for k in fields}
    varying = [k for k in fields if counts[k] > 1]
    return max(varying, key=lambda k: counts[k]) if varying else None


def groups_of(points: Sequence[Mapping[str, Any]], axis: str) -> dict[str, list[Mapping[str, Any]]]:
    """Points in lines of equal other fields, sorted along the axis; a line's name says what is constant on it."""
    varying = [k for k in points[0]["cell"] if k != axis and len({repr(p["cell"].get(k)) for p in points}) > 1]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for p in points:
        name = ", ".join(f"{p['cell'].get(k)}" if isinstance(p["cell"].get(k), str) else f"{k}={short(p['cell'].get(k))}" for k in varying)
        groups.setdefault(name, []).append(p)
    return {name: sorted(group, key=lambda p: p["cell"][axis]) for name, group in sorted(groups.items())}


def short(v: Any) -> str:
    return f"{v:.4g}" if isinstance(v, float) else f"{v:,}" if isinstance(v, int) else str(v)


def points_of(check: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is drawn: cells of a sampled check, evaluated cases of an EXACT one, grid points of a RATE."""
    points = []
    for row in rows:
        if check["relation"] in ("EXACT", "RATE"):
            for case in row["points"]:
                cell = {**row["cell"], **{k: v for k, v in case.items() if k not in ("label", "estimate", "bound", "low", "high")}}
                points.append({"cell": cell, **{k: case.get(k) for k in ("estimate", "bound", "low", "high")}})
        else:
            points.append({k: row[k] for k in ("cell", "estimate", "low", "high", "bound", "margin", "trivial", "verdict")})
    return [p for p in points if numeric(p["estimate"])]


def is_crowded(groups: Mapping[str, Sequence[Mapping[str, Any]]], axis: str | None) -> bool:
    """Whether the lines cannot be told apart, or hold two estimates at one place: better drawn as estimate against bound."""
    return len(groups) > MOST_LINES or any(len({p["cell"][axis] for p in group}) < len(group) for group in groups.values())


def check_of(summaries: Mapping[str, Mapping[str, Any]], claim: str, name: str) -> Mapping[str, Any] | None:
    """One check of a claim's summary; None if there is none."""
    return next((c for c in summaries.get(claim, {}).get("checks", ()) if c["name"] == name), None)


def explored_of(summaries: Mapping[str, Mapping[str, Any]], claim: str, name: str) -> Sequence[Mapping[str, Any]]:
    """Points of one exploratory experiment of a claim; empty if it was not drawn."""
    return next((e["points"] for e in summaries.get(claim, {}).get("explored", ()) if e["name"] == name), ())
