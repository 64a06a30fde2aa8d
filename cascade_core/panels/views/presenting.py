"""One screen to show to others: the live panel alone, in large type, steered by keys."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels import private, state
from cascade_core.panels.live import live_panel
from cascade_core.panels.pins import pinned_positions
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key


def show(shown: Shown) -> None:
    """The panel, and a line on how to steer and leave."""
    st.html(private.BARE)
    pinned = pinned_positions(shown)
    live_panel(shown.payload, presentation={"pins": pinned, "leave": f".st-key-{Key.LEAVE} button"})
    with st.container(horizontal=True, vertical_alignment="center"):
        stops = "Page Up and Page Down go to pinned points; " if pinned else ""
        st.caption(f"Arrow keys move the slider; {stops}Esc leaves.")
        if st.button("Leave", key=Key.LEAVE, type="tertiary", on_click=_leave):
            st.rerun()  # the whole page: its other parts are to be seen again


def _leave() -> None:
    """Before the run, as a widget's value may not be set once the widget is there."""
    state.VIEW.set(state.VIEW.default)
