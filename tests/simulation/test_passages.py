"""A sample's passage in words: expected texts written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.simulation.passages import (
    LEFT,
    NOT_REACHED,
    POOLED_LATER,
    SWITCHED_OFF,
    WENT_ON,
    Passage,
    StagePassage,
    agreement,
    confidence_in_words,
    sure_percent,
)
from cascade_core.support.wording import percent
from tests.oracle import f32

CLASSES = ("cat", "dog", "cow")


def stage(
    state: str,
    softmax: tuple[float, ...] | None,
    threshold: float | None,
    macs: int | None,
    name: str = "s",
    answered: tuple[float, ...] | None = None,
) -> StagePassage:
    """A stage that answers with its own softmax, unless another is given."""
    own = None if softmax is None else f32(*softmax)
    pooled = own if answered is None else f32(*answered)
    confidence = None if pooled is None else float(pooled.max())
    return StagePassage(
        name=name, state=state, softmax=own, answered=pooled, confidence=confidence, threshold=threshold, macs=macs
    )


def passage(*, left: int = 1, beyond: bool = True, score: str = "max_probability") -> Passage:
    last = (0.1, 0.7, 0.2) if beyond or left == 2 else None
    stages = (
        stage(WENT_ON, (0.5, 0.3, 0.2), 0.9, 100),
        stage(LEFT if left == 1 else WENT_ON, (0.984, 0.01, 0.006), 0.971, 410),
        stage(LEFT if left == 2 else NOT_REACHED, last, None, 1010 if left == 2 else None),
    )
    return Passage(stages=stages, left=left, score=score, baseline_macs=1000)


def test_the_verdict_in_plain_words() -> None:
    assert passage().verdict(CLASSES) == (
        "Left at stage 2 of 3: says cat, 98.4 % sure (needs 97.1 %). Cost 41 % of the plain network's MACs."
    )
    assert passage(left=2).verdict(CLASSES) == (
        "Left at stage 3 of 3, which always answers: says dog, 70.0 % sure. Cost 101 % of the plain network's MACs."
    )


def test_the_truth_and_the_last_stage() -> None:
    assert passage().judged(CLASSES, 0) == (
        "The true class is cat: the answer is right. The plain network says dog, wrong."
    )
    assert passage().judged(CLASSES, 1) == (
        "The true class is dog: the answer is wrong. The plain network says dog, right."
    )
    assert passage(beyond=False).judged(CLASSES, 0) == "The true class is cat: the answer is right."
    assert passage(left=2).judged(CLASSES, 1) == "The true class is dog: the answer is right."


def pooled_passage() -> Passage:
    """The last stage says cat by itself, and dog with the first, whose head is run for that alone."""
    stages = (
        stage(POOLED_LATER, (0.1, 0.8, 0.1), np.inf, 100),
        stage(LEFT, (0.71, 0.19, 0.1), None, 1010, answered=(0.26, 0.64, 0.1)),
    )
    return Passage(stages=stages, left=1, score="max_probability", baseline_macs=1000)


def test_what_is_pooled_is_the_answer_and_the_plain_network_is_the_last_stage_by_itself() -> None:
    found = pooled_passage()
    assert [s.pooled for s in found.stages] == [False, True]
    assert [s.ran for s in found.stages] == [True, True]
    assert found.prediction == 1
    assert found.verdict(CLASSES) == (
        "Left at stage 2 of 2, which always answers: says dog, 64.0 % sure. Cost 101 % of the plain network's MACs."
    )
    assert found.judged(CLASSES, 1) == (
        "The true class is dog: the answer is right. The plain network says cat, wrong."
    )
    assert [k for k, _ in found.stages[1].top(2)] == [1, 0]
    assert [k for k, _ in found.stages[1].own_top(2)] == [0, 1]
    # What was recorded is what stages say themselves.
    assert "at the same stage" in agreement(found, f32(0.1, 0.8, 0.1, 0.71, 0.19, 0.1).reshape(2, 3), 1)


def test_the_likeliest_classes_in_order() -> None:
    found = passage().stages[2].top(2)
    assert [k for k, _ in found] == [1, 2]
    np.testing.assert_allclose([p for _, p in found], [0.7, 0.2], rtol=1e-6)
    # Equal ones stand by class number, as argmax has it.
    assert [k for k, _ in stage(LEFT, (0.2, 0.4, 0.4), None, 1).top(3)] == [1, 2, 0]
    assert stage(SWITCHED_OFF, None, np.inf, 1).top(3) == ()


@pytest.mark.parametrize(
    ("confidence", "threshold", "expected"),
    [
        (0.984, 0.971, ("98.4 % sure", "97.1 %")),
        (0.9712, 0.9708, ("97.12 % sure", "97.08 %")),  # 97.1 and 97.1 would look as if it were not met
        (0.99996, 0.5, ("99.9 % sure", "50.0 %")),  # not certain, so not 100.0
        (0.99997, 0.99992, ("99.997 % sure", "99.992 %")),
        (1.0, 0.5, ("100.0 % sure", "50.0 %")),
        (0.5, 0.5, ("50.0 % sure", "50.0 %")),
        (0.5, np.inf, ("50.0 % sure", None)),
        (0.5, None, ("50.0 % sure", None)),
    ],
)
def test_confidence_and_threshold_are_told_apart(
    confidence: float, threshold: float | None, expected: tuple[str, str | None]
) -> None:
    assert confidence_in_words("max_probability", confidence, threshold) == expected


def test_other_scores_are_no_percentages() -> None:
    assert confidence_in_words("margin", 0.25, 0.125) == ("margin 0.250", "0.125")
    assert confidence_in_words("negative_entropy", -0.5, -0.75) == ("negative entropy -0.500", "-0.750")


def test_percentages() -> None:
    assert [percent(v) for v in (0.0, 0.034, 0.41, 1.01)] == ["0 %", "3.4 %", "41 %", "101 %"]
    assert sure_percent(0.99999) == "99.9 %"


def test_agreement_with_what_was_recorded() -> None:
    one = passage()
    recorded = np.stack([s.softmax for s in one.stages if s.softmax is not None])
    assert "agree to within 0.0001, and by them it leaves at the same stage" in agreement(one, recorded, 1)
    assert "but by them it leaves at stage 3" in agreement(one, recorded, 2)
    moved = recorded + f32(0.25, -0.25, 0)
    assert "differ by up to 0.25" in agreement(one, moved, 1)
    # A stage that was not computed has nothing to compare.
    moved = recorded.copy()
    moved[2] = f32(1, 0, 0)
    assert "at the same stage" in agreement(passage(beyond=False), moved, 1)
