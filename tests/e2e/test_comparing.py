"""Compare in a real browser: names at the curves that stand on nothing, and two panels that one slider moves."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, save_run
from cascade_core.analysis.alongside import nearest_drop, nearest_saving
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from tests.e2e.settling import drawn, messages, settled
from tests.samples import sample_run

RUNS = {f"net-{name}": sample_run(seed=seed) for seed, name in enumerate(("ant", "bee", "cat", "dog"))}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache: Path = tmp_path_factory.mktemp("cache")
    for name, run in RUNS.items():
        save_run(run, cache / f"{name}.parquet")
    return f"{start_dashboard(cache)}?view=compare&run=net-ant"


def explored(name: str) -> Exploration:
    return explore(halves(RUNS[name], Split()), CheapestWithinDrop, Split())


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.locator(selector).evaluate_all(
        "nodes => nodes.map(node => { const b = node.getBoundingClientRect(); "
        "return { left: b.left, right: b.right, top: b.top + 3, bottom: b.bottom - 3 } })"
    )
    return found


def readout(page: Page, side: int) -> dict[str, Any]:
    data: dict[str, Any] = (
        page.get_by_test_id(f"beside-head-{side}")
        .get_by_test_id("live-readout")
        .evaluate("node => ({ ...node.dataset })")
    )
    return data


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_test_id("comparison-chart").locator("[data-run]")).to_have_count(len(RUNS))
    expect(page.get_by_test_id("beside-head-1").get_by_test_id("live-readout")).to_be_visible()
    settled(page)
    drawn(page)


@pytest.mark.parametrize("width", [1400, 1024, 390])
def test_names_stand_inside_the_chart_and_never_on_one_another(browser_page: Page, address: str, width: int) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, address)
    (chart,) = boxes(page, "[data-testid=comparison-chart] svg[role=img]")
    names = boxes(page, "[data-testid=comparison-chart] [data-run]")
    assert all(chart["left"] <= one["left"] and one["right"] <= chart["right"] for one in names)
    for one, other in combinations(names, 2):
        apart = one["right"] <= other["left"] or other["right"] <= one["left"]
        assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_one_slider_moves_both_and_python_agrees(browser_page: Page, address: str) -> None:
    page = browser_page
    opened(page, address)
    first, second = explored("net-ant"), explored("net-bee")
    slider = page.get_by_test_id("beside").get_by_test_id("live-slider")
    expect(slider).to_have_count(1)
    for hold in ("drop", "cost"):
        page.get_by_test_id("stSidebar").get_by_role("radio", name=f"the same {hold}").click()
        expect(page.get_by_test_id("beside-difference")).to_contain_text(f"at this {hold}")
        for position in range(0, 401, 40):
            slider.evaluate(
                "(input, g) => { input.value = g; input.dispatchEvent(new Event('input', { bubbles: true })); }",
                position,
            )
            drawn(page)
            here = first.at(position)
            follows = (
                nearest_drop(second.evaluation, here.accuracy_drop)
                if hold == "drop"
                else nearest_saving(second.evaluation, here.saving)
            )
            assert readout(page, 0)["position"] == str(position)
            assert readout(page, 1)["position"] == str(follows)
            assert float(readout(page, 1)["saving"]) == pytest.approx(second.at(follows).saving)


def test_a_drag_sends_nothing_until_it_is_let_go_and_explore_stands_there_then(
    browser_page: Page, address: str
) -> None:
    page = browser_page
    opened(page, address)
    slider = page.get_by_test_id("beside").get_by_test_id("live-slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    before = messages(page)
    for step in range(20):
        page.mouse.move(box["x"] + (0.3 + 0.02 * step) * box["width"], box["y"] + box["height"] / 2)
    drawn(page)
    position = readout(page, 0)["position"]
    assert messages(page) == before
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"[?&]at="))
    page.get_by_test_id("stMain").get_by_role("radio", name="Explore", exact=True).click()
    expect(page.get_by_test_id("beside")).to_have_count(0)
    expect(page.get_by_test_id("live-readout")).to_have_attribute("data-position", position)


def test_readouts_come_first_on_a_narrow_screen(browser_page: Page, address: str) -> None:
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 900})
    opened(page, address)
    tops = [
        page.get_by_test_id(name).first.evaluate("node => node.getBoundingClientRect().top")
        for name in ("beside-head-0", "beside-head-1", "beside-difference", "beside-charts-0", "beside-charts-1")
    ]
    assert tops == sorted(tops)
    assert len(set(tops)) == len(tops)
    names = page.get_by_test_id("beside").locator(".cascade-live__side-name")
    expect(names.last).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(names.last).to_be_hidden()
