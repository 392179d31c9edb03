r"""The reusable-holdout experiment (the companion's figures; the authors' published program): accuracies to expect.

Setting. n labelled points in each of a training set, a holdout and a fresh set; d attributes, standard normal times the label,
so that attribute i has training weight w_i ~ N(mu_i, 1/n) and, independently, holdout weight v_i ~ N(mu_i, 1/n). The analyst
keeps W = {i: same sign of both weights, both beyond 1/sqrt(n)}, takes the k attributes of W with the largest |w_i|, and
classifies by the sign of the sum of their values with the signs of w_i. Weights are means (1/n) sum x y, as in the program;
the text's weights are sums, compared with the same 1/sqrt(n): the published figure needs the means.

Standard arm: the analyst sees v_i. Thresholdout arm: where |w_i - v_i| > 4/sqrt(n) + N(0, 1/n) the analyst sees
v_i + N(0, 1/n), elsewhere w_i.

Derivations (no signal, mu = 0; first order in 1/n, weights in units of 1/sqrt(n)). Given the weights, the rows of the
selected columns are independent normals about them, so a set of k attributes with mean signed weight a has accuracy
Phi(sqrt(k/n) a). Ranking uses w only and, in the standard arm, v is independent of w given membership in W up to the sign, so
a = E[v | v > 1] = phi(1)/Phi(-1) on the holdout at every k <= |W|; on the training set a = phi(c)/Phi(-c), c the rank's
cutoff. In the Thresholdout arm an attribute that is not released is kept whatever its v, given only that v is not far from
w: P[kept | w, v] = r + (1 - r) Phi(v - 1), r = Phi(4 - |w - v|), and a is the mean of v under that law: small, but not 0,
because large w are released less often when v is large too.
"""

from __future__ import annotations

import functools

import numpy as np

from theory.adaptive import _arguments

__all__ = [
    "SIGNAL_COLUMNS",
    "SIGNAL_STRENGTH",
    "THRESHOLD",
    "fig2_holdout_accuracy",
    "fig2_num_released",
    "fig2_num_selected",
    "fig2_reported_margin",
    "fig2_train_accuracy",
    "fig3_fresh_accuracy",
    "thresholdout_accuracy",
]

THRESHOLD = 4.0  # of Thresholdout, in units of 1/sqrt(n); its tolerance is 1
SIGNAL_COLUMNS = 20  # attributes with a signal in the second experiment
SIGNAL_STRENGTH = 6.0  # their mean, in units of 1/sqrt(n): .06 at n = 10,000
ALLOWANCE = 0.01  # of the reported accuracy, beyond Thresholdout's threshold


def _counts(fn, n, k):
    return _arguments.integers(fn, n=n, k=k)


def fig2_num_selected(d):
    """Expected size of W in the standard arm without signal: 2 d Phi(-1)^2. d: attributes. Returns: float64."""
    from scipy.special import ndtr

    return 2 * _arguments.integers("fig2_num_selected", d=d) * ndtr(-1.0) ** 2


def fig2_num_released(d):
    """Expected attributes that Thresholdout releases without signal: 2 d Phi(-4/sqrt(3)). d: attributes. Returns: float64.

    The probability that threshold and noise together fall below 0, Phi(-4) = 3e-5, is left out.
    """
    from scipy.special import ndtr

    return 2 * _arguments.integers("fig2_num_released", d=d) * ndtr(-THRESHOLD / np.sqrt(3.0))


def fig2_holdout_accuracy(n, k):
    """Holdout accuracy of the standard arm without signal: Phi(sqrt(k/n) phi(1)/Phi(-1)), k <= |W| (derived here).

    Args: n: points of the holdout. k: attributes used. They broadcast. Returns: float64. Raises: ValueError.
    """
    from scipy.special import ndtr

    n, k = _counts("fig2_holdout_accuracy", n, k)
    return ndtr(np.sqrt(k / n) * _mean_beyond(1.0))


def fig2_train_accuracy(n, d, k):
    """Training accuracy of the standard arm without signal: as the holdout's, with the mean weight of the k largest.

    Args: n: points. d: attributes. k: attributes used; beyond E|W| all of W. They broadcast. Returns: float64. Raises: ValueError.
    """
    from scipy.special import ndtr, ndtri

    n, k = _counts("fig2_train_accuracy", n, k)
    used = np.minimum(k, fig2_num_selected(d))
    cutoff = -ndtri(used / (2 * np.asarray(d) * ndtr(-1.0)))
    return ndtr(np.sqrt(used / n) * _mean_beyond(cutoff))


def _mean_beyond(cutoff):
    """E[g | g > cutoff], g standard normal."""
    from scipy.special import ndtr

    return np.exp(-(cutoff**2) / 2) / np.sqrt(2 * np.pi) / ndtr(-cutoff)


def fig2_reported_margin(n):
    """How far the mean reported accuracy may be from the mean fresh one: Thresholdout's threshold, 4/sqrt(n), and .01."""
    return THRESHOLD / np.sqrt(_arguments.integers("fig2_reported_margin", n=n)) + ALLOWANCE


def fig3_fresh_accuracy(n, k):
    """Fresh accuracy of the k <= 20 attributes with signal alone: Phi(6 sqrt(k/n)).

    Args: n: points. k: attributes, at most 20. They broadcast. Returns: float64. Raises: ValueError.
    """
    from scipy.special import ndtr

    n, k = _counts("fig3_fresh_accuracy", n, k)
    if not np.all(k <= SIGNAL_COLUMNS):
        raise ValueError(f"fig3_fresh_accuracy: k must be at most {SIGNAL_COLUMNS}, got {_arguments.shown(k)}.")
    return ndtr(SIGNAL_STRENGTH * np.sqrt(k / n))


@functools.cache
def _thresholdout_law():
    """Weights w > 1 and, from each of them upwards: P[kept, weight > w], the means of w and of v there. float64 [3, nodes]."""
    from scipy.special import ndtr

    w, v = np.linspace(1.0, 9.0, 1601), np.linspace(-9.0, 9.0, 1801)
    density = np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi)
    unreleased = ndtr(THRESHOLD - np.abs(w[:, None] - v))
    kept = (unreleased + (1 - unreleased) * ndtr(v - 1)) * density * (v[1] - v[0])
    selected = np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi) * np.array([kept.sum(1), w * kept.sum(1), kept @ v])
    areas = 0.5 * (selected[:, 1:] + selected[:, :-1]) * (w[1] - w[0])
    return np.concatenate([np.cumsum(areas[:, ::-1], axis=1)[:, ::-1], np.zeros((3, 1))], axis=1)


def thresholdout_accuracy(n, d, k):
    """Raw (train, holdout) accuracy of the Thresholdout arm without signal; fresh accuracy is 1/2 (derived here).

    By quadrature of the law in the module's docstring, good to about 1e-4 at n = d = 10,000.

    Args: n: points. d: attributes. k: attributes used, an integer; beyond the expected number kept, all of them.
    Returns: (float64, float64). Raises: ValueError.
    """
    from scipy.special import ndtr

    n, k = _counts("thresholdout_accuracy", n, k)
    mass, w_sum, v_sum = _thresholdout_law()
    expected = 2 * _arguments.integers("thresholdout_accuracy", d=d) * mass
    used = np.minimum(k, expected[0])
    # quantities above the cutoff, interpolated in the number kept (decreasing in the cutoff)
    above = [np.interp(used, expected[::-1], s[::-1]) for s in (mass, w_sum, v_sum)]
    return tuple(ndtr(np.sqrt(used / n) * total / above[0]) for total in above[1:])
