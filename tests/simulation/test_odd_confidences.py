"""Confidences that tell nothing, or the opposite, are said; sound ones and the last stage's are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core.simulation.odd_confidences import advantage, odd_confidences
from cascade_core.simulation.reach import beyond_all
from cascade_core.simulation.suspicions import suspicions
from tests.answering import sample_answers
from tests.oracle import f32

ANSWERS = sample_answers(n=600)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_said_of_sound_answers(seed: int) -> None:
    run = sample_answers(n=60 + 30 * seed, k=2 + seed % 4, seed=seed)
    assert suspicions(run) == ()
    assert suspicions(replace(run, confidence=100 * run.confidence)) == ()


def test_confidence_upside_down_is_said_of_its_stage() -> None:
    for turn in (lambda sure: 1 - sure, lambda sure: -np.log(sure), lambda sure: 1 / sure):
        confidence = ANSWERS.confidence.copy()
        confidence[1] = turn(confidence[1])
        (line,) = suspicions(replace(ANSWERS, confidence=confidence))
        assert "Answers of stage 'stage 2' are wrong more often the surer it is" in line


def test_equal_confidences_are_said() -> None:
    confidence = ANSWERS.confidence.copy()
    confidence[0] = 0.5
    (line,) = suspicions(replace(ANSWERS, confidence=confidence))
    assert "the same for every answer of stage 'stage 1'" in line


def test_the_last_stage_may_be_as_sure_as_it_likes() -> None:
    confidence = ANSWERS.confidence.copy()
    confidence[-1] = 1
    assert odd_confidences(replace(ANSWERS, confidence=confidence).record()) == []


def test_advantage_by_hand() -> None:
    """Right answers have ranks 3 and 4 of 4: 7 - 2 * 5 / 2 = 2, over sqrt(2 * 2 * 5 / 12)."""
    right = np.array([False, False, True, True])
    assert advantage(f32(1, 2, 3, 4), right) == pytest.approx(2 / np.sqrt(20 / 12))
    # Of two that are equal each has rank 2.5: (2.5 + 4) - 5 = 1.5.
    assert advantage(f32(1, 2, 2, 4), right) == pytest.approx(1.5 / np.sqrt(20 / 12))
    assert advantage(f32(1, 2, 3, 4), ~right) == pytest.approx(-2 / np.sqrt(20 / 12))
    assert advantage(f32(1, 2), np.array([True, True])) == 0


def test_thresholds_beyond_the_scale_are_said() -> None:
    confidence = np.array([f32(0.2, 0.9), f32(20, 90), f32(0, 0)])
    assert beyond_all(f32(0.9, 90), confidence, ["a", "b", "c"]) is None
    assert beyond_all(f32(np.inf, 90), confidence, ["a", "b", "c"]) is None
    said = beyond_all(f32(80, 90), confidence, ["a", "b", "c"])
    assert (
        said == "no confidence of this run reaches 80 at 'a', where they end at 0.9: are they on the run's own scale?"
    )
