"""Claims L1 to L9: facts on linear structural models, all derived here."""

from __future__ import annotations

import math

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation

__all__ = ["CLAIMS"]

_DERIVED = "derived here"
_NONE = math.nan  # what belongs to one case comes with it

_ACYCLIC = Assumption("A1", "acyclic linear structural equations, independent noises", lambda: True)
_FIXED_TARGET = Assumption("A2", "the target is no intervention site", lambda: True)


def _zero():
    return 0.0


def _one():
    return 1.0


def _exact(name, formula, bound, residual, falsifiers, units, **more):
    return Check(
        name=name, relation=Relation.EXACT, provenance=Provenance.DERIVED, formula=formula, bound=bound, method="exact",
        residual=residual, falsifiers=falsifiers, units=units, assumptions=(_ACYCLIC, _FIXED_TARGET), **more,
    )  # fmt: skip


_L1 = Claim(
    id="invariance.L1",
    source=_DERIVED,
    statement="The uncentred second moment of X = B X + eta under an intervention is M = T (diag omega + mu mu^T) T^T, T = (I - "
    "B)^{-1}; a hard "
    "constant is a mean mu_s with omega_s = 0 and an empty row.",
    checks=(
        _exact(
            "recursion",
            "max |M - moments built node by node|/max |M| = 0",
            _zero,
            "identity",
            (
                Falsifier(
                    name="noise-kept",
                    breaks="a site set to a constant keeps its noise variance in the closed form",
                    kind="world",
                ),
            ),
            "relative difference",
        ),
        Check(
            name="sampled",
            relation=Relation.EQUAL,
            provenance=Provenance.DERIVED,
            formula="E a^T M^ a/a^T M a = 1 over random directions a, M^ from 2,048 samples made node by node",
            bound=_one,
            margin=0.03,
            method="t",
            assumptions=(_ACYCLIC,),
            falsifiers=(Falsifier(name="noise-kept", breaks="in the world a site set to a constant keeps its noise", kind="world"),),
            units="ratio",
        ),
    ),
)


def _n_lin(n_lin=_NONE):
    return n_lin


def _without_products(without_products=_NONE):
    return without_products


def _entries(nodes=_NONE):
    return (nodes - 1) * (nodes + 2) / 2


def _soft(family):
    return family.startswith("soft")


_NO_PRODUCTS = Falsifier(
    name="no-products",
    breaks="the products of sites, K(K+1)/2, are forgotten: 1 + sum |P_s|",
    kind="bound",
    bound=_without_products,
)

_L2 = Claim(
    id="invariance.L2",
    source=_DERIVED,
    statement="All (Sigma_e, r_e) of interventions on K sites lie in a space of dimension at most N_lin = 1 + sum_s |P_s| + "
    "K(K+1)/2 (P_s: the "
    "non-site parents of the sites that are ancestors of s or s itself; none for hard constants; K+1 for variances only), whatever "
    "the number of covariates. Generic weights attain it, unless the target is the only node that is no site: then N_lin - 1.",
    checks=(
        _exact(
            "at-most",
            "rank of (Sigma_e, r_e) <= N_lin",
            _n_lin,
            "upper",
            (_NO_PRODUCTS,),
            "dimensions",
            trivial=_entries,
        ),
        _exact("attained", "rank of (Sigma_e, r_e) = N_lin, also with 4 more nodes", _n_lin, "identity", (_NO_PRODUCTS,), "dimensions"),
        _exact(
            "blind",
            "rank = N_lin - 1 if the target is the only node that is no site",
            lambda n_lin=_NONE: n_lin - 1,
            "identity",
            (Falsifier(name="n-lin", breaks="N_lin is claimed here too", kind="bound", bound=_n_lin),),
            "dimensions",
        ),
    ),
)

_L3 = Claim(
    id="invariance.L3",
    source=_DERIVED,
    statement="det(V^T Sigma_e V) and every Cramer numerator of the regression on V are polynomials of degree at most 2 in "
    "each site row, "
    "whatever the dimension of V.",
    checks=(
        _exact(
            "degree",
            "largest third difference along a line in one site row <= 1e-8 of the largest value",
            lambda: 1e-8,
            "upper",
            (Falsifier(name="degree-1", breaks="second differences are claimed to vanish", kind="world"),),
            "share of the largest value",
        ),
    ),
)


def _capacity(capacity=_NONE):
    return capacity


_L4 = Claim(
    id="invariance.L4",
    source=f"{_DERIVED}; sign classes of D-dimensional function spaces have VC dimension at most D",
    statement="The functions e -> G_e^2 - eps^2 span at most min{N2, N_lin(N_lin+1)/2} dimensions over all (V, beta, eps), N2 = "
    "prod_s C(q_s+4, 4) "
    "(hard constants N_lin + C(K+3, 4), variances C(K+2, 2)), and (D_e^2 - eps^2) det^2 at most N2 (variances 3^K). So 'passes' has "
    "VC dimension at most v = min{that, 2(kd+k) log2 72} for G, N2 for D.",
    checks=(
        _exact(
            "gradient",
            "rank of [G_h(e)^2 - eps_h^2] over 400 h and 400 e <= min{N2, N_lin(N_lin+1)/2}",
            _capacity,
            "upper",
            (
                Falsifier(
                    name="not-squared",
                    breaks="N_lin is claimed: that G is squared is forgotten",
                    kind="bound",
                    bound=_n_lin,
                ),
            ),
            "dimensions",
        ),
        _exact(
            "predictor",
            "rank of [(D_h(e)^2 - eps_h^2) det^2] over 400 h and 400 e <= N2",
            _capacity,
            "upper",
            (
                Falsifier(
                    name="gradients-count",
                    breaks="N_lin(N_lin+1)/2, the count of the gradient gap, is claimed",
                    kind="bound",
                    bound=lambda n_lin=_NONE: n_lin * (n_lin + 1) / 2,
                    where=lambda family, K, q: (family, K, q) in (("soft_add", 1, 2), ("noise", 2, 1)),
                ),
            ),
            "dimensions",
        ),
    ),
)

