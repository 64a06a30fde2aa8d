"""Operating points that the user pinned: named, in an order of the user's own, kept in the address, and gone back to.

A pin is the part of an address that leads to its place (see `bookmarks`), so that it survives a reload and goes along
with a link; what it does is looked up, or computed again, when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from cascade_core.analysis.exploration import Split
from cascade_core.analysis.points import OperatingPoint, Setting, operating_point
from cascade_core.panels import address, bookmarks, costs, questions, runs, saying, state, upload
from cascade_core.panels.bookmarks import MOST, MOST_NAME
from cascade_core.panels.linked import links
from cascade_core.panels.questions import Question
from cascade_core.panels.runs import Run
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key, Value

PLACE: tuple[Value[Any], ...] = (
    state.RUN,
    state.POLICY,
    state.SCORE,
    state.ANSWERS,
    state.SEED,
    state.IN_SAMPLE,
    state.TOP_K,
    state.IN_EVERY,
    state.AMONG,
    state.COST,
    state.BATCH,
    state.COSTS,
    state.AT,
    state.HAND,
)
"""What leads to a point."""

_NAMES = {value.key for value in PLACE}


@dataclass(frozen=True, kw_only=True, eq=False)
class Pin:
    """A pinned point that can be shown here.

    Attributes:
        mark: What the address has of it.
        question: What its rule answers.
        setting: Where its panel stands.
    """

    mark: bookmarks.Pin
    question: Question
    setting: Setting

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.mark.name

    @cached_property
    def point(self) -> OperatingPoint:
        """What it does."""
        return operating_point(self.setting, run=self.question.run.name, name=self.name)


def pins() -> list[Pin]:
    """The session's pins that can be shown, in the user's order."""
    listed, _ = runs.list_runs() if state.PINS.get() else ([], [])
    by_name = {run.name: run for run in [*listed, *upload.own_runs(listed)]}
    return [pin for mark in state.PINS.get() for pin in _found(mark, by_name)]


def _found(mark: bookmarks.Pin, by_name: Mapping[str, Run]) -> Iterator[Pin]:
    """The pin of a mark; nothing where its run, or the place in it, is not there."""
    query = {name: [text] for name, text in mark.query}
    values, faults = address.parsed(query, links(by_name, ()))
    now = {value: values.get(value.key, value.default) for value in PLACE}
    run = by_name.get(now[state.RUN] or "")
    if faults or run is None:
        return
    question = Question(
        run=run,
        policy=now[state.POLICY],
        score=now[state.SCORE],
        answers=now[state.ANSWERS],
        split=Split(seed=now[state.SEED], in_sample=now[state.IN_SAMPLE]),
        top_k=now[state.TOP_K],
        in_every=now[state.IN_EVERY] or None,
        among=now[state.AMONG],
        meter=costs.named(run, now[state.COST], now[state.BATCH], now[state.COSTS]),
    )
    try:
        exploration = questions.explored(question)
        at = exploration.opening if now[state.AT] is None else int(np.abs(exploration.shown - now[state.AT]).argmin())
        setting = Setting(exploration=exploration, position=at, by_hand=now[state.HAND])
    except ValueError:  # the file is another than when it was pinned, or the thresholds are of other stages
        return
    yield Pin(mark=mark, question=question, setting=setting)


def keep(marks: Sequence[bookmarks.Pin]) -> None:
    """Replace the session's pins."""
    state.PINS.set(tuple(marks[-MOST:]))


def go_to(pin: bookmarks.Pin, view: str | None = None) -> None:
    """Show the page at a pin from the next run on, in a view or in this one; for buttons' callbacks."""
    others = [(name, text) for name, text in state.WRITTEN.get() if name not in _NAMES]
    if view is not None:
        others = [(name, text) for name, text in others if name != state.VIEW.key] + [(state.VIEW.key, view)]
    state.BACK.set(urlencode([*pin.query, *others]))


def place_of(shown: Shown) -> tuple[tuple[str, str], ...]:
    """The part of an address that leads to what is shown."""
    address.stand(shown)
    known = [link for link in links((), ()) if link.value.key in _NAMES]
    return tuple(address.query_of({link.value.key: link.value.get() for link in known}, known))


def pin_button(shown: Shown) -> None:
    """A button that pins the point; what came of it is said where it moves nothing."""
    about = "Keeps it for the table under Compare, as a stop of the presentation, and in the link."
    if not st.button("Pin this point", icon=":material/push_pin:", help=about, key=Key.PIN):
        return
    known, query = state.PINS.get(), place_of(shown)
    if query in [pin.query for pin in known]:
        saying.say("This point is pinned already.")
        return
    name = f"{shown.setting.words}, {shown.question.run.name}"[:MOST_NAME]
    keep([*known, bookmarks.Pin(name=name, query=query)])
    saying.say(f"Pinned as number {min(len(known) + 1, MOST)}.")


def stop_of(shown: Shown, pinned: Sequence[Pin]) -> int | None:
    """Which of the pins is shown, by its place among them; None where none is."""
    here = shown.setting
    for number, pin in enumerate(pinned):
        one = pin.setting
        if one.exploration is here.exploration and (one.position, one.by_hand) == (here.position, here.by_hand):
            return number
    return None


def manage() -> None:
    """The list of pins: to rename, to order, to go to, and to remove."""
    marks, here = state.PINS.get(), {pin.mark.key for pin in pins()}
    for number, mark in enumerate(marks):
        with st.container(horizontal=True, vertical_alignment="bottom", key=Key.PIN.of("row", mark.key)):
            _row(number, mark, gone=mark.key not in here)
    if len(marks) > 1:
        st.button("Remove all", icon=":material/delete:", key=Key.UNPIN, on_click=keep, args=([],))


def _row(number: int, mark: bookmarks.Pin, *, gone: bool) -> None:
    name, which = Value(Key.PIN.of("name", mark.key), mark.name), number + 1
    name.keep()
    about = "Its run is not in the list, or is another file now." if gone else None
    label, key = f"Name of point {which}", name.key
    st.text_input(label, max_chars=MOST_NAME, key=key, on_change=_rename, args=(number, name), help=about)
    key = Key.PIN.of("go", mark.key)
    st.button(f"Go to {which}", key=key, on_click=go_to, args=(mark, "explore"), disabled=gone)
    key = Key.PIN.of("up", mark.key)
    st.button(f"Move {which} up", key=key, on_click=_move_up, args=(number,), disabled=number == 0)
    key = Key.UNPIN.of(mark.key)
    st.button(f"Remove {which}", icon=":material/close:", key=key, on_click=_remove, args=(number,))


def _rename(number: int, name: Value[str]) -> None:
    marks = list(state.PINS.get())
    marks[number] = bookmarks.Pin(name=name.get().strip() or marks[number].name, query=marks[number].query)
    keep(marks)


def _move_up(number: int) -> None:
    marks = list(state.PINS.get())
    marks[number - 1 : number + 1] = reversed(marks[number - 1 : number + 1])
    keep(marks)


def _remove(number: int) -> None:
    marks = list(state.PINS.get())
    del marks[number]
    keep(marks)
