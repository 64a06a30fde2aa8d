"""A choice that comes back: it finds its position or is set by hand, and numbers that were changed are told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, ExitRule, PaperRuleByClass, Pool, SharedThreshold, evaluate
from cascade_core.analysis.brought import check_stages, placed, verdict
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.policies import Sweep
from cascade_core.storage.choice import choice_json, parse_choice
from tests.samples import sample_record, sample_run

SHA = "a" * 64
RUN = {"name": "mine", "sha256": SHA}
SPLIT = Split()


@cache
def explored(policy: type[Sweep] = CheapestWithinDrop) -> Exploration:
    return explore(sample_record(), policy, SPLIT, count=9)


def setting(position: int = 4) -> Setting:
    return Setting(exploration=explored(), position=position)


def saved(change: Callable[[dict[str, Any]], object] = lambda data: None, **kept: Any) -> bytes:
    """The file of position 6, with something in it changed."""
    rule, evaluation = explored().path.rule(6), explored().at(6)
    about: dict[str, Any] = {"run": RUN, "split": SPLIT.describe()} | kept
    data = json.loads(choice_json(rule, evaluation, **about))
    change(data)
    return json.dumps(data).encode()


def judged(raw: bytes, split: Split = SPLIT) -> tuple[bool | None, str]:
    choice = parse_choice(raw)
    found = verdict(choice, evaluate(explored().test, choice.rule), SHA, split.describe())
    return found.agrees, found.words


def test_a_file_that_nobody_touched_agrees() -> None:
    agrees, words = judged(saved())
    assert agrees is True
    assert "as the file says: accuracy" in words
    assert "never saw these samples" in words


def lower_thresholds(data: dict[str, Any]) -> None:
    for row in data["rule"]["thresholds"][:-1]:
        row["threshold"] = 0.0


@pytest.mark.parametrize(
    "change",
    [
        lower_thresholds,
        lambda data: data["measured"].update(accuracy=data["measured"]["accuracy"] - 0.005),
        lambda data: data["measured"].update(accuracy_drop=data["measured"]["accuracy_drop"] - 0.005),
        lambda data: data["measured"].update(saving=data["measured"]["saving"] + 0.01),
        lambda data: data["measured"].update(n=199),
    ],
)
def test_what_was_changed_is_told_with_both_numbers(change: Callable[[dict[str, Any]], object]) -> None:
    raw = saved(change)
    agrees, words = judged(raw)
    measured, choice = parse_choice(raw).measured, parse_choice(raw)
    now = evaluate(explored().test, choice.rule)
    assert agrees is False
    assert f"{measured['n']:,} samples: accuracy {100 * measured['accuracy']:.2f} %" in words
    assert f"{now.n:,}, which are those it names: accuracy {100 * now.accuracy:.2f} %" in words
    assert "never saw" not in words


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({"run": None}, "does not say which samples"),
        ({"split": None}, "does not say which samples"),
        ({"run": {"name": "other", "sha256": "b" * 64}}, "chosen on another run"),
        ({"split": Split(seed=1).describe()}, "another split of this run"),
        ({"split": Split(fraction=0.4).describe()}, "another split of this run"),
        ({"split": Split(in_sample=True).describe()}, "another split of this run"),
    ],
)
def test_numbers_of_other_samples_are_not_compared(kept: dict[str, Any], words: str) -> None:
    agrees, said = judged(saved(lambda data: data["measured"].update(accuracy=0.0), **kept))
    assert agrees is None
    assert words in said


def test_numbers_on_all_samples_are_compared_whatever_the_seed() -> None:
    raw = saved(split=Split(seed=3, in_sample=True).describe())
    agrees, words = judged(raw, Split(in_sample=True))
    assert agrees is True
    assert "In-sample: the thresholds were chosen on these samples." in words


def test_thresholds_set_by_hand_did_see_the_samples() -> None:
    agrees, words = judged(saved(policy={"name": "by_hand", "parameters": {}}))
    assert agrees is True
    assert "set by hand on these samples, and are not certified" in words


def test_files_of_older_versions_are_judged_alike() -> None:
    def age(data: dict[str, Any]) -> None:
        data["schema_version"] = 1
        del data["rule"]["pool"]

    assert judged(saved(age))[0] is True


def test_a_rule_of_the_path_is_found_nearest_to_where_one_is() -> None:
    path = explored().path
    here = placed(path.rule(6), setting(4))
    assert not here.is_by_hand
    assert (path.thresholds[here.position] == path.thresholds[6]).all()
    same = [g for g in range(9) if (path.thresholds[g] == path.thresholds[6]).all()]
    assert here.position == min(same, key=lambda g: abs(g - 4))


def test_other_thresholds_are_set_by_hand() -> None:
    rule = replace(explored().path.rule(6), thresholds=np.array([0.123, np.inf], np.float32))
    here = placed(rule, setting(4))
    drops = [here.exploration.at(g).accuracy_drop for g in range(len(here.exploration.path))]
    given = here.evaluation.accuracy_drop
    assert abs(drops[here.position] - given) == min(abs(drop - given) for drop in drops)
    assert here.by_hand == (float(np.float32(0.123)), float("inf"))
    assert here.evaluation.accuracy == evaluate(explored().test, rule).accuracy


def test_a_rule_of_another_policy_is_found_too() -> None:
    rule = explored(SharedThreshold).path.rule(5)
    assert placed(rule, setting()).by_hand == tuple(map(float, rule.thresholds))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stage_names": ("a", "b", "c")}, "its stages are a, b, c, not stage 1, stage 2, stage 3"),
        ({"score": "margin"}, "its score is margin, not max_probability"),
        ({"top_k": 5}, "its score is max_probability, top 5, not max_probability"),
        ({"pool": Pool(weights=((1.0,), (0.5, 1.0), (0.0, 0.5, 1.0)))}, "pooled answers, and these are each stage's"),
        ({"thresholds": np.full((2, 5), 0.5, np.float32)}, "has thresholds for each class, and this policy one"),
    ],
)
def test_what_cannot_be_set_says_what_differs(changes: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"thresholds": np.array([0.5, 0.5], np.float32)}
    rule = ExitRule(**(given | {"stage_names": explored().path.stage_names} | changes))
    with pytest.raises(ValueError, match=words):
        placed(rule, setting())


def test_thresholds_for_each_class_have_to_be_a_position() -> None:
    found = explored(PaperRuleByClass)
    here = Setting(exploration=found, position=0)
    assert placed(found.path.rule(7), here).position > 0
    other = replace(found.path.rule(7), thresholds=found.path.thresholds[7] + np.float32(0.001))
    with pytest.raises(ValueError, match="no position of the slider"):
        placed(other, here)


def test_own_answers_are_not_set_among_pooled_ones() -> None:
    pooled = explore(halves(sample_run(), SPLIT), CheapestWithinDrop, SPLIT, count=9, answers="pooled")
    own = explored().path.rule(6)
    with pytest.raises(ValueError, match="for each stage's own answers, and these are pooled answers"):
        placed(own, Setting(exploration=pooled, position=3))


def test_a_choice_of_other_stages_names_its_run() -> None:
    choice = parse_choice(saved())
    check_stages(choice, ("stage 1", "stage 2", "stage 3"))
    with pytest.raises(
        ValueError, match="for the stages a, b but they are for stage 1, stage 2, stage 3, those of 'mine'"
    ):
        check_stages(choice, ("a", "b"))
