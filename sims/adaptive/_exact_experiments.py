"""Cells of the claims that exact computation settles. All of them take milliseconds: smoke and default are the same."""

from __future__ import annotations

import functools

from sims._experiment import Experiment
from sims.adaptive import _exact_information as information
from sims.adaptive import _exact_thresholdout as thresholdout
from sims.adaptive import _exact_transfer as transfer
from sims.adaptive._exact import Thm6Cell, evaluate_thm6, validate_thm6

__all__ = ["EXPERIMENTS"]


def _experiment(check, cells, evaluate, validate, ask=None, smoke=None, seconds=0.001):
    both = {"smoke": cells if smoke is None else smoke, "default": cells}
    return Experiment(check=check, cells=both, ask=ask, validate=validate, evaluate=evaluate, seconds_per_replicate=seconds)


# sharp Theorem 6: RR-selection and counting mechanisms up to twice the printed premise; linear programs at n <= 4
_SHARES = (0.25, 0.5, 1.0, 2.0)
_THM6_SMOKE = tuple(Thm6Cell(400, b, 0.5, share) for b in (0.01, 1e-4) for share in (1.0, 2.0))
_THM6_DEFAULT = tuple(Thm6Cell(n, b, p, share) for n in (50, 400, 1000) for b in (0.1, 1e-2, 1e-4) for p in (0.1, 0.5) for share in _SHARES)
_TINY = tuple(Thm6Cell(n, b, 0.5, share) for n, b in ((2, 0.25), (2, 0.5), (3, 0.125), (3, 0.25), (4, 0.0625)) for share in (0.25, 1.0))
_FOUR = tuple(Thm6Cell(4, 0.125, 0.5, share) for share in (0.25, 1.0))

# tau^2 n from 2.5 to 40: below, bounds say nothing; above, tails leave float64 sooner or later
_TAILS = (
    (100, 0.2), (100, 0.4), (400, 0.1), (400, 0.2), (1000, 0.05), (1000, 0.1), (1000, 0.2), (2000, 0.05), (2000, 0.1), (4000, 0.05),
    (4000, 0.1),
)  # fmt: skip
_COR7 = tuple(transfer.TailCell(n, tau) for n, tau in _TAILS)
_COR7_EDGE = tuple(transfer.TailCell(n, 0.1) for n in (1000, 4000))
_COR7_SHARP = tuple(transfer.TailCell(n, tau, share) for n, tau in _TAILS if n >= 400 for share in (1.0, 2.0, 3.0, 3.5))
_COR22 = tuple(transfer.TailCell(n, tau) for n, tau in _TAILS if tau**2 * n > 7.9)
_THM4 = (
    *(transfer.Thm4Cell(m, eps, slack) for m, eps, slack in (
        (10, 0.1, 1e-5), (100, 0.1, 1e-5), (400, 0.02, 1e-4), (1000, 0.01, 1e-10), (1000, 0.1, 1e-5), (10_000, 0.01, 1e-6),
    )),
    transfer.Thm4Cell(100, 0.1, 1e-5, 1e-6),
)  # fmt: skip
_THM8 = tuple(transfer.Thm8Cell(eps, 1e-6) for eps in (0.05, 0.01, 0.005, 0.002))
_STOC10 = tuple(transfer.Stoc10Cell(tau, beta) for tau in (0.05, 0.1, 0.2) for beta in (0.05, 1e-3))
_INFORMATION = tuple(
    information.InformationCell(n, eps, beta) for n in (50, 500, 5000) for eps in (0.05, 0.2, 0.5) for beta in (0.05, 1e-4)
)
_THM13 = tuple(information.InformationCell(*c) for c in ((50, 0.2, 0.05), (500, 0.2, 1e-4), (500, 0.5, 0.05), (5000, 0.05, 1e-4)))
_THM17 = tuple(information.Thm17Cell(size, beta) for size, beta in ((4, 0.05), (16, 0.01), (256, 1e-4), (4096, 1e-9)))
_THM19 = tuple(information.Thm19Cell(n, eps, p) for n, eps in ((50, 0.05), (5000, 0.5)) for p in (0.5, 0.1, 0.01, 1e-4))
_THM9 = tuple(information.Thm9Cell(*c) for c in ((1024, 8, 16), (1024, 63, 16), (4096, 15, 256)))
_THM27 = tuple(
    information.Thm27Cell(*c) for c in ((40, 3, 1, 2), (40, 4, 2, 1), (40, 5, 2, 1), (40, 4, 3, 1), (200, 10, 2, 1), (200, 7, 3, 1))
)
_UNION = tuple(information.UnionCell(*c) for c in ((40, 4, 3), (40, 12, 3), (200, 50, 2)))
_SVT = tuple(thresholdout.SvtCell(100, 0.05, t) for t in (1, 5, 30, 300))
_LEM24 = tuple(
    thresholdout.Lem24Cell(*c) for c in ((1, 1.0, 0.1, 0.05), (2, 0.01, 0.1, 0.05), (10, 1e-3, 0.05, 0.01), (1, 0.5, 0.02, 1e-4))
)
# tau beta from 5e-3 down to 1e-16, where the printed factor is large enough
_COEFFICIENT = tuple(thresholdout.CoefficientCell(*c) for c in ((0.1, 0.05), (0.05, 0.01), (0.01, 1e-6), (1e-4, 1e-12)))
_REPAIRED = (thresholdout.CoefficientCell(0.1, 0.1), *_COEFFICIENT)

