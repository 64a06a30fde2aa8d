"""Runs in a bucket: a real S3 server on this machine, asked through the command line and from Python."""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyarrow.fs import FileSystem

from cascade_core import load_run, save_run
from cascade_core.__main__ import main
from cascade_core.storage.reading import digest, open_record
from cascade_core.support.files import BadFile
from cascade_core.support.remote import Remote, place
from tests.oracle import assert_one_line
from tests.runfiles import load_softmaxes

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "cache" / "digits.parquet"
SERVER = shutil.which("moto_server")
LIMIT = 60.0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def bucket() -> Iterator[Remote]:
    """An empty bucket; the environment says where its server is."""
    if SERVER is None:
        pytest.skip("moto's server is not installed: pip install 'moto[server]'")
    port = free_port()
    server = subprocess.Popen([SERVER, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }.items():
            environment.setenv(name, value)
        try:
            wait_for(port)
            FileSystem.from_uri("s3://runs/?allow_bucket_creation=true")[0].create_dir("runs")
            yield Remote("s3://runs")
        finally:
            server.kill()
            server.wait(LIMIT)


def wait_for(port: int) -> None:
    end = time.monotonic() + LIMIT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)


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
    """A server that answers each question by hanging up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
    from cascade_core.support import remote

    remote._system.cache_clear()
    try:
        with pytest.raises(BadFile, match="NETWORK_CONNECTION") as error:
            load_run(bucket / "digits.parquet")
        assert_one_line(error.value, f"Cannot read {bucket}/digits.parquet: ")
        with pytest.raises(OSError, match="NETWORK_CONNECTION") as unwritten:
            save_run(load_run(RUN), bucket / "other.parquet")
        assert_one_line(unwritten.value, f"Cannot write {bucket}/other.parquet: ")
    finally:
        remote._system.cache_clear()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


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


def test_parts_are_written_here(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["precompute", "--network", "small-cnn", "--data", "digits", "--out", "s3://bucket/run.parquet"]
    assert main(words) == 2
    assert "Expected --out on this machine" in capsys.readouterr().err
