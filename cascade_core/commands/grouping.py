"""The flags `--by` and `--groups`: what policies do in each group of samples."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cascade_core.analysis.comparison import Compared
from cascade_core.analysis.exploration import Split
from cascade_core.analysis.groups import Groups, by_class, evaluate_groups
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import tell
from cascade_core.rendering.tables import groups_table, worst_groups_table
from cascade_core.simulation.bounds import CERTAINTY
from cascade_core.storage.group_columns import read_groups
from cascade_core.storage.reading import load_sample_ids, read_metadata

CLASS = "class"


def add_group_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that divide samples."""
    about = "tell what happens in each group of samples: class, or a column of --groups"
    parser.add_argument("--by", metavar="COLUMN", help=about)
    about = "a CSV with a column sample_id and others that say of what group a sample is"
    parser.add_argument("--groups", type=Path, metavar="FILE", help=about)


def tell_groups(args: argparse.Namespace, split: Split, compared: Sequence[Compared]) -> None:
    """Print each policy's worst group, and all groups under the first policy."""
    if args.by is None:
        return
    test = compared[0].test
    groups = _groups(args, split, compared[0])
    found = [evaluate_groups(one.test, one.rule, groups, certify=not args.in_sample) for one in compared]
    tell(f"by {args.by}, the worst of {len(found[0].worst_first)} groups of {test.n:,} samples under each policy:")
    tell_table(worst_groups_table([one.policy.name for one in compared], found), test.terms)
    tell(f"all groups under {compared[0].policy.name}, the worst first:")
    tell_table(groups_table(found[0]), test.terms)
    if not args.in_sample:
        tell(f"Certified: at most that, with {CERTAINTY} confidence, in all groups of a policy at once.")


def _groups(args: argparse.Namespace, split: Split, one: Compared) -> Groups:
    """The groups of the test samples.

    Raises:
        ValueError: A column is named that nothing has.
    """
    if args.groups is None:
        if args.by != CLASS:
            raise ValueError(f"Expected --by {CLASS}, or a column of --groups FILE, but it was {args.by!r}")
        return by_class(one.test, tuple(read_metadata(args.run)["class_names"]))
    ids = load_sample_ids(args.run)
    values = read_groups(args.groups, args.by, ids)
    return Groups.named(args.by, [values[i] for i in split.test_index(len(ids))])
