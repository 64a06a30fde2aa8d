"""A table with a row for each sample at each stage -> `Found`; the first cell at fault is named.

Rows are named as an editor counts them: from 1, the header of a CSV file being row 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.answer_columns import (
    OF_ANSWERS,
    answer_column,
    faults_of_answers,
    is_without_softmaxes,
)
from cascade_core.storage.importers.class_columns import Values, class_values
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.labels import MOST
from cascade_core.storage.importers.mac_counts import is_count
from cascade_core.storage.importers.naming import (
    BASELINE_COST,
    COST,
    COST_UNIT,
    MAC_NAMES,
    PROBS,
    by_meaning,
    label_column,
)
from cascade_core.storage.importers.room import TooLarge
from cascade_core.storage.importers.rows import Rows, arranged
from cascade_core.storage.importers.sheet import TEXTS, Sheet
from cascade_core.storage.importers.wide import with_a_row_a_stage
from cascade_core.support.files import BadFile


def read_sheet(sheet: Sheet, max_bytes: int, *, one_stage: bool) -> Found:
    """What a table holds.

    Args:
        max_bytes: Refuse texts that would take more, laid out.
        one_stage: Whether a table may be of one stage, and then needs no column of it.

    Raises:
        BadFile: A column is missing, or a cell does not fit.
    """
    sheet = with_a_row_a_stage(sheet)
    names = [str(name) for name in sheet.frame.columns]
    known = by_meaning([*names, *sheet.matrices], "column")
    if "labels" not in known:
        sheet, known = _with_one_hot(sheet, known)
    if "stage" not in known and not one_stage:
        expected = "a column 'stage'" if "labels" in known else "columns 'label' and 'stage'"
        listed = ", ".join(sheet.columns[:8])
        raise BadFile(f"expected {expected} but there are {listed}, or a file for each stage, all of them named")
    if sheet.frame.empty:
        raise BadFile("expected a row for each sample at each stage but there are none")
    values = None if is_without_softmaxes(sheet, known) else class_values(sheet, known)
    for name in known.values():
        _check_texts(sheet, name, max_bytes)
    _check_cells(sheet, known, values)
    texts = {what: _texts(sheet.frame[known[what]]) for what in TEXTS if what in known}
    labels = _labels(sheet, known["labels"]) if "labels" in known else None
    rows = arranged(sheet, texts.get("stage"), texts.get("sample_ids"), labels)
    arrays = _said(sheet, known, values, rows) | _mac_arrays(sheet, known, rows) | cost_arrays(sheet, known, rows)
    if labels is not None:
        arrays["labels"] = labels[rows.at[0]]
    return Found(
        arrays=arrays,
        place=lambda stage, sample: f"row {sheet.row(rows.at[stage, sample])}",
        label_place=lambda sample: f"row {sheet.row(rows.at[0, sample])}, column {known['labels']!r}",
        rows=rows.at,
        names=sheet.columns,
        named_stages=rows.by_appearance,
    )


def _said(sheet: Sheet, known: dict[str, str], values: Values | None, rows: Rows) -> dict[str, Any]:
    """What stages said, (M, N, ...), and names of samples, stages and classes as far as there are any."""
    if values is None:
        arrays = {what: answer_column(sheet, known[what], what)[rows.at] for what in OF_ANSWERS if what in known}
    else:
        arrays = {values.kind: values.numbers[rows.at]}
    named = {
        "sample_ids": rows.sample_ids,
        "stage_names": rows.stage_names if "stage" in known else None,
        "class_names": None if values is None else values.class_names,
    }
    return arrays | {name: texts for name, texts in named.items() if texts is not None}


def _with_one_hot(sheet: Sheet, known: dict[str, str]) -> tuple[Sheet, dict[str, str]]:
    """The sheet with the labels that columns hold together, one for each class, if there are such."""
    numbered = {number: str(name) for name in sheet.frame.columns if (number := label_column(str(name))) is not None}
    if len(numbered) < 2 or sorted(numbered) != list(range(len(numbered))):
        return sheet, known
    columns = [numbered[number] for number in range(len(numbered))]
    ones = sheet.frame[columns].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    name = f"{columns[0]} .. {columns[-1]}"
    return replace(sheet, matrices={**sheet.matrices, name: ones}), {**known, "labels": name}


def _check_cells(sheet: Sheet, known: dict[str, str], values: Values | None) -> None:
    """Raise BadFile with the first row of which a cell is empty, or not what its column holds."""
    wrong: list[tuple[int, str, str]] = []
    for means, name in known.items():
        if name in sheet.frame and means in (*TEXTS, "labels", *MAC_NAMES, "baseline_macs"):
            column = sheet.frame[name]
            empty = (column.isna() if column.dtype.kind in "iufb" else column.astype(str).str.strip() == "").to_numpy()
            wrong += [(int(i), name, "a value") for i in np.flatnonzero(empty)[:1]]
            odd = _no_class(column) if means == "labels" else _no_count(column) if means not in TEXTS else empty
            wrong += [(int(i), name, "a whole number") for i in np.flatnonzero(odd & ~empty)[:1]]
    for name in (known[means] for means in (COST, BASELINE_COST) if means in known):
        column = sheet.frame[name]
        odd = (pd.to_numeric(column, errors="coerce").isna() & column.notna()).to_numpy()
        wrong += [(int(i), name, "a number") for i in np.flatnonzero(odd)[:1]]
    wrong += faults_of_answers(sheet, known) if values is None else _faults_of_classes(values)
    if wrong:
        at, name, expected = min(wrong, key=lambda fault: fault[0])
        cell = sheet.frame[name].iloc[at] if name in sheet.frame else "no number"
        raise BadFile(f"expected {expected} in row {sheet.row(at)}, column {name!r} but it is {str(cell)[:40]!r}")


def _faults_of_classes(values: Values) -> list[tuple[int, str, str]]:
    """The first row that lacks a probability or logit: its number, the column, and what was expected there."""
    odd = np.isnan(values.numbers) | (np.isinf(values.numbers) if values.kind == PROBS else np.isposinf(values.numbers))
    rows = np.flatnonzero(odd.any(axis=1))[:1]
    return [(int(i), values.columns[int(odd[i].argmax()) % len(values.columns)], "a number") for i in rows]


def _no_class(column: pd.Series[Any]) -> NDArray[np.bool_]:
    """(rows,) which labels are no class numbers, where most are; none where labels are names."""
    numbers = pd.to_numeric(column.astype(str) if column.dtype.kind not in "iufb" else column, errors="coerce")
    values = numbers.to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        odd = ~(np.isfinite(values) & (np.floor(values) == values) & (np.abs(values) <= MOST))
    return odd & bool(2 * odd.sum() <= len(odd) or column.dtype.kind in "iuf")


def _no_count(column: pd.Series[Any]) -> NDArray[np.bool_]:
    """(rows,) which MACs are no such numbers; with units they are texts."""
    if column.dtype.kind in "iuf":
        return ~np.isfinite(column.to_numpy(dtype=np.float64))
    known = {text: is_count(text) for text in column.astype(str).unique()}
    return ~column.astype(str).map(known).to_numpy(dtype=bool)


def _check_texts(sheet: Sheet, name: str, max_bytes: int) -> None:
    """Raise TooLarge where the longest text of a column would make all of them too large; none is written out."""
    if name not in sheet.frame or (column := sheet.frame[name]).dtype.kind in "iufb":
        return
    if isinstance(column.dtype, pd.CategoricalDtype):
        # A cell without a text has the code -1.
        lengths = np.append(column.cat.categories.astype(str).str.len(), 0)[column.cat.codes.to_numpy()]
    else:
        lengths = column.astype(str).str.len().to_numpy()
    # An array of texts gives each as much room as the longest.
    if 4 * len(lengths) * int(lengths.max()) > max_bytes:
        at = int(lengths.argmax())
        raise TooLarge(
            f"expected shorter texts in column {name!r} but in row {sheet.row(at)} it has {lengths[at]:,} "
            f"characters, and as many in each of {len(lengths):,} rows take more than {max_bytes:,} bytes"
        )


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of texts or numbers; categories that have an order keep it."""
    ordered = isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered
    return column if ordered or column.dtype.kind in "iuf" else column.astype(str)


