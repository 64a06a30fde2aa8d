"""Locks that end with their holder, however that ends: the system takes them back (`flock` of an open file or folder).

Nobody waits for one.  Where the system or the file system has no such locks, nothing is locked and nobody is refused.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":

    def try_lock(handle: int) -> bool | None:
        """None: there are no such locks here."""
        return None

else:
    import fcntl

    def try_lock(handle: int) -> bool | None:
        """Lock an open file or folder until it is closed; whether it is ours now, None where there are no locks."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True


def is_at(handle: int, path: Path) -> bool:
    """Whether what was opened still lies at `path`."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    return False
