"""The site of runs in a real browser, from disk and without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import evaluate, save_run
from cascade_core.__main__ import main
from cascade_core.commands.publishing import listed
from tests.e2e.bare import drag_handle, handle, move, readout
from tests.e2e.settling import opened_from_disk
from tests.samples import sample_run


def test_runs_and_policies_are_picked_and_show_pythons_numbers(browser_page: Page, tmp_path: Path) -> None:
    files = {name: save_run(sample_run(seed=seed), tmp_path / f"{name}.parquet") for seed, name in enumerate("ab")}
    runs = {name: listed(file) for name, file in files.items()}
    assert main(["site", *map(str, files.values()), "--out", str(tmp_path / "site"), "--open-on", "a"]) == 0
    opened_from_disk(browser_page, tmp_path / "site" / "index.html", tmp_path / "site" / runs["a"].script)
    body, picked = browser_page.locator("body"), {"run": "a", "policy": "cheapest"}
    for picker, value in (("run", "b"), ("policy", "budget"), ("run", "a"), ("policy", "shared")):
        browser_page.get_by_label(picker.capitalize(), exact=True).select_option(value)
        picked[picker] = value
        expect(body).to_have_attribute("data-shown", f"{picked['run']} {picked['policy']}")
        exploration = next(e for e in runs[picked["run"]].explorations if e.policy.name == picked["policy"])
        for g in (0, 37, 100, 163, 200):
            move(browser_page, g)
            one = evaluate(exploration.test, exploration.path.rule(g))
            now = readout(browser_page)
            expected = pytest.approx((one.accuracy, one.accuracy_drop, one.saving), abs=1e-8)
            assert (now["accuracy"], now["drop"], now["saving"]) == expected
        expect(browser_page.locator("#report caption, #report h2").first).to_have_text("Operating points")
    drag_handle(browser_page, 0, 0.5)
    expect(handle(browser_page)).to_be_visible()
    assert readout(browser_page)["accuracy"] > 0
    chart = browser_page.get_by_test_id("comparison-chart")
    expect(chart.locator(".cascade-live__run-line")).to_have_count(len(runs["a"].explorations))
    browser_page.get_by_label("Beside").select_option("b")
    expect(chart.locator(".cascade-live__run-name")).to_have_text(["a", "b"])
    assert "with=b" in browser_page.url
    browser_page.reload()
    expect(body).to_have_attribute("data-shown", "a shared")
    expect(chart.locator(".cascade-live__run-name")).to_have_text(["a", "b"])
