"""What figures of halfspaces share: the kernels' looks, the noise in words, bars over runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

__all__ = ["FALSE_LEVEL", "KERNELS", "LABELS", "entry", "joint_legend", "runs"]

KERNELS = {  # colour, mark, dash
    "smooth": ("C0", "o", "-"),
    "ramp": ("C1", "s", (0, (5, 1.5))),
    "logistic": ("C2", "D", (0, (6, 1.5, 1, 1.5))),
}
LABELS = "labels flip with probability $\\eta$ in two opposite quadrants of the plane of $w^*$ and a $u \\perp w^*$, never in the others"
FALSE_LEVEL = "level $10^{-6}$ a cell, asymptotic ($t$-mixture)"  # of the judge's confidence sequences for means


def entry(label: str, **style: Any) -> Line2D:
    """An entry of a legend; grey where colours mean something else."""
    return Line2D([], [], label=label, **{"color": "0.3", **style})


def runs(ax: Any, x: Sequence[float], points: Sequence[Mapping[str, Any]], **style: Any) -> None:
    """Means over runs with bars of two standard errors either way; thin: from the least to the largest run."""
    mean = np.array([p["estimate"] for p in points])
    error = np.array([2 * p["sd"] / p["num_replicates"] ** 0.5 for p in points])
    ax.vlines(x, [p["min"] for p in points], [p["max"] for p in points], color=style["color"], lw=0.8)
    ax.errorbar(x, mean, error, lw=0, elinewidth=2.4, capsize=3, **style)


def joint_legend(fig: Any, handles: Sequence[Any], title: str | None = None, **style: Any) -> None:
    """One legend below all panels; `title` says what holds for the whole figure."""
    fig.legend(handles=handles, title=title, loc="outside lower left", alignment="left", title_fontsize=8.5, fontsize=8.5, **style)
