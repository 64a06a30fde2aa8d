"""Results -> HTML for what neither tables nor charts can show: lists of facts, and a sample's way through the stages.

Every text that comes from a file is escaped here, in one place, `text`; a page shows the result as it is.  The style
sheet is `markup_css`.  There is no script.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cascade_core.rendering.markup.facts import facts
from cascade_core.rendering.markup.heading import badged, ghost, heading, said

__all__ = ["badge_css", "badged", "facts", "ghost", "heading", "markup_css", "said"]


@cache
def markup_css() -> str:
    """The style sheet of everything made here; all its classes begin with `cascade-`."""
    return f"{files(__name__).joinpath('markup.css').read_text(encoding='utf-8')}\n{badge_css()}"


@cache
def badge_css() -> str:
    """The style sheet of `badged` alone, for pages with a sheet of their own."""
    return files(__name__).joinpath("badge.css").read_text(encoding="utf-8")
