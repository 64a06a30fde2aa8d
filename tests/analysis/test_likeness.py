"""Whether samples look like others: differences by hand, levels that hold, and what each kind of change is called."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import ExitRule, Record
from cascade_core.analysis.likeness import Difference, Likeness, likeness, likeness_of_counts
from cascade_core.rendering.likeness_words import likeness_sentence
from tests.oracle import make_record

RULE = ExitRule(thresholds=np.array([0.5], dtype=np.float32))


def record(early: list[float] | np.ndarray) -> Record:
    """Two stages; the last is sure of all alike."""
    values = np.asarray(early, dtype=np.float32)
    return make_record(np.stack([values, np.full(len(values), 0.9)]), np.ones((2, len(values)), dtype=bool))


def test_differences_by_hand() -> None:
    # Of the first 3 of 4 leave, of the second 1 of 4. At most 0.4 sure: 1 of 4 against 3 of 4.
    found = likeness(record([0.1, 0.6, 0.7, 0.8]), record([0.1, 0.2, 0.3, 0.8]), RULE)
    assert found.exits.size == pytest.approx(0.5)
    assert found.confidence["a"].size == pytest.approx(0.5)
    assert found.confidence["a"].rise < 0
    assert found.confidence["b"] == Difference(size=0.0, p=1.0)


def test_counts_alone_say_the_same_of_exits() -> None:
    found = likeness_of_counts(np.array([3, 1]), np.array([1, 3]))
    assert found.exits.size == pytest.approx(0.5)
    assert found.confidence == {}
    # 4 of 8 leave early; 3 or more, or 1 or fewer, of them in four drawn: all but C(4,2)^2 of C(8,4) = 70 draws.
    assert found.exits.p == pytest.approx(34 / 70, abs=0.05)


def test_pairs_are_exchanged_within_themselves() -> None:
    # Two pairs: each side is the first's with probability 1/2, and 2 of 4 exchanges differ as much.
    found = likeness(record([0.6, 0.7]), record([0.1, 0.2]), RULE, same=True)
    assert found.exits.size == 1
    assert found.exits.p == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("same", [False, True])
def test_the_level_holds(same: bool) -> None:
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(100):
        ease = random.random(60)
        one, two = (record((ease + random.random(60)) / 2 if same else random.random(60)) for _ in range(2))
        alarms += not likeness(one, two, RULE, same=same).alike
    # At a level of 5 %, more than 11 of 100 come once in a thousand times.
    assert alarms <= 11


def test_a_shift_is_seen() -> None:
    random = np.random.default_rng(0)
    found = likeness(record(random.random(300)), record(random.random(300) ** 2), RULE)
    assert not found.alike
    assert found.p == pytest.approx(3 / 1000)
    assert found.describe()["alike"] is False


def test_order_does_not_matter() -> None:
    random = np.random.default_rng(0)
    one, two = random.random(50), random.random(50)
    found = likeness(record(one), record(two), RULE)
    assert likeness(record(one[::-1]), record(two[::-1]), RULE).exits.size == found.exits.size


@pytest.mark.parametrize(
    ("exits", "sure", "words"),
    [
        (0.01, -0.01, ["1.0 % of the samples leave at another stage, hardly any difference", "a is less sure"]),
        (0.03, 0.1, ["a small difference", "a is more sure"]),
        (0.3, -0.1, ["30 % of the samples", "a large difference", "differ by up to 10 %"]),
    ],
)
def test_words(exits: float, sure: float, words: list[str]) -> None:
    stages = {"a": Difference(size=0.1, p=0.001, rise=sure), "b": Difference(size=0.05, p=0.5)}
    sentence = likeness_sentence(Likeness(exits=Difference(size=exits, p=0.2), confidence=stages))
    assert sentence.startswith("These samples do not look like those that measured the choice (p = 0.003, exact): ")
    for word in words:
        assert word in sentence


def test_words_where_nothing_is_seen() -> None:
    assert likeness_sentence(Likeness(exits=Difference(size=0.1, p=0.2), confidence={})) == (
        "These samples look like those that measured the choice: exits differ no more than by chance (p = 0.2)."
    )
