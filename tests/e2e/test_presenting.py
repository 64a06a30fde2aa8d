"""Links that are reloaded, and the presentation: one screen, steered by keys, with stops at pinned points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlparse

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, load_run, save_run
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from tests.e2e.settling import drawn, opened, settled
from tests.samples import sample_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("presented")
    save_run(sample_run(n=2000, k=10), cache / "sample.parquet")
    save_run(sample_run(n=2000, m=7, k=10), cache / "seven.parquet")
    return cache


@pytest.fixture(scope="module")
def url(folder: Path, start_dashboard: Callable[..., str]) -> str:
    return start_dashboard(folder)


@pytest.fixture(scope="module")
def expected(folder: Path) -> Exploration:
    return explore(halves(load_run(folder / "sample.parquet"), Split(seed=4)), CheapestWithinDrop, Split(seed=4))


def stands_at(page: Page, position: int, expected: Exploration) -> None:
    readout = page.get_by_test_id("live-readout")
    expect(readout).to_have_attribute("data-position", str(position))
    assert float(readout.get_attribute("data-saving") or "nan") == pytest.approx(expected.evaluation.saving[position])


def address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.evaluate("location.href")).query)


def waits_for(page: Page, name: str, value: str | None) -> None:
    """Until the address says so."""
    page.wait_for_function("([name, value]) => new URL(location).searchParams.get(name) === value", arg=[name, value])


def test_a_link_survives_a_reload_and_a_move(browser_page: Page, url: str, expected: Exploration) -> None:
    page = browser_page
    opened(page, f"{url}/?seed=4&at=2.5")
    stands_at(page, expected.nearest(0.025), expected)
    page.get_by_test_id("live-slider").press("ArrowRight")
    waits_for(page, "at", f"{float(expected.shown[expected.nearest(0.026)]):.9g}")
    assert address(page)["seed"] == ["4"]
    page.reload()
    stands_at(page, expected.nearest(0.026), expected)


def test_presented_by_keys(browser_page: Page, url: str, expected: Exploration) -> None:
    page, first = browser_page, expected.opening
    opened(page, f"{url}/?seed=4")
    page.get_by_role("button", name="Pin this point").click()
    expect(page.get_by_text("Pinned as number 1.")).to_be_visible()
    slider = page.get_by_test_id("live-slider")
    slider.press("End")
    waits_for(page, "at", f"{float(expected.shown[-1]):.9g}")
    page.get_by_role("button", name="Pin this point").click()
    expect(page.get_by_text("Pinned as number 2.")).to_be_visible()
    page.get_by_role("radio", name="Present").click()
    expect(page.locator(".cascade-live--presented")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_role("heading", name="What does a little accuracy buy?")).to_be_hidden()
    last = len(expected.path) - 1
    stands_at(page, last, expected)
    settled(page)
    assert page.evaluate("document.scrollingElement.scrollHeight <= window.innerHeight")
    body = page.locator(".cascade-live__body").bounding_box()
    assert body is not None
    assert body["height"] < 900 - 30
    page.locator("body").press("PageUp")
    stands_at(page, first, expected)
    expect(page.get_by_role("button", name="Previous stop")).to_be_disabled()
    page.locator("body").press("ArrowLeft")
    stands_at(page, expected.nearest(expected.path.positions[first] - 0.001), expected)
    for focus in (page.locator("body"), slider):  # the last stop: both keys stay there
        focus.press("PageDown")
        stands_at(page, last, expected)
    waits_for(page, "view", "present")
    page.reload()
    expect(page.locator(".cascade-live--presented")).to_be_visible()
    stands_at(page, last, expected)
    page.locator("body").press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    stands_at(page, last, expected)
    waits_for(page, "view", None)


def test_stops_are_of_different_runs(browser_page: Page, url: str) -> None:
    page = browser_page
    opened(page, f"{url}/?run=sample")
    page.get_by_role("button", name="Pin this point").click()
    page.wait_for_function("new URL(location).searchParams.has('pins')")
    opened(page, f"{url}/?run=seven&pins={quote(address(page)['pins'][0])}")
    page.get_by_role("button", name="Pin this point").click()
    expect(page.get_by_text("Pinned as number 2.")).to_be_visible()
    page.get_by_role("radio", name="Present").click()
    line = page.locator(".cascade-heading")
    expect(line).to_contain_text("seven, ")
    expect(page.get_by_role("button", name="Next stop")).to_be_disabled()
    page.locator("body").press("PageUp")
    expect(line).to_contain_text("sample, ")
    expect(page.get_by_role("button", name="Previous stop")).to_be_disabled()
    page.locator("body").press("PageDown")
    expect(line).to_contain_text("seven, ")
    waits_for(page, "view", "present")
    for width, height in ((390, 844), (844, 390)):  # the names of stops and keys take one line, and nothing scrolls
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollHeight <= window.innerHeight")


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1280, 720), (390, 844), (844, 390)])
def test_type_stays_large_with_seven_stages(browser_page: Page, url: str, width: int, height: int) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": height})
    opened(page, f"{url}/?run=seven&view=present")
    body = page.locator(".cascade-live__body")
    page.wait_for_function("document.querySelector('.cascade-live__body').style.zoom >= 0.85")
    drawn(page)
    box = body.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.evaluate(
        """[...document.querySelectorAll(".cascade-live__value")].map(value => (
          { height: value.getBoundingClientRect().height, over: value.scrollWidth - value.clientWidth }
        ))"""
    )
    assert min(one["height"] for one in sizes) >= 24
    assert max(one["over"] for one in sizes) <= 0  # no number runs into its neighbour
    expect(page.locator(".cascade-heading")).to_contain_text("seven, Cheapest within a drop: ")


def test_embedded(browser_page: Page, url: str, expected: Exploration) -> None:
    opened(browser_page, f"{url}/?seed=4&embed=true")
    stands_at(browser_page, expected.opening, expected)
    expect(browser_page.get_by_test_id("stToolbar")).to_have_count(0)
    browser_page.get_by_test_id("live-slider").press("ArrowRight")
    stands_at(browser_page, expected.nearest(round(expected.path.positions[expected.opening], 3) + 0.001), expected)
