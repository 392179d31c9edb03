"""`python -m sims invariance certify`: what a graph and its sites promise, as a command and as a function."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sims.invariance import _graphs
from sims.invariance._exact import spread
from theory.invariance import _arguments, _bounds, _certificates, _dimensions, _sem, _separation

__all__ = ["Certificate", "Environment", "certify", "certify_command", "read_graph"]

_FAMILIES = tuple(f for f in _arguments.FAMILIES if f != "rademacher")
MOST_COVARIATES = 12  # subsets are enumerated up to here
MOST_NODES = 200


@dataclasses.dataclass(frozen=True, eq=False)
class Environment:
    """One intervention: the whole model under it. B [p, p], omega [p], mu [p]; name: for the reader."""

    name: str
    B: np.ndarray
    omega: np.ndarray
    mu: np.ndarray


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What certify found.

    n_lin: dimensions of the moments, proved; n_eff and rank_target (R): measured. From n = n_eff training interventions on an
    exactly invariant representation is invariant on the whole family; below R there is one that fails.
    vc: v; vc_from: the least n at which the PAC bound is below 1; vc_n: at which it certifies rho with probability 1 - delta, for
    every k-dimensional representation at once. scenario_n: the same for a minimax head on ONE subset of k covariates that was
    fixed in advance; scenario_union_n: on any subset of k covariates.
    invariant: (subset of nodes, whether it d-separates the target from the sites' indicators) for every subset whose regression is the
    same on the family; None if d > 12.
    num_training: interventions that kappa stands on. kappas: (name, kappa) of unseen interventions; inf: outside their span.
    """

    family: str
    k: int
    rho: float
    delta: float
    n_lin: int
    n_eff: int
    rank_target: int
    vc: float
    vc_from: int
    vc_n: int
    scenario_n: int
    scenario_union_n: int
    invariant: tuple[tuple[tuple[int, ...], bool], ...] | None
    num_training: int
    kappas: tuple[tuple[str, float], ...]


def certify(
    B: Any,
    target: int,
    sites: Sequence[int],
    *,
    omega: Any = None,
    family: str = "soft_add",
    v: float = 1.0,
    k: int = 1,
    rho: float = 0.1,
    delta: float = 0.05,
    training: Sequence[Environment] | int | None = None,
    unseen: Sequence[Environment] = (),
    seed: int = 0,
) -> Certificate:
    """How many interventions certify what, on a user's own graph.

    Args: B [p, p], B[i, j] the weight of edge j -> i, acyclic in any numbering. omega: noise variances, default 1. family: a
      family with sites, v its scale. k: dimension of the representation. rho: the failure rate to certify, with probability
      1 - delta. training: the training interventions, or how many to draw from the family with `seed` (default: 2 n_eff);
      unseen: interventions whose kappa is wanted.
    Returns: Certificate. Raises: ValueError naming the argument, the allowed range and what came.
    """
    _arguments.require(family in _FAMILIES, "certify", lambda: f"family must be one of {', '.join(_FAMILIES)}, got {family!r}.")
    B, target, chosen = _arguments.intervention("certify", B, target, sites, family)
    p = len(B)
    omega = _arguments.variances("certify", omega, p, free=chosen if family.startswith("hard") else ())
    v = float(_arguments.positive("certify", "v", v))
    k = _arguments.integer("certify", "k", k, 1, p - 1)
    rho, delta = (float(_arguments.open_unit("certify", name, x)) for name, x in (("rho", rho), ("delta", delta)))
    model = _graphs.Model(B, omega, target, chosen)
    dims = _dimensions.feature_dims(B, target, chosen, family)
    n_eff, rank_target = _graphs.model_ranks(family, model, v=v)
    vc = _dimensions.vc_bound(dims, p - 1, k)
    rng = np.random.default_rng([seed, 23])
    if training is None or isinstance(training, int):
        count = 2 * n_eff if training is None else _arguments.integer("certify", "training", training)
        train = _graphs.environments(rng, family, model, count, v)
    else:
        _arguments.require(len(training) > 0, "certify", "training must name at least one intervention.")
        train = _moments(training, target)
    rows = _dimensions.features(*train[:2])
    new = _dimensions.features(*_moments(unseen, target)[:2]) if unseen else ()
    return Certificate(
        family=family, k=k, rho=rho, delta=delta, n_lin=dims.n_lin, n_eff=n_eff, rank_target=rank_target, vc=vc,
        vc_from=_bounds.blumer_n(1 - 1e-12, vc, delta), vc_n=_bounds.blumer_n(rho, vc, delta),
        scenario_n=_bounds.scenario_n(rho, k, delta), scenario_union_n=_bounds.scenario_n(rho, k, delta, 2 ** (p - 1)),
        invariant=_invariant(rng, family, model, v) if p - 1 <= MOST_COVARIATES else None,
        num_training=len(rows), kappas=tuple((e.name, _certificates.kappa(rows, z).value) for e, z in zip(unseen, new, strict=True)),
    )  # fmt: skip


