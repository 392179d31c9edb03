"""From stored replicates to rows and verdicts: every decision of a claim, its falsifiers, its second seed.

One *decision* is one cell of one check, or the whole grid of a RATE check. The judge (sims/_stats) sees only
arrays; the runner (sims/_runner) only draws; this module evaluates bounds and assumptions, decides how far to
draw, and applies the rules by which cells, checks and claims get their words.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sims import _experiment, _runner, _stats, _store
from theory import _claims
from theory._claims import Check, Falsifier, Relation, Verdict

__all__ = [
    "GRID",
    "PAPERS_FAULTS",
    "Decision",
    "Draws",
    "Options",
    "Row",
    "arrays_of",
    "cap_of",
    "guesses_of",
    "is_vacuous",
    "likely_replicates",
    "plan_of",
]

GRID = "_grid"  # names a decision over a whole grid where a cell id is asked for
MAX_CASES = 12  # an EXACT decision of more cases keeps in its summary only the NEAREST to their bounds, for figures
NEAREST = 2
MAX_ARRAY = 256  # numbers a replicate of an array whose mean is kept in a summary


# What a paper's code or a number it returns can raise; a full disk or a lost process is nobody's fault here.
PAPERS_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, NameError, ArithmeticError, AssertionError)


@dataclasses.dataclass(frozen=True)
class Options:
    """How a run was asked for."""

    out: Path
    preset: str = "smoke"
    seed: int = _experiment.LEDGER_SEED
    max_replicates: int | None = None
    alpha: float = _stats.ALPHA
    say: Callable[[str], None] = lambda text: None  # one sentence for the person who waits
    tick: Callable[[float], None] = lambda seconds: None  # forecast seconds of work just done
    num_devices: int | None = None
    team: Any = None  # the processes of a distributed run (sims/_distributed.Team); None: this one alone


@dataclasses.dataclass(frozen=True)
class Row:
    """One decision with its evidence; the fields of `run --json` (documented in docs/commands.md)."""

    claim: str
    experiment: str
    cell: Mapping[str, Any]
    estimate: float
    low: float
    high: float
    bound: float | None
    trivial: float | None
    slack: float
    verdict: str
    num_replicates: int
    num_failed: int
    level: float
    method: str
    asymptotic: bool
    ties: int
    planned: Mapping[str, float]
    attempts: int
    reason: str
    seed: int
    device: str
    seconds: float
    margin: Any = None
    inside: bool = True  # inside the check's assumptions
    falsifier: str | None = None
    looseness: float | None = None  # how far the bound is from the estimate, as a ratio; None where a ratio says nothing
    points: Sequence[Mapping[str, Any]] = ()  # RATE: the grid; EXACT: the evaluated cases, of many those nearest their bounds
    arrays: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # mean and sd of what else a simulator returned


@dataclasses.dataclass(frozen=True)
class _Target:
    """What one decision is held against: bound, margin, window, all from theory and the declared cell."""

    bound: float
    margin: Any
    trivial: float | None
    inside: bool
    reason: str
    vacuous: bool


def _outside(check: Check, fields: Mapping[str, Any]) -> str:
    broken = [f"{a.label} ({a.text})" for a in check.assumptions if not _claims.call(a.holds, fields)]
    return f"outside the assumptions: {'; '.join(broken)}" if broken else ""


def _target(check: Check, fields: Mapping[str, Any], support: tuple[float, float], falsifier: Falsifier | None) -> _Target:
    """Bound, margin and vacuity at a cell; a "bound" falsifier puts its own wrong numbers in their place."""
    bound_of = falsifier.bound if falsifier is not None and falsifier.bound is not None else check.bound
    margin_of = falsifier.margin if falsifier is not None and falsifier.margin is not None else check.margin
    bound = 0.0 if bound_of is None else float(_claims.call(bound_of, fields))
    margin = _claims.call(margin_of, fields) if callable(margin_of) else margin_of
    trivial = None if check.trivial is None else float(_claims.call(check.trivial, fields))
    reason = _outside(check, fields)
    if math.isnan(bound) and not reason:
        reason = "outside the assumptions: the bound is not defined here"
    vacuous = not math.isnan(bound) and is_vacuous(check, bound, trivial, margin, support)
    return _Target(bound, margin, trivial, not reason, reason, vacuous)


def is_vacuous(check: Check, bound: float, trivial: float | None, margin: Any, support: tuple[float, float]) -> bool:
    """Whether a bound says nothing at a cell; decided before any sampling. A tie with the trivial value is vacuous."""
    low, high = support
    if check.relation in (Relation.UPPER, Relation.TAIL):
        ceiling = 1.0 if check.relation is Relation.TAIL else math.inf
        return bound >= (ceiling if trivial is None else trivial)
    if check.relation is Relation.LOWER:
        return trivial is not None and bound <= trivial
    if check.relation is Relation.EQUAL:
        return bound - margin <= low and bound + margin >= high
    if check.relation is Relation.EXACT and trivial is not None:
        return bound <= trivial if check.residual.endswith("lower") else check.residual.endswith("upper") and bound >= trivial
    return False


def _nothing_said(check: Check, target: _Target, support: tuple[float, float]) -> str:
    """Why a cell is VACUOUS, with the number that holds whatever is done."""
    if check.relation is Relation.EQUAL:
        low, high = support
        return f"nothing is promised here: {target.bound:.4g} ± {target.margin:.4g} holds every value from {low:.4g} to {high:.4g}"
    trivial = 1.0 if target.trivial is None else target.trivial
    word = "at least" if check.relation is Relation.LOWER or check.residual.endswith("lower") else "at most"
    return f"nothing is promised here: the bound is {target.bound:.4g}, and {word} {trivial:.4g} holds without the theorem"


# --- judging -----------------------------------------------------------------------------------------------


def _judge_cell(
    check: Check, target: _Target, support: tuple[float, float], cap: int, alpha: float, data: Mapping[str, np.ndarray]
) -> _stats.Evidence:
    x = data["x"]
    if math.isnan(target.bound):
        return _stats.judge_none(x, support=support, method=check.method, alpha=alpha, quantile=check.quantile)
    relation, bound = check.relation, target.bound
    if relation is Relation.PHASE:
        relation, bound = _phase_side(check, target, data["_grid_value"][0])
        if relation is None:
            return _stats.judge_none(x, support=support, method=check.method, alpha=alpha)
    margin = target.margin if relation is Relation.EQUAL else 0.0
    return _stats.judge(
        x, relation=relation, bound=bound, support=support, method=check.method, margin=margin, alpha=alpha,
        max_replicates=cap, quantile=check.quantile, ties=data.get("tie"),
    )  # fmt: skip


def _phase_side(check: Check, target: _Target, at: float) -> tuple[Relation | None, float]:
    """PHASE at one cell: rare success below the zone, common above it, no judgement inside it."""
    p_low, p_high = check.phase
    if at < target.bound - target.margin:
        return Relation.TAIL, p_low
    if at > target.bound + target.margin:
        return Relation.LOWER, p_high
    return None, math.nan


def _window(check: Check, bounds: Sequence[float], grid: Sequence[float], margin: Any) -> tuple[float, float]:
    """RATE: the declared window, or the bound's own slope on this grid plus or minus the margin."""
    if isinstance(margin, tuple):
        return margin
    centre = _stats.own_slope(bounds, grid)
    return (centre - margin, centre + margin)


