"""Results -> tidy pandas frames, one row a thing, one column a quantity; fractions, not percent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cascade_core.evaluation import Evaluation
from cascade_core.exits import ExitRule
from cascade_core.exploration import Exploration
from cascade_core.published import PUBLISHED
from cascade_core.record import Record


def stages_table(record: Record) -> pd.DataFrame:
    """A row a stage: its MACs and its accuracy on all samples, were it to answer every one."""
    return pd.DataFrame(
        {
            "stage": record.stage_names,
            "trunk_macs": [s.trunk_macs for s in record.stages],
            "head_macs": [s.head_macs for s in record.stages],
            "cumulative_macs": np.cumsum([s.trunk_macs + s.head_macs for s in record.stages]),
            "accuracy": record.stage_accuracy,
        }
    )


def exits_table(rule: ExitRule, evaluation: Evaluation) -> pd.DataFrame:
    """A row a stage: its threshold, who leaves there, how many of them are right, what it costs.

    The threshold is `inf` where no sample leaves, and NaN at the last stage, which always answers.
    """
    counts = evaluation.exit_counts
    with np.errstate(invalid="ignore"):
        right = np.where(counts > 0, evaluation.correct_counts / np.maximum(counts, 1), np.nan)
    return pd.DataFrame(
        {
            "stage": evaluation.stage_names,
            "threshold": np.append(rule.thresholds.astype(np.float64), np.nan),
            "samples": counts,
            "share": evaluation.exit_shares,
            "accuracy": right,
            "macs": evaluation.costs,
        }
    )


def path_table(exploration: Exploration) -> pd.DataFrame:
    """A row a slider position: the parameter, the thresholds, and what they do on the test samples."""
    result = exploration.evaluation
    low, high = result.drop_interval()
    names = result.stage_names
    thresholds = {f"threshold {name}": exploration.path.thresholds[:, i] for i, name in enumerate(names[:-1])}
    shares = {f"share {name}": result.exit_counts[:, i] / result.n for i, name in enumerate(names)}
    return pd.DataFrame(
        {
            exploration.policy.slider.parameter: exploration.path.positions,
            "accuracy": result.accuracy,
            "accuracy_drop": result.accuracy_drop,
            "drop_low": low,
            "drop_high": high,
            "mean_macs": result.mean_macs,
            "saving": result.saving,
            **thresholds,
            **shares,
        }
    )


def published_table() -> pd.DataFrame:
    """A row a published operating point."""
    return pd.DataFrame(
        [
            {
                "series": series.name,
                "network": series.network,
                "epsilon": point.epsilon,
                "accuracy": point.accuracy,
                "saving": point.saving,
            }
            for series in PUBLISHED
            for point in series.points
        ]
    )
