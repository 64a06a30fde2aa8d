"""Answers and confidences without softmaxes: what is checked, what follows from them, and what they cannot give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, Pool, StageAnswers, evaluate, tune
from tests.answering import sample_answers
from tests.oracle import f32
from tests.samples import sample_run

ANSWERS = sample_answers()


def test_a_record_is_that_of_the_softmaxes() -> None:
    of_softmaxes, record = sample_run().record(), ANSWERS.record()
    for name in ("confidence", "predictions", "correct", "labels", "baseline_correct"):
        assert np.array_equal(getattr(record, name), getattr(of_softmaxes, name))
    assert (record.score, record.classes, record.stages) == ("confidence", 5, of_softmaxes.stages)


def test_thresholds_are_those_that_softmaxes_give() -> None:
    wish = CheapestWithinDrop(max_drop=0.02)
    alone, own = tune(ANSWERS, wish), tune(sample_run(), wish, answers="own")
    assert alone.rule.thresholds == pytest.approx(own.rule.thresholds)
    assert (alone.evaluation.exit_counts == own.evaluation.exit_counts).all()
    assert alone.answers == "own"
    assert "no softmaxes" in alone.why


def test_any_scale_of_confidence_is_taken() -> None:
    """A rule is the same whatever a stage calls its confidences, as long as their order is the same."""
    scaled = replace(ANSWERS, confidence=ANSWERS.confidence * 100 - 7)
    wish = CheapestWithinDrop(max_drop=0.02)
    for one in (ANSWERS, scaled):
        tuned = tune(one, wish)
        calibration, test = one.record().split(0.5, 0)
        assert evaluate(test, tuned.rule).saving > 0.2
        assert evaluate(calibration, tuned.rule).accuracy_drop <= 0.02
    assert np.isfinite(tune(scaled, wish).rule.thresholds).all()


def test_what_is_right_may_be_said() -> None:
    right = ANSWERS.predictions == ANSWERS.labels
    assert ANSWERS.judged_by_label
    judged = replace(ANSWERS, correct=~right)
    assert not judged.judged_by_label
    assert (judged.record().correct == ~right).all()
    assert (judged.take(np.array([3, 1])).correct == ~right[:, [3, 1]]).all()


def test_classes_are_as_many_as_are_named() -> None:
    few = StageAnswers(
        predictions=np.array([[0, 2]]), confidence=f32(1, 2)[None], labels=np.array([0, 1]), stages=ANSWERS.stages[:1]
    )
    assert few.class_names == ("0", "1", "2")
    assert few.record().classes == 3


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"score": "margin"}, "the score margin"),
        ({"score": "max_probability"}, "the score max_probability"),
        ({"top_k": 2}, "top_k=2"),
        ({"pool": Pool.own(3)}, "pooling answers"),
    ],
)
def test_what_needs_softmaxes_says_so(asked: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=f"answers and confidences, no softmaxes, which {what} would need"):
        ANSWERS.record(**asked)


def test_pooling_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(ValueError, match="no softmaxes, which pooling answers would need"):
        tune(ANSWERS, CheapestWithinDrop(max_drop=0.02), answers="pooled")


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("confidence", np.zeros((3, 399)), r"confidence to have shape \(3, 400\)"),
        ("confidence", np.full((3, 400), np.nan), "finite but it is nan at stage 0, sample 0"),
        ("predictions", np.full((3, 400), 5), "predictions to be from 0 to 4 but stage 0, sample 0 has 5"),
        ("predictions", np.zeros((0, 400), int), "a stage and a sample"),
        ("labels", np.full(400, -1), "labels to be from 0 to 4 but sample 0 has -1"),
        ("correct", np.zeros((3, 1), bool), r"correct to have shape \(3, 400\)"),
        ("sample_ids", ["a"] * 400, "an id of its own"),
    ],
)
def test_refusals(field: str, value: Any, complaint: str) -> None:
    fields = {"predictions": ANSWERS.predictions, "confidence": ANSWERS.confidence, "labels": ANSWERS.labels}
    named = {"stages": ANSWERS.stages, "class_names": ANSWERS.class_names}
    with pytest.raises(ValueError, match=complaint):
        StageAnswers(**{**fields, **named, field: value})
