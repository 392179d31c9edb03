"""Claims on several subspaces: Theorem 4, the number of optima, and the paper's figures."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.molrg import _clusters, _subspaces, _tails

__all__ = ["CLAIMS"]


def _counts(counts):
    return [int(N) for N in counts.split("+")]


def _failure(K, d, N_k):
    return _tails.thm4i_failure(d, [N_k] * K)


def _typical_bound(n, d, N_k, sigma_e):
    """The bound on err_k at the typical norm sigma_e sqrt(n N_k) of a cluster's noise."""
    return _tails.thm2i_bound(sigma_e * math.sqrt(n * N_k), N_k, d)


def _surely(n, K, d, N_k, sigma_e):
    """0 where the bound is no smaller than the largest err: any bases meet it, and the promise is empty."""
    return 0.0 if _typical_bound(n, d, N_k, sigma_e) >= _subspaces.error_cap(n, d) else 1.0


_ORTHOGONAL = Assumption("C1", "orthogonal subspaces of equal dimension, equal cluster sizes N_k >= d", lambda d, N_k: N_k >= d)

_THM4I = Claim(
    id="molrg.thm4i",
    source="Theorem 4 (i), as quoted in reviews and recalled, constants left open there; here with c1 = 6.27, c2 = infinity, a prediction: "
    "the step from PCA to clustering is the paper's and not proved here",
    statement="If all N_k >= d, some permutation has err_k <= 6.27 sqrt(sum of ||e_i||^2 in cluster k)/(sqrt(N_k) - sqrt(d-1)) for all k, "
    "with probability at least 1 - 2K^2/N - sum_k 2^{-(N_k-d+1)}. It promises nothing while 2K^2/N >= 1 or sum_k 2^{-(N_k-d+1)} >= 1.",
    checks=(
        Check(
            name="spectral",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(some err_k exceeds its bound) <= 2K^2/N + sum_k 2^{-(N_k-d+1)}, spectral start and K-subspaces",
            bound=_failure,
            trivial=_surely,
            assumptions=(_ORTHOGONAL,),
            falsifiers=(
                Falsifier(
                    name="c1-third",
                    breaks="c1 = 0.3",
                    kind="world",
                    # at d = 4, N_k = 6 the promise is .92: no violation rate of a bound can be much above it
                    where=lambda d, N_k: not (d == 4 and N_k == 6),
                ),
            ),
            units="probability",
        ),
    ),
)

_UNIQUE = Claim(
    id="molrg.thm4.unique",
    source="derived here; corrects the threshold N_k = d for two or more subspaces",
    statement="Without noise, generic subspaces, n > d, all N_k >= d and m clusters with N_k = d exactly: (md)!/((d!)^m m!) partitions "
    "maximise the SC energy. So for K, d >= 2 N_k = d does not determine the subspaces; all clusters but one need N_k >= d + 1.",
    checks=(
        Check(
            name="count",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="number of optimal partitions, by enumeration = (md)!/((d!)^m m!)",
            bound=lambda d, counts: float(_clusters.num_optimal_partitions(d, _counts(counts))),
            method="exact",
            assumptions=(Assumption("C2", "all N_k >= d, n > d, generic subspaces", lambda d, counts, n: min(_counts(counts)) >= d < n),),
            falsifiers=(
                Falsifier(
                    name="unique",
                    breaks="claims that N_k >= d makes the optimum unique",
                    kind="bound",
                    bound=lambda: 1.0,
                    where=lambda d, counts: _counts(counts).count(d) >= 2,
                ),
            ),
            units="partitions",
        ),
    ),
)

_THM4II = Claim(
    id="molrg.thm4ii",
    source="Theorem 4 (ii), as quoted in reviews; existential. Checked without noise, where it has no constants; derived here",
    statement="If some N_k < d, some optimum of subspace clustering has, for any permutation, an err of at least sqrt(2 min(d-N_k, n-d)).",
    checks=(
        Check(
            name="worst",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="least over permutations of the largest err, true partition with the worst completion >= sqrt(2 min(d-N_k, n-d))",
            bound=lambda n, d, deficient=None: math.nan if deficient is None else _subspaces.thm2ii_sharp(n, d, deficient),
            method="exact",
            residual="lower",
            assumptions=(
                Assumption("C3", "orthogonal subspaces, no noise, exactly one N_k < d", lambda d, counts: _counts(counts)[0] < d),
            ),
            falsifiers=(Falsifier(name="best", breaks="the completion is the best one: err 0", kind="world"),),
            units="err",
        ),
    ),
)

_FIG4 = Claim(
    id="molrg.fig4",
    source="Figure 4, as described in reviews: n = 48, success against d and N; 20 trials and success at err <= .5 are recalled",
    statement="PCA of N noiseless samples recovers the subspace from N = d on and not before.",
    checks=(
        Check(
            name="pca",
            relation=Relation.PHASE,
            provenance=Provenance.RECALLED,
            formula="P(err <= .5) <= 1/4 for N < d, >= 3/4 for N >= d",
            bound=lambda d: d - 0.5,
            margin=0.4,
            grid="N",
            assumptions=(Assumption("C4", "no noise, generic completion", lambda sigma_e: sigma_e == 0),),
            falsifiers=(
                Falsifier(
                    name="twice", breaks="claims the threshold N = 2d", kind="bound", bound=lambda d: 2 * d - 0.5, where=lambda d, N: d <= N
                ),
                Falsifier(
                    name="half", breaks="claims the threshold N = d/2", kind="bound", bound=lambda d: d / 2 - 0.5, where=lambda d, N: d > N
                ),
            ),
            units="success",
        ),
    ),
)


def _figure(provenance, formula, reason):
    """A check that no simulation here can refute, or that is a picture without a verdict."""
    return (Check(name="figure", relation=Relation.ORDER, provenance=provenance, formula=formula, untested=reason),)


_FIG5A = Claim(
    id="molrg.fig5a",
    source="Figure 5 (a), as described in reviews: U-Net, transition near N_k/d = 60 (first version) or 50 (fifth)",
    statement="The passage of a trained network from memorising to generalising is governed by N_k/d_k.",
    checks=_figure(
        Provenance.SECONDARY,
        "scores at equal N_k/d agree better than at equal N_k",
        "one to five training runs a cell: figure molrg.transition, with an MLP, no verdict",
    ),
)

_FIG5B = Claim(
    id="molrg.fig5b",
    source="Figure 5 (b) of the fifth version, as described in reviews",
    statement="On real images networks generalise from about 630 samples per intrinsic dimension on.",
    checks=_figure(
        Provenance.SECONDARY,
        "threshold near 630 samples per intrinsic dimension",
        "needs image data sets and pretrained image models",
    ),
)

_DIGITS = Claim(
    id="molrg.digits",
    source="derived here",
    statement="On handwritten digits the residual of a rank-8 fit falls smoothly in N: no jump at N = d.",
    checks=_figure(
        Provenance.DERIVED,
        "held-out residual of a class-wise rank-8 fit against N",
        "one data set, no sampling law: figure molrg.digits (needs scikit-learn), no verdict",
    ),
)

CLAIMS = (_THM4I, _UNIQUE, _THM4II, _FIG4, _FIG5A, _FIG5B, _DIGITS)
