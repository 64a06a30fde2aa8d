"""Being asked to stop: SIGTERM and SIGHUP do what Ctrl-C does, so that whoever writes can tidy up first.

What cannot tidy up, because it was killed outright, is seen to by the next writer of the same file (`files`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_ASKING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """A signal asked the program to stop; the text, where there is one, is one line on how to continue.

    Attributes:
        signal: The signal's number.
    """

    def __init__(self, said: str = "", number: int = signal.SIGINT) -> None:
        super().__init__(said)
        self.signal = int(number)


def asked_by(stop: KeyboardInterrupt) -> int:
    """The number of the signal that asked."""
    return stop.signal if isinstance(stop, Stopped) else int(signal.SIGINT)


@contextmanager
def stoppable() -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP raise `Stopped`; one that is ignored, as under `nohup`, stays so.

    Only a program's main thread can say so; in another the block is like any.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ASKING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            # None stands for a handler that was not set from Python, and cannot be set again.
            signal.signal(number, handler or signal.SIG_DFL)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number=number)
