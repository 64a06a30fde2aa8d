"""The live panel in a real browser, on a bare page: what it shows is what Python computed.

The page holds the panel's style sheet and module; no Streamlit, no server, and a
simulated payload, so that the panel is tested alone.
"""

from __future__ import annotations

import base64
import itertools
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cascade_core.rendering.live import live_css
from tests.colours import contrast
from tests.e2e.bare import move, readout, show
from tests.e2e.simulated import POSITIONS, SAMPLES, payload

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright")


HOSTILE = '<img src=x onerror="window.struck=1"><b>net</b>'


def bar_area(page: Page, stage: int, kind: str) -> float:
    """Total height of a stage's bars of a kind, in pixels of the drawing."""
    path = page.locator(".cascade-live__stage").nth(stage).locator(f".cascade-live__{kind}").get_attribute("d")
    heights = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", path or "")
    return sum(float(low) - float(top) for low, top in heights)


def test_readout_is_what_python_computed(browser_page: Page) -> None:
    data = payload()
    page = show(browser_page, data)
    assert readout(page)["position"] == data["slider"]["initial"]
    for g in (*range(0, POSITIONS, 3), 1, 2):
        move(page, g)
        expected = {key: data[key][g] for key in ("accuracy", "drop", "saving")}
        assert readout(page) == {**expected, "position": g, "value": data["slider"]["values"][g]}


def test_words_say_what_the_numbers_say(browser_page: Page) -> None:
    data = payload()
    data["accuracy"][7], data["drop"][7], data["cost"][7], data["saving"][7] = 0.9284, 0.0084, 74.04e6, 0.41
    data["drop_low"][7], data["drop_high"][7] = 0.004, 0.012
    data["drop"][8], data["saving"][8], data["cost"][8] = -0.0012, -0.02, 1.02 * 125.5e6
    page = show(browser_page, data)
    move(page, 7)
    texts = page.get_by_test_id("live-readout").inner_text()
    for text in (
        "92.8",
        "0.8",
        "accuracy given up",
        "95 % interval, here alone: from 0.4 to 1.2 points given up",
        "41",
        "74 of 125.5 million MACs per image",
        "1.70",
    ):
        assert text in texts
    move(page, 8)
    texts = page.get_by_test_id("live-readout").inner_text()
    for text in ("0.1", "more accurate", "more computation than the plain network", "1.02", "more to compute"):
        assert text in texts


def test_the_certificate_reads_in_plain_words(browser_page: Page) -> None:
    data = payload()
    data["certificate"]["drop"][7:10] = [0.00801, 0.008, -0.0012]
    page = show(browser_page, data)
    certified = page.get_by_test_id("live-certificate")
    for g, bound, kind in ((7, "0.81", "given up"), (8, "0.80", "given up"), (9, "0.12", "more accurate")):
        move(page, g)  # a bound is rounded to the side of caution
        said = certified.inner_text()
        assert f"{bound}points" in said
        assert f"{kind}, at {'least' if g == 9 else 'most'}" in said
        assert "95 % sure, at this and every position" in said
    low = page.locator(".cascade-live__certain").get_attribute("d") or ""
    assert low.count("L") == POSITIONS - 1
    show(page, data | {"certificate": None, "in_sample": True})
    assert "not certified" in certified.inner_text()
    assert "the same samples chose the thresholds" in certified.inner_text()
    assert page.locator(".cascade-live__readout .cascade-live__badge").inner_text() == "in-sample"
    assert page.locator(".cascade-live__certain").count() == 0


