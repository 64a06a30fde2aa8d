"""Numbers, settings and metadata as people read them: percent, points, real minus signs; nothing is escaped yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cascade_core.analysis.exploration import Exploration


def number(value: float, form: str) -> str:
    """A number with a real minus sign, and never "-0.0".

    >>> number(-0.04, ".1f"), number(-1234.5, ",.1f")
    ('0.0', '−1,234.5')
    """
    text = format(value, form)
    return text.replace("-", "\u2212") if text.strip("-0.,") else text.lstrip("-")


def percent(share: float, digits: int = 2) -> str:
    """A fraction in percent."""
    return f"{number(100 * share, f'.{digits}f')} %"


def points(drop: float) -> str:
    """A fraction in points, without the unit."""
    return number(100 * drop, ".2f")


def threshold(value: float | None) -> str:
    """From which confidence on samples leave; nothing for a stage that always answers."""
    if value is None or pd.isna(value):
        return ""
    return "never" if value == float("inf") else f"\u2265 {number(value, '.6g')}"


def setting(exploration: Exploration, position: int) -> str:
    """A slider position: "acceptable accuracy drop 1.0 points"."""
    slider = exploration.policy.slider
    return f"{slider.label} {value(exploration, exploration.shown[position])} {slider.unit}".strip()


def value(exploration: Exploration, shown: float, more: int = 0) -> str:
    """A value of the slider in its unit, to `more` decimals than it shows."""
    slider = exploration.policy.slider
    # A bare number is a confidence, whose last digits matter near 1.
    return number(shown, f".{slider.decimals + more}f" if slider.unit else ".6g")


def flat(data: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """JSON data as names and texts.

    >>> list(flat({"a": {"b": [1, 2.5], "c": [{"d": None}]}}))
    [('a, b', '1, 2.5'), ('a, c 1, d', 'none')]
    """
    if isinstance(data, Mapping):
        for key, item in data.items():
            yield from flat(item, f"{name}, {key}" if name else str(key))
    elif isinstance(data, list) and any(isinstance(item, Mapping | list) for item in data):
        for place, item in enumerate(data, start=1):
            yield from flat(item, f"{name} {place}")
    else:
        yield name, ", ".join(map(_plain, data if isinstance(data, list) else [data]))


def _plain(data: Any) -> str:
    if isinstance(data, float):
        return f"{data:.6g}"
    return "none" if data is None else str(data)
