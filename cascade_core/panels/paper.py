"""Figures for papers on the page: a button that opens a dialog, with a preview and the files that come of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering.comparison.data import Curve
from cascade_core.rendering.published import PublishedResult
from cascade_core.rendering.report import file_stem

if TYPE_CHECKING:
    from cascade_core.rendering.paper import Draw, Style

PREVIEW = 192
"""Dots of an inch; a screen shows 96 of twice as many."""


def figure_button(shown: Shown) -> None:
    """A button for the figures of what is shown, at its setting."""

    def charts() -> Mapping[str, Draw]:
        from cascade_core.rendering import paper

        selection, test = shown.selection, shown.exploration.test
        return {
            f"Accuracy against {selection.meter.noun}": paper.curve(
                shown.exploration, shown.evaluation, selection.published
            ),
            "Where samples leave": paper.exits(shown.evaluation),
            "Confidence and thresholds": paper.histograms(test, shown.rule, shown.question.axis),
        }

    _button(charts, file_stem(shown.setting, shown.question.run.name))


def comparison_button(curves: Sequence[Curve], published: Sequence[PublishedResult]) -> None:
    """A button for the figure of several curves."""

    def charts() -> Mapping[str, Draw]:
        from cascade_core.rendering import paper

        return {"Runs and policies compared": paper.comparison(curves, published)}

    _button(charts, "comparison")


def _button(charts: Callable[[], Mapping[str, Draw]], stem: str) -> None:
    """A button that opens a dialog on figures.

    Args:
        charts: Makes them, by their titles, when the dialog is opened.
        stem: Of the files' names.
    """
    about = "In the width of a column or a page, with names of your own, as PDF, SVG or PNG."
    if st.button("Figure for a paper", icon=":material/article:", help=about, key=Key.PAPER.of("open")):
        _dialog(charts(), stem)


@st.dialog("Figure for a paper", width="large")
def _dialog(charts: Mapping[str, Draw], stem: str) -> None:
    from cascade_core.rendering.paper import written

    titles = list(charts)
    title = titles[0]
    if len(titles) > 1:
        title = st.segmented_control("Chart", titles, required=True, default=title, key=Key.PAPER.of("chart")) or title
    draw = charts[title]
    style = _style(title, draw)
    with st.spinner("Drawing", show_time=False):
        preview = written(draw, style, "png", PREVIEW)
    with st.container(width=round(96 * style.width)):  # Streamlit takes an image of a width of its own down to that
        st.image(preview, width="stretch")
    st.caption("Fonts are embedded in the PDF and outlined in the SVG; the PNG has 600 dots an inch.")
    _files(draw, style, f"{stem}-{titles.index(title) + 1}" if len(titles) > 1 else stem)


def _style(title: str, draw: Draw) -> Style:
    """What the user wants the figure to look like."""
    from cascade_core.rendering.paper import FONTS, WIDTHS, Style, texts

    inches = {f"{about}, {width:g} in": width for about, width in WIDTHS.items()}
    first, second, third = st.columns([3, 1, 2], vertical_alignment="bottom")
    width = first.segmented_control(
        "Width", list(inches), required=True, default=next(iter(inches)), key=Key.PAPER.of("width")
    )
    size = second.number_input("Type, points", 4.0, 24.0, 8.0, 0.5, format="%.1f", key=Key.PAPER.of("size"))
    font = third.segmented_control(
        "Font", list(FONTS), required=True, default=next(iter(FONTS)), key=Key.PAPER.of("font")
    )
    with st.expander("Names in the figure"):
        said = texts(draw)
        columns = st.columns(2)
        names = {
            text: columns[i % 2].text_input(_literal(text), text, key=Key.PAPER.of(title, i))
            for i, text in enumerate(said)
        }
    replaced = {text: name for text, name in names.items() if name != text}
    return Style(width=inches[width or next(iter(inches))], size=size, font=font or "sans", names=replaced)


def _literal(text: str) -> str:
    """A label that shows a text to the letter: names come from files, and labels are markdown."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def _files(draw: Draw, style: Style, stem: str) -> None:
    """Buttons that save the figure; it is drawn when one is pressed."""
    from cascade_core.rendering.paper import written

    kinds = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png"}
    with st.container(horizontal=True):
        for form, mime in kinds.items():
            st.download_button(
                form.upper(),
                partial(written, draw, style, form),
                f"{stem}.{form}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=Key.PAPER.of("save", form),
            )
