"""Runs without softmaxes in files: what goes in comes out, and what does not fit is one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cascade_core import StageAnswers, load_record, load_run, save_run
from cascade_core.storage.joining import join_runs
from cascade_core.storage.notes import notes_on, notes_on_file
from cascade_core.storage.reading import open_record, read_metadata
from cascade_core.storage.schema import has_softmaxes, run_metadata
from cascade_core.support.files import BadFile
from tests.answering import sample_answers
from tests.oracle import assert_one_line
from tests.samples import sample_run

ANSWERS = sample_answers(n=50)
JUDGED = replace(ANSWERS, correct=~ANSWERS.correct)


@pytest.mark.parametrize("outputs", [ANSWERS, JUDGED], ids=["by label", "judged"])
def test_what_goes_in_comes_out(outputs: StageAnswers, tmp_path: Path) -> None:
    path = save_run(outputs, tmp_path / "run.parquet")
    found = load_run(path)
    assert isinstance(found, StageAnswers)
    for name in ("predictions", "confidence", "correct", "labels", "sample_ids"):
        assert np.array_equal(getattr(found, name), getattr(outputs, name))
    assert (found.stages, found.class_names, found.source) == (outputs.stages, outputs.class_names, outputs.source)
    assert read_metadata(path) == run_metadata(outputs)
    for record in (load_record(path), open_record(path, "confidence")):
        assert np.array_equal(record.correct, outputs.correct)
        assert record.score == "confidence"
    assert notes_on_file(path) == notes_on(outputs)


def test_readers_of_softmaxes_alone_are_told_by_the_version(tmp_path: Path) -> None:
    run = save_run(sample_run(n=50), tmp_path / "run.parquet")
    assert read_metadata(run)["schema_version"] == 1
    assert has_softmaxes(read_metadata(run))
    answers = save_run(ANSWERS, tmp_path / "answers.parquet")
    assert read_metadata(answers)["schema_version"] == 2
    assert not has_softmaxes(read_metadata(answers))
    assert "stage_0_correct" not in pq.read_schema(answers).names


def test_what_needs_softmaxes_says_so_in_one_line(tmp_path: Path) -> None:
    path = save_run(ANSWERS, tmp_path / "run.parquet")
    for score, top_k in (("margin", 1), (None, 2)):
        with pytest.raises(ValueError, match=r"^This run holds answers and confidences, no softmaxes"):
            load_record(path, score, top_k)


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("stage_1_confidence", pa.array([np.nan] * 50, pa.float32()), "confidence to be finite"),
        ("stage_1_confidence", pa.array(["a"] * 50), "to hold float32"),
        ("stage_1_prediction", pa.array([9] * 50), "predictions to be from 0 to 4"),
        ("stage_0_correct", pa.array([1] * 50), "to hold true or false"),
        ("stage_0_correct", pa.array([True] * 50), "expected a column 'stage_1_correct'"),
        ("stage_2_confidence", None, "expected a column 'stage_2_confidence'"),
    ],
)
def test_spoilt_files(column: str, values: pa.Array | None, complaint: str, tmp_path: Path) -> None:
    path = save_run(
        ANSWERS if column == "stage_0_correct" and "true" in str(values) else JUDGED, tmp_path / "run.parquet"
    )
    table = pq.read_table(path)
    spoilt = table.drop_columns([column]) if column in table.column_names else table
    pq.write_table(spoilt if values is None else spoilt.append_column(column, values), path)
    with pytest.raises(BadFile, match=complaint) as caught:
        load_run(path)
    assert_one_line(caught.value, "Cannot read ")


def test_runs_are_joined(tmp_path: Path) -> None:
    order = np.arange(50)[::-1]
    both = join_runs([ANSWERS, JUDGED.take(order)], ["small", "large"])
    assert isinstance(both, StageAnswers)
    assert np.array_equal(both.confidence, np.concatenate([ANSWERS.confidence, ANSWERS.confidence]))
    assert np.array_equal(both.correct, np.concatenate([ANSWERS.correct, ~ANSWERS.correct]))
    with pytest.raises(ValueError, match="all have softmaxes, or none, to join but large alone has none"):
        join_runs([sample_run(n=50), ANSWERS], ["small", "large"])
