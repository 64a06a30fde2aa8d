"""The test samples for the live panel, so that any thresholds can be counted in the browser.

A sample's confidence at a stage is sent as its level, the number of that stage's cuts that it reaches; cuts are all
thresholds that may be set there.  Of more than `MOST` samples, those alike are merged into groups with a weight, and
cuts are the edges of the histograms' bins alone.  Right and wrong answers are single bits; no id, label or softmax is
sent.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration
from cascade_core.rendering.axes import ConfidenceAxis
from cascade_core.simulation.record import Record
from cascade_core.storage.choice import shortest

MOST = 120_000
"""Samples that are sent one by one: the browser counts so many within a frame."""

MOST_GROUPS = 250_000
"""Groups of samples that are sent."""

Thresholds = Sequence[float]
"""Of the stages but the last; infinite: nothing leaves."""


def live_groups(
    exploration: Exploration, axis: ConfidenceAxis, brought: Sequence[Thresholds] = ()
) -> dict[str, Any] | None:
    """What the panel counts thresholds by; None if each class has its own, or there are too many kinds of samples.

    Args:
        brought: Thresholds that come from elsewhere, and can be set exactly too.
    """
    path, test = exploration.path, exploration.test
    if path.by_class or len(test.stages) == 1:
        return None
    exact = test.n <= MOST
    own = [*path.thresholds, *np.asarray(brought, dtype=np.float32).reshape(-1, path.thresholds.shape[1])]
    grid = axis.grid if exact else axis.edges
    cuts = [stage_cuts(grid, column if exact else ()) for column in np.array(own, dtype=np.float32).T]
    levels, last, plain, bits = _rows(test, axis, cuts)
    weights = None
    if exact:
        order = np.argsort(levels[0], kind="stable")  # neighbours alike compress better
    else:
        kinds = np.vstack([levels, last, plain, bits]).T
        order, weights = _merged(kinds)
        if len(order) > MOST_GROUPS:
            return None
    return {
        "size": len(order),
        "exact": exact,
        "grid": list(map(shortest, grid)),
        "brought": [[shortest(value) for value in stage] for stage in np.array(brought, dtype=np.float32).T]
        or [[] for _ in cuts],
        "levels": text_of(levels[:, order], "uint16"),
        "last": text_of(last[order], "uint8"),
        "plain": text_of(plain[order], "uint8"),
        "right": text_of(np.packbits(bits[:, order], bitorder="little"), "uint8"),
        "weights": None if weights is None else text_of(weights, "uint32"),
    }


def stage_cuts(grid: NDArray[np.float32], own: Sequence[float] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Thresholds that may be set at a stage, rising: those of the grid, and the finite ones of `own`."""
    more = np.asarray(own, dtype=np.float32)
    return np.unique(np.concatenate([grid, more[np.isfinite(more)]]))


def text_of(values: NDArray[Any], dtype: str) -> str:
    """Base64 of whole numbers, little-endian."""
    return base64.b64encode(values.astype(np.dtype(dtype).newbyteorder("<")).tobytes()).decode("ascii")


def _rows(test: Record, axis: ConfidenceAxis, cuts: list[NDArray[np.float32]]) -> tuple[NDArray[Any], ...]:
    """(M-1, N) levels, (N,) bins at the last stage and of the plain network, (M+1, N) whether each is right."""
    early = zip(cuts, test.confidence[:-1], strict=True)
    levels = np.array([np.searchsorted(values, confidence, side="right") for values, confidence in early])
    last, plain = axis.bins(test.confidence[-1]), axis.bins(test.baseline_confidence)
    return levels, last, plain, np.vstack([test.correct, test.baseline_correct])


def _merged(kinds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One sample of each kind, and how many there are of it."""
    sizes = kinds.max(axis=0) + 1
    codes = np.zeros(len(kinds), dtype=np.int64)
    for column, size in zip(kinds.T, sizes, strict=True):
        # Renumbered on the way, so that codes stay small.
        codes = np.unique(codes * size + column, return_inverse=True)[1]
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return first, counts
