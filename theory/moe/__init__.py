r"""Is Temperature Sample Efficient for Softmax Gaussian Mixture of Experts?

Citation: H. Nguyen, P. Akbarian, N. Ho. ICML 2024 (PMLR 235), arXiv 2401.13875v2.

The paper's body was not available: its abstract is the paper's own word, the rest is as reported by a summary, as recalled, or
derived here, and every check says which.

Setting. X ~ Uniform([lo, hi]^d), k* experts N(a_i.x + b_i, nu_i), gate softmax_i(z_i) with one shared temperature tau:
z_i = (sigma(beta1_i.x) + beta0_i)/tau (gate "inside", the default) or sigma(beta1_i.x)/tau + beta0_i ("outside"); the same laws.
Anchors: beta0_k = 0, and beta1_k = 0 for the linear gate.

Index (statement -> function)
  density, gate                          log_cond, gate_logits, weights, to_gate, anchored
  moe.gauge, ray and its tangent         gauge_scale, gauge_tangent
  moe.cosh, doubled atoms                doubled
  moe.reflect                            reflected
  moe.def1, independence                 independence_sv
  Fisher information                     fisher, eigenvalues, rank, free_parameters
  moe.thm1c, moe.thm3c, moe.quot         hellinger_constant, root_constant, d1_constant, predicted_constants
  Voronoi losses D1_r, D2, quotient      voronoi_losses, rbar
  moe.thm2c, two-point bound             two_point_bound
  moe.rbar, splitting sequences          split, sequence_of, order_sequence
  moe.over.lb                            resolution_eps, two_point_power
  moe.bite                               n_bite, advise
  distances by quadrature                distances, quadrature, tensor_quadrature, monte_carlo_quadrature, quadrature_for
"""

from __future__ import annotations

from theory._claims import Paper
from theory.moe import _claims_identity, _claims_over, _claims_rates
from theory.moe._activations import ACTIVATIONS, DEGREES, activation, degree, derivative, second_derivative
from theory.moe._advice import Advice, advise, read_mixture
from theory.moe._constants import (
    Predicted,
    conserved,
    d1_constant,
    hellinger_constant,
    independence_sv,
    kl_constant,
    n_bite,
    order_sequence,
    predicted_constants,
    predicted_sd,
    resolution_eps,
    root_constant,
    sequence_of,
    two_point_bound,
    two_point_power,
)
from theory.moe._losses import Losses, rbar, voronoi_losses
from theory.moe._model import (
    TA,
    TL,
    TL2,
    TL4,
    TRUTHS,
    Mixture,
    anchored,
    antipodal_truth,
    doubled,
    free_parameters,
    gate_logits,
    gauge_scale,
    gauge_tangent,
    log_cond,
    mixture,
    num_parameters,
    reflected,
    split,
    to_gate,
    truth_warnings,
    weights,
)
from theory.moe._quadrature import (
    Distances,
    Quadrature,
    distances,
    eigenvalues,
    fisher,
    monte_carlo_quadrature,
    quadrature,
    quadrature_for,
    rank,
    scores,
    tensor_quadrature,
)

__all__ = [
    "ACTIVATIONS",
    "CLAIMS",
    "COMMANDS",
    "DEGREES",
    "PAPER",
    "TA",
    "TL",
    "TL2",
    "TL4",
    "TRUTHS",
    "Advice",
    "Distances",
    "Losses",
    "Mixture",
    "Predicted",
    "Quadrature",
    "activation",
    "advise",
    "anchored",
    "antipodal_truth",
    "conserved",
    "d1_constant",
    "degree",
    "derivative",
    "distances",
    "doubled",
    "eigenvalues",
    "fisher",
    "free_parameters",
    "gate_logits",
    "gauge_scale",
    "gauge_tangent",
    "hellinger_constant",
    "independence_sv",
    "kl_constant",
    "log_cond",
    "mixture",
    "monte_carlo_quadrature",
    "n_bite",
    "num_parameters",
    "order_sequence",
    "predicted_constants",
    "predicted_sd",
    "quadrature",
    "quadrature_for",
    "rank",
    "rbar",
    "read_mixture",
    "reflected",
    "resolution_eps",
    "root_constant",
    "scores",
    "second_derivative",
    "sequence_of",
    "split",
    "tensor_quadrature",
    "to_gate",
    "truth_warnings",
    "two_point_bound",
    "two_point_power",
    "voronoi_losses",
    "weights",
]

PAPER = Paper(
    slug="moe",
    title="Is Temperature Sample Efficient for Softmax Gaussian Mixture of Experts?",
    citation="Nguyen, Akbarian, Ho. ICML 2024 (PMLR 235), arXiv 2401.13875v2.",
    note="The paper's body was not available: only its abstract is quoted as its own word. Rates are as reported by a summary or as "
    "recalled; constants, identities and counterexamples are derived here.",
)

COMMANDS = {"bite": "identifiability, predicted constants and the sample size that a truth of yours needs"}

_ALL = {c.id: c for part in (_claims_identity, _claims_rates, _claims_over) for c in part.CLAIMS}
_ORDER = "thm1 thm1c pde gauge cosh thm2 thm2c quot artefact def1 antipodal reflect thm3 thm3c thm4 rbar over.lb bite"
CLAIMS = tuple(_ALL[f"{PAPER.slug}.{name}"] for name in _ORDER.split())
