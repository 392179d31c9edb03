"""What holds of the whole project: theory and simulators match, budgets suffice, documents tell the truth, layers stay apart."""

import ast
import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from figures import __main__ as figures_main
from sims import __main__ as sims_main
from sims import _decide, _experiment, _ledger, _stats, _verdicts
from theory import _claims

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(p for folder in ("theory", "sims", "figures", "tests", "bench") for p in (ROOT / folder).rglob("*.py"))
DOCUMENTS = ("README.md", "paper_checks.md", "CONTRIBUTING.md", "docs/commands.md")


# --- theory and simulators


def test_every_check_and_lying_world_has_its_experiment_and_no_experiment_is_left_over():
    wanted = {name for claim in _claims.claims().values() for name in claim.experiments()}
    offered = {name for name, e in _experiment.experiments().items() if not e.exploratory}
    assert offered == wanted


def test_exploratory_experiments_belong_to_a_claim():
    assert {e.claim_id for e in _experiment.experiments().values()} <= set(_claims.claims())


def _decisions(preset):
    """Every decision of a preset: (decision, falsifier or None); bound falsifiers ride on their check's."""
    options = _decide.Options(out=Path("unused"), preset=preset)
    for claim in _claims.claims().values():
        for check in claim.checks:
            if check.untested is None:
                own, worlds = _verdicts.decisions_of(claim, check, preset, options)
                yield from ((d, None) for d in own)
                yield from ((d, name) for name, ds in worlds.items() for d in ds)


@pytest.mark.parametrize("preset", _experiment.PRESETS)
def test_judged_decisions_stay_within_the_family_that_the_level_is_made_for(preset):
    judged = [d for d, falsifier in _decisions(preset) if falsifier is None and d.experiment.simulate is not None]
    assert len(judged) <= _stats.MAX_DECISIONS


def test_default_budgets_are_a_fifth_above_the_planned_999_permille():
    short = []
    for decision, _ in _decisions("default"):
        for falsifier in (None, *decision.bound_falsifiers):
            plan = _decide.plan_of(decision.check, decision.experiment, decision.cells, falsifier, decision.options)
            if plan.get("p999", 0) * 1.2 > plan.get("max_replicates", 0):
                name = f"{decision.experiment.check}{'!' + falsifier.name if falsifier else ''} {decision.cell_of_row()}"
                short.append(f"{name}: planned {plan['p999']}, at most {plan['max_replicates']}")
    assert not short


def test_no_two_cells_share_a_random_stream():
    streams = {}
    for name, experiment in _experiment.experiments().items():
        for cell in {c for cells in experiment.cells.values() for c in cells}:
            key = f"{name} {_experiment.cell_id(cell)}"
            assert streams.setdefault(experiment.stream(cell), key) == key


def test_cells_are_frozen_dataclasses_of_plain_inputs():
    for name, experiment in _experiment.experiments().items():
        for cell in (*(c for cells in experiment.cells.values() for c in cells), *filter(None, [experiment.ask])):
            assert dataclasses.is_dataclass(cell)
            assert type(cell).__dataclass_params__.frozen, name
            assert all(isinstance(v, (int, float, str, bool, type(None))) for v in _experiment.cell_fields(cell).values()), name


def test_the_second_root_seed_differs_from_the_first_and_is_fixed():
    assert _experiment.second_seed(_experiment.LEDGER_SEED) == 265900773
    assert _experiment.LEDGER_SEED == 1411


# --- layers and files


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)


def test_theory_imports_neither_jax_nor_simulators():
    for path in (ROOT / "theory").rglob("*.py"):
        foreign = {m.split(".")[0] for m in _imports(path)} - set(sys.stdlib_module_names) - {"theory", "numpy", "scipy"}
        assert not foreign, path


def test_figures_import_neither_jax_nor_simulators():
    engine = {"sims", "sims._store", "sims._ledger", "sims._experiment"}
    for path in (ROOT / "figures").rglob("*.py"):
        for module in _imports(path):
            assert module.split(".")[0] not in ("jax", "optax"), path
            assert not module.startswith("sims") or module in engine, path


def test_files_stay_readable():
    long = [p for p in SOURCES if len(p.read_text(encoding="utf-8").splitlines()) > 620]
    assert not long
    assert not [p for p in SOURCES if p.name == "utils.py"]


# --- documents


def _commands(text):
    """Words of every `python -m sims …` and `python -m figures …` of a document, synopses aside."""
    spans = re.findall(r"`python -m (sims|figures)([^`]*)`", text) + re.findall(r"^    python -m (sims|figures)(.*)$", text, flags=re.M)
    for program, rest in spans:
        words = shlex.split(rest.split("  #")[0])
        if not any(w[0] in "[<…" or (w.isupper() and len(w) > 1) for w in words):
            yield program, words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_in_a_document_parses_and_names_what_exists(name):
    known = {*_claims.papers(), *_claims.claims()}
    for program, words in _commands((ROOT / name).read_text(encoding="utf-8")):
        if "hoeffding" in " ".join(words) or (words and words[0] in _claims.papers()):
            continue  # the guide's example, run by its own test; papers' own commands, by theirs
        if program == "figures":
            figures_main._parser().parse_args(words)
            continue
        arguments = sims_main._parser().parse_args(words) if words else None
        named = [getattr(arguments, k, None) for k in ("claim", "paper")] + list(getattr(arguments, "names", []))
        assert {n for n in named if n} <= known, words
        if getattr(arguments, "cell", None):
            (claim,) = arguments.names
            options = _decide.Options(out=Path("unused"))
            assert _verdicts.asked_decisions(_claims.claims()[claim], arguments.cell, options)


def test_the_readme_has_one_command_to_run_and_one_to_test_and_ci_runs_the_latter():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    run = re.search(r"Set up and run .*:\n\n    (.+)\n", text)[1]
    test = re.search(r"Set up and pass the tests:\n\n    (.+)\n", text)[1]
    assert run.endswith("python -m sims run")
    assert test.endswith("python -m pytest")
    assert test in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_picture_and_page_that_a_document_links_exists():
    for name in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert "://" in target or ((ROOT / name).parent / target).exists(), (name, target)


def test_every_claim_has_its_row_in_the_ledger():
    text = (ROOT / "paper_checks.md").read_text(encoding="utf-8")
    for claim in _claims.claims().values():
        assert f"| `{claim.id}`" in text
        assert claim.id in _ledger.summaries(claim.paper)


# --- the guide "check your own theorem"


def test_the_guides_example_works_as_written_and_nothing_else_is_edited(tmp_path):
    for folder in ("theory", "sims", "figures"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "png"))
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", text, flags=re.S)
    assert [name for name, _ in parts] == ["theory/hoeffding.py", "sims/hoeffding.py", "tests/test_hoeffding.py"]
    for name, code in parts:
        (tmp_path / name).write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}

    def python(*words):
        return subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_hoeffding.py")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    ran = python("-m", "sims", "run", "hoeffding")
    assert "hoeffding.mean         SUPPORTED" in ran.stdout, ran.stderr
    asked = python("-m", "sims", "run", "hoeffding.mean", "--cell", "n=100,t=0.1")
    assert "verdict   SUPPORTED" in asked.stdout, asked.stderr
    drawn = python("-m", "figures", "hoeffding", "--run", "results", "--out", "png")
    assert (tmp_path / "png" / "hoeffding.mean.coins.png").exists(), drawn.stderr
    assert "hoeffding.mean" in python("-m", "sims", "list", "hoeffding").stdout
