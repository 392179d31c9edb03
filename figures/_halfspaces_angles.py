"""Figures of halfspaces: gradients, stationary angles, the excess they leave, adversarial constants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from theory.halfspaces import _adversarial, _angles, _dktz, _kernels

__all__ = ["FIGURES", "explored"]

_KERNELS = ("smooth", "ramp", "logistic")
_COLORS = {"smooth": "C0", "ramp": "C1", "logistic": "C2"}
_MARKERS = {"smooth": "o", "ramp": "s", "logistic": "D"}


def explored(summary: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    """The points of an exploratory experiment; none if it was not run."""
    return next((e["points"] for e in (summary or {}).get("explored", ()) if e["name"] == name), [])


def rows_of(summary: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    """The rows of a check; none if it was not run."""
    return next((c["rows"] for c in (summary or {}).get("checks", ()) if c["name"] == name), [])


def gradient(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Gradient norm against the angle: exact, under the worst Massart adversary, and the explicit bounds."""
    rows = rows_of(summaries.get("halfspaces.gradlaw"), "along")
    if not rows:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(10.2, 4.8), sharey=True)
    theta = np.concatenate([np.geomspace(0.01, 0.3, 60), np.linspace(0.31, math.pi / 2, 60)])
    for ax, sigma in zip(axes, (0.1, 0.3), strict=True):
        for name in _KERNELS:
            ax.plot(
                theta,
                [_angles.grad_norm(float(a), sigma, 0.2, name) for a in theta],
                color=_COLORS[name],
                label=f"{name}: exact, every label flips w.p. .2",
            )
            worst = np.array([_angles.massart_component(float(a), sigma, 0.2, name) for a in theta])
            shown = worst > 0
            ax.plot(
                theta[shown], worst[shown], "-.", lw=1.1, color=_COLORS[name], label=f"{name}: worst adversary of rate .2, 0 at $\\theta_s$"
            )
            mine = [r for r in rows if r["cell"]["kernel"] == name and r["cell"]["sigma"] == sigma]
            x, y = np.array([r["cell"]["theta"] for r in mine]), np.array([r["estimate"] for r in mine])
            error = [y - [r["low"] for r in mine], [r["high"] for r in mine] - y]
            label = "drawn: confidence sequence, level 1e-06 a cell" if name == "smooth" else None
            ax.errorbar(x, y, error, fmt=_MARKERS[name], capsize=2, ms=3.5, lw=0, elinewidth=0.8, color=_COLORS[name], label=label)
        R = math.sqrt(2)
        for name, dash in (("ramp", "--"), ("logistic", ":")):
            ax.axhline(
                _dktz.lem7_lem8_bound(0.2, R, name),
                color="k",
                ls=dash,
                lw=1.1,
                label=f"bound of DKTZ20a Lemma {7 if name == 'ramp' else 8} ({name}), for far smaller $\\sigma$",
            )
        ax.axhline(0.6 / math.pi, color="0.6", lw=0.8, label="$(1-2\\eta)/\\pi$, limit of small $\\sigma$")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(1.2e-3, 0.35)
        ax.set_xlabel("angle $\\theta$ to $w^*$ (rad)")
        ax.set_title(f"$\\sigma$ = {sigma}, $\\eta$ = .2")
    axes[0].set_ylabel("component of the negative gradient towards $w^*$")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2)
    return fig


