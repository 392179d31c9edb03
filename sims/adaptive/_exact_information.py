"""adaptive.thm9, thm13, thm17 to thm20, cor22, thm27: finite laws and small trees, exact numbers on the host."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sims._experiment import Case
from sims.adaptive import _cells
from theory.adaptive import _description, _maxinfo, _privacy


@dataclasses.dataclass(frozen=True)
class InformationCell:
    """RR-selection of density p on n points with privacy eps; max-information at beta."""

    n: int
    eps: float
    beta: float
    p: float = 0.5


def validate_information(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm20"
    _cells.require(_cells.is_count(cell.n) and cell.n <= 10**6, fn, f"n must be an integer in 1..1000000, got {cell.n}.")
    _cells.require(math.isfinite(cell.eps) and 0 < cell.eps <= 700, fn, f"eps must lie in (0, 700], got {cell.eps}.")
    _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")
    _cells.require(_cells.in_unit(cell.p), fn, f"p must lie in (0, 1), got {cell.p}.")


def evaluate_information(cell, rng):
    """I^beta of RR-selection, exact float64, nats."""
    del rng  # nothing is drawn
    yield Case("RR-selection", _maxinfo.rr_max_information(cell.n, cell.eps, cell.beta, cell.p))


def evaluate_transfer(cell, rng, attained=False):
    """P[S in R(Y)] of RR-selection for the events "at least j selected", or (`attained`) for {J > e^k Q} only.

    Each case has the event's probability p_event at a fixed output. The values of j, at most 200 and the worst one, are
    those with probability between beta/10 and .99: the bound is at least beta, and says nothing near 1. Exact float64.
    """
    from scipy import stats

    del rng
    q = float(_privacy.rr_inclusion(cell.p, cell.eps))
    worst, _ = _maxinfo.rr_worst_event(cell.n, cell.eps, cell.beta, cell.p)
    first, last = (int(stats.binom.isf(tail, cell.n, q)) + 1 for tail in (0.99, cell.beta / 10))
    spaced = [] if attained else np.unique(np.linspace(first, last, 200).round().astype(int))
    for j in (worst, *(int(j) for j in spaced if j != worst)):
        p_joint, p_event = (float(stats.binom.sf(j - 1, cell.n, p)) for p in (q, cell.p))
        yield Case(f"at least {j} selected", p_joint, {"p_event": p_event})


@dataclasses.dataclass(frozen=True)
class Thm17Cell:
    """An algorithm with num_outputs outputs; max-information at beta."""

    num_outputs: int
    beta: float


def validate_thm17(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    size, fn = cell.num_outputs, "adaptive.thm17"
    _cells.require(_cells.is_count(size) and 4 <= size <= 10**6, fn, f"num_outputs must be an integer in 4..1000000, got {size}.")
    _cells.require(0 < cell.beta < 0.25, fn, f"beta must lie in (0, 1/4), got {cell.beta}.")


def evaluate_thm17(cell, rng):
    """I^beta of two deterministic Y = f(S): all values but one rare, and all values equally likely. Exact, nats."""
    del rng
    size = cell.num_outputs
    yield Case("rare outputs", _maxinfo.max_information(*_maxinfo.rare_outputs(size, cell.beta), cell.beta))
    log_joint = np.full(size, -math.log(size))
    yield Case("equally likely outputs", _maxinfo.max_information(log_joint, 2 * log_joint, cell.beta))


@dataclasses.dataclass(frozen=True)
class Thm19Cell:
    """RR-selection of density p on n points with privacy eps."""

    n: int
    eps: float
    p: float


def validate_thm19(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm19"
    _cells.require(_cells.is_count(cell.n), fn, f"n must be a positive integer, got {cell.n}.")
    _cells.require(math.isfinite(cell.eps) and 0 < cell.eps <= 700, fn, f"eps must lie in (0, 700], got {cell.eps}.")
    _cells.require(_cells.in_unit(cell.p), fn, f"p must lie in (0, 1), got {cell.p}.")


def evaluate_thm19(cell, rng):
    """I^0 of RR-selection, exact float64, nats."""
    del rng
    yield Case("RR-selection", _maxinfo.rr_max_information(cell.n, cell.eps, 0.0, cell.p))


@dataclasses.dataclass(frozen=True)
class Cor22Cell:
    """x = tau^2 n."""

    x: float = 7.8019246812  # the constant, to ten digits, rounded up


def validate_cor22(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    _cells.require(0 < cell.x <= 50, "adaptive.cor22", f"x must lie in (0, 50], got {cell.x}.")


def evaluate_cor22(cell, rng, start=None):
    """Theorem 20 inside Theorem 13 at x, and at 50 values up to ten times that; in a lying world from `start` on. Exact float64.

    The ratio to e^{-3x/4} falls with x, so the first value decides.
    """
    del rng
    first = cell.x if start is None else start
    for x in np.geomspace(first, 10 * first, 51):
        yield Case(f"x={x:.6g}", float(_maxinfo.cor22_expression(x)), {"x": float(x)})


@dataclasses.dataclass(frozen=True)
class Thm9Cell:
    """S uniform on `atoms` atoms, num_outputs outputs, each naming an event of `hits` atoms."""

    atoms: int
    num_outputs: int
    hits: int


def validate_thm9(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm9"
    _require_atoms(fn, cell.atoms, 10**5)
    _cells.require(_cells.is_count(cell.num_outputs), fn, f"num_outputs must be a positive integer, got {cell.num_outputs}.")
    _cells.require(cell.atoms * cell.num_outputs <= 10**8, fn, f"atoms * num_outputs must be at most 10^8, got {cell.num_outputs=}.")
    _require_hits(fn, cell.hits, cell.atoms)


def _require_atoms(fn, atoms, most):
    _cells.require(_cells.is_count(atoms) and atoms <= most, fn, f"atoms must be an integer in 1..{most}, got {atoms}.")


def _require_hits(fn, hits, atoms):
    ok = _cells.is_count(hits) and hits <= atoms
    _cells.require(ok, fn, f"hits must be an integer in 1..atoms={atoms}, got {hits}.")


def evaluate_thm9(cell, rng):
    """P[S in R(A(S))] of the best A, by going through every atom: disjoint events, and events drawn at random. Exact."""
    shape = (cell.num_outputs, cell.atoms)
    if cell.num_outputs * cell.hits <= cell.atoms:
        yield Case("disjoint events", _best_algorithm((np.arange(cell.atoms) // cell.hits) == np.arange(cell.num_outputs)[:, None]))
    drawn = rng.permuted(np.broadcast_to(np.arange(cell.atoms) < cell.hits, shape), axis=1)
    yield Case("random events", _best_algorithm(drawn))


def _best_algorithm(events):
    """events: bool [outputs, atoms]. A names, for every atom, an event that holds there if there is one."""
    named = events.argmax(0)
    return float(events[named, np.arange(events.shape[1])].mean())


@dataclasses.dataclass(frozen=True)
class Thm27Cell:
    """S uniform on `atoms` atoms; question i of SparseValidate with budget B is 1 on at most `hits` atoms."""

    atoms: int
    i: int
    B: int
    hits: int


def validate_thm27(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm27"
    _require_atoms(fn, cell.atoms, 1000)
    _cells.require(_cells.is_count(cell.i) and cell.i <= 100, fn, f"i must be an integer in 1..100, got {cell.i}.")
    _cells.require(_cells.is_count(cell.B) and cell.i >= cell.B, fn, f"budget must satisfy 1 <= B <= i={cell.i}, got {cell.B}.")
    _require_hits(fn, cell.hits, cell.atoms)


def evaluate_thm27(cell, rng):
    """The best adversary's P[psi_i(S) = 1], exact, by dynamic programming."""
    del rng
    yield Case("best adversary", _description.sparse_validate_sup(cell.atoms, cell.i, cell.B, cell.hits))


