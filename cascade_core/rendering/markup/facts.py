"""A list of facts: what is known, and what it is."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_core.rendering.markup.escaping import text

LONGEST_VALUE = 2000
"""Letters of a value that are shown."""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A definition list of names and values."""
    rows = "".join(f"<dt>{text(name)}</dt><dd>{text(value, LONGEST_VALUE)}</dd>" for name, value in pairs)
    return f'<dl class="cascade-facts">{rows}</dl>'
