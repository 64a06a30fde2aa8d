"""Which number of a network's classes a folder is: by names in the network's order, or by what folders are called.

Folders alone stand in the order of their letters, as torchvision has them, but for those that are all called by
numbers, which stand in the order of the numbers.  Where letters and numbers disagree, that is said.

Names may be given instead: `a,b,c`, or a file.  A text file has a name a line; JSON a list of names, a dict from names
to numbers, or one from numbers to names, of which a class may have several.  There may be more classes than folders.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade_core.support.files import is_regular, opened
from cascade_core.support.json_files import strict_json

ENDINGS = (".json", ".txt")

MOST_BYTES = 1 << 24
"""Of a file of classes."""

SHOWN = 4
"""Names that a message shows."""


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of a network.

    Attributes:
        names: K texts.
        numbers: The class number of each name that a folder may have.
    """

    names: tuple[str, ...]
    numbers: Mapping[str, int]

    @classmethod
    def read(cls, text: str) -> Classes:
        """Classes as a user gives them: `a,b,c`, or a file.

        Raises:
            ValueError: The file is absent or malformed, a name is empty or repeated, or a number of a class is missing.
        """
        file = Path(text)
        if is_regular(file):
            with opened(file) as stream:
                content = stream.read(MOST_BYTES)
            return cls._of(_json(content, file) if file.suffix == ".json" else _lines(content, file), file.name)
        if text.endswith(ENDINGS):
            raise ValueError(f"Expected names of classes, a,b,c, or a file of them but there is no file {text!r}")
        return cls._of([[part.strip()] for part in text.split(",")], "--classes")

    @classmethod
    def _of(cls, named: Sequence[Sequence[str]], where: str) -> Classes:
        """Classes of all names of each; the last is shown, and what several are called tells none of them."""
        count = Counter(name for names in named for name in set(names))
        own = [[name for name in names if name and count[name] == 1] for names in named]
        bare = next((number for number, names in enumerate(own) if not names), None)
        if bare is not None:
            name = named[bare][0] if named[bare] else ""
            raise ValueError(
                f"Expected {where} to have a name for each class that no other has but class {bare} is called {name!r}"
            )
        numbers = {name: number for number, names in enumerate(own) for name in names}
        return cls(names=tuple(names[-1] for names in own), numbers=numbers)

    @classmethod
    def of_folders(cls, names: Sequence[str]) -> Classes:
        """Classes of folders that nothing else is said about.

        Warns:
            UserWarning: By number they stand in another order than by letter.
        """
        letters, numbers = sorted(names), sorted(names, key=_by_number)
        called = all(name.isdecimal() and name.isascii() for name in names)
        if letters != numbers:
            order = "numbers" if called else "letters"
            warnings.warn(
                f"Class folders are taken in the order of their {order}, {some(numbers if called else letters)}; "
                "--classes gives the network's, if that is another",
                stacklevel=2,
            )
        return cls._of([[name] for name in (numbers if called else letters)], "the folder")

    def of(self, folders: Sequence[str]) -> list[int]:
        """The class number of each folder.

        Raises:
            ValueError: One is called like no class.
        """
        for folder in folders:
            if folder not in self.numbers:
                raise ValueError(
                    f"Expected folders to be called like the {len(self.names)} classes {some(self.names)} "
                    f"but one is called {folder!r}"
                )
        return [self.numbers[folder] for folder in folders]


def some(names: Sequence[str]) -> str:
    """The first of some names."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _by_number(name: str) -> tuple[Any, ...]:
    """What puts "2" before "10", and "a2" before "a10"."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)), name


def _lines(content: bytes, file: Path) -> list[list[str]]:
    """A name a line; blank lines at the end are none."""
    try:
        lines = content.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"Expected {file.name} to be text, a name a line, but it is not in UTF-8") from None
    return [[line.strip()] for line in lines]


def _json(content: bytes, file: Path) -> list[list[str]]:
    """All names of each class, by number."""
    wrong = f"Expected {file.name} to hold a list of names, or a dict from names to numbers, or from numbers to names"
    try:
        held = strict_json(content)
    except ValueError as error:
        raise ValueError(f"{wrong}, but {' '.join(str(error).split())[:200]}") from None
    if isinstance(held, list):
        found: dict[int, Any] = dict(enumerate(held))
    elif isinstance(held, dict) and all(isinstance(v, int) and not isinstance(v, bool) for v in held.values()):
        found = {}
        for name, number in held.items():
            found.setdefault(number, []).append(name)
    elif isinstance(held, dict) and all(key.isdecimal() for key in held):
        found = {int(key): value for key, value in held.items()}
    else:
        raise ValueError(f"{wrong}, but it holds something else")
    absent = next((number for number in range(len(found)) if number not in found), None)
    if absent is not None or not found:
        raise ValueError(f"{wrong}, of all classes from 0 on, but class {absent or 0} is missing")
    named = [found[number] if isinstance(found[number], list) else [found[number]] for number in range(len(found))]
    if not all(names and all(isinstance(name, str) for name in names) for names in named):
        raise ValueError(f"{wrong}, but some names are no text")
    return named
