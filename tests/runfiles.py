"""Run files on disk, changed behind the program's back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cascade_core import load_run
from tests.oracle import assert_refused


def assert_bad(path: Path, *words: str, read: Callable[[Path], object] = load_run, where: Path | None = None) -> None:
    """Reading `path` is refused, in a line that says that `where` cannot be read."""
    assert_refused(read, path, f"Cannot read {where or path}: ", *words)


def rewrite(run: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Write the run again after changing its table."""
    table = change(pq.read_table(run))
    pq.write_table(table, run)
    return run
