"""Cells, presets and budgets of L1 to L9, the span of thm.exact, thm.samples and thm.indirect."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.invariance import _exact, _sampling
from sims.invariance._exact import (
    CapacityCell,
    FamilyCell,
    FunctionalCell,
    IndirectCell,
    KappaCell,
    MinorCell,
    PerturbationCell,
    RankCell,
    SeparationCell,
    SpanCell,
)
from sims.invariance._sampling import BruteCell, RadiusCell
from theory.invariance import FAMILIES

__all__ = ["EXPERIMENTS"]

_ALL = ("smoke", "default", "gpu")
_partial = functools.partial


def _exact_experiment(check, cells, evaluate, validate, ask=None, seconds=0.05, smoke=None):
    """An EXACT experiment is decided in every preset, at smoke size perhaps on fewer or smaller cells."""
    cells = tuple(cells)
    return Experiment(
        check=f"invariance.{check}",
        cells={"smoke": cells if smoke is None else tuple(smoke), "default": cells, "gpu": cells},
        ask=ask,
        validate=validate,
        evaluate=evaluate,
        seconds_per_replicate=seconds,
    )


_family = _partial(_exact_experiment, validate=_exact.validate_family, seconds=0.01)
_rank = _partial(_exact_experiment, validate=_exact.validate_rank, seconds=0.1)
_capacity = _partial(_exact_experiment, validate=_exact.validate_capacity, seconds=0.15)
_separation = _partial(_exact_experiment, validate=_exact.validate_separation, seconds=0.5)
_span = _partial(_exact_experiment, validate=_exact.validate_span, seconds=0.2)
_indirect = _partial(_exact_experiment, validate=_exact.validate_indirect, seconds=0.02)

_RANKS = (
    *(RankCell("soft_add", p) for p in (6, 10, 20, 40)),
    *(RankCell(f, 10) for f in ("soft_mult", "noise", "hard_noise", "hard_const")),
)
_SMOKE_RANKS = tuple(RankCell(f, 10) for f in ("soft_add", "hard_const"))
_BLIND = (RankCell("soft_add", 3), RankCell("soft_add", 4))
_CAPACITIES = tuple(
    CapacityCell(*cell)
    for cell in (("soft_add", 1, 1), ("soft_add", 1, 2), ("soft_add", 2, 1), ("noise", 2, 1), ("hard_const", 2, 1), ("soft_mult", 1, 2))
)
_SQUARED = tuple(c for c in _CAPACITIES if c.family.startswith("soft"))
_FEW = tuple(SeparationCell(f, 10) for f in ("soft_add", "noise"))
_SEPARATIONS = tuple(SeparationCell(f) for f in ("soft_mult", "soft_add", "noise"))
_SPANS = (SpanCell(6, 1, 2), SpanCell(12, 2, 2), SpanCell(24, 2, 2), SpanCell(36, 3, 2))
_INDIRECT = tuple(IndirectCell(rows) for rows in (3, 6, 9))

_EXACT_EXPERIMENTS = (
    _family("L1/recursion", [FamilyCell(f) for f in FAMILIES], _exact.evaluate_moments, ask=FamilyCell("soft_add", p=20)),
    _family("L1/recursion!noise-kept", [FamilyCell("hard_const")], _partial(_exact.evaluate_moments, keep_noise=True)),
    _rank("L2/at-most", _RANKS, _exact.evaluate_rank, ask=RankCell("soft_add", 30), smoke=_SMOKE_RANKS),
    _rank("L2/attained", _RANKS, _partial(_exact.evaluate_rank, what="attained"), ask=RankCell("soft_add", 30), smoke=_SMOKE_RANKS),
    _rank("L2/blind", _BLIND, _partial(_exact.evaluate_rank, what="blind")),
    _exact_experiment(
        "L3/degree", [MinorCell(), MinorCell(k=8)], _exact.evaluate_minors, _exact.validate_minor, ask=MinorCell(p=12, k=4), seconds=0.02
    ),
    _exact_experiment("L3/degree!degree-1", [MinorCell()], _partial(_exact.evaluate_minors, order=2), _exact.validate_minor, seconds=0.02),
    _capacity("L4/gradient", _CAPACITIES, _exact.evaluate_capacity, ask=CapacityCell("soft_add", 2, 2), smoke=_CAPACITIES[:2]),
    _capacity(
        "L4/predictor",
        _CAPACITIES,
        _partial(_exact.evaluate_capacity, gap="predictor"),
        ask=CapacityCell("soft_add", 1, 2),
        smoke=_CAPACITIES[1:2],
    ),
    _exact_experiment(
        "L5/ratio",
        [PerturbationCell(N) for N in (200, 2000)],
        _exact.evaluate_perturbation,
        _exact.validate_perturbation,
        ask=PerturbationCell(500),
        seconds=0.1,
        smoke=[PerturbationCell(200)],
    ),
    *(
        _exact_experiment(
            f"L7/{what}{bang}",
            [FunctionalCell(k) for k in ((1, 3, 6) if not bang else (3,))],
            _partial(_exact.evaluate_functionals, what=what, swapped=bool(bang)),
            _exact.validate_functional,
            ask=None if bang else FunctionalCell(2),
            seconds=0.01,
        )
        for what, bangs in (("identity", ("", "!no-metric")), ("sandwich", ("", "!swapped")))
        for bang in bangs
    ),
    _exact_experiment(
        "L8/dilation",
        [KappaCell(n) for n in (12, 40, 120)],
        _exact.evaluate_dilation,
        _exact.validate_kappa,
        ask=KappaCell(60),
        seconds=0.3,
        smoke=[KappaCell(40, 8)],
    ),
    Experiment(
        check="invariance.L8/~kappa",
        cells={"default": tuple(KappaCell(n, 80) for n in (12, 14, 18, 24, 40, 80, 160))},
        validate=_exact.validate_kappa,
        evaluate=_exact.evaluate_kappa_curve,
        seconds_per_replicate=0.5,
    ),
    _separation("L9/invariant", _SEPARATIONS, _exact.evaluate_separation, ask=SeparationCell("soft_add", 20), smoke=_FEW),
    _separation("L9/invariant!mutilated-graph", _SEPARATIONS, _partial(_exact.evaluate_separation, mutilated=True), smoke=_FEW),
    _span("thm.exact/span", _SPANS, _exact.evaluate_span, ask=SpanCell(20, 2, 2), smoke=_SPANS[:2]),
    _span("thm.exact/span!one-fewer", _SPANS, _partial(_exact.evaluate_span, fewer=1), smoke=_SPANS[:2]),
    _indirect("thm.indirect/identity", _INDIRECT, _exact.evaluate_indirect, ask=IndirectCell(4)),
    _indirect("thm.indirect/identity!direct-r", [IndirectCell(6)], _partial(_exact.evaluate_indirect, forget=True)),
    _indirect("thm.indirect/rank", _INDIRECT, _partial(_exact.evaluate_indirect, what="rank"), ask=IndirectCell(4)),
    _indirect("thm.indirect/injective", _INDIRECT[1:], _partial(_exact.evaluate_indirect, what="rank"), ask=IndirectCell(8)),
    _indirect("thm.indirect/injective!always", _INDIRECT[:1], _partial(_exact.evaluate_indirect, what="rank")),
    _indirect("thm.indirect/target", _INDIRECT, _partial(_exact.evaluate_indirect, what="target"), ask=IndirectCell(4)),
)


# --- sampled moments ---------------------------------------------------------------------------------------------------


def _bernoulli(p):
    return p, math.sqrt(p * (1 - p))


_KEPT = (BruteCell("hard_const"),)
_BRUTE = {
    "simulate": _sampling.simulate_brute,
    "validate": _sampling.validate_brute,
    "chunk": 32,
    "seconds_per_replicate": 5e-4,
    "bytes_per_replicate": 3e6,
}
_RADIUS = {
    "simulate": _sampling.simulate_radius,
    "validate": _sampling.validate_radius,
    "support": lambda: (0.0, 1.0),
    "seconds_per_replicate": 2e-4,
    "bytes_per_replicate": 1e5,
}
_SIZES = tuple(RadiusCell(N) for N in (200, 1600, 12800))

_SAMPLED = (
    Experiment(
        check="invariance.L1/sampled",
        cells=dict.fromkeys(("default", "gpu"), tuple(BruteCell(f) for f in FAMILIES)),
        ask=BruteCell("soft_add", 1),
        prepare=_sampling.prepare_brute,
        expected=lambda: (1.0, 0.025),
        max_replicates=dict.fromkeys(_ALL, 256),
        **_BRUTE,
    ),
    Experiment(
        check="invariance.L1/sampled!noise-kept",
        cells=dict.fromkeys(("default", "gpu"), _KEPT),
        prepare=_partial(_sampling.prepare_brute, keep_noise=True),
        expected=lambda: (1.69, 0.081, 1.9),  # 8,192 draws of another seed; the guard on the skewness asks for some 1,400
        max_replicates=dict.fromkeys(_ALL, 4096),
        **_BRUTE,
    ),
    Experiment(
        check="invariance.L6/zero-mean",
        cells={"smoke": _SIZES[:1], "default": _SIZES, "gpu": _SIZES},
        ask=RadiusCell(500),
        prepare=_sampling.prepare_radius,
        expected=lambda: (0.0, 0.0),
        max_replicates=dict.fromkeys(_ALL, 192),
        **_RADIUS,
    ),
    Experiment(
        check="invariance.L6/zero-mean!a-sixth",
        cells={"smoke": _SIZES[:1], "default": _SIZES, "gpu": _SIZES},
        prepare=_partial(_sampling.prepare_radius, share=1 / 6),
        expected=lambda: _bernoulli(0.7),
        max_replicates=dict.fromkeys(_ALL, 192),
        **_RADIUS,
    ),
    Experiment(
        check="invariance.L6/constants",
        cells=dict.fromkeys(("default", "gpu"), _SIZES),
        ask=RadiusCell(500),
        prepare=_partial(_sampling.prepare_radius, family="hard_const"),
        expected=lambda: (0.0, 0.0),
        max_replicates=dict.fromkeys(_ALL, 192),
        **_RADIUS,
    ),
    Experiment(
        check="invariance.L6/constants!a-eighth",
        cells=dict.fromkeys(("default", "gpu"), _SIZES),
        prepare=_partial(_sampling.prepare_radius, family="hard_const", share=1 / 8),
        expected=lambda: _bernoulli(0.9),
        max_replicates=dict.fromkeys(_ALL, 192),
        **_RADIUS,
    ),
    Experiment(
        check="invariance.thm.samples/rate",
        cells={
            "default": tuple(RadiusCell(N) for N in (200, 800, 3200, 12800)),
            "gpu": tuple(RadiusCell(N) for N in (200, 800, 3200, 12800, 51200)),
        },
        prepare=_sampling.prepare_ratio,
        expected=lambda: (-0.497, 0.09),
        max_replicates=dict.fromkeys(_ALL, 288),
        **(_RADIUS | {"support": lambda: (0.0, math.inf)}),
    ),
)

EXPERIMENTS = (*_EXACT_EXPERIMENTS, *_SAMPLED)
