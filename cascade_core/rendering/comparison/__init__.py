"""Runs and policies side by side: what is drawn of them (`data`), and what draws it (JavaScript and a style sheet).

Nothing here knows Streamlit.  The chart is made of the live panel's pieces, and needs the panel's style sheet too.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cascade_core.rendering.live import live_css
from cascade_core.rendering.modules import bundled


@cache
def comparison_css() -> str:
    """The style sheet, with the live panel's before it; all classes begin with `cascade-live`."""
    return live_css() + files(__name__).joinpath("comparison.css").read_text(encoding="utf-8")


def chart_js() -> str:
    """The ES module of the chart; it imports nothing and exports `mountChart` for pages without Streamlit."""
    return bundled("comparison/chart.js")


def beside_js() -> str:
    """The ES module of two live panels under one slider; it exports `mountPair` for pages without Streamlit."""
    return bundled("comparison/beside.js")
