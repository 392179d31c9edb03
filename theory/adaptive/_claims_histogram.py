"""Claims about histograms, the median mechanism and the reusable-holdout experiment."""

from __future__ import annotations

__all__ = ["CLAIMS"]

CLAIMS = ()
