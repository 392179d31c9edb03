"""The rules by which rows become the verdict of a check, and checks the verdict of a claim.

A claim is SUPPORTED only if no cell inside its assumptions is refuted, every non-vacuous cell is decided, at least
one cell is not vacuous, and every falsifier was REFUTED by the same judge at the same budget.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sims import _decide, _experiment, _explore
from sims._decide import Decision, Options, Row
from theory import _claims
from theory._claims import Check, Claim, Falsifier, Relation, Verdict

__all__ = [
    "answer",
    "asked_check",
    "asked_decisions",
    "decisions_at",
    "decisions_of",
    "forecast_seconds",
    "judge_claim",
    "overall",
    "with_second_seed",
]

SURE = 1e-3  # a plan that stays open more rarely is a promise
COMPILE_SECONDS = 1.0  # forecast for one program from an empty compilation cache


def _named(falsifier: Falsifier, cell: Any) -> bool:
    return falsifier.where is None or bool(_claims.call(falsifier.where, _experiment.cell_fields(cell)))


def decisions_of(claim: Claim, check: Check, preset: str, options: Options) -> tuple[list[Decision], dict[str, list[Decision]]]:
    """The decisions of a check at a preset, and of each world falsifier; bound falsifiers ride on the former."""
    own = _decisions(f"{claim.id}/{check.name}", check, preset, options, [f for f in check.falsifiers if f.kind == "bound"])
    worlds = {
        f.name: _decisions(f"{claim.id}/{check.name}!{f.name}", check, preset, options, []) for f in check.falsifiers if f.kind == "world"
    }
    return own, worlds


def _decisions(name: str, check: Check, preset: str, options: Options, bound_falsifiers: Sequence[Falsifier]) -> list[Decision]:
    experiment = _experiment.experiments()[name]
    cells = experiment.cells.get(preset, ())
    if not cells:
        return []
    if check.relation is Relation.RATE:
        return [Decision(check, experiment, cells, options, bound_falsifiers)]
    return [Decision(check, experiment, [c], options, [f for f in bound_falsifiers if _named(f, c)]) for c in cells]


def forecast_seconds(decisions: Iterable[Decision], options: Options) -> float:
    """Seconds of drawing that these decisions are planned to take, compilation of one program a simulator included."""
    total, programs = 0.0, set()
    for d in decisions:
        if d.experiment.simulate is None:
            total += d.experiment.seconds_per_replicate
            continue
        total += _decide.likely_replicates(d, options) * sum(map(d.experiment.seconds, d.cells))
        programs.add(d.experiment.simulate)
    return total + COMPILE_SECONDS * len(programs)


def judge_claim(claim: Claim, options: Options) -> dict[str, Any]:
    """Runs and judges every check of a claim at the options' preset: the claim's summary, JSON-able but for infinities."""
    checks = [_judge_check(claim, check, options) for check in claim.checks]
    verdict, reason = overall([(c["name"], Verdict(c["verdict"]), c["reason"]) for c in checks])
    explored = _explore.explore(claim, options)
    return {"claim": claim.id, "verdict": verdict.value, "reason": reason, "checks": checks, "explored": explored}


def overall(checks: Sequence[tuple[str, Verdict, str]]) -> tuple[Verdict, str]:
    """REFUTED if one check is, SUPPORTED if all are; a single other word shared by all; else UNDECIDED, with the reasons."""
    words = [v for _, v, _ in checks]
    reasons = "; ".join(
        f"{name}: {reason}" if len(checks) > 1 else reason for name, v, reason in checks if reason and v is not Verdict.SUPPORTED
    )
    if Verdict.REFUTED in words:
        return Verdict.REFUTED, reasons
    if len(set(words)) == 1:
        return words[0], reasons
    if not reasons:
        reasons = "; ".join(f"{name}: {v.value}" for name, v, _ in checks if v is not Verdict.SUPPORTED)
    return Verdict.UNDECIDED, reasons


def _about(check: Check) -> dict[str, str]:
    """What a summary repeats of a check, so that it can be read without the code."""
    return {
        "name": check.name, "relation": check.relation.value, "provenance": check.provenance.value, "formula": check.formula,
        "units": check.units,
    }  # fmt: skip


def _judge_check(claim: Claim, check: Check, options: Options) -> dict[str, Any]:
    about = _about(check)
    if check.untested is not None:
        return {**about, "verdict": Verdict.UNTESTED.value, "reason": check.untested, "rows": [], "falsifiers": []}
    own, worlds = decisions_of(claim, check, options.preset, options)
    rows: list[Row] = []
    caught: dict[str, list[Row]] = {f.name: [] for f in check.falsifiers}
    for decision in own:
        judged = with_second_seed(decision)
        rows += [row for falsifier, row in judged if falsifier is None]
        for falsifier, row in judged:
            if falsifier is not None:
                caught[falsifier.name].append(row)
    for name, decisions in worlds.items():
        falsifier = next(f for f in check.falsifiers if f.name == name)
        for decision in decisions:
            caught[name] += [row for _, row in decision.rows(options.seed, role=falsifier)]
    falsifiers = [_falsifier_summary(f, caught[f.name]) for f in check.falsifiers]
    verdict, reason = _check_verdict(rows, falsifiers)
    if verdict is Verdict.UNDECIDED and options.preset == "smoke":
        reason = "; ".join(filter(None, (reason, _what_default_does(claim, check, options))))
    return {**about, "verdict": verdict.value, "reason": reason, "rows": _as_dicts(rows), "falsifiers": falsifiers}


def with_second_seed(decision: Decision) -> list[tuple[Falsifier | None, Row]]:
    """A decision's own rows (no falsifier) and its wrong bounds'.

    A sampled REFUTED is repeated from replicate 0 with the second root seed.
    """
    seed = decision.options.seed
    judged = decision.rows(seed)
    _, own = judged[0]
    if own.verdict == Verdict.REFUTED.value and own.method != "exact" and own.inside:
        alone = dataclasses.replace(decision, bound_falsifiers=(), repeats=seed)
        (_, again), *_ = alone.rows(_experiment.second_seed(seed))
        reason = "second root seed" if again.verdict == Verdict.REFUTED.value else "second root seed; seeds disagree"
        judged.append((None, dataclasses.replace(again, reason="; ".join(filter(None, (reason, again.reason))))))
    return judged


def _falsifier_summary(falsifier: Falsifier, rows: Sequence[Row]) -> dict[str, Any]:
    words = {row.verdict for row in rows}
    if words == {Verdict.REFUTED.value}:
        verdict, reason = Verdict.REFUTED, ""
    elif not rows:
        verdict, reason = Verdict.UNDECIDED, f"no power: falsifier {falsifier.name} has no cell at this preset"
    else:
        verdict = Verdict.SUPPORTED if words == {Verdict.SUPPORTED.value} else Verdict.UNDECIDED
        reason = f"no power: falsifier {falsifier.name} not rejected"
    return {
        "name": falsifier.name, "breaks": falsifier.breaks, "kind": falsifier.kind, "verdict": verdict.value, "reason": reason,
        "rows": _as_dicts(rows),
    }  # fmt: skip


def _check_verdict(rows: Sequence[Row], falsifiers: Sequence[Mapping[str, Any]]) -> tuple[Verdict, str]:
    if not rows:
        return Verdict.UNDECIDED, "no cell at this preset"
    by_cell: dict[str, list[Row]] = {}
    for row in rows:
        if row.inside:
            by_cell.setdefault(repr(sorted(row.cell.items())), []).append(row)
    undecided = []
    for cell_rows in by_cell.values():
        words = [row.verdict for row in cell_rows]
        if set(words) == {Verdict.REFUTED.value}:
            return Verdict.REFUTED, _cell_reason(cell_rows[0])
        if words[0] not in (Verdict.SUPPORTED.value, Verdict.VACUOUS.value):
            undecided.append(_cell_reason(cell_rows[0], "seeds disagree" if len(words) > 1 else ""))
    if not by_cell:
        return Verdict.UNTESTED, "every cell is outside the assumptions"
    if undecided:
        return Verdict.UNDECIDED, "; ".join(undecided[:3]) + (f"; and {len(undecided) - 3} cells more" if len(undecided) > 3 else "")
    if all(row.verdict == Verdict.VACUOUS.value for cell_rows in by_cell.values() for row in cell_rows):
        return Verdict.VACUOUS, "the bound is no better than the trivial value at every cell"
    powerless = [f["reason"] for f in falsifiers if f["verdict"] != Verdict.REFUTED.value]
    if powerless:
        return Verdict.UNDECIDED, "; ".join(powerless)
    return Verdict.SUPPORTED, ""


def _cell_reason(row: Row, extra: str = "") -> str:
    cell = ", ".join(f"{k}={v}" for k, v in row.cell.items())
    return f"{cell}: {'; '.join(filter(None, (extra, row.reason))) or row.verdict}"


def _what_default_does(claim: Claim, check: Check, options: Options) -> str:
    """A promise only where every decision has a plan that all but one run in a thousand keep."""
    larger = dataclasses.replace(options, preset="default", max_replicates=None)
    own, worlds = decisions_of(claim, check, "default", larger)
    if not own:
        of_gpu = _experiment.experiments()[f"{claim.id}/{check.name}"].cells.get("gpu")
        return "default does not ask it either, gpu does" if of_gpu else "no larger preset asks it"
    decisions = [*own, *(d for ds in worlds.values() for d in ds)]
    sampled = [d for d in decisions if d.experiment.simulate is not None and not d.vacuous]
    plans = [_decide.plan_of(d.check, d.experiment, d.cells, f, larger) for d in sampled for f in (None, *d.bound_falsifiers)]
    if all(plan.get("p_undecided", 1.0) <= SURE for plan in plans):
        return f"default decides it in about {max(1.0, forecast_seconds(decisions, larger)):.0f} s"
    return f"default looks at up to {max(plan['max_replicates'] for plan in plans):,} replicates a cell"


def _as_dicts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(row) for row in rows]


def asked_decisions(claim: Claim, cell_text: str, options: Options) -> list[Decision]:
    """A decision for every check of a claim that can be asked at one cell, knows the fields given and allows their values.

    Raises: ValueError naming the parameter, the allowed range and what came, if no check does; before anything is drawn.
    """
    if not cell_text.strip():
        raise ValueError("--cell: name at least one field, as name=number, got nothing.")
    given = {part.partition("=")[0].strip() for part in cell_text.split(",")}
    return _asked(claim, given, lambda e: _experiment.parse_cell(e.ask, cell_text, _cells_of(e)), options)


def decisions_at(claim: Claim, fields: Mapping[str, Any], options: Options) -> list[Decision]:
    """The same for values instead of text; without any, at the `ask` cell itself. Raises: as `asked_decisions`."""
    return _asked(claim, set(fields), lambda e: _experiment.change_cell(e.ask, fields, _cells_of(e)), options)


def _cells_of(experiment: _experiment.Experiment) -> list[Any]:
    return [cell for cells in experiment.cells.values() for cell in cells]


def _asked(claim: Claim, given: set[str], cell_of: Callable[[_experiment.Experiment], Any], options: Options) -> list[Decision]:
    asked = []
    for check in claim.checks:
        if check.untested is None and check.relation is not Relation.RATE:
            experiment = _experiment.experiments()[f"{claim.id}/{check.name}"]
            if experiment.ask is not None:
                asked.append((check, experiment))
    if not asked:
        raise ValueError(f"--cell: {claim.id} has no check that can be asked at a single cell.")
    # The checks of one claim may have different cells: those that know every field given are asked.
    knowing = [(c, e) for c, e in asked if given <= set(_experiment.cell_fields(e.ask))] or asked
    decisions: list[Decision] = []
    refused: list[tuple[str, ValueError]] = []
    for check, experiment in knowing:
        try:
            cell = cell_of(experiment)
            if experiment.validate is not None:
                experiment.validate(cell)
            decisions.append(Decision(check, experiment, [cell], options))
        except ValueError as error:
            refused.append((check.name, error))
    if not decisions:
        raise refused[0][1]
    for name, error in refused:
        options.say(f"{name} is not asked: {error}")
    return decisions


def asked_check(decision: Decision, rows: Sequence[Row]) -> dict[str, Any]:
    """A user's own cell as a check of a summary."""
    about = {**_about(decision.check), "verdict": rows[0].verdict, "reason": rows[0].reason}
    return {**about, "rows": _as_dicts(rows), "falsifiers": []}


def answer(claim: Claim, decisions: Iterable[Decision]) -> dict[str, Any]:
    """Draws and judges what a user's own cell asks, as the summary of a claim."""
    checks = [asked_check(d, [row for _, row in d.rows(d.options.seed)]) for d in decisions]
    verdict, reason = overall([(c["name"], Verdict(c["verdict"]), c["reason"]) for c in checks])
    return {"claim": claim.id, "verdict": verdict.value, "reason": reason, "checks": checks}
