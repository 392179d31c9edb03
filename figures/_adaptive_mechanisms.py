"""Figures of answering mechanisms under attack; merged into figures/adaptive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.legend_handler import HandlerTuple
from matplotlib.ticker import NullLocator

from figures import _plots
from figures._adaptive_axes import bars_of
from figures._axes import Summaries, end_label, lied, plain_log
from figures._series import check_of, explored_of
from theory.adaptive import _attack, _certified, _ladder

__all__ = ["FIGURES"]


def _array(points: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd over runs of an array that a simulator returned."""
    return tuple(np.array([p["arrays"][name][k] for p in points], dtype=float) for k in ("mean", "sd"))


# Mechanism, level -> label, marker; one order and one look in all figures of this module.
_LOOKS = {
    ("empirical", 0.0): ("sample means", "o"),
    ("laplace", 0.05): ("Laplace noise, sd .05", "s"),
    ("gaussian", 0.05): ("normal noise, sd .05", "D"),
    ("round", 0.1): ("rounded to tenths, hence errors .1, .2, … of the last query", "^"),
}


def errors(summaries: Summaries) -> Any:
    """Largest error over all queries against their number, by mechanism, at one sample size."""
    points = explored_of(summaries, "adaptive.laplace", "~errors")
    if not points:
        return None
    n = points[0]["cell"]["n"]
    fig, ax = plt.subplots(figsize=(7.2, 5.4))
    queries = np.unique(np.geomspace(8, 4000, 80).round().astype(int))
    split = queries[queries + 1 <= n]
    exact = [_certified.split_largest_error(n // (m + 1), m + 1) for m in split]
    ax.plot(split, exact, color="0.35", lw=1.4, label="a fresh chunk of ⌊n/(m + 1)⌋ points for each query (exact)")
    law = [_attack.naive_gap_exact(n, int(m)) for m in queries]
    ax.plot(queries, law, "k--", lw=1.1, zorder=4, label="exact error of the last query on sample means (derived here)")
    series = [
        (label, marker, [p for p in points if (p["cell"]["mechanism"], p["cell"]["level"]) == key])
        for key, (label, marker) in _LOOKS.items()
    ]
    guarded = explored_of(summaries, "adaptive.rounds", "~errors")
    series.append(("two rounds: a guard and two chunks, n/3 points each", "v", guarded))
    for (label, marker, mine), shift in zip(series, (1, 0.94, 1.06, 0.97, 1.03), strict=True):
        if mine:
            mean, sd = _array(mine, "largest")
            ax.errorbar([shift * p["cell"]["m"] for p in mine], mean, sd, fmt=f"-{marker}", ms=4.5, capsize=2, lw=1.0, label=label)
    plain_log(ax.xaxis, [10, 100, 1000])
    ax.set_ylim(0, 0.55)
    ax.set_xlabel("number of adaptive queries $m$ before the last one, the linear analyst's aggregate")
    ax.set_ylabel("largest |answer − truth|, all m + 1 queries")
    ax.set_title(
        f"Many queries on n = {n:,} points: noise keeps the largest error small longest,\nfew queries are better answered without it",
        fontsize=9,
    )
    note = f"markers: mean of {points[0]['num_replicates']} runs (moved sideways by up to 6 %); bars: ± 1 sd of a run"
    fig.legend(loc="outside lower left", title=note, title_fontsize=8, alignment="left")
    return fig


def critical(summaries: Summaries) -> Any:
    """Critical number of queries against the sample size: linear on exact answers, quadratic on noisy ones."""
    series = (
        ("adaptive.naive", "slope", "sample means", "o", 1.0),
        ("adaptive.laplace", "slope-gaussian", "normal noise, sd .1", "D", 0.97),
        ("adaptive.laplace", "slope-laplace", "Laplace noise, sd .1", "s", 1.03),
    )
    checks = [(check, *look) for claim, name, *look in series if (check := check_of(summaries, claim, name))]
    checks = [item for item in checks if item[0]["rows"] and item[0]["rows"][0]["points"]]
    if not checks:
        return None
    fig, ax = plt.subplots(figsize=(7.2, 5.6))
    n = np.geomspace(200, 2500, 40)
    fans = set()
    for i, (check, label, marker, shift) in enumerate(checks):
        row = check["rows"][0]
        size, y = (np.array([p[key] for p in row["points"]], dtype=float) for key in ("n", "estimate"))
        window = tuple(row["margin"])
        text = f"{label}: slope {row['estimate']:.2f} in [{row['low']:.2f}, {row['high']:.2f}], {row['num_replicates']} runs"
        ax.errorbar(size * shift, y, bars_of(row["points"]), fmt=marker, color=f"C{i}", ms=7, capsize=3, mfc="none", label=text)
        if window not in fans:  # both kinds of noise have one window
            fans.add(window)
            centre = np.exp(np.log(size).mean()), np.exp(np.log(y).mean())
            low, high = (centre[1] * (n / centre[0]) ** slope for slope in window)
            named = "slopes accepted, by the window declared: " + f"{window[0]:g} to {window[1]:g}"
            ax.fill_between(n, low, high, color="k", alpha=(0.22, 0.1)[len(fans) - 1], lw=0, label=named)
    whole = n.round()
    for s, text in ((0.0, "no noise, s = 0"), (0.1, "noise of sd s = .1")):
        law = _attack.m_crit(whole, s)
        label = "closed form $\\Phi^{-1}(0.6)^2\\,(n - 1 + 4 n^2 s^2)$ (derived here)" if s == 0 else None
        ax.plot(whole, law, "k--", lw=1.1, label=label)
        end_label(ax, whole[-1], law[-1], text, "k")
    plain_log(ax.xaxis, [250, 500, 1000, 2000])
    plain_log(ax.yaxis, [10, 100, 1000, 10_000])
    ax.set_xlabel("sample size $n$")
    ax.set_ylabel("queries after which the last one\nis off by .1 in expectation")
    ax.set_title("How many adaptive queries break n points: their number grows like n\non exact answers, like n² on noisy ones", fontsize=9)
    note = (
        "bars, mostly within the markers: ± 2 standard errors; noisy answers moved sideways by 3 %.\n"
        "Intervals of slopes: confidence sequences (asymptotic), error $10^{-6}$ each. Falsifiers, not\n"
        "drawn: noise where slope 1 is claimed, no noise where slope 2 is claimed"
    )
    fig.legend(loc="outside lower left", title=note, title_fontsize=8, alignment="left")
    return fig


# Guarantee -> its name at the end of its line, colour, dash. Not all promise the same: what is promised of less stands in brackets.
_LINES = {
    "laplace-pure": ("Laplace noise, Corollary 7 (as printed)", "C0", (0, (6, 2))),
    "laplace-sharp": ("Laplace noise, sharp transfer (derived here)", "C1", (0, (4, 1, 1, 1))),
    "split": ("splitting: a fresh chunk for each query", "k", "--"),
    "laplace-advanced": ("Laplace noise, Theorems 4 and 8", "C2", (0, (6, 1, 1, 1, 1, 1))),
    "gaussian-jung": ("normal noise, transfer of Jung et al. (second-hand)", "C4", (0, (3, 1))),
    "thm25": ("Thresholdout, Theorem 25 [until one query overfits]", "0.45", (0, (1, 1))),
    "rounds": ("guard and chunks, derived here [two adaptive rounds]", "C3", (0, (8, 1.5, 2, 1.5))),
}
_NEEDED = {
    "split": ("splitting (exact)", "k", "x"),
    "empirical": ("sample means", "0.2", "o"),
    "laplace": ("Laplace noise, best level", "C0", "s"),
    "gaussian": ("normal noise, best level", "C4", "D"),
}


def certified(summaries: Summaries) -> Any:
    """Sample size that each guarantee asks for, and what the mechanisms need against the linear analyst."""
    points = explored_of(summaries, "adaptive.laplace", "~needed")
    if not points:
        return None
    tau, beta = points[0]["cell"]["tau"], points[0]["cell"]["beta"]
    fig, ax = plt.subplots(figsize=(9.8, 6.0))
    queries = np.unique(np.geomspace(11, 2e6, 22).round().astype(int))
    for name, (label, color, dash) in _LINES.items():
        size = [_certified.certified_size(name, int(m), tau, beta) for m in queries]
        ax.plot(queries, size, color=color, lw=2.2 if name == "split" else 1.4, ls=dash)
        crossover = _certified.certified_crossover(name, tau, beta)
        never = name != "split" and crossover is None
        end_label(ax, queries[-1], size[-1], label + (", never below splitting" if never else ""), "k" if name == "thm25" else color)
        if crossover is not None and queries[0] <= crossover <= queries[-1]:
            at = _certified.certified_size(name, crossover, tau, beta)
            ax.plot([crossover], [at], marker="*", ms=13, color=color, mec="k", mew=0.6, linestyle="none", zorder=5)
            ax.annotate(f"m = {crossover:,}", (crossover, at), (5, -11), textcoords="offset points", fontsize=8, color="k")
    for mechanism, (label, color, marker) in _NEEDED.items():
        mine = [p for p in points if p["cell"]["mechanism"] == mechanism and p["cell"]["beta"] == beta and p["cell"]["tau"] == tau]
        m, needed = [p["cell"]["m"] + 1 for p in mine], [p["cases"][0]["estimate"] for p in mine]
        ax.plot(m, needed, linestyle="-", lw=0.9, marker=marker, ms=5, color=color, label=label)
    plain_log(ax.xaxis, [10, 100, 1000, 10_000, 100_000, 1_000_000])
    ax.set_yscale("log")
    ax.set_yticks([10.0**k for k in range(3, 11)])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(200, None)
    ax.set_xlabel("number of adaptive queries $m$, the last one included")
    ax.set_ylabel("sample size $n$")
    ax.set_title(
        f"Points that keep all m errors below {tau:g} with probability {1 - beta:g}: guaranteed (dashed) and needed (solid).\n"
        "Stars: from so many queries on a guarantee asks for less than splitting",
        fontsize=9,
    )
    most = max(p["cell"]["m"] for p in points) + 1
    note = (
        f"needed against the linear analyst (measured to m = {most:,}): the\n"
        f"least n, in steps of 6 %, at which at most {100 * beta:g} % of 1,000 runs fail"
    )
    ax.legend(loc="lower left", bbox_to_anchor=(1.0, -0.02), title=note, title_fontsize=8, alignment="left")
    return fig


_TRACED = {
    ("empirical", 0.0): ("sample means", "o"),
    ("gaussian", 0.1): ("normal noise, sd .1", "D"),
    ("round", 0.25): ("rounded to quarters", "^"),
    ("round", 0.5): ("rounded to halves", "s"),
}
# Falsifier -> what it says, marker, where it is drawn
_UNTRACED = {
    "few-queries": ("falsifier: only .05 n² queries (moved to the left), rounded to halves", "+", 0.041),
    "knows-the-distribution": ("falsifier: answers from the true densities, not the sample", "x", 0.8),
}


def tracing(summaries: Summaries) -> Any:
    """Share of the sample that the tracer accuses, and the gap of its last query, against m / n^2."""
    sweep = explored_of(summaries, "adaptive.lower_n2", "~sweep")
    checks = {name: check_of(summaries, "adaptive.lower_n2", name) for name in ("recall", "gap")}
    if not sweep or None in checks.values():
        return None
    fig, axes = plt.subplots(1, 2, figsize=(9.4, 5.6), sharex=True, sharey=True)
    small, large = sweep[0]["cell"]["n"], max(r["cell"]["n"] for r in checks["recall"]["rows"])
    for ax, (name, check) in zip(axes, checks.items(), strict=True):
        entries: dict[Any, str] = {}  # the same in both panels
        judged: list[Any] = []
        for i, ((mechanism, level), (label, marker)) in enumerate(_TRACED.items()):
            mine = [p for p in sweep if (p["cell"]["mechanism"], p["cell"]["level"]) == (mechanism, level)]
            x = np.array([p["cell"]["m"] / p["cell"]["n"] ** 2 for p in mine]) * 1.03 ** (i - 1.5)
            mean, sd = _array(mine, name)
            entries[ax.errorbar(x, mean, sd, fmt=f"-{marker}", ms=4.5, capsize=2, lw=1.0, color=f"C{i}")] = f"{label}, n = {small}"
            rows = [r for r in check["rows"] if (r["cell"]["mechanism"], r["cell"]["level"], r["cell"]["n"]) == (mechanism, level, large)]
            at = (0.92, 1.04, 1.17, 1.32)[i]  # of m = .8 n²: there the four would lie on one another
            judged += ax.plot([at] * len(rows), [r["estimate"] for r in rows], marker, ms=8, mfc="none", color=f"C{i}")
        entries[tuple(judged)] = f"the same, n = {large}, m = .8 n² (moved to the right)"
        bound = check["rows"][0]["bound"]
        ax.hlines(bound, 0.72, 1.9, color="k", ls="--", zorder=4)
        ax.text(0.88, bound - 0.03, f"claimed from\nm = .8 n² on:\nat least {bound:g}\n(derived here)", fontsize=8, va="top")
        for falsifier, (text, marker, at) in _UNTRACED.items():
            for r in lied(check, falsifier):
                up = [[0], [r["high"] - r["estimate"]]]
                style = {"ms": 9, "mew": 2, "elinewidth": 0.9, "capsize": 2, "color": _plots.FALSIFIER, "zorder": 5}
                entries[ax.errorbar([at], [r["estimate"]], up, fmt=marker, **style)] = text
        plain_log(ax.xaxis, [0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
        ax.set_xlabel("queries over sample size squared, $m / n^2$")
        ax.set_ylim(-0.05, 1.05)
    axes[0].axhline(0.05, color="0.6", lw=0.9, ls=":")
    axes[0].text(0.05, 0.04, "share of the others accused: .05", fontsize=8, color="0.35", va="top")
    axes[0].set_title("share of the sample's points accused")
    axes[1].set_title("gap of the query “is accused”: sample − truth")
    fig.suptitle(
        "m answers give the sample away: from about .8 n² on a tracer tells most of its n points from a universe of 4n", fontsize=9
    )
    counts = [r["num_replicates"] for check in checks.values() for f in check["falsifiers"] for r in f["rows"]]
    note = f"filled: mean of {sweep[0]['num_replicates']} runs, bars ± 1 sd of a run (moved sideways by up to 5 %)"
    if counts:
        note += (
            f". Falsifiers: n = {small}; bars up to the\nupper end of the judge's interval, which is below the claim: refuted "
            f"(error $10^{{-6}}$ each, {min(counts)} to {max(counts)} runs)"
        )
    style = {"loc": "outside lower left", "ncols": 2, "title_fontsize": 8, "alignment": "left", "handlelength": 3.2}
    fig.legend(entries.keys(), entries.values(), title=note, handler_map={tuple: HandlerTuple(ndivide=None, pad=0.2)}, **style)
    return fig


# Leaderboard -> what it reports, marker, colour, dash
_BOARDS = {
    "free": ("parameter-free Ladder", "D", "C2", "-"),
    "fixed": ("Ladder with the fixed step (ln(kn)/n)$^{1/3}$: it reports whole multiples of it only, here ½ rounded", "s", "C0", "--"),
    "board": ("falsifier: plain board, every loss with five decimals", "x", _plots.FALSIFIER, ":"),
}


def leaderboard(summaries: Summaries) -> Any:
    """Reported loss of the boosted vote against the number of submissions, on three leaderboards."""
    points = explored_of(summaries, "adaptive.ladder", "~boost")
    if not points:
        return None
    n, runs = points[0]["cell"]["n"], points[0]["num_replicates"]
    fig, ax = plt.subplots(figsize=(7.4, 5.4))
    k = np.unique(np.geomspace(80, 13_000, 60).round().astype(int))
    ax.axhline(0.5, color="k", lw=1.4, label="true loss of every submission, the vote's too: ½")
    for board, (label, marker, color, line) in _BOARDS.items():
        mine = [p for p in points if p["cell"]["board"] == board]
        mean, _ = _array(mine, "reported")
        ax.plot([p["cell"]["k"] for p in mine], mean, marker=marker, ls=line, ms=6, lw=1.0, color=color, label=label)
    ax.plot(
        k,
        _ladder.board_loss(n, k),
        color="0.35",
        lw=1.2,
        zorder=1,
        label="law of the plain board: $\\Phi(-\\sqrt{k/(\\pi n)})$ (derived here)",
    )
    lowest = [0.5 - _ladder.ladder_bound(n, int(j), 0.05) for j in k]
    label = "½ − error bound of both Ladders, each report with probability .95 (recalled, not checked against the paper)"
    ax.plot(k, lowest, "k--", lw=1.1, label=label)
    plain_log(ax.xaxis, [100, 300, 1000, 3000, 10_000])
    ax.set_ylim(0.12, 0.54)
    ax.set_xlabel("number of submissions $k$, the boosted vote included")
    ax.set_ylabel("last loss that the leaderboard reports")
    ax.set_title(
        f"k − 1 coin-flip submissions against {n:,} labels, then the majority vote of those favoured:\n"
        "a plain board believes the vote, the Ladders do not",
        fontsize=9,
    )
    spread = max(float(p["arrays"]["reported"]["sd"]) for p in points)
    note = f"markers: mean of {runs} runs; sd of a run at most {spread:.3f}, within the markers"
    fig.legend(loc="outside lower left", title=note, title_fontsize=8, alignment="left")
    return fig


FIGURES = {
    "adaptive.errors": errors,
    "adaptive.critical": critical,
    "adaptive.certified": certified,
    "adaptive.tracing": tracing,
    "adaptive.leaderboard": leaderboard,
}
