r"""Balls around a base policy: how much reward they reach, and the conditioning that reaches as much.

A law of R under the base is given by `values` and `probs`; only the reward matters, as the best policy of a ball is a
function of R. mu, sigma: its mean and sd; best, worst: its largest and smallest atom of positive mass.

Proof sketches.
- lem2. E_q R - mu = E_p[(q/p - 1)(R - mu)] <= sqrt(chi2(q||p)) sigma (Cauchy-Schwarz). Equality needs
  q/p = 1 + sqrt(kappa)(R - mu)/sigma >= 0 on the support, i.e. sqrt(kappa) <= sigma/(mu - worst).
- lem3. Conditioning on {R >= mu + sigma sqrt(kappa)}, of mass c > 0, has ratio 1/c and mean at least the threshold. The event
  is empty iff kappa > ((best - mu)/sigma)^2. Cantelli: its mass is at most 1/(1 + kappa); P(best) = 1/(1 + kappa) attains it.
- Repaired lem3. Nothing above uses the formula of the threshold but that no policy of the ball exceeds it, so
  c*(kappa) = P(R >= sup over the ball), which is never 0 (the supremum is at most best, an atom), serves as well, with the
  smallest 1/c that this argument can give. For the KL ball the same.
- KL, lem2_kl. Pinsker: E_q R - E_p R <= (best - worst) TV <= H sqrt(kappa/2). Donsker and Varadhan:
  E_q R - mu <= (kappa + ln E_p e^{t(R - mu)})/t for all t > 0; with Bernstein's
  ln E_p e^{t(R - mu)} <= t^2 sigma^2 / (2 (1 - t b/3)), b = best - mu, the minimum over t is sigma sqrt(2 kappa) + b kappa/3.
  So a KL ball is sqrt(2) larger than the chi-square ball of the same radius to first order. KL <= ln(1 + chi2) (Jensen), so
  the KL ball of radius kappa contains the chi-square ball of radius e^kappa - 1, which alone breaks lem2 for KL.
- lem3_kl. As lem3 with the threshold mu + H sqrt(kappa/2); Hoeffding's inequality for one draw bounds the mass of
  the event by e^{-kappa}, the counterpart of Cantelli's 1/(1 + kappa).
- lem4 (Erdős 1945). Sets of signs whose sums fall into a half-open interval of length 2 form an antichain once all
  a_i >= 1 (flip signs so that a_i > 0: raising one sign moves the sum by at least 2); Sperner bounds its size.
"""

from __future__ import annotations

import math

import numpy as np

from theory.verification import _arguments

__all__ = [
    "anticonc",
    "anticonc_star",
    "cantelli_cap",
    "erdos_bound",
    "hoeffding_cap",
    "interval_mass",
    "kl_gain_bernstein",
    "kl_gain_pinsker",
    "largest_heard_kappa",
    "lem2_attained",
    "lem2_gain",
    "sup_chi2",
    "sup_kl",
    "tail_mass",
    "top_c_value",
]

TIE = 1e-9  # relative slack with which an atom counts as reaching a threshold: the atoms are exact, the threshold is not


def _moments(v, p):
    mean = float(p @ v)
    return mean, math.sqrt(float(p @ (v - mean) ** 2))


def _distinct(v, p):
    """Distinct values from the largest down, and their masses."""
    values, place = np.unique(v, return_inverse=True)
    return values[::-1], np.bincount(place, weights=p)[::-1]


def _radius(fn, kappa):
    return float(_arguments.nonnegative(fn, "kappa", kappa))


