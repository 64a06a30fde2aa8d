"""The live panel's arrays against counting one sample at a time."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import (
    BestWithinBudget,
    CheapestWithinDrop,
    PaperRule,
    PaperRuleByClass,
    SharedThreshold,
    certify_path,
    evaluate,
    evaluate_path,
)
from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.policies import Sweep
from cascade_core.rendering.axes import BINS, confidence_axis
from cascade_core.rendering.live import groups
from cascade_core.rendering.live.data import _ticks, live_data, packed
from cascade_core.rendering.published import PUBLISHED
from tests.oracle import random_pooled
from tests.samples import sample_record

SWEPT: list[type[Sweep]] = [CheapestWithinDrop, PaperRule, SharedThreshold]


def show(exploration: Exploration, **changes: Any) -> dict[str, Any]:
    axis = confidence_axis(exploration.test.score, 5)
    given: dict[str, Any] = {"initial": 3, "unit": "images", "origin": "Somewhere.", "published": PUBLISHED[:1]}
    return live_data(exploration, axis, **(given | changes))


def decoded(data: dict[str, Any], which: str, m: int, g: int) -> NDArray[np.int64]:
    raw = base64.b64decode(data["counts"][which])
    return np.frombuffer(raw, dtype=data["counts"]["dtype"]).astype(np.int64).reshape(m, g, BINS)


@pytest.mark.parametrize("policy", SWEPT)
@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_readouts_are_those_of_evaluate(policy: type[Sweep], m: int) -> None:
    exploration = explore(sample_record(m=m), policy, Split(seed=4), count=21)
    data = show(exploration)
    for g in range(21):
        one = evaluate(exploration.test, exploration.path.rule(g))
        assert data["accuracy"][g] == one.accuracy
        assert data["drop"][g] == pytest.approx(one.accuracy_drop, abs=1e-15)
        assert data["saving"][g] == one.saving
        assert data["cost"][g] == one.mean_macs
        assert (data["drop_low"][g], data["drop_high"][g]) == one.drop_interval(0.95)
        assert [stage[g] for stage in data["exit_counts"]] == one.exit_counts.tolist()
        assert [stage[g] for stage in data["correct_counts"]] == one.correct_counts.tolist()


def test_is_json_and_names_its_split() -> None:
    exploration = explore(sample_record(), CheapestWithinDrop, Split(), count=5)
    data = show(exploration)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    footnote = "Thresholds chosen on 200 images; every number measured on 200 others. Somewhere."
    assert data["footnote"].startswith(f"{footnote} Published results on CIFAR-10 are of other images")
    assert show(exploration, published=())["footnote"] == footnote
    in_sample = show(explore(sample_record(), CheapestWithinDrop, Split(in_sample=True), count=5))
    assert in_sample["footnote"].startswith("In-sample: thresholds chosen and measured on the same 400 images.")


def test_a_disabled_head_has_no_threshold() -> None:
    # A first head as dear as the whole trunk is never worth running when no drop is allowed.
    record = sample_record()
    exploration = explore(record, CheapestWithinDrop, Split(in_sample=True), count=5)
    disabled = np.isinf(exploration.path.thresholds)
    data = show(exploration)
    for stage in range(2):
        for g in range(5):
            assert (data["thresholds"][stage][g] is None) == disabled[g, stage]


def test_identity_changes_with_what_is_shown_and_only_then() -> None:
    exploration = explore(sample_record(), CheapestWithinDrop, Split(), count=5)
    same = explore(sample_record(), CheapestWithinDrop, Split(), count=5)
    other = explore(sample_record(), CheapestWithinDrop, Split(seed=1), count=5)
    assert show(exploration)["id"] == show(same)["id"]
    assert show(exploration)["id"] != show(other)["id"]


def test_leaving_by_class_equals_a_count_of_each_sample() -> None:
    exploration = explore(sample_record(300), PaperRuleByClass, Split(), count=9)
    test, data = exploration.test, show(exploration)
    assert data["thresholds"] is None
    assert data["groups"] is None
    bins = confidence_axis("max_probability", 5).bins(test.confidence)
    left = np.zeros((2, 2, 9, BINS), dtype=int)
    for g in range(9):
        for i, stage in enumerate(exploration.path.rule(g).exit_stages(test)):
            if stage < 2:
                left[int(not test.correct[stage, i]), stage, g, bins[stage, i]] += 1
    for which, wanted in zip(("leaving_right", "leaving_wrong"), left, strict=True):
        assert (decoded(data, which, 2, 9) == wanted).all()


def test_heads_that_are_run_under_thresholds_by_class_make_the_cost() -> None:
    exploration = explore(sample_record(300), PaperRuleByClass, Split(), count=9)
    data = show(exploration)
    for g in range(9):
        spent, total = 0.0, 0.0
        for stage in range(3):
            run = stage == 2 or data["active"][stage][g]
            spent += data["costing"]["trunk"][stage][1] + run * data["costing"]["head"][stage][1]
            total += data["exit_counts"][stage][g] / data["samples"] * spent
        assert data["plain"][g] or total == pytest.approx(data["cost"][g])
    assert not all(data["plain"])
    assert show(explore(sample_record(), CheapestWithinDrop, Split(), count=5))["active"] is None


def test_the_certificate_is_that_of_the_test_samples() -> None:
    exploration = explore(sample_record(600), CheapestWithinDrop, Split(seed=2), count=9)
    data = show(exploration)
    assert data["certificate"]["level"] == 0.95
    assert data["certificate"]["drop"] == certify_path(exploration.test, exploration.path, 0.05).tolist()
    assert show(explore(sample_record(), CheapestWithinDrop, Split(in_sample=True), count=5))["certificate"] is None


def test_budgets_are_shown_as_shares_of_the_plain_network() -> None:
    exploration = explore(sample_record(400), BestWithinBudget, Split(), count=11)
    slider = show(exploration)["slider"]
    assert slider["values"][0] == 100
    assert slider["values"] == pytest.approx(
        (100 * exploration.path.positions / exploration.test.baseline_macs).tolist()
    )
    assert slider["unit"] == "% of the MACs"
    # The page opens at half the plain network's MACs.
    assert slider["values"][exploration.opening] == pytest.approx(50, abs=5)


def test_a_packed_payload_differs_in_its_large_parts_alone() -> None:
    for policy, part in ((CheapestWithinDrop, "groups"), (PaperRuleByClass, "counts")):
        data = show(explore(sample_record(), policy, Split(), count=9), name="mine")
        small = packed(data)
        assert (data["name"], data["policy"]) == ("mine", policy.name)
        assert {**small, part: None} == {**data, part: None, "packed": small["packed"]}
        assert small["packed"]["format"] == "deflate-raw"
        for which, given in data[part].items():
            found = small[part][which]
            if which in small["packed"]["parts"][part]:
                assert zlib.decompress(base64.b64decode(found), wbits=-15) == base64.b64decode(given)
            else:
                assert found == given


def test_where_a_pooled_path_runs_the_plain_network_its_own_answers_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST", 0)
    found = explore(random_pooled(3, n=120), SharedThreshold, Split(), count=3)
    path = replace(
        found.path,
        thresholds=np.array([[np.inf, np.inf], [np.inf, np.inf], [0.9, 0.8]], dtype=np.float32),
        plain=np.array([True, False, False]),
    )
    exploration = replace(found, path=path, evaluation=evaluate_path(found.test, path))
    test, data = exploration.test, show(exploration, initial=0)
    axis = confidence_axis(test.score, 5)
    right, wrong = (decoded(data, which, 3, 3) for which in ("right", "wrong"))
    for g, record in ((0, test.plain()), (1, test)):
        expected = np.zeros((2, BINS), dtype=int)
        for i in range(test.n):
            expected[int(not record.correct[-1, i]), axis.bins(record.confidence[-1])[i]] += 1
        assert (right[-1, g].tolist(), wrong[-1, g].tolist()) == (expected[0].tolist(), expected[1].tolist())
    assert (right[-1, 0] != right[-1, 1]).any()
    assert [column[0] for column in data["thresholds"]] == [None, None]
    assert data["baseline"]["accuracy"] == test.baseline_correct.mean()


def test_a_slider_that_begins_with_gains_marks_where_they_end() -> None:
    found = explore(sample_record(), CheapestWithinDrop, Split(), count=5)
    places = np.array([-0.01, -0.005, 0.0, 0.005, 0.01])
    slider = show(replace(found, path=replace(found.path, positions=places)))["slider"]
    assert slider["zero"] == 2
    assert [tick["text"] for tick in slider["ticks"]] == ["−1.0", "−0.5", "no drop", "0.5", "1.0"]
    slider = show(replace(found, path=replace(found.path, positions=places + 0.01)))["slider"]
    assert slider["zero"] is None
    assert slider["ticks"][0]["text"] == "0.0"


def test_ticks_keep_away_from_no_drop() -> None:
    assert _ticks(101, None) == [0, 20, 40, 60, 80, 100]
    assert _ticks(401, 45) == [0, 45, 116, 187, 258, 329, 400]
    assert _ticks(101, 5) == [5, 24, 43, 62, 81, 100]
    assert _ticks(101, 50) == [0, 17, 33, 50, 67, 83, 100]
    assert _ticks(1, None) == [0]
