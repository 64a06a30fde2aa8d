"""Exits that `build` searches for beside those of each single kind: what they save, and how long they took to fit.

    python -m tests.benchmarks.head_families --network cifar-resnet20=resnet20.th --out FOLDER \\
        --train-data imagefolder:cifar/train --data imagefolder:cifar/test

builds a run with heads of each kind at the network's own places, then one with `--heads auto`, by the same command
with the same images; a kind that is in the folder already is not built again, and one that was stopped goes on.  Each
run is divided in halves ten times, `CheapestWithinDrop` chooses on one and the other judges, and savings are read from
the mean curve at realised drops.  Minutes are of the processor: told of one thread (`OMP_NUM_THREADS=1`) they hardly
depend on what else computes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from cascade_core import CheapestWithinDrop, load_run, split_indices
from cascade_core.nets.heads.families import PRESETS
from cascade_core.nets.recording.build import build_run
from cascade_core.nets.recording.searching import AUTO
from cascade_core.policies.answers import Halves
from cascade_core.simulation.recorded import Outputs
from tests.benchmarks.averages import Average, Division, averaged, plain_first, saved_at
from tests.benchmarks.readme_figures import DIVISIONS, POSITIONS, line

DROPS = (0.0, 0.005, 0.01)
"""Realised, fractions."""

KINDS = (*PRESETS, AUTO)


def build_timed(kind: str, network: str, folder: Path, train_data: str, data: str, size: int | None = None) -> float:
    """Build the run `kind`.parquet of a folder unless it is there; the processor's seconds, all stopped ones too."""
    wishes = {} if size is None else {"size": size}
    run, noted = folder / f"{kind}.parquet", folder / f"{kind}.seconds.json"
    seconds = float(json.loads(noted.read_text())) if noted.exists() else 0.0
    if not run.exists():
        start = time.process_time()
        try:
            build_run([network], train_data=train_data, data=data, out=str(run), heads=kind, wishes=wishes)
        finally:
            seconds += time.process_time() - start
            noted.write_text(json.dumps(seconds))
    return seconds


def divisions_of(outputs: Outputs, divisions: int = DIVISIONS) -> list[Division]:
    """In each division the plain network, then the rules along the slider."""
    n, result = len(outputs.labels), []
    for seed in range(divisions):
        calibration, test = split_indices(n, 0.5, seed)
        divided = Halves(outputs=outputs, calibration=calibration, test=test).divided(CheapestWithinDrop)
        positions = CheapestWithinDrop.positions(divided.calibration, POSITIONS)
        rules = CheapestWithinDrop.path(divided.calibration, positions).thresholds
        result.append(Division(samples=test, record=divided.test, path=plain_first(divided.test, rules)))
    return result


def savings(outputs: Outputs, divisions: int = DIVISIONS) -> list[Average]:
    """At each drop of `DROPS`."""
    judged = divisions_of(outputs, divisions)
    return [averaged(saved_at(drop, judged), len(outputs.labels)) for drop in DROPS]


def main(arguments: Sequence[str] | None = None) -> None:
    """Build what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--network", required=True, help="as `build` takes it")
    parser.add_argument("--image-size", type=int, help="as `build` takes it, for a network of your own")
    parser.add_argument("--train-data", required=True, help="as `build` takes it")
    parser.add_argument("--data", required=True, help="as `build` takes it")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where runs are kept")
    parser.add_argument("--heads", nargs="*", choices=KINDS, default=KINDS, help="kinds (default: all)")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    print(line(["heads", *(f"saved at {100 * drop:g} points" for drop in DROPS), "processor minutes"]))
    print(line(["---"] * (2 + len(DROPS))), flush=True)
    for kind in given.heads:
        try:
            seconds = build_timed(kind, given.network, given.out, given.train_data, given.data, given.image_size)
        except ValueError as error:
            print(line([kind, str(error), *[""] * len(DROPS)]), flush=True)
            continue
        saved = savings(load_run(given.out / f"{kind}.parquet"))
        cells = [f"{100 * s.mean:.1f} ± {100 * s.error:.1f} %" for s in saved]
        print(line([kind, *cells, f"{seconds / 60:.1f}"]), flush=True)


if __name__ == "__main__":
    main()
