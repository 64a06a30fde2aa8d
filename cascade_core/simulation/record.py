"""What each stage answers on a set of samples, and how sure it is: the `Record`, which policies and evaluation read.

M stages first, then N samples, then K classes, everywhere.  Arrays are checked and cast once, here, and made read-only.
A record holds no softmaxes (`outputs` does), so that it stays small when the number of classes is large.

Of more samples than memory holds an entry is a cell of a grid of confidences (`cells`): it stands for as many samples
as its weight says, all of which reach the same thresholds of the grid and are right at the same stages.  What is
counted weighs entries; what is fitted takes single samples, drawn from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.dividing import check_split, split_indices
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.spending import Spending
from cascade_core.simulation.stages import MAX_MACS, Stage, checked_baseline, checked_stages
from cascade_core.support import checks
from cascade_core.support.terms import REFERENCES, Reference, Terms, terms

_HALF_SEED = 1

_ALL = slice(None)

APART = 1 << 17
"""Most samples that are drawn from weighted entries, half to make rules from and half to test them."""


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
        pool: What stages answer with; None = each with its own softmax.
        baseline_confidence, baseline_predictions, baseline_correct: (N,) what the plain network says, which a pool does
            not change; without them, what the last stage says.
        codes: (N,) digests of the samples, by which they are put in a pseudo-random order; without them, made when
            they are needed.
        fitted: (N,) bool, samples that the pool was fitted to, and that rules are to be made from where others are to
            test them; None = no matter which.
        held_out: The same samples, each answered by a pool that was fitted without it: what thresholds are judged on
            while they are chosen; None where no pool was fitted to these samples.
        classes: Number of classes, K; without it, as many as labels and predictions name.
        reference: What answers are compared with: "labels", or the "last stage", whose answers `labels` then are.
        spending: What each sample costs at each stage, in a unit of its own; None where samples cost alike.
        weights: (N,) int64, samples that each entry stands for, at least 1; None = one each.
        grid: For each stage but the last, the confidences that are told apart, rising: an entry has the greatest that
            its samples reach.  None where each sample has its own.
        groups: Division of the samples in each group of which limits on drops are to hold; None = in all together.
        answers_known: Whether predictions are what was answered; else all are alike, and only `correct` says more.

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
    pool: Pool | None = None
    baseline_confidence: NDArray[np.float32] = None  # type: ignore[assignment]  # likewise
    baseline_predictions: NDArray[np.int64] = None  # type: ignore[assignment]  # likewise
    baseline_correct: NDArray[np.bool_] = None  # type: ignore[assignment]  # likewise
    codes: NDArray[np.uint64] | None = None
    fitted: NDArray[np.bool_] | None = None
    held_out: Record | None = None
    classes: int = None  # type: ignore[assignment]  # likewise
    reference: Reference = "labels"
    spending: Spending | None = None
    weights: NDArray[np.int64] | None = None
    grid: tuple[NDArray[np.float32], ...] | None = None
    groups: Groups | None = None
    answers_known: bool = True

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
        if self.weights is not None:
            put(self, "weights", _checked_weights(self.weights, shape[1:]))
        put(self, "stages", checked_stages(self.stages, shape[0], self.n))
        put(self, "baseline_macs", checked_baseline(self.baseline_macs, self.stages))
        checks.one_of("score", self.score, tuple(scores.SCORES))
        checks.one_of("reference", self.reference, REFERENCES)
        put(self, "top_k", checks.whole("top_k", self.top_k, 1, MAX_MACS))
        check_pool(self.pool, shape[0])
        for what, kind in (("confidence", np.float32), ("predictions", np.int64), ("correct", np.bool_)):
            name, last = f"baseline_{what}", getattr(self, what)[-1]
            value = getattr(self, name)
            put(self, name, last if value is None else checks.array(name, value, kind, "(samples)", shape[1:]))
        if self.reference == "last stage":
            check_stand_in(self.labels, self.baseline_predictions)
        if self.groups is not None and (self.weights is not None or len(self.groups.of) != self.entries):
            raise ValueError(f"Expected groups of {self.n} single samples but they are of {len(self.groups.of)}")
        answers = (self.labels, self.predictions, self.baseline_predictions)
        named = 1 + max(int(numbers.max()) for numbers in answers)
        put(self, "classes", named if self.classes is None else checks.whole("classes", self.classes, named, MAX_MACS))

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, first to last."""
        return tuple(s.name for s in self.stages)

    @property
    def terms(self) -> Terms:
        """The words for what is measured on it."""
        return terms(self.reference)

    @property
    def entries(self) -> int:
        """Length of the arrays: the number of samples, or of the cells that stand for them."""
        return int(self.labels.shape[0])

    @cached_property
    def n(self) -> int:
        """Number of samples."""
        return self.entries if self.weights is None else int(self.weights.sum())

    @cached_property
    def half(self) -> NDArray[np.bool_]:
        """(N,) bool, a random half of the entries, the smaller if their number is odd."""
        result = np.zeros(self.entries, dtype=bool)
        result[self.shuffled(_HALF_SEED)[: self.entries // 2]] = True
        return result

    @cached_property
    def apart(self) -> tuple[Record, Record | None]:
        """The samples that rules are to be made from, and those that are to test them; without `fitted`, halves.

        Of weighted entries `APART` samples are drawn.
        """
        if self.weights is not None:
            return self.drawn(APART).apart
        chosen = self.half if self.fitted is None else self.fitted
        if chosen.all() or not chosen.any():
            return self, None
        return self.take(np.flatnonzero(chosen)), self.take(np.flatnonzero(~chosen))

    @property
    def baseline_accuracy(self) -> float:
        """Share of all samples that the plain network answers correctly, in [0, 1]."""
        return self.count(self.baseline_correct) / self.n

    @cached_property
    def stage_accuracy(self) -> NDArray[np.float64]:
        """(M,) share of all samples that each stage answers correctly, in [0, 1]."""
        if self.weights is None:
            return self.correct.mean(axis=1)
        return self.correct @ self.weights / self.n

    def count(self, members: NDArray[np.bool_]) -> int:
        """How many samples the entries stand for that are marked, (N,)."""
        return int(np.count_nonzero(members) if self.weights is None else self.weights[members].sum())

    def tally(
        self, numbers: NDArray[np.int64], size: int, members: NDArray[np.bool_] | slice = _ALL
    ) -> NDArray[np.int64]:
        """(size,) samples of each of the numbers (N,), of all entries or of those that are marked."""
        weights = None if self.weights is None else self.weights[members]
        # Sums of whole numbers are exact in float64.
        return np.bincount(numbers[members], weights, size).astype(np.int64, copy=False)

    def take(self, index: NDArray[np.int64]) -> Record:
        """The record of the entries at `index` (n,), in that order."""
        return replace(
            self,
            confidence=self.confidence[:, index],
            predictions=self.predictions[:, index],
            correct=self.correct[:, index],
            labels=self.labels[index],
            baseline_confidence=self.baseline_confidence[index],
            baseline_predictions=self.baseline_predictions[index],
            baseline_correct=self.baseline_correct[index],
            codes=None if self.codes is None else self.codes[index],
            fitted=None if self.fitted is None else self.fitted[index],
            held_out=None if self.held_out is None else self.held_out.take(index),
            spending=None if self.spending is None else self.spending.take(index),
            weights=None if self.weights is None else self.weights[index],
            groups=None if self.groups is None else self.groups.take(index),
        )

    def drawn(self, count: int, seed: int = 0) -> Record:
        """`count` different samples, each an entry of its own, drawn at random and in random order; at most all."""
        count = min(self.n, count)
        if self.weights is None:
            return self.take(self.shuffled(seed)[:count])
        places = np.random.default_rng(seed).choice(self.n, count, replace=False)
        # Samples of one cell are as many entries as were drawn of it, each of weight one.
        return replace(self, weights=None).take(np.searchsorted(np.cumsum(self.weights), places, side="right"))

    def on_grid(self, thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
        """Thresholds (G, M-1), or (G, M-1, K), each moved up to the next of the grid; `inf` above it.

        Entries reach a threshold exactly if they reach the next of the grid, so that nothing that is counted changes.
        """
        if self.grid is None:
            return thresholds
        moved = np.array(thresholds, dtype=np.float32)
        for stage, grid in enumerate(self.grid):
            moved[:, stage] = np.append(grid, np.float32(np.inf))[np.searchsorted(grid, moved[:, stage])]
        return moved

    def plain(self) -> Record:
        """The record whose last stage says what the plain network says: its own answer, whatever the pool."""
        if self.pool is None:
            return self
        last: dict[str, Any] = {
            what: np.concatenate([getattr(self, what)[:-1], getattr(self, f"baseline_{what}")[None]])
            for what in ("confidence", "predictions", "correct")
        }
        return replace(self, **last, pool=None, fitted=None, held_out=None)

    def shuffled(self, seed: int) -> NDArray[np.int64]:
        """(N,) the sample numbers in a pseudo-random order that depends on the samples and `seed`, not on their order.

        Samples are ranked by a digest of their confidences and answers, and the ranks are then permuted; so what is
        drawn by it is the same for the same set of samples, however they were stored, and whatever pool they have.
        """
        codes = digests(self.confidence, self.predictions, self.correct) if self.codes is None else self.codes
        return np.argsort(codes, kind="stable")[np.random.default_rng(seed).permutation(self.entries)]

    def split(self, fraction: float = 0.5, seed: int = 0) -> tuple[Record, Record]:
        """Divide the samples at random into a calibration record and a test record.

        Of weighted entries each sample is tossed for: those of a cell are alike, so that it matters how many of them go
        to either side, not which.

        Args:
            fraction: Share of the samples that go to calibration, in (0, 1); where they are tossed for, the chance.
            seed: Of the permutation (NumPy's PCG64); equal seeds give equal halves.

        Raises:
            ValueError: A half would be empty.
        """
        if self.weights is not None:
            return self._tossed(self.weights, fraction, seed)
        calibration, test = split_indices(self.n, fraction, seed)
        return self.take(calibration), self.take(test)

    def _tossed(self, weights: NDArray[np.int64], fraction: float, seed: int) -> tuple[Record, Record]:
        check_split(fraction, seed)
        heads = np.random.default_rng(seed).binomial(weights, fraction)
        if not 0 < heads.sum() < self.n:
            raise ValueError(f"Expected fraction to leave samples on both sides of {self.n} but {fraction:g} does not")
        one, other = (
            replace(self, weights=np.maximum(part, 1)).take(np.flatnonzero(part)) for part in (heads, weights - heads)
        )
        return one, other


def digests(
    confidence: NDArray[np.float32], predictions: NDArray[np.int64], correct: NDArray[np.bool_]
) -> NDArray[np.uint64]:
    """(N,) digests of what all stages say of each sample, (M, N) all."""
    code = np.zeros(confidence.shape[1], dtype=np.uint64)
    for row in zip(confidence, predictions, correct, strict=True):
        for part in (row[0].view(np.uint32), row[1].view(np.uint64), row[2]):
            code ^= part
            # Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014): a mixing step.
            code = (code + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
            code ^= code >> np.uint64(31)
    return code


def check_pool(pool: Pool | None, stages: int) -> None:
    """Raise ValueError unless a pool, if there is one, is of so many stages."""
    if pool is not None and len(pool.weights) != stages:
        raise ValueError(f"Expected a pool of {stages} stages but it is of {len(pool.weights)}")


def check_stand_in(labels: NDArray[np.int64], last: NDArray[np.int64]) -> None:
    """Raise ValueError unless labels (N,) are what the last stage says, (N,), where that is the reference."""
    for i in np.flatnonzero(labels != last)[:1]:
        raise ValueError(
            f"Expected labels to be the last stage's answers where these are the reference but sample {i} has "
            f"{labels[i]} where that answers {last[i]}"
        )


def _checked_weights(values: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    weights = checks.integers("weights", values, "(samples)", shape)
    for entry in np.flatnonzero(weights < 1)[:1]:
        raise ValueError(f"Expected weights of at least 1 but entry {entry} has {weights[entry]}")
    return weights
