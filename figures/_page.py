"""`python -m sims report`: one self-contained page of every claim, its curve against its bound, and what was found.

No network, no framework: style and script are inlined, pictures are inline SVG. Whatever comes from a file is escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from figures import _svg
from sims import _report
from theory import _claims
from theory._claims import Claim, Provenance, Verdict

__all__ = ["page"]

_HERE = Path(__file__).parent
_WORDS = {
    "SUPPORTED": "every cell inside the assumptions is decided for the claim, and every falsifier is rejected",
    "REFUTED": "a cell is decided against it, twice, with two independent root seeds",
    "UNDECIDED": "not enough replicates, too many failures, or a falsifier that was not rejected",
    "VACUOUS": "the bound is no better than what any method meets",
    "UNTESTED": "no simulation can refute it; the reason is given",
}


def page(summaries: Mapping[str, Mapping[str, Any]], findings: Mapping[str, str], source: str) -> str:
    """The page as HTML text.

    summaries: by claim id. findings: by paper, in the Markdown of paper_checks.md. source: where the results come from, in words.
    """
    papers = {slug: [c for c in _claims.claims().values() if c.paper == slug] for slug in _claims.papers()}
    papers = {slug: claims for slug, claims in papers.items() if any(c.id in summaries for c in claims)}
    verdicts = {c.id: summaries[c.id]["verdict"] if c.id in summaries else "not run" for claims in papers.values() for c in claims}
    parts = [
        _HEAD.format(style=(_HERE / "report.css").read_text(encoding="utf-8")),
        f"<h1>boundcheck: what simulation says of {len(papers)} paper{'s' if len(papers) > 1 else ''} on machine-learning theory</h1>",
        f"<p>{len(verdicts)} claims, {source}. A theorem promises a number; the world that it speaks of is run as often as the question "
        "needs, and each decision errs with probability at most one in a million, at every look.</p>",
        _overview(papers, verdicts),
        _findings(findings),
        '<main id="claims"><h2>Claims</h2>',
        _filters(papers, verdicts),
        *(_paper(slug, claims, summaries) for slug, claims in papers.items()),
        "</main>",
        f"<script>{(_HERE / 'report.js').read_text(encoding='utf-8')}</script></body></html>\n",
    ]
    return "\n".join(parts)


_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>boundcheck report</title><link rel="icon" href="data:,"><style>{style}</style></head>
<body><a class="skip" href="#claims">Skip to the claims</a>"""


def _overview(papers: Mapping[str, Sequence[Claim]], verdicts: Mapping[str, str]) -> str:
    words = [v.value for v in Verdict if v.value in verdicts.values()] + (["not run"] if "not run" in verdicts.values() else [])
    head = "".join(f'<th scope="col">{w}</th>' for w in words)
    lines = []
    for slug, claims in papers.items():
        counts = Counter(verdicts[c.id] for c in claims)
        cells = "".join(f'<td class="number" data-label="{w}">{counts[w] or ""}</td>' for w in words)
        name = f'<a href="#{slug}">{escape(_claims.papers()[slug].title)}</a>'
        lines.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    legend = "".join(f'<li><span class="word {w}">{w}</span> {_WORDS[w]}</li>' for w in words if w in _WORDS)
    return (
        '<nav aria-label="Papers"><div class="wide"><table class="cards"><caption>Claims by verdict</caption>'
        f'<thead><tr><th scope="col">Paper</th>{head}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div></nav><ul>{legend}</ul>"
    )


def _findings(findings: Mapping[str, str]) -> str:
    if not findings:
        return ""
    parts = ['<h2 id="findings">Findings</h2><p>Where running code corrects, sharpens or limits a paper.</p>']
    for slug, text in findings.items():
        parts.append(
            f"<details><summary><strong>{escape(_claims.papers()[slug].title)}</strong> ({len(re.findall('^- ', text, re.M))})</summary>"
            f"{_markdown(text)}</details>"
        )
    return "".join(parts)


