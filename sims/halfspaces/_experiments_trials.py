"""Cells, presets and budgets of the end-to-end trials: acceptance, soundness, floors, adversaries, certificates, convex rivals."""

from __future__ import annotations

import dataclasses
import functools
import math

from sims._experiment import Experiment
from sims.halfspaces import _trial
from sims.halfspaces._noise import NOISES
from sims.halfspaces._trial import SoundCell, TrialCell
from theory.halfspaces import _adversarial, _angles

__all__ = ["EXPERIMENTS"]

_HEAVY = ("default", "gpu")  # too slow for a first impression
_ETA, _SIGMA = 0.3, 0.3
_CEILING = _angles.excess_ceiling
_REJECTED = ("t3", "aniso", "cube", "gap", "nearbdry", "gmm", "squash")
_OTHERS = ("quartic", "uniform", "laplace", "grid", *_REJECTED)
_LOGISTIC_WIDTHS = (0.1, 0.3, 0.9)


def _unit():
    return (0.0, 1.0)


def _never():
    return (0.0, 0.0)


def _always():
    return (1.0, 0.0)


def _heavy(cells, gpu=()):
    """The cells of default; gpu has those too, and more."""
    cells = tuple(cells)
    return {"default": cells, "gpu": (*cells, *gpu)}


def _experiment(check, cells, statistic, most, seconds, *, support=_unit, expected=_never, ask=None, chunk=32, gpu_most=None, **options):
    """options: of prepare_trial; bad_above and killer_angle may be functions of (sigma, eta)."""
    return Experiment(
        check=f"halfspaces.{check}",
        cells=cells,
        ask=ask,
        validate=_trial.validate_trial,
        prepare=functools.partial(_prepare, statistic=statistic, options=tuple(options.items())),
        simulate=_trial.simulate_trial,
        support=support,
        expected=expected,
        max_replicates={p: (gpu_most or most) if p == "gpu" else most for p in cells},
        chunk=chunk,
        block=1,  # one trial at a time: a batch of matrix-vector products is slower on a CPU, and fills a GPU only when n is small
        # Beyond d = 5 chunks are short of half a second, hence on one device: products on two can wait for each other.
        seconds_per_replicate=seconds,
        bytes_per_replicate=3e7,
    )


def _prepare(cell, statistic, options):
    options = dict(options)
    for name in ("bad_above", "killer_angle"):
        if callable(options.get(name)):
            options[name] = options[name](cell.sigma, cell.eta)
    if "widths" in options:
        options["sigmas"] = options.pop("widths")(cell)
    return _trial.prepare_trial(cell, statistic, **options)


# --- soundness, thm4.1 ------------------------------------------------------------------------------------------------


def _sound_cells(noise, marginals=("gauss", *_OTHERS), **more):
    return tuple(SoundCell(m, noise, _ETA, _SIGMA, **more) for m in marginals)


_MASSART = tuple(c for noise in ("rcn", "massart_half") for c in _sound_cells(noise))
_DIMENSIONS = tuple(c for d in (5, 10) for c in _sound_cells("massart_half", _OTHERS, d=d, n2=50_000))
_SOUND_MOST, _GPU_SOUND = 80, {"n1": 100_000, "n2": 100_000, "d": 10, "delta": 0.05}
# All of these share one program: the excess is measured on fresh points, whatever the marginal. Their number adds .0007 to its sd; the
# largest that was accepted is .004 below the bound, and a miss either way is a miss of a share of runs, not of the mean.
_END_TO_END = {"n_test": 20_000}


def _expect_ratio(eta, noise):
    """Measured mean, sd and skewness of err/opt: the noise of learning weighs more when there is little to learn from."""
    mean = {"boundary": 0.84, "tail": 1.18, "tailu": 1.29, "planted2": 0.56, "killer": 1.8}.get(noise, 1.2)
    return mean, 0.1 * math.sqrt(0.01 / eta), -1.0 if noise == "killer" else 0.4


def _killer_angle(sigma, eta):
    """The largest stationary angle at this width and share of flips, by its limit for small shares."""
    return _adversarial.adversarial_limit(sigma / eta).theta_over_opt * eta


