"""The view that runs the network, in a real browser, on the shipped digits."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")

from PIL import Image
from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, load_run
from cascade_core.analysis.exploration import Split, explore, halves
from tests.serving import ROOT


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache = tmp_path_factory.mktemp("cache")
    for name in ("digits.parquet", "digits.safetensors"):
        shutil.copy(ROOT / "cache" / name, cache)
    return start_dashboard(cache)


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(stream, format="PNG")
    return stream.getvalue()


def test_a_sample_and_pictures_of_ones_own(browser_page: Page, url: str) -> None:
    run = load_run(ROOT / "cache" / "digits.parquet")
    swept = explore(halves(run, Split()), CheapestWithinDrop, Split())
    answered = run.record(pool=swept.path.pool)
    leaving = swept.path.rule(swept.opening).exit_stages(answered)
    page = browser_page
    page.goto(url)
    page.get_by_text("Try it", exact=True).click()
    verdict, cards = page.locator(".cc-verdict"), page.locator(".cc-stage")
    expect(verdict).to_be_visible()
    for stage in (2, 1):
        i = int(np.flatnonzero(leaving == stage)[0])
        name = str(run.sample_ids[i])
        field = page.get_by_role("combobox", name="Sample")
        field.fill(name)
        field.press("Enter")
        expect(page.get_by_role("img", name=name)).to_be_visible()
        expect(verdict).to_contain_text(f"Left at stage {stage + 1} of 3")
        states = cards.evaluate_all("all => all.map(card => card.dataset.state)")
        assert states == [*["went on"] * stage, "left", *["not reached"] * (2 - stage)]
        answer = run.class_names[answered.predictions[stage, i]]
        expect(verdict).to_contain_text(f"says {answer}, ")

    page.get_by_text("A picture of your own").click()
    files = page.get_by_test_id("stMain").locator('input[type="file"]')
    files.set_input_files({"name": "white.png", "mimeType": "image/png", "buffer": png()})
    expect(page.get_by_role("img", name="as the network is given it")).to_be_visible()
    expect(verdict).to_contain_text("Left at stage")
    files.set_input_files({"name": "broken.png", "mimeType": "image/png", "buffer": png()[:60]})
    expect(page.get_by_text("This file was not tried.")).to_be_visible()
    expect(verdict).to_have_count(0)
