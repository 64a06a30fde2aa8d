"""CSV and Parquet tables with a row for each sample at each stage -> arrays; the first cell at fault is named.

What a table declares is checked before it is read: cells of a CSV file, rows and types of a Parquet one, and in both
how long texts are.  Rows are named as an editor counts them: from 1, the header of a CSV file being row 1.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cascade_core.simulation.outputs import SUM_TOLERANCE
from cascade_core.support.files import BadFile

MAX_COLUMNS = 100_000
"""Most columns of a table."""

_PREFIXES = {"probs": "p_", "logits": "logit_"}
_TEXTS = ("sample_id", "stage")
_BLOCK = 1 << 20

Row = Callable[[Any], int]
"""The number by which an editor calls a row."""


def read_table(stream: BinaryIO, ending: str, max_bytes: int) -> dict[str, Any]:
    """The arrays that a table holds, named as in a NumPy archive.

    Raises:
        BadFile: It is no such table, it declares more than `max_bytes`, or a cell does not fit.
    """
    frame = _read_csv(stream, max_bytes) if ending == ".csv" else _read_parquet(stream, max_bytes)
    if frame.empty:
        raise BadFile("expected a row for each sample at each stage but there are none")
    first = 2 if ending == ".csv" else 1

    def row(index: Any) -> int:
        return int(index) + first

    kind, columns = _class_columns(list(frame.columns))
    values = _numbers(frame, columns, row)
    _check_texts(frame, max_bytes, row)
    if kind == "probs":
        _check_softmax(values, columns, row)
    _check_labels(frame, len(columns), row)
    if "sample_id" not in frame:
        frame["sample_id"] = frame.groupby("stage", sort=False).cumcount()
    return _arrange(frame, kind, values, row)


def check_parquet(stream: BinaryIO) -> None:
    """Raise BadFile unless a file begins and ends as Parquet does."""
    begins = stream.read(4) == b"PAR1"
    if not begins or (stream.seek(-4, io.SEEK_END) and stream.read(4) != b"PAR1"):
        raise BadFile("expected a Parquet file but it does not begin and end as one: it is another kind, or cut short")
    stream.seek(0)


def _read_csv(stream: BinaryIO, max_bytes: int) -> pd.DataFrame:
    _check_csv_size(stream, max_bytes)
    try:
        # Ids are texts as they stand: 007 is not 7, and NA is not missing.
        frame = pd.read_csv(
            stream, encoding="utf-8", low_memory=False, keep_default_na=False, converters={"sample_id": str}
        )
    except UnicodeDecodeError:
        raise BadFile("expected UTF-8 text but some bytes are not") from None
    except pd.errors.EmptyDataError:
        raise BadFile("expected a first row with the names of columns but the file is empty") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise BadFile("expected a name for every column in the first row but the rows below hold more values")
    _check_columns([str(column) for column in frame.columns])
    return frame


def _check_csv_size(stream: BinaryIO, max_bytes: int) -> None:
    """Raise BadFile where there are more columns or cells than may be read; a comma within quotes counts as well."""
    commas = lines = header = 0
    while block := stream.read(_BLOCK):
        if not lines:
            header += block.partition(b"\n")[0].count(b",")
        commas += block.count(b",")
        lines += block.count(b"\n")
    if header >= MAX_COLUMNS:
        raise BadFile(f"expected at most {MAX_COLUMNS:,} columns but the first row names {header + 1:,}")
    if 8 * (commas + lines) > max_bytes:
        raise BadFile(f"expected at most {max_bytes:,} bytes unpacked but it has {commas + lines:,} cells of 8")
    stream.seek(0)


def _read_parquet(stream: BinaryIO, max_bytes: int) -> pd.DataFrame:
    schema = pq.read_schema(stream)
    _check_columns(schema.names)
    columns = [name for name in schema.names if name in ("label", "macs", *_TEXTS)]
    columns += _class_columns(schema.names)[1]
    for name in columns:
        _check_type(name, schema.field(name).type)
    # Texts stay as they are stored, each once, until it is known how much they are.
    texts = [name for name in columns if not _is_number(schema.field(name).type)]
    file = pq.ParquetFile(stream, read_dictionary=texts)
    rows = file.metadata.num_rows
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    if max(8 * rows * len(columns), sum(group.total_byte_size for group in groups)) > max_bytes:
        raise BadFile(f"expected at most {max_bytes:,} bytes unpacked but it declares {rows:,} rows of more")
    frame: pd.DataFrame = file.read(columns=columns, use_threads=False).to_pandas(ignore_metadata=True)
    return frame


def _check_columns(names: Sequence[str]) -> None:
    for column in ("label", "stage"):
        if column not in names:
            raise BadFile(f"expected a column {column!r} but there are {', '.join(names[:8])}")
    for column in names:
        if column in ("label", "stage", "macs", "sample_id") and names.count(column) > 1:
            raise BadFile(f"expected one column {column!r} but there are {names.count(column)}")


def _check_type(name: str, dtype: pa.DataType) -> None:
    stored = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
    texts = pa.types.is_string(stored) or pa.types.is_large_string(stored)
    if not _is_number(dtype) and not (texts and name in _TEXTS):
        expected = "texts or numbers" if name in _TEXTS else "numbers"
        raise BadFile(f"expected column {name!r} to hold {expected} but it holds {dtype}")


def _is_number(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype))


def _class_columns(names: Sequence[str]) -> tuple[str, list[str]]:
    for kind, prefix in _PREFIXES.items():
        count = sum(1 for name in names if str(name).startswith(prefix))
        if count:
            columns = [f"{prefix}{i}" for i in range(count)]
            there = set(names)
            for column in columns:
                if column not in there:
                    raise BadFile(
                        f"expected {count} columns {prefix}0 to {prefix}{count - 1} but {column!r} is missing"
                    )
            return kind, columns
    raise BadFile("expected columns p_0, p_1, ... (softmaxes) or logit_0, logit_1, ... (logits)")


def _numbers(frame: pd.DataFrame, columns: Sequence[str], row: Row) -> NDArray[np.float64]:
    """(rows, K) the numbers under `columns`, after naming the first cell of all columns that does not fit."""
    faults = []
    for column in _TEXTS:
        if column in frame:
            empty = (frame[column].isna() | (frame[column] == "")).to_numpy()
            faults += [(int(i), column, "a value") for i in np.flatnonzero(empty)[:1]]
    for column in ("label", "macs"):
        if column in frame:
            numbers = _as_numbers(frame[[column]])[:, 0]
            with np.errstate(invalid="ignore"):
                bad = ~np.isfinite(numbers) | (np.floor(numbers) != numbers) | (np.abs(numbers) > 2**53)
            faults += [(int(i), column, "a whole number") for i in np.flatnonzero(bad)[:1]]
    values = _as_numbers(frame[list(columns)])
    wrong = ~np.isfinite(values)
    for i in np.flatnonzero(wrong.any(axis=1))[:1]:
        faults.append((int(i), columns[int(wrong[i].argmax())], "a number"))
    if faults:
        at, column, expected = min(faults, key=lambda fault: fault[0])
        cell = str(frame[column].iloc[at])
        raise BadFile(f"expected {expected} in row {row(at)}, column {column!r} but it is {cell[:40]!r}")
    return values


def _as_numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    """(rows, columns) float64; what is no number becomes NaN."""
    if not all(dtype.kind in "iuf" for dtype in frame.dtypes):
        frame = frame.apply(pd.to_numeric, errors="coerce")
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def _check_texts(frame: pd.DataFrame, max_bytes: int, row: Row) -> None:
    """Refuse texts of which the longest would make all of them too large: an array gives each as much room."""
    for column in _TEXTS:
        if column in frame and frame[column].dtype.kind not in "iuf":
            texts = frame[column]
            if isinstance(texts.dtype, pd.CategoricalDtype):
                lengths = texts.cat.categories.str.len().to_numpy()[texts.cat.codes.to_numpy()]
            else:
                lengths = texts.astype(str).str.len().to_numpy()
            if 4 * len(lengths) * int(lengths.max()) > max_bytes:
                at = int(lengths.argmax())
                raise BadFile(
                    f"expected shorter texts in column {column!r} but in row {row(at)} it has {lengths[at]:,} "
                    f"characters, and as many in each of {len(lengths):,} rows take more than {max_bytes:,} bytes"
                )
            frame[column] = texts.astype(str)


def _check_softmax(values: NDArray[np.float64], columns: Sequence[str], row: Row) -> None:
    negative = values < 0
    sums = values.sum(axis=1)
    for i in np.flatnonzero(negative.any(axis=1) | (np.abs(sums - 1) > SUM_TOLERANCE))[:1]:
        if negative[i].any():
            k = int(negative[i].argmax())
            raise BadFile(
                f"expected a probability from 0 to 1 in row {row(i)}, column {columns[k]!r} but it is {values[i, k]:g}"
            )
        raise BadFile(
            f"expected columns {columns[0]!r} to {columns[-1]!r} to sum to 1 in row {row(i)} "
            f"but they sum to {sums[i]:.6g}; logits belong in columns logit_0, logit_1, ..."
        )


def _check_labels(frame: pd.DataFrame, classes: int, row: Row) -> None:
    labels = frame["label"] = _as_numbers(frame[["label"]])[:, 0].astype(np.int64)
    for i in np.flatnonzero((labels < 0) | (labels >= classes))[:1]:
        raise BadFile(
            f"expected a class from 0 to {classes - 1} in row {row(i)}, column 'label' but it is {labels[i]}; "
            f"the table has {classes} columns of classes"
        )


def _arrange(frame: pd.DataFrame, kind: str, values: NDArray[np.float64], row: Row) -> dict[str, Any]:
    """Rows -> arrays, stages first; every sample must stand once at every stage."""
    numbered = frame["stage"].dtype.kind in "iuf"
    stage, stages = pd.factorize(frame["stage"], sort=numbered)
    sample, samples = pd.factorize(frame["sample_id"].astype(str))
    m, n = len(stages), len(samples)
    for i in np.flatnonzero(pd.Series(stage * n + sample).duplicated().to_numpy())[:1]:
        raise BadFile(
            f"expected one row for each sample at stage {stages[stage[i]]!r} but row {row(i)} repeats "
            f"{str(samples[sample[i]])[:40]!r} in column 'sample_id'"
        )
    if len(frame) != m * n:
        _name_missing(stage, sample, stages, samples, row)
    at = np.empty((m, n), dtype=np.int64)
    at[stage, sample] = np.arange(len(frame))
    at = at[:, np.argsort(at[0])]
    labels = frame["label"].to_numpy()[at]
    for s, i in np.argwhere(labels != labels[0])[:1]:
        raise BadFile(
            f"expected a sample to have one label but labels differ at stage {stages[s]!r}: row {row(at[s, i])}, "
            f"column 'label' has {labels[s, i]} where row {row(at[0, i])} has {labels[0, i]}"
        )
    arrays = {
        kind: values[at],
        "labels": labels[0],
        "sample_ids": samples.to_numpy(dtype=np.str_)[sample[at[0]]],
        "stage_names": [f"stage {i + 1}" for i in range(m)] if numbered else [str(name) for name in stages],
    }
    if "macs" in frame:
        arrays["macs"] = _stage_macs(_as_numbers(frame[["macs"]])[:, 0], at, stages, row)
    return arrays


def _name_missing(
    stage: NDArray[np.int64], sample: NDArray[np.int64], stages: pd.Index, samples: pd.Index, row: Row
) -> None:
    """Raise BadFile with the first stage that lacks a sample, and where that sample stands otherwise."""
    n = len(samples)
    lacking = int(np.flatnonzero(np.bincount(stage, minlength=len(stages)) < n)[0])
    absent = int(np.setdiff1d(np.arange(n), sample[stage == lacking])[0])
    there = int(np.flatnonzero(sample == absent)[0])
    raise BadFile(
        f"expected the same {n:,} samples at every stage but stage {stages[lacking]!r} has no row of "
        f"{str(samples[absent])[:40]!r}, which row {row(there)} has at stage {stages[stage[there]]!r}"
    )


def _stage_macs(macs: NDArray[np.float64], at: NDArray[np.int64], stages: pd.Index, row: Row) -> NDArray[np.int64]:
    by_stage = macs[at]
    for s, i in np.argwhere(by_stage != by_stage[:, :1])[:1]:
        raise BadFile(
            f"expected the column 'macs' to be the same in all rows of a stage but at stage {stages[s]!r} row "
            f"{row(at[s, i])} has {by_stage[s, i]:,.0f} where row {row(at[s, 0])} has {by_stage[s, 0]:,.0f}"
        )
    return by_stage[:, 0].astype(np.int64)
