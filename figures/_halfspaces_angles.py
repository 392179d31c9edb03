"""Figures of halfspaces: gradients, stationary angles, the excess they leave, adversarial constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from figures import _plots
from figures._axes import Summaries, end_label, lied, plain_log
from figures._halfspaces_axes import FALSE_LEVEL, KERNELS, LABELS, entry, joint_legend, runs
from figures._series import check_of, explored_of
from theory.halfspaces import _adversarial, _angles, _dktz, _kernels

__all__ = ["FIGURES"]

_LOSSES = {  # the surrogate as a function of t = -y <w, x>
    "smooth": "smooth: flat beyond $|t| = \\sigma/2$, twice differentiable",
    "ramp": "ramp: linear up to $|t| = \\sigma/2$, flat beyond",
    "logistic": "logistic: $1/(1+e^{-t/\\sigma})$",
}
_WORST = (0, (6, 1.5, 1, 1.5))  # dash of what the worst adversary leaves
_VANISHES = "the largest angle to $w^*$ at which Massart noise of rate $\\eta$ can make the surrogate's gradient vanish"


def _draw_gradient(
    ax: Any, name: str, sigma: float, eta: float, rows: Sequence[Mapping[str, Any]], wrong: Sequence[Mapping[str, Any]]
) -> None:
    """Law, margin, falsifier, estimates of one kernel at one width, and the worst adversary's component where it is positive."""
    color, marker, _ = KERNELS[name]
    theta = np.geomspace(0.01, math.pi / 2, 90)
    law = np.array([_angles.grad_norm(float(a), sigma, eta, name) for a in theta])
    ax.fill_between(theta, 0.8 * law, 1.2 * law, color="0.5", alpha=0.2, lw=0)
    ax.plot(theta, law, "k--", lw=1.2)
    ax.plot(theta, [_angles.grad_norm(float(a), sigma, eta / 2, name) for a in theta], ":", color=_plots.FALSIFIER)
    ax.plot([r["cell"]["theta"] for r in wrong], [r["bound"] for r in wrong], "x", ms=6, mew=1.5, color=_plots.FALSIFIER)
    last = _angles.stationary_angle(sigma, eta, name)
    beyond = np.geomspace(last, math.pi / 2, 90)
    ax.plot(beyond, [_angles.massart_component(float(a), sigma, eta, name) for a in beyond], ls=_WORST, lw=1.2, color=color)
    ax.plot([last], [0], "^", ms=6, color=color, clip_on=False, zorder=5)
    x, y = [r["cell"]["theta"] for r in rows], np.array([r["estimate"] for r in rows])
    error = [y - [r["low"] for r in rows], [r["high"] for r in rows] - y]
    ax.errorbar(x, y, error, fmt=marker, capsize=3, lw=0, elinewidth=1.1, color=color)
    ax.set_title(f"{_LOSSES[name] if sigma == 0.1 else name}; $\\sigma$ = {sigma}", fontsize=8.5)
    if name != "smooth":  # at R = 1 these lemmas allow the widest surrogate
        widest = _dktz.lem7_lem8_sigma(1.0, eta, 1.0, name) / math.sin(1.0)
        lemma = (
            f"Lemma {7 if name == 'ramp' else 8} of DKTZ 2020:\nfor $\\sigma \\leq {widest:.2g}\\,\\sin\\theta$ only,\nsays nothing here"
        )
        ax.text(0.0105, 0.295, lemma, va="top", fontsize=8)


def gradient(summaries: Summaries) -> Any:
    """Gradient norm against the angle: law, estimates, and what the worst Massart adversary leaves of it."""
    check = check_of(summaries, "halfspaces.gradlaw", "along")
    if check is None or not check["rows"]:
        return None
    rows, wrong = check["rows"], lied(check, "half-the-noise")
    eta, d, counts = rows[0]["cell"]["eta"], rows[0]["cell"]["d"], [r["num_replicates"] for r in rows]
    fig, axes = plt.subplots(2, 3, figsize=(11.4, 7.4), sharex=True, sharey=True)
    for line, sigma in zip(axes, (0.1, 0.3), strict=True):
        for ax, name in zip(line, KERNELS, strict=True):
            mine = [[r for r in which if (r["cell"]["kernel"], r["cell"]["sigma"]) == (name, sigma)] for which in (rows, wrong)]
            _draw_gradient(ax, name, sigma, eta, *mine)
    for ax in axes[-1]:
        plain_log(ax.xaxis, (0.01, 0.03, 0.1, 0.3, 1))
        ax.set_xlabel("angle $\\theta$ between $w$ and $w^*$ (rad)")
    for ax in axes[:, 0]:
        ax.set_ylabel("component of $-\\nabla L$ towards $w^*$")
        ax.set_ylim(0, 0.3)
    fig.suptitle(
        f"Gaussian points, flip rate $\\eta$ = {eta:g}: random flips leave a gradient at every angle,\n"
        "the worst Massart adversary takes all of it at $\\theta_s$ (triangles)",
        fontsize=11,
    )
    handles = (
        entry(f"estimated: means of {min(counts)} to {max(counts)} blocks of 1,000 points, d = {d}", marker="o", ls=""),
        entry(f"bars: confidence sequences, {FALSE_LEVEL}", marker="|", ms=9, ls=""),
        entry("predicted if every label flips with probability $\\eta$ (derived here)", color="k", ls="--"),
        Patch(color="0.5", alpha=0.2, lw=0, label="margin of the check: ±20 %"),
        entry("least over Massart adversaries of rate $\\eta$ (exact, derived here)", ls=_WORST),
        entry("falsifier, refuted: the law at $\\eta/2$ is claimed", color=_plots.FALSIFIER, marker="x", ls=":"),
    )
    title = (
        "$L$: the mean of the surrogate loss of $t = -y\\langle w,x\\rangle$, $\\|w\\|$ = 1, of width $\\sigma$; $w^*$: the best halfspace"
    )
    joint_legend(fig, handles, title, ncols=2)
    return fig


