"""Figures of invariance: the worst representation (F2), dimension (F3), the exact threshold (F4), kappa (F5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import check_of, explored_of
from theory.invariance import ambient_vc, blumer_rho, scenario_mean

__all__ = ["FIGURES"]

_R, _N2, _D = 3, 5, 6  # of the graph of F2: one site of in-degree 1, six covariates


def _array(points: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and twice the standard error of an array over replicates."""
    mean = np.array([p["arrays"][name]["mean"] for p in points], dtype=float)
    sd = np.array([p["arrays"][name]["sd"] for p in points], dtype=float)
    return mean, 2 * sd / np.sqrt([p["num_replicates"] for p in points])


def _draw_lies(ax: Any, summaries: Mapping[str, Mapping[str, Any]], delta: float) -> None:
    """The falsifiers of thm.pac that live on this graph: a bound 80 times as small, and interventions of another law."""
    check = check_of(summaries, "invariance.thm.pac", "tail")
    for falsifier in check["falsifiers"] if check else ():
        for row in falsifier["rows"]:
            n, share = (
                row["cell"]["n"],
                f"{100 * row['estimate']:.0f} % of {row['num_replicates']:,} draws, {100 * delta:.0f} % are allowed",
            )
            if falsifier["name"] == "an-eightieth":
                label = f"falsifier, {falsifier['verdict'].lower()}: $\\rho/80$ is claimed, exceeded in {share}"
                ax.plot(n, blumer_rho(n, _N2, delta) / 80, "x", ms=8, mew=2, color=_plots.FALSIFIER, label=label)
            if falsifier["name"] == "out-of-law":
                label = f"falsifier, {falsifier['verdict'].lower()}: new interventions four times as large, above $\\rho$ in {share}"
                ax.plot(n, row["arrays"]["failure"]["mean"], "+", ms=10, mew=2, color=_plots.FALSIFIER, label=label)


