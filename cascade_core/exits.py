"""`ExitRule` and THE exit rule: leave at the first stage whose confidence reaches its threshold.

The comparison is ``>=`` in float32, in one place: the simulation uses `exit_stages` whole, a runner
uses the same comparison stage by stage.  The last stage always answers and has no threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core import _check, scores
from cascade_core.record import MAX_MACS, Record


def exit_stages(confidence: NDArray[np.floating], thresholds: ArrayLike) -> NDArray[np.int64]:
    """Stage at which each sample leaves: the first with confidence >= threshold, else the last.

    Args:
        confidence: (M, N), larger is surer.
        thresholds: (M-1,); `inf` never lets a sample leave.

    Returns:
        (N,) stage numbers, from 0 to M-1.

    Raises:
        ValueError: There is not one threshold for each stage but the last.
    """
    limits = np.asarray(thresholds, dtype=confidence.dtype)
    if limits.shape != (len(confidence) - 1,):
        raise ValueError(
            f"Expected thresholds to have shape ({len(confidence) - 1},) (stages - 1) but it had shape {limits.shape}"
        )
    leaves = confidence[:-1] >= limits[:, None]
    last = np.ones((1, confidence.shape[1]), dtype=bool)
    return np.argmax(np.concatenate([leaves, last]), axis=0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExitRule:
    """A threshold for each stage but the last, and the score they are meant for.

    Attributes:
        thresholds: (M-1,) float32, as confidences are; `inf` = never leave here, and then the
            stage's head is neither run nor charged.
        score, top_k: What the thresholds are compared with, see `scores`.
        stage_names: M names; without them the rule fits any cascade of M stages.

    Raises:
        ValueError: A threshold is NaN or `-inf`, or a count differs.
    """

    thresholds: NDArray[np.float32]
    score: str = "max_probability"
    top_k: int = 1
    stage_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        thresholds = _check.array("thresholds", self.thresholds, np.float32, "(stages - 1)", (None,))
        for stage, value in enumerate(thresholds):
            if np.isnan(value) or np.isneginf(value):
                raise ValueError(f"Expected the threshold of stage {stage} to be a number or inf but it was {value}")
        _check.one_of("score", self.score, tuple(scores.SCORES))
        put = object.__setattr__
        put(self, "top_k", _check.whole("top_k", self.top_k, 1, MAX_MACS))
        put(self, "thresholds", thresholds)
        if self.stage_names is not None:
            put(self, "stage_names", _check.names("stage_names", self.stage_names, len(thresholds) + 1, "stage"))

    @property
    def active(self) -> NDArray[np.bool_]:
        """(M,) whether each stage's head is run: all but those whose threshold is `inf`."""
        return np.append(self.thresholds < np.inf, True)

    def check_fits(self, record: Record) -> None:
        """Raise ValueError, saying what differs, unless this rule is meant for records like `record`."""
        check_fits(record, len(self.thresholds) + 1, self.stage_names, self.score, self.top_k)


def check_fits(record: Record, stages: int, stage_names: Sequence[str] | None, score: str, top_k: int) -> None:
    """Raise ValueError, saying what differs, unless rules so described apply to `record`."""
    if stages != len(record.stages):
        raise ValueError(
            f"Expected a rule for {len(record.stages)} stages ({len(record.stages) - 1} thresholds) "
            f"but it is for {stages}"
        )
    if stage_names is not None and tuple(stage_names) != record.stage_names:
        raise ValueError(
            f"Expected a rule for the stages {', '.join(record.stage_names)} but it is for {', '.join(stage_names)}"
        )
    if (score, top_k) != (record.score, record.top_k):
        raise ValueError(
            f"Expected a rule for the score {record.score} (top {record.top_k}) but it is for {score} (top {top_k})"
        )
