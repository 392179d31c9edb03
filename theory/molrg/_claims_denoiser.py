"""Claims on the mixture and its denoiser: Definition 1, Lemma 1, Theorems 1 and 3, distances of distributions, the sampler.

Definition 1, Lemma 1 and Theorems 1 and 3 were read in reviews that quote the paper's formulas; what is derived here says so.
"""

from __future__ import annotations

import math

import numpy as np

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.molrg import _denoiser, _sampler

__all__ = ["CLAIMS"]

_NO_VALUE = math.nan  # a cell names a family of instances; what belongs to one comes with its case

_MODEL = Assumption("A1", "x_0 ~ sum_k pi_k N(0, P_k), x_t = s x_0 + g eps", lambda: True)


def _equal(dims):
    return len(set(dims.split("+"))) == 1


_EQUAL_DIMS = Assumption("A2", "all components have the same dimension", _equal)


def _world(name, breaks, where=None):
    return Falsifier(name=name, breaks=breaks, kind="world", where=where)


def _difference(name, formula, falsifiers, provenance, assumptions=(_MODEL,), units="worst difference", **more):
    """A check that a closed form equals another computation of the same numbers: the largest difference is 0."""
    return Check(
        name=name, relation=Relation.EXACT, provenance=provenance, formula=formula, bound=lambda: 0.0, method="exact",
        assumptions=assumptions, falsifiers=falsifiers, units=units, **more,
    )  # fmt: skip


# --- def1 -----------------------------------------------------------------------------------------------------------

# Share of samples in which the largest of many deviations may exceed .02. One event for all 78 entries of a covariance: the entries of
# one sample are one replicate, and 78 decisions would say no more.
_FEW = 0.05


_DEF1 = Claim(
    id="molrg.def1",
    source="Definition 1 (mixture of low-rank Gaussians, MoLRG), as quoted in reviews",
    statement="Samples of the mixture have covariance sum_k pi_k P_k and label law pi, and those of component k span d_k dimensions.",
    checks=(
        Check(
            name="covariance",
            relation=Relation.TAIL,
            provenance=Provenance.SECONDARY,
            formula="P(some entry of the covariance of N samples is off by more than .02) <= 1/20",
            bound=lambda: _FEW,
            assumptions=(_MODEL, Assumption("A3", "N >= 100,000 samples", lambda N: N >= 100_000)),
            falsifiers=(
                _world("uniform-coefficients", "coefficients are uniform on (-1, 1)"),
                _world("uniform-labels", "labels are uniform, not drawn with pi"),
            ),
            units="probability",
        ),
        Check(
            name="labels",
            relation=Relation.TAIL,
            provenance=Provenance.SECONDARY,
            formula="P(some label frequency of N samples is off by more than .02) <= 1/20",
            bound=lambda: _FEW,
            assumptions=(_MODEL, Assumption("A3", "N >= 20,000 samples", lambda N: N >= 20_000)),
            falsifiers=(_world("uniform-labels", "labels are uniform, not drawn with pi"),),
            units="probability",
        ),
        Check(
            name="rank",
            relation=Relation.EXACT,
            provenance=Provenance.SECONDARY,
            formula="rank of the noiseless samples of one component = d",
            bound=lambda d: float(d),
            method="exact",
            assumptions=(_MODEL,),
            falsifiers=(_world("noise", "noise of sd 1e-6 in every coordinate"),),
            units="rank",
        ),
    ),
)

# --- lem1 -----------------------------------------------------------------------------------------------------------


def _moderate(g):
    return g >= 0.3  # at small noise the weights are one-hot and a wrong factor does not show


def _not_one(g):
    return abs(g - 1) > 0.2  # g for g^2 is invisible at g = 1


