"""Cells, presets and budgets: lem1-lem4, the KL versions, heterogeneity and best of N."""

from __future__ import annotations

import functools
import math

import numpy as np

from sims._experiment import Experiment
from sims.verification import _laws, _planted
from sims.verification._laws import LawCell, SignCell
from sims.verification._planted import BonCell, PlantedCell
from theory.verification import _planted as theory
from theory.verification._planted import GOLD_LENGTH, VOCABULARY

__all__ = ["EXPERIMENTS"]

_PRESETS = ("smoke", "default", "gpu")


def _exact(check, cells, evaluate, validate, ask=None, seconds=0.02, smoke=None):
    """An EXACT experiment is decided in every preset, at smoke size perhaps on fewer cells."""
    cells = tuple(cells)
    return Experiment(
        check=f"verification.{check}",
        cells={"smoke": cells if smoke is None else smoke, "default": cells, "gpu": cells},
        ask=ask,
        validate=validate,
        evaluate=evaluate,
        seconds_per_replicate=seconds,
    )


def _law_cells(**kappas):
    """planted=(.05, ..), random=(..), two_point=(..) -> cells."""
    return tuple(LawCell(source.replace("_", "-"), kappa) for source, radii in kappas.items() for kappa in radii)


_KAPPAS = (0.05, 0.25, 0.5, 1.0, 2.0, 4.0)
_LAWS = _law_cells(planted=_KAPPAS, random=_KAPPAS, two_point=(0.5, 1.0))
_FEW_LAWS = _law_cells(planted=(0.05, 0.5, 2.0), random=(0.05, 0.5, 2.0), two_point=(0.5, 1.0))
_ASK_LAW = LawCell("two", 0.25)

_SMOKE_LAWS = _law_cells(planted=(0.5,), random=(0.5,), two_point=(0.5,))


def _law_experiment(check, cells, evaluate, ask=None):
    smoke = cells[:1] if "!" in check else _SMOKE_LAWS
    return _exact(check, cells, evaluate, _laws.validate_law, ask, seconds=0.03, smoke=smoke)


_partial = functools.partial

_LAW_EXPERIMENTS = (
    _law_experiment("lem2/bound", _LAWS, _laws.evaluate_gain, ask=_ASK_LAW),
    _law_experiment(
        "lem2/bound!kl-ball", _law_cells(planted=(0.05, 0.5), random=(0.05, 0.5, 2.0)), _partial(_laws.evaluate_gain, ball="kl")
    ),
    _law_experiment("lem2/attained", _LAWS, _laws.evaluate_attained, ask=_ASK_LAW),
    _law_experiment("lem2_kl/pinsker", _FEW_LAWS, _partial(_laws.evaluate_gain, ball="kl"), ask=_ASK_LAW),
    _law_experiment("lem2_kl/bernstein", _FEW_LAWS, _partial(_laws.evaluate_gain, ball="kl"), ask=_ASK_LAW),
    _law_experiment("lem2_kl/contains", _FEW_LAWS, _laws.evaluate_contains, ask=_ASK_LAW),
    _law_experiment("lem3/top-c", _LAWS, _laws.evaluate_top_c, ask=_ASK_LAW),
    _law_experiment("lem3/top-c!margin-0", _law_cells(random=(1.0, 2.0)), _partial(_laws.evaluate_top_c, share=0.0)),
    _law_experiment("lem3/top-c!half-margin", _law_cells(random=(1.0, 2.0)), _partial(_laws.evaluate_top_c, share=0.5)),
    _law_experiment("lem3/top-c!twice-c", _law_cells(planted=(0.5,), random=(1.0, 2.0)), _partial(_laws.evaluate_top_c, factor=2.0)),
    _law_experiment("lem3/cantelli", _LAWS, _laws.evaluate_capped, ask=_ASK_LAW),
    _law_experiment("lem3/repaired", _LAWS, _laws.evaluate_repaired, ask=_ASK_LAW),
    _law_experiment(
        "lem3/repaired!twice-c", _law_cells(planted=(0.5, 2.0), random=(0.5, 2.0)), _partial(_laws.evaluate_repaired, factor=2.0)
    ),
    _law_experiment("lem3_kl/top-c", _FEW_LAWS, _partial(_laws.evaluate_top_c, ball="kl"), ask=_ASK_LAW),
    _law_experiment("lem3_kl/top-c!half-margin", _law_cells(random=(0.5,)), _partial(_laws.evaluate_top_c, ball="kl", share=0.5)),
    _law_experiment("lem3_kl/hoeffding", _FEW_LAWS, _partial(_laws.evaluate_capped, ball="kl"), ask=_ASK_LAW),
    _law_experiment("lem3_kl/repaired", _FEW_LAWS, _partial(_laws.evaluate_repaired, ball="kl"), ask=_ASK_LAW),
    _law_experiment(
        "lem3_kl/repaired!twice-c", _law_cells(planted=(0.5,), random=(0.5,)), _partial(_laws.evaluate_repaired, ball="kl", factor=2.0)
    ),
    _law_experiment(
        "lem3_kl/repaired!chi-square-c", _law_cells(random=(0.5, 2.0)), _partial(_laws.evaluate_repaired, ball="kl", threshold="chi2")
    ),
)

_signs_experiment = functools.partial(_exact, validate=_laws.validate_signs, seconds=0.1)
_SIGNS = tuple(SignCell(m) for m in (1, 4, 9, 16))
_SIGN_EXPERIMENTS = (
    _signs_experiment("lem4/mass", _SIGNS, _laws.evaluate_mass, ask=SignCell(16)),
    _signs_experiment("lem4/mass!closed-interval", (SignCell(16),), _partial(_laws.evaluate_mass, closed=True)),
)


