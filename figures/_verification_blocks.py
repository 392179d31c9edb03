"""Figures of verification: the separation, bounds against what learners lose, who wins, and what cloning loses in the mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter, ScalarFormatter

from figures import _plots
from theory.verification import _needle, _paired

__all__ = ["FIGURES"]

_BLOCKS = 8  # of the separation
_SPREADS = (("linear", "heterogeneous, σ = H/2"), ("root", "in between, σ = √H"), ("constant", "homogeneous, σ = 2"))


def _check(summary: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next(c for c in summary["checks"] if c["name"] == name)


def _explored(summary: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    if summary is None:
        return []
    return next((e["points"] for e in summary.get("explored", ()) if e["name"] == name), [])


def _integer_axis(axis: Any, ticks: list[int]) -> None:
    axis.set_major_formatter(ScalarFormatter())
    axis.set_ticks(ticks)
    axis.set_minor_formatter(NullFormatter())


def _below(fig: Any, axes: Sequence[Any], columns: int) -> None:
    """One legend for all axes, in the order of drawing, each label once."""
    named: dict[str, Any] = {}
    for ax in axes:
        named |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True) if label not in named}
    fig.legend(named.values(), named, loc="outside lower left", ncols=columns)


def _slope_at(ax: Any, H: np.ndarray, y: np.ndarray, slope: float, color: Any) -> None:
    """The slope of a line, written at its end."""
    text = f"slope {round(slope, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: no minus zero
    ax.annotate(text, (H[-1], y[-1]), (6, 0), textcoords="offset points", va="center", fontsize=9, color=color)


def _draw_rate(ax: Any, row: Mapping[str, Any], label: str, **style: Any) -> np.ndarray:
    """A judged rate: grid points with their band and its slope; the horizons."""
    H, y, low, high = (np.array([p[k] for p in row["points"]]) for k in ("H", "estimate", "low", "high"))
    (line,) = ax.plot(H, y, label=label, **style)
    ax.fill_between(H, low, high, color=line.get_color(), alpha=0.3, lw=0)
    _slope_at(ax, H, y, row["estimate"], line.get_color())
    return H


def separation(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Against the horizon: what cloning loses on three bases, a verifier-based learner's bound, and its lead over cloning."""
    summary = summaries.get("verification.thm_sep")
    if summary is None or not _check(summary, "vf_linear_grown")["rows"]:
        return None
    fig, axes = plt.subplots(1, 2, figsize=(9.8, 6.2), sharey=True)
    rates = [c["rows"][0]["num_replicates"] for c in summary["checks"] if c["relation"] == "RATE" and c["rows"]]
    for ax, size, title in (
        (axes[0], "fixed", "data fixed: n = 512 traces"),
        (axes[1], "grown", "data grow with the horizon: n = 4H traces"),
    ):
        for i, (shape, name) in enumerate(_SPREADS):
            row = _check(summary, f"vf_{shape}_{size}")["rows"][0]
            H = _draw_rate(ax, row, f"loss of cloning n expert traces, base {name}: worst-case gap", marker="osD"[i])
        n = 512 if size == "fixed" else 4 * H
        bound = _needle.vb_upper_mean(1, 0.5, _BLOCKS * math.log(2), 1) * H / n
        ax.plot(
            H,
            bound,
            "k--",
            label="loss of a verifier-based learner on n labelled base rollouts: bound (H/c)(ln|R| + 1)/n, c = 1/2, |R| = 2⁸, any base",
        )
        _slope_at(ax, H, bound, np.polyfit(np.log(H), np.log(bound), 1)[0], "k")
        lead = {"ls": "-.", "lw": 1.2, "mfc": "white", "color": "0.35"}
        _draw_rate(
            ax,
            _check(summary, f"lead_linear_{size}")["rows"][0],
            "lead: mean reward of the verifier-based learner less that of cloning, heterogeneous base",
            marker="o",
            **lead,
        )
        if size == "grown":
            row = _check(summary, "lead_near_optimal")["rows"][0]
            _draw_rate(ax, row, "the same lead, expert near-optimal: 1 − δ = 1/√n", marker="^", **lead)
        if size == "grown":
            wrong = [f for f in _check(summary, "vf_linear_grown")["falsifiers"] if f["name"] == "n-squared" and f["rows"]]
            for f in wrong:
                points = f["rows"][0]["points"]
                style = {"ls": ":", "marker": "x", "color": _plots.FALSIFIER}
                ax.plot(
                    [p["H"] for p in points],
                    [p["estimate"] for p in points],
                    **style,
                    label="falsifier (right only, simulated up to H = "
                    f"{max(p['H'] for p in points)}): cloning on the heterogeneous base is secretly given n² traces",
                )
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xlim(H[0] * 0.85, H[-1] * 2.6)
        _integer_axis(ax.xaxis, [int(h) for h in H])
        ax.set_xlabel("horizon H (tokens)")
        ax.set_title(title)
    axes[0].set_ylabel("loss, or lead (units of reward)")
    _below(fig, axes[::-1], 1)
    fig.suptitle(
        "Test-time scaling with and without a verifier: 8 prompt blocks, expert's bias δ = ½, worst reward of 2⁸ sign patterns.\n"
        "The verifier-based learner's exact loss is below 2·10⁻⁶ everywhere here, so only its bound is drawn.\n"
        "Cloning: imitates traces of the expert. Verifier-based: learns from rollouts of the base policy, each labelled right or wrong.\n"
        f"Bands: mean ± 2 standard errors, pointwise, {min(rates)} to {max(rates)} runs a point. Slope: of ln loss (or ln lead) in ln "
        "H, as the "
        "check of the claim judges it;\nof the dashed bound, by its formula.",
        fontsize=9,
    )
    return fig