def sup_chi2(values, probs, kappa):
    """Largest E_q R over chi2(q || p) <= kappa, without root finding: float.

    The best q is proportional to p (R - t)_+: for the top j values of mass P, conditional mean m and sd s, chi2 = kappa
    means t = m - s / sqrt((1 + kappa) P - 1), valid if t is at least the next value; then E_q R = m + s sqrt((1 + kappa) P - 1).

    Args: values, probs: [num_atoms]; atoms of mass 0 are dropped. kappa >= 0. Raises: ValueError.
    """
    v, p = _arguments.pmf("sup_chi2", values, probs)
    kappa = _radius("sup_chi2", kappa)
    u, w = _distinct(v, p)
    if kappa == 0 or len(u) == 1:
        return float(p @ v)
    if kappa >= 1 / w[0] - 1:
        return float(u[0])
    mass = np.cumsum(w)
    mean = np.cumsum(w * u) / mass
    below = np.append(u[1:], -np.inf)
    for j in range(1, len(u)):
        a = (1 + kappa) * min(mass[j], 1.0) - 1
        if a > 0:
            s = math.sqrt(float(w[: j + 1] @ (u[: j + 1] - mean[j]) ** 2) / mass[j])
            if mean[j] - s / math.sqrt(a) >= below[j]:
                return float(mean[j] + s * math.sqrt(a))
    raise AssertionError("sup_chi2: no threshold found")  # the last j has no next value and a = kappa > 0


def sup_kl(values, probs, kappa):
    """Largest E_q R over KL(q || p) <= kappa: the exponential tilt q ∝ p e^{tR} with KL = kappa, by safeguarded Newton steps: float.

    As `sup_chi2`. kappa >= -ln P(best): the best value.
    """
    v, p = _arguments.pmf("sup_kl", values, probs)
    kappa = _radius("sup_kl", kappa)
    u, w = _distinct(v, p)
    if kappa == 0 or len(u) == 1:
        return float(p @ v)
    if kappa >= -math.log(w[0]):
        return float(u[0])
    gap = (u - u[0]) / (u[0] - u[-1])  # scale-free, <= 0

    def tilt(t):
        """KL, and mean and variance of gap, of the tilt by t."""
        e = w * np.exp(t * gap)
        total = float(e.sum())
        mean = float(e @ gap) / total
        return t * mean - math.log(total), mean, float(e @ (gap - mean) ** 2) / total

    low, high = 0.0, 1.0
    while tilt(high)[0] < kappa:
        low, high = high, 2 * high
        if high > 1e18:
            return float(u[0])  # kappa differs from -ln P(best) by rounding only
    t = 0.5 * (low + high)
    for _ in range(200):  # Newton's steps, kept inside the bracket: dKL/dt = t Var(gap)
        divergence, mean, variance = tilt(t)
        low, high = (t, high) if divergence < kappa else (low, t)
        step = t - (divergence - kappa) / (t * variance) if variance > 0 else low
        step = step if low < step < high else 0.5 * (low + high)
        if abs(step - t) <= 1e-15 * t:
            break
        t = step
    return float(u[0] + (u[0] - u[-1]) * mean)


def lem2_gain(sigma, kappa):
    """lem2: no policy of the chi-square ball gains more than sigma sqrt(kappa) over the base. Raises: ValueError."""
    sigma, kappa = _arguments.nonnegative("lem2_gain", "sigma", sigma), _arguments.nonnegative("lem2_gain", "kappa", kappa)
    return sigma * np.sqrt(kappa)


def lem2_attained(values, probs, kappa):
    """Whether lem2 is an equality: sigma = 0, or sqrt(kappa) <= sigma/(mu - worst): bool. Raises: ValueError."""
    v, p = _arguments.pmf("lem2_attained", values, probs)
    mean, sd = _moments(v, p)
    return sd == 0 or math.sqrt(_radius("lem2_attained", kappa)) * (mean - float(v.min())) <= sd


def kl_gain_pinsker(H, kappa):
    """lem2_kl: no policy of the KL ball gains more than H sqrt(kappa/2), rewards in an interval of length H > 0. Raises: ValueError."""
    H, kappa = _arguments.positive("kl_gain_pinsker", "H", H), _arguments.nonnegative("kl_gain_pinsker", "kappa", kappa)
    return H * np.sqrt(kappa / 2)


def kl_gain_bernstein(sigma, headroom, kappa):
    """lem2_kl: no policy of the KL ball gains more than sigma sqrt(2 kappa) + headroom kappa/3.

    headroom: best - mu. Raises: ValueError.
    """
    fn = "kl_gain_bernstein"
    sigma, headroom = _arguments.nonnegative(fn, "sigma", sigma), _arguments.nonnegative(fn, "headroom", headroom)
    kappa = _arguments.nonnegative(fn, "kappa", kappa)
    return sigma * np.sqrt(2 * kappa) + headroom * kappa / 3


