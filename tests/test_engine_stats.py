"""The judge's arithmetic: reference values, capital, limits, first decisions, failures, ranges, bad input.

Everything here is exact: hand-worked values, identities and properties of single functions; seeded draws are used only
where the property holds for every draw. Error rates and power are in test_engine_stats_levels.py, relations, slopes,
quantiles and exact checks in test_engine_stats_relations.py.
"""

import json
import math
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from sims import _stats
from sims._stats import STAKES, WEIGHTS
from theory._claims import Relation, Verdict

VECTORS = json.loads((Path(__file__).parent / "data" / "statistics.vectors.json").read_text())
ALPHA = _stats.ALPHA
Q = math.log(2 / ALPHA)
UNIT = (0.0, 1.0)
LINE = (-math.inf, math.inf)
HALF_LINE = (0.0, math.inf)

settled = hypothesis.settings(derandomize=True, deadline=None, max_examples=100)
unit_floats = st.floats(0, 1, allow_subnormal=False)


def judge(x, relation, bound, support=UNIT, method="capital", most=None, **options):
    x = np.asarray(x, dtype=float)
    return _stats.judge(x, relation=relation, bound=bound, support=support, method=method, max_replicates=most or max(1, len(x)), **options)


# --- reference values --------------------------------------------------------------------------------------------

GOLDEN = 0.6180339887498949


def fractions(q, n):
    return np.mod(q * np.arange(n), 1)


def bounded(name, args):
    u, alpha = fractions(GOLDEN, args["n"]), args.get("alpha", ALPHA)
    if name == "failed":
        return _stats.interval(u, UNIT, alpha, np.isin(np.arange(args["n"]), args["failed"]))
    x, support = {
        "golden": (u, UNIT),
        "small_spread": (0.3 + 0.04 * (u - 0.5), UNIT),
        "signed": (2 * u - 1, (-1.0, 1.0)),
        "nonneg": (u**4, HALF_LINE),
        "empty": (u, UNIT),
    }[name]
    return _stats.interval(x, support, alpha)


def first(name, args):
    r = np.arange(9000)
    x = {
        "zeros.05": 0.0 * r,
        "zeros.2^-9": 0.0 * r,
        "ones.25": 0.0 * r + 1,
        "third": r % 3 == 0,
        "equal": r % 4 == 0,
        "golden": fractions(GOLDEN, 9000),
    }[name]
    found = _stats.first_decision(x.astype(float), Relation[args["relation"]], args["bound"], UNIT, args["alpha"], args["margin"])
    assert found[0] is (Verdict.REFUTED if name == "ones.25" else Verdict.SUPPORTED)
    return found[1]


def slope(name, args):
    grid = args["x"]
    if name == "weights":
        return _stats.slope_weights(grid)
    if name == "box":
        return _stats.slope_box(args["log_low"], args["log_high"], grid)
    x = np.stack([(1 + fractions(q, 200)) / math.sqrt(v) for q, v in zip(args["q"], grid, strict=True)], axis=1)
    narrow = (-0.5001, -0.4999)  # not decided, so that the interval is that of all 200 rows
    e = _stats.judge_rate(x, grid, window=narrow, rate_of=name, method="rows", max_replicates=200, alpha=args["alpha"])
    assert (e.verdict, e.num_replicates) == (Verdict.UNDECIDED, 200)
    return e.low, e.high


def planned(args):
    if "gap" in args:
        found = _stats.plan_t(args["gap"], args["sd"], args["skew"], args["alpha"], 1000)
    else:
        p = args["mean"]
        found = _stats.plan(
            relation=Relation.TAIL, mean=p, sd=math.sqrt(p * (1 - p)), bound=args["bound"], support=UNIT, method="capital",
            max_replicates=1000, alpha=args["alpha"],
        )  # fmt: skip
    return found.median, found.p999


