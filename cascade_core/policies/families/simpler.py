"""Families of the simpler policies: one threshold shared by all stages, and the paper's rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.paper import PaperRule
from cascade_core.policies.shared import SharedThreshold
from cascade_core.simulation.record import Record

RULES = 201


def alike(record: Record) -> NDArray[np.float32]:
    """(G, M-1) thresholds shared by all stages: quantiles of the early stages' confidences."""
    return _behind_never(SharedThreshold.path(record, SharedThreshold.positions(record, RULES)).thresholds)


def as_the_paper(record: Record) -> NDArray[np.float32]:
    """(G, M-1) thresholds of the paper's rule."""
    return _behind_never(PaperRule.path(record, PaperRule.positions(record, RULES)).thresholds)


def _behind_never(thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([np.full_like(thresholds[:1], np.inf), thresholds])
