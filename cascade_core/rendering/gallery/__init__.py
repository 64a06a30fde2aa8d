"""Samples as cards and tiles: what is shown of each (`cards`), and what draws it (JavaScript and a style sheet).

Nothing here knows Streamlit.  Python finds every word and number; the script sets texts as texts, never as HTML.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cascade_core.rendering.gallery.cards import Card, Group, StageAnswer, cards, gallery_data
from cascade_core.rendering.modules import bundled

__all__ = ["Card", "Group", "StageAnswer", "cards", "gallery_css", "gallery_data", "gallery_js"]


@cache
def gallery_css() -> str:
    """The style sheet; all its classes begin with `cascade-gallery`."""
    return files(__name__).joinpath("gallery.css").read_text(encoding="utf-8")


def gallery_js() -> str:
    """The ES module that draws `gallery_data` and tells which sample was clicked."""
    return bundled("gallery/gallery.js")
