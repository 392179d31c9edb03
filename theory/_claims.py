"""Claims as data: the vocabulary in which every paper's promises are written down.

A `Claim` holds one or several `Check`s. A check says what is measured against which number, in which
direction, under which assumptions, and which wrong promises (`Falsifier`) the same measurement must reject.
The judge (sims/_stats) and the runner (sims/_runner) read these records; nothing here computes or draws.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
import importlib
import inspect
import pkgutil
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "Assumption",
    "Check",
    "Claim",
    "Falsifier",
    "Method",
    "Paper",
    "PaperError",
    "Provenance",
    "Relation",
    "UnknownError",
    "Verdict",
    "call",
    "claims",
    "discover",
    "is_plugin",
    "lookup",
    "near",
    "papers",
    "place_of",
    "plug_in",
    "roots",
]

Method = Literal["capital", "t", "quantile", "rows", "box", "exact"]


class PaperError(ValueError):
    """A paper's files cannot be loaded, do not fit together, or fail while they run: one sentence that says where."""


class UnknownError(KeyError):
    """Nothing has this name; the sentence says what has."""

    def __str__(self) -> str:  # a KeyError prints its sentence in quotes
        return str(self.args[0])


class Relation(enum.Enum):
    """How the measured number must stand to the bound."""

    EXACT = "EXACT"  # host float64, no sampling: residual of an identity or inequality
    UPPER = "UPPER"  # E x <= bound
    LOWER = "LOWER"  # E x >= bound; reads "consistent with"
    TAIL = "TAIL"  # P(event) <= bound, x in {0, 1}
    EQUAL = "EQUAL"  # |E x - bound| <= margin
    ORDER = "ORDER"  # E (paired difference) >= 0
    RATE = "RATE"  # slope on log-log axes inside a declared window
    PHASE = "PHASE"  # success rare below, common above a predicted threshold


class Verdict(enum.Enum):
    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    UNDECIDED = "UNDECIDED"
    VACUOUS = "VACUOUS"
    UNTESTED = "UNTESTED"


class Provenance(enum.Enum):
    """Where a statement was read; the ledger prints `phrase` beside every verdict."""

    PAPER = "paper"
    COMPANION = "companion"
    SUPPLEMENT = "supplement"
    SECONDARY = "secondary"
    RECALLED = "recalled"
    DERIVED = "derived"
    STANDARD = "standard"

    @property
    def phrase(self) -> str:
        return {
            Provenance.PAPER: "the paper's own statement",
            Provenance.COMPANION: "as stated in the companion paper",
            Provenance.SUPPLEMENT: "as in the authors' supplement",
            Provenance.SECONDARY: "as reported second-hand, not checked against the paper",
            Provenance.RECALLED: "as recalled, not checked against the paper",
            Provenance.DERIVED: "explicit version derived here",
            Provenance.STANDARD: "standard result",
        }[self]


@dataclasses.dataclass(frozen=True)
class Assumption:
    """A premise. `holds` is called with the cell's fields that its signature names."""

    label: str
    text: str
    holds: Callable[..., bool]


