"""Cells of the deterministic checks: both places of the gate bias in every preset."""

from __future__ import annotations

import functools

from sims._experiment import Experiment
from sims.moe import _identities as identities
from sims.moe import _pde, _races
from sims.moe._pde import GateCell
from theory.moe._activations import DEGREES, SHIFTED_ODD

__all__ = ["EXPERIMENTS"]

_BOTH = (GateCell("inside"), GateCell("outside"))
_ONE = _BOTH[:1]
_partial = functools.partial
_SLOW = 0.15  # seconds from which a check is looked at with the bias inside alone at smoke size


def _exact(check, evaluate, seconds=0.05):
    return Experiment(
        check=f"moe.{check}",
        cells={"smoke": _ONE if seconds >= _SLOW else _BOTH, "default": _BOTH, "gpu": _BOTH},
        ask=_BOTH[0] if "!" not in check else None,
        validate=_pde.validate_gate,
        evaluate=evaluate,
        seconds_per_replicate=seconds,
    )


def _with_worlds(check, evaluate, *worlds, seconds=0.05):
    """A check and its lying worlds, which `evaluate` is told by name."""
    names = [(check, {})] + [(f"{check}!{w}", {"world": w}) for w in worlds]
    return tuple(_exact(name, _partial(evaluate, **more) if more else evaluate, seconds) for name, more in names)


def _pde_check(name, which, *worlds):
    return _with_worlds(f"pde/{name}", _partial(_pde.evaluate_pde, which=which), *worlds, seconds=0.02)


def _figure(name, evaluate, seconds, cells=_ONE):
    """Evaluated for figures alone, at the default size."""
    return Experiment(check=f"moe.{name}", cells={"default": cells, "gpu": cells}, evaluate=evaluate, seconds_per_replicate=seconds)


_SIX = identities.SIX

EXPERIMENTS = (
    *_pde_check("temperature", "temperature", "sign", "other-gate"),
    *_pde_check("heat", "heat", "half-heat", "deviation"),
    *_pde_check("gate-expert", "gate-expert", "no-temperature"),
    *_pde_check("any-activation", "any", "sign"),
    *_with_worlds("pde/broken", _pde.evaluate_broken, "linear"),
    *_with_worlds("gauge/ray", identities.evaluate_ray, "other-gate", seconds=0.5),
    *_with_worlds("gauge/no-ray", identities.evaluate_no_ray, "relu"),
    *_with_worlds("gauge/null", identities.evaluate_null, "gelu", seconds=0.2),
    *_with_worlds("gauge/tangent", identities.evaluate_tangent, "other-gate", seconds=0.2),
    *_with_worlds("gauge/one-null", identities.evaluate_second, "relu", seconds=0.2),
    *_with_worlds("gauge/conserved", identities.evaluate_conserved, "gelu", seconds=0.1),
    *_with_worlds("cosh/doubled", identities.evaluate_cosh, "first-atom", "gelu"),
    _exact("cosh/loss", identities.evaluate_cosh_loss),
    *_with_worlds("thm2/ratio", identities.evaluate_thm2, "gelu"),
    _exact("def1/first", _partial(identities.evaluate_def1, acts=_SIX, order=1)),
    _exact("def1/first!relu", _partial(identities.evaluate_def1, acts=("relu",), order=1)),
    _exact("def1/dependent", _partial(identities.evaluate_def1, acts=tuple(DEGREES), order=1)),
    _exact("def1/dependent!tanh", _partial(identities.evaluate_def1, acts=("tanh",), order=1)),
    _exact("def1/second", _partial(identities.evaluate_def1, acts=_SIX, order=2)),
    _exact("def1/second!linear", _partial(identities.evaluate_def1, acts=("linear",), order=2)),
    _exact("antipodal/singular", identities.evaluate_antipodal, 0.3),
    _exact("antipodal/singular!other-slopes", _partial(identities.evaluate_antipodal, slopes=identities.BASE_SLOPES), 0.3),
    *_with_worlds("antipodal/survive", identities.evaluate_survivors, "antipodal", seconds=0.4),
    *_with_worlds("antipodal/null-vector", identities.evaluate_null_vector, "swapped", seconds=0.3),
    _exact("antipodal/ray", identities.evaluate_antipodal_ray, 0.2),
    _exact("antipodal/ray!sigmoid", _partial(identities.evaluate_antipodal_ray, acts=("sigmoid",)), 0.1),
    _exact("antipodal/fold", identities.evaluate_fold, 0.2),
    _exact("antipodal/fold!other-slopes", _partial(identities.evaluate_fold, slopes=identities.BASE_SLOPES), 0.2),
    *_with_worlds("antipodal/third-atom", identities.evaluate_third, "two", seconds=0.2),
    _exact("reflect/reflection", identities.evaluate_reflection),
    *(_exact(f"reflect/reflection!{act}", _partial(identities.evaluate_reflection, acts=(act,))) for act in SHIFTED_ODD),
    _exact("thm1c/rank", identities.evaluate_rank, 0.3),
    _exact("thm2c/midpoint", _races.evaluate_midpoint),
    *_with_worlds("thm2c/pointwise", _races.evaluate_pointwise, "no-minimum"),
    *_with_worlds("artefact/frozen", _races.evaluate_frozen, "free", seconds=0.5),
    *_with_worlds("artefact/same-maximum", _races.evaluate_same_maximum, "gelu", seconds=0.3),
    *_with_worlds("thm3/inverse", identities.evaluate_inverse, "linear", seconds=0.3),
    _exact("thm4/band", identities.evaluate_band, 0.3),
    _exact("thm4/band!first-order", _partial(identities.evaluate_band, orders={1: 1, 2: 2, 3: 2}), 0.3),
    _exact("rbar/compensated", _partial(identities.evaluate_orders, names=("two",)), 0.2),
    _exact("rbar/compensated!uncompensated", _partial(identities.evaluate_orders, names=("two",), swap={"two": "bias"}), 0.2),
    _exact("rbar/compensated!unit-error", _partial(identities.evaluate_orders, names=("two",), swap={"two": "unit-error"}), 0.2),
    _exact("rbar/compensated-three", _partial(identities.evaluate_orders, names=("three",)), 0.2),
    _exact("rbar/compensated-three!two", _partial(identities.evaluate_orders, names=("three",), swap={"three": "two"}), 0.2),
    _exact("rbar/plain", _partial(identities.evaluate_orders, names=("bias", "slope", "gate")), 0.5),
    _exact("rbar/plain!compensated", _partial(identities.evaluate_orders, names=("bias",), swap={"bias": "two"}), 0.2),
    _exact("rbar/mixed", _partial(identities.evaluate_orders, names=("mixed",)), 0.2),
    _exact("over.lb/exponent", identities.evaluate_resolution, 0.5),
    _exact("bite/reference", _races.evaluate_reference, 0.1),
    _figure("rbar/~paths", identities.evaluate_paths, 1.5),
    _figure(
        "gauge/~spectra", identities.evaluate_spectra, 0.2,
        tuple(identities.SpectrumCell(*c) for c in ((1.0, False), (3.0, False), (3.0, True))),
    ),
    _figure("gauge/~profiles", identities.evaluate_profiles, 2.0),
    _figure("over.lb/~limits", identities.evaluate_limits, 1.5),
)  # fmt: skip
