"""`ExitRule` and THE exit rule: a sample exits at the first stage whose confidence reaches its threshold.

The comparison is ``>=`` in float32, in one place, `sure_enough`: the simulation uses `exit_stages` whole, whoever runs
a network uses `ExitRule.judge` stage by stage.  The last stage always answers and has no threshold.  A stage has one
threshold for all samples, or one for each class that it may answer: then a sample meets that of its own answer.  Only
this file and `paths` know of the two; all others read ``columns``, whose last axis has one entry or K.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.reach import within_reach
from cascade_core.simulation.record import Record, check_pool
from cascade_core.simulation.stages import MAX_MACS
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
    answers = np.zeros(confidence.shape, dtype=np.int64) if predictions is None else predictions
    columns = columns_of(limits, 1)
    result = np.full(confidence.shape[1], len(limits))
    # From the last to the first, so that the first stage that is sure enough has the last word.
    for stage in range(len(limits) - 1, -1, -1):
        result[sure_enough(confidence[stage], columns[stage], answers[stage])] = stage
    return result


def columns_of(thresholds: NDArray[np.floating], axes: int) -> NDArray[Any]:
    """Thresholds of `axes` axes, or of one more for classes, with that axis in any case: (..., 1), or (..., K)."""
    return thresholds if thresholds.ndim > axes else thresholds[..., None]


def met_by(columns: NDArray[Any], answers: NDArray[np.integer]) -> NDArray[Any]:
    """What samples that were answered so meet of `columns` (..., 1 or K): (..., 1) for all alike, or (..., N)."""
    return columns if columns.shape[-1] == 1 else columns[..., answers]


def sure_enough(
    confidence: NDArray[np.floating], threshold: NDArray[np.floating], answers: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """THE comparison, of one stage: whether each sample may exit there.

    Args:
        confidence: (N,).
        threshold: (1,), or (K,) for each class, of the same type.
        answers: (N,) class numbers; read where there is a threshold for each.
    """
    result: NDArray[np.bool_] = confidence >= met_by(threshold, answers)
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """What a stage says of the N samples that reach it.

    Attributes:
        answers: (N,) int64 class numbers, the largest softmax's.
        confidence: (N,) float32, under the rule's score.
        exits: (N,) bool, whether each sample exits here.
    """

    answers: NDArray[np.int64]
    confidence: NDArray[np.float32]
    exits: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExitRule:
    """A threshold for each stage but the last, or for each class there, and the score they belong to.

    Attributes:
        thresholds: (M-1,) float32, as confidences are, or (M-1, K) for each class that a stage answers;
            `inf` = never leave here; where that is so for all, and no later stage pools it, its head is neither run
            nor charged.  What no confidence reaches becomes `inf`.
        score, top_k: What the thresholds are compared with, see `scores`.
        pool: What stages answer with; None = each with its own softmax.
        stage_names: M names; without them the rule fits any cascade of M stages.

    Raises:
        ValueError: A threshold is NaN or `-inf`, or a count differs.

    Warns:
        UserWarning: No confidence reaches a threshold, such as 90 for 0.9.
    """

    thresholds: NDArray[np.float32]
    score: str = "max_probability"
    top_k: int = 1
    pool: Pool | None = None
    stage_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        thresholds = cast_thresholds(self.thresholds, "stages - 1", (None,))
        for stage, *column in np.argwhere(np.isnan(thresholds) | np.isneginf(thresholds))[:1]:
            place, value = "".join(f", class {k}" for k in column), thresholds[(stage, *column)]
            raise ValueError(f"Expected the threshold of stage {stage}{place} to be a number or inf but it was {value}")
        checks.one_of("score", self.score, tuple(scores.SCORES))
        thresholds, note = within_reach(thresholds, 1, self.score, self.stage_names)
        if note is not None:
            warnings.warn(note, stacklevel=3)
        put = object.__setattr__
        put(self, "top_k", checks.whole("top_k", self.top_k, 1, MAX_MACS))
        put(self, "thresholds", thresholds)
        check_pool(self.pool, len(thresholds) + 1)
        if self.stage_names is not None:
            put(self, "stage_names", checks.names("stage_names", self.stage_names, len(thresholds) + 1, "stage"))

    @property
    def by_class(self) -> bool:
        """Whether there is a threshold for each class."""
        return self.thresholds.ndim == 2

    @property
    def columns(self) -> NDArray[np.float32]:
        """(M-1, 1) thresholds, or (M-1, K) where there is one for each class."""
        return columns_of(self.thresholds, 1)

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """(M,) whether each stage's head is run: where a sample may leave, a later stage pools it, or it is last."""
        return _read_only(active_heads(self.columns, self.pool))

    @cached_property
    def may_exit(self) -> NDArray[np.bool_]:
        """(M,) whether a sample may leave at each stage, as all do at the last."""
        return _read_only(active_heads(self.columns))

    @property
    def exits_early(self) -> bool:
        """Whether any sample could leave before the last stage."""
        return bool(np.isfinite(self.thresholds).any())

    @property
    def plain(self) -> bool:
        """Whether the plain network is all there is: nothing leaves early, and the last stage answers by itself."""
        return self.pool is None and not self.exits_early

    def judge(self, softmaxes: NDArray[np.floating], stage: int) -> Judgement:
        """What a stage answers, how sure it is of that, and which samples exit there.

        Args:
            softmaxes: (N, K) float32 that the stage answers with, of the samples that reach it: its own, or with a pool
                what `answer` makes of them.
            stage: From 0 to M-1; at the last all samples exit.

        Raises:
            ValueError: There is no such stage, softmaxes are not (N, K), or the rule is for other classes.
        """
        probs = np.asarray(softmaxes, dtype=np.float32)
        last = checks.whole("stage", stage, 0, len(self.thresholds)) == len(self.thresholds)
        if probs.ndim != 2:
            raise ValueError(f"Expected softmaxes of shape (samples, classes) but their shape was {probs.shape}")
        self._check_classes(classes := probs.shape[1])
        if self.top_k > classes:
            raise ValueError(
                f"Expected a choice for at most the top {classes}, as there are classes, but it is for {self.top_k}"
            )
        answers = probs.argmax(axis=1)
        confidence = scores.confidence(probs, self.score, self.top_k)
        exits = np.ones(len(answers), dtype=bool) if last else sure_enough(confidence, self.columns[stage], answers)
        return Judgement(answers=answers, confidence=confidence, exits=exits)

    def lets_exit(self, confidence: float, stage: int, answer: int | None = None) -> bool:
        """Whether one sample exits at a stage that is so sure of its answer, compared as the simulation does.

        Args:
            confidence: As the rule's score has it; whoever has softmaxes calls `judge`.
            stage: From 0 to M-1; at the last all samples exit.
            answer: Its class number, which a rule with a threshold for each class reads; None = of none of the classes,
                and then it exits at the last stage alone.

        Raises:
            ValueError: There is no such stage, the confidence is no number, or the answer is none of the classes.
        """
        last = checks.whole("stage", stage, 0, len(self.thresholds)) == len(self.thresholds)
        sure = checks.in_range("confidence", confidence, -np.inf, np.inf)
        if last or (self.by_class and answer is None):
            return last
        if self.by_class:
            checks.whole("answer", answer, 0, self.thresholds.shape[1] - 1)
        known = np.array([answer or 0])
        return bool(sure_enough(np.array([sure], np.float32), self.columns[stage], known)[0])

    def answer(self, passed: Sequence[NDArray[np.float32] | None], stage: int) -> NDArray[np.float32]:
        """The softmaxes (n, K) that a stage answers with, for `judge`.

        Args:
            passed: Softmaxes (n, K) of the stages themselves, 0 to `stage`; None where the head was not run.
        """
        own = passed[stage] if self.pool is None else self.pool.answer(passed, stage)
        assert own is not None
        return own

    def threshold(self, stage: int, answer: int | None = None) -> float | None:
        """What confidence in `answer` must reach at a stage; None at the last, and where only the answer would tell."""
        if stage == len(self.thresholds) or (self.by_class and answer is None):
            return None
        return float(met_by(self.columns[stage], np.array([answer or 0]))[0])

    def exit_stages(self, record: Record) -> NDArray[np.int64]:
        """(N,) stage at which each sample of a record leaves.

        Raises:
            ValueError: The rule is for other stages or another score.
        """
        self.check_fits(record)
        return exit_stages(record.confidence, self.thresholds, record.predictions)

    def answered(self, record: Record) -> Record:
        """The record as it is answered under this rule: by the plain network where that is all there is."""
        return record.plain() if self.plain else record

    def check_stages(self, stage_names: Sequence[str]) -> None:
        """Raise ValueError unless this rule is for stages of these names, or, if it knows none, for as many."""
        own, stages = len(self.thresholds) + 1, len(stage_names)
        if own != stages:
            raise ValueError(f"Expected a rule for {stages} stages ({stages - 1} thresholds) but it is for {own}")
        if self.stage_names is not None and self.stage_names != tuple(stage_names):
            raise ValueError(
                f"Expected a rule for the stages {', '.join(stage_names)} but it is for {', '.join(self.stage_names)}"
            )

    def check_fits(self, record: Record) -> None:
        """Raise ValueError unless this rule is for the stages, score, pool and classes of `record`."""
        self.check_stages(record.stage_names)
        if (self.score, self.top_k) != (record.score, record.top_k):
            raise ValueError(
                f"Expected a rule for {_scored(record.score, record.top_k)} "
                f"but it is for {_scored(self.score, self.top_k)}"
            )
        # Where the plain network is run no pool is asked.
        if self.pool != record.pool and not self.plain:
            raise ValueError(f"Expected a rule for {_shown(record.pool)} but it is for {_shown(self.pool)}")
        self._check_classes(record.classes)

    def _check_classes(self, classes: int) -> None:
        if self.by_class and self.thresholds.shape[1] != classes:
            raise ValueError(f"Expected a choice for {classes} classes but it is for {self.thresholds.shape[1]}")


