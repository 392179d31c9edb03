"""The testers and the certificate's statistics under trace; theory/halfspaces/_testers.py and _certificate.py hold the plain versions.

Points are columns; none of the testers sees a label. Bands are weights, so shapes are fixed; an empty band rejects.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sims.halfspaces._kernels import kernel_weight

__all__ = [
    "MAX_SLABS",
    "Bands",
    "Weighted",
    "bands",
    "certified_angle",
    "monomial_deviation",
    "quartic_relaxation",
    "split",
    "t1_top",
    "verdicts",
    "wedge",
    "weighted",
]

MAX_SLABS = 128  # a side; widths grow by a quarter from tan(theta)/4 on, so .002 to 12 takes under 60


class Bands(NamedTuple):
    """Of the bands sigma/6 and sigma/2, [2] each: mass over the Gaussian's, eigenvalues of the conditional second moment, Q4."""

    mass: jax.Array
    low: jax.Array
    high: jax.Array
    q4: jax.Array


def split(x, w):
    """(t [n], z [d-1, n]): coordinates along w and in a basis of its complement, by the reflection that takes e_1 to -+w."""
    sign = jnp.where(w[0] > 0, np.asarray(-1, x.dtype), np.asarray(1, x.dtype))
    v = w.at[0].add(-sign)
    scale = 2 / jnp.maximum(jnp.dot(v, v), np.asarray(1e-30, x.dtype))
    reflected = x - scale * v[:, None] * (v @ x)[None]
    return w @ x, reflected[1:]


def _svec(z):
    """svec(zz^T - I) of the columns: [p(p+1)/2, n]."""
    p = z.shape[0]
    i, j = np.triu_indices(p, 1)
    root2 = np.asarray(math.sqrt(2), z.dtype)
    return jnp.concatenate([z * z - 1, root2 * z[i] * z[j]], 0) if p > 1 else z * z - 1


def quartic_relaxation(z, weights, total):
    """(lambda_min, lambda_max of E zz^T, Q4), E = sum weights (.), total = E 1. z [p, n], weights [n]."""
    eig = jnp.linalg.eigvalsh((z * weights[None]) @ z.T)
    v = _svec(z)
    top = jnp.linalg.eigvalsh((v * weights[None]) @ v.T)[-1]
    return eig[0], eig[-1], top + 2 * eig[-1] - total


def bands(t, z, sigma):
    """Bands of (t, z) at the radii sigma/6 and sigma/2. Empty: mass 0, the rest nan."""
    radii = sigma * jnp.asarray([1 / 6, 0.5], t.dtype)
    target = jax.scipy.special.erf(radii / np.asarray(math.sqrt(2), t.dtype))

    def one(args):
        r, p = args
        inside = (jnp.abs(t) <= r).astype(t.dtype)
        count = jnp.sum(inside)
        low, high, q4 = quartic_relaxation(z, inside / jnp.maximum(count, 1), np.asarray(1, t.dtype))
        empty = jnp.where(count > 0, np.asarray(0, t.dtype), np.asarray(jnp.nan, t.dtype))
        return Bands(count / (np.asarray(t.shape[0], t.dtype) * p), low + empty, high + empty, q4 + empty)

    return jax.lax.map(one, (radii, target))


def verdicts(found, tau):
    """Which of the four parts of T2 and T3 accept: bool [4], mass, lambda_min, lambda_max, Q4; nan rejects."""
    return jnp.stack(
        [
            jnp.all(jnp.abs(found.mass - 1) <= tau),
            jnp.all(found.low >= 1 - 2 * tau),
            jnp.all(found.high <= 1 + 2 * tau),
            jnp.all(found.q4 <= 3 * (1 + 4 * tau)),
        ]
    )


def monomial_deviation(t, z, sigma):
    """T3 by monomials of degree 1 and 2, [2], bands sigma/6 and sigma/2: max |E[m | band] - E_N m|/sqrt(E_N m^2), held against tau.

    E_N m^2 is 1 for z_i and z_i z_j, 3 for z_i^2. Empty: nan. Degree 4 is theory's `monomial_deviation`.
    """
    root3 = np.asarray(math.sqrt(3), t.dtype)
    scale = jnp.where(jnp.eye(z.shape[0], dtype=bool), 1 / root3, 1)

    def one(r):
        inside = (jnp.abs(t) <= r).astype(t.dtype)
        count = jnp.sum(inside)
        weights = inside / jnp.maximum(count, 1)
        second = (z * weights[None]) @ z.T - jnp.eye(z.shape[0], dtype=t.dtype)
        worst = jnp.maximum(jnp.max(jnp.abs(z @ weights)), jnp.max(jnp.abs(second) * scale))
        return jnp.where(count > 0, worst, np.asarray(jnp.nan, t.dtype))  # said outright: a compiler may turn 0/0 of a mask into 0

    return jax.lax.map(one, sigma * jnp.asarray([1 / 6, 0.5], t.dtype))


