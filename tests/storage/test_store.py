"""Run files: exact round trips, folders of parts, atomic writing.  Bad files are in `test_store_refusals`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cascade_core import StageOutputs, load_record, save_run
from cascade_core.simulation.scores import of_softmaxes
from cascade_core.storage import reading, schema, writing
from cascade_core.support.files import BadFile, Contents
from tests.oracle import random_outputs
from tests.runfiles import assert_bad, load_softmaxes, rewrite

OUTPUTS = replace(
    random_outputs(1, n=50, classes=5, decimals=None),
    class_names=("cat", "dog", "Vögel", "a b", "x\ny"),
    sample_ids=np.array([f"test/{i:03}.png" for i in range(50)]),
    source={"network": "made up", "versions": {"numpy": "2"}},
    baseline_macs=1234,
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_run(OUTPUTS, tmp_path / "run.parquet")


def assert_equal(found: StageOutputs, wanted: StageOutputs) -> None:
    assert found.probs.dtype == np.float32
    assert found.probs.tobytes() == wanted.probs.tobytes()
    assert (found.labels == wanted.labels).all()
    assert (found.sample_ids == wanted.sample_ids).all()
    for name in ("stages", "baseline_macs", "class_names", "source"):
        assert getattr(found, name) == getattr(wanted, name)


def test_round_trip_is_exact(run: Path) -> None:
    assert (OUTPUTS.probs == 1).any()
    assert ((OUTPUTS.probs > 0.9999) & (OUTPUTS.probs < 1)).any() or (OUTPUTS.probs < 1e-5).any()
    assert_equal(load_softmaxes(run), OUTPUTS)


def test_sample_ids_are_read_alone(run: Path, tmp_path: Path) -> None:
    assert reading.load_sample_ids(run) == tuple(OUTPUTS.sample_ids.tolist())
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    assert_bad(tmp_path / "bad.parquet", read=reading.load_sample_ids)


def test_a_run_in_memory_is_the_file_byte_for_byte(run: Path) -> None:
    assert writing.run_bytes(OUTPUTS) == run.read_bytes()
    assert schema.run_metadata(OUTPUTS) == reading.read_metadata(run)
    assert_equal(load_softmaxes(Contents(name="mine.parquet", raw=run.read_bytes())), OUTPUTS)


@pytest.mark.parametrize("score", of_softmaxes())
def test_record_columns_equal_the_record_of_the_softmaxes(run: Path, score: str) -> None:
    for top_k in (1, 2) if score == "max_probability" else (1,):
        found, wanted = load_record(run, score, top_k), load_softmaxes(run).record(score, top_k)
        assert found.confidence.tobytes() == wanted.confidence.tobytes()
        for name in ("predictions", "correct", "labels"):
            assert (getattr(found, name) == getattr(wanted, name)).all()
        for name in ("stages", "baseline_macs", "score", "top_k"):
            assert getattr(found, name) == getattr(wanted, name)


def test_record_accepts_every_softmax_that_outputs_accept(tmp_path: Path) -> None:
    """Rows that sum to 1.0009 shift the entropy of 1,000 classes by 0.0053."""
    probs = np.full((2, 3, 1000), 1.0009 / 1000)
    path = save_run(StageOutputs(probs=probs, labels=np.arange(3), stages=OUTPUTS.stages[:2]), tmp_path / "a.parquet")
    for score in of_softmaxes():
        assert load_record(path, score).n == 3


def test_record_reads_no_softmax(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "load_run", None)
    rewrite(run, lambda t: t.drop_columns([f"stage_{s}_probs" for s in range(3)]))
    assert load_record(run, "margin").n == 50


def test_record_refuses_unknown_scores_at_once(run: Path) -> None:
    with pytest.raises(ValueError, match="score to be one of"):
        load_record(run, "best")


def test_folder_of_parts(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for part, index in enumerate((slice(0, 20), slice(20, 50))):
        piece = replace(
            OUTPUTS,
            probs=OUTPUTS.probs[:, index],
            labels=OUTPUTS.labels[index],
            sample_ids=OUTPUTS.sample_ids[index],
        )
        save_run(piece, folder / f"part-{part}.parquet")
    (folder / ".part-2.parquet.x.tmp").write_bytes(b"being written")
    (folder / "._part-0.parquet").write_bytes(b"what some systems leave beside a file")
    assert_equal(load_softmaxes(folder), OUTPUTS)
    assert (load_record(folder).confidence == OUTPUTS.record().confidence).all()
    assert reading.digest(folder) != reading.digest(folder / "part-0.parquet")


def test_parts_of_two_runs_are_no_run(tmp_path: Path) -> None:
    save_run(OUTPUTS, tmp_path / "a.parquet")
    save_run(replace(OUTPUTS, baseline_macs=99), tmp_path / "b.parquet")
    assert_bad(tmp_path, "parts of one run but b.parquet has other stages, MACs or class names")
    assert_bad(tmp_path, "parts of one run", read=load_record)


def test_empty_folder_and_missing_file(tmp_path: Path) -> None:
    assert_bad(tmp_path, "the folder holds no .parquet part")
    assert_bad(tmp_path / "none.parquet", "there is no such file")


def test_save_refuses_other_endings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"end in \.parquet but it was 'run\.pkl'"):
        save_run(OUTPUTS, tmp_path / "run.pkl")


def test_failed_writing_leaves_nothing_and_keeps_the_old_file(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run.read_bytes()

    def fail(_table: pa.Table, target: Path, **_: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    for path in (run, run.with_name("new.parquet")):
        with pytest.raises(OSError, match="disk full"):
            save_run(OUTPUTS, path)
    assert [p.name for p in run.parent.iterdir()] == ["run.parquet"]
    assert run.read_bytes() == before


def test_replacing_is_atomic_and_files_get_usual_permissions(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stands untouched until the new one is complete beside it."""
    before, write = run.read_bytes(), pq.write_table

    def look(table: pa.Table, target: Path, **options: Any) -> None:
        write(table, target, **options)
        assert run.read_bytes() == before
        assert Path(target).parent == run.parent
        assert not Path(target).name.endswith(".parquet")

    monkeypatch.setattr(pq, "write_table", look)
    with run.open("rb") as reader:
        save_run(replace(OUTPUTS, baseline_macs=5), run)
        assert reader.read() == before  # who reads meanwhile reads the old file to its end
    assert load_softmaxes(run).baseline_macs == 5
    plain = run.with_name("plain")
    plain.touch()
    assert run.stat().st_mode == plain.stat().st_mode


def test_digest_is_of_the_bytes(run: Path) -> None:
    before = reading.digest(run)
    assert len(before) == 64
    run.write_bytes(run.read_bytes() + b"x")
    assert reading.digest(run) != before
    with pytest.raises(BadFile, match="no such file"):
        reading.digest(run.with_name("none"))
