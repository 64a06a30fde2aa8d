"""The line that says what is looked at, and the badge on numbers that promise less than others do."""

from __future__ import annotations

from cascade_core.rendering.markup.escaping import text

LONGEST_LINE = 400
"""Letters of the line that are shown."""


def heading(line: str, badge: str = "") -> str:
    """A paragraph of the line, and the badge behind it if there is one."""
    return f'<p class="cascade-heading">{text(line, LONGEST_LINE)}{badged(badge)}</p>'


def ghost(line: str) -> str:
    """A pale line of what was there before; its room stays when there is nothing to say."""
    return f'<p class="cascade-ghost" role="status">{text(line, LONGEST_LINE)}</p>'


def said(words: str) -> str:
    """A word above the window's lower edge, which goes by itself."""
    return f'<p class="cascade-said" role="status">{text(words)}</p>'


def badged(words: str) -> str:
    """The badge as it stands behind other text, with a space before it; nothing where there are no words."""
    return f' <span class="cascade-badge">{text(words)}</span>' if words else ""
