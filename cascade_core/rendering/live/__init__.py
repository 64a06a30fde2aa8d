"""The live panel itself: what it is given (`data`) and what draws it (JavaScript and a style sheet).

Nothing here knows Streamlit: a page, a test or a standalone file may mount the panel alike.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cascade_core.rendering.modules import bundled


@cache
def live_css() -> str:
    """The panel's style sheet; all its classes begin with `cascade-live`."""
    return files(__name__).joinpath("live.css").read_text(encoding="utf-8")


def live_js() -> str:
    """The panel's ES module; it imports nothing and exports `mount` for pages without Streamlit."""
    return bundled("live/panel.js")
