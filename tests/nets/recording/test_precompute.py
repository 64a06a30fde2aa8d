"""Recording in memory and to disk: the same values, what is refused, and what stays when something fails."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from cascade_core import StageOutputs, load_record, load_run
from cascade_core.nets.recording import chunks
from cascade_core.nets.recording.precompute import precompute, precompute_to
from cascade_core.nets.samples import batches
from cascade_core.nets.staged import StagedModel
from cascade_core.storage.parts import DONE, PLAN
from cascade_core.storage.reading import digest, read_metadata
from cascade_core.support.files import BadFile
from cascade_core.support.stopping import Stopped
from tests.nets.working import BATCH, CHUNK, CHUNKS, SAMPLES, images, network
from tests.oracle import assert_one_line
from tests.runfiles import load_softmaxes

OPTIONS: dict[str, Any] = {"batch_size": BATCH, "device": "cpu", "progress": False}


def record(path: Path, model: StagedModel | None = None, **changes: Any) -> Path:
    data = changes.pop("data", images())
    return precompute_to(path, model or network(), data, **{**OPTIONS, "chunk_size": CHUNK, **changes})


def assert_same(found: StageOutputs, wanted: StageOutputs) -> None:
    assert found.probs.tobytes() == wanted.probs.tobytes()
    assert found.labels.tobytes() == wanted.labels.tobytes()
    assert (found.sample_ids == wanted.sample_ids).all()
    assert (found.stages, found.baseline_macs) == (wanted.stages, wanted.baseline_macs)
    assert found.class_names == wanted.class_names
    assert {**found.source, "date": ""} == {**wanted.source, "date": ""}


def failing_at(number: int, write: Callable[..., None] = pq.write_table) -> Callable[..., None]:
    """`write`, until the disk is full after `number` calls."""
    calls = [0]

    def fail(*args: Any, **kwargs: Any) -> None:
        calls[0] += 1
        if calls[0] > number:
            raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space left on device")
        write(*args, **kwargs)

    return fail


@pytest.mark.parametrize("name", ["run.parquet", "run"])
def test_on_disk_is_what_was_in_memory(name: str, tmp_path: Path) -> None:
    wanted = precompute(network(), images(), source={"networks": ["net"]}, **OPTIONS)
    path = record(tmp_path / name, source={"networks": ["net"]})
    assert_same(load_softmaxes(path), wanted)
    assert (load_record(path).confidence == wanted.record().confidence).all()
    assert read_metadata(path)["source"]["device"] == "cpu"
    assert len(digest(path)) == 64
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_one_file_has_a_row_group_a_chunk_and_a_folder_a_part(tmp_path: Path) -> None:
    file = pq.ParquetFile(record(tmp_path / "run.parquet"))
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [CHUNK] * 12 + [11]
    folder = record(tmp_path / "run")
    assert sorted(p.name for p in folder.iterdir()) == [
        PLAN,
        DONE,
        *(f"part-{number:05d}.parquet" for number in range(CHUNKS)),
    ]
    # Other readers of Parquet folders pass over what is no part.
    assert pq.read_table(folder).num_rows == SAMPLES


def test_chunks_are_whole_batches(tmp_path: Path) -> None:
    """Chunks of 9 samples are rounded up to two batches of 8."""
    assert (record(tmp_path / "run", chunk_size=9) / f"part-{CHUNKS - 1:05d}.parquet").exists()


def test_one_pass_keeps_no_images(tmp_path: Path) -> None:
    data = images()
    record(tmp_path / "run", data=data)
    precompute(network(), data, **OPTIONS)
    assert data._kept is None
    next(batches(data, 8, generator=torch.Generator()))
    assert data._kept is not None


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    """Image 100 is in the seventh chunk: six are done, of 96 samples."""
    path = tmp_path / "run.parquet"
    with pytest.raises(ValueError, match=r"an image in cat/0100\.png but it cannot be read"):
        record(path, data=images(broken=100))
    assert len(list((tmp_path / ".run.parquet.parts").glob("part-*.parquet"))) == 6
    assert not path.exists()
    model = network()
    before = json.loads((tmp_path / ".run.parquet.parts" / PLAN).read_text())["noted"]["date"]
    record(path, model)
    pause: Any = model.trunk[0]
    # One sample is looked at twice before: for its cost, and for the number of classes.
    assert pause[0].samples - SAMPLES + 96 in (1, 2, 3, 4)
    assert read_metadata(path)["source"]["date"] == before
    assert_same(load_softmaxes(path), precompute(network(), images(), **OPTIONS))


def test_a_finished_folder_is_left_alone(tmp_path: Path) -> None:
    path = record(tmp_path / "run")
    before = {p.name: p.stat().st_mtime_ns for p in path.iterdir()}
    record(path)
    assert {p.name: p.stat().st_mtime_ns for p in path.iterdir()} == before


def test_parts_that_are_broken_or_of_other_work_are_computed_again(tmp_path: Path) -> None:
    path, other = record(tmp_path / "run"), record(tmp_path / "other", network(seed=1))
    (path / DONE).unlink()
    first, second, third = (path / f"part-{number:05d}.parquet" for number in range(3))
    first.write_bytes(first.read_bytes()[:-100])
    second.write_bytes((other / second.name).read_bytes())
    third.write_bytes((path / "part-00003.parquet").read_bytes())
    record(path)
    assert_same(load_softmaxes(path), precompute(network(), images(), **OPTIONS))


def test_an_unfinished_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"0100\.png"):
        record(tmp_path / "run", data=images(broken=100))
    for read in (load_run, load_record, read_metadata, digest):
        with pytest.raises(BadFile, match="it is not finished: 6 of 13 parts are there; start the same command") as e:
            read(tmp_path / "run")
        assert_one_line(e.value, f"Cannot read {tmp_path / 'run'}: ")
    record(tmp_path / "run")
    (tmp_path / "run" / "part-00004.parquet").unlink()
    with pytest.raises(BadFile, match=r"expected 13 parts but part-00004\.parquet is missing"):
        load_softmaxes(tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 16}, "theirs has batch_size 8 and this one 16"),
        ({"chunk_size": 32}, "theirs has chunk_size 16 and this one 32"),
        ({"data": images(200)}, "theirs has (chunks|samples)"),
        ({"source": {"networks": ["b"]}}, 'theirs has source networks \\["a"\\] and this one \\["b"\\]'),
        ({"model": network(seed=1)}, "theirs has weights_sha256 "),
    ],
)
def test_other_work_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = record(tmp_path / "run", source={"networks": ["a"]})
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    with pytest.raises(ValueError, match=message) as error:
        record(path, **{"source": {"networks": ["a"]}, **changes})
    assert_one_line(error.value, f"Expected {path} to hold parts of the same work but ")
    assert "delete the folder or give another --out" in str(error.value)
    assert {p.name: p.read_bytes() for p in path.iterdir()} == before


@pytest.mark.parametrize("name", ["run.parquet", "run"])
def test_work_that_failed_before_its_first_part_bars_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"0003\.png"):
        record(tmp_path / name, data=images(broken=3))
    assert list(tmp_path.iterdir()) == []
    record(tmp_path / name, network(seed=1))
    assert load_softmaxes(tmp_path / name).probs.shape[1] == SAMPLES


def test_a_plan_that_a_kill_left_without_a_part_is_replaced(tmp_path: Path) -> None:
    record(tmp_path / "run")
    for path in (*(tmp_path / "run").glob("part-*"), tmp_path / "run" / DONE):
        path.unlink()
    assert_same(
        load_softmaxes(record(tmp_path / "run", network(seed=1))), precompute(network(seed=1), images(), **OPTIONS)
    )


def test_threads_are_those_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"0100\.png"):
        record(tmp_path / "run", data=images(broken=100))
    plan = json.loads((tmp_path / "run" / PLAN).read_text())
    assert plan["noted"]["threads"] == 1
    (tmp_path / "run" / PLAN).write_text(json.dumps({**plan, "noted": {**plan["noted"], "threads": 2}}))
    seen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    record(tmp_path / "run")
    assert seen == [2, 1]


@pytest.mark.parametrize("name", ["run.parquet", "run"])
def test_a_full_disk_is_one_line_and_what_is_done_stays(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    folder = tmp_path / (".run.parquet.parts" if path.suffix else "run")
    with monkeypatch.context() as full:
        full.setattr(pq, "write_table", failing_at(3))
        with pytest.raises(OSError, match="no space left on device; 3 of 13 chunks are done") as error:
            record(path)
    assert_one_line(error.value, f"Cannot write {folder / 'part-00003.parquet'}: ")
    assert str(folder) in str(error.value)
    assert not list(folder.glob(".*.tmp"))
    assert_same(load_softmaxes(record(path)), precompute(network(), images(), **OPTIONS))


def test_a_full_disk_at_the_end_keeps_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, model = tmp_path / "run.parquet", network()
    path.write_text("the old run")
    with monkeypatch.context() as full:
        # Each part is one call, and then come those for the whole.
        full.setattr(pq.ParquetWriter, "write_table", failing_at(CHUNKS + 2, pq.ParquetWriter.write_table))
        with pytest.raises(OSError, match=r"run\.parquet: no space left on device; 13 of 13 chunks are done"):
            record(path)
    assert path.read_text() == "the old run"
    record(path, model)
    pause: Any = model.trunk[0]
    assert pause[0].samples <= 4


def test_an_interrupt_says_how_far_it_is(tmp_path: Path) -> None:
    data = images()
    read = data.read

    def interrupted(i: int) -> Any:
        if i == 50:
            raise KeyboardInterrupt
        return read(i)

    data.read = interrupted
    with pytest.raises(Stopped) as stop:
        record(tmp_path / "run", data=data)
    said = f"stopped: 3 of 13 chunks are done in {tmp_path / 'run'}; start the same command again to continue"
    assert str(stop.value) == said


def test_refusals_come_before_the_first_chunk(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="answer with the 5 classes of made:up but it answers with 7"):
        record(tmp_path / "run", network(classes=7))
    with pytest.raises(ValueError, match="Expected made:up to hold samples but it is empty"):
        record(tmp_path / "run", data=images(0))
    with pytest.raises(ValueError, match="Expected made:up to hold samples but it is empty"):
        precompute(network(), images(0), **OPTIONS)
    sizes: list[dict[str, Any]] = [{"batch_size": 0}, {"chunk_size": 0}]
    for wrong in sizes:
        with pytest.raises(ValueError, match=r"Expected (batch|chunk)_size to be"):
            record(tmp_path / "run", **wrong)
    with pytest.raises(ValueError, match=r"end in \.parquet, or to be a folder without ending, but it was 'run\.npz'"):
        record(tmp_path / "run.npz")
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").touch()
    with pytest.raises(ValueError, match="to be new, empty or begun by this command but it holds other files"):
        record(tmp_path / "holiday")
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(OSError, match="it is a folder"):
        record(tmp_path / "folder.parquet")
    assert not list(tmp_path.rglob("part-*"))


def test_answers_that_are_no_softmaxes_name_the_place(tmp_path: Path) -> None:
    model = network()
    head: Any = model.heads[1]
    head[1].weight.data[0] = 1e38
    with pytest.raises(ValueError, match="Expected probs to be softmaxes"):
        record(tmp_path / "run", model)


@pytest.mark.parametrize(("name", "value"), [("WORLD_SIZE", "two"), ("RANK", "1"), ("RANK", "-1"), ("WORLD_SIZE", "0")])
def test_a_group_that_makes_no_sense(name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"the variable {name} to be a whole number"):
        record(tmp_path / "run")


def test_a_group_needs_a_place_to_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ValueError, match=r"as torchrun sets them, but .*MASTER_ADDR expected, but not set") as error:
        record(tmp_path / "run.parquet")
    assert_one_line(error.value, "Expected ")


def test_parts_that_others_wrote_and_nobody_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "LATE", 0.0)
    unseen = chunks.Chunks(tmp_path / "run", SAMPLES, CHUNK, {})
    unseen.begin({"threads": 1})
    with pytest.raises(OSError, match=r"part-00000\.parquet is missing; do all workers see the same folder\?"):
        unseen.finish()
    elsewhere = chunks.Chunks(tmp_path / "other", SAMPLES, CHUNK, {})
    with pytest.raises(OSError, match=r"process 0 began but there is none; do all processes see the same folder\?"):
        elsewhere.begun({"threads": 1})
