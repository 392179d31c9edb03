"""Claims on the structure of the setting: spread, balls around the base, conditioning, the planted task.

Nothing here is printed in the paper in this form: what is not a standard result is an explicit version derived here (proof
sketches in _planted.py and _balls.py).
"""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.verification import _balls, _planted
from theory.verification._planted import GOLD_LENGTH, VOCABULARY

__all__ = ["CLAIMS"]

_DERIVED = "derived here"
_RECALLED = "derived here; the definition is recalled from the paper's section 2"


def _base(base):
    return _planted.base_of(base)


# --- lem1 --------------------------------------------------------------------------------------------------


def _reward_law(base, H, V, k):
    return range(H + 1), _planted.mixture_pmf(*_base(base), V, k, H)


def _mean(base, H, V=VOCABULARY, k=GOLD_LENGTH):
    return _planted.mean_var(*_reward_law(base, H, V, k))[0]


def _variance(base, H, V=VOCABULARY, k=GOLD_LENGTH):
    return _planted.mean_var(*_reward_law(base, H, V, k))[1]


def _var_q_sum(base, H, V=VOCABULARY, k=GOLD_LENGTH):
    return _planted.mixture_var_q_sum(*_base(base), V, k, H)


def _without_style(base, H, V=VOCABULARY, k=GOLD_LENGTH):
    return _planted.mixture_var_q_sum(*_base(base), V, k, H, style_step=False)


def _mean_of_averaged_style(base, H, V=VOCABULARY, k=GOLD_LENGTH):
    gammas, weights = _base(base)
    average = math.fsum(g * w for g, w in zip(gammas, weights, strict=True))
    return _planted.mean_var(range(H + 1), _planted.planted_pmf(average, V, k, H))[0]


def _has_styles(base):
    return len(_base(base)[0]) > 1


_S3 = Assumption("A1", "tokens are drawn from the procedural base; the style is drawn once, before the first token", lambda: True)


_LEM1 = Claim(
    id="verification.lem1",
    source=_RECALLED,
    statement="The heterogeneity of a base policy, the sum over steps of the expected variance of Q over its own next action, is "
    "the variance of its reward: sigma_x^2 = Var(R | x), once the draw of the style counts as a step.",
    checks=(
        Check(
            name="variance",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="sum_h E Var_a Q_h = Var R",
            bound=_variance,
            method="exact",
            assumptions=(_S3,),
            falsifiers=(Falsifier(name="no-style-step", breaks="the step that draws the style is left out of the sum", kind="world"),),
            units="tokens^2",
        ),
        Check(
            name="sampled-mean",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="E R of sampled traces = mean of the exact law, within 5 %",
            bound=_mean,
            margin=lambda base, H, V=VOCABULARY, k=GOLD_LENGTH: 0.05 * _mean(base, H, V, k),
            assumptions=(_S3,),
            falsifiers=(
                Falsifier(
                    name="averaged-style",
                    breaks="one style of the mean strength stands for the mixture",
                    kind="bound",
                    bound=_mean_of_averaged_style,
                    where=_has_styles,
                ),
            ),
            units="tokens of reward R",
        ),
        Check(
            name="sampled-variance",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="E (R - mu)^2 of sampled traces = sum_h E Var_a Q_h, within 5 %",
            bound=_var_q_sum,
            margin=lambda base, H, V=VOCABULARY, k=GOLD_LENGTH: 0.05 * _var_q_sum(base, H, V, k),
            assumptions=(_S3,),
            falsifiers=(
                Falsifier(
                    name="no-style-step",
                    breaks="the step that draws the style is left out of the sum",
                    kind="bound",
                    bound=_without_style,
                    where=_has_styles,
                ),
            ),
            units="tokens^2",
        ),
    ),
)

# --- lem2, lem3 and their KL versions ----------------------------------------------------------------------

_ON_SUPPORT = Assumption("A1", "policies of the ball are absolutely continuous to the base", lambda: True)


_NO_LAW = math.nan  # a cell names a family of laws; what belongs to one law comes with its case


def _headroom(headroom=_NO_LAW):
    return headroom


def _no_gain():
    return 0.0


def _lem2_gain(kappa, sigma=_NO_LAW):
    return math.nan if math.isnan(sigma) else float(_balls.lem2_gain(sigma, kappa))


def _pinsker_gain(kappa, H=_NO_LAW):
    return math.nan if math.isnan(H) else float(_balls.kl_gain_pinsker(H, kappa))


def _bernstein_gain(kappa, sigma=_NO_LAW, headroom=_NO_LAW):
    return math.nan if math.isnan(sigma) else float(_balls.kl_gain_bernstein(sigma, headroom, kappa))


