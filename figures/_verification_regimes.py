"""Figures of verification: where cloning or a verifier loses less, and which reading of cloning's loss has a root-n rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._axes import plain_log
from figures._series import explored_of
from figures._verification_axes import check, entry
from theory.verification import _paired

__all__ = ["FIGURES"]

# --- phase -------------------------------------------------------------------------------------------------------------

_D, _DELTA = 8, 0.5
_SHARE = 0.12  # of its mean bound that the best verifier-based learner loses on the needles that cost it most: .107 to .123


def _needle_loss(c: Any, n: Any) -> Any:
    """Over H, not capped."""
    return _SHARE * (_D * np.log(1 / c) + 1) / (c * n)


def phase(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Who wins: cloning against heterogeneity, or a verifier against rare good traces."""
    summary = summaries.get("verification.reg_vf_wins")
    if summary is None:
        return None
    sizes = np.geomspace(16, 16384, 161)
    cloned = np.array([_paired.tab_mad(round(m), _D, _DELTA) for m in sizes])  # over sigma
    large = math.sqrt(2 / math.pi * (1 - _DELTA**2) * _D)  # its limit times sqrt(n)
    share, K = np.geomspace(0.01, 0.5, 100), 4
    rare = np.geomspace(1 / 64, 0.5, 100)
    fig, axes = plt.subplots(1, 2, figsize=(11.0, 6.6))
    panels = (
        (axes[0], share, share, 1 / K + 0 * share, f"good traces have probability c = 1/{K}"),
        (axes[1], rare, 0.25 + 0 * rare, rare, "heterogeneity σ = H/4"),
    )
    for ax, x, sigma, c, title in panels:
        z = np.log10(sigma[None] * cloned[:, None] / np.minimum(_needle_loss(c[None], sizes[:, None]), 1))
        filled = ax.contourf(x, sizes, z, levels=np.linspace(-2, 2, 17), cmap="PRGn_r", extend="both")
        ax.contour(x, sizes, z, levels=[0], colors="k", linewidths=1.6)
        ax.plot(x, (_needle_loss(c, 1) / (large * sigma)) ** 2, "k--", lw=1.1)
        ax.plot(x, _needle_loss(c, 1), ":", color="k", lw=1.3)
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.set_xlim(x[0], x[-1])
        plain_log(ax.yaxis, [16, 64, 256, 1024, 4096, 16384])
        ax.set_ylim(sizes[0], sizes[-1])
        ax.set_ylabel("samples n, as many for both")
        ax.set_title(title)
        box = {"facecolor": "white", "alpha": 0.8, "lw": 0}
        ax.text(x[-1] * 0.9, 7000, "verifier loses less", ha="right", bbox=box)
        ax.text(x[0] * 1.5, 420, "cloning loses less", bbox=box)
    axes[0].set_xlabel("heterogeneity σ/H where cloning learns")
    axes[0].set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5], ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"])
    axes[1].set_xlabel("probability c of a good trace where the verifier learns")
    axes[1].set_xticks([1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2], ["1/64", "1/32", "1/16", "1/8", "1/4", "1/2"])
    bar = fig.colorbar(filled, ax=axes, label="loss of cloning / loss of the verifier-based learner", ticks=[-2, -1, 0, 1, 2])
    bar.ax.set_yticklabels(["1/100", "1/10", "1", "10", "100"])
    fig.legend(handles=_phase_key(summary), loc="outside lower left")
    fig.suptitle(
        "Each method in the world that is hard for it: cloning n expert traces on paired styles of heterogeneity σ,\n"
        "learning from n labelled rollouts on needles of probability c. Orders of magnitude by formula, not simulated",
        fontsize=10,
    )
    return fig


def _phase_key(summary: Mapping[str, Any]) -> list[Any]:
    key = [
        entry(
            f"equal losses: exact mean of cloning (prop_vf_const; d = {_D} blocks, δ = ½; it bends where a block has few traces) against\n"
            f"the best verifier-based learner's {_SHARE} (H/c)(d ln(1/c) + 1)/n, at most H, on needles as rare as costs it most, "
            "p about 1/(cn) (thm_vb_tight)",
            color="k",
            lw=1.6,
        ),
        entry("the same with cloning's limit at large n, σ √(2(1 − δ²)d/(πn))", color="k", ls="--"),
        entry("right: below it that formula exceeds H, the largest loss, and is cut there", color="k", ls=":"),
    ]
    rows = [check(summary, name)["rows"] for name in ("gap_vb", "gap_vf")]
    if all(rows):
        (based, *_), (free, *_) = rows
        H, n, K = (based["cell"][k] for k in ("H", "n", "K"))
        less, runs = based["estimate"] / free["estimate"], (free["num_replicates"], based["num_replicates"])
        key.append(
            entry(
                f"The two methods do not meet in one world here. On the needles alone cloning loses {less:.0f} times less, "
                f"{free['estimate']:.3f} against {based['estimate']:.2f} of H = {H}\n(c = 1/{K}, n = {n}, p = K/n; measured in "
                f"{runs[0]:,} and {runs[1]:,} runs, reg_vf_wins; the formula says {H * _needle_loss(1 / K, n):.2f})"
            )
        )
    return key


# --- negative ----------------------------------------------------------------------------------------------------------

_LEARNERS = {  # name, marker, colour, face
    "tab": ("cloning", "o", "C0", "C0"),
    "finite": ("maximum likelihood over {−δ, δ}ᵈ", "s", "C2", "white"),
    "argmax": ("majority of the traces in a block: beats the expert", "D", "C1", "C1"),
}


