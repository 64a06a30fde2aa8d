"""Every stage's softmax on every sample: `StageOutputs`, what a run file holds, and the records that follow from it.

Arrays are checked and cast once, here, and made read-only; the message of an error says which sample is at fault.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import Record, check_pool, digests
from cascade_core.simulation.recorded import Outputs
from cascade_core.support import checks

ROUNDED = 0.03
"""How far rounded softmaxes may sum from 1; what is imported is divided by its sum."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StageOutputs(Outputs):
    """Every stage's softmax on every sample: what one precomputation pass yields, and a run file holds.

    Attributes:
        probs: (M, N, K) float32, rows sum to 1.
        labels, stages, baseline_macs, sample_ids, class_names, source, reference, costs, spending, groups: As in
            `Outputs`.

    Raises:
        ValueError: A shape or a value does not fit; the message says which sample.
    """

    probs: NDArray[np.float32]

    def __post_init__(self) -> None:
        probs = checks.array("probs", self.probs, np.float32, "(stages, samples, classes)", (None, None, None))
        if min(probs.shape) < 1:
            raise ValueError(f"Expected probs to hold a stage, a sample and a class but it had shape {probs.shape}")
        _check_softmax(probs)
        object.__setattr__(self, "probs", probs)
        m, n, k = probs.shape
        self._check_fields(m, n, k, last=probs[-1].argmax(axis=1))

    @property
    def scores(self) -> tuple[str, ...]:
        """Those that are computed from softmaxes."""
        return scores.of_softmaxes()

    def record(self, score: str | None = None, top_k: int = 1, pool: Pool | None = None) -> Record:
        """Confidences and answers under a score, as `Outputs.record` says; the surest classes have the largest softmax.

        Raises:
            ValueError: The score is unknown, `top_k` is not from 1 to K, or the pool is of other stages.
        """
        score = checks.one_of("score", self.scores[0] if score is None else score, self.scores)
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
            reference=self.reference,
            spending=self.spending,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all softmaxes."""
        return self.probs.nbytes

    def _said(self, probs: NDArray[np.float32], score: str, top_k: int) -> dict[str, Any]:
        """Confidence, predictions and correct (m, N) of softmaxes (m, N, K)."""
        predictions = probs.argmax(axis=2)
        right = predictions == self.labels if top_k == 1 else scores.label_among_top(probs, self.labels, top_k)
        confidence = np.stack([scores.confidence(stage, score, top_k) for stage in probs])
        return {"confidence": confidence, "predictions": predictions, "correct": right}

    def without_labels(self) -> StageOutputs:
        """The same samples where the last stage's answers stand in for labels, as if there were none."""
        return replace(self, labels=None, reference=None)  # type: ignore[arg-type]  # filled in

    def take(self, index: NDArray[np.int64]) -> StageOutputs:
        """The samples at `index` (n,), in that order."""
        return replace(self, probs=self.probs[:, index], **self._taken(index))


def _check_softmax(probs: NDArray[np.float32]) -> None:
    """Raise ValueError at the first (stage, sample) whose softmax is not one."""
    for stage, rows in enumerate(probs):
        # Infinities and NaN are what is looked for, not an accident.
        with np.errstate(invalid="ignore", over="ignore"):
            sums = rows.sum(axis=1, dtype=np.float64)
            bad = np.flatnonzero(~(np.abs(sums - 1) <= scores.SUM_TOLERANCE) | (rows.min(axis=1) < 0))
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
