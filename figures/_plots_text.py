"""What a figure says in words: title, legend, labels. For the default figures and the report page alike. Draws nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from figures._plots_words import number, pretty, said
from figures._series import Check, Picture, Point, broken, constants_of, numeric, points_of, tolerance_of
from sims import _report
from theory import _claims

__all__ = [
    "bars_text", "counts_text", "estimate_text", "falsifier_text", "height_text", "margin_text", "measured_text", "predicted_text",
    "provenance_text", "replicates", "slope_text", "title_of", "unseen_text", "vacuous_text", "window_text",
]  # fmt: skip


def title_of(claim_id: str, check: Check) -> str:
    """The claim, the check and the verdict with its qualifiers, as `python -m sims show` words them."""
    return f"{claim_id}/{check['name']}: {_report.qualified(check['verdict'], check['relation'], check['rows'])}"


def provenance_text(check: Check) -> str:
    """Where the statement was read, if it is not the paper's own; in the words of the command line."""
    known = check.get("provenance", "paper")
    return "" if known == "paper" else _claims.Provenance(known).phrase


def _split(formula: str) -> tuple[str, str]:
    """A formula at its first relation outside brackets: (left side, the rest)."""
    depth = 0
    for i, c in enumerate(formula):
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and (formula[i : i + 3] in (" = ", " < ") or formula[i : i + 4] in (" <= ", " >= ")):
            return formula[:i], formula[i + 1 :]
    return formula, ""


_TELLING = re.compile(
    r"runs|share of|draws|queries|updates|accuracy|gradient|largest|points|error|risk|holdout|tests|difference|nats", re.I
)


def measured_text(check: Check) -> str:
    """What stands on the axis: the units and, where these are too bare, the left side of the formula."""
    units, (left, rest) = check["units"] or "", _split(check["formula"])
    if check["relation"] == "RATE":
        left = check["formula"].split(": ")[0] if ": " in check["formula"] else ""
    prose = re.search(r" (if|is|and|equals|for|grows) |, ", re.sub(r"\([^()]*\)|\[[^\]]*\]", "", left))
    useful = left and (rest or check["relation"] == "RATE") and len(left) <= 70 and not prose
    if not units:
        return pretty(left) if useful else "statistic"
    if not useful or (_TELLING.search(units) and len(units) > 12) or left.replace("E ", "") == units:
        return pretty(units)
    return pretty(f"{left} ({units})")


def height_text(picture: Picture) -> str:
    """The label of the axis of values."""
    what = measured_text(picture.check)
    if picture.residual:
        return f"|left − right side| ({pretty(picture.check['units']) or 'absolute'})"
    over = "the prediction" if picture.side == "equal" else "its bound"
    return f"{what} over {over}" if picture.relative else what


def counts_text(picture: Picture) -> str:
    """How many of the evaluated cases are shown, and what a case is; empty for sampled checks and where nothing is left to say."""
    check = picture.check
    if check["relation"] != "EXACT":
        return ""
    rows = [r for r in check["rows"] if r["points"]]
    evaluated, shown = sum(r["num_replicates"] for r in rows), len(picture.judged)
    label = next((p["label"] for p in picture.points if re.match(r"\w+ \d+ to \d+$", str(p["label"]))), None)
    batch = ""
    if label:
        word, first, last = re.match(r"(\w+) (\d+) to (\d+)$", label).groups()
        batch = f"; a case is the worst of {int(last) - int(first) + 1} {word}"
    worst = picture.residual or picture.side == "equal"
    closest = "worst cases" if worst else "cases closest to the bound"
    if evaluated <= shown:
        return f"{shown:,} cases{batch}" if shown > 1 else batch.removeprefix("; ")
    cut = [r for r in rows if r["num_replicates"] > len(r["points"])]
    if len(rows) == 1:
        return f"the {shown:,} {'worst ' if worst else ''}of {evaluated:,} cases{'' if worst else ' closest to the bound'}{batch}"
    some = "" if len(cut) == len(rows) else " (all of a cell that has at most 12)"
    return f"of each of {len(rows)} cells the 2 {closest}{some}; {evaluated:,} evaluated{batch}"


def estimate_text(picture: Picture) -> str:
    """What a mark of the check itself is."""
    if picture.check["relation"] == "TAIL":
        return "estimate, the share of replicates in which it happened"
    if picture.check["relation"] != "EXACT":
        return "estimate, the mean over replicates" if not _is_quantile(picture.check) else "estimate, a quantile over replicates"
    what = "residual, computed exactly: no sampling" if picture.residual else "exact value: no sampling, no bars"
    counts = counts_text(picture)
    return f"{what}; {counts}" if counts else what


def _is_quantile(check: Check) -> bool:
    return any(r.get("method") == "quantile" for r in check["rows"])


def predicted_text(picture: Picture, margin_seen: bool = True) -> str:
    """What the black dash is."""
    if picture.residual:
        return f"tolerance {number(float(f'{tolerance_of(picture.check):.2g}'))}; the hatched side is forbidden"
    if picture.side == "equal":
        if _WINDOW.search(picture.check["formula"]):
            return "middle of the declared window"
        if picture.check["relation"] == "EXACT" and not margin_seen:
            return f"predicted value; tolerance {number(float(f'{tolerance_of(picture.check):.2g}'))} of it, too narrow to be seen"
        return "predicted value"
    return f"{'upper' if picture.side == 'upper' else 'lower'} bound: right side of the formula above; the hatched side is forbidden"


