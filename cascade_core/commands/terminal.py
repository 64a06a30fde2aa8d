"""All that the verbs print goes through here: a terminal obeys names from files, so that no such character is sent.

A line stays one line whatever names stand in it, and so do its columns.  What other packages print passes `Readable`,
which keeps line ends and tabs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from cascade_core.support.visible import visible


def line(text: object) -> str:
    """A text, or the text of an error, in one line of visible characters."""
    return visible(" ".join(str(text).split()))


def tell(*cells: object) -> None:
    """Print a line of results, its columns with tabs between them."""
    print("\t".join(visible(str(cell)) for cell in cells))


def tell_lines(text: str) -> None:
    """Print results that are several lines already, such as a table."""
    print(visible(text, keep="\n"))


def remark(text: object) -> None:
    """Print a line that is no result, on standard error."""
    print(visible(str(text)), file=sys.stderr)


class Readable:
    """A stream that makes visible what is written to it, and says its name where it is full; else the one beneath.

    Args:
        beneath: The stream that it writes to, on which bars of progress move.
        name: What it is called.
    """

    def __init__(self, beneath: TextIO, name: str) -> None:
        self.beneath, self.name = beneath, name

    def write(self, text: str) -> int:
        """Write a text, visible."""
        with _named(self.name):
            return self.beneath.write(visible(text, keep="\n\t"))

    def writelines(self, lines: Any) -> None:
        """Write texts, visible."""
        for text in lines:
            self.write(text)

    def flush(self) -> None:
        """Send what was written."""
        with _named(self.name):
            self.beneath.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Whatever the system refuses, but that nobody reads on, is said of the stream."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"Cannot write {name}: {(error.strerror or str(error)).lower()}") from None
