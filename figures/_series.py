"""What a summary's rows look like as points, panels and rows of a picture, and on which axis. Draws nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from figures._plots_words import axis_word, number, pretty, said, symbol
from theory import _claims

__all__ = [
    "Check", "Panel", "Picture", "Point", "Row", "Scale", "axis_word", "broken", "check_of", "constants_of", "declared", "explored_of",
    "heights_of", "log_ticks", "lone_of", "number", "numeric", "panels_of", "paper_of", "picture_of", "points_of", "pretty", "rows_of",
    "said", "scale_of", "series_of", "symbol", "tolerance_of", "wrong_value",
]  # fmt: skip

MOST_ROWS = 28  # names below one another
MOST_PANELS = 6
MOST_LINES = 4  # in one panel
Point = Mapping[str, Any]
Check = Mapping[str, Any]


def numeric(v: Any) -> bool:
    return isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)


# --- what the theory declares of a check ----------------------------------------------------------------------


def declared(check: Check) -> _claims.Check | None:
    """The check as theory declares it; None for a claim that is not known (any more)."""
    row = next(iter(check["rows"]), {})
    claim = _claims.claims().get(row.get("claim", ""))
    return next((c for c in claim.checks if c.name == check["name"]), None) if claim is not None else None


def paper_of(check: Check) -> str:
    return str(next(iter(check["rows"]), {}).get("claim", "")).split(".", 1)[0]


def _side(check: Check) -> str:
    """Where the estimate must lie: "upper" (at most the bound), "lower" or "equal"."""
    if check["relation"] != "EXACT":
        return {"UPPER": "upper", "TAIL": "upper", "LOWER": "lower", "ORDER": "lower"}.get(check["relation"], "equal")
    known = declared(check)
    if known is not None:
        return "equal" if known.residual == "identity" else known.residual.removeprefix("log_")
    return "equal"


def tolerance_of(check: Check) -> float:
    """Of an EXACT check: declared, or else from a row's slack."""
    known = declared(check)
    if known is not None:
        return known.tolerance
    found = [r["slack"] * r["high"] for r in check["rows"] if numeric(r.get("slack")) and numeric(r["high"]) and r["high"] > 0]
    return found[0] if found else 1e-9


def _says_nothing(check: Check, row: Mapping[str, Any], cell: Mapping[str, Any], bound: Any) -> bool:
    """Whether the bound of one EXACT case is no better than the trivial value; the rule of the judge."""
    known, trivial = declared(check), row.get("trivial")
    if known is not None and known.trivial is not None:
        with contextlib.suppress(_claims.PaperError):  # a summary from before a field was renamed
            trivial = float(_claims.call(known.trivial, cell))
    if not numeric(bound) or not numeric(trivial) or _side(check) == "equal":
        return False
    return bound >= trivial if _side(check) == "upper" else bound <= trivial


# --- points ------------------------------------------------------------------------------------------------------


