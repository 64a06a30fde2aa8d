"""Made-up populations on which promises about new samples are easily broken, and of which everything is known.

Each is a run of a few thousand samples from which draws are made with replacement, so that what a rule does to the
population is a count.  In most, leaving at the first stage gives up a little more than is promised (`limit`), so that a
bound which is too low by a little is caught out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.stages import Stage
from tests.samples import sample_run

SIZE = 3000
CLASSES = 3

Floats = NDArray[np.floating[Any]]
Draw = Callable[[np.random.Generator, int], NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Population:
    """All samples there are, and how some are drawn.

    Attributes:
        limit: What may be given up at most.
        draw: From a generator and a count, the numbers of samples.
    """

    outputs: StageOutputs
    limit: float
    draw: Draw

    def drawn(self, random: np.random.Generator, count: int) -> StageOutputs:
        """Some samples, of which one may come twice."""
        return of_samples(self.outputs, self.draw(random, count))


def of_samples(outputs: StageOutputs, index: NDArray[np.int64]) -> StageOutputs:
    """Samples of a run, each under an id of its own wherever it comes."""
    return StageOutputs(probs=outputs.probs[:, index], labels=outputs.labels[index], stages=outputs.stages)


def _anyhow(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    return random.integers(0, SIZE, count)


def _two_stages(
    random: np.random.Generator, confidence: Floats, harmed: Floats | float, helped: Floats | float = 0.0
) -> StageOutputs:
    """A first stage of these confidences, which harms and helps with these probabilities, and a last one."""
    size = len(confidence)
    fate = random.random(size)
    harms, helps = fate < harmed, fate > 1 - np.asarray(helped)
    labels = random.integers(0, CLASSES, size)
    probs = np.empty((2, size, CLASSES))
    for stage, (sure, wrong) in enumerate([(confidence, harms), (np.full(size, 0.9), helps)]):
        answer = (labels + wrong) % CLASSES
        probs[stage] = ((1 - sure) / (CLASSES - 1))[:, None]
        probs[stage, np.arange(size), answer] = sure
    return _run(probs, labels)


def _run(probs: Floats, labels: NDArray[np.int64]) -> StageOutputs:
    stages = (Stage(name="first", trunk_macs=10, head_macs=1), Stage(name="last", trunk_macs=90, head_macs=1))
    return StageOutputs(probs=probs.astype(np.float32), labels=labels, stages=stages)


def _rare(random: np.random.Generator) -> Population:
    """Few are harmed, whatever the confidence."""
    confidence = 1 - 10 ** -random.uniform(0.5, 6, SIZE)
    return Population(outputs=_two_stages(random, confidence, 0.025), limit=0.02, draw=_anyhow)


def _cliff(random: np.random.Generator) -> Population:
    """Nobody is harmed above a confidence, and half of all just below it."""
    confidence = random.uniform(0.4, 1, SIZE)
    return Population(
        outputs=_two_stages(random, confidence, np.where(confidence > 0.7, 0, 0.5)), limit=0.05, draw=_anyhow
    )


def _ties(random: np.random.Generator) -> Population:
    """There are four confidences."""
    which = random.integers(0, 4, SIZE)
    confidence, harmed = np.array([0.4, 0.6, 0.8, 0.95])[which], np.array([0.15, 0.07, 0.02, 0.0])[which]
    return Population(outputs=_two_stages(random, confidence, harmed), limit=0.05, draw=_anyhow)


def _back_and_forth(random: np.random.Generator) -> Population:
    """Many are harmed and nearly as many helped."""
    confidence = random.uniform(0.4, 1, SIZE)
    return Population(outputs=_two_stages(random, confidence, 0.15, 0.11), limit=0.03, draw=_anyhow)


def _half_and_half(random: np.random.Generator) -> Population:
    """The first stage cannot tell two classes apart, one of which it answers: softmaxes of one half and one half."""
    labels = random.choice(3, SIZE, p=[0.9, 0.06, 0.04])
    first = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])[labels]
    return Population(outputs=_run(np.stack([first, np.eye(3)[labels] * 0.7 + 0.1]), labels), limit=0.08, draw=_anyhow)


def _repeated(random: np.random.Generator) -> Population:
    """There are sixty samples, each many times."""
    confidence = random.uniform(0.4, 1, 60)
    harmed = np.isin(np.arange(60), random.choice(60, 3, replace=False)).astype(float)
    few = _two_stages(random, confidence, harmed)
    return Population(outputs=of_samples(few, np.arange(SIZE) % 60), limit=0.04, draw=_anyhow)


def _sorted(random: np.random.Generator) -> Population:
    """Samples come in order: those that are harmed last, and the surest first."""
    confidence = random.uniform(0.4, 1, SIZE)
    outputs = _two_stages(random, confidence, 0.05)
    record = outputs.record()
    order = np.lexsort([-confidence, ~record.correct[0]])
    return Population(outputs=outputs.take(order), limit=0.04, draw=lambda r, count: np.sort(_anyhow(r, count)))


def _plausible(random: np.random.Generator) -> Population:
    """Three stages of which each is better than the one before."""
    return Population(
        outputs=sample_run(n=SIZE, k=CLASSES, seed=int(random.integers(1 << 30))), limit=0.05, draw=_anyhow
    )


def many_stages(random: np.random.Generator) -> Population:
    """Twenty stages whose confidences tell nothing, so that the samples that thresholds find to be right are chance."""
    labels, count = random.integers(0, CLASSES, SIZE), 20
    probs = np.empty((count, SIZE, CLASSES))
    for stage in range(count):
        wrong = random.random(SIZE) < (0.3 if stage < count - 1 else 0.0)
        sure = random.uniform(0.4, 1, SIZE)
        probs[stage] = ((1 - sure) / (CLASSES - 1))[:, None]
        probs[stage, np.arange(SIZE), (labels + wrong) % CLASSES] = sure
    stages = tuple(Stage(name=f"stage {stage}", trunk_macs=10, head_macs=1) for stage in range(count))
    outputs = StageOutputs(probs=probs.astype(np.float32), labels=labels, stages=stages)
    return Population(outputs=outputs, limit=0.05, draw=_anyhow)


POPULATIONS: dict[str, Callable[[np.random.Generator], Population]] = {
    "rare harms": _rare,
    "a cliff": _cliff,
    "ties": _ties,
    "back and forth": _back_and_forth,
    "half and half": _half_and_half,
    "repeated samples": _repeated,
    "in order": _sorted,
    "plausible": _plausible,
}