def _quantile95(grid: np.ndarray, above: np.ndarray) -> float:
    """The 95 % point of a survival function on a grid, up to the grid's step."""
    inside = np.flatnonzero(np.asarray(above) <= 0.05)
    return float(grid[inside[0]]) if inside.size else math.nan


def bounds(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Both upper bounds against n, with what the learners really lose and where the bounds say nothing."""
    free = _explored(summaries.get("verification.prop_vf_ub"), "~curve")
    based = _explored(summaries.get("verification.thm_vb_ub"), "~curve")
    if not free or not based:
        return None
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 5.2))
    _draw_free(left, free)
    _draw_based(right, based)
    for ax, ticks in ((left, [32, 128, 512, 2048, 8192]), (right, [32, 64, 128, 256, 512, 1024])):
        ax.set_xscale("log")
        ax.set_yscale("log")
        _integer_axis(ax.xaxis, ticks)
        ax.set_ylabel("suboptimality (units of reward)")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), fontsize=7.5)
    return fig


def _draw_free(ax: Any, points: list[Mapping[str, Any]]) -> None:
    H, conf, d = 64, 0.05, points[0]["cell"]["d"]
    sigma = H / 2
    n = np.array([p["cell"]["n"] for p in points])
    delta = np.array([p["cell"]["delta"] for p in points])
    unit = sigma * np.sqrt(d / n)
    upper = [_paired.vf_upper(sigma * math.sqrt(1 - e**2), H, d * math.log(2), conf, int(m)) for m, e in zip(n, delta, strict=True)]
    mean = np.array([p["arrays"]["sup"]["mean"] for p in points]) * sigma
    grid = np.linspace(0, 1.6, 65)
    q95 = [u * _quantile95(grid, p["arrays"]["above"]["mean"]) for u, p in zip(unit, points, strict=True)]
    count = points[0]["num_replicates"]
    ax.plot(n, upper, "k--", label="upper bound for maximum likelihood, confidence .95 (prop_vf_ub)")
    ax.plot(n, np.minimum(2 * sigma * delta, H), "-.", color="0.45", label="largest gap in its class, 2σδ: the bound is above it at this δ")
    ax.plot(n, math.sqrt(2 / math.pi) * unit, ":", color="0.3", label="√(2/π) σ √(d/n), limit for cloning as δ → 0")
    ax.plot(n, mean[:, 0], "o-", label=f"cloning, mean of {count:,} runs")
    ax.plot(n, q95, "D-", label="maximum likelihood, 95 % point (on a grid)")
    ax.plot(n, mean[:, 1], "s-", label="maximum likelihood, mean")
    ax.plot(n, _paired.vf_lower_constant()[0] * unit, "k-", lw=1, label="lower bound .340 σ √(d/n) for any learner (thm_vf_lb)")
    edge = _paired.vf_upper_vacuous_below(d * math.log(2), conf)
    ax.axvspan(n[0], edge, color="0.5", alpha=0.15, lw=0, label=f"vacuous: bound above H = {H}, n < {edge:.0f}")
    ax.set_xlabel("expert traces n")
    ax.set_title(f"verifier-free, paired styles: d = {d}, σ = H/2, δ = .752 √(d/n)", fontsize=9)


def _draw_based(ax: Any, points: list[Mapping[str, Any]]) -> None:
    cell = points[0]["cell"]
    H, d, p, K, conf = (cell[k] for k in ("H", "d", "p", "K", "conf"))
    n = np.array([q["cell"]["n"] for q in points])
    fine = np.unique(np.geomspace(n[0], n[-1], 60).round().astype(int))
    upper = np.array([_needle.vb_upper(H, 1 / K, d * math.log(K), conf, int(m)) for m in fine])
    ax.plot(fine, upper, "k--", label="upper bound, confidence .95 (thm_vb_ub)")
    ax.plot(fine, [_needle.vb_upper_mean(H, 1 / K, d * math.log(K), int(m)) for m in fine], "k:", label="upper bound on the mean")
    seen = [q for q in points if q["estimate"] > 0]
    mean, error = np.array([q["estimate"] for q in seen]), np.array([2 * q["sd"] / math.sqrt(q["num_replicates"]) for q in seen])
    x, count = [q["cell"]["n"] for q in seen], points[0]["num_replicates"]
    ax.errorbar(
        x, mean, np.minimum(error, 0.9 * mean), fmt="o", capsize=3, label=f"worst agreeing verifier, mean of {count:,} runs ± 2 s.e."
    )
    ax.plot(fine, [_needle.needle_worst(H, d, p, K, int(m)) for m in fine], "-", lw=1, label="worst agreeing verifier, exact mean")
    missed = [np.cumsum(q["arrays"]["missed"]["mean"]) for q in points]  # P(at most j blocks are missed)
    q95 = np.array([H * p * int(np.argmax(below >= 0.95)) for below in missed])
    ax.plot(n[q95 > 0], q95[q95 > 0], "D", label="worst agreeing verifier, 95 % point (beyond the last: 0)")
    ax.plot(
        fine, [_needle.needle_vb(H, d, p, K, int(m)) for m in fine], "-", lw=1, label="Bayes-optimal learner, exact: no method loses less"
    )
    largest = H * d * p
    vacuous = fine[upper >= largest]
    if vacuous.size:
        ax.axvspan(
            fine[0],
            vacuous[-1],
            color="0.5",
            alpha=0.15,
            lw=0,
            label=f"vacuous: bound above the largest gap {largest:g}, n < {vacuous[-1] + 1}",
        )
    ax.set_ylim(1e-4, 4 * upper[0])
    ax.set_xlabel("labelled base rollouts n")
    ax.set_title(f"verifier-based, needles: d = {d}, p = 1/{1 / p:.0f}, K = {K}, H = {H}", fontsize=9)


def phase(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Who wins: cloning against heterogeneity, or a verifier against rare good traces."""
    summary = summaries.get("verification.reg_vf_wins")
    if summary is None:
        return None
    d, delta = 8, 0.5
    sizes = np.geomspace(16, 16384, 60)
    mad = np.array([_paired.tab_mad(int(m), d, delta) for m in sizes])  # over sigma

    def needle_gap(c, n):  # of H, capped at the largest gap
        return np.minimum(0.12 * (d * np.log(1 / c) + 1) / (c * n), 1.0)

    fig, axes = plt.subplots(1, 2, figsize=(9.6, 4.6))
    share, K = np.geomspace(0.01, 0.5, 60), 4  # σ/H
    concentration = np.geomspace(1 / 64, 0.5, 60)
    ratio = np.log10(share[None] * mad[:, None] / needle_gap(1 / K, sizes)[:, None])
    other = np.log10(0.25 * mad[:, None] / needle_gap(concentration[None], sizes[:, None]))
    for ax, x, z in ((axes[0], share, ratio), (axes[1], concentration, other)):
        filled = ax.contourf(x, sizes, np.clip(z, -2, 2), levels=np.linspace(-2, 2, 17), cmap="PuOr")
        ax.contour(x, sizes, z, levels=[0], colors="k", linewidths=1.4)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_ylabel("samples n, as many for both")
        ax.set_ylim(sizes[0], sizes[-1])
        ax.plot([], [], "k-", lw=1.4, label="equal gaps, exact cloning gap")
    front = (0.12 * K * (d * math.log(K) + 1) / (math.sqrt(2 / math.pi * (1 - delta**2) * d) * share)) ** 2
    axes[0].plot(share, front, "k--", lw=1.1, label="analytic boundary, large n")
    rare = (0.12 * (d * np.log(1 / concentration) + 1) / (concentration * math.sqrt(2 / math.pi * (1 - delta**2) * d) * 0.25)) ** 2
    axes[1].plot(concentration, rare, "k--", lw=1.1, label="analytic boundary, large n")
    axes[0].set_xlabel("heterogeneity σ/H of the base where cloning learns")
    axes[0].set_title(f"good traces have probability c = 1/{K}", fontsize=9)
    axes[1].set_xlabel("anti-concentration c where the verifier learns")
    axes[1].set_title("heterogeneity σ = H/4", fontsize=9)
    axes[1].set_xticks([1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2], ["1/64", "1/32", "1/16", "1/8", "1/4", "1/2"])
    for ax, spots in ((axes[0], ((0.22, 6000), (0.02, 200))), (axes[1], ((0.22, 6000), (0.035, 200)))):
        for (x, y), text in zip(spots, ("verifier wins", "cloning wins"), strict=True):
            ax.text(x, y, text, ha="center", bbox={"facecolor": "white", "alpha": 0.75, "lw": 0})
        ax.legend(loc="lower left", facecolor="white", framealpha=0.85, frameon=True)
    fig.colorbar(filled, ax=axes, label="log₁₀ (gap of cloning / gap of the verifier)", shrink=0.9)
    fig.suptitle(_phase_title(summary, d), fontsize=9)
    return fig


def _phase_title(summary: Mapping[str, Any], d: int) -> str:
    lines = [
        f"Order of magnitude: cloning (paired styles, d = {d}, δ = ½) loses about σ √(2/π) √((1 − δ²) d/n),",
        "the verifier (needles, p of order 1/(cn)) .12 (H/c)(d ln(1/c) + 1)/n, at most H.",
    ]
    rows = [_check(summary, name)["rows"] for name in ("gap_vb", "gap_vf")]
    if all(rows):
        based, free = (r[0]["estimate"] for r in rows)
        measured = f"measured gaps {based:.3g} and {free:.2g} at c = 1/4, n = 512"
        lines.append(f"In the needle world alone cloning wins: {measured}, a factor {based / free:.0f}.")
    return "\n".join(lines)


def negative(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Three readings of one sample: the aligned gap in the mean, against the sup gap."""
    points = _explored(summaries.get("verification.neg_vf_expectation"), "~readings")
    if not points:
        return None
    d, delta = points[0]["cell"]["d"], points[0]["cell"]["delta"]
    n = np.array([p["cell"]["n"] for p in points])
    count = points[0]["num_replicates"]
    mean = np.array([p["arrays"]["aligned"]["mean"] for p in points])
    spread = np.array([p["arrays"]["aligned"]["sd"] for p in points])
    fine = np.unique(np.geomspace(n[0], n[-1], 80).round().astype(int))
    fig, (ax, right) = plt.subplots(1, 2, figsize=(10.4, 6.0))
    names = {
        "tab": "cloning: exponentially small",
        "finite": "maximum likelihood over {−δ, δ}^d",
        "argmax": "majority of the traces: beats the expert",
    }
    for i, (learner, name) in enumerate(names.items()):
        j = _paired.LEARNERS.index(learner)
        error = 2 * spread[:, j] / math.sqrt(count)
        law = [delta - _paired.paired_vf_value(int(m), d, delta, learner) for m in fine]
        ax.plot(fine, law, "k--", lw=1.0, label="exact means" if i == 0 else None)
        ax.errorbar(n, mean[:, j], error, fmt="osD"[i], capsize=3, label=f"mean aligned gap, {name}; {count:,} runs, ± 2 s.e.")
    ax.plot(fine, 0.3 / np.sqrt(fine), ":", color=_plots.FALSIFIER, label="falsifier: an expected gap of .3 σ/√n, refuted for cloning")
    ax.axhline(0, color="0.6", lw=0.8)
    ax.set_ylabel("mean aligned gap / σ")
    ax.set_title("in expectation, against the true reward, no √-rate", fontsize=9)
    _draw_readings(right, points, n)
    for panel in (ax, right):
        panel.set_xscale("log")
        _integer_axis(panel.xaxis, [int(m) for m in n])
        panel.set_xlabel("expert traces n")
    _below(fig, (ax, right), 1)
    fig.suptitle(f"Which quantifier the √-rate needs: paired styles, d = {d}, δ = {delta}", fontsize=10)
    return fig


def _draw_readings(ax: Any, points: Sequence[Mapping[str, Any]], n: np.ndarray) -> None:
    """The same runs of cloning, read in three ways, gaps times √n: a √-rate is a level line."""
    j, delta, d = _paired.LEARNERS.index("tab"), points[0]["cell"]["delta"], points[0]["cell"]["d"]
    root = np.sqrt(n)

    def reading(name: str) -> tuple[np.ndarray, np.ndarray]:
        mean, sd = (np.array([p["arrays"][name][key][j] for p in points]) for key in ("mean", "sd"))
        return mean, 2 * sd / math.sqrt(points[0]["num_replicates"])

    for name, scale, marker, color, label in (
        ("sup", root, "v", "C3", "cloning: √n · E sup gap / σ, worst reward of the class: level, a √-rate"),
        ("lost", 1.0, "^", "C4", "cloning: P[aligned gap ≥ .3 σ/√n]: level, a √-rate with constant probability"),
        ("aligned", root, "o", "C0", "cloning: √n · E aligned gap / σ: falls to 0, no √-rate in the mean"),
    ):
        mean, error = reading(name)
        ax.errorbar(n, scale * mean, scale * error, fmt="-", marker=marker, capsize=3, color=color, label=label)
    limit = math.sqrt(2 / math.pi * (1 - delta**2) * d)
    ax.axhline(limit, color="k", ls="--", lw=1.0, label="limits √(2d(1 − δ²)/π) and P[Z ≥ .3/√(1 − δ²)], Z standard normal")
    ax.axhline(0.5 * math.erfc(0.3 / math.sqrt(2 * (1 - delta**2))), color="k", ls="--", lw=1.0)
    ax.axhline(0, color="0.6", lw=0.8)
    ax.set_ylabel("√n · gap / σ, or probability")
    ax.set_title("the same cloning runs in three readings", fontsize=9)


FIGURES = {
    "verification.separation": separation,
    "verification.bounds": bounds,
    "verification.phase": phase,
    "verification.negative": negative,
}
