"""The address in a real browser: Back and Forward go from step to step, and a link shows another browser the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlparse

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import save_run
from tests.e2e.settling import answered, opened, settled
from tests.samples import sample_run

REST = timedelta(seconds=4)
"""After so long the slider's next move is a step of its own."""

Seen = tuple[dict[str, list[str]], str | None]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache = tmp_path_factory.mktemp("cache")
    save_run(sample_run(n=1000, k=10), cache / "mine.parquet")
    save_run(sample_run(n=1000, k=10, seed=1), cache / "other.parquet")
    return start_dashboard(cache)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.evaluate("location.href")).query)


def seen(page: Page) -> Seen:
    """The address, and the numbers that are shown, if there are any."""
    settled(page)
    numbers = page.evaluate(
        """() => {
            const readout = document.querySelector("[data-testid=live-readout]");
            return readout && JSON.stringify([readout.dataset.value, readout.dataset.drop, readout.dataset.saving]);
        }"""
    )
    return query(page), numbers


def changed(page: Page, act: Callable[[], object]) -> None:
    """Do something that is a step, and wait until the address has it."""
    before = page.evaluate("location.href")
    with answered(page):
        act()
    page.wait_for_function("before => location.href !== before", arg=before)


def comes_to(page: Page, expected: Seen) -> None:
    """Wait until the page shows what is expected, and see that it stays."""
    numbers = "const node = document.querySelector('[data-testid=live-readout]');"
    numbers += "return node && JSON.stringify([node.dataset.value, node.dataset.drop, node.dataset.saving])"
    page.wait_for_function(f"expected => (() => {{ {numbers} }})() === expected", arg=expected[1])
    assert seen(page) == expected


def choose(page: Page, name: str, option: int) -> None:
    page.get_by_role("combobox", name=name).click()
    changed(page, page.get_by_role("option").nth(option).click)


def look_at(page: Page, view: str) -> None:
    changed(page, page.get_by_role("radiogroup", name="View").get_by_text(view, exact=True).click)


def press(page: Page, key: str) -> None:
    page.get_by_test_id("live-slider").focus()
    changed(page, lambda: page.get_by_test_id("live-slider").press(key))


def test_back_and_forward_through_six_steps(browser_page: Page, url: str) -> None:
    page = opened(browser_page, f"{url}?source=mail")
    assert query(page) == {"run": ["mine"], "source": ["mail"]}
    steps: list[Callable[[], None]] = [
        lambda: choose(page, "Policy", 1),
        lambda: press(page, "ArrowRight"),
        lambda: look_at(page, "Groups"),
        lambda: look_at(page, "Explore"),
        lambda: choose(page, "Run", 1),
        lambda: press(page, "End"),
    ]
    entries = [seen(page)]
    for step in steps:
        step()
        entries.append(seen(page))
    for expected in reversed(entries[:-1]):
        page.go_back()
        comes_to(page, expected)
    for expected in entries[1:]:
        page.go_forward()
        comes_to(page, expected)


def test_a_slider_that_moves_on_before_it_rests_is_one_step(browser_page: Page, url: str) -> None:
    page, now = opened(browser_page, url), datetime.now(UTC)
    page.clock.set_fixed_time(now)  # a slow machine does not take its own time for a rest
    first = seen(page)
    for _ in range(3):
        press(page, "ArrowRight")
    once = seen(page)
    page.clock.set_fixed_time(now + REST)
    press(page, "ArrowRight")
    page.go_back()
    comes_to(page, once)
    page.go_back()
    comes_to(page, first)


def test_a_shared_link_shows_another_browser_the_same(
    browser_page: Page, new_window: Callable[..., Page], url: str
) -> None:
    page = opened(browser_page, f"{url}?run=other&policy=paper&at=2&hand=0.75,-")
    page.get_by_role("button", name="Pin this point").click()
    page.wait_for_function("location.search.includes('pins=')")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_test_id("address-said")).to_contain_text("the run other in the page's cache folder")
    expected = seen(page)
    assert expected[0]["hand"] == ["0.75,-"]
    link = page.url
    page.reload()
    expect(page.get_by_test_id("live-readout")).to_be_visible()
    comes_to(page, expected)
    comes_to(opened(new_window(), link), expected)


def test_an_embedded_page_leads_to_the_whole_one(browser_page: Page, url: str) -> None:
    page = opened(browser_page, f"{url}?embed=true&policy=paper")
    whole = page.get_by_role("link", name="Open the whole page").get_attribute("href")
    assert whole is not None
    assert parse_qs(urlparse(whole).query) == {"run": ["mine"], "policy": ["paper"]}


def test_the_open_tab_is_a_step_and_stays_with_reloads(browser_page: Page, url: str) -> None:
    page = opened(browser_page, url)
    changed(page, page.get_by_role("tab", name="Stages").click)
    assert query(page)["details"] == ["stages"]
    page.reload()
    chosen = page.locator("[role=tab][aria-selected=true]")
    expect(chosen).to_have_text("Stages")
    settled(page)
    # Streamlit loads a component's script apart from what it says; before that nobody hears of Back.
    expect(page.get_by_role("button", name="Share", exact=True)).to_be_visible()
    changed(page, page.go_back)
    expect(chosen).to_have_text("Thresholds")
    assert "details" not in query(page)
