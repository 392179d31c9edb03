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
_STARTS = (("spectral", "o", "C0"), ("best of 10 random", "s", "C3"), ("the truth", "^", "C1"))


def _draw_map(ax: Any, point: Mapping[str, Any], title: str) -> Any:
    """Success over N and d, with the line N = d and the places where Theorem 2 (i) says nothing."""
    cell, success = point["cell"], np.array(point["arrays"]["success"]["mean"])
    image = ax.pcolormesh(_N, _D, success, cmap=_MAP, vmin=0, vmax=1, shading="nearest")
    for d in _D:  # the first N at which recovery is possible
        ax.plot(
            [d - 0.5, d - 0.5], [d - 0.5, d + 0.5], color="#D55E00", lw=2, label="border: $N \\geq d$ right of it" if d == _D[0] else None
        )
        if d > _D[0]:
            ax.plot([d - 1.5, d - 0.5], [d - 0.5, d - 0.5], color="#D55E00", lw=2)
    if cell["sigma_e"] > 0:
        silent = [(N, d) for d in _D for N in _N if d <= N and molrg.thm2i_says_nothing(cell["n"], int(d), int(N), cell["sigma_e"])]
        if silent:
            ax.plot(*zip(*silent, strict=True), "x", color="k", ms=5, mew=1.1, ls="none", label="the bound (Theorem 2 (i)) says nothing")
    ax.set_xticks(_N)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel("dimension $d$")
    ax.set_title(title)
    ax.grid(False)
    return image


def _draw_trained(ax: Any, points: Sequence[Mapping[str, Any]], maps: Sequence[Mapping[str, Any]]) -> None:
    """Success of trained denoisers beside PCA's at the same places."""
    for d, color in ((4, "C0"), (8, "C2")):
        mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["N_k"])
        N = [p["cell"]["N_k"] for p in mine]
        ax.plot(N, [1 - p["estimate"] for p in mine], "o-", color=color, label=f"trained denoiser, $d$ = {d}")
        for point in maps:
            if point["cell"]["sigma_e"] > 0:
                row = np.array(point["arrays"]["success"]["mean"])[d - 2]
                ax.plot(_N, row, "--", marker=".", color=color, lw=1, label=f"PCA, as in the middle, $d$ = {d}")
        ax.axvline(d, color="#D55E00", lw=1, label="$N = d$, for $d$ = 4 and 8" if d == 4 else None)
    ax.set_ylim(-0.03, 1.05)
    ax.set_xlabel("samples $N$")
    ax.set_ylabel("share recovered")
    ax.legend(loc="lower right")


