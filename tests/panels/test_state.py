"""Keys of the session and of elements: made up in one file, each of them once."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from cascade_core.panels import state
from cascade_core.panels.linked import links
from cascade_core.panels.state import Key, Value

PANELS = Path(state.__file__).parent
OTHERS = [path for path in sorted(PANELS.rglob("*.py")) if path.name != "state.py"]


def test_no_name_is_given_twice() -> None:
    """The second would take the place of the first, and both widgets would have one key."""
    body = ast.parse(Path(state.__file__).read_text(encoding="utf-8")).body
    names = [
        target.id
        for one in body
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name)
    ]
    assert len(set(names)) == len(names) > 30


def test_no_key_is_there_twice() -> None:
    values = [value for value in vars(state).values() if isinstance(value, Value)]
    keys = [value.key for value in values] + [key.value for key in Key]
    assert len(set(keys)) == len(keys)
    linked = [link.value.key for link in links((), ())]
    assert set(linked) <= {value.key for value in values}
    assert len(set(linked)) == len(linked)


def test_no_other_file_makes_up_a_key() -> None:
    for path in OTHERS:
        text = path.read_text(encoding="utf-8")
        assert "st.session_state" not in re.sub(r"`[^`]*`", "", text), path
        assert not re.findall(r"\bkey=f?\"", text), path


def test_a_value_is_its_default_until_it_is_set_and_after_it_was_taken() -> None:
    def page() -> None:
        import streamlit as st

        from cascade_core.panels.state import Value

        value = Value("number", 7)
        seen = [value.get()]
        value.set(8)
        seen += [value.get(), value.take(), value.get(), value.take()]
        st.text(repr(seen))

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert app.text[0].value == "[7, 8, 8, 7, 7]"


def test_keys_of_several_elements_are_apart() -> None:
    assert Key.TRY.of("kind") == "try:kind"
    assert Key.COMPARE.of("runs", 3) == "compare:runs:3"
