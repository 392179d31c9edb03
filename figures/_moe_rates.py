"""Figures of moe: losses against the sample size, the resolution limit, the sample size at which rates bite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from figures._series import explored_of
from theory import moe as theory

__all__ = ["FIGURES", "explored", "sizes_of"]

Summaries = Mapping[str, Mapping[str, Any]]


def explored(summaries: Summaries, claim: str, name: str) -> Sequence[Mapping[str, Any]]:
    """Points of an exploratory experiment, none if it was not drawn."""
    return explored_of(summaries, f"moe.{claim}", name)


def cases(summaries: Summaries, claim: str, name: str) -> list[Mapping[str, Any]]:
    """Evaluated cases of an exploratory experiment."""
    return [case for point in explored(summaries, claim, name) for case in point["cases"]]


def sizes_of(points: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, mean, two standard errors) of drawn points, by n."""
    rows = sorted((p["cell"]["n"], p["estimate"], 2 * p["sd"] / math.sqrt(p["num_replicates"])) for p in points)
    n, mean, error = (np.array(v) for v in zip(*rows, strict=True))
    return n, mean, error


def _rate_points(summaries: Summaries, claim: str, check: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    found = next((c for c in (summaries.get(f"moe.{claim}") or {"checks": ()})["checks"] if c["name"] == check), None)
    if found is None or not found["rows"] or not found["rows"][0]["points"]:
        return None
    points = sorted(found["rows"][0]["points"], key=lambda p: p["n"])
    n, mean, high = (np.array([p[k] for p in points]) for k in ("n", "estimate", "high"))
    return n, mean, high - mean


def _draw_line(ax: Any, line: tuple[np.ndarray, np.ndarray, np.ndarray] | None, label: str, style: str, color: str) -> None:
    """A loss against n with its band and, in the legend, its fitted slope."""
    if line is None:
        return
    n, mean, error = line
    slope = np.polyfit(np.log(n), np.log(mean), 1)[0]
    ax.plot(n, mean, style, color=color, label=f"{label}: slope {slope:.2f}")
    ax.fill_between(n, np.maximum(mean - error, 0.3 * mean), mean + error, color=color, alpha=0.2, lw=0)


def _log_axes(ax: Any, title: str, ylabel: str) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("sample size $n$")
    ax.set_ylabel(ylabel)
    ax.set_title(title)


def _joined(*lines: tuple[np.ndarray, ...] | None) -> tuple[np.ndarray, ...] | None:
    known = {float(n): (n, m, e) for line in lines if line is not None for n, m, e in zip(*line, strict=True)}
    return tuple(np.array(v) for v in zip(*(known[n] for n in sorted(known)), strict=True)) if known else None


def _legend_below(ax: Any) -> None:
    """The legend under its panel, where it takes no room from the curves."""
    ax.legend(loc="upper left", bbox_to_anchor=(-0.05, -0.13))


def _plain_decade(axis: Any) -> None:
    """Ticks at 1, 2, 5 of each decade of a short log axis, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_minor_formatter(NullFormatter())


def _span(counts: set[int]) -> str:
    return f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


_STARTS = (("0.3", 0.0), ("0.3 $n^{-1/12}$", 1 / 12), ("0.3 $n^{-1/4}$", 0.25))  # noise of the start, its exponent


def losses(summaries: Summaries) -> Any:
    """Voronoi losses against n: exact- and over-specified; what the start does to the raw temperature."""
    raw, activation = explored(summaries, "artefact", "~raw"), explored(summaries, "thm3", "~loss")
    over = {name: explored(summaries, "thm4", name) for name in ("~raw", "~linear", "~gelu")}
    slopes = explored(summaries, "artefact", "~slopes")
    if not (raw and activation and all(over.values()) and slopes):
        return None
    fig, axes = plt.subplots(1, 3, figsize=(13.5, 6.6))
    ax = axes[0]
    for (name, alpha), style, color in zip(_STARTS, ("s-", "^-", "v-"), ("C1", "C3", "C4"), strict=True):
        mine = [p for p in raw if abs(p["cell"]["s"] * p["cell"]["n"] ** alpha - 0.3) < 1e-3]  # stored to six digits
        _draw_line(ax, sizes_of(mine), f"linear gate, raw $D_1$, start's noise {name}", style, color)
    _draw_line(ax, _rate_points(summaries, "quot", "loss"), "linear gate, quotient $D_1$", "o-", "C0")
    _draw_line(ax, _joined(sizes_of(activation), _rate_points(summaries, "thm3", "slope")), "gelu gate, $D_1$", "D-", "C2")
    for G, act, half, lo, hi in ((theory.TL, "linear", 1, 1e3, 1e4), (theory.TA, "gelu", 3, 3e2, 1e5)):
        constant, _ = theory.d1_constant(G, theory.quadrature_for(G, -half, half), act)
        n = np.array([lo, hi])
        ax.plot(n, constant / np.sqrt(n), "k--", lw=1.1, label="predicted constant / $\\sqrt{n}$" if act == "linear" else None)
    _log_axes(ax, "as many experts as the truth: two", "loss $D_1$, band: mean ± 2 standard errors")
    _legend_below(ax)
    ax = axes[1]
    _draw_line(ax, sizes_of(over["~raw"]), "linear gate, raw $D_2$", "s-", "C1")
    _draw_line(ax, sizes_of(over["~linear"]), "linear gate, quotient $D_2$", "o-", "C0")
    _draw_line(ax, sizes_of(over["~gelu"]), "gelu gate, $D_2$", "D-", "C2")
    _log_axes(ax, "one expert more than the truth: three for two", "loss $D_2$, band: mean ± 2 standard errors")
    ax.set_xticks([500, 2000, 8000], ["500", "2,000", "8,000"])
    ax.xaxis.set_minor_formatter(NullFormatter())
    _legend_below(ax)
    ax = axes[2]
    alpha = np.linspace(-0.02, 0.27, 2)
    ax.plot(alpha, -alpha, "k--", lw=1.1, label="linear gate, predicted: $-\\alpha$, the start's")
    ax.axhline(-0.5, color="k", ls=":", lw=1.1, label="gelu gate, predicted: $-1/2$, the data's")
    for truth, name, style, color in (("TL", "linear gate", "o", "C0"), ("TA", "gelu gate", "D", "C2")):
        mine = [p for p in slopes if p["cell"]["truth"] == truth]
        error = [2 * p["sd"] / math.sqrt(p["num_replicates"]) for p in mine]
        at = [p["cell"]["alpha"] for p in mine]
        count = mine[0]["num_replicates"]
        label = f"{name}, measured, {count} starts ± 2 s.e."
        ax.errorbar(at, [p["estimate"] for p in mine], error, fmt=style, color=color, capsize=3, label=label)
    ax.set_xlabel("exponent $\\alpha$ of the start's noise $n^{-\\alpha}$")
    ax.set_ylabel("mean slope of $\\ln|\\hat\\tau-\\tau|$ in $\\ln n$")
    ax.set_ylim(-0.95, 0.25)
    ax.set_title("the raw temperature: whose rate is it?")
    _legend_below(ax)
    for ax in axes[:2]:
        _plain_decade(ax.yaxis)
    counts = [{p["num_replicates"] for p in group} for group in ([*raw, *activation], [p for group in over.values() for p in group])]
    fig.suptitle(
        "Maximum likelihood for mixtures of experts from starts near the truth: the temperature starts at $\\tau\\, e^{s Z}$, Z "
        "standard normal, "
        f"s = 0.3 $n^{{-\\alpha}}$. Data sets a point: {_span(counts[0])} on the left (more where a claim is judged), "
        f"{_span(counts[1])} in the "
        "middle.\n$D_1$: difference of the gate's weights, and the weighted errors of all parameters, each fitted expert against the "
        "nearest "
        "true one. $D_2$: the same, but where several experts fit one,\nerrors count to the powers 2 ($\\beta_1$, $\\tau$, $a$, "
        "$\\nu$) and 4 "
        "($b$). Under a linear gate scaling $\\beta$ with $\\tau$ changes nothing in the law: raw losses take the fit as it is, "
        "quotient losses "
        "scale it to the true $\\tau$ first.",
        fontsize=8.5,
    )
    return fig


def resolution(summaries: Summaries) -> Any:
    """eps_n against n for the two- and three-atom sequences, with the densities that cannot be told apart at a million points."""
    found = cases(summaries, "over.lb", "~limits")
    if not found:
        return None
    fig, ax = plt.subplots(figsize=(6.8, 4.6))
    for name, words, power, style in (("two", "two experts", 8, "o-"), ("three", "three experts", 12, "s-")):
        mine = sorted((c["n"], c["estimate"]) for c in found if c["sequence"] == name)
        n, eps = (np.array(v) for v in zip(*mine, strict=True))
        (line,) = ax.plot(n, eps, style, label=f"{words}: $\\varepsilon_n$ with $n\\,$KL = 1/2, exact")
        reference = eps[-1] * (n / n[-1]) ** (-1 / power)
        ax.plot(n, reference, "--", color=line.get_color(), lw=1.0, label=f"$n^{{-1/{power}}}$ through its last point")
    _log_axes(ax, "how far apart must two experts be to be seen?", "half distance $\\varepsilon_n$ of the experts (unit of $y$)")
    ax.set_ylim(0.03, 0.75)
    ax.set_yticks([0.03, 0.05, 0.1, 0.2, 0.3, 0.5], ["0.03", "0.05", "0.1", "0.2", "0.3", "0.5"])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    eps = next(c["estimate"] for c in found if c["sequence"] == "two" and c["n"] == 1e6)
    inset = ax.inset_axes((0.08, 0.1, 0.4, 0.36))
    y = np.linspace(-3.5, 3.5, 300)
    for G, style, label in ((theory.TL, "k-", "one expert"), (theory.sequence_of(theory.TL, "two", eps), "C1--", "two")):
        inset.plot(y, np.exp(theory.log_cond(G, np.zeros((len(y), 1)), y)), style, label=label)
    inset.set_title(f"$p(y\\,|\\,x=0)$ at $n = 10^6$, experts {2 * eps:.2f} apart", fontsize=7)
    inset.tick_params(labelsize=6)
    inset.legend(fontsize=6, loc="upper left")
    return fig


_ACTS = ("sin", "gelu", "tanh", "softplus", "sigmoid")
_ORDER = ("gelu", "tanh", "softplus", "sigmoid", "sin")  # of the stored histograms
_FIRST, _LAST, _BINS = 2.0, 18.0, 40


def _violins(points: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, str, np.ndarray]]:
    for point in points:
        shares = np.array(point["arrays"]["histogram"]["mean"])
        for name in _ACTS:
            yield point["cell"]["half"], name, shares[_ORDER.index(name)]


def bites(summaries: Summaries) -> Any:
    """Distribution over random truths of the sample size at which the rate bites, per activation and range of X."""
    points = explored(summaries, "bite", "~truths")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(7.6, 4.4))
    edges = np.linspace(_FIRST, _LAST, _BINS + 1)
    centres = 0.5 * (edges[1:] + edges[:-1])
    for half, name, share in _violins(points):
        side = -1 if half == 1 else 1
        at, color = _ACTS.index(name), "C0" if half == 1 else "C1"
        width = 0.42 * share / share.max()
        label = f"X ~ U(-{half:g}, {half:g}), {points[0]['num_replicates']} truths; dot: median" if at == 0 else None
        ax.fill_betweenx(10.0**centres, at, at + side * width, step="mid", color=color, alpha=0.45, lw=0, label=label)
        median = np.interp(0.5, np.cumsum(share), edges[1:])
        ax.plot([at + 0.09 * side], [10.0**median], "o", ms=5, color=color, mec="k", mew=0.6)
    ax.axhline(1e6, color="k", ls="--", lw=1.0, label="a million samples")
    ax.set_yscale("log")
    ax.set_ylim(1e2, 1e16)
    ax.set_xticks(range(len(_ACTS)), _ACTS)
    ax.set_xlabel("activation of the gate")
    ax.set_ylabel("$n$ for 10 % relative error of the worst of $\\beta_1$, $\\tau$")
    ax.set_title("when do polynomial rates bite? Random truths of two experts")
    ax.legend(loc="upper left")
    return fig


FIGURES = {"moe.fig1": losses, "moe.fig4": resolution, "moe.fig5": bites}
