"""Cells, presets and budgets of the claims about mechanisms under attack."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.adaptive._attack import NaiveCell, prepare_lazy, simulate_lazy, validate_lazy
from sims.adaptive._leaderboard import (
    BOARDS,
    BoostCell,
    LadderCell,
    prepare_boost,
    prepare_ladder,
    simulate_ladder,
    simulate_leaderboard,
    validate_ladder,
)
from sims.adaptive._noise import (
    CertifiedCell,
    CriticalCell,
    ErrorsCell,
    NeededCell,
    evaluate_needed,
    prepare_critical,
    prepare_errors,
    prepare_gaussian,
    prepare_laplace,
    prepare_without_privacy_term,
    simulate_critical,
    simulate_errors,
    validate_critical,
    validate_errors,
    validate_jung,
    validate_laplace,
    validate_needed,
)
from sims.adaptive._rounds import (
    RoundsCell,
    RoundsErrorsCell,
    prepare_rounds,
    prepare_rounds_errors,
    prepare_without_guard,
    simulate_rounds,
    validate_rounds,
    validate_rounds_errors,
)
from sims.adaptive._tracer import TracerCell, prepare_tracer, simulate_tracer, validate_tracer
from theory import adaptive as theory

__all__ = ["EXPERIMENTS"]

_ALL = ("smoke", "default", "gpu")


def _half_range():
    return (-0.5, 0.5)


def _indicator():
    return (0.0, 1.0)


def _gap_range():
    return (-1.0, 1.0)


def _positive():
    return (0.0, math.inf)


def _measured(mean, sd):
    return lambda: (mean, sd)


def _rate(p):
    return _measured(p, math.sqrt(p * (1 - p)))


def _expect_lazy(n, m, analyst, s):
    return float(theory.naive_gap_limit(n, m, analyst, s)), float(theory.naive_gap_sd(n, m, analyst, s))


def _failures(check, cells, prepare, expected, *, smoke=None, validate=validate_laplace, ask=None):
    """A check or lying world judged by `simulate_errors`: indicator, 512 runs at most."""
    return Experiment(
        check=check,
        cells={"smoke": cells if smoke is None else smoke, "default": cells, "gpu": cells},
        ask=ask,
        validate=validate,
        prepare=prepare,
        simulate=simulate_errors,
        support=_indicator,
        expected=expected,
        max_replicates=dict.fromkeys(_ALL, 512),
        chunk=128,
        seconds_per_replicate=4e-5,
        bytes_per_replicate=1e5,
    )


def _critical(check, noise, prepare, expected):
    cells = tuple(CriticalCell(n, 0.1, noise) for n in (250, 500, 1000, 2000))
    return Experiment(
        check=check,
        cells=dict.fromkeys(_ALL, cells),
        validate=validate_critical,
        prepare=prepare,
        simulate=simulate_critical,
        support=_positive,
        expected=expected,
        max_replicates=dict.fromkeys(_ALL, 256),
        block=8,
        chunk=40,
        seconds_per_replicate=1.8e-3,
        bytes_per_replicate=1e5,
    )


_MECHANISMS = (("empirical", 0.0), ("gaussian", 0.1), ("round", 0.25), ("round", 0.5))


def _traced(n):
    return tuple(TracerCell(n, math.ceil(0.8 * n**2), mechanism, level) for mechanism, level in _MECHANISMS)


def _tracing(check, cells, prepare, expected, support):
    """`cells`: by preset. A run at n = 100 takes 7 ms, one at n = 50 1.5 ms."""
    return Experiment(
        check=check,
        cells=cells,
        ask=TracerCell(50, 2000, "round", 0.5) if "!" not in check else None,
        validate=validate_tracer,
        prepare=prepare,
        simulate=simulate_tracer,
        support=support,
        expected=expected,
        max_replicates=dict.fromkeys(_ALL, 320),
        chunk=64,
        seconds_per_replicate=4e-3,
        bytes_per_replicate=1e6,
    )


# Measured, 1,024 runs at n = 50, 256 at 100, 16 at 200: (recall, its sd, gap, its sd) by (n, mechanism, level).
_TRACED = {
    (50, "empirical", 0.0): (1.0, 0.001, 0.743, 0.01),
    (50, "gaussian", 0.1): (0.933, 0.043, 0.698, 0.03),
    (50, "round", 0.25): (0.989, 0.017, 0.736, 0.014),
    (50, "round", 0.5): (0.836, 0.068, 0.634, 0.048),
    (100, "empirical", 0.0): (1.0, 0.001, 0.74, 0.007),
    (100, "gaussian", 0.1): (0.965, 0.023, 0.717, 0.017),
    (100, "round", 0.25): (0.998, 0.005, 0.739, 0.007),
    (100, "round", 0.5): (0.869, 0.043, 0.653, 0.03),
    (200, "empirical", 0.0): (1.0, 0.001, 0.74, 0.003),
    (200, "gaussian", 0.1): (0.979, 0.01, 0.726, 0.008),
    (200, "round", 0.25): (1.0, 0.001, 0.74, 0.003),
    (200, "round", 0.5): (0.889, 0.028, 0.666, 0.02),
}


def _expect_traced(n, mechanism, level):
    """A user's own cell is planned like the hardest one listed."""
    return _TRACED.get((n, mechanism, level), _TRACED[50, "round", 0.5])


