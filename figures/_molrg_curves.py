"""Figures of molrg: rates, ranks, frequencies, numbers of optima, the passage to generalisation, digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._series import check_of, explored_of
from theory import molrg

__all__ = ["FIGURES"]


def _draw_looseness(ax: Any, points: list[Mapping[str, Any]]) -> None:
    """The error of PCA against N at fixed noise, its law, and three bounds on it."""
    cell = points[0]["cell"]
    n, d, sigma = cell["n"], cell["d"], cell["sigma"]
    N, many = np.array([p["cell"]["N"] for p in points]), points[0]["num_replicates"]
    fine = np.unique(np.geomspace(d + 2, N[-1], 80).round().astype(int))
    theorem = [molrg.thm2i_bound(sigma * np.sqrt(n * int(m)), int(m), d) for m in fine]
    ax.plot(fine, theorem, "k--", lw=1.2, label=f"bound: Theorem 2 (i) as quoted, $c_1$ = {molrg.C1} derived here")
    for name, marker, color, dash, label in (
        ("det", "s", "C1", "-.", "$2\\|E\\|_F/s_{min}(A)$, samples $UA + E$"),
        ("rank", "D", "C3", ":", "$2\\sqrt{2}\\|E_{(d)}\\|_F/s_{min}(A)$, $E_{(d)}$ the best rank-$d$ part"),
    ):
        mean, sd = (np.array([p["arrays"][name][key] for p in points]) for key in ("mean", "sd"))
        ax.errorbar(N, mean, sd, ls=dash, marker=marker, capsize=2, color=color, lw=1.1, label=f"bound, derived here: {label}")
    err, sd = (np.array([p[key] for p in points]) for key in ("estimate", "sd"))
    ax.errorbar(N, err, sd, fmt="o", capsize=3, color="C0", label=f"measured err of PCA; means of {many} replicates, bars ± their sd")
    law = [np.sqrt(molrg.inverse_wishart_error(n, d, int(m), sigma)) for m in fine]
    ax.plot(
        fine, law, "-", color="0.4", lw=1, zorder=1, label="predicted to leading order: $\\sigma\\sqrt{2(n-d)d/(N-d-1)}$ (derived here)"
    )
    cap = molrg.error_cap(n, d)
    ax.axhspan(cap, 60, color="0.5", alpha=0.15, lw=0)
    ax.text(N[-1], 30, f"above the largest err, {cap:.2f}: a bound says nothing", ha="right", va="center", fontsize=8.5)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(N, [f"{v:,}" for v in N])
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.xaxis.minorticks_off()
    ax.set_ylim(0.03, 60)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel("err = $\\|\\hat{U}\\hat{U}^T - UU^T\\|_F$")
    ax.set_title(
        f"$n$ = {n}, $d$ = {d}, noise $\\sigma$ = {sigma:g} in every coordinate:\nerr falls, the bounds flatten, the quoted one is empty"
    )


def _draw_ambient(ax: Any, check: Mapping[str, Any]) -> None:
    """The error against the ambient dimension at fixed N, its law, and a law without that dimension."""
    rows = sorted(check["rows"], key=lambda r: r["cell"]["n"])
    x, y = [r["cell"]["n"] for r in rows], np.array([r["estimate"] for r in rows])
    d, N, sigma = (rows[0]["cell"][f] for f in ("d", "N", "sigma"))
    error = [y - [r["low"] for r in rows], [r["high"] for r in rows] - y]
    counts = [r["num_replicates"] for r in rows]
    many = f"{min(counts):,} to {max(counts):,} replicates"
    bars = "bars: confidence sequences at level $10^{-6}$, sampled until inside the declared 8 %"
    ax.errorbar(x, y, error, fmt="o", capsize=3, label=f"measured, means of {many};\n{bars}")
    fine = np.unique(np.geomspace(20, 2000, 60).round().astype(int))
    law = "predicted: $\\gamma(\\sigma^4+\\sigma^2)/(1+\\gamma\\sigma^2)$, $\\gamma=(n-d)/N$ (standard: spiked covariance)"
    ax.plot(fine, [molrg.spiked_sine(int(a), d, N, sigma) for a in fine], "k--", label=law)
    for falsifier in check["falsifiers"]:
        wrong = falsifier["rows"][0]["bound"]
        ax.axhline(wrong, color=_plots.FALSIFIER, ls=":", label=f"falsifier, {falsifier['verdict'].lower()}: {falsifier['breaks']}")
        ax.plot([r["cell"]["n"] for r in falsifier["rows"]], [wrong] * len(falsifier["rows"]), "x", ms=7, mew=1.5, color=_plots.FALSIFIER)
    ax.set_xscale("log")
    ax.set_xticks([20, 50, 100, 200, 400, 1000, 2000], ["20", "50", "100", "200", "400", "1,000", "2,000"])
    ax.xaxis.minorticks_off()
    ax.set_ylim(0, 1)
    ax.set_xlabel("ambient dimension $n$")
    ax.set_ylabel("mean err$^2/(2d)$, 1 is the largest")
    ax.set_title(f"$d$ = {d}, $N$ = {N}, noise {sigma:g} in every coordinate:\nerr grows with the ambient dimension")


def rate(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F5: bounds and truth against N at fixed noise, and the error against the ambient dimension."""
    points = sorted(explored_of(summaries, "molrg.thm2i.rate", "~looseness"), key=lambda p: p["cell"]["N"])
    if not points:
        return None
    check = check_of(summaries, "molrg.thm2i.rate", "ambient")
    fig, axes = plt.subplots(1, 2, figsize=(11.6, 6.2))
    _draw_looseness(axes[0], points)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left")
    if check is not None and check["rows"]:
        _draw_ambient(axes[1], check)
        fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower right")
    else:
        axes[1].set_axis_off()
    return fig


