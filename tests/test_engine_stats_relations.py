"""What becomes of an interval: relations, slack, one-sided ranges, slopes, quantiles, exact checks, other plans.

Exact, except where data are drawn: those verdicts are at 1e-6 a decision and planned to be reached with probability
0.999 or more.
"""

import itertools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from sims import _stats
from sims._stats import _intervals
from theory._claims import Relation, Verdict

ALPHA = _stats.ALPHA
UNIT = (0.0, 1.0)
LINE = (-math.inf, math.inf)
HALF_LINE = (0.0, math.inf)
GOLDEN = 0.6180339887498949
GRID = np.array([300.0, 1000.0, 3000.0, 10_000.0])

settled = hypothesis.settings(derandomize=True, deadline=None, max_examples=60)


def judge(x, relation, bound, support=UNIT, method="capital", most=None, **options):
    x = np.asarray(x, dtype=float)
    return _stats.judge(x, relation=relation, bound=bound, support=support, method=method, max_replicates=most or max(1, len(x)), **options)


def fractions(q, n):
    return np.mod(q * np.arange(n), 1)


# --- relations ---------------------------------------------------------------------------------------------------


def test_verdicts_of_intervals():
    def word(relation, low, high, bound=0.2, margin=0.0):
        return _stats.verdict(relation, low, high, bound, margin).value

    for relation in (Relation.UPPER, Relation.TAIL):
        assert word(relation, 0.1, 0.2) == "SUPPORTED"  # U <= B
        assert word(relation, 0.2, 0.3) == "UNDECIDED"  # L > B is strict
        assert word(relation, 0.2001, 0.3) == "REFUTED"
    assert word(Relation.LOWER, 0.2, 0.3) == "SUPPORTED"
    assert word(Relation.LOWER, 0.1, 0.2) == "UNDECIDED"
    assert word(Relation.LOWER, 0.1, 0.1999) == "REFUTED"
    assert word(Relation.EQUAL, 0.125, 0.375, 0.25, 0.125) == "SUPPORTED"
    assert word(Relation.EQUAL, 0.1, 0.375, 0.25, 0.125) == "UNDECIDED"
    assert word(Relation.EQUAL, 0.125, 0.4, 0.25, 0.125) == "UNDECIDED"
    assert word(Relation.EQUAL, 0.375, 0.5, 0.25, 0.125) == "UNDECIDED"
    assert word(Relation.EQUAL, 0.376, 0.5, 0.25, 0.125) == "REFUTED"
    assert word(Relation.EQUAL, 0.0, 0.124, 0.25, 0.125) == "REFUTED"
    assert word(Relation.ORDER, 0.0, 1.0, 0.0) == "SUPPORTED"
    assert word(Relation.ORDER, -1.0, 0.0, 0.0) == "UNDECIDED"
    assert word(Relation.ORDER, -1.0, -1e-9, 0.0) == "REFUTED"
    assert word(Relation.RATE, -0.6, -0.4, (-0.6, -0.4)) == "SUPPORTED"
    assert word(Relation.RATE, -0.61, -0.4, (-0.6, -0.4)) == "UNDECIDED"
    assert word(Relation.RATE, -0.39, -0.1, (-0.6, -0.4)) == "REFUTED"
    assert word(Relation.RATE, -9.0, -0.5, (-math.inf, -0.4)) == "SUPPORTED"  # faster never refutes
    for relation in (Relation.UPPER, Relation.LOWER, Relation.ORDER):
        assert word(relation, -math.inf, math.inf) == "UNDECIDED"


def test_equal_needs_both_edges_at_the_same_look():
    x = (np.arange(9000) % 4 == 0) * 1.0
    e = judge(x, Relation.EQUAL, 0.25, margin=0.05)
    assert (e.verdict, e.num_replicates) == (Verdict.SUPPORTED, 2840)
    low = judge(x, Relation.LOWER, 0.2)
    high = judge(x, Relation.UPPER, 0.3)
    assert max(low.num_replicates, high.num_replicates) <= 2840
    # 20 ones show "at least .3" but not "above .6"; the zeros after them show "at most .6" only when the former no longer holds
    x = np.repeat([1.0, 0.0], [20, 300])
    low, high = judge(x, Relation.LOWER, 0.3), judge(x, Relation.UPPER, 0.6)
    assert (low.verdict, high.verdict) == (Verdict.SUPPORTED, Verdict.SUPPORTED)
    assert low.num_replicates < 20 < high.num_replicates
    e = judge(x, Relation.EQUAL, 0.45, margin=0.15)
    assert (e.verdict, e.high < 0.3) == (Verdict.REFUTED, True)
    assert e.num_replicates > high.num_replicates