_WINDOW = re.compile(r"\b(in|within) \[")  # an interval is claimed, and no value in it


def margin_text(picture: Picture) -> str:
    """What the grey band is."""
    if _WINDOW.search(picture.check["formula"]):
        return "declared window: " + ("the value" if picture.check["relation"] == "EXACT" else "the whole bar") + " must lie inside"
    if picture.check["relation"] == "EXACT":
        return "tolerance around the prediction: the value must lie inside"
    return "declared margin around the prediction: the whole bar must lie inside"


def replicates(points: Sequence[Point]) -> str:
    """Fewest to most replicates of the points that are shown: vacuous ones without an estimate are not."""
    counts = [p["replicates"] for p in points if numeric(p["estimate"])]
    if not counts:
        return "0"
    return f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{min(counts):,}"


def bars_text(picture: Picture) -> str:
    """What the bars are; empty for an EXACT check."""
    check, level = picture.check, number(next((r["level"] for r in picture.check["rows"] if "level" in r), 1e-6))
    if check["relation"] == "EXACT":
        return ""
    if check["relation"] == "RATE":
        runs = check["rows"][0]["num_replicates"]
        return f"bars: ± 2 standard errors, each for itself; {runs:,} replicates of the whole grid"
    about = "quantile" if _is_quantile(check) else "mean"
    kind = "asymptotic confidence sequence" if any(r.get("asymptotic") for r in check["rows"]) else "confidence sequence"
    stop = "sampling stops once the verdict is sure, which is why bars often end at the bound"
    sure = f"each misses its {about} with probability ≤ {level}, whenever one stops"
    return f"bars: {kind}, {sure}; {stop}; {replicates(picture.points)} replicates"


def slope_text(check: Check) -> str:
    """The fitted slope of a RATE check with its interval."""
    row = check["rows"][0]
    estimate, low, high = (f"{row[k]:.3f}".replace("-", "−") for k in ("estimate", "low", "high"))
    return f"fitted slope {estimate} in [{low}, {high}] (asymptotic confidence sequence, misses with probability ≤ {number(row['level'])})"


def window_text(row: Mapping[str, Any]) -> str:
    return f"[{', '.join(number(float(f'{v:.3g}')) for v in row['margin'])}]"


def falsifier_text(picture: Picture, f: Mapping[str, Any], shown: Sequence[Point]) -> str:
    """What a falsifier breaks, and how it fared."""
    fate = "and refuted" if f["verdict"] == "REFUTED" else "not refuted"
    text = f"wrong on purpose, {fate}: {pretty(f['breaks'])}"
    if picture.kind == "rate" and shown and (other := constants_of(picture, shown)):
        text += f" (at {other})"
    if picture.check["relation"] == "EXACT":
        stored = [p for p in points_of(picture.check, f["rows"]) if numeric(p["bound"]) and numeric(p["estimate"])]
        bad = sum(broken(picture.check, p) for p in stored)
        if f["verdict"] == "REFUTED" and 0 < bad < len(stored):
            text += f" (broken in {bad} of the {len(stored)} cases shown; one is enough)"
    elif f["kind"] == "world" and picture.check["relation"] != "RATE":
        text += f" ({replicates(shown)} replicates)"
    return text


def vacuous_text(picture: Picture) -> str:
    """What the grey marks are; empty if there are none."""
    vacuous = [p for p in picture.points if p["state"] == "vacuous"]
    outside = sum(p["state"] == "outside" for p in picture.points)
    thing = "case" if picture.check["relation"] == "EXACT" else "cell"
    parts = []
    if vacuous:
        rest = [p for p in picture.points if p["state"] != "vacuous"]
        own = [k for k in vacuous[0]["inputs"] if {repr(p["cell"][k]) for p in vacuous}.isdisjoint(repr(p["cell"][k]) for p in rest)]
        own = [said(k, vacuous[0]["cell"][k], picture.paper) for k in own if len({repr(p["cell"][k]) for p in vacuous}) == 1 and rest]
        some = f"{len(vacuous):,} vacuous {thing}{'s' if len(vacuous) > 1 else ''}{' (' + ', '.join(own) + ')' if own else ''}"
        parts.append(f"{some}, not judged: the bound is no better than the trivial value")
    if outside:
        parts.append(f"{outside:,} {thing}{'s' if outside > 1 else ''} outside the assumptions, not judged")
    return "; ".join(parts)


def unseen_text(f: Mapping[str, Any]) -> str:
    """Of a falsifier of which nothing is drawn."""
    infinite = any(p["estimate"] == math.inf for row in f["rows"] for p in row["points"])
    fate = "and refuted" if f["verdict"] == "REFUTED" else "not refuted"
    return f"wrong on purpose, {fate}: {pretty(f['breaks'])} ({'its value is infinite: ' if infinite else ''}not drawn)"
