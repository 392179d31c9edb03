"""What `--dry-run` prints: cells, planned replicates, forecast time and memory. Nothing is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sims import _decide, _explore, _progress, _report, _runner, _verdicts
from sims._decide import Decision, Options
from theory._claims import Claim

__all__ = ["dry_cell_text", "dry_run_text"]

_HEAD = ("median", "99.9 %", "at most", "P(undec.)", "time", "memory")
_WIDTHS = (9, 9, 9, 9, 10, 10)
_UNKNOWN = "?: no mean is declared (`expected=` of the Experiment), so nothing can be planned"
_GUESSED = "B is the bound: these lines say how many replicates it takes if the mean is half of it, twice it, and so on"
_GUESS = "    if the mean is"

Line = tuple[str, tuple[str, ...] | None]


def dry_cell_text(decisions: Sequence[Decision], options: Options) -> str:
    """The plan of a user's own cell; where no mean is declared, what the plan would be for some."""
    lines = [line for decision in decisions for line in _plan_lines(decision, options, guess=True)]
    return "\n".join([*_table(lines), *_footnotes(lines), f"level {options.alpha:.0e}, no part of the ledger"])


def dry_run_text(claims: Sequence[Claim], options: Options) -> str:
    """Cells, planned replicates, forecast time and memory, for every check and falsifier."""
    lines: list[Line] = []
    total, decided, cells, replicates = 0.0, 0, 0, 0.0
    for claim in claims:
        for check in claim.checks:
            if check.untested is not None:
                lines.append((f"{claim.id}/{check.name}: UNTESTED: {check.untested}", None))
                continue
            own, worlds = _verdicts.decisions_of(claim, check, options.preset, options)
            decided += len(own)
            decisions = [*own, *(d for ds in worlds.values() for d in ds)]
            total += _verdicts.forecast_seconds(decisions, options)
            for decision in decisions:
                lines += _plan_lines(decision, options)
                if decision.experiment.simulate is not None:
                    cells += len(decision.cells)
                    replicates += len(decision.cells) * _decide.likely_replicates(decision, options)
            if not own:
                lines.append((f"{claim.id}/{check.name}: not asked at {options.preset}", None))
        curious = _explore.forecast_seconds(claim, options)
        if curious:
            total += curious
            lines.append((f"{claim.id}: exploratory, without a verdict, {curious:.2g} s", None))
    shares = max(1, math.ceil(total / 3600))
    each = "" if shares == 1 else f"; one share in {shares} (--shard) takes about an hour on a machine like this"
    return "\n".join(
        [
            *_table(lines),
            *_footnotes(lines),
            f"{decided} {'decision' if decided == 1 else 'decisions'} at level {options.alpha:.0e} each, "
            f"about {_progress.clock(total)} if nothing is stored yet, compilation included",
            f"{_report.number(cells)} sampled {'cell' if cells == 1 else 'cells'}, about {_report.number(float(round(replicates)))} "
            f"replicates, at least {replicates * 4e-6:.3g} MB on disk{each}",
        ]
    )


def _table(lines: Sequence[Line]) -> list[str]:
    """Names and numbers in columns, as wide as the longest name."""
    width = max([len("experiment and cell"), *(len(name) for name, numbers in lines if numbers is not None)])
    head: Line = ("experiment and cell", _HEAD)
    rows = []
    for name, numbers in [head, *lines]:
        columns = [f"{n:>{w}}" for n, w in zip(numbers or (), _WIDTHS, strict=False)]
        rows.append(" ".join([name.ljust(width) if columns else name, *columns]).rstrip())
    return rows


def _footnotes(lines: Sequence[Line]) -> list[str]:
    unknown = any("?" in numbers for _, numbers in lines if numbers is not None)
    guessed = any(name.startswith(_GUESS) for name, _ in lines)
    return [note for note, needed in ((_UNKNOWN, unknown), (_GUESSED, guessed)) if needed]


def _plan_lines(decision: Decision, options: Options, guess: bool = False) -> list[Line]:
    """A line for the cell and one for every wrong bound; of a check's cell without a declared mean also the plans at guessed ones."""
    experiment = decision.experiment
    lines: list[Line] = []
    cell = ", ".join(f"{k}={v}" for k, v in decision.cell_of_row().items())
    memory = f"{_runner.forecast_bytes(experiment) / 1e6:.3g} MB"
    for falsifier in (None, *decision.bound_falsifiers):
        name = f"{experiment.check}{'!' + falsifier.name if falsifier else ''} {cell}"
        if experiment.simulate is None:
            lines.append((name, ("exact", "", "", "", f"{experiment.seconds_per_replicate:.2g} s")))
            continue
        plan = _decide.plan_of(decision.check, experiment, decision.cells, falsifier, options)
        if decision.vacuous:
            lines.append((name, ("vacuous", "", "", "", "0 s")))
            continue
        drawn = 0.0 if falsifier else _decide.likely_replicates(decision, options) * sum(map(experiment.seconds, decision.cells))
        lines.append((name, (*_planned(plan), f"{drawn:.2g} s", memory)))
    guess = guess or (experiment.expected is None and experiment.falsifier is None)
    if guess and experiment.simulate is not None and not decision.is_grid:
        guesses = _decide.guesses_of(decision.check, experiment, decision.cells[0], options)
        lines += [(f"{_GUESS} {name}", _planned(plan)) for name, plan in guesses.items()]
    return lines


def _planned(plan: Mapping[str, float]) -> tuple[str, ...]:
    shown = [f"{plan[k]:.0f}" if k in plan and math.isfinite(plan[k]) else "?" for k in ("median", "p999", "max_replicates")]
    return (*shown, f"{plan['p_undecided']:.1e}" if "p_undecided" in plan else "?")