# --- drawing -----------------------------------------------------------------------------------------------


class Draws:
    """Stored replicates of one experiment at some cells, all advanced together, growing chunk by chunk."""

    def __init__(self, experiment: _experiment.Experiment, cells: Sequence[Any], seed: int, options: Options) -> None:
        experiment = _runner.for_device(experiment)
        self.experiment, self.seed, self.options = experiment, seed, options
        parts = _runner.fingerprint(experiment)
        self.fingerprint = _store.digest(parts)
        self.sampler: _runner.Sampler | None = None  # made when the first chunk is missing: a warm run may draw nothing
        self.seconds = 0.0
        self.cells = list(cells)
        self.stores = [
            _store.CellStore(
                options.out, experiment.claim_id, experiment.folder, _experiment.cell_id(cell), seed,
                fingerprint=self.fingerprint, about={"cell": _experiment.cell_fields(cell), "seed": seed, **parts},
                chunk=experiment.chunk, say=options.say,
            )
            for cell in self.cells
        ]  # fmt: skip
        self._prepared: dict[int, Any] = {}
        self.reload()

    def reload(self) -> None:
        self.data = [store.load() for store in self.stores]

    def length(self) -> int:
        return min(len(d["x"]) if d else 0 for d in self.data)

    def extend(self) -> None:
        """One more chunk for every cell that has none at the current length."""
        start = time.perf_counter()
        chunk, first = self.experiment.chunk, self.length()
        if self.sampler is None:
            self.sampler = _runner.Sampler(self.experiment, self.options.num_devices, self.options.team)
        for i, store in enumerate(self.stores):
            if self.data[i] and len(self.data[i]["x"]) > first:
                continue
            if store.has(first):  # another process has made it meanwhile, or a hole was filled
                self.data[i] = store.load()
                continue
            if i not in self._prepared:
                self._prepared[i] = _runner.prepared_for(self.experiment, self.cells[i])
            drawn = self.sampler.chunk(self._prepared[i], self.seed, self.experiment.stream(self.cells[i]), first)
            if drawn["x"].ndim != 1:  # before it is stored
                raise ValueError(f"simulate must return one number a replicate, got an array of shape {drawn['x'].shape[1:]}")
            store.append(first, drawn)
            old = self.data[i]
            self.data[i] = {k: np.concatenate([old[k], v]) for k, v in drawn.items()} if old else drawn
            self.options.tick(chunk * self.experiment.seconds(self.cells[i]))
        self.seconds += time.perf_counter() - start

    def until_final(self, judge: Callable[[list[dict[str, np.ndarray]]], list[_stats.Evidence]], cap: int) -> list[_stats.Evidence]:
        """Draws until every evidence is final. Looking often costs time, never validity: the judge scans on its own."""
        look = 0
        while True:
            r = self.length()
            if r >= look or r >= cap:
                evidence = judge([{k: v[:r] for k, v in d.items()} if d else {"x": np.empty(0)} for d in self.data])
                if all(e.final for e in evidence) or r >= cap:
                    return evidence
                look = int(1.1 * r)
            self.extend()


