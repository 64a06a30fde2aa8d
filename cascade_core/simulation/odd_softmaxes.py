"""What softmaxes themselves show of a mistake: they went through a softmax twice, or are of one sample twice."""

from __future__ import annotations

from math import e

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-5
"""What float32 leaves of zero, in logarithms of softmaxes."""

COARSE = 4
"""Decimals up to which softmaxes are so coarse that those of two samples may be equal."""

SURE = 0.9999
"""Confidence from which softmaxes may be equal because float32 holds no more of them."""


def softmaxed_twice(probs: NDArray[np.float32]) -> bool:
    """Whether a stage's softmaxes are softmaxes of softmaxes.

    The softmax of values s that sum to 1 has the logarithms s - log sum(exp s), from which s follow; what was a
    softmax before then has no value below 0.  Softmaxes of trained networks have.

    Args:
        probs: (N, K).
    """
    classes = probs.shape[1]
    if classes < 2 or probs.min() <= 0 or probs.max() > e / (e + classes - 1) + ROUNDING:
        return False
    logs = np.log(probs.astype(np.float64))
    before = logs + (1 - logs.sum(axis=1, keepdims=True)) / classes
    return bool(before.min() >= -ROUNDING and before.std() > ROUNDING)


def copies(confidence: NDArray[np.float32], probs: NDArray[np.float32]) -> NDArray[np.int64]:
    """Numbers of the samples whose softmaxes an earlier sample has too, at all stages.

    Softmaxes of few decimals, or so sure that float32 rounds them to 1, are equal without being copies, and are not
    counted.

    Args:
        confidence: (M, N) the largest of each softmax.
        probs: (M, N, K).
    """
    fine = (np.round(confidence, COARSE) != confidence) & (confidence < SURE)
    telling = np.flatnonzero(fine.any(axis=0))
    if not len(telling):
        return telling
    alike = telling[_repeats(np.ascontiguousarray(confidence[:, telling].T), every=True)]
    return alike[_repeats(np.stack([probs[:, i].ravel() for i in alike]))] if len(alike) else alike


def _repeats(rows: NDArray[np.float32], every: bool = False) -> NDArray[np.bool_]:
    """(n,) whether a row stands further up too; with `every`, whether it stands anywhere else."""
    whole = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first, inverse, counts = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
    return counts[inverse] > 1 if every else first[inverse] != np.arange(len(rows))
