"""What is printed holds names from files, and a terminal obeys what looks like its own: control characters are shown.

Lines and columns are kept; all other control characters, and those that turn the direction of writing, stand as Python
writes them, with a backslash and a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """A text whose control characters are readable."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def line(text: object) -> str:
    """A text, or the text of an error, in one line, whose control characters are readable."""
    return shown(" ".join(str(text).split()))


class Readable:
    """Standard output that shows control characters instead of sending them on, and says its name where it is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, readable."""
        with _named():
            return self._stream.write(shown(text))

    def flush(self) -> None:
        """Send what was written."""
        with _named():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _named() -> Iterator[None]:
    """Whatever the system refuses, but that nobody reads on, is said of standard output."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"Cannot write standard output: {(error.strerror or str(error)).lower()}") from None
