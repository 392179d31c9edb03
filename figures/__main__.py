"""`python -m figures [NAME …]`: regenerates figures from promoted summaries, or from a run of yours with --run."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["main"]


class _Refusal(Exception):
    """One sentence for stderr, and the exit status that goes with it: those of `python -m sims`."""

    def __init__(self, message: str, status: int = 2):
        super().__init__(message)
        self.status = status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m figures", description="Regenerate figures from stored summaries; nothing is simulated."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a paper, a claim, a check (adaptive.naive/full) or a paper's own figure")
    parser.add_argument(
        "--out",
        default=None,
        metavar="DIR",
        help="where pictures go (default: figures/png of the checkout; ./png for a plugin's, or if installed)",
    )
    parser.add_argument("--run", default=None, metavar="DIR", help="draw the summaries of a run under DIR instead of the ledger's")
    parser.add_argument("--preset", choices=("smoke", "default", "gpu"), help="with --run: its preset (default: smoke)")
    parser.add_argument("--seed", type=_seed, metavar="N", help="with --run: its root seed (default: the ledger's)")
    parser.add_argument("--plugin", metavar="DIR", action="append", default=[], help="papers of DIR too, with --run")
    parser.add_argument("--list", action="store_true", help="print the names and draw nothing")
    return parser


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) > 2**31 - 1:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to {2**31 - 1}, got {text!r}")
    return int(text)


def _summaries(arguments: argparse.Namespace) -> dict[str, Mapping[str, Any]]:
    """What there is to draw, by claim. Raises: _Refusal if a run is asked for that is not there."""
    from sims import _experiment, _ledger, _store
    from theory import _claims

    if arguments.run is None:
        for flag in ("preset", "seed"):
            if getattr(arguments, flag) is not None:
                raise _Refusal(f"--{flag} names a run of yours: name its folder with --run too")
        return {claim: s for paper in _claims.papers() for claim, s in _ledger.summaries(paper).items()}
    folder, preset = Path(arguments.run), arguments.preset or "smoke"
    seed = _experiment.LEDGER_SEED if arguments.seed is None else arguments.seed
    if not folder.is_dir():
        raise _Refusal(f"there is no folder {arguments.run}")
    try:
        found = dict(_store.iter_summaries(folder, preset, seed))
    except _store.StoreError as error:
        raise _Refusal(str(error), status=3) from None
    if not found:
        raise _Refusal(f"{arguments.run} holds no results of preset {preset}, seed {seed}; another run: --preset, --seed")
    unknown = [claim for claim in found if claim not in _claims.claims()]
    if unknown:  # of a plugin that was not named: the other claims can be drawn
        print(f"figures: not known here: {', '.join(unknown)}; pass --plugin DIR", file=sys.stderr)
    return {claim: s for claim, s in found.items() if claim not in unknown}


def _figures(summaries: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and drawing function of every figure: each check's default plot, then the papers' own."""
    from figures import _plots
    from theory import _claims

    for claim_id, summary in summaries.items():
        for check in summary["checks"]:
            statement = _claims.claims()[claim_id].statement
            yield f"{claim_id}/{check['name']}", lambda c=claim_id, s=statement, k=check: _plots.draw_check(c, s, k)
    for module in _claims.discover("figures"):
        for name, draw in module.FIGURES.items():
            yield name, lambda d=draw: d(summaries)


def _matches(figure: str, asked: str) -> bool:
    return figure == asked or figure.startswith((f"{asked}/", f"{asked}.", f"{asked}-"))


def _chosen(arguments: argparse.Namespace, figures: Mapping[str, Any]) -> list[str]:
    """The figures asked for. Raises: _Refusal for a name without any, which says whether it is the name or the results that lack."""
    from theory import _claims

    for name in arguments.names:
        if any(_matches(figure, name) for figure in figures):
            continue
        known = {c: {f"{c}/{check.name}" for check in claim.checks} for c, claim in _claims.claims().items()}
        if name in _claims.papers() or name in known or any(name in checks for checks in known.values()):
            where = "the ledger; draw a run of yours with --run DIR" if arguments.run is None else f"the run under {arguments.run}"
            raise _Refusal(f"{name} has no results in {where}")
        near = difflib.get_close_matches(name, {*figures, *known}, n=3, cutoff=0.4)
        raise _Refusal(f"nothing is called {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
    return [figure for figure in figures if not arguments.names or any(_matches(figure, name) for name in arguments.names)]


def _is_plugged_in(figure: str) -> bool:
    """Whether a figure is of a folder named with --plugin, whose pictures have no place in this project's figures/png."""
    from theory import _claims

    claim, slash, _ = figure.partition("/")
    if slash:
        return _claims.is_plugin(_claims.claims()[claim].paper)
    return any(figure in m.FIGURES and _claims.is_plugin(m.__name__.rpartition(".")[2]) for m in _claims.discover("figures"))


def _draw(arguments: argparse.Namespace) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from figures import _plots
    from theory import _claims

    for folder in arguments.plugin:
        try:
            _claims.plug_in(Path(folder))
        except ValueError as error:
            raise _Refusal(str(error)) from None
    figures = dict(_figures(_summaries(arguments)))
    chosen = _chosen(arguments, figures)
    if arguments.list:
        print("\n".join(chosen))
        return
    root = Path(__file__).resolve().parents[1]
    home = root / "figures" / "png" if (root / "pyproject.toml").exists() else Path("png")
    with plt.style.context(_plots.STYLE):
        for name in chosen:
            fig = figures[name]()
            if fig is None:
                print(f"{name}: nothing stored to draw")
                continue
            out = Path(arguments.out) if arguments.out else Path("png") if _is_plugged_in(name) else home
            path = out / f"{name.replace('/', '.')}.png"
            try:
                _plots.save(fig, path)
            except OSError as error:
                raise _Refusal(f"cannot write {path}: {error.strerror or error}", status=3) from None
            print(path)


def main(argv: list[str] | None = None) -> int:
    """Draws; returns 0, 2 for a name or a run that is not there, or 3 if a picture cannot be written."""
    arguments = _parser().parse_args(argv)
    try:
        _draw(arguments)
        sys.stdout.flush()
    except _Refusal as refusal:
        print(f"figures: {refusal}", file=sys.stderr)
        return refusal.status
    except BrokenPipeError:  # `… | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or leaving fails on it once more
    return 0


if __name__ == "__main__":
    sys.exit(main())
