"""Cells, presets and budgets: the surrogate, its gradient, DKTZ20a, and the testers' deterministic statements."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.halfspaces import _descent, _exact, _laws
from sims.halfspaces._descent import NeededCell, StepsCell
from sims.halfspaces._exact import AdversaryCell, AngleGridCell, DataCell, KernelCell, LemmaCell, MassartCell, RateCell
from sims.halfspaces._laws import AngleCell, BandCell, GradientCell, QuarticCell, SmoothCell, SpikeCell, WedgeCell, WorstCell
from theory.halfspaces import _angles, _kernels, _testers
from theory.halfspaces._arguments import KERNELS

__all__ = ["EXPERIMENTS"]

_ALL = ("smoke", "default", "gpu")
_partial = functools.partial


def _exact_experiment(check, cells, evaluate, validate, ask=None, seconds=0.05, smoke=None):
    """An EXACT experiment is decided in every preset, at smoke size perhaps on fewer cells."""
    cells = tuple(cells)
    return Experiment(
        check=f"halfspaces.{check}",
        cells={"smoke": cells if smoke is None else tuple(smoke), "default": cells, "gpu": cells},
        ask=ask,
        validate=validate,
        evaluate=evaluate,
        seconds_per_replicate=seconds,
    )


def _same(cells):
    return dict.fromkeys(_ALL, tuple(cells))


# --- exact --------------------------------------------------------------------------------------------------------------

_kernel = _partial(_exact_experiment, validate=_exact.validate_kernel)
_massart = _partial(_exact_experiment, validate=_exact.validate_massart)
_lemma = _partial(_exact_experiment, validate=_exact.validate_lemma)
_adversary = _partial(_exact_experiment, validate=_exact.validate_adversary)
_data = _partial(_exact_experiment, validate=_exact.validate_data)
_ALL_KERNELS, _SMOOTH = (KernelCell(),), (KernelCell("smooth"),)
_EXCESS = (MassartCell("smooth", 0.1, 0.1), MassartCell("all", 0.1, 0.4))

_EXACT = (
    _kernel("loss/constants", _ALL_KERNELS, _exact.evaluate_constants, ask=KernelCell("smooth")),
    _kernel("loss/constants!plain-smoothstep", _SMOOTH, _partial(_exact.evaluate_constants, k=_kernels.plain_smoothstep)),
    _kernel("loss/derivative", _ALL_KERNELS, _exact.evaluate_derivative, ask=KernelCell("smooth"), seconds=0.5),
    _kernel("loss/derivative!twice-the-width", _SMOOTH, _partial(_exact.evaluate_derivative, width=2.0), seconds=0.2),
    _kernel("loss/curvature", _SMOOTH, _exact.evaluate_curvature, ask=KernelCell("smooth")),
    _kernel("loss/curvature!plain-smoothstep", _SMOOTH, _partial(_exact.evaluate_curvature, k=_kernels.plain_smoothstep)),
    _exact_experiment(
        "gradlaw/alongside",
        (AngleGridCell(),),
        _exact.evaluate_alongside,
        _exact.validate_angle_grid,
        ask=AngleGridCell("smooth"),
        seconds=0.5,
    ),
    _exact_experiment(
        "gradlaw/alongside!unprojected",
        (AngleGridCell("smooth"),),
        _partial(_exact.evaluate_alongside, normalised=False),
        _exact.validate_angle_grid,
        seconds=0.2,
    ),
    _exact_experiment(
        "gradlaw/closed-form", (AngleGridCell(),), _exact.evaluate_closed_form, _exact.validate_angle_grid, ask=AngleGridCell("ramp")
    ),
    _massart(
        "lem4.3x/every-adversary",
        (MassartCell("all", 0.3, 0.3),),
        _exact.evaluate_adversaries,
        ask=MassartCell("smooth", 0.3, 0.3),
        seconds=3.0,
        smoke=(MassartCell("smooth", 0.3, 0.3),),
    ),
    _massart("lem4.3x/small-sigma", (MassartCell("all", 0.002, 0.3),), _exact.evaluate_small_sigma, ask=MassartCell("smooth", 0.002, 0.3)),
    _massart("lem4.3x/exponent", (MassartCell("all", 0.1, 0.49995),), _exact.evaluate_limit, ask=MassartCell("smooth", 0.1, 0.49995)),
    _massart("lem4.3x/exponent!power-one", (MassartCell("all", 0.1, 0.49995),), _partial(_exact.evaluate_limit, power=1.0)),
    _exact_experiment("gap/population", (RateCell(),), _exact.evaluate_averaging, _exact.validate_rate, ask=RateCell(), seconds=0.2),
    _exact_experiment(
        "gap/population!constant-rate", (RateCell(),), _partial(_exact.evaluate_averaging, flips="all"), _exact.validate_rate, seconds=0.2
    ),
    _lemma("dktz.lem7/gradient", (LemmaCell(),), _exact.evaluate_lemma, ask=LemmaCell(1.0, 0.3, 0.2)),
    _lemma("dktz.lem7/gradient!squash", (LemmaCell(math.sqrt(2), 0.785, 0.2),), _partial(_exact.evaluate_lemma, marginal="squash")),
    _lemma("dktz.lem8/gradient", (LemmaCell(),), _partial(_exact.evaluate_lemma, kernel="logistic"), ask=LemmaCell(1.0, 0.3, 0.2)),
    _lemma("dktz.claim5/lower", (LemmaCell(),), _exact.evaluate_claim5, ask=LemmaCell(1.0, 0.3)),
    _data("T3/relaxation", (DataCell(60),), _exact.evaluate_relaxation, ask=DataCell(20), seconds=0.8, smoke=(DataCell(18),)),
    _data("T3/relaxation!no-root-2", (DataCell(18),), _partial(_exact.evaluate_relaxation, root2=1.0), seconds=0.3),
    _data("T4/sound", (DataCell(280),), _exact.evaluate_wedge, ask=DataCell(28), seconds=1.0, smoke=(DataCell(84),)),
    _data("T4/sound!no-spectra", (DataCell(28),), _partial(_exact.evaluate_wedge, spectral=False), seconds=0.1),
    _exact_experiment("T4/ceiling", (DataCell(1),), _exact.evaluate_ceiling, _exact.validate_data, seconds=0.05),
    _data(
        "T1bound/bound",
        (DataCell(80, 4000),),
        _exact.evaluate_moment_bound,
        ask=DataCell(8, 4000),
        seconds=2.0,
        smoke=(DataCell(16, 4000),),
    ),
    _data("T1bound/bound!claims-theta", (DataCell(16, 4000),), _partial(_exact.evaluate_moment_bound, claimed="theta"), seconds=0.4),
    _massart("thm4.1x/largest", _EXCESS, _exact.evaluate_worst_excess, ask=MassartCell("smooth", 0.1, 0.3), seconds=0.4, smoke=_EXCESS[:1]),
    _massart("cert/population", (MassartCell("smooth", 0.3, 0.2),), _exact.evaluate_stationary, ask=MassartCell("smooth", 0.1, 0.3)),
    _adversary("thm5.1x/wall", (AdversaryCell(),), _exact.evaluate_wall, ask=AdversaryCell("smooth", 10.0)),
    _adversary("thm5.1x/wall!above-the-wall", (AdversaryCell("smooth"),), _partial(_exact.evaluate_wall, widths=25 / 8)),
    _adversary("thm5.1x/angle", (AdversaryCell(),), _exact.evaluate_finite_opt, ask=AdversaryCell("smooth", 30.0)),
    _adversary("thm5.1x/constant", (AdversaryCell(),), _exact.evaluate_adversarial_reach, ask=AdversaryCell("smooth", 30.0)),
)


# --- sampled ------------------------------------------------------------------------------------------------------------


def _unit():
    return (0.0, 1.0)


def _expect_angle(theta, other=1.0):
    p = other * theta / math.pi
    return p, math.sqrt(p * (1 - p) / _laws.BLOCK_POINTS)


def _expect_aniso(theta, d):
    """e_1 has standard deviation .3, e_d 2: the angle seen is that of the stretched vectors."""
    del d
    return _expect_angle(math.atan2(2.0 * math.sin(theta), 0.3 * math.cos(theta)))


_ANGLES = tuple(AngleCell(theta, d) for theta in (0.05, 0.5, 1.5) for d in (2, 20))
_FACT1 = {"simulate": _laws.simulate_angle, "support": _unit, "validate": _laws.validate_angle, "chunk": 64, "seconds_per_replicate": 3e-4}
_FACT1_EXPERIMENTS = (
    Experiment(
        check="halfspaces.fact1/angle",
        cells=_same(_ANGLES),
        ask=AngleCell(0.5, 10),
        prepare=_laws.prepare_angle,
        expected=_expect_angle,
        max_replicates=dict.fromkeys(_ALL, 1024),
        **_FACT1,
    ),
    Experiment(
        check="halfspaces.fact1/angle!aniso",
        cells=_same(c for c in _ANGLES if c.theta <= 0.5),  # near a right angle the stretched vectors stand at one too
        prepare=_partial(_laws.prepare_angle, marginal="aniso"),
        expected=_expect_aniso,
        max_replicates=dict.fromkeys(_ALL, 1024),
        **_FACT1,
    ),
)


def _expect_gradient(kernel, theta, sigma, eta):
    sd = _angles.grad_component_sd(theta, sigma, eta, kernel) / math.sqrt(_laws.BLOCK_POINTS)
    return _angles.grad_norm(theta, sigma, eta, kernel), sd


def _expect_across(kernel, theta, sigma, eta):
    mean, sd = _expect_gradient(kernel, theta, sigma, eta)
    return 0.0, math.hypot(sd, mean / math.sqrt(_laws.BLOCK_POINTS))


def _expect_tilted(kernel, theta, sigma, eta):
    """The component along the lean: the gradient's norm times its sine."""
    mean, sd = _expect_gradient(kernel, theta, sigma, eta)
    return mean * math.sin(_TILT), sd


