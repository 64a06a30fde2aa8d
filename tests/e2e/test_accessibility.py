"""The page for everyone: axe finds nothing serious, the keyboard reaches all, charts say in words what they show."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cascade_core import save_run
from tests.colours import contrast, rgb
from tests.e2e.settling import opened, settled
from tests.samples import sample_run

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    cache = tmp_path_factory.mktemp("cache")
    save_run(sample_run(n=2000, k=10), cache / "sample.parquet")
    (cache / "broken.parquet").write_bytes(b"PAR1")
    return start_dashboard(cache)


@pytest.fixture
def shown(new_window: Callable[..., Page], url: str) -> Callable[[str, int], Page]:
    """`shown(scheme, width)` is the page in a new window."""

    def show(scheme: str, width: int) -> Page:
        window = new_window(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
        page = opened(window, url)
        expect(page.get_by_text("Load a thresholds JSON")).to_be_visible()
        rest(page)
        return page

    return show


def rest(page: Page) -> None:
    """Wait until Python has answered, and nothing fades."""
    settled(page)
    page.wait_for_function("document.getAnimations().every(one => one.playState !== 'running')")


def violations(page: Page) -> list[str]:
    """What axe calls serious or critical: its rule, where, and why; nothing is excused."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} at {node['target']}: {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def toggle_sidebar(page: Page) -> None:
    expand = page.get_by_test_id("stExpandSidebarButton")
    if expand.is_visible():
        expand.click()
        expect(page.get_by_role("combobox", name="Run")).to_be_in_viewport()
    else:
        page.get_by_test_id("stSidebar").hover()
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        expect(expand).to_be_visible()
    rest(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(shown: Callable[[str, int], Page], scheme: str, width: int) -> None:
    page = shown(scheme, width)
    assert violations(page) == []
    toggle_sidebar(page)
    assert violations(page) == []


def test_axe_finds_nothing_serious_under_any_tab_and_its_charts_have_words(shown: Callable[[str, int], Page]) -> None:
    page = shown("light", 1280)
    for name, words in (
        ("Curve in detail", "Accuracy against mean MACs"),
        ("Stages", "Share of right answers"),
        ("All positions", None),
    ):
        page.get_by_role("tab", name=name).click()
        if words is None:
            frame = page.get_by_role("tabpanel", name=name).get_by_test_id("stDataFrame")
            expect(frame).to_be_visible()
        else:
            expect(page.get_by_role("figure", name=words)).to_be_visible()
            expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        rest(page)
        assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(shown: Callable[[str, int], Page], scheme: str) -> None:
    page = shown(scheme, 1280)
    page.get_by_role("button", name="Pin this point").click()
    for name, words in (
        ("Compare", "Pinned points"),
        ("Samples", "A disc marks where a sample left"),
        ("Groups", "What each group gives up, and saves"),
        ("Try it", "This run cannot be tried"),
        ("About", "Where this run came from"),
        ("Present", "Arrow keys move the slider"),
    ):
        page.get_by_role("radio", name=name).click()
        expect(page.get_by_text(words).first).to_be_visible()
        rest(page)
        assert violations(page) == [], name


def test_every_drawing_of_the_panel_says_what_it_shows(shown: Callable[[str, int], Page]) -> None:
    drawings = shown("light", 1280).locator(".cascade-live svg")
    expect(drawings).to_have_count(5)
    for drawing in drawings.all():
        assert drawing.get_attribute("role") == "img"
        assert len(drawing.get_attribute("aria-label") or "") > 20


def test_the_keyboard_reaches_everything(shown: Callable[[str, int], Page]) -> None:
    page = shown("light", 1280)
    reached: dict[str, bool] = {}
    for _ in range(120):
        page.keyboard.press("Tab")
        name, visible = page.evaluate(
            """() => {
                const node = document.activeElement;
                const name = node.getAttribute("aria-label") || node.textContent.trim();
                return [name, node.matches(":focus-visible")];
            }"""
        )
        reached[name] = visible
    for wanted in (
        *("Run", "Policy", "Confidence score", "Answers", "Split seed", "In-sample numbers"),
        *("Published results", "Explore", "acceptable accuracy drop", "Thresholds"),
    ):
        assert reached.get(wanted), f"Tab does not reach {wanted}: {list(reached)}"
    for wanted in (
        "Download thresholds (JSON)",
        "Load a thresholds JSON",
    ):  # their texts begin with the name of an icon
        assert any(name.endswith(wanted) and seen for name, seen in reached.items()), wanted


def test_the_slider_moves_by_keys_and_shows_its_focus(shown: Callable[[str, int], Page]) -> None:
    page = shown("light", 1280)
    slider = page.get_by_test_id("live-slider")
    before = slider.screenshot()
    slider.focus()
    page.keyboard.press("Shift")  # from now on the browser takes the focus for one by keyboard
    page.wait_for_function("document.querySelector('[data-testid=live-slider]').matches(':focus-visible')")
    assert slider.screenshot() != before
    for key, place in (
        ("Home", 0),
        ("Shift+ArrowRight", 1),
        ("PageUp", 41),
        ("Shift+ArrowLeft", 40),
        ("PageDown", 0),
        ("End", 400),
    ):
        slider.press(key)
        expect(slider).to_have_value(str(place))
    rest(page)
    expect(page.get_by_test_id("live-readout")).to_have_attribute("data-position", "400")


def test_captions_are_legible_in_both_themes() -> None:
    """Streamlit writes captions in the text's colour at 60 %; WCAG wants 4.5:1 on the page and on the sidebar."""
    themes = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    for theme in (themes["light"], themes["dark"]):
        for back in (rgb(theme["backgroundColor"]), rgb(theme["secondaryBackgroundColor"])):
            faded = tuple(0.6 * ink + 0.4 * paper for ink, paper in zip(rgb(theme["textColor"]), back, strict=True))
            assert contrast(faded, back) >= 4.5