@dataclasses.dataclass(frozen=True)
class Falsifier:
    """A wrong promise (kind "bound") or a lying world (kind "world") that the judge must refute.

    kind "bound": the check's own replicates are judged again with `bound` and/or `margin` in place of the check's.
    kind "world": has its own experiment, "<claim>/<check>!<name>"; bound and assumptions stay as declared.
    `where` selects the cells it names (by their fields); every one of them must come out REFUTED.
    """

    name: str
    breaks: str
    kind: Literal["bound", "world"]
    bound: Callable[..., float] | None = None
    margin: Callable[..., float] | float | tuple[float, float] | None = None
    where: Callable[..., bool] | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("bound", "world"):
            raise ValueError(f'Falsifier: kind must be "bound" or "world", got {self.kind!r}.')
        if self.kind == "bound" and self.bound is None and self.margin is None:
            raise ValueError(f"Falsifier {self.name}: a wrong bound needs `bound` or `margin`.")
        if self.kind == "world" and (self.bound is not None or self.margin is not None):
            raise ValueError(f"Falsifier {self.name}: in a lying world bound and margin stay as declared.")


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that can be judged.

    bound:      called by keyword with the cell's fields that its signature names; float64. nan means: an
                assumption fails there, the cell is outside the claim. RATE: the law y(x) whose own slope on the
                grid is the window's centre. PHASE: the predicted threshold of field `grid`.
    trivial:    what any method meets; a bound no better is VACUOUS there.
    margin:     EQUAL: half width M. RATE: half width about the bound's own slope, or a window (lo, hi).
                PHASE: half width of the unjudged zone around the threshold. From theory, before the run.
    residual:   EXACT only. "identity": |lhs-rhs|/max(1,|rhs|). "upper"/"lower": (lhs-rhs)/|rhs|, positive when
                lhs <= rhs (lhs >= rhs) is violated. "log_upper"/"log_lower": ln lhs - ln rhs, for tails.
    tolerance:  EXACT only.
    quantile:   method "quantile": which quantile is compared with the bound.
    rate_of:    RATE: y = E ln X ("mean_log"), ln E X ("log_mean") or ln median X ("log_median", method "box").
    grid:       RATE and PHASE: the cell field on the x axis.
    phase:      PHASE: (p_lo, p_hi), success at most p_lo below and at least p_hi above the threshold.
    units:      what the statistic is measured in, for axes and tables.
    untested:   the reason, when no simulation can refute the statement; all else may then be left out.
    """

    name: str
    relation: Relation
    provenance: Provenance
    formula: str
    bound: Callable[..., float] | None = None
    trivial: Callable[..., float] | None = None
    margin: Callable[..., float] | float | tuple[float, float] | None = None
    method: Method = "capital"
    assumptions: tuple[Assumption, ...] = ()
    constants: Literal["explicit", "hidden", "fitted"] = "explicit"
    falsifiers: tuple[Falsifier, ...] = ()
    residual: Literal["identity", "upper", "lower", "log_upper", "log_lower"] = "identity"
    tolerance: float = 1e-9
    quantile: float = 0.5
    rate_of: Literal["mean_log", "log_mean", "log_median"] = "mean_log"
    grid: str | None = None
    phase: tuple[float, float] = (0.25, 0.75)
    units: str = ""
    untested: str | None = None

    def __post_init__(self) -> None:
        if self.untested is not None:
            return
        where = f"Check {self.name}"
        if self.bound is None and self.relation is not Relation.ORDER:
            raise ValueError(f"{where}: `bound` is missing and `untested` gives no reason.")
        if not self.falsifiers:
            raise ValueError(f"{where}: a check without a falsifier cannot fail.")
        if len({f.name for f in self.falsifiers}) < len(self.falsifiers):
            raise ValueError(f"{where}: falsifier names must differ.")
        if (self.relation is Relation.EXACT) != (self.method == "exact"):
            raise ValueError(f'{where}: relation EXACT and method "exact" go together.')
        if (self.relation is Relation.RATE) != (self.method in ("rows", "box")):
            raise ValueError(f'{where}: relation RATE and method "rows" or "box" go together.')
        if self.relation in (Relation.RATE, Relation.PHASE) and self.grid is None:
            raise ValueError(f"{where}: {self.relation.value} needs `grid`, the cell field on the x axis.")
        if self.relation in (Relation.EQUAL, Relation.RATE, Relation.PHASE) and self.margin is None:
            raise ValueError(f"{where}: {self.relation.value} needs a `margin` declared from theory.")
        if self.constants != "explicit" and self.relation not in (Relation.RATE, Relation.ORDER, Relation.PHASE):
            raise ValueError(f"{where}: {self.constants} constants allow only RATE, ORDER or PHASE.")


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of a paper. `id` is "<slug>.<name>"."""

    id: str
    source: str
    statement: str
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        if self.id.count(".") < 1:
            raise ValueError(f'Claim: id must be "<paper>.<name>", got {self.id!r}.')
        if not self.checks or len({c.name for c in self.checks}) < len(self.checks):
            raise ValueError(f"Claim {self.id}: needs at least one check, with differing names.")

    @property
    def paper(self) -> str:
        return self.id.split(".", 1)[0]

    def check(self, name: str) -> Check:
        """The check called `name`; UnknownError, a KeyError, if there is none."""
        for check in self.checks:
            if check.name == name:
                return check
        raise UnknownError(f"{self.id} has no check {name!r}; it has {', '.join(c.name for c in self.checks)}")

    def experiments(self) -> tuple[str, ...]:
        """Names of the experiments this claim asks for: one a check, one a world falsifier."""
        names = []
        for check in self.checks:
            if check.untested is None:
                names.append(f"{self.id}/{check.name}")
                names += [f"{self.id}/{check.name}!{f.name}" for f in check.falsifiers if f.kind == "world"]
        return tuple(names)


@dataclasses.dataclass(frozen=True)
class Paper:
    """The paper a module speaks of; `note` is printed above its table in the ledger."""

    slug: str
    title: str
    citation: str
    note: str = ""


