"""Thresholds that no confidence can reach: 90 where 0.9 was meant, or 0.4 for a score that is never above 0.

Such a threshold does what `inf` does, nothing leaves by it, and so it becomes `inf`: the head that nothing can leave at
is neither run nor charged.  A line says so to whoever set it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.scores import SCORES, SUM_TOLERANCE
from cascade_core.support import wording

SHOWN = 3
"""Most stages that are named."""


def within_reach(
    thresholds: NDArray[np.float32], axes: int, score: str, stage_names: Sequence[str] | None
) -> tuple[NDArray[np.float32], str | None]:
    """Thresholds with `inf` where no confidence of a score reaches them, and a line that says which; None for none.

    Args:
        thresholds: (..., M-1) of `axes` axes, or of one more for classes; not changed.
        stage_names: M names; None = stages have numbers.
    """
    # Softmaxes may sum to a little more than 1, and then so may their largest.
    far = np.isfinite(thresholds) & (thresholds > SCORES[score].greatest + SUM_TOLERANCE)
    if not far.any():
        return thresholds, None
    result = np.where(far, np.float32(np.inf), thresholds)
    result.setflags(write=False)
    stages = np.moveaxis(np.where(far, thresholds, -np.inf), axes - 1, 0)
    greatest = {number: float(values.max()) for number, values in enumerate(stages) if np.isfinite(values).any()}
    named = {stage_names[number] if stage_names else f"stage {number}": value for number, value in greatest.items()}
    return result, _words(named, score)


def beyond_all(
    thresholds: NDArray[np.float32], confidence: NDArray[np.float32], stage_names: Sequence[str]
) -> str | None:
    """A line on thresholds above every confidence of a run whose score has no end of its own; None for none.

    Args:
        thresholds: (M-1,), or (M-1, K) for each class.
        confidence: (M, N), as it was given.
    """
    least = thresholds.reshape(len(thresholds), -1).min(axis=1)
    greatest = confidence[:-1].max(axis=1)
    above = [
        f"{least[stage]:g} at {stage_names[stage]!r:.60}, where they end at {greatest[stage]:g}"
        for stage in np.flatnonzero(np.isfinite(least) & (least > greatest)).tolist()
    ]
    if not above:
        return None
    named = wording.listed(above, SHOWN, by="; ")
    return f"no confidence of this run reaches {named}: are they on the run's own scale?"


def _words(thresholds: Mapping[str, float], score: str) -> str:
    """One line on thresholds out of reach, by the names of their stages."""
    named = wording.listed(
        [f"{value:g} at {name!r:.60}" for name, value in thresholds.items()], SHOWN, by=" or ", last="or"
    )
    first = next(iter(thresholds.values()))
    hint = f"; for {first:g} % write {first / 100:g}" if SCORES[score].greatest == 1 and 2 <= first <= 100 else ""
    return (
        f"no confidence, here the {SCORES[score].title}, reaches {named}: such a threshold "
        f"is off and nothing leaves by it{hint}"
    )
