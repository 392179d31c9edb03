"""Figures of the claims that exact computation settles: transfer of events, max-information, Thresholdout's privacy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullLocator

from figures import _plots
from figures._adaptive_axes import listed
from figures._axes import Summaries, lied, plain_log
from figures._series import check_of
from theory import adaptive
from theory.adaptive import _maxinfo, _svt

__all__ = ["FIGURES"]


def transfer(summaries: Summaries) -> Any:
    """How much likelier an event becomes when a private algorithm names it: printed and sharp bounds, what is reached."""
    printed, sharp = (
        check_of(summaries, "adaptive.thm6", "transfer"),
        check_of(summaries, "adaptive.thm6_sharp", "transfer"),
    )
    tails = check_of(summaries, "adaptive.cor7", "tail")
    if printed is None or sharp is None or tails is None:
        return None
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 6.8))
    _transfer_of_events(left, printed, sharp)
    _exponents(right, tails)
    for ax, place in ((left, "outside lower left"), (right, "outside lower right")):
        fig.legend(*ax.get_legend_handles_labels(), loc=place, fontsize=7.5)
    fig.suptitle("What an ε-private algorithm can make of n points; all numbers exact, nothing is sampled", fontsize=9)
    return fig


def _transfer_of_events(ax: Any, printed: Mapping[str, Any], sharp: Mapping[str, Any]) -> None:
    from scipy import stats

    beta = np.geomspace(1e-6, 1, 200)
    ax.plot(beta, np.minimum(3 * np.sqrt(beta), 1), "k--", lw=1.2, label="Theorem 6: at most 3√β")
    ax.axvspan(1 / 9, 1, color="0.5", alpha=0.13, lw=0, label="Theorem 6 says nothing: 3√β ≥ 1")
    ax.plot(beta, beta ** (9 / 16), "k-.", lw=1.2, label="sharp (derived here): at most $β^{9/16}$")
    ax.plot(beta, beta, color="0.6", lw=1.0, label="β itself: an event fixed beforehand")
    for i, (n, line) in enumerate(((1000, "-"), (50, (0, (3, 1))))):  # every event "at least k selected" on the edge of the premise
        k = np.arange(n // 2, n + 1)
        attained = stats.binom.sf(k - 1, n, 0.5)
        k, attained = k[(attained > 1e-6) & (attained < 0.4)], attained[(attained > 1e-6) & (attained < 0.4)]
        eps = adaptive.thm6_premise(n, attained)
        reached = stats.binom.sf(k - 1, n, adaptive.rr_inclusion(0.5, eps))
        ax.plot(attained, reached, color=f"C{i}", ls=line, lw=1.4, label=f"randomised response selects points, n = {n:,}")
    edge = [{**row["cell"], **p} for row in sharp["rows"] if row["cell"]["share"] == 1 for p in row["points"]]
    for name, marker, colour, label in (
        ("linear program", "D", "k", "best of all ε-private algorithms (linear program)"),
        ("geometric", "s", "C3", "geometric noise on a count"),
        ("threshold bit", "^", "C4", "threshold bit of a count"),
    ):
        mine = [p for p in edge if p["label"] == name]
        if mine:
            text = f"{label}, n = {listed(p['n'] for p in mine)}"
            ax.plot([p["beta"] for p in mine], [p["estimate"] for p in mine], marker, ms=5, mfc="none", color=colour, label=text)
    for factor, marker in ((2, "x"), (4, "+")):
        points = [p for row in lied(printed, f"eps-x{factor}") for p in row["points"]]
        text = f"falsifier: randomised response at {factor} times the ε declared"
        ax.plot([p["beta"] for p in points], [p["estimate"] for p in points], marker, ms=8, mew=1.6, color=_plots.FALSIFIER, label=text)
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    ax.set_xlim(7e-7, 1)
    ax.set_ylim(8e-7, 2)
    ax.set_xlabel("β: largest probability of an event fixed beforehand")
    ax.set_ylabel("probability of the event named after seeing the sample")
    ax.set_title("Events, at the largest ε of Theorem 6:\n$ε = \\sqrt{\\ln(1/β)/(2n)}$")


def _exponents(ax: Any, tails: Mapping[str, Any]) -> None:
    """Against tau^2 n all bounds are one curve each: P <= c e^{-a tau^2 n} has exponent a - ln(c)/(tau^2 n)."""
    x = np.geomspace(2, 250, 200)
    start = _maxinfo.cor22_constant()
    for bound, style, label in (
        (np.full_like(x, 9 / 8), "k-.", "sharp (derived here): $P \\leq e^{-9τ²n/8}$"),
        (1 - np.log(3) / x, "k--", "Corollary 7: $P \\leq 3e^{-τ²n}$"),
        (np.where(x >= start, 3 / 4, np.nan), "k:", f"Corollary 22: $P \\leq e^{{-3τ²n/4}}$, from τ²n = {start:.2f} on"),
    ):
        ax.plot(x, bound, style, lw=1.3, zorder=4, label=label)
    for i, tau in enumerate((0.05, 0.1, 0.2, 0.4)):
        n = np.unique((x / tau**2).round().astype(int))
        exponent = -np.log(adaptive.rr_tail(n, tau, tau)) / (tau**2 * n)
        ax.plot(tau**2 * n, exponent, color=f"C{i}", lw=0.8, alpha=0.7)
        rows = [r for r in tails["rows"] if r["cell"]["tau"] == tau and r["cell"]["share"] == 1]
        at, y = _exponent_of(rows)
        text = f"randomised response, ε = τ = {tau:g}; n = {listed(r['cell']['n'] for r in rows)}"
        ax.plot(at, y, "os^D"[i], color=f"C{i}", label=text)
    at, y = _exponent_of(lied(tails, "eps-x2"))
    ax.plot(at, y, "x", ms=8, mew=1.6, color=_plots.FALSIFIER, label="falsifier: twice the ε declared, τ = .1")
    wrong = lied(tails, "exponent-1.25")
    at, y = _exponent_of(wrong, "bound")
    ax.plot(x, 1.25 - np.log(3) / x, color=_plots.FALSIFIER, ls=":", lw=1.0)
    ax.plot(
        at,
        y,
        "+",
        ms=9,
        mew=1.6,
        ls=":",
        color=_plots.FALSIFIER,
        label="falsifier: $P \\leq 3e^{-1.25τ²n}$ is claimed, judged at the cross",
    )
    for u, v, r in zip(at, y, wrong, strict=True):  # the markers hide the difference
        text = f"wrong bound {v:.3f},\nexact {_exponent_of([r])[1][0]:.3f}"
        arrow = {"arrowstyle": "-", "color": _plots.FALSIFIER, "lw": 0.8}
        ax.annotate(text, (u, v), (u, v + 0.55), fontsize=8, color=_plots.FALSIFIER, arrowprops=arrow)
    plain_log(ax.xaxis, [2, 5, 10, 20, 50, 100, 200])
    ax.set_ylim(0.3, 2.6)
    ax.set_xlabel("sample size in units of $1/τ²$: $τ²n$")
    ax.set_ylabel("exponent: $−\\ln P[\\mathrm{gap} \\geq τ]\\,/\\,(τ²n)$")
    ax.set_title("Tails of a query selected with ε = τ: bounds on P are floors\n(teeth: counts are whole)")


def _exponent_of(rows: Any, key: str = "estimate") -> tuple[list[float], list[float]]:
    at = [r["cell"]["tau"] ** 2 * r["cell"]["n"] for r in rows]
    return at, [float(-np.log(r[key])) / x for r, x in zip(rows, at, strict=True)]


def maxinfo(summaries: Summaries) -> Any:
    """Exact max-information of RR-selection as a share of Theorem 20's bound, beside the sharp one, over eps sqrt(n)."""
    printed, sharp = (
        check_of(summaries, "adaptive.thm20", "information"),
        check_of(summaries, "adaptive.thm20_sharp", "information"),
    )
    if printed is None or sharp is None:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(10.0, 5.4), sharey=True)
    reach = np.geomspace(0.25, 45, 120)
    for ax, beta in zip(axes, (0.05, 1e-4), strict=True):
        whole = _maxinfo.thm20_bound(1, reach, beta)
        ax.axhline(1, color="k", ls="--", lw=1.2, label="Theorem 20: $ε²n/2 + ε\\sqrt{n\\ln(2/β)/2}$")
        better = _maxinfo.thm20_sharp_bound(1, reach, beta) / whole
        ax.plot(reach, better, "k-.", lw=1.2, label="sharp (derived here): $ε²n/8 + ε\\sqrt{n\\ln(1/β)/2}$")
        for i, eps in enumerate((0.05, 0.2, 0.5)):
            n = np.unique((reach / eps) ** 2 // 1).astype(int)
            n = n[(n >= 10) & (n <= 20_000)]
            exact = np.array([_maxinfo.rr_max_information(int(k), eps, beta) for k in n])
            at = eps * np.sqrt(n)
            ax.plot(at, exact / _maxinfo.thm20_bound(1, at, beta), color=f"C{i}", lw=1.0, alpha=0.8)
            rows = [r for r in printed["rows"] if r["cell"]["beta"] == beta and r["cell"]["eps"] == eps]
            at = [eps * r["cell"]["n"] ** 0.5 for r in rows]
            text = f"exact, ε = {eps:g}; judged at n = {listed(r['cell']['n'] for r in rows)}"
            ax.plot(at, [r["estimate"] / r["bound"] for r in rows], "os^"[i], color=f"C{i}", label=text)
        for check, name, marker, line, wrong, text in (
            (printed, "no-root", "x", ":", reach**2 / 2, "falsifier: $ε²n/2$ alone"),
            (
                sharp,
                "no-square",
                "+",
                (0, (4, 1.5, 1, 1.5)),
                reach * np.sqrt(np.log(1 / beta) / 2),
                "falsifier: $ε\\sqrt{n\\ln(1/β)/2}$ alone",
            ),
        ):
            ax.plot(reach, wrong / whole, ls=line, lw=1.2, color=_plots.FALSIFIER, label=text)
            rows = [r for r in lied(check, name) if r["cell"]["beta"] == beta]
            at = [r["cell"]["eps"] * r["cell"]["n"] ** 0.5 for r in rows]
            unit = [float(_maxinfo.thm20_bound(1, x, beta)) for x in at]
            y, exact = ([r[key] / u for r, u in zip(rows, unit, strict=True)] for key in ("bound", "estimate"))
            ax.plot(at, y, marker, ms=9, mew=1.8, color=_plots.FALSIFIER, zorder=5)
            ax.vlines(at, y, exact, color=_plots.FALSIFIER, ls=":", lw=1.0)
        plain_log(ax.xaxis, [0.3, 1, 3, 10, 30])
        ax.set_ylim(0, 1.08)
        ax.set_xlabel("$ε\\sqrt{n}$")
        ax.set_title(f"β = {beta:g}" if beta > 1e-3 else "β = $10^{-4}$")
    axes[0].set_ylabel("β-approximate max-information of sample and output,\nas a share of Theorem 20's bound")
    fig.suptitle(
        "Max-information of randomised response that selects among n points. Exact numbers, no sampling (jagged: counts are whole).\n"
        "Crosses: judged there, a wrong bound below the exact value it is linked to",
        fontsize=9,
    )
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower left", ncols=2)
    return fig


# Panel -> check, share of the release's noise (None: no release), title, height and its ticks, colour,
# bound in units of 1/(sigma n) and its name, wrong mechanisms
_PANELS = (
    (
        "comparisons",
        None,
        "comparisons only",
        (0.15, 400, [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]),
        ("C0", "o"),
        (1, "limit (derived here): (1/2 + 2/4)/(σn)"),
        (
            ("query-noise-sigma", {"query": 1.0}, "x", (0, (6, 2)), 2.6, _plots.FALSIFIER, "falsifier: comparisons Lap(σ)"),
            ("threshold-noise-half-sigma", {"threshold": 0.5}, "+", ":", 1.3, _plots.FALSIFIER, "falsifier: threshold Lap(σ/2)"),
            (
                "no-threshold-noise",
                {"threshold": 0.0},
                "1",
                (0, (3, 1, 1, 1)),
                1.3,
                _plots.FALSIFIER,
                "falsifier: no threshold noise, grows like t",
            ),
        ),
    ),
    (
        "transcript",
        1.0,
        "comparisons and the answer released",
        (1, 8, [1, 1.5, 2, 3, 5]),
        ("C1", "s"),
        (2, "Lemma 23, one release (B = 1): 2/(σn)"),
        (
            ("release-half", {"release": 0.5}, "x", (0, (6, 2)), 1.3, _plots.FALSIFIER, "falsifier: release Lap(σ/2)"),
            ("query-noise-sigma", {"query": 1.0}, "+", ":", 1.3, _plots.FALSIFIER, "falsifier: comparisons Lap(σ)"),
        ),
    ),
)


def svt(summaries: Summaries) -> Any:
    """Exact privacy loss of a transcript of t comparisons, without and with its release, against their bounds."""
    checks = {name: check_of(summaries, "adaptive.lem23", name) for name, *_ in _PANELS}
    if None in checks.values():
        return None
    cell = checks["comparisons"]["rows"][0]["cell"]
    n, sigma = cell["n"], cell["sigma"]
    unit = 1 / (sigma * n)
    lengths = np.unique(np.geomspace(1, 1000, 26).round().astype(int))
    fig, axes = plt.subplots(1, 2, figsize=(10.0, 5.6))
    for ax, (name, release, title, (bottom, top, ticks), (colour, marker), (bound, named), wrongs) in zip(axes, _PANELS, strict=True):
        own = {} if release is None else {"release": release}
        entries: dict[Any, str] = {ax.axhline(bound, color="k", ls="--", lw=1.2, zorder=4): named}
        text = "Thresholdout: threshold Lap(2σ), comparisons Lap(4σ)" + (",\nrelease Lap(σ)" if own else "")
        mechanisms = [(checks[name]["rows"], own, marker, "-", 1.6, colour, text)]
        mechanisms += [(lied(checks[name], lie), {**own, **noise}, *look) for lie, noise, *look in wrongs]
        for rows, noise, mark, dash, width, tone, text in mechanisms:
            loss = [_svt.svt_privacy_loss(n, sigma, int(t), **noise) / unit for t in lengths]
            (line,) = ax.plot(lengths, loss, ls=dash, lw=width, color=tone, alpha=0.5 if width > 2 else 1.0)
            at, y = [r["cell"]["t"] for r in rows], [r["estimate"] / unit for r in rows]
            (judged,) = ax.plot(at, y, mark, ms=9 if mark in "x+1" else 5, mew=1.6, color=tone)
            entries[line, judged] = text
        plain_log(ax.xaxis, [1, 10, 100, 1000])
        plain_log(ax.yaxis, ticks)
        ax.set_ylim(bottom, top)
        ax.set_xlabel("comparisons t, the last one above the threshold")
        ax.set_title(title)
        ax.legend(entries.keys(), entries.values(), loc="upper left", fontsize=7.5, handlelength=3.5)
    axes[0].set_ylabel("largest privacy loss |ln ratio|,\nin units of 1/(σn)")
    fig.suptitle(
        f"Privacy loss of one Thresholdout release, n = {n:,}, σ = {sigma:g}: both bounds are reached from about five comparisons on.\n"
        "Quadrature, no sampling; lines: t from 1 to 1,000, markers: judged. No noise on comparisons (falsifier, not drawn): infinite loss",
        fontsize=9,
    )
    return fig


FIGURES = {"adaptive.transfer": transfer, "adaptive.maxinfo": maxinfo, "adaptive.svt": svt}
