"""Two live panels under one slider in Streamlit: mounts them, and hears where the first was let go.

While the slider moves nothing is sent.  Its release moves the slider of *Explore* too: it is the same position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from cascade_core.panels import state
from cascade_core.panels.live import Stand, as_json, released
from cascade_core.panels.state import Key
from cascade_core.rendering.comparison import beside_js, comparison_css
from cascade_core.support.terms import Terms


@cache
def _component() -> ComponentRenderer:
    """The registered component; registering a second time would warn."""
    return st.components.v2.component("cascade_core.beside", css=comparison_css(), js=beside_js(), isolate_styles=False)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What is laid side by side.

    Attributes:
        panels: Payloads of the live panel.
        names: How they are headed.
        called: What they are called in a sentence.
        terms: Words for what both measure.
        hold: "drop" or "cost": what the second has as near as it can to the first.
    """

    panels: tuple[Mapping[str, Any], Mapping[str, Any]]
    names: Sequence[str]
    called: Sequence[str]
    terms: Terms
    hold: str


def side_by_side(pair: Pair, stand: Stand) -> Stand:
    """Show two panels, the first of which stands at `stand`, and say where it was let go."""
    first = pair.panels[0]
    start = _start(first, stand)
    result = _component()(
        key=Key.COMPARE.of("pair"),
        # What does not change is not sent again: the start stays where the panel was sent, wherever it goes by itself.
        data={
            "panels": list(pair.panels),
            "names": list(pair.names),
            "called": list(pair.called),
            "terms": pair.terms.as_json(),
            "hold": pair.hold,
            "start": start["at"],
            "turn": start["turn"],
        },
        on_position_change=_nothing,
    )
    position = result.position
    if position is None or position.get("turn") != start["turn"] or position.get("id") != first["id"]:
        return stand
    now = released(position, first)
    state.BESIDE_START.set({**start, "last": _place(now)})
    return now


def _start(first: Mapping[str, Any], stand: Stand) -> Mapping[str, Any]:
    """Where the first panel was sent: anew if it is another, or has been moved by other hands since it was heard."""
    before, place = state.BESIDE_START.get(), _place(stand)
    if before is not None and before["id"] == first["id"] and before["last"] == place:
        return before
    turn = 0 if before is None else before["turn"] + 1
    start = {"id": first["id"], "at": place, "last": place, "turn": turn}
    state.BESIDE_START.set(start)
    return start


def _place(stand: Stand) -> dict[str, Any]:
    """As JavaScript has it."""
    return {"g": stand.index, "hand": as_json(stand.hand)}


def _nothing() -> None:
    """A release needs a listener for its state to be kept."""