_RATES = (0.002, 0.005, 0.01, 0.02)
_KILLER = TrialCell("gauss", "killer", 0.01, 0.25)
_OPT = {"massart_half": 0.5}  # error of w* over eta, 1 for the other noises


def _noisy_cells(**more):
    """Every noise at every rate, sigma = 25 opt."""
    return tuple(TrialCell("gauss", noise, rate, 25 * rate * _OPT.get(noise, 1.0), **more) for noise in NOISES for rate in _RATES)


_TRIALS = (
    _experiment(
        "sound/marginals",
        _heavy(_DIMENSIONS, _sound_cells("massart_half", _OTHERS, **_GPU_SOUND)),
        "accept_and_bad",
        _SOUND_MOST,
        0.012,
        ask=SoundCell("laplace", "massart_half", _ETA, _SIGMA),
        gpu_most=480,
        bad_above=_CEILING,
        **_END_TO_END,
    ),
    _experiment(
        "sound/marginals!always-accept",
        _heavy(_sound_cells("massart_half", ("nearbdry",))),
        "bad",
        _SOUND_MOST,
        0.005,
        expected=_always,
        bad_above=_CEILING,
        **_END_TO_END,
    ),
    _experiment(
        "thm4.1/massart",
        _heavy(_MASSART, (dataclasses.replace(c, **_GPU_SOUND) for c in _MASSART)),
        "accept_and_bad",
        _SOUND_MOST,
        0.005,
        ask=SoundCell("gauss", "rcn", _ETA, _SIGMA),
        gpu_most=480,
        bad_above=_CEILING,
        **_END_TO_END,
    ),
    _experiment(
        "thm4.1/massart!always-accept",
        _heavy(_sound_cells("massart_half", ("nearbdry",))),
        "bad",
        _SOUND_MOST,
        0.005,
        expected=_always,
        bad_above=_CEILING,
        **_END_TO_END,
    ),
    _experiment(
        "thm4.1/accepts",
        _heavy(_sound_cells("massart_half", ("gauss", "quartic")), _sound_cells("massart_half", ("gauss", "quartic"), **_GPU_SOUND)),
        "reject",
        _SOUND_MOST,
        0.005,
        ask=SoundCell("gauss", "massart_half", _ETA, _SIGMA),
        gpu_most=480,
        **_END_TO_END,
    ),
    _experiment(
        "thm4.1/accepts!t3",
        _heavy(_sound_cells("massart_half", ("gauss",))),
        "reject",
        _SOUND_MOST,
        0.005,
        expected=_always,
        marginal="t3",
        **_END_TO_END,
    ),
    # Exploratory: what fires, and with which excess, for every marginal and both Massart noises.
    _experiment(
        "sound/~fired",
        {"default": tuple(TrialCell(m, "massart_half", _ETA, _SIGMA) for m in ("gauss", *_OTHERS))},
        "accept",
        32,
        0.005,
        **_END_TO_END,
    ),
    # --- adversarial labels
    _experiment(
        "thm5.1x/noises",
        _heavy(_noisy_cells(), _noisy_cells(n1=300_000, n2=300_000)),
        "error_ratio",
        1024,  # under the killer some runs come near w* and the ratio is skew: the t-mixture waits for 400 times its squared skewness
        0.005,
        support=lambda eta, noise: (0.0, 1 / (eta * _OPT.get(noise, 1.0))),
        expected=_expect_ratio,
        ask=TrialCell("gauss", "tailu", 0.01, 0.25),
        killer_angle=_killer_angle,
        **_END_TO_END,
    ),
    _experiment(
        "thm5.1x/killer",
        _heavy((_KILLER,), (TrialCell("gauss", "killer", rate, 25 * rate, 5, 300_000, 300_000) for rate in _RATES)),
        "reaches",
        320,
        0.005,
        expected=lambda: (0.97, 0.17),  # measured: 1.375 is the least of 32
        ask=_KILLER,
        start="aim",
        killer_angle=_killer_angle,
        **_END_TO_END,
    ),
    _experiment(
        "thm5.1x/killer!boundary", _heavy((TrialCell("gauss", "boundary", 0.01, 0.25),)), "reaches", 320, 0.005, start="aim", **_END_TO_END
    ),
    # Exploratory: the killer at other widths, descent started where the gradient vanishes.
    _experiment(
        "thm5.1x/~killer",
        {"default": tuple(TrialCell("gauss", "killer", 0.01, round(0.01 * ratio, 4)) for ratio in (15, 18, 22, 25, 30, 35))},
        "error_ratio",
        32,
        0.005,
        support=lambda eta: (0.0, 1 / eta),
        start="aim",
        killer_angle=_killer_angle,
        **_END_TO_END,
    ),
    # --- ablation
    _experiment(
        "ablation/all-tests!gauss",
        _heavy((TrialCell("nearbdry", "massart_half", _ETA, _SIGMA),)),
        "accept",
        80,
        0.005,
        expected=_always,
        marginal="gauss",
        **_END_TO_END,
    ),
    _experiment(
        "ablation/harm-mass",
        _heavy((TrialCell("nearbdry", "massart_half", _ETA, _SIGMA),)),
        "excess",
        640,
        0.005,
        support=lambda: (0.0, 1.0),
        expected=lambda: (0.112, 0.01, 0.6),  # measured
        ask=TrialCell("nearbdry", "massart_half", _ETA, _SIGMA),
        **_END_TO_END,
    ),
    _experiment(
        "ablation/harm-mass!gauss",
        _heavy((TrialCell("nearbdry", "massart_half", _ETA, _SIGMA),)),
        "excess",
        640,
        0.005,
        expected=lambda: (0.006, 0.0007, 0.4),
        marginal="gauss",
        **_END_TO_END,
    ),
    _experiment(
        "ablation/harm-smallest",
        _heavy(TrialCell("squash", "massart_half", _ETA, sigma) for sigma in (0.2, _SIGMA, 0.5)),
        "left_base",
        160,  # one event in 400 at sigma = .5, and none is allowed for in 80
        0.005,
        ask=TrialCell("squash", "massart_half", _ETA, _SIGMA),
        start="aim",
        **_END_TO_END,
    ),
    _experiment(
        "ablation/harm-smallest!mean-start",
        _heavy((TrialCell("squash", "massart_half", _ETA, _SIGMA),)),
        "left_base",
        80,
        0.005,
        expected=_always,
        **_END_TO_END,
    ),
)