def computed(vector):
    args = vector["args"]
    kind, _, name = vector["id"].partition(".")
    if kind == "stakes":
        return STAKES[args["j"]] if name == "3" else WEIGHTS[args["j"]]
    if kind == "capital":
        return _stats.log_capital(args["payoffs"], np.array(args["counts"]), args["price"])
    if kind == "bern":
        x = np.repeat([1.0, 0.0], [args["k"], args["n"] - args["k"]])
        return _stats.interval(x, UNIT, args["alpha"])
    if vector["id"].startswith("t.half"):
        return _stats.t_half_width(args["n"], args["sd"], args["alpha"])
    if kind == "t":
        return _stats.t_interval(fractions(GOLDEN, args["n"]) ** (40 if name == "skewed" else 1), args["alpha"])
    if kind in ("median", "quantile"):
        return _stats.quantile_interval(np.arange(float(args["n"])), args["p"], args["alpha"])
    if kind == "verdict":
        return _stats.verdict(Relation[args["relation"]], args["low"], args["high"], args["bound"], args["margin"]).value
    if kind == "bounded":
        return bounded(name, args)
    return {"first": lambda: first(name, args), "slope": lambda: slope(name, args), "plan": lambda: planned(args)}[kind]()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_reference_values(vector):
    expected, found = vector["value"], computed(vector)
    if isinstance(expected, str) and not expected.endswith("inf"):
        assert found == expected
        return
    expected = np.array(expected, dtype=float)  # "inf" and "-inf" as well
    np.testing.assert_allclose(np.asarray(found, dtype=float), expected, rtol=vector["rtol"], atol=0)


def test_constants():
    assert (_stats.ALPHA, _stats.ALPHA_USER, _stats.MAX_DECISIONS) == (1e-6, 1e-3, 1000)
    assert len(STAKES) == len(WEIGHTS) == 32
    assert WEIGHTS.sum() == pytest.approx(1, rel=1e-15)
    assert WEIGHTS[0] == pytest.approx(1 / 4.058495, rel=1e-6)
    assert (STAKES[0], STAKES[2], STAKES[-1]) == pytest.approx((1, 0.5, 2**-15.5))
    assert abs(Q - 14.51) < 0.005


def test_looks_are_a_quarter_of_an_octave_apart_and_end_at_the_most():
    assert _stats.looks(200) == [64, 77, 91, 108, 128, 153, 182, 200]
    assert _stats.looks(64) == [64]
    assert _stats.looks(10) == [10]
    assert _stats.looks(128)[-2:] == [108, 128]


# --- capital -----------------------------------------------------------------------------------------------------


def test_capital_of_one_ticket_by_hand():
    # price 1/4, payoff 1: a stake c grows to 1 - c + 4c = 1 + 3c
    assert _stats.log_capital_path(np.array([1.0]), 0.25)[0] == pytest.approx(math.log(1 + 3 * WEIGHTS @ STAKES), rel=1e-14)
    # at the price itself nothing is won or lost
    assert _stats.log_capital_path(np.full(7, 0.3), 0.3) == pytest.approx(np.zeros(7), abs=1e-14)
    # a payoff of zero wipes out stake 1 only
    rest = math.log(WEIGHTS[1:] @ (1 - STAKES[1:]))
    assert _stats.log_capital_path(np.zeros(1), 0.25)[0] == pytest.approx(rest, rel=1e-14)


@settled
@hypothesis.given(st.lists(unit_floats, max_size=40), st.floats(1e-3, 1))
def test_path_and_counts_agree_in_any_order(payoff, price):
    payoff = np.array(payoff)
    path = _stats.log_capital_path(payoff, price)
    assert path.shape == payoff.shape
    values, counts = np.unique(payoff, return_counts=True)
    total = _stats.log_capital(values, counts, price)
    assert total == pytest.approx(path[-1] if len(path) else 0.0, rel=1e-11, abs=1e-11)
    assert _stats.log_capital(payoff[::-1], np.ones(len(payoff), dtype=int), price) == pytest.approx(total, rel=1e-11, abs=1e-11)


def test_a_path_carries_over_its_chunks():
    x = np.random.default_rng(1).random(40_000)  # chunks of 16 384
    path = _stats.log_capital_path(x, 0.48)
    for n in (1, 16_384, 16_385, 32_768, 40_000):
        assert path[n - 1] == pytest.approx(_stats.log_capital(x[:n], np.ones(n, dtype=int), 0.48), rel=1e-10)


