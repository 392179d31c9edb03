"""Figures of molrg: rates, ranks, frequencies, numbers of optima, the passage to generalisation, digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import explored_of
from theory import molrg

__all__ = ["FIGURES"]


def _check(summaries: Mapping[str, Mapping[str, Any]], claim: str, name: str) -> Mapping[str, Any]:
    found = (c for c in summaries.get(claim, {}).get("checks", ()) if c["name"] == name)
    return next(found, {"rows": (), "falsifiers": ()})


def rate(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F5: bounds and truth against N at fixed noise, and the error against the ambient dimension."""
    points = sorted(explored_of(summaries, "molrg.thm2i.rate", "~looseness"), key=lambda p: p["cell"]["N"])
    if not points:
        return None
    cell = points[0]["cell"]
    n, d, sigma = cell["n"], cell["d"], cell["sigma"]
    N = np.array([p["cell"]["N"] for p in points])
    fig, axes = plt.subplots(1, 2, figsize=(11.0, 4.6))
    ax = axes[0]
    err, sd = (np.array([p[key] for p in points]) for key in ("estimate", "sd"))
    ax.errorbar(N, err, sd, fmt="o", capsize=3, color="C0", label=f"err of PCA, mean of {points[0]['num_replicates']}, bars: sd of one")
    fine = np.unique(np.geomspace(d + 2, N[-1], 80).round().astype(int))
    law = [np.sqrt(molrg.inverse_wishart_error(n, d, int(m), sigma)) for m in fine]
    ax.plot(fine, law, "-", color="C0", lw=1, label="$\\sigma\\sqrt{2(n-d)d/(N-d-1)}$")
    for name, marker, color, label in (
        ("det", "s", "C1", "2||E||/smin, deterministic"), ("rank", "D", "C3", "$2\\sqrt{2}$||E$_{(d)}$||/smin")
    ):  # fmt: skip
        ax.plot(N, [p["arrays"][name]["mean"] for p in points], "--", marker=marker, color=color, lw=1.1, label=label)
    theorem = [molrg.thm2i_bound(sigma * np.sqrt(n * int(m)), int(m), d) for m in fine]
    ax.plot(fine, theorem, "k--", lw=1.1, label="Theorem 2 (i), $c_1$ = 6.27")
    cap = molrg.error_cap(n, d)
    ax.axhspan(cap, 60, color="0.5", alpha=0.15, lw=0, label="vacuous: above the largest err")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_ylim(0.03, 60)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel("subspace error err")
    ax.set_title(f"$n$ = {n}, $d$ = {d}, noise {sigma:g} a coordinate: the bound is flat")
    ax.legend(loc="upper right", fontsize=7.5)

    ax = axes[1]
    check = _check(summaries, "molrg.thm2i.rate", "ambient")
    rows = sorted(check["rows"], key=lambda r: r["cell"]["n"])
    if rows:
        x = [r["cell"]["n"] for r in rows]
        y = np.array([r["estimate"] for r in rows])
        error = [y - [r["low"] for r in rows], [r["high"] for r in rows] - y]
        ax.errorbar(x, y, error, fmt="o", capsize=3, label="measured, bars: t-mixture at level 1e-6")
        k, m, s = (rows[0]["cell"][f] for f in ("d", "N", "sigma"))
        ambient = np.unique(np.geomspace(20, 2000, 60).round().astype(int))
        ax.plot(ambient, [molrg.spiked_sine(int(a), k, m, s) for a in ambient], "k--", label="spiked covariance, $\\gamma=(n-d)/N$")
        wrong = molrg.spiked_sine(100, k, m, s)
        ax.axhline(wrong, color=_plots.FALSIFIER, ls=":", label="falsifier: no ambient dimension (value of $n$ = 100)")
        ax.set_title(f"$d$ = {k}, $N$ = {m}, noise {s:g}: the ambient dimension returns")
    ax.set_xscale("log")
    ax.set_ylim(0, 1)
    ax.set_xlabel("ambient dimension $n$")
    ax.set_ylabel("err$^2/(2d)$")
    ax.legend(loc="upper left")
    return fig