def test_thresholds_for_each_class_show_what_leaves_in_every_bin(browser_page: Page) -> None:
    """Every second sample of each bin leaves, whatever its confidence."""
    data = payload()
    histogram = data["counts"]
    for which in ("right", "wrong"):
        counts = np.frombuffer(base64.b64decode(histogram[which]), "<u2").reshape(3, POSITIONS, 60)
        half = (counts[:2] // 2).astype("<u2")
        histogram[f"leaving_{which}"] = base64.b64encode(half.tobytes()).decode()
    page = show(browser_page, data | {"thresholds": None})
    move(page, 20)
    assert bar_area(page, 0, "bar-leave") == pytest.approx(bar_area(page, 0, "bar-on"), rel=0.3)
    assert page.locator(".cascade-live__flag").first.get_attribute("visibility") == "hidden"
    assert "leaves at a threshold for each class" in page.locator(".cascade-live__stage").first.inner_text()
    assert bar_area(page, 2, "bar-on") == 0


def test_bars_hold_the_samples_that_reach_each_stage(browser_page: Page) -> None:
    data = payload()
    page = show(browser_page, data)
    for g in (0, 20, POSITIONS - 1):
        move(page, g)
        # The first stage sees every sample, and none of its bars is so tall that it is cut off: leaving
        # bars are to all bars as leaving samples are to all samples.
        assert page.locator(".cascade-live__count").first.text_content() == ""
        kinds = {kind: bar_area(page, 0, kind) for kind in ("bar-leave", "bar-wrong", "bar-on", "bar-wrong-on")}
        share = (kinds["bar-leave"] + kinds["bar-wrong"]) / sum(kinds.values())
        assert share == pytest.approx(data["exit_counts"][0][g] / SAMPLES, abs=0.01)
        right = kinds["bar-leave"] / (kinds["bar-leave"] + kinds["bar-wrong"])
        assert right == pytest.approx(data["correct_counts"][0][g] / data["exit_counts"][0][g], abs=0.03)


def test_flags_slide_with_the_thresholds(browser_page: Page) -> None:
    page = show(browser_page, payload())
    flag = page.locator(".cascade-live__flag").first
    places = []
    for g in (0, 10, 20, 50):
        move(page, g)
        places.append(float(re.findall(r"translate\(([\d.]+)", flag.get_attribute("transform") or "")[0]))
    assert all(later < earlier for earlier, later in itertools.pairwise(places))


def test_thresholds_near_one_keep_their_nines(browser_page: Page) -> None:
    data = payload()
    data["thresholds"][0][3], data["thresholds"][1][3] = 0.978123, 0.99987
    page = show(browser_page, data)
    move(page, 3)
    stages = page.locator(".cascade-live__stage")
    assert "leaves at confidence 0.978 or more" in stages.nth(0).inner_text()
    assert "leaves at confidence 0.99987 or more" in stages.nth(1).inner_text()
    assert "always answers" in stages.nth(2).inner_text()


def test_a_stage_switched_off_says_so_and_colours_nothing(browser_page: Page) -> None:
    page = show(browser_page, payload(stages=4, off=1))
    stage = page.locator(".cascade-live__stage").nth(1)
    assert "never leaves here (head switched off)" in stage.inner_text()
    assert bar_area(page, 1, "bar-leave") == bar_area(page, 1, "bar-wrong") == 0
    assert bar_area(page, 1, "bar-on") > 0
    assert stage.locator(".cascade-live__flag").get_attribute("visibility") == "hidden"


@pytest.mark.parametrize(("stages", "positions"), [(1, 1), (1, POSITIONS), (2, 1), (8, POSITIONS)])
def test_any_number_of_stages_and_positions(browser_page: Page, stages: int, positions: int) -> None:
    errors: list[str] = []
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    page = show(browser_page, payload(stages=stages, positions=positions))
    assert page.locator(".cascade-live__stage").count() == stages
    assert page.get_by_test_id("live-slider").is_visible() == (positions > 1)
    move(page, positions - 1)
    assert readout(page)["position"] == positions - 1
    assert "NaN" not in page.get_by_test_id("live-panel").evaluate("node => node.outerHTML")
    assert errors == []


def test_names_from_files_are_text(browser_page: Page) -> None:
    data = payload(names=[HOSTILE, "b" * 200, "c"])
    data["slider"]["label"] = data["footnote"] = data["baseline"]["label"] = HOSTILE
    data["curve"]["published"][0]["label"] = HOSTILE
    page = show(browser_page, data)
    move(page, 5)
    assert HOSTILE in page.locator(".cascade-live__stage").first.inner_text()
    assert page.locator(".cascade-live img, .cascade-live b").count() == 0
    # An image that is none fails on a later turn of the page; one that is put there now fails after all before it.
    page.evaluate(
        """() => new Promise(done => {
            const last = new Image();
            last.onerror = done;
            last.src = "x";
        })"""
    )
    assert page.evaluate("window.struck") is None


@pytest.mark.parametrize("stages", [3, 8])
def test_nothing_overflows_or_is_clipped(browser_page: Page, stages: int) -> None:
    names = [f"block {m} with a rather long name" for m in range(stages)]
    data = payload(stages=stages, names=names)
    if stages == 8:
        data["slider"]["label"] = "acceptable degradation of each of the stages (epsilon)"
        data["slider"]["ticks"] = [{"index": 0, "text": "0.000"}, {"index": POSITIONS - 1, "text": "5.000"}]
    page = show(browser_page, data)
    for width, g in itertools.product((320, 350, 760, 1200), (0, POSITIONS - 1)):
        page.set_viewport_size({"width": width, "height": 900})
        move(page, g)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        clipped = page.evaluate(
            """() => [...document.querySelectorAll(".cascade-live svg text")].filter(text => {
                const [inner, outer] = [text, text.ownerSVGElement].map(node => node.getBoundingClientRect());
                return inner.width > 0 && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
            }).map(text => text.textContent)"""
        )
        assert clipped == []


def test_curve_labels_keep_apart(browser_page: Page) -> None:
    page = show(browser_page, payload())
    for width in (350, 760, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        move(page, 0)
        boxes = page.locator(".cascade-live__label").evaluate_all(
            "labels => labels.map(label => { const b = label.getBBox(); return [b.x, b.y, b.width, b.height]; })"
        )
        assert len(boxes) + page.locator(".cascade-live__below .cascade-live__legend-entry").count() == 3
        for i, (x, y, w, h) in enumerate(boxes):
            for other_x, other_y, other_w, other_h in boxes[i + 1 :]:
                assert x + w <= other_x or other_x + other_w <= x or y + h <= other_y or other_y + other_h <= y


@pytest.mark.parametrize(("back", "scheme"), [("#ffffff", "light"), ("#0e1117", "dark")])
def test_scheme_follows_what_lies_behind(browser_page: Page, back: str, scheme: str) -> None:
    page = show(browser_page, payload(), style=f"background: {back}")
    panel = page.get_by_test_id("live-panel")
    assert panel.get_attribute("data-scheme") == scheme
    page.evaluate("document.body.style.background = '#777'; document.body.style.background = '#000'")
    page.wait_for_function("document.querySelector('.cascade-live').dataset.scheme === 'dark'")


def test_colours_have_contrast() -> None:
    light, dark = live_css().split('.cascade-live[data-scheme="dark"]')
    inks: dict[str, str] = {}
    for sheet, back in ((light, "#ffffff"), (dark, "#0e1117")):
        ramp = dict(re.findall(r"--cascade-live-ramp-(\d): (#\w{6})", sheet))
        inks |= dict(re.findall(r"--cascade-live-ink-(\d): (#\w{6})", sheet))
        assert len(ramp) == 8
        assert min(contrast(colour, back) for colour in ramp.values()) >= 3
        assert min(contrast(colour, inks[step]) for step, colour in ramp.items()) >= 4.5
        wrong = re.search(r"--cascade-live-wrong: (#\w{6})", sheet)
        assert wrong is not None
        assert contrast(wrong[1], back) >= 3
