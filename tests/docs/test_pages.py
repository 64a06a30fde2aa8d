"""What pages say is so: commands are taken, Python imports public names, and what is pointed at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cascade_core.__main__ import parser
from tests.docs.pages import PAGES, ROOT, blocks, commands, name
from tests.publicity import imports_public_names

POINTED_AT = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
LARGEST = 1_500_000
"""Bytes of all pictures together."""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_taken(page: Path) -> None:
    for words in commands(page):
        parser(words[0]).parse_args(words)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CONTRIBUTING.md"], ids=name)
def test_only_public_names_are_imported(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            imports_public_names(block.text)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_points_at_is_there(page: Path) -> None:
    """Anchors are checked where the site is built."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in POINTED_AT.findall(text):
        path = target.partition("#")[0]
        if path and not re.match(r"https?:", path):
            assert (page.parent / path).is_file(), f"{name(page)} points at {target}, which is not there"


def test_pictures_are_small_and_used() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert sum(picture.stat().st_size for picture in pictures) <= LARGEST
    words = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [picture.name for picture in pictures if picture.name not in words]


def test_the_pages_have_commands_and_python() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) > 30
    assert sum(block.language == "python" for page in PAGES for block in blocks(page)) > 8
