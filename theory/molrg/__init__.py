r"""Diffusion Models Learn Low-Dimensional Distributions via Subspace Clustering: what is promised about recovery.

Citation: P. Wang, H. Zhang, Z. Zhang, S. Chen, Y. Ma, Q. Qu, arXiv 2409.02426 (versions 1 to 4; version 5 of June 2026 is called
"Breaking the Curse of Dimensionality"). Only title page and abstract were read; Definition 1, Lemma 1 and Theorems 1 to 4 are as quoted
in reviews, the numbering too. Their constants are not given there, so explicit versions are derived.

Setting. x_0 ~ sum_k pi_k N(0, P_k) in R^n, P_k = U_k U_k^T of rank d_k (MoLRG); training samples X = U* A + E; x_t = s x_0 + g eps.
err(U, V) = ||UU^T - VV^T||_F in [0, sqrt(2 min(d, n - d))].

Index, statement -> function:
  Lemma 1 -> lem1_weights, lem1_posterior_mean, score; unequal dimensions -> lem1_det_weights; means and variances -> gen_posterior;
    Jacobian -> jacobian, numerical_rank
  Theorem 1 -> pca_loss, pca_loss_closed_form, pca_slope; without orthonormality -> free_shrinkage, free_gain
  Theorem 2 (i) -> thm2i_bound, thm2i_failure, thm2i_says_nothing; deterministic -> thm2i_det_bound, thm2i_rank_bound, tie_ratio;
    smallest singular value -> rv_log_tail, rv_q_up, rv_supremum; fixed noise -> inverse_wishart_error, spiked_sine, samples_needed
  Theorem 2 (ii) -> thm2ii_bound, thm2ii_sharp, thm2ii_bayes
  Theorem 3 -> sc_energy, hardmax_loss, hardmax_loss_closed_form, penalty; soft against hard -> thm3_gap
  Theorem 4 -> thm4i_failure, num_optimal_partitions, best_match
  Distances of distributions -> w2_of_angles, w2_of_bases, flow_distance; sampler -> sigma_schedule, in_subspace_error
"""

from __future__ import annotations

from theory._claims import Paper
from theory.molrg import _claims_clusters, _claims_denoiser, _claims_recovery
from theory.molrg._clusters import best_match, errors_between, num_optimal_partitions
from theory.molrg._denoiser import (
    energies,
    free_gain,
    free_loss,
    free_shrinkage,
    gen_posterior,
    hardmax_loss,
    hardmax_loss_closed_form,
    jacobian,
    lem1_det_weights,
    lem1_posterior_mean,
    lem1_weights,
    numerical_rank,
    pca_loss,
    pca_loss_closed_form,
    pca_slope,
    penalty,
    sc_energy,
    score,
    shrinkage,
    thm3_gap,
)
from theory.molrg._rates import inverse_wishart_error, samples_needed, spiked_sine
from theory.molrg._sampler import in_subspace_error, sigma_schedule
from theory.molrg._subspaces import (
    error_cap,
    flow_distance,
    principal_angles,
    rank_part,
    subspace_error,
    thm2i_det_bound,
    thm2i_rank_bound,
    thm2ii_bayes,
    thm2ii_bound,
    thm2ii_sharp,
    tie_ratio,
    w2_of_angles,
    w2_of_bases,
)
from theory.molrg._tails import (
    C1,
    RV_CONSTANT,
    rv_gap,
    rv_log_tail,
    rv_q_up,
    rv_supremum,
    rv_tail,
    thm2i_bound,
    thm2i_failure,
    thm2i_says_nothing,
    thm4i_failure,
)

__all__ = [
    "C1",
    "CLAIMS",
    "PAPER",
    "RV_CONSTANT",
    "best_match",
    "energies",
    "error_cap",
    "errors_between",
    "flow_distance",
    "free_gain",
    "free_loss",
    "free_shrinkage",
    "gen_posterior",
    "hardmax_loss",
    "hardmax_loss_closed_form",
    "in_subspace_error",
    "inverse_wishart_error",
    "jacobian",
    "lem1_det_weights",
    "lem1_posterior_mean",
    "lem1_weights",
    "num_optimal_partitions",
    "numerical_rank",
    "pca_loss",
    "pca_loss_closed_form",
    "pca_slope",
    "penalty",
    "principal_angles",
    "rank_part",
    "rv_gap",
    "rv_log_tail",
    "rv_q_up",
    "rv_supremum",
    "rv_tail",
    "samples_needed",
    "sc_energy",
    "score",
    "shrinkage",
    "sigma_schedule",
    "spiked_sine",
    "subspace_error",
    "thm2i_bound",
    "thm2i_det_bound",
    "thm2i_failure",
    "thm2i_rank_bound",
    "thm2i_says_nothing",
    "thm2ii_bayes",
    "thm2ii_bound",
    "thm2ii_sharp",
    "thm3_gap",
    "thm4i_failure",
    "tie_ratio",
    "w2_of_angles",
    "w2_of_bases",
]

PAPER = Paper(
    slug="molrg",
    title="Diffusion Models Learn Low-Dimensional Distributions via Subspace Clustering",
    citation="Wang, Zhang, Zhang, Chen, Ma, Qu. arXiv 2409.02426.",
    note="The paper's text was not available: its statements are as quoted in reviews, numbering included, and their constants are not "
    "given there. Whatever has explicit constants is derived here, and is no theorem of the paper.",
)

_ALL = {c.id: c for part in (_claims_denoiser, _claims_recovery, _claims_clusters) for c in part.CLAIMS}
_ORDER = (
    "def1 lem1 lem1.det lem1.gen thm1 thm1.free rv thm2i thm2i.det thm2i.tight thm2i.rate thm2ii thm2ii.sharp thm2ii.bayes thm3 "
    "thm3.unequal thm3.gap thm4i thm4.unique thm4ii w2 sampler fig3 fig4 fig5a fig5b digits"
)
CLAIMS = tuple(_ALL[f"{PAPER.slug}.{name}"] for name in _ORDER.split())
