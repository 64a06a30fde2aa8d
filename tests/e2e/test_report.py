"""The report in a real browser, from disk and without a network, and the charts that it saves as pictures."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, StageOutputs, evaluate
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.live.groups import stage_cuts
from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.published import PUBLISHED
from cascade_core.rendering.report import report_html
from cascade_core.rendering.report.pieces import file
from cascade_core.storage.origin import Origin
from tests.colours import contrast
from tests.e2e.bare import drag_handle, handle, move, readout
from tests.e2e.settling import opened_from_disk
from tests.samples import sample_run

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</script><img src=x onerror=alert(1)>\x0b & \"b\" 'c'"
CHARTS = {
    "stages": (
        "Samples that reach each stage",
        ["right, leaves here", "right, goes on", "wrong", "stage 1", "stage 3"],
    ),
    "curve": (
        "Accuracy against computation",
        ["cascade, at every position of the slider", "95 % interval", "certified with 95 % confidence", "chosen"],
    ),
    "shares": ("Where samples leave", ["stage", "share", "samples", "right", "stage 1", "stage 2", "stage 3"]),
}
"""Each chart's title, and texts of its legend."""


def opened(page: Page, folder: Path, outputs: StageOutputs, name: str = "mine") -> Exploration:
    """Write a report, and open it from disk with the network off; the panel shows position 40 of 101."""
    exploration = explore(halves(outputs, Split()), CheapestWithinDrop, Split(), count=101)
    data = live_data(
        exploration,
        confidence_axis("max_probability", outputs.probs.shape[2]),
        initial=0,
        published=PUBLISHED[:1],
        name=name,
        **words(Origin.of(outputs.source), name),
    )
    written = folder / "report.html"
    run = {"name": name, "sha256": "0" * 64}
    written.write_text(
        report_html(Setting(exploration=exploration, position=40), data, run=run, source=outputs.source),
        encoding="utf-8",
    )
    opened_from_disk(page, written)
    page.get_by_test_id("live-readout").wait_for()
    return exploration


