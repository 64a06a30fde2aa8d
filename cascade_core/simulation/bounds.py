"""Bounds on what was measured on a finite sample: accuracy drops, and mean costs.

The full cascade and the early-exit cascade answer the same samples, so only the samples on which exactly one of them is
right (the discordant ones) carry information on the drop.  An interval holds at one rule that was fixed beforehand,
approximately; `betting_bound` holds exactly, whatever the distribution, and so may be shared out over many rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core.support import checks
from cascade_core.support.wording import percent

LEVEL = 0.95
"""Coverage of every interval that is shown or exported."""

ALPHA = 0.05
"""Probability that a certificate is wrong, or a test that a policy relies on."""

COVERAGE, CERTAINTY = percent(LEVEL), percent(1 - ALPHA)
"""The same in words: of intervals, and of certificates."""


def paired_interval(
    harmed: ArrayLike, helped: ArrayLike, n: ArrayLike, level: float = LEVEL
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence interval for the accuracy drop from the two discordant counts.

    Bonett & Price (2012), "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data", J. Educ. Behav. Stat. 37(4): one is added to each count,
    two to n, so that the interval keeps a width when the counts are zero.

    Args:
        harmed: Samples right at the last stage but wrong where they leave; any shape.
        helped: Samples wrong at the last stage but right where they leave; the same shape.
        n: All samples, one number or one for each pair of counts.
        level: Coverage, in (0, 1).

    Returns:
        Lower and upper ends, fractions in [-1, 1], in the shape of the counts.

    Raises:
        ValueError: `level` is not strictly between 0 and 1.
    """
    half = quantile(level) * paired_error(harmed, helped, n)
    middle = np.subtract(harmed, helped) / (np.asarray(n, dtype=np.float64) + 2)
    return np.maximum(middle - half, -1.0), np.minimum(middle + half, 1.0)


def paired_error(harmed: ArrayLike, helped: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Standard error of the accuracy drop, a fraction in the shape of the counts, adjusted as in `paired_interval`."""
    size = np.asarray(n, dtype=np.float64) + 2
    lost = (np.asarray(harmed, dtype=np.float64) + 1) / size
    won = (np.asarray(helped, dtype=np.float64) + 1) / size
    error: NDArray[np.float64] = np.sqrt((lost + won - (lost - won) ** 2) / size)
    return error


def mean_interval(
    counts: NDArray[np.int64], values: NDArray[np.int64], level: float = LEVEL
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence interval for the mean of values that were seen so many times, by the normal approximation.

    Args:
        counts: (..., M) times.
        values: (..., M).
        level: Coverage, in (0, 1).

    Returns:
        Lower and upper ends, (...), within the least and the greatest value; NaN where all counts are 0.
    """
    mean, error = mean_and_error(counts, values)
    half = quantile(level) * error
    return np.maximum(mean - half, values.min(axis=-1)), np.minimum(mean + half, values.max(axis=-1))


def mean_and_error(
    counts: NDArray[np.int64], values: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of values that were seen so many times, and its standard error; shapes and NaN as in `mean_interval`."""
    n = counts.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        mean = (counts * values).sum(axis=-1) / n
    variance = (counts * (values - mean[..., None]) ** 2).sum(axis=-1) / n
    return mean, np.sqrt(variance / n)


def quantile(level: float) -> float:
    """Standard errors on either side that cover `level` of a normal distribution."""
    return NormalDist().inv_cdf(0.5 + checks.inner("level", level) / 2)


def betting_bound(harmed: ArrayLike, helped: ArrayLike, sizes: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Upper bound on the accuracy drop that holds with probability at least 1 - alpha, for any distribution.

    Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting" (JRSS B, 2024): a gambler who bets
    against "the mean of x is m" with stakes that depend on the past alone gets rich with probability at most alpha if m
    is true, so that every m at which the gambler did get rich is refuted.  With l the signed gap of a sample
    (1 if leaving early harms it, -1 if it helps, else 0) and x = (l + 1) / 2, in random order:
        mu_t = (1/2 + x_1 + ... + x_t) / (t + 1)
        s2_t = (1/4 + (x_1 - mu_1)^2 + ... + (x_t - mu_t)^2) / (t + 1)
        nu_t = min(1, sqrt(2 ln(1/alpha) / (n s2_{t-1})))
        bound: the m at which max_t sum_{j<=t} ln(1 - nu_j (x_j - m)) = ln(1/alpha)
    Samples may be taken in blocks: the stake is then the same within a block and t runs over their ends, which is as
    valid and a little less tight.

    Args:
        harmed, helped: (..., B) samples of each block, in random order, with l = 1 and with l = -1.
        sizes: (B,) or (..., B) samples of each block; with blocks of one sample, the formula is as written.
        alpha: Probability of a bound below the truth, in (0, 1).

    Returns:
        (...) bounds, fractions in [-1, 1], rounded up by at most 1e-6; 1 of no samples.
    """
    worst, best = np.asarray(harmed, dtype=np.float64), np.asarray(helped, dtype=np.float64)
    same = np.asarray(sizes, dtype=np.float64) - worst - best
    return 2 * betting_mean_bound((1.0, 0.5, 0.0), (worst, same, best), alpha) - 1


def betting_mean_bound(values: Sequence[float], counts: Sequence[ArrayLike], alpha: float) -> NDArray[np.float64]:
    """Upper bound on the mean of numbers in [0, 1] that take a few values, as in `betting_bound`.

    Args:
        values: V numbers in [0, 1].
        counts: For each of them (..., B), how often it comes in each block of samples, which are in random order.
        alpha: Probability of a bound below the mean, in (0, 1).

    Returns:
        (...) bounds in [0, 1], rounded up by at most 5e-7; 1 of no samples.
    """
    seen = [(value, np.asarray(count, dtype=np.float64)) for value, count in zip(values, counts, strict=True)]
    t = np.cumsum(sum(count for _, count in seen), axis=-1)
    mu = (0.5 + np.cumsum(sum(value * count for value, count in seen), axis=-1)) / (t + 1)
    variance = (0.25 + np.cumsum(sum(count * (value - mu) ** 2 for value, count in seen), axis=-1)) / (t + 1)
    before = np.concatenate([np.full((*variance.shape[:-1], 1), 0.25), variance[..., :-1]], axis=-1)
    needed = -np.log(checks.inner("alpha", alpha))
    stake = np.minimum(1.0, np.sqrt(2 * needed / (np.maximum(t[..., -1:], 1) * before)))

    def refuted(m: NDArray[np.float64]) -> NDArray[np.bool_]:
        grown = sum(count * np.log1p(-stake * (value - m[..., None])) for value, count in seen)
        enough: NDArray[np.bool_] = np.cumsum(grown, axis=-1).max(axis=-1) >= needed
        return enough

    low, high = np.zeros(mu.shape[:-1]), np.ones(mu.shape[:-1])
    for _ in range(21):  # halvings of [0, 1], down to 5e-7
        middle = (low + high) / 2
        above = refuted(middle)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high
