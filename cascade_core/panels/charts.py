"""What views show alike: charts, the palette of the browser's theme, tables, and the choice of a stage or class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from cascade_core.panels import state
from cascade_core.panels.live import zoomed_axes
from cascade_core.rendering.figures.explore import plain
from cascade_core.rendering.palette import DARK, LIGHT, Palette

if TYPE_CHECKING:
    import pandas as pd

_TITLE = {"font": {"size": 14}, "x": 0, "xref": "paper", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 8}}
"""Fits a narrow screen."""


def palette() -> Palette:
    """The palette of the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def chart(figure: go.Figure, name: str, title: str, alt: str) -> None:
    """A figure as wide as there is room, with a title and a text for those who cannot see it.

    The button at its corner saves it in the format that the sidebar names, as a file called `name`.
    """
    # Streamlit mounts a chart anew whenever anything in it changes, so that what was zoomed is drawn zoomed.
    zoom = zoomed_axes(state.ZOOM.get(), alt)
    figure.update_layout({axis: {"range": ends} for axis, ends in zoom.items()})
    figure.update_layout(meta={"zoomed": list(zoom)})
    top = (figure.layout.margin.t or 0) + 24
    figure.update_layout(title={"text": plain([title])[0], **_TITLE}, margin={"t": top})
    picture = {"format": state.PICTURE_FORMAT.get().lower(), "filename": name, "scale": 2}
    config = {"displaylogo": False, "toImageButtonOptions": picture}
    st.plotly_chart(figure, key=name, width="stretch", alt=alt, config=config)


def choose(place: Any, label: str, names: Sequence[str], whole: str, **more: Any) -> int | None:
    """Number of the stage or class that the user chooses of `names`; None for all of them, which is called `whole`."""
    words = [whole, *names]
    line: int = place.selectbox(label, range(len(words)), format_func=words.__getitem__, **more)
    return line - 1 if line else None


def table(frame: pd.DataFrame, columns: Mapping[str, Any] | None = None, *, numbered: bool = False) -> None:
    """A table as wide as there is room; `columns` are labels, or what configures a column, by its name in the frame."""
    st.dataframe(frame, width="stretch", hide_index=None if numbered else True, column_config=columns)


def number(label: str, form: str = "localized", about: str | None = None) -> Any:
    """A column of numbers in a printf format, "percent", or another that Streamlit has by name."""
    return st.column_config.NumberColumn(label, format=form, help=about)


def share(label: str, about: str | None = None) -> Any:
    """A column of fractions, shown in percent."""
    return number(label, "percent", about)