def test_order_and_mirror_images_agree():
    d = 2 * fractions(GOLDEN, 2000) - 0.7  # in [-.7, 1.3], mean .3
    e = judge(d, Relation.ORDER, 0.0, (-1.3, 1.3))
    assert e.verdict is Verdict.SUPPORTED
    same = judge(d, Relation.LOWER, 0.0, (-1.3, 1.3))
    mirror = judge(-d, Relation.UPPER, 0.0, (-1.3, 1.3))
    assert e.num_replicates == same.num_replicates == mirror.num_replicates
    assert (mirror.low, mirror.high) == pytest.approx((-e.high, -e.low))
    assert judge(-d, Relation.ORDER, 0.0, (-1.3, 1.3)).verdict is Verdict.REFUTED
    sd = d[: e.num_replicates].std(ddof=1)
    assert e.slack == pytest.approx(e.low / sd)


@pytest.mark.parametrize(
    ("relation", "bound", "margin"),
    [
        (Relation.UPPER, -0.1, 0),
        (Relation.TAIL, -0.1, 0),
        (Relation.LOWER, 1.1, 0),
        (Relation.ORDER, 1.1, 0),
        (Relation.EQUAL, -0.3, 0.1),
        (Relation.EQUAL, 1.3, 0.1),
    ],
)
def test_a_bound_outside_the_range_is_refuted_by_arithmetic_before_any_draw(relation, bound, margin):
    for n in (0, 500):
        e = judge(np.full(n, 0.5), relation, bound, margin=margin, most=500)
        assert (e.verdict, e.num_replicates, e.method, e.final, e.asymptotic) == (Verdict.REFUTED, 0, "exact", True, False)
        assert _stats.verdict(relation, e.low, e.high, bound, margin) is Verdict.REFUTED


def test_a_margin_wider_than_the_range_is_no_error():
    assert judge(np.full(50, 0.5), Relation.EQUAL, 0.5, margin=0.7).verdict in (Verdict.SUPPORTED, Verdict.UNDECIDED)


# --- one end of the range, and which statements are asymptotic ----------------------------------------------------


def heavy(n):  # quantiles of a Pareto law with tail index 1.1: mean 11, no variance
    return (1 - fractions(GOLDEN, n) * 0.999) ** (-1 / 1.1)


def test_each_limit_needs_one_end_of_the_range_only():
    x = heavy(3000)
    refuted = judge(x, Relation.UPPER, 1.5, HALF_LINE)
    assert (refuted.verdict, refuted.asymptotic) == (Verdict.REFUTED, False)
    supported = judge(x, Relation.LOWER, 1.5, HALF_LINE)
    assert (supported.verdict, supported.asymptotic) == (Verdict.SUPPORTED, False)
    assert refuted.num_replicates == supported.num_replicates
    assert judge(x, Relation.UPPER, 100.0, HALF_LINE).verdict is Verdict.UNDECIDED  # no upper limit: the guard stays shut
    wide = judge(np.minimum(x, 999.0), Relation.UPPER, 1.5, (0.0, 1000.0))
    assert wide.num_replicates == refuted.num_replicates  # the other end has no say
    assert judge(-x, Relation.LOWER, -1.5, (-math.inf, 0.0)).verdict is Verdict.REFUTED
    assert not judge(-x, Relation.LOWER, -1.5, (-math.inf, 0.0)).asymptotic


