"""What a truth of one's own needs: identifiability, predicted constants, the sample size at which its parameters are seen."""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from pathlib import Path

from theory.moe import _activations, _arguments, _constants, _model, _quadrature

__all__ = ["Advice", "advise", "read_mixture"]

_FIELDS = ("beta1", "beta0", "tau", "a", "b", "nu")


@dataclasses.dataclass(frozen=True)
class Advice:
    """anchored: the truth as it is reported, last bias (linear gate: and slope) 0. degree: of a homogeneous sigma, else None.

    predicted: rank, sds, constants. n_bite: n for a relative standard error `error` of every gate slope and the temperature, inf if
    they are not identified; n_error: of every parameter that is identified and not 0. warnings: sentences.
    """

    anchored: _model.Mixture
    activation: str
    gate: str
    degree: int | None
    predicted: _constants.Predicted
    error: float
    n_bite: float
    n_error: float
    warnings: tuple[str, ...]


def read_mixture(path):
    """A Mixture from a JSON object with beta1, beta0, tau, a, b and nu (arrays, one entry or row an atom).

    Raises: ValueError if the file cannot be read, is no such object, or holds numbers that are not a mixture.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {getattr(error, 'strerror', None) or error}.") from None
    fields = ", ".join(_FIELDS)
    _arguments.require(isinstance(found, dict), path, f"the file must hold one object with {fields}, got {type(found).__name__}.")
    extra, missing = sorted(set(found) - set(_FIELDS)), [name for name in _FIELDS if name not in found]
    _arguments.require(not extra, path, f"a mixture has {fields}; {', '.join(map(repr, extra))} is none of them.")
    _arguments.require(not missing, path, f"{', '.join(missing)} missing; a mixture has {fields}.")
    for name, value in found.items():
        _arguments.require(_numbers(value), path, f"{name} must hold numbers only, got {value!r}.")
    try:
        return _model.mixture(**found)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _numbers(value):
    """Whether a JSON value is a number or lists of numbers."""
    if isinstance(value, list):
        return all(map(_numbers, value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def advise(G, lo, hi, activation="gelu", gate="inside", error=_constants.CHECKED_ERROR, n=None, k=None):
    """What the Fisher information of the truth G says, X ~ U(lo, hi)^d (d = 1 or 2), as an Advice.

    n: a sample size that is planned, to be compared with n_bite. k: experts that are to be fitted, by default as many as G has.
    Warns (UserWarning, and in the answer's `warnings`): of duplicate experts, antipodal slopes, two global maxima, a linear gate
    with k >= 2 k_star, more experts than the truth has, n below n_bite.
    Raises: ValueError for an unknown activation or gate, lo >= hi, k_star < 2, error or n out of range.
    """
    fn = "advise"
    _arguments.choice(fn, "activation", activation, _activations.ACTIVATIONS)
    _arguments.gate(fn, gate)
    lo, hi = _arguments.span(fn, lo, hi)
    k = G.k if k is None else k
    _arguments.fits(fn, k, G.k)
    error = _arguments.positive(fn, "error", error)
    if n is not None:
        n = _arguments.sample_size(fn, n, _model.num_parameters(activation, k, G.d))
    G = _model.anchored(G, activation, gate)
    quad = _quadrature.quadrature_for(G, lo, hi)
    predicted = _constants.predicted_constants(G, quad, activation, gate)
    bite = _constants.n_bite(G, quad, activation, gate, error)
    values = [*G.beta1[: G.k - (activation == "linear")].ravel(), *G.beta0[:-1], G.tau, *G.a.ravel(), *G.b, *G.nu]
    seen = [(s / abs(v)) ** 2 for s, v in zip(predicted.sd, values, strict=True) if v != 0 and math.isfinite(s)]
    notes = _model.truth_warnings(G, activation, k)
    if k > G.k:
        notes.append(
            f"all figures are for a fit of {G.k} experts, as many as the truth has: one of {k} is over-specified, its Fisher information "
            "is singular and it has no such constants"
        )
    if n is not None and bite > n:
        notes.append(f"n_bite = {bite:,.0f} exceeds n = {n:,}: the gate's rate does not bite at this sample size")
    for sentence in notes:
        warnings.warn(sentence, UserWarning, stacklevel=2)
    n_error = max(seen) / error**2 if seen else math.inf
    return Advice(G, activation, gate, _activations.degree(activation), predicted, error, bite, n_error, tuple(notes))
