"""What happens: JAX simulators, the runner, the judge and the store. Importing this imports nothing heavy.

`run` is for your own tests: `assert sims.run("adaptive.split", out=tmp_path)["verdict"] == "SUPPORTED"`.
"""

from __future__ import annotations

import os
from typing import Any

__all__ = ["run"]


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

    Raises: KeyError if no claim has this id; StoreError if `out` cannot be written.
    """
    from pathlib import Path

    from sims import _decide, _experiment, _verdicts
    from theory import _claims

    root = _experiment.LEDGER_SEED if seed is None else seed
    options = _decide.Options(out=Path(out), preset=preset, seed=root, max_replicates=max_replicates)
    return _verdicts.judge_claim(_claims.claims()[claim], options)