def cap_of(experiment: _experiment.Experiment, options: Options) -> int:
    """The most replicates a decision may take: the user's, else the preset's, else the largest of any preset."""
    if options.max_replicates is not None:
        return options.max_replicates
    return experiment.max_replicates.get(options.preset) or max(experiment.max_replicates.values())


# --- planning ----------------------------------------------------------------------------------------------


def plan_of(
    check: Check, experiment: _experiment.Experiment, cells: Sequence[Any], falsifier: Falsifier | None, options: Options
) -> dict[str, float]:
    """Planned replicates of one decision (one cell, or the cells of a RATE grid): median, 99.9 %, P(UNDECIDED).

    Empty where the experiment declares no expected mean and standard deviation, or nothing is sampled.
    """
    cap = cap_of(experiment, options) if experiment.simulate is not None else 0
    if experiment.expected is None or experiment.simulate is None or check.relation is Relation.PHASE:
        return {"max_replicates": cap} if cap else {}
    fields = [_experiment.cell_fields(c) for c in cells]
    support = _claims.call(experiment.support, fields[0])
    mean, sd, *skew = _claims.call(experiment.expected, fields[0])
    targets = [_target(check, f, support, falsifier) for f in fields]
    margin, bound = targets[0].margin, targets[0].bound
    if check.relation is Relation.RATE:
        grid = [f[check.grid] for f in fields]
        margin, bound = _window(check, [t.bound for t in targets], grid, margin), 0.0
        support = _experiment.whole_line()
    if math.isnan(bound) or targets[0].vacuous:
        return {"max_replicates": cap}
    plan = _stats.plan(
        relation=check.relation, mean=mean, sd=sd, skew=skew[0] if skew else 0.0, bound=bound, support=support,
        method=check.method, margin=margin if margin is not None else 0.0, alpha=options.alpha, max_replicates=cap,
        quantile=check.quantile,
    )  # fmt: skip
    return {"median": plan.median, "p999": plan.p999, "max_replicates": cap, "p_undecided": plan.p_undecided}


