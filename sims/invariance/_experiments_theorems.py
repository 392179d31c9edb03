"""Cells, presets and budgets of the thresholds, the PAC bound, dimension, law.fixed, scenario heads, and the authors' experiment."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.invariance import _adversary, _baselines, _fixed, _notebook
from sims.invariance._adversary import DimensionCell, NullCell, PacCell, PhaseCell
from sims.invariance._baselines import BaselineCell
from sims.invariance._fixed import FixedCell, HeadCell
from sims.invariance._notebook import NotebookCell
from theory.invariance import _bounds

__all__ = ["EXPERIMENTS"]

_ALL = ("smoke", "default", "gpu")
_LARGE = ("default", "gpu")
_partial = functools.partial


def _unit():
    return (0.0, 1.0)


def _bernoulli(p):
    return p, math.sqrt(p * (1 - p))


def _certain():
    return (1.0, 0.0)


def _never():
    return (0.0, 0.0)


# --- thresholds --------------------------------------------------------------------------------------------------------

_PHASE = {"prepare": _adversary.prepare_phase, "simulate": _adversary.simulate_phase, "validate": _adversary.validate_phase, "x64": True}
_NULLS = tuple(NullCell(d) for d in (6, 12, 24, 36))
_NULL = {
    "simulate": _adversary.simulate_null,
    "validate": _adversary.validate_null,
    "support": _unit,
    "chunk": 32,
    "x64": True,
    "seconds_per_replicate": 5e-4,
    "bytes_per_replicate": 3e5,
}

_THRESHOLDS = (
    Experiment(
        check="invariance.thm.exact/phase",
        cells={"default": (PhaseCell(4), PhaseCell(10)), "gpu": tuple(PhaseCell(n, d) for d in (12, 24) for n in (4, 10))},
        ask=PhaseCell(7),
        support=_unit,
        max_replicates=dict.fromkeys(_ALL, 128),
        chunk=32,
        seconds_per_replicate=2e-3,
        bytes_per_replicate=1e6,
        **_PHASE,
    ),
    Experiment(
        check="invariance.thm.exact/~phase",
        cells={
            "default": tuple(PhaseCell(n, d) for d in (6, 12, 24) for n in (*range(1, 11), 12)),
            "gpu": tuple(PhaseCell(n, d) for d in (6, 12, 24, 36, 48, 64) for n in range(1, 16)),
        },
        max_replicates={"smoke": 32, "default": 32, "gpu": 64},
        chunk=32,
        seconds_per_replicate=2.5e-3,
        bytes_per_replicate=1e6,
        **_PHASE,
    ),
    Experiment(
        check="invariance.thm.lower/null",
        cells={"smoke": _NULLS[:1], "default": _NULLS, "gpu": _NULLS},
        ask=NullCell(18),
        prepare=_adversary.prepare_null,
        expected=lambda: (0.997, 0.004),
        max_replicates=dict.fromkeys(_ALL, 320),
        **_NULL,
    ),
    Experiment(
        check="invariance.thm.lower/null!one-more",
        cells={"smoke": _NULLS[:1], "default": _NULLS, "gpu": _NULLS},
        prepare=_partial(_adversary.prepare_null, more=1),
        expected=_never,
        max_replicates=dict.fromkeys(_ALL, 320),
        **_NULL,
    ),
)

# --- PAC ---------------------------------------------------------------------------------------------------------------

_JUDGED = (PacCell(200),)
_PAC = {
    "simulate": _adversary.simulate_eps,
    "validate": _adversary.validate_pac,
    "support": _unit,
    "block": 16,
    "chunk": 16,
    "seconds_per_replicate": 0.015,
    "bytes_per_replicate": 5e5,
}
_PAIR = {
    "simulate": _adversary.simulate_pair,
    "validate": _adversary.validate_dimension,
    "support": lambda: (-1.0, 1.0),
    "block": 8,
    "chunk": 8,  # one block, so one device: products of large matrices on two devices at once can wait for each other forever
    "bytes_per_replicate": 5e6,
}

_GENERALIZATION = (
    Experiment(
        check="invariance.thm.pac/tail",
        cells={"default": _JUDGED, "gpu": (PacCell(200), PacCell(200, delta=0.05), PacCell(400, p=97))},
        ask=PacCell(400),
        prepare=_adversary.prepare_eps,
        expected=_never,
        max_replicates={"smoke": 96, "default": 96, "gpu": 400},
        **_PAC,
    ),
    Experiment(
        check="invariance.thm.pac/tail!an-eightieth",
        cells=dict.fromkeys(_LARGE, _JUDGED),
        prepare=_partial(_adversary.prepare_eps, share=1 / 80),
        expected=lambda: _bernoulli(0.47),
        max_replicates=dict.fromkeys(_ALL, 320),
        **_PAC,
    ),
    Experiment(
        check="invariance.thm.pac/tail!out-of-law",
        cells=dict.fromkeys(_LARGE, _JUDGED),
        prepare=_partial(_adversary.prepare_eps, reach=4.0),
        expected=_certain,
        max_replicates=dict.fromkeys(_ALL, 96),
        **_PAC,
    ),
    Experiment(
        check="invariance.thm.pac/tail!no-capacity",
        cells=dict.fromkeys(_LARGE, (PacCell(5, p=13, q=4, eps=1e-3),)),
        validate=_adversary.validate_pac,
        prepare=_adversary.prepare_uncounted,
        simulate=_adversary.simulate_uncounted,
        support=_unit,
        expected=_certain,
        max_replicates=dict.fromkeys(_ALL, 64),
        chunk=16,
        x64=True,
        seconds_per_replicate=5e-4,
    ),
    Experiment(
        check="invariance.thm.pac/~worst",
        cells={
            "default": tuple(PacCell(n) for n in (2, 3, 5, 8, 12, 20, 35, 60, 100, 200)),
            "gpu": tuple(PacCell(n) for n in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4000)),
        },
        prepare=_adversary.prepare_eps,
        max_replicates={"smoke": 16, "default": 32, "gpu": 128},
        **{k: v for k, v in _PAC.items() if k != "support"},
    ),
    Experiment(
        check="invariance.thm.dimfree/growth",
        cells={"default": (DimensionCell(24, 20),), "gpu": tuple(DimensionCell(d, 20) for d in (24, 36, 96, 512))},
        ask=DimensionCell(48, 20),
        prepare=_adversary.prepare_pair,
        expected=lambda: (-0.02, 0.11),
        max_replicates={"smoke": 96, "default": 96, "gpu": 128},
        seconds_per_replicate=0.03,
        **_PAIR,
    ),
    Experiment(
        check="invariance.thm.dimfree/growth!all-sites",
        cells={"default": (DimensionCell(24, 20),), "gpu": tuple(DimensionCell(d, 20) for d in (24, 36))},
        prepare=_partial(_adversary.prepare_pair, everywhere=True),
        expected=lambda: (0.64, 0.08),
        max_replicates=dict.fromkeys(_ALL, 112),
        seconds_per_replicate=0.1,
        **_PAIR,
    ),
    Experiment(
        check="invariance.thm.dimfree/~fixed",
        cells={
            "default": (DimensionCell(24, 8), DimensionCell(24, 20), DimensionCell(36, 8, 12), DimensionCell(36, 20, 12)),
            "gpu": tuple(DimensionCell(d, n) for d in (24, 96, 512) for n in (8, 20)),
        },
        prepare=_adversary.prepare_pair,
        max_replicates={"smoke": 16, "default": 24, "gpu": 64},
        seconds_per_replicate=0.03,
        **{k: v for k, v in _PAIR.items() if k != "support"},
    ),
    Experiment(
        check="invariance.thm.dimfree/~all",
        cells={
            "default": (DimensionCell(24, 8), DimensionCell(24, 20)),
            "gpu": tuple(DimensionCell(d, n, s) for d, s in ((24, 6), (36, 12), (128, 64)) for n in (8, 20, 64)),
        },
        prepare=_partial(_adversary.prepare_pair, everywhere=True),
        max_replicates={"smoke": 8, "default": 16, "gpu": 32},
        seconds_per_replicate=0.1,
        **{k: v for k, v in _PAIR.items() if k != "support"},
    ),
)

# --- fixed representations and learned heads ---------------------------------------------------------------------------

_FIXED = {
    "simulate": _fixed.simulate_fixed,
    "validate": _fixed.validate_fixed,
    "support": _unit,
    "block": 256,
    "chunk": 2048,
    "seconds_per_replicate": 3e-6,
    "bytes_per_replicate": 1e4,
}
_NS = (FixedCell(3), FixedCell(10), FixedCell(30))
_HEADS = (HeadCell("5", 10), HeadCell("3+5", 10), HeadCell("3+5", 20))


def _expected_head(subset, n):
    k = subset.count("+") + 1
    mean, rest = (k + 1) / (n + 1), (n - k) / (n + 1)
    return mean, math.sqrt(mean * rest / (n + 2) + mean * rest / _fixed.FRESH)  # Beta(k + 1, n - k), seen through fresh environments


_LEARNED = (
    Experiment(
        check="invariance.law.fixed/mean",
        cells={"smoke": _NS[:1], "default": _NS, "gpu": _NS},
        ask=FixedCell(10),
        prepare=_fixed.prepare_fixed,
        expected=lambda n: _bernoulli(_bounds.fixed_law(n)[0]),
        max_replicates={"smoke": 12_000, "default": 120_000, "gpu": 120_000},
        **_FIXED,
    ),
    Experiment(
        check="invariance.law.fixed/mean!second-largest",
        cells={"smoke": _NS[:1], "default": _NS, "gpu": _NS},
        prepare=_partial(_fixed.prepare_fixed, rank=2),
        expected=lambda n: _bernoulli(2 / (n + 1)),
        max_replicates=dict.fromkeys(_ALL, 12_000),
        **_FIXED,
    ),
    Experiment(
        check="invariance.scenario/mean",
        cells=dict.fromkeys(_LARGE, _HEADS),
        ask=HeadCell("5", 10),
        validate=_fixed.validate_head,
        prepare=_fixed.prepare_head,
        simulate=_fixed.simulate_head,
        support=_unit,
        expected=_expected_head,
        max_replicates=dict.fromkeys(_ALL, 2400),
        chunk=128,
        x64=True,
        seconds_per_replicate=5e-5,
        bytes_per_replicate=2e5,
    ),
)

# --- the authors' experiment -------------------------------------------------------------------------------------------

_COMBINATIONS = (("hard", "hard"), ("hard", "rademacher"), ("soft", "soft"), ("soft", "rademacher"))
_PUBLISHED = tuple(NotebookCell(N, *kinds) for N in (10_000, 45_000) for kinds in _COMBINATIONS)
_MEASURED = {  # (N, train, test) -> mean and sd of one repetition's score, and of its number of accepted subsets
    (10_000, "hard", "hard"): ((94.7, 1.4), (4.0, 0.15)),
    (10_000, "hard", "rademacher"): ((45.0, 1.9), (4.0, 0.15)),
    (10_000, "soft", "soft"): ((80.8, 2.1), (6.0, 0.72)),
    (10_000, "soft", "rademacher"): ((72.9, 3.5), (6.0, 0.72)),
    (45_000, "hard", "hard"): ((99.3, 1.2), (4.0, 0.13)),
    (45_000, "hard", "rademacher"): ((49.8, 1.4), (4.0, 0.13)),
    (45_000, "soft", "soft"): ((98.1, 0.5), (12.0, 0.05)),
    (45_000, "soft", "rademacher"): ((74.2, 0.6), (12.0, 0.05)),
}


def _measured(N, train, test, place):
    """Mean and sd where they are known; elsewhere no number is published and nothing is planned."""
    return _MEASURED.get((N, train, test), ((0.0, 1.0),) * 2)[place]


_NOTEBOOK = {
    "simulate": _notebook.simulate_notebook,
    "validate": _notebook.validate_notebook,
    "block": 16,
    "chunk": 16,  # one block, so one device, as above
    "x64": True,
    "bytes_per_replicate": 1e7,
}


def _notebook_experiment(check, cells, prepare, support, expected, most, seconds=5e-3, ask=None):
    return Experiment(
        check=f"invariance.{check}",
        cells=dict.fromkeys(_LARGE, tuple(cells)),
        ask=ask,
        prepare=prepare,
        support=support,
        expected=expected,
        max_replicates=dict.fromkeys(_ALL, most),
        seconds_per_replicate=seconds,
        **_NOTEBOOK,
    )


def _score_range():
    return (0.0, 100.0)


def _accepted_range(N, train, test):
    return (0.0, _notebook.accepted_cap(N, train, test))


def _capped(N, train, test):
    return _notebook.accepted_cap(N, train, test), 0.0


_HARD = tuple(NotebookCell(N, "hard", "hard") for N in (10_000, 45_000))
_ONE = (NotebookCell(45_000, "hard", "rademacher"),)
_SOFT_SIGNS = (NotebookCell(45_000, "soft", "rademacher"),)

_AUTHORS = (
    _notebook_experiment(
        "fig.main/score",
        _PUBLISHED,
        _notebook.prepare_score,
        _score_range,
        _partial(_measured, place=0),
        1400,
        ask=NotebookCell(10_000, "soft", "soft"),
    ),
    _notebook_experiment(
        "fig.main/score!signed-target",
        (NotebookCell(10_000, "hard", "rademacher"), *_SOFT_SIGNS),
        _partial(_notebook.prepare_score, positive=0.0),
        _score_range,
        lambda train: (11.3, 0.9) if train == "hard" else (18.6, 1.1),
        96,
    ),
    _notebook_experiment(
        "fig.main/score!loud-noise",
        (NotebookCell(10_000, "hard", "hard"),),
        _partial(_notebook.prepare_score, noise=0.2),
        _score_range,
        lambda: (83.0, 4.0),
        128,
    ),
    _notebook_experiment(
        "fig.main/accepted",
        _PUBLISHED,
        _notebook.prepare_accepted,
        _accepted_range,
        _partial(_measured, place=1),
        960,
        seconds=1.5e-3,
        ask=NotebookCell(10_000, "soft", "soft"),
    ),
    _notebook_experiment(
        "fig.main/accepted!centred",
        (NotebookCell(10_000, "hard", "hard"),),
        _partial(_notebook.prepare_accepted, centred=1.0),
        _accepted_range,
        _capped,
        64,
        seconds=1.5e-3,
    ),
    _notebook_experiment(
        "fig.main/erm", _HARD, _notebook.prepare_erm, _unit, lambda: (3e-4, 6e-4), 208, ask=NotebookCell(20_000, "hard", "hard")
    ),
    _notebook_experiment(
        "fig.main/erm!soft",
        _HARD,
        _partial(_notebook.prepare_erm, soft=True),
        _unit,
        lambda N: (0.37, 0.02) if N == 10_000 else (0.946, 0.011),
        64,
    ),
    _notebook_experiment(
        "scope/rademacher", _ONE, _notebook.prepare_scope, _unit, _never, 96, ask=NotebookCell(20_000, "hard", "rademacher")
    ),
    _notebook_experiment(
        "scope/rademacher!hard-test", _ONE, _partial(_notebook.prepare_scope, test="hard"), _unit, lambda: (0.994, 0.002), 64
    ),
    _notebook_experiment(
        "scope/blanket",
        _SOFT_SIGNS,
        _notebook.prepare_blanket,
        _unit,
        lambda: (0.244, 0.016),
        288,
        ask=NotebookCell(90_000, "soft", "rademacher"),
    ),
    Experiment(
        check="invariance.fig.main/~grid",
        cells={
            "default": tuple(NotebookCell(N, *kinds) for N in (15_000, 30_000) for kinds in _COMBINATIONS),
            "gpu": tuple(NotebookCell(N, *kinds) for N in (10_000, 15_000, 30_000, 45_000) for kinds in _COMBINATIONS),
        },
        prepare=_notebook.prepare_score,
        max_replicates={"smoke": 16, "default": 32, "gpu": 100_000},
        seconds_per_replicate=5e-3,
        **_NOTEBOOK,
    ),
    Experiment(
        check="invariance.fig.main/~baselines",
        cells={"default": tuple(BaselineCell(m, graph, 21) for graph in (0, 2) for m in (1, 2, 3, 4, 5, 6, 8, 12, 20))},
        validate=_baselines.validate_baseline,
        evaluate=_baselines.evaluate_baselines,
        seconds_per_replicate=0.5,
    ),
)

EXPERIMENTS = (*_THRESHOLDS, *_GENERALIZATION, *_LEARNED, *_AUTHORS)
