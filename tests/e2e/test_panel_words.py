"""What the live panel says and offers beside its charts: sums behind numbers, next steps, presets, a first visit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.e2e.bare import move, readout, show
from tests.e2e.settling import drawn
from tests.e2e.simulated import MACS, POSITIONS, SAMPLES, payload

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright")


def test_each_number_opens_into_a_sum_that_follows_the_drag(browser_page: Page) -> None:
    data = payload()
    page = show(browser_page, data)
    box = page.get_by_test_id("live-opened")
    assert box.is_hidden()
    value = page.locator(".cascade-live__value").nth(3)
    value.focus()
    page.keyboard.press("Enter")
    assert value.get_attribute("aria-expanded") == "true"
    for g in (5, 30):
        move(page, g)
        exits = [row[g] / SAMPLES for row in data["exit_counts"]]
        terms = re.findall(r"([\d.]+) % \u00d7 ([\d.]+)", box.inner_text().replace("\u00a0", " "))
        assert [float(share) for share, _ in terms] == pytest.approx(
            [100 * share for share in exits if share], abs=0.06
        )
        total = sum(float(share) * float(cost) / 100 for share, cost in terms)
        assert total == pytest.approx(100 * data["cost"][g] / MACS, abs=0.2)
    page.locator(".cascade-live__value").nth(1).click()
    harmed, n = data["harmed"][30], SAMPLES
    assert f"{harmed} of {n} images are harmed" in box.inner_text()
    assert value.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Escape")
    assert box.is_hidden()


def test_presets_and_typed_values_move_the_slider_and_are_released_once(browser_page: Page) -> None:
    page = show(browser_page, payload())
    preset = page.get_by_role("button", name="Half a point")
    preset.click()
    page.wait_for_function("sent.length === 1")
    assert readout(page)["value"] == pytest.approx(0.5)
    assert preset.get_attribute("aria-pressed") == "true"
    field = page.get_by_test_id("live-typed")
    assert field.input_value() == "0.5"
    field.fill("2.34")
    field.press("Enter")
    page.wait_for_function("sent.length === 2")
    assert readout(page)["value"] == pytest.approx(2.3)
    assert field.input_value() == "2.3"
    assert preset.get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="Best value").click()
    page.wait_for_function("sent.length === 3")


def test_the_next_step_follows_the_slider(browser_page: Page) -> None:
    data = payload()
    data["saving"] = [0.01 * min(g, 20) for g in range(POSITIONS)]
    page = show(browser_page, data)
    line = page.get_by_test_id("live-next")
    for g, said in (
        (0, "The next half point saves 5.0 % more of the computation; the one after that 5.0 %."),
        (15, "The next half point saves 5.0 % more of the computation; the one after that almost nothing."),
        (POSITIONS - 1, "This is the bold end of the slider."),
    ):
        move(page, g)
        assert line.inner_text() == said


def test_arrows_step_by_a_tenth_of_a_point(browser_page: Page) -> None:
    data = payload()
    data["slider"]["values"] = [0.05 * g for g in range(POSITIONS)]
    page = show(browser_page, data)
    move(page, 3)
    slider = page.get_by_test_id("live-slider")
    slider.press("ArrowRight")
    assert readout(page)["value"] == pytest.approx(0.2)
    slider.press("ArrowRight")
    assert readout(page)["value"] == pytest.approx(0.3)
    slider.press("Shift+ArrowLeft")
    assert readout(page)["value"] == pytest.approx(0.25)


def finger(page: Page) -> Callable[..., object]:
    """What puts a finger on the page, as the browser's own protocol has it."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        drawn(page)

    return touch


def rolled_out(page: Page) -> None:
    """Wait until a page that was flung lies still."""
    page.evaluate(
        """() => new Promise(done => {
            let last = -1;
            const look = () => (scrollY === last ? done() : ((last = scrollY), setTimeout(look, 200)));
            look();
        })"""
    )


def test_a_finger_that_scrolls_leaves_the_slider_alone(new_window: Callable[..., Page]) -> None:
    page = show(new_window(viewport={"width": 390, "height": 600}, has_touch=True), payload())
    start = readout(page)["position"]
    box = page.get_by_test_id("live-slider").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2
    touch = finger(page)
    touch("touchStart", (x, y))
    for step in range(1, 12):
        touch("touchMove", (x, y - 20 * step))
    touch("touchEnd")
    rolled_out(page)
    assert page.evaluate("scrollY") > 0
    assert readout(page)["position"] == start
    assert int(page.get_by_test_id("live-slider").input_value()) == start
    assert page.evaluate("sent") == []
    page.evaluate("scrollTo(0, 0)")
    touch("touchStart", (x, y))
    for step in range(1, 12):
        touch("touchMove", (x - 15 * step, y))
    touch("touchEnd")
    page.wait_for_function("sent.length === 1")
    assert readout(page)["position"] < 0.5 * POSITIONS
    touch("touchStart", (x, y))
    touch("touchEnd")
    page.wait_for_function("sent.length === 2")
    assert readout(page)["position"] == pytest.approx(0.8 * (POSITIONS - 1), abs=2)


def test_the_flow_shows_right_and_wrong_of_what_leaves(browser_page: Page) -> None:
    data = payload()
    page = show(browser_page, data)
    drawing = page.locator(".cascade-live__shares svg.cascade-live__plot")
    for g in (5, 30):
        move(page, g)
        wrong = drawing.locator(".cascade-live__bar-wrong").evaluate_all("bars => bars.map(b => b.getBBox().height)")
        right = drawing.locator(".cascade-live__segment").evaluate_all("bars => bars.map(b => b.getBBox().height)")[
            1::2
        ]
        assert sum(wrong) + sum(right) == pytest.approx(84, abs=0.5)
        for stage in range(3):
            exits, hits = data["exit_counts"][stage][g], data["correct_counts"][stage][g]
            assert right[stage] == pytest.approx(84 * hits / SAMPLES, abs=0.11)
            assert wrong[stage] == pytest.approx(84 * (exits - hits) / SAMPLES, abs=0.11)


def test_a_first_visit_is_told_once(browser_page: Page, dashboard: str) -> None:
    page = browser_page
    page.goto(dashboard)
    guide = page.get_by_test_id("live-guide")
    guide.wait_for()
    assert guide.get_by_role("listitem").count() == 4
    guide.get_by_role("button", name="Got it").click()
    assert guide.is_hidden()
    page.reload()
    page.get_by_test_id("live-slider").wait_for()
    assert guide.is_hidden()


def test_presented_and_bare_panels_have_no_guide(browser_page: Page) -> None:
    page = show(browser_page, payload())
    assert page.get_by_test_id("live-guide").is_hidden()
