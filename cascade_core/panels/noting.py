"""What is odd about the run that is looked at, above everything that is shown of it.

Where the plain network is right no more often than by chance, savings and drops against it mean nothing, and nothing
of them is shown until the user asks for it.  Lines hold names from files, and are shown as text.
"""

from __future__ import annotations

import streamlit as st

from cascade_core.panels import questions, state
from cascade_core.panels.runs import Run
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key


def unless_meaningless(shown: Shown | None) -> Shown | None:
    """Say what is odd about the run; what is to be shown of it, None where that would mean nothing."""
    if shown is None or not (lines := questions.notes(shown.question.run)):
        return shown
    run = shown.question.run
    meaningless = questions.is_meaningless(run)
    with st.container(border=True):
        st.warning(
            "The plain network is right no more often than by chance: no number on this run means anything."
            if meaningless
            else "Look at this before you believe the numbers:",
            icon=":material/warning:",
        )
        st.text("\n".join(lines))
    if not meaningless or state.ODD_SHOWN.get() == run.digest:
        return shown
    st.button("Show it all the same", on_click=_show, args=(run,), key=Key.ODD)
    return None


def _show(run: Run) -> None:
    state.ODD_SHOWN.set(run.digest)
