"""Comparing policies: each is set as it says, judged on the other samples, and shown in a table."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import SharedThreshold, choose, evaluate, evaluate_path
from cascade_core.analysis.comparison import compare
from cascade_core.analysis.exploration import POSITIONS, Split
from cascade_core.policies import SWEEPS
from cascade_core.rendering.tables import comparison_table
from cascade_core.simulation.certificates import drop_bounds
from tests.samples import sample_record

SPLIT = Split(seed=3)


def test_every_policy_is_there_and_is_judged_on_the_test_half() -> None:
    record = sample_record(1200)
    calibration, test = record.split(0.5, 3)
    found = compare(record, SPLIT, 0.02)
    assert [one.policy for one in found] == list(SWEEPS.values())
    for one in found:
        assert vars(evaluate(test, one.rule)).keys() == vars(one.evaluation).keys()
        assert one.evaluation.n == test.n
        assert evaluate(test, one.rule).mean_macs == one.evaluation.mean_macs
        path = one.policy.path(calibration, [one.value])
        assert path.thresholds[0].tobytes() == one.rule.thresholds.tobytes()
        assert one.bound == drop_bounds(test, path, 0.05)[0]
        if one.policy.slider.parameter == "max_drop":
            assert one.value == 0.02


def test_policies_without_a_drop_are_set_to_their_cheapest_position_within_it() -> None:
    record = sample_record(1200)
    calibration, _ = record.split(0.5, 3)
    one = next(one for one in compare(record, SPLIT, 0.02) if one.policy is SharedThreshold)
    path = SharedThreshold.path(calibration, SharedThreshold.positions(calibration, POSITIONS))
    result = evaluate_path(calibration, path)
    best = min(macs for macs, drop in zip(result.mean_macs, result.accuracy_drop, strict=True) if drop <= 0.02)
    assert evaluate(calibration, choose(calibration, SharedThreshold(one.value))).mean_macs == best


def test_in_sample_nothing_is_certified() -> None:
    found = compare(sample_record(300), Split(in_sample=True), 0.02)
    assert {one.bound for one in found} == {None}
    assert comparison_table(found)["drop_certified_alone"].isna().all()


def test_the_table_has_a_row_a_policy() -> None:
    found = compare(sample_record(600), SPLIT, 0.02)
    table = comparison_table(found)
    assert table["policy"].tolist() == list(SWEEPS)
    assert table["setting"].tolist() == [one.value for one in found]
    assert table["saving"].tolist() == [one.evaluation.saving for one in found]
    shares = table[[name for name in table.columns if name.startswith("share ")]]
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(ValueError, match="samples on both sides"):
        compare(sample_record(300), Split(fraction=1.0), 0.02)
