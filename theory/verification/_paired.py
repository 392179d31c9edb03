r"""The paired-style world, where verifier-free training is hard and a verifier makes it easy: bounds and exact means.

World. d prompt blocks, equally likely. The first token is a style s in {-1, +1} and fixes the rest of the trace: its
reward is H/2 + sigma b_j s with hidden bits b. The base policy is uniform in s, the expert plays b_j with probability
(1 + delta)/2, so its chi-square distance from the base is delta^2. A learner is a vector s_hat in [-1, 1]^d of mean
styles. Gaps below are in units of sigma: aligned gap (1/d) sum_j (delta - b_j s_hat_j), against the true reward; sup gap
(1/d) sum_j |delta b_j - s_hat_j|, against the worst reward of the 2^d sign patterns.

Learners on n expert traces, k_j of m_j with style + in block j: `tab` (2k - m)/m, 0 if unseen (behaviour cloning);
`finite` delta sign(2k - m), ties at random (maximum likelihood over {-delta, delta}^d); `bayes` delta tanh((2k - m) artanh
delta); `argmax` sign(2k - m), ties at random; `base` 0.

Proof sketches (all derived here).
  vf_upper. D = int (sqrt p - sqrt q)^2 <= 2L/n for the maximum-likelihood policy, as E exp(sum ln(pi/pi_e)/2) =
  (1 - D/2)^n, and a union bound over the class. |int (f - mu)(p - q)| <= sqrt(D) sqrt(2 int (f - mu)^2 (p + q)), and
  E_q h <= 2 E_p h + 2 |h|_inf D since q <= 2p + 2 (sqrt q - sqrt p)^2. So |gap| <= sigma_e sqrt(6D) + 2BD.
  vf_lower. |delta - s| + |delta + s| >= 2 delta, so averaging block j over b_j = +-1 costs at least 2 delta times half the
  overlap of the two laws of the data; the other blocks carry no information on b_j. Attained by `finite`.
  p_err_one_block. d = 1: gap >= sigma delta exactly when b s_hat <= 0, whose probability, averaged over b, is at least the
  Bayes error (Le Cam).
  paired_worst_gap. A block whose bit no rollout showed is flipped by the worst agreeing verifier, and the best policy of density
  ratio <= 2 for it plays the wrong style there: 2 sigma/d lost, with probability (1 - 1/d)^n.
  tab_aligned_gap. The empirical policy is unbiased in every block that was seen, and the reward is linear in it.
  noisy_vb_value. A labelled rollout votes for b_j and is right with probability 1 - flip, like the style of an expert trace
  at delta = 1 - 2 flip; so the majority of noisy labels is `argmax` at that delta.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from theory.verification import _arguments

__all__ = [
    "LEARNERS",
    "best_delta",
    "break_even_flip",
    "noisy_vb_value",
    "p_err",
    "p_err_one_block",
    "paired_sup_gap",
    "paired_vb_value",
    "paired_vf_value",
    "paired_worst_gap",
    "tab_aligned_gap",
    "tab_mad",
    "tab_mad_asymptote",
    "vf_lower",
    "vf_lower_constant",
    "vf_upper",
    "vf_upper_vacuous_below",
]

LEARNERS = ("tab", "finite", "bayes", "argmax", "base")


def _learner(fn, learner):
    _arguments.require(learner in LEARNERS, fn, f"learner must be one of {', '.join(LEARNERS)}, got {learner!r}.")


# --- upper bound -------------------------------------------------------------------------------------------------------


def vf_upper(sigma_e, B, logPi, delta, n):
    """prop_vf_ub (derived): gap of maximum likelihood over a finite policy class that contains the expert.

    With probability >= 1 - delta, for all rewards within B of the expert's conditional mean at once,
    |J(expert) - J(learner)| <= sigma_e sqrt(12 L/n) + 4 B L/n, L = logPi + ln(1/delta). Constants explicit.

    Args:
      sigma_e: sqrt E_x Var(R | x) under the EXPERT, >= 0: sigma sqrt(1 - delta_expert^2) in the paired-style world.
      B: largest |R - conditional mean|, >= 0. logPi: ln of the class's size, >= 0. delta: failure probability. n: traces.
    Returns: float, in the unit of the reward. Raises: ValueError for arguments outside these ranges.
    """
    fn = "vf_upper"
    _arguments.integers(fn, n=n)
    _arguments.open_unit(fn, "delta", delta)
    for name, value in (("sigma_e", sigma_e), ("B", B), ("logPi", logPi)):
        _arguments.nonnegative(fn, name, value)
    L = logPi + math.log(1 / delta)
    return sigma_e * math.sqrt(12 * L / n) + 4 * B * L / n


def vf_upper_vacuous_below(logPi, delta):
    """The n below which `vf_upper` with B = H, sigma_e = H/2 exceeds H, the largest reward: about 9.3 L. A float.

    Solves sqrt(3) u + 4 u^2 = 1 with u = sqrt(L/n). Arguments and errors as `vf_upper`.
    """
    _arguments.open_unit("vf_upper_vacuous_below", "delta", delta)
    _arguments.nonnegative("vf_upper_vacuous_below", "logPi", logPi)
    u = (math.sqrt(3 + 16) - math.sqrt(3)) / 8
    return (logPi + math.log(1 / delta)) / u**2


# --- lower bounds ------------------------------------------------------------------------------------------------------


def _block_sizes(n, d):
    """Sizes m of one block and their probabilities Bin(n, 1/d), the negligible ones (below 1e-40) left out."""
    from scipy import stats

    if d == 1:
        return np.array([n]), np.array([1.0])
    centre, reach = n / d, 14 * math.sqrt(n / d) + 100
    m = np.arange(max(0, math.floor(centre - reach)), min(n, math.ceil(centre + reach)) + 1)
    weight = stats.binom.pmf(m, n, 1 / d)
    return m[weight > 1e-40], weight[weight > 1e-40]


def _majority_errs(m, delta):
    """P_e(m): the majority of m votes, each right with probability (1 + delta)/2, errs; ties count half. Array over m."""
    from scipy import stats

    p = (1 + delta) / 2
    tied = np.where(m % 2 == 0, stats.binom.pmf(m // 2, m, p), 0.0)
    return stats.binom.cdf((m + 1) // 2 - 1, m, p) + tied / 2


@functools.cache
def p_err(n, d, delta):
    """Probability that one block's majority style is wrong: E P_e(m), m ~ Bin(n, 1/d), P_e(0) = 1/2 (derived).

    P_e(m) = P[Bin(m, (1 + delta)/2) < m/2] + P[= m/2]/2, the Bayes error of one hidden bit.

    Args: n: traces, >= 1. d: blocks, >= 1. delta: the expert's bias, in [0, 1].
    Returns: float in [0, 1/2], relative error below 1e-10. Raises: ValueError for arguments outside these ranges.
    """
    _arguments.integers("p_err", n=n, d=d)
    _arguments.closed_unit("p_err", "delta", delta)
    m, weight = _block_sizes(n, d)
    return float(weight @ _majority_errs(m, delta))


def p_err_one_block(n, kappa=None):
    """thm_vf_lb_prob (derived): P_e(n) at d = 1 and delta = 1/sqrt(n); 0 at n = 1, then up to Phibar(1) = .1587.

    Every learner has, for one of the two hidden bits, P[aligned gap >= sigma/sqrt(n)] >= P_e(n); attained by `finite`.
    Args: n: traces, >= 1. kappa: radius of the chi-square ball that the expert must lie in, n >= 1/kappa; None: any.
    Returns: float. Raises: ValueError.
    """
    _arguments.integers("p_err_one_block", n=n)
    _arguments.in_ball("p_err_one_block", 1 / math.sqrt(n), kappa)
    return p_err(n, 1, 1 / math.sqrt(n))


def vf_lower(sigma, n, d, delta, kappa=None):
    """thm_vf_lb (derived): every learner has max_b E[sup gap] >= 2 sigma delta P_err(n, d, delta). In the reward's unit.

    Improper learners included; needs delta <= sqrt(kappa) so that the expert lies in the chi-square ball.
    Args: sigma: heterogeneity, >= 0; kappa: radius of the ball that the expert must lie in, None: any; the rest as `p_err`.
    Returns: float. Raises: ValueError.
    """
    _arguments.nonnegative("vf_lower", "sigma", sigma)
    _arguments.in_ball("vf_lower", delta, kappa)
    return 2 * sigma * delta * p_err(n, d, delta)


@functools.cache
def vf_lower_constant():
    """(max_z 2 z Phibar(z), its argmax z): .33994 and .75179, the constant of sigma sqrt(log2|Pi| / n) as n/d grows."""
    from scipy import optimize
    from scipy.special import ndtr

    z = optimize.brentq(lambda z: ndtr(-z) - z * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi), 0.1, 2.0, xtol=1e-15, rtol=1e-15)
    return 2 * z * float(ndtr(-z)), float(z)


def best_delta(n, d):
    """The expert's bias that makes `vf_lower` largest as n/d grows: .752 sqrt(d/n), at most 1. Raises: ValueError."""
    _arguments.integers("best_delta", n=n, d=d)
    return min(1.0, vf_lower_constant()[1] * math.sqrt(d / n))