_TILT = 0.5
_GRADIENTS = tuple(GradientCell(k, theta, sigma) for k in KERNELS for theta in (0.1, 0.5, 1.2, 1.57) for sigma in (0.1, 0.3))
_SMOKE_ACROSS = tuple(GradientCell(k, 0.5, 0.3) for k in KERNELS)
_SMALL_GRADIENTS = tuple(c for c in _GRADIENTS if c.theta == 0.1)
_GRADLAW = {
    "simulate": _laws.simulate_gradient, "validate": _laws.validate_gradient, "chunk": 64, "x64": True, "seconds_per_replicate": 1.5e-4,
    "max_replicates": dict.fromkeys(_ALL, 768),
}  # fmt: skip
_GRADLAW_EXPERIMENTS = (
    Experiment(
        check="halfspaces.gradlaw/along",
        cells={"smoke": _SMALL_GRADIENTS, "default": _GRADIENTS, "gpu": _GRADIENTS},
        ask=GradientCell("smooth", 0.3, 0.1),
        prepare=_laws.prepare_gradient,
        expected=_expect_gradient,
        **_GRADLAW,
    ),
    Experiment(
        check="halfspaces.gradlaw/across",
        cells={"smoke": _SMOKE_ACROSS, "default": _GRADIENTS, "gpu": _GRADIENTS},
        ask=GradientCell("smooth", 0.3, 0.3),
        prepare=_partial(_laws.prepare_gradient, across=True),
        expected=_expect_across,
        **_GRADLAW,
    ),
    Experiment(
        check="halfspaces.gradlaw/across!tilted",
        cells=_same(_SMOKE_ACROSS),
        prepare=_partial(_laws.prepare_gradient, across=True, tilt=_TILT),
        expected=_expect_tilted,
        **_GRADLAW,
    ),
)


