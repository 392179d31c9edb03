"""Figure of verification: cloning an expert against learning from rewards on the planted subsequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._axes import end_label, plain_log
from figures._series import explored_of
from figures._verification_axes import check, entry, slope
from theory.verification import _learned, _planted

__all__ = ["FIGURES"]

_BATCH = 128
_NAMES = {"1+64": "a style that hardly solves, γ = 1 or 64", "4+64": "two styles, γ = 4 or 64", "64": "one style, γ = 64"}
_PANELS = (("1+64", 16), ("1+64", 64), ("1+64", 128), ("4+64", 128), ("64", 128))
_VF, _VB = "C0", "C2"


def _world(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments of theory's values for a cell: gammas, weights, V, k, H."""
    return (*_planted.base_of(cell["base"]), cell["V"], cell["k"], cell["H"])


def _most(cell: Mapping[str, Any]) -> int:
    """The largest reward."""
    return cell["H"] - cell["k"] + 1


def _budgets(cell: Mapping[str, Any]) -> np.ndarray:
    return _BATCH * 2 ** np.arange((cell["n"] // _BATCH).bit_length())


def _draw_runs(ax: Any, cell: Mapping[str, Any], array: Mapping[str, Any], **style: Any) -> None:
    """Mean over runs as a share of the largest reward, and a band of one standard deviation of a run either way."""
    n = _budgets(cell)
    mean, sd = (np.array(array[key])[: len(n)] / _most(cell) for key in ("mean", "sd"))
    (line,) = ax.plot(n, mean, **style)
    ax.fill_between(n, mean - sd, mean + sd, color=line.get_color(), alpha=0.2, lw=0)


def _draw_training(ax: Any, point: Mapping[str, Any]) -> None:
    """Values of both methods against the budget at one base and horizon."""
    cell, n = point["cell"], _budgets(point["cell"])
    world, kappa = _world(cell), cell["kappa"]
    _draw_runs(ax, cell, point["arrays"]["vb"], marker="s", color=_VB)
    _draw_runs(ax, cell, point["arrays"]["vf"], marker="o", color=_VF)
    ax.plot(n, [_learned.cloned_value(*world, kappa, int(m)) / _most(cell) for m in n], "k--", lw=1.1)
    ax.axhline(_learned.expert_value(*world, kappa) / _most(cell), color="0.35", lw=0.9)
    ax.axhline(_learned.base_value(*world) / _most(cell), color="0.5", ls="-.", lw=1.1)
    plain_log(ax.xaxis, n.tolist())


def _draw_false(ax: Any, summary: Mapping[str, Any], cell: Mapping[str, Any]) -> list[Any]:
    """The lying worlds of the check `final` at the base and horizon of a panel; their legend entries."""
    key = []
    for falsifier, marker in zip(check(summary, "final")["falsifiers"], "x+", strict=False):
        for row in falsifier["rows"]:
            if (row["cell"]["base"], row["cell"]["H"]) == (cell["base"], cell["H"]) and "vb" in row["arrays"]:
                style = {"ls": ":", "marker": marker, "color": _plots.FALSIFIER}
                _draw_runs(ax, row["cell"], row["arrays"]["vb"], **style)
                what = falsifier["name"].replace("reward-", "").replace("-", " ")
                key.append(entry(f"falsifier (H = {cell['H']}): rewards {what}; {row['num_replicates']} runs", **style))
    return key


def _draw_lead(ax: Any, summary: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Lead of VB over VF at the largest budget against the horizon; the legend entry of the lying world."""
    for base, marker, color in zip(_NAMES, "sD^", ("C1", "C4", "0.35"), strict=True):
        mine = sorted((p for p in points if p["cell"]["base"] == base), key=lambda p: p["cell"]["H"])
        if not mine:
            continue
        H, lead, sd = (np.array(v) for v in zip(*((p["cell"]["H"], p["estimate"], p["sd"]) for p in mine), strict=True))
        ax.errorbar(H, lead, sd, fmt=marker, ms=5, capsize=3, lw=1.2, color=color)
        room = [_most(p["cell"]) - _learned.expert_value(*_world(p["cell"]), p["cell"]["kappa"]) for p in mine]
        ax.plot(H, room, "k--", lw=1.1)
        judged = check(summary, {"1+64": "widens", "64": "flat"}.get(base, ""))["rows"]
        name = _NAMES[base].partition(", ")[2]
        end_label(ax, H[-1], lead[-1], "\n".join([name, *(slope(row) for row in judged)]), color, up={"1+64": 4, "4+64": -5}.get(base, 12))
    plain_log(ax.xaxis, [16, 32, 64, 128])
    plain_log(ax.yaxis, [1, 2, 4, 8, 16, 32])
    ax.set_xlim(14, 480)
    ax.set_ylim(1, 48)
    ax.set_xlabel("horizon H (tokens)")
    ax.set_ylabel("lead $J_{VB}-J_{VF}$ (tokens)")
    ax.set_title(f"lead at n = {points[0]['cell']['n']:,}")
    for f in check(summary, "widens")["falsifiers"]:
        if f["kind"] == "world" and f["rows"]:
            row = f["rows"][0]
            style = {"ls": ":", "marker": "x", "color": _plots.FALSIFIER, "lw": 1.0}
            ax.plot([p["H"] for p in row["points"]], [p["estimate"] for p in row["points"]], **style)
            end_label(ax, row["points"][-1]["H"], row["points"][-1]["estimate"], slope(row), _plots.FALSIFIER, up=-8)
            label = f"falsifier (lead): γ = 64 alone where γ = 1 or 64 is claimed; {row['num_replicates']} runs"
            return [entry(label, **style)]
    return []


def planted(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Value against budget for three bases, and the lead of learning from rewards against the horizon."""
    summary = summaries.get("verification.emp_planted")
    points = explored_of(summaries, "verification.emp_planted", "~curves")
    if not points:
        return None
    fig, axes = plt.subplots(2, 3, figsize=(13.0, 9.4))
    false: list[Any] = []
    for ax, (base, H) in zip(axes.flat, _PANELS, strict=False):
        for point in points:
            if (point["cell"]["base"], point["cell"]["H"]) == (base, H):
                _draw_training(ax, point)
                false += _draw_false(ax, summary, point["cell"])
                if base == "64":  # all within two per cent of the most: once more, enlarged
                    near = ax.inset_axes((0.16, 0.12, 0.8, 0.6))
                    _draw_training(near, point)
                    near.set_title("enlarged; the expert is the base", fontsize=8)
                    near.tick_params(labelsize=8)
        ax.set_ylim(0, 1.04)
        ax.set_title(f"{_NAMES[base]}; H = {H}")
        ax.set_xlabel("budget n: expert traces, or labelled rollouts")
        ax.set_ylabel("value J / (H − k + 1)")
    false += _draw_lead(axes[1, 2], summary, points)
    cell = points[0]["cell"]
    fig.legend(handles=[*_key(summary, points[0]["num_replicates"]), *false], loc="outside lower left", ncols=3)
    fig.suptitle(
        "From n = 256 on, learning from rewards beats a clone of the expert, by the room above the expert in the end: of order H where "
        "a style hardly solves.\n"
        f"Planted subsequence, V = {cell['V']} tokens, k = {cell['k']} gold ones in a row; expert: the base's styles reweighted, "
        f"χ² = {cell['kappa']:g}; both learners see how many gold tokens are matched",
        fontsize=10,
    )
    return fig


def _key(summary: Mapping[str, Any], runs: int) -> list[Any]:
    judged = sorted({row["num_replicates"] for name in ("widens", "flat") for row in check(summary, name)["rows"]})
    return [
        entry(
            f"VB: policy gradient on rewards, mean of {runs} runs; band: one\nstandard deviation of a run (where wider than the line)",
            color=_VB,
            marker="s",
        ),
        entry(f"VF: clone of the expert, mean of the same {runs} runs and band", color=_VF, marker="o"),
        entry(
            "predicted, derived here: the clone, with its smoothing to first\norder; right: the room above the expert, H − k + 1 − $J_e$",
            color="k",
            ls="--",
        ),
        entry("expert $J_e$, exact", color="0.35", lw=0.9),
        entry("base $J_b$, exact", color="0.5", ls="-.", lw=1.1),
        entry(
            "γ: weight of the right next token, of every other 1. Lead: bars of one\n"
            "standard deviation; slopes in ln H, ± half the 1 − 10⁻⁶ interval\n"
            f"({' or '.join(map(str, judged))} runs, asymptotic), judged within 0.1 of the dashed line's"
        ),
    ]


FIGURES = {"verification.planted": planted}
