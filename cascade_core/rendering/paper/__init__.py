"""Figures for papers: in the width of a column or a page, in a chosen size of type, as PDF, SVG or PNG.

A figure is a function that draws on a `Sheet`; `written` makes a file of it, and `texts` says which words it shows,
each of which a `Style` may replace.  Nothing is told by colour alone: dashes, markers, hatching and lightness say the
same in grey.  Fonts are inside: a PDF embeds them as TrueType, an SVG holds outlines.

Only this room imports matplotlib, and it is imported when a figure is asked for.
"""

from __future__ import annotations

from cascade_core.support.extras import require

require("paper")

from cascade_core.rendering.paper.comparison import comparison
from cascade_core.rendering.paper.curve import curve
from cascade_core.rendering.paper.exits import exits
from cascade_core.rendering.paper.histograms import histograms
from cascade_core.rendering.paper.sheet import FORMATS, Draw, Sheet, texts, written
from cascade_core.rendering.paper.style import FONTS, WIDTHS, Style

__all__ = [
    "FONTS",
    "FORMATS",
    "WIDTHS",
    "Draw",
    "Sheet",
    "Style",
    "comparison",
    "curve",
    "exits",
    "histograms",
    "texts",
    "written",
]
