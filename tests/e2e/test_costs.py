"""Costs of the user's own in a browser: they are typed in a dialog, and what is shown and linked is in their unit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import save_run
from cascade_core.storage.costs import costs_path, save_costs
from tests.e2e.settling import settled
from tests.samples import sample_run
from tests.simulation.test_own_costs import costs


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    """A dashboard whose only run carries costs in cents, of ten samples."""
    run = save_run(outputs := sample_run(), tmp_path_factory.mktemp("cache") / "mine.parquet")
    save_costs(costs(tuple(stage.name for stage in outputs.stages)), costs_path(run))
    return start_dashboard(run.parent)


def test_a_unit_that_is_typed_is_on_the_panel_and_in_the_link(browser_page: Page, url: str) -> None:
    page = browser_page
    page.goto(f"{url}?cost=own&policy=budget")
    readout = page.get_by_test_id("live-readout")
    expect(readout).to_contain_text("5 cents per 10 samples")
    expect(page.locator(".cascade-live")).to_contain_text("% of the cents")
    page.get_by_role("button", name="What stages cost").click()
    page.get_by_role("dialog").get_by_label("Unit").fill("euros")
    page.get_by_role("button", name="Use these costs").click()
    expect(readout).to_contain_text("5 euros per 10 samples")
    page.wait_for_url("**costs=*euros*")


def test_a_price_moves_the_slider_to_its_optimum(browser_page: Page, url: str) -> None:
    page = browser_page
    page.goto(f"{url}?cost=own")
    slider = page.locator(".cascade-live input[type=range]")
    expect(slider).to_be_visible()
    settled(page)
    before = slider.input_value()
    price = page.get_by_role("spinbutton", name="A wrong answer costs, in cents")
    price.fill("0")
    price.press("Enter")
    expect(page.get_by_text("for a wrong answer: ")).to_be_visible()
    expect(slider).not_to_have_value(before)
