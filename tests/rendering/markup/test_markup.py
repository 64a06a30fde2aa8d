"""Facts say what was found, and texts from files stay texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from cascade_core.rendering.markup import facts, ghost, heading, markup_css, said

EVIL = "\"><script>alert(1)</script><img src=x onerror='alert(1)'> **bold** $x$ {{x}}"


class Reader(HTMLParser):
    """Elements with their attributes, and texts, as a browser would find them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_texts_from_files_are_not_markup() -> None:
    read = Reader(facts([(EVIL, EVIL)]))
    assert {tag for tag, _ in read.elements} == {"dl", "dt", "dd"}
    assert read.texts == [EVIL, EVIL]


def test_long_texts_are_cut() -> None:
    read = Reader(facts([("y" * 100_000, "x" * 100_000)]))
    assert read.texts == ["y" * 199 + "…", "x" * 1999 + "…"]


def test_every_class_in_the_markup_is_in_the_style_sheet() -> None:
    read = Reader(facts([]) + heading("line", "badge") + ghost("before") + said("done"))
    used = {attributes["class"] for _, attributes in read.elements}
    sheet = set(re.findall(r"\.([a-z-]+)", markup_css()))
    assert used == sheet == {"cascade-facts", "cascade-heading", "cascade-badge", "cascade-ghost", "cascade-said"}