def angle(summaries: Summaries) -> Any:
    """Largest stationary angle over sigma against the Massart rate, with its asymptote for rates near 1/2."""
    check = check_of(summaries, "halfspaces.lem4.3x", "exponent")
    if check is None or not check["rows"]:
        return None
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.8, 5.8))
    room = np.geomspace(1e-4, 0.9, 90)  # 1 - 2 eta
    judged = check["rows"][0]
    handles = []
    for name, up in zip(KERNELS, (-6, 6, 5), strict=True):
        color, marker, dash = KERNELS[name]
        half = _angles.stationary_limit_constant(name)
        c = np.array([_angles.stationary_limit((1 - r) / 2, name) for r in room])
        left.plot(room, c, color=color, ls=dash)
        left.plot(room, half / np.sqrt(room), ":", lw=1.1, color="0.35", zorder=1)
        right.plot(room, c * np.sqrt(room) / half, color=color, ls=dash)
        end_label(left, room[0], c[0], name, color, up)
        for case in judged["points"]:
            if case["kernel"] == name:
                right.plot([1 - 2 * judged["cell"]["eta"]], [case["estimate"] / half], marker, color=color, mfc="none", ms=8, zorder=4)
        width = math.sqrt(_kernels.kernel_moment(2, name))
        handles.append(entry(f"{_LOSSES[name]}; rms width {width:.2f} $\\sigma$", color=color, ls=dash, marker=marker, mfc="none"))
    # The other two differ from their limits by at most .4 % at this width.
    color, half = KERNELS["logistic"][0], _angles.stationary_limit_constant("logistic")
    exact = np.array([math.tan(_angles.stationary_angle(0.3, (1 - r) / 2, "logistic")) / 0.3 for r in room])
    share = exact * np.sqrt(room) / half
    left.plot(room, exact, color=color, lw=0.9)
    right.plot(room, share, color=color, lw=0.9)
    end_label(left, room[0], exact[0], "logistic, $\\sigma$ = 0.3", color, -5)
    end_label(right, room[0], share[0], "logistic,\n$\\sigma$ = 0.3", color, -6)
    for ax in (left, right):
        ax.set_xscale("log")
        ax.invert_xaxis()
        rates = (0.1, 0.3, 0.45, 0.49, 0.499, 0.4999)
        ax.set_xticks([1 - 2 * eta for eta in rates], [f"{eta:g}" for eta in rates])
        ax.xaxis.minorticks_off()
        ax.set_xlabel("flip rate $\\eta$ of the adversary (scale: $\\log(1-2\\eta)$)")
    plain_log(left.yaxis, (0.01, 0.1, 1, 10, 100))
    left.set_ylabel("$\\tan\\theta_s/\\sigma$")
    left.set_title("it grows like $(1-2\\eta)^{-1/2}$ (dotted), for every kernel")
    right.axhline(1, color="0.35", ls=":", lw=1.1)
    right.set_ylim(0, 1.08)
    right.set_ylabel("$\\tan\\theta_s/\\sigma$ over its asymptote")
    right.set_title("share of the asymptote: ranks the kernels at equal rms width")
    fig.suptitle(f"$\\theta_s$: {_VANISHES}\n(Gaussian points; exact, derived here, nothing is sampled)", fontsize=11)
    asymptote = "asymptote for $\\eta \\to 1/2$: half the rms width, $\\frac{1}{2}\\sqrt{\\int s^2k}$, over $\\sqrt{1-2\\eta}$"
    handles += [
        entry(asymptote, color="0.35", ls=":"),
        entry(
            "logistic, exact at $\\sigma$ = 0.3; other lines: limit $\\sigma \\to 0$, met to 0.4 % by the other two", color=color, lw=0.9
        ),
        entry(f"right, marks: the judged case, $\\eta$ = {judged['cell']['eta']:.6g}", marker="o", mfc="none", ls=""),
    ]
    title = "Surrogate loss as a function of $t = -y\\langle w,x\\rangle$, $\\|w\\|$ = 1; kernel $k$: its derivative at $\\sigma$ = 1"
    joint_legend(fig, handles, title, ncols=2)
    return fig


