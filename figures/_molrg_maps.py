"""Figures of molrg: phase diagrams, starts of subspace clustering, where the theorems say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from figures._series import explored_of
from theory import molrg

__all__ = ["FIGURES"]

_D, _N = np.arange(2, 9), np.arange(2, 16)  # the places of the map
_MAP = "cividis"
_RECOVERED = 0.5  # err up to which a trial counts as recovered
_STARTS = (("spectral start", "o", "C0", "-"), ("best of 10 random starts", "s", "C3", ":"), ("start at the truth", "^", "C1", "--"))


def _interval(share: Sequence[float], num: int) -> np.ndarray:
    """Ends of the 95 % intervals of Clopper and Pearson for shares of `num` trials, as lengths of error bars: [2, places]."""
    from scipy import stats

    hits = np.round(np.asarray(share) * num)
    low = np.where(hits > 0, stats.beta.ppf(0.025, hits, num - hits + 1), 0.0)
    high = np.where(hits < num, stats.beta.ppf(0.975, hits + 1, num - hits), 1.0)
    return np.stack([share - low, high - share])


def _draw_map(ax: Any, point: Mapping[str, Any], title: str) -> Any:
    """Success over N and d, with the border N = d and the places where Theorem 2 (i) says nothing."""
    cell, success, trials = point["cell"], np.array(point["arrays"]["success"]["mean"]), point["num_replicates"]
    image = ax.pcolormesh(_N, _D, success, cmap=_MAP, vmin=0, vmax=1, shading="nearest")
    ax.step([*(_D - 0.5), _D[-1] - 0.5], [*(_D - 0.5), _D[-1] + 0.5], where="pre", color="w", lw=2)
    ax.text(1.8, 7.5, "$N < d$: directions\nare missing", color="w", fontsize=9, va="center")
    between = np.argwhere((success > 0) & (success < 1))
    for i, j in between:
        ax.text(_N[j], _D[i] - 0.28, f"{round(trials * success[i, j])}", ha="center", va="center", fontsize=7.5)
    if len(between):
        ax.plot([], [], ls="none", marker="$17$", ms=9, mew=0.3, color="k", label=f"trials recovered, where neither none nor all {trials}")
    if cell["sigma_e"] > 0:
        places = [(N, d) for d in _D for N in _N if d <= N]
        silent = [(N, d + 0.12) for N, d in places if molrg.thm2i_says_nothing(cell["n"], int(d), int(N), cell["sigma_e"])]
        least = min(molrg.thm2i_bound(cell["sigma_e"] * np.sqrt(cell["n"] * N), int(N), int(d)) for N, d in places)
        if silent and least > _RECOVERED:
            label = (
                "the bound of Theorem 2 (i) (as quoted; $c_1$ = 6.27 derived here) at the typical size of the noise is no smaller than\n"
                f"the largest err: says nothing; elsewhere it is at least {least:.2f}, err $\\leq$ {_RECOVERED} is promised nowhere here"
            )
            ax.plot(*zip(*silent, strict=True), "x", color="k", ms=6, mew=1.4, ls="none", label=label)
    ax.set_xticks(_N)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel("dimension $d$ of the subspace")
    ax.set_title(title)
    ax.grid(False)
    return image


def _draw_trained(ax: Any, points: Sequence[Mapping[str, Any]], maps: Sequence[Mapping[str, Any]]) -> None:
    """Success of trained denoisers beside PCA's at the same places."""
    for d, color, marker, shift in ((4, "C0", "o", -0.08), (8, "C2", "s", 0.08)):
        mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["N_k"])
        if not mine:
            continue
        N, share = np.array([p["cell"]["N_k"] for p in mine]), np.array([1 - p["estimate"] for p in mine])
        runs = mine[0]["num_replicates"]
        bars = _interval(share, runs)
        ax.errorbar(
            N + shift, share, bars, fmt=marker, ls="-", color=color, capsize=3, elinewidth=1, label=f"denoiser, $d$ = {d}, {runs} runs"
        )
        for point in (p for p in maps if p["cell"]["sigma_e"] == mine[0]["cell"]["sigma_e"]):
            row, trials = np.array(point["arrays"]["success"]["mean"])[d - 2], point["num_replicates"]
            label = f"PCA (middle), $d$ = {d}, {trials} trials"
            ax.errorbar(
                _N + shift, row, _interval(row, trials), fmt=marker, mfc="w", ms=4, ls="--", lw=1, elinewidth=0.6, color=color, label=label
            )
        ax.axvline(d, color="0.4", ls=":", lw=1.2)
        ax.annotate(
            f"$N = d$ = {d}", (d, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", fontsize=8
        )
    ax.set_xticks(range(2, 17, 2))
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel(f"share recovered, err $\\leq$ {_RECOVERED}")


def phase(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F1: PCA's phase diagram without and with noise, and trained denoisers on it."""
    maps, trained = explored_of(summaries, "molrg.fig4", "~map"), explored_of(summaries, "molrg.fig4", "~denoisers")
    if not maps:
        return None
    maps = sorted(maps, key=lambda p: p["cell"]["sigma_e"])
    fig, axes = plt.subplots(1, 3, figsize=(13.6, 5.6), width_ratios=(1, 1, 0.95))
    for ax, point in zip(axes, maps[:2], strict=False):
        sigma = point["cell"]["sigma_e"]
        image = _draw_map(ax, point, "PCA, no noise" if sigma == 0 else f"PCA, noise {sigma:g} in every coordinate")
    trials = maps[0]["num_replicates"]
    fig.colorbar(image, ax=axes[:2], label=f"share of {trials} trials with err $\\leq$ {_RECOVERED}", pad=0.01)
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower left")
    if trained:
        _draw_trained(axes[2], trained, maps)
        cell = trained[0]["cell"]
        title = f"denoisers trained for {cell['steps']:,} steps, noise {cell['sigma_e']:g}"
        axes[2].set_title(f"{title};\nbars: 95 % intervals, Clopper and Pearson", pad=16)
        fig.legend(*axes[2].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    else:
        axes[2].set_axis_off()
    fig.suptitle(
        f"PCA finds a subspace of dimension $d$ in $R^{{{maps[0]['cell']['n']}}}$ from $N = d$ samples on it; a little noise spoils that "
        "edge; trained denoisers follow PCA.\n"
        "err = $\\|\\hat U\\hat U^T - UU^T\\|_F$, distance of the estimated from the true projector, at most $\\sqrt{2d}$",
        fontsize=10.5,
    )
    return fig


def _draw_starts(ax: Any, points: Sequence[Mapping[str, Any]], axis: str, shift: float) -> None:
    """Shares of success from each start, side by side as they often coincide."""
    points = sorted(points, key=lambda p: p["cell"][axis])
    x, num = np.array([p["cell"][axis] for p in points], dtype=float), points[0]["num_replicates"]
    for i, (name, marker, color, dash) in enumerate(_STARTS):
        share = np.array([p["arrays"]["success"]["mean"][i] for p in points])
        style = {"marker": marker, "ls": dash, "lw": 1.0, "elinewidth": 0.8, "capsize": 2, "color": color}
        ax.errorbar(x + shift * (i - 1), share, _interval(share, num), label=name, **style)
    ax.set_ylim(-0.04, 1.04)


def clusters(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F2, F10: success of K-subspaces from three starts against N_k, and against the angle between two subspaces."""
    starts, angles = explored_of(summaries, "molrg.fig4", "~starts"), explored_of(summaries, "molrg.fig4", "~angles")
    if not starts:
        return None
    fig, axes = plt.subplots(3, 3, figsize=(11.5, 10.0), sharey=True)
    panels = [(2, d, sigma) for sigma in (0.0, 0.01) for d in (2, 4, 8)] + [(3, d, 0.0) for d in (2, 4)]
    for ax, (K, d, sigma) in zip(axes.flat, panels, strict=False):
        mine = [p for p in starts if (p["cell"]["K"], p["cell"]["d"], p["cell"]["sigma_e"]) == (K, d, sigma)]
        if not mine:
            continue
        _draw_starts(ax, mine, "N_k", 0.35)
        ax.axvspan(
            1, d + 0.5, color="0.5", alpha=0.15, lw=0, label="$N_k \\leq d$: the optimum is one of many, noise or not (derived here)"
        )
        if sigma == 0:
            unique = "$N_k = d+1$: from here on unique without noise (derived here)"
            ax.axvline(d + 1, color="k", ls="--", lw=1, label=unique)
        ax.set_xlim(1, 17)
        ax.set_xticks(range(2, 17, 2))
        ax.set_title(f"$K$ = {K} orthogonal, $d$ = {d}, " + ("no noise" if sigma == 0 else f"noise {sigma:g}"))
        ax.set_xlabel("samples of each subspace $N_k$")
    ax, run = axes[2, 2], starts[0]["num_replicates"]
    if angles:
        _draw_starts(ax, angles, "angle", 1.0)
        cell = angles[0]["cell"]
        ax.set_xticks(sorted({int(p["cell"]["angle"]) for p in angles}))
        ax.set_title(f"$K$ = 2, $d$ = {cell['d']}, $N_k$ = {cell['N_k']}, noise {cell['sigma_e']:g}; {angles[0]['num_replicates']} trials")
        ax.set_xlabel("all angles between the subspaces (degrees)")
    for ax in axes[:, 0]:
        ax.set_ylabel(f"share with err $\\leq$ {_RECOVERED}")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2)
    fig.suptitle(
        f"K-subspaces in $R^{{{starts[0]['cell']['n']}}}$ from three starts: shares of {run} trials, bars: 95 % intervals (Clopper, "
        "Pearson); err: largest of the $K$, best matching.\n"
        "At $N_k = d$ a start at the truth, and the spectral one on orthogonal subspaces, hide that the optimum is one of many",
        fontsize=9.5,
    )
    return fig


def _draw_vacuous(ax: Any, n: int) -> None:
    """Above its curve the bound of Theorem 2 (i), at the typical size of the noise, is no smaller than the largest err."""
    for i, (d, dash) in enumerate(zip((2, 4, 8, 16), ("-", "--", "-.", ":"), strict=True)):
        N = np.unique(np.geomspace(d, 2000, 60).round().astype(int))
        limit = [molrg.error_cap(n, d) * molrg.rv_gap(int(m), d) / (molrg.C1 * np.sqrt(n * m)) for m in N]
        ax.plot(N, limit, color=f"C{i}", ls=dash)
        ax.fill_between(N, limit, 1, color="0.5", alpha=0.08, lw=0)
        ax.text(2300, limit[-1], f"$d$ = {d}", va="center", fontsize=8.5)
    ax.text(40, 0.35, "vacuous for all four", fontsize=8.5)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([2, 10, 100, 1000], ["2", "10", "100", "1,000"])
    ax.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.set_ylim(1e-3, 1)
    ax.set_xlim(1.8, 2000)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel("noise in every coordinate, sd $\\sigma_e$")
    ax.set_title("Theorem 2 (i): above its curve the bound\nexceeds the largest err, $\\sqrt{2d}$")


def _draw_promised(ax: Any) -> None:
    """From which N_k on Theorem 4 (i) promises anything."""
    d = np.arange(1, 17)
    ax.axhspan(2, 15, color="0.5", alpha=0.12, lw=0, label="grid of the paper's Figure 4 (recalled): $N_k$ = 2 to 15")
    ax.plot(d, d, color="0.5", ls="-", lw=1.0, label="$N_k = d$")
    ax.plot(d, d + 1, "k--", lw=1.2, label="$d+1$: optimum unique without noise (derived here)")
    for K, marker, color in ((4, "^", "C4"), (3, "s", "C2"), (2, "o", "C0")):
        least = [next(N for N in range(int(k), 10_000) if molrg.thm4i_failure(int(k), [N] * K) < 1) for k in d]
        ax.plot(d, least, marker=marker, ls="none", color=color, label=f"$K$ = {K}: least $N_k$ with a probability above 0")
    ax.set_ylim(0, 20)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xticks([1, *range(2, 17, 2)])
    ax.set_xlabel("dimension $d$")
    ax.set_ylabel("samples of each subspace $N_k$")
    ax.set_title("Theorem 4 (i): below the marks its probability\n$1 - 2K/N_k - K\\,2^{-(N_k-d+1)}$ is not positive")


def _draw_constant(ax: Any) -> None:
    """The constant that the finite-sample tail of the smallest singular value needs."""
    excess = np.unique(np.geomspace(1, 1000, 40).round().astype(int))
    dashes = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
    for i, (dim, dash) in enumerate(zip((1, 2, 8, 64, 512), dashes, strict=True)):
        ax.plot(excess, [molrg.rv_q_up(dim + int(k), dim) for k in excess], color=f"C{i}", ls=dash, label=f"$d$ = {dim}")
    ax.axhline(molrg.rv_supremum(), color="k", ls="--", lw=1.1)
    ax.text(1, molrg.rv_supremum() + 0.03, f"supremum {molrg.rv_supremum():.4f}; $c_1$ is twice that, {molrg.C1}", fontsize=8.5)
    ax.set_xscale("log")
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    ax.set_ylim(1.3, 3.35)
    ax.set_xlabel("$N - d$")
    ax.set_ylabel("constant $q$ that the derived bound gives")
    ax.set_title(
        "$P(s_{min}(A) \\leq (\\sqrt{N} - \\sqrt{d-1})/q) \\leq 2^{-(N-d+1)}$,\n$A$ Gaussian, $d \\times N$: the $q$ that this needs"
    )
    ax.legend(loc="lower right")


def vacuity(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F8: what the bounds of Theorems 2 (i) and 4 (i) leave of the plane of samples and noise, and the constant that they need."""
    if "molrg.thm2i" not in summaries:
        return None
    fig, axes = plt.subplots(1, 3, figsize=(13.4, 5.6))
    n = 48
    _draw_vacuous(axes[0], n)
    _draw_promised(axes[1])
    _draw_constant(axes[2])
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    fig.suptitle(
        f"Where the guarantees, as quoted, are empty: computed, not simulated, $n$ = {n}; the constant $c_1$ = {molrg.C1} is derived here, "
        "with it no further term is needed",
        fontsize=9.5,
    )
    return fig


FIGURES = {"molrg.phase": phase, "molrg.clusters": clusters, "molrg.vacuity": vacuity}
