"""Runs in parts: what is meant to be a run, plans that are none, where a result may be written, joining parts."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cascade_core import StageOutputs, save_run
from cascade_core.storage.parts import DONE, PLAN, check_result, is_run, part_name, run_files, write_mark
from cascade_core.storage.writing import is_part, merge_parts, save_part
from cascade_core.support.files import BadFile
from tests.oracle import random_outputs
from tests.runfiles import assert_bad, load_softmaxes

OUTPUTS = random_outputs(1, n=50, classes=5, decimals=None)


def piece(start: int, stop: int) -> StageOutputs:
    return replace(
        OUTPUTS,
        probs=OUTPUTS.probs[:, start:stop],
        labels=OUTPUTS.labels[start:stop],
        sample_ids=OUTPUTS.sample_ids[start:stop],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of two parts."""
    path = tmp_path / "run"
    write_mark(path / PLAN, {"work": {"chunks": 2}})
    save_part(piece(0, 30), path / part_name(0), "work/0")
    save_part(piece(30, 50), path / part_name(1), "work/1")
    write_mark(path / DONE, {})
    return path


def test_parts_are_those_of_the_plan(folder: Path) -> None:
    save_run(OUTPUTS, folder / "another.parquet")
    assert [p.name for p in run_files(folder)] == ["part-00000.parquet", "part-00001.parquet"]
    assert load_softmaxes(folder).probs.tobytes() == OUTPUTS.probs.tobytes()


def test_a_part_knows_its_work_its_place_and_its_rows(folder: Path) -> None:
    part = folder / part_name(1)
    assert is_part(part, "work/1", 20)
    assert not is_part(part, "work/0", 20)
    assert not is_part(part, "other/1", 20)
    assert not is_part(part, "work/1", 19)
    assert not is_part(folder / part_name(2), "work/2", 20)
    part.write_bytes(part.read_bytes()[:-1])
    assert not is_part(part, "work/1", 20)


def test_merging_keeps_every_value_and_names_a_spoiled_part(folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    merge_parts(run_files(folder), whole)
    found = load_softmaxes(whole)
    assert found.probs.tobytes() == OUTPUTS.probs.tobytes()
    assert found.sample_ids.tolist() == OUTPUTS.sample_ids.tolist()
    assert pq.ParquetFile(whole).num_row_groups == 2
    assert pq.read_schema(whole) == pq.read_schema(save_run(OUTPUTS, tmp_path / "run.parquet"))
    part = folder / part_name(1)
    raw = bytearray(part.read_bytes())
    raw[len(raw) // 4] ^= 255
    part.write_bytes(raw)
    before = whole.read_bytes()
    with pytest.raises(BadFile, match=r"Cannot read .*part-00001\.parquet"):
        merge_parts(run_files(folder), whole)
    assert whole.read_bytes() == before


@pytest.mark.parametrize(
    "plan",
    [
        [],
        {},
        {"work": {"chunks": 0}},
        {"work": {"chunks": "2"}},
        {"work": {"chunks": 1e9}},
        {"work": {"chunks": 1_000_001}},
    ],
)
def test_plans_that_are_none(plan: Any, folder: Path) -> None:
    (folder / PLAN).write_text(json.dumps(plan))
    with pytest.raises(BadFile, match=r"_plan\.json: expected a plan of 1 to 1,000,000 chunks"):
        load_softmaxes(folder)
    (folder / PLAN).write_text("{")
    with pytest.raises(BadFile, match=r"_plan\.json: expected JSON"):
        load_softmaxes(folder)


def test_a_folder_without_its_end_is_not_read(folder: Path) -> None:
    (folder / DONE).unlink()
    (folder / part_name(0)).unlink()
    assert_bad(folder, "it is not finished: 1 of 2 parts are there; start the same command again to continue")


def test_what_is_meant_to_be_a_run(folder: Path, tmp_path: Path) -> None:
    assert is_run(folder)
    assert is_run(save_run(OUTPUTS, tmp_path / "a.parquet"))
    save_run(OUTPUTS, tmp_path / "foreign" / "a.parquet")
    assert is_run(tmp_path / "foreign")
    folder.rename(tmp_path / ".run.parquet.parts")
    assert not is_run(tmp_path / ".run.parquet.parts")
    (tmp_path / "empty").mkdir()
    assert not is_run(tmp_path / "empty")
    assert not is_run(tmp_path / "README.md")


def test_where_a_result_may_be_written(folder: Path, tmp_path: Path) -> None:
    for path in (folder, tmp_path / "new", tmp_path / "new.parquet"):
        check_result(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "run"]
    with pytest.raises(ValueError, match=r"end in \.parquet, or to be a folder without ending, but it was 'a\.csv'"):
        check_result(tmp_path / "a.csv")
    (tmp_path / "new" / "notes.txt").touch()
    with pytest.raises(ValueError, match="to be new, empty or begun by this command but it holds other files"):
        check_result(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Cannot write"):
        check_result(tmp_path / "file")


def test_a_part_makes_no_folder_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="no such file or directory"):
        save_part(piece(0, 30), folder / "gone" / part_name(0), "work/0")
    assert not (folder / "gone").exists()

    def fail(_table: Any, target: Path, **_: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "disk full")

    before = sorted(folder.iterdir())
    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match=r"part-00002\.parquet: no space left on device"):
        save_part(piece(0, 30), folder / part_name(2), "work/2")
    assert sorted(folder.iterdir()) == before


def test_listing_costs_what_is_there_and_not_what_a_plan_claims(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million chunks that are not there are not looked for one by one."""
    asked: list[int] = []

    def noted(number: int) -> str:
        asked.append(number)
        return part_name(number)

    monkeypatch.setattr("cascade_core.storage.parts.part_name", noted)
    (folder / PLAN).write_text(json.dumps({"work": {"chunks": 1_000_000}}))
    assert_bad(folder, "expected 1,000,000 parts but part-00002.parquet is missing")
    (folder / DONE).unlink()
    assert_bad(folder, "it is not finished: 2 of 1,000,000 parts are there")
    assert asked == [0, 1, 2, 2]


def test_a_plan_that_is_large_or_no_file(folder: Path) -> None:
    (folder / PLAN).write_bytes(b'{"work": {"chunks": 2}}' + b" " * (4 << 20))
    assert_bad(folder, f"{PLAN}: expected at most 4,194,304 bytes of JSON but there are more", where=folder / PLAN)
    (folder / PLAN).unlink()
    os.mkfifo(folder / PLAN)
    assert is_run(folder)
    assert_bad(folder, "expected a regular file but it is a pipe", where=folder / PLAN)


def test_a_part_that_is_no_file(folder: Path) -> None:
    (folder / part_name(1)).unlink()
    os.mkfifo(folder / part_name(1))
    assert_bad(folder, "expected a regular file but it is a pipe")
    assert not is_part(folder / part_name(1), "work/1", 20)


def test_what_is_no_folder_is_no_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "link")
    assert not is_run(tmp_path / "pipe")
    assert not is_run(tmp_path / "link")
