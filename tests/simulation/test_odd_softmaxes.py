"""Softmaxes of softmaxes, and samples that are there twice."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core.simulation.odd_softmaxes import copies, softmaxed_twice
from tests.oracle import random_outputs


def softmax(values: NDArray[np.float64]) -> NDArray[np.float32]:
    raised = np.exp(values)
    return (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 3, 10, 300])
def test_softmaxed_twice(classes: int) -> None:
    logits = np.random.default_rng(classes).normal(0, 2, (50, classes))
    once = softmax(logits)
    assert not softmaxed_twice(once)
    assert softmaxed_twice(softmax(once.astype(np.float64)))
    assert softmaxed_twice(softmax(np.eye(classes)))
    assert not softmaxed_twice(np.full((50, classes), 1 / classes, np.float32))  # knows nothing, which is no mistake


def test_one_class_cannot_be_softmaxed_twice() -> None:
    assert not softmaxed_twice(np.ones((50, 1), np.float32))


def test_copies() -> None:
    probs = random_outputs(3, n=60, decimals=None, saturated=0).probs.copy()
    assert copies(probs.max(axis=2), probs).tolist() == []
    probs[:, 40], probs[:, 50], probs[:, 7] = probs[:, 5], probs[:, 5], probs[:, 9]
    probs[:2, 3] = probs[:2, 4]  # the last stage tells them apart
    assert copies(probs.max(axis=2), probs).tolist() == [9, 40, 50]


def test_equal_confidence_in_another_class_is_no_copy() -> None:
    probs = random_outputs(3, n=60, decimals=None, saturated=0).probs.copy()
    probs[:, 40] = probs[:, 5, ::-1]
    assert copies(probs.max(axis=2), probs).tolist() == []


@pytest.mark.parametrize(("decimals", "saturated"), [(2, 0.2), (4, 0.0), (None, 1.0)])
def test_coarse_and_saturated_softmaxes_may_be_equal(decimals: int | None, saturated: float) -> None:
    probs = random_outputs(3, n=60, decimals=decimals, saturated=saturated).probs.copy()
    probs[:, 40] = probs[:, 5]
    assert copies(probs.max(axis=2), probs).tolist() == []
