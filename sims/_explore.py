"""Exploratory experiments: draws without a check or a verdict, summarised for figures and tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from sims import _decide, _experiment
from sims._decide import Options
from theory._claims import Claim

__all__ = ["experiments_of", "explore", "forecast_seconds", "steps"]

MAX_CASES = 256  # evaluated cases of a cell kept in a summary


def experiments_of(claim: Claim) -> list[_experiment.Experiment]:
    """Those of a claim, in the order of a run."""
    return [e for e in _experiment.experiments().values() if e.exploratory and e.claim_id == claim.id]


def forecast_seconds(claim: Claim, options: Options) -> float:
    """Seconds that a claim's exploratory experiments are going to take, compilation left out."""
    total = 0.0
    for e in experiments_of(claim):
        each = 1 if e.evaluate is not None else _decide.cap_of(e, options)
        total += each * sum(map(e.seconds, e.cells.get(options.preset, ())))
    return total


def explore(claim: Claim, options: Options) -> list[dict[str, Any]]:
    """One entry for every exploratory experiment of a claim: its name and, cell by cell, what was drawn or evaluated.

    A drawn cell has estimate, sd, min, max, num_replicates, num_failed and `arrays`; an evaluated one has its cases.
    """
    found = []
    for experiment in experiments_of(claim):
        cells = experiment.cells.get(options.preset, ())
        found.append({"name": experiment.folder, "points": [_point(experiment, cell, options) for cell in cells]})
    return found


def steps(claim: Claim, options: Options) -> Iterator[Callable[[], Any]]:
    """One step for every cell that is drawn; nothing is returned of what is drawn but what the store keeps."""
    for experiment in experiments_of(claim):
        if experiment.simulate is not None:
            for cell in experiment.cells.get(options.preset, ()):
                yield lambda e=experiment, c=cell: _point(e, c, options)


def _point(experiment: _experiment.Experiment, cell: Any, options: Options) -> dict[str, Any]:
    started = time.perf_counter()
    point: dict[str, Any] = {"cell": _experiment.cell_fields(cell)}
    if experiment.evaluate is not None:
        cases = experiment.evaluate(cell, np.random.default_rng([options.seed, experiment.stream(cell)]))
        point["cases"] = [{"label": c.label, **c.fields, "estimate": float(c.statistic)} for c in cases][:MAX_CASES]
        options.tick(experiment.seconds_per_replicate)
    else:
        cap = _decide.cap_of(experiment, options)
        draws = _decide.Draws(experiment, [cell], options.seed, options)
        while draws.length() < cap:
            draws.extend()
        data = {name: a[:cap] for name, a in draws.data[0].items()}
        point |= {**_of(data["x"]), "num_failed": int((~np.isfinite(data["x"])).sum()), "arrays": _decide.arrays_of(data, cap)}
    return {**point, "seconds": round(time.perf_counter() - started, 3)}


def _of(x: np.ndarray) -> Mapping[str, Any]:
    seen = x[np.isfinite(x)].astype(float)
    if not seen.size:
        return {"estimate": float("nan"), "sd": float("nan"), "min": float("nan"), "max": float("nan"), "num_replicates": x.size}
    sd = float(seen.std(ddof=1)) if seen.size > 1 else 0.0
    return {"estimate": float(seen.mean()), "sd": sd, "min": float(seen.min()), "max": float(seen.max()), "num_replicates": x.size}
