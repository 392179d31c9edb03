"""Figures of halfspaces: the wedge bound, the spike, acceptance, the certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._axes import Summaries, end_label, lied, plain_log
from figures._halfspaces_axes import FALSE_LEVEL, LABELS, entry, joint_legend
from figures._series import check_of, explored_of
from theory.halfspaces import _angles, _testers

__all__ = ["FIGURES"]

_MARKERS = "osD^vP"
_MARGINALS = {
    "gauss": "Gaussian: the target",
    "quartic": "quartic: density $\\propto e^{-0.15x^2-bx^4}$",
    "uniform": "uniform on a cube",
    "laplace": "Laplace coordinates",
    "grid": "Gaussian, rounded to integers",
    "t3": "Student $t$, 3 degrees of freedom",
    "aniso": "Gaussian, sd 0.3 to 2 by coordinate",
    "cube": "corners of a cube",
    "gap": "Gaussian, 0.3 away from $w^*$'s boundary",
    "nearbdry": "half of the points moved to $w^*$'s boundary",
    "gmm": "two Gaussians, 3 apart along $u$",
    "squash": "no spread along $u$ in a slab",
}
_TESTS = (4, 0, 1, 2, 3)  # columns as they are stored: T2, the three of T3, T1
_TEST_NAMES = tuple(
    name.replace(" ", "\n")
    for name in ("all: largest variance", "band: number", "band: smallest variance", "band: largest variance", "band: fourth moments")
)


def _draw_limits(ax: Any) -> None:
    """Limits of W/(theta/pi) for small angles and infinite data, beside the scale: no ceilings for what is measured."""
    limits = (
        (_testers.wedge_ceiling(2), "second moments", 0),
        (_testers.wedge_ceiling(4), "fourth moments", 5),
        (_testers.CANTELLI_CEILING, "mean and variance, as W", -5),
    )
    for limit, name, up in limits:
        ax.plot([0.0026, 0.0033], [limit, limit], color="0.3", lw=1.2, ls="-" if up < 0 else (0, (4, 1)))
        end_label(ax, 0.0033, limit, f"{limit:.2f}: {name}", "0.2", up, fontsize=8)


def wedge(summaries: Summaries) -> Any:
    """W over theta/pi against theta, by dimension, with the threshold, the limits for small angles and the vacuous zone."""
    check, single = check_of(summaries, "halfspaces.T4", "gaussian"), explored_of(summaries, "halfspaces.T4", "~dimensions")
    judged = [r for r in (check or {"rows": ()})["rows"] if r["verdict"] != "VACUOUS"]
    if not judged:
        return None
    n = min(r["cell"]["n"] for r in judged)  # a larger preset repeats some cells with more points
    judged = [r for r in judged if r["cell"]["n"] == n]
    fig, ax = plt.subplots(figsize=(8.6, 5.8))
    bound = judged[0]["bound"]
    theta = np.geomspace(math.pi / 9, 0.75, 40)
    ax.fill_between(theta, math.pi / theta, 9, color="0.88", lw=0)
    ax.text(0.72, 7.5, "$W \\geq 1$\nsays nothing", ha="right", va="center", fontsize=8)
    ax.axhline(bound, color="k", ls="--", lw=1.2)
    for i, d in enumerate(sorted({r["cell"]["d"] for r in judged})):
        mine = sorted((r for r in judged if r["cell"]["d"] == d), key=lambda r: r["cell"]["theta"])
        x, y = [r["cell"]["theta"] for r in mine], np.array([r["estimate"] for r in mine])
        error = [y - [r["low"] for r in mine], [r["high"] for r in mine] - y]
        ax.errorbar(x, y, error, fmt="-", marker=_MARKERS[i], capsize=3, color=f"C{i}", lw=1.1, elinewidth=1.1)
        end_label(ax, x[0], y[0], f"d = {d}", f"C{i}", along=-8)
        alone = [p for p in single if p["cell"]["d"] == d and p["cell"]["theta"] > x[-1]]
        ax.plot([p["cell"]["theta"] for p in alone], [p["estimate"] for p in alone], _MARKERS[i], mfc="none", color=f"C{i}")
    wrong = sorted({(r["cell"]["theta"], r["bound"]) for r in lied(check, "two")})
    ax.plot([x for x, _ in wrong], [y for _, y in wrong], "x:", ms=7, mew=1.5, color=_plots.FALSIFIER)
    ax.axhline(1, color="0.5", lw=1)
    ax.axvline(0.0134, color="0.8", lw=0.8)
    _draw_limits(ax)
    plain_log(ax.xaxis, (0.02, 0.05, 0.1, 0.2, 0.4))
    ax.set_xticks([0.003, 0.02, 0.05, 0.1, 0.2, 0.4], ["→ 0", "0.02", "0.05", "0.1", "0.2", "0.4"])
    ax.xaxis.minorticks_off()
    ax.set_xlim(0.0023, 0.75)
    ax.set_ylim(0, 9)
    ax.set_xlabel("angle $\\theta$ to $w$ (rad)")
    ax.set_ylabel("certified over true disagreement, $W/(\\theta/\\pi)$")
    ax.set_title(
        "On Gaussian data the certified disagreement $W$ is 4 to 6 times the true one,\nmore for small angles and many dimensions",
        fontsize=11,
    )
    counts = [r["num_replicates"] for r in judged]
    sets = f"{min(counts)} to {max(counts)} data sets of {n:,} points"
    handles = (
        entry(f"measured: means of {sets}; bars: confidence sequences, {FALSE_LEVEL}", marker="o"),
        entry("one data set each: at this angle the bound says nothing, and the check does not judge it", marker="o", mfc="none", ls=""),
        entry(f"bound: {bound:g}, the threshold of acceptance for adversarial labels (derived here)", color="k", ls="--"),
        entry("falsifier, refuted: the factor 2 of an exact two-sided tail is claimed", color=_plots.FALSIFIER, ls=":", marker="x"),
        entry("the true disagreement", color="0.5", lw=1),
        entry(
            "left: limits for $\\theta \\to 0$ after $n \\to \\infty$ (derived here), by what is used of a slab's points; W uses the last",
            ls=(0, (4, 1)),
        ),
    )
    joint_legend(fig, handles)
    return fig


def _draw_spikes(ax: Any, k: int, check: Mapping[str, Any]) -> None:
    """Mass of the spikes against tan(theta) on spike(theta, k): drawn, exact, and the slopes that are refuted."""
    row, color = check["rows"][0], f"C{k // 2 - 1}"
    t, y, low, high = (np.array([p[key] for p in row["points"]]) for key in ("tangent", "estimate", "low", "high"))
    fine = np.geomspace(0.011, 0.23, 40)
    ax.plot(fine, [_testers.spike(math.atan(v), k).alpha for v in fine], "k--", lw=1.2)
    for falsifier in check["falsifiers"]:
        for wrong in falsifier["rows"]:
            if falsifier["kind"] == "bound":  # a slope: drawn through the largest angle
                ends = np.array([t[-1], t[0]])
                line = y[0] * (ends / t[0]) ** wrong["bound"]
                ax.plot(ends, line, ":", color=_plots.FALSIFIER)
                end_label(ax, ends[0], line[0], f"slope {wrong['bound']:g}", _plots.FALSIFIER, along=-7)
            else:
                x, z = ([p[key] for p in wrong["points"]] for key in ("tangent", "estimate"))
                ax.plot(x, z, "x", ms=7, mew=1.5, color=_plots.FALSIFIER)
    ax.errorbar(t, y, [y - low, high - y], fmt=_MARKERS[k // 2 - 1], capsize=3, color=color)
    ax.set_title(
        f"k = {k}: measured slope {row['estimate']:.3f} in [{row['low']:.3f}, {row['high']:.3f}];\n"
        f"predicted {k}/{k + 1}, judged within [{row['margin'][0]:.3f}, {row['margin'][1]:.3f}]",
        fontsize=9.5,
    )
    plain_log(ax.xaxis, (0.0125, 0.025, 0.05, 0.1, 0.2))
    plain_log(ax.yaxis, (0.001, 0.002, 0.005, 0.01, 0.02))
    ax.set_xlim(0.0055, 0.28)
    ax.set_ylim(7e-4, 0.035)
    ax.set_xlabel("$\\tan\\theta$, $\\theta$ the angle between the halfspaces")
    ax.set_ylabel("mass of the spikes, $(D-\\theta/\\pi)/(1-\\theta/\\pi)$")


def spike(summaries: Summaries) -> Any:
    """Disagreement on the spike marginals against theta: far above theta although moments and band masses are the Gaussian's."""
    checks = {k: check_of(summaries, "halfspaces.T1bound", f"slope-{k}") for k in (2, 4)}
    if any(check is None or not check["rows"] for check in checks.values()):
        return None
    fig, axes = plt.subplots(1, 3, figsize=(12.4, 5.8))
    fine = np.geomspace(0.01, 0.25, 60)
    for i, (k, check) in enumerate(checks.items()):
        points = check["rows"][0]["points"]
        theta = np.arctan([p["tangent"] for p in points])
        share, low, high = (
            np.array([p[key] for p in points]) * (1 - theta / math.pi) + theta / math.pi for key in ("estimate", "low", "high")
        )
        axes[0].errorbar(theta, share, [share - low, high - share], fmt=_MARKERS[i], capsize=3, color=f"C{i}")
        exact = [_testers.spike(float(a), k).disagreement for a in fine]
        axes[0].plot(fine, exact, "k--", lw=1.2)
        end_label(axes[0], fine[0], exact[0], f"k = {k}", f"C{i}", along=-6)
        _draw_spikes(axes[i + 1], k, check)
    axes[0].plot(fine, fine / math.pi, color="0.5", lw=1)
    end_label(axes[0], fine[0], fine[0] / math.pi, "Gaussian", "0.4", along=-6)
    plain_log(axes[0].xaxis, (0.0125, 0.025, 0.05, 0.1, 0.2))
    plain_log(axes[0].yaxis, (0.003, 0.01, 0.03, 0.1))
    axes[0].set_xlim(0.004, 0.28)
    axes[0].set_xlabel("angle $\\theta$ between the halfspaces (rad)")
    axes[0].set_ylabel("share $D$ of points on which they differ")
    axes[0].set_title("disagreement: up to twice the Gaussian's", fontsize=9.5)
    fig.suptitle(
        "Moments and band masses like the Gaussian's allow a disagreement of order $\\theta^{k/(k+1)}$, larger than $\\theta$", fontsize=11
    )
    cell = checks[2]["rows"][0]["cell"]
    counts = " and ".join(f"{n}" for n in sorted({c["rows"][0]["num_replicates"] for c in checks.values()}))
    wrong = "falsifiers, refuted: wrong slopes (lines); spikes that shrink like $\\tan\\theta$ (crosses)"
    handles = (
        entry(f"measured: means of {counts} samples of {cell['n']:,} points, d = {cell['d']}; bars ± 2 s.e., pointwise", marker="o", ls=""),
        entry("predicted: the exact law (derived here), no fit", color="k", ls="--"),
        entry("Gaussian points: $\\theta/\\pi$", color="0.5", lw=1),
        entry(wrong, color=_plots.FALSIFIER, ls=":", marker="x"),
    )
    title = (
        "Gaussian points, but a small share sits at two points $\\pm(sw-\\rho u)$ between the halfspaces, so that $k$-th moments\n"
        f"are at most the Gaussian's and no band has more than 1.32 times its mass. Intervals of slopes: {FALSE_LEVEL}"
    )
    joint_legend(fig, handles, title)
    return fig


