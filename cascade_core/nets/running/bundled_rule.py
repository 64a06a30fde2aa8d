"""The rule of a cascade that leaves early: who of a batch answers at a stage, and who goes on as a smaller batch.

Needs numpy alone.  A choice holds the thresholds and the pool; what computes the stages is the caller's.  The softmax
of a stage, pooled with those before, answers the samples that are sure enough.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

SCORES = ("max_probability", "margin", "negative_entropy")
LARGEST = float(np.finfo(np.float32).max)
FLOOR = np.float32(1e-12)  # what a smaller softmax counts as where it is pooled
Array = Any  # of numpy

Compute = Callable[[int, list[Array]], tuple[Array, list[Array]]]
"""Logits (n, K) of a stage and the state after it, from its number and the state before it, arrays (n, ...); where the
rule has the stage's head off, the logits may be anything."""


class Rule:
    """Thresholds and pool.

    Args:
        stages: Their names, in order.
        classes: How many there are.
        choice: The data of its file.

    Raises:
        ValueError: It is for other stages or classes, or none; one line says what is wrong.
    """

    def __init__(self, stages: Sequence[str], classes: int, choice: dict[str, Any]) -> None:
        try:
            rule, macs = choice["rule"], [stage["cumulative_macs"] for stage in choice["stages"]]
            rows, score, top_k, version = rule["thresholds"], rule["score"], rule["top_k"], choice["schema_version"]
            names, thresholds = [row["stage"] for row in rows], [row["threshold"] for row in rows[:-1]]
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"Expected a choice as choose writes it but it lacks {error}; write it anew") from None
        if names != [*stages] or len(macs) != len(names):
            raise ValueError(f"Expected a choice for {', '.join(stages)}, not {', '.join(map(str, names))}")
        weights = _weights(rule, version, len(names))
        if score not in SCORES or not is_whole(top_k, 1, classes) or not all(is_whole(m, 0, 1 << 63) for m in macs):
            raise ValueError(f"Expected a choice with a score of {', '.join(SCORES)}, a top_k and MACs it can have")
        if {len(t) if isinstance(t, list) else 0 for t in thresholds} not in (set(), {0}, {classes}):
            raise ValueError(f"Expected a choice with one threshold a stage, or one for each of {classes} classes")
        columns = [t if isinstance(t, list) else [t] for t in thresholds]
        # Beyond float32 a threshold would become inf, which only null stands for.
        if not all(t is None or (is_number(t) and abs(t) <= LARGEST) for column in columns for t in column):
            raise ValueError("Expected a choice with float32 numbers as thresholds but some are none")
        reach = 1e-3 + (score != "negative_entropy")  # no confidence is above it, be softmaxes' sums a little off
        for t in [t for column in columns for t in column if t is not None and t > reach][:1]:
            warnings.warn(f"no confidence reaches the threshold {t:g}: it is off, as null is", stacklevel=2)
        self.thresholds = [np.array([np.inf if t is None or t > reach else t for t in c], "float32") for c in columns]
        self.weights, self.score, self.top_k, self.macs, self.classes = weights, score, top_k, macs, classes
        active = ((t < np.inf).any() or any(w[k] for w in weights[k + 1 :]) for k, t in enumerate(self.thresholds))
        self.active = [*active, True]  # whether each stage's head is run

    def route(self, images: Array, compute: Compute) -> tuple[Array, Array, Array]:
        """Class numbers, confidences and exit stages, (N,) each, of images (N, ...) as `compute` takes them."""
        return self.trace(images, compute)[:3]

    def trace(self, images: Array, compute: Compute) -> tuple[Array, Array, Array, Array]:
        """The same, and how sure each stage was, (N, M); NaN of those that were not asked."""
        images = np.ascontiguousarray(images, dtype=np.float32)
        count, last = len(images), len(self.thresholds)
        predictions, stages = np.empty(count, dtype=np.int64), np.full(count, last)
        confidences, remaining, state = np.empty(count, dtype=np.float32), np.arange(count), [images]
        passed: list[Array] = [None] * (last + 1)
        sure = np.full((count, last + 1), np.nan, dtype=np.float32)
        for number in range(last + 1 if count else 0):
            logits, state = compute(number, state)
            if not self.active[number]:
                continue
            column = self.thresholds[number] if number < last else np.zeros(1)
            passed[number] = self._probabilities(logits)
            answers, confidence = self._judged(self._answer(passed, number))
            sure[remaining, number] = confidence
            leaves = (confidence >= (column[answers] if len(column) > 1 else column)) | (number == last)
            if not leaves.any():
                continue
            exiting = remaining[leaves]
            predictions[exiting], confidences[exiting], stages[exiting] = answers[leaves], confidence[leaves], number
            if leaves.all():
                break
            remaining, state = remaining[~leaves], [part[~leaves] for part in state]
            passed = [None if part is None else part[~leaves] for part in passed]
        return predictions, confidences, stages, sure

    def audit(self, images: Array, compute: Compute) -> tuple[Array, Array, Array]:
        """What all stages say, leaving or not: confidences and answers (N, M), and the plain network's answers (N,).

        Args:
            compute: As for `route`, with the logits of every stage.
        """
        passed: list[Array] = [None] * len(self.active)
        judged, state = [], [np.ascontiguousarray(images, dtype=np.float32)]
        for number in range(len(passed)):
            logits, state = compute(number, state)
            passed[number] = self._probabilities(logits)
            judged.append(self._judged(self._answer(passed, number)))
        answers, confidences = (np.stack(part, axis=1) for part in zip(*judged, strict=True))
        return confidences, answers, passed[-1].argmax(axis=1)

    def _probabilities(self, logits: Array) -> Array:
        if logits.shape[1] != self.classes:
            raise ValueError(f"Expected logits of {self.classes} classes but {logits.shape[1]} came")
        return _softmax(logits.astype(np.float32))

    def _answer(self, passed: Sequence[Array], stage: int) -> Array:
        """Softmaxes (n, K) that a stage answers with, of those of the stages passed; None where one is not pooled."""
        *before, own = self.weights[stage]
        if own == 1 and not any(before):
            return passed[stage]
        pairs = [(np.float32(w), probs) for w, probs in zip(self.weights[stage], passed, strict=False) if w]
        return _softmax(sum((w * np.log(np.maximum(probs, FLOOR)) for w, probs in pairs), np.zeros_like(passed[stage])))

    def _judged(self, softmax: Array) -> tuple[Array, Array]:
        """Answers and confidences of softmaxes (n, K)."""
        ordered = np.sort(softmax, axis=1)[:, ::-1]
        if self.score == "margin":
            confidence = ordered[:, 0] - ordered[:, 1] if ordered.shape[1] > 1 else ordered[:, 0]
        elif self.score == "negative_entropy":
            logs = np.log(softmax, out=np.zeros_like(softmax), where=softmax > 0)
            confidence = (softmax * logs).sum(axis=1)
        else:
            confidence = ordered[:, : self.top_k].sum(axis=1) if self.top_k > 1 else ordered[:, 0]
        return softmax.argmax(axis=1), confidence


