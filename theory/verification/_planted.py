r"""S3, the planted subsequence: reward law, spread and best-of-N of a procedural base policy, exactly.

A trace is H tokens out of V; it is solved at the first step whose last k tokens are the gold tokens y_1..y_k, which are
distinct. A policy of strength gamma writes the gold next token with weight gamma and every other one with weight 1.
Progress q is the longest prefix of y that the trace ends in; as the y_i are distinct it goes to q + 1 with probability
g = gamma/(gamma+V-1), from q >= 1 to 1 with probability o = 1/(gamma+V-1), else to 0; k absorbs. With T the first step at
q = k, R = (H - T + 1) 1[T <= H]. A base is a mixture of styles z of weight w_z and strength gamma_z, drawn before the
first token: the spread of gamma_z is the knob of its heterogeneity.

Proof sketches.
- lem1, sum_h E Var(Q_h) = Var(R). Q_h(s, a) is the expected reward-to-go after a in s; transitions are deterministic, so
  M_h = E[R | first h tokens] is a martingale with M_h - M_{h-1} = Q_h - E_a Q_h, and M_H = R. Its increments are
  orthogonal. The style is step 0: without it the sum is E_z Var(R | z), short by Var_z E(R | z).
- cap, sigma_H <= sd(T) for every H: R = (H - T + 1)_+ is a 1-Lipschitz function of T, and Var f(T) <= Var T for such f
  (write both as half the mean squared difference of two copies). So a base whose solving time has a second moment keeps
  sigma bounded, and sigma = Omega(H) fails beyond H of order sd(T).
- floor: Var R >= Var E[R | solved or not] = s (1 - s) E[R | solved]^2, s = P(T <= H). A fraction that does not solve within
  H makes sigma of order H. Hence Omega(H) exactly while a share of the base has not solved yet.
- silence. Let W = T - k, the tokens beyond the fewest. One style: A = tokens before the first gold one, geometric; from progress 1
  on attempts are i.i.d., so what N failed ones add is B = X_1 + .. + X_N, N geometric, X_i >= 1 i.i.d. and independent of A.
  Var A >= (E A)^2, and Var B >= Var(N) (E X)^2 >= (E B)^2, as Var N = E N (1 + E N). So
  (E W)^2 <= 2 (E A)^2 + 2 (E B)^2 <= 2 Var W. A mixture: E W^2 >= 3/2 E_z (E[W|z])^2 >= 3/2 (E W)^2. So for every base that always
  solves ((E T - k)/sd T)^2 <= 2, the limit of ((max R - mu)/sigma)^2: c(kappa) = 0 for every kappa > 2 once H is large. V = k = 2
  and gamma -> 0 attain 2 (two geometric waits); where the first gold token is found soon, as usual, B rules and 1 is enough.
- best of N at equal tokens fails with probability (sum_z w_z u_z(H/N))^N, u_z = P(T_z > .), as every trace draws its own
  style; one long trace fails with sum_z w_z u_z(H). A share of weight w that never solves leaves w^N against w: parallel
  traces help. One style with u(h) about e^{-a(h-k+1)} pays k - 1 tokens of overhead a trace: parallel traces hurt.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from theory.verification import _arguments

__all__ = [
    "BASES",
    "GOLD_LENGTH",
    "VOCABULARY",
    "base_of",
    "bilevel_reward",
    "bon_failure",
    "bon_failure_unverified",
    "bon_success",
    "mean_var",
    "mixture_pmf",
    "mixture_var_q_sum",
    "planted_pmf",
    "solve_cdf",
    "solving_time",
    "spread",
    "spread_cap",
    "spread_floor",
    "unsolved",
    "var_q_sum",
]

VOCABULARY = 15  # V
GOLD_LENGTH = 5  # k
BASES = {
    "single": ((60.0,), (1.0,)),
    "two": ((15.0, 240.0), (0.5, 0.5)),
    "log6": (tuple(8.0 * 2**i for i in range(6)), (1 / 6,) * 6),
    "dead": ((1.0, 1000.0), (0.5, 0.5)),
}


def base_of(name):
    """(gammas, weights) of a base: a preset, or strengths joined by "+" with equal weights, as in "4+64".

    Raises: ValueError.
    """
    if name in BASES:
        return BASES[name]
    try:
        strengths = tuple(float(part) for part in str(name).split("+"))
    except ValueError:
        strengths = ()
    text = f'base must be one of {", ".join(BASES)} or strengths joined by "+", such as 4+64, got {name!r}.'
    _arguments.require(len(strengths) > 0, "base_of", text)
    _arguments.gammas("base_of", strengths)
    return strengths, (1 / len(strengths),) * len(strengths)


def bilevel_reward(steps):
    """R = sum_h r_h of bi-level rewards: 0 until the first correct step T, 1 from there on, so R = H - T + 1, or 0 if never.

    Args: steps: [..., H] of 0 and 1. Returns: int array [...]. Raises: ValueError for a sequence that is not bi-level.
    """
    r = np.asarray(steps, dtype=np.float64)
    _arguments.require(r.ndim >= 1 and r.shape[-1] >= 1, "bilevel_reward", "H must be a positive integer, got no steps.")
    ok = bool(np.all((r == 0) | (r == 1)) and np.all(np.diff(r, axis=-1) >= 0))  # nan is neither
    _arguments.require(ok, "bilevel_reward", lambda: f"reward is not bi-level: 0s and then 1s are allowed, got {_arguments.shown(steps)}.")
    return r.sum(-1).astype(int)


def _chain(gamma, V, k):
    """Transition matrix of the progress q = 0..k, float64 [k+1, k+1]."""
    g, o = gamma / (gamma + V - 1), 1 / (gamma + V - 1)
    P = np.zeros((k + 1, k + 1))
    for q in range(k):
        P[q, q + 1] += g
        if q >= 1:
            P[q, 1] += o
        P[q, 0] += (V - 1 if q == 0 else V - 2) * o  # V - 2 >= 0: from q >= 1 there are at least two gold tokens
    P[k, k] = 1
    return P


def _occupancy(gamma, V, k, H):
    """P(progress after h tokens = q), h = 0..H: float64 [H+1, k+1]."""
    P = _chain(gamma, V, k)
    a = np.zeros((H + 1, k + 1))
    a[0, 0] = 1
    for h in range(H):
        a[h + 1] = a[h] @ P
    return a


def solve_cdf(gamma, V, k, H):
    """F_h = P(solved within h tokens), h = 0..H, for one style: float64 [H+1].

    Args: gamma > 0; H, k, V: integers, k <= H, k <= V. Raises: ValueError.
    """
    H, k, V = _arguments.horizon("solve_cdf", H, k, V)
    (gamma,) = _arguments.gammas("solve_cdf", gamma)
    return _occupancy(gamma, V, k, H)[:, k]


def planted_pmf(gamma, V, k, H):
    """S3: law of R for one style, P(R = r) at index r = 0..H: float64 [H+1]. As `solve_cdf`.

    P(T = h) is the mass that enters k at step h and P(R = 0) the mass left outside: no differences of a cdf.
    """
    H, k, V = _arguments.horizon("planted_pmf", H, k, V)
    (gamma,) = _arguments.gammas("planted_pmf", gamma)
    return _planted_pmf(float(gamma), V, k, H).copy()


@functools.lru_cache(maxsize=256)
def _planted_pmf(gamma, V, k, H):
    a = _occupancy(gamma, V, k, H)
    first = a[:-1, k - 1] * (gamma / (gamma + V - 1))  # P(T = h), h = 1..H
    return np.concatenate([[a[H, :k].sum()], first[::-1]])


def mixture_pmf(gammas, weights, V, k, H):
    """S3: law of R under a mixture of styles, float64 [H+1]. gammas, weights: [num_styles]. Raises: ValueError."""
    gammas = _arguments.gammas("mixture_pmf", gammas)
    weights = _arguments.weights("mixture_pmf", weights, len(gammas))
    return sum(w * planted_pmf(g, V, k, H) for g, w in zip(gammas, weights, strict=True))


def mean_var(values, probs):
    """Mean and variance of a law on atoms: (float, float). values, probs: [num_atoms]. Raises: ValueError."""
    v, p = _arguments.pmf("mean_var", values, probs)
    mean = float(p @ v)
    return mean, float(p @ (v - mean) ** 2)


def var_q_sum(gamma, V, k, H):
    """lem1's left side for one style: sum_h E Var(Q_h) by a backward pass for Q and a forward pass for the states."""
    return _value_and_spread(gamma, V, k, H)[1]


