"""The judge: what turns stored replicates into SUPPORTED, REFUTED or UNDECIDED, with a declared error.

NumPy and SciPy in float64 on the host; no JAX, no randomness. Every limit holds at every look.
"""

from sims._stats._capital import STAKES, WEIGHTS, log_capital, log_capital_path, price_limit
from sims._stats._intervals import (
    interval,
    looks,
    own_slope,
    quantile_interval,
    slope_box,
    slope_rows,
    slope_weights,
    t_half_width,
    t_interval,
)
from sims._stats._judge import (
    ALPHA,
    ALPHA_USER,
    MAX_DECISIONS,
    Evidence,
    OutOfRange,
    first_decision,
    judge,
    judge_exact,
    judge_none,
    judge_rate,
    residuals,
    slack_of,
    verdict,
)
from sims._stats._planning import Plan, plan, plan_price, plan_t

__all__ = [
    "ALPHA",
    "ALPHA_USER",
    "MAX_DECISIONS",
    "STAKES",
    "WEIGHTS",
    "Evidence",
    "OutOfRange",
    "Plan",
    "first_decision",
    "interval",
    "judge",
    "judge_exact",
    "judge_none",
    "judge_rate",
    "log_capital",
    "log_capital_path",
    "looks",
    "own_slope",
    "plan",
    "plan_price",
    "plan_t",
    "price_limit",
    "quantile_interval",
    "residuals",
    "slack_of",
    "slope_box",
    "slope_rows",
    "slope_weights",
    "t_half_width",
    "t_interval",
    "verdict",
]
