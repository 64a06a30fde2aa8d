"""A watch over the length of its log, beside what was promised: shares of exits, saving, confidences, disagreement.

Pieces are of equally many samples but the last.  What is promised comes with how far a piece of that size strays from
it by chance, which the samples that the choice was measured on have a part in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.watched import Watch
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record

PIECES = 40
"""Most pieces that are drawn."""

TWO_SIDED = 1.96
"""Standard deviations within which 95 % of pieces lie."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class WatchSeries:
    """P pieces of a log with M stages.

    Attributes:
        until: (P,) samples up to the end of each piece.
        time: (P,) the latest time up to there, in seconds since 1970; 0 where none is known.
        exits: (P, M) shares that leave at each stage.
        saving: (P,) fractions of what the plain network costs.
        confidence: (P, M) means of the samples that reach a stage; NaN where none did.
        promised_exits: (M,) shares.
        promised_saving: A fraction.
        saving_strays: (P,) how far 95 % of pieces are from the promised saving at most, while nothing changes.
    """

    until: NDArray[np.int64]
    time: Floats
    exits: Floats
    saving: Floats
    confidence: Floats
    promised_exits: Floats
    promised_saving: float
    saving_strays: Floats

    def __len__(self) -> int:
        return len(self.until)


def watch_series(watch: Watch, most: int = PIECES) -> WatchSeries:
    """What a watch knows of at most so many pieces; none where no sample has left yet."""
    held, choice = watch.series, watch.choice
    together = max(1, -(-held.pieces // most))
    starts = np.arange(0, held.pieces, together)

    def summed(name: str) -> NDArray[np.int64]:
        values: NDArray[np.int64] = getattr(held, name)[: held.pieces]
        return np.add.reduceat(values, starts, axis=0) if len(starts) else values

    exits, passed = summed("exits"), summed("passed")
    n, costs = exits.sum(axis=1), np.array(choice.costs, dtype=np.float64) / choice.baseline_macs
    promised = np.array([one["share"] for one in choice.measured["exits"]], dtype=np.float64)
    spread = np.sqrt(max(0.0, float(promised @ costs**2 - (promised @ costs) ** 2)))
    times = np.maximum.reduceat(held.until[: held.pieces], starts) if len(starts) else held.until[:0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return WatchSeries(
            until=np.cumsum(n),
            time=np.maximum.accumulate(times),
            exits=exits / n[:, None],
            saving=1 - exits @ costs / n,
            confidence=np.where(passed > 0, summed("sure") / 1e6 / passed, np.nan),
            promised_exits=promised,
            promised_saving=float(1 - promised @ costs),
            saving_strays=TWO_SIDED * spread * np.sqrt(1 / n + 1 / int(choice.measured["n"])),
        )


def reached_confidence(record: Record, rule: ExitRule) -> Floats:
    """(M,) mean confidence of the samples that reach each stage under a rule; NaN where none does."""
    exits = rule.exit_stages(record)
    reached = np.arange(len(record.stages))[:, None] <= exits
    weights = reached * (np.ones(record.entries) if record.weights is None else record.weights)
    with np.errstate(invalid="ignore"):
        result: Floats = (weights * record.confidence).sum(axis=1) / weights.sum(axis=1)
    return result


def disagreement(record: Record, rule: ExitRule) -> float:
    """Share of the samples that a rule has answered otherwise than the plain network."""
    if rule.plain:
        return 0.0
    exits = rule.exit_stages(record)
    differ = record.predictions[exits, np.arange(record.entries)] != record.baseline_predictions
    return float(np.average(differ, weights=record.weights))