# --- acceptance, without learning -------------------------------------------------------------------------------------


_TESTS = {"learns": False, "at": "star", "n_test": 0}  # the marginal does not know w*, and the tests see no label
_AT_BASE = {**_TESTS, "at": "base"}  # squash: its fake stationary point; w* of the others


def _target(marginal="gauss", d=5, n2=12_000):
    return TrialCell(marginal, "rcn", 0.0, _SIGMA, d, 1, n2)


def _expect_half_tolerance():
    return (0.205, math.sqrt(0.205 * 0.795))  # measured on 200


_ACCEPTANCE = (
    _experiment(
        "complete/target",
        _heavy((_target(), _target(d=10, n2=44_000), _target(d=20, n2=90_000))),
        "reject",
        320,
        0.01,
        expected=lambda: (0.001, math.sqrt(0.001)),
        ask=_target(),
        **_TESTS,
    ),
    _experiment(
        "complete/target!half-the-tolerance",
        _heavy((_target(),)),
        "reject",
        2048,
        0.003,
        expected=_expect_half_tolerance,
        tau=0.125,
        **_TESTS,
    ),
    _experiment(
        "complete/target!other-marginals",
        _heavy(_target(m) for m in _REJECTED),
        "reject",
        64,
        0.003,
        expected=_always,
        **_AT_BASE,
    ),
    _experiment(
        "T2/fires",
        _heavy(_target(m) for m in ("nearbdry", "gap", "gmm", "t3")),
        "passes_mass",
        256,
        0.003,
        ask=_target("nearbdry"),
        **_TESTS,
    ),
    _experiment("T2/fires!gauss", _heavy((_target("nearbdry"),)), "passes_mass", 64, 0.003, expected=_always, marginal="gauss", **_TESTS),
    _experiment("complete/smooth", _heavy((_target("quartic"),)), "reject", 256, 0.005, ask=_target("quartic"), **_TESTS),
    _experiment("complete/smooth!t3", _heavy((_target("quartic"),)), "reject", 64, 0.005, expected=_always, marginal="t3", **_TESTS),
    _experiment(
        "complete/~sizes",
        {"default": tuple(_target(d=d, n2=n2) for d, n2 in ((5, 3_000), (5, 6_000), (5, 12_000), (10, 12_000), (10, 44_000)))},
        "accept",
        96,
        0.006,
        **_TESTS,
    ),
    _experiment(
        "ablation/all-tests",
        _heavy((_target("nearbdry"), _target("squash"))),
        "accept",
        80,
        0.003,
        ask=_target("nearbdry"),
        **_AT_BASE,
    ),
    _experiment(
        "ablation/without-mass",
        _heavy((_target("nearbdry"),)),
        "accept_without_mass",
        80,
        0.003,
        expected=_always,
        ask=_target("nearbdry"),
        **_TESTS,
    ),
    _experiment("ablation/without-mass!without-largest", _heavy((_target("nearbdry"),)), "accept_without_high", 80, 0.003, **_TESTS),
    _experiment(
        "ablation/without-smallest",
        _heavy((_target("squash"),)),
        "accept_without_low",
        80,
        0.003,
        expected=_always,
        ask=_target("squash"),
        **_AT_BASE,
    ),
    _experiment(
        "ablation/without-smallest!without-largest",
        _heavy((_target("squash"),)),
        "accept_without_high",
        80,
        0.003,
        **_AT_BASE,
    ),
)


