"""Cells, presets and budgets of the sampled checks on one subspace.

Programs that call LAPACK draw chunks of less than half a second, which the runner keeps on one CPU device: on two, batches of linear
algebra inside two running programs have been seen to wait for each other for ever (jaxlib 0.10).
"""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment, whole_line
from sims.molrg import _pca, _tails
from sims.molrg._pca import BayesCell, NoisyCell, SpikeCell
from sims.molrg._tails import SminCell, TieCell
from theory.molrg import _rates, _subspaces

__all__ = ["EXPERIMENTS"]

_partial = functools.partial


def indicator():
    return (0.0, 1.0)


def coin(p):
    """(mean, sd) of an indicator."""
    return p, math.sqrt(p * (1 - p))


# --- smallest singular values -------------------------------------------------------------------------------------------

# Shares of the events, from 65,536 to 131,072 draws of another seed: (d, N - d) -> (as claimed, without the constant).
_RV_SHARES = {
    (1, 0): (0.249, 0.68), (1, 1): (0.097, 0.63), (1, 2): (0.041, 0.61), (1, 4): (0.0078, 0.58),
    (2, 0): (0.164, 0.48), (2, 1): (0.055, 0.42), (2, 2): (0.020, 0.39), (2, 4): (0.0028, 0.355),
    (4, 0): (0.157, 0.47), (4, 1): (0.050, 0.395), (4, 2): (0.017, 0.36), (4, 4): (0.0024, 0.33),
    (8, 0): (0.159, 0.47), (8, 1): (0.050, 0.39), (8, 2): (0.018, 0.36), (8, 4): (0.0029, 0.33),
    (32, 0): (0.158, 0.47), (32, 1): (0.051, 0.38), (32, 2): (0.019, 0.36), (32, 4): (0.0021, 0.32),
}  # fmt: skip
_TIE_SHARES = {**_RV_SHARES, (2, 8): (5e-5, 0.33), (4, 8): (5e-5, 0.30), (8, 8): (7e-5, 0.295)}  # the same event, at threshold c1/2


def _share(table, which):
    def expected(d, N):
        known = table.get((d, N - d))
        return coin(known[which]) if known is not None else (math.nan, math.nan)

    return expected


_RV = tuple(SminCell(d + k, d) for d in (1, 2, 4, 8, 32) for k in (0, 1, 2, 4))
_RV_SMOKE = (SminCell(3, 2),)
_RV_GPU = tuple(SminCell(d + k, d) for d in (1, 8, 32, 64) for k in (1, 4, 8))
_TIES = tuple(TieCell(48, d, d + k) for d in (2, 4, 8) for k in (1, 2, 4, 8))
_TIES_SMOKE = (TieCell(48, 4, 5),)
_TIES_GPU = tuple(TieCell(512, d, d + k) for d in (8, 32, 64) for k in (1, 4, 8))


def _smin(check, cells, smoke, gpu, prepare, validate, expected, ask, replicates):
    return Experiment(
        check=f"molrg.{check}",
        cells={"smoke": smoke, "default": cells, "gpu": gpu},
        ask=ask,
        validate=validate,
        prepare=prepare,
        simulate=_tails.simulate_smin,
        support=indicator,
        expected=expected,
        max_replicates={"smoke": 1024, "default": replicates, "gpu": 1_000_000},
        chunk=512,
        block=64,
        seconds_per_replicate=2e-5,
        bytes_per_replicate=3e4,
        x64=True,
    )


_rv = _partial(_smin, gpu=_RV_GPU, validate=_tails.validate_smin, replicates=4096)
_tie = _partial(_smin, gpu=_TIES_GPU, validate=_tails.validate_tie, replicates=40_000)