def angle(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Largest stationary angle over sigma against the Massart rate, with the limit at eta = 1/2."""
    if "halfspaces.lem4.3x" not in summaries:
        return None
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.2, 4.6))
    room = np.geomspace(2e-3, 0.9, 60)  # 1 - 2 eta
    for name in _KERNELS:
        c = np.array([_angles.stationary_limit((1 - r) / 2, name) for r in room])
        half = _angles.stationary_limit_constant(name)
        left.plot(room, c, color=_COLORS[name], label=f"{name}: $c_k(\\eta)$, limit of small $\\sigma$")
        left.plot(
            room,
            half / np.sqrt(room),
            ":",
            color=_COLORS[name],
            label=f"{name}: $\\frac{{1}}{{2}}\\sqrt{{\\int s^2k}}\\,/\\sqrt{{1-2\\eta}}$",
        )
        if name == "logistic":  # the other two are too narrow for sigma = .3 to differ from the limit
            exact = [math.tan(_angles.stationary_angle(0.3, (1 - r) / 2, name)) / 0.3 for r in room]
            left.plot(room, exact, "--", lw=0.9, color=_COLORS[name], label=f"{name}: exact at $\\sigma$ = .3")
        width = math.sqrt(_kernels.kernel_moment(2, name))
        right.plot(room, c / width, color=_COLORS[name], label=f"{name}, rms width {width:.3g}")
    left.set_ylabel("$\\tan\\theta_s/\\sigma$")
    left.set_title("largest stationary angle, worst Massart adversary")
    right.set_ylabel("$\\tan\\theta_s/(\\sigma \\cdot$ rms width of the kernel)")
    right.set_title("the same at equal rms width")
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.invert_xaxis()
        ax.set_xlabel("$1 - 2\\eta$ (noise grows to the right)")
        ax.legend(loc="upper left")
    left.set_ylim(1e-2, 2e3)
    return fig


def excess(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Excess error of the learner against sigma, with its floor, beside convex rivals that fail by a constant."""
    points = explored(summaries.get("halfspaces.thm4.1x"), "~sizes")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(7.6, 5.6))
    rates = sorted({p["cell"]["eta"] for p in points})
    sigma = np.geomspace(0.1, 1.0, 40)
    for i, eta in enumerate(rates):
        mine = sorted((p for p in points if p["cell"]["eta"] == eta), key=lambda p: p["cell"]["sigma"])
        count = mine[0]["num_replicates"]
        spread = [2 * p["sd"] / math.sqrt(p["num_replicates"]) for p in mine]
        size = f"{mine[0]['cell']['n1']:,} + {mine[0]['cell']['n2']:,}"
        ax.errorbar(
            [p["cell"]["sigma"] for p in mine], [p["estimate"] for p in mine], spread, fmt="os^"[i], capsize=3, color=f"C{i}",
            label=f"learner, $\\eta$ = {eta:g}: mean of {count} runs ± 2 s.e., d = {mine[0]['cell']['d']}, {size} points",
        )  # fmt: skip
        ax.plot(
            sigma,
            [_angles.excess_floor(float(s), eta) for s in sigma],
            "--",
            color=f"C{i}",
            lw=1.3,
            label=f"exact floor $(1-2\\eta)\\,\\theta_s(\\sigma,\\eta)/\\pi$, $\\eta$ = {eta:g}",
        )
        ax.plot(
            sigma,
            [_angles.averaging_excess(eta)] * len(sigma),
            ":",
            color=f"C{i}",
            label=f"averaging and logistic regression, exact, $\\eta$ = {eta:g}",
        )
    for row in rows_of(summaries.get("halfspaces.gap"), "fifth"):
        rival = row["arrays"]["baseline"]["mean"]
        ax.plot(
            [0.3],
            [rival],
            "x",
            ms=8,
            color="C1",
            label=f"logistic regression, mean of {row['num_replicates']} runs, $\\eta$ = {row['cell']['eta']:g}, d = {row['cell']['d']}",
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([0.1, 0.15, 0.3, 0.6, 1.0], ["0.1", "0.15", "0.3", "0.6", "1"])
    ax.minorticks_off()
    ticks = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05]
    ax.set_yticks(ticks, [f"{v:g}" for v in ticks])
    ax.set_xlabel("width $\\sigma$ of the surrogate that the learner descends")
    ax.set_ylabel("excess error over the best halfspace")
    ax.set_title(
        "Labels flip with probability at most $\\eta$ (Massart noise): the learner's floor is linear in the width,\n"
        "convex surrogates stay at a constant. $\\theta_s$: the largest angle to the best halfspace at which\n"
        "the worst noise of rate $\\eta$ makes the surrogate's gradient vanish"
    )
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=1)
    return fig


def adversarial(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """The adversarial constant against sigma/opt for three kernels, with its wall, and runs against the killer."""
    points = explored(summaries.get("halfspaces.thm5.1x"), "~killer")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(7.8, 5.6))
    for name in _KERNELS:
        wall = _adversarial.adversarial_wall(name)
        ratio = wall * np.geomspace(1.01, 60 / wall, 90)
        limits = [_adversarial.adversarial_limit(float(r), name) for r in ratio]
        best = _adversarial.adversarial_best(name)
        ax.plot(
            ratio,
            [v.C for v in limits],
            color=_COLORS[name],
            label=f"{name}: bound C on err/opt, least {best.C:.2f} at $\\sigma$/opt = {best.sigma_over_opt:.1f}",
        )
        ax.plot(
            ratio, [v.reached for v in limits], "-.", lw=1.1, color=_COLORS[name], label=f"{name}: reached by the adversary of least mass"
        )
        ax.axvline(
            wall, color=_COLORS[name], ls=":", lw=1.0, label=f"{name}: wall at {wall:.1f}, below it the gradient can vanish anywhere"
        )
    x = [p["cell"]["sigma"] / p["cell"]["eta"] for p in points]
    y, spread = [p["estimate"] for p in points], [2 * p["sd"] / math.sqrt(p["num_replicates"]) for p in points]
    cell = points[0]["cell"]
    label = f"smooth: runs against the killer, opt ≤ {cell['eta']:g}, d = {cell['d']}, n = {cell['n1']:,}; mean ± 2 s.e."
    ax.errorbar(x, y, spread, fmt="o", capsize=3, color=_COLORS["smooth"], label=label)
    ax.plot([22.0], [1.2], marker="x", ms=8, lw=0, color=_plots.FALSIFIER, label="falsifier: C = 1.2 is claimed")
    ax.set_xscale("log")
    ax.set_xticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    ax.minorticks_off()
    ax.set_ylim(1.0, 5.0)
    ax.set_xlabel("$\\sigma$ over opt")
    ax.set_ylabel("error over opt")
    ax.set_title("Adversarial labels, Gaussian points, opt → 0")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower left", ncols=1)
    return fig


FIGURES = {
    "halfspaces.gradient": gradient,
    "halfspaces.angle": angle,
    "halfspaces.excess": excess,
    "halfspaces.adversarial": adversarial,
}
