"""The verb `figure`, which draws for papers; matplotlib is imported when it is used."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cascade_core.analysis.exploration import Exploration, explore
from cascade_core.commands import cost_flags, policy_flags
from cascade_core.commands.common import Parsers, add_verb
from cascade_core.commands.dividing import source_of, split_of
from cascade_core.commands.showing import add_position_flags, explored
from cascade_core.commands.terminal import tell
from cascade_core.policies import SWEEPS
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.comparison.data import Curve, not_drawn
from cascade_core.rendering.published import PublishedResult, published_on
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import identity, read_metadata
from cascade_core.support.claims import claimed
from cascade_core.support.extras import require
from cascade_core.support.files import atomic_write, check_writable
from cascade_core.support.remote import place

if TYPE_CHECKING:
    from cascade_core.rendering.paper import Draw, Style

ENDINGS = (".pdf", ".svg", ".png")


def figure_(args: argparse.Namespace) -> None:
    """Draw a figure for a paper: in the width of a column or a page, as PDF, SVG or PNG, readable in grey."""
    require("paper")
    if not args.out and not args.texts:
        raise ValueError("Expected --out with files to write, or --texts, but there was neither")
    if args.chart != "comparison" and (args.beside or args.policies):
        raise ValueError(f"--beside and --policies are for --chart comparison, not for --chart {args.chart}")
    for out in args.out:
        check_writable(out, *ENDINGS)
    with claimed(*args.out):
        _figure(args)


def _figure(args: argparse.Namespace) -> None:
    from cascade_core.rendering.paper import Style, texts

    style = Style(width=args.width, size=args.size, font=args.font, names=dict(args.rename))
    draw, about = CHARTS[args.chart](args)
    if args.texts:
        for text in texts(draw):
            tell(text)
        return
    _write(args.out, draw, style)
    tell(f"wrote {', '.join(map(str, args.out))}: {about}")


def _write(files: list[Path], draw: Draw, style: Style) -> None:
    from cascade_core.rendering.paper import written

    for out in files:
        with atomic_write(out) as temporary:
            temporary.write_bytes(written(draw, style, out.suffix.removeprefix(".")))


def _curve(args: argparse.Namespace) -> tuple[Draw, str]:
    from cascade_core.rendering.paper import curve

    setting = explored(args)
    published, note = _published(args, [_drawn(args.run, setting.exploration)])
    return curve(setting.exploration, setting.evaluation, published), f"{setting.described}{note}"


def _exits(args: argparse.Namespace) -> tuple[Draw, str]:
    from cascade_core.rendering.paper import exits

    setting = explored(args)
    return exits(setting.evaluation), setting.described


def _histograms(args: argparse.Namespace) -> tuple[Draw, str]:
    from cascade_core.rendering.paper import histograms

    setting = explored(args)
    test = setting.exploration.test
    axis = confidence_axis(test.score, test.classes, test.confidence)
    return histograms(test, setting.rule, axis), setting.described


def _comparison(args: argparse.Namespace) -> tuple[Draw, str]:
    from cascade_core.rendering.paper import comparison

    runs, policies = [args.run, *args.beside], args.policies or [args.policy]
    curves = [_drawn(run, _swept(args, run, policy)) for run in runs for policy in policies]
    published, note = _published(args, curves)
    return comparison(curves, published), f"{len(curves)} curves{note}"


def _swept(args: argparse.Namespace, run: Path, policy: str) -> Exploration:
    """A policy over a run, whose costs are counted by what lies beside that run."""
    split, beside = split_of(args), argparse.Namespace(**{**vars(args), "run": run})
    source, meter = source_of(beside, split), cost_flags.meter_of(beside)
    return explore(source, SWEEPS[policy], split, answers=args.answers, meter=meter)


def _drawn(run: Path, exploration: Exploration) -> Curve:
    return Curve(run=identity(run)["name"], exploration=exploration, meter=exploration.meter)


def _published(args: argparse.Namespace, curves: Sequence[Curve]) -> tuple[tuple[PublishedResult, ...], str]:
    """Series on the data of the run, unless none are wanted; and what is to be said where they are not drawn."""
    found = () if args.no_published else published_on(Origin.of(read_metadata(args.run)["source"]).dataset)
    why = not_drawn(curves) if found else ""
    return found, f". {why}" if why else ""


CHARTS: dict[str, Callable[[argparse.Namespace], tuple[Draw, str]]] = {
    "curve": _curve,
    "exits": _exits,
    "histograms": _histograms,
    "comparison": _comparison,
}
"""What can be drawn, each with what it says of itself."""


def _renaming(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not sign or not old:
        raise argparse.ArgumentTypeError(f"expected OLD=NEW but it was {text!r}")
    return old, new


def add(verbs: Parsers) -> None:
    """Add this verb."""
    parser = add_verb(
        verbs,
        "figure",
        figure_,
        "figure cache/cifar10-resnet56-fine-heads.parquet --max-drop 0.01 --width 3.3 --out curve.pdf curve.png",
        "Fonts are embedded in a PDF and outlined in an SVG; a PNG has 600 dots an inch. Charts of one position take "
        "the one nearest to the policy's parameter, or where the dashboard opens.\n\n"
        + policy_flags.titles(SWEEPS.values()),
    )
    add_position_flags(parser)
    parser.add_argument("--chart", choices=tuple(CHARTS), default="curve", help="what to draw (default curve)")
    parser.add_argument("--beside", type=place, nargs="+", default=[], help="for comparison: other runs")
    parser.add_argument("--policies", choices=tuple(SWEEPS), nargs="+", help="for comparison: policies, of each run")
    parser.add_argument("--no-published", action="store_true", help="leave out what others published on these data")
    parser.add_argument("--width", type=float, default=3.3, help="inches; a column has 3.3, a page 6.9 (default 3.3)")
    parser.add_argument("--size", type=float, default=8.0, help="of the type, in points (default 8)")
    parser.add_argument("--font", choices=("sans", "serif"), default="sans", help="(default sans)")
    about = "what stands in place of a text, such as 'plain network=ResNet-56'; --texts lists them"
    parser.add_argument("--rename", type=_renaming, action="append", default=[], metavar="OLD=NEW", help=about)
    parser.add_argument("--texts", action="store_true", help="list the texts of the figure, and write nothing")
    parser.add_argument("--out", type=place, nargs="+", default=[], help="files to write, ending in .pdf, .svg or .png")
