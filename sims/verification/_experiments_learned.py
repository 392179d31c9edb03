"""Cells, presets and budgets: cloning against policy gradients. All experiments share one compiled program."""

from __future__ import annotations

import dataclasses
import functools
import math

from sims._experiment import Experiment, whole_line
from sims.verification import _learned
from sims.verification._learned import PolicyCell

__all__ = ["EXPERIMENTS"]

_DEAD, _HET, _HOM = "1+64", "4+64", "64"
_HORIZONS = (16, 32, 64, 128)
_SMALL = PolicyCell(_DEAD, 16)
_FIRST = PolicyCell(_DEAD, 16, n=_learned.BATCH)
_FOUR_UPDATES = PolicyCell(_DEAD, 16, n=4 * _learned.BATCH)
_large = functools.partial(PolicyCell, V=64, k=5, n=1024 * _learned.BATCH)
_LARGE = tuple(_large(_DEAD, H, lr=lr) for H in (256, 2048) for lr in (0.03, 0.1, 0.3))
_LARGE_FIRST = (_large(_DEAD, 2048, n=_learned.BATCH),)

_partial = functools.partial
_NOT_ABOVE = _partial(_learned.prepare_policy, statistic=_learned.NOT_ABOVE)
_NOT_BELOW = _partial(_learned.prepare_policy, statistic=_learned.NOT_BELOW)
_CLONE_VALUE = _partial(_learned.prepare_policy, statistic=_learned.CLONE_VALUE)


def _prepare_homogeneous(cell):
    """The lying world of `widens`: the good style alone."""
    return _learned.prepare_policy(dataclasses.replace(cell, base=_HOM))


def _indicator():
    return (0.0, 1.0)


def _reward(H, k):
    return (0.0, (H - k + 1) * (1 + 1e-6))  # values are computed in float32


def _coin(p):
    return lambda: (p, math.sqrt(p * (1 - p)))


def _moments(*known):
    return lambda: known


def _seconds(H, n):
    """Of one training run on a CPU core: it takes n traces of up to H tokens each."""
    return 3.5e-3 * n / 2048 * H / 16


def _experiment(name, cells, prepare, *, support, expected=None, smoke=(), gpu=(), replicates=96, seconds=0.004, ask=None):
    return Experiment(
        check=f"verification.emp_planted/{name}",
        cells={"smoke": smoke, "default": cells, "gpu": gpu},
        ask=ask,
        validate=_learned.validate_policy,
        prepare=prepare,
        simulate=_learned.simulate_policy,
        support=support,
        expected=expected,
        max_replicates={"smoke": replicates, "default": replicates, "gpu": 256},
        chunk=32,
        block=16,
        seconds_per_replicate=seconds,
        seconds_of=_seconds,
        bytes_per_replicate=2e6,
    )


_small = functools.partial(_experiment, cells=(_SMALL,), smoke=(_SMALL,), gpu=_LARGE[2:3])  # of the large ones an eighth as long
_clone = functools.partial(_small, smoke=(), support=_reward)  # 500 runs by the capital process: too slow for a first impression
_first = functools.partial(_experiment, cells=(_FIRST,), smoke=(_FIRST,), gpu=_LARGE_FIRST, support=_indicator, seconds=0.001)


def _slope(name, base, prepare, expected):
    return _experiment(
        name,
        tuple(PolicyCell(base, H) for H in _HORIZONS),
        prepare,
        gpu=tuple(_large(base, H) for H in (256, 512, 1024, 2048)),
        support=whole_line,
        expected=_moments(*expected),
        replicates=256,
        seconds=0.011,
        ask=PolicyCell(base, 16),
    )


# Expected values are measured, on 512 to 2048 runs of other seeds; a share without an exception is exact.
EXPERIMENTS = (
    _small("final", cells=(_SMALL, _FOUR_UPDATES), prepare=_NOT_ABOVE, support=_indicator, expected=_coin(0.0), gpu=_LARGE, ask=_SMALL),
    _small("final!reward-zeroed", prepare=_partial(_NOT_ABOVE, reward="zero"), support=_indicator, expected=_coin(1.0)),
    _small("final!reward-shuffled", prepare=_partial(_NOT_ABOVE, reward="shuffled"), support=_indicator, expected=_coin(0.948)),
    _first("first", prepare=_NOT_BELOW, expected=_coin(0.088), replicates=128, ask=_FIRST),
    _first("first!expert-is-base", prepare=_partial(_NOT_BELOW, expert="base"), expected=_coin(1.0)),
    _clone("clone", prepare=_CLONE_VALUE, expected=_moments(9.295, 0.129), replicates=672, ask=_SMALL),
    _clone("clone!expert-is-base", prepare=_partial(_CLONE_VALUE, expert="base"), expected=_moments(6.194, 0.143)),
    _slope("widens", _DEAD, _learned.prepare_policy, (0.920, 0.021)),
    _slope("widens!homogeneous-base", _DEAD, _prepare_homogeneous, (0.002, 0.0235)),
    _slope("flat", _HOM, _learned.prepare_policy, (0.002, 0.0235)),
    _experiment(
        "~curves",
        tuple(PolicyCell(base, H) for base in (_DEAD, _HET, _HOM) for H in _HORIZONS),
        _learned.prepare_policy,
        support=whole_line,
        replicates=32,
        seconds=0.015,
    ),
)
