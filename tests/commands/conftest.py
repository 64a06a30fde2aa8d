"""A run on disk, which most verbs begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core import save_run
from tests.samples import sample_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of three stages, 400 samples and 5 classes, called `run`."""
    return save_run(sample_run(), tmp_path / "run.parquet")