# --- exact means of the learners -----------------------------------------------------------------------------------------


@functools.cache
def tab_mad(n, d, delta):
    """prop_vf_const: exact E|delta - s_hat| of behaviour cloning, the mean sup gap of `tab` over sigma (derived).

    sum_m w_m (2/m) E|K - mp|, K ~ Bin(m, p), p = (1 + delta)/2, with De Moivre's E|K - mp| = 2 nu C(m, nu) p^nu
    (1-p)^(m-nu+1), nu = floor(mp) + 1; an unseen block costs delta. Arguments and errors as `p_err`. Returns: float.
    """
    from scipy import stats

    _arguments.integers("tab_mad", n=n, d=d)
    _arguments.closed_unit("tab_mad", "delta", delta)
    m, weight = _block_sizes(n, d)
    unseen = float(weight[m == 0].sum())
    m, weight = m[m > 0], weight[m > 0]
    p = (1 + delta) / 2
    nu = np.floor(m * p) + 1
    deviation = 2 * nu * (1 - p) * stats.binom.pmf(nu, m, p)
    return unseen * delta + float(weight @ (2 / m * deviation))


def tab_mad_asymptote(n, d, delta):
    """sqrt(2/pi) sqrt((1 - delta^2) d/n): the limit of `tab_mad` at fixed delta < 1, relative error below d/(2n) here."""
    _arguments.integers("tab_mad_asymptote", n=n, d=d)
    _arguments.closed_unit("tab_mad_asymptote", "delta", delta)
    return math.sqrt(2 / math.pi * (1 - delta**2) * d / n)


