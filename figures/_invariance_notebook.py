"""Figures of invariance: the authors' experiment (F1), baselines (F7), sampled moments (F6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from theory.invariance import cov_radius, published

__all__ = ["FIGURES"]

_M = (3, 5, 8, 11, 14, 17, 20)
_COMBINATIONS = {("hard", "hard"): "C0", ("hard", "rademacher"): "C4", ("soft", "soft"): "C1", ("soft", "rademacher"): "C3"}
_SIZES = (10_000, 15_000, 30_000, 45_000)


def _rows(summary: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], int]]:
    """(cell, arrays, repetitions) of every cell of the experiment, judged or not."""
    for check in summary["checks"]:
        if check["name"] == "score":
            for row in check["rows"]:
                if row["arrays"]:
                    yield row["cell"], row["arrays"], row["num_replicates"]
    for entry in summary["explored"]:
        if entry["name"] == "~grid":
            for point in entry["points"]:
                yield point["cell"], point["arrays"], point["num_replicates"]


def _boxes(ax: Any, arrays: Mapping[str, Any], shift: float, color: str, label: str) -> None:
    """Mean quartiles over accepted subsets, one box an m; repetitions without an accepted subset are left out."""
    some = 1 - np.array(arrays["none"]["mean"])
    quartiles = np.array(arrays["box"]["mean"]) / some[:, None]
    stats = [
        {"whislo": q[0], "q1": q[1], "med": q[2], "q3": q[3], "whishi": q[4], "mean": mean, "fliers": []}
        for q, mean in zip(quartiles, np.array(arrays["score"]["mean"]) / some, strict=True)
    ]
    style = {"color": color, "linewidth": 0.9}
    drawn = ax.bxp(
        stats, positions=np.arange(len(_M)) + shift, widths=0.15, manage_ticks=False, showmeans=True, patch_artist=True, showfliers=False,
        boxprops={"facecolor": color, "alpha": 0.35, "edgecolor": color}, medianprops=style, whiskerprops=style, capprops=style,
        meanprops={"marker": "D", "markersize": 2.8, "markerfacecolor": color, "markeredgecolor": color},
    )  # fmt: skip
    drawn["boxes"][0].set_label(label)


def experiment(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F1: tests passed by the accepted subsets, in the notebook's four panels."""
    summary = summaries.get("invariance.fig.main")
    if summary is None or not any(True for _ in _rows(summary)):
        return None
    found = {(c["N"], c["train"], c["test"]): (arrays, count) for c, arrays, count in _rows(summary)}
    fig, axes = plt.subplots(2, 2, figsize=(10.5, 9.2), sharex=True, sharey=True)
    for ax, N in zip(axes.flat, _SIZES, strict=True):
        told = []
        for i, ((train, test), color) in enumerate(_COMBINATIONS.items()):
            if (N, train, test) not in found:
                continue
            arrays, _ = found[N, train, test]
            _boxes(ax, arrays, 0.18 * (i - 2), color, f"{train} training, {test} tests")
            accepted, score = (
                np.mean(arrays["count"]["mean"]),
                np.mean(np.array(arrays["score"]["mean"]) / (1 - np.array(arrays["none"]["mean"]))),
            )
            printed = [published(N, train, test, what)[0] for what in ("accepted", "score")]
            found_there = f"{accepted:8.1f}{score:10.1f}"
            in_print = f"{'no numbers':>16}" if np.isnan(printed[0]) else f"{printed[0]:8.1f}{printed[1]:8.1f}"
            told.append((f"{train + ' training, ' + test + ' tests':<32}{found_there}{in_print}", color))
            if (train, test) == ("hard", "hard"):
                ax.plot(
                    np.arange(len(_M)) + 0.36, 100 * np.array(arrays["erm"]["mean"]), "kx", ms=4, label="least squares on pooled data, hard"
                )
        ax.set_title(f"N = {N:,} samples an environment", fontsize=9)
        told.insert(0, (f"{'means over m':<32}{'accepted':>8}{'passed':>10}{'in print':>16}", "k"))
        for i, (text, color) in enumerate(told):
            ax.text(0.01, 0.985 - 0.053 * i, text, transform=ax.transAxes, va="top", family="monospace", fontsize=7, color=color)
    axes[0, 0].set_ylim(-5, 147)  # above 100: the table
    axes[0, 0].set_yticks(range(0, 101, 20))
    for ax in axes[-1]:
        ax.set_xticks(range(len(_M)), [str(m) for m in _M])
        ax.set_xlabel("m, training interventions")
    for ax in axes[:, 0]:
        ax.set_ylabel("tests passed, of 100")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    fewest, most = (f(count for _, count in found.values()) for f in (min, max))
    fig.suptitle(
        "The authors' experiment: subsets of covariates whose regressions agree on m training interventions are accepted, and tested "
        "on 100 "
        f"new interventions.\nBoxes: quartiles and range over the accepted subsets, mean of {fewest:,} to {most:,} repetitions; "
        "diamonds: mean. "
        "In print: the notebook's numbers, none for N = 15,000 and 30,000.\n"
        "Hard: an intervened node is cut off its parents. Soft: its edges change their weights. Rademacher: the edges out of every "
        "node change "
        "sign together, by a coin;\nthose into the target stay positive. Hard training accepts {3} {0,3} {1,3} {0,1,3}, of which {3} "
        "and {0,3} "
        "pass no rademacher test;\nsoft training {1,3} with any of {0,2,5}, and {1,3,5,6} with any of {0,2}, which pass a quarter.",
        fontsize=8.5,
    )
    return fig


