"""What the command line does. JAX is imported only by `run`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sims import _ahead, _experiment, _ledger, _progress, _report, _store
from theory import _claims
from theory._claims import Claim, Verdict

__all__ = ["COMMANDS", "Refusal", "paper_command", "plug_in"]


class Refusal(Exception):
    """One clear sentence for the user, and the exit status."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        super().__init__(sentence)
        self.status = status


def plug_in(folders: Sequence[str]) -> None:
    """Makes the papers of these folders known. Raises: Refusal for a folder that holds none."""
    for folder in folders:
        try:
            _claims.plug_in(Path(folder))
        except ValueError as error:
            raise Refusal(str(error)) from None


_PLUG = "--plugin DIR, if it is in a folder of yours?"


def _refusal(error: OSError | RuntimeError, out: str | None = None) -> Refusal:
    """The machine's fault as a sentence; that chunks are kept is said only where there are some to resume from."""
    resumes = out is not None and next(Path(out).rglob("*.npz"), None) is not None
    return Refusal(str(error) if resumes else getattr(error, "trouble", str(error)), status=3)


def _flags(arguments: argparse.Namespace, claims: Sequence[Claim]) -> str:
    """What a command needs to know these claims again: " --plugin DIR", if they come from a folder plugged in."""
    if not any(_claims.is_plugin(c.paper) for c in claims):
        return ""
    return "".join(f" --plugin {folder}" for folder in arguments.plugins)


def _claim(name: str) -> tuple[Claim, str | None]:
    """The claim, and the check that "claim/check" names."""
    if name in _claims.papers():
        raise Refusal(f"{name} is a paper: python -m sims list {name}")
    try:
        return _claims.lookup(name, _PLUG)
    except _claims.UnknownError as error:
        raise Refusal(str(error)) from None


def _selected(names: Sequence[str]) -> list[Claim]:
    known = _claims.claims()
    chosen: dict[str, Claim] = {}
    for name in names or _claims.papers():
        if name in _claims.papers():
            chosen |= {c.id: c for c in known.values() if c.paper == name}
        elif name in known:
            chosen[name] = known[name]
        elif name.partition("/")[0] in known:
            _claim(name)
            raise Refusal(
                f"{name} is a check, and a run judges whole claims: leave out the part after the slash, or ask it with --cell K=V,…"
            )
        else:
            near = _claims.near(name, [*_claims.papers(), *known])
            foreign = "." in name and name.split(".", 1)[0] not in _claims.papers() and "did you mean" not in near
            raise Refusal(f"no paper or claim is called {name!r}{f'; {_PLUG}' if foreign else near}")
    return list(chosen.values())


# --- list and show -------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    if arguments.paper is not None and arguments.paper not in _claims.papers():
        if arguments.paper.partition("/")[0] in _claims.claims():
            raise Refusal(f"{arguments.paper} is no paper: python -m sims show {arguments.paper}")
        raise Refusal(f"no paper is called {arguments.paper!r}{_claims.near(arguments.paper, list(_claims.papers()))}")
    claims = _selected([arguments.paper] if arguments.paper else [])
    last = _stored(_of_ledger(arguments), claims)
    rows = [row for row in _report.listing(claims, last) if arguments.verdict in (None, row["verdict"] or "NOT RUN")]
    print(_json(rows) if arguments.json else _report.listing_text(rows))
    return 0


def _of_ledger(arguments: argparse.Namespace) -> argparse.Namespace:
    return argparse.Namespace(preset=None, seed=None, out="results", plugins=arguments.plugins)


def _stored(arguments: argparse.Namespace, claims: Sequence[Claim]) -> dict[str, Any]:
    """Summaries by claim, of the ledger or of the run that --preset, --seed and --out name; those that are there.

    A plugin's paper has no place in the ledger: the largest run of it under --out stands in.
    """
    if arguments.preset is None:
        if arguments.seed is not None:
            raise Refusal("--seed names a run of yours: name its --preset too")
        chosen = {c.id: s for c in claims if (s := _ledger.summaries(c.paper).get(c.id)) is not None}
        own = {c.id for c in claims if c.id not in chosen and _claims.is_plugin(c.paper)}
        for preset in ("gpu", "default", "smoke") if own else ():
            for name, summary in _summaries_under(arguments.out, preset, _experiment.LEDGER_SEED).items():
                if name in own:
                    chosen.setdefault(name, summary)
        return chosen
    seed = _experiment.LEDGER_SEED if arguments.seed is None else arguments.seed
    found = _summaries_under(arguments.out, arguments.preset, seed)
    chosen = {c.id: found[c.id] for c in claims if c.id in found}
    if not chosen:
        names = " ".join(c.id for c in claims) if len(claims) == 1 else claims[0].paper
        raise Refusal(
            f"{arguments.out} holds no {arguments.preset} run of {names} with seed {seed}; make one with `python -m sims run {names} "
            f"--preset {arguments.preset} --seed {seed} --out {arguments.out}{_flags(arguments, claims)}`"
        )
    return chosen


