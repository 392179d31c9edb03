"""Cells, presets and budgets of multiplicative weights, the median mechanism and the reusable holdout."""

from __future__ import annotations

import functools
import math

import numpy as np

from sims._experiment import Experiment
from sims.adaptive._histogram import (
    MwCell,
    PmwCell,
    evaluate_mw_divergence,
    evaluate_mw_updates,
    evaluate_pmw,
    evaluate_pmw_error,
    validate_mw,
    validate_pmw,
)
from sims.adaptive._median import Lem37Cell, Thm34Cell, evaluate_lem37, evaluate_thm34, validate_lem37, validate_thm34
from sims.adaptive._reusable import (
    ARMS,
    GRID,
    HoldoutCell,
    PictureCell,
    SignalCell,
    prepare_full,
    prepare_holdout,
    simulate_full,
    simulate_lazy,
    validate_holdout,
)
from theory.adaptive import _median, _reusable

__all__ = ["EXPERIMENTS"]

_ALL = ("smoke", "default", "gpu")
_LAZY = {"block": 16, "chunk": 96, "bytes_per_replicate": 1e6}  # one program for all lazy experiments
_FULL = {"block": 16, "chunk": 48, "bytes_per_replicate": 4e6}
_PAPER = 10_000  # n = d of the published figure
_SMALL = 2000


def _everywhere(*cells):
    return dict.fromkeys(_ALL, cells)


# ------------------------------------------------------------------------------------------------ multiplicative weights

_STEPS = (4.0, 1.0, 0.5)  # in units of the threshold
_MW = tuple(MwCell(universe, t, s * t) for universe, t in ((64, 0.2), (1024, 0.1)) for s in _STEPS)
_PMW = tuple(PmwCell(256, 2000, 3000, 0.08, 0.16, noise) for noise in (0.0, 0.005, 0.02))
_WRONG = tuple(PmwCell(256, 2000, 2000, 0.08, 0.16, noise) for noise in (0.0, 0.005))

_WEIGHTS = (
    Experiment(
        check="adaptive.pmw/kl-step",
        cells=_everywhere(*_PMW),
        ask=_PMW[1],
        validate=validate_pmw,
        evaluate=functools.partial(evaluate_pmw, measure="drops"),
        seconds_per_replicate=0.05,
    ),
    Experiment(
        check="adaptive.pmw/kl-step!wrong-way",
        cells=_everywhere(_WRONG[1]),
        validate=validate_pmw,
        evaluate=functools.partial(evaluate_pmw, measure="drops", flipped=True),
        seconds_per_replicate=0.4,
    ),
    Experiment(
        check="adaptive.pmw/updates",
        cells=_everywhere(_PMW[0]),
        ask=_PMW[0],
        validate=validate_pmw,
        evaluate=functools.partial(evaluate_pmw, measure="updates"),
        seconds_per_replicate=0.03,
    ),
    Experiment(
        check="adaptive.pmw/updates!wrong-way",
        cells=_everywhere(_WRONG[0]),
        validate=validate_pmw,
        evaluate=functools.partial(evaluate_pmw, measure="updates", flipped=True),
        seconds_per_replicate=0.4,
    ),
    Experiment(
        check="adaptive.pmw/sample-error",
        cells=_everywhere(_PMW[0]),
        ask=_PMW[0],
        validate=validate_pmw,
        evaluate=functools.partial(evaluate_pmw, measure="error"),
        seconds_per_replicate=0.03,
    ),
    Experiment(
        check="adaptive.pmw/~error",
        cells=dict.fromkeys(
            ("default", "gpu"),
            tuple(PmwCell(256, 2000, m, 0.08, 0.16, noise) for m in (300, 3000, 30_000) for noise in (0.002, 0.005)),
        ),
        validate=validate_pmw,
        evaluate=evaluate_pmw_error,
        seconds_per_replicate=0.5,
    ),
    Experiment(
        check="adaptive.mw_updates/updates",
        cells=_everywhere(*_MW),
        ask=_MW[0],
        validate=validate_mw,
        evaluate=evaluate_mw_updates,
        seconds_per_replicate=0.05,
    ),
    Experiment(
        check="adaptive.mw_updates/~kl",
        cells=_everywhere(*_MW[3:]),
        validate=validate_mw,
        evaluate=evaluate_mw_divergence,
        seconds_per_replicate=0.05,
    ),
)

# -------------------------------------------------------------------------------------------------- the Median mechanism

# Means at which the printed rounding never removes a candidate, and one that needs no answer from the sample.
_STUCK = (Lem37Cell(4096, 0.15, 0.81), Lem37Cell(256, 0.2, 0.95))
_LEM37 = (*_STUCK, Lem37Cell(4096, 0.15, 0.93), Lem37Cell(4096, 0.15, 0.07))
_THM34 = Thm34Cell(math.ceil(_median.thm34_sample_size(256, 0.45, 0.05)), 256, 0.97, 0.45, 0.05)