def worst(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F2: failure of the worst representation that was found against n, beside what is proved."""
    points = sorted(explored_of(summaries, "invariance.thm.pac", "~worst"), key=lambda p: p["cell"]["n"])
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(8.8, 7.2))
    n, delta = np.array([p["cell"]["n"] for p in points], dtype=float), points[0]["cell"]["delta"]
    failure, error = _array(points, "failure")
    label = f"worst found among all that pass within $\\varepsilon$ = 0.1 (a lower bound): mean of {points[0]['num_replicates']} draws"
    ax.errorbar(n, failure, error, fmt="o-", capsize=3, label=f"{label}, bars ± 2 standard errors")
    fine = np.unique(np.geomspace(2, 20_000, 120).round())
    for v, dash, name in (
        (_N2, "--", f"v = {_N2}, whatever the number of covariates"),
        (ambient_vc(_D, 1), "-.", f"v = {ambient_vc(_D, 1):.0f}, counted from the {_D} covariates"),
    ):
        bound = np.array([blumer_rho(round(x), v, delta) for x in fine])
        ax.plot(
            fine, bound, "k", ls=dash, lw=1.2, label=f"bound $\\rho$ (derived here, met with probability {1 - delta:g}): capacity {name}"
        )
    head = [scenario_mean(round(x), 1) for x in fine]
    ax.plot(
        fine, head, color="C4", ls=(0, (6, 1, 1, 1)), lw=1.2, label="$2/(n+1)$, mean of the minimax head on one covariate (derived here)"
    )
    ax.plot(fine, 1 / (fine + 1), color="C1", lw=1.2, label="$1/(n+1)$, mean of ONE representation fixed in advance (derived here)")
    below = n < _R
    null = f"n < R = {_R}: a null representation fails on all as $\\varepsilon\\to 0$ (derived here)"
    ax.plot(n[below], np.ones(below.sum()), "s", color="C2", ms=7, label=null)
    _draw_lies(ax, summaries, delta)
    ax.axhspan(1, 4, color="0.5", alpha=0.15, lw=0)
    ax.text(1.7e4, 2, "a rate above 1: the bound says nothing", ha="right", va="center", fontsize=8.5)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(2e-3, 4)
    ax.set_xlim(1.8, 2e4)
    ax.set_xticks([2, 10, 100, 1000, 10_000], ["2", "10", "100", "1,000", "10,000"])
    ax.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    ax.set_xlabel("training interventions n")
    ax.set_ylabel("failure rate on new interventions")
    least, most = (n * failure).min(), (n * failure).max()
    ax.set_title(
        f"The worst representation found fails on {least:.1f}/n to {most:.1f}/n of new interventions, far below the bound\n"
        f"(one site of in-degree 1, {_D} covariates, additive soft interventions)"
    )
    fig.legend(loc="outside lower center", ncols=1)
    return fig


def dimension(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F3: failure against the number of covariates, with fixed sites and with all nodes as sites."""
    if not explored_of(summaries, "invariance.thm.dimfree", "~fixed"):
        return None
    fig, ax = plt.subplots(figsize=(7.4, 5.6))
    marks, places = {8: "o", 20: "s"}, set()
    for name, label in (("~fixed", "one fixed site of in-degree 2"), ("~all", "falsifier: every node with a parent is a site")):
        for p in explored_of(summaries, "invariance.thm.dimfree", name):
            cell, (few, few_error), (large, large_error) = p["cell"], _array([p], "few"), _array([p], "large")
            d, first = np.array([cell["small"], cell["d"]]), cell["small"] == 6
            places.update(d.tolist())
            color = _plots.FALSIFIER if name == "~all" else "C0" if cell["n"] == 8 else "C1"
            shift = 0 if name == "~fixed" else 0.25 if cell["n"] == 20 else -0.25  # beside one another at d = 24
            ax.errorbar(
                d + shift, [*few, *large], [*few_error, *large_error], color=color, capsize=3, marker=marks.get(cell["n"], "D"),
                ls=":" if name == "~all" else "-" if first else "--", mfc=color if first else "w",
                label=f"{label}; n = {cell['n']} training interventions, {p['num_replicates']} draws" if first else None,
            )  # fmt: skip
    ax.set_ylim(0, 1.02)
    ax.set_xticks(sorted(places))
    ax.set_xlabel("covariates d (filled: a graph of 6 inside one of 24; open: of 12 inside 36)")
    ax.set_ylabel("failure rate on new interventions\nof the worst representation found, $\\varepsilon$ = 0.1")
    check = check_of(summaries, "invariance.thm.dimfree", "growth")
    said = ""
    for row in check["rows"] if check else ():
        cell = row["cell"]
        seen = f"rise {row['estimate']:.3f} in [${row['low']:.4f}$, {row['high']:.4f}] at level $10^{{-6}}$"
        said = f"\nJudged at n = {cell['n']}, d = {cell['small']} to {cell['d']}: {seen}, declared at most {row['bound']:g}"
    ax.set_title(f"Covariates cost nothing, sites do: means over draws, bars ± 2 standard errors{said}", fontsize=9)
    fig.legend(loc="outside lower center", ncols=1)
    return fig


_PHASES = {
    "null": "null: $\\beta$ = 0 on a direction without covariance\nwith the target in any training intervention",
    "exact": "a genuine predictor: $\\beta = su$ on one direction $u$,\n$\\|u\\|$ = 1, $|s| \\geq 0.05$",
}
_EXACT_R, _EXACT_N = 5, 10  # R and N_eff of two sites of in-degree 2


def phase(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F4: does an exactly invariant representation exist that fails? Over n and d."""
    points = explored_of(summaries, "invariance.thm.exact", "~phase")
    if not points:
        return None
    ds = sorted({p["cell"]["d"] for p in points})
    most = max(p["cell"]["n"] for p in points)
    fig, axes = plt.subplots(1, 2, figsize=(10.8, 4.6), sharey=True)
    for ax, (name, title) in zip(axes, _PHASES.items(), strict=True):
        table = np.full((len(ds), most), np.nan)
        for p in points:
            table[ds.index(p["cell"]["d"]), p["cell"]["n"] - 1] = p["arrays"][name]["mean"]
        image = ax.pcolormesh(np.arange(1, most + 1), range(len(ds)), table, shading="nearest", vmin=0, vmax=1, cmap="Blues")
        for i, j in np.argwhere((table > 0.005) & (table < 0.995)):
            ax.text(j + 1, i, f"{table[i, j]:.2f}", ha="center", va="center", fontsize=8, color="w" if table[i, j] > 0.6 else "k")
        for j in np.flatnonzero(np.isnan(table).all(axis=0)):
            ax.axvspan(j + 0.5, j + 1.5, fc="w", ec="0.8", hatch="///", lw=0)
            ax.text(j + 1, 1.5, "not run", rotation=90, ha="center", va="center", fontsize=8, bbox={"fc": "w", "ec": "none", "pad": 1})
        for n, dash, text in ((_EXACT_R, "--", f"from R = {_EXACT_R} on"), (_EXACT_N, ":", f"from $N_{{eff}}$ = {_EXACT_N} on")):
            ax.axvline(n - 0.5, color="k", ls=dash, lw=1.5)
            ax.annotate(text, (n - 0.5, 1), (3, 3), xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=8.5)
        ax.set_xticks(range(1, most + 1))
        ax.set_yticks(range(len(ds)), [str(d) for d in ds])
        ax.grid(False)
        ax.set_title(title, fontsize=9.5, pad=18)
        ax.set_xlabel("training interventions n")
    axes[0].set_ylabel("covariates d")
    fig.colorbar(image, ax=axes, label="failure rate on new interventions\n(gap above $10^{-3}$)")
    fig.suptitle(
        f"The worst representation found that is exactly invariant on training: mean of {points[0]['num_replicates']} draws, two sites of "
        "in-degree 2 (number: neither 0 nor 1)\n"
        "Derived here: below R, the dimension of covariances with the target, the left one exists; from $N_{eff}$ on, that of all "
        "moments, none fails",
        fontsize=9.5,
    )
    return fig


_N_LIN = 12  # of the sites {2, 3, 5} of the authors' graph


def kappa(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F5: how much training covers, without a probability."""
    points = sorted(explored_of(summaries, "invariance.L8", "~kappa"), key=lambda p: p["cell"]["n"])
    if not points:
        return None
    n = [p["cell"]["n"] for p in points]

    def of(label: str) -> np.ndarray:
        return np.array([next(c["estimate"] for c in p["cases"] if c["label"] == label) for p in points], dtype=float)

    unseen = points[0]["cell"]["num_unseen"]
    fig, ax = plt.subplots(figsize=(7.0, 5.2))
    ax.plot(n, of("q90"), "s--", color="C1", label=f"90 % quantile over {unseen} new interventions")
    ax.plot(n, of("median"), "o-", color="C0", label="median")
    ax.axhline(1, color="k", ls="--", lw=1.0, label="$\\kappa$ = 1: inside the symmetric hull of training, no gap grows")
    ax.axvline(_N_LIN, color="k", ls=":", lw=1.2, label=f"$N_{{lin}}$ = {_N_LIN}: with fewer, $\\kappa$ is infinite (derived here)")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(n, [str(v) for v in n])
    ax.set_yticks([1, 2, 5, 10, 20, 50, 100, 200], ["1", "2", "5", "10", "20", "50", "100", "200"])
    ax.set_ylim(0.8, 1.3 * of("q90").max())
    ax.minorticks_off()
    ax.set_xlabel("training interventions n (authors' graph, sites {2, 3, 5})")
    ax.set_ylabel("$\\kappa(e)$: gap of a new intervention\nat most $\\kappa$ times the largest in training (L8)")
    outside = "none" if np.all(of("share above 1") == 1) else f"at most {100 * (1 - of('share above 1').min()):.0f} %"
    ax.set_title(
        f"One draw of training for each n, no spread:\n{outside} of {unseen} new interventions lies in the hull of training", fontsize=9.5
    )
    ax.legend(loc="upper right")
    return fig


FIGURES = {"invariance.worst": worst, "invariance.dimension": dimension, "invariance.phase": phase, "invariance.kappa": kappa}