def guesses_of(check: Check, experiment: _experiment.Experiment, cell: Any, options: Options) -> dict[str, dict[str, float]]:
    """Plans at guessed means, for a decision whose mean nobody declared: three that support the bound B, three that refute it.

    Two-point laws at the ends of the range, the slowest to judge. Empty where the relation or the range allows no guess.
    """
    fields = _experiment.cell_fields(cell)
    low, high = _claims.call(experiment.support, fields)
    bound = _target(check, fields, (low, high), None).bound
    one_sided = check.relation in (Relation.UPPER, Relation.TAIL, Relation.LOWER) and check.method == "capital"
    if not one_sided or not math.isfinite(high - low) or not low < bound < high:
        return {}
    cap, found = cap_of(experiment, options), {}
    for name, factor in (("B/2", 0.5), ("B/4", 0.25), ("0", 0.0), ("1.5B", 1.5), ("2B", 2.0), ("4B", 4.0)):
        mean = factor * bound
        if low <= mean <= high:
            plan = _stats.plan(
                relation=check.relation, mean=mean, sd=math.sqrt((mean - low) * (high - mean)), bound=bound, support=(low, high),
                method=check.method, alpha=options.alpha, max_replicates=cap,
            )  # fmt: skip
            found[name] = {"median": plan.median, "p999": plan.p999, "max_replicates": cap, "p_undecided": plan.p_undecided}
    return found


def likely_replicates(decision: Decision, options: Options) -> float:
    """Replicates a cell is going to need: the planned median; where none is declared, that of a guessed mean; else the most allowed.

    Nothing is drawn where the bound says nothing. A claim is guessed to have room to spare, a falsifier's world to be far off.
    """
    if decision.vacuous:
        return 0.0
    cap = cap_of(decision.experiment, options)
    plans = [plan_of(decision.check, decision.experiment, decision.cells, f, options) for f in (None, *decision.bound_falsifiers)]
    planned = [plan["median"] for plan in plans if "median" in plan]
    if not planned and decision.experiment.expected is None:
        guesses = guesses_of(decision.check, decision.experiment, decision.cells[0], options)
        wanted = ("2B", "1.5B") if decision.experiment.falsifier else ("B/2", "0")
        planned = [guesses[name]["median"] for name in wanted if name in guesses][:1]
    return min(cap, max(planned, default=cap))


