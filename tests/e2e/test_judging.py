"""Judge on another run in a real browser: one drag moves both sets of numbers and both points, as Python has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, StageOutputs, evaluate, save_run
from cascade_core.analysis.elsewhere import elsewhere
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data
from cascade_core.rendering.live.elsewhere import beside
from tests.e2e.bare import drag_handle, released, show
from tests.e2e.settling import drawn, settled
from tests.samples import sample_run


def _named(seed: int) -> StageOutputs:
    outputs = sample_run(seed=seed)
    return replace(outputs, sample_ids=np.array([f"{seed}/{i}" for i in range(len(outputs.labels))]))


CLEAN, MONTH = _named(0), _named(1)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache: Path = tmp_path_factory.mktemp("cache")
    save_run(CLEAN, cache / "clean.parquet")
    save_run(MONTH, cache / "month.parquet")
    return f"{start_dashboard(cache)}?run=clean&judge_on=month"


def explored() -> tuple[Exploration, Exploration]:
    here = explore(halves(CLEAN, Split()), CheapestWithinDrop, Split())
    return here, elsewhere(MONTH, CLEAN.sample_ids, CLEAN.class_names, Split()).judged(here)


def numbers(page: Page, which: str) -> tuple[float, float, float]:
    data = page.get_by_test_id(f"live-readout{which}").evaluate("node => ({ ...node.dataset })")
    return float(data["accuracy"]), float(data["drop"]), float(data["saving"])


def place(page: Page, name: str) -> str:
    found = page.locator(f".cascade-live__{name}").get_attribute("transform")
    assert found
    return found


@pytest.mark.parametrize("width", [1400, 390])
def test_a_drag_moves_both_and_python_agrees(browser_page: Page, address: str, width: int) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address)
    expect(page.get_by_test_id("live-readout-elsewhere")).to_be_visible()
    settled(page)
    drawn(page)
    both = explored()
    seen = set()
    slider = page.get_by_test_id("live-slider")
    for position in (0, 100, 250, 400):
        slider.evaluate(
            "(node, g) => { node.value = g; node.dispatchEvent(new Event('input', { bubbles: true })) }", position
        )
        drawn(page)
        for which, exploration in zip(("", "-elsewhere"), both, strict=True):
            one = exploration.at(position)
            assert numbers(page, which) == pytest.approx((one.accuracy, one.accuracy_drop, one.saving))
        seen.add((place(page, "point"), place(page, "point-elsewhere")))
    assert len({first for first, _ in seen}) > 1
    assert len({second for _, second in seen}) > 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_thresholds_set_by_hand_are_counted_on_both(browser_page: Page) -> None:
    both = explored()
    axis = confidence_axis("max_probability", 5)
    here, there = (live_data(one, axis, initial=50, unit="images", origin="", name="month") for one in both)
    show(browser_page, beside(here, there))
    for stage, share in ((0, 0.3), (1, 0.6), (0, 0.8)):
        drag_handle(browser_page, stage, share)
        hand = tuple(float("inf") if one is None else one for one in released(browser_page)[2])
        rule = Setting(exploration=both[0], position=0, by_hand=hand).rule
        for which, exploration in zip(("", "-elsewhere"), both, strict=True):
            one = evaluate(exploration.test, rule)
            expected = (one.accuracy, one.accuracy_drop, one.saving)
            assert numbers(browser_page, which) == pytest.approx(expected)
