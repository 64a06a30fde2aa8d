"""The live panel itself: what it is given (`data`) and what draws it (JavaScript and a style sheet).

Nothing here knows Streamlit: a page, a test or a standalone file may mount the panel alike.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cascade_core.rendering.modules import bundled

_STYLE = ("base", "readouts", "slider", "sections", "charts", "widths", "presented", "paper")
"""Files of the style sheet; what stands later has the last word."""


@cache
def live_css() -> str:
    """The panel's style sheet; all its classes begin with `cascade-live`."""
    folder = files(__name__).joinpath("style")
    return "\n".join(folder.joinpath(f"{name}.css").read_text(encoding="utf-8") for name in _STYLE)


def live_js() -> str:
    """The panel's ES module; it imports nothing and exports `mount` for pages without Streamlit."""
    return bundled("live/panel.js")
