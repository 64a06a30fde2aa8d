"""Notices that the cache folder or logs have changed while pages are open, and has those pages run again.

One thread of the server looks at names, times and sizes every `LOOK_SECONDS`; a page is told only when what it shows is
no longer what is there.  Browsers are not asked and send nothing for it, so that a drag stays silent and nothing on a
page moves, greys or reloads until there is something new to show.  It reads no file; `runs` does, when the page runs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from cascade_core.panels import private
from cascade_core.panels.following import cache_folder, trouble
from cascade_core.storage.log_files import log_paths
from cascade_core.storage.parts import DONE, PLAN, is_run
from cascade_core.support.files import BadFile, Stamp, stamp

LOOK_SECONDS = 2.0

FolderStamp = tuple[tuple[str, Stamp | None], ...]
"""Of every file of every run: its name, and what tells whether it was changed."""

Logs = tuple[Path, ...]
"""Files and folders of logs; none of them stands for the cache folder."""

_lock = threading.Lock()
_listed: dict[str, dict[Logs, FolderStamp]] = {}
_thread: list[threading.Thread] = []


def watch() -> None:
    """Have the session that is running now run again as soon as the cache folder differs from what it is now.

    To be called before the folder is listed, so that what changes meanwhile is noticed; logs are watched no more.
    """
    _watch((), alone=True)


def watch_logs(paths: Logs) -> None:
    """The same for logs, beside the cache folder, until the whole page runs again; called before they are read."""
    _watch(paths, alone=False)


def _watch(paths: Logs, *, alone: bool) -> None:
    session = private.session_id()
    if session is None:
        return
    now = _stamp_of(paths)
    with _lock:
        _listed[session] = {paths: now} if alone else {**_listed.get(session, {}), paths: now}
        if not _thread:
            _thread.append(threading.Thread(target=_look, name="cache folder", daemon=True))
            _thread[0].start()


def _stamp_of(paths: Logs) -> FolderStamp:
    """What is there, and whether the cache folder is known to be out of date."""
    return logs_stamp(paths) if paths else (*folder_stamp(cache_folder()), (trouble(), None))


def logs_stamp(paths: Logs) -> FolderStamp:
    """What tells whether logs hold what they did."""
    try:
        return tuple((str(path), stamp(path)) for path in log_paths(paths) if isinstance(path, Path))
    except (BadFile, OSError):  # one went away: reading says which
        return (("", None),)


def folder_stamp(folder: Path) -> FolderStamp:
    """What tells whether a listing of `folder` still holds; of a run that is being computed only that it is there."""
    stamps: list[tuple[str, Stamp | None]] = []
    try:
        for path in sorted(folder.iterdir()):
            if is_run(path):
                stamps += _stamps(path)
    except OSError:  # something goes away just now: the next look sees what is left
        stamps.append(("", None))
    return tuple(stamps)


def _stamps(path: Path) -> list[tuple[str, Stamp | None]]:
    if not path.is_dir():
        files = [path]
    elif (path / PLAN).exists() and not (path / DONE).exists():
        return [(path.name, None)]
    else:
        files = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    return [(f"{path.name}/{file.name}", stamp(file)) for file in files]


def _look() -> None:
    """Compare until no page is open any more."""
    pause = threading.Event()
    while True:
        pause.wait(LOOK_SECONDS)
        with _lock:
            watched = {paths for one in _listed.values() for paths in one}
        now = {paths: _stamp_of(paths) for paths in watched}
        with _lock:
            for session in list(_listed):
                _compare(session, now)
            if not _listed:
                _thread.clear()
                return


def _compare(session: str, now: Mapping[Logs, FolderStamp]) -> None:
    """Forget a session that has ended; run it again if it shows something else."""
    run_again, shown = private.rerun_of(session), _listed[session]
    if run_again is None:
        del _listed[session]
        return
    changed = {paths: now[paths] for paths in shown.keys() & now.keys() if now[paths] != shown[paths]}
    if changed:
        shown.update(changed)
        run_again()
