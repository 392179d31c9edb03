"""Experiments as data: which cells are simulated how, for which check of which claim.

A cell is a frozen dataclass of user inputs (one grid point). `prepare` derives everything else on the host in
float64. `simulate(key, prepared)` draws one replicate. EXACT checks have `evaluate` instead.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import types
import typing
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from theory import _claims

__all__ = [
    "LEDGER_SEED",
    "MAX_SEED",
    "PRESETS",
    "Case",
    "Experiment",
    "cell_fields",
    "cell_id",
    "change_cell",
    "checked_run",
    "experiments",
    "parse_cell",
    "register",
    "second_seed",
    "whole_line",
]

PRESETS = ("smoke", "default", "gpu")
LEDGER_SEED = 1411  # the root seed of the ledger, fixed before any run
MAX_SEED = 2**31 - 1


def second_seed(seed: int) -> int:
    """The independent root seed that repeats a REFUTED before it is recorded."""
    return zlib.crc32(f"second root seed of {seed}".encode()) & MAX_SEED


def checked_run(where: str, *, preset: str = "smoke", seed: int | None = None, max_replicates: int | None = None) -> tuple[int, int | None]:
    """Root seed and most replicates of a run asked for from Python, None being the ledger's seed and the preset's most.

    Raises: ValueError naming the argument, what is allowed and what came.
    """
    if preset not in PRESETS:
        raise ValueError(f"{where}: preset must be one of {', '.join(PRESETS)}, got {preset!r}.")
    if seed is not None and not (_is_integer(seed) and 0 <= seed <= MAX_SEED):
        raise ValueError(f"{where}: seed must be an integer from 0 to {MAX_SEED}, got {seed!r}.")
    if max_replicates is not None and not (_is_integer(max_replicates) and max_replicates >= 1):
        raise ValueError(f"{where}: max_replicates must be a positive integer, got {max_replicates!r}.")
    return LEDGER_SEED if seed is None else int(seed), None if max_replicates is None else int(max_replicates)


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


@dataclasses.dataclass(frozen=True)
class Case:
    """One evaluated instance of an EXACT check.

    label: names the case in a report. statistic: the left-hand side, float64.
    fields: cell fields the case overrides; the engine evaluates the bound at the cell's fields with these in place.
    """

    label: str
    statistic: float
    fields: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def whole_line() -> tuple[float, float]:
    """The support of a statistic without a known end."""
    return (-math.inf, math.inf)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One experiment, matched by name to a check or a world falsifier of theory/<slug>.py.

    check:     "adaptive.naive/full", or "adaptive.naive/full!no-noise" for a world falsifier. A name after the
               slash that starts with "~" is exploratory: it has no check, gets no verdict and feeds figures.
    cells:     preset -> cells. A missing or empty preset means: not decided at that size; but what is evaluated, without
               cells for gpu, has those of default there, as nothing in it grows with the machine.
    simulate:  one replicate; pure and undecorated. Returns a scalar x, or a dict with "x", optionally "tie"
               (bool: x was decided by rounding), and further arrays that are stored for figures.
    evaluate:  EXACT: (cell, rng) -> cases, on the host in float64. `rng` is seeded from the root seed and the cell.
    ask:       the cell that a user's --cell starts from.
    prepare:   cell -> what `simulate` receives; None: the cell itself.
    support:   tightest true range of x, called with the cell's fields; open ends allowed.
    expected:  (mean, sd) or (mean, sd, skewness) of x, for planning; called with the cell's fields. RATE: of the
               row's slope, once for the whole grid, called with the first cell's fields.
    validate:  called with a cell before anything else; raises ValueError naming the field, the range, what came.
    block:     replicates per vmapped block; part of the random stream's identity, never changed by memory pressure.
    chunk:     replicates per stored file, a multiple of block.
    seconds_of: seconds of a replicate of one cell, called with its fields, where the cells' times lie far apart; forecasts go by it,
               blocks and chunks by seconds_per_replicate.
    host:      drawn on the host's CPU wherever it runs: for long chains of tiny steps, each of which an accelerator would
               take longer to launch than a core to do.
    """

    check: str
    cells: Mapping[str, tuple[Any, ...]]
    simulate: Callable[..., Any] | None = None
    evaluate: Callable[..., Iterable[Case]] | None = None
    ask: Any = None
    prepare: Callable[[Any], Any] | None = None
    support: Callable[..., tuple[float, float]] = whole_line
    expected: Callable[..., tuple[float, ...]] | None = None
    validate: Callable[[Any], None] | None = None
    max_replicates: Mapping[str, int] = dataclasses.field(default_factory=dict)
    chunk: int = 64
    block: int = 16
    seconds_per_replicate: float = 0.001
    seconds_of: Callable[..., float] | None = None
    bytes_per_replicate: float = 1e6
    x64: bool = False
    host: bool = False

    def __post_init__(self) -> None:
        where = f"Experiment {self.check}"
        if not re.fullmatch(r"[a-z]+\.[A-Za-z0-9_.]+/~?[A-Za-z0-9_.-]+(![A-Za-z0-9_.-]+)?", self.check):
            raise ValueError(f'{where}: the name must be "<claim>/<check>" or "<claim>/<check>!<falsifier>".')
        if (self.simulate is None) == (self.evaluate is None):
            raise ValueError(f"{where}: give exactly one of `simulate` and `evaluate`.")
        if set(self.cells) - set(PRESETS):
            raise ValueError(f"{where}: presets are {', '.join(PRESETS)}, got {', '.join(self.cells)}.")
        if self.simulate is not None:
            if self.block < 1 or self.chunk < 1 or self.chunk % self.block:
                raise ValueError(f"{where}: chunk must be a positive multiple of block={self.block}, got {self.chunk}.")
            missing = [p for p, cells in self.cells.items() if cells and self.max_replicates.get(p, 0) < 1]
            if missing:
                raise ValueError(f"{where}: max_replicates must be >= 1 for preset {', '.join(missing)}.")
        if self.evaluate is not None and "gpu" not in self.cells and "default" in self.cells:
            object.__setattr__(self, "cells", {**self.cells, "gpu": self.cells["default"]})
        for cells in self.cells.values():
            ids = [cell_id(c) for c in cells]
            if len(set(ids)) < len(ids):
                raise ValueError(f"{where}: a cell is listed twice.")

    @property
    def claim_id(self) -> str:
        return self.check.split("/", 1)[0]

    @property
    def check_name(self) -> str:
        return self.check.split("/", 1)[1].split("!", 1)[0]

    @property
    def falsifier(self) -> str | None:
        return self.check.split("!", 1)[1] if "!" in self.check else None

    @property
    def exploratory(self) -> bool:
        return self.check_name.startswith("~")

    @property
    def folder(self) -> str:
        """The experiment's own name inside its claim: "full", "full!no-noise"."""
        return self.check.split("/", 1)[1]

    def seconds(self, cell: Any) -> float:
        """What a replicate of the cell, or its evaluation, is expected to take."""
        return self.seconds_per_replicate if self.seconds_of is None else _claims.call(self.seconds_of, cell_fields(cell))

    def stream(self, cell: Any) -> int:
        """The cell's own 32-bit number in the random stream: crc32 of claim/check/experiment/cell id."""
        name = f"{self.claim_id}/{self.check_name}/{self.falsifier or 'main'}/{cell_id(cell)}"
        return zlib.crc32(name.encode())


