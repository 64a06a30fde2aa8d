"""A run in parts: which files of a folder are the run, and whether all of them are there.

Any folder of ``.parquet`` files of one schema is a run, read in name order; hidden files are passed over.  A folder
that holds a `PLAN` is being computed, or was: its parts are ``part-00000.parquet``, ``part-00001.parquet``, ..., as
many as the plan says, and it is a run only when `DONE` is there too, which is written last.  The names of both begin
with an underscore, so that other readers of Parquet folders pass over them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cascade_core.support.files import BadFile, atomic_write, check_writable, readable, strict_json

PLAN = "_plan.json"
DONE = "_run.json"

MAX_PARTS = 1_000_000
"""Most parts that a plan may name."""


def part_name(number: int) -> str:
    """The file name of part `number`, from 0."""
    return f"part-{number:05d}.parquet"


def check_result(path: str | Path) -> None:
    """Raise now what writing a run to `path` would raise later: a file ending in ``.parquet``, or a folder of parts.

    Raises:
        ValueError: The name has another ending, or it is a folder that holds other things.
        OSError: The folder cannot be made or written to.
    """
    target = Path(path)
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


def heads_beside(path: str | Path) -> Path:
    """Where the heads of the network that a run at `path` was made of lie, unless they are kept elsewhere."""
    return Path(path).with_suffix(".safetensors")


def is_run(path: Path) -> bool:
    """Whether what lies at `path` is meant to be a run, whole or not, hidden files and folders left aside."""
    if path.name.startswith("."):
        return False
    parts = path.is_dir() and ((path / PLAN).exists() or any(path.glob("[!.]*.parquet")))
    return path.suffix == ".parquet" or parts


def read_plan(folder: Path) -> dict[str, Any] | None:
    """What a folder's parts are parts of, as it was written; None where there is no plan.

    Raises:
        BadFile: It is no plan.
    """
    file = folder / PLAN
    with readable(file):
        if not file.exists():
            return None
        plan = strict_json(file.read_bytes())
        work = plan.get("work") if isinstance(plan, dict) else None
        count = work.get("chunks") if isinstance(work, dict) else None
        if not isinstance(count, int) or not 1 <= count <= MAX_PARTS:
            raise BadFile(f"expected a plan of 1 to {MAX_PARTS:,} chunks but it has {str(count)[:40]}")
        return plan


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a plan or what marks the end of the work, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(data, allow_nan=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def run_files(path: Path) -> list[Path]:
    """The files that a run at `path` is made of, in order.

    Raises:
        BadFile: There is none, or not all parts of a folder are there.
    """
    if not path.is_dir():
        if not path.exists():
            raise BadFile("there is no such file")
        return [path]
    plan = read_plan(path)
    if plan is None:
        files = sorted(p for p in path.glob("*.parquet") if not p.name.startswith("."))
        if not files:
            raise BadFile("the folder holds no .parquet part")
        return files
    files = [path / part_name(number) for number in range(plan["work"]["chunks"])]
    missing = [file for file in files if not file.exists()]
    if not (path / DONE).exists():
        there = f"{len(files) - len(missing):,} of {len(files):,} parts are there"
        raise BadFile(f"it is not finished: {there}; start the same command again to continue")
    if missing:
        raise BadFile(f"expected {len(files):,} parts but {missing[0].name} is missing")
    return files