def negative(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Three readings of one sample: cloning's loss in the mean for the true and the worst reward, and in probability."""
    summary = summaries.get("verification.neg_vf_expectation")
    points = explored_of(summaries, "verification.neg_vf_expectation", "~readings")
    if not points:
        return None
    d, delta = points[0]["cell"]["d"], points[0]["cell"]["delta"]
    n = np.array([p["cell"]["n"] for p in points])
    fig, axes = plt.subplots(1, 3, figsize=(13.2, 6.0))
    _draw_true(axes[0], points, summary)
    _draw_worst(axes[1], points)
    _draw_chance(axes[2], points)
    for ax in axes:
        plain_log(ax.xaxis, n.tolist()[::2])
        ax.set_xlabel("expert traces n")
        ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    first = f"; mean of {points[0]['num_replicates']:,} runs, ± 2 standard errors; lines: exact means. Loss: mean reward below the expert's"
    key = [
        entry(name + (first if i == 0 else ""), marker=marker, color=color, mfc=face, lw=1.0)
        for i, (name, marker, color, face) in enumerate(_LEARNERS.values())
    ]
    key += [
        entry("limits for n → ∞ (derived here): middle √(2d(1 − δ²)/π), right P[Z ≥ 0.3/√(1 − δ²)], Z standard normal", color="k", ls="--"),
        entry(
            "falsifier: a mean loss of 0.3 σ/√n is claimed for cloning; refuted at the crosses",
            color=_plots.FALSIFIER,
            ls=":",
            marker="x",
        ),
    ]
    fig.legend(handles=key, loc="outside lower left")
    fig.suptitle(
        "Which reading of a verifier-free loss falls like σ/√n? Times √n such a rate is level: it needs the worst reward, "
        "or a probability\n"
        f"(paired styles, d = {d} blocks, expert's bias δ = {delta:g}; verification.neg_vf_expectation, derived here)",
        fontsize=10,
    )
    return fig


def _reading(points: Sequence[Mapping[str, Any]], name: str, learner: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample sizes, means over runs and two standard errors."""
    j = _paired.LEARNERS.index(learner)
    mean, sd = (np.array([p["arrays"][name][key][j] for p in points]) for key in ("mean", "sd"))
    return np.array([p["cell"]["n"] for p in points]), mean, 2 * sd / math.sqrt(points[0]["num_replicates"])


def _fine(points: Sequence[Mapping[str, Any]]) -> np.ndarray:
    ends = (points[0]["cell"]["n"], points[-1]["cell"]["n"])
    return np.unique(np.geomspace(*ends, 120).round().astype(int))


def _draw_true(ax: Any, points: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
    d, delta, fine = points[0]["cell"]["d"], points[0]["cell"]["delta"], _fine(points)
    low, high = -2.0, 1.6
    for learner, (_, marker, color, face) in _LEARNERS.items():
        n, mean, error = _reading(points, "aligned", learner)
        law = np.array([delta - _paired.paired_vf_value(int(m), d, delta, learner) for m in fine])
        ax.plot(fine, np.sqrt(fine) * law, "-", lw=1.0, color=color)
        inside = np.sqrt(n) * mean > low
        x, y, error = n[inside], (np.sqrt(n) * mean)[inside], (np.sqrt(n) * error)[inside]
        ax.errorbar(x, y, error, ls="none", marker=marker, color=color, mfc=face, capsize=3)
        if not inside.all():
            text = f"beats the expert:\nfalls to {math.sqrt(n[-1]) * mean[-1]:.1f} at {n[-1]:,}".replace("-", "−")
            ax.annotate(text, (x[-1], y[-1]), (22, -6), textcoords="offset points", fontsize=8, color=color)
    ax.plot(fine, 0 * fine + 0.3, ":", color=_plots.FALSIFIER)
    for f in check(summary, "cloning")["falsifiers"]:
        wrong = [(row["cell"]["n"], math.sqrt(row["cell"]["n"]) * row["bound"]) for row in f["rows"] if row["verdict"] == "REFUTED"]
        ax.plot(*zip(*wrong, strict=True), "x", ms=7, color=_plots.FALSIFIER)
    ax.set_ylim(low, high)
    ax.set_ylabel("√n · mean loss / σ")
    ax.set_title("mean, true reward: no rate σ/√n")


def _draw_worst(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    d, delta, fine = points[0]["cell"]["d"], points[0]["cell"]["delta"], _fine(points)
    n, mean, error = _reading(points, "sup", "tab")
    ax.plot(fine, [math.sqrt(m) * _paired.tab_mad(int(m), d, delta) for m in fine], "-", lw=1.0, color="C0")
    ax.errorbar(n, np.sqrt(n) * mean, np.sqrt(n) * error, ls="none", marker="o", color="C0", capsize=3)
    ax.plot(fine, math.sqrt(2 / math.pi * (1 - delta**2) * d) + 0 * fine, "k--", lw=1.0)
    ax.set_ylim(-0.1, 3.6)
    ax.set_ylabel("√n · mean loss / σ")
    ax.set_title("mean, worst reward of 2ᵈ sign patterns: a rate σ/√n")


def _draw_chance(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    delta, fine = points[0]["cell"]["delta"], _fine(points)
    ax.errorbar(*_reading(points, "lost", "tab"), ls="none", marker="o", color="C0", capsize=3)
    ax.plot(fine, 0.5 * math.erfc(0.3 / math.sqrt(2 * (1 - delta**2))) + 0 * fine, "k--", lw=1.0)
    ax.set_ylim(-0.03, 1)
    ax.set_ylabel("share of runs with a loss of at least 0.3 σ/√n")
    ax.set_title("true reward, with constant probability: a rate σ/√n")


FIGURES = {"verification.phase": phase, "verification.negative": negative}
