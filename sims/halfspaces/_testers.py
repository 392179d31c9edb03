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
    "innermost",
    "monomial_deviation",
    "quartic_relaxation",
    "split",
    "t1_top",
    "verdicts",
    "wedge",
    "wedge_of_sorted",
    "weighted",
]

MAX_SLABS = 64  # a side; widths grow by a quarter from tan(theta)/4 on, so 2e-5 to 12 takes 64
_RIGHT_ANGLE = 1.5707  # from here on W is 1
_BLOCK = 1024  # points of a product
_SLAB_BLOCK = 256  # of one over a slab


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


def _weighing(weights):
    """(places of the positive weights, in order, then n up to a multiple of _BLOCK; how many blocks hold one)."""
    n, inside = weights.shape[0], weights > 0
    room = -(-n // _BLOCK) * _BLOCK
    rank = jnp.cumsum(inside, dtype=jnp.int32)
    places = jnp.full((room,), n, jnp.int32)
    places = places.at[jnp.where(inside, rank - 1, room)].set(jnp.arange(n, dtype=jnp.int32), mode="drop", unique_indices=True)
    return places, (rank[-1] + _BLOCK - 1) // _BLOCK


def quartic_relaxation(z, weights, total):
    """(lambda_min, lambda_max of E zz^T, Q4), E = sum weights (.), total = E 1. z [p, n], weights [n] >= 0.

    Points of weight 0 are left out: in a band they are most.
    """
    p = z.shape[0]
    size = p * (p + 1) // 2
    places, blocks = _weighing(weights)

    def add(i, sums):
        mine = jax.lax.dynamic_slice_in_dim(places, i * _BLOCK, _BLOCK)
        some, share = (jnp.take(a, mine, axis=-1, mode="fill", fill_value=0) for a in (z, weights))
        v = _svec(some)
        return sums[0] + (some * share[None]) @ some.T, sums[1] + (v * share[None]) @ v.T

    second, fourth = jax.lax.fori_loop(0, blocks, add, (jnp.zeros((p, p), z.dtype), jnp.zeros((size, size), z.dtype)))
    eig = jnp.linalg.eigvalsh(second)
    top = jnp.linalg.eigvalsh(fourth)[-1]
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
    d, n = x.shape
    blocks = jnp.pad(x, ((0, 0), (0, -n % _BLOCK)))

    def add(i, total):
        some = jax.lax.dynamic_slice_in_dim(blocks, i * _BLOCK, _BLOCK, 1)
        return total + some @ some.T

    total = jax.lax.fori_loop(0, -(-n // _BLOCK), add, jnp.zeros((d, d), x.dtype))
    return jnp.linalg.eigvalsh(total / np.asarray(n, x.dtype))[-1]


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
    """T4: W(w, theta) of (t [n], z [p, n]); 1 at theta >= pi/2."""
    falling, order = jax.lax.top_k(-t, t.shape[0])  # on a CPU faster than a sort
    return wedge_of_sorted(-falling, z[:, order], theta)


def wedge_of_sorted(t, z, theta):
    """`wedge` of points that come by increasing t: slabs of both sides are stretches of them."""
    p, n = z.shape
    one, edge = np.asarray(1, t.dtype), np.asarray(_RIGHT_ANGLE, t.dtype)
    tangent = jnp.tan(jnp.minimum(theta, edge))
    up, down = t, -t[::-1]  # |t| of the points with t >= 0 ends the first, of the others the second
    negative = jnp.sum(t < 0, dtype=jnp.int32)
    right, left = _boundaries(up, negative, tangent, np.int32(6 * p)), _boundaries(down, n - negative, tangent, np.int32(6 * p))
    # Slabs as stretches of the points by t: the left ones, outermost first, then the right ones.
    starts, stops = jnp.concatenate([n - left[:0:-1], right[:-1]]), jnp.concatenate([n - left[-2::-1], right[1:]])
    near = jnp.concatenate([down[jnp.minimum(left[-2::-1], n - 1)], up[jnp.minimum(right[:-1], n - 1)]])
    row = jnp.concatenate([jnp.ones((1, n), t.dtype), z], 0)
    row = jnp.pad(row, ((0, 0), (0, _SLAB_BLOCK)))

    def moments(stretch):
        """Sums of (1, z)(1, z)^T over a stretch, some points at a time."""
        start, stop = stretch

        def add(k, total):
            place = start + k * _SLAB_BLOCK
            mine = place + jnp.arange(_SLAB_BLOCK, dtype=jnp.int32) < stop
            some = jnp.where(mine, jax.lax.dynamic_slice_in_dim(row, place, _SLAB_BLOCK, 1), 0)
            return total + some @ some.T

        return jax.lax.fori_loop(0, (stop - start + _SLAB_BLOCK - 1) // _SLAB_BLOCK, add, jnp.zeros((p + 1, p + 1), t.dtype))

    total = jnp.sum(_slab_terms(jax.lax.map(moments, (starts, stops)), near, tangent)) / np.asarray(n, t.dtype)
    return jnp.where(theta >= edge, one, jnp.minimum(total, one))


def _slab_terms(sums, near, tangent):
    """Number of points times b of each slab: [slabs]. sums [slabs, p+1, p+1]: of (1, z)(1, z)^T; near [slabs]: its smallest |t|."""
    one, held = np.asarray(1, near.dtype), sums[:, 0, 0]
    size = jnp.maximum(held, 1)
    mean, second = sums[:, 0, 1:] / size[:, None], sums[:, 1:, 1:] / size[:, None, None]
    spread = second - mean[:, :, None] * mean[:, None, :]
    top, variance = jnp.linalg.eigvalsh(second)[:, -1], jnp.linalg.eigvalsh(spread)[:, -1]
    reach = near / tangent
    room = reach - jnp.linalg.norm(mean, axis=1)
    cantelli = jnp.where(room > 0, variance / (variance + room * room), one)
    chebyshev = jnp.where(reach > 0, top / (reach * reach), one)
    b = jnp.where(reach > 0, jnp.minimum(jnp.minimum(chebyshev, cantelli), one), one)
    return jnp.where(held > 0, held * b, 0)


def innermost(t, z, theta):
    """What the innermost slab of each side adds to `wedge`, hence at most W: no point is sorted.

    A slab that would have to be widened, or joined to a remainder, counts as 0.
    """
    p, n = z.shape
    one, edge, least = np.asarray(1, t.dtype), np.asarray(_RIGHT_ANGLE, t.dtype), np.int32(6 * p)
    tangent = jnp.tan(jnp.minimum(theta, edge))
    row = jnp.concatenate([jnp.ones((1, n), t.dtype), z], 0)

    def side(mine):
        r = jnp.where(mine, jnp.abs(t), jnp.inf)
        near = jnp.min(r)
        inside = r < near + jnp.maximum(tangent, near) / 4
        num, others = jnp.sum(inside, dtype=jnp.int32), jnp.sum(mine & ~inside, dtype=jnp.int32)
        whole = (num >= least) & (others >= least)
        sums = jnp.where(inside & whole, row, 0) @ row.T
        return sums, jnp.where(whole, near, one)

    sums, near = (jnp.stack(parts) for parts in zip(side(t >= 0), side(t < 0), strict=True))
    total = jnp.sum(_slab_terms(sums, near, tangent)) / np.asarray(n, t.dtype)
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
    V = jnp.sum((z * slope[None]) ** 2) * n  # one sum: over the coordinates first takes ten times as long on a CPU
    return Weighted(jnp.sum(slope * jnp.abs(t)), A, q4, V, jnp.linalg.norm(z @ (slope * y)))


def certified_angle(found, keep, lost, factor):
    """theta_c, tan = factor m1/(keep A - gamma - lost); pi/2 where the denominator is not positive."""
    room = keep * found.A - found.gamma - lost
    half_turn = np.asarray(math.pi / 2, room.dtype)
    return jnp.where(room > 0, jnp.arctan(factor * found.m1 / jnp.maximum(room, np.asarray(1e-30, room.dtype))), half_turn)