def saved(page: Page, chart: str, kind: str) -> tuple[str, bytes]:
    """Press a chart's button; the name of the file that comes, and what is in it."""
    with page.expect_download() as download:
        page.get_by_test_id(f"live-{chart}-{kind}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def texts(picture: bytes) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(picture).iter(f"{SVG}text")]


def test_the_slider_moves_what_python_computed(browser_page: Page, tmp_path: Path) -> None:
    exploration = opened(browser_page, tmp_path, sample_run())
    assert readout(browser_page)["position"] == 40
    for g in (0, 100, 7, 93, 21, 55, 40, 64, 78, 1):
        move(browser_page, g)
        one = evaluate(exploration.test, exploration.path.rule(g))
        assert readout(browser_page) == {
            "accuracy": one.accuracy,
            "drop": pytest.approx(one.accuracy_drop, abs=1e-15),
            "saving": one.saving,
            "position": g,
            "value": pytest.approx(exploration.shown[g]),
        }
        rows = browser_page.locator(".cascade-live__shares tbody tr")
        leaving = [int(rows.nth(m).locator("td").nth(1).inner_text().replace(",", "")) for m in range(3)]
        assert leaving == one.exit_counts.tolist()


def test_a_handle_that_is_dragged_is_counted_as_python_counts(browser_page: Page, tmp_path: Path) -> None:
    exploration = opened(browser_page, tmp_path, sample_run(2000))
    grid = confidence_axis("max_probability", 5).grid
    cuts = [stage_cuts(grid, column) for column in exploration.path.thresholds.T]
    for stage, place in ((0, 0.2), (1, 0.5), (0, 0.6), (1, 1.03), (0, 0.05)):
        drag_handle(browser_page, stage, place)
        at = [int(handle(browser_page, one).get_attribute("aria-valuenow") or "") for one in range(2)]
        hand = tuple(float(np.append(cut, np.inf)[index]) for cut, index in zip(cuts, at, strict=True))
        one = Setting(exploration=exploration, position=40, by_hand=hand).evaluation
        shown = readout(browser_page)
        assert shown["accuracy"] == pytest.approx(one.accuracy, abs=1e-12)
        assert shown["drop"] == pytest.approx(one.accuracy_drop, abs=1e-12)
        assert shown["saving"] == pytest.approx(one.saving, abs=1e-12)
    browser_page.get_by_role("button", name="Back to the policy").click()
    assert readout(browser_page)["accuracy"] == exploration.at(40).accuracy


def test_charts_are_saved_with_title_and_legend(browser_page: Page, tmp_path: Path) -> None:
    exploration = opened(browser_page, tmp_path, sample_run())
    move(browser_page, 60)
    one = exploration.at(60)
    for chart, (title, legend) in CHARTS.items():
        name, drawing = saved(browser_page, chart, "svg")
        shown = f"{exploration.shown[60]:.1f}"
        stem = f"mine-cheapest-{exploration.shown[60]:.2f}points-{chart}"
        assert name == f"{stem}.svg"
        root = ET.fromstring(drawing)
        assert root.tag == f"{SVG}svg"
        said = texts(drawing)
        assert said[0] == title
        assert not set(legend) - set(said)
        line = " ".join(said[-2:])
        assert "mine, cheapest \u2013 acceptable accuracy drop" in line
        assert f"{shown} points: {100 * one.accuracy:.1f} % accuracy" in line
        assert f"saves {100 * one.saving:.0f} % of the computation" in line
        # It stands alone: no style sheet, no variables, no classes, nothing from elsewhere.
        whole = drawing.decode()
        assert not [
            word for word in ("class=", "style=", "var(", "color-mix", "href", "<image", "NaN") if word in whole
        ]
        assert {node.get("font-family") for node in root.iter(f"{SVG}text")} == {"sans-serif"}

        name, pixels = saved(browser_page, chart, "png")
        assert name == f"{stem}.png"
        assert pixels.startswith(b"\x89PNG\r\n\x1a\n")
        with Image.open(io.BytesIO(pixels)) as image:
            assert image.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
            found = image.convert("RGB").getcolors(1 << 24) or []
        colours = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in found if isinstance(colour, tuple)}
        assert "#ffffff" in colours
        assert ("#0571ba" if chart == "curve" else LIGHT.ramp[0]) in colours
    assert browser_page.get_by_test_id("live-panel").count() == 1
    assert browser_page.locator(".cascade-live__studio").count() == 0


BOXES = """svg => {
  document.body.innerHTML = svg;
  return [...document.querySelectorAll("text")].filter(node => node.textContent.trim()).map(node => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return { text: node.textContent, left, right, top: top + 3, bottom: bottom - 3 };
  });
}"""


def meetings(boxes: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (one["text"], other["text"])
        for one, other in combinations(boxes, 2)
        if min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
        and min(one["bottom"], other["bottom"]) > max(one["top"], other["top"])
    }


def test_pictures_keep_their_texts_apart_in_another_font(browser_page: Page, tmp_path: Path) -> None:
    opened(browser_page, tmp_path, sample_run(m=7))
    drawings = {chart: saved(browser_page, chart, "svg")[1].decode().split("?>\n", 1)[1] for chart in CHARTS}
    blank = browser_page.context.new_page()
    for drawing in drawings.values():
        here = blank.evaluate(BOXES, drawing)
        assert not meetings(here)
        wider = drawing.replace('font-family="sans-serif"', 'font-family="DejaVu Sans Mono"')
        there = blank.evaluate(BOXES, wider)
        assert [one["text"] for one in there] == [one["text"] for one in here]
        assert [one["right"] - one["left"] for one in there] == pytest.approx(
            [one["right"] - one["left"] for one in here], rel=0.03, abs=2
        )
        assert not meetings(there)
        loose = blank.evaluate(BOXES, re.sub(' (textLength|lengthAdjust)="[^"]*"', "", wider))
        assert max(one["right"] - one["left"] for one in loose) > 1.1 * max(one["right"] - one["left"] for one in here)


