"""Figures of adaptive data analysis."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _adaptive_exact, _adaptive_holdout, _adaptive_mechanisms, _plots
from figures._adaptive_axes import bars_of
from figures._axes import Summaries, lied, plain_log
from figures._series import check_of
from theory import adaptive

__all__ = ["FIGURES"]


_ANALYSTS = {
    "linear": "linear analyst: the last query weighs every earlier\none by how far its answer lay above ½",
    "sign": "sign analyst: the last query weighs every earlier\none by +1 if its answer lay above ½, by −1 if below",
}


def naive(summaries: Summaries) -> Any:
    """The gap of the final query against the number of queries, both analysts, with the exact law and the wrong one."""
    check = check_of(summaries, "adaptive.naive", "full")
    if check is None:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(9.0, 4.9), sharey=True)
    for ax, analyst in zip(axes, _ANALYSTS, strict=True):
        rows = sorted((r for r in check["rows"] if r["cell"]["analyst"] == analyst), key=lambda r: r["cell"]["m"])
        for i, n in enumerate(sorted({r["cell"]["n"] for r in rows})):
            mine = [r for r in rows if r["cell"]["n"] == n]
            m = [r["cell"]["m"] for r in mine]
            reach = np.unique(np.geomspace(8, 1.1 * m[-1], 60).round().astype(int))
            law = [adaptive.naive_gap_exact(n, int(k), analyst) for k in reach]
            ax.plot(reach, law, "k--", lw=1.1, label="exact law, one for each n (derived here)" if i == 0 else None)
            low, high = zip(*((r["bound"] - r["margin"], r["bound"] + r["margin"]) for r in mine), strict=True)
            about = "margin around the law, declared before the run" if i == 0 else None
            ax.vlines(m, low, high, color="k", alpha=0.14, lw=11, label=about)
            label = f"measured, n = {n:,}"
            ax.errorbar(m, [r["estimate"] for r in mine], bars_of(mine), fmt="osD"[i % 3], ms=4.5, capsize=3, lw=1.2, label=label)
        wrong = [r for r in lied(check, "other-analyst") if r["cell"]["analyst"] == analyst]
        m = [r["cell"]["m"] for r in wrong]
        ax.vlines(m, [r["estimate"] for r in wrong], [r["bound"] for r in wrong], color=_plots.FALSIFIER, ls=":", lw=1.2)
        label = "falsifier: the other analyst's law, linked to what it is claimed of"
        ax.plot(m, [r["bound"] for r in wrong], "x", ms=7, mew=1.6, color=_plots.FALSIFIER, zorder=5, label=label)
        plain_log(ax.xaxis, [10, 100, 1000])
        ax.set_xlabel("number of adaptive queries $m$ before the last one")
        ax.set_title(_ANALYSTS[analyst])
        ax.set_ylim(0, 0.5)
    axes[0].set_ylabel("expected overfit of the last answer:\nmean on the sample − truth")
    counts = [r["num_replicates"] for r in check["rows"]]
    fig.suptitle(
        "n fair bits answer m queries by their means; with m = n a last query, made from the answers, is off by about .3", fontsize=9
    )
    note = f"markers: means of {min(counts)} to {max(counts)} runs; bars: confidence sequences (asymptotic), error $10^{{-6}}$ each"
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=2, title=note, title_fontsize=8, alignment="left")
    return fig


FIGURES = {"adaptive.naive": naive, **_adaptive_mechanisms.FIGURES, **_adaptive_exact.FIGURES, **_adaptive_holdout.FIGURES}