def _expect_worst(kernel, sigma, eta, share):
    """The sd is an upper bound: rates taken as 0, phi(t) as phi(0)."""
    theta = share * _angles.stationary_angle(sigma, eta, kernel)
    square = {"smooth": 1.1429, "ramp": 1.0, "logistic": 1.0}[kernel]  # int k^2 over the sampling density
    return _angles.massart_component(theta, sigma, eta, kernel), _kernels.PHI0 * math.sqrt(square / _laws.WORST_POINTS)


_PAIRS = ((0.1, 0.2), (0.1, 0.4), (0.3, 0.3), (0.6, 0.4))
_WORST = tuple(WorstCell(k, *pair, share) for k in KERNELS for pair in _PAIRS for share in (0.7, 1.0, 1.3))
_WORST_EXPERIMENTS = (
    Experiment(
        check="halfspaces.lem4.3x/component",
        cells={"smoke": _WORST[:3], "default": _WORST, "gpu": _WORST},
        ask=WorstCell("smooth", 0.2, 0.3, 1.0),
        validate=_laws.validate_worst,
        prepare=_laws.prepare_worst,
        simulate=_laws.simulate_worst,
        expected=_expect_worst,
        max_replicates=dict.fromkeys(_ALL, 1088),
        chunk=64,
        seconds_per_replicate=1.2e-4,
    ),
)


def _expect_band(n, sigma, tau):
    p = _testers.t2_acceptance(n, sigma, tau)
    return p, math.sqrt(p * (1 - p))


