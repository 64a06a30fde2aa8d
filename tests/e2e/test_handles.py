"""Thresholds as handles, and the curve as a control, in a real browser on a bare page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, evaluate
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data
from tests.e2e.bare import (
    MOST_OF_A_REBUILD,
    drag_handle,
    handle,
    move,
    readout,
    redraw_against_rebuild,
    released,
    show,
    stop_clock,
)
from tests.samples import sample_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright")


def explored(stages: int = 3) -> Exploration:
    split = Split(seed=1)
    return explore(halves(sample_run(2000, stages), split), CheapestWithinDrop, split, 101, "own")


def mounted(page: Page, exploration: Exploration) -> dict[str, Any]:
    data = live_data(exploration, confidence_axis("max_probability", 5), initial=50, unit="images", origin="")
    show(page, data)
    return data


def by_hand(exploration: Exploration, hand: list[float | None]) -> Setting:
    return Setting(exploration=exploration, position=0, by_hand=tuple(np.inf if one is None else one for one in hand))


@pytest.mark.parametrize("stages", [3, 7])
def test_the_readout_is_python_s_evaluation_of_the_thresholds(browser_page: Page, stages: int) -> None:
    exploration = explored(stages)
    mounted(browser_page, exploration)
    random = np.random.default_rng(5)
    for _ in range(30):
        drag_handle(browser_page, int(random.integers(stages - 1)), float(random.uniform(0, 1.05)))
        told = released(browser_page)
        assert len(told) == 3, "a drag of a handle sets thresholds by hand"
        one = by_hand(exploration, told[2]).evaluation
        shown = readout(browser_page)
        assert shown["accuracy"] == pytest.approx(one.accuracy, abs=1e-12)
        assert shown["drop"] == pytest.approx(one.accuracy_drop, abs=1e-12)
        assert shown["saving"] == pytest.approx(one.saving, abs=1e-12)


def test_a_drag_moves_one_threshold_and_says_nothing_until_it_ends(browser_page: Page) -> None:
    exploration = explored()
    data = mounted(browser_page, exploration)
    before = [column[50] for column in data["thresholds"]]
    early: list[int] = []
    drag_handle(browser_page, 0, 0.3, lambda: early.append(browser_page.evaluate("sent.length")))
    assert early == [0]
    g, identity, hand = released(browser_page)
    assert (g, identity) == (50, data["id"])
    assert hand[0] != before[0]
    assert hand[1] == before[1]
    assert hand[0] == pytest.approx(1 - 10 ** (-5 * 0.3), abs=0.002)
    line = browser_page.get_by_test_id("live-by-hand")
    assert "than by the policy" in line.inner_text()
    ghost = browser_page.locator(".cascade-live__ghost").first
    assert ghost.get_attribute("visibility") == "visible"
    assert "set by hand" in browser_page.get_by_test_id("live-certificate").inner_text()
    line.get_by_role("button", name="Back to the policy").click()
    browser_page.wait_for_function("sent.length === 2")
    assert browser_page.evaluate("sent.at(-1)") == [50, data["id"]]
    assert browser_page.get_by_test_id("live-by-hand").is_hidden()
    assert readout(browser_page)["accuracy"] == data["accuracy"][50]


def test_beyond_the_end_an_exit_is_off_and_double_click_takes_it_back(browser_page: Page) -> None:
    exploration = explored()
    mounted(browser_page, exploration)
    drag_handle(browser_page, 1, 1.03)
    assert released(browser_page)[2][1] is None
    assert handle(browser_page, 1).get_attribute("aria-valuetext") == "never leaves here"
    handle(browser_page, 1).dblclick()
    browser_page.wait_for_function("sent.at(-1).length === 2")


def test_arrow_keys_move_a_focused_handle_and_are_told_once(browser_page: Page) -> None:
    exploration = explored()
    data = mounted(browser_page, exploration)
    grip = handle(browser_page)
    assert (grip.get_attribute("role"), grip.get_attribute("aria-label")) == ("slider", "threshold of stage 1")
    before = grip.get_attribute("aria-valuetext")
    stop_clock(browser_page)
    grip.focus()
    for _ in range(3):
        grip.press("ArrowLeft")
    assert grip.get_attribute("aria-valuetext") != before
    browser_page.clock.run_for(500)
    hand = browser_page.evaluate("sent")[0][2]
    assert browser_page.evaluate("sent.length") == 1
    assert hand[0] < data["thresholds"][0][50]
    one = by_hand(exploration, hand)
    assert readout(browser_page)["accuracy"] == pytest.approx(evaluate(exploration.test, one.rule).accuracy)
    grip.press("Delete")
    browser_page.clock.run_for(500)
    assert browser_page.evaluate("sent.length") == 2
    assert len(browser_page.evaluate("sent.at(-1)")) == 2
    grip.press("End")
    assert grip.get_attribute("aria-valuetext") == "never leaves here"


def test_moving_the_slider_returns_to_the_policy(browser_page: Page) -> None:
    data = mounted(browser_page, explored())
    drag_handle(browser_page, 0, 0.3)
    move(browser_page, 70)
    assert readout(browser_page)["accuracy"] == data["accuracy"][70]
    assert browser_page.get_by_test_id("live-by-hand").is_hidden()


def test_a_click_on_the_curve_moves_the_slider_there(browser_page: Page) -> None:
    data = mounted(browser_page, explored())
    move(browser_page, 80)
    point = browser_page.locator(".cascade-live__point")
    at = point.bounding_box()
    move(browser_page, 5)
    assert at is not None
    browser_page.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    g, identity = released(browser_page)
    assert identity == data["id"]
    assert data["cost"][g] == pytest.approx(data["cost"][80], rel=0.05)
    assert browser_page.get_by_test_id("live-slider").input_value() == str(g)


def test_a_redraw_is_no_rebuild(browser_page: Page) -> None:
    data = mounted(browser_page, explored(7))
    step = """(() => {
        const grip = document.querySelector("[data-testid=live-handle-0]");
        const box = grip.parentElement.getBoundingClientRect();
        const at = { bubbles: true, pointerId: 1, button: 0, clientY: box.top + 20 };
        grip.setPointerCapture = () => {};
        grip.dispatchEvent(new PointerEvent("pointerdown", { ...at, clientX: box.left + 50 }));
        return i => grip.dispatchEvent(new PointerEvent("pointermove", { ...at, clientX: box.left + 50 + 5 * i }));
    })()"""
    assert redraw_against_rebuild(browser_page, data, step) < MOST_OF_A_REBUILD


def test_classes_with_thresholds_of_their_own_have_no_handles(browser_page: Page) -> None:
    from cascade_core import PaperRuleByClass

    split = Split(seed=1)
    exploration = explore(halves(sample_run(), split), PaperRuleByClass, split, 11, "own")
    data = live_data(exploration, confidence_axis("max_probability", 5), initial=3, unit="images", origin="")
    show(browser_page, data)
    assert browser_page.locator(".cascade-live__handle").count() == 0
    assert re.search("threshold for each class", browser_page.get_by_test_id("live-panel").inner_text())


def test_bars_and_the_curve_tell_their_numbers_to_pointer_and_keys(browser_page: Page) -> None:
    exploration = explored()
    data = mounted(browser_page, exploration)
    plot = browser_page.locator(".cascade-live__plot-box").first
    box = plot.bounding_box()
    assert box is not None
    note = browser_page.locator(".cascade-live__note-beside")
    bins = confidence_axis("max_probability", 5).bins(exploration.test.confidence[0])
    browser_page.mouse.move(box["x"] + 34 + (12 + 0.5) / 60 * (box["width"] - 42), box["y"] + 60)
    assert f": {np.count_nonzero(bins == 12):,} images, " in note.inner_text()
    browser_page.mouse.move(5, 5)
    assert note.is_hidden()
    plot.focus()
    plot.press("ArrowRight")
    plot.press("ArrowRight")
    expected = np.count_nonzero(bins == 1)
    assert (f": {expected} images, " if expected else "no images") in note.inner_text()
    plot.press("Escape")
    assert note.is_hidden()
    curve = browser_page.locator(".cascade-live__curve .cascade-live__plot-box")
    curve.focus()
    curve.press("ArrowRight")
    assert f"{100 * data['accuracy'][0]:.2f} % at" in note.inner_text()
    assert browser_page.evaluate("sent") == []


def test_the_flow_tells_who_leaves_at_a_stage(browser_page: Page) -> None:
    data = mounted(browser_page, explored())
    flow = browser_page.locator(".cascade-live__shares .cascade-live__plot-box")
    flow.focus()
    flow.press("ArrowRight")
    count = data["exit_counts"][0][50]
    assert f"{count:,} images leave at stage 1" in browser_page.locator(".cascade-live__note-beside").inner_text()
