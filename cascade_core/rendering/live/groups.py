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

COARSER = (1, 2, 3, 5, 10)
"""Bins that are not told apart where there would be more groups."""

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
    exact = test.weights is None and test.n <= MOST
    own = [*path.thresholds, *np.asarray(brought, dtype=np.float32).reshape(-1, path.thresholds.shape[1])]
    if exact:
        grid, step, weights = axis.grid, 1, None
        rows = _rows(test, axis, [stage_cuts(grid, column) for column in np.array(own, dtype=np.float32).T])
        order = np.argsort(rows[0][0], kind="stable")  # neighbours alike compress better
    else:
        for step in COARSER:
            grid = axis.edges[step - 1 :: step]
            rows = _rows(test, axis, [grid] * path.thresholds.shape[1], step)
            order, weights = _merged(np.vstack(rows), test.weights)
            if len(order) <= MOST_GROUPS:
                break
        else:
            return None
    levels, last, plain, bits = rows
    return {
        "size": len(order),
        "exact": exact,
        "step": step,
        "grid": list(map(shortest, grid)),
        "brought": [[shortest(value) for value in stage] for stage in np.array(brought, dtype=np.float32).T]
        or [[] for _ in path.thresholds.T],
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


def _rows(
    test: Record, axis: ConfidenceAxis, cuts: list[NDArray[np.float32]], step: int = 1
) -> tuple[NDArray[Any], ...]:
    """(M-1, N) levels, (N,) bins at the last stage and of the plain network, (M+1, N) whether each is right."""
    early = zip(cuts, test.confidence[:-1], strict=True)
    levels = np.array([np.searchsorted(values, confidence, side="right") for values, confidence in early])
    last, plain = (axis.bins(values) // step * step for values in (test.confidence[-1], test.baseline_confidence))
    return levels, last, plain, np.vstack([test.correct, test.baseline_correct])


def _merged(kinds: NDArray[np.int64], weights: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One sample of each kind, a column of `kinds`, and how many there are of it, where entries count by `weights`."""
    codes, most = kinds[0].astype(np.int64), int(kinds[0].max()) + 1
    for row in kinds[1:]:
        size = int(row.max()) + 1
        if most * size >= 1 << 62:
            codes = np.unique(codes, return_inverse=True)[1]
            most = int(codes.max()) + 1
        codes, most = codes * size + row, most * size
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return first, np.bincount(place, weights).astype(np.int64)
