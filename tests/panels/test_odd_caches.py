"""A cache folder with much in it that is no run: a line on each, and everything else works as ever."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import save_run
from cascade_core.panels.views import VIEWS
from cascade_core.storage.parts import DONE, PLAN, write_mark
from tests.opening import unopened
from tests.samples import sample_run

LONG = "run-" * 61 + "run"
"""A name of 247 letters, the longest that a file ending in .parquet may have on most disks."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sound runs, one of them with the longest name, and others that are none."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    run = save_run(sample_run(), tmp_path / "mine.parquet")
    (tmp_path / f"{LONG}.parquet").write_bytes(run.read_bytes())
    os.mkfifo(tmp_path / "pipe.parquet")
    for name, plan in (("many", {"work": {"chunks": 1_000_000}}), ("part", None), ("piped", None)):
        (tmp_path / name).mkdir()
        if plan is not None:
            write_mark(tmp_path / name / PLAN, plan)
            write_mark(tmp_path / name / DONE, {})
    os.mkfifo(tmp_path / "piped" / PLAN)
    os.mkfifo(tmp_path / "part" / "a.parquet")
    return tmp_path


def lines(app: AppTest) -> list[str]:
    return [one.value for one in app.text if one.value.startswith("Cannot read ")]


def profile(seconds: float, plain: float) -> dict[str, object]:
    stages = ["stage 1", "stage 2", "stage 3"]
    measured = {f"{part}{end}": [[seconds]] * 3 for part in ("trunk", "head") for end in ("", "_p95")}
    return {
        "schema_version": 1,
        "stage_names": stages,
        "batch_sizes": [1],
        **measured,
        "plain": [plain],
        "plain_p95": [plain],
        "circumstances": {"device": "**a** <b>test</b>"},
    }


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_works_beside_what_is_no_run_and_with_a_long_name(cache: Path, view: str) -> None:
    app = unopened()
    app.query_params["run"], app.query_params["view"] = LONG, view
    app.run()
    assert not app.exception
    place = cache.name
    regular = "expected a regular file but it is a pipe"
    assert lines(app)[:4] == [
        f"Cannot read {place}/many: expected 1,000,000 parts but part-00000.parquet is missing",
        f"Cannot read {place}/part: {regular}",
        f"Cannot read {place}/pipe.parquet: {regular}",
        f"Cannot read {place}/piped/{PLAN}: {regular}",
    ]
    assert state_of_run(app) == LONG


def state_of_run(app: AppTest) -> str:
    return str(app.session_state["run"])


@pytest.mark.parametrize(
    ("seconds", "plain", "words"),
    [
        (1e-3, 0.0, "Expected all stages to take at most 1,000,000 times as long as the plain network"),
        (0.0, 1e-3, "Expected every stage to take some time but stage 'stage 1' takes none"),
        (-1.0, 1e-3, "Expected trunk to be seconds from 0 to 1,000,000 but one is -1"),
        (1e308, 1e308, "Expected trunk to be seconds from 0 to 1,000,000 but one is 1e+308"),
    ],
)
def test_times_that_nothing_takes_are_one_line_and_costs_are_in_macs(
    cache: Path, seconds: float, plain: float, words: str
) -> None:
    (cache / "mine.profile.json").write_text(json.dumps(profile(seconds, plain)))
    app = unopened()
    app.query_params["run"], app.query_params["cost"] = "mine", "milliseconds"
    app.run()
    assert not app.exception
    assert [line for line in lines(app) if words in line]
    assert lines(app)[-1].startswith(f"Cannot read {cache.name}/mine.profile.json: ")


def test_where_a_profile_was_measured_is_text(cache: Path) -> None:
    (cache / "mine.profile.json").write_text(json.dumps(profile(1e-3, 1e-3)))
    app = unopened()
    app.query_params["run"], app.query_params["cost"] = "mine", "milliseconds"
    app.run()
    assert "Measured with device **a** <b>test</b>." in [one.value for one in app.text]
