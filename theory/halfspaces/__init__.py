r"""An Efficient Tester-Learner for Halfspaces: what testable learning of halfspaces promises, and with which constants.

Citation: A. Gollakota, A. R. Klivans, K. Stavropoulos, A. Vasilyan, ICLR 2024, arXiv 2302.14853 (v2).

Of the paper itself only title, abstract and opening were readable. What is theirs is marked so; numbers of their lemmas are as
recalled; explicit constants are those of DKTZ20a (Diakonikolas, Kontonis, Tzamos, Zarifis, arXiv 2002.05632) or derived here.

Setting. x in R^d, y = -1 or +1, h_w(x) = sign(<w,x>) with sign(0) = +1, ||w|| = 1, err(w) = P[h_w(x) != y], opt = min err, w* a
minimiser. Surrogate L_sigma(w) = E l_sigma(-y<w,x>/||w||), l_sigma' = k(t/sigma)/sigma. A tester-learner rejects a sample or outputs w; if
it accepts, err(w) <= psi(opt) + eps with probability 1 - delta for every law; target marginals are accepted.

Index of statements:
  Fact 1                 fact1_disagreement
  surrogate loss         kernel, loss, kernel_sup, curvature_sup
  gradient, random noise grad_norm, grad_norm_ramp
  Lemma 4.3, exact       massart_component, stationary_angle, stationary_limit, stationary_limit_constant
  Theorem 4.1, at sigma  excess_floor, excess_ceiling, worst_excess, massart_half_excess, massart_half_rates, rcn_excess
  Theorem 5.1, constant  adversarial_limit, adversarial_wall, adversarial_best, adversarial_component
  DKTZ20a Lemmas 7, 8    lem7_lem8_sigma, lem7_lem8_bound; Claim 5 claim5_lower; Lemma 11 lem11_gradient, lem11_population,
                         lem11_smoothness; Lemma 10 lem10_as_read, lem10_derived, lem10_vacuous_below
  testers T1 to T4       t1_accepts, t2_accepts, t2_acceptance, t3_spectral_accepts, t3_monomial_accepts, q4, wedge_of, wedge_bound
  T1 and T2 alone        moment_bound, spike
  certificate            certificate, certified_angle_massart, certified_angle_adversarial, certified_opt, certified_excess
  convex surrogates      averaging_angle, averaging_excess
"""

from __future__ import annotations

from theory._claims import Paper
from theory.halfspaces import _claims_dktz, _claims_laws, _claims_learner, _claims_testers
from theory.halfspaces._adversarial import (
    AdversarialLimit,
    adversarial_best,
    adversarial_component,
    adversarial_limit,
    adversarial_wall,
    adversarial_wall_ramp,
)
from theory.halfspaces._angles import (
    averaging_angle,
    averaging_excess,
    excess_ceiling,
    excess_floor,
    fact1_disagreement,
    grad_component_sd,
    grad_norm,
    grad_norm_max,
    grad_norm_ramp,
    massart_component,
    massart_half_excess,
    massart_half_rates,
    rcn_excess,
    sigma_for_excess,
    stationary_angle,
    stationary_limit,
    stationary_limit_constant,
    worst_excess,
)
from theory.halfspaces._certificate import (
    Certificate,
    Weighted,
    certificate,
    certified_angle_adversarial,
    certified_angle_massart,
    certified_excess,
    certified_opt,
    label_deviation,
    population_certified_angle,
    weighted_moments,
)
from theory.halfspaces._dktz import (
    claim5_lower,
    gaussian_density_bound,
    lem7_holds_up_to,
    lem7_lem8_bound,
    lem7_lem8_sigma,
    lem10_as_read,
    lem10_derived,
    lem10_step,
    lem10_vacuous_below,
    lem11_gradient,
    lem11_population,
    lem11_smoothness,
    squash_component,
)
from theory.halfspaces._kernels import KERNELS, curvature_sup, kernel, kernel_mass, kernel_moment, kernel_sup, loss
from theory.halfspaces._testers import (
    CANTELLI_CEILING,
    Moments,
    Spike,
    Wedge,
    band_mass,
    complement,
    greedy_slabs,
    moment_bound,
    monomial_deviation,
    num_monomials,
    q4,
    spectral_moments,
    spike,
    t1_accepts,
    t2_acceptance,
    t2_accepts,
    t3_monomial_accepts,
    t3_spectral_accepts,
    wedge_bound,
    wedge_ceiling,
    wedge_of,
)

__all__ = [
    "CANTELLI_CEILING",
    "CLAIMS",
    "COMMANDS",
    "KERNELS",
    "PAPER",
    "AdversarialLimit",
    "Certificate",
    "Moments",
    "Spike",
    "Wedge",
    "Weighted",
    "adversarial_best",
    "adversarial_component",
    "adversarial_limit",
    "adversarial_wall",
    "adversarial_wall_ramp",
    "averaging_angle",
    "averaging_excess",
    "band_mass",
    "certificate",
    "certified_angle_adversarial",
    "certified_angle_massart",
    "certified_excess",
    "certified_opt",
    "claim5_lower",
    "complement",
    "curvature_sup",
    "excess_ceiling",
    "excess_floor",
    "fact1_disagreement",
    "gaussian_density_bound",
    "grad_component_sd",
    "grad_norm",
    "grad_norm_max",
    "grad_norm_ramp",
    "greedy_slabs",
    "kernel",
    "kernel_mass",
    "kernel_moment",
    "kernel_sup",
    "label_deviation",
    "lem7_holds_up_to",
    "lem7_lem8_bound",
    "lem7_lem8_sigma",
    "lem10_as_read",
    "lem10_derived",
    "lem10_step",
    "lem10_vacuous_below",
    "lem11_gradient",
    "lem11_population",
    "lem11_smoothness",
    "loss",
    "massart_component",
    "massart_half_excess",
    "massart_half_rates",
    "moment_bound",
    "monomial_deviation",
    "num_monomials",
    "population_certified_angle",
    "q4",
    "rcn_excess",
    "sigma_for_excess",
    "spectral_moments",
    "spike",
    "squash_component",
    "stationary_angle",
    "stationary_limit",
    "stationary_limit_constant",
    "t1_accepts",
    "t2_acceptance",
    "t2_accepts",
    "t3_monomial_accepts",
    "t3_spectral_accepts",
    "wedge_bound",
    "wedge_ceiling",
    "wedge_of",
    "weighted_moments",
    "worst_excess",
]

PAPER = Paper(
    slug="halfspaces",
    title="An Efficient Tester-Learner for Halfspaces",
    citation="Gollakota, Klivans, Stavropoulos, Vasilyan. ICLR 2024, arXiv 2302.14853.",
    note="Of the paper only title, abstract and opening were readable: constants are DKTZ20a's (arXiv 2002.05632) or derived "
    "here, and say so.",
)

_ALL = {c.id: c for part in (_claims_laws, _claims_dktz, _claims_testers, _claims_learner) for c in part.CLAIMS}
_ORDER = (
    "fact1 loss gradlaw lem4.3x dktz.lem7 dktz.lem8 dktz.claim5 dktz.thm9 dktz.lem11 dktz.lem10 T2 T3 T1bound T4 thm4.1 thm4.1x thm5.1 "
    "thm5.1x complete ablation sound cert gap note_time note_every_law note_fooling"
)
CLAIMS = tuple(_ALL[f"{PAPER.slug}.{name}"] for name in _ORDER.split())

COMMANDS = {"learn": "learner, tests and certificate on a table of yours, labels -1 and +1 in the last column"}
