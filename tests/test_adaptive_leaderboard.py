"""adaptive.ladder: both simulators of boosting a leaderboard, against a plain loop and against each other."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sims.adaptive import _leaderboard
from theory.adaptive import _ladder as ladder

FALSE_FAIL = 1e-6  # probability that one statistical assertion below fails although the code is right


@functools.cache
def _batched(simulate):
    return jax.jit(jax.vmap(simulate, in_axes=(0, None)))


def _draw(simulate, prepared, num_replicates, seed, batch=64):
    """float64 [num_replicates] by name; all tests of a simulator share one program for a batch size."""
    batch = min(batch, num_replicates)
    words = np.random.default_rng(seed).integers(0, 2**32, (num_replicates // batch, batch, 2), np.uint32)
    parts = [_batched(simulate)(jax.random.wrap_key_data(w), prepared) for w in words]
    return jax.tree.map(lambda *a: np.concatenate([np.asarray(x, np.float64) for x in a]), *parts)


def _plain_board(wrong, board, step):
    """(last report, number kept) of boosting the submissions `wrong` (0/1 [k - 1, n]) on one leaderboard."""
    n = wrong.shape[1]
    kept, report, last = [], math.inf, None
    for vector in wrong:
        loss = vector.mean()
        if board == "board":
            accept = round(float(loss), 5) < 0.5
        elif last is None:
            accept = True
        elif board == "fixed":
            accept = loss < report - step
        else:
            accept = report - loss > (vector - last).std() / math.sqrt(n)
        if accept:
            kept.append(vector)
            last, report = vector, round(float(loss) / step) * step if board == "fixed" else loss
    votes = np.sum(kept, axis=0)
    vote = np.where(2 * votes == len(kept), 0.5, 2 * votes > len(kept))
    loss = vote.mean()
    if board == "board":
        return round(float(loss), 5), len(kept)
    if board == "fixed":
        return (round(float(loss) / step) * step if loss < report - step else report), len(kept)
    better = report - loss > (vote - last).std() / math.sqrt(n)
    return (round(float(loss) * n) / n if better else report), len(kept)


@pytest.mark.claim("adaptive.ladder")
@pytest.mark.parametrize("board", _leaderboard.BOARDS)
@pytest.mark.parametrize(("n", "k", "step"), [(101, 1500, None), (128, 40, 0.031), (115, 1026, 0.017)])
def test_leaderboard_equals_a_plain_loop_on_the_same_bits(board, n, k, step):
    prepared = _leaderboard.prepare_ladder(_leaderboard.LadderCell(n, k, 0.05), board)
    if step is not None:
        prepared = _leaderboard.LeaderboardPrepared(**{**vars(prepared), "step": step})
    keys = jax.random.split(jax.random.key(23), 6)
    for key in keys:
        tiles = [
            np.asarray(jax.random.bits(jax.random.fold_in(jax.random.clone(key), t), (prepared.words, _leaderboard.TILE), jnp.uint32))
            for t in range(int(prepared.tiles))
        ]
        words = np.concatenate(tiles, axis=1)[:, : k - 1]  # [words, k - 1]
        bits = (words[:, None, :] >> np.arange(32, dtype=np.uint32)[None, :, None]) & 1
        wrong = bits.reshape(-1, k - 1)[:n].T.astype(float)
        report, kept = _plain_board(wrong, board, prepared.step)
        drawn = {name: float(v[0]) for name, v in _batched(_leaderboard.simulate_leaderboard)(key[None], prepared).items()}
        assert drawn["accepted"] == kept
        assert drawn["reported"] == pytest.approx(report, abs=1.01e-5 if board == "board" else 1e-6)


@pytest.mark.claim("adaptive.ladder")
def test_boosting_breaks_the_plain_board_at_ten_thousand_submissions_and_not_at_three():
    for k, breaks in ((3000, 0), (10_000, 1)):
        cell = _leaderboard.LadderCell(4000, k, 0.05)
        drawn = _draw(_leaderboard.simulate_leaderboard, _leaderboard.prepare_ladder(cell, "board"), 8, seed=24)
        assert np.all(drawn["x"] == breaks)
        assert drawn["reported"].mean() == pytest.approx(ladder.board_loss(4000, k), abs=0.015)  # 5 sd of the mean: .008
    for board in ("fixed", "free"):
        cell = _leaderboard.LadderCell(4000, 1000, 0.05)
        drawn = _draw(_leaderboard.simulate_leaderboard, _leaderboard.prepare_ladder(cell, board), 64, seed=25)
        assert drawn["x"].max() == 0
        assert drawn["reported"].mean() == pytest.approx(0.468 if board == "fixed" else 0.478, abs=0.004)


def _same_law(x, y):
    """p-value that two samples of a discrete law are one law's: chi-square, values seen less than 20 times pooled."""
    values, place = np.unique(np.round(np.concatenate([x, y]), 6), return_inverse=True)
    table = np.array([np.bincount(part, minlength=len(values)) for part in (place[: len(x)], place[len(x) :])])
    often = table.sum(0) >= 20
    table = np.column_stack([table[:, often], table[:, ~often].sum(1)])
    return stats.chi2_contingency(table[:, table.sum(0) > 0]).pvalue


@pytest.mark.claim("adaptive.ladder")
@pytest.mark.parametrize("board", ["fixed", "free"])
@pytest.mark.parametrize(("n", "k", "step"), [(101, 1500, 0.02), (115, 90, 0.017)])
def test_drawing_only_what_may_be_accepted_has_the_law_of_drawing_every_bit(board, n, k, step):
    prepared = _leaderboard.prepare_ladder(_leaderboard.LadderCell(n, k, 0.05), board)
    prepared = _leaderboard.LeaderboardPrepared(**{**vars(prepared), "step": step})
    bitwise = _draw(_leaderboard.simulate_leaderboard, prepared, 2048, seed=26)
    thrifty = _draw(_leaderboard.simulate_ladder, prepared, 2048, seed=27)
    assert 2 < thrifty["accepted"].mean() < 6
    for name in ("reported", "accepted"):
        assert _same_law(bitwise[name], thrifty[name]) > FALSE_FAIL


def test_a_random_subset_has_its_size_and_takes_every_point_equally_often():
    real = jnp.arange(64, dtype=jnp.int32) < 50
    draw = jax.jit(jax.vmap(lambda key, size: _leaderboard._subset(key, size, real)))
    sizes = (0, 13, 50)
    drawn = [
        np.asarray(draw(keys, jnp.full(4096, size, jnp.int32)))
        for keys, size in zip(jax.random.split(jax.random.key(28), (3, 4096)), sizes, strict=True)
    ]
    for inside, size in zip(drawn, sizes, strict=True):
        assert np.all(inside.sum(1) == size)
        assert not inside[:, 50:].any()
    assert stats.chisquare(drawn[1][:, :50].sum(0)).pvalue > FALSE_FAIL  # a set's points repel each other: on the safe side