def _summaries_under(out: str, preset: str, seed: int) -> dict[str, Any]:
    try:
        return dict(_store.iter_summaries(Path(out), preset, seed))
    except _store.StoreError as error:
        raise _refusal(error) from None


def _show(arguments: argparse.Namespace) -> int:
    claim, check = _claim(arguments.claim)
    summary = _stored(arguments, [claim]).get(claim.id)
    if arguments.json:
        rows = _report.rows_of([summary] if summary else [])
        print(_json([r for r in rows if check is None or r["experiment"].split("/", 1)[1].split("!", 1)[0] == check]))
    else:
        print(_report.show_text(claim, summary, check, _flags(arguments, [claim])))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from sims import _library

    sys.stdout.write(_library.csv_text(_stored(arguments, _selected(arguments.names)).values()))
    return 0


def _merge(arguments: argparse.Namespace) -> int:
    def say(sentence: str) -> None:
        print(f"sims: {sentence}", file=sys.stderr)

    try:
        cells, chunks = _store.merge([Path(s) for s in arguments.sources], Path(arguments.out), say)
    except _store.StoreError as error:
        raise _refusal(error, arguments.out) from None
    print(f"merged {cells} cells, {chunks} new chunks, into {arguments.out}; judge them with `python -m sims run … --out {arguments.out}`")
    return 0


def _report_page(arguments: argparse.Namespace) -> int:
    claims = _selected([])
    if arguments.run is None:
        if arguments.seed is not None:
            raise Refusal("--seed names a run of yours: name its folder with --run too")
        summaries, source = _stored(_of_ledger(arguments), claims), "as the ledger has them"
    else:
        asked = argparse.Namespace(preset=arguments.preset, seed=arguments.seed, out=arguments.run, plugins=arguments.plugins)
        summaries, source = _stored(asked, claims), f"a run at preset {arguments.preset}"
    if not summaries:
        raise Refusal("the ledger is empty; report a run of yours with --run DIR")
    draw = importlib.import_module("figures._page")  # figures draw what is stored; nothing here depends on them
    path = Path(arguments.out, "index.html")
    try:
        _store.write_text_atomic(path, draw.page(summaries, _ledger.findings(), source))
    except _store.StoreError as error:
        raise _refusal(error) from None
    print(path)
    return 0


# --- run -----------------------------------------------------------------------------------------------------


def _configure_jax(compile_cache: bool, num_hands: int) -> None:
    """Global settings of a run from the command line; a library user sets these alone."""
    import jax

    if num_hands > 1:
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else the first process takes most of a GPU's memory
    if "JAX_NUM_CPU_DEVICES" not in os.environ:
        # Replicates are sharded over devices: one simulated device a core makes use of every core.
        jax.config.update("jax_num_cpu_devices", _ahead.devices_each(num_hands))
    if not compile_cache:
        jax.config.update("jax_enable_compilation_cache", False)
        return
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "boundcheck" / f"jaxlib-{jax.lib.__version__}"
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            print(f"sims: no compilation cache: {error}", file=sys.stderr)
            return
        jax.config.update("jax_compilation_cache_dir", str(cache))
    # Small programs too: they are most of what a smoke run compiles.
    for name, least in (("jax_persistent_cache_min_compile_time_secs", 0), ("jax_persistent_cache_min_entry_size_bytes", -1)):
        if name.upper() not in os.environ:
            jax.config.update(name, least)