_LEM1 = Claim(
    id="molrg.lem1",
    source="Lemma 1, as quoted in reviews; equal dimensions",
    statement="The posterior mean of x_0 given x_t is s/(s^2+g^2) sum_k w_k U_k U_k^T x_t with w_k proportional to "
    "pi_k exp(phi ||U_k^T x_t||^2), phi = s^2/(2g^2(s^2+g^2)); the score is (s E[x_0|x_t] - x_t)/g^2.",
    checks=(
        _difference(
            "mean",
            "closed form = posterior mean of the dense mixture",
            (
                _world("phi-doubled", "phi without the 1/2", where=_moderate),
                _world("shrinkage", "s/(s^2 + g) for s/(s^2 + g^2)", where=_not_one),
            ),
            Provenance.SECONDARY,
            (_MODEL, _EQUAL_DIMS),
        ),
        _difference(
            "score",
            "(s E[x_0|x_t] - x_t)/g^2 = gradient of the dense log density",
            (_world("over-g", "divided by g, not by g^2", where=_not_one),),
            Provenance.DERIVED,
        ),
    ),
)

_LEM1_DET = Claim(
    id="molrg.lem1.det",
    source="derived here; corrects Lemma 1 as quoted for unequal dimensions",
    statement="For unequal dimensions the weights need the factor (g^2/(s^2+g^2))^{d_k/2}, the ratio of determinants of the component "
    "covariances. It cancels iff all d_k are equal.",
    checks=(
        _difference(
            "mean",
            "closed form with the factor = posterior mean of the dense mixture",
            (_world("no-factor", "the weights as quoted, without the factor", where=_moderate),),
            Provenance.DERIVED,
        ),
    ),
)

_LEM1_GEN = Claim(
    id="molrg.lem1.gen",
    source="Lemma 1 of the fifth version (means mu_k, covariances U_k Lambda_k U_k^T), as quoted in reviews; weights derived here",
    statement="With component laws N(mu_k, U_k Lambda_k U_k^T) the component mean is mu_k + U_k D_k U_k^T (x_t - s mu_k)/s, "
    "D_k = diag(s^2 l/(g^2 + s^2 l)), and weights are those of the densities N(s mu_k, s^2 U_k Lambda_k U_k^T + g^2 I).",
    checks=(
        _difference(
            "mean",
            "closed form = posterior mean of the dense mixture",
            (_world("no-means", "mu_k = 0 is assumed"), _world("unit-variances", "Lambda_k = I is assumed", where=_moderate)),
            Provenance.SECONDARY,
            tolerance=1e-8,
        ),
    ),
)

# --- thm1 -----------------------------------------------------------------------------------------------------------

_LEVELS = tuple((1 - 0.9 * t, t) for t in np.linspace(0.01, 0.99, 50))
_TRAIN_SHARE = 0.25  # of runs; "mostly", as the share itself is no part of the theorem


def _slope():
    return _denoiser.pca_slope(_LEVELS)


_TWICE = Assumption("A4", "N_k >= 2d: at N = d the smallest singular value makes training slow", lambda d, N_k: N_k >= 2 * d)

_THM1 = Claim(
    id="molrg.thm1",
    source="Theorem 1, as quoted in reviews; exact form of the loss derived here",
    statement="For one subspace the denoising loss of s/(s^2+g^2) U U^T x_t over orthonormal U is affine in the PCA energy, with slope "
    "-int lambda (2q - q^2): training is PCA.",
    checks=(
        _difference(
            "affine",
            "loss = ||X||^2 - (2q - q^2) ||U^T X||^2 + N d q (1 - q), mean over 50 noise levels",
            (_world("gaussian", "the basis is a Gaussian matrix: V V^T is no projector"),),
            Provenance.SECONDARY,
            (),
            units="worst relative difference",
        ),
        Check(
            name="slope",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="least-squares slope of the loss in the energy = -mean(2q - q^2)",
            bound=_slope,
            method="exact",
            falsifiers=(_world("scaled", "the basis is 1.2 U: still affine, with another slope"),),
            units="slope",
        ),
        Check(
            name="trained",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(projector distance of the trained denoiser to PCA > .001) <= 1/4, 1500 steps of Adam",
            bound=lambda: _TRAIN_SHARE,
            assumptions=(_TWICE,),
            falsifiers=(
                _world("short", "training stops after 300 steps"),
                _world("truth", "the distance is taken to the true subspace and not to PCA's"),
            ),
            units="share of runs",
        ),
    ),
)

