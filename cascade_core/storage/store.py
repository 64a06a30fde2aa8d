"""`StageOutputs` <-> run file: the only reader and writer of the project's Parquet format.

One run is one ``.parquet`` file (or a folder of parts of one schema, see `parts`): a row a
sample, with its id, its label, and for each stage m the columns ``stage_m_prediction``, one for each
score such as ``stage_m_max_probability``, and ``stage_m_probs``, the softmax as a fixed-size list of
float32.  Names, MACs and origin are JSON under the key ``cascade_core`` of the file's metadata.
`load_run` checks everything, also that the scores are those of the softmaxes; `load_record` reads score
columns only and trusts them.  Nothing is pickled; nothing in a file is executed.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.record import SUM_TOLERANCE, Record, Stage, StageOutputs
from cascade_core.simulation.scores import Temperatures
from cascade_core.storage.parts import run_files
from cascade_core.support import checks
from cascade_core.support.files import (
    BadFile,
    Contents,
    Source,
    atomic_write,
    check_suffix,
    check_writable,
    readable,
    source_of,
    strict_json,
)

__all__ = [
    "MAX_BYTES",
    "METADATA_KEY",
    "SCHEMA_VERSION",
    "BadFile",
    "atomic_write",
    "check_writable",
    "digest",
    "is_part",
    "is_run_file",
    "load_record",
    "load_run",
    "load_sample_ids",
    "merge_parts",
    "open_record",
    "read_metadata",
    "readable",
    "run_bytes",
    "run_metadata",
    "save_part",
    "save_run",
    "strict_json",
]

SCHEMA_VERSION = 1
STORED_SCORES = ("max_probability", "margin", "negative_entropy")
"""Scores that have columns of their own in files of this version; others are computed from the softmaxes."""

METADATA_KEY = b"cascade_core"
PART_KEY = b"cascade_core_part"
"""Under it a part that was computed by itself says of which work it is which part."""

CHECKED_BYTES = 64 << 20
"""Run files up to this size are read and checked whole where a record is opened."""

MAX_BYTES = 16 << 30
"""Most bytes that a run may take in memory; a file that declares more is refused before it is read."""


def save_run(outputs: StageOutputs, path: str | Path) -> Path:
    """Write a run file, atomically; return its path.

    Raises:
        ValueError: The name does not end in ``.parquet``.
        OSError: The folder cannot be written; no partial file is left.
    """
    target = Path(path)
    check_suffix(target, ".parquet")
    with atomic_write(target) as temporary:
        pq.write_table(_table(outputs), temporary, compression="zstd", write_page_checksum=True)
    return target


def run_bytes(outputs: StageOutputs) -> bytes:
    """The bytes that `save_run` would write."""
    stream = io.BytesIO()
    pq.write_table(_table(outputs), stream, compression="zstd", write_page_checksum=True)
    return stream.getvalue()


def run_metadata(outputs: StageOutputs) -> dict[str, Any]:
    """What `read_metadata` would find in the file that `save_run` would write."""
    return {
        "schema_version": SCHEMA_VERSION,
        "stages": [{"name": s.name, "trunk_macs": s.trunk_macs, "head_macs": s.head_macs} for s in outputs.stages],
        "baseline_macs": outputs.baseline_macs,
        "class_names": list(outputs.class_names),
        "source": dict(outputs.source),
    }


def save_part(outputs: StageOutputs, path: Path, stamp: str) -> None:
    """Write some samples of a run, atomically, into a folder that is there.

    Args:
        stamp: Of which work it is which part; `is_part` asks for it.

    Raises:
        OSError: It cannot be written; no partial file is left.
    """
    table = _table(outputs)
    table = table.replace_schema_metadata({**table.schema.metadata, PART_KEY: stamp.encode()})
    with atomic_write(path, make_folder=False) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def is_part(path: Path, stamp: str, rows: int) -> bool:
    """Whether a file is the part of that stamp, with all its rows; only its footer is read."""
    try:
        footer = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return False
    return footer.num_rows == rows and (footer.metadata or {}).get(PART_KEY) == stamp.encode()


def merge_parts(parts: Sequence[Path], path: Path) -> None:
    """Write parts of one run into one file, atomically; one of them is in memory at a time, and becomes a row group.

    Raises:
        BadFile: A part cannot be read.
        OSError: The file cannot be written; no partial file is left.
    """
    schema = pq.read_schema(parts[0])
    schema = schema.with_metadata({METADATA_KEY: schema.metadata[METADATA_KEY]})
    options = {"compression": "zstd", "write_page_checksum": True}
    with atomic_write(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:
        for part in parts:
            with readable(part):
                table = pq.ParquetFile(part, page_checksum_verification=True).read()
            writer.write_table(table.cast(schema), row_group_size=table.num_rows)


def _table(outputs: StageOutputs) -> pa.Table:
    classes = outputs.probs.shape[2]
    ids = pa.array(outputs.sample_ids.tolist(), pa.string())
    columns: dict[str, Any] = {"sample_id": ids, "label": outputs.labels}
    for stage, probs in enumerate(outputs.probs):
        columns |= {f"stage_{stage}_{what}": values for what, values in _beside(probs).items()}
        columns[f"stage_{stage}_probs"] = pa.FixedSizeListArray.from_arrays(pa.array(probs.ravel()), classes)
    text = json.dumps(run_metadata(outputs), allow_nan=False, sort_keys=True)
    return pa.table(columns).replace_schema_metadata({METADATA_KEY: text.encode()})


def _beside(probs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Answers and scores that are written beside the softmaxes of a stage."""
    return {"prediction": probs.argmax(axis=1)} | {s: scores.SCORES[s].function(probs) for s in STORED_SCORES}


