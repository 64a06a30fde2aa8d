"""What the server logs holds names and errors of files, and goes to a terminal: every character of it is seen."""

from __future__ import annotations

import logging
from typing import Any

from cascade_core.support.visible import visible


class VisibleRecord(logging.LogRecord):
    """An entry of a log in visible characters; line ends stay."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.exc_info:
            self.exc_text = visible(logging.Formatter().formatException(self.exc_info), keep="\n")

    def getMessage(self) -> str:  # noqa: N802  # as the class of the library has it
        """The message with its arguments."""
        return visible(super().getMessage(), keep="\n\t")


def make_visible() -> None:
    """Have everything that is logged from now on be visible."""
    logging.setLogRecordFactory(VisibleRecord)