def _weights(rule: dict[str, Any], version: Any, stages: int) -> list[list[float]]:
    """The pool, a row a stage; a temperature of an earlier version is the inverse of a stage's own weight."""
    if version not in (1, 2, 3) or ("temperature" if version == 3 else "pool") in rule:
        raise ValueError("Expected a choice of version 1 or 2, without a pool, or 3, without a temperature")
    rows: Any = [[0.0] * stage + [1.0] for stage in range(stages)]
    if "temperature" in rule:
        values = rule["temperature"] if isinstance(rule["temperature"], list) else [rule["temperature"]] * stages
        rows = [[0.0] * stage + [1 / t if is_number(t) and t > 0 else math.inf] for stage, t in enumerate(values)]
    elif rule.get("pool") is not None:
        rows = rule["pool"].get("weights") if isinstance(rule["pool"], dict) else None
    if not isinstance(rows, list) or len(rows) != stages:
        raise ValueError(f"Expected a choice with weights for each of {stages} stages but it has others")
    for stage, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != stage + 1 or not all(is_number(w) and abs(w) <= 1e6 for w in row):
            raise ValueError(f"Expected a choice with {stage + 1} weights up to 1e6 at stage {stage} but it has others")
    return rows


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def is_number(value: Any) -> bool:
    """Whether JSON data is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def is_whole(value: Any, low: float, high: float) -> bool:
    """Whether JSON data is a whole number in [low, high]."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
