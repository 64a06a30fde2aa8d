"""How soon `watch` raises an alarm on corrupted pictures, from exit shares alone, and how often it is fooled.

    python -m tests.benchmarks.alarms RUN CORRUPTED_RUN ... [--orders 1000] [--length 100000]

Thresholds are chosen, and exits promised, on the calibration half of RUN.  Clean orders are drawn with replacement from
its judging half; corrupted ones are the same half of each corrupted run, in random orders.  No image is in both halves.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascade_core import CheapestWithinDrop, tune
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.martingale import Martingale
from cascade_core.simulation.record import Record
from cascade_core.storage.reading import load_run

NEEDED = float(-np.log(0.05 / 2))
"""ln of the capital at which exit shares raise an alarm: they use half of 5 %."""


def exits_of(record: Record, rule: ExitRule) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Exit stages of both halves."""
    calibration, judging = record.split(0.5, 0)
    return rule.exit_stages(calibration), rule.exit_stages(judging)


def delays(calibration: NDArray[np.int64], exits: NDArray[np.int64], orders: int) -> NDArray[np.int64]:
    """(orders,) images up to the alarm in random orders; one more than there are where none came."""
    random, result = np.random.default_rng(0), np.empty(orders, dtype=np.int64)
    for order in range(orders):
        _, capital = Martingale.against(calibration).after(random.permutation(exits)[:2000], order)
        over = np.flatnonzero(capital >= NEEDED)
        result[order] = over[0] + 1 if len(over) else len(capital) + 1
    return result


def false_alarms(calibration: NDArray[np.int64], exits: NDArray[np.int64], orders: int, length: int) -> float:
    """Share of orders, drawn with replacement from clean samples, in which an alarm ever comes."""
    random, alarms = np.random.default_rng(1), 0
    for order in range(orders):
        held = Martingale.against(calibration)
        for start in range(0, length, 1 << 14):
            held, _ = held.after(random.choice(exits, min(1 << 14, length - start)), order)
        alarms += held.largest >= NEEDED
    return alarms / orders


def figures(run: Path, corrupted: Sequence[Path], orders: int, length: int) -> list[str]:
    """Lines of what was found."""
    outputs = load_run(run)
    rule = tune(outputs, CheapestWithinDrop(max_drop=0.01)).rule
    first, second = exits_of(outputs.record(rule.score, rule.top_k, rule.pool), rule)
    promised = np.bincount(first, minlength=len(rule.thresholds) + 1)
    lines = []
    for path in corrupted:
        _, exits = exits_of(load_run(path).record(rule.score, rule.top_k, rule.pool), rule)
        found = delays(promised, exits, orders)
        lines.append(f"{path.stem}: median {np.median(found):.0f} images, 95 % within {np.quantile(found, 0.95):.0f}")
    share = false_alarms(promised, second, orders, length)
    return [*lines, f"clean: alarms in {share:.1%} of {orders:,} orders of {length:,}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("corrupted", type=Path, nargs="*")
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--length", type=int, default=100_000)
    args = parser.parse_args(arguments)
    for line in figures(args.run, args.corrupted, args.orders, args.length):
        print(line)


if __name__ == "__main__":
    main()