def _reached(reached=_NO_LAW):
    return reached


def _exact(name, formula, bound, residual, falsifiers, trivial=None, units="gain over the base's mean reward", **more):
    return Check(
        name=name, relation=Relation.EXACT, provenance=Provenance.DERIVED, formula=formula, bound=bound, trivial=trivial,
        method="exact", residual=residual, assumptions=(_ON_SUPPORT,), falsifiers=falsifiers, units=units, **more,
    )  # fmt: skip


_LEM2 = Claim(
    id="verification.lem2",
    source=_RECALLED,
    statement="Over the ball chi2(pi || pi_b) <= kappa the expected reward is at most mu + sigma sqrt(kappa), with equality iff "
    "sigma = 0 or sqrt(kappa) <= sigma/(mu - min R). The bound says nothing where it reaches max R.",
    checks=(
        _exact(
            "bound",
            "sup over the ball of E R - mu <= sigma sqrt(kappa)",
            _lem2_gain,
            "upper",
            (Falsifier(name="kl-ball", breaks="the ball is KL(pi || pi_b) <= kappa, of the same radius", kind="world"),),
            trivial=_headroom,
        ),
        _exact(
            "attained",
            "(sup over the ball of E R - mu)/sigma = sqrt(kappa) if sqrt(kappa) <= sigma/(mu - min R)",
            lambda kappa, attained=False: math.sqrt(kappa) if attained else math.nan,
            "identity",
            (
                Falsifier(
                    name="everywhere",
                    breaks="equality is claimed without the premise on kappa",
                    kind="bound",
                    bound=lambda kappa: math.sqrt(kappa),
                    where=lambda source, kappa: source in ("planted", "random") and kappa >= 0.5,
                ),
            ),
            units="gain over the base, in sigma",
        ),
    ),
)

_LEM2_KL = Claim(
    id="verification.lem2_kl",
    source=f"{_DERIVED} (Pinsker; Donsker and Varadhan with Bernstein's inequality)",
    statement="Over the ball KL(pi || pi_b) <= kappa the expected reward is at most mu + H sqrt(kappa/2), and at most "
    "mu + sigma sqrt(2 kappa) + (max R - mu) kappa/3; it is at least what the chi-square ball of radius e^kappa - 1 reaches. So the "
    "chi-square bound mu + sigma sqrt(kappa) does not transfer to a KL ball of the same radius.",
    checks=(
        _exact(
            "pinsker",
            "sup over the KL ball of E R - mu <= H sqrt(kappa/2)",
            _pinsker_gain,
            "upper",
            (
                Falsifier(
                    name="half",
                    breaks="H sqrt(kappa/8), half of the bound, is claimed",
                    kind="bound",
                    bound=lambda kappa, H=_NO_LAW: _pinsker_gain(kappa, H) / 2,
                    where=lambda kappa: kappa <= 0.5,
                ),
            ),
            trivial=_headroom,
        ),
        _exact(
            "bernstein",
            "sup over the KL ball of E R - mu <= sigma sqrt(2 kappa) + (max R - mu) kappa/3",
            _bernstein_gain,
            "upper",
            (
                Falsifier(
                    name="chi-square-bound",
                    breaks="sigma sqrt(kappa), lem2's bound for the chi-square ball, is claimed",
                    kind="bound",
                    bound=_lem2_gain,
                    where=lambda source, kappa: source in ("planted", "random") and kappa <= 0.5,
                ),
                Falsifier(
                    name="no-second-term",
                    breaks="sigma sqrt(2 kappa) alone is claimed",
                    kind="bound",
                    bound=lambda kappa, sigma=_NO_LAW: _lem2_gain(2 * kappa, sigma),
                    where=lambda source, kappa: source == "random" and kappa <= 0.5,
                ),
            ),
            trivial=_headroom,
        ),
        _exact(
            "contains",
            "sup over the KL ball of E R - mu >= sup over the chi-square ball of radius e^kappa - 1",
            lambda inner=_NO_LAW: inner,
            "lower",
            (
                Falsifier(
                    name="radius-doubled",
                    breaks="the chi-square ball of radius e^(2 kappa) - 1 is claimed to lie inside",
                    kind="bound",
                    bound=lambda inner_doubled=_NO_LAW: inner_doubled,
                    where=lambda source, kappa: source in ("planted", "random") and kappa <= 0.5,
                ),
            ),
            trivial=_no_gain,
        ),
    ),
)