_THM1_FREE = Claim(
    id="molrg.thm1.free",
    source="derived here (von Neumann's trace inequality)",
    statement="Without orthonormality the best V V^T of rank at most d has the same subspace, the top-d eigenvectors, with its "
    "eigenvalues shrunk to A l/(B l + A - B), A = int lambda q, B = int lambda q^2.",
    checks=(
        Check(
            name="minimum",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="least loss found numerically over V = tr C - sum_{j<=d} A^2 l_j^2/(B l_j + A - B)",
            bound=lambda least=_NO_VALUE: least,
            method="exact",
            tolerance=1e-8,
            falsifiers=(
                Falsifier(
                    name="hard", breaks="claims that the hard projection, m = 1, is best", kind="bound", bound=lambda hard=_NO_VALUE: hard
                ),
            ),
            units="loss per sample, less a constant",
        ),
    ),
)

# --- thm3 -----------------------------------------------------------------------------------------------------------

_THM3 = Claim(
    id="molrg.thm3",
    source="Theorem 3, as quoted in reviews: hard-max weights, equal dimensions",
    statement="With hard-max weights and equal dimensions the denoising loss of K subspaces is affine in the subspace-clustering energy "
    "sum_i max_k ||U_k^T x_i||^2, with slope -int lambda (2q - q^2): training is subspace clustering.",
    checks=(
        _difference(
            "affine",
            "loss = const - (sum of 2q - q^2) SC energy over 30 noise levels",
            (_world("unequal", "dimensions are 2 and 6"),),
            Provenance.SECONDARY,
            (_EQUAL_DIMS,),
            units="worst relative difference",
        ),
        Check(
            name="trained",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(some trained basis is farther than .001 from PCA of its own cluster) <= 1/4, 1500 steps of Adam",
            bound=lambda: _TRAIN_SHARE,
            assumptions=(_TWICE,),
            falsifiers=(
                _world("short", "training stops after 100 steps"),
                _world("truth", "the distance is taken to the true subspaces"),
            ),
            units="share of runs",
        ),
    ),
)

_THM3_UNEQUAL = Claim(
    id="molrg.thm3.unequal",
    source="derived here; corrects Theorem 3 for unequal dimensions",
    statement="For unequal dimensions the hard-max loss is affine in the SC energy less kappa per dimension that a sample is given, "
    "kappa = int lambda q(1-q)/int lambda (2q-q^2), and in nothing less.",
    checks=(
        _difference(
            "penalised",
            "loss = const - (sum of 2q - q^2) (SC energy - kappa sum_i d_k(i))",
            (_world("plain", "the SC energy without the penalty"),),
            Provenance.DERIVED,
            (),
            units="worst relative difference",
        ),
    ),
)


def _gap_without_signal(d, sigma):
    """The wrong law F(sigma^2): the first energy taken for chi^2_d without its noise."""
    from scipy.stats import f

    return float(f.cdf(sigma**2, d, d))


_THM3_GAP = Claim(
    id="molrg.thm3.gap",
    source="derived here",
    statement="The soft-max weights of Lemma 1 disagree with the component a sample came from with probability "
    "P(F_{d,d} <= sigma^2/(1+sigma^2)): two orthogonal subspaces of dimension d, equal weights, s = 1. Theorem 3 takes hard-max instead.",
    checks=(
        Check(
            name="law",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="P(w_2 > w_1) = F_{d,d}(sigma^2/(1+sigma^2)) within .01",
            bound=_denoiser.thm3_gap,
            margin=0.01,
            assumptions=(_MODEL,),
            falsifiers=(Falsifier(name="no-shrinkage", breaks="claims F_{d,d}(sigma^2)", kind="bound", bound=_gap_without_signal),),
            units="probability",
        ),
    ),
)

# --- w2, sampler -------------------------------------------------------------------------------------------------------


