"""Cells, presets and budgets of the paired-style world and the needle world (sims/verification/_paired.py, _needle.py)."""

from __future__ import annotations

import functools
import math

from sims._experiment import Case, Experiment
from sims.verification import _needle, _paired
from sims.verification._needle import AntiCell, BestOfNCell, NeedleCell, RandomClassCell, RatioCell, SlopeCell, TightCell
from sims.verification._paired import ContestCell, CurveCell, GapCell, OneBlockCell, SeparationCell, UpperCell
from theory.verification import _needle as needle_theory
from theory.verification import _paired as theory

__all__ = ["EXPERIMENTS"]

_ALL = ("smoke", "default", "gpu")


def _indicator():
    return (0.0, 1.0)


def _bernoulli(p):
    return p, math.sqrt(p * (1 - p))


# --- paired styles: gaps -----------------------------------------------------------------------------------------------


def _sup_range(delta, learner="tab"):
    return (0.0, 2 * delta if learner == "finite" else 1 + delta)


def _aligned_range(delta):
    return (delta - 1, delta + 1)


def _expect_sup(n, d, delta, learner):
    """Exact mean; the sd treats the blocks as independent, and as normal for tab; bayes: measured at both cells."""
    mean, p = theory.paired_sup_gap(n, d, delta, learner), theory.p_err(n, d, delta)
    tab = math.sqrt((1 - delta**2) * (1 - 2 / math.pi) / n)
    flips = 2 * delta * math.sqrt(p * (1 - p) / d)
    return mean, {"tab": tab, "finite": flips, "bayes": 0.62 * tab, "argmax": flips, "base": 0.0}[learner]


def _expect_sup_of_4n(n, d, delta, learner):
    return _expect_sup(4 * n, d, delta, learner)


def _expect_aligned(n, d, delta, learner, traces=1.0):
    n = max(1, round(traces * n))
    p = theory.p_err(n, d, delta)
    sd = math.sqrt((1 - delta**2) / n) if learner == "tab" else 2 * math.sqrt(p * (1 - p) / d)
    return delta - theory.paired_vf_value(n, d, delta, learner), sd


