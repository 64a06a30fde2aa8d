"""Texts are of characters, so that they can be written and read again."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.support import checks


@pytest.mark.parametrize("texts", [[], [""], ["a", "é", "\U0010ffff"], ["\ud7ff", "\ue000"]])
def test_characters_pass(texts: list[str]) -> None:
    checks.encodable("names", np.array(texts))


@pytest.mark.parametrize("code", [0xD800, 0xDFFF, 0x110000, 0x70000000])
def test_what_is_no_character_is_named_with_its_place(code: int) -> None:
    texts = np.array(["fine", "ab "])
    texts.view(np.uint32).reshape(2, 4)[1, 2] = code
    with pytest.raises(ValueError, match=rf"names to hold texts but number 1 has no character, {code:#x}, in place 2"):
        checks.encodable("names", texts)


def test_names_are_of_characters() -> None:
    with pytest.raises(ValueError, match="0xd800"):
        checks.names("class_names", ["cat", "\ud800"], 2, "class")
