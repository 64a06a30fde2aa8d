"""Choice files that are none: one clear line for each, and nothing half written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cascade_core import ExitRule, load_choice, save_choice
from cascade_core.storage import choice
from cascade_core.storage.choice_schema import MAX_BYTES
from cascade_core.support.files import BadFile
from tests.oracle import assert_refused, f32
from tests.storage.choices import EVALUATION, RULE, earlier


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_choice(tmp_path / "choice.json", RULE, EVALUATION)


def assert_bad(path: Path, *words: str) -> None:
    assert_refused(load_choice, path, f"Cannot read {path}: ", *words)
    if path.is_file():
        with pytest.raises(BadFile):
            choice.parse_choice(path.read_bytes())


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
    (lambda d: pooled(d, [1], [0, 1], [0, 10**400, 1]), f"it holds {'1' + 39 * '0'}, which is too large a number"),
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
    (lambda d: d["rule"]["thresholds"][0].update(threshold=10**400), "which is too large a number"),
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
    saved.write_bytes(saved.read_bytes() + b" " * MAX_BYTES)
    assert_bad(saved, "at most 16,777,216 bytes")
    assert_bad(saved.with_name("none.json"), "no such file")
    assert_bad(saved.parent, "expected a regular file but it is a folder")


def test_rule_must_be_for_the_stages_of_the_evaluation(tmp_path: Path) -> None:
    for thresholds in ([0.5], [0.5, 0.5, 0.5], []):
        with pytest.raises(ValueError, match=rf"for 3 stages \(2 thresholds\) but it is for {len(thresholds) + 1}"):
            save_choice(tmp_path / "c.json", ExitRule(thresholds=f32(*thresholds)), EVALUATION)
    with pytest.raises(ValueError, match="for the stages a, b, c but it is for x, y, z"):
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
