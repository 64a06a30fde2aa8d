"""A cascade of callables, such as language models or services on the network: each is asked only if the one before was
not sure enough.

Nothing is retried, cached or run at once: what a callable raises comes through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cascade_core.simulation.exits import ExitRule

Sample = TypeVar("Sample")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a cascade answered.

    Attributes:
        answer: As the callable gave it.
        confidence: Likewise.
        stage: Number of the callable that gave it.
        asked: Numbers of all that were asked.
    """

    answer: Any
    confidence: float
    stage: int
    asked: tuple[int, ...]


def ask(
    rule: ExitRule,
    stages: Sequence[Callable[[Sample], tuple[Any, float]]],
    sample: Sample,
    class_names: Sequence[str] | None = None,
) -> Asked:
    """Ask one callable after another until one is as sure as the rule wants; those nobody may exit at are not asked.

    >>> import numpy as np
    >>> rule = ExitRule(thresholds=np.array([0.8], np.float32), score="confidence")
    >>> ask(rule, [lambda text: ("yes", 0.7), lambda text: ("no", 0.6)], "Is it?")
    Asked(answer='no', confidence=0.6, stage=1, asked=(0, 1))

    Args:
        rule: As `tune` or `load_choice` gives it, for confidences that came with answers.
        stages: M callables, first to last, each of which gives an answer and how sure it is, on the scale of the run.
        sample: What they are asked.
        class_names: Names of the run's classes; needed with a threshold for each class, else not read.

    Raises:
        ValueError: There is not a callable for each stage, a confidence is no number, or class names are missing.
    """
    if len(stages) != len(rule.active):
        raise ValueError(f"Expected {len(rule.active)} callables, one for each stage, but there are {len(stages)}")
    if rule.by_class and class_names is None:
        raise ValueError("Expected class_names, as the rule has a threshold for each class, but there are none")
    numbers = {name.strip().casefold(): k for k, name in enumerate(class_names or ())}
    asked: tuple[int, ...] = ()
    for stage in rule.active.nonzero()[0].tolist():
        answer, confidence = stages[stage](sample)
        asked = (*asked, stage)
        if rule.lets_exit(confidence, stage, numbers.get(str(answer).strip().casefold())):
            return Asked(answer=answer, confidence=confidence, stage=stage, asked=asked)
    raise AssertionError("the last stage always answers")