@settled
@hypothesis.given(st.lists(unit_floats, min_size=1, max_size=30), st.floats(1e-3, 1), st.floats(1e-3, 1))
def test_capital_falls_as_the_price_rises(payoff, price, other):
    low, high = sorted((price, other))
    assert (_stats.log_capital_path(np.array(payoff), low) >= _stats.log_capital_path(np.array(payoff), high) - 1e-11).all()


@settled
@hypothesis.given(st.lists(unit_floats, min_size=1, max_size=30), st.data())
def test_capital_rises_with_every_payoff(payoff, data):
    payoff = np.array(payoff)
    more = np.maximum(payoff, data.draw(st.lists(unit_floats, min_size=len(payoff), max_size=len(payoff))))
    assert (_stats.log_capital_path(more, 0.3) >= _stats.log_capital_path(payoff, 0.3) - 1e-11).all()


@settled
@hypothesis.given(st.lists(unit_floats, min_size=1, max_size=30))
def test_capital_is_at_most_one_at_the_mean_payoff(payoff):
    mean = float(np.mean(payoff))
    hypothesis.assume(mean > 1e-3)
    assert _stats.log_capital_path(np.array(payoff), mean)[-1] <= 1e-12


def test_a_free_ticket_makes_capital_infinite_and_never_nan():
    x = np.array([0.0, 0.0, 0.25, 0.0])
    assert _stats.log_capital_path(x, 0.0).tolist() == [0, 0, math.inf, math.inf]
    assert _stats.log_capital([0.0, 0.25], np.array([3, 1]), 0.0) == math.inf
    assert _stats.log_capital([0.0, 0.25], np.array([3, 0]), 0.0) == 0
    assert _stats.log_capital_path(np.empty(0), 0.0).shape == (0,)
    e = judge(x, Relation.UPPER, 0.0)  # the bound is the end of the range: the first x > a refutes, with error 0
    assert (e.verdict, e.num_replicates) == (Verdict.REFUTED, 3)
    assert not math.isnan(e.low)
    assert judge(np.zeros(500), Relation.UPPER, 0.0).verdict is Verdict.UNDECIDED
    mirrored = judge(1 - x, Relation.LOWER, 1.0)
    assert (mirrored.verdict, mirrored.num_replicates) == (Verdict.REFUTED, 3)


# --- limits ------------------------------------------------------------------------------------------------------

