r"""The four testers and their exact laws, in NumPy: slow, plain, and the reference for the compiled ones in sims/halfspaces.

B(r) = {x: |<w, x>| <= r}; z = coordinates of x in an orthonormal basis of the complement of w; target N(0, I).

Proof sketches.
- Q4. <u,z>^4 = (<u,z>^2 - 1)^2 + 2<u,z>^2 - 1, and <u,z>^2 - 1 = <svec(uu^T), svec(zz^T - I)> with ||svec(uu^T)|| = 1 (off-diagonal
  entries times sqrt 2). Any weights >= 0: take averages of both sides and the largest eigenvalue of each.
- T4. Let angle(v, w) <= theta, v = cos(a) w + sin(a) u. A disagreement of h_v and h_w at a point with |<w,x>| = t forces
  -sign(<w,x>) <u,x> >= t cot(a) >= t cot(theta). In a slab with t >= a_j: Chebyshev on <u,z>^2, or Cantelli on <u,z>, whose mean is
  at most ||E_j z|| and whose variance is at most the largest eigenvalue of the covariance, uniformly in u. Any slabs will do.
- T1bound. A disagreement at |<w,x>| > r forces |<u,x>| >= r cot(theta): Markov with the k-th moment.
- spike. Points +-(s w - rho u) with rho > s/tan(theta) disagree for every such v; a mass alpha = min(.3 rho^-k, s/4) of them keeps
  the k-th moment at the Gaussian's and the band masses within a factor 1.32, while rho s^-1 = 1.02/tan(theta) makes
  alpha of order tan(theta)^{k/(k+1)}, far above theta.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from theory.halfspaces import _arguments
from theory.halfspaces._kernels import PHI0

__all__ = [
    "CANTELLI_CEILING",
    "Moments",
    "Spike",
    "Wedge",
    "band_mass",
    "complement",
    "greedy_slabs",
    "moment_bound",
    "monomial_deviation",
    "num_monomials",
    "q4",
    "shifted_squares",
    "spectral_moments",
    "spike",
    "t1_accepts",
    "t2_acceptance",
    "t2_accepts",
    "t3_monomial_accepts",
    "t3_spectral_accepts",
    "wedge_bound",
    "wedge_ceiling",
    "wedge_of",
]

CANTELLI_CEILING = math.pi**2 * PHI0  # 3.937: W/(theta/pi) on Gaussian data, fine slabs, small angles
MAX_MONOMIALS = 100_000
_ROOT2 = math.sqrt(2)


def band_mass(r):
    """P[|<w,x>| <= r] under N(0, I)."""
    return math.erf(r / math.sqrt(2))


def complement(w):
    """(t, z)-coordinates: an orthogonal [d, d] whose first row is w and whose other rows are a basis of its complement.

    The Householder reflection that takes e_1 to w (or -e_1 to w, whichever is farther).
    """
    w = np.asarray(w, dtype=np.float64)
    e = np.zeros_like(w)
    e[0] = 1.0 if w[0] <= 0 else -1.0
    v = w - e
    H = np.eye(len(w)) - 2 * np.outer(v, v) / (v @ v)
    return np.concatenate([w[None], H[1:]])


def shifted_squares(z, root2=_ROOT2):
    """svec(zz^T - I) of every row of z [n, p]: squares less 1, and sqrt(2) times products: [n, p(p+1)/2]."""
    i, j = np.triu_indices(z.shape[1], 1)
    return np.concatenate([z**2 - 1, root2 * z[:, i] * z[:, j]], axis=1)


def q4(z, weights=None, total=None, root2=_ROOT2):
    """Q4 >= sup_u E<u,z>^4, E = (1/n) sum weights (.): lambda_max(E vv^T) + 2 lambda_max(E zz^T) - P, v = svec(zz^T - I).

    Args: z [n, p]; weights [n] >= 0, default 1; total: P, default E 1. Tight for p = 1, 3 for the Gaussian.
    """
    z = np.asarray(z, dtype=np.float64)
    n = len(z)
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    P = weights.sum() / n if total is None else total
    v = shifted_squares(z, root2)
    top = np.linalg.eigvalsh((v * weights[:, None]).T @ v / n)[-1]
    return float(top + 2 * np.linalg.eigvalsh((z * weights[:, None]).T @ z / n)[-1] - P)


@dataclasses.dataclass(frozen=True)
class Moments:
    """Of the points of a band: their number, smallest and largest eigenvalue of E[zz^T | band], Q4. nan for an empty band."""

    num_points: int
    low: float
    high: float
    q4: float


def spectral_moments(x, w, r):
    """Moments of the band B(r). x [n, d], w unit [d]."""
    coordinates = np.asarray(x) @ complement(w).T
    z = coordinates[np.abs(coordinates[:, 0]) <= r, 1:]
    if len(z) == 0:
        return Moments(0, math.nan, math.nan, math.nan)
    eig = np.linalg.eigvalsh(z.T @ z / len(z))
    return Moments(len(z), float(eig[0]), float(eig[-1]), q4(z))


def t1_accepts(x, k=2):
    """T1, global moments: sup_v E<v,x>^k <= 2 times the Gaussian's. k = 2: lambda_max <= 2; k = 4: Q4 of x <= 6. Raises: ValueError."""
    x, k = _arguments.points("t1_accepts", x), _arguments.even_degree("t1_accepts", k)
    _arguments.require(k in (2, 4), "t1_accepts", f"k must be 2 or 4, got {k}.")
    if k == 2:
        return bool(np.linalg.eigvalsh(x.T @ x / len(x))[-1] <= 2)
    return q4(x) <= 6