_L5 = Claim(
    id="invariance.L5",
    source=_DERIVED,
    statement="Whatever moments are put in place of the true ones, ||g^_e - g_e|| <= ||M^_e - M_e|| sqrt(1 + ||beta||^2) for every "
    "(V, beta).",
    checks=(
        _exact(
            "ratio",
            "||g^ - g||/(||M^ - M|| sqrt(1 + ||beta||^2)) <= 1",
            _one,
            "upper",
            (Falsifier(name="half", breaks="half of the bound is claimed", kind="bound", bound=lambda: 0.5),),
            "share of the bound",
        ),
    ),
)

_SAMPLES = Assumption("A3", "normal noise; N independent samples an environment", lambda: True)

_L6 = Claim(
    id="invariance.L6",
    source=f"{_DERIVED} from Davidson and Szarek's bound on Gaussian matrices",
    statement="With probability at least 1 - delta all n environments of N samples have ||M^_e - M_e|| <= ||M_e||(2u + u^2), u "
    "= (sqrt p + "
    "sqrt(2 ln(2n/delta)))/sqrt N, if no noise has a mean; with hard constants, a the nodes with noise in place of p, at least 1 - "
    "3 delta/2 for ||C||(2u + u^2) + 2||m|| ||C||^{1/2} u, C and m the covariance and mean of X.",
    checks=tuple(
        Check(
            name=name,
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula=f"P(some of 10 environments exceeds its radius) <= {formula}",
            bound=bound,
            assumptions=(_ACYCLIC, _SAMPLES),
            falsifiers=(Falsifier(name=f"a-{word}", breaks=f"a {word} of the radius is claimed", kind="world"),),
            units="probability",
        )
        for name, formula, bound, word in (
            ("zero-mean", "delta", lambda delta: delta, "sixth"),
            ("constants", "3 delta/2", lambda delta: 1.5 * delta, "eighth"),
        )
    ),
)

_L7 = Claim(
    id="invariance.L7",
    source=_DERIVED,
    statement="The three functionals determine each other: the excess risk is R_e = g^T (V^T Sigma_e V)^{-1} g with g = V^T(Sigma_e "
    "beta - r_e), hence "
    "G^2/lmax <= R <= G^2/lmin and lmin D <= G <= lmax D, lmin and lmax the extreme eigenvalues of V^T Sigma_e V.",
    checks=(
        _exact(
            "identity",
            "|g^T (V^T Sigma V)^{-1} g - R|/R = 0",
            _zero,
            "identity",
            (Falsifier(name="no-metric", breaks="||g||^2 is claimed to be the excess risk", kind="world"),),
            "relative difference",
            tolerance=1e-8,
        ),
        _exact(
            "sandwich",
            "max{R lmin/G^2, G^2/(R lmax), D lmin/G, G/(D lmax)} <= 1",
            _one,
            "upper",
            (Falsifier(name="swapped", breaks="lmin and lmax are exchanged", kind="world"),),
            "share of the bound",
        ),
    ),
)

_L8 = Claim(
    id="invariance.L8",
    source=_DERIVED,
    statement="If (Sigma_e, r_e) = sum_i a_i (Sigma_{e_i}, r_{e_i}) then G_e <= ||a||_1 max_i G_{e_i} for EVERY (V, beta) at once; "
    "the least ||a||_1, kappa(e), "
    "is one linear program, and infinite where e lies outside the span.",
    checks=(
        _exact(
            "dilation",
            "G_e/(kappa(e) max_i G_{e_i}) <= 1, and 1 is reached by a linear functional",
            _one,
            "upper",
            (
                Falsifier(
                    name="kappa-over-1.05",
                    breaks="kappa/1.05 is claimed for every linear functional of (Sigma, r)",
                    kind="bound",
                    bound=lambda: 1 / 1.05,
                ),
            ),
            "share of the bound",
            tolerance=1e-6,
        ),
    ),
)

_L9 = Claim(
    id="invariance.L9",
    source=f"{_DERIVED}; the paper's abstract assumes no faithfulness",
    statement="If the covariates A d-separate the target from an indicator node on every site, the population regression on A is "
    "the same in "
    "every environment on these sites whose second moments are non-singular on A. One direction only: other sets can be invariant "
    "too. Where every environment is hard, the graph without the site rows is the right one.",
    checks=(
        _exact(
            "invariant",
            "max_e |beta_e - mean beta|/max(1, |beta|) = 0 on d-separating subsets",
            _zero,
            "identity",
            (
                Falsifier(
                    name="mutilated-graph",
                    breaks="d-separation is read off the graph without the site rows",
                    kind="world",
                ),
            ),
            "spread of the coefficients",
            tolerance=1e-7,
        ),
    ),
)

CLAIMS = (_L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8, _L9)
