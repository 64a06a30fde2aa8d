"""Pins: what leads to them, the text of a link that holds them, and the list that names, orders and goes to them."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import save_run
from cascade_core.panels import state
from cascade_core.panels.bookmarks import MOST_TEXT, MOST_UNPACKED, Pin, packed, unpacked
from tests.opening import opened
from tests.samples import sample_run


def text_of(raw: bytes) -> str:
    """What `packed` makes of bytes."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.urlsafe_b64encode(engine.compress(raw) + engine.flush()).decode().rstrip("=")


def test_pins_come_back_from_a_link() -> None:
    pins = (
        Pin(name="Half a point, & more", query=(("run", "my run"), ("at", "0.5"))),
        Pin(name="", query=(("run", "z"), ("hand", "0.5,-"), ("costs", "{}"))),
    )
    assert unpacked(packed(pins)) == pins
    assert unpacked(packed(())) == ()


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "ä",
        "A" * (MOST_TEXT + 1),
        packed([Pin(name="a", query=(("run", "mine"),))])[:-4],
        text_of(b"["),
        text_of(b"[[1, 2]]"),
        text_of(b'[["a"]]'),
        text_of(b'{"a": 1}'),
        text_of(b"null"),
        text_of(b" " * (MOST_UNPACKED + 1)),
        text_of(b"[" * 50_000),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pinned points as this page writes them"):
        unpacked(text)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "mine.parquet")
    save_run(sample_run(seed=1), tmp_path / "other.parquet")
    return tmp_path


def written(app: AppTest) -> dict[str, str]:
    return dict(app.session_state[state.WRITTEN.key])


def pressed(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def test_pins_are_in_the_link_and_a_second_session_shows_and_goes_to_them(cache: Path) -> None:
    app = pressed(opened(run="mine", policy="paper", at="3", seed="2"), "Pin this point")
    first = {name: text for name, text in written(app).items() if name != "pins"}
    app.session_state[state.BACK.key] = f"?run=other&hand=0.75,-&pins={written(app)['pins']}"
    pressed(app.run(), "Pin this point")
    again = opened(view="compare", pins=written(app)["pins"])
    assert [field.value for field in again.text_input if field.label.startswith("Name of")] == [
        "3.0 points, mine",
        "thresholds set by hand, other",
    ]
    assert again.session_state[state.PINS.key] == unpacked(written(app)["pins"])
    pressed(again, "Go to 1")
    assert {name: text for name, text in written(again).items() if name != "pins"} == first
    again.session_state[state.BACK.key] = "?view=compare&pins=" + written(app)["pins"]
    pressed(again.run(), "Go to 2")
    assert (written(again)["run"], written(again)["hand"]) == ("other", "0.75,-")


def test_pins_are_renamed_ordered_and_removed(cache: Path) -> None:
    pins = tuple(Pin(name=name, query=(("run", "mine"), ("at", at))) for name, at in (("a", "1.5"), ("b", "2.5")))
    app = opened(view="compare", pins=packed(pins))
    next(field for field in app.text_input if field.label == "Name of point 1").set_value("first").run()
    pressed(app, "Move 2 up")
    assert [pin.name for pin in app.session_state[state.PINS.key]] == ["b", "first"]
    pressed(app, "Remove 1")
    assert unpacked(written(app)["pins"]) == (Pin(name="first", query=pins[0].query),)


def test_a_pin_whose_run_is_not_here_stays_in_the_link_and_cannot_be_gone_to(cache: Path) -> None:
    text = packed([Pin(name="a", query=(("run", "gone"),)), Pin(name="b", query=(("run", "mine"),))])
    app = opened(view="compare", pins=text)
    assert written(app)["pins"] == text
    assert {button.label: button.disabled for button in app.button if button.label.startswith("Go to")} == {
        "Go to 1": True,
        "Go to 2": False,
    }
