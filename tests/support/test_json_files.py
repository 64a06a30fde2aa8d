"""JSON in files: what is written is read, and what would not be is not written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from cascade_core.support.files import BadFile
from cascade_core.support.json_files import read_json, strict_json, write_json

DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize("data", [{}, {"a": [1, 0.5, None]}, ["ü", "\ud800"], 10**300, "x" * 97])
def test_what_is_written_is_read(data: Any, tmp_path: Path) -> None:
    assert read_json(write_json(tmp_path / "it.json", data, 100 + 300), 100 + 300) == data


def test_as_many_bytes_as_are_read_are_written_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    # Two quotation marks and the end of the line.
    assert read_json(write_json(path, "x" * 97, 100), 100) == "x" * 97
    with pytest.raises(BadFile, match=r"Cannot write .*it\.json: expected at most 100 bytes of JSON but there are 101"):
        write_json(path, "y" * 98, 100)
    assert read_json(path, 100) == "x" * 97


@pytest.mark.parametrize(
    "data", [math.nan, -math.inf, 10**400, {1, 2}, DEEP], ids=["nan", "inf", "10^400", "set", "deep"]
)
def test_what_would_not_be_read_is_not_written(data: Any, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"Cannot write .*it\.json: "):
        write_json(tmp_path / "it.json", data, 1 << 20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[NaN]", "NaN, which is not JSON"),
        (b"[1e999]", "1e999, which is too large"),
        (b"1" + b"0" * 400, "too large a number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{", "expected JSON but"),
        (b"\xff", "expected JSON but"),
    ],
)
def test_what_is_not_json_everywhere_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        strict_json(raw)