def tab_aligned_gap(n, d, delta):
    """neg_vf_expectation: E[aligned gap] of `tab` over sigma, delta (1 - 1/d)^n: exponentially small (derived)."""
    _arguments.integers("tab_aligned_gap", n=n, d=d)
    _arguments.closed_unit("tab_aligned_gap", "delta", delta)
    return delta * (1 - 1 / d) ** n


@functools.cache
def _bayes_means(n, d, delta):
    """(E s_hat, E|delta - s_hat|) of the Bayes learner in one block with b = +1."""
    from scipy import stats

    sizes, weights = _block_sizes(n, d)
    value = gap = 0.0
    for m, weight in zip(sizes.tolist(), weights.tolist(), strict=True):
        k = np.arange(m + 1)
        lead = 2 * k - m
        s_hat = delta * (np.sign(lead) if delta == 1 else np.tanh(lead * math.atanh(delta)))
        p = stats.binom.pmf(k, m, (1 + delta) / 2)
        value, gap = value + weight * float(p @ s_hat), gap + weight * float(p @ np.abs(delta - s_hat))
    return value, gap


def paired_sup_gap(n, d, delta, learner):
    """Exact E[sup gap] of a learner over sigma: tab_mad; 2 delta P_err (finite); 1 - delta (1 - 2 P_err) (argmax); delta (base).

    `bayes` by summation over a block's counts. Args: as `p_err`; learner: one of LEARNERS. Returns: float. Raises: ValueError.
    """
    _learner("paired_sup_gap", learner)
    p = p_err(n, d, delta)
    if learner == "tab":
        return tab_mad(n, d, delta)
    if learner == "bayes":
        return _bayes_means(n, d, delta)[1]
    return {"finite": 2 * delta * p, "argmax": 1 - delta * (1 - 2 * p), "base": delta}[learner]


