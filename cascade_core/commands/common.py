"""What the verbs share: parsers whose complaints are one line, flags that several take, tables as text."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from cascade_core.commands.terminal import line, remark, tell, tell_lines
from cascade_core.rendering.in_points import in_points, is_drop
from cascade_core.rendering.tables import stages_table
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.notes import notes_on_file
from cascade_core.storage.reading import load_record, read_metadata
from cascade_core.storage.schema import costs_in_place_of_macs
from cascade_core.storage.writing import save_run
from cascade_core.support.remote import Place, place
from cascade_core.support.terms import LABELS, Terms
from cascade_core.support.visible import visible

PROGRAM = "cascade-core" if Path(sys.argv[0]).stem == "cascade-core" else "python -m cascade_core"
"""What the user typed before the verb."""

_FLAG, _NEGATIVE = re.compile(r"--[a-z][a-z-]*"), re.compile(r"-[\d.]")

Parsers = Any  # argparse's own type for sub-parsers is private


class Incomplete(Exception):
    """Some of the work was done and some was not, each with a line of its own before; exit status 1."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like everybody else's."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, where what follows a flag and begins with a minus and a digit is its value, such as `-0.5pt`."""
        return super().parse_known_args(_joined(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and end with status 2."""
        self.exit(2, f"error: {line(message)}; see {self.prog} --help\n")


def _joined(arguments: Sequence[str]) -> list[str]:
    """The arguments, with negative amounts joined to the flags before them: else argparse takes them for flags."""
    result: list[str] = []
    for argument in arguments:
        if result and _FLAG.fullmatch(result[-1]) and _NEGATIVE.match(argument):
            result[-1] += f"={argument}"
        else:
            result.append(argument)
    return result


def add_verb(
    verbs: Parsers, name: str, function: Callable[[argparse.Namespace], int | None], example: str, more: str = ""
) -> Parser:
    """The parser of a verb; its help is the function's docstring, with an example, and what that returns its status."""
    parser: Parser = verbs.add_parser(
        name,
        help=function.__doc__,
        description=function.__doc__,
        epilog="\n\n".join(filter(None, [more, f"example:\n  {PROGRAM} {example}"])),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(function=function)
    return parser


def add_out(parser: argparse.ArgumentParser, folder: str = "", *, required: bool = True) -> None:
    """Flags of what is written."""
    parser.add_argument(
        "--out", type=place, required=required, help=f"the run file to write, ending in .parquet{folder}"
    )
    parser.add_argument(
        "--title", default="", help='one sentence on the run, shown with its results: "CIFAR-10, ResNet-56 ..."'
    )
    parser.add_argument(
        "--dataset-name",
        help="what papers call the data set, such as CIFAR-10, whose published results are offered then "
        "(default: what the kind of the data says, or the title begins with)",
    )


def say(notes: Iterable[str]) -> None:
    """Lines on what is odd about a run, on standard error."""
    for note in notes:
        remark(f"note: {note}")


def write_run(outputs: Outputs, args: argparse.Namespace) -> None:
    """Write a run and say what it holds, and what is odd about it."""
    texts = {"title": args.title, "dataset_name": args.dataset_name}
    outputs = replace(outputs, source={**outputs.source, **{key: value for key, value in texts.items() if value}})
    report(save_run(outputs, args.out))


def report(out: Place) -> None:
    """Say what a run holds that was written, and what is odd about it."""
    record = load_record(out)
    tell_stages(record, out)
    tell(f"wrote {out} ({record.n:,} samples)")
    say(notes_on_file(out))


def tell_stages(record: Record, run: Place) -> None:
    """Print what the stages of a run's record cost, and how often they are right."""
    tell_table(stages_table(record, costs_in_place_of_macs(read_metadata(run))), record.terms)


def tell_table(frame: pd.DataFrame, terms: Terms = LABELS) -> None:
    """Print a table: shares in percent, drops `in_points`, whole numbers with separators."""
    shown = in_points(frame)
    shown.columns = [visible(str(name)) for name in shown.columns]
    for name in shown.columns:
        if str(name).startswith("share") or str(name).endswith("accuracy") or str(name).startswith("saving"):
            shown[name] = ["-" if pd.isna(v) else f"{v:.2%}" for v in shown[name]]
        elif is_drop(name):
            shown[name] = ["-" if pd.isna(v) else f"{v:.2f}" for v in shown[name]]
        elif str(name).startswith("threshold"):
            shown[name] = ["always answers" if pd.isna(v) else f"{v:.6g}" for v in shown[name]]
        elif name == "setting":
            shown[name] = [f"{v:,.6g}" for v in shown[name]]
        elif str(name).startswith("ms "):
            shown[name] = [f"{v:.3f}" for v in shown[name]]
        elif shown[name].dtype.kind == "i":
            shown[name] = [f"{v:,}" for v in shown[name]]
        else:
            shown[name] = [visible(v) if isinstance(v, str) else v for v in shown[name]]
    tell_lines(shown.rename(columns=terms.column).to_string(index=False) + "\n")
