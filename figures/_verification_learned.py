"""Figure of verification: cloning an expert against learning from rewards on the planted subsequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from theory.verification import _learned, _planted

__all__ = ["FIGURES"]

_BATCH = 128
_NAMES = {"1+64": "dead", "4+64": "het", "64": "hom"}
_STRENGTHS = {"1+64": "$\\gamma$ = 1 or 64", "4+64": "$\\gamma$ = 4 or 64", "64": "$\\gamma$ = 64"}
_PANELS = (("1+64", 16), ("1+64", 64), ("1+64", 128), ("4+64", 128), ("64", 128))
_VF, _VB = "C0", "C2"


def _world(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments of theory's values for a cell: gammas, weights, V, k, H."""
    return (*_planted.base_of(cell["base"]), cell["V"], cell["k"], cell["H"])


def _budgets(cell: Mapping[str, Any]) -> np.ndarray:
    return _BATCH * 2 ** np.arange((cell["n"] // _BATCH).bit_length())


def _draw_runs(ax: Any, n: np.ndarray, array: Mapping[str, Any], **style: Any) -> None:
    """Mean over runs, and a band of one standard deviation of a run either way."""
    mean, sd = (np.array(array[key])[: len(n)] for key in ("mean", "sd"))
    (line,) = ax.plot(n, mean, **style)
    ax.fill_between(n, mean - sd, mean + sd, color=line.get_color(), alpha=0.2, lw=0)


def _draw_training(ax: Any, point: Mapping[str, Any]) -> None:
    """Values of both methods against the budget at one base and horizon."""
    cell, n = point["cell"], _budgets(point["cell"])
    world, kappa = _world(cell), cell["kappa"]
    most = cell["H"] - cell["k"] + 1
    _draw_runs(ax, n, point["arrays"]["vb"], marker="s", ms=4, color=_VB, label="VB: policy gradient on rewards")
    _draw_runs(ax, n, point["arrays"]["vf"], marker="o", ms=4, color=_VF, label="VF: clone of the expert")
    predicted = [_learned.cloned_value(*world, kappa, int(m)) for m in n]
    ax.plot(n, predicted, "k--", lw=1.1, label="clone, smoothing bias predicted (theory)")
    ax.axhline(_learned.expert_value(*world, kappa), color="k", lw=0.9, label="expert $J_e$, exact")
    ax.axhline(_learned.base_value(*world), color="0.5", ls="-.", lw=0.9, label="base $J_b$, exact")
    ax.axhline(most, color="0.5", lw=0.6, label="most, $H-k+1$")
    ax.set_xscale("log", base=2)
    ax.set_xticks(n, [str(m) for m in n])
    ax.set_title(f"{_NAMES[cell['base']]} ({_STRENGTHS[cell['base']]}), $H$ = {cell['H']}")
    ax.set_xlabel("budget $n$: expert traces, or labelled rollouts")
    ax.set_ylabel("value $J$ (tokens of reward)")


def _draw_false(ax: Any, summary: Mapping[str, Any]) -> None:
    """The lying worlds of the check `final`, at H = 16."""
    check = next((c for c in summary["checks"] if c["name"] == "final"), {"falsifiers": ()})
    for falsifier, marker in zip(check["falsifiers"], "x+", strict=False):
        for row in falsifier["rows"]:
            if row["cell"]["base"] == "1+64" and row["cell"]["H"] == 16 and "vb" in row["arrays"]:
                n, name = _budgets(row["cell"]), falsifier["name"].replace("-", " ")
                style = {"ls": ":", "marker": marker, "color": _plots.FALSIFIER}
                _draw_runs(ax, n, row["arrays"]["vb"], label=f"falsifier: VB, {name}", **style)


def _draw_lead(ax: Any, points: list[Mapping[str, Any]]) -> None:
    """Lead of VB over VF at the largest budget against the horizon."""
    for base, marker, color in zip(_NAMES, "sD^", ("C3", "C4", "C1"), strict=True):
        mine = sorted((p for p in points if p["cell"]["base"] == base), key=lambda p: p["cell"]["H"])
        if not mine:
            continue
        H = np.array([p["cell"]["H"] for p in mine])
        lead, sd = (np.array([p[key] for p in mine]) for key in ("estimate", "sd"))
        slope = np.polyfit(np.log(H), np.log(lead), 1)[0] if len(H) > 1 and lead.min() > 0 else np.nan
        label = f"{_NAMES[base]}, {_STRENGTHS[base]}: slope {slope:.2f}"
        ax.errorbar(H, lead, sd, fmt=marker, ms=5, capsize=3, lw=1.2, color=color, label=label)
        room = [
            h - p["cell"]["k"] + 1 - _learned.expert_value(*_world(p["cell"]), p["cell"]["kappa"]) for h, p in zip(H, mine, strict=True)
        ]
        ax.plot(H, room, "k--", lw=1.1, label="predicted: $H-k+1-J_e$" if base == "1+64" else None)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xlabel("horizon $H$ (tokens)")
    ax.set_ylabel("lead $J_{VB}-J_{VF}$ (tokens)")
    ax.set_title("lead at the largest budget")
    ax.legend(loc="upper left")
    ax.set_ylim(1, 128)


def planted(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Value against budget for three bases, and the lead of learning from rewards against the horizon."""
    summary = summaries.get("verification.emp_planted")
    points = next((e["points"] for e in (summary or {}).get("explored", ()) if e["name"] == "~curves"), [])
    if not points:
        return None
    fig, axes = plt.subplots(2, 3, figsize=(13.0, 8.2))
    for ax, (base, H) in zip(axes.flat, _PANELS, strict=False):
        for point in points:
            if (point["cell"]["base"], point["cell"]["H"]) == (base, H):
                _draw_training(ax, point)
    _draw_false(axes[0, 0], summary)
    axes[0, 0].set_ylim(0, None)
    _draw_lead(axes[1, 2], points)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4)
    cell, runs = points[0]["cell"], points[0]["num_replicates"]
    task = f"Planted subsequence, V = {cell['V']}, k = {cell['k']}, expert at $\\kappa$ = {cell['kappa']:g}. "
    fig.suptitle(
        f"{task}Both methods see the progress $q$. Markers: mean of {runs} runs (falsifiers: as many as the judge needed);\n"
        "bands and bars: one standard deviation of a run",
        fontsize=9,
    )
    return fig


FIGURES = {"verification.planted": planted}
