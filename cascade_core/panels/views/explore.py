"""The live panel, and below it what follows the position where its slider was let go."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st

from cascade_core.panels import judging, opening, private, spending, state
from cascade_core.panels.live import live_panel
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key

PUT_UP = 0.7
"""Seconds that a browser takes to put up its first live panel."""


def show(shown: Shown) -> None:
    """The panel, what can be taken away from its position, and details of that."""
    if len(shown.exploration.test.stages) == 1:
        st.info(
            "This run has one stage, so every sample leaves there and there is nothing to choose. "
            "A cascade needs exits: see `python -m cascade_core build --help`.",
            icon=":material/info:",
        )
    here = shown.at(live_panel(shown.payload, opened=partial(opening.follow, shown.question.run)))
    spending.spent(here)
    judging.say_likeness(here)
    st.caption(shown.exploration.answers_words)
    _put_up()
    # What draws tables and charts takes a while to import: the panel is on its way to the browser by now.
    from cascade_core.panels import details, exports
    from cascade_core.panels.paper import figure_button
    from cascade_core.panels.pins import pin_button
    from cascade_core.panels.strip import strip

    if len(here.exploration.test.stages) > 1 and not here.question.run.is_counted:
        strip(here)

    with st.container(key=Key.TAKE, horizontal=True):
        pin_button(here)
        exports.choice_and_report(here)
        figure_button(here)
        exports.positions_and_script(here)
    details.details(here)
    exports.load_back(here)


def _put_up() -> None:
    """Let a browser that has just been opened put up the panel before it is sent what stands below.

    It would load what draws tables first, and show the slider a second later.
    """
    if private.session_id() is not None and not state.PUT_UP.get():
        state.PUT_UP.set(True)
        time.sleep(PUT_UP)