def t1_top(x):
    """T1 at k = 2: lambda_max(E xx^T), to be held against 2. x [d, n]."""
    return jnp.linalg.eigvalsh(x @ x.T / np.asarray(x.shape[1], x.dtype))[-1]


def _boundaries(r, first, tangent, least):
    """Edges of the greedy slabs of r [n], sorted, from place `first` on: int32 [MAX_SLABS + 1], the last one repeated.

    As theory's `greedy_slabs`: a slab is at least `least` points, a shorter remainder joins the last one.
    """
    n = r.shape[0]

    def cut(start, _):
        a = r[jnp.minimum(start, n - 1)]
        wide = jnp.searchsorted(r, a + jnp.maximum(tangent, a) / 4).astype(jnp.int32)
        end = jnp.maximum(wide, start + least)
        end = jnp.where(n - end < least, n, end)
        return end, end

    _, ends = jax.lax.scan(cut, first, None, length=MAX_SLABS)
    return jnp.concatenate([first[None], ends.at[-1].set(n)])


def wedge(t, z, theta):
    """T4: W(w, theta) of (t [n], z [p, n]). Slabs by segment sums over the sorted points; 1 at theta >= pi/2."""
    p, n = z.shape
    one, edge = np.asarray(1, t.dtype), np.asarray(1.5707, t.dtype)
    tangent = jnp.tan(jnp.minimum(theta, edge))
    i, j = np.triu_indices(p)
    ranked, order = jax.lax.top_k(-t, n)  # on a CPU four times as fast as a sort
    ranked = -ranked
    features = jnp.concatenate([z, z[i] * z[j], jnp.ones((1, n), t.dtype)], 0)[:, order]
    place = jnp.arange(n, dtype=jnp.int32)

    def of_side(positive):
        r = jnp.where(positive, ranked, -ranked[::-1])  # ascending; this side's points come last, 0 among the positive ones
        mine = jax.lax.optimization_barrier(jnp.where(positive, features, features[:, ::-1]))  # else a CPU makes it anew for each sum
        first = jnp.where(positive, jnp.sum(t < 0, dtype=jnp.int32), jnp.sum(t >= 0, dtype=jnp.int32))
        edges = _boundaries(r, first, tangent, np.int32(6 * p))
        slab = jnp.searchsorted(edges, place, side="right").astype(jnp.int32)  # 0: the other side
        sums = jax.ops.segment_sum(mine.T, slab, MAX_SLABS + 1, indices_are_sorted=True)[1:]
        near = r[jnp.minimum(edges[:-1], n - 1)]
        size = jnp.maximum(sums[:, -1], 1)[:, None]
        mean = sums[:, :p] / size
        second = jnp.zeros((MAX_SLABS, p, p), t.dtype).at[:, i, j].set(sums[:, p:-1] / size)
        second = second + jnp.swapaxes(jnp.triu(second, 1), 1, 2)
        spread = second - mean[:, :, None] * mean[:, None, :]
        top, variance = jnp.linalg.eigvalsh(jnp.stack([second, spread]))[:, :, -1]
        reach = near / tangent
        room = reach - jnp.linalg.norm(mean, axis=1)
        cantelli = jnp.where(room > 0, variance / (variance + room * room), one)
        chebyshev = jnp.where(reach > 0, top / (reach * reach), one)
        b = jnp.where(reach > 0, jnp.minimum(jnp.minimum(chebyshev, cantelli), one), one)
        return jnp.sum(jnp.where(sums[:, -1] > 0, sums[:, -1] * b, 0))

    total = jnp.sum(jax.lax.map(of_side, jnp.asarray([True, False]))) / np.asarray(n, t.dtype)
    return jnp.where(theta >= edge, one, jnp.minimum(total, one))


class Weighted(NamedTuple):
    """Kernel-weighted statistics for the certificate."""

    m1: jax.Array
    A: jax.Array
    Q4: jax.Array
    V: jax.Array
    gamma: jax.Array


def weighted(t, z, y, sigma, kernel):
    """`Weighted` of (t, z) with labels y at the candidate."""
    n = np.asarray(t.shape[0], t.dtype)
    slope = kernel_weight(t / sigma, kernel) / (sigma * n)
    low, _, q4 = quartic_relaxation(z, slope, jnp.sum(slope))
    A = jnp.where(q4 > 0, jnp.maximum(low, 0) ** np.asarray(1.5, t.dtype) / jnp.sqrt(jnp.maximum(q4, np.asarray(1e-30, t.dtype))), 0)
    V = jnp.sum(slope * slope * jnp.sum(z * z, 0)) * n
    return Weighted(jnp.sum(slope * jnp.abs(t)), A, q4, V, jnp.linalg.norm(z @ (slope * y)))


def certified_angle(found, keep, lost, factor):
    """theta_c, tan = factor m1/(keep A - gamma - lost); pi/2 where the denominator is not positive."""
    room = keep * found.A - found.gamma - lost
    half_turn = np.asarray(math.pi / 2, room.dtype)
    return jnp.where(room > 0, jnp.arctan(factor * found.m1 / jnp.maximum(room, np.asarray(1e-30, room.dtype))), half_turn)