@pytest.mark.parametrize(
    ("relation", "bound", "margin", "word", "asymptotic"),
    [
        (Relation.UPPER, 1.5, 0, "SUPPORTED", True),
        (Relation.UPPER, 0.5, 0, "REFUTED", False),
        (Relation.LOWER, 0.5, 0, "SUPPORTED", False),
        (Relation.LOWER, 1.5, 0, "REFUTED", True),
        (Relation.EQUAL, 1.0, 0.5, "SUPPORTED", True),
        (Relation.EQUAL, 0.2, 0.3, "REFUTED", False),
        (Relation.EQUAL, 2.0, 0.5, "REFUTED", True),
    ],
)
def test_evidence_is_asymptotic_only_if_the_side_that_decided_is(relation, bound, margin, word, asymptotic):
    x = 0.5 + fractions(GOLDEN, 4000)  # mean 1
    e = judge(x, relation, bound, HALF_LINE, margin=margin)
    assert (e.verdict.value, e.asymptotic) == (word, asymptotic)
    bounded_both = judge(x, relation, bound, (0.0, 4.0), margin=margin)
    assert (bounded_both.verdict.value, bounded_both.asymptotic) == (word, False)
    by_t = judge(x, relation, bound, LINE, margin=margin)
    assert (by_t.verdict.value, by_t.asymptotic) == (word, True)
    assert by_t.num_replicates in _stats.looks(4000)


# --- slack -------------------------------------------------------------------------------------------------------


def test_slack_by_hand():
    slack = _stats.slack_of
    assert slack(Relation.UPPER, 0.1, 0.2, 0.5, 0) == pytest.approx(2.5)  # B/U
    assert slack(Relation.TAIL, 0.0, 0.04, 0.05, 0) == pytest.approx(1.25)
    assert slack(Relation.LOWER, 0.6, 0.7, 0.5, 0) == pytest.approx(1.2)  # L/B
    assert slack(Relation.EQUAL, 0.19, 0.23, 0.2, 0.06) == pytest.approx(2)  # M / max(|L - B|, |U - B|)
    assert slack(Relation.ORDER, 0.3, 0.5, 0.0, 0, 0.6) == pytest.approx(0.5)  # L in sd of the difference
    assert slack(Relation.UPPER, -0.4, -0.3, -0.1, 0) == pytest.approx(0.2)  # no ratio: B - U
    assert slack(Relation.UPPER, -0.4, 0.2, 0.0, 0) == pytest.approx(-0.2)
    assert slack(Relation.UPPER, -0.4, -0.3, 0.1, 0) == pytest.approx(0.4)


def test_slack_of_a_decision_is_that_of_its_interval():
    e = judge(np.zeros(400), Relation.TAIL, 0.05)
    assert e.slack == pytest.approx(0.05 / 0.04985328167107872)  # finite even without a violation
    e = judge(np.ones(400), Relation.LOWER, 0.5)
    assert e.slack == pytest.approx(e.low / 0.5)
    assert e.slack >= 1
    e = judge(np.ones(400), Relation.UPPER, 0.25)
    assert e.verdict is Verdict.REFUTED
    assert e.slack < 1
    e = judge((np.arange(4000) % 4 == 0) * 1.0, Relation.EQUAL, 0.25, margin=0.05)
    assert e.slack == pytest.approx(0.05 / max(0.25 - e.low, e.high - 0.25))
    assert e.slack >= 1


# --- slopes ------------------------------------------------------------------------------------------------------


def norms(rows, power=-0.5, seed=1):
    """Lengths of 8 normal coordinates, scaled as n^power on the grid: skew 0.25, [rows, 4]."""
    return np.sqrt(np.random.default_rng(seed).chisquare(8, (rows, len(GRID)))) * GRID**power


def rate(x, window, rate_of="mean_log", method="rows", grid=GRID, most=None, **options):
    return _stats.judge_rate(x, grid, window=window, rate_of=rate_of, method=method, max_replicates=most or len(x), **options)


def test_slope_weights_are_least_squares():
    y = np.array([0.3, -1.0, 2.0, 0.7])
    assert _stats.slope_weights(GRID) @ y == pytest.approx(np.polyfit(np.log(GRID), y, 1)[0], rel=1e-12)
    assert _stats.slope_weights(GRID).sum() == pytest.approx(0, abs=1e-15)
    assert _stats.slope_weights(GRID) @ np.log(GRID) == pytest.approx(1)
    assert _stats.own_slope(7 * GRID**-0.75, GRID) == pytest.approx(-0.75)