def cell_fields(cell: Any) -> dict[str, Any]:
    """The cell's fields by name, in declaration order."""
    return {f.name: getattr(cell, f.name) for f in dataclasses.fields(cell)}


def cell_id(cell: Any) -> str:
    """A readable, path-safe name of a cell: "n=250,m=25,analyst=linear"."""
    parts = (f"{k}={v!r}" if isinstance(v, float) else f"{k}={v}" for k, v in cell_fields(cell).items())
    return re.sub(r"[^A-Za-z0-9_.,=+-]", "_", ",".join(parts))


_TRACED = (float, np.ndarray)


def register(cls: type) -> type:
    """Registers a frozen dataclass with JAX: float and array fields are traced, the rest is static. Idempotent."""
    _register(cls)
    return cls


@functools.cache
def _register(cls: type) -> None:
    import jax

    hints = typing.get_type_hints(cls)
    traced = [f.name for f in dataclasses.fields(cls) if hints[f.name] in (*_TRACED, jax.Array)]
    static = [f.name for f in dataclasses.fields(cls) if f.name not in traced]
    jax.tree_util.register_dataclass(cls, data_fields=traced, meta_fields=static)


def parse_cell(ask: Any, text: str, others: Iterable[Any] = ()) -> Any:
    """The `ask` cell with the fields given as "k=v,k=v" changed.

    others: further cells of the experiment; a refusal names the words they have in fields that are no numbers.
    Raises: ValueError naming the field, what is allowed and what came.
    """
    hints = typing.get_type_hints(type(ask))
    changes: dict[str, Any] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, sep, raw = part.partition("=")
        name, raw = name.strip(), raw.strip()
        if name not in hints:
            raise ValueError(f"--cell: no field {name!r}; fields are {_fields_of(ask, hints, others)}.")
        if not sep:
            raise ValueError(f"--cell: {name} needs a value, as in {name}={getattr(ask, name)}; got {part!r}.")
        if name in changes:
            raise ValueError(f"--cell: {name} is given twice.")
        changes[name] = _parse_value(name, raw, hints[name])
    return dataclasses.replace(ask, **changes)


