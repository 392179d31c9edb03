"""What a summary's rows look like as points and lines: which field is the x axis, what belongs on one line. Draws nothing."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "MOST_LINES",
    "Reach",
    "axis_of",
    "beyond",
    "check_of",
    "coincide",
    "explored_of",
    "groups_of",
    "is_crowded",
    "is_index",
    "names_of",
    "numeric",
    "places_of",
    "points_of",
    "reach_of",
    "replicates",
    "short",
    "tolerance_of",
    "word",
]

MOST_LINES = 6  # more lines than this are no longer told apart
_FAR = 15  # wrong values that stretch a linear axis by more than this leave nothing to see of the right ones
_WORDS = {  # fields of cells and cases that are no symbol of their paper
    "E_fro": "noise ||E||_F",
    "run_steps": "steps of the sampler",
    "num_traces": "number of traces N",
    "p_event": "probability of the event",
    "inverse_eps": "1/eps",
    "tangent": "tan(theta)",
    "sigma_over_opt": "sigma/opt",
    "n1": "points to learn from, n1",
    "capacity": "capacity bound",
    "flip": "share of flipped labels eta",
    "off": "how far every training mean is off",
    "half": "half, for X uniform on (-half, half)",
    "level": "sd of the noise, or width of the grid",
    "typical": "median of the same ratio",
    "h": "queries h in a round",
    "sigma_e": "noise a coordinate sigma_e",
}


def numeric(v: Any) -> bool:
    return isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)


def axis_of(points: Sequence[Mapping[str, Any]]) -> str | None:
    """The field for the x axis: the numeric one with the most distinct values."""
    fields = [k for k in points[0]["cell"] if all(numeric(p["cell"].get(k)) for p in points)]
    counts = {k: len({p["cell"][k] for p in points}) for k in fields}
    varying = [k for k in fields if counts[k] > 1]
    if not varying:
        return None
    axis = max(varying, key=lambda k: counts[k])
    # What a case gave is no axis if no line has a second point on it: the cases stand side by side, by name.
    chosen = axis in points[0].get("inputs", (axis,))
    return axis if chosen or any(len(group) > 1 for group in groups_of(points, axis).values()) else None


def groups_of(points: Sequence[Mapping[str, Any]], axis: str) -> dict[str, list[Mapping[str, Any]]]:
    """Points in lines of equal other fields, sorted along the axis; a line's name says what is constant on it."""
    varying = [k for k in points[0]["cell"] if k != axis and len({repr(p["cell"].get(k)) for p in points}) > 1]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for p in points:
        name = ", ".join(f"{p['cell'].get(k)}" if isinstance(p["cell"].get(k), str) else f"{k}={short(p['cell'].get(k))}" for k in varying)
        groups.setdefault(name, []).append(p)

    def order(name: str) -> list[Any]:  # numbers as numbers: d=4 before d=32
        return [(0, float(v), "") if numeric(v) else (1, 0.0, f"{v}") for v in (groups[name][0]["cell"].get(k) for k in varying)]

    return {name: sorted(groups[name], key=lambda p: p["cell"][axis]) for name in sorted(groups, key=order)}


