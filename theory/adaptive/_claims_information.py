"""Claims about max-information and about algorithms with few possible outputs; exact computation settles them."""

from __future__ import annotations

import functools
import math

from theory._claims import Assumption, Claim, Provenance
from theory.adaptive import _description, _maxinfo
from theory.adaptive._exact_checks import A1, A2, exact, lying_world, wrong_bound

__all__ = ["CLAIMS"]

# ------------------------------------------------------------------------------------------------------- max-information

_rr_max_information = functools.cache(_maxinfo.rr_max_information)  # asked once a case, the same for a cell


def _thm13_at(n, eps, beta, p, p_event=None, less=0.0):
    """Theorem 13 at RR-selection's exact I^beta, less `less` nats; for an event of probability p_event, or the worst one."""
    info = _rr_max_information(n, eps, beta, p)
    p_event = _maxinfo.rr_worst_event(n, eps, beta, p)[1] if p_event is None else p_event
    return float(_maxinfo.thm13_bound(info - less, p_event, beta))


def _thm13_less(n, eps, beta, p, p_event=None):
    return _thm13_at(n, eps, beta, p, p_event, less=0.01)


def _thm13_check(name, provenance, formula, residual):
    falsifier = wrong_bound("information-less-.01", "max-information is claimed to be .01 nats less than it is", _thm13_less)
    return exact(name, provenance, formula, _thm13_at, (falsifier,), residual=residual, assumptions=(A1,))


_THM13 = Claim(
    id="adaptive.thm13",
    source="companion, Theorem 13, as it follows from the definition of max-information",
    statement="If the beta-approximate max-information of an i.i.d. sample S and an output Y is k nats, and every y names an "
    "event R(y), then P[S in R(Y)] <= e^k max_y P[S in R(y)] + beta.",
    checks=(
        _thm13_check(
            "upper",
            Provenance.COMPANION,
            "P[S in R(Y)] <= e^k P[S in R(y)] + beta, R: at least j points selected, j over its range",
            "upper",
        ),
        _thm13_check("attained", Provenance.DERIVED, "P[S in R(Y)] = e^k P[S in R(y)] + beta for R = {J > e^k Q}", "identity"),
    ),
)

_THM17 = Claim(
    id="adaptive.thm17",
    source="companion, Theorem 17",
    statement="The beta-approximate max-information of any sample S and A(S) is at most ln(|Y|/beta) nats for an algorithm A "
    "with |Y| possible outputs.",
    checks=(
        exact(
            "information",
            Provenance.COMPANION,
            "I^beta(S; A(S)) <= ln(|Y|/beta)",
            lambda num_outputs, beta: float(_maxinfo.thm17_bound(num_outputs, beta)),
            (wrong_bound("no-beta", "ln|Y| is claimed", lambda num_outputs: math.log(num_outputs)),),
            residual="upper",
            assumptions=(Assumption("A6", "A has |Y| possible outputs", lambda: True),),
            units="max-information (nats)",
        ),
    ),
)

_THM19 = Claim(
    id="adaptive.thm19",
    source="companion, Theorem 19",
    statement="The max-information of any sample S of n points and A(S) is at most eps n nats for an eps-differentially "
    "private algorithm A.",
    checks=(
        exact(
            "information",
            Provenance.COMPANION,
            "I^0(S; A(S)) = n ln(e^eps/(1 - p + p e^eps)) for RR-selection <= eps n",
            lambda n, eps: float(_maxinfo.thm19_bound(n, eps)),
            (wrong_bound("nine-tenths", ".9 eps n is claimed", lambda n, eps: 0.9 * eps * n, lambda eps, p: (eps, p) == (0.05, 0.01)),),
            residual="upper",
            assumptions=(A2,),
            units="max-information (nats)",
        ),
    ),
)


def _information_check(provenance, formula, bound, falsifier):
    return exact(
        "information",
        provenance,
        formula,
        lambda n, eps, beta: float(bound(n, eps, beta)),
        (falsifier,),
        residual="upper",
        trivial=lambda n, eps: float(_maxinfo.thm19_bound(n, eps)),
        units="max-information (nats)",
    )


_THM20 = Claim(
    id="adaptive.thm20",
    source="companion, Theorem 20; its technique is that of 1411.2664",
    statement="The beta-approximate max-information of an i.i.d. sample S of n points and A(S) is at most eps^2 n/2 + eps sqrt(n "
    "ln(2/beta)/2) nats for an eps-differentially private algorithm A.",
    checks=(
        _information_check(
            Provenance.COMPANION,
            "I^beta(S; A(S)) <= eps^2 n/2 + eps sqrt(n ln(2/beta)/2)",
            _maxinfo.thm20_bound,
            wrong_bound(
                "no-root",
                "eps^2 n/2 alone is claimed",
                lambda n, eps: eps**2 * n / 2,
                lambda n, eps, beta: (n, eps, beta) == (50, 0.05, 1e-4),
            ),
        ),
    ),
)

_THM20_SHARP = Claim(
    id="adaptive.thm20_sharp",
    source="derived here; sharpens Theorem 20 of the companion",
    statement="The beta-approximate max-information of an i.i.d. sample S of n points and A(S) is at most eps^2 n/8 + eps sqrt(n "
    "ln(1/beta)/2) nats for an eps-differentially private algorithm A.",
    checks=(
        _information_check(
            Provenance.DERIVED,
            "I^beta(S; A(S)) <= eps^2 n/8 + eps sqrt(n ln(1/beta)/2)",
            _maxinfo.thm20_sharp_bound,
            wrong_bound(
                "no-square",
                "eps sqrt(n ln(1/beta)/2) alone is claimed",
                lambda n, eps, beta: eps * math.sqrt(n * math.log(1 / beta) / 2),
                lambda n, eps, beta: (n, eps, beta) == (5000, 0.5, 1e-4),
            ),
        ),
    ),
)

