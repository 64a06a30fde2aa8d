"""What rules do in each group of samples, and the verb `group`, which says of what groups samples are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cascade_core.analysis.comparison import Compared
from cascade_core.analysis.exploration import Split
from cascade_core.analysis.groups import Grouped, by_class, evaluate_groups
from cascade_core.commands.common import Parsers, add_verb, say
from cascade_core.commands.group_flags import TABLE, groups_of
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import tell
from cascade_core.rendering.cost_words import columns
from cascade_core.rendering.group_words import few_samples
from cascade_core.rendering.tables import groups_table, worst_groups_table
from cascade_core.simulation.bounds import ALPHA, CERTAINTY
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.groups import CLASS, NONE, Groups
from cascade_core.simulation.meters import Meter
from cascade_core.simulation.record import Record
from cascade_core.storage.group_columns import read_groups
from cascade_core.storage.reading import load_run, read_metadata
from cascade_core.storage.writing import save_run
from cascade_core.support.claims import claimed
from cascade_core.support.files import check_writable
from cascade_core.support.remote import place


def judging_groups(args: argparse.Namespace, split: Split, test: Record) -> Groups:
    """The division of the test samples that the flags name."""
    if args.by == CLASS and args.groups is None and test.answers_known:
        return by_class(test, read_metadata(args.run)["class_names"])
    whole = groups_of(args.run, args.by, args.groups)
    return whole.take(split.test_index(len(whole.of)))


def tell_groups(args: argparse.Namespace, split: Split, compared: Sequence[Compared], meter: Meter) -> None:
    """Print each policy's worst group, and all groups under the first policy."""
    if args.by is None:
        return
    test = compared[0].test
    groups = judging_groups(args, split, test)
    found = [evaluate_groups(one.test, one.rule, groups, None if args.in_sample else ALPHA) for one in compared]
    tell(f"by {args.by}, the worst of {len(found[0].worst_first)} groups of {test.n:,} samples under each policy:")
    tell_table(worst_groups_table([one.policy.name for one in compared], found), test.terms)
    tell(f"all groups under {compared[0].policy.name}, the worst first:")
    _tell(found[0], meter)


def tell_each_group(args: argparse.Namespace, split: Split, test: Record, rule: ExitRule, meter: Meter) -> None:
    """Print what a rule does to each group, the worst first."""
    if args.by is None:
        return
    found = evaluate_groups(test, rule, judging_groups(args, split, test), None if args.in_sample else ALPHA)
    tell(f"by {args.by}, the worst of {len(found.worst_first)} groups first:")
    _tell(found, meter)


def _tell(found: Grouped, meter: Meter) -> None:
    tell_table(groups_table(found, meter).rename(columns={"cost": columns(meter)[0]}), found.whole.terms)
    if found.bounds is not None:
        tell(f"Certified: at most that, with {CERTAINTY} confidence, in all groups at once.")
    if small := few_samples(found):
        tell(small)


def group(args: argparse.Namespace) -> None:
    """Write a run with columns that say of what group each sample is: a camera, a region, a month."""
    check_writable(args.out, ".parquet")
    with claimed(args.out):
        outputs = load_run(args.run)
        added = read_groups(args.table, outputs.sample_ids.tolist())
        kept = [one for one in outputs.groups if one.what not in {other.what for other in added}]
        save_run(replace(outputs, groups=(*kept, *added)), args.out)
        for one in added:
            sizes = sorted(((one.of == number).sum() for number in one.occurring), reverse=True)
            tell(f"{one.what}: {len(sizes):,} groups of {sizes[-1]:,} to {sizes[0]:,} samples")
            without = int((one.of == one.names.index(NONE)).sum()) if NONE in one.names else 0
            if without:
                say([f"{without:,} samples are {NONE}: {args.table} does not name them, or gives them no {one.what}"])
        tell(f"wrote {args.out} ({len(outputs.labels):,} samples)")


def add(verbs: Parsers) -> None:
    """Add this verb."""
    parser = add_verb(verbs, "group", group, "group cache/mine.parquet cameras.csv --out cache/mine-by-camera.parquet")
    parser.add_argument("run", type=place, help="a run file")
    parser.add_argument("table", type=Path, help=f"{TABLE}; a column that the run has already is replaced")
    parser.add_argument(
        "--out", type=place, required=True, help="the run file to write, ending in .parquet; may be RUN"
    )
