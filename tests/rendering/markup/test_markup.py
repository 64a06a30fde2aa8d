"""Cards and facts say what was found, and texts from files stay texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cascade_core import ExitRule
from cascade_core.analysis.samples import outcomes
from cascade_core.rendering.markup import Card, cards, facts, gallery, markup_css
from cascade_core.rendering.palette import DARK, LIGHT, Palette
from cascade_core.storage.pictures import Thumbnail
from tests.oracle import f32, make_record

EVIL = "\"><script>alert(1)</script><img src=x onerror='alert(1)'> **bold** $x$ {{x}}"
PICTURE = Thumbnail(data=b"\x89PNG", mime="image/png", crisp=True)


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


def made() -> list[Card]:
    # Stages a, b, c with trunks of 100, 70, 50 and heads of 7, 5, 3; the plain network has 223 MACs.
    record = make_record([[0.95, 0.2], [0.9, 0.5], [0.999999, 0.7]], [[1, 0], [1, 1], [0, 1]])
    found = outcomes(record, ExitRule(thresholds=f32(0.9, 0.9)))
    return cards(found, np.array([1, 0]), ["first", "second"], ["cat", "dog"], [None, PICTURE])


def test_a_card_says_what_became_of_a_sample() -> None:
    second, first = made()
    assert (first.sample_id, first.label, first.verdict) == ("first", "cat", "helped")
    assert [(one.name, one.answer, one.confidence, one.right) for one in first.answers] == [
        ("a", "cat", "0.950", True),
        ("b", "cat", "0.900", True),
        ("c", "dog", ">0.99999", False),
    ]
    assert first.cost == "107 MACs, 48 %"
    assert first.picture is PICTURE
    assert (second.sample_id, second.verdict, second.cost) == ("second", "", "235 MACs, 105 %")
    assert [(one.stage, one.name) for one in second.answers] == [(2, "c")]


def test_harmed_is_told_as_well() -> None:
    record = make_record([[0.9], [0.9]], [[0], [1]])
    found = outcomes(record, ExitRule(thresholds=f32(0.5)))
    assert [card.verdict for card in cards(found, np.array([0]), ["x"], ["cat", "dog"], [None])] == ["harmed"]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_cards_have_the_colours_of_their_stages(palette: Palette) -> None:
    read = Reader(gallery(made(), palette, 3))
    rows = [attributes for tag, attributes in read.elements if tag == "tr"]
    colours = palette.stages(3)
    assert [row["style"] for row in rows] == [f"--stage:{colours[i]}" for i in (2, 0, 1, 2)]
    assert [row["class"] for row in rows] == ["here", "here", "later", "later"]


def test_pictures_are_shown_where_there_are_some() -> None:
    images = [attributes for tag, attributes in Reader(gallery(made(), LIGHT, 3)).elements if tag == "img"]
    assert images == [{"class": "crisp", "src": PICTURE.uri, "alt": "first"}]


def test_texts_from_files_are_not_markup() -> None:
    record = make_record([[0.9]], [[0]])
    found = outcomes(record, ExitRule(thresholds=f32()))
    card = cards(found, np.array([0]), [EVIL], [EVIL, EVIL], [PICTURE])
    read = Reader(gallery(card, LIGHT, 1) + facts([(EVIL, EVIL)]))
    assert {tag for tag, _ in read.elements} == {
        *("ul", "li", "img", "div", "p", "table", "tr", "td", "bdi", "dl", "dt", "dd")
    }
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)
    assert read.texts.count(EVIL) == 5
    assert [attributes["alt"] for tag, attributes in read.elements if tag == "img"] == [EVIL]


def test_long_texts_are_cut() -> None:
    read = Reader(facts([("y" * 100_000, "x" * 100_000)]))
    assert read.texts == ["y" * 199 + "…", "x" * 1999 + "…"]


def test_every_class_in_the_markup_is_in_the_style_sheet() -> None:
    record = make_record([[0.9], [0.9]], [[0], [1]])
    found = outcomes(record, ExitRule(thresholds=f32(0.5)))
    harmed = cards(found, np.array([0]), ["x"], ["cat", "dog"], [None])
    read = Reader(gallery([*made(), *harmed], LIGHT, 3) + facts([]))
    used = {name for _, attributes in read.elements for name in (attributes.get("class") or "").split()}
    styled = set(re.findall(r"\.([a-z-]+)", markup_css()))
    assert {"cascade-gallery", "cascade-facts", "verdict", "wrong", "here", "later"} <= used <= styled
