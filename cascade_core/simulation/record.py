"""A cascade's outputs on a set of samples: `StageOutputs` (softmaxes) and `Record` (confidences).

M stages first, then N samples, then K classes, everywhere.  Both types check and cast their arrays
once, here, and make them read-only.  A `Record` is all that policies and evaluation read; it holds
no softmaxes, so that it stays small when the number of classes is large.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.support import checks

MAX_MACS = 1 << 53
"""Most MACs of a stage: every JSON reader holds whole numbers up to here exactly."""

SUM_TOLERANCE = 1e-3
"""How far a softmax may sum from 1; float32 rounding stays well below, wrong axes and logits do not."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A piece of the trunk followed by a head; MACs are multiply-accumulates for one sample.

    Raises:
        ValueError: The name is empty, or a cost is not a whole number from 0 to `MAX_MACS`.
    """

    name: str
    trunk_macs: int
    head_macs: int

    def __post_init__(self) -> None:
        checks.names("Stage.name", (self.name,), 1, "stage")
        for what in ("trunk_macs", "head_macs"):
            value = checks.whole(f"{what} of stage {self.name!r}", getattr(self, what), 0, MAX_MACS)
            object.__setattr__(self, what, value)


def exit_costs(stages: Sequence[Stage], active: NDArray[np.bool_], baseline_macs: int) -> NDArray[np.int64]:
    """MACs of a sample that leaves at each stage: every trunk piece up to it, and every active head.

    Where no head but the last is active there is no cascade to run, and all samples cost what the plain network does;
    for a cascade of models, or with a ladder beside the trunk, that is less than all trunk pieces.

    Args:
        active: (..., M) bool, whether a stage's head is run; a head that can never accept is not.

    Returns:
        (..., M) int64.
    """
    trunk = np.array([s.trunk_macs for s in stages], dtype=np.int64)
    head = np.array([s.head_macs for s in stages], dtype=np.int64)
    costs: NDArray[np.int64] = np.cumsum(trunk + head * active, axis=-1)
    costs[..., -1] = np.where(active[..., :-1].any(axis=-1), costs[..., -1], baseline_macs)
    return costs


def _stages(stages: Sequence[Stage], count: int, n: int) -> tuple[Stage, ...]:
    checks.names("stages", [s.name for s in stages], count, "stage")
    total = sum(s.trunk_macs + s.head_macs for s in stages)
    if total * n >= 1 << 63:
        raise ValueError(f"Expected MACs that can be added up over {n} samples but the stages have {total} in all")
    return tuple(stages)


def _baseline(value: int | None, stages: Sequence[Stage]) -> int:
    if value is None:
        value = sum(s.trunk_macs for s in stages) + stages[-1].head_macs
    return checks.whole("baseline_macs", value, 1, MAX_MACS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """Each stage's confidence and answer on each sample, with the stages' costs.

    Attributes:
        confidence: (M, N) float32; larger is surer.
        predictions: (M, N) int64 class numbers.
        correct: (M, N) bool.
        labels: (N,) int64 class numbers.
        stages: M stages, first to last.
        baseline_macs: MACs of the plain network that would be run instead; without it, all trunk
            pieces and the last head.
        score, top_k: What `confidence` is, see `scores`.
        temperatures: What softmaxes were scaled by before they were scored; None = not at all.
        classes: Number of classes, K; without it, as many as labels and predictions name.

    Raises:
        ValueError: A shape or a value does not fit.
    """

    confidence: NDArray[np.float32]
    predictions: NDArray[np.int64]
    correct: NDArray[np.bool_]
    labels: NDArray[np.int64]
    stages: tuple[Stage, ...]
    baseline_macs: int = None  # type: ignore[assignment]  # filled in below, never None afterwards
    score: str = "max_probability"
    top_k: int = 1
    temperatures: scores.Temperatures = None
    classes: int = None  # type: ignore[assignment]  # likewise

    def __post_init__(self) -> None:
        confidence = checks.array("confidence", self.confidence, np.float32, "(stages, samples)", (None, None))
        shape = confidence.shape
        if shape[0] < 1 or shape[1] < 1:
            raise ValueError(f"Expected confidence to hold at least one stage and one sample but it had shape {shape}")
        finite = np.isfinite(confidence)
        if not finite.all():
            stage, sample = np.argwhere(~finite)[0]
            value = confidence[stage, sample]
            raise ValueError(f"Expected confidence to be finite but it is {value} at stage {stage}, sample {sample}")
        put = object.__setattr__
        put(self, "confidence", confidence)
        put(self, "predictions", checks.integers("predictions", self.predictions, "(stages, samples)", shape))
        put(self, "correct", checks.array("correct", self.correct, np.bool_, "(stages, samples)", shape))
        put(self, "labels", checks.integers("labels", self.labels, "(samples)", shape[1:]))
        put(self, "stages", _stages(self.stages, *shape))
        put(self, "baseline_macs", _baseline(self.baseline_macs, self.stages))
        checks.one_of("score", self.score, tuple(scores.SCORES))
        put(self, "top_k", checks.whole("top_k", self.top_k, 1, MAX_MACS))
        put(self, "temperatures", scores.check_temperatures(self.temperatures, shape[0]))
        named = 1 + max(int(self.labels.max()), int(self.predictions.max()))
        put(self, "classes", named if self.classes is None else checks.whole("classes", self.classes, named, MAX_MACS))

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, first to last."""
        return tuple(s.name for s in self.stages)

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.labels.shape[0])

    @cached_property
    def stage_accuracy(self) -> NDArray[np.float64]:
        """(M,) share of all samples that each stage answers correctly, in [0, 1]."""
        return self.correct.mean(axis=1)

    def take(self, index: NDArray[np.int64]) -> Record:
        """The record of the samples at `index` (n,), in that order."""
        return replace(
            self,
            confidence=self.confidence[:, index],
            predictions=self.predictions[:, index],
            correct=self.correct[:, index],
            labels=self.labels[index],
        )

    def shuffled(self, seed: int) -> NDArray[np.int64]:
        """(N,) the sample numbers in a pseudo-random order that depends on the samples and `seed`, not on their order.

        Samples are ranked by a digest of their confidences and answers, and the ranks are then permuted; so what is
        drawn by it is the same for the same set of samples, however they were stored.
        """
        code = np.zeros(self.n, dtype=np.uint64)
        for confidence, predictions, correct in zip(self.confidence, self.predictions, self.correct, strict=True):
            for part in (confidence.view(np.uint32), predictions.view(np.uint64), correct):
                code ^= part
                # Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014): a mixing step.
                code = (code + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
                code ^= code >> np.uint64(31)
        return np.argsort(code, kind="stable")[np.random.default_rng(seed).permutation(self.n)]

    def split(self, fraction: float = 0.5, seed: int = 0) -> tuple[Record, Record]:
        """Divide the samples at random into a calibration record and a test record.

        Args:
            fraction: Share of the samples that go to calibration, in (0, 1).
            seed: Of the permutation (NumPy's PCG64); equal seeds give equal halves.

        Raises:
            ValueError: A half would be empty.
        """
        calibration, test = split_indices(self.n, fraction, seed)
        return self.take(calibration), self.take(test)


def split_indices(n: int, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sample numbers of the calibration part and of the test part, each in rising order.

    Raises:
        ValueError: `fraction` is outside [0, 1], a part would be empty, or `seed` is not a whole number >= 0.
    """
    checks.whole("seed", seed, 0, (1 << 64) - 1)
    checks.in_range("fraction", fraction, 0.0, 1.0)
    size = math.floor(n * fraction + 0.5)
    if not 0 < size < n:
        raise ValueError(f"Expected fraction to leave samples on both sides of {n} but {fraction:g} takes {size}")
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[:size]), np.sort(order[size:])


@dataclass(frozen=True, kw_only=True, eq=False)
class StageOutputs:
    """Every stage's softmax on every sample: what one precomputation pass yields, and a run file holds.

    Attributes:
        probs: (M, N, K) float32, rows sum to 1.
        labels: (N,) int64 class numbers, in [0, K).
        stages: M stages, first to last.
        baseline_macs: MACs of the plain network that would be run instead (for a cascade of models
            the last model alone); without it, all trunk pieces and the last head.
        sample_ids: (N,) texts, such as file names; without them, the sample numbers.
        class_names: K texts; without them, the class numbers.
        source: Where the run came from (network, weights digest, data set, versions, ...), as JSON data.

    Raises:
        ValueError: A shape or a value does not fit; the message says which sample.
    """

    probs: NDArray[np.float32]
    labels: NDArray[np.int64]
    stages: tuple[Stage, ...]
    baseline_macs: int = None  # type: ignore[assignment]  # filled in below, never None afterwards
    sample_ids: NDArray[np.str_] = None  # type: ignore[assignment]  # likewise
    class_names: tuple[str, ...] = None  # type: ignore[assignment]  # likewise
    source: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        probs = checks.array("probs", self.probs, np.float32, "(stages, samples, classes)", (None, None, None))
        m, n, k = probs.shape
        if min(m, n, k) < 1:
            raise ValueError(f"Expected probs to hold a stage, a sample and a class but it had shape {probs.shape}")
        _check_softmax(probs)
        labels = checks.integers("labels", self.labels, "(samples)", (n,))
        outside = np.flatnonzero((labels < 0) | (labels >= k))
        if outside.size:
            i = int(outside[0])
            raise ValueError(f"Expected labels to be from 0 to {k - 1} but sample {i} has {labels[i]}")
        ids = np.arange(n).astype(str) if self.sample_ids is None else np.asarray(self.sample_ids).astype(str)
        if ids.shape != (n,):
            raise ValueError(f"Expected sample_ids to have shape ({n},) (samples) but it had shape {ids.shape}")
        ids.setflags(write=False)
        classes = [str(c) for c in range(k)] if self.class_names is None else self.class_names
        put = object.__setattr__
        put(self, "probs", probs)
        put(self, "labels", labels)
        put(self, "stages", _stages(self.stages, m, n))
        put(self, "baseline_macs", _baseline(self.baseline_macs, self.stages))
        put(self, "sample_ids", ids)
        put(self, "class_names", checks.names("class_names", classes, k, "class"))
        put(self, "source", _json_data("source", self.source))

    def record(
        self, score: str = "max_probability", top_k: int = 1, temperatures: Sequence[float] | None = None
    ) -> Record:
        """Confidences and answers under a score.

        Args:
            score: A name in `scores.SCORES`.
            top_k: An answer is the `top_k` largest classes, right if the label is among them.
            temperatures: M numbers > 0 that log-softmaxes are divided by first, see `calibration`; answers stay.

        Raises:
            ValueError: The score is unknown, `top_k` is not from 1 to K, or there is not a temperature for each stage.
        """
        m, _, classes = self.probs.shape
        k, scaling = checks.whole("top_k", top_k, 1, classes), scores.check_temperatures(temperatures, m)
        predictions = self.probs.argmax(axis=2)
        return Record(
            confidence=np.stack(
                [scores.confidence(scores.tempered(p, scaling, i), score, k) for i, p in enumerate(self.probs)]
            ),
            predictions=predictions,
            correct=predictions == self.labels if k == 1 else scores.label_among_top(self.probs, self.labels, k),
            temperatures=scaling,
            classes=classes,
            labels=self.labels,
            stages=self.stages,
            baseline_macs=self.baseline_macs,
            score=score,
            top_k=k,
        )

    def take(self, index: NDArray[np.int64]) -> StageOutputs:
        """The samples at `index` (n,), in that order."""
        return replace(self, probs=self.probs[:, index], labels=self.labels[index], sample_ids=self.sample_ids[index])


def _json_data(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` as it would come back from a file, so that what cannot be written is refused at once."""
    try:
        return json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected {name} to be a mapping of JSON data but {error}") from None


def _check_softmax(probs: NDArray[np.float32]) -> None:
    """Raise ValueError at the first (stage, sample) whose softmax is not one."""
    for stage, rows in enumerate(probs):
        # Infinities and NaN are what is looked for, not an accident.
        with np.errstate(invalid="ignore", over="ignore"):
            sums = rows.sum(axis=1, dtype=np.float64)
            bad = np.flatnonzero(~(np.abs(sums - 1) <= SUM_TOLERANCE) | (rows.min(axis=1) < 0))
        if bad.size:
            i = int(bad[0])
            raise ValueError(
                f"Expected probs to be softmaxes (no negative value, each row summing to 1) "
                f"but stage {stage}, sample {i} sums to {sums[i]:.6g} "
                f"with least value {rows[i].min():.6g} at class {rows[i].argmin()}"
            )