SAMPLES = {
    "zeros and ones": (np.arange(700) % 3 == 0) * 1.0,
    "one in 500": (np.arange(2000) % 500 == 0) * 1.0,
    "golden": fractions(GOLDEN, 400),
    "small spread": 0.3 + 0.04 * (fractions(GOLDEN, 400) - 0.5),
    "skewed": fractions(GOLDEN, 600) ** 8,
    "tiny": 1e-9 * fractions(GOLDEN, 600),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_at_a_limit_the_capital_has_just_reached_two_over_alpha(sample):
    x = SAMPLES[sample]
    low, high = _stats.interval(x, UNIT, ALPHA)
    assert 0 < low < x.mean() < high < 1
    values, counts = np.unique(x, return_counts=True)
    assert _stats.log_capital(values, counts, low) == pytest.approx(Q, abs=1e-8)
    assert _stats.log_capital(1 - values, counts, 1 - high) == pytest.approx(Q, abs=1e-8)
    assert _stats.log_capital_path(x, low * 0.999)[-1] > Q > _stats.log_capital_path(x, low * 1.001)[-1]


def test_limits_are_equivariant_and_wider_at_a_smaller_level():
    x = fractions(GOLDEN, 400)
    low, high = _stats.interval(x, UNIT, ALPHA)
    assert _stats.interval(5 + 2 * x, (5.0, 7.0), ALPHA) == pytest.approx((5 + 2 * low, 5 + 2 * high), rel=1e-10)
    assert _stats.interval(-x, (-1.0, 0.0), ALPHA) == pytest.approx((-high, -low), rel=1e-10)
    narrow = _stats.interval(x, UNIT, 1e-3)
    assert low < narrow[0] < x.mean() < narrow[1] < high


def test_no_data_gives_the_range_and_no_verdict():
    assert _stats.interval(np.empty(0), UNIT, ALPHA) == UNIT
    for method in ("capital", "t", "quantile"):
        for relation in (Relation.UPPER, Relation.LOWER, Relation.TAIL, Relation.ORDER):
            e = judge(np.empty(0), relation, 0.3, method=method, most=100)
            assert (e.verdict, e.num_replicates, e.final) == (Verdict.UNDECIDED, 0, False)
    e = judge(np.empty(0), Relation.EQUAL, 0.3, most=100, margin=0.1)
    assert (e.verdict, e.low, e.high) == (Verdict.UNDECIDED, 0.0, 1.0)
    assert judge(np.empty(0), Relation.UPPER, 0.3, LINE, most=100).low == -math.inf


def test_constant_statistics_by_capital():
    assert _stats.first_decision(np.full(400, 0.3), Relation.UPPER, 0.35, UNIT, ALPHA) == (Verdict.SUPPORTED, 215)
    assert _stats.first_decision(np.ones(400), Relation.UPPER, 0.25, UNIT, ALPHA) == (Verdict.REFUTED, 12)
    # price 1/4: stake 1 has 4^r / H, so 4^12 = 1.7e7 against 2e6 * 4.06 = 8.1e6, and 4^11 = 4.2e6 is not enough
    assert _stats.first_decision(np.ones(11), Relation.UPPER, 0.25, UNIT, ALPHA) == (Verdict.UNDECIDED, 11)


def test_the_t_mixture_refuses_a_constant():
    for value in (0.3, 0.0, -1e9):
        assert _stats.t_interval(np.full(500, value), ALPHA) == LINE
        assert judge(np.full(500, value), Relation.UPPER, value + 1, LINE, "t").verdict is Verdict.UNDECIDED


def test_the_t_mixture_opens_at_64_and_only_where_its_guards_allow():
    x = np.random.default_rng(2).normal(size=4000)
    assert _stats.t_interval(x[:63], ALPHA) == LINE
    low, high = _stats.t_interval(x[:64], ALPHA)
    assert (high - low) / 2 == pytest.approx(0.8591435454941512 * x[:64].std(ddof=1), rel=1e-9)
    assert _stats.t_half_width(23, 1.0, ALPHA) == math.inf
    assert math.isfinite(_stats.t_half_width(24, 1.0, ALPHA))
    assert _stats.t_half_width(100, 3.0, ALPHA) == pytest.approx(3 * _stats.t_half_width(100, 1.0, ALPHA))
    # two-point data: skewness (1 - 2p)/sqrt(p(1 - p)); p = .1 gives 64/9, so the guard asks for 400 * 64/9 = 2844.4
    tenth = (np.arange(4000) % 10 == 0) * 1.0
    assert _stats.t_interval(tenth[:2840], ALPHA) == LINE
    assert math.isfinite(_stats.t_interval(tenth[:2850], ALPHA)[0])
    assert _stats.t_interval(-tenth[:2840], ALPHA) == LINE  # either sign
    assert _stats.t_interval(np.append(x, math.nan), ALPHA) == LINE
    assert _stats.t_interval(1e6 + 1e-7 * x, ALPHA) == LINE  # sd under 1e-12 of the mean


@pytest.mark.parametrize(
    ("relation", "bound", "margin"),
    [
        (Relation.UPPER, 0.35, 0),
        (Relation.UPPER, 0.2, 0),
        (Relation.LOWER, 0.2, 0),
        (Relation.LOWER, 0.4, 0),
        (Relation.EQUAL, 0.27, 0.1),
        (Relation.EQUAL, 0.6, 0.1),
        (Relation.EQUAL, 0.05, 0.1),
    ],
)
def test_the_interval_at_the_first_look_agrees_with_the_verdict_and_the_one_before_is_open(relation, bound, margin):
    x = (np.random.default_rng(3).random(4000) < 0.27) * 1.0
    e = judge(x, relation, bound, margin=margin)
    assert e.verdict in (Verdict.SUPPORTED, Verdict.REFUTED)
    assert _stats.verdict(relation, e.low, e.high, bound, margin) is e.verdict
    assert e.final
    assert e.estimate == x[: e.num_replicates].mean()
    before = _stats.interval(x[: e.num_replicates - 1], UNIT, ALPHA)
    assert _stats.verdict(relation, *before, bound, margin) is Verdict.UNDECIDED


# --- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", [0, 50, 310])
def test_one_failure_postpones(lost, where):
    x = np.zeros(600)
    x[where] = lost
    e = judge(x, Relation.TAIL, 0.05)
    assert (e.verdict, e.num_replicates, e.num_failed) == (Verdict.SUPPORTED, 489, 1)
    assert judge(np.zeros(600), Relation.TAIL, 0.05).num_replicates == 311


def test_a_look_decides_only_with_at_most_one_per_cent_failed():
    x = np.ones(300)
    x[0] = math.nan
    e = judge(x, Relation.UPPER, 0.25)  # without the failure: refuted at 12
    assert (e.verdict, e.num_replicates) == (Verdict.REFUTED, 100)
    x[1] = math.nan
    assert judge(x, Relation.UPPER, 0.25).num_replicates == 200


def test_more_than_one_per_cent_of_the_most_blocks_at_once():
    x = np.zeros(1000)
    x[5:15] = math.nan
    assert judge(x, Relation.TAIL, 0.4).verdict is Verdict.SUPPORTED  # 10 of 1000: at r = 1000
    x[15] = math.nan
    e = judge(x, Relation.TAIL, 0.4)
    assert (e.verdict, e.final, e.num_failed) == (Verdict.UNDECIDED, True, 11)
    assert "11 of" in e.reason
    assert "5, 6, 7" in e.reason
    early = judge(x[:16], Relation.TAIL, 0.4, most=1000)
    assert (early.verdict, early.final) == (Verdict.UNDECIDED, True)
    assert not judge(x[:15], Relation.TAIL, 0.4, most=1000).final


def test_where_a_block_is_reported_does_not_depend_on_how_much_was_computed():
    x = np.zeros(1000)
    x[5:40] = math.nan  # the 11th failure is replicate 15
    first, *later = (judge(x[:n], Relation.TAIL, 0.4, most=1000) for n in (16, 64, 1000))
    assert first.final
    assert [(e.num_replicates, e.num_failed, e.low, e.high) for e in later] == [
        (first.num_replicates, first.num_failed, first.low, first.high)
    ] * 2


def test_failures_after_the_decision_change_nothing():
    x = np.zeros(1000)
    x[400:] = math.nan
    e = judge(x, Relation.TAIL, 0.05)
    assert (e.verdict, e.num_replicates, e.num_failed) == (Verdict.SUPPORTED, 311, 0)


def test_a_failure_widens_both_sides():
    x = fractions(GOLDEN, 400)
    lost = np.isin(np.arange(400), [7, 11])
    low, high = _stats.interval(x, UNIT, ALPHA, lost)
    whole = _stats.interval(x, UNIT, ALPHA)
    assert low < whole[0] < whole[1] < high
    assert low == _stats.interval(np.where(lost, 0.0, x), UNIT, ALPHA)[0]
    assert high == _stats.interval(np.where(lost, 1.0, x), UNIT, ALPHA)[1]
    assert _stats.interval(np.where(lost, math.nan, x), UNIT, ALPHA) == (low, high)


def test_a_side_without_a_finite_end_becomes_infinite():
    x = 0.5 + fractions(GOLDEN, 400)
    x[3] = math.nan
    low, high = _stats.interval(x, HALF_LINE, ALPHA)
    assert math.isfinite(low)
    assert high == math.inf
    assert _stats.interval(x, LINE, ALPHA) == LINE
    e = judge(x, Relation.UPPER, 5.0, HALF_LINE)
    assert (e.verdict, e.high) == (Verdict.UNDECIDED, math.inf)
    assert judge(x, Relation.UPPER, 0.2, HALF_LINE).verdict is Verdict.REFUTED  # that side has its end
    assert judge(x, Relation.UPPER, 5.0, LINE, "t").verdict is Verdict.UNDECIDED


RELATIONS = [(Relation.UPPER, 0.0), (Relation.LOWER, 0.0), (Relation.EQUAL, 0.15)]


@settled
@hypothesis.given(st.data(), st.sampled_from(RELATIONS), st.floats(0.05, 0.95), st.floats(0.0, 0.9), st.integers(0, 2**32 - 1))
def test_a_failure_never_helps_a_verdict_by_capital(data, relation, bound, centre, seed):
    relation, margin = relation
    x = centre + 0.1 * np.random.default_rng(seed).random(400)
    lost = data.draw(st.lists(st.integers(0, 399), min_size=1, max_size=4, unique=True))
    missing = x.copy()
    missing[lost] = math.nan
    e = judge(missing, relation, bound, margin=margin, most=400)
    completed = x.copy()
    completed[lost] = data.draw(st.lists(unit_floats, min_size=len(lost), max_size=len(lost)))
    low, high = _stats.interval(completed[: e.num_replicates], UNIT, ALPHA)
    assert e.low <= low + 1e-12
    assert high <= e.high + 1e-12
    if e.verdict is not Verdict.UNDECIDED:  # every completion says so too
        assert _stats.verdict(relation, low, high, bound, margin) is e.verdict
    whole = judge(completed, relation, bound, margin=margin)
    if e.verdict is not Verdict.UNDECIDED:
        assert whole.num_replicates <= e.num_replicates


@pytest.mark.parametrize("completion", [0.0, 0.05, 0.3, 1.0])
def test_a_failure_never_helps_a_verdict_by_t(completion):
    x = 0.03 + 0.04 * fractions(GOLDEN, 200)  # values near .05 in a declared range [0, 1]
    x[5] = math.nan
    e = judge(x, Relation.LOWER, 0.02, UNIT, "t")
    x[5] = completion
    whole = judge(x, Relation.LOWER, 0.02, UNIT, "t")
    assert e.verdict is Verdict.UNDECIDED or whole.verdict is e.verdict


# --- ranges, ties ------------------------------------------------------------------------------------------------


def test_a_value_outside_the_declared_range_stops_with_its_replicate_and_value():
    x = fractions(GOLDEN, 50)
    x[17] = 1.25
    for method in ("capital", "t"):
        with pytest.raises(_stats.OutOfRange, match=r"replicate 17 is 1\.25") as info:
            judge(x, Relation.UPPER, 0.5, method=method)
        assert (info.value.replicate, info.value.value) == (17, 1.25)
    assert isinstance(info.value, ValueError)
    with pytest.raises(_stats.OutOfRange, match="replicate 17"):
        _stats.judge_none(x, support=UNIT, method="capital", alpha=1e-3)
    with pytest.raises(_stats.OutOfRange, match=r"replicate 3 is -0\.5"):
        judge([0.0, 1.0, 2.0, -0.5], Relation.UPPER, 0.5, HALF_LINE)
    assert judge(x, Relation.UPPER, 0.5, method="quantile").verdict is Verdict.UNDECIDED  # a quantile needs no range


def test_an_interval_of_values_outside_the_declared_range_is_not_returned():
    with pytest.raises(ValueError, match="outside"):
        _stats.interval(np.full(50, 2.0), UNIT, ALPHA)


def test_rounding_beyond_an_end_is_clipped_and_no_more():
    x = np.full(400, 0.3)
    x[0], x[1] = 1 + 9e-7, -9e-7
    e = judge(x, Relation.UPPER, 0.4)
    same = judge(np.clip(x, 0, 1), Relation.UPPER, 0.4)
    assert (e.verdict, e.num_replicates, e.low, e.high) == (same.verdict, same.num_replicates, same.low, same.high)
    for wrong in (1 + 1.2e-6, -1.2e-6):
        x[0] = wrong
        with pytest.raises(_stats.OutOfRange):
            judge(x, Relation.UPPER, 0.4)


def test_more_than_one_per_cent_of_ties_is_undecided():
    ties = np.zeros(400, dtype=bool)
    ties[[0, 1, 2]] = True
    e = judge(np.zeros(400), Relation.TAIL, 0.05, ties=ties)
    assert (e.verdict, e.num_replicates, e.ties) == (Verdict.SUPPORTED, 311, 3)
    ties[3] = True  # 4 of 311
    e = judge(np.zeros(400), Relation.TAIL, 0.05, ties=ties)
    assert (e.verdict, e.num_replicates, e.ties) == (Verdict.UNDECIDED, 311, 4)
    assert "rounding" in e.reason
    assert "float64" in e.reason


# --- bad input ---------------------------------------------------------------------------------------------------

X = np.zeros(100)
GRID = [1.0, 2.0, 4.0]
POSITIVE = np.ones((100, 3))


def rate(x=POSITIVE, grid=GRID, window=(-1.0, 1.0), rate_of="mean_log", method="rows", most=100, **options):
    return _stats.judge_rate(x, grid, window=window, rate_of=rate_of, method=method, max_replicates=most, **options)


def plan(relation=Relation.UPPER, bound=0.2, support=UNIT, method="capital", most=100, **options):
    return _stats.plan(relation=relation, mean=0.1, sd=0.3, bound=bound, support=support, method=method, max_replicates=most, **options)


NAN = math.nan
BAD = {
    "bound nan": (lambda: judge(X, Relation.UPPER, NAN), "judge: bound"),
    "margin nan": (lambda: judge(X, Relation.EQUAL, 0.5, margin=NAN), "judge: .*margin"),
    "margin 0": (lambda: judge(X, Relation.EQUAL, 0.5), "judge: margin"),
    "margin < 0": (lambda: judge(X, Relation.EQUAL, 0.5, margin=-0.1), "judge: margin"),
    "a = b": (lambda: judge(X, Relation.UPPER, 0.5, (0.0, 0.0)), "judge: support"),
    "a > b": (lambda: judge(X, Relation.UPPER, 0.5, (1.0, 0.0)), "judge: support"),
    "a nan": (lambda: judge(X, Relation.UPPER, 0.5, (NAN, 1.0)), "judge: support"),
    "alpha 0": (lambda: judge(X, Relation.UPPER, 0.5, alpha=0.0), "judge: alpha"),
    "alpha .5": (lambda: judge(X, Relation.UPPER, 0.5, alpha=0.5), "judge: alpha"),
    "alpha nan": (lambda: judge(X, Relation.UPPER, 0.5, alpha=NAN), "judge: alpha"),
    "max_replicates 0": (
        lambda: _stats.judge(X, relation=Relation.UPPER, bound=0.5, support=UNIT, method="capital", max_replicates=0),
        "judge: max_replicates",
    ),
    "quantile 0": (lambda: judge(X, Relation.UPPER, 0.5, method="quantile", quantile=0.0), "judge: (p|quantile)"),
    "quantile 1": (lambda: judge(X, Relation.UPPER, 0.5, method="quantile", quantile=1.0), "judge: (p|quantile)"),
    "x 2-D": (lambda: judge(np.zeros((5, 2)), Relation.UPPER, 0.5), "judge: x"),
    "method": (lambda: judge(X, Relation.UPPER, 0.5, method="normal"), "judge: method"),
    "relation": (lambda: judge(X, Relation.EXACT, 0.5), "judge: relation"),
    "first_decision: bound": (lambda: _stats.first_decision(X, Relation.UPPER, NAN, UNIT, ALPHA), "(judge|first_decision): bound"),
    "first_decision: margin": (lambda: _stats.first_decision(X, Relation.EQUAL, 0.5, UNIT, ALPHA), "(judge|first_decision): margin"),
    "first_decision: x": (lambda: _stats.first_decision(X[None], Relation.UPPER, 0.5, UNIT, ALPHA), "(judge|first_decision): x"),
    "interval: x": (lambda: _stats.interval(X[None], UNIT, ALPHA), "interval: x"),
    "interval: support": (lambda: _stats.interval(X, (1.0, 1.0), ALPHA), "interval: support"),
    "interval: alpha": (lambda: _stats.interval(X, UNIT, 0.7), "interval: alpha"),
    "t_interval: x": (lambda: _stats.t_interval(X[None], ALPHA), "t_interval: x"),
    "t_interval: alpha": (lambda: _stats.t_interval(X, 0.0), "t_interval: alpha"),
    "t_half_width: alpha": (lambda: _stats.t_half_width(100, 1.0, 1.0), "t_half_width: alpha"),
    "quantile_interval: p": (lambda: _stats.quantile_interval(X, 1.0, ALPHA), "quantile_interval: p"),
    "quantile_interval: alpha": (lambda: _stats.quantile_interval(X, 0.5, -1.0), "quantile_interval: alpha"),
    "quantile_interval: x": (lambda: _stats.quantile_interval(X[None], 0.5, ALPHA), "quantile_interval: x"),
    "log_capital: price": (lambda: _stats.log_capital([1.0], np.array([1]), -0.1), "log_capital: price"),
    "log_capital_path: price": (lambda: _stats.log_capital_path(X, NAN), "log_capital_path: price"),
    "judge_none: x": (lambda: _stats.judge_none(X[None], support=UNIT, method="capital", alpha=1e-3), "judge_none: x"),
    "judge_none: alpha": (lambda: _stats.judge_none(X, support=UNIT, method="capital", alpha=0.5), "judge_none: alpha"),
    "judge_none: support": (lambda: _stats.judge_none(X, support=(1.0, 0.0), method="capital", alpha=1e-3), "judge_none: support"),
    "window lo = hi": (lambda: rate(window=(1.0, 1.0)), "judge_rate: window"),
    "window lo > hi": (lambda: rate(window=(1.0, 0.0)), "judge_rate: window"),
    "window nan": (lambda: rate(window=(NAN, 0.0)), "judge_rate: window"),
    "grid of two": (lambda: rate(np.ones((100, 2)), [1.0, 2.0]), "slope_weights: grid"),
    "grid not distinct": (lambda: rate(grid=[1.0, 2.0, 2.0]), "slope_weights: grid"),
    "grid not positive": (lambda: rate(grid=[0.0, 1.0, 2.0]), "slope_weights: grid"),
    "rate alpha": (lambda: rate(alpha=0.5), "judge_rate: alpha"),
    "rate max_replicates": (lambda: rate(most=0), "judge_rate: max_replicates"),
    "rate support": (lambda: rate(support=(2.0, 1.0)), "judge_rate: support"),
    "rate x 1-D": (lambda: rate(np.ones(100)), "judge_rate: x"),
    "rate x of another width": (lambda: rate(np.ones((100, 4))), "judge_rate: x"),
    "rate method": (lambda: rate(rate_of="log_median"), "judge_rate: method"),
    "rate non-positive mean": (lambda: rate(-POSITIVE, rate_of="log_mean"), "log of a non-positive mean"),
    "exact shapes": (lambda: _stats.judge_exact(X, X[:3], residual="upper", tolerance=0), "judge_exact: statistics"),
    "exact tolerance": (lambda: _stats.judge_exact(X, X, residual="upper", tolerance=NAN), "judge_exact: tolerance"),
    "exact residual": (lambda: _stats.judge_exact(X, X, residual="ratio", tolerance=0), "judge_exact: residual"),
    "own_slope: bound_values": (lambda: _stats.own_slope([1.0, 0.0, 1.0], GRID), "own_slope: bound_values"),
    "plan: alpha": (lambda: plan(alpha=0.5), "plan: alpha"),
    "plan: max_replicates": (lambda: plan(most=0), "plan: max_replicates"),
    "plan: bound": (lambda: plan(bound=NAN), "plan: bound"),
    "plan: margin": (lambda: plan(Relation.EQUAL, margin=0.0), "plan: margin"),
    "plan: support": (lambda: plan(support=(1.0, 0.0)), "plan: support"),
    "plan: window": (lambda: plan(Relation.RATE, method="rows", margin=(1.0, 0.0)), "plan: (window|margin)"),
    "plan: quantile": (lambda: plan(method="quantile", quantile=1.0), "plan: (p|quantile)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_with_function_and_argument(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        call()
