"""The server's memory: what sessions held is given back when they have ended, to the system too.

Streamlit keeps a session for two minutes after its page was closed, in case it comes back, and lets go of it afterwards
only when somebody else comes; what is let go is a ring of objects that waits for Python's collector, and what that
frees the C library keeps.  One thread of the server therefore looks every `LOOK_SECONDS` while there are sessions, and
does all three whenever one has ended (`tests/benchmarks/test_memory_given_back.py` measures it).

Streamlit also runs every session in threads of its own, to which glibc gives arenas that hardly give anything back;
from the server's start on they share two (`tests/benchmarks/test_soak.py`).
"""

from __future__ import annotations

import ctypes
import gc
import threading
from contextlib import suppress

from cascade_core.panels import private

LOOK_SECONDS = 10.0

_ARENA_MAX = -8
"""glibc's number of the setting, M_ARENA_MAX."""

_lock = threading.Lock()
_thread: list[threading.Thread] = []


def keep_small() -> None:
    """Have the server give back what sessions held, from now on until there are none; without a server nothing."""
    if private.session_id() is None:
        return
    private.see()
    with _lock:
        if not _thread:
            _thread.append(threading.Thread(target=_look, name="memory", daemon=True))
            _thread[0].start()


def few_arenas() -> None:
    """Have threads share two arenas from now on; does nothing where there is no such setting."""
    _ask("mallopt", _ARENA_MAX, 2)


def give_back() -> None:
    """Collect what nobody holds any more, and hand its memory to the system where the C library can."""
    gc.collect()
    _ask("malloc_trim", 0)


def _ask(function: str, *numbers: int) -> None:
    """Call a function of the C library; does nothing where it is another, or none that can be asked."""
    with suppress(AttributeError, OSError, TypeError):
        getattr(ctypes.CDLL(None), function)(*numbers)


def _look() -> None:
    """Give back whenever a session has ended, until none is left."""
    pause, before = threading.Event(), private.sessions()
    while before.open or before.waiting or not _ended():
        pause.wait(LOOK_SECONDS)
        now = private.sessions()
        if now.open < before.open or now.waiting < before.waiting:
            give_back()
        before = now


def _ended() -> bool:
    """Whether there is still no session, and the next is to begin anew."""
    with _lock:
        left = private.sessions()
        if not left.open and not left.waiting:
            _thread.clear()
        return not _thread
