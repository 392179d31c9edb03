"""Figures of moe: losses against the sample size, the resolution limit, the sample size at which rates bite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures._series import explored_of
from theory import moe as theory

__all__ = ["FIGURES", "Summaries", "cases", "explored", "signed"]

Summaries = Mapping[str, Mapping[str, Any]]
Line = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # sample sizes, means, their bands' lower and upper ends


def explored(summaries: Summaries, claim: str, name: str) -> Sequence[Mapping[str, Any]]:
    """Points of an exploratory experiment, none if it was not drawn."""
    return explored_of(summaries, f"moe.{claim}", name)


def cases(summaries: Summaries, claim: str, name: str) -> list[Mapping[str, Any]]:
    """Evaluated cases of an exploratory experiment."""
    return [case for point in explored(summaries, claim, name) for case in point["cases"]]


def signed(value: float, digits: int = 2) -> str:
    """A number with a minus sign in place of a hyphen."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _explored_line(points: Sequence[Mapping[str, Any]]) -> Line:
    """Means with two standard errors, by n."""
    rows = sorted((p["cell"]["n"], p["estimate"], 2 * p["sd"] / math.sqrt(p["num_replicates"])) for p in points)
    n, mean, error = (np.array(v) for v in zip(*rows, strict=True))
    return n, mean, mean - error, mean + error


def _judged(summaries: Summaries, claim: str, check: str, falsifier: str | None = None) -> Mapping[str, Any] | None:
    """The row of a check of a slope, or of one of its falsifiers, if its points are stored."""
    found = next((c for c in summaries.get(f"moe.{claim}", {}).get("checks", ()) if c["name"] == check), None)
    if found is not None and falsifier is not None:
        found = next((f for f in found["falsifiers"] if f["name"] == falsifier), None)
    return found["rows"][0] if found is not None and found["rows"] and found["rows"][0]["points"] else None


def _judged_line(row: Mapping[str, Any]) -> Line:
    points = sorted(row["points"], key=lambda p: p["n"])
    n, mean, low, high = (np.array([p[k] for p in points]) for k in ("n", "estimate", "low", "high"))
    return n, mean, low, high


def _slope(row: Mapping[str, Any]) -> str:
    return f"slope {signed(row['estimate'])} in [{signed(row['low'])}, {signed(row['high'])}]"


def _draw_line(ax: Any, line: Line, label: str, style: str, color: str) -> None:
    """A loss against n with its band."""
    n, mean, low, high = line
    ax.plot(n, mean, style, color=color, label=label)
    ax.fill_between(n, low, high, color=color, alpha=0.2, lw=0)


def _ticks(axis: Any, values: Sequence[float]) -> None:
    """These ticks and no others, as plain numbers."""
    axis.set_major_locator(FixedLocator(values))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set_minor_locator(NullLocator())


def _legend_below(ax: Any, title: str) -> None:
    """The legend under its panel, where it takes no room from the curves."""
    ax.legend(loc="upper left", bbox_to_anchor=(-0.06, -0.13), title=title, alignment="left", title_fontsize=8, handlelength=1.8)


_STARTS = (("0.3", 0.0), ("0.3 $n^{-1/12}$", 1 / 12), ("0.3 $n^{-1/4}$", 0.25))  # noise of the start, its exponent


