"""A run in parts: which files of a folder are the run, and whether all of them are there.

Any folder of ``.parquet`` files of one schema is a run, read in name order; hidden files are passed over.  A folder
that holds a `PLAN` is being computed, or was: its parts are ``part-00000.parquet``, ``part-00001.parquet``, ..., as
many as the plan says, and it is a run only when `DONE` is there too, which is written last.  The names of both begin
with an underscore, so that other readers of Parquet folders pass over them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from cascade_core.support.files import BadFile, check_writable, readable
from cascade_core.support.json_files import read_json, write_json
from cascade_core.support.remote import Place, place

PLAN = "_plan.json"
DONE = "_run.json"

MAX_PARTS = 1_000_000
"""Most parts that a plan may name."""

MAX_PLAN = 4 << 20
"""Most bytes of a plan."""

LOOKED_AT = 10_000
"""Entries of a folder among which a part is looked for, to tell a run from any other folder."""

_PART = re.compile(r"part-(\d{5,7})\.parquet")


def part_name(number: int) -> str:
    """The file name of part `number`, from 0."""
    return f"part-{number:05d}.parquet"


def check_result(path: str | Place) -> None:
    """Raise now what writing a run to `path` would raise later: a file ending in ``.parquet``, or a folder of parts.

    Raises:
        ValueError: The name has another ending, or it is a folder that holds other things.
        OSError: The folder cannot be made or written to.
    """
    target = place(path)
    if target.suffix == ".parquet":
        check_writable(target, ".parquet")
    elif target.suffix:
        raise ValueError(
            f"Expected the result to end in .parquet, or to be a folder without ending, but it was {target.name!r}"
        )
    else:
        check_writable(target / part_name(0), ".parquet")
        others = any(not entry.name.startswith(".") for entry in target.iterdir())
        # Looked for last: another process may have begun meanwhile.
        if others and not (target / PLAN).exists():
            raise ValueError(f"Expected {target} to be new, empty or begun by this command but it holds other files")


def heads_beside(path: str | Place) -> Path:
    """Where the heads of the network that a run at `path` was made of lie, unless they are kept elsewhere.

    Raises:
        ValueError: The run is not on this machine, where training keeps what it goes on from.
    """
    target = place(path)
    if isinstance(target, Path):
        return target.with_suffix(".safetensors")
    raise ValueError(f"Expected --heads-out, a file on this machine, as the run goes to {target}, but there was none")


def is_run(path: Path) -> bool:
    """Whether what lies at `path` is meant to be a run, whole or not, hidden files and folders left aside."""
    if path.name.startswith("."):
        return False
    return path.suffix == ".parquet" or _holds_parts(path)


def _holds_parts(path: Path) -> bool:
    try:
        with os.scandir(path) as entries:
            names = (entry.name for entry in islice(entries, LOOKED_AT))
            return (path / PLAN).exists() or any(_is_part(name) for name in names)
    except OSError:  # it is no folder, or one that may not be looked into
        return False


def _is_part(name: str) -> bool:
    """Whether a file of this name is a part, in a folder without a plan."""
    return name.endswith(".parquet") and not name.startswith(".")


def read_plan(folder: Place) -> dict[str, Any] | None:
    """What a folder's parts are parts of, as it was written; None where there is no plan.

    Raises:
        BadFile: It is no plan.
    """
    file = folder / PLAN
    with readable(file):
        try:
            plan = read_json(file, MAX_PLAN)
        except FileNotFoundError:
            return None
        work = plan.get("work") if isinstance(plan, dict) else None
        count = work.get("chunks") if isinstance(work, dict) else None
        if type(count) is not int or not 1 <= count <= MAX_PARTS:
            raise BadFile(f"expected a plan of 1 to {MAX_PARTS:,} chunks but it has {str(count)[:40]}")
        return plan


def parts_there(folder: Place) -> set[str]:
    """Names of the parts in a folder that is being computed; none where there is no folder."""
    try:
        return {entry.name for entry in folder.iterdir() if _PART.fullmatch(entry.name)}
    except FileNotFoundError:
        return set()


def write_mark(path: Place, data: Mapping[str, Any]) -> None:
    """Write a plan, or what marks the end of the work, atomically; BadFile where there is more than would be read."""
    write_json(path, data, MAX_PLAN, indent=1, sort_keys=True)


def run_files(path: Place) -> list[Place]:
    """The files that a run at `path` is made of, in order; a folder is listed once, however many parts a plan claims.

    Raises:
        BadFile: There is none, or not all parts of a folder are there.
    """
    if not path.is_dir():
        if not path.exists():
            raise BadFile("there is no such file")
        return [path]
    plan = read_plan(path)
    if plan is None:
        files = sorted(file for file in path.iterdir() if _is_part(file.name))
        if not files:
            raise BadFile("the folder holds no .parquet part")
        return files
    return _planned(path, plan["work"]["chunks"])


def _planned(path: Place, count: int) -> list[Place]:
    """The parts of a folder with a plan of `count` parts."""
    names = {entry.name for entry in path.iterdir()}
    if DONE not in names:
        numbers = [int(found[1]) for name in names if (found := _PART.fullmatch(name))]
        there = f"{sum(number < count for number in numbers):,} of {count:,} parts are there"
        raise BadFile(f"it is not finished: {there}; start the same command again to continue")
    # Ends at the first that is missing, and so after no more steps than there are files.
    missing = next((number for number in range(count) if part_name(number) not in names), None)
    if missing is not None:
        raise BadFile(f"expected {count:,} parts but {part_name(missing)} is missing")
    return [path / part_name(number) for number in range(count)]
