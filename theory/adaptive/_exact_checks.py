"""How the claims settled by exact computation write their checks and falsifiers."""

from __future__ import annotations

from theory._claims import Assumption, Check, Falsifier, Relation

A1 = Assumption("A1", "the sample is i.i.d.", lambda: True)
A2 = Assumption("A2", "the algorithm is eps-DP for the eps declared", lambda: True)


def exact(name, provenance, formula, bound, falsifiers, residual="log_upper", trivial=None, assumptions=(A1, A2), units="probability"):
    """An EXACT check; probabilities by default, whose trivial bound is 1."""
    if trivial is None and units == "probability" and residual.endswith("upper"):
        trivial = _one
    return Check(
        name=name,
        relation=Relation.EXACT,
        provenance=provenance,
        formula=formula,
        bound=bound,
        trivial=trivial,
        method="exact",
        residual=residual,
        assumptions=assumptions,
        falsifiers=falsifiers,
        units=units,
    )


def _one():
    return 1.0


def wrong_bound(name, breaks, bound, where=None):
    return Falsifier(name=name, breaks=breaks, kind="bound", bound=bound, where=where)


def lying_world(name, breaks):
    return Falsifier(name=name, breaks=breaks, kind="world")