@functools.cache
def _parameters(fn: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(fn).parameters


def call(fn: Callable[..., Any], fields: Mapping[str, Any]) -> Any:
    """Calls `fn` by keyword with those of `fields` that its signature names.

    Raises: PaperError if `fn` names a field that is neither given nor has a default.
    """
    wanted = _parameters(fn)
    missing = [k for k, p in wanted.items() if k not in fields and p.default is inspect.Parameter.empty]
    if missing:
        code = getattr(fn, "__code__", None)
        place = f" ({Path(code.co_filename).name}:{code.co_firstlineno})" if code is not None else ""
        raise PaperError(f"{getattr(fn, '__name__', fn)}{place}: the cell has no field {', '.join(missing)}; it has {', '.join(fields)}.")
    return fn(**{k: fields[k] for k in wanted if k in fields})


def discover(package: str, needs: Sequence[str] = ()) -> Iterator[types.ModuleType]:
    """Every module of `package` without a leading underscore, imported, by name: that is the whole registry.

    Raises: PaperError naming the file that cannot be imported, or lacks one of the names it needs.
    """
    parent = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(parent.__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        try:
            module = importlib.import_module(f"{package}.{info.name}")
        except Exception as error:
            raise PaperError(f"{place_of(error) or f'{package}/{info.name}'}: {type(error).__name__}: {error}") from error
        absent = [name for name in needs if not hasattr(module, name)]
        if absent:
            raise PaperError(f"{package}/{info.name}.py defines no {' and no '.join(absent)}; every paper's file there does.")
        yield module


def place_of(error: BaseException) -> str:
    """The last line of a paper's own file that an error came through, "sims/dkw.py:23"; empty if it came through none."""
    found = [(Path(f.filename), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        found.append((Path(error.filename), error.lineno))
    for path, line in reversed(found):
        for root in roots():
            parts = path.parts[len(root.parts) :] if path.is_relative_to(root) else ()
            if len(parts) > 1 and parts[0] in _PACKAGES and not parts[1].startswith("_"):
                return f"{'/'.join(parts)}:{line}"
    return ""


_PACKAGES = ("theory", "sims", "figures")
_HOUSE = Path(__file__).resolve().parents[1]
_plugins: list[Path] = []


def roots() -> tuple[Path, ...]:
    """The folders that hold theory/, sims/ and figures/: this project's, then those plugged in."""
    return (_HOUSE, *_plugins)


def is_plugin(slug: str) -> bool:
    """Whether a paper comes from a folder plugged in; such papers have no place in this project's ledger."""
    return any(_module_path(root / "theory", slug) is not None for root in _plugins)


def _module_path(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / f"{name}.py", folder / name / "__init__.py") if p.is_file()), None)


def plug_in(folder: Path) -> None:
    """Papers from another folder: its theory/, sims/ and, if there is one, figures/ are searched after this project's. Idempotent.

    Raises: ValueError if the folder holds no theory/ or no sims/, or a module whose name is taken.
    """
    root = Path(folder).resolve()
    if root in roots():
        return
    absent = [name for name in ("theory", "sims") if not (root / name).is_dir()]
    if absent:
        raise ValueError(f"plugin: {folder} must hold the folders theory/ and sims/, got none called {' or '.join(absent)}.")
    for package in _PACKAGES:
        for info in pkgutil.iter_modules([str(root / package)]):
            taken = next((r for r in roots() if _module_path(r / package, info.name) is not None), None)
            if taken is not None:
                raise ValueError(f"plugin: {folder} holds {package}/{info.name}, a name that is taken in {taken.name}/{package}.")
    for package in _PACKAGES:
        if (root / package).is_dir():
            importlib.import_module(package).__path__.append(str(root / package))
    _plugins.append(root)
    papers.cache_clear()
    claims.cache_clear()


@functools.cache
def papers() -> Mapping[str, Paper]:
    """The papers by slug."""
    return {module.PAPER.slug: module.PAPER for module in discover("theory", ("PAPER", "CLAIMS"))}


@functools.cache
def claims() -> Mapping[str, Claim]:
    """All claims by id, in the order of papers and of each paper's CLAIMS."""
    found: dict[str, Claim] = {}
    for module in discover("theory", ("PAPER", "CLAIMS")):
        for claim in module.CLAIMS:
            if claim.id in found or claim.paper != module.PAPER.slug:
                raise PaperError(f"{module.__name__}: claim id {claim.id!r} is taken or not of this paper.")
            found[claim.id] = claim
    return found


def near(name: str, known: Sequence[str]) -> str:
    """What to say after an unknown name: "; did you mean …?", or a dozen of the known ones."""
    if not known:
        return "; there is none"
    matches = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {', '.join(matches)}?" if matches else f"; known: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}"


def lookup(name: str, plug: str = "use_plugin(DIR)?") -> tuple[Claim, str | None]:
    """The claim of "adaptive.naive" or "adaptive.naive/full", and the name of the check after the slash, if there is one.

    plug: what makes the papers of another folder known, said where the paper is unknown.
    Raises: UnknownError, a KeyError, that says what is meant or known.
    """
    claim_id, slash, check = name.partition("/")
    claim = claims().get(claim_id)
    if claim is None:
        if claim_id in papers():
            ids = [c for c, known in claims().items() if known.paper == claim_id]
            raise UnknownError(f"{claim_id!r} is a paper; its claims are {', '.join(ids[:12])}{' …' if len(ids) > 12 else ''}")
        hint = "" if claim_id.split(".", 1)[0] in papers() else f"; {plug}"
        matches = near(claim_id, list(claims()))
        raise UnknownError(f"no claim is called {claim_id!r}{hint if hint and 'did you mean' not in matches else matches + hint}")
    if slash:
        claim.check(check)
    return claim, check or None
