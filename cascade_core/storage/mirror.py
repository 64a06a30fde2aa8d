"""A folder of runs that lies elsewhere, copied to this machine: what the page shows of a bucket.

The page reads each run from end to end in any case, for its digest, and then again and again.  What was copied has the
time of what it was copied from; what differs from it in time or size is copied anew, and what is no more is removed.
Nothing is written there.  Copies stay when the page ends: opened again, it fetches what changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from cascade_core.storage.parts import DONE, PLAN
from cascade_core.support.files import Stamp, atomic_write, readable, stamp
from cascade_core.support.remote import Remote, remove_folder

Listing = Mapping[str, Stamp | None]
"""Names in a folder; of files what tells whether they were changed, None of folders."""

Progress = Callable[[str, int, int], object]
"""Told the name of a file that is to be fetched, its number from 1, and how many there are."""


def copies_of(source: Remote) -> Path:
    """Where on this machine the copies of a folder lie: below XDG_CACHE_HOME, or ``~/.cache``."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return kept / "cascade_core" / hashlib.sha256(str(source).encode()).hexdigest()[:16] / source.name


def fetch(source: Remote, folder: Path, progress: Progress = lambda name, number, of: None) -> None:
    """Make `folder` hold the runs of `source`, and what lies beside them under their names.

    Raises:
        BadFile: The other machine cannot be reached; what was fetched stays.
        OSError: Nothing can be written here.
    """
    with readable(source):
        there = _files(source)
    # Runs may be confidential, and others use this machine.
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True)
    _remove_others(folder, set(there))
    changed = [name for name, when in there.items() if not _is_copy(folder / name, when)]
    for number, name in enumerate(changed, 1):
        progress(name, number, len(changed))
        _copy(source / name, folder / name, there[name])


def _files(source: Remote) -> dict[str, Stamp]:
    """The files of all runs in a folder, by their names in it; the mark that a run is whole comes after its parts."""
    listing = source.listing()
    found: dict[str, Stamp] = {}
    for name, when in listing.items():
        if name.startswith("."):
            continue
        if when is None:
            found |= {f"{name}/{part}": of for part, of in _parts((source / name).listing()).items()}
        elif _belongs_to_a_run(name, listing):
            found[name] = when
    return dict(sorted(found.items(), key=lambda file: (file[0].endswith(f"/{DONE}"), file[0])))


def _parts(listing: Listing) -> dict[str, Stamp]:
    return {
        name: when
        for name, when in listing.items()
        if when is not None and (name in (PLAN, DONE) or (name.endswith(".parquet") and not name.startswith(".")))
    }


def _belongs_to_a_run(name: str, listing: Listing) -> bool:
    """Whether a file is a run, or is called like one but for its ending, as what is kept beside runs is."""
    run = name.partition(".")[0]
    return name.endswith(".parquet") or f"{run}.parquet" in listing or run in listing


def _is_copy(file: Path, when: Stamp) -> bool:
    """Whether a file has the time and size of another."""
    own = stamp(file)
    return own is not None and own[:2] == when[:2]


def _copy(source: Remote, file: Path, when: Stamp) -> None:
    with atomic_write(file) as temporary, readable(source):
        source.get(temporary)
        os.utime(temporary, ns=(when[0], when[0]))


def _remove_others(folder: Path, names: set[str]) -> None:
    for entry in list(folder.iterdir()):
        if entry.is_dir():
            _remove_parts(entry, {name for name in names if name.startswith(f"{entry.name}/")})
        elif entry.name not in names and not entry.name.startswith("."):
            entry.unlink(missing_ok=True)


def _remove_parts(run: Path, names: set[str]) -> None:
    if not names:
        remove_folder(run)
        return
    for part in list(run.iterdir()):
        if f"{run.name}/{part.name}" not in names and not part.name.startswith("."):
            part.unlink(missing_ok=True)