_BANDS = tuple(BandCell(n, 0.3) for n in (100, 200, 400, 1600))
_T2 = {
    "simulate": _laws.simulate_band, "support": _unit, "validate": _laws.validate_band, "chunk": 1024, "block": 256,
    "seconds_per_replicate": 3e-5, "max_replicates": dict.fromkeys(_ALL, 12288),
}  # fmt: skip
_T2_EXPERIMENTS = (
    Experiment(
        check="halfspaces.T2/acceptance",
        cells=_same(_BANDS),
        ask=BandCell(500, 0.3),
        prepare=_laws.prepare_band,
        expected=_expect_band,
        **_T2,
    ),
    Experiment(
        check="halfspaces.T2/acceptance!radius-sigma",
        cells=_same(_BANDS),
        prepare=_partial(_laws.prepare_band, outer=1.0),
        expected=lambda: (0.0, 0.0),
        **_T2,
    ),
)

_HEAVY = ("default", "gpu")  # too slow for a first impression
_WEDGES = tuple(WedgeCell(theta, d, 100_000) for d in (5, 10, 20) for theta in (0.02, 0.05, 0.1, 0.2, 0.4))
_Q4_EXPERIMENTS = (
    Experiment(
        check="halfspaces.T3/gaussian",
        cells={
            "default": (QuarticCell(100_000, 4),),
            "gpu": tuple(QuarticCell(n, p) for n, p in ((100_000, 4), (1_000_000, 4), (1_000_000, 16))),
        },
        ask=QuarticCell(50_000, 4),
        validate=_laws.validate_quartic,
        prepare=_laws.prepare_quartic,
        simulate=_laws.simulate_quartic,
        expected=lambda: (3.08, 0.02),  # measured
        max_replicates=dict.fromkeys(_HEAVY, 256),
        chunk=32,
        block=1,
        seconds_per_replicate=0.01,
        bytes_per_replicate=5e7,
    ),
    Experiment(
        check="halfspaces.T4/gaussian",
        cells={
            "default": _WEDGES,
            "gpu": (*_WEDGES, *(WedgeCell(theta, d, 1_000_000) for d in (10, 20) for theta in (0.02, 0.05, 0.2))),
        },
        ask=WedgeCell(0.1, 5, 20_000),
        validate=_laws.validate_wedge,
        prepare=_laws.prepare_wedge,
        simulate=_laws.simulate_wedge,
        expected=lambda theta, d: (4.9 + 0.04 * d - 3.5 * theta, 0.06),  # measured
        max_replicates=dict.fromkeys(_HEAVY, 256),
        chunk=8,  # short of half a second, hence on one device: two that run products and eigenvalues can wait for each other
        block=1,
        seconds_per_replicate=0.012,
        bytes_per_replicate=4e7,
    ),
    Experiment(
        check="halfspaces.T4/~dimensions",
        cells={"default": _WEDGES},
        validate=_laws.validate_wedge,
        prepare=_laws.prepare_wedge,
        simulate=_laws.simulate_wedge,
        max_replicates={"default": 1},
        chunk=8,  # the program of T4/gaussian: drawing eight takes less time than compiling another
        block=1,
        seconds_per_replicate=0.012,
    ),
)


def _spikes(k):
    """The same five angles at two sizes."""
    return {p: tuple(SpikeCell(0.2 / 2**i, k, n) for i in range(5)) for p, n in (("default", 100_000), ("gpu", 400_000))}


def _spike_experiments(k):
    shared = {
        "simulate": _laws.simulate_spike, "validate": _laws.validate_spike, "chunk": 32, "block": 1, "seconds_per_replicate": 4e-3,
        "max_replicates": dict.fromkeys(_HEAVY, 256), "bytes_per_replicate": 2e6,
    }  # fmt: skip
    return (
        Experiment(
            check=f"halfspaces.T1bound/slope-{k}",
            cells=_spikes(k),
            prepare=_laws.prepare_spike,
            expected=lambda: (k / (k + 1), 0.05),  # sd measured
            **shared,
        ),
        Experiment(
            check=f"halfspaces.T1bound/slope-{k}!linear-spikes",
            cells=_spikes(k),
            prepare=_partial(_laws.prepare_spike, exponent=1.0),
            expected=lambda: (1.0, 0.08),
            **shared,
        ),
    )


