"""Every stage's answer on every sample and how sure it is of it, without softmaxes: `StageAnswers`.

So do language models, services on the network and classifiers of very many classes tell what they say.  Confidences
are whatever came: larger is surer, and no scale is assumed, neither from 0 to 1 nor the same one at every stage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.scores import GIVEN
from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True, eq=False)
class StageAnswers(Outputs):
    """Every stage's answer and confidence on every sample.

    Attributes:
        predictions: (M, N) int64 class numbers, in [0, K).
        confidence: (M, N) float32, finite; larger is surer.
        correct: (M, N) bool, whether each answer is right; without it, whether it is the label.
        labels, stages, baseline_macs, sample_ids, class_names, source, reference, costs, spending, groups: As in
            `Outputs`;
            without class names there are as many classes as labels and predictions name.

    Raises:
        ValueError: A shape or a value does not fit; the message says which sample.
    """

    predictions: NDArray[np.int64]
    confidence: NDArray[np.float32]
    correct: NDArray[np.bool_] = None  # type: ignore[assignment]  # filled in below, never None afterwards

    def __post_init__(self) -> None:
        predictions = checks.integers("predictions", self.predictions, "(stages, samples)", (None, None))
        m, n = shape = predictions.shape
        if min(shape) < 1:
            raise ValueError(f"Expected predictions to hold a stage and a sample but it had shape {shape}")
        confidence = checks.array("confidence", self.confidence, np.float32, "(stages, samples)", shape)
        for stage, sample in np.argwhere(~np.isfinite(confidence))[:1]:
            value = confidence[stage, sample]
            raise ValueError(f"Expected confidence to be finite but it is {value} at stage {stage}, sample {sample}")
        k = self._classes(predictions)
        for stage, sample in np.argwhere((predictions < 0) | (predictions >= k))[:1]:
            raise ValueError(
                f"Expected predictions to be from 0 to {k - 1} but stage {stage}, sample {sample} has "
                f"{predictions[stage, sample]}"
            )
        self._check_fields(m, n, k, last=predictions[-1])
        put = object.__setattr__
        put(self, "predictions", predictions)
        put(self, "confidence", confidence)
        right = predictions == self.labels if self.correct is None else self.correct
        put(self, "correct", checks.array("correct", right, np.bool_, "(stages, samples)", shape))
        if self.reference == "last stage" and not self.judged_by_label:
            raise ValueError("Expected no correct where the last stage's answers are the reference: they say it")

    def _classes(self, predictions: NDArray[np.int64]) -> int:
        labels = checks.integers(
            "labels", predictions[-1] if self.labels is None else self.labels, "(samples)", (None,)
        )
        named = 1 + max(0, int(predictions.max()), int(labels.max(initial=0)))
        return named if self.class_names is None else len(self.class_names)

    @property
    def judged_by_label(self) -> bool:
        """Whether an answer is right exactly where it is the label."""
        return np.array_equal(self.correct, self.predictions == self.labels)

    @property
    def scores(self) -> tuple[str, ...]:
        """The confidence that came, alone."""
        return (GIVEN,)

    def record(self, score: str | None = None, top_k: int = 1, pool: Pool | None = None) -> Record:
        """Confidences and answers as they came.

        Raises:
            ValueError: What is asked for takes softmaxes.
        """
        needs_softmaxes = {
            f"the score {score}": score not in (None, GIVEN),
            f"top_k={top_k}": top_k != 1,
            "pooling answers": pool is not None,
        }
        for what, asked in needs_softmaxes.items():
            if asked:
                raise ValueError(without_softmaxes(what))
        return Record(
            confidence=self.confidence,
            predictions=self.predictions,
            correct=self.correct,
            labels=self.labels,
            stages=self.stages,
            baseline_macs=self.baseline_macs,
            score=GIVEN,
            classes=len(self.class_names),
            reference=self.reference,
            spending=self.spending,
        )

    def without_labels(self) -> StageAnswers:
        """The same samples where the last stage's answers stand in for labels, as if there were none."""
        return replace(self, labels=None, reference=None, correct=None)  # type: ignore[arg-type]  # filled in

    def take(self, index: NDArray[np.int64]) -> StageAnswers:
        """The samples at `index` (n,), in that order."""
        return replace(
            self,
            predictions=self.predictions[:, index],
            confidence=self.confidence[:, index],
            correct=self.correct[:, index],
            **self._taken(index),
        )

    @property
    def nbytes(self) -> int:
        """Bytes of answers and confidences."""
        return self.predictions.nbytes + self.confidence.nbytes + self.correct.nbytes


def without_softmaxes(what: str) -> str:
    """Why something cannot be had of answers."""
    return f"This run holds answers and confidences, no softmaxes, which {what} would need; its score is {GIVEN!r}"
