"""The page in a real browser: a drag is live and silent, a release reaches Python, choices come and go as JSON."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Locator, Page, expect

from cascade_core import (
    BestWithinBudget,
    Certified,
    CheapestWithinDrop,
    PaperRuleByClass,
    load_choice,
    load_run,
    save_run,
)
from cascade_core.analysis.brought import placed
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.policies import Sweep
from tests.e2e.bare import move, readout
from tests.e2e.settling import answered, drawn, messages, opened, settled
from tests.samples import sample_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    save_run(sample_run(n=4000, k=10), cache / "sample.parquet")
    save_run(sample_run(n=400, m=1), cache / "single.parquet")
    (cache / "broken.parquet").write_bytes(b"PAR1")
    return cache


@pytest.fixture(scope="module")
def expected(folder: Path) -> Exploration:
    return explore(halves(load_run(folder / "sample.parquet"), Split()), CheapestWithinDrop, Split())


@pytest.fixture(scope="module")
def url(folder: Path, start_dashboard: Callable[..., str]) -> str:
    return start_dashboard(folder)


@pytest.fixture
def page(browser_page: Page, url: str) -> Page:
    return opened(browser_page, url)


def slider(page: Page) -> Locator:
    return page.get_by_test_id("live-slider")


def drag(page: Page, start: float, end: float, steps: int) -> None:
    """Move the thumb between two shares of the slider's width, with the button held."""
    box = slider(page).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=steps)


def test_opens_at_one_point_with_pythons_numbers(page: Page, expected: Exploration) -> None:
    position = expected.nearest(0.01)
    shown, one = readout(page), expected.at(position)
    assert shown["position"] == position
    assert (shown["accuracy"], shown["drop"], shown["saving"]) == (one.accuracy, one.accuracy_drop, one.saving)


def test_twenty_positions_equal_pythons_numbers(page: Page, expected: Exploration) -> None:
    last = len(expected.path) - 1
    for position in range(0, last + 1, last // 20):
        move(page, position)
        shown, one = readout(page), expected.at(position)
        assert shown["accuracy"] == one.accuracy
        assert shown["drop"] == pytest.approx(one.accuracy_drop, abs=1e-12)
        assert shown["saving"] == one.saving


def test_a_drag_is_live_and_silent_until_release(page: Page) -> None:
    before, silent_since = readout(page), messages(page)
    drag(page, 0.2, 0.8, 25)
    drawn(page)
    during = readout(page)
    assert during["position"] > before["position"] + 100
    assert during["saving"] > before["saving"]
    assert messages(page) == silent_since
    with answered(page):
        page.mouse.up()
    assert readout(page)["position"] == during["position"]


def median_frame(page: Page) -> float:
    """Milliseconds between two frames, in the middle, while the thumb is dragged across."""
    page.evaluate(
        """() => {
            window.frames_ = [];
            const tick = now => { window.frames_.push(now); window.ticking_ = requestAnimationFrame(tick); };
            window.ticking_ = requestAnimationFrame(tick);
        }"""
    )
    drag(page, 0.05, 0.95, 120)
    times: list[float] = page.evaluate("() => { cancelAnimationFrame(window.ticking_); return window.frames_; }")
    page.mouse.up()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) > 20
    return statistics.median(gaps)


