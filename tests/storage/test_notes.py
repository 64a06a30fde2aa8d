"""Lines on a run: what its import said comes first, then what is odd about it; files and joined runs have theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, Pool, choose, fit_pool, save_run
from cascade_core.__main__ import main
from cascade_core.simulation.stages import Stage
from cascade_core.simulation.suspicions import suspicions
from cascade_core.storage import reading
from cascade_core.storage.columns import read_columns
from cascade_core.storage.joining import join_runs
from cascade_core.storage.notes import notes_on, notes_on_file, open_answered, open_noted
from tests.samples import sample_run

SAID = ["Softmaxes were rounded."]
ODD = replace(sample_run(), probs=sample_run().probs[::-1], source={"notes": SAID})


def test_notes_of_a_run() -> None:
    assert notes_on(sample_run()) == ()
    assert notes_on(ODD) == (*SAID, *suspicions(ODD))
    assert len(notes_on(ODD)) == 2


def test_nothing_is_said_twice() -> None:
    assert notes_on(replace(ODD, source={"notes": [*SAID, *suspicions(ODD)]})) == notes_on(ODD)


def test_few_macs_are_odd_unless_they_were_counted_here() -> None:
    few = replace(sample_run(), stages=tuple(Stage(name=one, trunk_macs=640, head_macs=0) for one in "abc"))
    by_hand, counted = {"imported_from": "a.csv"}, {"networks": [{"name": "small"}]}
    said = ("Stage 'a' adds 640 MACs for one sample, fewer than most networks take: ",)
    for source, lines in (
        ({}, said),
        (by_hand, said),
        (counted, ()),
        ({"joined": [{"name": "a", **counted}, {"name": "b", **counted}]}, ()),
        ({"joined": [{"name": "a", **counted}, {"name": "b", **by_hand}]}, said),
    ):
        found = notes_on(replace(few, source=source))
        assert [line.startswith(words) for line, words in zip(found, lines, strict=True)] == [True] * len(lines)


def test_notes_of_a_file_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_run(ODD, tmp_path / "run.parquet")
    assert notes_on_file(path) == notes_on(ODD)
    monkeypatch.setattr(reading, "CHECKED_BYTES", 0)
    monkeypatch.setattr("cascade_core.storage.notes.load_run", None)  # softmaxes of large runs are not read
    assert notes_on_file(path) == notes_on(ODD)


@pytest.mark.parametrize("largest", [0, reading.CHECKED_BYTES])
def test_a_record_comes_with_its_notes(largest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_run(ODD, tmp_path / "run.parquet")
    monkeypatch.setattr(reading, "CHECKED_BYTES", largest)
    record, notes = open_noted(path, "max_probability", 2)
    assert (record.score, record.top_k, notes) == ("max_probability", 2, notes_on(ODD))
    np.testing.assert_array_equal(record.confidence, reading.open_record(path, "max_probability", 2).confidence)
    pool = fit_pool(ODD.probs, ODD.labels)
    record, notes = open_noted(path, pool=pool)
    assert (record.pool, notes) == (pool, notes_on(ODD))


def test_a_small_file_is_read_once_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_run(ODD, tmp_path / "run.parquet")
    read = Mock(wraps=read_columns)
    monkeypatch.setattr("cascade_core.storage.reading.read_columns", read)
    open_noted(path)
    assert read.call_count == 1


def test_counts_come_with_what_their_import_said(tmp_path: Path) -> None:
    path = save_run(ODD, tmp_path / "run.parquet")
    assert main(["count", str(path), "--out", str(tmp_path / "counts.parquet")]) == 0
    record, notes = open_noted(tmp_path / "counts.parquet")
    assert record.grid is not None
    assert (record.n, notes) == (len(ODD.labels), tuple(SAID))


def test_joined_runs_keep_what_was_said_of_each() -> None:
    joined = join_runs([ODD, sample_run()], ["A", "B"])
    assert notes_on(joined)[0] == "A: Softmaxes were rounded."


def test_a_pooled_rule_for_other_stages_names_both(tmp_path: Path) -> None:
    three, two = sample_run(), sample_run(m=2)
    pool = Pool(weights=((1.0,), (0.5, 1.0), (0.3, 0.3, 1.0)))
    rule = choose(three.record(pool=pool), CheapestWithinDrop(0.01))
    assert rule.pool is not None
    path = save_run(two, tmp_path / "run.parquet")
    with pytest.raises(ValueError, match=r"Expected a rule for 2 stages \(1 thresholds\) but it is for 3"):
        open_answered(path, rule)
    path = save_run(three, tmp_path / "three.parquet")
    assert open_answered(path, rule)[0].pool == pool