def tail_mass(values, probs, threshold):
    """P(R >= threshold), atoms within 1e-9 (relative to threshold and spread of the values) counted in: float. Raises: ValueError."""
    v, p = _arguments.pmf("tail_mass", values, probs)
    threshold = float(_arguments.finite("tail_mass", "threshold", threshold))
    return min(1.0, float(p[v >= threshold - TIE * max(abs(threshold), float(np.ptp(v)))].sum()))


def anticonc(values, probs, kappa, share=1.0):
    """c(kappa) = P(R >= mu + share sigma sqrt(kappa)), 1 if sigma = 0: float. share = 1 is the definition. Raises: ValueError."""
    v, p = _arguments.pmf("anticonc", values, probs)
    mean, sd = _moments(v, p)
    share = float(_arguments.nonnegative("anticonc", "share", share))
    return 1.0 if sd == 0 else tail_mass(v, p, mean + share * sd * math.sqrt(_radius("anticonc", kappa)))


def anticonc_star(values, probs, supremum):
    """c*: P(R >= supremum of the ball), never 0 for a supremum that a policy absolutely continuous to the base attains."""
    return tail_mass(values, probs, supremum)


def largest_heard_kappa(values, probs):
    """The largest kappa with c(kappa) > 0: ((best - mu)/sigma)^2, inf if sigma = 0. Raises: ValueError."""
    v, p = _arguments.pmf("largest_heard_kappa", values, probs)
    mean, sd = _moments(v, p)
    return math.inf if sd == 0 else ((float(v.max()) - mean) / sd) ** 2


def cantelli_cap(kappa):
    """c(kappa) <= 1/(1 + kappa). Raises: ValueError."""
    return 1 / (1 + _arguments.nonnegative("cantelli_cap", "kappa", kappa))


def hoeffding_cap(kappa):
    """P(R >= mu + H sqrt(kappa/2)) <= e^{-kappa}. Raises: ValueError."""
    return np.exp(-_arguments.nonnegative("hoeffding_cap", "kappa", kappa))


def top_c_value(values, probs, c):
    """E R of the best policy with density ratio <= 1/c: the top c fraction, the boundary atom split: float. Raises: ValueError."""
    v, p = _arguments.pmf("top_c_value", values, probs)
    c = float(_arguments.share("top_c_value", "c", c))
    u, w = _distinct(v, p)
    taken = np.diff(np.minimum(np.cumsum(w), c), prepend=0.0)
    return float(taken @ u) / float(taken.sum())


def erdos_bound(m):
    """lem4: C(m, floor(m/2)) 2^-m, the most mass of a half-open interval of length 2 under sum a_i eps_i, |a_i| >= 1.

    Args: m: integer >= 1. Returns: float. Raises: ValueError.
    """
    m = int(_arguments.integers("erdos_bound", m=m))
    return math.comb(m, m // 2) / 2**m


def interval_mass(a, closed=False):
    """Largest mass of an interval [x, x + 2), or [x, x + 2] if closed, under sum a_i eps_i, by all 2^m sums: float.

    Intervals that start at atoms suffice. Equal atoms are told apart to 1e-9. Args: a: [m], m <= 20. Raises: ValueError.
    """
    a = _arguments.finite("interval_mass", "a", a)
    ok = a.ndim == 1 and 1 <= a.size <= 20
    _arguments.require(ok, "interval_mass", f"a must be a vector of 1..20 numbers, got shape {a.shape}.")
    sums = np.zeros(1)
    for step in a:
        sums = np.concatenate([sums - step, sums + step])
    sums.sort()
    end = np.searchsorted(sums, sums + (2 + TIE if closed else 2 - TIE), side="left")
    start = np.searchsorted(sums, sums - TIE, side="left")  # equal sums differ by rounding
    return int((end - start).max()) / sums.size
