r"""Multiplicative weights on a histogram: how far each update moves it, hence how many there can be.

Setting. x is the sample's histogram over a finite universe X, x̂ a public guess, uniform at first. An update for a query
q: X -> [0, 1] with sign s in {-1, 1} and step eta sets x̂ proportional to x̂ exp(eta s q). KL is KL(x || x̂), in nats.

Proof sketch (derived). KL before minus KL after is eta s <q, x> - ln <exp(eta s q), x̂>, and by Hoeffding's lemma for q in
[0, 1] the logarithm is at most eta s <q, x̂> + eta^2/8. So the drop is at least eta s <q, x - x̂> - eta^2/8. An update
is made when |d + z| > T with d = <q, x - x̂> and noise z, and takes s = sign(d + z): then s d = |d + z| - s z >= T - |z|.
Without noise every update costs at least eta T - eta^2/8, positive for 0 < eta < 8T, of a KL that starts at most at ln|X|
and never falls below 0. The best step is 4T.
"""

from __future__ import annotations

import numpy as np

from theory.adaptive import _arguments

__all__ = ["mw_kl_drop_bound", "mw_updates_bound"]

MAX_UNIVERSE = 2**24


def _threshold(fn, threshold):
    return _arguments.open_unit(fn, "threshold", threshold)


def mw_kl_drop_bound(threshold, step, noise=0.0):
    """Least fall of KL(x || x̂) in one update: eta (T - |z|) - eta^2/8, in nats (derived here).

    Args:
      threshold: T in (0, 1): an update is made where the noisy error exceeds it.
      step: eta > 0.
      noise: z, the noise on the error that triggered the update; finite.
    They broadcast. Returns: float64; negative where the noise is large: then KL may rise, by no more than that.
    Raises: ValueError.
    """
    fn = "mw_kl_drop_bound"
    t, eta, z = _threshold(fn, threshold), _arguments.nonnegative(fn, "step", step), np.asarray(noise, dtype=np.float64)
    if not np.all(np.isfinite(z)):
        raise ValueError(f"{fn}: noise must be finite, got {_arguments.shown(noise)}.")
    return eta * (t - np.abs(z)) - eta**2 / 8


def mw_updates_bound(universe, threshold, step):
    """Most updates of multiplicative weights without noise: ln|X| / (eta T - eta^2/8) (derived here).

    ln|X| / (2 T^2) at the best step eta = 4T.

    Args: universe: |X|, 1 to 2^24. threshold: T in (0, 1). step: eta in (0, 8T). They broadcast.
    Returns: float64, not rounded. Raises: ValueError.
    """
    fn = "mw_updates_bound"
    size = _arguments.integers(fn, universe=universe)
    if not np.all(size <= MAX_UNIVERSE):
        raise ValueError(f"{fn}: universe must be at most 2^24, got {_arguments.shown(universe)}.")
    t, eta = _threshold(fn, threshold), np.asarray(step, dtype=np.float64)
    if not np.all((eta > 0) & (eta < 8 * t)):
        text = f"step must lie in (0, 8 threshold) = (0, {_arguments.shown(8 * t)}), got {_arguments.shown(step)}"
        raise ValueError(f"{fn}: step too large: no KL decrease; {text}." if np.any(eta >= 8 * t) else f"{fn}: {text}.")
    return np.log(size) / mw_kl_drop_bound(t, eta)