def _moments(environments: Sequence[Environment], target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    B, omega, mu = (np.stack([getattr(e, name) for e in environments]) for name in ("B", "omega", "mu"))
    _arguments.graph("certify", B)
    return _sem.split(_sem.moments(B, omega, mu), target)


def _invariant(rng, family, model, v):
    """Subsets whose population regression is the same in 30 interventions, with whether they d-separate; singular ones left out."""
    Sigma, r, _ = _graphs.environments(rng, family, model, 30, v)
    place = {int(node): j for j, node in enumerate(_sem.covariates(model.p, model.target))}
    separated = set(_separation.separated_subsets(model.B, model.target, model.sites, mutilated=family.startswith("hard")))
    found = []
    for subset in _separation.subsets(model.p, model.target):
        if family == "hard_const" and len(set(subset) & set(model.sites)) > 1:
            continue  # two constants are one regressor
        if spread(Sigma, r, [place[a] for a in subset]) < 1e-7:
            found.append((subset, subset in separated))
    return tuple(found)


# --- files -------------------------------------------------------------------------------------------------------------


def _entries(what: str, pairs: Any, p: int) -> list[tuple[int, int, float]]:
    """[[parent, child, weight], …], checked."""
    found = []
    for entry in pairs:
        ok = isinstance(entry, (list, tuple)) and len(entry) == 3
        _arguments.require(ok, "certify", f"{what} must be [parent, child, weight], got {entry!r}.")
        parent, child = (_arguments.integer("certify", what, entry[i], 0, p - 1) for i in (0, 1))
        found.append((parent, child, _number(what, entry[2])))
    return found


def _number(what: str, value: Any) -> float:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
    _arguments.require(ok, "certify", f"{what} must be a finite number, got {value!r}.")
    return float(value)


def _by_node(what: str, given: Any, p: int) -> dict[int, float]:
    _arguments.require(isinstance(given, Mapping), "certify", f'{what} must be an object {{"node": number}}, got {given!r}.')
    return {
        _arguments.integer("certify", what, key if not str(key).isdigit() else int(key), 0, p - 1): _number(what, x)
        for key, x in given.items()
    }


def _environment(entry: Any, name: str, B: np.ndarray, omega: np.ndarray) -> Environment:
    """One intervention of a file: {"name", "edges": changed weights, "noise": {node: variance}, "constant": {node: value}}."""
    _arguments.require(isinstance(entry, Mapping), "certify", f"{name} must be an object, got {entry!r}.")
    unknown = set(entry) - {"name", "edges", "noise", "constant"}
    _arguments.require(not unknown, "certify", f"{name} knows name, edges, noise and constant, got {', '.join(sorted(unknown))}.")
    p = len(B)
    B, omega, mu = B.copy(), omega.copy(), np.zeros(p)
    for parent, child, weight in _entries(f"edges of {name}", entry.get("edges", ()), p):
        B[child, parent] = weight
    for node, variance in _by_node(f"noise of {name}", entry.get("noise", {}), p).items():
        _arguments.require(variance > 0, "certify", f"noise of {name} must be > 0, got {variance}.")
        omega[node] = variance
    for node, value in _by_node(f"constant of {name}", entry.get("constant", {}), p).items():
        B[node], omega[node], mu[node] = 0.0, 0.0, value
    return Environment(str(entry.get("name", name)), B, omega, mu)


def read_graph(text: str) -> tuple[np.ndarray, np.ndarray, list[Environment] | int | None, list[Environment]]:
    """(B, omega, training, unseen) of a JSON file: {"nodes": p, "edges": [[parent, child, weight], …], "noise": variances or one
    number, "training": interventions or a count, "unseen": interventions}; all but edges may be left out.

    Raises: ValueError naming what is wrong.
    """
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"certify: the graph must be JSON: {error}.") from None
    _arguments.require(isinstance(given, Mapping) and "edges" in given, "certify", 'the graph must be an object with "edges".')
    unknown = set(given) - {"nodes", "edges", "noise", "training", "unseen"}
    _arguments.require(
        not unknown, "certify", f"the graph knows nodes, edges, noise, training and unseen, got {', '.join(sorted(unknown))}."
    )
    _arguments.require(isinstance(given["edges"], list), "certify", f"edges must be a list, got {given['edges']!r}.")
    edges = _entries("edges", given["edges"], MOST_NODES)
    p = _arguments.integer("certify", "nodes", given.get("nodes", 1 + max((max(e[:2]) for e in edges), default=1)), 2, MOST_NODES)
    B = np.zeros((p, p))
    for parent, child, weight in _entries("edges", given["edges"], p):
        B[child, parent] = weight
    _arguments.graph("certify", B, "edges")
    noise = given.get("noise", 1.0)
    omega = np.full(p, _number("noise", noise)) if not isinstance(noise, list) else np.array([_number("noise", x) for x in noise])
    omega = _arguments.variances("certify", omega, p, name="noise")
    read = {
        name: [_environment(e, f"{name} {i}", B, omega) for i, e in enumerate(given[name])]
        for name in ("training", "unseen")
        if isinstance(given.get(name), list)
    }
    training = read.get("training", given.get("training"))
    return B, omega, training, read.get("unseen", [])


