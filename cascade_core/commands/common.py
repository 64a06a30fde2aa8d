"""What the verbs share: parsers whose complaints are one line, flags that several take, notes on runs."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from cascade_core.commands.terminal import line, remark
from cascade_core.support.remote import place

PROGRAM = "cascade-core" if Path(sys.argv[0]).stem == "cascade-core" else "python -m cascade_core"
"""What the user typed before the verb."""

_FLAG, _NEGATIVE = re.compile(r"--[a-z][a-z-]*"), re.compile(r"-[\d.]")

EVERY = 10.0
"""Seconds between lines on how far long work is."""

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
    parser.add_argument(
        "--kind", help='what the page lists the run under: "Language models" (default: the name of its data set)'
    )


class FromTimeToTime:
    """Says how far long work is, every `EVERY` seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say it, if it is time."""
        if time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            remark(text)


def say(notes: Iterable[str]) -> None:
    """Lines on what is odd about a run, on standard error."""
    for note in notes:
        remark(f"note: {note}")
