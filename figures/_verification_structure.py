"""Figures of verification: the law of the reward, its spread and its upper tail; best of N at equal tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from figures._axes import plain_log
from figures._series import explored_of
from figures._verification_axes import check, entry
from theory.verification import _balls, _planted

__all__ = ["FIGURES"]

_V, _K = _planted.VOCABULARY, _planted.GOLD_LENGTH
_BASES = tuple(_planted.BASES)
_COLORS = {base: f"C{i}" for i, base in enumerate(_BASES)}
_MARKERS = dict(zip(_BASES, "osD^", strict=True))
_NAMES = {
    "single": "single: one style, γ = 60",
    "two": "two: γ = 15 or 240",
    "log6": "log6: γ = 8, 16, …, 256",
    "dead": "dead: γ = 1 or 1,000",
}

# --- heterogeneity -----------------------------------------------------------------------------------------------------


def _draw_laws(ax: Any, summary: Mapping[str, Any] | None, H: int) -> list[int]:
    """P(R >= r) at one horizon, sampled over exact; the numbers of traces."""
    r, traces = np.arange(H - _K + 2), []  # up to the largest reward
    for base in _BASES:
        pmf = _planted.mixture_pmf(*_planted.BASES[base], _V, _K, H)
        ax.step(r, np.cumsum(pmf[::-1])[::-1][r], where="pre", color=_COLORS[base], lw=1.1)
    for row in check(summary, "sampled-mean")["rows"]:
        base = row["cell"]["base"]
        if row["cell"]["H"] != H or "histogram" not in row["arrays"] or base not in _BASES:
            continue
        above = np.cumsum(np.array(row["arrays"]["histogram"]["mean"])[::-1])[::-1]
        ax.plot(r[::4], above[r[::4]], _MARKERS[base], mfc="white", color=_COLORS[base])
        traces.append(row["num_replicates"])
    ax.set_ylim(0, 1.03)
    ax.set_xlabel("r (tokens)")
    ax.set_ylabel("P(R ≥ r)")
    ax.set_title(f"law of the reward at H = {H}: open markers sampled, lines exact")
    return traces


def _curve(points: Sequence[Mapping[str, Any]], base: str, label: str, kappa: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Horizons and numbers of one curve of emp_hetero/~curves."""
    mine = sorted((p for p in points if p["cell"]["base"] == base), key=lambda p: p["cell"]["H"])
    pick = [next(c["estimate"] for c in p["cases"] if c["label"] == label and c.get("kappa") == kappa) for p in mine]
    return np.array([p["cell"]["H"] for p in mine]), np.array(pick)


def _draw_spread(ax: Any, points: Sequence[Mapping[str, Any]]) -> None:
    for base in _BASES:
        H, share = _curve(points, base, "sigma/H")
        ax.plot(H, share, marker=_MARKERS[base], color=_COLORS[base])
    fine = np.geomspace(H[0], H[-1], 200)
    for base in ("single", "two", "log6"):  # of "dead" it is above the largest spread at every H
        cap = _planted.spread_cap(*_planted.BASES[base], _V, _K) / fine
        ax.plot(fine[cap <= 0.5], cap[cap <= 0.5], "k--", lw=1.0)
        if cap[0] > 0.5:
            ax.annotate(base, (fine[cap <= 0.5][0], 0.5), (0, 3), textcoords="offset points", fontsize=8, ha="center")
    ax.axhspan(0.5, 0.6, color="0.5", alpha=0.15, lw=0)
    ax.text(H[0], 0.555, "no law on 0 … H spreads as much", fontsize=8, va="center")
    ax.set_ylim(0, 0.6)
    ax.set_ylabel("heterogeneity σ/H")
    ax.set_title("σ of order H needs traces that are not solved yet")


