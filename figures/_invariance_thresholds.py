"""Figures of invariance: the worst representation (F2), dimension (F3), the exact threshold (F4), kappa (F5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import explored_of
from theory.invariance import ambient_vc, blumer_rho, scenario_mean

__all__ = ["FIGURES"]

_N_LIN, _N2, _D = 3, 5, 6  # of the graph of F2: one site of in-degree 1, six covariates


def _array(points: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and twice the standard error of an array over replicates."""
    mean = np.array([p["arrays"][name]["mean"] for p in points], dtype=float)
    sd = np.array([p["arrays"][name]["sd"] for p in points], dtype=float)
    return mean, 2 * sd / np.sqrt([p["num_replicates"] for p in points])


def worst(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F2: failure of the worst representation that was found against n, beside what is proved."""
    points = sorted(explored_of(summaries, "invariance.thm.pac", "~worst"), key=lambda p: p["cell"]["n"])
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(8.4, 6.0))
    n = np.array([p["cell"]["n"] for p in points], dtype=float)
    failure, error = _array(points, "failure")
    draws = points[0]["num_replicates"]
    label = f"$\\varepsilon$-adversary, $\\varepsilon$ = .1 (a lower bound), {draws} draws ± 2 s.e."
    ax.errorbar(n, failure, error, fmt="o-", capsize=3, label=label)
    below = n < _N_LIN
    ax.plot(n[below], np.ones(below.sum()), "s", color="C2", ms=7, label="null representation, n < R = 3, fails everywhere")
    fine = np.unique(np.geomspace(2, 20_000, 120).round())
    ax.plot(fine, 1 / (fine + 1), color="C1", lw=1.2, label="ONE fixed representation: $1/(n+1)$, exact")
    head = [scenario_mean(round(x), 1) for x in fine]
    ax.plot(fine, head, color="C4", ls="-.", lw=1.2, label="minimax head on one covariate: $2/(n+1)$")
    for v, style, name in (
        (_N2, "--", f"$N_2$ = {_N2}"),
        (_N_LIN * (_N_LIN + 1) / 2, ":", f"$N_{{lin}}(N_{{lin}}+1)/2$ = {_N_LIN * (_N_LIN + 1) // 2}"),
        (ambient_vc(_D, 1), "-.", f"ambient {ambient_vc(_D, 1):.0f}"),
    ):
        bound = np.array([blumer_rho(round(x), v, 0.2) for x in fine])
        ax.plot(fine[bound < 4], bound[bound < 4], "k", ls=style, lw=1.1, label=f"thm.pac, $\\delta$ = .2, capacity {name}")
    uncounted = np.log(5) / fine
    ax.plot(fine[uncounted < 1], uncounted[uncounted < 1], ":", color=_plots.FALSIFIER, label="falsifier: no capacity, $\\ln(1/\\delta)/n$")
    ax.axhspan(1, 4, color="0.5", alpha=0.15, lw=0, label="vacuous")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(2e-3, 4)
    ax.set_xlim(1.8, 2e4)
    ax.set_xlabel("n, training interventions")
    ax.set_ylabel("failure rate on unseen interventions")
    ax.set_title("One site of in-degree 1, $N_{lin}$ = 3, six covariates, additive soft interventions")
    fig.legend(loc="outside lower center", ncols=2)
    return fig


def dimension(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F3: failure against the number of covariates, with fixed sites and with all nodes as sites."""
    arms = {"~fixed": ("-", "sites fixed: one of in-degree 2"), "~all": ("--", "falsifier: every node with a parent is a site")}
    if not explored_of(summaries, "invariance.thm.dimfree", "~fixed"):
        return None
    fig, ax = plt.subplots(figsize=(6.8, 4.8))
    for name, (line, label) in arms.items():
        points = explored_of(summaries, "invariance.thm.dimfree", name)
        for i, n in enumerate(sorted({p["cell"]["n"] for p in points})):
            seen: dict[int, list[tuple[float, float]]] = {}
            for p in (p for p in points if p["cell"]["n"] == n):
                for d, array in ((p["cell"]["small"], "few"), (p["cell"]["d"], "large")):
                    mean, error = _array([p], array)
                    seen.setdefault(d, []).append((mean[0], error[0]))
            d = sorted(seen)
            mean, error = (np.array([np.mean([pair[j] for pair in seen[k]]) for k in d]) for j in (0, 1))
            color = _plots.FALSIFIER if name == "~all" else f"C{i}"
            marker = "os"[i % 2]
            ax.errorbar(d, mean, error, ls=line, marker=marker, color=color, capsize=3, label=f"{label}; n = {n}")
    ax.axhline(0, color="0.4", lw=0.8)
    ax.set_ylim(-0.03, 1.05)
    ax.set_xlabel("d, covariates (nested graphs)")
    ax.set_ylabel("failure rate of the adversary, unseen")
    draws = {p["num_replicates"] for p in explored_of(summaries, "invariance.thm.dimfree", "~fixed")}
    ax.set_title(f"What covariates cost: $\\varepsilon$ = .1, means of {min(draws)} draws (fixed) ± 2 standard errors")
    fig.legend(loc="outside lower center", ncols=1)
    return fig


def phase(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F4: does an exactly invariant representation exist that fails? Over n and d."""
    points = explored_of(summaries, "invariance.thm.exact", "~phase")
    if not points:
        return None
    ns, ds = (sorted({p["cell"][k] for p in points}) for k in ("n", "d"))
    fig, axes = plt.subplots(1, 2, figsize=(10.0, 3.9), sharey=True)
    titles = {"null": "$\\beta = 0$, $V \\perp$ training $r_e$", "exact": "a genuine predictor, $|s| \\geq .05$"}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        table = np.full((len(ds), len(ns)), np.nan)
        for p in points:
            table[ds.index(p["cell"]["d"]), ns.index(p["cell"]["n"])] = p["arrays"][name]["mean"]
        image = ax.imshow(table, origin="lower", aspect="auto", vmin=0, vmax=1, cmap="viridis")
        for i, j in np.ndindex(table.shape):
            if np.isfinite(table[i, j]):
                ax.text(j, i, f"{table[i, j]:.2f}", ha="center", va="center", fontsize=7, color="w" if table[i, j] < 0.6 else "k")
        for value, line, label in ((5, "--", "n = R = 5"), (10, ":", "n = $N_{eff}$ = $N_{lin}$ = 10")):
            place = np.interp(value, ns, range(len(ns))) - 0.5
            ax.axvline(place, color=_plots.FALSIFIER if line == ":" else "w", ls=line, lw=1.8, label=label)
        ax.set_xticks(range(len(ns)), [str(v) for v in ns])
        ax.set_yticks(range(len(ds)), [str(v) for v in ds])
        ax.grid(False)
        ax.set_title(title)
        ax.set_xlabel("n, training interventions")
    axes[0].set_ylabel("d, covariates")
    fig.colorbar(image, ax=axes, label="failure rate, unseen, $\\varepsilon$ = 1e-3")
    legend = axes[0].legend(loc="upper right", frameon=True, framealpha=0.85, fontsize=7.5)
    legend.get_frame().set_facecolor("0.35")
    for text in legend.get_texts():
        text.set_color("w")
    draws = points[0]["num_replicates"]
    what = f"Exactly invariant on training: mean failure of the worst one found, {draws} draws a cell; two sites of in-degree 2"
    fig.suptitle(what, fontsize=9)
    return fig


def kappa(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F5: how much training covers, without a probability."""
    points = sorted(explored_of(summaries, "invariance.L8", "~kappa"), key=lambda p: p["cell"]["n"])
    if not points:
        return None
    n_lin = 12
    x = np.array([p["cell"]["n"] / n_lin for p in points])

    def of(label: str) -> np.ndarray:
        return np.array([next(c["estimate"] for c in p["cases"] if c["label"] == label) for p in points], dtype=float)

    fig, ax = plt.subplots(figsize=(6.4, 4.4))
    ax.plot(x, of("median"), "o-", label="median")
    ax.plot(x, of("q90"), "s-", label="90 % of unseen interventions (order statistic)")
    ax.axhline(1, color="k", ls="--", lw=1.0, label="$\\kappa$ = 1: inside the symmetric hull of training")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(x, [f"{v:.2g}" for v in x])
    ax.set_yticks([1, 2, 5, 10, 20, 50, 100, 200], ["1", "2", "5", "10", "20", "50", "100", "200"])
    ax.set_ylim(0.8, 1.3 * of("q90").max())
    ax.minorticks_off()
    ax.set_xlabel("$n/N_{lin}$ (B7, sites {2, 3, 5}, $N_{lin}$ = 12)")
    ax.set_ylabel("$\\kappa(e)$")
    share, unseen = 100 * of("share above 1"), points[0]["cell"]["num_unseen"]
    ax.set_title(
        f"One draw of training for each n, {unseen} unseen interventions;\n"
        f"$\\kappa > 1$ for at least {share.min():.0f} % of them: every training point is extreme",
        fontsize=9,
    )
    ax.legend(loc="upper right")
    return fig


FIGURES = {"invariance.worst": worst, "invariance.dimension": dimension, "invariance.phase": phase, "invariance.kappa": kappa}
