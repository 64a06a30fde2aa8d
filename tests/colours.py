"""Contrast of colours, as WCAG 2 defines it."""

from __future__ import annotations

from collections.abc import Sequence

Colour = str | Sequence[float]
"""Written #rrggbb, or red, green and blue in [0, 255]."""


def rgb(colour: Colour) -> Sequence[float]:
    """Red, green and blue."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)] if isinstance(colour, str) else colour


def luminance(colour: Colour) -> float:
    """Relative luminance, from 0 for black to 1 for white."""
    parts = [value / 255 for value in rgb(colour)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """From 1 for equal colours to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
