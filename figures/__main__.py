"""`python -m figures [NAME …]`: regenerates figures from promoted summaries, or from a run of yours with --run."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m figures", description="Regenerate figures from stored summaries; nothing is simulated."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a paper, a claim, a check (adaptive.naive/full) or a paper's own figure")
    parser.add_argument("--out", default=None, metavar="DIR", help="where pictures go (default: figures/png of the checkout, else ./png)")
    parser.add_argument("--run", default=None, metavar="DIR", help="draw the summaries of a run under DIR instead of the ledger's")
    parser.add_argument("--preset", choices=("smoke", "default", "gpu"), default="smoke", help="with --run: its preset")
    parser.add_argument("--plugin", metavar="DIR", action="append", default=[], help="papers of DIR too, with --run")
    parser.add_argument("--list", action="store_true", help="print the names and draw nothing")
    return parser


def _summaries(arguments: argparse.Namespace) -> dict[str, Mapping[str, Any]]:
    from sims import _experiment, _ledger, _store
    from theory import _claims

    if arguments.run is not None:
        return dict(_store.iter_summaries(Path(arguments.run), arguments.preset, _experiment.LEDGER_SEED))
    return {claim: s for paper in _claims.papers() for claim, s in _ledger.summaries(paper).items()}


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


def main(argv: list[str] | None = None) -> int:
    """Draws; returns 0, or 2 for a name that no figure has."""
    arguments = _parser().parse_args(argv)
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from figures import _plots
    from theory import _claims

    for folder in arguments.plugin:
        try:
            _claims.plug_in(Path(folder))
        except ValueError as error:
            print(f"figures: {error}", file=sys.stderr)
            return 2
    figures = dict(_figures(_summaries(arguments)))
    chosen = [
        n for n in figures if not arguments.names or any(n == a or n.startswith((f"{a}/", f"{a}.", f"{a}-")) for a in arguments.names)
    ]
    for name in arguments.names:
        if not any(n == name or n.startswith((f"{name}/", f"{name}.", f"{name}-")) for n in figures):
            near = difflib.get_close_matches(name, figures, n=3, cutoff=0.4)
            print(f"figures: nothing is called {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""), file=sys.stderr)
            return 2
    if arguments.list:
        print("\n".join(chosen))
        return 0
    root = Path(__file__).resolve().parents[1]
    out = Path(arguments.out) if arguments.out else (root / "figures" / "png" if (root / "pyproject.toml").exists() else Path("png"))
    with plt.style.context(_plots.STYLE):
        for name in chosen:
            fig = figures[name]()
            if fig is None:
                print(f"{name}: nothing stored to draw")
                continue
            path = out / f"{name.replace('/', '.')}.png"
            _plots.save(fig, path)
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
