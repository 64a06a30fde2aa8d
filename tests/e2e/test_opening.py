"""What is lost, in a real browser: the strip below the slider equals Python's list, and clicks open what they show."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, load_run
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.samples import outcomes
from cascade_core.panels.strip import MOST
from tests.e2e.settling import answered, settled
from tests.serving import ROOT

RUN = load_run(ROOT / "cache" / "digits.parquet")
IDS = RUN.sample_ids[Split().test_index(len(RUN.labels))]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache = tmp_path_factory.mktemp("cache")
    for name in ("digits.parquet", "digits.safetensors"):
        shutil.copy(ROOT / "cache" / name, cache)
    return start_dashboard(cache)


@pytest.fixture(scope="module")
def swept() -> Exploration:
    return explore(halves(RUN, Split()), CheapestWithinDrop, Split())


def lost(swept: Exploration, position: int) -> dict[str, set[str]]:
    """Ids of the samples that are harmed and helped at a position."""
    found = outcomes(swept.test, swept.path.rule(position))
    return {"harmed": set(IDS[found.harmed].tolist()), "helped": set(IDS[found.helped].tolist())}


def tiles(page: Page, kind: str) -> list[str]:
    names = page.locator(f"[data-kind={kind}] .cascade-gallery__tile img").evaluate_all(
        "all => all.map(one => one.alt)"
    )
    return [str(name) for name in names]


def test_the_strip_is_pythons_list_and_opens_what_is_clicked(browser_page: Page, url: str, swept: Exploration) -> None:
    page = browser_page
    page.goto(url)
    slider = page.get_by_test_id("live-slider")
    expect(slider).to_be_visible()
    before = lost(swept, swept.opening)
    expect(page.locator("[data-kind=harmed] h3")).to_have_text(f"Harmed {len(before['harmed'])}")
    settled(page)
    top = slider.bounding_box()
    slider.focus()
    with answered(page):
        slider.press("End")
    after = lost(swept, len(swept.path) - 1)
    known = before["harmed"] | before["helped"]
    new = {kind: ids - known for kind, ids in after.items()}
    title = page.locator("[data-kind=harmed] h3")
    expect(title).to_have_text(f"Harmed {len(after['harmed'])}, {len(new['harmed'])} new")
    for kind, ids in after.items():
        shown = tiles(page, kind)
        assert len(shown) == min(MOST[kind], len(ids))
        assert set(shown) <= ids
        first_old = next((place for place, name in enumerate(shown) if name in known), len(shown))
        assert all(name in known for name in shown[first_old:])
    assert slider.bounding_box() == top

    page.get_by_role("button", name=f"all {len(after['harmed'])} in Samples").click()
    cards = page.locator(".cascade-gallery__cards .cascade-gallery__item")
    expect(cards).to_have_count(min(24, len(after["harmed"])))
    named = cards.locator(".cascade-gallery__id").all_inner_texts()
    assert set(named) <= after["harmed"]

    open_it = cards.first.get_by_role("button")
    open_it.focus()
    open_it.press("Enter")
    expect(page.get_by_role("img", name=named[0])).to_be_visible()
    number = int(np.flatnonzero(RUN.sample_ids == named[0])[0])
    label = RUN.class_names[RUN.labels[number]]
    expect(page.locator(".cc-truth")).to_contain_text(f"The true class is {label}: the answer is wrong")
