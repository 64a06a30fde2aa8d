"""What tests read in the project's own pages: fenced blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
"""All pages of the documentation, and what a checkout is read by first."""

_BLOCK = re.compile(
    r"^(?P<not_run><!-- not run: [^\n]*-->\n+)?```(?P<language>\w+)(?P<options>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)
_TITLE = re.compile(r'title="([^"]+)"')


STARTS = (["cascade-core"], ["python", "-m", "cascade_core"])
ENDS = (">", "|", "&&", "do")
"""Words of a shell between commands."""


class Block(NamedTuple):
    """A fenced block: its language, the file that it is, and whether it ends where it is run."""

    language: str
    title: str
    text: str
    is_run: bool


def name(page: Path) -> str:
    """A page's path below the project."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [_block(found) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def _block(found: re.Match[str]) -> Block:
    title = _TITLE.search(found["options"])
    return Block(found["language"], title[1] if title else "", found["text"], found["not_run"] is None)


def commands(page: Path) -> Iterator[list[str]]:
    """The words behind ``cascade-core``, or ``python -m cascade_core``, in blocks of a shell."""
    for block in blocks(page):
        if block.language == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                parts = groupby(shlex.split(line, comments=True), key=ENDS.__contains__)
                yield from filter(None, (_behind(list(words)) for _, words in parts))


def _behind(words: list[str]) -> list[str]:
    """What a command is given, if it is one of this package's."""
    return next((words[len(start) :] for start in STARTS if words[: len(start)] == start), [])
