"""Choice files: exact thresholds, strict JSON, the schema, and what earlier versions held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from cascade_core import (
    CheapestWithinDrop,
    ExitRule,
    FixedThresholds,
    PaperRule,
    Pool,
    SharedThreshold,
    choose,
    evaluate,
    load_choice,
    save_choice,
)
from cascade_core.policies import describe
from cascade_core.storage import choice
from cascade_core.storage.choice_schema import schema
from tests.oracle import f32, random_outputs, random_record
from tests.storage.choices import EVALUATION, RECORD, RULE, earlier

SPLIT = {"fraction": 0.5, "seed": 3, "measured_on": "test"}


RUN = {"name": "run.parquet", "sha256": "0" * 64}


def strict(text: str) -> Any:
    """Parse as every JSON reader would: no NaN, no Infinity, no key twice."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_choice(tmp_path / "choice.json", RULE, EVALUATION)


def test_three_arguments_are_enough(saved: Path) -> None:
    found = load_choice(saved)
    assert found.rule.thresholds.tolist() == [0.75, np.inf]
    assert found.thresholds is found.rule.thresholds
    assert found.rule.stage_names == ("a", "b", "c")
    assert (found.rule.score, found.rule.top_k, found.rule.pool) == ("max_probability", 1, None)
    assert found.policy is None
    assert found.run is None
    assert found.measured["split"] is None
    found.rule.check_fits(RECORD)


def test_content(saved: Path) -> None:
    data = strict(saved.read_text(encoding="utf-8"))
    assert data["rule"]["thresholds"] == [
        {"stage": "a", "threshold": 0.75},
        {"stage": "b", "threshold": None},
        {"stage": "c", "threshold": None, "always_answers": True},
    ]
    # 100 + 7; then 70 with its head off; then 50 + 3.
    assert [stage["cumulative_macs"] for stage in data["stages"]] == [107, 177, 230]
    measured = data["measured"]
    assert measured["n"] == RECORD.n
    assert measured["accuracy"] == EVALUATION.accuracy
    assert measured["accuracy_drop"] == EVALUATION.accuracy_drop
    assert (measured["accuracy_drop_interval"]["low"], measured["accuracy_drop_interval"]["high"]) == (
        EVALUATION.drop_interval()
    )
    assert measured["mean_macs"] == EVALUATION.mean_macs
    assert measured["saving"] == EVALUATION.saving
    assert [e["share"] for e in measured["exits"]] == EVALUATION.exit_shares.tolist()
    assert measured["exits"][1] == {"stage": "b", "share": 0.0, "correct": None}
    assert measured["exits"][0]["correct"] == EVALUATION.correct_counts[0] / EVALUATION.exit_counts[0]


def test_schema_is_a_schema_and_every_file_follows_it(saved: Path) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads(saved.read_text()))


def test_thresholds_survive_bit_by_bit() -> None:
    random = np.random.default_rng(0)
    values = np.concatenate(
        [
            random.random(300, dtype=np.float32),
            1 - np.float32(2) ** -random.integers(1, 24, 50).astype(np.float32),
            -random.random(50, dtype=np.float32) * 7,
            f32(0, 1, 1e-45, 1e-10, -float(np.finfo(np.float32).max), np.inf, 1 + 2**-23),
        ]
    ).astype(np.float32)
    for a, b in zip(values, values[::-1], strict=True):
        rule = ExitRule(thresholds=np.array([a, b]))
        found = choice.parse_choice(choice.choice_json(rule, EVALUATION).encode())
        assert found.rule.thresholds.tobytes() == rule.thresholds.tobytes()


@pytest.mark.parametrize(
    "policy",
    [
        CheapestWithinDrop(0.01),
        PaperRule(float(np.float64(0.02))),
        SharedThreshold(0.9),
        SharedThreshold(np.inf),
        FixedThresholds((0.5, np.inf)),
        FixedThresholds([0.5, 0.25]),
    ],
)
def test_everything_survives_with_policy_run_and_split(policy: Any, tmp_path: Path) -> None:
    rule = choose(RECORD, policy)
    path = save_choice(tmp_path / "c.json", rule, evaluate(RECORD, rule), policy=describe(policy), run=RUN, split=SPLIT)
    found = load_choice(path)
    strict(path.read_text(encoding="utf-8"))
    assert found.policy == describe(policy)
    assert found.run == RUN
    assert found.measured["split"] == SPLIT


def test_a_threshold_out_of_reach_is_read_as_off_and_said(saved: Path) -> None:
    assert choice.parse_choice(saved.read_bytes()).notes == ()
    saved.write_text(saved.read_text().replace('"threshold": 0.75', '"threshold": 90'))
    found = choice.parse_choice(saved.read_bytes())
    assert found.rule.thresholds.tolist() == [np.inf, np.inf]
    assert len(found.notes) == 1
    assert "reaches 90 at 'a': such a threshold is off" in found.notes[0]
    with pytest.warns(UserWarning, match="90 at 'a': such a threshold is off") as said:
        load_choice(saved)
    assert len(said) == 1


def test_one_stage_and_names_beyond_ascii(tmp_path: Path) -> None:
    record = random_record(2, stages=1)
    rule = ExitRule(thresholds=f32())
    found = load_choice(save_choice(tmp_path / "ä.json", rule, evaluate(record, rule), run=RUN | {"name": "Läufe/Ω"}))
    assert found.thresholds.shape == (0,)
    assert found.run == RUN | {"name": "Läufe/Ω"}


def test_thresholds_for_each_class_and_a_pool_come_back(tmp_path: Path) -> None:
    outputs = random_outputs(3, classes=4)
    # Numbers that no short decimal gives: all digits must survive.
    pool = Pool(weights=((1.0,), (0.1 + 0.2, 2 / 3), (0.0, -1e-17, 1e6)))
    record = outputs.record(pool=pool)
    rule = ExitRule(
        thresholds=np.array([[0.5, np.inf, 0.1, 1.0], [np.inf] * 4]),
        pool=pool,
        stage_names=("a", "b", "c"),
    )
    found = load_choice(save_choice(tmp_path / "c.json", rule, evaluate(record, rule))).rule
    assert found.thresholds.tolist() == rule.thresholds.tolist()
    assert found.pool == pool
    # Nothing leaves at the second, but the third pools it.
    assert found.active.tolist() == [True, True, True]
    found.check_fits(record)
    with pytest.raises(
        ValueError, match=r"stages' own answers but it is for answers pooled with the weights 1; 0\.3, 0\.66"
    ):
        found.check_fits(outputs.record())


@pytest.mark.parametrize(
    ("version", "given", "wanted"),
    [
        (1, 1, None),
        (1, 2.5, ((0.4,), (0, 0.4), (0, 0, 0.4))),
        (2, [1, 1, 1], None),
        (2, [0.5, 1, 4], ((2,), (0, 1), (0, 0, 0.25))),
    ],
)
def test_temperatures_of_earlier_versions_are_read_as_weights(
    saved: Path, version: int, given: Any, wanted: tuple[tuple[float, ...], ...] | None
) -> None:
    data = strict(saved.read_text(encoding="utf-8"))
    earlier(data, given)
    data["schema_version"] = version
    del data["measured"]["saving_interval"]
    found = choice.parse_choice(json.dumps(data).encode())
    assert found.rule.pool == (None if wanted is None else Pool(weights=wanted))