_MEDIAN = (
    Experiment(
        check="adaptive.lem37/updates",
        cells=_everywhere(*_LEM37),
        ask=_LEM37[0],
        validate=validate_lem37,
        evaluate=evaluate_lem37,
        seconds_per_replicate=0.03,
    ),
    Experiment(
        check="adaptive.lem37/updates!printed-rounding",
        cells=_everywhere(*_STUCK),
        validate=validate_lem37,
        evaluate=functools.partial(evaluate_lem37, repaired=False),
        seconds_per_replicate=0.1,
    ),
    Experiment(
        check="adaptive.lem37/sample-error",
        cells=_everywhere(*_STUCK),
        ask=_LEM37[0],
        validate=validate_lem37,
        evaluate=functools.partial(evaluate_lem37, measure="error"),
        seconds_per_replicate=0.03,
    ),
    Experiment(
        check="adaptive.thm34/failure",
        cells=_everywhere(_THM34),
        ask=_THM34,
        validate=validate_thm34,
        evaluate=evaluate_thm34,
        seconds_per_replicate=0.3,
    ),
    Experiment(
        check="adaptive.thm34/failure!no-test",
        cells=_everywhere(_THM34),
        validate=validate_thm34,
        evaluate=functools.partial(evaluate_thm34, tested=False),
        seconds_per_replicate=0.3,
    ),
)

# -------------------------------------------------------------------------------------------------- the reusable holdout


def _accuracy():
    return (0.0, 1.0)


def _difference():
    return (-1.0, 1.0)


def _expect_holdout(n, d, k):
    # measured, 1,920 runs: .6314, sd .0086 at n = 2,000, k = 100; .6324, .0037 at n = 10,000, k = 500; 960 runs: .595, .018 at
    # n = 400, k = 10. Runs that keep fewer than k attributes cost .1/sqrt(n) where k is about their expected number.
    short = 0.1 / math.sqrt(n) if k > 0.9 * _reusable.fig2_num_selected(d) else 0.0
    return float(_reusable.fig2_holdout_accuracy(n, k)) - short, 0.39 / math.sqrt(n)


def _expect_sums(n, k):
    from scipy.special import ndtr

    # closed form: holdout weights of one sign but no cut, E|v| = sqrt(2/pi); sd measured
    return float(ndtr(math.sqrt(2 * k / (math.pi * n)))), 0.40 / math.sqrt(n)