_SVT_LIES = (
    ("transcript!release-half", {"release": 0.5}, 30),
    ("transcript!query-noise-sigma", {"query": 1.0, "release": 1.0}, 30),
    ("comparisons!query-noise-sigma", {"query": 1.0}, 30),
    ("comparisons!threshold-noise-half-sigma", {"threshold": 0.5}, 300),
    ("comparisons!no-threshold-noise", {"threshold": 0.0}, 300),
    ("comparisons!no-query-noise", {"query": 0.0}, 30),
)

EXPERIMENTS = (
    _experiment(
        "adaptive.thm6_sharp/transfer", _THM6_DEFAULT + _TINY + _FOUR, evaluate_thm6, validate_thm6, Thm6Cell(400, 1e-4),
        smoke=_THM6_SMOKE + _TINY, seconds=0.02,
    ),
    _experiment("adaptive.cor7/tail", _COR7, transfer.evaluate_tail, transfer.validate_tail, transfer.TailCell(1000, 0.1)),
    _experiment("adaptive.cor7/tail!eps-x2", _COR7_EDGE, functools.partial(transfer.evaluate_tail, factor=2.0), transfer.validate_tail),
    _experiment("adaptive.cor7_sharp/tail", _COR7_SHARP, transfer.evaluate_tail, transfer.validate_tail, transfer.TailCell(1000, 0.1, 2.0)),
    _experiment("adaptive.thm4/composition", _THM4, transfer.evaluate_thm4, transfer.validate_thm4, _THM4[1], seconds=0.05),
    _experiment("adaptive.thm8/blocks", _THM8, transfer.evaluate_thm8, transfer.validate_thm8, _THM8[-1]),
    _experiment("adaptive.stoc10/blocks", _STOC10, transfer.evaluate_stoc10_blocks, transfer.validate_stoc10, _STOC10[2]),
    _experiment(
        "adaptive.stoc10/blocks!delta-is-beta", _STOC10, functools.partial(transfer.evaluate_stoc10_blocks, delta_is_beta=True),
        transfer.validate_stoc10,
    ),
    _experiment("adaptive.stoc10/selection", _STOC10, transfer.evaluate_stoc10_selection, transfer.validate_stoc10, _STOC10[2]),
    _experiment(
        "adaptive.stoc10/selection!eps-6-tau", _STOC10, functools.partial(transfer.evaluate_stoc10_selection, factor=24.0),
        transfer.validate_stoc10,
    ),
    _experiment("adaptive.thm9/events", _THM9, information.evaluate_thm9, information.validate_thm9, _THM9[0]),
    _experiment("adaptive.thm13/upper", _THM13, information.evaluate_transfer, information.validate_information, _THM13[1], seconds=0.05),
    _experiment(
        "adaptive.thm13/attained", _THM13, functools.partial(information.evaluate_transfer, attained=True),
        information.validate_information, _THM13[1],
    ),
    _experiment("adaptive.thm17/information", _THM17, information.evaluate_thm17, information.validate_thm17, _THM17[1]),
    _experiment("adaptive.thm19/information", _THM19, information.evaluate_thm19, information.validate_thm19, _THM19[2]),
    *(
        _experiment(f"adaptive.{name}/information", _INFORMATION, information.evaluate_information, information.validate_information,
                    _INFORMATION[9])
        for name in ("thm20", "thm20_sharp")
    ),
    _experiment("adaptive.cor22/tail", _COR22, transfer.evaluate_tail, transfer.validate_tail, transfer.TailCell(1000, 0.1)),
    _experiment("adaptive.cor22/tail!eps-x2", _COR7_EDGE, functools.partial(transfer.evaluate_tail, factor=2.0), transfer.validate_tail),
    _experiment(
        "adaptive.cor22/constant", (information.Cor22Cell(),), information.evaluate_cor22, information.validate_cor22,
        information.Cor22Cell(),
    ),
    _experiment(
        "adaptive.cor22/constant!from-5", (information.Cor22Cell(),), functools.partial(information.evaluate_cor22, start=5.0),
        information.validate_cor22,
    ),
    _experiment("adaptive.thm27/printed", _THM27, information.evaluate_thm27, information.validate_thm27, _THM27[1], seconds=0.02),
    _experiment("adaptive.thm27/count", _THM27, information.evaluate_thm27, information.validate_thm27, _THM27[1], seconds=0.02),
    _experiment("adaptive.thm27_union/union", _UNION, information.evaluate_union, information.validate_union, _UNION[0], seconds=0.1),
    _experiment(
        "adaptive.lem23/transcript", _SVT, functools.partial(thresholdout.evaluate_svt, release=1.0), thresholdout.validate_svt, _SVT[2],
        seconds=0.03,
    ),
    _experiment("adaptive.lem23/comparisons", _SVT, thresholdout.evaluate_svt, thresholdout.validate_svt, _SVT[2], seconds=0.03),
    *(
        _experiment(
            f"adaptive.lem23/{name}", (thresholdout.SvtCell(100, 0.05, t),), functools.partial(thresholdout.evaluate_svt, **noises),
            thresholdout.validate_svt, seconds=0.03,
        )
        for name, noises, t in _SVT_LIES
    ),
    _experiment("adaptive.lem24/n0-from-proof", _LEM24, thresholdout.evaluate_lem24_n0, thresholdout.validate_lem24, _LEM24[1]),
    _experiment(
        "adaptive.lem24/n1-from-proof", _COEFFICIENT, thresholdout.evaluate_lem24_n1, thresholdout.validate_coefficient, _COEFFICIENT[0]
    ),
    _experiment(
        "adaptive.lem24/n1-repaired", _REPAIRED, thresholdout.evaluate_lem24_n1, thresholdout.validate_coefficient, _COEFFICIENT[0]
    ),
)  # fmt: skip