# --- the excess at a fixed width, convex rivals, certificates ---------------------------------------------------------


def _floor_cell(eta, n):
    return TrialCell("gauss", "massart_half", eta, _SIGMA, 10, n, n)


def _expect_floor(sigma, eta):
    """Measured: .00364 at eta = .1, 8e4 points; .00665 at .3, 2e4 points."""
    del sigma
    return {0.1: (0.00364, 0.0005, 0.3), 0.3: (0.00665, 0.0005, 0.4)}.get(eta, (0.006, 0.0006))


_FLOOR = {"tests": False, "chunk": 16}
_SLOPE = tuple(TrialCell("gauss", "massart_half", 0.4, sigma, 5, 40_000, 40_000) for sigma in (0.2, 0.4, 0.8))
_RIVAL = TrialCell("gauss", "massart_half", 0.3, _SIGMA, 10)
_RIVAL_4 = TrialCell("gauss", "massart_half", 0.4, _SIGMA, 10)
_RIVALS = {"tests": False, "baseline": True, "sigmas": _LOGISTIC_WIDTHS}

_EXCESS = (
    _experiment(
        "thm4.1x/floor",
        _heavy((_floor_cell(0.1, 80_000), _floor_cell(0.3, 20_000)), (_floor_cell(0.1, 320_000), _floor_cell(0.3, 320_000))),
        "excess",
        512,
        0.015,
        expected=_expect_floor,
        ask=_floor_cell(0.3, 20_000),
        **_FLOOR,
    ),
    _experiment(
        "thm4.1x/floor!twice-the-width",
        _heavy((_floor_cell(0.3, 20_000),)),
        "excess",
        512,
        0.015,
        expected=lambda: (0.0127, 0.0006, 0.4),
        widths=lambda cell: (2 * cell.sigma,),
        **_FLOOR,
    ),
    _experiment(
        "thm4.1x/floor!averaging",
        _heavy((_floor_cell(0.3, 20_000),)),
        "excess",
        512,
        0.015,
        expected=lambda: (0.052, 0.001, 0.4),
        method="averaging",
        **_FLOOR,
    ),
    _experiment(
        "thm4.1x/slope",
        _heavy(_SLOPE),
        "excess",
        512,
        0.015,
        support=lambda: (-math.inf, math.inf),
        expected=lambda: (0.97, 0.08, 0.4),
        **_FLOOR,
    ),
    _experiment(
        "thm4.1x/slope!averaging",
        _heavy(_SLOPE),
        "excess",
        512,
        0.015,
        support=lambda: (-math.inf, math.inf),
        expected=lambda: (0.0, 0.05, 0.4),
        method="averaging",
        **_FLOOR,
    ),
    _experiment(
        "thm4.1x/more-data",
        _heavy(_floor_cell(0.3, n) for n in (5_000, 20_000, 80_000)),
        "excess",
        512,
        0.015,
        support=lambda: (-math.inf, math.inf),
        expected=lambda: (-0.06, 0.056, 0.3),  # measured
        **_FLOOR,
    ),
    _experiment(
        "thm4.1x/~sizes",
        {
            "default": tuple(
                TrialCell("gauss", "massart_half", eta, s, 5, 40_000, 40_000) for eta in (0.1, 0.3, 0.4) for s in (0.15, 0.3, 0.6)
            )
        },
        "excess",
        16,
        0.015,
        **_FLOOR,
    ),
    _experiment(
        "gap/fifth",
        _heavy((_RIVAL,)),
        "five_times_less_baseline",
        512,
        0.015,
        support=lambda: (-1.0, 5.0),
        expected=lambda: (-0.039, 0.002, 0.4),
        ask=_RIVAL,
        **_RIVALS,
    ),
    _experiment(
        "gap/fifth!averaging",
        _heavy((_RIVAL,)),
        "five_times_less_baseline",
        512,
        0.015,
        support=lambda: (-1.0, 5.0),
        expected=lambda: (0.208, 0.004, 0.4),
        method="averaging",
        **_RIVALS,
    ),
    _experiment("gap/fifth-each", _heavy((_RIVAL_4,)), "above_a_fifth", 96, 0.015, ask=_RIVAL_4, **_RIVALS),
    _experiment(
        "gap/fifth-each!averaging", _heavy((_RIVAL_4,)), "above_a_fifth", 96, 0.015, expected=_always, method="averaging", **_RIVALS
    ),
)


