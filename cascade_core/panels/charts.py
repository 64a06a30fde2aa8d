"""What views show alike: charts, the palette of the browser's theme, and the choice of a stage or class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from cascade_core.panels import state
from cascade_core.panels.live import zoomed_axes
from cascade_core.rendering.figures.explore import plain
from cascade_core.rendering.palette import DARK, LIGHT, Palette

_TITLE = {
    "font": {"size": 14},
    "x": 0,
    "xref": "container",
    "y": 1,
    "yref": "container",
    "yanchor": "top",
    "pad": {"t": 8},
}
"""Fits a narrow screen."""

_NEEDLESS = ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"]
"""Buttons that charts do without, so that the others leave room for a title; a double click shows all again."""


def palette() -> Palette:
    """The palette of the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def chart(figure: go.Figure, name: str, title: str, alt: str, **more: Any) -> None:
    """A figure as wide as there is room, with a title and a text for those who cannot see it.

    The camera at its corner saves it in the format that `picture_format` asks for, as a file called `name`; `more` are
    Streamlit's own arguments.
    """
    # Streamlit mounts a chart anew whenever anything in it changes, so that what was zoomed is drawn zoomed.
    zoom = zoomed_axes(state.ZOOM.get(), alt)
    figure.update_layout({axis: {"range": ends} for axis, ends in zoom.items()})
    figure.update_layout(meta={"zoomed": list(zoom)})
    top = (figure.layout.margin.t or 0) + 24
    figure.update_layout(title={"text": plain([title])[0], **_TITLE}, margin={"t": top})
    picture = {"format": state.PICTURE_FORMAT.get().lower(), "filename": name, "scale": 2}
    config = {"displaylogo": False, "toImageButtonOptions": picture, "modeBarButtonsToRemove": _NEEDLESS}
    st.plotly_chart(figure, **{"key": name, **more}, width="stretch", alt=alt, config=config)


def picture_format() -> None:
    """How the charts of a view are saved; it stands below them, once."""
    st.segmented_control(
        "The camera of a chart saves it as",
        state.PICTURE_FORMATS,
        required=True,
        key=state.PICTURE_FORMAT.key,
    )


def choose(place: Any, label: str, names: Sequence[str], whole: str, **more: Any) -> int | None:
    """Number of the stage or class that the user chooses of `names`; None for all of them, which is called `whole`."""
    words = [whole, *names]
    line: int = place.selectbox(label, range(len(words)), format_func=words.__getitem__, **more)
    return line - 1 if line else None
