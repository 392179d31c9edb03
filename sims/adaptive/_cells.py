"""Checks shared by the cells of sims/adaptive."""

from __future__ import annotations

import math

COINS = 32  # fair coins in one uint32 word


def require(ok, fn, text):
    if not ok:
        raise ValueError(f"{fn}: {text}")


def is_count(*values):
    return all(isinstance(v, int) and v >= 1 for v in values)


def in_unit(value):
    return math.isfinite(value) and 0 < value < 1