# --- one decision ------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Decision:
    """One decision about to be made: the check at one cell (or a grid), perhaps with bound falsifiers beside it."""

    check: Check
    experiment: _experiment.Experiment
    cells: Sequence[Any]
    options: Options
    bound_falsifiers: Sequence[Falsifier] = ()
    repeats: int | None = None  # the root seed whose REFUTED this decision repeats: no free choice of a seed, counted apart

    def __post_init__(self) -> None:
        self.fields = [_experiment.cell_fields(c) for c in self.cells]
        support_of = self.experiment.support
        self.support = _claims.call(support_of, self.fields[0])
        self.is_grid = self.check.relation is Relation.RATE

    @property
    def vacuous(self) -> bool:
        """Whether the bound says nothing at some cell of this decision: then nothing is drawn."""
        return any(t.vacuous for t in self.targets(None))

    def targets(self, falsifier: Falsifier | None) -> list[_Target]:
        return [_target(self.check, f, self.support, falsifier) for f in self.fields]

    def cell_of_row(self) -> dict[str, Any]:
        if not self.is_grid:
            return self.fields[0]
        return {k: [f[k] for f in self.fields] if len({repr(f[k]) for f in self.fields}) > 1 else self.fields[0][k] for k in self.fields[0]}

    def attempt_id(self) -> str:
        return GRID if self.is_grid else _experiment.cell_id(self.cells[0])

    def _evidence(self, falsifier: Falsifier | None, data: list[dict[str, np.ndarray]]) -> _stats.Evidence:
        check, cap, alpha = self.check, cap_of(self.experiment, self.options), self.options.alpha
        targets = self.targets(falsifier)
        if self.is_grid:
            grid = [f[check.grid] for f in self.fields]
            window = _window(check, [t.bound for t in targets], grid, targets[0].margin)
            x = np.stack([d["x"] for d in data], axis=1)
            return _stats.judge_rate(
                x, grid, window=window, rate_of=check.rate_of, method=check.method, support=self.support, alpha=alpha, max_replicates=cap
            )
        seen = data[0]
        if check.relation is Relation.PHASE:
            seen = {**seen, "_grid_value": np.array([self.fields[0][check.grid]], dtype=float)}
        return _judge_cell(check, targets[0], self.support, cap, alpha, seen)

    def rows(self, seed: int, role: Falsifier | None = None) -> list[tuple[Falsifier | None, Row]]:
        """Draws as far as needed and judges: the decision's own row, then one a bound falsifier.

        Raises: PaperError that names the experiment and the cell, where the paper's code fails or returns what cannot be judged.
        """
        try:
            return self._rows(seed, role)
        except PAPERS_FAULTS as error:
            if isinstance(error, _claims.PaperError):
                raise
            at = ", ".join(f"{k}={v}" for k, v in self.cell_of_row().items())
            place = _claims.place_of(error)
            name = type(error).__name__
            said = str(error).strip().split("\n", 1)[0] if isinstance(error, ValueError) else f"{name}: {error}".split("\n", 1)[0]
            raise _claims.PaperError(f"{self.experiment.check} at {at}: {said}{f' ({place})' if place else ''}") from error

    def _rows(self, seed: int, role: Falsifier | None) -> list[tuple[Falsifier | None, Row]]:
        judged: list[Falsifier | None] = [role, *self.bound_falsifiers]
        started = time.perf_counter()
        if self.experiment.evaluate is not None:
            return self._exact_rows(seed, judged, started)
        own = self.targets(None)
        if any(t.vacuous for t in own):
            nothing_said = _nothing_said(self.check, next(t for t in own if t.vacuous), self.support)
            return [(role, self._row(None, own, seed, role, 0.0, None, Verdict.VACUOUS, nothing_said))]
        attempts = [self._open_attempt(f, seed) for f in judged]
        draws = Draws(self.experiment, self.cells, seed, self.options)
        # A lying world is held against the declared bound; a wrong bound replaces it.
        wrong = [_wrong_bound(f) for f in judged]
        evidence = draws.until_final(lambda data: [self._evidence(f, data) for f in wrong], cap_of(self.experiment, self.options))
        rows = []
        for f, w, e, attempt in zip(judged, wrong, evidence, attempts, strict=True):
            targets = self.targets(w)
            seconds = time.perf_counter() - started
            row = self._row(e, targets, seed, f, seconds, draws, None, self._would_take(e, targets[0], draws))
            self._close_attempt(attempt, row)
            rows.append((f, dataclasses.replace(row, attempts=self._count(attempt))))
        return rows

    def _would_take(self, e: _stats.Evidence, target: _Target, draws: Draws) -> str:
        """For a cell left open at its last replicate: how many the measured mean and sd would take; empty where no plan is made."""
        check, most = self.check, cap_of(self.experiment, self.options)
        judged = check.relation in (Relation.UPPER, Relation.TAIL, Relation.LOWER, Relation.EQUAL) and check.method in ("capital", "t")
        if not judged or e.verdict is not Verdict.UNDECIDED or e.num_replicates < most or e.num_failed or math.isnan(e.estimate):
            return ""
        x = draws.data[0]["x"][: e.num_replicates].astype(float)
        plan = _stats.plan(
            relation=check.relation, mean=e.estimate, sd=float(x.std()), bound=target.bound, support=self.support, method=check.method,
            margin=target.margin if check.relation is Relation.EQUAL else 0.0, alpha=self.options.alpha, max_replicates=most,
        )  # fmt: skip
        if not plan.median < 1e12:
            return "the measured mean is too near an edge for any number of replicates"
        return f"at the measured mean it takes about {float(f'{max(plan.median, most):.2g}'):,.0f} replicates"

    def _row(
        self, e: _stats.Evidence | None, targets: list[_Target], seed: int, role: Falsifier | None, seconds: float,
        draws: Draws | None, verdict: Verdict | None, reason: str,
    ) -> Row:  # fmt: skip
        target = targets[0]
        bound, margin = target.bound, target.margin
        points: list[dict[str, Any]] = []
        if self.is_grid:
            grid = [f[self.check.grid] for f in self.fields]
            margin = _window(self.check, [t.bound for t in targets], grid, margin)
            bound = 0.5 * (margin[0] + margin[1])
            if draws is not None and e is not None and _wrong_bound(role) is None:  # a wrong window is no curve
                points = [
                    {self.check.grid: g, **_point(d["x"][: e.num_replicates], self.check.rate_of), "bound": t.bound}
                    for g, d, t in zip(grid, draws.data, targets, strict=True)
                ]
        word = verdict if verdict is not None else e.verdict
        outside = next((t.reason for t in targets if not t.inside), "")
        text = "; ".join(filter(None, (e.reason if e is not None else "", reason, outside)))
        return Row(
            claim=self.experiment.claim_id, experiment=self.experiment.check, cell=self.cell_of_row(),
            estimate=e.estimate if e else math.nan, low=e.low if e else math.nan, high=e.high if e else math.nan,
            bound=bound, trivial=target.trivial, slack=e.slack if e else math.nan, verdict=word.value,
            num_replicates=e.num_replicates if e else 0, num_failed=e.num_failed if e else 0,
            level=e.level if e else self.options.alpha, method=e.method if e else self.check.method,
            asymptotic=e.asymptotic if e else False, ties=e.ties if e else 0,
            planned=plan_of(self.check, self.experiment, self.cells, _wrong_bound(role), self.options),
            attempts=0, reason=text, seed=seed, device=_runner.device_kind(self.experiment), seconds=round(seconds, 3), margin=margin,
            inside=not outside, falsifier=role.name if role is not None else None, points=points,
            looseness=_looseness(self.check, e.estimate if e else math.nan, bound),
            arrays=arrays_of(draws.data[0], e.num_replicates)
            if draws is not None and e is not None and not self.is_grid and _wrong_bound(role) is None else {},
        )  # fmt: skip

    def _exact_rows(self, seed: int, judged: Sequence[Falsifier | None], started: float) -> list[tuple[Falsifier | None, Row]]:
        cell = self.cells[0]
        cases = list(self.experiment.evaluate(cell, np.random.default_rng([seed, self.experiment.stream(cell)])))
        fields = [{**self.fields[0], **case.fields} for case in cases]
        rows = []
        for f in judged:
            targets = [_target(self.check, own, self.support, _wrong_bound(f)) for own in fields]
            bounds = np.array([t.bound if t.inside and not t.vacuous else math.nan for t in targets])
            e, worst = _stats.judge_exact(
                np.array([c.statistic for c in cases], dtype=float), bounds, residual=self.check.residual, tolerance=self.check.tolerance
            )
            shown = [targets[worst]] if worst >= 0 else targets[:1] or [_target(self.check, self.fields[0], self.support, None)]
            all_vacuous = not np.isfinite(bounds).any() and any(t.vacuous for t in targets)
            word = Verdict.VACUOUS if all_vacuous else None
            row = self._row(e, shown, seed, f, time.perf_counter() - started, None, word, "")
            if all_vacuous:
                row = dataclasses.replace(row, reason=_nothing_said(self.check, next(t for t in targets if t.vacuous), self.support))
            points = [
                {"label": cases[i].label, **cases[i].fields, "estimate": float(cases[i].statistic), "bound": targets[i].bound}
                for i in _kept(np.array([c.statistic for c in cases], dtype=float), bounds, self.check.residual)
            ]
            named = cases[worst].label if worst >= 0 else ""
            estimate = float(cases[worst].statistic) if worst >= 0 else math.nan
            row = dataclasses.replace(
                row, estimate=estimate, looseness=_looseness(self.check, estimate, row.bound), inside=any(t.inside for t in targets),
                planned={}, points=points,
                reason="; ".join(filter(None, (row.reason, f"worst case: {named}" if named else ""))),
            )  # fmt: skip
            rows.append((f, row))
        self.options.tick(self.experiment.seconds_per_replicate)
        return rows

    def _open_attempt(self, falsifier: Falsifier | None, seed: int) -> dict[str, Any]:
        targets = self.targets(_wrong_bound(falsifier))
        identity = {
            "experiment": self.experiment.check, "falsifier": falsifier.name if falsifier is not None else None,
            "code": _runner.fingerprint(self.experiment), "bound": [t.bound for t in targets], "margin": [t.margin for t in targets],
            "support": self.support, "method": self.check.method, "alpha": self.options.alpha,
            "max_replicates": cap_of(self.experiment, self.options), "cells": [_experiment.cell_id(c) for c in self.cells],
            "repeats": self.repeats,
        }  # fmt: skip
        entry = {"fingerprint": _store.digest(identity), "seed": seed, "preset": self.options.preset, **identity}
        _store.open_attempt(self.options.out, self.experiment.claim_id, self.experiment.folder, self.attempt_id(), entry)
        return entry

    def _close_attempt(self, entry: Mapping[str, Any], row: Row) -> None:
        _store.close_attempt(
            self.options.out, self.experiment.claim_id, self.experiment.folder, self.attempt_id(), entry,
            verdict=row.verdict, r_star=row.num_replicates, low=row.low, high=row.high,
        )  # fmt: skip

    def _count(self, entry: Mapping[str, Any]) -> int:
        return _store.count_attempts(
            self.options.out, self.experiment.claim_id, self.experiment.folder, self.attempt_id(), entry["fingerprint"]
        )


