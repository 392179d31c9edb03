r"""PAC Generalization via Invariant Representations: what invariance on some interventions promises about others.

Citation: A. Parulekar, K. Shanmugam, S. Shakkottai, ICML 2023, arXiv 2205.15196 (May 2022, revised August 2022).

The paper's theorems and their constants were not available: every explicit bound here is derived under the paper's setting,
and no number of a theorem of the paper is cited. A refuted check would refute the derivation, never the paper.

Setting. X = B X + eta on p nodes, target y = X_t, d = p - 1 covariates. An intervention e changes rows and noises of the
sites S, K of them, t not in S. Sigma_e, r_e: uncentred moments of the covariates and with y. A representation is a subspace V
of dimension k, its predictor beta in V; G_e = ||V^T (Sigma_e beta - r_e)||. Assumptions: acyclic, independent noises; the target
is no site; zero-mean noise off the sites; independent interventions of one family.

Index: L1 second_moment, intervene. L2 feature_dims, feature_rank, features. L3, L4 feature_dims, capacity, vc_bound, ambient_vc.
L5 sample_slack. L6 cov_radius, cov_radius_mean. L7 gap, predictor_gap, excess_risk, irm_penalty. L8 kappa. L9 is_d_separated,
separated_subsets. thm.exact, thm.lower threshold. thm.pac blumer_rho, blumer_n. law.fixed fixed_law. scenario minimax_head,
scenario_mean, scenario_tail, scenario_rho, scenario_n. thm.samples sample_slack, samples_needed. thm.indirect indirect.
fig.main B7, published.
"""

from __future__ import annotations

from theory._claims import Paper
from theory.invariance import _claims_facts, _claims_theorems
from theory.invariance._arguments import FAMILIES
from theory.invariance._bounds import (
    blumer_n,
    blumer_rho,
    cov_radius,
    cov_radius_mean,
    fixed_law,
    published,
    sample_slack,
    samples_needed,
    scenario_mean,
    scenario_n,
    scenario_rho,
    scenario_tail,
)
from theory.invariance._certificates import Kappa, kappa, minimax_head
from theory.invariance._claims_theorems import threshold
from theory.invariance._dimensions import Dims, ambient_vc, capacity, feature_dims, feature_rank, features, vc_bound
from theory.invariance._sem import (
    B7,
    B7_SITES,
    B7_TARGET,
    canonical,
    excess_risk,
    gap,
    indirect,
    irm_penalty,
    predictor_gap,
    second_moment,
    split,
)
from theory.invariance._separation import is_d_separated, separated_subsets, subsets

__all__ = [
    "B7",
    "B7_SITES",
    "B7_TARGET",
    "CLAIMS",
    "COMMANDS",
    "FAMILIES",
    "PAPER",
    "Dims",
    "Kappa",
    "ambient_vc",
    "blumer_n",
    "blumer_rho",
    "canonical",
    "capacity",
    "cov_radius",
    "cov_radius_mean",
    "excess_risk",
    "feature_dims",
    "feature_rank",
    "features",
    "fixed_law",
    "gap",
    "indirect",
    "irm_penalty",
    "is_d_separated",
    "kappa",
    "minimax_head",
    "predictor_gap",
    "published",
    "sample_slack",
    "samples_needed",
    "scenario_mean",
    "scenario_n",
    "scenario_rho",
    "scenario_tail",
    "second_moment",
    "separated_subsets",
    "split",
    "subsets",
    "threshold",
    "vc_bound",
]

PAPER = Paper(
    slug="invariance",
    title="PAC Generalization via Invariant Representations",
    citation="Parulekar, Shanmugam, Shakkottai. ICML 2023, arXiv 2205.15196.",
    note="Every explicit bound here is derived under the paper's setting: its theorems and constants were not available, so no "
    "number below is "
    "the authors'. Read were the abstracts, the opening, and the released notebook with its stored output.",
)

COMMANDS = {
    "certify": "for a graph, its sites and its target: how many interventions certify a failure rate, what is invariant, kappa of "
    "unseen ones"
}

CLAIMS = (*_claims_facts.CLAIMS, *_claims_theorems.CLAIMS)
