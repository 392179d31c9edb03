"""Results for programs: one cell asked from Python, stored results as arrays with named axes, all rows as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sims import _experiment, _ledger, _report, _store
from theory import _claims

__all__ = ["Evidence", "Table", "check", "csv_text", "load"]


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What one cell of one check has to show; the fields are those of `run --json` (docs/commands.md).

    replicates: the statistic, one number a replicate, in replicate order [num_replicates]; empty for an EXACT check.
    arrays: what else the simulator returned, by name, [num_replicates, ...].
    """

    claim: str
    check: str
    formula: str
    provenance: str
    cell: Mapping[str, Any]
    estimate: float
    low: float
    high: float
    bound: float
    margin: Any
    trivial: float | None
    slack: float
    looseness: float | None
    verdict: str
    reason: str
    inside: bool
    num_replicates: int
    num_failed: int
    level: float
    method: str
    asymptotic: bool
    seed: int
    device: str
    replicates: np.ndarray
    arrays: Mapping[str, np.ndarray]
    text: str

    def __str__(self) -> str:
        return self.text


def check(
    name: str, fields: Mapping[str, Any], *, seed: int | None, out: str | os.PathLike[str] | None, max_replicates: int | None
) -> Evidence:
    """See `sims.check`."""
    from sims import _decide, _stats, _verdicts  # here, and not above, because they import JAX

    seed, max_replicates = _experiment.checked_run("sims.check", seed=seed, max_replicates=max_replicates)
    claim, wanted = _claims.lookup(name)
    if wanted is not None:
        claim = dataclasses.replace(claim, checks=(claim.check(wanted),))
    with tempfile.TemporaryDirectory() as nowhere:
        options = _decide.Options(
            out=Path(nowhere if out is None else out), seed=seed, max_replicates=max_replicates, alpha=_stats.ALPHA_USER
        )
        try:
            decision, *_ = _verdicts.decisions_at(claim, fields, options)
        except ValueError as error:
            raise ValueError(str(error).replace("--cell", f"check({name!r})")) from None
        (_, row), *_ = decision.rows(seed)
        drawn: dict[str, np.ndarray] = {}
        if decision.experiment.simulate is not None and row.num_replicates:
            drawn = _decide.Draws(decision.experiment, decision.cells, seed, options).data[0]
    kept = {key: a[: row.num_replicates] for key, a in drawn.items()}
    shown = {"claim": claim.id, "checks": [_verdicts.asked_check(decision, [row])]}
    known = {f.name for f in dataclasses.fields(Evidence)}
    return Evidence(
        check=decision.check.name, formula=decision.check.formula, provenance=decision.check.provenance.value,
        replicates=kept.pop("x", np.empty(0)), arrays=kept, text=_report.cell_text(shown),
        slack=_report.room(vars(row)), **{key: part for key, part in vars(row).items() if key in known - {"arrays", "slack"}},
    )  # fmt: skip


# --- stored results as arrays -----------------------------------------------------------------------------------

_COLUMNS = ("estimate", "low", "high", "bound", "trivial", "slack", "num_replicates")


@dataclasses.dataclass(frozen=True)
class Table:
    """Results of one check over its cells.

    axes: the values along each dimension of the arrays, by the name of the cell field. Where cells lie on no grid there is one axis
      "case", numbered, and `coordinates` has the fields along it.
    fixed: cell fields that do not vary.
    estimate, low, high, bound, trivial, slack, num_replicates: float64 [*axes], nan where there is no cell. verdict: text [*axes].
    """

    check: str
    axes: Mapping[str, np.ndarray]
    coordinates: Mapping[str, np.ndarray]
    fixed: Mapping[str, Any]
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bound: np.ndarray
    trivial: np.ndarray
    slack: np.ndarray
    num_replicates: np.ndarray
    verdict: np.ndarray


def _summary(claim: _claims.Claim, out: str | os.PathLike[str] | None, preset: str, seed: int | None) -> Mapping[str, Any]:
    if out is None:
        found = _ledger.summaries(claim.paper).get(claim.id)
    else:
        seed = _experiment.LEDGER_SEED if seed is None else seed
        found = dict(_store.iter_summaries(Path(out), preset, seed)).get(claim.id)
    if found is None:
        raise LookupError(f"load: {'the ledger' if out is None else out} holds no {preset} results of {claim.id}; run it first.")
    return found