def points_of(check: Check, rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """What is drawn: cells of a sampled check, evaluated cases of an EXACT one, grid points of a RATE.

    A point's `state` is "judged", "vacuous" or "outside" the assumptions; only a vacuous one of a sampled check has no estimate.
    """
    points = []
    for row in rows:
        if check["relation"] in ("EXACT", "RATE"):
            for case in row["points"]:
                cell = {**row["cell"], **{k: v for k, v in case.items() if k not in ("label", "estimate", "bound", "low", "high")}}
                known = {k: case.get(k) for k in ("label", "estimate", "bound", "low", "high")}
                bound, state, margin = known["bound"], "judged", None
                if check["relation"] == "EXACT":
                    nothing = row["verdict"] == "VACUOUS" or _says_nothing(check, row, cell, bound)
                    state = "vacuous" if nothing else "judged" if numeric(bound) else "outside"
                    margin = tolerance_of(check) * max(1.0, abs(bound)) if _side(check) == "equal" and numeric(bound) else None
                extra = {"inputs": list(row["cell"]), "state": state, "margin": margin, "replicates": row["num_replicates"]}
                points.append({"cell": cell, **known, **extra})
        else:
            state = "vacuous" if row["verdict"] == "VACUOUS" else "judged" if row.get("inside", True) else "outside"
            shown = {k: row[k] for k in ("cell", "estimate", "low", "high", "bound", "margin")}
            points.append({**shown, "inputs": list(row["cell"]), "label": None, "state": state, "replicates": row["num_replicates"]})
    return [p for p in points if numeric(p["estimate"]) or (p["state"] == "vacuous" and numeric(p["bound"]))]


def broken(check: Check, p: Point) -> bool:
    """Whether an EXACT case breaks its bound."""
    if not numeric(p["bound"]):
        return False
    slack = 1e-6 * abs(p["bound"]) + (tolerance_of(check) * max(1.0, abs(p["bound"])))  # six digits are stored
    gap = p["estimate"] - p["bound"]
    return {"upper": gap, "lower": -gap, "equal": abs(gap)}[_side(check)] > slack


# --- the picture -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Picture:
    """A check ready to be drawn.

    kind: "lines", "rows", "ratio", "rate" or "phase". points: own ones, vacuous ones included. wrong: what each falsifier gave, beside
    the falsifier. relative: values are divided by their bounds. residual: values are |left - right|, bounds their tolerance.
    """

    check: Check
    kind: str
    side: str
    points: Sequence[Point]
    wrong: Sequence[tuple[Mapping[str, Any], Sequence[Point]]]
    axis: str | None = None
    relative: bool = False
    residual: bool = False

    @property
    def unseen(self) -> list[Mapping[str, Any]]:
        """Falsifiers of which nothing can be drawn, as what they gave is infinite."""
        drawn = [f for f, _ in self.wrong]
        return [f for f in self.check["falsifiers"] if f["rows"] and f not in drawn and not (self.kind == "rate" and f["kind"] == "bound")]

    @property
    def judged(self) -> list[Point]:
        return [p for p in self.points if p["state"] == "judged"]

    @property
    def paper(self) -> str:
        return paper_of(self.check)


def wrong_value(f: Mapping[str, Any], p: Point) -> Any:
    """What a falsifier gave: its wrong bound, or the estimate of its world."""
    return p["bound" if f["kind"] == "bound" else "estimate"]


def picture_of(check: Check) -> Picture | None:
    """How a check is drawn; None if it holds nothing to draw."""
    points = points_of(check, check["rows"])
    if not points:
        return None
    wrong = [(f, found) for f in check["falsifiers"] if (found := points_of(check, f["rows"]))]
    side, relation = _side(check), check["relation"]
    judged = [p for p in points if p["state"] == "judged"]
    if relation in ("RATE", "PHASE"):
        return Picture(check, relation.lower(), side, points, wrong, axis=_grid_of(check, points))
    tolerance, known = tolerance_of(check), [p["bound"] for p in judged]
    if relation == "EXACT" and side == "equal" and known and all(b == 0 for b in known):
        points, wrong = _residuals(points, tolerance), [(f, _residuals(found, tolerance)) for f, found in wrong]
        return Picture(check, "rows", "upper", points, wrong, residual=True)
    axis = _axis_of(points, wrong)
    relative = _is_relative(judged)
    bare = Picture(check, "rows", side, points, wrong)
    many = len(rows_of(bare)) > MOST_ROWS
    kind = "lines" if axis is not None else "ratio" if many and all(b > 0 for b in known) else "rows"
    if kind == "rows":  # strips of cases with bounds of their own
        relative = relative or (_in_strips(bare) and bool(known) and min(known) > 0 and _bounds_differ(points))
    picture = Picture(check, kind, side, points, wrong, axis, relative or kind == "ratio")
    return _over_bounds(picture) if picture.relative else picture


def _grid_of(check: Check, points: Sequence[Point]) -> str:
    known = declared(check)
    if known is not None and known.grid is not None:
        return known.grid
    counts = {k: len({repr(p["cell"][k]) for p in points}) for k in points[0]["cell"] if all(numeric(p["cell"].get(k)) for p in points)}
    return max(counts, key=lambda k: counts[k])


def lone_of(picture: Picture) -> list[Point]:
    """Cases that stand in the picture for a wrong bound only: those closest to it, where others are closest to the right one."""
    own = {_key(p, p["inputs"], p["label"]) for p in picture.points}
    found = [p for f, points in picture.wrong if f["kind"] == "bound" and picture.check["relation"] == "EXACT" for p in points]
    return [p for p in found if _key(p, p["inputs"], p["label"]) not in own and numeric(p["estimate"])]


def _residuals(points: Sequence[Point], tolerance: float) -> list[Point]:
    return [{**p, "estimate": abs(p["estimate"]), "bound": tolerance, "margin": None} for p in points]


def _is_relative(points: Sequence[Point]) -> bool:
    """Whether bounds span decades and estimates stay so much closer to them that only the ratio shows the difference."""
    if len(points) < 2 or not all(numeric(p["bound"]) and p["bound"] > 0 and p["estimate"] > 0 for p in points):
        return False
    span = math.log10(max(p["bound"] for p in points) / min(p["bound"] for p in points))
    return span > 1.5 and max(abs(math.log10(p["estimate"] / p["bound"])) for p in points) < span / 4


def _over_bounds(picture: Picture) -> Picture:
    """Values over their declared bounds. A wrong bound is held against the right one of its cell; it has the same estimate."""
    wrong_bounds = [(p, p["bound"]) for f, found in picture.wrong if f["kind"] == "bound" for p in found]
    known = [*wrong_bounds, *((p, p["bound"]) for p in picture.points)]  # where there is no right bound, the wrong one is the unit
    right = {_key(p, p["inputs"], p["label"]): bound for p, bound in known if numeric(bound) and bound > 0}

    def unit(p: Point) -> Any:
        return right.get(_key(p, p["inputs"], p["label"]))

    def scaled(p: Point, by: float) -> Point:
        ends = {k: p[k] / by if numeric(p[k]) else p[k] for k in ("estimate", "low", "high", "bound", "margin")}
        return {**p, **ends, "unit": by}

    points = [scaled(p, by) for p in picture.points if (by := unit(p))]
    wrong = [
        (f, [scaled(p, by) for p in found if (by := unit(p) if f["kind"] == "bound" else p["bound"]) and by > 0])
        for f, found in picture.wrong
    ]
    return dataclasses.replace(picture, points=points, wrong=[(f, found) for f, found in wrong if found])


# --- lines along an axis -----------------------------------------------------------------------------------------

# Fields of cases, not of cells, that are set and no outcome; of all others the picture does not know.
_SET_BY_CASES = frozenset(("v", "r", "dtau", "alpha", "num_traces", "run_steps", "degree"))
_NO_AXIS = frozenset(("k", "i", "graph", "off", "level"))  # numbers of things, or of cases that have no order


def _key(p: Point, fields: Sequence[str], *more: Any) -> str:
    return repr([*(p["cell"].get(k) for k in fields), *more])


def _inputs(points: Sequence[Point]) -> list[str]:
    """Fields that the cells set, and those of cases that are set."""
    fields = dict.fromkeys(k for p in points for k in p["cell"] if k in p["inputs"] or k in _SET_BY_CASES)
    return list(fields)


def _varying(points: Sequence[Point], fields: Sequence[str]) -> list[str]:
    return [k for k in fields if len({repr(p["cell"].get(k)) for p in points}) > 1]


def _axis_of(points: Sequence[Point], wrong: Sequence[tuple[Mapping[str, Any], Sequence[Point]]]) -> str | None:
    """The field along which every line of equal other fields has three places or more; None if there is none."""
    everything = [*points, *(p for _, found in wrong for p in found)]
    found = {}
    for axis in _varying(points, _inputs(points)):
        others = [k for k in _varying(everything, _inputs(everything)) if k != axis]
        if (axis in _NO_AXIS and len({p["cell"].get(axis) for p in points}) < 5) or not all(
            numeric(p["cell"].get(axis)) for p in everything
        ):
            continue
        groups = _grouped(points, others)
        places = [{p["cell"][axis] for p in group} for group in groups.values()]
        single = all(len(at) == len(group) for at, group in zip(places, groups.values(), strict=True))
        held = len(groups) <= MOST_PANELS or _panel_field(points, others) is not None
        if held and single and min(map(len, places)) >= 3 and set(_grouped(everything, others)) == set(groups):
            found[axis] = (len(groups), -len(set().union(*places)))
    return min(found, key=lambda k: found[k]) if found else None


def _grouped(points: Sequence[Point], fields: Sequence[str]) -> dict[str, list[Point]]:
    """Points of equal fields, in the order of the fields' values: numbers as numbers."""

    def order(p: Point) -> list[Any]:
        return [(0, float(v), "") if numeric(v) else (1, 0.0, f"{v}") for v in (p["cell"].get(k) for k in fields)]

    groups: dict[str, list[Point]] = {}
    for p in sorted(points, key=order):
        groups.setdefault(_key(p, fields), []).append(p)
    return groups


def _panel_field(points: Sequence[Point], others: Sequence[str]) -> str | None:
    """The field that parts more groups than panels into panels of a few lines."""
    fits = {}
    for field in others:
        values = {repr(p["cell"].get(field)) for p in points}
        lines = {_key(p, [k for k in others if k != field]) for p in points}
        if len(values) <= MOST_PANELS and len(lines) <= MOST_LINES:
            fits[field] = len(lines)
    return min(fits, key=lambda k: fits[k]) if fits else None


@dataclasses.dataclass(frozen=True)
class Panel:
    """One panel: its name, its lines by name, and (number of a falsifier, name of the line that it is about, points)."""

    name: str
    lines: Mapping[str, Sequence[Point]]
    wrong: Sequence[tuple[int, str, Sequence[Point]]]


def panels_of(picture: Picture) -> list[Panel]:
    """Small multiples: a panel a group, or a panel a value of one field where groups are many. Points are sorted along the axis."""
    everything = [*picture.points, *(p for _, found in picture.wrong for p in found)]
    others = [k for k in _varying(everything, _inputs(everything)) if k != picture.axis]
    by = others if len(_grouped(picture.points, others)) <= MOST_PANELS else [str(_panel_field(picture.points, others))]
    rest = [k for k in others if k not in by]
    panels = []
    for key, group in _grouped(picture.points, by).items():
        lines, wrong = _lines(picture, group, rest), []
        for j, (_, found) in enumerate(picture.wrong):
            here = [p for p in found if _key(p, by) == key]
            wrong += [(j, name, line) for name, line in _lines(picture, here, rest).items()]
        panels.append(Panel(", ".join(said(k, group[0]["cell"].get(k), picture.paper) for k in by), lines, wrong))
    return panels


def _lines(picture: Picture, points: Sequence[Point], fields: Sequence[str]) -> dict[str, list[Point]]:
    """Points in lines of equal fields, by a name that says them, sorted along the axis."""
    return {
        ", ".join(said(k, line[0]["cell"].get(k), picture.paper) for k in fields): sorted(line, key=lambda p: p["cell"][picture.axis])
        for line in _grouped(points, fields).values()
    }


# --- rows --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a dot plot: its name, its points with the number of their series, and each falsifier's points by its number."""

    name: str
    points: Sequence[tuple[int, Point]]
    wrong: Sequence[tuple[int, int, Point]]  # falsifier, series, point


def rows_of(picture: Picture) -> list[Row]:
    """Own cells or cases first; what a falsifier gave where nothing of the check stands has a row of its own below."""
    return _rows(picture)[0]


def series_of(picture: Picture) -> list[str]:
    """Names of the two series that share the rows; one empty name if there is one only."""
    return _rows(picture)[1]


def _rows(picture: Picture) -> tuple[list[Row], list[str]]:
    own = list(picture.points)
    strips = _in_strips(picture)
    fields, everything = _inputs(own), [*own, *(p for _, found in picture.wrong for p in found)]

    def place(p: Point) -> str:
        return _key(p, fields) if strips else _key(p, fields, p["label"])

    places = {place(p) for p in own}
    first: dict[str, Point] = {}
    for p in everything:
        first.setdefault(place(p), p)
    shown = list(first.values())
    twofold = _twofold_field(shown, strips, picture.paper)
    kept = [k for k in _inputs(shown) if k != twofold]
    names = dict(zip(first, _names(shown, kept, strips, picture.paper), strict=True))
    values = list(dict.fromkeys(p["cell"].get(twofold) for p in own)) if twofold else [None]
    rows: dict[str, tuple[list[Any], list[Any]]] = {}
    order = sorted(first, key=lambda key: key not in places)  # stable: own ones first
    for key in order:
        rows.setdefault(names[key], ([], []))
    for p in own:
        rows[names[place(p)]][0].append((values.index(p["cell"].get(twofold)) if twofold else 0, p))
    for j, (_, found) in enumerate(picture.wrong):
        for p in found:
            at = values.index(p["cell"].get(twofold)) if twofold and p["cell"].get(twofold) in values else 0
            rows[names[place(p)]][1].append((j, at, p))
    series = [said(twofold, v, picture.paper) for v in values] if twofold else [""]
    return [Row(name, points, wrong) for name, (points, wrong) in rows.items()], series


def _in_strips(picture: Picture) -> bool:
    """Whether cases stand in strips, one a cell: their labels only number them, or they are more than rows can hold."""
    points, fields = picture.points, _inputs(picture.points)
    cells = len({_key(p, fields) for p in points})
    if cells == len(points) or cells > MOST_ROWS:
        return False
    labels = [str(p["label"]) for p in points]
    numbering = all("=" not in text for text in labels) and all(re.search(r"\d", text) for text in labels)
    everything = {_key(p, fields, p["label"]) for found in [points, *(found for _, found in picture.wrong)] for p in found}
    return len(everything) > MOST_ROWS or (numbering and len(points) > 6 and len({re.sub(r"\d+", "", text) for text in labels}) == 1)


def _bounds_differ(points: Sequence[Point]) -> bool:
    """Whether the cases of one cell have bounds of their own."""
    return any(len({p["bound"] for p in group}) > 1 for group in _grouped(points, _inputs(points)).values())


def _twofold_field(shown: Sequence[Point], strips: bool, paper: str) -> str | None:
    """A field of two values that halves the rows, one series a value."""
    if len(shown) < 6:
        return None
    for field in _varying(shown, _inputs(shown)):
        rest = [k for k in _inputs(shown) if k != field]
        pairs: dict[str, int] = {}
        for p in shown:
            key = _key(p, rest) if strips else _key(p, rest, p["label"])
            pairs[key] = pairs.get(key, 0) + 1
        if len({repr(p["cell"].get(field)) for p in shown}) == 2 and sum(n == 2 for n in pairs.values()) >= 0.8 * len(pairs):
            return field
    return None


def _label_words(p: Point, paper: str) -> str:
    """A case's label with words for the codes in it."""
    tokens = []
    for token in str(p["label"]).split(", "):
        fields = [k for k, v in p["cell"].items() if v == token] or (["base"] if paper == "verification" else []) + ["kernel", "family"]
        words = next((w for k in fields if (w := said(k, token, paper)) not in (token, f"{symbol(k, paper)} {token}")), token)
        spaced = re.sub(r"(?<=\w)=(?=\S)", " = ", pretty(words.replace("_relu", " relu")))
        tokens.append(re.sub(r"(?<![\d.])\d{4,}\b", lambda m: f"{int(m[0]):,}", spaced))
    return ", ".join(tokens)


def _names(points: Sequence[Point], fields: Sequence[str], strips: bool, paper: str) -> list[str]:
    """A name for every point: what differs between the cells, then the case's label if there is one."""
    labels = [str(p["label"]) if p["label"] and not strips else "" for p in points]
    several = len(set(labels)) > 1
    speaking = several and all("=" in text for text in labels) and len(set(labels)) == len(points)
    varying = [] if speaking else _varying(points, fields)
    names = []
    for p, label in zip(points, labels, strict=True):
        tokens = re.split(r"[ ,=]+", label)
        told = [k for k in varying if not several or not _named_by(k, p["cell"].get(k), tokens, label)]
        parts = [text for k in told if (text := said(k, p["cell"].get(k), paper))]
        names.append(", ".join([*parts, *([_label_words(p, paper)] if label and several else [])]))
    if len(points) == 1 and not names[0]:
        return [_label_words(points[0], paper) if points[0]["label"] and not strips else ""]
    return names


def _named_by(field: str, v: Any, tokens: Sequence[str], label: str) -> bool:
    """Whether a case's label says the value already: as "K=2", as a word, or as "mean 0.81"."""
    if isinstance(v, str):
        return v in tokens
    said = re.escape(f"{v:.4g}") if isinstance(v, (int, float)) else ""
    return bool(re.search(rf"(?<!\w){re.escape(field)}={said}(?![\d.])", label) or re.fullmatch(rf"mean {said}", label)) and bool(said)


_UNSET = frozenset((("R", 0.0), ("theta", 0.0), ("eta", -1.0), ("sigma_over_opt", 0.0), ("graph", 0)))  # "every value is tried"


def constants_of(picture: Picture, wrong: Sequence[Point] = ()) -> str:
    """The fields that all cells share, with their values: "n = 4,000, β = 0.05"; for a falsifier's points, where theirs differ."""
    points, exact = list(picture.points), picture.check["relation"] == "EXACT"
    everything = [*points, *(p for _, found in picture.wrong for p in found if all(k in p["cell"] for k in points[0]["inputs"]))]
    fields = [k for k in _inputs(points) if len({repr(p["cell"].get(k)) for p in points}) == 1 and k != picture.axis]
    if wrong:
        fields = [k for k in fields if k in wrong[0]["cell"] and not _varying(wrong, [k]) and _varying([points[0], wrong[0]], [k])]
    elif picture.kind != "rate":  # what a falsifier changes stands in the names
        fields = [k for k in fields if not _varying(everything, [k])]
    shown = [(k, (wrong or points)[0]["cell"][k]) for k in fields]
    told = [k for k, _ in shown if any(f"{k}=" in str(p["label"]) for p in points)]
    unset = [(k, v) for k, v in shown if exact and isinstance(v, (int, float)) and (k, v) in _UNSET]
    return ", ".join(said(k, v, picture.paper) for k, v in shown if k not in told and (k, v) not in unset)


# --- an axis of values -------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Scale:
    """An axis of values. kind: "linear", "log" or "symlog"; low, high: what must be seen. floor: on a log axis, where zero stands.

    linthresh: on a symlog axis, up to where it is linear.
    """

    kind: str
    low: float
    high: float
    floor: float | None = None
    linthresh: float = 0.0

    def place(self, v: float) -> float:
        """Where a value stands: on a log axis what is not positive is at the floor, or at the lower edge."""
        if self.kind == "log" and v <= 0:
            return self.floor if self.floor is not None else self.low
        return min(max(v, self.low if self.floor is None else self.floor), self.high)

    def outside(self, v: float) -> int:
        """-1 or 1 if a value lies beyond the axis; zero on a log axis with a floor does not."""
        if self.kind == "log" and v <= 0:
            return 0 if self.floor is not None else -1
        near = 1e-9 * (max(abs(self.low), abs(self.high)) if self.kind != "log" else v)
        return -1 if v < self.low - near else int(v > self.high + near)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Places for labels on a log axis: powers of ten, or round numbers between them where these are fewer than two."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    inside = [e for e in range(first, last + 1) if low <= 10.0**e * (1 + 1e-9) and 10.0**e <= high * (1 + 1e-9)]
    if len(inside) >= 3:
        step = max(1, math.ceil(len(inside) / most))
        return [10.0**e for e in inside if (e - inside[-1]) % step == 0]
    for parts in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        found = [m * 10.0**e for e in range(first - 1, last + 1) for m in parts]
        found = [v for v in found if low <= v * (1 + 1e-9) and v <= high * (1 + 1e-9)]
        if len(found) >= 3:
            return found if len(found) <= most + 2 else found[:: math.ceil(len(found) / most)]
    step = 10 ** math.floor(math.log10(high - low))
    step = next(step * m for m in (1, 0.5, 0.2, 0.1) if (high - low) / (step * m) >= 2.5)
    return [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


_DECADES = 26  # more than these cannot be read: what is smaller stands at the edge
_FAR = 20  # wrong values that stretch a linear axis by more than this leave nothing to see of the right ones


def scale_of(own: Sequence[float], bars: Sequence[float], wrong: Sequence[float], always_log: bool = False) -> Scale:
    """The axis for estimates and bounds (`own`), ends of bars and margins (`bars`), and what falsifiers gave (`wrong`).

    Log where positive values span decades, with zero at a marked floor; symlog if wrong values change sign. On a linear axis wrong
    values that would flatten everything else are left outside; whoever draws marks them at the edge.
    """
    own, bars, wrong = ([float(v) for v in values if math.isfinite(v)] for values in (own, bars, wrong))
    largest = max(map(abs, [*own, *wrong]), default=1.0) or 1.0
    own, wrong = ([0.0 if abs(v) < 1e-9 * largest and v < 0 else v for v in values] for values in (own, wrong))
    seen = [*own, *wrong]
    positive = [v for v in seen if v > 0]
    if own and min(own) >= 0 and positive and (not bars or min(bars) >= -1e-9 * largest):
        least, most = min(positive), max([*positive, *bars])
        wide = most >= 12 * min([v for v in own if v > 0] or [least]) or (min(own) > 0 and most > 12 * max(own)) or always_log
        if wide and min(seen) >= 0:
            ceiling = most
            if math.log10(most / least) > _DECADES:
                middle = [v for v in own if v > 0] or positive
                least = max(least, 10 ** (math.log10(max(middle)) - 16))
                ceiling = min(most, max(middle) * 1e12)
            floor = least / max(3.0, (ceiling / least) ** 0.2) if min([*seen, *bars]) <= 0 else None
            return Scale("log", least, ceiling, floor)
        if wide and min(own) > 0:
            smallest = 10.0 ** math.floor(math.log10(min(own)))
            return Scale("symlog", min(seen), max([*seen, *bars]), linthresh=smallest)
    right = [*own, *bars]
    whole = [*right, *wrong]
    span = (max(right) - min(right)) if right else 0.0
    tight = own and min(own) > 0 and max(right) < 1.02 * min(right) and min(whole) > 0 and max(whole) < 10 * min(whole)
    if 0 < _FAR * span < max(whole) - min(whole) and not tight:
        near = [v for v in whole if min(right) - 1.5 * span <= v <= max(right) + 1.5 * span]
        return Scale("linear", min(near) - 0.1 * span, max(near) + 0.1 * span)
    return Scale("linear", min(whole, default=0.0), max(whole, default=1.0))


def heights_of(picture: Picture) -> Scale:
    """The axis that holds estimates, bounds, bars and margins, and what the falsifiers gave; a vacuous bound does not stretch it."""
    bars, worlds = picture.check["relation"] != "EXACT", [p for f, found in picture.wrong if f["kind"] == "world" for p in found]
    own = [p["estimate"] for p in [*picture.points, *lone_of(picture)] if numeric(p["estimate"])]
    own += [p["bound"] for p in [*picture.points, *worlds] if numeric(p["bound"]) and p["state"] == "judged"]
    ends = [p[k] for p in [*picture.points, *worlds] for k in ("low", "high") if bars and numeric(p[k])]
    for p in picture.points:
        least = 0.0 if bars else 1e-3 * abs(p["bound"])  # the tolerance of an exact value is drawn if it can be seen
        if picture.side == "equal" and numeric(p["margin"]) and p["margin"] > least:
            ends += [p["bound"] - p["margin"], p["bound"] + p["margin"]]
    false = [v for f, found in picture.wrong for p in found if numeric(v := wrong_value(f, p))]
    return scale_of(own, ends, false, always_log=picture.residual)


# --- look-ups of the papers' own figures ---------------------------------------------------------------------------


def check_of(summaries: Mapping[str, Mapping[str, Any]], claim: str, name: str) -> Mapping[str, Any] | None:
    """One check of a claim's summary; None if there is none."""
    return next((c for c in summaries.get(claim, {}).get("checks", ()) if c["name"] == name), None)


def explored_of(summaries: Mapping[str, Mapping[str, Any]], claim: str, name: str) -> Sequence[Mapping[str, Any]]:
    """Points of one exploratory experiment of a claim; empty if it was not drawn."""
    return next((e["points"] for e in summaries.get(claim, {}).get("explored", ()) if e["name"] == name), ())
