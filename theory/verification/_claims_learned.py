"""The claim on learned policies: cloning against policy gradients on the planted subsequence (_learned.py).

The paper has a didactic experiment of this kind; nothing here is one of its theorems, and none of the numbers is its own.
"""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.verification import _learned, _planted

__all__ = ["CLAIMS"]


def _base_value(base, H, V, k):
    return _learned.base_value(*_planted.base_of(base), V, k, H)


def _expert_value(base, H, V, k, kappa):
    return _learned.expert_value(*_planted.base_of(base), V, k, H, kappa)


def _gain(base, H, V, k, kappa):
    """What the expert is worth beyond the base, 0 if all styles are worth the same."""
    return _expert_value(base, H, V, k, kappa) - _base_value(base, H, V, k)


def _is_better(base, H, V, k, kappa):
    return _gain(base, H, V, k, kappa) > 1e-9


def _cloned_value(base, H, V, k, kappa):
    return _expert_value(base, H, V, k, kappa) if _is_better(base, H, V, k, kappa) else math.nan


def _room_above_expert(base, H, V, k, kappa):
    """H - k + 1 - J_e: the most any policy can lead the expert by."""
    return H - k + 1 - _expert_value(base, H, V, k, kappa)


def _room_above_dead(H, V, k, kappa):
    return _room_above_expert("1+64", H, V, k, kappa)


_S4 = Assumption("A1", "tabular policy, exact rewards, expert = base with its styles tilted by kappa", lambda: True)
_TRAINED = Assumption("A2", "at least 512 annotations: four updates", lambda n: n >= 512)
_FIRST = Assumption("A2", "128 annotations: a single update", lambda n: n == 128)
_BETTER = Assumption("A3", "the styles differ in value, so that the expert is better than the base", _is_better)
_ONE_STYLE = Assumption("A4", "homogeneous base: one style", lambda base: len(_planted.base_of(base)[0]) == 1)
_DEAD_STYLE = Assumption("A4", "one style practically never solves", lambda base: min(_planted.base_of(base)[0]) <= 1)

_EXPERT_IS_BASE = Falsifier(name="expert-is-base", breaks="the traces to clone come from the base policy", kind="world")

_EMP_PLANTED = Claim(
    id="verification.emp_planted",
    source="derived here; stands in for the paper's didactic experiment, which was not available",
    statement="On the planted subsequence, at equal budgets n, policy gradients on rewards end above a clone of the expert, whose "
    "mean value is the expert's; the lead grows with the horizon on a heterogeneous base and not on a homogeneous one; at the smallest "
    "n the clone is ahead.",
    checks=(
        Check(
            name="final",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(J_VB <= J_VF) <= 1/4",
            bound=lambda: 0.25,
            assumptions=(_S4, _TRAINED),
            falsifiers=(
                Falsifier(name="reward-zeroed", breaks="every reward is 0: the policy stays the base", kind="world"),
                Falsifier(name="reward-shuffled", breaks="rewards are permuted within the batch: the styles drift at random", kind="world"),
            ),
            units="share of runs with J_VB <= J_VF",
        ),
        Check(
            name="first",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(J_VB >= J_VF) <= 1/2 after a single update",
            bound=lambda: 0.5,
            assumptions=(_S4, _FIRST, _BETTER),
            falsifiers=(_EXPERT_IS_BASE,),
            units="share of runs with J_VB >= J_VF",
        ),
        Check(
            name="clone",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="E J_VF = J_e, within a tenth of J_e - J_b",
            bound=_cloned_value,
            # A tenth of the distance to the falsifier; at H = 16, n = 2048 the smoothing of `cloned_value` takes .015 of the .31.
            margin=lambda base, H, V, k, kappa: 0.1 * _gain(base, H, V, k, kappa),
            assumptions=(_S4, _BETTER),
            falsifiers=(_EXPERT_IS_BASE,),
            units="tokens of reward R",
        ),
        Check(
            name="widens",
            relation=Relation.RATE,
            provenance=Provenance.DERIVED,
            formula="slope of ln E(J_VB - J_VF) in ln H = that of ln(H - k + 1 - J_e), within 0.1; dead style",
            bound=_room_above_expert,
            margin=0.1,
            method="rows",
            rate_of="log_mean",
            grid="H",
            assumptions=(_S4, _TRAINED, _DEAD_STYLE),
            falsifiers=(
                Falsifier(name="homogeneous-base", breaks="base and expert are left their good style only", kind="world"),
                Falsifier(name="constant-lead", breaks="claims a lead that does not grow with H", kind="bound", bound=lambda: 1.0),
            ),
            units="tokens by which VB leads VF",
        ),
        Check(
            name="flat",
            relation=Relation.RATE,
            provenance=Provenance.DERIVED,
            formula="slope of ln E(J_VB - J_VF) in ln H = that of ln(H - k + 1 - J_e), within 0.1; one style",
            bound=_room_above_expert,
            margin=0.1,
            method="rows",
            rate_of="log_mean",
            grid="H",
            assumptions=(_S4, _TRAINED, _ONE_STYLE),
            falsifiers=(
                Falsifier(
                    name="grows-as-if-heterogeneous",
                    breaks="claims the lead of a base with a dead style",
                    kind="bound",
                    bound=_room_above_dead,
                ),
            ),
            units="tokens by which VB leads VF",
        ),
    ),
)

CLAIMS = (_EMP_PLANTED,)
