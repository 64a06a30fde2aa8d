"""Thresholds chosen anew on audited samples of a log, which have no labels: the last stage stands in for them.

Disagreement with the plain network bounds the accuracy drop from above.  The pool and the score stay those of the
choice; its stages cost what the choice says.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_core.analysis.watched import Watch
from cascade_core.policies import CheapestWithinDrop, describe
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import Stage
from cascade_core.storage.choice import Choice

LEAST = 200
"""Audited samples without which nothing is chosen."""

FRACTION, SEED = 0.5, 0
"""Of the division into samples that choose, and others that measure."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rechosen:
    """New thresholds beside the old ones, on the same samples, which chose neither.

    Attributes:
        max_drop: The disagreement that was asked for, a fraction.
        rule, evaluation: What is new.
        old_rule, old: The choice that was watched, and what it does there.
        policy: As `policies.describe` gives it.
    """

    max_drop: float
    rule: ExitRule
    evaluation: Evaluation
    old_rule: ExitRule
    old: Evaluation
    policy: dict[str, Any]

    @property
    def split(self) -> dict[str, Any]:
        """How the audited samples were divided, as a choice file says it."""
        return {"fraction": FRACTION, "seed": SEED, "measured_on": "test"}


def limit_of(choice: Choice) -> float:
    """The drop that a choice was made for, one point where it says none."""
    limit = ((choice.policy or {}).get("parameters") or {}).get("max_drop")
    return float(limit) if isinstance(limit, int | float) and limit > 0 else 0.01


def rechoose(watch: Watch, max_drop: float) -> Rechosen:
    """The cheapest thresholds whose disagreement with the plain network is expected within a limit.

    Args:
        max_drop: A fraction >= 0.

    Raises:
        ValueError: There are too few audited samples.
    """
    count = 0 if watch.recent is None else len(watch.recent)
    if count < LEAST:
        raise ValueError(
            f"Expected at least {LEAST} audited samples to choose on but there are {count}; let a share of samples "
            "go on to the end (audit)"
        )
    calibration, test = audited_record(watch).split(FRACTION, SEED)
    policy = CheapestWithinDrop(max_drop=max_drop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rule = policy.choose(calibration)
    return Rechosen(
        max_drop=max_drop,
        rule=rule,
        evaluation=evaluate(test, rule),
        old_rule=watch.choice.rule,
        old=evaluate(test, watch.choice.rule),
        policy=describe(policy),
    )


def audited_record(watch: Watch) -> Record:
    """The audited samples that were kept, as a record whose labels are what the plain network says."""
    kept, choice = watch.recent, watch.choice
    assert kept is not None
    confidence, answers = np.ascontiguousarray(kept.confidence.T), np.ascontiguousarray(kept.answers.T)
    added = np.diff(choice.costs, prepend=0)
    return Record(
        confidence=confidence,
        predictions=answers,
        correct=answers == kept.plain,
        labels=kept.plain,
        stages=tuple(
            Stage(name=name, trunk_macs=max(0, int(macs)), head_macs=0)
            for name, macs in zip(watch.stages, added, strict=True)
        ),
        baseline_macs=choice.baseline_macs,
        score=choice.rule.score,
        top_k=choice.rule.top_k,
        pool=choice.rule.pool,
        baseline_predictions=kept.plain,
        baseline_correct=np.ones(len(kept), dtype=bool),
        classes=choice.rule.thresholds.shape[1] if choice.rule.by_class else None,  # type: ignore[arg-type]
        reference="last stage",
    )