def _markdown(text: str) -> str:
    """Paragraphs and lists of the hand-written part of paper_checks.md."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            blocks.append("<ul>" + "".join(f"<li>{_inline(i)}</li>" for i in items) + "</ul>")
        else:
            blocks.append(f"<p>{_inline(block)}</p>")
    return "".join(blocks)


def _inline(text: str) -> str:
    text = escape(" ".join(text.split()))
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)


def _filters(papers: Mapping[str, Sequence[Claim]], verdicts: Mapping[str, str]) -> str:
    def options(values: Mapping[str, str]) -> str:
        return '<option value="">all</option>' + "".join(f'<option value="{escape(v)}">{escape(t)}</option>' for v, t in values.items())

    standing = {p.value: p.phrase for p in Provenance if any(p is k.provenance for cs in papers.values() for c in cs for k in c.checks)}
    words = {w: w for w in dict.fromkeys([*(v.value for v in Verdict), "not run"]) if w in verdicts.values()}
    return (
        '<form class="filters" aria-label="Filter the claims" hidden>'
        f'<label>Paper <select name="paper">{options({s: s for s in papers})}</select></label>'
        f'<label>Verdict <select name="verdict">{options(words)}</select></label>'
        f'<label>Standing <select name="provenance">{options(standing)}</select></label>'
        '<label>Words <input name="words" type="search" autocomplete="off"></label>'
        '<button type="reset">Show all</button></form><p id="told" class="soft" role="status"></p>'
    )


def _paper(slug: str, claims: Sequence[Claim], summaries: Mapping[str, Mapping[str, Any]]) -> str:
    paper = _claims.papers()[slug]
    note = f"<p>{escape(paper.note)}</p>" if paper.note else ""
    cards = "".join(_card(c, summaries.get(c.id)) for c in claims)
    head = f'<h2>{escape(paper.title)}</h2><p class="soft">{escape(paper.citation)}</p>'
    return f'<section id="{slug}" data-paper="{slug}">{head}{note}{cards}</section>'


def _word(verdict: str) -> str:
    return f'<span class="word {verdict if verdict in _WORDS else "none"}">{escape(verdict)}</span>'


def _card(claim: Claim, summary: Mapping[str, Any] | None) -> str:
    verdict = summary["verdict"] if summary else "not run"
    standing = " ".join(sorted({c.provenance.value for c in claim.checks}))
    by_name = {c["name"]: c for c in summary["checks"]} if summary else {}
    parts = [
        f'<article id="{escape(claim.id)}" data-paper="{claim.paper}" data-verdict="{escape(verdict)}" data-provenance="{standing}">',
        f'<header><h3><a href="#{escape(claim.id)}">{escape(claim.id)}</a></h3>{_word(verdict)}</header>',
        f'<p>{escape(claim.statement)}</p><p class="soft">Source: {escape(claim.source)}</p>',
    ]
    if summary and summary["reason"] and verdict != Verdict.SUPPORTED.value:
        parts.append(f"<p>Why {escape(verdict)}: {escape(summary['reason'])}</p>")
    parts += [_check(claim, check, by_name.get(check.name)) for check in claim.checks]
    if summary:
        again = f"python -m sims run {claim.id} --preset {summary['preset']} --seed {summary['seed']}"
        parts.append(
            f'<p class="soft">Run: preset {escape(summary["preset"])}, seed {summary["seed"]}, on {escape(summary["device"])}, jax '
            f"{escape(summary['jax'])}, code {escape(summary['commit'] or 'unknown')}. Again:</p><pre>{escape(again)}</pre>"
        )
    parts.append("</article>")
    return "".join(parts)


def _check(claim: Claim, check: _claims.Check, done: Mapping[str, Any] | None) -> str:
    title = f"{check.name}: " if len(claim.checks) > 1 else ""
    verdict = done["verdict"] if done else "not run"
    parts = [f"<h4>{escape(title)}{escape(check.formula)} {_word(verdict) if len(claim.checks) > 1 else ''}</h4>"]
    constants = {"explicit": "constants explicit", "hidden": "constants hidden", "fitted": "constants fitted"}[check.constants]
    parts.append(f'<p class="soft">{check.relation.value}; {escape(check.provenance.phrase)}; {constants}.</p>')
    if check.untested is not None:
        return "".join([*parts, f"<p>Not tested: {escape(check.untested)}</p>"])
    if check.assumptions:
        parts.append("<p>Assumes " + "; ".join(f"{escape(a.label)}: {escape(a.text)}" for a in check.assumptions) + ".</p>")
    if done is None or not done["rows"]:
        return "".join(parts)
    row = _report.tightest(done)
    evidence = _report.against(row, done["relation"])
    caught = sum(f["verdict"] == Verdict.REFUTED.value for f in done["falsifiers"])
    label = (
        f"{claim.id} {check.name}: {verdict}. At the cell with the least room: {evidence}, slack {_report.slack(row)}. "
        f"{caught} of {len(done['falsifiers'])} falsifiers rejected."
    )
    chart = _svg.chart_of(done, label)
    if chart is not None:
        legend = "".join(f"<li>{_sample(kind)}{escape(text)}</li>" for kind, text in chart.legend)
        parts.append(f'<figure>{chart.svg}<figcaption><ul class="legend">{legend}</ul></figcaption></figure>')
    parts.append(f"<p>At the cell with the least room: {escape(evidence)}; slack {_report.slack(row)}, loose {_report.loose(row)}.</p>")
    parts.append(_falsifiers(done))
    parts.append(_table(claim, done))
    return "".join(parts)


def _sample(kind: str) -> str:
    drawn = {
        "bound": '<path class="bound" d="M0 5h24"/>',
        "lie": '<path class="lie" d="M8 1l8 8m0-8l-8 8"/>',
        "margin": '<path class="margin" d="M0 5h24"/>',
        "vacuous": '<rect class="vacuous" width="24" height="10"/>',
        "note": '<path class="axis" d="M12 0v10"/>',
    }.get(kind)
    if drawn is None:
        drawn = f'<path class="line {kind}" d="M0 5h24"/><g class="mark {kind}">{_svg.mark(int(kind[1:]), 12, 5)}</g>'
    return f'<svg viewBox="0 0 24 10" aria-hidden="true">{drawn}</svg>'


def _falsifiers(done: Mapping[str, Any]) -> str:
    items = []
    for f in done["falsifiers"]:
        fate = "rejected" if f["verdict"] == Verdict.REFUTED.value else f"not rejected ({f['reason'] or f['verdict']})"
        shown = f["rows"][0] if f["rows"] else None
        seen = f": {_report.against(shown, done['relation'])}" if shown and done["relation"] != "EXACT" else ""
        kind = "wrong bound" if f["kind"] == "bound" else "wrong world"
        items.append(f"<li><strong>{escape(f['name'])}</strong>, {kind}, {escape(fate)}: {escape(f['breaks'])}{escape(seen)}</li>")
    return f"<p>What this check would have caught:</p><ul>{''.join(items)}</ul>" if items else ""


def _table(claim: Claim, done: Mapping[str, Any]) -> str:
    head = ("Cell", "Estimate", "Interval", "Bound", "Slack", "Verdict", "Replicates", "Failed", "Seed")
    lines = []
    for row in done["rows"]:
        low, high = _report.number(row["low"]), _report.number(row["high"])
        interval = "" if done["relation"] == "EXACT" else f"[{low}, {high}]{' asymptotic' if row['asymptotic'] else ''}"
        cell = ", ".join(f"{k}={_report.number(v)}" for k, v in row["cell"].items())
        exact = row["method"] == "exact"
        values = (
            _report.number(row["estimate"]), interval, _report.number(row["margin"] if done["relation"] == "RATE" else row["bound"]),
            _report.slack(row), row["verdict"], "exact" if exact else _report.number(row["num_replicates"]),
            str(row["num_failed"]), "–" if exact else str(row["seed"]),
        )  # fmt: skip
        reason = f"<br>{escape(row['reason'])}" if row["reason"] else ""
        cells = "".join(f'<td class="number" data-label="{t}">{escape(v)}</td>' for t, v in zip(head[1:], values, strict=True))
        lines.append(f'<tr><th scope="row">{escape(cell)}{reason}</th>{cells}</tr>')
    titles = "".join(f'<th scope="col">{t}</th>' for t in head)
    summary = f"{len(done['rows'])} {'cell' if len(done['rows']) == 1 else 'cells'} of {claim.id} {done['name']}"
    return (
        f'<details><summary>{escape(summary)}</summary><div class="wide" tabindex="0" role="region" aria-label="{escape(summary)}">'
        f'<table class="cards"><thead><tr>{titles}</tr></thead><tbody>{"".join(lines)}</tbody></table></div></details>'
    )
