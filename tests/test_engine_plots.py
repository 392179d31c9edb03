"""The default figure of a check puts what it draws on the axis it belongs to."""

import math
import os
import subprocess
import sys

import matplotlib
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from figures import _plots, _series, _svg


def row(n, estimate, bound, falsifier=None):
    return {
        "cell": {"n": n}, "estimate": estimate, "low": max(0.0, estimate - 0.2), "high": min(1.0, estimate + 0.2), "bound": bound,
        "margin": 2.0, "trivial": None, "verdict": "SUPPORTED", "num_replicates": 56, "level": 1e-6, "points": [], "falsifier": falsifier,
    }  # fmt: skip


def test_threshold_of_a_phase_is_a_place_on_the_x_axis():
    rows = [row(4, 0.0, 7.0), row(10, 1.0, 7.0)]
    later = {"name": "later", "breaks": "later", "kind": "bound", "verdict": "REFUTED", "rows": [row(10, 1.0, 12.0, "later")]}
    check = {
        "name": "phase", "relation": "PHASE", "formula": "common from 7 on", "units": "share", "verdict": "SUPPORTED", "rows": rows,
        "falsifiers": [later],
    }  # fmt: skip
    fig = _plots.draw_check("paper.claim", "A statement.", check)
    (ax,) = fig.axes
    vertical = {
        line.get_color(): line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    }
    assert vertical == {"k": 7.0, _plots.FALSIFIER: 12.0}
    assert max(y for line in ax.lines for y in line.get_ydata() if math.isfinite(y)) <= 1
    plt.close(fig)


def exact(cases, falsifiers=(), **fields):
    """A check of one EXACT row; every case is (label, estimate, bound)."""
    points = [{"label": label, "estimate": estimate, "bound": bound} for label, estimate, bound in cases]
    worst = max(abs(p["estimate"]) for p in points)
    of = {**row(4, worst, 0.0), "low": worst, "high": worst, "slack": 1e-9 / worst, "points": points}
    lies = [
        {"name": name, "breaks": name, "kind": kind, "verdict": "REFUTED", "rows": [{**of, "points": [{"label": "a", **point}]}]}
        for name, kind, point in falsifiers
    ]
    return {
        "name": "full", "relation": "EXACT", "formula": "left = right", "units": "", "verdict": "SUPPORTED", "rows": [of],
        "falsifiers": lies, **fields,
    }  # fmt: skip


def drawn(check):
    fig = _plots.draw_check("paper.claim", "A statement.", check)
    fig.canvas.draw()
    return fig


def test_an_identity_is_drawn_as_residuals_below_its_tolerance():
    check = exact([("a", 1e-14, 0.0), ("b", -3e-13, 0.0)], [("half", "world", {"estimate": 0.5, "bound": 0.0})])
    fig = drawn(check)
    (ax,) = fig.axes
    assert ax.get_yscale() == "log"
    assert sorted(y for line in ax.lines for y in line.get_ydata() if y < 1e-9) == [1e-14, 3e-13]
    assert any(math.isclose(line.get_ydata()[0], 1e-9, rel_tol=1e-6) for line in ax.lines)  # the tolerance
    plt.close(fig)
    assert "tolerance 1e-09" in "".join(text for _, text in _svg.chart_of(check, "").legend)


def test_cases_of_one_cell_have_different_names():
    fig = drawn(exact([("draw 0", 4.0, 4.0), ("draw 1", 4.0, 4.0)]))
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()] == ["draw 0", "draw 1"]
    plt.close(fig)


def run_of(n, estimate, bound, **fields):
    return {**row(n, estimate, bound), "low": estimate, "high": estimate, **fields}


def check_of(rows, lies, relation="UPPER"):
    wrong = {"name": "lie", "breaks": "a premise", "kind": "bound", "verdict": "REFUTED", "rows": lies}
    return {"name": "full", "relation": relation, "formula": "f", "units": "", "verdict": "SUPPORTED", "rows": rows, "falsifiers": [wrong]}


def test_whatever_the_legend_names_is_seen():
    rows = [run_of(4, 0.001, 0.002), run_of(8, 0.1, 0.2)]  # a log axis by itself
    for wrong, scale in ((0.5, "log"), (-0.5, "symlog")):
        fig = drawn(check_of(rows, [run_of(2, 0.1, wrong)]))
        (ax,) = fig.axes
        assert ax.get_yscale() == scale
        low, high = ax.get_ylim()
        assert low < wrong < high
        assert ax.get_xlim()[0] < 2
        plt.close(fig)


def test_a_wrong_value_far_away_stands_at_the_edge_and_says_so():
    fig = drawn(check_of([run_of(4, 0.0, 1.0), run_of(8, 0.2, 1.2)], [run_of(4, 0.0, 1000.0)]))
    (ax,) = fig.axes
    assert ax.get_ylim()[1] < 2
    assert any("beyond the axis, drawn at its edge: 1000" in label for label in ax.get_legend_handles_labels()[1])
    plt.close(fig)


def test_numbers_in_names_are_sorted_as_numbers():
    points = [{"cell": {"n": n, "d": d}, "estimate": 1.0} for d in (32, 4, 128, 8) for n in (1, 2)]
    assert list(_series.groups_of(points, "n")) == ["d=4", "d=8", "d=32", "d=128"]


def test_replicates_are_those_of_cells_that_are_shown():
    vacuous = {**run_of(2, 0.0, 1.0), "estimate": None, "num_replicates": 0, "verdict": "VACUOUS"}
    assert _series.replicates(check_of([vacuous, run_of(4, 0.1, 1.0)], [])) == "56"


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
