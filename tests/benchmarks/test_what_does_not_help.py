"""The ideas' own arithmetic by hand, and gains that equal readings of mean curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cascade_core import evaluate_path, save_run
from tests.benchmarks.averages import Average, Division
from tests.benchmarks.what_does_not_help import (
    IDEAS,
    REFERENCE,
    agreement,
    divided,
    gains,
    inverse_temperature,
    main,
    power_of,
    running_mean,
    surest_so_far,
)
from tests.samples import sample_run


def test_stages_in_a_row_that_agree() -> None:
    predictions = np.array([[0, 1, 2], [0, 2, 2], [0, 2, 1]])
    assert agreement(predictions).tolist() == [[1, 1, 1], [2, 1, 2], [3, 2, 1]]


def test_running_means_and_the_surest_so_far() -> None:
    probs = np.array([[[0.9, 0.1]], [[0.3, 0.7]], [[0.0, 1.0]]], dtype=np.float32)
    assert running_mean(probs) == pytest.approx(np.array([[[0.9, 0.1]], [[0.6, 0.4]], [[0.4, 0.6]]]))
    assert surest_so_far(probs).tolist() == probs[[0, 0, 2]].tolist()


def test_a_temperature_meets_the_share_that_is_right() -> None:
    probs = np.full((10, 2), (0.9, 0.1), dtype=np.float32)
    power = inverse_temperature(probs, np.array([0] * 8 + [1] * 2))
    # Eight of ten are right, and 9 ** power : 1 is 8 : 2 where power is log 4 / log 9.
    assert power == pytest.approx(np.log(4) / np.log(9), abs=1e-4)
    assert power_of(probs, power)[0] == pytest.approx([0.8, 0.2], abs=1e-4)


@pytest.mark.parametrize("name", IDEAS)
def test_every_idea_has_rules_behind_the_plain_network(name: str) -> None:
    outputs = sample_run(n=200, m=3, k=3)
    (division,) = divided(outputs, IDEAS[name], 1)
    found = evaluate_path(division.record, division.path)
    assert (found.accuracy_drop[0], found.saving[0]) == (0, 0)
    assert found.saving.max() > 0.1
    assert found.full_accuracy == (outputs.probs[-1].argmax(axis=1) == outputs.labels)[division.samples].mean()


def test_gains_are_readings_of_mean_curves() -> None:
    outputs, name = sample_run(n=300, m=3, k=9), "running mean of the softmaxes"
    found = gains(outputs, {"itself": REFERENCE, name: IDEAS[name]}, divisions=2, drop=0.03)
    assert found["itself"] == Average(mean=0, error=0)
    assert found[""].mean == pytest.approx(read(divided(outputs, REFERENCE, 2), 0.03))
    assert found[""].mean + found[name].mean == pytest.approx(read(divided(outputs, IDEAS[name], 2), 0.03))
    assert found[name].error > 0


def read(divisions: Sequence[Division], drop: float) -> float:
    """The most that lines between any two neighbours on the mean curve reach at a drop."""
    curves = [evaluate_path(division.record, division.path) for division in divisions]
    drops = np.mean([curve.accuracy_drop for curve in curves], axis=0)
    savings = np.mean([curve.saving for curve in curves], axis=0)
    shares = np.linspace(0, 1, 10_001)
    lines = [np.outer(ends[1:], shares) + np.outer(ends[:-1], 1 - shares) for ends in (drops, savings)]
    return lines[1][lines[0] <= drop + 1e-12].max()


def test_the_table_names_every_idea(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(save_run(sample_run(n=200, m=3, k=3), tmp_path / "mine.parquet")), "--divisions", "1"])
    heading, rule, *lines = capsys.readouterr().out.splitlines()
    assert heading == "| saving at a drop of one point | mine |"
    assert rule == "| --- | --- |"
    assert [text.split(" | ")[0][2:] for text in lines[1:]] == list(IDEAS)
