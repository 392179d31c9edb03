"""The report page: nothing missing, everything escaped, no network; in a browser, no error, no overlap, working filters."""

import html.parser
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from figures import _page, _svg
from sims import _ledger
from sims.__main__ import main
from theory import _claims

BROWSER = next((b for b in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if b), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=20000",
)  # fmt: skip


class Tags(html.parser.HTMLParser):
    """What a browser would see: tags with their attributes, and that all are closed in order."""

    VOID = frozenset(("meta", "link", "br", "input"))

    def __init__(self, text):
        super().__init__()
        self.seen, self._open = [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    assert main(["report", "--out", str(out)]) == 0
    return out / "index.html"


def test_no_claim_and_no_check_is_missing_and_every_picture_says_its_verdict(page):
    text = page.read_text(encoding="utf-8")
    tags = Tags(text).seen
    assert [a["id"] for t, a in tags if t == "article"] == list(_claims.claims())
    labels = [a["aria-label"] for t, a in tags if t == "svg" and a.get("role") == "img"]
    for claim in _claims.claims().values():
        summary = _ledger.summaries(claim.paper)[claim.id]
        assert f'id="{claim.id}" data-paper="{claim.paper}" data-verdict="{summary["verdict"]}"' in text
        for check in summary["checks"]:
            pictured = [label for label in labels if label.startswith(f"{claim.id} {check['name']}: {check['verdict']}. ")]
            assert len(pictured) == (1 if _svg.chart_of(check, "") else 0)


def test_pictures_are_well_formed_and_their_marks_lie_inside():
    for slug in _claims.papers():
        for summary in _ledger.summaries(slug).values():
            for check in summary["checks"]:
                chart = _svg.chart_of(check, "a <label> & more")
                if chart is None:
                    continue
                root = ElementTree.fromstring(chart.svg)
                assert root.attrib["aria-label"] == "a <label> & more"
                for e in root.iter():
                    for x, y in [(e.attrib.get(a), e.attrib.get(b)) for a, b in (("cx", "cy"), ("x", "y"))]:
                        if x is not None:
                            assert -1 <= float(x) <= _svg.WIDTH + 1, (summary["claim"], check["name"])
                            assert -1 <= float(y) <= _svg.HEIGHT + 1, (summary["claim"], check["name"])


def test_what_lies_outside_the_estimates_is_drawn_where_it_is():
    (check,) = (c for c in _ledger.summaries("adaptive")["adaptive.naive"]["checks"] if c["name"] == "slope")
    svg = _svg.chart_of(check, "").svg
    crosses = [float(x) for x in re.findall(r'class="lie" d="M([\d.]+)', svg)]
    assert len(set(crosses)) == len(crosses) == 4  # n = 125 is none of the estimates' sizes
    assert crosses[0] + 4 < min(float(x) for x in re.findall(r'cx="([\d.]+)"', svg))


def test_no_interval_and_no_margin_is_cut_at_the_frame():
    for slug in _claims.papers():
        for summary in _ledger.summaries(slug).values():
            for check in summary["checks"]:
                chart = _svg.chart_of(check, "")
                for y, z in re.findall(r'class="(?:bar c\d|margin)" d="M[\d.]+ ([\d.]+)V([\d.]+)"', chart.svg if chart else ""):
                    assert _svg.TOP + 1 < float(z) < float(y) + 0.2, (summary["claim"], check["name"])


def test_nothing_is_fetched_and_anchors_lead_somewhere(page):
    tags = Tags(page.read_text(encoding="utf-8")).seen
    ids = {a["id"] for _, a in tags if "id" in a}
    assert len(ids) == len([1 for _, a in tags if "id" in a])
    for tag, attributes in tags:
        assert "src" not in attributes
        link = attributes.get("href", "#claims")
        assert link == "data:," or link.removeprefix("#") in ids, (tag, link)


def test_whatever_comes_from_a_file_is_escaped():
    claim = next(c for c in _claims.claims().values() if c.paper == "adaptive" and c.id == "adaptive.split")
    summary = json.loads(json.dumps(dict(_ledger.summaries("adaptive")["adaptive.split"])))
    evil = "<script>alert(1)</script>\"'&"
    summary["reason"], summary["verdict"], summary["device"], summary["jax"], summary["commit"] = evil, "UNDECIDED", evil, evil, evil
    for check in summary["checks"]:
        check["units"] = check["formula"] = check["reason"] = evil
        for row in [*check["rows"], *(r for f in check["falsifiers"] for r in f["rows"])]:
            row["reason"], row["cell"] = evil, {**row["cell"], evil: evil}
        for f in check["falsifiers"]:
            f["name"] = f["breaks"] = f["reason"] = evil
    text = _page.page({claim.id: summary}, {"adaptive": f"- **{evil}** `{evil}`"}, evil.replace("<", "&lt;"))
    assert "<script>alert" not in text
    Tags(text)


def test_findings_are_those_of_the_ledger(page):
    text = page.read_text(encoding="utf-8")
    for findings in _ledger.findings().values():
        for title in re.findall(r"^- \*\*([^*`&<>\"']+)\*\*", findings, re.MULTILINE):
            assert f"<strong>{' '.join(title.split())}</strong>" in text


def test_a_run_of_ones_own_is_reported_and_an_absent_one_refused(tmp_path, capsys):
    assert main(["run", "adaptive.thm6_sharp", "--out", str(tmp_path / "results")]) == 0
    assert main(["report", "--run", str(tmp_path / "results"), "--out", str(tmp_path / "page")]) == 0
    text = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert 'data-verdict="SUPPORTED"' in text
    assert "a run at preset smoke" in text
    capsys.readouterr()
    assert main(["report", "--run", str(tmp_path / "none"), "--out", str(tmp_path / "none-page")]) == 2
    assert capsys.readouterr().err.startswith("sims: ")
    assert main(["report", "--seed", "3"]) == 2
    assert not (tmp_path / "none-page").exists()


# ---- in a browser

HARNESS = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><pre id="seen"></pre><script>
const text = %s, seen = {errors: []};
const until = (frame) => new Promise((done) => { frame.onload = done; document.body.append(frame); });
const overlaps = (doc) => {
  const found = [];
  for (const card of [doc.querySelector("nav"), ...doc.querySelectorAll("article")]) {
    const rects = [];
    const walker = doc.createTreeWalker(card, 4);
    for (let node; (node = walker.nextNode());) {
      if (!node.data.trim()) continue;
      if (node.parentElement.closest("details:not([open])") && !node.parentElement.closest("summary")) continue;
      const range = doc.createRange();
      range.selectNodeContents(node);
      for (const r of range.getClientRects()) if (r.width > 1 && r.height > 1) rects.push([r, node]);
    }
    rects.sort((a, b) => a[0].top - b[0].top);
    for (let i = 0; i < rects.length; i++) for (let j = i + 1; j < rects.length && rects[j][0].top < rects[i][0].bottom - 2; j++) {
      const [a, m] = rects[i], [b, n] = rects[j];
      // A superscript belongs to the number it stands on.
      if (m.parentElement.closest("text") && m.parentElement.closest("text") === n.parentElement.closest("text")) continue;
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
        found.push(`${card.id}: ${m.data.trim().slice(0, 40)} | ${n.data.trim().slice(0, 40)}`);
    }
  }
  return found;
};
(async () => {
  for (const width of [375, 1280]) {
    const frame = document.createElement("iframe");
    frame.style.cssText = `width:${width}px;height:900px;border:0`;
    frame.srcdoc = text;
    await until(frame);
    const doc = frame.contentDocument, view = frame.contentWindow;
    for (const d of doc.querySelectorAll("details")) d.open = true;
    seen[width] = {overlaps: overlaps(doc), wide: doc.documentElement.scrollWidth, articles: doc.querySelectorAll("article").length};
    if (width !== 1280) continue;
    const form = doc.querySelector(".filters"), shown = () => [...doc.querySelectorAll("article")].filter((a) => !a.hidden);
    const choose = (name, value) => { form.elements[name].value = value; form.dispatchEvent(new view.Event("input", {bubbles: true})); };
    choose("verdict", "REFUTED");
    seen.refuted = shown().map((a) => a.id);
    seen.told = doc.getElementById("told").textContent;
    choose("verdict", ""); choose("paper", "adaptive");
    seen.adaptive = shown().length;
    choose("paper", ""); choose("provenance", "derived");
    seen.derived = shown().every((a) => a.dataset.provenance.split(" ").includes("derived")) && shown().length;
    choose("provenance", ""); choose("words", "no such words anywhere");
    seen.none = shown().length;
    seen.sections = [...doc.querySelectorAll("section[data-paper]")].filter((s) => !s.hidden).length;
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
})().catch((error) => { document.getElementById("seen").textContent = JSON.stringify({failed: String(error)}); });
</script></body></html>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; the continuous integration installs one")
def test_in_a_browser_nothing_fails_nothing_overlaps_and_the_filters_filter(page, tmp_path):
    text = json.dumps(page.read_text(encoding="utf-8")).replace("</", "<\\/")
    harness = tmp_path / "harness.html"
    harness.write_text(HARNESS.replace("%s", text, 1), encoding="utf-8")
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000", "--dump-dom", harness.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    seen = json.loads(html.unescape(re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)[1]))
    claims = list(_claims.claims().values())
    for width in ("375", "1280"):
        assert seen[width]["articles"] == len(claims)
        assert seen[width]["overlaps"] == []
        assert seen[width]["wide"] <= int(width)
    verdicts = {c.id: _ledger.summaries(c.paper)[c.id]["verdict"] for c in claims}
    refuted = [c for c, verdict in verdicts.items() if verdict == "REFUTED"]
    assert seen["refuted"] == refuted
    assert seen["told"] == f"{len(refuted)} of {len(claims)} claims shown"
    assert seen["adaptive"] == sum(c.paper == "adaptive" for c in claims)
    assert seen["derived"] == sum(any(k.provenance is _claims.Provenance.DERIVED for k in c.checks) for c in claims)
    assert (seen["none"], seen["sections"]) == (0, 0)


def test_a_claim_without_results_says_so():
    adaptive = dict(_ledger.summaries("adaptive"))
    text = _page.page({"adaptive.split": adaptive["adaptive.split"]}, {}, "a test")
    assert 'id="adaptive.naive" data-paper="adaptive" data-verdict="not run"' in text
