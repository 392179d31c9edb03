"""Claims on the law itself, without sampling: differential equations, rays, doubled atoms, reflections, independence.

Where the paper states a thing only qualitatively, or the form is recalled, the provenance says so; most forms are derived here.
"""

from __future__ import annotations

from theory._claims import Assumption, Check, Claim, Falsifier, Provenance, Relation
from theory.moe import _model

__all__ = ["BOTH_GATES", "CLAIMS", "exact", "world", "wrong"]

BOTH_GATES = Assumption("A1", "the bias stands inside or outside the temperature; tau > 0, variances > 0", lambda: True)


def world(name, breaks):
    return Falsifier(name=name, breaks=breaks, kind="world")


def wrong(name, breaks, bound=None, **more):
    return Falsifier(name=name, breaks=breaks, kind="bound", bound=bound, **more)


def exact(name, formula, bound, falsifiers, residual="identity", tolerance=1e-9, units="", provenance=Provenance.DERIVED):
    """An EXACT check for both places of the bias."""
    number = bound if callable(bound) else lambda: bound
    return Check(
        name=name, relation=Relation.EXACT, provenance=provenance, formula=formula, bound=number, method="exact", residual=residual,
        tolerance=tolerance, assumptions=(BOTH_GATES,), falsifiers=falsifiers, units=units,
    )  # fmt: skip


_PDE = Claim(
    id="moe.pde",
    source="existence: the paper's abstract; forms derived here",
    statement="The temperature interacts with the other parameters through partial differential equations of u = exp(logit) N(y; a.x + b, "
    "nu). For sigma homogeneous of degree p: d_tau u = -(1/tau) ((1/p) beta1.d_beta1 u + beta0 d_beta0 u), without the last term if the "
    "bias stands outside; d_b^2 u = 2 d_nu u for every sigma; d_b d_beta1 u = (1/tau) d_a u for the linear gate only. For any sigma the "
    "residual of the first is u (h sigma'(h) - sigma(h))/tau^2, h = beta1.x.",
    checks=(
        exact(
            "temperature", "max |residual of the temperature equation|/u = 0, homogeneous sigma", 0.0,
            (
                world("sign", "the sign of its right-hand side is turned"),
                world("other-gate", "the equation of the other placement of the bias is used"),
            ),
            tolerance=1e-11, units="largest residual over u at 200 points",
        ),
        exact(
            "heat", "max |d_b^2 u - 2 d_nu u|/u = 0, every sigma", 0.0,
            (world("half-heat", "the factor 2 is replaced by 1"), world("deviation", "nu is taken for the standard deviation")),
            tolerance=1e-11, units="largest residual over u at 200 points",
        ),
        exact(
            "gate-expert", "max |d_b d_beta1 u - d_a u/tau|/u = 0, linear gate", 0.0,
            (world("no-temperature", "the factor 1/tau is left out"),),
            tolerance=1e-11, units="largest residual over u at 200 points",
        ),
        exact(
            "any-activation", "residual of the degree-1 (or degree-p) equation = u (h sigma'/p - sigma)/tau^2, every sigma", 0.0,
            (world("sign", "the sign of its right-hand side is turned"),),
            tolerance=1e-11, units="largest deviation over u at 200 points",
        ),
        exact(
            "broken", "max |residual|/u >= 0.1 where sigma is not homogeneous (temperature) or not linear (gate-expert)", 0.1,
            (world("linear", "the gate is linear: both equations hold"),),
            residual="lower", units="largest residual over u at 200 points",
        ),
    ),
)  # fmt: skip

_SAME_DATA = Assumption("A2", "both fits see the same data; they start at the truth and at its copy of twice the temperature", lambda: True)