_SINGULAR = (
    _rv("rv/tail", _RV, _RV_SMOKE, prepare=_tails.prepare_smin, expected=_share(_RV_SHARES, 0), ask=SminCell(8, 4)),
    _rv(
        "rv/tail!no-constant",
        tuple(c for c in _RV if c.d < c.N),
        _RV_SMOKE,
        prepare=_partial(_tails.prepare_smin, constant=1.0),
        expected=_share(_RV_SHARES, 1),
        ask=None,
    ),
    _tie("thm2i/tie", _TIES, _TIES_SMOKE, prepare=_tails.prepare_tie, expected=_share(_TIE_SHARES, 0), ask=TieCell(48, 4, 8)),
    _tie(
        "thm2i/tie!c1-two",
        _TIES,
        _TIES_SMOKE,
        prepare=_partial(_tails.prepare_tie, c1=2.0),
        expected=_share(_TIE_SHARES, 1),
        ask=None,
    ),
)

# --- Theorem 2 (i), Gaussian noise --------------------------------------------------------------------------------------

# Shares at sigma_e = .01, from 8,192 to 16,384 draws of another seed: (d, N - d) -> (c1 = 6.27, c1 = .5).
_NOISY_SHARES = {
    (2, 1): (0.004, 0.84), (2, 2): (1e-4, 0.82), (2, 4): (0.0, 0.72), (2, 8): (0.0, 0.41),
    (4, 1): (0.0, 0.66), (4, 2): (0.0, 0.66), (4, 4): (0.0, 0.64), (4, 8): (0.0, 0.45),
    (8, 1): (0.0, 0.38), (8, 2): (0.0, 0.34), (8, 4): (0.0, 0.31), (8, 8): (0.0, 0.23),
}  # fmt: skip
_NOISY = tuple(NoisyCell(48, d, d + k, sigma) for sigma in (0.01, 0.001) for d in (2, 4, 8) for k in (1, 2, 4, 8))
_EMPTY = tuple(NoisyCell(48, d, d + k, 0.1) for d in (2, 4, 8) for k in (1, 2, 4, 8))  # the bound exceeds every err there is
_NOISY_GPU = tuple(NoisyCell(512, d, d + k, 0.001) for d in (8, 32, 64) for k in (1, 4, 8))


def _noisy(check, cells, prepare, which, ask=None):
    return Experiment(
        check=f"molrg.thm2i/{check}",
        cells={"smoke": (), "default": cells, "gpu": _NOISY_GPU},
        ask=ask,
        validate=_pca.validate_noisy,
        prepare=prepare,
        simulate=_pca.simulate_noisy,
        support=indicator,
        expected=_share(_NOISY_SHARES, which),
        max_replicates={"default": 12_288, "gpu": 100_000},
        chunk=512,
        block=64,
        seconds_per_replicate=6e-5,
        bytes_per_replicate=1e5,
        x64=True,
    )


def _prepare_half(cell):
    """c1 = .5, beyond d = 8 as 1/sqrt(d): E err^2/||E||^2 = 2 d/((N-d-1) N), and sqrt(N) - sqrt(d-1) is about (N-d+1)/(2 sqrt(d))."""
    return _pca.prepare_noisy(cell, c1=0.5 * min(1.0, math.sqrt(8 / cell.d)))


_THEOREM = (
    _noisy("gaussian", (*_NOISY, *_EMPTY), _pca.prepare_noisy, 0, ask=NoisyCell(48, 4, 8, 0.01)),
    _noisy("gaussian!c1-half", _NOISY, _prepare_half, 1),
)

# --- rates --------------------------------------------------------------------------------------------------------------

_GRID = tuple(SpikeCell(48, 4, N, 0.1) for N in (32, 64, 128, 256, 512, 1024))
_CLOSED = tuple(SpikeCell(48, 4, N, 0.1) for N in (32, 512))
_AMBIENT = tuple(SpikeCell(n, 2, 200, 0.5) for n in (50, 100, 200, 400))
_AMBIENT_GPU = (SpikeCell(2000, 2, 1000, 0.5),)
_LONG = tuple(SpikeCell(48, 4, N, 0.1) for N in (8, 16, 32, 64, 128, 256, 512, 1024))
_SQUARE = _partial(_pca.prepare_spike, power=2.0)


