"""The server's memory: kept from growing while many sessions come and go, where the C library is glibc.

Streamlit runs every session in threads of its own, and glibc gives threads arenas that hardly give anything back.  With
fewer arenas the server grows half as fast; `MALLOC_ARENA_MAX=2` in its environment, which holds from its first thread
on, keeps it flat (`tests/benchmarks/test_soak.py`).
"""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8
"""glibc's number of the setting, M_ARENA_MAX."""


def few_arenas() -> None:
    """Have threads share two arenas from now on; does nothing where there is no such setting."""
    try:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)
    except (AttributeError, OSError, TypeError):  # another C library, or none that can be asked
        return
