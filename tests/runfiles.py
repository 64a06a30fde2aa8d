"""Run files on disk, changed behind the program's back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cascade_core import import_run, load_run
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.recorded import Outputs
from cascade_core.support.files import Contents
from tests.oracle import assert_refused


def assert_bad(path: Path, *words: str, read: Callable[[Path], object] = load_run, where: Path | None = None) -> None:
    """Reading `path` is refused, in a line that says that `where` cannot be read."""
    assert_refused(read, path, f"Cannot read {where or path}: ", *words)


def rewrite(run: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Write the run again after changing its table."""
    table = change(pq.read_table(run))
    pq.write_table(table, run)
    return run


def load_softmaxes(path: str | Path | Contents) -> StageOutputs:
    """A run that has softmaxes."""
    return softmaxes(load_run(path))


def import_softmaxes(path: str | Path | Contents, **given: Any) -> StageOutputs:
    """A run that is made of softmaxes."""
    return softmaxes(import_run(path, **given))


def softmaxes(found: Outputs) -> StageOutputs:
    """The same, known to have softmaxes."""
    assert isinstance(found, StageOutputs)
    return found