def load_run(path: str | Path | Contents, max_bytes: int | None = None) -> StageOutputs:
    """Read a run with all softmaxes.

    Args:
        path: Its file, its folder of parts, or the contents of its file.
        max_bytes: Refuse a file that declares more than this in memory; None = `MAX_BYTES`.

    Raises:
        BadFile: It is missing, not Parquet, of another schema, truncated, or its values do not fit.
    """
    source = source_of(path)
    with readable(source):
        metadata = read_metadata(source)
        classes = len(metadata["class_names"])
        m = len(metadata["stages"])
        stored = [f"stage_{s}_{what}" for s in range(m) for what in ("prediction", *STORED_SCORES)]
        wanted = ["sample_id", "label", *stored, *(f"stage_{s}_probs" for s in range(m))]
        table = _read(source, m, wanted, {f"stage_{s}_probs": classes for s in range(m)}, max_bytes)
        n = table.num_rows
        probs = np.empty((m, n, classes), dtype=np.float32)
        for stage in range(m):
            column = table[f"stage_{stage}_probs"].combine_chunks()
            probs[stage] = np.from_dlpack(column.flatten()).reshape(n, classes)
        outputs = StageOutputs(
            probs=probs,
            labels=_numbers(table, "label"),
            sample_ids=_texts(table["sample_id"], MAX_BYTES if max_bytes is None else max_bytes),
            **_fields(metadata),
        )
        _check_stored(table, outputs)
        return outputs


def _check_stored(table: pa.Table, outputs: StageOutputs) -> None:
    """Raise BadFile unless answers and scores beside the softmaxes are those of the softmaxes."""
    for stage, probs in enumerate(outputs.probs):
        for what, values in _beside(probs).items():
            # Another machine may round a logarithm differently in its last digit.
            if not np.allclose(_numbers(table, f"stage_{stage}_{what}"), values, rtol=1e-5, atol=1e-6):
                raise BadFile(f"expected column 'stage_{stage}_{what}' to follow from the softmaxes but it does not")


def _numbers(table: pa.Table, name: str) -> NDArray[Any]:
    """A complete column of numbers; `to_numpy` would do, but loads pandas, which takes a quarter of a second."""
    return np.from_dlpack(table[name].combine_chunks())


