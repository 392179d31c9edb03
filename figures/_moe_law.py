"""Figures of moe on the law itself: splitting sequences, Fisher spectra, the profile of the likelihood along the temperature."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._moe_rates import Summaries, cases, explored

__all__ = ["FIGURES"]

_SEQUENCES = {
    "three": ("three in $b$, $\\nu$ compensated", "^"),
    "two": ("two in $b$, $\\nu$ compensated", "o"),
    "mixed": ("two in $b$, $\\beta_1$, $\\nu$, with $a$", "D"),
    "bias": ("two in $b$ alone", "s"),
    "slope": ("two in $a$ alone", "v"),
    "gate": ("two in $\\beta_1$ alone", "P"),
}


def sequences(summaries: Summaries) -> Any:
    """Total variation along splitting sequences."""
    found = cases(summaries, "rbar", "~paths")
    if not found:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.9), sharey=True)
    for ax, act in zip(axes, ("linear", "gelu"), strict=True):
        for i, (name, (words, marker)) in enumerate(_SEQUENCES.items()):
            mine = sorted((c["eps"], c["estimate"]) for c in found if c["sequence"] == name and c["act"] == act)
            eps, v = (np.array(u) for u in zip(*mine, strict=True))
            small = eps <= 0.15
            slope = np.polyfit(np.log(eps[small]), np.log(v[small]), 1)[0]
            look = {"ls": "--", "mfc": "none", "ms": 8} if name == "mixed" else {"ms": 4}
            ax.plot(eps, v, marker=marker, **look, color=f"C{i}", label=f"{words}: slope {slope:.2f}")
        eps = np.array([0.05, 0.3])
        for order, top in ((2, 0.02), (4, 2.5e-3), (6, 3.2e-4)):
            ax.plot(eps, top * (eps / 0.3) ** order, "k--", lw=0.9, label="orders 2, 4, 6" if order == 2 else None)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(1e-9, 3e1)
        ax.set_xticks([0.05, 0.1, 0.2, 0.3], ["0.05", "0.1", "0.2", "0.3"])
        ax.minorticks_off()
        ax.set_xlabel("size $\\varepsilon$ of the split")
        ax.set_title(f"{act} gate")
        ax.legend(loc="upper left", ncols=1)
    axes[0].set_ylabel("$E_X$ total variation")
    fig.suptitle("Splitting the first expert: how far the law moves (exact; slopes fitted up to $\\varepsilon$ = 0.15)", fontsize=9)
    return fig


_PANELS = (
    (1.0, False, "X ~ U(-1, 1), slopes (1.2, -0.7)"),
    (3.0, False, "X ~ U(-3, 3), slopes (1.2, -0.7)"),
    (3.0, True, "X ~ U(-3, 3), slopes ±1.2"),
)
_FLOOR = 1e-14


def spectra(summaries: Summaries) -> Any:
    """Fisher eigenvalues per activation, zero modes marked."""
    points = explored(summaries, "gauge", "~spectra")
    if not points:
        return None
    acts = list(dict.fromkeys(c["act"] for c in points[0]["cases"]))
    fig, axes = plt.subplots(1, 3, figsize=(12.5, 4.6), sharey=True)
    for ax, (half, antipodal, title) in zip(axes, _PANELS, strict=True):
        cells = {(p["cell"]["half"], p["cell"]["antipodal"]): p["cases"] for p in points}
        mine = cells[half, antipodal]
        top = {act: max(c["estimate"] for c in mine if c["act"] == act) for act in acts}
        zero = [c for c in mine if c["estimate"] < 1e-12 * top[c["act"]]]
        rest = [c for c in mine if c["estimate"] >= 1e-12 * top[c["act"]]]
        ax.plot([acts.index(c["act"]) for c in rest], [c["estimate"] for c in rest], "_", ms=14, mew=1.6, color="C0", label="eigenvalue")
        ax.plot(
            [acts.index(c["act"]) for c in zero],
            [_FLOOR] * len(zero),
            "X",
            ms=8,
            color=_plots.FALSIFIER,
            label="zero to rounding: not identified",
        )
        ax.set_yscale("log")
        ax.set_ylim(_FLOOR / 8, 2e3)
        ax.set_xticks(range(len(acts)), acts, rotation=60, ha="right")
        ax.set_title(title)
    axes[0].set_ylabel("Fisher eigenvalue (anchored natural parameters)")
    axes[2].legend(loc="upper right")
    fig.suptitle("Two experts, $\\tau$ = 0.25: which gates have an identifiable temperature", fontsize=9)
    return fig


def profiles(summaries: Summaries) -> Any:
    """Loss of expected log-likelihood at a temperature c times the truth's, all else refitted."""
    found = cases(summaries, "gauge", "~profiles")
    if not found:
        return None
    fig, ax = plt.subplots(figsize=(6.6, 4.4))
    for name, style in (("gelu, TA", "D-"), ("linear, TL", "o-"), ("gelu, antipodal", "s--")):
        mine = sorted((c["log_c"], c["estimate"]) for c in found if c["label"] == name)
        log_c, lost = (np.array(v) for v in zip(*mine, strict=True))
        ax.plot(np.exp(log_c), 1e4 * lost, style, mfc="none" if name == "gelu, antipodal" else None, label=name)
    ax.set_xscale("log")
    ax.set_xticks([0.5, 0.7, 1.0, 1.4, 2.0], ["0.5", "0.7", "1", "1.4", "2"])
    ax.minorticks_off()
    ax.set_xlabel("temperature held at $c$ times the truth's")
    ax.set_ylabel("expected log-likelihood lost at $n$ = 10,000 (nats)")
    ax.set_title("the profile along the temperature: flat, curved, flat again")
    ax.legend(loc="upper center", title="exact, everything else refitted")
    return fig


FIGURES = {"moe.fig2": sequences, "moe.fig3": spectra, "moe.fig6": profiles}