def _value_and_spread(gamma, V, k, H):
    """(E R, sum_h E_{s_h} Var_{a_h} Q_h) of one style."""
    H, k, V = _arguments.horizon("var_q_sum", H, k, V)
    (gamma,) = _arguments.gammas("var_q_sum", gamma)
    P, occupied = _chain(gamma, V, k), _occupancy(gamma, V, k, H)
    value, total = np.zeros(k + 1), 0.0  # value[q]: expected reward still to come after h tokens
    for h in range(H - 1, -1, -1):
        q_next = value + (np.arange(k + 1) == k)  # Q of a step that leads to q', reward 1 if solved there
        mean = P @ q_next
        variance = np.einsum("ij,ij->i", P, (q_next[None, :] - mean[:, None]) ** 2)
        total += float(occupied[h] @ variance)
        value = mean
    return float(value[0]), total


def mixture_var_q_sum(gammas, weights, V, k, H, style_step=True):
    """lem1's left side for a mixture: the style is step 0, with Q its mean reward; `style_step=False` leaves it out.

    Returns: float, tokens^2. Raises: ValueError.
    """
    gammas = _arguments.gammas("mixture_var_q_sum", gammas)
    weights = _arguments.weights("mixture_var_q_sum", weights, len(gammas))
    values, spreads = np.array([_value_and_spread(g, V, k, H) for g in gammas]).T
    between = float(weights @ (values - weights @ values) ** 2)
    return float(weights @ spreads) + (between if style_step else 0.0)


