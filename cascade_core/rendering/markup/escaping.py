"""Texts from files as HTML shows them to the letter."""

from __future__ import annotations

import html

LONGEST = 200
"""Letters of a name that are shown; names in a file may be of any length."""


def text(value: str, longest: int = LONGEST) -> str:
    """`value` escaped, also for attributes; what has more than `longest` letters is cut, which an ellipsis tells."""
    return html.escape(value if len(value) <= longest else f"{value[: longest - 1]}…")
