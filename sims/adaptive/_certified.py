"""`python -m sims adaptive certified`: how many points every guarantee asks for, and how many an attack needs it to have."""

from __future__ import annotations

import argparse
import dataclasses
import json

from sims import _ledger
from theory import adaptive as theory

__all__ = ["certified_command"]


def certified_command(argv: list[str]) -> int:
    """Prints the table; returns the exit status. Raises: ValueError for parameters outside their ranges."""
    parser = argparse.ArgumentParser(
        prog="python -m sims adaptive certified",
        description="The sample size that each guarantee asks for, its ratio to splitting, the number of queries from which it "
        "asks for fewer points than splitting, and what the attacks measured in the ledger need.",
    )
    parser.add_argument("--m", type=int, default=1000, help="adaptive queries, the last one included (default: 1000)")
    parser.add_argument("--tau", type=float, default=0.1, help="largest error of an answer (default: .1)")
    parser.add_argument("--beta", type=float, default=0.05, help="probability of a larger one (default: .05)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of adaptivity, for the guarantee that counts them (default: 2)")
    parser.add_argument("--budget", type=int, default=1, help="budget of Thresholdout (default: 1)")
    parser.add_argument("--json", action="store_true", help="a JSON array")
    a = parser.parse_args(argv)
    rows = theory.certified_table(a.m, a.tau, a.beta, rounds=a.rounds, budget=a.budget)
    if a.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
        return 0
    print(f"n that guarantees every error below {a.tau:g} with probability {1 - a.beta:g}, m = {a.m:,} queries")
    print(f"{'guarantee':<18} {'n':>16} {'/ splitting':>12} {'fewer from m':>14}  promise")
    for row in rows:
        crossover = "never" if row.crossover is None else f"{row.crossover:,}"
        print(f"{row.name:<18} {row.n:>16,} {row.ratio:>12.3g} {'–' if row.name == 'split' else crossover:>14}  {row.promise}")
    _print_needed(a.m, a.tau, a.beta)
    return 0


def _print_needed(m: int, tau: float, beta: float) -> None:
    """What the ledger's attacks need, at the measured number of queries nearest to m."""
    summary = _ledger.summaries("adaptive").get("adaptive.laplace", {})
    points = next((e["points"] for e in summary.get("explored", ()) if e["name"] == "~needed"), [])
    points = [p for p in points if p["cell"]["tau"] == tau and p["cell"]["beta"] == beta]
    if not points:
        print(f"needed n: not measured at tau={tau:g}, beta={beta:g}; the ledger has tau=.1, beta=.05")
        return
    nearest = min({p["cell"]["m"] for p in points}, key=lambda k: abs(k + 1 - m))
    print(f"\nneeded against the linear analyst, measured at m = {nearest + 1:,} (a 6 % grid, best noise level):")
    for p in points:
        if p["cell"]["m"] == nearest:
            print(f"{p['cell']['mechanism']:<18} {int(p['cases'][0]['estimate']):>16,}")