def _if_heard(gain):
    """`gain` of the arguments where c > 0, which is where lem3 and lem3_kl promise something."""
    return lambda kappa, sigma=_NO_LAW, H=_NO_LAW, c=0.0: gain(kappa, sigma, H) if c > 0 else math.nan


_PRACTICALLY_SOLVED = 1e-4  # P(T > H) below which a base counts as always solving in `silence`


_LEM3 = Claim(
    id="verification.lem3",
    source=_RECALLED,
    statement="If c(kappa) = P(R >= mu + sigma sqrt(kappa)) > 0, keeping the top c(kappa) fraction of the base's traces earns at least "
    "mu + sigma sqrt(kappa), hence at least as much as any policy with chi2 <= kappa; and c(kappa) <= 1/(1 + kappa). But "
    "c(kappa) = 0 iff kappa > ((max R - mu)/sigma)^2, at most 2 at long horizons for every procedural base that always solves: there the "
    "theory is silent. With c* = P(R >= sup over the ball), never 0, in place of c(kappa) the first statement holds for every kappa.",
    checks=(
        _exact(
            "top-c",
            "top-c(kappa) value - mu >= sigma sqrt(kappa) if c(kappa) > 0",
            _if_heard(lambda kappa, sigma, H: _lem2_gain(kappa, sigma)),
            "lower",
            (
                Falsifier(name="margin-0", breaks="the traces with R >= mu are kept", kind="world"),
                Falsifier(name="half-margin", breaks="the traces with R >= mu + sigma sqrt(kappa)/2 are kept", kind="world"),
                Falsifier(name="twice-c", breaks="the top min(1, 2 c(kappa)) fraction is kept", kind="world"),
            ),
            trivial=_no_gain,
        ),
        _exact(
            "cantelli",
            "c(kappa) <= 1/(1 + kappa)",
            lambda kappa: float(_balls.cantelli_cap(kappa)),
            "log_upper",
            (
                Falsifier(
                    name="half-cap",
                    breaks="1/(1 + 2 kappa) is claimed",
                    kind="bound",
                    bound=lambda kappa: float(_balls.cantelli_cap(2 * kappa)),
                    where=lambda source: source == "two-point",
                ),
            ),
            trivial=lambda: 1.0,
            units="probability c(kappa)",
        ),
        _exact(
            "repaired",
            "top-c* value >= sup over the chi-square ball, c* = P(R >= that supremum) > 0 for every kappa",
            _reached,
            "lower",
            (Falsifier(name="twice-c", breaks="the top min(1, 2 c*) fraction is kept", kind="world"),),
            trivial=_no_gain,
        ),
        Check(
            name="silence",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="largest kappa with c(kappa) > 0, ((max R - mu)/sigma)^2, <= 2 at long horizons for bases that always solve",
            bound=lambda: 2.0,
            method="exact",
            residual="upper",
            assumptions=(
                Assumption(
                    "A2",
                    f"the base solves but for a share of at most {_PRACTICALLY_SOLVED}",
                    lambda base, H, V, k: _planted.unsolved(*_base(base), V, k, H) <= _PRACTICALLY_SOLVED,
                ),
            ),
            falsifiers=(
                Falsifier(name="short-horizon", breaks="H = k, where most of the base has not solved yet", kind="world"),
                Falsifier(
                    name="one",
                    breaks="silence from kappa = 1 on is claimed, for a base that waits as long for its first gold token as for its second",
                    kind="bound",
                    bound=lambda: 1.0,
                    where=lambda k, V: k == V == 2,
                ),
            ),
            units="kappa",
        ),
    ),
)

_LEM3_KL = Claim(
    id="verification.lem3_kl",
    source=f"{_DERIVED} (Pinsker, Hoeffding)",
    statement="If c_KL(kappa) = P(R >= mu + H sqrt(kappa/2)) > 0, keeping the top c_KL fraction of the base's traces earns at least "
    "mu + H sqrt(kappa/2), hence at least as much as any policy with KL <= kappa; and c_KL(kappa) <= e^-kappa. With "
    "c* = P(R >= sup over the KL ball), never 0, it holds for every kappa. The fraction made for the chi-square ball of the same radius "
    "does not serve.",
    checks=(
        _exact(
            "top-c",
            "top-c_KL(kappa) value - mu >= H sqrt(kappa/2) if c_KL(kappa) > 0",
            _if_heard(lambda kappa, sigma, H: _pinsker_gain(kappa, H)),
            "lower",
            (Falsifier(name="half-margin", breaks="the traces with R >= mu + H sqrt(kappa/8) are kept", kind="world"),),
            trivial=_no_gain,
        ),
        _exact(
            "hoeffding",
            "c_KL(kappa) <= e^-kappa",
            lambda kappa: float(_balls.hoeffding_cap(kappa)),
            "log_upper",
            (
                Falsifier(
                    name="twice-kappa",
                    breaks="e^(-2 kappa) is claimed",
                    kind="bound",
                    bound=lambda kappa: float(_balls.hoeffding_cap(2 * kappa)),
                    where=lambda source: source == "two-point",
                ),
            ),
            trivial=lambda: 1.0,
            units="probability c_KL(kappa)",
        ),
        _exact(
            "repaired",
            "top-c* value >= sup over the KL ball, c* = P(R >= that supremum) > 0 for every kappa",
            _reached,
            "lower",
            (
                Falsifier(name="twice-c", breaks="the top min(1, 2 c*) fraction is kept", kind="world"),
                Falsifier(name="chi-square-c", breaks="c* of the chi-square ball of the same radius is kept", kind="world"),
            ),
            trivial=_no_gain,
        ),
    ),
)

