"""The default figure of a check: the layout that its data ask for, every mark on the axis it belongs to, and all of it explained."""

import math
import os
import subprocess
import sys

import matplotlib
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from figures import _plots, _plots_marks, _plots_text, _plots_words, _series, _svg
from sims import _ledger
from sims.__main__ import main
from theory import _claims


def row(cell, estimate, bound, **fields):
    return {
        "cell": cell, "estimate": estimate, "low": max(0.0, estimate - 0.01), "high": estimate + 0.01, "bound": bound, "margin": None,
        "trivial": None, "verdict": "SUPPORTED", "num_replicates": 56, "level": 1e-6, "asymptotic": False, "points": [], **fields,
    }  # fmt: skip


def lie(rows, kind="bound", name="lie", **fields):
    return {"name": name, "breaks": "a premise", "kind": kind, "verdict": "REFUTED", "reason": "", "rows": rows, **fields}


def check_of(rows, lies=(), relation="UPPER", **fields):
    return {
        "name": "full", "relation": relation, "formula": "E x <= 2 sigma", "units": "", "verdict": "SUPPORTED", "rows": rows,
        "falsifiers": list(lies), **fields,
    }  # fmt: skip


def exact(cases, lies=(), cell=None, **fields):
    """A check of one EXACT row, an identity; every case is (label, estimate, bound)."""
    points = [{"label": label, "estimate": estimate, "bound": bound} for label, estimate, bound in cases]
    worst = max(abs(p["estimate"]) for p in points)
    of = row(cell or {"n": 4}, worst, 0.0, low=worst, high=worst, slack=1e-9 / worst, points=points, num_replicates=len(points))
    wrong = [lie([{**of, "points": [{"label": "a", **point}]}], kind, name) for name, kind, point in lies]
    return check_of([of], wrong, "EXACT", formula="left = right", **fields)


@pytest.fixture
def drawn():
    figures = []

    def draw(check, statement="A statement."):
        with plt.style.context(_plots.STYLE):
            figures.append(_plots.draw_check("paper.claim", statement, check))
            figures[-1].canvas.draw()
        return figures[-1]

    yield draw
    for fig in figures:
        plt.close(fig)


def ledger(name):
    claim, check = name.split("/")
    return next(c for c in _ledger.summaries(claim.split(".")[0])[claim]["checks"] if c["name"] == check)


def entries(fig):
    return [" ".join(t.get_text().split()) for t in fig.legends[0].get_texts()]


def vermilion(ax):
    return [line for line in ax.lines if line.get_color() == _plots.FALSIFIER and line.get_marker() not in ("None", "|")]


# ---- layouts


@pytest.mark.parametrize(
    ("name", "kind", "axis", "panels", "relative"),
    [
        ("adaptive.naive/full", "lines", "m", 6, False),
        ("halfspaces.lem4.3x/component", "lines", "share", 3, False),  # twelve groups: a panel a kernel
        ("adaptive.thm19/information", "lines", "p", 2, True),  # bounds over decades, ratios near 1
        ("adaptive.lem24/n1-repaired", "rows", None, 5, True),  # tau and beta change together: no axis
        ("molrg.thm2ii/worst", "rows", None, 8, False),  # the realised noise is an outcome
        ("invariance.L5/ratio", "rows", None, 4, False),
        ("molrg.sampler/frequencies", "rows", None, 3, False),  # components are only numbered
        ("moe.antipodal/survive", "rows", None, 14, False),
        ("invariance.L2/attained", "rows", None, 8, True),  # strips of ten graphs a cell
        ("invariance.L1/recursion", "rows", None, 6, False),
        ("adaptive.thm6/transfer", "ratio", None, None, True),
        ("moe.thm4/linear", "rate", "n", None, False),
        ("molrg.fig4/pca", "phase", "N", 2, False),
    ],
)
def test_the_data_choose_the_layout(name, kind, axis, panels, relative):
    picture = _series.picture_of(ledger(name))
    assert (picture.kind, picture.axis, picture.relative) == (kind, axis, relative)
    if panels is not None:
        assert len(_series.rows_of(picture) if kind == "rows" else _series.panels_of(picture)) == panels