_CRITERIA = {
    "~curve": ("o", "-", 0.96, "$(\\Sigma_{i\\leq r}\\, s_i^2)^{1/2} > 0.99\\,(\\Sigma_i\\, s_i^2)^{1/2}$, as in the authors' code"),
    "~un-rooted": ("s", ":", 1.04, "$\\Sigma_{i\\leq r}\\, s_i^2 > 0.99\\,\\Sigma_i\\, s_i^2$"),
}


def rank(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F3: numerical rank of the denoiser's Jacobian against the noise."""
    if not explored_of(summaries, "molrg.fig3", "~curve"):
        return None
    fig, ax = plt.subplots(figsize=(7.4, 5.6))
    for name, (marker, dash, aside, label) in _CRITERIA.items():
        points = sorted(explored_of(summaries, "molrg.fig3", name), key=lambda p: p["cell"]["sigma"])
        sigma = np.array([p["cell"]["sigma"] for p in points])
        mean, sd = (np.array([p["arrays"]["rank"][key] for p in points]) for key in ("mean", "sd"))
        ax.errorbar(aside * sigma, mean, sd, marker=marker, ls=dash, capsize=3, lw=1.2, label=f"least $r$ with {label}")
    cell, many = points[0]["cell"], points[0]["num_replicates"]
    d, K = cell["d"], cell["K"]
    checks = [check_of(summaries, "molrg.fig3", name) for name in ("low-noise", "high-noise")]
    if all(checks):
        low, high = (check["verdict"].lower() for check in checks)
        said = f"$d$ = {d} for $\\sigma \\leq$ 0.1 ({low}), $Kd$ = {K * d} for $\\sigma \\geq$ 5 ({high})"
        ax.plot([7e-3, 0.1], [d, d], "k--", lw=1.4, zorder=3, label=f"predicted (derived here) but for at most 5 % of the points:\n{said}")
        ax.plot([5, 70], [K * d, K * d], "k--", lw=1.4, zorder=3)
    ax.set_xscale("log")
    ax.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    ax.set_xlim(7e-3, 70)
    ax.set_ylim(0, 13.5)
    ax.set_yticks(range(0, 13, 2))
    ax.set_xlabel("noise $\\sigma$ (two criteria side by side)")
    ax.set_ylabel("numerical rank of the Jacobian\nof the optimal denoiser")
    ax.set_title(
        f"The model's rank only rises with the noise: {K} orthogonal subspaces of dimension {d}\n"
        f"means over {many} noisy points, bars ± their sd; singular values $s_1 \\geq s_2 \\geq \\ldots$",
        fontsize=9.5,
    )
    fig.legend(loc="outside lower center")
    return fig


def _draw_frequencies(ax: Any, check: Mapping[str, Any]) -> None:
    """F7: shares of generated points by component, with and without the determinant factor."""
    cell = check["rows"][0]["cell"]
    dims, weights = cell["dims"].split("+"), [float(w) for w in cell["weights"].split("+")]
    for k, pi in enumerate(weights):
        margin = check["rows"][0]["margin"]
        ax.fill_between([k - 0.35, k + 0.35], pi - margin, pi + margin, color="k", alpha=0.1, lw=0)
        label = f"predicted: the weights $\\pi_k$, shaded: declared margin {margin:g}"
        ax.hlines(pi, k - 0.35, k + 0.35, color="k", ls="--", lw=1.3, label=label if k == 0 else None)
    counts = [r["num_replicates"] for r in check["rows"]]
    seen = f"with the determinant factor, {min(counts):,} to {max(counts):,} points; bars: confidence"
    seen += "\nsequences at level $10^{-6}$, sampled until inside"
    for rows, shift, style in (
        (check["rows"], 0.0, {"fmt": "o", "color": "C0", "label": seen}),
        *(
            (
                f["rows"],
                0.12,
                {"fmt": "x", "ls": ":", "color": _plots.FALSIFIER, "label": f"falsifier, {f['verdict'].lower()}: {f['breaks']}"},
            )
            for f in check["falsifiers"]
        ),
    ):
        x, y = np.array([r["cell"]["k"] for r in rows]) + shift, np.array([r["estimate"] for r in rows])
        ax.errorbar(x, y, [y - [r["low"] for r in rows], [r["high"] for r in rows] - y], capsize=4, ms=7, **{**style, "ls": "none"})
    tried = [{r["cell"]["k"] for r in f["rows"]} for f in check["falsifiers"]]
    for k in range(len(dims)):
        if any(k not in places for places in tried):
            ax.text(k + 0.12, 0.42, "falsifier\nnot tried here", ha="center", fontsize=8, color=_plots.FALSIFIER)
    names = [f"$d_{k + 1}$ = {d}, $\\pi_{k + 1}$ = {pi:g}" for k, (d, pi) in enumerate(zip(dims, weights, strict=True))]
    ax.set_xticks(range(len(dims)), names)
    ax.set_xlim(-0.6, len(dims) - 0.4)
    ax.set_ylim(0, 0.85)
    ax.set_xlabel("component: its dimension and weight")
    ax.set_ylabel("share of generated points nearest to it")
    ax.set_title(
        f"A sampler ({cell['steps']} Heun steps on the closed-form denoiser)\nkeeps unequal weights only with the determinant factor"
    )


def _draw_counts(ax: Any, check: Mapping[str, Any]) -> None:
    """F6: the number of optimal partitions if some clusters have exactly d samples."""
    d = np.arange(1, 9)
    for m, color, dash in ((4, "C4", "-."), (3, "C2", "--"), (2, "C0", (0, (5, 1, 1, 1, 1, 1)))):
        counts = [molrg.num_optimal_partitions(int(k), [int(k)] * m) for k in d]
        ax.plot(d, counts, ls=dash, color=color)
        ax.text(5, counts[4] * 4, f"$m$ = {m}", color=color, fontsize=9, ha="right")
    ax.plot(d, np.ones(len(d)), "k--", lw=1.1)
    ax.text(8, 1.7, "$m$ = 0 or 1: unique", fontsize=9, ha="right")
    cases = [(r["cell"]["d"], p["estimate"]) for r in check["rows"] for p in r["points"]]
    kinds = sorted(set(cases))
    label = f"counted by enumeration: {len(check['rows'])} settings with 2 or 3 clusters, with noise or not"
    ax.plot(*zip(*kinds, strict=True), "o", ms=8, mfc="none", mew=1.4, color="k", ls="none", label=label)
    ax.plot([], [], "-.", color="0.4", label="predicted (derived here): $(md)!/((d!)^m m!)$")
    ax.set_yscale("log")
    ax.set_ylim(0.3, 3e16)
    ax.set_yticks([10.0**k for k in range(0, 17, 4)], ["1", *(f"$10^{{{k}}}$" for k in range(4, 17, 4))])
    ax.yaxis.minorticks_off()
    ax.set_xticks(d)
    ax.set_xlabel("dimension $d$ of each subspace")
    ax.set_ylabel("partitions with the largest energy\n$\\Sigma_i\\,$max$_k\\,\\|U_k^T x_i\\|^2$")
    ax.set_title(
        "$m$ clusters of exactly $N_k = d$ samples, the others of more:\nfrom $m$ = 2, $d$ = 2 on they do not determine the subspaces"
    )


def optima(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F6, F7: number of optima of subspace clustering against N_k; frequencies of the sampler."""
    check, frequencies = check_of(summaries, "molrg.thm4.unique", "count"), check_of(summaries, "molrg.sampler", "frequencies")
    if check is None or not check["rows"]:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(11.4, 5.6))
    _draw_counts(axes[0], check)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left")
    if frequencies is not None and frequencies["rows"]:
        _draw_frequencies(axes[1], frequencies)
        fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower right")
    else:
        axes[1].set_axis_off()
    return fig


_NOVEL = "share of generated points farther from\ntraining than 5 % of true samples are"
_OFF = "mean relative residual of generated\npoints off the union of subspaces"
_RATIO = "test error of the denoiser over that\nof the posterior mean, noise 0.1"


def transition(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F4: novelty, validity and excess error of a trained MLP against N_k/d, and the error against N_k."""
    points = explored_of(summaries, "molrg.fig5a", "~runs")
    if not points:
        return None
    fig, axes = plt.subplots(2, 2, figsize=(10.4, 8.0))
    panels = (
        (axes[0, 0], lambda p: p["arrays"]["score"]["mean"], True, _NOVEL, "novel from 4 to 16 samples a dimension on"),
        (axes[0, 1], lambda p: p["arrays"]["off"]["mean"], True, _OFF, "by then 10 to 15 % off the subspaces"),
        (axes[1, 0], lambda p: p["estimate"], True, _RATIO, "the curves of the two $d$ lie closer in $N_k/d$ …"),
        (axes[1, 1], lambda p: p["estimate"], False, _RATIO, "… than in $N_k$"),
    )  # fmt: skip
    for ax, of, relative, label, title in panels:
        for d, marker, dash, color in ((2, "o", "-", "C0"), (4, "s", "--", "C2")):
            mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["N_k"])
            x = np.array([p["cell"]["N_k"] / (d if relative else 1) for p in mine])
            ax.plot(x, [of(p) for p in mine], marker=marker, ls=dash, color=color, label=f"subspaces of dimension $d$ = {d}")
        ax.set_xscale("log", base=2)
        ticks = (1, 4, 16, 64, 256) if relative else (2, 8, 32, 128, 512)
        ax.set_xticks(ticks, [f"{t}" for t in ticks])
        ax.set_xlabel("samples of a subspace over its dimension, $N_k/d$" if relative else "samples of a subspace, $N_k$")
        ax.set_ylabel(label)
        ax.set_title(title)
    axes[0, 0].axhline(0.95, color="k", ls="--", lw=1)
    axes[0, 0].text(1, 0.965, "a perfect model: 0.95", fontsize=8, va="bottom")
    axes[0, 0].axvspan(50, 60, color="0.5", alpha=0.3, lw=0)
    axes[0, 0].text(66, 0.1, "a U-Net's passage\nin the paper,\nas reviews report\n(50 to 60)", fontsize=8)
    axes[0, 0].set_ylim(-0.02, 1.06)
    axes[0, 1].axhline(0, color="k", ls="--", lw=1)
    axes[0, 1].text(256, 0.004, "a valid model: 0", fontsize=8, ha="right")
    axes[0, 1].set_ylim(-0.01, 0.2)
    axes[0, 1].set_yticks([0, 0.05, 0.1, 0.15, 0.2])
    for ax in axes[1]:
        ax.axhline(1, color="k", ls="--", lw=1)
        ax.text(0.02, 1.05, "posterior mean: 1", fontsize=8, transform=ax.get_yaxis_transform())
        ax.set_yscale("log")
        ax.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        ax.minorticks_off()
    fig.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    cell, runs = points[0]["cell"], points[0]["num_replicates"]
    many = "one run a point, no spread, no verdict" if runs == 1 else f"means of {runs} runs"
    network = f"An MLP (width {cell['width']}, {cell['steps']:,} steps)"
    fig.suptitle(f"{network} on {cell['K']} orthogonal subspaces in $R^{{{cell['n']}}}$: {many}", fontsize=10.5)
    return fig


def _draw_residual(ax: Any, points: Any) -> None:
    """Held-out residual of a low-rank fit against the number of images."""
    d = points[0]["cell"]["d"]
    for point, marker, dash, color in zip(points, "os", ("-", "--"), ("C0", "C1"), strict=False):
        cases = {c["N"]: c["estimate"] for c in point["cases"] if "N" in c}
        rank = next(int(c["estimate"]) for c in point["cases"] if c["label"] == "rank")
        label = f"digit {point['cell']['digit']} (99 % of its energy lie in {rank} dimensions)"
        ax.plot(list(cases), list(cases.values()), marker=marker, ls=dash, color=color, label=label)
    ax.axvline(d, color="k", ls="--", lw=1)
    ax.text(d * 1.06, 0.022, "$N = d$", fontsize=9)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ticks = sorted({c["N"] for p in points for c in p["cases"] if "N" in c} - {9, 12})
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.set_yticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
    ax.minorticks_off()
    ax.set_ylim(0.02, 0.2)
    ax.set_xlabel("images $N$ of the class that are fitted")
    ax.set_ylabel("share of the energy of held-out images\noutside the fitted subspace")
    ax.set_title(f"No jump at $N = d$ = {d}: PCA of rank min($d$, $N$),\nmeans of 20 splits (their spread is not stored)")
    ax.legend()


def _draw_classes(ax: Any, points: Any) -> None:
    """Agreement of subspace clustering with the classes against the dimension of the subspaces."""
    for names, marker, dash, color in (("0+1", "o", "-", "C2"), ("3+8", "s", "--", "C3")):
        mine = sorted((p for p in points if p["cell"]["digits"] == names and p["cases"]), key=lambda p: p["cell"]["d"])
        scores = [{c["label"]: c["estimate"] for c in p["cases"]} for p in mine]
        title = "{" + names.replace("+", ", ") + "}"
        ax.plot(
            [p["cell"]["d"] for p in mine],
            [s["K-subspaces"] for s in scores],
            marker=marker,
            ls=dash,
            color=color,
            label=f"K-subspaces, {title}",
        )
        for means in {s["k-means"] for s in scores}:
            ax.axhline(means, ls=":", color=color, label=f"k-means, {title}: {means:.2f}")
    for p in (p for p in points if p["cell"]["digits"].count("+") == 9 and p["cases"]):
        scores = {c["label"]: c["estimate"] for c in p["cases"]}
        label = f"K-subspaces, all ten digits (k-means: {scores['k-means']:.2f})"
        ax.plot(p["cell"]["d"], scores["K-subspaces"], "*", ms=11, color="k", ls="none", label=label)
    ax.set_ylim(0, 1.05)
    ax.set_xticks(sorted({p["cell"]["d"] for p in points}))
    ax.set_xlabel("dimension $d$ of the subspaces")
    ax.set_ylabel("normalised mutual information\nwith the classes, at most 1")
    ax.set_title("K-subspaces against k-means, one run each:\nbest energy of a spectral and 5 random starts")
    ax.legend(loc="lower right")


def digits(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F9: residual of low-rank fits of digits against N, and subspace clustering of classes against d."""
    residual, classes = explored_of(summaries, "molrg.digits", "~residual"), explored_of(summaries, "molrg.digits", "~classes")
    if not any(p["cases"] for p in residual):
        return None
    fig, axes = plt.subplots(1, 2, figsize=(10.8, 5.0))
    _draw_residual(axes[0], residual)
    _draw_classes(axes[1], classes)
    fig.suptitle(
        "Optical handwritten digits (UCI, the 1,797 images of 8 x 8 pixels that come with scikit-learn): one data set, no verdict",
        fontsize=9.5,
    )
    return fig


FIGURES = {
    "molrg.rate": rate,
    "molrg.rank": rank,
    "molrg.optima": optima,
    "molrg.transition": transition,
    "molrg.digits": digits,
}
