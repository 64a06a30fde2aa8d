"""The comparison's chart in Streamlit: mounts it with data; the browser sends nothing back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from cascade_core.panels.state import Key
from cascade_core.rendering.comparison import chart_js, comparison_css


@cache
def _chart() -> ComponentRenderer:
    """The registered component; registering a second time would warn."""
    return st.components.v2.component(
        "cascade_core.comparison", css=comparison_css(), js=chart_js(), isolate_styles=False
    )


def comparison_chart(data: Mapping[str, Any]) -> None:
    """Show what `comparison_data` made; within one run of the page each time with more curves than before, or bands."""
    spread = sum(curve["spread"] is not None for curve in data["curves"])
    _chart()(key=Key.COMPARE.of("chart", len(data["curves"]), spread), data=dict(data))
