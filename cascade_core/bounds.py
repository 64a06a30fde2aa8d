"""Bounds on an accuracy drop that was measured on a finite sample.

The full cascade and the early-exit cascade answer the same samples, so only the samples on which
exactly one of them is right (the discordant ones) carry information on the drop.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core import _check


def paired_interval(
    harmed: ArrayLike, helped: ArrayLike, n: int, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence interval for the accuracy drop from the two discordant counts.

    Bonett & Price (2012), "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data", J. Educ. Behav. Stat. 37(4): one is added to each count,
    two to n, so that the interval keeps a width when the counts are zero.

    Args:
        harmed: Samples right at the last stage but wrong where they leave; any shape.
        helped: Samples wrong at the last stage but right where they leave; the same shape.
        n: All samples.
        level: Coverage, in (0, 1).

    Returns:
        Lower and upper ends, fractions in [-1, 1], in the shape of the counts.

    Raises:
        ValueError: `level` is not strictly between 0 and 1.
    """
    if not 0.0 < _check.in_range("level", level, 0.0, 1.0) < 1.0:
        raise ValueError(f"Expected level to lie strictly between 0 and 1 but it was {level:g}")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    lost = (np.asarray(harmed, dtype=np.float64) + 1) / (n + 2)
    won = (np.asarray(helped, dtype=np.float64) + 1) / (n + 2)
    half = z * np.sqrt((lost + won - (lost - won) ** 2) / (n + 2))
    return np.maximum(lost - won - half, -1.0), np.minimum(lost - won + half, 1.0)
