"""Runs that are replaced, removed, broken and added while the page is open: it shows them without being asked to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, load_run, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from tests.e2e.settling import messages, settled, told
from tests.samples import sample_run


def put(cache: Path, name: str, seed: int) -> list[float]:
    """Replace a run, or add it, as one step of the file system; the savings that it has."""
    beside = save_run(sample_run(n=2000, k=10, seed=seed), cache / ".new" / name)
    swept = explore(halves(load_run(beside), Split()), CheapestWithinDrop, Split())
    os.replace(beside, cache / name)  # noqa: PTH105
    savings: list[float] = swept.evaluation.saving.tolist()
    return savings


def saving_is(page: Page, savings: list[float]) -> None:
    """Until a run is shown, wherever its slider stands: the place is kept."""
    page.wait_for_function(
        "all => all.includes(Number(document.querySelector('[data-testid=live-readout]')?.dataset.saving))", arg=savings
    )


def drag(page: Page, start: float, end: float) -> None:
    """Take the thumb and move it between two shares of the slider's width; the button stays down."""
    box = page.get_by_test_id("live-slider").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=5)


def position(page: Page) -> str | None:
    return page.get_by_test_id("live-readout").get_attribute("data-position")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path


def test_the_page_follows_the_folder(cache: Path, browser_page: Page, start_dashboard: Callable[..., str]) -> None:
    page = browser_page
    first = put(cache, "b.parquet", seed=0)
    page.goto(start_dashboard(cache))
    saving_is(page, first)
    expect(page.get_by_text("Load a thresholds JSON")).to_be_visible()
    settled(page)
    silent_since = messages(page)

    second = put(cache, "b.parquet", seed=1)
    saving_is(page, [one for one in second if one not in first])

    # Another file does not touch what is shown, not even under a hand that drags.
    drag(page, 0.3, 0.6)
    held = position(page)
    with told(page):
        put(cache, "c.parquet", seed=2)
    assert position(page) == held
    assert messages(page) == silent_since  # nor did the browser ask for anything so far
    page.mouse.up()

    (cache / "b.parquet").write_bytes(b"PAR1 and nothing more")
    expect(page.get_by_text("b.parquet")).to_be_visible()
    expect(page.get_by_test_id("live-readout")).to_be_visible()
    page.get_by_role("combobox", name="Run").click()
    expect(page.get_by_role("option")).to_have_text(["c"])
    page.keyboard.press("Escape")

    third = put(cache, "a.parquet", seed=3)
    (cache / "b.parquet").unlink()
    (cache / "c.parquet").unlink()
    saving_is(page, third)
    expect(page.get_by_text("b.parquet")).to_have_count(0)
    (cache / "a.parquet").unlink()
    expect(page.get_by_text("No runs yet")).to_be_visible()
