"""Figures of invariance: the authors' experiment (F1), baselines (F7), sampled moments (F6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import check_of, explored_of
from theory.invariance import cov_radius, published

__all__ = ["FIGURES"]

_M = (3, 5, 8, 11, 14, 17, 20)
_SIZES = {10_000: ("o", "#7fb8de"), 15_000: ("s", "#4595c8"), 30_000: ("D", "#1c64a3"), 45_000: ("^", "#08306b")}  # darker: more samples
_OVER_M = len(_M) + 0.4  # the place of the means over m
_KINDS = {
    "hard": "hard: every site is set to a constant",
    "soft": "soft: the edges into every site are multiplied",
    "rademacher": "rademacher: coins turn the signs of the edges out of each node, not into the target",
}
_PASSING = {  # what the accepted subsets do once there are enough samples; invariance.scope checks {3} and the blankets
    "hard": ((97, "{1,3} {0,1,3}\npass all"), (3, "{3} {0,3}\npass none")),
    "soft": ((97, "{1,3} with any\nof {0,2,5}: all"), (26, "{1,3,5,6} with\nany of {0,2}:\na quarter")),
}


def _found(summaries: Mapping[str, Mapping[str, Any]]) -> dict[tuple[int, str, str], Mapping[str, Any]]:
    """Judged rows and points that were only explored, by samples, training and tests."""
    check = check_of(summaries, "invariance.fig.main", "score")
    rows = [row for row in (check["rows"] if check else ()) if row["arrays"]]
    cells = [*rows, *explored_of(summaries, "invariance.fig.main", "~grid")]
    return {(e["cell"]["N"], e["cell"]["train"], e["cell"]["test"]): e for e in cells}


def _draw_passed(ax: Any, found: Mapping[tuple[int, str, str], Mapping[str, Any]], train: str, test: str) -> float:
    """Tests passed against m, a group of marks for each number of samples, and their means over m. Returns the largest standard error."""
    largest = 0.0
    for i, (N, (marker, color)) in enumerate(_SIZES.items()):
        if (N, train, test) not in found:
            continue
        entry = found[N, train, test]
        arrays, shift = entry["arrays"], 0.19 * (i - 1.5)
        x, some = np.arange(len(_M)) + shift, 1 - np.array(arrays["none"]["mean"])  # repetitions without an accepted subset are left out
        box, mean, sd = np.array(arrays["box"]["mean"]) / some[:, None], np.array(arrays["score"]["mean"]), np.array(arrays["score"]["sd"])
        variance = (sd**2 + mean**2) / some - (mean / some) ** 2
        largest = max(largest, float(np.sqrt(np.max(variance / (some * entry["num_replicates"])))))
        ax.vlines(x, box[:, 0], box[:, 4], color=color, lw=0.8, alpha=0.45)
        for place in (0, 1, 3, 4):  # no median: between subsets that pass all and none it is in the middle of nothing
            ax.plot(x, box[:, place], ls="none", marker="_", ms=5, mew=1.1, color=color)
        ax.plot(x, mean / some, ls="none", marker=marker, ms=5, color=color, mec="w", mew=0.4)
        ax.plot(x, 100 * np.array(arrays["erm"]["mean"]), ls="none", marker="x", ms=4, mew=1.0, color=color)
        place = _OVER_M + 1.6 * shift
        if "level" in entry:
            margin, printed = published(N, train, test, "score")[2], entry["bound"]
            ax.fill_between([place - 0.22, place + 0.22], printed - margin, min(printed + margin, 100), color="k", alpha=0.12, lw=0)
            ax.vlines(place, entry["low"], entry["high"], color=color, lw=1.6)
            ax.hlines(printed, place - 0.22, place + 0.22, color="k", ls="--", lw=1.2, zorder=1)
        ax.plot(place, entry["estimate"], marker=marker, ms=6, color=color, mec="w", mew=0.4)
    return largest


def _accepted(found: Mapping[tuple[int, str, str], Mapping[str, Any]], train: str, test: str) -> str:
    sizes = [N for N in _SIZES if (N, train, test) in found]
    counts = ", ".join(f"{np.mean(found[N, train, test]['arrays']['count']['mean']):.1f}" for N in sizes)
    printed = ", ".join(f"{v:.1f}" if np.isfinite(v) else "–" for v in (published(N, train, test, "accepted")[0] for N in sizes))
    return f"accepted by N: {counts} of 63 subsets (in print {printed})"


def experiment(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F1: tests passed by the accepted subsets, by training and tests."""
    found = _found(summaries)
    if not found:
        return None
    fig, axes = plt.subplots(2, 2, figsize=(11.6, 8.8), sharex=True, sharey=True)
    errors = []
    for row, train in zip(axes, _PASSING, strict=True):
        for ax, test in zip(row, (train, "rademacher"), strict=True):
            errors.append(_draw_passed(ax, found, train, test))
            ax.axvline(_OVER_M - 0.75, color="0.8", lw=0.8)
            tests = f"new {test}" if test == train else test
            ax.set_title(
                f"trained on {train}, tested on {tests} interventions\n{_KINDS[test]}\n{_accepted(found, train, test)}", fontsize=9
            )
        for height, text in _PASSING[train]:
            row[1].text(_OVER_M + 0.75, height, text, fontsize=8, va="center")
        row[0].set_ylabel("tests passed, of 100")
    axes[0, 0].set_ylim(-4, 104)
    axes[0, 0].set_xlim(-0.6, _OVER_M + 0.65)
    for ax in axes[-1]:
        ax.set_xticks([*range(len(_M)), _OVER_M], [*map(str, _M), "mean\nover m"])
        ax.set_xlabel("training interventions m")
    fewest, most = (f(entry["num_replicates"] for entry in found.values()) for f in (min, max))
    _name_marks(axes[0, 0], f"{fewest:,} to {most:,} repetitions (standard error at most {max(errors):.1f})")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    fig.suptitle(
        "The authors' experiment: accepted are subsets of covariates whose regressions on m interventions agree within 2 %.\n"
        "They generalize to new interventions of the kind they were trained on; on another kind some still do and some fail",
        fontsize=10.5,
    )
    return fig


