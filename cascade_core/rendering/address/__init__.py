"""The page's address in the browser: its history, and the button that shares it, as one component.

Nothing here knows Streamlit but for the way in which it calls a component's default function.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from cascade_core.rendering.modules import bundled


@cache
def address_css() -> str:
    """The style sheet; all its classes begin with `cascade-address`."""
    return files(__name__).joinpath("address.css").read_text(encoding="utf-8")


def address_js() -> str:
    """The ES module, whose default export follows Streamlit's components."""
    return bundled("address/address.js")
