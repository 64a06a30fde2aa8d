"""What the report alone puts in words: thresholds with what reaches them, and metadata; nothing is escaped yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd


def threshold(value: float | None) -> str:
    """From which confidence on samples leave; nothing for a stage that always answers."""
    if value is None or pd.isna(value):
        return ""
    return "never" if value == float("inf") else f"\u2265 {value:.6g}".replace("-", "\u2212")


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
