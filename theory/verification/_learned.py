r"""S4, a learned policy on the planted subsequence: the base's value, the tilted expert's and that of cloning it.

As in _planted.py, but the gold tokens of a prompt x of k distinct tokens are y_i = f(x_i), f a permutation of the V tokens
that the learner does not know. The policy has a logit for every style z, and for every style and prompt token u a row of V
token logits: at progress q it draws from row (z, x_{q+1}). Whoever knows q knows how far the trace has come: this process
information both learners get alike.

- The expert keeps the base's rows and gives style z the weight w_z (1 + sqrt(kappa) (m_z - mu) / sd(m)), m_z the style's mean
  reward. Its chi-square distance from the base is Var_w(sqrt(kappa) (m - mu)/sd(m)) = kappa exactly, and its value is
  mu + sqrt(kappa) sd(m): by lem2 no other weighting of the styles in that ball is worth more.
- Cloning n expert traces by counts, row C[z, u, .] + 1/V normalised, pulls a row that was visited N times towards the
  uniform one: E[. | N] = (N pi + 1/V)/(N + 1) if visits are independent draws. The style shares are unbiased. So cloning is
  worth the expert's value less a smoothing term of order 1/N, N = n w_z E[min(T_z, H)]/V: a replay of the expert, never
  better in the mean, by how much it errs shrinking as n^{-1/2}.
"""

from __future__ import annotations

import math

import numpy as np

from theory.verification import _arguments, _planted

__all__ = ["base_value", "cloned_value", "expert_value", "expert_weights", "row_visits", "style_means"]


def style_means(gammas, V, k, H):
    """m_z, mean reward of every style in tokens: float64 [num_styles]. Raises: ValueError."""
    gammas = _arguments.gammas("style_means", gammas)
    reward = np.arange(H + 1)
    return np.array([reward @ _planted.planted_pmf(gamma, V, k, H) for gamma in gammas])


def expert_weights(means, weights, kappa):
    """Style weights of the expert at chi-square distance kappa, tilted linearly in the style's mean reward.

    Args: means, weights: [num_styles]. kappa >= 0. Returns: float64 [num_styles]; the base's weights if all styles are worth
    the same. Raises: ValueError, also where a weight would be negative.
    """
    means = np.atleast_1d(_arguments.finite("expert_weights", "means", means))
    weights = _arguments.weights("expert_weights", weights, len(means))
    kappa = float(_arguments.nonnegative("expert_weights", "kappa", kappa))
    lead = means - weights @ means
    sd = math.sqrt(float(weights @ lead**2))
    if sd <= 1e-12 * max(1.0, float(np.abs(means).max())):
        return weights
    tilted = weights * (1 + math.sqrt(kappa) * lead / sd)
    most = (sd / -float(lead[weights > 0].min())) ** 2
    ok = bool(np.all(tilted >= -1e-12))
    _arguments.require(ok, "expert_weights", f"kappa too large for a linear tilt: it must be at most {most:.6g}, got {kappa}.")
    return np.maximum(tilted, 0.0)


def base_value(gammas, weights, V, k, H):
    """J of the base policy, in tokens: float. Raises: ValueError."""
    return expert_value(gammas, weights, V, k, H, 0.0)


def expert_value(gammas, weights, V, k, H, kappa):
    """J of the expert, in tokens: float. Raises: ValueError."""
    means = style_means(gammas, V, k, H)
    return float(expert_weights(means, weights, kappa) @ means)


def row_visits(gammas, weights, V, k, H, n):
    """Expected visits to a row (z, u) in n traces, n w_z E[min(T_z, H)]/V: float64 [num_styles]. Raises: ValueError."""
    gammas = _arguments.gammas("row_visits", gammas)
    weights = _arguments.weights("row_visits", weights, len(gammas))
    n = _arguments.integers("row_visits", n=n)
    # R = (H - T + 1) 1[T <= H], so min(T, H) = H - R + 1[T <= H]
    solved = np.array([1 - _planted.planted_pmf(gamma, V, k, H)[0] for gamma in gammas])
    return n * weights * (H - style_means(gammas, V, k, H) + solved) / V


def cloned_value(gammas, weights, V, k, H, kappa, n):
    """Predicted mean J of cloning n expert traces, every row pulled towards the uniform one as at its expected visits.

    First order: the curvature of J in the rows is left out. Returns: float, tokens. Raises: ValueError.
    """
    gammas = _arguments.gammas("cloned_value", gammas)
    tilted = expert_weights(style_means(gammas, V, k, H), weights, kappa)
    visits = row_visits(gammas, tilted, V, k, H, n)
    gold = (visits * gammas / (gammas + V - 1) + 1 / V) / (visits + 1)
    return float(tilted @ style_means(gold * (V - 1) / (1 - gold), V, k, H))
