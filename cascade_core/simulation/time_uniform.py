"""Bounds on a share that hold at all times at once, however often one looks: a confidence sequence by a mixture.

A gambler who bets by Jeffreys' mixture against "the share is p" has, after d of n,
    ln B(d + 1/2, n - d + 1/2) / B(1/2, 1/2) - d ln p - (n - d) ln(1 - p)
as the logarithm of the capital.  It passes ln(1 / alpha) at any time with probability alpha at most if p is true
(Ville), so that the p at which it does are refuted for good.
"""

from __future__ import annotations

from math import lgamma, log

import numpy as np
from numpy.typing import NDArray


def share_bounds(found: NDArray[np.int64], n: int, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper bounds on shares, each of which holds at all times at once with probability 1 - alpha.

    Args:
        found: (...) how many of the n it befell.
        n: Samples so far.
        alpha: In (0, 1).

    Returns:
        Two (...) in [0, 1], accurate to 1e-9; 0 and 1 without samples.
    """
    counts = np.asarray(found, dtype=np.float64)
    if n == 0:
        return np.zeros(counts.shape), np.ones(counts.shape)
    gained = np.array([_mixture(float(d), n) for d in counts.ravel()]).reshape(counts.shape)
    share = counts / n

    def kept(p: NDArray[np.float64]) -> NDArray[np.bool_]:
        inside = np.clip(p, 1e-300, 1 - 1e-16)
        result: NDArray[np.bool_] = gained - counts * np.log(inside) - (n - counts) * np.log1p(-inside) < log(1 / alpha)
        return result

    ends = []
    for far in (np.zeros(counts.shape), np.ones(counts.shape)):
        inner, outer = share.copy(), far
        for _ in range(40):
            middle = (inner + outer) / 2
            inside = kept(middle)
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        ends.append(np.where(kept(far), far, outer))
    return ends[0], ends[1]


def _mixture(d: float, n: int) -> float:
    """Ln B(d + 1/2, n - d + 1/2) / B(1/2, 1/2)."""
    return lgamma(d + 0.5) + lgamma(n - d + 0.5) - lgamma(n + 1) - 2 * lgamma(0.5)