def paired_vf_value(n, d, delta, learner):
    """Exact mean value of a verifier-free learner above H/2, over sigma; its aligned gap is delta minus this.

    delta (1 - (1 - 1/d)^n) (tab), delta (1 - 2 P_err) (finite), 1 - 2 P_err (argmax), 0 (base). As `paired_sup_gap`.
    """
    _learner("paired_vf_value", learner)
    p = p_err(n, d, delta)
    if learner == "tab":
        return delta - tab_aligned_gap(n, d, delta)
    if learner == "bayes":
        return _bayes_means(n, d, delta)[0]
    return {"finite": delta * (1 - 2 * p), "argmax": 1 - 2 * p, "base": 0.0}[learner]


def paired_vb_value(n, d):
    """Mean value above H/2, over sigma, of n labelled base rollouts: 1 - (1 - 1/d)^n, as one label reveals a block's bit."""
    _arguments.integers("paired_vb_value", n=n, d=d)
    return 1 - (1 - 1 / d) ** n


def paired_worst_gap(n, d):
    """Mean gap, over sigma, of VB-1's worst verifier that agrees with n labelled base rollouts: 2 (1 - 1/d)^n. Raises: ValueError."""
    _arguments.integers("paired_worst_gap", n=n, d=d)
    return 2 * (1 - 1 / d) ** n


# --- a verifier that errs ----------------------------------------------------------------------------------------------


def noisy_vb_value(n, d, flip):
    """noisy (derived): mean value above H/2, over sigma, when every label is flipped with probability `flip`.

    The majority of the labels is followed block by block: 1 - 2 P_err(n, d, 1 - 2 flip), exactly.
    Args: n, d: as `p_err`. flip: in [0, 1/2]. Returns: float in [0, 1]. Raises: ValueError.
    """
    _arguments.require(0 <= flip <= 0.5, "noisy_vb_value", f"flip must lie in [0, 1/2], got {flip}.")
    return 1 - 2 * p_err(n, d, 1 - 2 * flip)


@functools.cache
def break_even_flip(n, d, delta, learner="tab"):
    """noisy (derived): the flip rate at which a verifier-free learner on as many expert traces overtakes the noisy verifier.

    The root of `noisy_vb_value` = `paired_vf_value`, which is (1 - delta)/2 for `argmax`, and near 1/2 - z sqrt(d/n)/2 with
    z = Phi^{-1}((1 + delta)/2) for `tab` at large n/d. 1/2 where the learner has no value (`base`, or delta = 0).

    Args: as `paired_sup_gap`. Returns: float in [0, 1/2]. Raises: ValueError.
    """
    from scipy import optimize

    value = paired_vf_value(n, d, delta, learner)
    if value <= 0:
        return 0.5
    if learner == "argmax":
        return (1 - delta) / 2  # the same votes, taken from labels
    if noisy_vb_value(n, d, 0.0) <= value:
        return 0.0
    return float(optimize.brentq(lambda flip: noisy_vb_value(n, d, flip) - value, 0.0, 0.5, xtol=1e-14, rtol=1e-14))
