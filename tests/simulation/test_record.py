"""Records and outputs: the checks at their door, records under each score, and the split."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascade_core import Pool, Record, Stage, StageOutputs
from cascade_core.simulation.dividing import split_indices
from cascade_core.simulation.stages import MAX_MACS, exit_costs
from tests.oracle import make_record, make_stages, random_outputs, random_record

PROBS = [[[0.75, 0.25], [0.5, 0.5]], [[0.25, 0.75], [0.0, 1.0]]]


def outputs(**fields: Any) -> StageOutputs:
    sound: dict[str, Any] = {"probs": PROBS, "labels": [0, 1], "stages": make_stages(2)}
    return StageOutputs(**(sound | fields))


def test_outputs_by_hand() -> None:
    found = outputs()
    assert found.probs.shape == (2, 2, 2)
    assert found.probs.dtype == np.float32
    assert found.sample_ids.tolist() == ["0", "1"]
    assert found.class_names == ("0", "1")
    # Both trunk pieces and the last head: 100 + 70 + 5.
    assert found.baseline_macs == 175
    record = found.record()
    assert record.confidence.tolist() == [[0.75, 0.5], [0.75, 1.0]]
    assert record.predictions.tolist() == [[0, 0], [1, 1]]  # a tie goes to the lower class
    assert record.correct.tolist() == [[True, False], [False, True]]
    assert record.stage_accuracy.tolist() == [0.5, 0.5]
    assert record.n == 2
    assert record.stage_names == ("a", "b")
    assert record.baseline_macs == 175


def test_arrays_are_copies_and_read_only() -> None:
    probs = np.array(PROBS, dtype=np.float32)
    found = outputs(probs=probs)
    probs[:] = 0
    assert found.probs.sum() == 4
    for values in (found.probs, found.labels, found.sample_ids, found.record().confidence, found.record().correct):
        with pytest.raises(ValueError, match="read-only"):
            values[...] = 0


def test_memory_layout_of_the_input_changes_no_bit() -> None:
    """Sums over classes depend on the layout; thresholds must not depend on how a network stacked its outputs."""
    made = random_outputs(1, n=200, classes=17, decimals=None)
    turned = replace(made, probs=np.asfortranarray(made.probs))
    for score in ("max_probability", "margin", "negative_entropy"):
        assert (made.record(score).confidence == turned.record(score).confidence).all()
    assert (made.record(top_k=5).confidence == turned.record(top_k=5).confidence).all()


def test_top_k_record() -> None:
    made = random_outputs(2, classes=6)
    record = made.record(top_k=2)
    assert record.top_k == 2
    top = np.argsort(-made.probs, axis=2, kind="stable")[..., :2]
    assert (record.correct == (top == made.labels[None, :, None]).any(axis=2)).all()
    assert made.record(top_k=6).correct.all()


def test_source_is_kept_as_a_file_would_give_it_back() -> None:
    assert outputs(source={"versions": ("1", 2)}).source == {"versions": ["1", 2]}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"probs": [[0.5, 0.5]]}, r"probs to have shape \(any, any, any\) \(stages, samples, classes\)"),
        ({"probs": np.zeros((2, 0, 2)), "labels": []}, "hold a stage, a sample and a class"),
        ({"probs": [[[0.5, 0.6], [0.5, 0.5]]] * 2}, "stage 0, sample 0 sums to 1.1"),
        ({"probs": [PROBS[0], [[0.5, 0.5], [1.5, -0.5]]]}, "stage 1, sample 1 sums to 1 with least value -0.5"),
        ({"probs": [PROBS[0], [[0.5, 0.5], [np.nan, 1]]]}, "stage 1, sample 1 sums to nan"),
        ({"probs": [PROBS[0], [[np.inf, 0], [0, 1]]]}, "stage 1, sample 0 sums to inf"),
        ({"probs": np.full((2, 2, 2), 1e300)}, "stage 0, sample 0 sums to inf"),
        ({"probs": "x"}, "Expected probs to be numbers"),
        ({"probs": [[[1], [1, 2]]]}, "Expected probs to be numbers"),
        ({"labels": [0, 2]}, "labels to be from 0 to 1 but sample 1 has 2"),
        ({"labels": [1, 2]}, "but sample 1 has 2; they seem to count from 1: subtract it"),
        ({"probs": [[[0.75, 0.24], [0.5, 0.5]]] * 2}, "sums to 0.99 .*; they look rounded: divide each row by its sum"),
        ({"probs": [[[0.75, -0.5], [2.5, 0.5]]] * 2}, "; they look like logits: take their softmax"),
        ({"labels": [-1, 0]}, "labels to be from 0 to 1 but sample 0 has -1"),
        ({"labels": [0.5, 1]}, "labels to be whole numbers"),
        ({"labels": [np.nan, 1]}, "labels to be whole numbers"),
        ({"labels": [1e300, 1]}, "labels to be whole numbers"),
        ({"labels": [0]}, r"labels to have shape \(2,\) \(samples\) but it had shape \(1,\)"),
        ({"labels": [[0], [0, 1]]}, "Expected labels to be numbers"),
        ({"stages": make_stages(3)}, "stages to hold 2 names, one for each stage, but it held 3"),
        ({"stages": (make_stages(1) * 2)}, "stages to be distinct but 'a' repeats"),
        ({"baseline_macs": 0}, "baseline_macs to be a whole number from 1"),
        ({"baseline_macs": 1.5}, "baseline_macs to be a whole number from 1"),
        ({"baseline_macs": True}, "baseline_macs to be a whole number from 1"),
        ({"sample_ids": ["a"]}, r"sample_ids to have shape \(2,\)"),
        (
            {"sample_ids": ["a", "a"]},
            "an id of its own in sample_ids but 1 of 2 repeat one: sample 1 has 'a' as sample 0",
        ),
        ({"class_names": ["a"]}, "class_names to hold 2 names, one for each class, but it held 1"),
        ({"class_names": ["a", ""]}, "class_names to hold non-empty texts but one was ''"),
        ({"class_names": "ab"}, "class_names to hold 2 names, one for each class, but it was 'ab'"),
        ({"class_names": 2}, "class_names to hold 2 names, one for each class, but it was 2"),
        ({"source": {"x": float("nan")}}, "source to be a mapping of JSON data"),
        ({"source": {"x": np.float32(1)}}, "source to be a mapping of JSON data"),
        ({"source": 3}, "source to be a mapping of JSON data"),
    ],
)
def test_outputs_raise(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        outputs(**fields)


def test_softmax_rows_may_be_off_by_rounding_only() -> None:
    outputs(probs=[[[0.3333, 0.6666]] * 2] * 2)  # sums to 0.9999, as softmaxes written with four digits do
    with pytest.raises(ValueError, match=r"sums to 0\.998"):
        outputs(probs=[[[0.33, 0.668]] * 2] * 2)


def test_record_of_bad_score_or_top_k_raises() -> None:
    for top_k in (0, 3, 1.5, True, "1"):
        with pytest.raises(ValueError, match="top_k to be a whole number from 1 to 2"):
            outputs().record(top_k=top_k)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="score to be one of"):
        outputs().record("best")
    with pytest.raises(ValueError, match="max_probability with top_k=2"):
        outputs().record("margin", top_k=2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"confidence": [[np.nan, 1], [1, 1]]}, "confidence to be finite but it is nan at stage 0, sample 0"),
        ({"confidence": [[1, 1], [1, np.inf]]}, "confidence to be finite but it is inf at stage 1, sample 1"),
        ({"confidence": np.zeros((2, 0))}, "at least one stage and one sample"),
        ({"confidence": [1, 1]}, r"confidence to have shape \(any, any\) \(stages, samples\) but it had shape \(2,\)"),
        ({"predictions": [[0, 0]]}, r"predictions to have shape \(2, 2\) \(stages, samples\)"),
        ({"predictions": [[0, 0.5], [0, 0]]}, "predictions to be whole numbers"),
        ({"correct": [[1, 1]]}, r"correct to have shape \(2, 2\)"),
        ({"labels": [0]}, r"labels to have shape \(2,\)"),
        ({"score": "x"}, "score to be one of"),
        ({"top_k": 0}, "top_k to be a whole number from 1"),
        ({"baseline_macs": -1}, "baseline_macs to be a whole number"),
        ({"stages": make_stages(1)}, "stages to hold 2 names"),
        ({"pool": Pool.own(3)}, "Expected a pool of 2 stages but it is of 3"),
        ({"baseline_correct": [1]}, r"baseline_correct to have shape \(2,\) \(samples\) but it had shape \(1,\)"),
        ({"baseline_predictions": [[0, 0]]}, r"baseline_predictions to have shape \(2,\)"),
        ({"classes": 1}, "classes to be a whole number from 2"),
    ],
)
def test_record_raises(fields: dict[str, Any], words: str) -> None:
    record = make_record([[1, 1], [1, 1]], [[1, 0], [1, 1]])
    with pytest.raises(ValueError, match=words):
        replace(record, **fields)


@pytest.mark.parametrize("macs", [-1, 1.5, True, "5", None, MAX_MACS + 1, 10**30])
def test_stage_refuses_costs_that_are_none(macs: Any) -> None:
    with pytest.raises(ValueError, match="of stage 'a' to be a whole number from 0 to"):
        Stage(name="a", trunk_macs=macs, head_macs=0)
    with pytest.raises(ValueError, match="head_macs of stage 'a'"):
        Stage(name="a", trunk_macs=0, head_macs=macs)


def test_stage_refuses_an_empty_name_and_takes_numpy_numbers() -> None:
    with pytest.raises(ValueError, match="non-empty texts but one was ''"):
        Stage(name="", trunk_macs=1, head_macs=1)
    assert type(Stage(name="a", trunk_macs=np.int64(3), head_macs=0).trunk_macs) is int  # type: ignore[arg-type]


def test_costs_that_would_overflow_when_added_up_are_refused() -> None:
    """2^53 MACs on 2,048 samples are 2^64, more than a 64-bit count holds."""
    stages = (Stage(name="a", trunk_macs=MAX_MACS, head_macs=0),)
    make_record(np.ones((1, 2)), np.ones((1, 2)), stages)
    with pytest.raises(ValueError, match="added up over 2048 samples"):
        make_record(np.ones((1, 2048)), np.ones((1, 2048)), stages)


def test_a_cascade_without_any_cost_has_nothing_to_save() -> None:
    with pytest.raises(ValueError, match="baseline_macs to be a whole number from 1"):
        make_record([[1]], [[1]], (Stage(name="a", trunk_macs=0, head_macs=0),))


def test_leaving_costs_by_hand() -> None:
    # Trunk 100, 70, 50, heads 7, 5, 3; with the second head off: 107, 107 + 70, 177 + 50 + 3.
    active = np.array([[True, True, True], [True, False, True], [False, False, True]])
    found = exit_costs(make_stages(3), active, 200)
    # With both off no cascade is run, and the plain network's 200 are what a sample costs.
    assert found.tolist() == [[107, 182, 235], [107, 177, 230], [100, 170, 200]]


def test_take_and_split_keep_samples_whole() -> None:
    record = random_record(3, n=101)
    calibration, test = record.split(0.3, seed=5)
    assert (calibration.n, test.n) == (30, 71)  # 101 * 0.3 = 30.3
    first, second = split_indices(101, 0.3, 5)
    assert sorted([*first, *second]) == list(range(101))
    assert (np.diff(first) > 0).all()
    assert (calibration.confidence == record.confidence[:, first]).all()
    assert (test.predictions == record.predictions[:, second]).all()
    assert (test.correct == record.correct[:, second]).all()
    assert (test.labels == record.labels[second]).all()
    assert (test.stages, test.baseline_macs, test.score) == (record.stages, record.baseline_macs, record.score)


def test_split_is_a_function_of_its_seed() -> None:
    assert (split_indices(100, 0.5, 1)[0] == split_indices(100, 0.5, 1)[0]).all()
    assert (split_indices(100, 0.5, 1)[0] != split_indices(100, 0.5, 2)[0]).any()


@pytest.mark.parametrize(
    ("fraction", "seed", "words"),
    [
        (0.0, 0, "fraction to leave samples on both sides of 10 but 0 takes 0"),
        (1.0, 0, "but 1 takes 10"),
        (0.04, 0, "but 0.04 takes 0"),
        (1.5, 0, "fraction to be from 0 to 1 but it was 1.5"),
        (float("nan"), 0, "fraction to be from 0 to 1 but it was nan"),
        (0.5, -1, "seed to be a whole number from 0"),
        (0.5, 0.5, "seed to be a whole number from 0"),
    ],
)
def test_split_raises(fraction: float, seed: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        random_record(0, n=10).split(fraction, seed)


def test_record_without_baseline_is_the_plain_network() -> None:
    record = random_record(0)
    plain = Record(
        confidence=record.confidence,
        predictions=record.predictions,
        correct=record.correct,
        labels=record.labels,
        stages=record.stages,
    )
    assert plain.baseline_macs == 100 + 70 + 50 + 3


def test_without_labels_the_last_stage_is_the_reference() -> None:
    """Two stages, three samples: the first agrees with the last on the first and the third."""
    probs = np.array([[[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [[0.6, 0.4], [0.1, 0.9], [0.2, 0.8]]])
    stages = (Stage(name="a", trunk_macs=1, head_macs=0), Stage(name="b", trunk_macs=2, head_macs=0))
    outputs = StageOutputs(probs=probs, stages=stages)
    assert (outputs.reference, outputs.labels.tolist()) == ("last stage", [0, 1, 1])
    record = outputs.record(pool=Pool(weights=((1.0,), (3.0, 0.0))))
    assert record.reference == record.split(0.4)[0].reference == "last stage"
    assert record.baseline_correct.all()  # whatever a pool makes of the last stage
    assert record.correct.tolist() == [[True, False, True], [True, False, True]]
    with pytest.raises(ValueError, match="labels to be the last stage's answers where these are the reference but"):
        replace(outputs, labels=np.array([0, 0, 1]))
    with pytest.raises(ValueError, match="Expected labels where they are the reference but there are none"):
        StageOutputs(probs=probs, stages=stages, reference="labels")
    with pytest.raises(ValueError, match="reference"):
        StageOutputs(probs=probs, stages=stages, reference="teacher")  # type: ignore[arg-type]
