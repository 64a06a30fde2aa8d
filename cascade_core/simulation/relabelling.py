"""Whether answers would be right far oftener were classes numbered otherwise: by a shift of labels, or another order.

An order of classes is sought on one half of the samples and judged on the other, and the other way round: where
answers and labels have nothing to do with each other, one that fits the first half does not fit the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

DEVIATIONS = 3
"""Standard errors that a difference must exceed to be more than chance."""

LEAST_GAIN = 0.05
"""Least accuracy that another numbering must gain to be named."""


@dataclass(frozen=True, kw_only=True)
class Renumbering:
    """Another numbering of classes that fits better.

    Attributes:
        shift: What is to be added to every label; 0 for another order.
        order: Of another order, the classes that it moves: from what is answered to what is labelled.
        accuracy: Share of the samples that would be right.
    """

    shift: int
    order: Mapping[int, int]
    accuracy: float


def better_numbering(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> Renumbering | None:
    """The numbering of classes by which far more of the answers are right, if there is one.

    Args:
        answers, labels: (N,) class numbers.
    """
    right = answers == labels
    shift = max((-1, 1), key=lambda shift: np.mean(answers == labels + shift))
    shifted = answers == labels + shift
    order, fits = _order_that_fits(answers, labels)
    if _gains(right, shifted) and shifted.sum() >= 2 * right.sum() and not _gains(shifted, fits):
        return Renumbering(shift=shift, order={}, accuracy=float(shifted.mean()))
    if not _gains(right, fits):
        return None
    moved = {k: int(order[k]) for k in np.unique(answers).tolist() if order[k] not in (k, -1)}
    return Renumbering(shift=0, order=moved, accuracy=float(fits.mean()))


def _order_that_fits(
    answers: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(K,) the order of classes that fits best, and (N,) which samples one found on the other half gets right."""
    classes = 1 + max(int(answers.max()), int(labels.max()))
    if np.mean(_majority(answers, labels, classes)[answers] == answers) > 1 - LEAST_GAIN:
        return np.arange(classes), answers == labels
    first = np.random.default_rng(0).random(len(labels)) < 0.5
    fits = np.empty(len(labels), dtype=bool)
    for half in (first, ~first):
        fits[~half] = _order(answers[half], labels[half], classes)[answers[~half]] == labels[~half]
    return _order(answers, labels, classes), fits


def _gains(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> bool:
    """Whether so many more samples are right that chance does not explain it."""
    gain = after.astype(np.float64) - before
    mean = float(gain.mean())
    return mean >= LEAST_GAIN and mean > DEVIATIONS * float(gain.std()) / sqrt(len(gain))


def _pairs(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(pairs, 2) different answers with their labels, the commonest first."""
    pairs, counts = np.unique(np.stack([answers, labels], axis=1), axis=0, return_counts=True)
    return pairs[np.argsort(-counts, kind="stable")]


def _majority(answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """(K,) the label that most samples of an answer have; the answer itself where there are none."""
    result = np.arange(classes)
    rarest_first = _pairs(answers, labels)[::-1]
    result[rarest_first[:, 0]] = rarest_first[:, 1]
    return result


def _order(answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """(K,) for each answer a label of its own, the commonest pairs first; -1 where none is left for it."""
    result = np.full(classes, -1)
    taken = set[int]()
    for answer, label in _pairs(answers, labels).tolist():
        if result[answer] < 0 and label not in taken:
            result[answer] = label
            taken.add(label)
    return result
