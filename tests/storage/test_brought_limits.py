"""Files of the newer kinds that hold more than may be read are refused before it is laid out."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.importers.room import room_for
from cascade_core.support.files import BadFile, Contents
from tests.storage.brought import csv, jsonl, made, npz, parquet, table

TRUTH = made()
P = [f"p_{k}" for k in range(5)]


def refused(raw: bytes, ending: str, max_bytes: int) -> str:
    with pytest.raises(BadFile) as caught:
        read_files([Contents(name=f"mine.{ending}", raw=raw)], Wishes(), max_bytes)
    return str(caught.value)


def test_lines_of_more_than_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = jsonl(table(TRUTH), P)
    read_files([Contents(name="mine.jsonl", raw=raw)], Wishes(), 1_000_000)
    assert "up to row 236 there are more" in refused(raw, "jsonl", 100_000)  # a row takes 256 + 4 * 32 + 5 * 8 bytes
    monkeypatch.setattr(json, "loads", None)
    assert "row 1 alone has more" in refused(b"[" + b"1," * 1_000 + b"1]", "jsonl", 30_000)


@pytest.mark.parametrize(
    "line", [b'{"label": 1e999, "stage": 0, "p_0": 1}', b'{"label": 0, "stage": 0, "probs": [1' + b"0" * 400 + b"]}"]
)
def test_numbers_that_no_array_holds(line: bytes) -> None:
    assert refused(line, "jsonl", 1 << 20).startswith("Cannot import mine.jsonl: expected ")


def test_lists_that_declare_more_than_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame({"label": [0] * 1_000, "stage": 0, "probs": [[0.0] * 99 + [1.0]] * 1_000})
    raw = parquet(rows)
    assert len(raw) < 20_000

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(pq.ParquetFile, "read", refuse)
    # 1,000 rows of 102 numbers of 8 bytes and 48 more.
    assert "1,000 rows of more" in refused(raw, "parquet", 863_999)
    assert "it was read" in refused(raw, "parquet", 864_000)


@pytest.mark.parametrize("how", [{"sep": ";"}, {"sep": "\t"}, {"encoding": "utf-16"}], ids=str)
def test_cells_are_counted_whatever_separates_them(how: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = csv(table(TRUTH), **how)
    monkeypatch.setattr(pd, "read_csv", None)
    # 361 rows of 9 cells; the file itself is larger.
    assert "cells of 8" in refused(raw * 2, "csv", max(len(raw) * 2, 8 * 2 * 361 * 9 - 1)) or len(raw) > 4 * 361 * 9


def test_names_of_any_length_are_no_known_names() -> None:
    assert "columns 'label' and 'stage'" in refused(b"p_" + b"x" * 100_000 + b",b\n1,2\n", "csv", 1 << 20)


def test_more_stages_than_anybody_has() -> None:
    rows = pd.DataFrame({"label": 0, "stage": [f"s{k}" for k in range(1_001)], "p_0": 1.0})
    assert "at most 1,000 stages but there are 1,001" in refused(csv(rows), "csv", 1 << 20)
    raw = npz(probs=np.ones((1_001, 2, 1)), labels=[0, 0])
    assert "at most 1,000 stages but there are 1,001" in refused(raw, "npz", 1 << 20)


@pytest.mark.parametrize("shape", [(1, 2, 3_000), (1, 3_000, 2), (300, 30, 2)], ids=str)
def test_what_a_run_takes_beside_its_values(shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of one byte each, of many classes, samples or stages, are refused before anything is made of them."""
    stages, samples, classes = shape
    # Values of 4 bytes, 48 for a sample at a stage, 160 for a sample, 200 for a class.
    taken = 4 * stages * samples * classes + 48 * stages * samples + 160 * samples + 200 * classes
    raw = npz(logits=np.zeros(shape, np.int8), labels=np.zeros(samples, np.int8))
    read_files([Contents(name="mine.npz", raw=raw)], Wishes(), taken)
    monkeypatch.setattr("cascade_core.storage.importers.assembling.as_softmaxes", None)
    assert f"take {taken:,}" in refused(raw, "npz", taken - 1)


def test_texts_that_are_stored_once_are_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id of 1,000 letters in each of 1,000 rows is a file of some kilobytes; refused before it is written out."""
    rows = pd.DataFrame({"sample_id": ["x" * 1_000] * 1_000, "label": "y" * 1_000, "stage": 0, "p_0": 1.0})
    monkeypatch.setattr("cascade_core.storage.importers.sheets._check_cells", None)
    for names in (["sample_id", "label", "stage", "p_0"], ["label", "stage", "p_0"]):
        raw = parquet(rows[names])
        assert len(raw) < 20_000
        assert "row 1 it has 1,000 characters, and as many in each of 1,000 rows" in refused(raw, "parquet", 3_999_999)


def test_long_lines_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cascade_core.storage.importers.json_lines.MAX_LINE", 100)
    short, long = (b'{"label": 0, "stage": 0, "p_0": 1, "note": "%s"}' % (b"x" * count) for count in (50, 60))
    read_files([Contents(name="mine.jsonl", raw=short + b"\n" + short.replace(b'stage": 0', b'stage": 1'))], Wishes())
    monkeypatch.setattr(json, "loads", None)
    assert "expected lines of at most 100 bytes but row 1 is longer" in refused(long, "jsonl", 1 << 20)


def test_objects_of_too_many_entries() -> None:
    raw = json.dumps({"label": 0, "stage": 0, **{f"p_{k}": 0 for k in range(32_767)}}).encode()
    assert "at most 32,768 columns but the first row names 32,769" in refused(raw, "jsonl", 1 << 24)


def test_archives_of_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the archive says how long its directory is, which is not listed then."""
    raw = npz(probs=np.ones((1, 2, 1)), labels=[0, 0])
    length = int.from_bytes(raw[-10:-6], "little")
    monkeypatch.setattr("cascade_core.storage.importers.archives.MAX_DIRECTORY", length)
    read_files([Contents(name="mine.npz", raw=raw)], Wishes())
    monkeypatch.setattr("cascade_core.storage.importers.archives.MAX_DIRECTORY", length - 1)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert f"a directory of at most {length - 1} bytes but the archive's has {length}" in refused(raw, "npz", 1 << 20)


def test_a_file_may_take_what_its_size_makes_likely() -> None:
    assert room_for(0) == room_for(1 << 20) == 128 << 20
    assert room_for(10 << 20) == 200 << 20
    assert room_for(1 << 40) == 2 << 30


@pytest.mark.parametrize("kind", ["probs", "logits", "percents"])
def test_values_are_converted_alike_at_once_and_in_pieces(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"probs": TRUTH.probs.round(3), "logits": np.log(TRUTH.probs + 1e-9), "percents": 100 * TRUTH.probs}[kind]
    raw = npz(**{"logits" if kind == "logits" else "probs": given}, labels=TRUTH.labels)
    whole = read_files([Contents(name="mine.npz", raw=raw)], Wishes())
    monkeypatch.setattr("cascade_core.storage.importers.softmaxes._AT_ONCE", 7)
    pieces = read_files([Contents(name="mine.npz", raw=raw)], Wishes())
    assert isinstance(whole, StageOutputs)
    assert isinstance(pieces, StageOutputs)
    assert pieces.probs.tobytes() == whole.probs.tobytes()
    assert pieces.source == whole.source
