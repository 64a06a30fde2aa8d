"""Files of answers and confidences without softmaxes, as people bring them: each comes in as meant, or is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cascade_core import StageAnswers
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.importers.stage_answers import OTHER
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.storage.brought import csv, jsonl, made, npz, parquet

TRUTH = made()
ANSWERS = TRUTH.probs.argmax(axis=2)
CONFIDENCE = TRUTH.probs.max(axis=2)
NAMES = np.array(TRUTH.class_names)
RIGHT = np.equal(ANSWERS, TRUTH.labels)
ARRAYS = {"answer": ANSWERS, "confidence": CONFIDENCE, "labels": TRUTH.labels, "macs": np.array(TRUTH.macs)}
M, N = ANSWERS.shape

LONG = pd.DataFrame(
    {
        "sample_id": np.tile(TRUTH.ids, M),
        "label": np.tile(NAMES[TRUTH.labels], M),
        "stage": np.repeat(TRUTH.stage_names, N),
        "confidence": CONFIDENCE.ravel(),
        "answer": NAMES[ANSWERS].ravel(),
        "correct": RIGHT.ravel(),
        "macs": np.repeat(TRUTH.macs, N),
    }
)


def wide(called: Callable[[str, str], str] = "{}_{}".format) -> pd.DataFrame:
    """A row a sample, with columns by stage."""
    frame = pd.DataFrame({"sample_id": TRUTH.ids, "label": NAMES[TRUTH.labels]})
    for stage, name in enumerate(TRUTH.stage_names):
        frame[called(name, "confidence")] = CONFIDENCE[stage]
        frame[called(name, "answer")] = NAMES[ANSWERS[stage]]
    return frame


def read(raw: bytes, ending: str = "npz", **wishes: Any) -> StageAnswers:
    run = read_files([Contents(name=f"mine.{ending}", raw=raw)], Wishes(**wishes))
    assert isinstance(run, StageAnswers)
    return run


def test_costs_that_are_no_numbers_are_shown_and_units_that_differ_placed() -> None:
    dollars = LONG.assign(cost=0.2, cost_unit="dollars")
    dollars["cost"] = dollars["cost"].astype(object)
    dollars.loc[3, "cost"] = "$0.20"
    assert_refused(csv(dollars), "csv", "expected a number in row 5, column 'cost' but it is '$0.20'")
    mixed = LONG.assign(cost=0.2, cost_unit="dollars")
    mixed.loc[5, "cost_unit"] = "euros"
    assert_refused(csv(mixed), "csv", "the same in all rows but it has dollars, and euros in row 7")


def test_answers_without_confidences_are_told_what_is_missing() -> None:
    for what in ("answer", "correct"):
        frame = LONG[["sample_id", "label", "stage", what]]
        assert_refused(csv(frame), "csv", "expected a column confidence, how sure each answer is")
    bare = wide()
    bare = bare[[name for name in bare.columns if not str(name).endswith("confidence")]]
    assert_refused(csv(bare), "csv", f"expected {TRUTH.stage_names[0]}_confidence, ")


def assert_refused(raw: bytes, ending: str, *words: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_files([Contents(name=f"mine.{ending}", raw=raw)], Wishes())
    assert_one_line(caught.value, f"Cannot import mine.{ending}: ", *words)


def assert_right(run: StageAnswers, confidence: Any = CONFIDENCE) -> None:
    """Answers and labels are what was meant, by the classes' names, and so is what is right."""
    assert np.array_equal(run.confidence, np.asarray(confidence, np.float32))
    names = np.array(run.class_names)
    meant = NAMES if names[0] == "ant" else np.arange(len(NAMES)).astype(str)
    assert (names[run.predictions] == meant[ANSWERS]).all()
    assert (names[run.labels] == meant[TRUTH.labels]).all()
    assert (run.correct == RIGHT).all()


@pytest.mark.parametrize(
    ("raw", "ending"),
    [
        (npz(**ARRAYS), "npz"),
        (npz(**{**ARRAYS, "answer": NAMES[ANSWERS], "labels": NAMES[TRUTH.labels]}), "npz"),
        (npz(**{**ARRAYS, "predictions": ANSWERS, "answer": None}), "npz"),
        (npz(**{**ARRAYS, "answer": ANSWERS.T, "confidence": CONFIDENCE.T}), "npz"),
        (npz(**ARRAYS, correct=RIGHT), "npz"),
        (csv(LONG), "csv"),
        (csv(LONG, sep=";", decimal=","), "csv"),
        (csv(LONG.assign(answer=LONG.answer.str.upper() + " ")), "csv"),
        (csv(LONG.assign(correct=LONG.correct.map({True: "yes", False: "no"}))), "csv"),
        (csv(LONG.rename(columns={"answer": "Prediction", "confidence": "Conf"})), "csv"),
        (parquet(LONG), "parquet"),
        (jsonl(LONG), "jsonl"),
        (csv(wide()), "csv"),
        (csv(wide(lambda stage, what: f"{what} {TRUTH.stage_names.index(stage)}")), "csv"),
        (parquet(wide()), "parquet"),
        (jsonl(wide()), "jsonl"),
    ],
)
def test_dialects(raw: bytes, ending: str) -> None:
    assert_right(read(raw, ending))


