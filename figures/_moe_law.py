"""Figures of moe on the law itself: splitting sequences, Fisher spectra, the profile of the likelihood along the temperature."""

from __future__ import annotations

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures._moe_rates import Summaries, cases, explored, signed
from theory import moe as theory
from theory.moe import _activations

__all__ = ["FIGURES"]

_SEQUENCES = {  # what moves, marker, colour
    "bias": ("two in $b$ alone", "s", "C3"),
    "slope": ("two in $a$ alone", "v", "C4"),
    "gate": ("two in $\\beta_1$ alone", "P", "0.45"),
    "mixed": ("two in $b$ and $\\beta_1$; $a$, $\\nu$ compensate", "D", "C2"),
    "two": ("two in $b$; $\\nu$ compensates", "o", "C1"),
    "three": ("three in $b$; $\\nu$ compensates", "^", "C0"),
}


def sequences(summaries: Summaries) -> Any:
    """Total variation along splitting sequences."""
    found = cases(summaries, "rbar", "~paths")
    if not found:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(11, 5.8), sharey=True)
    for ax, (act, half) in zip(axes, (("linear", 1), ("gelu", 3)), strict=True):
        orders: dict[float, int] = {}  # where a guide begins: sequences that coincide share its label
        for name, (words, marker, color) in _SEQUENCES.items():
            mine = sorted((c["eps"], c["estimate"]) for c in found if c["sequence"] == name and c["act"] == act)
            eps, v = (np.array(u) for u in zip(*mine, strict=True))
            small = eps <= 0.15
            slope = np.polyfit(np.log(eps[small]), np.log(v[small]), 1)[0]
            look = {"mfc": "none", "ms": 9} if name == "mixed" else {"ms": 5}
            order = theory.order_sequence(name, act)
            label = f"{words}: order {order} (slope {signed(slope)})"
            ax.plot(eps, v, marker=marker, ls="none", **look, color=color, label=label, zorder=3)
            ax.plot(eps, v[0] * (eps / eps[0]) ** order, "k--", lw=0.9)
            if not any(abs(math.log(v[0] / other)) < 0.1 for other in orders):
                orders[v[0]] = order
        for at, order in orders.items():
            ax.text(0.046, at, f"$\\varepsilon^{order}$", ha="right", va="center")
        ax.plot([], [], "k--", lw=0.9, label="that order, through the first point")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(0.04, 0.33)
        ax.set_ylim(3e-9, 0.2)
        ax.set_xticks([0.05, 0.1, 0.2, 0.3], ["0.05", "0.1", "0.2", "0.3"])
        ax.minorticks_off()
        ax.set_xlabel("size $\\varepsilon$ of the split")
        ax.set_title(f"{act} gate, X ~ U({signed(-half, 0)}, {half})")
        ax.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.12), fontsize=9)
    axes[0].set_ylabel("total variation between the laws, mean over X")
    fig.suptitle(
        "The first of two experts is split: how far the law moves, computed exactly. Sequences and their orders are derived here;\n"
        "that two atoms attain 4 and three atoms 6 is reported by a summary of the paper. Slopes are fitted up to $\\varepsilon$ = 0.15.",
        fontsize=10,
    )
    return fig


_PANELS = (
    (1.0, False, "slopes 1.2 and \N{MINUS SIGN}0.7, X ~ U(\N{MINUS SIGN}1, 1)"),
    (3.0, False, "slopes 1.2 and \N{MINUS SIGN}0.7, X ~ U(\N{MINUS SIGN}3, 3)"),
    (3.0, True, "slopes 1.2 and \N{MINUS SIGN}1.2, X ~ U(\N{MINUS SIGN}3, 3)"),
)
_FLOOR = 1e-10  # where a zero is drawn, below every other eigenvalue
_SINGULAR = 1e-12  # of the largest eigenvalue: less is zero to rounding


def _is_ray(act: str, antipodal: bool) -> bool:
    """Whether a singular gate has a whole ray of equal laws; else it has a fold, and only second-order terms tell laws apart."""
    return theory.degree(act) is not None or (antipodal and act in _activations.SHIFTED_ODD)


