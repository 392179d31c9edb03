"""Claims on generalization: exact thresholds, the PAC bound, dimension, scenario heads, samples, indirect observation."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.invariance import _bounds

__all__ = ["CLAIMS"]

_NONE = math.nan
_IID = Assumption("A1", "training and unseen interventions are independent draws of one family on the same sites", lambda: True)
_DENSITY = Assumption("A2", "the family is analytic in parameters that have a density (no discrete draws)", lambda: True)


def _derived(name, relation, formula, falsifiers, units, assumptions=(_IID,), **more):
    return Check(
        name=name, relation=relation, provenance=Provenance.DERIVED, formula=formula, falsifiers=falsifiers, units=units,
        assumptions=assumptions, **more,
    )  # fmt: skip


# --- exact invariance --------------------------------------------------------------------------------------------------

# (K, q) -> (R, N_eff) of the restricted graphs of sims/invariance under soft_add, whatever d; tests recompute them
RANKS = {(1, 1): (3, 3), (1, 2): (4, 4), (2, 2): (5, 10)}


def threshold(K, q):
    """Middle of the zone between R - 1, where a null representation exists, and N_eff, where the span is complete."""
    R, n_eff = RANKS.get((K, q), (_NONE, _NONE))
    return (R - 1 + n_eff) / 2


def _zone(K, q):
    R, n_eff = RANKS.get((K, q), (_NONE, _NONE))
    return (n_eff - R + 1) / 2 - 0.25


_EXACT = Claim(
    id="invariance.thm.exact",
    source="derived here; an instance of the abstract's statement with eps = 0",
    statement="From n = N_eff generic interventions on, N_eff the dimension of the family's (Sigma_e, r_e), every (V, beta) that is "
    "exactly "
    "invariant on training is exactly invariant on EVERY intervention of the family, almost surely; with L2, n = N_lin is enough "
    "whatever the number of covariates. The threshold is sharp: it lies in [R, N_eff], R the dimension of the r_e, and is no 1/n tail.",
    checks=(
        _derived(
            "span",
            Relation.EXACT,
            "residual of unseen (Sigma_e, r_e), of unit norm, on the span of N_eff training ones <= 1e-7",
            (Falsifier(name="one-fewer", breaks="N_eff - 1 interventions are claimed to be enough", kind="world"),),
            "norm",
            (_IID, _DENSITY),
            bound=lambda: 1e-7,
            method="exact",
            residual="upper",
        ),
        _derived(
            "phase",
            Relation.PHASE,
            "no exactly invariant one-dimensional representation fails on half of the unseen: rare at n = R - 1, common at n = N_eff",
            (
                Falsifier(
                    name="later",
                    breaks="the threshold is put above N_eff + 1",
                    kind="bound",
                    bound=lambda K, q: threshold(K, q) + _zone(K, q) + 2.5,
                    margin=1.0,
                    where=lambda n, K, q: n == RANKS[K, q][1],
                ),
                Falsifier(
                    name="earlier",
                    breaks="the threshold is put below R - 2",
                    kind="bound",
                    bound=lambda K, q: threshold(K, q) - _zone(K, q) - 2.5,
                    margin=1.0,
                    where=lambda n, K, q: n == RANKS[K, q][0] - 1,
                ),
            ),
            "share of draws",
            (_IID, _DENSITY),
            bound=threshold,
            margin=_zone,
            grid="n",
        ),
    ),
)

_LOWER = Claim(
    id="invariance.thm.lower",
    source="derived here",
    statement="With n < R interventions there is a u orthogonal to all training r_e and not to the others: V = span u, beta = "
    "0 is exactly "
    "invariant on training, and its failure rate on unseen interventions tends to 1 as eps tends to 0.",
    checks=(
        _derived(
            "null",
            Relation.LOWER,
            "E F >= .9 for the null representation at n = R - 1, eps = 1e-3",
            (Falsifier(name="one-more", breaks="the same is claimed at n = R", kind="world"),),
            "failure rate on unseen interventions",
            (_IID, _DENSITY),
            bound=lambda: 0.9,
        ),
    ),
)

# --- PAC ---------------------------------------------------------------------------------------------------------------

_PAC = Claim(
    id="invariance.thm.pac",
    source="derived here; the abstract's statement with explicit constants, which are not the authors'",
    statement="For any law of interventions on the sites, with probability at least 1 - delta over n of them, all (Phi, w) at once: "
    "if every training "
    "gap is at most eps, the gap of a new intervention exceeds eps with probability at most rho = (2/n)(log2 Pi(2n) + log2(2/delta)), "
    "log2 Pi(2n) = v log2(2en/v), v from L4 free of the number of covariates; eps may be chosen after the data. For the predictor "
    "gap v = N2.",
    checks=(
        _derived(
            "tail",
            Relation.TAIL,
            "P(an adversarial (V, beta) fails on more than rho(n, v, delta)) <= delta",
            (
                Falsifier(name="an-eightieth", breaks="rho/80 is claimed", kind="world"),
                Falsifier(
                    name="out-of-law", breaks="new interventions are four times as large as those of training: another law", kind="world"
                ),
                Falsifier(
                    name="no-capacity",
                    breaks="ln(1/delta)/n is claimed, right for ONE representation fixed in advance; null adversary, d = 12, q = 4, n = 5",
                    kind="world",
                ),
            ),
            "probability",
            bound=lambda delta: delta,
        ),
    ),
)

_DIMFREE = Claim(
    id="invariance.thm.dimfree",
    source="abstract of the arXiv version of August 2022, absent from the abstract of ICML 2023; the margin is ours",
    statement="The number of interventions that are needed does not grow with the number of covariates d when the sites are a fixed "
    "set of bounded "
    "in-degree; it does when all nodes are sites. Proved here is one bound free of d; that the failure itself stays flat is measured, "
    "on nested graphs, with the adversary's failure as a lower bound of the worst one.",
    checks=(
        _derived(
            "growth",
            Relation.UPPER,
            "E F(d) - F(6) <= 1/4 at n = 20, eps = .1, fixed sites",
            (Falsifier(name="all-sites", breaks="every node that has a parent is a site", kind="world"),),
            "difference of failure rates",
            bound=lambda: 0.25,
            trivial=lambda: 1.0,
        ),
    ),
)

_FIXED = Claim(
    id="invariance.law.fixed",
    source="derived here (exchangeability)",
    statement="For ONE representation fixed in advance and eps = max_i G_{e_i} the failure rate has the law Beta(1, n), whatever "
    "the family: E F = 1/(n+1). "
    "So random representations agree with any bound, and only adversaries can refute one.",
    checks=(
        _derived(
            "mean",
            Relation.EQUAL,
            "P(G of a new environment > max of n) = 1/(n + 1), within 20 %",
            (Falsifier(name="second-largest", breaks="eps is the second largest training gap", kind="world"),),
            "probability",
            bound=lambda n: _bounds.fixed_law(n)[0],
            margin=lambda n: 0.2 * _bounds.fixed_law(n)[0],
        ),
    ),
)


def _k(subset):
    return subset.count("+") + 1


_SCENARIO = Claim(
    id="invariance.scenario",
    source="derived here from scenario theory",
    statement="The head with the least worst max-norm gap on k fixed covariates, learned on n interventions, fails on a new one "
    "with probability at "
    "most (k+1)/(n+1) in the mean, and F > rho with probability at most P(Bin(n, rho) <= k). The mean is attained: a minimax "
    "fit has k + 1 "
    "supporting environments unless two active rows share one. It covers heads on coordinate subsets, not arbitrary Phi.",
    checks=(
        _derived(
            "mean",
            Relation.EQUAL,
            "E F = (k + 1)/(n + 1), within 20 %",
            (
                Falsifier(
                    name="k",
                    breaks="k/(n + 1) is claimed",
                    kind="bound",
                    bound=lambda subset, n: _k(subset) / (n + 1),
                ),
                Falsifier(
                    name="k-plus-2",
                    breaks="(k + 2)/(n + 1) is claimed",
                    kind="bound",
                    bound=lambda subset, n: (_k(subset) + 2) / (n + 1),
                ),
            ),
            "failure rate on unseen interventions",
            bound=lambda subset, n: _bounds.scenario_mean(n, _k(subset)),
            margin=lambda subset, n: 0.2 * _bounds.scenario_mean(n, _k(subset)),
        ),
    ),
)

_SAMPLES = Claim(
    id="invariance.thm.samples",
    source="derived here; that the samples of each environment are characterised too is secondary",
    statement="With N samples in each of n environments, with probability at least 1 - 2 delta every (V, beta), ||beta|| <= b, with "
    "empirical gaps at "
    "most eps^ fails on at most rho of the new environments at eps^ + gamma, gamma = sqrt(1 + b^2) max_i ||M_i|| (2u + u^2). So N "
    "grows like "
    "(p + log(n/delta)) b^2 M^2/gamma^2: this part does scale with the ambient dimension. End to end it is L5, L6 and thm.pac.",
    checks=(
        _derived(
            "rate",
            Relation.RATE,
            "slope of ln E max_e ||M^_e - M_e||/||M_e|| in ln N: -1/2",
            (
                Falsifier(
                    name="one-over-N",
                    breaks="an error of order 1/N is claimed",
                    kind="bound",
                    margin=(-1.06, -0.93),
                ),
            ),
            "relative error of the moments",
            bound=lambda N: N**-0.5,
            margin=(-0.56, -0.43),
            method="rows",
            rate_of="log_mean",
            grid="N",
        ),
    ),
)

# --- indirect observation ----------------------------------------------------------------------------------------------


_INDIRECT = Claim(
    id="invariance.thm.indirect",
    source="derived here; the abstract's extension to indirect observation",
    statement="If x~ = A x is observed, gap(Phi~, w; A Sigma A^T, A r) = gap(Phi~ A, w; Sigma, r): the indirect class is part of "
    "the direct one, so N_lin, v and "
    "every bound stay; N_eff does not rise, and does not fall if A is injective; R falls to min(rows of A, R).",
    checks=(
        _derived(
            "identity",
            Relation.EXACT,
            "||gap(x~) - gap(x)||/||gap(x)|| = 0",
            (Falsifier(name="direct-r", breaks="r stands in place of A r", kind="world"),),
            "relative difference",
            bound=lambda: 0.0,
            method="exact",
            tolerance=1e-10,
        ),
        _derived(
            "rank",
            Relation.EXACT,
            "N_eff of x~ <= N_eff of x, with equality for injective A",
            (
                Falsifier(
                    name="one-less",
                    breaks="an injective A is claimed to lose a dimension",
                    kind="bound",
                    bound=lambda n_eff=_NONE: n_eff - 1,
                    where=lambda rows: rows >= 6,
                ),
            ),
            "dimensions",
            bound=lambda n_eff=_NONE: n_eff,
            method="exact",
            residual="upper",
        ),
        _derived(
            "injective",
            Relation.EXACT,
            "N_eff of x~ >= N_eff of x if A has at least as many rows as there are covariates",
            (
                Falsifier(
                    name="always",
                    breaks="it is claimed with fewer rows too",
                    kind="world",
                ),
            ),
            "dimensions",
            bound=lambda n_eff=_NONE: n_eff,
            method="exact",
            residual="lower",
        ),
        _derived(
            "target",
            Relation.EXACT,
            "R of x~ = min(rows of A, R)",
            (
                Falsifier(
                    name="unchanged",
                    breaks="R is claimed to stay",
                    kind="bound",
                    bound=lambda R=_NONE: R,
                    where=lambda rows: rows < 6,
                ),
            ),
            "dimensions",
            bound=lambda rows, R=_NONE: min(rows, R),
            method="exact",
        ),
    ),
)

# --- the authors' experiment -------------------------------------------------------------------------------------------


def _published(what):
    return lambda N, train, test: _bounds.published(N, train, test, what)[0]


def _margin(what):
    return lambda N, train, test: _bounds.published(N, train, test, what)[2]


_GRID = Assumption(
    "A1",
    "N and the combination are among those read off the notebook",
    lambda N, train, test: not math.isnan(_published("score")(N, train, test)),
)


def _code(name, relation, formula, falsifiers, units, provenance=Provenance.SUPPLEMENT, **more):
    return Check(
        name=name, relation=relation, provenance=provenance, formula=formula, falsifiers=falsifiers, units=units, **more
    )  # fmt: skip


_FIG = Claim(
    id="invariance.fig.main",
    source="the authors' released notebook and its stored output",
    statement="On the graph of seven nodes with sites {2, 3, 5}, m of 3..20 training interventions and N samples each, the subsets "
    "whose regressions "
    "agree within 2 % generalize to most new interventions of the same kind, while least squares on the pooled data passes none of 100 "
    "tests. Judged are the published means over m within 4.5 times the spread of such a mean.",
    checks=(
        _code(
            "score",
            Relation.EQUAL,
            "mean over m of the mean score of accepted subsets = the published one",
            (
                Falsifier(name="signed-target", breaks="the target's row keeps its signs under rademacher", kind="world"),
                Falsifier(name="loud-noise", breaks="the noise has sd .2 in place of .02", kind="world"),
            ),
            "tests passed of 100",
            bound=_published("score"),
            margin=_margin("score"),
            assumptions=(_GRID,),
        ),
        _code(
            "accepted",
            Relation.EQUAL,
            "mean over m of the number of accepted subsets (cut at twice the published one) = the published one",
            (Falsifier(name="centred", breaks="each environment is centred about its own mean", kind="world"),),
            "subsets of 63",
            bound=_published("accepted"),
            margin=_margin("accepted"),
            assumptions=(_GRID,),
        ),
        _code(
            "erm",
            Relation.UPPER,
            "share of hard tests that pooled least squares passes (published: 0 of 100) <= 1/10",
            (Falsifier(name="soft", breaks="the interventions are soft: nothing is singular", kind="world"),),
            "share of tests",
            bound=lambda: 0.1,
            trivial=lambda: 1.0,
        ),
    ),
)

_SCOPE = Claim(
    id="invariance.scope",
    source="the authors' released notebook; reading derived here",
    statement="Nothing is promised outside the family that was trained on. The notebook's rademacher test flips every edge: the "
    "subset {3}, accepted "
    "under hard interventions and right on all of them, passes none; Markov-blanket sets, accepted under soft ones, pass a quarter, "
    "when both "
    "signs of the edges into 6 survive.",
    checks=(
        _code(
            "rademacher",
            Relation.UPPER,
            "share of rademacher tests that {3} passes after hard training (stored output: none) <= 1/5",
            (Falsifier(name="hard-test", breaks="the tests are hard interventions, as in training", kind="world"),),
            "share of tests",
            bound=lambda: 0.2,
            trivial=lambda: 1.0,
        ),
        _code(
            "blanket",
            Relation.EQUAL,
            "share of rademacher tests that Markov-blanket sets pass after soft training = 1/4, within .05",
            (
                Falsifier(
                    name="one-sign",
                    breaks="only one of the two signs is claimed to matter: 1/2",
                    kind="bound",
                    bound=lambda: 0.5,
                ),
            ),
            "share of tests",
            provenance=Provenance.DERIVED,
            bound=lambda: 0.25,
            margin=0.05,
        ),
    ),
)

_POLYNOMIAL = Claim(
    id="invariance.note_polynomial",
    source="secondary: a digest of the ICML text",
    statement="In general, polynomially many interventions in the parameters of the problem suffice, with the paper's own constants.",
    checks=(
        Check(
            name="order",
            relation=Relation.RATE,
            provenance=Provenance.SECONDARY,
            formula="n = poly(parameters)",
            constants="hidden",
            untested="the theorem and its constants were not available, and no finite set of simulations refutes a polynomial of unknown "
            "degree; tested are the explicit v, the threshold in [R, N_eff] and that nothing grows with d",
        ),
    ),
)

CLAIMS = (_EXACT, _LOWER, _PAC, _DIMFREE, _FIXED, _SCENARIO, _SAMPLES, _INDIRECT, _FIG, _SCOPE, _POLYNOMIAL)
