"""The live panel itself: what it is given (`data`) and what draws it (JavaScript and a style sheet).

Nothing here knows Streamlit: a page, a test or a standalone file may mount the panel alike.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

PARTS = (
    "panel",
    "presentation",
    "payload",
    "words",
    "elements",
    "controls",
    "stages",
    "curve",
    "shares",
    "pictures",
    "zoom",
)
"""Files of the panel's one ES module, in the order in which they are joined."""


@cache
def live_css() -> str:
    """The panel's style sheet; all its classes begin with `cascade-live`."""
    return files(__name__).joinpath("live.css").read_text(encoding="utf-8")


@cache
def live_js() -> str:
    """The panel's ES module; it imports nothing and exports `mount` for pages without Streamlit."""
    return "\n".join(files(__name__).joinpath(f"{part}.js").read_text(encoding="utf-8") for part in PARTS)