def _draw_tail(ax: Any, strip: Any, points: Sequence[Mapping[str, Any]], kappa: float) -> None:
    """c(kappa) and its repair; below, in a row for each base, the horizons at which c = 0."""
    for i, base in enumerate(_BASES):
        H, c = _curve(points, base, "c", kappa)
        _, repaired = _curve(points, base, "c*", kappa)
        style = {"marker": _MARKERS[base], "color": _COLORS[base]}
        ax.plot(H[c > 0], c[c > 0], "-", **style)
        other = np.flatnonzero(np.abs(repaired - c) > 1e-9)
        if other.size:
            joined = np.arange(max(0, other[0] - 1), len(H))  # from the last horizon where both are one
            ax.plot(H[joined], repaired[joined], "-.", lw=0.9, color=_COLORS[base])
            ax.plot(H[other], repaired[other], ls="none", mfc="white", **style)
        strip.plot(H[c == 0], 0 * H[c == 0] - i, ls="none", **style)
    ax.axhline(float(_balls.cantelli_cap(kappa)), color="k", ls="--", lw=1.1)
    ax.set_ylim(0.28, 0.88)
    ax.set_ylabel("probability")
    ax.set_title(f"anti-concentration at κ = {kappa:g}")
    ax.tick_params(labelbottom=False)
    strip.set_ylim(-len(_BASES) + 0.4, 0.6)
    strip.set_yticks([-i for i in range(len(_BASES))], _BASES, fontsize=8)
    strip.set_ylabel("c(κ) = 0:\nsilent", fontsize=8)


