r"""Scaling Test-Time Compute Without Verification or RL is Suboptimal: what verifier-free and verifier-based training promise.

Citation: A. Setlur, N. Rajaraman, S. Levine, A. Kumar, ICML 2025, arXiv 2502.12118.

No statement here is the paper's own theorem: its text was not available, so every bound is an explicit version derived
here, constants included. A refuted check would refute the derivation, never the paper.

Setting. A prompt x is drawn, a policy writes a trace of H tokens, and the reward is bi-level: 0 until the first correct
step T, 1 from there on, R = (H - T + 1) 1[T <= H]. VF (verifier-free) learns from n traces of an expert, VB
(verifier-based) from n traces of the base policy with their rewards. sigma_x^2 = Var(R | x) is the base policy's
heterogeneity, c(kappa) = P(R >= mu + sigma sqrt(kappa)) its anti-concentration, Pi_kappa the chi-square ball around it.
"""

from __future__ import annotations

from theory._claims import Paper
from theory.verification import _claims_blocks, _claims_learned, _claims_structure

__all__ = ["CLAIMS", "PAPER"]

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