def load(name: str, *, out: str | os.PathLike[str] | None, preset: str, seed: int | None, falsifier: str | None) -> Table:
    """See `sims.load`."""
    _experiment.checked_run("sims.load", preset=preset, seed=seed)
    claim, wanted = _claims.lookup(name)
    if wanted is None and len(claim.checks) > 1:
        names = ", ".join(f"{claim.id}/{c.name}" for c in claim.checks)
        raise _claims.UnknownError(f"load: {claim.id} has several checks, name one of {names}")
    summary = _summary(claim, out, preset, seed)
    of = next(c for c in summary["checks"] if wanted in (None, c["name"]))
    rows = of["rows"]
    if falsifier is not None:
        by_name = {f["name"]: f["rows"] for f in of["falsifiers"]}
        if falsifier not in by_name:
            raise _claims.UnknownError(
                f"load: {claim.id}/{of['name']} has the falsifiers {', '.join(by_name) or 'none'}, got {falsifier!r}."
            )
        rows = by_name[falsifier]
    return _table(f"{claim.id}/{of['name']}", [p for row in rows for p in _points(row, of["relation"])])


def _points(row: Mapping[str, Any], relation: str) -> list[dict[str, Any]]:
    """A decision's places: its cell; of a RATE the grid points, of an EXACT check the evaluated cases."""
    shared = {key: row[key] for key in ("verdict", *_COLUMNS)} | {"slack": _report.room(row)}
    if relation not in ("RATE", "EXACT") or not row["points"]:
        return [{**shared, "fields": row["cell"]}]
    own = {"low", "high", "estimate", "bound"}
    places = []
    for point in row["points"]:
        # What a whole grid or the worst case has (an interval of the slope, a slack) is no property of a point.
        values = {**dict.fromkeys(_COLUMNS, math.nan), "num_replicates": row["num_replicates"], **{k: point[k] for k in own & set(point)}}
        fields = {**row["cell"], **{k: v for k, v in point.items() if k not in own | {"label"}}}
        places.append({**values, "verdict": row["verdict"], "fields": fields})
    return places


def _key(value: Any) -> tuple[str, Any]:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return ("", value) if number else (type(value).__name__, repr(value))


def _table(name: str, points: Sequence[Mapping[str, Any]]) -> Table:
    if not points:
        raise LookupError(f"load: {name} has no rows.")
    names = list(dict.fromkeys(k for p in points for k in p["fields"]))
    levels = {k: sorted({_key(p["fields"].get(k)): p["fields"].get(k) for p in points}.items()) for k in names}
    varying = [k for k in names if len(levels[k]) > 1]
    fixed = {k: levels[k][0][1] for k in names if k not in varying}
    index = [tuple([key for key, _ in levels[k]].index(_key(p["fields"].get(k))) for k in varying) for p in points]
    shape = tuple(len(levels[k]) for k in varying)
    if len(set(index)) == len(points) and math.prod(shape) <= 4 * len(points):
        axes, coordinates = {k: np.array([v for _, v in levels[k]]) for k in varying}, {}
    else:
        axes, shape, index = {"case": np.arange(len(points))}, (len(points),), [(i,) for i in range(len(points))]
        coordinates = {k: np.array([p["fields"].get(k) for p in points]) for k in varying}
    columns = {c: np.full(shape, np.nan) for c in _COLUMNS}
    verdict = np.full(shape, "", dtype=object)
    for place, p in zip(index, points, strict=True):
        verdict[place] = p["verdict"]
        for c in _COLUMNS:
            columns[c][place] = math.nan if p[c] is None else p[c]
    return Table(name, axes, coordinates, fixed, verdict=verdict.astype(str), **columns)


# --- CSV ----------------------------------------------------------------------------------------------------------


def csv_text(summaries: Iterable[Mapping[str, Any]]) -> str:
    """The rows of `--json` as CSV with a header line, RFC 4180; objects and lists as JSON, undefined numbers empty.

    Rows of a single claim have a column "cell.<field>" for each field of its cells besides "cell".
    """
    rows = _report.rows_of(summaries)
    if not rows:
        return ""
    cells = list(dict.fromkeys(k for r in rows for k in r["cell"])) if len({r["claim"] for r in rows}) == 1 else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*rows[0], *(f"cell.{k}" for k in cells)])
    for row in rows:
        writer.writerow([_csv_cell(v) for v in row.values()] + [_csv_cell(row["cell"].get(k)) for k in cells])
    return text.getvalue()


def _csv_cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(_store.to_json(value), allow_nan=False)
    return repr(value) if isinstance(value, float) else str(value)