def heterogeneity(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Law of R, sigma/H and c(kappa) against the horizon for the four bases."""
    points = explored_of(summaries, "verification.emp_hetero", "~curves")
    if not points:
        return None
    rows = [["law", "spread"], ["quarter", "one"], ["silent quarter", "silent one"]]
    fig, axes = plt.subplot_mosaic(rows, figsize=(10.8, 10.0), height_ratios=(3.2, 2.8, 0.9))
    traces = _draw_laws(axes["law"], summaries.get("verification.lem1"), H=64)
    _draw_spread(axes["spread"], points)
    _draw_tail(axes["quarter"], axes["silent quarter"], points, 0.25)
    _draw_tail(axes["one"], axes["silent one"], points, 1.0)
    H = sorted({p["cell"]["H"] for p in points})
    for name, ax in axes.items():
        if name != "law":
            plain_log(ax.xaxis, H)
            ax.set_xlim(H[0] / 1.2, H[-1] * 1.2)
    for name in ("spread", "silent quarter", "silent one"):
        axes[name].set_xlabel("horizon H (tokens)")
    fig.legend(handles=_hetero_key(traces), loc="outside lower left", ncols=2)
    fig.suptitle(
        "How the styles of a base policy set the spread and the upper tail of its reward. Planted subsequence: "
        f"{_K} gold tokens in a row,\nof a vocabulary of {_V}; R: the tokens left when a trace is solved, 0 if it is not. "
        "Exact, but for the open markers top left",
        fontsize=10,
    )
    return fig


def _hetero_key(traces: Sequence[int]) -> list[Any]:
    sd = _planted.spread_cap(*_planted.BASES["dead"], _V, _K)
    many = f" Sampled: {min(traces):,} to {max(traces):,} traces a base, single not" if traces else ""
    return [
        *(entry(_NAMES[base], marker=_MARKERS[base], color=_COLORS[base]) for base in _BASES),
        entry(f"γ: weight of the right next token, of every other token 1;\nstyles equally likely.{many}"),
        entry(
            f"top: bound sd(T)/H, T the time of solving (emp_hetero,\nderived here); of dead it says nothing, sd(T) = {round(sd, -3):,.0f}",
            color="k",
            ls="--",
        ),
        entry("bottom: bound c(κ) ≤ 1/(1 + κ) (Cantelli; lem3, derived here)", color="k", ls="--"),
        entry("c(κ) = P(R ≥ μ + σ√κ); where it is 0 the theory is silent", color="0.35", marker="o"),
        entry(
            "c*(κ) = P(R ≥ best mean in the ball χ² ≤ κ), the repair\nderived here, where it differs",
            color="0.35",
            marker="o",
            mfc="white",
            ls="-.",
            lw=0.9,
        ),
    ]


# --- best of N ---------------------------------------------------------------------------------------------------------

_TOKENS = {32: ("C0", "o", "-"), 64: ("C4", None, "--"), 128: ("C1", "s", "-"), 512: ("C2", None, "-.")}  # colour, marker, dash
_NUM_TRACES = (1, 2, 4, 8, 16)
_LIES = {"no-verifier": {32: "x", 128: "+"}, "free-tokens": {32: "1"}}


def _bon_points(one: Mapping[str, Any], rows: Any, base: str) -> Iterator[tuple[int, int, float]]:
    """(H, N, P(no trace is solved)) of the evaluated cases of one base."""
    for row in rows:
        if row["cell"]["base"] == base:
            for case in row["points"]:
                p = case["estimate"] if one["name"] != "values" else 1 - case["estimate"]
                yield row["cell"]["H"], case["num_traces"], p


def _draw_bon(ax: Any, checks: Sequence[Mapping[str, Any]], base: str) -> None:
    judged = {point for one in checks for point in _bon_points(one, one["rows"], base)}
    for H, (color, marker, dash) in _TOKENS.items():
        reach = [n for n in _NUM_TRACES if H // n >= _K]
        failure = [_planted.bon_failure(*_planted.BASES[base], _V, _K, H, n) for n in reach]
        ax.plot(reach, failure, dash, color=color, lw=1.5 if marker else 1.0)
        mine = sorted((n, p) for h, n, p in judged if h == H)
        if mine:
            ax.plot(*zip(*mine, strict=True), ls="none", marker=marker, ms=6, color=color)
    for one in checks:
        for f in one["falsifiers"]:
            for H, marker in _LIES.get(f["name"], {}).items():
                wrong = sorted((n, p) for h, n, p in _bon_points(one, f["rows"], base) if h == H and n > 1)
                if wrong:  # of one trace nothing is broken
                    ax.plot(*zip(*wrong, strict=True), ls=":", lw=1.0, marker=marker, ms=8, mew=1.4, color=_plots.FALSIFIER)
    plain_log(ax.xaxis, _NUM_TRACES)
    ax.set_yscale("log")
    ax.set_ylim(1e-7, 2)
    ax.set_title(_NAMES[base])


def bestofn(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """P(no trace is solved) against the number of verified traces among which the tokens are split."""
    summary = summaries.get("verification.emp_bon")
    if summary is None:
        return None
    checks = [check(summary, name) for name in ("parallel-helps", "parallel-hurts", "values")]
    fig, axes = plt.subplots(2, 2, figsize=(10.0, 8.8), sharex=True, sharey=True)
    for ax, base in zip(axes.flat, _BASES, strict=True):
        _draw_bon(ax, checks, base)
    for ax in axes.flat:
        ax.tick_params(labelbottom=True, labelleft=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("P(no trace is solved)")
    for ax in axes[1]:
        ax.set_xlabel("number of traces N, of H/N tokens each")
    key = [
        entry(f"H = {H} tokens in all{', judged at the markers' if marker else ''}", color=color, ls=dash, marker=marker, ms=6)
        for H, (color, marker, dash) in _TOKENS.items()
    ]
    lie = {"color": _plots.FALSIFIER, "ls": ":", "lw": 1.0, "ms": 8, "mew": 1.4}
    key += [
        entry("falsifier: a random one of N traces, H = 32", marker="x", **lie),
        entry("the same, H = 128", marker="+", **lie),
        entry(f"falsifier: {_K - 1} tokens a trace are not counted, H = 32", marker="1", **lie),
        entry("γ: weight of the right next token, of every other 1; equally likely styles"),
    ]
    fig.legend(handles=key, loc="outside lower left", ncols=2)
    fig.suptitle(
        "One long trace (N = 1) or the best of N verified ones at equal tokens: splitting helps bases of several styles, "
        "hurts one style.\n"
        f"Exact, (1 − F(H/N))ᴺ with F(h) = P(solved within h tokens), cut at 10⁻⁷; {_K} gold tokens of {_V} (emp_bon, derived here)",
        fontsize=10,
    )
    return fig


FIGURES = {"verification.heterogeneity": heterogeneity, "verification.bestofn": bestofn}
