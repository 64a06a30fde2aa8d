"""The gallery in Streamlit: shows samples as cards or tiles, and opens what is clicked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from cascade_core.panels import opening, state
from cascade_core.panels.runs import Run
from cascade_core.rendering.gallery import gallery_css, gallery_js


@cache
def _component() -> ComponentRenderer:
    """The registered component; registering a second time would warn."""
    css, js = gallery_css(), gallery_js()
    return st.components.v2.component("cascade_core.gallery", css=css, js=js, isolate_styles=False)


def gallery(run: Run, data: Mapping[str, Any], clicked: state.Value[Mapping[str, Any] | None]) -> None:
    """Show samples of a run.

    Args:
        data: As `rendering.gallery.gallery_data` makes it.
        clicked: What lends the gallery its key, and has what was clicked under "opened".
    """

    def follow() -> None:
        opening.follow(run, (clicked.get() or {}).get("opened"))

    _component()(key=clicked.key, data=data, on_opened_change=follow)