def _smooth_experiment(statistic, expected):
    return Experiment(
        check=f"halfspaces.dktz.lem11/{statistic}",
        cells=dict.fromkeys(_HEAVY, tuple(SmoothCell(d, sigma) for d in (5, 20) for sigma in (0.1, 0.5))),
        ask=SmoothCell(10, 0.3),
        validate=_laws.validate_smooth,
        prepare=_partial(_laws.prepare_smooth, statistic=statistic),
        simulate=_laws.simulate_smooth,
        expected=lambda d, sigma: expected.get((d, sigma), (0.1, 0.05)),
        max_replicates=dict.fromkeys(_HEAVY, 768),
        chunk=64,
        seconds_per_replicate=1e-3,
    )


_SMOOTH_EXPERIMENTS = (  # mean, sd, skewness: measured
    _smooth_experiment(
        "gradient", {(5, 0.1): (2.65, 0.24, 0.3), (5, 0.5): (0.464, 0.016, 0.3), (20, 0.1): (12.5, 1.0, 0.3), (20, 0.5): (2.2, 0.06, 0.2)}
    ),
    _smooth_experiment(
        "population",
        {
            (5, 0.1): (0.0187, 0.0057, 0.7),
            (5, 0.5): (0.0082, 0.0018, 0.6),
            (20, 0.1): (0.0273, 0.0072, 0.7),
            (20, 0.5): (0.0105, 0.002, 0.5),
        },
    ),
    _smooth_experiment(
        "smoothness",
        {(5, 0.1): (0.47, 0.11, 0.6), (5, 0.5): (0.11, 0.016, 0.4), (20, 0.1): (1.08, 0.126, 0.5), (20, 0.5): (0.141, 0.01, 0.4)},
    ),
)

_USUAL = tuple(StepsCell(T, 5, 0.3, 0.2) for T in (1_000, 10_000, 100_000))
_STEPS = (*_USUAL, StepsCell(500_000, 2, 3.0, 0.0))
_NEEDED = {
    "validate": _descent.validate_needed, "prepare": _descent.prepare_needed, "simulate": _descent.simulate_needed,
    "max_replicates": dict.fromkeys(_HEAVY, 256), "chunk": 16, "block": 1, "seconds_per_replicate": 0.035, "host": True,
}  # fmt: skip
_DESCENT_EXPERIMENTS = (
    Experiment(
        check="halfspaces.dktz.lem10/descent",
        cells={"default": _STEPS, "gpu": (*_STEPS, StepsCell(5_000_000, 2, 3.0, 0.0))},
        ask=StepsCell(100_000, 2, 3.0, 0.0),
        validate=_descent.validate_steps,
        prepare=_descent.prepare_steps,
        simulate=_descent.simulate_steps,
        support=lambda sigma, eta: (0.0, _angles.grad_norm_max(sigma, eta, "logistic") ** 2),
        expected=lambda T: (2.5e-4 * math.sqrt(1e5 / T), 2e-6),  # measured at 1e5
        max_replicates=dict.fromkeys(_HEAVY, 64),
        chunk=16,
        seconds_per_replicate=0.03,
        host=True,  # a point a step
    ),
    Experiment(
        check="halfspaces.dktz.lem10/~usual",
        cells={"default": _USUAL},
        validate=_descent.validate_steps,
        prepare=_descent.prepare_steps,
        simulate=_descent.simulate_steps,
        max_replicates={"default": 16},
        chunk=16,
        seconds_per_replicate=0.01,
        host=True,
    ),
    Experiment(
        check="halfspaces.dktz.thm9/slope",
        cells=dict.fromkeys(_HEAVY, tuple(NeededCell(1 / eps) for eps in (0.16, 0.08, 0.04, 0.02))),
        expected=lambda: (1.15, 0.25),  # measured
        **_NEEDED,
    ),
    # Exploratory: no window for the slope in d was declared before it was seen.
    Experiment(
        check="halfspaces.dktz.thm9/~dimension",
        cells=dict.fromkeys(_HEAVY, tuple(NeededCell(10.0, d) for d in (3, 6, 12, 24))),
        **{**_NEEDED, "max_replicates": dict.fromkeys(_HEAVY, 64), "seconds_per_replicate": 0.04},
    ),
)

EXPERIMENTS = (
    *_FACT1_EXPERIMENTS, *_GRADLAW_EXPERIMENTS, *_WORST_EXPERIMENTS, *_T2_EXPERIMENTS, *_Q4_EXPERIMENTS, *_spike_experiments(2),
    *_spike_experiments(4), *_SMOOTH_EXPERIMENTS, *_DESCENT_EXPERIMENTS, *_EXACT,
)  # fmt: skip