_COR22 = Claim(
    id="adaptive.cor22",
    source="companion, Corollary 22; its constant is derived here",
    statement="The sample mean of a query that an eps-differentially private algorithm selects on n i.i.d. points, eps <= tau, "
    "exceeds its true mean by tau or more with probability at most e^{-3 tau^2 n/4}, once tau^2 n is above a constant. Theorem "
    "20 inside Theorem 13 gives this from tau^2 n = 7.80192 on.",
    checks=(
        exact(
            "tail",
            Provenance.COMPANION,
            "P[gap >= tau] <= e^{-3 tau^2 n/4} if eps <= tau and tau^2 n >= 7.80192",
            lambda n, tau: float(_maxinfo.cor22_bound(n, tau)),
            (lying_world("eps-x2", "RR-selection uses twice the eps that it declares"),),
            assumptions=(
                A1,
                A2,
                Assumption("A3", "eps <= tau, i.e. share <= 1", lambda share: share <= 1),
                Assumption("A7", "tau^2 n >= 7.80192", lambda n, tau: tau**2 * n >= _maxinfo.cor22_constant()),
            ),
        ),
        exact(
            "constant",
            Provenance.DERIVED,
            "e^{(1/2 + 1/sqrt 2 - 2) x} + 2 e^{-x} <= e^{-3x/4} for every x = tau^2 n >= 7.80192",
            lambda x: math.exp(-0.75 * x),
            (lying_world("from-5", "the inequality is claimed from x = 5 on"),),
            assumptions=(),
        ),
    ),
)

# ----------------------------------------------------------------------------------------------------------- descriptions

_THM9 = Claim(
    id="adaptive.thm9",
    source="companion, Theorem 9",
    statement="If an algorithm A has |Y| possible outputs and every output y names an event R(y) with P[S in R(y)] <= beta, then "
    "P[S in R(A(S))] <= |Y| beta.",
    checks=(
        exact(
            "events",
            Provenance.COMPANION,
            "P[S in R(A(S))] <= |Y| beta",
            lambda atoms, num_outputs, hits: float(_description.thm9_bound(num_outputs, hits / atoms)),
            (
                wrong_bound(
                    "half", "|Y| beta/2 is claimed", lambda atoms, num_outputs, hits: _description.thm9_bound(num_outputs, hits / atoms) / 2
                ),
            ),
            assumptions=(A1,),
        ),
    ),
)


def _thm27_half(atoms, i, B, hits):
    return _description.thm27_count_exact(i, B) * hits / atoms / 2


_THM27 = Claim(
    id="adaptive.thm27",
    source="companion, Theorem 27; exact count derived here",
    statement="SparseValidate answers adaptive 0/1 questions psi_i(S) and stops after B ones. If each question that may come i-th "
    "is 1 with probability at most beta_i, then P[psi_i(S) = 1] <= ell_i beta_i, ell_i = sum_{j <= min(i-1, B)} C(i, j). The "
    "number of answer strings before question i is sum_{j <= min(i-1, B-1)} C(i-1, j), and in its place this is attained.",
    checks=(
        exact(
            "printed",
            Provenance.COMPANION,
            "P[psi_i(S) = 1] <= ell_i beta_i, ell_i = sum_{j <= min(i-1, B)} C(i, j)",
            lambda atoms, i, B, hits: _description.thm27_bound(i, B, hits / atoms),
            (wrong_bound("half-count", "half the number of answer strings is claimed", _thm27_half),),
            assumptions=(A1,),
        ),
        exact(
            "count",
            Provenance.DERIVED,
            "max P[psi_i(S) = 1] = min(1, ell'_i beta_i), ell'_i = sum_{j <= min(i-1, B-1)} C(i-1, j)",
            lambda atoms, i, B, hits: min(1.0, _description.thm27_count_exact(i, B) * hits / atoms),
            (wrong_bound("half-count", "half the number of answer strings is claimed", _thm27_half),),
            residual="identity",
            assumptions=(A1, Assumption("A8", "beta_i is a whole number of equally likely atoms", lambda: True)),
        ),
    ),
)


def _union_at(atoms, i, hits, sizes=None):
    return _description.thm27_union_bound([h / atoms for h in (sizes or (hits,) * i)])


def _union_less_one(atoms, i, hits, sizes=None):
    return _description.thm27_union_bound([h / atoms for h in (sizes or (hits,) * i)[:-1]])


_THM27_UNION = Claim(
    id="adaptive.thm27_union",
    source="derived here; a neighbour of Theorem 27 of the companion",
    statement="If the j-th question asked after nothing but zeros is 1 with probability at most beta_j, then some 1 occurs among "
    "the first i answers with probability at most sum_{j <= i} beta_j, without any count of answer strings.",
    checks=(
        exact(
            "union",
            Provenance.DERIVED,
            "P[some 1 among the first i] <= sum_{j <= i} beta_j",
            _union_at,
            (wrong_bound("one-dropped", "the last beta_j is left out of the sum", _union_less_one),),
            assumptions=(A1,),
        ),
    ),
)

CLAIMS = (_THM9, _THM13, _THM17, _THM19, _THM20, _THM20_SHARP, _COR22, _THM27, _THM27_UNION)
