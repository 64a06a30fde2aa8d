"""One command at a time on an output: the second is told whose it is, and a dead owner bars nobody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cascade_core.support import claims
from cascade_core.support.claims import claimed

HOLDING = """
import sys
from pathlib import Path
from cascade_core.support.claims import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds `path` until its input ends."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_whose_it_is_and_the_next_may(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.parquet"
    with holder(path) as first:
        with pytest.raises(OSError, match="is writing it") as refused, claimed(path):
            pass
        said = (
            rf"Cannot write .*run\.parquet: another command \(process {first.pid}, since [\d:]+ on \d+ \w+ \d{{4}}\) "
        )
        assert re.fullmatch(said + "is writing it; wait, or stop that one", str(refused.value))
        first.communicate(timeout=120)
    with claimed(path):
        pass
    assert list(path.parent.iterdir()) == []


def test_a_killed_owner_bars_nobody(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    with holder(path) as killed:
        killed.kill()
    assert json.loads((tmp_path / ".run.parquet.lock").read_text())["process"] == killed.pid
    with claimed(path):
        assert json.loads((tmp_path / ".run.parquet.lock").read_text())["process"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_one_output_named_twice_is_no_second_command(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with claimed(tmp_path / "run.pdf", tmp_path / "a" / ".." / "run.pdf", tmp_path / "run.svg"):
        assert len(list(tmp_path.glob(".*.lock"))) == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"process": "x"}', "[" * 400, '{"process": 1, "host": "h", "since": "now"}']
)
def test_an_owner_who_cannot_be_read_is_another_command(text: str, tmp_path: Path) -> None:
    with holder(tmp_path / "x.json") as first:
        (tmp_path / ".x.json.lock").write_text(text)
        with pytest.raises(OSError, match="another command is writing it"), claimed(tmp_path / "x.json"):
            pass
        first.communicate(timeout=120)


def test_where_there_are_no_locks_nobody_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "try_lock", lambda _: None)
    with holder(tmp_path / "x.json") as first:
        with claimed(tmp_path / "x.json"):
            pass
        first.communicate(timeout=120)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_made_is_said_of_the_output(tmp_path: Path) -> None:
    (tmp_path / ".x.json.lock").mkdir()
    with pytest.raises(OSError, match=r"^Cannot write .*x\.json: is a directory$"), claimed(tmp_path / "x.json"):
        pass
    with pytest.raises(OSError, match=r"^Cannot write .*: file name too long$"), claimed(tmp_path / ("x" * 252)):
        pass
