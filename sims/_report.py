"""Rows and verdicts as text, tables and JSON rows. Pure formatting; imports no JAX."""

from __future__ import annotations

import ast
import functools
import importlib.util
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from theory import _claims
from theory._claims import Check, Claim, Paper, Provenance, Relation, Verdict

__all__ = [
    "against",
    "cell_text",
    "claim_line",
    "ledger_table",
    "listing",
    "listing_text",
    "loose",
    "number",
    "qualified",
    "readme_table",
    "room",
    "rows_of",
    "run_table",
    "show_text",
    "slack",
    "tightest",
]

_RELATION_SIGN = {"UPPER": "<=", "TAIL": "<=", "LOWER": ">=", "ORDER": ">=", "EQUAL": "=", "RATE": "in", "PHASE": "vs"}
_ROUNDING = 1e-12  # a relative residual that float64 arithmetic leaves of an identity
_HUGE = 1e6  # beyond it a ratio says no more than that
_JUDGED_BY = {
    "capital": "bets against the bound on every replicate (valid at any sample size)",
    "t": "a confidence sequence for the mean (asymptotic)",
    "quantile": "counts on either side of the quantile (valid at any sample size)",
    "rows": "the slope of every replicate, and a confidence sequence for their mean (asymptotic)",
    "box": "an interval at every grid point, all at once (valid at any sample size)",
    "exact": "arithmetic in float64; nothing is sampled",
}
_JSON_FIELDS = (
    "claim", "experiment", "cell", "estimate", "low", "high", "bound", "trivial", "slack", "verdict", "num_replicates", "num_failed",
    "level", "method", "asymptotic", "ties", "planned", "attempts", "reason", "seed", "device", "seconds", "falsifier", "margin", "inside",
    "looseness",
)  # fmt: skip


def number(v: Any) -> str:
    """Four significant digits; whole numbers with thousands separators."""
    if v is None:
        return "–"
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(number(u) for u in v) + "]"
    if isinstance(v, bool) or not isinstance(v, (int, float)):
        return str(v)
    if isinstance(v, int) or (math.isfinite(v) and v == int(v) and abs(v) < 1e9):
        return f"{int(v):,}"
    return f"{v:.4g}"


def _cell(row: Mapping[str, Any]) -> str:
    """The cell's fields; of an EXACT check whose cases set fields of their own, the others, and how many cases there are."""
    fields, cases = row["cell"], row["num_replicates"] if row["method"] == "exact" else 0
    own = {k for point in row.get("points") or () for k in point} if cases else set()
    shown = [f"{k}={number(v).replace(',', '') if isinstance(v, int) else number(v)}" for k, v in fields.items() if k not in own]
    return ", ".join([*shown, _counted(cases, "case")] if cases > 1 or not shown else shown)


# --- slack -----------------------------------------------------------------------------------------------------


def _check_of(row: Mapping[str, Any]) -> Check | None:
    """The check that a row belongs to; None for a claim that is not known any more."""
    claim = _claims.claims().get(row["claim"])
    name = row["experiment"].split("/", 1)[1].split("!", 1)[0]
    return next((c for c in claim.checks if c.name == name), None) if claim is not None else None


def room(row: Mapping[str, Any]) -> float:
    """How often the room that was measured would fit: above 1 there is room to spare; nan where no ratio makes sense.

    An upper bound: bound over the interval's upper end (EXACT: over the worst case's number); a lower one the inverse. EQUAL:
    margin over the interval's farthest end; RATE: half the window over it; EXACT identities: tolerance over the worst residual.
    """
    check = _check_of(row)
    if row["verdict"] in (Verdict.VACUOUS.value, Verdict.UNTESTED.value) or check is None or row["slack"] is None:
        return math.nan
    slack = float(row["slack"])
    if check.relation is Relation.EXACT and check.residual.startswith("log"):
        return _exp(-float(row["high"]))
    if check.relation is Relation.EXACT and check.residual != "identity":
        over, under = (row["bound"], row["estimate"]) if check.residual == "upper" else (row["estimate"], row["bound"])
        return over / under if over > 0 and under > 0 else math.nan
    if check.relation in (Relation.UPPER, Relation.TAIL):
        return slack if row["bound"] > 0 and row["high"] > 0 else math.nan
    if check.relation is Relation.LOWER:
        return slack if row["bound"] > 0 and row["low"] > 0 else math.nan
    if check.relation is Relation.ORDER:
        return math.nan
    return slack if slack >= 0 else math.nan


