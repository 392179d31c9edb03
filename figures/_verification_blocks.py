"""Figures of verification: the separation in the horizon, and the bounds against what learners lose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from figures import _plots
from figures._axes import end_label, plain_log
from figures._series import explored_of
from figures._verification_axes import check, entry, slope
from theory.verification import _needle, _paired

__all__ = ["FIGURES"]

# --- separation --------------------------------------------------------------------------------------------------------

_BLOCKS, _DELTA = 8, 0.5
_SPREADS = {  # of the base policy: sigma at H, its name, marker, colour
    "linear": (lambda H: H / 2, "σ = H/2", "o", "C0"),
    "root": (np.sqrt, "σ = √H", "s", "C1"),
    "constant": (lambda H: 2.0 + 0.0 * H, "σ = 2", "D", "C2"),
}
_SIZES = {"fixed": lambda H: 512, "grown": lambda H: 4 * H}  # traces


def _mark(ax: Any, row: Mapping[str, Any], **style: Any) -> list[tuple[float, float]]:
    """Grid points of a judged rate with two standard errors either way."""
    H, y, low, high = (np.array([p[k] for p in row["points"]]) for k in ("H", "estimate", "low", "high"))
    ax.errorbar(H, y, [y - low, high - y], **{"ls": "none", "capsize": 2, "elinewidth": 1.0} | style)
    return list(zip(H, y, strict=True))


def _draw_losses(ax: Any, summary: Mapping[str, Any], size: str, fine: np.ndarray) -> None:
    n = np.array([_SIZES[size](int(H)) for H in fine])
    loss = np.array([_paired.tab_mad(int(m), _BLOCKS, _DELTA) for m in n])  # over sigma
    for shape, (sigma, name, marker, color) in _SPREADS.items():
        row = check(summary, f"vf_{shape}_{size}")["rows"][0]
        ax.plot(fine, sigma(fine) * loss, "-", lw=1.0, color=color)
        H, y = _mark(ax, row, marker=marker, color=color)[-1]
        end_label(ax, H, y, f"cloning, {name}:\n{slope(row)}", color)
    bound = np.array([_needle.vb_upper_mean(int(H), 0.5, _BLOCKS * math.log(2), int(m)) for H, m in zip(fine, n, strict=True)])
    ax.plot(fine, bound, "k--", lw=1.3)
    exponent, up = {"fixed": (1, -9), "grown": (0, 0)}[size]
    end_label(ax, fine[-1], bound[-1], f"bound, verifier:\nslope {exponent}", "k", up=up)


def _draw_leads(ax: Any, summary: Mapping[str, Any], fine: np.ndarray) -> None:
    for shape, (sigma, name, marker, color) in _SPREADS.items():
        grown, fixed = (check(summary, f"lead_{shape}_{size}")["rows"][0] for size in ("grown", "fixed"))
        law = [(1 - _DELTA) * s * _paired.paired_vb_value(int(4 * H), _BLOCKS) for H, s in zip(fine, sigma(fine), strict=True)]
        ax.plot(fine, law, "-", lw=1.0, color=color)
        _mark(ax, fixed, marker=marker, color=color, mfc="none", ms=8)
        H, y = _mark(ax, grown, marker=marker, color=color)[-1]
        end_label(ax, H, y, f"{name}:\n{slope(grown)}", color, up=4 if shape == "root" else 0)
    row = check(summary, "lead_near_optimal")["rows"][0]
    law = [H / 2 / math.sqrt(4 * H) * _paired.paired_vb_value(int(4 * H), _BLOCKS) for H in fine]
    ax.plot(fine, law, "-.", lw=1.0, color="0.35")
    H, y = _mark(ax, row, marker="^", color="0.35")[-1]
    end_label(ax, H, y, f"σ = H/2, expert near-\noptimal, 1 − δ = 1/√n:\n{slope(row)}", "0.35", up=-10)


def _draw_false(ax: Any, summary: Mapping[str, Any]) -> int:
    """The lying world of cloning that secretly gets n² traces; its largest horizon, 0 if it was not run."""
    for f in check(summary, "vf_linear_grown")["falsifiers"]:
        if f["name"] == "n-squared" and f["rows"]:
            points = _mark(ax, f["rows"][0], marker="x", color=_plots.FALSIFIER, ls=":")
            ax.text(30, 0.1, "cloning, σ = H/2,\nsecretly n² traces", fontsize=8, color=_plots.FALSIFIER, va="top")
            return int(points[-1][0])
    return 0


def separation(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Against the horizon: what cloning loses on three bases, a verifier-based learner's bound, and its lead over cloning."""
    summary = summaries.get("verification.thm_sep")
    if summary is None or not all(c["rows"] for c in summary["checks"] if c["relation"] == "RATE"):
        return None
    fig, axes = plt.subplots(2, 2, figsize=(10.0, 8.4))
    fixed, grown, lead, key = axes.flat
    fine = np.arange(32, 1025, 16)
    for ax, size, title in ((fixed, "fixed", "loss, data fixed: n = 512"), (grown, "grown", "loss, data grow with the horizon: n = 4H")):
        _draw_losses(ax, summary, size, fine)
        ax.set_title(title)
        ax.set_ylim(0.03, 110)
        ax.set_ylabel("loss (units of reward)")
    _draw_leads(lead, summary, fine)
    lead.set_title("lead of the verifier-based learner over cloning")
    lead.set_ylim(0.5, 600)
    lead.set_ylabel("difference of mean rewards (units of reward)")
    false = _draw_false(grown, summary)
    for ax in (fixed, grown, lead):
        ax.set_yscale("log")
        plain_log(ax.xaxis, [32, 64, 128, 256, 512, 1024])
        ax.set_xlim(27, 4000)
        ax.set_xlabel("horizon H (tokens)")
    key.axis("off")
    key.legend(handles=_separation_key(summary, false), loc="upper left", bbox_to_anchor=(-0.14, 1.04), fontsize=8.5, labelspacing=0.9)
    fig.suptitle(
        "Cloning n expert traces against learning from n labelled rollouts of a base policy:\n"
        f"what each can lose, by how the base policy's spread of rewards σ grows ({_BLOCKS} prompt blocks, expert's bias δ = ½)",
        fontsize=11,
    )
    return fig


