"""What the cache folder offers: run files and folders of parts, and a line on what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cascade_core import save_run
from cascade_core.panels.runs import Run, costs_of, list_runs, profile_of
from cascade_core.panels.watching import folder_stamp
from cascade_core.storage import reading
from cascade_core.storage.parts import DONE, PLAN, part_name, write_mark
from cascade_core.storage.schema import run_metadata
from cascade_core.storage.writing import save_part
from tests.runfiles import softmaxes
from tests.samples import sample_run


def test_files_and_folders_of_parts_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "file.parquet")
    for name in ("folder", "unfinished"):
        write_mark(tmp_path / name / PLAN, {"work": {"chunks": 1}})
        save_part(sample_run(), tmp_path / name / part_name(0), "work/0")
    write_mark(tmp_path / "folder" / DONE, {})
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
        assert softmaxes(run.outputs()).probs.tobytes() == outputs.probs.tobytes()
        assert (run.record("margin").confidence == outputs.record("margin").confidence).all()
    places: tuple[dict[str, Any], ...] = ({}, {"path": path, "held": outputs})
    for place in places:
        with pytest.raises(ValueError, match="either a path or what it holds"):
            Run(name="mine", digest="1", metadata={}, **place)


def odd_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with one run and much that is none."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "sound.parquet")
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "round.parquet").symlink_to(tmp_path / "round.parquet")
    (tmp_path / "link.parquet").symlink_to("/dev/zero")
    for name in ("many", "piped", "part"):
        (tmp_path / name).mkdir()
    write_mark(tmp_path / "many" / PLAN, {"work": {"chunks": 1_000_000}})
    os.mkfifo(tmp_path / "piped" / PLAN)
    os.mkfifo(tmp_path / "part" / part_name(0))
    return tmp_path


def test_what_is_no_run_is_a_line_and_the_rest_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = odd_folder(tmp_path, monkeypatch).name
    runs, complaints = list_runs()
    assert [run.name for run in runs] == ["sound"]
    regular = "expected a regular file but it is"
    assert sorted(complaints) == [
        f"Cannot read {name}/folder.parquet: the folder holds no .parquet part",
        f"Cannot read {name}/link.parquet: {regular} a device",
        f"Cannot read {name}/many: it is not finished: 0 of 1,000,000 parts are there; start the same command again "
        "to continue",
        f"Cannot read {name}/part: {regular} a pipe",
        f"Cannot read {name}/pipe.parquet: {regular} a pipe",
        f"Cannot read {name}/piped/_plan.json: {regular} a pipe",
        f"Cannot read {name}/round.parquet: there is no such file",
    ]
    assert folder_stamp(tmp_path) == folder_stamp(tmp_path)


def test_files_that_are_not_written_to_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a run nor what cannot be read."""
    odd_folder(tmp_path, monkeypatch)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    before = list_runs()
    monkeypatch.setattr(reading, "read_metadata", None)
    monkeypatch.setattr(reading, "digest", None)
    again = list_runs()
    assert again[1] == before[1]
    assert [run.digest for run in again[0]] == [run.digest for run in before[0]]


def test_a_name_as_long_as_a_file_s_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that might lie beside it would have longer names, and so are not there."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "a.parquet").rename(tmp_path / f"{'x' * 247}.parquet")
    (run,) = list_runs()[0]
    assert run.name == "x" * 247
    assert profile_of(run) == costs_of(run) == (None, "")


def test_what_lies_beside_a_run_and_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "a.parquet")
    os.mkfifo(tmp_path / "a.profile.json")
    (tmp_path / "a.costs.json").mkdir()
    (run,) = list_runs()[0]
    assert profile_of(run)[1].endswith("a.profile.json: expected a regular file but it is a pipe")
    assert costs_of(run)[1].endswith("a.costs.json: expected a regular file but it is a folder")