def _expect_recall(n, mechanism, level):
    return _expect_traced(n, mechanism, level)[:2]


def _expect_gap(n, mechanism, level):
    return _expect_traced(n, mechanism, level)[2:]


def _tracing_pair(name, expect, support, judges_gap):
    """A check of adaptive.lower_n2 and its two lying worlds."""
    cells = {"smoke": _traced(50)[-1:], "default": _traced(50) + _traced(100), "gpu": _traced(100) + _traced(200)}
    lying = {preset: (TracerCell(50, 2000, "round", 0.5),) for preset in _ALL}
    prepare = functools.partial(prepare_tracer, judges_gap=judges_gap)
    informed, few = ((0.006, 0.032), (0.133, 0.068)) if judges_gap else ((0.052, 0.038), (0.185, 0.072))  # measured, 1,024 runs
    return (
        _tracing(f"adaptive.lower_n2/{name}", cells, prepare, expect, support),
        _tracing(
            f"adaptive.lower_n2/{name}!knows-the-distribution",
            lying,
            functools.partial(prepare, informed=True),
            _measured(*informed),
            support,
        ),
        _tracing(f"adaptive.lower_n2/{name}!few-queries", lying, functools.partial(prepare, share=16), _measured(*few), support),
    )


def _rounds(check, cells, prepare, expected):
    return Experiment(
        check=check,
        cells=cells,
        ask=RoundsCell(100, 0.2, 0.05) if "!" not in check else None,
        validate=validate_rounds,
        prepare=prepare,
        simulate=simulate_rounds,
        support=_indicator,
        expected=expected,
        max_replicates=dict.fromkeys(_ALL, 512),
        chunk=128,
        seconds_per_replicate=8e-4,  # at h = 10,000; 3e-5 at h = 100
        bytes_per_replicate=1e5,
    )


_ROUNDS_CELLS = (RoundsCell(100, 0.2, 0.05), RoundsCell(10_000, 0.2, 0.05))


def _ladder(check, cells, prepare, expected, simulate=simulate_leaderboard, validate=validate_ladder):
    return Experiment(
        check=check,
        cells=cells,
        ask=LadderCell(4000, 1000, 0.05) if "!" not in check and "~" not in check else None,
        validate=validate,
        prepare=prepare,
        simulate=simulate,
        support=_indicator,
        expected=expected,
        max_replicates=dict.fromkeys(_ALL, 32 if "~" in check else 512),
        chunk=32,
        seconds_per_replicate=5e-4 if simulate is simulate_ladder else 5e-3,  # bit by bit .01 s at k = 10,000, .001 s at k = 1,000
        bytes_per_replicate=3e5 if simulate is simulate_ladder else 3e6,
    )


_LADDER_CELLS = tuple(LadderCell(4000, k, 0.05) for k in (1000, 3000, 10_000))
_LARGE_JUNG = CertifiedCell(1000, 0.1, 0.05)
_SMALL_NOISE = (CertifiedCell(100, 0.1, 0.05),)
_GDP = tuple(NaiveCell(1000, m, "linear", s) for m, s in ((1000, 0.05), (3000, 0.1), (1000, 0.03), (1000, 0.02)))
_ERRORS = tuple(
    ErrorsCell(1000, m, mechanism, level)
    for m in (10, 30, 100, 300, 1000, 3000)
    for mechanism, level in (("empirical", 0.0), ("laplace", 0.05), ("gaussian", 0.05), ("round", 0.1))
)
_NEEDED = tuple(NeededCell(m, mech, 0.1, 0.05) for m in (10, 30, 100, 300, 1000) for mech in ("split", "empirical", "laplace", "gaussian"))
_SWEEP = tuple(
    TracerCell(50, round(share * 2500), mechanism, level) for share in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6) for mechanism, level in _MECHANISMS
)

