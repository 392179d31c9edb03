"""The repository agrees with itself: claims with experiments, plans with budgets, documents with commands, layers with imports.

The README's example of a paper of one's own is written into a copy of the tree and run there, as a reader would.
"""

import ast
import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sims import _decide, _experiment, _ledger, _stats, _verdicts
from sims.__main__ import _parser
from theory import _claims

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "paper_checks.md", "docs/commands.md", "docs/scale.md", "docs/tutorial.md", "CONTRIBUTING.md")
EXAMPLE = "hoeffding"  # the README's paper of one's own
PATIENCE = 120


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def sources(*folders):
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py"))


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory):
    """Processes share their compiled programs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "compiled"))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


# ---- claims and experiments


def judged(preset):
    """(claim, check, its decisions, those of its lying worlds) at a preset."""
    options = _decide.Options(out=Path("nowhere"), preset=preset)
    for claim in _claims.claims().values():
        for check in claim.checks:
            if check.untested is None:
                own, worlds = _verdicts.decisions_of(claim, check, preset, options)
                yield claim, check, own, [d for decisions in worlds.values() for d in decisions]


def test_every_claim_has_its_experiments_and_every_experiment_its_claim():
    asked = {name for claim in _claims.claims().values() for name in claim.experiments()}
    offered = {name for name, e in _experiment.experiments().items() if not e.exploratory}
    assert asked == offered
    assert {e.claim_id for e in _experiment.experiments().values()} <= set(_claims.claims())


def test_a_check_judged_by_t_has_room_for_the_guard_on_its_skewness():
    """At 96 replicates the skewness of a sample of normal numbers exceeds what the guard allows once in twenty times, at 256 never."""
    for name, e in _experiment.experiments().items():
        checks = [c for c in _claims.claims()[e.claim_id].checks if c.name == e.check_name and c.method in ("t", "rows")]
        if checks and e.simulate is not None:
            assert all(most >= 256 for preset, most in e.max_replicates.items() if e.cells.get(preset)), name


def test_every_check_can_be_decided_at_some_preset():
    decided = {f"{claim.id}/{check.name}" for p in _experiment.PRESETS for claim, check, own, _ in judged(p) if own}
    assert decided == {f"{c.id}/{check.name}" for c in _claims.claims().values() for check in c.checks if check.untested is None}


@pytest.mark.parametrize("preset", _experiment.PRESETS)
def test_a_preset_makes_no_more_decisions_than_its_error_was_divided_by(preset):
    # an EXACT row is arithmetic: nothing is drawn, its level is 0, and it takes no share of the error
    count = sum(len(own) for _, check, own, _ in judged(preset) if check.relation is not _claims.Relation.EXACT)
    assert 0 < count <= _stats.MAX_DECISIONS


def test_budgets_exceed_what_is_planned_for_all_but_one_run_in_a_thousand():
    planned, short = 0, []
    for _, check, own, worlds in judged("default"):
        for decision in [*own, *worlds]:
            for falsifier in (None, *decision.bound_falsifiers):
                plan = _decide.plan_of(check, decision.experiment, decision.cells, falsifier, decision.options)
                if "p999" not in plan:
                    continue
                planned += 1
                if not plan["max_replicates"] >= 1.2 * plan["p999"]:
                    name = f"{decision.experiment.check}{'!' + falsifier.name if falsifier else ''}"
                    short.append(f"{name} {decision.attempt_id()}: {plan['max_replicates']} < 1.2 x {plan['p999']:.0f}")
    assert planned
    assert short == []


def test_no_two_cells_share_a_random_stream():
    streams = {}
    for e in _experiment.experiments().values():
        for cell in {c for p in _experiment.PRESETS for c in e.cells.get(p, ())} | ({e.ask} - {None}):
            streams.setdefault((e.check, _experiment.cell_id(cell)), set()).add((e.stream(cell), cell))
    assert [name for name, seen in streams.items() if len(seen) > 1] == []  # one name, two cells
    counts = Counter(stream for seen in streams.values() for stream, _ in seen)
    assert len(counts) == len(streams)
    assert len({_experiment.LEDGER_SEED, _experiment.second_seed(_experiment.LEDGER_SEED)}) == 2


def test_cells_are_frozen_and_hashable_and_differ_in_name():
    for e in _experiment.experiments().values():
        for preset in _experiment.PRESETS:
            cells = e.cells.get(preset, ())
            assert len({_experiment.cell_id(c) for c in cells}) == len(cells)
            for cell in cells:
                assert dataclasses.is_dataclass(cell)
                assert type(cell).__dataclass_params__.frozen
                assert isinstance(hash(cell), int)


def test_declared_cells_pass_their_own_validation():
    for e in _experiment.experiments().values():
        for cell in {c for p in _experiment.PRESETS for c in e.cells.get(p, ())} | ({e.ask} - {None}):
            if e.validate is not None:
                e.validate(cell)


# ---- commands that documents name


def commands_in(text):
    """Every command line of a document: of indented blocks, and of code inside sentences, which may be broken by a line end."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    blocks = [line for line in text.splitlines() if line.startswith("    ")]
    found = [part for line in blocks for part in line.split("  #")[0].split("&&")]
    found += re.findall(r"`([^`]+)`", "\n".join(line for line in text.splitlines() if not line.startswith("    ")))
    return [" ".join(c.split()) for c in found if re.search(r"python -m (sims|figures)\b", c)]


