"""Run files -> `Outputs` or a `Record`: the only reader of the project's Parquet format, see `schema`.

`load_run` checks everything, also that the scores are those of the softmaxes; `load_record` reads score columns only
and trusts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.answers import StageAnswers
from cascade_core.simulation.groups import CLASS, Groups
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.spending import Spending
from cascade_core.storage.columns import (
    coded,
    column_names,
    files_of,
    numbers,
    read_columns,
    room_for,
    stored_metadata,
    texts,
)
from cascade_core.storage.counted import read_counted
from cascade_core.storage.parts import run_files
from cascade_core.storage.schema import (
    STORED_SCORES,
    group_columns,
    has_softmaxes,
    is_counted,
    outputs_fields,
    own_costs,
    parse_metadata,
    stored_beside,
)
from cascade_core.support import checks
from cascade_core.support.files import BadFile, Contents, Source, file_digest, file_size, readable, source_of
from cascade_core.support.remote import Place, place

CHECKED_BYTES = 64 << 20
"""Run files up to this size are read and checked whole where a record is opened."""


def load_run(path: str | Place | Contents, max_bytes: int | None = None) -> Outputs:
    """Read a run whole: `StageOutputs` with all softmaxes, or `StageAnswers` where it has none.

    Args:
        path: Its file, its folder of parts, or the contents of its file.
        max_bytes: Refuse a file that declares more than this in memory; None = what a file of its size may take.

    Raises:
        BadFile: It is missing, not Parquet, of another schema, truncated, or its values do not fit.
    """
    source = source_of(path)
    with readable(source):
        metadata = read_metadata(source)
        if is_counted(metadata):
            raise BadFile("it holds counts of samples, not samples; `load_record` reads what there is")
        m, classes = len(metadata["stages"]), len(metadata["class_names"])
        room = room_for(source) if max_bytes is None else max_bytes
        if not has_softmaxes(metadata):
            return _answers(source, metadata, room)
        stored = [f"stage_{s}_{what}" for s in range(m) for what in ("prediction", *STORED_SCORES)]
        beside = ["sample_id", "label", *_cost_columns(metadata), *group_columns(metadata)]
        columns = [*beside, *stored, *(f"stage_{s}_probs" for s in range(m))]
        table = read_columns(source, m, columns, {f"stage_{s}_probs": classes for s in range(m)}, room)
        n = table.num_rows
        probs = np.empty((m, n, classes), dtype=np.float32)
        for stage in range(m):
            column = table[f"stage_{stage}_probs"].combine_chunks()
            probs[stage] = np.from_dlpack(column.flatten()).reshape(n, classes)
        outputs = StageOutputs(
            probs=probs,
            labels=numbers(table, "label"),
            sample_ids=texts(table["sample_id"], room),
            **outputs_fields(metadata),
            spending=_spending(metadata, table),
            groups=_groups(metadata, table),
        )
        _check_stored(table, outputs)
        return outputs


def _answers(source: Source, metadata: Mapping[str, Any], max_bytes: int) -> StageAnswers:
    """A run without softmaxes."""
    m = len(metadata["stages"])
    judged = all("stage_0_correct" in column_names(part) for part in files_of(source))
    stored = ("prediction", "confidence", *(["correct"] if judged else []))
    columns = [
        "sample_id",
        "label",
        *_cost_columns(metadata),
        *group_columns(metadata),
        *(f"stage_{s}_{what}" for s in range(m) for what in stored),
    ]
    table = read_columns(source, m, columns, {}, max_bytes)

    def of_stages(what: str) -> NDArray[Any]:
        return np.stack([numbers(table, f"stage_{s}_{what}") for s in range(m)])

    return StageAnswers(
        predictions=of_stages("prediction"),
        confidence=of_stages("confidence"),
        correct=of_stages("correct") if judged else None,  # type: ignore[arg-type]  # None = by the label
        labels=numbers(table, "label"),
        sample_ids=texts(table["sample_id"], max_bytes),
        **outputs_fields(metadata),
        spending=_spending(metadata, table),
        groups=_groups(metadata, table),
    )


def _groups(metadata: Mapping[str, Any], table: pa.Table) -> tuple[Groups, ...]:
    """The divisions of the samples that a run's columns tell."""
    found = []
    for what, column in zip(metadata.get("groups", []), group_columns(metadata), strict=True):
        names, of = coded(table[column])
        found.append(Groups.numbered(what, names, of))
    return tuple(found)


