"""One screen to show to others: the live panel alone, in large type, steered by keys, with the pins as its stops."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels import pins, private, state
from cascade_core.panels.live import live_panel
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key

_BUTTONS = {name: Key.STEP.of(name) for name in ("previous", "next")} | {"leave": Key.LEAVE}


def show(shown: Shown) -> None:
    """The panel, and a line on how to steer and leave."""
    st.html(private.BARE)
    buttons = {name: _selector(key) for name, key in _BUTTONS.items()}
    stand = live_panel({**shown.payload, "elsewhere": None}, presentation=buttons)
    with st.container(key=Key.STEPS, horizontal=True, vertical_alignment="center"):
        stops = _stops(shown.at(stand))
        if st.button("Leave", key=Key.LEAVE, type="tertiary", on_click=_leave):
            st.rerun()  # the whole page: its other parts are to be seen again
        st.caption(f"Arrow keys move the slider; {stops}Esc leaves.")


def _selector(key: str) -> str:
    """What finds a button in the browser."""
    return f".st-key-{key.replace(':', '-')} button"


def _stops(shown: Shown) -> str:
    """Buttons to the stops before and after, which may be of other runs; what is said of their keys."""
    pinned = pins.pins()
    if not pinned:
        return ""
    here = pins.stop_of(shown, pinned)
    if here is not None:
        state.STOP.set(here)
    at = state.STOP.get()
    for name, to, icon in (("previous", at - 1, "arrow_back"), ("next", at + 1, "arrow_forward")):
        there = 0 <= to < len(pinned)
        st.button(
            f"{name.capitalize()} stop",
            icon=f":material/{icon}:",
            key=_BUTTONS[name],
            type="tertiary",
            disabled=not there,
            help=f"{to + 1} of {len(pinned)}" if there else None,
            on_click=_go_to if there else None,
            args=(to, pinned[to]) if there else (),
        )
    if here is not None:
        st.text(f"{here + 1} of {len(pinned)}: {pinned[here].name}", width="content")
    return "Page Up and Page Down go to the stops; "


def _go_to(number: int, pin: pins.Pin) -> None:
    state.STOP.set(number)
    pins.go_to(pin.mark)


def _leave() -> None:
    """Before the run, as a widget's value may not be set once the widget is there."""
    state.VIEW.set(state.VIEW.default)