@pytest.mark.benchmark
def test_median_frame_of_a_drag(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    medians = [median_frame(page) for _ in range(3)]
    with capsys.disabled():
        print(f"\nmedian frame of a drag, 4,000 x 3, three drags: {', '.join(f'{m:.1f}' for m in medians)} ms")
    assert statistics.median(medians) <= 20


def test_release_refreshes_what_stands_below(page: Page, expected: Exploration, tmp_path: Path) -> None:
    slider(page).focus()
    with answered(page):
        slider(page).press("End")
    last = len(expected.path) - 1
    assert readout(page)["position"] == last
    with page.expect_download() as download:
        page.get_by_role("button", name="Download thresholds").click()
    assert download.value.suggested_filename == "sample-cheapest-5.00points.json"
    target = tmp_path / "choice.json"
    download.value.save_as(target)
    choice = load_choice(target)
    assert (choice.thresholds == expected.path.thresholds[last]).all()
    assert choice.measured["accuracy"] == expected.at(last).accuracy
    assert choice.policy == {"name": "cheapest", "parameters": {"max_drop": 0.05}}


def loader(page: Page) -> Locator:
    """What takes a thresholds JSON."""
    return page.get_by_test_id("stMain").locator("input[type=file]")


def edited(choice: Path, threshold: float) -> Path:
    """The same choice with another threshold at its first stage."""
    data = json.loads(choice.read_text())
    data["rule"]["thresholds"][0]["threshold"] = threshold
    target = choice.with_name(f"first-at-{threshold:g}.json")
    target.write_text(json.dumps(data))
    return target


def loaded_instead(page: Page, before: Path, file: Path) -> None:
    """Remove the choice that is loaded, and load another."""
    page.get_by_role("button", name=f"Remove {before.name}").click()
    expect(page.get_by_role("button", name=f"Remove {before.name}")).not_to_be_visible()
    loader(page).set_input_files(file)


def test_a_downloaded_choice_is_loaded_back(page: Page, expected: Exploration, tmp_path: Path) -> None:
    """Slider and handles go where the file says, and the page says whether its numbers are right."""
    chosen = readout(page)["position"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download thresholds").click()
    target = tmp_path / "choice.json"
    download.value.save_as(target)
    with answered(page):
        for _ in range(3):
            slider(page).press("ArrowRight")
    assert readout(page)["position"] > chosen
    page.get_by_text("Load a thresholds JSON").click()
    loader(page).set_input_files(target)
    expect(page.get_by_text("as the file says")).to_be_visible()
    settled(page)
    measured = json.loads(target.read_text())["measured"]
    assert readout(page)["accuracy"] == pytest.approx(measured["accuracy"])
    assert readout(page)["saving"] == pytest.approx(measured["saving"])
    lower = edited(target, 0.25)
    loaded_instead(page, target, lower)
    expect(page.get_by_text("The file does not agree with itself")).to_be_visible()
    settled(page)
    here = placed(load_choice(lower).rule, Setting(exploration=expected, position=0))
    assert readout(page)["accuracy"] == pytest.approx(here.evaluation.accuracy)
    loaded_instead(page, lower, edited(target, 90))
    expect(page.get_by_text("such a threshold is off")).to_contain_text("reaches 90 at ")


def test_keyboard_moves_the_slider(page: Page) -> None:
    before = readout(page)["position"]
    slider(page).focus()
    for _ in range(3):
        slider(page).press("Shift+ArrowRight")
    drawn(page)
    assert readout(page)["position"] == before + 3


def test_a_broken_file_is_named_and_others_work(page: Page) -> None:
    expect(page.get_by_text("broken.parquet")).to_be_visible()
    assert readout(page)["accuracy"] > 0.5


def test_every_detail_draws(page: Page) -> None:
    for name in ("Curve in detail", "Stages"):
        page.get_by_role("tab", name=name).click()
        expect(page.locator(".js-plotly-plot").locator("visible=true").first).to_be_visible()
    page.get_by_role("tab", name="All positions").click()
    expect(page.get_by_test_id("stDataFrame").locator("visible=true").first).to_be_visible()


@pytest.mark.parametrize("policy", [PaperRuleByClass, BestWithinBudget, Certified])
def test_other_policies_drag_as_well(page: Page, folder: Path, policy: type[Sweep]) -> None:
    page.get_by_role("combobox", name="Policy").click()
    page.get_by_role("option", name=policy.title, exact=True).click()
    expect(page.get_by_text(policy.promise)).to_be_visible()
    expect(page.get_by_test_id("live-panel")).to_have_attribute("aria-label", policy.slider.label)
    settled(page)
    expected = explore(halves(load_run(folder / "sample.parquet"), Split()), policy, Split())
    for position in (0, 200, 400):
        move(page, position)
        assert readout(page)["accuracy"] == expected.at(position).accuracy
        assert readout(page)["saving"] == expected.at(position).saving
        assert expected.certificate is not None
        bound = math.ceil(1e4 * expected.certificate[position] - 1e-9) / 100
        said = page.get_by_test_id("live-certificate").inner_text()
        assert f"{abs(bound):.2f}" in said
        assert ("at least" if bound < 0 else "at most") in said


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_overflows(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    settled(page)
    drawn(page)
    panel = page.get_by_test_id("live-panel")
    assert panel.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_an_empty_cache_says_what_to_do(
    browser_page: Page, tmp_path: Path, start_dashboard: Callable[..., str]
) -> None:
    browser_page.goto(start_dashboard(tmp_path))
    expect(browser_page.get_by_text("No runs yet")).to_be_visible()


def test_a_report_is_downloaded_and_opens_where_the_slider_rests(page: Page, tmp_path: Path) -> None:
    before = page.get_by_test_id("live-readout").evaluate("node => ({...node.dataset})")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download report").click()
    assert download.value.suggested_filename == "sample-cheapest-1.00points.html"
    file = tmp_path / "report.html"
    download.value.save_as(file)
    page.context.set_offline(True)
    report = page.context.new_page()
    report.goto(file.as_uri())
    expect(report.get_by_test_id("live-readout")).to_have_attribute("data-position", before["position"])
    assert report.get_by_test_id("live-readout").evaluate("node => ({...node.dataset})") == before


def test_a_chart_of_the_page_is_saved(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_test_id("live-curve-svg").click()
    assert download.value.suggested_filename == "sample-cheapest-1.00points-curve.svg"
    assert "Accuracy against computation" in Path(download.value.path()).read_text(encoding="utf-8")
