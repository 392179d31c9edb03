"""Figures of halfspaces: the wedge bound, the spike, acceptance, the certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures._halfspaces_angles import explored, rows_of
from theory.halfspaces import _angles, _testers

__all__ = ["FIGURES"]

_MARKERS = "osD^vP"


def wedge(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """W over theta/pi against theta, by dimension, with the ceilings of each degree."""
    points = explored(summaries.get("halfspaces.T4"), "~dimensions")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(7.4, 5.2))
    for i, d in enumerate(sorted({p["cell"]["d"] for p in points})):
        mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["theta"])
        label = f"W on Gaussian data, d = {d}, n = {mine[0]['cell']['n']:,}"
        ax.plot([p["cell"]["theta"] for p in mine], [p["estimate"] for p in mine], "-", marker=_MARKERS[i], label=label)
    theta = np.geomspace(0.015, 0.5, 50)
    for degree, dash in ((2, (0, (6, 2))), (4, (0, (4, 2, 1, 2)))):
        ax.plot(
            theta,
            np.full_like(theta, _testers.wedge_ceiling(degree)),
            color="0.35",
            ls=dash,
            lw=1,
            label=f"ceiling with moments of degree {degree}: {_testers.wedge_ceiling(degree):.2f}",
        )
    ax.plot(
        theta,
        np.full_like(theta, _testers.CANTELLI_CEILING),
        "k--",
        lw=1.1,
        label=f"ceiling with means and variances (Cantelli): {_testers.CANTELLI_CEILING:.2f}",
    )
    ax.plot(theta, np.full_like(theta, 8.0), color="0.6", lw=1, label="acceptance threshold for adversarial labels: 8")
    ax.plot(theta, np.ones_like(theta), ":", color="k", lw=1, label="the disagreement itself: 1")
    ax.plot(theta[theta > 0.38], math.pi / theta[theta > 0.38], color="0.8", lw=3, label="vacuous above: W = 1")
    ax.set_xscale("log")
    ax.set_ylim(0, 9)
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.4], ["0.02", "0.05", "0.1", "0.2", "0.4"])
    ax.minorticks_off()
    ax.set_xlabel("angle $\\theta$ (rad)")
    ax.set_ylabel("$W/(\\theta/\\pi)$")
    ax.set_title("How much the disagreement certificate overstates")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    return fig


def spike(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Disagreement on the spike marginals against theta: far above theta although moments and band masses are the Gaussian's."""
    summary = summaries.get("halfspaces.T1bound")
    if not rows_of(summary, "slope-2"):
        return None
    fig, ax = plt.subplots(figsize=(7.0, 5.0))
    fine = np.geomspace(0.01, 0.25, 60)
    for i, k in enumerate((2, 4)):
        row = rows_of(summary, f"slope-{k}")[0]
        t = np.array([p["tangent"] for p in row["points"]])
        angle = np.arctan(t)
        share = np.array([p["estimate"] for p in row["points"]]) * (1 - angle / math.pi) + angle / math.pi
        ax.plot(
            angle,
            share,
            _MARKERS[i],
            color=f"C{i}",
            label=f"spike($\\theta$, {k}): drawn, slope {row['estimate']:.3f} of the excess (predicted {k / (k + 1):.3f}), "
            f"{row['num_replicates']} rows",
        )
        ax.plot(
            fine,
            [_testers.spike(float(a), k).disagreement for a in fine],
            color=f"C{i}",
            label=f"spike($\\theta$, {k}): exact, of order $\\theta^{{{k}/{k + 1}}}$",
        )
    ax.plot(fine, fine / math.pi, "k--", lw=1.1, label="$\\theta/\\pi$, Gaussian points")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([0.0125, 0.025, 0.05, 0.1, 0.2], ["0.0125", "0.025", "0.05", "0.1", "0.2"])
    ax.minorticks_off()
    ax.set_xlabel("angle $\\theta$ between the halfspaces (rad)")
    ax.set_ylabel("share of points on which they differ")
    ax.set_title("Moments and band masses alone allow $\\theta^{k/(k+1)}$")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=1)
    return fig


def _draw_sizes(ax: Any, points: list[Mapping[str, Any]]) -> None:
    for i, d in enumerate(sorted({p["cell"]["d"] for p in points})):
        mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["n2"])
        p = np.array([q["estimate"] for q in mine])
        error = [2 * math.sqrt(max(a * (1 - a), 1e-9) / q["num_replicates"]) for a, q in zip(p, mine, strict=True)]
        label = f"d = {d}, {mine[0]['num_replicates']} samples ± 2 s.e."
        ax.errorbar([q["cell"]["n2"] for q in mine], p, error, fmt="-", marker=_MARKERS[i], capsize=3, label=label)
    ax.set_xscale("log")
    ax.set_xticks([3000, 6000, 12000, 44000], ["3,000", "6,000", "12,000", "44,000"])
    ax.minorticks_off()
    ax.set_ylim(0, 1.12)
    ax.axhline(0.95, color="0.6", lw=0.8)
    ax.set_xlabel("Gaussian points tested, $n_2$")
    ax.set_ylabel("share accepted")
    ax.set_title("completeness, $\\sigma$ = .3, $\\tau$ = .25")
    ax.legend(loc="lower right")