EXPERIMENTS = (
    Experiment(
        check="adaptive.bias_gdp/gap",
        cells={"smoke": _GDP[:1], "default": _GDP, "gpu": (*_GDP, NaiveCell(10_000, 10_000, "linear", 0.05))},
        ask=_GDP[0],
        validate=validate_lazy,
        prepare=prepare_lazy,
        simulate=simulate_lazy,
        support=_half_range,
        expected=_expect_lazy,
        max_replicates={"smoke": 512, "default": 512, "gpu": 1024},
        chunk=128,
        seconds_per_replicate=4e-5,
        bytes_per_replicate=2e6,
    ),
    _failures(
        "adaptive.jung/failure",
        (_LARGE_JUNG, CertifiedCell(160, 0.1, 0.05)),
        prepare_gaussian,
        _rate(0.0),  # measured: none of 4,096 runs fails
        validate=validate_jung,
        smoke=(_LARGE_JUNG,),
        ask=_LARGE_JUNG,
    ),
    *(
        _failures(
            f"adaptive.jung/failure!eps-{eps}-for-free",
            (_LARGE_JUNG,),
            functools.partial(prepare_without_privacy_term, eps=float(eps)),
            _rate(p),  # measured, 4,096 runs
            validate=validate_jung,
        )
        for eps, p in ((2, 0.433), (4, 1.0))
    ),
    # measured, 4,096 runs each: no failure at the certified size
    _failures("adaptive.laplace/pure", _SMALL_NOISE, prepare_laplace, _rate(0.0), ask=_SMALL_NOISE[0]),
    _failures("adaptive.laplace/pure!n-over-400", _SMALL_NOISE, functools.partial(prepare_laplace, share=400), _rate(0.87)),
    _failures("adaptive.laplace/gaussian", _SMALL_NOISE, prepare_gaussian, _rate(0.0), ask=_SMALL_NOISE[0]),
    _failures("adaptive.laplace/gaussian!n-over-100", _SMALL_NOISE, functools.partial(prepare_gaussian, share=100), _rate(0.99)),
    *(
        experiment
        for noise in ("gaussian", "laplace")
        for experiment in (
            _critical(f"adaptive.laplace/slope-{noise}", noise, prepare_critical, _measured(1.955, 0.09)),  # measured, 320 rows
            _critical(
                f"adaptive.laplace/slope-{noise}!exact-answers",
                noise,
                functools.partial(prepare_critical, exact_answers=True),
                _measured(0.982, 0.071),  # measured, 320 rows
            ),
        )
    ),
    Experiment(
        check="adaptive.laplace/~errors",
        cells={"default": _ERRORS, "gpu": _ERRORS},
        validate=validate_errors,
        prepare=prepare_errors,
        simulate=simulate_errors,
        support=_indicator,
        max_replicates={"default": 128, "gpu": 1024},
        chunk=128,
        seconds_per_replicate=4e-5,
        bytes_per_replicate=1e5,
    ),
    Experiment(
        check="adaptive.laplace/~needed",
        cells={"default": _NEEDED, "gpu": _NEEDED},
        validate=validate_needed,
        evaluate=evaluate_needed,
        seconds_per_replicate=0.15,
    ),
    *_tracing_pair("recall", _expect_recall, _indicator, False),
    *_tracing_pair("gap", _expect_gap, _gap_range, True),
    Experiment(
        check="adaptive.lower_n2/~sweep",
        cells={"default": _SWEEP, "gpu": _SWEEP},
        validate=validate_tracer,
        prepare=prepare_tracer,
        simulate=simulate_tracer,
        support=_indicator,
        max_replicates={"default": 64, "gpu": 320},
        chunk=64,
        seconds_per_replicate=1.2e-3,
        bytes_per_replicate=1e6,
    ),
    _rounds("adaptive.rounds/failure", dict.fromkeys(_ALL, _ROUNDS_CELLS), prepare_rounds, _rate(0.0)),  # measured: 0 of 4,096 runs
    _rounds("adaptive.rounds/failure!one-sample", dict.fromkeys(_ALL, _ROUNDS_CELLS[1:]), prepare_without_guard, _rate(1.0)),
    _rounds(
        "adaptive.rounds/failure!a-tenth",
        dict.fromkeys(_ALL, _ROUNDS_CELLS),
        functools.partial(prepare_rounds, share=10),
        lambda h: _rate(0.99 if h == 100 else 1.0)(),  # measured, 4,096 runs
    ),
    Experiment(
        check="adaptive.rounds/~errors",
        cells={"default": tuple(RoundsErrorsCell(1000, m, 0.2) for m in (10, 30, 100, 300, 1000, 3000))},
        validate=validate_rounds_errors,
        prepare=prepare_rounds_errors,
        simulate=simulate_rounds,
        support=_indicator,
        max_replicates={"default": 128},
        chunk=128,
        seconds_per_replicate=1e-4,
        bytes_per_replicate=1e5,
    ),
    *(
        experiment
        for board in ("fixed", "free")
        for experiment in (
            _ladder(
                f"adaptive.ladder/{board}",
                {"default": _LADDER_CELLS, "gpu": _LADDER_CELLS},
                functools.partial(prepare_ladder, board=board),
                _rate(0.0),  # measured: no failure in 384 runs
                simulate_ladder,
            ),
            _ladder(
                f"adaptive.ladder/{board}!plain-board",
                {"default": _LADDER_CELLS[2:], "gpu": _LADDER_CELLS[2:]},
                functools.partial(prepare_ladder, board="board"),
                _rate(1.0),  # measured: every run fails
            ),
        )
    ),
    _ladder(
        "adaptive.ladder/~boost",
        {"default": tuple(BoostCell(4000, k, board) for k in (100, 300, 1000, 3000, 10_000) for board in BOARDS)},
        prepare_boost,
        None,
    ),
)
