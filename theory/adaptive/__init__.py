r"""Preserving Statistical Validity in Adaptive Data Analysis: what the paper promises, as numbers.

Citation: C. Dwork, V. Feldman, M. Hardt, T. Pitassi, O. Reingold, A. Roth, STOC 2015, arXiv 1411.2664. Theorem
numbers (thm6, thm25, ...) are those of the same authors' companion, Generalization in Adaptive Data Analysis and
Holdout Reuse, NeurIPS 2015, arXiv 1506.02629 (version of September 2015), which restates the paper's theorems.

Setting. A sample S = (x_1, ..., x_n) is drawn i.i.d. from P. A statistical query is q: X -> [0, 1]; its truth is P[q],
its sample mean E_S[q]. An analyst asks queries one at a time, each may depend on the answers before it. "Error" is
|answer - P[q]|, "gap" is E_S[q] - P[q]. Neighbouring samples differ in one element.

Assumptions.
  A1 S is an i.i.d. sample from P.
  A2 the algorithm is eps-differentially private (pure), with eps within the theorem's premise.
  A3 the sample is as large as the theorem asks.
  A4 attack world: P is uniform on {0,1}^m; queries 1..m are the coordinates, query m+1 is the aggregate 1[score > 0],
     score_i = sum_j w_j (x_ij - 1/2), a score of 0 counts 1/2. The `linear` analyst takes w_j = a_j - 1/2, the `sign`
     analyst w_j = sign(a_j - 1/2), sign(0) = 0. An answer is a_j = E_S[q_j] + s * (standard normal).

Index: statement -> function.
  naive answers, gap of the aggregate       -> naive_gap_limit (large n), naive_gap_exact, naive_gap_sd, m_crit
  fresh chunks                              -> n_nonadaptive, n_split, split_threshold, split_failure_exact
  Theorem 6, pure-DP transfer of events     -> thm6_premise, thm6_bound (printed), thm6_sharp_bound (derived)
    algorithms that try to break it         -> rr_inclusion, rr_tail, rr_event, geometric_mechanism,
                                               threshold_bit_mechanism, neyman_pearson_sup, lp_sup
  bias of a pure-DP selection               -> bias_pure_bound
  Lemma 24, Theorem 25, Thresholdout        -> lem24_n0, lem24_n1, thm25_sigma, thm25_threshold, thm25_sample_size
  transfer: Corollary 7, Theorems 6 and 8   -> _transfer;  composition, Theorem 4 -> _composition
  max-information, Theorems 13 to 20        -> _maxinfo;   description length, Theorems 9 and 27 -> _description
  Lemmas 23 and 24, transcripts             -> _svt;       noise, Jung et al., Gaussian privacy -> _noise
  bounded rounds -> _rounds;  leaderboard -> _ladder;  all sample sizes side by side -> _certified
  multiplicative weights -> _histogram;  Median mechanism -> _median;  the holdout experiment -> _reusable

Sample-size formulas count ALL queries, the aggregate included.

Proof sketches of the derived items.
  Exact gap. In signs z_ij = 2 x_ij - 1 the score of point i is proportional to sum_j (1 + z_ij R_j + 2 s n z_ij g_j),
  R_j the sum of the other n-1 signs, g_j the noise. z_ij R_j ~ R_j and z_ij g_j ~ g_j, independent over j. For `sign`,
  z_ij sign(a_j) are i.i.d. over j with the law of sign(1 + R + 2 s n g). The truth is 1/2 by symmetry.
  Sharp transfer. Fix the output y, g(S) = ln Pr[y|S]/Pr[y]. M_i = E[e^g | x_1..x_i] is a martingale, and as a function
  of x_{i+1} the ratio M_{i+1}/M_i has mean 1 and max/min <= e^eps. With K(r) the log-moment of the ratio, K(0) = K(1) =
  0 and K'' <= eps^2/4, so E e^{r g} <= exp(n r (r-1) eps^2/8). Hoelder: Pr[S in R | y] <= exp(n (r-1) eps^2/8)
  beta^{1-1/r}; take r = sqrt(8 ln(1/beta)) / (eps sqrt(n)), and average over y.
  Bias. Given y and all points but x_i, the posterior of x_i is P tilted by a function with max <= e^eps min, so
  E[phi(x_i)|.] <= p e^eps / (1 - p + p e^eps); the largest excess over p is tanh(eps/4), attained by RR-selection.
"""