def is_pattern(command):
    """Whether it shows a form ("run [PAPER|CLAIM …]") and is not to be typed."""
    return bool(re.search(r"COMMAND|\[|…", command))


def words_of(command):
    module, rest = re.search(r"python -m (sims|figures)\b(.*)", command).groups()
    for placeholder, name in (("<claim>", "adaptive.naive"), ("CLAIM", "adaptive.naive"), ("PAPER", "adaptive")):
        rest = rest.replace(placeholder, name)
    return module, rest.removesuffix(" &").split(" > ")[0].split()


ALL_COMMANDS = sorted({(name, c) for name in DOCUMENTS for c in commands_in(text_of(name)) if not is_pattern(c)})


def test_documents_name_commands():
    assert {name for name, _ in ALL_COMMANDS} >= {"README.md", "paper_checks.md", "CONTRIBUTING.md"}
    assert len(ALL_COMMANDS) > 15


@pytest.mark.parametrize(("document", "command"), ALL_COMMANDS)
def test_a_command_in_a_document_parses_and_names_what_there_is(document, command):
    known = {*_claims.papers(), *_claims.claims()}
    example = {EXAMPLE, f"{EXAMPLE}.mean"} if document == "README.md" else set()
    module, words = words_of(command)
    if module == "figures":
        from figures.__main__ import _figures, _summaries
        from figures.__main__ import _parser as figures_parser

        arguments = figures_parser().parse_args(words)
        drawn = arguments.names and arguments.run is None  # a run of a reader's own is not here
        names = {name for name, _ in _figures(_summaries(arguments))} if drawn else set()
        assert set(arguments.names) <= known | names | example
        return
    if words and words[0] in _claims.papers():  # a paper's own command
        from importlib import import_module

        assert words[1] == "--help" or words[1] in import_module(f"theory.{words[0]}").COMMANDS
        return
    arguments = _parser().parse_args(words)
    if arguments.command == "list":
        assert arguments.paper in {None, *_claims.papers(), EXAMPLE}
    elif arguments.command == "show":
        assert arguments.claim in _claims.claims()
    elif arguments.command == "run":
        assert set(arguments.names) <= known | example
        if arguments.cell is not None and not set(arguments.names) & example:
            options = _decide.Options(out=Path("nowhere"), alpha=_stats.ALPHA_USER)
            assert _verdicts.asked_decisions(_claims.claims()[arguments.names[0]], arguments.cell, options)


def test_every_command_and_every_flag_of_run_is_documented():
    text = text_of("docs/commands.md")
    parsers = next(a for a in _parser()._actions if a.dest == "command").choices
    table = re.search(r"\| Command \| Does \|\n((?:\|.*\n)+)", text)[1]
    assert set(re.findall(r"^\| `([a-z]+)", table, re.MULTILINE)) == set(parsers)
    flags = {o for a in parsers["run"]._actions for o in a.option_strings} - {"-h", "--help", "--verbose"}
    table = re.search(r"## Flags of `run`\n\n((?:\|.*\n)+)", text)[1]
    assert set(re.findall(r"^\| `(-[a-z-]+)", table, re.MULTILINE)) == flags


def test_the_readme_sets_up_and_runs_or_tests_in_one_command_each_and_ci_runs_the_latter():
    readme = text_of("README.md")
    (run,) = re.findall(r"^Set up and run every claim at smoke size.*:\n\n((?:    .*\n)+)", readme, re.MULTILINE)
    (test,) = re.findall(r"^Set up and pass the tests:\n\n((?:    .*\n)+)", readme, re.MULTILINE)
    for command, end in ((run, "-m sims run"), (test, "-m pytest")):
        assert command.count("\n") == 1
        assert command.strip().startswith("python3 -m venv ")
        assert command.strip().endswith(end)
    assert test.strip() in text_of(".ci/run").splitlines()


def test_links_and_pictures_of_documents_exist():
    for name in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)", text_of(name)):
            if not target.startswith(("http://", "https://")):
                assert ((ROOT / name).parent / target).exists(), f"{name} links {target}"
    assert "](figures/png/" in text_of("README.md")


def test_every_claim_in_the_ledger_has_its_rows_in_the_tables():
    checks, readme = text_of("paper_checks.md"), text_of("README.md")
    for slug in _claims.papers():
        for claim_id in _ledger.summaries(slug):
            assert f"| `{claim_id}` |" in readme
            found = re.findall(rf"^\| `{re.escape(claim_id)}`([^|]*)\|", checks, re.MULTILINE)
            claim = _claims.claims()[claim_id]
            assert [f.strip() for f in found] == ([c.name for c in claim.checks] if len(claim.checks) > 1 else [""])