def phase(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F1: PCA's phase diagram without and with noise, and trained denoisers on it."""
    maps, trained = explored_of(summaries, "molrg.fig4", "~map"), explored_of(summaries, "molrg.fig4", "~denoisers")
    if not maps:
        return None
    maps = sorted(maps, key=lambda p: p["cell"]["sigma_e"])
    fig, axes = plt.subplots(1, 3, figsize=(13.0, 5.0), width_ratios=(1, 1, 0.95))
    for ax, point in zip(axes, maps[:2], strict=False):
        sigma = point["cell"]["sigma_e"]
        image = _draw_map(ax, point, "PCA, no noise" if sigma == 0 else f"PCA, noise $\\sigma_e$ = {sigma:g} a coordinate")
    fig.colorbar(image, ax=axes[:2], label="share recovered: trials with err $\\leq$ 0.5", pad=0.01)
    handles, labels = axes[1].get_legend_handles_labels()
    axes[1].legend(handles, labels, loc="lower right", facecolor="w", frameon=True, framealpha=0.9)
    if trained:
        _draw_trained(axes[2], trained, maps)
        steps, runs = trained[0]["cell"]["steps"], trained[0]["num_replicates"]
        axes[2].set_title(f"denoisers, {steps:,} steps, {runs} runs a point, $\\sigma_e$ = {trained[0]['cell']['sigma_e']:g}")
    fig.suptitle(
        f"A subspace of dimension d in $R^{{{maps[0]['cell']['n']}}}$ from N samples on it: recovered from N = d on. "
        f"PCA: {maps[0]['num_replicates']} trials a place.\n"
        "err = $||\\hat U\\hat U^T - UU^T||_F$, the distance of the estimated from the true subspace's projector; recovered: err ≤ 0.5. "
        "Below N = d directions are missing;\nat N = d noise is amplified by 1/$s_{min}$, where $s_{min}$ is the smallest singular "
        "value of the samples' coordinates in the subspace",
        fontsize=9,
    )
    return fig


def _draw_starts(ax: Any, points: Sequence[Mapping[str, Any]], axis: str) -> None:
    points = sorted(points, key=lambda p: p["cell"][axis])
    x = [p["cell"][axis] for p in points]
    for i, (name, marker, color) in enumerate(_STARTS):
        style = {"ms": 9, "mfc": "none"} if i == 0 else {}  # the truth's curve may lie on it
        ax.plot(x, [p["arrays"]["success"]["mean"][i] for p in points], marker=marker, color=color, label=name, lw=1.2, **style)
    ax.set_ylim(-0.04, 1.06)


def clusters(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F2, F10: success of K-subspaces from three starts against N_k, and against the angle between two subspaces."""
    starts, angles = explored_of(summaries, "molrg.fig4", "~starts"), explored_of(summaries, "molrg.fig4", "~angles")
    if not starts:
        return None
    fig, axes = plt.subplots(3, 3, figsize=(11.5, 9.2))
    panels = [(2, d, sigma) for sigma in (0.0, 0.01) for d in (2, 4, 8)] + [(3, d, 0.0) for d in (2, 4)]
    for ax, (K, d, sigma) in zip(axes.flat, panels, strict=False):
        mine = [p for p in starts if (p["cell"]["K"], p["cell"]["d"], p["cell"]["sigma_e"]) == (K, d, sigma)]
        if not mine:
            continue
        _draw_starts(ax, mine, "N_k")
        ax.axvline(d + 1, color="k", ls="--", lw=1, label="$N_k = d+1$: unique optimum")
        ax.set_title(f"$K$ = {K}, $d$ = {d}, " + ("no noise" if sigma == 0 else f"$\\sigma_e$ = {sigma:g}"))
        ax.set_xlabel("samples of each subspace $N_k$")
    ax = axes[2, 2]
    if angles:
        _draw_starts(ax, angles, "angle")
        cell = angles[0]["cell"]
        ax.set_title(f"$K$ = 2, $d$ = {cell['d']}, $N_k$ = {cell['N_k']}, $\\sigma_e$ = {cell['sigma_e']:g}")
        ax.set_xlabel("angle between the subspaces (degrees)")
    for ax in axes[:, 0]:
        ax.set_ylabel("share with err $\\leq$ 0.5")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4)
    n, runs = starts[0]["cell"]["n"], starts[0]["num_replicates"]
    fig.suptitle(
        f"K-subspaces in R^{n} from three starts, {runs} trials a point.\nThe true start hides that the optimum at $N_k = d$ is one of "
        "many;\nso does the spectral start on orthogonal subspaces without noise (both curves coincide there)",
        fontsize=9,
    )
    return fig


def vacuity(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """F8: what the bounds of Theorems 2 (i) and 4 (i) leave of the plane of samples and noise, and the constant that they need."""
    if "molrg.thm2i" not in summaries:
        return None
    fig, axes = plt.subplots(1, 3, figsize=(13.0, 4.2))
    n = 48
    sigmas = np.geomspace(1e-4, 1, 161)
    for i, d in enumerate((2, 4, 8, 16)):
        N = np.unique(np.geomspace(d, 2000, 60).round().astype(int))
        limit = [molrg.error_cap(n, d) * molrg.rv_gap(int(m), d) / (molrg.C1 * np.sqrt(n * m)) for m in N]
        axes[0].plot(N, limit, color=f"C{i}", label=f"$d$ = {d}")
    axes[0].set_xscale("log")
    axes[0].set_yscale("log")
    axes[0].set_ylim(sigmas[0] * 10, 1)
    axes[0].set_xlabel("samples $N$")
    axes[0].set_ylabel("noise a coordinate $\\sigma_e$")
    axes[0].set_title("Theorem 2 (i): vacuous above the curve")
    axes[0].legend(loc="lower right")

    d = np.arange(1, 17)
    for K, color in ((2, "C0"), (3, "C2"), (4, "C4")):
        least = [next(N for N in range(int(k), 10_000) if molrg.thm4i_failure(int(k), [N] * K) < 1) for k in d]
        axes[1].plot(d, least, "o-", color=color, label=f"$K$ = {K}: least $N_k$ with a promise")
    axes[1].plot(d, d + 1, "k--", label="$d+1$: unique optimum without noise")
    axes[1].plot(d, d, "k:", label="$N_k = d$")
    axes[1].axhspan(2, 15, color="0.5", alpha=0.12, lw=0, label="the paper's grid, $N_k$ = 2..15")
    axes[1].set_ylim(0, 29)
    axes[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[1].set_xlabel("dimension $d$")
    axes[1].set_ylabel("samples of each subspace $N_k$")
    axes[1].set_title("Theorem 4 (i): where its probability is positive")
    axes[1].legend(loc="upper left")

    excess = np.unique(np.geomspace(1, 1000, 40).round().astype(int))
    for i, dim in enumerate((1, 2, 8, 64, 512)):
        axes[2].plot(excess, [molrg.rv_q_up(dim + int(k), dim) for k in excess], color=f"C{i}", label=f"$d$ = {dim}")
    axes[2].axhline(molrg.rv_supremum(), color="k", ls="--", lw=1.1, label="supremum 3.1338 ($c_1$ is twice that)")
    axes[2].set_xscale("log")
    axes[2].set_xlabel("$N - d$")
    axes[2].set_ylabel("$q_{up}(N, d)$")
    axes[2].set_title("the constant that P(smin small) $\\leq 2^{-(N-d+1)}$ needs")
    axes[2].legend(loc="lower right")
    fig.suptitle(
        f"Where the guarantees are empty, with the constants derived here: c1 = 6.27, c2 infinite; n = {n}, no simulation", fontsize=9
    )
    return fig


FIGURES = {"molrg.phase": phase, "molrg.clusters": clusters, "molrg.vacuity": vacuity}
