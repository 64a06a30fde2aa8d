"""Anyone's softmaxes or logits -> `StageOutputs`: NumPy archives, CSV and Parquet tables.

A NumPy archive (``.npz``) holds ``probs`` or ``logits`` (M, N, K), ``labels`` (N,) and ``macs`` (M,);
``head_macs`` (M,), ``baseline_macs``, ``stage_names``, ``class_names``, ``sample_ids`` are optional.
A table (``.csv``, ``.parquet``) has a row for each sample at each stage, with the columns
``sample_id``, ``label``, ``stage`` and ``p_0`` .. ``p_K-1`` (or ``logit_0`` ..); an optional column
``macs`` is constant within a stage.  ``macs`` is what a stage adds to the ones before it, for one sample.
Stages that are numbered come in that order, named ones in the order in which they first appear.
Sizes and shapes are checked before contents are read, and nothing is ever unpickled.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from cascade_core import _check
from cascade_core.record import Stage, StageOutputs
from cascade_core.store import METADATA_KEY, BadFile, load_run, readable

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 2 << 30
"""Most bytes that an imported file may take, on disk and unpacked."""

_FORMATS = (".npz", ".csv", ".parquet")
_ARRAYS = (
    "probs",
    "logits",
    "labels",
    "macs",
    "head_macs",
    "baseline_macs",
    "stage_names",
    "class_names",
    "sample_ids",
)


def import_run(
    path: str | Path,
    *,
    macs: Sequence[int] | None = None,
    baseline_macs: int | None = None,
    stage_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> StageOutputs:
    """Read softmaxes or logits from ``.npz``, ``.csv`` or ``.parquet``; a run file is read as it is.

    Args:
        path: The file; its ending says its format.
        macs: (M,) multiply-accumulates that each stage adds; overrides the file's.
        baseline_macs: MACs of the plain network; without it, the sum of `macs`.
        stage_names, class_names: Override the file's.
        max_bytes: Refuse files larger than this, on disk or unpacked.

    Raises:
        BadFile: One line: what was expected, what came, where, and what to do; also where something is
            given for a run file, which has its own.
    """
    source = Path(path)
    given = {
        "macs": macs,
        "baseline_macs": baseline_macs,
        "stage_names": stage_names,
        "class_names": class_names,
    }
    with readable(source, "import"):
        _check.one_of("the file's ending", source.suffix, _FORMATS)
        size = source.stat().st_size
        if size > max_bytes:
            raise BadFile(f"expected at most {max_bytes:,} bytes but the file has {size:,}")
        given = {key: value for key, value in given.items() if value is not None}
        if source.suffix == ".parquet" and METADATA_KEY in (pq.read_schema(source).metadata or {}):
            if given:
                raise BadFile(f"expected no {', '.join(given)} for a run file, which has its own; leave them out")
            return load_run(source)
        arrays = _read_npz(source, max_bytes) if source.suffix == ".npz" else _read_table(source, max_bytes)
        return _outputs(arrays | given, source.name)


def _outputs(arrays: dict[str, Any], file_name: str) -> StageOutputs:
    """Assemble what a file held; logits become softmaxes here."""
    if ("probs" in arrays) == ("logits" in arrays):
        raise BadFile("expected either probs or logits, of shape (stages, samples, classes)")
    if "labels" not in arrays:
        raise BadFile("expected labels, of shape (samples,)")
    probs = arrays["probs"] if "probs" in arrays else _softmax(arrays["logits"])
    if np.ndim(probs) != 3:
        raise BadFile(f"expected probs to have shape (stages, samples, classes) but it had shape {np.shape(probs)}")
    m = len(probs)
    if "macs" not in arrays:
        raise BadFile(
            f"expected macs, the multiply-accumulates that each of the {m} stages adds; give them with --macs"
        )
    total = _check.integers("macs", arrays["macs"], "(stages)", (m,))
    heads = _check.integers("head_macs", arrays.get("head_macs", np.zeros(m, np.int64)), "(stages)", (m,))
    if (total < 0).any():
        raise BadFile(f"expected macs to be 0 or more but a stage has {total.min()}")
    if (heads > total).any():
        raise BadFile("expected head_macs to be part of macs but a head costs more than its stage")
    baseline = arrays.get("baseline_macs")
    names = _check.names("stage_names", _texts(arrays.get("stage_names", _numbered(m))), m, "stage")
    return StageOutputs(
        probs=probs,
        labels=arrays["labels"],
        stages=tuple(
            Stage(name=name, trunk_macs=int(all_macs - head), head_macs=int(head))
            for name, all_macs, head in zip(names, total, heads, strict=True)
        ),
        baseline_macs=None if baseline is None else int(_check.integers("baseline_macs", baseline, "(one number)", ())),  # type: ignore[arg-type]  # None = derive
        sample_ids=arrays.get("sample_ids"),  # type: ignore[arg-type]  # None = sample numbers
        class_names=_texts(arrays["class_names"]) if "class_names" in arrays else None,  # type: ignore[arg-type]  # None = class numbers
        source={"imported_from": file_name},
    )


def _numbered(m: int) -> list[str]:
    return [f"stage {i + 1}" for i in range(m)]


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in np.ravel(values))


def _softmax(logits: Any) -> NDArray[np.float32]:
    values = _check.array("logits", logits, np.float64, "(stages, samples, classes)", (None, None, None))
    if not np.isfinite(values).all():
        stage, sample, klass = np.argwhere(~np.isfinite(values))[0]
        raise BadFile(f"expected finite logits but stage {stage}, sample {sample}, class {klass} is not")
    raised = np.exp(values - values.max(axis=2, keepdims=True))
    return (raised / raised.sum(axis=2, keepdims=True)).astype(np.float32)


def _read_npz(path: Path, max_bytes: int) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename.removesuffix(".npy"), info) for info in archive.infolist()]
        wanted = {name: info for name, info in members if name in _ARRAYS}
        if not wanted:
            found = ", ".join(name for name, _ in members[:8]) or "none"
            raise BadFile(f"expected arrays {', '.join(_ARRAYS[:4])} but there are {found}")
        if len(wanted) < sum(name in _ARRAYS for name, _ in members):
            raise BadFile("expected one array of each name but the archive holds one twice")
        if sum(info.file_size for info in wanted.values()) > max_bytes:
            raise BadFile(f"expected at most {max_bytes:,} bytes unpacked but the archive declares more")
        for name, info in wanted.items():
            with archive.open(info) as member:
                _check_header(name, member, info.file_size)
        return {name: _read_array(archive, info) for name, info in wanted.items()}


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    # Read from the very member whose header was checked, which numpy.load would look up by name again.
    with archive.open(info) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array.astype(np.str_) if array.dtype.kind == "S" else array


def _check_header(name: str, member: Any, size: int) -> None:
    """Refuse object arrays and headers that declare more than the member holds, before reading it."""
    stream: BinaryIO = member
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    # The header is a Python literal, whose parser fails in many ways; zip and deflate have theirs.
    except Exception:
        raise BadFile(f"expected array {name!r} to begin with a NumPy header but it is damaged") from None
    if dtype.hasobject:
        raise BadFile(
            f"expected array {name!r} to hold numbers or texts but it holds pickled objects, which are not read"
        )
    if dtype.kind not in "biufUS" or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise BadFile(f"expected array {name!r} to hold numbers or texts but it declares {dtype} of shape {shape}")
    if math.prod(shape) * dtype.itemsize > size:
        raise BadFile(f"array {name!r} declares shape {shape} but holds only {size:,} bytes; the file is truncated")


def _read_table(path: Path, max_bytes: int) -> dict[str, Any]:
    frame = _read_csv(path) if path.suffix == ".csv" else _read_parquet(path, max_bytes)
    for column in ("label", "stage"):
        if column not in frame:
            raise BadFile(f"expected a column {column!r} but there are {', '.join(map(str, frame.columns[:8]))}")
    if frame.empty:
        raise BadFile("expected a row for each sample at each stage but there are none")
    kind, columns = _class_columns(frame)
    # An editor counts rows from 1 and the header of a CSV file as the first.
    _check_cells(frame, columns, first_row=2 if path.suffix == ".csv" else 1)
    if "sample_id" not in frame:
        frame["sample_id"] = frame.groupby("stage", sort=False).cumcount()
    frame["sample_id"] = frame["sample_id"].astype(str)
    numbered = frame["stage"].dtype.kind in "iuf"
    stages = sorted(set(frame["stage"])) if numbered else list(dict.fromkeys(frame["stage"]))
    first = frame[frame["stage"] == stages[0]].set_index("sample_id")
    values = np.stack([_stage_values(frame, stage, first, columns) for stage in stages])
    arrays = {
        kind: values,
        "labels": first["label"].to_numpy(),
        "sample_ids": first.index.to_numpy(dtype=np.str_),
        "stage_names": _numbered(len(stages)) if numbered else [str(s) for s in stages],
    }
    if "macs" in frame:
        arrays["macs"] = _stage_macs(frame, stages)
    return arrays


def _read_csv(path: Path) -> pd.DataFrame:
    # Whoever imports the package would wait for pandas; only tables need it.
    import pandas as pd

    try:
        # Ids are texts as they stand: 007 is not 7, and NA is not missing.
        frame = pd.read_csv(
            path, encoding="utf-8", low_memory=False, keep_default_na=False, converters={"sample_id": str}
        )
    except UnicodeDecodeError:
        raise BadFile("expected UTF-8 text but some bytes are not") from None
    except pd.errors.EmptyDataError:
        raise BadFile("expected a first row with the names of columns but the file is empty") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise BadFile("expected a name for every column in the first row but the rows below hold more values")
    return frame


def _read_parquet(path: Path, max_bytes: int) -> pd.DataFrame:
    metadata = pq.read_metadata(path)
    # Dictionary encoding lets a small file declare much more than it holds.
    if metadata.num_rows * metadata.num_columns * 8 > max_bytes:
        raise BadFile(f"expected at most {max_bytes:,} bytes unpacked but it declares {metadata.num_rows:,} rows")
    return pq.read_table(path).to_pandas(ignore_metadata=True)


def _class_columns(frame: pd.DataFrame) -> tuple[str, list[str]]:
    for kind, prefix in (("probs", "p_"), ("logits", "logit_")):
        count = sum(1 for c in frame.columns if str(c).startswith(prefix))
        if count:
            columns = [f"{prefix}{i}" for i in range(count)]
            missing = [c for c in columns if c not in frame]
            if missing:
                raise BadFile(
                    f"expected {count} columns {prefix}0 to {prefix}{count - 1} but {missing[0]!r} is missing"
                )
            return kind, columns
    raise BadFile("expected columns p_0, p_1, ... (softmaxes) or logit_0, logit_1, ... (logits)")


def _check_cells(frame: pd.DataFrame, columns: Sequence[str], first_row: int) -> None:
    """Name the first row and column whose value is empty, not a finite number, or not a whole one."""
    import pandas as pd

    for column in ("stage", "sample_id"):
        if column in frame:
            _check_column(frame, column, "a value", frame[column].isna() | (frame[column] == ""), first_row)
    for column in ("label", "macs", *columns):
        if column in frame:
            numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            whole = column in ("label", "macs")
            bad = ~np.isfinite(numbers) | (whole & ((np.floor(numbers) != numbers) | (np.abs(numbers) > 2**53)))
            _check_column(frame, column, "a whole number" if whole else "a number", bad, first_row)


def _check_column(frame: pd.DataFrame, column: str, wanted: str, bad: ArrayLike, first_row: int) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        found = str(frame[column].iloc[rows[0]])
        raise BadFile(f"expected {wanted} in row {rows[0] + first_row}, column {column!r} but it is {found[:40]!r}")


def _stage_values(frame: pd.DataFrame, stage: Any, first: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    rows = frame[frame["stage"] == stage].set_index("sample_id")
    repeated = rows.index[rows.index.duplicated()]
    if len(repeated):
        raise BadFile(f"expected one row for each sample at stage {stage!r} but {repeated[0]!r} repeats")
    if len(rows) != len(first) or not rows.index.isin(first.index).all():
        raise BadFile(f"expected the same {len(first)} samples at every stage but stage {stage!r} has others")
    rows = rows.loc[first.index]
    if not (rows["label"] == first["label"]).all():
        raise BadFile(f"expected a sample to have one label but labels differ at stage {stage!r}")
    return rows[columns].to_numpy(dtype=np.float64)


def _stage_macs(frame: pd.DataFrame, stages: Sequence[Any]) -> list[int]:
    by_stage = frame.groupby("stage")["macs"]
    if (by_stage.nunique() != 1).any():
        raise BadFile("expected the column 'macs' to be the same in all rows of a stage")
    return [int(by_stage.first()[stage]) for stage in stages]
