"""Pooled answers: a stage answers with the softmaxes of all stages that were passed, not with its own alone.

Stage m answers with softmax(sum over j <= m of weights[m][j] log p_j), a logarithmic opinion pool; Wołczyk et al.,
"Zero Time Waste" (arXiv 2106.05409), pool early exits geometrically too.  One weight for each stage passed is fitted by
likelihood on calibration samples, drawn towards the stage's own softmax by a ridge.  The first stage has passed none
and keeps its own softmax.

What stands here is used as it is by the simulation and by whoever runs the network, so that both give the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.support import checks

FLOOR = np.float32(1e-12)
"""What a smaller softmax counts as: one stage that is sure by rounding alone must not silence all others."""

LARGEST_WEIGHT = 1e6
"""Up to here weighted float32 log-softmaxes stay finite."""

RIDGE = 10.0
"""How strongly weights are drawn towards a stage's own softmax: as by a prior of variance 1 / 10, which some hundred
samples need and thousands outweigh."""

STEPS = 50
"""Most steps of Newton's method; a handful is usual."""


def log_softmax(probs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural logarithms of softmaxes of any shape, none below that of `FLOOR`."""
    return np.log(np.maximum(probs, FLOOR))


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Weights of the stages passed in each stage's answer.

    Attributes:
        weights: M rows, row m of m + 1 finite numbers.

    Raises:
        ValueError: A row has another length, its weights are all 0, or one is no number from
            -`LARGEST_WEIGHT` to `LARGEST_WEIGHT`.
    """

    weights: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        rows = []
        for stage, row in enumerate(self.weights):
            name = f"weights of stage {stage + 1}"
            values = checks.array(name, row, np.float64, "(stages passed)", (stage + 1,))
            # Written so that NaN is refused too.
            if not (np.abs(values) <= LARGEST_WEIGHT).all():
                raise ValueError(
                    f"Expected {name} from {-LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g} but they were "
                    f"{', '.join(f'{value:g}' for value in values)}"
                )
            if not values.any():
                raise ValueError(f"Expected {name} with one at least that is not 0 but all {len(values)} were 0")
            rows.append(tuple(values.tolist()))
        object.__setattr__(self, "weights", tuple(rows))

    @classmethod
    def own(cls, stages: int) -> Pool:
        """The pool of `stages` stages in which each answers with its own softmax."""
        return cls(weights=tuple((*[0.0] * stage, 1.0) for stage in range(stages)))

    @property
    def used_later(self) -> NDArray[np.bool_]:
        """(M,) whether a later stage's answer uses the softmax of a stage, whose head is then run in any case."""
        count = len(self.weights)
        return np.array([any(row[stage] for row in self.weights[stage + 1 :]) for stage in range(count)], dtype=bool)

    def answer(
        self, passed: Sequence[NDArray[np.float32] | None] | NDArray[np.float32], stage: int
    ) -> NDArray[np.float32]:
        """The softmaxes that a stage answers with.

        Args:
            passed: Softmaxes (n, K) of stages 0 to `stage`; None where the pool does not use one.

        Returns:
            (n, K) float32.
        """
        *before, own = self.weights[stage]
        softmaxes = passed[stage]
        assert softmaxes is not None
        if own == 1.0 and not any(before):
            return softmaxes
        total = np.zeros_like(softmaxes)
        for weight, probs in zip(self.weights[stage], passed, strict=False):
            if weight and probs is not None:
                total += np.float32(weight) * log_softmax(probs)
        return _softmax(total)

    def apply(self, probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The softmaxes that all stages answer with, (M, N, K), of their own, (M, N, K)."""
        return np.stack([self.answer(probs[: stage + 1], stage) for stage in range(len(probs))])


def fit_pool(
    probs: NDArray[np.float32],
    labels: NDArray[np.int64],
    heads: NDArray[np.bool_] | None = None,
    near: Pool | None = None,
) -> Pool:
    """The pool under which calibration labels are most likely, with a ridge towards each stage's own softmax.

    Args:
        probs: (M, N, K) softmaxes of the stages.
        labels: (N,) class numbers.
        heads: (M,) which stages may be pooled by later ones; None = all.
        near: A pool of the same heads that was fitted to much the same samples; it is found sooner from there.
    """
    logs = log_softmax(probs).astype(np.float64)
    pooled = np.ones(len(probs), dtype=bool) if heads is None else heads
    rows: list[tuple[float, ...]] = [(1.0,)]
    for stage in range(1, len(probs)):
        row = np.zeros(stage + 1)
        used = np.append(np.flatnonzero(pooled[:stage]), stage)
        start = None if near is None else np.array(near.weights[stage])[used]
        row[used] = _fit_row(logs[used], labels, start)
        rows.append(tuple(row.tolist()))
    return Pool(weights=tuple(rows))


def _fit_row(
    logs: NDArray[np.float64], labels: NDArray[np.int64], start: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Weights (m + 1,) that minimise the convex loss below, by Newton's method with halved steps."""
    own = np.eye(len(logs))[-1]
    of_label = logs[:, np.arange(len(labels)), labels]
    weights = own if start is None else start
    loss, probs = _loss(logs, of_label, weights, own)
    for _ in range(STEPS):
        likely = logs * probs
        expected = likely.sum(axis=2)
        gradient = (expected - of_label).sum(axis=1) + RIDGE * (weights - own)
        curvature = np.einsum("ink,jnk->ij", likely, logs) - expected @ expected.T
        step = np.linalg.solve(curvature + RIDGE * np.eye(len(own)), gradient)
        if gradient @ step < 1e-12 * max(1.0, loss):
            break
        scale = 1.0
        while (tried := _loss(logs, of_label, weights - scale * step, own))[0] > loss and scale > 1e-9:
            scale /= 2
        weights = weights - scale * step
        loss, probs = tried
    return np.clip(weights, -LARGEST_WEIGHT, LARGEST_WEIGHT)


def _loss(
    logs: NDArray[np.float64], of_label: NDArray[np.float64], weights: NDArray[np.float64], own: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Negative log-likelihood of the labels plus the ridge, and the pooled softmaxes (N, K)."""
    total = np.tensordot(weights, logs, axes=1)
    top = total.max(axis=1)
    raised = np.exp(total - top[:, None])
    sums = raised.sum(axis=1)
    likelihood = np.log(sums) + top - weights @ of_label
    return float(likelihood.sum() + RIDGE / 2 * ((weights - own) ** 2).sum()), raised / sums[:, None]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float32] = raised / raised.sum(axis=-1, keepdims=True)
    return result
