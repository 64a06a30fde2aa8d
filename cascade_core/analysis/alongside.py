"""Several sweeps at one drop, or at one cost: the position at which each comes nearest to it, on the test samples."""

from __future__ import annotations

import numpy as np

from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import MACS, Meter, along


def nearest_drop(result: Evaluation, drop: float, meter: Meter = MACS) -> int:
    """Position of a path whose accuracy drop, a fraction, is nearest to `drop`; the cheapest of several."""
    return _nearest(result.accuracy_drop, drop, along(meter, result))


def nearest_saving(result: Evaluation, saving: float, meter: Meter = MACS) -> int:
    """Position of a path whose saving, a share of the plain network's, is nearest; the most accurate of several."""
    return _nearest(1 - along(meter, result) / meter.plain(result), saving, result.accuracy_drop)


def _nearest(values: np.ndarray, wish: float, rather: np.ndarray) -> int:
    """The first of those nearest to a wish of whose `rather` is least."""
    return int(np.lexsort((rather, np.abs(values - wish)))[0])
