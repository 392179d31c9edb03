"""Progress on stderr: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TextIO

__all__ = ["Progress", "clock"]

_LINE_EVERY = 10.0  # seconds between lines of a log
_DRAW_EVERY = 0.2  # seconds between redraws of a bar
_TRUST = 0.1  # the forecast counts like a measurement of this share of the work: at first a run compiles and does little of it


class Progress:
    """Counts forecast seconds of work; the time that remains is scaled by how the forecast has done so far."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._terminal = stream, stream.isatty()
        self._forecasts: dict[str, float] = {}
        self._begun = self._last = time.monotonic()
        self._finished = self._inside = 0.0
        self._shown = False

    def say(self, sentence: str) -> None:
        """One sentence for the person who waits, above the bar."""
        self._erase()
        print(f"sims: {sentence}", file=self._stream, flush=True)

    def start(self, forecasts: Mapping[str, float]) -> None:
        """forecasts: seconds by claim, in the order in which they will run."""
        self._forecasts = dict(forecasts)
        self._begun = time.monotonic()
        claims = "1 claim" if len(forecasts) == 1 else f"{len(forecasts)} claims"
        self.say(f"{claims}, about {clock(max(1.0, sum(forecasts.values())))} of work if nothing is stored yet")

    def tick(self, seconds: float) -> None:
        """Forecast seconds of work just done."""
        self._inside += seconds
        self._draw()

    def finish(self, claim: str) -> None:
        """A claim is done, however much of its forecast was needed."""
        self._finished += self._forecasts.pop(claim, 0.0)
        self._inside = 0.0
        self._erase()

    def close(self) -> None:
        self._erase()

    def _draw(self) -> None:
        now = time.monotonic()
        if not self._forecasts or now - self._last < (_DRAW_EVERY if self._terminal else _LINE_EVERY):
            return
        self._last = now
        name, forecast = next(iter(self._forecasts.items()))
        done = self._finished + min(self._inside, forecast)
        left = self._finished + sum(self._forecasts.values()) - done
        trust = _TRUST * (done + left)
        pace = (now - self._begun + trust) / max(done + trust, 1e-9)
        share = done / max(done + left, 1e-9)
        if self._terminal:
            bar = "#" * int(24 * share)
            self._stream.write(f"\r\x1b[2K[{bar:<24}] {share:4.0%}  {clock(left * pace)} left  {name}")
            self._stream.flush()
            self._shown = True
        else:
            print(f"sims: {share:.0%}, about {clock(left * pace)} left, at {name}", file=self._stream, flush=True)

    def _erase(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._shown = False


def clock(seconds: float) -> str:
    """A duration as a person says it."""
    seconds = max(0.0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
