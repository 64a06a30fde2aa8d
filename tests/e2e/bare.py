"""The live panel by itself, without Streamlit and without a server: mounting it, moving it, and reading it."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page

from cascade_core.rendering.live import live_css, live_js
from tests.e2e.settling import drawn

REBUILDS = 9

MOST_OF_A_REBUILD = 0.25
"""Milliseconds differ from machine to machine; that a redraw takes far less than a rebuild (1 to 5 % here) does not."""


def show(page: Page, data: dict[str, Any], style: str = "") -> Page:
    """Mount a payload on a bare page; what it releases is kept in `window.sent`."""
    script = f"{live_js()}\nwindow.mountPanel = mount; window.entry = streamlit;"
    page.set_content(
        f"<!doctype html><meta charset=utf-8><style>body {{ margin: 0; {style} }}\n{live_css()}</style>"
        f"<div id=root></div><script type=module>{script}</script>"
    )
    page.wait_for_function("Boolean(window.mountPanel)")
    page.evaluate(
        """data => {
            window.sent = [];
            window.panel = mountPanel(document.getElementById("root"), data, {
                release: ({ g, hand }, id) => sent.push(hand ? [g, id, hand] : [g, id]),
            });
        }""",
        data,
    )
    return page


def move(page: Page, index: int) -> None:
    """Drag to a position without letting go, and wait for the frame that draws it."""
    page.get_by_test_id("live-slider").evaluate(
        "(input, g) => { input.value = g; input.dispatchEvent(new Event('input', { bubbles: true })); }", index
    )
    drawn(page)


def readout(page: Page) -> dict[str, float]:
    """The numbers that the panel carries for checks from outside."""
    data = page.get_by_test_id("live-readout").evaluate("node => ({...node.dataset})")
    return {key: float(data[key]) for key in ("accuracy", "drop", "saving", "position", "value")}


def handle(page: Page, stage: int = 0) -> Locator:
    return page.get_by_test_id(f"live-handle-{stage}")


def drag_handle(page: Page, stage: int, place: float, on_the_way: Callable[[], None] = lambda: None) -> None:
    """Drag a handle to a place on the axis, from 0 to 1; beyond 1 the exit is off."""
    box, plot = handle(page, stage).bounding_box(), page.locator(".cascade-live__plot-box").nth(stage).bounding_box()
    assert box is not None
    assert plot is not None
    middle = box["y"] + box["height"] / 2
    goal = plot["x"] + 34 + place * (plot["width"] - 34 - 8)
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move((box["x"] + goal) / 2, middle, steps=3)
    page.mouse.move(goal, middle, steps=3)
    drawn(page)
    on_the_way()
    page.mouse.up()
    drawn(page)


def released(page: Page) -> list[Any]:
    """What the panel told last, once it has told anything."""
    page.wait_for_function("sent.length > 0")
    told: list[Any] = page.evaluate("sent.at(-1)")
    return told


def stop_clock(page: Page) -> None:
    """Have the page's clock stand still, so that no slow machine takes a pause between two keys for a rest."""
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=30))


def redraw_against_rebuild(page: Page, data: dict[str, Any], step: str) -> float:
    """How long a redraw takes in its frame, as a share of building the panel anew: medians, on this page and machine.

    Args:
        data: What the page shows.
        step: JavaScript `i => ...` that moves something, so that a frame redraws.
    """
    rebuilds, redraws = page.evaluate(
        f"""async ([data, count]) => {{
            const frame = window.requestAnimationFrame.bind(window);
            const timed = (act) => {{
                const begin = performance.now();
                act();
                return performance.now() - begin;
            }};
            const aside = document.body.appendChild(document.createElement("div"));
            const rebuilds = Array.from({{ length: count }}, () => timed(() => mountPanel(aside, data).destroy()));
            aside.remove();
            const redraws = [];
            window.requestAnimationFrame = (act) => frame((now) => redraws.push(timed(() => act(now))));
            const step = {step};
            for (let i = 0; i < 60; i += 1) {{
                step(i);
                await new Promise((done) => frame(() => setTimeout(done)));
            }}
            window.requestAnimationFrame = frame;
            return [rebuilds, redraws];
        }}""",
        [data, REBUILDS],
    )
    assert len(redraws) >= 30
    return float(statistics.median(redraws) / statistics.median(rebuilds))
