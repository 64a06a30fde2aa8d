"""Operating points that the user pinned in this session: a button that pins, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cascade_core.analysis.points import OperatingPoint, operating_point
from cascade_core.panels import state
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key

MOST = 50
"""Pins that a session keeps; the oldest go."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pin:
    """A pinned position.

    Attributes:
        shown: The `id` of the live panel's payload that it is a position of.
        position: Index in that payload.
    """

    shown: str
    position: int
    point: OperatingPoint


def pins() -> list[Pin]:
    """The session's pins, oldest first."""
    return list(state.PINS.get())


def keep(pins: list[Pin]) -> None:
    """Replace the session's pins."""
    state.PINS.set(pins[-MOST:])


def pin_button(shown: Shown) -> None:
    """A button that pins the position."""
    if not st.button(
        "Pin this point",
        icon=":material/push_pin:",
        help="Keeps it for the table under Compare, and as a stop of the presentation.",
        key=Key.PIN,
    ):
        return
    known = pins()
    if shown.position in pinned_positions(shown):
        _say("This point is pinned already.")
        return
    position = shown.position
    point = operating_point(shown.setting, run=shown.question.run.name)
    keep([*known, Pin(shown=shown.payload["id"], position=position, point=point)])
    _say(f"Pinned as number {len(known) + 1}.")


def _say(words: str) -> None:
    """Beside the button, until the page runs again; a toast has no name for screen readers."""
    st.markdown(words, width="content")


def pinned_positions(shown: Shown) -> list[int]:
    """Positions of what is shown that are pinned, rising."""
    return sorted({one.position for one in pins() if one.shown == shown.payload["id"]})