def spread(gammas, weights, V, k, H):
    """sigma = sd of R under the base, in tokens: float. Raises: ValueError."""
    return math.sqrt(mean_var(np.arange(H + 1), mixture_pmf(gammas, weights, V, k, H))[1])


def unsolved(gammas, weights, V, k, H):
    """P(T > H) under the base. Raises: ValueError."""
    return float(mixture_pmf(gammas, weights, V, k, H)[0])


def solving_time(gammas, weights, V, k):
    """Mean and standard deviation of the solving time T without a horizon, in tokens: (float, float).

    (I - Q) m = 1 and (I - Q) s = 1 + 2 Q m for first and second moments from every progress, Q the chain without k.
    Raises: ValueError.
    """
    _, k, V = _arguments.horizon("solving_time", k, k, V)
    gammas = _arguments.gammas("solving_time", gammas)
    weights = _arguments.weights("solving_time", weights, len(gammas))
    first, second = np.empty(len(gammas)), np.empty(len(gammas))
    for z, gamma in enumerate(gammas):
        Q = _chain(gamma, V, k)[:k, :k]
        m = np.linalg.solve(np.eye(k) - Q, np.ones(k))
        first[z], second[z] = m[0], np.linalg.solve(np.eye(k) - Q, 1 + 2 * Q @ m)[0]
    mean = float(weights @ first)
    return mean, math.sqrt(float(weights @ (second - first**2)) + float(weights @ (first - mean) ** 2))


def spread_cap(gammas, weights, V, k):
    """sigma_H <= sd(T) for every H (derived): float, tokens. Raises: ValueError."""
    return solving_time(gammas, weights, V, k)[1]


def spread_floor(gammas, weights, V, k, H):
    """sigma_H >= sqrt(s (1 - s)) E[R | solved], s = P(T <= H) (derived): float, tokens. Raises: ValueError."""
    pmf = mixture_pmf(gammas, weights, V, k, H)
    solved = float(pmf[1:].sum())
    return math.sqrt(pmf[0] / solved) * float(pmf @ np.arange(H + 1))  # E R = s E[R | solved]


def bon_failure(gammas, weights, V, k, H, num_traces):
    """P(none of N independent traces of H/N tokens is solved) = (1 - F_{H/N})^N, exact verifier, equal tokens.

    Args: num_traces: N >= 1 with N | H and H/N >= k. Returns: float. Raises: ValueError.
    """
    return unsolved(gammas, weights, V, k, _trace_length("bon_failure", H, num_traces)) ** num_traces


def bon_success(gammas, weights, V, k, H, num_traces):
    """1 - `bon_failure`: N = 1 is one long trace, sequential scaling only."""
    return 1 - bon_failure(gammas, weights, V, k, H, num_traces)


def bon_failure_unverified(gammas, weights, V, k, H, num_traces):
    """P(a random one of N traces of H/N tokens is not solved) = 1 - F_{H/N}: best of N without a verifier."""
    return unsolved(gammas, weights, V, k, _trace_length("bon_failure_unverified", H, num_traces))


def _trace_length(fn, H, num_traces):
    total, n = int(_arguments.integers(fn, H=H)), int(_arguments.integers(fn, num_traces=num_traces))
    _arguments.require(total % n == 0, fn, f"num_traces must divide H={H}, got {num_traces}.")
    return total // n
