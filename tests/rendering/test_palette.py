"""Colours: the style sheet of the live panel and the palette hold the same values."""

from __future__ import annotations

import re

import pytest

from cascade_core.rendering.live import live_css
from cascade_core.rendering.palette import DARK, LIGHT, Palette

CSS = live_css()


def declared(name: str) -> list[str]:
    return re.findall(rf"--cascade-live-{name}:\s*(#[0-9a-f]{{6}})", CSS)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("palette", "theme"), [(LIGHT, 0), (DARK, 1)])
def test_style_sheet_holds_the_same_colours(palette: Palette, theme: int) -> None:
    for step, colour in enumerate(palette.ramp):
        assert declared(f"ramp-{step}")[theme] == colour
    assert declared("wrong")[theme] == palette.wrong
    assert declared("on")[theme] == palette.staying
    assert declared("wrong-on")[theme] == palette.wrong_staying


@pytest.mark.parametrize(("palette", "background"), [(LIGHT, "#ffffff"), (DARK, "#0e1117")])
def test_every_colour_stands_out_from_the_background(palette: Palette, background: str) -> None:
    # WCAG 2 AA asks 3:1 of graphics that carry meaning.
    for colour in (*palette.ramp, palette.wrong):
        assert contrast(colour, background) >= 3
    assert contrast(palette.text, background) >= 4.5
