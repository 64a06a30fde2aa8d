"""Runs without softmaxes for tests: what `tests.samples` says, with answers and confidences alone."""

from __future__ import annotations

from cascade_core.simulation.answers import StageAnswers
from tests.samples import sample_run


def sample_answers(n: int = 400, m: int = 3, k: int = 5, seed: int = 0) -> StageAnswers:
    """The answers of `sample_run`, each as sure as its largest softmax."""
    run = sample_run(n, m, k, seed)
    return StageAnswers(
        predictions=run.probs.argmax(axis=2),
        confidence=run.probs.max(axis=2),
        labels=run.labels,
        stages=run.stages,
        source=run.source,
    )
