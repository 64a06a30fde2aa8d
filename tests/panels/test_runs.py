"""What the cache folder offers: run files and folders of parts, and a line on what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascade_core import save_run
from cascade_core.panels.runs import Run, list_runs
from cascade_core.storage.parts import DONE, PLAN, part_name, write_json
from cascade_core.storage.schema import run_metadata
from cascade_core.storage.writing import save_part
from tests.samples import sample_run


def test_files_and_folders_of_parts_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "file.parquet")
    for name in ("folder", "unfinished"):
        write_json(tmp_path / name / PLAN, {"work": {"chunks": 1}})
        save_part(sample_run(), tmp_path / name / part_name(0), "work/0")
    write_json(tmp_path / "folder" / DONE, {})
    (tmp_path / "unfinished").joinpath(part_name(0)).unlink()
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").touch()
    runs, complaints = list_runs()
    assert [run.name for run in runs] == ["file", "folder"]
    assert complaints == [
        f"Cannot read {tmp_path.name}/unfinished: it is not finished: 0 of 1 parts are there; "
        "start the same command again to continue"
    ]


def test_a_part_that_is_replaced_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "run" / "part-0.parquet")
    before = list_runs()[0][0].digest
    save_run(sample_run(seed=1), tmp_path / "run" / "part-0.parquet")
    assert list_runs()[0][0].digest != before


def test_a_run_lies_in_the_cache_folder_or_in_a_session(tmp_path: Path) -> None:
    outputs = sample_run()
    path = save_run(outputs, tmp_path / "mine.parquet")
    cached = Run(name="mine", digest="1", metadata=run_metadata(outputs), path=path)
    brought = Run(name="mine", digest="1", metadata=run_metadata(outputs), held=outputs)
    assert (cached.yours, brought.yours) == (False, True)
    for run in (cached, brought):
        assert run.outputs().probs.tobytes() == outputs.probs.tobytes()
        assert (run.record("margin").confidence == outputs.record("margin").confidence).all()
    places: tuple[dict[str, Any], ...] = ({}, {"path": path, "held": outputs})
    for place in places:
        with pytest.raises(ValueError, match="either a path or what it holds"):
            Run(name="mine", digest="1", metadata={}, **place)