def _draw_exact_specified(ax: Any, summaries: Summaries, quotient: Mapping[str, Any], gelu: Mapping[str, Any]) -> None:
    raw = explored(summaries, "artefact", "~raw")
    for (name, alpha), style, color in zip(_STARTS, ("s-", "^--", "v-."), ("C3", "C1", "C4"), strict=True):
        mine = [p for p in raw if abs(p["cell"]["s"] * p["cell"]["n"] ** alpha - 0.3) < 1e-3]  # stored to six digits
        _draw_line(ax, _explored_line(mine), f"linear gate, raw $D_1$, $s$ = {name} ({mine[0]['num_replicates']})", style, color)
    _draw_line(ax, _judged_line(quotient), f"linear gate, quotient $D_1$: {_slope(quotient)} ({quotient['num_replicates']})", "o-", "C0")
    first = min(gelu["cell"]["n"])
    small = [p for p in explored(summaries, "thm3", "~loss") if p["cell"]["n"] < first]
    line = tuple(np.concatenate(v) for v in zip(_explored_line(small), _judged_line(gelu), strict=True))
    counts = f"{gelu['num_replicates']}; {small[0]['num_replicates']} below {first:,}"
    _draw_line(ax, line, f"gelu gate, $D_1$: {_slope(gelu)} ({counts})", "D-", "C2")
    for G, act, half, n in ((theory.TL, "linear", 1, _judged_line(quotient)[0]), (theory.TA, "gelu", 3, line[0])):
        constant, _ = theory.d1_constant(G, theory.quadrature_for(G, -half, half), act)
        n = n[[0, -1]]
        label = "predicted from the Fisher information, derived here" if act == "linear" else None
        ax.plot(n, constant / np.sqrt(n), "k--", lw=1.1, label=label)
        where, offset = (n[0], (-4, -4)) if act == "linear" else (n[1], (0, -14))
        ax.annotate(
            f"{constant:.1f}/$\\sqrt{{n}}$", (where, constant / math.sqrt(where)), offset, textcoords="offset points", ha="right", va="top",
            fontsize=8.5,
        )  # fmt: skip
    ax.set_title("2 experts fitted, as many as the truth")
    ax.set_ylabel("mean of $D_1$: the errors of all parameters, weighted")
    _ticks(ax.xaxis, (300, 1000, 3000, 10_000, 100_000))
    _ticks(ax.yaxis, (0.1, 0.2, 0.5, 1, 2, 5))
    _legend_below(ax, "start: noise $s$, 0.1 if not said, on every parameter (data sets)")


def _draw_over_specified(ax: Any, rows: Sequence[tuple[Mapping[str, Any], str, str, str]]) -> None:
    for row, name, style, color in rows:
        n, mean, *_ = _judged_line(row)
        _draw_line(ax, _judged_line(row), f"{name}: {_slope(row)} ({row['num_replicates']})", style, color)
        if not name.startswith("linear gate, raw"):
            ax.plot(n, np.exp(np.log(mean).mean()) * np.sqrt(np.exp(np.log(n).mean()) / n), "k--", lw=1.1)
    rate = "slope $-1/2$, level arbitrary: no constant is claimed;\nlinear gate: derived here, gelu: recalled"
    ax.plot([], [], "k--", lw=1.1, label=rate)
    ax.set_title("3 experts fitted for 2")
    ax.set_ylabel("geometric mean of $D_2$: as $D_1$, but a split\nexpert's errors squared, in $b$ to the 4th power")
    _ticks(ax.xaxis, (500, 2000, 8000))
    _ticks(ax.yaxis, (0.3, 0.5, 1, 2))
    low, high = rows[0][0]["margin"]
    _legend_below(ax, f"$s$ = 0.1; slope claimed, not of raw, in [{signed(low)}, {signed(high)}] (data sets)")


def _draw_temperature(ax: Any, slopes: Sequence[Mapping[str, Any]]) -> None:
    alpha = np.linspace(-0.02, 0.27, 2)
    ax.plot(alpha, -alpha, "k--", lw=1.1, label="linear gate, predicted: $-\\alpha$, the start's (derived here)")
    ax.axhline(-0.5, color="k", ls=":", lw=1.1, label="gelu gate, predicted: $-1/2$, the data's")
    for truth, name, style, color, shift in (("TL", "linear gate", "o", "C0", -0.004), ("TA", "gelu gate", "D", "C2", 0.004)):
        mine = [p for p in slopes if p["cell"]["truth"] == truth]
        error = [2 * p["sd"] / math.sqrt(p["num_replicates"]) for p in mine]
        at = [p["cell"]["alpha"] + shift for p in mine]
        label = f"{name}: mean ± 2 standard errors, {mine[0]['num_replicates']} starts"
        ax.errorbar(at, [p["estimate"] for p in mine], error, fmt=style, color=color, capsize=3, label=label)
    n = mine[0]["cell"]["n"]
    ax.set_xlabel("exponent $\\alpha$ of the start's noise 0.3 $n^{-\\alpha}$")
    ax.set_ylabel(f"slope of $\\ln|\\hat\\tau-\\tau|$ in $\\ln n$, {n // 10:,} to {n:,} samples")
    ax.set_xticks([0, 1 / 12, 0.25], ["0", "1/12", "1/4"])
    ax.set_ylim(-0.95, 0.25)
    ax.set_title("the fitted temperature $\\hat\\tau$, unscaled")
    _legend_below(ax, "the start is the truth scaled by $e^{sZ}$, $Z$ normal")


