"""The page's address: all that is looked at, as query parameters, so that a link shows it and Back goes back to it.

It is read when a session begins and at Back and Forward, and kept in step at all other times.  Each value is checked
against what there is before a widget is given it; what does not fit is left out, and all of that is said in one box.
Nothing of it is joined to a path, and defaults are not written, so that addresses stay short.  `linked` has the list of
what a link names, and how to add to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cascade_core.panels import history, state
from cascade_core.panels.history import Entry, Parameters
from cascade_core.panels.linked import Link
from cascade_core.panels.live import send
from cascade_core.panels.runs import Run
from cascade_core.panels.shown import Shown, shown_now
from cascade_core.panels.state import Value

SHOWN = 60
"""Most letters of a bad value that are repeated to the user."""

T = TypeVar("T")


def read(known: Collection[Link]) -> None:
    """Give widgets the values of the address, or of Back, before they are drawn; at other times what they had."""
    query, back = _opened(), state.BACK.get()
    if back is not None:
        query = history.parameters(back)
    if query is None:
        recall(known)
        return
    values, faults = parsed(query, known)
    for link in known:
        link.value.set(values.get(link.value.key, link.value.default))
    state.LINK_FAULTS.set(faults)
    state.ARRIVED.set(True)


def _opened() -> Parameters | None:
    """What the page was opened with, when a session begins."""
    if state.LINK_READ.get():
        return None
    state.LINK_READ.set(True)
    return {name: st.query_params.get_all(name) for name in st.query_params}


def recall(known: Collection[Link]) -> None:
    """Give back what Streamlit forgets of widgets that were not drawn."""
    kept = state.LINK_KEPT.get()
    for link in known:
        if link.value.key in kept and not link.value.is_set():
            link.value.set(kept[link.value.key])


def parsed(query: Parameters, known: Collection[Link]) -> tuple[dict[str, Any], list[str]]:
    """Values by key, of those parameters that fit, and a line on each that does not; unknown ones are passed over."""
    values, faults = {}, []
    for link in known:
        key = link.value.key
        if key in query:
            try:
                values[key] = link.value_of(list(query[key]))
            except ValueError as error:
                faults.append(_fault(key, str(error), repr(query[key][-1][:SHOWN])))
    return values, faults


def _fault(key: str, expected: str, came: str) -> str:
    return f"expected {key} to be {expected} but it was {came}"


def fit(value: Value[T], options: Collection[T], words: str) -> T:
    """A linked value whose options depend on what is shown; its default, which a link's fault says, if it is none.

    To be called before the widget is drawn.

    Args:
        words: What was expected, such as "a class of this run".
    """
    now = value.get()
    if now == value.default or now in options:
        return now
    if state.ARRIVED.get():
        say(_fault(value.key, words, repr(str(now)[:SHOWN])))
    value.set(value.default)
    return value.default


def say(line: str) -> None:
    """Add a line to the box on what does not fit."""
    state.LINK_FAULTS.set([*state.LINK_FAULTS.get(), line])


def go_to(shown: Shown) -> Shown:
    """What is shown, at the slider value, or the thresholds, that a link or Back named."""
    if not state.ARRIVED.get():
        return shown
    send(shown.payload, _position(shown), _hand(shown))
    return shown_now(shown.selection)


def _position(shown: Shown) -> int:
    """Where the link has the slider: where the page opens if it does not say, or says what there is not."""
    value, values = state.AT.get(), shown.exploration.shown
    opening = int(shown.payload["slider"]["initial"])
    if value is None:
        return opening
    low, high = float(values.min()), float(values.max())
    if not low - 1e-9 <= value <= high + 1e-9:
        say(_fault(state.AT.key, f"from {low:.6g} to {high:.6g}", f"{value:.6g}"))
        return opening
    return int(np.abs(values - value).argmin())


def _hand(shown: Shown) -> tuple[float, ...] | None:
    """The thresholds that the link has set by hand, if they are of as many stages as can have them."""
    hand, path = state.HAND.get(), shown.exploration.path
    if hand is None:
        return None
    count = path.thresholds.shape[1]
    if path.by_class or len(hand) != count:
        expected = "left out under thresholds by class" if path.by_class else f"{count} thresholds"
        say(_fault(state.HAND.key, expected, str(len(hand))))
        return None
    return hand


def write(shown: Shown | None, known: Collection[Link], run: Run) -> None:
    """Have the browser's address name what is looked at, and keep that for widgets that are not drawn."""
    if shown is not None:
        stand(shown)
    values = {link.value.key: link.value.get() for link in known}
    state.LINK_KEPT.set(values)
    state.ARRIVED.set(False)
    state.BACK.set(None)  # not before: a run that is cut short has shown nothing of it, and the next reads it again
    query = query_of(values, known)
    names = [link.value.key for link in known]
    moving = {link.value.key for link in known if link.moves}
    state.WRITTEN.set(query)
    history.follow(Entry(query=query, step=[n for n in names if n not in moving], names=names, needs=_needs(run)))


def stand(shown: Shown) -> None:
    """Have the address name where the panel stands."""
    moved = shown.position != int(shown.payload["slider"]["initial"])
    state.AT.set(float(f"{shown.exploration.shown[shown.position]:.9g}") if moved else None)
    state.HAND.set(shown.setting.by_hand)


def query_of(values: Mapping[str, Any], known: Collection[Link]) -> list[tuple[str, str]]:
    """Names and texts of values by key; a batch size only where costs depend on it."""
    idle = state.BATCH if values[state.COST.key] == state.COST.default else None
    return [
        (link.value.key, text)
        for link in known
        if link.value is not idle
        for text in link.texts_of(values[link.value.key])
    ]


def _needs(run: Run) -> list[str]:
    """What whoever opens the link needs to have, besides the page."""
    if run.yours:
        return [f"a run like {run.name}, which you brought: it is in your session alone, and not in the link"]
    return [f"the run {run.name} in the page's cache folder (its SHA-256 begins with {run.digest[:12]})"]


def show_faults(place: DeltaGenerator) -> None:
    """Say, in one box, all that did not fit."""
    lines = state.LINK_FAULTS.take()
    if lines:
        with place.container(border=True):
            st.markdown(":material/link_off: A part of the link does not fit and is left out.")
            st.text("\n".join(lines))