def _separation_key(summary: Mapping[str, Any], false: int) -> list[Any]:
    rates = [c["rows"][0]["num_replicates"] for c in summary["checks"] if c["relation"] == "RATE"]
    silent = 2 * 2 / _needle.vb_upper_mean(1, 0.5, _BLOCKS * math.log(2), 512)  # the H where the bound is 2 sigma, sigma = 2
    key = [
        entry(
            f"markers: mean of {min(rates)} to {max(rates)} runs, ± 2 standard errors,\n"
            "pointwise; lines: exact means, derived here.\n"
            "Loss of cloning: mean reward below the expert's, for\nthe worst of 2⁸ rewards (sign patterns)",
            color="0.35",
            marker="o",
            lw=1.0,
        ),
        entry(
            "open markers: the lead at n = 512, else n = 4H.\nIt includes what the verifier-based learner gains\non the expert, σ(1 − δ)",
            color="0.35",
            marker="o",
            ms=8,
            mfc="none",
            ls="none",
        ),
        entry(
            "bound on the mean loss of the verifier-based learner\nto the best policy of density ratio 1/c = 2:\n"
            "(H/c)(ln|R| + 1)/n, |R| = 2⁸ (thm_vb_ub, derived here).\n"
            "The exact loss, below 2·10⁻⁶, is not drawn. No loss\nis above 2σ: for σ = 2 and n = 512 the bound says\n"
            f"nothing beyond H = {silent:.0f}",
            color="k",
            ls="--",
        ),
    ]
    if false:
        lie = {"marker": "x", "ls": ":", "color": _plots.FALSIFIER}
        key.append(entry(f"falsifier: the judge refutes slope ½ (run up to H = {false})", **lie))
    key.append(
        entry(
            "Slopes: of the logarithms, ± half the interval (level\n1 − 10⁻⁶, asymptotic); judged to lie within 0.03 of\n"
            "−½, 0, ½ or 1. Of the bound: by its formula"
        )
    )
    return key


# --- bounds ------------------------------------------------------------------------------------------------------------

_GREY = {"color": "0.5", "alpha": 0.15, "lw": 0}
_H, _CONF = 64, 0.05
_RARE = 0.6  # p = .6 K/n: near the needles that cost the best learner most (thm_vb_tight)
_DASHES = (6, 1.5, 1, 1.5)


