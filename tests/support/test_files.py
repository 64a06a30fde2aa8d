"""Files are opened by one door: regular ones alone, without waiting, and as they were when they were opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cascade_core.support.files import (
    BadFile,
    Contents,
    append,
    file_digest,
    is_regular,
    opened,
    read_bytes,
    readable,
    stamp,
)

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def read(path: Path) -> bytes:
    with readable(path), opened(path) as stream:
        return stream.read()


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """What is no file, by what it is called; a read of the pipe would wait for ever."""
    pipe, folder, path = tmp_path / "pipe", tmp_path / "folder", tmp_path / "socket"
    os.mkfifo(pipe)
    folder.mkdir()
    (tmp_path / "link").symlink_to(pipe)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        yield {"a pipe": pipe, "a folder": folder, "a socket": path, "a device": Path("/dev/zero")}


def test_what_is_no_file_is_refused_without_waiting(odd: dict[str, Path], tmp_path: Path) -> None:
    for what, path in [*odd.items(), ("a pipe", tmp_path / "link")]:
        for reader in (read, file_digest, lambda path: read_bytes(path, 9)):
            with pytest.raises(BadFile, match=f"expected a regular file but it is {what}$"):
                reader(path)
        assert not is_regular(path)


def test_links_to_files_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read(tmp_path / "link") == b"abc"
    assert is_regular(tmp_path / "link")
    assert stamp(tmp_path / "link") == stamp(tmp_path / "file")


@pytest.mark.parametrize(("name", "words"), [("nowhere", "no such file"), ("x" * 300, "name too long")])
def test_names_that_name_nothing(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=rf"^Cannot read {tmp_path}/{name}: .*{words}"):
        read(tmp_path / name)
    assert stamp(tmp_path / name) is None
    assert not is_regular(tmp_path / name)


def test_links_that_lead_round_and_names_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for path in (tmp_path / "a", tmp_path / "a\0b"):
        with pytest.raises(BadFile, match="Cannot read"):
            read(path)
        assert stamp(path) is None
        assert not is_regular(path)


@pytest.mark.parametrize("size", [2, 4], ids=["shorter", "longer"])
def test_a_file_that_is_written_to_while_it_is_read(size: int, tmp_path: Path) -> None:
    path = tmp_path / "file"

    def read_meanwhile(fault: str) -> None:
        with opened(path) as stream:
            stream.read(1)
            path.write_bytes(b"x" * size)
            if fault:
                raise OSError(fault)

    for fault in ("", "unexpected end"):
        path.write_bytes(b"abc")
        with pytest.raises(BadFile, match="it was written to while it was read"):
            read_meanwhile(fault)


def test_a_file_that_is_replaced_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    (tmp_path / "new").write_bytes(b"other")
    with opened(path) as stream:
        (tmp_path / "new").replace(path)
        assert stream.read() == b"abc"


def test_no_more_is_read_than_may_be(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert read_bytes(path, 3) == read_bytes(Contents(name="x", raw=b"abc"), 3) == b"abc"
    with pytest.raises(BadFile, match="expected at most 2 bytes of JSON but there are more"):
        read_bytes(path, 2)


def test_handles_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    handles = Path("/proc/self/fd")
    before = len(list(handles.iterdir()))
    assert file_digest(path) == EMPTY
    with pytest.raises(ZeroDivisionError), opened(path):
        raise ZeroDivisionError
    assert len(list(handles.iterdir())) == before


def test_what_is_appended_goes_on_where_the_file_is_now(tmp_path: Path) -> None:
    log = tmp_path / "new" / "exits.jsonl"
    append(log, "a\n")
    append(log, "b\n")
    assert log.read_text() == "a\nb\n"
    log.rename(tmp_path / "rotated")
    append(log, "c\n")
    assert log.read_text() == "c\n"
    with pytest.raises(OSError, match=r"Cannot write .*new: is a directory"):
        append(log.parent, "d")