def losses(summaries: Summaries) -> Any:
    """Voronoi losses against n: exact- and over-specified; what the start does to the raw temperature."""
    exact = _judged(summaries, "quot", "loss"), _judged(summaries, "thm3", "slope")
    over = (
        (_judged(summaries, "thm4", "linear", "raw"), "linear gate, raw $D_2$", "s-", "C3"),
        (_judged(summaries, "thm4", "linear"), "linear gate, quotient $D_2$", "o-", "C0"),
        (_judged(summaries, "thm4", "gelu"), "gelu gate, $D_2$", "D-", "C2"),
    )
    slopes = explored(summaries, "artefact", "~slopes")
    drawn = explored(summaries, "artefact", "~raw") and explored(summaries, "thm3", "~loss") and slopes
    if not (drawn and all(exact) and all(row for row, *_ in over)):
        return None
    fig, axes = plt.subplots(1, 3, figsize=(13.5, 6))
    for ax in axes[:2]:
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("sample size $n$")
    _draw_exact_specified(axes[0], summaries, *exact)
    _draw_over_specified(axes[1], over)
    _draw_temperature(axes[2], slopes)
    fig.suptitle(
        "Linear gate: scaling $\\beta_0$, $\\beta_1$ and $\\tau$ together leaves the law as it is. To the data's errors, like $n^{-1/2}$, "
        "a raw loss adds where on this ray the fit started; a quotient loss scales the fit to the true $\\tau$.\n"
        "Bands: ± 2 standard errors, pointwise. Slope in [ ]: asymptotic confidence sequence that covers with probability "
        "$1-10^{-6}$.",
        fontsize=10,
    )
    return fig


def resolution(summaries: Summaries) -> Any:
    """eps_n against n for the two- and three-atom sequences, with the densities that cannot be told apart at a million points."""
    found = cases(summaries, "over.lb", "~limits")
    if not found:
        return None
    fig, axes = plt.subplot_mosaic([["limit", "density"], ["limit", "difference"]], figsize=(11, 4.8), width_ratios=(1.35, 1))
    ax = axes["limit"]
    for name, words, power, style in (
        ("two", "$b \\pm \\varepsilon$", 8, "o-"),
        ("three", "$b$, $b \\pm \\sqrt{3}\\varepsilon$", 12, "s-"),
    ):
        mine = sorted((c["n"], c["estimate"]) for c in found if c["sequence"] == name)
        n, eps = (np.array(v) for v in zip(*mine, strict=True))
        asked = (n >= 1e4) & (n <= 1e6)  # the sizes that moe.over.lb/exponent is judged on
        slope = np.polyfit(np.log(n[asked]), np.log(eps[asked]), 1)[0]
        (line,) = ax.plot(n, eps, style, label=f"split into {name}, {words}: slope {signed(slope, 3)} from $10^4$ to $10^6$")
        reference = eps[-1] * (n / n[-1]) ** (-1 / power)
        ax.plot(n, reference, "--", color=line.get_color(), lw=1.0, label=f"$n^{{-1/{power}}}$ through the last point, derived here")
        if name == "two":
            ax.fill_between(n, 0.05, eps, color="0.5", alpha=0.15, lw=0)
            at_million = eps[n == 1e6].item()
    ax.text(1.3e3, 0.09, "two are like one: no test of any kind has\npower $-$ level above 1/2 (derived here)", fontsize=9, va="center")
    ax.plot(1e6, at_million, "o", ms=10, mfc="none", color="k")
    ax.annotate("on the right", (1e6, at_million), (0, -13), textcoords="offset points", ha="center", va="top", fontsize=9)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(0.07, 0.75)
    _ticks(ax.yaxis, (0.1, 0.2, 0.3, 0.5))
    ax.set_xlabel("sample size $n$")
    ax.set_ylabel("$\\varepsilon_n$: sd of the split, total variance kept (unit of $y$)")
    ax.set_title("how far one expert is split when $n\\,$KL = 1/2, computed exactly")
    ax.legend(loc="upper right")
    y = np.linspace(-3.5, 3.5, 300)
    laws = theory.TL, theory.sequence_of(theory.TL, "two", at_million)
    one, two = (np.exp(theory.log_cond(G, np.zeros((len(y), 1)), y)) for G in laws)
    axes["density"].plot(y, one, "k-", label="2 experts")
    axes["density"].plot(y, two, "--", color="C3", label="3: the right one split in two")
    axes["density"].set_ylim(0, 0.5)
    axes["density"].set_ylabel("$p(y\\,|\\,x=0)$")
    axes["density"].set_title(f"at $n = 10^6$: the two are {2 * at_million:.2f} apart, half an expert's sd")
    axes["density"].legend(loc="upper left", ncols=2)
    axes["density"].tick_params(labelbottom=False)
    axes["difference"].plot(y, 1000 * (two - one), color="C3")
    axes["difference"].set_ylabel("difference, $10^{-3}$")
    axes["difference"].set_xlabel("$y$")
    return fig


