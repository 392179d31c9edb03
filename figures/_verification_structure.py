"""Figures of verification: the law of the reward, its spread and its upper tail; best of N at equal tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures import _plots
from theory.verification import _balls, _planted

__all__ = ["FIGURES"]

_BASES = tuple(_planted.BASES)
_COLORS = {base: f"C{i}" for i, base in enumerate(_BASES)}
_MARKERS = dict(zip(_BASES, "osD^", strict=True))
_NAMES = {
    "single": "single: one style, $\\gamma$ = 60",
    "two": "two: $\\gamma$ = 15 or 240",
    "log6": "log6: $\\gamma$ = 8, 16, .., 256",
    "dead": "dead: $\\gamma$ = 1 or 1000",
}


def _check(summary: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = (c for c in (summary or {"checks": ()})["checks"] if c["name"] == name)
    return next(found, {"rows": (), "falsifiers": ()})


def _draw_laws(ax: Any, summary: Mapping[str, Any] | None, H: int) -> None:
    """P(R = r) at one horizon: sampled frequencies over the exact law."""
    for row in _check(summary, "sampled-mean")["rows"]:
        base = row["cell"]["base"]
        if row["cell"]["H"] != H or "histogram" not in row["arrays"] or base not in _BASES:
            continue
        seen = np.array(row["arrays"]["histogram"]["mean"])
        here = np.flatnonzero(seen)
        label = f"{base}: {row['num_replicates']:,} sampled traces"
        ax.plot(here, seen[here], _MARKERS[base], ms=3.2, mfc="none", color=_COLORS[base], label=label)
    for i, base in enumerate(_BASES):
        pmf = _planted.mixture_pmf(*_planted.BASES[base], _planted.VOCABULARY, _planted.GOLD_LENGTH, H)
        r = np.flatnonzero(pmf)
        ax.plot(r, pmf[r], color=_COLORS[base], lw=1.1, label="single: exact law only; lines: exact laws" if i == 0 else None)
    ax.set_yscale("log")
    ax.set_ylim(2e-5, 3)
    ax.set_xlabel("reward $R$: tokens left when the trace is solved")
    ax.set_ylabel("probability")
    ax.set_title(f"law of the reward, $H$ = {H}")
    ax.legend(loc="upper center", ncols=2)


def _curve(points: list[Mapping[str, Any]], base: str, label: str, kappa: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Horizons and numbers of one curve of emp_hetero/~curves."""
    mine = sorted((p for p in points if p["cell"]["base"] == base), key=lambda p: p["cell"]["H"])
    pick = [next(c["estimate"] for c in p["cases"] if c["label"] == label and c.get("kappa") == kappa) for p in mine]
    return np.array([p["cell"]["H"] for p in mine]), np.array(pick)


def _draw_spread(ax: Any, points: list[Mapping[str, Any]]) -> None:
    for base in _BASES:
        H, share = _curve(points, base, "sigma/H")
        ax.plot(H, share, marker=_MARKERS[base], color=_COLORS[base], label=_NAMES[base])
    fine = np.geomspace(points[0]["cell"]["H"], max(p["cell"]["H"] for p in points), 80)
    for i, base in enumerate(("single", "two", "log6")):
        cap = _planted.spread_cap(*_planted.BASES[base], _planted.VOCABULARY, _planted.GOLD_LENGTH) / fine
        shown = cap <= 0.56  # above it any law in [0, H] meets the bound, and the legend stands there
        ax.plot(fine[shown], cap[shown], "k--", lw=1.0, label="bound sd(T)/H for single, two, log6" if i == 0 else None)
    ax.set_xscale("log", base=2)
    ax.set_ylim(0, 0.78)
    ax.set_xlabel("horizon $H$ (tokens)")
    ax.set_ylabel("heterogeneity $\\sigma/H$")
    ax.set_title("heterogeneity of order $H$ needs traces not yet solved")
    ax.legend(loc="upper right", ncols=2)


