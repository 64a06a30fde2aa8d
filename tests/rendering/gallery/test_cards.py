"""Cards say what became of samples, in data that a script draws."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from cascade_core import ExitRule
from cascade_core.analysis.samples import outcomes
from cascade_core.rendering.gallery import Card, Group, cards, gallery_css, gallery_data, gallery_js
from cascade_core.rendering.palette import DARK, LIGHT, Palette
from cascade_core.simulation.pool import Pool
from cascade_core.storage.pictures import Thumbnail
from tests.oracle import f32, make_record
from tests.samples import sample_run

PICTURE = Thumbnail(data=b"\x89PNG", mime="image/png", crisp=True)


def made() -> list[Card]:
    record = make_record([[0.95, 0.2], [0.9, 0.5], [0.999999, 0.7]], [[1, 0], [1, 1], [0, 1]])
    found = outcomes(record, ExitRule(thresholds=f32(0.9, 0.9)))
    costs, new = ["cheap", "middling", "dear"], np.array([False, True])
    return cards(found, np.array([1, 0]), ["second", "first"], ["cat", "dog"], [None, PICTURE], costs, new)


def test_a_card_says_what_became_of_a_sample() -> None:
    second, first = made()
    assert (first.sample_id, first.label, first.verdict, first.new) == ("first", "cat", "helped", True)
    assert [(one.name, one.answer, one.confidence, one.right) for one in first.answers] == [
        ("a", "cat", "0.950", True),
        ("b", "cat", "0.900", True),
        ("c", "dog", ">0.99999", False),
    ]
    assert (first.plain.stage, first.plain.answer, first.plain.right) == (None, "dog", False)
    assert first.cost == "cheap"
    assert first.picture is PICTURE
    assert (second.sample_id, second.verdict, second.cost, second.new) == ("second", "", "dear", False)
    assert [(one.stage, one.name) for one in second.answers] == [(2, "c")]


def test_harmed_is_told_as_well() -> None:
    record = make_record([[0.9], [0.9]], [[0], [1]])
    found = outcomes(record, ExitRule(thresholds=f32(0.5)))
    (card,) = cards(found, np.array([0]), ["x"], ["cat", "dog"], [None], ["", ""])
    assert (card.verdict, card.new) == ("harmed", False)


def test_the_plain_network_is_told_apart_from_a_pooled_last_stage() -> None:
    # Pooled, the last stage answers like the first; the plain network answers by itself.
    outputs, pool = sample_run(), Pool(weights=((1.0,), (0.0, 1.0), (1.0, 0.0, 0.0)))
    record = outputs.record(pool=pool)
    found = outcomes(record, ExitRule(thresholds=f32(np.inf, np.inf), pool=pool))
    i = int(np.flatnonzero(found.harmed)[0])
    (card,) = cards(found, np.array([i]), ["x"], outputs.class_names, [None], [""] * 3)
    assert card.verdict == "harmed"
    assert card.plain.answer == outputs.class_names[outputs.labels[i]]
    data = gallery_data("cards", [Group(kind="all", cards=[card])], LIGHT, 3)
    assert [line["name"] for line in data["groups"][0]["cards"][0]["answers"]] == ["stage 3", "plain"]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_answers_have_the_colours_of_their_stages(palette: Palette) -> None:
    data = gallery_data("cards", [Group(kind="all", cards=made())], palette, 3)
    assert (data["wrong"], data["line"]) == (palette.wrong, palette.staying)
    colours = palette.stages(3)
    second, first = data["groups"][0]["cards"]
    assert [line["colour"] for line in first["answers"]] == list(colours)
    assert [line["colour"] for line in second["answers"]] == [colours[2]]
    assert first["plain"]["colour"] is None


def test_data_is_json_and_keeps_ids_whole() -> None:
    record = make_record([[0.9]], [[0]])
    found = outcomes(record, ExitRule(thresholds=f32()))
    long = "x" * 100_000
    made = cards(found, np.array([0]), [long], [long, long], [PICTURE], [""])
    data = gallery_data("tiles", [Group(kind="harmed", title="Harmed 1", total=1, words="why", cards=made)], LIGHT, 1)
    assert json.loads(json.dumps(data)) == data
    (card,) = data["groups"][0]["cards"]
    assert card["id"] == long  # it is what a click names
    assert card["name"] == card["label"] == "x" * 199 + "…"
    assert card["picture"] == {"uri": PICTURE.uri, "crisp": True}


def test_every_class_that_the_script_names_is_one_of_the_style_sheet() -> None:
    script, styled = gallery_js(), set(re.findall(r"\.cascade-gallery__([a-z]+)", gallery_css()))
    named = set(re.findall(r'element\("[a-z0-9]+", "([a-z]+)"', script)) - {"group", "text", "right"}
    assert {"list", "item", "title", "all", "words"} <= named <= styled


def test_the_script_writes_texts_as_texts() -> None:
    assert "innerHTML" not in gallery_js()
    assert "insertAdjacentHTML" not in gallery_js()


def test_long_names_of_stages_keep_both_their_ends() -> None:
    names = [f"backbone.features.block{i}.a.long.middle.conv{j}.exit" for i in "12" for j in "12"]
    outputs = sample_run(m=4, names=names)
    record = outputs.record()
    found = outcomes(record, ExitRule(thresholds=f32(-1, np.inf, np.inf)))
    made = cards(found, np.array([0]), ["x"], outputs.class_names, [None], [""] * 4)
    lines = gallery_data("cards", [Group(kind="all", cards=made)], LIGHT, 4)["groups"][0]["cards"][0]["answers"]
    assert [line["name"] for line in lines] == names
    assert lines[0]["short"] == "backbone.feature…iddle.conv1.exit"