_ACTS = ("sin", "gelu", "tanh", "softplus", "sigmoid")
_ORDER = ("gelu", "tanh", "softplus", "sigmoid", "sin")  # of the stored histograms
_EDGES = np.linspace(2, 18, 41)  # of log10 n in them; the last bin holds all that is beyond, infinity too
_WIDEST = 0.7  # bar, of the largest share of all: sin's, below where its neighbour begins


def _shares(points: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, str, np.ndarray]]:
    for point in points:
        shares = np.array(point["arrays"]["histogram"]["mean"])
        for name in _ACTS:
            yield point["cell"]["half"], name, shares[_ORDER.index(name)]


def bites(summaries: Summaries) -> Any:
    """Distribution over random truths of the sample size at which the rate bites, per activation and range of X."""
    points = explored(summaries, "bite", "~truths")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(8.4, 5.4))
    largest = max(share.max() for *_, share in _shares(points))
    for half, name, share in _shares(points):
        side, color = (-1, "C0") if half == 1 else (1, "C1")
        at, width = _ACTS.index(name), _WIDEST * share / largest
        label = f"X ~ U(\N{MINUS SIGN}{half:g}, {half:g}), bars to the {'left' if half == 1 else 'right'}" if at == 0 else None
        ax.barh(_EDGES[:-1], side * width, np.diff(_EDGES), at, align="edge", color=color, alpha=0.45, lw=0, label=label)
        beyond = f"{100 * share[-1]:.1f} %"
        ax.text(at + side * 0.06, _EDGES[-1] + 0.15, beyond, ha="right" if half == 1 else "left", va="bottom", fontsize=8, color=color)
        median = np.interp(0.5, np.cumsum(share), _EDGES[1:])
        label = "median" if at == 0 and half == 1 else None
        ax.plot([at + 0.09 * side], [median], "o", ms=5, color=color, mec="k", mew=0.6, ls="none", label=label)
    ax.axhline(6, color="k", ls="--", lw=1.0, label="a million samples")
    ax.axhspan(_EDGES[-2] - 0.3, 19.2, color="0.5", alpha=0.12, lw=0)
    ax.set_ylim(2, 19.2)
    ax.set_yticks([*range(2, 17, 2), 17.9], [*(f"$10^{{{e}}}$" for e in range(2, 17, 2)), "> $10^{17.6}$,\nor never"])
    ax.set_xticks(range(len(_ACTS)), _ACTS)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("activation of the gate; its slopes are drawn from 2 N(0, 1), its bias from N(0, 1)/2, $\\tau$ from {1/4, 1/2, 1}")
    ax.set_ylabel("$n$ for 10 % relative standard error of $\\beta_1$ and $\\tau$")
    ax.set_title(
        "At what sample size is the gate known to 10 %? Predicted from the Fisher information, derived here, for\n"
        f"{points[0]['num_replicates']} random truths of two experts. Bars: share of the truths in 0.4 of a decade, one scale for all"
    )
    fig.legend(loc="outside lower center", ncols=4)
    return fig


FIGURES = {"moe.fig1": losses, "moe.fig4": resolution, "moe.fig5": bites}