def test_slope_rows_by_hand():
    grid = np.array([1.0, math.e, math.e**2])  # weights -1/2, 0, 1/2
    x = np.array([[1.0, 5.0, 4.0], [2.0, 7.0, 2.0]])
    estimate, rows = _stats.slope_rows(x, grid, "mean_log")
    np.testing.assert_allclose(rows, [math.log(4) / 2, 0.0], atol=1e-15)
    assert estimate == pytest.approx(math.log(4) / 4)
    estimate, rows = _stats.slope_rows(x, grid, "log_mean")  # means 1.5, 6, 3
    assert estimate == pytest.approx(math.log(2) / 2)
    np.testing.assert_allclose(rows, [(4 / 3 - 1 / 1.5) / 2, (2 / 3 - 2 / 1.5) / 2], atol=1e-15)


@pytest.mark.parametrize(("rate_of", "method", "rows"), [("mean_log", "rows", 512), ("log_mean", "rows", 512), ("log_median", "box", 4096)])
def test_the_right_window_is_supported_and_a_wrong_one_refuted(rate_of, method, rows):
    x = norms(rows)
    own = _stats.own_slope(GRID**-0.5, GRID)
    e = rate(x, (own - 0.15, own + 0.15), rate_of, method)
    assert (e.verdict, e.asymptotic, e.final) == (Verdict.SUPPORTED, method == "rows", True)
    assert own - 0.15 <= e.low <= e.estimate <= e.high <= own + 0.15
    assert e.num_replicates in _stats.looks(rows)
    assert e.slack == pytest.approx(0.15 / max(abs(e.low - own), abs(e.high - own)))
    wrong = rate(x, (-1.15, -0.85), rate_of, method)
    assert (wrong.verdict, wrong.asymptotic) == (Verdict.REFUTED, method == "rows")
    steep = rate(norms(rows, -1.0), (own - 0.15, own + 0.15), rate_of, method)  # data with a false slope
    assert steep.verdict is Verdict.REFUTED
    assert rate(x[:40], (own - 0.15, own + 0.15), rate_of, method, most=rows).verdict is Verdict.UNDECIDED


def test_a_box_on_bounded_means_is_finite_sample():
    x = (0.5 + np.random.default_rng(2).random((6000, 3))) * np.array([1.0, 0.5, 0.25])
    e = rate(x, (-1.3, -0.7), "log_mean", "box", grid=[1.0, 2.0, 4.0], support=(0.0, 1.5))
    assert (e.verdict, e.asymptotic, e.method) == (Verdict.SUPPORTED, False, "box")
    cells = [_stats.interval(x[: e.num_replicates, j], (0.0, 1.5), ALPHA / 3) for j in range(3)]
    low, high = np.log(np.array(cells)).T
    assert (e.low, e.high) == pytest.approx(_stats.slope_box(low, high, [1.0, 2.0, 4.0]))


@pytest.mark.parametrize("window", [(-math.inf, -0.3), (-0.7, math.inf)])
def test_a_one_sided_window_is_judged_on_its_finite_side(window):
    x = norms(512)
    assert rate(x, window).verdict is Verdict.SUPPORTED
    assert rate(x[:32], window, most=512).verdict is Verdict.UNDECIDED
    if window[0] == -math.inf:
        assert rate(norms(512, -2.0), window).verdict is Verdict.SUPPORTED  # faster never refutes
        assert rate(norms(512, 0.0), window).verdict is Verdict.REFUTED


def test_half_widths_of_rows_and_box_are_those_of_the_specification():
    # sqrt(chi^2_8 / n), four cells; one sample each, whose sd is known to about 1/sqrt(2 rows)
    for n, rows_half, box_half in ((64, 0.086, 0.186), (128, 0.053, 0.136), (512, 0.025, 0.062)):
        x = norms(n, seed=n)
        rows = rate(x, (-0.5001, -0.4999), "log_mean")
        assert (rows.high - rows.low) / 2 == pytest.approx(rows_half, rel=0.25)
        box = rate(x, (-0.5001, -0.4999), "log_median", "box")
        assert (box.high - box.low) / 2 == pytest.approx(box_half, rel=0.35)
        assert box.high - box.low > 1.5 * (rows.high - rows.low)


