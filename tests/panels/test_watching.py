"""What the watch on the cache folder takes for a change."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from cascade_core import save_run
from cascade_core.panels.watching import folder_stamp, logs_stamp
from cascade_core.storage.parts import DONE, PLAN, part_name, write_mark
from cascade_core.storage.writing import save_part
from tests.samples import sample_run


def test_files_that_come_change_and_go_are_changes(tmp_path: Path) -> None:
    seen = [folder_stamp(tmp_path)]
    save_run(sample_run(), tmp_path / "a.parquet")
    seen.append(folder_stamp(tmp_path))
    save_run(sample_run(), tmp_path / "a.parquet")  # the same bytes in another file
    seen.append(folder_stamp(tmp_path))
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    seen.append(folder_stamp(tmp_path))
    save_run(sample_run(), tmp_path / "folder" / "part-0.parquet")
    seen.append(folder_stamp(tmp_path))
    save_run(sample_run(seed=1), tmp_path / "folder" / "part-0.parquet")
    seen.append(folder_stamp(tmp_path))
    (tmp_path / "folder" / "part-0.parquet").unlink()
    seen.append(folder_stamp(tmp_path))
    assert all(before != after for before, after in pairwise(seen))
    assert seen[-1] == seen[3]


def test_what_is_no_run_and_what_is_being_computed_is_no_change(tmp_path: Path) -> None:
    save_run(sample_run(), tmp_path / "a.parquet")
    write_mark(tmp_path / "new" / PLAN, {"work": {"chunks": 2}})
    before = folder_stamp(tmp_path)
    assert folder_stamp(tmp_path) == before
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".a.parquet.tmp").touch()
    save_part(sample_run(), tmp_path / "new" / part_name(0), "work/0")
    assert folder_stamp(tmp_path) == before
    write_mark(tmp_path / "new" / DONE, {})
    assert folder_stamp(tmp_path) != before


def test_a_folder_that_is_not_there_is_a_stamp_too(tmp_path: Path) -> None:
    assert folder_stamp(tmp_path / "nowhere") != folder_stamp(tmp_path)


def test_logs_that_grow_come_and_go_are_changes(tmp_path: Path) -> None:
    log = tmp_path / "exits.jsonl"
    seen = [logs_stamp((tmp_path,))]
    log.write_text("{}\n")
    seen.append(logs_stamp((tmp_path,)))
    with log.open("a") as stream:
        stream.write("{}\n")
    seen.append(logs_stamp((tmp_path,)))
    (tmp_path / "choice.json").touch()
    assert logs_stamp((tmp_path,)) == seen[-1]
    log.rename(tmp_path / "exits.jsonl.1")
    seen.append(logs_stamp((tmp_path,)))
    assert all(before != after for before, after in pairwise(seen))
    assert logs_stamp((log,)) == logs_stamp((tmp_path / "nowhere",)) != ()
