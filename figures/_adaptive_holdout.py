"""Figures of the reusable holdout and of multiplicative weights; merged into figures/adaptive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from figures import _plots
from figures._adaptive_axes import bars_of
from figures._axes import Summaries, lied, plain_log
from figures._series import check_of, explored_of
from theory.adaptive import _histogram, _reusable

__all__ = ["FIGURES"]


_LINES = (
    ("train", "o", "training set"),
    ("holdout", "s", "holdout (below not shown to the analyst)"),
    ("fresh", "D", "fresh data: the truth"),
    ("reported", "^", "reported by Thresholdout"),
)


def holdout(summaries: Summaries) -> Any:
    """Accuracy against the number of attributes: standard reuse and Thresholdout, without and with signal."""
    points = [*explored_of(summaries, "adaptive.fig2", "~curves"), *explored_of(summaries, "adaptive.fig3", "~curves")]
    if not points:
        return None
    n, d = points[0]["cell"]["n"], points[0]["cell"]["d"]
    fig, axes = plt.subplots(2, 2, figsize=(10.0, 8.0), sharex=True, sharey=True)
    entries: dict[str, Any] = {}  # one legend for the four panels
    for row, arm in zip(axes, ("standard", "thresholdout"), strict=True):
        for ax, signal in zip(row, (False, True), strict=True):
            for p in points:
                if (p["cell"]["arm"], p["cell"]["signal"]) == (arm, signal):
                    _draw_curves(ax, p, arm)
            if signal:
                _draw_signal(ax, n)
            else:
                _draw_expected(ax, n, d, arm)
            if (arm, signal) == ("standard", False):
                _draw_wrong_scale(ax, summaries, n)
            if (arm, signal) == ("thresholdout", False):
                _draw_reported(ax, summaries, n)
            how = "standard reuse of the holdout" if arm == "standard" else "the holdout behind Thresholdout"
            ax.set_title(f"{how}, {'20 attributes with signal' if signal else 'no signal'}")
            handles, labels = ax.get_legend_handles_labels()
            entries.update(zip(labels, handles, strict=True))
    axes[0, 0].set_ylim(0.445, 0.72)
    for ax in axes[1]:
        ax.set_xlabel("number of attributes used, k")
    for ax in axes[:, 0]:
        ax.set_ylabel("classification accuracy")
    fig.suptitle(
        "A holdout that selects attributes and then tests says 63 % where the truth is 50 % (top left); Thresholdout's answers stay "
        f"near it.\nn = {n:,} points a set, d = {d:,} attributes. Selected: correlations with the label of one sign on training set and "
        "holdout, above $1/\\sqrt{n}$",
        fontsize=9,
    )
    runs = min(p["num_replicates"] for p in points)
    note = f"lines: mean of {runs} runs; bands: ± 1 sd of a run; k = 0 is a coin flip"
    style = {"loc": "outside lower left", "ncols": 2, "title": note, "title_fontsize": 8, "alignment": "left"}
    fig.legend(entries.values(), entries.keys(), **style)
    return fig


def _draw_curves(ax: Any, point: Mapping[str, Any], arm: str) -> None:
    arrays = point["arrays"]
    _, first = np.unique(arrays["k"]["mean"], return_index=True)  # a judged k stands twice in the grid
    k = np.concatenate([[0.0], np.array(arrays["k"]["mean"])[first]])
    for i, (name, marker, label) in enumerate(_LINES):
        if name == "reported" and arm == "standard":
            continue  # standard reuse reports the holdout
        mean = np.concatenate([[0.5], np.array(arrays[name]["mean"])[first]])
        sd = np.concatenate([[0.0], np.array(arrays[name]["sd"])[first]])
        (line,) = ax.plot(k, mean, f"-{marker}", ms=4.2, lw=1.0, color=f"C{i}", label=label)
        ax.fill_between(k, mean - sd, mean + sd, color=line.get_color(), alpha=0.2, lw=0)


def _draw_expected(ax: Any, n: int, d: int, arm: str) -> None:
    k = np.unique(np.geomspace(1, 500, 80).round().astype(int))
    if arm == "standard":
        curves = _reusable.fig2_train_accuracy(n, d, k), _reusable.fig2_holdout_accuracy(n, k)
    else:
        curves = _reusable.thresholdout_accuracy(n, d, k)
    for curve in curves:
        ax.plot(k, curve, "k--", lw=1.1, zorder=4, label="expected of training set and holdout, no signal (derived here)")


def _draw_signal(ax: Any, n: int) -> None:
    """What the attributes with signal reach alone, and the bound that is judged at that number of attributes."""
    k = _reusable.SIGNAL_COLUMNS
    alone = float(_reusable.fig3_fresh_accuracy(n, k))
    ax.hlines(alone, k - 14, k + 14, color="0.35", lw=1.6, zorder=4, label=f"those {k} attributes alone, exact")
    label = f"claimed of fresh data at k = {k}: at least that less .015 (derived here)"
    ax.hlines(alone - 0.015, k - 14, k + 14, color="k", ls=(0, (2, 1)), lw=1.4, zorder=4, label=label)


def _draw_wrong_scale(ax: Any, summaries: Summaries, n: int) -> None:
    rows = [r for r in lied(check_of(summaries, "adaptive.fig2", "holdout"), "sums") if r["cell"]["n"] == n]
    if rows:
        runs = rows[0]["num_replicates"]
        label = f"falsifier: holdout, attributes selected by sign alone;\nbar: the judge's interval, error $10^{{-6}}$, {runs} runs"
        style = {"fmt": "x", "ms": 8, "mew": 1.6, "elinewidth": 1.0, "capsize": 3, "color": _plots.FALSIFIER}
        ax.errorbar([r["cell"]["k"] for r in rows], [r["estimate"] for r in rows], bars_of(rows), label=label, **style)


def _draw_reported(ax: Any, summaries: Summaries, n: int) -> None:
    check = check_of(summaries, "adaptive.fig2", "reported")
    width = next((r["margin"] for r in check["rows"] if r["cell"]["n"] == n), None) if check is not None else None
    if width is not None:
        label = "judged: the mean reported within the mean on fresh data\n$\\pm (4/\\sqrt{n} + 0.01)$, a width chosen here"
        ax.axhspan(0.5 - width, 0.5 + width, color="0.5", alpha=0.13, lw=0, zorder=0, label=label)
    text = (
        "what is reported: the training set's accuracy while it is\nwithin about $4/\\sqrt{n}$ of the holdout's, else the holdout's with\n"
        "noise; at small k the runs differ in which it is"
    )
    ax.text(110, 0.554, text, fontsize=8, va="bottom")
    for p in explored_of(summaries, "adaptive.fig4", "~residual"):
        if p["cell"]["n"] == n:
            error = p["sd"] / p["num_replicates"] ** 0.5
            mean = f"holdout − fresh at k = {p['cell']['k']}: {p['estimate']:+.4f} ± {error:.4f}"
            text = f"{mean}\n(standard error; {p['num_replicates']:,} runs of their own, not judged)"
            ax.text(0.98, 0.015, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=8)


_MECHANISMS = (
    ("sample means", None, "sample means", "o"),
    ("multiplicative weights, no noise", None, "multiplicative weights, no noise: not private", "s"),
    ("private multiplicative weights", 0.002, "the same, private, noise σ = .002", "D"),
    ("private multiplicative weights", 0.005, "the same, private, noise σ = .005", "^"),
)


def weights(summaries: Summaries) -> Any:
    """Multiplicative weights: the fall of KL, the number of updates against the bound, and the error on random queries."""
    paths, check = (
        explored_of(summaries, "adaptive.mw_updates", "~kl"),
        check_of(summaries, "adaptive.mw_updates", "updates"),
    )
    if not paths or check is None:
        return None
    errors = explored_of(summaries, "adaptive.pmw", "~error")
    fig, axes = plt.subplots(1, 3 if errors else 2, figsize=(13.8 if errors else 9.0, 5.4))
    _draw_paths(axes[0], paths)
    _draw_updates(axes[1], check)
    if errors:
        _draw_errors(axes[2], errors)
    for ax in axes:
        handles, names = ax.get_legend_handles_labels()
        unique = dict(zip(names, handles, strict=True))
        ax.legend(unique.values(), unique.keys(), loc="upper left", bbox_to_anchor=(-0.1, -0.2), fontsize=8)
    return fig


def _times_threshold(cell: Mapping[str, Any]) -> str:
    ratio = cell["step"] / cell["threshold"]
    return "T" if ratio == 1 else f"{ratio:g}T"


def _draw_paths(ax: Any, paths: Sequence[Mapping[str, Any]]) -> None:
    for i, p in enumerate(paths):
        cell = p["cell"]
        x, y = [c["updates"] for c in p["cases"]], [c["estimate"] for c in p["cases"]]
        label = f"step η = {_times_threshold(cell)}: the guess is near after {x[-1]:,} updates"
        ax.plot(x, y, "-", color=f"C{i}", marker="osD"[i % 3], markevery=6, label=label)
        fall = float(_histogram.mw_kl_drop_bound(cell["threshold"], cell["step"]))
        start = np.log(cell["universe"])
        ax.plot([0, start / fall], [start, 0], color=f"C{i}", ls="--", lw=1.2)
    ax.plot([], [], "k--", lw=1.2, label="dashed, in the step's colour: at least ηT − η²/8 lower\nafter each update (derived here)")
    cell = paths[0]["cell"]
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_xlabel("updates")
    ax.set_ylabel("KL(histogram || guess), nats")
    title = f"How far the guess is off. Slow adversary on a point mass,\n|X| = {cell['universe']:,}, T = {cell['threshold']:g}; no sampling"
    ax.set_title(title, fontsize=9)


def _draw_updates(ax: Any, check: Mapping[str, Any]) -> None:
    rows = check["rows"]
    names = [f"{r['cell']['universe']:,}\n{r['cell']['threshold']:g}\n{_times_threshold(r['cell'])}" for r in rows]
    for i, r in enumerate(rows):
        for case in r["points"]:
            point = case["label"] == "point mass"
            label = "adversary on a point mass" if point else "adversary on random sparse histograms, two each"
            ax.plot(i, case["estimate"], "o" if point else "v", color="C0" if point else "C1", mfc=None if point else "none", label=label)
        style = {"color": "k", "ls": "--", "lw": 1.2, "label": "bound: ln|X|/(ηT − η²/8) (derived here)"}
        ax.hlines(r["bound"], i - 0.35, i + 0.35, **style)
    places = {repr(sorted(r["cell"].items())): i for i, r in enumerate(rows)}
    for r in lied(check, "half"):
        at = places[repr(sorted(r["cell"].items()))]
        style = {"color": _plots.FALSIFIER, "ls": ":", "lw": 1.8, "label": "falsifier: half the bound, claimed at η = T"}
        ax.hlines(r["bound"], at - 0.35, at + 0.35, **style)
    plain_log(ax.yaxis, [20, 50, 100, 200, 500, 1000])
    ax.set_xticks(np.arange(len(rows)), names, fontsize=8)
    ax.tick_params(axis="x", length=0)
    ax.annotate("|X|\nT\nη", (0, 0), (-14, -5), ("axes fraction", "axes fraction"), "offset points", ha="right", va="top", fontsize=8)
    ax.set_xlabel("universe, threshold and step")
    ax.set_ylabel("updates")
    ax.set_title("Updates that an adversary forces;\nno sampling", fontsize=9)


def _draw_errors(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    cell = points[0]["cell"]
    for i, (mechanism, noise, label, marker) in enumerate(_MECHANISMS):
        mine = [
            (p["cell"]["m"], c)
            for p in points
            for c in p["cases"]
            if c["mechanism"] == mechanism and (noise is None or p["cell"]["noise"] == noise)
        ]
        if not mine:
            continue
        shift = 1.12 ** (i - 1.5)  # side by side, so that worlds stay apart
        if noise is not None:
            eps = [c["realised_eps"] for _, c in mine]
            label += f"; ε = 2·updates/(σn) from {min(eps):.0f} to {max(eps):.0f}"
            short = [(c["answered"], c["updates"]) for m, c in mine if c["answered"] < m]
            if short:
                answered = sorted(a for a, _ in short)
                label += f";\nits {short[0][1]} updates spent, it falls silent after query {answered[0]:,} to {answered[-1]:,}"
        ax.plot([shift * m for m, _ in mine], [c["estimate"] for _, c in mine], marker, ms=4, mfc="none", color=f"C{i}")
        at = sorted({m for m, _ in mine})
        mean = [np.mean([c["estimate"] for m, c in mine if m == size]) for size in at]
        ax.plot(shift * np.array(at), mean, "-", marker=marker, ms=4, mfc="none", lw=1.1, color=f"C{i}", label=label)
    plain_log(ax.xaxis, sorted({p["cell"]["m"] for p in points}))
    ax.set_ylim(0, 0.135)
    ax.set_xlabel("number of queries m, random 0/1, not adaptive")
    ax.set_ylabel("largest |answer − truth|")
    worlds = len([c for c in points[0]["cases"] if c["mechanism"] == _MECHANISMS[0][0]])
    ax.set_title(
        f"Error on random queries, |X| = {cell['universe']}, n = {cell['n']:,}, T = {cell['threshold']:g}, η = 2T.\n"
        f"Markers: {worlds} worlds ({2 * worlds} without noise); lines: means",
        fontsize=9,
    )


FIGURES = {"adaptive.holdout": holdout, "adaptive.weights": weights}
