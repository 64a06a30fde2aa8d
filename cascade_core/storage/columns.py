"""The columns of run files, checked before they are read: names, types, completeness, and how much they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cascade_core.storage.parquet import opened_parquet
from cascade_core.storage.parts import run_files
from cascade_core.storage.schema import GROUP, METADATA_KEY, check_type
from cascade_core.support.files import BadFile, Contents, Source, file_size

MAX_BYTES = 16 << 30
"""Most bytes that a run may take in memory; a file that declares more is refused before it is read."""

SMALL_BYTES = 512 << 20
"""Bytes that any run may take in memory, however small its file."""

PACKED = 20
"""How many times its own size a larger file may take; softmaxes are seldom packed to a tenth."""


def room_for(source: Source) -> int:
    """Bytes that a run may take in memory, by the size of its files."""
    size = sum(map(file_size, files_of(source)))
    return min(max(SMALL_BYTES, PACKED * size), MAX_BYTES)


def files_of(source: Source) -> Sequence[Source]:
    """The files of a run: one, or its parts."""
    return [source] if isinstance(source, Contents) else run_files(source)


def stored_metadata(file: Source) -> bytes | None:
    """The bytes under `METADATA_KEY` of a Parquet file's footer."""
    with opened_parquet(file) as opened:
        return (opened.schema_arrow.metadata or {}).get(METADATA_KEY)


def column_names(file: Source) -> list[str]:
    """Names of a file's columns."""
    with opened_parquet(file) as opened:
        return list(opened.schema_arrow.names)


def read_columns(
    path: Source, stages: int, columns: list[str], list_sizes: Mapping[str, int], max_bytes: int
) -> pa.Table:
    """Read columns of all parts after checking names, types and declared size.

    Args:
        stages: How many there are; columns of more are refused.
        list_sizes: Lengths of the lists of columns that hold lists.

    Raises:
        BadFile: A column is missing, incomplete or of another type, or there is more than `max_bytes`.
    """
    parts = files_of(path)
    rows = sum(checked_rows(part, stages, columns, list_sizes) for part in parts)
    if rows * sum(list_sizes.get(c, 2) * 4 for c in columns) > max_bytes:
        raise BadFile(f"expected at most {max_bytes / 2**30:.3g} GiB in memory but it declares {rows:,} rows")
    table = pa.concat_tables([_columns(part, columns) for part in parts])
    if table.num_rows == 0:
        raise BadFile("it holds no samples")
    for name in columns:
        if table[name].null_count or (name in list_sizes and table[name].combine_chunks().flatten().null_count):
            raise BadFile(f"expected column {name!r} to be complete but it has missing values")
    return table


def checked_rows(part: Source, stages: int, columns: Sequence[str], list_sizes: Mapping[str, int]) -> int:
    """How many rows a part declares, where its columns are those of a run."""
    with opened_parquet(part) as opened:
        schema = opened.schema_arrow
        names = schema.names
        there = set(names)
        for missing in [name for name in columns if name not in there][:1]:
            raise BadFile(f"expected a column {missing!r} but there are {', '.join(names[:8])}, ...")
        if f"stage_{stages}_prediction" in there:
            raise BadFile(f"expected columns of the {stages} stages that its metadata names but there are more")
        for name in columns:
            check_type(name, schema.field(name).type, list_sizes.get(name))
        return int(opened.metadata.num_rows)


def _columns(part: Source, columns: list[str]) -> pa.Table:
    # Texts stay as they are stored, each once, until it is known how much they are.
    stored = [name for name in columns if name == "sample_id" or name.startswith(GROUP)]
    with opened_parquet(part, dictionaries=stored) as opened:
        return opened.read(columns=columns)


def coded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[Any]]:
    """The texts of a column, each once, and (N,) which of them each row has."""
    whole = column.unify_dictionaries().combine_chunks()
    return whole.dictionary.to_pylist(), np.from_dlpack(whole.indices)


def texts(column: pa.ChunkedArray, max_bytes: int) -> NDArray[np.str_]:
    """(N,) the texts of a column, unless the longest would make all of them too large: each takes as much room."""
    whole = column.unify_dictionaries().combine_chunks()
    index = np.from_dlpack(whole.indices)
    lengths = np.from_dlpack(pc.utf8_length(whole.dictionary))[index]
    if 4 * len(lengths) * int(lengths.max()) > max_bytes:
        at = int(lengths.argmax())
        raise BadFile(f"expected shorter texts in column 'sample_id' but row {at + 1} has {lengths[at]:,} characters")
    return np.asarray(whole.dictionary.to_pylist(), dtype=np.str_)[index]


def numbers(table: pa.Table, name: str) -> NDArray[Any]:
    """A complete column of numbers; `to_numpy` would do, but loads pandas, which takes a quarter of a second."""
    column = table[name].combine_chunks()
    return np.from_dlpack(column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column)
