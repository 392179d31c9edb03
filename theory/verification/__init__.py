r"""Scaling Test-Time Compute Without Verification or RL is Suboptimal: what verifier-free and verifier-based training promise.

Citation: A. Setlur, N. Rajaraman, S. Levine, A. Kumar, ICML 2025, arXiv 2502.12118.

No statement here is the paper's own theorem: its text was not available, so every bound is an explicit version derived
here, constants included. A refuted check would refute the derivation, never the paper.

Setting. A prompt x is drawn, a policy writes a trace of H tokens, and the reward is bi-level: 0 until the first correct
step T, 1 from there on, R = (H - T + 1) 1[T <= H]. VF (verifier-free) learns from n traces of an expert, VB
(verifier-based) from n traces of the base policy with their rewards. sigma_x^2 = Var(R | x) is the base policy's
heterogeneity, c(kappa) = P(R >= mu + sigma sqrt(kappa)) its anti-concentration, Pi_kappa the chi-square ball around it.

Statement -> functions; proof sketches stand at the head of the private modules.
  lem1                heterogeneity is Var R        mixture_var_q_sum, var_q_sum
  lem2, lem2_kl       what a ball reaches           lem2_gain, lem2_attained, sup_chi2; kl_gain_pinsker, kl_gain_bernstein, sup_kl
  lem3, lem3_kl       conditioning on the top       anticonc, anticonc_star, top_c_value, cantelli_cap, hoeffding_cap, largest_heard_kappa
  lem4                Erdős's interval              erdos_bound, interval_mass
  prop_vf_ub          cloning, upper bound          vf_upper, vf_upper_vacuous_below
  thm_vf_lb           any learner, lower bound      vf_lower, p_err, best_delta, vf_lower_constant
  thm_vf_lb_prob      ... with probability          p_err_one_block
  prop_vf_const       cloning, exactly              tab_mad, tab_mad_asymptote, paired_sup_gap
  neg_vf_expectation  no root rate in the mean      tab_aligned_gap, paired_vf_value
  thm_vb_ub           verifier, upper bound         vb_upper, vb_upper_mean, needle_worst, needle_missed, needle_informative
  thm_vb_ub_chi2      ... over the chi-square ball  vb_upper_chi2
  thm_vb_tight        ... its rate is real          needle_vb, needle_distinct
  thm_sep             the separation                tab_mad, paired_vb_value, paired_worst_gap
  noisy               a verifier that errs          noisy_vb_value, break_even_flip
  reg_vf_wins         where cloning wins            needle_vb, needle_vf
  reg_anti_fail       without anti-concentration    needle_half, needle_vb_curve, best_of_n
  emp_hetero          spread of planted bases       spread, spread_cap, spread_floor, solving_time
  emp_planted         learned policies              base_value, expert_value, expert_weights, cloned_value
  emp_bon             best of N at equal tokens     bon_success, bon_failure, bon_failure_unverified
"""

from __future__ import annotations

from theory._claims import Paper
from theory.verification import _claims_blocks, _claims_learned, _claims_structure
from theory.verification._balls import (
    anticonc,
    anticonc_star,
    cantelli_cap,
    erdos_bound,
    hoeffding_cap,
    interval_mass,
    kl_gain_bernstein,
    kl_gain_pinsker,
    largest_heard_kappa,
    lem2_attained,
    lem2_gain,
    sup_chi2,
    sup_kl,
    tail_mass,
    top_c_value,
)
from theory.verification._learned import base_value, cloned_value, expert_value, expert_weights, row_visits, style_means
from theory.verification._needle import (
    best_of_n,
    needle_distinct,
    needle_half,
    needle_informative,
    needle_missed,
    needle_vb,
    needle_vb_curve,
    needle_vf,
    needle_worst,
    vb_upper,
    vb_upper_chi2,
    vb_upper_mean,
)
from theory.verification._paired import (
    LEARNERS,
    best_delta,
    break_even_flip,
    noisy_vb_value,
    p_err,
    p_err_one_block,
    paired_sup_gap,
    paired_vb_value,
    paired_vf_value,
    paired_worst_gap,
    tab_aligned_gap,
    tab_mad,
    tab_mad_asymptote,
    vf_lower,
    vf_lower_constant,
    vf_upper,
    vf_upper_vacuous_below,
)
from theory.verification._planted import (
    BASES,
    GOLD_LENGTH,
    VOCABULARY,
    base_of,
    bilevel_reward,
    bon_failure,
    bon_failure_unverified,
    bon_success,
    mean_var,
    mixture_pmf,
    mixture_var_q_sum,
    planted_pmf,
    solve_cdf,
    solving_time,
    spread,
    spread_cap,
    spread_floor,
    unsolved,
    var_q_sum,
)

__all__ = [
    "BASES",
    "CLAIMS",
    "GOLD_LENGTH",
    "LEARNERS",
    "PAPER",
    "VOCABULARY",
    "anticonc",
    "anticonc_star",
    "base_of",
    "base_value",
    "best_delta",
    "best_of_n",
    "bilevel_reward",
    "bon_failure",
    "bon_failure_unverified",
    "bon_success",
    "break_even_flip",
    "cantelli_cap",
    "cloned_value",
    "erdos_bound",
    "expert_value",
    "expert_weights",
    "hoeffding_cap",
    "interval_mass",
    "kl_gain_bernstein",
    "kl_gain_pinsker",
    "largest_heard_kappa",
    "lem2_attained",
    "lem2_gain",
    "mean_var",
    "mixture_pmf",
    "mixture_var_q_sum",
    "needle_distinct",
    "needle_half",
    "needle_informative",
    "needle_missed",
    "needle_vb",
    "needle_vb_curve",
    "needle_vf",
    "needle_worst",
    "noisy_vb_value",
    "p_err",
    "p_err_one_block",
    "paired_sup_gap",
    "paired_vb_value",
    "paired_vf_value",
    "paired_worst_gap",
    "planted_pmf",
    "row_visits",
    "solve_cdf",
    "solving_time",
    "spread",
    "spread_cap",
    "spread_floor",
    "style_means",
    "sup_chi2",
    "sup_kl",
    "tab_aligned_gap",
    "tab_mad",
    "tab_mad_asymptote",
    "tail_mass",
    "top_c_value",
    "unsolved",
    "var_q_sum",
    "vb_upper",
    "vb_upper_chi2",
    "vb_upper_mean",
    "vf_lower",
    "vf_lower_constant",
    "vf_upper",
    "vf_upper_vacuous_below",
]

PAPER = Paper(
    slug="verification",
    title="Scaling Test-Time Compute Without Verification or RL is Suboptimal",
    citation="Setlur, Rajaraman, Levine, Kumar. ICML 2025, arXiv 2502.12118.",
    note="Every row is a derived explicit version, never a theorem of the paper as printed: a failed check is a bug or "
    "refutes the derivation here.",
)

_ALL = {c.id: c for part in (_claims_structure, _claims_blocks, _claims_learned) for c in part.CLAIMS}
_ORDER = (
    "lem1 lem2 lem2_kl lem3 lem3_kl lem4 prop_vf_ub thm_vf_lb thm_vf_lb_prob prop_vf_const neg_vf_expectation thm_vb_ub thm_vb_ub_chi2 "
    "thm_vb_tight thm_sep noisy reg_vf_wins reg_anti_fail emp_hetero emp_planted emp_bon note_minimax note_llm"
)
CLAIMS = tuple(_ALL[f"{PAPER.slug}.{name}"] for name in _ORDER.split() if f"{PAPER.slug}.{name}" in _ALL)