def _draw_marginals(ax: Any, points: list[Mapping[str, Any]]) -> None:
    ceiling = _angles.excess_ceiling(points[0]["cell"]["sigma"], points[0]["cell"]["eta"])
    ax.axhline(ceiling, color="k", ls="--", lw=1.1, label=f"$\\theta_s/\\pi$ = {ceiling:.4f}: accepted runs must lie below")
    ax.axvspan(0.5, 1.06, color="0.5", alpha=0.08, lw=0)
    ordered = sorted(points, key=lambda q: (q["estimate"] > 0.5, q["arrays"]["excess"]["mean"]))
    slots: dict[bool, float] = {}
    for p in ordered:
        accepted, mean = p["estimate"], max(p["arrays"]["excess"]["mean"], 1e-4)
        ax.plot([accepted], [mean], "o", color="C0" if accepted > 0.05 else "C3")
        side = accepted > 0.3
        height = max(mean, slots.get(side, 0) * 1.24)
        slots[side] = height
        end = (accepted - 0.07, height) if side else (accepted + 0.07, height)
        ax.annotate(
            p["cell"]["marginal"],
            (accepted, mean),
            end,
            fontsize=7.5,
            va="center",
            ha="right" if side else "left",
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "0.5"},
        )
    ax.set_yscale("log")
    ax.set_xlim(-0.06, 1.06)
    ax.set_xlabel(f"share of {points[0]['num_replicates']} runs accepted")
    ax.set_ylabel("mean excess error (massart_half, $\\eta$ = .3)")
    ax.set_title("which marginals pass, and what the learner leaves")
    ax.legend(loc="upper right", fontsize=7.5)


def acceptance(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Share of Gaussian samples accepted against their size; acceptance against excess for every marginal; what fires."""
    sizes = explored(summaries.get("halfspaces.complete"), "~sizes")
    fired = explored(summaries.get("halfspaces.sound"), "~fired")
    if not sizes or not fired:
        return None
    fig, axes = plt.subplots(1, 3, figsize=(14.0, 4.8), width_ratios=(1, 1.3, 1.1))
    _draw_sizes(axes[0], sizes)
    _draw_marginals(axes[1], fired)
    names = [p["cell"]["marginal"] for p in fired]
    table = np.array([p["arrays"]["fired"]["mean"] for p in fired])
    axes[2].imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), v in np.ndenumerate(table):
        axes[2].text(
            j,
            i,
            f"{v:.2f}".lstrip("0") if 0 < v < 1 else f"{v:.0f}",
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if v > 0.6 else "k",
        )
    axes[2].set_xticks(range(5), ["T2\nmass", "T3\n$\\lambda_{min}$", "T3\n$\\lambda_{max}$", "T3\nQ4", "T1\n$\\lambda_{max}$"])
    axes[2].set_yticks(range(len(names)), names)
    axes[2].grid(False)
    axes[2].set_title("share of runs in which a test fires")
    return fig


def certificate(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """The certified disagreement W and the true excess against n2 at sigma of order n^(-1/3): where it stops being vacuous."""
    points = explored(summaries.get("halfspaces.cert"), "~sizes")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(7.4, 5.4))
    kinds = list(dict.fromkeys((p["cell"]["noise"], p["cell"]["eta"]) for p in points))
    for i, (noise, eta) in enumerate(kinds):
        mine = sorted((p for p in points if (p["cell"]["noise"], p["cell"]["eta"]) == (noise, eta)), key=lambda p: p["cell"]["n2"])
        n2 = [p["cell"]["n2"] for p in mine]
        text = f"Massart noise, rate {eta:g}" if noise == "massart_half" else f"adversarial labels, {eta:g} flipped"
        ax.plot(
            n2, [p["arrays"]["W"]["mean"] for p in mine], "-", marker=_MARKERS[i], color=f"C{i}", label=f"{text}: certified disagreement W"
        )
        true = [max(p["arrays"]["surplus"]["mean"], 1e-5) for p in mine]
        ax.plot(n2, true, ":", marker=_MARKERS[i], mfc="white", color=f"C{i}", label=f"{text}: true excess error")
    ax.axhspan(0.5, 1.5, color="0.5", alpha=0.15, lw=0, label="vacuous: excess error is at most 1/2 anyway")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(1e-4, 1.5)
    ax.set_xticks([10_000, 30_000, 100_000, 300_000], ["10,000", "30,000", "100,000", "300,000"])
    ax.minorticks_off()
    ax.set_xlabel("held-out points $n_2$, $\\sigma \\propto n_2^{-1/3}$ (.3 at 100,000), d = 5, 20,000 points to learn from")
    ax.set_ylabel("error")
    ax.set_title("The certificate and what it certifies")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=1)
    return fig


FIGURES = {
    "halfspaces.wedge": wedge,
    "halfspaces.spike": spike,
    "halfspaces.acceptance": acceptance,
    "halfspaces.certificate": certificate,
}