def _wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval: not empty when all or none of n runs are counted."""
    centre, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))


def _bars(points: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Errors for shares of runs: float [2, points]."""
    ends = [_wilson(p["estimate"], p["num_replicates"]) for p in points]
    return np.array([[p["estimate"] - low, high - p["estimate"]] for p, (low, high) in zip(points, ends, strict=True)]).T.clip(0)


def _draw_sizes(ax: Any, points: Sequence[Mapping[str, Any]], judged: Sequence[Mapping[str, Any]]) -> None:
    """Share of Gaussian samples accepted against their size."""
    for i, d in enumerate(sorted({p["cell"]["d"] for p in points})):
        mine = sorted((p for p in points if p["cell"]["d"] == d), key=lambda p: p["cell"]["n2"])
        x = np.array([p["cell"]["n2"] for p in mine]) * (0.95, 1.05)[i % 2]  # both have 12,000
        ax.errorbar(x, [p["estimate"] for p in mine], _bars(mine), fmt=_MARKERS[i], capsize=3, color=f"C{i}", label=f"d = {d}")
        for row in judged:
            if row["cell"]["d"] == d:
                n, least = row["cell"]["n2"], 1 - row["bound"]
                ax.plot([0.8 * n, 1.25 * n], [least, least], "k--", lw=1.2)
                end_label(ax, 0.8 * n, least, f"d = {d}", f"C{i}", along=-3)
    plain_log(ax.xaxis, (3_000, 6_000, 12_000, 44_000))
    ax.set_xlim(2_400, 56_000)
    ax.set_ylim(0, 1.04)
    ax.set_xlabel("Gaussian points tested")
    ax.set_ylabel("share of samples accepted")
    ax.set_title("the target passes, given enough points")
    ax.legend(loc="lower right", title=f"{points[0]['num_replicates']} samples each", title_fontsize=8)