def _exp(exponent: float) -> float:
    if exponent < 700:
        return math.exp(exponent)
    return math.inf if math.isfinite(exponent) else math.nan  # nothing was seen: no ratio


def slack(row: Mapping[str, Any]) -> str:
    """The room to spare as tables print it: a ratio, "exact" for an identity within rounding, "–" where no ratio makes sense."""
    check, ratio = _check_of(row), room(row)
    if check is not None and check.relation is Relation.EXACT and check.residual == "identity" and row["high"] <= _ROUNDING:
        return "exact"
    if math.isnan(ratio):
        return "–"
    if not 1 / _HUGE <= ratio <= _HUGE:
        return "> 1e6" if ratio > 1 else "< 1e-6"
    return number(ratio)


def rows_of(summaries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `--json`: one a decision, falsifiers' beside their check's; an UNTESTED check gives one without a cell."""
    rows = []
    for summary in summaries:
        for check in summary["checks"]:
            for row in [*check["rows"], *(r for f in check["falsifiers"] for r in f["rows"])]:
                rows.append({**{k: row[k] for k in _JSON_FIELDS}, "slack": room(row)})
            if not check["rows"]:
                rows.append(
                    {
                        **dict.fromkeys(_JSON_FIELDS),
                        "claim": summary["claim"],
                        "experiment": f"{summary['claim']}/{check['name']}",
                        "cell": {},
                        "verdict": check["verdict"],
                        "reason": check["reason"],
                        "seed": summary["seed"],
                        "device": summary["device"],
                    }
                )
    return rows


# --- evidence ------------------------------------------------------------------------------------------------


def tightest(check: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row with the least room between estimate and bound: the one to show when only one can be shown."""
    rows = [r for r in check["rows"] if r["inside"] and r["verdict"] != Verdict.VACUOUS.value] or check["rows"]
    if not rows:
        return None

    def order(row: Mapping[str, Any]) -> tuple[bool, float]:
        ratio = room(row)
        return (row["verdict"] == Verdict.SUPPORTED.value, math.inf if math.isnan(ratio) else ratio)

    return min(rows, key=order)


def sign(row: Mapping[str, Any], relation: str) -> str:
    """Which way the number must lie: "<=", ">=", "="."""
    if relation != "EXACT":
        return _RELATION_SIGN[relation]
    check = _check_of(row)
    if check is None or check.residual == "identity":
        return "=" if check is not None else "against"
    return "<=" if check.residual.endswith("upper") else ">="


def against(row: Mapping[str, Any], relation: str) -> str:
    """ "0.3396 in [0.3312, 0.348] = 0.3415 ± 0.02", "0.1244 <= 0.25"; an identity's tolerance only where rounding does not settle it."""
    if row["num_replicates"] == 0 and row["method"] != "exact":
        return f"bound {number(row['bound'])}"
    if relation == "EXACT":
        check, bound = _check_of(row), row["bound"]
        loosely = check is not None and check.residual == "identity" and not row["high"] <= _ROUNDING
        margin = f" ± {number(check.tolerance * max(1.0, abs(bound)))}" if loosely else ""
        return f"{number(row['estimate'])} {sign(row, relation)} {number(bound)}{margin}"
    shown = f"{number(row['estimate'])} in [{number(row['low'])}, {number(row['high'])}]"
    if relation == "EQUAL":
        return f"{shown} = {number(row['bound'])} ± {number(row['margin'])}"
    if relation == "RATE":
        return f"slope {shown}, window {number(row['margin'])}"
    return f"{shown} {_RELATION_SIGN[relation]} {number(row['bound'])}"


def loose(row: Mapping[str, Any]) -> str:
    """How far the bound is from what was measured: "×8.2"; 1 is sharp."""
    ratio = row["looseness"]
    if ratio is None:
        return "–"
    return "no event" if ratio == math.inf else f"×{ratio:.3g}"


def _replicates(rows: Sequence[Mapping[str, Any]]) -> str:
    counts = [r["num_replicates"] for r in rows if r["verdict"] != Verdict.VACUOUS.value]
    if not counts:
        return "–"
    shown = number(counts[0]) if min(counts) == max(counts) else f"{number(min(counts))} to {number(max(counts))}"
    return f"{shown} {'case' if max(counts) == 1 else 'cases'}" if rows[0]["method"] == "exact" else shown


def _caught(check: Mapping[str, Any]) -> str:
    asked = [f for f in check["falsifiers"] if f["rows"]]
    return f"{sum(map(_is_caught, asked))}/{len(check['falsifiers'])}" if asked else "–"


def qualified(verdict: str, relation: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A verdict with what it does not say: that a lower bound is met proves no more, that an interval holds for large samples only."""
    word = f"{verdict} (consistent with)" if relation == Relation.LOWER.value and verdict == Verdict.SUPPORTED.value else verdict
    return f"{word}, asymptotic" if any(r["asymptotic"] for r in rows) and verdict in ("SUPPORTED", "REFUTED") else word


NOT_ASKED, IN_PART = "not asked", "in part"


def check_word(check: Mapping[str, Any]) -> str:
    """The verdict of a check, or that the preset of its run asks it nowhere."""
    return NOT_ASKED if check["verdict"] == Verdict.UNDECIDED.value and not check["rows"] else check["verdict"]


def claim_word(summary: Mapping[str, Any]) -> str:
    """The verdict of a claim; "not asked", or "in part" where what a preset asks is SUPPORTED and it does not ask everything."""
    if summary["verdict"] != Verdict.UNDECIDED.value:
        return summary["verdict"]
    words = {check_word(c) for c in summary["checks"]} - {Verdict.UNTESTED.value}
    if NOT_ASKED not in words or words - {NOT_ASKED, Verdict.SUPPORTED.value}:
        return summary["verdict"]
    return IN_PART if len(words) > 1 else NOT_ASKED


def claim_line(summary: Mapping[str, Any], verbose: bool = False) -> str:
    """One line a claim; with `verbose` a line for every cell and falsifier below it."""
    rows = [(tightest(c), c) for c in summary["checks"] if c["rows"]]
    evidence = ""
    if rows:

        def order(shown: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[bool, float]:
            ratio = room(shown[0])
            return (shown[1]["verdict"] == Verdict.SUPPORTED.value, math.inf if math.isnan(ratio) else ratio)

        row, check = min(rows, key=order)
        evidence = f"{against(row, check['relation'])}  slack {slack(row)}"
    word = claim_word(summary)
    line = f"{summary['claim']:<22} {word:<10} {evidence}"
    if word not in (Verdict.SUPPORTED.value, Verdict.VACUOUS.value) and summary["reason"]:
        line += f"  ({summary['reason']})"
    return "\n".join([line.rstrip(), *(_cell_lines(summary) if verbose else [])])


def _cell_lines(summary: Mapping[str, Any]) -> list[str]:
    lines = []
    for check in summary["checks"]:
        judged = [(check["name"], r) for r in check["rows"]]
        judged += [(f"{check['name']}!{f['name']}", r) for f in check["falsifiers"] for r in f["rows"]]
        for name, row in judged:
            counted = f", {number(row['num_replicates'])} replicates" if row["method"] != "exact" else ""
            lines.append(
                f"    {name:<18} {row['verdict']:<10} {_cell(row)}: {against(row, check['relation'])}; slack {slack(row)}{counted}"
                + (f"; {row['reason']}" if row["reason"] else "")
            )
        if not check["rows"]:
            lines.append(f"    {check['name']:<18} {check_word(check):<10} {check['reason']}")
    return lines


def cell_text(summary: Mapping[str, Any]) -> str:
    """The answer to a user's own cell: estimate, interval, bound, slack, verdict, in sentences' order."""
    sampled = any(row["method"] != "exact" for check in summary["checks"] for row in check["rows"])
    level = "level 1e-3 (such an answer is wrong at most once in a thousand times), " if sampled else ""
    lines = [f"{summary['claim']}, a cell of yours; {level}no part of the ledger"]
    for check in summary["checks"]:
        for row in check["rows"]:
            lines += [f"  {check['name']} ({_cell(row)})", *_answer_lines(row, check)]
    return "\n".join(lines)


def _answer_lines(row: Mapping[str, Any], check: Mapping[str, Any]) -> list[str]:
    relation, reason = check["relation"], f"; {row['reason']}" if row["reason"] else ""
    margin = f" ± {number(row['margin'])}" if relation == "EQUAL" else ""
    bound = f"    bound     {sign(row, relation)} {number(row['bound'])}{margin}   {check['formula']}"
    standing = f"    standing  {Provenance(check['provenance']).phrase}"
    if row["verdict"] == Verdict.VACUOUS.value:
        return [bound, f"    verdict   VACUOUS{reason or '; nothing is promised here'}; nothing was drawn", standing]
    if row["method"] == "exact":
        number_of = f"    residual  {number(row['high'])}, positive when violated"
        counted = f" in {number(row['num_replicates'])} {'case' if row['num_replicates'] == 1 else 'cases'}"
    else:
        number_of = f"    interval  [{number(row['low'])}, {number(row['high'])}]{', asymptotic' if row['asymptotic'] else ''}"
        counted = f" after {number(row['num_replicates'])} replicates"
    ratio = f"; bound/estimate {loose(row)}" if row["looseness"] is not None else ""
    return [
        f"    estimate  {number(row['estimate'])}", number_of, bound, f"    slack     {slack(row)}{ratio}",
        f"    verdict   {qualified(row['verdict'], relation, [row])}{counted}{reason}", standing,
    ]  # fmt: skip


def run_table(summaries: Sequence[Mapping[str, Any]]) -> str:
    """The table that ends a run: a line a check."""
    head = ("check", "verdict", "estimate against bound", "slack", "loose", "replicates", "falsifiers")
    body = []
    for summary in summaries:
        for check in summary["checks"]:
            row = tightest(check)
            body.append((
                f"{summary['claim']}/{check['name']}", qualified(check_word(check), check["relation"], check["rows"]),
                "–" if row is None else against(row, check["relation"]), "–" if row is None else slack(row),
                "–" if row is None else loose(row), _replicates(check["rows"]), _caught(check),
            ))  # fmt: skip
    widths = [max(len(r[i]) for r in [head, *body]) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in [head, tuple("-" * w for w in widths), *body]]
    note = "Shown per check: the cell with the least slack (above 1: room to spare). Loose: bound over estimate (1 is sharp)."
    return "\n".join(["", *lines, "", f"{_counted(len(summaries), 'claim')}: {_totals(summaries)}. {note}"])


def _totals(summaries: Sequence[Mapping[str, Any]]) -> str:
    """ "81 SUPPORTED, 1 REFUTED, 11 UNTESTED; at smoke 20 are not asked and 35 in part, SUPPORTED so far"."""
    counts = Counter(map(claim_word, summaries))
    total = ", ".join(f"{counts[v.value]} {v.value}" for v in Verdict if counts[v.value])
    preset = next((s["preset"] for s in summaries if "preset" in s), "this preset")
    open_ = []
    if counts[NOT_ASKED]:
        open_.append(f"{counts[NOT_ASKED]} not asked at {preset}")
    if counts[IN_PART]:
        open_.append(f"{counts[IN_PART]} asked in part at {preset}, SUPPORTED so far")
    return ", ".join(filter(None, [total, *open_]))


def _counted(count: int, word: str) -> str:
    return f"{number(count)} {word}{'' if count == 1 else 's'}"


# --- list and show -------------------------------------------------------------------------------------------


@functools.cache
def _claim_lines(slug: str) -> Mapping[str, str]:
    """Where each claim is written down: file:line of the Claim(...) call, found without running anything."""
    spec = importlib.util.find_spec(f"theory.{slug}")
    origin = Path(spec.origin)
    root = origin.parents[2] if spec.submodule_search_locations else origin.parents[1]
    places = {}
    for path in sorted(origin.parent.glob("*.py")) if spec.submodule_search_locations else [origin]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Claim":
                given = [k.value for k in node.keywords if k.arg == "id"] or node.args[:1]
                if given and isinstance(given[0], ast.Constant):
                    places[given[0].value] = f"{path.relative_to(root)}:{node.lineno}"
    return places


@functools.cache
def _test_lines() -> Mapping[str, tuple[str, ...]]:
    """Tests by the claim they are marked with, as file:line; empty outside a checkout."""
    found: dict[str, list[str]] = {}
    for path in sorted(p for root in _claims.roots() for p in (root / "tests").glob("test_*.py")):
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for claim in re.findall(r"""mark\.claim\(["']([^"']+)["']\)""", line):
                found.setdefault(claim, []).append(f"tests/{path.name}:{i}")
    return {claim: tuple(places) for claim, places in found.items()}


def listing(claims: Sequence[Claim], summaries: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `list --json`, with the verdicts of these summaries."""
    rows = []
    for claim in claims:
        last = summaries.get(claim.id)
        rows.append({
            "id": claim.id, "paper": claim.paper, "statement": claim.statement, "source": claim.source,
            "provenance": sorted({c.provenance.value for c in claim.checks}), "relation": [c.relation.value for c in claim.checks],
            "location": _claim_lines(claim.paper).get(claim.id, ""), "tests": list(_test_lines().get(claim.id, ())),
            "experiments": list(claim.experiments()), "falsifiers": [f.name for c in claim.checks for f in c.falsifiers],
            "verdict": last["verdict"] if last else None,
        })  # fmt: skip
    return rows


def listing_text(rows: Sequence[Mapping[str, Any]]) -> str:
    lines, paper = [], None
    for row in rows:
        if row["paper"] != paper:
            paper = row["paper"]
            lines += ["" if lines else None, f"{paper}: {_claims.papers()[paper].title}"]
        lines.append(f"  {row['id']:<22} {row['verdict'] or 'not run':<11} {row['statement']}")
        places = [row["location"], *row["tests"][:2]] + (["…"] if len(row["tests"]) > 2 else [])
        lines.append(f"  {'':<22} {'/'.join(dict.fromkeys(row['relation'])):<11} {'  '.join(places)}")
    return "\n".join(line for line in lines if line is not None)


def show_text(claim: Claim, summary: Mapping[str, Any] | None, only: str | None = None, plugins: str = "") -> str:
    """All that is known of a claim, or of one of its checks; `plugins` ends the command that runs it (" --plugin DIR")."""
    lines = [f"{claim.id}   {claim_word(summary) if summary else 'not run'}", f"  {claim.statement}", f"  source: {claim.source}"]
    lines.append(f"  written down at {_claim_lines(claim.paper).get(claim.id, '')}")
    by_name = {c["name"]: c for c in summary["checks"]} if summary else {}
    for check in (c for c in claim.checks if only in (None, c.name)):
        lines += ["", f"check {check.name}: {check.relation.value}, {check.provenance.phrase}", f"  formula     {check.formula}"]
        lines.append(f"  constants   {check.constants}")
        if check.untested is not None:
            lines.append(f"  untested    {check.untested}")
            continue
        lines.append(f"  judged by   {_JUDGED_BY[check.method]}")
        lines += [f"  assumes     {a.label}: {a.text}" for a in check.assumptions]
        done = by_name.get(check.name)
        if done:
            lines.append(
                f"  verdict     {qualified(check_word(done), done['relation'], done['rows'])}"
                + (f" ({done['reason']})" if done["reason"] else "")
            )
            lines += [f"  evidence    {_evidence_line(r, check.relation.value)}" for r in done["rows"]]
        for f in check.falsifiers:
            seen = next((d for d in done["falsifiers"] if d["name"] == f.name), None) if done else None
            fate = "not run" if seen is None or not seen["rows"] else "caught" if seen["verdict"] == Verdict.REFUTED.value else "not caught"
            lines.append(f"  falsifier   {f.name}: {f.breaks}; {fate}")
            lines += [f"                {_evidence_line(r, check.relation.value)}" for r in (seen or {"rows": []})["rows"]]
    if summary:
        peak = summary.get("peak_bytes")
        memory = f", {peak / 1e9:.2g} GB of memory at most" if peak else ""
        of = f"{summary['device']}{memory}, jax {summary['jax']}, commit {summary['commit']}"
        lines += ["", f"run: preset {summary['preset']}, seed {summary['seed']}, {of}"]
        lines.append(f"again: python -m sims run {claim.id} --preset {summary['preset']} --seed {summary['seed']}{plugins}")
    else:
        lines += ["", f"run it: python -m sims run {claim.id}{plugins}"]
    return "\n".join(lines)


def _evidence_line(row: Mapping[str, Any], relation: str) -> str:
    line = f"{_cell(row)}: {against(row, relation)} {row['verdict']}; slack {slack(row)}; loose {loose(row)}"
    if row["method"] != "exact":
        line += f"; {number(row['num_replicates'])} replicates"
        most = number(row["planned"].get("max_replicates"))
        line += f" of at most {most}, level {row['level']:.0e}, seed {row['seed']}, attempts {row['attempts']}"
    return line + (f"; {row['reason']}" if row["reason"] else "")


# --- generated tables ------------------------------------------------------------------------------------------


def _md(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def ledger_table(paper: Paper, summaries: Mapping[str, Mapping[str, Any]]) -> str:
    """The generated part of paper_checks.md for one paper: a row a check."""
    head = (
        "Claim", "Statement", "Source", "Standing", "Verdict", "Estimate against bound", "Slack", "Loose", "Replicates",
        "Falsifiers caught", "Again",
    )  # fmt: skip
    lines = [paper.citation, ""]
    if paper.note:
        lines += [paper.note, ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for claim in _claims.claims().values():
        if claim.paper != paper.slug:
            continue
        summary = summaries.get(claim.id)
        by_name = {c["name"]: c for c in summary["checks"]} if summary else {}
        for i, check in enumerate(claim.checks):
            done = by_name.get(check.name)
            first = i == 0
            cells = [f"`{claim.id}`" + (f" {check.name}" if len(claim.checks) > 1 else "")]
            cells += [claim.statement if first else "″", claim.source if first else "″", check.provenance.phrase]
            cells += _ledger_cells(check, done)
            cells.append(f"`python -m sims run {claim.id} --preset default`" if first else "″")
            lines.append("| " + " | ".join(map(_md, cells)) + " |")
    run = next(iter(summaries.values()), None)
    if run:
        devices = sorted({s["device"] for s in summaries.values()})
        commits = sorted({s["commit"] for s in summaries.values()})
        lines += [
            "", f"Preset default, seed {run['seed']} (a REFUTED is repeated with seed {run['second_seed']}), device {', '.join(devices)}, "
            f"jax {run['jax']}, code {', '.join(commits)}. Estimates are of the cell with the least slack; loose is bound over "
            "estimate, 1 is sharp.",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _ledger_cells(check: _claims.Check, done: Mapping[str, Any] | None) -> list[str]:
    if done is None:
        return ["not run", "–", "–", "–", "–", "–"]
    row = tightest(done)
    verdict = f"**{qualified(done['verdict'], done['relation'], done['rows'])}**"
    if done["reason"] and done["verdict"] != Verdict.SUPPORTED.value:
        verdict += f": {done['reason']}"
    if row is None:
        return [verdict, "–", "–", "–", "–", "–"]
    names = ", ".join(f["name"] for f in done["falsifiers"])
    return [
        verdict, f"{against(row, done['relation'])} ({_cell(row)})", slack(row), loose(row), _replicates(done["rows"]),
        f"{_caught(done)}: {names}",
    ]  # fmt: skip


def readme_table(ledger: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The generated verdicts in README.md: how many of which, by paper, and folded behind each paper a line a claim."""
    held = {slug: [c for c in _claims.claims().values() if c.paper == slug] for slug in ledger}
    words = [v.value for v in Verdict if any(s["verdict"] == v.value for paper in ledger.values() for s in paper.values())]
    lines = [f"| Paper | Claims | {' | '.join(words)} | Falsifiers caught |", f"|{'---|' * (len(words) + 3)}"]
    totals: Counter[str] = Counter()
    for slug, claims in held.items():
        counts = Counter(summary["verdict"] for summary in ledger[slug].values())
        falsifiers = [f for summary in ledger[slug].values() for f in _falsifiers(summary)]
        counts |= {"claims": len(claims), "caught": sum(map(_is_caught, falsifiers)), "falsifiers": len(falsifiers)}
        totals += counts
        lines.append(_count_line(f"`{slug}`", counts, words))
    lines += [_count_line("all", totals, words), ""]
    for slug, claims in held.items():
        lines += [f"<details><summary><b>{slug}</b>: {len(claims)} claims, one by one</summary>", ""]
        lines += ["| Claim | What it says | Verdict | Slack | Falsifiers caught |", "|---|---|---|---|---|"]
        lines += [_claim_line(claim, ledger[slug].get(claim.id)) for claim in claims] + ["", "</details>", ""]
    return "\n".join(lines)


def _count_line(name: str, counts: Mapping[str, int], words: Sequence[str]) -> str:
    cells = [name, counts["claims"], *(counts[w] for w in words), f"{counts['caught']}/{counts['falsifiers']}"]
    return f"| {' | '.join(map(str, cells))} |"


def _falsifiers(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [f for check in summary["checks"] for f in check["falsifiers"]]


def _is_caught(falsifier: Mapping[str, Any]) -> bool:
    return falsifier["verdict"] == Verdict.REFUTED.value


def _claim_line(claim: Claim, summary: Mapping[str, Any] | None) -> str:
    if summary is None:
        return f"| `{claim.id}` | {_md(claim.statement)} | not run | – | – |"
    rows = [r for r in map(tightest, summary["checks"]) if r is not None]
    shown = min((r for r in rows if math.isfinite(room(r))), key=room, default=rows[0] if rows else None)
    falsifiers = _falsifiers(summary)
    caught = f"{sum(map(_is_caught, falsifiers))}/{len(falsifiers)}"
    return f"| `{claim.id}` | {_md(claim.statement)} | {summary['verdict']} | {'–' if shown is None else slack(shown)} | {caught} |"
