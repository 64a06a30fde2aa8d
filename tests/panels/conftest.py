"""A cache folder for tests that drive the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core import save_run
from tests.pages import OUTPUTS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with one run, and nothing said of pictures."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    monkeypatch.delenv("CASCADE_PICTURES", raising=False)
    save_run(OUTPUTS, tmp_path / "mine.parquet")
    return tmp_path