# ---- a paper of one's own


def test_the_readmes_test_of_ones_own_passes(tmp_path):
    (code,) = re.findall(r"In a test of your own:\n\n```python\n(.*?)```", text_of("README.md"), re.DOTALL)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    (test,) = (v for k, v in names.items() if k.startswith("test_"))
    test(tmp_path)


def test_the_tutorials_lines_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in re.findall(r"```python\n(.*?)```", text_of("docs/tutorial.md"), re.DOTALL):
        exec(compile(code, "docs/tutorial.md", "exec"), names)
    assert names["evidence"].verdict == names["summary"]["verdict"] == "SUPPORTED"


@pytest.mark.slow  # a copy of the project runs, draws and tests its seventh paper
def test_the_readmes_paper_needs_three_files_and_nothing_else_edited(tmp_path):
    for folder in ("theory", "sims", "figures"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "png"))
    (tmp_path / "tests").mkdir()
    for name in ("tests/conftest.py", "pyproject.toml", "README.md", "paper_checks.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    examples = re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert [path for path, _ in examples] == [f"theory/{EXAMPLE}.py", f"sims/{EXAMPLE}.py", f"tests/test_{EXAMPLE}.py"]
    for path, code in examples:
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(code, encoding="utf-8")

    def python(*words, status=0):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert "1 passed" in python("pytest", "-q", f"tests/test_{EXAMPLE}.py")

    # The ledger asks for its two marker lines, in words that can be pasted.
    refusal = python("sims", "ledger", "--check", status=2)
    begin, end = (f"<!-- {word} generated: {EXAMPLE} -->" for word in ("begin", "end"))
    assert begin in refusal
    assert end in refusal
    checks = tmp_path / "paper_checks.md"
    checks.write_text(f"{checks.read_text(encoding='utf-8')}\n## {EXAMPLE}\n\n{begin}\n{end}\n", encoding="utf-8")
    assert f"{EXAMPLE}.mean/coins" in python("sims", "run", EXAMPLE, "--preset", "default")
    assert f"promoted 1 claim of {EXAMPLE}" in python("sims", "ledger")
    assert f"| `{EXAMPLE}.mean` |" in checks.read_text(encoding="utf-8")
    assert f"| `{EXAMPLE}.mean` |" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert f"{EXAMPLE}.mean.coins.png" in python("figures", EXAMPLE, "--out", "png")
    assert (tmp_path / "png" / f"{EXAMPLE}.mean.coins.png").stat().st_size > 10_000


# ---- files and layers


def test_files_are_short_and_none_is_called_utils():
    files = sources("theory", "sims", "figures", "tests", "bench")
    lengths = {p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in files}
    assert {name: n for name, n in lengths.items() if n > 620} == {}
    assert [p for p in files if p.name in ("utils.py", "_utils.py", "util.py", "helpers.py")] == []


def imports_of(path):
    """Absolute names of what a file imports anywhere in it: "jax.numpy", "sims._store"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_theory_imports_theory_numpy_and_scipy_only():
    allowed = {"theory", "numpy", "scipy"} | set(sys.stdlib_module_names)
    for path in sources("theory"):
        assert {name.split(".")[0] for name in imports_of(path)} <= allowed, path
        assert not any(name.startswith(("random", "numpy.random")) for name in imports_of(path)), path


def test_figures_import_theory_and_what_is_stored_but_no_simulator():
    stored = ("sims._store", "sims._experiment", "sims._ledger", "sims._report")
    outside = {"theory", "figures", "numpy", "scipy", "matplotlib"} | set(sys.stdlib_module_names)
    for path in sources("figures"):
        for name in imports_of(path):
            assert name.startswith(stored) or name.split(".")[0] in outside, f"{path} imports {name}"


def test_simulators_and_the_engine_import_no_figures_and_no_tests():
    for path in sources("sims"):
        assert not {name.split(".")[0] for name in imports_of(path)} & {"figures", "tests", "matplotlib", "bench"}, path


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("sims", {"jax", "numpy", "scipy", "matplotlib"}),
        ("sims.__main__", {"jax", "numpy", "scipy", "matplotlib"}),
        ("theory._claims", {"jax", "numpy", "scipy", "matplotlib"}),
        ("theory.adaptive", {"jax", "matplotlib"}),
        ("figures.__main__", {"jax", "numpy", "scipy", "matplotlib"}),
        ("figures.adaptive", {"jax"}),
    ],
)
def test_importing_a_module_imports_nothing_heavy(module, forbidden):
    code = f"import sys, {module}; print(*sorted({forbidden!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_drawing_figures_imports_no_jax(tmp_path):
    code = (
        "import sys; from figures.__main__ import main; "
        f"main(['adaptive.bias_pure/attained', '--out', {str(tmp_path)!r}]); print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
    assert list(tmp_path.glob("*.png"))