def _draw_marginals(shares: Any, errors: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """Share of runs accepted and mean excess, one row a marginal; what accepted runs may not exceed, where any was accepted."""
    rows = np.arange(len(points))
    accepted = np.array([p["estimate"] for p in points])
    shares.barh(rows, accepted, color="C0", alpha=0.35, height=0.6)
    shares.errorbar(accepted, rows, xerr=_bars(points), fmt="o", capsize=2, color="C0", lw=0, elinewidth=1)
    shares.set_xlim(0, 1.04)
    shares.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    shares.set_xlabel("share of runs accepted")
    for p, row in zip(points, rows, strict=True):
        found, color = p["arrays"]["excess"], "C0" if p["estimate"] > 0 else "0.55"
        error = 2 * found["sd"] / math.sqrt(p["num_replicates"])
        errors.errorbar([found["mean"]], [row], xerr=[error], fmt="o", mfc=color if p["estimate"] > 0 else "white", capsize=2, color=color)
    passed = int(np.sum(accepted > 0))
    ceiling = _angles.excess_ceiling(points[0]["cell"]["sigma"], points[0]["cell"]["eta"])
    errors.plot([ceiling, ceiling], [-0.5, passed - 0.5], "k--", lw=1.2)
    above = f"accepted runs\nmust stay below\n$\\theta_s/\\pi$ = {ceiling:.4f}"
    errors.text(0.003, (passed - 1) / 2, above, ha="right", va="center", fontsize=8)
    plain_log(errors.xaxis, (0.0001, 0.001, 0.01, 0.1))
    errors.set_xlim(8e-6, 0.3)
    errors.set_xlabel("excess error of the learner")
    shares.set_title("who passes")
    errors.set_title("what the learner leaves")


def _draw_fired(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """Share of runs in which each test fires, as a table."""
    table = np.array([p["arrays"]["fired"]["mean"] for p in points])[:, _TESTS]
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), v in np.ndenumerate(table):
        text = f"{v:.2f}" if 0 < v < 1 else f"{v:.0f}"
        ax.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if v > 0.6 else "k")
    ax.set_xticks(range(len(_TESTS)), _TEST_NAMES, fontsize=8)
    ax.axvline(0.5, color="k", lw=0.8)
    ax.grid(False)
    ax.set_xlabel("all points, or a band: within $\\sigma/6$ or $\\sigma/2$ of $w$'s boundary", fontsize=8.5)
    ax.set_title("share of runs in which a test fires")


