"""Simulators for Preserving Statistical Validity in Adaptive Data Analysis (theory/adaptive).

Every simulator draws one replicate and is pure; real parameters and loop lengths are traced, only padded sizes are
static, so that the cells of an experiment share one or two compiled programs.
"""

from __future__ import annotations

from sims.adaptive import _core, _exact_experiments, _histogram_experiments, _mechanism_experiments
from sims.adaptive._accuracy import (
    SplitCell,
    SplitPrepared,
    Thm25Cell,
    Thm25Prepared,
    prepare_split,
    prepare_thm25,
    simulate_split,
    simulate_thm25,
    validate_split,
    validate_thm25,
)
from sims.adaptive._attack import (
    FullPrepared,
    LazyPrepared,
    NaiveCell,
    SlopeCell,
    prepare_full,
    prepare_lazy,
    prepare_slope,
    simulate_full,
    simulate_lazy,
    simulate_slope,
    slope_queries,
    validate_full,
    validate_lazy,
    validate_naive,
    validate_slope,
)
from sims.adaptive._certified import certified_command
from sims.adaptive._exact import (
    BiasCell,
    Thm6Cell,
    evaluate_bias,
    evaluate_thm6,
    evaluate_thm6_rr,
    validate_bias,
    validate_thm6,
)

__all__ = [
    "COMMANDS",
    "EXPERIMENTS",
    "BiasCell",
    "FullPrepared",
    "LazyPrepared",
    "NaiveCell",
    "SlopeCell",
    "SplitCell",
    "SplitPrepared",
    "Thm6Cell",
    "Thm25Cell",
    "Thm25Prepared",
    "evaluate_bias",
    "evaluate_thm6",
    "evaluate_thm6_rr",
    "prepare_full",
    "prepare_lazy",
    "prepare_slope",
    "prepare_split",
    "prepare_thm25",
    "simulate_full",
    "simulate_lazy",
    "simulate_slope",
    "simulate_split",
    "simulate_thm25",
    "slope_queries",
    "validate_bias",
    "validate_full",
    "validate_lazy",
    "validate_naive",
    "validate_slope",
    "validate_split",
    "validate_thm6",
    "validate_thm25",
]

EXPERIMENTS = (
    *_core.EXPERIMENTS,
    *_exact_experiments.EXPERIMENTS,
    *_mechanism_experiments.EXPERIMENTS,
    *_histogram_experiments.EXPERIMENTS,
)

COMMANDS = {"certified": certified_command}
