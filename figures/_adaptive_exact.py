"""Figures of the claims that exact computation settles: transfer of events, max-information, Thresholdout's privacy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import check_of
from theory import adaptive
from theory.adaptive import _maxinfo, _svt

__all__ = ["FIGURES"]

Summaries = Mapping[str, Mapping[str, Any]]


def _lied(check: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    return next((f["rows"] for f in check["falsifiers"] if f["name"] == name), [])


def transfer(summaries: Summaries) -> Any:
    """How much likelier an event becomes when a private algorithm names it: printed and sharp bounds, what is reached."""
    printed, sharp = (
        check_of(summaries, "adaptive.thm6", "transfer"),
        check_of(summaries, "adaptive.thm6_sharp", "transfer"),
    )
    tails = check_of(summaries, "adaptive.cor7", "tail")
    if printed is None or sharp is None or tails is None:
        return None
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.0, 6.2))
    _transfer_of_events(left, printed, sharp)
    _exponents(right, tails)
    for ax, place in ((left, "outside lower left"), (right, "outside lower right")):
        fig.legend(*ax.get_legend_handles_labels(), loc=place, fontsize=7.5)
    return fig


def _transfer_of_events(ax: Any, printed: Mapping[str, Any], sharp: Mapping[str, Any]) -> None:
    from scipy import stats

    beta = np.geomspace(1e-6, 0.4, 200)
    ax.plot(beta, np.minimum(3 * np.sqrt(beta), 1), "k--", lw=1.2, label="Theorem 6: 3 √β, vacuous where it is 1")
    ax.plot(beta, beta ** (9 / 16), "k-.", lw=1.2, label="sharp (derived here): β^(9/16)")
    for i, n in enumerate((50, 1000)):  # every event "at least k selected" on the edge of the premise
        k = np.arange(n // 2, n + 1)
        attained = stats.binom.sf(k - 1, n, 0.5)
        k, attained = k[(attained > 1e-6) & (attained < 0.4)], attained[(attained > 1e-6) & (attained < 0.4)]
        eps = adaptive.thm6_premise(n, attained)
        ax.plot(
            attained, stats.binom.sf(k - 1, n, adaptive.rr_inclusion(0.5, eps)), color=f"C{i}", lw=1.2, label=f"RR-selection, n = {n:,}"
        )
    ax.plot(beta, beta, color="0.6", lw=1.0, label="β itself: event fixed beforehand")
    edge = [{**row["cell"], **p} for row in sharp["rows"] if row["cell"]["share"] == 1 for p in row["points"]]
    for name, marker, colour, label in (
        ("linear program", "D", "k", "best of all ε-DP algorithms, n = 2, 3, 4 (linear program)"),
        ("geometric", "s", "C3", "geometric noise on a count, n = 2 to 1,000"),
        ("threshold bit", "^", "C4", "threshold bit of a count, n = 2 to 1,000"),
    ):
        mine = [p for p in edge if p["label"] == name]
        ax.plot([p["beta"] for p in mine], [p["estimate"] for p in mine], marker, ms=5, mfc="none", color=colour, label=label)
    for j, factor in enumerate((2, 4)):
        points = [p for row in _lied(printed, f"eps-x{factor}") for p in row["points"]]
        label = f"falsifier: RR-selection at {factor} times the ε declared"
        ax.plot([p["beta"] for p in points], [p["estimate"] for p in points], "x+"[j], ms=8, mew=1.6, color=_plots.FALSIFIER, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("β: largest probability of a fixed event")
    ax.set_ylabel("probability of the event named after seeing S")
    ax.set_title("Events, at the largest ε of Theorem 6:\nε = √(ln(1/β) / 2n). Exact numbers, no sampling")
    ax.set_ylim(8e-7, 2)


def _exponents(ax: Any, tails: Mapping[str, Any]) -> None:
    sizes = np.unique(np.geomspace(100, 2e5, 120).round().astype(int))
    for i, tau in enumerate((0.05, 0.1, 0.2)):
        n = sizes[(tau**2 * sizes > 2) & (tau**2 * sizes < 200)]
        exponent = -np.log(adaptive.rr_tail(n, tau, tau)) / (tau**2 * n)
        ax.plot(n, exponent, color=f"C{i}", lw=1.2, label=f"RR-selection at ε = τ = {tau}")
        rows = [r for r in tails["rows"] if r["cell"]["tau"] == tau and r["cell"]["share"] == 1]
        x = [r["cell"]["n"] for r in rows]
        ax.plot(x, [-np.log(r["estimate"]) / (tau**2 * k) for r, k in zip(rows, x, strict=True)], "os^"[i], color=f"C{i}")
    lied = _lied(tails, "eps-x2")
    x = np.array([r["cell"]["n"] for r in lied], dtype=float)
    y = [-np.log(r["estimate"]) / (r["cell"]["tau"] ** 2 * r["cell"]["n"]) for r in lied]
    ax.plot(x, y, "x", ms=8, mew=1.6, color=_plots.FALSIFIER, label="falsifier: RR-selection at twice the ε declared, τ = .1")
    ends = np.array([100, 2e5])
    for height, style, label in (
        (9 / 8, "k-.", "sharp Corollary 7 (derived here): 9/8"),
        (1, "k--", "Corollary 7: 1, beside a factor 3"),
        (3 / 4, "k:", "Corollary 22: 3/4, from τ²n = 7.80 on"),
    ):
        ax.plot(ends, [height, height], style, lw=1.2, label=label)
    ax.set_xscale("log")
    ax.set_ylim(0.3, 2.6)
    ax.set_xlabel("sample size n")
    ax.set_ylabel("exponent: −ln P[gap ≥ τ] / (τ²n)")
    ax.set_title("Tails of a query selected with privacy ε = τ.\nMarkers: judged cells; teeth: P is a lattice tail")


def maxinfo(summaries: Summaries) -> Any:
    """Exact max-information of RR-selection against both bounds, as functions of eps sqrt(n)."""
    printed, sharp = (
        check_of(summaries, "adaptive.thm20", "information"),
        check_of(summaries, "adaptive.thm20_sharp", "information"),
    )
    if printed is None or sharp is None:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(10.0, 4.8), sharey=True)
    reach = np.geomspace(0.25, 45, 120)
    for ax, beta in zip(axes, (0.05, 1e-4), strict=True):
        ax.plot(reach, _maxinfo.thm20_bound(1, reach, beta), "k--", lw=1.2, label="Theorem 20: ε²n/2 + ε√(n ln(2/β)/2)")
        ax.plot(reach, _maxinfo.thm20_sharp_bound(1, reach, beta), "k-.", lw=1.2, label="sharp (derived here): ε²n/8 + ε√(n ln(1/β)/2)")
        for i, eps in enumerate((0.05, 0.2, 0.5)):
            n = np.unique((reach / eps) ** 2 // 1).astype(int)
            n = n[(n >= 10) & (n <= 20_000)]
            exact = [_maxinfo.rr_max_information(int(k), eps, beta) for k in n]
            ax.plot(eps * np.sqrt(n), exact, color=f"C{i}", lw=1.0, alpha=0.8)
            rows = [r for r in sharp["rows"] if r["cell"]["beta"] == beta and r["cell"]["eps"] == eps]
            x = [eps * r["cell"]["n"] ** 0.5 for r in rows]
            ax.plot(x, [r["estimate"] for r in rows], "os^"[i], color=f"C{i}", label=f"RR-selection, exact, ε = {eps}; n = 50, 500, 5,000")
        for j, (check, name, label) in enumerate(
            (
                (printed, "no-root", "falsifier: ε²n/2 alone"),
                (sharp, "no-square", "falsifier: ε√(n ln(1/β)/2) alone"),
            )
        ):
            rows = [r for r in _lied(check, name) if r["cell"]["beta"] == beta]
            x = [r["cell"]["eps"] * r["cell"]["n"] ** 0.5 for r in rows]
            if rows:
                ax.plot(x, [r["bound"] for r in rows], "x+"[j], ms=8, mew=1.6, color=_plots.FALSIFIER, label=label)
            wrong = reach**2 / 2 if j == 0 else reach * np.sqrt(np.log(1 / beta) / 2)
            ax.plot(reach, wrong, ":", lw=1.0, color=_plots.FALSIFIER, alpha=0.7, label=None if rows else label)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(0.03, 1500)
        ax.set_xlabel("ε√n")
        ax.set_title(f"β = {beta:g}")
        ax.legend(loc="upper left", fontsize=7.5)
    axes[0].set_ylabel("β-approximate max-information of S and A(S) (nats)")
    fig.suptitle("Max-information of an ε-private algorithm on n points. Exact numbers, no sampling; markers: judged cells", fontsize=9)
    return fig


_VARIANTS = (
    ({}, "k", "-", "Thresholdout: threshold Lap(2σ), comparisons Lap(4σ)"),
    ({"query": 1.0}, _plots.FALSIFIER, ":", "falsifier: comparisons Lap(σ)"),
    ({"threshold": 0.5}, _plots.FALSIFIER, (0, (1, 3)), "falsifier: threshold Lap(σ/2)"),
    ({"threshold": 0.0}, _plots.FALSIFIER, (0, (3, 1, 1, 1)), "falsifier: no threshold noise, grows like t"),
)
_SVT_LIES = ("query-noise-sigma", "threshold-noise-half-sigma", "no-threshold-noise")


def svt(summaries: Summaries) -> Any:
    """Exact privacy loss of a transcript of t comparisons against Lemma 23, with noises put wrong."""
    whole, part = check_of(summaries, "adaptive.lem23", "transcript"), check_of(summaries, "adaptive.lem23", "comparisons")
    if whole is None or part is None:
        return None
    cell = part["rows"][0]["cell"]
    n, sigma = cell["n"], cell["sigma"]
    unit = 1 / (sigma * n)
    lengths = np.unique(np.geomspace(1, 1000, 26).round().astype(int))
    fig, ax = plt.subplots(figsize=(7.6, 5.2))
    for noise, colour, style, label in _VARIANTS:
        loss = [_svt.svt_privacy_loss(n, sigma, int(t), **noise) / unit for t in lengths]
        colour = "C0" if colour == "k" else colour
        ax.plot(lengths, loss, linestyle=style, color=colour, lw=1.4, label=label)
    whole_loss = [_svt.svt_privacy_loss(n, sigma, int(t), release=1.0) / unit for t in lengths]
    ax.plot(lengths, whole_loss, color="C1", lw=1.4, label="Thresholdout with its release, Lap(σ)")
    for check, marker, colour in ((part, "o", "C0"), (whole, "s", "C1")):
        ax.plot([r["cell"]["t"] for r in check["rows"]], [r["estimate"] / unit for r in check["rows"]], marker, color=colour)
    for j, name in enumerate(_SVT_LIES):
        rows = list(_lied(part, name))
        ax.plot([r["cell"]["t"] for r in rows], [r["estimate"] / unit for r in rows], "x+1"[j], ms=9, mew=1.6, color=_plots.FALSIFIER)
    ax.axhline(2, color="k", ls="--", lw=1.2, label="Lemma 23, B = 1: 2/(σn)")
    ax.axhline(1, color="k", ls="-.", lw=1.2, label="limit of the comparisons (derived here): (1/2 + 2/4)/(σn)")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(0.15, 400)
    ax.set_xlabel("comparisons t in the transcript, the last one above the threshold")
    ax.set_ylabel("largest privacy loss |ln ratio|, in units of 1/(σn)")
    ax.set_title(f"Exact privacy loss of one release, n = {n}, σ = {sigma:g}.\nQuadrature, no sampling; markers: judged cells")
    ax.legend(loc="upper left", fontsize=7.5)
    return fig


FIGURES = {"adaptive.transfer": transfer, "adaptive.maxinfo": maxinfo, "adaptive.svt": svt}
