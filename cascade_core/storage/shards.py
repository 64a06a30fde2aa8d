"""Files that one text names: a glob, numbers in braces, or a folder, here or at an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from cascade_core.support.files import readable
from cascade_core.support.remote import Place, place

MOST = 1 << 20
"""Most files that numbers in braces may name."""

_NUMBERS = re.compile(r"\{(\d+)\.\.(\d+)\}")


def files_named(text: str, ending: str) -> list[Place]:
    """Files in the order of their names, or of the numbers, by their whole paths.

    Args:
        text: A file; ``shards/a-*.tar``, where only the last name is a pattern; ``a-{000..099}.tar``; or a folder, of
            which all files of that ending are meant.
        ending: Such as ``.tar``.

    Raises:
        ValueError: There is none, or numbers name too many.
        BadFile: A folder cannot be listed.
    """
    found = [file for name in _counted(text) for file in _matching(place(name), ending)]
    if not found:
        raise ValueError(f"Expected files called {text} but there are none")
    # Processes of a cluster work in another folder.
    return [file.absolute() if isinstance(file, Path) else file for file in found]


def _counted(text: str) -> Iterator[str]:
    """The texts that ``{000..099}`` stands for, as long as the first number is written."""
    numbers = _NUMBERS.search(text)
    if numbers is None:
        yield text
        return
    first, last = numbers.groups()
    if not 0 <= int(last) - int(first) < MOST:
        raise ValueError(f"Expected rising numbers, {MOST:,} at most, but they were {numbers[0]}")
    for number in range(int(first), int(last) + 1):
        yield from _counted(text[: numbers.start()] + f"{number:0{len(first)}d}" + text[numbers.end() :])


def _matching(path: Place, ending: str) -> list[Place]:
    pattern = any(sign in path.name for sign in "*?[")
    with readable(path):
        if not pattern and not path.is_dir():
            return [path]
        folder, name = (path.parent, path.name) if pattern else (path, f"*{ending}")
        files = [entry for entry in folder.iterdir() if not entry.name.startswith(".")] if folder.is_dir() else []
        return sorted((file for file in files if fnmatchcase(file.name, name)), key=lambda file: file.name)
