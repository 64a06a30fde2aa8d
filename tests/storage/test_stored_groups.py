"""Columns of groups in run files: written, read, joined and refused; files without any are as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cascade_core import StageAnswers, load_run, save_run
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage import schema
from cascade_core.storage.joining import join_runs
from cascade_core.storage.reading import load_groups, load_record, read_metadata
from cascade_core.support.files import BadFile
from tests.oracle import assert_one_line
from tests.runfiles import assert_bad, rewrite
from tests.samples import sample_run

PLAIN = sample_run(n=6, k=2)
CAMERA = Groups.named("camera", ["right", "left", "", "left", "right", "left"])
MONTH = Groups.named("in <month>", ["May"] * 6)
RUN = replace(PLAIN, groups=(CAMERA, MONTH))


def told(outputs: Outputs) -> dict[str, list[str]]:
    """What group each sample is of, by division."""
    return {one.what: [one.name_of(i) for i in range(len(one.of))] for one in outputs.groups}


def answers_of(outputs: Outputs) -> StageAnswers:
    record = outputs.record()
    return StageAnswers(
        predictions=record.predictions,
        confidence=record.confidence,
        labels=record.labels,
        stages=outputs.stages,
        groups=outputs.groups,
    )


@pytest.mark.parametrize("form", [lambda run: run, answers_of])
def test_round_trip(form: Callable[[Outputs], Outputs], tmp_path: Path) -> None:
    path = save_run(form(RUN), tmp_path / "run.parquet")
    found = load_run(path)
    assert told(found) == told(RUN)
    assert found.divisions == ("class", "camera", "in <month>")
    alone = load_groups(path, "camera")
    assert (alone.names, alone.of.tolist()) == (("(none)", "left", "right"), [2, 1, 0, 1, 2, 1])
    assert load_groups(path, "class").of.tolist() == found.divided_by("class").of.tolist() == RUN.labels.tolist()


def test_other_programs_read_them_as_texts(tmp_path: Path) -> None:
    path = save_run(RUN, tmp_path / "run.parquet")
    assert pq.read_table(path)["group_camera"].to_pylist() == ["right", "left", "(none)", "left", "right", "left"]


def test_files_say_nothing_of_groups_that_there_are_not(tmp_path: Path) -> None:
    """A reader that knows no groups reads what it always did."""
    plain, grouped = (save_run(run, tmp_path / f"{len(run.groups)}.parquet") for run in (PLAIN, RUN))
    assert read_metadata(grouped) == read_metadata(plain) | {"groups": ["camera", "in <month>"]}
    assert load_record(grouped).confidence.tobytes() == load_record(plain).confidence.tobytes()
    assert load_run(plain).groups == ()


def test_samples_keep_their_groups() -> None:
    part = RUN.take(np.array([3, 0]))
    assert told(part) == {"camera": ["left", "right"], "in <month>": ["May", "May"]}
    assert told(RUN.without_labels()) == told(RUN)


def test_joined_runs_keep_the_columns_of_all() -> None:
    order = np.array([5, 3, 1, 0, 2, 4])
    other = replace(sample_run(n=6, k=2, seed=1, names=["a", "b", "c"]).take(order), labels=PLAIN.labels[order])
    day = Groups.named("day", ["6", "4", "2", "1", "3", "5"])
    joined = join_runs([replace(PLAIN, groups=(CAMERA,)), replace(other, groups=(day, CAMERA.take(order)))], ["x", "y"])
    assert told(joined) == {"camera": told(RUN)["camera"], "day": ["1", "2", "3", "4", "5", "6"]}


def test_joined_runs_agree_on_groups() -> None:
    other = replace(PLAIN, groups=(Groups.named("camera", ["right", "left", "", "left", "up", "down"]),))
    with pytest.raises(ValueError, match="to have the groups by 'camera' of x but 2 differ") as raised:
        join_runs([RUN, other], ["x", "y"])
    assert_one_line(raised.value)
    assert "in 'up' where x has 'right'" in str(raised.value)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ((CAMERA, CAMERA), "each once, not 'camera'"),
        ((Groups.named("class", ["a"] * 6),), "other names than 'class'"),
        ((Groups.named("camera", ["a"]),), "of 6 samples but they are of 1"),
    ],
)
def test_groups_that_do_not_fit(groups: tuple[Groups, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(PLAIN, groups=groups)


def test_there_is_no_such_division(tmp_path: Path) -> None:
    path = save_run(RUN, tmp_path / "run.parquet")
    for ask in (lambda: RUN.divided_by("lens"), lambda: load_groups(path, "lens")):
        with pytest.raises(ValueError, match="by 'class' or 'camera' or 'in <month>' but it was 'lens'"):
            ask()


@pytest.mark.parametrize("names", ["camera", ["camera", "camera"], [3], ["lens"]])
def test_what_metadata_says_of_groups_has_to_be_there(names: Any, tmp_path: Path) -> None:
    path = save_run(RUN, tmp_path / "run.parquet")
    data = read_metadata(path) | {"groups": names}
    assert_bad(rewrite(path, lambda t: t.replace_schema_metadata({schema.METADATA_KEY: json.dumps(data).encode()})))


@pytest.mark.parametrize("column", [pa.array([1] * 6), pa.array(["a"] * 5 + [None]), pa.array(["x" * 300] * 6)])
def test_a_column_of_groups_holds_texts(column: pa.Array, tmp_path: Path) -> None:
    path = save_run(RUN, tmp_path / "run.parquet")
    assert_bad(rewrite(path, lambda t: t.set_column(t.schema.get_field_index("group_camera"), "group_camera", column)))


def test_parts_have_the_same_columns(tmp_path: Path) -> None:
    save_run(RUN.take(np.arange(3)), tmp_path / "run" / "a.parquet")
    save_run(PLAIN.take(np.arange(3, 6)), tmp_path / "run" / "b.parquet")
    with pytest.raises(BadFile, match=r"b\.parquet has other columns of groups"):
        load_run(tmp_path / "run")
    save_run(RUN.take(np.arange(3, 6)), tmp_path / "run" / "b.parquet")
    assert told(load_run(tmp_path / "run")) == told(RUN)
