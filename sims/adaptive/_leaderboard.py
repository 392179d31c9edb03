"""adaptive.ladder: boosting random submissions against leaderboards, bit by bit or only where one may be accepted."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import binom

from sims._experiment import register
from sims.adaptive import _cells
from sims.adaptive._attack import _column_counts
from sims.adaptive._cells import COINS
from theory.adaptive import _ladder

BOARDS = ("board", "fixed", "free")
TILE = 1024  # submissions drawn at a time
_RARE = 64 * math.log(2)  # what has a probability below 2^-64 is taken as impossible


@dataclasses.dataclass(frozen=True)
class LadderCell:
    """n points behind the leaderboard, k submissions (the last one is the boosted vote), failure beta."""

    n: int
    k: int
    beta: float


@dataclasses.dataclass(frozen=True)
class BoostCell:
    """As `LadderCell`, on the leaderboard named: "board" (five decimals), "fixed" or "free" (Ladder, step fixed or not)."""

    n: int
    k: int
    board: str


@register
@dataclasses.dataclass(frozen=True)
class LeaderboardPrepared:
    words: int  # static: uint32 words for n points
    n: np.ndarray  # int32 []
    guesses: np.ndarray  # int32 []: k - 1 random submissions
    tiles: np.ndarray  # int32 []
    board: np.ndarray  # int32 []: index into BOARDS
    step: float  # of the fixed-step Ladder
    bound: float
    below: np.ndarray  # float32 [words * COINS + 1]: P[at most w of n labels are wrong]


def validate_ladder(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.ladder"
    _cells.require(_cells.is_count(cell.n, cell.k), fn, f"n and k must be positive integers, got n={cell.n}, k={cell.k}.")
    ok = cell.n <= 2**17 and 2 <= cell.k <= 2**24
    _cells.require(ok, fn, f"n <= 2^17 and 2 <= k <= 2^24 are allowed, got n={cell.n}, k={cell.k}.")
    if isinstance(cell, BoostCell):
        _cells.require(cell.board in BOARDS, fn, f"board must be one of {', '.join(BOARDS)}, got {cell.board!r}.")
    else:
        _cells.require(_cells.in_unit(cell.beta), fn, f"beta must lie in (0, 1), got {cell.beta}.")


def prepare_ladder(cell, board):
    """LadderCell -> LeaderboardPrepared on the leaderboard named."""
    words = -(-cell.n // COINS)
    return LeaderboardPrepared(
        words=words,
        n=np.int32(cell.n),
        guesses=np.int32(cell.k - 1),
        tiles=np.int32(-(-(cell.k - 1) // TILE)),
        board=np.int32(BOARDS.index(board)),
        step=float(_ladder.ladder_step(cell.n, cell.k)),
        bound=_ladder.ladder_bound(cell.n, cell.k, cell.beta),
        below=binom.cdf(np.arange(words * COINS + 1), cell.n, 0.5).astype(np.float32),
    )


def prepare_boost(cell):
    """BoostCell -> LeaderboardPrepared; failures are counted against the bound at 1/20."""
    return prepare_ladder(LadderCell(cell.n, cell.k, 0.05), cell.board)


def _ones(words):
    """uint32 [words, ...] -> int32 [...]: bits set."""
    return jax.lax.population_count(words).astype(jnp.int32).sum(0, dtype=jnp.int32)


def _reported(prepared, loss):
    """What the Ladder reports for an accepted loss, float32 []."""
    size = prepared.n.astype(jnp.float32)
    return jnp.where(prepared.board == 1, jnp.round(loss / prepared.step) * prepared.step, jnp.round(loss * size) / size)


def simulate_leaderboard(key, prepared):
    """1 if the last report is off the truth 1/2 by more than the bound, else 0. float32 []; `reported` loss, `accepted`.

    A submission is a word string whose ones are its wrong labels: n fair coins. The analyst keeps what the Ladder accepts,
    or what the plain board reports below 1/2, and submits the majority vote (ties count 1/2) last. The parameter-free
    Ladder accepts a loss lower by d than the last accepted one, at sd v of the loss vectors' differences, if d > v/sqrt(n);
    in counts of wrong labels, D differing points and improvement a: a > 0 and a^2 (n + 1) > D n, that is a^2 >= D.
    """
    n, size = prepared.n, prepared.n.astype(jnp.float32)
    submission = jnp.arange(TILE, dtype=jnp.int32)
    point = jnp.arange(prepared.words * COINS, dtype=jnp.int32).reshape(prepared.words, COINS)
    real = point < n
    place = jnp.arange(COINS, dtype=jnp.uint32)[None, :]
    keep = (real.astype(jnp.uint32) << place).sum(1, dtype=jnp.uint32)  # [words]
    plain, fixed = prepared.board == 0, prepared.board == 1

    def unpacked(word):  # 0 or 1, int32 [words, COINS]
        return ((word[:, None] >> place) & 1).astype(jnp.int32)

    def judge_tile(tile, state):
        words = jax.random.bits(jax.random.fold_in(key, tile), (prepared.words, TILE), jnp.uint32) & keep[:, None]
        wrong = _ones(words)
        asked = tile * TILE + submission < prepared.guesses

        def next_accepted(inner):
            start, votes, accepted, last, count, report = inner
            gain = count - wrong
            enough = (gain > 0) & (gain * gain >= _ones(words ^ last[:, None]))
            enough = jnp.where(fixed, wrong.astype(jnp.float32) / size < report - prepared.step, enough)
            good = asked & (submission >= start) & (enough | jnp.isinf(report))
            at, found = jnp.argmax(good), good.any()
            return (
                jnp.where(found, at.astype(jnp.int32) + 1, TILE),
                votes + jnp.where(found, unpacked(words[:, at]), 0),
                accepted + found.astype(jnp.int32),
                jnp.where(found, words[:, at], last),
                jnp.where(found, wrong[at], count),
                jnp.where(found, _reported(prepared, wrong[at].astype(jnp.float32) / size), report),
            )

        def ladder(state):
            return jax.lax.while_loop(lambda inner: inner[0] < TILE, next_accepted, (jnp.int32(0), *state))[1:]

        def board(state):
            votes, accepted, *rest = state
            kept = asked & (2 * wrong < n)
            votes = votes + _column_counts(jnp.where(kept[None, :], words, jnp.uint32(0)))
            return votes, accepted + kept.sum(dtype=jnp.int32), *rest

        return jax.lax.cond(plain, board, ladder, state)

    zero = jnp.int32(0)
    none = (jnp.zeros((prepared.words, COINS), jnp.int32), zero, jnp.zeros(prepared.words, jnp.uint32), zero, jnp.float32(jnp.inf))
    votes, accepted, last, count, report = jax.lax.fori_loop(0, prepared.tiles, judge_tile, none)

    return _submit_vote(prepared, votes, accepted, unpacked(last), count, report)


def _submit_vote(prepared, votes, accepted, last, count, report):
    """The boosted vote as the last submission: what both simulators return.

    votes: int32 [...], at every point the accepted submissions that are wrong there. last: int32 of that shape, 0 or 1, the last
    accepted one's wrong labels, `count` of them; report: what the board says of it.
    """
    size = prepared.n.astype(jnp.float32)
    real = jnp.arange(votes.size, dtype=jnp.int32).reshape(votes.shape) < prepared.n
    plain, fixed = prepared.board == 0, prepared.board == 1
    vote = jnp.where(real, 1 + jnp.sign(2 * votes - accepted), 0)  # twice the loss at each point: 0, 1, 2
    loss = vote.sum(dtype=jnp.int32).astype(jnp.float32) / (2 * size)
    squares = ((vote - 2 * last) ** 2).sum(dtype=jnp.int32).astype(jnp.float32) / (4 * size)
    gain = count.astype(jnp.float32) / size - loss
    better = jnp.where(fixed, loss < report - prepared.step, (gain > 0) & (gain**2 * (size + 1) > squares))
    report = jnp.where(better, _reported(prepared, loss), report)
    report = jnp.where(plain, jnp.round(loss * 1e5) / 1e5, report)
    return {
        "x": (jnp.abs(report - 0.5) > prepared.bound).astype(jnp.float32),
        "tie": jnp.abs(jnp.abs(report - 0.5) - prepared.bound) < 1e-6,
        "reported": report,
        "accepted": accepted.astype(jnp.float32),
    }


def _subset(key, size, real):
    """A uniformly random set of `size` of the real points, bool [points]: those with the least of as many random words.

    Two equal words at the edge, which happens once in 2^32 / points sets, leave it one point short.
    """
    word = jnp.where(real, jax.random.bits(key, real.shape, jnp.uint32), jnp.uint32(0xFFFFFFFF))

    def next_bit(i, edge):  # the largest edge that has at most `size` words below it, bit by bit
        higher = edge | (jnp.uint32(1) << (31 - i).astype(jnp.uint32))
        return jnp.where((word < higher).sum(dtype=jnp.int32) <= size, higher, edge)

    return word < jax.lax.fori_loop(0, 32, next_bit, jnp.uint32(0))


def simulate_ladder(key, prepared):
    """`simulate_leaderboard` for the two Ladders, same law: only submissions that may be accepted are drawn.

    A random submission has Binomial(n, 1/2) wrong labels, and given their number any set of points is as likely. Next to an
    accepted one with c wrong labels a submission with w of them can be accepted
    - on the Ladder of fixed step iff its loss is low enough: the set does not matter;
    - on the parameter-free one only if c > w and (c - w)^2 >= D, the points where the two differ. D is c + w less twice a
      hypergeometric number of mean c w/n, which exceeds it by s with probability <= exp(-2 s^2/w) (Hoeffding 1963, section 6).
    So a submission may be accepted iff w <= some w_0. How many pass until one may is geometric; its w, its set follow.
    """
    n, size = prepared.n, prepared.n.astype(jnp.float32)
    key_first, key_next = jax.random.split(key)
    real = jnp.arange(prepared.words * COINS, dtype=jnp.int32) < n
    wrongs = jnp.arange(prepared.words * COINS + 1, dtype=jnp.int32)
    fixed = prepared.board == 1

    def unit(key):  # in (0, 1]
        return (jax.random.bits(key, (), jnp.uint32).astype(jnp.float32) + 0.5) * jnp.float32(2.0**-32)

    def most_wrong(count, report):
        w = wrongs.astype(jnp.float32)
        gain = count.astype(jnp.float32) - w
        apart = 2 * w + gain - 2 * (count.astype(jnp.float32) * w / size + jnp.sqrt(_RARE / 2 * w))
        good = jnp.where(fixed, w / size < report - prepared.step, (gain > 0) & (gain * gain >= apart - 1))
        return jnp.max(jnp.where(good, wrongs, -1))

    def next_candidate(state):
        i, asked, votes, accepted, last, count, report = state
        key_skip, key_wrong, key_set = jax.random.split(jax.random.fold_in(key_next, i), 3)
        most = most_wrong(count, report)
        p = jnp.where(most >= 0, prepared.below[jnp.maximum(most, 0)], 0.0)
        skipped = jnp.minimum(jnp.log(unit(key_skip)) / jnp.log1p(-p), 2.0**30).astype(jnp.int32)
        asked = asked + 1 + skipped
        wrong = (prepared.below < unit(key_wrong) * p).sum(dtype=jnp.int32)
        there = _subset(key_set, wrong, real).astype(jnp.int32)
        gain = count - wrong
        take = (asked <= prepared.guesses) & (fixed | (gain * gain >= (there ^ last).sum(dtype=jnp.int32)))
        return (
            i + 1,
            asked,
            votes + jnp.where(take, there, 0),
            accepted + take.astype(jnp.int32),
            jnp.where(take, there, last),
            jnp.where(take, wrong, count),
            jnp.where(take, _reported(prepared, wrong.astype(jnp.float32) / size), report),
        )

    first = jnp.where(real, jax.random.bits(key_first, real.shape, jnp.uint8) & 1, 0).astype(jnp.int32)
    count = first.sum(dtype=jnp.int32)
    one = jnp.int32(1)  # the first submission is accepted as it comes
    state = (jnp.int32(0), one, first, one, first, count, _reported(prepared, count.astype(jnp.float32) / size))
    _, _, *state = jax.lax.while_loop(lambda state: state[1] < prepared.guesses, next_candidate, state)
    return _submit_vote(prepared, *state)