_METHODS = {
    "ERM": ("o", "least squares, pooled"),
    "IRMv1": ("s", "IRMv1, penalty 1e5"),
    "subset": ("D", "invariant subset"),
    "ICP": ("^", "ICP"),
    "parents": ("v", "causal parents"),
}


def baselines(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F7: failure rate and worst unseen risk of five methods against m, on two sets of weights."""
    summary = summaries.get("invariance.fig.main")
    points = next((e["points"] for e in (summary or {}).get("explored", ()) if e["name"] == "~baselines"), [])
    if not points:
        return None
    graphs = sorted({p["cell"]["graph"] for p in points})
    fig, axes = plt.subplots(2, len(graphs), figsize=(5.2 * len(graphs), 6.6), sharex=True, squeeze=False)
    for column, graph in zip(axes.T, graphs, strict=True):
        mine = sorted((p for p in points if p["cell"]["graph"] == graph), key=lambda p: p["cell"]["m"])
        m = [p["cell"]["m"] for p in mine]
        for row, what in zip(column, ("failure", "risk"), strict=True):
            for i, (name, (marker, label)) in enumerate(_METHODS.items()):
                y = [next(c["estimate"] for c in p["cases"] if c["label"] == f"{name} {what}") for p in mine]
                row.plot(m, y, marker=marker, color=f"C{i}", label=label, alpha=0.85)
            R = mine[0]["cases"][0]["R"]
            row.axvline(R, color="k", ls="--", lw=1.0, label=f"R = {R}")
        column[0].set_title("B7, sites {2, 3, 6}, " + ("unit weights" if graph == 0 else "generic weights"))
        column[0].set_ylabel("failure rate at $\\varepsilon$ = .1, unseen")
        column[1].set_ylabel("worst risk, unseen")
        column[1].set_yscale("log")
        column[1].set_xscale("log")
        column[1].set_xticks(m, [str(v) for v in m])
        column[1].minorticks_off()
        column[1].set_xlabel("m, training interventions")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    draws = points[0]["cell"]["num_draws"]
    fig.suptitle(
        f"Medians over {draws} draws, population moments, additive soft interventions; 6, the target's child, is a site", fontsize=9
    )
    return fig


def samples(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F6: relative error of sample moments against N, with L6's line."""
    summary = summaries.get("invariance.thm.samples")
    rows = summary["checks"][0]["rows"] if summary else []
    if not rows or not rows[0]["points"]:
        return None
    row = rows[0]
    N, y = (np.array([p[k] for p in row["points"]], dtype=float) for k in ("N", "estimate"))
    error = [y - [p["low"] for p in row["points"]], [p["high"] for p in row["points"]] - y]
    fig, ax = plt.subplots(figsize=(6.6, 5.2))
    label = f"mean of the largest of 10 environments, {row['num_replicates']} rows; bars: ± 2 standard errors"
    ax.errorbar(N, y, error, fmt="o-", capsize=3, label=label)
    fine = np.geomspace(N[0], N[-1], 50)
    ax.plot(fine, [cov_radius(7, 10, round(n), 0.2) for n in fine], "k--", label="L6: $2u + u^2$, $\\delta$ = .2")
    middle = np.sqrt(y[0] * y[-1]) * np.sqrt(np.sqrt(N[0] * N[-1]) / fine)
    ax.plot(fine, middle, "k:", lw=1.0, label="slope −1/2")
    wrong = y[0] * N[0] / fine
    ax.plot(fine, wrong, ":", color=_plots.FALSIFIER, label="falsifier: slope −1")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(N, [f"{int(n):,}" for n in N])
    ax.minorticks_off()
    ax.set_xlabel("N, samples an environment")
    ax.set_ylabel("$\\max_e \\|\\hat M_e - M_e\\| / \\|M_e\\|$")
    low, high = row["margin"]
    ax.set_title(f"slope {row['estimate']:.3f} in [{row['low']:.3f}, {row['high']:.3f}], window [{low:g}, {high:g}]")
    fig.legend(loc="outside lower center", ncols=1)
    return fig


FIGURES = {"invariance.experiment": experiment, "invariance.baselines": baselines, "invariance.samples": samples}
