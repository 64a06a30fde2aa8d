"""Runs counted in one pass, written and read again; and files of counts that do not fit."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cascade_core import (
    CheapestUncorrected,
    CheapestWithinDrop,
    ExitRule,
    Record,
    StageAnswers,
    choose,
    evaluate,
    load_record,
    load_run,
    save_run,
    tune,
)
from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import Split, explore
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live.data import live_data
from cascade_core.simulation import cells as cells_module
from cascade_core.simulation.grid_error import a_step, left_open
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage import streaming
from cascade_core.storage.counted import save_counted
from cascade_core.storage.notes import notes_on_file
from cascade_core.storage.schema import METADATA_KEY
from cascade_core.storage.streaming import count_run
from cascade_core.support.files import BadFile
from tests.samples import sample_run


def answers_of(n: int = 500, *, judged: bool = False) -> StageAnswers:
    """A run of answers, which are right by the label or by another's judgement."""
    record = sample_run(n=n).record()
    right = np.random.default_rng(0).random(record.correct.shape) < 0.7 if judged else None
    return StageAnswers(
        predictions=record.predictions,
        confidence=record.confidence,
        correct=right,  # type: ignore[arg-type]  # None = by the label
        labels=record.labels,
        stages=record.stages,
        source={"title": "Made up."},
    )


def counts_of(run: Path, out: Path, score: str | None = None) -> Path:
    """The counts of a run, written."""
    rows, cells = count_run(run, score)
    return save_counted(cells, rows.metadata, rows.score, out)