def _draw_tail(ax: Any, points: list[Mapping[str, Any]], kappa: float) -> None:
    for i, base in enumerate(_BASES):
        H, c = _curve(points, base, "c", kappa)
        _, repaired = _curve(points, base, "c*", kappa)
        ax.plot(H, c, marker=_MARKERS[base], color=_COLORS[base], label=f"$c(\\kappa)$, {base}")
        label = "$c^*(\\kappa)$, repaired, same colours" if i == 0 else None
        ax.plot(H, repaired, "-.", marker=_MARKERS[base], mfc="white", lw=0.9, color=_COLORS[base], label=label)
    ax.axhline(float(_balls.cantelli_cap(kappa)), color="k", ls="--", lw=1.1, label="bound on $c$: $1/(1+\\kappa)$ (Cantelli)")
    ax.axhline(0, color="0.4", lw=0.8)
    ax.set_xscale("log", base=2)
    ax.set_ylim(-0.03, 1.2)
    ax.set_xlabel("horizon $H$ (tokens)")
    ax.set_ylabel("probability")
    ax.set_title(f"anti-concentration at $\\kappa$ = {kappa:g}: silent where $c$ = 0")
    ax.legend(loc="upper right", ncols=2)


def heterogeneity(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """Law of R, sigma/H and c(kappa) against the horizon for the four bases."""
    summary = summaries.get("verification.emp_hetero")
    points = next((e["points"] for e in (summary or {}).get("explored", ()) if e["name"] == "~curves"), [])
    if not points:
        return None
    fig, axes = plt.subplots(2, 2, figsize=(10.5, 8.0))
    _draw_laws(axes[0, 0], summaries.get("verification.lem1"), H=64)
    _draw_spread(axes[0, 1], points)
    _draw_tail(axes[1, 0], points, 0.25)
    _draw_tail(axes[1, 1], points, 1.0)
    fig.suptitle(
        "Planted subsequence, V = 15 tokens, k = 5 gold ones. All numbers are exact but for the sampled frequencies, top left",
        fontsize=9,
    )
    return fig


def _bon_points(check: Mapping[str, Any], rows: Any, base: str) -> Iterator[tuple[int, int, float]]:
    """(H, N, P(no trace is solved)) of the evaluated cases of one base."""
    for row in rows:
        if row["cell"]["base"] == base:
            for case in row["points"]:
                p = case["estimate"] if check["name"] != "values" else 1 - case["estimate"]
                yield row["cell"]["H"], case["num_traces"], p


def bestofn(summaries: Mapping[str, Mapping[str, Any]]) -> Any:
    """P(no trace is solved) against the tokens spent, for 1 to 16 verified traces."""
    summary = summaries.get("verification.emp_bon")
    if summary is None:
        return None
    V, k = _planted.VOCABULARY, _planted.GOLD_LENGTH
    horizons = 2 ** np.arange(3, 11)
    fig, axes = plt.subplots(2, 2, figsize=(10.0, 7.6), sharex=True)
    checks = [_check(summary, name) for name in ("parallel-helps", "parallel-hurts", "values")]
    for ax, base in zip(axes.flat, _BASES, strict=True):
        for i, n in enumerate((1, 2, 4, 8, 16)):
            reach = [int(H) for H in horizons if H // n >= k]
            failure = [_planted.bon_failure(*_planted.BASES[base], V, k, H, n) for H in reach]
            name = "one long trace" if n == 1 else f"best of {n}"
            ax.plot(reach, failure, color="k" if n == 1 else f"C{i - 1}", lw=2.0 if n == 1 else 1.3, label=name)
        judged = {point for check in checks for point in _bon_points(check, check["rows"], base)}
        ax.plot([H for H, _, _ in judged], [p for _, _, p in judged], "o", mfc="none", color="0.25", label="judged cells")
        wrong = {
            point
            for check in checks
            for f in check["falsifiers"]
            if f["name"] == "no-verifier"
            for point in _bon_points(check, f["rows"], base)
            if point[1] > 1
        }
        if wrong:
            label = "falsifier: a random one of N"
            ax.plot([H for H, _, _ in wrong], [p for _, _, p in wrong], "x", ms=6, color=_plots.FALSIFIER, label=label)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_ylim(1e-7, 1.6)
        ax.set_title(_NAMES[base])
        ax.legend(loc="lower left")
    for ax in axes[:, 0]:
        ax.set_ylabel("P(no trace is solved)")
    for ax in axes[1]:
        ax.set_xlabel("tokens in all, $H$ (each of N traces gets $H/N$)")
    fig.suptitle("Sequential against verified parallel scaling at equal tokens, exact; V = 15, k = 5", fontsize=9)
    return fig


FIGURES = {"verification.heterogeneity": heterogeneity, "verification.bestofn": bestofn}
