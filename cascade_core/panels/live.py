"""The live panel in Streamlit: mounts it with numbers computed beforehand, and hears where the slider rests.

A drag happens in the browser alone; Python learns where the panel stands when it is let go, and then
reruns.  The convention: a position is an index into the payload's arrays, and belongs to the payload's
`id`; with another id the slider starts anew, at the payload's own `slider.initial`.

It computes nothing, draws nothing and writes no query parameters;
the payload comes from `cascade_core.rendering.live.data`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from cascade_core.panels import state
from cascade_core.rendering.live import live_css, live_js
from cascade_core.storage.choice import shortest

LARGEST_END = 1e15
"""No axis of a chart goes as far."""


@cache
def _component() -> ComponentRenderer:
    """The registered component; registering a second time would warn."""
    return st.components.v2.component("cascade_core.live", css=live_css(), js=live_js(), isolate_styles=False)


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Where the panel stands.

    Attributes:
        index: Position of the slider, from 0 to G-1.
        hand: Thresholds set by hand of all stages but the last, infinite where nothing leaves; None: the position's.
    """

    index: int
    hand: tuple[float, ...] | None = None


def live_panel(
    data: Mapping[str, Any],
    presentation: Mapping[str, Any] | None = None,
    opened: Callable[[object], None] = lambda clicked: None,
) -> Stand:
    """Show the live panel, and say where it was let go.

    Args:
        data: The payload, as JSON data without NaN or infinities; equal ids mean equal payloads.
        presentation: To fill one screen; it names the buttons that keys press (see presentation.js).
        opened: Is told, before the page runs, what was clicked that another view shows, as the browser says it.

    Returns:
        Where it stands; at `data["slider"]["initial"]` until the first release under this id.
    """
    sent = state.SENT.get()
    opening = released(sent, data)
    result = _component()(
        key=state.LIVE,
        # Named, so that the browser finds the same position again when the panel leaves the page and returns; a
        # later turn is a position that Python sends it to.  What does not change is not sent again.
        data={
            **data,
            "slider": {**data["slider"], "initial": opening.index},
            "hand": as_json(opening.hand),
            "panel": state.LIVE,
            "turn": sent.get("turn", 0),
            "presentation": presentation,
        },
        on_position_change=_nothing,
        on_opened_change=lambda: opened((state.PANEL.get() or {}).get("opened")),
    )
    if result.position is not None and result.position.get("turn") == sent.get("turn", 0):
        # Streamlit forgets a component's state when it is not on the page; this outlives that.
        state.RELEASED.set(dict(result.position))
    position = state.RELEASED.get()
    state.ZOOM.set(position.get("zoom") if position is not None and position.get("id") == data["id"] else None)
    return released(position, data)


def as_json(hand: tuple[float, ...] | None) -> list[float | None] | None:
    """Thresholds as browsers take them: None where nothing leaves."""
    return None if hand is None else [shortest(np.float32(value)) for value in hand]


def zoomed_axes(zoom: object, chart: str) -> dict[str, tuple[float, float]]:
    """The axes of a chart, by the name it has for screen readers, that were zoomed when the slider was let go.

    Args:
        zoom: What a browser sent; whatever is not such a thing is passed over.
    """
    axes = zoom.get(chart) if isinstance(zoom, Mapping) else None
    return {
        str(name): (float(ends[0]), float(ends[1]))
        for name, ends in (axes.items() if isinstance(axes, Mapping) else ())
        if re.fullmatch("[xy]axis[0-9]{0,2}", str(name)) and _is_range(ends)
    }


def _is_range(ends: object) -> bool:
    if not isinstance(ends, Sequence) or len(ends) != 2:
        return False
    # Not a number compares as False, and a whole number may be too large for a float.
    return all(isinstance(end, int | float) and abs(end) < LARGEST_END for end in ends)


def send(data: Mapping[str, Any], index: int, hand: tuple[float, ...] | None = None) -> None:
    """Let the panel of this payload stand elsewhere from the next run on, as if it were let go there."""
    position = {"id": data["id"], "index": index, "hand": as_json(hand)}
    state.SENT.set(position | {"turn": state.SENT.get().get("turn", 0) + 1})
    state.RELEASED.set(position)


def released(position: object, data: Mapping[str, Any]) -> Stand:
    """Where a browser let go, if that belongs to `data`; else the payload's initial position."""
    if isinstance(position, Mapping) and position.get("id") == data["id"]:
        index = position.get("index")
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(data["accuracy"]):
            stages = 0 if data["thresholds"] is None else len(data["thresholds"])
            return Stand(index=index, hand=_by_hand(position.get("hand"), stages))
    return Stand(index=int(data["slider"]["initial"]))


def sent_by_hand(stages: int) -> tuple[float, ...]:
    """Thresholds that Python sent last, which the panel must be able to set; empty if none, or of other stages."""
    return _by_hand(state.SENT.get().get("hand"), stages - 1) or ()


def _by_hand(values: object, count: int) -> tuple[float, ...] | None:
    """Thresholds as a browser says them; None if it says none, or what are none."""
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != count or not count:
        return None
    if not all(value is None or (_is_number(value) and abs(value) < LARGEST_END) for value in values):
        return None
    return tuple(float("inf") if value is None else float(value) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nothing() -> None:
    """A release needs a listener for its state to be kept."""