def _fields_of(ask: Any, hints: Mapping[str, Any], others: Iterable[Any]) -> str:
    """What can be asked: "n, m, s (numbers) and analyst (linear, sign)"."""
    words: dict[str, list[str]] = {name: [] for name, kind in hints.items() if kind is str or kind is bool}
    cells = [ask, *(c for c in others if type(c) is type(ask))]
    for name, kind in hints.items():
        if name in words:
            words[name] = ["true", "false"] if kind is bool else list(dict.fromkeys(getattr(c, name) for c in cells))
    numbers = [name for name in hints if name not in words]
    parts = [f"{', '.join(numbers)} ({'numbers' if len(numbers) > 1 else 'a number'})"] if numbers else []
    return " and ".join([*parts, *(f"{name} ({', '.join(seen)})" for name, seen in words.items())])


def change_cell(ask: Any, changes: Mapping[str, Any], others: Iterable[Any] = ()) -> Any:
    """The `ask` cell with these values in place of its own, read as `parse_cell` reads their text.

    Raises: ValueError naming the field, what is allowed and what came.
    """
    plain = {name: v.item() if isinstance(v, np.generic) else v for name, v in changes.items()}
    return parse_cell(ask, ",".join(f"{name}={'none' if v is None else v}" for name, v in plain.items()), others)


def _parse_value(name: str, raw: str, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):  # "float | None"
        if raw == "none":
            return None
        kind = next(k for k in kind.__args__ if k is not type(None))
    try:
        if kind is bool:
            return {"true": True, "false": False}[raw.lower()]
        if kind is int:
            number = float(raw)  # so that 1e4 is an integer too
            if not number.is_integer():
                raise ValueError
            return int(raw) if raw.lstrip("+-").isdigit() else int(number)
        if kind is float:
            number = float(raw)
            if not math.isfinite(number):
                raise ValueError
            return number
    except (ValueError, KeyError, OverflowError):
        allowed = {bool: "true or false", int: "an integer", float: "a finite number"}[kind]
        raise ValueError(f"--cell: {name} must be {allowed}, got {raw!r}.") from None
    return raw


def experiments() -> Mapping[str, Experiment]:
    """All experiments by name. Imports every paper's simulators, hence JAX.

    Raises: PaperError, in one sentence, for a file that cannot be imported, or whose experiments are not those its claims ask for.
    """
    return _experiments(_claims.roots())


@functools.cache
def _experiments(roots: tuple[Path, ...]) -> Mapping[str, Experiment]:
    found: dict[str, Experiment] = {}
    modules: set[str] = set()
    for module in _claims.discover("sims", ("EXPERIMENTS",)):
        modules.add(module.__name__.split(".", 1)[1])
        for experiment in module.EXPERIMENTS:
            if experiment.check in found:
                raise _claims.PaperError(f"{module.__name__}: experiment {experiment.check} is listed twice.")
            found[experiment.check] = experiment
    _compare_with_claims(found, modules)
    return found


def _compare_with_claims(found: Mapping[str, Experiment], modules: set[str]) -> None:
    """Raises PaperError where a claim asks for an experiment that is not there, or one is there that no claim asks for."""
    asked = {name: claim.paper for claim in _claims.claims().values() for name in claim.experiments()}
    extra = [name for name, e in found.items() if not e.exploratory and name not in asked]
    for name, paper in asked.items():
        if paper not in modules:
            raise _claims.PaperError(f"sims/{paper}.py is missing: it holds the EXPERIMENTS that the claims of theory/{paper}.py ask for.")
        if name not in found:
            own = [n for n in extra if n.split(".", 1)[0] == paper]
            has = f"; it has {', '.join(map(repr, own))}, which nobody asks for" if own else ""
            raise _claims.PaperError(f"sims/{paper}.py has no Experiment({name!r}), which theory/{paper}.py asks for{has}.")
    extra += [name for name, e in found.items() if e.exploratory and e.claim_id not in _claims.claims()]
    for name in extra:
        paper = name.split(".", 1)[0]
        raise _claims.PaperError(f"sims/{paper}.py has Experiment({name!r}), but theory/{paper}.py no such check or lying world.")