from __future__ import annotations

from theory._claims import Paper
from theory.adaptive import _claims_core, _claims_exact, _claims_histogram, _claims_mechanisms
from theory.adaptive._arguments import ANALYSTS
from theory.adaptive._attack import (
    m_crit,
    n_nonadaptive,
    n_split,
    naive_gap_exact,
    naive_gap_limit,
    naive_gap_sd,
    naive_margin,
    split_failure_exact,
    split_threshold,
)
from theory.adaptive._certified import (
    CERTIFIED,
    Certified,
    certified_crossover,
    certified_size,
    certified_table,
    split_largest_error,
    split_needed,
)
from theory.adaptive._composition import rr_composition_delta, rr_composition_eps, thm4_eps
from theory.adaptive._description import (
    sparse_validate_sup,
    thm9_bound,
    thm27_bound,
    thm27_count,
    thm27_count_exact,
    thm27_union_bound,
    union_sup,
)
from theory.adaptive._histogram import mw_kl_drop_bound, mw_updates_bound
from theory.adaptive._holdout import lem24_n0, lem24_n1, thm25_sample_size, thm25_sigma, thm25_threshold
from theory.adaptive._ladder import board_loss, ladder_bound, ladder_step
from theory.adaptive._maxinfo import (
    cor22_bound,
    cor22_constant,
    cor22_expression,
    max_information,
    rare_outputs,
    rr_count_laws,
    rr_max_information,
    rr_worst_event,
    thm13_bound,
    thm17_bound,
    thm19_bound,
    thm20_bound,
    thm20_sharp_bound,
)
from theory.adaptive._median import lem37_update_bound, median_alpha, median_dataset_size, thm34_sample_size
from theory.adaptive._noise import (
    GaussianAllocation,
    bias_gdp_bound,
    gaussian_allocation,
    gaussian_mu,
    gdp_delta,
    gdp_mu,
    jung_transfer,
    laplace_scale,
    n_gaussian_jung,
    n_laplace_advanced,
    n_laplace_pure,
    n_laplace_sharp,
    rate_laplace,
    rate_pmw,
    rate_rounds,
)
from theory.adaptive._privacy import (
    bias_pure_bound,
    geometric_mechanism,
    lp_sup,
    neyman_pearson_sup,
    rr_event,
    rr_inclusion,
    rr_tail,
    thm6_bound,
    thm6_premise,
    thm6_sharp_bound,
    threshold_bit_mechanism,
)
from theory.adaptive._reusable import (
    SIGNAL_COLUMNS,
    SIGNAL_STRENGTH,
    THRESHOLD,
    fig2_holdout_accuracy,
    fig2_num_released,
    fig2_num_selected,
    fig2_reported_margin,
    fig2_train_accuracy,
    fig3_fresh_accuracy,
    thresholdout_accuracy,
)
from theory.adaptive._rounds import RoundsSize, n_rounds
from theory.adaptive._svt import (
    lem23_eps,
    lem23_eps_approximate,
    lem24_coefficient,
    lem24_coefficient_needed,
    lem24_coefficient_repaired,
    lem24_delta,
    lem24_n0_needed,
    svt_limit_loss,
    svt_log_probability,
    svt_privacy_loss,
)
from theory.adaptive._transfer import (
    block_publishing_tail,
    cor7_bound,
    cor7_sharp_bound,
    stoc10_delta,
    stoc10_eps,
    stoc10_sample_size,
    thm8_bound,
    thm8_sample_size,
)

