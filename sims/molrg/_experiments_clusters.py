"""Cells, presets and budgets on subspace clustering, trained denoisers and the paper's figures."""

from __future__ import annotations

import functools
import math

from sims._experiment import Experiment
from sims.molrg import _clusters, _digits, _mlp, _pca, _training
from sims.molrg._clusters import ClusterCell, StartsCell
from sims.molrg._digits import ClassesCell, DigitCell
from sims.molrg._experiments_recovery import coin, indicator
from sims.molrg._mlp import MlpCell
from sims.molrg._pca import MapCell, PhaseCell
from sims.molrg._training import TrainCell

__all__ = ["EXPERIMENTS"]

_partial = functools.partial

# --- Theorem 4 (i) ----------------------------------------------------------------------------------------------------------

_LIVE = tuple(ClusterCell(48, 2, d, N, 0.01) for d, N in ((2, 6), (2, 10), (2, 18), (4, 6), (4, 8), (4, 12), (4, 20)))
_EMPTY = (
    ClusterCell(48, 2, 4, 5, 0.01),  # the promised probability is 0
    ClusterCell(48, 2, 4, 20, 0.1),  # the bound exceeds every err there is
)  # fmt: skip
_CLUSTERS_GPU = (ClusterCell(512, 4, 8, 64, 0.001), ClusterCell(512, 6, 8, 64, 0.001))


def _never():
    return coin(0.0)  # no violation in 512 draws of another seed, in any live cell


def _nearly_always():
    return coin(0.996)


def _cluster(check, cells, prepare, expected, ask=None):
    return Experiment(
        check=f"molrg.thm4i/{check}",
        cells={"smoke": (), "default": cells, "gpu": _CLUSTERS_GPU},
        ask=ask,
        validate=_clusters.validate_cluster,
        prepare=prepare,
        simulate=_clusters.simulate_cluster,
        support=indicator,
        expected=expected,
        max_replicates={"default": 416, "gpu": 10_000},
        chunk=32,
        block=16,
        seconds_per_replicate=0.002,
        bytes_per_replicate=1e6,
        x64=True,
    )


_WITHOUT_WIDEST = tuple(c for c in _LIVE if (c.d, c.N_k) != (4, 6))
_THEOREM = (
    _cluster("spectral", (*_LIVE, *_EMPTY), _clusters.prepare_cluster, _never, ask=_LIVE[2]),
    _cluster("spectral!c1-third", _WITHOUT_WIDEST, _partial(_clusters.prepare_cluster, c1=0.3), _nearly_always),
)

# --- trained denoisers --------------------------------------------------------------------------------------------------------

# Shares from 64 to 256 runs of another seed.
_PCA_RUNS = (TrainCell(48, 1, 4, 8, 0.01), TrainCell(48, 1, 4, 16, 0.01))
_SC_RUNS = (TrainCell(48, 2, 2, 8, 0.01),)
_DAE_MAP = tuple(TrainCell(48, 1, d, N, 0.01) for d in (4, 8) for N in (d, d + 1, d + 4, 16))


def _far_one(N_k):
    return coin({8: 0.02, 16: 0.004}.get(N_k, 0.02))


def _short_one(N_k):
    return coin({8: 0.87, 16: 0.57}.get(N_k, math.nan))


def _far_two():
    return coin(0.016)


def _always():
    return coin(1.0)


def _train(check, cells, expected=None, ask=None, replicates=224, **world):
    return Experiment(
        check=f"molrg.{check}",
        cells={"smoke": (), "default": cells, "gpu": cells},
        ask=ask,
        validate=_training.validate_train,
        prepare=_partial(_training.prepare_train, **world),
        simulate=_training.simulate_train,
        support=indicator,
        expected=expected,
        max_replicates={"default": replicates, "gpu": 1024},
        chunk=32,
        block=16,
        seconds_per_replicate=0.012,
        bytes_per_replicate=1e6,
    )


_TRAINED = (
    _train("thm1/trained", _PCA_RUNS, _far_one, ask=_PCA_RUNS[0]),
    _train("thm1/trained!short", _PCA_RUNS, _short_one, steps=300),
    _train("thm1/trained!truth", _PCA_RUNS, _always, against_truth=True),
    _train("thm3/trained", _SC_RUNS, _far_two, ask=_SC_RUNS[0]),
    _train("thm3/trained!short", _SC_RUNS, _always, steps=100),
    _train("thm3/trained!truth", _SC_RUNS, _always, against_truth=True),
    _train("fig4/~denoisers", _DAE_MAP, replicates=32, statistic=_training.FAILED),
    Experiment(
        check="molrg.thm3/~soft-max",
        cells={"gpu": (TrainCell(48, 1, 8, 16, 0.01, steps=20_000), TrainCell(48, 2, 4, 16, 0.01, steps=20_000))},
        prepare=_training.prepare_train,
        simulate=_training.simulate_softmax,
        max_replicates={"gpu": 16},
        chunk=16,
        block=16,
        seconds_per_replicate=30.0,
        bytes_per_replicate=1e7,
    ),
)

