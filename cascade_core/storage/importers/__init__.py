"""Anyone's softmaxes, logits or answers -> `Outputs`: NumPy archives and tables, from disk or from memory.

A NumPy archive (``.npz``) holds ``probs`` or ``logits`` (M, N, K), ``labels`` (N,) and ``macs`` (M,); ``head_macs``
(M,), ``baseline_macs``, ``stage_names``, ``class_names``, ``sample_ids`` are optional.  A table (``.csv``, ``.tsv``,
``.parquet``, ``.jsonl``) has a row for each sample at each stage, with the columns ``sample_id``, ``label``, ``stage``
and ``p_0`` .. ``p_K-1`` (or ``logit_0`` .., or one list); an optional column ``macs`` is constant within a stage.
``macs`` is what a stage adds to the ones before it, for one sample.  Several files are one stage after another.

Without softmaxes there are ``confidence`` and ``answer`` (M, N), with ``correct`` where something else than the label
says what is right; in a table columns of these names, or, with a row for each sample, ``small_confidence``,
``small_answer`` and so on.  ``cost`` (M,) or (M, N) and ``cost_unit`` are what stages add in another unit than MACs.

Files flow through four rooms: a reader checks sizes and shapes before contents, unpickles nothing, and hands on named
arrays (`archives`, `delimited`, `json_lines`, `parquet_tables`, then `sheets`); `assembling` decides what they mean;
what was mended or supposed becomes the run's notes; and `simulation.suspicions` judges what came of it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import BinaryIO, Literal

from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.importers.archives import read_npz
from cascade_core.storage.importers.assembling import Wishes, assemble
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.mac_counts import read_macs, with_macs
from cascade_core.storage.importers.room import TooLarge, room_for
from cascade_core.storage.importers.several import of_each, one_after_another
from cascade_core.storage.importers.stage_costs import EQUAL_MACS
from cascade_core.storage.notes import notes_on
from cascade_core.storage.parquet import check_parquet
from cascade_core.storage.reading import is_run_file, load_run
from cascade_core.support import checks
from cascade_core.support.files import BadFile, Contents, Source, opened, readable, source_of

__all__ = [
    "EQUAL_MACS",
    "FORMATS",
    "TooLarge",
    "Wishes",
    "import_run",
    "read_files",
    "read_macs",
    "with_macs",
]

FORMATS = (".npz", ".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
"""Endings of files that are read, in small letters or capitals."""

File = str | Path | Contents


def import_run(
    path: File | Sequence[File],
    *,
    macs: Sequence[int] | None = None,
    macs_up_to: Sequence[int] | Literal[True] | None = None,
    baseline_macs: int | None = None,
    stage_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    labels_from: int = 0,
    assume_equal_macs: bool = True,
    max_bytes: int | None = None,
) -> Outputs:
    """Read softmaxes, logits, or answers and confidences from files of `FORMATS`; a run file is read as it is.

    What was mended or supposed, and what looks odd, is warned of; `storage.notes.notes_on` gives the same lines.

    Args:
        path: The file, or its contents, whose ending says its format; several are one stage after another.
        macs: (M,) multiply-accumulates that each stage adds; overrides the file's.
        macs_up_to: (M,) those from the start up to each stage's exit, in the place of `macs`; True where the file's
            are these.
        baseline_macs: MACs of the plain network; without it, the sum of `macs`.
        stage_names: Names of the stages; where they are those of the file, their order.
        class_names: Names of the classes, by which labels may call them; overrides the file's.
        labels_from: The number of the first class, 0 or 1.
        assume_equal_macs: Where nobody says `macs`, take every stage to cost the same; the run's title says so then.
        max_bytes: Refuse files that are larger, or take more when they are unpacked; None = what a file of its size may
            take, see `room`.

    Raises:
        BadFile: One line: what was expected, what came, where, and what to do; also where an
            argument overrides what a run file has already.
    """
    wishes = Wishes(
        macs=macs,
        macs_up_to=macs_up_to,
        baseline_macs=baseline_macs,
        stage_names=stage_names,
        class_names=class_names,
        labels_from=labels_from,
        assume_equal_macs=assume_equal_macs,
    )
    outputs = read_files([path] if isinstance(path, str | Path | Contents) else path, wishes, max_bytes)
    for note in notes_on(outputs):
        warnings.warn(note, stacklevel=2)
    return outputs


def read_files(files: Sequence[File], wishes: Wishes, max_bytes: int | None = None) -> Outputs:
    """`import_run` without warnings: what it would warn of is in the run's notes.

    Raises:
        TooLarge: A file takes more than `max_bytes`.
        BadFile: As for `import_run`.
        ValueError: Several files do not fit one another.
    """
    sources = [source_of(file) for file in files]
    if len(sources) == 1:
        return _read_one(sources[0], wishes, max_bytes, one_stage=False)
    runs = [_read_one(source, of_each(wishes), max_bytes, one_stage=True) for source in sources]
    return one_after_another(runs, _called(sources), wishes)


def _read_one(source: Source, wishes: Wishes, max_bytes: int | None, *, one_stage: bool) -> Outputs:
    with readable(source, "import"):
        ending = source.suffix.casefold()
        checks.one_of("the file's ending", ending, FORMATS)
        with opened(source) as stream:
            size = stream.seek(0, io.SEEK_END)
            room = room_for(size) if max_bytes is None else max_bytes
            if size > room:
                raise TooLarge(f"expected at most {room:,} bytes but the file has {size:,}")
            stream.seek(0)
            if ending == ".parquet":
                check_parquet(stream)
                if is_run_file(source):
                    return _run_file(source, wishes, room)
            found = read_npz(stream, room) if ending == ".npz" else _read_table(stream, ending, room, one_stage)
        return assemble(found, wishes, PurePath(str(source)).name, room)


def _run_file(source: Source, wishes: Wishes, max_bytes: int) -> Outputs:
    said = [
        *wishes.arrays,
        *(["stage_names"] if wishes.stage_names else []),
        *(["labels_from"] if wishes.labels_from else []),
    ]
    if said:
        raise BadFile(f"expected no {', '.join(said)} for a run file, which has its own; leave them out")
    return load_run(source, max_bytes)


def _read_table(stream: BinaryIO, ending: str, max_bytes: int, one_stage: bool) -> Found:
    from cascade_core.storage.importers.delimited import read_delimited
    from cascade_core.storage.importers.json_lines import read_json_lines
    from cascade_core.storage.importers.parquet_tables import read_parquet
    from cascade_core.storage.importers.sheet import Sheet
    from cascade_core.storage.importers.sheets import read_sheet

    readers: dict[str, Callable[[BinaryIO, int], Sheet]] = {".parquet": read_parquet, ".jsonl": read_json_lines}
    read = readers.get(".jsonl" if ending == ".ndjson" else ending, read_delimited)
    return read_sheet(read(stream, max_bytes), max_bytes, one_stage=one_stage)


def _called(sources: Sequence[Source]) -> list[str]:
    """What the stages of files are called: their names without ending, or all of their paths where names repeat."""
    stems = [PurePath(str(source)).stem for source in sources]
    return stems if len(set(stems)) == len(stems) else [str(source) for source in sources]
