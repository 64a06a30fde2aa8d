"""A log that grows while *Watch* looks at it: the page tells what is new without being asked, up to the alarm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from cascade_core import CheapestWithinDrop, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.report import chosen_json
from cascade_core.simulation.record import Record
from cascade_core.storage.choice import Choice, parse_choice
from tests.e2e.settling import answered, messages, settled, told
from tests.e2e.test_accessibility import rest, violations
from tests.logged import lines_of
from tests.samples import sample_run


def shown_choice(folder: Path) -> tuple[Choice, Record]:
    """A run in a folder, what the page opens on of it as a choice, and the samples that judge it."""
    outputs = sample_run(n=2000, k=10)
    save_run(outputs, folder / "mine.parquet")
    exploration = explore(halves(outputs, Split()), CheapestWithinDrop, Split())
    setting = Setting(exploration=exploration, position=exploration.opening)
    choice = parse_choice(chosen_json(setting, {"name": "mine", "sha256": "0" * 64}).encode())
    return choice, exploration.test


def test_watch_follows_a_log(tmp_path: Path, browser_page: Page, start_dashboard: Callable[..., str]) -> None:
    choice, test = shown_choice(tmp_path)
    random, log, page = np.random.default_rng(0), tmp_path / "logs" / "exits.jsonl", browser_page
    late = np.flatnonzero(choice.rule.exit_stages(test) == 2)

    def write(order: np.ndarray) -> None:
        log.parent.mkdir(exist_ok=True)
        with log.open("a") as stream:
            stream.write("".join(lines_of(test, choice, order, audited=True)))

    def count(samples: str) -> None:
        metric = page.get_by_test_id("stMetric").filter(has_text="Samples")
        expect(metric.get_by_test_id("stMetricValue")).to_have_text(samples)

    write(random.integers(0, test.n, 300))
    page.goto(f"{start_dashboard(tmp_path)}/?view=watch")
    field = page.get_by_role("textbox", name="Log, or folder of logs")
    expect(field).to_be_visible()
    settled(page)
    field.fill(str(log.parent))
    with answered(page):
        field.press("Enter")
    count("300")
    expect(page.get_by_text("No alarm")).to_be_visible()
    silent_since = messages(page)

    with told(page):
        write(random.integers(0, test.n, 200))
    count("500")
    with told(page):
        log.rename(log.with_name("exits.jsonl.1"))
        write(random.choice(late, 300))
    count("800")
    expect(page.get_by_text("Alarm after")).to_be_visible()
    expect(page.get_by_text("What to do")).to_be_visible()
    assert messages(page) == silent_since  # nothing of it was asked for

    with answered(page):
        page.get_by_role("button", name="Choose anew").click()
    expect(page.get_by_text("Chosen anew on audited samples")).to_be_visible()
    expect(page.get_by_role("button", name="New thresholds (JSON)")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    rest(page)
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth + 1")
