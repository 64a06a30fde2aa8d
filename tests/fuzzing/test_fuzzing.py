"""Hostile inputs over all doors: a share of 5,000 for each, in a process of its own; CASCADE_FUZZ says how many."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzzing.doors import DOORS, Refused

COUNT = int(os.environ.get("CASCADE_FUZZ", "5000")) // len(DOORS) + 1


@pytest.mark.parametrize("name", DOORS)
def test_the_good_file_comes_in(name: str, tmp_path: Path) -> None:
    for file, raw in DOORS[name].files().items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(raw)
    try:
        DOORS[name].open(tmp_path)
    except Refused as refused:
        pytest.fail(str(refused))


@pytest.mark.parametrize("name", DOORS)
def test_every_changed_file_is_sound_or_refused_in_one_line(name: str) -> None:
    command = [sys.executable, "-m", "tests.fuzzing", "--door", name, "--count", str(COUNT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