def load_record(path: str | Path, score: str = "max_probability", top_k: int = 1) -> Record:
    """Read confidences and answers of a run; with `top_k` 1 the softmaxes are not read.

    Raises:
        BadFile: As for `load_run`.
        ValueError: The score is unknown, or not defined for `top_k`, or `top_k` exceeds the classes.
    """
    checks.one_of("score", score, tuple(scores.SCORES))
    if top_k != 1 or score not in STORED_SCORES:
        return load_run(path).record(score, top_k)
    source = Path(path)
    with readable(source):
        metadata = read_metadata(source)
        m = len(metadata["stages"])
        wanted = [f"stage_{s}_{what}" for s in range(m) for what in ("prediction", score)]
        table = _read(source, m, ["label", *wanted], {})
        labels = _numbers(table, "label")
        predictions = np.stack([_numbers(table, f"stage_{s}_prediction") for s in range(m)])
        confidence = np.stack([_numbers(table, f"stage_{s}_{score}") for s in range(m)])
        _check_columns(labels, predictions, confidence, len(metadata["class_names"]), score)
        fields = _fields(metadata)
        return Record(
            confidence=confidence,
            predictions=predictions,
            correct=predictions == labels,
            labels=labels,
            stages=fields["stages"],
            baseline_macs=fields["baseline_macs"],
            score=score,
            classes=len(metadata["class_names"]),
        )


def load_sample_ids(path: str | Path) -> tuple[str, ...]:
    """N texts, one a sample, in the run's order; no other column is read.

    Raises:
        BadFile: As for `load_run`.
    """
    source = Path(path)
    with readable(source):
        stages = len(read_metadata(source)["stages"])
        return tuple(_read(source, stages, ["sample_id"], {})["sample_id"].to_pylist())


def open_record(
    path: str | Path, score: str = "max_probability", top_k: int = 1, temperatures: Temperatures = None
) -> Record:
    """Read confidences and answers: of a file up to `CHECKED_BYTES` all of it, checked; of a larger one what is needed.

    With temperatures the softmaxes are needed, whatever the size.

    Raises:
        BadFile, ValueError: As for `load_record`.
    """
    source = Path(path)
    with readable(source):
        small = sum(file.stat().st_size for file in run_files(source)) <= CHECKED_BYTES
    if small or temperatures is not None:
        return load_run(source).record(score, top_k, temperatures)
    return load_record(source, score, top_k)


def _check_columns(
    labels: NDArray[Any], predictions: NDArray[Any], confidence: NDArray[Any], classes: int, score: str
) -> None:
    """Raise ValueError where stored columns hold what no softmax gives."""
    for name, values in (("label", labels), ("prediction", predictions)):
        if values.min() < 0 or values.max() >= classes:
            raise ValueError(f"Expected every {name} to be from 0 to {classes - 1} but some lie outside")
    low, high = scores.score_range(score, classes)
    # A softmax may sum to a little more or less than 1, and entropy grows with its logarithms.
    slack = 2 * SUM_TOLERANCE * (1 + max(abs(low), abs(high)))
    if not ((confidence >= low - slack) & (confidence <= high + slack)).all():
        raise ValueError(f"Expected every {score} to be from {low:.4g} to {high:.4g} but some lie outside")


def read_metadata(path: str | Path | Contents) -> dict[str, Any]:
    """Stages, MACs, class names and origin of a run, without reading its columns.

    Raises:
        BadFile: As for `load_run`.
    """
    source = source_of(path)
    with readable(source):
        parts = _files(source)
        first, *others = [_part_metadata(part) for part in parts]
        for part, other in zip(parts[1:], others, strict=True):
            if _fields({**other, "source": {}}) != _fields({**first, "source": {}}):
                raise BadFile(f"expected parts of one run but {part.name} has other stages, MACs or class names")
        return first


def is_run_file(file: Source) -> bool:
    """Whether a Parquet file says that it is a run; what else is wrong with it is not looked at."""
    return METADATA_KEY in (pq.read_schema(_readable_by_arrow(file)).metadata or {})


def _files(source: Source) -> Sequence[Source]:
    return [source] if isinstance(source, Contents) else run_files(source)


def _readable_by_arrow(file: Source) -> Any:
    return pa.BufferReader(file.raw) if isinstance(file, Contents) else file


