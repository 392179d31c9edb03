"""Figures of adaptive data analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _adaptive_exact, _adaptive_holdout, _adaptive_mechanisms, _plots
from theory import adaptive

__all__ = ["FIGURES"]


_ANALYSTS = {
    "linear": "linear analyst: the last query weighs every earlier\none by how far its answer lay above ½",
    "sign": "sign analyst: the last query weighs every earlier\none by +1 if its answer lay above ½, by −1 if below",
}


def naive(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """The gap of the final query against the number of queries, both analysts, with the exact law and the wrong one."""
    summary = summaries.get("adaptive.naive")
    if summary is None:
        return None
    check = next(c for c in summary["checks"] if c["name"] == "full")
    fig, axes = plt.subplots(1, 2, figsize=(9.0, 4.0), sharey=True)
    for ax, analyst, other in zip(axes, ("linear", "sign"), ("sign", "linear"), strict=True):
        rows = [r for r in check["rows"] if r["cell"]["analyst"] == analyst]
        if not rows:
            continue
        sizes = sorted({r["cell"]["n"] for r in rows})
        queries = np.unique(np.geomspace(8, 3 * sizes[-1], 60).round().astype(int))
        for i, n in enumerate(sizes):
            mine = sorted((r for r in rows if r["cell"]["n"] == n), key=lambda r: r["cell"]["m"])
            m = [r["cell"]["m"] for r in mine]
            reach = queries[queries <= 3.3 * n]
            law = [adaptive.naive_gap_exact(n, int(k), analyst) for k in reach]
            ax.plot(reach, law, "k--", lw=1.1, label="exact law (derived here), one for each n" if i == 0 else None)
            estimate = np.array([r["estimate"] for r in mine])
            error = np.array([[r["estimate"] - r["low"], r["high"] - r["estimate"]] for r in mine]).T
            ax.errorbar(m, estimate, error, fmt=("o", "s", "D")[i % 3], ms=5, capsize=3, lw=1.2, label=f"measured, n = {n:,}")
        n = sizes[-1]
        wrong = [adaptive.naive_gap_exact(n, int(k), other) for k in queries]
        ax.plot(queries, wrong, ":", color=_plots.FALSIFIER, label=f"falsifier: the {other} analyst's law, n = {n:,}")
        ax.set_xscale("log")
        ax.set_xlabel("number of adaptive queries $m$ before the last one")
        ax.set_title(_ANALYSTS[analyst])
        ax.set_ylim(0, 0.5)
        ax.legend(loc="upper left")
    axes[0].set_ylabel("expected overfit of the last answer:\nmean on the sample − truth")
    counts = [r["num_replicates"] for r in check["rows"]]
    fig.suptitle(
        f"n samples of fair bits answer m queries by their means (truth ½ each); the analyst combines them into one more query.\n"
        f"Bars: confidence sequences at level 1e-6 a cell (t-mixture), {min(counts)} to {max(counts)} runs",
        fontsize=9,
    )
    return fig


FIGURES = {"adaptive.naive": naive, **_adaptive_mechanisms.FIGURES, **_adaptive_exact.FIGURES, **_adaptive_holdout.FIGURES}
