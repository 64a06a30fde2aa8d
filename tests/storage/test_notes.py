"""Lines on a run: what its import said comes first, then what is odd about it; files and joined runs have theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cascade_core import save_run
from cascade_core.simulation.suspicions import suspicions
from cascade_core.storage import reading
from cascade_core.storage.joining import join_runs
from cascade_core.storage.notes import notes_on, notes_on_file
from tests.samples import sample_run

SAID = ["Softmaxes were rounded."]
ODD = replace(sample_run(), probs=sample_run().probs[::-1], source={"notes": SAID})


def test_notes_of_a_run() -> None:
    assert notes_on(sample_run()) == ()
    assert notes_on(ODD) == (*SAID, *suspicions(ODD))
    assert len(notes_on(ODD)) == 2


def test_nothing_is_said_twice() -> None:
    assert notes_on(replace(ODD, source={"notes": [*SAID, *suspicions(ODD)]})) == notes_on(ODD)


def test_notes_of_a_file_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_run(ODD, tmp_path / "run.parquet")
    assert notes_on_file(path) == notes_on(ODD)
    monkeypatch.setattr(reading, "CHECKED_BYTES", 0)
    monkeypatch.setattr("cascade_core.storage.notes.load_run", None)  # softmaxes of large runs are not read
    assert notes_on_file(path) == notes_on(ODD)


def test_joined_runs_keep_what_was_said_of_each() -> None:
    joined = join_runs([ODD, sample_run()], ["A", "B"])
    assert notes_on(joined)[0] == "A: Softmaxes were rounded."