def t2_accepts(x, w, sigma, tau=0.25):
    """T2, band mass: |P_S[B(r)]/P[B(r)] - 1| <= tau for r = sigma/6 and sigma/2. Raises: ValueError."""
    x, sigma, tau = _arguments.points("t2_accepts", x), _arguments.sigma("t2_accepts", sigma), _arguments.tolerance("t2_accepts", tau)
    t = np.abs(x @ w)
    return all(abs(np.mean(t <= r) / band_mass(r) - 1) <= tau for r in (sigma / 6, sigma / 2))


def t3_spectral_accepts(x, w, sigma, tau=0.25):
    """T3, second and fourth moments in the bands: eigenvalues within 1 -+ 2 tau, Q4 <= 3 (1 + 4 tau). An empty band rejects.

    Raises: ValueError.
    """
    x, tau = _arguments.points("t3_spectral_accepts", x), _arguments.tolerance("t3_spectral_accepts", tau)
    sigma = _arguments.sigma("t3_spectral_accepts", sigma)
    found = [spectral_moments(x, w, r) for r in (sigma / 6, sigma / 2)]
    return all(m.num_points > 0 and m.low >= 1 - 2 * tau and m.high <= 1 + 2 * tau and m.q4 <= 3 * (1 + 4 * tau) for m in found)


def num_monomials(d, k):
    """Monomials of degree 1..k in d - 1 variables, 1 included: C(d-1+k, k)."""
    return math.comb(d - 1 + k, k)


def _exponents(p, k):
    """Exponent vectors of all monomials of degree 1..k in p variables."""
    import itertools

    for degree in range(1, k + 1):
        for chosen in itertools.combinations_with_replacement(range(p), degree):
            yield np.bincount(chosen, minlength=p)


def _double_factorial(k):
    return math.prod(range(k, 0, -2)) if k > 0 else 1


def monomial_deviation(z, k):
    """max over monomials m of degree 1..k of |E m - E_N m|/sqrt(E_N m^2), z [n, p] the points of a band: float. Raises: ValueError."""
    n, p = z.shape
    count = num_monomials(p + 1, k)
    text = f"degree {k} in {p} variables has {count} monomials, more than {MAX_MONOMIALS}; take k=2 or 4, or T3_spectral."
    _arguments.require(count <= MAX_MONOMIALS, "monomial_deviation", text)
    powers = np.ones((k + 1, n, p))
    for j in range(1, k + 1):
        powers[j] = powers[j - 1] * z
    worst = 0.0
    for e in _exponents(p, k):
        used = np.flatnonzero(e)
        value = float(np.prod([powers[e[i], :, i] for i in used], axis=0).mean())
        mean = math.prod(_double_factorial(e[i] - 1) if e[i] % 2 == 0 else 0 for i in used)
        square = math.prod(_double_factorial(2 * e[i] - 1) for i in used)
        worst = max(worst, abs(value - mean) / math.sqrt(square))
    return worst


