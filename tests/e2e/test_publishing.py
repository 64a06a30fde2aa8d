"""What is taken away for a paper or a talk, in a real browser: figures, slides, and the page on paper."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")

from PIL import Image
from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.rendering.palette import LIGHT
from cascade_core.support.wording import percent
from tests.colours import rgb
from tests.e2e.settling import answered, opened, opened_from_disk, settled
from tests.samples import sample_run


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache = tmp_path_factory.mktemp("published")
    save_run(sample_run(n=2000, k=10), cache / "sample.parquet")
    return start_dashboard(cache)


def test_a_figure_with_other_names(browser_page: Page, url: str) -> None:
    page = browser_page
    opened(page, url)
    page.get_by_role("button", name="Figure for a paper").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img")).to_be_visible()
    dialog.get_by_text("Names in the figure").click()
    dialog.get_by_label("plain network", exact=True).fill("ResNet-56")
    dialog.get_by_label("plain network", exact=True).press("Enter")
    dialog.get_by_role("radio", name="a page, 6.9 in").click()
    page.wait_for_function("document.querySelector('[role=dialog] img')?.naturalWidth > 1200")
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
    expect(page.locator("[data-testid=live-readout], .js-plotly-plot").first).to_be_visible()
    settled(page)
    page.set_viewport_size({"width": 1032, "height": 730})  # A4 across, within its margins
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    seen = page.evaluate(
        """[...document.querySelectorAll("button, input, select, textarea")]
        .filter(node => !node.matches(".cascade-live__value, .cascade-gallery__tile"))
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
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as sheet:
        distance = np.abs(np.asarray(sheet.convert("RGB"), dtype=int) - (0x0E, 0x11, 0x17)).max(axis=2)
    assert (distance <= 6).mean() < 0.001, "something keeps the dark theme's background"


def fills(pdf: bytes) -> set[tuple[float, ...]]:
    """Colours, red, green and blue in [0, 1], that a PDF fills with."""
    packed = re.findall(rb"FlateDecode[^>]*>>\s*stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    streams = [zlib.decompressobj().decompress(raw) for raw in packed]
    found = [re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b", stream) for stream in streams]
    return {tuple(round(float(part), 3) for part in colour) for one in found for colour in one}


def parts(colour: str) -> tuple[float, ...]:
    return tuple(round(part / 255, 3) for part in rgb(colour))


@pytest.mark.parametrize(("view", "most"), [("explore", 8), ("present", 1)])
def test_a_pdf_from_the_dark_theme_is_light(browser_page: Page, url: str, view: str, most: int) -> None:
    browser_page.emulate_media(color_scheme="dark")
    page = opened(browser_page, f"{url}/?view={view}")
    pdf = page.pdf(format="A4", landscape=True)
    assert 1 <= len(re.findall(rb"/Type /Page\b", pdf)) <= most
    colours = fills(pdf)
    assert parts(LIGHT.text) in colours
    assert not colours & {parts(one) for one in ("#0e1117", "#1a1f29")}


def test_slides_open_from_disk_and_show_every_stop(browser_page: Page, url: str, tmp_path: Path) -> None:
    page = opened(browser_page, f"{url}/?at=0.5")
    page.get_by_role("button", name="Pin this point").click()
    expect(page.get_by_text("Pinned as number 1.")).to_be_visible()
    with answered(page):
        page.get_by_test_id("live-slider").press("End")
    page.get_by_role("button", name="Pin this point").click()
    expect(page.get_by_text("Pinned as number 2.")).to_be_visible()
    page.get_by_role("radio", name="Compare").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Slides").click()
    assert download.value.suggested_filename == "slides.html"
    download.value.save_as(tmp_path / "slides.html")
    opened_from_disk(page, tmp_path / "slides.html")
    split = Split()
    swept = explore(halves(sample_run(n=2000, k=10), split), CheapestWithinDrop, split)
    now = page.locator(".slide:visible")
    for position, name in ((swept.nearest(0.005), "0.5 points"), (len(swept.path) - 1, "5.0 points")):
        expect(now).to_have_count(1)
        expect(now.get_by_role("heading")).to_contain_text(name)
        expect(now.locator("dl dd").first).to_have_text(percent(swept.at(position).accuracy, 1))
        assert now.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        page.keyboard.press("ArrowRight")
    page.emulate_media(media="print")
    expect(now).to_have_count(2)
    assert len(re.findall(rb"/Type /Page\b", page.pdf(prefer_css_page_size=True))) == 2