def _run(arguments: argparse.Namespace) -> int:
    claims = [_asked(arguments.names)] if arguments.cell is not None else _selected(arguments.names)
    if arguments.shard is not None and (arguments.cell is not None or arguments.dry_run or arguments.json):
        raise Refusal("--shard draws cells of a preset and prints no rows: leave out --cell, --dry-run and --json")
    alone = arguments.dry_run or arguments.distributed or any(v is not None for v in (arguments.cell, arguments.shard))
    num_hands = 1 if alone else _ahead.hands(arguments.jobs, len(claims), arguments.preset)
    _configure_jax(not arguments.no_compile_cache, num_hands)
    if num_hands > 1 and arguments.ahead is None and _shares_devices():
        with _ahead.helpers(_same_run(claims, arguments, num_hands), num_hands - 1):
            return _run_here(claims, arguments, None)
    if not arguments.distributed:
        return _run_here(claims, arguments, None, compile_ahead=num_hands == 1)
    from sims import _distributed

    try:
        try:
            team = _distributed.join()
        except ValueError as error:
            raise Refusal(str(error)) from None
        if not team.leads:
            team.serve(_drawable(claims, arguments))
            os._exit(0)  # at once: see Team.release
        try:
            return _run_here(claims, arguments, team)
        finally:
            if not isinstance(sys.exception(), _distributed.LostProcessError):
                team.release()
    except _distributed.LostProcessError as error:
        # JAX would wait for the lost process, or abort: leave at once.
        print(f"sims: {error}; finished chunks are kept, run the same command again to resume", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(3)


def _asked(names: Sequence[str]) -> Claim:
    """The one claim that --cell asks, with one check where "claim/check" names it."""
    if len(names) == 1 and names[0] not in _claims.papers() and names[0].partition("/")[0] in _claims.claims():
        claim, check = _claim(names[0])
        return claim if check is None else dataclasses.replace(claim, checks=(claim.check(check),))
    claims = _selected(names)
    if len(claims) != 1:
        raise Refusal(f"--cell asks one claim; {len(claims)} are selected, name one of them")
    return claims[0]


def _shares_devices() -> bool:
    """Whether several processes may use the same devices: a TPU belongs to one."""
    import jax

    return jax.default_backend() != "tpu"


def _same_run(claims: Sequence[Claim], arguments: argparse.Namespace, num_hands: int) -> list[str]:
    """The command line of a helper: draws the same cells, with the same seed, into the same folder."""
    words = [word for folder in arguments.plugins for word in ("--plugin", folder)]
    words += ["run", *(c.id for c in claims), "--preset", arguments.preset, "--out", arguments.out, "--jobs", str(num_hands)]
    for name, value in (("--seed", arguments.seed), ("--max-replicates", arguments.max_replicates)):
        words += [] if value is None else [name, str(value)]
    return words + (["--no-compile-cache"] if arguments.no_compile_cache else [])


def _drawable(claims: Sequence[Claim], arguments: argparse.Namespace) -> dict[int, tuple[Any, Any]]:
    """Every cell that this command line may draw, by its number in the random stream."""
    from sims import _decide, _verdicts

    if arguments.cell is not None:
        decisions = _verdicts.asked_decisions(claims[0], arguments.cell, _decide.Options(out=Path(arguments.out)))
        found = [(d.experiment, c) for d in decisions for c in d.cells]
    else:
        chosen = {c.id for c in claims}
        own = [e for e in _experiment.experiments().values() if e.claim_id in chosen and e.simulate is not None]
        found = [(e, c) for e in own for c in e.cells.get(arguments.preset, ())]
    return {e.stream(c): (e, c) for e, c in found}


def _run_here(claims: Sequence[Claim], arguments: argparse.Namespace, team: Any, compile_ahead: bool = False) -> int:
    from sims import _decide, _plans, _programs, _runner, _shards, _stats, _verdicts  # here, and not above, because they import JAX

    seed = _experiment.LEDGER_SEED if arguments.seed is None else arguments.seed
    progress = _progress.Progress(sys.stderr)
    options = _decide.Options(
        out=Path(arguments.out), preset=arguments.preset, seed=seed, max_replicates=arguments.max_replicates,
        alpha=_stats.ALPHA_USER if arguments.cell is not None else _stats.ALPHA, say=progress.say, tick=progress.tick, team=team,
    )  # fmt: skip
    try:  # before anything else is said
        asked = None if arguments.cell is None else _verdicts.asked_decisions(claims[0], arguments.cell, options)
    except _claims.PaperError:
        raise
    except ValueError as error:
        raise Refusal(str(error)) from None
    header = _header(arguments, seed)
    shown = {**header, "processes": team.size} if team is not None else header
    progress.say("; ".join(f"{k} {v}" for k, v in shown.items() if k in ("preset", "seed", "device", "processes", "jax", "commit")))
    try:
        if arguments.dry_run:
            print(_plans.dry_run_text(claims, options) if asked is None else _plans.dry_cell_text(asked, options))
            return 0
        if arguments.ahead is not None:
            _ahead.end_with_parent()
            _shards.draw_ahead(claims, options, *arguments.ahead)
            return 0
        if arguments.shard is not None:
            drawn, cells = _shards.draw_shard(claims, options, *arguments.shard)
            print(f"drew {drawn} of {cells} cells into {arguments.out}; when all shares are drawn, run without --shard judges them")
            return 0
        if asked is not None:
            summary = {**header, **_verdicts.answer(claims[0], asked)}
            print(_json(_report.rows_of([summary])) if arguments.json else _report.cell_text(summary))
            return 0
        forecasts = {c.id: _forecast(c, options) for c in claims}
        progress.start(forecasts)
        summaries = []
        with _programs.Ahead(_shards.programs(claims, options) if compile_ahead else ()):
            for claim in claims:
                summary = {**header, **_verdicts.judge_claim(claim, options), "peak_bytes": _runner.peak_bytes()}
                _store.write_summary(options.out, options.preset, seed, claim.id, summary)
                summaries.append(summary)
                progress.finish(claim.id)
                if not arguments.json:
                    print(_report.claim_line(summary, verbose=arguments.verbose), flush=True)
        progress.close()
    except (_store.StoreError, _runner.DeviceMemoryError) as error:
        raise _refusal(error, arguments.out) from None
    except _claims.PaperError:
        raise
    except _decide.PAPERS_FAULTS as error:  # a plugin's bound, assumption or expectation fails where a plan is made
        place = _claims.place_of(error)
        if not (place and any(_claims.is_plugin(c.paper) for c in claims)):
            raise
        raise _claims.PaperError(f"{place}: {type(error).__name__}: {error}") from error
    print(_json(_report.rows_of(summaries)) if arguments.json else _report.run_table(summaries))
    return _contradictions(summaries)


def _forecast(claim: Claim, options: Any) -> float:
    from sims import _explore, _verdicts

    decisions = []
    for check in claim.checks:
        if check.untested is None:
            own, worlds = _verdicts.decisions_of(claim, check, options.preset, options)
            decisions += [*own, *(d for ds in worlds.values() for d in ds)]
    return _verdicts.forecast_seconds(decisions, options) + _explore.forecast_seconds(claim, options)


def _header(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """What every summary says of the run it came from."""
    import jax
    import numpy
    import scipy

    from sims import _runner

    return {
        "schema": 1, "preset": arguments.preset, "seed": seed, "second_seed": _experiment.second_seed(seed),
        "max_replicates_override": arguments.max_replicates, "device": _runner.device_kind(), "num_devices": len(jax.local_devices()),
        "jax": jax.__version__, "jaxlib": jax.lib.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__,
        "python": ".".join(map(str, sys.version_info[:3])), "commit": _ledger.commit(),
    }  # fmt: skip


def _contradictions(summaries: Sequence[dict[str, Any]]) -> int:
    """1 if a SUPPORTED or REFUTED differs from the ledger's SUPPORTED or REFUTED; UNDECIDED contradicts nothing."""
    decided = {Verdict.SUPPORTED.value, Verdict.REFUTED.value}
    status = 0
    for summary in summaries:
        ledger = _ledger.summaries(summary["claim"].split(".", 1)[0]).get(summary["claim"])
        if ledger and {summary["verdict"], ledger["verdict"]} == decided:
            print(f"sims: {summary['claim']} is {summary['verdict']} here and {ledger['verdict']} in the ledger", file=sys.stderr)
            status = 1
    return status


# --- ledger --------------------------------------------------------------------------------------------------


def _ledger_command(arguments: argparse.Namespace) -> int:
    try:
        if arguments.check:
            differences = _ledger.differences()
            for line in differences:
                print(f"sims: {line}", file=sys.stderr)
            print("the tables differ from the summaries" if differences else "the tables agree with the summaries")
            return 1 if differences else 0
        for line in _ledger.promote(Path(arguments.out)):
            print(line)
        for path in _ledger.rewrite():
            print(f"rewrote {path.name}")
    except _store.StoreError as error:
        raise _refusal(error) from None
    except _ledger.LedgerError as error:
        raise Refusal(str(error)) from None
    return 0


# --- a paper's own commands ------------------------------------------------------------------------------------


def paper_command(words: Sequence[str], others: Sequence[str]) -> int:
    """`python -m sims PAPER COMMAND …`: theory/<slug> names its commands in COMMANDS, sims/<slug> holds their functions."""
    slug, *rest = words
    if slug not in _claims.papers():
        raise Refusal(f"there is no command or paper {slug!r}{_claims.near(slug, [*others, *_claims.papers()])}")
    offered = getattr(importlib.import_module(f"theory.{slug}"), "COMMANDS", {})
    if not rest or rest[0] in ("-h", "--help"):
        lines = [f"  {name:<12} {what}" for name, what in offered.items()] or ["  none"]
        print("\n".join([f"commands of {slug} (python -m sims {slug} COMMAND --help):", *lines]))
        return 0 if rest else 2
    if rest[0] not in offered:
        raise Refusal(f"{slug} has no command {rest[0]!r}{_claims.near(rest[0], list(offered))}")
    try:
        return importlib.import_module(f"sims.{slug}").COMMANDS[rest[0]](rest[1:])
    except ValueError as error:
        raise Refusal(str(error)) from None


def _json(rows: Sequence[Any]) -> str:
    return json.dumps(
        _store.to_json([dataclasses.asdict(r) if dataclasses.is_dataclass(r) else r for r in rows]), indent=1, allow_nan=False
    )


COMMANDS = {
    "list": _list,
    "show": _show,
    "run": _run,
    "merge": _merge,
    "export": _export,
    "report": _report_page,
    "ledger": _ledger_command,
}
