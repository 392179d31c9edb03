"""adaptive.fig2, fig3, fig4: the reusable-holdout experiment, lazily at 3 numbers a row for each k, and in full.

One simulator serves both arms: the standard analyst is the one whose Thresholdout has threshold and noise 0, so that every
attribute is released exactly. The lazy sampler draws the weights of all attributes, selects, and then only the sums that
the classifier uses. Given its mean weight, a column of n rows is normal about it, independently of other columns, so the
columns between two values of k add up to one normal number a row about the sum of their weights: one group instead of up to
500 columns where a single k is judged, 12 for a whole curve, with the same law. `simulate_full` draws labels and every
attribute; a test holds one against the other.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from sims._experiment import cell_fields, register
from sims.adaptive import _cells
from theory.adaptive import _reusable

GRID = (10, 20, 30, 45, 70, 100, 150, 200, 250, 300, 400, 500)  # attributes used in the published figure, 0 left out
MOST = 512  # attributes ranked, at least the largest k
PADDED = 10_240  # attributes drawn; more in steps of this
ROWS = 2048  # rows drawn at a time
COLUMNS = 8  # attributes drawn at a time by the full sampler
ARMS = ("standard", "thresholdout")
MEASURES = ("train", "holdout", "fresh", "reported")


@dataclasses.dataclass(frozen=True)
class HoldoutCell:
    """n points in each set, d attributes without signal, accuracy judged at the k largest."""

    n: int
    d: int
    k: int


@dataclasses.dataclass(frozen=True)
class SignalCell:
    """As HoldoutCell with 20 attributes of mean 6/sqrt(n) times the label; the analyst's arm."""

    n: int
    d: int
    k: int
    arm: str


@dataclasses.dataclass(frozen=True)
class PictureCell:
    """A whole curve over GRID: n points in each set, d attributes, the analyst's arm, with or without signal."""

    n: int
    d: int
    arm: str
    signal: bool


@register
@dataclasses.dataclass(frozen=True)
class HoldoutPrepared:
    """One experiment; `weights` [measures, grid] says which combination of accuracies is the judged number."""

    padded: int  # static: attributes drawn, the surplus discarded
    n: np.ndarray  # int32 []
    d: np.ndarray  # int32 []
    grid: np.ndarray  # int32 [12], ascending: GRID for a picture, else the cell's k repeated
    groups: np.ndarray  # int32 []: different values in grid
    weights: np.ndarray  # float [4, 12]
    sd: float  # of a weight, 1/sqrt(n)
    shift: float  # mean of the attributes with signal
    cut: float  # weights must exceed this
    threshold: float  # Thresholdout's
    tolerance: float  # sd of its noise


@register
@dataclasses.dataclass(frozen=True)
class FullPrepared(HoldoutPrepared):
    """As HoldoutPrepared, for the full sampler: exactly d attributes are drawn, and the rows are static too."""

    rows: int  # static, n


def validate_holdout(cell):
    """Raises: ValueError naming the field, what is allowed and what came."""
    fn = "adaptive.fig"
    _cells.require(_cells.is_count(cell.n, cell.d), fn, f"n and d must be positive integers, got n={cell.n}, d={cell.d}.")
    _cells.require(cell.n < 2**24 and cell.d <= 2**20, fn, f"n < 2^24 and d <= 2^20 are allowed, got n={cell.n}, d={cell.d}.")
    arm = getattr(cell, "arm", ARMS[0])
    _cells.require(arm in ARMS, fn, f"arm must be one of {', '.join(ARMS)}, got {arm!r}.")
    if isinstance(cell, SignalCell) or getattr(cell, "signal", False):
        _cells.require(cell.d >= _reusable.SIGNAL_COLUMNS, fn, f"d must be at least {_reusable.SIGNAL_COLUMNS} with signal, got {cell.d}.")
    k, most = getattr(cell, "k", 1), min(cell.d, GRID[-1])
    _cells.require(_cells.is_count(k) and k <= most, fn, f"k must be an integer in 1..min(d, {GRID[-1]})={most}, got {k}.")