@pytest.mark.parametrize(
    ("outputs", "score"),
    [
        (sample_run(n=500), None),
        (sample_run(n=500), "margin"),
        (sample_run(n=500, m=4), "negative_entropy"),
        (answers_of(), None),
        (answers_of(judged=True), None),
    ],
    ids=["softmaxes", "margin", "entropy", "answers", "judged"],
)
def test_counts_do_at_thresholds_of_the_grid_what_the_samples_do(
    outputs: Outputs, score: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ROWS", 64)
    monkeypatch.setattr(cells_module, "MOST_CELLS", 100)
    run = save_run(outputs, tmp_path / "run.parquet")
    record, counts = load_record(run, score), load_record(counts_of(run, tmp_path / "c.parquet", score))
    assert counts.grid is not None
    assert (counts.n, counts.score, counts.classes) == (500, record.score, record.classes)
    assert counts.entries <= 100
    random = np.random.default_rng(0)
    for _ in range(20):
        rule = ExitRule(thresholds=np.array([random.choice(values) for values in counts.grid]), score=record.score)
        one, other = evaluate(counts, rule), evaluate(record, rule)
        assert one.exit_counts.tolist() == other.exit_counts.tolist()
        assert one.correct_counts.tolist() == other.correct_counts.tolist()
        assert (one.helped, one.full_correct, one.saving) == (other.helped, other.full_correct, other.saving)


def test_parts_are_counted_as_the_whole(tmp_path: Path) -> None:
    outputs = sample_run(n=500)
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(np.array_split(np.arange(500), 7)):
        save_run(outputs.take(part), tmp_path / "parts" / f"{number}.parquet")
    whole = save_run(outputs, tmp_path / "whole.parquet")
    one, other = (load_record(counts_of(tmp_path / run, tmp_path / "c.parquet")) for run in ("parts", whole))
    assert one.n == other.n == 500
    # Grids come from other rows, and are exact all the same.
    assert one.stage_accuracy.tolist() == other.stage_accuracy.tolist()


def test_a_slider_walks_along_counts(tmp_path: Path) -> None:
    run = save_run(sample_run(n=4000), tmp_path / "run.parquet")
    counts = load_record(counts_of(run, tmp_path / "c.parquet"))
    found = explore(counts, CheapestWithinDrop, Split(), 11)
    assert found.answers == "own"
    assert found.calibration.n + found.test.n == 4000
    assert counts.grid is not None
    for values, column in zip(counts.grid, found.path.thresholds.T, strict=True):
        assert np.isin(column[np.isfinite(column)], values).all()
    assert found.evaluation.saving[-1] > 0.1
    assert found.certificate is not None
    assert (found.certificate >= found.evaluation.accuracy_drop).all()


def test_tune_takes_the_record_of_counts(tmp_path: Path) -> None:
    run = save_run(sample_run(n=4000), tmp_path / "run.parquet")
    counts = load_record(counts_of(run, tmp_path / "c.parquet"))
    tuned = tune(counts, CheapestWithinDrop(0.02), seed=1)
    _, test = counts.split(0.5, 1)
    assert tuned.evaluation.n == test.n
    assert tuned.evaluation.saving == evaluate(test, tuned.rule).saving
    with pytest.raises(ValueError, match="Expected softmaxes, which pooled answers would need"):
        tune(counts, CheapestWithinDrop(0.02), answers="pooled")
    with pytest.raises(ValueError, match="Expected the score of the record"):
        tune(counts, CheapestWithinDrop(0.02), score="margin")


def test_comparison_leaves_out_what_goes_by_answers(tmp_path: Path) -> None:
    run = save_run(sample_run(n=2000), tmp_path / "run.parquet")
    counts = load_record(counts_of(run, tmp_path / "c.parquet"))
    named = [one.policy.name for one in compare(counts, Split(), 0.01)]
    assert "paper" in named
    assert "paper-by-class" not in named


def test_the_live_panel_counts_as_many_samples_as_there_are(tmp_path: Path) -> None:
    run = save_run(sample_run(n=2000), tmp_path / "run.parquet")
    counts = load_record(counts_of(run, tmp_path / "c.parquet"))
    found = explore(counts, CheapestWithinDrop, Split(), 11)
    axis = confidence_axis(counts.score, counts.classes, found.test.confidence)
    data = live_data(found, axis, initial=0, unit="samples", origin="")
    assert data["samples"] == found.test.n
    weights = np.frombuffer(b64decode(data["groups"]["weights"]), dtype="<u4")
    assert weights.sum() == found.test.n


def test_what_counts_cannot_tell_is_said(tmp_path: Path) -> None:
    counts = counts_of(save_run(sample_run(), tmp_path / "run.parquet"), tmp_path / "c.parquet")
    with pytest.raises(BadFile, match="it holds counts of samples"):
        load_run(counts)
    for asked in ({"score": "margin"}, {"top_k": 2}):
        with pytest.raises(ValueError, match="This run holds counts by 'max_probability'"):
            load_record(counts, **asked)
    with pytest.raises(BadFile, match="holds counts already"):
        count_run(counts)
    with pytest.raises(BadFile, match="score to be one of max_probability"):
        count_run(tmp_path / "run.parquet", "confidence")
    assert notes_on_file(counts) == ()


def changed(path: Path, metadata: Callable[[dict[str, Any]], object], table: Callable[[pa.Table], pa.Table]) -> None:
    """Rewrite a file of counts with other metadata and columns."""
    before = pq.read_table(path)
    told = json.loads(before.schema.metadata[METADATA_KEY])
    metadata(told)
    after = table(before).replace_schema_metadata({METADATA_KEY: json.dumps(told).encode()})
    pq.write_table(after, path)


def column(name: str, values: Callable[[Any], Any]) -> Callable[[pa.Table], pa.Table]:
    """What changes a column."""
    return lambda table: table.set_column(
        table.column_names.index(name), name, pa.array(values(table[name].to_numpy()))
    )


def same(table: pa.Table) -> pa.Table:
    """Nothing changed."""
    return table


@pytest.mark.parametrize(
    ("metadata", "table", "message"),
    [
        (lambda told: told.update(counts=None), same, "a grid of rising confidences"),
        (lambda told: told["counts"].update(grid=[[0.5]]), same, "a grid of rising confidences"),
        (lambda told: told["counts"].update(grid=[[0.5, 0.5], [0.5]]), same, "a grid of rising confidences"),
        (lambda told: told["counts"].update(grid=[["a"], [0.5]]), same, "a grid of rising confidences"),
        (lambda told: told["counts"].update(grid=[[1e300], [0.5]]), same, "a grid of rising confidences"),
        (lambda told: told["counts"].update(grid=[[10**400], [0.5]]), same, "Cannot read"),
        (lambda told: told["counts"].update(grid=[[0.5], [0.5]]), same, "to hold confidences of its grid"),
        (lambda told: told["counts"].update(score=["a"]), same, "counts by one of"),
        (lambda told: told.update(schema_version=2), same, "counts in its metadata from version 3 on"),
        (lambda told: told.update(softmaxes=True), same, "no softmaxes beside them"),
        (lambda told: told.update(costs_by_sample=True), same, "no softmaxes beside them"),
        (lambda told: None, column("count", lambda counts: counts * 0), "expected counts from 1"),
        (lambda told: None, column("count", lambda counts: -counts), "expected counts from 1"),
        (lambda told: None, column("count", lambda counts: counts + (1 << 60)), "expected counts from 1"),
        (lambda told: None, column("count", lambda counts: counts / 2), "whole numbers"),
        (lambda told: None, column("stage_0_confidence", lambda sure: sure * np.float32(np.nan)), "of its grid"),
        (lambda told: None, lambda table: table.drop_columns(["count"]), "expected a column 'count'"),
        (lambda told: None, lambda table: table.slice(0, 0), "it holds no samples"),
        (lambda told: told["stages"][0].update(trunk_macs=1 << 53), column("count", lambda c: c + 9999), "added up"),
    ],
)
def test_files_of_counts_that_do_not_fit_are_refused(metadata: Any, table: Any, message: str, tmp_path: Path) -> None:
    counts = counts_of(save_run(sample_run(), tmp_path / "run.parquet"), tmp_path / "c.parquet")
    changed(counts, metadata, table)
    with pytest.raises(BadFile, match=message):
        load_record(counts)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1.5, -0.5])
