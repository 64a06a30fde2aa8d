"""Choice files: exact thresholds, strict JSON, the schema, and one clear line for every bad file."""

from __future__ import annotations

import json
from collections.abc import Callable
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
from cascade_core.support.files import BadFile
from tests.oracle import assert_refused, f32, random_outputs, random_record

RECORD = random_record(1)
RULE = choose(RECORD, FixedThresholds((0.75, np.inf)))
EVALUATION = evaluate(RECORD, RULE)
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


def assert_bad(path: Path, *words: str) -> None:
    assert_refused(load_choice, path, f"Cannot read {path}: ", *words)
    if path.is_file():
        with pytest.raises(BadFile):
            choice.parse_choice(path.read_bytes())


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
    Draft202012Validator.check_schema(choice.schema())
    Draft202012Validator(choice.schema()).validate(json.loads(saved.read_text()))


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
    assert "reaches the threshold 90 (stage a): it is off" in found.notes[0]
    with pytest.warns(UserWarning, match=r"90 \(stage a\): it is off") as said:
        load_choice(saved)
    assert len(said) == 1


def test_one_stage_and_names_beyond_ascii(tmp_path: Path) -> None:
    record = random_record(2, stages=1)
    rule = ExitRule(thresholds=f32())
    found = load_choice(save_choice(tmp_path / "ä.json", rule, evaluate(record, rule), run=RUN | {"name": "Läufe/Ω"}))
    assert found.thresholds.shape == (0,)
    assert found.run == RUN | {"name": "Läufe/Ω"}


def test_rule_must_be_for_the_stages_of_the_evaluation(tmp_path: Path) -> None:
    for thresholds in ([0.5], [0.5, 0.5, 0.5], []):
        with pytest.raises(ValueError, match=f"rule with 2 thresholds.* 3 stages, but it has {len(thresholds)}"):
            save_choice(tmp_path / "c.json", ExitRule(thresholds=f32(*thresholds)), EVALUATION)
    with pytest.raises(ValueError, match="stages of the evaluation, a, b, c, but it is for x, y, z"):
        save_choice(tmp_path / "c.json", ExitRule(thresholds=f32(1, 1), stage_names=("x", "y", "z")), EVALUATION)
    with pytest.raises(ValueError, match="measured/split"):
        save_choice(tmp_path / "c.json", RULE, EVALUATION, split={"seed": 1})
    with pytest.raises(ValueError, match="run/sha256"):
        save_choice(tmp_path / "c.json", RULE, EVALUATION, run={"name": "x", "sha256": "short"})
    assert list(tmp_path.iterdir()) == []


def test_failed_writing_leaves_no_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="disk full"):
        save_choice(saved, RULE, EVALUATION)
    assert [p.name for p in saved.parent.iterdir()] == ["choice.json"]
    assert saved.read_bytes() == before


def earlier(data: dict[str, Any], temperature: Any) -> None:
    """Make a file of version 2 of one of version 3."""
    data["schema_version"] = 2
    data["rule"].pop("pool")
    data["rule"]["temperature"] = temperature


def pooled(data: dict[str, Any], *rows: Any) -> None:
    data["rule"]["pool"] = {"weights": list(rows)}


