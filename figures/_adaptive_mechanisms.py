"""Figures of answering mechanisms under attack; merged into figures/adaptive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import check_of, explored_of
from theory.adaptive import _attack, _certified, _ladder

__all__ = ["FIGURES"]

Summaries = Mapping[str, Mapping[str, Any]]


def _array(points: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd over runs of an array that a simulator returned."""
    return tuple(np.array([p["arrays"][name][k] for p in points], dtype=float) for k in ("mean", "sd"))


# Mechanism, level -> label, marker; one order and one look in all figures of this module.
_LOOKS = {
    ("empirical", 0.0): ("sample means", "o"),
    ("laplace", 0.05): ("Laplace noise, sd .05", "s"),
    ("gaussian", 0.05): ("normal noise, sd .05", "D"),
    ("round", 0.1): ("rounded to tenths, dithered queries", "^"),
}


def errors(summaries: Summaries) -> Any:
    """Largest error over all queries against their number, by mechanism, at one sample size."""
    points = explored_of(summaries, "adaptive.laplace", "~errors")
    if not points:
        return None
    n = points[0]["cell"]["n"]
    fig, ax = plt.subplots(figsize=(7.2, 5.0))
    queries = np.unique(np.geomspace(8, 4000, 80).round().astype(int))
    for i, ((mechanism, level), (label, marker)) in enumerate(_LOOKS.items()):
        mine = [p for p in points if (p["cell"]["mechanism"], p["cell"]["level"]) == (mechanism, level)]
        if mine:
            mean, sd = _array(mine, "largest")
            shift = 1.05 ** (i - 2)  # side by side, so that bars stay apart
            ax.errorbar([shift * p["cell"]["m"] for p in mine], mean, sd, fmt=f"-{marker}", ms=4.5, capsize=2, lw=1.0, label=label)
    guarded = explored_of(summaries, "adaptive.rounds", "~errors")
    if guarded:
        mean, sd = _array(guarded, "largest")
        x = [1.05**2 * p["cell"]["m"] for p in guarded]
        ax.errorbar(x, mean, sd, fmt="-v", ms=4.5, capsize=2, lw=1.0, label="guard and two chunks of n/3 (two rounds)")
    split = queries[queries + 1 <= n]
    exact = [_certified.split_largest_error(n // (m + 1), m + 1) for m in split]
    ax.plot(split, exact, color="0.35", lw=1.4, label="a fresh chunk of n/(m+1) for each query (exact)")
    law = [_attack.naive_gap_exact(n, int(m)) for m in queries]
    ax.plot(queries, law, "k--", lw=1.1, label="exact gap of the aggregate on sample means (derived here)")
    ax.set_xscale("log")
    ax.set_ylim(0, 0.55)
    ax.set_xlabel("number of adaptive queries $m$ before the aggregate")
    ax.set_ylabel("largest |answer − truth| over the m + 1 queries")
    ax.set_title(f"One sample of n = {n:,} points, attacked: the largest error by mechanism", fontsize=9)
    runs = points[0]["num_replicates"]
    fig.legend(loc="outside lower left", ncols=2, title=f"markers: mean of {runs} runs, bars: ± 1 sd of a run", title_fontsize=8)
    return fig


def critical(summaries: Summaries) -> Any:
    """Critical number of queries against the sample size: linear on exact answers, quadratic on noisy ones."""
    series = (
        ("adaptive.naive", "slope", "sample means", "o"),
        ("adaptive.laplace", "slope-gaussian", "normal noise, sd .1", "D"),
        ("adaptive.laplace", "slope-laplace", "Laplace noise, sd .1", "s"),
    )
    checks = [(check, label, marker) for claim, name, label, marker in series if (check := check_of(summaries, claim, name))]
    checks = [item for item in checks if item[0]["rows"] and item[0]["rows"][0]["points"]]
    if not checks:
        return None
    fig, ax = plt.subplots(figsize=(6.6, 4.8))
    for i, (check, label, marker) in enumerate(checks):
        row = check["rows"][0]
        n = np.array([p["n"] for p in row["points"]]) * 1.03 ** (i - 1)
        y = np.array([p["estimate"] for p in row["points"]])
        bars = np.array([[p["estimate"] - p["low"], p["high"] - p["estimate"]] for p in row["points"]]).T
        text = f"{label}: slope {row['estimate']:.3f} in [{row['low']:.3f}, {row['high']:.3f}]"
        ax.errorbar(n, y, bars, fmt=marker, ms=6, capsize=3, mfc="none", label=text)
    n = np.geomspace(200, 2500, 40)
    whole = n.round()
    ax.plot(whole, _attack.m_crit(whole), "k--", lw=1.1, label="closed form $\\Phi^{-1}(.6)^2 (n - 1 + 4 n^2 s^2)$, s = 0 and s = .1")
    ax.plot(whole, _attack.m_crit(whole, 0.1), "k--", lw=1.1)
    for power, anchor in ((1, 8.0), (2, 700.0)):
        label = "slopes 1 (lower line) and 2 (upper line), for the eye" if power == 1 else None
        ax.plot(n, anchor * (n / 250) ** power, color="0.6", lw=1.0, ls="-.", label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([250, 500, 1000, 2000], ["250", "500", "1,000", "2,000"])
    ax.minorticks_off()
    ax.set_xlabel("sample size $n$")
    ax.set_ylabel("queries that bring the\naggregate's gap to .1")
    ax.set_title("How many adaptive queries break n points", fontsize=9)
    title = "bars: ± 2 standard errors, pointwise; intervals of slopes: confidence sequences, level 1e-6"
    fig.legend(loc="outside lower left", title=title, title_fontsize=8)
    return fig


_LINES = {
    "split": ("splitting: a fresh chunk for each query", "k"),
    "laplace-pure": ("Laplace, pure composition, Cor. 7 as printed", "C0"),
    "laplace-sharp": ("Laplace, pure composition, sharp transfer (derived)", "C1"),
    "laplace-advanced": ("Laplace, Thm 4 and Thm 8", "C2"),
    "gaussian-jung": ("normal noise, exact GDP, transfer of Jung et al.", "C4"),
    "rounds": ("two rounds: guard and two chunks (derived)", "C3"),
    "thm25": ("Thresholdout, Thm 25, budget 1", "0.5"),
}
_NEEDED = {"split": ("k", "x"), "empirical": ("0.2", "o"), "laplace": ("C0", "s"), "gaussian": ("C4", "D")}


def certified(summaries: Summaries) -> Any:
    """Sample size that each guarantee asks for, and what the mechanisms need against the linear analyst."""
    points = explored_of(summaries, "adaptive.laplace", "~needed")
    if not points:
        return None
    tau, beta = points[0]["cell"]["tau"], points[0]["cell"]["beta"]
    fig, ax = plt.subplots(figsize=(7.4, 6.6))
    queries = np.unique(np.geomspace(11, 2e6, 22).round().astype(int))
    for name, (label, color) in _LINES.items():
        size = [_certified.certified_size(name, int(m), tau, beta) for m in queries]
        crossover = _certified.certified_crossover(name, tau, beta)
        if name != "split":
            label += f"; below splitting from m = {crossover:,}" if crossover else "; never below splitting"
        ax.plot(queries, size, color=color, lw=2.0 if name == "split" else 1.3, ls="--", label=label)
        if crossover is not None and queries[0] <= crossover <= queries[-1]:
            at = _certified.certified_size(name, crossover, tau, beta)
            ax.plot([crossover], [at], marker="*", ms=13, color=color, mec="k", mew=0.6, linestyle="none")
    for mechanism, (color, marker) in _NEEDED.items():
        mine = [p for p in points if p["cell"]["mechanism"] == mechanism and p["cell"]["beta"] == beta and p["cell"]["tau"] == tau]
        m, needed = [p["cell"]["m"] + 1 for p in mine], [p["cases"][0]["estimate"] for p in mine]
        text = {
            "split": "splitting (exact)",
            "empirical": "sample means",
            "laplace": "Laplace, best noise",
            "gaussian": "normal, best noise",
        }
        ax.plot(m, needed, linestyle="-", lw=0.8, marker=marker, ms=5, color=color, label=f"needed: {text[mechanism]}")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("number of queries $m$, the last one included")
    ax.set_ylabel("sample size $n$")
    ax.set_title(
        f"All errors below {tau:g} with probability {1 - beta:g}: certified n (dashed) and needed n (solid)\nstars: a guarantee "
        "starts to ask for less than splitting. Needed: at most 5 % of 1,000 runs fail\nagainst the linear analyst, n on a 6 % grid",
        fontsize=9,
    )
    fig.legend(loc="outside lower left", ncols=1)
    return fig


_TRACED = {
    ("empirical", 0.0): ("sample means", "o"),
    ("gaussian", 0.1): ("normal noise, sd .1", "D"),
    ("round", 0.25): ("rounded to quarters", "^"),
    ("round", 0.5): ("rounded to halves", "s"),
}


def tracing(summaries: Summaries) -> Any:
    """Share of the sample that the tracer accuses, and the gap of its last query, against m / n^2."""
    sweep = explored_of(summaries, "adaptive.lower_n2", "~sweep")
    checks = {name: check_of(summaries, "adaptive.lower_n2", name) for name in ("recall", "gap")}
    if not sweep or None in checks.values():
        return None
    fig, axes = plt.subplots(1, 2, figsize=(9.4, 5.2), sharex=True)
    for ax, (name, check) in zip(axes, checks.items(), strict=True):
        for i, ((mechanism, level), (label, marker)) in enumerate(_TRACED.items()):
            mine = [p for p in sweep if (p["cell"]["mechanism"], p["cell"]["level"]) == (mechanism, level)]
            shift = 1.03 ** (i - 1.5)
            x = np.array([p["cell"]["m"] / p["cell"]["n"] ** 2 for p in mine]) * shift
            mean, sd = _array(mine, name)
            n = mine[0]["cell"]["n"]
            ax.errorbar(x, mean, sd, fmt=f"-{marker}", ms=4.5, capsize=2, lw=1.0, color=f"C{i}", label=f"{label}, n = {n}")
            rows = [r for r in check["rows"] if (r["cell"]["mechanism"], r["cell"]["level"]) == (mechanism, level)]
            larger = [r for r in rows if r["cell"]["n"] > n]
            if larger:
                at = [1.12 * shift * r["cell"]["m"] / r["cell"]["n"] ** 2 for r in larger]
                values = [r["estimate"] for r in larger]
                text = f"judged at n = {larger[0]['cell']['n']}, m = .8 n² (moved to the right)" if i == 0 else None
                ax.plot(at, values, marker=marker, ms=8, mfc="none", color=f"C{i}", linestyle="none", label=text)
        bound = check["rows"][0]["bound"]
        ax.hlines(bound, 0.72, 1.9, color="k", ls="--", label=f"claimed from m = .8 n² on: at least {bound:g}")
        for falsifier, marker in zip(check["falsifiers"], "x+", strict=True):
            for row in falsifier["rows"]:
                few = falsifier["name"] == "few-queries"
                at = (row["cell"]["m"] / row["cell"]["n"] ** 2) / (16 if few else 1)
                text = "only .05 n² queries, rounded to halves" if few else "answers from the true densities, noise sd .05"
                style = {"marker": marker, "ms": 9, "mew": 2, "color": _plots.FALSIFIER, "linestyle": "none"}
                ax.plot([at], [row["estimate"]], label=f"falsifier: {text}", **style)
        ax.set_xscale("log")
        ax.set_xticks([0.05, 0.1, 0.2, 0.4, 0.8, 1.6], [".05", ".1", ".2", ".4", ".8", "1.6"])
        ax.minorticks_off()
        ax.set_xlabel("$m / n^2$")
        ax.set_ylim(-0.05, 1.05)
    axes[0].axhline(0.05, color="0.6", lw=0.9, ls=":", label="share of outsiders accused, .05")
    axes[0].set_ylabel("share of the sample's points accused")
    axes[1].set_ylabel("gap of the query “is accused”: sample − truth")
    fig.suptitle("Tracing n points through m answers on a universe of 4n", fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    runs = sweep[0]["num_replicates"]
    fig.legend(handles, labels, loc="outside lower left", ncols=2, title=f"markers: mean of {runs} runs, bars: ± 1 sd of a run")
    return fig


def leaderboard(summaries: Summaries) -> Any:
    """Reported loss of the boosted vote against the number of submissions, on three leaderboards."""
    points = explored_of(summaries, "adaptive.ladder", "~boost")
    if not points:
        return None
    n, runs = points[0]["cell"]["n"], points[0]["num_replicates"]
    fig, ax = plt.subplots(figsize=(6.8, 4.9))
    k = np.unique(np.geomspace(80, 13_000, 60).round().astype(int))
    looks = {
        "fixed": ("Ladder, fixed step", "s", "C0"),
        "free": ("parameter-free Ladder", "D", "C2"),
        "board": ("board with five decimals", "x", _plots.FALSIFIER),
    }
    for i, (board, (label, marker, color)) in enumerate(looks.items()):
        mine = [p for p in points if p["cell"]["board"] == board]
        mean, sd = _array(mine, "reported")
        x = [1.03 ** (i - 1) * p["cell"]["k"] for p in mine]
        line = ":" if board == "board" else "-"
        text = ("falsifier: " if board == "board" else "") + f"reported, {label}"
        ax.errorbar(x, mean, sd, fmt=marker, ls=line, ms=6, capsize=2, lw=1.0, color=color, label=text)
    ax.plot(
        k, _ladder.board_loss(n, k), color="0.35", lw=1.2, label="closed form of the board, $\\Phi(-\\sqrt{k/(\\pi n)})$ (derived here)"
    )
    ax.axhline(0.5, color="k", lw=1.4, label="true loss of every submission")
    lowest = [0.5 - _ladder.ladder_bound(n, int(j), 0.05) for j in k]
    ax.plot(k, lowest, "k--", lw=1.1, label="truth − the Ladder's error bound at β = .05 (as recalled)")
    ax.set_xscale("log")
    ax.set_ylim(0.12, 0.56)
    ax.set_xlabel("submissions $k$, the boosted vote included")
    ax.set_ylabel("loss of the boosted vote")
    ax.set_title(f"Boosting coin-flip submissions against {n:,} labels", fontsize=9)
    fig.legend(loc="outside lower left", title=f"markers: mean of {runs} runs, bars: ± 1 sd of a run", title_fontsize=8)
    return fig


FIGURES = {
    "adaptive.errors": errors,
    "adaptive.critical": critical,
    "adaptive.certified": certified,
    "adaptive.tracing": tracing,
    "adaptive.leaderboard": leaderboard,
}
