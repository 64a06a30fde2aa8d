"""What a rule was measured to do, as a choice file tells it: on the run that chose, and on others beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.simulation.bounds import ALPHA, LEVEL
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import MACS, Meter, spent


def judged(
    run: Mapping[str, Any], evaluation: Evaluation, bound: float, likeness: Mapping[str, Any], meter: Meter = MACS
) -> dict[str, Any]:
    """What a rule does on another run than the one that chose.

    Args:
        run: ``name`` and ``sha256`` of that run.
        bound: Upper bound on the drop there, with confidence 1 - `ALPHA`, for this rule alone.
        likeness: Whether its samples look like those of the run that chose, as `Likeness.describe` gives it.
    """
    return {
        "run": dict(run),
        "measured": {**measured(evaluation, meter), "split": None},
        "certified_drop": {"level": 1 - ALPHA, "at_most": bound},
        "likeness": dict(likeness),
    }


def measured(evaluation: Evaluation, meter: Meter = MACS) -> dict[str, Any]:
    """Counts of one evaluation as shares, with their intervals; costs by another meter than MACs beside them."""
    low, high = evaluation.drop_interval()
    least, most = evaluation.saving_interval()
    return {
        **({} if evaluation.reference == "labels" else {"reference": evaluation.reference}),
        "n": evaluation.n,
        "accuracy": evaluation.accuracy,
        "full_accuracy": evaluation.full_accuracy,
        "accuracy_drop": evaluation.accuracy_drop,
        "accuracy_drop_interval": {"level": LEVEL, "low": low, "high": high},
        "mean_macs": evaluation.mean_macs,
        "saving": evaluation.saving,
        "saving_interval": {"level": LEVEL, "low": least, "high": most},
        "exits": [
            {"stage": name, "share": float(count / evaluation.n), "correct": float(right / count) if count else None}
            for name, count, right in zip(
                evaluation.stage_names, evaluation.exit_counts, evaluation.correct_counts, strict=True
            )
        ],
        **({} if meter is MACS else {"cost": spent(meter, evaluation)}),
    }
