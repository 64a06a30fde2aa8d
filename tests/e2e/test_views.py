"""The views in a real browser: one walk from the slider through samples, classes and the run's origin and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, load_run
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.panels.operating import operating_words
from tests.serving import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    (cache / "digits.parquet").symlink_to(ROOT / "cache" / "digits.parquet")
    return cache


@pytest.fixture(scope="module")
def expected(folder: Path) -> Exploration:
    return explore(halves(load_run(folder / "digits.parquet"), Split()), CheapestWithinDrop, Split())


def look(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def line(page: Page, exploration: Exploration, position: int) -> None:
    """Wait for the line on the operating point, as a browser shows its markdown."""
    words = operating_words(Setting(exploration=exploration, position=position)).replace("**", "")
    expect(page.get_by_test_id("stMarkdown").filter(has_text=words)).to_be_visible()


def no_overflow(page: Page) -> None:
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_walk_through_the_views(
    browser_page: Page, folder: Path, expected: Exploration, start_dashboard: Callable[..., str]
) -> None:
    page = browser_page
    page.goto(start_dashboard(folder))
    slider = page.get_by_test_id("live-slider")
    expect(slider).to_be_visible()
    slider.focus()
    slider.press("End")
    last = len(expected.path) - 1
    # The address follows the release; then Python knows where the slider rests.
    expect(page).to_have_url(re.compile(r"[?&]at="))

    look(page, "Samples")
    line(page, expected, last)
    cards = page.locator(".cascade-gallery__item")
    expect(cards).to_have_count(24)
    picture = cards.first.locator("img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => [image.complete, image.naturalWidth, image.naturalHeight]") == [True, 128, 128]
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    first = cards.first.locator(".cascade-gallery__id").inner_text()
    page.get_by_role("button", name=re.compile("^(Go to )?(page )?2$", re.IGNORECASE)).first.click()
    expect(cards.first.locator(".cascade-gallery__id")).not_to_have_text(first)
    here = expected.at(last)
    page.get_by_role("radio", name=f"Wrong {here.n - here.correct_counts.sum()}").click()
    expect(cards).to_have_count(min(24, here.n - int(here.correct_counts.sum())))
    expect(cards.locator(".cascade-gallery__here .cascade-gallery__wrong")).to_have_count(cards.count())
    page.set_viewport_size({"width": 390, "height": 900})
    no_overflow(page)
    page.set_viewport_size({"width": 1280, "height": 900})

    look(page, "Groups")
    line(page, expected, last)
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    page.set_viewport_size({"width": 390, "height": 900})
    no_overflow(page)
    page.set_viewport_size({"width": 1280, "height": 900})

    look(page, "About")
    line(page, expected, last)
    expect(page.locator(".cascade-facts")).to_contain_text("scikit-learn's digits")
    expect(page.locator(".js-plotly-plot")).to_have_count(1)

    look(page, "Explore")
    expect(page.get_by_test_id("live-readout")).to_have_attribute("data-position", str(last))
