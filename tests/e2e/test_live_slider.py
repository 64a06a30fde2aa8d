"""The live panel's slider in a real browser, on a bare page: when it tells what, and what new data do to it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pytest

from cascade_core.panels.live import Stand, released
from tests.e2e.bare import MOST_OF_A_REBUILD, move, readout, redraw_against_rebuild, show, stop_clock
from tests.e2e.settling import drawn
from tests.e2e.simulated import POSITIONS, payload

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright")


def test_keyboard_moves_and_releases_once(browser_page: Page) -> None:
    page = show(browser_page, payload())
    slider = page.get_by_test_id("live-slider")
    start = int(slider.input_value())
    stop_clock(page)
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    page.clock.run_for(200)
    assert page.evaluate("sent") == []
    page.clock.run_for(300)
    assert page.evaluate("sent") == [[start + 4, payload()["id"]]]
    slider.press("Home")
    page.clock.run_for(500)
    assert page.evaluate("sent.length") == 2
    assert readout(page)["position"] == 0
    assert slider.get_attribute("aria-valuetext") == "0.0 points"


def test_a_drag_is_told_once_when_it_ends(browser_page: Page) -> None:
    page = show(browser_page, payload())
    box = page.get_by_test_id("live-slider").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + (0.3 + 0.02 * step) * box["width"], middle)
    assert page.evaluate("sent") == []
    page.mouse.up()
    page.wait_for_function("sent.length > 0")
    drawn(page)
    assert page.evaluate("sent") == [[int(readout(page)["position"]), payload()["id"]]]
    spoken = page.locator("[aria-live=polite]").inner_text()
    assert re.match(r"At acceptable accuracy drop \d\.\d points: accuracy [\d.]+ %", spoken)


def test_a_rerun_leaves_the_slider_alone_and_new_data_starts_anew(browser_page: Page) -> None:
    data = payload()
    page = show(browser_page, data)
    page.evaluate(
        """data => {
            panel.destroy();
            const parentElement = document.getElementById("root");
            window.rerun = data => entry({ parentElement, data, setStateValue: (...state) => sent.push(state) });
            window.first = rerun(data);
        }""",
        data,
    )
    move(page, 30)
    page.evaluate("data => { window.second = rerun(data); first(); }", data)
    assert readout(page)["position"] == 30
    other = payload(stages=2)
    page.evaluate("data => { window.third = rerun(data); }", other)
    assert readout(page)["position"] == other["slider"]["initial"]
    assert page.get_by_test_id("live-panel").count() == 1
    page.evaluate("third()")
    assert page.get_by_test_id("live-panel").count() == 0


def test_new_data_wait_until_the_slider_is_let_go(browser_page: Page) -> None:
    data, other = payload(), payload(stages=2)
    page = show(browser_page, data)
    box = page.get_by_test_id("live-slider").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], middle)
    page.evaluate("other => panel.update(other)", other)
    page.mouse.move(box["x"] + 0.7 * box["width"], middle)
    page.wait_for_function("document.querySelectorAll('.cascade-live__stage').length === 3")
    assert readout(page)["position"] == pytest.approx(0.7 * (POSITIONS - 1), abs=2)
    page.mouse.up()
    page.wait_for_function("document.querySelectorAll('.cascade-live__stage').length === 2")
    assert readout(page)["position"] == other["slider"]["initial"]
    assert [told[1] for told in page.evaluate("sent")] == [data["id"]]


def test_a_redraw_is_no_rebuild(browser_page: Page) -> None:
    data = payload(stages=3)
    page = show(browser_page, data)
    step = """i => {
        const input = document.querySelector("[data-testid=live-slider]");
        input.value = (i * 7) % 51;
        input.dispatchEvent(new Event("input", { bubbles: true }));
    }"""
    assert redraw_against_rebuild(page, data, step) < MOST_OF_A_REBUILD


def test_a_position_belongs_to_its_data() -> None:
    data = payload()
    initial = data["slider"]["initial"]
    assert released({"id": data["id"], "index": 7}, data) == Stand(index=7)
    for foreign in (None, {}, {"id": "other", "index": 7}, "7"):
        assert released(foreign, data) == Stand(index=initial)
    for index in (-1, POSITIONS, True, 7.5, "7", None):
        assert released({"id": data["id"], "index": index}, data) == Stand(index=initial)
    by_hand = {"id": data["id"], "index": 7, "hand": [0.5, None]}
    assert released(by_hand, data) == Stand(index=7, hand=(0.5, math.inf))
    for hand in ([0.5], [0.5, "x"], [0.5, True], [0.5, math.nan], [0.5, 1e300], "ab", None, {"a": 1}):
        assert released(by_hand | {"hand": hand}, data) == Stand(index=7)