def cast_thresholds(value: ArrayLike, dims: str, shape: Sequence[int | None]) -> NDArray[np.float32]:
    """Thresholds as float32, of a shape or with one more axis for classes; ValueError if they are not."""
    if not isinstance(value, str) and np.ndim(value) == len(shape) + 1:
        dims, shape = f"{dims}, classes", (*shape, None)
    return checks.array("thresholds", value, np.float32, f"({dims})", shape)


def active_heads(columns: NDArray[np.float32], pool: Pool | None = None) -> NDArray[np.bool_]:
    """(..., M) whether heads are run under thresholds (..., M-1, 1 or K); the last, which always answers, is."""
    early = columns.min(axis=-1) < np.inf
    if pool is not None:
        early = early | pool.used_later[:-1]
    return np.concatenate([early, np.ones((*early.shape[:-1], 1), dtype=bool)], axis=-1)


def _read_only(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    flags.flags.writeable = False
    return flags


def _scored(score: str, top_k: int) -> str:
    """What confidences and answers are, of a run or a rule."""
    if score == scores.GIVEN:
        return "confidences that came with the answers, without softmaxes"
    return f"the score {score} (top {top_k})"


def _shown(pool: Pool | None) -> str:
    if pool is None:
        return "stages' own answers"
    return "answers pooled with the weights " + "; ".join(", ".join(f"{w:.4g}" for w in row) for row in pool.weights)