def test_every_panel_has_its_own_bound_and_falsifiers(drawn):
    rows = [row({"d": d, "n": n}, 0.1 * d, 0.2 * d) for d in (1, 2) for n in (10, 20, 30)]
    fig = drawn(check_of(rows, [lie([row({"d": 2, "n": 20}, 0.2, 0.15)])]))
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["d = 1", "d = 2"]
    bounds = [next(line for line in ax.lines if line.get_linestyle() == "--") for ax in fig.axes]
    assert [set(line.get_ydata()) for line in bounds] == [{0.2}, {0.4}]
    assert all(line.get_zorder() > 3 and line.get_color() == "k" for line in bounds)
    assert not vermilion(fig.axes[0])
    assert [tuple(line.get_xydata()[0]) for line in vermilion(fig.axes[1])] == [(20, 0.15)]


def test_a_falsifier_with_no_row_of_its_own_gets_one_at_the_bottom(drawn):
    own = [("a", 1.0, 2.0), ("b", 1.5, 2.0)]
    check = exact(own)
    check["falsifiers"] = [lie([{**check["rows"][0], "points": [{"label": "c", "estimate": 3.0, "bound": 2.0}]}], "world")]
    fig = drawn(check)
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["a", "b", "c"]
    (cross,) = vermilion(fig.axes[0])
    assert cross.get_xdata()[0] == 3.0
    assert 1.5 < cross.get_ydata()[0] < 2.5


