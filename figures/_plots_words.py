"""Words and symbols for what summaries name in code: fields, their values, plain-text mathematics, numbers. Draws nothing."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["axis_word", "number", "pretty", "said", "symbol"]

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "eta": "η", "theta": "θ", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "psi": "ψ", "omega": "ω",
    "Phi": "Φ", "Psi": "Ψ", "Sigma": "Σ", "Omega": "Ω", "ell": "ℓ", "dtau": "Δτ", "infinity": "∞", "sqrt": "√",
}  # fmt: skip
_GREEK_WORD = re.compile(rf"(?<![A-Za-z])({'|'.join(sorted(_GREEK, key=len, reverse=True))})(?![A-Za-z])")
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSTITUTIONS = (
    (re.compile(r"`([^`]+)`"), r"\1"),
    (re.compile(r"<="), "≤"),
    (re.compile(r">="), "≥"),
    (re.compile(r"!="), "≠"),
    (re.compile(r"\+-"), "±"),
    (re.compile(r"\|\|"), "‖"),
    (re.compile(r"(?<= )- (?=\S)"), "− "),
    (re.compile(r"(?:(?<=[(\[{,=^ ])|^)-(?=[\d.(∞a-zα-ω])"), "−"),
    (re.compile(r"√ (?=[\d.])"), "√"),
)
_POWER = re.compile(r"\^(\d+(?![\d.^])|-\d+(?![\d./^]))")
_TINY = re.compile(r"(?<![\w.])1e-0?(\d+)\b")


def pretty(text: str) -> str:
    """Plain-text mathematics with its signs: <= as ≤, sqrt as √, greek names as letters, whole powers raised. Words are left alone."""
    text = _TINY.sub(lambda m: "10" + f"-{m[1]}".translate(_RAISED), _GREEK_WORD.sub(lambda m: _GREEK[m[1]], text))
    text = _POWER.sub(lambda m: m[1].translate(_RAISED), text)
    for pattern, sign in _SUBSTITUTIONS:
        text = pattern.sub(sign, text)
    return text


def number(v: Any, digits: int = 4) -> str:
    """ "1,000", "0.05", "3.2·10⁻⁹"; what is no number as it is."""
    if isinstance(v, bool) or not isinstance(v, (int, float)):
        return str(v)
    if not math.isfinite(v):
        return "∞" if v == math.inf else "−∞" if v == -math.inf else "undefined"
    if v == int(v) and abs(v) < 1e7:
        return f"{int(v):,}".replace("-", "−")
    if 1e-3 <= abs(v) < 1e5:
        return f"{v:,.{digits}g}".replace("-", "−") if abs(v) < 1e4 else f"{v:,.0f}".replace("-", "−")
    mantissa, exponent = f"{v:.2e}".split("e")
    head = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    power = "10" + str(int(exponent)).translate(_RAISED)
    return power if head == "1" else f"{'−' if head == '−1' else head + '·'}{power}"


# A field's (symbol, words for an axis); a name with a paper before it holds for that paper only.
_FIELDS = {
    "n": ("n", "sample size n"),
    "invariance n": ("n", "number of training interventions n"),
    "molrg n": ("n", "ambient dimension n"),
    "verification n": ("n", "number of traces n"),
    "N": ("N", "number of samples N"),
    "N_k": ("N_k", "samples of each subspace N_k"),
    "m": ("m", "number of queries m"),
    "verification m": ("m", "number of terms m"),
    "d": ("d", "dimension d"),
    "verification d": ("d", "number of blocks d"),
    "k": ("k", "k"),
    "moe k": ("k", "number of experts fitted k"),
    "molrg k": ("component", "number of the component"),
    "invariance k": ("k", "dimension k of the representation"),
    "halfspaces k": ("k", "moment k"),
    "verification k": ("k", "length of the gold sequence k"),
    "K": ("K", "K"),
    "molrg K": ("K", "number of subspaces K"),
    "verification K": ("K", "number of styles K"),
    "invariance K": ("K", "number of sites K"),
    "H": ("H", "horizon H (tokens)"),
    "V": ("V", "size of the vocabulary V"),
    "t": ("t", "number of queries t"),
    "T": ("T", "number of steps T"),
    "i": ("i", "question i"),
    "B": ("B", "budget B"),
    "h": ("h", "queries h in a round"),
    "p": ("p", "p"),
    "invariance p": ("p", "number of nodes p"),
    "halfspaces p": ("p", "dimensions p"),
    "q": ("q", "q"),
    "invariance q": ("q", "in-degree q"),
    "s": ("s", "sd of the noise s"),
    "molrg s": ("s_t", "scale s_t of the signal"),
    "moe s": ("s", "scale s of the starts' noise"),
    "g": ("g_t", "scale g_t of the noise"),
    "x": ("x", "x = τ²n"),
    "z": ("z", "noise z of the answer"),
    "R": ("R", "R"),
    "r": ("r", "exponent r of the loss"),
    "v": ("v", "distance v of the two atoms"),
    "tau": ("τ", "error τ"),
    "beta": ("β", "failure probability β"),
    "eps": ("ε", "privacy ε"),
    "invariance eps": ("ε", "gap ε"),
    "delta": ("δ", "δ"),
    "adaptive delta": ("δ", "privacy δ"),
    "verification delta": ("δ", "the expert's bias δ"),
    "delta_slack": ("δ′", "slack δ′ of the composition"),
    "dtau": ("Δτ", "distance Δτ of the temperatures"),
    "sigma": ("σ", "σ"),
    "halfspaces sigma": ("σ", "width σ"),
    "adaptive sigma": ("σ", "noise σ"),
    "molrg sigma": ("σ", "noise σ"),
    "sigma_e": ("σ_e", "noise a coordinate σ_e"),
    "sigma_T": ("σ_T", "noise σ_T at the start"),
    "eta": ("η", "flip rate η"),
    "theta": ("θ", "angle θ"),
    "tangent": ("tan θ", "tan θ"),
    "alpha": ("α", "accuracy α"),
    "moe alpha": ("α", "exponent α of the starts"),
    "kappa": ("κ", "radius κ of the ball"),
    "conf": ("failure probability", "failure probability of the bound"),
    "sigma_over_opt": ("σ/opt", "σ/opt"),
    "opt": ("opt", "opt"),
    "inverse_eps": ("1/ε", "1/ε"),
    "share": ("share", "share"),
    "adaptive share": ("share", "ε over τ"),
    "halfspaces share": ("θ/θ_s", "θ over the stationary angle θ_s"),
    "level": ("sd or grid width", "sd of the noise, or width of the grid"),
    "num_outputs": ("outputs", "number of outputs |Y|"),
    "atoms": ("atoms", "number of atoms"),
    "hits": ("atoms of an event", "atoms of an event"),
    "universe": ("|X|", "size of the universe |X|"),
    "threshold": ("T", "threshold T"),
    "step": ("step η", "step size η"),
    "off": ("training means off by", "how far every training mean is off"),
    "n1": ("points to learn from", "points to learn from, n1"),
    "n2": ("points to test on", "points to choose, test and certify on, n2"),
    "most": ("at most", "at most"),
    "sets": ("data sets", "number of data sets"),
    "degree": ("degree", "degree of the polynomial"),
    "num_draws": ("draws", "number of draws"),
    "num_graphs": ("graphs", "number of graphs"),
    "num_pairs": ("pairs (V, β)", "number of pairs (V, β)"),
    "num_unseen": ("unseen interventions", "number of unseen interventions"),
    "num_subsets": ("subsets", "number of subsets"),
    "rows": ("rows of A", "rows of the observation matrix A"),
    "small": ("smaller dimension", "the smaller dimension"),
    "graph": ("graph", "number of the graph"),
    "half": ("half width of X", "half width of X ~ U(−half, half)"),
    "num_traces": ("N", "number of traces N"),
    "run_steps": ("steps", "steps of the sampler"),
    "steps": ("steps", "number of steps"),
    "dims": ("dimensions", "dimensions of the subspaces"),
    "weights": ("weights", "weights of the components"),
    "counts": ("samples by subspace", "samples by subspace"),
    "lr": ("learning rate", "learning rate"),
    "flip": ("label flips", "share of flipped labels η"),
    "traces": ("traces in the class", "traces in the class"),
    "verifiers": ("verifiers", "number of verifiers"),
    "size": ("size of the ball", "size of the ball (c, or κ)"),
    "doublings": ("doublings", "doublings of the grid"),
    "E_fro": ("‖E‖_F", "noise ‖E‖_F"),
    "train": ("trained on", "trained on"),
    "test": ("tested on", "tested on"),
    "subset": ("covariates", "covariates of the representation"),
    "truth": ("truth", "truth"),
    "quantity": ("quantity", "quantity"),
    "act": ("activation", "activation"),
}  # fmt: skip

# Values in words that need no name of their field.
_VALUES = {
    ("analyst", "linear"): "linear analyst",
    ("analyst", "sign"): "sign analyst",
    ("mechanism", "empirical"): "exact answers",
    ("mechanism", "gaussian"): "normal noise",
    ("mechanism", "round"): "rounded answers",
    ("arm", "standard"): "holdout reused as it is",
    ("arm", "thresholdout"): "Thresholdout",
    ("noise", "gaussian"): "normal noise",
    ("noise", "laplace"): "Laplace noise",
    ("noise", "rcn"): "uniform flips",
    ("noise", "massart_half"): "flips in two quadrants (Massart)",
    ("noise", "boundary"): "flips at the boundary",
    ("noise", "tail"): "flips in the tail",
    ("noise", "tailu"): "flips in an orthogonal tail",
    ("noise", "killer"): "flips by the worst adversary",
    ("noise", "planted2"): "a second halfspace planted",
    ("noise", "random"): "flips at random",
    ("marginal", "gauss"): "normal",
    ("marginal", "quartic"): "quartic",
    ("marginal", "uniform"): "uniform",
    ("marginal", "laplace"): "Laplace",
    ("marginal", "t3"): "Student t, 3 d.o.f.",
    ("marginal", "aniso"): "anisotropic normal",
    ("marginal", "cube"): "hypercube",
    ("marginal", "grid"): "rounded normal",
    ("marginal", "gap"): "empty slab",
    ("marginal", "nearbdry"): "mass at the boundary",
    ("marginal", "gmm"): "two normals",
    ("marginal", "squash"): "squashed band",
    ("kernel", "smooth"): "smooth kernel",
    ("kernel", "ramp"): "ramp",
    ("kernel", "logistic"): "logistic kernel",
    ("kernel", "all"): "all kernels",
    ("family", "soft_mult"): "soft, multiplied rows",
    ("family", "soft_add"): "soft, added rows",
    ("family", "hard_const"): "hard, constant",
    ("family", "hard_noise"): "hard, noise",
    ("family", "noise"): "noise variance",
    ("family", "rademacher"): "hard, random sign",
    ("gate", "inside"): "bias inside the temperature",
    ("gate", "outside"): "bias outside the temperature",
    ("truth", "TL"): "truth TL (linear gate)",
    ("truth", "TA"): "truth TA (gelu gate)",
    ("estimator", "random-start"): "fit from a random start",
    ("estimator", "near-first"): "fit from a start near the first truth",
    ("mode", "independent"): "independent subspaces",
    ("mode", "orthogonal"): "orthogonal subspaces",
    ("kind", "random"): "random noise",
    ("kind", "low-rank"): "noise of low rank",
    ("kind", "tie"): "tied noise",
    ("kind", "block-tie"): "tied noise by blocks",
    ("kind", "rotation"): "rotated samples",
    ("kind", "sweep"): "noise of growing size",
    ("kind", "gaussian"): "normal noise",
    ("kind", "adversarial"): "adversarial noise",
    ("source", "planted"): "planted bases",
    ("source", "random"): "random laws",
    ("source", "two-point"): "two-point laws",
    ("base", "single"): "one style",
    ("base", "two"): "two styles",
    ("base", "log6"): "six styles (log6)",
    ("base", "dead"): "a dead style",
    ("base", "64"): "one style (mean 64)",
    ("base", "1+64"): "styles of mean 1 and 64",
    ("base", "0.01"): "one slow style (0.01)",
    ("learner", "tab"): "cloning (tab)",
    ("learner", "finite"): "best of {±δ}^d (finite)",
    ("learner", "bayes"): "Bayes (bayes)",
    ("learner", "argmax"): "majority (argmax)",
    ("learner", "base"): "the base itself (base)",
    ("sequence", "two"): "two experts",
    ("sequence", "three"): "three experts",
}  # fmt: skip
_BARE = frozenset(("family", "gate", "marginal", "noise", "kernel", "learner", "mechanism", "arm", "source", "kind", "act", "sequence"))


def _entry(field: str, paper: str) -> tuple[str, str]:
    return _FIELDS.get(f"{paper} {field}") or _FIELDS.get(field) or (pretty(field), pretty(field))


def symbol(field: str, paper: str = "") -> str:
    """A field as it stands in a name: "β" of beta."""
    return _entry(field, paper)[0]


def axis_word(field: str, paper: str = "") -> str:
    """A field as the label of an axis: "failure probability β"."""
    return _entry(field, paper)[1]


def said(field: str, value: Any, paper: str = "") -> str:
    """A field with its value: "n = 1,000", "linear analyst", "covariates {3, 5}"."""
    if isinstance(value, str):
        if (field, value) in _VALUES:
            return _VALUES[field, value]
        if field == "subset":
            return f"covariates {{{value.replace('+', ', ')}}}"
        if field in ("dims", "weights", "counts"):
            return f"{symbol(field, paper)} ({value.replace('+', ', ')})"
        if field in ("train", "test"):
            return f"{symbol(field, paper)} {'random-sign' if value == 'rademacher' else value} interventions"
        return value if field in _BARE else f"{symbol(field, paper)} {value}"
    if field == "level" and value == 0:
        return ""
    if isinstance(value, (list, tuple)):
        return f"{symbol(field, paper)} = {', '.join(number(v, 5) for v in value)}"
    return f"{symbol(field, paper)} = {number(value, 5)}"
