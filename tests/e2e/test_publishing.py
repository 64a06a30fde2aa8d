"""What is taken away for a paper or a talk, in a real browser: figures, slides, and the page on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import save_run
from tests.samples import sample_run

TIMEOUT = 30_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache = tmp_path_factory.mktemp("published")
    save_run(sample_run(n=2000, k=10), cache / "sample.parquet")
    return start_dashboard(cache)


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_test_id("live-readout")).to_be_visible(timeout=TIMEOUT)


def test_a_figure_with_other_names(browser_page: Page, url: str) -> None:
    page = browser_page
    opened(page, url)
    page.get_by_role("button", name="Figure for a paper").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img")).to_be_visible(timeout=TIMEOUT)
    dialog.get_by_text("Names in the figure").click()
    dialog.get_by_label("plain network", exact=True).fill("ResNet-56")
    dialog.get_by_label("plain network", exact=True).press("Enter")
    dialog.get_by_role("radio", name="a page, 6.9 in").click()
    page.wait_for_function("document.querySelector('[role=dialog] img')?.naturalWidth > 1200", timeout=TIMEOUT)
    for form, begin, within in (("PDF", b"%PDF", b"496.8 "), ("SVG", b"<?xml", b"<!-- ResNet-56 -->")):
        with page.expect_download() as download:
            dialog.get_by_role("button", name=form).click()
        written = Path(download.value.path()).read_bytes()
        assert written.startswith(begin)
        assert within in written
        name = download.value.suggested_filename
        assert name.startswith("sample-cheapest-1.0")
        assert name.endswith(f"points-1.{form.lower()}")


@pytest.mark.parametrize("view", ["explore", "compare", "present"])
def test_paper_is_light_with_nothing_to_press_and_nothing_cut(browser_page: Page, url: str, view: str) -> None:
    page = browser_page
    page.emulate_media(color_scheme="dark")
    page.goto(f"{url}/?view={view}")
    expect(page.locator("[data-testid=live-readout], .js-plotly-plot").first).to_be_visible(timeout=TIMEOUT)
    page.set_viewport_size({"width": 1032, "height": 730})  # A4 across, within its margins
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    seen = page.evaluate(
        """[...document.querySelectorAll("button:not(.cascade-live__value), input, select, textarea")]
        .filter(node => node.checkVisibility({ opacityProperty: true }) && node.offsetWidth > 1)
        .map(node => node.outerHTML.slice(0, 100))"""
    )
    assert seen == []
    assert page.evaluate("getComputedStyle(document.querySelector('[data-testid=stMain]')).overflowY") == "visible"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    ink = page.locator("[data-testid=live-panel], .js-plotly-plot text").first
    assert (
        ink.evaluate("node => getComputedStyle(node)[node.localName === 'text' ? 'fill' : 'color']")
        == "rgb(27, 33, 48)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 1032