def _part_metadata(part: Source) -> dict[str, Any]:
    raw = (pq.read_schema(_readable_by_arrow(part)).metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise BadFile("it is Parquet but not a run; `python -m cascade_core import` makes a run of your softmaxes")
    metadata = strict_json(raw)
    version = metadata.get("schema_version") if isinstance(metadata, dict) else None
    if version != SCHEMA_VERSION:
        raise BadFile(f"expected schema version {SCHEMA_VERSION} but it has {str(version)[:40]}; update this program")
    for key, kind in (("stages", list), ("baseline_macs", int), ("class_names", list), ("source", dict)):
        if not isinstance(metadata.get(key), kind) or metadata[key] == []:
            raise BadFile(f"expected {key} in its metadata but it is missing, empty or of another type")
    for stage in metadata["stages"]:
        if not isinstance(stage, dict) or stage.keys() != {"name", "trunk_macs", "head_macs"}:
            raise BadFile(f"expected a stage to have name, trunk_macs and head_macs but one is {str(stage)[:60]}")
    return metadata


def digest(path: str | Path) -> str:
    """SHA-256 of a run's bytes, in hex: the key under which results of it may be kept."""
    result = hashlib.sha256()
    with readable(Path(path)):
        for part in run_files(Path(path)):
            with part.open("rb") as stream:
                while block := stream.read(1 << 20):
                    result.update(block)
    return result.hexdigest()


def _fields(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stages": tuple(Stage(**stage) for stage in metadata["stages"]),
        "baseline_macs": metadata["baseline_macs"],
        "class_names": tuple(metadata["class_names"]),
        "source": metadata["source"],
    }


def _read(
    path: Source, stages: int, columns: list[str], list_sizes: Mapping[str, int], max_bytes: int | None = None
) -> pa.Table:
    """Read columns of all parts after checking names, types and declared size."""
    files = []
    for part in _files(path):
        schema = pq.read_schema(_readable_by_arrow(part))
        missing = [c for c in columns if c not in schema.names]
        if missing:
            raise BadFile(f"expected a column {missing[0]!r} but there are {', '.join(schema.names[:8])}, ...")
        if f"stage_{stages}_prediction" in schema.names:
            raise BadFile(f"expected columns of the {stages} stages that its metadata names but there are more")
        for name in columns:
            _check_type(name, schema.field(name).type, list_sizes.get(name))
        # Ids stay as they are stored, each text once, until it is known how much they are.
        texts = [name for name in columns if name == "sample_id"]
        files.append(pq.ParquetFile(_readable_by_arrow(part), page_checksum_verification=True, read_dictionary=texts))
    rows = sum(file.metadata.num_rows for file in files)
    most = MAX_BYTES if max_bytes is None else max_bytes
    if rows * sum(list_sizes.get(c, 2) * 4 for c in columns) > most:
        raise BadFile(f"expected at most {most / 2**30:.3g} GiB in memory but it declares {rows:,} rows")
    table = pa.concat_tables([file.read(columns=columns) for file in files])
    if table.num_rows == 0:
        raise BadFile("it holds no samples")
    for name in columns:
        if table[name].null_count or (name in list_sizes and table[name].combine_chunks().flatten().null_count):
            raise BadFile(f"expected column {name!r} to be complete but it has missing values")
    return table


def _texts(column: pa.ChunkedArray, max_bytes: int) -> NDArray[np.str_]:
    """(N,) the texts of a column, unless the longest would make all of them too large: each is given as much room."""
    whole = column.unify_dictionaries().combine_chunks()
    index = np.from_dlpack(whole.indices)
    lengths = np.from_dlpack(pc.utf8_length(whole.dictionary))[index]
    if 4 * len(lengths) * int(lengths.max()) > max_bytes:
        at = int(lengths.argmax())
        raise BadFile(f"expected shorter texts in column 'sample_id' but row {at + 1} has {lengths[at]:,} characters")
    return np.asarray(whole.dictionary.to_pylist(), dtype=np.str_)[index]


def _check_type(name: str, found: pa.DataType, size: int | None) -> None:
    if size is not None:
        fits, wanted = found == pa.list_(pa.float32(), size), f"lists of {size} float32"
    elif name == "sample_id":
        fits, wanted = pa.types.is_string(found) or pa.types.is_large_string(found), "texts"
    elif name == "label" or name.endswith("_prediction"):
        fits, wanted = pa.types.is_integer(found), "whole numbers"
    else:
        fits, wanted = found == pa.float32(), "float32"
    if not fits:
        raise BadFile(f"expected column {name!r} to hold {wanted} but it holds {found}")
