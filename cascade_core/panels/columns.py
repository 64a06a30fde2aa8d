"""Tables of results: numbers stay numbers, to be sorted by, and are shown in words and with equal decimals a column.

A column says how its numbers are written, with the minus sign and the words of the rest of the page.  Shares are
fractions; drops are in points by then (`rendering.in_points`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike

from cascade_core.support.spreadsheets import marked_cells
from cascade_core.support.terms import LAST_STAGE, Terms
from cascade_core.support.wording import capital, fixed, percent

if TYPE_CHECKING:
    import pandas as pd

MOST = 9
"""Decimals of thresholds: enough for float32 but very near 0."""

NOTHING = "–"
"""Where a table has no number."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of numbers.

    Attributes:
        label: Its heading.
        write: The text of a number; NaN is not asked for.
        about: Shown when its heading is pointed at.
    """

    label: str
    write: Callable[[Any], str]
    about: str | None = None


def number(label: str, decimals: int = 0, about: str | None = None, *, before: str = "") -> Column:
    """Numbers with so many decimals, thousands separated, behind a text."""
    return Column(label=label, write=lambda value: f"{before}{fixed(value, decimals)}", about=about)


def share(label: str, about: str | None = None, *, before: str = "") -> Column:
    """Fractions in percent, behind a text."""
    return Column(label=label, write=lambda value: f"{before}{percent(value, 1)}", about=about)


def accuracy_columns(terms: Terms) -> dict[str, Column]:
    """Columns of what was right, and of what was lost of it in points."""
    lost = f"{capital(terms.accuracy_given_up)}{'; below zero it is a gain' * (terms is not LAST_STAGE)}."
    return {
        "accuracy": share(capital(terms.accuracy)),
        "accuracy_drop": number(f"{capital(terms.short_drop)}, points", 2, lost),
    }


def thresholds(label: str, values: ArrayLike, about: str | None = None) -> Column:
    """Thresholds, float32, all with as many decimals as give each back; `inf` lets nobody leave, `-inf` everybody."""
    finite = np.asarray(values, dtype=np.float32)
    finite = finite[np.isfinite(finite)]
    written = (np.format_float_positional(value, unique=True, trim="-") for value in finite)
    decimals = min(MOST, max((len(text.partition(".")[2]) for text in written), default=0))

    def write(value: float) -> str:
        if math.isinf(value):
            return "never" if value > 0 else "always answers"
        return fixed(value, decimals)

    return Column(label=label, write=write, about=about)


def table(frame: pd.DataFrame, columns: Mapping[str, Any], alt: str, *, numbered: bool = False, **more: Any) -> Any:
    """A table as wide as there is room, which can be saved as CSV: no text in it is a formula there.

    Args:
        columns: What configures a column, by its name in the frame: a `Column`, a label, or Streamlit's own.
        alt: What it is, for those who cannot see it.
    """
    texts: dict[Any, Callable[[Any], str] | str | None] = {
        name: column.write for name, column in columns.items() if isinstance(column, Column) and name in frame
    }
    shown = {name: _configured(column) for name, column in columns.items()}
    return st.dataframe(
        marked_cells(frame).style.format(texts),
        width="stretch",
        hide_index=None if numbered else True,
        column_config=shown,
        placeholder=NOTHING,
        alt=alt,
        **more,
    )


def _configured(column: Any) -> Any:
    if not isinstance(column, Column):
        return column
    return st.column_config.NumberColumn(column.label, help=column.about)
