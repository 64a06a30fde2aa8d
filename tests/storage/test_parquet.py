"""Parquet files are looked at before Arrow reads them: regular files, whole, with footers that fit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cascade_core import load_run, save_run
from cascade_core.storage.parquet import MAX_FOOTER, opened_parquet
from cascade_core.storage.reading import digest, load_record, load_sample_ids, read_metadata
from cascade_core.support.files import Contents
from tests.runfiles import assert_bad
from tests.samples import sample_run


@pytest.mark.parametrize("read", [load_run, load_record, load_sample_ids, read_metadata, digest])
def test_a_pipe_is_no_run(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # readers of several kinds
    os.mkfifo(tmp_path / "f.parquet")
    assert_bad(tmp_path / "f.parquet", "expected a regular file but it is a pipe", read=read)


@pytest.mark.parametrize(
    "raw",
    [b"", b"PAR1", b"PAR1PAR1", b"PAR1" + bytes(4) + b"PAR2", b"PAR1" + b"\x01\0\0\0" + b"PAR1", b"x" * 40],
    ids=["empty", "short", "shorter than its ends", "another end", "a footer of more than there is", "other"],
)
def test_what_does_not_begin_and_end_as_parquet(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(raw)
    assert_bad(tmp_path / "f.parquet", "it does not begin and end as one")


def test_a_footer_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    with path.open("wb") as stream:
        stream.write(b"PAR1")
        stream.seek(MAX_FOOTER + 1 + 4)  # a hole, which takes no room on the disk
        stream.write((MAX_FOOTER + 1).to_bytes(4, "little") + b"PAR1")
    assert_bad(path, "expected a footer of at most 67,108,864 bytes but it has 67,108,865")


def test_files_and_contents_are_opened_alike(tmp_path: Path) -> None:
    path = save_run(sample_run(), tmp_path / "f.parquet")
    with opened_parquet(path) as one, opened_parquet(Contents(name="f", raw=path.read_bytes())) as other:
        assert one.read().equals(other.read())