@dataclasses.dataclass(frozen=True)
class UnionCell:
    """S uniform on `atoms` atoms; each of the first i questions after nothing but zeros is 1 on at most `hits` atoms."""

    atoms: int
    i: int
    hits: int


def validate_union(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.thm27_union"
    _require_atoms(fn, cell.atoms, 1000)
    _cells.require(_cells.is_count(cell.i) and cell.i <= 100, fn, f"i must be an integer in 1..100, got {cell.i}.")
    _require_hits(fn, cell.hits, cell.atoms)


def evaluate_union(cell, rng):
    """P[some 1 among the first i]: the best adversary, by dynamic programming, and sets drawn at random. Exact.

    Sizes of the sets: all `hits`, or 1, 2, ..., hits, 1, 2, ... in turn.
    """
    equal = (cell.hits,) * cell.i
    for name, sizes in (("equal sizes", equal), ("varying sizes", tuple(1 + j % cell.hits for j in range(cell.i)))):
        yield Case(f"best adversary, {name}", _description.union_sup(cell.atoms, sizes), {"sizes": sizes})
    drawn = rng.permuted(np.broadcast_to(np.arange(cell.atoms) < cell.hits, (cell.i, cell.atoms)), axis=1)
    yield Case("random sets", float(drawn.any(0).mean()), {"sizes": equal})
