"""The default figure of a check puts what it draws on the axis it belongs to."""

import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from figures import _plots


def row(n, estimate, bound, falsifier=None):
    return {
        "cell": {"n": n}, "estimate": estimate, "low": max(0.0, estimate - 0.2), "high": min(1.0, estimate + 0.2), "bound": bound,
        "margin": 2.0, "trivial": None, "verdict": "SUPPORTED", "num_replicates": 56, "level": 1e-6, "points": [], "falsifier": falsifier,
    }  # fmt: skip


def test_threshold_of_a_phase_is_a_place_on_the_x_axis():
    rows = [row(4, 0.0, 7.0), row(10, 1.0, 7.0)]
    later = {"name": "later", "breaks": "later", "kind": "bound", "verdict": "REFUTED", "rows": [row(10, 1.0, 12.0, "later")]}
    check = {
        "name": "phase", "relation": "PHASE", "formula": "common from 7 on", "units": "share", "verdict": "SUPPORTED", "rows": rows,
        "falsifiers": [later],
    }  # fmt: skip
    fig = _plots.draw_check("paper.claim", "A statement.", check)
    (ax,) = fig.axes
    vertical = {
        line.get_color(): line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    }
    assert vertical == {"k": 7.0, _plots.FALSIFIER: 12.0}
    assert max(y for line in ax.lines for y in line.get_ydata() if math.isfinite(y)) <= 1
    plt.close(fig)
