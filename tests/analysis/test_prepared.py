"""What is kept of the usual question's answer: it gives the same exploration, and is of one run and one version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import save_run
from cascade_core.analysis import prepared
from cascade_core.analysis.exploration import Exploration, explore, halves
from cascade_core.policies.answers import Halves
from cascade_core.storage.reading import digest
from cascade_core.support.files import BadFile
from tests.samples import sample_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and what was prepared for it."""
    folder = tmp_path_factory.mktemp("prepared")
    prepared.prepare(save_run(sample_run(n=1000, k=5), folder / "mine.parquet"))
    return folder


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Path:
    """A run, beside it what was prepared."""
    return Path(shutil.copytree(folder, tmp_path / "copy")) / "mine.parquet"


def divided(k: int = 5) -> Halves:
    return halves(sample_run(n=1000, k=k), prepared.SPLIT)


def numbers(exploration: Exploration) -> list[np.ndarray]:
    path, result = exploration.path, exploration.evaluation
    return [path.positions, path.thresholds, path.plain, result.exit_counts, result.correct_counts, result.costs]


def test_the_same_exploration_comes_back(run: Path) -> None:
    assert prepared.prepared_path(run).name == "mine.prepared.json"
    found = prepared.load_prepared(run, digest(run))
    assert found is not None
    again, anew = found.explored(divided()), explore(divided(), prepared.POLICY, prepared.SPLIT)
    for mine, theirs in zip(numbers(again), numbers(anew), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert again.answers == anew.answers == "pooled"
    assert (again.answers_words, again.path.pool) == (anew.answers_words, anew.path.pool)
    np.testing.assert_array_equal(again.calibration.confidence, anew.calibration.confidence)
    np.testing.assert_array_equal(again.test.predictions, anew.test.predictions)


def test_thresholds_for_each_answer_come_back(tmp_path: Path) -> None:
    run = save_run(sample_run(n=1000, k=2), tmp_path / "two.parquet")
    prepared.prepare(run)
    found = prepared.load_prepared(run, digest(run))
    assert found is not None
    anew = explore(divided(k=2), prepared.POLICY, prepared.SPLIT)
    assert anew.path.by_class
    np.testing.assert_array_equal(found.path.thresholds, anew.path.thresholds)


def test_nothing_is_found_where_nothing_was_prepared(run: Path) -> None:
    prepared.prepared_path(run).unlink()
    assert prepared.load_prepared(run, digest(run)) is None


@pytest.mark.parametrize("change", [{"run": "0" * 64}, {"version": 0}, {"version": prepared.VERSION + 1}])
def test_another_run_and_another_version_are_passed_over(run: Path, change: dict[str, Any]) -> None:
    _edit(prepared.prepared_path(run), change)
    assert prepared.load_prepared(run, digest(run)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"why": "**bold** <b>"},
        {"why": 3},
        {"family": "mine"},
        {"places": [10**6]},
        {"places": ["a"]},
        {"places": [-1]},
        {"rules": [[0.5]]},
        {"rules": "many"},
        {"rules": [[-1e400]]},
        {"score": "mine"},
        {"pool": [[1.0]]},
        {"pool": 3},
        {"positions": [0.0]},
        {"plain": [401]},
        {"plain": [400]},
        {"plain": [-401]},
        {"stages": ["a"]},
        {"stages": None},
    ],
)
def test_what_no_version_writes_is_one_line(run: Path, change: dict[str, Any]) -> None:
    _edit(prepared.prepared_path(run), change)
    with pytest.raises(BadFile) as caught:
        prepared.load_prepared(run, digest(run))
    assert "\n" not in str(caught.value)
    assert "mine.prepared.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "{" * 10**5, " " * (prepared.MAX_BYTES + 1)])
def test_what_is_no_object_is_one_line(run: Path, text: str) -> None:
    prepared.prepared_path(run).write_text(text)
    with pytest.raises(BadFile, match=r"mine\.prepared\.json"):
        prepared.load_prepared(run, digest(run))


def test_missing_parts_are_one_line(run: Path) -> None:
    path = prepared.prepared_path(run)
    data = json.loads(path.read_text())
    for name in set(data) - {"version", "run"}:
        path.write_text(json.dumps({key: value for key, value in data.items() if key != name}))
        with pytest.raises(BadFile, match=name):
            prepared.load_prepared(run, digest(run))


def _edit(path: Path, change: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
