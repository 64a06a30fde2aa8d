"""Softmax -> confidence: how sure a stage is of its answer.

Larger is surer for every score, so that one comparison (``confidence >= threshold``) serves them
all.  Scores are computed in float32 from float32 softmaxes, as a deployed cascade would, and ties
are common: float32 softmax saturates at 1.0.  `GIVEN` alone is computed from nothing: it came with the answers.
Nothing here knows about stages or thresholds.

To add a score, write its function and an entry of `SCORES`, and name it where cascades are described to programs that
know nothing of this one: `storage/choice.schema.json` and `nets/running/bundled_rule.py`, which a test holds to this.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.support import checks

Floats = NDArray[np.float32]


def max_probability(probs: Floats) -> Floats:
    """Largest softmax, in [1/K, 1]; `probs` is (..., K), the result (...)."""
    return probs.max(axis=-1)


def margin(probs: Floats) -> Floats:
    """Largest softmax minus the second largest, in [0, 1]; a single class gives its softmax."""
    if probs.shape[-1] == 1:
        return probs[..., 0]
    top = np.partition(probs, -2, axis=-1)[..., -2:]
    return top[..., 1] - top[..., 0]


def negative_entropy(probs: Floats) -> Floats:
    """Sum of p ln p, in nats, in [-ln K, 0]; 0 ln 0 is 0."""
    logs = np.log(probs, out=np.zeros_like(probs), where=probs > 0)
    return np.einsum("...k,...k->...", probs, logs)


def top_k_sum(probs: Floats, k: int) -> Floats:
    """Sum of the `k` largest softmaxes, in [k/K, 1]: the confidence of a top-k answer."""
    if k >= probs.shape[-1]:
        return probs.sum(axis=-1)
    return np.partition(probs, -k, axis=-1)[..., -k:].sum(axis=-1)


@dataclass(frozen=True, kw_only=True)
class Score:
    """A way to say how sure a softmax is, and how it is spoken of and shown.

    Attributes:
        function: Softmaxes (..., K) -> (...) float32, larger is surer; None of what is not computed from softmaxes.
        least: Least value there is with K classes.
        title: What the page calls it.
        phrase: What a sentence calls it, of a stage: "its largest softmax".
        axis: What an axis calls it, with its unit.
        greatest: Greatest value; where it is 1, axes are on a scale of nines.
        is_probability: Whether it is meant as the probability that the answer is right: it is then shown in percent and
            may be held against accuracy.
    """

    function: Callable[[Floats], Floats] | None
    least: Callable[[int], float]
    title: str
    phrase: str
    axis: str
    greatest: float = 1.0
    is_probability: bool = False


SUM_TOLERANCE = 1e-3
"""How far a softmax may sum from 1; float32 rounding stays well below, wrong axes and logits do not."""

GIVEN = "confidence"
"""The score of answers that came without softmaxes: the confidence that came with them, on any scale."""

SCORES: dict[str, Score] = {
    "max_probability": Score(
        function=max_probability,
        least=lambda classes: 1 / classes,
        title="largest softmax",
        phrase="its largest softmax",
        axis="confidence",
        is_probability=True,
    ),
    "margin": Score(
        function=margin,
        least=lambda classes: 0.0,
        title="largest less second largest",
        phrase="its largest softmax less the second largest",
        axis="margin",
    ),
    "negative_entropy": Score(
        function=negative_entropy,
        least=lambda classes: -float(np.log(classes)),
        greatest=0.0,
        title="negative entropy",
        phrase="the negative entropy of its softmaxes",
        axis="negative entropy, in nats",
    ),
    GIVEN: Score(
        function=None,
        least=lambda classes: -math.inf,
        greatest=math.inf,
        title="given confidence",
        phrase="the confidence that it gives",
        axis="confidence, as given",
    ),
}


def of_softmaxes() -> tuple[str, ...]:
    """Names of those that are computed from softmaxes; the first is the usual one."""
    return tuple(name for name, score in SCORES.items() if score.function is not None)


def score_range(score: str, classes: int) -> tuple[float, float]:
    """Least and greatest value that `score` can take with `classes` classes."""
    checks.one_of("score", score, tuple(SCORES))
    return SCORES[score].least(classes), SCORES[score].greatest


def range_of(confidence: Floats, score: str, classes: int) -> tuple[float, float]:
    """The same where confidences are known: those of a share or of percent where all lie there, else their own."""
    low, high = score_range(score, classes)
    if math.isfinite(high - low):
        return low, high
    low, high = float(confidence.min()), float(confidence.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0 and 50 < high <= 100:
        return 0.0, 100.0
    return low, high if high > low else low + 1


def confidence(probs: Floats, score: str, top_k: int) -> Floats:
    """Confidence of softmaxes `probs` (..., K) under a named score, as (...) float32.

    With `top_k` above 1 the answer is a set of classes, and its confidence is the sum of their
    softmaxes whatever its shape; only ``max_probability`` extends to it.

    Raises:
        ValueError: The score is unknown, or is not defined for top-k answers.
    """
    known = SCORES.get(score)
    if known is None or (function := known.function) is None:
        raise ValueError(f"Expected score to be one of {', '.join(of_softmaxes())} but it was {score!r}")
    if top_k == 1:
        return function(probs)
    if score != "max_probability":
        raise ValueError(f"Expected score to be max_probability with top_k={top_k} but it was {score!r}")
    return top_k_sum(probs, top_k)


def label_among_top(probs: Floats, labels: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """Whether the label is among the `k` largest softmaxes; `probs` is (M, N, K), the result (M, N).

    Equal softmaxes rank by class number, the lower first, as ``argmax`` does.
    """
    own = np.take_along_axis(probs, labels[None, :, None], axis=-1)
    ahead = (probs > own).sum(axis=-1)
    ahead += ((probs == own) & (np.arange(probs.shape[-1]) < labels[:, None])).sum(axis=-1)
    return ahead < k