def _sites(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"certify: sites must be node numbers with commas between, got {text!r}.") from None


def certify_command(argv: list[str]) -> int:
    """Prints the certificate; returns the exit status. Raises: ValueError for a bad file or bad parameters."""
    parser = argparse.ArgumentParser(
        prog="python -m sims invariance certify",
        description="How many interventions on the sites certify an invariant representation, which subsets are invariant, and which "
        "unseen interventions the training ones cover.",
        epilog='graph: {"nodes": 7, "edges": [[parent, child, weight], …], "noise": 1.0, "training": 24, "unseen": [{"name": "…", '
        '"edges": […], "noise": {"3": 2.0}, "constant": {"5": 1.0}}]}; only edges are needed. A whole one: examples/graph.json.',
    )
    parser.add_argument("--graph", required=True, metavar="FILE", help="a JSON file; - reads standard input")
    parser.add_argument("--sites", required=True, metavar="I,J,…", help="nodes that are intervened on")
    parser.add_argument("--target", required=True, type=int, help="the node that is predicted")
    parser.add_argument("--family", default="soft_add", help=f"{', '.join(_FAMILIES)} (default: soft_add)")
    parser.add_argument("--scale", type=float, default=1.0, help="scale v of the family (default: 1)")
    parser.add_argument("--k", type=int, default=1, help="dimension of the representation (default: 1)")
    parser.add_argument("--rho", type=float, default=0.1, help="failure rate to certify (default: .1)")
    parser.add_argument("--delta", type=float, default=0.05, help="probability of not keeping it (default: .05)")
    parser.add_argument("--seed", type=int, default=0, help="of the training interventions that are drawn (default: 0)")
    parser.add_argument("--json", action="store_true", help="a JSON object")
    a = parser.parse_args(argv)
    _arguments.positive("certify", "scale", a.scale)
    _arguments.integer("certify", "seed", a.seed, 0)
    B, omega, training, unseen = read_graph(_text_of(a.graph))
    found = certify(
        B, a.target, _sites(a.sites), omega=omega, family=a.family, v=a.scale, k=a.k, rho=a.rho, delta=a.delta, training=training,
        unseen=unseen, seed=a.seed,
    )  # fmt: skip
    if a.json:
        plain = dataclasses.asdict(found)
        plain["kappas"] = [[name, value if np.isfinite(value) else "inf"] for name, value in found.kappas]
        print(json.dumps(plain, indent=1))
        return 0
    print("\n".join(_lines(found, len(B))))
    return 0


def _text_of(name: str) -> str:
    import sys
    from pathlib import Path

    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"certify: the graph cannot be read: {error}.") from None


def _lines(c: Certificate, p: int) -> list[str]:
    promise = f"failure rate at most {c.rho:g} with probability {1 - c.delta:g}"
    lines = [
        f"{p} nodes, family {c.family}: moments have N_lin = {c.n_lin} dimensions at most, N_eff = {c.n_eff} here, R = "
        f"{c.rank_target} towards the target",
        f"exact invariance    from {c.n_eff:,} interventions on it holds on the whole family; below {c.rank_target} some "
        f"representation passes and fails",
        f"any representation  k = {c.k}: {c.vc_n:,} interventions for a {promise} (v = {c.vc:g}; nothing is said below {c.vc_from:,})",
        f"a minimax head      on one fixed subset of {c.k}: {c.scenario_n:,}; on any subset of {c.k}: {c.scenario_union_n:,}",
    ]
    if c.invariant is None:
        lines.append(f"invariant subsets   not listed: 2^{p - 1} of them")
    else:
        shown = ", ".join("{" + ",".join(map(str, s)) + "}" + ("" if separated else "*") for s, separated in c.invariant)
        lines.append(
            f"invariant subsets   {len(c.invariant)} of covariates: {shown or 'none'}"
            + ("" if all(d for _, d in c.invariant) else "   (* not d-separated)")
        )
    if c.kappas:
        lines.append(
            f"kappa, from {c.num_training} training interventions: every representation's gap is at most kappa times its worst training gap"
        )
        lines += [f"  {name:<28} {'inf: outside their span' if np.isinf(value) else f'{value:.4g}'}" for name, value in c.kappas]
    return lines
