"""The page on runs in a bucket: it shows them, sees what changes, and says so while the bucket cannot be reached."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cascade_core import save_run
from cascade_core.__main__ import main
from cascade_core.panels import following
from cascade_core.panels.watching import folder_stamp
from cascade_core.support.remote import Remote
from tests.buckets import line_to_the_server
from tests.opening import unopened
from tests.samples import sample_run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for copies; signals and arguments are afterwards as they were."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CASCADE_CACHE", "")
    monkeypatch.setattr(sys, "argv", sys.argv)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_page_on_a_bucket(bucket: Remote, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = bucket / "shown"
    save_run(sample_run(), there / "mine.parquet")
    monkeypatch.setattr(runpy, "run_module", lambda *args, **options: None)
    assert main(["page", str(there)]) == 0
    assert os.environ["CASCADE_CACHE"] == str(there)
    before = folder_stamp(following.cache_folder())
    assert unopened().run().selectbox(key="run").value == "mine"
    save_run(sample_run(seed=1), there / "another.parquet")
    with line_to_the_server(monkeypatch) as line:
        following.look(there)
        assert following.trouble() == ""
        assert folder_stamp(following.cache_folder()) != before
        line.cut()
        following.look(there)
    app = unopened().run()
    assert app.selectbox(key="run").options == ["another", "mine"]
    assert [warning.value for warning in app.warning] == ["The runs are those that were fetched last."]
    assert f"Cannot read {there}: " in "\n".join(text.value for text in app.text)
    following.look(there)
    assert following.trouble() == ""


def test_a_folder_that_is_not_there(bucket: Remote, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["page", f"{bucket}/none"]) == 2
    assert capsys.readouterr().err == f"error: Expected a folder of runs but {bucket}/none is none\n"
