"""One screen to show to others: the live panel alone, in large type, steered by keys."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels.live import LIVE, live_panel
from cascade_core.panels.pins import pinned_positions
from cascade_core.panels.shown import Shown

# What surrounds a page of Streamlit, and what the page itself keeps under the key `chrome`.
_BARE = """<style>
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"],
[data-testid="stHeader"], [data-testid="stToolbar"], .st-key-chrome { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 0.75rem 2rem 0 !important; max-width: none !important; }
</style>"""


def present(shown: Shown) -> int:
    """The panel, and a line on how to steer and leave; returns where the slider rests."""
    st.html(_BARE)
    pinned = pinned_positions(shown)
    position = live_panel(shown.data, key=LIVE, presentation={"pins": pinned, "leave": ".st-key-leave button"})
    with st.container(horizontal=True, vertical_alignment="center"):
        stops = "Page Up and Page Down go to pinned points; " if pinned else ""
        st.caption(f"Arrow keys move the slider; {stops}Esc leaves.")
        if st.button("Leave", key="leave", type="tertiary", on_click=_leave):
            st.rerun()  # the whole page: its other parts are to be seen again
    return position


def _leave() -> None:
    """Before the run, as a widget's value may not be set once the widget is there."""
    st.session_state["view"] = "explore"