def acceptance(summaries: Summaries) -> Any:
    """Share of Gaussian samples accepted against their size; acceptance against excess for every marginal; what fires."""
    sizes, points = explored_of(summaries, "halfspaces.complete", "~sizes"), explored_of(summaries, "halfspaces.sound", "~fired")
    if not sizes or not points:
        return None
    points = sorted(points, key=lambda p: -p["estimate"])
    judged = (check_of(summaries, "halfspaces.complete", "target") or {"rows": ()})["rows"]
    fig = plt.figure(figsize=(14.0, 7.0))
    left, *tied = fig.subplots(1, 4, width_ratios=(1.15, 0.8, 1.1, 1.35))
    _draw_sizes(left, sizes, judged)
    _draw_marginals(tied[0], tied[1], points)
    _draw_fired(tied[2], points)
    for ax in tied:
        ax.set_ylim(len(points) - 0.5, -0.5)
        ax.set_yticks(range(len(points)), [_MARGINALS[p["cell"]["marginal"]] for p in points] if ax is tied[0] else [])
        ax.tick_params(axis="y", length=0, labelsize=8.5)
    fig.suptitle(
        "Tests of the points alone: Gaussian points pass, and of the marginals on which the learner does badly none does\n"
        "(a run is accepted if none of five tests fires)",
        fontsize=11,
    )
    cell = points[0]["cell"]
    asked = "; ".join(f"{r['cell']['n2']:,} points, d = {r['cell']['d']}, {r['estimate']:.0%} of {r['num_replicates']}" for r in judged)
    sound = (check_of(summaries, "halfspaces.sound", "marginals") or {"rows": ()})["rows"]
    most = max((r["estimate"] for r in sound), default=math.nan)
    promised = "left: completeness, as in the paper; $\\delta$ = 0.1 and the tolerances are ours. Rejected when judged"
    forced = (
        "third: the largest excess that Massart noise of rate $\\eta$ can force where the gradient vanishes (derived here, Gaussian points)"
    )
    trials = (
        f"right three: {points[0]['num_replicates']} runs, d = {cell['d']}, {cell['n1']:,} points to learn from, {cell['n2']:,} to test"
    )
    handles = (
        entry(f"{promised}: {asked}", color="k", ls="--"),
        entry(f"{forced}; accepted above it: {most:.0%} of runs in each of {len(sound)} judged cases", color="k", ls="--"),
        entry(
            f"{trials}; excess: mean of all runs, accepted or not, ± 2 s.e.; open: no run accepted, nothing is promised", marker="o", ls=""
        ),
        entry("bars of shares: Wilson's 95 % intervals", marker="|", ms=9, ls=""),
    )
    joint_legend(fig, handles, f"$\\sigma$ = {cell['sigma']:g}; right three: $\\eta$ = {cell['eta']:g}, Massart noise: {LABELS}")
    return fig


