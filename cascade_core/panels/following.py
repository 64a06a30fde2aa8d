"""Where the page's runs lie in a bucket: copies of them on this machine are kept as they are there (`storage.mirror`).

One thread of the server lists the bucket's folder every `EVERY` seconds and fetches what changed; `watching` then sees
it in the copies as it does in any folder.  While the bucket cannot be reached the page shows what was fetched, and says
so.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from cascade_core.storage.home import HOME
from cascade_core.storage.mirror import copies_of, fetch
from cascade_core.support.files import BadFile
from cascade_core.support.remote import Place, Remote, place

EVERY = 15.0

_trouble: list[str] = []
"""Why the runs are not what lies in the bucket, if anything is known to be wrong."""


def cache_place() -> Place:
    """Where runs lie: the folder or address that CASCADE_CACHE names, else ``cache/`` beside the page's door."""
    return place(os.environ.get("CASCADE_CACHE", str(HOME / "cache")))


def cache_folder() -> Path:
    """Where runs are looked for: where they lie, or where the copies of those in a bucket do."""
    where = cache_place()
    return copies_of(where) if isinstance(where, Remote) else where


def start() -> None:
    """Follow the bucket from now on, if the runs lie in one."""
    where = cache_place()
    if isinstance(where, Remote):
        threading.Thread(target=_follow, args=(where,), name="bucket of runs", daemon=True).start()


def trouble() -> str:
    """One line on why the runs are not what lies in the bucket; empty where nothing is known to be wrong."""
    return "".join(_trouble[:1])


def _follow(source: Remote) -> None:
    pause = threading.Event()
    while True:
        look(source)
        pause.wait(EVERY)


def look(source: Remote) -> None:
    """Fetch what changed, and note whether that could be done."""
    try:
        fetch(source, copies_of(source))
        _trouble.clear()
    except (BadFile, OSError) as error:
        _trouble[:] = [str(error)]
