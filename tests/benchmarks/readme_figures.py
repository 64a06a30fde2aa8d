"""The table of shipped runs, of README and docs: what is given up and saved on samples that had no part in choosing.

Run with ``python -m tests.benchmarks.readme_figures`` in a checkout; it takes some minutes and prints Markdown.  Each
run is divided in halves ten times, `CheapestWithinDrop` chooses on one as `tune` does, and the other judges.  What was
asked for stands beside what was realised; nothing is read between positions.  MACs that stand for costs in another
unit are in proportion to these, and so are savings.  See `averages` for the standard errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_core import CheapestWithinDrop, load_run, split_indices
from cascade_core.policies.answers import Halves
from cascade_core.simulation.recorded import Outputs
from tests.benchmarks.averages import Average, Outcome, averaged, outcome

ASKED = {"no drop": 0.0, "half a point": 0.005, "one point": 0.01}
"""What is asked for, fractions."""

DIVISIONS = 10
POSITIONS = 401
"""Of the page's slider, whose first is the most accurate."""

CACHE = Path(__file__).resolve().parents[2] / "cache"
NO_DROP = 0.0005
"""Up to here, fractions, a realised drop is called none."""

HEADING = ("run", "accuracy of each stage", *(f"{asked} asked for" for asked in ASKED), "most accurate")


class Figure(NamedTuple):
    """What a choice gives up and saves, fractions."""

    drop: Average
    saving: Average


def figures(outputs: Outputs, divisions: int = DIVISIONS) -> list[Figure]:
    """At each drop of `ASKED`, and at the slider's most accurate position."""
    n = len(outputs.labels)
    judged = []
    for seed in range(divisions):
        calibration, test = split_indices(n, 0.5, seed)
        halves = Halves(outputs=outputs, calibration=calibration, test=test)
        divided = halves.divided(CheapestWithinDrop)
        first = CheapestWithinDrop.positions(divided.calibration, POSITIONS)[0]
        path = CheapestWithinDrop.path(divided.calibration, [*ASKED.values(), first])
        judged.append((test, [outcome(divided.test, path.rule(position)) for position in range(len(path))]))
    return [_figure([(test, outcomes[place]) for test, outcomes in judged], n) for place in range(len(ASKED) + 1)]


def _figure(judged: Sequence[tuple[NDArray[np.int64], Outcome]], n: int) -> Figure:
    return Figure(
        drop=averaged(((samples, one.lost) for samples, one in judged), n),
        saving=averaged(((samples, one.saved) for samples, one in judged), n),
    )


def in_words(drop: Average) -> str:
    """A drop in points: a gain, none, or what is given up."""
    points, error = 100 * drop.mean, 100 * drop.error
    if drop.mean < -NO_DROP:
        return f"{-points:.2f} ± {error:.2f} points more accurate"
    if drop.mean <= NO_DROP:
        return f"no drop ({points + 0.0:.2f} ± {error:.2f})"
    return f"{points:.2f} ± {error:.2f} points given up"


def row(outputs: Outputs, name: str, found: Sequence[Figure]) -> str:
    """A run's line of the table."""
    accuracies = outputs.record().stage_accuracy
    stages = " / ".join(f"{100 * accuracy:.1f}" for accuracy in accuracies) + " %"
    cells = [f"{100 * s.mean:.1f} ± {100 * s.error:.1f} %, {in_words(drop)}" for drop, s in found]
    return line((str(outputs.source.get("title", name)).rstrip("."), stages, *cells))


def line(cells: Sequence[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="*", type=Path, help="run files; without any, those in cache/")
    parser.add_argument("--divisions", type=int, default=DIVISIONS, help="how often each is divided in halves")
    given = parser.parse_args(arguments)
    print(line(HEADING), line(["---"] * len(HEADING)), sep="\n")
    for path in given.runs or sorted(CACHE.glob("*.parquet")):
        outputs = load_run(path)
        print(row(outputs, path.stem, figures(outputs, given.divisions)), flush=True)


if __name__ == "__main__":
    main()
