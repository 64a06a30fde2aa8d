"""Tables hold what evaluations say, one row a thing."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, ExitRule, PaperRule, PaperRuleByClass, auroc, dominated, evaluate
from cascade_core.analysis.classes import Mistake
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.groups import by_class, evaluate_groups
from cascade_core.analysis.points import Setting
from cascade_core.rendering.tables import (
    exits_table,
    groups_table,
    macs_table,
    mistakes_table,
    operating_points,
    path_table,
    stages_table,
    worth_table,
)
from cascade_core.simulation.own_costs import OwnCosts
from tests.oracle import f32, make_record
from tests.samples import sample_record, sample_run
from tests.simulation.test_own_costs import costs as own_costs


def test_stages_table_adds_costs_up() -> None:
    frame = stages_table(sample_record())
    # Trunk pieces of 1000, 2000, 3000 and a head of 70 each.
    assert frame["cumulative_macs"].tolist() == [1070, 3140, 6210]
    assert frame["accuracy"].tolist() == sample_record().stage_accuracy.tolist()


def test_macs_table_compares_with_the_plain_network() -> None:
    frame = macs_table(sample_record())
    # The plain network has the trunk and the last head: 6000 + 70.
    assert frame["share"].tolist() == [1070 / 6070, 3140 / 6070, 6210 / 6070]
    assert frame.drop(columns="share").equals(stages_table(sample_record()))


def test_groups_table_leaves_out_groups_without_samples() -> None:
    whole, rule = sample_record(), ExitRule(thresholds=np.array([0.6, 0.6]))
    record = whole.take(np.flatnonzero(whole.labels != 1))
    grouped = evaluate_groups(record, rule, by_class(record, ["a", "<b>", "c", "d", "e"]))
    frame, found = groups_table(grouped).set_index("group"), grouped.evaluation
    assert sorted(frame.index) == ["a", "c", "d", "e"]
    assert frame["accuracy_drop"].is_monotonic_decreasing
    assert frame["samples"].sum() == record.n
    assert frame.loc["c", "accuracy_drop"] == found.accuracy_drop[2]
    assert frame.loc["c", "drop_high"] == found[2].drop_interval()[1]
    assert (frame["drop_certified"] > frame["accuracy_drop"]).all()
    assert frame.loc["e", "share stage 2"] == found[4].exit_shares[1]
    np.testing.assert_allclose(frame["saving"]["d"], found[3].saving)
    for end, expected in zip(("saving_low", "saving_high"), found[3].saving_interval(), strict=True):
        np.testing.assert_allclose(frame[end]["d"], expected)


def test_groups_cost_by_the_meter() -> None:
    record, rule = sample_record(), ExitRule(thresholds=np.array([0.6, 0.6]))
    parts: tuple[dict[str, float], ...] = ({"all": 1.0},) * 3
    cents = OwnCosts(unit="cents", per=1, stage_names=record.stage_names, stages=parts, plain_parts={"all": 4.0})
    grouped = evaluate_groups(record, rule, by_class(record, "abcde"))
    frame = groups_table(grouped, cents)
    # Whoever leaves at the second stage has passed the first: 1, 2 and 3 cents, of 4.
    costs = sum((place + 1) * frame[f"share stage {place + 1}"] for place in range(3))
    np.testing.assert_allclose(frame["cost"], costs)
    np.testing.assert_allclose(frame["saving"], 1 - costs / 4)
    assert (frame["saving_low"] < frame["saving"]).all()
    np.testing.assert_allclose((frame["cost"] * frame["samples"]).sum() / record.n, cents.mean(grouped.whole))


def test_mistakes_table_names_the_classes() -> None:
    frame = mistakes_table([Mistake(label=1, answer=0, count=3, share=0.25)], ["cat", "dog"])
    assert frame.to_dict("records") == [{"class": "dog", "answer": "cat", "samples": 3, "share": 0.25}]
    assert list(mistakes_table([], [])) == ["class", "answer", "samples", "share"]


def test_exits_table_marks_disabled_and_last_stages() -> None:
    record = sample_record()
    rule = ExitRule(thresholds=np.array([np.inf, 0.5], dtype=np.float32))
    frame = exits_table(rule, evaluate(record, rule))
    assert frame["threshold"].iloc[0] == np.inf
    assert np.isnan(frame["threshold"].iloc[2])
    assert frame["samples"].iloc[0] == 0
    assert np.isnan(frame["accuracy"].iloc[0])
    # The first head is off: 1000 for the trunk alone, then 2000 + 70, then 3000 + 70.
    assert frame["macs"].tolist() == [1000, 3070, 6140]
    assert frame["share"].sum() == pytest.approx(1)
    assert not any(str(name).startswith("cost") for name in frame)


def test_exits_table_has_costs_in_another_unit_beside_macs() -> None:
    record = make_record([[0.9, 0.1, 0.1, 0.1], [1, 0.9, 0.1, 0.1], [1] * 4], [[1] * 4] * 3)
    rule = ExitRule(thresholds=f32(0.5, 0.5))
    frame = exits_table(rule, evaluate(record, rule), own_costs())
    assert list(frame.columns[-2:]) == ["cost_cents_per_10", "macs"]
    assert frame["cost_cents_per_10"].tolist() == [1, 3, 6.5]
    assert frame["macs"].tolist() == [107, 182, 235]


def test_path_table_has_a_row_a_position() -> None:
    exploration = explore(sample_record(), PaperRule, Split(), count=6)
    frame = path_table(exploration)
    assert len(frame) == 6
    assert frame["epsilon"].tolist() == pytest.approx([0, 0.02, 0.04, 0.06, 0.08, 0.1])
    for g in range(6):
        one = exploration.at(g)
        assert frame["saving"].iloc[g] == one.saving
        assert frame["accuracy_drop"].iloc[g] == pytest.approx(one.accuracy_drop)
        assert frame["share stage 2"].iloc[g] == one.exit_shares[1]
        assert np.float32(frame["threshold stage 1"].iloc[g]) == exploration.path.thresholds[g, 0]


def test_operating_points_are_spread_and_hold_the_chosen_one() -> None:
    exploration = explore(sample_record(), PaperRule, Split(), count=101)
    frame = operating_points(Setting(exploration=exploration, position=33), count=6)
    # Five over 0..100, and 33; epsilon runs from 0 to 10 points.
    assert frame["setting"].tolist() == pytest.approx([0, 2.5, 3.3, 5, 7.5, 10])
    assert frame["chosen"].tolist() == [False, False, True, False, False, False]
    assert frame["accuracy"].tolist() == [exploration.at(g).accuracy for g in (0, 25, 33, 50, 75, 100)]
    assert len(operating_points(Setting(exploration=exploration, position=25), count=6)) == 5
    one = explore(sample_record(), PaperRule, Split(), count=1)
    assert operating_points(Setting(exploration=one, position=0))["chosen"].tolist() == [True]


def test_thresholds_by_class_are_shown_by_their_ends() -> None:
    record = sample_record()
    rule = ExitRule(thresholds=np.array([[0.5, 0.7, 0.9, np.inf, 0.6], [np.inf] * 5]))
    frame = exits_table(rule, evaluate(record, rule))
    assert frame["threshold"].tolist()[:2] == [0.5, np.inf]
    assert frame["threshold_high"].tolist()[:2] == [np.inf, np.inf]
    assert np.isnan(frame["threshold_high"].iloc[2])
    exploration = explore(record, PaperRuleByClass, Split(), count=4)
    path = path_table(exploration)
    least = exploration.path.thresholds[:, 1].min(axis=1)
    assert (path["least threshold stage 2"].to_numpy().astype(np.float32) == least).all()


def test_path_table_holds_certificates_and_intervals() -> None:
    exploration = explore(sample_record(), PaperRule, Split(), count=6)
    frame = path_table(exploration)
    assert exploration.certificate is not None
    assert frame["drop_certified"].tolist() == exploration.certificate.tolist()
    assert (frame["saving_low"].iloc[3], frame["saving_high"].iloc[3]) == exploration.at(3).saving_interval()
    in_sample = path_table(explore(sample_record(), PaperRule, Split(in_sample=True), count=3))
    assert in_sample["drop_certified"].isna().all()


def test_worth_table_says_what_each_stage_is_good_for() -> None:
    exploration = explore(sample_record(), CheapestWithinDrop, Split(), count=11)
    frame, test = worth_table(exploration), exploration.test
    assert frame["accuracy"].tolist() == test.stage_accuracy.tolist()
    # Everybody leaves at a stage whose head alone is on: 1000 + 70, then 2000 more, then 3000.
    assert frame["cost_alone"].tolist() == [1070, 3070, 6070]
    assert frame["auroc"].tolist() == [auroc(test, stage) for stage in range(3)]
    assert frame["dominated"].tolist() == dominated(test).tolist()
    assert frame["used"].iloc[2] == 1
    assert "calibration_error" in frame
    margin = explore(sample_run().record("margin"), CheapestWithinDrop, Split(), count=3)
    assert "calibration_error" not in worth_table(margin)