def excess(summaries: Summaries) -> Any:
    """Excess error of the learner against sigma, with its floor, beside convex rivals that fail by a constant."""
    points = explored_of(summaries, "halfspaces.thm4.1x", "~sizes")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(8.8, 6.2))
    sigma, aside = np.geomspace(0.1, 1.0, 40), 1.8  # a rival has no width: its runs stand to the right of the scale
    rates = sorted({p["cell"]["eta"] for p in points})
    for i, eta in enumerate(rates):
        mine = [p for p in points if p["cell"]["eta"] == eta]
        runs(ax, [p["cell"]["sigma"] for p in mine], mine, color=f"C{i}", marker="os^"[i])
        floor = [_angles.excess_floor(float(s), eta) for s in sigma]
        ax.plot(sigma, floor, "--", color=f"C{i}", lw=1.3)
        end_label(ax, 1.0, floor[-1], f"$\\eta$ = {eta:g}", f"C{i}")
        rival = _angles.averaging_excess(eta)
        ax.plot([0.1, aside], [rival, rival], ":", color=f"C{i}")
        end_label(ax, 2.2, rival, f"$\\eta$ = {eta:g}", f"C{i}")
    rivals = [r for name in ("fifth", "fifth-each") for r in (check_of(summaries, "halfspaces.gap", name) or {"rows": ()})["rows"]]
    rivals = [r for r in rivals if r["cell"]["eta"] in rates]
    for row in rivals:
        i, found = rates.index(row["cell"]["eta"]), row["arrays"]["baseline"]
        error = 2 * found["sd"] / math.sqrt(row["num_replicates"])
        ax.errorbar([aside], [found["mean"]], [error], fmt="os^"[i], ms=6, mfc="none", capsize=3, color=f"C{i}")
    plain_log(ax.xaxis, (0.1, 0.15, 0.3, 0.6, 1.0, aside))
    ax.set_xticks([0.1, 0.15, 0.3, 0.6, 1.0, aside], ["0.1", "0.15", "0.3", "0.6", "1", "no\nwidth"])
    plain_log(ax.yaxis, (0.001, 0.002, 0.005, 0.01, 0.02, 0.05))
    ax.set_xlim(0.09, 2.2)
    ax.axvline(1.4, color="0.8", lw=0.8)
    ax.set_xlabel("width $\\sigma$ of the surrogate that the learner descends")
    ax.set_ylabel("excess error over the best halfspace $w^*$")
    ax.set_title(
        "The learner's excess error stops at a floor that is linear in the width of its surrogate;\n"
        "averaging and logistic regression fail by a constant, whatever the sample size",
        fontsize=11,
    )
    many, cell = points[0]["num_replicates"], points[0]["cell"]
    learner = f"learner, mean of {many} runs, d = {cell['d']}: {cell['n1']:,} points to learn from, {cell['n2']:,} to choose"
    floor = "floor $(1-2\\eta)\\,\\theta_s(\\sigma,\\eta)/\\pi$ under this noise, exact (derived here; other Massart noise can force more"
    rival = "averaging and logistic regression, exact for infinite samples (derived here): $(1-2\\eta)\\,$atan$(\\eta/(1-\\eta))/\\pi$"
    handles = [
        entry(f"{learner}; bars ± 2 s.e., thin: all runs", marker="o", ls=""),
        entry(f"{floor}, up to $\\theta_s/\\pi$)", ls="--"),
        entry(rival, ls=":"),
    ]
    if rivals:
        cell, means = rivals[0]["cell"], " and ".join(f"{r['num_replicates']} ($\\eta$ = {r['cell']['eta']:g})" for r in rivals)
        size = f"d = {cell['d']}, {cell['n1'] + cell['n2']:,} points"
        handles.append(entry(f"logistic regression, means of {means} runs, {size}; bars ± 2 s.e.", marker="s", mfc="none", ls=""))
    title = (
        f"Gaussian points, Massart noise: {LABELS}.\n$\\theta_s$: {_VANISHES}; it grows with\n"
        "$\\eta$, but an angle $\\theta$ costs $(1-2\\eta)\\theta/\\pi$, which is why $\\eta$ = 0.4 lies below $\\eta$ = 0.3"
    )
    joint_legend(fig, handles, title)
    return fig


