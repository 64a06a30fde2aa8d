"""CSV and Parquet tables: they come in right, and the first row and column at fault are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cascade_core.support.files import Contents
from tests.oracle import assert_refused
from tests.runfiles import import_softmaxes

TWO = np.array([[[0.5, 0.5], [0.25, 0.75]], [[1, 0], [0, 1]]], dtype=np.float32)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # what is odd about runs of few MACs


def assert_bad(path: Path, *words: str, **given: Any) -> None:
    assert_refused(lambda p: import_softmaxes(p, **given), path, f"Cannot import {path}: ", *words)


@pytest.fixture
def table() -> pd.DataFrame:
    """Two samples at two stages, stage by stage."""
    return pd.DataFrame(
        {
            "sample_id": ["x", "y", "x", "y"],
            "label": [0, 1, 0, 1],
            "stage": ["early", "early", "late", "late"],
            "p_0": TWO[..., 0].ravel(),
            "p_1": TWO[..., 1].ravel(),
            "macs": [10, 10, 20, 20],
        }
    )


def write(frame: pd.DataFrame, folder: Path, ending: str) -> Path:
    path = folder / f"mine.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables(tmp_path: Path, table: pd.DataFrame, ending: str) -> None:
    found = import_softmaxes(write(table, tmp_path, ending))
    assert (found.probs == TWO).all()
    assert found.labels.tolist() == [0, 1]
    assert found.sample_ids.tolist() == ["x", "y"]
    assert [(s.name, s.trunk_macs) for s in found.stages] == [("early", 10), ("late", 20)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_row_order_within_a_stage_does_not_matter(tmp_path: Path, table: pd.DataFrame, ending: str) -> None:
    found = import_softmaxes(write(table.iloc[[0, 3, 1, 2]], tmp_path, ending))
    assert (found.probs == TWO).all()
    assert found.sample_ids.tolist() == ["x", "y"]


def test_numbered_stages_come_in_their_order(tmp_path: Path, table: pd.DataFrame) -> None:
    table["stage"] = [2, 2, 1, 1]
    found = import_softmaxes(write(table, tmp_path, "csv"))
    assert (found.probs == TWO[::-1]).all()
    assert [(s.name, s.trunk_macs) for s in found.stages] == [("stage 1", 20), ("stage 2", 10)]


def test_logits_without_ids_or_macs(tmp_path: Path, table: pd.DataFrame) -> None:
    table = table.rename(columns={"p_0": "logit_0", "p_1": "logit_1"}).drop(columns=["sample_id", "macs"])
    table["logit_0"] += 1
    found = import_softmaxes(write(table, tmp_path, "csv"), macs=[1, 2])
    np.testing.assert_allclose(found.probs[1, 0], [1 / (1 + np.exp(-2)), 1 - 1 / (1 + np.exp(-2))], rtol=1e-6)
    assert found.sample_ids.tolist() == ["0", "1"]
    assert_bad(tmp_path / "mine.csv", "expected macs", assume_equal_macs=False)


def test_ids_are_texts_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = ["007,0,a,1,0,5", "7,0,a,1,0,5", "NA,0,a,1,0,5", "1.50,0,a,1,0,5"]
    # As spreadsheets write it: a byte order mark, carriage returns, an empty line at the end.
    path.write_bytes(("\ufeffsample_id,label,stage,p_0,p_1,macs\r\n" + "\r\n".join(rows) + "\r\n\r\n").encode())
    assert import_softmaxes(path).sample_ids.tolist() == ["007", "7", "NA", "1.50"]


def test_ids_of_digits_keep_their_zeros(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("sample_id,label,stage,p_0,p_1,macs\n007,0,a,1,0,5\n010,0,a,1,0,5\n")
    assert import_softmaxes(path).sample_ids.tolist() == ["007", "010"]


def test_parquet_with_the_id_as_pandas_index(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "mine.parquet"
    table.set_index("sample_id").to_parquet(path)
    assert import_softmaxes(path).sample_ids.tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (1, "p_1", "abc", "a number in row 3, column 'p_1' but it is 'abc'"),
        (3, "p_0", "", "a number in row 5, column 'p_0' but it is ''"),
        (0, "p_0", "inf", "a number in row 2, column 'p_0'"),
        (2, "p_0", "nan", "a number in row 4, column 'p_0'"),
        (0, "label", "cat", "a whole number in row 2, column 'label' but it is 'cat'"),
        (0, "label", "0.5", "a whole number in row 2, column 'label' but it is '0.5'"),
        (1, "label", "1e30", "a whole number in row 3, column 'label'"),
        (1, "macs", "x", "a whole number in row 3, column 'macs' but it is 'x'"),
        (1, "macs", "11", "same in all rows of a stage but at stage 'early' row 3 has 11 where row 2 has 10"),
        (2, "stage", "", "a value in row 4, column 'stage' but it is ''"),
        (2, "sample_id", "", "a value in row 4, column 'sample_id' but it is ''"),
        (1, "sample_id", "x", "one row for each sample at stage 'early' but row 3 repeats 'x', its sample id"),
        (3, "sample_id", "z", "stage 'early' has no row of 'z', which row 5 has at stage 'late'"),
        (3, "stage", "third", "the same 2 samples at every stage"),
        (3, "label", "0", "labels differ at stage 'late': row 5 has 0 where row 3 has 1"),
        (3, "label", "2", "labels differ at stage 'late': row 5 has 2 where row 3 has 1"),
        (3, "label", "-1", "labels differ at stage 'late': row 5 has -1 where row 3 has 1"),
        (
            3,
            "p_0",
            "0.5",
            "row 5 sums to 1.5 with least value 0.5 at class 0; values before the softmax belong under logits",
        ),
        (1, "p_0", "-0.25", "row 3 sums to 0.5 with least value -0.25 at class 0"),
        (1, "label", "=1+1", "a whole number in row 3, column 'label' but it is '=1+1'"),
        (1, "label", "<img src=x>", "a whole number in row 3, column 'label' but it is '<img src=x>'"),
    ],
)
def test_csv_cells_that_do_not_fit(
    tmp_path: Path, table: pd.DataFrame, row: int, column: str, value: str, words: str
) -> None:
    texts = table.astype(str)
    texts.loc[row, column] = value
    assert_bad(write(texts, tmp_path, "csv"), words)


def test_parquet_rows_are_counted_from_one(tmp_path: Path, table: pd.DataFrame) -> None:
    table.loc[1, "p_1"] = np.nan
    assert_bad(write(table, tmp_path, "parquet"), "a number in row 2, column 'p_1' but it is 'nan'")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_that_do_not_fit(tmp_path: Path, table: pd.DataFrame, ending: str) -> None:
    for columns, words in ((["stage"], "a column 'stage'"), (["label", "stage"], "columns 'label' and 'stage'")):
        assert_bad(write(table.drop(columns=columns), tmp_path, ending), f"{words} but there are sample_id")
    assert_bad(write(table.drop(columns=["p_0", "p_1"]), tmp_path, ending), "columns p_0, p_1, ... (softmaxes)")
    assert_bad(
        write(table.rename(columns={"p_1": "p_2"}), tmp_path, ending), "3 columns p_0 to p_2 but 'p_1' is missing"
    )
    assert_bad(write(table.iloc[:0], tmp_path, ending), "a row for each sample at each stage but there are none")
    assert_bad(
        write(table.iloc[:3], tmp_path, ending), "the same 2 samples at every stage but stage 'late' has no row of 'y'"
    )


def test_csv_with_a_sample_missing_and_one_twice(tmp_path: Path, table: pd.DataFrame) -> None:
    table.loc[3, "sample_id"] = "x"
    assert_bad(
        write(table, tmp_path, "csv"),
        "one row for each sample at stage 'late' but row 5 repeats 'x', its sample id",
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "the names of columns but the file is empty"),
        (b"\n\n", "the names of columns but the file is empty"),
        (b"label,stage,p_0\n0,a,\xff\n", "UTF-8 or UTF-16 text but some bytes are not"),
        ("p_0,p_1\n".encode("utf-16"), "columns 'label' and 'stage' but there are p_0, p_1"),
        (b"\xff\xfel\x00a\xd8\xd8\x00", "UTF-8 or UTF-16 text but some bytes are not"),
        (b"label,stage,p_0,macs\n0,a,1,5,8,9\n", "a name for every column in the first row but the rows below"),
        (b"label,stage,p_0,macs\n0,a,1,5\n0,a,1,5,8,9\n", "line 3"),
        (b"label,stage,p_0,p_0\n0,a,1,1\n", "2 columns p_0 to p_1 but there are two of p_0"),
        (b'label,stage,p_0\n"0,a,1\n', "Cannot import"),
        (b"\x00\x01\x02", "columns 'label' and 'stage'"),
    ],
)
def test_csv_that_is_none(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(raw)
    assert_bad(path, words, macs=[1])


def test_the_first_row_at_fault_is_named_whatever_its_column(tmp_path: Path, table: pd.DataFrame) -> None:
    texts = table.astype(str)
    texts.loc[3, "label"], texts.loc[2, "p_1"], texts.loc[2, "p_0"] = "cat", "x", "y"
    assert_bad(write(texts, tmp_path, "csv"), "a number in row 4, column 'p_0' but it is 'y'")


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("it was read")


def test_parquet_that_declares_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 100_000
    path = tmp_path / "mine.parquet"
    # Equal values are stored once: a table of 100,000 rows of 3 * 8 + 48 bytes is a file of a few thousand.
    pd.DataFrame({"label": [0] * rows, "stage": [0] * rows, "p_0": [1.0] * rows}).to_parquet(path)
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(pq.ParquetFile, "read", refuse)
    assert_bad(path, "at most 7,199,999 bytes unpacked but it declares 100,000 rows of more", max_bytes=7_199_999)
    assert_bad(path, "it was read", max_bytes=7_200_000)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_texts_that_would_take_too_much_room_are_not_laid_out(tmp_path: Path, table: pd.DataFrame, ending: str) -> None:
    table["sample_id"] = ["x", "y" * 10_000, "x", "y" * 10_000]
    # Four rows of 10,000 characters of four bytes.
    path = write(table, tmp_path, ending)
    assert import_softmaxes(path, max_bytes=160_000).probs.shape == (2, 2, 2)
    row = 3 if ending == "csv" else 2
    assert_bad(path, f"column 'sample_id' but in row {row} it has 10,000 characters", max_bytes=159_999)


def test_csv_of_too_many_columns_or_cells_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd, "read_csv", refuse)
    path = tmp_path / "mine.csv"
    path.write_text(",".join(f"p_{i}" for i in range(32_769)) + "\n0,1\n")
    assert_bad(path, "at most 32,768 columns but the first row names 32,769")
    path.write_text("label,stage,p_0,p_1\n" + "0,a,1,0\n" * 100)
    # 101 rows of 4 cells of 8 bytes and 48 more.
    assert_bad(path, "at most 8,079 bytes unpacked but it has 404 cells of 8, and 101 rows of 48", max_bytes=8_079)
    assert_bad(path, "it was read", max_bytes=8_080)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("p_0", ["0.5", "0.25", "1", "0"], "column 'p_0' to hold numbers but it holds"),
        ("p_1", [[0.5], [0.75], [0.0], [1.0]], "column 'p_1' to hold numbers but it holds list<"),
        ("label", [b"x", b"y", b"x", b"y"], "column 'label' to hold texts or numbers but it holds binary"),
        ("sample_id", [b"x", b"y", b"x", b"y"], "column 'sample_id' to hold texts or numbers but it holds"),
        ("stage", [{"a": 1}] * 4, "column 'stage' to hold texts or numbers but it holds struct"),
    ],
)
def test_parquet_of_other_types(tmp_path: Path, table: pd.DataFrame, column: str, values: Any, words: str) -> None:
    table[column] = pd.Series(values, dtype=object)
    assert_bad(write(table, tmp_path, "parquet"), words)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_numbered_samples_and_stages_of_a_file_in_memory(tmp_path: Path, table: pd.DataFrame, ending: str) -> None:
    table["sample_id"], table["stage"] = [7, 8, 7, 8], [1, 1, 2, 2]
    raw = write(table, tmp_path, ending).read_bytes()
    found = import_softmaxes(Contents(name=f"mine.{ending}", raw=raw))
    assert (found.probs == TWO).all()
    assert found.sample_ids.tolist() == ["7", "8"]


def test_truncated_parquet(tmp_path: Path, table: pd.DataFrame) -> None:
    path = write(table, tmp_path, "parquet")
    path.write_bytes(path.read_bytes()[:-20])
    assert_bad(path)