def _name_marks(ax: Any, replicates: str) -> None:
    """Entries of the legend: the numbers of samples by colour and mark, the kinds of marks in grey."""
    for N, (marker, color) in _SIZES.items():
        ax.plot([], [], ls="none", marker=marker, color=color, label=f"N = {N:,} samples an environment")
    ax.plot([], [], ls="none", marker="o", color="0.4", label=f"mean over accepted subsets, and over {replicates}")
    ax.plot(
        [], [], ls="none", marker="_", ms=7, mew=1.1, color="0.4", label="least, lower and upper quartile, largest of the accepted subsets"
    )
    ax.plot([], [], ls="none", marker="x", color="0.4", label="least squares on the pooled training data")
    printed = "number in print (N = 10,000 and 45,000), shaded: declared margin;"
    ax.plot([], [], "k--", lw=1.2, label=f"{printed}\nline there: confidence sequence at level $10^{{-6}}$, sampled until inside")


_METHODS = {  # large open marks first: several methods lie on one another at 0
    "parents": ("v", 11, "C4", "-", "causal parents of the target (known graph)"),
    "ICP": ("^", 8, "C3", "--", "ICP: intersection of invariant subsets (none at m = 1: predicts 0)"),
    "subset": ("D", 5, "C2", "-.", "invariant subset of least risk"),
    "IRMv1": ("s", 5, "C1", ":", "IRMv1, penalty $10^5$"),
    "ERM": ("o", 5, "C0", "-", "least squares, pooled"),
}
_N_EFF = 14  # of the sites {2, 3, 6}, dimension of all moments


