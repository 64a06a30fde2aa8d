"""Runs for tests of the rooms above the core: a plausible cascade whose stages get better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import Stage


def sample_run(n: int = 400, m: int = 3, k: int = 5, seed: int = 0, names: Sequence[str] | None = None) -> StageOutputs:
    """A run of `m` stages; hard samples are hard for every stage, and later stages are better."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    ease = random.normal(size=(n, 1))
    logits = np.stack(
        [random.normal(size=(n, k)) + np.eye(k)[labels] * (2 + 2 * stage + 2 * ease) for stage in range(m)]
    )
    raised = np.exp(logits - logits.max(axis=2, keepdims=True))
    return StageOutputs(
        probs=raised / raised.sum(axis=2, keepdims=True),
        labels=labels,
        stages=tuple(
            Stage(name=names[i] if names else f"stage {i + 1}", trunk_macs=1000 * (i + 1), head_macs=70)
            for i in range(m)
        ),
        source={"title": "CIFAR-10, a sample run."},
    )


def sample_record(n: int = 400, m: int = 3, k: int = 5, seed: int = 0) -> Record:
    """The record of `sample_run`."""
    return sample_run(n, m, k, seed).record()
