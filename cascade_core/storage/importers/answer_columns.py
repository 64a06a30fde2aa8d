"""The columns of a table without softmaxes: confidence, answer, and whether it is right, of a sample at a stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.naming import (
    ANSWERS,
    CONFIDENCE,
    CORRECT,
    LOGITS,
    PROBS,
    class_column,
)
from cascade_core.storage.importers.sheet import Sheet

OF_ANSWERS = (CONFIDENCE, ANSWERS, CORRECT)


def is_without_softmaxes(sheet: Sheet, known: dict[str, str]) -> bool:
    """Whether a table holds confidences, and neither softmaxes nor logits."""
    has_classes = any(class_column(str(name)) for name in sheet.frame.columns)
    return CONFIDENCE in known and not (has_classes or PROBS in known or LOGITS in known)


def answer_column(sheet: Sheet, name: str, what: str) -> NDArray[Any]:
    """(rows,) one of `OF_ANSWERS`: confidences as numbers, the others as they are."""
    column = sheet.frame[name]
    if what == CONFIDENCE:
        return _numbers(column)
    return column.to_numpy() if column.dtype.kind in "iufb" else column.astype(str).to_numpy(dtype=np.str_)


def faults_of_answers(sheet: Sheet, known: dict[str, str]) -> list[tuple[int, str, str]]:
    """The first row of each column of which a cell does not fit: its number, the column, and what was expected."""
    wrong = []
    for what in OF_ANSWERS:
        if what in known:
            column = sheet.frame[known[what]]
            odd = ~np.isfinite(_numbers(column)) if what == CONFIDENCE else _empty(column)
            expected = "a finite number" if what == CONFIDENCE else "a value"
            wrong += [(int(i), known[what], expected) for i in np.flatnonzero(odd)[:1]]
    return wrong


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    if column.dtype.kind not in "iuf":
        column = pd.to_numeric(column.astype(str), errors="coerce")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _empty(column: pd.Series[Any]) -> NDArray[np.bool_]:
    if column.dtype.kind in "iufb":
        return column.isna().to_numpy()
    return (column.isna() | (column.astype(str).str.strip() == "")).to_numpy(dtype=bool)
