"""`python -m sims moe bite`: what a truth of one's own needs, from its Fisher information; nothing is drawn."""

from __future__ import annotations

import argparse
import json
import math
import warnings

from theory import moe as theory

__all__ = ["bite_command"]


def bite_command(argv: list[str]) -> int:
    """Prints the answer; returns the exit status. Raises: ValueError for a file or parameters that are not a mixture."""
    parser = argparse.ArgumentParser(
        prog="python -m sims moe bite",
        description="Identifiability (ray, Fisher rank), predicted constants, and the sample size for a relative standard error of every "
        "gate slope and the temperature.",
    )
    parser.add_argument("--truth", metavar="FILE", help="JSON with beta1, beta0, tau, a, b, nu, an entry an expert (default: TA)")
    parser.add_argument("--activation", default="gelu", help="of the gate's score (default: gelu)")
    parser.add_argument("--range", nargs=2, type=float, default=(-3.0, 3.0), metavar=("LO", "HI"), help="of X (default: -3 3)")
    parser.add_argument("--gate", default="inside", help="where the bias stands: inside or outside the temperature (default: inside)")
    parser.add_argument("--error", type=float, default=0.1, help="relative standard error (default: .1)")
    parser.add_argument("--n", type=int, help="a sample size that is planned")
    parser.add_argument("--k", type=int, help="experts that are to be fitted (default: as many as the truth has)")
    parser.add_argument("--json", action="store_true", help="a JSON object")
    a = parser.parse_args(argv)
    G = theory.read_mixture(a.truth) if a.truth else theory.to_gate(theory.TA, a.gate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are part of the answer
        advice = theory.advise(G, *a.range, activation=a.activation, gate=a.gate, error=a.error, n=a.n, k=a.k)
    print(json.dumps(_record(advice), indent=1) if a.json else _text(advice, a.range))
    return 0


def _number(v: float) -> float | str:
    return float(v) if math.isfinite(v) else ("inf" if v > 0 else "nan")


def _record(advice: theory.Advice) -> dict:
    p = advice.predicted
    return {
        "activation": advice.activation, "gate": advice.gate, "degree": advice.degree, "rank": p.rank, "parameters": p.parameters,
        "eigenvalues": [float(v) for v in p.eigenvalues], "sqrt_n_sd": {k: _number(v) for k, v in zip(p.names, p.sd, strict=True)},
        "n_hellinger2": p.h2, "sqrt_n_loss": _number(p.d1), "sqrt_n_loss_sd": _number(p.d1_sd), "error": advice.error,
        "n_bite": _number(advice.n_bite), "n_error": _number(advice.n_error), "warnings": list(advice.warnings),
    }  # fmt: skip


def _size(n: float) -> str:
    return f"{math.ceil(n):,}" if n < 1e9 else f"{n:.3g}" if math.isfinite(n) else "no n is enough"


def _text(advice: theory.Advice, span) -> str:
    p, G = advice.predicted, advice.anchored
    lines = [f"{advice.activation} gate, bias {advice.gate} the temperature, {G.k} experts, X ~ U({span[0]:g}, {span[1]:g})"]
    if advice.degree is not None:
        lines.append(f"ray: yes, sigma is homogeneous of degree {advice.degree}: the temperature is not identifiable at any n")
    else:
        lines.append("ray: none, as sigma is not homogeneous: rescaled slopes and temperature are another law")
    regular = "regular" if p.rank == p.parameters else f"singular: {p.parameters - p.rank} directions are not identified"
    lines.append(f"Fisher rank: {p.rank} of {p.parameters} parameters, {regular}; smallest eigenvalue {p.eigenvalues[0]:.3g}")
    loss = f"; of the parameters, Voronoi loss D1: sqrt(n) E D1 -> {p.d1:.4g} (sd {p.d1_sd:.4g})" if math.isfinite(p.d1) else ""
    lines.append(f"error of the density, Hellinger distance h: n E h^2 -> {p.h2:g}{loss}")
    if advice.degree is not None and math.isfinite(p.d1):
        lines[-1] += ", the loss after the ray is quotiented out"
    lines.append(
        "sqrt(n) sd (the last expert's gate bias is fixed at 0): " + ", ".join(f"{k} {v:.4g}" for k, v in zip(p.names, p.sd, strict=True))
    )
    lines.append(f"n for {100 * advice.error:g} % relative error of every gate slope and the temperature: {_size(advice.n_bite)}")
    lines.append(f"n for {100 * advice.error:g} % relative error of every parameter that is identified: {_size(advice.n_error)}")
    return "\n".join(lines + [f"warning: {w}" for w in advice.warnings])