# --- Figure 4 -----------------------------------------------------------------------------------------------------------------

_PLACES = tuple(PhaseCell(48, d, N, 0.0) for d in (4, 8) for N in (d - 1, d))
_PLACES_GPU = tuple(PhaseCell(2048, 64, N, 0.0) for N in (62, 63, 64, 65))
_STARTS = tuple(StartsCell(48, 2, d, N, sigma) for sigma in (0.0, 0.01) for d in (2, 4, 8) for N in range(2, 17, 2))
_THREE = tuple(StartsCell(48, 3, d, N, 0.0) for d in (2, 4) for N in range(2, 17, 2))
_ANGLES = tuple(StartsCell(48, 2, 4, 16, 0.05, angle) for angle in (90.0, 60.0, 45.0, 30.0, 20.0))


def _starts(check, cells, replicates, gpu=()):
    return Experiment(
        check=f"molrg.fig4/~{check}",
        cells={"smoke": (), "default": cells, "gpu": gpu},
        prepare=_clusters.prepare_starts,
        simulate=_clusters.simulate_starts,
        max_replicates={"default": replicates, "gpu": 208},
        chunk=16,
        block=16,
        seconds_per_replicate=0.006,
        bytes_per_replicate=4e6,
    )


_FIGURE_4 = (
    Experiment(
        check="molrg.fig4/pca",
        cells={"smoke": (), "default": _PLACES, "gpu": _PLACES_GPU},
        ask=_PLACES[1],
        validate=_pca.validate_phase,
        prepare=_pca.prepare_phase,
        simulate=_pca.simulate_phase,
        support=indicator,
        max_replicates={"default": 80, "gpu": 80},
        chunk=80,
        block=16,
        seconds_per_replicate=1e-4,
        bytes_per_replicate=1e5,
        x64=True,
    ),
    Experiment(
        check="molrg.fig4/~map",
        cells={"smoke": (), "default": (MapCell(48, 0.0), MapCell(48, 0.01)), "gpu": (MapCell(4096, 0.01),)},
        prepare=_pca.prepare_map,
        simulate=_pca.simulate_map,
        max_replicates={"default": 20, "gpu": 1000},
        chunk=20,
        block=4,
        seconds_per_replicate=0.01,
        bytes_per_replicate=1e7,
        x64=True,
    ),
    _starts("starts", (*_STARTS, *_THREE), 16, gpu=tuple(StartsCell(512, K, 16, 32, 0.01, restarts=200) for K in (4, 6))),
    _starts("angles", _ANGLES, 32),
)

# --- Figure 5 (a), digits -------------------------------------------------------------------------------------------------------

_RATIOS = (1, 2, 4, 8, 16, 64, 256)
_RUNS = tuple(MlpCell(24, 2, d, d * ratio, 128, 4000) for d in (2, 4) for ratio in _RATIOS)
_RUNS_GPU = tuple(MlpCell(48, 2, d, d * ratio, 512, 20_000) for d in (3, 4, 5, 6) for ratio in (*_RATIOS, 512))

_FIGURE_5 = (
    Experiment(
        check="molrg.fig5a/~runs",
        cells={"smoke": (), "default": _RUNS, "gpu": _RUNS_GPU},
        prepare=_mlp.prepare_mlp,
        simulate=_mlp.simulate_mlp,
        max_replicates={"default": 1, "gpu": 5},
        chunk=1,
        block=1,
        seconds_per_replicate=3.0,
        bytes_per_replicate=5e7,
    ),
)


def _digits_experiment(name, cells, evaluate, seconds):
    return Experiment(
        check=f"molrg.digits/~{name}",
        cells={"smoke": (), "default": cells, "gpu": cells},
        validate=None,
        evaluate=evaluate,
        seconds_per_replicate=seconds,
    )


_CLASSES = tuple(ClassesCell(digits, d) for digits in ("0+1", "3+8") for d in (2, 4, 8, 12, 16))
_ALL_TEN = ClassesCell("0+1+2+3+4+5+6+7+8+9", 8)
_DIGITS = (
    _digits_experiment("residual", (DigitCell(0), DigitCell(8)), _digits.evaluate_residual, 0.1),
    _digits_experiment("classes", (*_CLASSES, _ALL_TEN), _digits.evaluate_classes, 0.5),
)

EXPERIMENTS = (*_THEOREM, *_TRAINED, *_FIGURE_4, *_FIGURE_5, *_DIGITS)
