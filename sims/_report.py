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

from sims import _progress
from theory import _claims
from theory._claims import Claim, Paper, Provenance, Relation, Verdict

__all__ = [
    "cell_text",
    "claim_line",
    "dry_cell_text",
    "dry_run_text",
    "ledger_table",
    "listing",
    "listing_text",
    "readme_table",
    "rows_of",
    "run_table",
    "show_text",
]

_RELATION_SIGN = {"UPPER": "<=", "TAIL": "<=", "LOWER": ">=", "ORDER": ">=", "EQUAL": "=", "RATE": "in", "EXACT": "vs", "PHASE": "vs"}
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
    return ", ".join(f"{k}={number(v).replace(',', '') if isinstance(v, int) else number(v)}" for k, v in row["cell"].items())


def rows_of(summaries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `--json`: one a decision, falsifiers' beside their check's; an UNTESTED check gives one without a cell."""
    rows = []
    for summary in summaries:
        for check in summary["checks"]:
            for row in [*check["rows"], *(r for f in check["falsifiers"] for r in f["rows"])]:
                rows.append({k: row[k] for k in _JSON_FIELDS})
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

    def room(row: Mapping[str, Any]) -> tuple[bool, float]:
        slack = row["slack"]
        return (row["verdict"] == Verdict.SUPPORTED.value, slack if isinstance(slack, (int, float)) and not math.isnan(slack) else math.inf)

    return min(rows, key=room)


def against(row: Mapping[str, Any], relation: str) -> str:
    """ "0.3396 in [0.3312, 0.348], bound 0.3415 ± 0.02"."""
    if row["num_replicates"] == 0 and row["method"] != "exact":
        return f"bound {number(row['bound'])}"
    if relation == "EXACT":
        return f"{number(row['estimate'])} against {number(row['bound'])}"
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
    return number(counts[0]) if min(counts) == max(counts) else f"{number(min(counts))} to {number(max(counts))}"


def _caught(check: Mapping[str, Any]) -> str:
    falsifiers = check["falsifiers"]
    caught = sum(f["verdict"] == Verdict.REFUTED.value for f in falsifiers)
    return f"{caught}/{len(falsifiers)}" if falsifiers else "–"


def _word(verdict: str, relation: str, rows: Sequence[Mapping[str, Any]]) -> str:
    word = f"{verdict} (consistent with)" if relation == Relation.LOWER.value and verdict == Verdict.SUPPORTED.value else verdict
    return f"{word}, asymptotic" if any(r["asymptotic"] for r in rows) and verdict in ("SUPPORTED", "REFUTED") else word


def claim_line(summary: Mapping[str, Any], verbose: bool = False) -> str:
    """One line a claim; with `verbose` a line for every cell and falsifier below it."""
    check = min(
        summary["checks"],
        key=lambda c: (c["verdict"] == Verdict.SUPPORTED.value, (tightest(c) or {"slack": math.inf})["slack"] or math.inf),
    )
    row = tightest(check)
    evidence = "" if row is None else f"{against(row, check['relation'])}  slack {number(row['slack'])}"
    line = f"{summary['claim']:<22} {summary['verdict']:<10} {evidence}"
    if summary["verdict"] not in (Verdict.SUPPORTED.value, Verdict.VACUOUS.value) and summary["reason"]:
        line += f"  ({summary['reason']})"
    return "\n".join([line.rstrip(), *(_cell_lines(summary) if verbose else [])])


def _cell_lines(summary: Mapping[str, Any]) -> list[str]:
    lines = []
    for check in summary["checks"]:
        judged = [(check["name"], r) for r in check["rows"]]
        judged += [(f"{check['name']}!{f['name']}", r) for f in check["falsifiers"] for r in f["rows"]]
        for name, row in judged:
            lines.append(
                f"    {name:<18} {row['verdict']:<10} {_cell(row)}: {against(row, check['relation'])}; slack {number(row['slack'])}, "
                f"{number(row['num_replicates'])} replicates" + (f"; {row['reason']}" if row["reason"] else "")
            )
        if not check["rows"]:
            lines.append(f"    {check['name']:<18} {check['verdict']:<10} {check['reason']}")
    return lines


def cell_text(summary: Mapping[str, Any]) -> str:
    """The answer to a user's own cell: estimate, interval, bound, slack, verdict, in sentences' order."""
    lines = [f"{summary['claim']}, one cell, level 1e-3, outside the family and the ledger"]
    for check in summary["checks"]:
        for row in check["rows"]:
            lines += [
                f"  {check['name']} ({_cell(row)})",
                f"    estimate  {number(row['estimate'])}",
                f"    residual  {number(row['high'])}, positive when violated" if check["relation"] == "EXACT" else
                f"    interval  [{number(row['low'])}, {number(row['high'])}]{', asymptotic' if row['asymptotic'] else ''}",
                f"    bound     {_RELATION_SIGN[check['relation']]} {number(row['bound'])}"
                + (f" ± {number(row['margin'])}" if check["relation"] == "EQUAL" else "") + f"   {check['formula']}",
                f"    slack     {number(row['slack'])}; bound/estimate {loose(row)}",
                f"    verdict   {_word(row['verdict'], check['relation'], [row])} after {number(row['num_replicates'])} replicates"
                + (f"; {row['reason']}" if row["reason"] else ""),
                f"    standing  {Provenance(check['provenance']).phrase}",
            ]  # fmt: skip
    return "\n".join(lines)


def run_table(summaries: Sequence[Mapping[str, Any]]) -> str:
    """The table that ends a run: a line a check."""
    head = ("check", "verdict", "estimate against bound", "slack", "loose", "replicates", "falsifiers")
    body = []
    for summary in summaries:
        for check in summary["checks"]:
            row = tightest(check)
            body.append((
                f"{summary['claim']}/{check['name']}", _word(check["verdict"], check["relation"], check["rows"]),
                "–" if row is None else against(row, check["relation"]), "–" if row is None else number(row["slack"]),
                "–" if row is None else loose(row), _replicates(check["rows"]), _caught(check),
            ))  # fmt: skip
    widths = [max(len(r[i]) for r in [head, *body]) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in [head, tuple("-" * w for w in widths), *body]]
    counts = {v.value: sum(s["verdict"] == v.value for s in summaries) for v in Verdict}
    total = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    note = "Shown per check: the cell with the least slack. Loose: bound over estimate (1 is sharp)."
    return "\n".join(["", *lines, "", f"{len(summaries)} claims: {total}. {note}"])


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


def listing(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The rows of `list --json`."""
    from sims import _ledger

    rows = []
    for claim in claims:
        ledger = _ledger.summaries(claim.paper).get(claim.id)
        rows.append({
            "id": claim.id, "paper": claim.paper, "statement": claim.statement, "source": claim.source,
            "provenance": sorted({c.provenance.value for c in claim.checks}), "relation": [c.relation.value for c in claim.checks],
            "location": _claim_lines(claim.paper).get(claim.id, ""), "tests": list(_test_lines().get(claim.id, ())),
            "experiments": list(claim.experiments()), "falsifiers": [f.name for c in claim.checks for f in c.falsifiers],
            "verdict": ledger["verdict"] if ledger else None,
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


def show_text(claim: Claim, summary: Mapping[str, Any] | None) -> str:
    lines = [f"{claim.id}   {summary['verdict'] if summary else 'not run'}", f"  {claim.statement}", f"  source: {claim.source}"]
    lines.append(f"  written down at {_claim_lines(claim.paper).get(claim.id, '')}")
    by_name = {c["name"]: c for c in summary["checks"]} if summary else {}
    for check in claim.checks:
        lines += ["", f"check {check.name}: {check.relation.value}, {check.provenance.phrase}", f"  formula     {check.formula}"]
        lines.append(f"  constants   {check.constants}; judged by {check.method}")
        if check.untested is not None:
            lines.append(f"  untested    {check.untested}")
            continue
        lines += [f"  assumes     {a.label}: {a.text}" for a in check.assumptions]
        done = by_name.get(check.name)
        if done:
            lines.append(
                f"  verdict     {_word(done['verdict'], done['relation'], done['rows'])}"
                + (f" ({done['reason']})" if done["reason"] else "")
            )
            lines += [f"  evidence    {_evidence_line(r, check.relation.value)}" for r in done["rows"]]
        for f in check.falsifiers:
            seen = next((d for d in done["falsifiers"] if d["name"] == f.name), None) if done else None
            fate = "not run" if seen is None else "caught" if seen["verdict"] == Verdict.REFUTED.value else "not caught"
            lines.append(f"  falsifier   {f.name}: {f.breaks}; {fate}")
            lines += [f"                {_evidence_line(r, check.relation.value)}" for r in (seen or {"rows": []})["rows"]]
    if summary:
        peak = summary.get("peak_bytes")
        memory = f", {peak / 1e9:.2g} GB of memory at most" if peak else ""
        of = f"{summary['device']}{memory}, jax {summary['jax']}, commit {summary['commit']}"
        lines += ["", f"run: preset {summary['preset']}, seed {summary['seed']}, {of}"]
        lines.append(f"again: python -m sims run {claim.id} --preset {summary['preset']} --seed {summary['seed']}")
    else:
        lines += ["", f"run it: python -m sims run {claim.id}"]
    return "\n".join(lines)


def _evidence_line(row: Mapping[str, Any], relation: str) -> str:
    line = (
        f"{_cell(row)}: {against(row, relation)} {row['verdict']}; slack {number(row['slack'])}; loose {loose(row)}; "
        f"{number(row['num_replicates'])} replicates"
    )
    if row["method"] != "exact":
        most = number(row["planned"].get("max_replicates"))
        line += f" of at most {most}, level {row['level']:.0e}, seed {row['seed']}, attempts {row['attempts']}"
    return line + (f"; {row['reason']}" if row["reason"] else "")


# --- dry run -------------------------------------------------------------------------------------------------


_PLAN_HEAD = f"{'experiment and cell':<68} {'median':>8} {'99.9 %':>8} {'at most':>8} {'P(undec.)':>9} {'time':>8} {'memory':>9}"


def dry_cell_text(decisions: Sequence[Any], options: Any) -> str:
    """The same for a user's own cell; where no mean is declared, what the plan would be for some."""
    from sims import _decide

    lines = [_PLAN_HEAD]
    for decision in decisions:
        lines += _plan_lines(decision, options)
        for name, plan in _decide.guesses_of(decision.check, decision.experiment, decision.cells[0], options).items():
            lines.append(f"{f'    if the mean is {name}':<68} {_planned(plan)}")
    lines.append(f"level {options.alpha:.0e}, outside the family; B is the bound")
    return "\n".join(lines)


def dry_run_text(claims: Sequence[Claim], options: Any) -> str:
    """Cells, planned replicates, forecast time and memory, for every check and falsifier."""
    from sims import _explore, _verdicts

    lines, total, decided, cells, replicates = [_PLAN_HEAD], 0.0, 0, 0, 0.0
    for claim in claims:
        for check in claim.checks:
            if check.untested is not None:
                lines.append(f"{claim.id}/{check.name}: UNTESTED: {check.untested}")
                continue
            own, worlds = _verdicts.decisions_of(claim, check, options.preset, options)
            decided += len(own)
            decisions = [*own, *(d for ds in worlds.values() for d in ds)]
            total += _verdicts.forecast_seconds(decisions, options)
            for decision in decisions:
                lines += _plan_lines(decision, options)
                if decision.experiment.simulate is not None:
                    cells += len(decision.cells)
                    replicates += len(decision.cells) * _expected_replicates(decision, options)
            if not own:
                lines.append(f"{claim.id}/{check.name}: no cell at this preset")
        curious = _explore.forecast_seconds(claim, options)
        if curious:
            total += curious
            lines.append(f"{claim.id}: exploratory, without a verdict, {curious:.2g} s")
    lines.append(
        f"{decided} decisions at level {options.alpha:.0e} each, about {_progress.clock(total)} if nothing is stored yet, "
        "compilation included"
    )
    lines.append(
        f"{number(cells)} sampled cells, about {number(float(round(replicates)))} replicates, at least {replicates * 4e-6:.3g} MB on disk; "
        f"one share in {max(1, math.ceil(total / 3600))} (--shard) takes about {min(total, 3600) / 60:.0f} min on a machine like this"
    )
    return "\n".join(lines)


def _expected_replicates(decision: Any, options: Any) -> float:
    """A cell's planned median, the most allowed where nothing is planned."""
    from sims import _decide

    plan = _decide.plan_of(decision.check, decision.experiment, decision.cells, None, options)
    return min(plan["max_replicates"], plan.get("median", math.inf))


def _plan_lines(decision: Any, options: Any) -> list[str]:
    from sims import _decide, _runner

    experiment, lines = decision.experiment, []
    cell = ", ".join(f"{k}={v}" for k, v in decision.cell_of_row().items())
    memory = f"{_runner.forecast_bytes(experiment) / 1e6:.3g} MB"
    for falsifier in (None, *decision.bound_falsifiers):
        name = f"{experiment.check}{'!' + falsifier.name if falsifier else ''} {cell}"
        plan = _decide.plan_of(decision.check, experiment, decision.cells, falsifier, options)
        cap = plan.get("max_replicates", 0)
        if experiment.simulate is None:
            lines.append(f"{name:<68} {'exact':>8} {'':>8} {'':>8} {'':>9} {experiment.seconds_per_replicate:>6.2g} s")
        else:
            drawn = 0.0 if falsifier else min(cap, plan.get("median", cap)) * experiment.seconds_per_replicate * len(decision.cells)
            lines.append(f"{name:<68} {_planned(plan)} {drawn:>6.2g} s {memory:>9}")
    return lines


def _planned(plan: Mapping[str, float]) -> str:
    shown = [f"{plan[k]:.0f}" if k in plan and math.isfinite(plan[k]) else "?" for k in ("median", "p999", "max_replicates")]
    undecided = f"{plan['p_undecided']:.1e}" if "p_undecided" in plan else "?"
    return f"{shown[0]:>8} {shown[1]:>8} {shown[2]:>8} {undecided:>9}"


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
    verdict = f"**{_word(done['verdict'], done['relation'], done['rows'])}**"
    if done["reason"] and done["verdict"] != Verdict.SUPPORTED.value:
        verdict += f": {done['reason']}"
    if row is None:
        return [verdict, "–", "–", "–", "–", "–"]
    names = ", ".join(f["name"] for f in done["falsifiers"])
    return [
        verdict, f"{against(row, done['relation'])} ({_cell(row)})", number(row["slack"]), loose(row), _replicates(done["rows"]),
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
    slack = min((r["slack"] for r in rows if isinstance(r["slack"], (int, float)) and math.isfinite(r["slack"])), default=None)
    falsifiers = _falsifiers(summary)
    caught = f"{sum(map(_is_caught, falsifiers))}/{len(falsifiers)}"
    return f"| `{claim.id}` | {_md(claim.statement)} | {summary['verdict']} | {number(slack)} | {caught} |"
