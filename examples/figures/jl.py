"""A picture of one's own: what the lemma promises and what happens, over the distortion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from theory import jl

__all__ = ["FIGURES"]


def distortion(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Failure probability against eps for the drawn cells, with bound and exact law; None if nothing is stored."""
    summary = summaries.get("jl.norm")
    if summary is None:
        return None
    rows = next(c["rows"] for c in summary["checks"] if c["name"] == "drawn")
    fig, ax = plt.subplots()
    for i, row in enumerate(sorted(rows, key=lambda r: r["cell"]["k"])):
        k, eps, colour = row["cell"]["k"], row["cell"]["eps"], f"C{i}"
        grid = np.linspace(0.05, 0.95, 91)
        ax.plot(grid, np.minimum(jl.norm_bound(k, grid), 1), "--", color=colour, label=f"Lemma 2.2, k = {k}")
        ax.plot(grid, jl.norm_exact(k, grid), "-", color=colour, lw=1, label=f"exact law, k = {k}")
        error = [[row["estimate"] - row["low"]], [row["high"] - row["estimate"]]]
        label = f"drawn, {row['num_replicates']:,} replicates, sequence at level {row['level']:.0e}"
        ax.errorbar([eps], [row["estimate"]], error, fmt="osD^"[i % 4], color=colour, capsize=3, label=label)
    ax.set(yscale="log", ylim=(1e-6, 1.5), xlabel="distortion ε", ylabel="P(squared length off by a factor 1 ± ε)")
    fig.legend(loc="outside lower left", ncols=2, fontsize=8)
    fig.set_size_inches(7.2, 5.6)
    return fig


FIGURES = {"jl.distortion": distortion}