def _largest_at(points: Sequence[Mapping[str, Any]], sigma: float, share: float = 0.05) -> np.ndarray:
    """The loss of maximum likelihood that at most a `share` of its runs exceed: a whole number of wrong blocks, 2 sigma delta/d each."""
    grid, found = np.linspace(0, 1.6, 65), []  # of sigma sqrt(d/n), as it was counted
    for p in points:
        n, d, delta = (p["cell"][k] for k in ("n", "d", "delta"))
        step = 2 * sigma * delta / d
        above = np.interp(step * (np.arange(d + 1) + 0.5), sigma * math.sqrt(d / n) * grid, p["arrays"]["above"]["mean"])
        found.append(step * int(np.argmax(above <= share)))
    return np.array(found)


def _draw_free(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """Paired styles, sigma = H/2: what cloning and maximum likelihood lose, between the lower and the upper bound."""
    sigma, d = _H / 2, points[0]["cell"]["d"]
    n, delta = (np.array([p["cell"][k] for p in points]) for k in ("n", "delta"))
    fine = np.unique(np.geomspace(n[0], n[-1], 60).round().astype(int))
    bias = np.exp(np.interp(np.log(fine), np.log(n), np.log(delta)))  # constant, or a power of n
    at = list(zip(fine.tolist(), bias.tolist(), strict=True))
    ax.fill_between(fine, 2 * sigma * bias, 1e4, **_GREY)
    upper = [_paired.vf_upper(sigma * math.sqrt(1 - e**2), _H, d * math.log(2), _CONF, m) for m, e in at]
    ax.plot(fine, upper, "k--")
    ax.plot(fine, [sigma * _paired.tab_mad(m, d, e) for m, e in at], "-", lw=1.0, color="C0")
    for j, color, marker, fill in ((0, "C0", "o", "C0"), (1, "C2", "s", "white")):  # cloning, maximum likelihood
        mean, sd = (sigma * np.array([p["arrays"]["sup"][key][j] for p in points]) for key in ("mean", "sd"))
        error = 2 * sd / np.sqrt([p["num_replicates"] for p in points])
        seen = mean > 0
        bars = [np.minimum(error, 0.9 * mean)[seen], error[seen]]  # a log axis has no place for the rest
        ax.errorbar(n[seen], mean[seen], bars, ls="none", marker=marker, color=color, mfc=fill, ms=5, capsize=2)
    highest = _largest_at(points, sigma)
    ax.plot(n[highest > 0], highest[highest > 0], "d", color="C2")
    ax.plot(fine, [_paired.vf_lower(sigma, m, d, e) for m, e in at], "k:", lw=1.3, zorder=3)


def _draw_based(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """Needles: what a verifier-based learner loses with the worst agreeing verifier, and the best one anyhow."""
    d, p, K = (points[0]["cell"][k] for k in ("d", "p", "K"))
    fine = np.unique(np.geomspace(points[0]["cell"]["n"], points[-1]["cell"]["n"], 80).round().astype(int))
    ax.fill_between(fine, _H * d * p, 1e4, **_GREY)
    ax.plot(fine, [_needle.vb_upper_mean(_H, 1 / K, d * math.log(K), int(m)) for m in fine], "k--")
    ax.plot(fine, [_needle.needle_worst(_H, d, p, K, int(m)) for m in fine], "-", lw=1.0, color="C0")
    seen = [q for q in points if q["estimate"] > 0]
    mean, error = np.array([q["estimate"] for q in seen]), np.array([2 * q["sd"] / math.sqrt(q["num_replicates"]) for q in seen])
    ax.errorbar([q["cell"]["n"] for q in seen], mean, [np.minimum(error, 0.9 * mean), error], fmt="o", color="C0", capsize=3)
    ax.plot(fine, [_needle.needle_vb(_H, d, p, K, int(m)) for m in fine], "--", dashes=_DASHES, lw=1.2, color="C1")
    ax.plot(fine, [_needle.needle_vb(_H, d, _RARE * K / m, K, int(m)) for m in fine], "-", lw=1.2, color="C4")


def bounds(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Both upper bounds against n, with what the learners really lose and where the bounds say nothing."""
    hard = explored_of(summaries, "verification.prop_vf_ub", "~curve")
    fixed = explored_of(summaries, "verification.neg_vf_expectation", "~readings")
    based = explored_of(summaries, "verification.thm_vb_ub", "~curve")
    if not hard or not fixed or not based:
        return None
    fig, axes = plt.subplots(1, 3, figsize=(13.2, 7.2))
    _draw_free(axes[0], hard)
    _draw_free(axes[1], fixed)
    _draw_based(axes[2], based)
    d, needle = hard[0]["cell"]["d"], based[0]["cell"]
    titles = (
        "verifier-free, expert hardest to copy: δ = 0.752 √(d/n)",
        "verifier-free, expert fixed: δ = ½",
        f"verifier-based: p = 1/{1 / needle['p']:.0f}, K = {needle['K']}",
    )
    for ax, points, title in zip(axes, (hard, fixed, based), titles, strict=True):
        ax.set_yscale("log")
        plain_log(ax.xaxis, [p["cell"]["n"] for p in points][:: 2 if len(points) > 7 else 1])
        ax.set_xlim(points[0]["cell"]["n"] / 1.15, points[-1]["cell"]["n"] * 1.15)
        ax.set_title(title)
        ax.set_ylim(0.01, 300)
        ax.set_ylabel("loss to the best policy of density ratio ≤ K" if ax is axes[2] else "loss to the expert, worst of 2ᵈ rewards")
        ax.set_xlabel("labelled rollouts of the base policy, n" if ax is axes[2] else "expert traces n")
    fig.suptitle(
        f"Verifier-free: in each of {d} blocks of prompts one of two styles earns H/2 + σ, the other H/2 − σ, σ = H/2; "
        f"the expert plays the better one with probability (1 + δ)/2.\n"
        f"Verifier-based: a prompt falls into each of {needle['d']} blocks with probability p; one of K styles, the needle, "
        f"earns H there, the others 0. H = {_H}",
        fontsize=10,
    )
    fig.legend(handles=_free_key(hard[0]["num_replicates"], fixed[0]["num_replicates"]), loc="outside lower left", ncols=2)
    fig.legend(handles=_based_key(based), loc="outside lower right")
    return fig


def _free_key(hard: int, fixed: int) -> list[Any]:
    return [
        entry("upper bound on the loss of maximum likelihood,\nconfidence 0.95 (prop_vf_ub, derived here)", color="k", ls="--"),
        Patch(**_GREY, label="no policy of maximum likelihood's class, {−δ, δ}ᵈ,\nloses as much (2σδ): a bound in here says nothing"),
        entry(
            "lower bound on any learner's mean loss, for some choice of the\nbetter styles (thm_vf_lb, derived here); left 0.340 σ √(d/n)",
            color="k",
            ls=":",
        ),
        entry(
            f"cloning: mean of {hard:,} (left) or {fixed:,} runs,\n± 2 standard errors; line: exact mean (prop_vf_const)",
            color="C0",
            marker="o",
            lw=1.0,
        ),
        entry("maximum likelihood: mean of the same runs, ± 2 s.e.", color="C2", marker="s", mfc="white", ls="none"),
        entry(
            "maximum likelihood: 5 % of runs at most lose more\n(a whole number of blocks, so in steps; then 0)",
            color="C2",
            marker="d",
            ls="none",
        ),
    ]


def _based_key(points: Sequence[Mapping[str, Any]]) -> list[Any]:
    d, p, K = (points[0]["cell"][k] for k in ("d", "p", "K"))
    at = _H, 1 / K, d * math.log(K)
    more = _needle.vb_upper(*at, _CONF, 1) / _needle.vb_upper_mean(*at, 1)
    runs, never = points[0]["num_replicates"], [q["cell"]["n"] for q in points if q["estimate"] == 0]
    zero = f" (from n = {min(never)} on no run loses)" if never else ""
    return [
        entry(
            "upper bound on the mean loss, (H/c)(ln|R| + 1)/n, c = 1/K, |R| = Kᵈ\n"
            f"(thm_vb_ub, derived here); at confidence 0.95: {more:.2f} times that",
            color="k",
            ls="--",
        ),
        Patch(**_GREY, label=f"no policy loses as much (H d p = {_H * d * p:g})"),
        entry(
            f"learner with the worst verifier that agrees with all labels: mean of\n{runs:,} runs ± 2 s.e.{zero}; line: exact mean",
            color="C0",
            marker="o",
            lw=1.0,
        ),
        entry("best learner possible, exact mean", color="C1", dashes=_DASHES, lw=1.2),
        entry(
            f"best learner possible where p = {_RARE} K/n, exact mean: the rate 1/n is\n"
            "real (thm_vb_tight), though H d p is below the bound there",
            color="C4",
            lw=1.2,
        ),
    ]


FIGURES = {"verification.separation": separation, "verification.bounds": bounds}
