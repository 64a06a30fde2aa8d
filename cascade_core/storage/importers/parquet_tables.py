"""Parquet files of any origin -> `Sheet`; run files are for `reading`.  What is declared is checked before reading."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cascade_core.storage.importers.naming import ANSWERS, CORRECT, COST_UNIT, by_meaning, meaning, stage_column
from cascade_core.storage.importers.room import ROW, TooLarge
from cascade_core.storage.importers.sheet import TEXTS, Sheet, check_count, is_list_wanted, is_wanted, matrix
from cascade_core.support.files import BadFile


def read_parquet(stream: BinaryIO, max_bytes: int) -> Sheet:
    """A table of numbers, texts and lists of numbers.

    Raises:
        BadFile: It declares more than `max_bytes`, or a column is of another type.
    """
    schema = pq.read_schema(stream)
    check_count(schema.names)
    known = by_meaning(schema.names, "column")
    columns = [name for name in schema.names if name in known.values() or (meaning(name) is None and is_wanted(name))]
    for name in columns:
        _check_type(name, schema.field(name).type)
    # Texts stay as they are stored, each once, until it is known how much they are.
    texts = [
        name for name in columns if _is_text(dtype := schema.field(name).type) and not pa.types.is_dictionary(dtype)
    ]
    file = pq.ParquetFile(stream, read_dictionary=texts)
    lists = [name for name in columns if _is_list(schema.field(name).type)]
    _check_size(file, len(columns) - len(lists), lists, max_bytes)
    table = file.read(columns=columns, use_threads=False)
    return Sheet(
        frame=table.drop_columns(lists).to_pandas(ignore_metadata=True),
        matrices={name: _matrix(name, table[name].combine_chunks()) for name in lists},
        first=1,
        names=schema.names,
    )


def _check_size(file: pq.ParquetFile, plain: int, lists: list[str], max_bytes: int) -> None:
    rows = file.metadata.num_rows
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    # A list takes as many values as its leaf column declares.
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    listed = sum(chunk.num_values for chunk in chunks if chunk.path_in_schema.partition(".")[0] in lists)
    if max(8 * (rows * plain + listed) + ROW * rows, sum(group.total_byte_size for group in groups)) > max_bytes:
        raise TooLarge(f"expected at most {max_bytes:,} bytes unpacked but it declares {rows:,} rows of more")


def _check_type(name: str, dtype: pa.DataType) -> None:
    of_stage = stage_column(name)
    means = meaning(name) if of_stage is None else of_stage.what
    if _is_number(dtype) or (_is_list(dtype) and is_list_wanted(name)):
        return
    if means in ("labels", ANSWERS, CORRECT) and pa.types.is_boolean(dtype):
        return
    texts = (*TEXTS, "labels", ANSWERS, CORRECT, COST_UNIT)
    may_be_text = means is not None and (means in texts or "macs" in means or "flops" in means)
    if not (_is_text(dtype) and may_be_text):
        expected = "texts or numbers" if may_be_text else "numbers"
        raise BadFile(f"expected column {name!r} to hold {expected} but it holds {dtype}")


def _is_number(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype))


def _is_text(dtype: pa.DataType) -> bool:
    stored = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
    return bool(pa.types.is_string(stored) or pa.types.is_large_string(stored))


def _is_list(dtype: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_one(dtype) for is_one in kinds) and _is_number(dtype.value_type)


def _matrix(name: str, lists: pa.Array) -> NDArray[Any]:
    if lists.null_count:
        raise BadFile(f"expected a list in every row of column {name!r} but some are missing")
    lengths = np.asarray(pc.list_value_length(lists), dtype=np.int64)
    return matrix(name, lengths, lists.flatten().to_numpy(zero_copy_only=False), 1)