@settled
@hypothesis.given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(-5, 5), st.floats(0, 3)), min_size=3, max_size=7))
def test_the_box_is_the_extreme_corner_over_all_of_them(cells):
    grid, low, width = (np.array(column) for column in zip(*cells, strict=True))
    hypothesis.assume(len(np.unique(grid)) >= 3)
    c = _stats.slope_weights(grid)
    corners = [c @ np.where(corner, low + width, low) for corner in itertools.product((False, True), repeat=len(grid))]
    scale = np.abs(c).sum() * 10
    assert _stats.slope_box(low, low + width, grid) == pytest.approx((min(corners), max(corners)), abs=1e-12 * scale)


def test_a_box_with_an_open_end_is_open():
    low, high = np.array([-math.inf, -1.0, -2.0]), np.array([0.0, 0.0, -1.0])
    assert _stats.slope_box(low, high, [1.0, math.e, math.e**2])[1] == math.inf
    assert math.isfinite(_stats.slope_box(low, high, [1.0, math.e, math.e**2])[0])
    # the middle of a symmetric grid has weight 0: an infinite limit there does no harm
    open_middle = np.array([-1.0, -math.inf, -2.0])
    assert _stats.slope_box(open_middle, high, [1.0, math.e, math.e**2]) == pytest.approx((-1.0, 0.0))


