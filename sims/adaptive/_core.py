"""Cells, presets and budgets of the first five claims."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.adaptive._accuracy import (
    SplitCell,
    Thm25Cell,
    prepare_split,
    prepare_thm25,
    simulate_split,
    simulate_thm25,
    validate_split,
    validate_thm25,
)
from sims.adaptive._attack import (
    NaiveCell,
    SlopeCell,
    prepare_full,
    prepare_lazy,
    prepare_slope,
    simulate_full,
    simulate_lazy,
    simulate_slope,
    validate_full,
    validate_lazy,
    validate_slope,
)
from sims.adaptive._burn import BurnCell, prepare_burn, simulate_burn, validate_burn
from sims.adaptive._exact import (
    BiasCell,
    Thm6Cell,
    evaluate_bias,
    evaluate_thm6,
    evaluate_thm6_rr,
    validate_bias,
    validate_thm6,
)
from theory import adaptive as theory

__all__ = ["EXPERIMENTS"]


def _grid(sizes, analysts=theory.ANALYSTS, parts=((1, 10), (1, 1), (3, 1))):
    return tuple(NaiveCell(n, n * a // b, analyst) for n in sizes for a, b in parts for analyst in analysts)


def _half_range():
    return (-0.5, 0.5)


def _indicator():
    return (0.0, 1.0)


def _positive():
    return (0.0, math.inf)


def _expect_full(n, m, analyst, s):
    return theory.naive_gap_exact(n, m, analyst, s), float(theory.naive_gap_sd(n, m, analyst, s))


def _expect_lazy(n, m, analyst, s):
    return float(theory.naive_gap_limit(n, m, analyst, s)), float(theory.naive_gap_sd(n, m, analyst, s))


def _expect_split(n, m, tau, share=1):
    p = float(theory.split_failure_exact(max(1, n // (m + 1) // share), m + 1, tau))
    return p, math.sqrt(p * (1 - p))


def _split_cells(*settings):
    return tuple(SplitCell(theory.n_split(m + 1, tau, beta), m, tau, beta) for m, tau, beta in settings)


def _thm25_cells(*offs, m=50, B=2, tau=0.2, beta=0.1):
    n = theory.thm25_sample_size(m, B, tau, beta)
    return tuple(Thm25Cell(n, m, B, tau, beta, off) for off in offs)


def _thm6_cells(sizes, betas, densities=(0.5,), shares=(1.0,)):
    return tuple(Thm6Cell(n, b, p, share) for n in sizes for b in betas for p in densities for share in shares)


_SLOPE = tuple(SlopeCell(n) for n in (250, 500, 1000, 2000))
_NOISY_SLOPE = tuple(SlopeCell(n, 0.1) for n in (125, 250, 500, 1000))
_SPLIT = _split_cells((100, 0.1, 0.05), (50, 0.2, 0.1))
# The linear program. Only n = 4, beta = 1/16 has a bound below 1; the others show how far below any algorithm stays.
_TINY = (
    _thm6_cells((2, 3), (0.25, 0.5), shares=(0.25, 1.0))
    + _thm6_cells((3,), (0.125,), shares=(0.25, 1.0))
    + _thm6_cells((4,), (0.0625,), shares=(0.25, 1.0))
)
_THM6_EDGE = _thm6_cells((400,), (1e-4,))
_OFFS = (0.0, 0.0999, 0.4)  # training means: right; just inside tau/2, so they never count; far outside tau
_BIAS = tuple(BiasCell(eps) for eps in (0.01, 0.1, 0.5, 1.0, 2.0, 5.0))
_ALL = ("smoke", "default", "gpu")

EXPERIMENTS = (
    Experiment(
        check="adaptive.naive/full",
        cells={
            "smoke": _grid((250, 500), parts=((1, 10), (1, 1))),
            "default": _grid((250, 500, 1000)),
            "gpu": _grid((2000, 5000, 20000)),
        },
        ask=NaiveCell(1000, 1000, "linear"),
        validate=validate_full,
        prepare=prepare_full,
        simulate=simulate_full,
        support=_half_range,
        expected=_expect_full,
        max_replicates=dict.fromkeys(_ALL, 640),
        block=8,
        chunk=64,
        seconds_per_replicate=2.5e-4,  # .06 ms at n <= 1000, m <= 256; .8 ms at n = 1000, m = 3000
        bytes_per_replicate=4e6,
    ),
    Experiment(
        check="adaptive.naive/lazy",
        cells={
            "smoke": _grid((500,), ("linear",), parts=((1, 1),)) + _grid((1000,), parts=((1, 1),)),
            "default": _grid((250, 500, 1000), ("linear",)) + _grid((1000,), ("sign",)),
            "gpu": _grid((10_000, 100_000)),
        },
        ask=NaiveCell(1000, 1000, "linear"),
        validate=validate_lazy,
        prepare=prepare_lazy,
        simulate=simulate_lazy,
        support=_half_range,
        expected=_expect_lazy,
        max_replicates=dict.fromkeys(_ALL, 768),
        chunk=128,
        seconds_per_replicate=4e-5,
        bytes_per_replicate=2e6,
    ),
    Experiment(
        check="adaptive.naive/slope",
        cells=dict.fromkeys(_ALL, _SLOPE),
        validate=validate_slope,
        prepare=prepare_slope,
        simulate=simulate_slope,
        support=_positive,
        expected=lambda: (0.997, 0.072),  # measured, 1,024 rows; the delta method gives .072
        max_replicates=dict.fromkeys(_ALL, 256),
        block=8,
        chunk=40,
        seconds_per_replicate=1.4e-3,
        bytes_per_replicate=1e6,
    ),
    Experiment(
        check="adaptive.naive/slope!noisy-answers",
        cells=dict.fromkeys(_ALL, _NOISY_SLOPE),
        validate=validate_slope,
        prepare=prepare_slope,
        simulate=simulate_slope,
        support=_positive,
        expected=lambda: (1.91, 0.126),  # measured, 128 rows
        max_replicates=dict.fromkeys(_ALL, 256),
        block=8,
        chunk=40,
        seconds_per_replicate=6e-3,
        bytes_per_replicate=1e6,
    ),
    Experiment(
        check="adaptive.split/failure",
        cells={"smoke": _SPLIT, "default": _SPLIT, "gpu": _SPLIT + _split_cells((1000, 0.05, 0.05))},
        ask=_SPLIT[0],
        validate=validate_split,
        prepare=prepare_split,
        simulate=simulate_split,
        support=_indicator,
        expected=_expect_split,
        max_replicates=dict.fromkeys(_ALL, 1200),
        chunk=64,
        seconds_per_replicate=1.5e-5,
        bytes_per_replicate=3e4,
    ),
    Experiment(
        check="adaptive.split/failure!half-chunk",
        cells={"smoke": _SPLIT, "default": _SPLIT, "gpu": _SPLIT},
        validate=validate_split,
        prepare=functools.partial(prepare_split, share=2),
        simulate=simulate_split,
        support=_indicator,
        expected=functools.partial(_expect_split, share=2),
        max_replicates=dict.fromkeys(_ALL, 1200),
        chunk=64,
        seconds_per_replicate=1.5e-5,
        bytes_per_replicate=3e4,
    ),
    Experiment(
        check="adaptive.thm6/transfer",
        cells={
            "smoke": _thm6_cells((50, 400), (0.1, 1e-2, 1e-4), shares=(0.5, 1.0)) + _TINY,
            "default": _thm6_cells((50, 400, 1000), (0.1, 1e-2, 1e-4), (0.1, 0.5), (0.25, 0.5, 1.0))
            + _TINY
            + _thm6_cells((4,), (0.125,), shares=(0.25, 1.0)),
        },
        ask=Thm6Cell(400, 1e-4),
        validate=validate_thm6,
        evaluate=evaluate_thm6,
    ),
    *(
        Experiment(
            check=f"adaptive.thm6/transfer!eps-x{factor}",
            cells={"smoke": _THM6_EDGE, "default": _THM6_EDGE},
            validate=validate_thm6,
            evaluate=functools.partial(evaluate_thm6_rr, factor=factor),
        )
        for factor in (2, 4)
    ),
    Experiment(
        check="adaptive.bias_pure/upper",
        cells={"smoke": _BIAS, "default": _BIAS},
        ask=BiasCell(1.0),
        validate=validate_bias,
        evaluate=evaluate_bias,
    ),
    Experiment(
        check="adaptive.bias_pure/attained",
        cells={"smoke": _BIAS, "default": _BIAS},
        ask=BiasCell(1.0),
        validate=validate_bias,
        evaluate=functools.partial(evaluate_bias, attained=True),
    ),
    Experiment(
        check="adaptive.thm25/failure",
        cells=dict.fromkeys(_ALL, _thm25_cells(*_OFFS)),
        ask=_thm25_cells(0.0999)[0],
        validate=validate_thm25,
        prepare=prepare_thm25,
        simulate=simulate_thm25,
        support=_indicator,
        expected=lambda: (0.0, 0.0),  # measured: none of 4,096 runs fails at n or n/300
        max_replicates=dict.fromkeys(_ALL, 512),
        chunk=64,
        seconds_per_replicate=1e-5,
        bytes_per_replicate=1e4,
    ),
    Experiment(
        check="adaptive.thm25/~burn",
        cells=dict.fromkeys(_ALL[1:], tuple(BurnCell(1000, 2000, B, 0.02, 0.2) for B in (20, 200, 2000))),
        validate=validate_burn,
        prepare=prepare_burn,
        simulate=simulate_burn,
        support=_half_range,
        max_replicates=dict.fromkeys(_ALL[1:], 128),
        seconds_per_replicate=2e-4,
        bytes_per_replicate=1e5,
    ),
    Experiment(
        check="adaptive.thm25/failure!n-over-3000",
        cells=dict.fromkeys(_ALL, _thm25_cells(0.0999)),
        validate=validate_thm25,
        prepare=functools.partial(prepare_thm25, share=3000),
        simulate=simulate_thm25,
        support=_indicator,
        expected=lambda: (0.92, 0.271),  # measured, 4,096 runs
        max_replicates=dict.fromkeys(_ALL, 512),
        chunk=64,
        seconds_per_replicate=1e-5,
        bytes_per_replicate=1e4,
    ),
)
