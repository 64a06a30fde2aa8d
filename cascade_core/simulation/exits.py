"""`ExitRule` and THE exit rule: leave at the first stage whose confidence reaches its threshold.

The comparison is ``>=`` in float32, in one place: the simulation uses `exit_stages` whole, a runner
uses the same comparison stage by stage.  The last stage always answers and has no threshold.  A stage has one
threshold for all samples, or one for each class that it may answer: then a sample meets that of its own answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.record import MAX_MACS, Record, Temperatures, check_temperatures
from cascade_core.support import checks


def exit_stages(
    confidence: NDArray[np.floating], thresholds: ArrayLike, predictions: NDArray[np.integer] | None = None
) -> NDArray[np.int64]:
    """Stage at which each sample leaves: the first with confidence >= threshold, else the last.

    Args:
        confidence: (M, N), larger is surer.
        thresholds: (M-1,), or (M-1, K) for each class that is answered; `inf` never lets a sample leave.
        predictions: (M, N) class numbers below K; needed with thresholds for each class, else not read.

    Returns:
        (N,) stage numbers, from 0 to M-1.

    Raises:
        ValueError: There are not thresholds for each stage but the last, or no predictions where they are needed.
    """
    limits = np.asarray(thresholds, dtype=confidence.dtype)
    if limits.ndim not in (1, 2) or len(limits) != len(confidence) - 1:
        raise ValueError(
            f"Expected thresholds to have shape ({len(confidence) - 1},) (stages - 1), or a second axis for classes, "
            f"but it had shape {limits.shape}"
        )
    if limits.ndim == 2 and predictions is None:
        raise ValueError("Expected predictions with a threshold for each class but there were none")
    result = np.full(confidence.shape[1], len(limits))
    # From the last to the first, so that the first stage that is sure enough has the last word.
    for stage in range(len(limits) - 1, -1, -1):
        answers = None if predictions is None else predictions[stage]
        result[sure_enough(confidence[stage], limits[stage], answers)] = stage
    return result


def sure_enough(
    confidence: NDArray[np.floating], threshold: NDArray[np.floating], answers: NDArray[np.integer] | None
) -> NDArray[np.bool_]:
    """THE comparison, of one stage: whether each sample may leave there.

    Args:
        confidence: (N,).
        threshold: (), or (K,) for each class, of the same type.
        answers: (N,) class numbers; read where there is a threshold for each.
    """
    met = threshold if threshold.ndim == 0 or answers is None else threshold[answers]
    result: NDArray[np.bool_] = confidence >= met
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class ExitRule:
    """A threshold for each stage but the last, or for each class there, and the score they are meant for.

    Attributes:
        thresholds: (M-1,) float32, as confidences are, or (M-1, K) for each class that a stage answers;
            `inf` = never leave here, and where that is so for all, the stage's head is neither run nor charged.
        score, top_k: What the thresholds are compared with, see `scores`.
        temperatures: M numbers > 0 that log-softmaxes are divided by before scoring; None = as they are.
        stage_names: M names; without them the rule fits any cascade of M stages.

    Raises:
        ValueError: A threshold is NaN or `-inf`, or a count differs.
    """

    thresholds: NDArray[np.float32]
    score: str = "max_probability"
    top_k: int = 1
    temperatures: Temperatures = None
    stage_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        thresholds = check_thresholds(self.thresholds)
        checks.one_of("score", self.score, tuple(scores.SCORES))
        put = object.__setattr__
        put(self, "top_k", checks.whole("top_k", self.top_k, 1, MAX_MACS))
        put(self, "thresholds", thresholds)
        put(self, "temperatures", check_temperatures(self.temperatures, len(thresholds) + 1))
        if self.stage_names is not None:
            put(self, "stage_names", checks.names("stage_names", self.stage_names, len(thresholds) + 1, "stage"))

    @property
    def active(self) -> NDArray[np.bool_]:
        """(M,) whether each stage's head is run: all but those whose threshold is `inf`."""
        return active_heads(self.thresholds[None], self.thresholds.ndim == 2)[0]

    @property
    def leaves_early(self) -> bool:
        """Whether any sample could leave before the last stage."""
        return bool(self.active[:-1].any())

    def leaving(self, record: Record) -> NDArray[np.int64]:
        """(N,) stage at which each sample of a record leaves.

        Raises:
            ValueError: The rule is meant for other stages or another score.
        """
        self.check_fits(record)
        return exit_stages(record.confidence, self.thresholds, record.predictions)

    def check_fits(self, record: Record) -> None:
        """Raise ValueError, saying what differs, unless this rule is meant for records like `record`."""
        check_fits(record, self.thresholds, self)


def check_thresholds(value: ArrayLike) -> NDArray[np.float32]:
    """Thresholds as float32: (M-1,), or (M-1, K).

    Raises:
        ValueError: One is NaN or `-inf`, or there are too few or too many axes.
    """
    by_class = np.ndim(value) == 2 if not isinstance(value, str) else False
    dims, shape = ("(stages - 1, classes)", (None, None)) if by_class else ("(stages - 1)", (None,))
    thresholds = checks.array("thresholds", value, np.float32, dims, shape)
    for where in np.argwhere(np.isnan(thresholds) | np.isneginf(thresholds))[:1]:
        place = f"stage {where[0]}" + (f", class {where[1]}" if by_class else "")
        raise ValueError(
            f"Expected the threshold of {place} to be a number or inf but it was {thresholds[tuple(where)]}"
        )
    return thresholds


def active_heads(thresholds: NDArray[np.float32], by_class: bool) -> NDArray[np.bool_]:
    """(G, M) whether heads are run under thresholds (G, M-1), or (G, M-1, K) by class."""
    lowest = thresholds.min(axis=2) if by_class else thresholds
    # The last stage always answers, as if its threshold were 0.
    return np.append(lowest, np.zeros((len(lowest), 1), dtype=np.float32), axis=1) < np.inf


class _Meant(Protocol):
    """What says which records thresholds are meant for."""

    @property
    def score(self) -> str: ...
    @property
    def top_k(self) -> int: ...
    @property
    def temperatures(self) -> Temperatures: ...
    @property
    def stage_names(self) -> tuple[str, ...] | None: ...


def check_fits(record: Record, thresholds: NDArray[np.float32], meant: _Meant) -> None:
    """Raise ValueError, saying what differs, unless thresholds (M-1,) or (M-1, K) so described apply to `record`."""
    if len(thresholds) + 1 != len(record.stages):
        raise ValueError(
            f"Expected a rule for {len(record.stages)} stages ({len(record.stages) - 1} thresholds) "
            f"but it is for {len(thresholds) + 1}"
        )
    if meant.stage_names is not None and meant.stage_names != record.stage_names:
        raise ValueError(
            f"Expected a rule for the stages {', '.join(record.stage_names)} but it is for "
            f"{', '.join(meant.stage_names)}"
        )
    if (meant.score, meant.top_k) != (record.score, record.top_k):
        raise ValueError(
            f"Expected a rule for the score {record.score} (top {record.top_k}) "
            f"but it is for {meant.score} (top {meant.top_k})"
        )
    if meant.temperatures != record.temperatures:
        raise ValueError(
            f"Expected a rule for the temperatures {_shown(record.temperatures)} "
            f"but it is for {_shown(meant.temperatures)}"
        )
    if thresholds.ndim == 2 and thresholds.shape[1] != record.classes:
        raise ValueError(f"Expected a rule for {record.classes} classes but it is for {thresholds.shape[1]}")


def _shown(temperatures: Temperatures) -> str:
    return "1" if temperatures is None else ", ".join(f"{t:.4g}" for t in temperatures)
