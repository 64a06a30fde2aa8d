"""Words for what is measured: whole in both tongues, and put into sentences that were written for labels."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cascade_core.policies import POLICIES
from cascade_core.support.terms import EITHER, LABELS, LAST_STAGE, REFERENCES, common, terms

LIES = re.compile(r"accura|wrong|\bright\b|\bcorrect|mistake|harmed|true class", re.IGNORECASE)
"""What no sentence may say of answers that are compared with the last stage's."""


def test_the_live_panels_tests_have_the_same_words() -> None:
    written = json.loads((Path(__file__).parent / "terms.json").read_text("utf-8"))
    assert written == {reference: terms(reference).as_json() for reference in REFERENCES}


def test_no_word_for_the_last_stage_is_one_for_labels() -> None:
    for word in LAST_STAGE.as_json().values():
        assert not LIES.search(word), word


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Acceptable accuracy drop", "Acceptable disagreement with the last stage"),
        ("Most accurate within a budget", "Closest to the last stage within a budget"),
        ("Accuracy given up; below zero it is a gain.", "Disagreement with the last stage; below zero it is a gain."),
        ("those that are right most often while", "those that are in agreement most often while"),
        (
            "a right answer is surer than a wrong answer",
            "an answer in agreement is surer than an answer in disagreement",
        ),
        ("Harmed", "Changed"),
        ("copyright, brightness, accuracies", "copyright, brightness, accuracies"),  # parts of words are none
    ],
)
def test_texts_for_labels_in_other_words(text: str, said: str) -> None:
    assert LABELS.of(text) == text
    assert LAST_STAGE.of(text) == said


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: str(policy.name))
def test_what_policies_say_of_themselves_speaks_of_no_accuracy(policy: type) -> None:
    slider = getattr(policy, "slider", None)
    for text in (policy.title, policy.promise, "" if slider is None else slider.label):  # type: ignore[attr-defined]
        assert not LIES.search(LAST_STAGE.of(text)), LAST_STAGE.of(text)


def test_runs_of_both_kinds_share_words_for_either() -> None:
    assert common([LABELS, LABELS]) is LABELS
    assert common([LAST_STAGE]) is LAST_STAGE
    assert common([LAST_STAGE, LABELS]) is EITHER
    assert common([]) is LABELS