def test_pictures_hold_the_position_and_the_scheme(browser_page: Page, tmp_path: Path) -> None:
    browser_page.emulate_media(color_scheme="dark")
    exploration = opened(browser_page, tmp_path, sample_run())
    for g in (0, 100):
        move(browser_page, g)
        said = texts(saved(browser_page, "shares", "svg")[1])
        for count in exploration.at(g).exit_counts:
            assert str(count) in said
    background = next(ET.fromstring(saved(browser_page, "curve", "svg")[1]).iter(f"{SVG}rect"))
    assert background.get("fill") == "#0e1117"


def test_names_from_files_are_text_in_page_and_pictures(browser_page: Page, tmp_path: Path) -> None:
    outputs = replace(
        sample_run(names=[HOSTILE, "b" * 120, "c"]),
        class_names=(HOSTILE, "b", "c", "d", "e"),
        source={"title": HOSTILE, HOSTILE: HOSTILE},
    )
    opened(browser_page, tmp_path, outputs, HOSTILE)
    assert browser_page.locator("img").count() == 0
    assert "<img src=x" in browser_page.locator("h1").inner_text()
    for chart in CHARTS:
        name, drawing = saved(browser_page, chart, "svg")
        assert not set('<>:"/\\|?*\x0b ') & set(name)
        assert "</script><img src=x onerror=alert(1)>" in " ".join(texts(drawing))
    assert saved(browser_page, "shares", "png")[1].startswith(b"\x89PNG")


def test_fits_a_phone_and_the_keyboard(browser_page: Page, tmp_path: Path) -> None:
    browser_page.set_viewport_size({"width": 390, "height": 800})
    opened(browser_page, tmp_path, sample_run(m=7))
    assert browser_page.evaluate("document.documentElement.scrollWidth") == 390
    button = browser_page.get_by_role("button", name="SVG: save the chart \u201cAccuracy against computation\u201d")
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    browser_page.get_by_test_id("live-slider").focus()
    for _ in range(40):  # presets, pictures of the stages, histograms and handles come first
        browser_page.keyboard.press("Tab")
        if browser_page.evaluate("document.activeElement.dataset.testid") == "live-curve-svg":
            break
    with browser_page.expect_download() as download:
        browser_page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith("-curve.svg")


def test_paper_is_light_and_has_nothing_to_press(browser_page: Page, tmp_path: Path) -> None:
    browser_page.emulate_media(color_scheme="dark")
    opened(browser_page, tmp_path, sample_run())
    panel = browser_page.get_by_test_id("live-panel")
    assert panel.get_attribute("data-scheme") == "dark"
    browser_page.emulate_media(media="print", color_scheme="dark")
    expect(panel).to_have_attribute("data-scheme", "light")
    assert browser_page.get_by_test_id("live-slider").is_hidden()
    assert browser_page.locator(".cascade-live__pictures").first.is_hidden()
    assert "acceptable accuracy drop" in browser_page.locator(".cascade-live__bubble").inner_text()
    assert browser_page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser_page.emulate_media(media="screen", color_scheme="dark")
    expect(panel).to_have_attribute("data-scheme", "dark")


def test_colours_have_contrast() -> None:
    sheet = file("report.css")
    light, dark = (dict(re.findall(r"--report-(\w+): (#\w{6})", part)) for part in sheet.split("@media", 2)[:2])
    for colours in (light, dark):
        for ink in ("text", "muted", "accent"):
            assert contrast(colours[ink], colours["back"]) >= 4.5
            assert contrast(colours[ink], colours["raised"]) >= 4.5