_W2 = Claim(
    id="molrg.w2",
    source="derived here; the flow distance as in work of the same group (arXiv 2505.20123)",
    statement="The subspace error is a distance of distributions: err^2/2 <= W2^2(N(0,P), N(0,P*)) <= err^2, and two denoisers map one "
    "noise to points at root mean square distance err sigma_T/sqrt(1+sigma_T^2).",
    checks=(
        Check(
            name="at-most",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="W2^2/err^2 <= 1",
            bound=lambda: 1.0,
            method="exact",
            residual="upper",
            falsifiers=(Falsifier(name="half", breaks="claims W2^2 <= err^2/2", kind="bound", bound=lambda: 0.5),),
            units="W2^2 over err^2",
        ),
        Check(
            name="at-least",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="W2^2/err^2 >= 1/2",
            bound=lambda: 0.5,
            method="exact",
            residual="lower",
            falsifiers=(Falsifier(name="whole", breaks="claims W2^2 >= err^2", kind="bound", bound=lambda: 1.0),),
            units="W2^2 over err^2",
        ),
        Check(
            name="flow",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="E ||x - x*||^2/err^2 = sigma_T^2/(1+sigma_T^2) within 12 %",
            bound=lambda sigma_T: sigma_T**2 / (1 + sigma_T**2),
            margin=lambda sigma_T: 0.12 * sigma_T**2 / (1 + sigma_T**2),
            method="t",
            falsifiers=(
                Falsifier(
                    name="no-shrinkage",
                    breaks="claims the distance err, at any sigma_T",
                    kind="bound",
                    bound=lambda: 1.0,
                ),
            ),
            units="mean square distance over err^2",
        ),
    ),
)


def _pi_k(weights, k):
    return float(weights.split("+")[k])


_SAMPLER = Claim(
    id="molrg.sampler",
    source="derived here; schedule and Heun steps as in the authors' code (EDM)",
    statement="Heun's sampler on the closed-form denoiser has order 2: inside one subspace its output is a fixed multiple of the exact "
    "flow's. On a mixture it reproduces the weights pi, if the determinant factor is in the weights.",
    checks=(
        Check(
            name="multiple",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="output/exact - 1 = product of the steps' factors - 1",
            bound=lambda run_steps=18: _sampler.in_subspace_error(run_steps),
            method="exact",
            falsifiers=(_world("euler", "Euler steps only"),),
            units="relative error",
        ),
        Check(
            name="order",
            relation=Relation.EXACT,
            provenance=Provenance.DERIVED,
            formula="order of the relative error in the number of steps = 2.1 within .3",
            bound=lambda: 2.1,
            method="exact",
            tolerance=0.3 / 2.1,
            falsifiers=(_world("euler", "Euler steps only"),),
            units="order",
        ),
        Check(
            name="frequencies",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="share of generated points nearest to component k = pi_k within .06",
            bound=_pi_k,
            margin=0.06,
            assumptions=(Assumption("A5", "at least 72 steps: 18 inflate variances by 9 %", lambda steps: steps >= 72),),
            falsifiers=(
                _world(
                    "no-factor",
                    "the weights as quoted in Lemma 1, without the determinant factor",
                ),
            ),
            units="probability",
        ),
    ),
)

_FIG3 = Claim(
    id="molrg.fig3",
    source="Figure 3, as described in reviews; the numerical rank as in the authors' code. The model's curve is derived here",
    statement="The numerical rank (99 % of the root energy) of the denoiser's Jacobian at x_t is the dimension d of one subspace at low "
    "noise and K d, that of all, at high noise. In the model it only rises with the noise: the U shape that reviews report of trained "
    "networks on images, with its least near t = .8, is none of the model's, which cannot rise at low noise.",
    checks=(
        Check(
            name="low-noise",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(rank differs from d) <= 1/20 for sigma <= .1",
            bound=lambda: 0.05,
            assumptions=(_MODEL, Assumption("A6", "sigma <= .1", lambda sigma: sigma <= 0.1)),
            falsifiers=(_world("one-gaussian", "the denoiser of one Gaussian with the mixture's covariance"),),
            units="probability",
        ),
        Check(
            name="high-noise",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(rank differs from K d) <= 1/20 for sigma >= 5",
            bound=lambda: 0.05,
            assumptions=(_MODEL, Assumption("A6", "sigma >= 5", lambda sigma: sigma >= 5)),
            falsifiers=(_world("hard-max", "the denoiser of the nearest subspace alone"),),
            units="probability",
        ),
    ),
)

CLAIMS = (_DEF1, _LEM1, _LEM1_DET, _LEM1_GEN, _THM1, _THM1_FREE, _THM3, _THM3_UNEQUAL, _THM3_GAP, _W2, _SAMPLER, _FIG3)