_GAUGE = Claim(
    id="moe.gauge",
    source="derived here; sharpens the paper's slow rates",
    statement="If sigma is homogeneous of degree p, the ray (c beta1, c^p beta0, c^p tau), c > 0 (bias outside: (c beta1, beta0, c^p tau)) "
    "leaves the conditional density exactly unchanged: the temperature is not identifiable at any n. The Fisher information then has "
    "exactly one null direction, the tangent of the ray; a gelu gate has none, and two fits of the same data forget where they started.",
    checks=(
        exact(
            "ray", "E_X h = E_X V = 0 along the ray; linear, relu, leaky, square, cube", 0.0,
            (world("other-gate", "the ray of the other placement of the bias is taken"),),
            tolerance=1e-12, units="distance between the two laws",
        ),
        exact(
            "no-ray", "E_X h >= 0.001 along the same path for sigmoid and gelu", 1e-3, (world("relu", "sigma is relu, which has a ray"),),
            residual="lower", units="E_X h",
        ),
        exact(
            "null", "smallest Fisher eigenvalue/largest = 0; linear, relu, leaky", 0.0, (world("gelu", "sigma is gelu, at TA"),),
            tolerance=1e-12, units="share of the largest eigenvalue",
        ),
        exact(
            "tangent", "|<null vector, tangent of the ray>| = 1", 1.0,
            (world("other-gate", "the tangent for the other placement of the bias is taken"),), units="inner product of unit vectors",
        ),
        exact(
            "one-null", "second Fisher eigenvalue/largest >= 1e-5 with a ray; for gelu the first already", 1e-5,
            (world("relu", "TA's numbers under relu, which has a ray"),), residual="lower", units="share of the largest eigenvalue",
        ),
        exact(
            "conserved", "E (score along the ray)^2 = 0: gradient flow conserves |beta1|^2 + p (beta0^2 + tau^2)", 0.0,
            (world("gelu", "sigma is gelu, at TA"),), tolerance=1e-12, units="E (s.t)^2",
        ),
        Check(
            name="same-data-linear",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(likelihoods differ by > 1e-8, or quotient losses by > 1e-4, or temperatures by < 10 %) <= 1/4, linear gate",
            bound=lambda: 0.25,
            assumptions=(
                _SAME_DATA,
                Assumption("A3", "linear gate, exact-specified", lambda truth, k: _model.TRUTHS[truth][1] == "linear" and k == 2),
            ),
            falsifiers=(world("gelu", "the data and the fits have a gelu gate: both fits find the same temperature"),),
            units="share of data sets",
        ),
        Check(
            name="same-data-gelu",
            relation=Relation.TAIL,
            provenance=Provenance.DERIVED,
            formula="P(likelihoods differ by > 1e-8, or temperatures by > 10 %) <= 1/4, gelu gate, n >= 10,000",
            bound=lambda: 0.25,
            assumptions=(_SAME_DATA, Assumption("A3", "gelu gate, n >= 10,000", lambda truth, n: truth == "TA" and n >= 10_000)),
            falsifiers=(world("linear", "the data and the fits have a linear gate: temperatures stay where they started"),),
            units="share of data sets",
        ),
    ),
)  # fmt: skip


def _weight_times_square(gate, v=0.0):
    return float(_model.weights(_model.to_gate(_model.TL, gate), gate).sum()) * v * v


_COSH = Claim(
    id="moe.cosh",
    source="derived here",
    statement="Linear gate, k >= 2 k*: doubling EVERY atom to beta1_j + v and beta1_j - v with half its weight leaves the law unchanged "
    "(each numerator gains the common factor cosh(v.x/tau)), so beta1 is not identifiable even at a fixed temperature, and the quotient "
    "loss D2 is at least W v^2 at distance 0. Doubling one atom, or another gate, changes the law.",
    checks=(
        exact(
            "doubled", "E_X h = 0 for TL with both atoms doubled, v = 0.3, 1, 3", 0.0,
            (world("first-atom", "only the first atom is doubled"), world("gelu", "both atoms of TA are doubled")),
            tolerance=1e-13, units="E_X h",
        ),
        exact(
            "loss", "quotient D2 >= W v^2, W the sum of the true weights", _weight_times_square,
            (wrong("twice", "2 W v^2 is claimed", lambda gate, v=0.0: 2 * _weight_times_square(gate, v)),), residual="lower", units="D2",
        ),
    ),
)  # fmt: skip

_THM2 = Claim(
    id="moe.thm2",
    source="the paper's abstract, qualitatively; form recalled",
    statement="Linear gate: for every r >= 1 the ratio V/D1_r has infimum 0 near the truth, so that no polynomial rate holds for the raw "
    "loss, uniformly over truths. As we understand the paper. Here the ratio is exactly 0 along the ray: V = 0 while D1_r > 0.",
    checks=(
        exact(
            "ratio", "V/D1_r = 0 at the truth scaled by 1 + 1/m; m = 10, 100; r = 1, 2, 4", 0.0,
            (world("gelu", "TA under a gelu gate is scaled in the same way"),), tolerance=1e-8, units="V/D1_r",
            provenance=Provenance.RECALLED,
        ),
    ),
)  # fmt: skip