def spectra(summaries: Summaries) -> Any:
    """Fisher eigenvalues per activation, zero modes marked by their kind."""
    points = explored(summaries, "gauge", "~spectra")
    if not points:
        return None
    acts = list(dict.fromkeys(c["act"] for c in points[0]["cases"]))
    fig, axes = plt.subplots(1, 3, figsize=(12.5, 5.2), sharey=True)
    for ax, (half, antipodal, title) in zip(axes, _PANELS, strict=True):
        mine = next(p["cases"] for p in points if (p["cell"]["half"], p["cell"]["antipodal"]) == (half, antipodal))
        top = {act: max(c["estimate"] for c in mine if c["act"] == act) for act in acts}
        zero = [c["act"] for c in mine if c["estimate"] < _SINGULAR * top[c["act"]]]
        rest = [c for c in mine if c["estimate"] >= _SINGULAR * top[c["act"]]]
        ax.plot([acts.index(c["act"]) for c in rest], [c["estimate"] for c in rest], "_", ms=14, mew=1.6, color="C0", label="positive")
        for ray, marker, face, label in (
            (True, "X", "k", "zero: a ray of equal laws, not identifiable"),
            (False, "o", "none", "zero: a fold, identifiable at second order"),
        ):
            at = [acts.index(act) for act in zero if _is_ray(act, antipodal) == ray]
            ax.plot(at, [_FLOOR] * len(at), marker, ms=8, mfc=face, mec="k", mew=1.2, ls="none", label=label)
        ax.axhspan(_FLOOR / 8, 8 * _FLOOR, color="0.5", alpha=0.15, lw=0)
        ax.set_yscale("log")
        ax.set_ylim(_FLOOR / 8, 30)
        ax.set_yticks([_FLOOR, *(10.0**e for e in range(-8, 2, 2))], ["0", *(f"$10^{{{e}}}$" for e in range(-8, 2, 2))])
        ax.minorticks_off()
        ax.set_xticks(range(len(acts)), [act.replace("_", " ") for act in acts], rotation=60, ha="right", rotation_mode="anchor")
        ax.set_title(title)
    axes[0].set_ylabel("eigenvalues of the Fisher information")
    handles, labels = axes[2].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    fig.suptitle(
        "Which gates have a singular Fisher information? Two experts, $\\tau$ = 0.25, computed exactly; zero: below $10^{-12}$ of the "
        "largest eigenvalue.\nHomogeneous gates always. Opposite slopes make six more gates singular; derived here.",
        fontsize=10,
    )
    return fig


def profiles(summaries: Summaries) -> Any:
    """Loss of expected log-likelihood at a temperature c times the truth's, all else refitted."""
    found = cases(summaries, "gauge", "~profiles")
    if not found:
        return None
    n, G = 10_000, theory.TA
    constants = theory.predicted_constants(G, theory.quadrature_for(G, -3, 3), "gelu")
    sd = constants.sd[constants.names.index("tau")]
    log_c = np.linspace(-0.6, 0.6, 121)
    fig, ax = plt.subplots(figsize=(7, 4.8))
    curve = 0.5 * n * (G.tau * log_c / sd) ** 2
    ax.plot(np.exp(log_c), curve, "k--", lw=1.1, label="first gelu gate, expanded at the truth, derived here")
    for name, label, style, size in (
        ("gelu, TA", f"gelu gate, slopes {G.beta1[0, 0]:g} and {G.beta1[1, 0]:g}", "D", 5),
        ("linear, TL", "linear gate", "o", 4),
        ("gelu, antipodal", "gelu gate, slopes 1.2 and \N{MINUS SIGN}1.2", "s", 9),
    ):
        mine = sorted((c["log_c"], c["estimate"]) for c in found if c["label"] == name)
        log_c, lost = (np.array(v) for v in zip(*mine, strict=True))
        ax.plot(np.exp(log_c), n * lost, style, ms=size, mfc="none" if size > 5 else None, label=label, zorder=3)
    ax.set_xscale("log")
    ax.set_xticks([0.5, 0.7, 1.0, 1.4, 2.0], ["0.5", "0.7", "1", "1.4", "2"])
    ax.minorticks_off()
    ax.set_xlabel("temperature held at this multiple of the true one, everything else refitted")
    ax.set_ylabel(f"expected log-likelihood lost at $n$ = {n:,} (nats)")
    ax.set_title("what a wrong temperature costs, computed exactly")
    ax.set_ylim(-3.5, 38)
    ax.text(1, -1, "these two are 0 to rounding: any temperature will do", ha="center", va="top", fontsize=9)
    ax.legend(loc="upper center")
    return fig


FIGURES = {"moe.fig2": sequences, "moe.fig3": spectra, "moe.fig6": profiles}
