"""Pictures in Parquet files, as the hub of Hugging Face has them: a column of pictures, and one of labels.

Labels are read first, pictures when they are computed, a group of rows at a time.  A column of pictures holds their
bytes, or as there {bytes, path}; names of classes stand in what the schema says of the label.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cascade_core.nets.images.labelled import LABELS, PICTURES, Labelled, labelled, likeliest
from cascade_core.nets.images.pixels import Pixels, open_image
from cascade_core.nets.images.recent import Recent
from cascade_core.storage.parquet import opened_parquet
from cascade_core.storage.shards import files_named
from cascade_core.support.files import BadFile, Contents, readable
from cascade_core.support.remote import Place

FEATURES = b"huggingface"
"""Under which Hugging Face writes what columns are, as JSON, into a file's metadata."""


@dataclass(frozen=True, kw_only=True)
class TablePictures:
    """N pictures in Parquet files, read by number.

    Attributes:
        files: The files.
        column: Of pictures.
        firsts: (G + 1,) int64 number of the first sample of each group of rows of all files, and N.
        groups: Of each of G groups, the number of its file, and its own in that file.
        sample_ids: N texts, FILE/ROW.
    """

    files: Sequence[Place]
    column: str
    firsts: NDArray[np.int64]
    groups: Sequence[tuple[int, int]]
    sample_ids: Sequence[str]
    _group: Recent[tuple[int, int], Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_group", Recent(partial(_pictures, self.files, self.column)))

    def __call__(self, i: int) -> Pixels:
        """Pixels of picture i, as stored.

        Raises:
            ValueError: It cannot be read, or is no picture.
        """
        number = int(np.searchsorted(self.firsts, i, side="right")) - 1
        raw = self._group(self.groups[number])[i - int(self.firsts[number])].as_py()
        name = self.sample_ids[i]
        if raw is None:
            raise ValueError(f"Expected an image in {name} but it has no bytes")
        return open_image(Contents(name=name, raw=raw))


def open_tables(text: str) -> tuple[TablePictures, Labelled]:
    """Pictures and labels of Parquet files, which `files_named` finds.

    Raises:
        ValueError: There are none, or one has no column of pictures or of labels.
    """
    files = files_named(text, ".parquet")
    with readable(files[0]), opened_parquet(files[0]) as first:
        schema = first.schema_arrow
    picture = likeliest(_fields(schema, _holds_bytes), PICTURES, "a column of pictures", files[0].name)
    label = likeliest(_fields(schema, _is_label), LABELS, "a column of labels", files[0].name)
    labels, groups, sizes, ids = list[Any](), list[tuple[int, int]](), list[int](), list[str]()
    for number, file in enumerate(files):
        with readable(file), opened_parquet(file) as opened:
            _check_columns(opened.schema_arrow, schema, (picture, label))
            found = opened.read(columns=[label])[label].to_pylist()
            sizes += [opened.metadata.row_group(group).num_rows for group in range(opened.num_row_groups)]
            groups += [(number, group) for group in range(opened.num_row_groups)]
        if None in found:
            raise BadFile(f"Cannot read {file}: expected a label in each row but row {found.index(None) + 1} has none")
        labels += found
        ids += [f"{file.name.removesuffix('.parquet')}/{row:06d}" for row in range(len(found))]
    firsts = np.cumsum([0, *sizes])
    pictures = TablePictures(files=files, column=picture, firsts=firsts, groups=groups, sample_ids=tuple(ids))
    return pictures, labelled(labels, class_names(schema, label), text)


def class_names(schema: pa.Schema, label: str) -> list[str] | None:
    """Names of the label's classes, where the schema says them."""
    try:
        features = json.loads((schema.metadata or {}).get(FEATURES, b"{}"))["info"]["features"]
        names = features[label]["names"]
    except (ValueError, KeyError, TypeError):
        return None
    return [str(name) for name in names] if isinstance(names, list) and names else None


def _fields(schema: pa.Schema, fits: Any) -> list[str]:
    return [one.name for one in schema if fits(one.type)]


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _holds_bytes(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_label(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_columns(found: pa.Schema, wanted: pa.Schema, names: Sequence[str]) -> None:
    for name in names:
        if name not in found.names or found.field(name).type != wanted.field(name).type:
            raise BadFile(f"expected a column {name!r} of {wanted.field(name).type}, as in the first file")


def _pictures(files: Sequence[Place], column: str, which: tuple[int, int]) -> Any:
    """The bytes of the pictures of a group of rows."""
    file, group = which
    with readable(files[file]), opened_parquet(files[file]) as opened:
        found = opened.read_row_group(group, columns=[column])[column].combine_chunks()
    return found.field("bytes") if pa.types.is_struct(found.type) else found