def test_a_failed_entry_makes_a_slope_infinite_unless_the_range_is_finite_and_positive():
    x = norms(400)
    x[7, 0] = math.nan
    for rate_of in ("mean_log", "log_mean"):
        e = rate(x, (-0.65, -0.35), rate_of)
        assert (e.verdict, e.num_failed, e.low, e.high) == (Verdict.UNDECIDED, 1, -math.inf, math.inf)
        assert rate(x, (-0.65, -0.35), rate_of, support=(0.0, 10.0)).verdict is Verdict.UNDECIDED  # 0 has no logarithm
    x[7, 0] = 0.0  # a zero has none either
    assert rate(x, (-0.65, -0.35)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("rate_of", ["mean_log", "log_mean"])
@pytest.mark.parametrize("cell", [0, 3])
def test_a_failed_entry_in_a_finite_positive_range_is_judged_at_both_ends(rate_of, cell):
    ends = (0.05, 0.15)
    x = 0.05 + 0.1 * np.random.default_rng(3).random((800, 4))
    whole = rate(x, (-0.0001, 0.0001), rate_of, support=ends)
    lost = x.copy()
    lost[7, cell] = math.nan
    e = rate(lost, (-0.0001, 0.0001), rate_of, support=ends)
    assert e.num_failed == 1
    limits = []
    for end in ends:
        y = x.copy()
        y[7, cell] = end
        limits.append(rate(y, (-0.0001, 0.0001), rate_of, support=ends))
    assert (e.low, e.high) == pytest.approx((min(f.low for f in limits), max(f.high for f in limits)), rel=1e-12)
    assert e.low < whole.low < whole.high < e.high
    decided = rate(lost, (-0.2, 0.2), rate_of, support=ends)
    assert decided.verdict is Verdict.SUPPORTED
    assert decided.num_replicates >= 100  # one failure in fewer rows is more than 1 %


def test_more_than_one_per_cent_of_failed_rows_blocks_a_slope():
    x = norms(400)
    x[:5, 1] = math.nan
    e = rate(x, (-0.65, -0.35), support=(1e-6, 1.0))
    assert (e.verdict, e.final, e.num_failed) == (Verdict.UNDECIDED, True, 5)
    assert e.reason == "5 of 5 rows failed: 0, 1, 2, 3, 4"  # 1 % of the 400 allowed is exceeded there


def test_a_mean_that_is_not_positive_has_no_logarithm():
    x = norms(100)
    x[:, 2] -= 1
    with pytest.raises(ValueError, match="log of a non-positive mean"):
        rate(x, (-0.65, -0.35), "log_mean")
    assert rate(x, (-0.65, -0.35), "mean_log").verdict is Verdict.UNDECIDED  # every such row failed


# --- quantiles ---------------------------------------------------------------------------------------------------


def test_ranks_of_the_median_interval():
    for n, ranks in ((22, None), (23, (1, 23)), (200, (60, 141)), (1000, (407, 594))):
        x = np.random.default_rng(4).permutation(np.arange(1.0, n + 1))
        assert _stats.quantile_interval(x, 0.5, ALPHA) == (ranks or LINE)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_quantile_interval_agrees_with_the_bernoulli_judge_on_every_rank(p):
    n = 160
    x = np.arange(float(n))
    low, high = _stats.quantile_interval(x, p, ALPHA)
    for m in x:  # q <= m iff P(x <= m) >= p; q >= m iff P(x < m) <= p
        share_low, share_high = _stats.interval((x <= m).astype(float), UNIT, ALPHA)
        assert (high <= m) == (share_low >= p)
        assert (low > m) == (share_high < p)
    assert low < high
    mirrored = _stats.quantile_interval(-x, 1 - p, ALPHA)
    assert mirrored == (-high, -low)


@pytest.mark.parametrize(("bound", "word"), [(1.1, Verdict.SUPPORTED), (0.4, Verdict.REFUTED), (math.log(2), Verdict.UNDECIDED)])
def test_a_quantile_is_judged_as_its_indicator(bound, word):
    x = np.random.default_rng(5).exponential(size=800)  # median .693, no range declared
    e = _stats.judge(x, relation=Relation.UPPER, bound=bound, support=LINE, method="quantile", max_replicates=800)
    assert (e.verdict, e.asymptotic) == (word, False)
    indicator = _stats.first_decision((x <= bound).astype(float), Relation.LOWER, 0.5, UNIT, ALPHA)
    assert indicator == (e.verdict, e.num_replicates)
    assert (e.low, e.high) == _stats.quantile_interval(x[: e.num_replicates], 0.5, ALPHA)
    assert _stats.verdict(Relation.UPPER, e.low, e.high, bound) is word
    mirrored = _stats.judge(-x, relation=Relation.LOWER, bound=-bound, support=LINE, method="quantile", max_replicates=800)
    assert (mirrored.verdict, mirrored.num_replicates) == (e.verdict, e.num_replicates)


def test_a_median_is_equal_within_its_margin():
    x = np.random.default_rng(6).normal(size=2000)
    e = _stats.judge(x, relation=Relation.EQUAL, bound=0.0, margin=0.4, support=LINE, method="quantile", max_replicates=2000)
    assert e.verdict is Verdict.SUPPORTED
    assert -0.4 <= e.low < e.high <= 0.4
    e = _stats.judge(x, relation=Relation.EQUAL, bound=1.0, margin=0.4, support=LINE, method="quantile", max_replicates=2000)
    assert e.verdict is Verdict.REFUTED


def test_ties_and_infinite_entries_are_allowed_in_quantiles():
    x = np.concatenate([np.full(90, 1.0), np.full(20, 2.0), np.full(90, math.inf)])
    assert _stats.quantile_interval(x, 0.5, ALPHA) == (1.0, math.inf)
    assert _stats.quantile_interval(-x, 0.5, ALPHA) == (-math.inf, -1.0)
    assert _stats.quantile_interval(np.full(40, 3.0), 0.5, ALPHA) == (3.0, 3.0)


def test_a_failed_replicate_widens_a_quantile_interval_on_both_sides():
    x = np.arange(200.0)
    lost = x.copy()
    lost[[100, 101]] = math.nan
    low, high = _stats.quantile_interval(lost, 0.5, ALPHA)
    assert low == _stats.quantile_interval(np.where(np.isnan(lost), -math.inf, x), 0.5, ALPHA)[0]
    assert high == _stats.quantile_interval(np.where(np.isnan(lost), math.inf, x), 0.5, ALPHA)[1]
    assert low < 59 < 140 < high
    one = np.zeros(200)
    one[3] = math.nan
    e = _stats.judge(one, relation=Relation.UPPER, bound=1.0, support=LINE, method="quantile", max_replicates=200)
    assert (e.verdict, e.num_replicates, e.num_failed) == (Verdict.SUPPORTED, 100, 1)


# --- exact -------------------------------------------------------------------------------------------------------


def exact(statistics, bounds, residual="identity", tolerance=1e-9):
    return _stats.judge_exact(np.array(statistics, dtype=float), np.array(bounds, dtype=float), residual=residual, tolerance=tolerance)


def test_identities_hold_to_their_tolerance():
    e, worst = exact([1.0, 200.0], [1.0, 200.0 * (1 + 5e-10)])
    assert (e.verdict, worst, e.method, e.level) == (Verdict.SUPPORTED, 1, "exact", 0.0)
    assert e.low == e.high == pytest.approx(5e-10, rel=1e-5)
    assert e.slack == pytest.approx(2, rel=1e-5)  # tolerance / worst
    e, worst = exact([1.0, 1 + 3e-9, 0.5], [1.0, 1.0, 0.5])
    assert (e.verdict, worst) == (Verdict.REFUTED, 1)
    assert e.slack == pytest.approx(1 / 3, rel=1e-5)
    assert exact([1e-12], [2e-12])[0].verdict is Verdict.SUPPORTED  # max(1, |rhs|)
    assert exact([1.0], [1.5], tolerance=0.5)[0].verdict is Verdict.SUPPORTED  # residual 1/3, not above the tolerance
    assert exact([1.0], [0.5], tolerance=0.5)[0].verdict is Verdict.SUPPORTED  # equal to it


@pytest.mark.parametrize("residual", ["upper", "log_upper"])
def test_inequalities_are_relative_so_that_a_tiny_tail_can_fail(residual):
    assert exact([1e-22], [1e-22], residual)[0].verdict is Verdict.SUPPORTED
    assert exact([0.9e-22], [1e-22], residual)[0].verdict is Verdict.SUPPORTED
    e, _ = exact([1.1e-22], [1e-22], residual)
    assert e.verdict is Verdict.REFUTED
    assert e.low == pytest.approx(math.log(1.1) if residual == "log_upper" else 0.1)
    lower = residual.replace("upper", "lower")
    assert exact([1.1e-22], [1e-22], lower)[0].verdict is Verdict.SUPPORTED
    assert exact([0.9e-22], [1e-22], lower)[0].verdict is Verdict.REFUTED
    assert exact([0.0], [1e-22], residual)[0].verdict is Verdict.SUPPORTED
    assert exact([1e-300], [0.0], residual)[0].verdict is Verdict.REFUTED


@pytest.mark.parametrize("residual", ["identity", "upper", "log_upper"])
def test_an_infinite_loss_is_a_violation(residual):
    e, worst = exact([1.0, math.inf], [1.0, 1.0], residual)
    assert (e.verdict, worst, e.low) == (Verdict.REFUTED, 1, math.inf)


def test_nan_is_undecided_even_when_another_case_is_violated_and_both_are_said():
    e, worst = exact([1.0, math.nan, 2.0], [1.0, 1.0, 2.0])
    assert (e.verdict, worst) == (Verdict.UNDECIDED, 1)
    assert "nan" in e.reason
    assert "violated" not in e.reason
    e, worst = exact([5.0, math.nan, 2.0], [1.0, 1.0, 2.0])
    assert (e.verdict, worst) == (Verdict.UNDECIDED, 1)
    assert "nan" in e.reason
    assert "violated" in e.reason


def test_no_case_inside_the_assumptions_is_not_supported():
    assert exact([], [])[0].verdict is Verdict.UNDECIDED
    e, _ = exact([1.0, 2.0], [math.nan, math.nan])
    assert e.verdict is Verdict.UNDECIDED
    e, worst = exact([9.0, 2.0], [math.nan, 2.0])  # a nan bound: not counted
    assert (e.verdict, e.num_replicates, worst) == (Verdict.SUPPORTED, 1, 1)


# --- plans of other relations, and no bound at all ----------------------------------------------------------------


def plan(relation, mean, sd, bound, support, method, most, **options):
    return _stats.plan(relation=relation, mean=mean, sd=sd, bound=bound, support=support, method=method, max_replicates=most, **options)


def test_plans_of_equality_rates_and_quantiles():
    # a mean on the bound is never decided
    assert plan(Relation.UPPER, 0.05, 0.2, 0.05, UNIT, "capital", 10**6) == _stats.Plan(math.inf, math.inf, 1.0)
    # EQUAL: the later of two prices, and at most the sum of their probabilities
    both = plan(Relation.EQUAL, 0.25, 0.4, 0.25, UNIT, "capital", 4000, margin=0.05)
    sides = [
        plan(Relation.LOWER, 0.25, 0.4, 0.2, UNIT, "capital", 4000),
        plan(Relation.UPPER, 0.25, 0.4, 0.3, UNIT, "capital", 4000),
    ]
    assert both.median == max(s.median for s in sides)
    assert both.p999 == max(s.p999 for s in sides)
    assert both.p_undecided == pytest.approx(min(1, sum(s.p_undecided for s in sides)))
    # RATE: the t-mixture on the row slope
    slope = plan(Relation.RATE, -0.5, 0.3, math.nan, LINE, "rows", 400, margin=(-0.6, -0.4))
    assert (slope.median, slope.p999) == (_stats.plan_t(0.1, 0.3, 0, ALPHA, 400).median, _stats.plan_t(0.1, 0.3, 0, ALPHA, 400).p999)
    # a quantile: Bernoulli with p = F(bound); F(1.645) = .95 against a half
    median = plan(Relation.UPPER, 0.0, 1.0, 1.6448536269514722, LINE, "quantile", 100)
    ones = plan(Relation.LOWER, 0.95, math.sqrt(0.95 * 0.05), 0.5, UNIT, "capital", 100)
    assert (median.median, median.p999) == pytest.approx((ones.median, ones.p999), abs=1)


def test_a_t_plan_under_its_guard_is_undecided():
    assert _stats.plan_t(0.1, 0.5, 2.0, ALPHA, 1599).p_undecided == 1
    assert _stats.plan_t(0.1, 0.5, 2.0, ALPHA, 1600).p_undecided == pytest.approx(0.5, abs=0.05)  # every other sample is too skewed
    assert _stats.plan_t(0.1, 0.5, 2.0, ALPHA, 2100).p_undecided < 1e-3
    assert _stats.plan_t(10.0, 0.5, 0.0, ALPHA, 63).p_undecided == 1
    early = _stats.plan_t(10.0, 0.5, 0.0, ALPHA, 64)
    assert (early.median, early.p999) == (64, 64)
    assert _stats.plan_t(0.0, 0.5, 0.0, ALPHA, 64).p_undecided == 1


@pytest.mark.parametrize("n", [64, 96, 160, 256])
def test_a_plan_knows_how_often_a_normal_sample_is_too_skewed_for_the_guard(n):
    """4,000 samples: the share may miss the plan by 4.4 sd (1e-5), and by a fifth of it for the plan's normal approximation."""
    x = np.random.default_rng(n).normal(size=(4000, n))
    share = np.mean([_intervals.skewness(row) ** 2 > n / 400 for row in x])
    planned = _stats.plan_t(100.0, 0.5, 0.0, ALPHA, n).p_undecided
    assert abs(share - planned) < 0.2 * planned + 4.4 * math.sqrt(max(planned, 1e-3) / 4000)


def test_without_a_bound_there_is_an_interval_and_no_verdict():
    x = np.random.default_rng(7).random(300)
    e = _stats.judge_none(x, support=UNIT, method="capital", alpha=_stats.ALPHA_USER)
    assert (e.verdict, e.level, e.num_replicates) == (Verdict.UNTESTED, 1e-3, 300)
    assert (e.low, e.high) == pytest.approx(_stats.interval(x, UNIT, 1e-3))
    assert e.estimate == pytest.approx(x.mean())


def test_a_tail_far_below_its_bound_has_a_finite_slack():
    e, _ = _stats.judge_exact(np.array([1e-320]), np.array([0.05]), residual="log_upper", tolerance=1e-9)
    assert e.verdict is Verdict.SUPPORTED
    assert 1e300 < e.slack < math.inf
