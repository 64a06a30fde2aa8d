"""Logs that grow, are rotated, or end in mid-line: all of them is read, once."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cascade_core.storage import log_files as module
from cascade_core.storage.exit_lines import line_of
from cascade_core.storage.log_files import blocks, log_files, unread
from cascade_core.support.files import BadFile

STAGES = ("a", "b")


def lines(*times: float) -> bytes:
    return "".join(line_of(float(time), "a", [0.9], 0, 1.0) for time in times).encode()


def read_all(folder: Path, offsets: dict[str, int]) -> bytes:
    """What is new in a folder, as its lines were, and offsets moved on."""
    result = b""
    for file in log_files([folder], STAGES):
        for block in unread(file, offsets.get(file.key, 0), STAGES):
            result += lines(*block.entries.time.tolist())
            offsets[file.key] = block.offset
    return result


def test_rotated_logs_are_read_once_and_oldest_first(tmp_path: Path) -> None:
    offsets: dict[str, int] = {}
    current = tmp_path / "exits.jsonl"
    current.write_bytes(lines(1, 2))
    assert read_all(tmp_path, offsets) == lines(1, 2)
    with current.open("ab") as stream:
        stream.write(lines(3))
    current.rename(tmp_path / "exits.jsonl.1")
    current.write_bytes(lines(4))
    assert read_all(tmp_path, offsets) == lines(3, 4)
    (tmp_path / "exits.jsonl.1").rename(tmp_path / "exits.jsonl.2")
    current.rename(tmp_path / "exits.jsonl.1")
    current.write_bytes(lines(5))
    assert read_all(tmp_path, offsets) == lines(5)
    assert read_all(tmp_path, offsets) == b""


def test_remarks_above_the_first_line_tell_no_logs_apart(tmp_path: Path) -> None:
    for name, time in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.log").write_bytes(b"# service log v1\n\n" + lines(time))
    offsets: dict[str, int] = {}
    assert read_all(tmp_path, offsets) == lines(1, 2)
    (tmp_path / "c.log").write_bytes(b"# service log v1\n")
    assert len(log_files([tmp_path], STAGES)) == 2  # it may become either
    assert read_all(tmp_path, offsets) == b""


def test_copies_are_read_once_and_what_only_begins_alike_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(lines(1, 2, 3))
    (tmp_path / "a.log.1").write_bytes(lines(1, 2))
    (file,) = log_files([tmp_path], STAGES)
    assert file.hides == ()
    (tmp_path / "b.log").write_bytes(lines(1, 9))
    (file,) = log_files([tmp_path], STAGES)
    assert file.hides == ("b.log",)


def test_a_log_whose_first_line_is_long_is_one(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b'{"x": "' + b"y" * module.HEAD + b'"}\n' + lines(1))
    assert read_all(tmp_path, {}) == lines(1)


def test_the_rest_of_a_line_is_waited_for(tmp_path: Path) -> None:
    offsets: dict[str, int] = {}
    log, whole = tmp_path / "exits.jsonl", lines(1, 2, 3)
    for end in range(0, len(whole) + 1, 7):
        log.write_bytes(whole[:end])
        seen = sum(offsets.values())
        assert read_all(tmp_path, offsets) == whole[seen : whole.rfind(b"\n", 0, end) + 1]
    log.write_bytes(whole)
    read_all(tmp_path, offsets)
    assert sum(offsets.values()) == len(whole)


def test_a_log_that_is_written_on_while_it_is_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", len(lines(1)))
    log = tmp_path / "exits.jsonl"
    log.write_bytes(lines(1, 2))
    (file,) = log_files([log], STAGES)
    found = []
    for block in unread(file, 0, STAGES):
        found += block.entries.time.tolist()
        if len(found) < 4:
            with log.open("ab") as stream:
                stream.write(lines(len(found) + 2))
    assert found == [1, 2, 3, 4, 5]


def test_a_copy_counts_once_and_other_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "exits.jsonl").write_bytes(lines(1))
    (tmp_path / "copy.jsonl").write_bytes(lines(1))
    (tmp_path / "exits.jsonl.2.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "choice.json").write_text("{}")
    (tmp_path / "empty.log").touch()
    assert read_all(tmp_path, {}) == lines(1)


def test_what_is_cut_shorter_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "exits.jsonl"
    log.write_bytes(lines(1, 2))
    offsets: dict[str, int] = {}
    read_all(tmp_path, offsets)
    log.write_bytes(lines(1))
    with pytest.raises(BadFile, match=r"Cannot read .*exits.jsonl: expected at least the [\d,]+ bytes .* cut shorter"):
        read_all(tmp_path, offsets)


def test_blocks_are_of_whole_lines_and_long_ones_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 10)
    assert list(blocks(io.BytesIO(b"ab\ncdefgh\nijklmnopq\nr"))) == [b"ab\ncdefgh\n", b"ijklmnopq\n"]
    assert list(blocks(io.BytesIO(b"ab\nr"), ends=True)) == [b"ab\n", b"r"]
    pieces = list(blocks(io.BytesIO(b"x" * 95 + b"\ny\n")))
    assert b"".join(pieces) == b"x" * 95 + b"\ny\n"
    assert max(map(len, pieces)) <= 20


def test_what_is_not_there_is_one_line() -> None:
    with pytest.raises(BadFile, match="Cannot read nowhere: there is no such file or folder"):
        log_files([Path("nowhere")], STAGES)