# --- lem4 --------------------------------------------------------------------------------------------------

_LEM4 = Claim(
    id="verification.lem4",
    source="classical (Erdős 1945); no other claim here uses it",
    statement="For independent uniform signs eps_i and |a_i| >= 1, every half-open interval of length 2 has mass at most "
    "C(m, floor(m/2)) 2^-m under sum a_i eps_i.",
    checks=(
        Check(
            name="mass",
            relation=Relation.EXACT,
            provenance=Provenance.STANDARD,
            formula="max_x P(x <= sum a_i eps_i < x + 2) <= C(m, floor(m/2)) 2^-m",
            bound=lambda m: _balls.erdos_bound(m),
            trivial=lambda: 1.0,
            method="exact",
            residual="log_upper",
            assumptions=(Assumption("A1", "|a_i| >= 1", lambda: True),),
            falsifiers=(Falsifier(name="closed-interval", breaks="both ends belong to the interval", kind="world"),),
            units="probability",
        ),
    ),
)

# --- the planted task --------------------------------------------------------------------------------------


def _slope_of_spread(base, V, k, H):
    """The slope of ln sigma that cap and floor leave far from H ~ sd(T): 0 beyond it, 1 before; nan between.

    H: the smallest of the three horizons H, 2H, 4H.
    """
    sd = _planted.spread_cap(*_base(base), V, k)
    return 0.0 if 10 * sd <= H else 1.0 if sd >= 40 * H else math.nan


def _cap(base, V, k):
    return _planted.spread_cap(*_base(base), V, k)


_EMP_HETERO = Claim(
    id="verification.emp_hetero",
    source="derived observation; Figures 7-8 of the paper are reported (secondary source) to measure the same of language models",
    statement="For a procedural base that solves with probability 1 the heterogeneity stays bounded: sigma_H <= sd(T), T the solving "
    "time, for every H. So sigma = Omega(H) needs a share of the base that does not solve within H: then sigma_H >= sqrt(s(1 - s)) "
    "E[R | solved], s = P(T <= H). The slope of ln sigma in ln H is 0 beyond sd(T) and 1 while a share never solves.",
    checks=(
        Check(
            name="slope",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="slope of ln sigma over H, 2H, 4H: 0 if sd(T) <= H/10, 1 if sd(T) >= 40 H; within .02",
            bound=_slope_of_spread,
            method="exact",
            tolerance=0.02,
            assumptions=(_S3,),
            falsifiers=(
                Falsifier(
                    name="linear",
                    breaks="sigma = Omega(H), slope 1, is claimed for a base that always solves",
                    kind="bound",
                    bound=lambda: 1.0,
                    where=lambda base: base in ("single", "two"),
                ),
            ),
            units="slope of ln sigma in ln H",
        ),
        Check(
            name="cap",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="sigma_H <= sd(T)",
            bound=_cap,
            trivial=lambda H, k: (H - k + 1) / 2,
            method="exact",
            residual="upper",
            assumptions=(_S3,),
            falsifiers=(
                Falsifier(
                    name="half",
                    breaks="sd(T)/2 is claimed",
                    kind="bound",
                    bound=lambda base, V, k: _cap(base, V, k) / 2,
                    where=lambda base: base != "dead",
                ),
            ),
            units="sigma, tokens",
        ),
        Check(
            name="floor",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="sigma_H >= sqrt(s(1 - s)) E[R | solved], s = P(T <= H)",
            bound=lambda base, V, k, H: _planted.spread_floor(*_base(base), V, k, H),
            trivial=_no_gain,
            method="exact",
            residual="lower",
            assumptions=(_S3,),
            falsifiers=(
                Falsifier(
                    name="no-unsolved-share",
                    breaks="sqrt(s) E[R | solved] is claimed, as if the share 1 - s did not matter",
                    kind="bound",
                    bound=lambda base, V, k, H: (
                        _planted.spread_floor(*_base(base), V, k, H) / math.sqrt(_planted.unsolved(*_base(base), V, k, H))
                    ),
                    where=lambda base: base == "dead",
                ),
            ),
            units="sigma, tokens",
        ),
    ),
)

