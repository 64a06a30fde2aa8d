"""How far work is, on standard error: bars that move there, and lines above them, of which every character is seen."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from cascade_core.support.visible import visible


class Bar(tqdm):
    """A bar of progress.

    Args:
        things: What it counts, if it counts while they are gone through.
        shown: Whether it is; None = on a terminal.
        options: Of `tqdm`.
    """

    def __init__(self, things: Iterable[Any] | None = None, *, shown: bool | None, **options: Any) -> None:
        super().__init__(things, disable=None if shown is None else not shown, file=_stream(), **options)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Say something behind the bar."""
        super().set_postfix_str(visible(s), refresh)


def above_bars(text: str) -> None:
    """Write a line above the bars that are shown."""
    Bar.write(visible(text), file=_stream())


def _stream() -> Any:
    """Where bars can move: beneath what makes others' texts visible."""
    return getattr(sys.stderr, "beneath", sys.stderr)
