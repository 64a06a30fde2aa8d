"""Colours: the style sheet of the live panel and the palette hold the same values."""

from __future__ import annotations

import re
from colorsys import rgb_to_hls

import pytest

from cascade_core.rendering.comparison import comparison_css
from cascade_core.rendering.live import live_css
from cascade_core.rendering.palette import DARK, LIGHT, Palette
from tests.colours import contrast

CSS = live_css()


def declared(name: str) -> list[str]:
    return re.findall(rf"--cascade-live-{name}:\s*(#[0-9a-f]{{6}})", CSS)


@pytest.mark.parametrize(("palette", "theme"), [(LIGHT, 0), (DARK, 1)])
def test_style_sheet_holds_the_same_colours(palette: Palette, theme: int) -> None:
    for step, colour in enumerate(palette.ramp):
        assert declared(f"ramp-{step}")[theme] == colour
    assert re.findall(r"--cascade-live-run-\d:\s*(#[0-9a-f]{6})", comparison_css())[8 * theme :][:8] == list(
        palette.runs
    )
    assert declared("wrong")[theme] == palette.wrong
    assert declared("on")[theme] == palette.staying
    assert declared("wrong-on")[theme] == palette.wrong_staying


@pytest.mark.parametrize(("palette", "background"), [(LIGHT, "#ffffff"), (DARK, "#0e1117")])
def test_every_colour_stands_out_from_the_background(palette: Palette, background: str) -> None:
    # WCAG 2 AA asks 3:1 of graphics that carry meaning.
    for colour in (*palette.ramp, palette.wrong):
        assert contrast(colour, background) >= 3
    for colour in (*palette.runs, palette.text):  # read as text
        assert contrast(colour, background) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_run_is_never_taken_for_a_stage(palette: Palette) -> None:
    # Stages are cold hues, from teal to violet (160 to 282 degrees); runs are warm, green, or hardly coloured at all.
    for colour in palette.runs:
        hue, _, saturation = rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
        assert not 155 < 360 * hue < 290 or saturation < 0.25
