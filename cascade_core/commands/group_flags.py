"""The flags `--by` and `--groups`, which divide a run's samples; `grouping` tells what happens in each group."""

from __future__ import annotations

import argparse
from pathlib import Path

from cascade_core.simulation.groups import CLASS, Groups
from cascade_core.storage.group_columns import read_groups
from cascade_core.storage.reading import load_groups, load_sample_ids
from cascade_core.support.remote import Place

TABLE = "a CSV with a column sample_id and others that say of what group a sample is"


def add_group_flags(parser: argparse.ArgumentParser, about: str) -> None:
    """The flags that divide samples."""
    columns = "class, a column of groups that the run has, or one of --groups"
    parser.add_argument("--by", metavar="COLUMN", help=f"{about}: {columns}")
    parser.add_argument("--groups", type=Path, metavar="FILE", help=TABLE)


def check_groups(args: argparse.Namespace) -> None:
    """Raise now, before anything is computed or said, what dividing samples would raise later.

    Raises:
        ValueError: As for `groups_of`, or a table is named and no column.
    """
    if args.groups is not None and args.by is None:
        raise ValueError(f"Expected --by COLUMN with --groups: the column of {args.groups} that divides the samples")
    if args.by is not None and (args.by != CLASS or args.groups is not None):
        groups_of(args.run, args.by, args.groups)


def groups_of(run: Place, by: str, table: Path | None) -> Groups:
    """The division of all samples of a run that the flags name.

    Raises:
        ValueError: A column is named that nothing has.
    """
    return load_groups(run, by) if table is None else read_groups(table, load_sample_ids(run), by)[0]
