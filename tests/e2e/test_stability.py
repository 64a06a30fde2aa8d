"""A release changes numbers and nothing else: nothing moves, fades or flickers, and a zoomed chart stays zoomed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import save_run
from tests.e2e.settling import answered, drawn, opened, settled
from tests.samples import sample_run

PATIENCE = 3000
"""Milliseconds until the style sheet (`private.STYLE`) lets fade what a rerun has not sent again."""

WATCH = """PATIENCE => {
    const seen = (window.seen_ = { shifts: [], faded: [], gone: [], frames: 0 });
    new PerformanceObserver(list => list.getEntries().forEach(
        entry => seen.shifts.push(...entry.sources.map(one => one.node).filter(
            // The bubble and the texts of the panel follow the thumb; they lie within boxes that stay.
            node => node && !node.closest?.(".cascade-live__body > *")
        ).map(node => node.outerHTML.slice(0, 200)))
    )).observe({ type: "layout-shift" });
    const kept = [...document.querySelectorAll("[data-testid=stElementContainer]:not(:has(> .stEmpty))")];
    // What a slow server has not sent again for PATIENCE milliseconds may fade.
    const stale = new Map(), faint = new Set();
    new MutationObserver(changes => changes.forEach(({ target }) => {
        if (target.dataset.stale === "true") stale.set(target, performance.now());
    })).observe(document.body, { subtree: true, attributeFilter: ["data-stale"] });
    const look = () => {
        seen.frames += 1;
        for (const node of kept) {
            const paler = Number(getComputedStyle(node).opacity) < 1;
            const patient = performance.now() - stale.get(node) >= PATIENCE;
            if (!node.isConnected) seen.gone.push(node.className);
            else if (paler && !patient && !faint.has(node)) seen.faded.push(node.className);
            if (paler) faint.add(node);
            else faint.delete(node);
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
"""Notes every shift of the layout, and every frame in which something that stood there is faded or gone."""

CHART = "document.querySelector('.js-plotly-plot')"


@pytest.fixture
def page(browser_page: Page, tmp_path: Path, start_dashboard: Callable[..., str]) -> Page:
    save_run(sample_run(n=4000, k=10), tmp_path / "sample.parquet")
    opened(browser_page, start_dashboard(tmp_path))
    expect(browser_page.get_by_text("Load a thresholds JSON")).to_be_visible()
    settled(browser_page)
    return browser_page


def test_a_release_moves_nothing_and_keeps_a_chart_zoomed(page: Page) -> None:
    slider = page.get_by_test_id("live-slider")
    page.evaluate(WATCH, PATIENCE)
    for key in ("End", "Home"):
        with answered(page):
            slider.press(key)
    seen = page.evaluate("window.seen_")
    assert seen["frames"] > 20
    assert (seen["shifts"], seen["faded"], seen["gone"]) == ([], [], [])

    page.get_by_role("tab", name="Curve in detail").click()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    chart = page.locator(".js-plotly-plot .nsewdrag").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    whole = page.evaluate(f"{CHART}._fullLayout.xaxis.range")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_function(f"low => {CHART}._fullLayout.xaxis.range[0] > low", arg=whole[0])
    drawn(page)
    zoomed = page.evaluate(f"{CHART}._fullLayout.xaxis.range")
    chosen = f"{CHART}._fullData.find(one => one.name === 'chosen').x[0]"
    before = page.evaluate(chosen)
    for key in ("End", "Home"):
        with answered(page):
            slider.press(key)
        assert page.evaluate(chosen) != before
        assert page.evaluate(f"{CHART}._fullLayout.xaxis.range") == zoomed
        before = page.evaluate(chosen)
    # A double click shows all again, and that stays as well.
    chart.dblclick()
    page.wait_for_function(f"{CHART}._fullLayout.xaxis.autorange === true")
    with answered(page):
        slider.press("End")
    low, high = page.evaluate(f"{CHART}._fullLayout.xaxis.range")
    assert low < zoomed[0]
    assert high > zoomed[1]


def test_room_for_share_is_kept_beside_the_line_at_every_width(page: Page) -> None:
    line, bar = page.locator(".cascade-heading"), page.locator(".st-key-bar")
    for width in (1400, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        drawn(page)
        share = page.get_by_role("button", name="Share").bounding_box()
        text, whole = line.bounding_box(), bar.bounding_box()
        assert share is not None
        assert text is not None
        assert whole is not None
        assert text["x"] + text["width"] < share["x"]
        assert share["x"] + share["width"] <= whole["x"] + whole["width"] + 1
        assert whole["height"] == text["height"]  # the button, which comes late, makes it no higher
