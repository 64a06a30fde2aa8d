"""Files of the newer kinds that hold more than may be read are refused before it is laid out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cascade_core.storage.importers import Wishes, read_files
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
    # 1,000 rows of 102 numbers of 8 bytes.
    assert "1,000 rows of more" in refused(raw, "parquet", 815_999)
    assert "it was read" in refused(raw, "parquet", 816_000)


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