def prepare_holdout(cell, *, judged, arm=None, signal=False, sums=False):
    """Cell -> HoldoutPrepared.

    judged: measure -> its factor in the judged number, at the cell's k (at 500 in a picture). arm, signal: of the world,
    where the cell does not say. sums: weights are sums, as in the text, but the cut-off stays 1/sqrt(n).
    """
    arm, signal = getattr(cell, "arm", arm), getattr(cell, "signal", signal)
    grid = np.array(GRID if isinstance(cell, PictureCell) else (cell.k,) * len(GRID), dtype=np.int32)
    weights = np.zeros((len(MEASURES), len(grid)))
    for measure, factor in judged.items():
        weights[MEASURES.index(measure), -1] = factor
    root = math.sqrt(cell.n)
    released = arm == "standard"
    return HoldoutPrepared(
        padded=-(-cell.d // PADDED) * PADDED,
        n=np.int32(cell.n),
        d=np.int32(cell.d),
        grid=grid,
        groups=np.int32(len(np.unique(grid))),
        weights=weights,
        sd=1 / root,
        shift=_reusable.SIGNAL_STRENGTH / root if signal else 0.0,
        cut=1 / (root * cell.n) if sums else 1 / root,
        threshold=0.0 if released else _reusable.THRESHOLD / root,
        tolerance=0.0 if released else 1 / root,
    )


def prepare_full(cell, **world):
    """Cell -> FullPrepared; arguments as `prepare_holdout`."""
    lazy = dataclasses.replace(prepare_holdout(cell, **world), padded=cell.d)
    return FullPrepared(**cell_fields(lazy), rows=cell.n)


def _select(train, holdout, noise, prepared):
    """The analyst's choice among weights [columns]: (index [MOST], sign [MOST], kept [MOST], number kept, number released).

    noise [2, columns]: standard normals for Thresholdout's comparisons and releases. Attributes come by decreasing |train
    weight|; `kept` is False beyond the number kept.
    """
    column = jnp.arange(train.shape[0], dtype=jnp.int32)
    real = column < prepared.d
    compare, release = prepared.tolerance * noise
    released = jnp.abs(train - holdout) > prepared.threshold + compare
    seen = jnp.where(released, holdout + release, train)
    size = jnp.abs(train)
    kept = real & (train * seen > 0) & (size > prepared.cut) & (jnp.abs(seen) > prepared.cut)
    rank, index = jax.lax.top_k(jnp.where(kept, size, -1.0), min(MOST, train.shape[0]))
    return index, jnp.sign(train[index]), rank > 0, kept.sum(dtype=jnp.int32), (released & real).sum(dtype=jnp.int32)


def _summary(key, accuracy, num_kept, num_released, prepared):
    """Accuracies [3, grid] (train, holdout, fresh) and what Thresholdout reports -> the replicate's record."""
    train, holdout, fresh = accuracy
    compare, release = prepared.tolerance * jax.random.normal(key, (2, train.shape[0]), jnp.float32)
    released = jnp.clip(holdout + release, 0.0, 1.0)  # an accuracy; out of reach but for tiny n
    reported = jnp.where(jnp.abs(train - holdout) < prepared.threshold + compare, train, released)
    measures = jnp.stack([train, holdout, fresh, reported])
    return {
        "x": (prepared.weights * measures).sum(),
        "k": prepared.grid.astype(jnp.float32),
        **dict(zip(MEASURES, measures, strict=True)),
        "num_kept": num_kept.astype(jnp.float32),
        "num_released": num_released.astype(jnp.float32),
    }


def simulate_lazy(key, prepared):
    """One repetition: the judged number x; `train`, `holdout`, `fresh`, `reported` accuracy at `k` [12], `num_kept`, `num_released`.

    A score of 0 counts as wrong; where fewer than k attributes are kept, all of them are used. float32.
    """
    key_weights, key_rows, key_report = jax.random.split(key, 3)
    columns = jnp.arange(prepared.padded, dtype=jnp.int32)
    mean = jnp.where(columns < _reusable.SIGNAL_COLUMNS, prepared.shift, 0.0)
    unit = jax.random.normal(key_weights, (4, prepared.padded), jnp.float32)
    train, holdout = mean[None, :] + prepared.sd * unit[:2]
    index, sign, kept, num_kept, num_released = _select(train, holdout, unit[2:], prepared)

    # Group g: the attributes that the g-th value of k uses and the one before does not.
    place = jnp.arange(MOST, dtype=jnp.int32)
    before = jnp.concatenate([jnp.zeros(1, jnp.int32), prepared.grid[:-1]])
    member = kept[None, :] & (place[None, :] >= before[:, None]) & (place[None, :] < prepared.grid[:, None])  # [grid, MOST]
    signed = sign[:, None] * jnp.stack([train, holdout, mean], axis=1)[index]  # [MOST, 3]
    total = jnp.where(member[:, :, None], signed[None, :, :], 0.0).sum(1)  # [grid, 3]
    scale = jnp.sqrt(member.sum(1, dtype=jnp.int32).astype(jnp.float32))
    accuracy = _row_accuracy(key_rows, total, scale, prepared.groups, prepared.n)
    return _summary(key_report, accuracy, num_kept, num_released, prepared)


def _row_accuracy(key, total, scale, num_groups, n):
    """Share of n rows with a positive running sum over groups: float32 [3, grid], sets train, holdout, fresh.

    Only the first num_groups are drawn; beyond them the sum stays as it is. Group g adds `total[g]` + `scale[g]` times a
    standard normal to a row's score; on train and holdout the normals of a group average exactly 0 over the n rows, as the
    weights are given. Rows come in blocks. A block's average is drawn given what the rows after it have to make up for: from
    N(owed/left, 1/rows - 1/left).
    """
    groups = total.shape[0]
    place = jnp.arange(ROWS, dtype=jnp.int32)
    given = jnp.array([True, True, False])

    def add_block(block, state):
        owed, right = state  # [grid, 3], [grid, 3]
        key_bridge, key_block = jax.random.split(jax.random.fold_in(key, block))
        left = (n - block * ROWS).astype(jnp.float32)
        valid = block * ROWS + place < n
        rows = jnp.minimum(left, jnp.float32(ROWS))
        spread = jnp.sqrt(jnp.maximum(1 / rows - 1 / left, 0.0))
        average = owed / left + spread * jax.random.normal(key_bridge, owed.shape, jnp.float32)

        def add_group(group, state):
            score, counts = state
            unit = jax.random.normal(jax.random.fold_in(key_block, group), (3, ROWS), jnp.float32)
            own = jnp.where(valid[None, :], unit, 0.0).sum(1) / rows
            centred = unit + jnp.where(given, average[group] - own, 0.0)[:, None]
            score = score + total[group][:, None] + scale[group] * centred
            count = ((score > 0) & valid[None, :]).sum(1, dtype=jnp.int32)
            return score, jnp.where(jnp.arange(groups, dtype=jnp.int32)[:, None] >= group, count, counts)

        start = jnp.zeros((3, ROWS), jnp.float32), jnp.zeros((groups, 3), jnp.int32)
        counts = jax.lax.fori_loop(0, num_groups, add_group, start)[1]
        return owed - rows * average, right + counts

    blocks = (n + (ROWS - 1)) // ROWS
    start = (jnp.zeros((groups, 3), jnp.float32), jnp.zeros((groups, 3), jnp.int32))
    _, right = jax.lax.fori_loop(0, blocks, add_block, start)
    return right.T.astype(jnp.float32) / n.astype(jnp.float32)


def simulate_full(key, prepared):
    """As `simulate_lazy`, with labels and every attribute drawn: 2 n d normals, and 3 n a selected attribute.

    Attribute j is a function of the key and j, so that selected ones are drawn again instead of being kept.
    """
    rows = prepared.rows
    key_labels, key_columns, key_select, key_report = jax.random.split(key, 4)
    labels = jnp.where(jax.random.bernoulli(key_labels, 0.5, (3, rows)), jnp.float32(1), jnp.float32(-1))

    def attribute(j):
        """float32 [3, rows]: attribute j in the training set, the holdout and the fresh set."""
        noise = jax.random.normal(jax.random.fold_in(key_columns, j), (3, rows), jnp.float32)
        return noise + jnp.where(j < _reusable.SIGNAL_COLUMNS, prepared.shift, 0.0) * labels

    def weights(j):
        return (attribute(j) * labels).sum(1)[:2] / rows

    every = jnp.arange(prepared.padded, dtype=jnp.int32)
    train, holdout = jax.lax.map(weights, every, batch_size=COLUMNS).T
    noise = jax.random.normal(key_select, (2, prepared.padded), jnp.float32)
    index, sign, kept, num_kept, num_released = _select(train, holdout, noise, prepared)

    def add_column(score, chosen):
        j, s, used = chosen
        score = score + jnp.where(used, s, 0.0) * attribute(j)
        return score, (score * labels > 0).sum(1, dtype=jnp.int32)

    _, right = jax.lax.scan(add_column, jnp.zeros((3, rows), jnp.float32), (index, sign, kept))
    at = jnp.minimum(prepared.grid, index.shape[0]) - 1  # beyond the attributes kept nothing changes
    return _summary(key_report, right[at].T.astype(jnp.float32) / rows, num_kept, num_released, prepared)
