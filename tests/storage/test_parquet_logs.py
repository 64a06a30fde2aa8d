"""Logs of exits as Parquet: they say what the same lines would, and are read on from any row."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cascade_core.storage import parquet_logs
from cascade_core.storage.exit_lines import line_of
from cascade_core.storage.exit_logs import FOREIGN, UNAUDITED, Entries, parse
from cascade_core.storage.log_files import log_files, unread
from cascade_core.storage.parquet_logs import log_to
from cascade_core.support.files import BadFile

STAGES = ("a", "b", "c")

LINES = [
    line_of(1.0, "a", [0.9], 0, 1.5),
    line_of(2.0, "c", [0.2, None, 0.8], 4, 0.5, ([1, 2, 4], 4)),
    json.dumps({"time": 3.0, "answer": 1, "label": 2}) + "\n",
    line_of(4.0, "elsewhere", [0.9], 0, 1.5),
    *(line_of(float(5 + i), "b", [0.1, 0.6], i % 3, 0.25) for i in range(20)),
]


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_logs, "ROWS", 7)


def written(path: Path, lines: list[str] = LINES) -> Path:
    with log_to(path) as log:
        for line in lines:
            log(line)
    return path


def equal(one: Entries, other: Entries) -> bool:
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(Entries)]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


def test_parquet_says_what_the_lines_do(tmp_path: Path) -> None:
    lines = written(tmp_path / "exits.jsonl").read_bytes()
    assert lines.decode() == "".join(LINES)
    expected, faults = parse(lines, STAGES)
    (file,) = log_files([written(tmp_path / "exits.parquet")], STAGES)
    assert (file.size, file.began, file.parquet) == (24, 1.0, True)
    blocks = list(unread(file, 0, STAGES))
    assert [block.offset for block in blocks] == [7, 14, 21, 24]
    assert sum((block.faults for block in blocks), type(faults)()) == faults == {FOREIGN: 1, UNAUDITED: 1}
    start = 0
    for block in blocks:
        assert equal(block.entries, expected.take(slice(start, start + len(block.entries))))
        start += len(block.entries)
    assert start == len(expected) == 23


def test_it_is_read_on_from_any_row(tmp_path: Path) -> None:
    (file,) = log_files([written(tmp_path / "exits.parquet")], STAGES)
    times = [1.0, 2.0, 3.0, *(float(5 + i) for i in range(20))]
    for offset in range(25):
        read = [time for block in unread(file, offset, STAGES) for time in block.entries.time.tolist()]
        assert read == times[offset - (offset > 3) :]
    with pytest.raises(BadFile, match=r"exits.parquet: expected at least the 25 rows that were read before but it was"):
        list(unread(file, 25, STAGES))


def test_a_folder_may_hold_both_kinds_and_unfinished_files(tmp_path: Path) -> None:
    later = written(tmp_path / "b.parquet", LINES[10:])
    written(tmp_path / "a.jsonl", LINES[:5])
    whole = later.read_bytes()
    (tmp_path / "c.parquet").write_bytes(whole[:-3])
    (tmp_path / "d.parquet").write_bytes(b"PAR")
    (tmp_path / "e.parquet").write_bytes(whole)  # a copy is the same log
    assert [file.path.name for file in log_files([tmp_path], STAGES)] == ["a.jsonl", "b.parquet"]


def test_columns_may_be_of_other_types_and_some_may_lack(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    stage = pa.array(["a", "b", None]).dictionary_encode()
    sure = pa.array([[0.5], [0.25, 0.75], None], type=pa.large_list(pa.float64()))
    pq.write_table(pa.table({"time": pa.array([7, 8, 9]), "stage": stage, "confidence": sure, "host": ["x"] * 3}), path)
    (file,) = log_files([path], STAGES)
    (block,) = unread(file, 0, STAGES)
    assert block.entries.stage.tolist() == [0, 1]
    assert block.entries.confidence[1].tolist()[:2] == [0.25, 0.75]
    assert block.faults == {"of other stages or none": 1}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"time": ["monday"], "stage": ["a"]}, "expected the column time as double but it is string"),
        ({"answer": [1], "stage": ["a"]}, r"expected the columns time and stage, or answer and label, of a log"),
    ],
)
def test_what_is_no_log_is_said_in_a_line(tmp_path: Path, columns: dict[str, list[object]], says: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(BadFile, match=rf"Cannot read .*x\.parquet: {says}"):
        log_files([tmp_path / "x.parquet"], STAGES)


def test_what_was_logged_is_kept_however_the_work_ends_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "exits.parquet"

    def interrupted() -> None:
        with log_to(path) as log:
            for line in LINES[:9]:
                log(line)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert pq.read_metadata(path).num_rows == 9
    with (
        pytest.raises(ValueError, match=r"Expected no .*exits\.parquet yet, as nothing is added to Parquet"),
        log_to(path),
    ):
        pass
    assert pq.read_metadata(path).num_rows == 9
    with log_to(None) as log:
        log(LINES[0])
