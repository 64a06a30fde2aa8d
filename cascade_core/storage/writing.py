"""`Outputs` -> run files, whole or in parts that become one: the only writer of the project's Parquet format."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.parquet import opened_parquet
from cascade_core.storage.schema import GROUP, METADATA_KEY, PART_KEY, run_metadata, stage_columns
from cascade_core.support.files import BadFile, atomic_write, check_suffix, readable
from cascade_core.support.remote import Place, Somewhere, place


def _options(schema: pa.Schema) -> dict[str, Any]:
    """How columns are encoded: the bytes of softmaxes by their weight, which are alike, and else as Parquet does."""
    softmaxes = [field.name for field in schema if pa.types.is_fixed_size_list(field.type)]
    return {
        "compression": "zstd",
        "write_page_checksum": True,
        "use_dictionary": [name for name in schema.names if name not in softmaxes],
        "use_byte_stream_split": [f"{name}.list.element" for name in softmaxes],
    }


def save_run(outputs: Outputs, path: str | Somewhere) -> Path | Somewhere:
    """Write a run file, atomically; return its path.

    Raises:
        ValueError: The name does not end in ``.parquet``.
        OSError: The folder cannot be written; no partial file is left.
    """
    target = place(path)
    check_suffix(target, ".parquet")
    with atomic_write(target) as temporary:
        _write(_table(outputs), temporary)
    return target


def run_bytes(outputs: Outputs) -> bytes:
    """The bytes that `save_run` would write."""
    stream = io.BytesIO()
    _write(_table(outputs), stream)
    return stream.getvalue()


def save_part(outputs: Outputs, path: Place, stamp: str) -> None:
    """Write some samples of a run, atomically, into a folder that is there.

    Args:
        stamp: Of which work it is which part; `is_part` asks for it.

    Raises:
        OSError: It cannot be written; no partial file is left.
    """
    table = _table(outputs)
    table = table.replace_schema_metadata({**table.schema.metadata, PART_KEY: stamp.encode()})
    with atomic_write(path, make_folder=False) as temporary:
        _write(table, temporary)


def is_part(path: Place, stamp: str, rows: int) -> bool:
    """Whether a file is the part of that stamp, with all its rows; only its footer is read."""
    try:
        with opened_parquet(path) as opened:
            footer = opened.metadata
            return footer.num_rows == rows and (footer.metadata or {}).get(PART_KEY) == stamp.encode()
    except (OSError, BadFile, pa.ArrowException):
        return False


def merge_parts(parts: Sequence[Place], path: Place) -> None:
    """Write parts of one run into one file, atomically; one of them is in memory at a time, and becomes a row group.

    Raises:
        BadFile: A part cannot be read.
        OSError: The file cannot be written; no partial file is left.
    """
    with readable(parts[0]), opened_parquet(parts[0]) as first:
        schema = first.schema_arrow
    schema = schema.with_metadata({METADATA_KEY: schema.metadata[METADATA_KEY]})
    with atomic_write(path) as temporary, pq.ParquetWriter(temporary, schema, **_options(schema)) as writer:
        for part in parts:
            with readable(part), opened_parquet(part) as opened:
                table = opened.read()
            writer.write_table(table.cast(schema), row_group_size=table.num_rows)


def _write(table: pa.Table, target: Any) -> None:
    pq.write_table(table, target, **_options(table.schema))


def _table(outputs: Outputs) -> pa.Table:
    ids = pa.array(outputs.sample_ids.tolist(), pa.string())
    columns: dict[str, Any] = {"sample_id": ids, "label": outputs.labels}
    for stage, stored in enumerate(stage_columns(outputs)):
        columns |= {f"stage_{stage}_{what}": values for what, values in stored.items()}
    if outputs.spending is not None:
        columns |= {f"stage_{stage}_cost": values for stage, values in enumerate(outputs.spending.stages)}
        columns["plain_cost"] = outputs.spending.plain
    for one in outputs.groups:
        columns[f"{GROUP}{one.what}"] = pa.array([one.names[group] for group in one.of.tolist()], pa.string())
    text = json.dumps(run_metadata(outputs), allow_nan=False, sort_keys=True)
    return pa.table(columns).replace_schema_metadata({METADATA_KEY: text.encode()})