def _labels(sheet: Sheet, name: str) -> NDArray[Any]:
    """(rows,) numbers or texts, or (rows, K)."""
    if name in sheet.matrices:
        return sheet.matrices[name]
    column = sheet.frame[name]
    if column.dtype.kind in "iufb":
        return column.to_numpy()
    numbers = pd.to_numeric(column.astype(str), errors="coerce").to_numpy(dtype=np.float64)
    if np.isfinite(numbers).all():
        return numbers
    return column.astype(str).str.strip().to_numpy(dtype=np.str_)


def _stage_macs(sheet: Sheet, name: str, rows: Rows) -> NDArray[Any]:
    """(M,) what each stage costs, which all its rows say."""
    column = sheet.frame[name]
    cells = (column if column.dtype.kind in "iuf" else column.astype(str).str.strip()).to_numpy()[rows.at]
    for s, i in np.argwhere(cells != cells[:, :1])[:1]:
        raise BadFile(
            f"expected the column {name!r} to be the same in all rows of a stage but at stage "
            f"{rows.stage_names[s]!r} row {sheet.row(rows.at[s, i])} has {_spoken(cells[s, i])} where row "
            f"{sheet.row(rows.at[s, 0])} has {_spoken(cells[s, 0])}"
        )
    return np.array(cells[:, 0].tolist())


def _mac_arrays(sheet: Sheet, known: dict[str, str], rows: Rows) -> dict[str, Any]:
    """MACs of the stages, and of the plain network, as far as there are any."""
    arrays = {what: _stage_macs(sheet, known[what], rows) for what in (*MAC_NAMES, "baseline_macs") if what in known}
    if "baseline_macs" in arrays:
        arrays["baseline_macs"] = _one(sheet, known["baseline_macs"], arrays["baseline_macs"])
    return arrays


def cost_arrays(sheet: Sheet, known: dict[str, str], rows: Rows) -> dict[str, Any]:
    """Costs (M, N) in a unit of their own, as far as there are any."""
    arrays: dict[str, Any] = {}
    for what in (COST, BASELINE_COST):
        if what in known:
            arrays[what] = pd.to_numeric(sheet.frame[known[what]], errors="coerce").to_numpy(np.float64)[rows.at]
    if COST_UNIT in known:
        arrays[COST_UNIT] = _one(sheet, known[COST_UNIT], sheet.frame[known[COST_UNIT]].astype(str).to_numpy())
    return arrays


def _one(sheet: Sheet, name: str, each: NDArray[Any]) -> Any:
    """The one value that a column has in every row."""
    other = np.flatnonzero(each != each[0])
    if other.size:
        row = sheet.row(int(other[0]))
        raise BadFile(
            f"expected the column {name!r} to be the same in all rows but it has {each[0]}, and {each[other[0]]} in "
            f"row {row}"
        )
    return each[0]


def _spoken(cell: Any) -> str:
    return f"{cell:,.0f}" if isinstance(cell, int | float | np.number) else repr(cell)[:40]