__all__ = [
    "ANALYSTS",
    "CERTIFIED",
    "CLAIMS",
    "COMMANDS",
    "PAPER",
    "SIGNAL_COLUMNS",
    "SIGNAL_STRENGTH",
    "THRESHOLD",
    "Certified",
    "GaussianAllocation",
    "RoundsSize",
    "bias_gdp_bound",
    "bias_pure_bound",
    "block_publishing_tail",
    "board_loss",
    "certified_crossover",
    "certified_size",
    "certified_table",
    "cor7_bound",
    "cor7_sharp_bound",
    "cor22_bound",
    "cor22_constant",
    "cor22_expression",
    "fig2_holdout_accuracy",
    "fig2_num_released",
    "fig2_num_selected",
    "fig2_reported_margin",
    "fig2_train_accuracy",
    "fig3_fresh_accuracy",
    "gaussian_allocation",
    "gaussian_mu",
    "gdp_delta",
    "gdp_mu",
    "geometric_mechanism",
    "jung_transfer",
    "ladder_bound",
    "ladder_step",
    "laplace_scale",
    "lem23_eps",
    "lem23_eps_approximate",
    "lem24_coefficient",
    "lem24_coefficient_needed",
    "lem24_coefficient_repaired",
    "lem24_delta",
    "lem24_n0",
    "lem24_n0_needed",
    "lem24_n1",
    "lem37_update_bound",
    "lp_sup",
    "m_crit",
    "max_information",
    "median_alpha",
    "median_dataset_size",
    "mw_kl_drop_bound",
    "mw_updates_bound",
    "n_gaussian_jung",
    "n_laplace_advanced",
    "n_laplace_pure",
    "n_laplace_sharp",
    "n_nonadaptive",
    "n_rounds",
    "n_split",
    "naive_gap_exact",
    "naive_gap_limit",
    "naive_gap_sd",
    "naive_margin",
    "neyman_pearson_sup",
    "rare_outputs",
    "rate_laplace",
    "rate_pmw",
    "rate_rounds",
    "rr_composition_delta",
    "rr_composition_eps",
    "rr_count_laws",
    "rr_event",
    "rr_inclusion",
    "rr_max_information",
    "rr_tail",
    "rr_worst_event",
    "sparse_validate_sup",
    "split_failure_exact",
    "split_largest_error",
    "split_needed",
    "split_threshold",
    "stoc10_delta",
    "stoc10_eps",
    "stoc10_sample_size",
    "svt_limit_loss",
    "svt_log_probability",
    "svt_privacy_loss",
    "thm4_eps",
    "thm6_bound",
    "thm6_premise",
    "thm6_sharp_bound",
    "thm8_bound",
    "thm8_sample_size",
    "thm9_bound",
    "thm13_bound",
    "thm17_bound",
    "thm19_bound",
    "thm20_bound",
    "thm20_sharp_bound",
    "thm25_sample_size",
    "thm25_sigma",
    "thm25_threshold",
    "thm27_bound",
    "thm27_count",
    "thm27_count_exact",
    "thm27_union_bound",
    "thm34_sample_size",
    "threshold_bit_mechanism",
    "thresholdout_accuracy",
    "union_sup",
]

PAPER = Paper(
    slug="adaptive",
    title="Preserving Statistical Validity in Adaptive Data Analysis",
    citation="Dwork, Feldman, Hardt, Pitassi, Reingold, Roth. STOC 2015, arXiv 1411.2664.",
    note="Theorem numbers are those of the same authors' companion paper (NeurIPS 2015, arXiv 1506.02629), which "
    "restates theorems of 1411.2664. Every sample size counts all queries, the analyst's last one included.",
)

_ALL = {c.id: c for part in (_claims_core, _claims_exact, _claims_mechanisms, _claims_histogram) for c in part.CLAIMS}
_ORDER = (
    "naive split thm6 thm6_sharp cor7 cor7_sharp bias_pure bias_gdp thm4 thm8 stoc10 jung laplace lower_n2 pmw mw_updates rounds thm9 "
    "thm13 thm17 thm19 thm20 thm20_sharp cor22 thm27 thm27_union lem23 lem24 thm25 lem37 thm34 fig2 fig3 fig4 ladder"
)
CLAIMS = tuple(_ALL[f"{PAPER.slug}.{name}"] for name in _ORDER.split() if f"{PAPER.slug}.{name}" in _ALL)

COMMANDS = {"certified": "how many points every guarantee asks for, against splitting and against what attacks need"}
