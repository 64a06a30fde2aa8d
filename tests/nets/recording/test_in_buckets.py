"""Recording into a bucket: the bytes of a run on disk, and a connection that is cut costs what was not done."""

from __future__ import annotations

import io
from typing import Any

import pytest

from cascade_core.__main__ import main
from cascade_core.nets.recording.precompute import precompute, precompute_to
from cascade_core.storage.parts import DONE, PLAN
from cascade_core.support.remote import Remote
from tests.buckets import line_to_the_server, names
from tests.nets.working import BATCH, CHUNK, CHUNKS, SAMPLES, images, network
from tests.oracle import assert_one_line
from tests.runfiles import load_softmaxes

OPTIONS: dict[str, Any] = {"batch_size": BATCH, "device": "cpu", "progress": False}


def assert_whole(path: Remote) -> None:
    assert load_softmaxes(str(path)).probs.tobytes() == precompute(network(), images(), **OPTIONS).probs.tobytes()


def test_a_folder_of_parts(bucket: Remote) -> None:
    there = bucket / "run"
    precompute_to(there, network(), images(), chunk_size=CHUNK, **OPTIONS)
    assert_whole(there)
    assert names(there) == [PLAN, DONE, *(f"part-{number:05d}.parquet" for number in range(CHUNKS))]


def test_a_connection_that_is_cut_costs_what_was_not_done(bucket: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    there, folder = bucket / "cut" / "run.parquet", bucket / "cut" / ".run.parquet.parts"
    data, model = images(), network()
    read = data.read
    with line_to_the_server(monkeypatch) as line:

        def cut_at_100(i: int) -> Any:
            if i == 100:
                line.cut()
            return read(i)

        data.read = cut_at_100
        with pytest.raises(
            OSError, match=r"NETWORK_CONNECTION.*; 6 of 13 chunks are done in .*start the same"
        ) as error:
            precompute_to(there, network(), data, chunk_size=CHUNK, **OPTIONS)
    assert_one_line(error.value, f"Cannot write {folder}/part-00006.parquet: ")
    assert len(names(folder)) == 1 + 6
    precompute_to(there, model, images(), chunk_size=CHUNK, **OPTIONS)
    pause: Any = model.trunk[0]
    # Six chunks were done; some samples are looked at before, for their cost and the number of classes.
    assert 0 <= pause[0].samples - (SAMPLES - 6 * CHUNK) <= 4
    assert_whole(there)
    assert names(bucket / "cut") == ["run.parquet"]


def test_work_that_fails_before_its_first_part_leaves_nothing(bucket: Remote) -> None:
    with pytest.raises(ValueError, match=r"0003\.png"):
        precompute_to(bucket / "failed" / "run", network(), images(broken=3), chunk_size=CHUNK, **OPTIONS)
    assert names(bucket / "failed" / "run") == []


def test_a_folder_of_other_things_is_refused(bucket: Remote) -> None:
    (bucket / "holiday" / "photo.jpg").put(io.BytesIO(b"of the sea"))
    with pytest.raises(ValueError, match="to be new, empty or begun by this command but it holds other files"):
        precompute_to(bucket / "holiday", network(), images(), chunk_size=CHUNK, **OPTIONS)


def test_build_keeps_heads_here(bucket: Remote, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["build", "--network", "small-cnn", "--train-data", "digits", "--data", "digits"]
    assert main([*words, "--out", f"{bucket}/built.parquet"]) == 2
    said = f"error: Expected --heads-out, a file on this machine, as the run goes to {bucket}/built.parquet, but "
    assert capsys.readouterr().err == f"{said}there was none\n"
