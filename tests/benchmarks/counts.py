"""Choices from counts beside choices from the samples: ``python -m tests.benchmarks.counts [SAMPLES]``.

Made-up samples of four stages (2 million unless told) are written as a run, counted, and thresholds are chosen for the
same drops from both.  What the counts say of a choice is what it does to the samples; what was chosen from the samples
saves no more than a step of the grid leaves open.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from cascade_core import CheapestUncorrected, choose, evaluate, load_record
from cascade_core.simulation.answers import StageAnswers
from cascade_core.simulation.grid_error import a_step
from cascade_core.storage.counted import save_counted
from cascade_core.storage.streaming import count_run
from cascade_core.storage.writing import save_run
from tests.benchmarks.test_scale import plausible

SAMPLES = 2_000_000
DROPS = (0.002, 0.005, 0.01, 0.02)


def main(samples: int) -> None:
    """Print the comparison."""
    made = plausible(samples, 4)
    outputs = StageAnswers(
        predictions=made.predictions,
        confidence=made.confidence,
        labels=made.labels,
        stages=made.stages,
        class_names=("right", "wrong"),
    )
    with tempfile.TemporaryDirectory() as folder:
        run = save_run(outputs, Path(folder, "run.parquet"))
        start = time.perf_counter()
        rows, cells = count_run(run)
        seconds = time.perf_counter() - start
        counted = save_counted(cells, rows.metadata, rows.score, Path(folder, "counts.parquet"))
        exact, counts = load_record(run), load_record(counted)
    print(f"{samples:,} samples, {counts.entries:,} cells, {1e9 * seconds / samples:.0f} ns a sample")
    for drop in DROPS:
        policy = CheapestUncorrected(drop)
        own = choose(counts, policy)
        theirs, here, there = evaluate(exact, choose(exact, policy)), evaluate(counts, own), evaluate(exact, own)
        assert (here.accuracy_drop, here.saving) == (there.accuracy_drop, there.saving)
        step = a_step(counts, own.thresholds)
        print(f"drop {drop:.1%}: chosen from samples {theirs.accuracy_drop:.4%}, {theirs.saving:.3%} saved")
        print(f"    from counts {here.accuracy_drop:.4%}, {here.saving:.3%}; a step leaves open {step.saving[1]:.3%}")
        assert theirs.saving <= step.saving[1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