_DEF1 = Claim(
    id="moe.def1",
    source="the paper's abstract, qualitatively; form derived here",
    statement="First-order independence: {1, sigma(beta1_i.x), x sigma'(beta1_i.x)} over all i are linearly independent in L2(X); second "
    "order: with {x^2 sigma'', x^2 sigma'^2, x sigma sigma', sigma^2} added. Holds for sigmoid, tanh, gelu, silu, softplus and sin "
    "at slopes "
    "(1.2, -0.7), fails for homogeneous sigma. Second order holds by so little that it is practically degenerate.",
    checks=(
        exact(
            "first", "smallest singular value >= 1e-9, order 1", 1e-9, (world("relu", "sigma is relu"),), residual="lower",
            units="singular value",
        ),
        exact(
            "dependent", "smallest singular value <= 1e-13 for linear, relu, leaky, square, cube", 1e-13, (world("tanh", "sigma is tanh"),),
            residual="upper", units="singular value",
        ),
        exact(
            "second", "smallest singular value >= 1e-9, order 2", 1e-9, (world("linear", "sigma is linear"),), residual="lower",
            units="singular value",
        ),
    ),
)  # fmt: skip

_ANTIPODAL = Claim(
    id="moe.antipodal",
    source="derived here; limits the paper's independence condition",
    statement="Two experts with beta1_2 = -beta1_1: distinct slopes are not enough. gelu, silu, softplus have sigma(z) - sigma(-z) "
    "= z, so the "
    "gate is exactly linear and the WHOLE ray is unidentifiable; sigmoid, tanh, sin have a singular Fisher information with null vector "
    "(1, 1) in the slopes (a fold: identifiable at second order). mish and elu survive, and so do these six once a third slope "
    "is there.",
    checks=(
        exact(
            "singular", "smallest Fisher eigenvalue/largest = 0 at slopes (1.2, -1.2); six activations", 0.0,
            (world("other-slopes", "slopes (1.2, -0.7)"),), tolerance=1e-12, units="share of the largest eigenvalue",
        ),
        exact(
            "survive", "smallest Fisher eigenvalue/largest >= 1e-8: mish, elu there; the six at (1.2, -0.7)", 1e-8,
            (world("antipodal", "the six at slopes (1.2, -1.2)"),), residual="lower", units="share of the largest eigenvalue",
        ),
        exact(
            "null-vector", "|<null vector, predicted>| = 1: (1, 1)/sqrt 2 for odd sigma, the ray's tangent for the others", 1.0,
            (world("swapped", "the two predictions are exchanged"),), tolerance=1e-6, units="inner product of unit vectors",
        ),
        exact(
            "ray", "E_X h = 0 along the ray for gelu, silu, softplus", 0.0, (world("sigmoid", "sigma is sigmoid"),), tolerance=1e-13,
            units="E_X h",
        ),
        exact(
            "fold", "sqrt(E h^2) is of order 2 in eps along (1, 1)/sqrt 2; sigmoid, tanh, sin; slope within 0.05", 2.0,
            (world("other-slopes", "slopes (1.2, -0.7): of order 1"),), tolerance=0.025, units="log-log slope",
        ),
        exact(
            "third-atom", "smallest Fisher eigenvalue/largest >= 1e-6 with a third slope; six activations", 1e-6,
            (world("two", "without the third atom"),), residual="lower", units="share of the largest eigenvalue",
        ),
    ),
)  # fmt: skip

_REFLECT = Claim(
    id="moe.reflect",
    source="derived here",
    statement="Two experts, sigma odd up to a constant (sigmoid, tanh, sin): (beta1_1, beta1_2) -> (-beta1_2, -beta1_1) leaves the law "
    "unchanged at EVERY truth, so the likelihood has two exact global maxima. gelu, silu and softplus break the symmetry.",
    checks=(
        exact(
            "reflection", "E_X h between a truth and its reflection = 0", 0.0,
            (world("gelu", "sigma is gelu"), world("silu", "sigma is silu"), world("softplus", "sigma is softplus")), tolerance=1e-13,
            units="E_X h",
        ),
    ),
)  # fmt: skip

CLAIMS = (_PDE, _GAUGE, _COSH, _THM2, _DEF1, _ANTIPODAL, _REFLECT)
