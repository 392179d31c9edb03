"""The command line: `python -m sims`. Parsing only; nothing heavy is imported before a command is known."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from typing import TextIO

__all__ = ["main"]

_EXIT = """\
papers with commands of their own: python -m sims PAPER --help

exit status:
  0    done; nothing contradicts the ledger
  1    a SUPPORTED or REFUTED contradicts the ledger, or `ledger --check` found a difference
  2    bad usage or bad parameters, or a paper's file that cannot be loaded or fails
  3    the machine failed: the store cannot be written, or a block does not fit into memory
  130  interrupted; run the same command again to resume
"""


VERDICTS = ("SUPPORTED", "REFUTED", "UNDECIDED", "VACUOUS", "UNTESTED", "NOT RUN")  # as theory._claims has them


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sims",
        description="Check machine-learning theorems by simulation: bound against estimate, with a declared error.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--plugin", metavar="DIR", action="append", help="papers of DIR too: its folders theory/, sims/, figures/, tests/")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="claims, statements, places, tests, last verdicts")
    listing.add_argument("paper", nargs="?", metavar="PAPER")
    listing.add_argument("--verdict", type=str.upper, choices=VERDICTS, metavar="WORD", help=f"only these: {', '.join(VERDICTS).lower()}")
    listing.add_argument("--json", action="store_true", help="a JSON array, one object a claim")

    show = commands.add_parser("show", help="one claim or check: statement, assumptions, formula, evidence, falsifiers")
    show.add_argument("claim", metavar="CLAIM", help="adaptive.naive, or adaptive.naive/full for one of its checks")
    show.add_argument("--json", action="store_true", help="a JSON array, one object a cell")
    show.add_argument("--preset", choices=("smoke", "default", "gpu"), help="show a run of yours instead of the ledger")
    show.add_argument("--seed", type=_seed, metavar="N", help="its root seed")
    show.add_argument("--out", default="results", metavar="DIR", help="where it is (default: results)")

    run = commands.add_parser("run", help="simulate and judge; resumes by default")
    run.add_argument("names", nargs="*", metavar="PAPER|CLAIM", help="default: everything")
    run.add_argument("--preset", choices=("smoke", "default", "gpu"), default="smoke", help="size of the run (default: smoke)")
    run.add_argument("--seed", type=_seed, metavar="N", help="root seed (default: the ledger's)")
    run.add_argument("--out", default="results", metavar="DIR", help="where replicates and summaries go (default: results)")
    run.add_argument("--cell", metavar="K=V,…", help="one cell of your own, at level 1e-3, outside the ledger; CLAIM/CHECK asks one check")
    run.add_argument("--max-replicates", type=_positive, metavar="N", help="instead of the preset's")
    run.add_argument("--dry-run", action="store_true", help="print cells, planned replicates, time and memory; draw nothing")
    run.add_argument("--json", action="store_true", help="a JSON array, one object a cell")
    run.add_argument("-v", "--verbose", action="store_true", help="a line for every cell and falsifier; tracebacks of a paper's file")
    run.add_argument("--shard", type=_shard, metavar="I/N", help="for job arrays: draw the I-th of N shares of the cells, judge nothing")
    run.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        help="processes that draw (default: one a core, for the gpu preset or a few claims one)",
    )
    run.add_argument("--ahead", type=_shard, metavar="I/N", help=argparse.SUPPRESS)  # of _ahead: a helper of another run
    run.add_argument("--distributed", action="store_true", help="draw with all processes of this job, found through jax.distributed")
    run.add_argument("--no-compile-cache", action="store_true", help="keep no compiled programs between runs")

    merge = commands.add_parser("merge", help="make one results folder of those of a job array")
    merge.add_argument("sources", nargs="+", metavar="DIR", help="results folders; read, never written")
    merge.add_argument("--out", required=True, metavar="DIR", help="the folder that gets their replicates and attempts")

    export = commands.add_parser("export", help="results as CSV on stdout, one line a decision")
    export.add_argument("names", nargs="*", metavar="PAPER|CLAIM", help="default: everything")
    export.add_argument("--preset", choices=("smoke", "default", "gpu"), help="a run of yours instead of the ledger")
    export.add_argument("--seed", type=_seed, metavar="N", help="its root seed")
    export.add_argument("--out", default="results", metavar="DIR", help="where it is (default: results)")

    report = commands.add_parser("report", help="one self-contained page: every claim, its curve against its bound, verdict, findings")
    report.add_argument("--out", default="report", metavar="DIR", help="gets index.html (default: report)")
    report.add_argument("--run", metavar="DIR", help="a run of yours under DIR instead of the ledger")
    report.add_argument("--preset", choices=("smoke", "default", "gpu"), default="smoke", help="with --run: its preset (default: smoke)")
    report.add_argument("--seed", type=_seed, metavar="N", help="with --run: its root seed")

    ledger = commands.add_parser("ledger", help="rewrite, or verify, the tables in paper_checks.md")
    ledger.add_argument("--check", action="store_true", help="change nothing; exit 1 if tables and summaries differ")
    ledger.add_argument("--out", default="results", metavar="DIR", help="where the default preset's summaries are (default: results)")
    return parser


def _without_plugins(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders given with --plugin, wherever it stands, and all other words: a paper's own command takes it too."""
    parser = argparse.ArgumentParser(prog="python -m sims", add_help=False, allow_abbrev=False)
    parser.add_argument("--plugin", action="append", default=[], metavar="DIR")
    known, rest = parser.parse_known_args(words)
    return known.plugin, rest


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) > 2**31 - 1:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to {2**31 - 1}, got {text!r}")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"must be I/N with 1 <= I <= N, got {text!r}")
    return int(part), int(parts)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


_OWN = ("list", "show", "run", "merge", "export", "report", "ledger")


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process lives
    plugins, words = _without_plugins(sys.argv[1:] if argv is None else argv)
    papers = bool(words) and not words[0].startswith("-") and words[0] not in _OWN  # a paper's own command, or a mistyped one
    arguments = None if papers else _parser().parse_args(words, argparse.Namespace(plugins=plugins))
    try:
        from sims import _commands
        from theory import _claims

        _commands.plug_in(plugins)
        status = _commands.paper_command(words, _OWN) if arguments is None else _commands.COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        resumable = getattr(arguments, "command", None) in ("run", "merge") and not getattr(arguments, "dry_run", False)
        kept = "; finished chunks are kept, run the same command again to resume" if resumable else ""
        print(f"\nsims: interrupted{kept}", file=sys.stderr)
        return 130
    except _claims.PaperError as error:
        if getattr(arguments, "verbose", False):
            traceback.print_exception(error)
        print(f"sims: {error}", file=sys.stderr)
        return 2
    except _commands.Refusal as refusal:
        print(f"sims: {refusal}", file=sys.stderr)
        return refusal.status
    except BrokenPipeError:  # `… | head`: the reader has seen enough
        _let_go(sys.stdout)
        return 0
    except OSError as error:  # what was printed cannot be written, as on a full disk
        _let_go(sys.stdout)
        kept = "; finished chunks are kept" if getattr(arguments, "command", None) == "run" else ""
        print(f"sims: {error}{kept}", file=sys.stderr)
        return 3
    return status


def _let_go(stream: TextIO) -> None:
    """Sends what is still buffered nowhere, so that leaving the process does not fail on it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    if "--distributed" in sys.argv:
        from sims._shelter import sheltered

        sys.exit(sheltered(main))
    sys.exit(main())
