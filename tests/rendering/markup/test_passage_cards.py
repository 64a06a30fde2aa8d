"""Cards of a passage: what they say, and that texts from files stay texts."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.markup.passage_cards import passage_html, picture_html
from cascade_core.rendering.palette import DARK, LIGHT
from cascade_core.simulation.passages import LEFT, SWITCHED_OFF, Passage
from tests.simulation.test_passages import CLASSES, passage, pooled_passage, stage

AXIS = confidence_axis("max_probability", 3)


class Reader(HTMLParser):
    """Names of elements, and all text outside the style sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1] != "style" or "{" not in data:
            self.text += data + "\n"


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_each_stage_has_a_card_in_its_colour() -> None:
    text = passage_html(passage(), CLASSES, AXIS, LIGHT, label=0)
    assert re.findall(r'data-state="([^"]+)" style="--stage:(#\w+)"', text) == [
        ("went on", LIGHT.ramp[0]),
        ("left", LIGHT.stages(3)[1]),
        ("not reached", LIGHT.ramp[7]),
    ]
    words = read(text).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "98.4 % sure, needs 97.1 %" in words
    assert "410 MACs so far" in words
    assert "41 % of the plain network" in words
    assert "would have said:" in words
    assert "The true class is cat: the answer is right." in words


def test_the_threshold_is_marked_on_the_scale_of_the_bar() -> None:
    text = passage_html(passage(), CLASSES, AXIS, LIGHT)
    # -log10(1 - 0.9) is one nine of five, 20 %; 0.984 has 1.796 of them, 35.92 %.
    assert '<i style="left:20.00%">' in text
    assert '<b style="width:35.92%">' in text
    assert text.count("<i style") == 2


def test_a_stage_that_was_not_asked_says_so() -> None:
    off = stage(SWITCHED_OFF, None, np.inf, 100)
    last = stage(LEFT, (1.0, 0.0, 0.0), None, 1000)
    one = Passage(stages=(off, last), left=1, score="max_probability", baseline_macs=1000)
    words = read(passage_html(one, CLASSES, AXIS, DARK)).text
    assert "head switched off" in words
    assert "not asked" in words


def test_costs_in_another_unit_stand_where_the_sample_came() -> None:
    words = read(passage_html(passage(), CLASSES, AXIS, LIGHT, costs=["1 ms, 10 %", "4 ms, 40 %", "9 ms, 90 %"])).text
    assert "1 ms, 10" in words
    assert "4 ms, 40" in words
    assert "9 ms, 90" not in words


def test_what_a_stage_says_itself_stands_below_what_the_pool_makes_of_it() -> None:
    text = passage_html(pooled_passage(), CLASSES, AXIS, LIGHT, label=1)
    words = " ".join(read(text).text.replace("\N{NO-BREAK SPACE}", " ").split())
    assert "pooled later" in words
    assert re.search(r"dog 64\.0 % cat 26\.0 % \S+ \S+ % pooled; by itself cat 71\.0 %", words)
    assert words.count("by itself") == 1
    first = stage(LEFT, (0.6, 0.3, 0.1), None, 10, answered=(0.7, 0.25, 0.05))
    alone = Passage(stages=(first,), left=0, score="max_probability", baseline_macs=10)
    assert "pooled; by itself cat 60.0&nbsp;%" in passage_html(alone, CLASSES, AXIS, LIGHT)


def test_names_from_files_are_not_markup() -> None:
    bad = ("<img src=x onerror=alert(1)>", "</style><script>", '"><b>')
    found = stage(LEFT, (0.5, 0.3, 0.2), None, 10, name="<u>&")
    one = Passage(stages=(found,), left=0, score="max_probability", baseline_macs=10)
    reader = read(passage_html(one, bad, AXIS, LIGHT, label=1))
    assert not {"img", "script", "u"} & set(reader.tags)
    assert all(name in reader.text for name in (*bad, "<u>&"))
    assert 'alt="&quot;&gt;&lt;b&gt;"' in picture_html(np.zeros((2, 2, 3), np.uint8), bad[2])


def test_small_pictures_keep_their_pixels_and_large_ones_are_made_small() -> None:
    small = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    large = np.zeros((1000, 2000, 3), np.uint8)
    pixelated, smooth = picture_html(small, "s"), picture_html(large, "l")
    assert "image-rendering:pixelated" in pixelated
    assert "pixelated" not in smooth
    for text, size in ((pixelated, (128, 128)), (smooth, (128, 64))):
        found = re.search(r"base64,([^\"]+)\"", text)
        assert found
        with Image.open(io.BytesIO(base64.b64decode(found[1]))) as image:
            assert image.size == size
            if size == (128, 128):
                assert np.array_equal(np.asarray(image)[::16, ::16], small[..., 0])