def baselines(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F7: failure rate and worst unseen risk of five methods against m, on two sets of weights."""
    points = explored_of(summaries, "invariance.fig.main", "~baselines")
    if not points:
        return None
    graphs = sorted({p["cell"]["graph"] for p in points})
    fig, axes = plt.subplots(2, len(graphs), figsize=(5.2 * len(graphs), 7.4), sharex=True, sharey="row", squeeze=False)
    for column, graph in zip(axes.T, graphs, strict=True):
        mine = sorted((p for p in points if p["cell"]["graph"] == graph), key=lambda p: p["cell"]["m"])
        m = [p["cell"]["m"] for p in mine]
        R = mine[0]["cases"][0]["R"]
        for ax, what in zip(column, ("failure", "risk"), strict=True):
            for name, (marker, size, color, dash, label) in _METHODS.items():
                y = [next(c["estimate"] for c in p["cases"] if c["label"] == f"{name} {what}") for p in mine]
                ax.plot(m, y, marker=marker, ms=size, color=color, ls=dash, mfc="none" if size > 5 else color, label=label)
            ax.axvline(R, color="k", ls="--", lw=1.0)
            ax.axvline(_N_EFF, color="k", ls=":", lw=1.2)
        for place, text in ((R, f"R = {R}"), (_N_EFF, f"$N_{{eff}}$ = {_N_EFF}")):
            column[0].text(place * 1.04, 0.62, text, fontsize=8.5)
        column[0].set_title("unit weights" if graph == 0 else "generic weights on the same graph")
        column[1].set_xlabel("training interventions m")
    axes[0, 0].set_ylabel("failure rate: share of new interventions\nwith a gap above $\\varepsilon$ = 0.1")
    axes[1, 0].set_ylabel("largest risk on new interventions\n(1 is the noise of the target)")
    ax = axes[1, 0]
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(m, [str(v) for v in m])
    ax.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    ax.minorticks_off()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=2)
    draws = points[0]["cell"]["num_draws"]
    fig.suptitle(
        "Five methods on the exact moments of m interventions on nodes 2, 3 and 6 (a child of the target): "
        f"medians of {draws} draws, spread not stored.\n"
        "Derived here: below R a representation with $\\beta$ = 0 passes training exactly and fails; "
        "from $N_{eff}$ on none that passes fails",
        fontsize=9.5,
    )
    return fig


def samples(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F6: relative error of sample moments against N, with L6's line."""
    check = check_of(summaries, "invariance.thm.samples", "rate")
    if check is None or not check["rows"] or not check["rows"][0]["points"]:
        return None
    row = check["rows"][0]
    N, y = (np.array([p[k] for p in row["points"]], dtype=float) for k in ("N", "estimate"))
    error = [y - [p["low"] for p in row["points"]], [p["high"] for p in row["points"]] - y]
    fig, ax = plt.subplots(figsize=(7.4, 5.6))
    fine = np.geomspace(N[0], N[-1], 50)
    bound = "bound of L6 (derived here), met with probability 0.8 ($\\delta$ = 0.2): $2u + u^2$,"
    ax.plot(
        fine,
        [cov_radius(7, 10, round(n), 0.2) for n in fine],
        "k--",
        label=f"{bound}\n$u = (\\sqrt{{7}} + \\sqrt{{2\\ln(20/\\delta)}})/\\sqrt{{N}}$",
    )
    count = f"{row['num_replicates']:,} replicates"
    ax.errorbar(
        N, y, error, fmt="o", capsize=3, label=f"measured: mean of {count} of the largest of 10 environments, bars ± 2 standard errors"
    )
    middle = np.sqrt(y[0] * y[-1]) * np.sqrt(np.sqrt(N[0] * N[-1]) / fine)
    window, seen = (f"[${low:g}$, ${high:g}$]" for low, high in (row["margin"], (round(row["low"], 4), round(row["high"], 4))))
    slope = f"measured ${row['estimate']:.4f}$, confidence sequence {seen} at level $10^{{-6}}$, declared window {window}"
    ax.plot(fine, middle, "-", color="0.5", lw=1.0, zorder=1, label=f"predicted slope −1/2, through the middle of the data;\n{slope}")
    lies = [(f, r) for f in check["falsifiers"] for r in f["rows"]]
    for falsifier, lie in lies:
        low, high = lie["margin"]
        label = f"falsifier, {falsifier['verdict'].lower()}: {falsifier['breaks']}, slope in [${low:g}$, ${high:g}$]"
        ax.plot(fine, y[0] * N[0] / fine, ":", color=_plots.FALSIFIER, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(N, [f"{int(n):,}" for n in N])
    ax.set_yticks([0.003, 0.01, 0.03, 0.1, 0.3, 1], ["0.003", "0.01", "0.03", "0.1", "0.3", "1"])
    ax.minorticks_off()
    ax.set_xlabel("samples of each environment N")
    ax.set_ylabel("relative error of second moments\n$\\max_e \\|\\hat M_e - M_e\\| / \\|M_e\\|$")
    ax.set_title("Sample moments approach the population's like $N^{-1/2}$")
    fig.legend(loc="outside lower center", ncols=1)
    return fig


FIGURES = {"invariance.experiment": experiment, "invariance.baselines": baselines, "invariance.samples": samples}