def test_an_identity_is_drawn_as_residuals_below_its_tolerance(drawn):
    check = exact([("a", 1e-14, 0.0), ("b", -3e-13, 0.0)], [("half", "world", {"estimate": 0.5, "bound": 0.0})])
    fig = drawn(check)
    (ax,) = fig.axes
    assert ax.get_xscale() == "log"
    assert sorted(line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o") == [1e-14, 3e-13]
    assert any(math.isclose(line.get_xdata()[0], 1e-9, rel_tol=1e-6) for line in ax.lines if line.get_linestyle() == "--")
    assert "tolerance 10⁻⁹; the hatched side is forbidden" in entries(fig)
    assert "tolerance 10⁻⁹" in "".join(text for _, text in _svg.chart_of(check, "").legend)


def test_threshold_of_a_phase_is_a_place_on_the_x_axis(drawn):
    rows = [row({"n": 4}, 0.0, 7.0, margin=2.0), row({"n": 10}, 1.0, 7.0, margin=2.0)]
    fig = drawn(check_of(rows, [lie([row({"n": 10}, 1.0, 12.0)])], "PHASE"))
    (ax,) = fig.axes
    vertical = {
        line.get_color(): line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    }
    assert vertical == {"k": 7.0, _plots.FALSIFIER: 12.0}


def test_a_rate_shows_its_window_the_wrong_one_and_the_fitted_slope(drawn):
    fig = drawn(ledger("moe.thm4/linear"))
    text = "\n".join(entries(fig))
    assert "window declared for the slope: [−0.75, −0.35], through the data's centre: the height is fitted, not predicted" in text
    assert "fitted slope −0.519 in [−0.682, −0.357]" in text
    assert "probability ≤ 10⁻⁶" in text
    dotted = [line for line in fig.axes[0].lines if line.get_color() == _plots.FALSIFIER and line.get_linestyle() == ":"]
    assert len(dotted) == 3  # two edges of the wrong window, and the world's curve


# ---- axes


def test_zero_has_a_place_of_its_own_on_a_log_axis(drawn):
    rows = [row({"d": d}, 0.0, 0.05, low=0.0, high=0.05) for d in (2, 5)]
    fig = drawn(check_of(rows, [lie([row({"d": 2}, 1.0, 0.05)], "world")], "TAIL"))
    (ax,) = fig.axes
    assert ax.get_xscale() == "log"
    assert ax.get_xticklabels()[0].get_text() == "0"
    marks = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert marks == [ax.get_xticks()[0]] * 2


def test_a_wrong_value_far_away_stands_at_the_edge_with_an_arrow_and_its_number(drawn):
    rows = [row({"n": n}, -0.01, 0.02, low=-0.02, high=0.0) for n in (4, 8)]
    fig = drawn(check_of(rows, [lie([row({"n": 4}, 0.0, 1000.0)])]))
    assert fig.axes[0].get_xlim()[1] < 1
    assert [t.get_text() for t in fig.axes[0].texts] == ["1,000 →"]


def test_scales():
    assert _series.scale_of([0.001, 0.2], [], [0.5]).kind == "log"
    assert _series.scale_of([0.001, 0.2], [], [-0.5]).kind == "symlog"
    assert _series.scale_of([0.75, 0.9], [], [0.05]).kind == "linear"  # a wrong value below squeezes nothing
    far = _series.scale_of([-1.0, 1.0], [], [1000.0])
    assert (far.kind, far.outside(1000.0), far.outside(1.0)) == ("linear", 1, 0)
    assert _series.scale_of([-14.0, -8.0], [], []).outside(-14.0) == 0
    deep = _series.scale_of([1e-300, 0.1], [], [])
    assert deep.outside(1e-300) == -1  # a probability of 1e-300 does not squeeze the rest
    assert all(1e-3 <= v <= 1 for v in _series.log_ticks(1e-3, 1, 5))
    assert len(_series.log_ticks(0.4, 0.9, 5)) >= 2


# ---- words


def test_plain_text_mathematics_gets_its_signs():
    assert _series.pretty("P[x >= tau] <= 3 sqrt(beta) +- eps, n^2/2, 1e-9") == "P[x ≥ τ] ≤ 3 √(β) ± ε, n²/2, 10⁻⁹"
    assert _series.pretty("sigma_e, d_beta1, ||E||_F, e^-kappa, -.5") == "σ_e, d_β1, ‖E‖_F, e^−κ, −.5"
    assert _series.pretty("etaoin, a random-start, n-1") == "etaoin, a random-start, n-1"
    assert [_series.number(v) for v in (4000, 0.05, 1e-9, 3.2e-7, math.inf)] == ["4,000", "0.05", "10⁻⁹", "3.2·10⁻⁷", "∞"]


def test_every_field_of_a_cell_has_a_word_or_is_a_symbol():
    fields = {
        (k, claim.split(".")[0])
        for paper in _claims.papers()
        for claim, summary in _ledger.summaries(paper).items()
        for check in summary["checks"]
        for r in check["rows"]
        for k in r["cell"]
    }
    bare = _plots_words._BARE | {field for field, _ in _plots_words._VALUES}
    unknown = [k for k, paper in fields if k not in bare and not {k, f"{paper} {k}"} & set(_plots_words._FIELDS)]
    assert unknown == []


def test_the_title_is_the_verdict_as_the_command_line_words_it(capsys):
    for name in ("adaptive.fig2/full", "adaptive.fig3/fresh", "moe.thm4/linear", "adaptive.lem24/n1-from-proof"):
        assert main(["show", name.split("/")[0]]) == 0
        shown = capsys.readouterr().out.split(f"\ncheck {name.split('/')[1]}:")[1].split("\ncheck ")[0]
        word = next(line.split(None, 1)[1] for line in shown.splitlines() if line.startswith("  verdict"))
        title = _plots_text.title_of(name.split("/")[0], ledger(name))
        assert title == f"{name}: {word.split(' (tau=')[0]}"
        assert _plots_text.provenance_text(ledger(name)) in shown


def test_a_figure_can_be_read_without_its_script(drawn):
    statement = "A claim of sigma, " + "whole, " * 80 + "to its end."
    fig = drawn(check_of([row({"n": 1000, "beta": b}, 0.1, 0.2) for b in (0.05, 0.1)], provenance="recalled"), statement)
    text = " ".join(" ".join(t.get_text().split()) for t in fig.texts)
    assert "paper.claim/full: SUPPORTED; as recalled, not checked against the paper" in text
    assert "E x ≤ 2 σ" in text
    assert "all: n = 1,000" in text
    assert text.endswith("to its end.")
    (bars,) = (t for t in entries(fig) if t.startswith("bars: "))
    assert "misses its mean with probability ≤ 10⁻⁶" in bars
    assert "stops once the verdict is sure" in bars
    assert bars.endswith("56 replicates")


def test_exact_values_are_no_estimates_and_falsifiers_are_wrong_on_purpose(drawn):
    fig = drawn(exact([("a", 4.0, 4.0), ("b", 4.1, 4.1)], [("half", "bound", {"estimate": 4.0, "bound": 2.0})]))
    assert entries(fig) == [
        "exact value: no sampling, no bars; 2 cases", "predicted value; tolerance 10⁻⁹ of it, too narrow to be seen",
        "wrong on purpose, and refuted: a premise",
    ]  # fmt: skip
    assert not [line for line in fig.axes[0].lines if line.get_marker() == "|"]
    legend = " ".join(text for _, text in _svg.chart_of(ledger("adaptive.naive/full"), "").legend)
    assert "wrong on purpose, and refuted: the sign analyst's gap" in legend
    assert "lying world" not in legend


def test_a_declared_margin_is_drawn_in_rows_too(drawn):
    fig = drawn(check_of([row({"n": 4}, 1.0, 1.0, margin=0.05)], relation="EQUAL"))
    (box,) = (p for p in fig.axes[0].patches if math.isclose(p.get_width(), 0.1))
    assert math.isclose(box.get_x(), 0.95)
    assert "declared margin around the prediction: the whole bar must lie inside" in entries(fig)


def test_counts_say_how_many_were_evaluated():
    def said(name):
        return _plots_text.counts_text(_series.picture_of(ledger(name)))

    assert said("molrg.thm1/affine") == "the 2 worst of 20 cases; a case is the worst of 10 bases"
    assert said("adaptive.cor22/constant") == "the 2 of 51 cases closest to the bound"
    assert said("adaptive.thm6/transfer") == "172 cases"  # 218 are stored, 46 of them vacuous


# ---- vacuous cells


def test_vacuous_cells_are_seen_and_named(drawn):
    silent = {"estimate": None, "low": None, "high": None, "num_replicates": 0, "verdict": "VACUOUS"}
    fig = drawn(check_of([{**row({"n": 2}, 0.0, 1.5), **silent}, row({"n": 4}, 0.1, 0.4)]))
    assert "1 vacuous cell (n = 2), not judged: the bound is no better than the trivial value" in entries(fig)
    assert [line.get_ydata()[0] for line in fig.axes[0].lines if line.get_markerfacecolor() == "none"] == [0.0]
    assert next(t for t in entries(fig) if t.startswith("bars")).endswith("56 replicates")
    for name, count in (("adaptive.thm6/transfer", 46), ("verification.emp_hetero/cap", 17), ("molrg.thm2i/gaussian", 12)):
        picture = _series.picture_of(ledger(name))
        assert _plots_text.vacuous_text(picture).startswith(f"{count} vacuous")
        assert any(kind == "vacuous" for kind, _ in _svg.chart_of(ledger(name), "").legend)


# ---- what is drawn, in ink


@pytest.mark.parametrize(
    "name",
    [
        "adaptive.naive/full", "adaptive.thm6/transfer", "moe.thm4/linear", "molrg.fig4/pca", "invariance.L2/attained",
        "adaptive.jung/failure", "molrg.rv/tail", "verification.lem2/bound",
    ],
)  # fmt: skip
def test_no_text_is_cut_or_lies_on_another(name, drawn):
    fig = drawn(ledger(name), _claims.claims()[name.split("/")[0]].statement)
    renderer, page = fig.canvas.get_renderer(), fig.bbox
    legend = fig.legends[0].get_window_extent(renderer)
    boxes = [t.get_window_extent(renderer) for t in fig.texts] + [legend]
    axes = [ax.get_tightbbox(renderer) for ax in fig.axes if ax.get_visible()]
    for box in [*boxes, *axes]:
        assert page.x0 - 1 <= box.x0
        assert box.x1 <= page.x1 + 1
        assert page.y0 - 1 <= box.y0
        assert box.y1 <= page.y1 + 1
    for i, box in enumerate(boxes):
        assert not any(box.padded(-1).overlaps(other.padded(-1)) for other in [*boxes[:i], *axes])


def test_the_same_summary_gives_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        with plt.style.context(_plots.STYLE):
            _plots.save(_plots.draw_check("adaptive.jung", "A statement.", ledger("adaptive.jung/failure")), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_legend_marks_are_those_of_the_picture(drawn):
    fig = drawn(ledger("adaptive.fig3/fresh"))
    samples = {(line.get_marker(), line.get_color()) for line in fig.legends[0].get_lines()}
    (ax,) = fig.axes
    seen = {(line.get_marker(), line.get_color()) for line in ax.lines}
    assert samples - {("|", "k")} <= seen  # the bound is a stroke, whose sample is a mark
    assert _plots_marks.FALSIFIER in {color for _, color in samples}


# ---- the command


def figures(*words, **options):
    done = subprocess.run([sys.executable, "-m", "figures", *map(str, words)], capture_output=True, text=True, timeout=120, **options)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["jl.norm", "--plugin", "examples"], 2, "figures: jl.norm has no results in the ledger; draw a run of yours with --run DIR\n"),
        (["adaptive.naive", "--run", "/nothere"], 2, "figures: there is no folder /nothere\n"),
        (["adaptive.naive", "--preset", "smoke"], 2, "figures: --preset names a run of yours: name its folder with --run too\n"),
        (["adaptive.naive", "--seed", "1"], 2, "figures: --seed names a run of yours: name its folder with --run too\n"),
        (["adaptive.nave"], 2, "figures: nothing is called 'adaptive.nave'; did you mean adaptive.naive"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(words, status, sentence, request):
    done = figures(*words, cwd=request.config.rootpath)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(sentence)


def test_a_folder_that_cannot_be_written_is_a_failure_of_the_machine(tmp_path, request):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = figures("adaptive.naive/lazy", "--out", tmp_path / "file" / "png", cwd=request.config.rootpath)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("figures: cannot write ")


def test_a_reader_who_has_seen_enough_is_no_error(request):
    command = f'"{sys.executable}" -m figures --list | head -n 1'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, cwd=request.config.rootpath)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


@pytest.mark.slow  # two runs in processes of their own
def test_a_plugins_claims_are_drawn_beside_it_and_skipped_without_it(tmp_path, request):
    root, results = request.config.rootpath, tmp_path / "results"
    for claim in ("jl.norm", "adaptive.split"):
        words = [sys.executable, "-m", "sims", "--plugin", "examples", "run", claim, "--out", str(results)]
        assert subprocess.run(words, capture_output=True, cwd=root, timeout=240).returncode == 0
    without = figures("--run", results, "--list", cwd=root)
    assert (without.returncode, without.stderr) == (0, "figures: not known here: jl.norm; pass --plugin DIR\n")
    assert "adaptive.split/" in without.stdout
    path = {**os.environ, "PYTHONPATH": str(root)}
    given = figures("jl.norm", "--plugin", root / "examples", "--run", results, cwd=tmp_path, env=path)
    assert given.stdout.startswith("png/jl.norm.")
    assert not list((root / "figures" / "png").glob("jl.norm*"))
