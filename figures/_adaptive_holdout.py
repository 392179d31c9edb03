"""Figures of the reusable holdout and of multiplicative weights; merged into figures/adaptive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import check_of, explored_of
from theory.adaptive import _histogram, _reusable

__all__ = ["FIGURES"]

Summaries = Mapping[str, Mapping[str, Any]]


def _lied(check: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return next((f["rows"] for f in check["falsifiers"] if f["name"] == name), ())


_LINES = (
    ("train", "o", "training set"),
    ("holdout", "s", "holdout"),
    ("fresh", "D", "fresh data"),
    ("reported", "^", "reported"),
)


def holdout(summaries: Summaries) -> Any:
    """Accuracy against the number of attributes: standard reuse and Thresholdout, without and with signal."""
    points = [*explored_of(summaries, "adaptive.fig2", "~curves"), *explored_of(summaries, "adaptive.fig3", "~curves")]
    if not points:
        return None
    n, d = points[0]["cell"]["n"], points[0]["cell"]["d"]
    fig, axes = plt.subplots(2, 2, figsize=(10.0, 8.8), sharex=True, sharey=True)
    for row, arm in zip(axes, ("standard", "thresholdout"), strict=True):
        for ax, signal in zip(row, (False, True), strict=True):
            for p in points:
                if (p["cell"]["arm"], p["cell"]["signal"]) == (arm, signal):
                    _draw_curves(ax, p, arm)
            if not signal:
                _draw_expected(ax, n, d, arm)
            if (arm, signal) == ("standard", False):
                _draw_wrong_scale(ax, summaries, n)
            if (arm, signal) == ("thresholdout", False):
                _draw_residual(ax, summaries, n)
            if signal:
                height = float(_reusable.fig3_fresh_accuracy(n, _reusable.SIGNAL_COLUMNS))
                ax.plot(_reusable.SIGNAL_COLUMNS, height, "k_", ms=16, mew=1.4, label="those 20 attributes alone")
            ax.axhline(0.5, color="0.6", lw=0.8, zorder=0)
            ax.set_title(
                f"{'standard reuse' if arm == 'standard' else 'Thresholdout'}, {'20 attributes with signal' if signal else 'no signal'}"
            )
            ax.legend(loc="upper left", fontsize=7.5, ncols=2, columnspacing=1.0)
    axes[0, 0].set_ylim(0.45, 0.79)
    axes[0, 0].set_yticks(np.arange(0.45, 0.751, 0.05))
    for ax in axes[1]:
        ax.set_xlabel("attributes used, k")
    for ax in axes[:, 0]:
        ax.set_ylabel("classification accuracy")
    runs = min(p["num_replicates"] for p in points)
    fig.suptitle(
        f"One holdout for selecting attributes and for testing, n = {n:,} points in each set, d = {d:,} attributes.\n"
        f"Lines: mean of {runs} repetitions; bands: ± one standard deviation over repetitions; k = 0 is a coin flip. Fresh data: the "
        "truth.\n"
        "Attributes are selected whose correlations with the label, on both sets, have one sign and exceed $1/\\sqrt{n}$; the falsifier "
        "(cross) leaves out the size.\nThresholdout reports the training set's accuracy until it is more than about $4/\\sqrt{n}$ "
        "above the holdout's, then the holdout's with "
        "noise:\nhence the bump of 'reported' at small k, where the repetitions disagree which of both it is.",
        fontsize=9,
    )
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
        raw = ", not shown to the analyst" if name == "holdout" and arm == "thresholdout" else ""
        (line,) = ax.plot(k, mean, f"-{marker}", ms=3.8, lw=1.1, color=f"C{i}", label=label + raw)
        ax.fill_between(k, mean - sd, mean + sd, color=line.get_color(), alpha=0.2, lw=0)


def _draw_expected(ax: Any, n: int, d: int, arm: str) -> None:
    k = np.unique(np.geomspace(1, 500, 80).round().astype(int))
    if arm == "standard":
        curves = _reusable.fig2_train_accuracy(n, d, k), _reusable.fig2_holdout_accuracy(n, k)
    else:
        curves = _reusable.thresholdout_accuracy(n, d, k)
    for i, curve in enumerate(curves):
        ax.plot(k, curve, "k--", lw=1.0, label="expected (derived here)" if i == 0 else None)


def _draw_wrong_scale(ax: Any, summaries: Summaries, n: int) -> None:
    check = check_of(summaries, "adaptive.fig2", "holdout")
    rows = [r for r in _lied(check, "sums") if r["cell"]["n"] == n] if check is not None else []
    if rows:
        x, y = [r["cell"]["k"] for r in rows], [r["estimate"] for r in rows]
        ax.plot(x, y, "x", ms=8, mew=1.6, color=_plots.FALSIFIER, label="falsifier: selection by sign alone")


def _draw_residual(ax: Any, summaries: Summaries, n: int) -> None:
    for p in explored_of(summaries, "adaptive.fig4", "~residual"):
        if p["cell"]["n"] == n:
            error = p["sd"] / p["num_replicates"] ** 0.5
            text = f"holdout − fresh at k = {p['cell']['k']}:\n{p['estimate']:+.4f} ± {error:.4f} ({p['num_replicates']:,} repetitions)"
            ax.text(0.98, 0.06, text, transform=ax.transAxes, ha="right", fontsize=8)


_MECHANISMS = (
    ("sample means", None, "sample means", "o"),
    ("multiplicative weights, no noise", None, "no noise, not private", "s"),
    ("private multiplicative weights", 0.002, "private, σ = .002", "D"),
    ("private multiplicative weights", 0.005, "private, σ = .005", "^"),
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
    fig, axes = plt.subplots(1, 3 if errors else 2, figsize=(13.2 if errors else 9.0, 4.9))
    _draw_paths(axes[0], paths)
    _draw_updates(axes[1], check)
    if errors:
        _draw_errors(axes[2], errors)
    return fig


def _times_threshold(cell: Mapping[str, Any]) -> str:
    ratio = cell["step"] / cell["threshold"]
    return "T" if ratio == 1 else f"{ratio:g}T"


def _draw_paths(ax: Any, paths: Sequence[Mapping[str, Any]]) -> None:
    for i, p in enumerate(paths):
        cell = p["cell"]
        ratio = _times_threshold(cell)
        x, y = [c["updates"] for c in p["cases"]], [c["estimate"] for c in p["cases"]]
        ax.plot(x, y, "-", color=f"C{i}", marker="osD"[i], markevery=6, label=f"η = {ratio}: {x[-1]:,} updates")
        fall = float(_histogram.mw_kl_drop_bound(cell["threshold"], cell["step"]))
        start = np.log(cell["universe"])
        ax.plot([0, start / fall], [start, 0], "k--", lw=1.0, label="least fall ηT − η²/8 an update (derived)" if i == 0 else None)
    cell = paths[0]["cell"]
    ax.set_xlabel("updates")
    ax.set_ylabel("KL(histogram || guess), nats")
    ax.set_ylim(0, 1.45 * np.log(cell["universe"]))
    ax.set_title(f"Slow adversary on a point mass, |X| = {cell['universe']:,}, T = {cell['threshold']:g}.\nDeterministic, no sampling")
    ax.legend(loc="upper right", fontsize=7.5)


def _draw_updates(ax: Any, check: Mapping[str, Any]) -> None:
    labels, rows = [], check["rows"]
    bounds = [r["bound"] for r in rows]
    for i, r in enumerate(rows):
        cell = r["cell"]
        labels.append(f"|X|={cell['universe']:,}\nT={cell['threshold']:g}\nη={_times_threshold(cell)}")
        for case in r["points"]:
            point = case["label"] == "point mass"
            label = ("adversary, point mass" if point else "adversary, sparse random histogram") if i == 0 else None
            ax.plot(i, case["estimate"], "o" if point else "v", color="C0" if point else "C1", alpha=0.9, label=label)
    ax.hlines(bounds, np.arange(len(rows)) - 0.35, np.arange(len(rows)) + 0.35, color="k", ls="--", lw=1.2, label="ln|X|/(ηT − η²/8)")
    places = {repr(sorted(r["cell"].items())): i for i, r in enumerate(rows)}
    for j, r in enumerate(_lied(check, "half")):
        at = places[repr(sorted(r["cell"].items()))]
        ax.hlines(
            r["bound"], at - 0.35, at + 0.35, color=_plots.FALSIFIER, ls=":", lw=1.8, label="falsifier: half of it" if j == 0 else None
        )
    handles, names = ax.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    ax.legend(unique.values(), unique.keys(), loc="upper left", fontsize=7.5)
    ax.set_yscale("log")
    ax.set_ylim(top=20 * max(bounds))
    ax.set_xticks(np.arange(len(rows)), labels, fontsize=7)
    ax.set_ylabel("updates")
    ax.set_title("Updates that an adversary forces, by step η.\nAll sit below the bound")


def _draw_errors(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    cell = points[0]["cell"]
    loudest = max(p["cell"]["noise"] for p in points)
    for i, (mechanism, noise, label, marker) in enumerate(_MECHANISMS):
        m, mean, low, high, eps, spent = [], [], [], [], [], False
        for p in points:
            # what carries no noise is drawn beside either noise rate: shown once
            if p["cell"]["noise"] != (loudest if noise is None else noise):
                continue
            mine = [c for c in p["cases"] if c["mechanism"] == mechanism]
            error = [c["estimate"] for c in mine]
            m.append(p["cell"]["m"] * 1.09 ** (i - 1.5))  # side by side, so that bars stay apart
            mean.append(np.mean(error))
            low.append(min(error))
            high.append(max(error))
            eps += [c["realised_eps"] for c in mine]
            spent |= any(c["answered"] < p["cell"]["m"] for c in mine)
        if not m:
            continue
        bars = np.array([np.array(mean) - low, np.array(high) - mean])
        if noise is not None:
            label += f"; ε realised {min(eps):.0f} to {max(eps):.0f}" + (", budget spent at last" if spent else "")
        ax.errorbar(m, mean, bars, fmt=f"-{marker}", ms=4.5, capsize=3, lw=1.1, color=f"C{i}", label=label)
    ax.axhline(cell["threshold"], color="k", ls="--", lw=1.1, label=f"T = {cell['threshold']:g}")
    ax.set_xscale("log")
    ax.set_ylim(0, 0.23)
    ax.set_xlabel("queries m, random 0/1, not adaptive")
    ax.set_ylabel("largest |answer − truth|")
    runs = len([c for c in points[0]["cases"] if c["mechanism"] == _MECHANISMS[0][0]])
    ax.set_title(f"Multiplicative weights, |X| = {cell['universe']}, n = {cell['n']:,}, η = 2T.\nBars: range over {runs} random worlds")
    ax.legend(loc="upper left", fontsize=7.5)


FIGURES = {"adaptive.holdout": holdout, "adaptive.weights": weights}
