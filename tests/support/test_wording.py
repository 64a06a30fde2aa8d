"""Numbers in words, by the table of cases that the live panel's JavaScript is run against too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascade_core.support import wording
from cascade_core.support.terms import REFERENCES, terms

CASES: dict[str, list[tuple[list[Any], str]]] = json.loads((Path(__file__).parent / "words.json").read_text("utf-8"))


@pytest.mark.parametrize(("name", "arguments", "text"), [(name, *row) for name, rows in CASES.items() for row in rows])
def test_words(name: str, arguments: list[Any], text: str) -> None:
    """Where the last argument is what answers are compared with, its words are meant."""
    given = [terms(one) if one in REFERENCES else one for one in arguments]
    assert getattr(wording, name)(*given) == text
