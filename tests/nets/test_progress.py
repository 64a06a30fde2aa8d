"""Bars of progress move, where verbs make visible what is written, and say nothing that a terminal obeys."""

from __future__ import annotations

import io
import re

import pytest

from cascade_core.commands.terminal import Readable
from cascade_core.nets.progress import Bar, above_bars
from tests.names import hostile_names, is_clean


def test_bars_move_and_their_words_are_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", Readable(written, "standard error"))
    names = list(hostile_names(2, 50))
    for name in Bar(names, shown=True, mininterval=0):
        above_bars(name)
    with Bar(total=len(names), shown=True, mininterval=0) as bar:
        for name in names:
            bar.set_postfix_str(name)
            bar.update()
    said = written.getvalue()
    assert "\r100%" in said
    assert is_clean(re.sub(r"\x1b\[A", "", said), keep="\r\n")


@pytest.mark.parametrize("shown", [False, None])
def test_where_nobody_looks_nothing_is_written(shown: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", Readable(written, "standard error"))
    assert list(Bar([1, 2], shown=shown)) == [1, 2]
    assert written.getvalue() == ""