def rank(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F3: numerical rank of the denoiser's Jacobian against the noise."""
    curves = [(explored_of(summaries, "molrg.fig3", name), label) for name, label in (("~curve", "rooted"), ("~un-rooted", "un-rooted"))]
    if not curves[0][0]:
        return None
    fig, ax = plt.subplots(figsize=(6.8, 4.4))
    for (points, label), marker in zip(curves, "os", strict=True):
        points = sorted(points, key=lambda p: p["cell"]["sigma"])
        sigma, mean, sd = ([p["cell"]["sigma"] if k is None else p["arrays"]["rank"][k] for p in points] for k in (None, "mean", "sd"))
        text = (
            "$\\sqrt{\\sum_{i\\leq r} s_i^2} > .99\\,\\sqrt{\\sum s_i^2}$"
            if label == "rooted"
            else "$\\sum_{i\\leq r} s_i^2 > .99 \\sum s_i^2$"
        )
        ax.errorbar(
            sigma, mean, sd, fmt=f"{marker}-", capsize=3, lw=1.2, label=f"{text}, mean and sd of {points[0]['num_replicates']} points"
        )
    cell = curves[0][0][0]["cell"]
    ax.axhline(cell["d"], color="k", ls="--", lw=1.1, label=f"$d$ = {cell['d']}, one subspace")
    ax.axhline(cell["K"] * cell["d"], color="k", ls="-.", lw=1.1, label=f"$Kd$ = {cell['K'] * cell['d']}, all of them")
    ax.set_xscale("log")
    ax.set_ylim(0, 18.5)
    ax.set_xlabel("noise $\\sigma$")
    ax.set_ylabel("numerical rank of the denoiser's Jacobian")
    ax.set_title("the model's rank only rises with the noise")
    ax.legend(loc="upper left")
    return fig


def _draw_frequencies(ax: Any, summaries: Mapping[str, Mapping[str, Any]]) -> None:
    """F7: shares of generated points by component, with and without the determinant factor."""
    check = _check(summaries, "molrg.sampler", "frequencies")
    if not check["rows"]:
        return
    cell = check["rows"][0]["cell"]
    dims, weights = cell["dims"].split("+"), [float(w) for w in cell["weights"].split("+")]
    for k, pi in enumerate(weights):
        ax.hlines(pi, k - 0.35, k + 0.35, color="k", ls="--", lw=1.3, label="weights $\\pi_k$" if k == 0 else None)
    for rows, style in (
        (check["rows"], {"fmt": "o", "color": "C0", "label": "with the determinant factor"}),
        *((f["rows"], {"fmt": "x", "color": _plots.FALSIFIER, "label": f"falsifier: {f['breaks']}"}) for f in check["falsifiers"]),
    ):
        x, y = [r["cell"]["k"] for r in rows], np.array([r["estimate"] for r in rows])
        x = np.array(x) + (0.12 if style["fmt"] == "x" else 0)  # beside, not on the bars
        ax.errorbar(x, y, [y - [r["low"] for r in rows], [r["high"] for r in rows] - y], capsize=4, ms=7, **style)
    judged = [{r["cell"]["k"] for r in f["rows"]} for f in check["falsifiers"]]
    for k in range(len(dims)):
        if any(k not in places for places in judged):
            ax.text(k, 0.55, "falsifier not\njudged here", ha="center", fontsize=7.5, color=_plots.FALSIFIER)
    ax.set_xticks(range(len(dims)), [f"$d_{k + 1}$ = {d}" for k, d in enumerate(dims)])
    ax.set_xlim(-0.6, len(dims) - 0.4)
    ax.set_ylim(0, 1.1)
    ax.set_ylabel("share of generated points")
    level = check["rows"][0]["level"]
    ax.set_title(f"sampling with {cell['steps']} Heun steps;\nbars: confidence sequences at level {level:.0e} a cell")
    ax.legend(loc="upper left", fontsize=7.5)


def optima(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F6, F7: number of optima of subspace clustering against N_k; frequencies of the sampler."""
    check = _check(summaries, "molrg.thm4.unique", "count")
    if not check["rows"]:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(11.0, 4.4))
    ax = axes[0]
    d = np.arange(1, 9)
    for m, color in ((2, "C0"), (3, "C2"), (4, "C4")):
        ax.plot(d, [molrg.num_optimal_partitions(int(k), [int(k)] * m) for k in d], "--", color=color, label=f"{m} clusters with $N_k = d$")
    ax.plot(d, np.ones(len(d)), "k--", lw=1.1, label="at most one cluster with $N_k = d$: unique")
    seen = {(r["cell"]["d"], p["estimate"]) for r in check["rows"] for p in r["points"]}
    ax.plot([a for a, _ in seen], [b for _, b in seen], "o", ms=7, mfc="none", color="k", label="counted by enumeration")
    ax.set_yscale("log")
    ax.set_ylim(0.6, 1e20)
    ax.set_xlabel("dimension $d$")
    ax.set_ylabel("partitions of equal, largest SC energy")
    ax.set_title("$N_k = d$ does not determine the subspaces")
    ax.legend(loc="upper left")
    _draw_frequencies(axes[1], summaries)
    return fig


def transition(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F4: generalization score and excess error of a trained MLP against N_k/d and against N_k."""
    points = explored_of(summaries, "molrg.fig5a", "~runs")
    if not points:
        return None
    fig, axes = plt.subplots(1, 3, figsize=(13.0, 4.2))
    for d, marker, color in ((2, "o", "C0"), (4, "s", "C2")):
        mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["N_k"])
        N = np.array([p["cell"]["N_k"] for p in mine])
        score, off = ([p["arrays"][k]["mean"] for p in mine] for k in ("score", "off"))
        axes[0].plot(N / d, score, marker=marker, color=color, label=f"novel, $d$ = {d}")
        axes[0].plot(N / d, off, ":", marker=marker, mfc="w", color=color, label=f"off-union residual, $d$ = {d}")
        for ax, x in ((axes[1], N / d), (axes[2], N)):
            ax.plot(x, [p["estimate"] for p in mine], marker=marker, color=color, label=f"$d$ = {d}")
    axes[0].axhline(0.95, color="k", ls="--", lw=1, label="perfect model: .95")
    axes[0].axvspan(50, 60, color="0.5", alpha=0.2, lw=0, label="paper's U-Net (50 to 60)")
    axes[0].set_ylim(-0.03, 1.45)
    axes[0].set_ylabel("share of novel samples; residual")
    axes[0].legend(loc="upper left", fontsize=7.5, ncols=2)
    for ax, label in zip(axes, ("$N_k/d$", "$N_k/d$", "$N_k$"), strict=True):
        ax.set_xscale("log", base=2)
        ax.set_xlabel(f"samples of a subspace {'over its dimension ' if 'd' in label else ''}{label}")
    for ax in axes[1:]:
        ax.set_yscale("log")
        ax.axhline(1, color="k", ls="--", lw=1, label="posterior mean")
        ax.set_ylabel("test error over that of the posterior mean, $\\sigma$ = .1")
        ax.legend()
    cell, runs = points[0]["cell"], points[0]["num_replicates"]
    fig.suptitle(
        f"MLP of width {cell['width']}, {cell['steps']:,} steps, n = {cell['n']}, K = {cell['K']}, {runs} run a point: no verdict. "
        "Novelty alone also rewards what lies off the union of subspaces",
        fontsize=9,
    )
    return fig


def digits(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F9: residual of low-rank fits of digits against N, and subspace clustering of classes against d."""
    residual, classes = (
        explored_of(summaries, "molrg.digits", "~residual"),
        explored_of(summaries, "molrg.digits", "~classes"),
    )
    if not any(p["cases"] for p in residual):
        return None
    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.2))
    for point, marker in zip(residual, "os", strict=False):
        cases = {c["N"]: c["estimate"] for c in point["cases"] if "N" in c}
        rank = next(int(c["estimate"]) for c in point["cases"] if c["label"] == "rank")
        label = f"digit {point['cell']['digit']} (rank {rank} at 99 % of the energy)"
        axes[0].plot(list(cases), list(cases.values()), marker=marker, label=label)
    axes[0].axvline(residual[0]["cell"]["d"], color="k", ls="--", lw=1, label=f"$N = d$ = {residual[0]['cell']['d']}")
    axes[0].set_xscale("log", base=2)
    axes[0].set_yscale("log")
    axes[0].set_xlabel("images $N$ of the class")
    axes[0].set_ylabel("held-out relative residual $||(I-P)Y||^2/||Y||^2$")
    axes[0].set_title("no jump at $N = d$; mean of 20 splits")
    axes[0].legend()
    for names, marker, color in (("0+1", "o", "C0"), ("3+8", "s", "C2")):
        mine = sorted((p for p in classes if p["cell"]["digits"] == names and p["cases"]), key=lambda p: p["cell"]["d"])
        scores = [{c["label"]: c["estimate"] for c in p["cases"]} for p in mine]
        d = [p["cell"]["d"] for p in mine]
        title = "{" + names.replace("+", ", ") + "}"
        axes[1].plot(d, [s["K-subspaces"] for s in scores], marker=marker, color=color, label=f"K-subspaces, {title}")
        axes[1].plot(d, [s["k-means"] for s in scores], ":", color=color, label=f"k-means, {title}")
    axes[1].set_ylim(-0.03, 1.35)
    axes[1].set_xlabel("dimension $d$ of the subspaces")
    axes[1].set_ylabel("normalised mutual information with the classes")
    axes[1].set_title("spectral and 5 random starts, best energy")
    axes[1].legend(ncols=2, loc="upper left")
    fig.suptitle("Optical handwritten digits (UCI, the 1,797 images of 8 x 8 pixels that come with scikit-learn)", fontsize=9)
    return fig


FIGURES = {
    "molrg.rate": rate,
    "molrg.rank": rank,
    "molrg.optima": optima,
    "molrg.transition": transition,
    "molrg.digits": digits,
}
