"""The browser's address and history, kept in step with what is shown, and heard: a component without a look of its own.

Streamlit's `st.query_params` would add an entry to the history for each change, also for each place where a slider was
let go, and runs the page with the state that it has when Back is pressed.  Here the browser's own History API writes
the address (rendering/address/history.js has the rules), and Back and Forward arrive as a query for `address` to apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from cascade_core.panels import state
from cascade_core.rendering.address import address_css, address_js

MOST_LETTERS = 64_000
"""Of a query; browsers send longer ones, but no link of this page is as long."""

Parameters = Mapping[str, Sequence[str]]
"""Of a query: all texts that a name has there."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the address should say.

    Attributes:
        query: Names and texts, in order; a name may come more than once.
        step: The names among them whose change is a step of its own at once.
        names: All names that are the page's own.
        needs: Lines on what whoever opens the link needs to have.
    """

    query: Sequence[tuple[str, str]]
    step: Sequence[str]
    names: Sequence[str]
    needs: Sequence[str]


@cache
def _component() -> ComponentRenderer:
    """The registered component; registering a second time would warn."""
    return st.components.v2.component("cascade_core.address", css=address_css(), js=address_js(), isolate_styles=False)


def listen() -> None:
    """Hear of Back and Forward: outside of all fragments, so that the whole page runs, with what they name."""
    _component()(key=state.BACK_HEARD.key, data={"listens": True}, height=1, on_back_change=_heard)


def follow(entry: Entry) -> None:
    """Have the browser's address say `entry`, and show the button that shares it."""
    step = [[name, text] for name, text in entry.query if name in entry.step]
    data = {
        "query": [list(pair) for pair in entry.query],
        "step": repr(step),
        "keys": list(entry.names),
        "needs": list(entry.needs),
        "turn": state.BACK_TURN.get(),
    }
    _component()(key=state.ADDRESS.key, data=data, width="content")


def _heard() -> None:
    """Before the run: what was sent is gone in the next."""
    sent = state.BACK_HEARD.get().get("back")
    if isinstance(sent, Mapping) and isinstance(sent.get("turn"), int) and isinstance(sent.get("query"), str):
        state.BACK.set(sent["query"])
        state.BACK_TURN.set(sent["turn"])


def parameters(query: str) -> Parameters:
    """What a browser's query says; nothing where it is longer than any link of this page."""
    text = query.removeprefix("?")
    return parse_qs(text, keep_blank_values=True) if len(text) <= MOST_LETTERS else {}