def test_runs_with_confidences_that_no_softmax_gives_are_not_counted(value: float, tmp_path: Path) -> None:
    run = save_run(sample_run(), tmp_path / "run.parquet")
    table = pq.read_table(run)
    sure = table["stage_1_max_probability"].to_numpy().copy()
    sure[7] = value
    place = table.column_names.index("stage_1_max_probability")
    pq.write_table(table.set_column(place, table.column_names[place], pa.array(sure)), run)
    with pytest.raises(BadFile, match="every max_probability to be a number from"):
        count_run(run)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Record]:
    """The records of 50,000 samples and of their counts."""
    folder = tmp_path_factory.mktemp("counted")
    run = save_run(answers_of(50_000), folder / "run.parquet")
    return load_record(run), load_record(counts_of(run, folder / "c.parquet"))


@pytest.mark.parametrize("policy", [CheapestUncorrected(0.01), CheapestUncorrected(0.03)])
def test_choices_from_counts_are_those_from_the_samples_within_the_bound(
    policy: CheapestUncorrected, counted: tuple[Record, Record]
) -> None:
    record, counts = counted
    exact, own = choose(record, policy), choose(counts, policy)
    at, here, there = evaluate(record, exact), evaluate(counts, own), evaluate(record, own)
    assert (here.accuracy_drop, here.saving) == (there.accuracy_drop, there.saving)
    # What was chosen from the samples lies within what the grid leaves open there, and saves a step more at most.
    bounds = left_open(counts, exact.thresholds)
    assert bounds.drop[0] <= at.accuracy_drop <= bounds.drop[1]
    assert bounds.saving[0] <= at.saving <= bounds.saving[1]
    assert here.accuracy_drop <= policy.max_drop
    assert at.saving <= a_step(counts, own.thresholds).saving[1]