def _draw_constant(ax: Any, name: str, judged: Sequence[Mapping[str, Any]], wrong: Sequence[Mapping[str, Any]]) -> None:
    """The bound and what an adversary reaches against sigma/opt, the wall, the judged case and what the falsifier claims of it."""
    color, marker, _ = KERNELS[name]
    wall, best = _adversarial.adversarial_wall(name), _adversarial.adversarial_best(name)
    limits = [_adversarial.adversarial_limit(float(r), name) for r in wall * np.geomspace(1.005, 60 / wall, 120)]
    ratio = [v.sigma_over_opt for v in limits]
    ax.axvspan(1, wall, color="0.9", lw=0)
    ax.plot(ratio, [v.C for v in limits], "k--", lw=1.3)
    ax.plot([best.sigma_over_opt], [best.C], "kv", ms=6)
    ax.annotate(f"{best.C:.2f}", (best.sigma_over_opt, best.C), (0, 8), textcoords="offset points", ha="center", fontsize=8.5)
    ax.plot(ratio, [v.reached for v in limits], color=color)
    for case in judged:
        if case["kernel"] == name:
            ax.plot([case["sigma_over_opt"]], [case["estimate"]], marker, color=color, mfc="none", ms=8)
    for case in wrong:
        if case["kernel"] == name:
            ax.axhline(case["bound"], color=_plots.FALSIFIER, ls=":")
            ax.plot([case["sigma_over_opt"]], [case["bound"]], "x", ms=7, mew=1.6, color=_plots.FALSIFIER)
    ax.set_xlim(1, 60)
    ax.set_ylim(1, 5)
    plain_log(ax.xaxis, (1, 2, 5, 10, 20, 50))
    ax.set_xlabel("$\\sigma$ over opt")
    ax.set_title(f"{name}: wall at $\\sigma$ = {wall:.3g} opt", fontsize=10)


def adversarial(summaries: Summaries) -> Any:
    """The adversarial constant against sigma/opt for three kernels, with its wall, and runs against the worst adversary."""
    points, check = explored_of(summaries, "halfspaces.thm5.1x", "~killer"), check_of(summaries, "halfspaces.thm5.1x", "constant")
    if not points or check is None or not check["rows"]:
        return None
    judged, wrong = ([case for row in rows for case in row["points"]] for rows in (check["rows"], lied(check, "one-point-two")))
    fig, axes = plt.subplots(1, 3, figsize=(11.6, 6.2), sharey=True)
    for ax, name in zip(axes, KERNELS, strict=True):
        _draw_constant(ax, name, judged, wrong)
    x = [p["cell"]["sigma"] / p["cell"]["eta"] for p in points]
    runs(axes[0], x, points, color=KERNELS["smooth"][0], marker="o")
    axes[0].set_ylabel("error over opt, the share of labels flipped")
    axes[0].text(3.5, 3.2, "some labels make the\ngradient vanish at\nevery angle: no bound", ha="center", va="center", fontsize=8.5)
    fig.suptitle(
        "Adversarial labels: above a wall in $\\sigma$/opt the learner's error is at most C opt, below it nothing is promised", fontsize=11
    )
    first, cell = points[0], points[0]["cell"]
    size = f"{cell['eta']:.0%} flipped, means of {first['num_replicates']} runs, d = {cell['d']}, {cell['n1']:,} points"
    handles = [
        entry("bound: C, for small opt (derived here; the paper gives no constant); triangle: the least C", color="k", ls="--", marker="v"),
        entry("predicted for small opt: error at the largest angle at which an adversary with that many flips holds the gradient at 0"),
        entry("the judged case of each kernel, computed", marker="s", mfc="none", ls=""),
        entry("falsifier, refuted: C = 1.2 is claimed", color=_plots.FALSIFIER, ls=":", marker="x"),
        entry(
            f"measured under that adversary, smooth only: {size}; bars ± 2 s.e., thin: all runs",
            color=KERNELS["smooth"][0],
            marker="o",
            ls="",
        ),
    ]
    held = _adversarial.adversarial_limit(x[0], "smooth").theta_over_opt * cell["eta"]
    title = (
        "Gaussian points. Descent starts at the stationary angle. Near the wall it does not stay there: at $\\sigma$ = "
        f"{x[0]:g} opt runs end {first['arrays']['angle']['mean']:.3f} rad from $w^*$ on average, not {held:.3f}"
    )
    joint_legend(fig, handles, title)
    return fig


FIGURES = {
    "halfspaces.gradient": gradient,
    "halfspaces.angle": angle,
    "halfspaces.excess": excess,
    "halfspaces.adversarial": adversarial,
}