def _cost_columns(metadata: Mapping[str, Any]) -> list[str]:
    """Columns of what each sample costs, where a run has them."""
    if not metadata.get("costs_by_sample"):
        return []
    return [*(f"stage_{stage}_cost" for stage in range(len(metadata["stages"]))), "plain_cost"]


def _spending(metadata: Mapping[str, Any], table: pa.Table) -> Spending | None:
    """What each sample costs at each stage, where a run says so."""
    columns = [numbers(table, name) for name in _cost_columns(metadata)]
    if not columns:
        return None
    costs = own_costs(metadata)
    return Spending(stages=np.stack(columns[:-1]), plain=columns[-1], separate=costs is not None and costs.separate)


def _check_stored(table: pa.Table, outputs: StageOutputs) -> None:
    """Raise BadFile unless answers and scores beside the softmaxes are those of the softmaxes."""
    for stage, probs in enumerate(outputs.probs):
        for what, values in stored_beside(probs).items():
            # Another machine may round a logarithm differently in its last digit.
            if not np.allclose(numbers(table, f"stage_{stage}_{what}"), values, rtol=1e-5, atol=1e-6):
                raise BadFile(f"expected column 'stage_{stage}_{what}' to follow from the softmaxes but it does not")


def load_record(path: str | Place, score: str | None = None, top_k: int = 1) -> Record:
    """Read confidences and answers of a run; with `top_k` 1 the softmaxes are not read.

    Args:
        score, top_k: As for `Outputs.record`.

    Raises:
        BadFile: As for `load_run`.
        ValueError: The score is unknown, or not defined for `top_k`, or `top_k` exceeds the classes.
    """
    if score is not None:
        checks.one_of("score", score, tuple(scores.SCORES))
    metadata = read_metadata(path)
    if is_counted(metadata):
        return _counted(place(path), metadata, score, top_k)
    score = STORED_SCORES[0] if score is None and has_softmaxes(metadata) else score
    if top_k != 1 or score not in STORED_SCORES or not has_softmaxes(metadata) or metadata.get("costs_by_sample"):
        return load_run(path).record(score, top_k)
    source = place(path)
    with readable(source):
        m = len(metadata["stages"])
        columns = [f"stage_{s}_{what}" for s in range(m) for what in ("prediction", score)]
        table = read_columns(source, m, ["label", *columns], {}, room_for(source))
        labels = numbers(table, "label")
        predictions = np.stack([numbers(table, f"stage_{s}_prediction") for s in range(m)])
        confidence = np.stack([numbers(table, f"stage_{s}_{score}") for s in range(m)])
        _check_columns(labels, predictions, confidence, len(metadata["class_names"]), score)
        fields = outputs_fields(metadata)
        return Record(
            confidence=confidence,
            predictions=predictions,
            correct=predictions == labels,
            labels=labels,
            stages=fields["stages"],
            baseline_macs=fields["baseline_macs"],
            score=score,
            classes=len(metadata["class_names"]),
            reference=fields["reference"],
        )


def _counted(source: Place, metadata: Mapping[str, Any], score: str | None, top_k: int) -> Record:
    """The record of a run of counts, which is of one score and of single answers.

    Raises:
        ValueError: Another is asked for.
    """
    own = metadata["counts"]["score"]
    if score not in (None, own) or top_k != 1:
        asked = f"top_k={top_k}" if top_k != 1 else f"the score {score}"
        raise ValueError(f"This run holds counts by {own!r}, which {asked} cannot be had of")
    with readable(source):
        return read_counted(source, metadata)


def load_sample_ids(path: str | Place) -> tuple[str, ...]:
    """N texts, one a sample, in the run's order; no other column is read.

    Raises:
        BadFile: As for `load_run`.
    """
    source = place(path)
    with readable(source):
        stages = len(read_metadata(source)["stages"])
        room = room_for(source)
        return tuple(texts(read_columns(source, stages, ["sample_id"], {}, room)["sample_id"], room).tolist())


