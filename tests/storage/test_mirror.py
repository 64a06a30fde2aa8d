"""Copies of a bucket's runs: what is fetched, what is left, what is removed, and what a cut connection leaves."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from cascade_core.storage.mirror import copies_of, fetch
from cascade_core.storage.parts import DONE, PLAN
from cascade_core.support.files import BadFile
from cascade_core.support.remote import Remote
from tests.buckets import line_to_the_server


def put(folder: Remote, files: dict[str, bytes]) -> None:
    for name, raw in files.items():
        (folder / name).put(io.BytesIO(raw))


def copied(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def fetched(source: Remote, folder: Path) -> list[str]:
    names: list[str] = []
    fetch(source, folder, lambda name, number, of: names.append(name))
    return names


def test_copies_follow_what_is_there(bucket: Remote, tmp_path: Path) -> None:
    there, here = bucket / "follow", tmp_path / "copies"
    first = ["a.costs.json", "a.parquet", f"c/{PLAN}", "c/part-00000.parquet"]
    put(there, dict.fromkeys(first, b"one"))
    passed_over = ("notes.txt", ".b.parquet.parts/part-00000.parquet", "c/notes.txt", "d/deep/a.parquet")
    put(there, dict.fromkeys(passed_over, b"-"))
    assert fetched(there, here) == first
    assert sorted(copied(here)) == first
    assert fetched(there, here) == []
    put(there, {"a.parquet": b"other", f"c/{DONE}": b"{}", "c/part-00001.parquet": b"1"})
    # The mark that a run is whole comes after all of its parts.
    assert fetched(there, here) == ["a.parquet", "c/part-00001.parquet", f"c/{DONE}"]
    assert copied(here)["a.parquet"] == b"other"
    for name in ("a.costs.json", "c/part-00001.parquet"):
        (there / name).unlink()
    assert fetched(there, here) == []
    assert sorted(copied(here)) == ["a.parquet", f"c/{PLAN}", f"c/{DONE}", "c/part-00000.parquet"]
    for name in (f"c/{PLAN}", f"c/{DONE}", "c/part-00000.parquet", "c/notes.txt"):
        (there / name).unlink()
    fetch(there, here)
    assert [entry.name for entry in here.iterdir()] == ["a.parquet"]


def test_the_same_size_at_another_time_is_another_file(bucket: Remote, tmp_path: Path) -> None:
    there, copy = bucket / "times", tmp_path / "a.parquet"
    put(there, {"a.parquet": b"one"})
    fetch(there, tmp_path)
    found, own = (there / "a.parquet").stamp(), copy.stat()
    assert found is not None
    assert found[:2] == (own.st_mtime_ns, own.st_size)
    copy.write_bytes(b"two")
    os.utime(copy, ns=(found[0] - 1_000_000_000, found[0] - 1_000_000_000))
    fetch(there, tmp_path)
    assert copy.read_bytes() == b"one"


def test_a_cut_connection_leaves_what_was_fetched(
    bucket: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = bucket / "cut"
    put(there, {"a.parquet": b"a", "b.parquet": b"b"})
    with line_to_the_server(monkeypatch) as line:
        with pytest.raises(BadFile, match=r"^Cannot read s3://runs/cut/b\.parquet: .*NETWORK_CONNECTION"):
            fetch(there, tmp_path, lambda name, number, of: line.cut() if name == "b.parquet" else None)
        assert copied(tmp_path) == {"a.parquet": b"a"}
    assert fetched(there, tmp_path) == ["b.parquet"]


def test_copies_of_two_buckets_lie_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = (copies_of(Remote(f"s3://{bucket}/runs")) for bucket in ("a", "b"))
    assert one != other
    assert one.name == other.name == "runs"
    assert one.is_relative_to(tmp_path / "cascade_core")