def _planted_cells(bases, horizons):
    return tuple(PlantedCell(base, H) for base in bases for H in horizons)


_planted_experiment = functools.partial(_exact, validate=_planted.validate_planted)
_bon_experiment = functools.partial(_exact, validate=_planted.validate_bon)
_HETEROGENEOUS = ("two", "log6", "dead")
_LONG = 2048
_SLOW_START = PlantedCell("0.01", _LONG, V=2, k=2)  # two geometric waits of about 100 tokens
_SOLVING = (*_planted_cells(("single", "two", "log6"), (_LONG,)), _SLOW_START)
_SHORT = (PlantedCell("log6", _LONG),)
_BON = tuple(BonCell(base, H) for base in _HETEROGENEOUS for H in (32, 128))
_BON_VALUES = (BonCell("single", 32), *(BonCell(base, H) for base in ("dead", "log6") for H in (32, 128)))

_PLANTED_EXPERIMENTS = (
    _planted_experiment(
        "lem1/variance",
        _planted_cells(("two", "log6", "single"), (16, 64, 256)),
        _planted.evaluate_variance,
        ask=PlantedCell("two", 64),
    ),
    _planted_experiment(
        "lem1/variance!no-style-step",
        _planted_cells(("two", "log6"), (16, 64, 256)),
        _partial(_planted.evaluate_variance, style_step=False),
    ),
    _planted_experiment("lem3/silence", _SOLVING, _planted.evaluate_silence, ask=PlantedCell("two", _LONG)),
    _planted_experiment("lem3/silence!short-horizon", _SHORT, _partial(_planted.evaluate_silence, short=True)),
    _planted_experiment(
        "emp_hetero/slope", _planted_cells(("single", "two", "dead"), (_LONG // 4,)), _planted.evaluate_slope, ask=PlantedCell("two", 512)
    ),
    _planted_experiment("emp_hetero/cap", _planted_cells(theory.BASES, (_LONG,)), _planted.evaluate_cap, ask=PlantedCell("two", 512)),
    _planted_experiment("emp_hetero/floor", _planted_cells(_HETEROGENEOUS, (512,)), _planted.evaluate_floor, ask=PlantedCell("two", 512)),
    _planted_experiment("emp_hetero/~curves", _planted_cells(theory.BASES, [2**i for i in range(4, 12)]), _planted.evaluate_curves),
    _bon_experiment("emp_bon/parallel-helps", _BON, _planted.evaluate_bon, ask=BonCell("two", 64)),
    _bon_experiment("emp_bon/parallel-helps!no-verifier", _BON, _partial(_planted.evaluate_bon, verified=False)),
    _bon_experiment("emp_bon/parallel-hurts", (BonCell("single", 32),), _planted.evaluate_bon),
    _bon_experiment("emp_bon/parallel-hurts!free-tokens", (BonCell("single", 32),), _partial(_planted.evaluate_bon, gift=True)),
    _bon_experiment("emp_bon/values", _BON_VALUES, _partial(_planted.evaluate_bon, solved=True, first=1)),
    _bon_experiment("emp_bon/values!no-verifier", _BON_VALUES, _partial(_planted.evaluate_bon, solved=True, first=1, verified=False)),
)


def _moments(base, H, V, k, squared):
    """Exact mean, sd and skewness of R, or of (R - mu)^2."""
    values, probs = _planted.reward_law(PlantedCell(base, H, V, k))
    mean = probs @ values
    x = (values - mean) ** 2 if squared else values
    center = probs @ x
    sd = math.sqrt(probs @ (x - center) ** 2)
    return float(center), sd, float(probs @ (x - center) ** 3) / sd**3


def _support(base, H, V, k, squared):
    largest = H - k + 1
    if not squared:
        return (0.0, float(largest))
    mean = float(np.dot(*_planted.reward_law(PlantedCell(base, H, V, k))))
    return (0.0, max(mean, largest - mean) ** 2 * (1 + 1e-6))  # the statistic is computed in float32


_SAMPLED = {
    "smoke": (PlantedCell("two", 64),),
    "default": _planted_cells(("two", "log6", "dead"), (64,)),
    "gpu": _planted_cells(("two", "log6", "dead"), (64, 256)),
}


def _sampled(name, prepare, squared, replicates):
    def support(base, H, V=VOCABULARY, k=GOLD_LENGTH):
        return _support(base, H, V, k, squared)

    def expected(base, H, V=VOCABULARY, k=GOLD_LENGTH):
        return _moments(base, H, V, k, squared)

    return Experiment(
        check=f"verification.lem1/{name}",
        cells=_SAMPLED,
        ask=PlantedCell("two", 64),
        validate=_planted.validate_planted,
        prepare=prepare,
        simulate=_planted.simulate_trace,
        support=support,
        expected=expected,
        max_replicates={"smoke": replicates, "default": replicates, "gpu": 400_000},
        chunk=4096,
        block=256,
        seconds_per_replicate=1e-5,
        bytes_per_replicate=2e3,
    )


_SAMPLED_EXPERIMENTS = (
    _sampled("sampled-mean", _planted.prepare_mean, False, 65536),
    _sampled("sampled-variance", _planted.prepare_variance, True, 65536),
)

EXPERIMENTS = (*_PLANTED_EXPERIMENTS, *_SAMPLED_EXPERIMENTS, *_LAW_EXPERIMENTS, *_SIGN_EXPERIMENTS)