def arrays_of(data: Mapping[str, np.ndarray], count: int) -> dict[str, Any]:
    """Mean and sd over replicates of every array a simulator returned beside x, for figures; large ones are left out."""
    found = {}
    for name, a in data.items():
        if name not in ("x", "tie") and a[0].size <= MAX_ARRAY and count:
            seen = a[:count].astype(float)
            found[name] = {"mean": seen.mean(axis=0).tolist(), "sd": seen.std(axis=0).tolist()}
    return found


def _kept(statistics: np.ndarray, bounds: np.ndarray, residual: str) -> list[int]:
    """Indices of the EXACT cases a summary keeps, in order: all if they are few, else those that broke or came closest to their bounds."""
    if len(statistics) <= MAX_CASES:
        return list(range(len(statistics)))
    found = _stats.residuals(statistics, bounds, residual)
    found[np.isnan(found)] = -math.inf  # not counted
    found[np.isnan(statistics) & ~np.isnan(bounds)] = math.inf  # lost: the judge names it first
    return sorted(np.argsort(-found, kind="stable")[:NEAREST].tolist())


def _wrong_bound(falsifier: Falsifier | None) -> Falsifier | None:
    """The falsifier if it is a wrong promise; a lying world is held against the declared one."""
    return falsifier if falsifier is not None and falsifier.kind == "bound" else None


