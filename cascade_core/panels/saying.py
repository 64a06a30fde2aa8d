"""A word on what was just done, above the page's lower edge: it moves nothing, is read aloud, and goes by itself."""

from __future__ import annotations

import time

import streamlit as st

from cascade_core.panels import state
from cascade_core.rendering.markup import markup_css, said

SECONDS = 4.0
"""For which it stays; runs of the page within them, which may follow at once, show it again unchanged."""


def say(words: str) -> None:
    """Have a word said when the page has been drawn."""
    state.SAID.set((words, time.monotonic()))


def show() -> None:
    """What was said last, unless that is a while ago."""
    words, when = state.SAID.get()
    if words and time.monotonic() - when < SECONDS:
        st.html(f"<style>{markup_css()}</style>{said(words)}")
