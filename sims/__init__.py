"""What happens: JAX simulators, the runner, the judge and the store. Importing this imports nothing heavy.

run("adaptive.split", out=tmp_path)["verdict"]      a claim at a preset, judged as on the command line
check("adaptive.naive", n=5000, m=10000).verdict    one cell of your own, with its evidence and replicates
load("adaptive.naive/full").estimate                stored results as arrays with named axes
use_plugin("examples")                              papers from a folder of your own
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sims._library import Evidence, Table

__all__ = ["check", "load", "run", "use_plugin"]


def run(
    claim: str,
    *,
    preset: str = "smoke",
    seed: int | None = None,
    out: str | os.PathLike[str] = "results",
    max_replicates: int | None = None,
) -> dict[str, Any]:
    """Runs and judges one claim, resuming what `out` holds of it; returns its summary.

    The summary has "verdict", "reason" and "checks"; each check has "verdict", "rows" and "falsifiers". No global
    JAX setting is touched. Nothing is written to the ledger.

    Raises: KeyError if no claim has this id; ValueError for a preset, seed or number of replicates that is not allowed, and
    PaperError, a ValueError, naming the file and the experiment where the paper's own code fails; StoreError if `out` cannot be
    written.
    """
    from pathlib import Path

    from sims import _decide, _experiment, _verdicts
    from theory import _claims

    root, most = _experiment.checked_run("sims.run", preset=preset, seed=seed, max_replicates=max_replicates)
    found, check_name = _claims.lookup(claim)
    if check_name is not None:
        raise ValueError(f"sims.run: claim must name a whole claim, {found.id!r}, got {claim!r}; sims.check asks one check.")
    return _verdicts.judge_claim(found, _decide.Options(out=Path(out), preset=preset, seed=root, max_replicates=most))


def check(
    claim: str,
    *,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    max_replicates: int | None = None,
    **fields: Any,
) -> Evidence:
    """Asks one cell of your own: the claim's `ask` cell with `fields` changed, as `--cell` does.

    claim: "adaptive.naive", or "adaptive.naive/full" for one of its checks; without a check the first that knows every field.
    out: where replicates are kept and found again; None: nowhere.
    Level 1e-3: such an answer is wrong at most once in a thousand times; it is no part of the ledger. A cell outside the
    assumptions is answered and says so.

    Raises: KeyError if no claim or check has this name; ValueError naming the field, what is allowed and what came.
    """
    from sims import _library

    return _library.check(claim, fields, seed=seed, out=out, max_replicates=max_replicates)


def load(
    check: str,
    *,
    out: str | os.PathLike[str] | None = None,
    preset: str = "default",
    seed: int | None = None,
    falsifier: str | None = None,
) -> Table:
    """Stored results of one check, "adaptive.naive/full", as arrays whose axes are the cell's varying fields.

    check: the name after the slash can be left out where the claim has only one.
    out: a results folder of a run of yours; None: the ledger's. falsifier: its rows instead of the check's own.

    Raises: KeyError if no claim, check or falsifier has this name; LookupError if nothing is stored.
    """
    from sims import _library

    return _library.load(check, out=out, preset=preset, seed=seed, falsifier=falsifier)


def use_plugin(folder: str | os.PathLike[str]) -> None:
    """Papers from another folder, which holds theory/ and sims/ (and figures/, tests/), beside the six. Idempotent.

    Raises: ValueError if it holds none, or a module whose name is taken.
    """
    from pathlib import Path

    from theory import _claims

    _claims.plug_in(Path(folder))