def t3_monomial_accepts(x, w, sigma, tau=0.25, k=2):
    """T3 by monomials: |E_S[m | B(r)] - E_N m| <= tau sqrt(E_N m^2) for every m of degree <= k, both bands. Raises: ValueError."""
    x, tau = _arguments.points("t3_monomial_accepts", x), _arguments.tolerance("t3_monomial_accepts", tau)
    coordinates = x @ complement(w).T
    for r in (sigma / 6, sigma / 2):
        z = coordinates[np.abs(coordinates[:, 0]) <= r, 1:]
        if len(z) == 0 or monomial_deviation(z, k) > tau:
            return False
    return True


@functools.lru_cache(maxsize=256)
def t2_acceptance(n, sigma, tau=0.25):
    """T2: exact probability that n points of N(0, I) pass: two nested binomials, N2 ~ Bin(n, p2), N6 | N2 ~ Bin(N2, p6/p2): float.

    Raises: ValueError.
    """
    from scipy import stats

    n, sigma, tau = (
        _arguments.count("t2_acceptance", "n", n),
        _arguments.sigma("t2_acceptance", sigma),
        _arguments.tolerance("t2_acceptance", tau),
    )
    p6, p2 = band_mass(sigma / 6), band_mass(sigma / 2)
    N2 = np.arange(n + 1)
    N2 = N2[np.abs(N2 / (n * p2) - 1) <= tau]
    N6 = np.arange(n + 1)
    N6 = N6[np.abs(N6 / (n * p6) - 1) <= tau]
    if not len(N6):
        return 0.0
    inside = stats.binom.cdf(N6[-1], N2, p6 / p2) - stats.binom.cdf(N6[0] - 1, N2, p6 / p2)
    return float(stats.binom.pmf(N2, n, p2) @ inside)


# --- T4 ------------------------------------------------------------------------------------------------------------


def greedy_slabs(t, theta, d):
    """Slabs of T4 for projections t = <w, x> [n]: lists of indices, positive side first.

    Each side is sorted by |t| and cut from 0 into slabs of width max(tan(theta)/4, a_j/4), a_j the smallest |t| in it, each
    extended to at least 6(d-1) points; a shorter remainder joins the last slab.
    """
    t = np.asarray(t, dtype=np.float64)
    least, tangent, slabs = 6 * (d - 1), math.tan(_arguments.angle("greedy_slabs", theta)), []
    for side in (np.flatnonzero(t >= 0), np.flatnonzero(t < 0)):
        side = side[np.argsort(np.abs(t[side]), kind="stable")]
        r, start = np.abs(t[side]), 0
        while start < len(side):
            end = max(int(np.searchsorted(r, r[start] + max(tangent, r[start]) / 4)), start + least)
            if len(side) - end < least:
                end = len(side)
            slabs.append(side[start:end])
            start = end
    return slabs


def wedge_bound(t, z, slabs, theta, chebyshev_only=False, spectral=True):
    """T4: W(w, theta) = sum_j f_j b_j, which bounds the sample disagreement of w with every v within theta: float in [0, 1].

    Args: t [n] and z [n, d-1], coordinates along w and orthogonal to it; slabs: index lists, each on one side. `spectral=False`
    takes 1 for the largest eigenvalues: wrong, the falsifier. Raises: ValueError.
    """
    cot = 1 / math.tan(_arguments.angle("wedge_bound", theta))
    total = 0.0
    for slab in slabs:
        zj, reach = z[slab], float(np.abs(t[slab]).min()) * cot
        b = 1.0
        if reach > 0:
            mean = zj.mean(axis=0)
            second = np.linalg.eigvalsh(zj.T @ zj / len(slab))[-1] if spectral else 1.0
            b = min(1.0, second / reach**2)
            size = np.linalg.norm(mean) if spectral else 0.0
            if reach > size and not chebyshev_only:
                variance = np.linalg.eigvalsh((zj - mean).T @ (zj - mean) / len(slab))[-1] if spectral else 1.0
                b = min(b, variance / (variance + (reach - size) ** 2))
        total += len(slab) / len(t) * b
    return min(1.0, total)


