"""What is shown of a name: each character that a terminal obeys or hides by its number, all others as they are."""

from __future__ import annotations

import ast
import sys
import unicodedata

import pytest

from cascade_core.support.visible import visible
from tests.names import BREAKING, OBEYED, TURNING, UNSEEN, hostile_names, is_clean


@pytest.mark.parametrize("one", sorted({*OBEYED, *TURNING, *UNSEEN, *BREAKING}), ids=ascii)
def test_a_character_that_is_not_seen_stands_as_its_number(one: str) -> None:
    shown = visible(f"a{one}b")
    assert shown.isascii()
    assert shown.startswith("a\\")
    assert ast.literal_eval(f"'{shown}'") == f"a{one}b"


def test_of_all_characters_only_those_that_are_seen_stay() -> None:
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    for code in range(sys.maxunicode + 1):
        one = chr(code)
        if unicodedata.category(one) in hidden:
            assert visible(one).isascii(), hex(code)
        assert is_clean(visible(one)), hex(code)


@pytest.mark.parametrize(
    "text", ["", "cat", "\\x1b", "naïve ＝ 写真\u3000\xa0", "\N{CAT FACE}❤\ufe0f", "سلام שלום", "e\u0301"]
)
def test_what_is_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_any_name() -> None:
    for name in hostile_names(0, 2_000):
        assert is_clean(visible(name))
        assert visible(visible(name)) == visible(name)
        kept = visible(name, keep="\n\t")
        assert is_clean(kept, keep="\n\t")
        assert kept.count("\n") == name.count("\n")
