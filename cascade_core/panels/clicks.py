"""Clicks on marks of charts and rows of tables: what Streamlit calls a selection, heard before the page runs.

A click opens another view.  When the page returns nothing is selected, so that the same mark can be clicked again: the
elements have other keys after each opening.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cascade_core.panels import state


def on_mark(name: str, opens: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """Arguments that have ``st.plotly_chart`` call `opens` with the mark that is clicked: its x, y and number."""
    return _heard(name, "points", opens) | {"selection_mode": "points"}


def on_row(name: str, opens: Callable[[int], None]) -> dict[str, Any]:
    """Arguments that have ``st.dataframe`` call `opens` with the number of the row that is ticked."""
    return _heard(name, "rows", opens) | {"selection_mode": "single-row"}


def _heard(name: str, what: str, opens: Callable[[Any], None]) -> dict[str, Any]:
    clicked = state.clicked(name)

    def hear() -> None:
        chosen = (clicked.get() or {}).get("selection", {}).get(what, [])
        if chosen:
            opens(chosen[0])

    return {"key": clicked.key, "on_select": hear}
