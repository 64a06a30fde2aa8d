"""What went wrong inside a network of somebody's: one line with the reason, and the line of their code at fault."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

_OURS = Path(__file__).parent
_TORCH = Path(torch.__file__).parent


def reason(error: BaseException, most: int = 160) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())[:most] or type(error).__name__


def where(error: BaseException) -> str:
    """The last line at work that is neither torch's nor of this package, such as ", at mine.py line 7: x = x[0]"."""
    return line(traceback.extract_tb(error.__traceback__))


def line(stack: traceback.StackSummary) -> str:
    """The same of the calls at work, outermost first."""
    frames = [frame for frame in stack if Path(frame.filename).is_file()]
    own = [frame for frame in frames if not {_OURS, _TORCH} & {*Path(frame.filename).parents}]
    return f", at {Path(own[-1].filename).name} line {own[-1].lineno}: {own[-1].line}" if own else ""


@contextmanager
def told(expected: str) -> Iterator[None]:
    """Raise what fails inside as a ValueError: what was expected, the reason and where."""
    try:
        yield
    except Exception as error:  # a network's own code may raise anything
        raise ValueError(f"{expected} but {reason(error)}{where(error)}") from None