_BON_VALUES = {  # P(solve) at equal tokens for N = 1, 2, 4(, 8), computed once by an independent program
    ("single", 32): (0.991, 0.986, 0.961),
    ("dead", 32): (0.50, 0.75, 0.93),
    ("dead", 128): (0.50, 0.75, 0.9375, 0.9961),
    ("log6", 32): (0.749, 0.868, 0.907),
    ("log6", 128): (0.894, 0.971, 0.996, 0.9997),
}


def _bon_value(base, H, num_traces=1):
    known = _BON_VALUES.get((base, H), ())
    place = int(math.log2(num_traces))
    return known[place] if place < len(known) else math.nan


def _fewer_traces(base, H, V, k, num_traces=2):
    return _planted.bon_failure(*_base(base), V, k, H, num_traces // 2)


_WITHOUT_VERIFIER = Falsifier(name="no-verifier", breaks="a random one of the N traces is handed in", kind="world")


def _bon(name, formula, residual, falsifiers, bound=_fewer_traces, tolerance=1e-9, units="P(no trace is solved)"):
    return Check(
        name=name, relation=Relation.EXACT, provenance=Provenance.DERIVED, formula=formula, bound=bound, method="exact",
        residual=residual, tolerance=tolerance, assumptions=(_S3,), falsifiers=falsifiers, units=units,
    )  # fmt: skip


_EMP_BON = Claim(
    id="verification.emp_bon",
    source=_DERIVED,
    statement="At equal tokens N verified traces of H/N tokens fail with probability (1 - F_{H/N})^N against 1 - F_H of one long trace. "
    "One long trace plateaus at the share of the base that solves. The heterogeneous bases two, log6 and dead gain from every doubling "
    "of N; the homogeneous single loses, as each trace pays its own gold length.",
    checks=(
        _bon(
            "parallel-helps",
            "(1 - F_{H/N})^N <= (1 - F_{2H/N})^{N/2}, N = 2, 4, .. for two, log6, dead",
            "log_upper",
            (_WITHOUT_VERIFIER,),
        ),
        _bon(
            "parallel-hurts",
            "(1 - F_{H/N})^N >= (1 - F_{2H/N})^{N/2}, N = 2, 4 for single at H = 32",
            "log_lower",
            (Falsifier(name="free-tokens", breaks="every trace gets k - 1 tokens that are not counted", kind="world"),),
        ),
        _bon(
            "values",
            "1 - (1 - F_{H/N})^N equals values computed independently, within .001",
            "identity",
            (_WITHOUT_VERIFIER,),
            bound=_bon_value,
            tolerance=1e-3,
            units="P(some trace is solved)",
        ),
    ),
)


def _note(reason):
    return Check(name="note", relation=Relation.LOWER, provenance=Provenance.RECALLED, formula="", untested=reason)


_NOTE_MINIMAX = Claim(
    id="verification.note_minimax",
    source="as recalled from the paper",
    statement="Any verifier-free algorithm has a hard instance on which its suboptimality exceeds that of a simple verifier-based one by "
    "a factor of order sqrt(H), up to logarithms.",
    checks=(
        _note(
            "existential and minimax: no finite set of instances can refute it, and logarithms of unknown size hide behind the order; "
            "the strongest evidence here is thm_vf_lb (an explicit instance, a bound for every learner) and thm_vb_tight, and thm_sep "
            "for the exponent"
        ),
    ),
)

_NOTE_LLM = Claim(
    id="verification.note_llm",
    source="as recalled from the paper",
    statement="On mathematics problems with 3B to 32B language models verifier-based finetuning beats verifier-free finetuning, and the "
    "gap widens with the test-time budget.",
    checks=(
        _note(
            "measurements on language models, out of reach of this package: no code was released, and nothing here trains such models; "
            "emp_planted shows the effect on a planted task"
        ),
    ),
)

CLAIMS = (_LEM1, _LEM2, _LEM2_KL, _LEM3, _LEM3_KL, _LEM4, _EMP_HETERO, _EMP_BON, _NOTE_MINIMAX, _NOTE_LLM)