def _certified(marginal, noise, eta, sigma, n2=100_000):
    return TrialCell(marginal, noise, eta, sigma, 5, 20_000, n2)


_CERTIFY = {"tests": False, "certifies": True, "n_test": 20_000, "chunk": 8}  # one program for each n2, on one device
_CERTIFICATES = (
    _experiment(
        "cert/coverage",
        _heavy(
            (
                *(_certified(m, "massart_half", 0.1, 0.3) for m in ("gauss", *_OTHERS)),
                _certified("gauss", "tailu", 0.001, 0.2),
            ),
            (
                _certified("gauss", "massart_half", 0.1, 0.1, 1_000_000),
                _certified("gauss", "massart_half", 0.1, 0.03, 4_000_000),
                _certified("gauss", "tailu", 0.002, 0.3, 400_000),
            ),
        ),
        "violated",
        192,
        0.01,
        ask=_certified("gauss", "massart_half", 0.1, 0.3),
        **_CERTIFY,
    ),
    _experiment(
        "cert/coverage!a-two-hundredth",
        _heavy((_certified("gauss", "massart_half", 0.1, 0.3),)),
        "violated",
        192,
        0.01,
        expected=_always,
        W_share=1 / 200,
        root_share=0.0,
        **_CERTIFY,
    ),
    _experiment(
        "cert/~sizes",
        {
            "default": tuple(
                _certified("gauss", noise, eta, sigma, n2)
                for noise, eta in (("massart_half", 0.1), ("massart_half", 0.3), ("tailu", 0.001))
                for sigma, n2 in ((0.646, 10_000), (0.3, 100_000), (0.208, 300_000))
            )
        },
        "violated",
        8,
        0.05,
        shows_W=True,
        **_CERTIFY,
    ),
)

EXPERIMENTS = (*_TRIALS, *_ACCEPTANCE, *_EXCESS, *_CERTIFICATES)
