"""The Johnson-Lindenstrauss lemma with its constant, as Dasgupta and Gupta prove it and Achlioptas states it.

G is a k x d matrix of independent N(0, 1/k) entries; it is to keep lengths up to a factor 1 ± eps, 0 < eps < 1.

    norm_bound     Dasgupta-Gupta, Lemma 2.2: one vector, P(| |Gx|^2/|x|^2 - 1| >= eps)
    norm_exact     the same probability, exactly: |Gx|^2/|x|^2 has the law of chi^2_k / k
    pairs_bound    Achlioptas, Theorem 1.1: all pairs of n points at once
    pairs_rows     the number of rows k that theorem asks for
"""

from __future__ import annotations

import math

import numpy as np

from theory._claims import Assumption, Check, Claim, Falsifier, Paper, Provenance, Relation

__all__ = ["CLAIMS", "PAPER", "norm_bound", "norm_exact", "pairs_bound", "pairs_rows"]

PAPER = Paper(
    "jl",
    "The Johnson-Lindenstrauss lemma",
    "S. Dasgupta, A. Gupta, Random Structures & Algorithms 22 (2003); D. Achlioptas, J. Comput. Syst. Sci. 66 (2003).",
)


def _check_eps(eps):
    if not np.all((np.asarray(eps) > 0) & (np.asarray(eps) < 1)):
        raise ValueError(f"jl: eps must be inside (0, 1), got {eps}.")


def norm_bound(k, eps):
    """Lemma 2.2: P(| |Gx|^2/|x|^2 - 1| >= eps) <= 2 exp(-k (eps^2/2 - eps^3/3)/2) for every x, whatever d. Constants explicit."""
    _check_eps(eps)
    return 2 * np.exp(-k * (eps**2 / 2 - eps**3 / 3) / 2)


def norm_exact(k, eps):
    """P(chi^2_k outside k (1 ± eps)): what the lemma bounds."""
    from scipy import stats

    _check_eps(eps)
    return stats.chi2.sf(k * (1 + eps), k) + stats.chi2.cdf(k * (1 - eps), k)


def pairs_rows(n, eps, beta):
    """The k of Theorem 1.1: the least integer >= (4 + 2 beta) ln n / (eps^2/2 - eps^3/3)."""
    _check_eps(eps)
    return math.ceil((4 + 2 * beta) * math.log(n) / (eps**2 / 2 - eps**3 / 3))


def pairs_bound(n, beta):
    """Theorem 1.1: with that k all distances of n points are kept up to 1 ± eps (squared), but for probability n^-beta."""
    return float(n) ** -beta


def _variance_of_a_sum(k, eps):
    """The promise of one who takes the variance of a mean of k squares for 1/k, and it is 2/k."""
    return 2 * np.exp(-k * eps**2 / 2)


_SMALL_EPS = Assumption("A1", "0 < eps < 1", lambda eps: 0 < eps < 1)

CLAIMS = (
    Claim(
        id="jl.norm",
        source="Dasgupta-Gupta, Lemma 2.2",
        statement="A k x d matrix of independent N(0, 1/k) entries keeps the squared length of a vector up to a factor 1 ± eps, but for "
        "probability 2 exp(-k (eps^2/2 - eps^3/3)/2), whatever the dimension d.",
        checks=(
            Check(
                name="law",
                relation=Relation.EXACT,
                method="exact",
                provenance=Provenance.PAPER,
                formula="P(chi2_k outside k (1 ± eps)) <= 2 exp(-k (eps^2/2 - eps^3/3)/2)",
                units="probability",
                bound=norm_bound,
                trivial=lambda: 1.0,
                residual="log_upper",
                assumptions=(_SMALL_EPS,),
                falsifiers=(Falsifier("variance", "the variance of a squared normal taken for 1", "bound", bound=_variance_of_a_sum),),
            ),
            Check(
                name="drawn",
                relation=Relation.TAIL,
                provenance=Provenance.PAPER,
                formula="P(| |Gx|^2/|x|^2 - 1| >= eps) <= 2 exp(-k (eps^2/2 - eps^3/3)/2)",
                units="probability",
                bound=norm_bound,
                trivial=lambda: 1.0,
                assumptions=(_SMALL_EPS,),
                falsifiers=(
                    Falsifier(
                        "variance",
                        "the variance of a squared normal taken for 1",
                        "bound",
                        bound=_variance_of_a_sum,
                        where=lambda eps: eps >= 0.6,
                    ),
                    Falsifier("repeated-rows", "every row of G is counted eight times", "world"),
                ),
            ),
        ),
    ),
    Claim(
        id="jl.pairs",
        source="Achlioptas, Theorem 1.1",
        statement="(4 + 2 beta) ln n / (eps^2/2 - eps^3/3) rows keep all squared distances of n points up to 1 ± eps, but for probability "
        "n^-beta.",
        checks=(
            Check(
                name="all",
                relation=Relation.TAIL,
                provenance=Provenance.PAPER,
                formula="P(some squared distance of n points leaves 1 ± eps) <= n^-beta",
                units="probability",
                bound=pairs_bound,
                trivial=lambda: 1.0,
                assumptions=(_SMALL_EPS,),
                falsifiers=(Falsifier("quarter", "a quarter of the rows", "world"),),
            ),
        ),
    ),
)
