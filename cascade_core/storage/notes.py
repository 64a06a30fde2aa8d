"""Everything that is to be said of a run before its numbers are believed: what its import mended, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.stages import Stage
from cascade_core.simulation.suspicions import few_macs, suspicions, suspicions_of_answers
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import is_small, load_record, load_run, open_record, read_metadata
from cascade_core.storage.schema import is_counted, run_metadata
from cascade_core.support.remote import Place, place
from cascade_core.support.terms import NO_LABELS

ASSUMED_MACS = (
    "MACs were not given: every stage is taken to add the same. Savings are right only if that is so; give MACs, or "
    "costs in a unit of your own."
)


def notes_on(outputs: Outputs) -> tuple[str, ...]:
    """Lines to show wherever the run is looked at; names in them come from files and are not escaped."""
    return tuple(dict.fromkeys((*_of_import(run_metadata(outputs), outputs.stages), *suspicions(outputs))))


def notes_on_file(path: str | Place) -> tuple[str, ...]:
    """The same of a run file; of a large one what its answers show.

    Raises:
        BadFile: The file is malformed.
    """
    metadata = read_metadata(path)
    if is_counted(metadata):
        return _of_import(metadata)
    if is_small(place(path)):
        return notes_on(load_run(path))
    record = load_record(path)
    odd = suspicions_of_answers(record, metadata["class_names"])
    return tuple(dict.fromkeys((*_of_import(metadata, record.stages), *odd)))


def open_noted(
    path: str | Place, score: str | None = None, top_k: int = 1, pool: Pool | None = None
) -> tuple[Record, tuple[str, ...]]:
    """What `open_record` reads and `notes_on_file` says of it; a small file is read once for both.

    Raises:
        BadFile, ValueError: As for `open_record`.
    """
    source = place(path)
    if is_counted(read_metadata(source)) or not is_small(source):
        return open_record(source, score, top_k, pool), notes_on_file(source)
    outputs = load_run(source)
    return outputs.record(score, top_k, pool), notes_on(outputs)


def open_answered(path: str | Place, rule: ExitRule) -> tuple[Record, tuple[str, ...]]:
    """What `open_noted` reads under a rule's score and pool, of a run with the rule's stages.

    Raises:
        BadFile, ValueError: As for `open_noted`, or the stages are others.
    """
    rule.check_stages([stage["name"] for stage in read_metadata(place(path))["stages"]])
    return open_noted(path, rule.score, rule.top_k, rule.pool)


def _of_import(metadata: Mapping[str, Any], stages: Sequence[Stage] = ()) -> tuple[str, ...]:
    """What importing said, of the run or of each of those that it was joined of, and that there are no labels.

    MACs that nobody gave are said unless costs in another unit stand for them; so are few of them that nothing here
    counted, which it does of networks that it records.
    """
    origin, unlabelled = Origin.of(metadata["source"]), metadata.get("reference") == "last stage"
    joined = [f"{run['name']}: {line}" for run in origin.joined or () for line in Origin.of(run).notes]
    lines = [*origin.notes, *joined]
    # Of several files some may have had labels, and where none had one line says all.
    stands_in = ([line for line in lines if NO_LABELS in line] + [NO_LABELS])[: int(unlabelled)]
    others = [line for line in lines if NO_LABELS not in line]
    counted = bool(origin.networks) or all(run.get("networks") for run in origin.joined or [{}])
    few = [] if counted else few_macs(stages)
    return (*stands_in, *[ASSUMED_MACS] * (origin.assumed_macs and "costs" not in metadata), *others, *few)
