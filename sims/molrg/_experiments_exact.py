"""Cells and presets of the EXACT checks. All of them are decided in every preset."""

from __future__ import annotations

import functools

from sims._experiment import Experiment
from sims.molrg import _exact_denoiser as denoiser
from sims.molrg import _exact_subspaces as subspaces
from sims.molrg._exact_denoiser import FreeCell, LossCell, PosteriorCell, StepsCell, W2Cell
from sims.molrg._exact_subspaces import ConstantCell, CountCell, DeficientCell, NoiseCell, RankCell, WorstCell

__all__ = ["EXPERIMENTS"]

_partial = functools.partial


def _exact(check, cells, evaluate, validate, ask=None, seconds=0.02, smoke=None):
    cells = tuple(cells)
    return Experiment(
        check=f"molrg.{check}",
        cells={"smoke": cells if smoke is None else smoke, "default": cells, "gpu": cells},
        ask=ask,
        validate=validate,
        evaluate=evaluate,
        seconds_per_replicate=seconds,
    )


# --- Lemma 1 ----------------------------------------------------------------------------------------------------------

_NOISE_LEVELS = ((1.0, 0.05), (1.0, 0.5), (1.0, 3.0), (0.7, 0.7), (0.1, 1.0))  # (s, g)
_UNEQUAL = "2+4+3"


def _posteriors(levels, dims="3+3+3"):
    return tuple(PosteriorCell(s, g, dims=dims) for s, g in levels)


_HALF, _SEVEN = ((1.0, 0.5),), ((0.7, 0.7),)  # where a wrong factor shows
_posterior = _partial(_exact, validate=denoiser.validate_posterior)
_ASK_EQUAL, _ASK_UNEQUAL = _posteriors(_HALF)[0], _posteriors(_HALF, _UNEQUAL)[0]

_LEMMA = (
    _posterior("lem1/mean", _posteriors(_NOISE_LEVELS), denoiser.evaluate_posterior, ask=_ASK_EQUAL),
    _posterior("lem1/mean!phi-doubled", _posteriors(_HALF + _SEVEN), _partial(denoiser.evaluate_posterior, weights="phi-doubled")),
    _posterior("lem1/mean!shrinkage", _posteriors(_HALF + _SEVEN), _partial(denoiser.evaluate_posterior, shrinkage="g")),
    _posterior("lem1/score", _posteriors(_NOISE_LEVELS, _UNEQUAL), denoiser.evaluate_score, ask=_ASK_UNEQUAL),
    _posterior("lem1/score!over-g", _posteriors(_HALF, _UNEQUAL), _partial(denoiser.evaluate_score, root=True)),
    _posterior(
        "lem1.det/mean",
        _posteriors(_NOISE_LEVELS, _UNEQUAL),
        _partial(denoiser.evaluate_posterior, weights="determinant"),
        ask=_ASK_UNEQUAL,
    ),
    _posterior("lem1.det/mean!no-factor", _posteriors(_HALF + _SEVEN, _UNEQUAL), denoiser.evaluate_posterior),
    _posterior("lem1.gen/mean", _posteriors(_NOISE_LEVELS, _UNEQUAL), denoiser.evaluate_general, ask=_ASK_UNEQUAL),
    _posterior("lem1.gen/mean!no-means", _posteriors(_HALF, _UNEQUAL), _partial(denoiser.evaluate_general, ignore="means")),
    _posterior("lem1.gen/mean!unit-variances", _posteriors(_HALF, _UNEQUAL), _partial(denoiser.evaluate_general, ignore="variances")),
)

# --- losses -----------------------------------------------------------------------------------------------------------

_ONE, _EQUAL, _UNLIKE = LossCell(), LossCell(24, "3+3", 24), LossCell(24, "2+6", 24)
_one = _partial(_exact, cells=(_ONE,), validate=_partial(denoiser.validate_loss, single=True))
_loss = _partial(_exact, validate=denoiser.validate_loss)

_LOSSES = (
    _one("thm1/affine", evaluate=denoiser.evaluate_affine, ask=_ONE, seconds=0.3),
    _one("thm1/affine!gaussian", evaluate=_partial(denoiser.evaluate_affine, kind="gaussian"), seconds=0.3),
    _one("thm1/slope", evaluate=denoiser.evaluate_slope, seconds=0.3),
    _one("thm1/slope!scaled", evaluate=_partial(denoiser.evaluate_slope, kind="scaled"), seconds=0.3),
    _exact("thm1.free/minimum", (FreeCell(),), denoiser.evaluate_free, denoiser.validate_free, ask=FreeCell(), seconds=1.0),
    _loss("thm3/affine", (_EQUAL,), _partial(denoiser.evaluate_hardmax, penalised=False), ask=_EQUAL, seconds=0.8),
    _loss("thm3/affine!unequal", (_EQUAL,), _partial(denoiser.evaluate_hardmax, penalised=False, dims=(2, 6)), seconds=0.8),
    _loss("thm3.unequal/penalised", (_UNLIKE,), denoiser.evaluate_hardmax, ask=_UNLIKE, seconds=0.8),
    _loss("thm3.unequal/penalised!plain", (_UNLIKE,), _partial(denoiser.evaluate_hardmax, penalised=False), seconds=0.8),
)