_NOISES = {"massart_half": "Massart noise, rate {:g}", "tailu": "adversary, {:.1%} flipped"}


def certificate(summaries: Summaries) -> Any:
    """The certified and the true excess against n2 at sigma of order n^(-1/3): where the certificate stops being vacuous."""
    points = explored_of(summaries, "halfspaces.cert", "~sizes")
    if not points:
        return None
    fig, ax = plt.subplots(figsize=(8.8, 6.4))
    ax.axhspan(0.5, 2, color="0.88", lw=0)
    ax.text(8_200, 1.45, "above 1/2 a certificate says nothing: a halfspace that errs more is turned round", fontsize=8.5, va="center")
    for i, kind in enumerate(dict.fromkeys((p["cell"]["noise"], p["cell"]["eta"]) for p in points)):
        mine = sorted((p for p in points if (p["cell"]["noise"], p["cell"]["eta"]) == kind), key=lambda p: p["cell"]["n2"])
        n2 = np.array([p["cell"]["n2"] for p in mine]) * (1 + 0.03 * (i - 1))  # aside, so that bars do not cover one another
        for name, face, dash in (("claimed", f"C{i}", "-"), ("surplus", "white", ":")):
            mean, sd = (np.array([p["arrays"][name][part] for p in mine]) for part in ("mean", "sd"))
            ax.errorbar(n2, mean, sd, ls=dash, lw=1.2, marker=_MARKERS[i], mfc=face, capsize=2, elinewidth=1, color=f"C{i}")
            up = (-1, 4, -1)[i] if name == "claimed" else 0
            end_label(ax, 320_000, mean[-1], _NOISES[kind[0]].format(kind[1]), f"C{i}", up)
    ratio = [p["arrays"]["claimed"]["mean"] / p["arrays"]["surplus"]["mean"] for p in points]
    sizes = sorted({(p["cell"]["n2"], p["cell"]["sigma"]) for p in points})
    plain_log(ax.xaxis, [n for n, _ in sizes])
    ax.set_xticks([n for n, _ in sizes], [f"{n:,}\n$\\sigma$ = {sigma:g}" for n, sigma in sizes])
    plain_log(ax.yaxis, (0.001, 0.01, 0.1, 0.5, 1))
    ax.set_xlim(8_000, 330_000)
    ax.set_ylim(6e-4, 2)
    ax.set_xlabel("held-out points $n_2$; the width $\\sigma$ shrinks like $n_2^{-1/3}$")
    ax.set_ylabel("excess error over the best halfspace")
    ax.set_title(
        f"The certified excess holds, but is {min(ratio):.0f} to {max(ratio):.0f} times the excess itself,\n"
        "and says nothing for few points or much noise",
        fontsize=11,
    )
    cell, total = points[0]["cell"], sum(p["num_replicates"] for p in points)
    false = sum(p["estimate"] * p["num_replicates"] for p in points)
    certified = f"certified upper bound (derived here): disagreement W + sampling terms; false in {false:.0f} of {total} runs here"
    measured = "the excess itself, measured; against the adversary: error less the share of flipped labels"
    handles = (entry(certified, marker="o"), entry(measured, marker="o", mfc="white", ls=":"))
    title = (
        f"Gaussian points, d = {cell['d']}, {cell['n1']:,} points to learn from; means of {points[0]['num_replicates']} runs, bars ± sd.\n"
        "A certificate is true with probability 0.85 at least (Massart), 0.9 (adversary).\n"  # 1 - 3 delta and 1 - 2 delta, delta = .05
        f"Massart: {LABELS}"
    )
    joint_legend(fig, handles, title)
    return fig


FIGURES = {
    "halfspaces.wedge": wedge,
    "halfspaces.spike": spike,
    "halfspaces.acceptance": acceptance,
    "halfspaces.certificate": certificate,
}