def _expect_one_block(n, learner):
    from scipy import stats

    if learner == "tab":  # a tie leaves no value
        return _bernoulli(float(stats.binom.cdf(n // 2, n, (1 + 1 / math.sqrt(n)) / 2)))
    return _bernoulli(1.0 if learner == "base" else theory.p_err_one_block(n))


def _expect_upper_falsifier(n, d, delta):
    """One wrong block is enough there; the blocks are treated as independent."""
    return _bernoulli(1 - (1 - theory.p_err(n, d, delta)) ** d)


def _lower_cells(*learners):
    # the two biases are .752 sqrt(d/n), where the bound is largest
    return tuple(GapCell(n, d, delta, learner) for n, d, delta in ((256, 8, 0.133), (1024, 16, 0.094)) for learner in learners)


_UPPER = tuple(UpperCell(n, d, H, math.sqrt(d / n), 0.05) for n, d, H in ((256, 8, 64), (1024, 16, 64), (4096, 16, 128)))
_UPPER_INFORMATIVE = UpperCell(4096, 8, 64, 0.095, 0.05)
_CONST = tuple(GapCell(n, d, delta, "tab") for n, d, delta in ((2048, 16, 0.5), (4096, 4, 0.0), (1024, 8, 0.8)))
_NEGATIVE = {learner: tuple(GapCell(n, 16, 0.5, learner) for n in (512, 1024)) for learner in ("tab", "argmax")}
_PAIRED = {"simulate": _paired.simulate_paired, "chunk": 2048, "bytes_per_replicate": 5e5}


def _evaluate_asymptote(cell, rng, constant=1.0):
    """Relative distance of the exact mean from `constant` times its asymptote over sqrt(2/pi) ... of prop_vf_const."""
    del rng
    ratio = theory.tab_mad(cell.n, cell.d, cell.delta) / (constant * theory.tab_mad_asymptote(cell.n, cell.d, cell.delta))
    yield Case(f"ratio {ratio:.5f}", abs(ratio - 1))


_VERIFIER_FREE = (
    Experiment(
        check="verification.prop_vf_ub/tail",
        cells=dict.fromkeys(_ALL, (*_UPPER, UpperCell(1024, 16, 64, 0.5, 0.05), _UPPER_INFORMATIVE)),
        ask=_UPPER_INFORMATIVE,
        validate=_paired.validate_upper,
        prepare=_paired.prepare_upper,
        support=_indicator,
        expected=lambda: (0.0, 0.0),  # all but one of d blocks would have to be wrong at once: below 1e-12
        max_replicates=dict.fromkeys(_ALL, 4000),
        seconds_per_replicate=1e-5,
        **_PAIRED,
    ),
    Experiment(
        check="verification.prop_vf_ub/tail!a-twelfth",
        cells=dict.fromkeys(_ALL, (_UPPER_INFORMATIVE,)),
        validate=_paired.validate_upper,
        prepare=functools.partial(_paired.prepare_upper, share=1 / 12),
        support=_indicator,
        expected=_expect_upper_falsifier,
        max_replicates=dict.fromkeys(_ALL, 4000),
        seconds_per_replicate=1e-5,
        **_PAIRED,
    ),
    Experiment(
        check="verification.prop_vf_ub/~curve",
        cells={"default": tuple(CurveCell(n, 16, min(1.0, 0.752 * math.sqrt(16 / n))) for n in (32 << i for i in range(10)))},
        validate=_paired.validate_gap,
        prepare=_paired.prepare_curve,
        simulate=_paired.simulate_curve,
        max_replicates={"default": 2048},
        chunk=2048,
        seconds_per_replicate=2e-5,
        bytes_per_replicate=2e4,
    ),
    Experiment(
        check="verification.thm_vf_lb/learners",
        cells={
            "smoke": _lower_cells("tab", "bayes", "argmax", "base"),
            "default": _lower_cells("tab", "bayes", "argmax", "base"),
            "gpu": tuple(GapCell(2**18, 1024, 0.047, learner) for learner in ("tab", "bayes", "argmax", "base")),
        },
        ask=GapCell(1024, 16, 0.094, "tab"),
        validate=_paired.validate_gap,
        prepare=_paired.prepare_gap,
        support=_sup_range,
        expected=_expect_sup,
        max_replicates=dict.fromkeys(_ALL, 20_000),
        seconds_per_replicate=5e-6,
        **_PAIRED,
    ),
    Experiment(
        check="verification.thm_vf_lb/learners!four-times-the-traces",
        cells=dict.fromkeys(_ALL, _lower_cells("bayes")),
        validate=_paired.validate_gap,
        prepare=functools.partial(_paired.prepare_gap, traces=4.0),
        support=_sup_range,
        expected=_expect_sup_of_4n,
        max_replicates=dict.fromkeys(_ALL, 20_000),
        seconds_per_replicate=1.2e-5,
        **_PAIRED,
    ),
    Experiment(
        check="verification.thm_vf_lb/attained",
        cells={"smoke": _lower_cells("finite"), "default": _lower_cells("finite"), "gpu": (GapCell(2**16, 64, 0.0235, "finite"),)},
        ask=GapCell(1024, 16, 0.094, "finite"),
        validate=_paired.validate_gap,
        prepare=_paired.prepare_gap,
        support=_sup_range,
        expected=_expect_sup,
        max_replicates=dict.fromkeys(_ALL, 20_000),
        seconds_per_replicate=5e-6,
        **_PAIRED,
    ),
    Experiment(
        check="verification.thm_vf_lb/attained!four-times-the-traces",
        cells=dict.fromkeys(_ALL, _lower_cells("finite")),
        validate=_paired.validate_gap,
        prepare=functools.partial(_paired.prepare_gap, traces=4.0),
        support=_sup_range,
        expected=_expect_sup_of_4n,
        max_replicates=dict.fromkeys(_ALL, 20_000),
        seconds_per_replicate=1.2e-5,
        **_PAIRED,
    ),
    *(
        Experiment(
            check=f"verification.thm_vf_lb_prob/{name}",
            cells=dict.fromkeys(("default", "gpu"), tuple(OneBlockCell(n, learner) for n in (16, 256) for learner in learners)),
            ask=OneBlockCell(256, learners[0]),
            validate=_paired.validate_one_block,
            prepare=_paired.prepare_one_block,
            support=_indicator,
            expected=_expect_one_block,
            max_replicates=dict.fromkeys(_ALL, most),
            seconds_per_replicate=5e-6,
            **(_PAIRED | {"chunk": 8192}),
        )
        for name, learners, most in (("learners", ("tab", "base"), 64_000), ("attained", ("finite", "argmax"), 50_000))
    ),
    Experiment(
        check="verification.prop_vf_const/mean",
        cells={"default": _CONST, "gpu": (*_CONST, GapCell(2**16, 64, 0.5, "tab"))},
        ask=_CONST[0],
        validate=_paired.validate_gap,
        prepare=_paired.prepare_gap,
        support=_sup_range,
        expected=_expect_sup,
        max_replicates=dict.fromkeys(_ALL, 60_000),
        seconds_per_replicate=1e-5,
        **(_PAIRED | {"chunk": 4096}),
    ),
    Experiment(
        check="verification.prop_vf_const/asymptote",
        cells={"smoke": _CONST, "default": _CONST},
        ask=_CONST[0],
        validate=_paired.validate_gap,
        evaluate=_evaluate_asymptote,
    ),
    Experiment(
        check="verification.prop_vf_const/asymptote!constant-one",
        cells={"smoke": _CONST, "default": _CONST},
        validate=_paired.validate_gap,
        evaluate=functools.partial(_evaluate_asymptote, constant=math.sqrt(math.pi / 2)),
    ),
    *(
        Experiment(
            check=f"verification.neg_vf_expectation/{name}",
            cells=dict.fromkeys(_ALL, _NEGATIVE[learner]),
            ask=_NEGATIVE[learner][0],
            validate=_paired.validate_gap,
            prepare=functools.partial(_paired.prepare_gap, statistic=_paired.ALIGNED),
            support=_aligned_range,
            expected=_expect_aligned,
            max_replicates=dict.fromkeys(_ALL, 14_000),
            seconds_per_replicate=5e-6,
            **_PAIRED,
        )
        for name, learner in (("cloning", "tab"), ("majority", "argmax"))
    ),
    Experiment(
        check="verification.neg_vf_expectation/majority!few-traces",
        cells=dict.fromkeys(_ALL, _NEGATIVE["argmax"]),
        validate=_paired.validate_gap,
        prepare=functools.partial(_paired.prepare_gap, statistic=_paired.ALIGNED, traces=1 / 64),
        support=_aligned_range,
        expected=functools.partial(_expect_aligned, traces=1 / 64),
        max_replicates=dict.fromkeys(_ALL, 14_000),
        seconds_per_replicate=5e-6,
        **_PAIRED,
    ),
    Experiment(
        check="verification.neg_vf_expectation/~readings",
        cells={"default": tuple(CurveCell(16 << i, 16, 0.5) for i in range(8))},
        validate=_paired.validate_gap,
        prepare=_paired.prepare_curve,
        simulate=_paired.simulate_curve,
        max_replicates={"default": 4096},
        chunk=2048,
        seconds_per_replicate=1e-5,
        bytes_per_replicate=2e4,
    ),
)

# --- needles and random classes ----------------------------------------------------------------------------------------


def _needle_range(d, p, H):
    return (0.0, H * d * p)


def _expect_missed(n, d, p, K, H):
    """P[some block is missed], the blocks taken as independent: the bound without 1/c lies below one block's stake."""
    del H
    return _bernoulli(1 - (1 - needle_theory.needle_missed(n, p, K)) ** d)


def _expect_worst(n, d, p, K, H):
    q = needle_theory.needle_missed(n, p, K)
    return H * d * p * q, H * p * math.sqrt(d * q * (1 - q))


def _expect_vb(n, d, p, K, H):
    """Exact mean; the sd of independent blocks, in each of which D styles were seen and the good one is among them or not."""
    law = needle_theory.needle_distinct(n, p, K)
    lost = [(a * (K - D) / K, 1 - 1 / (K - D)) for D, a in enumerate(law) if D < K]
    mean = sum(a * x for a, x in lost)
    return H * d * p * mean, H * p * math.sqrt(d * (sum(a * x * x for a, x in lost) - mean**2))


def _expect_vf(n, d, p, K, H):
    q = (1 - p) ** n
    skewness = (1 - 2 * q) / math.sqrt(d * q * (1 - q) * _needle.RUNS)
    return H * d * p * (1 - 1 / K) * q, H * p * (1 - 1 / K) * math.sqrt(d * q * (1 - q) / _needle.RUNS), skewness


_NEEDLES = (NeedleCell(3840, 32, 1 / 32, 32, 64), NeedleCell(1024, 8, 1 / 8, 4, 64))
_FREQUENT = (NeedleCell(200, 8, 0.02, 4, 64), NeedleCell(100, 4, 0.04, 4, 256))
_RARE = NeedleCell(512, 8, 4 / 512, 4, 64)
_TOP = RandomClassCell(150, 64, 512, 32, 0.25)
_BALL = tuple(RandomClassCell(n, 256, 512, 32, 1.0) for n in (480, 960))
_NEEDLE = {"simulate": _needle.simulate_needle, "validate": _needle.validate_needle, "bytes_per_replicate": 2e4}
_CLONING = _NEEDLE | {"simulate": _needle.simulate_cloning, "bytes_per_replicate": 1e5}


def _equal_needles(claim, cells, caps, seconds):
    """The checks of both mean gaps against their closed forms."""
    settings = (("gap_vb", _NEEDLE, _expect_vb), ("gap_vf", _CLONING, _expect_vf))
    for (name, simulator, expected), cap, each in zip(settings, caps, seconds, strict=True):
        yield Experiment(
            check=f"verification.{claim}/{name}",
            cells={"default": cells, "gpu": cells},
            ask=cells[0],
            prepare=functools.partial(_needle.prepare_needle, statistic=_needle.VB),
            support=_needle_range,
            expected=expected,
            max_replicates={"default": cap, "gpu": cap},
            chunk=2048,
            seconds_per_replicate=each,
            **simulator,
        )


_VERIFIER_BASED = (
    Experiment(
        check="verification.thm_vb_ub/tail",
        cells={"default": _NEEDLES, "gpu": (*_NEEDLES, NeedleCell(2**17, 32, 1 / 32, 512, 64))},
        ask=_NEEDLES[0],
        prepare=_needle.prepare_needle,
        support=_indicator,
        expected=lambda: (0.0, 0.0),  # 31 of 32 blocks, or one of 8 well-sampled ones, would have to be missed: below 1e-12
        max_replicates={"default": 2000, "gpu": 10_000},
        chunk=256,
        seconds_per_replicate=1e-4,
        **_NEEDLE,
    ),
    Experiment(
        check="verification.thm_vb_ub/tail!without-c",
        cells={"default": _NEEDLES[:1], "gpu": _NEEDLES[:1]},
        prepare=functools.partial(_needle.prepare_needle, share=lambda K: 1 / K),
        support=_indicator,
        expected=_expect_missed,
        max_replicates={"default": 2000, "gpu": 2000},
        chunk=256,
        seconds_per_replicate=1e-4,
        **_NEEDLE,
    ),
    Experiment(
        check="verification.thm_vb_ub/mean",
        cells={"default": _NEEDLES, "gpu": _NEEDLES},
        ask=_NEEDLES[0],
        prepare=functools.partial(_needle.prepare_needle, statistic=_needle.WORST),
        support=_needle_range,
        expected=_expect_worst,
        max_replicates=dict.fromkeys(_ALL, 4000),
        chunk=256,
        seconds_per_replicate=1e-4,
        **_NEEDLE,
    ),
    Experiment(
        check="verification.thm_vb_ub/random_class",
        cells={"default": (_TOP,), "gpu": (_TOP,)},
        ask=_TOP,
        validate=functools.partial(_needle.validate_random_class, top=True),
        prepare=_needle.prepare_random_class,
        simulate=_needle.simulate_random_top,
        support=_indicator,
        expected=lambda: (0.0, 0.0),  # measured: none of 384 runs
        max_replicates={"default": 400, "gpu": 400},
        chunk=128,
        seconds_per_replicate=2.5e-4,
        bytes_per_replicate=1e6,
    ),
    Experiment(
        check="verification.thm_vb_ub/random_class!a-tenth",
        cells={"default": (_TOP,), "gpu": (_TOP,)},
        validate=functools.partial(_needle.validate_random_class, top=True),
        prepare=functools.partial(_needle.prepare_random_class, share=0.1),
        simulate=_needle.simulate_random_top,
        support=_indicator,
        expected=lambda: _bernoulli(0.70),  # measured, 416 runs
        max_replicates={"default": 400, "gpu": 400},
        chunk=128,
        seconds_per_replicate=2.5e-4,
        bytes_per_replicate=1e6,
    ),
    *_equal_needles("thm_vb_ub", _FREQUENT, (40_000, 20_000), (6e-6, 6e-5)),
    Experiment(
        check="verification.thm_vb_ub/~curve",
        cells={"default": tuple(NeedleCell(32 << i, 8, 1 / 8, 4, 64) for i in range(6))},
        prepare=functools.partial(_needle.prepare_needle, statistic=_needle.WORST),
        max_replicates={"default": 4096},
        chunk=4096,
        seconds_per_replicate=4e-5,
        **(_NEEDLE | {"simulate": _needle.simulate_missed}),
    ),
    Experiment(
        check="verification.thm_vb_ub_chi2/tail",
        cells={"default": _BALL, "gpu": _BALL},
        ask=_BALL[0],
        validate=_needle.validate_random_class,
        prepare=functools.partial(_needle.prepare_random_class, top=False),
        simulate=_needle.simulate_random_chi2,
        support=_indicator,
        expected=lambda: (0.0, 0.0),  # measured: none of 384 runs
        max_replicates={"default": 400, "gpu": 400},
        chunk=128,
        seconds_per_replicate=3.5e-3,
        bytes_per_replicate=2e7,
    ),
    Experiment(
        check="verification.thm_vb_ub_chi2/tail!a-sixtieth",
        cells={"default": _BALL[:1], "gpu": _BALL[:1]},
        validate=_needle.validate_random_class,
        prepare=functools.partial(_needle.prepare_random_class, top=False, share=1 / 60),
        simulate=_needle.simulate_random_chi2,
        support=_indicator,
        expected=lambda: _bernoulli(0.73),  # measured, 416 runs
        max_replicates={"default": 400, "gpu": 400},
        chunk=128,
        seconds_per_replicate=3.5e-3,
        bytes_per_replicate=2e7,
    ),
    Experiment(
        check="verification.thm_vb_tight/ratio",
        cells=dict.fromkeys(
            ("smoke", "default"), tuple(TightCell(4096, 8, 64, K, q) for K, q in ((2, 0.5), (4, 0.6), (8, 0.75), (16, 0.85)))
        ),
        ask=TightCell(4096, 8, 64, 4, 0.6),
        validate=_needle.validate_tight,
        evaluate=_needle.evaluate_tight,
    ),
    *(
        Experiment(
            check=f"verification.thm_vb_tight/{name}",
            cells=dict.fromkeys(("smoke", "default"), (cell,)),
            ask=cell,
            validate=_needle.validate_slope,
            evaluate=evaluate,
        )
        for name, evaluate, cell in (
            ("slope_n", _needle.evaluate_slope_n, SlopeCell(128, 8, 64, 4, 5)),
            ("slope_H", _needle.evaluate_slope_H, SlopeCell(4096, 8, 16, 4, 5)),
        )
    ),
)

# --- separation and regimes --------------------------------------------------------------------------------------------

_HORIZONS = tuple(32 << i for i in range(6))
_SPREADS = {"linear": lambda H: H / 2, "root": math.sqrt, "constant": lambda H: 2.0}
_TRACES = {"grown": lambda H: 4 * H, "fixed": lambda H: 512}
_DELTA = 0.5


def _near_optimal(H):
    return SeparationCell(H, 4 * H, H / 2, 1 - 1 / math.sqrt(4 * H))


def _separation(name, cells, expected, presets=("default", "gpu"), rows=2000, **liar):
    """One rate. expected: mean and sd of the row's slope, from the exact law; the sds measured on 2,000 rows."""
    contest = name.startswith("lead")
    return Experiment(
        check=f"verification.thm_sep/{name}",
        cells=dict.fromkeys(presets, cells),
        validate=_paired.validate_separation,
        prepare=functools.partial(_paired.prepare_separation, contest=contest, **liar),
        simulate=_paired.simulate_contest if contest else _paired.simulate_paired,
        support=(lambda: (-math.inf, math.inf)) if contest else (lambda: (0.0, math.inf)),
        expected=lambda: expected,
        max_replicates=dict.fromkeys(presets, rows),
        chunk=2000 if rows >= 2000 else 80,
        seconds_per_replicate=2.5e-5 if contest else 1.5e-5,
        bytes_per_replicate=2e4,
    )


def _evaluate_vb_gap(cell, rng, few=False):
    """Mean gap of the worst verifier that agrees with n labelled rollouts; a liar's learner gets `few`, one a block."""
    del rng  # nothing is drawn
    yield Case(f"H={cell.H}, n={cell.n}", cell.sigma * theory.paired_worst_gap(cell.d if few else cell.n, cell.d))


def _separations():
    bounded = tuple(SeparationCell(H, n(H), H / 2, _DELTA) for n in _TRACES.values() for H in (32, 256, 1024))
    for liar in ("", "!few-rollouts"):
        yield Experiment(
            check=f"verification.thm_sep/vb_bounded{liar}",
            cells=dict.fromkeys(("smoke", "default"), bounded),
            ask=bounded[0],
            validate=_paired.validate_separation,
            evaluate=functools.partial(_evaluate_vb_gap, few=bool(liar)),
        )
    for shape, sigma in _SPREADS.items():
        exponent = {"linear": 1.0, "root": 0.5, "constant": 0.0}[shape]
        for size, n in _TRACES.items():
            cells = tuple(SeparationCell(H, n(H), sigma(H), _DELTA) for H in _HORIZONS)
            slope = exponent - (0.507 if size == "grown" else 0.0)
            yield _separation(f"vf_{shape}_{size}", cells, (slope, 0.094))
            yield _separation(f"lead_{shape}_{size}", cells, (exponent, 0.04))
    yield _separation("lead_near_optimal", tuple(_near_optimal(H) for H in _HORIZONS), (0.5, 0.1))
    grown = tuple(SeparationCell(H, 4 * H, H / 2, _DELTA) for H in _HORIZONS)
    liar = "vf_linear_grown!"
    yield _separation(f"{liar}homogeneous", grown, (-0.507, 0.094), sigma=lambda sigma: 2.0, rows=400)
    yield _separation(f"{liar}n-squared", grown[:4], (0.0, 0.18), traces=lambda n: n * n, rows=400)


_NOISY = tuple(ContestCell(128, 8, 0.5, flip) for flip in (0.1, 0.2, 0.3, 0.4))
_BREAK_EVEN = tuple(
    ContestCell(n, d, delta, round(theory.break_even_flip(n, d, delta, learner), 6), learner)
    for n, d, delta, learner in ((128, 8, 0.5, "tab"), (1024, 8, 0.5, "tab"), (128, 8, 0.5, "argmax"))
)


def _expect_value(n, d, flip):
    """Exact mean; the sd treats blocks as independent, ties as misses or hits."""
    value = theory.noisy_vb_value(n, d, flip)
    return value, math.sqrt((1 - value**2) / d)


def _expect_lead(n, d, delta, flip, learner, liar=False):
    flip = (1 - delta) / 2 if liar else flip
    value, sd = _expect_value(n, d, flip)
    _, own = _expect_aligned(n, d, delta, learner)
    return value - theory.paired_vf_value(n, d, delta, learner), math.hypot(sd, own)


_CONTEST = {"simulate": _paired.simulate_contest, "validate": _paired.validate_contest, "bytes_per_replicate": 2e4, "chunk": 4096}
_REGIMES = (
    Experiment(
        check="verification.noisy/value",
        cells={"default": _NOISY, "gpu": _NOISY},
        ask=_NOISY[2],
        prepare=functools.partial(_paired.prepare_contest, statistic=_paired.VB_VALUE),
        support=lambda: (-1.0, 1.0),
        expected=_expect_value,
        max_replicates={"default": 30_000, "gpu": 30_000},
        seconds_per_replicate=1e-5,
        **_CONTEST,
    ),
    Experiment(
        check="verification.noisy/overtaken",
        cells={"default": _BREAK_EVEN, "gpu": _BREAK_EVEN},
        ask=_BREAK_EVEN[0],
        prepare=_paired.prepare_contest,
        support=lambda: (-2.0, 2.0),
        expected=_expect_lead,
        max_replicates={"default": 50_000, "gpu": 50_000},
        seconds_per_replicate=1e-5,
        **_CONTEST,
    ),
    Experiment(
        check="verification.noisy/overtaken!no-averaging",
        cells={"default": _BREAK_EVEN[:2], "gpu": _BREAK_EVEN[:2]},
        prepare=functools.partial(_paired.prepare_contest, flip=lambda cell: (1 - cell.delta) / 2),
        support=lambda: (-2.0, 2.0),
        expected=functools.partial(_expect_lead, liar=True),
        max_replicates={"default": 50_000, "gpu": 50_000},
        seconds_per_replicate=1e-5,
        **_CONTEST,
    ),
    *(
        Experiment(
            check=f"verification.reg_vf_wins/{name}",
            cells=dict.fromkeys(("smoke", "default"), tuple(RatioCell(512, 8, 64, K) for K in styles)),
            ask=RatioCell(512, 8, 64, styles[0]),
            validate=_needle.validate_ratio,
            evaluate=functools.partial(_needle.evaluate_ratio, swapped=name.endswith("!swapped")),
        )
        for name, styles in (("ratio", (4, 8, 16)), ("ratio!swapped", (4, 8, 16)), ("two_styles", (2,)))
    ),
    *_equal_needles("reg_vf_wins", (_RARE,), (20_000, 4000), (1.5e-5, 1.5e-4)),
    Experiment(
        check="verification.reg_anti_fail/slope",
        cells=dict.fromkeys(("smoke", "default"), (AntiCell(4, 8, 2),)),
        ask=AntiCell(4, 8, 2),
        validate=_needle.validate_anti,
        evaluate=_needle.evaluate_anti,
    ),
    Experiment(
        check="verification.reg_anti_fail/slope!cloning",
        cells=dict.fromkeys(("smoke", "default"), (AntiCell(4, 8, 2),)),
        validate=_needle.validate_anti,
        evaluate=functools.partial(_needle.evaluate_anti, learner="vf"),
    ),
    *(
        Experiment(
            check=f"verification.reg_anti_fail/best_of_n{liar}",
            cells=dict.fromkeys(_ALL, (BestOfNCell(22, 32),)),
            ask=BestOfNCell(22, 32),
            validate=_needle.validate_best_of_n,
            prepare=functools.partial(_needle.prepare_best_of_n, rarer=rarer),
            simulate=_needle.simulate_best_of_n,
            support=_indicator,
            expected=functools.partial(lambda n, K, rarer: _bernoulli(float(needle_theory.best_of_n(1 / (rarer * K), n))), rarer=rarer),
            max_replicates=dict.fromkeys(_ALL, 64_000),
            chunk=8192,
            seconds_per_replicate=1e-6,
            bytes_per_replicate=2e3,
        )
        for liar, rarer in (("", 1.0), ("!half-as-often", 2.0))
    ),
)

EXPERIMENTS = (*_VERIFIER_FREE, *_VERIFIER_BASED, *_separations(), *_REGIMES)