# --- distances, sampler -----------------------------------------------------------------------------------------------

_W2 = (W2Cell(N=3), W2Cell(N=12), W2Cell(N=8))
_w2 = _partial(_exact, cells=_W2, validate=denoiser.validate_w2, ask=_W2[1], seconds=0.1)
_steps = _partial(_exact, cells=(StepsCell(),), validate=denoiser.validate_steps, seconds=0.05)

_DISTANCES = (
    _w2("w2/at-most", evaluate=denoiser.evaluate_w2),
    _w2("w2/at-least", evaluate=_partial(denoiser.evaluate_w2, pick=min)),
    _steps("sampler/multiple", evaluate=denoiser.evaluate_heun, ask=StepsCell()),
    _steps("sampler/multiple!euler", evaluate=_partial(denoiser.evaluate_heun, heun=False)),
    _steps("sampler/order", evaluate=denoiser.evaluate_order),
    _steps("sampler/order!euler", evaluate=_partial(denoiser.evaluate_order, heun=False)),
)

# --- one subspace -----------------------------------------------------------------------------------------------------

_noise = _partial(_exact, evaluate=subspaces.evaluate_ratio, validate=subspaces.validate_noise, seconds=0.05)
_worst = _partial(_exact, evaluate=subspaces.evaluate_worst, validate=subspaces.validate_worst, seconds=0.1)
_TIE = NoiseCell(29, 5, 12, "tie")
_SWEEP, _FAMILY = WorstCell(kind="sweep"), WorstCell(kind="adversarial")
_CLEAN = (WorstCell(sigma_e=0.0), WorstCell(9, 7, 3, 0.0))

_RECOVERY = (
    _exact("def1/rank", (RankCell(),), subspaces.evaluate_rank, subspaces.validate_rank, ask=RankCell()),
    _exact("def1/rank!noise", (RankCell(),), _partial(subspaces.evaluate_rank, sigma_e=1e-6), subspaces.validate_rank),
    _exact(
        "rv/constant",
        (ConstantCell(1), ConstantCell(32), ConstantCell(10_000)),
        subspaces.evaluate_q_up,
        subspaces.validate_constant,
        ask=ConstantCell(4),
        seconds=0.2,
    ),
    _noise(
        "thm2i.det/two",
        (NoiseCell(29, 5, 12, "random"), NoiseCell(29, 5, 12, "low-rank"), _TIE, NoiseCell(9, 3, 8, "tie")),
        ask=NoiseCell(29, 5, 12, "random"),
    ),
    _noise("thm2i.det/square", (NoiseCell(12, 4, 4, "random"), NoiseCell(12, 4, 4, "rotation"))),
    _noise(
        "thm2i.det/rank",
        (NoiseCell(29, 5, 12, "low-rank"), NoiseCell(29, 5, 12, "block-tie")),
        evaluate=_partial(subspaces.evaluate_ratio, rank=True),
    ),
    _noise("thm2i.tight/tie", (_TIE,), ask=_TIE),
    _noise("thm2i.tight/tie!random", (_TIE,), evaluate=_partial(subspaces.evaluate_ratio, kind="random")),
    _worst("thm2ii/worst", (_SWEEP, WorstCell()), ask=WorstCell()),
    _worst("thm2ii.sharp/every-noise", (_SWEEP, _FAMILY), ask=WorstCell()),
    _worst("thm2ii.sharp/noiseless", _CLEAN),
)

# --- several subspaces ------------------------------------------------------------------------------------------------

_COUNTS = (
    *(CountCell(d, counts) for d, counts in ((2, "2+2"), (3, "3+3"), (2, "2+2+2"), (2, "2+2+3"), (2, "2+3+3"), (3, "3+5"))),
    *(CountCell(d, counts) for d, counts in ((2, "2+3"), (2, "3+3"), (3, "4+4"))),
    CountCell(2, "2+2", sigma_e=0.05),
    CountCell(2, "2+2+3", sigma_e=0.01),
    *(CountCell(2, counts, n=3) for counts in ("2+2", "2+3", "3+3", "2+2+2", "2+2+3", "2+3+3")),  # planes that intersect
)
_DEFICIENT = (DeficientCell(12, 3, "2+5"), DeficientCell(24, 4, "1+6+7"), DeficientCell(48, 6, "3+9"))
_deficient = _partial(_exact, cells=_DEFICIENT, validate=subspaces.validate_deficient, seconds=0.02)

_CLUSTERS = (
    _exact("thm4.unique/count", _COUNTS, subspaces.evaluate_count, subspaces.validate_count, ask=_COUNTS[0], seconds=0.05),
    _deficient("thm4ii/worst", evaluate=subspaces.evaluate_deficient, ask=_DEFICIENT[0]),
    _deficient("thm4ii/worst!best", evaluate=_partial(subspaces.evaluate_deficient, completion="best")),
)

EXPERIMENTS = (*_LEMMA, *_LOSSES, *_DISTANCES, *_RECOVERY, *_CLUSTERS)