def _looseness(check: Check, estimate: float, bound: float) -> float | None:
    """Bound over estimate of an upper bound, estimate over bound of a lower one: 1 is sharp, 1000 is weak evidence."""
    upper = check.relation in (Relation.UPPER, Relation.TAIL) or (check.relation is Relation.EXACT and check.residual.endswith("upper"))
    lower = check.relation is Relation.LOWER or (check.relation is Relation.EXACT and check.residual.endswith("lower"))
    if not (upper or lower) or not (estimate >= 0 and bound > 0):
        return None
    over, under = (bound, estimate) if upper else (estimate, bound)
    return over / under if under > 0 else math.inf


def _point(x: np.ndarray, rate_of: str) -> dict[str, float]:
    """One grid point of a RATE check for figures: its centre and, pointwise, two standard errors either way."""
    if rate_of == "log_mean":
        centre, spread = float(np.mean(x)), float(np.std(x)) / math.sqrt(max(1, len(x)))
        return {"estimate": centre, "low": centre - 2 * spread, "high": centre + 2 * spread}
    logs = np.log(x[x > 0])
    centre = float(np.median(logs) if rate_of == "log_median" else np.mean(logs))
    spread = float(np.std(logs)) / math.sqrt(max(1, len(logs)))
    return {"estimate": math.exp(centre), "low": math.exp(centre - 2 * spread), "high": math.exp(centre + 2 * spread)}
