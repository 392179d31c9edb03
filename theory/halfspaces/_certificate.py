r"""The data-dependent certificate: from gradients and weighted moments of held-out points to an angle and a lower bound on opt.

Averages E over the n2 held-out points, l' = l_sigma'(<w, x>): m0 = E l', m1 = E[l' |<w,x>|], M = E[l' zz^T], Q4 with weights l', A =
lambda_min^{3/2}/sqrt(Q4), V = E[l'^2 ||z||^2], gamma = ||grad L(w)||.

Proof sketch. Let w_o = cos(theta) w + sin(theta) u be w* (Massart) or the empirical minimiser (adversarial). By Hoelder
E[l' <u,x>^2] <= (E l'|<u,x>|)^{2/3} (E l' <u,x>^4)^{1/3}, so E[l'|<u,x>|] >= A. The component of the gradient along u is at
most gamma. Points on which h_{w_o} has the sign of <u,x> contribute at least (1-2 eta)|<u,x>|; where it has the other sign
|<u,x>| <= |<w,x>| cot(theta). Labels are independent given x: by McDiarmid the norm of their noise is at most dev.
Adversarial: flipped points have mass err, and by Hoelder (4, 4/3) take at most 2 Q4^{1/4} (c err/sigma)^{3/4}.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from theory.halfspaces import _arguments, _kernels, _testers
from theory.halfspaces._kernels import kernel, normal_pdf

__all__ = [
    "Certificate",
    "Weighted",
    "certificate",
    "certified_angle_adversarial",
    "certified_angle_massart",
    "certified_excess",
    "certified_opt",
    "label_deviation",
    "population_certified_angle",
    "weighted_moments",
]

VACUOUS = math.pi / 2


@dataclasses.dataclass(frozen=True)
class Weighted:
    """Kernel-weighted statistics of held-out points at a candidate w; err is the share of wrong labels, at most 1/2."""

    m0: float
    m1: float
    A: float
    Q4: float
    V: float
    gamma: float
    err: float
    n2: int


@dataclasses.dataclass(frozen=True)
class Certificate:
    """angle: theta_c (pi/2: vacuous); W: certified sample disagreement (1: vacuous); opt_lower: certified lower bound on opt;
    excess: certified upper bound on err(w) - opt."""

    angle: float
    W: float
    opt_lower: float
    excess: float

    @property
    def vacuous(self):
        return self.W >= 1


def weighted_moments(x, y, w, sigma, kernel_name="smooth"):
    """`Weighted` of points x [n2, d] with labels y at the unit vector w; w is turned so that err <= 1/2. Raises: ValueError."""
    fn = "weighted_moments"
    x = _arguments.points(fn, x)
    y, w = _arguments.labels(fn, y, len(x)), _arguments.unit(fn, "w", w, x.shape[1])
    sigma = _arguments.sigma(fn, sigma)
    coordinates = x @ _testers.complement(w).T
    t, z = coordinates[:, 0], coordinates[:, 1:]
    slope = kernel(t / sigma, kernel_name) / sigma
    wrong = float(np.mean(np.where(t >= 0, 1.0, -1.0) != y))
    low = np.linalg.eigvalsh((z * slope[:, None]).T @ z / len(x))[0]
    Q4 = _testers.q4(z, slope)
    return Weighted(
        m0=float(slope.mean()), m1=float((slope * np.abs(t)).mean()), A=max(low, 0.0) ** 1.5 / math.sqrt(Q4) if Q4 > 0 else 0.0, Q4=Q4,
        V=float((slope**2 * (z**2).sum(axis=1)).mean()), gamma=float(np.linalg.norm((z * (slope * y)[:, None]).mean(axis=0))),
        err=min(wrong, 1 - wrong), n2=len(x),
    )  # fmt: skip


def label_deviation(V, n2, m, delta):
    """dev = sqrt(V/n2) (1 + sqrt(2 ln(m/delta))): norm of the label noise in the gradient, at m candidates at once w.p. 1 - delta."""
    fn = "label_deviation"
    n2, m, delta = _arguments.count(fn, "n2", n2), _arguments.count(fn, "m", m), _arguments.confidence(fn, delta)
    return math.sqrt(V / n2) * (1 + math.sqrt(2 * math.log(m / delta)))


def certified_angle_massart(m1, A, eta, gamma, dev):
    """theta_c: tan = 2(1-eta) m1/((1-2 eta) A - gamma - dev), pi/2 where the denominator is not positive. Raises: ValueError."""
    eta = _arguments.massart("certified_angle_massart", eta)
    room = (1 - 2 * eta) * A - gamma - dev
    return math.atan(2 * (1 - eta) * m1 / room) if room > 0 else VACUOUS


def certified_angle_adversarial(m1, A, Q4, gamma, err_S2, sigma, kernel="smooth"):
    """theta_c to the empirical minimiser: tan = 2 m1/(A - gamma - 2 Q4^{1/4} (c err/sigma)^{3/4}), c = sup k; pi/2 as above."""
    flipped = 2 * max(Q4, 0.0) ** 0.25 * (_kernels.kernel_sup(kernel) * err_S2 / sigma) ** 0.75
    room = A - gamma - flipped
    return math.atan(2 * m1 / room) if room > 0 else VACUOUS


def certified_opt(err, W, n2, delta):
    """Certified lower bound on opt: err_{S2}(w) - W - sqrt(ln(1/delta)/(2 n2)), at least 0."""
    return max(0.0, err - W - math.sqrt(math.log(1 / delta) / (2 * n2)))


def certified_excess(W, n2, m, delta):
    """Certified upper bound on err(w) - opt: W + sqrt(ln(m/delta)/(2 n2)) + sqrt(ln(1/delta)/(2 n2)); total failure 3 delta."""
    return W + math.sqrt(math.log(m / delta) / (2 * n2)) + math.sqrt(math.log(1 / delta) / (2 * n2))


def certificate(x, y, w, sigma, *, eta=None, m=1, delta=0.05, kernel="smooth"):
    """The certificate at a candidate w on held-out points: Certificate. eta: the Massart rate; None: adversarial labels.

    m: candidates compared on these points (1 if w was fixed before they were seen). Raises: ValueError.
    """
    delta = _arguments.confidence("certificate", delta)
    s = weighted_moments(x, y, w, sigma, kernel)
    if eta is None:
        angle = certified_angle_adversarial(s.m1, s.A, s.Q4, s.gamma, s.err, sigma, kernel)
    else:
        angle = certified_angle_massart(s.m1, s.A, eta, s.gamma, label_deviation(s.V, s.n2, m, delta))
    W = 1.0 if angle >= VACUOUS else _testers.wedge_of(x, w, angle).W
    return Certificate(angle, W, certified_opt(s.err, W, s.n2, delta), certified_excess(W, s.n2, m, delta))


def population_certified_angle(sigma, eta, kernel="smooth", flip_factor=True):
    """theta_c on an infinite Gaussian sample with gamma = dev = 0: A = m0/sqrt(3). `flip_factor=False` drops (1-2 eta): "
    "wrong. Raises: ValueError."""
    fn = "population_certified_angle"
    sigma, eta, name = _arguments.sigma(fn, sigma), _arguments.massart(fn, eta), _arguments.kernel(fn, kernel)
    edges = _kernels.positive_axis(name, sigma)
    m0 = 2 * _kernels.integrate(lambda t: _kernels.kernel(t / sigma, name) / sigma * normal_pdf(t), edges)
    m1 = 2 * _kernels.integrate(lambda t: _kernels.kernel(t / sigma, name) / sigma * normal_pdf(t) * t, edges)
    return math.atan(2 * (1 - eta) * m1 / ((1 - 2 * eta if flip_factor else 1.0) * m0 / math.sqrt(3)))
