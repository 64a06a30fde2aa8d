"""Other numbers of classes: those that were made wrong are found, and chance finds none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core.simulation.relabelling import better_numbering


def made(n: int = 400, classes: int = 5, right: float = 0.9, seed: int = 0) -> tuple[NDArray[np.int64], ...]:
    """Answers, of which about a share is right and the others are any class, and labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    return np.where(random.random(n) < right, labels, random.integers(0, classes, n)), labels


@pytest.mark.parametrize("shift", [-1, 1])
def test_labels_one_off(shift: int) -> None:
    answers, labels = made()
    found = better_numbering(answers, labels - shift)
    assert found is not None
    assert (found.shift, found.order) == (shift, {})
    assert found.accuracy == (answers == labels).mean()


@pytest.mark.parametrize("order", [[2, 0, 3, 1, 4], [1, 0, 2, 3, 4], [1, 2, 3, 4, 0], [4, 3, 2, 1, 0]])
def test_classes_in_another_order(order: list[int]) -> None:
    answers, labels = made()
    found = better_numbering(answers, np.array(order)[labels])
    assert found is not None
    assert found.shift == 0
    assert found.order == {k: to for k, to in enumerate(order) if k != to}
    assert found.accuracy == (answers == labels).mean()


def test_class_folders_sorted_as_texts() -> None:
    """Folders 1 to 10, of which "10" comes second."""
    answers, labels = made(classes=10)
    as_texts = sorted(range(10), key=lambda k: str(k + 1))
    found = better_numbering(answers, np.argsort(as_texts)[labels])
    assert found is not None
    assert found.order == {k: as_texts.index(k) for k in range(1, 10)}


@pytest.mark.parametrize("right", [0.0, 0.3, 0.6, 0.9, 1.0])
@pytest.mark.parametrize(("n", "classes"), [(2, 2), (20, 5), (40, 1000), (400, 5), (400, 2), (3000, 100)])
def test_nothing_is_found_where_there_is_nothing(n: int, classes: int, right: float) -> None:
    for seed in range(20):
        answers, labels = made(n, classes, right, seed)
        if n > 2:  # two samples may be anything
            assert better_numbering(answers, labels) is None
        else:
            better_numbering(answers, labels)


def test_classes_that_one_stage_takes_for_another_are_no_order() -> None:
    """All cats are answered as dogs, and all dogs too: no numbering of the classes makes both right."""
    answers, labels = made()
    assert better_numbering(np.where(answers == 1, 2, answers), labels) is None
