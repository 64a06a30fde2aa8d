"""Every stage's softmax on every sample: `StageOutputs`, what a run file holds, and the records that follow from it.

Arrays are checked and cast once, here, and made read-only; the message of an error says which sample is at fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import Record, check_pool, digests
from cascade_core.simulation.stages import Stage, checked_baseline, checked_stages
from cascade_core.support import checks

SUM_TOLERANCE = 1e-3
"""How far a softmax may sum from 1; float32 rounding stays well below, wrong axes and logits do not."""

ROUNDED = 0.03
"""How far rounded softmaxes may sum from 1; what is imported is divided by its sum."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StageOutputs:
    """Every stage's softmax on every sample: what one precomputation pass yields, and a run file holds.

    Attributes:
        probs: (M, N, K) float32, rows sum to 1.
        labels: (N,) int64 class numbers, in [0, K).
        stages: M stages, first to last.
        baseline_macs: MACs of the plain network that would be run instead (for a cascade of models
            the last model alone); without it, all trunk pieces and the last head.
        sample_ids: (N,) different texts, such as file names; without them, the sample numbers.
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
            hint = "; they seem to count from 1: subtract it" if labels.min() == 1 and labels.max() == k else ""
            raise ValueError(f"Expected labels to be from 0 to {k - 1} but sample {i} has {labels[i]}{hint}")
        ids = np.arange(n).astype(str) if self.sample_ids is None else np.asarray(self.sample_ids).astype(str)
        if ids.shape != (n,):
            raise ValueError(f"Expected sample_ids to have shape ({n},) (samples) but it had shape {ids.shape}")
        _check_ids(ids)
        ids.setflags(write=False)
        classes = [str(c) for c in range(k)] if self.class_names is None else self.class_names
        put = object.__setattr__
        put(self, "probs", probs)
        put(self, "labels", labels)
        put(self, "stages", checked_stages(self.stages, m, n))
        put(self, "baseline_macs", checked_baseline(self.baseline_macs, self.stages))
        put(self, "sample_ids", ids)
        put(self, "class_names", checks.names("class_names", classes, k, "class"))
        put(self, "source", _json_data("source", self.source))

    def record(self, score: str = "max_probability", top_k: int = 1, pool: Pool | None = None) -> Record:
        """Confidences and answers under a score.

        Args:
            score: A name in `scores.SCORES`.
            top_k: An answer is the `top_k` largest classes, right if the label is among them.
            pool: What stages answer with; None = each with its own softmax.

        Raises:
            ValueError: The score is unknown, `top_k` is not from 1 to K, or the pool is of other stages.
        """
        m, _, classes = self.probs.shape
        k = checks.whole("top_k", top_k, 1, classes)
        check_pool(pool, m)
        own = self._said(self.probs, score, k)
        said = own if pool is None else self._said(pool.apply(self.probs), score, k)
        return Record(
            **said,
            **{f"baseline_{what}": values[-1] for what, values in own.items()},
            pool=pool,
            codes=None if pool is None else digests(**own),
            classes=classes,
            labels=self.labels,
            stages=self.stages,
            baseline_macs=self.baseline_macs,
            score=score,
            top_k=k,
        )

    def _said(self, probs: NDArray[np.float32], score: str, top_k: int) -> dict[str, Any]:
        """Confidence, predictions and correct (m, N) of softmaxes (m, N, K)."""
        predictions = probs.argmax(axis=2)
        right = predictions == self.labels if top_k == 1 else scores.label_among_top(probs, self.labels, top_k)
        confidence = np.stack([scores.confidence(stage, score, top_k) for stage in probs])
        return {"confidence": confidence, "predictions": predictions, "correct": right}

    def take(self, index: NDArray[np.int64]) -> StageOutputs:
        """The samples at `index` (n,), in that order."""
        return replace(self, probs=self.probs[:, index], labels=self.labels[index], sample_ids=self.sample_ids[index])


def _json_data(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` as it would come back from a file, so that what cannot be written is refused at once."""
    try:
        return json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected {name} to be a mapping of JSON data but {error}") from None


def _check_ids(ids: NDArray[np.str_]) -> None:
    """Raise ValueError where an id repeats: the same sample would choose thresholds and measure them."""
    _, first, counts = np.unique(ids, return_index=True, return_counts=True)
    if len(first) < len(ids):
        i = int(first[counts > 1].min())
        again = int(np.flatnonzero(ids == ids[i])[1])
        raise ValueError(
            f"Expected each sample to have an id of its own in sample_ids but {len(ids) - len(first):,} of "
            f"{len(ids):,} repeat one: sample {again} has {str(ids[i])[:40]!r} as sample {i} does; leave each in once"
        )


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
                f"with least value {rows[i].min():.6g} at class {rows[i].argmin()}{_remedy(rows, sums)}"
            )


def _remedy(rows: NDArray[np.float32], sums: NDArray[np.float64]) -> str:
    """What to do with a stage's rows that are no softmaxes, where that shows."""
    if rows.min() >= 0 and abs(sums - 1).max() <= ROUNDED:
        return "; they look rounded: divide each row by its sum"
    return "; they look like logits: take their softmax" if rows.min() < 0 and np.isfinite(sums).all() else ""