def test_stages_of_a_wide_table_keep_their_names_and_order() -> None:
    assert [stage.name for stage in read(csv(wide()), "csv").stages] == list(TRUTH.stage_names)
    turned = wide(lambda stage, what: f"stage_{12 - TRUTH.stage_names.index(stage)}_{what}")
    run = read(csv(turned), "csv")
    assert [stage.name for stage in run.stages] == ["stage 1", "stage 2", "stage 3"]
    assert np.array_equal(run.confidence, CONFIDENCE[::-1].astype(np.float32))


def test_a_sound_file_needs_no_word() -> None:
    """A column of what is right that says what labels say needs no word."""
    frame = LONG.assign(stage=np.repeat(range(M), N))
    assert notes_on(read(csv(frame), "csv")) == ()


def test_any_scale_is_kept() -> None:
    for confidence in (100 * CONFIDENCE, CONFIDENCE * [[1], [100], [1e-3]], np.log(CONFIDENCE)):
        assert_right(read(npz(**{**ARRAYS, "confidence": confidence})), confidence)


def test_what_is_right_is_enough() -> None:
    """Without answers a wrong one is of a class of its own; without labels too, there are right and wrong alone."""
    run = read(npz(**{**ARRAYS, "answer": None, "correct": RIGHT}))
    assert run.class_names == ("0", "1", "2", "3", "4", OTHER)
    assert (run.predictions == np.where(RIGHT, TRUTH.labels, 5)).all()
    assert run.judged_by_label
    run = read(npz(**{**ARRAYS, "answer": None, "labels": None, "correct": RIGHT}))
    assert run.class_names == ("right", "wrong")
    assert (run.predictions == ~RIGHT).all()
    assert run.judged_by_label


def test_right_answers_stand_for_labels_that_are_not_there() -> None:
    run = read(npz(**{**ARRAYS, "labels": None, "correct": RIGHT}))
    assert run.class_names[-1] == OTHER
    never = ~RIGHT.any(axis=0)
    assert (run.labels == np.where(never, 5, TRUTH.labels)).all()
    assert run.reference == "labels"
    assert any("answers that are right stand for them" in line for line in notes_on(run))


def test_another_judge_than_the_label_is_taken_and_said() -> None:
    judged = RIGHT.copy()
    judged[1, 7] = ~judged[1, 7]
    run = read(npz(**ARRAYS, correct=judged))
    assert (run.correct == judged).all()
    assert any(f"otherwise than answers and labels 1 times of {M * N}" in line for line in notes_on(run))


def test_labels_from_one_are_of_answers_too() -> None:
    shifted = {**ARRAYS, "answer": ANSWERS + 1, "labels": TRUTH.labels + 1}
    assert_right(read(npz(**shifted), labels_from=1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"confidence": np.where(CONFIDENCE > 0.99, np.nan, CONFIDENCE)}, "expected a finite confidence but stage"),
        ({"confidence": CONFIDENCE[:, 1:]}, "expected confidence to have shape (stages, 120)"),
        ({"answer": ANSWERS[:2]}, "expected answers to have shape (3, 120)"),
        ({"answer": NAMES[ANSWERS]}, "no answer is a label: "),
        ({"answer": None}, "expected answers, or which answers are correct, beside confidence"),
        ({"confidence": None}, "or without softmaxes confidence, of shape (stages, samples)"),
        (
            {"correct": np.full((M, N), "maybe")},
            "expected correct to be true or false but stage 0, sample 0 has 'maybe'",
        ),
        (
            {"cost": np.array([1.0, -1.0, 2.0])},
            "expected a cost of 0 or more, as a number, but stage 1, sample 0 has -1",
        ),
        ({"cost": np.ones(2)}, "expected cost to be numbers of shape (3,) (stages) or (3, 120)"),
        ({"cost": np.zeros(3)}, "the plain network to cost more than 0"),
    ],
)
def test_archives_that_do_not_fit(changes: dict[str, Any], words: str) -> None:
    assert_refused(npz(**{**ARRAYS, **changes}), "npz", words)


def test_tables_that_do_not_fit() -> None:
    assert_refused(csv(LONG.assign(confidence="high")), "csv", "expected a finite number in row 2, column 'confidence'")
    spoilt = LONG.copy()
    spoilt.loc[130, "answer"] = " "
    assert_refused(csv(spoilt), "csv", "expected a value in row 132, column 'answer'")
    lacking = wide().drop(columns="mid_answer")
    assert_refused(
        csv(lacking), "csv", "expected the same columns of every stage but 'mid' and the first differ in answers"
    )
    odd = wide()
    odd.loc[7, "large_confidence"] = np.inf
    assert_refused(csv(odd), "csv", "expected a finite number in row 9, column 'confidence'")


def test_costs_of_each_sample_come_from_a_column() -> None:
    cost = np.random.default_rng(0).integers(1, 900, M * N)
    run = read(csv(LONG.drop(columns="macs").assign(cost=cost, cost_unit="tokens")), "csv")
    assert run.spending is not None
    assert run.costs is not None
    assert (run.spending.stages == cost.reshape(M, N)).all()
    assert (run.spending.plain == cost.reshape(M, N)[-1]).all()
    assert run.costs.unit == "tokens"
    assert run.costs.totals.tolist() == pytest.approx(cost.reshape(M, N).mean(axis=1).tolist())
    whole = read(csv(LONG.assign(cost=cost, cost_unit="tokens", baseline_cost=500)), "csv")
    assert whole.spending is not None
    assert (whole.spending.plain == 500).all()
    assert not whole.spending.separate
    assert [stage.trunk_macs for stage in whole.stages] == list(TRUTH.macs)
