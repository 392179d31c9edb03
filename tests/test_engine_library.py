"""Results for programs: a cell asked from Python, stored results as arrays, CSV."""

import csv
import io
import json

import numpy as np
import pytest

import sims
from sims import _library
from sims.__main__ import main
from theory import _claims


def test_a_cell_asked_from_python_gives_evidence_and_its_replicates(tmp_path):
    """Level 1e-3."""
    evidence = sims.check("adaptive.split", n=1200, m=10, tau=0.2, beta=0.2, out=tmp_path)
    assert evidence.verdict == "SUPPORTED"
    assert evidence.cell == {"n": 1200, "m": 10, "tau": 0.2, "beta": 0.2}
    assert (evidence.claim, evidence.check, evidence.level, evidence.inside) == ("adaptive.split", "failure", 1e-3, True)
    assert evidence.replicates.shape == (evidence.num_replicates,)
    assert evidence.estimate == pytest.approx(evidence.replicates.mean())
    assert evidence.low <= evidence.estimate <= evidence.high < evidence.bound == 0.2
    assert "verdict   SUPPORTED" in str(evidence)
    again = sims.check("adaptive.split/failure", n=np.int64(1200), m=10, tau=0.2, beta=0.2, out=tmp_path)
    assert np.array_equal(again.replicates, evidence.replicates)


def test_an_exact_check_is_asked_at_its_own_cell_without_replicates():
    evidence = sims.check("adaptive.bias_pure/attained")
    assert (evidence.verdict, evidence.method, evidence.replicates.size) == ("SUPPORTED", "exact", 0)


@pytest.mark.parametrize(
    ("name", "fields", "error", "said"),
    [
        ("adaptive.nave", {}, KeyError, "no claim is called 'adaptive.nave'; did you mean adaptive.naive"),
        ("adaptive", {}, KeyError, "'adaptive' is a paper; its claims are adaptive.naive, adaptive.split"),
        ("dkw.sup", {}, KeyError, r"^no claim is called 'dkw.sup'; use_plugin\(DIR\)\?$"),
        ("adaptive.naive/ful", {}, KeyError, "no check 'ful'; it has full, lazy, slope"),
        (
            "adaptive.naive",
            {"q": 3},
            ValueError,
            r"check\('adaptive.naive'\): no field 'q'; fields are n, m, s \(numbers\) and analyst \(",
        ),
        ("adaptive.naive", {"n": 2.5}, ValueError, "n must be an integer, got '2.5'"),
        ("adaptive.naive", {"n": -1}, ValueError, "n and m must be positive integers, got n=-1"),
    ],
)
def test_a_bad_question_names_what_is_allowed_and_what_came(name, fields, error, said):
    with pytest.raises(error, match=said):
        sims.check(name, **fields)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"preset": "huge"}, "preset must be one of smoke, default, gpu, got 'huge'"),
        ({"seed": -1}, "seed must be an integer from 0 to 2147483647, got -1"),
        ({"seed": 1.5}, "seed must be an integer from 0 to 2147483647, got 1.5"),
        ({"max_replicates": 0}, "max_replicates must be a positive integer, got 0"),
    ],
)
def test_a_bad_argument_is_refused_as_on_the_command_line(tmp_path, arguments, said):
    with pytest.raises(ValueError, match=said):
        sims.run("adaptive.split", out=tmp_path, **arguments)
    if "preset" not in arguments:
        with pytest.raises(ValueError, match=said):
            sims.check("adaptive.split", out=tmp_path, **arguments)
    if "max_replicates" not in arguments:
        with pytest.raises(ValueError, match=said):
            sims.load("adaptive.split", out=tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_claim_or_names_several_checks_says_which_there_are(tmp_path):
    with pytest.raises(KeyError, match=r"did you mean adaptive\.split"):
        sims.run("adaptive.spli", out=tmp_path)
    with pytest.raises(ValueError, match=r"a whole claim, 'adaptive\.naive', got 'adaptive.naive/full'"):
        sims.run("adaptive.naive/full", out=tmp_path)
    with pytest.raises(KeyError, match="no claim is called 'nosuch'"):
        sims.load("nosuch")
    with pytest.raises(KeyError, match=r"several checks, name one of adaptive.naive/full, adaptive.naive/lazy, adaptive.naive/slope"):
        sims.load("adaptive.naive")
    assert sims.load("adaptive.split").check == "adaptive.split/failure"  # the only one


def test_stored_results_are_arrays_along_the_fields_that_vary():
    table = sims.load("adaptive.naive/full")
    assert list(table.axes) == ["n", "m", "analyst"]
    assert table.fixed == {"s": 0.0}
    assert table.estimate.shape == tuple(len(v) for v in table.axes.values()) == table.verdict.shape
    i, j = list(table.axes["n"]).index(1000), list(table.axes["m"]).index(1000)
    k = list(table.axes["analyst"]).index("linear")
    assert table.low[i, j, k] <= table.estimate[i, j, k] <= table.high[i, j, k]
    assert table.verdict[i, j, k] == "SUPPORTED"
    assert np.array_equal(np.isnan(table.estimate), table.verdict == "")


def test_grid_points_of_a_rate_and_cases_of_an_exact_check_are_places_too():
    rate = sims.load("adaptive.naive/slope")
    assert list(rate.axes) == ["n"]
    assert np.all(np.diff(rate.estimate) > 0)
    assert np.all((rate.low < rate.estimate) & (rate.estimate < rate.high))
    exact = sims.load("adaptive.bias_pure/upper")
    assert exact.estimate.size == len(next(iter(exact.axes.values())))
    assert np.all(exact.estimate <= exact.bound + 1e-12)


def test_rows_of_a_falsifier_and_of_a_run_of_ones_own(tmp_path):
    wrong = sims.load("adaptive.split/failure", falsifier=_claims.claims()["adaptive.split"].check("failure").falsifiers[0].name)
    assert set(wrong.verdict.ravel()) <= {"REFUTED", ""}
    with pytest.raises(KeyError, match="has the falsifiers"):
        sims.load("adaptive.split/failure", falsifier="none such")
    with pytest.raises(LookupError, match=r"holds no smoke results of adaptive\.split"):
        sims.load("adaptive.split", out=tmp_path, preset="smoke")


def test_cells_on_no_grid_are_cases_with_coordinates():
    places = [{"fields": {"a": i, "b": -i * i}, "verdict": "", **dict.fromkeys(_library._COLUMNS, float(i))} for i in range(9)]
    table = _library._table("x", places)
    assert list(table.axes) == ["case"]
    assert np.array_equal(table.coordinates["b"], [-i * i for i in range(9)])
    assert np.array_equal(table.estimate, np.arange(9.0))


def test_csv_has_the_rows_of_json(capsys):
    assert main(["export", "adaptive.naive"]) == 0
    text = capsys.readouterr().out
    assert main(["show", "adaptive.naive", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(read) == len(rows)
    for got, row in zip(read, rows, strict=True):
        assert got["experiment"] == row["experiment"]
        assert json.loads(got["cell"]) == row["cell"]
        assert float(got["estimate"]) == row["estimate"]
        assert float(got["cell.s"]) == row["cell"]["s"]
    assert main(["export", "adaptive.naive", "--seed", "3"]) == 2
    assert capsys.readouterr().err == "sims: --seed names a run of yours: name its --preset too\n"
