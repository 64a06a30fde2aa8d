"""Runs in a bucket: a real S3 server on this machine, asked through the command line and from Python."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cascade_core import load_run, save_run
from cascade_core.__main__ import main
from cascade_core.storage.reading import digest, open_record
from cascade_core.support.files import BadFile
from cascade_core.support.remote import Remote, place
from tests.buckets import line_to_the_server
from tests.oracle import assert_one_line
from tests.runfiles import load_softmaxes

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "cache" / "digits.parquet"


def test_a_run_comes_back_as_it_went(bucket: Remote) -> None:
    outputs, there = load_run(RUN), bucket / "folder" / "digits.parquet"
    assert str(save_run(outputs, str(there))) == str(there)
    found = load_run(str(there))
    assert found.labels.tolist() == outputs.labels.tolist()
    assert (open_record(there).confidence == outputs.record().confidence).all()
    there.put(io.BytesIO(RUN.read_bytes()))
    assert digest(there) == digest(RUN)
    assert [entry.name for entry in (bucket / "folder").iterdir()] == ["digits.parquet"]


def test_parts_in_a_bucket_are_a_run(bucket: Remote) -> None:
    whole = load_softmaxes(RUN)
    for number, some in enumerate((slice(0, 400), slice(400, None))):
        part: dict[str, Any] = {
            "probs": whole.probs[:, some],
            "labels": whole.labels[some],
            "sample_ids": whole.sample_ids[some],
        }
        save_run(replace(whole, **part), bucket / "parts" / f"{number}.parquet")
    found = load_softmaxes(str(bucket / "parts"))
    assert found.probs.tobytes() == whole.probs.tobytes()


def test_show_choose_evaluate_and_report(bucket: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, choice, report = (f"{bucket}/verbs/{name}" for name in ("digits.parquet", "choice.json", "report.html"))
    Remote(run).put(io.BytesIO(RUN.read_bytes()))
    local = str(tmp_path / "choice.json")
    for words in (
        ["show", run],
        ["choose", run, "--max-drop", "1%", "--out", choice],
        ["choose", str(RUN), "--max-drop", "1%", "--out", local],
        ["evaluate", choice, run],
        ["report", run, "--policy", "cheapest", "--max-drop", "1%", "--out", report],
    ):
        assert main(words) == 0, capsys.readouterr().err
    with Remote(choice).open() as theirs:
        assert theirs.read() == Path(local).read_bytes()
    with Remote(report).open() as page:
        assert page.read(15) == b"<!doctype html>"


def test_what_is_not_there_is_one_line(bucket: Remote) -> None:
    with pytest.raises(BadFile, match="there is no such file") as error:
        load_run(bucket / "none.parquet")
    assert_one_line(error.value, f"Cannot read {bucket}/none.parquet: ")


def test_a_connection_that_is_cut_is_one_line(bucket: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    with line_to_the_server(monkeypatch) as line:
        line.cut()
        with pytest.raises(BadFile, match="NETWORK_CONNECTION") as error:
            load_run(bucket / "digits.parquet")
        assert_one_line(error.value, f"Cannot read {bucket}/digits.parquet: ")


def test_places() -> None:
    assert place("a/b.parquet") == Path("a/b.parquet")
    assert place("file:///a/b.parquet") == Path("/a/b.parquet")
    there = place("s3://bucket/a/b.parquet/")
    assert isinstance(there, Remote)
    assert (str(there), there.name, there.suffix) == ("s3://bucket/a/b.parquet", "b.parquet", ".parquet")
    assert str(there.with_name("c")) == "s3://bucket/a/c"


@pytest.mark.parametrize("text", ["http://x/y", "s3://", "s3://key:secret@bucket/y", "s3://bucket/y?region=x"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="Expected an address such as s3://BUCKET/FILE, of s3, gs") as error:
        place(text)
    assert "secret" not in str(error.value)
