"""A run cut into parts for a job array: every part draws some of the cells, the judge comes after all of them.

A part draws exactly the replicates that a whole run would, as every cell stops by its own evidence. It writes no summary: `run`
without `--shard`, on the one folder that all parts share or that `merge` makes of theirs, draws nothing more and judges.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

from sims import _experiment, _explore, _runner, _store, _verdicts
from sims._decide import Options
from theory._claims import Claim

__all__ = ["draw_ahead", "draw_shard", "programs"]


def _cells(claims: Sequence[Claim], options: Options) -> Iterator[Callable[[], object]]:
    """One step for every sampled cell (or grid) of every check, lying world and exploratory experiment, always in the same order."""
    for claim in claims:
        for check in claim.checks:
            if check.untested is not None:
                continue
            own, worlds = _verdicts.decisions_of(claim, check, options.preset, options)
            for decision in own:
                if decision.experiment.simulate is not None:
                    yield lambda d=decision: _verdicts.with_second_seed(d)
            for falsifier in check.falsifiers:
                for decision in worlds.get(falsifier.name, ()):
                    if decision.experiment.simulate is not None:
                        yield lambda d=decision, f=falsifier: d.rows(options.seed, role=f)
        yield from _explore.steps(claim, options)


def programs(claims: Sequence[Claim], options: Options) -> Iterator[Callable[[], None]]:
    """One step for every cell of which nothing is stored yet: compiles what drawing it will run. In the order of a run."""
    for claim in claims:
        asked = [(e, c) for e in _explore.experiments_of(claim) if e.simulate is not None for c in e.cells.get(options.preset, ())]
        for check in reversed(claim.checks):
            if check.untested is None:
                own, worlds = _verdicts.decisions_of(claim, check, options.preset, options)
                decisions = [d for d in (*own, *(d for ds in worlds.values() for d in ds)) if d.experiment.simulate is not None]
                asked[:0] = [(d.experiment, c) for d in decisions for c in d.cells]
        for experiment, cell in asked:
            if not _store.holds_chunks(options.out, experiment.claim_id, experiment.folder, _experiment.cell_id(cell), options.seed):
                yield functools.partial(_runner.compile_for, experiment, cell, options.num_devices)


def draw_ahead(claims: Sequence[Claim], options: Options, part: int, parts: int) -> None:
    """Draws every `parts`-th cell from the last one back: for a run that comes from the other end."""
    for step in list(_cells(claims, options))[::-1][part - 1 :: parts]:
        step()


def draw_shard(claims: Sequence[Claim], options: Options, part: int, parts: int) -> tuple[int, int]:
    """Draws every `parts`-th cell, from the `part`-th on (1 <= part <= parts); returns how many cells it drew, of how many."""
    steps = list(_cells(claims, options))
    mine = steps[part - 1 :: parts]
    for step in mine:
        step()
    return len(mine), len(steps)
