"""L9: d-separation of the target from the interventions, in the graph with an indicator node for every site."""

from __future__ import annotations

import itertools

import numpy as np

from theory.invariance import _arguments

__all__ = ["is_d_separated", "separated_subsets", "subsets"]


def _separated(edges, target, indicators, given):
    """Whether `target` and `indicators` are d-separated by `given` in the directed graph edges[child, parent]: bool matrix.

    Ancestors of all named nodes, parents married, directions dropped, `given` removed: no path may remain.
    """
    named = {target, *indicators, *given}
    ancestors, frontier = set(named), list(named)
    while frontier:
        for parent in np.flatnonzero(edges[frontier.pop()]):
            if int(parent) not in ancestors:
                ancestors.add(int(parent))
                frontier.append(int(parent))
    neighbours = {a: set() for a in ancestors}
    for child in ancestors:
        parents = [int(j) for j in np.flatnonzero(edges[child])]
        for a, b in itertools.combinations([child, *parents], 2):
            neighbours[a].add(b)
            neighbours[b].add(a)
    seen, frontier = {target}, [target]
    while frontier:
        for other in neighbours[frontier.pop()] - set(given):
            if other in indicators:
                return False
            if other not in seen:
                seen.add(other)
                frontier.append(other)
    return True


def is_d_separated(B, target, sites, subset, mutilated=False):
    """L9: whether y is d-separated from the indicators E_s -> s of all sites by the covariates in `subset`.

    If so, the population regression on `subset` is the same in every environment on these sites whose second moments are
    non-singular there. One direction only. mutilated: with the site rows removed, the right graph for hard families alone.
    Args: B [p, p]; target, sites; subset: nodes without the target. Returns: bool. Raises: ValueError.
    """
    B, target, sites = _arguments.intervention("is_d_separated", B, target, sites, "hard_const")
    p = len(B)
    chosen = [_arguments.integer("is_d_separated", "subset", a, 0, p - 1) for a in subset]
    _arguments.require(target not in chosen, "is_d_separated", lambda: f"subset must not contain the target {target}.")
    return _separated(_augmented(B, sites, mutilated), target, set(range(p, p + len(sites))), set(chosen))


def _augmented(B, sites, mutilated):
    """edges[child, parent] of the graph with an indicator node p + i -> s for the i-th site."""
    p = len(B)
    edges = np.zeros((p + len(sites), p + len(sites)), dtype=bool)
    edges[:p, :p] = B != 0
    if mutilated:
        edges[list(sites)] = False
    edges[list(sites), np.arange(p, p + len(sites))] = True
    return edges


def subsets(p, target):
    """Every non-empty subset of the covariates, as tuples of nodes; d <= 12. Raises: ValueError."""
    nodes = [i for i in range(p) if i != target]
    _arguments.subset_count("subsets", len(nodes))
    return [s for size in range(1, len(nodes) + 1) for s in itertools.combinations(nodes, size)]


def separated_subsets(B, target, sites, mutilated=False):
    """All non-empty subsets of the covariates that d-separate the target from the interventions. Args as `is_d_separated`."""
    B, target, sites = _arguments.intervention("separated_subsets", B, target, sites, "hard_const")
    edges, indicators = _augmented(B, sites, mutilated), set(range(len(B), len(B) + len(sites)))
    return [a for a in subsets(len(B), target) if _separated(edges, target, indicators, set(a))]
