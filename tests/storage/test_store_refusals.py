"""Run files that are truncated, foreign, spoiled or contradictory: one clear line each, nothing executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cascade_core import load_record, load_run, save_run
from cascade_core.storage import columns, schema
from cascade_core.storage.reading import read_metadata
from cascade_core.support.files import BadFile
from tests.oracle import assert_one_line, random_outputs
from tests.runfiles import assert_bad, rewrite

OUTPUTS = random_outputs(1, n=50, classes=5, decimals=None)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_run(OUTPUTS, tmp_path / "run.parquet")


def with_column(run: Path, name: str, values: Any) -> Path:
    return rewrite(run, lambda t: t.set_column(t.schema.get_field_index(name), name, values))


def with_metadata(run: Path, **changes: Any) -> Path:
    """Change entries of the metadata; `...` deletes one."""
    data = json.loads(pq.read_schema(run).metadata[schema.METADATA_KEY]) | changes
    data = {key: value for key, value in data.items() if value is not ...}
    return rewrite(run, lambda t: t.replace_schema_metadata({schema.METADATA_KEY: json.dumps(data).encode()}))


@pytest.mark.parametrize("keep", [0, 3, 4, 100, 0.5, 0.99])
def test_truncated(run: Path, keep: float) -> None:
    raw = run.read_bytes()
    run.write_bytes(raw[: int(keep * len(raw)) if isinstance(keep, float) else keep])
    assert_bad(run)
    assert_bad(run, read=load_record)


def test_random_bytes_and_flipped_bytes(run: Path) -> None:
    random = np.random.default_rng(0)
    raw = run.read_bytes()
    run.write_bytes(random.bytes(5_000))
    assert_bad(run)
    for _ in range(60):
        spoiled = bytearray(raw)
        for place in random.integers(0, len(raw), 5):
            spoiled[place] = random.integers(0, 256)
        run.write_bytes(spoiled)
        try:
            load_run(run)
        except BadFile as error:
            assert_one_line(error, f"Cannot read {run}: ")


def test_foreign_parquet(tmp_path: Path) -> None:
    path = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"x": [1]}), path)
    assert_bad(path, "Parquet but not a run", "cascade_core import")


@pytest.mark.parametrize("column", ["sample_id", "label", "stage_1_probs"])
def test_missing_column(run: Path, column: str) -> None:
    assert_bad(rewrite(run, lambda t: t.drop_columns([column])), f"expected a column '{column}' but there are")


@pytest.mark.parametrize("column", ["label", "stage_1_prediction", "stage_0_max_probability"])
def test_missing_column_of_the_record(run: Path, column: str) -> None:
    assert_bad(rewrite(run, lambda t: t.drop_columns([column])), f"expected a column '{column}'", read=load_record)


def test_a_foreign_column_name_breaks_no_line(run: Path) -> None:
    rewrite(run, lambda t: t.append_column("x\ny", t["label"]).select(["x\ny", "label"]))
    assert_bad(run, "but there are x y, label")


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("label", pa.array([0.5] * 50), "column 'label' to hold whole numbers but it holds double"),
        ("label", pa.array([None] + [0] * 49), "column 'label' to be complete but it has missing values"),
        ("label", pa.array([5] + [0] * 49), "labels to be from 0 to 4 but sample 0 has 5"),
        ("label", pa.array([-1] + [0] * 49), "labels to be from 0 to 4 but sample 0 has -1"),
        ("sample_id", pa.array(range(50)), "column 'sample_id' to hold texts but it holds int64"),
        ("sample_id", pa.array([None] + ["a"] * 49), "column 'sample_id' to be complete"),
        ("stage_0_probs", pa.array([0.5] * 50), "lists of 5 float32 but it holds double"),
        ("stage_0_probs", pa.array([[1.0] * 5] * 50), "lists of 5 float32 but it holds list<"),
        ("stage_0_probs", pa.array([[0.25] * 4] * 50, pa.list_(pa.float32(), 4)), "lists of 5 float32"),
        (
            "stage_0_probs",
            pa.array([None] + [[0.2] * 5] * 49, pa.list_(pa.float32(), 5)),
            "'stage_0_probs' to be complete",
        ),
        (
            "stage_0_probs",
            pa.array([[None, 1, 0, 0, 0]] * 50, pa.list_(pa.float32(), 5)),
            "'stage_0_probs' to be complete",
        ),
        ("stage_0_probs", pa.array([[0.5] * 5] * 50, pa.list_(pa.float32(), 5)), "sample 0 sums to 2.5"),
        ("stage_0_probs", pa.array([[np.nan] * 5] * 50, pa.list_(pa.float32(), 5)), "sample 0 sums to nan"),
        ("stage_0_probs", pa.array([[2.0, -1, 0, 0, 0]] * 50, pa.list_(pa.float32(), 5)), "with least value -1"),
    ],
)
def test_columns_that_do_not_fit(run: Path, column: str, values: pa.Array, words: str) -> None:
    assert_bad(with_column(run, column, values), words)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("label", pa.array([5] + [0] * 49), "every label to be from 0 to 4 but some lie outside"),
        ("stage_1_prediction", pa.array([0] * 49 + [-1]), "every prediction to be from 0 to 4"),
        ("stage_1_prediction", pa.array([2**63] + [0] * 49, pa.uint64()), "every prediction to be from 0 to 4"),
        ("stage_1_max_probability", pa.array([1.5] * 50, pa.float32()), "every max_probability to be from 0.2 to 1"),
        ("stage_1_max_probability", pa.array([0.1] * 50, pa.float32()), "every max_probability to be from 0.2 to 1"),
        ("stage_1_max_probability", pa.array([np.nan] * 50, pa.float32()), "every max_probability to be from"),
        ("stage_1_max_probability", pa.array([0.5] * 50), "to hold float32 but it holds double"),
        ("stage_1_max_probability", pa.array([None] * 50, pa.float32()), "to be complete"),
    ],
)
def test_record_columns_that_do_not_fit(run: Path, column: str, values: pa.Array, words: str) -> None:
    assert_bad(with_column(run, column, values), words, read=load_record)


STAGE = {"name": "a", "trunk_macs": 1, "head_macs": 1}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": 4}, "expected schema version 1 to 3 but it has 4; update this program"),
        ({"schema_version": ...}, "expected schema version 1 to 3 but it has None"),
        ({"softmaxes": False}, "expected softmaxes in its metadata to be true, or false from version 2 on"),
        ({"softmaxes": 1}, "expected softmaxes in its metadata to be true, or false from version 2 on"),
        ({"softmaxes": False, "schema_version": 2}, "expected a column 'stage_0_confidence'"),
        ({"reference": "teacher"}, "expected reference in its metadata to be one of labels, last stage but it has"),
        ({"reference": "last stage"}, "labels to be the last stage's answers where these are the reference but sample"),
        ({"stages": ...}, "expected stages in its metadata"),
        ({"stages": []}, "expected stages in its metadata"),
        ({"stages": "abc"}, "expected stages in its metadata"),
        ({"stages": ["a", "b", "c"]}, "name, trunk_macs and head_macs but one is a"),
        ({"stages": [STAGE | {"x": 1}] * 3}, "name, trunk_macs and head_macs but one is"),
        ({"stages": [STAGE] * 3}, "stages to be distinct but 'a' repeats"),
        ({"stages": [STAGE | {"trunk_macs": 10**30}] * 3}, "trunk_macs of stage 'a' to be a whole number"),
        ({"stages": [STAGE | {"trunk_macs": 0.5}] * 3}, "trunk_macs of stage 'a' to be a whole number"),
        ({"stages": [STAGE, STAGE | {"name": "b"}]}, "the 2 stages that its metadata names but there are more"),
        ({"baseline_macs": None}, "expected baseline_macs in its metadata"),
        ({"baseline_macs": 0}, "baseline_macs to be a whole number from 1"),
        ({"baseline_macs": 10**30}, "baseline_macs to be a whole number from 1"),
        ({"baseline_macs": 10**400}, "which is too large a number"),
        ({"class_names": 5}, "expected class_names in its metadata"),
        ({"class_names": "abcde"}, "expected class_names in its metadata"),
        ({"class_names": ["a"] * 5}, "class_names to be distinct but 'a' repeats"),
        ({"class_names": [1, 2, 3, 4, 5]}, "class_names to hold non-empty texts but one was 1"),
        ({"source": []}, "expected source in its metadata"),
        ({"source": {"x": float("nan")}}, "it holds NaN, which is not JSON"),
    ],
)
def test_metadata_that_does_not_fit(run: Path, changes: dict[str, Any], words: str) -> None:
    assert_bad(with_metadata(run, **changes), words)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b"[" * 100_000, b"{", b'{"schema_version": 1}'])
def test_metadata_that_is_no_metadata(run: Path, raw: bytes) -> None:
    rewrite(run, lambda t: t.replace_schema_metadata({schema.METADATA_KEY: raw}))
    assert_bad(run)
    assert_bad(run, read=read_metadata)


def test_absurd_sizes_are_refused_before_reading(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(pq.ParquetFile, "read", read)
    # A row takes 3 * 5 float32 of softmaxes, and 8 bytes for each of id, label and 3 * 4 answers and scores:
    # 50 * (60 + 8 * 14) = 8,600 bytes.
    monkeypatch.setattr(columns, "MAX_BYTES", 8_599)
    assert_bad(run, "GiB in memory but it declares 50 rows")
    monkeypatch.setattr(columns, "MAX_BYTES", 8_600)
    with pytest.raises(BadFile, match="it was read"):
        load_run(run)


def test_a_small_file_does_not_take_what_a_large_one_may(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its size: 20 times that, but for what any run may take."""
    size = run.stat().st_size
    for small, packed in ((8_600, 0), (0, -(-8_600 // size))):
        monkeypatch.setattr(columns, "SMALL_BYTES", small)
        monkeypatch.setattr(columns, "PACKED", packed)
        load_run(run)
    monkeypatch.setattr(columns, "PACKED", 0)
    monkeypatch.setattr(columns, "SMALL_BYTES", 8_599)
    assert_bad(run, "GiB in memory but it declares 50 rows")


def test_ids_that_would_take_too_much_room_are_not_laid_out(run: Path) -> None:
    with_column(run, "sample_id", [["x" * 1_000, *map(str, range(49))]])
    # 50 ids of 1,000 characters of four bytes; softmaxes and the rest take less.
    assert len(load_run(run, max_bytes=200_000).labels) == 50
    assert_bad(run, "in column 'sample_id' but row 1 has 1,000", read=lambda path: load_run(path, max_bytes=199_999))


@pytest.mark.parametrize("column", ["stage_0_max_probability", "stage_1_margin", "stage_2_negative_entropy"])
def test_scores_that_do_not_follow_from_the_softmaxes(run: Path, column: str) -> None:
    forged = np.full(50, -0.5 if column.endswith("entropy") else 0.5, dtype=np.float32)
    assert_bad(with_column(run, column, [forged]), f"column '{column}' to follow from the softmaxes but it does not")


def test_an_answer_that_does_not_follow_from_the_softmaxes(run: Path) -> None:
    flipped = (pq.read_table(run)["stage_0_prediction"].to_numpy() + 1) % 5
    assert_bad(with_column(run, "stage_0_prediction", [flipped]), "column 'stage_0_prediction' to follow from")


def test_a_flipped_byte_is_noticed_without_reading_softmaxes(run: Path) -> None:
    raw = bytearray(run.read_bytes())
    group = pq.read_metadata(run).row_group(0)
    column = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "stage_0_margin")
    raw[(column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 4] ^= 1
    run.write_bytes(raw)
    assert_bad(run, read=lambda path: load_record(path, "margin"))


def test_no_samples(run: Path) -> None:
    assert_bad(rewrite(run, lambda t: t.slice(0, 0)), "it holds no samples")