@dataclasses.dataclass(frozen=True)
class Wedge:
    """W of a data set with the greedy slabs, and how many there are."""

    W: float
    num_slabs: int


def wedge_of(x, w, theta, **options):
    """T4 on data x [n, d] and a unit w: Wedge. Raises: ValueError."""
    x = _arguments.points("wedge_of", x)
    coordinates = x @ complement(_arguments.unit("wedge_of", "w", w, x.shape[1])).T
    slabs = greedy_slabs(coordinates[:, 0], theta, x.shape[1])
    return Wedge(wedge_bound(coordinates[:, 0], coordinates[:, 1:], slabs, theta, **options), len(slabs))


@functools.cache
def wedge_ceiling(degree):
    """T4: limit of W/(theta/pi) for Gaussian data, fine slabs, small theta, if tails are bounded by even moments up to `degree`: float.

    2 phi(0) pi int_0^inf min(1, min_j (2j-1)!!/r^{2j}) dr. degree 2: 5.01, 4: 4.05, 6: 3.96; Cantelli: CANTELLI_CEILING.
    Raises: ValueError.
    """
    degree = _arguments.even_degree("wedge_ceiling", degree)
    moments = [_double_factorial(2 * j - 1) for j in range(1, degree // 2 + 1)]
    # The envelope moment m_j r^-2j is the least between its crossings with the neighbours: r^2 = m_{j+1}/m_j = 2j + 1.
    total, low = 1.0, 1.0
    for j, m in enumerate(moments, start=1):
        high = math.sqrt(2 * j + 1) if j < len(moments) else math.inf
        tail = 0.0 if math.isinf(high) else high ** (1 - 2 * j)
        total += m * (low ** (1 - 2 * j) - tail) / (2 * j - 1)
        low = high
    return 2 * PHI0 * math.pi * total


# --- T1bound -------------------------------------------------------------------------------------------------------


def moment_bound(t, theta, k, moment):
    """T1bound: min over r of P_S[B(r)] + M_k (tan theta/r)^k, which bounds the sample disagreement of w with every v within theta: float.

    Args: t [n] = <w, x>; moment: M_k >= sup_u E_S<u,x>^k. The minimum over r is over the sample's |t|. Raises: ValueError.
    """
    k, tangent = _arguments.even_degree("moment_bound", k), math.tan(_arguments.angle("moment_bound", theta))
    r = np.sort(np.abs(np.asarray(t, dtype=np.float64)))
    share = np.arange(1, len(r) + 1) / len(r)
    with np.errstate(divide="ignore", over="ignore"):
        return float(min(1.0, np.min(share + moment * (tangent / r) ** k)))


@dataclasses.dataclass(frozen=True)
class Spike:
    """Parameters of the spike marginal: a mass alpha sits at +-(s w - rho u). disagreement: its population value at angle theta."""

    s: float
    rho: float
    alpha: float
    disagreement: float


def spike(theta, k):
    """spike(theta, k): alpha = min(.3 rho^-k, s/4), s = .3 tan(theta)^{k/(k+1)}, rho = 1.02 s/tan(theta). Raises: ValueError."""
    theta, k = _arguments.angle("spike", theta), _arguments.even_degree("spike", k)
    tangent = math.tan(theta)
    s = 0.3 * tangent ** (k / (k + 1))
    rho = 1.02 * s / tangent
    alpha = min(0.3 * rho**-k, s / 4)
    return Spike(s, rho, alpha, alpha + (1 - alpha) * theta / math.pi)