def load_groups(path: str | Place, what: str) -> Groups:
    """The division of a run's samples by class or by a column of its groups; no other column is read.

    Raises:
        BadFile: As for `load_run`.
        ValueError: The run has no such column, or holds counts.
    """
    source = place(path)
    metadata = read_metadata(source)
    if is_counted(metadata):
        raise ValueError("Expected single samples, which can be divided into groups, but the run holds counts alone")
    columns = dict(zip((CLASS, *metadata.get("groups", [])), ("label", *group_columns(metadata)), strict=True))
    if what not in columns:
        raise ValueError(
            f"Expected to divide samples by {' or '.join(map(repr, columns))} but it was {what!r}, a column that the "
            "run does not have; a table of groups brings others"
        )
    with readable(source):
        table = read_columns(source, len(metadata["stages"]), [columns[what]], {}, room_for(source))
        if what == CLASS:
            return Groups(what=CLASS, names=tuple(metadata["class_names"]), of=numbers(table, "label"))
        return Groups.numbered(what, *coded(table[columns[what]]))


def open_record(path: str | Place, score: str | None = None, top_k: int = 1, pool: Pool | None = None) -> Record:
    """Read confidences and answers: of a file up to `CHECKED_BYTES` all of it, checked; of a larger one what is needed.

    With a pool the softmaxes are needed, whatever the size.

    Raises:
        BadFile, ValueError: As for `load_record`.
    """
    source = place(path)
    if pool is None and is_counted(read_metadata(source)):
        return load_record(source, score, top_k)
    if pool is not None or is_small(source):
        return load_run(source).record(score, top_k, pool)
    return load_record(source, score, top_k)


def is_small(path: Place) -> bool:
    """Whether a run is small enough to be read and checked whole wherever it is opened.

    Raises:
        BadFile: It is missing, or no run.
    """
    with readable(path):
        return sum(map(file_size, run_files(path))) <= CHECKED_BYTES


def _check_columns(
    labels: NDArray[Any], predictions: NDArray[Any], confidence: NDArray[Any], classes: int, score: str
) -> None:
    """Raise ValueError where stored columns hold what no softmax gives."""
    for name, values in (("label", labels), ("prediction", predictions)):
        if values.min() < 0 or values.max() >= classes:
            raise ValueError(f"Expected every {name} to be from 0 to {classes - 1} but some lie outside")
    low, high = scores.score_range(score, classes)
    # A softmax may sum to a little more or less than 1, and entropy grows with its logarithms.
    slack = 2 * scores.SUM_TOLERANCE * (1 + max(abs(low), abs(high)))
    if not ((confidence >= low - slack) & (confidence <= high + slack)).all():
        raise ValueError(f"Expected every {score} to be from {low:.4g} to {high:.4g} but some lie outside")


def read_metadata(path: str | Place | Contents) -> dict[str, Any]:
    """Stages, MACs, class names and origin of a run, without reading its columns.

    Raises:
        BadFile: As for `load_run`.
    """
    source = source_of(path)
    with readable(source):
        parts = files_of(source)
        first, *others = [parse_metadata(stored_metadata(part)) for part in parts]
        for part, other in zip(parts[1:], others, strict=True):
            if outputs_fields({**other, "source": {}}) != outputs_fields({**first, "source": {}}):
                raise BadFile(f"expected parts of one run but {part.name} has other stages, MACs or class names")
            if group_columns(other) != group_columns(first):
                raise BadFile(f"expected parts of one run but {part.name} has other columns of groups")
        return first


def is_run_file(file: Source) -> bool:
    """Whether a Parquet file says that it is a run; what else is wrong with it is not looked at."""
    return stored_metadata(file) is not None


def identity(path: str | Place) -> dict[str, str]:
    """Name and SHA-256 of a run, as choices and reports have it."""
    return {"name": run_name(path), "sha256": digest(path)}


def run_name(path: str | Place) -> str:
    """What a run is called: its file's name without ending, or its folder's."""
    return place(path).name.removesuffix(".parquet")


def digest(path: str | Place) -> str:
    """SHA-256 of a run's bytes, in hex: the key under which results of it may be kept."""
    with readable(place(path)):
        return file_digest(*run_files(place(path)))