def edit(saved: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    data = json.loads(saved.read_text())
    change(data)
    saved.write_text(json.dumps(data))
    return saved


CHANGES: list[tuple[Callable[[Any], object], str]] = [
    (lambda d: d.update(schema_version=4), "expected schema_version 3 but it is 4; update this program"),
    (lambda d: d.pop("schema_version"), "expected schema_version 3 but it is None"),
    (lambda d: d.pop("rule"), "at the top: 'rule' is a required property"),
    (lambda d: d.update(extra=1), "at the top: Additional properties are not allowed ('extra' was unexpected)"),
    (lambda d: d["rule"].update(score="best"), "at rule/score: 'best' is not one of"),
    (lambda d: d["rule"].update(top_k=0), "at rule/top_k: 0 is less than the minimum of 1"),
    (lambda d: d["rule"].update(temperature=0), "at rule/temperature"),
    (lambda d: d["rule"].update(temperature=1), "expected no rule/temperature in a file of schema_version 3"),
    (lambda d: d.update(schema_version=2), "expected no rule/pool in a file of schema_version 2"),
    (lambda d: earlier(d, [1, 1]), "a pool of 3 stages but it is of 2"),
    (lambda d: earlier(d, [1, 1, 0]), "at rule/temperature/2"),
    (lambda d: earlier(d, 1e-300), "weights of stage 1 from -1e+06 to 1e+06 but they were 1e+300"),
    (lambda d: pooled(d, [1], [0, 1]), "a pool of 3 stages but it is of 2"),
    (lambda d: pooled(d, [1], [1], [0, 0, 1]), "weights of stage 2 to have shape (2,) (stages passed) but it had"),
    (
        lambda d: pooled(d, [1], [0, 1], [0, 0, 0, 1]),
        "weights of stage 3 to have shape (3,) (stages passed) but it had",
    ),
    (lambda d: pooled(d, [1], [0, 1], [0, -2e6, 1]), "weights of stage 3 from -1e+06 to 1e+06 but they were 0, -2e+06"),
    (lambda d: pooled(d, [1], [0, 1], [0, 10**400, 1]), "weights of stage 3 to be numbers"),
    (lambda d: pooled(d, [1], [0, "1"], [0, 0, 1]), "at rule/pool/weights/1/1: '1' is not of type 'number'"),
    (lambda d: pooled(d, [1], [], [0, 0, 1]), "at rule/pool/weights/1"),
    (lambda d: d["rule"].update(pool={}), "at rule/pool: 'weights' is a required property"),
    (lambda d: d["rule"].update(pool=[[1]]), "at rule/pool"),
    (
        lambda d: d["rule"]["thresholds"][0].update(threshold=[0.5, 0.5]),
        "one threshold at every stage, or one for each",
    ),
    (lambda d: d["rule"]["thresholds"][0].update(threshold=[]), "at rule/thresholds/0/threshold"),
    (lambda d: d["rule"].update(comparison=">"), "at rule/comparison"),
    (
        lambda d: d["rule"]["thresholds"][0].update(threshold="0.5"),
        "at rule/thresholds/0/threshold: '0.5' is not of type",
    ),
    (lambda d: d["rule"]["thresholds"][0].pop("threshold"), "at rule/thresholds/0: 'threshold' is a required"),
    (lambda d: d["rule"]["thresholds"][0].update(threshold=1e39), "threshold of stage 'a' to be a float32 number but"),
    (lambda d: d["rule"]["thresholds"][0].update(threshold=-1e39), "threshold of stage 'a' to be a float32 number"),
    (lambda d: d["rule"]["thresholds"][0].update(threshold=10**400), "threshold of stage 'a' to be a float32 number"),
    (lambda d: d["rule"]["thresholds"][2].update(threshold=0.5), "the last stage, and no other, to answer always"),
    (lambda d: d["rule"]["thresholds"][0].update(always_answers=True), "the last stage, and no other"),
    (lambda d: d["rule"]["thresholds"].pop(), "rule/thresholds to name the same stages as stages"),
    (lambda d: d["rule"]["thresholds"].reverse(), "rule/thresholds to name the same stages as stages"),
    (lambda d: d["rule"].update(thresholds=[]), "at rule/thresholds"),
    (lambda d: d["stages"][0].update(cumulative_macs=-1), "at stages/0/cumulative_macs"),
    (lambda d: d.update(baseline_macs=0), "at baseline_macs"),
    (lambda d: d["measured"].update(accuracy=1.5), "at measured/accuracy"),
    (lambda d: d.update(run={"name": "x"}), "at run: 'sha256' is a required property"),
    (lambda d: d.update(policy=[]), "at policy: [] is not of type 'object', 'null'"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_files_that_break_the_schema(saved: Path, change: Callable[[Any], object], words: str) -> None:
    assert_bad(edit(saved, change), words)


def test_a_stage_twice(saved: Path) -> None:
    def rename(data: Any) -> None:
        data["rule"]["thresholds"][1]["stage"] = data["stages"][1]["name"] = "a"

    assert_bad(edit(saved, rename), "stage_names to be distinct but 'a' repeats")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("place", ['"threshold": 0.75', '"pool": null', '"mean_macs": '])
def test_numbers_that_are_none(saved: Path, place: str, number: str) -> None:
    text = saved.read_text()
    assert place in text
    key = place.split(":")[0]
    saved.write_text(text.replace(place, f"{key}: {number}" + (", " if place.endswith(" ") else ""), 1))
    assert_bad(saved, f"it holds {number}, which is")


def test_nesting_of_any_depth_and_place(saved: Path) -> None:
    text = saved.read_text()
    for depth in (100, 300, 600, 900, 980, 5_000, 100_000):
        nested = "[" * depth + "]" * depth
        for spoiled in (nested, text.replace("0.75", nested), text.replace('"policy": null', f'"policy": {nested}')):
            saved.write_text(spoiled)
            assert_bad(saved)
        saved.write_text('{"a":' * depth + "1" + "}" * depth)
        assert_bad(saved)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"null", b"[]", b"3", b'"x"', b"\xff\xfe\x00", b"\x80abc", b"{}{}", b"9" * 5000]
)
def test_what_is_no_choice(saved: Path, raw: bytes) -> None:
    saved.write_bytes(raw)
    assert_bad(saved, "expected")


def test_truncated_anywhere(saved: Path) -> None:
    raw = saved.read_bytes().rstrip()
    for size in range(0, len(raw), 97):
        saved.write_bytes(raw[:size])
        assert_bad(saved, "expected JSON but")


def test_huge_missing_and_folder(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b" " * choice.MAX_BYTES)
    assert_bad(saved, "at most 1,048,576 bytes")
    assert_bad(saved.with_name("none.json"), "no such file")
    assert_bad(saved.parent, "is a directory")


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
