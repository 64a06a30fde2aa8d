"""The verb `count`: runs larger than memory, made counts of samples on a grid of confidences."""

from __future__ import annotations

import argparse
from pathlib import Path

from cascade_core.commands.common import FromTimeToTime, Parsers, add_verb, say
from cascade_core.commands.tables import tell_stages
from cascade_core.commands.terminal import tell
from cascade_core.simulation.cells import Cells
from cascade_core.simulation.grid_error import widest_step
from cascade_core.storage.counted import save_counted
from cascade_core.storage.notes import notes_on_file
from cascade_core.storage.reading import load_record
from cascade_core.storage.schema import STORED_SCORES
from cascade_core.storage.streaming import Rows, count_run
from cascade_core.support import wording
from cascade_core.support.claims import claimed
from cascade_core.support.cluster import address_of, joined, spread
from cascade_core.support.files import check_writable
from cascade_core.support.remote import place


def count(args: argparse.Namespace) -> None:
    """Count the samples of a run on a grid of confidences, for runs larger than memory."""
    check_writable(args.out, ".parquet")
    with claimed(args.out):
        rows, cells = _counted(args)
        save_counted(cells, rows.metadata, rows.score, args.out)
    tell_counted(args.out)
    tell(f"wrote {args.out}")


def _counted(args: argparse.Namespace) -> tuple[Rows, Cells]:
    """What was read, and the counts, made here or on a cluster."""
    told = FromTimeToTime()

    def progress(done: int, of: int) -> None:
        told(f"counted {done:,} of {of:,} samples")

    if args.on is None:
        return count_run(args.run, args.score, progress)
    address = address_of(args.on)
    # Processes of a cluster work in another folder.
    run = args.run.absolute() if isinstance(args.run, Path) else args.run
    with joined(address):
        return count_run(run, args.score, progress, spread)


def tell_counted(path: Path) -> None:
    """Print what a run of counts holds, and what its grid leaves open.

    Raises:
        BadFile: It is none, or malformed.
    """
    record = load_record(path)
    assert record.grid is not None
    named = zip(record.stage_names, record.grid, strict=False)
    sizes = ", ".join(f"{len(values):,} at {name}" for name, values in named)
    tell(f"{path}: {record.n:,} samples in {record.entries:,} cells of a grid of confidences ({sizes})")
    tell(
        "Thresholds are values of the grid, and every number at them is exact; between two neighbours lie "
        f"{wording.percent(widest_step(record), 2)} of the samples at most."
    )
    tell()
    tell_stages(record, path)
    say(notes_on_file(path))


def add(verbs: Parsers) -> None:
    """Add this verb."""
    parser = add_verb(
        verbs,
        "count",
        count,
        "count answers/ --out cache/answers.counts.parquet",
        "The result is a run for choose, compare, evaluate, show, report and the page: it chooses thresholds and\n"
        "measures them, at the stages' own answers.  What takes single samples (pictures, classes) it has not.",
    )
    parser.add_argument("run", type=place, help="a run file, or a folder of its parts")
    parser.add_argument("--out", type=place, required=True, help="the counts to write, ending in .parquet")
    about = "what is counted by, of a run with softmaxes (default max_probability)"
    parser.add_argument("--score", choices=STORED_SCORES, help=about)
    about = "have a cluster of Ray count: ray (that of RAY_ADDRESS, or this machine) or ray:ADDRESS"
    parser.add_argument("--on", metavar="ray[:ADDRESS]", help=about)