def is_index(axis: str | None, points: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the field only numbers things (components 0, 1, 2): nothing lies between them, so no line joins them."""
    return axis in ("k", "i") and sorted({p["cell"][axis] for p in points}) == list(range(len({p["cell"][axis] for p in points})))


def word(field: str) -> str:
    """A field as the label of an axis."""
    return _WORDS.get(field, field)


def names_of(points: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """(a name for every point, all different; the fields that they are made of).

    What differs in the cells names them; cases of one cell are named by their labels, and by a number where these are no help.
    """
    labelled = all(p.get("label") for p in points)
    fields = [k for k in points[0]["cell"] if not labelled or k in points[0].get("inputs", points[0]["cell"])]
    varying = [k for k in fields if len({repr(p["cell"].get(k)) for p in points}) > 1]
    parts = [[f"{k}={short(p['cell'].get(k))}" for k in varying] for p in points]
    if len({tuple(part) for part in parts}) < len(points):
        parts = [[*part, *([p["label"]] if p.get("label") else [])] for part, p in zip(parts, points, strict=True)]
    names = [", ".join(part) for part in parts]
    if len(set(names)) < len(names):
        names = [", ".join(filter(None, (name, f"case {i}"))) for i, name in enumerate(names, 1)]
    return names, varying


def places_of(points: Sequence[Mapping[str, Any]], wrong: Sequence[Mapping[str, Any]]) -> list[int]:
    """For what a falsifier gave, the index of the point that it lies about: same cell and case, else same cell, else by order."""
    fields = points[0].get("inputs", list(points[0]["cell"]))

    def of(p: Mapping[str, Any], *more: Any) -> str:
        return repr([*(p["cell"].get(k) for k in fields), *more])

    cells: dict[str, int] = {}
    cases = {of(p, p.get("label")): i for i, p in enumerate(points)}
    for i, p in enumerate(points):
        cells.setdefault(of(p), i)
    return [cases.get(of(p, p.get("label")), cells.get(of(p), min(i, len(points) - 1))) for i, p in enumerate(wrong)]


def coincide(groups: Mapping[str, Sequence[Mapping[str, Any]]], axis: str) -> bool:
    """Whether estimates of two lines lie on one another, to a hundredth of the height."""
    heights = [p["estimate"] for group in groups.values() for p in group]
    unit = (max(heights) - min(heights)) / 100 or 1.0
    seen = [{(p["cell"][axis], round(p["estimate"] / unit)) for p in group} for group in groups.values()]
    return any(a & b for a, b in itertools.combinations(seen, 2))


@dataclasses.dataclass(frozen=True)
class Reach:
    """The y axis. scale: "linear", "log" or "symlog". low, high: what must be seen on it. beyond: wrong values lie outside."""

    scale: str
    low: float
    high: float
    beyond: bool = False


def reach_of(own: Sequence[float], bars: Sequence[float], wrong: Sequence[float], ratio: float) -> Reach:
    """The y axis for estimates and bounds (`own`), ends of intervals and margins (`bars`), and what falsifiers gave (`wrong`).

    Log where positive `own` values span more than `ratio`, with a linear part around 0 if wrong ones change sign. On a linear axis
    wrong values that would flatten everything else are left outside; whoever draws marks them at the edge.
    """
    low, high = min(own), max(own)
    if low > 0 and high > max(ratio, 1.05) * low:
        seen = [*own, *(v for v in bars if v > 0), *wrong]
        return Reach("log" if min(seen) > 0 else "symlog", min(seen), max(seen))
    right = [*own, *bars]
    whole = [*right, *wrong]
    span = max(right) - min(right)
    if 0 < _FAR * span < max(whole) - min(whole):
        return Reach("linear", min(right), max(right), beyond=True)
    return Reach("linear", min(whole), max(whole))


def replicates(check: Mapping[str, Any]) -> str:
    """Fewest to most replicates of the cells that are shown: vacuous ones without an estimate are not."""
    counts = [r["num_replicates"] for r in check["rows"] if numeric(r["estimate"])]
    return f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{min(counts):,}"


def tolerance_of(check: Mapping[str, Any]) -> float | None:
    """The tolerance of an EXACT identity whose right side is 0, so that estimates are residuals; None for any other check."""
    if check["relation"] != "EXACT" or any(case["bound"] != 0 for row in check["rows"] for case in row["points"]):
        return None
    known = [row["slack"] * row["high"] for row in check["rows"] if numeric(row["slack"]) and numeric(row["high"]) and row["high"] > 0]
    worst = max((abs(case["estimate"]) for row in check["rows"] for case in row["points"] if numeric(case["estimate"])), default=math.inf)
    return known[0] if known and worst <= known[0] else None


def short(v: Any) -> str:
    return f"{v:.4g}" if isinstance(v, float) else f"{v:,}" if isinstance(v, int) else str(v)


def beyond(values: Sequence[float]) -> str:
    """What a legend says of wrong values that lie outside the axis."""
    least, most = short(float(min(values))), short(float(max(values)))
    return f"; beyond the axis, drawn at its edge: {least}" + (f" to {most}" if most != least else "")


def points_of(check: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is drawn: cells of a sampled check, evaluated cases of an EXACT one, grid points of a RATE."""
    points = []
    for row in rows:
        if check["relation"] in ("EXACT", "RATE"):
            for case in row["points"]:
                cell = {**row["cell"], **{k: v for k, v in case.items() if k not in ("label", "estimate", "bound", "low", "high")}}
                known = {k: case.get(k) for k in ("label", "estimate", "bound", "low", "high")}
                points.append({"cell": cell, "inputs": list(row["cell"]), **known})
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
