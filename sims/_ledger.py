"""The ledger: summaries promoted to figures/data, and the tables made of them in paper_checks.md and README.md.

Only `promote` writes figures/data, only from the default preset and the ledger's seed. Imports no JAX.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sims import _experiment, _report, _store
from theory import _claims

__all__ = ["LedgerError", "commit", "data_folder", "differences", "findings", "promote", "rewrite", "summaries"]

_ROOT = Path(__file__).resolve().parents[1]


class LedgerError(Exception):
    """The ledger cannot be written or read; one sentence."""


def data_folder() -> Path:
    return _ROOT / "figures" / "data"


def _papers() -> dict[str, _claims.Paper]:
    """The papers that have a place in the ledger: those of this project, not of a plugin."""
    return {slug: paper for slug, paper in _claims.papers().items() if not _claims.is_plugin(slug)}


def _house_claims() -> list[_claims.Claim]:
    return [claim for claim in _claims.claims().values() if claim.paper in _papers()]


@functools.cache
def summaries(paper: str) -> Mapping[str, Mapping[str, Any]]:
    """The promoted summaries of a paper by claim id; empty if it has none yet."""
    path = data_folder() / f"{paper}.json"
    if not path.exists():
        return {}
    return _store.from_json(json.loads(path.read_text(encoding="utf-8")))["claims"]


@functools.cache
def commit() -> str:
    """The git commit of the code, "-dirty" if theory/ or sims/ differ from it; "" outside a checkout."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, text=True, check=True).stdout.strip()

    if not (_ROOT / ".git").exists():
        return ""
    try:
        return git("rev-parse", "--short=12", "HEAD") + ("-dirty" if git("status", "--porcelain", "--", "theory", "sims") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def promote(out: Path) -> list[str]:
    """Copies default-preset summaries of the ledger's seed into figures/data; returns one line a paper.

    Raises: LedgerError if there is nothing to promote and nothing promoted, or figures/data is read-only.
    """
    found: dict[str, dict[str, Any]] = {}
    known = {claim.id for claim in _house_claims()}
    for _, summary in _store.iter_summaries(out, "default", _experiment.LEDGER_SEED):
        if summary["max_replicates_override"] is not None:
            raise LedgerError(
                f"{summary['claim']} was run with --max-replicates {summary['max_replicates_override']}: run it again without"
            )
        if summary["claim"] in known:
            found.setdefault(summary["claim"].split(".", 1)[0], {})[summary["claim"]] = summary
    if not _is_checkout():
        raise LedgerError(f"{data_folder()} belongs to an installed package and is read-only: promote from a checkout")
    lines = []
    for paper, new in found.items():
        merged = {**summaries(paper), **new}
        ordered = {c: merged[c] for c in _claims.claims() if c in merged}
        _store.write_json_atomic(data_folder() / f"{paper}.json", {"schema": 1, "paper": paper, "claims": _shortened(ordered)})
        lines.append(f"promoted {len(new)} {'claim' if len(new) == 1 else 'claims'} of {paper} from {out}")
    summaries.cache_clear()
    return lines or [
        f"no default-preset summaries of seed {_experiment.LEDGER_SEED} under {out}: tables are made from figures/data as it is"
    ]


_DRAWN = ("points", "arrays", "explored", "planned", "slack", "looseness")  # parts of a summary that nothing is computed from


def _shortened(part: Any, drawn: bool = False) -> Any:
    """A summary whose numbers for figures have six significant digits, all others nine: more than tables and pictures show."""
    if isinstance(part, Mapping):
        return {key: _shortened(value, drawn or key in _DRAWN) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_shortened(value, drawn) for value in part]
    return float(f"{part:.{6 if drawn else 9}g}") if isinstance(part, float) else part


def _is_checkout() -> bool:
    return (_ROOT / "pyproject.toml").exists() and os.access(data_folder().parent, os.W_OK)


def findings() -> dict[str, str]:
    """The hand-written findings of paper_checks.md by paper, as Markdown; empty outside a checkout."""
    path = _ROOT / "paper_checks.md"
    if not path.exists():
        return {}
    found = {}
    for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        slug, _, rest = section.partition("\n")
        if slug.strip() in _papers() and "### Findings" in rest:
            found[slug.strip()] = rest.split("### Findings", 1)[1].strip()
    return found


# --- the tables ----------------------------------------------------------------------------------------------


def _documents() -> dict[Path, dict[str, str]]:
    """Each document with its generated parts by marker name."""
    checks, readme = _ROOT / "paper_checks.md", _ROOT / "README.md"
    parts = {slug: _report.ledger_table(paper, summaries(slug)) for slug, paper in _papers().items()}
    return {checks: parts, readme: {"verdicts": _report.readme_table({slug: summaries(slug) for slug in _papers()})}}


def _with_parts(text: str, path: Path, parts: Mapping[str, str]) -> str:
    for name, body in parts.items():
        begin, end = f"<!-- begin generated: {name} -->\n", f"<!-- end generated: {name} -->"
        if begin not in text or end not in text:
            raise LedgerError(f"{path.name} has no place for {name}: add the lines {begin.strip()} and {end}")
        head, rest = text.split(begin, 1)
        text = head + begin + body + end + rest.split(end, 1)[1]
    return text


def rewrite() -> list[Path]:
    """Rewrites the generated parts; returns the documents that changed."""
    if not _is_checkout():
        raise LedgerError("paper_checks.md is part of a checkout, not of an installed package")
    changed = []
    for path, parts in _documents().items():
        old = path.read_text(encoding="utf-8")
        new = _with_parts(old, path, parts)
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def differences() -> list[str]:
    """One sentence for every way in which the tables differ from the summaries, or claims from their rows."""
    found = []
    if not _is_checkout():
        raise LedgerError("paper_checks.md is part of a checkout, not of an installed package")
    for path, parts in _documents().items():
        old = path.read_text(encoding="utf-8")
        for name, body in parts.items():
            if _with_parts(old, path, {name: body}) != old:
                found.append(f"{path.name}: the table of {name} is not what the summaries give; run `python -m sims ledger`")
    for claim in _house_claims():
        summary = summaries(claim.paper).get(claim.id)
        if summary is None:
            found.append(f"{claim.id} has no summary; run `python -m sims run {claim.id} --preset default` and `python -m sims ledger`")
        elif summary["seed"] != _experiment.LEDGER_SEED or summary["preset"] != "default":
            found.append(f"{claim.id}: its summary is of preset {summary['preset']}, seed {summary['seed']}")
        elif [c["name"] for c in summary["checks"]] != [c.name for c in claim.checks]:
            found.append(f"{claim.id}: its summary has other checks than theory/{claim.paper}.py")
    return found
