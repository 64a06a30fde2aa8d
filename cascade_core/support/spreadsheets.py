"""CSV that spreadsheets show and do not compute: names come from files, and one like `=1+1` is a formula to them.

Such a text stands behind an apostrophe, as spreadsheets mark texts; reading takes it away again.  Numbers, also those
that are texts, stay as they are.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from cascade_core.support.visible import is_seen

if TYPE_CHECKING:
    import pandas as pd

MARK = "'"

_SIGNS = frozenset("=+-@＝＋－＠")  # those of full width count where they are usual
_BREAKS = ("\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def marked(text: str) -> str:
    """A text that is none to a spreadsheet, behind an apostrophe.

    >>> marked("=1+1"), marked("'=1+1"), marked(" @x"), marked("-1.5e3"), marked("cat")
    ("'=1+1", "''=1+1", "' @x", '-1.5e3', 'cat')
    """
    return f"{MARK}{text}" if _is_formula(text) else text


def unmarked(text: str) -> str:
    """What `marked` was given."""
    return text[1:] if text.startswith(MARK) and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    """Whether a spreadsheet may compute a text, or would if it were not for apostrophes before it."""
    bare = text.lstrip(MARK)
    first = next((one for one in bare if is_seen(one) and not one.isspace()), "")
    return (first in _SIGNS and not _NUMBER.fullmatch(bare)) or bare.startswith(_BREAKS)


def marked_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts, in cells and as names of rows, are no formulas."""
    result = frame.copy()
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if column.dtype.kind == "O":
            result.isetitem(place, [_marked_text(value) for value in column])
    if result.index.dtype.kind == "O":
        result.index = result.index.map(_marked_text)
    return result


def csv_text(frame: pd.DataFrame, *, index: bool = False) -> str:
    """A table as CSV, all texts in quotes, so that no other separator divides them.

    Args:
        index: Whether the names of rows are a column.
    """
    safe = marked_cells(frame).rename(columns=_marked_text)
    return safe.to_csv(index=index, quoting=csv.QUOTE_NONNUMERIC)


def _marked_text(value: Any) -> Any:
    return marked(value) if isinstance(value, str) else value
