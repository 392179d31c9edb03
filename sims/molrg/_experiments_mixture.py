"""Cells, presets and budgets of the sampled checks on the mixture and its denoiser."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.molrg import _mixture
from sims.molrg._experiments_recovery import coin, indicator
from sims.molrg._mixture import FlowCell, FrequencyCell, GapCell, JacobianCell, MixtureCell
from theory.molrg import _denoiser

__all__ = ["EXPERIMENTS"]

_partial = functools.partial


def _never():
    return coin(0.0)


def _always():
    return coin(1.0)


# --- def1 -----------------------------------------------------------------------------------------------------------------

_MIXTURES = (MixtureCell(), MixtureCell(mode="orthogonal"))
_FEWER = MixtureCell(N=20_000)  # enough for the three label frequencies


def _mixture_experiment(check, cells, expected, ask=None, **world):
    return Experiment(
        check=f"molrg.def1/{check}",
        cells={"smoke": (), "default": cells, "gpu": cells},
        ask=ask,
        validate=_mixture.validate_mixture,
        prepare=_partial(_mixture.prepare_mixture, **world),
        simulate=_mixture.simulate_mixture,
        support=indicator,
        expected=expected,
        max_replicates={"default": 384, "gpu": 384},
        chunk=64,
        block=2,
        seconds_per_replicate=0.009,
        bytes_per_replicate=3e7,
    )


_DEFINITION = (
    _mixture_experiment("covariance", _MIXTURES, _never, ask=_MIXTURES[0]),
    _mixture_experiment("covariance!uniform-coefficients", _MIXTURES, _always, coefficients="uniform"),
    _mixture_experiment("covariance!uniform-labels", _MIXTURES, _always, labels="uniform"),
    _mixture_experiment("labels", (_FEWER,), _never, ask=_FEWER, statistic="labels"),
    _mixture_experiment("labels!uniform-labels", (_FEWER,), _always, statistic="labels", labels="uniform"),
)

# --- thm3.gap -------------------------------------------------------------------------------------------------------------

_GAPS = tuple(GapCell(d, sigma) for d in (2, 4, 8) for sigma in (0.5, 1.0, 3.0))


def _gap_law(d, sigma):
    return coin(_denoiser.thm3_gap(d, sigma))


_GAP = (
    Experiment(
        check="molrg.thm3.gap/law",
        cells={"smoke": (), "default": _GAPS, "gpu": (*_GAPS, GapCell(64, 3.0))},
        ask=GapCell(4, 1.0),
        validate=_mixture.validate_gap,
        prepare=_mixture.prepare_gap,
        simulate=_mixture.simulate_gap,
        support=indicator,
        expected=_gap_law,
        max_replicates={"default": 400_000, "gpu": 400_000},
        chunk=32_768,
        block=1024,
        seconds_per_replicate=1e-6,
        bytes_per_replicate=1e3,
    ),
)

# --- fig3 -----------------------------------------------------------------------------------------------------------------

_LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_QUIET = (JacobianCell(3, 4, 0.05), JacobianCell(3, 4, 0.1))
_LOUD = (JacobianCell(3, 4, 5.0), JacobianCell(3, 4, 10.0))
_EXCEPTIONS = {0.1: 0.002}  # share of points at which the rank is d + 1, of 512 of another seed; 0 at the other levels


def _rank_law(sigma):
    return coin(_EXCEPTIONS.get(sigma, 0.0))


def _rank(check, cells, expected=None, ask=None, replicates=384, smoke=None, **world):
    return Experiment(
        check=f"molrg.fig3/{check}",
        cells={"smoke": cells if smoke is None else smoke, "default": cells, "gpu": cells},
        ask=ask,
        validate=_mixture.validate_jacobian,
        prepare=_partial(_mixture.prepare_jacobian, **world),
        simulate=_mixture.simulate_jacobian,
        support=indicator,
        expected=expected,
        max_replicates={"smoke": replicates, "default": replicates, "gpu": replicates},
        chunk=128,
        block=64,
        seconds_per_replicate=2e-5,
        bytes_per_replicate=2e4,
    )


_JACOBIAN = (
    _rank("low-noise", _QUIET, _rank_law, ask=_QUIET[1], replicates=768),
    _rank("low-noise!one-gaussian", _QUIET, _always, world="one-gaussian"),
    _rank("high-noise", _LOUD, _never, ask=_LOUD[0], expected_rank="Kd"),
    _rank("high-noise!hard-max", _LOUD, _always, expected_rank="Kd", world="hard-max"),
    _rank("~curve", tuple(JacobianCell(3, 4, sigma) for sigma in _LEVELS), replicates=512, smoke=()),
    _rank("~un-rooted", tuple(JacobianCell(3, 4, sigma) for sigma in _LEVELS), replicates=512, smoke=(), rooted=False),
)

# --- sampler, flow ----------------------------------------------------------------------------------------------------------

_COMPONENTS = (FrequencyCell(0), FrequencyCell(1), FrequencyCell(2))


def _pi_law(weights, k):
    return coin(float(weights.split("+")[k]))


def _pi_without_factor(k):
    return coin((0.161, 0.315, 0.524)[k])  # from 4,096 draws of another seed


def _frequency(check, cells, expected, ask=None, smoke=(), **world):
    return Experiment(
        check=f"molrg.sampler/{check}",
        cells={"smoke": smoke, "default": cells, "gpu": tuple(FrequencyCell(c.k, steps=144) for c in cells)},
        ask=ask,
        validate=_mixture.validate_frequency,
        prepare=_partial(_mixture.prepare_frequency, **world),
        simulate=_mixture.simulate_frequency,
        support=indicator,
        expected=expected,
        max_replicates={"default": 8192, "gpu": 100_000},
        chunk=1024,
        block=128,
        seconds_per_replicate=3e-5,
        bytes_per_replicate=2e4,
    )


_FLOW = FlowCell()


def _flow_law(sigma_T):
    """Exact mean; sd and skewness from 4,096 draws of another seed."""
    mean = sigma_T**2 / (1 + sigma_T**2)
    return mean, 0.52 * mean, 1.2


def _positive():
    return (0.0, math.inf)


_SAMPLER = (
    _frequency("frequencies", _COMPONENTS, _pi_law, ask=_COMPONENTS[0]),
    _frequency("frequencies!no-factor", (_COMPONENTS[0], _COMPONENTS[2]), _pi_without_factor, determinant=False),
    Experiment(
        check="molrg.w2/flow",
        cells={"smoke": (), "default": (_FLOW,), "gpu": (_FLOW,)},
        ask=_FLOW,
        validate=_mixture.validate_flow,
        prepare=_mixture.prepare_flow,
        simulate=_mixture.simulate_flow,
        support=_positive,
        expected=_flow_law,
        max_replicates={"default": 12_288, "gpu": 12_288},
        chunk=512,
        block=128,
        seconds_per_replicate=3e-5,
        bytes_per_replicate=2e4,
    ),
)

EXPERIMENTS = (*_DEFINITION, *_GAP, *_JACOBIAN, *_SAMPLER)