# From 512 draws of another seed: mean and sd of a row's slope; sd of err^2/(2d) over its mean, by n.
_SLOPE = (-0.518, 0.0182)
_SINE_SPREAD = {50: 0.163, 100: 0.130, 200: 0.100, 400: 0.081}


def _sine_of_cell(cell):
    return _pca.prepare_spike(cell, power=2.0, divisor=2.0 * cell.d)


def _slope_law():
    return _SLOPE


def _square_law(n, d, N, sigma):
    """Mean within 2 % of the closed form; sd .12 to .19 of it and skewness .6 to .82 in 512 draws of another seed, N = 32 the widest."""
    mean = _rates.inverse_wishart_error(n, d, N, sigma)
    return mean, 0.2 * mean, 0.85


def _sine_law(n, d, N, sigma):
    mean = _rates.spiked_sine(n, d, N, sigma)
    return mean, _SINE_SPREAD.get(n, math.nan) * mean


def _rate(check, cells, prepare, support, expected, replicates, smoke=(), gpu=(), ask=None, seconds=0.001):
    return Experiment(
        check=f"molrg.thm2i.rate/{check}",
        cells={"smoke": smoke, "default": cells, "gpu": gpu},
        ask=ask,
        validate=_pca.validate_spike,
        prepare=prepare,
        simulate=_pca.simulate_spike,
        support=support,
        expected=expected,
        max_replicates={"default": replicates, "gpu": 4096},
        chunk=32,
        block=16,
        seconds_per_replicate=seconds,
        bytes_per_replicate=4e6,
        x64=True,
    )


_RATES = (
    _rate("slope", _GRID, _pca.prepare_spike, whole_line, _slope_law, 256, gpu=_GRID, ask=None),
    _rate("closed-form", _CLOSED, _SQUARE, whole_line, _square_law, 640, gpu=_CLOSED, ask=_CLOSED[0]),
    _rate(
        "ambient",
        _AMBIENT,
        _sine_of_cell,
        whole_line,
        _sine_law,
        1024,
        gpu=_AMBIENT_GPU,
        ask=_AMBIENT[0],
        seconds=0.008,
    ),
    Experiment(
        check="molrg.thm2i.rate/~looseness",
        cells={"smoke": (), "default": _LONG, "gpu": ()},
        prepare=_pca.prepare_whole,
        simulate=_pca.simulate_whole,
        max_replicates={"default": 64},
        chunk=64,
        block=16,
        seconds_per_replicate=0.004,
        bytes_per_replicate=4e6,
        x64=True,
    ),
)

# --- below N = d ----------------------------------------------------------------------------------------------------------

_BAYES = (BayesCell(48, 8, 3), BayesCell(12, 8, 2), BayesCell(20, 5, 4))
_BAYES_GPU = (BayesCell(512, 64, 32),)  # a larger n leaves no luck for the falsifier to miss
_BAYES_SD = {(48, 8, 3): 0.275, (12, 8, 2): 0.645, (20, 5, 4): 0.162}


def _bayes_support(n, d, N):
    return (0.0, 2.0 * min(d - N, n - d))


def _bayes_law(n, d, N):
    return _subspaces.thm2ii_bayes(n, d, N), _BAYES_SD.get((n, d, N), math.nan)


_LOWER = (
    Experiment(
        check="molrg.thm2ii.bayes/attained",
        cells={"smoke": _BAYES[:1], "default": _BAYES, "gpu": _BAYES_GPU},
        ask=_BAYES[0],
        validate=_pca.validate_bayes,
        prepare=_pca.prepare_bayes,
        simulate=_pca.simulate_bayes,
        support=_bayes_support,
        expected=_bayes_law,
        max_replicates={"smoke": 4608, "default": 4608, "gpu": 4608},
        chunk=512,
        block=64,
        seconds_per_replicate=3e-5,
        bytes_per_replicate=3e4,
        x64=True,
    ),
)

EXPERIMENTS = (*_SINGULAR, *_THEOREM, *_RATES, *_LOWER)
