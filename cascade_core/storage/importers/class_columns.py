"""The columns of a table that hold softmaxes or logits: one for each class, one list, or one probability of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.naming import (
    ANSWERS,
    CORRECT,
    LOGITS,
    PROBS,
    VALUES,
    ClassColumn,
    class_column,
)
from cascade_core.storage.importers.sheet import Sheet
from cascade_core.storage.importers.softmaxes import of_two_classes
from cascade_core.support.files import BadFile


@dataclass(frozen=True, kw_only=True)
class Values:
    """What a table says of classes.

    Attributes:
        kind: "probs", "logits" or "predictions".
        numbers: (rows, K); NaN where a cell is no number.
        columns: The columns that they come from.
        class_names: K texts, where columns have names.
    """

    kind: str
    numbers: NDArray[Any]
    columns: Sequence[str]
    class_names: list[str] | None = None


def class_values(sheet: Sheet, known: dict[str, str]) -> Values:
    """Softmaxes or logits of all rows.

    Raises:
        BadFile: There are none, or a class is missing.
    """
    for kind in VALUES:
        if (name := known.get(kind)) in sheet.matrices and name is not None:
            return Values(kind=kind, numbers=sheet.matrices[name], columns=[name])
    found = [(str(name), column) for name in sheet.frame.columns if (column := class_column(str(name)))]
    for kind in (PROBS, LOGITS):
        columns = [(name, column) for name, column in found if column.kind == kind]
        if columns:
            return _of_columns(sheet, kind, columns)
        if (name := known.get(kind)) is not None:
            return Values(kind=kind, numbers=of_two_classes(kind, _numbers(sheet, [name])), columns=[name])
    there = ", ".join(map(str, sheet.frame.columns[:8]))
    if ANSWERS in known or CORRECT in known:
        raise BadFile(f"expected a column confidence, how sure each answer is (any scale), but there are {there}")
    raise BadFile(
        "expected columns p_0, p_1, ... (softmaxes) or logit_0, logit_1, ... (logits), or confidence and answer, but "
        f"there are {there}"
    )


def _of_columns(sheet: Sheet, kind: str, columns: list[tuple[str, ClassColumn]]) -> Values:
    numbered = [(int(column.klass), name) for name, column in columns if column.klass.isdecimal()]
    if not numbered:
        names = [name for name, _ in columns]
        class_names = [column.klass for _, column in columns]
        return Values(kind=kind, numbers=_numbers(sheet, names), columns=names, class_names=class_names)
    prefix = columns[0][1].prefix
    ordered = [name for _, name in sorted(numbered)]
    numbers = sorted(number for number, _ in numbered)
    if numbers in ([0], [1]):
        alone = _numbers(sheet, ordered)
        if numbers == [0] and (kind == LOGITS or (alone == 1).all()):
            return Values(kind=kind, numbers=alone, columns=ordered)
        both = of_two_classes(kind, alone)
        return Values(kind=kind, numbers=both if numbers == [1] else both[:, ::-1], columns=ordered)
    if numbers == list(range(1, len(numbers) + 1)):
        class_names = [str(number) for number in numbers]
        return Values(kind=kind, numbers=_numbers(sheet, ordered), columns=ordered, class_names=class_names)
    for number, there in enumerate(numbers):
        if number != there:
            what, last = f"{prefix}{number}", max(numbers[-1], len(numbers) - 1)
            odd = f"there are two of {prefix}{there}" if there < number else f"{what!r} is missing"
            raise BadFile(f"expected {last + 1:,} columns {prefix}0 to {prefix}{last} but {odd}")
    return Values(kind=kind, numbers=_numbers(sheet, ordered), columns=ordered)


def _numbers(sheet: Sheet, names: list[str]) -> NDArray[np.float64]:
    """(rows, columns) float64; what is no number becomes NaN."""
    frame = sheet.frame[names]
    if len(frame.columns) > len(names):
        twice = next(name for name in names if list(sheet.frame.columns).count(name) > 1)
        raise BadFile(f"expected one column {twice!r} but there are {list(sheet.frame.columns).count(twice)}")
    if not all(dtype.kind in "iuf" for dtype in frame.dtypes):
        frame = frame.apply(pd.to_numeric, errors="coerce")
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)
