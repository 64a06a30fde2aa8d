"""Slides of the pinned points on the page: a button that saves them as one file."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cascade_core.panels.pins import Pin
from cascade_core.panels.state import Key


def slides_button(pinned: Sequence[Pin]) -> None:
    """A button that saves a slide for each pin, in their order; they are made when it is pressed."""

    def made() -> str:
        from cascade_core.rendering.report.slides import Stop, slides

        return slides(
            [
                Stop(name=pin.name, run=pin.question.run.name, origin=pin.question.run.origin, setting=pin.setting)
                for pin in pinned
            ]
        )

    about = "One HTML file: a slide for each point, with its numbers, thresholds and curve; print it for a PDF."
    icon, key = ":material/slideshow:", Key.DOWNLOAD.of("slides")
    st.download_button("Slides", made, "slides.html", "text/html", key, icon=icon, help=about, on_click="ignore")