# measured, 1,920 runs each: mean, sd and skewness of reported - fresh accuracy, along GRID
_REPORTED = {
    _SMALL: (
        (0.0595, 0.0420, 0.0274, 0.0162, 0.0143, 0.0145, 0.0155, 0.0159, 0.0163, 0.0150, 0.0165, 0.0155),
        (0.0402, 0.0535, 0.0489, 0.0364, 0.0285, 0.0274, 0.0266, 0.0270, 0.0271, 0.0274, 0.0272, 0.0262),
        (-1.04, 0.23, 0.99, 1.36, 0.28, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ),
    _PAPER: (
        (0.0253, 0.0134, 0.0085, 0.0080, 0.0093, 0.0099, 0.0112, 0.0117, 0.0122, 0.0127, 0.0128, 0.0136),
        (0.0217, 0.0217, 0.0153, 0.0127, 0.0121, 0.0122, 0.0119, 0.0119, 0.0122, 0.0121, 0.0123, 0.0119),
        (-0.51, 0.96, 1.22, 0.42, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ),
}


def _expect_reported(n, k):
    law = _REPORTED[min(_REPORTED, key=lambda size: abs(math.log(size / n)))]
    return tuple(float(np.interp(k, GRID, values)) for values in law)


def _expect_reused(n, k):
    # reported is the holdout accuracy itself; sd measured
    return float(_reusable.fig2_holdout_accuracy(n, k)) - 0.5 - 0.1 / math.sqrt(n), 0.64 / math.sqrt(n)


def _expect_fresh(n, k):
    # measured, 1,920 runs, the lower of the arms: .7241, sd .0107 at n = 2,000; .6041, .0057 at n = 10,000
    return float(_reusable.fig3_fresh_accuracy(n, min(k, 20))) - 0.0017, 0.55 / math.sqrt(n)


def _expect_no_signal(n):
    return 0.5, 0.5 / math.sqrt(n)


_FINAL = (HoldoutCell(_SMALL, _SMALL, 100), HoldoutCell(_PAPER, _PAPER, 500))
_FULL_CELLS = {"default": (HoldoutCell(400, 400, 10),), "gpu": (HoldoutCell(_PAPER, _PAPER, 500),)}
_REPORTED_CELLS = {
    "smoke": _FINAL[:1],
    "default": tuple(HoldoutCell(_SMALL, _SMALL, k) for k in GRID if k <= 100)
    + tuple(HoldoutCell(_PAPER, _PAPER, k) for k in (10, 20, 100, 500)),
    "gpu": tuple(HoldoutCell(_PAPER, _PAPER, k) for k in GRID),
}
_SIGNAL = tuple(SignalCell(n, n, 20, arm) for n in (_SMALL, _PAPER) for arm in ARMS)
_HOLDOUT, _RAW = {"holdout": 1.0}, {"holdout": 1.0, "fresh": -1.0}
_GAP, _FRESH = {"reported": 1.0, "fresh": -1.0}, {"fresh": 1.0}


def _curves(claim, name, signal, cells, runs, full=False):
    """Whole curves for the figure, judged by nobody."""
    prepare = prepare_full if full else prepare_holdout
    return Experiment(
        check=f"{claim}/~{name}",
        cells={preset: tuple(PictureCell(n, n, arm, signal) for arm in ARMS) for preset, n in cells.items()},
        validate=validate_holdout,
        prepare=functools.partial(prepare, judged=_HOLDOUT),
        simulate=simulate_full if full else simulate_lazy,
        support=_accuracy,
        max_replicates=runs,
        seconds_per_replicate=2.5 if full else 4e-3,
        **(_FULL if full else _LAZY),
    )


_REUSABLE = (
    Experiment(
        check="adaptive.fig2/holdout",
        cells={"smoke": _FINAL[:1], "default": _FINAL, "gpu": _FINAL[1:]},
        ask=_FINAL[0],
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, arm="standard", judged=_HOLDOUT),
        simulate=simulate_lazy,
        support=_accuracy,
        expected=_expect_holdout,
        max_replicates=dict.fromkeys(_ALL, 768),
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
    Experiment(
        check="adaptive.fig2/holdout!sums",
        cells={"smoke": _FINAL[:1], "default": _FINAL, "gpu": _FINAL[1:]},
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, arm="standard", sums=True, judged=_HOLDOUT),
        simulate=simulate_lazy,
        support=_accuracy,
        expected=_expect_sums,
        max_replicates=dict.fromkeys(_ALL, 768),
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
    Experiment(
        check="adaptive.fig2/full",
        cells=_FULL_CELLS,
        ask=_FULL_CELLS["default"][0],
        validate=validate_holdout,
        prepare=functools.partial(prepare_full, arm="standard", judged=_HOLDOUT),
        simulate=simulate_full,
        support=_accuracy,
        expected=_expect_holdout,
        max_replicates={"default": 256, "gpu": 256},
        seconds_per_replicate=8e-3,
        **_FULL,
    ),
    Experiment(
        check="adaptive.fig2/full!sums",
        cells=_FULL_CELLS,
        validate=validate_holdout,
        prepare=functools.partial(prepare_full, arm="standard", sums=True, judged=_HOLDOUT),
        simulate=simulate_full,
        support=_accuracy,
        expected=_expect_sums,
        max_replicates={"default": 256, "gpu": 256},
        seconds_per_replicate=8e-3,
        **_FULL,
    ),
    Experiment(
        check="adaptive.fig2/reported",
        cells=_REPORTED_CELLS,
        ask=_FINAL[0],
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, arm="thresholdout", judged=_GAP),
        simulate=simulate_lazy,
        support=_difference,
        expected=_expect_reported,
        max_replicates=dict.fromkeys(_ALL, 864),
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
    Experiment(
        check="adaptive.fig2/reported!standard",
        cells={"smoke": _FINAL[:1], "default": _FINAL, "gpu": _FINAL[1:]},
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, arm="standard", judged=_GAP),
        simulate=simulate_lazy,
        support=_difference,
        expected=_expect_reused,
        max_replicates=dict.fromkeys(_ALL, 768),
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
    _curves("adaptive.fig2", "curves", False, {"default": _PAPER, "gpu": _PAPER}, {"default": 20, "gpu": 100}),
    _curves("adaptive.fig2", "full-curves", False, {"gpu": _PAPER}, {"gpu": 100}, full=True),
    Experiment(
        check="adaptive.fig3/fresh",
        cells={"default": (*_SIGNAL[:2], _SIGNAL[3]), "gpu": _SIGNAL[2:]},
        ask=_SIGNAL[0],
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, signal=True, judged=_FRESH),
        simulate=simulate_lazy,
        support=_accuracy,
        expected=_expect_fresh,
        max_replicates=dict.fromkeys(_ALL, 1152),
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
    Experiment(
        check="adaptive.fig3/fresh!no-signal",
        cells={"default": _SIGNAL[:1], "gpu": _SIGNAL[2:3]},
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, signal=False, judged=_FRESH),
        simulate=simulate_lazy,
        support=_accuracy,
        expected=_expect_no_signal,
        max_replicates=dict.fromkeys(_ALL, 768),
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
    _curves("adaptive.fig3", "curves", True, {"default": _PAPER, "gpu": _PAPER}, {"default": 20, "gpu": 100}),
    _curves("adaptive.fig3", "full-curves", True, {"gpu": _PAPER}, {"gpu": 100}, full=True),
    Experiment(
        check="adaptive.fig4/~residual",
        cells={"default": _FINAL, "gpu": _FINAL},
        validate=validate_holdout,
        prepare=functools.partial(prepare_holdout, arm="thresholdout", judged=_RAW),
        simulate=simulate_lazy,
        support=_difference,
        max_replicates={"default": 480, "gpu": 9984},
        seconds_per_replicate=1e-3,
        **_LAZY,
    ),
)

EXPERIMENTS = (*_WEIGHTS, *_MEDIAN, *_REUSABLE)
