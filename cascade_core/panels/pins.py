"""Operating points that the user pinned in this session: a button that pins, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cascade_core.analysis.points import OperatingPoint, operating_point
from cascade_core.panels.shown import Shown

MOST = 50
"""Pins that a session keeps; the oldest go."""

_PINS = "pins"


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
    return list(st.session_state.get(_PINS, ()))


def keep(wanted: list[Pin]) -> None:
    """Replace the session's pins."""
    st.session_state[_PINS] = wanted[-MOST:]


def pin_button(shown: Shown, position: int) -> None:
    """A button that pins the rule at `position`."""
    if not st.button(
        "Pin this point",
        icon=":material/push_pin:",
        help="Keeps it for the table under Compare, and as a stop of the presentation.",
        key="pin",
    ):
        return
    known = pins()
    if any(one.shown == shown.data["id"] and one.position == position for one in known):
        _say("This point is pinned already.")
        return
    chosen = shown.selection
    point = operating_point(
        shown.exploration, position, run=chosen.run.name, score=chosen.score, calibrated=chosen.calibrated
    )
    keep([*known, Pin(shown=shown.data["id"], position=position, point=point)])
    _say(f"Pinned as number {len(known) + 1}.")


def _say(words: str) -> None:
    """Beside the button, until the page runs again; a toast has no name for screen readers."""
    st.markdown(words, width="content")


def pinned_positions(shown: Shown) -> list[int]:
    """Positions of what is shown that are pinned, rising."""
    return sorted({one.position for one in pins() if one.shown == shown.data["id"]})
